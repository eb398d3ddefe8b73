/* leaf_sums.c - sums over the leaves of a bag (a Fenwick tree). One leaf more or less costs a pass over all numbers, which lie side by
 * side: that is rare, as a leaf holds some hundred elements, and no dearer than moving the directory. */
#include "flow/state/leaf_sums.h"

static uint32_t low_bit(uint32_t i) { return i & (0 - i); }

void sums_close(uint32_t *sums, uint32_t n)
{
    for (uint32_t i = 1; i <= n; i++)
        if (i + low_bit(i) <= n) sums[i + low_bit(i) - 1] += sums[i - 1];
}

void sums_open(uint32_t *sums, uint32_t n)
{
    for (uint32_t i = n; i >= 1; i--)
        if (i + low_bit(i) <= n) sums[i + low_bit(i) - 1] -= sums[i - 1];
}

void sums_add(uint32_t *sums, uint32_t n, uint32_t leaf, int32_t delta)
{
    for (uint32_t i = leaf + 1; i <= n; i += low_bit(i)) sums[i - 1] += (uint32_t)delta;
}

uint32_t sums_before(const uint32_t *sums, uint32_t leaf)
{
    uint32_t sum = 0;

    for (uint32_t i = leaf; i > 0; i -= low_bit(i)) sum += sums[i - 1];
    return sum;
}

uint32_t sums_find(const uint32_t *sums, uint32_t n, uint32_t *place)
{
    uint32_t leaf = 0, step = 1;

    while (step <= n / 2) step *= 2;
    for (; step > 0; step /= 2)
        if (leaf + step <= n && sums[leaf + step - 1] <= *place) {
            leaf += step;
            *place -= sums[leaf - 1];
        }
    return leaf;
}
