/* width.h - how many columns of a terminal a text takes: two for wide letters (CJK, emoji), none for marks that sit on the letter before
 * them, one for all others, also those of ambiguous width (UAX #11) and control characters. Bytes that are no UTF-8 take one each. */
#pragma once
#include "ground/base/base.h"

uint32_t width_of_point(uint32_t point);
uint32_t width_of(struct str s);
/* Bytes of the longest beginning of s that takes at most so many columns; marks stay with their letter. */
size_t width_prefix(struct str s, uint32_t columns);
/* The point at s.data and its size in bytes, at least 1. s must not be empty. */
uint32_t width_point(struct str s, size_t *size);
