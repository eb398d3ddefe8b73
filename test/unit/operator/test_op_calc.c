/* test_op_calc.c - SQL's filter and projection: what the condition drops cannot fail, columns pass through uncopied, bytes that are
 * no expressions are refused; with batches of one row and of many. */
#include "columns/expr/expr.h"
#include "flow/operator/calc.h"
#include "ground/base/str.h"
#include "support/op_driver.h"
#include "support/operator_run.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

extern const struct op_type op_calc;

#define SCHEMA "ROW<a INT, b BIGINT NOT NULL, s STRING>"
#define ROWS "1 | 10 | x\nnull | 0 | y\n3 | -2 | a longer text than twelve\n"

struct fixture {
    struct mem mem;
    struct arena arena;
    struct buf condition, columns;
    const struct type *row;
    struct calc_config config;
    const char *names[8];
};

static void begin(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    mem_init(&f->mem, "test", 0);
    arena_init(&f->arena, &f->mem, 0);
    buf_init(&f->condition, &f->mem);
    buf_init(&f->columns, &f->mem);
    f->config.names.items = f->names;
    assert_int_equal(type_parse(&f->arena, STR(SCHEMA), &f->row, NULL), S_OK);
}

static void end(struct fixture *f)
{
    buf_release(&f->condition);
    buf_release(&f->columns);
    arena_release(&f->arena);
    mem_release(&f->mem);
}

static struct expr *expr_of(struct fixture *f, const char *text)
{
    struct expr *x;
    struct err e = {0};

    if (expr_parse(&f->arena, f->row, str_of(text), &x, &e) != S_OK) fail_msg("%s: %s", text, e.text);
    return x;
}

static void where(struct fixture *f, const char *text)
{
    expr_encode(expr_of(f, text), &f->condition);
    f->config.condition = (struct str){f->condition.data, f->condition.size};
}

static void column(struct fixture *f, const char *text, const char *name)
{
    expr_encode(expr_of(f, text), &f->columns);
    f->config.columns = (struct str){f->columns.data, f->columns.size};
    f->names[f->config.names.count++] = name;
}

static void expect(struct fixture *f, const char *want, const char *error)
{
    for (uint32_t size = 1; size <= 4; size += 3) {
        struct operator_run r = {.type = &op_calc, .config = &f->config, .schema = SCHEMA, .batch_rows = size};
        char *text = operator_run(&r, ROWS);
        assert_string_equal(r.error, error);
        if (error[0] == '\0') assert_string_equal(text, want);
        free(text);
    }
}

static void test_filter(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    where(&f, "b > 0 - 1");
    expect(&f, "+I[1, 10, x]\n+I[null, 0, y]\nW max\n", "");
    end(&f);
}

static void test_projection(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    column(&f, "a + b", "sum");
    column(&f, "s", "s");
    expect(&f, "+I[11, x]\n+I[null, y]\n+I[1, a longer text than twelve]\nW max\n", "");
    end(&f);
}

static void test_dropped_rows_do_not_fail(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    where(&f, "b <> 0");
    column(&f, "100 / b", "q");
    expect(&f, "+I[10]\n+I[-50]\nW max\n", "");
    end(&f);
}

static void test_failing_row(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    column(&f, "100 / b", "q");
    expect(&f, "", "operator 'calc' (subtask 1/1): division by zero in \"(100 / b)\", row +I[null, 0, y]");
    end(&f);
}

static void refused(struct fixture *f, const char *want)
{
    struct op_plan plan = {.arena = &f->arena, .inputs = {f->row}, .input_count = 1};
    struct err e = {0};

    assert_true(op_calc.derive(&plan, &f->config, &e) != S_OK);
    assert_string_equal(e.text, want);
}

static void test_bad_bytes(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    f.config.condition = STR("\xFF");
    refused(&f, "the bytes are no expression");
    f.config.condition = (struct str){0};
    where(&f, "b + 1");
    refused(&f, "the condition is not BOOLEAN");
    f.config.condition = (struct str){0};
    column(&f, "b", "x");
    column(&f, "a", "y");
    f.config.names.count = 1;
    refused(&f, "there are more expressions than names");
    end(&f);
}

static void test_watermark_of_the_place(void **state)
{
    struct fixture f;
    struct expr_maker m;
    struct expr *arg, *x;
    struct err e = {0};

    (void)state;
    begin(&f);
    m = (struct expr_maker){.a = &f.arena};
    assert_int_equal(type_parse(&f.arena, STR("ROW<t TIMESTAMP(3) *ROWTIME*>"), &f.row, NULL), S_OK);
    arg = expr_column(&m, f.row, 0);
    assert_int_equal(expr_call(&m, STR("CURRENT_WATERMARK"), &arg, 1, &x, &e), S_OK);
    expr_encode(x, &f.columns);
    f.config.columns = (struct str){f.columns.data, f.columns.size};
    f.names[f.config.names.count++] = "w";
    struct op_driver *d =
        op_driver_create(&(struct op_setup){.type = &op_calc, .config = &f.config, .in = "ROW<t TIMESTAMP(3) *ROWTIME*>"});
    op_push(d, 0, "1970-01-01 00:00:01");
    op_push_watermark(d, 1500);
    op_push(d, 0, "1970-01-01 00:00:02\n1970-01-01 00:00:01");
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(op_output(d), "+I[null]\n+I[1970-01-01T00:00:01.500]\n+I[1970-01-01T00:00:01.500]\n");
    op_driver_free(d);
    end(&f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_watermark_of_the_place),
        cmocka_unit_test(test_filter), cmocka_unit_test(test_projection),
                                              cmocka_unit_test(test_dropped_rows_do_not_fail), cmocka_unit_test(test_failing_row),
                                              cmocka_unit_test(test_bad_bytes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
