/* op_window_tvf.c - SQL's TUMBLE, HOP and CUMULATE as table functions: each row once per window that its time lies in, with
 * window_start, window_end and window_time behind its columns. Kinds of changes stay as they are; nothing is kept.
 *
 * Rows are taken until the output is full; the cursor is the row and the next of its windows. Late rows pass: who aggregates
 * or joins by windows drops them. A row whose time is NULL fails the job. */
#include "flow/operator/row_time.h"
#include "flow/operator/sql_window.h"
#include "flow/operator/window_zone.h"

#include <string.h>

struct window_tvf {
    int col;        /* of the time; -1: processing time */
    uint32_t at;    /* selected row at hand */
    bool is_within; /* `window` is the next one of it */
    struct tw_window window;
    int64_t now;
    struct window_zone zone;
    /* what goes out: rows of the input and their windows */
    uint16_t rows[BATCH_ROWS];
    int64_t times[BATCH_ROWS];
    struct tw_window windows[BATCH_ROWS];
};

const struct config_field window_tvf_config_fields[] = {
    CONFIG_FIELD(window_tvf_config, time_field, CONF_TEXT, "column with the rows' time"),
    CONFIG_FIELD(window_tvf_config, kind, CONF_INT, "0 TUMBLE, 1 HOP, 2 CUMULATE"),
    CONFIG_FIELD(window_tvf_config, size_ms, CONF_INT, "size, ms; of CUMULATE the greatest"),
    CONFIG_FIELD(window_tvf_config, slide_ms, CONF_INT, "slide of HOP, step of CUMULATE, ms"),
    CONFIG_FIELD(window_tvf_config, offset_ms, CONF_INT, "offset of the windows, ms"),
    CONFIG_FIELD(window_tvf_config, processing_time, CONF_BOOL, "windows of processing time"),
    CONFIG_FIELD(window_tvf_config, zone, CONF_TEXT, "time zone in which windows of instants lie; empty: UTC"),
    CONFIG_FIELD(window_tvf_config, bounds, CONF_TEXTS, "names of the window's columns; empty: window_start, window_end, window_time"),
    CONFIG_LAST,
};

static enum status window_tvf_derive(struct op_plan *p, const void *config, struct err *e)
{
    static const char *const added[] = {"window_start", "window_end", "window_time"};
    const struct window_tvf_config *c = config;
    const struct type *in = p->inputs[0];
    uint32_t n = in->child_count;
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, n + 3);
    const char **names = ARENA_ARRAY(p->arena, const char *, n + 3);
    int col = op_plan_field(p, 0, c->time_field, e);

    if (col < 0) return E_GRAPH;
    const struct type *time = in->children[col];
    if ((time->kind != T_TIMESTAMP && time->kind != T_TIMESTAMP_LTZ) || time->precision > 3)
        return err_set(e, E_GRAPH, "'%s' is no timestamp of at most 3 digits", c->time_field);
    if (c->size_ms <= 0 || (c->kind != SQL_TUMBLE && c->slide_ms <= 0) ||
        (c->kind == SQL_CUMULATE && c->size_ms % c->slide_ms != 0))
        return err_set(e, E_CONFIG, "windows of %lld ms every %lld ms", (long long)c->size_ms, (long long)c->slide_ms);
    memcpy(types, in->children, sizeof *types * n);
    memcpy(names, in->names, sizeof *names * n);
    memcpy(names + n, c->bounds.count == COUNT_OF(added) ? c->bounds.items : added, sizeof added);
    types[n] = types[n + 1] = type_new(p->arena, T_TIMESTAMP, 3, 0, false);
    types[n + 2] = type_new(p->arena, time->kind, 3, 0, false);
    p->outputs[0] = type_row(p->arena, n + 3, names, types, false);
    p->output_count = 1;
    return S_OK;
}

static void window_tvf_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs,
                             uint64_t *const *inputs)
{
    const struct window_tvf_config *c = config;
    int col = op_plan_field(p, 0, c->time_field, NULL);

    for (uint32_t i = 0; i < p->inputs[0]->child_count; i++)
        if (bit_get(outputs[0], i)) bit_set(inputs[0], i);
    if (col >= 0 && !c->processing_time) bit_set(inputs[0], (uint32_t)col);
}

static enum status window_tvf_open(struct op_cx *cx, void *self)
{
    struct window_tvf *s = self;
    const struct window_tvf_config *c = cx->config;

    s->col = c->processing_time ? -1 : op_plan_field(cx->plan, 0, c->time_field, cx->err);
    return window_zone_open(&s->zone, c->zone, cx->err);
}

static enum status time_of(struct op_cx *cx, const struct window_tvf *s, const struct batch *in, uint32_t row,
                           int64_t *time)
{
    *time = s->now;
    if (s->col < 0) return S_OK;
    const struct vector *v = &in->cols[s->col];
    if (vector_is_null(v, row))
        return row_time_missing(cx, in, row);
    *time = VECTOR_VALUES(vector_values(v), int64_t)[vector_at(v, row)];
    return S_OK;
}

/* Windows of the rows from s->at on, as many as have room; answers how many. */
static enum status take(struct op_cx *cx, struct window_tvf *s, const struct batch *in, uint32_t room, uint32_t *count)
{
    const struct window_tvf_config *c = cx->config;
    uint32_t n = 0, total = batch_rows(in);

    for (; s->at < total; s->at++, s->is_within = false) {
        uint32_t row = batch_row(in, s->at);
        int64_t time;
        TRY(time_of(cx, s, in, row, &time));
        int64_t local = window_zone_local(&s->zone, time);
        bool is_same = c->kind == SQL_TUMBLE && local >= s->window.start && local < s->window.end; /* as that of the row before */
        if (!s->is_within && !is_same) {
            TRY(window_range_check(cx, local, c->offset_ms, c->size_ms, c->kind == SQL_HOP ? c->slide_ms : c->size_ms));
            s->window = sql_window_first(c, local);
        }
        s->is_within = true;
        bool more = s->window.end > local; /* sliding windows may leave gaps */
        for (; more && n < room; n++, more = sql_window_next(c, local, &s->window)) {
            s->rows[n] = (uint16_t)row;
            s->times[n] = time;
            s->windows[n] = s->window;
        }
        if (more) break;
    }
    *count = n;
    return S_OK;
}

static void put_times(struct vector *v, uint32_t first, const struct window_tvf *s, uint32_t n, int which)
{
    if (v->form == VEC_ABSENT) return;
    int64_t *out = VECTOR_VALUES(v, int64_t) + first;
    for (uint32_t i = 0; i < n; i++)
        out[i] = which == 0 ? s->windows[i].start : which == 1 ? s->windows[i].end : window_zone_instant(&s->zone, s->windows[i].end - 1);
}

static void put(struct op_cx *cx, struct window_tvf *s, const struct batch *in, uint32_t n)
{
    struct batch *out = op_out(cx, 0);
    uint32_t first = out->count, cols = in->col_count;

    for (uint32_t c = 0; c < cols; c++)
        if (out->cols[c].form != VEC_ABSENT && in->cols[c].form != VEC_ABSENT)
            vector_copy(&out->cols[c], first, &in->cols[c], s->rows, n, &out->heap, out->mem);
    for (uint32_t k = 0; k < 3; k++) put_times(&out->cols[cols + k], first, s, n, (int)k);
    out->count += n;
    batch_use_times(out);
    memcpy(out->times + first, s->times, sizeof *out->times * n);
    if (in->kinds == NULL) return;
    batch_use_kinds(out);
    for (uint32_t i = 0; i < n; i++) out->kinds[first + i] = in->kinds[s->rows[i]];
}

static enum status window_tvf_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct window_tvf *s = self;
    uint32_t n;

    ASSERT(input == 0 && s->at <= batch_rows(in));
    if (s->at == 0 && !s->is_within && s->col < 0) s->now = sys_wall_ms(cx->sys);
    TRY(take(cx, s, in, MIN(op_room(cx, 0), (uint32_t)BATCH_ROWS), &n));
    put(cx, s, in, n);
    if (s->at < batch_rows(in)) return S_MORE;
    s->at = 0;
    return S_OK;
}

const struct op_type op_window_tvf = {
    .name = "window_tvf",
    .doc = "SQL: rows once per window that they lie in, with its bounds as columns",
    .example = "SELECT * FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' MINUTES))",
    .flags = OP_SELECTION | OP_FORMS,
    .input_count = 1,
    .config_size = sizeof(struct window_tvf_config),
    .config_fields = window_tvf_config_fields,
    .instance_size = sizeof(struct window_tvf),
    .derive = window_tvf_derive,
    .needs = window_tvf_needs,
    .open = window_tvf_open,
    .on_batch = window_tvf_on_batch,
};
