/* transform.c - streams out of one or two other streams: an operator with a function, a built-in one, unions and joins. Each
 * call appends one node, but tw_union, which only makes the next one read several streams as one input. */
#include "surface/api/api_internal.h"

#include <string.h>

/* Operators are shown under the names that Flink gives them. */
static const char *shown_name(const char *operation, bool is_keyed)
{
    static const struct {
        const char *operation, *name, *keyed;
    } names[] = {
        {"map", "Map", "Map"},
        {"filter", "Filter", "Filter"},
        {"flat_map", "Flat Map", "Flat Map"},
        {"process", "Process", "KeyedProcess"},
        {"batch", "Batch", "Batch"},
        {"reduce", "Reduce", "Keyed Reduce"},
        {"partition_rows", "MapPartition", "MapPartition"},
        {"partition_reduce", "PartitionReduce", "PartitionReduce"},
        {"partition_aggregate", "PartitionAggregate", "PartitionAggregate"},
        {"co_map", "Co-Map", "Co-Map"},
        {"co_flat_map", "Co-Flat Map", "Co-Flat Map"},
        {"co_process", "Co-Process", "Co-Keyed-Process"},
        {"broadcast_process", "Co-Process-Broadcast", "Co-Process-Broadcast-Keyed"},
        {"key_by", "Key", "Key"},
    };

    for (size_t i = 0; operation != NULL && i < COUNT_OF(names); i++)
        if (strcmp(names[i].operation, operation) == 0) return is_keyed ? names[i].keyed : names[i].name;
    return operation != NULL ? operation : "";
}

struct tw_stream *api_with_function(struct tw_stream *a, struct tw_stream *b, const char *operation,
                                    const struct tw_function *f, struct tw_here h)
{
    struct tw_env *env = api_env(a, h);
    struct graph_node *n = api_node(env, operation, api_text(env, shown_name(operation, a->is_keyed)), a, b, h);

    if (n == NULL) return api_broken(env);
    if (n->type->config_fields != function_config_fields)
        return api_mistake(env, h, "operation '%s' does not take just a function", operation);
    if (f == NULL) return api_mistake(env, h, "operation '%s' needs a function", operation);
    ((struct function_config *)n->config)->function = api_function(env, f, h);
    return api_stream(env);
}

struct tw_stream *tw_apply_at(struct tw_stream *s, const char *operation, const struct tw_function *f, struct tw_here h)
{
    return api_with_function(s, NULL, operation, f, h);
}

struct tw_stream *tw_connect_at(struct tw_stream *a, struct tw_stream *b, const char *operation,
                                const struct tw_function *f, struct tw_here h)
{
    bool is_broadcast = operation != NULL && strcmp(operation, "broadcast_process") == 0;

    if (is_broadcast && api_usable(b, h) && !b->has_partitioner) b = tw_partition_at(b, "broadcast", h);
    return api_with_function(a, b, operation, f, h);
}

/* Settings of an operator by their names in its table. False: a mistake is kept. */
static bool configure(struct tw_env *env, struct graph_node *n, struct tw_options settings, struct tw_here h)
{
    for (uint32_t i = 0; i + 1 < settings.count; i += 2) {
        const char *name = settings.items[i], *text = settings.items[i + 1];
        if (name == NULL || text == NULL) {
            api_mistake(env, h, "operation '%s' has a setting that is NULL", n->type->name);
            return false;
        }
        if (graph_config_set(&env->graph_arena, n->type, n->config, name, text, &env->err) == S_OK) continue;
        graph_at(api_here(h), &env->err);
        return false;
    }
    return true;
}

static struct tw_stream *named_operator(struct tw_stream *s, const char *operation, const char *name,
                                        struct tw_options settings, struct tw_here h)
{
    struct tw_env *env = api_env(s, h);
    struct graph_node *n = api_node(env, operation, name, s, NULL, h);

    return n != NULL && configure(env, n, settings, h) ? api_stream(env) : api_broken(env);
}

struct tw_stream *tw_operator_at(struct tw_stream *s, const char *operation, struct tw_options settings, struct tw_here h)
{
    return named_operator(s, operation, api_text(api_env(s, h), operation), settings, h);
}

struct tw_stream *tw_where_at(struct tw_stream *s, const char *field, const char *op, const char *literal,
                              struct tw_here h)
{
    if (field == NULL || op == NULL || literal == NULL)
        return api_mistake(api_env(s, h), h, "tw_where needs a field, an operator and a literal");
    return named_operator(s, "where", "Where", TW_OPTIONS("field", field, "op", op, "literal", literal), h);
}

struct tw_stream *tw_project_at(struct tw_stream *s, const char *const *columns, uint32_t count, struct tw_here h)
{
    struct graph_node *n = api_node(api_env(s, h), "project", "Projection", s, NULL, h);

    if (n == NULL) return api_broken(s->env);
    ((struct project_config *)n->config)->columns = api_texts(s->env, columns, count);
    return api_stream(s->env);
}

struct tw_stream *tw_rolling_at(struct tw_stream *s, const char *aggregate, const char *field, struct tw_here h)
{
    struct tw_env *env = api_env(s, h);

    if (aggregate == NULL || field == NULL)
        return api_mistake(env, h, "a rolling aggregate needs its name and a field");
    struct graph_node *n = api_node(env, "rolling", "Keyed Aggregation", s, NULL, h);
    if (n == NULL) return api_broken(env);
    *(struct rolling_config *)n->config = (struct rolling_config){api_text(env, aggregate), api_text(env, field)};
    return api_stream(env);
}

struct tw_stream *tw_sort_partition_at(struct tw_stream *s, const char *field, bool ascending, struct tw_here h)
{
    struct tw_env *env = api_env(s, h);

    if (field == NULL) return api_mistake(env, h, "tw_sort_partition needs a field");
    struct graph_node *n = api_node(env, "sort_partition", "SortPartition", s, NULL, h);
    if (n == NULL) return api_broken(env);
    const char *direction = ascending ? "asc" : "desc", *nulls = ascending ? "first" : "last";
    *(struct sort_config *)n->config =
        (struct sort_config){api_texts(env, &field, 1), api_texts(env, &direction, 1), api_texts(env, &nulls, 1)};
    return api_stream(env);
}

/* Streams united are a list: that of a, then that of b. No operator: the next one reads them all as one input. */
struct tw_stream *tw_union_at(struct tw_stream *a, struct tw_stream *b, struct tw_here h)
{
    struct tw_stream *first, *last;

    if (!api_usable(a, h) || !api_usable(b, h)) return api_broken(a->env);
    if (a->env != b->env) return api_two_environments(a->env, b->env, h);
    first = last = api_stream_copy(a);
    for (const struct tw_stream *s = a->also; s != NULL; s = s->also) last = last->also = api_stream_copy(s);
    last->also = b;
    if (first->is_keyed != b->is_keyed)
        return api_mistake(a->env, h, "one of the united streams is keyed, the other is not");
    for (struct tw_stream *s = first; s != NULL; s = s->also)
        if (s->here.file == NULL) s->here = api_here(h);
    return first;
}

struct tw_stream *tw_interval_join_at(struct tw_stream *a, struct tw_stream *b, struct tw_interval i,
                                      const struct tw_function *f, struct tw_here h)
{
    struct tw_env *env = api_env(a, h);
    struct graph_node *n = api_node(env, "interval_join", "Interval Join", a, b, h);

    if (n == NULL) return api_broken(env);
    if (f == NULL) return api_mistake(env, h, "an interval join needs a function");
    *(struct interval_config *)n->config = (struct interval_config){api_function(env, f, h), i.lower_ms, i.upper_ms,
                                                                    i.lower_exclusive, i.upper_exclusive};
    return api_stream(env);
}

struct tw_stream *tw_async_at(struct tw_stream *s, const struct tw_function *f, struct tw_async a, struct tw_here h)
{
    struct tw_env *env = api_env(s, h);
    struct graph_node *n = api_node(env, "async", "async wait operator", s, NULL, h);

    if (n == NULL) return api_broken(env);
    if (f == NULL) return api_mistake(env, h, "asynchronous I/O needs a function");
    *(struct async_config *)n->config = (struct async_config){.function = api_function(env, f, h),
                                                              .unordered = a.unordered,
                                                              .timeout_ms = a.timeout_ms,
                                                              .capacity = a.capacity,
                                                              .attempts = a.attempts,
                                                              .retry_delay_ms = a.retry_delay_ms,
                                                              .retry_delay_max_ms = a.retry_delay_max_ms,
                                                              .retry_multiplier = a.retry_multiplier};
    return api_stream(env);
}
