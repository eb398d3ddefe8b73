/* test_sort.c - sorted, stable, every number kept, whatever the length; one comparison per row where all is in order. */
#include "ground/base/prng.h"
#include "ground/base/sort.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { ROWS = 1000 };

struct table {
    uint32_t values[ROWS];
    uint32_t asked;
};

static bool less(void *arg, uint32_t a, uint32_t b)
{
    struct table *t = arg;

    t->asked++;
    return t->values[a] < t->values[b];
}

/* Rows are numbered in their order, so of equal values the lower number must come first. */
static void check(struct table *t, uint32_t n)
{
    uint32_t items[ROWS], space[ROWS];
    bool seen[ROWS] = {false};

    for (uint32_t i = 0; i < n; i++) items[i] = i;
    t->asked = 0;
    sort_stable(items, space, n, less, t);
    for (uint32_t i = 0; i < n; i++) {
        assert_true(items[i] < n && !seen[items[i]]);
        seen[items[i]] = true;
        if (i == 0) continue;
        uint32_t a = t->values[items[i - 1]], b = t->values[items[i]];
        assert_true(a < b || (a == b && items[i - 1] < items[i]));
    }
}

static void any_length_any_order(void **state)
{
    static const uint64_t bounds[] = {1, 2, 5, 1000000};
    struct table t;
    struct prng r;

    (void)state;
    prng_init(&r, 1);
    for (uint32_t n = 0; n <= 70; n++) {
        for (size_t b = 0; b < COUNT_OF(bounds); b++) {
            for (uint32_t i = 0; i < n; i++) t.values[i] = (uint32_t)prng_below(&r, bounds[b]);
            check(&t, n);
        }
    }
    for (uint32_t i = 0; i < ROWS; i++) t.values[i] = (uint32_t)prng_below(&r, 300);
    check(&t, ROWS);
}

static void in_order_costs_a_comparison_per_row(void **state)
{
    struct table t;

    (void)state;
    for (uint32_t i = 0; i < ROWS; i++) t.values[i] = i / 3;
    check(&t, ROWS);
    assert_int_equal(t.asked, ROWS - 1);
    for (uint32_t i = 0; i < ROWS; i++) t.values[i] = ROWS - i;
    check(&t, ROWS);
    assert_true(t.asked < ROWS * 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_length_any_order),
        cmocka_unit_test(in_order_costs_a_comparison_per_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
