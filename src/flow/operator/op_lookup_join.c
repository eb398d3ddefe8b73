/* op_lookup_join.c - SQL's lookup join: each row beside the rows of its key in a table that is asked when the row comes (FOR
 * SYSTEM_TIME AS OF processing time). The table is read whole before the first row passes, and again when its options say so, or it is
 * read for the keys of a batch before that passes (connector/lookup_table.h); each subtask has its own.
 *
 * Pairs are listed in the order of the rows, until the output is full; a condition is tested on the pairs of a list before it goes
 * out, so that a LEFT join knows of a row without any only when all its pairs have been tested: the last list of a row carries
 * that. Kinds and event times are those of the row. Reading may block, so the task has a thread of its own. */
#include "flow/operator/computed.h"
#include "flow/operator/lookup_plan.h"

struct lookup_join {
    struct lookup_plan plan;
    struct lookup_table *table;
    struct expr_run *condition;
    struct batch *out;
    /* The batch in work. */
    bool begun, matched;
    uint32_t row;
    uint64_t cursor, hashes[BATCH_ROWS];
    /* What is listed: batch NULL: the row alone. */
    uint16_t rows[BATCH_ROWS], taken[BATCH_ROWS];
    struct lookup_hit hits[BATCH_ROWS];
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static enum status lookup_join_derive(struct op_plan *p, const void *config, struct err *e) { return lookup_plan_derive(p, config, e); }

static void lookup_join_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs, uint64_t *const *inputs)
{
    lookup_plan_needs(p, config, outputs[0], inputs[0]);
}

/* --- running ----------------------------------------------------------------------------------------------------- */
static enum status lookup_join_open(struct op_cx *cx, void *self)
{
    const struct lookup_join_config *c = cx->config;
    struct lookup_join *s = self;
    struct lookup_plan *p = &s->plan;

    TRY(lookup_plan_read(cx->plan, c, p, cx->err));
    const struct lookup_spec spec = lookup_plan_spec(p, c);
    TRY(lookup_table_create(cx, &spec, &s->table));
    if (p->condition != NULL) s->condition = computed_evaluator(cx, &p->session, p->condition);
    const uint64_t *bits = lookup_plan_filled(p, cx->needed_out != NULL ? cx->needed_out[0] : NULL, cx->plan->arena);
    s->out = batch_create_needed(p->out, bits, cx->batch_rows, cx->mem);
    return S_OK;
}

static void lookup_join_close(struct op_cx *cx, void *self, bool failed)
{
    struct lookup_join *s = self;

    (void)cx;
    (void)failed;
    lookup_table_free(s->table);
    expr_run_free(s->condition);
    batch_free(s->out);
}

static void put(struct lookup_join *s, uint32_t row, struct lookup_hit hit)
{
    s->rows[s->out->count] = (uint16_t)row;
    s->hits[s->out->count++] = hit;
}

/* Pairs until the list is full. Behind those of a row of a LEFT join stands the row alone: it goes out when none of them does. */
static void pairs_list(struct lookup_join *s, const struct batch *in)
{
    struct lookup_hit hit;

    for (; s->row < batch_rows(in); s->row++, s->cursor = 0) {
        uint32_t row = batch_row(in, s->row);
        while (s->out->count < s->out->capacity &&
               lookup_table_next(s->table, in, s->plan.keys[0], row, s->hashes[s->row], &s->cursor, &hit))
            put(s, row, hit);
        if (s->out->count == s->out->capacity) return;
        if (s->plan.is_left) put(s, row, (struct lookup_hit){0});
    }
}

/* Column of the table: runs of hits that lie in one batch are copied at once. */
static void right_fill(struct lookup_join *s, struct vector *v, uint32_t col)
{
    uint16_t rows[BATCH_ROWS];

    for (uint32_t at = 0, n; at < s->out->count; at += n) {
        const struct batch *from = s->hits[at].batch;
        for (n = 0; at + n < s->out->count && s->hits[at + n].batch == from; n++) rows[n] = s->hits[at + n].row;
        if (from != NULL)
            vector_copy(v, at, &from->cols[col], rows, n, &s->out->heap, s->out->mem);
        else
            for (uint32_t i = 0; i < n; i++) vector_set_null(v, at + i);
    }
}

static void columns_fill(struct lookup_join *s, const struct batch *in)
{
    uint32_t n = s->out->count;

    for (uint32_t c = 0; c < s->out->col_count; c++) {
        struct vector *v = &s->out->cols[c];
        if (v->form == VEC_ABSENT) continue;
        if (c < s->plan.left)
            vector_copy(v, 0, &in->cols[c], s->rows, n, &s->out->heap, s->out->mem);
        else
            right_fill(s, v, c - s->plan.left);
    }
    if (in->kinds != NULL) batch_use_kinds(s->out);
    if (in->times != NULL) batch_use_times(s->out);
    for (uint32_t i = 0; in->kinds != NULL && i < n; i++) s->out->kinds[i] = in->kinds[s->rows[i]];
    for (uint32_t i = 0; in->times != NULL && i < n; i++) s->out->times[i] = in->times[s->rows[i]];
}

/* Which of the list go out: pairs that the condition takes, rows alone that had none. */
static enum status pairs_select(struct op_cx *cx, struct lookup_join *s, uint32_t *count)
{
    uint16_t passed[BATCH_ROWS];
    uint32_t n = 0, k = 0;

    if (s->condition != NULL) TRY(expr_select(s->condition, s->out, sys_wall_ms(cx->sys), passed, &n, cx->err));
    *count = 0;
    for (uint32_t i = 0; i < s->out->count; i++) {
        bool alone = s->hits[i].batch == NULL, passes = s->condition == NULL || (k < n && passed[k] == i);
        if (k < n && passed[k] == i) k++;
        if (alone ? !s->matched : passes) s->taken[(*count)++] = (uint16_t)i;
        s->matched = alone ? false : s->matched || passes;
    }
    return S_OK;
}

static enum status lookup_join_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct lookup_join *s = self;
    uint32_t n;

    ASSERT(input == 0);
    if (!s->begun) {
        batch_hash(in, s->plan.keys[0], s->plan.key_count, s->hashes);
        TRY(lookup_table_ask(s->table, in, s->plan.keys[0], s->hashes));
        s->begun = true;
    }
    batch_clear(s->out);
    pairs_list(s, in);
    columns_fill(s, in);
    TRY(pairs_select(cx, s, &n));
    s->out->sel = s->taken;
    s->out->sel_count = n;
    if (n > 0) op_forward(cx, 0, s->out);
    if (s->row < batch_rows(in)) return S_MORE;
    s->row = 0;
    s->begun = false;
    return S_OK;
}

const struct op_type op_lookup_join = {
    .name = "lookup_join",
    .doc = "SQL: each row beside the rows of its key in a table that is asked when the row comes",
    .example = "SELECT * FROM orders o JOIN countries FOR SYSTEM_TIME AS OF o.proc_time AS c ON o.country = c.code",
    .flags = OP_SELECTION | OP_FORMS | OP_BLOCKING,
    .input_count = 1,
    .config_size = sizeof(struct lookup_join_config),
    .config_fields = lookup_join_config_fields,
    .instance_size = sizeof(struct lookup_join),
    .derive = lookup_join_derive,
    .needs = lookup_join_needs,
    .open = lookup_join_open,
    .on_batch = lookup_join_on_batch,
    .close = lookup_join_close,
};
