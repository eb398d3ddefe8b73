/* batch.h - what a batch callback (.batch of a function) asks for: columns in, columns out. Included by context.h.
 *
 *     static enum tw_status total(struct tw_context *cx, const struct tw_batch *in)
 *     {
 *         const struct tw_column *lines = tw_batch_column(in, 1);           // ARRAY<ROW<item STRING, quantity INT>>
 *         const struct tw_column *quantity = &lines->children[0].children[1];
 *         const int32_t *n = quantity->values;
 *         int64_t *sums = tw_batch_out(cx, 0);
 *         for (uint32_t row = 0; row < tw_batch_rows(in); row++) {
 *             if (!tw_is_valid(lines->validity, row)) continue;             // the array is NULL
 *             uint32_t first = lines->spans[row].first, end = first + lines->spans[row].count;
 *             for (uint32_t i = first; i < end; i++)
 *                 if (tw_is_valid(quantity->validity, i)) sums[row] += n[i];
 *         }
 *         tw_batch_emit(cx, tw_batch_rows(in));
 *         return TW_OK;
 *     } */
#pragma once
#include <thalweg/row.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tw_context;
struct tw_batch;

/* --- columns in --------------------------------------------------------------------------------------------------- */
/* All answers are views of the batch, valid during the call; fields are those of the function's row type `in`. What stands
 * in place of a NULL means nothing: look at validity first. */
TW_API uint32_t tw_batch_rows(const struct tw_batch *b);
/* Values of field i: tw_batch_rows values of the C type of row.h, in order. Strings: see tw_batch_str; ARRAY, MAP, MULTISET
 * and ROW: see tw_batch_column. */
TW_API const void *tw_batch_values(const struct tw_batch *b, uint32_t field);
TW_API struct tw_str tw_batch_str(const struct tw_batch *b, uint32_t field, uint32_t row);
/* One bit per row, set = valid, NULL when there are no NULLs. */
TW_API const uint64_t *tw_batch_validity(const struct tw_batch *b, uint32_t field);
static inline bool tw_is_valid(const uint64_t *validity, uint32_t i) { return !validity || (validity[i >> 6] >> (i & 63) & 1); }
/* Event times in ms, NULL when there are none. */
TW_API const int64_t *tw_batch_times(const struct tw_batch *b);

enum tw_column_kind {
    TW_COLUMN_VALUES = 1, /* values: C values of one width */
    TW_COLUMN_STRINGS,    /* tw_column_str */
    TW_COLUMN_SPANS,      /* spans: ARRAY (children: elements), MAP (keys, values), MULTISET (elements, INT: how often) */
    TW_COLUMN_ROWS        /* ROW: children are its fields, value i in each belongs to row i */
};

/* A list is `count` values from `first` on of the children. Spans lie in any order and may leave gaps. */
struct tw_span {
    uint32_t first, count;
};

/* A column, and each level of a nested one, as it lies in the batch: nothing is copied. Every level has its own NULLs; the
 * fields of a ROW that is NULL are NULL or zero. */
struct tw_column {
    enum tw_column_kind kind;
    uint32_t count;           /* values; of a batch's column its rows */
    const void *values;       /* TW_COLUMN_VALUES */
    const struct tw_span *spans; /* TW_COLUMN_SPANS */
    const uint64_t *validity; /* bit i set: value i is valid; NULL: all are */
    uint32_t child_count;
    const struct tw_column *children;
    const void *texts;        /* of tw_column_str */
    const struct tw_batch *batch;
};
/* NULL when there is no such field, which fails the job. */
TW_API const struct tw_column *tw_batch_column(const struct tw_batch *b, uint32_t field);
/* Value i of a level that holds strings or bytes. */
TW_API struct tw_str tw_column_str(const struct tw_column *c, uint32_t i);
/* One value of field i as the C value of row.h, of any type: struct tw_array for ARRAY, a struct for ROW. False when it is
 * NULL: *value is cleared then. Valid during the call, and good for tw_batch_out. */
TW_API bool tw_batch_get(const struct tw_batch *b, uint32_t field, uint32_t row, void *value);

/* --- columns out -------------------------------------------------------------------------------------------------- */
/* Output columns: cleared C values of row.h, room for as many rows as the input has; fill, then say how many with
 * tw_batch_emit, once per input batch. Strings, and ARRAY, MAP, MULTISET and ROW as struct tw_array, struct tw_map and the
 * struct of the ROW, are copied by tw_batch_emit; what they point to may lie in the input or in tw_scratch. A column that
 * is not asked for is NULL, or zero where its type says NOT NULL. */
TW_API void *tw_batch_out(struct tw_context *cx, uint32_t field);
/* One bit per row, all set: clear bit i, and row i of the field is NULL, whatever stands in its place. The field must be
 * nullable: `out` has a null mask, and the field's text no NOT NULL. NULL when not, which fails the job. */
TW_API uint64_t *tw_batch_out_validity(struct tw_context *cx, uint32_t field);
static inline void tw_set_null(uint64_t *validity, uint32_t i) { validity[i >> 6] &= ~(UINT64_C(1) << (i & 63)); }
TW_API void tw_batch_emit(struct tw_context *cx, uint32_t rows);
/* Passes on the input rows listed (ascending), all columns: a filter without copying. */
TW_API void tw_batch_select(struct tw_context *cx, const uint16_t *rows, uint32_t count);

#ifdef __cplusplus
}
#endif
