/* node_correlate.c - Correlate: each row once per element of a list that it has (UNNEST). */
#include "flow/operator/unnest.h"
#include "ground/base/str.h"
#include "language/plan/logical.h"
#include "language/plan/narrow_rel.h"
#include "language/plan/rel.h"

#include <string.h>

const struct type *rel_correlate_row(struct arena *a, const struct type *input, const struct correlate_body *b)
{
    uint32_t n = input->child_count;
    const struct type **types = ARENA_ARRAY(a, const struct type *, n + TYPE_FIELDS_MAX + 1);
    uint32_t added = unnest_types(b->list->type, types + n);

    if (added == 0) return NULL;
    memcpy(types, input->children, sizeof *types * n);
    if (b->ordinality) types[n + added++] = type_new(a, T_INT, 0, 0, false);
    for (uint32_t i = n; b->left && i < n + added; i++) types[i] = type_with_null(a, types[i], true);
    return type_row(a, n + added, b->names, types, false);
}

static void explain(const struct rel *r, struct buf *out)
{
    const struct correlate_body *b = r->body;
    const char *function = b->ordinality ? "$UNNEST_ROWS_WITH_ORDINALITY$1" : "$UNNEST_ROWS$1";

    buf_printf(out, "invocation=[%s(", function);
    expr_print(b->list, r->inputs[0]->row, out);
    buf_printf(out, ")], correlate=[table(%s(", function);
    expr_print(b->list, r->inputs[0]->row, out);
    buf_append_text(out, "))], select=[");
    for (uint32_t i = 0; i < r->row->child_count; i++) buf_printf(out, "%s%s", i > 0 ? "," : "", r->row->names[i]);
    buf_printf(out, "], joinType=[%s]", b->left ? "LEFT" : "INNER");
    if (b->condition == NULL) return;
    buf_append_text(out, ", condition=[");
    expr_print(b->condition, r->row, out);
    buf_append_byte(out, ']');
}

/* A row comes as often as it has elements, so no key of the input is one; elements that are equal have none of their own. With
 * their ordinal they do. */
static void derive(struct rel *r, struct arena *a)
{
    const struct correlate_body *b = r->body;
    const struct rel *in = r->inputs[0];

    r->modifies = in->modifies;
    for (uint32_t k = 0; b->ordinality && !b->left && k < in->key_count; k++) {
        uint32_t n = in->keys[k].count, *cols = ARENA_ARRAY(a, uint32_t, n + 1);
        if (n > 0) memcpy(cols, in->keys[k].cols, sizeof *cols * n);
        cols[n] = r->row->child_count - 1;
        rel_add_key(r, a, cols, n + 1);
    }
}

static bool wants_before(const struct rel *r, uint32_t input)
{
    (void)r;
    (void)input;
    return true; /* the elements of the row before must be taken back */
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct correlate_body *b = r->body;
    struct graph_node *n = graph_add_node(l->graph, op_find("unnest"), "Correlate", (struct graph_here){0});
    struct unnest_config *c = n->config;
    uint32_t first = r->inputs[0]->row->child_count;

    (void)e;
    c->list = lower_exprs(l, (struct expr *[]){b->list}, 1);
    c->names = (struct text_list){r->row->names + first, r->row->child_count - first};
    c->ordinality = b->ordinality;
    c->left = b->left;
    if (b->condition != NULL) c->condition = lower_exprs(l, (struct expr *[]){b->condition}, 1);
    c->zone = lower_zone(l);
    *node = l->graph->node_count - 1;
    graph_add_edge(l->graph, inputs[0], *node, 0, (struct graph_here){0});
    return S_OK;
}

static void logical(const struct rel *r, struct logical *l)
{
    const struct correlate_body *b = r->body;
    struct buf *out = logical_begin(l, "Correlate");

    buf_printf(out, "correlation=[$cor0], joinType=[%s], list=[", b->left ? "left" : "inner");
    expr_print_digest(b->list, out);
    buf_append_byte(out, ']');
    logical_end(l);
}

const struct rel_type rel_correlate_type = {.name = "Correlate", .passes_changes = true,
                                            .doc = "each row once per element of a list that it has",
                                            .derive = derive,
                                            .wants_before = wants_before,
                                            .passes = correlate_passes, .narrow = correlate_narrow,
                                            .explain = explain,
                                            .logical = logical, .lower = lower};
