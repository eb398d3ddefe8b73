/* op_window_updates.c - SQL's GROUP BY k, TUMBLE(..) or HOP(..) with table.exec.emit: a window's row comes out before the window ends,
 * and is updated until it is over. Rows may be taken back.
 *
 * The window engine keeps an accumulator per key and window, and its trigger WINDOW_TRIGGER_EMIT says when a result is due. Behind
 * the words of the fold (group_fold.h) the accumulator has those with which the last result was made, and before them whether there
 * was one: so what is to be taken back is computed again, and nothing but words lies in state.
 *
 * A result that is as the last one is not told again. A window whose rows were all taken back is deleted. Calls that hold more than
 * words (DISTINCT, values that are kept) are refused, as are windows on local times of a zone other than UTC.
 *
 * Output: as window_groups. */
#include "flow/operator/group_fold.h"
#include "flow/operator/session_time.h"
#include "flow/operator/sql_window.h"

#include <string.h>

struct window_updates {
    struct group_fold fold;
    struct session_time time;
    struct window_engine *engine;
    struct op_cx *cx;
    uint32_t words;     /* of the fold; then one that says whether there was a result, then the words of that */
    struct batch *pair; /* the last result and the new one */
    uint16_t rows[2];   /* of the pair, that come out */
    uint32_t count, at; /* of rows; at < count: the firing at hand is not through */
};

static const struct config_field window_updates_config_fields[] = {
    GROUP_CALLS_FIELDS(offsetof(struct window_updates_config, windows.calls)),
    GROUP_CALLS_FIELD(offsetof(struct window_updates_config, windows.calls), retracts, CONF_BOOL,
                      "rows may be taken back"),
    GROUP_CALLS_FIELD(offsetof(struct window_updates_config, windows.calls), emit_before, CONF_BOOL,
                      "updates come with the row before"),
    {"time", CONF_TEXT, offsetof(struct window_updates_config, windows.time), "column with the rows' time"},
    {"kind", CONF_INT, offsetof(struct window_updates_config, windows.kind), "0 TUMBLE, 1 HOP"},
    {"size_ms", CONF_INT, offsetof(struct window_updates_config, windows.size_ms), "size, ms"},
    {"slide_ms", CONF_INT, offsetof(struct window_updates_config, windows.slide_ms), "slide of HOP, ms"},
    {"processing_time", CONF_BOOL, offsetof(struct window_updates_config, windows.processing_time),
     "windows end by processing time"},
    {"local_time", CONF_BOOL, offsetof(struct window_updates_config, windows.local_time),
     "window_time is a TIMESTAMP_LTZ"},
    {"zone", CONF_TEXT, offsetof(struct window_updates_config, windows.zone),
     "time zone in which windows of instants lie; empty: UTC"},
    {"bounds", CONF_TEXTS, offsetof(struct window_updates_config, windows.bounds),
     "names of the window's columns; empty: window_start, window_end, window_time"},
    CONFIG_FIELD(window_updates_config, early_ms, CONF_INT,
                 "ms between results before the end; 0: at every row, -1: none"),
    CONFIG_FIELD(window_updates_config, late_ms, CONF_INT,
                 "ms between results after the end; 0: at every row, -1: no delay is set"),
    CONFIG_FIELD(window_updates_config, lateness_ms, CONF_INT, "ms after its end for which a window takes rows"),
    CONFIG_LAST,
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static enum status window_updates_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct window_updates_config *c = config;
    const struct window_groups_config *w = &c->windows;
    struct group_call *calls;
    int col;

    TRY(session_time_column(p, w->time, w->processing_time, &col, e));
    TRY(group_calls_read(p->arena, p, &w->calls, &calls, e));
    if (w->size_ms <= 0 || w->kind > SQL_HOP || (w->kind == SQL_HOP && w->slide_ms <= 0) || c->lateness_ms < 0)
        return err_set(e, E_CONFIG, "windows of %lld ms every %lld ms", (long long)w->size_ms, (long long)w->slide_ms);
    if (group_calls_hold(calls, w->calls.functions.count))
        return err_set(e, E_UNSUPPORTED,
                       "early and late results of windows (table.exec.emit) are only there for aggregates without "
                       "DISTINCT that keep no values: COUNT, SUM, AVG, MIN and MAX of rows that are not taken back");
    p->outputs[0] = group_fold_row(p, &w->calls, calls, &w->bounds, w->local_time);
    p->output_count = 1;
    return S_OK;
}

static void window_updates_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs,
                                 uint64_t *const *inputs)
{
    const struct window_groups_config *w = &((const struct window_updates_config *)config)->windows;
    struct group_call *calls;
    int col;

    (void)outputs;
    if (session_time_column(p, w->time, w->processing_time, &col, NULL) != S_OK ||
        group_calls_read(p->arena, p, &w->calls, &calls, NULL) != S_OK)
        return;
    if (col >= 0) bit_set(inputs[0], (uint32_t)col);
    group_fold_needs(p, &w->calls, calls, inputs[0]);
}

/* --- firing -------------------------------------------------------------------------------------------------------- */
static enum status result_add(struct window_updates *s, const struct window_firing *f, void *acc, enum row_kind kind)
{
    uint32_t at = s->pair->count;

    s->fold.key_at = (uint16_t)f->at;
    TRY(s->fold.fold.result(&s->fold.fold, f->table, f->ns, &acc, f->keys, 1, f->window.start, f->window.end, s->pair));
    ASSERT(s->pair->count == at + 1);
    batch_use_kinds(s->pair);
    batch_use_times(s->pair);
    s->pair->kinds[at] = (uint8_t)kind;
    s->pair->times[at] = window_last(&f->window);
    return S_OK;
}

static bool is_same(const struct window_updates *s)
{
    for (uint32_t c = s->fold.key_count; c < s->pair->col_count; c++) {
        const struct vector *v = &s->pair->cols[c];
        if (v->form != VEC_ABSENT && vector_compare(v, 0, v, 1) != 0) return false;
    }
    return true;
}

/* What changes, into the pair; the accumulator knows it as told. */
static enum status changes_make(struct window_updates *s, const struct window_firing *f)
{
    const struct window_updates_config *c = s->cx->config;
    char *acc = f->acc, *last = acc + ((size_t)s->words + 1) * sizeof(int64_t);
    int64_t *had_result = state_word(acc, s->words * 8u);
    bool had = *had_result != 0, is_gone = s->fold.retracts && *state_word(acc, 0) <= 0;

    batch_clear(s->pair);
    s->count = s->at = 0;
    if (had) TRY(result_add(s, f, last, is_gone ? ROW_DELETE : ROW_UPDATE_BEFORE));
    if (!is_gone) TRY(result_add(s, f, acc, had ? ROW_UPDATE_AFTER : ROW_INSERT));
    *had_result = !is_gone;
    memcpy(last, acc, s->words * sizeof(int64_t));
    if (had && !is_gone && is_same(s)) return S_OK;
    for (uint32_t i = 0; i < s->pair->count; i++)
        if (s->pair->kinds[i] != ROW_UPDATE_BEFORE || c->windows.calls.emit_before) s->rows[s->count++] = (uint16_t)i;
    return S_OK;
}

static enum status fire(void *arg, const struct window_firing *f)
{
    struct window_updates *s = arg;

    if (s->at == s->count) TRY(changes_make(s, f));
    for (; s->at < s->count; s->at++) {
        if (op_room(s->cx, 0) == 0) return S_MORE;
        batch_append(op_out(s->cx, 0), s->pair, &s->rows[s->at], 1);
    }
    return S_OK;
}

/* --- hooks ----------------------------------------------------------------------------------------------------------- */
static struct window_config windows_of(const struct window_updates_config *c, bool all)
{
    const struct window_groups_config *w = &c->windows;

    return (struct window_config){.assigner = w->kind == SQL_HOP ? TW_SLIDING : TW_TUMBLING,
                                  .size_ms = w->size_ms,
                                  .slide_ms = w->slide_ms,
                                  .lateness_ms = c->lateness_ms,
                                  .processing_time = w->processing_time,
                                  .trigger = WINDOW_TRIGGER_EMIT,
                                  .trigger_early_ms = c->early_ms,
                                  .trigger_late_ms = c->late_ms,
                                  .all = all};
}

static enum status window_updates_open(struct op_cx *cx, void *self)
{
    const struct window_updates_config *c = cx->config;
    const struct window_groups_config *w = &c->windows;
    struct window_updates *s = self;

    s->cx = cx;
    TRY(session_time_open(&s->time, cx, w->time, 1, w->processing_time, w->zone));
    if (s->time.zone.shifts)
        return err_set(cx->err, E_UNSUPPORTED,
                       "early and late results (table.exec.emit) of windows in the time zone %s; they are there "
                       "for windows of TIMESTAMP, and in UTC",
                       w->zone);
    s->time.window = windows_of(c, cx->plan->key_count[0] == 0);
    TRY(group_fold_open(&s->fold, cx, &w->calls, false));
    s->words = s->fold.fold.acc->child_count;
    s->fold.fold.acc = group_words_row(cx->plan->arena, 2 * s->words + 1);
    s->pair = batch_create_needed(cx->plan->outputs[0], cx->needed_out != NULL ? cx->needed_out[0] : NULL, 2, cx->mem);
    struct window_plan plan = {
        .config = &s->time.window, .fold = &s->fold.fold, .late_port = {WINDOW_NO_PORT}, .arg = s, .fire = fire};
    return window_engine_create(cx, &plan, &s->engine);
}

static enum status window_updates_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct window_updates *s = self;

    TRY(session_time_read(&s->time, cx, in));
    TRY(window_engine_on_batch(s->engine, input, &s->time.view));
    s->time.is_read = false;
    return S_OK;
}

static enum status window_updates_on_watermark(struct op_cx *cx, void *self, int64_t watermark)
{
    struct window_updates *s = self;

    (void)cx;
    return window_engine_on_watermark(s->engine, watermark);
}

static enum status window_updates_on_time(struct op_cx *cx, void *self, int64_t now_ms)
{
    struct window_updates *s = self;

    (void)cx;
    return window_engine_on_time(s->engine, now_ms);
}

static void window_updates_close(struct op_cx *cx, void *self, bool failed)
{
    struct window_updates *s = self;

    (void)failed;
    window_engine_free(s->engine);
    batch_free(s->pair);
    group_fold_close(&s->fold, cx);
}

const struct op_type op_window_updates = {
    .name = "window_updates",
    .doc = "SQL: aggregates per group and window, before the window ends and as they change",
    .example = "SELECT bidder, COUNT(*) FROM bids GROUP BY bidder, TUMBLE(ts, INTERVAL '1' HOUR) -- "
               "table.exec.emit.early-fire.enabled",
    .flags = OP_SELECTION | OP_FORMS | OP_STATE,
    .input_count = 1,
    .config_size = sizeof(struct window_updates_config),
    .config_fields = window_updates_config_fields,
    .instance_size = sizeof(struct window_updates),
    .derive = window_updates_derive,
    .needs = window_updates_needs,
    .open = window_updates_open,
    .on_batch = window_updates_on_batch,
    .on_watermark = window_updates_on_watermark,
    .on_time = window_updates_on_time,
    .close = window_updates_close,
};
