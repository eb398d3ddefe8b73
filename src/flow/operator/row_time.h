/* row_time.h - the column in which an operator of SQL finds the time of its rows, and arithmetic of times. */
#pragma once
#include "flow/operator/op.h"

/* A row has no time there: which one (in NULL: nobody knows), and what Flink says of it (row_time.c). */
enum status row_time_missing(struct op_cx *cx, const struct batch *in, uint32_t row);

/* Sums and differences of times and ms; what is out of range is the greatest or the least time. */
static inline int64_t time_plus(int64_t time, int64_t ms)
{
    int64_t sum;

    if (!__builtin_add_overflow(time, ms, &sum)) return sum;
    return ms > 0 ? INT64_MAX : INT64_MIN;
}

static inline int64_t time_minus(int64_t time, int64_t ms)
{
    int64_t difference;

    if (!__builtin_sub_overflow(time, ms, &difference)) return difference;
    return ms > 0 ? INT64_MIN : INT64_MAX;
}

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
