/* op_session_groups.c - SQL's GROUP BY of sessions: one row per key and session, once, when time passes its end. The window engine says
 * which rows are of one session; the fold is that of group_fold.h. Calls that hold more than words (DISTINCT, values that are kept)
 * take another way: session_tvf, and window_groups of its rows.
 *
 * Output: the key columns, the results, window_start, window_end, window_time; the row's event time is end - 1. A row whose session is
 * over is dropped and counted. */
#include "flow/operator/group_fold.h"
#include "flow/operator/rows_by_time.h"
#include "flow/operator/session_time.h"
#include "flow/operator/sql_window.h"

struct session_groups {
    struct group_fold fold;
    struct session_time time;
    struct window_engine *engine;
    struct op_cx *cx;
    struct rows_by_time beyond; /* in batch mode */
    struct rows_by_time_user user;
};

static const struct config_field session_groups_config_fields[] = {
    GROUP_CALLS_FIELDS(offsetof(struct session_groups_config, calls)),
    GROUP_CALLS_FIELD(offsetof(struct session_groups_config, calls), retracts, CONF_BOOL, "rows may be taken back"),
    CONFIG_FIELD(session_groups_config, time, CONF_TEXT, "column with the rows' time"),
    CONFIG_FIELD(session_groups_config, gap_ms, CONF_INT, "ms without rows that end a session"),
    CONFIG_FIELD(session_groups_config, processing_time, CONF_BOOL, "sessions of processing time"),
    CONFIG_FIELD(session_groups_config, local_time, CONF_BOOL, "window_time is a TIMESTAMP_LTZ"),
    CONFIG_FIELD(session_groups_config, zone, CONF_TEXT, "time zone in which windows of instants lie; empty: UTC"),
    CONFIG_FIELD(session_groups_config, bounds, CONF_TEXTS, "names of the window's columns; empty: window_start, window_end, window_time"),
    SPILL_FIELDS(offsetof(struct session_groups_config, spill)),
    CONFIG_LAST,
};

static enum status session_groups_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct session_groups_config *c = config;
    uint32_t count = c->calls.functions.count;
    struct group_call *calls;
    int col;

    TRY(session_time_column(p, c->time, c->processing_time, &col, e));
    TRY(group_calls_read(p->arena, p, &c->calls, &calls, e));
    if (c->gap_ms <= 0) return err_set(e, E_CONFIG, "sessions with a gap of %lld ms", (long long)c->gap_ms);
    if (!group_fold_merges(calls, count) || group_calls_hold(calls, count))
        return err_set(e, E_CONFIG, "aggregates that cannot be merged need rows whose sessions are known");
    p->outputs[0] = group_fold_row(p, &c->calls, calls, &c->bounds, c->local_time);
    p->output_count = 1;
    return S_OK;
}

static void session_groups_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs,
                                 uint64_t *const *inputs)
{
    const struct session_groups_config *c = config;
    struct group_call *calls;
    int col;

    (void)outputs;
    if (session_time_column(p, c->time, c->processing_time, &col, NULL) != S_OK ||
        group_calls_read(p->arena, p, &c->calls, &calls, NULL) != S_OK)
        return;
    if (col >= 0) bit_set(inputs[0], (uint32_t)col);
    group_fold_needs(p, &c->calls, calls, inputs[0]);
}

static enum status fire(void *arg, const struct window_firing *f)
{
    struct session_groups *s = arg;
    struct batch *out = op_out(s->cx, 0);
    uint32_t first = out->count;
    void *acc = f->acc;

    int64_t start = window_zone_local(&s->time.zone, f->window.start), end = window_zone_local(&s->time.zone, f->window.end);
    s->fold.key_at = (uint16_t)f->at;
    TRY(s->fold.fold.result(&s->fold.fold, f->table, f->ns, &acc, f->keys, 1, start, end, out));
    if (out->count == first) return S_OK;
    batch_use_times(out);
    out->times[first] = window_last(&f->window);
    return S_OK;
}

static enum status rows_take(void *self, struct batch *in)
{
    struct session_groups *s = self;

    TRY(session_time_read(&s->time, s->cx, in));
    TRY(window_engine_on_batch(s->engine, 0, &s->time.view));
    s->time.is_read = false;
    return S_OK;
}

static enum status time_pass(void *self, int64_t passed) { return window_engine_on_watermark(((struct session_groups *)self)->engine, passed); }

static enum status session_groups_open(struct op_cx *cx, void *self)
{
    const struct session_groups_config *c = cx->config;
    struct session_groups *s = self;

    s->cx = cx;
    TRY(session_time_open(&s->time, cx, c->time, c->gap_ms, c->processing_time, c->zone));
    TRY(group_fold_open(&s->fold, cx, &c->calls, true));
    if (s->time.zone.shifts) s->fold.zone = &s->time.zone;
    s->user = (struct rows_by_time_user){s, rows_take, time_pass};
    rows_by_time_init(&s->beyond, cx, &c->spill, s->time.col);
    struct window_plan plan = {
        .config = &s->time.window, .fold = &s->fold.fold, .late_port = {WINDOW_NO_PORT}, .arg = s, .fire = fire};
    return window_engine_create(cx, &plan, &s->engine);
}

static enum status session_groups_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct session_groups *s = self;

    (void)cx;
    ASSERT(input == 0);
    return rows_by_time_add(&s->beyond, &s->user, in);
}

static enum status session_groups_on_watermark(struct op_cx *cx, void *self, int64_t watermark)
{
    struct session_groups *s = self;

    (void)cx;
    return rows_by_time_pass(&s->beyond, &s->user, watermark);
}

static enum status session_groups_on_time(struct op_cx *cx, void *self, int64_t now_ms)
{
    struct session_groups *s = self;

    (void)cx;
    return window_engine_on_time(s->engine, now_ms);
}

static enum status session_groups_on_barrier(struct op_cx *cx, void *self, int64_t checkpoint)
{
    struct session_groups *s = self;

    (void)cx, (void)checkpoint;
    return window_engine_on_barrier(s->engine);
}

static void session_groups_close(struct op_cx *cx, void *self, bool failed)
{
    struct session_groups *s = self;

    (void)failed;
    rows_by_time_release(&s->beyond);
    window_engine_free(s->engine);
    group_fold_close(&s->fold, cx);
}

const struct op_type op_session_groups = {
    .name = "session_groups",
    .doc = "SQL: aggregates per group and session, when the session is over",
    .example = "SELECT window_start, bidder, COUNT(*) FROM sessions GROUP BY window_start, window_end, bidder",
    .flags = OP_SELECTION | OP_FORMS | OP_STATE,
    .input_count = 1,
    .config_size = sizeof(struct session_groups_config),
    .config_fields = session_groups_config_fields,
    .instance_size = sizeof(struct session_groups),
    .derive = session_groups_derive,
    .needs = session_groups_needs,
    .open = session_groups_open,
    .on_batch = session_groups_on_batch,
    .on_watermark = session_groups_on_watermark,
    .on_time = session_groups_on_time,
    .on_barrier = session_groups_on_barrier,
    .close = session_groups_close,
};
