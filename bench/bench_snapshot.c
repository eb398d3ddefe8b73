/* bench_snapshot.c - the state of a host as chunks and back: million rows per second of plain rows (bigint -> bigint, random keys) and
 * of a LOG as a join keeps it (two rows a key, with a string of some 20 bytes).
 *
 * A run saves into chunks of 16 MiB, and begins a host with them; what is restored has as many keys. Chunks are in memory: files are not
 * measured here. */
#include "bench.h"

#include "flow/state/sb.h"
#include "flow/state/snapshot.h"
#include "ground/base/prng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 16 << 20, CHUNKS_MAX = 64 };

struct saved {
    struct bench *bench;
    struct mem mem;
    struct state_def def;
    struct state_host host;
    struct state_table *table;
    struct err err;
    uint64_t rows;
    struct buf chunks[CHUNKS_MAX];
    struct state_part parts[CHUNKS_MAX];
    uint32_t chunk_count;
};

static struct state_host host_make(struct saved *s, struct mem *mem)
{
    struct state_host h = {.backend = &sb_hashmap, .mem = mem, .group_count = 128, .max_parallelism = 128, .err = &s->err};

    state_host_init(&h);
    return h;
}

static void must(enum status st, const struct saved *s)
{
    if (st != S_OK) bench_fail("%s: %s", status_text(st), s->err.text);
}

/* keys[i] for row i of a batch from `first` on; the value is a number, and perhaps a string. */
static void batch_fill(struct batch *keys, struct batch *values, uint64_t first, uint32_t n)
{
    batch_clear(values);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t row = first + i;
        char text[40];
        VECTOR_VALUES(&keys->cols[0], int64_t)[i] = (int64_t)(mix64(values->col_count > 1 ? row / 2 : row) >> 1);
        VECTOR_VALUES(&values->cols[0], int64_t)[i] = (int64_t)row;
        if (values->col_count == 1) continue;
        int size = snprintf(text, sizeof text, "the name is %lu", (unsigned long)(mix64(row) % 100000000));
        VECTOR_VALUES(&values->cols[1], struct text)[i] = text_put(&values->heap, text, (size_t)size);
    }
    keys->count = values->count = n;
}

static void table_fill(struct saved *s)
{
    static const uint32_t col = 0;
    struct batch *keys = batch_create(s->def.key, BATCH_ROWS, &s->mem), *values = batch_create(s->def.value, BATCH_ROWS, &s->mem);
    struct state_probe probe;
    uint64_t hashes[BATCH_ROWS];
    void *rows[BATCH_ROWS];

    must(state_probe_init(&probe, s->def.value, &s->mem, &s->err), s);
    for (uint64_t at = 0; at < s->rows; at += BATCH_ROWS) {
        uint32_t n = (uint32_t)MIN(s->rows - at, (uint64_t)BATCH_ROWS);
        batch_fill(keys, values, at, n);
        batch_hash(keys, &col, 1, hashes);
        struct state_keys k = state_keys_of(keys, &col, 1, hashes);
        must(state_resolve(s->table, 0, &k, STATE_INSERT, rows, NULL), s);
        if (s->def.shape == STATE_MAP) {
            state_rows_store(s->table, 0, rows, n, 0, &values->cols[0], NULL);
        } else {
            state_probe_fill(&probe, values, NULL, NULL, n);
            must(state_log_append(s->table, 0, rows, &probe, NULL, NULL), s);
        }
        state_done(s->table);
    }
    state_probe_release(&probe);
    batch_free(keys);
    batch_free(values);
}

static void saved_open(struct saved *s, struct bench *b, enum state_shape shape, const char *value)
{
    const struct type *key, *row;

    memset(s, 0, sizeof *s);
    s->bench = b;
    s->rows = bench_size(b, 2000000, 10000);
    mem_init(&s->mem, "saved", 0);
    must(type_parse(&b->arena, (struct str){"ROW<k BIGINT NOT NULL> NOT NULL", 31}, &key, &s->err), s);
    must(type_parse(&b->arena, (struct str){value, strlen(value)}, &row, &s->err), s);
    s->def = (struct state_def){.name = "rows", .shape = (uint8_t)shape, .key = key, .value = row};
    s->host = host_make(s, &s->mem);
    must(state_open(&s->host, &s->def, &s->table, &s->err), s);
    table_fill(s);
    for (uint32_t i = 0; i < CHUNKS_MAX; i++) buf_init(&s->chunks[i], &s->mem);
}

static void saved_close(struct saved *s)
{
    for (uint32_t i = 0; i < CHUNKS_MAX; i++) buf_release(&s->chunks[i]);
    state_close(s->table);
    state_host_release(&s->host);
    mem_release(&s->mem);
}

static double save(struct bench *b, void *arg)
{
    struct saved *s = arg;
    struct state_save *save;
    enum status st;
    int64_t start = sys_mono_ns(b->sys);

    s->chunk_count = 0;
    for (uint32_t i = 0; i < CHUNKS_MAX; i++) buf_clear(&s->chunks[i]);
    must(state_save_create(&s->host, &save, &s->err), s);
    do {
        struct buf *chunk = &s->chunks[s->chunk_count];
        st = state_save_step(save, chunk, CHUNK, &s->err);
        if (st == S_OK || chunk->size >= CHUNK) s->parts[s->chunk_count++] = (struct state_part){{chunk->data, chunk->size}};
    } while (st == S_MORE && s->chunk_count < CHUNKS_MAX);
    must(st, s);
    state_save_free(save);
    return bench_rate(s->rows, (double)(sys_mono_ns(b->sys) - start) / 1e9);
}

static double restore(struct bench *b, void *arg)
{
    struct saved *s = arg;
    struct state_image image;
    struct state_restore from = {.subtasks = &image, .count = 1, .max_parallelism = 128, .operator = "bench"};
    struct state_table *table;
    struct mem mem;

    if (s->chunk_count == 0) (void)save(b, s);
    image = (struct state_image){s->parts, s->chunk_count};
    mem_init(&mem, "restored", 0);
    struct state_host h = host_make(s, &mem);
    h.restore = &from;
    int64_t start = sys_mono_ns(b->sys);
    must(state_open(&h, &s->def, &table, &s->err), s);
    double seconds = (double)(sys_mono_ns(b->sys) - start) / 1e9;
    bench_same("keys", (int64_t)state_count(table, 0), (int64_t)state_count(s->table, 0));
    state_close(table);
    state_host_release(&h);
    mem_release(&mem);
    return bench_rate(s->rows, seconds);
}

static void run(struct bench *b, const char *names[2], enum state_shape shape, const char *value)
{
    struct saved *s;
    struct bench_case c = {.unit = "M rows/s", .engine = save, .goal_kind = GOAL_AT_LEAST, .goal = shape == STATE_MAP ? 10 : 4, .scales = true};

    if (!bench_wants(b, names[0]) && !bench_wants(b, names[1])) return;
    s = mem_alloc(&b->mem, sizeof *s);
    saved_open(s, b, shape, value);
    c.arg = s;
    c.name = names[0];
    bench_run(b, &c);
    c.name = names[1];
    c.engine = restore;
    bench_run(b, &c);
    if (b->is_smoke || b->runs == 1) {
        size_t bytes = 0;
        for (uint32_t i = 0; i < s->chunk_count; i++) bytes += s->parts[i].bytes.size;
        printf("  %s: %.1f bytes a row\n", names[0], (double)bytes / (double)s->rows);
    }
    saved_close(s);
    mem_free(&b->mem, s);
}

int main(int argc, char **argv)
{
    struct bench b;

    bench_start(&b, argc, argv, "snapshot");
    run(&b, (const char *[2]){"bigint -> bigint, saved", "bigint -> bigint, restored"}, STATE_MAP, "ROW<v BIGINT NOT NULL> NOT NULL");
    run(&b, (const char *[2]){"rows of a join, saved", "rows of a join, restored"}, STATE_LOG, "ROW<v BIGINT NOT NULL, s STRING NOT NULL> NOT NULL");
    return bench_end(&b);
}
