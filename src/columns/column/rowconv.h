/* rowconv.h - columns <-> C structs, 64 rows at a time. A layout says where the fields of a user's struct lie and which
 * columns they are; conversion is a loop per field, never a switch per value.
 *
 * In a struct: BOOLEAN bool; TINYINT..BIGINT int8..int64; FLOAT float; DOUBLE double; DECIMAL(p<=18) int64 unscaled,
 * above that int128; CHAR, VARCHAR, BINARY, VARBINARY {const char *data; size_t size}; DATE int32 days; TIME int32 ms;
 * TIMESTAMP(_LTZ) int64 in its unit (precision <= 6) or struct ts96; intervals int32 months / int64 ms; ARRAY, MAP, ROW
 * const struct vector_view {vector, row}. Optional uint64 null mask: bit i = field i of the layout is NULL. */
#pragma once
#include "columns/column/batch.h"

enum { ROWCONV_ROWS = 64 };
#define ROWCONV_NO_NULLS UINT32_MAX

struct vector_view {
    const struct vector *vector;
    uint32_t row;
};

struct rowconv_field {
    uint32_t col;    /* column of the batch */
    uint32_t offset; /* in the struct */
    uint8_t phys;
};

struct rowconv {
    uint32_t size;         /* bytes of the struct */
    uint32_t null_offset;  /* of the uint64 null mask, or ROWCONV_NO_NULLS */
    uint32_t field_count;
    const struct rowconv_field *fields;
};

/* Fills structs[0..n) from the selected rows first..first+n of b, n <= 64. Strings point into the batch: valid as long
 * as it is. A NULL where the struct has no mask: E_DATA, *bad_field says which. */
enum status rowconv_read(const struct rowconv *c, const struct batch *b, uint32_t first, uint32_t n, void *structs,
                         uint32_t *bad_field) CHECKED;
/* Appends n structs as rows to b (columns not in the layout get NULL or zero); strings are copied. No kinds, no times. */
void rowconv_write(const struct rowconv *c, const void *structs, uint32_t n, struct batch *b);
