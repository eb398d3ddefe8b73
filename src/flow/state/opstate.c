/* opstate.c - operator state: one list or map per subtask.
 *
 * The idea: it is a LOG, or a MAP with a map key, under the key of no columns: one head. Each call finds the head anew;
 * a call that adds first ends the "batch" before it, which settles what was removed.
 *
 * Invariants: the key's hash falls into the first key group of the host, whatever groups it has. Rows hold until the next
 * add, put or clear. Not here: how a restore shares the rows out (snapshot_load.c; that is the kind). */
#include "flow/state/view.h"

#include "flow/state/snapshot_load.h"

struct opstate {
    enum opstate_kind kind;
    struct state_host *host;
    struct state_def def;
    struct type key; /* a row of no columns */
    struct state_table *table;
    uint64_t hash;
};

static const uint8_t sharing_of[] = {
    [OPSTATE_LIST] = STATE_LIST, [OPSTATE_UNION] = STATE_UNION, [OPSTATE_BROADCAST] = STATE_BROADCAST};

static enum status create(struct state_host *h, const char *name, enum opstate_kind kind, const struct type *map_key,
                          const struct type *value, enum state_upgrade upgrade, struct opstate **out, struct err *e)
{
    struct opstate *s = mem_zalloc(h->mem, sizeof *s);
    enum status st;

    s->kind = kind;
    s->host = h;
    s->key = (struct type){.kind = T_ROW, .phys = P_ROW};
    s->hash = state_host_hash(h);
    s->def = (struct state_def){.name = name, .shape = kind == OPSTATE_BROADCAST ? STATE_MAP : STATE_LOG,
        .sharing = sharing_of[kind], .upgrade = (uint8_t)upgrade, .key = &s->key,
        .map_key = kind == OPSTATE_BROADCAST ? map_key : NULL, .value = value};
    st = kind == OPSTATE_BROADCAST && map_key == NULL ? err_set(e, E_GRAPH, "broadcast state `%s` has no key type", name) : S_OK;
    if (st == S_OK) st = state_open(h, &s->def, &s->table, e);
    if (st != S_OK) {
        mem_free(h->mem, s);
        return st;
    }
    *out = s;
    return S_OK;
}

enum status opstate_create(struct state_host *h, const char *name, enum opstate_kind kind, const struct type *map_key,
                           const struct type *value, struct opstate **out, struct err *e)
{
    return create(h, name, kind, map_key, value, STATE_UPGRADE_NEVER, out, e);
}

enum status opstate_create_fields(struct state_host *h, const char *name, enum opstate_kind kind, const struct type *map_key,
                                  const struct type *value, struct opstate **out, struct err *e)
{
    return create(h, name, kind, map_key, value, STATE_UPGRADE_FIELDS, out, e);
}

void opstate_free(struct opstate *s)
{
    if (s == NULL) return;
    state_close(s->table);
    mem_free(s->host->mem, s);
}

const struct state_layout *opstate_layout(const struct opstate *s) { return &s->table->value; }
const struct state_layout *opstate_key_layout(const struct opstate *s) { return &s->table->extra; }
struct state_table *opstate_table(struct opstate *s) { return s->table; }

static void *head_of(struct opstate *s, enum state_intent intent)
{
    static const struct batch no_columns;

    return state_get(s->table, 0, &no_columns, NULL, 0, s->hash, intent, NULL);
}

static struct state_probe probe_one(const struct state_layout *l, const void *row)
{
    return (struct state_probe){.layout = *l, .rows = (char *)(uintptr_t)row, .count = 1};
}

enum status opstate_add(struct opstate *s, const void *probe_row)
{
    struct state_probe one = probe_one(&s->table->value, probe_row);
    void *head;

    ASSERT(s->kind != OPSTATE_BROADCAST);
    state_done(s->table);
    head = head_of(s, STATE_INSERT);
    if (head == NULL) return E_BUDGET;
    return state_log_append(s->table, 0, &head, &one, NULL, NULL);
}

void opstate_clear(struct opstate *s)
{
    state_head_clear(s->table, 0, head_of(s, STATE_UPDATE));
    state_done(s->table);
}

uint32_t opstate_count(struct opstate *s) { return state_head_rows(head_of(s, STATE_READ)); }

void *opstate_next(struct opstate *s, struct view_cursor *c)
{
    return state_head_next(s->table, 0, head_of(s, STATE_READ), &c->scan);
}

enum status opstate_append(struct opstate *s, const struct batch *b)
{
    struct state_probe rows;
    void *heads[BATCH_ROWS], *head;
    enum status st;

    ASSERT(s->kind != OPSTATE_BROADCAST && batch_rows(b) <= BATCH_ROWS);
    state_done(s->table);
    head = head_of(s, STATE_INSERT);
    if (head == NULL) return E_BUDGET;
    for (uint32_t i = 0; i < batch_rows(b); i++) heads[i] = head;
    st = state_probe_init(&rows, s->def.value, s->host->mem, s->host->err);
    if (st == S_OK) state_probe_fill(&rows, b, NULL, b->sel, batch_rows(b));
    if (st == S_OK) st = state_log_append(s->table, 0, heads, &rows, NULL, NULL);
    state_probe_release(&rows);
    return st;
}

bool opstate_load(struct opstate *s, struct view_cursor *c, struct batch *out)
{
    const void *rows[BATCH_ROWS];
    uint32_t n = 0;

    while (out->count + n < out->capacity && (rows[n] = opstate_next(s, c)) != NULL) n++;
    for (uint32_t f = 0; f < s->def.value->child_count; f++)
        state_rows_load(s->table, rows, n, f, &out->cols[f], out->count, &out->heap, out->mem);
    out->count += n;
    return n > 0;
}

static void *entry_of(struct opstate *s, const void *probe_key, enum state_intent intent, bool *is_new)
{
    struct state_probe one = probe_one(&s->table->extra, probe_key);
    void *head = head_of(s, intent), *row = NULL;
    uint64_t created = 0;

    ASSERT(s->kind == OPSTATE_BROADCAST);
    if (is_new) *is_new = false;
    if (head == NULL || state_entry_resolve(s->table, 0, &head, &one, intent, &row, &created) != S_OK) return NULL;
    if (is_new) *is_new = created & 1;
    return row;
}

void *opstate_get(struct opstate *s, const void *probe_key) { return entry_of(s, probe_key, STATE_READ, NULL); }

void *opstate_put(struct opstate *s, const void *probe_key, bool *is_new)
{
    state_done(s->table);
    return entry_of(s, probe_key, STATE_INSERT, is_new);
}

bool opstate_remove(struct opstate *s, const void *probe_key)
{
    void *row = entry_of(s, probe_key, STATE_UPDATE, NULL);

    if (row) state_row_remove(s->table, 0, head_of(s, STATE_UPDATE), row);
    return row != NULL;
}

const void *opstate_key(const struct opstate *s, const void *row) { return state_extra(s->table, row); }
void opstate_text_set(struct opstate *s, struct state_text *field, struct str value) { state_text_set(s->table, 0, field, value); }
