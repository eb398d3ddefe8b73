/* attribute.c - what is said of the operator that made a stream: names, variables of its metrics, parallelism, chaining, how long
 * its rows wait, bytes for its function. A mistake is that of the call which says it, not of the operator's own. */
#include "surface/api/api_internal.h"

#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 1024, CONFIG_MAX_BYTES = 64 * 1024, UID_HASH_SIZE = 32 };

/* The operator that made the stream, or NULL with the mistake kept. */
static struct graph_node *node_of(struct tw_stream *s, const char *attribute, struct tw_here h)
{
    char text[64];

    snprintf(text, sizeof text, "the stream of %s is not NULL", attribute);
    if (UNLIKELY(s == NULL)) assert_failed(text, h.file != NULL ? h.file : "a call", h.line);
    if (!api_usable(s, h)) return NULL;
    if (s->also == NULL) return s->env->graph.nodes[s->node];
    api_mistake(s->env, h, "%s: a union is no operator; set it on its streams", attribute);
    return NULL;
}

static const char *checked_text(struct tw_stream *s, const char *attribute, const char *text, struct tw_here h)
{
    if (text != NULL && text[0] != '\0' && strlen(text) <= NAME_MAX_BYTES) return api_text(s->env, text);
    api_mistake(s->env, h, "%s needs a text of 1 to %d bytes", attribute, NAME_MAX_BYTES);
    return NULL;
}

static uint32_t checked_number(struct tw_stream *s, const char *attribute, uint32_t number, struct tw_here h)
{
    if (number == 0) api_mistake(s->env, h, "%s must be at least 1", attribute);
    return number;
}

struct tw_stream *tw_uid_at(struct tw_stream *s, const char *uid, struct tw_here h)
{
    struct graph_node *n = node_of(s, "tw_uid", h);

    if (n == NULL) return s;
    n->uid = checked_text(s, "tw_uid", uid, h);
    n->uid_here = api_here(h);
    return s;
}

/* In lower case, as identities are told everywhere else. */
struct tw_stream *tw_uid_hash_at(struct tw_stream *s, const char *hash, struct tw_here h)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    struct graph_node *n = node_of(s, "tw_uid_hash", h);

    if (n == NULL) return s;
    if (hash == NULL || strlen(hash) != UID_HASH_SIZE || strspn(hash, digits) != UID_HASH_SIZE)
        return api_mistake(s->env, h, "tw_uid_hash needs %d hex digits, not '%.64s'", UID_HASH_SIZE,
                           hash != NULL ? hash : "");
    char *copy = arena_strdup(&s->env->graph_arena, hash);
    for (char *c = copy; *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'F') *c = (char)(*c - 'A' + 'a');
    n->uid_hash = copy;
    n->uid_here = api_here(h);
    return s;
}

struct tw_stream *tw_name_at(struct tw_stream *s, const char *name, struct tw_here h)
{
    struct graph_node *n = node_of(s, "tw_name", h);
    const char *text = n != NULL ? checked_text(s, "tw_name", name, h) : NULL;

    if (text != NULL) n->name = text;
    return s;
}

struct tw_stream *tw_description_at(struct tw_stream *s, const char *text, struct tw_here h)
{
    struct graph_node *n = node_of(s, "tw_description", h);

    if (n != NULL) n->description = checked_text(s, "tw_description", text, h);
    return s;
}

struct tw_stream *tw_parallelism_at(struct tw_stream *s, uint32_t parallelism, struct tw_here h)
{
    struct graph_node *n = node_of(s, "tw_parallelism", h);

    if (n == NULL) return s;
    n->parallelism = checked_number(s, "tw_parallelism", parallelism, h);
    n->parallelism_here = api_here(h);
    return s;
}

struct tw_stream *tw_max_parallelism_at(struct tw_stream *s, uint32_t max_parallelism, struct tw_here h)
{
    struct graph_node *n = node_of(s, "tw_max_parallelism", h);

    if (n == NULL) return s;
    n->max_parallelism = checked_number(s, "tw_max_parallelism", max_parallelism, h);
    n->parallelism_here = api_here(h);
    return s;
}

struct tw_stream *tw_slot_sharing_group_at(struct tw_stream *s, const char *group, struct tw_here h)
{
    struct graph_node *n = node_of(s, "tw_slot_sharing_group", h);

    if (n != NULL) n->slot_group = checked_text(s, "tw_slot_sharing_group", group, h);
    return s;
}

struct tw_stream *tw_start_new_chain_at(struct tw_stream *s, struct tw_here h)
{
    struct graph_node *n = node_of(s, "tw_start_new_chain", h);

    if (n != NULL) n->head = true;
    return s;
}

struct tw_stream *tw_without_chaining_at(struct tw_stream *s, struct tw_here h)
{
    struct graph_node *n = node_of(s, "tw_without_chaining", h);

    if (n != NULL) n->unchained = true;
    return s;
}

struct tw_stream *tw_buffer_timeout_at(struct tw_stream *s, int64_t timeout_ms, struct tw_here h)
{
    struct graph_node *n = node_of(s, "tw_buffer_timeout", h);

    if (n == NULL) return s;
    if (timeout_ms < -1 || timeout_ms > GRAPH_BUFFER_TIMEOUT_MAX)
        return api_mistake(s->env, h, "tw_buffer_timeout is %lld ms; it must be -1 (the job's) to %d",
                           (long long)timeout_ms, GRAPH_BUFFER_TIMEOUT_MAX);
    n->has_buffer_timeout = timeout_ms >= 0;
    n->buffer_timeout_ms = MAX(timeout_ms, 0);
    return s;
}

/* The one of that key, or one more. */
static struct tw_stream *variable_put(struct tw_stream *s, struct graph_node *n, struct option v, struct tw_here h)
{
    struct options *o = &n->metric_variables;
    struct option *items = ARENA_ARRAY(&s->env->graph_arena, struct option, o->count + 1);
    uint32_t at = 0;

    if (o->count > 0) memcpy(items, o->items, sizeof *items * o->count);
    while (at < o->count && strcmp(items[at].key, v.key) != 0) at++;
    if (at == GRAPH_VARIABLES_MAX)
        return api_mistake(s->env, h, "tw_metric_variable: an operator has at most %d", GRAPH_VARIABLES_MAX);
    items[at] = v;
    *o = (struct options){items, MAX(o->count, at + 1)};
    return s;
}

struct tw_stream *tw_metric_variable_at(struct tw_stream *s, const char *key, const char *value, struct tw_here h)
{
    struct graph_node *n = node_of(s, "tw_metric_variable", h);
    struct option v = {0};

    if (n == NULL) return s;
    v.key = checked_text(s, "the key of tw_metric_variable", key, h);
    if (v.key != NULL) v.value = checked_text(s, "the value of tw_metric_variable", value, h);
    return v.value != NULL ? variable_put(s, n, v, h) : s;
}

struct tw_stream *tw_with_config_at(struct tw_stream *s, const void *bytes, size_t size, struct tw_here h)
{
    struct graph_node *n = node_of(s, "tw_with_config", h);

    if (n == NULL) return s;
    if (size > CONFIG_MAX_BYTES)
        return api_mistake(s->env, h, "tw_with_config: %zu bytes; at most %d", size, CONFIG_MAX_BYTES);
    for (const struct config_field *f = n->type->config_fields; f != NULL && f->name != NULL; f++) {
        if (f->kind != CONF_FUNCTION) continue;
        struct function_ref *ref = (struct function_ref *)(void *)((char *)n->config + f->offset);
        if (ref->name == NULL) continue;
        ref->config = (struct str){size > 0 ? arena_strndup(&s->env->graph_arena, bytes, size) : "", size};
        return s;
    }
    return api_mistake(s->env, h, "tw_with_config: operator '%s' has no function", n->name);
}
