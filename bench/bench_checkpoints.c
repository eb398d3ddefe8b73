/* bench_checkpoints.c - checkpoints of 1 GiB of state, of which 5 % changes in a second, as one task takes them: how long it stands still at the
 * barrier, the longest piece of work for it between two batches, how long it takes until the checkpoint exists, packed, written and synced, and
 * how long it takes to read it and begin with it again.
 *
 * From one checkpoint to the next 5 % of the keys, at random, are written, in batches: half of them before the barrier; for the others
 * batches and steps of the save come in turn, as in a task. Chunks go to the store of a job, whose helpers do with them what they do there. */
#include "bench.h"

#include "control/snapshot/snapshot_read.h"
#include "control/snapshot/snapshot_store.h"
#include "flow/state/sb.h"
#include "flow/state/snapshot.h"
#include "ground/base/prng.h"
#include "ground/fs/fs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RANGES = 16, CHECKPOINTS = 24, SHARE = 20 /* of so many keys one changes */, ROW_BYTES = 40 };

#define JOB "0123456789abcdef0123456789abcdef"
#define UID "a0000000000000000000000000000000"

struct world {
    struct bench *bench;
    struct mem mem;
    struct state_def def;
    struct state_host host;
    struct state_table *table;
    struct err err;
    struct prng random;
    struct batch *keys;
    uint64_t key_count, written;
    struct snapshot_store *store;
    struct sys_mailbox *answers;
    struct sys_parker *parker;
    int64_t id; /* of the newest checkpoint */
    double stalls[CHECKPOINTS], steps[CHECKPOINTS], totals[CHECKPOINTS]; /* ms */
    char folder[SYS_PATH_MAX + 32];
    uint64_t bytes; /* of all checkpoints but the first */
};

static void must(enum status st, const struct world *w)
{
    if (st != S_OK) bench_fail("%s: %s", status_text(st), w->err.text);
}

static double ms_since(const struct world *w, int64_t start) { return (double)(sys_mono_ns(w->bench->sys) - start) / 1e6; }

static struct state_host host_make(struct world *w, struct mem *mem)
{
    struct state_host h = {.backend = &sb_hashmap, .mem = mem, .group_count = 128, .max_parallelism = 128, .err = &w->err};

    state_host_init(&h);
    return h;
}

/* A batch of keys, from `first` on or at random, gets values. */
static void batch_write(struct world *w, uint64_t first, uint32_t n, bool is_random)
{
    static const uint32_t col = 0;
    uint64_t hashes[BATCH_ROWS];
    void *rows[BATCH_ROWS];
    int64_t *keys = VECTOR_VALUES(&w->keys->cols[0], int64_t);

    for (uint32_t i = 0; i < n; i++) keys[i] = (int64_t)mix64(is_random ? prng_below(&w->random, w->key_count) : first + i);
    w->keys->count = n;
    batch_hash(w->keys, &col, 1, hashes);
    const struct state_keys k = state_keys_of(w->keys, &col, 1, hashes);
    must(state_resolve(w->table, 0, &k, STATE_INSERT, rows, NULL), w);
    for (uint32_t i = 0; i < n; i++) {
        int64_t *row = rows[i];
        row[0]++;
        row[1] ^= keys[i];
        row[2] = (int64_t)w->written++;
    }
    state_done(w->table);
}

static void world_open(struct world *w, struct bench *b)
{
    memset(w, 0, sizeof *w);
    w->bench = b;
    w->key_count = bench_size(b, (UINT64_C(1) << 30) / ROW_BYTES, 20000);
    mem_init(&w->mem, "state", 0);
    prng_init(&w->random, 1);
    must(type_parse(&b->arena, (struct str){"ROW<k BIGINT NOT NULL> NOT NULL", 31}, &w->def.key, &w->err), w);
    const char *value = "ROW<n BIGINT NOT NULL, total BIGINT NOT NULL, latest BIGINT NOT NULL> NOT NULL";
    must(type_parse(&b->arena, (struct str){value, strlen(value)}, &w->def.value, &w->err), w);
    w->def.name = "sums";
    w->host = host_make(w, &w->mem);
    must(state_open(&w->host, &w->def, &w->table, &w->err), w);
    w->keys = batch_create(w->def.key, BATCH_ROWS, &w->mem);
    for (uint64_t at = 0; at < w->key_count; at += BATCH_ROWS)
        batch_write(w, at, (uint32_t)MIN(w->key_count - at, (uint64_t)BATCH_ROWS), false);
}

static void world_close(struct world *w)
{
    batch_free(w->keys);
    state_close(w->table);
    state_host_release(&w->host);
    mem_release(&w->mem);
}

/* ---- the helper that writes */

static void answer_keep(void *arg, struct snapshot_answer *a)
{
    struct world *w = arg;

    sys_mailbox_send(w->bench->sys, w->answers, a);
}

static void store_open(struct world *w)
{
    struct sys *sys = w->bench->sys;
    struct job_records records = {sys, NULL, NULL};
    struct job_record record = {.job_id = JOB, .job_name = "bench", .leader_epoch = 1, .status = JOB_RUNNING, .next_checkpoint = 1 << 20};
    char folder[SYS_PATH_MAX];

    must(sys_dir_make(sys, "build/bench_checkpoints", &w->err), w);
    must(sys_file_real(sys, "build/bench_checkpoints", folder, sizeof folder, &w->err), w);
    snprintf(w->folder, sizeof w->folder, "%s/%016llx", folder, (unsigned long long)sys_random(sys));
    must(fs_find(w->folder, &records.fs, &records.folder, &w->err), w);
    must(job_records_swap(&records, &record, &w->err), w);
    const struct snapshot_store_options o = {.sys = sys, .records = records, .uri = w->folder, .record = &record, .inline_max = 20 * 1024,
                                             .retained_max = 1, .has_thread = true, .has_writers = true, .answer = answer_keep, .arg = w};
    w->answers = sys_mailbox_create(sys);
    w->parker = sys_parker_create(sys);
    must(snapshot_store_create(&o, &w->store, &w->err), w);
}

static void folder_delete(struct world *w, const char *path)
{
    const struct fs_type *fs;
    const char *local;
    struct fs_list list;

    must(fs_find(path, &fs, &local, &w->err), w);
    must(fs->list(w->bench->sys, local, &w->bench->arena, &list, &w->err), w);
    for (uint32_t i = 0; i < list.count; i++) {
        if (list.entries[i].is_directory) folder_delete(w, list.entries[i].path);
        else must(fs->remove(w->bench->sys, list.entries[i].path, &w->err), w);
    }
    must(fs->remove_folder(w->bench->sys, local, &w->err), w);
}

static void store_close(struct world *w)
{
    snapshot_store_free(w->store);
    sys_mailbox_free(w->bench->sys, w->answers);
    sys_parker_free(w->bench->sys, w->parker);
    folder_delete(w, w->folder);
}

/* A task would work on meanwhile. */
static void chunk_give(struct world *w, uint32_t number, struct buf *chunk)
{
    const struct snapshot_place where = {.checkpoint = w->id, .uid = UID, .number = number, .part = w->id};

    while (snapshot_store_chunk(w->store, &where, chunk, w->parker) == S_PENDING) sys_park(w->bench->sys, w->parker, INT64_MAX);
}

/* Answers when the checkpoint exists: how many bytes it has written. */
static uint64_t store_finish_wait(struct world *w, uint32_t chunks)
{
    struct snapshot_order *o = snapshot_order_create();
    struct snapshot_subtask *subtask = ARENA_NEW(&o->arena, struct snapshot_subtask);
    struct snapshot_operator *operator= ARENA_NEW(&o->arena, struct snapshot_operator);

    *subtask = (struct snapshot_subtask){.handle_count = chunks, .first_part = MAX(w->id - RANGES + 1, 1)};
    *operator= (struct snapshot_operator){.id = UID, .name = "bench", .parallelism = 1, .max_parallelism = 128, .subtasks = subtask};
    o->metadata = (struct snapshot_metadata){.job_id = JOB, .job_name = "bench", .checkpoint = w->id, .operators = operator, .operator_count = 1};
    snapshot_store_finish(w->store, o);
    struct snapshot_answer *a = sys_mailbox_take(w->bench->sys, w->answers, INT64_MAX);
    if (a->status != S_OK) bench_fail("%s: %s", status_text(a->status), a->err.text);
    uint64_t written = a->written;
    snapshot_answer_free(a);
    return written;
}

/* ---- one checkpoint */

/* The first one has all. */
static void checkpoint(struct world *w, uint32_t number)
{
    uint64_t changes = w->key_count / SHARE, left = changes / 2;
    uint32_t range = number % state_host_ranges(&w->host), chunks = 0;
    struct state_part_of part = {.number = number + 1, .is_first = number == 0};
    struct state_save *save;
    struct buf chunk;
    double longest = 0;
    enum status st;

    for (uint64_t at = 0; at < changes - left; at += BATCH_ROWS) batch_write(w, 0, BATCH_ROWS, true);
    if (number > 0) state_host_range(&w->host, range, &part.base_first, &part.base_count);
    w->id = number + 1;
    must(snapshot_store_open(w->store, w->id, SNAPSHOT_CHECKPOINT, NULL, &w->err), w);
    buf_init(&chunk, &w->mem);
    int64_t start = sys_mono_ns(w->bench->sys);
    must(state_save_create_part(&w->host, &part, &save, &w->err), w);
    state_save_draft(save);
    double stall = ms_since(w, start);
    do {
        if (left >= BATCH_ROWS) {
            batch_write(w, 0, BATCH_ROWS, true);
            left -= BATCH_ROWS;
        }
        int64_t began = sys_mono_ns(w->bench->sys);
        st = state_save_step(save, &chunk, SNAPSHOT_CHUNK_BYTES, &w->err);
        longest = MAX(longest, ms_since(w, began));
        if (chunk.size >= SNAPSHOT_CHUNK_BYTES || (st == S_OK && chunk.size > 0)) chunk_give(w, chunks++, &chunk);
    } while (st == S_MORE);
    must(st, w);
    state_save_free(save);
    buf_release(&chunk);
    uint64_t written = store_finish_wait(w, chunks);
    if (number > 0) w->bytes += written;
    if (number == 0) return;
    w->stalls[number - 1] = stall;
    w->steps[number - 1] = longest;
    w->totals[number - 1] = ms_since(w, start);
}

/* Bytes of a checkpoint of all there is. */
static uint64_t whole_bytes(struct world *w)
{
    struct state_save *save;
    struct buf chunk, space;
    uint64_t bytes = 0;
    enum status st;

    must(state_save_create(&w->host, &save, &w->err), w);
    state_save_draft(save);
    buf_init(&chunk, &w->mem);
    buf_init(&space, &w->mem);
    do {
        st = state_save_step(save, &chunk, SNAPSHOT_CHUNK_BYTES, &w->err);
        if (chunk.size < SNAPSHOT_CHUNK_BYTES && st == S_MORE) continue;
        bytes += state_chunk_finish((struct str){chunk.data, chunk.size}, &space).size;
        buf_clear(&chunk);
    } while (st == S_MORE);
    must(st, w);
    state_save_free(save);
    buf_release(&chunk);
    buf_release(&space);
    return bytes;
}

/* ---- and back */

/* The newest checkpoint is read, with all parts that it needs, and a table begins with it. */
static double restore(struct world *w)
{
    struct snapshot_reader *reader;
    struct snapshot_chunk_place *places;
    struct state_part *parts;
    struct state_table *table;
    struct mem mem, chunks;
    char uri[SYS_PATH_MAX + 64];

    mem_init(&mem, "restored", 0);
    mem_init(&chunks, "chunks", 0);
    snprintf(uri, sizeof uri, "%s/chk-%lld", w->folder, (long long)w->id);
    int64_t start = sys_mono_ns(w->bench->sys);
    must(snapshot_reader_open(w->bench->sys, uri, &reader, &w->err), w);
    const struct snapshot_subtask *s = reader->metadata.operators[0].subtasks;
    places = mem_alloc(&chunks, s->handle_count * sizeof *places);
    parts = mem_zalloc(&chunks, s->handle_count * sizeof *parts);
    for (uint32_t i = 0; i < s->handle_count; i++) places[i] = snapshot_reader_find(reader, &s->handles[i], &parts[i].bytes);
    must(snapshot_reader_places(reader, places, s->handle_count, &chunks, &w->err), w);
    struct state_image image = {parts, s->handle_count};
    struct state_restore from = {.subtasks = &image, .count = 1, .max_parallelism = 128, .operator = "bench", .sys = w->bench->sys};
    struct state_host h = host_make(w, &mem);
    h.restore = &from;
    must(state_open(&h, &w->def, &table, &w->err), w);
    double ms = ms_since(w, start);
    bench_same("keys", (int64_t)state_count(table, 0), (int64_t)state_count(w->table, 0));
    state_close(table);
    state_host_release(&h);
    mem_release(&mem);
    mem_release(&chunks);
    snapshot_reader_close(reader);
    return ms / 1000;
}

static void line(struct bench *b, const char *name, const char *unit, double *values, uint32_t count, enum bench_goal kind, double goal)
{
    const struct bench_case c = {.name = name, .unit = unit, .goal_kind = kind, .goal = goal};

    qsort(values, count, sizeof *values, bench_by_value);
    bench_line(b, &c, values, count);
}

/* What is judged is the worst of them. */
static void worst(struct bench *b, const char *name, const char *unit, double *values, uint32_t count, double goal)
{
    qsort(values, count, sizeof *values, bench_by_value);
    line(b, name, unit, &values[count - 1], 1, GOAL_AT_MOST, goal);
}

int main(int argc, char **argv)
{
    struct bench b;

    bench_start(&b, argc, argv, "checkpoints");
    if (bench_wants(&b, "1 GiB")) {
        struct world *w = mem_alloc(&b.mem, sizeof *w);
        uint32_t count = b.is_smoke ? 2 : CHECKPOINTS - 1;
        world_open(w, &b);
        store_open(w);
        checkpoint(w, 0);
        double all = restore(w);
        for (uint32_t i = 1; i <= count; i++) checkpoint(w, i);
        worst(&b, "1 GiB, 5 % changed: a task stands still", "ms", w->stalls, count, 50);
        worst(&b, "1 GiB, 5 % changed: longest step of a save", "ms", w->steps, count, 5);
        worst(&b, "1 GiB, 5 % changed: checkpoint until synced", "ms", w->totals, count, 500);
        line(&b, "1 GiB, restored", "s", &all, 1, GOAL_AT_MOST, 2);
        double parts = restore(w);
        line(&b, "1 GiB, restored from 16 parts", "s", &parts, 1, GOAL_NONE, 0);
        double share = (double)w->bytes / count / (double)whole_bytes(w);
        line(&b, "1 GiB, 5 % changed: bytes over all bytes", "-", &share, 1, GOAL_NONE, 0);
        store_close(w);
        world_close(w);
        mem_free(&b.mem, w);
    }
    return bench_end(&b);
}
