/* bench_checkpoints.c - checkpoints of 1 GiB of state, of which 5 % changes in a second, as one task takes them: how long it stands still at the
 * barrier, the longest piece of work for it between two batches, how long it takes until all of it is written and synced, and how long it
 * takes to begin with it again.
 *
 * From one checkpoint to the next 5 % of the keys, at random, are written, in batches: half of them before the barrier; for the others
 * batches and steps of the save come in turn, as in a task. Chunks are written to files by the same thread: in a job a helper does that. */
#include "bench.h"

#include "flow/state/sb.h"
#include "flow/state/snapshot.h"
#include "ground/base/prng.h"
#include "ground/fs/fs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 8 << 20, CHECKPOINTS = 24, SHARE = 20 /* of so many keys one changes */, ROW_BYTES = 40 };

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
    struct buf *chunks; /* of all parts */
    uint32_t chunk_count, chunk_capacity;
    double stalls[CHECKPOINTS], steps[CHECKPOINTS], totals[CHECKPOINTS]; /* ms */
    const char *folder;
    uint64_t bytes;
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
    w->folder = "build/bench_checkpoints";
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
    for (uint32_t i = 0; i < w->chunk_count; i++) buf_release(&w->chunks[i]);
    mem_free(&w->mem, w->chunks);
    batch_free(w->keys);
    state_close(w->table);
    state_host_release(&w->host);
    mem_release(&w->mem);
}

static void chunk_write(struct world *w, struct buf *chunk)
{
    const struct fs_type *fs;
    enum fs_outcome outcome;
    char name[200];
    const char *path;

    snprintf(name, sizeof name, "%s/chunk-%u", w->folder, w->chunk_count);
    must(fs_find(name, &fs, &path, &w->err), w);
    must(fs->publish(w->bench->sys, path, (struct str){chunk->data, chunk->size}, false, &outcome, &w->err), w);
    must(fs->remove(w->bench->sys, path, &w->err), w);
    if (w->chunk_count == w->chunk_capacity) {
        w->chunk_capacity = MAX(64, 2 * w->chunk_capacity);
        w->chunks = mem_realloc(&w->mem, w->chunks, w->chunk_capacity * sizeof *w->chunks);
    }
    w->bytes += chunk->size;
    w->chunks[w->chunk_count++] = *chunk;
    buf_init(chunk, &w->mem);
}

/* The first one has all. */
static void checkpoint(struct world *w, uint32_t number)
{
    uint64_t changes = w->key_count / SHARE, left = changes / 2;
    uint32_t range = number % state_host_ranges(&w->host);
    struct state_part_of part = {.number = number + 1, .is_first = number == 0};
    struct state_save *save;
    struct buf chunk;
    double longest = 0;
    enum status st;

    for (uint64_t at = 0; at < changes - left; at += BATCH_ROWS) batch_write(w, 0, BATCH_ROWS, true);
    if (number > 0) state_host_range(&w->host, range, &part.base_first, &part.base_count);
    buf_init(&chunk, &w->mem);
    int64_t start = sys_mono_ns(w->bench->sys);
    must(state_save_create_part(&w->host, &part, &save, &w->err), w);
    double stall = ms_since(w, start);
    do {
        if (left >= BATCH_ROWS) {
            batch_write(w, 0, BATCH_ROWS, true);
            left -= BATCH_ROWS;
        }
        int64_t began = sys_mono_ns(w->bench->sys);
        st = state_save_step(save, &chunk, CHUNK, &w->err);
        longest = MAX(longest, ms_since(w, began));
        if (chunk.size >= CHUNK || (st == S_OK && chunk.size > 0)) chunk_write(w, &chunk);
    } while (st == S_MORE);
    must(st, w);
    state_save_free(save);
    buf_release(&chunk);
    if (number == 0) return;
    w->stalls[number - 1] = stall;
    w->steps[number - 1] = longest;
    w->totals[number - 1] = ms_since(w, start);
}

/* With all parts, the oldest included. */
static double restore(struct world *w)
{
    struct state_part *parts = mem_alloc(&w->mem, w->chunk_count * sizeof *parts);
    struct state_image image = {parts, w->chunk_count};
    struct state_restore from = {.subtasks = &image, .count = 1, .max_parallelism = 128, .operator = "bench"};
    struct state_table *table;
    struct mem mem;

    for (uint32_t i = 0; i < w->chunk_count; i++) parts[i] = (struct state_part){{w->chunks[i].data, w->chunks[i].size}};
    mem_init(&mem, "restored", 0);
    struct state_host h = host_make(w, &mem);
    h.restore = &from;
    int64_t start = sys_mono_ns(w->bench->sys);
    must(state_open(&h, &w->def, &table, &w->err), w);
    double ms = ms_since(w, start);
    bench_same("keys", (int64_t)state_count(table, 0), (int64_t)state_count(w->table, 0));
    state_close(table);
    state_host_release(&h);
    mem_release(&mem);
    mem_free(&w->mem, parts);
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
        checkpoint(w, 0);
        double all;
        uint64_t first = w->bytes;
        all = restore(w);
        for (uint32_t i = 1; i <= count; i++) checkpoint(w, i);
        worst(&b, "1 GiB, 5 % changed: a task stands still", "ms", w->stalls, count, 50);
        worst(&b, "1 GiB, 5 % changed: longest step of a save", "ms", w->steps, count, 5);
        worst(&b, "1 GiB, 5 % changed: checkpoint until synced", "ms", w->totals, count, 500);
        line(&b, "1 GiB, restored", "s", &all, 1, GOAL_AT_MOST, 2);
        double parts = restore(w);
        line(&b, "1 GiB, restored from 24 parts", "s", &parts, 1, GOAL_NONE, 0);
        double share = (double)(w->bytes - first) / count / (double)first;
        line(&b, "1 GiB, 5 % changed: bytes over all bytes", "-", &share, 1, GOAL_NONE, 0);
        world_close(w);
        mem_free(&b.mem, w);
    }
    return bench_end(&b);
}
