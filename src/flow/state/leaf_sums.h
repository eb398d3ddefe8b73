/* leaf_sums.h - how many elements lie in which leaf, as sums: n numbers of which each covers as many leaves before it as the lowest bit of
 * its place, from 1 on, says. So a place is found, and a leaf of a place, in log n steps. Internal. */
#pragma once
#include "ground/base/base.h"

void sums_close(uint32_t *sums, uint32_t n);  /* numbers of elements, leaf by leaf, become sums */
void sums_open(uint32_t *sums, uint32_t n);   /* and are numbers again: to insert one, or to take one out */
void sums_add(uint32_t *sums, uint32_t n, uint32_t leaf, int32_t delta);
uint32_t sums_before(const uint32_t *sums, uint32_t leaf); /* elements before that leaf */
/* The leaf in which element *place lies, and its place there; n where there are fewer. */
uint32_t sums_find(const uint32_t *sums, uint32_t n, uint32_t *place);
