/* user_fold.c - states that a function folds rows into: reducing and aggregating, and what windows that become one hold.
 *
 * The accumulator is loaded as a C value, handed to the user's function, and stored again; two buffers per state are enough,
 * for folds do not nest. */
#include "flow/operator/user_states.h"

#include <string.h>

/* --- reducing and aggregating ------------------------------------------------------------------------------------------------------ */
struct fold {
    struct tw_context *cx;
    struct user_state *s;
};

static enum status reduce_one(void *arg, struct view *v, void *accumulator, const void *input, bool is_first)
{
    struct fold *f = arg;
    struct user_state *s = f->s;

    (void)v;
    if (is_first) {
        user_state_store(f->cx, s, accumulator, input);
        return S_OK;
    }
    user_state_load(f->cx, s, accumulator, s->accumulator);
    memset(s->result, 0, s->value.size);
    if (s->decl->function->reduce(f->cx, s->accumulator, input, s->result) != TW_OK) return E_USER;
    user_state_store(f->cx, s, accumulator, s->result);
    return S_OK;
}

static enum status aggregate_one(void *arg, struct view *v, void *accumulator, const void *input, bool is_first)
{
    struct fold *f = arg;
    struct user_state *s = f->s;
    const struct tw_function *fn = s->decl->function;

    (void)v;
    memset(s->accumulator, 0, s->value.size);
    if (!is_first)
        user_state_load(f->cx, s, accumulator, s->accumulator);
    else if (fn->create && fn->create(f->cx, s->accumulator) != TW_OK)
        return E_USER;
    if (fn->add(f->cx, s->accumulator, input) != TW_OK) return E_USER;
    user_state_store(f->cx, s, accumulator, s->accumulator);
    return S_OK;
}

static void fold(struct tw_context *cx, struct user_state *s, view_fold_fn fn, const void *value)
{
    struct fold f = {cx, s};
    enum status st = view_fold(s->view, fn, &f, value);

    if (st == E_USER && cx->broken == S_OK) {
        cx->broken = E_USER; /* the text is that of the function's tw_fail */
        if (cx->text[0] == 0) user_state_failed(cx, s, st);
    } else {
        user_state_failed(cx, s, st);
    }
}

void tw_reducing_add(struct tw_context *cx, const struct tw_state *state, const void *value)
{
    struct user_state *s = user_state_now(cx, state, USER_KIND(TW_REDUCING), "tw_reducing_add");

    if (s) fold(cx, s, reduce_one, value);
}

bool tw_reducing_get(struct tw_context *cx, const struct tw_state *state, void *value)
{
    struct user_state *s = user_state_now(cx, state, USER_KIND(TW_REDUCING), "tw_reducing_get");
    const void *row = s ? view_value_get(s->view) : NULL;

    if (row == NULL) return false;
    user_state_load(cx, s, row, value);
    return true;
}

void tw_aggregating_add(struct tw_context *cx, const struct tw_state *state, const void *value)
{
    struct user_state *s = user_state_now(cx, state, USER_KIND(TW_AGGREGATING), "tw_aggregating_add");

    if (s) fold(cx, s, aggregate_one, value);
}

bool tw_aggregating_get(struct tw_context *cx, const struct tw_state *state, void *result)
{
    struct user_state *s = user_state_now(cx, state, USER_KIND(TW_AGGREGATING), "tw_aggregating_get");
    const void *row = s ? view_value_get(s->view) : NULL;

    if (row == NULL) return false;
    user_state_load(cx, s, row, s->accumulator);
    if (s->decl->function->result(cx, s->accumulator, result) != TW_OK) {
        if (cx->broken == S_OK) cx->broken = E_USER;
        return false;
    }
    return true;
}

/* --- states of windows that merge ---------------------------------------------------------------------------------------- */
static void user_states_select(struct user_states *us, uint32_t at)
{
    if (us->views) views_row(us->views, at);
    if (us->window_views) views_row(us->window_views, at);
    us->current = at;
}

static enum status merge_one(void *arg, struct view *v, void *accumulator, const void *input, bool is_first)
{
    struct fold *f = arg;
    struct user_state *s = f->s;

    (void)v;
    if (is_first) {
        user_state_store(f->cx, s, accumulator, input);
        return S_OK;
    }
    memset(s->accumulator, 0, s->value.size);
    user_state_load(f->cx, s, accumulator, s->accumulator);
    if (s->decl->function->merge(f->cx, s->accumulator, input) != TW_OK) return E_USER;
    user_state_store(f->cx, s, accumulator, s->accumulator);
    return S_OK;
}

/* Rows and strings of the former key stay where they are while the other key's grow. */
static void list_move(struct tw_context *cx, struct user_state *s, uint32_t from, uint32_t to)
{
    struct view_cursor c = {0};
    uint32_t n = 0, count = view_list_count(s->view);
    void **rows = arena_alloc(cx->op->scratch, (count + 1) * sizeof *rows);
    char *value = arena_alloc(cx->op->scratch, s->value.size);

    for (void *row; (row = view_list_peek(s->view, &c)) != NULL;) rows[n++] = row;
    user_states_select(cx->states, to);
    for (uint32_t i = 0; i < n; i++) {
        memset(value, 0, s->value.size);
        user_state_load(cx, s, rows[i], value);
        user_state_failed(cx, s, view_list_add(s->view, user_state_probe(cx, s, value)));
    }
    user_states_select(cx->states, from);
}

static void value_move(struct tw_context *cx, struct user_state *s, uint32_t from, uint32_t to)
{
    const void *row = view_value_get(s->view);
    char *value = arena_alloc(cx->op->scratch, s->value.size);

    if (row == NULL) return;
    memset(value, 0, s->value.size);
    user_state_load(cx, s, row, value);
    user_states_select(cx->states, to);
    fold(cx, s, s->decl->kind == TW_REDUCING ? reduce_one : merge_one, value);
    user_states_select(cx->states, from);
}

void tw_merge_state(struct tw_context *cx, const struct tw_state *state)
{
    struct user_state *s = user_state_now(
        cx, state, USER_KIND(TW_LIST) | USER_KIND(TW_REDUCING) | USER_KIND(TW_AGGREGATING), "tw_merge_state");
    uint32_t to = cx->states != NULL ? cx->states->current : 0;

    if (s == NULL) return;
    if (cx->hooks.merged == NULL) {
        user_misuse(cx, "tw_merge_state is for .on_merge of a trigger, where windows become one");
        return;
    }
    if (state->kind == TW_AGGREGATING && state->function->merge == NULL) {
        user_misuse(cx, "tw_merge_state: the function of state '%s' has no .merge", state->name);
        return;
    }
    for (uint32_t i = 0; i < cx->hooks.merged_count && cx->broken == S_OK; i++) {
        user_states_select(cx->states, cx->hooks.merged[i]);
        if (state->kind == TW_LIST)
            list_move(cx, s, cx->hooks.merged[i], to);
        else
            value_move(cx, s, cx->hooks.merged[i], to);
        view_clear(s->view);
    }
    s->walking = false;
    user_states_select(cx->states, to);
}
