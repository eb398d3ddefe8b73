/* lookup_plan.c - what a lookup join is told of the table that it asks, read and checked: types of both sides, keys, conditions, and
 * where the connector finds keys by itself, what it is given for them. */
#include "flow/operator/lookup_plan.h"

#include "ground/base/str.h"

#include <string.h>

const struct config_field lookup_join_config_fields[] = {
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
    CONFIG_FIELD(lookup_join_config, asks, CONF_BYTES,
                 "where the connector finds keys by itself: its keys, encoded expressions over those of the table's side"),
    CONFIG_FIELD(lookup_join_config, ask_count, CONF_INT, "how many"),
    CONFIG_FIELD(lookup_join_config, retries, CONF_INT, "how often a key without rows is asked for again"),
    CONFIG_FIELD(lookup_join_config, retry_delay_ms, CONF_INT, "after so long"),
    CONFIG_FIELD(lookup_join_config, zone, CONF_TEXT, "the session's time zone"),
    CONFIG_LAST,
};

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

/* The keys of a connector that finds by them, over the join's. */
static enum status asks_read(const struct op_plan *p, const struct lookup_join_config *c, const struct expr_maker *m,
                             struct lookup_plan *out, struct err *e)
{
    const uint8_t *at = (const uint8_t *)c->asks.data, *end = at + c->asks.size;
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, out->key_count);

    for (uint32_t k = 0; k < out->key_count; k++) types[k] = type_with_null(p->arena, out->right->children[out->keys[1][k]], true);
    out->key_row = type_row(p->arena, out->key_count, c->right_keys.items, types, false);
    if (out->conn->lookup == NULL) return S_OK;
    if (c->ask_count < 1 || c->ask_count > OP_KEYS_MAX)
        return err_set(e, E_GRAPH, "a connector that finds rows by keys has 1 to %d of them", OP_KEYS_MAX);
    out->asks = ARENA_ARRAY(p->arena, struct expr *, (uint32_t)c->ask_count);
    for (int64_t i = 0; i < c->ask_count; i++) TRY(expr_decode(m, out->key_row, &at, end, &out->asks[i], e));
    return S_OK;
}

enum status lookup_plan_read(const struct op_plan *p, const struct lookup_join_config *c, struct lookup_plan *out, struct err *e)
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
    TRY(asks_read(p, c, &m, out, e));
    if (c->condition.size == 0) return S_OK;
    TRY(expr_decode(&m, out->both, &at, at + c->condition.size, &out->condition, e));
    return out->condition->type->kind == T_BOOLEAN ? S_OK : err_set(e, E_GRAPH, "the condition is not BOOLEAN");
}

/* A source that is read: its format, its metadata. */
static enum status source_check(struct op_plan *p, const struct lookup_join_config *c, const struct conn_type *conn, struct err *e)
{
    TRY(source_metadata_check(conn->source->metadata, c->schema, &c->metadata, e));
    const struct type *read = source_read_type(p->arena, c->schema, &c->metadata);
    if (conn->takes_format) TRY(conn_format_check(&c->options, read, false, e));
    return conn->source->check != NULL ? conn->source->check(&c->options, conn->options, c->schema, e) : S_OK;
}

enum status lookup_plan_derive(struct op_plan *p, const struct lookup_join_config *c, struct err *e)
{
    struct lookup_plan plan;

    TRY(lookup_plan_read(p, c, &plan, e));
    TRY(conn_options_check(plan.conn, &c->options, e));
    TRY(lookup_check(plan.conn, &c->options, e));
    if (plan.conn->lookup == NULL) TRY(source_check(p, c, plan.conn, e));
    p->outputs[0] = plan.out;
    p->output_count = 1;
    return S_OK;
}

const uint64_t *lookup_plan_filled(const struct lookup_plan *plan, const uint64_t *outputs, struct arena *a)
{
    uint32_t words = plan->both->child_count / 64 + 1;
    uint64_t *bits = ARENA_ARRAY(a, uint64_t, words);

    for (uint32_t i = 0; i < plan->both->child_count; i++)
        if (outputs == NULL || bit_get(outputs, i)) bit_set(bits, i);
    if (plan->condition != NULL) expr_columns(plan->condition, bits);
    return bits;
}

void lookup_plan_needs(const struct op_plan *p, const struct lookup_join_config *c, const uint64_t *outputs, uint64_t *inputs)
{
    struct lookup_plan plan;

    if (lookup_plan_read(p, c, &plan, NULL) != S_OK) return;
    const uint64_t *bits = lookup_plan_filled(&plan, outputs, p->arena);
    for (uint32_t i = 0; i < plan.left; i++)
        if (bit_get(bits, i)) bit_set(inputs, i);
    for (uint32_t k = 0; k < plan.key_count; k++) bit_set(inputs, plan.keys[0][k]);
}

struct lookup_spec lookup_plan_spec(const struct lookup_plan *p, const struct lookup_join_config *c)
{
    return (struct lookup_spec){.conn = p->conn,
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
                                .retry_delay_ms = c->retry_delay_ms,
                                .key_row = p->key_row,
                                .asks = p->asks,
                                .ask_count = (uint32_t)c->ask_count};
}
