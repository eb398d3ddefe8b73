/* op_window.c - a user's aggregate, reduce or window function over any window, per key or (all) over the whole stream.
 *
 * Aggregates and reduces over plain tumbling and sliding windows run by slices (window_slices.h), all else in the general
 * engine (window_engine.h): an accumulator per window where there is one (or several, window_ring.c), rows where a window
 * function sees them all or an evictor looks at them. The folds of window_user.h call the user's code.
 *
 * Ports: 0 results, then the side outputs of the outermost function, last "late". */
#include "flow/operator/window_fields.h"
#include "flow/operator/window_user.h"

#include <thalweg/window.h>

#include <string.h>

struct window {
    struct tw_context cx;       /* first: what the user's callbacks see */
    struct window_part pre;     /* that of the function in front */
    struct window_user user;
    struct slices *slices;
    struct window_engine *engine;
    bool is_checked;            /* the input at hand, for NULL keys */
    bool through;               /* the windows are through with the input at hand; rows may still wait */
    struct state_def fold_def;
    struct state_table *fold;   /* one accumulator while an evictor's rows are folded */
    uint32_t cols[OP_KEYS_MAX + 2];
};

static bool is_fold(const struct window_config *c)
{
    const struct tw_function *first = window_user_first(c)->fn;

    return first != NULL && (first->add != NULL || first->reduce != NULL);
}

/* Can it run by slices? */
static bool is_sliced(const struct window_config *c)
{
    bool timed = c->assigner == TW_TUMBLING || c->assigner == TW_SLIDING;
    bool states = false;

    for (uint32_t i = 0; c->function.fn != NULL && i < TW_STATES_MAX; i++) states |= c->function.fn->states[i] != NULL;
    return timed && is_fold(c) && !states && c->trigger == TW_TRIGGER_DEFAULT && !c->trigger_purging && !c->all &&
           c->evictor == TW_NO_EVICTOR && c->stagger == TW_ALIGNED;
}

static enum status check(const struct op_plan *p, const struct window_config *c, struct err *e)
{
    const struct tw_function *first = window_user_first(c)->fn;
    bool merges = window_is_merging(c) || (c->assigner == TW_SLIDING && is_sliced(c));

    TRY(window_config_check(c, e));
    TRY(window_engine_derive(p, c, e));
    if (!c->all && p->key_count[0] == 0) {
        err_hint(e, "use tw_key_by before it");
        return err_set(e, E_GRAPH, "a window needs a keyed stream");
    }
    if (merges && is_fold(c) && first->reduce == NULL && first->merge == NULL)
        return err_set(e, E_GRAPH, "%s windows merge accumulators, but function '%s' has no .merge",
                       c->assigner == TW_SLIDING ? "sliding" : "session", window_user_first(c)->name);
    for (uint32_t i = 0; c->function.fn != NULL && i < TW_STATES_MAX; i++) {
        const struct tw_state *s = c->function.fn->states[i];
        if (s == NULL) continue;
        if (s->per_window && window_is_merging(c))
            return err_set(e, E_GRAPH, "state '%s' is per_window, but there is none where windows merge", s->name);
        if (!s->per_window && p->key_count[0] == 0)
            return err_set(e, E_GRAPH, "state '%s' belongs to a key, and the stream has none", s->name);
    }
    return S_OK;
}

static enum status window_derive(struct op_plan *p, const void *config, struct err *e)
{
    TRY(check(p, config, e));
    return window_user_derive(p, config, e);
}

static void window_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs,
                         uint64_t *const *inputs)
{
    const uint64_t *late = outputs[p->output_count - 1];

    user_row_needs(window_user_first(config)->fn->in, p->inputs[0], inputs[0]);
    window_engine_needs(p, config, 0, inputs[0]);
    for (uint32_t w = 0; late != NULL && w < (p->inputs[0]->child_count + 63) / 64; w++) inputs[0][w] |= late[w];
}

static bool window_blocks(const void *config)
{
    const struct window_config *c = config;

    return (c->function.fn != NULL && (c->function.fn->flags & TW_BLOCKING) != 0) ||
           (c->pre.fn != NULL && (c->pre.fn->flags & TW_BLOCKING) != 0) || window_engine_blocks(c);
}

/* Rows go to port 0 as the outermost function says; a reduce function alone emits rows of its input type. */
static enum status bind_outputs(struct tw_context *cx, const struct window_config *c)
{
    const struct tw_function *fn = c->function.fn;
    uint32_t port = 1;

    TRY(user_bind_out(cx, 0, fn->reduce != NULL && c->pre.fn == NULL ? fn->in : fn->out, 0));
    for (uint32_t i = 0; i < TW_SIDE_OUTPUTS_MAX; i++)
        if (fn->sides[i] != NULL) TRY(user_bind_out(cx, 1 + i, fn->sides[i], port++));
    return S_OK;
}

/* --- the general engine ----------------------------------------------------------------------------------------------- */
static enum status fire_window(struct window *w, const struct window_firing *f)
{
    if (w->user.ring_count > 0) return window_ring_fire(&w->user, f->acc, f->keys, f->at, &f->window);
    if (f->acc != NULL) return window_user_fire(&w->user, f->table, f->ns, f->acc, f->keys, f->at, &f->window);
    if (w->user.folds != NULL)
        return window_user_fire_rows(&w->user, w->fold, w->cols, f->rows[0], f->keys, f->at, &f->window);
    user_elements_rows(&w->user.elements, f->rows[0]->total, window_rows_next, f->rows[0]);
    enum status st = window_user_apply(&w->user, f->keys, f->at, &f->window);
    f->rows[0]->at = 0;
    return st;
}

static enum status window_fire(void *arg, const struct window_firing *f)
{
    struct window *w = arg;

    w->user.fold_cx->key.batch = NULL; /* a batch of keys that it saw before may hold others now */
    w->cx.begun = w->cx.states != NULL;
    enum status st = fire_window(w, f);
    w->cx.begun = false;
    return st;
}

/* Flink's ProcessWindowFunction.clear, then the states of the window. */
static enum status window_clear(void *arg, const struct window_firing *f)
{
    struct window *w = arg;
    enum status st = S_OK;

    if (w->user.apply == NULL) return S_OK;
    if (w->user.apply->clear != NULL) {
        w->cx.begun = w->cx.states != NULL;
        window_user_stand_at(&w->user, f->keys, f->at, &f->window);
        st = user_check(&w->cx, w->user.apply->clear(&w->cx, &f->window));
        w->cx.begun = false;
    }
    user_window_states_clear(&w->cx, f->at);
    return st;
}

static const uint64_t *kept_columns(struct op_cx *op, const struct window_config *c)
{
    uint64_t *kept = arena_zalloc(op->plan->arena, (op->plan->inputs[0]->child_count + 63) / 64 * sizeof *kept);

    user_row_needs(window_user_first(c)->fn->in, op->plan->inputs[0], kept);
    window_engine_kept(op->plan, c, 0, kept);
    return kept;
}

/* Rows of a count window go into a plain accumulator one by one: they need not be copied out of state. */
static bool reads_structs(const struct window *w, const struct window_config *c)
{
    return w->user.folds != NULL && w->user.is_plain && c->evictor == TW_EVICT_COUNT && !c->evictor_after;
}

static enum status open_engine(struct op_cx *op, struct window *w)
{
    const struct window_config *c = op->config;
    bool rows = w->user.folds == NULL || (c->evictor != TW_NO_EVICTOR && w->user.ring_count == 0);
    struct window_plan plan = {.config = c,
                               .fold = rows ? NULL : &w->user.fold,
                               .kept = {rows ? kept_columns(op, c) : NULL},
                               .no_times = w->user.folds != NULL && c->evictor == TW_EVICT_COUNT && !window_is_merging(c),
                               .as_struct = reads_structs(w, c) ? &w->user.fold_cx->in[0].row.conv : NULL,
                               .late_port = {op->plan->output_count - 1},
                               .cx = &w->cx,
                               .arg = w,
                               .fire = window_fire,
                               .clear = window_clear};

    for (uint32_t i = 0; i < COUNT_OF(w->cols); i++) w->cols[i] = i;
    if (rows && w->user.folds != NULL) {
        w->fold_def = (struct state_def){.name = "window-fold", .version = 1, .shape = STATE_MAP, .value = w->user.fold.acc,
                                         .key = window_key_type(op->plan, c)};
        w->fold_def.group_cols = op->plan->key_count[0];
        w->fold_def.is_within = w->fold_def.group_cols < w->fold_def.key->child_count;
        TRY(state_open(op->state, &w->fold_def, &w->fold, op->err));
    }
    return window_engine_create(op, &plan, &w->engine);
}

static enum status window_open(struct op_cx *op, void *self)
{
    const struct window_config *c = op->config;
    struct window *w = self;
    struct tw_context *first = &w->cx;

    TRY(user_init(&w->cx, op, &c->function));
    if (c->pre.fn != NULL) {
        TRY(window_part_open(&w->pre, op, &c->pre, NULL));
        first = &w->pre.cx;
    } else {
        TRY(user_bind_in(&w->cx, 0, c->function.fn->in));
    }
    TRY(bind_outputs(&w->cx, c));
    TRY(user_bind_key(&w->cx));
    if (!is_sliced(c)) w->cx.window_type = window_key_type(op->plan, c);
    TRY(user_open(&w->cx));
    TRY(window_user_open(&w->user, &w->cx, first, c));
    w->cx.may_collect = w->user.apply != NULL;
    if (!is_sliced(c)) return open_engine(op, w);
    struct slices_plan plan = {.size_ms = c->size_ms,
                               .slide_ms = c->assigner == TW_SLIDING ? c->slide_ms : c->size_ms,
                               .offset_ms = c->offset_ms,
                               .lateness_ms = c->lateness_ms,
                               .processing_time = c->processing_time,
                               .late_port = op->plan->output_count - 1};
    return slices_create(op, &plan, &w->user.fold, &w->slices);
}

/* What the engine did goes out. Once it is through with the input, only rows that wait ask for another call: the same
 * input must not reach it again. */
static enum status finish(struct window *w, enum status st)
{
    if (st != S_OK && st != S_MORE) return st;
    w->through = st == S_OK;
    st = user_end(&w->cx, w->through);
    if (st == S_OK) w->through = w->is_checked = false;
    return st;
}

static enum status window_on_batch(struct op_cx *op, void *self, uint32_t input, struct batch *in)
{
    struct window *w = self;

    TRY(user_begin(&w->cx, input, in));
    if (!w->is_checked) TRY(user_keys_present(&w->cx, in, op->plan->keys[input], op->plan->key_count[input]));
    w->is_checked = true;
    if (w->through) return finish(w, S_OK);
    return finish(w, w->engine ? window_engine_on_batch(w->engine, input, in) : slices_on_batch(w->slices, in));
}

static enum status window_on_watermark(struct op_cx *op, void *self, int64_t watermark)
{
    struct window *w = self;

    (void)op;
    TRY(user_begin(&w->cx, 0, NULL));
    if (w->through) return finish(w, S_OK);
    return finish(w, w->engine ? window_engine_on_watermark(w->engine, watermark)
                               : slices_on_watermark(w->slices, watermark));
}

static enum status window_on_time(struct op_cx *op, void *self, int64_t now_ms)
{
    struct window *w = self;

    (void)op;
    TRY(user_begin(&w->cx, 0, NULL));
    if (w->through) return finish(w, S_OK);
    return finish(w, w->engine ? window_engine_on_time(w->engine, now_ms) : slices_on_time(w->slices, now_ms));
}

static enum status window_on_barrier(struct op_cx *cx, void *self, int64_t checkpoint)
{
    struct window *s = self;

    (void)cx, (void)checkpoint;
    return s->engine ? window_engine_on_barrier(s->engine) : slices_on_barrier(s->slices);
}

static void window_close(struct op_cx *op, void *self, bool failed)
{
    struct window *w = self;

    (void)failed;
    (void)op;
    slices_free(w->slices);
    window_engine_free(w->engine);
    state_close(w->fold);
    window_user_close(&w->user);
    window_part_close(&w->pre);
    user_close(&w->cx);
}

const struct op_type op_window = {
    .name = "window",
    .doc = "a user's aggregate, reduce or window function over tumbling, sliding, session, global, count or custom windows",
    .example = "tw_window_aggregate(tw_key_by(events, \"user\"), TW_TUMBLE(TW_MINUTES(5)), &average)",
    .flags = OP_NEEDS_KEY | OP_SELECTION | OP_STATE,
    .input_count = 1,
    .config_size = sizeof(struct window_config),
    .config_fields = window_config_fields,
    .instance_size = sizeof(struct window),
    .derive = window_derive,
    .needs = window_needs,
    .blocks = window_blocks,
    .open = window_open,
    .on_batch = window_on_batch,
    .on_watermark = window_on_watermark,
    .on_time = window_on_time,
    .on_barrier = window_on_barrier,
    .close = window_close,
};
