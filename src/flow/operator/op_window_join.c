/* op_window_join.c - rows of two keyed streams that fall into one window, joined pairwise or handed over as two groups:
 * JoinedStreams and CoGroupedStreams over any window, with any trigger, evictor and lateness.
 *
 * The window engine keeps the rows of both inputs and says when a window fires; here the function is called. As in Flink:
 * pairs come by left row, then right row, in order of arrival; a co-group sees windows that only one side has rows in;
 * results have the window's last ms as event time; rows that come too late are dropped and counted. Pairs are made as many
 * as a step and the output have room for; the rest follow in the next call. A co-group is one call of the user's. */
#include "flow/operator/user_elements.h"
#include "flow/operator/window_engine.h"
#include "flow/operator/window_fields.h"

#include <thalweg/window.h>

struct window_join {
    struct tw_context cx; /* first: what the user's callbacks see */
    bool co_group;
    struct tw_elements elements[2];
    const void *left; /* the row whose pairs are made; NULL: through */
    bool is_pairing;  /* in the middle of a window */
    struct window_engine *engine;
    struct user_where where; /* of the window that fires */
    bool is_checked; /* the input at hand, for NULLs */
    bool through;    /* the engine is through with the input at hand; rows may still wait */
};

static enum status window_join_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct window_config *c = config;
    const struct tw_function *fn = c->function.fn;

    TRY(window_config_check(c, e));
    if (c->all || plan->key_count[0] == 0 || plan->key_count[1] == 0) {
        err_hint(e, "use tw_key_by on both before it");
        return err_set(e, E_GRAPH, "a window join needs keyed streams");
    }
    TRY(window_engine_derive(plan, c, e));
    TRY(user_need_hook(&c->function, fn && (c->co_group ? fn->co_group != NULL : fn->join != NULL),
                       c->co_group ? "co_group" : "join", e));
    if (fn->on_timer)
        return err_set(e, E_GRAPH, "function '%s' has .on_timer, but a window join has no timers for it",
                       c->function.name);
    TRY(user_derive_in(plan, 0, &c->function, true, e));
    TRY(user_derive_in(plan, 1, &c->function, true, e));
    TRY(user_derive_pair(plan, e));
    TRY(user_derive_out(plan, &c->function, e));
    return user_derive_state(plan, &c->function, false, e);
}

static void window_join_needs(const struct op_plan *plan, const void *config, const uint64_t *const *outputs,
                              uint64_t *const *inputs)
{
    user_op_needs(plan, config, outputs, inputs);
    for (uint32_t i = 0; i < 2; i++) window_engine_needs(plan, config, i, inputs[i]);
}

static bool window_join_blocks(const void *config) { return user_op_blocks(config) || window_engine_blocks(config); }

/* Until a port is full, the time is up (S_MORE), or all pairs are made; j->left and the elements are the cursor. */
static enum status pairs_make(struct window_join *j)
{
    struct tw_context *cx = &j->cx;
    const void *right;
    uint32_t made = 0;

    for (; j->left != NULL; j->left = tw_next(&j->elements[0])) {
        while ((right = tw_next(&j->elements[1])) != NULL) {
            TRY(user_check(cx, cx->fn->join(cx, j->left, right)));
            if (cx->full || (++made % ROWCONV_ROWS == 0 && user_slice_over(cx))) return S_MORE;
        }
        tw_rewind(&j->elements[1]);
    }
    return user_check(cx, TW_OK);
}

/* The context is that of the window's key. */
static void window_enter(struct window_join *j, const struct window_firing *f)
{
    struct tw_context *cx = &j->cx;

    cx->batch = NULL;
    cx->row = NULL;
    cx->keys = f->keys;
    cx->keys_at = f->at;
    cx->key.batch = NULL;
    j->where = (struct user_where){.keys = f->keys, .windows = &f->window, .is_one_window = true};
    cx->where = &j->where;
    cx->where_at = f->at;
    cx->time = f->window.end == INT64_MAX ? INT64_MAX : f->window.end - 1;
    cx->begun = true;
}

static void window_leave(struct window_join *j)
{
    struct tw_context *cx = &j->cx;

    cx->begun = false;
    cx->keys = NULL;
    cx->where = NULL;
    cx->time = TW_NO_TIME;
}

static enum status window_join_fire(void *arg, const struct window_firing *f)
{
    struct window_join *j = arg;
    struct tw_context *cx = &j->cx;
    enum status st;

    if (!j->co_group && (f->rows[0]->total == 0 || f->rows[1]->total == 0)) return S_OK;
    window_enter(j, f);
    for (uint32_t i = 0; !j->is_pairing && i < 2; i++)
        user_elements_rows(&j->elements[i], f->rows[i]->total, window_rows_next, f->rows[i]);
    if (!j->co_group && !j->is_pairing) j->left = tw_next(&j->elements[0]);
    if (j->co_group)
        st = user_check(cx, cx->fn->co_group(cx, &j->elements[0], &j->elements[1]));
    else
        st = pairs_make(j);
    j->is_pairing = st == S_MORE;
    for (uint32_t i = 0; !j->is_pairing && i < 2; i++) {
        user_elements_end(&j->elements[i]);
        f->rows[i]->at = 0;
    }
    if (st == S_OK || st == S_MORE) window_leave(j); /* a failure is told with the key and the window */
    return st;
}

static const uint64_t *kept_columns(struct op_cx *op, uint32_t input, const struct tw_row *row)
{
    const struct type *schema = op->plan->inputs[input];
    uint64_t *kept = arena_zalloc(op->plan->arena, (schema->child_count + 63) / 64 * sizeof *kept);

    user_row_needs(row, schema, kept);
    window_engine_kept(op->plan, op->config, input, kept);
    return kept;
}

static enum status window_join_open(struct op_cx *op, void *self)
{
    const struct window_config *c = op->config;
    struct window_join *j = self;

    TRY(user_start(&j->cx, op, &c->function, true));
    j->co_group = c->co_group;
    for (uint32_t i = 0; i < 2; i++) user_elements_init(&j->elements[i], &j->cx, &j->cx.in[i].row);
    struct window_plan plan = {.config = c,
                               .kept = {kept_columns(op, 0, j->cx.fn->in), kept_columns(op, 1, j->cx.fn->in2)},
                               .late_port = {WINDOW_NO_PORT, WINDOW_NO_PORT},
                               .cx = &j->cx,
                               .arg = j,
                               .fire = window_join_fire};
    return window_engine_create(op, &plan, &j->engine);
}

/* What the engine did goes out; once it is through, only rows that wait ask for another call. */
static enum status finish(struct window_join *j, enum status st)
{
    if (st != S_OK && st != S_MORE) return st;
    j->through = st == S_OK;
    st = user_end(&j->cx, j->through);
    if (st == S_OK) j->through = j->is_checked = false;
    return st;
}

/* A NULL that the struct has no place for is told when the row comes, not when its window fires. */
static enum status nulls_check(struct window_join *j, uint32_t input, const struct batch *in)
{
    const struct rowconv *conv = &j->cx.in[input].row.conv;
    const struct op_plan *plan = j->cx.op->plan;
    bool may_be_null = false;

    TRY(user_keys_present(&j->cx, in, plan->keys[input], plan->key_count[input]));
    for (uint32_t f = 0; f < conv->field_count; f++)
        may_be_null |= vector_values(&in->cols[conv->fields[f].col])->validity != NULL;
    for (uint32_t i = 0; may_be_null && i < batch_rows(in); i += ROWCONV_ROWS)
        TRY(user_read(&j->cx, input, in, i, MIN(batch_rows(in) - i, (uint32_t)ROWCONV_ROWS)));
    j->is_checked = true;
    return S_OK;
}

static enum status window_join_on_batch(struct op_cx *op, void *self, uint32_t input, struct batch *in)
{
    struct window_join *j = self;

    (void)op;
    TRY(user_begin(&j->cx, input, in));
    if (!j->is_checked) TRY(nulls_check(j, input, in));
    return finish(j, j->through ? S_OK : window_engine_on_batch(j->engine, input, in));
}

static enum status window_join_on_watermark(struct op_cx *op, void *self, int64_t watermark)
{
    struct window_join *j = self;

    (void)op;
    TRY(user_begin(&j->cx, 0, NULL));
    return finish(j, j->through ? S_OK : window_engine_on_watermark(j->engine, watermark));
}

static enum status window_join_on_time(struct op_cx *op, void *self, int64_t now_ms)
{
    struct window_join *j = self;

    (void)op;
    TRY(user_begin(&j->cx, 0, NULL));
    return finish(j, j->through ? S_OK : window_engine_on_time(j->engine, now_ms));
}

static enum status window_join_on_barrier(struct op_cx *cx, void *self, int64_t checkpoint)
{
    struct window_join *s = self;

    (void)cx, (void)checkpoint;
    return window_engine_on_barrier(s->engine);
}

static void window_join_close(struct op_cx *op, void *self, bool failed)
{
    struct window_join *j = self;

    (void)failed;
    (void)op;
    window_engine_free(j->engine);
    for (uint32_t i = 0; i < 2; i++) user_elements_release(&j->elements[i]);
    user_close(&j->cx);
}

const struct op_type op_window_join = {
    .name = "window_join",
    .doc = "rows of two keyed streams in one window: pairs by the function's .join, groups by its .co_group",
    .example =
        "tw_window_join(tw_key_by(orders, \"id\"), tw_key_by(payments, \"id\"), TW_TUMBLE(TW_MINUTES(5)), &match)",
    .flags = OP_SELECTION | OP_NEEDS_KEY,
    .input_count = 2,
    .config_size = sizeof(struct window_config),
    .config_fields = window_config_fields,
    .instance_size = sizeof(struct window_join),
    .derive = window_join_derive,
    .needs = window_join_needs,
    .blocks = window_join_blocks,
    .open = window_join_open,
    .on_batch = window_join_on_batch,
    .on_watermark = window_join_on_watermark,
    .on_time = window_join_on_time,
    .on_barrier = window_join_on_barrier,
    .close = window_join_close,
};
_Static_assert(offsetof(struct window_config, function) == 0, "the hooks of user_op.c read it as a function_config");
