/* user_state.c - states that a function declares: made at open, resolved for a whole batch of keys at once, and the tw_*
 * calls that read and write the state of the current key.
 *
 * The idea: views (view.h) do the work; this file finds the view of a declaration, tells it lazily which key is current
 * (a callback that does not look at its state costs nothing), and converts between C values and rows.
 *
 * Keyed state exists while keys are resolved (cx->begun); asking for it elsewhere fails the job with a sentence, as does a
 * state that the function did not declare. Values are moved by user_value.c. Broadcast and operator state have no key. */
#include "flow/operator/user.h"

#include "flow/operator/user_internal.h"
#include "flow/operator/user_value.h"

#include <string.h>

struct user_state {
    const struct tw_state *decl;
    struct view *view;       /* keyed kinds */
    struct opstate *opstate; /* the others */
    struct user_home home;
    struct user_value value, key; /* key: maps */
    const struct state_layout *layout, *key_layout;
    void *probe_value, *probe_key; /* rows outside any table, to be appended or looked up */
    char *accumulator, *result;    /* reducing, aggregating: C values */
    /* Where the latest walk over a list or map stands: entry number `step` comes next. */
    struct view_cursor cursor;
    uint32_t step, walk_key;
    bool walking;
};

struct user_states {
    struct views *views;
    struct views *window_views; /* of the key and the window: states that say per_window */
    struct user_state items[TW_STATES_MAX];
    uint32_t count;
    uint32_t current; /* index of the key that the views know; UINT32_MAX = none */
    struct arena scratch;
    struct state_host *own; /* for operator state of unkeyed operators */
    struct batch *each_keys; /* tw_each_key: the keys at hand; NULL until it is called */
    void **each_rows;
};

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

    if (*views == NULL) TRY(views_create(cx->op->state, key, views, cx->op->err));
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

    TRY(opstate_create(host_of(cx), s->decl->name, kind, map_key, s->value.type, &s->opstate, cx->op->err));
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
        TRY(user_value_of_text(&cx->arena, d->map_key, NULL, &s->key, cx->op->err));
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
    views_end(cx->states->views);
}

/* --- finding the state a call means ---------------------------------------------------------------------------------------- */
#define KIND(k) (1u << (k))

static struct user_state *state_find(struct tw_context *cx, const struct tw_state *decl)
{
    struct user_states *us = cx->states;

    for (uint32_t i = 0; us && i < us->count; i++)
        if (us->items[i].decl == decl) return &us->items[i];
    user_misuse(cx, "state '%s' is not among the .states of function '%s'", decl ? decl->name : "(null)",
                cx->ref->name);
    return NULL;
}

/* The state, with the current key set; NULL when this call is not possible (and the job will fail). */
static struct user_state *state_now(struct tw_context *cx, const struct tw_state *decl, uint32_t kinds,
                                    const char *call)
{
    struct user_state *s = state_find(cx, decl);
    uint32_t at = cx->keys ? cx->keys_at : cx->at;

    if (UNLIKELY(s == NULL)) return NULL;
    if (UNLIKELY(!(kinds & KIND(decl->kind)))) {
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

static void failed_in_state(struct tw_context *cx, const struct user_state *s, enum status st)
{
    if (st == S_OK) return;
    user_misuse(cx, "state '%s': %s", s->decl->name, status_text(st));
    if (st < 0) cx->broken = st;
}

static void value_load(struct tw_context *cx, const struct user_state *s, const void *row, void *value)
{
    user_value_load(&s->value, s->layout, &s->home, row, value, &cx->loaded);
}

static bool can_store(struct tw_context *cx, const struct user_state *s, const struct user_value *v, const void *value)
{
    const char *why;

    if (LIKELY(user_value_check(v, value, &why) == S_OK)) return true;
    user_misuse(cx, "state '%s': a %s cannot be kept: %s", s->decl->name, v == &s->key ? "key" : "value", why);
    return false;
}

static void value_store(struct tw_context *cx, struct user_state *s, void *row, const void *value)
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

static const void *probe_value(struct tw_context *cx, struct user_state *s, const void *value)
{
    return probe(cx, s, &s->value, s->layout, s->probe_value, value);
}

static const void *map_key(struct tw_context *cx, struct user_state *s, const void *key)
{
    return probe(cx, s, &s->key, s->key_layout, s->probe_key, key);
}

/* --- value ------------------------------------------------------------------------------------------------------------------- */
bool tw_value_get(struct tw_context *cx, const struct tw_state *state, void *value)
{
    struct user_state *s = state_now(cx, state, KIND(TW_VALUE), "tw_value_get");
    const void *row = s ? view_value_get(s->view) : NULL;

    if (row == NULL) return false;
    value_load(cx, s, row, value);
    return true;
}

void tw_value_set(struct tw_context *cx, const struct tw_state *state, const void *value)
{
    struct user_state *s = state_now(cx, state, KIND(TW_VALUE), "tw_value_set");
    void *row = s ? view_value_edit(s->view, NULL) : NULL;

    if (row)
        value_store(cx, s, row, value);
    else if (s)
        failed_in_state(cx, s, E_BUDGET);
}

static bool is_long(struct tw_context *cx, const struct user_state *s)
{
    if (s->value.field_count == 1 && s->layout->fields[0].form == STATE_WORD && s->value.fields[0].phys == P_I64)
        return true;
    user_misuse(cx, "state '%s' is %s, not BIGINT", s->decl->name, s->decl->value);
    return false;
}

int64_t tw_value_long(struct tw_context *cx, const struct tw_state *state, int64_t fallback)
{
    struct user_state *s = state_now(cx, state, KIND(TW_VALUE), "tw_value_long");
    const void *row;

    if (UNLIKELY(s == NULL || !is_long(cx, s))) return fallback;
    row = view_value_get(s->view);
    return row ? *state_word((void *)(uintptr_t)row, s->layout->fields[0].offset) : fallback;
}

void tw_value_set_long(struct tw_context *cx, const struct tw_state *state, int64_t value)
{
    struct user_state *s = state_now(cx, state, KIND(TW_VALUE), "tw_value_set_long");
    void *row;

    if (UNLIKELY(s == NULL || !is_long(cx, s))) return;
    row = view_value_edit(s->view, NULL);
    if (row)
        *state_word(row, s->layout->fields[0].offset) = value;
    else
        failed_in_state(cx, s, E_BUDGET);
}

void tw_state_clear(struct tw_context *cx, const struct tw_state *state)
{
    struct user_state *s = state_now(cx, state, UINT32_MAX, "tw_state_clear");

    if (s == NULL) return;
    s->walking = false;
    if (s->view)
        view_clear(s->view);
    else if (user_may_write(cx, s->decl))
        opstate_clear(s->opstate);
}

/* --- list ---------------------------------------------------------------------------------------------------------------------- */
enum {
    LISTS = KIND(TW_LIST) | KIND(TW_OPERATOR_LIST) | KIND(TW_OPERATOR_UNION),
    MAPS = KIND(TW_MAP) | KIND(TW_BROADCAST)
};

void tw_list_add(struct tw_context *cx, const struct tw_state *state, const void *value)
{
    struct user_state *s = state_now(cx, state, LISTS, "tw_list_add");
    const void *row;

    if (s == NULL) return;
    row = probe_value(cx, s, value);
    if (row) failed_in_state(cx, s, s->view ? view_list_add(s->view, row) : opstate_add(s->opstate, row));
}

uint32_t tw_list_size(struct tw_context *cx, const struct tw_state *state)
{
    struct user_state *s = state_now(cx, state, LISTS, "tw_list_size");

    if (s == NULL) return 0;
    return s->view ? view_list_count(s->view) : opstate_count(s->opstate);
}

static void *walk_next(struct user_state *s)
{
    s->step++;
    if (s->opstate) return opstate_next(s->opstate, &s->cursor);
    return s->decl->kind == TW_MAP ? view_map_next(s->view, &s->cursor) : view_list_next(s->view, &s->cursor);
}

/* Entry number `index` of the current key; going on from the latest walk when that stands right there. */
static void *walk_to(struct tw_context *cx, struct user_state *s, uint32_t index)
{
    uint32_t key = s->view ? cx->states->current : 0;
    void *row;

    if (!s->walking || s->walk_key != key || s->step > index) {
        s->cursor = (struct view_cursor){0};
        s->step = 0;
        s->walk_key = key;
    }
    do {
        row = walk_next(s);
    } while (row && s->step <= index);
    s->walking = row != NULL;
    return row;
}

bool tw_list_get(struct tw_context *cx, const struct tw_state *state, uint32_t index, void *value)
{
    struct user_state *s = state_now(cx, state, LISTS, "tw_list_get");
    const void *row = s ? walk_to(cx, s, index) : NULL;

    if (row == NULL) return false;
    value_load(cx, s, row, value);
    return true;
}

/* --- map ------------------------------------------------------------------------------------------------------------------------ */
bool user_may_write(struct tw_context *cx, const struct tw_state *decl)
{
    if (decl->kind != TW_BROADCAST || cx->may_write_broadcast) return true;
    user_misuse(cx, "broadcast state '%s' is written by .process2 only, so that it is the same in every subtask",
                decl->name);
    return false;
}

bool tw_map_get(struct tw_context *cx, const struct tw_state *state, const void *key, void *value)
{
    struct user_state *s = state_now(cx, state, MAPS, "tw_map_get");
    const void *row, *probe = s ? map_key(cx, s, key) : NULL;

    if (probe == NULL) return false;
    row = s->view ? view_map_get(s->view, probe) : opstate_get(s->opstate, probe);
    if (row && value) value_load(cx, s, row, value);
    return row != NULL;
}

void tw_map_put(struct tw_context *cx, const struct tw_state *state, const void *key, const void *value)
{
    struct user_state *s = state_now(cx, state, MAPS, "tw_map_put");
    const void *probe;
    void *row;

    if (s == NULL || !user_may_write(cx, state)) return;
    probe = map_key(cx, s, key);
    if (probe == NULL) return;
    row = s->view ? view_map_put(s->view, probe, NULL) : opstate_put(s->opstate, probe, NULL);
    if (row)
        value_store(cx, s, row, value);
    else
        failed_in_state(cx, s, E_BUDGET);
}

bool tw_map_remove(struct tw_context *cx, const struct tw_state *state, const void *key)
{
    struct user_state *s = state_now(cx, state, MAPS, "tw_map_remove");

    if (s == NULL || !user_may_write(cx, state)) return false;
    const void *probe = map_key(cx, s, key);
    if (probe == NULL) return false;
    return s->view ? view_map_remove(s->view, probe) : opstate_remove(s->opstate, probe);
}

uint32_t tw_map_size(struct tw_context *cx, const struct tw_state *state)
{
    struct user_state *s = state_now(cx, state, MAPS, "tw_map_size");

    if (s == NULL) return 0;
    return s->view ? view_map_count(s->view) : opstate_count(s->opstate);
}

bool tw_map_next(struct tw_context *cx, const struct tw_state *state, uint32_t *cursor, void *key, void *value)
{
    struct user_state *s = state_now(cx, state, MAPS, "tw_map_next");
    const void *row, *key_row;

    if (s == NULL) return false;
    if (*cursor == 0) s->walking = false;
    row = walk_to(cx, s, *cursor);
    if (row == NULL) return false;
    key_row = s->view ? view_map_key(s->view, row) : opstate_key(s->opstate, row);
    if (key) user_value_load(&s->key, s->key_layout, &s->home, key_row, key, &cx->loaded);
    if (value) value_load(cx, s, row, value);
    ++*cursor;
    return true;
}

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
        value_store(f->cx, s, accumulator, input);
        return S_OK;
    }
    value_load(f->cx, s, accumulator, s->accumulator);
    memset(s->result, 0, s->value.size);
    if (s->decl->function->reduce(f->cx, s->accumulator, input, s->result) != TW_OK) return E_USER;
    value_store(f->cx, s, accumulator, s->result);
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
        value_load(f->cx, s, accumulator, s->accumulator);
    else if (fn->create && fn->create(f->cx, s->accumulator) != TW_OK)
        return E_USER;
    if (fn->add(f->cx, s->accumulator, input) != TW_OK) return E_USER;
    value_store(f->cx, s, accumulator, s->accumulator);
    return S_OK;
}

static void fold(struct tw_context *cx, struct user_state *s, view_fold_fn fn, const void *value)
{
    struct fold f = {cx, s};
    enum status st = view_fold(s->view, fn, &f, value);

    if (st == E_USER && cx->broken == S_OK) {
        cx->broken = E_USER; /* the text is that of the function's tw_fail */
        if (cx->text[0] == 0) failed_in_state(cx, s, st);
    } else {
        failed_in_state(cx, s, st);
    }
}

void tw_reducing_add(struct tw_context *cx, const struct tw_state *state, const void *value)
{
    struct user_state *s = state_now(cx, state, KIND(TW_REDUCING), "tw_reducing_add");

    if (s) fold(cx, s, reduce_one, value);
}

bool tw_reducing_get(struct tw_context *cx, const struct tw_state *state, void *value)
{
    struct user_state *s = state_now(cx, state, KIND(TW_REDUCING), "tw_reducing_get");
    const void *row = s ? view_value_get(s->view) : NULL;

    if (row == NULL) return false;
    value_load(cx, s, row, value);
    return true;
}

void tw_aggregating_add(struct tw_context *cx, const struct tw_state *state, const void *value)
{
    struct user_state *s = state_now(cx, state, KIND(TW_AGGREGATING), "tw_aggregating_add");

    if (s) fold(cx, s, aggregate_one, value);
}

bool tw_aggregating_get(struct tw_context *cx, const struct tw_state *state, void *result)
{
    struct user_state *s = state_now(cx, state, KIND(TW_AGGREGATING), "tw_aggregating_get");
    const void *row = s ? view_value_get(s->view) : NULL;

    if (row == NULL) return false;
    value_load(cx, s, row, s->accumulator);
    if (s->decl->function->result(cx, s->accumulator, result) != TW_OK) {
        if (cx->broken == S_OK) cx->broken = E_USER;
        return false;
    }
    return true;
}

/* --- states of windows that merge ---------------------------------------------------------------------------------------- */
static void select_key(struct user_states *us, uint32_t at)
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
        value_store(f->cx, s, accumulator, input);
        return S_OK;
    }
    memset(s->accumulator, 0, s->value.size);
    value_load(f->cx, s, accumulator, s->accumulator);
    if (s->decl->function->merge(f->cx, s->accumulator, input) != TW_OK) return E_USER;
    value_store(f->cx, s, accumulator, s->accumulator);
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
    select_key(cx->states, to);
    for (uint32_t i = 0; i < n; i++) {
        memset(value, 0, s->value.size);
        value_load(cx, s, rows[i], value);
        failed_in_state(cx, s, view_list_add(s->view, probe_value(cx, s, value)));
    }
    select_key(cx->states, from);
}

static void value_move(struct tw_context *cx, struct user_state *s, uint32_t from, uint32_t to)
{
    const void *row = view_value_get(s->view);
    char *value = arena_alloc(cx->op->scratch, s->value.size);

    if (row == NULL) return;
    memset(value, 0, s->value.size);
    value_load(cx, s, row, value);
    select_key(cx->states, to);
    fold(cx, s, s->decl->kind == TW_REDUCING ? reduce_one : merge_one, value);
    select_key(cx->states, from);
}

void tw_merge_state(struct tw_context *cx, const struct tw_state *state)
{
    struct user_state *s =
        state_now(cx, state, KIND(TW_LIST) | KIND(TW_REDUCING) | KIND(TW_AGGREGATING), "tw_merge_state");
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
        select_key(cx->states, cx->hooks.merged[i]);
        if (state->kind == TW_LIST)
            list_move(cx, s, cx->hooks.merged[i], to);
        else
            value_move(cx, s, cx->hooks.merged[i], to);
        view_clear(s->view);
    }
    s->walking = false;
    select_key(cx->states, to);
}

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
    struct user_state *s = state_find(cx, state);

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
