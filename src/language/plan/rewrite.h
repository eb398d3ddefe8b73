/* rewrite.h - plans that give the same rows for less work. Passes from the sinks down, each rebuilding what it changes:
 *
 * 1. rewrite_conditions.c: rows that a condition drops are dropped as early as may be. What a node lets through is what its type says
 *    (rel_type's `passes`); a condition is handed down when all columns it reads pass.
 *    rewrite_normalize.c: what lies above a ChangelogNormalize goes on from there, when it is known who reads the same rows.
 *    rewrite_joins.c, where the session says so: inner joins in another order.
 * 2. rewrite_columns.c: no node has columns that nobody reads (rel_type's `narrow`). Columns get other numbers then.
 * 3. rewrite_fields.c: the same for fields of nested rows that a table's source can leave out.
 *
 * A condition moves only when it is the same whenever it is evaluated, and cannot fail: else a row could fail that was dropped before.
 * Between WatermarkAssigner and its table nothing moves but columns: the watermark is that of all rows. A source that gives its rows in
 * the order of their times may be told all the same which of them nobody wants (source_type's takes_early): none is late either way. */
#pragma once
#include "language/plan/conditions.h"
#include "language/plan/rel.h"

/* Of a node that gives rows of several inputs one for one (Union), a condition must pass to each of them; of others to one. */
struct rel *rewrite_conditions(struct arena *a, struct rel *r);
void rewrite_normalize(struct arena *a, struct rel **plans, uint32_t count);

/* --- columns ----------------------------------------------------------------------------------------------------- */
/* What is read of a column: all of it, or some fields. */
struct use {
    bool whole, any;
    struct use *fields; /* of a ROW's; NULL: none is read by itself */
};
/* Scans that are equal are one (table.optimizer.reuse-source-enabled): then they have the columns that any of them needs. A pass runs
 * twice for that, once to collect. */
struct scan_reads {
    const struct rel *scan;
    uint64_t *columns; /* bits */
    struct use *uses;
    struct scan_reads *next;
};
struct reading {
    bool is_shared, collects;
    struct scan_reads *scans;
};
struct scan_reads *scan_reads_of(struct arena *a, struct reading *all, const struct rel *scan);

struct narrowing {
    struct arena *a;
    struct reading *reading;
};
uint64_t *narrow_none(struct narrowing *n, const struct type *row); /* a set of columns, empty */
bool narrow_is_all(const struct type *row, const uint64_t *columns);
/* r's rows with the needed columns, in their order, and perhaps more; at[c]: what number column c has now. */
struct rel *narrow_rel(struct narrowing *n, struct rel *r, const uint64_t *needed, uint32_t *at);
/* An input with just these columns: what the bits say; *at as above. At least one column is kept. */
struct rel *narrow_input(struct narrowing *n, struct rel *input, uint64_t *needed, uint32_t **at);
/* The same of an input that must be read directly: where it keeps all its columns, `needed` is set to all. */
struct rel *narrow_below(struct narrowing *n, struct rel *input, uint64_t *needed, uint32_t **at);
/* An expression over rows whose columns have new numbers. */
struct expr *narrow_expr(struct narrowing *n, const struct expr *x, const struct type *now, const uint32_t *at);
struct rel *rewrite_columns(struct arena *a, struct rel *r, struct reading *all); /* all of r's own columns stay */
struct rel *rewrite_joins(struct arena *a, struct rel *r); /* inner joins in another order */
/* Sinks that are one become one; answers how many are left. */
uint32_t rewrite_sinks(struct arena *a, struct rel **sinks, uint32_t count);
struct rel *rewrite_fields(struct arena *a, struct rel *r, struct reading *all);

