/* group_distinct.c - which values of a column a group has seen, for all DISTINCT calls of that column at once.
 *
 * The idea: a row's value is looked up once; what its slots (FILTERs) let through is a mask, and so is what is known of the value,
 * so that a row that brings nothing new costs one test. Where rows may be taken back, or windows be put together and apart, each
 * slot counts the rows of the value instead; below zero where more were taken back than came, so that their order says nothing.
 * Keys that stand in the batch more than once are looked up once.
 *
 * Values that no row has any more go away at the end of the batch only: a later row may have brought them again.
 * Not here: accumulators (group_calls.c), sets that go into others (group_merge.c). */
#include "flow/operator/group_distinct.h"

#include "flow/operator/group_calls.h"

#include <string.h>

enum status group_distinct_open(struct group_distinct *d, struct op_cx *cx, const struct type *argument, const char *column,
                                const struct state_def *group)
{
    struct arena *a = cx->plan->arena;
    const char *const name[] = {column};
    bool has_null = false;

    for (uint32_t i = 0; i < d->slots; i++) has_null |= d->nulls[i];
    const struct type *value = type_with_null(a, argument, has_null && argument->nullable);
    d->def = (struct state_def){.name = d->def.name,
                                .version = 1,
                                .shape = STATE_MAP,
                                .namespaced = group->namespaced,
                                .key = group->key,
                                .is_within = group->is_within,
                                .group_cols = group->group_cols,
                                .map_key = type_row(a, 1, (const char **)name, &value, false),
                                .value = group_words_row(a, d->is_counted ? d->slots : 1),
                                .ttl = group->ttl};
    TRY(state_open(cx->state, &d->def, &d->table, cx->err));
    return state_probe_init(&d->probe, d->def.map_key, cx->mem, cx->err);
}

void group_distinct_close(struct group_distinct *d)
{
    state_probe_release(&d->probe);
    state_close(d->table);
}

/* --- finding -------------------------------------------------------------------------------------------------------- */
/* Adds bit `slot` for the selected rows that pass. */
static void slot_filter(const struct group_distinct *d, uint32_t slot, const struct batch *in, uint64_t *passes)
{
    const struct vector *f = d->filters[slot] >= 0 ? &in->cols[d->filters[slot]] : NULL;
    const struct vector *v = &in->cols[d->col];
    bool may_be_null = !d->nulls[slot] && vector_values(v)->validity != NULL;
    uint64_t bit = UINT64_C(1) << slot;

    if (f != NULL && f->form == VEC_FLAT && f->validity == NULL && !may_be_null) {
        BATCH_EACH(in, i, row) passes[i] |= (uint64_t)VECTOR_VALUES(f, bool)[row] << slot;
        return;
    }
    BATCH_EACH(in, i, row)
    {
        if (may_be_null && vector_is_null(v, row)) continue;
        if (f != NULL && (vector_is_null(f, row) || !VECTOR_VALUES(vector_values(f), bool)[vector_at(f, row)])) continue;
        passes[i] |= bit;
    }
}

void group_distinct_passes(const struct group_distinct *d, const struct batch *in, uint64_t *passes)
{
    memset(passes, 0, batch_rows(in) * sizeof passes[0]);
    for (uint32_t k = 0; k < d->slots; k++) slot_filter(d, k, in, passes);
}

static int64_t part_of(const struct group_distinct *d, const struct batch *in, uint32_t slot, uint32_t row)
{
    const struct vector *v = &in->cols[(uint32_t)d->parts + slot];

    return VECTOR_VALUES(vector_values(v), int64_t)[vector_at(v, row)];
}

/* The same of parts. */
static void parts_passes(const struct group_distinct *d, const struct batch *in, uint64_t *passes)
{
    BATCH_EACH(in, i, row)
    {
        passes[i] = d->is_counted ? 0 : (uint64_t)part_of(d, in, 0, row);
        for (uint32_t k = 0; d->is_counted && k < d->slots; k++) passes[i] |= (uint64_t)(part_of(d, in, k, row) != 0) << k;
    }
}

enum status group_distinct_resolve(struct group_distinct *d, int64_t ns, const struct batch *in, const struct group_firsts *firsts,
                                   const uint64_t *restarts)
{
    uint64_t passes[BATCH_ROWS];
    uint16_t numbers[BATCH_ROWS];

    d->ns = ns;
    d->count = d->next = 0;
    TRY(state_resolve(d->table, ns, &firsts->keys, STATE_INSERT, d->groups, NULL));
    for (uint32_t k = 0; restarts != NULL && k < firsts->count; k++)
        if (bit_get(restarts, k)) state_head_clear(d->table, ns, d->groups[k]);
    d->in = in;
    if (d->parts >= 0) parts_passes(d, in, passes);
    else group_distinct_passes(d, in, passes);
    BATCH_EACH(in, i, row)
    {
        uint32_t n = d->count;
        d->at[n] = (uint16_t)i;
        d->passes[n] = passes[i];
        d->heads[n] = d->groups[firsts->key_of[i]];
        numbers[n] = (uint16_t)row;
        d->count += passes[i] != 0;
    }
    state_probe_fill(&d->probe, in, &d->col, numbers, d->count);
    return state_entry_resolve(d->table, ns, d->heads, &d->probe, STATE_INSERT, d->rows, NULL);
}

/* --- rows come and go ------------------------------------------------------------------------------------------------- */
/* The slots for which it is the first row of its value that comes, or the last one that goes. Counts it. */
static uint64_t counts_change(const struct group_distinct *d, uint32_t j, bool adds)
{
    uint64_t fresh = 0;

    for (uint64_t left = d->passes[j]; left != 0; left &= left - 1) {
        uint32_t slot = (uint32_t)__builtin_ctzll(left);
        int64_t *rows = state_word(d->rows[j], d->table->value.fields[slot].offset);
        *rows += adds ? 1 : -1;
        if (*rows == (adds ? 1 : 0)) fresh |= UINT64_C(1) << slot;
    }
    return fresh;
}

/* The same of a part, which brings rows of some slots and takes those of others back. */
static uint64_t part_change(const struct group_distinct *d, uint32_t j, bool adds)
{
    uint64_t fresh = 0;

    for (uint64_t left = d->passes[j]; left != 0; left &= left - 1) {
        uint32_t slot = (uint32_t)__builtin_ctzll(left);
        int64_t *rows = state_word(d->rows[j], d->table->value.fields[slot].offset), before = *rows;
        int64_t delta = part_of(d, d->in, slot, batch_row(d->in, d->at[j]));
        if ((delta > 0) != adds) continue;
        *rows = before + delta;
        if ((before > 0) != (*rows > 0)) fresh |= UINT64_C(1) << slot;
    }
    return fresh;
}

static uint64_t mask_change(const struct group_distinct *d, uint32_t j)
{
    uint64_t *known = (uint64_t *)state_word(d->rows[j], d->table->value.fields[0].offset), fresh = d->passes[j] & ~*known;

    if (fresh != 0) *known |= fresh;
    return fresh;
}

static void fresh_put(struct group_distinct *d, uint32_t j, uint64_t fresh)
{
    d->fresh_at[d->fresh_count] = d->at[j];
    d->fresh[d->fresh_count] = fresh;
    d->fresh_count += fresh != 0;
    d->fresh_any |= fresh;
}

void group_distinct_take(struct group_distinct *d, const struct batch *in, uint32_t end, bool adds)
{
    d->fresh_count = 0;
    d->fresh_any = 0;
    for (uint32_t j = d->next; j < d->count && d->at[j] < end; j++) {
        enum row_kind kind = batch_kind(in, batch_row(in, d->at[j]));
        if (d->parts >= 0 && d->is_counted) {
            fresh_put(d, j, part_change(d, j, adds));
            continue;
        }
        if ((kind == ROW_INSERT || kind == ROW_UPDATE_AFTER) != adds) continue;
        fresh_put(d, j, d->is_counted ? counts_change(d, j, adds) : mask_change(d, j));
    }
}

void group_distinct_pass(struct group_distinct *d, uint32_t end)
{
    while (d->next < d->count && d->at[d->next] < end) d->next++;
}

static bool is_unused(const struct group_distinct *d, void *row)
{
    for (uint32_t k = 0; k < d->slots; k++)
        if (*state_word(row, d->table->value.fields[k].offset) != 0) return false;
    return true;
}

void group_distinct_forget(struct group_distinct *d, uint32_t end)
{
    for (uint32_t j = 0; j < d->count && d->at[j] < end; j++)
        if (state_element_of(d->table, d->rows[j])->count > 0) state_row_remove(d->table, d->ns, d->heads[j], d->rows[j]);
}

static bool is_of_batch(const struct group_distinct *d, const void *row)
{
    for (uint32_t j = 0; j < d->count; j++)
        if (d->rows[j] == row) return true;
    return false;
}

/* Rows that took back what had not come leave values behind; those of the batch may be counted again by later rows of it. */
void group_distinct_clear(struct group_distinct *d, uint32_t number)
{
    struct state_scan scan = {0};
    void *row;

    ASSERT(d->is_counted);
    while ((row = state_head_next(d->table, d->ns, d->groups[number], &scan)) != NULL) {
        if (is_unused(d, row)) continue;
        for (uint32_t k = 0; k < d->slots; k++) *state_word(row, d->table->value.fields[k].offset) = 0;
        if (!is_of_batch(d, row)) state_row_remove(d->table, d->ns, d->groups[number], row);
    }
}

void group_distinct_done(struct group_distinct *d)
{
    for (uint32_t j = 0; d->is_counted && j < d->count; j++)
        if (is_unused(d, d->rows[j]) && state_element_of(d->table, d->rows[j])->count > 0)
            state_row_remove(d->table, d->ns, d->heads[j], d->rows[j]);
    state_done(d->table);
}
