/* test_op_local_groups.c - parts of groups: one row per group and batch, what is taken back, FILTER, no groups at all; and that the parts
 * of batches of any size give the group's row when they are merged. */
#include "flow/operator/local_groups.h"
#include "support/op_driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define TEXTS(...) {(const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__}))}
#define ROWS "ROW<k STRING, v BIGINT, ok BOOLEAN>"
#define CALLS                                                                                                                     \
    .functions = TEXTS("count", "count", "count"), .arguments = TEXTS("", "v", ""), .filters = TEXTS("", "", "ok"),               \
    .distinct = TEXTS("false", "false", "false"), .names = TEXTS("n", "v", "f")

static void run(const void *config, const char *type, const char *in, const char *keys, const char *rows, const char *expected)
{
    struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find(type), .config = config, .in = in, .keys = keys});

    op_push(d, 0, rows);
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(op_output(d), expected);
    op_driver_free(d);
}

static void a_batch_has_one_part_per_group(void **state)
{
    const struct local_groups_config c = {.calls = {CALLS}, .keys = TEXTS("k")};

    (void)state;
    run(&c, "local_groups", ROWS, NULL, "a | 5 | true\nb | null | true\na | 6 | false\nnull | 1 | null\na | 5 | true",
        "+I[a, 3, 3, 3, 2]\n+I[b, 1, 1, 0, 1]\n+I[null, 1, 1, 1, 0]\n");
}

static void what_is_taken_back_counts_against(void **state)
{
    const struct local_groups_config c = {.calls = {CALLS, .retracts = true}, .keys = TEXTS("k")};

    (void)state;
    run(&c, "local_groups", ROWS, NULL, "-U a | 5 | true\n+U a | 5 | false\n-D b | 1 | true", "+I[a, 0, 0, 0, -1]\n+I[b, -1, -1, -1, -1]\n");
}

static void without_groups_there_is_one(void **state)
{
    const struct local_groups_config c = {.calls = {CALLS}};

    (void)state;
    run(&c, "local_groups", ROWS, NULL, "a | 5 | true\nb | null | true", "+I[2, 2, 1, 2]\n");
}

static void parts_are_merged(void **state)
{
    const struct group_config c = {CALLS, .types = TEXTS("", "BIGINT", ""), .merges = true, .retracts = true, .emit_before = true};

    (void)state;
    run(&c, "group_aggregate", "ROW<k STRING, p0 BIGINT NOT NULL, p1 BIGINT NOT NULL, p2 BIGINT NOT NULL, p3 BIGINT NOT NULL>", "k",
        "a | 3 | 3 | 3 | 2\nb | 1 | 1 | 0 | 1\na | -1 | -1 | 0 | 1\nb | -1 | -1 | 0 | -1\nc | -1 | -1 | -1 | 0", "+I[a, 2, 3, 3]\n");
}

static void values_that_are_kept_have_no_parts(void **state)
{
    const struct local_groups_config c = {.calls = {.functions = TEXTS("max"),
                                                    .arguments = TEXTS("k"),
                                                    .filters = TEXTS(""),
                                                    .distinct = TEXTS("false"),
                                                    .names = TEXTS("m")}};
    struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("local_groups"), .config = &c, .in = ROWS});

    (void)state;
    assert_string_equal(op_driver_error(d), "max has no partial results here");
    op_driver_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_has_one_part_per_group),
        cmocka_unit_test(what_is_taken_back_counts_against),
        cmocka_unit_test(without_groups_there_is_one),
        cmocka_unit_test(parts_are_merged),
        cmocka_unit_test(values_that_are_kept_have_no_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
