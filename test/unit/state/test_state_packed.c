/* test_state_packed.c - PACKED rows at their limits: texts longer than ends of 16 bits reach, integers out of reach of the field's base,
 * beside rows that are narrow. The other shapes' tests compare PACKED with a model (test_state_shapes.c). */
#include "flow/state/shape.h"
#include "support/keyed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 40, LETTERS = 64 * 1024 };

static int64_t number_of(uint32_t i) { return i % 3 == 0 ? INT64_MIN : i % 3 == 1 ? INT64_MAX : -(int64_t)i; }

/* Row i has texts of i * 997 and 30 bytes. */
static void rows_fill(struct batch *b, const char *letters)
{
    for (uint32_t i = 0; i < ROWS; i++) {
        VECTOR_VALUES(&b->cols[0], struct text)[i] = text_put(&b->heap, letters, i * 997);
        VECTOR_VALUES(&b->cols[1], int64_t)[i] = number_of(i);
        VECTOR_VALUES(&b->cols[2], struct text)[i] = text_put(&b->heap, letters + i, 30);
    }
    b->count = ROWS;
}

static void rows_check(const struct batch *b, const char *letters)
{
    for (uint32_t i = 0; i < ROWS; i++) {
        const struct text *a = &VECTOR_VALUES(&b->cols[0], struct text)[i], *c = &VECTOR_VALUES(&b->cols[2], struct text)[i];
        assert_int_equal(a->size, i * 997);
        assert_memory_equal(text_data(a), letters, a->size);
        assert_true(VECTOR_VALUES(&b->cols[1], int64_t)[i] == number_of(i));
        assert_int_equal(c->size, 30);
        assert_memory_equal(text_data(c), letters + i, 30);
    }
}

static void rows_of_any_length_and_value_are_read_back(void **state)
{
    static const uint32_t key_col[1] = {0}, cols[3] = {0, 1, 2};
    struct state_hits *hits = malloc(sizeof *hits);
    char *letters = malloc(LETTERS);
    struct state_scan scan = {0};
    struct state_table *table;
    struct keyed k;
    void *heads[ROWS];
    uint16_t numbers[ROWS];
    uint64_t hash;

    (void)state;
    for (uint32_t i = 0; i < LETTERS; i++) letters[i] = (char)('a' + i % 26);
    keyed_init(&k, "hashmap", 0, 64, 64);
    const struct type *key = keyed_type(&k, "ROW<k BIGINT> NOT NULL");
    const struct type *value = keyed_type(&k, "ROW<a STRING NOT NULL, b BIGINT NOT NULL, c STRING NOT NULL> NOT NULL");
    struct state_def def = {.name = "rows", .shape = STATE_PACKED, .key = key, .value = value};
    assert_int_equal(state_open(&k.host, &def, &table, &k.err), S_OK);
    struct batch *keys = batch_create(key, 1, &k.mem), *in = batch_create(value, ROWS, &k.mem), *out = batch_create(value, ROWS, &k.mem);
    VECTOR_VALUES(&keys->cols[0], int64_t)[0] = 7;
    keys->count = 1;
    batch_hash(keys, key_col, 1, &hash);
    struct state_keys found = state_keys_of(keys, key_col, 1, &hash);
    assert_int_equal(state_resolve(table, 0, &found, STATE_INSERT, heads, NULL), S_OK);
    for (uint32_t i = 0; i < ROWS; i++) {
        heads[i] = heads[0];
        numbers[i] = (uint16_t)i;
    }
    rows_fill(in, letters);
    assert_int_equal(state_packed_append(table, 0, heads, in, cols, numbers, ROWS), S_OK);
    assert_int_equal(state_scan(table, 0, heads, 1, &scan, hits), S_OK);
    assert_int_equal(hits->count, ROWS);
    for (uint32_t f = 0; f < 3; f++)
        state_rows_load(table, (const void *const *)hits->row, ROWS, f, &out->cols[f], 0, &out->heap, &k.mem);
    rows_check(out, letters);
    state_done(table);
    batch_free(keys);
    batch_free(in);
    batch_free(out);
    state_close(table);
    keyed_release(&k);
    free(letters);
    free(hits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows_of_any_length_and_value_are_read_back)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
