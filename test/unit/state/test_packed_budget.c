/* test_packed_budget.c - a batch of packed rows that is refused, because memory is short, has taken nothing: also not for strings that
 * would be kept once. */
#include "flow/state/disk.h"
#include "flow/state/shape.h"
#include "support/keyed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { ROWS = 1000 };

static void rows_fill(struct batch *b, uint32_t first)
{
    char text[1024];

    batch_clear(b);
    for (uint32_t i = 0; i < ROWS; i++) {
        snprintf(text, sizeof text, "%0900u", (first + i) / 3);
        VECTOR_VALUES(&b->cols[0], struct text)[i] = text_put(&b->heap, text, 900);
    }
    b->count = ROWS;
}

static void strings_ask_for_room_first(void **state)
{
    static const uint32_t cols[1] = {0};
    struct keyed k;
    struct state_table *table;
    uint16_t numbers[ROWS];
    uint64_t hashes[ROWS];
    void *heads[ROWS];
    enum status st = S_OK;
    size_t before = 0, used = 0;

    (void)state;
    keyed_init(&k, "hashmap", 0, 1, 1);
    const struct state_def def = {.name = "rows",
                                  .version = 1,
                                  .shape = STATE_PACKED,
                                  .key = keyed_type(&k, "ROW<k BIGINT> NOT NULL"),
                                  .value = keyed_type(&k, "ROW<s STRING NOT NULL> NOT NULL")};
    assert_int_equal(state_open(&k.host, &def, &table, &k.err), S_OK);
    struct batch *keys = batch_create(def.key, ROWS, &k.mem), *values = batch_create(def.value, ROWS, &k.mem);
    for (uint32_t i = 0; i < ROWS; i++) {
        keyed_key(keys, cols, 1, i, i % 7);
        numbers[i] = (uint16_t)i;
    }
    keys->count = ROWS;
    batch_hash(keys, cols, 1, hashes);
    struct state_keys some = state_keys_of(keys, cols, 1, hashes);
    k.host.err = &k.err;
    rows_fill(values, 0);
    k.mem.limit = k.mem.used + (4 << 20);
    for (uint32_t at = 0; st == S_OK && at < 100 * ROWS; at += ROWS) {
        rows_fill(values, at);
        assert_int_equal(state_resolve(table, 0, &some, STATE_INSERT, heads, NULL), S_OK);
        before = state_host_bytes(&k.host);
        used = k.mem.used;
        st = state_packed_append(table, 0, heads, values, cols, numbers, ROWS);
        state_done(table);
    }
    assert_int_equal(st, E_BUDGET);
    assert_int_equal(state_host_bytes(&k.host), before);
    assert_int_equal(k.mem.used, used);
    batch_free(keys);
    batch_free(values);
    state_close(table);
    keyed_release(&k);
}

/* Words by key until there is no room: the host has its bounds; what was in memory last. */
static size_t words_fill(struct keyed *k)
{
    struct state_table *table;
    uint32_t cols[] = {0};
    uint64_t hashes[ROWS];
    void *heads[ROWS];
    enum status st = S_OK;
    const struct state_def def = {.name = "words",
                                  .version = 1,
                                  .shape = STATE_MAP,
                                  .key = keyed_type(k, "ROW<k BIGINT> NOT NULL"),
                                  .value = keyed_type(k, "ROW<w BIGINT NOT NULL> NOT NULL")};

    assert_int_equal(state_open(&k->host, &def, &table, &k->err), S_OK);
    struct batch *keys = batch_create(def.key, ROWS, &k->mem);
    for (uint32_t at = 0; st == S_OK && at < 1000 * ROWS; at += ROWS) {
        batch_clear(keys);
        for (uint32_t i = 0; i < ROWS; i++) keyed_key(keys, cols, 1, i, at + i);
        keys->count = ROWS;
        batch_hash(keys, cols, 1, hashes);
        struct state_keys some = state_keys_of(keys, cols, 1, hashes);
        st = state_resolve(table, 0, &some, STATE_INSERT, heads, NULL);
        if (st == S_OK) state_done(table);
    }
    assert_int_equal(st, E_BUDGET);
    assert_non_null(strstr(k->err.text, "state `words`: no room for "));
    size_t bytes = state_host_bytes(&k->host);
    batch_free(keys);
    state_close(table);
    return bytes;
}

static void host_anew(struct keyed *k, size_t bytes_max)
{
    keyed_init(k, "hashmap", 0, 1, 1);
    state_host_release(&k->host);
    k->host.bytes_max = bytes_max;
    k->host.err = &k->err;
    state_host_init(&k->host);
}

/* A bound of the host's own: the error says which option it is. */
static void what_is_beyond_names_the_option(void **state)
{
    struct keyed k;

    (void)state;
    host_anew(&k, 1 << 20);
    size_t bytes = words_fill(&k);
    assert_true(bytes > 1 << 18 && bytes <= 1 << 20);
    assert_non_null(strstr(k.err.text, " of 1048576 bytes are in use"));
    assert_non_null(strstr(k.err.hint, "raise 'thalweg.state.memory'"));
    keyed_release(&k);
}

/* What hosts may have together: the second finds less, and gives back what it took. */
static void hosts_share_a_budget(void **state)
{
    struct state_budget budget = {.max = 4 << 20};
    struct keyed one, two;

    (void)state;
    host_anew(&one, 0);
    state_host_budget(&one.host, &budget);
    host_anew(&two, 0);
    state_host_budget(&two.host, &budget);
    size_t first = words_fill(&one);
    assert_true(first > 2 << 20 && first <= 4 << 20);
    uint64_t used = sys_atomic_load(&budget.used);
    assert_true(used > 2 << 20 && used <= 4 << 20); /* pieces below a frame do not count */
    size_t second = words_fill(&two);
    assert_true(second + first <= 4 << 20);
    assert_non_null(strstr(two.err.text, " of 4194304 bytes that the process has for state are in use"));
    assert_non_null(strstr(two.err.hint, "set 'state.backend.type' to 'rocksdb'"));
    keyed_release(&two);
    assert_int_equal(sys_atomic_load(&budget.used), used);
    keyed_release(&one);
    assert_int_equal(sys_atomic_load(&budget.used), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(strings_ask_for_room_first), cmocka_unit_test(what_is_beyond_names_the_option),
                                       cmocka_unit_test(hosts_share_a_budget)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
