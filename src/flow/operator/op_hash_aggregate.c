/* op_hash_aggregate.c - SQL's GROUP BY in batch mode: rows are only added, and each group has one row, which comes when the input has
 * ended.
 *
 * State: as that of op_group_aggregate.c, so that the calls (group_calls.h) work on the same rows. When the input has ended a walk over
 * the groups gives their results. Rows without keys are one group, even when there are none.
 *
 * Groups beyond memory, and groups whose rows are sorted first: hash_aggregate_beyond.c. Not here: rows that are taken back, parts of groups. */
#include "flow/operator/hash_aggregate.h"

#include <string.h>

static const struct config_field hash_aggregate_config_fields[] = {
    GROUP_CALLS_FIELDS(0),
    CONFIG_FIELD(hash_aggregate_config, sorts, CONF_BOOL, "all rows are sorted by the hash of their groups first; else those that do not fit"),
    SPILL_FIELDS(offsetof(struct hash_aggregate_config, spill)),
    CONFIG_LAST,
};

/* --- opening ----------------------------------------------------------------------------------------------------- */
static struct batch *keys_batch(struct op_cx *cx, uint32_t rows)
{
    const struct op_plan *p = cx->plan;
    uint64_t *keys = ARENA_ARRAY(p->arena, uint64_t, p->inputs[0]->child_count / 64 + 1);

    for (uint32_t i = 0; i < p->key_count[0]; i++) bit_set(keys, p->keys[0][i]);
    return batch_create_needed(p->inputs[0], keys, rows, cx->mem);
}

static enum status hash_aggregate_open(struct op_cx *cx, void *self)
{
    const struct hash_aggregate_config *c = cx->config;
    struct hash_aggregate *s = self;
    uint32_t words = 1, rows = MAX(cx->batch_rows, 2u);

    s->call_count = c->calls.functions.count;
    TRY(group_calls_read(cx->plan->arena, cx->plan, &c->calls, &s->calls, cx->err));
    for (uint32_t i = 0; i < s->call_count; i++) words += s->calls[i].agg.words;
    s->def = (struct state_def){
        .name = "groups",
        .version = 1,
        .shape = STATE_MAP,
        .key = type_row_of(cx->plan->arena, cx->plan->inputs[0], cx->plan->keys[0], cx->plan->key_count[0]),
        .value = group_home_row(cx->plan->arena, &c->calls, s->calls, false)};
    TRY(state_open(cx->state, &s->def, &s->table, cx->err));
    for (uint32_t i = 0; i < s->call_count; i++)
        if (group_keep_is_one(&s->calls[i].agg, false)) s->calls[i].home.table = s->table;
    for (uint32_t i = 0; i < s->call_count; i++)
        s->calls[i].agg.offset =
            s->table->value.fields[s->calls[i].first_field < words ? s->calls[i].first_field : 0].offset;
    s->out = batch_create_needed(cx->plan->outputs[0], cx->needed_out != NULL ? cx->needed_out[0] : NULL, rows,
                                 cx->mem);
    s->keys = keys_batch(cx, rows);
    hash_aggregate_beyond_open(cx, s);
    return group_calls_open(cx, &c->calls, s->calls, s->call_count, 0, &s->def, false);
}

static void hash_aggregate_close(struct op_cx *cx, void *self, bool failed)
{
    struct hash_aggregate *s = self;

    (void)failed;
    if (s->calls != NULL) group_calls_close(cx, s->calls, s->call_count);
    state_close(s->table);
    batch_free(s->out);
    batch_free(s->keys);
    hashed_rows_release(&s->beyond);
}

/* --- rows -------------------------------------------------------------------------------------------------------- */
enum status hash_aggregate_add(struct op_cx *cx, struct hash_aggregate *s, const struct batch *in,
                               const uint64_t *hashes)
{
    uint32_t rows = batch_rows(in);
    void *found[BATCH_ROWS];

    struct state_keys keys = state_keys_of(in, cx->plan->keys[0], cx->plan->key_count[0], hashes);
    group_firsts_find(&s->unique, &keys);
    TRY(state_resolve(s->table, 0, &s->unique.keys, STATE_INSERT, found, NULL));
    for (uint32_t i = 0; i < rows; i++) s->rows[i] = found[s->unique.key_of[i]];
    TRY(group_calls_resolve(s->calls, s->call_count, 0, in, &keys, &s->unique, NULL, s->rows));
    return group_calls_apply(s->calls, s->call_count, in, s->rows, 0, rows); /* rows that are made or found to insert count as written */
}

static enum status hash_aggregate_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct hash_aggregate *s = self;

    ASSERT(input == 0);
    if (s->is_full) return hash_aggregate_put_aside(cx, s, in);
    batch_hash(in, cx->plan->keys[0], cx->plan->key_count[0], s->hashes);
    TRY(hash_aggregate_add(cx, s, in, s->hashes));
    group_calls_done(s->calls, s->call_count);
    state_done(s->table);
    hash_aggregate_check(cx, s);
    return S_OK;
}

/* --- results ----------------------------------------------------------------------------------------------------- */
static void columns_fill(struct op_cx *cx, struct hash_aggregate *s)
{
    const struct op_plan *p = cx->plan;
    uint32_t keys = p->key_count[0], n = s->keys->count;

    for (uint32_t i = 0; i < keys; i++)
        if (s->out->cols[i].form != VEC_ABSENT)
            vector_copy(&s->out->cols[i], 0, &s->keys->cols[p->keys[0][i]], NULL, n, &s->out->heap, s->out->mem);
    for (uint32_t c = 0; c < s->call_count; c++) {
        if (s->out->cols[keys + c].form == VEC_ABSENT) continue;
        if (s->calls[c].keep == NULL) group_call_results(&s->calls[c], s->rows, n, s->out, keys + c, 0);
        for (uint32_t i = 0; s->calls[c].keep != NULL && i < n; i++)
            group_keep_result(s->calls[c].keep, i, s->out, keys + c, i);
    }
    s->out->count = n;
}

static enum status results_fill(struct op_cx *cx, struct hash_aggregate *s, const struct state_keys *keys)
{
    if (s->is_filled) return S_OK;
    TRY(state_resolve(s->table, 0, keys, STATE_INSERT, s->rows, NULL));
    TRY(group_calls_resolve_kept(s->calls, s->call_count, 0, keys, s->rows));
    batch_clear(s->out);
    columns_fill(cx, s);
    s->is_filled = true;
    return group_calls_check(s->calls, s->call_count);
}

enum status hash_aggregate_emit(struct op_cx *cx, struct hash_aggregate *s, bool forgets)
{
    uint64_t hashes[BATCH_ROWS], all[BATCH_ROWS / 64];

    batch_hash(s->keys, cx->plan->keys[0], cx->plan->key_count[0], hashes);
    struct state_keys keys = state_keys_of(s->keys, cx->plan->keys[0], cx->plan->key_count[0], hashes);
    TRY(results_fill(cx, s, &keys));
    if (forgets) TRY(group_calls_forget(s->calls, s->call_count, 0, &keys));
    memset(all, 0xff, sizeof all);
    if (forgets) state_remove(s->table, all);
    if (s->out->count > 0) op_forward(cx, 0, s->out); /* nothing may be pending behind it */
    s->is_filled = false;
    for (uint32_t i = 0; i < s->call_count; i++)
        if (s->calls[i].keep != NULL) group_keep_done(s->calls[i].keep);
    state_done(s->table);
    return S_OK;
}

/* The next keys. */
static enum status walk_on(struct op_cx *cx, struct hash_aggregate *s)
{
    const struct op_plan *p = cx->plan;
    uint32_t n = 0;

    if (s->is_walked) return S_OK;
    batch_clear(s->keys);
    if (p->key_count[0] > 0) {
        enum status st = state_each(s->table, 0, &s->cursor, s->keys, p->keys[0], s->rows, &n);
        if (st != S_OK && st != S_MORE) return st;
        s->is_last = st == S_OK;
    } else {
        s->keys->count = 1;
        s->is_last = true;
    }
    s->is_walked = true;
    return S_OK;
}

static enum status hash_aggregate_on_end(struct op_cx *cx, void *self, uint32_t input)
{
    struct hash_aggregate *s = self;

    ASSERT(input == 0);
    if (s->beyond.count > 0 && !s->is_sorted) {
        TRY(hash_aggregate_take_up(cx, s));
        s->is_sorted = true;
        return S_MORE;
    }
    TRY(walk_on(cx, s));
    TRY(hash_aggregate_emit(cx, s, false));
    s->is_walked = false;
    return s->is_last ? S_OK : S_MORE;
}

const struct op_type op_hash_aggregate = {
    .name = "hash_aggregate",
    .doc = "SQL in batch mode: aggregates per group, once, when the input has ended",
    .example = "SELECT bidder, COUNT(*) FROM bids GROUP BY bidder",
    .flags = OP_SELECTION | OP_FORMS | OP_AT_END | OP_STATE,
    .input_count = 1,
    .config_size = sizeof(struct hash_aggregate_config),
    .config_fields = hash_aggregate_config_fields,
    .instance_size = sizeof(struct hash_aggregate),
    .derive = group_calls_derive,
    .needs = group_calls_needs,
    .open = hash_aggregate_open,
    .on_batch = hash_aggregate_on_batch,
    .on_end = hash_aggregate_on_end,
    .close = hash_aggregate_close,
};
