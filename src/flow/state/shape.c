/* shape.c - the verbs of shapes that keep many rows under one key, handed to the table's backend. */
#include "flow/state/shape.h"

#include "flow/state/sb.h"

uint32_t state_head_rows(const void *head)
{
    uint32_t rows = 0;

    if (head) memcpy(&rows, head, sizeof rows); /* a head begins with it, on every backend */
    return rows;
}

enum status state_scan(struct state_table *t, int64_t ns, void *const *heads, uint32_t count, struct state_scan *c,
                       struct state_hits *hits)
{
    return t->type->scan(t, ns, heads, count, c, hits);
}

void *state_head_next(struct state_table *t, int64_t ns, void *head, struct state_scan *c)
{
    return t->type->head_next(t, ns, head, c);
}

bool state_row_is_expired(struct state_table *t, const void *row) { return t->type->row_is_expired(t, row); }
void state_row_write(struct state_table *t, int64_t ns, void *head, void *row) { t->type->row_write(t, ns, head, row); }
void state_row_remove(struct state_table *t, int64_t ns, void *head, void *row) { t->type->row_remove(t, ns, head, row); }
void state_head_clear(struct state_table *t, int64_t ns, void *head) { t->type->head_clear(t, ns, head); }

enum status state_log_append(struct state_table *t, int64_t ns, void *const *heads, const struct state_probe *values,
                             const int64_t *times, void **rows)
{
    return t->type->log_append(t, ns, heads, values, times, rows);
}

enum status state_packed_append(struct state_table *t, int64_t ns, void *const *heads, const struct batch *in, const uint32_t *cols,
                                const uint16_t *rows, uint32_t count)
{
    return t->type->packed_append(t, ns, heads, in, cols, rows, count);
}

const struct state_place *state_places(const struct state_table *t, const void *head) { return t->type->places(t, head); }

void state_places_set(struct state_table *t, int64_t ns, void *head, const struct state_place *places, uint32_t count)
{
    t->type->places_set(t, ns, head, places, count);
}

const void *state_place_row(const struct state_table *t, uint64_t row) { return t->type->place_row(t, row); }

enum status state_places_write(struct state_table *t, int64_t ns, const struct batch *in, const uint32_t *cols, const uint16_t *rows,
                               uint32_t count, uint64_t *out)
{
    return t->type->places_write(t, ns, in, cols, rows, count, out);
}

void state_places_free(struct state_table *t, int64_t ns, const uint64_t *rows, uint32_t count)
{
    t->type->places_free(t, ns, rows, count);
}

void state_log_prune(struct state_table *t, int64_t ns, void *head, int64_t before) { t->type->log_prune(t, ns, head, before); }
void state_head_fetch(struct state_table *t, const void *head) { t->type->head_fetch(t, head); }
void state_log_drop(struct state_table *t, int64_t ns, void *head, uint32_t n) { t->type->log_drop(t, ns, head, n); }

enum status state_multiset_change(struct state_table *t, int64_t ns, void *const *heads, const struct state_probe *values,
                                  const int8_t *deltas, void **rows)
{
    return t->type->multiset_change(t, ns, heads, values, deltas, rows);
}

enum status state_multiset_find(struct state_table *t, int64_t ns, void *const *heads, const struct state_probe *values, void **rows)
{
    return t->type->multiset_find(t, ns, heads, values, rows);
}

enum status state_entry_resolve(struct state_table *t, int64_t ns, void *const *heads, const struct state_probe *map_keys,
                                enum state_intent intent, void **rows, uint64_t *created)
{
    return t->type->entry_resolve(t, ns, heads, map_keys, intent, rows, created);
}

enum status state_ordered_insert(struct state_table *t, int64_t ns, void *const *heads, const struct state_probe *sort_keys,
                                 void **rows, uint64_t *created)
{
    return t->type->ordered_insert(t, ns, heads, sort_keys, rows, created);
}

enum status state_ordered_scan(struct state_table *t, int64_t ns, void *const *heads, uint32_t count, const struct state_range *r,
                               struct state_scan *c, struct state_hits *hits)
{
    return t->type->ordered_scan(t, ns, heads, count, r, c, hits);
}

enum status state_ordered_count(struct state_table *t, int64_t ns, void *const *heads, uint32_t count, const struct state_range *r,
                                uint32_t *rows)
{
    return t->type->ordered_count(t, ns, heads, count, r, rows);
}

void *state_ordered_edge(struct state_table *t, int64_t ns, void *head, bool last)
{
    return t->type->ordered_edge(t, ns, head, last);
}

uint32_t state_ordered_remove(struct state_table *t, int64_t ns, void *head, const struct state_range *r, uint32_t i)
{
    return t->type->ordered_remove(t, ns, head, r, i);
}
