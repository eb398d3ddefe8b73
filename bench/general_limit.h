/* general_limit.h - sessions and count windows by hand, for the benchmarks of the general window engine: one open-addressing
 * table of a slot per key, made for the number of keys and half full at most, its pages touched before the clock runs;
 * slots of 32 rows are prefetched before they are used. Rows come in order of time, so a session is over when its key's
 * next row is too far away; a walk over the table, once per gap, finds those that nothing follows. No disorder, no late
 * rows, no merging, no growth, no other key than 64 bits.
 *
 * The job is that of the engine, so that the ratio means something: the same rows made in the loop, the same hash, rows
 * of results as columns of a batch (window_limit.h does so too), and for sliding counts what the function can do: it adds,
 * it neither subtracts nor merges, so each firing adds up the latest `size` values anew. */
#pragma once
#include "ground/base/hash.h"
#include "keyed_rows.h"

struct general_slot {
    int64_t key, count, sum, last; /* key + 1; 0 = free. last: time of the session's last row */
};

struct general_limit {
    struct general_slot *slots;
    int64_t *rings; /* sliding counts: the latest `size` values per slot */
    uint64_t mask, emitted, check;
    uint32_t out_count;
    int64_t out_keys[BATCH_ROWS], out_values[BATCH_ROWS];
};

enum { GENERAL_AHEAD = 32 };

static inline void general_limit_create(struct general_limit *g, uint64_t keys, int64_t ring_size, struct mem *mem)
{
    uint64_t capacity = 64;

    while (capacity < 2 * keys) capacity *= 2;
    *g = (struct general_limit){.mask = capacity - 1};
    g->slots = mem_pages(mem, capacity * sizeof *g->slots);
    memset(g->slots, 0, capacity * sizeof *g->slots);
    if (ring_size == 0) return;
    g->rings = mem_pages(mem, capacity * (uint64_t)ring_size * sizeof *g->rings);
    memset(g->rings, 0, capacity * (uint64_t)ring_size * sizeof *g->rings);
}

static inline void general_limit_release(struct general_limit *g, struct mem *mem)
{
    mem_free(mem, g->slots);
    mem_free(mem, g->rings);
}

/* What a row that comes out adds to the check, in whatever order they come. */
static inline uint64_t general_check(int64_t key, int64_t value)
{
    return mix64((uint64_t)key) * (uint64_t)(value + 1);
}

static inline void general_flush(struct general_limit *g)
{
    for (uint32_t i = 0; i < g->out_count; i++) g->check += general_check(g->out_keys[i], g->out_values[i]);
    g->emitted += g->out_count;
    g->out_count = 0;
}

static inline void general_emit(struct general_limit *g, const struct general_slot *s, int64_t value)
{
    g->out_keys[g->out_count] = s->key - 1;
    g->out_values[g->out_count++] = value;
    if (g->out_count == BATCH_ROWS) general_flush(g);
}

/* The slots of n <= GENERAL_AHEAD rows. */
static inline void general_find(struct general_limit *g, const struct keyed_row *rows, uint32_t n,
                                struct general_slot **out)
{
    uint64_t at[GENERAL_AHEAD];

    for (uint32_t i = 0; i < n; i++) {
        at[i] = hash64_u64((uint64_t)rows[i].key) & g->mask;
        __builtin_prefetch(&g->slots[at[i]], 1);
    }
    for (uint32_t i = 0; i < n; i++) {
        struct general_slot *s = &g->slots[at[i]];
        while (s->key != rows[i].key + 1 && s->key != 0) s = &g->slots[at[i] = (at[i] + 1) & g->mask];
        s->key = rows[i].key + 1;
        out[i] = s;
    }
}

static inline void session_close(struct general_limit *g, struct general_slot *s)
{
    general_emit(g, s, s->count);
    s->count = 0;
}

static inline void session_sweep(struct general_limit *g, int64_t before)
{
    for (uint64_t i = 0; i <= g->mask; i++)
        if (g->slots[i].count > 0 && g->slots[i].last < before) session_close(g, &g->slots[i]);
}

/* count(*) per session. */
static inline void general_sessions(struct general_limit *g, const struct keyed_rows *k, int64_t gap_ms)
{
    struct keyed_row rows[GENERAL_AHEAD];
    struct general_slot *slots[GENERAL_AHEAD];
    struct keyed_cursor c;
    int64_t swept = 0;
    uint32_t n;

    keyed_rows_start(&c, k, 0, 1);
    while ((n = keyed_rows_next(&c, k, k->rows_per_ms, rows, GENERAL_AHEAD)) > 0) {
        general_find(g, rows, n, slots);
        for (uint32_t i = 0; i < n; i++) {
            struct general_slot *s = slots[i];
            if (s->count > 0 && rows[i].time > s->last + gap_ms) session_close(g, s);
            s->count++;
            s->last = rows[i].time;
        }
        if (rows[n - 1].time < swept + gap_ms) continue;
        swept = rows[n - 1].time;
        session_sweep(g, swept - gap_ms);
    }
    session_sweep(g, INT64_MAX);
    general_flush(g);
}

/* sum(value) of each `size` rows of a key. */
static inline void general_counts(struct general_limit *g, const struct keyed_rows *k, int64_t size)
{
    struct keyed_row rows[GENERAL_AHEAD];
    struct general_slot *slots[GENERAL_AHEAD];
    struct keyed_cursor c;
    uint32_t n;

    keyed_rows_start(&c, k, 0, 1);
    while ((n = keyed_rows_next(&c, k, k->rows_per_ms, rows, GENERAL_AHEAD)) > 0) {
        general_find(g, rows, n, slots);
        for (uint32_t i = 0; i < n; i++) {
            struct general_slot *s = slots[i];
            s->sum += rows[i].value;
            if (++s->count < size) continue;
            general_emit(g, s, s->sum);
            s->count = s->sum = 0;
        }
    }
    general_flush(g);
}

static inline int64_t ring_sum(const int64_t *ring, int64_t size) /* places not yet filled are 0 */
{
    int64_t sum = 0;

    for (int64_t i = 0; i < size; i++) sum += ring[i];
    return sum;
}

/* After each `slide` rows of a key, the sum(value) of its latest `size`. */
static inline void general_sliding_counts(struct general_limit *g, const struct keyed_rows *k, int64_t size,
                                          int64_t slide)
{
    struct keyed_row rows[GENERAL_AHEAD];
    struct general_slot *slots[GENERAL_AHEAD];
    struct keyed_cursor c;
    uint32_t n;

    keyed_rows_start(&c, k, 0, 1);
    while ((n = keyed_rows_next(&c, k, k->rows_per_ms, rows, GENERAL_AHEAD)) > 0) {
        general_find(g, rows, n, slots);
        for (uint32_t i = 0; i < n; i++) {
            struct general_slot *s = slots[i];
            int64_t *ring = &g->rings[(s - g->slots) * size];
            ring[s->count++ % size] = rows[i].value;
            if (s->count % slide == 0) general_emit(g, s, ring_sum(ring, size));
        }
    }
    general_flush(g);
}
