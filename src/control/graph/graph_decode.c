/* graph_decode.c - reads an encoded job graph. The bytes may come from anywhere: every count is checked against its limit
 * and against what is left, every number against its range, every text for its end; what was read is copied, so nothing
 * refers to the input afterwards. An edge may only lead to a later node, so a cycle cannot be written.
 *
 * Errors are E_DATA and say where in the bytes reading stopped. Whether the graph makes sense as a job (types, keys,
 * options) is graph_prepare's question, not asked here. */
#include "control/graph/graph_codec.h"
#include "control/graph/graph_config.h"

#include <string.h>

static const char *decode_optional(struct arena *a, struct dec *d)
{
    uint8_t given = dec_u8(d);

    if (given > 1) d->failed = true;
    return given == 1 ? graph_text_decode(a, d) : NULL;
}

static struct graph_here decode_here(struct arena *a, struct dec *d)
{
    const char *file = decode_optional(a, d);
    uint64_t line = dec_varint(d);

    if (line > INT32_MAX) d->failed = true;
    return (struct graph_here){file, (int)line};
}

static uint32_t decode_bounded(struct dec *d, uint32_t max)
{
    uint64_t value = dec_varint(d);

    if (value > max) d->failed = true;
    return dec_ok(d) ? (uint32_t)value : 0;
}

static bool is_id(const char *text)
{
    return strlen(text) == GRAPH_ID_SIZE - 1 && strspn(text, "0123456789abcdef") == GRAPH_ID_SIZE - 1;
}

static enum status decode_node(struct graph *g, struct dec *d, struct err *e)
{
    const char *type_name = graph_text_decode(g->arena, d);
    const char *name = graph_text_decode(g->arena, d);

    if (!dec_ok(d)) return err_set(e, E_DATA, "operator %u is cut or damaged", g->node_count);
    const struct op_type *type = op_find(type_name);
    if (type == NULL)
        return err_set(e, E_DATA, "operator '%s' is of type '%s', which this build does not have", name, type_name);
    struct graph_node *n = graph_add_node(g, type, name, (struct graph_here){NULL, 0});
    n->uid = decode_optional(g->arena, d);
    n->uid_hash = decode_optional(g->arena, d);
    if (n->uid_hash != NULL && !is_id(n->uid_hash)) d->failed = true;
    n->description = decode_optional(g->arena, d);
    n->parallelism = decode_bounded(d, GRAPH_PARALLELISM_MAX);
    n->max_parallelism = decode_bounded(d, GRAPH_MAX_PARALLELISM_MAX);
    n->slot_group = decode_optional(g->arena, d);
    uint8_t flags = dec_u8(d);
    n->head = flags & NODE_HEAD;
    n->unchained = flags & NODE_UNCHAINED;
    n->single = flags & NODE_SINGLE;
    n->has_buffer_timeout = flags & NODE_BUFFER_TIMEOUT;
    if (n->has_buffer_timeout) n->buffer_timeout_ms = decode_bounded(d, GRAPH_BUFFER_TIMEOUT_MAX);
    if (flags & NODE_VARIABLES) n->metric_variables = graph_options_decode(g->arena, d);
    if (n->metric_variables.count > GRAPH_VARIABLES_MAX) d->failed = true;
    n->here = decode_here(g->arena, d);
    if (!dec_ok(d) || (flags & ~NODE_FLAGS)) return err_set(e, E_DATA, "operator '%s' is cut or damaged", name);
    return graph_config_decode(g->arena, type, n->config, d, e);
}

static uint32_t inputs_of(const struct op_type *t) { return t->flags & OP_MANY_INPUTS ? OP_INPUTS_MAX : t->input_count; }

static enum status decode_edge(struct graph *g, struct dec *d, struct err *e)
{
    uint64_t from = dec_varint(d), to = dec_varint(d);
    uint8_t input = dec_u8(d);

    if (!dec_ok(d) || to >= g->node_count || from >= to ||
        input >= MIN((uint32_t)OP_INPUTS_MAX, inputs_of(g->nodes[to]->type)))
        return err_set(e, E_DATA, "edge %u does not lead from an earlier operator to an input of a later one",
                       g->edge_count);
    struct graph_edge *edge = graph_add_edge(g, (uint32_t)from, (uint32_t)to, input, (struct graph_here){NULL, 0});
    edge->side = decode_optional(g->arena, d);
    uint8_t given = dec_u8(d), partitioner = dec_u8(d);
    edge->has_partitioner = given != 0;
    edge->partitioner = partitioner < PART_COUNT ? (enum partitioner)partitioner : PART_FORWARD;
    edge->keys = graph_texts_decode(g->arena, d);
    graph_function_decode(g->arena, &edge->function, d);
    edge->here = decode_here(g->arena, d);
    if (!dec_ok(d) || given > 1 || partitioner >= PART_COUNT ||
        (partitioner == PART_CUSTOM) != (edge->function.name != NULL))
        return err_set(e, E_DATA, "edge %u is cut or damaged", g->edge_count - 1);
    return S_OK;
}

static enum status decode_head(struct graph *g, struct dec *d, struct err *e)
{
    if (dec_left(d) < GRAPH_MAGIC_SIZE || memcmp(d->at, GRAPH_MAGIC, GRAPH_MAGIC_SIZE) != 0)
        return err_set(e, E_DATA, "this is not a job graph");
    d->at += GRAPH_MAGIC_SIZE;
    uint64_t version = dec_varint(d);
    if (version != GRAPH_VERSION)
        return err_set(e, E_DATA, "version %llu of the job graph; this build reads version %d",
                       (unsigned long long)version, GRAPH_VERSION);
    g->job_name = graph_text_decode(g->arena, d);
    for (size_t i = 0; i < sizeof g->artifact.digest.bytes; i++) g->artifact.digest.bytes[i] = dec_u8(d);
    g->artifact.name = graph_text_decode(g->arena, d);
    g->settings = graph_options_decode(g->arena, d);
    g->parameters = graph_options_decode(g->arena, d);
    g->default_parallelism = decode_bounded(d, GRAPH_PARALLELISM_MAX);
    g->default_max_parallelism = decode_bounded(d, GRAPH_MAX_PARALLELISM_MAX);
    g->chaining = dec_u8(d) != 0;
    if (g->default_parallelism == 0) d->failed = true;
    return dec_ok(d) ? S_OK : err_set(e, E_DATA, "the head of the job graph is cut or damaged");
}

static enum status decode(struct graph *g, struct dec *d, struct err *e)
{
    TRY(decode_head(g, d, e));
    uint32_t nodes = graph_count_decode(d, GRAPH_NODES_MAX);
    for (uint32_t i = 0; i < nodes; i++) TRY(decode_node(g, d, e));
    uint32_t edges = graph_count_decode(d, GRAPH_EDGES_MAX);
    for (uint32_t i = 0; i < edges; i++) TRY(decode_edge(g, d, e));
    if (!dec_ok(d) || dec_left(d) > 0) return err_set(e, E_DATA, "the end of the job graph is cut, or bytes follow it");
    return S_OK;
}

enum status graph_decode(struct graph *g, struct str bytes, struct err *e)
{
    struct dec d;

    ASSERT(g->node_count == 0 && g->arena != NULL);
    if (bytes.size > GRAPH_BYTES_MAX)
        return err_set(e, E_DATA, "a job graph of %zu bytes; at most %d", bytes.size, GRAPH_BYTES_MAX);
    dec_init(&d, bytes.data, bytes.size);
    enum status st = decode(g, &d, e);
    if (st != S_OK) err_wrap(e, "job graph, byte %zu of %zu", bytes.size - dec_left(&d), bytes.size);
    return st;
}
