/* value_print.h - values to text, the inverse of value_parse, for writers of text formats. */
#pragma once
#include "columns/column/batch.h"

enum { VALUE_TEXT_MAX = 64 }; /* bytes of any scalar that is no string */

/* The text up to the minute of the last timestamp printed: one division instead of a calendar per row. */
struct minute_text {
    int64_t minute, day; /* since 1970; INT64_MIN before the first */
    char text[16];       /* "2001-01-31 10:20" */
};

struct value_style {
    char date_separator; /* between date and time: a space or T */
    bool plain_decimals; /* 100000 instead of 1E+5 */
};

/* Room for n more bytes at p, which lies in out; answers p, or where it moved to. out->size is not looked at. */
static inline char *value_room(struct buf *out, char *p, size_t n)
{
    if (UNLIKELY(!p || (size_t)(out->data + out->capacity - p) < n)) {
        out->size = p ? (size_t)(p - out->data) : out->size;
        buf_reserve(out, n);
        p = out->data + out->size;
    }
    return p;
}

void minute_text_init(struct minute_text *cache);
/* Writes v[row], of a scalar type that is no string and no bytes, not NULL, to p; answers the end. At most VALUE_TEXT_MAX
 * bytes. Zeros at the end of fractions are left out, LTZ timestamps end in Z. */
char *value_put(char *p, const struct vector *v, uint32_t row, const struct value_style *style,
                struct minute_text *cache);
/* Appends bytes as base64 with padding. */
void base64_encode(struct str bytes, struct buf *out);
