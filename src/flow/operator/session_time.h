/* session_time.h - rows of SQL under the window engine: their time is a column. */
#pragma once
#include "flow/operator/row_time.h"
#include "flow/operator/window_engine.h"
#include "flow/operator/window_zone.h"

struct session_time {
    int col;           /* of the time; -1: processing time */
    bool is_read;      /* the batch at hand was */
    bool is_local;     /* the engine is given local times of the zone; else instants */
    struct batch view; /* it, with the column as its rows' time; stays where it is, as the engine wants it */
    int64_t times[BATCH_ROWS];
    struct window_config window; /* sessions of that gap */
    struct window_zone zone;     /* sessions are found in instants; their bounds are shown as local times */
};

/* Graph time: the column, or an error. */
static inline enum status session_time_column(const struct op_plan *p, const char *name, bool processing_time, int *col,
                                              struct err *e)
{
    *col = -1;
    if (processing_time) return S_OK;
    *col = op_plan_field(p, 0, name, e);
    if (*col < 0) return E_GRAPH;
    const struct type *t = p->inputs[0]->children[*col];
    if (t->kind == T_BIGINT || ((t->kind == T_TIMESTAMP || t->kind == T_TIMESTAMP_LTZ) && t->precision <= 3))
        return S_OK;
    return err_set(e, E_GRAPH, "'%s' is no time in ms", name);
}

static inline enum status session_time_open(struct session_time *s, struct op_cx *cx, const char *name, int64_t gap_ms,
                                            bool processing_time, const char *zone)
{
    s->window = (struct window_config){.assigner = TW_SESSION,
                                       .gap_ms = gap_ms,
                                       .processing_time = processing_time,
                                       .all = cx->plan->key_count[0] == 0};
    TRY(window_zone_open(&s->zone, zone, cx->err));
    return session_time_column(cx->plan, name, processing_time, &s->col, cx->err);
}

/* The batch as the engine is to see it; read once, until `is_read` is taken back when the batch is done. */
static inline enum status session_time_read(struct session_time *s, struct op_cx *cx, const struct batch *in)
{
    if (s->is_read) return S_OK;
    s->view = *in;
    s->is_read = true;
    if (s->col < 0) return S_OK;
    const struct vector *v = &in->cols[s->col];
    const int64_t *values = VECTOR_VALUES(vector_values(v), int64_t);
    BATCH_EACH(in, i, row)
    {
        (void)i;
        if (vector_is_null(v, row))
            return row_time_missing(cx, in, row);
        int64_t time = values[vector_at(v, row)];
        s->times[row] = s->is_local ? window_zone_local(&s->zone, time) : time;
    }
    s->view.times = s->times;
    return S_OK;
}
