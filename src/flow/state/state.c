/* state.c - the face of keyed state: hosts, opening tables, and handing each call to the table's backend.
 *
 * The idea: one indirect call per batch and verb costs nothing that can be measured, so every verb of state.h goes
 * through the descriptor; what holds for all backends (are the definitions sound?) is checked here once.
 *
 * Not here: anything about how entries are kept. */
#include "flow/state/state.h"

#include "flow/state/behind.h"
#include "flow/state/disk.h"
#include "flow/state/hashmap.h"
#include "flow/state/pack.h"
#include "flow/state/sb.h"
#include "flow/state/snapshot_load.h"

#include "ground/base/str.h"

#include <stdio.h>

static const struct sb_type *const backends[] = {
#define X(name) &sb_##name,
#include "sb_registry.def"
#undef X
};

const struct sb_type *sb_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(backends); i++) {
        if (str_equal(str_of(backends[i]->name), str_of(name))) return backends[i];
    }
    return NULL;
}

bool state_is_on_disk(const struct sb_type *backend) { return backend->on_disk; }

void state_host_init(struct state_host *h)
{
    ASSERT(h->mem != NULL && h->backend != NULL);
    ASSERT(h->max_parallelism > 0 && h->group_count > 0 && h->group_first + h->group_count <= h->max_parallelism);
    h->store = NULL;
    if (h->backend->on_disk && h->bytes_max > 0) { /* so many are in memory, and no batch is refused for it */
        h->cache_bytes = h->bytes_max;
        h->bytes_max = 0;
    }
    h->pool = pool_create(h->mem);
    h->pool->taken_max = h->bytes_max;
    h->scratch = mem_zalloc(h->mem, sizeof *h->scratch);
    key_set_init(&h->scratch->keys, h->mem);
}

void state_host_budget(struct state_host *h, struct state_budget *budget)
{
    ASSERT(h->pool->taken == 0 && h->pool->region_count == 0);
    if (!h->backend->on_disk) h->pool->budget = budget;
}

void state_host_take_all(struct state_host *h)
{
    ASSERT(h->tables == NULL);
    h->group_first = 0;
    h->group_count = h->max_parallelism;
}

void state_host_release(struct state_host *h)
{
    if (h->pool == NULL) return;
    store_free(h->store);
    h->store = NULL;
    key_set_release(&h->scratch->keys);
    mem_free(h->mem, h->scratch);
    pool_free(h->pool);
    h->pool = NULL;
    h->scratch = NULL;
}

enum status host_refuse(struct state_host *h, const char *about, uint32_t count, const char *of)
{
    bool is_own = h->bytes_max > 0;
    size_t used = is_own ? h->pool->taken : h->mem->used, most = is_own ? h->bytes_max : h->mem->limit;

    const struct state_budget *all = h->pool->budget;

    if (is_own)
        err_hint(h->err, "raise '" STATE_MEMORY_KEY "', which each subtask of an operator has, or set 'state.backend.type' to 'rocksdb', "
                         "or let state expire: 'table.exec.state.ttl'");
    if (!is_own && all != NULL && all->max > 0) {
        err_hint(h->err, "set 'state.backend.type' to 'rocksdb', which keeps on disk what does not fit, or raise "
                         "'taskmanager.memory.process.size', or let state expire: 'table.exec.state.ttl'");
        return err_set(h->err, E_BUDGET, "%s: no room for %u more %s: %llu of %llu bytes that the process has for state are in use", about,
                       count, of, (unsigned long long)sys_atomic_load(&all->used), (unsigned long long)all->max);
    }
    return err_set(h->err, E_BUDGET, "%s: no room for %u more %s: %zu of %zu bytes are in use", about, count, of, used, most);
}

enum status table_refuse(const struct state_table *t, uint32_t count, const char *of)
{
    char about[128];

    snprintf(about, sizeof about, "state `%s`", t->def->name);
    return host_refuse(t->host, about, count, of);
}

uint64_t state_host_hash(const struct state_host *h)
{
    uint64_t high = (((uint64_t)h->group_first << 32) + h->max_parallelism - 1) / h->max_parallelism;

    ASSERT(state_key_group(high << 32, h->max_parallelism) == h->group_first);
    return high << 32;
}

static enum status def_check(const struct state_host *h, const struct state_def *def, struct err *e)
{
    const char *name = def->name;

    if (name == NULL || name[0] == '\0') return err_set(e, E_GRAPH, "state: a state has no name");
    for (const struct state_table *t = h->tables; t != NULL; t = t->next) {
        bool is_namesake = t->def->namespaced == def->namespaced && (t->def->sharing == STATE_KEYED) == (def->sharing == STATE_KEYED);
        if (is_namesake && str_equal(str_of(t->def->name), str_of(name)))
            return err_set(e, E_EXISTS, "there are two states of the name `%s`", name);
    }
    if (def->key == NULL || def->key->kind != T_ROW || def->value == NULL || def->value->kind != T_ROW)
        return err_set(e, E_GRAPH, "state `%s`: key and value are rows", name);
    if (def->map_key != NULL && (def->shape != STATE_MAP || def->map_key->kind != T_ROW))
        return err_set(e, E_GRAPH, "state `%s`: a map key is a row and belongs to the shape MAP", name);
    if ((def->sort_key != NULL) != (def->shape == STATE_ORDERED))
        return err_set(e, E_GRAPH, "state `%s`: a sort key belongs to the shape ORDERED, which needs one", name);
    if ((def->shape == STATE_PACKED || def->shape == STATE_PLACES) && (def->ttl.update != STATE_TTL_OFF || !pack_fits(def->value)))
        return err_set(e, E_GRAPH, "state `%s`: the shapes PACKED and PLACES have neither a time to live nor nested values", name);
    if (def->ttl.update != STATE_TTL_OFF && def->ttl.ms <= 0)
        return err_set(e, E_CONFIG, "state `%s`: a time to live of %lld ms; it must be positive", name, (long long)def->ttl.ms);
    if (def->ttl.update != STATE_TTL_OFF && h->now_ms == NULL)
        return err_set(e, E_GRAPH, "state `%s`: a time to live without a clock", name);
    return S_OK;
}

enum status state_open(struct state_host *h, const struct state_def *def, struct state_table **out, struct err *e)
{
    enum status st = def_check(h, def, e);

    if (st != S_OK) return st;
    st = h->backend->open(h, def, out, e);
    if (st != S_OK) {
        err_wrap(e, "state `%s`", def->name);
        return st;
    }
    (*out)->next = h->tables;
    h->tables = *out;
    if (h->restore == NULL) return S_OK;
    st = snapshot_load_table(*out, e);
    if (st == S_OK) return S_OK;
    state_close(*out);
    *out = NULL;
    return st;
}

void state_close(struct state_table *t)
{
    if (t == NULL) return;
    struct state_table **at = &t->host->tables;
    while (*at != t) at = &(*at)->next;
    *at = t->next;
    t->type->close(t);
}

enum status state_resolve(struct state_table *t, int64_t ns, const struct state_keys *keys, enum state_intent intent, void **rows,
                          uint64_t *created)
{
    return t->type->resolve(t, ns, keys, intent, rows, created);
}

void state_write(struct state_table *t, uint32_t i) { t->type->write(t, i); }
void state_touch(struct state_table *t, uint32_t i) { t->type->touch(t, i); }
void state_erase(struct state_table *t, uint32_t i) { t->type->erase(t, i); }
bool state_is_set(const struct state_table *t, uint32_t i) { return t->type->is_set(t, i); }
void state_remove(struct state_table *t, const uint64_t *which) { t->type->remove(t, which); }
void state_prune_created(struct state_table *t, const uint64_t *keep) { t->type->prune_created(t, keep); }
void state_done(struct state_table *t) { t->type->done(t); }
void state_drop(struct state_table *t, int64_t ns) { t->type->drop(t, ns); }
void state_freeze(struct state_table *t) { t->type->freeze(t, NULL, &(struct freezing){.what = FREEZE_CHANGES}); }
void state_thaw(struct state_table *t) { t->type->thaw(t); }

enum status state_delete(struct state_table *t, int64_t ns, const struct state_keys *keys)
{
    return t->type->delete(t, ns, keys);
}

void *state_get(struct state_table *t, int64_t ns, const struct batch *b, const uint32_t *cols, uint32_t row, uint64_t hash,
                enum state_intent intent, bool *created)
{
    return t->type->get(t, ns, b, cols, row, hash, intent, created);
}

enum status state_each(struct state_table *t, int64_t ns, struct state_cursor *c, struct batch *keys, const uint32_t *cols,
                       void **rows, uint32_t *n)
{
    return t->type->each(t, ns, c, keys, cols, rows, n);
}

bool state_has_handles(const struct state_host *h) { return h->backend->handle != NULL; }
uint64_t state_handle(const struct state_table *t, uint32_t i) { return t->type->handle(t, i); }

void state_rows_at(struct state_table *t, const uint64_t *handles, uint32_t stride, uint32_t n, void **rows)
{
    t->type->rows_at(t, handles, stride, n, rows);
}

const int64_t *state_namespaces(struct state_table *t, uint32_t *count) { return t->type->namespaces(t, count); }
uint64_t state_count(const struct state_table *t, int64_t ns) { return t->type->count(t, ns); }
uint64_t state_dirty_count(const struct state_table *t, bool frozen) { return t->type->dirty_count(t, frozen); }

static uint64_t table_count(struct state_table *t)
{
    uint32_t namespaces = 0;
    uint64_t sum = 0;

    if (t->def->key->child_count == 0) return 0; /* operator state */
    if (!t->def->namespaced) return state_count(t, 0);
    const int64_t *ns = state_namespaces(t, &namespaces);
    for (uint32_t i = 0; i < namespaces; i++) sum += state_count(t, ns[i]);
    return sum;
}

size_t state_host_bytes(const struct state_host *h) { return h->pool->taken; }

uint64_t state_host_bytes_all(const struct state_host *h)
{
    return h->pool->taken + (h->store != NULL ? store_away_bytes(h->store) : 0);
}

uint64_t state_host_count(const struct state_host *h)
{
    uint64_t sum = 0;

    for (struct state_table *t = h->tables; t != NULL; t = t->next) sum += table_count(t);
    return sum;
}
