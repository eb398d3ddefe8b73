/* agg.h - built-in aggregates over columns. One file agg_<name>.c ends in one `const struct agg_type agg_<name>`.
 *
 * An accumulator is a few 8-byte words inside a row that the caller keeps (offset given at bind time); all zero is the
 * empty accumulator. Hooks are loops over rows: `acc[i]` is the accumulator of the i-th row, equal keys share one.
 * Integer sums wrap as in Flink. Counts and sums can be retracted; only those of whole numbers can be unmerged. */
#pragma once
#include "columns/column/batch.h"

enum { AGG_WORDS_MAX = 4 };

struct agg_type;

/* One aggregate of a query, bound to its argument. */
struct agg {
    const struct agg_type *type;
    const struct type *argument; /* NULL: count(*) */
    const struct type *result;
    uint32_t col;    /* argument column */
    uint32_t offset; /* of its words in the accumulator row */
    uint32_t words;
};

struct agg_type {
    const char *name, *doc, *example;
    /* Answers result type and number of words; E_CONFIG for an argument it cannot take (NULL = `*`). */
    enum status (*bind)(struct agg *a, struct arena *arena, struct err *e);
    /* acc[i] takes v[row_i]; row_i = rows[i], or i when rows is NULL. NULL values are passed over. */
    void (*add)(const struct agg *a, void *const *acc, const struct vector *v, const uint16_t *rows, uint32_t n);
    void (*retract)(const struct agg *a, void *const *acc, const struct vector *v, const uint16_t *rows,
                    uint32_t n);                                                            /* NULL = cannot */
    void (*merge)(const struct agg *a, void *const *acc, void *const *other, uint32_t n);   /* acc[i] += other[i] */
    void (*unmerge)(const struct agg *a, void *const *acc, void *const *other, uint32_t n); /* NULL = not exact */
    void (*result)(const struct agg *a, void *const *acc, uint32_t n, struct vector *out, uint32_t first);
};

extern const struct agg_type *const agg_types[]; /* sorted by name, ends with NULL */
const struct agg_type *agg_find(struct str name);  /* case is ignored; NULL when unknown */
/* Parses "count(*)", "sum(price) AS total" against a row type and binds it; *alias is its name (default: the text). */
enum status agg_bind(struct agg *a, struct arena *arena, const struct type *row, struct str text, const char **alias,
                     struct err *e) CHECKED;

static inline int64_t *agg_word(const struct agg *a, void *acc, uint32_t word)
{
    return (int64_t *)(void *)((char *)acc + a->offset) + word;
}
