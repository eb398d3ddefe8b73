/* user_state.c - states that a function declares: made at open, resolved for a whole batch of keys at once, found by the
 * tw_* calls, and the calls on values. Lists and maps: user_collections.c; reducing, aggregating, windows that merge:
 * user_fold.c; all keys: user_each_key.c.
 *
 * The idea: views (view.h) do the work; this file finds the view of a declaration, tells it lazily which key is current
 * (a callback that does not look at its state costs nothing), and converts between C values and rows.
 *
 * Keyed state exists while keys are resolved (cx->begun); asking for it elsewhere fails the job with a sentence, as does a
 * state that the function did not declare. Values are moved by user_value.c. Broadcast and operator state have no key. */
#include "flow/operator/user_states.h"

static bool is_keyed(const struct tw_state *s) { return s->kind >= TW_VALUE && s->kind <= TW_AGGREGATING; }

/* --- opening ----------------------------------------------------------------------------------------------------------- */
static struct state_ttl ttl_of(const struct tw_ttl *t)
{
    if (t->ttl_ms == 0 || t->update == TW_TTL_DISABLED) return (struct state_ttl){0};
    return (struct state_ttl){
        .ms = t->ttl_ms,
        .update = t->update == TW_ON_READ_AND_WRITE ? STATE_TTL_ON_READ_AND_WRITE : STATE_TTL_ON_CREATE_AND_WRITE,
        .visibility = t->visibility == TW_RETURN_EXPIRED_IF_NOT_CLEANED_UP ? STATE_TTL_RETURN_EXPIRED_IF_NOT_CLEANED
                                                                           : STATE_TTL_NEVER_RETURN_EXPIRED,
        .no_background = t->no_background_cleanup,
        .cleanup_size = t->cleanup_size,
        .every_record = t->cleanup_every_record,
    };
}

static enum status keyed_open(struct tw_context *cx, struct user_state *s)
{
    static const uint8_t kinds[] = {[TW_VALUE] = VIEW_VALUE,
                                    [TW_LIST] = VIEW_LIST,
                                    [TW_MAP] = VIEW_MAP,
                                    [TW_REDUCING] = VIEW_REDUCING,
                                    [TW_AGGREGATING] = VIEW_AGGREGATING};
    struct user_states *us = cx->states;
    struct view_def *def = ARENA_NEW(&cx->arena, struct view_def);

    ASSERT(cx->op->state != NULL && (cx->key_type != NULL || cx->window_type != NULL));
    struct views **views = s->decl->per_window && cx->window_type ? &us->window_views : &us->views;
    const struct type *key = views == &us->window_views ? cx->window_type : cx->key_type;

    if (*views == NULL) {
        TRY(views_create(cx->op->state, key, views, cx->op->err));
        uint32_t group_cols = cx->op->plan->key_count[0];
        if (key->child_count > group_cols) views_within(*views, group_cols);
    }
    *def = (struct view_def){.name = s->decl->name,
                             .kind = kinds[s->decl->kind],
                             .value = s->value.type,
                             .map_key = s->decl->kind == TW_MAP ? s->key.type : NULL,
                             .ttl = ttl_of(&s->decl->ttl)};
    TRY(views_add(*views, def, &s->view, cx->op->err));
    s->home.view = s->view;
    s->layout = view_layout(s->view);
    if (def->map_key) s->key_layout = view_key_layout(s->view);
    return S_OK;
}

/* Operator state of an unkeyed operator has no tables of keys to share a host with. */
static struct state_host *host_of(struct tw_context *cx)
{
    struct user_states *us = cx->states;

    if (cx->op->state) return cx->op->state;
    if (us->own) return us->own;
    us->own = ARENA_NEW(&cx->arena, struct state_host);
    us->own->backend = sb_find("hashmap");
    us->own->mem = cx->op->mem;
    us->own->group_count = us->own->max_parallelism = 1;
    us->own->err = cx->op->err;
    state_host_init(us->own);
    return us->own;
}

static enum status unkeyed_open(struct tw_context *cx, struct user_state *s)
{
    enum opstate_kind kind = s->decl->kind == TW_BROADCAST        ? OPSTATE_BROADCAST
                             : s->decl->kind == TW_OPERATOR_UNION ? OPSTATE_UNION
                                                                  : OPSTATE_LIST;
    const struct type *map_key = kind == OPSTATE_BROADCAST ? s->key.type : NULL;

    TRY(opstate_create_fields(host_of(cx), s->decl->name, kind, map_key, s->value.type, &s->opstate, cx->op->err));
    s->home.opstate = s->opstate;
    s->layout = opstate_layout(s->opstate);
    if (map_key) s->key_layout = opstate_key_layout(s->opstate);
    return S_OK;
}

static enum status state_open_one(struct tw_context *cx, struct user_state *s)
{
    const struct tw_state *d = s->decl;
    const struct tw_row *acc = d->kind == TW_AGGREGATING ? d->function->acc : NULL;
    struct mem *mem = cx->op->mem;

    TRY(acc ? user_value_of_row(&cx->arena, acc, &s->value, cx->op->err)
            : user_value_of_text(&cx->arena, d->value, d->row, &s->value, cx->op->err));
    if (d->kind == TW_MAP || d->kind == TW_BROADCAST)
        TRY(user_value_of_key(&cx->arena, d->map_key, d->key_row, &s->key, cx->op->err));
    TRY(is_keyed(d) ? keyed_open(cx, s) : unkeyed_open(cx, s));
    s->probe_value = mem_zalloc(mem, s->layout->size);
    if (s->key_layout) s->probe_key = mem_zalloc(mem, s->key_layout->size);
    if (d->kind == TW_REDUCING || d->kind == TW_AGGREGATING) {
        s->accumulator = mem_zalloc(mem, s->value.size);
        s->result = mem_zalloc(mem, s->value.size);
    }
    return S_OK;
}

enum status user_states_open(struct tw_context *cx)
{
    for (uint32_t i = 0; i < TW_STATES_MAX; i++) {
        if (cx->fn->states[i] == NULL) continue;
        if (cx->states == NULL) {
            cx->states = ARENA_NEW(&cx->arena, struct user_states);
            arena_init(&cx->states->scratch, cx->op->mem, 0);
            cx->states->current = UINT32_MAX;
        }
        struct user_state *s = &cx->states->items[cx->states->count++];
        s->decl = cx->fn->states[i];
        TRY(state_open_one(cx, s));
    }
    return S_OK;
}

void user_states_close(struct tw_context *cx)
{
    struct user_states *us = cx->states;

    if (us == NULL) return;
    views_free(us->views);
    views_free(us->window_views);
    for (uint32_t i = 0; i < us->count; i++) {
        struct user_state *s = &us->items[i];
        opstate_free(s->opstate);
        mem_free(cx->op->mem, s->probe_value);
        mem_free(cx->op->mem, s->probe_key);
        mem_free(cx->op->mem, s->accumulator);
        mem_free(cx->op->mem, s->result);
    }
    batch_free(us->each_keys);
    mem_free(cx->op->mem, us->each_rows);
    if (us->own) state_host_release(us->own);
    arena_release(&us->scratch);
    cx->states = NULL;
}

enum status user_states_begin(struct tw_context *cx, const struct state_keys *keys)
{
    if (cx->states == NULL || cx->states->views == NULL) return S_OK;
    cx->states->current = UINT32_MAX;
    return views_begin(cx->states->views, cx->state_ns, keys);
}

enum status user_window_states_begin(struct tw_context *cx, const struct state_keys *keys,
                                     const struct state_keys *windows)
{
    if (cx->states == NULL) return S_OK;
    cx->states->current = UINT32_MAX;
    if (cx->states->views) TRY(views_begin(cx->states->views, 0, keys));
    return cx->states->window_views ? views_begin(cx->states->window_views, 0, windows) : S_OK;
}

static bool is_long(const struct user_state *s)
{
    return s->value.field_count == 1 && s->layout->fields[0].form == STATE_WORD && s->value.fields[0].phys == P_I64;
}

uint32_t user_window_states_words(const struct tw_context *cx)
{
    if (cx->states == NULL || cx->states->views == NULL || cx->states->window_views != NULL) return 0;
    return views_words(cx->states->views);
}

void user_window_states_begin_in(struct tw_context *cx, void *const *rows, uint32_t offset)
{
    struct user_states *us = cx->states;

    us->current = UINT32_MAX;
    views_begin_in(us->views, rows, offset);
    us->places = rows;
    for (uint32_t i = 0; i < us->count; i++) {
        struct user_state *s = &us->items[i];
        bool fits = s->view != NULL && s->decl->kind == TW_VALUE && is_long(s);
        s->place = fits ? view_place(s->view) : USER_NO_PLACE;
    }
}

void user_window_states_end(struct tw_context *cx)
{
    user_states_end(cx);
    if (cx->states != NULL && cx->states->window_views != NULL) views_end(cx->states->window_views);
}

void user_window_states_clear(struct tw_context *cx, uint32_t at)
{
    if (cx->states == NULL || cx->states->window_views == NULL) return;
    views_row(cx->states->window_views, at);
    for (uint32_t i = 0; i < cx->states->count; i++) {
        struct user_state *s = &cx->states->items[i];
        if (s->view && s->decl->per_window) view_clear(s->view);
        s->walking = false;
    }
    cx->states->current = UINT32_MAX;
}

void user_states_end(struct tw_context *cx)
{
    if (cx->states == NULL || cx->states->views == NULL) return;
    for (uint32_t i = 0; i < cx->states->count; i++) cx->states->items[i].walking = false;
    cx->states->current = UINT32_MAX;
    cx->states->places = NULL;
    views_end(cx->states->views);
}

/* --- finding the state a call means ---------------------------------------------------------------------------------------- */
struct user_state *user_state_find(struct tw_context *cx, const struct tw_state *decl)
{
    struct user_states *us = cx->states;

    for (uint32_t i = 0; us && i < us->count; i++)
        if (us->items[i].decl == decl) return &us->items[i];
    user_misuse(cx, "state '%s' is not among the .states of function '%s'", decl ? decl->name : "(null)",
                cx->ref->name);
    return NULL;
}

/* The state, with the current key set; NULL when this call is not possible (and the job will fail). */
struct user_state *user_state_now(struct tw_context *cx, const struct tw_state *decl, uint32_t kinds,
                                    const char *call)
{
    struct user_state *s = user_state_find(cx, decl);
    uint32_t at = cx->keys ? cx->keys_at : cx->at;

    if (UNLIKELY(s == NULL)) return NULL;
    if (UNLIKELY(!(kinds & USER_KIND(decl->kind)))) {
        user_misuse(cx, "%s cannot be used with state '%s', which is of another kind", call, decl->name);
        return NULL;
    }
    if (s->view == NULL) return s;
    if (UNLIKELY(!cx->begun || (cx->keys == NULL && cx->batch == NULL))) {
        user_misuse(cx, "%s: state '%s' belongs to a key, and there is no current key here", call, decl->name);
        return NULL;
    }
    if (at != cx->states->current) {
        if (cx->states->views) views_row(cx->states->views, at);
        if (cx->states->window_views) views_row(cx->states->window_views, at);
        cx->states->current = at;
    }
    return s;
}

void user_state_failed(struct tw_context *cx, const struct user_state *s, enum status st)
{
    if (st == S_OK) return;
    user_misuse(cx, "state '%s': %s", s->decl->name, status_text(st));
    if (st < 0) cx->broken = st;
}

static bool can_store(struct tw_context *cx, const struct user_state *s, const struct user_value *v, const void *value)
{
    const char *why;

    if (LIKELY(user_value_check(v, value, &why) == S_OK)) return true;
    user_misuse(cx, "state '%s': a %s cannot be kept: %s", s->decl->name, v == &s->key ? "key" : "value", why);
    return false;
}

void user_state_store(struct tw_context *cx, struct user_state *s, void *row, const void *value)
{
    if (!can_store(cx, s, &s->value, value)) return;
    user_value_store(&s->value, s->layout, &s->home, row, value, &cx->states->scratch);
    if (cx->states->scratch.used > 0) arena_reset(&cx->states->scratch);
}

/* Holds until the next store or probe: encoded values lie in scratch. NULL: no value (misuse). */
static const void *probe(struct tw_context *cx, struct user_state *s, const struct user_value *v,
                         const struct state_layout *l, void *row, const void *value)
{
    static const struct user_home nowhere;

    if (!can_store(cx, s, v, value)) return NULL;
    if (cx->states->scratch.used > 0) arena_reset(&cx->states->scratch);
    user_value_store(v, l, &nowhere, row, value, &cx->states->scratch);
    return row;
}

const void *user_state_probe(struct tw_context *cx, struct user_state *s, const void *value)
{
    return probe(cx, s, &s->value, s->layout, s->probe_value, value);
}

const void *user_state_probe_key(struct tw_context *cx, struct user_state *s, const void *key)
{
    return probe(cx, s, &s->key, s->key_layout, s->probe_key, key);
}

/* --- value ------------------------------------------------------------------------------------------------------------------- */
bool tw_value_get(struct tw_context *cx, const struct tw_state *state, void *value)
{
    struct user_state *s = user_state_now(cx, state, USER_KIND(TW_VALUE), "tw_value_get");
    const void *row = s ? view_value_get(s->view) : NULL;

    if (row == NULL) return false;
    user_state_load(cx, s, row, value);
    return true;
}

void tw_value_set(struct tw_context *cx, const struct tw_state *state, const void *value)
{
    struct user_state *s = user_state_now(cx, state, USER_KIND(TW_VALUE), "tw_value_set");
    void *row = s ? view_value_edit(s->view, NULL) : NULL;

    if (row)
        user_state_store(cx, s, row, value);
    else if (s)
        user_state_failed(cx, s, E_BUDGET);
}

static bool need_long(struct tw_context *cx, const struct user_state *s)
{
    if (LIKELY(is_long(s))) return true;
    user_misuse(cx, "state '%s' is %s, not BIGINT", s->decl->name, s->decl->value);
    return false;
}

/* The two words of a BIGINT that lies in its owner's row of the current key, is it set and the value; NULL: it does not, or
 * the call is a mistake, which is found on the long way. */
static inline int64_t *long_place(struct tw_context *cx, const struct tw_state *decl)
{
    struct user_states *us = cx->states;

    if (us == NULL || us->places == NULL || cx->keys == NULL || !cx->begun) return NULL;
    for (uint32_t i = 0; i < us->count; i++) {
        const struct user_state *s = &us->items[i];
        if (s->decl == decl) return s->place != USER_NO_PLACE ? state_word(us->places[cx->keys_at], s->place) : NULL;
    }
    return NULL;
}

int64_t tw_value_long(struct tw_context *cx, const struct tw_state *state, int64_t fallback)
{
    const int64_t *place = long_place(cx, state);
    const void *row;

    if (place != NULL) return place[0] ? place[1] : fallback;
    struct user_state *s = user_state_now(cx, state, USER_KIND(TW_VALUE), "tw_value_long");
    if (UNLIKELY(s == NULL || !need_long(cx, s))) return fallback;
    row = view_value_get(s->view);
    return row ? *state_word((void *)(uintptr_t)row, s->layout->fields[0].offset) : fallback;
}

void tw_value_set_long(struct tw_context *cx, const struct tw_state *state, int64_t value)
{
    int64_t *place = long_place(cx, state);
    void *row;

    if (place != NULL) {
        place[0] = 1;
        place[1] = value;
        return;
    }
    struct user_state *s = user_state_now(cx, state, USER_KIND(TW_VALUE), "tw_value_set_long");
    if (UNLIKELY(s == NULL || !need_long(cx, s))) return;
    row = view_value_edit(s->view, NULL);
    if (row)
        *state_word(row, s->layout->fields[0].offset) = value;
    else
        user_state_failed(cx, s, E_BUDGET);
}

void tw_state_clear(struct tw_context *cx, const struct tw_state *state)
{
    struct user_state *s = user_state_now(cx, state, UINT32_MAX, "tw_state_clear");

    if (s == NULL) return;
    s->walking = false;
    if (s->view)
        view_clear(s->view);
    else if (user_may_write(cx, s->decl))
        opstate_clear(s->opstate);
}
