/* user_each_key.c - applyToKeyedState: a callback of the broadcast side for every key that has something in a state.
 *
 * Keys are walked a batch at a time; the states of all of them are resolved, so that the callback sees what a row of that
 * key would see. */
#include "flow/operator/user_states.h"

/* --- all keys -------------------------------------------------------------------------------------------------------------------- */
/* Calls fn for every key of the batch `keys`, all of whose states are resolved. A callback cannot be called again, so what
 * is pending is waited for here. */
static enum status keys_visit(struct tw_context *cx, struct batch *keys, tw_key_fn fn, void *arg)
{
    uint32_t count = cx->key_type->child_count, cols[OP_KEYS_MAX];
    enum status st;

    for (uint32_t k = 0; k < count; k++) cols[k] = k;
    batch_hash(keys, cols, count, cx->hashes);
    struct state_keys resolved = state_keys_of(keys, cols, count, cx->hashes);
    do {
        st = user_states_begin(cx, &resolved);
    } while (st == S_PENDING);
    TRY(st);
    cx->keys = keys;
    cx->key_cols = NULL;
    cx->key.batch = NULL;
    cx->begun = true;
    for (uint32_t i = 0; st == S_OK && i < keys->count; i++) {
        cx->keys_at = i;
        user_forget_loaded(cx);
        if (fn(cx, arg) != TW_OK || cx->broken != S_OK) st = E_USER;
    }
    if (st == S_OK) user_keys_done(cx); /* after a failure the message names the key */
    return st;
}

/* Walks the state's table a batch of keys at a time. On failure the key in question stays current, for the message. */
static enum status keys_walk(struct tw_context *cx, struct state_table *t, tw_key_fn fn, void *arg)
{
    struct user_states *us = cx->states;
    struct state_cursor cursor = {0};
    enum status st = S_MORE;

    while (st == S_MORE) {
        uint32_t n = 0;
        batch_clear(us->each_keys);
        st = state_each(t, 0, &cursor, us->each_keys, NULL, us->each_rows, &n);
        if (st != S_OK && st != S_MORE) return st;
        if (n > 0) TRY(keys_visit(cx, us->each_keys, fn, arg));
    }
    cx->keys = NULL;
    cx->key.batch = NULL;
    return S_OK;
}

enum tw_status tw_each_key(struct tw_context *cx, const struct tw_state *state, tw_key_fn fn, void *arg)
{
    struct user_state *s = user_state_find(cx, state);

    if (s == NULL) return TW_FAILED;
    if (s->view == NULL || cx->begun || !cx->may_write_broadcast || fn == NULL) {
        user_misuse(cx, "tw_each_key is for keyed state, in .process2 of a broadcast connect");
        return TW_FAILED;
    }
    struct user_states *us = cx->states;
    if (us->each_keys == NULL) {
        us->each_keys = batch_create(cx->key_type, BATCH_ROWS, cx->op->mem);
        us->each_rows = mem_alloc(cx->op->mem, sizeof *us->each_rows * BATCH_ROWS);
    }
    struct arena loaded = cx->loaded; /* the caller goes on with what it has read so far */
    arena_init(&cx->loaded, cx->op->mem, 0);
    enum status st = keys_walk(cx, view_table(s->view), fn, arg);
    arena_release(&cx->loaded);
    cx->loaded = loaded;
    if (st != S_OK && cx->broken == S_OK) cx->broken = st;
    return st == S_OK ? TW_OK : TW_FAILED;
}
