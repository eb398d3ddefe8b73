/* stream.c - graph-building calls on one stream: sources, transformations, keys and partitioning, attributes, sinks. Each
 * appends a node or changes how the next one reads its input. What the graph checks later is not checked here; what is wrong
 * at once (an unknown operation, a function that the program's table lacks) is kept as the first mistake, and the stream
 * answered is broken: calls on it do nothing, so a program need not look before tw_execute. */
#include "surface/api/api_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 1024, OPERATORS_MAX = 128 };

/* --- helpers -------------------------------------------------------------------------------------------------------------- */
static struct tw_stream *new_stream(struct tw_env *env)
{
    struct tw_stream *s = ARENA_NEW(&env->arena, struct tw_stream);

    s->env = env;
    s->previous = env->streams;
    env->streams = s;
    return s;
}

static struct tw_stream *copy_of(const struct tw_stream *from)
{
    struct tw_stream *s = new_stream(from->env), *previous = s->previous;

    *s = *from;
    s->previous = previous;
    return s;
}

struct tw_stream *api_broken(struct tw_env *env)
{
    struct tw_stream *s = new_stream(env);

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
    api_begin(env);
    if (env->err.status == S_OK) {
        err_set(&env->err, E_GRAPH, "%s", text);
        graph_at(api_here(h), &env->err);
    }
    return api_broken(env);
}

/* The mistake is known to both, whichever of them is executed. */
static struct tw_stream *two_environments(struct tw_env *a, struct tw_env *b, struct tw_here h)
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
    struct tw_stream *s = new_stream(env);

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

struct graph_node *api_node(struct tw_env *env, const char *operation, const char *name, struct tw_stream *in,
                            struct tw_stream *in2, struct tw_here h)
{
    const struct op_type *type = operation != NULL ? op_find(operation) : NULL;

    api_begin(env);
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
        two_environments(env, in2->env, h);
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

struct function_ref api_function(struct tw_env *env, const struct tw_function *f, struct tw_here h)
{
    struct function_ref ref = {.fn = f};

    if (f == NULL) return ref;
    for (const struct tw_function_entry *e = env->first; e < env->end; e++)
        if (e->function == f) ref.name = api_text(env, e->name);
    if (ref.name == NULL)
        api_mistake(env, h, "this function is not in the program's table; define it with TW_FUNCTION");
    return ref;
}

const char *api_text(struct tw_env *env, const char *text)
{
    return text != NULL ? arena_strdup(&env->graph_arena, text) : NULL;
}

struct text_list api_texts(struct tw_env *env, const char *const *items, uint32_t count)
{
    const char **copy = ARENA_ARRAY(&env->graph_arena, const char *, count + 1);

    for (uint32_t i = 0; i < count; i++) copy[i] = items[i] != NULL ? api_text(env, items[i]) : "";
    return (struct text_list){copy, count};
}

struct options api_options(struct tw_env *env, struct tw_options o)
{
    struct option *items = ARENA_ARRAY(&env->graph_arena, struct option, o.count / 2 + 1);

    for (uint32_t i = 0; i + 1 < o.count; i += 2)
        items[i / 2] = (struct option){o.items[i] != NULL ? api_text(env, o.items[i]) : "",
                                       o.items[i + 1] != NULL ? api_text(env, o.items[i + 1]) : ""};
    return (struct options){items, o.count / 2};
}

const struct type *api_row_type(struct tw_env *env, const struct tw_row *row, struct tw_here h)
{
    const struct type *type = NULL;

    api_begin(env);
    if (row == NULL) {
        api_mistake(env, h, "the row type is missing");
        return NULL;
    }
    if (env->err.status == S_OK && user_row_type(&env->graph_arena, row, &type, &env->err) != S_OK) {
        graph_at(api_here(h), &env->err);
        return NULL;
    }
    return type;
}

/* 'scan.parallelism' or 'sink.parallelism' of the options; what is no number is refused with the other options. */
static void option_parallelism(struct tw_env *env, struct graph_node *n, const struct options *o, const char *key,
                               struct tw_here h)
{
    int64_t value = 0;

    for (uint32_t i = 0; i < o->count; i++) {
        if (strcmp(o->items[i].key, key) != 0 || !str_to_int64(str_of(o->items[i].value), &value)) continue;
        if (value >= 1 && value <= GRAPH_PARALLELISM_MAX) n->parallelism = (uint32_t)value;
        else api_mistake(env, h, "option '%s' is %s, but must be 1 to %d", key, o->items[i].value, GRAPH_PARALLELISM_MAX);
    }
}

/* --- sources ---------------------------------------------------------------------------------------------------------- */
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
    option_parallelism(env, n, &c->options, "scan.parallelism", h);
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
    struct graph_node *n =
        api_node(env, "source_function", arena_printf(&env->graph_arena, "Source: %s", name), NULL, NULL, h);
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

/* --- transformations ---------------------------------------------------------------------------------------------------- */
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

static struct tw_stream *with_function(struct tw_stream *a, struct tw_stream *b, const char *operation,
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
    return with_function(s, NULL, operation, f, h);
}

struct tw_stream *tw_connect_at(struct tw_stream *a, struct tw_stream *b, const char *operation,
                                const struct tw_function *f, struct tw_here h)
{
    bool is_broadcast = operation != NULL && strcmp(operation, "broadcast_process") == 0;

    if (is_broadcast && api_usable(b, h) && !b->has_partitioner) b = tw_partition_at(b, "broadcast", h);
    return with_function(a, b, operation, f, h);
}

struct tw_stream *tw_where_at(struct tw_stream *s, const char *field, const char *op, const char *literal,
                              struct tw_here h)
{
    struct tw_env *env = api_env(s, h);

    if (field == NULL || op == NULL || literal == NULL)
        return api_mistake(env, h, "tw_where needs a field, an operator and a literal");
    struct graph_node *n = api_node(env, "where", "Where", s, NULL, h);
    if (n == NULL) return api_broken(env);
    *(struct where_config *)n->config =
        (struct where_config){api_text(env, field), api_text(env, op), api_text(env, literal)};
    return api_stream(env);
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
    *(struct sort_config *)n->config = (struct sort_config){api_text(env, field), ascending};
    return api_stream(env);
}

/* Streams united are a list: that of a, then that of b. No operator: the next one reads them all as one input. */
struct tw_stream *tw_union_at(struct tw_stream *a, struct tw_stream *b, struct tw_here h)
{
    struct tw_stream *first, *last;

    if (!api_usable(a, h) || !api_usable(b, h)) return api_broken(a->env);
    if (a->env != b->env) return two_environments(a->env, b->env, h);
    first = last = copy_of(a);
    for (const struct tw_stream *s = a->also; s != NULL; s = s->also) last = last->also = copy_of(s);
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
    *(struct interval_config *)n->config =
        (struct interval_config){api_function(env, f, h), i.lower_ms, i.upper_ms, i.lower_exclusive, i.upper_exclusive};
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
    else return api_mistake(s->env, h, "tw_rate_limit: '%s' is not a source", n->name);
    return s;
}

/* --- keys and partitioning ------------------------------------------------------------------------------------------------ */
static struct tw_stream *repartitioned(struct tw_stream *s, enum partitioner p, struct tw_here h)
{
    struct tw_stream *copy = copy_of(s);

    copy->has_partitioner = true;
    copy->partitioner = p;
    copy->is_keyed = false;
    copy->keys = (struct text_list){NULL, 0};
    copy->function = (struct function_ref){0};
    copy->here = api_here(h);
    if (s->also != NULL) copy->also = repartitioned(s->also, p, h);
    return copy;
}

static struct tw_stream *keyed(struct tw_stream *s, enum partitioner p, const char *const *fields, uint32_t count,
                               struct tw_here h)
{
    if (!api_usable(s, h)) return api_broken(s->env);
    if (count == 0 || count > OP_KEYS_MAX)
        return api_mistake(s->env, h, "a key has between 1 and %d fields, not %u", OP_KEYS_MAX, count);
    struct tw_stream *out = repartitioned(s, p, h);
    struct text_list keys = api_texts(s->env, fields, count);
    for (struct tw_stream *x = out; x != NULL; x = x->also) {
        x->keys = keys;
        x->is_keyed = true;
    }
    return out;
}

struct tw_stream *tw_key_by_at(struct tw_stream *s, const char *const *fields, uint32_t count, struct tw_here h)
{
    return keyed(s, PART_HASH, fields, count, h);
}

struct tw_stream *tw_reinterpret_as_keyed_at(struct tw_stream *s, const char *const *fields, uint32_t count,
                                             struct tw_here h)
{
    return keyed(s, PART_FORWARD, fields, count, h);
}

struct tw_stream *tw_key_by_function_at(struct tw_stream *s, const struct tw_function *f, struct tw_here h)
{
    const char *names[OP_KEYS_MAX];
    uint32_t count = 0;

    if (!api_usable(s, h)) return api_broken(s->env);
    if (f == NULL || f->key == NULL)
        return api_mistake(s->env, h, "a key function needs .key, the row type of its keys");
    for (uint32_t i = 0; i < f->key->field_count && count < OP_KEYS_MAX; i++)
        if (f->key->fields[i].type[0] != '\0') names[count++] = f->key->fields[i].name;
    return tw_key_by_at(with_function(s, NULL, "key_by", f, h), names, count, h);
}

struct tw_stream *tw_partition_at(struct tw_stream *s, const char *how, struct tw_here h)
{
    if (!api_usable(s, h)) return api_broken(s->env);
    for (uint32_t p = 0; p < PART_COUNT; p++) {
        if (p == PART_HASH || p == PART_CUSTOM || !str_equal_nocase(str_of(how), str_of(partitioner_names[p])))
            continue;
        return repartitioned(s, (enum partitioner)p, h);
    }
    return api_mistake(s->env, h,
                       "there is no partitioner '%s'; there are forward, rebalance, rescale, shuffle, broadcast and global, "
                       "and tw_key_by and tw_partition_custom",
                       how != NULL ? how : "");
}

struct tw_stream *tw_partition_custom_at(struct tw_stream *s, const struct tw_function *f, struct tw_here h)
{
    if (!api_usable(s, h)) return api_broken(s->env);
    if (f == NULL) return api_mistake(s->env, h, "custom partitioning needs a function");
    struct function_ref ref = api_function(s->env, f, h);
    struct tw_stream *out = repartitioned(s, PART_CUSTOM, h);
    for (struct tw_stream *x = out; x != NULL; x = x->also) x->function = ref;
    return out;
}

struct tw_stream *tw_side_at(struct tw_stream *s, const char *name, struct tw_here h)
{
    if (!api_usable(s, h)) return api_broken(s->env);
    if (s->also != NULL) return api_mistake(s->env, h, "a union has no side outputs: take those of its streams");
    struct tw_stream *side = new_stream(s->env);
    side->node = s->node;
    side->side = api_text(s->env, name != NULL ? name : "");
    side->here = api_here(h);
    return side;
}

/* --- attributes --------------------------------------------------------------------------------------------------------------- */
/* The operator that made the stream, or NULL with the mistake kept. */
static struct graph_node *node_of(struct tw_stream *s, const char *attribute)
{
    struct tw_here here = {NULL, 0};
    char text[64];

    snprintf(text, sizeof text, "the stream of %s is not NULL", attribute);
    if (UNLIKELY(s == NULL)) assert_failed(text, __FILE__, __LINE__);
    if (!api_usable(s, here)) return NULL;
    struct graph_node *n = s->env->graph.nodes[s->node];
    here = (struct tw_here){n->here.file, n->here.line};
    if (s->also == NULL) return n;
    api_mistake(s->env, here, "%s: a union is no operator; set it on its streams", attribute);
    return NULL;
}

static const char *checked_text(struct tw_stream *s, const char *attribute, const char *text)
{
    if (text != NULL && text[0] != '\0' && strlen(text) <= NAME_MAX_BYTES) return api_text(s->env, text);
    const struct graph_here here = s->env->graph.nodes[s->node]->here;
    api_mistake(s->env, (struct tw_here){here.file, here.line}, "%s needs a text of 1 to %d bytes", attribute,
                NAME_MAX_BYTES);
    return NULL;
}

static uint32_t checked_number(struct tw_stream *s, const char *attribute, uint32_t number)
{
    const struct graph_here here = s->env->graph.nodes[s->node]->here;

    if (number == 0) api_mistake(s->env, (struct tw_here){here.file, here.line}, "%s must be at least 1", attribute);
    return number;
}

struct tw_stream *tw_uid(struct tw_stream *s, const char *uid)
{
    struct graph_node *n = node_of(s, "tw_uid");

    if (n != NULL) n->uid = checked_text(s, "tw_uid", uid);
    return s;
}

struct tw_stream *tw_name(struct tw_stream *s, const char *name)
{
    struct graph_node *n = node_of(s, "tw_name");
    const char *text = n != NULL ? checked_text(s, "tw_name", name) : NULL;

    if (text != NULL) n->name = text;
    return s;
}

struct tw_stream *tw_description(struct tw_stream *s, const char *text)
{
    struct graph_node *n = node_of(s, "tw_description");

    if (n != NULL) n->description = checked_text(s, "tw_description", text);
    return s;
}

struct tw_stream *tw_parallelism(struct tw_stream *s, uint32_t parallelism)
{
    struct graph_node *n = node_of(s, "tw_parallelism");

    if (n != NULL) n->parallelism = checked_number(s, "tw_parallelism", parallelism);
    return s;
}

struct tw_stream *tw_max_parallelism(struct tw_stream *s, uint32_t max_parallelism)
{
    struct graph_node *n = node_of(s, "tw_max_parallelism");

    if (n != NULL) n->max_parallelism = checked_number(s, "tw_max_parallelism", max_parallelism);
    return s;
}

struct tw_stream *tw_slot_sharing_group(struct tw_stream *s, const char *group)
{
    struct graph_node *n = node_of(s, "tw_slot_sharing_group");

    if (n != NULL) n->slot_group = checked_text(s, "tw_slot_sharing_group", group);
    return s;
}

struct tw_stream *tw_start_new_chain(struct tw_stream *s)
{
    struct graph_node *n = node_of(s, "tw_start_new_chain");

    if (n != NULL) n->head = true;
    return s;
}

struct tw_stream *tw_without_chaining(struct tw_stream *s)
{
    struct graph_node *n = node_of(s, "tw_without_chaining");

    if (n != NULL) n->unchained = true;
    return s;
}

struct tw_stream *tw_with_config(struct tw_stream *s, const void *bytes, size_t size)
{
    struct graph_node *n = node_of(s, "tw_with_config");

    if (n == NULL) return s;
    struct tw_here here = {n->here.file, n->here.line};
    if (size > 64 * 1024) return api_mistake(s->env, here, "tw_with_config: %zu bytes; at most 65536", size);
    for (const struct config_field *f = n->type->config_fields; f != NULL && f->name != NULL; f++) {
        if (f->kind != CONF_FUNCTION) continue;
        struct function_ref *ref = (struct function_ref *)(void *)((char *)n->config + f->offset);
        if (ref->name == NULL) continue;
        ref->config = (struct str){size > 0 ? arena_strndup(&s->env->graph_arena, bytes, size) : "", size};
        return s;
    }
    return api_mistake(s->env, here, "tw_with_config: operator '%s' has no function", n->name);
}

/* --- sinks ------------------------------------------------------------------------------------------------------------------------ */
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
    option_parallelism(env, n, &c->options, "sink.parallelism", h);
    return api_stream(env);
}

struct tw_stream *tw_sink_function_at(struct tw_stream *s, const char *name, const struct tw_function *f,
                                      struct tw_here h)
{
    struct tw_stream *out = with_function(s, NULL, "sink_function", f, h);

    return name == NULL || out->is_broken ? out : tw_name(out, arena_printf(&s->env->graph_arena, "Sink: %s", name));
}
