/* graph_encode.c - a job graph as bytes, as docs/formats/job-graph.md draws them. No pointer travels: operators go by name,
 * functions by (artifact, name, config bytes), edges by node numbers. What graph_prepare derives does not travel either;
 * the reader derives it again from the same bytes, and so cannot disagree with them. */
#include "control/graph/graph_codec.h"
#include "control/graph/graph_config.h"

static void encode_optional(const char *text, struct buf *out)
{
    enc_u8(out, text != NULL);
    if (text != NULL) enc_text(out, text);
}

static void encode_here(struct graph_here here, struct buf *out)
{
    encode_optional(here.file, out);
    enc_varint(out, (uint64_t)MAX(0, here.line));
}

static uint8_t node_flags(const struct graph_node *n)
{
    return (uint8_t)((n->head ? NODE_HEAD : 0) | (n->unchained ? NODE_UNCHAINED : 0) | (n->single ? NODE_SINGLE : 0) |
                     (n->has_buffer_timeout ? NODE_BUFFER_TIMEOUT : 0) |
                     (n->metric_variables.count > 0 ? NODE_VARIABLES : 0));
}

static void encode_node(const struct graph_node *n, struct buf *out)
{
    enc_text(out, n->type->name);
    enc_text(out, n->name);
    encode_optional(n->uid, out);
    encode_optional(n->uid_hash, out);
    encode_optional(n->description, out);
    enc_varint(out, n->parallelism);
    enc_varint(out, n->max_parallelism);
    encode_optional(n->slot_group, out);
    enc_u8(out, node_flags(n));
    if (n->has_buffer_timeout) enc_varint(out, (uint64_t)n->buffer_timeout_ms);
    if (n->metric_variables.count > 0) graph_options_encode(&n->metric_variables, out);
    encode_here(n->here, out);
    graph_config_encode(n->type, n->config, out);
}

static void encode_edge(const struct graph_edge *edge, struct buf *out)
{
    enc_varint(out, edge->from);
    enc_varint(out, edge->to);
    enc_u8(out, (uint8_t)edge->input);
    encode_optional(edge->side, out);
    enc_u8(out, edge->has_partitioner);
    enc_u8(out, (uint8_t)edge->partitioner);
    graph_texts_encode(&edge->keys, out);
    graph_function_encode(&edge->function, out);
    encode_here(edge->here, out);
}

void graph_encode(const struct graph *g, struct buf *out)
{
    ASSERT(g->node_count <= GRAPH_NODES_MAX && g->edge_count <= GRAPH_EDGES_MAX);
    buf_append(out, GRAPH_MAGIC, GRAPH_MAGIC_SIZE);
    enc_varint(out, GRAPH_VERSION);
    enc_text(out, g->job_name);
    buf_append(out, g->artifact.digest.bytes, sizeof g->artifact.digest.bytes);
    enc_text(out, g->artifact.name);
    graph_options_encode(&g->settings, out);
    graph_options_encode(&g->parameters, out);
    enc_varint(out, g->default_parallelism);
    enc_varint(out, g->default_max_parallelism);
    enc_u8(out, g->chaining);
    enc_varint(out, g->node_count);
    for (uint32_t i = 0; i < g->node_count; i++) encode_node(g->nodes[i], out);
    enc_varint(out, g->edge_count);
    for (uint32_t i = 0; i < g->edge_count; i++) encode_edge(g->edges[i], out);
}
