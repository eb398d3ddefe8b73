/* test_bind.c - expressions from text to value: types as TYPEOF names them, values as CAST(... AS STRING) shows them, NULLs, branches
 * that spare rows, and errors under their token. Every example of every
 * function is run as well (fn_arithmetic, fn_comparison, fn_logic, fn_cast, fn_math, fn_round, fn_radix, fn_random, fn_hash,
 * fn_conditional, fn_temporal_part, fn_temporal_shift, fn_temporal_clock, fn_temporal_text, fn_temporal_read, fn_printf, ...). */
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
    struct fn_session session;
    struct zone zone; /* its zone: what instants are shown in */
    int64_t now_ms;
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
    for (uint32_t i = 0; i < row->child_count; i++) f->columns[i] = (struct bind_column){.table = STR("t"), .name = str_of(row->names[i]), .col = i};
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
    struct binder b = {.m = {.a = &f->arena, .session = &f->session}, .t = &t, .scope = &f->scope, .e = &f->e};
    const struct ast_query *q = s.body;
    return bind_expr(&b, q->select->items[0].x, &x) == S_OK ? x : NULL;
}

/* There and back as bytes; a cut anywhere is refused. */
static struct expr *carried(struct fixture *f, const char *text, const struct expr *x)
{
    struct expr_maker m = {.a = &f->arena, .session = &f->session};
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
    if (expr_eval(run, f->batch, f->now_ms, &v, &f->e) == S_OK)
        for (uint32_t i = 0; i < (rows ? ROWS : 1); i++) {
            if (i > 0) buf_append_text(&f->out, " | ");
            if (vector_is_null(v, i)) buf_append_text(&f->out, "NULL");
            else sql_text_print(v, i, &f->zone, &f->out);
        }
    else buf_append_text(&f->out, f->e.text);
    expr_run_free(run);
    if (rows || f->e.text[0] != '\0') return buf_text(&f->out);
    buf_append_byte(&f->out, ' ');
    type_print(x->type, &f->out);
    return buf_text(&f->out);
}

static void use_zone(struct fixture *f, const char *zone)
{
    f->session.zone = str_of(zone);
    assert_true(zone_find(f->session.zone, &f->zone));
}

static void expect_values(const char *zone, const char *const cases[][2], size_t count)
{
    struct fixture f;
    size_t wrong = 0;

    begin(&f);
    use_zone(&f, zone);
    for (size_t i = 0; i < count; i++) {
        const char *got = value_of(&f, cases[i][0], false);
        if (strcmp(got, cases[i][1]) == 0) continue;
        print_error("%s\n is %s\n not %s\n", cases[i][0], got, cases[i][1]);
        wrong++;
    }
    assert_int_equal(wrong, 0);
    end(&f);
}

static void test_constants(void **state)
{
    static const char *const cases[][2] = {
#define VALUE(text, value) {text, value},
#include "bind_values.def"
#include "values_conditional.def"
#include "values_hash.def"
#include "values_math.def"
#include "values_string.def"
#include "values_encode.def"
#include "values_regex.def"
#include "values_temporal.def"
#include "values_collection.def"
#include "values_json.def"
#include "values_printf.def"
#undef VALUE
    };

    (void)state;
    expect_values("UTC", cases, COUNT_OF(cases));
}

/* Times in zones: instants around the changes of the clocks, before the zones were made, and far out. */
static void test_zones(void **state)
{
    static const char *const berlin[][2] = {
#define VALUE(text, value) {text, value},
#include "values_temporal_berlin.def"
    };
    static const char *const st_johns[][2] = {
#include "values_temporal_st_johns.def"
#undef VALUE
    };

    (void)state;
    expect_values("Europe/Berlin", berlin, COUNT_OF(berlin));
    expect_values("America/St_Johns", st_johns, COUNT_OF(st_johns));
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
    expect_rows(&f, "CAST(e'a\\0b' || s AS INT)", "the text is no whole number of that size in \"CAST(('a\\0b' || s) AS INT)\", row +I[1, 10, x, true]");
    expect_rows(&f, "CAST(s AS INT)", "the text is no whole number of that size in \"CAST(s AS INT)\", row +I[1, 10, x, true]");
    end(&f);
}

/* The clock: every call of a batch sees its time; what has no zone is in the session's. */
static void test_clock(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    use_zone(&f, "America/St_Johns");
    f.now_ms = 1490493600123; /* 2017-03-26 02:00:00.123 UTC */
    expect_rows(&f, "CURRENT_TIMESTAMP", "2017-03-25 23:30:00.123 | 2017-03-25 23:30:00.123 | 2017-03-25 23:30:00.123");
    expect_rows(&f, "CAST(NOW() AS STRING) || s", "2017-03-25 23:30:00.123x | NULL | 2017-03-25 23:30:00.123a text that is longer than twelve");
    expect_rows(&f, "LOCALTIMESTAMP", "2017-03-25 23:30:00.123 | 2017-03-25 23:30:00.123 | 2017-03-25 23:30:00.123");
    expect_rows(&f, "CURRENT_DATE + INTERVAL '1' DAY * a", "2017-03-26 | NULL | 2017-03-28");
    expect_rows(&f, "CURRENT_TIME", "23:30:00 | 23:30:00 | 23:30:00");
    expect_rows(&f, "LOCALTIME", "23:30:00 | 23:30:00 | 23:30:00");
    expect_rows(&f, "CURRENT_ROW_TIMESTAMP()", "2017-03-25 23:30:00.123 | 2017-03-25 23:30:00.123 | 2017-03-25 23:30:00.123");
    expect_rows(&f, "CAST(PROCTIME() AS TIMESTAMP(3))", "2017-03-25 23:30:00.123 | 2017-03-25 23:30:00.123 | 2017-03-25 23:30:00.123");
    expect_rows(&f, "UNIX_TIMESTAMP()", "1490493600 | 1490493600 | 1490493600");
    expect_rows(&f, "TYPEOF(PROCTIME())", "TIMESTAMP_LTZ(3) NOT NULL *PROCTIME* | TIMESTAMP_LTZ(3) NOT NULL *PROCTIME* | TIMESTAMP_LTZ(3) NOT NULL *PROCTIME*");
    expect_rows(&f, "CURRENT_TIMESTAMP(3)", "Invalid number of arguments to function 'CURRENT_TIMESTAMP'. Was expecting 0 arguments at line 1, column 8");
    end(&f);
}

/* The families of times over columns: NULLs, arguments that differ by row, errors of rows. */
static void test_temporal_rows(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    use_zone(&f, "Europe/Berlin");
    expect_rows(&f, "TIMESTAMPADD(MONTH, a, DATE '2001-01-31')", "2001-02-28 | NULL | 2001-04-30");
    expect_rows(&f, "TIMESTAMPADD(HOUR, b, TIME '20:00:00')", "06:00:00 | 20:00:00 | 18:00:00");
    expect_rows(&f, "TIMESTAMPADD(HOUR, a, DATE '2003-01-31')", "2003-01-31 01:00:00.000000 | NULL | 2003-01-31 03:00:00.000000");
    expect_rows(&f, "TIMESTAMPADD(MILLISECOND, a, TIMESTAMP '2003-01-31 00:00:00')", "2003-01-31 00:00:00.001 | NULL | 2003-01-31 00:00:00.003");
    expect_rows(&f, "YEAR(TIMESTAMPADD(YEAR, b, DATE '2001-01-01'))", "2011 | 2001 | 1999");
    expect_rows(&f, "FLOOR(TO_TIMESTAMP_LTZ(b * 3600000, 3) TO DAY)", "1970-01-01 00:00:00.000 | 1970-01-01 00:00:00.000 | 1969-12-31 00:00:00.000");
    expect_rows(&f, "TO_TIMESTAMP_LTZ(1234567, a)", "1970-01-02 11:17:36.700 | NULL | 1970-01-01 01:20:34.567");
    expect_rows(&f, "DATE_FORMAT(TIMESTAMP '2001-02-03 04:05:06', CASE WHEN a = 1 THEN 'yyyy' ELSE s END)",
                "the pattern has a letter that means nothing in \"DATE_FORMAT(2001-02-03 04:05:06, CASE((a = 1), 'yyyy', s))\", row +I[3, -2, a text that is longer than twelve, null]");
    expect_rows(&f, "FROM_UNIXTIME(b, CASE WHEN a = 1 THEN 'HH:mm:ss' ELSE 'ss' END)", "01:00:10 | 00 | 58");
    expect_rows(&f, "FROM_UNIXTIME(b, 'z')",
                "names of zones other than UTC are not known: take X or Z for the offset in \"FROM_UNIXTIME(b, 'z')\", row +I[1, 10, x, true]");
    expect_rows(&f, "(TIMESTAMPADD(MONTH, a, DATE '2001-01-31') - DATE '2001-01-31') DAY", "+28 00:00:00.000 | NULL | +89 00:00:00.000");
    expect_rows(&f, "(DATE '2001-01-31' - TIMESTAMPADD(MONTH, a, DATE '2001-01-31')) MONTH", "-0-01 | NULL | -0-03");
    expect_rows(&f, "CAST((TIMESTAMP '2001-03-31 00:00:00' - TIMESTAMP '2001-02-28 00:00:00') HOUR AS STRING)",
                "+31 00:00:00.000 | +31 00:00:00.000 | +31 00:00:00.000");
    /* The ends of what numbers hold: any value, but no overflow. */
    expect_rows(&f, "TIMESTAMPADD(YEAR, 9223372036854775807 - a + a, DATE '2001-01-31')", "2000-01-31 | NULL | 2000-01-31");
    expect_rows(&f, "FROM_UNIXTIME(9223372036854775807 - a + a) IS NULL", "FALSE | TRUE | FALSE");
    expect_rows(&f, "UNIX_TIMESTAMP('99999999999999-99999999-999999999', 'yyyy-MM-dd') + a", "-9223372036854775807 | NULL | -9223372036854775805");
    expect_rows(&f, "YEAR(CAST(TIMESTAMP '2001-01-01 00:00:00' + INTERVAL '1' SECOND * 9223372036854775 AS TIMESTAMP_LTZ(3))) IS NULL",
                "FALSE | FALSE | FALSE");
    expect_rows(&f, "CEIL(TIMESTAMP '2001-01-01 00:00:00' + INTERVAL '1' SECOND * 9223371000000000 TO HOUR) IS NULL", "FALSE | FALSE | FALSE");
    expect_rows(&f, "UNIX_TIMESTAMP(s)", "-9223372036854775808 | NULL | -9223372036854775808");
    expect_rows(&f, "TO_DATE(s)", "NULL | NULL | NULL");
    expect_rows(&f, "TO_TIMESTAMP(s, s)", "NULL | NULL | NULL");
    expect_rows(&f, "TO_TIMESTAMP_LTZ('2001-01-01', 'yyyy-MM-dd', CASE WHEN a = 1 THEN 'UTC' ELSE s END)", "2001-01-01 01:00:00.000 | NULL | NULL");
    expect_rows(&f, "TO_TIMESTAMP_LTZ(s)",
                "the text is no TIMESTAMP, such as 2001-01-31 10:20:30.5 in \"TO_TIMESTAMP_LTZ(s)\", row +I[1, 10, x, true]");
    expect_rows(&f, "CONVERT_TZ('2001-01-01 00:00:00', 'UTC', CASE WHEN a = 1 THEN 'Asia/Tokyo' ELSE s END)",
                "2001-01-01 09:00:00 | NULL | 2001-01-01 00:00:00");
    expect_rows(&f, "(DATE '2001-01-01', INTERVAL '1' DAY * a) OVERLAPS (DATE '2001-01-03', DATE '2001-01-09')", "FALSE | FALSE | TRUE");
    end(&f);
}

static void test_temporal_mistakes(void **state)
{
    static const char *const cases[][2] = {
        {"EXTRACT(YEAR FROM TIME '10:20:30')", "Cannot apply 'EXTRACT' to arguments of type 'EXTRACT(YEAR, <TIME(0)>)' at line 1, column 8"},
        {"YEAR('2001-02-03')", "Cannot apply 'YEAR' to arguments of type 'YEAR(<CHAR(10)>)' at line 1, column 8"},
        {"FLOOR(DATE '2001-02-03' TO DOW)", "'FLOOR' of a time is written FLOOR(time TO unit) at line 1, column 8"},
        {"FLOOR(INTERVAL '1' DAY TO DAY)", "Cannot apply 'FLOOR' to arguments of type 'FLOOR(<INTERVAL DAY(2) TO SECOND(3)>)' at line 1, column 8"},
        {"TIMESTAMPADD(MICROSECOND, 1, DATE '2001-02-03')", "Cannot apply 'TIMESTAMPADD' to arguments of type 'TIMESTAMPADD(MICROSECOND, <INT>, <DATE>)' at line 1, column 8"},
        {"TIMESTAMPADD(DAY, 1.7, DATE '2001-02-03')", "Cannot apply 'TIMESTAMPADD' to arguments of type 'TIMESTAMPADD(DAY, <DECIMAL(2, 1)>, <DATE>)' at line 1, column 8"},
        {"TIMESTAMPDIFF(DAY, '2003-01-02', '2003-01-05')", "Cannot apply 'TIMESTAMPDIFF' to arguments of type 'TIMESTAMPDIFF(DAY, <CHAR(10)>, <CHAR(10)>)' at line 1, column 8"},
        {"DATE_FORMAT(DATE '2001-02-03', 'yyyy')", "Cannot apply 'DATE_FORMAT' to arguments of type 'DATE_FORMAT(<DATE>, <CHAR(4)>)' at line 1, column 8"},
        {"FROM_UNIXTIME('44')", "Cannot apply 'FROM_UNIXTIME' to arguments of type 'FROM_UNIXTIME(<CHAR(2)>)' at line 1, column 8"},
        {"TO_TIMESTAMP_LTZ(1, 10)", "Precision for TO_TIMESTAMP_LTZ must be between 0 and 9 but was 10 at line 1, column 8"},
        {"TO_TIMESTAMP_LTZ('2017', 'j')",
         "Invalid pattern for parsing TIMESTAMP_LTZ: the pattern has a letter that means nothing at line 1, column 8"},
        {"TO_TIMESTAMP_LTZ('2017', 'yyyy', 'Nowhere/City')",
         "Invalid timezone for parsing TIMESTAMP_LTZ: Unknown time-zone ID: Nowhere/City at line 1, column 8"},
        {"DATE_FORMAT(TIMESTAMP '2001-02-03 14:05:06', 'z')",
         "the pattern asks for a zone, and the time has none in \"DATE_FORMAT(2001-02-03 14:05:06, 'z')\", row +I[1, 10, x, true]"},
        {"(DATE '2001-02-03' - 1) DAY", "Cannot apply 'TIME_DIFFERENCE' to arguments of type 'TIME_DIFFERENCE(<DATE>, <INT>, <STRING>)' at line 1, column 8"},
        {"DATE '2001-02-03' OVERLAPS DATE '2001-02-04'",
         "a period is two times, or a time and an interval, in parentheses at line 1, column 8"},
    };

    (void)state;
    expect_values("UTC", cases, COUNT_OF(cases));
}

/* fn_string, fn_string_search, fn_string_change, fn_like, fn_encode and fn_url over columns: NULLs, arguments that differ by row.
 * Their answers for constants are in values_string.def and values_encode.def. */
static void test_string_rows(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    expect_rows(&f, "UPPER(s)", "X | NULL | A TEXT THAT IS LONGER THAN TWELVE");
    expect_rows(&f, "s || '!' || s", "x!x | NULL | a text that is longer than twelve!a text that is longer than twelve");
    expect_rows(&f, "CONCAT_WS('-', s, 'b', s)", "x-b-x | b | a text that is longer than twelve-b-a text that is longer than twelve");
    expect_rows(&f, "CONCAT_WS(s, 'a', 'b')", "axb | NULL | aa text that is longer than twelveb");
    expect_rows(&f, "CHAR_LENGTH(s)", "1 | NULL | 33");
    expect_rows(&f, "SUBSTRING(s, a)", "x | NULL | text that is longer than twelve");
    expect_rows(&f, "SUBSTRING('abcdefghijklmnopq', 2, CAST(b AS INT))", "bcdefghijk |  | NULL");
    expect_rows(&f, "LEFT(s, 20)", "x | NULL | a text that is longe");
    expect_rows(&f, "REPEAT(s, a - 1)", " | NULL | a text that is longer than twelvea text that is longer than twelve");
    expect_rows(&f, "TRANSLATE('xyz', s, 'q')", "qyz | xyz | yz");
    expect_rows(&f, "TRIM(TRAILING 'elvx' FROM s)", " | NULL | a text that is longer than tw");
    expect_rows(&f, "REPLACE(s, 't', 'TT')", "x | NULL | a TTexTT TThaTT is longer TThan TTwelve");
    expect_rows(&f, "IS_ALPHA(s)", "TRUE | FALSE | FALSE");
    expect_rows(&f, "ELT(a, s, 'two', 'three')", "x | NULL | three");
    expect_rows(&f, "s LIKE '%t_at%'", "FALSE | NULL | TRUE");
    expect_rows(&f, "s LIKE 'a%twelve'", "FALSE | NULL | TRUE");
    expect_rows(&f, "s LIKE s", "TRUE | NULL | TRUE");
    expect_rows(&f, "s NOT LIKE '%x'", "FALSE | NULL | TRUE");
    expect_rows(&f, "'a_x' LIKE '%!_%' ESCAPE SUBSTRING('!?!', a, 1)", "TRUE | NULL | TRUE");
    expect_rows(&f, "INSTR(s, 't', a)", "0 | NULL | 3");
    expect_rows(&f, "SPLIT_INDEX(s, ' ', a)", "NULL | NULL | is");
    expect_rows(&f, "TO_BASE64(s)", "eA== | NULL | YSB0ZXh0IHRoYXQgaXMgbG9uZ2VyIHRoYW4gdHdlbHZl");
    expect_rows(&f, "FROM_BASE64(s)", "the text is not in base 64 in \"FROM_BASE64(s)\", row +I[1, 10, x, true]");
    expect_rows(&f, "PARSE_URL('http://h/?x=1', 'QUERY', s)", "1 | NULL | NULL");
    expect_rows(&f, "INSTR(s, 'x', 1, a - 1)",
                "INSTR counts matches from 1 in \"INSTR(s, 'x', 1, (a - 1))\", row +I[1, 10, x, true]");
    end(&f);
}

/* fn_construct, fn_array, fn_array_order, fn_map, fn_in and casts of nested values over columns: NULLs, lists that differ by row. */
static void test_collection_rows(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    expect_rows(&f, "ARRAY[a, b]", "[1, 10] | [NULL, 0] | [3, -2]");
    expect_rows(&f, "ARRAY[s, 'y', s][a]", "x | NULL | a text that is longer than twelve");
    expect_rows(&f, "ARRAY[7, 8, 9][CAST(b AS INT)]", "NULL | NULL | NULL");
    expect_rows(&f, "MAP[b, s, 10, 'ten'][10]", "ten | ten | ten");
    expect_rows(&f, "MAP[b, s, 10, 'ten']",
                "{10=ten} | {0=NULL, 10=ten} | {-2=a text that is longer than twelve, 10=ten}");
    expect_rows(&f, "MAP['k', a]['k']", "1 | NULL | 3");
    expect_rows(&f, "ROW(a, ROW(s, b))", "(1, (x, 10)) | (NULL, (NULL, 0)) | (3, (a text that is longer than twelve, -2))");
    expect_rows(&f, "CASE WHEN b <> 0 THEN ROW(s, a) END.EXPR$0", "x | NULL | a text that is longer than twelve");
    expect_rows(&f, "CASE WHEN b <> 0 THEN ROW(a, ROW(s)) END.EXPR$1", "(x) | NULL | (a text that is longer than twelve)");
    expect_rows(&f, "CASE WHEN f THEN ARRAY[s] WHEN b = 0 THEN ARRAY['a', 'b'] END", "[x] | [a, b] | NULL");
    expect_rows(&f, "CARDINALITY(CASE WHEN b = 0 THEN ARRAY[1, 2] ELSE ARRAY[a] END)", "1 | 2 | 1");
    expect_rows(&f, "NULLIF(ARRAY[a], ARRAY[1])", "NULL | [NULL] | [3]");
    expect_rows(&f, "COALESCE(NULLIF(ROW(s, b), ROW(s, CAST(0 AS BIGINT))), ROW(s, b))",
                "(x, 10) | (NULL, 0) | (a text that is longer than twelve, -2)");
    expect_rows(&f, "ELEMENT(ARRAY[a])", "1 | NULL | 3");
    expect_rows(&f, "ELEMENT(ARRAY_REMOVE(ARRAY[1, a], 1))", "NULL | NULL | 3");
    expect_rows(&f, "ELEMENT(ARRAY[a, a])", "Array has more than one element. in \"ELEMENT(ARRAY(a, a))\", row +I[1, 10, x, true]");
    expect_rows(&f, "ARRAY_CONTAINS(ARRAY[1, NULL], a)", "TRUE | TRUE | FALSE");
    expect_rows(&f, "ARRAY_POSITION(ARRAY[3, NULL, 1], a)", "3 | NULL | 1");
    expect_rows(&f, "ARRAY_REMOVE(ARRAY[1, NULL, 3, 1], a)", "[NULL, 3] | [1, 3, 1] | [1, NULL, 1]");
    expect_rows(&f, "ARRAY_APPEND(ARRAY['y'], s)", "[y, x] | [y, NULL] | [y, a]");
    expect_rows(&f, "ARRAY_PREPEND(ARRAY[b], a)", "[1, 10] | [NULL, 0] | [3, -2]");
    expect_rows(&f, "ARRAY_CONCAT(ARRAY[s], ARRAY['y', s])",
                "[x, y, x] | [NULL, y, NULL] | [a text that is longer than twelve, y, a text that is longer than twelve]");
    expect_rows(&f, "ARRAY_CONCAT(ARRAY[1], CASE WHEN b <> 0 THEN ARRAY[a] END)", "[1, 1] | NULL | [1, 3]");
    expect_rows(&f, "ARRAY_DISTINCT(ARRAY[s, s, 'x'])", "[x] | [NULL, x] | [a text that is longer than twelve, x]");
    expect_rows(&f, "ARRAY_UNION(ARRAY[1, a], ARRAY[b, a])", "[1, 10] | [1, NULL, 0] | [1, 3, -2]");
    expect_rows(&f, "ARRAY_INTERSECT(ARRAY[1, a, a], ARRAY[3, a])", "[1] | [NULL] | [3]");
    expect_rows(&f, "ARRAY_EXCEPT(ARRAY[1, a, 2, a], ARRAY[3, 1])", "[2] | [NULL, 2] | [2]");
    expect_rows(&f, "ARRAY_SLICE(ARRAY[7, 8, 9], a - 1, a)", "[7] | NULL | [8, 9]");
    expect_rows(&f, "ARRAY_REVERSE(ARRAY[ARRAY[a], ARRAY[1, 2]])", "[[1, 2], [1]] | [[1, 2], [NULL]] | [[1, 2], [3]]");
    expect_rows(&f, "ARRAY_SORT(ARRAY[b, 5, a, 0], f)", "[0, 1, 5, 10] | [5, 0, 0, NULL] | NULL");
    expect_rows(&f, "ARRAY_MAX(ARRAY[a, b])", "10 | 0 | 3");
    expect_rows(&f, "ARRAY_MIN(ARRAY[s, 'b'])", "b | b | a text that is longer than twelve");
    expect_rows(&f, "ARRAY_JOIN(ARRAY[s, 'b', s], '-', 'none')",
                "x-b-x | none-b-none | a text that is longer than twelve-b-a text that is longer than twelve");
    end(&f);
}

static void test_map_rows(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    expect_rows(&f, "MAP_KEYS(MAP[s, a])", "[x] | [NULL] | [a text that is longer than twelve]");
    expect_rows(&f, "MAP_VALUES(MAP['k', a, 'l', 2])", "[1, 2] | [NULL, 2] | [3, 2]");
    expect_rows(&f, "MAP_ENTRIES(MAP['k', s])", "[(k, x)] | [(k, NULL)] | [(k, a text that is longer than twelve)]");
    expect_rows(&f, "MAP_UNION(MAP[b, 1], MAP[CAST(0 AS BIGINT), a])", "{10=1, 0=1} | {0=NULL} | {-2=1, 0=3}");
    expect_rows(&f, "MAP_FROM_ARRAYS(ARRAY[b], CASE WHEN f THEN ARRAY['p'] END)", "{10=p} | NULL | NULL");
    expect_rows(&f, "MAP_FROM_ARRAYS(ARRAY[b], IF(b < 0, ARRAY_REMOVE(ARRAY[a], 3), ARRAY[a]))",
                "the arrays of keys and of values have not the same length in "
                "\"MAP_FROM_ARRAYS(ARRAY(b), CASE((b < 0), ARRAY_REMOVE(ARRAY(a), 3), ARRAY(a)))\", "
                "row +I[3, -2, a text that is longer than twelve, null]");
    expect_rows(&f, "SPLIT(s, ' ')", "[x] | NULL | [a, text, that, is, longer, than, twelve]");
    expect_rows(&f, "STR_TO_MAP(s, ' ', 'e')",
                "{x=NULL} | NULL | {a=NULL, t=xt, that=NULL, is=NULL, long=r, than=NULL, tw=lve}");
    expect_rows(&f, "STR_TO_MAP(s, '[ ]', '=')",
                "the separators of STR_TO_MAP are texts: a character of regular expressions stands behind a backslash in "
                "\"STR_TO_MAP(s, '[ ]', '=')\", row +I[1, 10, x, true]");
    end(&f);
}

static void test_nested_casts_and_equality(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    expect_rows(&f, "CAST(ARRAY[a, 2] AS ARRAY<STRING>)", "[1, 2] | [NULL, 2] | [3, 2]");
    expect_rows(&f, "CAST(ARRAY[s, '7'] AS ARRAY<INT>)",
                "the text is no whole number of that size in \"CAST(ARRAY(s, '7') AS ARRAY<INT>)\", row +I[1, 10, x, true]");
    expect_rows(&f, "TRY_CAST(ARRAY[COALESCE(s, '8'), '7'] AS ARRAY<INT>)", "NULL | [8, 7] | NULL");
    expect_rows(&f, "CAST(MAP[b / 7, s] AS MAP<STRING, VARCHAR(4)>)", "{1=x} | {0=NULL} | {0=a te}");
    expect_rows(&f, "CAST(MAP[a / 2e0, 'p', 0.2e0, s] AS MAP<INT, STRING>)",
                "{0=x} | {NULL=p, 0=NULL} | {1=p, 0=a text that is longer than twelve}");
    expect_rows(&f, "CAST(CASE WHEN b <> 0 THEN ROW(CAST(a AS STRING), ARRAY[b]) END AS ROW<p INT, q ARRAY<STRING>>)",
                "(1, [10]) | NULL | (3, [-2])");
    expect_rows(&f, "CAST(ROW(s, ROW(a)) AS ROW<p VARCHAR(2), q ROW<r DOUBLE>>).q.r", "1.0 | NULL | 3.0");
    expect_rows(&f, "TRY_CAST(ROW(s, a) AS ROW<p INT, q INT>)", "NULL | (NULL, NULL) | NULL");
    expect_rows(&f, "CAST(ARRAY[ROW(a, ARRAY[s])] AS STRING)",
                "[(1, [x])] | [(NULL, [NULL])] | [(3, [a text that is longer than twelve])]");
    expect_rows(&f, "ARRAY[a, b] = ARRAY[1, 10]", "TRUE | FALSE | FALSE");
    expect_rows(&f, "MAP[b, a] = MAP[CAST(10 AS BIGINT), 1]", "TRUE | FALSE | FALSE");
    expect_rows(&f, "(a, b) = (1, 10)", "TRUE | FALSE | FALSE");
    expect_rows(&f, "(a, b) IN ((1, 10), (3, -2))", "TRUE | FALSE | TRUE");
    expect_rows(&f, "(b, a) IN ((1, 10), (0, 2))", "FALSE | NULL | FALSE");
    end(&f);
}

/* IN as a set: every layout, NULL on each side, and a list longer than a call takes. */
static void test_in_rows(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    expect_rows(&f, "a IN (3, 4, 5, 6)", "FALSE | NULL | TRUE");
    expect_rows(&f, "a NOT IN (3, 4, 5, 6)", "TRUE | NULL | FALSE");
    expect_rows(&f, "a IN (3, 4, 5, NULL)", "NULL | NULL | TRUE");
    expect_rows(&f, "a NOT IN (3, 4, 5, NULL)", "NULL | NULL | FALSE");
    expect_rows(&f, "b IN (10, -2, 3, 9223372036854775807)", "TRUE | FALSE | TRUE");
    expect_rows(&f, "a IN (2147483648, 3, 4, 5)", "FALSE | NULL | TRUE");
    expect_rows(&f, "s IN ('x', 'a text that is longer than twelve', 'b', 'c')", "TRUE | NULL | TRUE");
    expect_rows(&f, "s IN ('a text that is longer than twelv', 'x ', 'y', NULL)", "NULL | NULL | NULL");
    expect_rows(&f, "f IN (TRUE, TRUE, TRUE, NULL)", "TRUE | NULL | NULL");
    expect_rows(&f, "CAST(a AS TINYINT) IN (1, 2, 4, 5)", "TRUE | NULL | FALSE");
    expect_rows(&f, "CAST(a AS SMALLINT) IN (CAST(1 AS SMALLINT), CAST(2 AS SMALLINT), CAST(4 AS SMALLINT), CAST(5 AS TINYINT))",
                "TRUE | NULL | FALSE");
    expect_rows(&f, "b / 4e0 IN (2.5e0, 0e0, 1e0, 2)", "TRUE | TRUE | FALSE");
    expect_rows(&f, "CAST(b AS DECIMAL(20, 1)) IN (10.0, 0, -1, 7.5)", "TRUE | TRUE | FALSE");
    expect_rows(&f, "DATE '2001-01-01' + INTERVAL '1' DAY * a IN (DATE '2001-01-04', DATE '2001-01-05', DATE '2001-01-06', NULL)",
                "NULL | NULL | TRUE");
    expect_rows(&f, "a IN (b, 1, 2, 4)", "TRUE | NULL | FALSE");
    struct buf text;
    const struct vector *v;
    buf_init(&text, &f.mem);
    buf_append_text(&text, "b IN (");
    for (int i = 0; i < 3000; i++) buf_printf(&text, "%d, ", 1000 + i);
    buf_append_text(&text, "-2)");
    struct expr_run *run = expr_run_create(bound(&f, buf_text(&text)), NULL, ROWS, &f.mem);
    assert_int_equal(expr_eval(run, f.batch, 0, &v, &f.e), S_OK);
    assert_memory_equal(v->data, ((bool[]){false, false, true}), 3);
    expr_run_free(run);
    buf_release(&text);
    end(&f);
}

/* fn_json and fn_json_make over columns: NULLs, documents that differ by row, and what fails. */
static void test_json_rows(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    expect_rows(&f, "s IS JSON", "FALSE | FALSE | FALSE");
    expect_rows(&f, "CAST(a AS STRING) IS JSON SCALAR", "TRUE | FALSE | TRUE");
    expect_rows(&f, "JSON_OBJECT('a' VALUE a, 's' VALUE s)",
                "{\"a\":1,\"s\":\"x\"} | {\"a\":null,\"s\":null} | {\"a\":3,\"s\":\"a text that is longer than twelve\"}");
    expect_rows(&f, "JSON_OBJECT('a' VALUE a, 's' VALUE s ABSENT ON NULL)",
                "{\"a\":1,\"s\":\"x\"} | {} | {\"a\":3,\"s\":\"a text that is longer than twelve\"}");
    expect_rows(&f, "JSON_OBJECT(COALESCE(s, 'k') VALUE b, 'k' VALUE f)",
                "{\"k\":true,\"x\":10} | {\"k\":false} | {\"a text that is longer than twelve\":-2,\"k\":null}");
    expect_rows(&f, "JSON_OBJECT(s VALUE 1)", "a key of JSON_OBJECT is NULL in \"JSON_OBJECT('NULL', s, 'V', 1)\", row +I[null, 0, null, false]");
    expect_rows(&f, "JSON_ARRAY(a, f, ARRAY[s])", "[1,true,[\"x\"]] | [false,[null]] | [3,[\"a text that is longer than twelve\"]]");
    expect_rows(&f, "JSON_ARRAY(JSON(CAST(a AS STRING)), JSON_ARRAY(b) NULL ON NULL)", "[1,[10]] | [null,[0]] | [3,[-2]]");
    expect_rows(&f, "JSON_ARRAY(JSON(s))",
                "the text inside JSON(...) is no JSON in \"JSON_ARRAY('ABSENT', 'P', s)\", row +I[1, 10, x, true]");
    expect_rows(&f, "JSON_STRING(ROW(s, a))",
                "{\"EXPR$0\":\"x\",\"EXPR$1\":1} | {\"EXPR$0\":null,\"EXPR$1\":null} | "
                "{\"EXPR$0\":\"a text that is longer than twelve\",\"EXPR$1\":3}");
    expect_rows(&f, "JSON_VALUE(JSON_OBJECT('a' VALUE a), 'lax $.a' RETURNING INT DEFAULT b - 5 ON EMPTY)",
                "a value of type BIGINT NOT NULL where INT is expected; write CAST(... AS ...) if that is meant at line 1, column 8");
    expect_rows(&f, "JSON_VALUE(JSON_OBJECT('a' VALUE a), 'lax $.a' RETURNING INT DEFAULT CAST(b AS INT) - 5 ON EMPTY)", "1 | -5 | 3");
    expect_rows(&f, "JSON_VALUE(s, '$.a' DEFAULT s ON ERROR)", "x | NULL | a text that is longer than twelve");
    expect_rows(&f, "JSON_VALUE(JSON_STRING(ARRAY[s]), '$[0]')", "x | NULL | a text that is longer than twelve");
    expect_rows(&f, "JSON_VALUE(JSON_STRING(ARRAY[s]), '$[0]' RETURNING INT)",
                "the JSON value is not of the type that is to be returned in \"JSON_VALUE(JSON_STRING(ARRAY(s)), '$[0]', 'RETURNING', 'INT')\", "
                "row +I[1, 10, x, true]");
    expect_rows(&f, "JSON_QUERY(JSON_STRING(ARRAY[s, 'y']), '$' RETURNING ARRAY<STRING>)",
                "[x, y] | [NULL, y] | [a text that is longer than twelve, y]");
    expect_rows(&f, "JSON_QUERY(JSON_STRING(ROW(a, b)), 'lax $.EXPR$0' EMPTY ARRAY ON EMPTY)", "[] | [] | []");
    expect_rows(&f, "JSON_QUERY(s, '$.a' ERROR ON ERROR)",
                "the JSON path finds no such value, or the text is no JSON in \"JSON_QUERY(s, '$.a', 'ERROR', 'ON', 'ERROR')\", "
                "row +I[1, 10, x, true]");
    expect_rows(&f, "JSON_VALUE('{}', 'lax $.a' ERROR ON EMPTY)",
                "the JSON path finds nothing in \"JSON_VALUE('{}', 'lax $.a', 'ERROR', 'ON', 'EMPTY')\", row +I[1, 10, x, true]");
    expect_rows(&f, "JSON_EXISTS(JSON_OBJECT('a' VALUE a), '$.a')", "TRUE | FALSE | TRUE");
    expect_rows(&f, "JSON_EXISTS(s, '$.a' ERROR ON ERROR)",
                "the JSON path finds nothing, or the text is no JSON in \"JSON_EXISTS(s, '$.a', 'ERROR', 'ON', 'ERROR')\", "
                "row +I[1, 10, x, true]");
    expect_rows(&f, "JSON_UNQUOTE(JSON_QUOTE(s || 'é/'))", "xé/ | NULL | a text that is longer than twelveé/");
    end(&f);
}

/* Depth, and texts that are cut: read or refused, never followed beyond. */
static void test_json_bounds(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    expect_rows(&f, "REPEAT('[', 1000 + a) || REPEAT(']', 1000 + a) IS JSON", "FALSE | FALSE | FALSE");
    expect_rows(&f, "REPEAT('[', 997 + a) || REPEAT(']', 997 + a) IS JSON", "TRUE | FALSE | TRUE");
    expect_rows(&f, "JSON_QUERY(JSON_STRING(SPLIT(REPEAT('x', 2000000 + a), '')), '$..*') IS NOT NULL", "FALSE | FALSE | FALSE");
    expect_rows(&f, "REPEAT('{\"a\":', 100000 + a) IS JSON", "FALSE | FALSE | FALSE");
    expect_rows(&f, "JSON_QUERY(REPEAT('[', 900 + a) || REPEAT(']', 900 + a), '$..[0]') IS NOT NULL", "TRUE | FALSE | TRUE");
    for (int cut = 0; cut < 28; cut++) {
        const char *part = arena_printf(&f.arena, "LEFT('{\"a\\u00e9\":[1.5e3,true,\"x\"]}', %d) IS JSON", cut);
        expect_rows(&f, part, "FALSE | FALSE | FALSE");
    }
    end(&f);
}

/* A pattern of many '%' on a text that almost matches: tried again from the last one only. */
static void test_like_is_bounded(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    expect_rows(&f, "REPEAT('a', 100000 + a) LIKE '%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%b'", "FALSE | NULL | FALSE");
    end(&f);
}

/* fn_regex over columns: patterns that differ by row, rows that fail. */
static void test_regex_rows(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    expect_rows(&f, "REGEXP(s, '^a.*e$')", "FALSE | NULL | TRUE");
    expect_rows(&f, "REGEXP('xyz', s)", "TRUE | NULL | FALSE");
    expect_rows(&f, "REGEXP_COUNT(s, SUBSTRING('t+(x', a, 2))", "0 | NULL | NULL");
    expect_rows(&f, "REGEXP_EXTRACT(s, '(\\w+) (\\w+)$', a - 1)", "NULL | NULL | twelve");
    expect_rows(&f, "REGEXP_EXTRACT(s, '(\\w+) (\\w+)$', CAST(b AS INT) + 3)", "NULL | NULL | than");
    expect_rows(&f, "REGEXP_EXTRACT_ALL(s, 't(ha)?', a - a)", "[] | NULL | [t, t, tha, t, tha, t]");
    expect_rows(&f, "REGEXP_EXTRACT_ALL(s, 't(ha)?')", "[] | NULL | [NULL, NULL, ha, NULL, ha, NULL]");
    expect_rows(&f, "REGEXP_INSTR(s, '[t-x]+')", "1 | NULL | 3");
    expect_rows(&f, "REGEXP_REPLACE(s, '[a-s ]+', '.')", "x | NULL | .t.xt.t.t.t.tw.v.");
    expect_rows(&f, "REGEXP_REPLACE(s, CASE WHEN a = 1 THEN '(' ELSE 't' END, '')", "NULL | NULL | a ex ha is longer han welve");
    expect_rows(&f, "REGEXP_REPLACE('a', CASE WHEN b = 0 THEN '(' ELSE 'b' END, '')",
                "no regular expression, and the result may not be NULL in \"REGEXP_REPLACE('a', CASE((b = 0), '(', 'b'), '')"
                "\", row +I[null, 0, null, false]");
    expect_rows(&f, "REGEXP_SUBSTR(s, 'l.*')", "NULL | NULL | longer than twelve");
    expect_rows(&f, "s SIMILAR TO '(x|a%)'", "TRUE | NULL | TRUE");
    expect_rows(&f, "'xx' SIMILAR TO s || '+'", "TRUE | NULL | FALSE");
    expect_rows(&f, "'x' SIMILAR TO s || ']'",
                "a ']' closes no class in \"SIMILAR TO('x', (s || ']'))\", row +I[1, 10, x, true]");
    expect_rows(&f, "REGEXP('x', '(?<=a{1,2})' || s)",
                "a look behind must have a fixed length in \"REGEXP('x', ('(?<=a{1,2})' || s))\", row +I[1, 10, x, true]");
    expect_rows(&f, "REGEXP(REPEAT(s, 40), '((x|xx)*)*[yz]')",
                "the regular expression needs too many steps for this text in \"REGEXP(REPEAT(s, 40), '((x|xx)*)*[yz]')\", row "
                "+I[1, 10, x, true]");
    end(&f);
}

static void test_math_rows(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    expect_rows(&f, "ABS(b) + ABS(a)", "11 | NULL | 5");
    expect_rows(&f, "POWER(b, 2)", "100.0 | 0.0 | 4.0");
    expect_rows(&f, "SIGN(b)", "1 | 0 | -1");
    expect_rows(&f, "ROUND(CAST(b AS DECIMAL(5, 2)) / 3, a)", "3.3000000000000 | NULL | -0.6670000000000");
    expect_rows(&f, "ROUND(b, -1)", "10 | 0 | 0");
    expect_rows(&f, "TRUNCATE(b * 1.55e0, a)", "15.5 | NULL | -3.1");
    expect_rows(&f, "ROUND(a / 0e0, 1)",
                "a number that is not finite, or too large, cannot be rounded in \"ROUND((CAST(a AS DOUBLE) / 0.0), 1)\", row +I[1, 10, x, true]");
    expect_rows(&f, "CASE WHEN b < 0 THEN ROUND(1e0 / (b + 2), 1) ELSE 7 END IS NULL",
                "a number that is not finite, or too large, cannot be rounded in \"ROUND((1.0 / CAST((b + 2) AS DOUBLE)), 1)\", row +I[3, -2, a text that is longer than twelve, null]");
    expect_rows(&f, "HEX(s)", "78 | NULL | 6120746578742074686174206973206C6F6E676572207468616E207477656C7665");
    expect_rows(&f, "UNHEX(HEX(s))", "x | NULL | a text that is longer than twelve");
    expect_rows(&f, "UNHEX('466c696e6B')", "Flink | Flink | Flink");
    expect_rows(&f, "UNHEX('GG')", "NULL | NULL | NULL");
    expect_rows(&f, "UNHEX(s)", "NULL | NULL | NULL");
    expect_rows(&f, "HEX(CAST(UNHEX('161') AS STRING))", "0061 | 0061 | 0061");
    expect_rows(&f, "HEX(CAST(UNHEX('1') AS STRING))", "00 | 00 | 00");
    expect_rows(&f, "BIN(a)", "1 | NULL | 11");
    expect_rows(&f, "MD5(s)", "9dd4e461268c8034f5c8564e155c67a6 | NULL | 2ce665b390d4037fd31897b965c45847");
    expect_rows(&f, "SHA2(s, CAST(b AS INT) * 28 - 56)", "SHA2 has lengths of 224, 256, 384 and 512 bits in \"SHA2(s, ((CAST(b AS INT) * 28) - 56))\", "
                    "row +I[3, -2, a text that is longer than twelve, null]");
    end(&f);
}

static void test_conditional_rows(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    expect_rows(&f, "GREATEST(a, b, 2)", "10 | NULL | 3");
    expect_rows(&f, "LEAST(a, b)", "1 | NULL | -2");
    expect_rows(&f, "GREATEST(s, 'b')", "x | NULL | b");
    expect_rows(&f, "LEAST(s, 'b')", "b | NULL | a text that is longer than twelve");
    expect_rows(&f, "IF(f, a, b)", "1 | 0 | -2");
    expect_rows(&f, "IF(b = 0, 0, 100 / b)", "10 | 0 | -50");
    expect_rows(&f, "IFNULL(a, 9)", "1 | 9 | 3");
    expect_rows(&f, "IFNULL(s, CAST(100 / (b - 1) AS STRING))", "x | -100 | a text that is longer than twelve");
    expect_rows(&f, "NULLIF(b, a - 5)", "10 | 0 | NULL");
    expect_rows(&f, "TYPEOF(IF(f, 1, 2))", "INT | INT | INT");
    expect_rows(&f, "TYPEOF(NULLIF(b, 1))", "BIGINT | BIGINT | BIGINT");
    expect_rows(&f, "TYPEOF(IFNULL(a, 2))", "INT NOT NULL | INT NOT NULL | INT NOT NULL");
    expect_rows(&f, "TYPEOF(IF(f, 'a', 'bcd'))", "VARCHAR(3) | VARCHAR(3) | VARCHAR(3)");
    end(&f);
}

/* The numbers are those of Flink, which are Java's. */
static void test_random_rows(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    expect_rows(&f, "RAND(1)", "0.7308781907032909 | 0.41008081149220166 | 0.20771484130971707");
    expect_rows(&f, "RAND(a)", "0.7308781907032909 | NULL | 0.731057369148862");
    expect_rows(&f, "RAND_INTEGER(42, 1000)", "130 | 763 | 248");
    expect_rows(&f, "RAND_INTEGER(1, 8)", "5 | 0 | 3");
    expect_rows(&f, "RAND_INTEGER(a, a * 10)", "5 | NULL | 14");
    expect_rows(&f, "CASE WHEN b <> 0 THEN RAND(1) END", "0.7308781907032909 | NULL | 0.41008081149220166");
    expect_rows(&f, "RAND() < 1 AND RAND() >= 0", "TRUE | TRUE | TRUE");
    expect_rows(&f, "RAND() = RAND()", "FALSE | FALSE | FALSE");
    expect_rows(&f, "RAND_INTEGER(1)", "0 | 0 | 0");
    expect_rows(&f, "RAND_INTEGER(CAST(b AS INT))", "the bound of RAND_INTEGER must be positive in \"RAND_INTEGER(CAST(b AS INT))\", "
                    "row +I[null, 0, null, false]");
    expect_rows(&f, "UUID() = UUID()", "FALSE | FALSE | FALSE");
    const char *uuid = value_of(&f, "UUID()", true);
    for (int i = 0; i < 36; i++) assert_int_equal(uuid[i] == '-', i == 8 || i == 13 || i == 18 || i == 23);
    assert_int_equal(uuid[14], '4');
    assert_non_null(strchr("89ab", uuid[19]));
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

static void expect_mistakes(const char *const (*cases)[3], size_t count)
{
    struct fixture f;

    begin(&f);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(value_of(&f, cases[i][0], false), cases[i][1]);
        if (cases[i][2] != NULL) assert_string_equal(f.e.excerpt, cases[i][2]);
    }
    end(&f);
}

static void test_mistakes(void **state)
{
    static const char *const cases[][3] = {
        {"x + 1", "Column 'x' not found in any table at line 1, column 8", "SELECT x + 1\n       ^"},
        {"1 + tt.a", "Table 'tt' not found at line 1, column 12", NULL},
        {"1 + FOO(a)", "No match found for function signature FOO(<NUMERIC>) at line 1, column 12", "SELECT 1 + FOO(a)\n           ^^^"},
        {"'a' + 1", "Cannot apply '+' to arguments of type '<CHAR(1)> + <INT>' at line 1, column 8", "SELECT 'a' + 1\n       ^^^^^^^"},
        {"MOD(5)", "Cannot apply '%' to arguments of type '%<INT>' at line 1, column 8", NULL},
        {"NEGATE(1, 2)", "Cannot apply '-' to arguments of type '-(<INT>, <INT>)' at line 1, column 8", NULL},
        {"INTERVAL '9223372036854775807' SECOND", "'9223372036854775807' is no interval of SECOND at line 1, column 8", NULL},
        {"INTERVAL '--9223372036854775808' MONTH", "the interval is too long at line 1, column 8", NULL},
        {"`CAST`(1)", "a cast is written CAST(value AS type) at line 1, column 8", NULL},
        {"`=`()", "No match found for function signature =() at line 1, column 8", NULL},
        {"a = f", "Cannot apply '=' to arguments of type '<INT> = <BOOLEAN>' at line 1, column 8", NULL},
        {"CAST(a AS FOO)", "unknown type 'FOO' at line 1, column 18", NULL},
        {"DATE '2001-13-01'", "'2001-13-01' is not a value of type DATE at line 1, column 8", NULL},
        {"CASE WHEN a THEN 1 END", "Expected a boolean type at line 1, column 18", NULL},
        {"ROUND('a')", "Cannot apply 'ROUND' to arguments of type 'ROUND(<CHAR(1)>)' at line 1, column 8", NULL},
        {"GREATEST(a, s)", "Cannot apply 'GREATEST' to arguments of type 'GREATEST(<INT>, <STRING>)' at line 1, column 8", NULL},
        {"IF(a, 1, 2)", "Cannot apply 'IF' to arguments of type 'IF(<INT>, <INT>, <INT>)' at line 1, column 8", NULL},
        {"NULLIF(a)", "Invalid number of arguments to function 'NULLIF'. Was expecting 2 arguments at line 1, column 8", NULL},
        {"'abc' LIKE 'a!bc' ESCAPE '!'",
         "an escape of LIKE stands before neither '%' nor '_' nor itself: 'a!bc' at line 1, column 8", NULL},
        {"'abc' LIKE 'abc!' ESCAPE '!'", "an escape of LIKE stands at the end of the pattern: 'abc!' at line 1, column 8", NULL},
        {"'abc' LIKE 'abc' ESCAPE '!!'", "the escape of LIKE is one character: 'abc' at line 1, column 8", NULL},
        {"CONCAT(1, 'a')", "Cannot apply 'CONCAT' to arguments of type 'CONCAT(<INT>, <CHAR(1)>)' at line 1, column 8", NULL},
        {"'a' || 1", "Cannot apply '||' to arguments of type '<CHAR(1)> || <INT>' at line 1, column 8", NULL},
    };

    (void)state;
    expect_mistakes(cases, COUNT_OF(cases));
}

static void test_collection_mistakes(void **state)
{
    static const char *const cases[][3] = {
        {"ARRAY[1, 'a']", "the elements of ARRAY[...] must be of one type at line 1, column 8", NULL},
        {"ARRAY[]", "ARRAY[...] takes one value at least at line 1, column 8", NULL},
        {"ARRAY[NULL]", "the elements of ARRAY[...] must be of one type at line 1, column 8", NULL},
        {"MAP['a']", "MAP[...] takes keys and values in turn, one pair at least at line 1, column 8", NULL},
        {"MAP[1, 2, 'a', 3]", "the keys of MAP[...] must be of one type at line 1, column 8", NULL},
        {"ROW(1, NULL)", "a NULL in ROW(...) needs a type at line 1, column 8", NULL},
        {"ROW(1, 2).f0", "Unknown field 'f0' at line 1, column 8", NULL},
        {"a.f", "only a ROW has fields at line 1, column 10", NULL},
        {"ARRAY[1, 2][0]", "Array element access needs an index starting at 1 but was 0. at line 1, column 8", NULL},
        {"ARRAY[1, 2][b]", "an element of an ARRAY is taken by an INT, as in a[1] at line 1, column 8", NULL},
        {"MAP['a', 1][1]", "a value of that type is no key of the MAP at line 1, column 8", NULL},
        {"a[1]", "Cannot apply 'ITEM' to arguments of type 'ITEM(<INT>, <INT>)' at line 1, column 8", NULL},
        {"CARDINALITY(1)", "Cannot apply 'CARDINALITY' to arguments of type 'CARDINALITY(<INT>)' at line 1, column 8", NULL},
        {"ARRAY[1] < ARRAY[2]", "Cannot apply '<' to arguments of type '<ARRAY<INT NOT NULL>> < <ARRAY<INT NOT NULL>>' at line 1, column 8", NULL},
        {"ARRAY_MAX(ARRAY[TRUE])", "Cannot apply 'ARRAY_MAX' to arguments of type 'ARRAY_MAX(<ARRAY<BOOLEAN NOT NULL>>)' at line 1, column 8", NULL},
        {"ARRAY_UNION(ARRAY[1], ARRAY['a'])", "Cannot apply 'ARRAY_UNION' to arguments of type 'ARRAY_UNION(<ARRAY<INT NOT NULL>>, <ARRAY<CHAR(1) NOT NULL>>)' at line 1, column 8", NULL},
        {"ARRAY_JOIN(ARRAY[1], ',')",
         "Cannot apply 'ARRAY_JOIN' to arguments of type 'ARRAY_JOIN(<ARRAY<INT NOT NULL>>, <CHAR(1)>)' at line 1, column 8", NULL},
        {"MAP_KEYS(ARRAY[1])", "Cannot apply 'MAP_KEYS' to arguments of type 'MAP_KEYS(<ARRAY<INT NOT NULL>>)' at line 1, column 8", NULL},
        {"CAST(ROW(1, 2) AS ROW<a INT>)",
         "there is no cast from ROW<`EXPR$0` INT NOT NULL, `EXPR$1` INT NOT NULL> to ROW<`a` INT> at line 1, column 8", NULL},
        {"(a, b) IN ((1, 2), (3, 4, 5))", "Values passed to IN operator must have compatible types at line 1, column 27", NULL},
        {"JSON_VALUE('{}', '$.a[?(@.b > 1)]')", "filters are not taken in the JSON path '$.a[?(@.b > 1)]' at position 5 at line 1, column 8", NULL},
        {"JSON_VALUE('{}', '$.a.size()')", "functions are not taken in the JSON path '$.a.size()' at position 9 at line 1, column 8", NULL},
        {"JSON_VALUE('{}', '$..a..b..c')", "more than two '..' are in the JSON path '$..a..b..c' at position 10 at line 1, column 8", NULL},
        {"JSON_VALUE('{}', '$.')", "a name is missing in the JSON path '$.' at position 3 at line 1, column 8", NULL},
        {"JSON_VALUE('{}', '$[''a')", "a quote is not closed in the JSON path '$['a' at position 5 at line 1, column 8", NULL},
        {"JSON_VALUE('{}', '$[1')", "']' is expected in the JSON path '$[1' at position 4 at line 1, column 8", NULL},
        {"JSON_VALUE('{}', s)", "the path of 'JSON_VALUE' must be a constant text at line 1, column 8", NULL},
        {"JSON_VALUE('{}', '$' RETURNING DATE)", "JSON_VALUE returns STRING, BOOLEAN, INT or DOUBLE at line 1, column 8", NULL},
        {"JSON_QUERY('{}', '$' RETURNING ARRAY<STRING> EMPTY OBJECT ON EMPTY)", "an EMPTY OBJECT is no ARRAY<STRING> at line 1, column 8", NULL},
        {"JSON_STRING(DATE '2001-01-01')", "a value of type DATE NOT NULL has no form in JSON at line 1, column 8", NULL},
        {"JSON_STRING(MAP[1, 2])", "a value of type MAP<INT NOT NULL, INT NOT NULL> NOT NULL has no form in JSON at line 1, column 8", NULL},
        {"JSON('1')",
         "The JSON() function is currently only supported inside JSON_ARRAY() or as the VALUE param of JSON_OBJECT() at line 1, column 8", NULL},
        {"INTERVAL '1-2' DAY", "'1-2' is no interval of DAY at line 1, column 8", NULL},
    };

    (void)state;
    expect_mistakes(cases, COUNT_OF(cases));
}

static void test_examples(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    for (const struct fn_type *const *t = fn_types; *t != NULL; t++)
        for (const struct fn_def *d = (*t)->functions; d->name != NULL; d++) {
            if (d->name[0] == '$') continue; /* not for users: no text calls it */
            if (d->examples == NULL || d->examples->text == NULL) fail_msg("function '%s' has no example", d->name);
            for (const struct fn_example *x = d->examples; x->text != NULL; x++) {
                if (x->result == NULL) continue; /* reads columns: test/sql has it */
                const char *got = value_of(&f, x->text, false);
                size_t n = strlen(x->result);
                if (strncmp(got, x->result, n) != 0 || got[n] != ' ') fail_msg("%s\n is %s\n not %s", x->text, got, x->result);
            }
        }
    end(&f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constants),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_string_rows),
        cmocka_unit_test(test_like_is_bounded),
        cmocka_unit_test(test_regex_rows),
        cmocka_unit_test(test_math_rows),
        cmocka_unit_test(test_zones),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_temporal_rows),
        cmocka_unit_test(test_temporal_mistakes),
        cmocka_unit_test(test_collection_rows),
        cmocka_unit_test(test_map_rows),
        cmocka_unit_test(test_json_rows),
        cmocka_unit_test(test_json_bounds),
        cmocka_unit_test(test_nested_casts_and_equality),
        cmocka_unit_test(test_in_rows),
        cmocka_unit_test(test_conditional_rows),
        cmocka_unit_test(test_random_rows),
        cmocka_unit_test(test_selection),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_collection_mistakes),
        cmocka_unit_test(test_examples),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
