/* type_rules.h - which type comes out when types meet: implicit casts, the least type that holds several, results of decimal
 * arithmetic. The rules are Flink's; they live here alone. */
#pragma once
#include "columns/column/type.h"

/* May a value of `from` stand where `to` is asked for, without CAST? Nullability is not looked at. */
bool type_casts_implicitly(const struct type *from, const struct type *to);
/* The least type to which both cast implicitly, nullable when one is; NULL: there is none. */
const struct type *type_common(struct arena *a, const struct type *x, const struct type *y);
const struct type *type_common_of(struct arena *a, const struct type *const *types, uint32_t count);
/* What operators, VALUES and UNION make of two types: type_common, but that of FLOAT and DOUBLE the first one wins, as in Flink. */
const struct type *type_least_restrictive(struct arena *a, const struct type *x, const struct type *y);
/* May CAST turn `from` into `to` at all? */
bool type_casts(const struct type *from, const struct type *to);

/* Integers as the DECIMAL that holds them: INT is DECIMAL(10, 0). Answers false for other types. */
bool type_as_decimal(const struct type *t, int32_t *precision, int32_t *scale);
const struct type *type_decimal_sum(struct arena *a, int32_t p1, int32_t s1, int32_t p2, int32_t s2);
const struct type *type_decimal_product(struct arena *a, int32_t p1, int32_t s1, int32_t p2, int32_t s2);
const struct type *type_decimal_quotient(struct arena *a, int32_t p1, int32_t s1, int32_t p2, int32_t s2);
const struct type *type_decimal_remainder(struct arena *a, int32_t p1, int32_t s1, int32_t p2, int32_t s2);
