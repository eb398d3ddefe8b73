/* stream.c - streams as handles: making one, the first mistake, nodes and the edges into them; what every graph-building call
 * (source.c, transform.c, partition.c, attribute.c, sink.c, window.c, ...) does first and last. What the graph checks later is
 * not checked here; what is wrong at once (an unknown operation, a function that the program's table lacks) is kept as the first
 * mistake, and the stream answered is broken: calls on it do nothing, so a program need not look before tw_execute. */
#include "surface/api/api_internal.h"

#include <stdarg.h>
#include <stdio.h>

enum { OPERATORS_MAX = 128 };

struct tw_stream *api_stream_new(struct tw_env *env)
{
    struct tw_stream *s = ARENA_NEW(&env->arena, struct tw_stream);

    s->env = env;
    s->previous = env->streams;
    env->streams = s;
    return s;
}

struct tw_stream *api_stream_copy(const struct tw_stream *from)
{
    struct tw_stream *s = api_stream_new(from->env), *previous = s->previous;

    *s = *from;
    s->previous = previous;
    return s;
}

struct tw_stream *api_broken(struct tw_env *env)
{
    if (api_is_running(env)) return env->refused;
    struct tw_stream *s = api_stream_new(env);

    s->is_broken = true;
    return s;
}

struct tw_stream *api_mistake(struct tw_env *env, struct tw_here h, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (api_begin(env, h) && env->err.status == S_OK) {
        err_set(&env->err, E_GRAPH, "%s", text);
        graph_at(api_here(h), &env->err);
    }
    return api_broken(env);
}

/* The mistake is known to both, whichever of them is executed. */
struct tw_stream *api_two_environments(struct tw_env *a, struct tw_env *b, struct tw_here h)
{
    api_mistake(b, h, "the streams belong to different environments");
    return api_mistake(a, h, "the streams belong to different environments");
}

struct tw_env *api_env(const struct tw_stream *s, struct tw_here h)
{
    if (UNLIKELY(s == NULL)) assert_failed("the stream is not NULL", h.file != NULL ? h.file : "a call", h.line);
    return s->env;
}

bool api_usable(struct tw_stream *s, struct tw_here h)
{
    (void)api_env(s, h);
    if (s->is_stale && !s->is_broken) api_mistake(s->env, h, "this stream belongs to a job that was executed already");
    return !s->is_stale && !s->is_broken;
}

struct tw_stream *api_stream(struct tw_env *env)
{
    struct tw_stream *s = api_stream_new(env);

    ASSERT(env->graph.node_count > 0);
    s->node = env->graph.node_count - 1;
    return s;
}

/* Edges from a stream (and those united with it) into input i of the newest node. */
static bool connect_input(struct tw_env *env, const struct tw_stream *from, uint32_t input, struct tw_here h)
{
    for (const struct tw_stream *s = from; s != NULL; s = s->also) {
        if (env->graph.edge_count == GRAPH_EDGES_MAX) {
            api_mistake(env, h, "a job may have at most %d connections", GRAPH_EDGES_MAX);
            return false;
        }
        struct graph_edge *e = graph_add_edge(&env->graph, s->node, env->graph.node_count - 1, input, api_here(h));
        e->side = s->side;
        e->has_partitioner = s->has_partitioner;
        e->partitioner = s->partitioner;
        e->keys = s->keys;
        e->function = s->function;
        if (s->here.file != NULL) e->here = s->here;
    }
    return true;
}

static void unknown_operation(struct tw_env *env, const char *operation, struct tw_here h)
{
    const char *names[OPERATORS_MAX];
    uint32_t count = 0;

    for (; count < OPERATORS_MAX && op_types[count] != NULL; count++) names[count] = op_types[count]->name;
    int near = str_nearest(str_of(operation), names, count);
    if (near < 0) api_mistake(env, h, "there is no operation '%s'", operation);
    else api_mistake(env, h, "there is no operation '%s'; did you mean '%s'?", operation, names[near]);
}

bool api_connect(struct tw_env *env, const struct tw_stream *from, struct tw_here h)
{
    return connect_input(env, from, 0, h);
}

struct graph_node *api_node(struct tw_env *env, const char *operation, const char *name, struct tw_stream *in,
                            struct tw_stream *in2, struct tw_here h)
{
    const struct op_type *type = operation != NULL ? op_find(operation) : NULL;

    if (!api_begin(env, h)) return NULL;
    if ((in != NULL && !api_usable(in, h)) || (in2 != NULL && !api_usable(in2, h))) return NULL;
    if (type == NULL) {
        unknown_operation(env, operation != NULL ? operation : "", h);
        return NULL;
    }
    uint32_t inputs = (in != NULL) + (in2 != NULL);
    if (type->input_count != inputs) {
        api_mistake(env, h, "operation '%s' has %u inputs, not %u", operation, type->input_count, inputs);
        return NULL;
    }
    if (in2 != NULL && in2->env != env) {
        api_two_environments(env, in2->env, h);
        return NULL;
    }
    if (env->graph.node_count == GRAPH_NODES_MAX) {
        api_mistake(env, h, "a job may have at most %d operators", GRAPH_NODES_MAX);
        return NULL;
    }
    struct graph_node *n = graph_add_node(&env->graph, type, name, (struct graph_here){api_text(env, h.file), h.line});
    if (in != NULL && !connect_input(env, in, 0, h)) return NULL;
    if (in2 != NULL && !connect_input(env, in2, 1, h)) return NULL;
    return n;
}
