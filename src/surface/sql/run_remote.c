/* run_remote.c - plans whose jobs run in a cluster: rows of a query come back here, of what changes tables the job's id is said, and its
 * end where it is waited for. */
#include "surface/sql/session_internal.h"

#include "flow/operator/op_configs.h"
#include "ground/base/str.h"
#include "surface/sql/sql_keys.h"

#include <string.h>

/* Such a job neither begins with saved state nor saves any, whatever the session and the cluster say. */
static void take_no_checkpoints(struct run *r, struct graph *g)
{
    static const char *const keys[] = {"execution.checkpointing.interval", "execution.state-recovery.path",
                                       "execution.savepoint.path"};
    struct option *items = ARENA_ARRAY(&r->arena, struct option, g->settings.count + 1);
    uint32_t count = 0;

    for (uint32_t i = 0; i < g->settings.count; i++) {
        bool is_one = false;
        for (size_t k = 0; k < COUNT_OF(keys); k++) is_one |= strcmp(g->settings.items[i].key, keys[k]) == 0;
        if (!is_one) items[count++] = g->settings.items[i];
    }
    items[count++] = (struct option){.key = keys[0], .value = "0"};
    g->settings = (struct options){items, count};
}

static enum status run_there(struct run *r, struct api_remote_job *job, struct api_remote_outcome *out)
{
    const struct api_remote *remote = &r->s->options.remote;

    *out = (struct api_remote_outcome){.status = "", .job_id = ""};
    job->cancelled = r->s->options.cancelled;
    enum status st = remote->run(remote->arg, job, out, r->e);
    r->s->signal = out->signal;
    return st;
}

/* --- queries ------------------------------------------------------------------------------------------------------- */
struct query_there {
    struct run *r;
    const struct type *row;
};

static enum status begin(void *arg, struct err *e)
{
    const struct query_there *q = arg;
    const struct sql_listener *to = q->r->to;

    return to->begin(to->arg, q->row, !run_is_batch(q->r), e);
}

static enum status give(void *arg, int64_t receiver, struct batch *b, struct err *e)
{
    const struct query_there *q = arg;

    (void)receiver;
    return q->r->to->rows(q->r->to->arg, b, e);
}

static void find_receiver(const struct graph *g, struct remote_receiver *out)
{
    for (uint32_t i = 0; i < g->node_count; i++) {
        const struct graph_node *n = g->nodes[i];
        const struct sink_config *c = n->type == op_find("sink") ? n->config : NULL;
        if (c != NULL && strcmp(c->connector, "collect") == 0) *out = (struct remote_receiver){n->id, n->plan.inputs[0], c->handle};
    }
    ASSERT(out->operator_id != NULL);
}

enum status run_query_there(struct run *r, struct rel *const *sinks, uint32_t count, const char *name, const struct type *row)
{
    struct query_there q = {r, row};
    struct remote_receiver receiver = {0};
    struct remote_rows rows = {.receivers = &receiver, .count = 1, .begin = begin, .give = give, .arg = &q};
    struct api_remote_outcome outcome;
    struct graph g;
    struct buf bytes;

    TRY(run_plan_graph(r, sinks, count, name, &g));
    find_receiver(&g, &receiver);
    take_no_checkpoints(r, &g);
    buf_init(&bytes, &r->mem);
    graph_encode(&g, &bytes);
    struct api_remote_job job = {.name = g.job_name,
                                 .graph = {bytes.data, bytes.size},
                                 .rows = &rows,
                                 .tick = r->to->tick,
                                 .tick_arg = r->to->arg,
                                 .tick_ms = r->to->tick_ms};
    enum status st = run_there(r, &job, &outcome);
    buf_release(&bytes);
    return st;
}

/* --- updates ------------------------------------------------------------------------------------------------------- */
static enum status encode_update(struct run *r, const struct update *u, struct buf *out)
{
    struct graph g;

    if (u->graph.size > 0) {
        buf_append(out, u->graph.data, u->graph.size);
        return S_OK;
    }
    TRY(run_plan_graph(r, u->sinks, u->count, u->name, &g));
    if (run_is_batch(r)) take_no_checkpoints(r, &g);
    graph_encode(&g, out);
    return S_OK;
}

static enum status refuse_after(struct run *r, const struct update *u)
{
    struct job_after after;

    run_after_of(u, &r->arena, &after);
    if (after.replacement_count == 0) return S_OK;
    err_set(r->e, E_UNSUPPORTED, "INSERT OVERWRITE cannot run in a cluster (-m) in this version: what it replaces is replaced by this process");
    err_hint(r->e, "use INSERT INTO, or run it in this process: without -m");
    return E_UNSUPPORTED;
}

/* The job is the cluster's: what becomes of it is asked there. */
enum status run_update_there(struct run *r, const struct update *u, bool waits)
{
    struct api_remote_outcome outcome;
    struct buf bytes;

    TRY(refuse_after(r, u));
    TRY(r->to->said(r->to->arg, "[INFO] Submitting SQL update statement to the cluster...", r->e));
    buf_init(&bytes, &r->mem);
    enum status st = encode_update(r, u, &bytes);
    struct api_remote_job job = {.name = u->name != NULL ? u->name : "job", .graph = {bytes.data, bytes.size}, .is_left_alone = !waits};
    if (st == S_OK) st = run_there(r, &job, &outcome);
    buf_release(&bytes);
    if (st != S_OK) return st;
    if (r->to->changed != NULL) r->to->changed(r->to->arg, u->table_count, u->tables, 0);
    if (waits) return r->to->said(r->to->arg, "[INFO] Complete execution of the SQL update statement.", r->e);
    const char *line = "[INFO] SQL update statement has been successfully submitted to the cluster:\nJob ID: ";
    return r->to->said(r->to->arg, arena_printf(&r->arena, "%s%s\n", line, outcome.job_id), r->e);
}
