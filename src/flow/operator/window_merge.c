/* window_merge.c - windows that merge: sessions, and custom ones that say so.
 *
 * The idea: for a chunk of rows the sessions that may matter are loaded once, as lists of nodes in order of time
 * (window_sessions.c), and every row's window is merged into its key's list before anything else happens. That leaves, per
 * row, the window it is in, where its contents lie, and which windows came together. Contents stay under the window with
 * which a session began (`id`), so that growing moves nothing.
 *
 * Timers of most triggers are at the window's end and are lazy: set when a session begins, under its id, left where they are
 * when it grows, and looked at again when they are due (window_sessions_retime). So a session has a timer at or before its
 * end as long as that has not fired, and at or before its clean-up. Timers of sessions that were merged into others find
 * nobody. Triggers with other timers or states of their own name these after the window, and move them with it.
 *
 * A chunk ends early when its windows would not fit the arrays of one batch. */
#include "flow/operator/window_internal.h"

/* --- planning rows ---------------------------------------------------------------------------------------------------------- */
static uint32_t key_add(struct window_keys *k, uint32_t item, const struct tw_window *w)
{
    k->source[k->count] = (uint16_t)item;
    k->window[k->count] = *w;
    return k->count++;
}

static uint32_t slot_of(struct window_engine *e, uint32_t item, struct window_node *node)
{
    if (node->slot == WINDOW_NONE) node->slot = key_add(e->slots, item, &node->id);
    return node->slot;
}

static void merged_add(struct window_engine *e, uint32_t item, struct window_node *node)
{
    if (e->merged_count == e->merged_capacity) {
        e->merged_capacity = e->merged_capacity ? e->merged_capacity * 2 : 64;
        e->merged = mem_realloc(e->op->mem, e->merged, e->merged_capacity * sizeof *e->merged);
    }
    uint32_t slot = slot_of(e, item, node);
    e->merged[e->merged_count++] = (struct window_merged){
        .window = node->place.window, .slot = slot, .named = e->is_lazy ? slot : key_add(e->named, item, &node->place.window)};
}

static bool touches(const struct tw_window *a, const struct tw_window *b)
{
    return a->start <= b->end && a->end >= b->start;
}

/* The node before the first that touches or follows the window (WINDOW_NONE: it is the first), and how many it touches. */
static uint32_t find_place(struct window_sessions *s, uint32_t g, const struct tw_window *w, uint32_t *count)
{
    uint32_t before = window_order_find(&s->order, g, w, s->hint[g]), at = window_order_next(&s->order, g, before);

    *count = 0;
    for (; at != WINDOW_NONE && touches(&s->nodes[at].place.window, w); at = s->nodes[at].place.next[0]) ++*count;
    return before;
}

static void insert_node(struct window_engine *e, uint32_t index, uint32_t g, uint32_t before)
{
    struct window_sessions *s = e->sessions;
    struct window_item *item = &e->items[index];
    uint32_t n = window_node_add(e);
    struct window_node *node = &s->nodes[n];

    node->place.window = node->id = item->window;
    node->group = g;
    node->is_dirty = true;
    window_order_insert(&s->order, g, n, before);
    item->node = s->hint[g] = n;
    item->is_changed = true;
}

/* Does the session's end fire without another timer? */
static bool has_timer(const struct window_engine *e, const struct tw_window *w)
{
    return window_last(w) > (e->is_event_time ? e->op->watermark : e->fired_ms);
}

/* The window joins `count` sessions behind `before`: the first of them takes in the others. */
static void join_nodes(struct window_engine *e, uint32_t index, uint32_t g, uint32_t before, uint32_t count)
{
    struct window_sessions *s = e->sessions;
    struct window_item *item = &e->items[index];
    uint32_t first = window_order_next(&s->order, g, before);
    struct window_node *node = &s->nodes[first];
    struct tw_window hull = item->window;

    item->node = s->hint[g] = first;
    for (uint32_t i = 0, at = first; i < count; i++, at = s->nodes[at].place.next[0]) {
        hull.start = MIN(hull.start, s->nodes[at].place.window.start);
        hull.end = MAX(hull.end, s->nodes[at].place.window.end);
    }
    item->window = hull;
    if (count == 1 && window_equal(&hull, &node->place.window)) return;
    node->is_dirty = true;
    item->is_changed = !e->is_lazy || !has_timer(e, &node->place.window);
    item->merged = e->merged_count;
    if (!e->is_lazy || count > 1) merged_add(e, index, node);
    for (uint32_t i = 1; i < count; i++) {
        struct window_node *other = &s->nodes[window_order_remove_next(&s->order, g, first)];
        merged_add(e, index, other);
        other->is_dead = other->is_dirty = true;
    }
    item->merged_count = e->merged_count - item->merged;
    node->place.window = hull;
}

static bool is_late(const struct window_engine *e, const struct tw_window *w)
{
    return e->is_event_time && window_cleanup(e->config, w) <= e->op->watermark;
}

/* False: the chunk is full. */
static bool plan_item(struct window_engine *e, uint32_t i)
{
    struct window_sessions *s = e->sessions;
    struct window_item *item = &e->items[i];
    uint32_t g = s->group_of[i - e->item_first], count, before;

    item->window = e->owners.window[i];
    before = find_place(s, g, &item->window, &count);
    if (e->slots->count + count + 1 > BATCH_ROWS || e->named->count + count + 1 > BATCH_ROWS) return false;
    item->node = WINDOW_NONE;
    item->merged_count = 0;
    item->is_changed = false;
    if (count == 0 && is_late(e, &item->window)) return true;
    if (count == 0)
        insert_node(e, i, g, before);
    else
        join_nodes(e, i, g, before, count);
    item->slot = slot_of(e, i, &s->nodes[item->node]);
    item->named = e->is_lazy ? item->slot : key_add(e->named, i, &item->window);
    return true;
}

enum status window_sessions_plan(struct window_engine *e)
{
    struct window_sessions *s = e->sessions;
    uint32_t i = e->item_first;

    e->slots = &e->more[0];
    e->named = &e->more[e->is_lazy ? 0 : 1];
    e->slots->count = e->named->count = e->merged_count = 0;
    TRY(window_sessions_load(e, STATE_RESERVE));
    while (i < e->item_first + s->item_count && plan_item(e, i)) i++;
    if (i == e->item_first)
        return err_set(e->op->err, E_BUDGET, "one row joins more than %d session windows of its key", BATCH_ROWS - 1);
    e->item_end = i;
    window_keys_fill(e, e->slots, e->owners.batch, e->cols);
    if (!e->is_lazy) window_keys_fill(e, e->named, e->owners.batch, e->cols);
    TRY(window_sessions_prepare(e));
    s->look_at = i - e->item_first < s->look_at ? 2u * WINDOW_REACHES_AT_ONCE : MIN(2 * s->look_at, (uint32_t)BATCH_ROWS);
    return S_OK;
}

void window_sessions_reach_on(struct window_engine *e)
{
    e->owners.window[e->item_first].end = e->sessions->full_end;
    e->sessions->is_cut = false;
}

/* --- timers ------------------------------------------------------------------------------------------------------------------ */
static bool is_named(const struct window_engine *e, const struct window_node *node, const struct tw_window *name)
{
    return window_equal(e->is_lazy ? &node->id : &node->place.window, name);
}

/* A lazy timer that is neither at the end of its window nor at its clean-up: the window has grown. */
static bool is_early(const struct window_engine *e, const struct window_item *item)
{
    return e->is_lazy && item->time != window_timer_time(window_last(&item->window)) &&
           item->time != window_timer_time(window_cleanup(e->config, &item->window));
}

enum status window_sessions_find(struct window_engine *e)
{
    struct window_sessions *s = e->sessions;

    e->slots = &e->more[0];
    e->named = &e->owners;
    e->slots->count = 0;
    TRY(window_sessions_load(e, STATE_UPDATE));
    for (uint32_t i = 0; i < e->item_count; i++) {
        struct window_item *item = &e->items[i];
        item->node = WINDOW_NONE;
        item->named = i;
        if (s->group_of[i] == UINT16_MAX) continue;
        struct tw_window end = {e->owners.window[i].end, e->owners.window[i].end};
        uint32_t g = s->group_of[i], before = window_order_find(&s->order, g, &end, s->hint[g]);
        uint32_t at = window_order_next(&s->order, g, before);
        s->hint[g] = before;
        if (at == WINDOW_NONE || !is_named(e, &s->nodes[at], &e->owners.window[i])) continue;
        item->node = at;
        item->window = s->nodes[at].place.window;
        item->is_changed = is_early(e, item); /* then nobody asks what it holds */
        if (!item->is_changed) item->slot = slot_of(e, i, &s->nodes[at]);
    }
    window_keys_fill(e, e->slots, e->owners.batch, e->cols);
    return S_OK;
}

/* An early timer: to whichever of the window's end and its clean-up is ahead. */
static enum status retime(struct window_engine *e, uint32_t i, int64_t *earliest)
{
    const struct window_item *item = &e->items[i];
    int64_t last = window_timer_time(window_last(&item->window));
    int64_t cleanup = window_timer_time(window_cleanup(e->config, &item->window));
    bool fires = window_trigger_kind(e->config) != TW_TRIGGER_COUNT && last > item->time;

    if (fires) TRY(window_timer(e, i, last, e->is_event_time, false));
    if (!fires || cleanup != last) TRY(window_timer(e, i, cleanup, e->is_event_time, false));
    *earliest = MIN(*earliest, fires ? last : cleanup);
    return S_OK;
}

enum status window_sessions_retime(struct window_engine *e)
{
    int64_t earliest = INT64_MAX;
    bool any = false;
    uint32_t end = 0, n;

    for (uint32_t i = 0; i < e->item_count; i++) {
        if (e->items[i].node == WINDOW_NONE || !e->items[i].is_changed) continue;
        TRY(retime(e, i, &earliest));
        any = true;
        e->items[i].node = WINDOW_NONE;
    }
    for (; end < e->item_count && (!any || e->due_times[end] < earliest); end++)
        if (e->due == e->processing && e->items[end].node != WINDOW_NONE)
            e->fired_ms = MAX(e->fired_ms, e->due_times[end]);
    for (uint32_t i = e->item_count; i > end; i -= n) { /* from behind: what is given back goes to the front */
        for (n = 0; i - n > end && e->items[i - n - 1].node != WINDOW_NONE;) n++;
        if (n > 0)
            timers_give_back(e->due, e->owners.batch, NULL, i - n, e->due_times + i - n, n);
        else
            n = 1;
    }
    e->item_end = e->item_count = end;
    return S_OK;
}
