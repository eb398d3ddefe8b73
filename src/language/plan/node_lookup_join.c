/* node_lookup_join.c - LookupJoin: each row beside the rows of its key in a table that is asked when the row comes (FOR SYSTEM_TIME AS
 * OF processing time). The table is no input: its connector is asked by the operator, which also computes and filters what the plan
 * had above its scan. */
#include "flow/operator/async_lookup_join.h"
#include "ground/base/str.h"
#include "language/plan/join_rel.h"
#include "language/plan/logical.h"
#include "language/plan/lookup_rel.h"
#include "language/plan/narrow_rel.h"
#include "language/plan/rel_internal.h"

#include <string.h>

/* What stands above a scan: which rows of its table, and what of them. */
struct asked {
    const struct table *table;
    const struct type *schema;
    const struct text_list *metadata;
    struct expr *filter, **columns;
};

/* A scan with filters and projections above it. A table with a watermark is no table of what holds now but of versions. */
static bool asked_find(struct arena *a, const struct rel *r, struct asked *out)
{
    struct expr_maker m = {.a = a};

    if (rel_scanned(r) != NULL) {
        if (r->modifies != MODIFIES_NOTHING) return false; /* what is asked would have to know what was taken back */
        *out = (struct asked){.table = rel_scanned(r), .schema = r->row, .metadata = rel_scanned_metadata(r)};
        out->columns = ARENA_ARRAY(a, struct expr *, r->row->child_count + 1);
        for (uint32_t i = 0; i < r->row->child_count; i++) out->columns[i] = expr_column(&m, r->row, i);
        return true;
    }
    if (r->type != &rel_calc_type || !asked_find(a, r->inputs[0], out)) return false;
    const struct calc_body *c = r->body;
    if (c->condition != NULL) out->filter = calc_and(a, out->filter, expr_substitute(a, c->condition, out->columns));
    struct expr **columns = ARENA_ARRAY(a, struct expr *, c->count + 1);
    for (uint32_t i = 0; i < c->count; i++) columns[i] = expr_substitute(a, c->columns[i], out->columns);
    if (c->count > 0) out->columns = columns;
    return true;
}

enum status rel_lookup_make(const struct expr_maker *m, const struct rel *right, struct lookup_join_body *b, struct err *e)
{
    struct asked asked;

    if (!asked_find(m->a, right, &asked)) {
        err_hint(e, "by a processing time only a table of a connector can be looked up, without a time attribute or changes; with WATERMARK FOR "
                    "both times and an event time behind AS OF it is an event-time temporal join");
        return err_set(e, E_UNSUPPORTED, "Processing-time temporal join is not supported yet.");
    }
    b->table = asked.table;
    b->schema = asked.schema;
    b->metadata = asked.metadata;
    b->filter = asked.filter;
    b->columns = asked.columns;
    b->right = right->row;
    return lookup_asks_find(m, b, e);
}

/* --- how it is asked --------------------------------------------------------------------------------------------- */
/* Rows that change do not overtake each other, as in Flink; with is_key_ordered those of one key do not. */
static bool is_unordered(const struct rel *r)
{
    const struct lookup_join_body *b = r->body;

    return b->hint.async.is_unordered && r->inputs[0]->modifies == MODIFIES_NOTHING;
}

static bool is_key_ordered(const struct rel *r)
{
    const struct lookup_join_body *b = r->body;

    return b->hint.async.is_unordered && b->hint.async.is_key_ordered && r->inputs[0]->modifies != MODIFIES_NOTHING;
}

struct shown_constants {
    const struct lookup_join_body *b;
    struct buf *out;
    bool some;
};

static void constant_show(void *arg, uint32_t col, struct expr *constant)
{
    struct shown_constants *s = arg;

    buf_printf(s->out, "%s%s=", s->some ? ", " : "", s->b->schema->names[col]);
    expr_print(constant, s->b->schema, s->out);
    s->some = true;
}

/* Constants first, as in Flink. */
static void explain_keys(const struct rel *r, struct buf *out)
{
    const struct lookup_join_body *b = r->body;
    struct shown_constants s = {b, out, false};

    lookup_constants(b->filter, constant_show, &s);
    for (uint32_t i = 0; i < b->join.key_count; i++)
        buf_printf(out, "%s%s=%s", i > 0 || s.some ? ", " : "", b->right->names[b->join.keys[1][i]],
                   r->inputs[0]->row->names[b->join.keys[0][i]]);
}

static void explain_how(const struct rel *r, struct buf *out)
{
    const struct lookup_join_body *b = r->body;

    if (b->is_async)
        buf_printf(out, ", async=[%s, KEY_ORDERED: %s, %lldms, %lld]", is_unordered(r) ? "UNORDERED" : "ORDERED",
                   is_key_ordered(r) ? "true" : "false", (long long)b->hint.async.timeout_ms, (long long)b->hint.async.capacity);
    if (b->hint.shuffled) buf_append_text(out, ", shuffle=[true]");
    if (b->hint.attempts > 0)
        buf_printf(out, ", retry=[lookup_miss, FIXED_DELAY, %lldms, %lld]", (long long)b->hint.delay_ms,
                   (long long)b->hint.attempts);
}

static void explain(const struct rel *r, struct buf *out)
{
    const struct lookup_join_body *b = r->body;

    buf_printf(out, "table=[%s.%s.%s], joinType=[%s], lookup=[", b->table->catalog, b->table->database, b->table->name,
               join_explain_name((enum rel_join_kind)b->join.kind));
    explain_keys(r, out);
    buf_append_byte(out, ']');
    if (b->filter != NULL) {
        buf_append_text(out, ", where=[");
        expr_print(b->filter, b->schema, out);
        buf_append_byte(out, ']');
    }
    if (b->join.condition != NULL) {
        buf_append_text(out, ", joinCondition=[");
        expr_print(b->join.condition, r->row, out);
        buf_append_byte(out, ']');
    }
    buf_append_text(out, ", select=[");
    for (uint32_t i = 0; i < r->row->child_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->row->names[i]);
    buf_append_byte(out, ']');
    explain_how(r, out);
}

/* Rows of one key in one task, if a hint wants it: what is cached is cached once. Rows that change must not overtake each other when
 * their key changes, so that they stay where they are, as in Flink. */
static int distribution(const struct rel *r, uint32_t input, const uint32_t **cols)
{
    const struct lookup_join_body *b = r->body;

    if (!b->hint.shuffled || r->inputs[input]->modifies != MODIFIES_NOTHING) return -1;
    *cols = b->join.keys[0];
    return (int)b->join.key_count;
}

/* Which rows a key finds may change while the job runs, so no key of the left side is one of the pairs. */
static void derive(struct rel *r, struct arena *a)
{
    (void)a;
    r->modifies = r->inputs[0]->modifies;
}

/* Each row asks for itself: what was before an update is not known to have found the same. */
static bool wants_before(const struct rel *r, uint32_t input)
{
    (void)r;
    (void)input;
    return true;
}

static enum status check(const struct rel *r, struct err *e)
{
    const struct lookup_join_body *b = r->body;

    if (b->join.key_count > 0) return S_OK;
    err_hint(e, "say in ON what a column of '%s' equals: ON %s.%s = ...", b->table->name, b->table->name,
             b->schema->child_count > 0 ? b->schema->names[0] : "key");
    return err_set(e, E_UNSUPPORTED,
                   "Temporal table join requires an equality condition on fields of table [%s.%s.%s].",
                   b->table->catalog, b->table->database, b->table->name);
}

static struct text_list names_of(struct lowering *l, const struct type *row, const uint32_t *cols, uint32_t count)
{
    const char **names = ARENA_ARRAY(l->a, const char *, count + 1);

    for (uint32_t i = 0; i < count; i++) names[i] = row->names[cols[i]];
    return (struct text_list){names, count};
}

static void join_lower(const struct rel *r, struct lowering *l, struct lookup_join_config *c)
{
    const struct lookup_join_body *b = r->body;

    c->connector = table_option(b->table, "connector");
    ASSERT(c->connector != NULL); /* bind_scan.c has found it */
    c->options = b->options;
    c->kind = join_operator_name((enum rel_join_kind)b->join.kind);
    c->schema = b->schema;
    c->metadata = *b->metadata;
    if (b->filter != NULL) c->filter = lower_exprs(l, (struct expr *const[]){b->filter}, 1);
    c->columns = lower_exprs(l, b->columns, b->right->child_count);
    c->columns_names = (struct text_list){b->right->names, b->right->child_count};
    c->left_keys = names_of(l, r->inputs[0]->row, b->join.keys[0], b->join.key_count);
    c->right_keys = names_of(l, b->right, b->join.keys[1], b->join.key_count);
    c->null_safe = join_null_safe(l, &b->join);
    c->names = (struct text_list){b->join.names, r->row->child_count};
    if (b->join.condition != NULL) c->condition = lower_exprs(l, (struct expr *const[]){b->join.condition}, 1);
    if (b->ask_count > 0) c->asks = lower_exprs(l, b->asks, b->ask_count);
    c->ask_count = b->ask_count;
    c->retries = b->hint.attempts;
    c->retry_delay_ms = b->hint.delay_ms;
    c->zone = lower_zone(l);
}

/* Rows that must not overtake each other: those of one key; where there is none, those that are equal. */
static struct text_list order_keys(const struct rel *r, struct lowering *l)
{
    const struct rel *in = r->inputs[0];

    if (!is_key_ordered(r)) return (struct text_list){0};
    if (in->key_count > 0 && in->keys[0].count > 0) return names_of(l, in->row, in->keys[0].cols, in->keys[0].count);
    return (struct text_list){in->row->names, in->row->child_count};
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct lookup_join_body *b = r->body;
    (void)e;
    const char *type = b->is_async ? "async_lookup_join" : "lookup_join";
    struct graph_node *n = graph_add_node(l->graph, op_find(type), "LookupJoin", (struct graph_here){0});

    if (b->is_async) {
        struct async_lookup_join_config *c = n->config;
        join_lower(r, l, &c->join);
        c->capacity = b->hint.async.capacity;
        c->timeout_ms = b->hint.async.timeout_ms;
        c->unordered = is_unordered(r);
        c->order_keys = order_keys(r, l);
    } else {
        join_lower(r, l, n->config);
    }
    *node = l->graph->node_count - 1;
    lower_edge(l, r, inputs[0], *node, 0);
    return S_OK;
}

static void logical(const struct rel *r, struct logical *l)
{
    const struct lookup_join_body *b = r->body;
    struct buf *out = logical_begin(l, "Correlate");

    buf_printf(out, "correlation=[$cor0], joinType=[%s], table=[[%s, %s, %s]]", b->join.kind == REL_JOIN_LEFT ? "left" : "inner",
               b->table->catalog, b->table->database, b->table->name);
    logical_end(l);
}

const struct rel_type rel_lookup_join_type = {
    .name = "LookupJoin", .passes_changes = true,
    .doc = "each row beside the rows of its key in a table that is asked when the row comes",
    .derive = derive,
    .wants_before = wants_before,
    .distribution = distribution,
    .check = check,
    .passes = left_passes,
    .explain = explain,
    .logical = logical, .lower = lower};
