/* worker_rows.c - rows of the job's tasks for the program that wants them: from the queues of this process (flow/task/row_queues.h) to the
 * job master, in pieces. The main thread.
 *
 * A receiver's rows are sent while at most ROW_RELAY_UNTAKEN_MAX bytes of them are under way; the rest waits in the queue, and what does
 * not fit there keeps its task from going on. That a task with such a sink came to its end is said when all its rows have arrived:
 * the job ends with the last of them. When nobody can take them any more (the job is canceled, the connection is gone) they
 * are dropped. */
#include "control/cluster/worker_internal.h"

#include "columns/column/batch_codec.h"
#include "control/jobmanager/row_relay.h"
#include "flow/operator/op_configs.h"

#include <string.h>

struct worker_receiver {
    struct worker_receiver *next;
    int64_t number;
    uint64_t untaken;
    bool is_drained; /* nothing was left when it was looked at last */
};

static const struct sink_config *collects(const struct graph_node *n)
{
    const struct sink_config *c = n->type == op_find("sink") ? n->config : NULL;

    return c != NULL && strcmp(c->connector, "collect") == 0 ? c : NULL;
}

/* A task's thread. */
static void rows_have_come(void *arg) { worker_note(arg, MESSAGE_ROWS, NULL); }

void job_rows_begin(struct worker_process *w)
{
    for (uint32_t i = 0; i < w->graph.node_count; i++) {
        const struct sink_config *c = collects(w->graph.nodes[i]);
        if (c == NULL) continue;
        struct worker_receiver *r = ARENA_NEW(&w->arena, struct worker_receiver);
        *r = (struct worker_receiver){.next = w->receivers, .number = c->handle};
        w->receivers = r;
    }
    if (w->receivers != NULL) row_queues_on_offer(job_row_queues(w->job), rows_have_come, w);
}

bool job_gives_rows_of(const struct worker_process *w, uint32_t vertex)
{
    const struct graph_vertex *v = &w->graph.vertices[vertex];

    for (uint32_t i = 0; w->receivers != NULL && i < v->node_count; i++)
        if (collects(w->graph.nodes[v->nodes[i]]) != NULL) return true;
    return false;
}

/* --- sending ------------------------------------------------------------------------------------------------------- */
static void send_pieces(struct worker_process *w, struct worker_receiver *r, struct str bytes)
{
    size_t at = 0;

    do {
        size_t size = MIN(bytes.size - at, ROW_RELAY_PIECE_MAX);
        struct rows_message m = {r->number, at + size == bytes.size, {bytes.data + at, size}};
        worker_say(w, MESSAGE_ROWS, &m);
        at += size;
    } while (at < bytes.size);
    r->untaken += bytes.size;
}

static void send_batch(struct worker_process *w, struct worker_receiver *r, const struct batch *b)
{
    struct mem mem;
    struct buf bytes;
    struct trouble_message trouble = {{0}};

    mem_init(&mem, "rows", 0);
    buf_init(&bytes, &mem);
    batch_encode(b, &bytes);
    if (bytes.size <= ROW_RELAY_BATCH_MAX) {
        send_pieces(w, r, (struct str){bytes.data, bytes.size});
    } else {
        err_set(&trouble.err, E_BUDGET, "%zu bytes of rows in one batch: a program that collects rows of a cluster takes at most %d MiB",
                bytes.size, ROW_RELAY_BATCH_MAX >> 20);
        err_hint(&trouble.err, "write them to a table, or lower thalweg.exec.batch-rows");
        worker_say(w, MESSAGE_TROUBLE, &trouble);
    }
    mem_release(&mem);
}

static void send_some(struct worker_process *w, struct worker_receiver *r)
{
    struct row_queues *queues = job_row_queues(w->job);
    struct batch *b;

    r->is_drained = false;
    while (w->drops_rows || r->untaken < ROW_RELAY_UNTAKEN_MAX) {
        b = row_queue_take(queues, r->number);
        if (b == NULL) {
            r->is_drained = w->drops_rows || r->untaken == 0;
            return;
        }
        if (!w->drops_rows) send_batch(w, r, b);
        row_queue_give_back(queues, r->number, b);
    }
}

/* --- ends ---------------------------------------------------------------------------------------------------------- */
static bool is_drained(const struct worker_process *w)
{
    for (const struct worker_receiver *r = w->receivers; r != NULL; r = r->next)
        if (!r->is_drained) return false;
    return true;
}

void job_rows_look(struct worker_process *w)
{
    if (w->receivers == NULL || !w->is_started) return;
    for (struct worker_receiver *r = w->receivers; r != NULL; r = r->next) send_some(w, r);
    if (!is_drained(w)) return;
    while (w->ends != NULL) {
        struct inbox_item *x = w->ends;
        w->ends = x->next;
        job_say_end(w, x->message);
        worker_free_item(x);
    }
}

void job_rows_ended(struct worker_process *w, struct inbox_item *x)
{
    x->next = w->ends;
    w->ends = x;
    job_rows_look(w);
}

void job_rows_taken(struct worker_process *w, const struct taken_message *m)
{
    for (struct worker_receiver *r = w->receivers; r != NULL; r = r->next)
        if (r->number == m->receiver) r->untaken -= MIN(m->bytes, r->untaken);
    job_rows_look(w);
}

void job_rows_drop(struct worker_process *w)
{
    w->drops_rows = true;
    job_rows_look(w);
}
