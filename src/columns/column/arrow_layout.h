/* arrow_layout.h - Arrow format strings as values, and which type goes with which. Shared by export and import. */
#pragma once
#include "columns/column/arrow_abi.h"

enum arrow_kind { ARROW_NULL, ARROW_BOOL, ARROW_INT, ARROW_UINT, ARROW_FLOAT, ARROW_DECIMAL, ARROW_TEXT, ARROW_BYTES, ARROW_FIXED_BYTES,
                  ARROW_DATE, ARROW_TIME, ARROW_TIMESTAMP, ARROW_MONTHS, ARROW_DURATION, ARROW_LIST, ARROW_MAP, ARROW_STRUCT };

struct arrow_layout {
    uint8_t kind;         /* enum arrow_kind */
    uint8_t width;        /* bytes of a value; of an offset for texts, bytes and lists */
    bool has_zone;        /* ARROW_TIMESTAMP */
    int32_t precision;    /* decimals; fixed bytes: their length; times: digits of the unit: 0 s, 3 ms, 6 us, 9 ns; -1 = days */
    int32_t scale;
};

/* Flags of a schema. */
#define ARROW_NULLABLE INT64_C(2)
/* The key under which a field's metadata keeps the type where Arrow's says less: CHAR(5) is utf8, TIME(0) time32. */
#define ARROW_TYPE_KEY "thalweg.type"

/* false = a format that we do not read. */
bool arrow_layout_read(const char *format, struct arrow_layout *out) CHECKED;
/* The format of a type's own level, "d:10,2"; children have their own. */
void arrow_format_write(const struct type *t, struct buf *out);
/* The nullable type that a scalar layout stands for; NULL for lists, maps and structs. */
const struct type *arrow_layout_type(struct arena *a, const struct arrow_layout *l);
/* Does the format of the type's own level have this layout? */
bool arrow_layout_is_of(const struct arrow_layout *l, const struct type *t);
