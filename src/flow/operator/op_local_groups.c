/* op_local_groups.c - the first of two phases of a group aggregation, before the rows are spread by their groups: of each batch one row
 * per group goes on, with accumulators of the batch's rows, which group_aggregate then merges. Few groups, or some that most rows
 * belong to, then cost the way between tasks once per batch instead of once per row, and no task gets all the rows.
 *
 * A part is the group's columns, the number of rows that came less those that were taken back, and the words of the calls (agg.h).
 * It keeps no state: a batch is a mini-batch. Calls with DISTINCT and those that keep values have no parts and are refused. */
#include "flow/operator/group_calls.h"
#include "flow/operator/local_groups.h"

#include <string.h>

struct local_groups {
    struct group_call *calls;
    uint32_t call_count, key_count, words;
    uint32_t *keys; /* columns of the input */
    struct batch *out;
    char *parts; /* words of the groups, one after the other */
    struct group_firsts unique;
    void *acc[BATCH_ROWS];
};

static const struct config_field local_groups_config_fields[] = {
    GROUP_CALLS_FIELDS(offsetof(struct local_groups_config, calls)),
    CONFIG_FIELD(local_groups_config, keys, CONF_TEXTS, "columns of the groups"),
    GROUP_CALLS_FIELD(offsetof(struct local_groups_config, calls), retracts, CONF_BOOL, "rows may be taken back"),
    CONFIG_LAST,
};

static enum status local_groups_read(const struct op_plan *p, const struct local_groups_config *c, struct group_call **calls,
                                     uint32_t **keys, uint32_t *words, struct err *e)
{
    *keys = ARENA_ARRAY(p->arena, uint32_t, MAX(c->keys.count, 1u));
    for (uint32_t i = 0; i < c->keys.count; i++) {
        int col = op_plan_field(p, 0, c->keys.items[i], e);
        if (col < 0) return E_GRAPH;
        (*keys)[i] = (uint32_t)col;
    }
    TRY(group_calls_read(p->arena, p, &c->calls, calls, e));
    *words = 1;
    for (uint32_t i = 0; i < c->calls.functions.count; i++) {
        const struct agg *a = &(*calls)[i].agg;
        if ((*calls)[i].is_distinct || a->keep != AGG_KEEP_NOTHING || a->type->merge == NULL || a->type->open != NULL)
            return err_set(e, E_UNSUPPORTED, "%s has no partial results here", a->type->name);
        *words += a->words;
    }
    return S_OK;
}

static enum status local_groups_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct local_groups_config *c = config;
    struct group_call *calls;
    uint32_t *keys, words;

    TRY(local_groups_read(p, c, &calls, &keys, &words, e));
    p->outputs[0] = group_parts_row(p->arena, p, keys, c->keys.count, words);
    p->output_count = 1;
    return S_OK;
}

static void local_groups_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs, uint64_t *const *inputs)
{
    const struct local_groups_config *c = config;
    struct group_call *calls;
    uint32_t *keys, words;

    (void)outputs;
    if (local_groups_read(p, c, &calls, &keys, &words, NULL) != S_OK) return;
    for (uint32_t i = 0; i < c->keys.count; i++) bit_set(inputs[0], keys[i]);
    for (uint32_t i = 0; i < c->calls.functions.count; i++) {
        if (calls[i].agg.argument != NULL) bit_set(inputs[0], calls[i].agg.col);
        if (calls[i].filter >= 0) bit_set(inputs[0], (uint32_t)calls[i].filter);
    }
}

static enum status local_groups_open(struct op_cx *cx, void *self)
{
    const struct local_groups_config *c = cx->config;
    struct local_groups *s = self;

    TRY(local_groups_read(cx->plan, c, &s->calls, &s->keys, &s->words, cx->err));
    s->call_count = c->calls.functions.count;
    s->key_count = c->keys.count;
    for (uint32_t i = 0; i < s->call_count; i++) s->calls[i].agg.offset = s->calls[i].first_field * (uint32_t)sizeof(int64_t);
    s->out = batch_create_needed(cx->plan->outputs[0], cx->needed_out != NULL ? cx->needed_out[0] : NULL, BATCH_ROWS, cx->mem);
    s->parts = mem_alloc(cx->mem, (size_t)BATCH_ROWS * s->words * sizeof(int64_t));
    return S_OK;
}

static void local_groups_close(struct op_cx *cx, void *self, bool failed)
{
    struct local_groups *s = self;

    (void)failed;
    batch_free(s->out);
    mem_free(cx->mem, s->parts);
}

static void parts_begin(struct local_groups *s, const struct batch *in)
{
    size_t size = s->words * sizeof(int64_t);

    memset(s->parts, 0, s->unique.count * size);
    BATCH_EACH(in, i, row)
    {
        enum row_kind kind = batch_kind(in, row);
        s->acc[i] = s->parts + s->unique.key_of[i] * size;
        *state_word(s->acc[i], 0) += kind == ROW_INSERT || kind == ROW_UPDATE_AFTER ? 1 : -1;
    }
}

static void parts_put(struct local_groups *s, const struct batch *in)
{
    const int64_t *parts = (const int64_t *)(const void *)s->parts;
    uint32_t n = s->unique.count;

    batch_clear(s->out);
    for (uint32_t k = 0; k < s->key_count; k++)
        if (s->out->cols[k].form != VEC_ABSENT)
            vector_copy(&s->out->cols[k], 0, &in->cols[s->keys[k]], s->unique.rows, n, &s->out->heap, s->out->mem);
    for (uint32_t w = 0; w < s->words; w++) {
        struct vector *v = &s->out->cols[s->key_count + w];
        for (uint32_t i = 0; v->form != VEC_ABSENT && i < n; i++) VECTOR_VALUES(v, int64_t)[i] = parts[(size_t)i * s->words + w];
    }
    s->out->count = n;
}

static enum status local_groups_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct local_groups *s = self;
    uint64_t hashes[BATCH_ROWS];
    uint32_t rows = batch_rows(in);

    ASSERT(input == 0);
    if (rows == 0) return S_OK;
    batch_hash(in, s->keys, s->key_count, hashes);
    struct state_keys keys = state_keys_of(in, s->keys, s->key_count, hashes);
    group_firsts_find(&s->unique, &keys);
    parts_begin(s, in);
    TRY(group_calls_apply(s->calls, s->call_count, in, s->acc, 0, rows));
    parts_put(s, in);
    op_forward(cx, 0, s->out);
    return S_OK;
}

const struct op_type op_local_groups = {
    .name = "local_groups",
    .doc = "SQL: aggregates of the groups of each batch, to be merged behind an exchange",
    .example = "SELECT bidder, COUNT(*) FROM bids GROUP BY bidder",
    .flags = OP_SELECTION | OP_FORMS,
    .input_count = 1,
    .config_size = sizeof(struct local_groups_config),
    .config_fields = local_groups_config_fields,
    .instance_size = sizeof(struct local_groups),
    .derive = local_groups_derive,
    .needs = local_groups_needs,
    .open = local_groups_open,
    .on_batch = local_groups_on_batch,
    .close = local_groups_close,
};
