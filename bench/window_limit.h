/* window_limit.h - a tumbling count by hand: one open-addressing table of 16-byte slots, made for the number of keys and
 * half full at most, its pages touched before the clock runs; hashes of 32 keys are computed and their slots prefetched
 * before they are counted. At the end of a window the table is walked: keys and counts go to columns of a batch, and it is
 * cleared. It knows no disorder, no late rows, no growth, no other key than 64 bits. */
#pragma once
#include "ground/base/hash.h"
#include "keyed_rows.h"

struct limit_slot {
    int64_t key, count; /* key + 1; 0 = free */
};

struct window_limit {
    struct limit_slot *slots;
    uint64_t mask, used, emitted, sum;
    int64_t out_keys[BATCH_ROWS], out_counts[BATCH_ROWS];
};

enum { LIMIT_AHEAD = 32 };

static inline void window_limit_create(struct window_limit *w, uint64_t keys, struct mem *mem)
{
    uint64_t capacity = 64;

    while (capacity < 2 * keys) capacity *= 2;
    memset(w, 0, sizeof *w);
    w->slots = mem_pages(mem, capacity * sizeof *w->slots);
    memset(w->slots, 0, capacity * sizeof *w->slots);
    w->mask = capacity - 1;
}

/* n <= LIMIT_AHEAD keys. */
static inline void window_limit_add(struct window_limit *w, const int64_t *keys, uint32_t n)
{
    uint64_t at[LIMIT_AHEAD];

    for (uint32_t i = 0; i < n; i++) {
        at[i] = hash64_u64((uint64_t)keys[i]) & w->mask;
        __builtin_prefetch(&w->slots[at[i]], 1);
    }
    for (uint32_t i = 0; i < n; i++) {
        struct limit_slot *s = &w->slots[at[i]];
        while (s->key != keys[i] + 1 && s->key != 0) s = &w->slots[at[i] = (at[i] + 1) & w->mask];
        s->key = keys[i] + 1;
        s->count++;
    }
}

static inline void window_limit_out(struct window_limit *w, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) w->sum += (uint64_t)(w->out_keys[i] ^ w->out_counts[i]);
    w->emitted += n;
}

static inline void window_limit_fire(struct window_limit *w)
{
    uint32_t n = 0;

    for (uint64_t i = 0; i <= w->mask; i++) {
        if (w->slots[i].key == 0) continue;
        w->out_keys[n] = w->slots[i].key - 1;
        w->out_counts[n++] = w->slots[i].count;
        w->slots[i] = (struct limit_slot){0};
        if (n < BATCH_ROWS) continue;
        window_limit_out(w, n);
        n = 0;
    }
    window_limit_out(w, n);
}

/* Counts rows [0, k->rows) per key and window of window_ms; answers how many rows came out. */
static inline uint64_t window_limit_count(struct window_limit *w, const struct keyed_rows *k, int64_t window_ms)
{
    struct keyed_row rows[LIMIT_AHEAD];
    int64_t keys[LIMIT_AHEAD], end = window_ms;
    struct keyed_cursor c;
    uint32_t n;

    keyed_rows_start(&c, k, 0, 1);
    while ((n = keyed_rows_next(&c, k, k->rows_per_ms, rows, LIMIT_AHEAD)) > 0) {
        uint32_t first = 0;
        for (uint32_t i = 0; i < n; i++) {
            keys[i] = rows[i].key;
            if (rows[i].time < end) continue;
            window_limit_add(w, keys + first, i - first);
            window_limit_fire(w);
            end += window_ms;
            first = i;
        }
        window_limit_add(w, keys + first, n - first);
    }
    window_limit_fire(w);
    return w->emitted;
}
