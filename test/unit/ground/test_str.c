/* test_str.c - views of text: comparing, cutting, integers, UTF-8, the nearest name. */
#include "ground/base/str.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static void comparing(void **state)
{
    (void)state;
    assert_true(str_equal(str_of(NULL), STR("")));
    assert_true(str_equal(STR("a\0b"), (struct str){"a\0b", 3}));
    assert_false(str_equal(STR("a\0b"), STR("a\0c")));
    assert_true(str_equal_nocase(STR("Flink-1"), STR("fLINK-1")));
    assert_false(str_equal_nocase(STR("a@"), STR("a`"))); /* 32 apart, but no letters */
    assert_int_equal(str_compare(STR("a"), STR("b")), -1);
    assert_int_equal(str_compare(STR("ab"), STR("a")), 1);
    assert_int_equal(str_compare(STR(""), STR("a")), -1);
    assert_int_equal(str_compare(STR("\xFF"), STR("a")), 1); /* bytes are unsigned */
    assert_int_equal(str_compare(STR("same"), STR("same")), 0);
    assert_true(str_starts(STR("abc"), STR("ab")) && str_starts(STR("abc"), STR("")));
    assert_false(str_starts(STR("ab"), STR("abc")));
    assert_true(str_ends(STR("abc"), STR("bc")) && str_ends(STR(""), STR("")));
    assert_false(str_ends(STR("abc"), STR("ab")));
}

static void cutting(void **state)
{
    struct str rest = STR("a,,b,"), head;
    char joined[64] = "";

    (void)state;
    while (str_cut(&rest, ',', &head)) sprintf(joined + strlen(joined), "[%.*s]", (int)head.size, head.data);
    assert_string_equal(joined, "[a][][b]"); /* nothing stands behind the last separator */
    assert_true(str_equal(str_trim(STR(" \t\r\nx y\n ")), STR("x y")));
    assert_true(str_equal(str_trim(STR(" \t ")), STR("")));
}

static void integers(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {{"0", 0},   {"-0", 0}, {"+7", 7}, {"0012", 12}, {"-42", -42}, {"9223372036854775807", INT64_MAX},
                {"-9223372036854775808", INT64_MIN}};
    static const char *const bad[] = {"",    "-",   "+",   "1 ", " 1", "1.0", "0x1", "--1", "1e3", "9223372036854775808",
                                      "-9223372036854775809", "99999999999999999999"};
    int64_t value;
    char text[25];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(str_to_int64(str_of(good[i].text), &value));
        assert_int_equal(value, good[i].value);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (str_to_int64(str_of(bad[i]), &value)) fail_msg("'%s' was taken for an integer", bad[i]);
    static const int64_t values[] = {0, 7, -7, 10, 1234567890, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        char expected[25];
        text[str_from_int64(values[i], text)] = '\0';
        sprintf(expected, "%lld", (long long)values[i]);
        assert_string_equal(text, expected);
    }
}

static void utf8(void **state)
{
    static const char *const good[] = {"", "plain ascii, longer than eight", "\xC2\x80", "a\xC3\xA9z", "\xE0\xA0\x80",
                                       "\xED\x9F\xBF", "\xEE\x80\x80",
                                       "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "1234567\xE2\x82\xAC 890"};
    static const char *const bad[] = {"\x80", "\xC3", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80",
                                      "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80", "\xE2\x82", "\xE2\x28\xAC", "12345678\xFF", "1234567\xE2\x82"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        if (!str_is_utf8(str_of(good[i]))) fail_msg("good text %zu was refused", i);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (str_is_utf8(str_of(bad[i]))) fail_msg("bad text %zu was accepted", i);
    assert_int_equal(str_utf8_length(STR("a\xC3\xA9\xE2\x82\xAC\xF0\x90\x80\x80")), 4);
}

static void nearest_name(void **state)
{
    static const char *const names[] = {"sort", "filter", "rows-per-second", "path"};

    (void)state;
    assert_int_equal(str_nearest(STR("flter"), names, 4), 1);
    assert_int_equal(str_nearest(STR("rows-per-secnod"), names, 4), 2);
    assert_int_equal(str_nearest(STR("PATH"), names, 4), 3);
    assert_int_equal(str_nearest(STR("pat"), names, 4), 3);
    assert_int_equal(str_nearest(STR("xyz"), names, 4), -1);
    assert_int_equal(str_nearest(STR("so"), names, 4), -1); /* two of two letters are too many */
    assert_int_equal(str_nearest(STR(""), names, 4), -1);
    char longer[100];
    memset(longer, 'f', sizeof longer);
    assert_int_equal(str_nearest((struct str){longer, sizeof longer}, names, 4), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparing), cmocka_unit_test(cutting),      cmocka_unit_test(integers),
        cmocka_unit_test(utf8),      cmocka_unit_test(nearest_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
