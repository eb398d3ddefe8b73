/* bind_group_internal.h - what the files bind_group*.c share. */
#pragma once
#include "columns/function/agg.h"
#include "language/sql/bind_group.h"
#include "language/sql/bind_group_window.h"

struct call_of {
    const struct ast_expr *x;
    uint32_t number; /* of the call */
    enum status (*above)(struct expr_maker *m, struct expr *result, struct expr **out, struct err *e); /* NULL: the result is it */
};

struct grouping {
    struct query_binder *b;
    struct bind_scope below; /* the names of FROM */
    struct binder binder;    /* over them */
    uint32_t key_count, column_count, call_count, use_count;
    struct expr **columns;   /* of the Calc below: keys, then arguments and filters */
    const char **key_texts;  /* of keys as they are written */
    struct aggregate_call *calls;
    struct call_of *uses;
    const struct type *row;  /* of the aggregation */
    uint32_t set_count;      /* 0: not looked at yet */
    uint64_t *sets;          /* bit i: key i is in it */
    uint32_t *key_cols, first_call; /* where in it the keys and the first call are */
    struct group_window window;
    uint32_t window_time;  /* column of the Calc below */
    bool asks_for_window;  /* some part of it is read */
};

static inline bool grouping_has_sets(const struct grouping *g) { return g->set_count > 1; }
enum status grouping_fail(struct grouping *g, struct ast_place place, const char *text);
/* The column of the Calc below that computes it, no key where there are sets (keys are NULL in some): a new one where none does. */
uint32_t grouping_column_of(struct grouping *g, struct expr *x);

/* bind_group_calls.c */
uint32_t aggregate_calls_count(const struct query_binder *b, const struct ast_expr *x); /* x NULL: 0 */
uint32_t grouping_calls_count(const struct query_binder *b, const struct ast_select *s, const struct ast_orders *by);
/* Those of SELECT, HAVING, QUALIFY, its windows and its ORDER BY, into calls and uses. */
enum status grouping_bind_calls(struct grouping *g, const struct ast_select *s, const struct ast_orders *by) CHECKED;

/* bind_group_sets.c */
bool grouping_is_form(const struct ast_expr *x, const char *name); /* ROLLUP(...) */
/* The keys, and the sets of them; the window of GROUP BY, too. */
enum status grouping_bind_keys(struct grouping *g, const struct ast_select *s) CHECKED;
