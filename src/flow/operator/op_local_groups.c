/* op_local_groups.c - the first of two phases of a group aggregation, before the rows are spread by their groups: of each batch one row
 * per group goes on, with accumulators of the batch's rows, which group_aggregate then merges. Few groups, or some that most rows
 * belong to, then cost the way between tasks once per batch instead of once per row, and no task gets all the rows.
 *
 * A part is the group's columns, the number of rows that came less those that were taken back, and the words of the calls (agg.h).
 * Values of DISTINCT calls go on once per group and batch, each set's in columns of its own: the first of a set beside the group's words,
 * others in further rows whose words are zero. Where rows may be taken back a value goes on with how many rows of it came.
 *
 * It keeps no state: a batch is a mini-batch. Calls that keep values have no parts and are refused. */
#include "flow/operator/group_calls.h"
#include "flow/operator/local_groups.h"

#include <string.h>

/* The values of the DISTINCT calls of one column, in a batch. */
struct local_set {
    struct group_distinct *slots; /* which; no state */
    uint32_t col;           /* of the output: of the value */
    uint32_t *keys;         /* columns of the input: the group's, and the value's */
    struct group_firsts values;
    uint32_t group[BATCH_ROWS], place[BATCH_ROWS]; /* per value: its group, the how-manieth of it; LOCAL_NONE: no slot has it */
    uint64_t mask[BATCH_ROWS];
    int64_t *deltas;        /* instead, per slot and value, where rows may be taken back; else NULL */
};
enum { LOCAL_NONE = UINT32_MAX };

struct local_groups {
    struct group_call *calls;
    uint32_t call_count, key_count, words;
    uint32_t *keys; /* columns of the input */
    struct batch *out;
    char *parts; /* words of the groups, one after the other */
    struct group_firsts unique;
    void *acc[BATCH_ROWS];
    uint32_t set_count;
    struct local_set *sets;
    /* Rows of the output. */
    uint32_t first[BATCH_ROWS + 1]; /* of each group */
    uint16_t from[BATCH_ROWS];      /* a row of the input, of the group */
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
        if (a->keep != AGG_KEEP_NOTHING || a->type->merge == NULL || a->type->open != NULL)
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
    p->outputs[0] = group_parts_row(p->arena, p, keys, c->keys.count, words, calls, c->calls.functions.count, c->calls.retracts);
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

static void sets_open(struct op_cx *cx, struct local_groups *s, bool retracts)
{
    uint32_t n = s->call_count, col = s->key_count + s->words;

    for (uint32_t set = group_set_next(s->calls, n, 0); set < n; set = group_set_next(s->calls, n, set + 1)) s->set_count++;
    s->sets = mem_zalloc(cx->mem, sizeof *s->sets * (s->set_count + 1));
    for (uint32_t i = 0, set = group_set_next(s->calls, n, 0); set < n; set = group_set_next(s->calls, n, set + 1), i++) {
        struct local_set *l = &s->sets[i];
        l->slots = mem_zalloc(cx->mem, sizeof *l->slots);
        group_set_read(s->calls, n, set, l->slots);
        l->col = col;
        l->keys = ARENA_ARRAY(cx->plan->arena, uint32_t, s->key_count + 1);
        memcpy(l->keys, s->keys, sizeof *l->keys * s->key_count);
        l->keys[s->key_count] = l->slots->col;
        if (retracts) l->deltas = mem_alloc(cx->mem, sizeof *l->deltas * l->slots->slots * BATCH_ROWS);
        col += 1 + (retracts ? l->slots->slots : 1);
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
    sets_open(cx, s, c->calls.retracts);
    return S_OK;
}

static void local_groups_close(struct op_cx *cx, void *self, bool failed)
{
    struct local_groups *s = self;

    (void)failed;
    batch_free(s->out);
    mem_free(cx->mem, s->parts);
    for (uint32_t i = 0; i < s->set_count; i++) {
        mem_free(cx->mem, s->sets[i].slots);
        mem_free(cx->mem, s->sets[i].deltas);
    }
    mem_free(cx->mem, s->sets);
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

/* --- values of DISTINCT calls ---------------------------------------------------------------------------------------- */
static bool is_there(const struct local_set *l, uint32_t value)
{
    if (l->deltas == NULL) return l->mask[value] != 0;
    for (uint32_t k = 0; k < l->slots->slots; k++)
        if (l->deltas[k * BATCH_ROWS + value] != 0) return true;
    return false;
}

static void value_count(struct local_set *l, uint32_t value, uint64_t passes, bool adds)
{
    l->mask[value] |= passes;
    for (; l->deltas != NULL && passes != 0; passes &= passes - 1)
        l->deltas[(uint32_t)__builtin_ctzll(passes) * BATCH_ROWS + value] += adds ? 1 : -1;
}

/* The values of the batch, and the slots of each. */
static void values_find(const struct local_groups *s, struct local_set *l, const struct batch *in)
{
    uint64_t hashes[BATCH_ROWS], passes[BATCH_ROWS];

    batch_hash(in, l->keys, s->key_count + 1, hashes);
    struct state_keys keys = state_keys_of(in, l->keys, s->key_count + 1, hashes);
    group_firsts_find(&l->values, &keys);
    group_distinct_passes(l->slots, in, passes);
    memset(l->mask, 0, sizeof *l->mask * l->values.count);
    for (uint32_t k = 0; l->deltas != NULL && k < l->slots->slots; k++)
        memset(&l->deltas[k * BATCH_ROWS], 0, sizeof *l->deltas * l->values.count);
    BATCH_EACH(in, i, row)
    {
        enum row_kind kind = batch_kind(in, row);
        l->group[l->values.key_of[i]] = s->unique.key_of[i];
        value_count(l, l->values.key_of[i], passes[i], kind == ROW_INSERT || kind == ROW_UPDATE_AFTER);
    }
}

/* A place for each value; most[g]: how many rows group g has so far. */
static void values_place(struct local_groups *s, struct local_set *l, uint32_t *most)
{
    uint32_t counts[BATCH_ROWS];

    memset(counts, 0, sizeof *counts * s->unique.count);
    for (uint32_t v = 0; v < l->values.count; v++) {
        uint32_t g = l->group[v];
        l->place[v] = is_there(l, v) ? counts[g]++ : LOCAL_NONE;
        most[g] = MAX(most[g], counts[g]);
    }
}

/* Where the rows of each group lie: as many as it has values of a set, but one at least. */
static void rows_place(struct local_groups *s, const struct batch *in)
{
    uint32_t most[BATCH_ROWS];

    for (uint32_t g = 0; g < s->unique.count; g++) most[g] = 1;
    for (uint32_t i = 0; i < s->set_count; i++) {
        values_find(s, &s->sets[i], in);
        values_place(s, &s->sets[i], most);
    }
    s->first[0] = 0;
    for (uint32_t g = 0; g < s->unique.count; g++) {
        s->first[g + 1] = s->first[g] + most[g];
        for (uint32_t i = s->first[g]; i < s->first[g + 1]; i++) s->from[i] = s->unique.rows[g];
    }
}

static void slots_put(const struct local_groups *s, const struct local_set *l, uint32_t slot, struct vector *out, uint32_t n)
{
    if (out->form == VEC_ABSENT) return;
    memset(out->data, 0, sizeof(int64_t) * n);
    for (uint32_t v = 0; v < l->values.count; v++) {
        if (l->place[v] == LOCAL_NONE) continue;
        VECTOR_VALUES(out, int64_t)[s->first[l->group[v]] + l->place[v]] =
            l->deltas == NULL ? (int64_t)l->mask[v] : l->deltas[slot * BATCH_ROWS + v];
    }
}

static void values_put(struct local_groups *s, const struct local_set *l, const struct batch *in, uint32_t n)
{
    struct vector *out = &s->out->cols[l->col];
    uint64_t has[BATCH_ROWS / 64] = {0};
    uint16_t from[BATCH_ROWS];

    memcpy(from, s->from, sizeof *from * n);
    for (uint32_t v = 0; v < l->values.count; v++) {
        if (l->place[v] == LOCAL_NONE) continue;
        uint32_t at = s->first[l->group[v]] + l->place[v];
        from[at] = l->values.rows[v];
        bit_set(has, at);
    }
    if (out->form != VEC_ABSENT) {
        vector_copy(out, 0, &in->cols[l->slots->col], from, n, &s->out->heap, s->out->mem);
        for (uint32_t i = 0; i < n; i++)
            if (!bit_get(has, i)) vector_set_null(out, i);
    }
    for (uint32_t k = 0; k < (l->deltas != NULL ? l->slots->slots : 1); k++) slots_put(s, l, k, &s->out->cols[l->col + 1 + k], n);
}

/* --- parts ------------------------------------------------------------------------------------------------------------ */
static void words_put(struct local_groups *s, uint32_t w, uint32_t n)
{
    const int64_t *parts = (const int64_t *)(const void *)s->parts;
    struct vector *v = &s->out->cols[s->key_count + w];

    if (v->form == VEC_ABSENT) return;
    if (n > s->unique.count) memset(v->data, 0, sizeof(int64_t) * n);
    for (uint32_t g = 0; g < s->unique.count; g++) VECTOR_VALUES(v, int64_t)[s->first[g]] = parts[(size_t)g * s->words + w];
}

static void parts_put(struct local_groups *s, const struct batch *in)
{
    rows_place(s, in);
    uint32_t n = s->first[s->unique.count];

    batch_clear(s->out);
    for (uint32_t k = 0; k < s->key_count; k++)
        if (s->out->cols[k].form != VEC_ABSENT)
            vector_copy(&s->out->cols[k], 0, &in->cols[s->keys[k]], s->from, n, &s->out->heap, s->out->mem);
    for (uint32_t w = 0; w < s->words; w++) words_put(s, w, n);
    for (uint32_t i = 0; i < s->set_count; i++) values_put(s, &s->sets[i], in, n);
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
