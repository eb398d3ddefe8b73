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
#include "flow/state/freeze.h"
#include "flow/state/hashmap.h"

enum { SPARES_MAX = 4 };

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

static struct space *space_new(struct hm_table *t, int64_t ns)
{
    struct space *s = t->spares;

    if (s != NULL) {
        t->spares = s->next_spare;
        t->spare_count--;
    } else {
        s = mem_zalloc(t->base.host->mem, sizeof *s + t->shard_count * sizeof *s->shards);
        for (uint32_t i = 0; i < t->shard_count; i++) shard_init(t, &s->shards[i], i);
    }
    s->ns = ns;
    for (uint32_t i = 0; i < MIN(t->shard_count, (uint32_t)SHARDS_NAMESPACED); i++) s->shards[i].expected = t->expected[i];
    return s;
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
    s = space_new(t, ns);
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
    mem_free(t->base.host->mem, s);
}

struct space *space_apart(struct hm_table *t, int64_t ns) { return space_new(t, ns); }

void space_empty(struct hm_table *t, struct space *s)
{
    blocks_release(&s->blocks, &t->segments);
    for (uint32_t i = 0; i < t->shard_count; i++) shard_clear(t, &s->shards[i]);
    s->blocks = (struct blocks){0};
    s->live = s->away = 0;
    s->is_stored = false;
    s->sweep = (struct state_cursor){0};
}

/* Namespaces come and go at a steady pace: a few are kept, without pages, and the next one begins with what this one knew. */
void space_give_back(struct hm_table *t, struct space *s)
{
    size_t bytes = 0;

    for (uint32_t i = 0; i < MIN(t->shard_count, (uint32_t)SHARDS_NAMESPACED); i++) {
        t->expected[i] = index_expectation(&s->shards[i]);
        bytes += t->expected[i] * sizeof(struct bucket);
    }
    t->expected_bytes = bytes;
    if (t->spare_count == SPARES_MAX) {
        blocks_release(&s->blocks, &t->segments);
        space_free(t, s);
        return;
    }
    space_empty(t, s);
    s->next_spare = t->spares;
    t->spares = s;
    t->spare_count++;
}

void space_drop(struct hm_table *t, struct space *s)
{
    uint32_t at = space_position(t, s->ns), behind;
    bool is_buried = t->frozen != NULL && frozen_bury(t, s);

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
    if (!is_buried) space_give_back(t, s);
}

void spaces_release(struct hm_table *t)
{
    while (t->space_count > 0) space_drop(t, t->spaces[t->space_count - 1]);
    while (t->spares != NULL) {
        struct space *s = t->spares;
        t->spares = s->next_spare;
        space_free(t, s);
    }
    t->spare_count = 0;
    mem_free(t->base.host->mem, t->ns_list);
    mem_free(t->base.host->mem, t->spaces);
}

bool entry_is_shown(struct hm_table *t, const char *row)
{
    if (t->ttl_offset == 0 || t->base.def->ttl.visibility != STATE_TTL_NEVER_RETURN_EXPIRED) return true;
    return !hm_is_expired(t, row, hm_now(t));
}

/* Keys and rows of n slots, behind the `count` there are; answers how many there are then. */
static uint32_t each_shown(struct hm_table *t, const struct shard *sh, const uint32_t *slots, uint32_t n, struct key_set *set,
                           void **rows, uint32_t count)
{
    for (uint32_t i = 0; i < n; i++) {
        char *row = entry_at(t, sh, slots[i]) + t->row_offset;
        if (!entry_is_shown(t, row)) continue;
        entry_key(t, sh, slots[i], set, count);
        rows[count++] = row;
    }
    return count;
}

enum status hm_each(struct state_table *base, int64_t ns, struct state_cursor *c, struct batch *keys, const uint32_t *cols,
                    void **rows, uint32_t *n)
{
    struct hm_table *t = hm_of(base);
    struct space *s = space_find(t, ns);
    struct key_set *set = &base->host->scratch->keys;
    uint32_t room = MIN(keys->capacity - keys->count, (uint32_t)BATCH_ROWS), count = 0, *slots = base->host->scratch->slots;

    set->has_nulls = false;
    for (; s != NULL && c->shard < t->shard_count; c->shard++, c->slot = 0) {
        const struct shard *sh = &s->shards[c->shard];
        uint32_t n_slots;
        do {
            if (count == room && slot_next_live(t, sh, c->slot) != NO_SLOT) goto full;
            n_slots = slots_live(t, sh, c->slot, slots, room - count);
            if (n_slots > 0) c->slot = slots[n_slots - 1] + 1;
            count = each_shown(t, sh, slots, n_slots, set, rows, count);
        } while (n_slots > 0);
    }
full:
    key_scatter(&t->key, set, count, keys, cols, keys->count);
    keys->count += count;
    *n = count;
    return s != NULL && c->shard < t->shard_count ? S_MORE : S_OK;
}
