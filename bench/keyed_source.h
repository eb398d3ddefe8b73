/* keyed_source.h - keyed_rows.h as a source function of jobs: `rows_by_key`, whose configuration is a struct keyed_rows. */
#pragma once
#include "keyed_rows.h"

TW_ROW(keyed_row, TW_FIELD_AS(keyed_row, key, "key", "BIGINT NOT NULL"),
       TW_FIELD_AS(keyed_row, time, "time", "BIGINT NOT NULL"),
       TW_FIELD_AS(keyed_row, value, "value", "BIGINT NOT NULL"));

static enum tw_status rows_source(struct tw_context *cx, void *rows, uint32_t max, uint32_t *count, bool *end)
{
    struct keyed_cursor *c = tw_self(cx);
    const struct keyed_rows *k = (const void *)tw_config(cx).data;

    if (!c->is_open) keyed_rows_start(c, k, tw_subtask(cx), tw_subtasks(cx));
    *count = keyed_rows_next(c, k, k->rows_per_ms / tw_subtasks(cx), rows, max);
    *end = c->at == c->end;
    return TW_OK;
}
TW_FUNCTION(rows_by_key) = {.out = &keyed_row_row, .source = rows_source, .self_size = sizeof(struct keyed_cursor)};

/* The rows with watermarks: times go up, so a watermark now and then says all; it stays `behind_ms` behind. */
static inline struct tw_stream *keyed_source(struct tw_env *env, const struct keyed_rows *rows, int64_t behind_ms)
{
    struct tw_stream *s = tw_source_function(env, "rows", &rows_by_key);

    tw_with_config(s, rows, sizeof *rows);
    return tw_with_watermarks(s, .kind = TW_WM_BOUNDED, .out_of_orderness_ms = behind_ms, .time_field = "time",
                              .every_rows = 8192);
}
