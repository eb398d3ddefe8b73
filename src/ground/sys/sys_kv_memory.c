/* sys_kv_memory.c - sys_kv.h in memory: a sorted list of pairs, exact and strict, for the simulated world and for tests.
 *
 * What callers must keep to is asserted (keys ascend, ranges are not backwards), and what a call gave is overwritten by the next, so
 * that whoever looks at it too late reads nonsense. Not here: speed; inserting moves what lies behind. */
#include "ground/base/str.h"
#include "ground/sys/sys.h"
#include "ground/sys/sys_kv.h"

#include <string.h>

struct item {
    char *bytes; /* key, then value */
    size_t key, value;
};

struct kv_snapshot {
    struct item *items; /* by key */
    uint32_t count, capacity;
};

struct kv_memory {
    struct kv base;
    struct mem *mem; /* the world's, so that what a process held that died goes with it; or own */
    struct mem own;
    struct kv_snapshot now;
    uint32_t snapshots; /* that were not given back */
    struct buf given; /* bytes of the latest answer */
    struct kv_pair *pairs;
    uint32_t pair_capacity;
};

static struct kv_memory *memory_of(struct kv *kv) { return (struct kv_memory *)kv; }
static struct str item_key(const struct item *i) { return (struct str){i->bytes, i->key}; }
static struct str item_value(const struct item *i) { return (struct str){i->bytes + i->key, i->value}; }

static void items_free(struct kv_memory *m, struct kv_snapshot *of)
{
    for (uint32_t i = 0; i < of->count; i++) mem_free(m->mem, of->items[i].bytes);
    mem_free(m->mem, of->items);
}

static struct item item_make(struct kv_memory *m, struct str key, struct str value)
{
    struct item item = {mem_alloc(m->mem, key.size + value.size + 1), key.size, value.size};

    memcpy(item.bytes, key.data, key.size);
    memcpy(item.bytes + key.size, value.data, value.size);
    return item;
}

static void memory_close(struct kv *kv)
{
    struct kv_memory *m = memory_of(kv);
    struct mem own;

    ASSERT(m->snapshots == 0);
    items_free(m, &m->now);
    mem_free(m->mem, m->pairs);
    buf_release(&m->given);
    if (m->mem != &m->own) {
        mem_free(m->mem, m);
        return;
    }
    mem_init(&own, "kv", 0);
    mem_move(&m->own, &own);
    mem_release(&own);
}

/* The first item that is not before the key. */
static uint32_t place_of(const struct kv_snapshot *in, struct str key)
{
    uint32_t low = 0, high = in->count;

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (str_compare(item_key(&in->items[middle]), key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_there(const struct kv_snapshot *in, uint32_t at, struct str key)
{
    return at < in->count && str_compare(item_key(&in->items[at]), key) == 0;
}

/* ---- reading */

static void forget(struct kv_memory *m)
{
    if (m->given.size > 0) memset(m->given.data, 0xdb, m->given.size);
    buf_clear(&m->given);
}

static enum status memory_get(struct kv *kv, const struct kv_snapshot *then, const struct str *keys, uint32_t count,
                              struct str *values, struct err *e)
{
    struct kv_memory *m = memory_of(kv);
    const struct kv_snapshot *in = then != NULL ? then : &m->now;
    size_t all = 0;

    (void)e;
    ASSERT(count <= KV_GET_MAX);
    forget(m);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = place_of(in, keys[i]);
        ASSERT(i == 0 || str_compare(keys[i - 1], keys[i]) < 0);
        values[i] = is_there(in, at, keys[i]) ? item_value(&in->items[at]) : (struct str){NULL, 0};
        all += values[i].size + 1;
    }
    buf_reserve(&m->given, all);
    for (uint32_t i = 0; i < count; i++) {
        if (values[i].data == NULL) continue;
        const char *copy = m->given.data + m->given.size;
        buf_append(&m->given, values[i].data, values[i].size);
        values[i].data = copy;
    }
    return S_OK;
}

static void pair_give(struct kv_memory *m, uint32_t n, const struct item *item)
{
    char *copy = m->given.data + m->given.size;

    buf_append(&m->given, item->bytes, item->key + item->value);
    m->pairs[n] = (struct kv_pair){{copy, item->key}, {copy + item->key, item->value}};
}

static enum status memory_scan(struct kv *kv, const struct kv_snapshot *then, struct str from, struct str to, uint32_t max,
                               size_t bytes, const struct kv_pair **pairs, uint32_t *n, struct err *e)
{
    struct kv_memory *m = memory_of(kv);
    const struct kv_snapshot *in = then != NULL ? then : &m->now;
    uint32_t first = place_of(in, from), end = first;
    size_t all = 0;

    (void)e;
    ASSERT(max > 0 && str_compare(from, to) <= 0);
    forget(m);
    for (; end < in->count && end - first < max && (all < bytes || end == first) &&
           str_compare(item_key(&in->items[end]), to) < 0;
         end++)
        all += in->items[end].key + in->items[end].value;
    if (m->pair_capacity < end - first) {
        m->pair_capacity = end - first;
        m->pairs = mem_realloc(m->mem, m->pairs, m->pair_capacity * sizeof *m->pairs);
    }
    buf_reserve(&m->given, all + 1);
    for (uint32_t i = first; i < end; i++) pair_give(m, i - first, &in->items[i]);
    *pairs = m->pairs;
    *n = end - first;
    return S_OK;
}

/* ---- writing */

static void item_drop(struct kv_memory *m, uint32_t first, uint32_t end)
{
    struct kv_snapshot *in = &m->now;

    for (uint32_t i = first; i < end; i++) mem_free(m->mem, in->items[i].bytes);
    memmove(in->items + first, in->items + end, (in->count - end) * sizeof *in->items);
    in->count -= end - first;
}

static void item_put(struct kv_memory *m, struct str key, struct str value)
{
    struct kv_snapshot *in = &m->now;
    uint32_t at = place_of(in, key);
    struct item item = item_make(m, key, value);

    if (is_there(in, at, key)) {
        mem_free(m->mem, in->items[at].bytes);
        in->items[at] = item;
        return;
    }
    if (in->count == in->capacity) {
        in->capacity = in->capacity ? in->capacity * 2 : 64;
        in->items = mem_realloc(m->mem, in->items, in->capacity * sizeof *in->items);
    }
    memmove(in->items + at + 1, in->items + at, (in->count - at) * sizeof *in->items);
    in->items[at] = item;
    in->count++;
}

static enum status memory_write(struct kv *kv, const struct kv_changes *c, struct err *e)
{
    struct kv_memory *m = memory_of(kv);
    struct kv_change change;
    size_t at = 0;

    (void)e;
    forget(m);
    while (kv_change_next(c, &at, &change)) {
        uint32_t first = place_of(&m->now, change.key);
        if (change.verb == KV_PUT) {
            item_put(m, change.key, change.value);
        } else if (change.verb == KV_DELETE) {
            if (is_there(&m->now, first, change.key)) item_drop(m, first, first + 1);
        } else {
            ASSERT(str_compare(change.key, change.value) <= 0);
            item_drop(m, first, place_of(&m->now, change.value));
        }
    }
    return S_OK;
}

/* ---- as it was */

static struct kv_snapshot *memory_snapshot(struct kv *kv)
{
    struct kv_memory *m = memory_of(kv);
    struct kv_snapshot *at = mem_zalloc(m->mem, sizeof *at);

    at->count = at->capacity = m->now.count;
    at->items = mem_alloc(m->mem, (at->count + 1) * sizeof *at->items);
    for (uint32_t i = 0; i < at->count; i++) at->items[i] = item_make(m, item_key(&m->now.items[i]), item_value(&m->now.items[i]));
    m->snapshots++;
    return at;
}

static void memory_release(struct kv *kv, struct kv_snapshot *at)
{
    struct kv_memory *m = memory_of(kv);

    items_free(m, at);
    mem_free(m->mem, at);
    m->snapshots--;
}

static const struct kv_ops memory_ops = {memory_close, memory_write, memory_get, memory_scan, memory_snapshot, memory_release};

enum status kv_memory_open(struct sys *s, const struct kv_settings *o, struct kv **out, struct err *e)
{
    struct mem own;
    struct kv_memory *m;

    (void)o, (void)e;
    if (s->mem != NULL) {
        m = mem_zalloc(s->mem, sizeof *m);
        m->mem = s->mem;
    } else {
        mem_init(&own, "kv", 0);
        m = mem_zalloc(&own, sizeof *m);
        mem_init(&m->own, "kv", 0);
        mem_move(&own, &m->own);
        m->mem = &m->own;
    }
    m->base.ops = &memory_ops;
    buf_init(&m->given, m->mem);
    *out = &m->base;
    return S_OK;
}
