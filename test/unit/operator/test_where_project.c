/* test_where_project.c - expressions over columns (fn_arithmetic, fn_comparison) by way of the two operators that use them:
 * values, NULLs, widening, wrapping, division by zero, and what is refused when the graph is built. */
#include "columns/expr/expr.h"
#include "control/graph/graph.h"
#include "flow/operator/op_configs.h"
#include "support/operator_run.h"
#include "support/rows.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

extern const struct op_type op_where, op_project;

#define SCHEMA "ROW<a INT, b BIGINT NOT NULL, c DOUBLE, s STRING, t TIMESTAMP(3), f SMALLINT, g BOOLEAN>"
#define ROWS                                                                                                           \
    "1 | 10 | 1.5 | abc | 2001-01-01 00:00:00 | 7 | true\n"                                                            \
    "null | 20 | null | null | null | null | null\n"                                                                   \
    "-3 | 30 | -0.5 | a longer text than twelve | 2002-01-01 00:00:00 | -7 | false\n"

static void expect(const struct op_type *type, const void *config, const char *expected, const char *error)
{
    for (uint32_t size = 1; size <= 4; size += 3) {
        struct operator_run r = {.type = type, .config = config, .schema = SCHEMA, .batch_rows = size};
        char *text = operator_run(&r, ROWS);
        assert_string_equal(r.error, error);
        if (error[0] == '\0') assert_string_equal(text, expected);
        free(text);
    }
}

static void expect_where(const char *field, const char *op, const char *literal, const char *expected)
{
    const char *const settings[] = {"field", field, "op", op, "literal", literal};
    struct mem mem;
    struct arena arena;

    mem_init(&mem, "test", 0);
    arena_init(&arena, &mem, 0);
    void *config = arena_zalloc(&arena, op_where.config_size);
    for (uint32_t i = 0; i < 6; i += 2)
        assert_int_equal(graph_config_set(&arena, &op_where, config, settings[i], settings[i + 1], NULL), S_OK);
    expect(&op_where, config, expected, "");
    mem_release(&mem);
}

#define FIRST "+I[1, 10, 1.5, abc, 2001-01-01T00:00, 7, true]\n"
#define SECOND "+I[null, 20, null, null, null, null, null]\n"
#define THIRD "+I[-3, 30, -0.5, a longer text than twelve, 2002-01-01T00:00, -7, false]\n"

static void where_keeps_what_is_true(void **state)
{
    (void)state;
    expect_where("b", ">=", "20", SECOND THIRD "W max\n");
    expect_where("b", "<>", "20", FIRST THIRD "W max\n");
    expect_where("a", "<", "1", THIRD "W max\n"); /* NULL is not true */
    expect_where("c", ">", "-0.25", FIRST "W max\n");
    expect_where("s", "=", "a longer text than twelve", THIRD "W max\n");
    expect_where("s", "<", "abc", THIRD "W max\n"); /* a blank sorts before b */
    expect_where("t", "<=", "2001-06-01 00:00:00", FIRST "W max\n");
    expect_where("f", "=", "-7", THIRD "W max\n");
    expect_where("g", "=", "true", FIRST "W max\n");
    expect_where("a", "=", "77", "W max\n");
}

static void expect_project(const char *column, const char *expected)
{
    struct project_config c = {.columns = {&column, 1}};

    expect(&op_project, &c, expected, "");
}

static void project_computes(void **state)
{
    (void)state;
    expect_project("a + b AS x", "+I[11]\n+I[null]\n+I[27]\nW max\n");
    expect_project("b - 2 * (a + 1) AS x", "+I[6]\n+I[null]\n+I[34]\nW max\n");
    expect_project("b / 7 AS x", "+I[1]\n+I[2]\n+I[4]\nW max\n");
    expect_project("a % 2 AS x", "+I[1]\n+I[null]\n+I[-1]\nW max\n");
    expect_project("c * 2 AS x", "+I[3.0]\n+I[null]\n+I[-1.0]\nW max\n");
    expect_project("-b AS x", "+I[-10]\n+I[-20]\n+I[-30]\nW max\n");
    expect_project("f + 1 AS x", "+I[8]\n+I[null]\n+I[-6]\nW max\n");
    expect_project("a * 2147483647 + 0 AS x", "+I[2147483647]\n+I[null]\n+I[-2147483645]\nW max\n"); /* INT wraps */
    expect_project("b > 15 AS x", "+I[false]\n+I[true]\n+I[true]\nW max\n");
    expect_project("'it''s' AS x", "+I[it's]\n+I[it's]\n+I[it's]\nW max\n");
    expect_project("s AS name", "+I[abc]\n+I[null]\n+I[a longer text than twelve]\nW max\n");
}

static void division_by_zero_fails_the_row(void **state)
{
    const char *column = "10 / (b - 20) AS x";
    struct project_config c = {.columns = {&column, 1}};

    (void)state;
    expect(&op_project, &c, "",
           "operator 'project' (subtask 1/1): division by zero in \"(10 / (b - 20))\", row +I[null, 20, null, null, null, null, null]");
}

/* What is wrong is said when the graph is built. */
static void refuse(const char *text, const char *expected)
{
    struct mem mem;
    struct arena arena;
    struct err e = {0};
    struct expr *x;

    mem_init(&mem, "test", 0);
    arena_init(&arena, &mem, 0);
    assert_true(expr_parse(&arena, rows_type(&arena, SCHEMA), (struct str){text, strlen(text)}, &x, &e) != S_OK);
    assert_string_equal(e.text, expected);
    arena_release(&arena);
    mem_release(&mem);
}

static void mistakes_are_refused(void **state)
{
    char deep[400];

    (void)state;
    refuse("aa + 1", "column 'aa' is not in the stream (has: a, b, c, s, t, f, g)");
    refuse("s + 1", "Cannot apply '+' to arguments of type '<STRING> + <INT>'");
    refuse("a +", "the expression ends too early at position 4 of \"a +\"");
    refuse("(a + 1", "')' is missing at position 7 of \"(a + 1\"");
    refuse("a b", "unexpected text at position 3 of \"a b\"");
    refuse("'open", "text without closing quote at position 6 of \"'open\"");
    memset(deep, '(', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    struct mem mem;
    struct arena arena;
    struct err e = {0};
    struct expr *x;
    mem_init(&mem, "test", 0);
    arena_init(&arena, &mem, 0);
    assert_true(expr_parse(&arena, rows_type(&arena, SCHEMA), (struct str){deep, sizeof deep - 1}, &x, &e) != S_OK);
    assert_memory_equal(e.text, "the expression is nested too deeply", 35);
    arena_release(&arena);
    mem_release(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_keeps_what_is_true),
        cmocka_unit_test(project_computes),
        cmocka_unit_test(division_by_zero_fails_the_row),
        cmocka_unit_test(mistakes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
