/* graph_check.c - refuses mistakes, and derives every stream's type on the way.
 *
 * Nodes are visited in the order in which they were made, which is the order of the user's program, so the first mistake
 * found is the first that was made. Each node: its inputs are there and of one type; key fields exist and agree; what
 * needs a keyed stream has one; parallelism can be kept; then the operator's own derive checks rows and configuration and
 * answers the types of the outputs, which the nodes behind it see as inputs. */
#include "control/graph/graph_internal.h"

#include "flow/operator/user_partition.h"
#include "flow/task/job_shared.h"
#include "ground/base/str.h"

#include <stdio.h>
#include <string.h>

#define SOURCE_PREFIX "Source: "

const char *graph_stream_name(const struct graph_node *n)
{
    return str_starts(str_of(n->name), STR(SOURCE_PREFIX)) ? n->name + sizeof SOURCE_PREFIX - 1 : n->name;
}

/* --- inputs ------------------------------------------------------------------------------------------------------------ */
static enum status find_port(const struct graph_node *from, struct graph_edge *edge, struct err *e)
{
    const struct op_plan *plan = &from->plan;
    struct err local = {0};

    edge->port = 0;
    if (edge->side == NULL) {
        if (plan->output_count == 0) return err_set(e, E_GRAPH, "'%s' has no output", from->name);
        return S_OK;
    }
    for (uint32_t p = 1; p < plan->output_count; p++) {
        if (strcmp(plan->port_names[p], edge->side) != 0) continue;
        edge->port = p;
        return S_OK;
    }
    uint32_t sides = plan->output_count > 0 ? plan->output_count - 1 : 0;
    if (sides == 0)
        return err_set(e, E_GRAPH, "operator '%s' has no side output '%s': it has none", from->name, edge->side);
    err_set(&local, E_GRAPH, "operator '%s' has no side output '%s'; it has '%s'", from->name, edge->side,
            plan->port_names[1]);
    for (uint32_t p = 2; p <= sides; p++) {
        size_t used = strlen(local.text);
        snprintf(local.text + used, sizeof local.text - used, ", '%s'", plan->port_names[p]);
    }
    err_set(e, E_GRAPH, "%s", local.text);
    int nearest = str_nearest(str_of(edge->side), plan->port_names + 1, sides);
    if (nearest >= 0) err_hint(e, "did you mean '%s'?", plan->port_names[1 + nearest]);
    return E_GRAPH;
}

/* How a mistake between two streams tells them apart: by name, and by the line that made them when they are named alike. */
static void print_stream(const struct graph_node *n, const struct graph_node *other, struct buf *out)
{
    buf_printf(out, "'%s'", graph_stream_name(n));
    if (strcmp(graph_stream_name(n), graph_stream_name(other)) != 0 || n->here.file == NULL) return;
    const char *slash = strrchr(n->here.file, '/');
    buf_printf(out, " (made at %s:%d)", slash != NULL ? slash + 1 : n->here.file, n->here.line);
}

static enum status types_differ(const struct graph_node *a, const struct type *ta, const struct graph_node *b,
                                const struct type *tb, struct arena *arena, struct err *e)
{
    struct buf text;

    buf_init(&text, arena->mem);
    print_stream(a, b, &text);
    buf_append_text(&text, " is ");
    type_print(ta, &text);
    buf_append_text(&text, ", ");
    print_stream(b, a, &text);
    buf_append_text(&text, " is ");
    type_print(tb, &text);
    err_set(e, E_GRAPH, "union of streams of different types: %s", buf_text(&text));
    buf_release(&text);
    return E_GRAPH;
}

/* Columns of the key fields; the edge's own call is to blame when one is missing. */
static enum status find_keys(struct graph *g, struct graph_edge *edge, const struct type *row, struct err *e)
{
    const char *stream = graph_stream_name(g->nodes[edge->from]);
    uint32_t *cols = ARENA_ARRAY(g->arena, uint32_t, edge->keys.count);

    if (edge->keys.count > OP_KEYS_MAX)
        return err_set(e, E_GRAPH, "a key of %u fields; at most %d", edge->keys.count, OP_KEYS_MAX);
    for (uint32_t i = 0; i < edge->keys.count; i++) {
        int col = op_type_field(row, stream, edge->keys.items[i], e);
        if (col < 0) return E_GRAPH;
        uint8_t kind = row->children[col]->kind;
        bool is_asked = edge->here.file != NULL; /* by a program, whose functions see keys as C structs; plans of SQL group by anything */
        if (is_asked && (kind == T_ARRAY || kind == T_MAP || kind == T_MULTISET))
            return err_set(e, E_GRAPH, "field '%s' of stream '%s' is a collection and cannot be a key",
                           edge->keys.items[i], stream);
        cols[i] = (uint32_t)col;
    }
    edge->key_cols = cols;
    return S_OK;
}

static enum status check_partition_function(struct graph *g, const struct graph_edge *edge, const struct type *row,
                                            struct err *e)
{
    struct op_plan plan = {.arena = g->arena, .inputs = {row}, .input_count = 1};

    return edge->partitioner == PART_CUSTOM ? user_partition_check(&plan, &edge->function, e) : S_OK;
}

static enum status check_edge(struct graph *g, struct graph_edge *edge, struct err *e)
{
    const struct graph_node *from = g->nodes[edge->from], *to = g->nodes[edge->to];

    TRY(find_port(from, edge, e));
    TRY(find_keys(g, edge, from->plan.outputs[edge->port], e));
    TRY(check_partition_function(g, edge, from->plan.outputs[edge->port], e));
    if (edge->has_partitioner && edge->partitioner == PART_FORWARD && from->parallelism != to->parallelism) {
        err_set(e, E_GRAPH, "forward from '%s' to '%s' needs one parallelism for both, but they have %u and %u",
                from->name, to->name, from->parallelism, to->parallelism);
        err_hint(e, "use tw_rebalance or tw_rescale, or set the same parallelism");
        return E_GRAPH;
    }
    if (edge->has_partitioner && edge->partitioner == PART_HASH && edge->keys.count == 0)
        return err_set(e, E_GRAPH, "rows to '%s' are to be distributed by key, but no key is given", to->name);
    if (!edge->has_partitioner)
        edge->partitioner = from->parallelism == to->parallelism ? PART_FORWARD : PART_REBALANCE;
    return S_OK;
}

static bool keys_agree(const struct graph_edge *a, const struct graph_edge *b)
{
    if (a->keys.count != b->keys.count) return false;
    for (uint32_t i = 0; i < a->keys.count; i++)
        if (a->key_cols[i] != b->key_cols[i]) return false;
    return true;
}

static enum status derive_input(struct graph *g, uint32_t node, uint32_t input, struct err *e)
{
    struct graph_node *n = g->nodes[node];
    int first = graph_next_input(g, node, input, GRAPH_NONE);

    if (first == GRAPH_NONE) {
        err_set(e, E_GRAPH, "operator '%s' has nothing connected to input %u", n->name, input + 1);
        return graph_at(n->here, e);
    }
    for (int i = first; i != GRAPH_NONE; i = graph_next_input(g, node, input, i)) {
        struct graph_edge *edge = g->edges[i], *other = g->edges[first];
        const struct graph_node *from = g->nodes[edge->from], *from_first = g->nodes[other->from];
        if (check_edge(g, edge, e) != S_OK) return graph_at(edge->here, e);
        const struct type *type = from->plan.outputs[edge->port], *type_first = from_first->plan.outputs[other->port];
        if (!type_equal(type, type_first)) {
            types_differ(from_first, type_first, from, type, g->arena, e);
            return graph_at(edge->here, e);
        }
        if (!keys_agree(edge, other)) {
            err_set(e, E_GRAPH, "union of streams with different keys in front of '%s'", n->name);
            return graph_at(n->here, e);
        }
    }
    const struct graph_edge *edge = g->edges[first];
    n->plan.inputs[input] = g->nodes[edge->from]->plan.outputs[edge->port];
    n->plan.input_names[input] = graph_stream_name(g->nodes[edge->from]);
    n->plan.keys[input] = edge->keys.count > 0 ? edge->key_cols : NULL;
    n->plan.key_count[input] = edge->keys.count;
    return S_OK;
}

/* --- keys ---------------------------------------------------------------------------------------------------------------- */
static enum status needs_key(const struct graph_node *n, uint32_t input, struct err *e)
{
    bool window = false;

    for (const struct config_field *f = n->type->config_fields; f != NULL && f->name != NULL; f++)
        if (strcmp(f->name, "all") == 0) window = true;
    err_set(e, E_GRAPH, "%s '%s' needs a keyed stream, but stream '%s' is not keyed", window ? "window" : "operator",
            n->name, n->plan.input_names[input]);
    if (n->type->input_count > 1) err_hint(e, "call tw_key_by on both streams before it");
    else
        err_hint(e, window ? "call tw_key_by before it, or set .all for one window over all rows"
                           : "call tw_key_by before it");
    return graph_at(n->here, e);
}

/* The stream that an input reads; the first of them, when there are several. */
static const struct graph_node *input_node(const struct graph *g, uint32_t node, uint32_t input)
{
    return g->nodes[g->edges[graph_next_input(g, node, input, GRAPH_NONE)]->from];
}

static enum status key_types_differ(struct graph *g, uint32_t node, const struct type *a, const struct type *b, struct err *e)
{
    const struct graph_node *n = g->nodes[node], *from_a = input_node(g, node, 0), *from_b = input_node(g, node, 1);
    struct buf text;

    buf_init(&text, g->arena->mem);
    type_print(a, &text);
    buf_append_text(&text, " in ");
    print_stream(from_a, from_b, &text);
    buf_append_text(&text, ", ");
    type_print(b, &text);
    buf_append_text(&text, " in ");
    print_stream(from_b, from_a, &text);
    err_set(e, E_GRAPH, "the two inputs of '%s' have keys of different types: %s", n->name, buf_text(&text));
    buf_release(&text);
    return graph_at(n->here, e);
}

static enum status check_keys(struct graph *g, uint32_t node, struct err *e)
{
    const struct graph_node *n = g->nodes[node];
    const struct op_plan *p = &n->plan;

    if ((n->type->flags & OP_NEEDS_KEY) && !graph_config_flag(n, "all"))
        for (uint32_t i = 0; i < p->input_count; i++)
            if (p->key_count[i] == 0) return needs_key(n, i, e);
    if (p->input_count < 2 || p->key_count[0] == 0 || p->key_count[1] == 0) return S_OK;
    if (p->key_count[0] != p->key_count[1]) {
        err_set(e, E_GRAPH, "the two inputs of '%s' have keys of different length: %u fields and %u", n->name,
                p->key_count[0], p->key_count[1]);
        return graph_at(n->here, e);
    }
    for (uint32_t i = 0; i < p->key_count[0]; i++) {
        const struct type *a = p->inputs[0]->children[p->keys[0][i]], *b = p->inputs[1]->children[p->keys[1][i]];
        bool strings = type_is_string(a) && type_is_string(b);
        if (!strings && !type_equal_ignoring_null(a, b)) return key_types_differ(g, node, a, b, e);
    }
    return S_OK;
}

/* --- parallelism, uids ---------------------------------------------------------------------------------------------------- */
/* Flink's: half as much again, rounded up to a power of two, at least 128. */
static uint32_t default_max_parallelism(uint32_t parallelism)
{
    uint32_t wanted = parallelism + parallelism / 2, p = 1;

    while (p < wanted) p *= 2;
    return MIN(MAX(p, 128u), (uint32_t)GRAPH_MAX_PARALLELISM_MAX);
}

static enum status check_parallelism(const struct graph *g, struct graph_node *n, struct err *e)
{
    bool single = n->single || (n->type->flags & OP_SINGLE);

    if (single && n->parallelism > 1)
        return err_set(e, E_GRAPH, "operator '%s' runs with parallelism 1 only, not %u", n->name, n->parallelism);
    if (n->parallelism == 0) n->parallelism = single ? 1 : g->default_parallelism;
    if (n->parallelism > GRAPH_PARALLELISM_MAX)
        return err_set(e, E_GRAPH, "parallelism %u of '%s' is more than %d", n->parallelism, n->name,
                       GRAPH_PARALLELISM_MAX);
    if (n->max_parallelism == 0) n->max_parallelism = g->default_max_parallelism;
    if (n->max_parallelism == 0) n->max_parallelism = default_max_parallelism(n->parallelism);
    if (n->max_parallelism > GRAPH_MAX_PARALLELISM_MAX)
        return err_set(e, E_GRAPH, "max parallelism %u of '%s' is more than %d", n->max_parallelism, n->name,
                       GRAPH_MAX_PARALLELISM_MAX);
    if (n->parallelism > n->max_parallelism)
        return err_set(e, E_GRAPH, "parallelism %u of '%s' is more than its max parallelism %u", n->parallelism,
                       n->name, n->max_parallelism);
    return S_OK;
}

/* The call that set the attribute is to blame, when it is known. */
static enum status attribute_at(struct graph_here call, const struct graph_node *n, struct err *e)
{
    return graph_at(call.file != NULL ? call : n->here, e);
}

static enum status check_uid(const struct graph *g, uint32_t node, struct err *e)
{
    const struct graph_node *n = g->nodes[node];

    for (uint32_t i = 0; i < node; i++) {
        const struct graph_node *other = g->nodes[i];
        if (n->uid != NULL && other->uid != NULL && strcmp(other->uid, n->uid) == 0)
            return err_set(e, E_GRAPH, "uid '%s' of '%s' is that of '%s' already; uids are unique in a job", n->uid,
                           n->name, other->name);
        if (n->uid_hash != NULL && other->uid_hash != NULL && strcmp(other->uid_hash, n->uid_hash) == 0)
            return err_set(e, E_GRAPH, "uid hash '%s' of '%s' is that of '%s' already; they are unique in a job",
                           n->uid_hash, n->name, other->name);
    }
    return S_OK;
}

/* --- a node ------------------------------------------------------------------------------------------------------------- */
static void inherit_slot_group(struct graph *g, uint32_t node)
{
    struct graph_node *n = g->nodes[node];
    const char *group = NULL;

    if (n->slot_group != NULL) return;
    for (uint32_t i = 0; i < g->edge_count; i++) {
        if (g->edges[i]->to != node) continue;
        const char *theirs = g->nodes[g->edges[i]->from]->slot_group;
        if (group != NULL && strcmp(group, theirs) != 0) {
            n->slot_group = "default";
            return;
        }
        group = theirs;
    }
    n->slot_group = group != NULL ? group : "default";
}

static enum status derive_node(struct graph *g, uint32_t node, struct err *e)
{
    struct graph_node *n = g->nodes[node];

    n->plan = (struct op_plan){
        .arena = g->arena, .users = g->users, .input_count = graph_input_count(g, node), .name = graph_stream_name(n)};
    if (check_uid(g, node, e) != S_OK) return attribute_at(n->uid_here, n, e);
    if (check_parallelism(g, n, e) != S_OK) return attribute_at(n->parallelism_here, n, e);
    inherit_slot_group(g, node);
    for (uint32_t i = 0; i < n->plan.input_count; i++) TRY(derive_input(g, node, i, e));
    TRY(check_keys(g, node, e));
    if (n->type->derive != NULL && n->type->derive(&n->plan, n->config, e) != S_OK) {
        err_set(e, E_GRAPH, "operator '%s' cannot be used like this", n->name);
        return graph_at(n->here, e);
    }
    ASSERT(n->plan.output_count <= OP_PORTS_MAX);
    for (uint32_t p = 0; p < n->plan.output_count; p++)
        ASSERT(n->plan.outputs[p] != NULL && n->plan.outputs[p]->kind == T_ROW);
    return S_OK;
}

enum status graph_derive(struct graph *g, struct err *e)
{
    for (uint32_t i = 0; i < g->edge_count; i++) ASSERT(g->edges[i]->from < g->edges[i]->to);
    if (g->node_count == 0) return err_set(e, E_GRAPH, "the job has no operators: nothing to run");
    for (uint32_t i = 0; i < g->node_count; i++) TRY(derive_node(g, i, e));
    return S_OK;
}

/* A committer behind a committer behind ...: tasks count them. */
static enum status check_stages(const struct graph *g, struct err *e)
{
    for (uint32_t i = 0; i < g->node_count; i++) {
        const struct graph_node *n = g->nodes[i];
        if (n->stage + 1 < JOB_STAGES_MAX) continue;
        err_set(e, E_GRAPH, "'%s' has %u committers in front of it; at most %d", n->name, n->stage, JOB_STAGES_MAX - 2);
        return graph_at(n->here, e);
    }
    return S_OK;
}

enum status graph_prepare(struct graph *g, struct err *e)
{
    TRY(graph_derive(g, e));
    graph_find_needs(g);
    graph_make_vertices(g);
    return check_stages(g, e);
}
