/* task_parts.c - checkpoints that say only what has changed: which node may have such a one, and what is in it.
 *
 * The idea: a part builds on the one before it, so that one must be of a checkpoint that is complete, as far as the task knows; else,
 * and for the first one, all is written. So that the parts of a node do not become ever more, each has all of some ranges of key
 * groups beside, by turns: as many as make up for the bytes of changes that were written. What lies before the oldest part that some range
 * needs is needed no more. So a checkpoint writes about twice what has changed, and never all of it at once.
 *
 * Little state is written whole each time. Savepoints stand alone and change nothing here. Not here: what is in chunks (flow/state). */
#include "flow/state/snapshot.h"
#include "flow/state/state.h"
#include "flow/task/task_internal.h"

enum { PARTS_MAX = 2 * PART_RANGES, DRAFT_QUARTERS = 3 /* of the bytes that state takes in memory its drafts have */ };

void parts_look(struct task *t)
{
    struct barrier *b = &t->barrier;

    if (b->part != 0 && (int64_t)sys_atomic_load(&b->completed) == b->part) b->part_is_there = true;
}

static int64_t oldest_of(const struct node_parts *p, uint32_t ranges)
{
    int64_t oldest = INT64_MAX;

    for (uint32_t i = 0; i < ranges; i++) oldest = MIN(oldest, p->bases[i]);
    return oldest;
}

/* How many ranges the next part has all of. */
static uint32_t ranges_due(struct node_parts *p, const struct state_host *h, uint32_t ranges, int64_t checkpoint)
{
    uint64_t each = state_host_bytes_all(h) / 4 * DRAFT_QUARTERS / ranges + 1;
    uint32_t due = 0;

    for (; due < ranges / 2 && p->changed >= each; due++) p->changed -= each;
    bool is_long = checkpoint - oldest_of(p, ranges) > PARTS_MAX;
    return MIN(MAX(due, (uint32_t)is_long), ranges - p->range);
}

static void part_of_changes(struct node_parts *p, const struct state_host *h, struct state_part_of *part)
{
    uint32_t ranges = state_host_ranges(h), due = ranges_due(p, h, ranges, (int64_t)part->number);

    for (uint32_t i = 0; i < due; i++) {
        uint32_t first, count;
        state_host_range(h, p->range + i, &first, &count);
        if (i == 0) part->base_first = first;
        part->base_count += count;
        p->bases[p->range + i] = (int64_t)part->number;
    }
    p->range = (p->range + due) % ranges;
}

static void part_of_all(struct node_parts *p, struct state_part_of *part)
{
    *p = (struct node_parts){.is_base = true};
    part->is_first = true;
    for (uint32_t i = 0; i < PART_RANGES; i++) p->bases[i] = (int64_t)part->number;
}

enum status parts_save_create(struct task *t, uint32_t node, struct state_save **out, struct err *e)
{
    struct barrier *b = &t->barrier;
    struct state_host *h = t->chain.nodes[node].cx.state;
    struct node_parts *p = &b->parts[node];
    struct state_part_of part = {.number = (uint64_t)b->seen};
    uint64_t from = t->plan->snapshots->parts_from;

    p->bytes = 0;
    if (from == 0 || b->is_whole || state_host_bytes_all(h) < from) return state_save_create(h, out, e);
    ASSERT(state_host_ranges(h) <= PART_RANGES);
    if (p->last != 0 && p->last == b->part && b->part_is_there) part_of_changes(p, h, &part);
    else part_of_all(p, &part);
    p->last = b->seen;
    b->nodes[node].first_part = oldest_of(p, state_host_ranges(h));
    return state_save_create_part(h, &part, out, e);
}

void parts_saved(struct task *t)
{
    struct barrier *b = &t->barrier;

    for (uint32_t i = 0; i < t->chain.count; i++) {
        struct node_parts *p = &b->parts[i];
        if (b->nodes[i].first_part == 0) continue;
        if (!p->is_base) p->changed += p->bytes;
        p->is_base = false;
    }
}
