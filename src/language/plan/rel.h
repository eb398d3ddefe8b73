/* rel.h - relations: the plan of a query as a graph of nodes. One file node_<name>.c ends in one `const struct rel_type
 * rel_<name>`: how it is explained, what it is lowered to. Nodes are immutable and live in the statement's arena.
 *
 * A node's columns are `row`; expressions of its body speak of its input's columns by number. */
#pragma once
#include "columns/expr/expr.h"
#include "control/graph/graph.h"
#include "language/catalog/catalog.h"

enum { REL_INPUTS_MAX = 1024 };

struct rel;

/* Where nodes are lowered to. */
struct lowering {
    struct graph *graph;
    struct arena *a;
    const struct fn_session *session;
    int64_t receiver; /* of the result's rows */
};

struct rel_type {
    const char *name; /* as EXPLAIN shows it: "Calc" */
    const char *doc;
    void (*explain)(const struct rel *r, struct buf *out); /* "select=[a], where=[(a > 1)]"; NULL: nothing */
    /* Appends graph nodes behind those of the inputs; answers the last one. */
    enum status (*lower)(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node,
                         struct err *e);
};

struct rel {
    const struct rel_type *type;
    const struct type *row;
    uint32_t input_count;
    struct rel *const *inputs;
    const void *body; /* of the type's own */
    bool is_bounded;  /* its rows come to an end */
};

extern const struct rel_type *const rel_types[]; /* sorted by name, ends with NULL */

/* VALUES: constants, row by row. */
struct values_body {
    uint32_t row_count;
    struct expr *const *items; /* row after row */
};
/* A scan of a table's physical and metadata columns. */
struct scan_body {
    const struct table *table;
};
/* Event time and watermarks of rows: the greatest value of an expression over them. */
struct watermark_body {
    uint32_t rowtime; /* column */
    struct expr *watermark;
};
/* Filter and projection. */
struct calc_body {
    struct expr *condition; /* NULL: every row */
    uint32_t count;         /* 0: the columns of the input */
    struct expr *const *columns;
};
/* Rows into a table, or to whoever asked (table NULL). */
struct sink_body {
    const struct table *table;
};

struct rel *rel_values(struct arena *a, const struct type *row, const struct values_body *body);
struct rel *rel_scan(struct arena *a, const struct table *t, const struct type *row);
struct rel *rel_watermark(struct arena *a, struct rel *input, const struct type *row, const struct watermark_body *body);
struct rel *rel_calc(struct arena *a, struct rel *input, const struct calc_body *body, const char *const *names);
struct rel *rel_union(struct arena *a, struct rel *const *inputs, uint32_t count);
struct rel *rel_sink(struct arena *a, struct rel *input, const struct table *t);

/* Operator calc behind a node of the job graph; answers its number. */
uint32_t lower_calc(struct lowering *l, const struct calc_body *c, const char *const *names, uint32_t input);

/* The tree as EXPLAIN prints it: one node a line, "+- " and "   " by depth. */
void rel_explain(const struct rel *r, struct buf *out);
enum status rel_lower(const struct rel *r, struct lowering *l, uint32_t *node, struct err *e) CHECKED;
