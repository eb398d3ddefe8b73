/* test_op_over_sorted.c - windows over rows in the order of a value: rows that come between others, rows taken back, equal values,
 * NULLs, what does not change, groups larger than a batch, state that is pending. */
#include "flow/operator/over_sorted.h"
#include "support/op_driver.h"
#include "support/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const uint32_t sizes[] = {0, 1, 3};
static const char *const backends[] = {"hashmap", "pending"};

#define TEXTS(...)                                                                                                     \
    {                                                                                                                  \
        (const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__}))                             \
    }
#define TYPE "ROW<k INT, o BIGINT, v BIGINT>"

static struct over_sorted_config config(bool rows, const char *function)
{
    static const char *const arguments[] = {"v"}, *const none[] = {""}, *const no[] = {"false"}, *const names[] = {"r"};
    static const char *const functions[][1] = {{"sum"}, {"max"}};
    struct over_sorted_config c = {.order = "o", .rows = rows};

    c.calls.functions = (struct text_list){functions[strcmp(function, "max") == 0], 1};
    c.calls.arguments = (struct text_list){arguments, 1};
    c.calls.filters = (struct text_list){none, 1};
    c.calls.distinct = (struct text_list){no, 1};
    c.calls.names = (struct text_list){names, 1};
    c.calls.emit_before = true;
    return c;
}

/* The output must be the same with every backend and every batch size. */
static void expect(struct over_sorted_config c, const char *rows, const char *expected)
{
    for (uint32_t b = 0; b < COUNT_OF(backends); b++)
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("over_sorted"),
                                                                      .config = &c,
                                                                      .in = TYPE,
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

static void a_row_between_updates_those_behind(void **state)
{
    (void)state;
    expect(config(false, "sum"), "1 | 5 | 1\n1 | 9 | 2\n2 | 1 | 7\n1 | 7 | 4",
           "+I[1, 5, 1, 1]\n+I[1, 9, 2, 3]\n+I[2, 1, 7, 7]\n+I[1, 7, 4, 5]\n-U[1, 9, 2, 3]\n+U[1, 9, 2, 7]\n");
}

static void equal_values_have_one_result(void **state)
{
    (void)state;
    expect(config(false, "sum"), "1 | 5 | 1\n1 | 5 | 2\n-D 1 | 5 | 1",
           "+I[1, 5, 1, 1]\n-U[1, 5, 1, 1]\n+U[1, 5, 1, 3]\n+I[1, 5, 2, 3]\n-D[1, 5, 1, 3]\n-U[1, 5, 2, 3]\n+U[1, 5, "
           "2, 2]\n");
    expect(config(true, "sum"), "1 | 5 | 1\n1 | 5 | 2\n-D 1 | 5 | 1",
           "+I[1, 5, 1, 1]\n+I[1, 5, 2, 3]\n-D[1, 5, 1, 1]\n-U[1, 5, 2, 3]\n+U[1, 5, 2, 2]\n");
}

static void rows_that_go_take_their_part_along(void **state)
{
    (void)state;
    expect(config(false, "sum"), "1 | null | 1\n1 | 9 | 2\n-U 1 | null | 1\n+U 1 | 10 | 5\n-D 1 | 3 | 3",
           "+I[1, null, 1, 1]\n+I[1, 9, 2, 3]\n-D[1, null, 1, 1]\n-U[1, 9, 2, 3]\n+U[1, 9, 2, 2]\n+U[1, 10, 5, 7]\n");
}

static void what_stays_is_not_told(void **state)
{
    (void)state;
    expect(config(false, "max"), "1 | 5 | 8\n1 | 9 | 2\n1 | 7 | 4\n1 | 1 | 9",
           "+I[1, 5, 8, 8]\n+I[1, 9, 2, 8]\n+I[1, 7, 4, 8]\n+I[1, 1, 9, 9]\n-U[1, 5, 8, 8]\n+U[1, 5, 8, 9]\n-U[1, 7, "
           "4, 8]\n"
           "+U[1, 7, 4, 9]\n-U[1, 9, 2, 8]\n+U[1, 9, 2, 9]\n");
}

static void rows_before_are_left_out(void **state)
{
    struct over_sorted_config c = config(false, "sum");

    (void)state;
    c.calls.emit_before = false;
    expect(c, "1 | 5 | 1\n1 | 4 | 2", "+I[1, 5, 1, 1]\n+I[1, 4, 2, 2]\n+U[1, 5, 1, 3]\n");
}

/* A value that came before counts no more; from the first other row of that value on nothing changes. */
static void equal_values_count_once(void **state)
{
    static const char *const yes[] = {"true"};
    struct over_sorted_config c = config(false, "sum");

    (void)state;
    c.calls.distinct = (struct text_list){yes, 1};
    expect(c, "1 | 5 | 7\n1 | 9 | 7\n1 | 7 | 4\n1 | 3 | 4\n1 | 2 | null\n-D 1 | 3 | 4",
           "+I[1, 5, 7, 7]\n+I[1, 9, 7, 7]\n+I[1, 7, 4, 11]\n-U[1, 9, 7, 7]\n+U[1, 9, 7, 11]\n"
           "+I[1, 3, 4, 4]\n-U[1, 5, 7, 7]\n+U[1, 5, 7, 11]\n+I[1, 2, null, null]\n"
           "-D[1, 3, 4, 4]\n-U[1, 5, 7, 11]\n+U[1, 5, 7, 7]\n");
    c.rows = true;
    expect(c, "1 | 5 | 7\n1 | 5 | 7\n1 | 5 | 2", "+I[1, 5, 7, 7]\n+I[1, 5, 7, 7]\n+I[1, 5, 2, 9]\n");
}

static void lists_grow_along_the_rows(void **state)
{
    static const char *const lists[] = {"array_agg"}, *const sets[] = {"collect"};
    struct over_sorted_config c = config(false, "sum");

    (void)state;
    c.calls.functions = (struct text_list){lists, 1};
    expect(c, "1 | 5 | 7\n1 | 9 | null\n1 | 7 | 4\n-D 1 | 5 | 7",
           "+I[1, 5, 7, [7]]\n+I[1, 9, null, [7, null]]\n+I[1, 7, 4, [7, 4]]\n-U[1, 9, null, [7, null]]\n+U[1, 9, null, [7, 4, null]]\n"
           "-D[1, 5, 7, [7]]\n-U[1, 7, 4, [7, 4]]\n+U[1, 7, 4, [4]]\n-U[1, 9, null, [7, 4, null]]\n+U[1, 9, null, [4, null]]\n");
    c.calls.functions = (struct text_list){sets, 1};
    expect(c, "1 | 5 | null\n1 | 9 | 4\n1 | 7 | 4", "+I[1, 5, null, {}]\n+I[1, 9, 4, {4=1}]\n+I[1, 7, 4, {4=1}]\n-U[1, 9, 4, {4=1}]\n+U[1, 9, 4, {4=2}]\n");
}

/* A row in front of more rows than any batch has room for. */
static void many_rows_are_updated(void **state)
{
    enum { ROWS = 1800 };
    char *rows = test_malloc((ROWS + 1) * 20), *expected = test_malloc(ROWS * 3 * 40), *p = rows, *q = expected;

    (void)state;
    for (int i = 0; i < ROWS; i++) {
        p += sprintf(p, "1 | %d | 1\n", i + 10);
        q += sprintf(q, "+I[1, %d, 1, %d]\n", i + 10, i + 1);
    }
    p += sprintf(p, "1 | 1 | 5");
    q += sprintf(q, "+I[1, 1, 5, 5]\n");
    for (int i = 0; i < ROWS; i++)
        q += sprintf(q, "-U[1, %d, 1, %d]\n+U[1, %d, 1, %d]\n", i + 10, i + 1, i + 10, i + 6);
    expect(config(false, "sum"), rows, expected);
    expect(config(true, "sum"), rows, expected);
    test_free(rows);
    test_free(expected);
}

/* More rows of a partition than are looked at in one call. */
static void a_walk_goes_on_in_the_next_call(void **state)
{
    enum { MANY = 70000, PUSH = 2000 };
    struct over_sorted_config c = config(false, "sum");
    struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("over_sorted"), .config = &c, .in = TYPE, .keys = "k"});
    char *rows = test_malloc(PUSH * 24), *p = rows;
    uint32_t lines = 0;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        p += sprintf(p, "1 | %d | 1\n", i + 10);
        if (i % PUSH < PUSH - 1) continue;
        op_push(d, 0, rows);
        p = rows;
        (void)op_output(d);
    }
    op_push(d, 0, "1 | 1 | 5");
    for (const char *at = op_output(d); (at = strchr(at, '\n')) != NULL; at++) lines++;
    assert_int_equal(lines, 1 + 2 * MANY);
    op_push(d, 0, "1 | 0 | null");
    assert_string_equal(op_output(d), "+I[1, 0, null, null]\n");
    test_free(rows);
    op_driver_free(d);
}

/* DISTINCT looks at all rows before: more of them than are looked at in one call, of lesser values or, with ROWS, of the same. */
static void distinct_goes_on_in_the_next_call(void **state)
{
    enum { MANY = 1500, VALUES = 7 };
    static const char *const yes[] = {"true"}, *const counts[] = {"count"};
    char *rows = test_malloc(MANY * 32), *expected = test_malloc(MANY * 48);

    (void)state;
    for (int with_rows = 0; with_rows < 2; with_rows++) {
        struct over_sorted_config c = config(with_rows, "sum");
        char *p = rows, *q = expected;
        c.calls.functions = (struct text_list){counts, 1};
        c.calls.distinct = (struct text_list){yes, 1};
        for (int i = 0; i < MANY; i++) {
            p += sprintf(p, "1 | %d | %d\n", with_rows ? 3 : i, i % VALUES);
            q += sprintf(q, "+I[1, %d, %d, %d]\n", with_rows ? 3 : i, i % VALUES, i + 1 < VALUES ? i + 1 : VALUES);
        }
        struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("over_sorted"), .config = &c, .in = TYPE, .keys = "k"});
        op_push(d, 0, rows);
        assert_string_equal(op_driver_error(d), "");
        assert_string_equal(op_output(d), expected);
        op_driver_free(d);
    }
    test_free(rows);
    test_free(expected);
}

/* Eight sets of the values of one partition: more than its rows take. */
static void distinct_values_have_a_bound(void **state)
{
    enum { PUSH = 100 };
    struct over_sorted_config c = {.order = "o",
                                   .calls = {.functions = TEXTS("count", "sum", "count", "sum", "count", "sum", "count", "sum"),
                                             .arguments = TEXTS("v", "v", "v", "v", "v", "v", "v", "v"),
                                             .filters = TEXTS("", "", "", "", "", "", "", ""),
                                             .distinct = TEXTS("true", "true", "true", "true", "true", "true", "true", "true"),
                                             .names = TEXTS("a", "b", "c", "d", "e", "f", "g", "h")}};
    struct op_driver *d = op_driver_create(&(struct op_setup){
        .type = op_find("over_sorted"), .config = &c, .in = TYPE, .keys = "k", .state_bytes_max = 512 * 1024});
    char rows[PUSH * 32];

    (void)state;
    for (int at = 0; op_driver_error(d)[0] == '\0' && at < 5000; at += PUSH) {
        char *p = rows;
        for (int i = at; i < at + PUSH; i++) p += sprintf(p, "1 | %d | %d\n", i, i);
        op_push(d, 0, rows);
        (void)op_output(d);
    }
    assert_non_null(strstr(op_driver_error(d), "DISTINCT over a window: "));
    assert_non_null(strstr(op_driver_error(d), " of 524288 bytes (raise 'thalweg.state.memory', or leave out DISTINCT)"));
    op_driver_free(d);
}

/* Results that are values themselves: texts, the first and the last. */
static void values_run_along(void **state)
{
    struct over_sorted_config c = {.order = "o",
                                   .calls = {.functions = TEXTS("min", "first_value", "last_value"),
                                             .arguments = TEXTS("v", "v", "v"),
                                             .filters = TEXTS("", "", ""),
                                             .distinct = TEXTS("false", "false", "false"),
                                             .names = TEXTS("a", "b", "c"),
                                             .emit_before = true}};

    (void)state;
    for (uint32_t b = 0; b < COUNT_OF(backends); b++)
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("over_sorted"),
                                                                      .config = &c,
                                                                      .in = "ROW<k INT, o BIGINT, v STRING>",
                                                                      .keys = "k",
                                                                      .batch_rows = sizes[i],
                                                                      .backend = backends[b]});
            op_push(d, 0, "1 | 5 | null\n1 | 9 | some text of some length\n1 | 7 | x\n1 | 8 | null\n-D 1 | 7 | x");
            assert_string_equal(op_driver_error(d), "");
            assert_string_equal(
                op_output(d),
                "+I[1, 5, null, null, null, null]\n"
                "+I[1, 9, some text of some length, some text of some length, some text of some length, some text of "
                "some length]\n"
                "+I[1, 7, x, x, x, x]\n"
                "-U[1, 9, some text of some length, some text of some length, some text of some length, some text of "
                "some length]\n"
                "+U[1, 9, some text of some length, some text of some length, x, some text of some length]\n"
                "+I[1, 8, null, x, x, x]\n"
                "-D[1, 7, x, x, x, x]\n"
                "-U[1, 8, null, x, x, x]\n+U[1, 8, null, null, null, null]\n"
                "-U[1, 9, some text of some length, some text of some length, x, some text of some length]\n"
                "+U[1, 9, some text of some length, some text of some length, some text of some length, some text of "
                "some length]\n");
            op_driver_free(d);
        }
}

static void what_is_folded_at_once_is_refused(void **state)
{
    struct over_sorted_config c = config(false, "max");
    struct op_driver *d;

    (void)state;
    c.calls.functions = (struct text_list)TEXTS("json_arrayagg");
    d = op_driver_create(&(struct op_setup){
        .type = op_find("over_sorted"), .config = &c, .in = "ROW<k INT, o BIGINT, v STRING>", .keys = "k"});
    assert_string_equal(op_driver_error(d),
                        "json_arrayagg of this type is not supported yet OVER a window that is not ordered by time");
    op_driver_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_between_updates_those_behind),
        cmocka_unit_test(equal_values_have_one_result),
        cmocka_unit_test(rows_that_go_take_their_part_along),
        cmocka_unit_test(what_stays_is_not_told),
        cmocka_unit_test(rows_before_are_left_out),
        cmocka_unit_test(equal_values_count_once),
        cmocka_unit_test(lists_grow_along_the_rows),
        cmocka_unit_test(many_rows_are_updated),
        cmocka_unit_test(a_walk_goes_on_in_the_next_call),
        cmocka_unit_test(distinct_goes_on_in_the_next_call),
        cmocka_unit_test(distinct_values_have_a_bound),
        cmocka_unit_test(values_run_along),
        cmocka_unit_test(what_is_folded_at_once_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
