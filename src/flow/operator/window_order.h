/* window_order.h - windows of each key in order of time: found, put in and taken out in about log n steps. Internal to the
 * engine.
 *
 * They are nodes of the caller's array, and neither overlap nor touch. Groups are the keys of a batch. */
#pragma once
#include "columns/column/batch.h"

#include <thalweg/window.h>

enum { ORDER_LEVELS = 3, ORDER_NONE = UINT32_MAX };

/* What a node begins with. */
struct window_place {
    struct tw_window window;
    uint32_t next[ORDER_LEVELS]; /* [0]: the one behind it; ORDER_NONE: it is the last */
    uint32_t height;             /* of how many lists it is */
};

struct window_order {
    void *nodes; /* set anew when they have moved */
    size_t stride;
    uint64_t steps; /* nodes looked at, ever: for tests */
    uint32_t first[ORDER_LEVELS][BATCH_ROWS]; /* per group */
    uint8_t height[BATCH_ROWS];               /* per group: levels in use, at least one */
};

static inline struct window_place *window_place_at(const struct window_order *o, uint32_t n)
{
    return (struct window_place *)(void *)((char *)o->nodes + n * o->stride);
}
/* The group is empty from now on. */
static inline void window_order_begin(struct window_order *o, uint32_t g)
{
    o->first[0][g] = ORDER_NONE;
    o->height[g] = 1;
}
static inline uint32_t window_order_next(const struct window_order *o, uint32_t g, uint32_t before)
{
    return before == ORDER_NONE ? o->first[0][g] : window_place_at(o, before)->next[0];
}
/* Node n is all that the group, which is empty, has. */
static inline void window_order_start(struct window_order *o, uint32_t g, uint32_t n)
{
    o->first[0][g] = n;
    window_place_at(o, n)->next[0] = ORDER_NONE;
    window_place_at(o, n)->height = 1;
}
/* The last window that ends before `w` begins; ORDER_NONE: there is none. hint: a node that may be near, or ORDER_NONE. */
uint32_t window_order_find(struct window_order *o, uint32_t g, const struct tw_window *w, uint32_t hint);
/* Node n of the group, behind `before`, as window_order_find answered it for n's window. */
void window_order_insert(struct window_order *o, uint32_t g, uint32_t n, uint32_t before);
/* The one behind n goes, and is answered. n may reach over it by now, and over no further one. */
uint32_t window_order_remove_next(struct window_order *o, uint32_t g, uint32_t n);
