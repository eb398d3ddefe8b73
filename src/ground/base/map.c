/* map.c - insertion-ordered hash map: entries lie densely in the order they came, an open-addressing index of u32
 * positions points into them. Removed entries leave a hole that the next rebuild closes. */
#include "ground/base/map.h"

#include "ground/base/hash.h"
#include "ground/base/str.h"

#include <string.h>

enum { INDEX_FIRST = 16 };
#define MAP_SEED UINT64_C(0x6d61705f74776731)
#define SLOT_FREE UINT32_MAX

void map_init(struct map *m, struct mem *mem) { *m = (struct map){.mem = mem}; }

void map_release(struct map *m)
{
    for (uint32_t i = 0; i < m->used; i++) mem_free(m->mem, (void *)(uintptr_t)m->entries[i].key.data);
    mem_free(m->mem, m->entries);
    mem_free(m->mem, m->index);
    *m = (struct map){.mem = m->mem};
}

/* Index slot of the key, or the free one where it would go. */
static uint32_t find_slot(const struct map *m, struct str key)
{
    uint32_t mask = m->index_size - 1;
    uint32_t slot = (uint32_t)hash64_seeded(key.data, key.size, MAP_SEED) & mask;

    while (m->index[slot] != SLOT_FREE) {
        const struct map_entry *e = &m->entries[m->index[slot]];
        if (e->key.data != NULL && str_equal(e->key, key)) return slot;
        slot = (slot + 1) & mask;
    }
    return slot;
}

static void rebuild(struct map *m)
{
    uint32_t kept = 0, size = INDEX_FIRST;

    for (uint32_t i = 0; i < m->used; i++)
        if (m->entries[i].key.data != NULL) m->entries[kept++] = m->entries[i];
    m->used = m->count = kept;
    while (size < (kept + 1) * 2) size *= 2;
    m->index = mem_realloc(m->mem, m->index, sizeof *m->index * size);
    m->index_size = size;
    memset(m->index, 0xFF, sizeof *m->index * size);
    for (uint32_t i = 0; i < kept; i++) m->index[find_slot(m, m->entries[i].key)] = i;
}

void *map_get(const struct map *m, struct str key)
{
    if (m->count == 0) return NULL;
    uint32_t at = m->index[find_slot(m, key)];
    return at == SLOT_FREE ? NULL : m->entries[at].value;
}

static void append_entry(struct map *m, struct str key, void *value)
{
    if (m->used == m->capacity) {
        m->capacity = MAX(8u, m->capacity * 2);
        m->entries = mem_realloc(m->mem, m->entries, sizeof *m->entries * m->capacity);
    }
    char *copy = mem_alloc(m->mem, key.size + 1);
    if (key.size > 0) memcpy(copy, key.data, key.size);
    copy[key.size] = '\0';
    m->entries[m->used++] = (struct map_entry){{copy, key.size}, value};
    m->count++;
}

void *map_set(struct map *m, struct str key, void *value)
{
    ASSERT(m->mem != NULL);
    if ((m->used + 1) * 2 > m->index_size) rebuild(m);
    uint32_t slot = find_slot(m, key);
    if (m->index[slot] != SLOT_FREE) {
        struct map_entry *e = &m->entries[m->index[slot]];
        void *former = e->value;
        e->value = value;
        return former;
    }
    m->index[slot] = m->used;
    append_entry(m, key, value);
    return NULL;
}

void *map_remove(struct map *m, struct str key)
{
    if (m->count == 0) return NULL;
    uint32_t at = m->index[find_slot(m, key)];
    if (at == SLOT_FREE) return NULL;
    struct map_entry *e = &m->entries[at];
    void *former = e->value;
    mem_free(m->mem, (void *)(uintptr_t)e->key.data);
    e->key = (struct str){NULL, 0};
    m->count--;
    return former;
}

struct map_entry *map_next(const struct map *m, const struct map_entry *previous)
{
    for (uint32_t i = previous == NULL ? 0 : (uint32_t)(previous - m->entries) + 1; i < m->used; i++)
        if (m->entries[i].key.data != NULL) return &m->entries[i];
    return NULL;
}
