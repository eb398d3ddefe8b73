/* test_bind.c - expressions from text to value: types as TYPEOF names them, values as CAST(... AS STRING) shows them, NULLs, branches
 * that spare rows, and errors under their token. Every example of every
 * function is run as well (fn_arithmetic, fn_comparison, fn_logic, fn_cast, ...). */
#include "columns/column/sql_text.h"
#include "ground/base/str.h"
#include "language/sql/bind.h"
#include "language/sql/statement.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { ROWS = 3 };

struct fixture {
    struct mem mem;
    struct arena arena;
    struct buf out;
    struct err e;
    struct batch *batch;
    struct bind_column columns[8];
    struct bind_scope scope;
};

/* a INT: 1, NULL, 3; b BIGINT: 10, 0, -2; s STRING: x, NULL, "a text that is longer than twelve"; f BOOLEAN: true, false, NULL */
static void begin(struct fixture *f)
{
    const struct type *row;

    memset(f, 0, sizeof *f);
    mem_init(&f->mem, "test", 0);
    arena_init(&f->arena, &f->mem, 0);
    buf_init(&f->out, &f->mem);
    assert_int_equal(type_parse(&f->arena, STR("ROW<a INT, b BIGINT NOT NULL, s STRING, f BOOLEAN>"), &row, &f->e), S_OK);
    f->batch = batch_create(row, ROWS, &f->mem);
    f->batch->count = ROWS;
    memcpy(f->batch->cols[0].data, (int32_t[]){1, 0, 3}, 12);
    memcpy(f->batch->cols[1].data, (int64_t[]){10, 0, -2}, 24);
    struct text *s = f->batch->cols[2].data;
    s[0] = text_view("x", 1);
    s[2] = text_view("a text that is longer than twelve", 33);
    memcpy(f->batch->cols[3].data, (bool[]){true, false, false}, 3);
    vector_set_null(&f->batch->cols[0], 1);
    vector_set_null(&f->batch->cols[2], 1);
    vector_set_null(&f->batch->cols[3], 2);
    for (uint32_t i = 0; i < row->child_count; i++) f->columns[i] = (struct bind_column){STR("t"), str_of(row->names[i]), i};
    f->scope = (struct bind_scope){row, row->child_count, f->columns};
}

static void end(struct fixture *f)
{
    batch_free(f->batch);
    buf_release(&f->out);
    arena_release(&f->arena);
    mem_release(&f->mem);
}

static struct expr *bound(struct fixture *f, const char *text)
{
    struct tokens t;
    struct statement s;
    struct expr *x;
    const char *select = arena_printf(&f->arena, "SELECT %s", text);

    err_clear(&f->e);
    if (statement_parse_one(str_of(select), &f->arena, &t, &s, &f->e) != S_OK) return NULL;
    struct binder b = {.m = {.a = &f->arena}, .t = &t, .scope = &f->scope, .e = &f->e};
    const struct ast_query *q = s.body;
    return bind_expr(&b, q->select->items[0].x, &x) == S_OK ? x : NULL;
}

/* There and back as bytes; a cut anywhere is refused. */
static struct expr *carried(struct fixture *f, const char *text, const struct expr *x)
{
    struct expr_maker m = {.a = &f->arena};
    struct buf bytes;
    struct expr *back = NULL;

    buf_init(&bytes, &f->mem);
    expr_encode(x, &bytes);
    for (size_t cut = 0; cut <= bytes.size; cut++) {
        const uint8_t *at = (const uint8_t *)bytes.data, *end = at + cut;
        enum status st = expr_decode(&m, f->scope.row, &at, end, &back, NULL);
        assert_true((st == S_OK) == (cut == bytes.size));
    }
    if (!expr_equal(x, back)) fail_msg("%s", text);
    buf_release(&bytes);
    return back;
}

/* "v | v | v TYPE", or the error. */
static const char *value_of(struct fixture *f, const char *text, bool rows)
{
    struct expr *x = bound(f, text);
    const struct vector *v;

    buf_clear(&f->out);
    if (x == NULL) return f->e.text;
    x = carried(f, text, x);
    struct expr_run *run = expr_run_create(x, NULL, ROWS, &f->mem);
    if (expr_eval(run, f->batch, 0, &v, &f->e) == S_OK)
        for (uint32_t i = 0; i < (rows ? ROWS : 1); i++) {
            if (i > 0) buf_append_text(&f->out, " | ");
            if (vector_is_null(v, i)) buf_append_text(&f->out, "NULL");
            else sql_text_print(v, i, 0, &f->out);
        }
    else buf_append_text(&f->out, f->e.text);
    expr_run_free(run);
    if (rows || f->e.text[0] != '\0') return buf_text(&f->out);
    buf_append_byte(&f->out, ' ');
    type_print(x->type, &f->out);
    return buf_text(&f->out);
}

static void test_constants(void **state)
{
    static const char *const cases[][2] = {
#define VALUE(text, value) {text, value},
#include "bind_values.def"
#undef VALUE
    };
    struct fixture f;

    (void)state;
    begin(&f);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *got = value_of(&f, cases[i][0], false);
        if (strcmp(got, cases[i][1]) != 0) fail_msg("%s\n is %s\n not %s", cases[i][0], got, cases[i][1]);
    }
    end(&f);
}

static void expect_rows(struct fixture *f, const char *text, const char *want)
{
    const char *got = value_of(f, text, true);
    if (strcmp(got, want) != 0) fail_msg("%s\n is %s\n not %s", text, got, want);
}

static void test_rows(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    expect_rows(&f, "a + b", "11 | NULL | 1");
    expect_rows(&f, "t.a", "1 | NULL | 3");
    expect_rows(&f, "a IS NULL", "FALSE | TRUE | FALSE");
    expect_rows(&f, "f AND a = 1", "TRUE | FALSE | FALSE");
    expect_rows(&f, "f OR a = 3", "TRUE | NULL | TRUE");
    expect_rows(&f, "NOT f", "FALSE | TRUE | NULL");
    expect_rows(&f, "CASE WHEN b <> 0 THEN 100 / b ELSE -1 END", "10 | -1 | -50");
    expect_rows(&f, "b <> 0 AND 100 / b > 0", "TRUE | FALSE | FALSE");
    expect_rows(&f, "b = 0 OR 100 / b > 0", "TRUE | TRUE | FALSE");
    expect_rows(&f, "CASE a WHEN 1 THEN 'one' WHEN 3 THEN s END", "one | NULL | a text that is longer than twelve");
    expect_rows(&f, "COALESCE(a, CAST(b AS INT) + 7)", "1 | 7 | 3");
    expect_rows(&f, "COALESCE(s, 'none')", "x | none | a text that is longer than twelve");
    expect_rows(&f, "a IN (3, 4, NULL)", "NULL | NULL | TRUE");
    expect_rows(&f, "a NOT IN (3, 4)", "TRUE | NULL | FALSE");
    expect_rows(&f, "b BETWEEN 0 AND 5", "FALSE | TRUE | FALSE");
    expect_rows(&f, "b NOT BETWEEN SYMMETRIC 5 AND -5", "TRUE | FALSE | FALSE");
    expect_rows(&f, "TRY_CAST(s AS INT)", "NULL | NULL | NULL");
    expect_rows(&f, "CAST(b AS STRING)", "10 | 0 | -2");
    expect_rows(&f, "CASE WHEN b = 0 THEN 1 / 0 ELSE 5 END", "division by zero in \"(1 / 0)\", row +I[null, 0, null, false]");
    expect_rows(&f, "CASE WHEN b = 9 THEN 1 / 0 ELSE 5 END", "5 | 5 | 5");
    expect_rows(&f, "100 / b", "division by zero in \"(100 / b)\", row +I[null, 0, null, false]");
    expect_rows(&f, "CAST(s AS INT)", "the text is no whole number of that size in \"CAST(s AS INT)\", row +I[1, 10, x, true]");
    end(&f);
}

static void test_selection(void **state)
{
    struct fixture f;
    uint16_t rows[ROWS];
    uint32_t count;

    (void)state;
    begin(&f);
    struct expr_run *run = expr_run_create(bound(&f, "b <> 0 AND 100 / b > 0 AND f"), NULL, ROWS, &f.mem);
    assert_int_equal(expr_select(run, f.batch, 0, rows, &count, &f.e), S_OK);
    assert_int_equal(count, 1);
    assert_int_equal(rows[0], 0);
    expr_run_free(run);
    end(&f);
}

static void test_mistakes(void **state)
{
    static const char *const cases[][3] = {
        {"x + 1", "Column 'x' not found in any table at line 1, column 8", "SELECT x + 1\n       ^"},
        {"1 + tt.a", "Column 'a' not found in any table at line 1, column 15", NULL},
        {"1 + FOO(a)", "unknown function 'FOO' at line 1, column 12", "SELECT 1 + FOO(a)\n           ^^^"},
        {"'a' + 1", "'+' does not take (CHAR(1) NOT NULL, INT NOT NULL) at line 1, column 8", "SELECT 'a' + 1\n       ^^^^^^^"},
        {"MOD(5)", "'%' does not take (INT NOT NULL) at line 1, column 8", NULL},
        {"NEGATE(1, 2)", "'NEGATE' does not take (INT NOT NULL, INT NOT NULL) at line 1, column 8", NULL},
        {"INTERVAL '9223372036854775807' SECOND", "'9223372036854775807' is no interval of SECOND at line 1, column 8", NULL},
        {"INTERVAL '--9223372036854775808' MONTH", "the interval is too long at line 1, column 8", NULL},
        {"`CAST`(1)", "a cast is written CAST(value AS type) at line 1, column 8", NULL},
        {"`=`()", "'=' compares two values, not 0 at line 1, column 8", NULL},
        {"a = f", "INT and BOOLEAN cannot be compared by '=' at line 1, column 8", NULL},
        {"CAST(a AS FOO)", "unknown type 'FOO' at line 1, column 18", NULL},
        {"DATE '2001-13-01'", "'2001-13-01' is not a value of type DATE NOT NULL at line 1, column 8", NULL},
        {"CASE WHEN a THEN 1 END", "a condition must be BOOLEAN at line 1, column 8", NULL},
        {"INTERVAL '1-2' DAY", "'1-2' is no interval of DAY at line 1, column 8", NULL},
    };
    struct fixture f;

    (void)state;
    begin(&f);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_string_equal(value_of(&f, cases[i][0], false), cases[i][1]);
        if (cases[i][2] != NULL) assert_string_equal(f.e.excerpt, cases[i][2]);
    }
    end(&f);
}

static void test_examples(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    for (const struct fn_type *const *t = fn_types; *t != NULL; t++)
        for (const struct fn_def *d = (*t)->functions; d->name != NULL; d++) {
            if (d->examples == NULL || d->examples->text == NULL) fail_msg("function '%s' has no example", d->name);
            for (const struct fn_example *x = d->examples; x->text != NULL; x++) {
                const char *got = value_of(&f, x->text, false);
                size_t n = strlen(x->result);
                if (strncmp(got, x->result, n) != 0 || got[n] != ' ') fail_msg("%s\n is %s\n not %s", x->text, got, x->result);
            }
        }
    end(&f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_constants), cmocka_unit_test(test_rows), cmocka_unit_test(test_selection),
                                              cmocka_unit_test(test_mistakes), cmocka_unit_test(test_examples)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
