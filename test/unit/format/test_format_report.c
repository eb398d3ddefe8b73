/* test_format_report.c - the excerpt of a bad record: its line, cut around the mistake, and a caret in the right column. */
#include "flow/format/format_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void shows(const char *raw, size_t size, size_t at, const char *expected)
{
    struct mem mem;
    struct format_report r;
    struct err e = {0};

    mem_init(&mem, "test", 0);
    struct format_config config = {.on_error = ON_ERROR_FAIL, .mem = &mem, .name = "f"};
    report_init(&r, &config);
    buf_append_text(report_begin(&r), "bad");
    struct format_position where = report_place(&r, raw, raw + at, 1, 0);
    assert_int_equal(report_record(&r, &where, (struct str){raw, size}, raw + at, "mend it", &e), E_DATA);
    assert_string_equal(e.excerpt, expected);
    assert_string_equal(e.hint, "mend it");
    assert_null(strchr(e.text, '\n'));
    report_release(&r);
    mem_release(&mem);
}
#define SHOWS(TEXT, AT, EXPECTED) shows(TEXT, sizeof TEXT - 1, AT, EXPECTED)

static void short_lines(void **state)
{
    (void)state;
    SHOWS("b,x", 0, "  b,x\n  ^");
    SHOWS("b,x", 2, "  b,x\n    ^");
    SHOWS("b,x\r", 3, "  b,x\n     ^"); /* behind the end: something is missing there */
    SHOWS("", 0, "  \n  ^");
}

static void only_the_line_of_the_mistake(void **state)
{
    (void)state;
    SHOWS("a,\"1\r\n22\n3\",x", 6, "  22\n  ^");
    SHOWS("a,\"1\r\n22\n3\",x", 3, "  a,\"1\n     ^");
    SHOWS("a,\"1\r\n22\n3\",x", 12, "  3\",x\n     ^");
}

static void what_does_not_print(void **state)
{
    (void)state;
    SHOWS("a\tb,\0,\x1b[2J", 4, "  a b,?,?[2J\n      ^");
    SHOWS("\xc3\xa4\xff,x", 2, "  \xc3\xa4?,x\n   ^");
    SHOWS("\xe6\xbc\xa2\xc3\xa4,x", 6, "  \xe6\xbc\xa2\xc3\xa4,x\n      ^"); /* a wide letter takes two columns */
}

static void long_lines_are_cut_around_the_mistake(void **state)
{
    char line[400], expected[300];

    (void)state;
    memset(line, 'a', sizeof line);
    line[200] = '!';
    memset(expected, 'a', sizeof expected);
    memcpy(expected, "  ...", 5);
    expected[5 + 48] = '!';
    memcpy(expected + 5 + 48 + 40, "...\n", 4);
    memset(expected + 97, ' ', 53);
    memcpy(expected + 97 + 53, "^", 2);
    shows(line, sizeof line, 200, expected);
    for (size_t i = 0; i < sizeof line; i += 2) memcpy(line + i, "\xc3\xa4", 2); /* never inside a character */
    for (size_t at = 0; at < sizeof line; at += 2) {
        struct err e = {0};
        struct mem mem;
        struct format_report r;
        mem_init(&mem, "test", 0);
        struct format_config config = {.on_error = ON_ERROR_FAIL, .mem = &mem, .name = "f"};
        report_init(&r, &config);
        buf_append_text(report_begin(&r), "bad");
        struct format_position where = report_place(&r, line, line + at, 1, 0);
        assert_int_equal(report_record(&r, &where, (struct str){line, sizeof line}, line + at, NULL, &e), E_DATA);
        assert_null(strchr(e.excerpt, '?'));
        report_release(&r);
        mem_release(&mem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_lines),
        cmocka_unit_test(only_the_line_of_the_mistake),
        cmocka_unit_test(what_does_not_print),
        cmocka_unit_test(long_lines_are_cut_around_the_mistake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
