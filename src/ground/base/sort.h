/* sort.h - stable merge sort of row numbers. Input that is in order already costs one comparison per row. */
#pragma once
#include "ground/base/base.h"

typedef bool (*sort_less_fn)(void *arg, uint32_t a, uint32_t b); /* strictly before */
/* Sorts items[0..n); space has room for n. */
void sort_stable(uint32_t *items, uint32_t *space, uint32_t n, sort_less_fn less, void *arg);
