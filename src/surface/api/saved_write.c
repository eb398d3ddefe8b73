/* saved_write.c - writing of savepoints from programs: include/thalweg/savepoint.h over control/snapshot/savepoint_write.h and
 * flow/state/state_builder.h. The types of state are those that a function with the same declaration would have.
 *
 * Not here: reading (saved.c). */
#include "surface/api/saved.h"

#include "control/graph/graph.h"
#include "control/snapshot/savepoint_write.h"
#include "flow/operator/user_row.h"
#include "flow/operator/user_value.h"
#include "flow/state/state_builder.h"
#include "ground/base/str.h"

#include <string.h>

enum { MAX_PARALLELISM = 128, MAX_PARALLELISM_MOST = 32768 };

/* An operator that is made. */
struct built_operator {
    struct built_operator *next;
    char id[GRAPH_ID_SIZE];
    uint32_t max_parallelism;
    struct state_builder *states;
};

struct tw_savepoint {
    struct mem mem;
    struct arena arena;
    struct sys *sys;
    struct tw_saved *base;
    struct savepoint_draft *draft;
    struct built_operator *built;
    bool is_written; /* nothing more is added */
    struct err err;
    char text[SAVED_TEXT_MAX];
};

struct tw_savepoint *tw_savepoint_create(struct tw_saved *base)
{
    struct mem mem;
    mem_init(&mem, "savepoint", 0);
    struct tw_savepoint *p = mem_zalloc(&mem, sizeof *p);

    mem_init(&p->mem, "savepoint", 0);
    mem_move(&mem, &p->mem);
    arena_init(&p->arena, &p->mem, 0);
    p->sys = sys_linux_create_quiet();
    p->base = base;
    if (base != NULL && base->err.status != S_OK) err_pass_on(&p->err, &base->err);
    p->draft = savepoint_draft_create(p->sys, base != NULL ? base->reader : NULL);
    return p;
}

void tw_savepoint_free(struct tw_savepoint *p)
{
    struct mem mem;

    if (p == NULL) return;
    for (struct built_operator *o = p->built; o != NULL; o = o->next) state_builder_free(o->states);
    savepoint_draft_free(p->draft);
    sys_linux_free(p->sys);
    mem_init(&mem, "savepoint", 0);
    mem_move(&p->mem, &mem);
    mem_release(&mem);
}

const char *tw_savepoint_error(const struct tw_savepoint *p)
{
    return saved_error_text(&p->err, (char *)(uintptr_t)p->text);
}

/* --- operators ------------------------------------------------------------------------------------------------------------ */
/* An id, or that of a uid. False: a mistake, or there was one before. */
static bool id_of(struct tw_savepoint *p, const char *uid, char id[static GRAPH_ID_SIZE])
{
    if (p->err.status == S_OK && p->is_written) err_set(&p->err, E_CONFIG, "the savepoint is written already: make another one");
    if (p->err.status != S_OK) return false;
    if (uid == NULL || uid[0] == '\0') {
        err_set(&p->err, E_CONFIG, "the uid of an operator is missing");
        return false;
    }
    if (snapshot_id_is_valid(uid)) memcpy(id, uid, GRAPH_ID_SIZE);
    else graph_id_of_uid(uid, &p->mem, id);
    return true;
}

static enum status told_of(struct tw_savepoint *p, const char *uid, enum status st)
{
    if (st != S_OK) err_wrap(&p->err, "operator '%s'", uid);
    return st;
}

static void built_forget(struct tw_savepoint *p, const char *id)
{
    struct built_operator **at = &p->built;

    while (*at != NULL && strcmp((*at)->id, id) != 0) at = &(*at)->next;
    if (*at == NULL) return;
    state_builder_free((*at)->states);
    *at = (*at)->next;
}

void tw_savepoint_remove(struct tw_savepoint *p, const char *uid)
{
    char id[GRAPH_ID_SIZE];

    if (!id_of(p, uid, id) || told_of(p, uid, savepoint_draft_remove(p->draft, id, &p->err)) != S_OK) return;
    built_forget(p, id);
}

void tw_savepoint_rename(struct tw_savepoint *p, const char *uid, const char *new_uid)
{
    char id[GRAPH_ID_SIZE], new_id[GRAPH_ID_SIZE];

    if (!id_of(p, uid, id) || !id_of(p, new_uid, new_id)) return;
    if (told_of(p, uid, savepoint_draft_rename(p->draft, id, new_id, new_uid, &p->err)) != S_OK) return;
    for (struct built_operator *o = p->built; o != NULL; o = o->next)
        if (strcmp(o->id, id) == 0) memcpy(o->id, new_id, GRAPH_ID_SIZE);
}

static struct built_operator *built_of(struct tw_savepoint *p, const char *uid, uint32_t max_parallelism)
{
    struct built_operator *o = p->built;
    char id[GRAPH_ID_SIZE];

    if (max_parallelism == 0) max_parallelism = MAX_PARALLELISM;
    if (!id_of(p, uid, id)) return NULL;
    while (o != NULL && strcmp(o->id, id) != 0) o = o->next;
    if (max_parallelism > MAX_PARALLELISM_MOST || (o != NULL && o->max_parallelism != max_parallelism)) {
        err_set(&p->err, E_CONFIG, "operator '%s': a max parallelism of %u; it is one for all states, and at most %d", uid, max_parallelism,
                MAX_PARALLELISM_MOST);
        return NULL;
    }
    if (o != NULL) return o;
    if (told_of(p, uid, savepoint_draft_add(p->draft, id, uid, max_parallelism, &p->err)) != S_OK) return NULL;
    o = ARENA_NEW(&p->arena, struct built_operator);
    memcpy(o->id, id, GRAPH_ID_SIZE);
    o->max_parallelism = max_parallelism;
    o->states = state_builder_create(max_parallelism, p->sys);
    o->next = p->built;
    p->built = o;
    return o;
}

/* --- states --------------------------------------------------------------------------------------------------------------- */
static enum status ttl_of(const struct tw_ttl *t, struct state_ttl *out)
{
    *out = (struct state_ttl){0};
    if (t->ttl_ms == 0 || t->update == TW_TTL_DISABLED) return S_OK;
    out->ms = t->ttl_ms;
    out->update = t->update == TW_ON_READ_AND_WRITE ? STATE_TTL_ON_READ_AND_WRITE : STATE_TTL_ON_CREATE_AND_WRITE;
    return S_OK;
}

static enum status shape_of(const struct tw_state *s, struct state_def *out, struct err *e)
{
    bool is_list = s->kind == TW_LIST || s->kind == TW_OPERATOR_LIST || s->kind == TW_OPERATOR_UNION;

    if (!is_list && s->kind != TW_VALUE && s->kind != TW_MAP)
        return err_set(e, E_UNSUPPORTED, "state '%s' is neither a value, a list nor a map", s->name);
    out->shape = is_list ? STATE_LOG : STATE_MAP;
    if (s->kind == TW_OPERATOR_LIST) out->sharing = STATE_LIST;
    if (s->kind == TW_OPERATOR_UNION) out->sharing = STATE_UNION;
    return S_OK;
}

/* As a function that declares it has it (flow/state/view.c, opstate.c). */
static enum status def_make(struct tw_savepoint *p, const struct tw_state *s, const struct tw_row *key, struct state_def **out)
{
    struct state_def *d = ARENA_NEW(&p->arena, struct state_def);
    struct user_value value, map_key;

    if (s == NULL || s->name == NULL || s->value == NULL) return err_set(&p->err, E_CONFIG, "a state has a name and a value");
    d->name = arena_strdup(&p->arena, s->name);
    d->upgrade = STATE_UPGRADE_FIELDS;
    TRY(shape_of(s, d, &p->err));
    TRY(ttl_of(&s->ttl, &d->ttl));
    if ((key != NULL) != (d->sharing == STATE_KEYED))
        return err_set(&p->err, E_CONFIG, key != NULL ? "state '%s' belongs to the operator and has no key" : "state '%s' needs a key", s->name);
    d->key = type_row(&p->arena, 0, NULL, NULL, false);
    if (key != NULL) TRY(user_row_type(&p->arena, key, &d->key, &p->err));
    TRY(user_value_of_text(&p->arena, s->value, s->row, &value, &p->err));
    d->value = value.type;
    if (s->kind != TW_MAP) {
        *out = d;
        return S_OK;
    }
    if (s->map_key == NULL) return err_set(&p->err, E_CONFIG, "map state '%s' has no .map_key", s->name);
    TRY(user_value_of_key(&p->arena, s->map_key, s->key_row, &map_key, &p->err));
    d->map_key = map_key.type;
    *out = d;
    return S_OK;
}

/* A field for each column that is not the engine's own. */
static enum status fields_check(struct tw_savepoint *p, const struct state_def *d, const struct tw_row *row, const struct type *columns)
{
    uint32_t count = d->key->child_count + (d->map_key != NULL ? d->map_key->child_count : 0) + d->value->child_count;

    for (uint32_t i = 0; i < count; i++) {
        bool is_there = columns->children[i]->nullable;
        for (uint32_t f = 0; f < row->field_count; f++) is_there |= str_equal(str_of(row->fields[f].name), str_of(columns->names[i]));
        if (!is_there) return err_set(&p->err, E_GRAPH, "row type '%s' has no field '%s', which is a column of state '%s'", row->name, columns->names[i], d->name);
    }
    return S_OK;
}

static enum status rows_put(struct tw_savepoint *p, struct state_builder *b, struct state_table *t, const struct user_row *bound, const struct type *columns,
                            const char *rows, size_t count)
{
    struct batch *batch = batch_create(columns, BATCH_ROWS, &p->mem);
    enum status st = S_OK;
    const char *why;
    uint32_t bad;

    while (count > 0 && st == S_OK) {
        batch_clear(batch);
        while (count > 0 && batch->count < batch->capacity && st == S_OK) {
            uint32_t n = (uint32_t)MIN(MIN(count, (size_t)ROWCONV_ROWS), (size_t)(batch->capacity - batch->count));
            st = rowconv_check(&bound->conv, rows, n, &bad, &why);
            if (st != S_OK) err_set(&p->err, st, "field %u of row type '%s': %s", bad + 1, bound->row->name, why);
            else if ((st = rowconv_write(&bound->conv, rows, n, batch)) != S_OK) err_set(&p->err, st, CFORM_FULL);
            rows += (size_t)n * bound->conv.size;
            count -= n;
        }
        if (st == S_OK) st = state_builder_put(b, t, batch, &p->err);
    }
    batch_free(batch);
    return st;
}

static enum status add(struct tw_savepoint *p, struct built_operator *o, const struct tw_state *state, const struct tw_row *key,
                       const struct tw_row *row, const void *rows, size_t count)
{
    struct state_def *def = NULL;
    struct state_table *table;
    const struct type *columns;
    struct user_row bound;

    if (row == NULL || (rows == NULL && count > 0)) return err_set(&p->err, E_CONFIG, "tw_savepoint_add needs a row type and rows");
    TRY(def_make(p, state, key, &def));
    TRY(state_builder_table(o->states, def, &table, &columns, &p->err));
    const struct type *named = saved_names(&p->arena, columns, def->key->child_count, def->map_key != NULL ? def->map_key->child_count : 0);
    TRY(fields_check(p, def, row, named));
    TRY(user_row_bind(&p->arena, row, named, NULL, &bound, &p->err));
    return rows_put(p, o->states, table, &bound, columns, rows, count);
}

void tw_savepoint_add(struct tw_savepoint *p, const char *uid, uint32_t max_parallelism, const struct tw_state *state, const struct tw_row *key,
                      const struct tw_row *row, const void *rows, size_t count)
{
    struct built_operator *o = built_of(p, uid, max_parallelism);

    if (o != NULL) told_of(p, uid, add(p, o, state, key, row, rows, count));
}

/* --- writing -------------------------------------------------------------------------------------------------------------- */
struct giving {
    struct tw_savepoint *savepoint;
    const char *id;
};

static enum status give_chunk(void *arg, struct str chunk, struct err *e)
{
    const struct giving *g = arg;

    (void)e;
    savepoint_draft_chunk(g->savepoint->draft, g->id, chunk);
    return S_OK;
}

int tw_savepoint_write(struct tw_savepoint *p, const char *folder)
{
    enum status st = p->err.status;

    if (st == S_OK && p->is_written) st = err_set(&p->err, E_CONFIG, "the savepoint is written already: make another one");
    if (st == S_OK && (folder == NULL || folder[0] == '\0')) st = err_set(&p->err, E_CONFIG, "tw_savepoint_write needs a folder");
    for (struct built_operator *o = p->built; o != NULL && st == S_OK; o = o->next) {
        struct giving g = {p, o->id};
        st = state_builder_save(o->states, give_chunk, &g, &p->err);
        state_builder_free(o->states);
        o->states = NULL;
    }
    p->is_written = true;
    if (st == S_OK) st = savepoint_draft_write(p->draft, folder, &p->err);
    return st == S_OK ? 0 : 1;
}
