/* op_window_updates.c - SQL's GROUP BY k, TUMBLE(..) or HOP(..) with table.exec.emit: a window's row comes out before the window ends,
 * and is updated until it is over. Rows may be taken back.
 *
 * The window engine keeps an accumulator per key and window, and its trigger WINDOW_TRIGGER_EMIT says when a result is due. Behind
 * the words of the fold (group_fold.h) the accumulator has those with which the last result was made, and before them whether there
 * was one: so what is to be taken back is computed again. Only results of values that are kept (LISTAGG, MAX of rows that are taken
 * back ..) cannot be computed again; the last ones lie behind these words, a field each. The values themselves, and those of DISTINCT
 * arguments, lie in tables of their own under the names of the engine's windows.
 *
 * A result that is as the last one is not told again. A window whose rows were all taken back is deleted. Windows of instants lie on
 * the local times of the session's zone: the rows' times are made local ones, and the engine asks when a local time has passed.
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
    uint32_t words;     /* of the fold; then one that says whether there was a result, then the words of that, then fields */
    const struct group_call *calls;
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
    s->fold.item = f->item;
    TRY(s->fold.fold.result(&s->fold.fold, f->table, f->ns, &acc, f->keys, 1, f->window.start, f->window.end, s->pair));
    ASSERT(s->pair->count == at + 1);
    batch_use_kinds(s->pair);
    batch_use_times(s->pair);
    s->pair->kinds[at] = (uint8_t)kind;
    s->pair->times[at] = window_zone_instant(&s->time.zone, window_last(&f->window));
    return S_OK;
}

/* The last result. What is kept tells of now, so its column comes from state. */
static enum status last_add(struct window_updates *s, const struct window_firing *f, enum row_kind kind)
{
    const void *rows[] = {f->acc};
    uint32_t at = s->pair->count, field = 2 * s->words + 1;

    s->fold.leaves_kept = true;
    enum status st = result_add(s, f, (char *)f->acc + ((size_t)s->words + 1) * sizeof(int64_t), kind);
    s->fold.leaves_kept = false;
    TRY(st);
    for (uint32_t c = 0; c < s->fold.call_count; c++) {
        struct vector *v = &s->pair->cols[s->fold.key_count + c];
        if (s->calls[c].keep == NULL) continue;
        if (v->form != VEC_ABSENT) state_rows_load(f->table, rows, 1, field, v, at, &s->pair->heap, s->pair->mem);
        field++;
    }
    return S_OK;
}

/* The result in row `at` of the pair is what was told last. */
static void last_keep(struct window_updates *s, const struct window_firing *f, uint16_t at)
{
    char *acc = f->acc, *last = acc + ((size_t)s->words + 1) * sizeof(int64_t);
    void *rows[] = {acc};
    uint32_t field = 2 * s->words + 1;

    memcpy(last, acc, s->words * sizeof(int64_t));
    for (uint32_t c = 0; c < s->fold.call_count; c++) {
        const struct vector *v = &s->pair->cols[s->fold.key_count + c];
        if (s->calls[c].keep == NULL) continue;
        if (v->form != VEC_ABSENT) state_rows_store(f->table, f->ns, rows, 1, field, v, &at);
        field++;
    }
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
    int64_t *had_result = state_word(f->acc, s->words * 8u);
    bool had = *had_result != 0, is_gone = s->fold.retracts && *state_word(f->acc, 0) <= 0;

    batch_clear(s->pair);
    s->count = s->at = 0;
    if (had) TRY(last_add(s, f, is_gone ? ROW_DELETE : ROW_UPDATE_BEFORE));
    if (!is_gone) TRY(result_add(s, f, f->acc, had ? ROW_UPDATE_AFTER : ROW_INSERT));
    *had_result = !is_gone;
    if (had && !is_gone && is_same(s)) return S_OK;
    if (!is_gone) last_keep(s, f, (uint16_t)(s->pair->count - 1));
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

/* The accumulator: the words twice, and the last results of values that are kept. */
static const struct type *acc_row(const struct window_updates *s, const struct op_plan *p)
{
    uint32_t n = 2 * s->words + 1, count = s->fold.call_count;
    const struct type *words = group_words_row(p->arena, n);
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, n + count);
    const char **names = ARENA_ARRAY(p->arena, const char *, n + count);

    memcpy(types, words->children, n * sizeof *types);
    memcpy(names, words->names, n * sizeof *names);
    for (uint32_t c = 0; c < count; c++) {
        if (s->calls[c].keep == NULL) continue;
        types[n] = type_with_null(p->arena, s->calls[c].agg.result, true);
        names[n++] = arena_printf(p->arena, "last%u", c);
    }
    return type_row(p->arena, n, names, types, false);
}

static enum status window_updates_open(struct op_cx *cx, void *self)
{
    const struct window_updates_config *c = cx->config;
    const struct window_groups_config *w = &c->windows;
    struct window_updates *s = self;

    s->cx = cx;
    TRY(session_time_open(&s->time, cx, w->time, 1, w->processing_time, w->zone));
    s->time.is_local = true;
    s->time.window = windows_of(c, cx->plan->key_count[0] == 0);
    s->fold.names = window_key_type(cx->plan, &s->time.window);
    if (s->time.zone.shifts) s->fold.zone = &s->time.zone;
    TRY(group_fold_open(&s->fold, cx, &w->calls, false));
    s->calls = s->fold.sets[0];
    s->words = s->fold.fold.acc->child_count;
    s->fold.fold.acc = acc_row(s, cx->plan);
    s->pair = batch_create_needed(cx->plan->outputs[0], cx->needed_out != NULL ? cx->needed_out[0] : NULL, 2, cx->mem);
    struct window_plan plan = {
        .config = &s->time.window, .fold = &s->fold.fold, .zone = s->fold.zone, .late_port = {WINDOW_NO_PORT}, .arg = s, .fire = fire};
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

static enum status window_updates_on_barrier(struct op_cx *cx, void *self, int64_t checkpoint)
{
    struct window_updates *s = self;

    (void)cx, (void)checkpoint;
    return window_engine_on_barrier(s->engine);
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
    .on_barrier = window_updates_on_barrier,
    .close = window_updates_close,
};
