/* join_pairs.h - what SQL's joins have in common: kinds of joins, the columns of both sides, a condition over them, and rows of a
 * batch beside rows of the other side's state. */
#pragma once
#include "columns/expr/expr.h"
#include "flow/operator/op.h"
#include "flow/state/shape.h"

/* What a kind of join emits. */
struct join_kind {
    const char *name;
    bool pairs;    /* rows of both sides beside each other */
    bool alone[2]; /* rows of this side come alone */
    bool matched;  /* when something matches them, not when nothing does */
};

/* How a join is configured. */
struct join_spec {
    const char *kind;       /* inner, left, right, full, semi, anti */
    struct text_list names; /* of the columns of both sides, each once */
    struct str condition;   /* expr_encode over them; empty: none */
    const char *zone;
    bool keeps_times; /* columns that are time attributes stay ones */
};

struct join_plan {
    const struct join_kind *kind;
    struct fn_session session;
    const struct type *both; /* columns of both sides */
    struct expr *condition;  /* NULL: none */
    uint32_t left;           /* columns of the left side */
};

enum status join_plan_read(const struct op_plan *p, const struct join_spec *spec, struct join_plan *out,
                           struct err *e) CHECKED;
/* Checks keys and answers the output's row: what `derive` does. */
enum status join_plan_derive(struct op_plan *p, const struct join_spec *spec, struct join_plan *out,
                             struct err *e) CHECKED;
/* Columns of a side, `count` of them, that come out or that the condition reads; outputs NULL: all. */
void join_columns_read(const struct join_plan *plan, uint32_t side, uint32_t count, const uint64_t *outputs,
                       uint64_t *bits);
/* The columns of a row type that are set in `bits` as a row of its own: cols and, per column, its field or -1. */
const struct type *join_columns_kept(struct arena *a, const struct type *in, const uint64_t *bits, uint32_t **cols,
                                     int **fields);
const struct type *join_key_row(const struct op_plan *p, uint32_t input); /* key columns, nullable */
/* Sets bit i where a key of selected row i is NULL, unless null_safe says "true" of it. */
void join_no_keys(const struct op_plan *p, const struct text_list *null_safe, uint32_t input, const struct batch *in,
                  uint64_t *bits);

/* Where a side's columns lie in its state. */
enum { JOIN_NO_TWIN = TYPE_FIELDS_MAX };
struct join_kept {
    const struct state_table *table;
    const int *fields;     /* per column of the input; -1: not kept */
    const uint32_t *twins; /* per column: the column of the other input that has its value, JOIN_NO_TWIN: none; NULL: none at all */
};

/* What is emitted: rows of the batch beside rows of the other side's state. */
struct join_pairs {
    uint32_t left;
    struct join_kept kept[2];
    struct expr_run *condition; /* NULL: none */
    struct batch *tested;       /* what it reads */
    struct batch *out;
    bool borrows; /* strings of the batch are not copied: it is there until what was forwarded has been read */
    uint16_t ours[BATCH_ROWS];
    void *theirs[BATCH_ROWS];
    uint64_t without_ours[BATCH_ROWS / 64];
    bool has_lone; /* a bit is set there */
};

/* kept is set by the caller, once its tables are open. */
void join_pairs_open(struct op_cx *cx, struct join_pairs *p, const struct join_plan *plan);
void join_pairs_close(struct join_pairs *p);
/* Leaves the hits that the condition takes: key[i] is a selected row of `in`, row[i] one of the other side. */
enum status join_pairs_filter(struct op_cx *cx, struct join_pairs *p, uint32_t input, const struct batch *in,
                              struct state_hits *h) CHECKED;
static inline bool join_pairs_full(const struct join_pairs *p, uint32_t more)
{
    return p->out->count + more > p->out->capacity;
}
void join_pairs_begin(struct join_pairs *p); /* an empty list */
/* Row `ours` of the batch (with_ours false: NULLs) beside `theirs` (NULL: NULLs). */
static inline void join_pairs_put(struct join_pairs *p, enum row_kind kind, uint32_t ours, bool with_ours, void *theirs)
{
    uint32_t n = p->out->count++;

    p->ours[n] = (uint16_t)ours;
    p->theirs[n] = theirs;
    p->out->kinds[n] = (uint8_t)kind;
    if (with_ours)
        bit_clear(p->without_ours, n);
    else {
        bit_set(p->without_ours, n);
        p->has_lone = true;
    }
}
/* Fills the columns of the list and forwards it; in NULL: rows of the other side alone. */
void join_pairs_forward(struct op_cx *cx, struct join_pairs *p, uint32_t input, const struct batch *in);
