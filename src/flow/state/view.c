/* view.c - what user functions call state, on the tables of state.h and shape.h.
 *
 * The idea: all keys of a batch are resolved for every view before the first row's function is called; a call on the
 * current key then finds its row at an index. Rows are reserved: what a function never sets is gone when the batch is done.
 *
 * Invariants: a view has a table for namespace 0 and, once another namespace is used, a second one for those (they are
 * laid out for many short-lived namespaces); `table` is that of the present batch. Between views_begin and views_end only.
 *
 * Where expired state is returned until it is cleaned up, reading it once is what cleans it up, as in Flink: a value and an
 * entry of a map are gone after the first read, a list after a walk to its end that found nothing alive. What was read stays
 * readable while the callback lasts, so that list is emptied when something else is asked of the view.
 *
 * Not here: C values (the operator converts them), operator state (opstate.c). */
#include "flow/state/view.h"

#include "flow/state/snapshot_load.h"
#include "ground/base/str.h"

struct view {
    struct views *views;
    struct view_def def;
    struct state_def state[2]; /* for namespace 0; for the others */
    struct state_table *tables[2];
    struct state_table *table;
    struct view *next;
    uint32_t place;            /* in the words of views_begin_in: is it set, then the value */
    void *spent;               /* head of a list that is to be emptied */
    void *rows[BATCH_ROWS];    /* rows or heads of the batch's keys */
};

struct views {
    struct state_host *host;
    const struct type *key;
    bool is_within;
    uint32_t group_cols;
    struct view *first, **last;
    int64_t ns;
    uint32_t at; /* the current key */
    void *const *places; /* views_begin_in: of keys; else NULL */
    uint32_t place_first;
};

static bool is_value(const struct view *v) { return v->def.kind != VIEW_LIST && v->def.kind != VIEW_MAP; }
static void *head_of(const struct view *v) { return v->rows[v->views->at]; }

enum status views_create(struct state_host *h, const struct type *key, struct views **out, struct err *e)
{
    struct views *vs;

    if (key == NULL || key->kind != T_ROW) return err_set(e, E_GRAPH, "keyed state without key columns");
    vs = mem_zalloc(h->mem, sizeof *vs);
    vs->host = h;
    vs->key = key;
    vs->last = &vs->first;
    *out = vs;
    return S_OK;
}

void views_within(struct views *vs, uint32_t group_cols)
{
    ASSERT(vs->first == NULL && group_cols < vs->key->child_count);
    vs->is_within = true;
    vs->group_cols = group_cols;
}

static void view_free(struct views *vs, struct view *v)
{
    state_close(v->tables[0]);
    state_close(v->tables[1]);
    mem_free(vs->host->mem, v);
}

void views_free(struct views *vs)
{
    if (vs == NULL) return;
    for (struct view *v = vs->first, *next; v != NULL; v = next) {
        next = v->next;
        view_free(vs, v);
    }
    mem_free(vs->host->mem, vs);
}

struct view *views_find(struct views *vs, const char *name)
{
    for (struct view *v = vs->first; v != NULL; v = v->next) {
        if (str_equal(str_of(v->def.name), str_of(name))) return v;
    }
    return NULL;
}

static struct state_def state_def_of(const struct views *vs, const struct view_def *def, bool namespaced)
{
    return (struct state_def){.name = def->name, .shape = def->kind == VIEW_LIST ? STATE_LOG : STATE_MAP, .upgrade = STATE_UPGRADE_FIELDS, .namespaced = namespaced,
        .key = vs->key, .is_within = vs->is_within, .group_cols = vs->group_cols, .map_key = def->kind == VIEW_MAP ? def->map_key : NULL, .value = def->value, .ttl = def->ttl};
}

/* The second one only when a snapshot has something for it: else it comes when it is needed. */
static enum status tables_open(struct view *v, struct err *e)
{
    struct state_host *h = v->views->host;
    bool has;

    TRY(state_open(h, &v->state[0], &v->tables[0], e));
    TRY(snapshot_has_table(h, &v->state[1], &has, e));
    return has ? state_open(h, &v->state[1], &v->tables[1], e) : S_OK;
}

enum status views_add(struct views *vs, const struct view_def *def, struct view **out, struct err *e)
{
    struct view *v;
    enum status st;

    if (def->name == NULL || def->name[0] == '\0') return err_set(e, E_GRAPH, "a state has no name");
    if (views_find(vs, def->name) != NULL) return err_set(e, E_EXISTS, "there are two states of the name `%s`", def->name);
    if (def->kind == VIEW_MAP && def->map_key == NULL) return err_set(e, E_GRAPH, "map state `%s` has no key type", def->name);
    v = mem_zalloc(vs->host->mem, sizeof *v);
    v->views = vs;
    v->def = *def;
    v->state[0] = state_def_of(vs, def, false);
    v->state[1] = state_def_of(vs, def, true);
    st = tables_open(v, e);
    if (st != S_OK) {
        view_free(vs, v);
        return st;
    }
    v->table = v->tables[0];
    *vs->last = v;
    vs->last = &v->next;
    *out = v;
    return S_OK;
}

/* ---- reading what is expired */

static bool has_last_times(const struct view *v)
{
    return v->def.ttl.update != STATE_TTL_OFF && v->def.ttl.visibility == STATE_TTL_RETURN_EXPIRED_IF_NOT_CLEANED;
}

static void spent_clear(struct view *v)
{
    void *head = v->spent;

    v->spent = NULL;
    if (head != NULL) state_head_clear(v->table, v->views->ns, head);
}

/* Another access to the state of the current key. */
static void access_begin(struct view *v)
{
    if (UNLIKELY(v->spent != NULL)) spent_clear(v);
    v->table->accessed++;
}

/* ---- a batch */

enum status views_begin(struct views *vs, int64_t ns, const struct state_keys *keys)
{
    uint32_t which = ns != 0;

    vs->places = NULL;
    vs->ns = ns;
    for (struct view *v = vs->first; v != NULL; v = v->next) {
        if (v->tables[which] == NULL) TRY(state_open(vs->host, &v->state[which], &v->tables[which], vs->host->err));
        v->table = v->tables[which];
        TRY(state_resolve(v->table, ns, keys, STATE_RESERVE, v->rows, NULL));
    }
    return S_OK;
}

uint32_t views_words(const struct views *vs)
{
    uint32_t words = 0;

    for (const struct view *v = vs->first; v != NULL; v = v->next) {
        const struct state_layout *l = &v->tables[0]->value;
        if (!is_value(v) || v->def.ttl.update != STATE_TTL_OFF || l->text_count > 0) return 0;
        words += 1 + l->size / 8;
    }
    return words;
}

void views_begin_in(struct views *vs, void *const *rows, uint32_t offset)
{
    uint32_t place = offset;

    vs->places = rows;
    vs->ns = 0;
    for (struct view *v = vs->first; v != NULL; v = v->next) {
        v->table = v->tables[0];
        v->place = place;
        place += 8 + v->table->value.size;
    }
}

uint32_t view_place(const struct view *v) { return v->place; }

void views_row(struct views *vs, uint32_t i)
{
    ASSERT_ROW(i < BATCH_ROWS);
    vs->at = i;
}

void views_end(struct views *vs)
{
    if (vs->places != NULL) return;
    for (struct view *v = vs->first; v != NULL; v = v->next) {
        spent_clear(v);
        state_done(v->table);
    }
}

void views_drop(struct views *vs, int64_t ns)
{
    for (struct view *v = vs->first; v != NULL; v = v->next) {
        if (v->tables[ns != 0]) state_drop(v->tables[ns != 0], ns);
    }
}

struct state_table *view_table(struct view *v) { return v->table; }
const struct state_layout *view_layout(const struct view *v) { return &v->tables[0]->value; }
const struct state_layout *view_key_layout(const struct view *v) { return &v->tables[0]->extra; }
struct str view_text_get(const struct view *v, const struct state_text *field) { return state_text_get(v->table, field); }

void view_text_set(struct view *v, struct state_text *field, struct str value)
{
    state_text_set(v->table, v->views->ns, field, value);
}

/* ---- value, reducing, aggregating */

/* NULL: the value is in a table. */
static inline int64_t *place_of(const struct view *v)
{
    const struct views *vs = v->views;

    return vs->places != NULL ? state_word(vs->places[vs->at], v->place) : NULL;
}

const void *view_value_get(struct view *v)
{
    uint32_t at = v->views->at;
    const int64_t *place = place_of(v);

    ASSERT_ROW(is_value(v));
    if (place != NULL) return *place ? place + 1 : NULL;
    access_begin(v);
    if (!state_is_set(v->table, at)) return NULL;
    state_touch(v->table, at);
    return v->rows[at];
}

void *view_value_edit(struct view *v, bool *is_new)
{
    uint32_t at = v->views->at;
    int64_t *place = place_of(v);

    ASSERT_ROW(is_value(v));
    if (place != NULL) {
        if (is_new) *is_new = *place == 0;
        *place = 1;
        return place + 1;
    }
    access_begin(v);
    if (is_new) *is_new = !state_is_set(v->table, at);
    state_write(v->table, at);
    return v->rows[at];
}

void view_clear(struct view *v)
{
    uint32_t at = v->views->at;
    int64_t *place = place_of(v);

    if (place != NULL) {
        memset(place, 0, 8 + v->table->value.size);
        return;
    }
    access_begin(v);
    if (!is_value(v)) state_head_clear(v->table, v->views->ns, head_of(v));
    else if (state_is_set(v->table, at)) state_erase(v->table, at);
}

enum status view_fold(struct view *v, view_fold_fn fn, void *arg, const void *input)
{
    bool is_first;
    void *accumulator = view_value_edit(v, &is_first);

    return fn(arg, v, accumulator, input, is_first);
}

/* ---- list */

/* One probe row as the verbs want it. */
static struct state_probe probe_one(const struct state_layout *l, const void *row)
{
    return (struct state_probe){.layout = *l, .rows = (char *)(uintptr_t)row, .count = 1};
}

enum status view_list_add(struct view *v, const void *probe_row)
{
    struct state_probe one = probe_one(&v->table->value, probe_row);
    void *head = head_of(v);

    access_begin(v);
    return state_log_append(v->table, v->views->ns, &head, &one, NULL, NULL);
}

void *view_list_peek(struct view *v, struct view_cursor *c)
{
    return state_head_next(v->table, v->views->ns, head_of(v), &c->scan);
}

void *view_list_next(struct view *v, struct view_cursor *c)
{
    if (!c->has_begun) access_begin(v);
    c->has_begun = true;
    void *row = view_list_peek(v, c);
    if (row != NULL && !(has_last_times(v) && state_row_is_expired(v->table, row))) c->has_fresh = true;
    if (row == NULL && !c->has_fresh && state_head_rows(head_of(v)) > 0) v->spent = head_of(v);
    return row;
}

/* With a time to live the expired ones have to be left out. */
static uint32_t shown_count(struct view *v)
{
    struct view_cursor c = {0};
    uint32_t count = 0;

    if (v->def.ttl.update == STATE_TTL_OFF) return state_head_rows(head_of(v));
    while (state_head_next(v->table, v->views->ns, head_of(v), &c.scan) != NULL) count++;
    return count;
}

uint32_t view_list_count(struct view *v)
{
    access_begin(v);
    return shown_count(v);
}

/* ---- map */

static void *entry_of(struct view *v, const void *probe_key, enum state_intent intent, bool *is_new)
{
    struct state_probe one = probe_one(&v->table->extra, probe_key);
    void *head = head_of(v), *row = NULL;
    uint64_t created = 0;

    if (intent != STATE_INSERT && state_head_rows(head) == 0) return NULL;
    if (state_entry_resolve(v->table, v->views->ns, &head, &one, intent, &row, &created) != S_OK) return NULL;
    if (is_new) *is_new = created & 1;
    return row;
}

/* Removed, it stays readable until state_done. */
static void *entry_read(struct view *v, void *row)
{
    if (row != NULL && has_last_times(v) && state_row_is_expired(v->table, row))
        state_row_remove(v->table, v->views->ns, head_of(v), row);
    return row;
}

void *view_map_get(struct view *v, const void *probe_key)
{
    access_begin(v);
    return entry_read(v, entry_of(v, probe_key, STATE_READ, NULL));
}

void *view_map_put(struct view *v, const void *probe_key, bool *is_new)
{
    access_begin(v);
    return entry_of(v, probe_key, STATE_INSERT, is_new);
}

bool view_map_remove(struct view *v, const void *probe_key)
{
    access_begin(v);
    void *row = entry_of(v, probe_key, STATE_UPDATE, NULL);
    if (row) state_row_remove(v->table, v->views->ns, head_of(v), row);
    return row != NULL;
}

uint32_t view_map_count(struct view *v)
{
    access_begin(v);
    return shown_count(v);
}

void *view_map_next(struct view *v, struct view_cursor *c)
{
    if (!c->has_begun) access_begin(v);
    c->has_begun = true;
    return entry_read(v, state_head_next(v->table, v->views->ns, head_of(v), &c->scan));
}

const void *view_map_key(const struct view *v, const void *row) { return state_extra(v->table, row); }
