/* snapshot_timers.h - timers on their way into snapshots and out of them. Internal to flow/state. */
#pragma once
#include "flow/state/sb.h"
#include "flow/state/snapshot_schema.h"

struct timers_walk;

void schema_of_timers_of(const struct timers *t, struct arena *a, struct state_schema *out);
/* The timers of this moment, which may change at once. */
struct timers_walk *timers_walk_create(struct timers *t);
void timers_walk_free(struct timers_walk *w); /* NULL is a no-op */
/* Appends timers to b, whose columns are those of their schema, as long as there is room. S_MORE, or S_OK: those were the last. */
enum status timers_walk_next(struct timers_walk *w, const struct state_schema *s, struct batch *b) CHECKED;
/* The table in whose rows timers that move are; NULL: these do not. Of what was taken of it, from *at on, what is in the rows. */
struct state_table *timers_move_in(const struct timers *t);
void timers_of_rows(const struct timers *t, const struct state_schema *s, const struct state_taken *taken, struct batch *b, uint32_t *at);
void timers_columns_hash(const struct timers *t, const struct state_schema *s, const struct batch *b, uint64_t *hashes); /* of keys */

/* Registers what the host's restore has. */
enum status snapshot_load_timers(struct timers *t, struct err *e) CHECKED;
/* Timers of `from` become those of `to`, which move: the rows of their keys are there. */
enum status snapshot_move_timers(struct timers *from, struct timers *to) CHECKED;
/* Those that rows of their table speak of, which parts of checkpoints have brought. */
enum status snapshot_adopt_timers(struct timers *to) CHECKED;
