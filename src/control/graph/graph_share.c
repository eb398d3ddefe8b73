/* graph_share.c - equal parts of a graph become one. Two operators are equal when they have the same type, name and configuration and
 * read the same outputs in the same way; what puts out nothing (a sink) always stands by itself, and so does what is another one each
 * time (graph_node.is_random). Which of two equal ones stays is the one that came first. */
#include "control/graph/graph_codec.h"
#include "control/graph/graph_config.h"
#include "control/graph/graph_internal.h"

#include <string.h>

struct key {
    uint64_t hash;
    size_t at, size; /* of its text */
};

struct sharing {
    struct graph *g;
    uint32_t *first;   /* by node: which one does its work */
    struct key *keys;
    struct buf texts;
    bool *has_output;
};

static void edge_print(const struct sharing *s, const struct graph_edge *edge, struct buf *out)
{
    enc_varint(out, s->first[edge->from]);
    enc_varint(out, edge->input);
    enc_u8(out, edge->has_partitioner);
    enc_u8(out, (uint8_t)edge->partitioner);
    enc_text(out, edge->side != NULL ? edge->side : "");
    graph_texts_encode(&edge->keys, out);
    graph_function_encode(&edge->function, out);
}

static void node_print(struct sharing *s, uint32_t node)
{
    const struct graph_node *n = s->g->nodes[node];
    struct key *k = &s->keys[node];

    k->at = s->texts.size;
    enc_text(&s->texts, n->type->name);
    enc_text(&s->texts, n->name);
    enc_u8(&s->texts, n->single);
    graph_config_encode(n->type, n->config, &s->texts);
    for (uint32_t i = 0; i < s->g->edge_count; i++)
        if (s->g->edges[i]->to == node) edge_print(s, s->g->edges[i], &s->texts);
    k->size = s->texts.size - k->at;
    k->hash = hash64(s->texts.data + k->at, k->size);
}

static bool may_share(const struct sharing *s, uint32_t node, bool sources)
{
    const struct graph_node *n = s->g->nodes[node];

    if (n->is_random || !s->has_output[node] || n->uid != NULL || n->uid_hash != NULL) return false;
    return sources || n->type->input_count > 0;
}

static uint32_t equal_before(const struct sharing *s, uint32_t node)
{
    const struct key *k = &s->keys[node];

    for (uint32_t i = 0; i < node; i++) {
        const struct key *other = &s->keys[i];
        if (other->size == k->size && other->hash == k->hash && k->size > 0 &&
            memcmp(s->texts.data + other->at, s->texts.data + k->at, k->size) == 0)
            return i;
    }
    return node;
}

/* Nodes that do no work go, with what leads to them; the others keep their order. */
static void remove_equal(struct sharing *s, uint32_t *now)
{
    struct graph *g = s->g;
    uint32_t nodes = 0, edges = 0;

    for (uint32_t i = 0; i < g->node_count; i++) {
        now[i] = s->first[i] == i ? nodes : now[s->first[i]];
        if (s->first[i] == i) g->nodes[nodes++] = g->nodes[i];
    }
    for (uint32_t i = 0; i < g->edge_count; i++) {
        struct graph_edge *edge = g->edges[i];
        if (s->first[edge->to] != edge->to) continue;
        edge->from = now[edge->from];
        edge->to = now[edge->to];
        g->edges[edges++] = edge;
    }
    g->node_count = nodes;
    g->edge_count = edges;
}

void graph_share(struct graph *g, bool sources, uint32_t *now)
{
    struct sharing s = {.g = g,
                        .first = ARENA_ARRAY(g->arena, uint32_t, g->node_count + 1),
                        .keys = ARENA_ARRAY(g->arena, struct key, g->node_count + 1),
                        .has_output = ARENA_ARRAY(g->arena, bool, g->node_count + 1)};

    memset(s.has_output, 0, sizeof(bool) * (g->node_count + 1));
    for (uint32_t i = 0; i < g->edge_count; i++) s.has_output[g->edges[i]->from] = true;
    buf_init(&s.texts, g->arena->mem);
    for (uint32_t i = 0; i < g->node_count; i++) {
        s.first[i] = i;
        s.keys[i] = (struct key){0};
        if (!may_share(&s, i, sources)) continue;
        node_print(&s, i);
        s.first[i] = equal_before(&s, i);
    }
    buf_release(&s.texts);
    remove_equal(&s, now);
}
