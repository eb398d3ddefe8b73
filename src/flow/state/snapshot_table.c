/* snapshot_table.c - a table is filled with what the host's restore has of it.
 *
 * The idea: rows come in batches and go in by the verbs of the table's shape; where chunks are parts, keys and namespaces go again by the
 * verbs that operators use. Not here: which rows those are (snapshot_load.c), how they go in (snapshot_rows.c). */
#include "flow/state/pool_ahead.h"
#include "flow/state/sb.h"
#include "flow/state/snapshot_load.h"
#include "flow/state/snapshot_rows.h"

static void table_hash(void *arg, const struct batch *b, uint64_t *out)
{
    const struct rows_in *in = arg;

    state_def_hash(in->table->def, b, in->key_cols, out);
}

static enum status table_put(void *arg, const struct loaded_rows *rows, struct err *e)
{
    if (rows->is_new) return rows_in_append(arg, rows->schema, rows->batch, rows->ns, rows->sel, rows->count, rows->hashes, e);
    return rows_in_put(arg, rows->schema, rows->batch, rows->ns, rows->sel, rows->count, rows->hashes, e);
}

static enum status table_part_end(void *arg, struct err *e) { return rows_in_end(arg, e); }

static enum status table_gone(void *arg, const struct loaded_rows *rows, struct err *e)
{
    const struct rows_in *in = arg;
    const struct state_keys keys = {.batch = rows->batch, .cols = in->key_cols, .col_count = rows->schema->count[ROLE_KEY],
                                    .count = rows->count, .sel = rows->sel, .hashes = rows->hashes};
    enum status st;

    (void)e;
    do {
        st = state_delete(in->table, rows->ns, &keys);
    } while (st == S_PENDING);
    state_done(in->table);
    return st;
}

/* Of a namespace to which others have contributed: key by key. */
static enum status groups_delete(struct rows_in *in, const struct loaded_drop *drop)
{
    struct state_table *t = in->table;
    struct batch *keys = batch_create(t->def->key, BATCH_ROWS, t->host->mem);
    struct state_cursor c = {0};
    uint32_t cols[STATE_KEY_COLS];
    uint64_t hashes[BATCH_ROWS];
    uint16_t sel[BATCH_ROWS];
    enum status st = S_MORE, deleted;

    for (uint32_t k = 0; k < STATE_KEY_COLS; k++) cols[k] = k;
    while (st == S_MORE) {
        uint32_t n, picked = 0;
        batch_clear(keys);
        st = state_each(t, drop->ns, &c, keys, NULL, in->rows, &n);
        if (st < 0) break;
        state_def_hash(t->def, keys, cols, hashes);
        for (uint32_t i = 0; i < n; i++) {
            if (state_key_group(hashes[i], drop->max_parallelism) - drop->group_first >= drop->group_count) continue;
            hashes[picked] = hashes[i];
            sel[picked++] = (uint16_t)i;
        }
        const struct state_keys gone = {.batch = keys, .cols = cols, .col_count = keys->col_count, .count = picked, .sel = sel, .hashes = hashes};
        do {
            deleted = state_delete(t, drop->ns, &gone);
        } while (deleted == S_PENDING);
        state_done(t);
        if (deleted != S_OK) st = deleted;
    }
    batch_free(keys);
    return st;
}

static enum status table_dropped(void *arg, const struct loaded_drop *drop, struct err *e)
{
    struct rows_in *in = arg;

    (void)e;
    if (!drop->is_all) return groups_delete(in, drop);
    state_drop(in->table, drop->ns);
    return S_OK;
}

static enum status table_fill(struct state_table *t, struct rows_in *in, const struct state_schema *own, struct err *e)
{
    struct loader l = {.host = t->host, .own = own, .hash = own->sharing == STATE_KEYED ? table_hash : NULL, .put = table_put, .part_end = table_part_end, .arg = in};
    bool has_heads = own->shape != STATE_MAP || own->count[ROLE_EXTRA] > 0;
    struct err *said = t->host->err;
    struct load_size size;

    if (!snapshot_is_whole_in_each(own)) {
        l.gone = table_gone;
        l.dropped = table_dropped;
        l.replaces = has_heads;
    }
    TRY(load_count(&l, &size, e));
    if (!own->namespaced) t->type->expect(t, size.keys);
    pool_ahead_start(t->host->pool, t->host->restore->sys, size.bytes);
    t->host->err = e; /* what verbs say of memory belongs to this call */
    enum status st = load_rows(&l, e);
    t->host->err = said;
    pool_ahead_stop(t->host->pool);
    return st;
}

enum status snapshot_load_table(struct state_table *t, struct err *e)
{
    struct mem *mem = t->host->mem;
    struct rows_in *in = mem_zalloc(mem, sizeof *in);
    struct state_schema own;
    struct arena a;

    arena_init(&a, mem, 0);
    schema_of_table(t, &a, &own);
    enum status st = rows_in_open(in, t, &own, &a, e);
    if (st == S_OK) st = table_fill(t, in, &own, e);
    rows_in_close(in);
    arena_release(&a);
    mem_free(mem, in);
    return st;
}

enum status snapshot_has_table(struct state_host *h, const struct state_def *def, bool *has, struct err *e)
{
    struct state_table as_if = {.host = h, .def = def};
    struct state_schema own;
    struct arena a;

    *has = false;
    if (h->restore == NULL) return S_OK;
    arena_init(&a, h->mem, 0);
    schema_of_table(&as_if, &a, &own);
    struct loader l = {.host = h, .own = &own};
    struct load_size size = {0};
    enum status st = load_count(&l, &size, e);
    *has = size.has;
    arena_release(&a);
    return st;
}
