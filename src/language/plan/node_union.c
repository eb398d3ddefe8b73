/* node_union.c - Union: the rows of several inputs, in any order between them. */
#include "language/plan/logical.h"
#include "language/plan/narrow_rel.h"
#include "language/plan/rel.h"

static void explain(const struct rel *r, struct buf *out)
{
    buf_append_text(out, "all=[true], union=[");
    for (uint32_t i = 0; i < r->row->child_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->row->names[i]);
    buf_append_byte(out, ']');
}

static void derive(struct rel *r, struct arena *a)
{
    (void)a;
    r->is_empty = true;
    for (uint32_t i = 0; i < r->input_count; i++) {
        r->modifies |= r->inputs[i]->modifies;
        r->is_empty &= r->inputs[i]->is_empty;
    }
}

/* The operator has two inputs: more are joined one after another. */
static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    *node = inputs[0];
    for (uint32_t i = 1; i < r->input_count; i++) {
        if (l->graph->node_count == GRAPH_NODES_MAX)
            return rel_too_many(e);
        graph_add_node(l->graph, op_find("union"), "Union", (struct graph_here){0});
        uint32_t joined = l->graph->node_count - 1;
        graph_add_edge(l->graph, *node, joined, 0, (struct graph_here){0});
        graph_add_edge(l->graph, inputs[i], joined, 1, (struct graph_here){0});
        *node = joined;
    }
    return S_OK;
}

static void logical(const struct rel *r, struct logical *l)
{
    (void)r;
    buf_append_text(logical_begin(l, "Union"), "all=[true]");
    logical_end(l);
}

const struct rel_type rel_union_type = {
    .name = "Union", .passes_changes = true, .doc = "rows of several inputs", .derive = derive, .passes = union_passes, .is_any = true, .narrow = union_narrow,
    .explain = explain, .logical = logical, .lower = lower};
