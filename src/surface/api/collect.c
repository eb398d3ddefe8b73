/* collect.c - tw_collect_to: rows of a running job for the program that runs it. The sink copies batches into a queue of
 * the job (task/row_queues.h), the job master takes them out on the calling thread, and here they become structs, 64 at a
 * time. What a callback is handed is valid during the call. */
#include "surface/api/api_internal.h"

#include <string.h>

struct tw_stream *tw_collect_to_at(struct tw_stream *s, const struct tw_row *row, tw_collect_fn fn, void *arg,
                                   struct tw_here h)
{
    struct tw_env *env = api_env(s, h);

    if (!api_usable(s, h)) return api_broken(env);
    if (fn == NULL || row == NULL) return api_mistake(env, h, "tw_collect_to needs a row type and a function");
    if (env->receiver_count == API_RECEIVERS_MAX)
        return api_mistake(env, h, "the rows of at most %d streams of a job may be collected", API_RECEIVERS_MAX);
    struct tw_stream *out = tw_sink_at(s, "collect", "collect", TW_NO_OPTIONS, h);
    if (out->is_broken) return out;
    ((struct sink_config *)env->graph.nodes[out->node]->config)->handle = env->receiver_count;
    env->graph.nodes[out->node]->parallelism = 1;
    env->receivers[env->receiver_count++] = (struct api_receiver){.row = row, .fn = fn, .arg = arg, .node = out->node};
    return out;
}

/* Nodes that are connected, however far, are of one group; its number is that of one of them. */
static uint32_t group_of(const uint32_t *above, uint32_t node)
{
    while (above[node] != node) node = above[node];
    return node;
}

static void receivers_group(struct tw_env *env)
{
    const struct graph *g = &env->graph;
    uint32_t *above = ARENA_ARRAY(&env->graph_arena, uint32_t, g->node_count);

    for (uint32_t i = 0; i < g->node_count; i++) above[i] = i;
    for (uint32_t i = 0; i < g->edge_count; i++) above[group_of(above, g->edges[i]->from)] = group_of(above, g->edges[i]->to);
    for (uint32_t i = 0; i < env->receiver_count; i++) env->receivers[i].group = group_of(above, env->receivers[i].node);
}

enum status api_receivers_bind(struct tw_env *env, struct err *e)
{
    receivers_group(env);
    for (uint32_t i = 0; i < env->receiver_count; i++) {
        struct api_receiver *r = &env->receivers[i];
        const struct graph_node *n = env->graph.nodes[r->node];
        if (user_row_bind(&env->arena, r->row, n->plan.inputs[0], NULL, &r->bound, e) != S_OK)
            return graph_at(n->here, e);
        r->operator_id = arena_strdup(&env->arena, n->id);
        TRY(type_parse(&env->arena, str_of(type_text(&env->graph_arena, n->plan.inputs[0])), &r->type, e));
        r->structs = arena_alloc(&env->arena, (size_t)r->bound.conv.size * ROWCONV_ROWS);
        arena_init(&r->items, env->arena.mem, 0);
    }
    return S_OK;
}

void api_receivers_release(struct tw_env *env)
{
    for (uint32_t i = 0; i < env->receiver_count; i++) arena_release(&env->receivers[i].items);
    env->receiver_count = 0;
}

enum status api_structs_read(struct api_receiver *r, const struct batch *b, uint32_t first, uint32_t n, struct err *e)
{
    uint32_t bad_field = 0;

    arena_reset(&r->items);
    if (rowconv_read(&r->bound.conv, b, first, n, r->structs, &r->items, &bad_field) == S_OK) return S_OK;
    const char *column = b->schema->names[r->bound.conv.fields[bad_field].col];
    err_set(e, E_DATA, "%s: column '%s' is NULL, but row type '%s' has no null mask",
            r->rows != NULL ? api_rows_call(r->rows) : "tw_collect_to", column, r->row->name);
    err_hint(e, "give the struct a uint64_t member and name it in TW_NULLS");
    return E_DATA;
}

static enum status receive_block(struct api_receiver *r, struct batch *b, uint32_t first, uint32_t n, struct err *e)
{
    TRY(api_structs_read(r, b, first, n, e));
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = batch_row(b, first + i);
        r->fn(r->arg, (enum tw_row_kind)batch_kind(b, row), r->structs + (size_t)i * r->bound.conv.size,
              batch_time(b, row));
    }
    return S_OK;
}

static void keep_text(struct tw_env *env, const struct batch *b)
{
    for (uint32_t i = 0; i < batch_rows(b); i++) {
        batch_print_row(b, batch_row(b, i), env->collected);
        buf_append_byte(env->collected, '\n');
    }
}

enum status api_receive(void *arg, int64_t receiver, struct batch *b, struct err *e)
{
    struct tw_env *env = arg;
    uint32_t rows = batch_rows(b);

    ASSERT(receiver >= 0 && receiver < env->receiver_count);
    if (env->watch.rows != NULL) env->watch.rows(env->watch.arg);
    if (env->collected != NULL) {
        keep_text(env, b);
        return S_OK;
    }
    ASSERT(env->receivers[receiver].rows == NULL);
    for (uint32_t first = 0; first < rows; first += ROWCONV_ROWS)
        TRY(receive_block(&env->receivers[receiver], b, first, MIN(rows - first, ROWCONV_ROWS), e));
    return sys_stdout_flush(env->sys, e); /* callbacks print; a closed pipe or a full disk ends the job */
}

static enum status receive_remote(void *arg, int64_t receiver, struct batch *b, struct err *e)
{
    struct tw_env *env = arg;

    ASSERT(receiver >= 0 && receiver < env->receiver_count);
    return env->receivers[receiver].rows != NULL ? api_rows_offer(env, receiver, b, e) : api_receive(env, receiver, b, e);
}

void api_receivers_remote(struct tw_env *env, struct remote_rows *out)
{
    struct remote_receiver *list = ARENA_ARRAY(&env->arena, struct remote_receiver, env->receiver_count + 1);

    for (uint32_t i = 0; i < env->receiver_count; i++)
        list[i] = (struct remote_receiver){env->receivers[i].operator_id, env->receivers[i].type, i};
    *out = (struct remote_rows){.receivers = list, .count = env->receiver_count, .give = receive_remote, .arg = env};
}
