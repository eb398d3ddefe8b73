/* snapshot_compare.h - what becomes of the saved states of an operator when it begins with them: told before it does. */
#pragma once
#include "flow/state/snapshot.h"

struct saved_state;

/* The states that lie in chunks, without their rows. */
struct saved_states {
    struct str chunk;               /* has their schemas alone: an operator that begins with it has all its states, empty */
    const struct saved_state *items;
    uint32_t count;
};
/* Goes from header to header: rows are not read. In the arena. E_DATA as state_part_check. */
/* A chunk of the same states without their rows, into an empty buffer. E_DATA. */
enum status chunk_schemas(struct str chunk, uint32_t max_parallelism, struct buf *out, struct err *e) CHECKED;
enum status saved_states_find(const struct state_restore *from, struct arena *a, struct saved_states *out, struct err *e) CHECKED;

enum state_fate { STATE_KEPT, STATE_MIGRATED, STATE_LOST, STATE_NEW };
const char *state_fate_name(enum state_fate fate); /* "kept" */

struct state_outcome {
    const char *name;
    const char *kind;    /* "keyed", "list", "union list", "broadcast", "timers" */
    enum state_fate fate;
    const char *changes; /* MIGRATED: "`price` INT -> BIGINT"; else "" */
};
struct state_outcomes {
    const struct state_outcome *items; /* those that were saved, in their order, then new ones; what was saved empty and is not there: nothing */
    uint32_t count;
};
/* The tables and timers of a host, whose operator was opened with saved->chunk, beside what was saved. */
void state_outcomes_of(const struct state_host *h, const struct saved_states *saved, struct arena *a, struct state_outcomes *out);
/* All that was saved is lost. */
void state_outcomes_lost(const struct saved_states *saved, struct arena *a, struct state_outcomes *out);
