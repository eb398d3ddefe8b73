/* shape_verbs.h - the verbs of shape.h as the backend hashmap does them. Internal to flow/state. */
#pragma once
#include "flow/state/bag.h"
#include "flow/state/shape.h"

/* snapshot_hashmap.c */
uint32_t hm_walk(struct state_table *t, void *head, struct state_scan *c, void **rows, uint32_t max);
int64_t *hm_stamp_of(struct state_table *t, void *row);
void hm_restamp(struct state_table *t, void *head, void *row, int64_t at);
void hm_rest(struct state_table *t);
void hm_expect(struct state_table *t, uint64_t keys);

/* shape_rows.c */
enum status hm_scan(struct state_table *t, int64_t ns, void *const *heads, uint32_t count, struct state_scan *c, struct state_hits *hits);
void *hm_head_next(struct state_table *t, int64_t ns, void *head, struct state_scan *c);
void hm_head_fetch(struct state_table *t, const void *head);
bool hm_row_is_expired(struct state_table *t, const void *row);
void hm_row_write(struct state_table *t, int64_t ns, void *head, void *row);
void hm_row_remove(struct state_table *t, int64_t ns, void *head, void *row);
void hm_head_clear(struct state_table *t, int64_t ns, void *head);
enum status hm_log_append(struct state_table *t, int64_t ns, void *const *heads, const struct state_probe *values,
                          const int64_t *times, void **rows);
enum status hm_packed_append(struct state_table *t, int64_t ns, void *const *heads, const struct batch *in, const uint32_t *cols,
                             const uint16_t *rows, uint32_t count); /* shape_packed.c */
/* shape_places.c */
const struct state_place *hm_places(const struct state_table *t, const void *head);
void hm_places_set(struct state_table *t, int64_t ns, void *head, const struct state_place *places, uint32_t count);
const void *hm_place_row(const struct state_table *t, uint64_t row);
enum status hm_places_write(struct state_table *t, int64_t ns, const struct batch *in, const uint32_t *cols, const uint16_t *rows,
                            uint32_t count, uint64_t *out);
void hm_places_free(struct state_table *t, int64_t ns, const uint64_t *rows, uint32_t count);
void hm_log_prune(struct state_table *t, int64_t ns, void *head, int64_t before);
void hm_log_drop(struct state_table *t, int64_t ns, void *head, uint32_t n);
enum status hm_multiset_change(struct state_table *t, int64_t ns, void *const *heads, const struct state_probe *values,
                               const int8_t *deltas, void **rows);
enum status hm_multiset_find(struct state_table *t, int64_t ns, void *const *heads, const struct state_probe *values, void **rows);
enum status hm_entry_resolve(struct state_table *t, int64_t ns, void *const *heads, const struct state_probe *map_keys,
                             enum state_intent intent, void **rows, uint64_t *created);
/* Checks for room for packed rows of these sizes, or for `count` more elements; E_BUDGET with a sentence. */
enum status strings_budget(const struct hm_table *t, const struct pack_source *from); /* before pack_sizes: the same for what that takes */
enum status packed_budget(const struct hm_table *t, const uint32_t *sizes, uint32_t count);
enum status elements_budget(const struct hm_table *t, uint32_t count);
void head_mark(struct hm_table *t, struct space *s, const struct bag *b); /* the key is dirty */

/* shape_ordered.c */
enum status hm_ordered_insert(struct state_table *t, int64_t ns, void *const *heads, const struct state_probe *sort_keys,
                              void **rows, uint64_t *created);
enum status hm_ordered_scan(struct state_table *t, int64_t ns, void *const *heads, uint32_t count, const struct state_range *r,
                            struct state_scan *c, struct state_hits *hits);
enum status hm_ordered_count(struct state_table *t, int64_t ns, void *const *heads, uint32_t count, const struct state_range *r,
                             uint32_t *rows);
void *hm_ordered_edge(struct state_table *t, int64_t ns, void *head, bool last);
uint32_t hm_ordered_remove(struct state_table *t, int64_t ns, void *head, const struct state_range *r, uint32_t i);
