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

struct kv_memory {
    struct kv base;
    struct mem *mem; /* the world's, so that what a process held that died goes with it; or own */
    struct mem own;
    struct item *items; /* by key */
    uint32_t count, capacity;
    struct buf given; /* bytes of the latest answer */
    struct kv_pair *pairs;
    uint32_t pair_capacity;
};

static struct kv_memory *memory_of(struct kv *kv) { return (struct kv_memory *)kv; }
static struct str item_key(const struct item *i) { return (struct str){i->bytes, i->key}; }
static struct str item_value(const struct item *i) { return (struct str){i->bytes + i->key, i->value}; }

static void memory_close(struct kv *kv)
{
    struct kv_memory *m = memory_of(kv);
    struct mem own;

    for (uint32_t i = 0; i < m->count; i++) mem_free(m->mem, m->items[i].bytes);
    mem_free(m->mem, m->items);
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
static uint32_t place_of(const struct kv_memory *m, struct str key)
{
    uint32_t low = 0, high = m->count;

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (str_compare(item_key(&m->items[middle]), key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_there(const struct kv_memory *m, uint32_t at, struct str key)
{
    return at < m->count && str_compare(item_key(&m->items[at]), key) == 0;
}

/* ---- reading */

static void forget(struct kv_memory *m)
{
    if (m->given.size > 0) memset(m->given.data, 0xdb, m->given.size);
    buf_clear(&m->given);
}

static enum status memory_get(struct kv *kv, const struct str *keys, uint32_t count, struct str *values, struct err *e)
{
    struct kv_memory *m = memory_of(kv);
    size_t all = 0;

    (void)e;
    ASSERT(count <= KV_GET_MAX);
    forget(m);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = place_of(m, keys[i]);
        ASSERT(i == 0 || str_compare(keys[i - 1], keys[i]) < 0);
        values[i] = is_there(m, at, keys[i]) ? item_value(&m->items[at]) : (struct str){NULL, 0};
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

static enum status memory_scan(struct kv *kv, struct str from, struct str to, uint32_t max, size_t bytes,
                               const struct kv_pair **pairs, uint32_t *n, struct err *e)
{
    struct kv_memory *m = memory_of(kv);
    uint32_t first = place_of(m, from), end = first;
    size_t all = 0;

    (void)e;
    ASSERT(max > 0 && str_compare(from, to) <= 0);
    forget(m);
    for (; end < m->count && end - first < max && (all < bytes || end == first) &&
           str_compare(item_key(&m->items[end]), to) < 0;
         end++)
        all += m->items[end].key + m->items[end].value;
    if (m->pair_capacity < end - first) {
        m->pair_capacity = end - first;
        m->pairs = mem_realloc(m->mem, m->pairs, m->pair_capacity * sizeof *m->pairs);
    }
    buf_reserve(&m->given, all + 1);
    for (uint32_t i = first; i < end; i++) pair_give(m, i - first, &m->items[i]);
    *pairs = m->pairs;
    *n = end - first;
    return S_OK;
}

/* ---- writing */

static void item_drop(struct kv_memory *m, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++) mem_free(m->mem, m->items[i].bytes);
    memmove(m->items + first, m->items + end, (m->count - end) * sizeof *m->items);
    m->count -= end - first;
}

static void item_put(struct kv_memory *m, struct str key, struct str value)
{
    uint32_t at = place_of(m, key);
    struct item item = {mem_alloc(m->mem, key.size + value.size + 1), key.size, value.size};

    memcpy(item.bytes, key.data, key.size);
    memcpy(item.bytes + key.size, value.data, value.size);
    if (is_there(m, at, key)) {
        mem_free(m->mem, m->items[at].bytes);
        m->items[at] = item;
        return;
    }
    if (m->count == m->capacity) {
        m->capacity = m->capacity ? m->capacity * 2 : 64;
        m->items = mem_realloc(m->mem, m->items, m->capacity * sizeof *m->items);
    }
    memmove(m->items + at + 1, m->items + at, (m->count - at) * sizeof *m->items);
    m->items[at] = item;
    m->count++;
}

static enum status memory_write(struct kv *kv, const struct kv_changes *c, struct err *e)
{
    struct kv_memory *m = memory_of(kv);
    struct kv_change change;
    size_t at = 0;

    (void)e;
    forget(m);
    while (kv_change_next(c, &at, &change)) {
        uint32_t first = place_of(m, change.key);
        if (change.verb == KV_PUT) {
            item_put(m, change.key, change.value);
        } else if (change.verb == KV_DELETE) {
            if (is_there(m, first, change.key)) item_drop(m, first, first + 1);
        } else {
            ASSERT(str_compare(change.key, change.value) <= 0);
            item_drop(m, first, place_of(m, change.value));
        }
    }
    return S_OK;
}

static const struct kv_ops memory_ops = {memory_close, memory_get, memory_write, memory_scan};

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
