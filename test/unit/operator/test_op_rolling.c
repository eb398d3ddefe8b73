/* test_op_rolling.c - reduce and the rolling aggregates: results row by row whatever the batch, widths that wrap, Java's
 * order of reals, ties, columns nobody reads, state that is pending. */
#include "ground/base/prng.h"
#include "support/op_driver.h"
#include "support/rows.h"

#include <thalweg/context.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const uint32_t sizes[] = {0, 1, 3};
static const char *const backends[] = {"hashmap", "pending"};

/* Runs one aggregate over some rows with every batch size and backend; the output must be `expected` each time. */
static void expect(const char *aggregate, const char *field, const char *type, const char *rows, const char *expected)
{
    struct rolling_config c = {aggregate, field};

    for (uint32_t b = 0; b < COUNT_OF(backends); b++) {
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("rolling"),
                                                                      .config = &c,
                                                                      .in = type,
                                                                      .keys = "k",
                                                                      .batch_rows = sizes[i],
                                                                      .backend = backends[b]});
            op_push(d, 0, rows);
            assert_string_equal(op_driver_error(d), "");
            assert_string_equal(op_output(d), expected);
            if (b == 1) assert_true(op_pending_count(d) > 0);
            op_driver_free(d);
        }
    }
}

#define SALES "ROW<note STRING, k INT NOT NULL, v BIGINT>"
#define ROWS                                                                                                           \
    "@1 first | 1 | 5\n@2 a longer second note | 2 | 7\nthird | 1 | -9\n@4 null | 1 | 20\n@5 fifth | 2 | 7\n@6 sixth " \
    "| 1 | 20"

static void sum_keeps_the_first_rows_columns(void **state)
{
    (void)state;
    expect("sum", "v", SALES, ROWS,
           "+I[first, 1, 5]@1\n+I[a longer second note, 2, 7]@2\n+I[first, 1, -4]\n+I[first, 1, 16]@4\n"
           "+I[a longer second note, 2, 14]@5\n+I[first, 1, 36]@6\n");
}

static void min_and_max_keep_the_first_rows_columns(void **state)
{
    (void)state;
    expect("min", "v", SALES, ROWS,
           "+I[first, 1, 5]@1\n+I[a longer second note, 2, 7]@2\n+I[first, 1, -9]\n+I[first, 1, -9]@4\n"
           "+I[a longer second note, 2, 7]@5\n+I[first, 1, -9]@6\n");
    expect("max", "v", SALES, ROWS,
           "+I[first, 1, 5]@1\n+I[a longer second note, 2, 7]@2\n+I[first, 1, 5]\n+I[first, 1, 20]@4\n"
           "+I[a longer second note, 2, 7]@5\n+I[first, 1, 20]@6\n");
}

static void min_by_and_max_by_keep_the_whole_first_extreme(void **state)
{
    (void)state;
    expect("min_by", "v", SALES, ROWS,
           "+I[first, 1, 5]@1\n+I[a longer second note, 2, 7]@2\n+I[third, 1, -9]\n+I[third, 1, -9]@4\n"
           "+I[a longer second note, 2, 7]@5\n+I[third, 1, -9]@6\n");
    expect("max_by", "v", SALES, ROWS,
           "+I[first, 1, 5]@1\n+I[a longer second note, 2, 7]@2\n+I[first, 1, 5]\n+I[null, 1, 20]@4\n"
           "+I[a longer second note, 2, 7]@5\n+I[null, 1, 20]@6\n");
}

static void of_equal_extremes_the_latest_stays_when_asked_for(void **state)
{
    (void)state;
    expect("min_by_last", "v", SALES, ROWS,
           "+I[first, 1, 5]@1\n+I[a longer second note, 2, 7]@2\n+I[third, 1, -9]\n+I[third, 1, -9]@4\n"
           "+I[fifth, 2, 7]@5\n+I[third, 1, -9]@6\n");
    expect("max_by_last", "v", SALES, ROWS,
           "+I[first, 1, 5]@1\n+I[a longer second note, 2, 7]@2\n+I[first, 1, 5]\n+I[null, 1, 20]@4\n"
           "+I[fifth, 2, 7]@5\n+I[sixth, 1, 20]@6\n");
    expect("max_by_last", "v", "ROW<k INT, v DOUBLE, x INT>", "1 | NaN | 1\n1 | 2.0 | 2\n1 | NaN | 3\n1 | 9.0 | 4",
           "+I[1, NaN, 1]\n+I[1, NaN, 1]\n+I[1, NaN, 3]\n+I[1, NaN, 3]\n");
    expect("min_by_last", "v", "ROW<v STRING, k INT, x INT>",
           "because it is a long string | 1 | 1\nz | 1 | 2\nbecause it is a long string | 1 | 3",
           "+I[because it is a long string, 1, 1]\n+I[because it is a long string, 1, 1]\n"
           "+I[because it is a long string, 1, 3]\n");
    expect("min_by_last", "v", "ROW<v DECIMAL(30, 2), k INT, x INT>", "5.00 | 1 | 1\n5.00 | 1 | 2\n7.00 | 1 | 3",
           "+I[5.00, 1, 1]\n+I[5.00, 1, 2]\n+I[5.00, 1, 2]\n");
}

static void integer_sums_wrap_in_their_width(void **state)
{
    (void)state;
    expect("sum", "v", "ROW<k INT, v TINYINT>", "1 | 100\n1 | 27\n1 | 1\n1 | -1",
           "+I[1, 100]\n+I[1, 127]\n+I[1, -128]\n+I[1, 127]\n");
    expect("sum", "v", "ROW<k INT, v SMALLINT>", "1 | 32767\n1 | 1", "+I[1, 32767]\n+I[1, -32768]\n");
    expect("sum", "v", "ROW<k INT, v INT>", "1 | -2147483648\n1 | -1", "+I[1, -2147483648]\n+I[1, 2147483647]\n");
    expect("sum", "v", "ROW<k INT, v BIGINT>", "1 | 9223372036854775807\n1 | 1",
           "+I[1, 9223372036854775807]\n+I[1, -9223372036854775808]\n");
}

static void reals_add_in_their_width_and_order_as_java_does(void **state)
{
    (void)state;
    expect("sum", "v", "ROW<k INT, v FLOAT>", "1 | 16777216.0\n1 | 1.0\n1 | 1.0",
           "+I[1, 1.6777216E7]\n+I[1, 1.6777216E7]\n+I[1, 1.6777216E7]\n");
    expect("sum", "v", "ROW<k INT, v DOUBLE>", "1 | 0.1\n1 | 0.2", "+I[1, 0.1]\n+I[1, 0.30000000000000004]\n");
    expect("max", "v", "ROW<k INT, v DOUBLE>", "1 | -0.0\n1 | 0.0\n1 | NaN\n1 | 5.0",
           "+I[1, -0.0]\n+I[1, 0.0]\n+I[1, NaN]\n+I[1, NaN]\n");
    expect("min", "v", "ROW<k INT, v DOUBLE>", "1 | NaN\n1 | 0.0\n1 | -0.0\n1 | 0.0",
           "+I[1, NaN]\n+I[1, 0.0]\n+I[1, -0.0]\n+I[1, -0.0]\n");
}

static void strings_and_wide_values_compare(void **state)
{
    (void)state;
    expect("max_by", "v", "ROW<v STRING, k STRING, x INT>",
           "b | k | 1\nba | k | 2\nb | k | 3\nbecause it is a long string | k | 4\na | k | 5",
           "+I[b, k, 1]\n+I[ba, k, 2]\n+I[ba, k, 2]\n+I[because it is a long string, k, 4]\n+I[because it is a long "
           "string, k, 4]\n");
    expect("min", "v", "ROW<v DECIMAL(30, 2), k INT>", "5.00 | 1\n-1234567890123456789012345678.99 | 1\n7.00 | 1",
           "+I[5.00, 1]\n+I[-1234567890123456789012345678.99, 1]\n+I[-1234567890123456789012345678.99, 1]\n");
    expect("max", "v", "ROW<v TIMESTAMP(9), k INT>",
           "2001-01-01 00:00:00.000000001 | 1\n2001-01-01 00:00:00.000000002 | 1\n2000-01-01 00:00:00 | 1",
           "+I[2001-01-01T00:00:00.000000001, 1]\n+I[2001-01-01T00:00:00.000000002, "
           "1]\n+I[2001-01-01T00:00:00.000000002, 1]\n");
    expect("max", "v", "ROW<v BOOLEAN, k INT>", "false | 1\ntrue | 1\nfalse | 1",
           "+I[false, 1]\n+I[true, 1]\n+I[true, 1]\n");
}

/* Whatever the batch: many keys, many ties, columns of every kind that state keeps. */
static void results_do_not_depend_on_batches(void **state)
{
    static const char *const aggregates[] = {"sum", "min", "max", "min_by", "max_by", "min_by_last", "max_by_last"};
    struct mem mem;
    struct buf rows;
    struct prng prng;

    (void)state;
    mem_init(&mem, "test", 0);
    buf_init(&rows, &mem);
    prng_init(&prng, 7);
    for (int i = 0; i < 1500; i++) {
        uint64_t k = prng_below(&prng, 40), v = prng_below(&prng, 10);
        if (i % 7 == 0)
            buf_printf(&rows, "null | %d.5 | %llu | key %llu | %llu\n", i, (unsigned long long)v,
                       (unsigned long long)k % 6, (unsigned long long)k);
        else
            buf_printf(&rows, "a note with the number %d | %d.5 | %llu | key %llu | %llu\n", i, i,
                       (unsigned long long)v, (unsigned long long)k % 6, (unsigned long long)k);
    }
    for (uint32_t a = 0; a < COUNT_OF(aggregates); a++) {
        struct rolling_config c = {aggregates[a], "v"};
        struct buf one;
        buf_init(&one, &mem);
        for (uint32_t i = 0; i < 3; i++) {
            static const uint32_t steps[] = {1, 0, 100};
            struct op_driver *d = op_driver_create(
                &(struct op_setup){.type = op_find("rolling"),
                                   .config = &c,
                                   .in = "ROW<note STRING, x DOUBLE, v BIGINT, k STRING, k2 INT>",
                                   .keys = "k k2",
                                   .batch_rows = steps[i]});
            op_push(d, 0, buf_text(&rows));
            if (i == 0)
                buf_append_text(&one, op_output(d));
            else
                assert_string_equal(op_output(d), buf_text(&one));
            op_driver_free(d);
        }
        buf_release(&one);
    }
    buf_release(&rows);
    assert_int_equal(mem.used, 0);
    mem_release(&mem);
}

static void mistakes_are_refused(void **state)
{
    static const struct {
        const char *aggregate, *field, *type, *error;
    } cases[] = {
        {"sum", "note", SALES,
         "sum of column 'note', which is STRING (sums are of TINYINT to BIGINT, FLOAT and DOUBLE)"},
        {"sum", "v", "ROW<k INT, v DECIMAL(10, 2)>",
         "sum of column 'v', which is DECIMAL(10, 2) (sums are of TINYINT to BIGINT, FLOAT and DOUBLE)"},
        {"max", "v", "ROW<k INT, v ARRAY<INT>>",
         "max of column 'v', which is ARRAY<INT> (compare plain values, not arrays, maps or rows)"},
        {"max", "weight", SALES, "field 'weight' is not in stream 'input' (has: note, k, v)"},
        {"average", "v", SALES, "unknown rolling aggregate 'average'; there are sum, min, max, min_by, max_by, min_by_last, "
         "max_by_last"},
    };

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
        struct rolling_config c = {cases[i].aggregate, cases[i].field};
        struct op_driver *d = op_driver_create(
            &(struct op_setup){.type = op_find("rolling"), .config = &c, .in = cases[i].type, .keys = "k"});
        assert_string_equal(op_driver_error(d), cases[i].error);
        op_driver_free(d);
    }
}

static void null_keys_and_values_fail(void **state)
{
    struct rolling_config c = {"sum", "v"};
    static const char *const rows[] = {"1 | null", "null | 1"};
#define ADVICE " (remove such rows before it, for example with tw_filter)"
    static const char *const errors[] = {"a row has NULL in the aggregated column 'v'" ADVICE,
                                         "a row has NULL in the key column 'k'" ADVICE};

    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        struct op_driver *d = op_driver_create(
            &(struct op_setup){.type = op_find("rolling"), .config = &c, .in = "ROW<k INT, v INT>", .keys = "k"});
        op_push(d, 0, "1 | 1");
        op_push(d, 0, rows[i]);
        assert_string_equal(op_driver_error(d), errors[i]);
        op_driver_free(d);
    }
}

/* --- reduce ---------------------------------------------------------------------------------------------------------------- */
struct tally {
    struct tw_str word, trail;
    int64_t n;
};
TW_ROW(tally, TW_FIELD(tally, word, "STRING NOT NULL"), TW_FIELD(tally, trail, "STRING NOT NULL"),
       TW_FIELD(tally, n, "BIGINT NOT NULL"));

struct join_self {
    char buffer[256];
};

static enum tw_status join_two(struct tw_context *cx, const void *a, const void *b, void *out)
{
    const struct tally *x = a, *y = b;
    struct tally *sum = out;
    struct join_self *self = tw_self(cx);

    if (y->n == 13) return tw_fail(cx, "thirteen");
    sum->word = x->word;
    sum->n = x->n + y->n;
    int size = snprintf(self->buffer, sizeof self->buffer, "%.*s+%.*s", (int)x->trail.size, x->trail.data,
                        (int)y->trail.size, y->trail.data);
    sum->trail = (struct tw_str){self->buffer, (size_t)size};
    return TW_OK;
}
TW_FUNCTION(join) = {.in = &tally_row, .self_size = sizeof(struct join_self), .reduce = join_two};

static void reduce_combines_row_by_row(void **state)
{
    struct function_config c = {{.name = "join", .fn = &join}};

    (void)state;
    for (uint32_t b = 0; b < COUNT_OF(backends); b++) {
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("reduce"),
                                                                      .config = &c,
                                                                      .in = "ROW<n BIGINT, word STRING, trail STRING>",
                                                                      .keys = "word",
                                                                      .batch_rows = sizes[i],
                                                                      .backend = backends[b]});
            op_push(d, 0, "@1 1 | a | x\n@2 2 | b | a trail of its own\n@3 3 | a | y\n@4 4 | a | z\n5 | b | q");
            op_push(d, 0, "6 | a | 0123456789");
            assert_string_equal(op_driver_error(d), "");
            assert_string_equal(op_output(d),
                                "+I[a, x, 1]@1\n+I[b, a trail of its own, 2]@2\n+I[a, x+y, 4]@3\n+I[a, x+y+z, 8]@4\n"
                                "+I[b, a trail of its own+q, 7]\n+I[a, x+y+z+0123456789, 14]\n");
            op_push(d, 0, "13 | b | p");
            assert_string_equal(op_driver_error(d), "key [b], row +I[13, b, p]: thirteen");
            op_driver_free(d);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sum_keeps_the_first_rows_columns),
        cmocka_unit_test(min_and_max_keep_the_first_rows_columns),
        cmocka_unit_test(min_by_and_max_by_keep_the_whole_first_extreme),
        cmocka_unit_test(of_equal_extremes_the_latest_stays_when_asked_for),
        cmocka_unit_test(integer_sums_wrap_in_their_width),
        cmocka_unit_test(reals_add_in_their_width_and_order_as_java_does),
        cmocka_unit_test(strings_and_wide_values_compare),
        cmocka_unit_test(results_do_not_depend_on_batches),
        cmocka_unit_test(mistakes_are_refused),
        cmocka_unit_test(null_keys_and_values_fail),
        cmocka_unit_test(reduce_combines_row_by_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
