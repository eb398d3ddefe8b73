/* test_hostile.c - statements that are far too long, wide or deep, run to their end: each has its answer or an error with a place,
 * within the memory given to it. What the parser alone refuses is in test_parse.c. */
#include "ground/base/str.h"
#include "surface/sql/session.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { WIDE = 10000, LONG = 60000 };

struct fixture {
    struct mem mem;
    struct arena arena;
    struct sys *sys;
    struct sql_session *session;
    struct buf out;
    struct err e;
    uint64_t rows;
};

static enum status on_begin(void *arg, const struct type *row, bool is_changelog, struct err *e)
{
    return (void)arg, (void)row, (void)is_changelog, (void)e, S_OK;
}

static enum status on_rows(void *arg, const struct batch *b, struct err *e)
{
    struct fixture *f = arg;

    (void)e;
    f->rows += batch_rows(b);
    return S_OK;
}

static enum status on_end(void *arg, struct err *e) { return (void)arg, (void)e, S_OK; }
static enum status on_said(void *arg, const char *text, struct err *e) { return (void)arg, (void)text, (void)e, S_OK; }

static enum status run(struct fixture *f, const char *sql)
{
    struct sql_listener to = {.arg = f, .begin = on_begin, .rows = on_rows, .end = on_end, .said = on_said};
    struct tokens t;
    struct statement st;

    f->rows = 0;
    err_clear(&f->e);
    arena_reset(&f->arena);
    TRY(statement_parse_one(str_of(sql), &f->arena, &t, &st, &f->e));
    return sql_session_run(f->session, &t, &st, &to, &f->e);
}

static int begin(void **state)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;

    *f = (struct fixture){.sys = sys_linux_create_quiet()};
    mem_init(&f->mem, "test", 0);
    arena_init(&f->arena, &f->mem, 0);
    buf_init(&f->out, &f->mem);
    f->session = sql_session_create(&(struct sql_session_options){.sys = f->sys});
    assert_int_equal(run(f, "CREATE VIEW t AS SELECT * FROM (VALUES (1, 'x'), (2, 'y')) AS t (a, b)"), S_OK);
    *state = f;
    return 0;
}

static int end(void **state)
{
    struct fixture *f = *state;

    sql_session_free(f->session);
    buf_release(&f->out);
    arena_release(&f->arena);
    mem_release(&f->mem);
    sys_linux_free(f->sys);
    return 0;
}

/* before, then `count` times piece, whose %u is 0, 1, ..., between them `between`, then after. */
static const char *repeat(struct fixture *f, const char *before, const char *piece, const char *between, uint32_t count, const char *after)
{
    const char *number = strstr(piece, "%u");
    size_t head = number != NULL ? (size_t)(number - piece) : strlen(piece);

    buf_clear(&f->out);
    buf_append_text(&f->out, before);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) buf_append_text(&f->out, between);
        buf_append(&f->out, piece, head);
        if (number != NULL) buf_printf(&f->out, "%u%s", i, number + 2);
    }
    buf_append_text(&f->out, after);
    return buf_text(&f->out);
}

static void expect_rows(struct fixture *f, const char *sql, uint64_t rows)
{
    if (run(f, sql) != S_OK) fail_msg("%s", f->e.text);
    assert_int_equal(f->rows, rows);
}

/* An error that begins so, and shows its place in the statement. */
static void expect_error(struct fixture *f, const char *sql, const char *text)
{
    assert_int_not_equal(run(f, sql), S_OK);
    if (!str_starts(str_of(f->e.text), str_of(text))) fail_msg("%s", f->e.text);
    assert_non_null(strchr(f->e.excerpt, '^'));
}

/* --- lists ---------------------------------------------------------------------------------------------------------- */
static void test_lists(void **state)
{
    struct fixture *f = *state;

    expect_rows(f, repeat(f, "SELECT a FROM t WHERE a IN (", "%u", ", ", LONG, ")"), 2);
    expect_rows(f, repeat(f, "SELECT a FROM t WHERE b IN (", "'%u'", ", ", LONG, ", 'x')"), 1);
    expect_rows(f, repeat(f, "SELECT a FROM t WHERE a NOT IN (", "%u.5", ", ", LONG, ")"), 2);
    expect_rows(f, repeat(f, "SELECT a FROM t WHERE a IN (", "a + %u", ", ", LONG / 10, ")"), 2);
    expect_rows(f, repeat(f, "SELECT a FROM t WHERE ", "a = %u", " OR ", LONG / 10, ""), 2);
    expect_rows(f, repeat(f, "SELECT x FROM (VALUES ", "(%u)", ", ", LONG, ") AS v (x)"), LONG);
    expect_rows(f, repeat(f, "SELECT CASE a ", "WHEN %u THEN b", " ", WIDE, " END FROM t"), 2);
    expect_error(f, repeat(f, "SELECT a FROM t WHERE a IN (", "%u", ", ", 1000000, ")"), "a list has at most 65536 items, one more begins here at line 1");
    expect_error(f, repeat(f, "SELECT ARRAY[", "%u", ", ", LONG, "]"), "'ARRAY' has 60000 arguments; at most 1024 are taken at line 1");
}

static void test_columns(void **state)
{
    struct fixture *f = *state;

    expect_rows(f, repeat(f, "SELECT ", "a", ", ", 2000, " FROM t"), 2);
    expect_error(f, repeat(f, "SELECT ", "a AS c%u", ", ", WIDE, " FROM t"), "a row has at most 2040 columns, not 10000");
    expect_error(f, repeat(f, "CREATE TABLE w (", "c%u INT", ", ", WIDE, ") WITH ('connector' = 'print')"),
                 "a row has at most 2040 columns, not 10000");
    expect_error(f, repeat(f, "SELECT DISTINCT ", "a + %u", ", ", 100, " FROM t"), "rows are told apart by at most 64 columns, not 100");
    expect_error(f, repeat(f, "SELECT 1 FROM t GROUP BY ", "a + %u", ", ", 100, ""), "rows are told apart by at most 64 columns, not 100");
    expect_error(f, repeat(f, "SELECT ROW_NUMBER() OVER (PARTITION BY ", "a + %u", ", ", 100, " ORDER BY a) FROM t"),
                 "rows are told apart by at most 64 columns, not 100");
    expect_error(f, repeat(f, "SELECT * FROM (VALUES (", "%u", ", ", 5000, ")) AS v"), "a row has at most 2040 columns, not 5000");
}

/* --- trees ---------------------------------------------------------------------------------------------------------- */
static void test_trees(void **state)
{
    struct fixture *f = *state;

    expect_rows(f, repeat(f, "SELECT a", " + %u", "", 3000, " FROM t"), 2);
    expect_rows(f, repeat(f, "SELECT a FROM t", " UNION ALL SELECT a FROM t", "", 100, ""), 202);
    assert_int_equal(run(f, "CREATE TABLE far (a INT) WITH ('connector' = 'datagen', 'number-of-rows' = '1')"), S_OK);
    expect_error(f, repeat(f, "SELECT a + 1 FROM far", " UNION ALL SELECT a FROM far", "", 3000, ""),
                 "the statement needs more than 4096 operators at line 1, column 1");
    expect_error(f, repeat(f, "SELECT ", "ARRAY[", "", 100000, "1"), "nested deeper than 400 levels at line 1");
    expect_error(f, repeat(f, "SELECT * FROM ", "(SELECT * FROM ", "", 100000, "t"), "nested deeper than 400 levels at line 1");
    expect_error(f, repeat(f, "SELECT a FROM t WHERE ", "a IN (SELECT a FROM t WHERE ", "", 100000, "TRUE"),
                 "nested deeper than 400 levels at line 1");
    expect_error(f, repeat(f, "SELECT CAST(NULL AS ", "ARRAY<", "", 100000, "INT"), "");
}

/* Each view reads the one before it twice: 2 to the 24th tables. */
static void test_views(void **state)
{
    struct fixture *f = *state;
    char text[200];

    assert_int_equal(run(f, "CREATE VIEW v0 AS SELECT a FROM t"), S_OK);
    for (int i = 1; i < 25; i++) {
        snprintf(text, sizeof text, "CREATE VIEW v%d AS SELECT x.a FROM v%d AS x JOIN v%d AS y ON x.a = y.a", i, i - 1, i - 1);
        if (run(f, text) != S_OK) break;
    }
    assert_true(str_starts(str_of(f->e.text), STR("the statement reads more than 4096 tables")));
}

/* Keys that no set of grouping sets can name, and views in views. */
static void test_sets_and_depth(void **state)
{
    struct fixture *f = *state;
    char text[200];

    expect_error(f, repeat(f, "SELECT 1 FROM t GROUP BY ROLLUP (b), ", "a + %u", ", ", 62, ""), "grouping sets of more than 62 keys at line 1");
    assert_int_equal(run(f, "CREATE VIEW n0 AS SELECT a FROM t"), S_OK);
    for (int i = 1; i < 200; i++) {
        snprintf(text, sizeof text, "CREATE VIEW n%d AS SELECT a FROM n%d", i, i - 1);
        if (run(f, text) != S_OK) break;
    }
    assert_string_equal(f->e.text, "views in views, more than 64 deep at line 2, column 6"); /* of the view's text */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lists, begin, end), cmocka_unit_test_setup_teardown(test_columns, begin, end),
        cmocka_unit_test_setup_teardown(test_trees, begin, end), cmocka_unit_test_setup_teardown(test_views, begin, end),
        cmocka_unit_test_setup_teardown(test_sets_and_depth, begin, end)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
