/* sort.c - bottom-up merge sort; two neighbouring runs that are in order already are not touched. */
#include "ground/base/sort.h"

#include <string.h>

static void merge(uint32_t *items, uint32_t *space, uint32_t first, uint32_t middle, uint32_t end, sort_less_fn less, void *arg)
{
    uint32_t a = first, b = middle, n = 0;

    if (!less(arg, items[middle], items[middle - 1])) return;
    while (a < middle && b < end) space[n++] = less(arg, items[b], items[a]) ? items[b++] : items[a++];
    while (a < middle) space[n++] = items[a++];
    while (b < end) space[n++] = items[b++];
    memcpy(items + first, space, sizeof *items * n);
}

void sort_stable(uint32_t *items, uint32_t *space, uint32_t n, sort_less_fn less, void *arg)
{
    ASSERT(n < UINT32_MAX / 2);
    for (uint32_t run = 1; run < n; run *= 2)
        for (uint32_t first = 0; first + run < n; first += 2 * run)
            merge(items, space, first, first + run, MIN(first + 2 * run, n), less, arg);
}
