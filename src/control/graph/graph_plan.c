/* graph_plan.c - the plan for people, and as JSON in the form that Flink's getExecutionPlan prints and its plan viewers read: one object
 * per operator with its predecessors, "pact" one of Data Source, Operator, Data Sink. "side" is "second" on every edge:
 * that is what Flink prints. Text of users is escaped; the output is plain ASCII except for their own UTF-8. */
#include "control/graph/graph.h"

#include <string.h>

static void print_text(const char *text, struct buf *out)
{
    buf_append_byte(out, '"');
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '"' || c == '\\') buf_append_byte(out, '\\');
        if (c < 0x20) buf_printf(out, "\\u%04x", c);
        else buf_append_byte(out, *p);
    }
    buf_append_byte(out, '"');
}

static const char *pact_of(const struct graph *g, uint32_t node)
{
    if (g->nodes[node]->type->flags & OP_SOURCE) return "Data Source";
    return g->nodes[node]->plan.output_count == 0 ? "Data Sink" : "Operator";
}

static void print_predecessors(const struct graph *g, uint32_t node, struct buf *out)
{
    bool first = true;

    for (uint32_t i = 0; i < g->edge_count; i++) {
        const struct graph_edge *edge = g->edges[i];
        if (edge->to != node) continue;
        buf_append_text(out, first ? ",\n    \"predecessors\" : [ {\n" : ", {\n");
        buf_printf(out, "      \"id\" : %u,\n      \"ship_strategy\" : \"%s\",\n      \"side\" : \"second\"\n    }",
                   edge->from + 1, partitioner_names[edge->partitioner]);
        first = false;
    }
    if (!first) buf_append_text(out, " ]");
}

void graph_plan_json(const struct graph *g, struct buf *out)
{
    ASSERT(g->vertex_count > 0);
    buf_append_text(out, "{\n  \"nodes\" : [ ");
    for (uint32_t i = 0; i < g->node_count; i++) {
        const struct graph_node *n = g->nodes[i];
        buf_printf(out, "%s{\n    \"id\" : %u,\n    \"type\" : ", i > 0 ? ", " : "", i + 1);
        print_text(n->name, out);
        buf_printf(out, ",\n    \"pact\" : \"%s\",\n    \"contents\" : ", pact_of(g, i));
        print_text(n->description != NULL ? n->description : n->name, out);
        buf_printf(out, ",\n    \"parallelism\" : %u", n->parallelism);
        print_predecessors(g, i, out);
        buf_append_text(out, "\n  }");
    }
    buf_append_text(out, " ]\n}\n");
}

/* --- for people --------------------------------------------------------------------------------------------------- */
static void print_inputs(const struct graph *g, uint32_t vertex, struct buf *out)
{
    for (uint32_t i = 0; i < g->edge_count; i++) {
        const struct graph_edge *edge = g->edges[i];
        if (edge->chained || g->nodes[edge->to]->vertex != vertex) continue;
        buf_printf(out, "     from %u: %s", g->nodes[edge->from]->vertex + 1, partitioner_names[edge->partitioner]);
        for (uint32_t k = 0; k < edge->keys.count; k++)
            buf_printf(out, "%s%s", k == 0 ? " by " : ", ", edge->keys.items[k]);
        if (edge->side != NULL) buf_printf(out, ", side output '%s'", edge->side);
        buf_append_byte(out, '\n');
    }
}

void graph_plan_text(const struct graph *g, struct buf *out)
{
    ASSERT(g->vertex_count > 0);
    buf_printf(out, "job '%s': %u operators in %u tasks\n", g->job_name, g->node_count, g->vertex_count);
    for (uint32_t i = 0; i < g->vertex_count; i++) {
        const struct graph_vertex *v = &g->vertices[i];
        buf_printf(out, "\n%3u  parallelism %u, max %u\n", i + 1, v->parallelism, v->max_parallelism);
        print_inputs(g, i, out);
        for (uint32_t k = 0; k < v->node_count; k++) {
            const struct graph_node *n = g->nodes[v->nodes[k]];
            buf_printf(out, "       %s\n", n->description != NULL ? n->description : n->name);
        }
    }
}
