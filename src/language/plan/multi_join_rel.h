/* multi_join_rel.h - joins of many inputs as one node: what rewrite_multi_joins.c makes and node_multi_join.c is. */
#pragma once
#include "language/plan/rel.h"

extern const struct rel_type rel_multi_join_type;

/* Lists have an item per input; what the first one's say of its join is not asked. Expressions are over the columns of all inputs, of
 * which those of a left join's may be NULL. */
struct multi_join_body {
    const bool *is_left;           /* how the inputs before meet it; else an inner join */
    uint32_t key_count;
    const uint32_t *const *keys;   /* columns of each input that are equal in rows that meet */
    struct expr *const *conditions; /* besides the keys; NULL: none */
    const uint32_t *required;      /* bits: inputs that must have a row */
    const char *const *where;      /* the whole condition, as EXPLAIN shows it */
    const char *const *names;      /* of all columns */
    const struct rel_ttl *ttl;
    const struct rel *chain;       /* the joins of two that it stands for: what changes, and keys */
    const uint32_t *cols;          /* which of all columns their columns are */
};
struct rel *rel_multi_join_node(struct arena *a, struct rel *const *inputs, uint32_t count, const struct multi_join_body *body);
