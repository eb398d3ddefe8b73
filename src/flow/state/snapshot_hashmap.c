/* snapshot_hashmap.c - what snapshots ask of the backend hashmap: rows of heads as they are, stamps of times to live, indexes of the
 * right size beforehand.
 *
 * The idea: the verbs of shape.h are what operators do, and reading may make rows live longer; a snapshot must change nothing. So it
 * walks by itself. Not here: the files (snapshot_save.c, snapshot_load.c). */
#include "flow/state/shape_verbs.h"

static uint32_t places_walk(const struct hm_table *t, const struct bag *b, struct state_scan *c, void **rows, uint32_t max)
{
    const struct state_place *places = hm_places(&t->base, b);
    uint32_t n = MIN(b->rows - c->step, max);

    for (uint32_t i = 0; i < n; i++) rows[i] = block_at(&t->segments, ref_of_word(places[c->step + i].row));
    c->step += n;
    return n;
}

static uint32_t ordered_walk(struct hm_table *t, const struct bag *b, struct state_scan *c, void **rows, uint32_t max)
{
    struct leaf_position p = {(uint32_t)c->at[0], (uint32_t)c->at[1]};
    uint32_t n = 0;

    for (char *row; n < max && (row = leaves_row(t, b, &p)) != NULL; p.at++) {
        if (row_is_shown(t, row)) rows[n++] = row;
    }
    c->at[0] = p.leaf;
    c->at[1] = p.at;
    return n;
}

uint32_t hm_walk(struct state_table *base, void *head, struct state_scan *c, void **rows, uint32_t max)
{
    struct hm_table *t = hm_of(base);
    uint32_t n = 0;
    void *row;

    ASSERT(t->has_heads);
    if (t->bag->is_places) return places_walk(t, head, c, rows, max);
    if (t->bag->is_ordered) return ordered_walk(t, head, c, rows, max);
    while (n < max) {
        row = t->bag->is_packed ? packed_next(t, head, c) : bag_next(t, head, &c->at[0], &c->at[1]);
        if (row == NULL) break;
        rows[n++] = row;
    }
    return n;
}

int64_t *hm_stamp_of(struct state_table *base, void *row)
{
    struct hm_table *t = hm_of(base);
    uint32_t offset = t->has_heads ? t->bag->ttl_offset : t->ttl_offset;

    return offset != 0 ? (int64_t *)(void *)((char *)row + offset) : NULL;
}

void hm_restamp(struct state_table *base, void *head, void *row, int64_t at)
{
    struct hm_table *t = hm_of(base);

    *hm_stamp_of(base, row) = at;
    if (head != NULL) bag_restamped(t, head, row);
}

void hm_rest(struct state_table *base) { hm_of(base)->has_now = false; }

void hm_expect(struct state_table *base, uint64_t keys)
{
    struct hm_table *t = hm_of(base);
    struct space *s = space_find(t, 0);

    ASSERT(!base->def->namespaced && s != NULL);
    for (uint32_t i = 0; i < t->shard_count; i++)
        s->shards[i].expected = index_expectation_of((s->live + keys) / t->shard_count);
}
