/* hash_aggregate_beyond.c - groups that do not fit memory.
 *
 * When the groups in memory take three quarters of it, no more are made: rows of groups that are there go on into them, all others are
 * put aside, sorted by the hash of their keys (hashed_rows.h), files and all. When the input has ended they come back with the rows of
 * a group together: a group is made, comes out, and is forgotten before the next ones. Those that were in memory come last.
 *
 * Where groups grow with their rows (DISTINCT, values that are kept: `holds`), all rows are put aside, also those of groups that are
 * there; these go on where they were when their rows come back, in the order in which they came.
 *
 * One group may have more different values than fit. Where DISTINCT is of one column and no call cares for the order of rows, rows of a
 * group come back sorted by the hash of that value, too: a value is forgotten when its rows have come.
 *
 * Where rows are sorted first (sorts), all of them are put aside like that, and memory has never more groups than a stage.
 *
 * Invariants: a group whose rows are not all in the stage is not forgotten before they are. Not here: several columns with DISTINCT in
 * one group, whose values stay in memory while the group's rows come. */
#include "flow/operator/hash_aggregate.h"

#include <string.h>

/* --- opening ----------------------------------------------------------------------------------------------------- */
static bool is_real(const struct type *t) { return t != NULL && (t->kind == T_FLOAT || t->kind == T_DOUBLE); }

/* Is the result the same in whatever order the rows come? */
static bool has_no_order(const struct agg *a)
{
    enum agg_keep keep = a->keep != AGG_KEEP_NOTHING ? a->keep : a->type->keep;

    if (keep == AGG_KEEP_LEAST || keep == AGG_KEEP_GREATEST) return true;
    return keep == AGG_KEEP_NOTHING && a->type->open == NULL && a->type->unmerge != NULL && !is_real(a->argument);
}

/* The call with the one set of values that all DISTINCT calls share, if rows may be sorted by them; else -1. */
static int distinct_find(const struct hash_aggregate *s)
{
    int found = -1;

    for (uint32_t i = 0; i < s->call_count; i++) {
        const struct group_call *c = &s->calls[i];
        if (!has_no_order(&c->agg) || (c->is_distinct && found >= 0 && c->set != (uint32_t)found)) return -1;
        if (c->is_distinct) found = (int)c->set;
    }
    return found;
}

/* Without keys there is one group, and nothing to sort. */
static bool sorts_first(const struct op_cx *cx)
{
    return ((const struct hash_aggregate_config *)cx->config)->sorts && cx->plan->key_count[0] > 0;
}

void hash_aggregate_beyond_open(struct op_cx *cx, struct hash_aggregate *s)
{
    const struct spill_config *spill = &((const struct hash_aggregate_config *)cx->config)->spill;

    s->holds = s->is_full = sorts_first(cx);
    s->holds |= group_calls_hold(s->calls, s->call_count);
    s->distinct = distinct_find(s);
    if (s->is_full) hashed_rows_init(&s->beyond, cx, spill, spill->memory > 0 ? spill->memory : INT64_MAX, 0, s->distinct >= 0);
    else if (spill->memory > 0) hashed_rows_init(&s->beyond, cx, spill, spill->memory / 4, 0, s->distinct >= 0);
}

void hash_aggregate_check(struct op_cx *cx, struct hash_aggregate *s)
{
    int64_t memory = ((const struct hash_aggregate_config *)cx->config)->spill.memory;

    s->is_full = memory > 0 && state_host_bytes(cx->state) > (size_t)(memory - memory / 4);
}

/* --- putting aside ----------------------------------------------------------------------------------------------- */
static enum status known_apply(struct op_cx *cx, struct hash_aggregate *s, const struct batch *in)
{
    void *found[BATCH_ROWS];
    uint16_t known[BATCH_ROWS];
    struct batch view = *in;

    struct state_keys keys = state_keys_of(in, cx->plan->keys[0], cx->plan->key_count[0], s->hashes);
    group_firsts_find(&s->unique, &keys);
    TRY(state_resolve(s->table, 0, &s->unique.keys, STATE_UPDATE, found, NULL));
    view.sel = known;
    view.sel_count = s->rest_count = 0;
    BATCH_EACH(in, i, row)
    {
        void *group = found[s->unique.key_of[i]];
        s->hashes[s->rest_count] = s->hashes[i];
        s->rest[s->rest_count] = (uint16_t)row;
        s->rest_count += group == NULL;
        s->rows[view.sel_count] = group;
        known[view.sel_count] = (uint16_t)row;
        view.sel_count += group != NULL;
    }
    if (view.sel_count > 0) TRY(group_calls_apply(s->calls, s->call_count, &view, s->rows, 0, view.sel_count));
    state_done(s->table);
    return S_OK;
}

static enum status rest_find(struct op_cx *cx, struct hash_aggregate *s, const struct batch *in)
{
    batch_hash(in, cx->plan->keys[0], cx->plan->key_count[0], s->hashes);
    if (!s->holds) return known_apply(cx, s, in);
    s->rest_count = batch_rows(in);
    BATCH_EACH(in, i, row) s->rest[i] = (uint16_t)row;
    if (s->distinct < 0) return S_OK;
    batch_hash(in, &s->calls[s->distinct].agg.col, 1, s->values);
    for (uint32_t i = 0; i < s->rest_count; i++) s->hashes[i] = (s->hashes[i] & ~(uint64_t)UINT32_MAX) | s->values[i] >> 32;
    return S_OK;
}

enum status hash_aggregate_put_aside(struct op_cx *cx, struct hash_aggregate *s, const struct batch *in)
{
    struct batch view = *in;

    if (!s->beyond.is_adding) TRY(rest_find(cx, s, in));
    view.sel = s->rest;
    view.sel_count = s->rest_count;
    if (s->rest_count == 0) return S_OK;
    return hashed_rows_add(&s->beyond, &view, s->hashes, NULL);
}

/* --- taking up --------------------------------------------------------------------------------------------------- */
/* Values none of whose rows are still to come: the last one may have some. */
static void values_forget(struct hash_aggregate *s, uint32_t fed)
{
    const uint64_t *hashes = hashed_rows_hashes(&s->beyond);
    uint32_t n = fed;

    while (n > 0 && hashes[n - 1] == hashes[fed - 1]) n--;
    if (n > 0) group_distinct_forget(s->calls[s->distinct].distinct, n);
}

/* Rows of the stage into their groups: of all groups but the last, which may have more, or some of that one. */
static enum status stage_feed(struct op_cx *cx, struct hash_aggregate *s)
{
    uint32_t whole = hashed_rows_whole(&s->beyond), n = whole > 0 ? whole : s->beyond.stage->count - 1;
    struct batch view = hashed_rows_view(&s->beyond, n);

    batch_hash(&view, cx->plan->keys[0], cx->plan->key_count[0], s->hashes);
    TRY(hash_aggregate_add(cx, s, &view, s->hashes));
    if (whole == 0 && s->distinct >= 0) values_forget(s, n);
    s->is_whole = whole > 0 && cx->plan->key_count[0] > 0; /* without keys the one group comes in any case */
    batch_clear(s->keys);
    if (s->is_whole) batch_append(s->keys, &view, s->unique.rows, s->unique.count);
    group_calls_done(s->calls, s->call_count);
    state_done(s->table);
    s->fed = n;
    s->is_fed = true;
    return S_OK;
}

enum status hash_aggregate_take_up(struct op_cx *cx, struct hash_aggregate *s)
{
    TRY(hashed_rows_next(&s->beyond));
    if (s->beyond.stage->count == 0) return S_OK;
    if (!s->is_fed) TRY(stage_feed(cx, s));
    if (s->is_whole) TRY(hash_aggregate_emit(cx, s, true));
    hashed_rows_take(&s->beyond, s->fed);
    s->is_fed = false;
    return S_MORE;
}
