/* graph.c - making a graph: nodes and edges are appended and never move, the arrays of pointers to them double. Nothing
 * is checked here beyond what would be a mistake of ours; graph_check.c checks what comes from users. */
#include "control/graph/graph.h"

#include <string.h>

void graph_init(struct graph *g, struct arena *a)
{
    ASSERT(a != NULL);
    *g = (struct graph){
        .arena = a, .job_name = "", .artifact = {.name = ""}, .default_parallelism = 1, .chaining = true};
}

/* Room for one more pointer: arrays have a power of two as capacity. */
static void *grown(struct arena *a, void *items, uint32_t count)
{
    if (count > 0 && (count & (count - 1)) != 0) return items;
    void **more = ARENA_ARRAY(a, void *, count == 0 ? 1 : 2 * (size_t)count);
    if (count > 0) memcpy(more, items, sizeof(void *) * count);
    return more;
}

struct graph_node *graph_add_node(struct graph *g, const struct op_type *type, const char *name, struct graph_here here)
{
    struct graph_node *n = ARENA_NEW(g->arena, struct graph_node);

    ASSERT(g->node_count < GRAPH_NODES_MAX);
    ASSERT(type != NULL && name != NULL);
    n->type = type;
    n->name = name;
    n->here = here;
    n->chained_by = GRAPH_NONE;
    if (type->config_size > 0) n->config = arena_zalloc(g->arena, type->config_size);
    g->nodes = grown(g->arena, g->nodes, g->node_count);
    g->nodes[g->node_count++] = n;
    return n;
}

struct graph_edge *graph_add_edge(struct graph *g, uint32_t from, uint32_t to, uint32_t input, struct graph_here here)
{
    struct graph_edge *edge = ARENA_NEW(g->arena, struct graph_edge);

    ASSERT(g->edge_count < GRAPH_EDGES_MAX);
    ASSERT(from < to && to < g->node_count);
    ASSERT(input < OP_INPUTS_MAX);
    *edge = (struct graph_edge){.from = from, .to = to, .input = input, .here = here};
    g->edges = grown(g->arena, g->edges, g->edge_count);
    g->edges[g->edge_count++] = edge;
    return edge;
}

enum status graph_at(struct graph_here here, struct err *e)
{
    if (here.file != NULL) err_wrap(e, "%s:%d", here.file, here.line);
    return e != NULL ? e->status : E_GRAPH;
}

uint32_t graph_input_count(const struct graph *g, uint32_t node)
{
    const struct op_type *t = g->nodes[node]->type;
    uint32_t count = t->input_count;

    if (!(t->flags & OP_MANY_INPUTS)) return count;
    for (uint32_t i = 0; i < g->edge_count; i++)
        if (g->edges[i]->to == node) count = MAX(count, g->edges[i]->input + 1);
    return count;
}

int graph_next_input(const struct graph *g, uint32_t node, uint32_t input, int after)
{
    for (uint32_t i = (uint32_t)(after + 1); i < g->edge_count; i++)
        if (g->edges[i]->to == node && g->edges[i]->input == input) return (int)i;
    return GRAPH_NONE;
}

int graph_next_output(const struct graph *g, uint32_t node, int after)
{
    for (uint32_t i = (uint32_t)(after + 1); i < g->edge_count; i++)
        if (g->edges[i]->from == node) return (int)i;
    return GRAPH_NONE;
}
