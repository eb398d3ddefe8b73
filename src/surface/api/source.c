/* source.c - streams out of sources, what times and watermarks their rows have, and how fast they come. Rows of the program
 * itself are values.c. A watermark strategy is the source's own where it stands directly at one, for that is per split; anywhere
 * else it is an operator. */
#include "surface/api/api_internal.h"

#include <stdio.h>
#include <string.h>

static struct tw_stream *add_source(struct tw_env *env, const char *name, const char *connector,
                                    const struct type *schema, struct tw_options o, struct tw_here h)
{
    if (name == NULL || connector == NULL) return api_mistake(env, h, "a source needs a name and a connector");
    if (o.count % 2 != 0)
        return api_mistake(env, h, "options of source '%s' come in pairs of key and value; one value is missing", name);
    struct graph_node *n = api_node(env, "source", arena_printf(&env->graph_arena, "Source: %s", name), NULL, NULL, h);
    if (n == NULL) return api_broken(env);
    struct source_config *c = n->config;
    c->connector = api_text(env, connector);
    c->options = api_options(env, o);
    c->schema = schema;
    api_option_parallelism(env, n, &c->options, "scan.parallelism", h);
    return api_stream(env);
}

struct tw_stream *tw_source_at(struct tw_env *env, const char *name, const char *connector, struct tw_options o,
                               struct tw_here h)
{
    return add_source(env, name, connector, NULL, o, h);
}

struct tw_stream *tw_source_rows_at(struct tw_env *env, const char *name, const char *connector,
                                    const struct tw_row *row, struct tw_options o, struct tw_here h)
{
    const struct type *schema = api_row_type(env, row, h);

    return schema == NULL ? api_broken(env) : add_source(env, name, connector, schema, o, h);
}

struct tw_stream *tw_source_function_at(struct tw_env *env, const char *name, const struct tw_function *f,
                                        struct tw_here h)
{
    if (name == NULL || f == NULL) return api_mistake(env, h, "a source function needs a name and a function");
    struct graph_node *n = api_node(env, "source_function", arena_printf(&env->graph_arena, "Source: %s", name), NULL,
                                    NULL, h);
    if (n == NULL) return api_broken(env);
    ((struct source_function_config *)n->config)->function = api_function(env, f, h);
    return api_stream(env);
}

struct tw_stream *tw_from_sequence_at(struct tw_env *env, int64_t from, int64_t to, struct tw_here h)
{
    char first[24], last[24];

    snprintf(first, sizeof first, "%lld", (long long)from);
    snprintf(last, sizeof last, "%lld", (long long)to);
    return add_source(env, "sequence", "sequence", NULL, TW_OPTIONS("from", first, "to", last), h);
}

/* --- watermarks ------------------------------------------------------------------------------------------------------------ */
static void set_watermarks(struct tw_env *env, struct watermark_config *to, const struct tw_watermarks *w,
                           struct tw_here h)
{
    *to = (struct watermark_config){.kind = w->kind,
                                    .out_of_orderness_ms = w->out_of_orderness_ms,
                                    .idleness_ms = w->idleness_ms,
                                    .every_rows = w->every_rows,
                                    .alignment_max_drift_ms = w->alignment_max_drift_ms,
                                    .alignment_interval_ms = w->alignment_interval_ms,
                                    .time_field = api_text(env, w->time_field),
                                    .alignment_group = api_text(env, w->alignment_group),
                                    .function = api_function(env, w->function, h)};
}

struct tw_stream *tw_with_watermarks_at(struct tw_stream *s, struct tw_watermarks w, struct tw_here h)
{
    struct tw_env *env = api_env(s, h);

    if (!api_usable(s, h)) return api_broken(env);
    struct graph_node *n = env->graph.nodes[s->node];
    bool at_source = s->side == NULL && !s->has_partitioner && s->also == NULL;
    if (at_source && strcmp(n->type->name, "source") == 0) {
        n->here = api_here(h);
        set_watermarks(env, &((struct source_config *)n->config)->watermark, &w, h);
        return s;
    }
    if (at_source && strcmp(n->type->name, "source_function") == 0) {
        n->here = api_here(h);
        set_watermarks(env, &((struct source_function_config *)n->config)->watermark, &w, h);
        return s;
    }
    n = api_node(env, "watermarks", "Timestamps/Watermarks", s, NULL, h);
    if (n == NULL) return api_broken(env);
    set_watermarks(env, &((struct watermarks_config *)n->config)->watermark, &w, h);
    return api_stream(env);
}

struct tw_stream *tw_rate_limit_at(struct tw_stream *s, double rows_per_second, struct tw_here h)
{
    if (!api_usable(s, h)) return api_broken(s->env);
    struct graph_node *n = s->env->graph.nodes[s->node];
    n->here = api_here(h);
    if (strcmp(n->type->name, "source") == 0)
        ((struct source_config *)n->config)->rows_per_second = rows_per_second;
    else if (strcmp(n->type->name, "source_function") == 0)
        ((struct source_function_config *)n->config)->rows_per_second = rows_per_second;
    else
        return api_mistake(s->env, h, "tw_rate_limit: '%s' is not a source", n->name);
    return s;
}
