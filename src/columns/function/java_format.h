/* java_format.h - texts put together as java.util.Formatter does: "%-10s|%05d|%.2f". */
#pragma once
#include "ground/base/buf.h"

/* One value, as the formatter sees it. */
enum format_kind { FORMAT_NULL, FORMAT_BOOLEAN, FORMAT_WHOLE, FORMAT_REAL, FORMAT_OTHER };
struct format_value {
    uint8_t kind;  /* enum format_kind */
    uint8_t bits;  /* of a whole number: 8, 16, 32, 64; of a real one: 32, 64 */
    bool has_hash; /* OTHER: text is a text, whose hash is known */
    int64_t whole; /* also of BOOLEAN: 0 or 1 */
    double real;
    struct str text; /* OTHER: as it is written */
};

/* What a pattern asks for at one place. */
struct format_spec {
    int index; /* 0: the next argument; -1: the same as before; else its number, from 1 */
    uint32_t flags;
    int width, precision; /* -1: not given */
    char conversion;      /* in lower case */
    bool is_upper;
};

enum format_step { FORMAT_END, FORMAT_TEXT, FORMAT_SPEC, FORMAT_BAD };
/* The next piece from *at on: text in *plain, or a place to fill in *spec. */
enum format_step java_format_next(struct str pattern, size_t *at, struct str *plain, struct format_spec *spec);
/* Does it take none of the values ('%%', '%n')? */
static inline bool format_takes_none(const struct format_spec *s)
{
    return s->conversion == '%' || s->conversion == 'n';
}
typedef void (*format_upper)(void *arg, struct str s, struct buf *out); /* appends the text in upper case */
/* Adds the value. False: Java throws. work: buffers of the caller's, the first of them empty. */
bool java_format_put(const struct format_spec *s, const struct format_value *v, format_upper upper, void *arg,
                     struct buf work[2], struct buf *out) CHECKED;
