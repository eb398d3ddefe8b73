/* restore_check.c - asks every operator of a job what it would make of its saved state (flow/task/declare.h), without its rows.
 *
 * Not here: what may change (flow/state/snapshot_evolve.c), which operator has which state (restore_plan.c). */
#include "control/jobmanager/restore_check.h"

#include "control/config.h"
#include "flow/task/declare.h"

#include <string.h>

static struct node_plan plan_of(const struct graph_node *n)
{
    return (struct node_plan){.type = n->type,
                              .config = n->config,
                              .plan = &n->plan,
                              .name = n->name,
                              .uid = n->id,
                              .needed_in = n->needed_in,
                              .needed_out = n->needed_out,
                              .metric_variables = &n->metric_variables};
}

static enum status ask(const struct graph *g, uint32_t node, const struct state_restore *saved, struct sys *sys,
                       struct arena *a, struct state_outcomes *out, struct err *e)
{
    const struct graph_node *n = g->nodes[node];
    const struct graph_vertex *v = &g->vertices[n->vertex];
    struct node_plan plan = plan_of(n);

    return operator_declare(&plan, sb_find(config_backend(&g->settings)), v->parallelism, v->max_parallelism, saved, sys, a, out, e);
}

static bool can_be_asked(const struct graph_node *n)
{
    struct node_plan plan = plan_of(n);

    return operator_declares(&plan);
}

enum status restore_check(const struct restore_plan *p, const struct graph *g, struct sys *sys, struct err *e)
{
    struct mem mem;
    struct arena a;
    enum status st = S_OK;

    mem_init(&mem, "restore check", 0);
    arena_init(&a, &mem, 0);
    for (uint32_t i = 0; i < g->node_count && st == S_OK; i++) {
        const struct state_restore *saved = restore_plan_node(p, i, NULL);
        struct state_outcomes out;
        if (saved == NULL || !can_be_asked(g->nodes[i])) continue;
        st = ask(g, i, saved, sys, &a, &out, e);
        arena_reset(&a);
    }
    arena_release(&a);
    mem_release(&mem);
    return st;
}

/* --- what is told --------------------------------------------------------------------------------------------------------- */
static enum status node_outcome(const struct restore_plan *p, const struct graph *g, uint32_t node, struct sys *sys,
                                struct arena *a, struct upgrade_operator *out, struct err *e)
{
    const struct graph_node *n = g->nodes[node];
    const struct snapshot_operator *old;
    const struct state_restore *saved = restore_plan_node(p, node, &old);
    struct err why = {0};

    *out = (struct upgrade_operator){.name = n->name, .uid = n->uid, .is_new = old == NULL};
    if (!can_be_asked(n)) {
        struct saved_states found;
        out->is_asked_later = saved != NULL;
        if (saved == NULL) return S_OK;
        TRY(saved_states_find(saved, a, &found, e));
        state_outcomes_lost(&found, a, &out->states);
        return S_OK;
    }
    enum status st = ask(g, node, saved, sys, a, &out->states, &why);
    if (st == S_OK) return S_OK;
    if (st != E_CONFIG) return err_pass_on(e, &why);
    out->refused = ARENA_NEW(a, struct err);
    *out->refused = why;
    return S_OK;
}

static enum status gone_outcome(const struct restore_plan *p, uint32_t number, struct arena *a, struct upgrade_operator *out,
                                struct err *e)
{
    const struct snapshot_operator *o = &restore_plan_metadata(p)->operators[number];
    struct saved_states found;
    struct state_restore saved;
    struct mem mem;

    *out = (struct upgrade_operator){.name = o->name, .uid = o->uid, .is_gone = true};
    mem_init(&mem, "state that is gone", 0);
    enum status st = restore_plan_images(p, o, &mem, &saved, e);
    saved.operator = o->name;
    if (st == S_OK) st = saved_states_find(&saved, a, &found, e);
    if (st == S_OK) state_outcomes_lost(&found, a, &out->states);
    mem_release(&mem);
    return st;
}

static bool is_in(const struct graph *g, const char *id)
{
    for (uint32_t i = 0; i < g->node_count; i++)
        if (strcmp(g->nodes[i]->id, id) == 0) return true;
    for (uint32_t v = 0; v < g->vertex_count; v++) /* what was on the way to it is none of its states */
        if (strcmp(g->vertices[v].in_flight_id, id) == 0) return true;
    return false;
}

static bool is_told(const struct upgrade_operator *o) { return o->states.count > 0 || o->refused != NULL; }

enum status restore_outcomes(const struct restore_plan *p, const struct graph *g, struct sys *sys, struct arena *a,
                             const struct upgrade_operator **out, uint32_t *count, struct err *e)
{
    const struct snapshot_metadata *m = restore_plan_metadata(p);
    struct upgrade_operator *all = ARENA_ARRAY(a, struct upgrade_operator, g->node_count + m->operator_count + 1);
    uint32_t n = 0;

    for (uint32_t i = 0; i < g->node_count; i++) {
        TRY(node_outcome(p, g, i, sys, a, &all[n], e));
        n += is_told(&all[n]);
    }
    for (uint32_t i = 0; i < m->operator_count; i++) {
        if (is_in(g, m->operators[i].id)) continue;
        TRY(gone_outcome(p, i, a, &all[n], e));
        n += is_told(&all[n]);
    }
    *out = all;
    *count = n;
    return S_OK;
}
