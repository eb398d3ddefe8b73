/* str.h - reading text: views, comparison, numbers, suggestions. No locale, no allocation. */
#pragma once
#include "ground/base/base.h"

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
struct str str_of(const char *text); /* NULL gives the empty view */
bool str_equal(struct str a, struct str b);
bool str_equal_nocase(struct str a, struct str b); /* ASCII */
int str_compare(struct str a, struct str b);       /* bytes, then length */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
struct str str_trim(struct str s);
/* Cuts s at the first `separator`: *head is what stood before it; false when s was empty. */
bool str_cut(struct str *s, char separator, struct str *head);
bool str_to_int64(struct str s, int64_t *out) CHECKED;   /* whole text, optional sign, range checked */
bool str_to_double(struct str s, double *out) CHECKED;   /* whole text below 1 KiB; correctly rounded */
size_t str_from_int64(int64_t value, char out[static 24]);  /* returns the length, no NUL needed */
size_t str_from_double(double value, char out[static 32]);  /* shortest text that reads back the same, as Java's Double.toString */
size_t str_from_float(float value, char out[static 32]);
bool str_is_utf8(struct str s);
size_t str_utf8_prefix(struct str s); /* bytes from its start that are UTF-8 */
size_t str_utf8_length(struct str s); /* code points; s must be valid */
/* Index of the nearest of count names (edit distance, at most a third of the length), or -1. */
int str_nearest(struct str s, const char *const *names, size_t count);
/* Slips of the fingers between two names of at most 64 bytes: letters changed, left out, added, or swapped with the next. */
size_t str_distance(struct str a, struct str b);
