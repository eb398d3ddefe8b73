/* nested_values.h - random C forms and random C values of them, for property tests: every kind of type, nested, with
 * NULLs, empty and long collections, described structs and plain ones. */
#pragma once
#include "columns/column/cform.h"
#include "ground/base/prng.h"

/* A struct of random fields, described as a user would. */
const struct tw_row *nested_random_row(struct prng *p, struct arena *a, int depth);
/* Fills a value of the form; what it points to lies in a. */
void nested_random_value(struct prng *p, struct arena *a, const struct cform *f, void *value);
/* The same value? Whatever stands in place of NULLs does not count. */
bool nested_values_equal(const struct cform *f, const void *x, const void *y);
