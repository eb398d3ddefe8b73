/* node_lookup_join.c - LookupJoin: each row beside the rows of its key in a table that is asked when the row comes (FOR SYSTEM_TIME AS
 * OF processing time). The table is no input: its connector is asked by the operator, which also computes and filters what the plan
 * had above its scan. */
#include "flow/operator/lookup_join.h"
#include "ground/base/str.h"
#include "language/plan/join_rel.h"
#include "language/plan/logical.h"
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

bool rel_lookup_make(struct arena *a, const struct rel *right, struct lookup_join_body *b)
{
    struct asked asked;

    if (!asked_find(a, right, &asked)) return false;
    b->table = asked.table;
    b->schema = asked.schema;
    b->metadata = asked.metadata;
    b->filter = asked.filter;
    b->columns = asked.columns;
    b->right = right->row;
    return true;
}

static void explain(const struct rel *r, struct buf *out)
{
    const struct lookup_join_body *b = r->body;
    const char *const *left = r->inputs[0]->row->names;

    buf_printf(out, "table=[%s.%s.%s], joinType=[%s], lookup=[", b->table->catalog, b->table->database, b->table->name,
               join_explain_name((enum rel_join_kind)b->join.kind));
    for (uint32_t i = 0; i < b->join.key_count; i++)
        buf_printf(out, "%s%s=%s", i > 0 ? ", " : "", b->right->names[b->join.keys[1][i]], left[b->join.keys[0][i]]);
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
    if (b->hint.shuffled) buf_append_text(out, ", shuffle=[true]");
    if (b->hint.attempts > 0)
        buf_printf(out, ", retry=[lookup_miss, FIXED_DELAY, %lldms, %lld]", (long long)b->hint.delay_ms,
                   (long long)b->hint.attempts);
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

static void table_lower(const struct table *t, struct lowering *l, struct lookup_join_config *c)
{
    struct option *options = ARENA_ARRAY(l->a, struct option, t->options.count + 1);
    uint32_t count = 0;

    for (uint32_t i = 0; i < t->options.count; i++) {
        if (strcmp(t->options.items[i].key, "connector") == 0)
            c->connector = t->options.items[i].value;
        else
            options[count++] = t->options.items[i];
    }
    c->options = (struct options){options, count};
    ASSERT(c->connector != NULL); /* bind_scan.c has found it */
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct lookup_join_body *b = r->body;
    struct graph_node *n = graph_add_node(l->graph, op_find("lookup_join"), "LookupJoin", (struct graph_here){0});
    struct lookup_join_config *c = n->config;

    (void)e;
    table_lower(b->table, l, c);
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
    c->retries = b->hint.attempts;
    c->retry_delay_ms = b->hint.delay_ms;
    c->zone = lower_zone(l);
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
