/* stream.c - graph-building calls: each appends a node or changes how the next one reads its input. Nothing is checked here
 * that the graph checks later; what is wrong at once (a missing operator, a NULL name) is kept as the first mistake. */
#include "surface/api/api_internal.h"

#include "flow/connector/values.h"
#include "flow/operator/user.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct tw_stream *api_broken(struct tw_env *env)
{
    struct tw_stream *s = ARENA_NEW(&env->arena, struct tw_stream);

    s->env = env;
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
    if (env->err.status == S_OK) {
        err_set(&env->err, E_GRAPH, "%s", text);
        graph_at(api_here(h), &env->err);
    }
    return api_broken(env);
}

struct tw_stream *api_stream(struct tw_env *env)
{
    struct tw_stream *s = ARENA_NEW(&env->arena, struct tw_stream);

    ASSERT(env->graph.node_count > 0);
    s->env = env;
    s->node = env->graph.node_count - 1;
    return s;
}

/* Edges from a stream (and those united with it) into input i of the newest node. */
static void connect_input(struct tw_env *env, const struct tw_stream *from, uint32_t input, struct tw_here h)
{
    for (const struct tw_stream *s = from; s != NULL; s = s->also) {
        struct graph_edge *e = graph_add_edge(&env->graph, s->node, env->graph.node_count - 1, input, api_here(h));
        e->side = s->side;
        e->has_partitioner = s->has_partitioner;
        e->partitioner = s->partitioner;
        e->keys = s->keys;
        e->function = s->function;
        if (s->here.file != NULL) e->here = s->here;
    }
}

struct graph_node *api_node(struct tw_env *env, const char *operation, const char *name, const struct tw_stream *in, const struct tw_stream *in2, struct tw_here h)
{
    const struct op_type *type = op_find(operation);

    if ((in != NULL && in->is_broken) || (in2 != NULL && in2->is_broken)) return NULL;
    if (type == NULL) {
        api_mistake(env, h, "there is no operation '%s'", operation);
        return NULL;
    }
    if (env->graph.node_count == GRAPH_NODES_MAX) {
        api_mistake(env, h, "a job may have at most %d operators", GRAPH_NODES_MAX);
        return NULL;
    }
    struct graph_node *n = graph_add_node(&env->graph, type, name, api_here(h));
    if (in != NULL) connect_input(env, in, 0, h);
    if (in2 != NULL) connect_input(env, in2, 1, h);
    return n;
}

struct function_ref api_function(struct tw_env *env, const struct tw_function *f)
{
    struct function_ref ref = {.fn = f};

    for (const struct tw_function_entry *e = env->first; f != NULL && e < env->end; e++)
        if (e->function == f) ref.name = e->name;
    return ref;
}

struct options api_options(struct tw_env *env, struct tw_options o)
{
    struct option *items = ARENA_ARRAY(&env->arena, struct option, o.count / 2 + 1);

    for (uint32_t i = 0; i + 1 < o.count; i += 2)
        items[i / 2] = (struct option){arena_strdup(&env->arena, o.items[i]), o.items[i + 1] != NULL ? arena_strdup(&env->arena, o.items[i + 1]) : ""};
    return (struct options){items, o.count / 2};
}

const struct type *api_row_type(struct tw_env *env, const struct tw_row *row, struct tw_here h)
{
    const struct type *type = NULL;

    if (row == NULL) {
        api_mistake(env, h, "the row type is missing");
        return NULL;
    }
    if (env->err.status == S_OK && user_row_type(&env->arena, row, &type, &env->err) != S_OK) graph_at(api_here(h), &env->err);
    return type;
}

void api_watermarks(struct tw_env *env, struct watermark_config *to, const struct tw_watermarks *w)
{
    to->kind = w->kind;
    to->out_of_orderness_ms = w->out_of_orderness_ms;
    to->idleness_ms = w->idleness_ms;
    to->every_rows = w->every_rows;
    to->alignment_max_drift_ms = w->alignment_max_drift_ms;
    to->alignment_interval_ms = w->alignment_interval_ms;
    to->time_field = w->time_field;
    to->alignment_group = w->alignment_group;
    to->function = api_function(env, w->function);
}

/* --- sources ---------------------------------------------------------------------------------------------------------- */
static struct tw_stream *add_source(struct tw_env *env, const char *name, const char *connector, const struct type *schema, struct tw_options o, struct tw_here h)
{
    if (name == NULL || connector == NULL) return api_mistake(env, h, "a source needs a name and a connector");
    if (o.count % 2 != 0) return api_mistake(env, h, "options of source '%s' come in pairs of key and value; one value is missing", name);
    struct graph_node *n = api_node(env, "source", arena_printf(&env->arena, "Source: %s", name), NULL, NULL, h);
    if (n == NULL) return api_broken(env);
    struct source_config *c = n->config;
    c->connector = arena_strdup(&env->arena, connector);
    c->options = api_options(env, o);
    c->schema = schema;
    return api_stream(env);
}

struct tw_stream *tw_source_at(struct tw_env *env, const char *name, const char *connector, struct tw_options o, struct tw_here h)
{
    return add_source(env, name, connector, NULL, o, h);
}

struct tw_stream *tw_source_rows_at(struct tw_env *env, const char *name, const char *connector, const struct tw_row *row, struct tw_options o, struct tw_here h)
{
    const struct type *schema = api_row_type(env, row, h);

    return schema == NULL ? api_broken(env) : add_source(env, name, connector, schema, o, h);
}

struct tw_stream *tw_source_function_at(struct tw_env *env, const char *name, const struct tw_function *f, struct tw_here h)
{
    struct graph_node *n = api_node(env, "source_function", arena_printf(&env->arena, "Source: %s", name), NULL, NULL, h);

    if (n == NULL) return api_broken(env);
    ((struct source_function_config *)n->config)->function = api_function(env, f);
    return api_stream(env);
}

struct tw_stream *tw_from_sequence_at(struct tw_env *env, int64_t from, int64_t to, struct tw_here h)
{
    char first[24], last[24];

    snprintf(first, sizeof first, "%lld", (long long)from);
    snprintf(last, sizeof last, "%lld", (long long)to);
    return add_source(env, "sequence", "sequence", NULL, TW_OPTIONS("from", first, "to", last), h);
}

/* Rows of the program as bytes: structs go through a batch into the encoding that the connector `values` reads. */
static enum status encode_rows(struct tw_env *env, const struct type *schema, const struct tw_row *row, const void *rows, uint32_t count, struct str *out)
{
    struct user_row bound;
    struct buf bytes;

    TRY(values_check(schema, &env->err));
    TRY(user_row_bind(&env->arena, row, schema, NULL, &bound, &env->err));
    struct batch *b = batch_create(schema, ROWCONV_ROWS, &env->mem);
    buf_init(&bytes, &env->mem);
    for (uint32_t first = 0; first < count; first += ROWCONV_ROWS) {
        batch_clear(b);
        rowconv_write(&bound.conv, (const char *)rows + (size_t)first * row->size, MIN((uint32_t)ROWCONV_ROWS, count - first), b);
        values_encode(b, &bytes);
    }
    *out = (struct str){arena_strndup(&env->arena, bytes.data, bytes.size), bytes.size};
    buf_release(&bytes);
    batch_free(b);
    return S_OK;
}

struct tw_stream *tw_from_data_at(struct tw_env *env, const struct tw_row *row, const void *rows, uint32_t count, struct tw_here h)
{
    const struct type *schema = api_row_type(env, row, h);
    struct str bytes = {NULL, 0};

    if (schema == NULL) return api_broken(env);
    if (encode_rows(env, schema, row, rows, count, &bytes) != S_OK) {
        graph_at(api_here(h), &env->err);
        return api_broken(env);
    }
    struct tw_stream *s = add_source(env, "values", "values", schema, TW_NO_OPTIONS, h);
    if (s->is_broken) return s;
    ((struct source_config *)env->graph.nodes[s->node]->config)->rows = bytes;
    env->graph.nodes[s->node]->single = true;
    return s;
}

struct tw_stream *tw_with_watermarks_at(struct tw_stream *s, struct tw_watermarks w, struct tw_here h)
{
    struct tw_env *env = s->env;

    if (s->is_broken) return s;
    struct graph_node *n = env->graph.nodes[s->node];
    bool at_source = s->side == NULL && !s->has_partitioner && s->also == NULL;
    if (at_source && strcmp(n->type->name, "source") == 0) {
        api_watermarks(env, &((struct source_config *)n->config)->watermark, &w);
        return s;
    }
    if (at_source && strcmp(n->type->name, "source_function") == 0) {
        api_watermarks(env, &((struct source_function_config *)n->config)->watermark, &w);
        return s;
    }
    n = api_node(env, "watermarks", "Timestamps/Watermarks", s, NULL, h);
    if (n == NULL) return api_broken(env);
    api_watermarks(env, &((struct watermarks_config *)n->config)->watermark, &w);
    return api_stream(env);
}

/* --- transformations ---------------------------------------------------------------------------------------------------- */
/* "flat_map" -> "Flat Map", as users see it. */
static const char *shown_name(struct tw_env *env, const char *operation)
{
    char *name = arena_strdup(&env->arena, operation);
    bool start = true;

    for (char *p = name; *p != '\0'; p++) {
        if (*p == '_') *p = ' ';
        else if (start && *p >= 'a' && *p <= 'z') *p = (char)(*p - 'a' + 'A');
        start = *p == ' ';
    }
    return name;
}

static struct tw_stream *with_function(struct tw_stream *a, struct tw_stream *b, const char *operation, const struct tw_function *f, struct tw_here h)
{
    struct graph_node *n = api_node(a->env, operation, shown_name(a->env, operation), a, b, h);

    if (n == NULL) return api_broken(a->env);
    ((struct function_config *)n->config)->function = api_function(a->env, f);
    return api_stream(a->env);
}

struct tw_stream *tw_apply_at(struct tw_stream *s, const char *operation, const struct tw_function *f, struct tw_here h)
{
    return with_function(s, NULL, operation, f, h);
}

struct tw_stream *tw_connect_at(struct tw_stream *a, struct tw_stream *b, const char *operation, const struct tw_function *f, struct tw_here h)
{
    if (strcmp(operation, "broadcast_process") == 0 && !b->is_broken && !b->has_partitioner) b = tw_partition_at(b, "broadcast", h);
    return with_function(a, b, operation, f, h);
}

struct tw_stream *tw_where_at(struct tw_stream *s, const char *field, const char *op, const char *literal, struct tw_here h)
{
    struct graph_node *n = api_node(s->env, "where", "Where", s, NULL, h);

    if (n == NULL) return api_broken(s->env);
    *(struct where_config *)n->config = (struct where_config){field, op, literal};
    return api_stream(s->env);
}

static struct text_list copy_texts(struct tw_env *env, const char *const *items, uint32_t count)
{
    const char **copy = ARENA_ARRAY(&env->arena, const char *, count + 1);

    for (uint32_t i = 0; i < count; i++) copy[i] = arena_strdup(&env->arena, items[i]);
    return (struct text_list){copy, count};
}

struct tw_stream *tw_project_at(struct tw_stream *s, const char *const *columns, uint32_t count, struct tw_here h)
{
    struct graph_node *n = api_node(s->env, "project", "Project", s, NULL, h);

    if (n == NULL) return api_broken(s->env);
    ((struct project_config *)n->config)->columns = copy_texts(s->env, columns, count);
    return api_stream(s->env);
}

struct tw_stream *tw_rolling_at(struct tw_stream *s, const char *aggregate, const char *field, struct tw_here h)
{
    struct graph_node *n = api_node(s->env, "rolling", shown_name(s->env, aggregate), s, NULL, h);

    if (n == NULL) return api_broken(s->env);
    *(struct rolling_config *)n->config = (struct rolling_config){aggregate, field};
    return api_stream(s->env);
}

struct tw_stream *tw_sort_partition_at(struct tw_stream *s, const char *field, bool ascending, struct tw_here h)
{
    struct graph_node *n = api_node(s->env, "sort_partition", "Sort Partition", s, NULL, h);

    if (n == NULL) return api_broken(s->env);
    *(struct sort_config *)n->config = (struct sort_config){field, ascending};
    return api_stream(s->env);
}

struct tw_stream *tw_union_at(struct tw_stream *a, struct tw_stream *b, struct tw_here h)
{
    if (a->is_broken || b->is_broken) return api_broken(a->env);
    if (a->also != NULL) return api_mistake(a->env, h, "unite streams from left to right: tw_union(tw_union(a, b), c) has its union on the right");
    struct tw_stream *s = ARENA_NEW(&a->env->arena, struct tw_stream);
    *s = *a;
    s->also = b;
    return s;
}

struct tw_stream *tw_interval_join_at(struct tw_stream *a, struct tw_stream *b, struct tw_interval i, const struct tw_function *f, struct tw_here h)
{
    struct graph_node *n = api_node(a->env, "interval_join", "Interval Join", a, b, h);

    if (n == NULL) return api_broken(a->env);
    *(struct interval_config *)n->config = (struct interval_config){api_function(a->env, f), i.lower_ms, i.upper_ms, i.lower_exclusive, i.upper_exclusive};
    return api_stream(a->env);
}

struct tw_stream *tw_async_at(struct tw_stream *s, const struct tw_function *f, struct tw_async a, struct tw_here h)
{
    struct graph_node *n = api_node(s->env, "async", "Async Wait", s, NULL, h);

    if (n == NULL) return api_broken(s->env);
    *(struct async_config *)n->config = (struct async_config){.function = api_function(s->env, f),
                                                              .unordered = a.unordered,
                                                              .timeout_ms = a.timeout_ms,
                                                              .capacity = a.capacity,
                                                              .attempts = a.attempts,
                                                              .retry_delay_ms = a.retry_delay_ms,
                                                              .retry_delay_max_ms = a.retry_delay_max_ms};
    return api_stream(s->env);
}

/* --- keys and partitioning ------------------------------------------------------------------------------------------------ */
static struct tw_stream *repartitioned(struct tw_stream *s, enum partitioner p, struct tw_here h)
{
    struct tw_stream *copy = ARENA_NEW(&s->env->arena, struct tw_stream);

    *copy = *s;
    copy->has_partitioner = true;
    copy->partitioner = p;
    copy->keys = (struct text_list){NULL, 0};
    copy->here = api_here(h);
    if (s->also != NULL) copy->also = repartitioned((struct tw_stream *)(uintptr_t)s->also, p, h);
    return copy;
}

static void set_keys(struct tw_stream *s, struct text_list keys)
{
    for (struct tw_stream *x = s; x != NULL; x = (struct tw_stream *)(uintptr_t)x->also) {
        x->keys = keys;
        x->is_keyed = true;
    }
}

struct tw_stream *tw_key_by_at(struct tw_stream *s, const char *const *fields, uint32_t count, struct tw_here h)
{
    if (s->is_broken) return s;
    if (count == 0 || count > OP_KEYS_MAX) return api_mistake(s->env, h, "a key has between 1 and %d fields, not %u", OP_KEYS_MAX, count);
    struct tw_stream *keyed = repartitioned(s, PART_HASH, h);
    set_keys(keyed, copy_texts(s->env, fields, count));
    return keyed;
}

struct tw_stream *tw_reinterpret_as_keyed_at(struct tw_stream *s, const char *const *fields, uint32_t count, struct tw_here h)
{
    if (s->is_broken) return s;
    if (count == 0 || count > OP_KEYS_MAX) return api_mistake(s->env, h, "a key has between 1 and %d fields, not %u", OP_KEYS_MAX, count);
    struct tw_stream *keyed = repartitioned(s, PART_FORWARD, h);
    set_keys(keyed, copy_texts(s->env, fields, count));
    return keyed;
}

struct tw_stream *tw_key_by_function_at(struct tw_stream *s, const struct tw_function *f, struct tw_here h)
{
    const char *names[OP_KEYS_MAX];
    uint32_t count = 0;

    if (s->is_broken) return s;
    if (f == NULL || f->key == NULL) return api_mistake(s->env, h, "a key function needs .key, the row type of its keys");
    for (uint32_t i = 0; i < f->key->field_count && count < OP_KEYS_MAX; i++)
        if (f->key->fields[i].type[0] != '\0') names[count++] = f->key->fields[i].name;
    return tw_key_by_at(with_function(s, NULL, "key_by", f, h), names, count, h);
}

struct tw_stream *tw_partition_at(struct tw_stream *s, const char *how, struct tw_here h)
{
    if (s->is_broken) return s;
    for (uint32_t p = 0; p < PART_COUNT; p++) {
        if (p == PART_HASH || p == PART_CUSTOM || !str_equal_nocase(str_of(how), str_of(partitioner_names[p]))) continue;
        return repartitioned(s, (enum partitioner)p, h);
    }
    return api_mistake(s->env, h, "there is no partitioner '%s'", how);
}

struct tw_stream *tw_partition_custom_at(struct tw_stream *s, const struct tw_function *f, struct tw_here h)
{
    if (s->is_broken) return s;
    struct tw_stream *copy = repartitioned(s, PART_CUSTOM, h);
    copy->function = api_function(s->env, f);
    return copy;
}

struct tw_stream *tw_side_at(struct tw_stream *s, const char *name, struct tw_here h)
{
    if (s->is_broken) return s;
    struct tw_stream *side = ARENA_NEW(&s->env->arena, struct tw_stream);
    side->env = s->env;
    side->node = s->node;
    side->side = arena_strdup(&s->env->arena, name);
    side->here = api_here(h);
    return side;
}

/* --- attributes --------------------------------------------------------------------------------------------------------------- */
static struct graph_node *node_of(struct tw_stream *s) { return s->is_broken ? NULL : s->env->graph.nodes[s->node]; }

#define ATTRIBUTE(call, parameter, statement)                                                                          \
    struct tw_stream *call(struct tw_stream *s, parameter)                                                             \
    {                                                                                                                  \
        struct graph_node *n = node_of(s);                                                                             \
        if (n != NULL) statement;                                                                                      \
        return s;                                                                                                      \
    }
ATTRIBUTE(tw_uid, const char *uid, n->uid = arena_strdup(&s->env->arena, uid))
ATTRIBUTE(tw_name, const char *name, n->name = arena_strdup(&s->env->arena, name))
ATTRIBUTE(tw_description, const char *text, n->description = arena_strdup(&s->env->arena, text))
ATTRIBUTE(tw_parallelism, uint32_t parallelism, n->parallelism = parallelism)
ATTRIBUTE(tw_max_parallelism, uint32_t max_parallelism, n->max_parallelism = max_parallelism)
ATTRIBUTE(tw_slot_sharing_group, const char *group, n->slot_group = arena_strdup(&s->env->arena, group))

struct tw_stream *tw_start_new_chain(struct tw_stream *s)
{
    if (node_of(s) != NULL) node_of(s)->head = true;
    return s;
}

struct tw_stream *tw_without_chaining(struct tw_stream *s)
{
    if (node_of(s) != NULL) node_of(s)->unchained = true;
    return s;
}

struct tw_stream *tw_with_config(struct tw_stream *s, const void *bytes, size_t size)
{
    struct graph_node *n = node_of(s);

    if (n == NULL) return s;
    for (const struct config_field *f = n->type->config_fields; f != NULL && f->name != NULL; f++) {
        if (f->kind != CONF_FUNCTION) continue;
        ((struct function_ref *)(void *)((char *)n->config + f->offset))->config = (struct str){arena_strndup(&s->env->arena, bytes, size), size};
        return s;
    }
    return api_mistake(s->env, (struct tw_here){n->here.file, n->here.line}, "operator '%s' has no function to configure", n->name);
}

/* --- sinks ------------------------------------------------------------------------------------------------------------------------ */
struct tw_stream *tw_sink_at(struct tw_stream *s, const char *name, const char *connector, struct tw_options o, struct tw_here h)
{
    if (s->is_broken) return s;
    if (o.count % 2 != 0) return api_mistake(s->env, h, "options of sink '%s' come in pairs of key and value; one value is missing", name);
    struct graph_node *n = api_node(s->env, "sink", arena_printf(&s->env->arena, "Sink: %s", name), s, NULL, h);
    if (n == NULL) return api_broken(s->env);
    struct sink_config *c = n->config;
    c->connector = arena_strdup(&s->env->arena, connector);
    c->options = api_options(s->env, o);
    return api_stream(s->env);
}

struct tw_stream *tw_sink_function_at(struct tw_stream *s, const char *name, const struct tw_function *f, struct tw_here h)
{
    struct tw_stream *out = with_function(s, NULL, "sink_function", f, h);

    return tw_name(out, arena_printf(&s->env->arena, "Sink: %s", name));
}

struct tw_stream *tw_collect_to_at(struct tw_stream *s, const struct tw_row *row, tw_collect_fn fn, void *arg, struct tw_here h)
{
    struct tw_env *env = s->env;

    if (s->is_broken) return s;
    if (fn == NULL || row == NULL) return api_mistake(env, h, "tw_collect_to needs a row type and a function");
    if (env->receiver_count == API_RECEIVERS_MAX) return api_mistake(env, h, "a job may have at most %d tw_collect_to", API_RECEIVERS_MAX);
    struct tw_stream *out = tw_sink_at(s, "collect", "collect", TW_NO_OPTIONS, h);
    if (out->is_broken) return out;
    ((struct sink_config *)env->graph.nodes[out->node]->config)->handle = env->receiver_count;
    env->receivers[env->receiver_count++] = (struct api_receiver){row, fn, arg};
    return out;
}
