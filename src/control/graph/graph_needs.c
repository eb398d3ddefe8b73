/* graph_needs.c - which columns have to be filled at all. From the ends of the graph to its sources: what an operator's
 * consumers read decides what it must put out, and its own `needs` hook says what it must read for that. The answers are
 * bit sets; columns outside are never filled by sources, never computed and never travel. */
#include "control/graph/graph_internal.h"

#include <string.h>

static uint64_t *all_columns(struct arena *a, const struct type *row)
{
    uint64_t *set = ARENA_ARRAY(a, uint64_t, graph_words(row) + 1);

    for (uint32_t i = 0; i < row->child_count; i++) bit_set(set, i);
    return set;
}

/* Columns that somebody reads from each port, those that edges partition by included. */
static void needs_of_outputs(struct graph *g, uint32_t node, uint64_t **outputs)
{
    for (int i = graph_next_output(g, node, GRAPH_NONE); i != GRAPH_NONE; i = graph_next_output(g, node, i)) {
        struct graph_edge *edge = g->edges[i];
        const struct type *row = g->nodes[node]->plan.outputs[edge->port];
        uint64_t *set = outputs[edge->port];
        edge->needed = g->nodes[edge->to]->needed_in[edge->input];
        if (edge->partitioner == PART_CUSTOM) edge->needed = NULL; /* the user's function may look at any */
        const uint64_t *read = edge->needed != NULL ? edge->needed : all_columns(g->arena, row);
        for (uint32_t w = 0; w < graph_words(row); w++) set[w] |= read[w];
        for (uint32_t k = 0; k < edge->keys.count; k++) bit_set(set, edge->key_cols[k]);
    }
}

static void find_node_needs(struct graph *g, uint32_t node)
{
    struct graph_node *n = g->nodes[node];
    struct op_plan *p = &n->plan;
    uint64_t *outputs[OP_PORTS_MAX] = {NULL}, *inputs[OP_INPUTS_MAX] = {NULL};

    for (uint32_t i = 0; i < p->output_count; i++)
        outputs[i] = ARENA_ARRAY(g->arena, uint64_t, graph_words(p->outputs[i]) + 1);
    needs_of_outputs(g, node, outputs);
    for (uint32_t i = 0; i < p->output_count; i++) n->needed_out[i] = outputs[i];
    for (uint32_t i = 0; i < p->input_count; i++) {
        inputs[i] = n->type->needs != NULL ? ARENA_ARRAY(g->arena, uint64_t, graph_words(p->inputs[i]) + 1)
                                           : all_columns(g->arena, p->inputs[i]);
        for (uint32_t k = 0; k < p->key_count[i]; k++) bit_set(inputs[i], p->keys[i][k]);
    }
    if (n->type->needs != NULL) n->type->needs(p, n->config, (const uint64_t *const *)outputs, inputs);
    for (uint32_t i = 0; i < p->input_count; i++) n->needed_in[i] = inputs[i];
}

void graph_find_needs(struct graph *g)
{
    for (uint32_t i = g->node_count; i-- > 0;) find_node_needs(g, i);
}
