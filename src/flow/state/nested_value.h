/* nested_value.h - nested values as bytes, from and to C values (columns/column/cform.h): what user functions keep in state.
 * The bytes are those of nested.c, so what a function has written can be read as a column, and the other way round. */
#pragma once
#include "columns/column/cform.h"

/* Bytes of the encoded value. It passed cform_check. */
size_t nested_value_size(const struct cform *f, const void *value);
/* Writes them; answers the place behind. */
uint8_t *nested_value_encode(const struct cform *f, const void *value, uint8_t *to);
/* Strings point into the bytes, items into a. E_DATA for a NULL that has no place in the form. */
enum status nested_value_decode(const struct cform *f, struct str bytes, void *value, struct arena *a) CHECKED;
