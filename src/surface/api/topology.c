/* topology.c - what sinks of the user's build around themselves: operators before the writer, before and behind the commit
 * (struct tw_sink_topology). It happens when the graph is prepared, so that callbacks see the sink as the program left it.
 *
 * The idea: a sink's node moves behind what its pre_write built, since edges lead to higher numbers; a committer follows what
 * pre_commit built. What callbacks build takes over the sink's parallelism and slot sharing group where it has none.
 *
 * Invariants: a sink is expanded once; sinks in its topologies are expanded in their turn. */
#include "surface/api/api_internal.h"

#include "flow/operator/user_sink.h"

/* --- the sink's input, as a stream ------------------------------------------------------------------------------------------ */
static struct tw_stream *stream_of(struct tw_env *env, const struct graph_edge *e)
{
    struct tw_stream *s = api_stream_new(env);

    s->node = e->from;
    s->side = e->side;
    s->has_partitioner = e->has_partitioner;
    s->partitioner = e->partitioner;
    s->keys = e->keys;
    s->is_keyed = e->keys.count > 0;
    s->function = e->function;
    s->here = e->here;
    return s;
}

/* Its edges go. */
static struct tw_stream *input_take(struct tw_env *env, uint32_t node)
{
    struct graph *g = &env->graph;
    struct tw_stream *first = NULL, **end = &first;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < g->edge_count; i++) {
        if (g->edges[i]->to != node) {
            g->edges[kept++] = g->edges[i];
            continue;
        }
        *end = stream_of(env, g->edges[i]);
        end = &(*end)->also;
    }
    g->edge_count = kept;
    return first;
}

/* --- places ------------------------------------------------------------------------------------------------------------------ */
static uint32_t moved(uint32_t node, uint32_t from, uint32_t last)
{
    return node == from ? last : node > from ? node - 1 : node;
}

/* A node without edges becomes the last; whoever knows nodes by number is told. */
static void node_move_last(struct tw_env *env, uint32_t node)
{
    struct graph *g = &env->graph;
    struct graph_node *sink = g->nodes[node];
    uint32_t last = g->node_count - 1;

    for (uint32_t i = node; i < last; i++) g->nodes[i] = g->nodes[i + 1];
    g->nodes[last] = sink;
    for (uint32_t i = 0; i < g->edge_count; i++) {
        g->edges[i]->from = moved(g->edges[i]->from, node, last);
        g->edges[i]->to = moved(g->edges[i]->to, node, last);
    }
    for (struct tw_stream *s = env->streams; s != NULL; s = s->previous)
        if (!s->is_stale) s->node = moved(s->node, node, last);
    for (uint32_t i = 0; i < env->receiver_count; i++)
        env->receivers[i].node = moved(env->receivers[i].node, node, last);
}

/* --- building ---------------------------------------------------------------------------------------------------------------- */
static void nodes_mark(const struct tw_stream *s, uint64_t nodes[static GRAPH_NODES_MAX / 64])
{
    for (; s != NULL; s = s->also) bit_set(nodes, s->node);
}

/* Is a row of `in` on the way to s? Backwards, in one pass: edges lead to higher numbers. */
static bool comes_from(const struct graph *g, const struct tw_stream *s, const struct tw_stream *in)
{
    uint64_t wanted[GRAPH_NODES_MAX / 64] = {0}, given[GRAPH_NODES_MAX / 64] = {0};

    nodes_mark(s, wanted);
    nodes_mark(in, given);
    for (uint32_t node = g->node_count; node-- > 0;) {
        if (!bit_get(wanted, node)) continue;
        if (bit_get(given, node)) return true;
        for (uint32_t i = 0; i < g->edge_count; i++)
            if (g->edges[i]->to == node) bit_set(wanted, g->edges[i]->from);
    }
    return false;
}

/* What a callback made of `in`: a stream that comes from there, or NULL with the mistake kept. */
static struct tw_stream *checked(struct tw_env *env, const struct function_ref *f, const char *hook,
                                 const struct tw_stream *in, struct tw_stream *s, struct tw_here h)
{
    if (s != NULL && s->env == env && env->err.status == S_OK && api_usable(s, h) && comes_from(&env->graph, s, in)) return s;
    if (env->err.status == S_OK)
        api_mistake(env, h,
                    "topology.%s of function '%s' must answer a stream that it built out of the one it was given", hook,
                    f->name);
    return NULL;
}

static struct tw_str config_of(const struct function_ref *f) { return (struct tw_str){f->config.data, f->config.size}; }

static bool committer_add(struct tw_env *env, struct graph_node *sink, const struct function_ref *f, struct tw_here h)
{
    const struct tw_sink_topology *t = f->fn->topology;
    struct tw_stream *written = api_stream(env);
    const char *name = sink->name;

    if (t->pre_commit != NULL) written = checked(env, f, "pre_commit", written, t->pre_commit(written, config_of(f)), h);
    if (written == NULL) return false;
    struct graph_node *n = api_node(env, "committer", arena_printf(&env->graph_arena, "%s: Committer", name), written,
                                    NULL, h);
    if (n == NULL) return false;
    *(struct function_config *)n->config = (struct function_config){.function = *f};
    sink->name = arena_printf(&env->graph_arena, "%s: Writer", name);
    if (sink->uid != NULL) n->uid = arena_printf(&env->graph_arena, "Sink Committer: %s", sink->uid);
    n->uid_here = sink->uid_here;
    if (t->post_commit != NULL) t->post_commit(api_stream(env), config_of(f));
    return env->err.status == S_OK;
}

/* Nodes from `first` on are the sink's. */
static void take_over(struct graph *g, uint32_t first, const struct graph_node *sink)
{
    for (uint32_t i = first; i < g->node_count; i++) {
        struct graph_node *n = g->nodes[i];
        if (n->parallelism == 0 && !n->single) n->parallelism = sink->parallelism;
        if (n->max_parallelism == 0) n->max_parallelism = sink->max_parallelism;
        if (n->slot_group == NULL) n->slot_group = sink->slot_group;
    }
}

/* Rows of a sink: there are none, and its node could not become the last. */
static bool is_read(struct tw_env *env, uint32_t node)
{
    const struct graph *g = &env->graph;
    int i = graph_next_output(g, node, GRAPH_NONE);

    if (i < 0) return false;
    struct graph_here at = g->edges[i]->here;
    (void)api_mistake(env, (struct tw_here){at.file, at.line}, "'%s' has no output", g->nodes[node]->name);
    return true;
}

static bool expand(struct tw_env *env, uint32_t node, const struct function_ref *f)
{
    struct graph *g = &env->graph;
    struct graph_node *sink = g->nodes[node];
    struct tw_here h = {sink->here.file, sink->here.line};
    uint32_t first = g->node_count - 1; /* the sink itself counts with what follows */
    struct tw_stream *in = input_take(env, node);

    if (f->fn->topology->pre_write != NULL)
        in = checked(env, f, "pre_write", in, f->fn->topology->pre_write(in, config_of(f)), h);
    if (in == NULL || is_read(env, node)) return false;
    node_move_last(env, node);
    if (!api_connect(env, in, h)) return false;
    if (user_sink_hands_on(f->fn) && !committer_add(env, sink, f, h)) return false;
    take_over(g, first, sink);
    return true;
}

enum status api_topologies_build(struct tw_env *env)
{
    struct graph *g = &env->graph;
    const struct op_type *sink = op_find("sink_function");
    uint32_t i = 0;

    while (i < g->node_count) {
        struct graph_node *n = g->nodes[i];
        const struct function_ref *f = n->type == sink ? &((struct function_config *)n->config)->function : NULL;
        if (f == NULL || n->is_expanded || f->fn == NULL || f->fn->topology == NULL) {
            i++;
            continue;
        }
        n->is_expanded = true;
        TRY(user_sink_check(f, &env->err) == S_OK ? S_OK : graph_at(n->here, &env->err));
        if (!expand(env, i, f)) return env->err.status;
    }
    return S_OK;
}
