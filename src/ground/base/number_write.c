/* number_write.c - floating point to the shortest text that reads back the same, and of those the nearest to the value;
 * laid out as Java's Double.toString does: decimal from 1e-3 below 1e7, else one digit, point, digits, E, exponent.
 *
 * A value m * 2^e is read back from every decimal inside the interval that reaches half way to its neighbours. The
 * interval is as wide as 2^e, so a grid of steps 10^q with 10^q <= 2^e < 10^(q+1) has at least one point in it, and the
 * grid ten times coarser at most one: if there is such a point, it is the shortest. In the range where the scaled numbers
 * fit 128 bits all this is exact arithmetic. Outside (below 1e-5, above 1e37) the C library writes more and more digits
 * until they read back. */
#include "ground/base/number_internal.h"

#include "ground/base/str.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXACT_LOW = -69, EXACT_HIGH = 70, DIGITS_MAX = 17 };

struct real {
    uint64_t m;
    int e;          /* value = m * 2^e */
    bool is_single; /* a float: its neighbours are farther away */
    bool is_narrow; /* a power of two: the neighbour below is only half as far */
    bool is_normal;
};

struct decimal {
    uint64_t digits;
    int exponent; /* value = digits * 10^exponent */
};

static struct real take_apart(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
    int biased = (int)(bits >> 52) & 0x7FF;
    bool is_normal = biased > 0;

    return (struct real){.m = fraction | (uint64_t)is_normal << 52,
                         .e = (is_normal ? biased : 1) - 1075,
                         .is_narrow = fraction == 0 && biased > 1,
                         .is_normal = is_normal};
}

static struct real take_apart_single(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t fraction = bits & 0x7FFFFF;
    int biased = (int)(bits >> 23) & 0xFF;
    bool is_normal = biased > 0;

    return (struct real){.m = fraction | (uint32_t)is_normal << 23,
                         .e = (is_normal ? biased : 1) - 150,
                         .is_single = true,
                         .is_narrow = fraction == 0 && biased > 1,
                         .is_normal = is_normal};
}

/* floor(log10(2^e)), or of three quarters of it, for |e| < 1000. */
static int log10_floor(int e, bool three_quarters) { return (e * 315653 - (three_quarters ? 131008 : 0)) >> 20; }

/* The interval, the value and the grid in one unit, a quarter of what makes both whole: the grid's point t lies at t * step. */
struct scale {
    uint128 low, value, high, step;
    bool is_closed; /* an even m wins the ties at the interval's ends */
};

static bool is_inside(const struct scale *k, uint64_t t)
{
    uint128 at = t * k->step;

    return k->is_closed ? at >= k->low && at <= k->high : at > k->low && at < k->high;
}

static struct decimal shortest_exact(const struct real *r)
{
    int q = log10_floor(r->e, r->is_narrow);
    uint128 factor = number_ten_to(MAX(-q, 0)) << MAX(r->e, 0);
    struct scale k = {.step = (number_ten_to(MAX(q, 0)) * 4) << MAX(-r->e, 0), .is_closed = r->m % 2 == 0};

    k.value = (uint128)(4 * r->m) * factor;
    k.low = k.value - (r->is_narrow ? factor : 2 * factor);
    k.high = k.value + 2 * factor;
    uint64_t t = (uint64_t)(r->e < 0 ? k.value >> (2 - r->e) : k.value / k.step), coarse = t - t % 10;
    if (is_inside(&k, coarse)) return (struct decimal){coarse, q};
    if (is_inside(&k, coarse + 10)) return (struct decimal){coarse + 10, q};
    bool below = is_inside(&k, t), above = is_inside(&k, t + 1);
    ASSERT_ROW(below || above);
    if (!below || !above) return (struct decimal){below ? t : t + 1, q};
    uint128 middle = t * k.step + k.step / 2;
    return (struct decimal){k.value < middle || (k.value == middle && t % 2 == 0) ? t : t + 1, q};
}

static bool reads_back(struct decimal d, double value, bool is_single)
{
    char text[48];

    snprintf(text, sizeof text, "%llue%d", (unsigned long long)d.digits, d.exponent);
    return is_single ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value;
}

static struct decimal rounded(double value, int digits)
{
    char text[48];
    struct decimal d = {0};
    char *at = text;

    snprintf(text, sizeof text, "%.*e", digits - 1, value);
    for (; *at != 'e'; at++)
        if (*at != '.') d.digits = d.digits * 10 + (uint64_t)(*at - '0');
    d.exponent = (int)strtol(at + 1, NULL, 10) - (digits - 1);
    return d;
}

/* Any decimal of 15 digits (6 for a float) stands alone in its interval, so the search for normal values begins there; for
 * the coarse ones near zero it begins at two digits, which Java gives at least. */
static struct decimal shortest_searched(const struct real *r, double value)
{
    int digits = !r->is_normal ? 2 : r->is_single ? 6 : 15;

    for (; digits < DIGITS_MAX; digits++) {
        struct decimal d = rounded(value, digits);
        if (reads_back(d, value, r->is_single)) return d;
        d.digits++; /* the nearest may lie on the narrow side, outside, while the next is still in */
        if (r->is_narrow && reads_back(d, value, r->is_single)) return d;
    }
    return rounded(value, DIGITS_MAX);
}

static size_t put(char *out, const char *text)
{
    size_t size = strlen(text);

    memcpy(out, text, size);
    return size;
}

static size_t put_decimal(char *out, const char *digits, int count, int exponent)
{
    size_t n = 0;

    if (exponent < 0) n += put(out, "0.");
    for (int i = -1; i > exponent; i--) out[n++] = '0';
    for (int i = 0; i < MAX(count, exponent + 2); i++) {
        if (i > 0 && i == exponent + 1) out[n++] = '.';
        out[n++] = i < count ? digits[i] : '0';
    }
    return n;
}

static size_t put_scientific(char *out, const char *digits, int count, int exponent)
{
    size_t n = 0;

    out[n++] = digits[0];
    out[n++] = '.';
    if (count == 1) out[n++] = '0';
    for (int i = 1; i < count; i++) out[n++] = digits[i];
    out[n++] = 'E';
    return n + str_from_int64(exponent, out + n);
}

static size_t lay_out(char *out, struct decimal d)
{
    char digits[24];

    ASSERT_ROW(d.digits > 0);
    for (; d.digits % 100000000 == 0; d.exponent += 8) d.digits /= 100000000; /* many zeros are common: 12.5 has fifteen */
    for (; d.digits % 10 == 0; d.exponent++) d.digits /= 10;
    int count = (int)str_from_int64((int64_t)d.digits, digits), exponent = d.exponent + count - 1;
    bool is_plain = exponent >= -3 && exponent < 7;
    return is_plain ? put_decimal(out, digits, count, exponent) : put_scientific(out, digits, count, exponent);
}

static size_t write_real(const struct real *r, double value, char *out)
{
    size_t n = 0;

    if (isnan(value)) return put(out, "NaN");
    if (signbit(value)) out[n++] = '-';
    if (isinf(value)) return n + put(out + n, "Infinity");
    if (value == 0) return n + put(out + n, "0.0");
    bool is_exact = r->is_normal && r->e >= EXACT_LOW && r->e <= EXACT_HIGH;
    return n + lay_out(out + n, is_exact ? shortest_exact(r) : shortest_searched(r, fabs(value)));
}

size_t str_from_double(double value, char out[static 32])
{
    struct real r = take_apart(value);

    return write_real(&r, value, out);
}

size_t str_from_float(float value, char out[static 32])
{
    struct real r = take_apart_single(value);

    return write_real(&r, (double)value, out);
}
