/* op_lookup_join.c - SQL's lookup join: each row beside the rows of its key in a table that is asked when the row comes (FOR
 * SYSTEM_TIME AS OF processing time). The table is read whole before the first row passes, and again when its options say so, or it is
 * read for the keys of a batch before that passes (connector/lookup_table.h); each subtask has its own.
 *
 * Pairs are listed in the order of the rows, until the output is full; a condition is tested on the pairs of a list before it goes
 * out, so that a LEFT join knows of a row without any only when all its pairs have been tested: the last list of a row carries
 * that. Kinds and event times are those of the row. Reading may block, so the task has a thread of its own. */
#include "columns/expr/expr.h"
#include "flow/connector/lookup_table.h"
#include "flow/operator/computed.h"
#include "flow/operator/lookup_join.h"
#include "ground/base/str.h"

#include <string.h>

static const struct config_field lookup_join_config_fields[] = {
    CONFIG_FIELD(lookup_join_config, kind, CONF_TEXT, "inner, left"),
    CONFIG_FIELD(lookup_join_config, connector, CONF_TEXT, "of the table that is asked"),
    CONFIG_FIELD(lookup_join_config, options, CONF_OPTIONS, "of the connector"),
    CONFIG_FIELD(lookup_join_config, schema, CONF_TYPE, "columns that the connector reads"),
    CONFIG_FIELD(lookup_join_config, metadata, CONF_TEXTS, "keys of the connector's metadata, which are the last of them"),
    CONFIG_FIELD(lookup_join_config, filter, CONF_BYTES, "an encoded BOOLEAN expression over them; empty: all rows"),
    CONFIG_FIELD(lookup_join_config, columns, CONF_BYTES, "encoded expressions: what is kept of a row"),
    CONFIG_FIELD(lookup_join_config, columns_names, CONF_TEXTS, "names of these"),
    CONFIG_FIELD(lookup_join_config, left_keys, CONF_TEXTS, "key columns of the input"),
    CONFIG_FIELD(lookup_join_config, right_keys, CONF_TEXTS, "key columns of what is kept"),
    CONFIG_FIELD(lookup_join_config, null_safe, CONF_TEXTS, "per key: true when NULL equals NULL; empty: never"),
    CONFIG_FIELD(lookup_join_config, names, CONF_TEXTS, "names of the columns of both"),
    CONFIG_FIELD(lookup_join_config, condition, CONF_BYTES, "an encoded BOOLEAN expression over both; empty: none"),
    CONFIG_FIELD(lookup_join_config, retries, CONF_INT, "how often a key without rows is asked for again"),
    CONFIG_FIELD(lookup_join_config, retry_delay_ms, CONF_INT, "after so long"),
    CONFIG_FIELD(lookup_join_config, zone, CONF_TEXT, "the session's time zone"),
    CONFIG_LAST,
};

struct lookup_plan {
    struct fn_session session;
    const struct conn_type *conn;
    bool is_left;
    struct expr *filter, **columns, *condition;
    const struct type *right, *both, *out; /* what is kept; both sides; with NULLs */
    uint32_t left;
    uint32_t keys[2][OP_KEYS_MAX], key_count;
    uint64_t null_safe;
};

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
static enum status keys_read(const struct op_plan *p, const struct lookup_join_config *c, struct lookup_plan *out,
                             struct err *e)
{
    out->key_count = c->left_keys.count;
    if (c->left_keys.count != c->right_keys.count || c->left_keys.count == 0 || c->left_keys.count > OP_KEYS_MAX)
        return err_set(e, E_GRAPH, "a lookup join has 1 to %d keys of each side", OP_KEYS_MAX);
    for (uint32_t k = 0; k < out->key_count; k++) {
        int left = op_plan_field(p, 0, c->left_keys.items[k], e),
            right = op_type_field(out->right, "the table", c->right_keys.items[k], e);
        if (left < 0 || right < 0) return E_GRAPH;
        out->keys[0][k] = (uint32_t)left;
        out->keys[1][k] = (uint32_t)right;
        const struct type *l = p->inputs[0]->children[left], *r = out->right->children[right];
        bool texts = type_is_string(l) && type_is_string(r);
        if (!texts && !type_equal_ignoring_null(l, r))
            return err_set(e, E_GRAPH, "key %u of a join has two types", k + 1);
        if (k < c->null_safe.count && strcmp(c->null_safe.items[k], "true") == 0) out->null_safe |= UINT64_C(1) << k;
    }
    return S_OK;
}

/* Columns of the input, then what is kept of the table. */
static void rows_make(const struct op_plan *p, const struct lookup_join_config *c, struct lookup_plan *out)
{
    uint32_t n = out->left + out->right->child_count;
    const struct type **both = ARENA_ARRAY(p->arena, const struct type *, n + 1),
                      **with = ARENA_ARRAY(p->arena, const struct type *, n + 1);

    for (uint32_t i = 0; i < n; i++) {
        both[i] = with[i] = i < out->left ? p->inputs[0]->children[i] : out->right->children[i - out->left];
        if (i >= out->left && out->is_left) with[i] = type_with_null(p->arena, both[i], true);
    }
    out->both = type_row(p->arena, n, c->names.items, both, false);
    out->out = type_row(p->arena, n, c->names.items, with, false);
}

static enum status right_read(const struct op_plan *p, const struct lookup_join_config *c, const struct expr_maker *m,
                              struct lookup_plan *out, struct err *e)
{
    uint32_t n = c->columns_names.count;
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, n + 1);
    const uint8_t *at = (const uint8_t *)c->columns.data, *end = at + c->columns.size;

    out->columns = ARENA_ARRAY(p->arena, struct expr *, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        TRY(expr_decode(m, c->schema, &at, end, &out->columns[i], e));
        types[i] = out->columns[i]->type;
    }
    out->right = type_row(p->arena, n, c->columns_names.items, types, false);
    at = (const uint8_t *)c->filter.data;
    return c->filter.size > 0 ? expr_decode(m, c->schema, &at, at + c->filter.size, &out->filter, e) : S_OK;
}

static enum status lookup_read(const struct op_plan *p, const struct lookup_join_config *c, struct lookup_plan *out,
                               struct err *e)
{
    struct expr_maker m = {.a = p->arena, .session = &out->session};
    const uint8_t *at = (const uint8_t *)c->condition.data;

    *out = (struct lookup_plan){.session = {.zone = str_of(c->zone), .users = p->users}, .left = p->inputs[0]->child_count};
    out->is_left = strcmp(c->kind, "left") == 0;
    if (!out->is_left && strcmp(c->kind, "inner") != 0) return err_set(e, E_CONFIG, "a lookup join is inner or left");
    TRY(conn_find(c->connector, &out->conn, e));
    TRY(right_read(p, c, &m, out, e));
    if (c->names.count != out->left + out->right->child_count)
        return err_set(e, E_CONFIG, "a join names each column of both sides");
    rows_make(p, c, out);
    TRY(keys_read(p, c, out, e));
    if (c->condition.size == 0) return S_OK;
    TRY(expr_decode(&m, out->both, &at, at + c->condition.size, &out->condition, e));
    return out->condition->type->kind == T_BOOLEAN ? S_OK : err_set(e, E_GRAPH, "the condition is not BOOLEAN");
}

static enum status lookup_join_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct lookup_join_config *c = config;
    struct lookup_plan plan;

    TRY(lookup_read(p, c, &plan, e));
    TRY(conn_options_check(plan.conn, &c->options, e));
    TRY(lookup_check(plan.conn, &c->options, e));
    TRY(source_metadata_check(plan.conn->source->metadata, c->schema, &c->metadata, e));
    const struct type *read = source_read_type(p->arena, c->schema, &c->metadata);
    if (plan.conn->takes_format) TRY(conn_format_check(&c->options, read, false, e));
    if (plan.conn->source->check != NULL) TRY(plan.conn->source->check(&c->options, plan.conn->options, c->schema, e));
    p->outputs[0] = plan.out;
    p->output_count = 1;
    return S_OK;
}

static void columns_filled(const struct lookup_plan *plan, const uint64_t *outputs, uint64_t *bits)
{
    for (uint32_t i = 0; i < plan->both->child_count; i++)
        if (outputs == NULL || bit_get(outputs, i)) bit_set(bits, i);
    if (plan->condition != NULL) expr_columns(plan->condition, bits);
}

static void lookup_join_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs,
                              uint64_t *const *inputs)
{
    struct lookup_plan plan;
    uint64_t bits[(2 * TYPE_FIELDS_MAX + 64) / 64] = {0};

    if (lookup_read(p, config, &plan, NULL) != S_OK) return;
    columns_filled(&plan, outputs[0], bits);
    for (uint32_t i = 0; i < plan.left; i++)
        if (bit_get(bits, i)) bit_set(inputs[0], i);
    for (uint32_t k = 0; k < plan.key_count; k++) bit_set(inputs[0], plan.keys[0][k]);
}

/* --- running ----------------------------------------------------------------------------------------------------- */
static enum status lookup_join_open(struct op_cx *cx, void *self)
{
    const struct lookup_join_config *c = cx->config;
    struct lookup_join *s = self;
    struct lookup_plan *p = &s->plan;

    TRY(lookup_read(cx->plan, c, p, cx->err));
    struct lookup_spec spec = {.conn = p->conn,
                               .options = &c->options,
                               .schema = c->schema,
                               .metadata = &c->metadata,
                               .session = &p->session,
                               .condition = p->filter,
                               .columns = p->columns,
                               .row = p->right,
                               .keys = p->keys[1],
                               .key_count = p->key_count,
                               .null_safe = p->null_safe,
                               .retries = c->retries,
                               .retry_delay_ms = c->retry_delay_ms};
    s->table = lookup_table_create(cx, &spec);
    if (p->condition != NULL) s->condition = computed_evaluator(cx, &p->session, p->condition);
    uint32_t words = p->both->child_count / 64 + 1;
    uint64_t *bits = ARENA_ARRAY(cx->plan->arena, uint64_t, words);
    memset(bits, 0, sizeof *bits * words);
    columns_filled(p, cx->needed_out != NULL ? cx->needed_out[0] : NULL, bits);
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
