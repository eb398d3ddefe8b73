/* test_number_write.c - doubles and floats as text: the shortest that reads back, in Java's layout, to the last digit. */
#include "ground/base/prng.h"
#include "ground/base/str.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void writes(double value, const char *expected)
{
    char text[33];

    text[str_from_double(value, text)] = '\0';
    assert_string_equal(text, expected);
}

static void writes_float(float value, const char *expected)
{
    char text[33];

    text[str_from_float(value, text)] = '\0';
    assert_string_equal(text, expected);
}

static void layout(void **state)
{
    (void)state;
    writes(0.0, "0.0");
    writes(-0.0, "-0.0");
    writes(1, "1.0");
    writes(-1.5, "-1.5");
    writes(100, "100.0");
    writes(120.25, "120.25");
    writes(9999999, "9999999.0");
    writes(1e7, "1.0E7");
    writes(12345678, "1.2345678E7");
    writes(1e10, "1.0E10");
    writes(0.1, "0.1");
    writes(0.001, "0.001");
    writes(0.0012, "0.0012");
    writes(9.999e-4, "9.999E-4");
    writes(1e-5, "1.0E-5");
    writes(1.25e100, "1.25E100");
    writes(NAN, "NaN");
    writes(-INFINITY, "-Infinity");
    writes(INFINITY, "Infinity");
}

static void shortest_digits(void **state)
{
    (void)state;
    writes(0.1 + 0.2, "0.30000000000000004");
    writes(2.0 / 3, "0.6666666666666666");
    writes(1e23, "1.0E23");
    writes(2e23, "2.0E23");
    writes(9007199254740992.0, "9.007199254740992E15");
    writes(9007199254740993.0 * 3, "2.7021597764222976E16");
    writes(0x1p-44, "5.684341886080802E-14"); /* the nearest of 16 digits lies outside, on the narrow side */
    writes(0x1p-25, "2.9802322387695312E-8");
    writes(0x1p60, "1.152921504606847E18");
    writes(1.7976931348623157e308, "1.7976931348623157E308");
    writes(2.2250738585072014e-308, "2.2250738585072014E-308");
    writes(4.9e-324, "4.9E-324"); /* one digit would do; Java writes at least two */
    writes(9.9e-324, "9.9E-324");
    writes(1.5e-323, "1.5E-323");
    writes(2e-323, "2.0E-323");
}

static void floats(void **state)
{
    (void)state;
    writes_float(0.1f, "0.1");
    writes_float(-3.5f, "-3.5");
    writes_float(16777216.0f, "1.6777216E7");
    writes_float(33554432.0f, "3.3554432E7");
    writes_float(1.0f / 3, "0.33333334");
    writes_float(3.4028235e38f, "3.4028235E38");
    writes_float(0x1p-126f, "1.1754944E-38");
    writes_float(1.4e-45f, "1.4E-45");
    writes_float(0x1p33f, "8.589935E9");
    writes_float(1e20f, "1.0E20");
    writes_float(NAN, "NaN");
    writes_float(-0.0f, "-0.0");
}

/* Reads back, and no text with one digit less does. */
static void random_doubles(void **state)
{
    struct prng prng;
    char text[33], shorter[40];

    (void)state;
    prng_init(&prng, 5);
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = prng_next(&prng);
        double value;
        if (i % 2 == 0) bits = (bits & ~(UINT64_C(0x7FF) << 52)) | (UINT64_C(1023) - 20 + bits % 80) << 52; /* near 1 */
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) continue;
        text[str_from_double(value, text)] = '\0';
        assert_true(strtod(text, NULL) == value);
        int digits = 0;
        for (const char *p = text; *p != '\0' && *p != 'E'; p++)
            if ((*p >= '1' && *p <= '9') || (*p == '0' && digits > 0)) digits++;
        if (digits < 4 || fabs(value) < 1e-300) continue;
        snprintf(shorter, sizeof shorter, "%.*e", digits - 2, value);
        if (text[strlen(text) - 1] != '0') assert_true(strtod(shorter, NULL) != value);
    }
}

static void random_floats(void **state)
{
    struct prng prng;
    char text[33];

    (void)state;
    prng_init(&prng, 6);
    for (int i = 0; i < 20000; i++) {
        uint32_t bits = (uint32_t)prng_next(&prng);
        float value;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) continue;
        text[str_from_float(value, text)] = '\0';
        assert_true(strtof(text, NULL) == value);
        assert_true(strlen(text) <= 15); /* sign, 9 digits, point, E-38 */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout),         cmocka_unit_test(shortest_digits), cmocka_unit_test(floats),
        cmocka_unit_test(random_doubles), cmocka_unit_test(random_floats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
