/* test_parse.c - statements read and printed again. Each case is a text and what it prints as; the print is read once more and
 * must print the same, so that both directions agree. */
#include "language/sql/statement.h"

#include "ground/base/str.h"

#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

static const struct {
    const char *text, *printed; /* NULL: as the text */
} cases[] = {
#define SAME(text) {text, NULL},
#define CASE(text, printed) {text, printed},
#include "parse_cases.def"
#include "parse_statements.def"
#undef SAME
#undef CASE
};

static const struct {
    const char *text, *error, *hint; /* hint NULL: any */
} mistakes[] = {
#define MISTAKE(text, error, hint) {text, error, hint},
#include "parse_mistakes.def"
#undef MISTAKE
};

struct fixture {
    struct mem mem;
    struct arena arena;
    struct buf out;
    struct err e;
};

static void begin(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    mem_init(&f->mem, "test", 0);
    arena_init(&f->arena, &f->mem, 0);
    buf_init(&f->out, &f->mem);
}

static void end(struct fixture *f)
{
    buf_release(&f->out);
    arena_release(&f->arena);
    mem_release(&f->mem);
}

/* The statement's text as printed, in the arena. */
static const char *print_of(struct fixture *f, const char *text)
{
    struct tokens t;
    struct statement s;

    err_clear(&f->e);
    if (statement_parse_one(str_of(text), &f->arena, &t, &s, &f->e) != S_OK) return NULL;
    buf_clear(&f->out);
    statement_print(&s, &f->out);
    return arena_strdup(&f->arena, buf_text(&f->out));
}

static void test_round_trips(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *printed = print_of(&f, cases[i].text);
        if (printed == NULL) fail_msg("%s: %s\n%s", cases[i].text, f.e.text, f.e.excerpt);
        assert_string_equal(printed, cases[i].printed != NULL ? cases[i].printed : cases[i].text);
        const char *again = print_of(&f, printed);
        if (again == NULL) fail_msg("%s: %s\n%s", printed, f.e.text, f.e.excerpt);
        assert_string_equal(again, printed);
    }
    end(&f);
}

/* What the reference shows to users is what the parser takes. */
static void test_examples(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    for (size_t i = 0; st_types[i] != NULL; i++) {
        const char *printed = print_of(&f, st_types[i]->example);
        if (printed == NULL) fail_msg("%s: %s\n%s", st_types[i]->example, f.e.text, f.e.excerpt);
        const char *again = print_of(&f, printed);
        assert_non_null(again);
        assert_string_equal(again, printed);
    }
    end(&f);
}

static void test_mistakes(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    for (size_t i = 0; i < COUNT_OF(mistakes); i++) {
        if (print_of(&f, mistakes[i].text) != NULL) fail_msg("taken: %s", mistakes[i].text);
        assert_string_equal(f.e.text, mistakes[i].error);
        if (mistakes[i].hint != NULL) assert_string_equal(f.e.hint, mistakes[i].hint);
    }
    end(&f);
}

/* `count` times `piece` behind `before`, then `after`. */
static const char *repeat(struct fixture *f, const char *before, const char *piece, uint32_t count, const char *after)
{
    buf_clear(&f->out);
    buf_append_text(&f->out, before);
    for (uint32_t i = 0; i < count; i++) buf_append_text(&f->out, piece);
    buf_append_text(&f->out, after);
    return arena_strdup(&f->arena, buf_text(&f->out));
}

/* "COLUMN text|COLUMN text" of all mistakes. */
static const char *all_said(struct fixture *f)
{
    buf_clear(&f->out);
    for (uint32_t i = 0; i <= f->e.more->count; i++) {
        const struct err *e = i == 0 ? &f->e : &f->e.more->items[i - 1];
        const char *place = strstr(e->text, " at line 1, column ");
        assert_non_null(place);
        buf_printf(&f->out, "%s%s %.*s", i == 0 ? "" : "|", place + strlen(" at line 1, column "), (int)(place - e->text), e->text);
    }
    return buf_text(&f->out);
}

/* Several mistakes of one text: each is said once, in its order, and none that only follows from another. */
static void test_several(void **state)
{
    static const char *const texts[][2] = {
        {"SELECT a,, b c d FROM t WHER x = 1 GROUP BY ,a ORDER BY b DSC, c LIMIT x",
         "10 Encountered \",\": expected an expression|16 Encountered \"d\": expected ',', FROM or the end of the query|"
         "30 Encountered \"x\": expected the next clause or the end of the query|45 Encountered \",\": expected an expression|"
         "59 Encountered \"DSC\": expected ASC, DESC, ',' or the end of ORDER BY|72 Encountered \"x\": expected the number of rows of LIMIT"},
        {"SELECT (SELECT a,, FROM t), b,,c FROM (SELECT x y z FROM t) WHERE = 1",
         "18 Encountered \",\": expected an expression|20 Encountered \"FROM\": expected an expression|"
         "31 Encountered \",\": expected an expression|51 Encountered \"z\": expected ',', FROM or the end of the query|"
         "67 Encountered \"=\": expected an expression"},
        {"SELECT f(a, b FROM t WHERE x = = 3", "15 Encountered \"FROM\": expected ')'"},
        {"CREATE TABLE t (a INT b, WATERMARK ts, c STRING NOT NUL) WITH ('a' 'b', c = 'd', 'e' = 1",
         "23 Encountered \"b\": expected ',' or ')'|26 Encountered \"WATERMARK\": expected a column's name|"
         "49 Encountered \"NOT\": expected ',' or ')'|68 Encountered \"'b'\": expected '='|"
         "73 Encountered \"c\": expected an option: 'key' = 'value'|88 Encountered \"1\": expected the option's value in 'quotes'"},
        {"WITH a AS (SELECT 1,), b AS (SELEC 2) SELECT ,a FROM a",
         "21 Encountered \")\": expected an expression|30 Encountered \"SELEC\": expected a query: SELECT, VALUES or WITH|"
         "46 Encountered \",\": expected an expression"},
        {"INSERT INTO x VALUES (1,,2), (3 4), (5", "25 Encountered \",\": expected an expression|33 Encountered \"4\": expected ')'"},
    };
    struct err_list others = {0};
    struct fixture f;

    (void)state;
    begin(&f);
    f.e.more = &others;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        others.count = 0;
        assert_null(print_of(&f, texts[i][0]));
        assert_string_equal(all_said(&f), texts[i][1]);
    }
    others.count = 0;
    assert_null(print_of(&f, repeat(&f, "SELECT 1", ",", 100000, "")));
    assert_int_equal(others.count, ERR_MORE_MAX);
    end(&f);
}

/* Refused, with a text that says so. */
static void expect_refused(struct fixture *f, const char *text, const char *why)
{
    assert_null(print_of(f, text));
    if (strstr(f->e.text, why) == NULL) fail_msg("%s", f->e.text);
    assert_non_null(strchr(f->e.excerpt, '^'));
    err_clear(&f->e);
}

static void test_too_deep(void **state)
{
    const char *const why = "nested deeper than 400 levels at line 1, column ";
    struct fixture f;

    (void)state;
    begin(&f);
    expect_refused(&f, repeat(&f, "SELECT ", "(", 100000, "1"), why);
    expect_refused(&f, repeat(&f, "SELECT ", "NOT ", 100000, "a"), why);
    expect_refused(&f, repeat(&f, "SELECT ", "- ", 100000, "1"), why);
    expect_refused(&f, repeat(&f, "SELECT f", "(g", 100000, ""), why);
    expect_refused(&f, repeat(&f, "SELECT CASE WHEN ", "CASE WHEN ", 100000, ""), why);
    expect_refused(&f, repeat(&f, "", "EXPLAIN ", 100000, "SELECT 1"), "Encountered \"EXPLAIN\": expected a query");
    expect_refused(&f, repeat(&f, "", "EXECUTE ", 100000, "SELECT 1"), "Encountered \"EXECUTE\": expected ");
    expect_refused(&f, repeat(&f, "SELECT CAST(a AS ", "ARRAY<", 100000, "INT"), "a type has at most 64 levels, one more begins here at line 1");
    expect_refused(&f, repeat(&f, "SELECT 1", " + 1", 100000, ""), "an expression has at most 4000 operators on each other at line 1");
    expect_refused(&f, repeat(&f, "SELECT x", "[1]", 100000, ""), "an expression has at most 4000 operators on each other at line 1");
    end(&f);
}

static void test_too_long(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    expect_refused(&f, repeat(&f, "SELECT * FROM t", " JOIN t ON a", 100000, ""), "FROM has at most 400 tables, one more begins here at line 1");
    expect_refused(&f, repeat(&f, "SELECT 1", " UNION SELECT 1", 100000, ""), "a chain of set operations has at most 4000 queries, one more");
    expect_refused(&f, repeat(&f, "SELECT a", " AND a", 100000, ""), "a list has at most 65536 items, one more begins here at line 1");
    expect_refused(&f, repeat(&f, "SELECT a IN (0", ", 1", 100000, ")"), "a list has at most 65536 items, one more begins here at line 1");
    expect_refused(&f, repeat(&f, "VALUES 0", ", 1", 100000, ""), "VALUES has at most 65536 rows, one more begins here at line 1");
    expect_refused(&f, repeat(&f, "SELECT a", ", a", 100000, ""), "a SELECT has at most 65536 columns, one more begins here at line 1");
    expect_refused(&f, repeat(&f, "ALTER TABLE t ADD (a INT", ", a INT", 100000, ")"), "a table has at most 65536 columns, one more begins");
    expect_refused(&f, repeat(&f, "CREATE TABLE t (a INT", ", a INT", 100000, ")"), "a table has at most 65536 columns, one more begins");
    expect_refused(&f, repeat(&f, "EXECUTE STATEMENT SET BEGIN ", "INSERT INTO t SELECT 1; ", 100000, "END"),
                   "a statement set has at most 65536 statements, one more begins here");
    assert_non_null(print_of(&f, repeat(&f, "SELECT a", " AND a", 10000, "")));
    assert_non_null(print_of(&f, repeat(&f, "SELECT a IN (0", ", 1", 50000, ")")));
    assert_non_null(print_of(&f, repeat(&f, "SELECT a", ", a", 10000, "")));
    assert_non_null(print_of(&f, repeat(&f, "EXECUTE STATEMENT SET BEGIN ", "INSERT INTO t SELECT 1; ", 5000, "END")));
    assert_non_null(print_of(&f, repeat(&f, "ALTER TABLE t DROP PARTITION (a = 1)", ", PARTITION (a = -1)", 5000, "")));
    end(&f);
}

/* Text may hold any character, a NUL too. */
static void test_nul(void **state)
{
    struct fixture f;
    struct tokens t;
    struct statement s;
    static const char text[] = "SELECT U&'a\\0000b' 'cd'", printed[] = "SELECT 'a\0bcd'";

    (void)state;
    begin(&f);
    assert_int_equal(statement_parse_one((struct str){text, sizeof text - 1}, &f.arena, &t, &s, &f.e), S_OK);
    statement_print(&s, &f.out);
    assert_int_equal(f.out.size, sizeof printed - 1);
    assert_memory_equal(f.out.data, printed, sizeof printed - 1);
    end(&f);
}

static void test_script(void **state)
{
    struct fixture f;
    struct tokens t;
    struct statement s;
    uint32_t at = 0;

    (void)state;
    begin(&f);
    assert_int_equal(tokens_cut(&t, STR(";SELECT 1;; SELEC 2; SELECT 3"), NULL, &f.arena, &f.e), S_OK);
    assert_int_equal(statement_parse(&t, &at, &f.arena, &s, &f.e), S_OK);
    assert_int_equal(s.place.at, 1);
    assert_int_equal(s.place.size, 8);
    assert_int_equal(statement_parse(&t, &at, &f.arena, &s, &f.e), E_DATA);
    assert_string_equal(f.e.hint, "did you mean SELECT?");
    err_clear(&f.e);
    assert_int_equal(statement_parse(&t, &at, &f.arena, &s, &f.e), S_OK);
    assert_int_equal(s.place.at, 21);
    assert_int_equal(statement_parse(&t, &at, &f.arena, &s, &f.e), S_END);
    end(&f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trips), cmocka_unit_test(test_examples),
                                              cmocka_unit_test(test_mistakes), cmocka_unit_test(test_several), cmocka_unit_test(test_too_deep),
                                              cmocka_unit_test(test_too_long),
                                              cmocka_unit_test(test_nul), cmocka_unit_test(test_script)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
