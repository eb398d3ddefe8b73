/* sql_window.h - the windows of SQL's table functions TUMBLE, HOP, CUMULATE and SESSION: which of them a time lies in, and the
 * configurations of their operators. */
#pragma once
#include "flow/operator/group_calls.h"
#include "flow/operator/row_runs.h"
#include "flow/operator/window_assign.h"

enum sql_window_kind { SQL_TUMBLE, SQL_HOP, SQL_CUMULATE };

/* window_tvf: puts window_start, window_end and window_time behind the columns of each row, once per window. */
struct window_tvf_config {
    const char *time_field; /* TIMESTAMP or TIMESTAMP_LTZ */
    int64_t kind;           /* enum sql_window_kind */
    int64_t size_ms;        /* CUMULATE: the greatest */
    int64_t slide_ms;       /* HOP: slide; CUMULATE: step */
    int64_t offset_ms;
    bool processing_time;
    const char *zone;       /* windows of instants lie on its local times; empty: UTC */
    struct text_list bounds; /* names of the columns; empty: as above */
};

/* window_bounds: window_start, window_end and window_time behind the columns of each row, of which `end` says the window and goes. */
struct window_bounds_config {
    const char *end, *start;           /* columns; start empty: the end says it */
    int64_t kind, size_ms, offset_ms;  /* as above */
    bool local_time;                   /* window_time is a TIMESTAMP_LTZ */
    const char *zone;
    struct text_list bounds;           /* names of the three columns */
};

/* window_groups: group_config, and how rows belong to windows. */
struct window_groups_config {
    struct group_config calls;
    const char *time; /* column with the rows' time; "": `end`, or processing time */
    const char *end;  /* column with the end of a row's window, which is one of those below; "": none */
    int64_t kind, size_ms, slide_ms, offset_ms; /* as in window_tvf_config */
    bool processing_time, local_time;           /* local_time: window_time is a TIMESTAMP_LTZ */
    const char *zone;                           /* windows of instants lie on its local times; empty: UTC */
    struct text_list bounds;                    /* names of the window's columns; empty: window_start, window_end, window_time */
    struct spill_config spill;                  /* in batch mode: rows of more windows go to files; memory 0: never */
};

/* window_updates: window_groups_config of TUMBLE or HOP, and when windows fire besides at their end. */
struct window_updates_config {
    struct window_groups_config windows; /* calls.emit_before: -U rows are needed */
    int64_t early_ms, late_ms; /* before the end, after it: 0 at every row; so long after the first row and so on; -1: not */
    int64_t lateness_ms;       /* how long after its end a window still takes rows */
};

/* session_tvf: each row once its session is over, with window_start, window_end and window_time behind its columns. The session is
 * that of the stream's key; without a key there is one for all rows. */
struct session_tvf_config {
    const char *time; /* column with the rows' time */
    int64_t gap_ms;
    bool processing_time;
    const char *zone; /* bounds are local times of it; empty: UTC */
    struct text_list bounds; /* names of the columns; empty: as above */
    struct spill_config spill; /* as above */
};

/* session_groups: group_config per key and session. */
struct session_groups_config {
    struct group_config calls;
    const char *time;
    int64_t gap_ms;
    bool processing_time, local_time;
    const char *zone;
    struct text_list bounds;
    struct spill_config spill; /* as above */
};

extern const struct config_field window_tvf_config_fields[], window_groups_config_fields[];

/* The windows of one time: walk with sql_window_first, then sql_window_next while it answers true. */
static inline int64_t sql_window_floor(int64_t time, int64_t offset, int64_t step)
{
    int64_t past = (int64_t)(((int128)time - offset) % step);

    return time - (past < 0 ? past + step : past);
}

static inline struct tw_window sql_window_first(const struct window_tvf_config *c, int64_t time)
{
    if (c->kind == SQL_CUMULATE)
        return (struct tw_window){sql_window_floor(time, c->offset_ms, c->size_ms),
                                  sql_window_floor(time, c->offset_ms, c->slide_ms) + c->slide_ms};
    int64_t start = sql_window_floor(time, c->offset_ms, c->kind == SQL_HOP ? c->slide_ms : c->size_ms);
    return (struct tw_window){start, start + c->size_ms};
}

static inline bool sql_window_next(const struct window_tvf_config *c, int64_t time, struct tw_window *w)
{
    if (c->kind == SQL_CUMULATE) {
        w->end += c->slide_ms;
        return w->end <= w->start + c->size_ms;
    }
    w->start -= c->slide_ms;
    w->end -= c->slide_ms;
    return c->kind == SQL_HOP && w->end > time;
}
