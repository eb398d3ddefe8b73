/* test_counted_ttl.c - rows in an order that live for a time: how many stand before one, counted among those that live, through sweeps,
 * removals and restarts. */
#include "flow/state/shape.h"
#include "support/keyed.h"
#include "support/snapshots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

enum { STEPS = 3000, TTL_MS = 2500 };

struct world {
    struct keyed k;
    struct state_def def;
    struct state_table *table;
    struct state_probe probe;
    struct batch *key, *sort;
    void *head;
    int64_t values[STEPS], times[STEPS];
    bool is_gone[STEPS];
    uint32_t count;
};

static const uint32_t first_column[] = {0};

static void batch_begin(struct world *w, int64_t value)
{
    uint64_t hash;

    batch_hash(w->key, first_column, 1, &hash);
    struct state_keys keys = state_keys_of(w->key, first_column, 1, &hash);
    assert_int_equal(state_resolve(w->table, 0, &keys, STATE_RESERVE, &w->head, NULL), S_OK);
    VECTOR_VALUES(&w->sort->cols[0], int64_t)[0] = value;
    state_probe_fill(&w->probe, w->sort, NULL, NULL, 1);
}

static uint32_t model_upto(const struct world *w, int64_t value)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < w->count; i++) n += !w->is_gone[i] && w->values[i] <= value && w->times[i] + TTL_MS > w->k.now_ms;
    return n;
}

static void check(struct world *w, int64_t value)
{
    struct state_range upto = {.to = &w->probe}, all = {0}, last = {.skip = 0, .limit = 1};
    struct state_scan scan = {0};
    struct state_hits hits;
    uint32_t rows;

    assert_int_equal(state_ordered_count(w->table, 0, &w->head, 1, &upto, &rows), S_OK);
    assert_int_equal(rows, model_upto(w, value));
    assert_int_equal(state_ordered_count(w->table, 0, &w->head, 1, &all, &rows), S_OK);
    assert_int_equal(rows, model_upto(w, INT64_MAX));
    assert_int_equal(state_head_rows(w->head), rows);
    if (rows == 0) return;
    last.skip = rows - 1;
    assert_int_equal(state_ordered_scan(w->table, 0, &w->head, 1, &last, &scan, &hits), S_OK);
    assert_int_equal(hits.count, 1);
    assert_ptr_equal(hits.row[0], state_ordered_edge(w->table, 0, w->head, true));
}

static void row_add(struct world *w, int64_t value)
{
    void *row;

    assert_int_equal(state_ordered_insert(w->table, 0, &w->head, &w->probe, &row, NULL), S_OK);
    *state_word(row, w->table->value.fields[0].offset) = w->count;
    w->values[w->count] = value;
    w->times[w->count] = w->k.now_ms;
    w->is_gone[w->count++] = false;
}

/* The first row goes, or is written anew and lives on. */
static void first_change(struct world *w, bool goes)
{
    void *row = state_ordered_edge(w->table, 0, w->head, false);

    if (row == NULL) return;
    int64_t id = *state_word(row, w->table->value.fields[0].offset);
    if (goes) state_row_remove(w->table, 0, w->head, row);
    else state_row_write(w->table, 0, w->head, row);
    w->is_gone[id] = goes;
    if (!goes) w->times[id] = w->k.now_ms;
}

static void table_open(void *arg, struct state_host *h)
{
    struct world *w = arg;

    assert_int_equal(state_open(h, &w->def, &w->table, &w->k.err), S_OK);
}

static void table_close(void *arg) { state_close(((struct world *)arg)->table); }

static void run(uint64_t seed, uint32_t restarts)
{
    struct world *w = test_calloc(1, sizeof *w);
    struct prng random;

    prng_init(&random, seed);
    keyed_init(&w->k, "hashmap", 0, 8, 8);
    w->def = (struct state_def){.name = "rows",
                                .version = 1,
                                .shape = STATE_ORDERED,
                                .counted = true,
                                .key = keyed_type(&w->k, "ROW<k BIGINT> NOT NULL"),
                                .sort_key = keyed_type(&w->k, "ROW<s BIGINT NOT NULL> NOT NULL"),
                                .value = keyed_type(&w->k, "ROW<id BIGINT NOT NULL> NOT NULL"),
                                .ttl = state_ttl_of(TTL_MS)};
    w->key = batch_create(w->def.key, 1, &w->k.mem);
    w->sort = batch_create(w->def.sort_key, 1, &w->k.mem);
    keyed_key(w->key, first_column, 1, 0, 1);
    w->key->count = w->sort->count = 1;
    assert_int_equal(state_open(&w->k.host, &w->def, &w->table, &w->k.err), S_OK);
    assert_int_equal(state_probe_init(&w->probe, w->def.sort_key, &w->k.mem, &w->k.err), S_OK);
    const struct keyed_opener opener = {.open = table_open, .close = table_close, .arg = w};
    for (uint32_t step = 0; step < STEPS; step++) {
        int64_t value = (int64_t)prng_below(&random, 100);
        w->k.now_ms += prng_below(&random, 300) == 0 ? 3 * TTL_MS : (int64_t)prng_below(&random, 60);
        batch_begin(w, value);
        check(w, value);
        row_add(w, value);
        if (prng_below(&random, 3) == 0) first_change(w, prng_below(&random, 2) == 0);
        check(w, value);
        state_done(w->table);
        if (restarts > 0 && step % 31 == 0) keyed_restart(&w->k, &opener, restarts, 4096);
    }
    state_close(w->table);
    state_probe_release(&w->probe);
    batch_free(w->key);
    batch_free(w->sort);
    keyed_release(&w->k);
    test_free(w);
}

static void what_is_expired_does_not_count(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 8; seed++) run(seed, 0);
}

static void rows_keep_their_age_through_restarts(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 8; seed++) run(seed, 1 + seed % 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_expired_does_not_count),
                                       cmocka_unit_test(rows_keep_their_age_through_restarts)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
