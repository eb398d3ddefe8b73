/* wide.c - unsigned 256-bit integers as four 64-bit limbs, least significant first.
 *
 * Only what decimals need. Division is long division limb by limb, after Knuth (The Art of Computer Programming,
 * volume 2, 4.3.1, algorithm D). */
#include "columns/column/wide.h"

int wide_compare(struct wide a, struct wide b)
{
    for (int i = 3; i >= 0; i--) {
        if (a.w[i] != b.w[i]) return a.w[i] < b.w[i] ? -1 : 1;
    }
    return 0;
}

bool wide_add(struct wide a, struct wide b, struct wide *out)
{
    uint128 carry = 0;

    for (int i = 0; i < 4; i++) {
        carry += (uint128)a.w[i] + b.w[i];
        out->w[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return carry == 0;
}

struct wide wide_subtract(struct wide a, struct wide b)
{
    struct wide out;
    uint64_t borrow = 0;

    for (int i = 0; i < 4; i++) {
        uint128 difference = (uint128)a.w[i] - b.w[i] - borrow;
        out.w[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
    ASSERT(borrow == 0);
    return out;
}

/* a * b, with what does not fit in *high. */
static struct wide multiply_limb(struct wide a, uint64_t b, uint64_t *high)
{
    struct wide out;
    uint128 carry = 0;

    for (int i = 0; i < 4; i++) {
        carry += (uint128)a.w[i] * b;
        out.w[i] = (uint64_t)carry;
        carry >>= 64;
    }
    *high = (uint64_t)carry;
    return out;
}

bool wide_multiply(struct wide a, uint128 b, struct wide *out)
{
    uint64_t over_low, over_high;
    struct wide low = multiply_limb(a, (uint64_t)b, &over_low),
                high = multiply_limb(a, (uint64_t)(b >> 64), &over_high);
    struct wide shifted = {{0, high.w[0], high.w[1], high.w[2]}};

    if (over_low || over_high || high.w[3]) return false;
    return wide_add(low, shifted, out);
}

struct wide wide_multiply_128(uint128 a, uint128 b)
{
    struct wide out;
    bool fits = wide_multiply(wide_of(a), b, &out);

    ASSERT(fits);
    return out;
}

static struct wide divide_limb(struct wide a, uint64_t b, struct wide *remainder)
{
    struct wide out;
    uint128 rest = 0;

    for (int i = 3; i >= 0; i--) {
        rest = rest << 64 | a.w[i];
        out.w[i] = (uint64_t)(rest / b);
        rest %= b;
    }
    *remainder = wide_of(rest);
    return out;
}

/* a << bits, bits < 64, into five limbs. */
static void shift_into(struct wide a, int bits, uint64_t out[5])
{
    out[0] = a.w[0] << bits;
    for (int i = 1; i < 4; i++) out[i] = a.w[i] << bits | (bits ? a.w[i - 1] >> (64 - bits) : 0);
    out[4] = bits ? a.w[3] >> (64 - bits) : 0;
}

/* One digit of the quotient from the leading limbs: right, or too large by one. */
static uint64_t digit_estimate(const uint64_t *u, const uint64_t *v, int n)
{
    uint128 head = (uint128)u[n] << 64 | u[n - 1], digit, rest;

    if (u[n] >= v[n - 1]) {
        digit = UINT64_MAX;
        rest = head - digit * v[n - 1];
    } else {
        digit = head / v[n - 1];
        rest = head % v[n - 1];
    }
    while (rest >> 64 == 0 && digit * v[n - 2] > (rest << 64 | u[n - 2])) {
        digit--;
        rest += v[n - 1];
    }
    return (uint64_t)digit;
}

/* u[0..n] -= digit * v[0..n); answers the borrow. */
static uint64_t digit_subtract(uint64_t *u, const uint64_t *v, int n, uint64_t digit)
{
    uint128 carry = 0;
    uint64_t borrow = 0;

    for (int i = 0; i <= n; i++) {
        carry += i < n ? (uint128)digit * v[i] : 0;
        uint128 difference = (uint128)u[i] - (uint64_t)carry - borrow;
        u[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
        carry >>= 64;
    }
    return borrow;
}

static void divisor_add(uint64_t *u, const uint64_t *v, int n)
{
    uint128 carry = 0;

    for (int i = 0; i <= n; i++) {
        carry += (uint128)u[i] + (i < n ? v[i] : 0);
        u[i] = (uint64_t)carry;
        carry >>= 64;
    }
}

/* Knuth's algorithm D for divisors of two limbs or more. */
static struct wide divide_long(struct wide a, struct wide b, struct wide *remainder)
{
    int n = b.w[3] ? 4 : b.w[2] ? 3 : 2, bits = __builtin_clzll(b.w[n - 1]);
    uint64_t u[5], v[5];
    struct wide out = {{0}};

    shift_into(a, bits, u);
    shift_into(b, bits, v);
    for (int j = 4 - n; j >= 0; j--) {
        uint64_t digit = digit_estimate(u + j, v, n);
        if (digit_subtract(u + j, v, n, digit)) {
            digit--;
            divisor_add(u + j, v, n);
        }
        out.w[j] = digit;
    }
    for (int i = 0; i < 4; i++) remainder->w[i] = u[i] >> bits | (bits ? u[i + 1] << (64 - bits) : 0);
    return out;
}

struct wide wide_divide(struct wide a, struct wide b, struct wide *remainder)
{
    ASSERT(!wide_is_zero(b));
    if ((b.w[1] | b.w[2] | b.w[3]) == 0) return divide_limb(a, b.w[0], remainder);
    return divide_long(a, b, remainder);
}
