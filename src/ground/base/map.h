/* map.h - flat hash map from text to pointer, for the control plane. Keys are copied. Iteration is in insertion
 * order, so that table order is never observable. */
#pragma once
#include "ground/base/mem.h"

struct map_entry {
    struct str key;
    void *value;
};

struct map {
    struct mem *mem;
    struct map_entry *entries; /* dense, insertion order; removed ones have key.data == NULL */
    uint32_t *index;
    uint32_t count, used, capacity, index_size;
};

void map_init(struct map *m, struct mem *mem);
void map_release(struct map *m);
void *map_get(const struct map *m, struct str key); /* NULL when absent */
/* Sets or replaces; returns the former value or NULL. */
void *map_set(struct map *m, struct str key, void *value);
void *map_remove(struct map *m, struct str key);
static inline uint32_t map_count(const struct map *m) { return m->count; }
/* for (struct map_entry *e = map_next(m, NULL); e; e = map_next(m, e)) */
struct map_entry *map_next(const struct map *m, const struct map_entry *previous);
