/* node_union.c - Union: the rows of several inputs, in any order between them. */
#include "language/plan/rel.h"

static void explain(const struct rel *r, struct buf *out)
{
    buf_append_text(out, "all=[true], union=[");
    for (uint32_t i = 0; i < r->row->child_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->row->names[i]);
    buf_append_byte(out, ']');
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    (void)e;
    graph_add_node(l->graph, op_find("union"), "Union", (struct graph_here){0});
    *node = l->graph->node_count - 1;
    for (uint32_t i = 0; i < r->input_count; i++) graph_add_edge(l->graph, inputs[i], *node, 0, (struct graph_here){0});
    return S_OK;
}

const struct rel_type rel_union_type = {.name = "Union", .doc = "rows of several inputs", .explain = explain, .lower = lower};
