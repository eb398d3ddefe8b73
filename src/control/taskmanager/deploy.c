/* deploy.c - from vertices to tasks: a plan per chain, a channel per pair of connected subtasks, a task per subtask.
 *
 * Which pairs are connected follows from the partitioner: forward connects equals, rescale connects neighbours so
 * that every side is served as evenly as it goes, everything else connects all with all. Channels lie in memory of
 * the sending subtask, since its thread fills them. Of an attempt that is spread over processes only the subtasks of
 * this one are made, and of a channel whose other end is elsewhere this end: remote.h says how. Plans are immutable
 * and shared by reference; they live in the task manager's arena. */
#include "control/taskmanager/taskmanager_internal.h"

#include <string.h>

/* --- channels ----------------------------------------------------------------------------------------------------------- */
static bool is_connected(enum partitioner p, uint32_t producers, uint32_t consumers, uint32_t from, uint32_t to)
{
    uint64_t f = from, t = to;

    if (p == PART_FORWARD) return from == to;
    if (p != PART_RESCALE) return true;
    if (producers <= consumers) return t >= f * consumers / producers && t < (f + 1) * consumers / producers;
    return f >= t * producers / consumers && f < (t + 1) * producers / consumers;
}

bool deploy_is_here(const struct taskmanager *tm, uint32_t vertex, uint32_t subtask)
{
    const struct task_placement *p = tm->settings.placement;

    return p == NULL || p->worker_of(p->arg, vertex, subtask) == p->self;
}

/* All channels into one subtask share the budget of its gate; those that this process does not see count, too. */
static void share_budgets(struct taskmanager *tm, uint32_t vertex, uint32_t subtask)
{
    const struct graph *g = tm->graph;
    struct vertex_run *run = &tm->vertices[vertex];
    uint32_t count = 0;

    for (int pass = 0; pass < 2; pass++)
        for (uint32_t e = 0; e < g->edge_count; e++) {
            const struct edge_run *edge = &tm->edges[e];
            if (edge->channels == NULL || g->nodes[g->edges[e]->to]->vertex != vertex) continue;
            for (uint32_t f = 0; f < edge->producers; f++) {
                struct channel *c = edge->channels[(size_t)f * edge->consumers + subtask];
                if (pass == 0 && is_connected(g->edges[e]->partitioner, edge->producers, edge->consumers, f, subtask)) count++;
                if (pass == 1 && c != NULL) channel_share(c, &run->budgets[subtask], count);
            }
        }
}

/* This process's end, or both; NULL when it has neither. */
static struct channel *make_channel(struct taskmanager *tm, const struct graph_edge *edge, uint32_t from, uint32_t to)
{
    const struct graph_node *target = tm->graph->nodes[edge->to];
    uint32_t sender = tm->graph->nodes[edge->from]->vertex;
    bool sends = deploy_is_here(tm, sender, from);

    if (!sends && !deploy_is_here(tm, target->vertex, to)) return NULL;
    struct mem *mem = sends ? &tm->vertices[sender].channel_mems[from] : remote_exchange_mem(tm->settings.placement->exchange);
    return channel_create(mem, target->plan.inputs[edge->input], edge->needed, tm->settings.batch_rows, tm->settings.ring_batches);
}

static void make_channels(struct taskmanager *tm, uint32_t number)
{
    const struct graph *g = tm->graph;
    const struct graph_edge *edge = g->edges[number];
    struct edge_run *run = &tm->edges[number];

    run->edge = edge;
    if (edge->chained) return;
    run->producers = g->vertices[g->nodes[edge->from]->vertex].parallelism;
    run->consumers = g->vertices[g->nodes[edge->to]->vertex].parallelism;
    ASSERT(edge->partitioner != PART_FORWARD || run->producers == run->consumers);
    run->channels = ARENA_ARRAY(&tm->arena, struct channel *, (size_t)run->producers * run->consumers);
    for (uint32_t f = 0; f < run->producers; f++)
        for (uint32_t t = 0; t < run->consumers; t++)
            if (is_connected(edge->partitioner, run->producers, run->consumers, f, t))
                run->channels[(size_t)f * run->consumers + t] = make_channel(tm, edge, f, t);
}

/* The channels of an edge whose other end is elsewhere. */
static void go_far(struct taskmanager *tm, uint32_t number)
{
    const struct task_placement *p = tm->settings.placement;
    const struct graph_edge *edge = tm->graph->edges[number];
    uint32_t from = tm->graph->nodes[edge->from]->vertex, to = tm->graph->nodes[edge->to]->vertex;
    struct edge_run *run = &tm->edges[number];

    for (uint32_t f = 0; run->channels != NULL && f < run->producers; f++)
        for (uint32_t t = 0; t < run->consumers; t++) {
            struct channel *c = run->channels[(size_t)f * run->consumers + t];
            uint32_t sender = p->worker_of(p->arg, from, f), receiver = p->worker_of(p->arg, to, t);
            if (c == NULL || sender == receiver) continue;
            if (sender == p->self) remote_exchange_send(p->exchange, receiver, remote_channel_id(number, f, t), c);
            else remote_exchange_receive(p->exchange, sender, remote_channel_id(number, f, t), c);
        }
}

/* The channels of one sending subtask, in order of the receivers. */
static uint32_t sent_channels(struct taskmanager *tm, const struct edge_run *run, uint32_t from,
                              struct channel *const **out)
{
    struct channel **list = ARENA_ARRAY(&tm->arena, struct channel *, run->consumers);
    uint32_t count = 0;

    for (uint32_t t = 0; t < run->consumers; t++)
        if (run->channels[(size_t)from * run->consumers + t] != NULL)
            list[count++] = run->channels[(size_t)from * run->consumers + t];
    ASSERT(count > 0);
    *out = list;
    return count;
}

/* --- plans -------------------------------------------------------------------------------------------------------------- */
/* Place of a node in its chain. */
static uint32_t place_of(const struct graph *g, uint32_t node)
{
    const struct graph_vertex *v = &g->vertices[g->nodes[node]->vertex];

    for (uint32_t i = 0; i < v->node_count; i++)
        if (v->nodes[i] == node) return i;
    ASSERT(!"a node is not in its own vertex");
    return 0;
}

static const struct node_plan *plan_nodes(struct taskmanager *tm, const struct graph_vertex *v)
{
    const struct graph *g = tm->graph;
    struct node_plan *plans = ARENA_ARRAY(&tm->arena, struct node_plan, v->node_count);

    for (uint32_t i = 0; i < v->node_count; i++) {
        const struct graph_node *n = g->nodes[v->nodes[i]];
        plans[i] = (struct node_plan){.type = n->type,
                                      .config = n->config,
                                      .plan = &n->plan,
                                      .name = n->name,
                                      .uid = n->id,
                                      .needed_in = n->needed_in,
                                      .needed_out = n->needed_out,
                                      .metric_variables = &n->metric_variables};
        if (n->chained_by == GRAPH_NONE) continue;
        plans[i].parent = place_of(g, g->edges[n->chained_by]->from);
        plans[i].parent_port = g->edges[n->chained_by]->port;
        ASSERT(plans[i].parent < i);
    }
    return plans;
}

/* Which channels there are is the partitioner's; with adaptive partitioning, rows go to the idlest of them. */
static enum partitioner dealt_by(const struct taskmanager *tm, enum partitioner p)
{
    return tm->settings.traverse_max > 0 && (p == PART_REBALANCE || p == PART_RESCALE) ? PART_ADAPTIVE : p;
}

static struct writer_plan plan_writer(struct taskmanager *tm, const struct edge_run *run, uint32_t from)
{
    const struct graph_edge *edge = run->edge;
    const struct graph_node *sender = tm->graph->nodes[edge->from];
    bool own = sender->has_buffer_timeout;

    return (struct writer_plan){.partitioner = dealt_by(tm, edge->partitioner),
                                .keys = edge->key_cols,
                                .key_count = edge->keys.count,
                                .max_parallelism = tm->graph->nodes[edge->to]->max_parallelism,
                                .seed = tm->settings.seed,
                                .subtask = from,
                                .parallelism = run->producers,
                                .traverse_max = tm->settings.traverse_max,
                                .has_timeout = own || tm->settings.has_buffer_timeout,
                                .timeout_ms = own ? sender->buffer_timeout_ms : tm->settings.buffer_timeout_ms};
}

static void plan_outputs(struct taskmanager *tm, uint32_t vertex, uint32_t subtask, struct task_plan *plan)
{
    const struct graph *g = tm->graph;
    struct output_plan *outputs = ARENA_ARRAY(&tm->arena, struct output_plan, g->edge_count + 1);

    for (uint32_t i = 0; i < g->edge_count; i++) {
        struct edge_run *run = &tm->edges[i];
        if (run->channels == NULL || g->nodes[run->edge->from]->vertex != vertex) continue;
        struct output_plan *o = &outputs[plan->output_count++];
        o->node = place_of(g, run->edge->from);
        o->port = run->edge->port;
        o->writer = plan_writer(tm, run, subtask);
        o->partition = run->edge->partitioner == PART_CUSTOM ? &run->edge->function : NULL;
        o->channel_count = sent_channels(tm, run, subtask, &o->channels);
    }
    plan->outputs = outputs;
}

/* May what is in it be given to others? Not where the place of a row says something: forward, rescale, broadcast, and what the user's function
 * says; nor before a committer, which has to hear of all before it is told of the checkpoint. */
static bool may_be_overtaken(const struct taskmanager *tm, const struct graph_edge *edge)
{
    bool is_dealt = edge->partitioner == PART_HASH || edge->partitioner == PART_REBALANCE || edge->partitioner == PART_SHUFFLE ||
                    edge->partitioner == PART_GLOBAL;

    return tm->settings.is_unaligned && is_dealt && (tm->graph->nodes[edge->to]->type->flags & OP_COMMITTER) == 0;
}

static struct channel_origin origin_of(const struct taskmanager *tm, const struct graph_edge *edge, uint32_t number, uint32_t from)
{
    bool is_keyed = edge->partitioner == PART_HASH;

    return (struct channel_origin){.edge = number,
                                   .from = from,
                                   .may_be_overtaken = may_be_overtaken(tm, edge),
                                   .keys = is_keyed ? edge->key_cols : NULL,
                                   .key_count = is_keyed ? edge->keys.count : 0};
}

static void plan_inputs(struct taskmanager *tm, uint32_t head, uint32_t subtask, struct task_plan *plan)
{
    const struct graph *g = tm->graph;
    uint32_t input_count = g->nodes[head]->plan.input_count;
    struct gate_input *inputs = ARENA_ARRAY(&tm->arena, struct gate_input, input_count + 1);
    uint32_t edges = 0;

    for (uint32_t input = 0; input < input_count; input++) {
        uint32_t room = 0, count = 0;
        for (int i = graph_next_input(g, head, input, GRAPH_NONE); i != GRAPH_NONE;
             i = graph_next_input(g, head, input, i))
            room += tm->edges[i].producers;
        struct channel **channels = ARENA_ARRAY(&tm->arena, struct channel *, room + 1);
        struct channel_origin *origins = ARENA_ARRAY(&tm->arena, struct channel_origin, room + 1);
        for (int i = graph_next_input(g, head, input, GRAPH_NONE); i != GRAPH_NONE;
             i = graph_next_input(g, head, input, i), edges++)
            for (uint32_t f = 0; f < tm->edges[i].producers; f++) {
                struct channel *c = tm->edges[i].channels[(size_t)f * tm->edges[i].consumers + subtask];
                if (c == NULL) continue;
                origins[count] = origin_of(tm, g->edges[i], edges, f);
                channels[count++] = c;
            }
        ASSERT(count > 0);
        inputs[input] = (struct gate_input){channels, count, origins};
    }
    plan->inputs = inputs;
    plan->input_count = input_count;
}

static void plan_task(struct taskmanager *tm, uint32_t vertex, uint32_t subtask)
{
    struct vertex_run *run = &tm->vertices[vertex];
    const struct graph_vertex *v = run->vertex;
    struct task_plan *plan = &run->plans[subtask];

    *plan = (struct task_plan){.name = v->name,
                               .vertex = vertex,
                               .subtask = subtask,
                               .parallelism = v->parallelism,
                               .max_parallelism = v->max_parallelism,
                               .attempt = tm->settings.attempt,
                               .batch_rows = tm->settings.batch_rows,
                               .stage = tm->graph->nodes[v->head]->stage,
                               .nodes = run->nodes,
                               .node_count = v->node_count,
                               .job = tm->job,
                               .backend = tm->settings.backend,
                               .state_bytes_max = tm->settings.state_bytes_max,
                               .disk = &tm->settings.disk,
                               .budget = &tm->state_budget,
                               .times_hooks = tm->settings.times_hooks,
                               .counts_bytes = tm->settings.counts_bytes,
                               .seed = tm->settings.seed,
                               .blocking = v->blocking,
                               .snapshots = tm->settings.snapshots,
                               .counts_barriers = tm->settings.counts_barriers,
                               .is_unaligned = tm->settings.is_unaligned && tm->settings.snapshots != NULL,
                               .aligned_timeout_ms = tm->settings.aligned_timeout_ms,
                               .in_flight_id = v->in_flight_id};
    if (tm->settings.restores != NULL) plan->restore = tm->settings.restores(tm->settings.restores_arg, vertex, subtask);
    plan_outputs(tm, vertex, subtask, plan);
    plan_inputs(tm, v->head, subtask, plan);
}

/* --- tasks ---------------------------------------------------------------------------------------------------------------- */
static void init_vertex(struct taskmanager *tm, uint32_t vertex)
{
    const struct graph_vertex *v = &tm->graph->vertices[vertex];
    struct vertex_run *run = &tm->vertices[vertex];

    ASSERT(v->parallelism >= 1);
    run->vertex = v;
    run->nodes = plan_nodes(tm, v);
    run->plans = ARENA_ARRAY(&tm->arena, struct task_plan, v->parallelism);
    run->tasks = ARENA_ARRAY(&tm->arena, struct task *, v->parallelism);
    run->workers = ARENA_ARRAY(&tm->arena, struct worker *, v->parallelism);
    run->channel_mems = ARENA_ARRAY(&tm->arena, struct mem, v->parallelism);
    run->budgets = ARENA_ARRAY(&tm->arena, struct gate_budget, v->parallelism);
    run->news = ARENA_ARRAY(&tm->arena, struct task_news, TASK_NEWS * (size_t)v->parallelism);
    run->is_over = ARENA_ARRAY(&tm->arena, struct sys_atomic_u64, v->parallelism);
    run->samples = ARENA_ARRAY(&tm->arena, struct task_sample, v->parallelism);
    for (uint32_t s = 0; s < v->parallelism; s++) {
        mem_init(&run->channel_mems[s], "channels", 0);
        if (deploy_is_here(tm, vertex, s)) tm->task_count++;
        else sys_atomic_store(&run->is_over[s], 1);
    }
}

void deploy_tasks(struct taskmanager *tm)
{
    const struct graph *g = tm->graph;

    tm->vertices = ARENA_ARRAY(&tm->arena, struct vertex_run, g->vertex_count);
    tm->edges = ARENA_ARRAY(&tm->arena, struct edge_run, g->edge_count + 1);
    for (uint32_t v = 0; v < g->vertex_count; v++) init_vertex(tm, v);
    for (uint32_t e = 0; e < g->edge_count; e++) make_channels(tm, e);
    for (uint32_t v = 0; v < g->vertex_count; v++)
        for (uint32_t s = 0; s < g->vertices[v].parallelism; s++) share_budgets(tm, v, s);
    for (uint32_t e = 0; tm->settings.placement != NULL && e < g->edge_count; e++) go_far(tm, e);
    for (uint32_t v = 0; v < g->vertex_count; v++)
        for (uint32_t s = 0; s < g->vertices[v].parallelism; s++) {
            if (!deploy_is_here(tm, v, s)) continue;
            plan_task(tm, v, s);
            tm->vertices[v].tasks[s] = task_create(&tm->vertices[v].plans[s], tm->sys, tm->log);
        }
}

static void free_channels(struct edge_run *run)
{
    for (size_t i = 0; run->channels != NULL && i < (size_t)run->producers * run->consumers; i++)
        channel_free(run->channels[i]);
}

void deploy_release(struct taskmanager *tm)
{
    const struct graph *g = tm->graph;

    if (tm->vertices == NULL) return;
    for (uint32_t v = 0; v < g->vertex_count; v++)
        for (uint32_t s = 0; s < g->vertices[v].parallelism; s++) task_free(tm->vertices[v].tasks[s]);
    for (uint32_t e = 0; e < g->edge_count; e++) free_channels(&tm->edges[e]);
    for (uint32_t v = 0; v < g->vertex_count; v++)
        for (uint32_t s = 0; s < g->vertices[v].parallelism; s++) mem_release(&tm->vertices[v].channel_mems[s]);
    tm->vertices = NULL;
}
