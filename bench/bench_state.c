/* bench_state.c - keyed state against a hand-written table, in the same run: bytes per key, inserts and random updates of
 * (bigint -> bigint) pairs.
 *
 * The limit is an open-addressing table of 16-byte slots, half full, written for this one task: hashes of 32 keys are
 * computed, their slots prefetched, then probed. The engine does the same work through its contract: a batch with a key
 * column, canonical hashes, state_resolve, an update of every row, state_done.
 *
 * Timers: as many are registered in batches, at random within an hour, and then fired in order as the watermark moves in
 * steps of 10 s; the same with one single instant for all.
 *
 *   bench_state [million keys] [repetitions]      default 10 and 5 */
#include "flow/state/sb.h"
#include "flow/state/timer.h"
#include "ground/base/hash.h"
#include "ground/base/prng.h"
#include "ground/base/str.h"
#include "ground/sys/sys.h"

#include <stdio.h>
#include <stdlib.h>

enum { RUNS_MAX = 15, GROUP = 32, UPDATES = 1 << 24 };

struct bench {
    struct sys *sys;
    struct mem mem;
    struct arena arena;
    uint32_t key_count, runs;
    int64_t *keys;    /* all of them, shuffled */
    int64_t *updates; /* UPDATES random ones */
};

struct series {
    double value[RUNS_MAX];
    uint32_t count;
};

static void series_add(struct series *s, double v)
{
    uint32_t at = s->count++;

    for (; at > 0 && s->value[at - 1] > v; at--) s->value[at] = s->value[at - 1];
    s->value[at] = v;
}

static void line(const char *what, const struct series *s, const char *unit)
{
    printf("  %-34s %10.2f %10.2f %10.2f  %s\n", what, s->value[0], s->value[s->count / 2], s->value[s->count - 1],
           unit);
    fflush(stdout);
}

static double million_per_second(uint64_t n, int64_t ns) { return (double)n * 1e3 / (double)ns; }

/* ---- the hand-written table */

struct slot {
    int64_t key, value; /* key 0 = free; keys here are from 1 on */
};

static struct slot *hand_find(struct slot *slots, uint64_t mask, int64_t key, uint64_t hash)
{
    for (uint64_t at = hash & mask;; at = (at + 1) & mask) {
        if (slots[at].key == key || slots[at].key == 0) return &slots[at];
    }
}

static void hand_add(struct slot *slots, uint64_t mask, const int64_t *keys, uint64_t n)
{
    uint64_t hashes[GROUP];

    for (uint64_t i = 0; i < n; i += GROUP) {
        uint64_t count = MIN(n - i, (uint64_t)GROUP);
        for (uint64_t k = 0; k < count; k++) {
            hashes[k] = hash64_u64((uint64_t)keys[i + k]);
            __builtin_prefetch(&slots[hashes[k] & mask], 1);
        }
        for (uint64_t k = 0; k < count; k++) {
            struct slot *s = hand_find(slots, mask, keys[i + k], hashes[k]);
            s->key = keys[i + k];
            s->value += 1;
        }
    }
}

/* ---- the engine */

static void engine_add(struct state_table *t, struct batch *b, const int64_t *keys, uint64_t n,
                       enum state_intent intent)
{
    static const uint32_t cols[1] = {0};
    uint64_t hashes[BATCH_ROWS];
    void *rows[BATCH_ROWS];

    for (uint64_t i = 0; i < n; i += BATCH_ROWS) {
        uint32_t count = (uint32_t)MIN(n - i, (uint64_t)BATCH_ROWS);
        struct state_keys k;
        memcpy(b->cols[0].data, keys + i, count * sizeof *keys);
        b->count = count;
        batch_hash(b, cols, 1, hashes);
        k = state_keys_of(b, cols, 1, hashes);
        if (state_resolve(t, 0, &k, intent, rows, NULL) != S_OK) exit(1);
        for (uint32_t r = 0; r < count; r++) *(int64_t *)rows[r] += 1;
        state_done(t);
    }
}

static void hand_run(struct bench *b, struct series *insert, struct series *update)
{
    uint64_t capacity = 1;
    struct slot *slots;
    int64_t start;

    while (capacity < (uint64_t)b->key_count * 2) capacity *= 2;
    slots = mem_pages(&b->mem, capacity * sizeof *slots);
    memset(slots, 0, capacity * sizeof *slots); /* pages are touched before the clock runs */
    start = sys_mono_ns(b->sys);
    hand_add(slots, capacity - 1, b->keys, b->key_count);
    series_add(insert, million_per_second(b->key_count, sys_mono_ns(b->sys) - start));
    start = sys_mono_ns(b->sys);
    hand_add(slots, capacity - 1, b->updates, UPDATES);
    series_add(update, million_per_second(UPDATES, sys_mono_ns(b->sys) - start));
    mem_free(&b->mem, slots);
}

static void engine_run(struct bench *b, struct series *insert, struct series *update, struct series *bytes)
{
    const char *const names[1] = {"k"};
    const struct type *big = type_new(&b->arena, T_BIGINT, 0, 0, false), *fields[1] = {big};
    const struct type *row = type_row(&b->arena, 1, names, fields, false);
    struct mem mem;
    struct state_def def = {.name = "bench", .shape = STATE_MAP, .key = row, .value = row};
    struct state_host host = {.backend = &sb_hashmap, .mem = &mem, .group_count = 128, .max_parallelism = 128};
    struct state_table *table;
    struct batch *batch = batch_create(row, BATCH_ROWS, &b->mem);
    int64_t start, resident = sys_resident_bytes(b->sys);
    struct err e = {0};

    mem_init(&mem, "state", 0);
    state_host_init(&host);
    if (state_open(&host, &def, &table, &e) != S_OK) exit(1);
    start = sys_mono_ns(b->sys);
    engine_add(table, batch, b->keys, b->key_count, STATE_INSERT);
    series_add(insert, million_per_second(b->key_count, sys_mono_ns(b->sys) - start));
    if (bytes) series_add(bytes, (double)(sys_resident_bytes(b->sys) - resident) / b->key_count);
    start = sys_mono_ns(b->sys);
    engine_add(table, batch, b->updates, UPDATES, STATE_UPDATE);
    series_add(update, million_per_second(UPDATES, sys_mono_ns(b->sys) - start));
    state_close(table);
    state_host_release(&host);
    mem_release(&mem);
    batch_free(batch);
}

/* ---- timers */

static void timers_run(struct bench *b, uint64_t spread_ms, struct series *add, struct series *fire)
{
    static const uint32_t cols[1] = {0};
    const char *const names[1] = {"k"};
    const struct type *big = type_new(&b->arena, T_BIGINT, 0, 0, false), *fields[1] = {big};
    const struct type *row = type_row(&b->arena, 1, names, fields, false);
    struct mem mem;
    struct state_host host = {.backend = &sb_hashmap, .mem = &mem, .group_count = 128, .max_parallelism = 128};
    struct batch *batch = batch_create(row, BATCH_ROWS, &b->mem);
    struct timers *timers;
    int64_t times[BATCH_ROWS], start;
    uint64_t fired = 0;
    uint32_t n;
    struct err e = {0};

    mem_init(&mem, "timers", 0);
    state_host_init(&host);
    if (timers_create(&host, row, &timers, &e) != S_OK) exit(1);
    start = sys_mono_ns(b->sys);
    for (uint32_t i = 0; i < b->key_count; i += BATCH_ROWS) {
        struct state_keys k = {
            .batch = batch, .cols = cols, .col_count = 1, .count = MIN(b->key_count - i, (uint32_t)BATCH_ROWS)};
        memcpy(batch->cols[0].data, b->keys + i, k.count * sizeof *b->keys);
        for (uint32_t r = 0; r < k.count; r++) {
            times[r] = 1700000000000 + (int64_t)((mix64(i + r) >> 32) * spread_ms >> 32);
        }
        if (timers_register(timers, &k, times) != S_OK) exit(1);
    }
    series_add(add, million_per_second(b->key_count, sys_mono_ns(b->sys) - start));
    start = sys_mono_ns(b->sys);
    for (int64_t upto = 1700000000000; fired < b->key_count; upto += 10000) {
        for (enum status st = S_MORE; st == S_MORE; fired += n) {
            batch_clear(batch);
            st = timers_due(timers, upto, batch, NULL, times, &n);
        }
    }
    series_add(fire, million_per_second(fired, sys_mono_ns(b->sys) - start));
    timers_free(timers);
    state_host_release(&host);
    mem_release(&mem);
    batch_free(batch);
}

static void keys_make(struct bench *b)
{
    struct prng random;

    prng_init(&random, 7);
    b->keys = mem_pages(&b->mem, b->key_count * sizeof *b->keys);
    b->updates = mem_pages(&b->mem, UPDATES * sizeof *b->updates);
    for (uint32_t i = 0; i < b->key_count; i++) b->keys[i] = (int64_t)(mix64(i) >> 1) + 1;
    for (uint32_t i = 0; i < UPDATES; i++) b->updates[i] = b->keys[prng_below(&random, b->key_count)];
}

int main(int argc, char **argv)
{
    struct bench b = {.sys = sys_linux_create_quiet()};
    struct series hand_insert = {0}, hand_update = {0}, insert = {0}, update = {0}, bytes = {0}, warm = {0},
                  add[2] = {0}, fire[2] = {0}, share = {0};

    mem_init(&b.mem, "bench", 0);
    arena_init(&b.arena, &b.mem, 0);
    b.key_count = (uint32_t)((argc > 1 ? strtod(argv[1], NULL) : 10) * 1e6);
    b.runs = argc > 2 ? (uint32_t)MIN(atoi(argv[2]), RUNS_MAX) : 5;
    keys_make(&b);
    printf("state: %8u keys, one core %18s %10s %10s\n", b.key_count, "min", "median", "max");
    engine_run(&b, &warm, &warm, &bytes); /* memory first: the allocator holds nothing yet */
    for (uint32_t run = 0; run < b.runs; run++) {
        hand_run(&b, &hand_insert, &hand_update);
        engine_run(&b, &insert, &update, NULL);
        timers_run(&b, 3600000, &add[0], &fire[0]);
        timers_run(&b, 1, &add[1], &fire[1]);
    }
    series_add(&share, update.value[b.runs / 2] / hand_update.value[b.runs / 2]);
    line("hand-written insert", &hand_insert, "M/s");
    line("insert", &insert, "M/s");
    line("hand-written update", &hand_update, "M/s");
    line("update", &update, "M/s");
    line("update, share of hand-written", &share, "");
    line("timers of an hour, registered", &add[0], "M/s");
    line("timers of an hour, fired", &fire[0], "M/s");
    line("timers of an instant, registered", &add[1], "M/s");
    line("timers of an instant, fired", &fire[1], "M/s");
    line("memory", &bytes, "resident bytes per key");
    arena_release(&b.arena);
    mem_release(&b.mem);
    sys_linux_free(b.sys);
    return 0;
}
