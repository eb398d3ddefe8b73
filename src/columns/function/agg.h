/* agg.h - built-in aggregates over columns. One file agg_<name>.c ends in one `const struct agg_type agg_<name>`.
 *
 * An accumulator is a few 8-byte words inside a row that the caller keeps (offset given at bind time); all zero is the
 * empty accumulator. Hooks are loops over rows: `acc[i]` is the accumulator of the i-th row, equal keys share one.
 * Integer sums wrap as in Flink. Counts and sums can be retracted; only those of whole numbers can be unmerged.
 *
 * Values kept: what cannot be told from words alone (MIN of texts, or of rows that are taken back; LISTAGG) says what values of its
 * argument are to be kept for it (enum agg_keep). Whoever computes the aggregate keeps them as it can; of one value that is kept
 * the result is that value, else the fold hook makes it of the values. The words of such a call belong to the keeper, and none of
 * its other hooks is called. */
#pragma once
#include "columns/column/batch.h"

enum { AGG_WORDS_MAX = 8 };

struct agg_type;

enum agg_keep {
    AGG_KEEP_NOTHING,
    AGG_KEEP_LEAST,    /* the smallest value, by vector_compare */
    AGG_KEEP_GREATEST,
    AGG_KEEP_FIRST,    /* the first that came and was not taken back */
    AGG_KEEP_LAST,
    AGG_KEEP_ALL,      /* in the order in which they came */
    AGG_KEEP_COUNTED,  /* different ones, with the number of each */
};

/* One aggregate of a query, bound to its argument. */
struct agg {
    const struct agg_type *type;
    const struct type *argument; /* NULL: count(*) */
    const struct type *result;
    uint32_t col;    /* argument column */
    uint32_t offset; /* of its words in the accumulator row */
    uint32_t words;
    enum agg_keep keep;    /* set by bind: the words do not do; also by who wants to take back what has no retract */
    const char *parameter; /* constant second argument, set before bind; NULL: none */
    const void *plan;      /* of a user's function: set by bind, */
    void *instance;        /* and by open */
};

/* The values that are kept of one group, a stretch of them at a time. */
struct agg_values {
    bool (*next)(struct agg_values *values); /* false: no more; else fills the fields below */
    const struct vector *v;                  /* FLAT, rows 0..count */
    const uint32_t *counts;                  /* AGG_KEEP_COUNTED: how often each; else NULL */
    uint32_t count;
};
/* Where results are written. */
struct agg_place {
    struct vector *out;
    uint32_t row;
    struct text_heap *heap;
    struct mem *mem;
    struct buf *scratch; /* empty */
};

struct agg_type {
    const char *name, *doc, *example;
    const char *usage, *query, *answer; /* in SQL: how it is called, a query that stands alone, its rows: "1 | 2; 3 | 4" */
    /* Answers result type and number of words; E_CONFIG for an argument it cannot take (NULL = `*`). */
    enum status (*bind)(struct agg *a, struct arena *arena, struct err *e);
    /* acc[i] takes v[row_i]; row_i = rows[i], or i when rows is NULL. NULL values are passed over. */
    void (*add)(const struct agg *a, void *const *acc, const struct vector *v, const uint16_t *rows, uint32_t n);
    void (*retract)(const struct agg *a, void *const *acc, const struct vector *v, const uint16_t *rows,
                    uint32_t n);                                                            /* NULL = cannot */
    void (*merge)(const struct agg *a, void *const *acc, void *const *other, uint32_t n);   /* acc[i] += other[i] */
    void (*unmerge)(const struct agg *a, void *const *acc, void *const *other, uint32_t n); /* NULL = not exact */
    void (*result)(const struct agg *a, void *const *acc, uint32_t n, struct vector *out, uint32_t first);
    /* Values that are kept: which, where rows are taken back and there is no retract; NOTHING = cannot be. */
    enum agg_keep keep;
    bool keeps_null; /* NULLs are values, too */
    bool has_parameter;
    void (*fold)(const struct agg *a, struct agg_values *values, const struct agg_place *to); /* KEEP_ALL, KEEP_COUNTED */
    /* The same, one value after another: to->out's row is the result so far (NULL, or an empty list where it may not be NULL) and
     * becomes that with the value, whose place is v[row]. NULL: only fold can. */
    void (*append)(const struct agg *a, const struct vector *v, uint32_t row, const struct agg_place *to);
    /* Of a user's function (user_function.h), which has memory of its own and may fail; NULL in all others. */
    enum status (*open)(struct agg *a, struct mem *mem, struct err *e);
    void (*close)(struct agg *a, struct mem *mem); /* also when it was not opened */
    void (*results)(const struct agg *a, void *const *acc, uint32_t n, const struct agg_place *to); /* in place of result, from row to->row on */
    const char *(*failure)(const struct agg *a); /* what went wrong in the hooks called so far; NULL: nothing */
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
