/* graph_chain.c - operators become vertices: chains that run as one task, so that rows pass from operator to operator as a
 * function call. An operator joins its producer when it has one input with one edge, the edge is forward, parallelism and
 * slot sharing group are equal, and nobody asked otherwise. A producer may have several chained consumers: chains are trees.
 *
 * Ids are stable: the uid hash or from the uid when there is one, else from the operator's place (its type, its position, and the ids of
 * its inputs), so that the same program gives the same ids. */
#include "control/graph/graph_internal.h"

#include "ground/base/str.h"

#include <stdio.h>
#include <string.h>

enum { NAME_BYTES_MAX = 4096 };

/* --- ids ---------------------------------------------------------------------------------------------------------------- */
static void id_of_text(const struct buf *text, char id[static GRAPH_ID_SIZE])
{
    snprintf(id, GRAPH_ID_SIZE, "%016llx%016llx", (unsigned long long)hash64(text->data, text->size),
             (unsigned long long)hash64_seeded(text->data, text->size, 1));
}

void graph_id_of_uid(const char *uid, struct mem *mem, char id[static GRAPH_ID_SIZE])
{
    struct buf text;

    buf_init(&text, mem);
    buf_printf(&text, "uid %s", uid);
    id_of_text(&text, id);
    buf_release(&text);
}

static void make_id(struct graph *g, uint32_t node)
{
    struct graph_node *n = g->nodes[node];
    struct buf text;

    if (n->uid_hash != NULL) {
        snprintf(n->id, sizeof n->id, "%s", n->uid_hash);
        return;
    }
    if (n->uid != NULL) {
        graph_id_of_uid(n->uid, g->arena->mem, n->id);
        return;
    }
    buf_init(&text, g->arena->mem);
    buf_printf(&text, "place %u %s", node, n->type->name);
    for (uint32_t i = 0; i < g->edge_count; i++)
        if (g->edges[i]->to == node)
            buf_printf(&text, " %s:%u:%u", g->nodes[g->edges[i]->from]->id, g->edges[i]->port, g->edges[i]->input);
    id_of_text(&text, n->id);
    buf_release(&text);
}

/* --- chains ------------------------------------------------------------------------------------------------------------- */
static uint32_t edges_into(const struct graph *g, uint32_t node, int *last)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < g->edge_count; i++) {
        if (g->edges[i]->to != node) continue;
        count++;
        *last = (int)i;
    }
    return count;
}

static bool may_chain(const struct graph *g, const struct graph_edge *edge)
{
    const struct graph_node *from = g->nodes[edge->from], *to = g->nodes[edge->to];

    return g->chaining && to->type->input_count == 1 && edge->partitioner == PART_FORWARD &&
           from->parallelism == to->parallelism && from->max_parallelism == to->max_parallelism &&
           strcmp(from->slot_group, to->slot_group) == 0 && !to->head && !to->unchained && !from->unchained &&
           !(to->type->flags & OP_CHAIN_HEAD);
}

static void chain_node(struct graph *g, uint32_t node)
{
    int edge = GRAPH_NONE;

    g->nodes[node]->chained_by = GRAPH_NONE;
    if (edges_into(g, node, &edge) != 1) return;
    g->edges[edge]->chained = may_chain(g, g->edges[edge]);
    if (g->edges[edge]->chained) g->nodes[node]->chained_by = edge;
}

/* Nodes in front have theirs already. */
static void node_stage(struct graph *g, uint32_t node)
{
    g->nodes[node]->stage = 0;
    for (uint32_t i = 0; i < g->edge_count; i++) {
        const struct graph_node *from = g->nodes[g->edges[i]->from];
        uint32_t stage = from->stage + ((from->type->flags & OP_COMMITTER) != 0);
        if (g->edges[i]->to == node) g->nodes[node]->stage = MAX(g->nodes[node]->stage, stage);
    }
}

/* --- vertices ------------------------------------------------------------------------------------------------------------ */
static uint32_t chained_children(const struct graph *g, uint32_t node)
{
    uint32_t count = 0;

    for (int i = graph_next_output(g, node, GRAPH_NONE); i != GRAPH_NONE; i = graph_next_output(g, node, i))
        count += g->edges[i]->chained;
    return count;
}

/* "A -> B", and "A -> (B -> C, D)" where a chain forks. Depth is bounded by the number of nodes. */
static void print_name(const struct graph *g, uint32_t node, struct buf *out)
{
    uint32_t children = chained_children(g, node), printed = 0;

    if (out->size > NAME_BYTES_MAX) return;
    buf_append_text(out, g->nodes[node]->name);
    if (children == 0) return;
    buf_append_text(out, children > 1 ? " -> (" : " -> ");
    for (int i = graph_next_output(g, node, GRAPH_NONE); i != GRAPH_NONE; i = graph_next_output(g, node, i)) {
        if (!g->edges[i]->chained) continue;
        if (printed++ > 0) buf_append_text(out, ", ");
        print_name(g, g->edges[i]->to, out);
    }
    if (children > 1) buf_append_text(out, ")");
}

static bool node_blocks(const struct graph_node *n)
{
    return (n->type->flags & OP_BLOCKING) || (n->type->blocks != NULL && n->type->blocks(n->config));
}

static void make_vertex(struct graph *g, uint32_t number)
{
    struct graph_vertex *v = &g->vertices[number];
    const struct graph_node *head = g->nodes[v->head];
    uint32_t *nodes = ARENA_ARRAY(g->arena, uint32_t, v->node_count);
    struct buf name;

    v->node_count = 0;
    for (uint32_t i = v->head; i < g->node_count; i++) {
        if (g->nodes[i]->vertex != number) continue;
        nodes[v->node_count++] = i;
        v->blocking |= node_blocks(g->nodes[i]);
    }
    v->nodes = nodes;
    v->parallelism = head->parallelism;
    v->max_parallelism = head->max_parallelism;
    v->slot_group = head->slot_group;
    buf_init(&name, g->arena->mem);
    buf_printf(&name, "in-flight %s", head->id);
    id_of_text(&name, v->in_flight_id);
    buf_clear(&name);
    print_name(g, v->head, &name);
    v->name = arena_strndup(g->arena, name.data, name.size);
    buf_release(&name);
}

void graph_make_vertices(struct graph *g)
{
    ASSERT(g->node_count > 0);
    g->vertex_count = 0;
    g->vertices = ARENA_ARRAY(g->arena, struct graph_vertex, g->node_count);
    for (uint32_t i = 0; i < g->edge_count; i++) g->edges[i]->chained = false;
    for (uint32_t i = 0; i < g->node_count; i++) {
        struct graph_node *n = g->nodes[i];
        make_id(g, i);
        node_stage(g, i);
        chain_node(g, i);
        n->vertex = n->chained_by == GRAPH_NONE ? g->vertex_count : g->nodes[g->edges[n->chained_by]->from]->vertex;
        if (n->chained_by == GRAPH_NONE) g->vertices[g->vertex_count++] = (struct graph_vertex){.head = i};
        g->vertices[n->vertex].node_count++;
    }
    for (uint32_t v = 0; v < g->vertex_count; v++) make_vertex(g, v);
}
