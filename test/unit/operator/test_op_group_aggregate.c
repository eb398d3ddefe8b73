/* test_op_group_aggregate.c - groups of a changelog: what comes out per row and per batch, retraction, DISTINCT, FILTER, groups that
 * go and come again, NULL keys, rows that come in many sizes, state that is pending. */
#include "flow/operator/group_calls.h"
#include "support/op_driver.h"
#include "support/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const uint32_t sizes[] = {0, 1, 3};
static const char *const backends[] = {"hashmap", "pending"};

#define TEXTS(...) {(const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__}))}
#define TYPE "ROW<k INT, v BIGINT, ok BOOLEAN>"

static const struct group_config all = {.functions = TEXTS("count", "sum", "count", "count"),
                                        .arguments = TEXTS("", "v", "v", "v"),
                                        .filters = TEXTS("", "", "ok", ""),
                                        .distinct = TEXTS("false", "false", "false", "true"),
                                        .names = TEXTS("n", "s", "f", "d"),
                                        .emit_before = true,
                                        .emit_every = true,
                                        .retracts = true};

/* The output must be the same with every backend, and every batch size where each row has a change of its own. */
static void expect(const struct group_config *c, const char *keys, const char *rows, const char *expected)
{
    for (uint32_t b = 0; b < COUNT_OF(backends); b++)
        for (uint32_t i = 0; i < (c->emit_every ? COUNT_OF(sizes) : 1); i++) {
            struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("group_aggregate"),
                                                                      .config = c,
                                                                      .in = TYPE,
                                                                      .keys = keys,
                                                                      .batch_rows = sizes[i],
                                                                      .backend = backends[b]});
            op_push(d, 0, rows);
            assert_string_equal(op_driver_error(d), "");
            assert_string_equal(op_output(d), expected);
            if (b == 1) assert_true(op_pending_count(d) > 0);
            op_driver_free(d);
        }
}

static void every_row_has_its_change(void **state)
{
    (void)state;
    expect(&all, "k", "1 | 5 | true\n1 | 5 | false\n2 | null | true\n1 | 7 | null",
           "+I[1, 1, 5, 1, 1]\n-U[1, 1, 5, 1, 1]\n+U[1, 2, 10, 1, 1]\n+I[2, 1, null, 0, 0]\n-U[1, 2, 10, 1, 1]\n"
           "+U[1, 3, 17, 1, 2]\n");
}

static void rows_are_taken_back(void **state)
{
    (void)state;
    expect(&all, "k", "1 | 5 | true\n1 | 5 | true\n-D 1 | 5 | true\n-D 1 | 5 | true\n1 | 6 | true",
           "+I[1, 1, 5, 1, 1]\n-U[1, 1, 5, 1, 1]\n+U[1, 2, 10, 2, 1]\n-U[1, 2, 10, 2, 1]\n+U[1, 1, 5, 1, 1]\n"
           "-D[1, 1, 5, 1, 1]\n+I[1, 1, 6, 1, 1]\n");
}

static void nothing_is_taken_back_from_nothing(void **state)
{
    (void)state;
    expect(&all, "k", "-D 1 | 5 | true\n1 | 6 | true", "+I[1, 1, 6, 1, 1]\n");
}

static void null_is_a_key(void **state)
{
    (void)state;
    expect(&all, "k", "null | 1 | true\nnull | 2 | true",
           "+I[null, 1, 1, 1, 1]\n-U[null, 1, 1, 1, 1]\n+U[null, 2, 3, 2, 2]\n");
}

static void a_batch_has_one_change_per_key(void **state)
{
    struct group_config c = all;

    (void)state;
    c.emit_every = false;
    expect(&c, "k", "1 | 5 | true\n2 | 1 | true\n1 | 6 | true\n-D 2 | 1 | true\n1 | 6 | false", "+I[1, 3, 17, 2, 2]\n");
}

static void rows_before_are_left_out(void **state)
{
    struct group_config c = all;

    (void)state;
    c.emit_before = false;
    expect(&c, "k", "1 | 5 | true\n1 | 6 | true", "+I[1, 1, 5, 1, 1]\n+U[1, 2, 11, 2, 2]\n");
}

static void an_update_that_changes_nothing_is_left_out(void **state)
{
    const struct group_config c = {.functions = TEXTS("count"),
                                   .arguments = TEXTS("v"),
                                   .filters = TEXTS(""),
                                   .distinct = TEXTS("true"),
                                   .names = TEXTS("d"),
                                   .emit_before = true,
                                   .emit_every = true};

    (void)state;
    expect(&c, "k", "1 | 5 | true\n1 | 5 | true\n1 | null | true\n1 | 6 | true", "+I[1, 1]\n-U[1, 1]\n+U[1, 2]\n");
}

#define KEPT(...)                                                                                                                 \
    {.functions = TEXTS("first_value", "last_value", "array_agg", "collect", "min", "max"),                                      \
     .arguments = TEXTS("v", "v", "v", "v", "v", "v"),                                                                           \
     .filters = TEXTS("", "", "", "", "", "ok"),                                                                                 \
     .distinct = TEXTS("false", "false", "false", "false", "false", "false"),                                                    \
     .names = TEXTS("f", "l", "a", "c", "i", "x"),                                                                               \
     .emit_before = true,                                                                                                        \
     .emit_every = true,                                                                                                         \
     __VA_ARGS__}

static void values_are_kept(void **state)
{
    const struct group_config c = KEPT(.retracts = false);

    (void)state;
    expect(&c, "k", "1 | null | true\n1 | 7 | false\n1 | 5 | true",
           "+I[1, null, null, [null], {}, null, null]\n-U[1, null, null, [null], {}, null, null]\n"
           "+U[1, 7, 7, [null, 7], {7=1}, 7, null]\n-U[1, 7, 7, [null, 7], {7=1}, 7, null]\n"
           "+U[1, 7, 5, [null, 7, 5], {7=1, 5=1}, 5, 5]\n");
}

static void values_that_are_kept_are_taken_back(void **state)
{
    const struct group_config c = KEPT(.retracts = true);

    (void)state;
    expect(&c, "k", "1 | 5 | true\n1 | 5 | true\n1 | 9 | true\n-D 1 | 5 | true\n-D 1 | 9 | true\n-D 1 | 5 | true\n1 | 3 | true",
           "+I[1, 5, 5, [5], {5=1}, 5, 5]\n-U[1, 5, 5, [5], {5=1}, 5, 5]\n+U[1, 5, 5, [5, 5], {5=2}, 5, 5]\n"
           "-U[1, 5, 5, [5, 5], {5=2}, 5, 5]\n+U[1, 5, 9, [5, 5, 9], {5=2, 9=1}, 5, 9]\n"
           "-U[1, 5, 9, [5, 5, 9], {5=2, 9=1}, 5, 9]\n+U[1, 5, 9, [5, 9], {5=1, 9=1}, 5, 9]\n"
           "-U[1, 5, 9, [5, 9], {5=1, 9=1}, 5, 9]\n+U[1, 5, 5, [5], {5=1}, 5, 5]\n-D[1, 5, 5, [5], {5=1}, 5, 5]\n"
           "+I[1, 3, 3, [3], {3=1}, 3, 3]\n");
}

static void a_batch_keeps_values_once(void **state)
{
    struct group_config c = KEPT(.retracts = true);

    (void)state;
    c.emit_every = false;
    expect(&c, "k", "1 | 5 | true\n2 | 1 | true\n1 | 6 | true\n-D 2 | 1 | true\n-D 1 | 5 | true", "+I[1, 6, 6, [6], {6=1}, 6, 6]\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_has_its_change),       cmocka_unit_test(rows_are_taken_back),
        cmocka_unit_test(nothing_is_taken_back_from_nothing), cmocka_unit_test(null_is_a_key),
        cmocka_unit_test(a_batch_has_one_change_per_key), cmocka_unit_test(rows_before_are_left_out),
        cmocka_unit_test(an_update_that_changes_nothing_is_left_out),
        cmocka_unit_test(values_are_kept),                cmocka_unit_test(values_that_are_kept_are_taken_back),
        cmocka_unit_test(a_batch_keeps_values_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
