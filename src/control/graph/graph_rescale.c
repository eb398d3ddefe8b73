/* graph_rescale.c - the bytes of a job with other parallelisms of its operators.
 *
 * Everything is told from the job as it was submitted (`base`, prepared) and the bytes of that: so two rescales one after the other give
 * the same as the last alone, and going back gives the job itself. What was derived from the parallelism stays as it was: max
 * parallelisms, since key groups hang on them, and edges that were dealt out anew, so that chains stay whole. A forward edge stays
 * one: rows of a key keep their order over it. Only at an operator that is one by nature it becomes a rebalance, as if the job had
 * been submitted with that parallelism. */
#include "control/graph/graph_internal.h"

#include "ground/base/str.h"

#include <string.h>

bool graph_node_is_single(const struct graph_node *n) { return n->single || (n->type->flags & OP_SINGLE) != 0; }

bool graph_node_follows(const struct graph *base, uint32_t node)
{
    const struct graph_node *n = base->nodes[node];

    return !graph_node_is_single(n) && n->parallelism == base->default_parallelism;
}

static enum status check_node(const struct graph_node *n, uint32_t parallelism, struct err *e)
{
    if (parallelism >= 1 && parallelism <= n->max_parallelism && (parallelism == 1 || !graph_node_is_single(n))) return S_OK;
    if (graph_node_is_single(n)) return err_set(e, E_GRAPH, "operator '%s' runs with parallelism 1 only, not %u", n->name, parallelism);
    if (parallelism == 0) return err_set(e, E_GRAPH, "operator '%s': a parallelism is at least 1", n->name);
    err_set(e, E_GRAPH, "parallelism %u of '%s' is more than its max parallelism %u", parallelism, n->name, n->max_parallelism);
    err_hint(e, "stop the job with a savepoint and start it from that with a higher pipeline.max-parallelism");
    return E_GRAPH;
}

static enum status check_forward(const struct graph *base, const struct graph_edge *edge, const uint32_t *parallelism, struct err *e)
{
    const struct graph_node *from = base->nodes[edge->from], *to = base->nodes[edge->to];
    bool may_differ = !edge->has_partitioner && (graph_node_is_single(from) || graph_node_is_single(to));

    if (edge->partitioner != PART_FORWARD || may_differ || parallelism[edge->from] == parallelism[edge->to]) return S_OK;
    err_set(e, E_GRAPH, "rows go straight on from '%s' to '%s': both have one parallelism, not %u and %u", from->name, to->name,
            parallelism[edge->from], parallelism[edge->to]);
    err_hint(e, "rescale both of them, or the whole job");
    return E_GRAPH;
}

enum status graph_rescale(const struct graph *base, struct str encoded, const uint32_t *parallelism, struct buf *out, struct err *e)
{
    struct mem mem;
    struct arena arena;
    struct graph g;

    for (uint32_t i = 0; i < base->node_count; i++) TRY(check_node(base->nodes[i], parallelism[i], e));
    for (uint32_t i = 0; i < base->edge_count; i++) TRY(check_forward(base, base->edges[i], parallelism, e));
    mem_init(&mem, "rescaled graph", 0);
    arena_init(&arena, &mem, 0);
    graph_init(&g, &arena);
    enum status st = graph_decode(&g, encoded, e);
    ASSERT(st != S_OK || (g.node_count == base->node_count && g.edge_count == base->edge_count));
    for (uint32_t i = 0; st == S_OK && i < g.node_count; i++) {
        g.nodes[i]->parallelism = parallelism[i];
        g.nodes[i]->max_parallelism = base->nodes[i]->max_parallelism;
    }
    for (uint32_t i = 0; st == S_OK && i < g.edge_count; i++) {
        if (base->edges[i]->partitioner == PART_FORWARD) continue;
        g.edges[i]->partitioner = base->edges[i]->partitioner;
        g.edges[i]->has_partitioner = true;
    }
    if (st == S_OK) graph_encode(&g, out);
    mem_release(&mem);
    return st;
}
