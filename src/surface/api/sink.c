/* sink.c - where streams end: connectors and the program's own functions. Rows for the caller are collect.c. */
#include "surface/api/api_internal.h"

#include <thalweg/async_sink.h>

#include <string.h>

/* The simulator counts what is committed: lines that are printed cannot be taken back. */
static struct tw_stream *to_ledger(struct tw_stream *s, const char *name, struct tw_options o, struct tw_here h)
{
    struct tw_env *env = api_env(s, h);
    struct graph_node *n = api_node(env, "ledger", arena_printf(&env->graph_arena, "Sink: %s", name), s, NULL, h);

    if (n == NULL) return api_broken(env);
    struct ledger_config *c = n->config;
    c->folder = api_text(env, env->ledger);
    for (uint32_t i = 0; i + 1 < o.count; i += 2)
        if (strcmp(o.items[i], "print-identifier") == 0) c->identifier = api_text(env, o.items[i + 1]);
    return api_stream(env);
}

struct tw_stream *tw_sink_at(struct tw_stream *s, const char *name, const char *connector, struct tw_options o,
                             struct tw_here h)
{
    struct tw_env *env = api_env(s, h);

    if (!api_usable(s, h)) return api_broken(env);
    if (name == NULL || connector == NULL) return api_mistake(env, h, "a sink needs a name and a connector");
    if (o.count % 2 != 0)
        return api_mistake(env, h, "options of sink '%s' come in pairs of key and value; one value is missing", name);
    if (env->ledger != NULL && strcmp(connector, "print") == 0) return to_ledger(s, name, o, h);
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

struct tw_stream *tw_async_sink_at(struct tw_stream *s, const char *name, const struct tw_function *f,
                                   struct tw_async_sink a, struct tw_here h)
{
    struct tw_env *env = api_env(s, h);

    if (!api_usable(s, h)) return api_broken(env);
    if (name == NULL || f == NULL) return api_mistake(env, h, "an asynchronous sink needs a name and a function");
    struct graph_node *n =
        api_node(env, "async_sink", arena_printf(&env->graph_arena, "Sink: %s", name), s, NULL, h);
    if (n == NULL) return api_broken(env);
    *(struct async_sink_config *)n->config =
        (struct async_sink_config){.function = api_function(env, f, h),
                                   .max_batch_size = a.max_batch_size,
                                   .max_in_flight_requests = a.max_in_flight_requests,
                                   .max_buffered_requests = a.max_buffered_requests,
                                   .max_batch_size_bytes = a.max_batch_size_bytes,
                                   .max_time_in_buffer_ms = a.max_time_in_buffer_ms,
                                   .max_record_size_bytes = a.max_record_size_bytes,
                                   .request_timeout_ms = a.request_timeout_ms,
                                   .fail_on_timeout = a.fail_on_timeout,
                                   .initial_in_flight_messages = a.initial_in_flight_messages,
                                   .aimd_increase = a.aimd_increase,
                                   .aimd_threshold = a.aimd_threshold,
                                   .aimd_decrease = a.aimd_decrease};
    return api_stream(env);
}
