/* narrow_groups.c - which columns nodes need that work on groups and places: GroupAggregate, Rank and its kin, OverAggregate. Results
 * that nobody reads are not computed. See rewrite.h. */
#include "language/plan/narrow_rel.h"
#include "language/plan/rewrite.h"

#include <string.h>

static void mark(uint64_t *bits, int col)
{
    if (col >= 0) bit_set(bits, (uint32_t)col);
}

static int moved(int col, const uint32_t *now) { return col < 0 ? -1 : (int)now[col]; }

static uint32_t *moved_all(struct narrowing *n, const uint32_t *cols, uint32_t count, const uint32_t *now)
{
    uint32_t *out = ARENA_ARRAY(n->a, uint32_t, count + 1);

    for (uint32_t i = 0; i < count; i++) out[i] = now[cols[i]];
    return out;
}

/* --- GroupAggregate ---------------------------------------------------------------------------------------------- */
struct rel *aggregate_narrow(struct narrowing *n, const struct rel *r, const uint64_t *needed, uint32_t *at)
{
    struct aggregate_body body = *(const struct aggregate_body *)r->body;
    struct aggregate_call *calls = ARENA_ARRAY(n->a, struct aggregate_call, body.call_count + 1);
    uint64_t *read = narrow_none(n, r->inputs[0]->row);
    uint32_t count = 0, *now;

    for (uint32_t i = 0; i < body.key_count; i++) {
        at[i] = i;
        bit_set(read, body.keys[i]);
    }
    for (uint32_t i = 0; i < body.call_count; i++) {
        bool is_last = body.key_count == 0 && count == 0 && i + 1 == body.call_count; /* no row is without columns */
        if (!bit_get(needed, body.key_count + i) && !is_last) continue;
        at[body.key_count + i] = body.key_count + count;
        calls[count++] = body.calls[i];
        mark(read, body.calls[i].argument);
        mark(read, body.calls[i].filter);
    }
    struct rel *input = narrow_input(n, r->inputs[0], read, &now);
    if (input == r->inputs[0] && count == body.call_count) return (struct rel *)r;
    for (uint32_t i = 0; i < count; i++) {
        calls[i].argument = moved(calls[i].argument, now);
        calls[i].filter = moved(calls[i].filter, now);
    }
    body.keys = moved_all(n, body.keys, body.key_count, now);
    body.calls = calls;
    body.call_count = count;
    return rel_aggregate(n->a, input, &body);
}

int aggregate_passes(const struct rel *r, uint32_t input, uint32_t col)
{
    const struct aggregate_body *b = r->body;

    (void)input;
    return col < b->key_count ? (int)b->keys[col] : -1;
}

/* Groups of windows have them in the same place; their window comes behind. */
int window_aggregate_passes(const struct rel *r, uint32_t input, uint32_t col)
{
    const struct window_aggregate_body *b = r->body;

    (void)input;
    return col < b->groups.key_count ? (int)b->groups.keys[col] : -1;
}

/* --- Rank and its kin -------------------------------------------------------------------------------------------- */
static struct rank_order *order_moved(struct narrowing *n, const struct rank_order *order, uint32_t count, const uint32_t *now)
{
    struct rank_order *out = ARENA_ARRAY(n->a, struct rank_order, count + 1);

    for (uint32_t i = 0; i < count; i++) {
        out[i] = order[i];
        out[i].col = now[order[i].col];
    }
    return out;
}

struct rel *rank_rel_narrow(struct narrowing *n, const struct rel *r, const uint64_t *needed, uint32_t *at)
{
    struct rank_body body = *(const struct rank_body *)r->body;
    uint32_t before = r->inputs[0]->row->child_count, *now;
    uint64_t *read = narrow_none(n, r->inputs[0]->row);

    for (uint32_t i = 0; i < before; i++)
        if (bit_get(needed, i)) bit_set(read, i);
    for (uint32_t i = 0; i < body.partition_count; i++) bit_set(read, body.partition[i]);
    for (uint32_t i = 0; i < body.order_count; i++) bit_set(read, body.order[i].col);
    for (uint32_t k = 0; k < r->inputs[0]->key_count; k++) /* rows of a key replace each other */
        for (uint32_t i = 0; i < r->inputs[0]->keys[k].count; i++) bit_set(read, r->inputs[0]->keys[k].cols[i]);
    struct rel *input = narrow_input(n, r->inputs[0], read, &now);
    for (uint32_t i = 0; i < before; i++)
        if (bit_get(read, i)) at[i] = now[i];
    if (body.number != NULL) at[before] = input->row->child_count;
    bool drops = body.number != NULL && !bit_get(needed, before);
    if (input == r->inputs[0] && !drops) return (struct rel *)r;
    if (drops) body.number = NULL; /* then rows do not move */
    body.partition = moved_all(n, body.partition, body.partition_count, now);
    body.order = order_moved(n, body.order, body.order_count, now);
    return rel_rank(n->a, input, &body);
}

/* Conditions on a partition's columns choose whole partitions. */
static int passes_among(const uint32_t *partition, uint32_t count, uint32_t col)
{
    for (uint32_t i = 0; i < count; i++)
        if (partition[i] == col) return (int)col;
    return -1;
}

int rank_rel_passes(const struct rel *r, uint32_t input, uint32_t col)
{
    const struct rank_body *b = r->body;

    (void)input;
    return passes_among(b->partition, b->partition_count, col);
}

/* --- OverAggregate ----------------------------------------------------------------------------------------------- */
static void over_reads(const struct over_body *b, uint64_t *read)
{
    for (uint32_t i = 0; i < b->partition_count; i++) bit_set(read, b->partition[i]);
    for (uint32_t i = 0; i < b->order_count; i++) bit_set(read, b->order[i].col);
    for (uint32_t i = 0; i < b->call_count; i++) {
        mark(read, b->calls[i].call.argument);
        mark(read, b->calls[i].call.filter);
        mark(read, b->calls[i].otherwise);
    }
}

/* Calls that are read; one stays, as rows that are late go even where no result is read. */
static void over_keep(struct narrowing *n, const struct over_body *b, uint32_t before, const uint64_t *needed, struct over_body *out)
{
    struct over_call *calls = ARENA_ARRAY(n->a, struct over_call, b->call_count + 1);

    *out = *b;
    out->calls = calls;
    out->call_count = 0;
    for (uint32_t i = 0; i < b->call_count; i++)
        if (bit_get(needed, before + i) || (out->call_count == 0 && i + 1 == b->call_count)) calls[out->call_count++] = b->calls[i];
}

struct rel *over_narrow(struct narrowing *n, const struct rel *r, const uint64_t *needed, uint32_t *at)
{
    const struct over_body *b = r->body;
    uint32_t before = r->inputs[0]->row->child_count, *now, k = 0;
    uint64_t *read = narrow_none(n, r->inputs[0]->row);
    struct over_body body;

    over_keep(n, b, before, needed, &body);
    over_reads(&body, read);
    for (uint32_t i = 0; i < before; i++)
        if (bit_get(needed, i)) bit_set(read, i);
    struct rel *input = narrow_input(n, r->inputs[0], read, &now);
    for (uint32_t i = 0; i < before; i++)
        if (bit_get(read, i)) at[i] = now[i];
    for (uint32_t i = 0; i < b->call_count && k < body.call_count; i++) {
        at[before + i] = input->row->child_count + k;
        k += b->calls[i].call.name == body.calls[k].call.name;
    }
    if (input == r->inputs[0] && body.call_count == b->call_count) return (struct rel *)r;
    struct over_call *calls = ARENA_ARRAY(n->a, struct over_call, body.call_count + 1);
    for (uint32_t i = 0; i < body.call_count; i++) {
        calls[i] = body.calls[i];
        calls[i].call.argument = moved(calls[i].call.argument, now);
        calls[i].call.filter = moved(calls[i].call.filter, now);
        calls[i].otherwise = moved(calls[i].otherwise, now);
    }
    body.calls = calls;
    body.partition = moved_all(n, body.partition, body.partition_count, now);
    body.order = order_moved(n, body.order, body.order_count, now);
    return rel_over(n->a, input, &body);
}

int over_passes(const struct rel *r, uint32_t input, uint32_t col)
{
    const struct over_body *b = r->body;

    (void)input;
    return passes_among(b->partition, b->partition_count, col);
}
