/* test_number_read.c - text to doubles: each way of converting at its borders, exact ties, and what is no number. */
#include "ground/base/prng.h"
#include "ground/base/str.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double read(const char *text)
{
    double value = -77;

    if (!str_to_double(str_of(text), &value)) fail_msg("'%s' was not taken for a number", text);
    return value;
}

static void reads(const char *text, double expected)
{
    double value = read(text);

    if (memcmp(&value, &expected, sizeof value) != 0) fail_msg("'%s' is read as %a, expected %a", text, value, expected);
}

static void every_form(void **state)
{
    (void)state;
    reads("0", 0.0);
    reads("-0", -0.0);
    reads("-0.000", -0.0);
    reads("+1", 1.0);
    reads("1.", 1.0);
    reads(".5", 0.5);
    reads("-12.75", -12.75);
    reads("1e5", 1e5);
    reads("1E+5", 1e5);
    reads("1.5e-3", 1.5e-3);
    reads("007", 7.0);
    reads("1e99999999999", HUGE_VAL);
    reads("1e-99999999999", 0.0);
    reads("-1e400", -HUGE_VAL);
    reads("Infinity", HUGE_VAL);
    reads("-Infinity", -HUGE_VAL);
    assert_true(isnan(read("NaN")));
}

static void every_way_of_converting(void **state)
{
    (void)state;
    reads("9007199254740992e22", 9007199254740992e22);       /* the last of one exact operation */
    reads("9007199254740993", 9007199254740992.0);           /* a tie, to even */
    reads("9007199254740995", 9007199254740996.0);           /* a tie, to even */
    reads("9007199254740993.0000000001", 9007199254740994.0); /* just above one */
    reads("1234567890123456789e19", 1234567890123456789e19); /* the last product of 128 bits */
    reads("1234567890123456789e20", 1234567890123456789e20);
    reads("0.30000000000000004", 0.30000000000000004);
    reads("0.1234567890123456789", 0.1234567890123456789);
    reads("9999999999999999999e-27", 9999999999999999999e-27); /* the last quotient */
    reads("9999999999999999999e-28", 9999999999999999999e-28);
    reads("12345678901234567890.5", 12345678901234567890.5); /* more digits than are scanned */
    reads("4.9e-324", 0x1p-1074);
    reads("2.2250738585072011e-308", 0x0.fffffffffffffp-1022);
    reads("1.7976931348623157e308", 0x1.fffffffffffffp1023);
}

static void what_is_no_number(void **state)
{
    static const char *const texts[] = {"",     ".",   "-",     "+",    "e5",   "1e",    "1e+",     "1.2.3", "1 ",  " 1",
                                        "0x10", "inf", "nan",   "1,5",  "--1",  "1-",    "NaN1",    "1e5.5", "+-1", "infinity",
                                        "1_0",  "1f",  "-.e-1", "1e 5", "Inf",  "1\n"};
    double value;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (str_to_double(str_of(texts[i]), &value)) fail_msg("'%s' was taken for a number", texts[i]);
    assert_false(str_to_double((struct str){"1\0002", 3}, &value)); /* a NUL inside is no end */
}

static void long_texts(void **state)
{
    char text[2000];
    double value;

    (void)state;
    memset(text, '0', sizeof text);
    text[0] = '1';
    text[1] = '.';
    assert_true(str_to_double((struct str){text, 1000}, &value));
    assert_true(value == 1.0);
    assert_false(str_to_double((struct str){text, 1024}, &value)); /* the limit */
    memset(text, '9', sizeof text);
    assert_true(str_to_double((struct str){text, 308}, &value));
    assert_true(value == 1e308);
}

static void agrees_with_the_c_library(void **state)
{
    struct prng prng;
    char text[64];

    (void)state;
    prng_init(&prng, 9);
    for (int i = 0; i < 200000; i++) {
        uint64_t digits = prng_next(&prng) >> prng_below(&prng, 64);
        snprintf(text, sizeof text, "%s%llue%d", i % 2 == 0 ? "" : "-", (unsigned long long)digits, (int)prng_below(&prng, 60) - 30);
        reads(text, strtod(text, NULL));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form), cmocka_unit_test(every_way_of_converting),    cmocka_unit_test(what_is_no_number),
        cmocka_unit_test(long_texts), cmocka_unit_test(agrees_with_the_c_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
