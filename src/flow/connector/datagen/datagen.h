/* datagen.h - made-up values for columns of any type. A value is a function of (seed, path of the column, row number), so it
 * does not depend on who generates it or in what batches; only times look at the clock. */
#pragma once
#include "columns/column/batch.h"
#include "ground/base/option.h"

enum { DATAGEN_STRING_LENGTH = 100, DATAGEN_COLLECTION_LENGTH = 3, DATAGEN_LENGTH_MAX = 1 << 20 };

/* How one column, or one part of a nested one, is made. */
struct datagen_field {
    const struct type *type;
    uint64_t key;              /* of its random stream */
    bool is_sequence, var_length;
    uint64_t null_below;       /* NULL when the hash is below; 0 = never */
    int64_t start;             /* sequence: value of row 0 */
    int128 min, max;           /* whole numbers, unscaled decimals, months, ms */
    double low, high;          /* FLOAT, DOUBLE */
    int64_t max_past_ms;       /* times: so far back from now at most */
    uint32_t length;           /* of strings, bytes and collections */
    struct datagen_field *children;
};

struct datagen_table {
    const struct type *row;
    struct datagen_field *fields;
    uint64_t rows;             /* that there are, UINT64_MAX = without end: sequences end */
    uint64_t row_bytes;        /* at most, of text in one row */
};

/* Reads the fields.* options for the columns. E_CONFIG names the option. */
enum status datagen_table_make(struct datagen_table *t, const struct options *o, const struct type *row, uint64_t seed,
                               struct arena *a, struct err *e) CHECKED;
/* Which rows a batch gets. */
struct datagen_rows {
    uint64_t first, stride;    /* row numbers first, first + stride, .. */
    uint32_t at, count;        /* rows at..at+count of the vectors */
    int64_t now_ms;
};
/* Fills v, and what lies below it; an ABSENT vector is left alone. */
void datagen_fill(const struct datagen_field *f, struct vector *v, const struct datagen_rows *rows, struct batch *b);
