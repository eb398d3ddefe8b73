/* view.c - what user functions call state, for the current key of a batch. A value is a row of a MAP table, reserved for the
 * whole batch and real only once it is written; lists and maps are sequences. */
#include "flow/state/view.h"

#include "flow/state/sequence.h"
#include "ground/base/str.h"

#include <string.h>

struct view {
    struct views *owner;
    const struct view_def *def;
    struct view *next;
    struct state_def table_def;
    struct state_table *table;  /* value, reducing, aggregating */
    struct sequence sequence;   /* list, map */
    void *rows[BATCH_ROWS];     /* of the batch's keys */
};

struct views {
    struct state_host *host;
    const struct type *key;
    struct view *first;
    int64_t ns;
    struct state_keys keys;
    uint32_t current;
    bool is_located;            /* the sequences know the current key */
};

enum status views_create(struct state_host *h, const struct type *key, struct views **out, struct err *e)
{
    (void)e;
    ASSERT(key->kind == T_ROW);
    *out = mem_zalloc(h->mem, sizeof **out);
    (*out)->host = h;
    (*out)->key = key;
    return S_OK;
}

void views_free(struct views *vs)
{
    if (vs == NULL) return;
    for (struct view *v = vs->first, *next; v != NULL; v = next) {
        next = v->next;
        state_close(v->table);
        sequence_close(&v->sequence);
        mem_free(vs->host->mem, v);
    }
    mem_free(vs->host->mem, vs);
}

struct view *views_find(struct views *vs, const char *name)
{
    for (struct view *v = vs->first; v != NULL; v = v->next)
        if (strcmp(v->def->name, name) == 0) return v;
    return NULL;
}

static bool is_value(const struct view *v) { return v->def->kind != VIEW_LIST && v->def->kind != VIEW_MAP; }

enum status views_add(struct views *vs, const struct view_def *def, struct view **out, struct err *e)
{
    if (views_find(vs, def->name) != NULL) return err_set(e, E_EXISTS, "there are two states named '%s'", def->name);
    struct view *v = mem_zalloc(vs->host->mem, sizeof *v);
    v->owner = vs;
    v->def = def;
    v->next = vs->first;
    vs->first = *out = v;
    if (!is_value(v)) return sequence_open(&v->sequence, vs->host, def->name, vs->key, def->value, def->map_key, def->ttl, e);
    v->table_def = (struct state_def){.name = def->name, .version = 1, .shape = STATE_MAP, .namespaced = true, .key = vs->key, .value = def->value, .ttl = def->ttl};
    return state_open(vs->host, &v->table_def, &v->table, e);
}

/* --- batches and rows ------------------------------------------------------------------------------------------------------ */
enum status views_begin(struct views *vs, int64_t ns, const struct state_keys *keys)
{
    vs->ns = ns;
    vs->keys = *keys;
    for (struct view *v = vs->first; v != NULL; v = v->next)
        if (is_value(v)) TRY(state_resolve(v->table, ns, keys, STATE_RESERVE, v->rows, NULL));
    return S_OK;
}

void views_row(struct views *vs, uint32_t i)
{
    ASSERT_ROW(i < vs->keys.count);
    vs->current = i;
    vs->is_located = false;
}

void views_end(struct views *vs)
{
    for (struct view *v = vs->first; v != NULL; v = v->next) {
        if (is_value(v)) state_done(v->table);
        else sequence_done(&v->sequence);
    }
}

void views_drop(struct views *vs, int64_t ns)
{
    for (struct view *v = vs->first; v != NULL; v = v->next) {
        if (is_value(v)) {
            state_drop(v->table, ns);
            continue;
        }
        state_drop(v->sequence.counts, ns);
        state_drop(v->sequence.rows, ns);
        if (v->sequence.index != NULL) state_drop(v->sequence.index, ns);
    }
}

/* Lists and maps learn the current key when they are first asked about it. */
static struct sequence *located(struct view *v)
{
    struct views *vs = v->owner;

    if (!vs->is_located) {
        uint32_t row = vs->keys.sel != NULL ? vs->keys.sel[vs->current] : vs->current;
        for (struct view *each = vs->first; each != NULL; each = each->next)
            if (!is_value(each)) sequence_at(&each->sequence, vs->ns, vs->keys.batch, vs->keys.cols, row);
        vs->is_located = true;
    }
    return &v->sequence;
}

/* --- layouts and text -------------------------------------------------------------------------------------------------------- */
struct state_table *view_table(struct view *v) { return is_value(v) ? v->table : v->sequence.rows; }
const struct state_layout *view_layout(const struct view *v) { return is_value(v) ? &v->table->value : &v->sequence.value_layout; }
struct str view_text_get(const struct view *v, const struct state_text *field) { return state_text_get(is_value(v) ? v->table : v->sequence.rows, field); }
void view_text_set(struct view *v, struct state_text *field, struct str value) { state_text_set(view_table(v), v->owner->ns, field, value); }

/* --- values ------------------------------------------------------------------------------------------------------------------- */
const void *view_value_get(struct view *v)
{
    uint32_t i = v->owner->current;

    ASSERT_ROW(is_value(v));
    return state_is_set(v->table, i) ? v->rows[i] : NULL;
}

void *view_value_edit(struct view *v, bool *is_new)
{
    uint32_t i = v->owner->current;

    if (is_new != NULL) *is_new = !state_is_set(v->table, i);
    state_write(v->table, i);
    return v->rows[i];
}

void view_clear(struct view *v)
{
    if (is_value(v)) state_erase(v->table, v->owner->current);
    else sequence_clear(located(v));
}

enum status view_fold(struct view *v, view_fold_fn fn, void *arg, const void *input)
{
    bool is_first;
    void *row = view_value_edit(v, &is_first);

    return fn(arg, v, row, input, is_first);
}

/* --- lists ----------------------------------------------------------------------------------------------------------------------- */
enum status view_list_add(struct view *v, const void *probe_row)
{
    struct sequence *s = located(v);
    void *row = sequence_add(s, NULL);

    if (row == NULL) return E_BUDGET;
    sequence_copy(s, row, probe_row, &s->value_layout, 0);
    return S_OK;
}

void *view_list_next(struct view *v, struct view_cursor *c) { return sequence_next(located(v), c); }
uint32_t view_list_count(struct view *v) { return sequence_count(located(v)); }

/* --- maps -------------------------------------------------------------------------------------------------------------------------- */
const struct state_layout *view_key_layout(const struct view *v) { return &v->sequence.probe_layout; }
void *view_map_get(struct view *v, const void *probe_key) { return sequence_find(located(v), probe_key); }

void *view_map_put(struct view *v, const void *probe_key, bool *is_new)
{
    void *row = view_map_get(v, probe_key);

    if (is_new != NULL) *is_new = row == NULL;
    return row != NULL ? row : sequence_add(&v->sequence, probe_key);
}

bool view_map_remove(struct view *v, const void *probe_key) { return sequence_remove(located(v), probe_key); }
uint32_t view_map_count(struct view *v) { return sequence_count(located(v)); }
void *view_map_next(struct view *v, struct view_cursor *c) { return sequence_next(located(v), c); }
const void *view_map_key(const struct view *v, const void *row) { return sequence_key(&v->sequence, row); }
