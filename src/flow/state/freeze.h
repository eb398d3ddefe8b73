/* freeze.h - tables that are saved while they go on: what changes entries calls this first. Internal to the backend hashmap. */
#pragma once
#include "flow/state/bag.h"

/* Entries that are about to change are handed over, if they are frozen: when frozen_hand_over comes, which is before they do. Only when
 * t->frozen is there. */
void frozen_keep(struct hm_table *t, const struct space *s, struct shard *sh, uint32_t slot);
void frozen_hand_over(struct hm_table *t);
void frozen_keep_run(struct hm_table *t, const struct space *s, struct shard *sh, const uint32_t *slots, uint32_t n); /* both, of each */
void frozen_keep_now(struct hm_table *t, const struct space *s, struct shard *sh, uint32_t slot); /* both */
void frozen_keep_head(struct hm_table *t, const struct space *s, const struct bag *b);            /* the same */
/* The namespace is dropped. True: it is frozen's now, which gives it back when it was walked; it is out of the table. */
bool frozen_bury(struct hm_table *t, struct space *s);
void hm_keep_at(struct state_table *t, uint64_t handle); /* the entry changes: kept if frozen, and dirty */

/* gone.c: keys that went, and namespaces, since the last barrier; of tables whose changes are counted. */
struct gone_keys;
void gone_note(struct hm_table *t, const struct space *s, const struct shard *sh, uint32_t slot); /* an entry goes that may be in files */
void gone_drop(struct hm_table *t, int64_t ns);
void gone_hand_over(struct hm_table *t, const struct state_taker *to); /* to NULL: forgotten */

void hm_freeze(struct state_table *t, const struct state_taker *to, const struct freezing *how);
enum status hm_frozen_next(struct state_table *t, uint32_t max) CHECKED;
void frozen_take_all(struct state_table *t);
void hm_thaw(struct state_table *t);
uint64_t hm_dirty_count(const struct state_table *t, bool frozen);
