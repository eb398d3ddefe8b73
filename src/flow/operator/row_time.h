/* row_time.h - the column in which an operator of SQL finds the time of its rows. */
#pragma once
#include "flow/operator/op.h"

/* A row has no time there: which one (in NULL: nobody knows), and what Flink says of it (row_time.c). */
enum status row_time_missing(struct op_cx *cx, const struct batch *in, uint32_t row);

/* Its number, or -1 where `name` is NULL or empty: processing time. Times are ms: BIGINT, or timestamps of at most 3 digits. E_GRAPH. */
static inline enum status row_time_column(const struct op_plan *p, uint32_t input, const char *name, int *col, struct err *e)
{
    *col = -1;
    if (name == NULL || name[0] == '\0') return S_OK;
    *col = op_plan_field(p, input, name, e);
    if (*col < 0) return E_GRAPH;
    const struct type *t = p->inputs[input]->children[*col];
    bool fits = t->kind == T_TIMESTAMP || t->kind == T_TIMESTAMP_LTZ ? t->precision <= 3 : t->kind == T_BIGINT;
    return fits ? S_OK : err_set(e, E_GRAPH, "'%s' is no time: a timestamp of at most 3 digits, or a BIGINT of ms", name);
}
