/* test_state_index.c - an index that grows by and by: one shard with many keys, some of which go again, beside a plain array. What
 * a batch of new keys makes of work is counted in entries, not in time. */
#include "flow/state/hashmap.h"
#include "support/keyed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { KEYS = 600000, STEPS_AT_ONCE = 200000 };

struct world {
    struct keyed keyed;
    struct state_def def;
    struct state_table *table;
    struct batch *in;
    struct prng random;
    bool *is_there;
    uint32_t numbers[BATCH_ROWS];
    uint64_t hashes[BATCH_ROWS], steps_at_most;
    void *rows[BATCH_ROWS];
};

static const uint32_t cols[1] = {0};

static void resolve(struct world *w, uint32_t n, enum state_intent intent)
{
    uint64_t before = hm_of(w->table)->index_steps;

    batch_clear(w->in);
    for (uint32_t i = 0; i < n; i++) VECTOR_VALUES(&w->in->cols[0], int64_t)[i] = w->numbers[i];
    w->in->count = n;
    batch_hash(w->in, cols, 1, w->hashes);
    struct state_keys keys = state_keys_of(w->in, cols, 1, w->hashes);
    assert_int_equal(state_resolve(w->table, 0, &keys, intent, w->rows, NULL), S_OK);
    w->steps_at_most = MAX(w->steps_at_most, hm_of(w->table)->index_steps - before);
}

static void random_numbers(struct world *w)
{
    for (uint32_t i = 0; i < BATCH_ROWS; i++) w->numbers[i] = (uint32_t)prng_below(&w->random, KEYS);
}

static void insert(struct world *w, uint32_t first)
{
    for (uint32_t i = 0; i < BATCH_ROWS; i++) w->numbers[i] = first + i < KEYS ? first + i : KEYS - 1;
    resolve(w, BATCH_ROWS, STATE_INSERT);
    for (uint32_t i = 0; i < BATCH_ROWS; i++) {
        *state_word(w->rows[i], 0) = w->numbers[i];
        w->is_there[w->numbers[i]] = true;
    }
    state_done(w->table);
}

static void remove_some(struct world *w)
{
    uint64_t which[BATCH_ROWS / 64];

    random_numbers(w);
    resolve(w, BATCH_ROWS, STATE_UPDATE);
    for (uint32_t i = 0; i < BATCH_ROWS / 64; i++) which[i] = UINT64_C(0x1111111111111111);
    state_remove(w->table, which);
    for (uint32_t i = 0; i < BATCH_ROWS; i += 4) w->is_there[w->numbers[i]] = false;
    state_done(w->table);
}

static void look(struct world *w)
{
    resolve(w, BATCH_ROWS, STATE_READ);
    for (uint32_t i = 0; i < BATCH_ROWS; i++) {
        assert_int_equal(w->rows[i] != NULL, w->is_there[w->numbers[i]]);
        if (w->rows[i] != NULL) assert_int_equal(*state_word(w->rows[i], 0), w->numbers[i]);
    }
    state_done(w->table);
}

static void one_shard_grows(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    uint64_t count = 0;

    (void)state;
    keyed_init(&w->keyed, "hashmap", 0, 1, 1);
    prng_init(&w->random, 11);
    w->is_there = calloc(KEYS, sizeof *w->is_there);
    w->def = (struct state_def){.name = "test",
                                .shape = STATE_MAP,
                                .key = keyed_type(&w->keyed, "ROW<k BIGINT NOT NULL> NOT NULL"),
                                .value = keyed_type(&w->keyed, "ROW<n BIGINT NOT NULL> NOT NULL")};
    assert_int_equal(state_open(&w->keyed.host, &w->def, &w->table, &w->keyed.err), S_OK);
    w->in = batch_create(w->def.key, BATCH_ROWS, &w->keyed.mem);
    for (uint32_t first = 0; first < KEYS; first += BATCH_ROWS) {
        insert(w, first);
        if (first % 3 == 0) remove_some(w);
        random_numbers(w);
        look(w);
    }
    for (uint32_t first = 0; first < KEYS; first += BATCH_ROWS) {
        for (uint32_t i = 0; i < BATCH_ROWS; i++) w->numbers[i] = MIN(first + i, (uint32_t)KEYS - 1);
        look(w);
    }
    for (uint32_t i = 0; i < KEYS; i++) count += w->is_there[i];
    assert_int_equal(state_count(w->table, 0), count);
    assert_in_range(hm_of(w->table)->index_steps, KEYS, 4 * KEYS);
    assert_in_range(w->steps_at_most, 1, STEPS_AT_ONCE);
    batch_free(w->in);
    state_close(w->table);
    keyed_release(&w->keyed);
    free(w->is_there);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_shard_grows)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
