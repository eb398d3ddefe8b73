/* op_window_groups.c - SQL's GROUP BY of windows: one row per key and window, once, when time passes the window's end. Rows may be
 * taken back until then. A row is late when the last window that holds it has ended: it is dropped and counted.
 *
 * The slice engine (window_slices.h) does the work: rows go into slices, windows that overlap are put together from them; the fold is
 * that of group_fold.h. Calls that cannot be merged need rows that come once per window (op_window_tvf.c), and `end` says which; so
 * do windows of windows.
 *
 * In batch mode rows that do not fit memory wait for others to end (rows_by_time.h).
 *
 * Output: the key columns, the results, window_start, window_end, window_time; the row's event time is end - 1. */
#include "flow/operator/group_fold.h"
#include "flow/operator/rows_by_time.h"
#include "flow/operator/sql_window.h"

struct window_groups {
    struct group_fold fold;
    struct slices *slices;
    struct window_zone zone;
    struct rows_by_time beyond;
    struct rows_by_time_user user;
};

const struct config_field window_groups_config_fields[] = {
    GROUP_CALLS_FIELDS(offsetof(struct window_groups_config, calls)),
    GROUP_CALLS_FIELD(offsetof(struct window_groups_config, calls), retracts, CONF_BOOL, "rows may be taken back"),
    CONFIG_FIELD(window_groups_config, time, CONF_TEXT, "column with the rows' time; empty: end, or processing time"),
    CONFIG_FIELD(window_groups_config, end, CONF_TEXT, "column with the end of a row's window; empty: none"),
    CONFIG_FIELD(window_groups_config, kind, CONF_INT, "0 TUMBLE, 1 HOP, 2 CUMULATE"),
    CONFIG_FIELD(window_groups_config, size_ms, CONF_INT, "size, ms; of CUMULATE the greatest"),
    CONFIG_FIELD(window_groups_config, slide_ms, CONF_INT, "slide of HOP, step of CUMULATE, ms"),
    CONFIG_FIELD(window_groups_config, offset_ms, CONF_INT, "offset of the windows, ms"),
    CONFIG_FIELD(window_groups_config, processing_time, CONF_BOOL, "windows end by processing time"),
    CONFIG_FIELD(window_groups_config, local_time, CONF_BOOL, "window_time is a TIMESTAMP_LTZ"),
    CONFIG_FIELD(window_groups_config, zone, CONF_TEXT, "time zone in which windows of instants lie; empty: UTC"),
    CONFIG_FIELD(window_groups_config, bounds, CONF_TEXTS, "names of the window's columns; empty: window_start, window_end, window_time"),
    SPILL_FIELDS(offsetof(struct window_groups_config, spill)),
    CONFIG_LAST,
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static bool is_given(const char *name) { return name != NULL && name[0] != '\0'; }

/* The column that decides windows; SLICES_BY_EVENT: there is none. */
static enum status by_column(const struct op_plan *p, const struct window_groups_config *c, enum slices_by *by, uint32_t *col,
                             struct err *e)
{
    *by = is_given(c->end) ? SLICES_BY_END : is_given(c->time) ? SLICES_BY_TIME : SLICES_BY_EVENT;
    *col = 0;
    if (*by == SLICES_BY_EVENT)
        return c->processing_time ? S_OK : err_set(e, E_CONFIG, "windows of event time need a column with it");
    const char *name = *by == SLICES_BY_END ? c->end : c->time;
    int at = op_plan_field(p, 0, name, e);
    if (at < 0) return E_GRAPH;
    *col = (uint32_t)at;
    const struct type *t = p->inputs[0]->children[at];
    if (t->kind == T_BIGINT || ((t->kind == T_TIMESTAMP || t->kind == T_TIMESTAMP_LTZ) && t->precision <= 3)) return S_OK;
    return err_set(e, E_GRAPH, "'%s' is no time in ms", name);
}

static bool overlaps(const struct window_groups_config *c)
{
    return !is_given(c->end) && c->kind != SQL_TUMBLE && c->slide_ms != c->size_ms;
}

static enum status config_check(const struct window_groups_config *c, const struct group_call *calls, struct err *e)
{
    bool slides = c->kind != SQL_TUMBLE;

    if (c->size_ms <= 0 || (slides && c->slide_ms <= 0) || (c->kind == SQL_CUMULATE && c->size_ms % c->slide_ms != 0))
        return err_set(e, E_CONFIG, "windows of %lld ms every %lld ms", (long long)c->size_ms, (long long)c->slide_ms);
    if (!overlaps(c) || group_fold_merges(calls, c->calls.functions.count)) return S_OK;
    return err_set(e, E_CONFIG, "aggregates that cannot be merged need rows that come once per window");
}

static enum status window_groups_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct window_groups_config *c = config;
    struct group_call *calls;
    enum slices_by by;
    uint32_t col;

    TRY(by_column(p, c, &by, &col, e));
    TRY(group_calls_read(p->arena, p, &c->calls, &calls, e));
    TRY(config_check(c, calls, e));
    p->outputs[0] = group_fold_row(p, &c->calls, calls, &c->bounds, c->local_time);
    p->output_count = 1;
    return S_OK;
}

static void window_groups_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs, uint64_t *const *inputs)
{
    const struct window_groups_config *c = config;
    struct group_call *calls;
    enum slices_by by;
    uint32_t col;

    (void)outputs;
    if (by_column(p, c, &by, &col, NULL) != S_OK || group_calls_read(p->arena, p, &c->calls, &calls, NULL) != S_OK) return;
    if (by != SLICES_BY_EVENT) bit_set(inputs[0], col);
    group_fold_needs(p, &c->calls, calls, inputs[0]);
}

/* --- hooks ----------------------------------------------------------------------------------------------------------- */
static enum status rows_take(void *self, struct batch *in) { return slices_on_batch(((struct window_groups *)self)->slices, in); }

static enum status time_pass(void *self, int64_t passed) { return slices_on_watermark(((struct window_groups *)self)->slices, passed); }

static enum status window_groups_open(struct op_cx *cx, void *self)
{
    const struct window_groups_config *c = cx->config;
    struct window_groups *s = self;
    struct slices_plan plan = {.size_ms = c->size_ms,
                               .slide_ms = c->kind == SQL_TUMBLE ? c->size_ms : c->slide_ms,
                               .offset_ms = c->offset_ms,
                               .processing_time = c->processing_time,
                               .cumulates = c->kind == SQL_CUMULATE,
                               .late_port = OP_PORTS_MAX};

    TRY(by_column(cx->plan, c, &plan.by, &plan.col, cx->err));
    TRY(window_zone_open(&s->zone, c->zone, cx->err));
    if (s->zone.shifts) plan.zone = s->fold.zone = &s->zone;
    TRY(group_fold_open(&s->fold, cx, &c->calls, overlaps(c)));
    TRY(slices_create(cx, &plan, &s->fold.fold, &s->slices));
    s->fold.slices = s->slices;
    s->user = (struct rows_by_time_user){s, rows_take, time_pass};
    rows_by_time_init(&s->beyond, cx, &c->spill, plan.by == SLICES_BY_TIME ? (int)plan.col : -1);
    return S_OK;
}

static enum status window_groups_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct window_groups *s = self;

    (void)cx;
    ASSERT(input == 0);
    return rows_by_time_add(&s->beyond, &s->user, in);
}

static enum status window_groups_on_watermark(struct op_cx *cx, void *self, int64_t watermark)
{
    struct window_groups *s = self;

    (void)cx;
    return rows_by_time_pass(&s->beyond, &s->user, watermark);
}

static enum status window_groups_on_time(struct op_cx *cx, void *self, int64_t now_ms)
{
    struct window_groups *s = self;

    (void)cx;
    return slices_on_time(s->slices, now_ms);
}

static enum status window_groups_on_barrier(struct op_cx *cx, void *self, int64_t checkpoint)
{
    struct window_groups *s = self;

    (void)cx, (void)checkpoint;
    return slices_on_barrier(s->slices);
}

static void window_groups_close(struct op_cx *cx, void *self, bool failed)
{
    struct window_groups *s = self;

    (void)failed;
    rows_by_time_release(&s->beyond);
    slices_free(s->slices);
    group_fold_close(&s->fold, cx);
}

const struct op_type op_window_groups = {
    .name = "window_groups",
    .doc = "SQL: aggregates per group and window, when the window ends",
    .example = "SELECT window_start, window_end, COUNT(*) FROM windowed GROUP BY window_start, window_end",
    .flags = OP_SELECTION | OP_FORMS | OP_STATE,
    .input_count = 1,
    .config_size = sizeof(struct window_groups_config),
    .config_fields = window_groups_config_fields,
    .instance_size = sizeof(struct window_groups),
    .derive = window_groups_derive,
    .needs = window_groups_needs,
    .open = window_groups_open,
    .on_batch = window_groups_on_batch,
    .on_watermark = window_groups_on_watermark,
    .on_time = window_groups_on_time,
    .on_barrier = window_groups_on_barrier,
    .close = window_groups_close,
};
