/* test_excerpt.c - how mistakes are shown: the line with carets under its token, on a terminal cut around them. */
#include "ground/base/str.h"
#include "ground/base/width.h"
#include "language/sql/token.h"
#include "surface/api/api.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static struct mem mem;
static struct buf shown;

static int set_up(void **state)
{
    (void)state;
    mem_init(&mem, "excerpt", 0);
    buf_init(&shown, &mem);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_release(&shown);
    mem_release(&mem);
    return 0;
}

/* The excerpt of a mistake in the token, as a terminal of so many columns shows it; 0: none. */
static const char *show(const char *statement, const char *token, uint32_t columns)
{
    struct err e = {0};

    sql_error_excerpt(&e, str_of(statement), (uint32_t)(strstr(statement, token) - statement), (uint32_t)strlen(token));
    err_set(&e, E_DATA, "wrong");
    buf_clear(&shown);
    api_print_error(NULL, &e, false, columns, &shown);
    assert_memory_equal(shown.data, "wrong\n", 6);
    return buf_text(&shown) + 6;
}

static void carets_stand_under_the_token(void **state)
{
    (void)state;
    assert_string_equal(show("SELECT nope", "nope", 80), "SELECT nope\n       ^^^^\n");
    assert_string_equal(show("SELECT\n\t\tnope\nFROM t", "nope", 80), "  nope\n  ^^^^\n");
    assert_string_equal(show("SELECT '中文', nope", "nope", 80), "SELECT '中文', nope\n               ^^^^\n");
    assert_string_equal(show("SELECT 中文 FROM t", "中文", 80), "SELECT 中文 FROM t\n       ^^^^\n");
    assert_string_equal(show("SELECT 'e\xCC\x81', nope", "nope", 80), "SELECT 'e\xCC\x81', nope\n            ^^^^\n");
}

static void long_lines_are_cut(void **state)
{
    const char *line = "SELECT one, two, three, four, five, six, seven, eight FROM numbers";

    (void)state;
    assert_string_equal(show(line, "six", 0), "SELECT one, two, three, four, five, six, seven, eight FROM numbers\n"
                                              "                                    ^^^\n");
    assert_string_equal(show(line, "six", 30), "..., five, six, seven, eigh...\n"
                                               "           ^^^\n");
    assert_string_equal(show(line, "one", 30), "SELECT one, two, three, fou...\n"
                                               "       ^^^\n");
    assert_string_equal(show(line, "numbers", 30), "...even, eight FROM numbers\n"
                                                   "                    ^^^^^^^\n");
    assert_string_equal(show(line, "six", 10), "e, six, se\n"
                                               "   ^^^\n");
    assert_string_equal(show("SELECT 中文中文中文中文中文中文 + nope FROM t", "nope", 24), "...中文 + nope FROM t\n"
                                                                                           "          ^^^^\n");
}

/* Whatever the width: no line is longer, and the caret is there. */
static void nothing_is_too_long(void **state)
{
    const char *line = "SELECT one, 中文, three, four, five, six, 七, eight, '😀' FROM numbers WHERE it = is;";
    static const char *const tokens[] = {"SELECT", "one", "中文", "six", "七", "'😀'", "numbers", "is"};

    (void)state;
    for (uint32_t columns = 1; columns < 100; columns++)
        for (size_t i = 0; i < COUNT_OF(tokens); i++) {
            struct str rest = str_of(show(line, tokens[i], columns)), one;
            assert_non_null(memchr(rest.data, '^', rest.size));
            while (str_cut(&rest, '\n', &one))
                if (width_of(one) > columns)
                    fail_msg("%u columns, %s: %.*s", columns, tokens[i], (int)one.size, one.data);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(carets_stand_under_the_token, set_up, tear_down),
                                       cmocka_unit_test_setup_teardown(long_lines_are_cut, set_up, tear_down),
                                       cmocka_unit_test_setup_teardown(nothing_is_too_long, set_up, tear_down)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
