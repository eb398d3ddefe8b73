/* space.c - the namespaces of a table: finding, making, dropping, walking.
 *
 * The idea: each namespace (the end of a window slice) has shards, pages and strings of its own, so dropping one gives
 * back pages without looking at entries, and walking one reads memory in sequence. A sorted list of namespaces serves
 * look-up (with the last one remembered) and state_namespaces alike.
 *
 * Invariants: ns_list ascends and runs beside spaces; `current` and the table's blocks cache never outlive a space.
 * Walks go by slot, that is by age within a shard: the order is a function of the input, not of hashes of pointers.
 * Not here: creating entries. */
#include "flow/state/bag.h"
#include "flow/state/hashmap.h"

static uint32_t space_position(const struct hm_table *t, int64_t ns)
{
    uint32_t low = 0, high = t->space_count;

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (t->ns_list[middle] < ns) low = middle + 1;
        else high = middle;
    }
    return low;
}

struct space *space_find(struct hm_table *t, int64_t ns)
{
    uint32_t at;

    if (LIKELY(t->current != NULL && t->current->ns == ns)) return t->current;
    at = space_position(t, ns);
    if (at == t->space_count || t->ns_list[at] != ns) return NULL;
    t->current = t->spaces[at];
    return t->current;
}

struct space *space_make(struct hm_table *t, int64_t ns)
{
    struct mem *mem = t->base.host->mem;
    struct space *s = space_find(t, ns);
    uint32_t at, behind;

    if (s != NULL) return s;
    ASSERT(t->base.def->namespaced || ns == 0);
    if (t->space_count == t->space_capacity) {
        t->space_capacity = t->space_capacity ? t->space_capacity * 2 : 4;
        t->ns_list = mem_realloc(mem, t->ns_list, t->space_capacity * sizeof *t->ns_list);
        t->spaces = mem_realloc(mem, t->spaces, t->space_capacity * sizeof *t->spaces);
    }
    s = mem_zalloc(mem, sizeof *s + t->shard_count * sizeof *s->shards);
    s->ns = ns;
    for (uint32_t i = 0; i < t->shard_count; i++) shard_init(t, &s->shards[i], i);
    at = space_position(t, ns);
    behind = t->space_count - at;
    memmove(t->ns_list + at + 1, t->ns_list + at, behind * sizeof *t->ns_list);
    memmove(t->spaces + at + 1, t->spaces + at, behind * sizeof *t->spaces);
    t->ns_list[at] = ns;
    t->spaces[at] = s;
    t->space_count++;
    t->current = s;
    return s;
}

static void handles_forget(struct handles *list, const struct space *s)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i].space != s) list->items[kept++] = list->items[i];
    }
    list->count = kept;
}

static void space_free(struct hm_table *t, struct space *s)
{
    for (uint32_t i = 0; i < t->shard_count; i++) shard_release(t, &s->shards[i]);
    blocks_release(&s->blocks, &t->segments);
    mem_free(t->base.host->mem, s);
}

void space_drop(struct hm_table *t, struct space *s)
{
    uint32_t at = space_position(t, s->ns), behind;

    ASSERT(at < t->space_count && t->spaces[at] == s);
    behind = t->space_count - at - 1;
    memmove(t->ns_list + at, t->ns_list + at + 1, behind * sizeof *t->ns_list);
    memmove(t->spaces + at, t->spaces + at + 1, behind * sizeof *t->spaces);
    t->space_count--;
    handles_forget(&t->reserved, s);
    handles_forget(&t->removed, s);
    handles_forget(&t->touched, s);
    if (t->has_heads) bags_forget(t, s);
    if (t->latest.space == s) t->latest.space = NULL;
    if (t->base.blocks == &s->blocks) t->base.blocks = NULL;
    t->current = NULL;
    space_free(t, s);
}

void spaces_release(struct hm_table *t)
{
    while (t->space_count > 0) space_drop(t, t->spaces[t->space_count - 1]);
    mem_free(t->base.host->mem, t->ns_list);
    mem_free(t->base.host->mem, t->spaces);
}

static bool is_shown(struct hm_table *t, const char *row)
{
    if (t->ttl_offset == 0 || t->base.def->ttl.visibility != STATE_TTL_NEVER_RETURN_EXPIRED) return true;
    return !hm_is_expired(t, row, hm_now(t));
}

enum status hm_each(struct state_table *base, int64_t ns, struct state_cursor *c, struct batch *keys, const uint32_t *cols,
                    void **rows, uint32_t *n)
{
    struct hm_table *t = hm_of(base);
    struct space *s = space_find(t, ns);
    struct key_set *set = &base->host->scratch->keys;
    uint32_t room = MIN(keys->capacity - keys->count, (uint32_t)BATCH_ROWS), count = 0;

    set->has_nulls = false;
    for (; s != NULL && c->shard < t->shard_count; c->shard++, c->slot = 0) {
        const struct shard *sh = &s->shards[c->shard];
        for (uint32_t slot; (slot = slot_next_live(t, sh, c->slot)) != NO_SLOT; c->slot = slot + 1) {
            char *row = entry_at(t, sh, slot) + t->row_offset;
            if (!is_shown(t, row)) continue;
            if (count == room) goto full;
            entry_key(t, sh, slot, set, count);
            rows[count++] = row;
        }
    }
full:
    key_scatter(&t->key, set, count, keys, cols, keys->count);
    keys->count += count;
    *n = count;
    return s != NULL && c->shard < t->shard_count ? S_MORE : S_OK;
}
