/* rowconv.h - columns <-> C structs, 64 rows at a time. A layout says where the fields of a user's struct lie and which
 * columns they are; conversion is a loop per field, never a switch per value.
 *
 * In a struct: BOOLEAN bool; TINYINT..BIGINT int8..int64; FLOAT float; DOUBLE double; DECIMAL(p<=18) int64 unscaled,
 * above that int128; CHAR, VARCHAR, BINARY, VARBINARY struct tw_str; DATE int32 days; TIME int32 ms; TIMESTAMP(_LTZ)
 * int64 in its unit (precision <= 6) or struct ts96; intervals int32 months / int64 ms; ARRAY, MAP, MULTISET, ROW as
 * cform.h says. Optional uint64 null mask: bit i = field i of the layout is NULL. */
#pragma once
#include "columns/column/cform.h"

enum { ROWCONV_ROWS = 64 };
#define ROWCONV_NO_NULLS CFORM_NO_NULLS

struct rowconv_field {
    uint32_t col;             /* column of the batch */
    uint32_t offset;          /* in the struct */
    uint8_t phys;
    bool not_null;            /* the column cannot hold NULL */
    const struct cform *form; /* of nested values, else NULL */
};

struct rowconv {
    uint32_t size;         /* bytes of the struct */
    uint32_t null_offset;  /* of the uint64 null mask, or ROWCONV_NO_NULLS */
    uint32_t field_count;
    const struct rowconv_field *fields;
    bool must_check;       /* structs can be wrong beyond their strings: nested values, or a mask beside columns that are NOT NULL */
};

/* Fills structs[0..n) from the selected rows first..first+n of b, n <= 64. Strings and items point into the batch, or
 * items into `items` (NULL when no field is nested): valid as long as both are. A NULL that has no place in the struct:
 * E_DATA, *bad_field says where. */
enum status rowconv_read(const struct rowconv *c, const struct batch *b, uint32_t first, uint32_t n, void *structs,
                         struct arena *items, uint32_t *bad_field) CHECKED;
/* Are these structs that rowconv_write can take? E_DATA with the field and a sentence. */
enum status rowconv_check(const struct rowconv *c, const void *structs, uint32_t n, uint32_t *bad_field,
                          const char **why) CHECKED;
/* Appends n structs as rows to b (columns not in the layout get NULL or zero); all is copied. No kinds, no times. E_DATA
 * (CFORM_FULL says why) when the elements of b's lists become too many: no row was appended. */
enum status rowconv_write(const struct rowconv *c, const void *structs, uint32_t n, struct batch *b) CHECKED;
