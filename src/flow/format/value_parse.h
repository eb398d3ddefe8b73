/* value_parse.h - the text of one value into a column: the slow, complete way that every format falls back to. */
#pragma once
#include "columns/column/batch.h"

/* Why a text is no value of the column's type. */
enum value_fault {
    VALUE_OK,
    VALUE_NOT_INTEGER,
    VALUE_NOT_NUMBER,
    VALUE_NOT_BOOLEAN,
    VALUE_NOT_DATE,
    VALUE_NOT_TIME,
    VALUE_NOT_TIMESTAMP,
    VALUE_NOT_BASE64,
    VALUE_OUT_OF_RANGE,
    VALUE_FRACTION, /* 1.5 for a whole number */
    VALUE_NULL,     /* nothing where NOT NULL is declared */
};

/* Parses text as a value of v's scalar type into v[row]; spaces around anything but strings are ignored. Whole numbers
 * may be written 1.0 or 1e3. Fractions of seconds beyond the type's precision are cut, decimals rounded half up. */
enum value_fault value_parse(const struct type *t, struct str text, struct vector *v, uint32_t row,
                             struct text_heap *heap) CHECKED;
/* The end of a sentence that begins with the text: "is not a whole number". */
void value_fault_print(enum value_fault fault, const struct type *t, struct buf *out);
/* Can value_parse read this type? */
bool value_type_is_scalar(const struct type *t);
/* Standard base64 with or without padding into bytes; false when it is none. Room: size / 4 * 3 + 3. */
bool base64_decode(struct str text, char *out, size_t *out_size) CHECKED;
