/* worker_far.c - a worker and the others of its attempt: which subtask is where, the exchange between them, and what the tasks of a job share
 * though they are in several processes (flow/task/job_far.h): words that go by way of the job master, since it has a connection to each.
 *
 * All workers derive the same from what they are sent: a subtask is where its slot is, the enumerator of a source where its first subtask is
 * that has not come to its end before. What waits for others at the end of the input counts the tasks elsewhere from the beginning. */
#include "control/cluster/worker_internal.h"

#include "flow/source/alignment.h"
#include "flow/source/enumerator.h"

#include <string.h>

/* --- places -------------------------------------------------------------------------------------------------------------------------- */
static uint32_t worker_of(void *arg, uint32_t vertex, uint32_t subtask)
{
    const struct worker_process *w = arg;
    uint32_t slot = slots_first(&w->graph, vertex) + subtask;

    ASSERT(slot < w->slot_count);
    return w->slots[slot];
}

static bool was_finished(const struct worker_process *w, uint32_t vertex, uint32_t subtask)
{
    return w->restore != NULL && restore_plan_task(w->restore, vertex, subtask)->is_finished;
}

static uint32_t owner_of(void *arg, const char *uid)
{
    struct worker_process *w = arg;
    uint32_t subtask = 0;

    for (uint32_t i = 0; i < w->graph.node_count; i++) {
        const struct graph_node *n = w->graph.nodes[i];
        if (strcmp(n->id, uid) != 0) continue;
        while (subtask + 1 < n->parallelism && was_finished(w, n->vertex, subtask)) subtask++;
        return worker_of(w, n->vertex, subtask);
    }
    return w->placement.self; /* no node of the graph: an operator's own */
}

/* --- words --------------------------------------------------------------------------------------------------------------------------- */
static void send_word(void *arg, uint32_t to, const struct far_word *word)
{
    struct far_message m = {.to = to,
                            .verb = word->verb,
                            .subtask = word->subtask,
                            .key = word->key,
                            .text = word->text,
                            .number = word->number,
                            .wake_ms = word->wake_ms,
                            .status = word->status,
                            .bytes = word->bytes};

    if (word->err != NULL) m.err = *word->err;
    worker_say(arg, MESSAGE_FAR, &m);
}

static bool is_whole(const struct far_message *m)
{
    bool has_key = m->verb == FAR_THROUGH || (m->key != NULL && strlen(m->key) < CLUSTER_NAME_MAX);
    bool has_text = (m->verb != FAR_FINISHED && m->verb != FAR_LEFT && (m->verb != FAR_ANSWER || m->status != S_OK)) || m->text != NULL;

    return m->verb < FAR_VERBS && has_key && has_text && m->status >= INT8_MIN && m->status <= INT8_MAX &&
           (m->status < 0) == (m->err.status != S_OK);
}

bool job_hear(struct worker_process *w, const struct far_message *m)
{
    struct far_word word = {(enum far_verb)m->verb, m->key, m->text, m->subtask, m->number, m->wake_ms, (enum status)m->status, m->bytes,
                            m->status < 0 ? &m->err : NULL};

    if (!is_whole(m) || sys_atomic_load(&w->is_deployed) == 0) return true;
    if (word.verb == FAR_THROUGH) {
        if (m->number >= 0 && m->number < JOB_STAGES_MAX) job_far_through(w->job, (uint32_t)m->number);
    } else if (word.verb == FAR_ALIGNED) {
        alignment_hear(w->job, m->from, &word);
    } else {
        return enumerator_hear(w->job, m->from, &word);
    }
    return true;
}

void job_hear_early(struct worker_process *w)
{
    struct inbox_item **at = &w->early;

    while (*at != NULL) {
        struct inbox_item *x = *at;
        if (job_hear(w, x->message)) {
            *at = x->next;
            worker_free_item(x);
        } else {
            at = &x->next;
        }
    }
}

/* --- deploying ------------------------------------------------------------------------------------------------------------------------- */
static enum status copy_plan(struct worker_process *w, const struct deploy_message *m, struct err *e)
{
    w->worker_count = m->peer_count;
    w->workers = ARENA_ARRAY(&w->arena, struct remote_worker, m->peer_count + 1);
    for (uint32_t i = 0; i < m->peer_count; i++) {
        const struct peer_message *p = &m->peers[i];
        if (p->host == NULL || p->name == NULL || p->port > UINT16_MAX) return err_set(e, E_DATA, "a worker without an address");
        w->workers[i] = (struct remote_worker){arena_strdup(&w->arena, p->name), arena_strdup(&w->arena, p->host), (int)p->port};
    }
    w->slot_count = m->slot_count;
    w->slots = ARENA_ARRAY(&w->arena, uint32_t, m->slot_count + 1);
    for (uint32_t i = 0; i < m->slot_count; i++) {
        if (m->slots[i] >= m->peer_count) return err_set(e, E_DATA, "a slot of a worker that is not there");
        w->slots[i] = m->slots[i];
    }
    if (m->slot_count < slots_needed(&w->graph) || m->worker >= m->peer_count)
        return err_set(e, E_DATA, "%u slots for a job that needs %u", m->slot_count, slots_needed(&w->graph));
    return S_OK;
}

/* The net's thread. */
static void on_cut(void *arg, uint32_t worker, const struct err *why)
{
    struct trouble_message m = {*why};

    (void)worker;
    worker_say(arg, MESSAGE_TROUBLE, &m);
}

static void count_tasks_elsewhere(struct worker_process *w)
{
    for (uint32_t v = 0; v < w->graph.vertex_count; v++) {
        const struct graph_node *head = w->graph.nodes[w->graph.vertices[v].head];
        for (uint32_t s = 0; s < w->graph.vertices[v].parallelism; s++) {
            if (worker_of(w, v, s) == w->placement.self) continue;
            job_task_made(w->job, head->stage);
            if ((head->type->flags & OP_COMMITTER) != 0) job_task_made(w->job, head->stage + 1);
        }
    }
}

enum status job_spread(struct worker_process *w, const struct deploy_message *m, struct err *e)
{
    struct remote_plan plan = {.job_id = w->args.job_id, .epoch = m->epoch, .attempt = m->attempt, .self = m->worker, .failed = on_cut, .arg = w};

    TRY(copy_plan(w, m, e));
    if (m->peer_count < 2) return S_OK;
    plan.workers = w->workers;
    plan.worker_count = w->worker_count;
    w->exchange = remote_exchange_create(w->net, &plan);
    w->placement = (struct task_placement){worker_of, w, m->worker, w->exchange};
    w->settings.placement = &w->placement;
    w->far = (struct job_far){m->worker, m->peer_count, send_word, owner_of, w};
    job_use_far(w->job, &w->far);
    count_tasks_elsewhere(w);
    return S_OK;
}
