/* test_decimal.c - exact decimals at their limits, and the 256-bit arithmetic under them. */
#include "columns/column/decimal.h"
#include "columns/column/wide.h"
#include "ground/base/prng.h"
#include "ground/base/str.h"

#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#define NINES_38 "99999999999999999999999999999999999999"

/* What decimal_print says, in memory of the test. */
static const char *text_of(int128 value, int scale)
{
    static char text[64];
    struct mem mem;
    struct buf b;

    mem_init(&mem, "test", 0);
    buf_init(&b, &mem);
    decimal_print(value, scale, &b);
    assert_in_range(b.size, 1, sizeof text - 1);
    memcpy(text, b.data, b.size);
    text[b.size] = '\0';
    buf_release(&b);
    mem_release(&mem);
    return text;
}

static int128 number(const char *text, int scale)
{
    int128 value = 0;

    if (!decimal_parse(str_of(text), 38, scale, &value)) fail_msg("does not parse: %s", text);
    return value;
}

static void test_text_both_ways(void **state)
{
    static const struct {
        const char *text;
        int precision, scale;
        const char *printed; /* NULL = does not fit or is no number */
    } cases[] = {
        {"0", 1, 0, "0"},
        {"-0", 1, 0, "0"},
        {"-0.00", 3, 2, "0.00"},
        {"12.34", 4, 2, "12.34"},
        {"+12.34", 4, 1, "12.3"},
        {"-12.340", 5, 3, "-12.340"},
        {".5", 2, 1, "0.5"},
        {"5.", 2, 1, "5.0"},
        {"007", 1, 0, "7"},
        {"0.05", 3, 2, "0.05"},
        {"0.005", 3, 2, "0.01"},
        {"0.0049999", 3, 2, "0.00"},
        {"-0.005", 3, 2, "-0.01"},
        {"0.5", 1, 0, "1"},
        {"0.4", 1, 0, "0"},
        {"9.5", 1, 0, NULL},
        {"9.4", 1, 0, "9"},
        {"99.995", 4, 2, NULL},
        {"1e3", 4, 0, "1000"},
        {"1E+3", 4, 0, "1000"},
        {"1e4", 4, 0, NULL},
        {"123e-2", 3, 2, "1.23"},
        {"1.5e1", 3, 1, "15.0"},
        {"1e-40", 38, 38, "0.00000000000000000000000000000000000000"},
        {"0e999999999999", 5, 2, "0.00"},
        {"1e999999999999", 38, 0, NULL},
        {"1e-999999999999", 38, 0, "0"},
        {NINES_38, 38, 0, NINES_38},
        {"-" NINES_38, 38, 0, "-" NINES_38},
        {NINES_38 ".4", 38, 0, NINES_38},
        {NINES_38 ".5", 38, 0, NULL},
        {"0." NINES_38, 38, 38, "0." NINES_38},
        {"0." NINES_38 "5", 38, 38, NULL},
        {"", 5, 2, NULL},
        {"-", 5, 2, NULL},
        {".", 5, 2, NULL},
        {"1.2.3", 5, 2, NULL},
        {"1e", 5, 2, NULL},
        {"1e+", 5, 2, NULL},
        {"1x", 5, 2, NULL},
        {" 1", 5, 2, NULL},
        {"NaN", 5, 2, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int128 value = 0;
        bool ok = decimal_parse(str_of(cases[i].text), cases[i].precision, cases[i].scale, &value);
        if (ok != (cases[i].printed != NULL)) fail_msg("'%s': %d", cases[i].text, ok);
        if (ok) assert_string_equal(text_of(value, cases[i].scale), cases[i].printed);
    }
}

static void test_rescale(void **state)
{
    int128 out;

    (void)state;
    assert_true(decimal_rescale(12345, 2, 4, 10, &out) && out == 1234500);
    assert_true(decimal_rescale(12345, 2, 1, 10, &out) && out == 1235);
    assert_true(decimal_rescale(-12345, 2, 1, 10, &out) && out == -1235);
    assert_true(decimal_rescale(12344, 2, 1, 10, &out) && out == 1234);
    assert_false(decimal_rescale(99995, 2, 1, 4, &out));
    assert_true(decimal_rescale(0, 0, 38, 38, &out) && out == 0);
    assert_false(decimal_rescale(1, 0, 38, 38, &out));
    assert_true(decimal_rescale(1, 0, 37, 38, &out) && out == decimal_power10(37));
    assert_true(decimal_rescale(number(NINES_38, 0), 38, 0, 38, &out) && out == 1);
    assert_false(decimal_rescale(number(NINES_38, 0), 0, 1, 38, &out));
    assert_false(decimal_rescale(100, 0, 0, 2, &out));
}

static void test_add(void **state)
{
    int128 out, nines = number(NINES_38, 0);

    (void)state;
    assert_true(decimal_add(123, 2, 4567, 3, 10, 3, &out) && out == 5797);
    assert_true(decimal_add(1, 0, -1, 1, 10, 1, &out) && out == 9);
    assert_true(decimal_add(-1, 0, 1, 1, 10, 1, &out) && out == -9);
    assert_true(decimal_add(5, 1, 45, 2, 10, 1, &out) && out == 10); /* 0.95 rounds to 1.0 */
    assert_true(decimal_add(nines, 0, -nines, 0, 38, 0, &out) && out == 0);
    assert_false(decimal_add(nines, 0, 1, 0, 38, 0, &out));
    assert_false(decimal_add(nines, 0, nines, 0, 38, 0, &out));
    /* 10^76 between: only 256 bits hold the sum */
    assert_true(decimal_add(nines, 0, -1, 38, 38, 0, &out) && out == nines);
    assert_false(decimal_add(nines, 0, number("0.5", 38), 38, 38, 0, &out));
    assert_true(decimal_add(nines, 0, number("0.4", 38), 38, 38, 0, &out) && out == nines);
    assert_true(decimal_add(-nines, 0, number("0.6", 38), 38, 38, 0, &out) && out == -(nines - 1)); /* ..98.4 */
}

static void test_multiply(void **state)
{
    int128 out, nines = number(NINES_38, 0);

    (void)state;
    assert_true(decimal_multiply(125, 2, -4, 1, 10, 3, &out) && out == -500);
    assert_true(decimal_multiply(125, 2, 5, 1, 10, 1, &out) && out == 6);  /* 0.625 -> 0.6 */
    assert_true(decimal_multiply(15, 1, 15, 1, 10, 1, &out) && out == 23); /* 2.25 -> 2.3 */
    assert_true(decimal_multiply(-15, 1, 15, 1, 10, 1, &out) && out == -23);
    assert_true(decimal_multiply(nines, 38, nines, 38, 38, 38, &out) && out == nines - 1);
    assert_true(decimal_multiply(nines, 38, nines, 0, 38, 0, &out) && out == nines - 1);
    assert_false(decimal_multiply(nines, 0, 2, 0, 38, 0, &out));
    assert_false(decimal_multiply(nines, 0, nines, 0, 38, 0, &out));
    assert_true(decimal_multiply(nines, 0, 0, 0, 38, 0, &out) && out == 0);
    assert_true(decimal_multiply(3, 0, 4, 0, 38, 36, &out) && out == 12 * decimal_power10(36));
    assert_false(decimal_multiply(30, 0, 4, 0, 38, 36, &out));
}

static void test_divide(void **state)
{
    int128 out, nines = number(NINES_38, 0);

    (void)state;
    assert_true(decimal_divide(1, 0, 3, 0, 38, 6, &out) && out == 333333);
    assert_true(decimal_divide(2, 0, 3, 0, 38, 6, &out) && out == 666667);
    assert_true(decimal_divide(-2, 0, 3, 0, 38, 6, &out) && out == -666667);
    assert_true(decimal_divide(1, 0, 8, 0, 38, 2, &out) && out == 13); /* 0.125 */
    assert_true(decimal_divide(100, 2, 4, 1, 10, 0, &out) && out == 3); /* 1 / 0.4 = 2.5 */
    assert_true(decimal_divide(nines, 38, nines, 0, 38, 38, &out) && out == 1);
    assert_true(decimal_divide(nines, 0, nines, 0, 38, 37, &out) && out == decimal_power10(37));
    assert_false(decimal_divide(nines, 0, 1, 38, 38, 0, &out));
    assert_false(decimal_divide(nines, 0, 1, 38, 38, 38, &out));
    assert_true(decimal_divide(1, 38, nines, 0, 38, 0, &out) && out == 0);
    assert_true(decimal_divide(0, 38, 7, 38, 38, 38, &out) && out == 0);
    assert_true(decimal_divide(nines, 0, number("12345678901234567890123", 0), 0, 38, 20, &out));
    assert_string_equal(text_of(out, 20), "8100000072900000.66339030573612544952");
}

static void test_doubles(void **state)
{
    static const double exact[] = {0, 1, -1, 0.1, -0.25, 123456.789, 1e15, 9007199254740992.0};
    int128 out;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(exact); i++) {
        assert_true(decimal_from_double(exact[i], 38, 10, &out));
        assert_true(decimal_to_double(out, 10) == exact[i]);
    }
    assert_true(decimal_from_double(0.1, 38, 30, &out) && out == decimal_power10(29)); /* not 0.1000000000000000055.. */
    assert_true(decimal_from_double(2.5, 2, 0, &out) && out == 3);
    assert_false(decimal_from_double(100, 2, 0, &out));
    assert_false(decimal_from_double(__builtin_nan(""), 38, 0, &out));
    assert_false(decimal_from_double(-__builtin_inf(), 38, 0, &out));
    assert_true(decimal_to_double(number(NINES_38, 0), 0) == 1e38);
    assert_true(decimal_to_double(number("-" NINES_38, 0), 38) == -1.0);
    assert_true(decimal_to_double(number("0.3", 38), 38) == 0.3);
    assert_true(decimal_to_double(5, 38) == 5e-38);
}

static struct wide wide_random(struct prng *p)
{
    struct wide w;
    uint64_t limbs = prng_below(p, 5), shape = prng_below(p, 4);

    for (uint64_t i = 0; i < 4; i++) {
        w.w[i] = i >= limbs   ? 0
                 : shape == 0 ? UINT64_MAX
                 : shape == 1 ? prng_next(p) >> prng_below(p, 64)
                              : prng_next(p);
        if (shape == 2 && i < limbs && prng_below(p, 2)) w.w[i] = prng_below(p, 2) ? 0 : UINT64_C(1) << 63;
    }
    return w;
}

/* quotient * divisor + remainder == value and remainder < divisor: that is division. */
static void test_wide_division(void **state)
{
    struct prng p;

    (void)state;
    prng_init(&p, 5);
    for (int i = 0; i < 300000; i++) {
        struct wide a = wide_random(&p), b = wide_random(&p), rest, q, product, high;
        if (wide_is_zero(b)) continue;
        q = wide_divide(a, b, &rest);
        assert_true(wide_compare(rest, b) < 0);
        assert_true(wide_multiply(q, wide_low(b), &product));
        high = q; /* q * (b >> 128) << 128: fits because q * b <= a */
        assert_true(wide_multiply(high, (uint128)b.w[3] << 64 | b.w[2], &high));
        assert_true((high.w[2] | high.w[3]) == 0);
        high = (struct wide){{0, 0, high.w[0], high.w[1]}};
        assert_true(wide_add(product, high, &product));
        assert_true(wide_add(product, rest, &product));
        assert_int_equal(wide_compare(product, a), 0);
    }
}

static void test_wide_overflow_is_told(void **state)
{
    struct wide max = {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}}, out;

    (void)state;
    assert_false(wide_add(max, wide_of(1), &out));
    assert_false(wide_multiply(max, 2, &out));
    assert_true(wide_multiply(max, 1, &out) && wide_compare(out, max) == 0);
    assert_false(wide_multiply(max, (uint128)1 << 64, &out));
    assert_false(wide_multiply((struct wide){{0, 0, 0, 1}}, (uint128)1 << 64, &out));
    assert_true(wide_multiply((struct wide){{0, 0, 1, 0}}, (uint128)1 << 64, &out) && out.w[3] == 1);
    out = wide_multiply_128(~(uint128)0, ~(uint128)0);
    assert_true(out.w[0] == 1 && out.w[1] == 0 && out.w[2] == UINT64_MAX - 1 && out.w[3] == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_both_ways), cmocka_unit_test(test_rescale),       cmocka_unit_test(test_add),
        cmocka_unit_test(test_multiply),       cmocka_unit_test(test_divide),        cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_wide_division),  cmocka_unit_test(test_wide_overflow_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
