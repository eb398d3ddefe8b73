/* op_over_sorted.c - SQL's aggregates OVER all rows up to the current one in the order of a value that is no time, over a changelog: a
 * row that comes or goes changes the results of those behind it, which are updated one by one.
 *
 * State: an ordered map, (partition, value) -> row and the words of the calls up to it. A row is worked on in groups: the rows of its
 * own value, then value by value what stands behind; with ROWS every row is a group. Each takes the words of the one before, adds its
 * rows, and is done when that is what it had already: then nothing behind it changes either. What comes out, and its sequence, is that
 * of Flink's operators, whatever the batches.
 *
 * Invariants: a row's group is begun only when its walk is there; a pair of changes goes out only when the output has room for both.
 * What is emitted lies in the state, removed rows too, until the batch is done. Results that are values are those of over_values.h.
 * DISTINCT looks at all rows before, too (over_distinct.h). Not here: what is folded of all values at once (PERCENTILE). */
#include "flow/operator/over_sorted_internal.h"

#include <string.h>

static const struct config_field over_sorted_config_fields[] = {
    GROUP_CALLS_FIELDS(offsetof(struct over_sorted_config, calls)),
    GROUP_CALLS_FIELD(offsetof(struct over_sorted_config, calls), emit_before, CONF_BOOL, "updates come with the row before"),
    GROUP_CALLS_FIELD(offsetof(struct over_sorted_config, calls), ttl_ms, CONF_INT, "ms until an untouched row is forgotten; 0: never"),
    CONFIG_FIELD(over_sorted_config, order, CONF_TEXT, "column by which rows are ordered"),
    CONFIG_FIELD(over_sorted_config, nulls_last, CONF_BOOL, "NULL is behind all values, not before"),
    CONFIG_FIELD(over_sorted_config, rows, CONF_BOOL,
                 "ROWS: each row by itself; else RANGE, rows of equal values together"),
    CONFIG_LAST,
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static enum status over_sorted_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct over_sorted_config *c = config;
    const struct type *in = p->inputs[0];
    uint32_t n = in->child_count, calls = c->calls.functions.count;
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, n + calls);
    const char **names = ARENA_ARRAY(p->arena, const char *, n + calls);
    struct group_call *read;

    if (c->order == NULL) return err_set(e, E_CONFIG, "order is missing");
    if (op_plan_field(p, 0, c->order, e) < 0) return E_GRAPH;
    TRY(group_calls_read(p->arena, p, &c->calls, &read, e));
    memcpy(types, in->children, sizeof *types * n);
    memcpy(names, in->names, sizeof *names * n);
    for (uint32_t i = 0; i < calls; i++) {
        if ((read[i].agg.keep != AGG_KEEP_NOTHING && !over_value_fits(&read[i])) ||
            read[i].filter >= 0 || read[i].agg.type->open != NULL)
            return err_set(e, E_UNSUPPORTED, "%s of this type is not supported yet OVER a window that is not ordered by time",
                           read[i].agg.type->name);
        types[n + i] = read[i].agg.result;
        names[n + i] = c->calls.names.items[i];
    }
    p->outputs[0] = type_row(p->arena, n + calls, names, types, false);
    p->output_count = 1;
    return S_OK;
}

static void over_sorted_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs,
                              uint64_t *const *inputs)
{
    const struct over_sorted_config *c = config;
    struct group_call *calls;
    int order = op_plan_field(p, 0, c->order, NULL);

    for (uint32_t i = 0; i < p->key_count[0]; i++) bit_set(inputs[0], p->keys[0][i]);
    for (uint32_t i = 0; i < p->inputs[0]->child_count; i++)
        if (outputs[0] == NULL || bit_get(outputs[0], i)) bit_set(inputs[0], i);
    if (order >= 0) bit_set(inputs[0], (uint32_t)order);
    if (group_calls_read(p->arena, p, &c->calls, &calls, NULL) != S_OK) return;
    for (uint32_t i = 0; i < c->calls.functions.count; i++)
        if (calls[i].agg.argument != NULL) bit_set(inputs[0], calls[i].agg.col);
}

/* --- opening ----------------------------------------------------------------------------------------------------- */
static bool is_kept(const struct op_cx *cx, uint32_t col)
{
    const struct op_plan *p = cx->plan;

    for (uint32_t k = 0; k < p->key_count[0]; k++)
        if (p->keys[0][k] == col) return false;
    return cx->needed_in == NULL || cx->needed_in[0] == NULL || bit_get(cx->needed_in[0], col);
}

/* The columns that are kept, then the words of the calls, then results that are values. */
static const struct type *kept_row(struct op_cx *cx, struct over_sorted *s)
{
    const struct op_plan *p = cx->plan;
    uint32_t n = p->inputs[0]->child_count, words = 0;

    for (uint32_t i = 0; i < s->call_count; i++) words += s->calls[i].agg.words;
    s->words = words * (uint32_t)sizeof(int64_t);
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, n + words + s->call_count);
    const char **names = ARENA_ARRAY(p->arena, const char *, n + words + s->call_count);
    s->cols = ARENA_ARRAY(p->arena, uint32_t, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        if (!is_kept(cx, i)) continue;
        types[s->col_count] = p->inputs[0]->children[i];
        names[s->col_count] = arena_printf(p->arena, "c%u", i);
        s->cols[s->col_count++] = i;
    }
    for (uint32_t w = 0; w < words; w++) {
        types[s->col_count + w] = type_new(p->arena, T_BIGINT, 0, 0, false);
        names[s->col_count + w] = arena_printf(p->arena, "w%u", w);
    }
    n = s->first_value = s->col_count + words;
    for (uint32_t i = 0; i < s->call_count; i++) {
        if (!over_value_fits(&s->calls[i])) continue;
        types[n] = type_with_null(p->arena, s->calls[i].agg.result, true);
        names[n++] = arena_printf(p->arena, "v%u", i);
    }
    return type_row(p->arena, n, names, types, false);
}

/* The words lie behind each other: fields keep their order. */
static void words_place(struct over_sorted *s)
{
    uint32_t words = s->words / (uint32_t)sizeof(int64_t), at = 0;

    for (uint32_t w = 0; w < words; w++) {
        uint32_t offset = s->table->value.fields[s->col_count + w].offset;
        if (w == 0) s->word_offset = offset;
        ASSERT(offset == s->word_offset + w * sizeof(int64_t));
    }
    for (uint32_t i = 0; i < s->call_count; i++) {
        s->calls[i].agg.offset = at;
        at += s->calls[i].agg.words * (uint32_t)sizeof(int64_t);
    }
}

static enum status over_sorted_open(struct op_cx *cx, void *self)
{
    const struct over_sorted_config *c = cx->config;
    const struct op_plan *p = cx->plan;
    struct over_sorted *s = self;
    uint32_t rows = MAX(cx->batch_rows, 2u);

    s->config = c;
    s->call_count = c->calls.functions.count;
    s->first_result = p->inputs[0]->child_count;
    s->order = (uint32_t)op_plan_field(p, 0, c->order, cx->err);
    TRY(group_calls_read(p->arena, p, &c->calls, &s->calls, cx->err));
    s->def = (struct state_def){
        .name = "rows",
        .version = 1,
        .upgrade = STATE_UPGRADE_COLUMNS,
        .shape = STATE_ORDERED,
        .sort_nulls_last = c->nulls_last,
        .key = type_row_of(p->arena, p->inputs[0], p->keys[0], p->key_count[0]),
        .sort_key = type_row_of(p->arena, p->inputs[0], &s->order, 1),
        .value = kept_row(cx, s),
        .ttl = state_ttl_of(c->calls.ttl_ms)};
    TRY(state_open(cx->state, &s->def, &s->table, cx->err));
    TRY(state_probe_init(&s->probe, s->def.sort_key, cx->mem, cx->err));
    words_place(s);
    over_values_open(&s->values, cx, s->calls, s->call_count, s->first_result, s->first_value);
    s->out = batch_create_needed(p->outputs[0], cx->needed_out != NULL ? cx->needed_out[0] : NULL, rows, cx->mem);
    s->work = batch_create_needed(p->inputs[0], cx->needed_in != NULL ? cx->needed_in[0] : NULL, BATCH_ROWS, cx->mem);
    int *fields = ARENA_ARRAY(p->arena, int, p->inputs[0]->child_count + 1);
    for (uint32_t i = 0; i < p->inputs[0]->child_count; i++) fields[i] = -1;
    for (uint32_t i = 0; i < s->col_count; i++) fields[s->cols[i]] = (int)i;
    over_distinct_open(&s->distinct, cx, s->calls, s->call_count, fields);
    s->left_out = mem_zalloc(cx->mem, s->call_count + 1);
    s->acc = mem_alloc(cx->mem, s->words + sizeof(int64_t));
    s->snapshots = mem_alloc(cx->mem, (size_t)(s->words + sizeof(int64_t)) * rows);
    return S_OK;
}

static void over_sorted_close(struct op_cx *cx, void *self, bool failed)
{
    struct over_sorted *s = self;

    (void)failed;
    state_close(s->table);
    state_probe_release(&s->probe);
    batch_free(s->out);
    batch_free(s->work);
    over_values_close(&s->values);
    over_distinct_close(&s->distinct);
    mem_free(cx->mem, s->left_out);
    mem_free(cx->mem, s->acc);
    mem_free(cx->mem, s->snapshots);
    mem_free(cx->mem, s->walk);
}

/* --- changes ----------------------------------------------------------------------------------------------------- */
void over_sorted_put(struct over_sorted *s, void *row, enum row_kind kind, bool own)
{
    uint32_t n = s->used++;

    ASSERT_ROW(n < s->out->capacity);
    s->from[n] = row;
    s->numbers[n] = (uint16_t)s->done;
    s->out->kinds[n] = (uint8_t)kind;
    s->accs[n] = s->snapshots + (size_t)n * (s->words + sizeof(int64_t));
    memcpy(s->accs[n], own ? over_sorted_words(s, row) : s->acc, s->words);
    over_values_put(&s->values, s->table, own ? row : NULL, s->out, n);
}

static void changes_emit(struct op_cx *cx, struct over_sorted *s, const struct batch *in)
{
    const struct op_plan *p = cx->plan;
    uint32_t n = s->used;

    for (uint32_t i = 0; i < n; i++) s->numbers[i] = (uint16_t)batch_row(in, s->numbers[i]);
    s->out->count = n;
    for (uint32_t k = 0; k < p->key_count[0]; k++) {
        struct vector *v = &s->out->cols[p->keys[0][k]];
        if (v->form != VEC_ABSENT)
            vector_copy(v, 0, &in->cols[p->keys[0][k]], s->numbers, n, &s->out->heap, s->out->mem);
    }
    for (uint32_t i = 0; i < s->col_count; i++) {
        struct vector *v = &s->out->cols[s->cols[i]];
        if (v->form != VEC_ABSENT) state_rows_load(s->table, s->from, n, i, v, 0, &s->out->heap, s->out->mem);
    }
    for (uint32_t c = 0; c < s->call_count; c++) {
        struct vector *v = &s->out->cols[s->first_result + c];
        if (v->form != VEC_ABSENT && s->calls[c].agg.keep == AGG_KEEP_NOTHING)
            s->calls[c].agg.type->result(&s->calls[c].agg, s->accs, n, v, 0);
    }
    if (n > 0) op_forward(cx, 0, s->out);
}

/* --- a batch ----------------------------------------------------------------------------------------------------- */
static enum status resolve(struct op_cx *cx, struct over_sorted *s, const struct batch *in)
{
    const struct op_plan *p = cx->plan;
    uint64_t hashes[BATCH_ROWS];
    uint16_t all[BATCH_ROWS];

    if (s->is_resolved) return S_OK;
    batch_hash(in, p->keys[0], p->key_count[0], hashes);
    struct state_keys keys = state_keys_of(in, p->keys[0], p->key_count[0], hashes);
    TRY(state_resolve(s->table, 0, &keys, STATE_RESERVE, s->heads, NULL));
    for (uint32_t i = 0; i < batch_rows(in); i++) all[i] = (uint16_t)batch_row(in, i);
    state_probe_fill(&s->probe, in, &s->order, all, batch_rows(in));
    s->is_resolved = true;
    return S_OK;
}

static enum status over_sorted_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct over_sorted *s = self;
    enum status st;

    ASSERT(input == 0 && s->done <= batch_rows(in));
    TRY(resolve(cx, s, in));
    batch_clear(s->out);
    batch_use_kinds(s->out);
    s->used = s->worked = 0;
    st = over_sorted_work(cx, s, in);
    if (st != S_OK && st != S_MORE && (st != S_PENDING || s->used == 0)) return st;
    changes_emit(cx, s, in);
    if (st != S_OK) return S_MORE; /* what is pending is asked for again, behind what was emitted */
    state_done(s->table);
    s->done = 0;
    s->is_resolved = false;
    return S_OK;
}

const struct op_type op_over_sorted = {
    .name = "over_sorted",
    .doc = "SQL: every row of a changelog with aggregates of the rows before it in the order of a value",
    .example = "SELECT *, SUM(price) OVER (PARTITION BY item ORDER BY price) FROM bids",
    .flags = OP_SELECTION | OP_FORMS | OP_STATE,
    .input_count = 1,
    .config_size = sizeof(struct over_sorted_config),
    .config_fields = over_sorted_config_fields,
    .instance_size = sizeof(struct over_sorted),
    .derive = over_sorted_derive,
    .needs = over_sorted_needs,
    .open = over_sorted_open,
    .on_batch = over_sorted_on_batch,
    .close = over_sorted_close,
};
