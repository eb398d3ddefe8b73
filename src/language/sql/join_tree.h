/* join_tree.h - the joins of a FROM clause before they are planned: conditions may still come in from above. */
#pragma once
#include "language/sql/bind_query.h"

struct join_tree {
    uint8_t kind;               /* enum rel_join_kind */
    struct rel *rels[2];        /* a side is one of these, */
    struct join_tree *trees[2]; /* or of these */
    uint32_t left;              /* columns of the left side */
    const char *const *names;   /* of both, each once: a, a0 */
    const struct type *pair;    /* columns of both as they are; of this ON speaks */
    const struct type *row;     /* with the NULLs of an outer join; of this WHERE speaks */
    int as_of;       /* column of the left side at whose time the right one is asked for; -1: none */
    bool is_lookup;  /* that time is the clock's */
    const struct correlate_body *list; /* the right side is elements of a list of the left one; NULL: a table */
    struct rel_ttl ttl[2];      /* of hints */
    struct rel_lookup_hint lookup;
    struct join_hints hints;
    const struct rel_said *said; /* the JOIN in the text; NULL: not known */
    uint32_t count, capacity;
    struct expr **conditions; /* of ON: all must be true */
};

struct join_tree *join_tree_create(struct arena *a, enum rel_join_kind kind, const struct bind_source *left,
                                   const struct bind_source *right);
/* The left side's rows beside elements of a list that they have, of row type `right`. */
struct join_tree *join_tree_of_list(struct arena *a, const struct bind_source *left, const struct type *right,
                                    const struct correlate_body *list);
/* The right side is asked for at a time of the left one, a column of it; -1: it is not. */
void join_tree_as_of(struct join_tree *t, struct arena *a, const struct type *left, int col, bool is_lookup);
void join_tree_add(struct join_tree *t, struct arena *a, struct expr *condition); /* parts of AND one by one */
/* The plan, with as much of *above (NULL: nothing) in it as may be; the rest is in *above. */
enum status join_tree_plan(const struct expr_maker *m, struct join_tree *t, struct expr **above, struct rel **out,
                           struct err *e) CHECKED;
