/* jobmaster_rows.c - rows of a job whose tasks run in other processes, for a program that fetches them (row_relay.h).
 *
 * What a program has been given cannot be taken back: such a job takes no checkpoints, and another attempt gives its rows another version,
 * by which the program sees that it cannot go on. */
#include "control/jobmanager/jobmaster.h"

#include "control/jobmanager/jobmaster_internal.h"
#include "flow/operator/op_configs.h"

#include <string.h>

static bool gives_rows(const struct graph_node *n)
{
    return n->type == op_find("sink") && strcmp(((const struct sink_config *)n->config)->connector, "collect") == 0;
}

bool job_gives_rows(const struct graph *g)
{
    for (uint32_t i = 0; i < g->node_count; i++)
        if (gives_rows(g->nodes[i])) return true;
    return false;
}

void jobmaster_relay_begins(struct jobmaster *jm)
{
    if (jm->relay != NULL) row_relay_begin(jm->relay, sys_random(jm->o.sys) | 1);
}

enum status jobmaster_put_rows(void *relay, uint32_t worker, int64_t receiver, struct str piece, bool is_last,
                               struct err *e)
{
    return row_relay_put(relay, worker, receiver, piece, is_last, e);
}

struct fetching {
    struct jobmaster *jm;
    struct row_fetch *f;
};

static void give(void *arg, struct str bytes)
{
    struct row_fetch *f = ((struct fetching *)arg)->f;

    f->batch(f->arg, bytes);
}

/* Under the lock `look`: the host stays. */
static void say_taken(void *arg, uint32_t worker, uint64_t bytes)
{
    const struct fetching *x = arg;
    struct task_host *h = x->jm->host;

    if (sys_atomic_load(&x->jm->is_deployed) != 0 && h->ops->taken != NULL) h->ops->taken(h, worker, x->f->receiver, bytes);
}

static enum status find_receiver(const struct jobmaster *jm, const char *operator_id, int64_t *out, struct err *e)
{
    for (uint32_t i = 0; jm->relay != NULL && i < jm->graph.node_count; i++) {
        const struct graph_node *n = jm->graph.nodes[i];
        if (!gives_rows(n) || strcmp(n->id, operator_id) != 0) continue;
        *out = ((const struct sink_config *)n->config)->handle;
        return S_OK;
    }
    return err_set(e, E_NOT_FOUND, "No coordinator of operator %s: it gives no rows", operator_id);
}

enum status jobmaster_fetch_rows(struct jobmaster *jm, const char *operator_id, struct row_fetch *f, struct err *e)
{
    struct fetching x = {jm, f};
    struct row_fetch inner = *f;

    TRY(find_receiver(jm, operator_id, &f->receiver, e));
    inner.receiver = f->receiver;
    inner.batch = give;
    inner.taken = say_taken;
    inner.arg = &x;
    sys_lock_take(jm->look);
    row_relay_fetch(jm->relay, &inner);
    sys_lock_give(jm->look);
    f->version = inner.version;
    f->from = inner.from;
    return S_OK;
}
