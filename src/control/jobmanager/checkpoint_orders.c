/* checkpoint_orders.c - metadata of checkpoints that are under way. They begin as a list of all operators in the order of their ids, and
 * are filled in as subtasks acknowledge; who had finished before is marked at the end. */
#include "control/jobmanager/checkpoints_internal.h"

#include <string.h>

static void number_tasks(struct job_checkpoints *c, const struct graph *g)
{
    uint32_t count = 0;

    c->firsts = mem_alloc(&c->mem, sizeof *c->firsts * g->vertex_count);
    for (uint32_t v = 0; v < g->vertex_count; v++) {
        c->firsts[v] = count;
        count += g->vertices[v].parallelism;
    }
}

/* Metadata name operators by id, in order. */
static void order_nodes(struct job_checkpoints *c, const struct graph *g)
{
    c->by_id = mem_alloc(&c->mem, sizeof *c->by_id * (g->node_count + 1));
    c->places = mem_alloc(&c->mem, sizeof *c->places * (g->node_count + 1));
    for (uint32_t i = 0; i < g->node_count; i++) {
        uint32_t at = i;
        for (; at > 0 && strcmp(g->nodes[c->by_id[at - 1]]->id, g->nodes[i]->id) > 0; at--)
            c->by_id[at] = c->by_id[at - 1];
        c->by_id[at] = i;
    }
    for (uint32_t i = 0; i < g->node_count; i++) c->places[c->by_id[i]] = i;
}

void orders_init(struct job_checkpoints *c)
{
    number_tasks(c, &c->jm->graph);
    order_nodes(c, &c->jm->graph);
}

void orders_renumber(struct job_checkpoints *c)
{
    ASSERT(c->orders == NULL);
    mem_free(&c->mem, c->firsts);
    number_tasks(c, &c->jm->graph);
}

void orders_release(struct job_checkpoints *c)
{
    for (struct pending_order *o = c->orders; o != NULL; o = o->next) snapshot_order_free(o->order);
}

uint32_t task_number(const struct job_checkpoints *c, uint32_t vertex, uint32_t subtask)
{
    return c->firsts[vertex] + subtask;
}

/* What was on the way to a vertex lies beside its operators, as the state of one more. */
static void fill_in_flight(struct snapshot_order *o, const struct graph *g, uint32_t vertex, struct snapshot_operator *out)
{
    const struct graph_vertex *v = &g->vertices[vertex];

    *out = (struct snapshot_operator){.name = arena_printf(&o->arena, "in flight to %s", g->nodes[v->head]->name),
                                      .parallelism = v->parallelism,
                                      .max_parallelism = v->max_parallelism,
                                      .subtasks = ARENA_ARRAY(&o->arena, struct snapshot_subtask, v->parallelism)};
    memcpy(out->id, v->in_flight_id, sizeof out->id);
}

static void fill_operators(struct job_checkpoints *c, struct snapshot_order *o)
{
    const struct graph *g = &c->jm->graph;
    struct snapshot_operator *operators = ARENA_ARRAY(&o->arena, struct snapshot_operator, g->node_count + g->vertex_count);

    for (uint32_t i = 0; i < g->node_count; i++) {
        const struct graph_node *n = g->nodes[c->by_id[i]];
        operators[i] = (struct snapshot_operator){
            .name = arena_strdup(&o->arena, n->name),
            .uid = n->uid != NULL ? arena_strdup(&o->arena, n->uid) : NULL,
            .parallelism = n->parallelism,
            .max_parallelism = n->max_parallelism,
            .subtasks = ARENA_ARRAY(&o->arena, struct snapshot_subtask, n->parallelism)};
        memcpy(operators[i].id, n->id, sizeof operators[i].id);
    }
    for (uint32_t v = 0; v < g->vertex_count; v++) fill_in_flight(o, g, v, &operators[g->node_count + v]);
    o->metadata.operators = operators;
    o->metadata.operator_count = g->node_count + g->vertex_count;
}

void orders_add(struct job_checkpoints *c, int64_t id, enum snapshot_kind kind)
{
    struct pending_order *p = mem_zalloc(&c->mem, sizeof *p);
    struct snapshot_order *o = snapshot_order_create();

    o->metadata = (struct snapshot_metadata){.job_name = arena_strdup(&o->arena, c->jm->graph.job_name),
                                             .checkpoint = id,
                                             .time_ms = sys_wall_ms(c->jm->o.sys),
                                             .kind = kind,
                                             .graph = c->jm->digest};
    memcpy(o->metadata.job_id, c->job_id, sizeof o->metadata.job_id);
    fill_operators(c, o);
    p->order = o;
    p->next = c->orders;
    c->orders = p;
}

static struct snapshot_order *find_order(const struct job_checkpoints *c, int64_t id)
{
    for (struct pending_order *p = c->orders; p != NULL; p = p->next)
        if (p->order->metadata.checkpoint == id) return p->order;
    return NULL;
}

/* NULL: there is none (any more). */
static struct snapshot_order *take(struct job_checkpoints *c, int64_t id)
{
    struct pending_order **at = &c->orders;

    while (*at != NULL && (*at)->order->metadata.checkpoint != id) at = &(*at)->next;
    if (*at == NULL) return NULL;
    struct pending_order *p = *at;
    struct snapshot_order *o = p->order;
    *at = p->next;
    mem_free(&c->mem, p);
    return o;
}

static struct snapshot_subtask *subtask_at(const struct snapshot_order *o, uint32_t place, uint32_t subtask)
{
    const struct snapshot_operator *operator= & o->metadata.operators[place];

    ASSERT(subtask < operator->parallelism);
    return (struct snapshot_subtask *)(uintptr_t) & operator->subtasks[subtask]; /* of our own order */
}

static struct snapshot_subtask *subtask_of(const struct job_checkpoints *c, const struct snapshot_order *o, uint32_t node,
                                           uint32_t subtask)
{
    return subtask_at(o, c->places[node], subtask);
}

static void fill_subtasks(const struct job_checkpoints *c, struct snapshot_order *o, const struct snapshot_ack *ack)
{
    const struct graph_vertex *v = &c->jm->graph.vertices[ack->vertex];

    ASSERT(ack->node_count == v->node_count || ack->node_count == v->node_count + 1);
    for (uint32_t i = 0; i < ack->node_count; i++) {
        const struct node_snapshot *from = &ack->nodes[i];
        bool is_operator = i < v->node_count;
        struct snapshot_subtask *to = is_operator ? subtask_of(c, o, v->nodes[i], ack->subtask)
                                                  : subtask_at(o, c->jm->graph.node_count + ack->vertex, ack->subtask);
        *to = (struct snapshot_subtask){.watermark = from->watermark,
                                        .sent_watermark = from->sent_watermark,
                                        .is_finished = from->is_finished,
                                        .is_idle = from->is_idle,
                                        .handle_count = from->chunks,
                                        .first_part = from->first_part};
        if (from->committables.size > 0)
            to->committables = (struct str){arena_strndup(&o->arena, from->committables.data, from->committables.size),
                                            from->committables.size};
    }
}

static void fill_finished(const struct job_checkpoints *c, struct snapshot_order *o)
{
    const struct graph *g = &c->jm->graph;

    for (uint32_t v = 0; v < g->vertex_count; v++)
        for (uint32_t s = 0; s < g->vertices[v].parallelism; s++) {
            if (!checkpoint_task_was_finished(c->coordinator, o->metadata.checkpoint, c->firsts[v] + s)) continue;
            for (uint32_t i = 0; i < g->vertices[v].node_count; i++)
                *subtask_of(c, o, g->vertices[v].nodes[i], s) = (struct snapshot_subtask){.is_finished = true};
        }
}

static bool has_chunks(const struct snapshot_operator *o)
{
    for (uint32_t i = 0; i < o->parallelism; i++)
        if (o->subtasks[i].handle_count > 0) return true;
    return false;
}

/* Vertices to which nothing was on its way go; the others take their places by id. */
static void place_in_flight(struct snapshot_order *o, uint32_t node_count)
{
    struct snapshot_operator *all = (struct snapshot_operator *)(uintptr_t)o->metadata.operators; /* of our own order */
    uint32_t count = node_count;

    for (uint32_t i = node_count; i < o->metadata.operator_count; i++) {
        struct snapshot_operator in_flight = all[i];
        uint32_t at = count;
        if (!has_chunks(&in_flight)) continue;
        for (; at > 0 && strcmp(all[at - 1].id, in_flight.id) > 0; at--) all[at] = all[at - 1];
        all[at] = in_flight;
        count++;
    }
    o->metadata.operator_count = count;
}

bool orders_acknowledge(struct job_checkpoints *c, const struct snapshot_ack *ack)
{
    struct snapshot_order *o = find_order(c, ack->checkpoint);

    if (o != NULL) fill_subtasks(c, o, ack);
    return o != NULL;
}

struct snapshot_order *orders_take(struct job_checkpoints *c, int64_t id, bool is_through)
{
    struct snapshot_order *o = take(c, id);

    if (o == NULL || !is_through) return o;
    fill_finished(c, o);
    place_in_flight(o, c->jm->graph.node_count);
    return o;
}
