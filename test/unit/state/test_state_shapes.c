/* test_state_shapes.c - LOG, PACKED, PLACES, MULTISET, MAP with a map key and ORDERED against naive models: arrays of rows per key. Few keys
 * with many rows and many with few: chunks, hash tables, leaves and directories are crossed; removal and return, compaction, ranges, ... */
#include "flow/state/shape.h"
#include "support/snapshots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* What may answer S_PENDING is asked again. */
#define AGAIN(call)                                                                                                    \
    (__extension__({                                                                                                   \
        enum status again_ = (call);                                                                                   \
        if (again_ == S_PENDING) again_ = (call);                                                                      \
        again_;                                                                                                        \
    }))

enum { KEYS = 60, SPACES = 2, N_MAX = 700 };

struct item {
    uint64_t sort; /* number of the sort or map key */
    uint64_t value;
    int64_t count;
    uint64_t age;
};

struct list {
    struct item *items;
    uint32_t count, capacity;
};

struct world {
    struct keyed keyed;
    struct state_def def;
    struct state_table *table;
    struct prng random;
    struct batch *keys, *values, *extras, *shown;
    struct state_probe value, extra;
    struct list model[SPACES][KEYS];
    uint64_t hashes[BATCH_ROWS], age, value_bound, extra_bound;
    uint32_t numbers[BATCH_ROWS];
    uint64_t value_numbers[BATCH_ROWS], extra_numbers[BATCH_ROWS];
    void *heads[BATCH_ROWS], *rows[BATCH_ROWS];
    struct state_hits hits;
    uint64_t sum;
    struct apart apart;
    struct list before[SPACES][KEYS]; /* the model when that began */
};

static void world_open(struct world *w, enum state_shape shape, const char *key, const char *value, const char *extra,
                       bool unique, const char *backend, uint64_t seed)
{
    const struct type *extra_type;

    memset(w, 0, sizeof *w);
    keyed_init(&w->keyed, backend, 0, 64, 64);
    prng_init(&w->random, seed);
    w->keyed.host.cache_bytes = seed % 3 * 65536; /* on disk: some stay in memory, or nothing longer than a batch */
    extra_type = extra ? keyed_type(&w->keyed, extra) : NULL;
    w->def = (struct state_def){.name = "test",
                                .shape = shape,
                                .namespaced = true,
                                .sort_unique = unique,
                                .key = keyed_type(&w->keyed, key),
                                .value = keyed_type(&w->keyed, value),
                                .map_key = shape == STATE_MAP ? extra_type : NULL,
                                .sort_key = shape == STATE_ORDERED ? extra_type : NULL};
    w->keys = batch_create(w->def.key, BATCH_ROWS, &w->keyed.mem);
    w->shown = batch_create(w->def.value, 1, &w->keyed.mem);
    w->values = batch_create(w->def.value, BATCH_ROWS, &w->keyed.mem);
    assert_int_equal(state_probe_init(&w->value, w->def.value, &w->keyed.mem, &w->keyed.err), S_OK);
    if (extra) {
        w->extras = batch_create(extra_type, BATCH_ROWS, &w->keyed.mem);
        assert_int_equal(state_probe_init(&w->extra, extra_type, &w->keyed.mem, &w->keyed.err), S_OK);
    }
    w->value_bound = 300;
    w->extra_bound = 300;
}

static void table_reopen(void *world, struct state_host *h)
{
    struct world *w = world;

    if (state_open(h, &w->def, &w->table, &w->keyed.err) != S_OK) fail_msg("%s", w->keyed.err.text);
}
static void table_close(void *world) { state_close(((struct world *)world)->table); }
static void table_open(struct world *w) { table_reopen(w, &w->keyed.host); }

static void lists_free(struct list lists[SPACES][KEYS])
{
    for (uint32_t i = 0; i < SPACES * KEYS; i++) {
        free(lists[i / KEYS][i % KEYS].items);
        lists[i / KEYS][i % KEYS] = (struct list){0};
    }
}

static void lists_copy(struct list to[SPACES][KEYS], struct list from[SPACES][KEYS])
{
    lists_free(to);
    for (uint32_t i = 0; i < SPACES * KEYS; i++) {
        struct list *l = &to[i / KEYS][i % KEYS];
        *l = from[i / KEYS][i % KEYS];
        size_t size = l->capacity * sizeof *l->items;
        l->items = size > 0 ? memcpy(malloc(size), from[i / KEYS][i % KEYS].items, size) : NULL;
    }
}

/* Saved, and begun anew with what was saved, by way of one, two or three subtasks; or the table is saved while it is worked with, and
 * then goes back to what it was when that began. */
static void restart(struct world *w, uint32_t turn)
{
    struct keyed_opener o = {table_reopen, table_close, w};
    uint32_t through = 1 + (uint32_t)prng_below(&w->random, 3);
    size_t limit = prng_below(&w->random, 2) ? 1000 : 1000000;

    if (w->apart.is_on) {
        if (turn != 0 && w->apart.save != NULL) return;
        uint64_t how = prng_below(&w->random, 8);
        if (how == 0) apart_drop(&w->apart);
        else if (how < 5) apart_end(&w->apart);
        if (how < 5) return;
        apart_back(&w->apart, &w->keyed, &o, through);
        lists_copy(w->model, w->before);
    } else if (prng_below(&w->random, 8) == 0) {
        apart_drop(&w->apart);
        keyed_restart(&w->keyed, &o, through, limit);
    } else {
        apart_begin(&w->apart, &w->keyed, limit);
        lists_copy(w->before, w->model);
    }
}

static void world_close(struct world *w)
{
    apart_drop(&w->apart);
    lists_free(w->model);
    lists_free(w->before);
    state_close(w->table);
    batch_free(w->keys);
    batch_free(w->values);
    batch_free(w->extras);
    batch_free(w->shown);
    state_probe_release(&w->value);
    state_probe_release(&w->extra);
    keyed_release(&w->keyed);
}

static void item_add(struct world *w, struct list *l, uint64_t sort, uint64_t value)
{
    if (l->count == l->capacity) {
        l->capacity = l->capacity ? l->capacity * 2 : 8;
        l->items = realloc(l->items, l->capacity * sizeof *l->items);
    }
    l->items[l->count++] = (struct item){sort, value, 1, w->age++};
}

static void item_drop(struct list *l, uint32_t i)
{
    memmove(l->items + i, l->items + i + 1, (l->count - i - 1) * sizeof *l->items);
    l->count--;
}

static struct item *item_find(struct list *l, uint64_t number, bool by_sort)
{
    for (uint32_t i = 0; i < l->count; i++) {
        if ((by_sort ? l->items[i].sort : l->items[i].value) == number) return &l->items[i];
    }
    return NULL;
}

static void fill_row(struct batch *b, uint32_t row, uint64_t number)
{
    for (uint32_t k = 0; k < b->col_count; k++) keyed_fill(b, k, row, number);
}

/* A batch of n random keys (half of it on three hot ones) with values and map or sort keys; heads are resolved. */
static void batch_start(struct world *w, int64_t ns, uint32_t n, enum state_intent intent)
{
    static const uint32_t cols[1] = {0};
    struct state_keys keys;
    enum status st;

    if (prng_below(&w->random, 4) == 0) apart_step(&w->apart);
    batch_clear(w->keys);
    batch_clear(w->values);
    if (w->extras) batch_clear(w->extras);
    for (uint32_t i = 0; i < n; i++) {
        w->numbers[i] = (uint32_t)prng_below(&w->random, prng_below(&w->random, 2) ? 3 : KEYS);
        w->value_numbers[i] = prng_below(&w->random, w->value_bound);
        w->extra_numbers[i] = prng_below(&w->random, w->extra_bound);
        keyed_key(w->keys, cols, 1, i, w->numbers[i]);
        fill_row(w->values, i, w->value_numbers[i]);
        if (w->extras) fill_row(w->extras, i, w->extra_numbers[i]);
    }
    w->keys->count = w->values->count = n;
    if (w->extras) w->extras->count = n;
    batch_hash(w->keys, cols, 1, w->hashes);
    keys = state_keys_of(w->keys, cols, 1, w->hashes);
    while ((st = state_resolve(w->table, ns, &keys, intent, w->heads, NULL)) == S_PENDING) continue;
    assert_int_equal(st, S_OK);
    if (prng_below(&w->random, 4) == 0) apart_step(&w->apart); /* in the midst of a batch */
    state_probe_fill(&w->value, w->values, NULL, NULL, n);
    if (w->extras) state_probe_fill(&w->extra, w->extras, NULL, NULL, n);
}

static uint32_t some(struct world *w) { return 1 + (uint32_t)prng_below(&w->random, N_MAX); }

/* Does the row hold value number `number`? */
static void value_check(struct world *w, const void *row, uint64_t number)
{
    batch_clear(w->shown);
    fill_row(w->values, 0, number);
    for (uint32_t k = 0; k < w->shown->col_count; k++) {
        state_rows_load(w->table, &row, 1, k, &w->shown->cols[k], 0, &w->shown->heap, &w->keyed.mem);
        assert_int_equal(vector_compare(&w->shown->cols[k], 0, &w->values->cols[k], 0), 0);
    }
}

/* Scans all keys; calls check with the rows of one key at a time. */
typedef void (*check_fn)(struct world *w, struct list *l, void **rows, uint32_t count);

static void scan_check(struct world *w, int64_t ns, check_fn check)
{
    static void *rows[KEYS][200000 / KEYS];
    uint32_t counts[KEYS] = {0}, keys = 0;
    static const uint32_t cols[1] = {0};
    struct state_keys k;
    struct state_scan c = {0};
    enum status st;

    batch_clear(w->keys);
    for (uint32_t d = 0; d < KEYS; d++) keyed_key(w->keys, cols, 1, d, d);
    w->keys->count = KEYS;
    batch_hash(w->keys, cols, 1, w->hashes);
    k = state_keys_of(w->keys, cols, 1, w->hashes);
    while ((st = state_resolve(w->table, ns, &k, STATE_READ, w->heads, NULL)) == S_PENDING) continue;
    for (st = S_MORE; st == S_MORE || st == S_PENDING;) {
        st = state_scan(w->table, ns, w->heads, KEYS, &c, &w->hits);
        for (uint32_t i = 0; st != S_PENDING && i < w->hits.count; i++) {
            uint32_t d = w->hits.key[i];
            assert_true(counts[d] < COUNT_OF(rows[0]));
            rows[d][counts[d]++] = w->hits.row[i];
        }
    }
    assert_int_equal(st, S_OK);
    for (uint32_t d = 0; d < KEYS; d++) {
        struct list *l = &w->model[ns][d];
        assert_int_equal(counts[d], l->count);
        assert_int_equal(state_head_rows(w->heads[d]), l->count);
        assert_int_equal(w->heads[d] != NULL, l->count > 0); /* empty heads are gone */
        keys += l->count > 0;
        check(w, l, rows[d], counts[d]);
    }
    assert_int_equal(state_count(w->table, ns), keys);
    state_done(w->table);
}

static void space_drop(struct world *w, int64_t ns, uint32_t turn)
{
    if (turn != 0) return;
    state_drop(w->table, ns);
    for (uint32_t d = 0; d < KEYS; d++) w->model[ns][d].count = 0;
}

static void heads_clear(struct world *w, int64_t ns)
{
    batch_start(w, ns, 5, STATE_UPDATE);
    for (uint32_t i = 0; i < 5; i++) {
        state_head_clear(w->table, ns, w->heads[i]);
        w->model[ns][w->numbers[i]].count = 0;
        assert_int_equal(state_head_rows(w->heads[i]), 0);
    }
    state_done(w->table);
}

/* ---- LOG */

static void log_check(struct world *w, struct list *l, void **rows, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) value_check(w, rows[i], l->items[i].value);
}

static void log_append(struct world *w, int64_t ns)
{
    uint32_t n = some(w);
    bool reads_back = prng_below(&w->random, 2);

    batch_start(w, ns, n, reads_back ? STATE_RESERVE : STATE_INSERT);
    assert_int_equal(state_log_append(w->table, ns, w->heads, &w->value, NULL, w->rows), S_OK);
    for (uint32_t i = 0; i < n; i++) item_add(w, &w->model[ns][w->numbers[i]], 0, w->value_numbers[i]);
    state_done(w->table);
}

/* The first rows of some heads go: none, some, all of them. */
static void log_drop(struct world *w, int64_t ns)
{
    batch_start(w, ns, 5, STATE_UPDATE);
    for (uint32_t i = 0; i < 5; i++) {
        struct list *l = &w->model[ns][w->numbers[i]];
        uint32_t n = l->count == 0 ? 0 : (uint32_t)prng_below(&w->random, l->count + 1);
        state_log_drop(w->table, ns, w->heads[i], n);
        for (uint32_t k = 0; k < n; k++) item_drop(l, 0);
        assert_int_equal(state_head_rows(w->heads[i]), l->count);
    }
    state_done(w->table);
}

static void logs_run(const char *backend)
{
    static const char *const values[] = {"ROW<a BIGINT NOT NULL> NOT NULL", "ROW<a INT, b STRING, c DOUBLE> NOT NULL",
                                         "ROW<a ARRAY<INT NOT NULL>, b DECIMAL(30, 1)> NOT NULL"};

    for (uint32_t v = 0; v < 3; v++) {
        struct world *w = calloc(1, sizeof *w);
        world_open(w, STATE_LOG, "ROW<k BIGINT> NOT NULL", values[v], NULL, false, backend, 10 + v);
        table_open(w);
        for (uint32_t step = 0; step < 150; step++) {
            int64_t ns = (int64_t)prng_below(&w->random, SPACES);
            switch (prng_below(&w->random, 8)) {
            case 0: scan_check(w, ns, log_check); break;
            case 1: heads_clear(w, ns); break;
            case 2: space_drop(w, ns, step % 16); break;
            case 3: log_drop(w, ns); break;
            case 4: restart(w, step % 4); break;
            default: log_append(w, ns); break;
            }
        }
        for (int64_t ns = 0; ns < SPACES; ns++) scan_check(w, ns, log_check);
        world_close(w);
        free(w);
    }
}

/* ---- PACKED */

/* In the order of a selection that goes backwards, with rows between that have no head. */
static void packed_append(struct world *w, int64_t ns)
{
    uint32_t n = some(w), cols[3] = {0, 1, 2};
    uint16_t rows[BATCH_ROWS];
    void *heads[BATCH_ROWS];

    batch_start(w, ns, n, STATE_INSERT);
    for (uint32_t i = 0; i < n; i++) {
        rows[i] = (uint16_t)(n - 1 - i);
        heads[i] = rows[i] % 7 == 3 ? NULL : w->heads[rows[i]];
        if (heads[i] != NULL) item_add(w, &w->model[ns][w->numbers[rows[i]]], 0, w->value_numbers[rows[i]]);
    }
    assert_int_equal(state_packed_append(w->table, ns, heads, w->values, cols, rows, n), S_OK);
    state_done(w->table);
}

/* One space: of a table without namespaces, whose long strings are kept once when they come again. */
static void packed_steps(struct world *w, uint32_t spaces)
{
    table_open(w);
    for (uint32_t step = 0; step < 150; step++) {
        int64_t ns = (int64_t)prng_below(&w->random, spaces);
        switch (prng_below(&w->random, 8)) {
        case 0: scan_check(w, ns, log_check); break;
        case 1: heads_clear(w, ns); break;
        case 2: space_drop(w, ns, step % 16); break;
        case 3: restart(w, step % 4); break;
        default: packed_append(w, ns); break;
        }
    }
    for (int64_t ns = 0; ns < spaces; ns++) scan_check(w, ns, log_check);
}

static void packed_run(const char *backend)
{
    static const char *const values[] = {"ROW<a BIGINT NOT NULL> NOT NULL", "ROW<a INT, b STRING, c DOUBLE> NOT NULL",
                                         "ROW<a STRING NOT NULL, b DECIMAL(30, 1), c VARCHAR(70)> NOT NULL",
                                         "ROW<a TIMESTAMP(9), b SMALLINT, c BOOLEAN NOT NULL> NOT NULL",
                                         "ROW<a BIGINT, b STRING, c TIMESTAMP(3) NOT NULL> NOT NULL"};

    for (uint32_t v = 0; v < 15; v++) {
        struct world *w = calloc(1, sizeof *w);
        world_open(w, STATE_PACKED, "ROW<k BIGINT> NOT NULL", values[v % 5], NULL, false, backend, 30 + v);
        w->def.namespaced = v < 5;
        if (v >= 10) w->value_bound = UINT64_C(1) << 31; /* three times that: half of the numbers are out of reach of 32 bits */
        packed_steps(w, v < 5 ? SPACES : 1);
        world_close(w);
        free(w);
    }
}

static void texts_sum(struct world *w, struct list *l, void **rows, uint32_t count)
{
    char text[51] = "";

    (void)l;
    for (uint32_t i = 0; i < count; i++) {
        batch_clear(w->shown);
        state_rows_load(w->table, (const void *const *)&rows[i], 1, 0, &w->shown->cols[0], 0, &w->shown->heap, &w->keyed.mem);
        assert_int_equal(VECTOR_VALUES(&w->shown->cols[0], struct text)[0].size, 50);
        memcpy(text, text_data(VECTOR_VALUES(&w->shown->cols[0], struct text)), 50);
        w->sum += strtoul(text, NULL, 10);
    }
}

/* Bytes of a table of so many rows with a string of 50 bytes, of which `different` are different. */
static size_t packed_bytes(uint32_t rows, uint32_t different)
{
    struct world *w = calloc(1, sizeof *w);
    uint32_t cols[1] = {0};
    uint16_t numbers[1000];
    char text[64];
    uint64_t expected = 0;
    size_t bytes;

    world_open(w, STATE_PACKED, "ROW<k BIGINT> NOT NULL", "ROW<s STRING NOT NULL> NOT NULL", NULL, false, "hashmap", 1);
    w->def.namespaced = false;
    table_open(w);
    for (uint32_t at = 0; at < rows; at += 1000) {
        batch_start(w, 0, 1000, STATE_INSERT);
        for (uint32_t i = 0; i < 1000; i++) {
            snprintf(text, sizeof text, "%050u", (at + i) % different);
            VECTOR_VALUES(&w->values->cols[0], struct text)[i] = text_put(&w->values->heap, text, 50);
            numbers[i] = (uint16_t)i;
            expected += (at + i) % different;
            item_add(w, &w->model[0][w->numbers[i]], 0, 0);
        }
        assert_int_equal(state_packed_append(w->table, 0, w->heads, w->values, cols, numbers, 1000), S_OK);
        state_done(w->table);
    }
    bytes = state_host_bytes(&w->keyed.host);
    w->sum = 0;
    scan_check(w, 0, texts_sum);
    assert_int_equal(w->sum, expected);
    world_close(w);
    free(w);
    return bytes;
}

static void strings_that_come_again_are_kept_once(void **state)
{
    (void)state;
    assert_in_range(packed_bytes(12000, 100), 12000 * 5, 12000 * 16);
    assert_in_range(packed_bytes(12000, 12000), 12000 * 53, 12000 * 84); /* given up soon */
}

/* ---- PLACES */

enum { PLACES_MAX = 6 };

/* A batch gives one head a row more, at any place; a full one loses its last row, which stays readable until it is freed. */
static void place_add(struct world *w, int64_t ns)
{
    uint32_t cols[3] = {0, 1, 2}, count, at, kept;
    struct state_place places[PLACES_MAX + 1];
    uint16_t row = 0;
    uint64_t written;

    batch_start(w, ns, 1, STATE_INSERT);
    struct list *l = &w->model[ns][w->numbers[0]];
    count = state_head_rows(w->heads[0]);
    assert_int_equal(count, l->count);
    assert_int_equal(*state_place_mark(w->heads[0]), 0);
    at = (uint32_t)prng_below(&w->random, count + 1);
    memcpy(places, state_places(w->table, w->heads[0]), sizeof *places * count);
    assert_int_equal(state_places_write(w->table, ns, w->values, cols, &row, 1, &written), S_OK);
    memmove(places + at + 1, places + at, sizeof *places * (count - at));
    places[at] = (struct state_place){w->value_numbers[0], written};
    item_add(w, l, w->value_numbers[0], w->value_numbers[0]);
    struct item item = l->items[count];
    memmove(l->items + at + 1, l->items + at, sizeof item * (count - at));
    l->items[at] = item;
    kept = MIN(count + 1, (uint32_t)PLACES_MAX);
    state_places_set(w->table, ns, w->heads[0], places, kept);
    if (kept == count) {
        value_check(w, state_place_row(w->table, places[count].row), l->items[count].value);
        state_places_free(w->table, ns, &places[count].row, 1);
        l->count--;
    }
    state_done(w->table);
}

static void places_check(struct world *w, int64_t ns)
{
    static const uint32_t cols[1] = {0};
    enum status st;

    batch_clear(w->keys);
    for (uint32_t d = 0; d < KEYS; d++) keyed_key(w->keys, cols, 1, d, d);
    w->keys->count = KEYS;
    batch_hash(w->keys, cols, 1, w->hashes);
    struct state_keys k = state_keys_of(w->keys, cols, 1, w->hashes);
    while ((st = state_resolve(w->table, ns, &k, STATE_READ, w->heads, NULL)) == S_PENDING) continue;
    assert_int_equal(st, S_OK);
    for (uint32_t d = 0; d < KEYS; d++) {
        const struct list *l = &w->model[ns][d];
        assert_int_equal(state_head_rows(w->heads[d]), l->count);
        for (uint32_t i = 0; i < l->count; i++) {
            const struct state_place *place = state_places(w->table, w->heads[d]) + i;
            assert_int_equal(place->order, l->items[i].sort);
            value_check(w, state_place_row(w->table, place->row), l->items[i].value);
        }
    }
    state_done(w->table);
}

static void places_run(const char *backend)
{
    struct world *w = calloc(1, sizeof *w);

    world_open(w, STATE_PLACES, "ROW<k BIGINT> NOT NULL", "ROW<a INT, b STRING, c DOUBLE> NOT NULL", NULL, false, backend, 40);
    table_open(w);
    for (uint32_t step = 0; step < 3000; step++) {
        int64_t ns = (int64_t)prng_below(&w->random, SPACES);
        if (step % 500 == 499) space_drop(w, ns, 0);
        else if (step % 40 == 39) heads_clear(w, ns);
        else if (step % 100 == 0) places_check(w, ns);
        else if (step % 150 == 1) restart(w, step / 150 % 2);
        else if (step % 150 == 51 && w->apart.is_on) restart(w, 0);
        else place_add(w, ns);
    }
    for (int64_t ns = 0; ns < SPACES; ns++) places_check(w, ns);
    world_close(w);
    free(w);
}

static void log_prunes(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    static const uint32_t cols[1] = {0};
    struct state_keys keys;
    int64_t times[1000];

    (void)state;
    world_open(w, STATE_LOG, "ROW<k BIGINT> NOT NULL", "ROW<a BIGINT NOT NULL, s STRING> NOT NULL", NULL, false,
               "hashmap", 1);
    table_open(w);
    for (uint32_t i = 0; i < 1000; i++) {
        keyed_key(w->keys, cols, 1, i, 1);
        fill_row(w->values, i, i);
        times[i] = i;
    }
    w->keys->count = w->values->count = 1000;
    batch_hash(w->keys, cols, 1, w->hashes);
    keys = state_keys_of(w->keys, cols, 1, w->hashes);
    assert_int_equal(state_resolve(w->table, 0, &keys, STATE_INSERT, w->heads, NULL), S_OK);
    state_probe_fill(&w->value, w->values, NULL, NULL, 1000);
    assert_int_equal(state_log_append(w->table, 0, w->heads, &w->value, times, NULL), S_OK);
    state_log_prune(w->table, 0, w->heads[0], 600);
    assert_in_range(state_head_rows(w->heads[0]), 400, 950); /* whole segments only, but some */
    struct state_scan c = {0};
    assert_int_equal(state_scan(w->table, 0, w->heads, 1, &c, &w->hits), S_OK);
    assert_int_equal(w->hits.count, state_head_rows(w->heads[0]));
    for (uint32_t i = 0; i < w->hits.count; i++) value_check(w, w->hits.row[i], 1000 - w->hits.count + i);
    state_log_prune(w->table, 0, w->heads[0], 1000);
    assert_int_equal(state_head_rows(w->heads[0]), 0);
    state_done(w->table);
    assert_int_equal(state_count(w->table, 0), 0);
    world_close(w);
    free(w);
}

/* ---- MULTISET */

static void multiset_check(struct world *w, struct list *l, void **rows, uint32_t count)
{
    bool *seen = calloc(w->value_bound, 1);

    for (uint32_t i = 0; i < count; i++) {
        struct item *item = NULL;
        uint64_t number = *(uint64_t *)rows[i]; /* first field BIGINT NOT NULL: 3 x - 100 */
        number = (number + 100) / 3;
        item = item_find(l, number, false);
        assert_non_null(item);
        assert_ptr_equal(item, &l->items[i]); /* as they came; what was removed and came again is at the end */
        assert_false(seen[number]);
        seen[number] = true;
        assert_int_equal(state_element_of(w->table, rows[i])->count, item->count);
        value_check(w, rows[i], number);
    }
    free(seen);
}

static void multiset_change(struct world *w, int64_t ns, uint32_t add_share)
{
    uint32_t n = some(w);
    int8_t deltas[N_MAX + 1];

    batch_start(w, ns, n, STATE_INSERT);
    for (uint32_t i = 0; i < n; i++) deltas[i] = prng_below(&w->random, 10) < add_share ? 1 : -1;
    assert_int_equal(state_multiset_change(w->table, ns, w->heads, &w->value, deltas, w->rows), S_OK);
    for (uint32_t i = 0; i < n; i++) {
        struct list *l = &w->model[ns][w->numbers[i]];
        struct item *item = item_find(l, w->value_numbers[i], false);
        assert_int_equal(w->rows[i] != NULL, deltas[i] > 0 || item != NULL);
        if (deltas[i] > 0 && item)
            item->count++;
        else if (deltas[i] > 0)
            item_add(w, l, 0, w->value_numbers[i]);
        else if (item && --item->count == 0)
            item_drop(l, (uint32_t)(item - l->items));
        if (w->rows[i]) value_check(w, w->rows[i], w->value_numbers[i]); /* removed ones can be read still */
    }
    fill_row(w->values, 0, w->value_numbers[0]);
    assert_int_equal(AGAIN(state_multiset_find(w->table, ns, w->heads, &w->value, w->rows)), S_OK);
    for (uint32_t i = 0; i < n; i++) {
        struct item *item = item_find(&w->model[ns][w->numbers[i]], w->value_numbers[i], false);
        assert_int_equal(w->rows[i] != NULL, item != NULL);
        if (item) assert_int_equal(state_element_of(w->table, w->rows[i])->count, item->count);
    }
    state_done(w->table);
}

static void multisets_run(const char *backend)
{
    static const char *const values[] = {"ROW<a BIGINT NOT NULL> NOT NULL",
                                         "ROW<a BIGINT NOT NULL, b STRING, c DOUBLE> NOT NULL"};

    for (uint32_t v = 0; v < 4; v++) {
        struct world *w = calloc(1, sizeof *w);
        world_open(w, STATE_MULTISET, "ROW<k STRING> NOT NULL", values[v % 2], NULL, false, backend, 20 + v);
        w->value_bound = v < 2 ? 1000 : 20;
        table_open(w);
        for (uint32_t step = 0; step < 100; step++) {
            int64_t ns = (int64_t)prng_below(&w->random, SPACES);
            switch (prng_below(&w->random, 9)) {
            case 0: scan_check(w, ns, multiset_check); break;
            case 1: heads_clear(w, ns); break;
            case 2: space_drop(w, ns, step % 16); break;
            case 3: restart(w, step % 4); break;
            default: multiset_change(w, ns, (step / 20) % 2 ? 3 : 7); break; /* grow, then shrink, .. */
            }
        }
        for (int64_t ns = 0; ns < SPACES; ns++) scan_check(w, ns, multiset_check);
        world_close(w);
        free(w);
    }
}

/* ---- MAP with a map key */

static void entry_check(struct world *w, struct list *l, void **rows, uint32_t count)
{
    bool *seen = calloc(w->extra_bound, 1);

    for (uint32_t i = 0; i < count; i++) {
        uint64_t sort = (uint64_t)*state_word(rows[i], 0);
        struct item *item = item_find(l, sort, true);
        assert_non_null(item);
        assert_ptr_equal(item, &l->items[i]);
        assert_false(seen[sort]);
        seen[sort] = true;
        assert_int_equal(*state_word(rows[i], 8), item->value);
    }
    free(seen);
}

static void entries_change(struct world *w, int64_t ns, uint32_t remove_share)
{
    uint32_t n = some(w);
    uint64_t created[BATCH_ROWS / 64];

    batch_start(w, ns, n, STATE_INSERT);
    assert_int_equal(AGAIN(state_entry_resolve(w->table, ns, w->heads, &w->extra, STATE_READ, w->rows, NULL)), S_OK);
    for (uint32_t i = 0; i < n; i++) {
        struct item *item = item_find(&w->model[ns][w->numbers[i]], w->extra_numbers[i], true);
        assert_int_equal(w->rows[i] != NULL, item != NULL);
    }
    for (uint32_t i = 0; i < n; i++) {
        struct item *item = item_find(&w->model[ns][w->numbers[i]], w->extra_numbers[i], true);
        if (!item || prng_below(&w->random, 10) >= remove_share || state_element_of(w->table, w->rows[i])->count == 0)
            continue;
        state_row_remove(w->table, ns, w->heads[i], w->rows[i]);
        item_drop(&w->model[ns][w->numbers[i]], (uint32_t)(item - w->model[ns][w->numbers[i]].items));
    }
    if (prng_below(&w->random, 3) == 0) { /* what was removed does not come back in this batch */
        state_done(w->table);
        return;
    }
    assert_int_equal(AGAIN(state_entry_resolve(w->table, ns, w->heads, &w->extra, STATE_INSERT, w->rows, created)),
                     S_OK);
    for (uint32_t i = 0; i < n; i++) {
        struct list *l = &w->model[ns][w->numbers[i]];
        struct item *item = item_find(l, w->extra_numbers[i], true);
        assert_non_null(w->rows[i]);
        assert_int_equal(bit_get(created, i), item == NULL);
        if (item == NULL) {
            assert_int_equal(*state_word(w->rows[i], 8), 0);
            item_add(w, l, w->extra_numbers[i], 0);
            item = &l->items[l->count - 1];
        }
        item->value = w->value_numbers[i];
        *state_word(w->rows[i], 0) = (int64_t)w->extra_numbers[i];
        *state_word(w->rows[i], 8) = (int64_t)w->value_numbers[i];
        state_row_write(w->table, ns, w->heads[i], w->rows[i]);
    }
    state_done(w->table);
}

static void entries_run(const char *backend)
{
    static const char *const extras[] = {"ROW<m BIGINT NOT NULL> NOT NULL", "ROW<m STRING> NOT NULL",
                                         "ROW<m INT, n STRING> NOT NULL"};

    for (uint32_t v = 0; v < 3; v++) {
        struct world *w = calloc(1, sizeof *w);
        world_open(w, STATE_MAP, "ROW<k BIGINT> NOT NULL", "ROW<id BIGINT NOT NULL, a BIGINT NOT NULL> NOT NULL",
                   extras[v], false, backend, 30 + v);
        w->extra_bound = 900;
        table_open(w);
        for (uint32_t step = 0; step < 100; step++) {
            int64_t ns = (int64_t)prng_below(&w->random, SPACES);
            switch (prng_below(&w->random, 9)) {
            case 0: scan_check(w, ns, entry_check); break;
            case 1: heads_clear(w, ns); break;
            case 2: space_drop(w, ns, step % 16); break;
            case 3: restart(w, step % 4); break;
            default: entries_change(w, ns, (step / 20) % 2 ? 9 : 2); break;
            }
        }
        for (int64_t ns = 0; ns < SPACES; ns++) scan_check(w, ns, entry_check);
        world_close(w);
        free(w);
    }
}

/* ---- ORDERED */

static const struct state_def *sorting; /* for qsort */

/* NULL is number 0 when the type is nullable; strings of keyed_fill compare as such. */
static int compare_sort(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    const struct type *t = sorting->sort_key->children[0];
    bool descending = sorting->sort_descending & 1, nulls_last = sorting->sort_nulls_last & 1;
    int order;

    if (x->sort == y->sort) return x->age < y->age ? -1 : x->age > y->age;
    if (t->nullable && (x->sort == 0 || y->sort == 0)) return (x->sort == 0) == nulls_last ? 1 : -1;
    if (t->phys == P_STR) {
        char p[64], q[64];
        snprintf(p, sizeof p, x->sort % 2 ? "k%llu" : "a long key of number %llu, by hand",
                 (unsigned long long)x->sort);
        snprintf(q, sizeof q, y->sort % 2 ? "k%llu" : "a long key of number %llu, by hand",
                 (unsigned long long)y->sort);
        order = strcmp(p, q);
    } else {
        order = x->sort < y->sort ? -1 : 1;
    }
    return descending ? -order : order;
}

static void model_sort(struct world *w, struct list *l)
{
    sorting = &w->def;
    if (l->count) qsort(l->items, l->count, sizeof *l->items, compare_sort);
}

static void ordered_check(struct world *w, struct list *l, void **rows, uint32_t count)
{
    model_sort(w, l);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(*state_word(rows[i], 0), l->items[i].age);
        assert_int_equal(*state_word(rows[i], 8), l->items[i].sort);
    }
}

static void ordered_insert(struct world *w, int64_t ns)
{
    uint32_t n = some(w);
    uint64_t created[BATCH_ROWS / 64];

    batch_start(w, ns, n, STATE_INSERT);
    assert_int_equal(state_ordered_insert(w->table, ns, w->heads, &w->extra, w->rows, created), S_OK);
    for (uint32_t i = 0; i < n; i++) {
        struct list *l = &w->model[ns][w->numbers[i]];
        struct item *item = w->def.sort_unique ? item_find(l, w->extra_numbers[i], true) : NULL;
        assert_int_equal(bit_get(created, i), item == NULL);
        if (item) continue;
        item_add(w, l, w->extra_numbers[i], 0);
        *state_word(w->rows[i], 0) = (int64_t)l->items[l->count - 1].age;
        *state_word(w->rows[i], 8) = (int64_t)w->extra_numbers[i];
    }
    state_done(w->table);
}

/* Removes single rows (a random subset of what a scan shows). */
static void ordered_thin(struct world *w, int64_t ns, uint32_t share)
{
    struct state_scan c = {0};
    enum status st = S_MORE;

    batch_start(w, ns, 3, STATE_UPDATE);
    if (w->numbers[1] == w->numbers[0]) w->heads[1] = NULL;
    if (w->numbers[2] == w->numbers[1] || w->numbers[2] == w->numbers[0]) w->heads[2] = NULL;
    if (w->def.counted) w->heads[2] = w->heads[1] = NULL; /* a scan that goes on would miss rows */
    while (st == S_MORE) {
        st = AGAIN(state_scan(w->table, ns, w->heads, 3, &c, &w->hits));
        if (w->def.counted && st == S_MORE) break;
        for (uint32_t i = 0; i < w->hits.count; i++) {
            struct list *l = &w->model[ns][w->numbers[w->hits.key[i]]];
            uint64_t age = (uint64_t)*state_word(w->hits.row[i], 0);
            if (prng_below(&w->random, 10) >= share) continue;
            state_row_remove(w->table, ns, w->heads[w->hits.key[i]], w->hits.row[i]);
            for (uint32_t k = 0; k < l->count; k++) {
                if (l->items[k].age == age) {
                    item_drop(l, k);
                    break;
                }
            }
        }
    }
    state_done(w->table);
}

/* The upper bounds: other numbers, in a batch of their own rows. */
static void upper_fill(struct world *w, struct batch *upper, struct state_probe *to, uint64_t *numbers, int64_t *words)
{
    for (uint32_t i = 0; i < 8; i++) {
        numbers[i] = prng_below(&w->random, w->extra_bound);
        words[i] = (int64_t)numbers[i] * 3 - 100;
        fill_row(upper, i, numbers[i]);
    }
    upper->count = 8;
    state_probe_fill(to, upper, NULL, NULL, 8);
}

/* Ranges by rows (and by words when the sort key is one), both directions, with limits; compares with the sorted model. */
static void ordered_ranges(struct world *w, int64_t ns)
{
    struct state_probe to = {0};
    uint64_t from_numbers[8];
    int64_t from_words[8], to_words[8];
    struct state_range r = {.from_open = prng_below(&w->random, 2),
                            .to_open = prng_below(&w->random, 2),
                            .descending = prng_below(&w->random, 2),
                            .limit = prng_below(&w->random, 2) ? 0 : (uint32_t)prng_below(&w->random, 20)};
    if (!r.descending && prng_below(&w->random, 2)) r.skip = (uint32_t)prng_below(&w->random, prng_below(&w->random, 2) ? 6 : 600);
    bool words = w->def.sort_key->children[0]->phys == P_I64 && !w->def.sort_key->children[0]->nullable &&
                 prng_below(&w->random, 2);
    bool has_from = prng_below(&w->random, 4), has_to = prng_below(&w->random, 4);
    struct state_scan c = {0};

    batch_start(w, ns, 8, STATE_READ);
    assert_int_equal(state_probe_init(&to, w->def.sort_key, &w->keyed.mem, &w->keyed.err), S_OK);
    memcpy(from_numbers, w->extra_numbers, sizeof from_numbers);
    for (uint32_t i = 0; i < 8; i++) from_words[i] = (int64_t)w->extra_numbers[i] * 3 - 100;
    struct batch *upper = batch_create(w->def.sort_key, 8, &w->keyed.mem);
    uint64_t to_numbers[8];
    upper_fill(w, upper, &to, to_numbers, to_words);
    if (has_from && words) r.from_word = from_words;
    else if (has_from) r.from = &w->extra;
    if (has_to && words) r.to_word = to_words;
    else if (has_to) r.to = &to;
    uint32_t at = 0, counts[8];
    assert_int_equal(AGAIN(state_ordered_count(w->table, ns, w->heads, 8, &r, counts)), S_OK);
    enum status st = AGAIN(state_ordered_scan(w->table, ns, w->heads, 8, &r, &c, &w->hits));
    assert_int_equal(st, w->hits.count == BATCH_ROWS ? S_MORE : S_OK);
    for (uint32_t i = 0; i < 8; i++) {
        struct list *l = &w->model[ns][w->numbers[i]];
        uint32_t taken = 0, within = 0;
        model_sort(w, l);
        for (uint32_t k = 0; k < l->count; k++) {
            const struct item *item = &l->items[r.descending ? l->count - 1 - k : k];
            struct item low = {.sort = from_numbers[i], .age = item->age},
                        high = {.sort = to_numbers[i], .age = item->age};
            int below = has_from ? compare_sort(item, &low) : 1, above = has_to ? compare_sort(item, &high) : -1;
            if (has_from && (below < 0 || (below == 0 && r.from_open))) continue;
            if (has_to && (above > 0 || (above == 0 && r.to_open))) continue;
            if (++within <= r.skip || (r.limit && taken == r.limit) || at == w->hits.count) continue;
            assert_int_equal(w->hits.key[at], i);
            assert_int_equal(*state_word(w->hits.row[at], 0), item->age);
            at++;
            taken++;
        }
        assert_int_equal(counts[i], within);
        void *edge = state_ordered_edge(w->table, ns, w->heads[i], r.descending);
        assert_int_equal(edge != NULL, l->count > 0);
        if (edge) assert_int_equal(*state_word(edge, 0), l->items[r.descending ? l->count - 1 : 0].age);
    }
    assert_int_equal(at, w->hits.count);
    state_done(w->table);
    batch_free(upper);
    state_probe_release(&to);
}

static void ordered_remove(struct world *w, int64_t ns)
{
    struct state_range r = {.to_open = true};
    struct list *l;
    uint32_t removed = 0, kept = 0;

    batch_start(w, ns, 1, STATE_UPDATE);
    r.to = &w->extra;
    l = &w->model[ns][w->numbers[0]];
    model_sort(w, l);
    for (uint32_t k = 0; k < l->count; k++) {
        struct item bound = {.sort = w->extra_numbers[0], .age = l->items[k].age};
        if (compare_sort(&l->items[k], &bound) < 0)
            removed++;
        else
            l->items[kept++] = l->items[k];
    }
    l->count = kept;
    assert_int_equal(state_ordered_remove(w->table, ns, w->heads[0], &r, 0), removed);
    state_done(w->table);
}

enum ordered_as { PLAIN, UNIQUE, COUNTED };

static void ordered_run(const char *backend, const char *sort, enum ordered_as as, uint64_t descending, uint64_t nulls_last,
                        uint64_t bound, uint64_t seed)
{
    struct world *w = calloc(1, sizeof *w);

    world_open(w, STATE_ORDERED, "ROW<k BIGINT> NOT NULL", "ROW<age BIGINT NOT NULL, sort BIGINT NOT NULL> NOT NULL",
               sort, as == UNIQUE, backend, seed);
    w->def.counted = as == COUNTED;
    w->def.sort_descending = descending;
    w->def.sort_nulls_last = nulls_last;
    w->extra_bound = bound;
    table_open(w);
    for (uint32_t step = 0; step < 150; step++) {
        int64_t ns = (int64_t)prng_below(&w->random, SPACES);
        switch (prng_below(&w->random, 13)) {
        case 0: scan_check(w, ns, ordered_check); break;
        case 1:
            if (step % 8 == 0) heads_clear(w, ns);
            break;
        case 2: space_drop(w, ns, step % 16); break;
        case 3:
        case 4: ordered_ranges(w, ns); break;
        case 5:
            if (as != COUNTED) ordered_remove(w, ns);
            break;
        case 6: restart(w, step % 3); break;
        case 7:
        case 8: ordered_thin(w, ns, (step / 30) % 2 ? 9 : 3); break;
        default: ordered_insert(w, ns); break;
        }
    }
    for (int64_t ns = 0; ns < SPACES; ns++) scan_check(w, ns, ordered_check);
    world_close(w);
    free(w);
}

static void ordered_words(void **state)
{
    (void)state;
    ordered_run("hashmap", "ROW<s BIGINT NOT NULL> NOT NULL", UNIQUE, 0, 0, 5000, 40);
    ordered_run("hashmap", "ROW<s BIGINT NOT NULL> NOT NULL", PLAIN, 0, 0, 5000, 41);
    ordered_run("hashmap", "ROW<s BIGINT NOT NULL> NOT NULL", PLAIN, 1, 0, 40, 42);
    ordered_run("hashmap", "ROW<s TIMESTAMP(3)> NOT NULL", UNIQUE, 1, 1, 2000, 43);
    ordered_run("hashmap", "ROW<s INT> NOT NULL", PLAIN, 0, 1, 300, 44);
}

static void ordered_others(void **state)
{
    (void)state;
    ordered_run("hashmap", "ROW<s STRING> NOT NULL", UNIQUE, 0, 0, 2000, 50);
    ordered_run("hashmap", "ROW<s STRING NOT NULL> NOT NULL", PLAIN, 1, 0, 500, 51);
    ordered_run("hashmap", "ROW<s DOUBLE> NOT NULL", PLAIN, 1, 1, 500, 52);
    ordered_run("hashmap", "ROW<s TIMESTAMP(9), t STRING> NOT NULL", UNIQUE, 3, 0, 2000, 53);
    ordered_run("hashmap", "ROW<s DECIMAL(38, 0)> NOT NULL", PLAIN, 0, 0, 700, 54);
}

static void ordered_counted(void **state)
{
    (void)state;
    ordered_run("hashmap", "ROW<s BIGINT NOT NULL> NOT NULL", COUNTED, 0, 0, 5000, 70);
    ordered_run("hashmap", "ROW<s BIGINT NOT NULL> NOT NULL", COUNTED, 1, 0, 40, 71);
    ordered_run("hashmap", "ROW<s INT> NOT NULL", COUNTED, 0, 1, 300, 72);
    ordered_run("hashmap", "ROW<s STRING> NOT NULL", COUNTED, 1, 0, 2000, 73);
}

static void logs(void **state)
{
    (void)state;
    logs_run("hashmap");
}

static void packed(void **state)
{
    (void)state;
    packed_run("hashmap");
}

static void places(void **state)
{
    (void)state;
    places_run("hashmap");
}

static void multisets_and_maps(void **state)
{
    (void)state;
    multisets_run("hashmap");
    entries_run("hashmap");
}

static void shapes_run(const char *backend)
{
    logs_run(backend);
    packed_run(backend);
    places_run(backend);
    multisets_run(backend);
    entries_run(backend);
    ordered_run(backend, "ROW<s BIGINT NOT NULL> NOT NULL", UNIQUE, 0, 0, 5000, 60);
    ordered_run(backend, "ROW<s STRING> NOT NULL", PLAIN, 1, 0, 500, 61);
    ordered_run(backend, "ROW<s BIGINT NOT NULL> NOT NULL", COUNTED, 0, 0, 5000, 74);
}

static void pending_backend(void **state)
{
    (void)state;
    shapes_run("pending");
}

static void rocksdb_backend(void **state) { (void)state, shapes_run("rocksdb"); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logs), cmocka_unit_test(log_prunes), cmocka_unit_test(packed),
        cmocka_unit_test(strings_that_come_again_are_kept_once),
        cmocka_unit_test(places), cmocka_unit_test(multisets_and_maps),
        cmocka_unit_test(ordered_words), cmocka_unit_test(ordered_others),
        cmocka_unit_test(ordered_counted), cmocka_unit_test(pending_backend), cmocka_unit_test(rocksdb_backend),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
