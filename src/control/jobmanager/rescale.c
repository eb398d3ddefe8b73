/* rescale.c - see rescale.h.
 *
 * Whoever asks builds the plan: the graph with the new parallelisms, prepared; so what cannot be is refused at once, and the job's thread
 * only exchanges plans. One rescale is under way at a time:
 *
 *     WANTED    a request (savepoint_requests.c, WISH_RESCALE) waits for its turn and takes the checkpoint
 *     STOPPED   the checkpoint exists; tasks commit, and end
 *     SWITCHED  the record says the next generation, the plan is installed, tasks begin
 *     OVER
 *
 * Plans that are not the present one stay until the job master goes: others look at their graphs, and names in messages lie there. So
 * their number is bounded.
 *
 * Not here: when a checkpoint is taken, and how an attempt begins (jobmaster_attempt.c). */
#include "control/jobmanager/rescale.h"

#include "control/jobmanager/jobmaster_internal.h"
#include "control/memory.h"
#include "ground/base/str.h"

#include <stdio.h>
#include <string.h>

enum { PLANS_MAX = 1000 };

struct job_plan {
    struct job_plan *older;
    struct mem mem;
    struct arena arena;
    struct graph graph;
    struct str encoded;
    struct executions *executions; /* of one that was installed, or is the job's first */
    struct rescaled_operator *rescaled; /* [graph.node_count] */
};

/* --- plans ------------------------------------------------------------------------------------------------------------------ */
static struct job_plan *plan_create(void)
{
    struct mem mem;
    mem_init(&mem, "job plan", 0);
    struct job_plan *p = mem_zalloc(&mem, sizeof *p);

    mem_init(&p->mem, "job plan", 0);
    mem_move(&mem, &p->mem);
    arena_init(&p->arena, &p->mem, 0);
    graph_init(&p->graph, &p->arena);
    return p;
}

static void plan_free(struct job_plan *p)
{
    struct mem mem;

    if (p == NULL) return;
    executions_free(p->executions);
    mem_init(&mem, "job plan", 0);
    mem_move(&p->mem, &mem);
    mem_release(&mem);
}

void rescale_release(struct jobmaster *jm)
{
    struct job_plan *p, *older;

    for (p = jm->plans; p != NULL; p = older) {
        older = p->older;
        plan_free(p);
    }
    plan_free(jm->rescale.plan);
}

static void name_parallelisms(struct job_plan *p)
{
    p->rescaled = ARENA_ARRAY(&p->arena, struct rescaled_operator, p->graph.node_count);
    for (uint32_t i = 0; i < p->graph.node_count; i++) {
        p->rescaled[i].parallelism = p->graph.nodes[i]->parallelism;
        memcpy(p->rescaled[i].id, p->graph.nodes[i]->id, sizeof p->rescaled[i].id);
    }
}

static enum status fill_plan(const struct jobmaster *jm, struct job_plan *p, const uint32_t *parallelism, struct err *e)
{
    struct buf bytes;

    buf_init(&bytes, &p->mem);
    TRY(graph_rescale(jm->base, jm->submitted, parallelism, &bytes, e));
    p->encoded = (struct str){bytes.data, bytes.size};
    TRY(graph_decode(&p->graph, p->encoded, e));
    p->graph.users = jm->o.users;
    TRY(resolve_functions(&p->graph, &jm->o.functions, e));
    TRY(graph_prepare(&p->graph, e));
    graph_memory_share(&p->graph, memory_of_process(&p->graph.settings, jm->o.sys), (int64_t)jm->settings.state_bytes_max);
    name_parallelisms(p);
    return slots_check(&p->graph, jm->settings.slots, e);
}

static enum status build_plan(const struct jobmaster *jm, const uint32_t *parallelism, struct job_plan **out, struct err *e)
{
    struct job_plan *p = plan_create();
    enum status st = fill_plan(jm, p, parallelism, e);

    *out = st == S_OK ? p : NULL;
    if (st != S_OK) plan_free(p);
    return st;
}

/* No task of the plan before runs or is deployed any more. */
static void install(struct jobmaster *jm, struct job_plan *p, bool has_checkpoints)
{
    sys_lock_take(jm->look);
    p->older = jm->plans;
    jm->plans = p;
    jm->plan_count++;
    jm->graph = p->graph;
    jm->shown = &p->graph;
    jm->encoded = p->encoded;
    p->executions = jm->executions; /* they stay with the plans: somebody may be looking */
    jm->executions = executions_create(jm->o.sys, &p->graph, jm->attempt, jm->execution_moved, jm);
    sys_lock_give(jm->look);
    if (jm->settings.disk.kv.path != NULL) graph_disk_share(&jm->graph, memory_of_process(&p->graph.settings, jm->o.sys), &jm->settings.disk);
    if (has_checkpoints) checkpoints_resize(jm);
}

enum status rescale_adopt(struct jobmaster *jm, const struct rescaled_operator *list, uint32_t count, struct err *e)
{
    const struct graph *g = jm->base;
    uint32_t *parallelism = ARENA_ARRAY(&jm->arena, uint32_t, g->node_count);
    struct job_plan *p;

    for (uint32_t i = 0; i < g->node_count; i++) parallelism[i] = g->nodes[i]->parallelism;
    for (uint32_t k = 0; k < count; k++)
        for (uint32_t i = 0; i < g->node_count; i++)
            if (strcmp(g->nodes[i]->id, list[k].id) == 0) parallelism[i] = list[k].parallelism;
    TRY(build_plan(jm, parallelism, &p, e));
    install(jm, p, false);
    return S_OK;
}

/* --- which parallelisms --------------------------------------------------------------------------------------------------------- */
/* As slots_needed, of operators that do not run so yet. */
static uint32_t slots_with(const struct graph *g, const uint32_t *parallelism)
{
    uint32_t needed = 0;

    for (uint32_t i = 0; i < g->node_count; i++) {
        uint32_t first = 0, most = 0;
        while (strcmp(g->nodes[first]->slot_group, g->nodes[i]->slot_group) != 0) first++;
        if (first != i) continue;
        for (uint32_t k = i; k < g->node_count; k++)
            if (strcmp(g->nodes[k]->slot_group, g->nodes[i]->slot_group) == 0) most = MAX(most, parallelism[k]);
        needed += most;
    }
    return needed;
}

static uint32_t slots_there(const struct jobmaster *jm)
{
    if (jm->o.hosts != NULL) return jm->o.hosts->slots != NULL ? jm->o.hosts->slots(jm->o.hosts->arg, jobmaster_job_id(jm)) : UINT32_MAX;
    return jm->settings.slots > 0 ? jm->settings.slots : UINT32_MAX;
}

static enum status check_slots(const struct jobmaster *jm, const struct graph *g, const uint32_t *parallelism, struct err *e)
{
    uint32_t needed = slots_with(g, parallelism), there = slots_there(jm);

    if (needed <= there) return S_OK;
    err_set(e, E_BUDGET, "the job would need %u slots; there are %u for it", needed, there);
    err_hint(e, "start a TaskManager, or lower the parallelism (-p)");
    return E_BUDGET;
}

static int vertex_of(const struct graph *g, const char *name)
{
    for (uint32_t v = 0; v < g->vertex_count; v++)
        if (str_equal_nocase(str_of(g->nodes[g->vertices[v].head]->id), str_of(name)) || strcmp(g->vertices[v].name, name) == 0)
            return (int)v;
    return GRAPH_NONE;
}

static enum status no_vertex(const struct graph *g, const char *name, struct err *e)
{
    const char *names[64];
    uint32_t count = 0;

    for (uint32_t v = 0; v < g->vertex_count && count < COUNT_OF(names); v++) names[count++] = g->vertices[v].name;
    err_set(e, E_NOT_FOUND, "the job has no vertex '%.200s'", name);
    int nearest = str_nearest(str_of(name), names, count);
    err_hint(e, "it has '%s', among others", names[nearest >= 0 ? nearest : 0]);
    return E_NOT_FOUND;
}

static void set_vertex(const struct graph *g, uint32_t vertex, uint32_t wanted, uint32_t *parallelism)
{
    const struct graph_vertex *v = &g->vertices[vertex];

    for (uint32_t i = 0; i < v->node_count; i++)
        if (!graph_node_is_single(g->nodes[v->nodes[i]]) || v->node_count == 1) parallelism[v->nodes[i]] = wanted;
}

static enum status one_for_all(const struct jobmaster *jm, const struct graph *g, const struct rescale_ask *ask, uint32_t *parallelism,
                               struct err *e)
{
    int vertex = ask->vertex != NULL ? vertex_of(g, ask->vertex) : GRAPH_NONE;
    uint32_t following = 0;

    if (ask->vertex != NULL && vertex == GRAPH_NONE) return no_vertex(g, ask->vertex, e);
    if (vertex != GRAPH_NONE) {
        set_vertex(g, (uint32_t)vertex, ask->parallelism, parallelism);
        return S_OK;
    }
    for (uint32_t i = 0; i < g->node_count; i++) {
        if (!graph_node_follows(jm->base, i)) continue;
        parallelism[i] = ask->parallelism;
        following++;
    }
    if (following > 0) return S_OK;
    err_set(e, E_GRAPH, "every operator of the job has a parallelism of its own");
    err_hint(e, "name a vertex (--vertex)");
    return E_GRAPH;
}

static enum status check_bounds(const struct graph *g, const struct rescale_ask *ask, struct err *e)
{
    for (uint32_t i = 0; i < ask->bound_count; i++) {
        const struct rescale_bounds *b = &ask->bounds[i];
        int v = vertex_of(g, b->vertex);
        if (v == GRAPH_NONE)
            return err_set(e, E_NOT_FOUND, "The request contains a vertex [%.64s] that the job does not have.", b->vertex);
        if (b->lower < 1 || b->upper < b->lower)
            return err_set(e, E_CONFIG, "The requested lower bound (%u) of vertex [%s] is not between 1 and its upper bound (%u).",
                           b->lower, g->vertices[v].name, b->upper);
    }
    for (uint32_t v = 0; v < g->vertex_count; v++) {
        bool is_there = false;
        for (uint32_t i = 0; i < ask->bound_count; i++) is_there |= vertex_of(g, ask->bounds[i].vertex) == (int)v;
        if (!is_there) return err_set(e, E_CONFIG, "The request is incomplete, it lacks the vertex [%s].", g->vertices[v].name);
    }
    return S_OK;
}

/* The highest cap on all of them with which the slots suffice. */
static enum status within_bounds(const struct jobmaster *jm, const struct graph *g, const struct rescale_ask *ask, uint32_t *parallelism,
                                 struct err *e)
{
    uint32_t cap = 0, least = 0;

    TRY(check_bounds(g, ask, e));
    for (uint32_t i = 0; i < ask->bound_count; i++) {
        cap = MAX(cap, ask->bounds[i].upper);
        least = MAX(least, ask->bounds[i].lower);
    }
    for (;; cap--) {
        for (uint32_t i = 0; i < ask->bound_count; i++)
            set_vertex(g, (uint32_t)vertex_of(g, ask->bounds[i].vertex), MAX(ask->bounds[i].lower, MIN(ask->bounds[i].upper, cap)),
                       parallelism);
        if (cap <= least || slots_with(g, parallelism) <= slots_there(jm)) return S_OK;
    }
}

/* --- asking ---------------------------------------------------------------------------------------------------------------------- */
static bool is_under_way(const struct jobmaster *jm) { return jm->rescale.phase != RESCALE_NONE; }

/* Under the lock. */
static struct rescale_progress *new_progress(struct jobmaster *jm, const char *trigger)
{
    struct rescale_progress *p = &jm->rescales[jm->rescale_count++ % RESCALES_KEPT];

    *p = (struct rescale_progress){.asked_ms = sys_wall_ms(jm->o.sys)};
    snprintf(p->trigger, sizeof p->trigger, "%s", trigger);
    return p;
}

static enum status begin(struct jobmaster *jm, struct job_plan *p, const char *trigger, struct err *e)
{
    enum status st = S_OK;

    sys_lock_take(jm->look);
    if (is_under_way(jm))
        st = err_set(e, E_EXISTS, "the job is being rescaled already");
    else if (jm->plan_count >= PLANS_MAX)
        st = err_set(e, E_BUDGET, "the job was rescaled %d times by one process: stop it with a savepoint, and start it anew", PLANS_MAX);
    if (st == S_OK) jm->rescale = (struct rescale){RESCALE_WANTED, p, new_progress(jm, trigger), NULL};
    sys_lock_give(jm->look);
    if (st != S_OK) plan_free(p);
    return st;
}

static void nothing_to_do(struct jobmaster *jm, const char *trigger)
{
    sys_lock_take(jm->look);
    struct rescale_progress *p = new_progress(jm, trigger);
    p->state = CHECKPOINT_COMPLETED;
    p->ended_ms = p->asked_ms;
    sys_lock_give(jm->look);
}

static bool changes(const struct graph *g, const uint32_t *parallelism)
{
    for (uint32_t i = 0; i < g->node_count; i++)
        if (g->nodes[i]->parallelism != parallelism[i]) return true;
    return false;
}

static enum status check_may_ask(const struct jobmaster *jm, struct err *e)
{
    enum job_status now = jobmaster_status(jm);

    if (now != JOB_CREATED && now != JOB_RUNNING && now != JOB_RESTARTING)
        return err_set(e, E_CANCELED, "the job is %s: only one that runs can be rescaled", job_status_name(now));
    if (jm->checkpoints != NULL) return S_OK;
    err_set(e, E_UNSUPPORTED, "the job takes no checkpoints, so it has nothing to go on from with another parallelism");
    err_hint(e, "start it with execution.checkpointing.interval and execution.checkpointing.dir");
    return E_UNSUPPORTED;
}

static enum status ask_with(struct jobmaster *jm, const struct rescale_ask *ask, uint32_t *parallelism, char *trigger, struct err *e)
{
    const struct graph *g = jobmaster_graph(jm);
    struct job_plan *p;

    for (uint32_t i = 0; i < g->node_count; i++) parallelism[i] = g->nodes[i]->parallelism;
    if (ask->parallelism > 0) TRY(one_for_all(jm, g, ask, parallelism, e));
    else TRY(within_bounds(jm, g, ask, parallelism, e));
    snprintf(trigger, SNAPSHOT_TRIGGER_SIZE, "%016llx%016llx", (unsigned long long)sys_random(jm->o.sys),
             (unsigned long long)sys_random(jm->o.sys));
    if (!changes(g, parallelism)) {
        nothing_to_do(jm, trigger);
        return S_OK;
    }
    TRY(build_plan(jm, parallelism, &p, e)); /* before slots: what can never be is told first */
    enum status st = check_slots(jm, g, parallelism, e);
    if (st != S_OK) {
        plan_free(p);
        return st;
    }
    TRY(begin(jm, p, trigger, e));
    st = jobmaster_ask_snapshot(jm, &(struct snapshot_ask){.wish = WISH_RESCALE}, trigger, e);
    if (st != S_OK) rescale_failed(jm, e);
    return st;
}

enum status jobmaster_ask_rescale(struct jobmaster *jm, const struct rescale_ask *ask, char trigger[static SNAPSHOT_TRIGGER_SIZE],
                                  struct err *e)
{
    struct mem mem;
    struct err why = {0};

    TRY(check_may_ask(jm, e));
    mem_init(&mem, "rescale", 0);
    enum status st = ask_with(jm, ask, mem_zalloc(&mem, sizeof(uint32_t) * jm->base->node_count), trigger, &why);
    mem_release(&mem);
    return st == S_OK ? S_OK : err_pass_on(e, &why);
}

enum status jobmaster_rescale_now(struct jobmaster *jm, const struct rescale_ask *ask, struct rescale_progress *out, struct err *e)
{
    char trigger[SNAPSHOT_TRIGGER_SIZE];
    struct sys_parker *waiting = sys_parker_create(jm->o.sys);
    enum status st = jobmaster_ask_rescale(jm, ask, trigger, e);

    *out = (struct rescale_progress){.state = CHECKPOINT_IN_PROGRESS};
    sys_lock_take(jm->look);
    if (st == S_OK && is_under_way(jm)) jm->rescale.waiting = waiting;
    sys_lock_give(jm->look);
    while (st == S_OK && jobmaster_rescale_progress(jm, trigger, out) && out->state == CHECKPOINT_IN_PROGRESS)
        sys_park(jm->o.sys, waiting, INT64_MAX);
    sys_lock_take(jm->look);
    if (jm->rescale.waiting == waiting) jm->rescale.waiting = NULL; /* of another one that began since */
    sys_lock_give(jm->look);
    sys_parker_free(jm->o.sys, waiting);
    if (st != S_OK) return st;
    return out->state == CHECKPOINT_COMPLETED ? S_OK : err_pass_on(e, &out->err);
}

bool jobmaster_rescale_progress(struct jobmaster *jm, const char *trigger, struct rescale_progress *out)
{
    for (uint32_t i = 0; jobmaster_rescale(jm, i, out); i++)
        if (strcmp(out->trigger, trigger) == 0) return true;
    return false;
}

bool jobmaster_rescale(struct jobmaster *jm, uint32_t index, struct rescale_progress *out)
{
    sys_lock_take(jm->look);
    bool is_there = index < MIN(jm->rescale_count, RESCALES_KEPT);
    if (is_there) *out = jm->rescales[(jm->rescale_count - 1 - index) % RESCALES_KEPT];
    sys_lock_give(jm->look);
    return is_there;
}

/* --- its way: the job's thread ------------------------------------------------------------------------------------------------------- */
static void end(struct jobmaster *jm, enum checkpoint_state state)
{
    struct rescale_progress *p = jm->rescale.progress;

    p->state = state;
    p->ended_ms = sys_wall_ms(jm->o.sys);
    if (jm->rescale.waiting != NULL) sys_unpark(jm->o.sys, jm->rescale.waiting);
    jm->rescale = (struct rescale){0};
}

void rescale_failed(struct jobmaster *jm, const struct err *why)
{
    sys_lock_take(jm->look);
    struct job_plan *p = jm->rescale.plan;
    if (is_under_way(jm)) {
        jm->rescale.progress->err = *why;
        end(jm, CHECKPOINT_FAILED);
    }
    sys_lock_give(jm->look);
    plan_free(p);
}

void rescale_stopped(struct jobmaster *jm, int64_t checkpoint)
{
    sys_lock_take(jm->look);
    if (jm->rescale.phase == RESCALE_WANTED) {
        jm->rescale.phase = RESCALE_STOPPED;
        jm->rescale.progress->checkpoint = checkpoint;
        recovery_mark(jm, RECOVERY_SNAPSHOT);
    }
    sys_lock_give(jm->look);
}

bool rescale_is_due(const struct jobmaster *jm)
{
    return jobmaster_status(jm) == JOB_RUNNING && jm->rescale.phase == RESCALE_STOPPED;
}

const struct rescaled_operator *rescale_parallelisms(const struct jobmaster *jm)
{
    ASSERT(jm->rescale.phase == RESCALE_STOPPED);
    return jm->rescale.plan->rescaled;
}

void rescale_switch(struct jobmaster *jm)
{
    struct job_plan *p = jm->rescale.plan;

    ASSERT(jm->rescale.phase == RESCALE_STOPPED);
    install(jm, p, true);
    sys_lock_take(jm->look);
    jm->rescale.plan = NULL;
    jm->rescale.phase = RESCALE_SWITCHED;
    jm->rescale.progress->is_switched = true;
    sys_lock_give(jm->look);
}

void rescale_runs(struct jobmaster *jm, int64_t pause_ms)
{
    if (jm->rescale.phase != RESCALE_SWITCHED) return;
    sys_lock_take(jm->look);
    jm->rescale.progress->pause_ms = pause_ms;
    jm->rescale.progress->bytes = jm->restore != NULL ? restore_plan_bytes(jm->restore) : 0;
    end(jm, CHECKPOINT_COMPLETED);
    sys_lock_give(jm->look);
}

/* Tasks that had finished before the checkpoint do not say that they run; so the end of the attempt is the latest moment. */
void rescale_attempt_ended(struct jobmaster *jm)
{
    enum job_status now = jobmaster_status(jm);
    struct err e = {0};

    if (jm->rescale.phase == RESCALE_SWITCHED && (now == JOB_RUNNING || now == JOB_RESTARTING)) {
        rescale_runs(jm, recovery_pause_ms(jm));
        recovery_end(jm);
    } else if (jm->rescale.phase == RESCALE_SWITCHED || (jm->rescale.phase == RESCALE_STOPPED && now != JOB_RUNNING)) {
        err_set(&e, E_CANCELED, "job '%s' failed or was stopped while it was being rescaled", jm->graph.job_name);
        rescale_failed(jm, &e);
    }
}
