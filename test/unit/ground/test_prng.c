/* test_prng.c - the generator is the published one, value by value: job results and simulator seeds rest on it, so a change
 * must show here. And bounds: every value below, none above, about as often. */
#include "ground/base/prng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* splitmix64 as Vigna publishes it: the state grows by the golden ratio, mix64 finishes. */
static void mixes_like_splitmix64(void **state)
{
    static const uint64_t from_zero[] = {UINT64_C(0xe220a8397b1dcdaf), UINT64_C(0x6e789e6aa1b965f4),
                                         UINT64_C(0x06c45d188009454f), UINT64_C(0xf88bb8a8724c81ec)};

    (void)state;
    for (uint64_t i = 0; i < 4; i++) assert_true(mix64(i * UINT64_C(0x9e3779b97f4a7c15)) == from_zero[i]);
}

/* xoshiro256**'s first values from the state 1, 2, 3, 4. */
static void steps_like_xoshiro256(void **state)
{
    static const uint64_t values[] = {UINT64_C(11520), UINT64_C(0), UINT64_C(1509978240), UINT64_C(1215971899390074240),
                                      UINT64_C(1216172134540287360)};
    struct prng p = {.s = {1, 2, 3, 4}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(values); i++) assert_true(prng_next(&p) == values[i]);
}

static void a_seed_is_its_sequence(void **state)
{
    struct prng a, b, other;
    uint32_t same = 0;

    (void)state;
    prng_init(&a, 7);
    prng_init(&b, 7);
    prng_init(&other, 8);
    for (int i = 0; i < 1000; i++) {
        uint64_t value = prng_next(&a);
        assert_true(value == prng_next(&b));
        same += value == prng_next(&other);
    }
    assert_int_equal(same, 0); /* neighbours have nothing in common */
    for (uint64_t seed = 0; seed < 1000; seed++) {
        prng_init(&a, seed);
        assert_true((a.s[0] | a.s[1] | a.s[2] | a.s[3]) != 0);
    }
}

static void below_is_below(void **state)
{
    static const uint64_t bounds[] = {1, 2, 3, 7, 10, 1000, UINT64_C(1) << 63, (UINT64_C(1) << 63) + 1, UINT64_MAX};
    struct prng p;

    (void)state;
    prng_init(&p, 1);
    for (size_t b = 0; b < COUNT_OF(bounds); b++)
        for (int i = 0; i < 10000; i++) assert_true(prng_below(&p, bounds[b]) < bounds[b]);
}

/* Five standard deviations of a binomial distribution around the mean. */
static void below_is_uniform(void **state)
{
    enum { DRAWS = 70000, BOUND = 7 };
    uint32_t seen[BOUND] = {0};
    struct prng p;

    (void)state;
    prng_init(&p, 2);
    for (int i = 0; i < DRAWS; i++) seen[prng_below(&p, BOUND)]++;
    for (int i = 0; i < BOUND; i++) assert_in_range(seen[i], DRAWS / BOUND - 465, DRAWS / BOUND + 465);
}

/* Three quarters of all values are below three quarters of the range: a bound near 2^64 has the most to redraw. */
static void large_bounds_are_not_biased(void **state)
{
    const uint64_t bound = UINT64_C(3) << 62;
    uint32_t low = 0;
    struct prng p;

    (void)state;
    prng_init(&p, 3);
    for (int i = 0; i < 30000; i++) low += prng_below(&p, bound) < bound / 3;
    assert_in_range(low, 10000 - 410, 10000 + 410);
}

static void doubles_are_in_their_range(void **state)
{
    struct prng p, extreme = {.s = {0, UINT64_MAX, 0, 0}};
    double sum = 0;

    (void)state;
    prng_init(&p, 4);
    for (int i = 0; i < 10000; i++) {
        double x = prng_double(&p);
        assert_true(x >= 0 && x < 1);
        sum += x;
    }
    assert_true(sum > 4850 && sum < 5150);
    for (int i = 0; i < 100; i++) assert_true(prng_double(&extreme) < 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mixes_like_splitmix64),       cmocka_unit_test(steps_like_xoshiro256),
        cmocka_unit_test(a_seed_is_its_sequence),      cmocka_unit_test(below_is_below),
        cmocka_unit_test(below_is_uniform),            cmocka_unit_test(large_bounds_are_not_biased),
        cmocka_unit_test(doubles_are_in_their_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
