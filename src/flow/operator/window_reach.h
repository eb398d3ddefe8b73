/* window_reach.h - which stretches of time the windows of a batch cover, key by key, and the sessions in state that they may
 * meet there. Internal to the engine.
 *
 * Groups are the keys of the batch. Sessions of a key lie in an ordered table by their end, neither overlap nor touch, and
 * their first word is their start. */
#pragma once
#include "flow/state/shape.h"

#include <thalweg/window.h>

/* Of a chunk of rows: each may be another place in a table of millions. */
enum { WINDOW_REACHES_AT_ONCE = 64 };

struct window_reaches {
    uint32_t count;
    uint16_t group[BATCH_ROWS];
    int64_t from[BATCH_ROWS], to[BATCH_ROWS];
    uint32_t tip[BATCH_ROWS]; /* per group: the latest of it, if that is one */
    bool is_sorted;           /* so far by time in each group; and by group */
};

static inline void window_reach_begin(struct window_reaches *r)
{
    r->count = 0;
    r->is_sorted = true;
}
/* A window of the group; at most BATCH_ROWS between two window_reach_begin. */
void window_reach_add(struct window_reaches *r, uint32_t g, const struct tw_window *w);

/* A row of the table, a session of group g: those of a group one after the other, in order of time, each once. */
typedef void (*window_reach_fn)(void *arg, uint32_t g, void *row);
/* Calls `each` for the sessions that the windows may touch: those that end within a stretch, and the next one behind it.
 * heads: by group, NULL for those without rows. S_PENDING: nothing was called. */
enum status window_reach_load(struct window_reaches *r, struct state_table *t, void *const *heads, struct arena *scratch,
                              window_reach_fn each, void *arg) CHECKED;
