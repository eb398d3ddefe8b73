/* op_window.c - a user's aggregate or reduce function per key and tumbling or sliding window, alone or in front of a window
 * function. The slice engine does the windows (window_slices.h), the folds of window_user.h call the user's code.
 *
 * Ports: 0 results, then the side outputs of the outermost function, last "late". Sessions, global and count windows,
 * triggers, evictors and window functions over all rows are refused when the graph is built. */
#include "flow/operator/window_fields.h"
#include "flow/operator/window_user.h"

#include <thalweg/window.h>

#include <string.h>

struct window {
    struct tw_context cx; /* first: what the user's callbacks see */
    struct window_user user;
    struct slices *slices;
};

static enum status check(const struct op_plan *p, const struct window_config *c, struct err *e)
{
    bool timed = c->assigner == TW_TUMBLING || c->assigner == TW_SLIDING;
    bool plain = c->trigger == TW_TRIGGER_DEFAULT && !c->trigger_purging && c->evictor == TW_NO_EVICTOR;
    const struct tw_function *first = window_user_first(c)->fn;

    TRY(window_config_check(c, e));
    if (c->all) return err_set(e, E_UNSUPPORTED, "windows over all rows are not available");
    if (p->key_count[0] == 0) {
        err_hint(e, "use tw_key_by before it");
        return err_set(e, E_GRAPH, "a window needs a keyed stream");
    }
    if (!timed) return err_set(e, E_UNSUPPORTED, "only tumbling and sliding windows are available");
    if (!plain) return err_set(e, E_UNSUPPORTED, "windows with a trigger or an evictor are not available");
    if (first != NULL && first->add == NULL && first->reduce == NULL && first->window != NULL) {
        err_set(e, E_UNSUPPORTED, "a window function over all rows is not available");
        err_hint(e, "give tw_window_process an aggregate or reduce function as its last argument");
        return E_UNSUPPORTED;
    }
    if (c->assigner == TW_SLIDING && first != NULL && first->reduce == NULL && first->merge == NULL)
        return err_set(e, E_GRAPH, "sliding windows merge accumulators, but function '%s' has no .merge",
                       window_user_first(c)->name);
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
    user_cols_needs(p->keys[0], p->key_count[0], inputs[0]);
    for (uint32_t w = 0; late != NULL && w < (p->inputs[0]->child_count + 63) / 64; w++) inputs[0][w] |= late[w];
}

static bool window_blocks(const void *config)
{
    const struct window_config *c = config;

    return (c->function.fn != NULL && (c->function.fn->flags & TW_BLOCKING) != 0) ||
           (c->pre.fn != NULL && (c->pre.fn->flags & TW_BLOCKING) != 0);
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

static enum status window_open(struct op_cx *op, void *self)
{
    const struct window_config *c = op->config;
    struct window *w = self;

    TRY(user_init(&w->cx, op, &c->function));
    TRY(user_bind_in(&w->cx, 0, window_user_first(c)->fn->in));
    TRY(bind_outputs(&w->cx, c));
    TRY(user_bind_key(&w->cx));
    TRY(user_open(&w->cx));
    TRY(window_user_open(&w->user, &w->cx, c));
    w->cx.may_collect = w->user.apply != NULL;
    struct slices_plan plan = {.size_ms = c->size_ms,
                               .slide_ms = c->assigner == TW_SLIDING ? c->slide_ms : c->size_ms,
                               .offset_ms = c->offset_ms,
                               .lateness_ms = c->lateness_ms,
                               .processing_time = c->processing_time,
                               .late_port = op->plan->output_count - 1};
    return slices_create(op, &plan, &w->user.fold, &w->slices);
}

/* What the engine did goes out; it may want to be called again, and so may the context with rows that wait. */
static enum status finish(struct window *w, enum status st)
{
    if (st != S_OK && st != S_MORE) return st;
    return user_end(&w->cx, st == S_OK);
}

static enum status window_on_batch(struct op_cx *op, void *self, uint32_t input, struct batch *in)
{
    struct window *w = self;

    (void)op;
    TRY(user_begin(&w->cx, input, in));
    return finish(w, slices_on_batch(w->slices, in));
}

static enum status window_on_watermark(struct op_cx *op, void *self, int64_t watermark)
{
    struct window *w = self;

    (void)op;
    TRY(user_begin(&w->cx, 0, NULL));
    return finish(w, slices_on_watermark(w->slices, watermark));
}

static enum status window_on_time(struct op_cx *op, void *self, int64_t now_ms)
{
    struct window *w = self;

    (void)op;
    TRY(user_begin(&w->cx, 0, NULL));
    return finish(w, slices_on_time(w->slices, now_ms));
}

static void window_close(struct op_cx *op, void *self, bool failed)
{
    struct window *w = self;

    (void)op;
    slices_free(w->slices);
    window_user_close(&w->user);
    user_close(&w->cx, failed);
}

const struct op_type op_window = {
    .name = "window",
    .doc = "a user's aggregate or reduce function per key and tumbling or sliding window",
    .example = "tw_window_aggregate(tw_key_by(events, \"user\"), TW_TUMBLE(TW_MINUTES(5)), &average)",
    .flags = OP_NEEDS_KEY | OP_SELECTION,
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
    .close = window_close,
};
