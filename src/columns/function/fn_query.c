/* fn_query.c - what plans of sub-queries put around values. Not for users: the names begin with $. */
#include "columns/function/fn_kernels.h"

/* The value of the only row; more rows than one are a row error. */
static void single_value(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    vector_copy(out, 0, args[0], NULL, r->count, r->heap, r->mem);
    FN_EACH(r, i)
    {
        bool many = !vector_is_null(args[1], i) && VECTOR_VALUES(args[1], int64_t)[vector_at(args[1], i)] > 1;
        if (many) row_error(r->errors, i, FN_BAD_ARGUMENT, "SingleValueAggFunction received more than one element.");
    }
}

static enum status bind_single_value(struct fn_call *c, struct arena *a, const struct fn_session *session,
                                     struct err *e)
{
    (void)session;
    if (c->count != 2 || c->args[1]->kind != T_BIGINT)
        return err_set(e, E_GRAPH, "$SINGLE_VALUE takes a value and the number of its rows");
    c->result = type_with_null(a, c->args[0], true);
    c->run = single_value;
    return S_OK;
}

static const struct fn_def functions[] = {
    {.name = "$SINGLE_VALUE",
     .doc = "the value; an error where there is more than one row: what a sub-query that stands for a value answers",
     .nulls = FN_OWN_NULLS,
     .flags = FN_MAY_FAIL,
     .bind = bind_single_value},
    {0},
};

const struct fn_type fn_query = {.name = "query",
                                 .doc = "checks of sub-queries",
                                 .example = "SELECT (SELECT a FROM t) FROM s",
                                 .functions = functions};
