/* group_merge.c - groups go into other groups of the same calls, as slices of time go into windows.
 *
 * Words are merged by the aggregates' own hooks. What DISTINCT knows is merged value by value: the number of rows that have a value
 * is added, and a value that is new to the group goes into the accumulators of its calls as if a row had brought it; the other way
 * round when the groups are taken out again. Sets may be large: each call does one stretch of values and then answers S_MORE.
 * Values that are kept (group_keep.h) are not merged: such calls get each row once per window. */
#include "flow/operator/group_merge.h"

#include <string.h>

struct group_merge {
    struct mem *mem;
    uint32_t count;
    struct vector *values; /* per call, of its argument; unused where it has no set of DISTINCT */
    struct text_heap heap;
    /* where it stands */
    uint32_t call;
    struct state_scan scan;
    struct state_hits hits;
    uint16_t numbers[BATCH_ROWS];
    void *from_heads[BATCH_ROWS], *into_heads[BATCH_ROWS]; /* of the groups: both may be in one table */
    void *heads[BATCH_ROWS], *rows[BATCH_ROWS];            /* of the values found */
    uint64_t fresh[BATCH_ROWS]; /* slots for which a value came, or went */
    /* those of one slot */
    uint32_t changed;
    uint16_t changed_rows[BATCH_ROWS];
    void *changed_acc[BATCH_ROWS];
};

struct group_merge *group_merge_create(struct op_cx *cx, const struct group_call *calls, uint32_t count)
{
    struct group_merge *m = mem_zalloc(cx->mem, sizeof *m);

    m->mem = cx->mem;
    m->count = count;
    m->values = mem_zalloc(cx->mem, sizeof *m->values * MAX(count, 1u));
    text_heap_init(&m->heap, cx->mem);
    for (uint32_t i = 0; i < count; i++)
        if (calls[i].distinct != NULL)
            vector_init(&m->values[i], type_with_null(cx->plan->arena, calls[i].agg.argument, true), BATCH_ROWS,
                        cx->mem);
    for (uint32_t i = 0; i < BATCH_ROWS; i++) m->numbers[i] = (uint16_t)i;
    return m;
}

void group_merge_free(struct group_merge *m)
{
    if (m == NULL) return;
    for (uint32_t i = 0; i < m->count; i++)
        if (m->values[i].type != NULL) vector_release(&m->values[i], m->mem);
    text_heap_release(&m->heap);
    mem_free(m->mem, m->values);
    mem_free(m->mem, m);
}

/* The rows of the values that were found, in `to`. */
static enum status values_resolve(struct group_merge *m, const struct state_table *from, struct group_distinct *to,
                                  bool adds)
{
    static const uint32_t first = 0;
    struct vector *value = &m->values[m->call];
    struct batch view = {.cols = value, .col_count = 1, .count = m->hits.count, .capacity = BATCH_ROWS};

    text_heap_clear(&m->heap);
    vector_clear(value);
    state_extra_load(from, (const void *const *)m->hits.row, m->hits.count, 0, value, 0, &m->heap, m->mem);
    for (uint32_t i = 0; i < m->hits.count; i++) m->heads[i] = m->into_heads[m->hits.key[i]];
    state_probe_fill(&to->probe, &view, &first, m->numbers, m->hits.count);
    return state_entry_resolve(to->table, to->ns, m->heads, &to->probe, adds ? STATE_INSERT : STATE_UPDATE, m->rows,
                               NULL);
}

/* Adds the numbers of rows of a value, slot by slot, or takes them away; the slots for which it came, or went. */
static uint64_t counts_merge(const struct state_table *from, void *other, const struct group_distinct *to, void *row, bool adds)
{
    uint64_t fresh = 0;

    for (uint32_t k = 0; k < to->slots; k++) {
        int64_t *rows = state_word(row, to->table->value.fields[k].offset), old = *rows;
        int64_t more = *state_word(other, from->value.fields[k].offset);
        *rows += adds ? more : -more;
        if ((old > 0) != (*rows > 0)) fresh |= UINT64_C(1) << k;
    }
    return fresh;
}

static bool is_unused(const struct group_distinct *d, void *row)
{
    for (uint32_t k = 0; k < d->slots; k++)
        if (*state_word(row, d->table->value.fields[k].offset) > 0) return false;
    return true;
}

static void values_count(struct group_merge *m, const struct state_table *from, struct group_distinct *to, bool adds)
{
    for (uint32_t i = 0; i < m->hits.count; i++) {
        m->fresh[i] = 0;
        if (m->rows[i] == NULL) continue;
        m->fresh[i] = counts_merge(from, m->hits.row[i], to, m->rows[i], adds);
        if (!adds && is_unused(to, m->rows[i])) state_row_remove(to->table, to->ns, m->heads[i], m->rows[i]);
    }
}

/* Values that came or went for one slot, into the accumulators of its calls. */
static void slot_apply(struct group_merge *m, const struct group_call *to, uint32_t leader, void *const *acc, bool adds)
{
    m->changed = 0;
    for (uint32_t i = 0; i < m->hits.count; i++) {
        if (((m->fresh[i] >> to[leader].slot) & 1) == 0) continue;
        m->changed_rows[m->changed] = (uint16_t)i;
        m->changed_acc[m->changed++] = acc[m->hits.key[i]];
    }
    for (uint32_t k = leader; k < m->count && m->changed > 0; k++) {
        const struct agg *a = &to[k].agg;
        if (to[k].leader != leader) continue;
        (adds ? a->type->add : a->type->retract)(a, m->changed_acc, &m->values[m->call], m->changed_rows, m->changed);
    }
}

static void values_apply(struct group_merge *m, const struct group_call *to, void *const *acc, bool adds)
{
    for (uint32_t k = m->call; k < m->count; k++)
        if (to[k].is_distinct && to[k].set == m->call && to[k].leader == k) slot_apply(m, to, k, acc, adds);
}

/* One stretch of the values of call m->call. */
static enum status distinct_run(struct group_merge *m, struct group_call *to, int64_t to_ns, void *const *acc,
                                struct group_distinct *from, int64_t from_ns, const struct state_keys *keys, bool adds)
{
    struct group_distinct *into = to[m->call].distinct;
    struct state_scan scan = m->scan;

    into->ns = to_ns;
    TRY(state_resolve(from->table, from_ns, keys, STATE_READ, m->from_heads, NULL));
    TRY(state_resolve(into->table, to_ns, keys, adds ? STATE_INSERT : STATE_UPDATE, m->into_heads, NULL));
    enum status st = state_scan(from->table, from_ns, m->from_heads, keys->count, &scan, &m->hits);
    if (st != S_OK && st != S_MORE) return st;
    if (m->hits.count > 0) {
        TRY(values_resolve(m, from->table, into, adds));
        values_count(m, from->table, into, adds);
        values_apply(m, to, acc, adds);
    }
    m->scan = scan;
    return st;
}

enum status group_merge_run(struct group_merge *m, struct group_call *to, int64_t to_ns, void *const *acc,
                            struct group_call *from, int64_t from_ns, void *const *other, const struct state_keys *keys,
                            bool adds)
{
    for (; m->call < m->count; m->call++, m->scan = (struct state_scan){0})
        if (to[m->call].distinct != NULL)
            TRY(distinct_run(m, to, to_ns, acc, from[m->call].distinct, from_ns, keys, adds));
    m->call = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        const struct agg *a = &to[i].agg;
        if (!to[i].is_distinct) (adds ? a->type->merge : a->type->unmerge)(a, acc, other, keys->count);
        if (to[i].distinct == NULL) continue;
        state_done(from[i].distinct->table);
        if (to[i].distinct != from[i].distinct) state_done(to[i].distinct->table);
    }
    return group_calls_check(to, m->count);
}
