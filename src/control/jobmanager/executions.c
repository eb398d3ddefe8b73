/* executions.c - the records of a job's executions in one array, by vertex and subtask, behind a lock that is held for a copy.
 *
 * Invariants: only the job master's thread writes, so it reads without the lock; a state is stamped when it is entered, and
 * an execution that is over moves no more. */
#include "control/jobmanager/executions.h"

#include <string.h>

struct executions {
    struct sys *sys;
    struct sys_lock *lock; /* of items, against those who look on */
    struct mem mem;
    struct execution *items;
    uint32_t *firsts; /* [vertex] its first item */
    uint32_t count;
    execution_moved_fn moved;
    void *moved_arg;
};

static uint32_t count_tasks(const struct graph *g)
{
    uint32_t count = 0;

    for (uint32_t v = 0; v < g->vertex_count; v++) count += g->vertices[v].parallelism;
    return count;
}

static void fill(struct executions *x, const struct graph *g, uint32_t attempt)
{
    int64_t now = sys_wall_ms(x->sys);
    uint32_t count = 0;

    for (uint32_t v = 0; v < g->vertex_count; v++) {
        x->firsts[v] = count;
        for (uint32_t s = 0; s < g->vertices[v].parallelism; s++)
            x->items[count++] = (struct execution){.vertex_name = g->vertices[v].name,
                                                   .vertex = v,
                                                   .subtask = s,
                                                   .parallelism = g->vertices[v].parallelism,
                                                   .attempt = attempt,
                                                   .state = EXECUTION_CREATED,
                                                   .since_ms = {[EXECUTION_CREATED] = now}};
    }
}

struct executions *executions_create(struct sys *sys, const struct graph *g, uint32_t attempt, execution_moved_fn moved,
                                     void *arg)
{
    struct mem mem;
    mem_init(&mem, "executions", 0);
    struct executions *x = mem_zalloc(&mem, sizeof *x);

    ASSERT(g->vertex_count > 0);
    mem_init(&x->mem, "executions", 0);
    mem_move(&mem, &x->mem);
    x->sys = sys;
    x->lock = sys_lock_create(sys);
    x->moved = moved;
    x->moved_arg = arg;
    x->count = count_tasks(g);
    x->items = mem_zalloc(&x->mem, sizeof *x->items * x->count);
    x->firsts = mem_zalloc(&x->mem, sizeof *x->firsts * g->vertex_count);
    fill(x, g, attempt);
    return x;
}

void executions_free(struct executions *x)
{
    struct mem mem;

    if (x == NULL) return;
    sys_lock_free(x->sys, x->lock);
    mem_init(&mem, "executions", 0);
    mem_move(&x->mem, &mem);
    mem_release(&mem);
}

void executions_restart(struct executions *x, uint32_t attempt)
{
    int64_t now = sys_wall_ms(x->sys);

    sys_lock_take(x->lock);
    for (uint32_t i = 0; i < x->count; i++) {
        struct execution *item = &x->items[i];
        ASSERT(execution_state_is_terminal(item->state));
        memset(item->since_ms, 0, sizeof item->since_ms);
        item->state = EXECUTION_CREATED;
        item->since_ms[EXECUTION_CREATED] = now;
        item->attempt = attempt;
        item->slot = 0;
    }
    sys_lock_give(x->lock);
}

uint32_t executions_count(const struct executions *x) { return x->count; }

bool executions_view(struct executions *x, uint32_t index, struct execution *out)
{
    if (index >= x->count) return false;
    sys_lock_take(x->lock);
    *out = x->items[index];
    sys_lock_give(x->lock);
    return true;
}

/* --- moving ---------------------------------------------------------------------------------------------------------------- */
static struct execution *find(const struct executions *x, uint32_t vertex, uint32_t subtask)
{
    struct execution *item = &x->items[x->firsts[vertex] + subtask];

    ASSERT(item->vertex == vertex && item->subtask == subtask);
    return item;
}

static void move(struct executions *x, struct execution *item, enum execution_state next)
{
    enum execution_state from = item->state;
    int64_t now = sys_wall_ms(x->sys);

    ASSERT(execution_state_may_follow(from, next));
    sys_lock_take(x->lock);
    item->state = next;
    item->since_ms[next] = now;
    sys_lock_give(x->lock);
    if (x->moved != NULL) x->moved(x->moved_arg, item, from);
}

enum execution_state executions_state(const struct executions *x, uint32_t vertex, uint32_t subtask)
{
    return find(x, vertex, subtask)->state;
}

void executions_move(struct executions *x, uint32_t vertex, uint32_t subtask, enum execution_state next)
{
    move(x, find(x, vertex, subtask), next);
}

void executions_move_all(struct executions *x, enum execution_state next)
{
    for (uint32_t i = 0; i < x->count; i++) move(x, &x->items[i], next);
}

void executions_set_slot(struct executions *x, uint32_t vertex, uint32_t subtask, uint32_t slot)
{
    struct execution *item = find(x, vertex, subtask);

    ASSERT(item->state == EXECUTION_SCHEDULED);
    sys_lock_take(x->lock);
    item->slot = slot;
    sys_lock_give(x->lock);
}

void executions_cancel(struct executions *x)
{
    for (uint32_t i = 0; i < x->count; i++) {
        struct execution *item = &x->items[i];
        if (execution_state_may_follow(item->state, EXECUTION_CANCELING)) move(x, item, EXECUTION_CANCELING);
        else if (!execution_state_is_terminal(item->state) && item->state != EXECUTION_CANCELING)
            move(x, item, EXECUTION_CANCELED);
    }
}

void executions_canceled(struct executions *x)
{
    for (uint32_t i = 0; i < x->count; i++)
        if (x->items[i].state == EXECUTION_CANCELING) move(x, &x->items[i], EXECUTION_CANCELED);
}
