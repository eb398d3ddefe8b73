/* logical.h - the abstract syntax tree of EXPLAIN: how nodes print theirs. A node may be several lines, each the input of the one
 * before; its inputs stand below the last one. */
#pragma once
#include "language/plan/rel.h"

enum { LOGICAL_DEPTH_MAX = 512 };

struct logical {
    struct buf *out;
    bool more[LOGICAL_DEPTH_MAX + 1]; /* per level: do other inputs of it follow? */
    uint32_t depth;
    const char *const *names; /* by which the node above knows the columns; NULL: by their own */
};

struct buf *logical_begin(struct logical *l, const char *name); /* "+- LogicalProject(": what stands in it is the caller's */
void logical_end(struct logical *l);                            /* ")" */
void logical_order(const struct rank_order *order, uint32_t count, struct buf *out); /* "sort0=[$2], dir0=[DESC-nulls-last]" */
void logical_join(const struct rel *r, const struct join_body *b, const struct expr *condition, struct logical *l);
void logical_aggregate(const struct rel *r, const struct aggregate_body *b, const int *more_keys, uint32_t more, struct logical *l);
