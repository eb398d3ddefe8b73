/* op_session_tvf.c - SQL's SESSION as a table function: rows wait until time passes the end of their session, then come with
 * window_start, window_end and window_time behind their columns, in order of arrival. The stream's key says whose sessions they are.
 * A row whose session is over already is dropped and counted.
 *
 * The window engine keeps the rows, those columns of them that somebody reads. Rows may be added only, not taken back. */
#include "flow/operator/rows_by_time.h"
#include "flow/operator/session_time.h"
#include "flow/operator/sql_window.h"

#include <string.h>

struct session_tvf {
    struct session_time time;
    struct window_engine *engine;
    struct op_cx *cx;
    struct rows_by_time beyond; /* in batch mode */
    struct rows_by_time_user user;
    const struct batch *rows; /* of the session that comes out; NULL: none at hand */
    uint32_t at;              /* selected row of them */
};

static const struct config_field session_tvf_config_fields[] = {
    CONFIG_FIELD(session_tvf_config, time, CONF_TEXT, "column with the rows' time"),
    CONFIG_FIELD(session_tvf_config, gap_ms, CONF_INT, "ms without rows that end a session"),
    CONFIG_FIELD(session_tvf_config, processing_time, CONF_BOOL, "sessions of processing time"),
    CONFIG_FIELD(session_tvf_config, zone, CONF_TEXT, "time zone of the bounds of sessions of instants; empty: UTC"),
    CONFIG_FIELD(session_tvf_config, bounds, CONF_TEXTS, "names of the window's columns; empty: window_start, window_end, window_time"),
    SPILL_FIELDS(offsetof(struct session_tvf_config, spill)),
    CONFIG_LAST,
};

static enum status session_tvf_derive(struct op_plan *p, const void *config, struct err *e)
{
    static const char *const added[] = {"window_start", "window_end", "window_time"};
    const struct session_tvf_config *c = config;
    const struct type *in = p->inputs[0];
    uint32_t n = in->child_count;
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, n + 3);
    const char **names = ARENA_ARRAY(p->arena, const char *, n + 3);
    int col;

    TRY(session_time_column(p, c->time, false, &col, e));
    if (c->gap_ms <= 0) return err_set(e, E_CONFIG, "sessions with a gap of %lld ms", (long long)c->gap_ms);
    memcpy(types, in->children, sizeof *types * n);
    memcpy(names, in->names, sizeof *names * n);
    memcpy(names + n, c->bounds.count == COUNT_OF(added) ? c->bounds.items : added, sizeof added);
    types[n] = types[n + 1] = type_new(p->arena, T_TIMESTAMP, 3, 0, false);
    types[n + 2] = type_new(p->arena, in->children[col]->kind == T_TIMESTAMP_LTZ ? T_TIMESTAMP_LTZ : T_TIMESTAMP, 3, 0,
                            false);
    p->outputs[0] = type_row(p->arena, n + 3, names, types, false);
    p->output_count = 1;
    return S_OK;
}

static void session_tvf_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs,
                              uint64_t *const *inputs)
{
    const struct session_tvf_config *c = config;
    int col;

    for (uint32_t i = 0; i < p->inputs[0]->child_count; i++)
        if (bit_get(outputs[0], i)) bit_set(inputs[0], i);
    for (uint32_t i = 0; i < p->key_count[0]; i++) bit_set(inputs[0], p->keys[0][i]);
    if (session_time_column(p, c->time, c->processing_time, &col, NULL) == S_OK && col >= 0)
        bit_set(inputs[0], (uint32_t)col);
}

/* n rows from s->at on, with their window. */
static void put(struct session_tvf *s, struct batch *out, uint32_t n, const struct tw_window *w)
{
    const int64_t bounds[] = {window_zone_local(&s->time.zone, w->start), window_zone_local(&s->time.zone, w->end), w->end - 1};
    uint32_t first = out->count, cols = s->rows->col_count;
    uint16_t rows[BATCH_ROWS];

    for (uint32_t i = 0; i < n; i++) rows[i] = (uint16_t)batch_row(s->rows, s->at + i);
    for (uint32_t c = 0; c < cols; c++)
        if (out->cols[c].form != VEC_ABSENT && s->rows->cols[c].form != VEC_ABSENT)
            vector_copy(&out->cols[c], first, &s->rows->cols[c], rows, n, &out->heap, out->mem);
    for (uint32_t k = 0; k < COUNT_OF(bounds); k++) {
        struct vector *v = &out->cols[cols + k];
        for (uint32_t i = 0; v->form == VEC_FLAT && i < n; i++) VECTOR_VALUES(v, int64_t)[first + i] = bounds[k];
    }
    out->count += n;
    batch_use_times(out);
    for (uint32_t i = 0; i < n; i++) out->times[first + i] = w->end - 1;
}

static enum status fire(void *arg, const struct window_firing *f)
{
    struct session_tvf *s = arg;
    struct batch *out = op_out(s->cx, 0);

    for (;;) {
        if (s->rows == NULL) TRY(window_rows_next(f->rows[0], &s->rows));
        if (s->rows == NULL) return S_OK;
        uint32_t n = MIN(op_room(s->cx, 0), batch_rows(s->rows) - s->at);
        put(s, out, n, &f->window);
        s->at += n;
        if (s->at < batch_rows(s->rows)) return S_MORE;
        s->rows = NULL;
        s->at = 0;
    }
}

/* Columns that go out. */
static const uint64_t *kept_columns(struct op_cx *cx)
{
    uint32_t n = cx->plan->inputs[0]->child_count;
    uint64_t *kept = arena_zalloc(cx->plan->arena, (n + 63) / 64 * sizeof *kept);
    const uint64_t *needed = cx->needed_out != NULL ? cx->needed_out[0] : NULL;

    for (uint32_t i = 0; i < n; i++)
        if (needed == NULL || bit_get(needed, i)) bit_set(kept, i);
    return kept;
}

static enum status rows_take(void *self, struct batch *in)
{
    struct session_tvf *s = self;

    TRY(session_time_read(&s->time, s->cx, in));
    TRY(window_engine_on_batch(s->engine, 0, &s->time.view));
    s->time.is_read = false;
    return S_OK;
}

static enum status time_pass(void *self, int64_t passed) { return window_engine_on_watermark(((struct session_tvf *)self)->engine, passed); }

static enum status session_tvf_open(struct op_cx *cx, void *self)
{
    const struct session_tvf_config *c = cx->config;
    struct session_tvf *s = self;

    s->cx = cx;
    TRY(session_time_open(&s->time, cx, c->time, c->gap_ms, c->processing_time, c->zone));
    s->user = (struct rows_by_time_user){s, rows_take, time_pass};
    rows_by_time_init(&s->beyond, cx, &c->spill, s->time.col);
    struct window_plan plan = {
        .config = &s->time.window, .kept = {kept_columns(cx)}, .late_port = {WINDOW_NO_PORT}, .arg = s, .fire = fire};
    return window_engine_create(cx, &plan, &s->engine);
}

static enum status session_tvf_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct session_tvf *s = self;

    (void)cx;
    ASSERT(input == 0);
    return rows_by_time_add(&s->beyond, &s->user, in);
}

static enum status session_tvf_on_watermark(struct op_cx *cx, void *self, int64_t watermark)
{
    struct session_tvf *s = self;

    (void)cx;
    return rows_by_time_pass(&s->beyond, &s->user, watermark);
}

static enum status session_tvf_on_time(struct op_cx *cx, void *self, int64_t now_ms)
{
    struct session_tvf *s = self;

    (void)cx;
    return window_engine_on_time(s->engine, now_ms);
}

static enum status session_tvf_on_barrier(struct op_cx *cx, void *self, int64_t checkpoint)
{
    struct session_tvf *s = self;

    (void)cx, (void)checkpoint;
    return window_engine_on_barrier(s->engine);
}

static void session_tvf_close(struct op_cx *cx, void *self, bool failed)
{
    struct session_tvf *s = self;

    (void)cx, (void)failed;
    rows_by_time_release(&s->beyond);
    window_engine_free(s->engine);
}

const struct op_type op_session_tvf = {
    .name = "session_tvf",
    .doc = "SQL: rows once their session is over, with its bounds as columns",
    .example = "SELECT * FROM TABLE(SESSION(TABLE bids PARTITION BY bidder, DESCRIPTOR(ts), INTERVAL '10' SECONDS))",
    .flags = OP_SELECTION | OP_FORMS | OP_STATE,
    .input_count = 1,
    .config_size = sizeof(struct session_tvf_config),
    .config_fields = session_tvf_config_fields,
    .instance_size = sizeof(struct session_tvf),
    .derive = session_tvf_derive,
    .needs = session_tvf_needs,
    .open = session_tvf_open,
    .on_batch = session_tvf_on_batch,
    .on_watermark = session_tvf_on_watermark,
    .on_time = session_tvf_on_time,
    .on_barrier = session_tvf_on_barrier,
    .close = session_tvf_close,
};
