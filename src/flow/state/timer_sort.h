/* timer_sort.h - stable sorting of timers. Internal to flow/state. */
#pragma once
#include "flow/state/timer_heap.h"

/* Sorts count items by timer_heap_compare, stable; room has space for as many. */
void timer_sort(const struct timer_heap *h, uint64_t *items, uint64_t *room, uint32_t count);
