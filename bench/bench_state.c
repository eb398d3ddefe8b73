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
 * Memory is measured first, while the allocator holds nothing: it is what the process grew by. */
#include "bench.h"

#include "flow/state/sb.h"
#include "flow/state/timer.h"
#include "ground/base/hash.h"
#include "ground/base/prng.h"
#include "ground/base/str.h"

#include <stdlib.h>
#include <string.h>

enum { RUNS_MAX = BENCH_RUNS_MAX, RUNS_STATE = 5, GROUP = 32 };

struct keys {
    struct bench *bench;
    struct sys *sys;
    struct mem mem;
    struct arena arena;
    uint32_t key_count, update_count, runs;
    int64_t *keys;    /* all of them, shuffled */
    int64_t *updates; /* random ones */
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

static void hand_run(struct keys *b, struct series *insert, struct series *update)
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
    hand_add(slots, capacity - 1, b->updates, b->update_count);
    series_add(update, million_per_second(b->update_count, sys_mono_ns(b->sys) - start));
    mem_free(&b->mem, slots);
}

static void engine_run(struct keys *b, struct series *insert, struct series *update, struct series *bytes)
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
    engine_add(table, batch, b->updates, b->update_count, STATE_UPDATE);
    series_add(update, million_per_second(b->update_count, sys_mono_ns(b->sys) - start));
    state_close(table);
    state_host_release(&host);
    mem_release(&mem);
    batch_free(batch);
}

/* ---- timers */

static void timers_run(struct keys *b, uint64_t spread_ms, struct series *add, struct series *fire)
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
    if (timers_create(&host, "timers", row, &timers, &e) != S_OK) exit(1);
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

static void keys_make(struct keys *b)
{
    struct prng random;

    prng_init(&random, 7);
    b->keys = mem_pages(&b->mem, b->key_count * sizeof *b->keys);
    b->updates = mem_pages(&b->mem, b->update_count * sizeof *b->updates);
    for (uint32_t i = 0; i < b->key_count; i++) b->keys[i] = (int64_t)(mix64(i) >> 1) + 1;
    for (uint32_t i = 0; i < b->update_count; i++) b->updates[i] = b->keys[prng_below(&random, b->key_count)];
}

static void line(struct keys *b, const char *name, struct series *s, struct bench_case like)
{
    like.name = name;
    if (like.unit == NULL) like.unit = "M/s";
    bench_line(b->bench, &like, s->value, s->count);
}

/* Run by run, slowest with slowest: both series ascend. */
static struct series share_of(const double *engine, const double *hand, uint32_t count)
{
    struct series share = {0};

    for (uint32_t i = 0; i < count; i++) series_add(&share, engine[i] / hand[i]);
    return share;
}

static void run_all(struct keys *b)
{
    struct series hand_insert = {0}, hand_update = {0}, insert = {0}, update = {0}, bytes = {0}, warm = {0}, share;
    struct series add[2], fire[2];
    const struct bench_case printed = {.goal_kind = GOAL_NONE};
    const struct bench_case five = {.goal_kind = GOAL_AT_LEAST, .goal = 5, .scales = true};

    memset(add, 0, sizeof add);
    memset(fire, 0, sizeof fire);
    engine_run(b, &warm, &warm, &bytes); /* memory first: the allocator holds nothing yet */
    for (uint32_t run = 0; run < b->runs; run++) {
        hand_run(b, &hand_insert, &hand_update);
        engine_run(b, &insert, &update, NULL);
        timers_run(b, 3600000, &add[0], &fire[0]);
        timers_run(b, 1, &add[1], &fire[1]);
    }
    share = share_of(update.value, hand_update.value, b->runs);
    line(b, "bytes per key, 10 M bigint -> bigint", &bytes,
         (struct bench_case){.unit = "bytes", .goal_kind = GOAL_AT_MOST, .goal = 32});
    line(b, "timers of an hour, registered", &add[0], five);
    line(b, "timers of an hour, fired in order", &fire[0], five);
    line(b, "timers of an instant, registered", &add[1], five);
    line(b, "timers of an instant, fired in order", &fire[1], five);
    line(b, "10 M keys: insert", &insert, printed);
    line(b, "10 M keys: insert by hand", &hand_insert, printed);
    line(b, "10 M keys: update", &update, printed);
    line(b, "10 M keys: update by hand", &hand_update, printed);
    line(b, "10 M keys: update over by hand", &share, (struct bench_case){.unit = "share"});
}

int main(int argc, char **argv)
{
    struct bench bench;

    bench_start(&bench, argc, argv, "state");
    struct keys b = {.bench = &bench,
                     .sys = bench.sys,
                     .key_count = (uint32_t)bench_size(&bench, 10000000, 20000),
                     .update_count = (uint32_t)bench_size(&bench, 1 << 24, 20000),
                     .runs = bench.is_smoke ? 1 : bench.runs > 0 ? bench.runs : RUNS_STATE};
    mem_init(&b.mem, "state", 0);
    arena_init(&b.arena, &b.mem, 0);
    keys_make(&b);
    run_all(&b);
    arena_release(&b.arena);
    mem_release(&b.mem);
    return bench_end(&bench);
}
