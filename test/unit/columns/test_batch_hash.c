/* test_batch_hash.c - the canonical hash is a format: golden vectors, equal values hash alike, every path agrees. */
#include "columns/column/batch.h"
#include "ground/base/hash.h"
#include "ground/base/prng.h"
#include "support/rows.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

struct world {
    struct mem mem;
    struct arena arena;
};

static int set_up(void **state)
{
    static struct world w;

    memset(&w, 0, sizeof w);
    mem_init(&w.mem, "test", 0);
    arena_init(&w.arena, &w.mem, 0);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    arena_release(&w->arena);
    assert_int_equal(w->mem.used, 0);
    mem_release(&w->mem);
    return 0;
}

/* The hash of the one row over all columns. */
static uint64_t hash_of(struct world *w, const char *fields, const char *row)
{
    static const uint32_t cols[] = {0, 1, 2, 3};
    char schema[200];
    uint64_t h;
    struct batch *b;

    (void)snprintf(schema, sizeof schema, "ROW<%s>", fields);
    b = rows_batch(rows_type(&w->arena, schema), &w->mem, row);
    assert_int_equal(b->count, 1);
    batch_hash(b, cols, b->col_count, &h);
    batch_free(b);
    return h;
}

static const struct {
    const char *fields, *row;
    uint64_t hash;
} golden[] = {
#include "unit/columns/golden_hashes.def"
};

/* These never change: savepoints hold state placed by them. */
static void test_golden_vectors(void **state)
{
    for (size_t i = 0; i < COUNT_OF(golden); i++) {
        uint64_t h = hash_of(*state, golden[i].fields, golden[i].row);
        if (h != golden[i].hash)
            fail_msg("%s %.60s: 0x%016llx", golden[i].fields, golden[i].row, (unsigned long long)h);
    }
}

static void test_single_values_hash_as_xxh3_of_their_bytes(void **state)
{
    struct world *w = *state;
    int64_t v = -5;
    double d = 2.5;

    assert_int_equal(hash_of(w, "a BIGINT", "-5\n"), hash64(&v, 8));
    assert_int_equal(hash_of(w, "a BIGINT", "-5\n"), hash64_u64((uint64_t)v));
    assert_int_equal(hash_of(w, "a DOUBLE", "2.5\n"), hash64(&d, 8));
    assert_int_equal(hash_of(w, "a STRING", "abc\n"), hash64("abc", 3));
    assert_int_equal(hash_of(w, "a STRING", "\"a string longer than twelve\"\n"),
                     hash64("a string longer than twelve", 27));
}

static void alike(struct world *w, const char *fields_a, const char *row_a, const char *fields_b, const char *row_b)
{
    if (hash_of(w, fields_a, row_a) != hash_of(w, fields_b, row_b))
        fail_msg("%s %s / %s %s", fields_a, row_a, fields_b, row_b);
}

static void test_equal_values_hash_alike(void **state)
{
    struct world *w = *state;

    alike(w, "a TINYINT", "-7\n", "a BIGINT", "-7\n");
    alike(w, "a SMALLINT", "-7\n", "a INT", "-7\n");
    alike(w, "a INT", "2147483647\n", "a DECIMAL(38, 0)", "2147483647\n");
    alike(w, "a DECIMAL(10, 2)", "-12.34\n", "a DECIMAL(20, 2)", "-12.34\n");
    alike(w, "a DOUBLE", "0\n", "a DOUBLE", "-0.0\n");
    alike(w, "a FLOAT", "-0.0\n", "a DOUBLE", "0\n");
    alike(w, "a FLOAT", "1.5\n", "a DOUBLE", "1.5\n");
    alike(w, "a FLOAT", "NaN\n", "a DOUBLE", "NaN\n");
    alike(w, "a STRING", "x\n", "a CHAR(1)", "x\n");
    alike(w, "a STRING", "null\n", "a INT", "null\n");
    alike(w, "a ARRAY<INT>", "null\n", "a NULL", "null\n");
    alike(w, "a MAP<STRING, INT>", "{x=1, y=2, z=null}\n", "a MAP<STRING, INT>", "{z=null, y=2, x=1}\n");
    alike(w, "a MULTISET<INT>", "{1=1, 2=2}\n", "a MULTISET<INT>", "{2=2, 1=1}\n");
}

static void test_every_nan_is_one(void **state)
{
    struct world *w = *state;
    static const uint64_t nans[] = {UINT64_C(0x7ff8000000000000), UINT64_C(0xfff8000000000000),
                                    UINT64_C(0x7ff0000000000001), UINT64_MAX};
    static const uint32_t col = 0;
    struct batch *b = batch_create(rows_type(&w->arena, "ROW<a DOUBLE>"), 4, &w->mem);
    uint64_t h[4];

    memcpy(b->cols[0].data, nans, sizeof nans);
    b->count = 4;
    batch_hash(b, &col, 1, h);
    for (int i = 0; i < 4; i++) assert_int_equal(h[i], hash64_u64(UINT64_C(0x7ff8000000000000)));
    batch_free(b);
}

static void test_different_values_hash_differently(void **state)
{
    static const char *const pairs[][4] = {
        {"a INT, b INT", "1 | 2\n", "a INT, b INT", "2 | 1\n"},
        {"a INT, b INT", "1 | null\n", "a INT, b INT", "null | 1\n"},
        {"a INT, b INT", "1 | 1\n", "a INT, b INT", "2 | 2\n"},
        {"a INT", "1\n", "a INT, b INT", "1 | null\n"},
        {"a ARRAY<INT>", "[]\n", "a ARRAY<INT>", "[null]\n"},
        {"a ARRAY<INT>", "[1, 2]\n", "a ARRAY<INT>", "[2, 1]\n"},
        {"a ARRAY<ARRAY<INT>>", "[[1], [2]]\n", "a ARRAY<ARRAY<INT>>", "[[1, 2], []]\n"},
        {"a ROW<x INT, y INT>", "(1, null)\n", "a ROW<x INT, y INT>", "(null, 1)\n"},
        {"a ROW<x INT>", "(null)\n", "a ROW<x INT>", "null\n"},
        {"a MAP<INT, INT>", "{1=2, 3=4}\n", "a MAP<INT, INT>", "{1=4, 3=2}\n"},
        {"a MAP<INT, INT>", "{1=2}\n", "a MAP<INT, INT>", "{2=1}\n"},
        {"a TIMESTAMP(9)", "2001-01-01 00:00:00.000000001\n", "a TIMESTAMP(9)", "2001-01-01 00:00:00\n"},
    };

    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        uint64_t a = hash_of(*state, pairs[i][0], pairs[i][1]), b = hash_of(*state, pairs[i][2], pairs[i][3]);
        if (a == b) fail_msg("%s and %s", pairs[i][1], pairs[i][3]);
    }
}

/* Flat, selected, constant and dictionary columns, in one batch longer than a chunk, agree with row-by-row hashing. */
static void test_every_path_agrees(void **state)
{
    struct world *w = *state;
    const struct type *schema = rows_type(&w->arena, "ROW<a BIGINT, s STRING, d INT, k ARRAY<INT>>");
    struct batch *b = batch_create(schema, BATCH_ROWS, &w->mem), *one = batch_create(schema, 1, &w->mem);
    struct batch *dict = rows_batch(rows_type(&w->arena, "ROW<d INT>"), &w->mem, "5\nnull\n-5\n");
    static const uint32_t cols[] = {3, 0, 1, 2};
    static uint64_t all[BATCH_ROWS], picked[BATCH_ROWS];
    static uint16_t sel[BATCH_ROWS];
    struct prng p;

    prng_init(&p, 11);
    for (uint32_t i = 0; i < 700; i++) {
        char row[200];
        uint64_t r = prng_below(&p, 5);
        (void)snprintf(row, sizeof row, r == 0 ? "null | null | 0 | null\n" : "%d | some text number %d | 0 | [%d]\n",
                       (int)i, (int)i, (int)i);
        rows_add(b, row);
    }
    for (uint32_t i = 0; i < 700; i++) ((uint16_t *)b->cols[2].data)[i] = (uint16_t)(i % 3);
    b->cols[2].form = VEC_DICT;
    b->cols[2].children = dict->cols;
    b->cols[2].child_count = 1;
    vector_make_const(&b->cols[3]);

    batch_hash(b, cols, 4, all);
    for (uint32_t i = 0; i < 700; i++) {
        uint16_t row = (uint16_t)i;
        uint64_t h;
        batch_clear(one);
        batch_append(one, b, &row, 1);
        batch_hash(one, cols, 4, &h);
        assert_int_equal(h, all[i]);
    }
    uint32_t n = 0;
    for (uint32_t i = 0; i < 700; i += 1 + (uint32_t)prng_below(&p, 2)) sel[n++] = (uint16_t)i;
    b->sel = sel;
    b->sel_count = n;
    batch_hash(b, cols, 4, picked);
    for (uint32_t i = 0; i < n; i++) assert_int_equal(picked[i], all[sel[i]]);
    batch_hash(b, cols, 0, picked);
    assert_int_equal(picked[0], picked[n - 1]);
    batch_free(b);
    batch_free(one);
    batch_free(dict);
}

/* Pairs of small numbers spread evenly over the high bits (key groups) and the low ones (index). */
static void test_pairs_spread(void **state)
{
    struct world *w = *state;
    const struct type *schema = rows_type(&w->arena, "ROW<a INT, b INT>");
    struct batch *b = batch_create(schema, BATCH_ROWS, &w->mem);
    static const uint32_t cols[] = {0, 1};
    static uint64_t h[1024];
    static uint32_t high[256], low[256];

    for (int a = 0; a < 256; a++) {
        for (int i = 0; i < 1024; i++) {
            VECTOR_VALUES(&b->cols[0], int32_t)[i] = a;
            VECTOR_VALUES(&b->cols[1], int32_t)[i] = i;
        }
        b->count = 1024;
        batch_hash(b, cols, 2, h);
        for (int i = 0; i < 1024; i++) {
            high[h[i] >> 56]++;
            low[h[i] & 255]++;
        }
    }
    for (int i = 0; i < 256; i++) { /* 1024 expected, sigma 32 */
        assert_in_range(high[i], 1024 - 160, 1024 + 160);
        assert_in_range(low[i], 1024 - 160, 1024 + 160);
    }
    batch_free(b);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_golden_vectors),
        TEST(test_single_values_hash_as_xxh3_of_their_bytes),
        TEST(test_equal_values_hash_alike),
        TEST(test_every_nan_is_one),
        TEST(test_different_values_hash_differently),
        TEST(test_every_path_agrees),
        TEST(test_pairs_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
