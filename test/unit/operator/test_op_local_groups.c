/* test_op_local_groups.c - parts of groups: one row per group and batch, what is taken back, FILTER, no groups at all; and that the parts
 * of batches of any size give the group's row when they are merged. Values of DISTINCT calls: once per group, beside which FILTERs had them;
 * with what is taken back how often. */
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

/* Two sets: of v (all, and those that are ok) and of k. */
#define DISTINCT_CALLS                                                                                                            \
    .functions = TEXTS("count", "count", "sum", "count"), .arguments = TEXTS("v", "", "v", "k"), .filters = TEXTS("", "", "ok", ""), \
    .distinct = TEXTS("true", "false", "true", "true"), .names = TEXTS("a", "n", "b", "c")

static void values_go_on_once_per_group(void **state)
{
    const struct local_groups_config c = {.calls = {DISTINCT_CALLS}, .keys = TEXTS("k")};

    (void)state;
    run(&c, "local_groups", ROWS, NULL, "a | 5 | false\nb | null | true\na | 6 | false\na | 5 | true\nnull | 5 | true\na | 5 | false",
        "+I[a, 4, 0, 4, 0, 0, 0, 5, 3, a, 1]\n+I[a, 0, 0, 0, 0, 0, 0, 6, 1, null, 0]\n+I[b, 1, 0, 1, 0, 0, 0, null, 0, b, 1]\n"
        "+I[null, 1, 0, 1, 0, 0, 0, 5, 3, null, 0]\n");
}

static void values_that_are_taken_back_are_counted(void **state)
{
    const struct local_groups_config c = {.calls = {DISTINCT_CALLS, .retracts = true}, .keys = TEXTS("k")};

    (void)state;
    run(&c, "local_groups", ROWS, NULL, "a | 5 | true\n-U a | 5 | true\n+U a | 6 | true\na | 6 | false\n-D a | 7 | true",
        "+I[a, 1, 0, 1, 0, 0, 0, 6, 2, 1, a, 1]\n+I[a, 0, 0, 0, 0, 0, 0, 7, -1, -1, null, 0]\n");
}

static void values_of_parts_are_merged(void **state)
{
    const struct group_config c = {DISTINCT_CALLS, .types = TEXTS("BIGINT", "", "BIGINT", "STRING"), .merges = true, .emit_before = true};
    const struct group_config back = {DISTINCT_CALLS, .types = TEXTS("BIGINT", "", "BIGINT", "STRING"), .merges = true, .retracts = true,
                                      .emit_before = true};
#define WORDS "k STRING, p0 BIGINT NOT NULL, p1 BIGINT NOT NULL, p2 BIGINT NOT NULL, p3 BIGINT NOT NULL, p4 BIGINT NOT NULL, p5 BIGINT NOT NULL"

    (void)state;
    run(&c, "group_aggregate", "ROW<" WORDS ", v BIGINT, v0 BIGINT NOT NULL, w STRING, w0 BIGINT NOT NULL>", "k",
        "a | 3 | 0 | 3 | 0 | 0 | 0 | 5 | 3 | a | 1\na | 0 | 0 | 0 | 0 | 0 | 0 | 6 | 1 | null | 0\na | 2 | 0 | 2 | 0 | 0 | 0 | 6 | 2 | a | 1",
        "+I[a, 2, 5, 11, 1]\n");
    run(&back, "group_aggregate", "ROW<" WORDS ", v BIGINT, v0 BIGINT NOT NULL, v1 BIGINT NOT NULL, w STRING, w0 BIGINT NOT NULL>", "k",
        "a | 3 | 0 | 3 | 0 | 0 | 0 | 5 | 2 | 1 | a | 3\na | 0 | 0 | 0 | 0 | 0 | 0 | 6 | 1 | 1 | null | 0\n"
        "a | -1 | 0 | -1 | 0 | 0 | 0 | 5 | -2 | 1 | a | -1\na | 0 | 0 | 0 | 0 | 0 | 0 | 6 | 1 | -1 | null | 0",
        "+I[a, 1, 2, 5, 1]\n");
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
        cmocka_unit_test(values_go_on_once_per_group),
        cmocka_unit_test(values_that_are_taken_back_are_counted),
        cmocka_unit_test(values_of_parts_are_merged),
        cmocka_unit_test(without_groups_there_is_one),
        cmocka_unit_test(parts_are_merged),
        cmocka_unit_test(values_that_are_kept_have_no_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
