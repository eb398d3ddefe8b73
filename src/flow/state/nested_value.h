/* nested_value.h - nested values as bytes, from and to C values (columns/column/cform.h): what user functions keep in state.
 * The bytes are those of nested.c, so what a function has written can be read as a column, and the other way round. */
#pragma once
#include "columns/column/cform.h"

/* Bytes of the encoded value. It passed cform_check. */
size_t nested_value_size(const struct cform *f, const void *value);
/* Writes them; answers the place behind. */
uint8_t *nested_value_encode(const struct cform *f, const void *value, uint8_t *to);
/* The same for a key that is compared by its bytes (nested_key.c): equal values give equal bytes. a: for sorting, one piece per map. */
uint8_t *nested_key_encode(const struct cform *f, const void *value, uint8_t *to, struct arena *a);
/* The one form of a value of fixed width, in place: one NaN, true is 1, no padding. */
void nested_key_scalar(enum phys phys, void *value);
uint8_t *nested_varint_put(uint8_t *to, uint64_t v);

/* Strings point into the bytes, items into a. E_DATA for a NULL that has no place in the form, and for bytes that are no such
 * value: cut short, more of them than the value takes, counts that they cannot hold. */
enum status nested_value_decode(const struct cform *f, struct str bytes, void *value, struct arena *a) CHECKED;
