/* test_type.c - type text both ways, errors with their place, bytes both ways, layout. */
#include "columns/column/type.h"
#include "ground/base/str.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct world {
    struct mem mem;
    struct arena arena;
    struct buf out;
    struct err e;
};

static int set_up(void **state)
{
    static struct world w;

    memset(&w, 0, sizeof w);
    mem_init(&w.mem, "test", 0);
    arena_init(&w.arena, &w.mem, 0);
    buf_init(&w.out, &w.mem);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    buf_release(&w->out);
    arena_release(&w->arena);
    assert_int_equal(w->mem.used, 0);
    mem_release(&w->mem);
    return 0;
}

static const struct type *parse(struct world *w, const char *text)
{
    const struct type *t = NULL;

    err_clear(&w->e);
    if (type_parse(&w->arena, str_of(text), &t, &w->e) != S_OK) fail_msg("'%s': %s", text, w->e.text);
    return t;
}

static const char *print(struct world *w, const struct type *t)
{
    buf_clear(&w->out);
    type_print(t, &w->out);
    return buf_text(&w->out);
}

/* What is read prints as said, and what is printed reads as the same type. */
static void check(struct world *w, const char *text, const char *printed)
{
    const struct type *t = parse(w, text), *again;

    assert_string_equal(print(w, t), printed);
    again = parse(w, printed);
    assert_true(type_equal(t, again));
    assert_int_equal(t->time_kind, again->time_kind);
}

static void test_every_kind_reads_and_prints(void **state)
{
    static const char *const pairs[][2] = {
        {"NULL", "NULL"},
        {"boolean", "BOOLEAN"},
        {"TinyInt", "TINYINT"},
        {"SMALLINT NOT NULL", "SMALLINT NOT NULL"},
        {"INT", "INT"},
        {"INTEGER NULL", "INT"},
        {"BIGINT", "BIGINT"},
        {"FLOAT", "FLOAT"},
        {"DOUBLE", "DOUBLE"},
        {"DOUBLE PRECISION", "DOUBLE"},
        {"DECIMAL", "DECIMAL(10, 0)"},
        {"DEC(12)", "DECIMAL(12, 0)"},
        {"NUMERIC(38,38)", "DECIMAL(38, 38)"},
        {"CHAR", "CHAR(1)"},
        {"CHARACTER(7)", "CHAR(7)"},
        {"VARCHAR", "STRING"},
        {"VARCHAR(5)", "VARCHAR(5)"},
        {"CHAR VARYING(6)", "VARCHAR(6)"},
        {"CHARACTER VARYING", "STRING"},
        {"STRING", "STRING"},
        {"VARCHAR(2147483647)", "STRING"},
        {"BINARY(3)", "BINARY(3)"},
        {"BINARY VARYING(4)", "VARBINARY(4)"},
        {"VARBINARY", "BYTES"},
        {"BYTES", "BYTES"},
        {"DATE", "DATE"},
        {"TIME", "TIME(0)"},
        {"TIME(3) WITHOUT TIME ZONE", "TIME(3)"},
        {"TIMESTAMP", "TIMESTAMP(6)"},
        {"TIMESTAMP(9) WITHOUT TIME ZONE", "TIMESTAMP(9)"},
        {"TIMESTAMP WITH LOCAL TIME ZONE", "TIMESTAMP_LTZ(6)"},
        {"TIMESTAMP(0) WITH LOCAL TIME ZONE NOT NULL", "TIMESTAMP_LTZ(0) NOT NULL"},
        {"TIMESTAMP_LTZ(3)", "TIMESTAMP_LTZ(3)"},
        {"TIMESTAMP(3) *ROWTIME*", "TIMESTAMP(3) *ROWTIME*"},
        {"TIMESTAMP_LTZ(3) NOT NULL *PROCTIME*", "TIMESTAMP_LTZ(3) NOT NULL *PROCTIME*"},
        {"INTERVAL YEAR", "INTERVAL YEAR(2) TO MONTH"},
        {"INTERVAL YEAR(4) TO MONTH", "INTERVAL YEAR(2) TO MONTH"},
        {"INTERVAL MONTH", "INTERVAL YEAR(2) TO MONTH"},
        {"INTERVAL DAY(3) TO SECOND(9)", "INTERVAL DAY(2) TO SECOND(3)"},
        {"INTERVAL HOUR TO MINUTE", "INTERVAL DAY(2) TO SECOND(3)"},
        {"INTERVAL SECOND(2, 3)", "INTERVAL DAY(2) TO SECOND(3)"},
        {"ARRAY<INT NOT NULL>", "ARRAY<INT NOT NULL>"},
        {"INT ARRAY", "ARRAY<INT>"},
        {"INT NOT NULL ARRAY NOT NULL MULTISET", "MULTISET<ARRAY<INT NOT NULL> NOT NULL>"},
        {"MAP<STRING, ARRAY<BIGINT>>", "MAP<STRING, ARRAY<BIGINT>>"},
        {"MULTISET<STRING> NOT NULL", "MULTISET<STRING> NOT NULL"},
        {"ROW<a INT, b STRING>", "ROW<`a` INT, `b` STRING>"},
        {"ROW(a INT NOT NULL 'it''s a', `b``c` ROW<>) NOT NULL", "ROW<`a` INT NOT NULL, `b``c` ROW<>> NOT NULL"},
        {"ROW<`a b` INT, date DATE, \xc3\xbc TIME>", "ROW<`a b` INT, `date` DATE, `\xc3\xbc` TIME(0)>"},
        {" \t\nINT\n ", "INT"},
    };

    for (size_t i = 0; i < COUNT_OF(pairs); i++) check(*state, pairs[i][0], pairs[i][1]);
}

static void refuse(struct world *w, const char *text, enum status st, const char *message, const char *hint)
{
    const struct type *t = NULL;

    err_clear(&w->e);
    assert_int_equal(type_parse(&w->arena, str_of(text), &t, &w->e), st);
    assert_string_equal(w->e.text, message);
    assert_string_equal(w->e.hint, hint);
}

static void test_mistakes_show_place_and_remedy(void **state)
{
    struct world *w = *state;

    refuse(w, "ROW<a BIGNIT>", E_DATA, "unknown type 'BIGNIT' at position 7 of the type:\n  ROW<a BIGNIT>\n        ^",
           "did you mean BIGINT?");
    refuse(w, "", E_DATA, "the text ends where a type belongs at position 1 of the type:\n  \n  ^", "");
    refuse(w, "INT INT", E_DATA, "the type ends before this at position 5 of the type:\n  INT INT\n      ^", "");
    refuse(w, "ARRAY<INT", E_DATA, "'>' belongs here at position 10 of the type:\n  ARRAY<INT\n           ^", "");
    refuse(w, "DECIMAL(39)", E_DATA,
           "precision, scale or length out of range for 'DECIMAL' at position 1 of the type:\n  DECIMAL(39)\n  ^",
           "DECIMAL(p, s) has p from 1 to 38 and s from 0 to p");
    refuse(w, "TIMESTAMP(10)", E_DATA,
           "precision, scale or length out of range for 'TIMESTAMP' at position 1 of the type:\n  TIMESTAMP(10)\n  ^",
           "the precision is from 0 to 9 digits of the second");
    refuse(w, "CHAR(0)", E_DATA,
           "precision, scale or length out of range for 'CHAR' at position 1 of the type:\n  CHAR(0)\n  ^",
           "the length is from 1 to 2147483647");
    refuse(w, "VARCHAR(2147483648)", E_DATA,
           "the number is too large at position 9 of the type:\n  VARCHAR(2147483648)\n          ^", "");
    refuse(w, "ROW<a INT, a INT>", E_DATA,
           "the row has two fields of the name 'a' at position 12 of the type:\n  ROW<a INT, a INT>\n             ^",
           "");
    refuse(w, "ROW<a INT,>", E_DATA,
           "the name of a field belongs behind ',' at position 11 of the type:\n  ROW<a INT,>\n            ^", "");
    refuse(w, "ROW<`a INT>", E_DATA, "the quote is not closed at position 5 of the type:\n  ROW<`a INT>\n      ^", "");
    refuse(w, "INTERVAL MONTH TO SECOND", E_DATA,
           "a smaller unit of the same family belongs behind TO at position 19 of the type:\n  INTERVAL MONTH TO "
           "SECOND\n                    ^",
           "");
    refuse(w, "INT *ROWTIME*", E_DATA,
           "only timestamps are time attributes at position 5 of the type:\n  INT *ROWTIME*\n      ^", "");
    refuse(w, "NULL NOT NULL", E_DATA,
           "the type NULL cannot be NOT NULL at position 6 of the type:\n  NULL NOT NULL\n       ^", "");
}

static void test_kept_places_are_refused_by_name(void **state)
{
    static const char *const names[] = {"STRUCTURED", "RAW", "VARIANT", "BITMAP", "DESCRIPTOR", "MODEL"};
    struct world *w = *state;

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char message[200];
        (void)snprintf(message, sizeof message,
                       "this kind of type is not supported: '%s' at position 1 of the type:\n  %s\n  ^", names[i],
                       names[i]);
        refuse(w, names[i], E_UNSUPPORTED, message, "");
    }
    refuse(w, "TIMESTAMP(3) WITH TIME ZONE", E_UNSUPPORTED,
           "no type keeps a zone per value: WITH TIME ZONE is not supported at position 14 of the type:\n"
           "  TIMESTAMP(3) WITH TIME ZONE\n               ^",
           "use TIMESTAMP WITH LOCAL TIME ZONE (TIMESTAMP_LTZ), an instant shown in the session's zone");
}

static void test_long_text_is_cut_around_the_place(void **state)
{
    struct world *w = *state;

    refuse(w, "ROW<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa XYZZY, b INT>", E_DATA,
           "unknown type 'XYZZY' at position 62 of the type:\n"
           "  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa XYZZY, b INT>\n"
           "                                          ^", "");
}

/* "ARRAY<" n times, INT, ">" n times. */
static struct str nested(struct world *w, int n, const char *tail)
{
    buf_clear(&w->out);
    for (int i = 0; i < n; i++) buf_append_text(&w->out, "ARRAY<");
    buf_append_text(&w->out, "INT");
    for (int i = 0; i < n; i++) buf_append_text(&w->out, ">");
    buf_append_text(&w->out, tail);
    return (struct str){w->out.data, w->out.size};
}

static void test_depth_is_bounded(void **state)
{
    struct world *w = *state;
    const struct type *t;

    assert_int_equal(type_parse(&w->arena, nested(w, 63, ""), &t, &w->e), S_OK);
    assert_int_equal(type_parse(&w->arena, nested(w, 62, " ARRAY"), &t, &w->e), S_OK);
    assert_int_equal(type_parse(&w->arena, nested(w, 64, ""), &t, NULL), E_DATA);
    assert_int_equal(type_parse(&w->arena, nested(w, 63, " ARRAY"), &t, NULL), E_DATA);
    assert_int_equal(type_parse(&w->arena, nested(w, 100000, ""), &t, NULL), E_DATA);
}

static void test_field_count_is_bounded(void **state)
{
    struct world *w = *state;
    const struct type *t;

    for (int count = 2048; count <= 2049; count++) {
        buf_clear(&w->out);
        buf_append_text(&w->out, "ROW<");
        for (int i = 0; i < count; i++) buf_printf(&w->out, "%sf%d INT", i ? "," : "", i);
        buf_append_text(&w->out, ">");
        assert_int_equal(type_parse(&w->arena, (struct str){w->out.data, w->out.size}, &t, NULL),
                         count == 2048 ? S_OK : E_DATA);
    }
    assert_int_equal(t->child_count, 2048);
    assert_int_equal(type_field(t, STR("f2047")), 2047);
    assert_int_equal(type_field(t, STR("f2048")), -1);
}

static void test_layout_follows_from_the_type(void **state)
{
    struct world *w = *state;

    assert_int_equal(parse(w, "DECIMAL(18, 2)")->phys, P_I64);
    assert_int_equal(parse(w, "DECIMAL(19, 2)")->phys, P_I128);
    assert_int_equal(parse(w, "TIMESTAMP(6)")->phys, P_I64);
    assert_int_equal(parse(w, "TIMESTAMP_LTZ(7)")->phys, P_TS96);
    assert_int_equal(parse(w, "INTERVAL MONTH")->phys, P_I32);
    assert_int_equal(parse(w, "ROW<>")->phys, P_ROW);
    assert_int_equal(phys_width(P_STR), 16);
    assert_int_equal(phys_width(P_ROW), 0);
    assert_true(parse(w, "MULTISET<INT>")->children[1]->kind == T_INT &&
                !parse(w, "MULTISET<INT>")->children[1]->nullable);
}

static void test_equality(void **state)
{
    struct world *w = *state;
    const struct type *t = parse(w, "ROW<a INT, b ARRAY<STRING NOT NULL>>");

    assert_true(type_equal(t, parse(w, "ROW<a INTEGER, b ARRAY<VARCHAR(2147483647) NOT NULL>>")));
    assert_false(type_equal(t, parse(w, "ROW<a INT, b ARRAY<STRING>>")));
    assert_true(type_equal_ignoring_null(t, parse(w, "ROW<a INT, b ARRAY<STRING>> NOT NULL")));
    assert_false(type_equal_ignoring_null(t, parse(w, "ROW<a INT, c ARRAY<STRING>>")));
    assert_false(type_equal(parse(w, "DECIMAL(5, 1)"), parse(w, "DECIMAL(5, 2)")));
    assert_true(type_equal(parse(w, "TIMESTAMP(3) *ROWTIME*"), &type_timestamp3));
    assert_false(type_equal(type_with_null(&w->arena, &type_int, false), &type_int));
    assert_ptr_equal(type_with_null(&w->arena, &type_int, true), &type_int);
    assert_true(type_is_numeric(parse(w, "DECIMAL")) && !type_is_numeric(&type_boolean) &&
                !type_is_numeric(&type_date));
    assert_true(type_is_string(parse(w, "CHAR(3)")) && !type_is_string(&type_bytes));
}

static void test_bytes_both_ways(void **state)
{
    struct world *w = *state;
    const struct type *t = parse(
        w, "ROW<a INT NOT NULL, b MAP<STRING, DECIMAL(20, 3)>, c ROW<d TIMESTAMP(3) *ROWTIME*, e MULTISET<CHAR(3)>>, "
           "f ARRAY<INTERVAL DAY TO SECOND>, g NULL, h TIME(3)>");
    const struct type *back = NULL;
    const uint8_t *at;
    struct buf b;

    buf_init(&b, &w->mem);
    type_encode(t, &b);
    at = (const uint8_t *)b.data;
    assert_int_equal(type_decode(&w->arena, &at, at + b.size, &back), S_OK);
    assert_ptr_equal(at, b.data + b.size);
    assert_true(type_equal(t, back));
    assert_int_equal(back->children[2]->children[0]->time_kind, TIME_ROWTIME);

    for (size_t cut = 0; cut < b.size; cut++) { /* every prefix is refused, and nothing behind it is read */
        uint8_t *copy = mem_alloc(&w->mem, cut + 1);
        memcpy(copy, b.data, cut);
        at = copy;
        assert_int_equal(type_decode(&w->arena, &at, copy + cut, &back), E_DATA);
        assert_ptr_equal(at, copy);
        mem_free(&w->mem, copy);
    }
    buf_release(&b);
}

static void test_bytes_of_no_type_are_refused(void **state)
{
    struct world *w = *state;
    static const uint8_t bad[][4] = {{T_STRUCTURED, 0, 0, 0}, {255, 0, 0, 0}, {T_DECIMAL, 0, 78, 0}, {T_INT, 2, 0, 0},
                                     {T_INT, 8, 0, 0},        {T_CHAR, 0, 0, 0}, {T_TIME, 0, 20, 0}, {T_ROW, 0, 3, 0}};
    const struct type *t;

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const uint8_t *at = bad[i];
        assert_int_equal(type_decode(&w->arena, &at, bad[i] + 4, &t), E_DATA);
    }
    uint8_t deep[400];
    for (size_t i = 0; i < sizeof deep; i++) deep[i] = i % 2 ? 1 : T_ARRAY;
    const uint8_t *at = deep;
    assert_int_equal(type_decode(&w->arena, &at, deep + sizeof deep, &t), E_DATA);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_every_kind_reads_and_prints),
        TEST(test_mistakes_show_place_and_remedy),
        TEST(test_kept_places_are_refused_by_name),
        TEST(test_long_text_is_cut_around_the_place),
        TEST(test_depth_is_bounded),
        TEST(test_field_count_is_bounded),
        TEST(test_layout_follows_from_the_type),
        TEST(test_equality),
        TEST(test_bytes_both_ways),
        TEST(test_bytes_of_no_type_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
