/* sink.c - where streams end: connectors and the program's own functions. Rows for the caller are collect.c. */
#include "surface/api/api_internal.h"

struct tw_stream *tw_sink_at(struct tw_stream *s, const char *name, const char *connector, struct tw_options o,
                             struct tw_here h)
{
    struct tw_env *env = api_env(s, h);

    if (!api_usable(s, h)) return api_broken(env);
    if (name == NULL || connector == NULL) return api_mistake(env, h, "a sink needs a name and a connector");
    if (o.count % 2 != 0)
        return api_mistake(env, h, "options of sink '%s' come in pairs of key and value; one value is missing", name);
    struct graph_node *n = api_node(env, "sink", arena_printf(&env->graph_arena, "Sink: %s", name), s, NULL, h);
    if (n == NULL) return api_broken(env);
    struct sink_config *c = n->config;
    c->connector = api_text(env, connector);
    c->options = api_options(env, o);
    api_option_parallelism(env, n, &c->options, "sink.parallelism", h);
    return api_stream(env);
}

struct tw_stream *tw_sink_function_at(struct tw_stream *s, const char *name, const struct tw_function *f,
                                      struct tw_here h)
{
    struct tw_stream *out = api_with_function(s, NULL, "sink_function", f, h);

    return name == NULL || out->is_broken ? out
                                          : tw_name_at(out, arena_printf(&s->env->graph_arena, "Sink: %s", name), h);
}
