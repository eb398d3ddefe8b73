/* test_timer.c - timers against a naive model: a table of (time, key). Order, duplicates, deletions, the past, resuming,
 * giving back, extreme times, every form of key; buckets large enough to be split and resolved. */
#include "flow/state/timer.h"
#include "support/snapshots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TIMES = 300, KEYS = 50 };

struct world {
    struct keyed keyed;
    struct timers *timers;
    struct batch *in, *out;
    struct prng random;
    uint32_t cols[8], col_count;
    int64_t times[TIMES]; /* ascending */
    bool is_set[TIMES][KEYS];
    uint64_t hashes[BATCH_ROWS];
    int64_t due[BATCH_ROWS];
    struct state_def def;      /* of timers that move */
    struct state_table *table;
    struct apart apart;
    bool was_set[TIMES][KEYS]; /* the model when that began */
};

static int compare_int64(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* Times of all magnitudes, some close together, the extremes among them. */
static void times_make(struct world *w)
{
    for (uint32_t i = 0; i < TIMES; i++) {
        int64_t base = (int64_t)prng_below(&w->random, UINT64_C(1) << (1 + prng_below(&w->random, 60)));
        w->times[i] = prng_below(&w->random, 4) == 0 ? -base : i % 2 ? 1700000000000 + (int64_t)prng_below(&w->random, 100000) : base;
    }
    w->times[0] = INT64_MIN;
    w->times[1] = INT64_MAX;
    qsort(w->times, TIMES, sizeof *w->times, compare_int64);
    for (uint32_t i = 1; i + 1 < TIMES; i++) {
        if (w->times[i] <= w->times[i - 1]) w->times[i] = w->times[i - 1] + 1;
    }
}

static void world_open(struct world *w, const char *key, uint64_t seed)
{
    const struct type *type;

    memset(w, 0, sizeof *w);
    keyed_init(&w->keyed, "hashmap", 0, 128, 128);
    prng_init(&w->random, seed);
    times_make(w);
    type = keyed_type(&w->keyed, key);
    w->col_count = type->child_count;
    for (uint32_t k = 0; k < w->col_count; k++) w->cols[k] = k;
    w->in = batch_create(type, BATCH_ROWS, &w->keyed.mem);
    w->out = batch_create(type, BATCH_ROWS, &w->keyed.mem);
    assert_int_equal(timers_create(&w->keyed.host, "timers", type, &w->timers, &w->keyed.err), S_OK);
}

static void world_close(struct world *w)
{
    batch_free(w->in);
    batch_free(w->out);
    apart_drop(&w->apart);
    timers_free(w->timers);
    keyed_release(&w->keyed);
}

static uint32_t time_index(const struct world *w, int64_t time)
{
    const int64_t *at = bsearch(&time, w->times, TIMES, sizeof time, compare_int64);

    assert_non_null(at);
    return (uint32_t)(at - w->times);
}

/* Which key stands in a row of out. */
static uint32_t key_number(struct world *w, uint32_t row)
{
    for (uint32_t d = 0; d < KEYS; d++) {
        bool same = true;
        for (uint32_t k = 0; k < w->col_count && same; k++) {
            same = vector_compare(&w->out->cols[k], row, &w->in->cols[k], d) == 0;
        }
        if (same) return d;
    }
    fail_msg("an unknown key came out");
    return 0;
}

static void all_keys(struct world *w)
{
    batch_clear(w->in);
    for (uint32_t d = 0; d < KEYS; d++) keyed_key(w->in, w->cols, w->col_count, d, d);
    w->in->count = KEYS;
    batch_hash(w->in, w->cols, w->col_count, w->hashes);
}

/* n random (time index below bound, key) registered or deleted in one call. */
static void change_many(struct world *w, uint32_t n, bool deletes)
{
    int64_t times[BATCH_ROWS];
    struct state_keys keys;

    batch_clear(w->in);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t d = (uint32_t)prng_below(&w->random, KEYS), t = (uint32_t)prng_below(&w->random, TIMES);
        keyed_key(w->in, w->cols, w->col_count, i, d);
        times[i] = w->times[t];
        w->is_set[t][d] = !deletes;
    }
    w->in->count = n;
    batch_hash(w->in, w->cols, w->col_count, w->hashes);
    keys = state_keys_of(w->in, w->cols, w->col_count, w->hashes);
    assert_int_equal(deletes ? timers_delete(w->timers, &keys, times) : timers_register(w->timers, &keys, times), S_OK);
}

static void change_one(struct world *w, uint32_t t, uint32_t d, bool deletes)
{
    enum status st = deletes ? timers_delete_one(w->timers, w->in, w->cols, d, w->hashes[d], w->times[t])
                             : timers_register_one(w->timers, w->in, w->cols, d, w->hashes[d], w->times[t]);

    assert_int_equal(st, S_OK);
    w->is_set[t][d] = !deletes;
}

static uint32_t first_set(const struct world *w)
{
    for (uint32_t t = 0; t < TIMES; t++) {
        for (uint32_t d = 0; d < KEYS; d++) {
            if (w->is_set[t][d]) return t;
        }
    }
    return TIMES;
}

/* One batch of due timers: each is the earliest of the model; returns how many came. */
static uint32_t due_batch(struct world *w, uint32_t upto, enum status *st)
{
    uint32_t n, first;

    batch_clear(w->out);
    first = (uint32_t)prng_below(&w->random, 2) ? BATCH_ROWS - 1 - (uint32_t)prng_below(&w->random, 90) : 0;
    w->out->count = first;
    *st = timers_due(w->timers, w->times[upto], w->out, NULL, w->due, &n);
    assert_int_equal(w->out->count, first + n);
    all_keys(w);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t t = time_index(w, w->due[i]), d = key_number(w, first + i);
        assert_true(t <= upto);
        assert_int_equal(t, first_set(w));
        assert_true(w->is_set[t][d]);
        w->is_set[t][d] = false;
    }
    if (*st == S_OK) assert_true(first_set(w) > upto);
    else assert_int_equal(*st, S_MORE);
    return n;
}

/* As a per-row operator does: callbacks change timers; when that concerns the rest of the batch, it goes back. */
static void due_with_callbacks(struct world *w, uint32_t upto)
{
    uint32_t seen[BATCH_ROWS][2], n = 0, first;
    enum status st = S_MORE;

    while (st == S_MORE) {
        n = due_batch(w, upto, &st);
        first = w->out->count - n;
        for (uint32_t i = 0; i < n; i++) {
            seen[i][0] = time_index(w, w->due[i]);
            seen[i][1] = key_number(w, first + i);
        }
        for (uint32_t i = 0; i < n; i++) {
            bool gone[TIMES][KEYS] = {0};
            uint32_t t, d = (uint32_t)prng_below(&w->random, KEYS);
            bool deletes;
            if (prng_below(&w->random, 30)) continue;
            t = MIN(seen[i][0] + (uint32_t)prng_below(&w->random, 6), (uint32_t)TIMES - 1);
            deletes = prng_below(&w->random, 2);
            change_one(w, t, d, deletes);
            gone[t][d] = deletes;
            if (t < seen[n - 1][0]) assert_true(timers_disturbed(w->timers));
            if (t > seen[n - 1][0]) assert_false(timers_disturbed(w->timers));
            if (!timers_disturbed(w->timers)) continue;
            timers_give_back(w->timers, w->out, NULL, first + i + 1, w->due + i + 1, n - i - 1);
            for (uint32_t j = i + 1; j < n; j++) {
                if (!gone[seen[j][0]][seen[j][1]]) w->is_set[seen[j][0]][seen[j][1]] = true;
            }
            st = S_MORE;
            break;
        }
    }
}

static void next_check(struct world *w)
{
    uint32_t t = first_set(w);

    assert_true(timers_next(w->timers) <= (t < TIMES ? w->times[t] : INT64_MAX));
}

/* Saved, and begun anew with what was saved, by way of one, two or three subtasks. */
static void timers_reopen(void *world, struct state_host *h)
{
    struct world *w = world;

    if (timers_create(h, "timers", w->in->schema, &w->timers, &w->keyed.err) != S_OK) fail_msg("%s", w->keyed.err.text);
    if (w->def.name == NULL) return;
    if (state_open(h, &w->def, &w->table, &w->keyed.err) != S_OK) fail_msg("%s", w->keyed.err.text);
    const struct state_field *words = w->table->value.fields;
    assert_int_equal(timers_let_move(w->timers, w->table, words[0].offset, words[1].offset), S_OK);
}

static void timers_close(void *world)
{
    struct world *w = world;

    timers_free(w->timers);
    state_close(w->table);
    w->table = NULL;
}

static void restart(struct world *w)
{
    struct keyed_opener o = {timers_reopen, timers_close, w};

    apart_drop(&w->apart);
    keyed_restart(&w->keyed, &o, 1 + (uint32_t)prng_below(&w->random, 3), prng_below(&w->random, 2) ? 5000 : 1 << 24);
}

/* Saved while they are worked with, and back to what they were when that began. */
static void go_back(struct world *w)
{
    struct keyed_opener o = {timers_reopen, timers_close, w};

    if (w->apart.is_on && prng_below(&w->random, 3) > 0) {
        apart_end(&w->apart);
    } else if (w->apart.is_on) {
        apart_back(&w->apart, &w->keyed, &o, 1 + (uint32_t)prng_below(&w->random, 3));
        memcpy(w->is_set, w->was_set, sizeof w->is_set);
    } else {
        apart_begin(&w->apart, &w->keyed, prng_below(&w->random, 2) ? 5000 : 1 << 24);
        memcpy(w->was_set, w->is_set, sizeof w->is_set);
    }
}

static void run(const char *key, uint64_t seed, uint32_t steps)
{
    struct world *w = malloc(sizeof *w);
    uint32_t upto = 0;
    enum status st;

    world_open(w, key, seed);
    for (uint32_t step = 0; step < steps; step++) {
        uint32_t n = (uint32_t)prng_below(&w->random, BATCH_ROWS);
        if (step % 51 == 3) restart(w);
        if (step % 5 == 0) go_back(w);
        apart_step(&w->apart);
        if (step % 100 == 0) upto = 0; /* the model starts anew in the past: all of it is late then */
        switch (prng_below(&w->random, 6)) {
        case 0:
        case 1: change_many(w, n, false); break;
        case 2: change_many(w, n / 4, true); break;
        case 3:
            upto = MIN(upto + (uint32_t)prng_below(&w->random, 10), (uint32_t)TIMES - 1);
            do due_batch(w, upto, &st); while (st == S_MORE);
            break;
        case 4:
            upto = MIN(upto + (uint32_t)prng_below(&w->random, 10), (uint32_t)TIMES - 1);
            due_batch(w, upto, &st); /* not drained: the rest comes another time */
            break;
        default:
            upto = MIN(upto + (uint32_t)prng_below(&w->random, 10), (uint32_t)TIMES - 1);
            due_with_callbacks(w, upto);
            break;
        }
        next_check(w);
    }
    do due_batch(w, TIMES - 1, &st); while (st == S_MORE);
    assert_int_equal(first_set(w), TIMES);
    assert_int_equal(timers_count(w->timers), 0);
    assert_int_equal(timers_next(w->timers), INT64_MAX);
    world_close(w);
    free(w);
}

static void word_keys(void **state)
{
    (void)state;
    run("ROW<k BIGINT NOT NULL> NOT NULL", 1, 200);
    run("ROW<k BIGINT> NOT NULL", 2, 200);
    run("ROW<k INT> NOT NULL", 3, 100);
}

static void other_keys(void **state)
{
    (void)state;
    run("ROW<k STRING> NOT NULL", 4, 100);
    run("ROW<k DOUBLE> NOT NULL", 5, 100);
    run("ROW<a BIGINT, b STRING> NOT NULL", 6, 100);
    run("ROW<a BIGINT NOT NULL, b BIGINT NOT NULL> NOT NULL", 7, 100);
}

/* ---- many: buckets are split; the order is a function of the set */

enum { MANY = 300000 };

static void register_range(struct world *w, const uint64_t *items, uint32_t count, bool deletes)
{
    int64_t times[BATCH_ROWS];

    for (uint32_t i = 0; i < count; i += BATCH_ROWS) {
        uint32_t n = MIN(count - i, (uint32_t)BATCH_ROWS);
        struct state_keys keys;
        batch_clear(w->in);
        for (uint32_t k = 0; k < n; k++) {
            ((int64_t *)w->in->cols[0].data)[k] = (int64_t)(items[i + k] >> 32) - 1000;
            times[k] = (int64_t)(uint32_t)items[i + k];
        }
        w->in->count = n;
        batch_hash(w->in, w->cols, 1, w->hashes);
        keys = state_keys_of(w->in, w->cols, 1, w->hashes);
        assert_int_equal(deletes ? timers_delete(w->timers, &keys, times) : timers_register(w->timers, &keys, times), S_OK);
    }
}

static int compare_item(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    x = x << 32 | x >> 32; /* time first */
    y = y << 32 | y >> 32;
    return x < y ? -1 : x > y;
}

/* MANY items (key << 32 | time), the first half registered twice, a tenth deleted; all come out once, sorted. */
static void many(uint32_t time_bound, uint32_t key_bound)
{
    struct world *w = malloc(sizeof *w);
    uint64_t *items = calloc(MANY, sizeof *items), count = 0, at = 0;
    enum status st = S_MORE;

    world_open(w, "ROW<k BIGINT NOT NULL> NOT NULL", time_bound);
    for (uint32_t i = 0; i < MANY; i++) {
        items[i] = prng_below(&w->random, key_bound) << 32 | prng_below(&w->random, time_bound);
    }
    register_range(w, items, MANY, false);
    register_range(w, items, MANY / 2, false);
    register_range(w, items + MANY / 10 * 9, MANY / 10, true);
    qsort(items + MANY / 10 * 9, MANY / 10, sizeof *items, compare_item);
    for (uint32_t i = 0; i < MANY / 10 * 9; i++) {
        if (!bsearch(&items[i], items + MANY / 10 * 9, MANY / 10, sizeof *items, compare_item)) items[count++] = items[i];
    }
    qsort(items, count, sizeof *items, compare_item);
    for (uint32_t upto = 0; upto < time_bound + 100; upto += time_bound / 7 + 1) {
        for (st = S_MORE; st == S_MORE;) {
            uint32_t n;
            batch_clear(w->out);
            st = timers_due(w->timers, upto, w->out, NULL, w->due, &n);
            for (uint32_t i = 0; i < n; i++) {
                assert_true(at < count);
                assert_int_equal(w->due[i], (int64_t)(uint32_t)items[at]);
                assert_int_equal(((int64_t *)w->out->cols[0].data)[i], (int64_t)(items[at] >> 32) - 1000);
                for (uint64_t same = items[at]; at < count && items[at] == same;) at++;
            }
        }
        assert_true(at == count || (uint32_t)items[at] > upto);
    }
    assert_int_equal(at, count);
    assert_int_equal(timers_count(w->timers), 0);
    world_close(w);
    free(items);
    free(w);
}

static void many_spread(void **state)
{
    (void)state;
    many(3600000, 1000000);
    many(100000, 7);
}

static void many_at_once(void **state)
{
    (void)state;
    many(1, 1000000);
    many(3, 100);
    many(1, 1);
}

/* A timer that each row registers again does not pile up. */
static void duplicates_do_not_pile_up(void **state)
{
    struct world *w = malloc(sizeof *w);
    uint64_t *items = calloc(MANY, sizeof *items);

    (void)state;
    world_open(w, "ROW<k BIGINT NOT NULL> NOT NULL", 1);
    for (uint32_t i = 0; i < MANY; i++) items[i] = (uint64_t)(i % 5000) << 32 | 60000;
    for (uint32_t i = 0; i < 10; i++) register_range(w, items, MANY, false);
    assert_true(timers_count(w->timers) < 200000);
    world_close(w);
    free(items);
    free(w);
}

/* The most that one step of a snapshot of the host does with timers. */
static uint64_t save_steps(struct world *w)
{
    struct state_save *save;
    struct buf chunk;
    uint64_t before, most = 0;
    enum status st;

    buf_init(&chunk, &w->keyed.mem);
    assert_int_equal(state_save_create(&w->keyed.host, &save, &w->keyed.err), S_OK);
    do {
        before = timers_steps(w->timers);
        st = state_save_step(save, &chunk, 1 << 20, &w->keyed.err);
        most = MAX(most, timers_steps(w->timers) - before);
        if (chunk.size >= 1 << 20) buf_clear(&chunk);
    } while (st == S_MORE);
    assert_int_equal(st, S_OK);
    state_save_free(save);
    buf_release(&chunk);
    return most;
}

/* However many timers there are, registering a batch, taking or saving one makes a bounded piece of work. */
static void no_step_is_long(void **state)
{
    enum { TIMERS = 1 << 20, STEPS_AT_ONCE = 3 << 16 };
    struct world *w = malloc(sizeof *w);
    uint64_t *items = calloc(TIMERS, sizeof *items), before, most = 0, fired = 0;
    enum status st = S_MORE;

    (void)state;
    world_open(w, "ROW<k BIGINT NOT NULL> NOT NULL", 1);
    for (uint32_t i = 0; i < TIMERS; i++) items[i] = (uint64_t)(i % 7) << 32 | (i * UINT32_C(7919) % TIMERS);
    for (uint32_t i = 0; i < TIMERS; i += BATCH_ROWS) {
        before = timers_steps(w->timers);
        register_range(w, items + i, BATCH_ROWS, false);
        most = MAX(most, timers_steps(w->timers) - before);
    }
    assert_in_range(most, 1, STEPS_AT_ONCE);
    assert_in_range(save_steps(w), 1, STEPS_AT_ONCE);
    for (most = 0; st == S_MORE;) {
        uint32_t n;
        batch_clear(w->out);
        before = timers_steps(w->timers);
        st = timers_due(w->timers, TIMERS, w->out, NULL, w->due, &n);
        most = MAX(most, timers_steps(w->timers) - before);
        for (uint32_t i = 0; i < n; i++) assert_int_equal(w->due[i], fired++);
    }
    assert_int_equal(fired, TIMERS);
    assert_in_range(most, 1, STEPS_AT_ONCE);
    world_close(w);
    free(items);
    free(w);
}

/* Deletions of what never was lie before the first timer: whoever sleeps until the next one must not sleep for ever. */
static void deletions_of_nothing_hide_no_timer(void **state)
{
    struct world *w = malloc(sizeof *w);
    uint64_t first = UINT64_C(7) << 32 | 20, later = UINT64_C(7) << 32 | 5000,
             nothing[] = {UINT64_C(7) << 32 | 40, UINT64_C(8) << 32 | 300};
    uint32_t n;

    (void)state;
    world_open(w, "ROW<k BIGINT NOT NULL> NOT NULL", 1);
    register_range(w, &first, 1, false); /* once the heap has begun, near times and far ones lie apart */
    assert_int_equal(timers_due(w->timers, 30, w->out, w->cols, w->due, &n), S_OK);
    assert_int_equal(n, 1);
    register_range(w, nothing, 1, true);
    assert_int_equal(timers_next(w->timers), INT64_MAX);
    register_range(w, &later, 1, false);
    assert_int_equal(timers_next(w->timers), 5000);
    register_range(w, nothing, 2, true);
    assert_int_equal(timers_next(w->timers), 5000);
    register_range(w, &later, 1, true); /* too small is allowed for deleted ones, gone for ever is not */
    assert_true(timers_next(w->timers) >= 5000);
    world_close(w);
    free(w);
}

/* --- timers that move ------------------------------------------------------------------------------------------------- */
static const struct type *two_words(struct keyed *k) { return keyed_type(k, "ROW<lies BIGINT NOT NULL, due BIGINT NOT NULL>"); }

static int64_t *row_word(const struct state_table *t, void *row, uint32_t field)
{
    return state_word(row, t->value.fields[field].offset);
}

/* The model: a key's time, or INT64_MAX where it has no timer. */
static void move_some(struct world *w, struct state_table *t, int64_t after, int64_t *model)
{
    void *rows[KEYS];
    struct state_keys all = state_keys_of(w->in, w->cols, w->col_count, w->hashes);

    assert_int_equal(state_resolve(t, 0, &all, STATE_INSERT, rows, NULL), S_OK);
    for (uint32_t d = 0; d < KEYS; d++) {
        int64_t time = after + 1 + (int64_t)prng_below(&w->random, prng_below(&w->random, 8) ? 400 : 1000000);
        if (prng_below(&w->random, 3) == 0) continue;
        model[d] = time;
        if (timer_reaches(*row_word(t, rows[d], 0), time)) {
            *row_word(t, rows[d], 1) = time;
            continue;
        }
        uint64_t handle = state_handle(t, d);
        uint16_t sel = (uint16_t)d;
        struct state_keys one = all;
        one.count = 1;
        one.sel = &sel;
        one.hashes = &w->hashes[d];
        assert_int_equal(timers_put(w->timers, &one, &time, &rows[d], &handle), S_OK);
    }
    state_done(t);
}

/* Each once, in the order of times, at the times as they are now. */
static void take_moved(struct world *w, int64_t upto, int64_t *model)
{
    int64_t last = INT64_MIN;
    enum status st = S_MORE;
    uint32_t n;

    while (st == S_MORE) {
        batch_clear(w->out);
        w->out->capacity = 1 + (uint32_t)prng_below(&w->random, 20);
        st = timers_due(w->timers, upto, w->out, w->cols, w->due, &n);
        for (uint32_t i = 0; i < n; i++) {
            uint32_t d = key_number(w, i);
            assert_int_equal(w->due[i], model[d]);
            assert_true(w->due[i] >= last && w->due[i] <= upto);
            last = w->due[i];
            model[d] = INT64_MAX;
        }
    }
    assert_int_equal(st, S_OK);
    for (uint32_t d = 0; d < KEYS; d++) assert_true(model[d] > upto || upto == INT64_MAX);
}

static void moving(const char *key, uint64_t seed)
{
    struct world *w = malloc(sizeof *w);
    struct keyed_opener o = {timers_reopen, timers_close, w};
    int64_t model[KEYS], before[KEYS], now = 1000, was = 0;

    world_open(w, key, seed);
    w->def = (struct state_def){.name = "rows", .version = 1, .shape = STATE_MAP, .key = w->in->schema, .value = two_words(&w->keyed)};
    timers_free(w->timers);
    timers_reopen(w, &w->keyed.host);
    all_keys(w);
    for (uint32_t d = 0; d < KEYS; d++) model[d] = INT64_MAX;
    for (uint32_t step = 0; step < 300; step++) {
        if (step % 60 == 7) restart(w);
        if (step % 4 == 1 && w->apart.is_on && prng_below(&w->random, 3)) {
            apart_end(&w->apart);
        } else if (step % 4 == 3 && !w->apart.is_on) {
            apart_begin(&w->apart, &w->keyed, 2000);
            memcpy(before, model, sizeof model);
            was = now;
        } else if (step % 8 == 6 && w->apart.is_on) {
            apart_back(&w->apart, &w->keyed, &o, 1 + (uint32_t)prng_below(&w->random, 3));
            memcpy(model, before, sizeof model);
            now = was;
        } else if (prng_below(&w->random, 2)) {
            apart_step(&w->apart);
        }
        move_some(w, w->table, now, model);
        now += (int64_t)prng_below(&w->random, 200);
        take_moved(w, now, model);
    }
    take_moved(w, INT64_MAX, model);
    for (uint32_t d = 0; d < KEYS; d++) assert_int_equal(model[d], INT64_MAX);
    assert_int_equal(timers_count(w->timers), 0);
    apart_drop(&w->apart);
    state_close(w->table);
    w->out->capacity = BATCH_ROWS;
    world_close(w);
    free(w);
}

static void timers_that_move(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        moving("ROW<k BIGINT NOT NULL>", seed);
        moving("ROW<k BIGINT>", seed);
        moving("ROW<k STRING>", seed);
        moving("ROW<k INT, l STRING NOT NULL>", seed);
    }
}

/* Rows that went leave items behind, and their places are other keys' later. */
static void moving_timers_of_rows_that_went(void **state)
{
    struct world *w = malloc(sizeof *w);
    struct state_table *t;
    void *rows[KEYS];
    uint64_t handles[KEYS], gone[1] = {UINT64_MAX};
    int64_t times[KEYS];
    uint32_t n;

    (void)state;
    world_open(w, "ROW<k BIGINT NOT NULL>", 1);
    struct state_def def = {.name = "rows", .version = 1, .shape = STATE_MAP, .key = w->in->schema, .value = two_words(&w->keyed)};
    assert_int_equal(state_open(&w->keyed.host, &def, &t, &w->keyed.err), S_OK);
    assert_int_equal(timers_let_move(w->timers, t, t->value.fields[0].offset, t->value.fields[1].offset), S_OK);
    all_keys(w);
    struct state_keys some = state_keys_of(w->in, w->cols, w->col_count, w->hashes);
    for (uint32_t round = 0; round < 2; round++) {
        some.count = round == 0 ? KEYS : KEYS / 2;
        assert_int_equal(state_resolve(t, 0, &some, STATE_INSERT, rows, NULL), S_OK);
        for (uint32_t i = 0; i < some.count; i++) {
            handles[i] = state_handle(t, i);
            times[i] = round == 0 ? 100 : 200;
        }
        assert_int_equal(timers_put(w->timers, &some, times, rows, handles), S_OK);
        if (round == 0) state_remove(t, gone);
        state_done(t);
    }
    batch_clear(w->out);
    assert_int_equal(timers_due(w->timers, 150, w->out, w->cols, w->due, &n), S_OK);
    assert_int_equal(n, 0);
    assert_int_equal(timers_due(w->timers, 200, w->out, w->cols, w->due, &n), S_OK);
    assert_int_equal(n, KEYS / 2);
    assert_int_equal(timers_count(w->timers), 0);
    state_close(t);
    world_close(w);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(word_keys), cmocka_unit_test(other_keys), cmocka_unit_test(many_spread),
        cmocka_unit_test(many_at_once), cmocka_unit_test(duplicates_do_not_pile_up), cmocka_unit_test(no_step_is_long),
        cmocka_unit_test(deletions_of_nothing_hide_no_timer), cmocka_unit_test(timers_that_move),
        cmocka_unit_test(moving_timers_of_rows_that_went),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
