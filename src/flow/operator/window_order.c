/* window_order.c - windows of a key in order of time, as a skip list.
 *
 * The idea: a batch of rows in any order meets a key's windows at any place, so a list alone would be walked for each row.
 * One node in sixteen is on a second list too, one of those in sixteen on a third: a search goes far on the highest list,
 * then down. Which nodes those are is a function of their numbers, so the same input takes the same steps.
 *
 * Rows mostly come near the row before: a few nodes behind the hint are looked at first.
 *
 * Invariants: on every level windows ascend; a node of `height` h is on the lists 0 .. h - 1 of its group and no other.
 * Not here: what a node means, and where it lies. */
#include "flow/operator/window_order.h"

#include "ground/base/prng.h"

enum { HINT_STEPS = 4 };

static uint32_t height_of(uint32_t n)
{
    uint64_t bits = mix64(n + UINT64_C(1));
    uint32_t height = 1;

    for (; height < ORDER_LEVELS && (bits & 15) == 0; bits >>= 4) height++;
    return height;
}

static uint32_t *link_at(struct window_order *o, uint32_t g, uint32_t level, uint32_t before)
{
    return before == ORDER_NONE ? &o->first[level][g] : &window_place_at(o, before)->next[level];
}

/* The last node of each level that ends (or that begins) before the time. */
static void descend(struct window_order *o, uint32_t g, int64_t time, bool by_start, uint32_t path[ORDER_LEVELS])
{
    uint32_t at = ORDER_NONE;

    for (uint32_t level = o->height[g]; level-- > 0; path[level] = at) {
        for (;;) {
            uint32_t next = *link_at(o, g, level, at);
            if (next == ORDER_NONE) break;
            const struct tw_window *w = &window_place_at(o, next)->window;
            o->steps++;
            if ((by_start ? w->start : w->end) >= time) break;
            at = next;
        }
    }
}

uint32_t window_order_find(struct window_order *o, uint32_t g, const struct tw_window *w, uint32_t hint)
{
    uint32_t path[ORDER_LEVELS], next;

    if (hint != ORDER_NONE && window_place_at(o, hint)->window.end < w->start) {
        for (uint32_t i = 0; i < HINT_STEPS; i++, hint = next) {
            next = window_place_at(o, hint)->next[0];
            o->steps++;
            if (next == ORDER_NONE || window_place_at(o, next)->window.end >= w->start) return hint;
        }
    }
    descend(o, g, w->start, false, path);
    return path[0];
}

void window_order_insert(struct window_order *o, uint32_t g, uint32_t n, uint32_t before)
{
    uint32_t height = window_place_at(o, n)->height = height_of(n), path[ORDER_LEVELS];

    path[0] = before;
    if (height > 1) descend(o, g, window_place_at(o, n)->window.start, false, path);
    ASSERT_ROW(path[0] == before);
    for (uint32_t level = 0; level < height; level++) {
        if (level >= o->height[g]) {
            o->first[level][g] = path[level] = ORDER_NONE;
            o->height[g] = (uint8_t)(level + 1);
        }
        uint32_t *link = link_at(o, g, level, path[level]);
        window_place_at(o, n)->next[level] = *link;
        *link = n;
    }
}

uint32_t window_order_remove_next(struct window_order *o, uint32_t g, uint32_t n)
{
    uint32_t gone = window_place_at(o, n)->next[0], path[ORDER_LEVELS];
    const struct window_place *place = window_place_at(o, gone);

    if (place->height > 1) descend(o, g, place->window.start, true, path);
    path[0] = n;
    for (uint32_t level = 0; level < place->height; level++) *link_at(o, g, level, path[level]) = place->next[level];
    return gone;
}
