/* pool_ahead.h - memory that a pool will need soon is made ready by a thread of its own. Internal to flow/state. */
#pragma once
#include "flow/state/pool.h"
#include "ground/sys/sys.h"

enum { POOL_AHEAD_REGION = 16 * 1024 * 1024, POOL_AHEAD_FROM = 64 * 1024 * 1024 };

/* About so many bytes will be taken from the pool. Fewer than POOL_AHEAD_FROM, a bounded mem, or no thread: nothing happens. */
void pool_ahead_start(struct state_pool *p, struct sys *sys, size_t bytes);
void pool_ahead_stop(struct state_pool *p); /* gives back what was not needed; without a start a no-op */
char *pool_ahead_take(struct state_pool *p); /* the next region of that size; NULL: there is none */
