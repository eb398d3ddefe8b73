/* test_width.c - columns that texts take on a terminal, and the tables behind them held against ICU. */
#include "ground/base/width.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include <unicode/uchar.h>

static uint32_t width(const char *text) { return width_of((struct str){text, strlen(text)}); }

static void texts(void **state)
{
    (void)state;
    assert_int_equal(width(""), 0);
    assert_int_equal(width("abc\t"), 4);
    assert_int_equal(width("grün"), 4);
    assert_int_equal(width("中文"), 4);
    assert_int_equal(width("，こ"), 4);
    assert_int_equal(width("한국"), 4);
    assert_int_equal(width("ﾊﾝ"), 2);   /* half width */
    assert_int_equal(width("ＡＢ"), 4); /* full width */
    assert_int_equal(width("😀🚀"), 4);
    assert_int_equal(width("α±§“”"), 5);     /* ambiguous */
    assert_int_equal(width("e\xCC\x81"), 1); /* a letter and its accent */
    assert_int_equal(width("a\xE2\x80\x8D"), 1);
    assert_int_equal(width("\xFF\xC3"), 2); /* no UTF-8 */
    assert_int_equal(width("\xE4\xB8"), 2); /* cut off */
}

static size_t prefix(const char *text, uint32_t columns)
{
    return width_prefix((struct str){text, strlen(text)}, columns);
}

static void prefixes(void **state)
{
    (void)state;
    assert_int_equal(prefix("abc", 2), 2);
    assert_int_equal(prefix("abc", 9), 3);
    assert_int_equal(prefix("abc", 0), 0);
    assert_int_equal(prefix("中文", 3), 3); /* half of a letter is none */
    assert_int_equal(prefix("中文", 4), 6);
    assert_int_equal(prefix("e\xCC\x81x", 1), 3); /* with its accent */
}

/* What the tables say of a point, from ICU's data. */
static uint32_t width_by_icu(UChar32 c)
{
    int category = u_charType(c), wide = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
    bool joins = (c >= 0x1160 && c <= 0x11FF) || (c >= 0xD7B0 && c <= 0xD7FF);

    if (c == 0xAD || u_hasBinaryProperty(c, UCHAR_PREPENDED_CONCATENATION_MARK)) return 1;
    if (joins || category == U_NON_SPACING_MARK || category == U_ENCLOSING_MARK || category == U_FORMAT_CHAR) return 0;
    return wide == U_EA_WIDE || wide == U_EA_FULLWIDTH ? 2 : 1;
}

/* Another version of Unicode has letters more, which this one knows nothing of. */
static void tables(void **state)
{
    UVersionInfo age, ours = {15, 0, 0, 0};

    (void)state;
    if (strcmp(U_UNICODE_VERSION, "15.0") != 0) {
        print_message("skipped: ICU here has Unicode %s, the tables have 15.0\n", U_UNICODE_VERSION);
        skip();
    }
    for (UChar32 c = 0; c < 0x110000; c++) {
        u_charAge(c, age);
        if (width_of_point((uint32_t)c) != width_by_icu(c) && memcmp(age, ours, sizeof age) <= 0)
            fail_msg("U+%04X takes %u, by ICU %u", c, width_of_point((uint32_t)c), width_by_icu(c));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(texts), cmocka_unit_test(prefixes), cmocka_unit_test(tables)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
