/* snapshot_each.h - walks a table of a backend that cannot be frozen, while nothing in it changes. Internal to flow/state. */
#pragma once
#include "flow/state/sb.h"

struct each_walk;
struct each_walk *each_walk_create(struct state_table *t, const struct state_taker *to);
void each_walk_free(struct each_walk *w); /* NULL is a no-op */
/* Hands over about `max` rows more. S_MORE; S_OK: that was all; or what the backend says. */
enum status each_walk_next(struct each_walk *w, uint32_t max) CHECKED;
