/* task_barrier.c - a checkpoint passes through a task.
 *
 * The barrier divides: what came before it is in the state that is saved, what comes after is not. So when it arrives the chain
 * is drained; the operators put out what they hold back; the barrier goes off behind that; then the operators' state is
 * frozen, and the task goes on. What was frozen is saved meanwhile, some at each of its turns, node by node, in chunks; at last the task
 * acknowledges. The next barrier waits until the one before is saved, and so does a task that ends.
 *
 * A source takes a checkpoint when it was ordered; so does a task whose input has ended and which waits for its commits. A task that
 * cannot save declines the checkpoint and goes on; one whose operator cannot prepare fails, as what it has written may be incomplete. Whoever commits ends with a checkpoint: when its input is through it asks
 * for one, and is done when that is complete.
 *
 * A job that stops with a savepoint ends with its barrier: behind that the task stands still, until the savepoint is complete and what
 * was prepared is committed. Where it drains, its sources end first, and every task takes the savepoint when its input is through.
 *
 * A restored task first commits what was prepared, then says to those behind it what it had said last, so that every gate
 * stands where it stood. */
#include "flow/state/snapshot.h"
#include "flow/state/state.h"
#include "flow/task/job_shared.h"
#include "flow/task/task_in_flight.h"
#include "ground/sys/sys_crash.h"

enum {
    SAVE_WAITING_MAX = 64 * 1024 * 1024,
    SAVE_SHARE = 4, /* saving takes a fourth of the time that the turn before took: where batches are slow a checkpoint is not slower still */
    SAVE_STEPS_MAX = 32,
};

/* --- restoring ----------------------------------------------------------------------------------------------------------- */
static const struct node_restore *restore_of(const struct task *t, const struct node *n)
{
    return t->plan->restore != NULL ? &t->plan->restore->nodes[n - t->chain.nodes] : NULL;
}

bool barrier_node_ended(const struct task *t, const struct node *n)
{
    const struct node_restore *r = restore_of(t, n);

    return r != NULL && r->is_finished;
}

void barrier_restore_node(const struct task *t, struct node *n)
{
    const struct node_restore *r = restore_of(t, n);

    if (n->cx.state != NULL) {
        n->cx.state->subtask = t->plan->subtask;
        n->cx.state->parallelism = t->plan->parallelism;
        n->cx.state->restore = r != NULL ? r->state : NULL;
    }
    if (r == NULL) return;
    n->cx.watermark = r->watermark;
    n->sent_watermark = r->sent_watermark;
    n->is_idle = r->is_idle;
    if (n->cx.type->on_time != NULL) n->cx.wake_ms = TIME_MIN; /* what its timers wait for is not known yet */
    if (n == t->chain.nodes && t->gate != NULL) gate_restore(t->gate, r->watermark);
}

static enum status recover_node(struct task *t, struct node *n)
{
    const struct node_restore *r = restore_of(t, n);
    uint32_t *item = &t->barrier.restore_item;

    for (; n->cx.type->recover != NULL && *item < r->committable_count; (*item)++) {
        arena_reset(&t->chain.scratch);
        sys_atomic_store(&t->chain.running, (uint64_t)(n - t->chain.nodes));
        enum status st = n->cx.type->recover(&n->cx, n->self, r->committables[*item]);
        if (st < 0) t->chain.failed_node = (uint32_t)(n - t->chain.nodes);
        if (st != S_OK) return st;
    }
    *item = 0;
    return S_OK;
}

static enum status say_again(struct task *t, uint32_t output)
{
    const struct node *n = &t->chain.nodes[t->plan->outputs[output].node];
    struct writer *w = t->writers[output];

    if (n->sent_watermark != TIME_MIN && t->barrier.restore_item == 0)
        TRY(writer_control(w, ELEMENT_WATERMARK, n->sent_watermark));
    t->barrier.restore_item = 1;
    if (n->is_idle) TRY(writer_control(w, ELEMENT_STATUS, 1));
    t->barrier.restore_item = 0;
    return S_OK;
}

enum status barrier_restore(struct task *t)
{
    struct barrier *b = &t->barrier;

    if (t->plan->restore == NULL) return S_OK;
    for (; b->restore_node < t->chain.count; b->restore_node++) TRY(recover_node(t, &t->chain.nodes[b->restore_node]));
    for (; b->restore_output < t->plan->output_count; b->restore_output++) TRY(say_again(t, b->restore_output));
    return S_OK;
}

/* --- the barrier --------------------------------------------------------------------------------------------------------- */
void task_trigger(struct task *t, int64_t checkpoint)
{
    bool is_whole = (checkpoint & SNAPSHOT_WHOLE) != 0;

    sys_atomic_store(&t->barrier.ordered, (uint64_t)barrier_word(checkpoint & ~SNAPSHOT_WHOLE, is_whole));
    sys_crash_point(t->sys, CRASH_C2);
}

void task_complete(struct task *t, int64_t checkpoint)
{
    sys_atomic_store(&t->barrier.completed, (uint64_t)checkpoint);
    sys_crash_point(t->sys, CRASH_C19);
}

/* --- stopping ------------------------------------------------------------------------------------------------------------- */
void task_stop(struct task *t, int64_t checkpoint, bool drains)
{
    ASSERT(checkpoint > 0);
    sys_atomic_store(&t->barrier.stop, (uint64_t)checkpoint << 1 | drains);
}

static int64_t stop_checkpoint(const struct task *t) { return (int64_t)(sys_atomic_load(&t->barrier.stop) >> 1); }
bool barrier_is_stopping(const struct task *t) { return stop_checkpoint(t) != 0; }
bool barrier_drains(const struct task *t) { return (sys_atomic_load(&t->barrier.stop) & 1) != 0; }

bool barrier_has_stopped(const struct task *t)
{
    return barrier_is_stopping(t) && t->barrier.told >= stop_checkpoint(t);
}

/* Behind it there is nothing: what operators still wait for is in their state. */
static void stand_still(struct task *t)
{
    t->barrier.is_frozen = true;
    t->chain.is_frozen = true;
    chain_forget_times(&t->chain);
}

/* --- the barrier begins ----------------------------------------------------------------------------------------------------- */
bool barrier_is_due(const struct task *t)
{
    const struct barrier *b = &t->barrier;

    if ((t->gate != NULL || barrier_drains(t)) && !t->input_ended) return false;
    return b->phase == BARRIER_NONE && barrier_checkpoint((int64_t)sys_atomic_load(&b->ordered)) > b->seen;
}

void barrier_begin(struct task *t, int64_t word, int64_t aligned_ns, bool has_overtaken)
{
    struct barrier *b = &t->barrier;
    int64_t checkpoint = barrier_checkpoint(word);

    ASSERT(b->phase == BARRIER_NONE && checkpoint > b->seen);
    sys_trace(t->sys, (uint64_t)checkpoint << 1 | 1);
    b->seen = checkpoint;
    b->is_whole = barrier_word(checkpoint, true) == word;
    if (t->is_through && b->last == 0) b->last = checkpoint;
    if (checkpoint == stop_checkpoint(t) && !barrier_drains(t)) stand_still(t);
    b->phase = BARRIER_ARRIVED;
    b->aligned_ns = aligned_ns;
    b->has_overtaken = has_overtaken;
    b->began_ns = sys_mono_ns(t->sys);
}

static void barrier_clear(struct task *t)
{
    struct barrier *b = &t->barrier;

    b->at = 0;
    b->is_prepared = false;
    if (b->nodes == NULL) {
        b->nodes = mem_zalloc(&t->mem, sizeof *b->nodes * (t->chain.count + 1));
        b->parts = mem_zalloc(&t->mem, sizeof *b->parts * (t->chain.count + 1));
        b->saves = mem_zalloc(&t->mem, sizeof *b->saves * (t->chain.count + 1));
        b->committables = mem_zalloc(&t->mem, sizeof *b->committables * t->chain.count);
        for (uint32_t i = 0; i < t->chain.count; i++) buf_init(&b->committables[i], &t->mem);
    }
    for (uint32_t i = 0; i < t->chain.count; i++) {
        b->nodes[i] = (struct node_snapshot){.uid = t->chain.nodes[i].cx.uid};
        buf_clear(&b->committables[i]);
    }
    b->nodes[t->chain.count] = (struct node_snapshot){.uid = t->plan->in_flight_id, .watermark = TIME_MIN, .sent_watermark = TIME_MIN};
}

/* --- saving ---------------------------------------------------------------------------------------------------------------- */
/* Hands over the chunk that is full, or the last one. */
static enum status send_chunk(struct task *t)
{
    struct barrier *b = &t->barrier;
    const struct snapshot_port *port = t->plan->snapshots;
    struct node_snapshot *node = &b->nodes[b->save_at];
    const struct snapshot_place where = {b->saving, node->uid, t->plan->vertex, t->plan->subtask, node->chunks,
                                         node->first_part != 0 ? b->saving : 0};
    uint64_t size = b->bytes.size;

    TRY(port->chunk(port->arg, &where, &b->bytes, t->chain.nodes[0].cx.parker));
    ASSERT(b->bytes.size == 0);
    node->chunks++;
    b->parts[b->save_at].bytes += size;
    b->total += size;
    return S_OK;
}

/* The tables of node save_at; NULL: there are none. */
static enum status save_node(struct task *t, struct state_save *save)
{
    struct barrier *b = &t->barrier;

    while (save != NULL && !b->is_saved) {
        if (b->bytes.size >= SNAPSHOT_CHUNK_BYTES) TRY(send_chunk(t));
        enum status st = state_save_step(save, &b->bytes, SNAPSHOT_CHUNK_BYTES, &b->err);
        if (st != S_OK) return st; /* S_MORE: others have their turn */
        b->is_saved = true;
    }
    if (b->bytes.size > 0) TRY(send_chunk(t));
    state_save_free(save);
    b->saves[b->save_at] = NULL;
    b->is_saved = false;
    return S_OK;
}

static enum status save_nodes(struct task *t)
{
    struct barrier *b = &t->barrier;

    for (; b->save_at < t->chain.count; b->save_at++) TRY(save_node(t, b->saves[b->save_at]));
    if (b->save_at > t->chain.count) return S_OK;
    if (b->in_flight == NULL) TRY(in_flight_save_create(t, &b->saves[b->save_at], &b->err));
    TRY(save_node(t, b->saves[b->save_at]));
    b->save_at++;
    in_flight_save_free(t);
    return S_OK;
}

void barrier_drop(struct task *t)
{
    struct barrier *b = &t->barrier;

    for (uint32_t i = 0; b->saves != NULL && i <= t->chain.count; i++) {
        state_save_free(b->saves[i]);
        b->saves[i] = NULL;
    }
    if (b->saving != 0 || b->in_flight != NULL) in_flight_save_free(t);
    buf_clear(&b->bytes);
    b->saving = 0;
    b->can_go_on = false;
}

static void decline(struct task *t, uint32_t node, enum status st)
{
    struct barrier *b = &t->barrier;
    const struct snapshot_port *port = t->plan->snapshots;
    const struct op_cx *cx = &t->chain.nodes[MIN(node, t->chain.count - 1)].cx;
    int64_t checkpoint = b->saving;

    if (b->part == checkpoint) b->part = 0;
    err_set(&b->err, st, "%s", status_text(st));
    err_wrap(&b->err, "operator '%s' (subtask %u/%u)", cx->name, cx->subtask + 1, cx->parallelism);
    barrier_drop(t);
    port->decline(port->arg, checkpoint, t->plan->vertex, t->plan->subtask, &b->err);
    b->err = t->err = (struct err){0};
    sys_crash_point(t->sys, CRASH_C10);
}

static void acknowledge(struct task *t)
{
    struct barrier *b = &t->barrier;
    const struct snapshot_port *port = t->plan->snapshots;
    const struct snapshot_ack ack = {.checkpoint = b->saving,
                                     .vertex = t->plan->vertex,
                                     .subtask = t->plan->subtask,
                                     .nodes = b->nodes,
                                     .node_count = t->chain.count + (b->nodes[t->chain.count].chunks > 0),
                                     .bytes = b->total,
                                     .aligned_ns = b->saving_aligned_ns,
                                     .held_ns = b->held_ns,
                                     .saved_ns = sys_mono_ns(t->sys) - b->saving_began_ns};

    b->saving = 0;
    parts_saved(t);
    sys_crash_point(t->sys, CRASH_C8);
    port->acknowledge(port->arg, &ack);
}

void barrier_save(struct task *t)
{
    struct barrier *b = &t->barrier;

    b->can_go_on = false;
    if (b->saving == 0 || b->phase == BARRIER_FREEZE) return; /* nodes that are not frozen yet have nothing to save */
    int64_t began = sys_mono_ns(t->sys), until = began + (began - b->save_turn_ns) / SAVE_SHARE;
    enum status st = save_nodes(t);
    for (uint32_t i = 1; st == S_MORE && i < SAVE_STEPS_MAX && sys_mono_ns(t->sys) < until; i++) st = save_nodes(t);
    b->save_turn_ns = sys_mono_ns(t->sys);
    b->can_go_on = st == S_MORE;
    if (st == S_OK) acknowledge(t);
    else if (st < 0) decline(t, b->save_at, st);
}

bool barrier_is_behind(const struct task *t)
{
    const struct barrier *b = &t->barrier;
    size_t waiting = 0;

    for (uint32_t i = b->save_at; b->saving != 0 && i < t->chain.count; i++)
        if (b->saves[i] != NULL) waiting += state_save_waiting(b->saves[i]);
    return waiting > SAVE_WAITING_MAX;
}

/* --- the barrier's way ------------------------------------------------------------------------------------------------------- */
static enum status freeze_node(struct task *t, struct node *n)
{
    struct barrier *b = &t->barrier;
    struct node_snapshot *out = &b->nodes[b->at];
    struct buf *committables = &b->committables[b->at];

    if (!b->is_prepared && n->cx.type->prepare != NULL) {
        arena_reset(&t->chain.scratch);
        enum status st = n->cx.type->prepare(&n->cx, n->self, b->seen, committables);
        b->has_failed = st < 0;
        if (st < 0) t->chain.failed_node = b->at;
        if (st != S_OK) return st;
    }
    b->is_prepared = true;
    if (n->cx.state != NULL) TRY(parts_save_create(t, b->at, &b->saves[b->at], &b->err));
    if (n->cx.state != NULL) state_save_draft(b->saves[b->at]); /* whoever writes it packs it */
    /* the end of time that drained the job is none for a job that goes on from here */
    bool is_drained = barrier_drains(t);
    out->watermark = is_drained ? TIME_MIN : n->cx.watermark;
    out->sent_watermark = is_drained ? TIME_MIN : n->sent_watermark;
    out->is_idle = n->is_idle && !is_drained;
    out->is_finished = barrier_node_ended(t, n);
    out->committables = (struct str){committables->data, committables->size};
    return S_OK;
}

static enum status freeze_nodes(struct task *t)
{
    struct barrier *b = &t->barrier;

    for (; b->at < t->chain.count; b->at++) {
        TRY(freeze_node(t, &t->chain.nodes[b->at]));
        b->is_prepared = false;
    }
    return S_OK;
}

/* What is there now is saved from here on. S_OK: or not, then the checkpoint is declined. */
static enum status freeze(struct task *t)
{
    struct barrier *b = &t->barrier;

    if (b->at == 0 && !b->is_prepared) {
        b->is_saved = false;
        b->save_at = 0;
        b->total = 0;
    }
    b->saving = b->seen;
    parts_look(t);
    enum status st = freeze_nodes(t);
    if (st > S_OK || b->has_failed) return st;
    b->saving_began_ns = b->began_ns;
    b->saving_aligned_ns = b->aligned_ns;
    b->saving_overtook = b->has_overtaken;
    b->save_turn_ns = sys_mono_ns(t->sys);
    b->held_ns = b->save_turn_ns - b->began_ns;
    if (!b->is_whole) {
        b->part = b->seen;
        b->part_is_there = false;
    }
    sys_crash_point(t->sys, CRASH_C6);
    if (st < 0) decline(t, b->at, st);
    return S_OK;
}

enum status barrier_go(struct task *t)
{
    struct barrier *b = &t->barrier;

    if (b->phase == BARRIER_NONE) return S_OK;
    ASSERT(t->plan->snapshots != NULL);
    if (b->phase == BARRIER_ARRIVED) {
        if (b->saving != 0) return b->can_go_on ? S_MORE : S_PENDING;
        barrier_clear(t);
        b->phase = BARRIER_OPERATORS;
    }
    if (b->phase == BARRIER_OPERATORS) {
        TRY(chain_barrier(&t->chain, b->seen, &b->at));
        b->phase = BARRIER_FORWARD;
        b->at = 0;
    }
    if (b->phase == BARRIER_FORWARD) {
        /* behind the end of input nobody reads on */
        for (; !t->input_ended && b->at < t->plan->output_count; b->at++) {
            TRY(writer_control(t->writers[b->at], ELEMENT_BARRIER, barrier_word(b->seen, b->is_whole)));
            sys_crash_point(t->sys, CRASH_C3);
        }
        in_flight_forwarded(t);
        b->phase = BARRIER_FREEZE;
        b->at = 0;
    }
    if (b->phase == BARRIER_FREEZE) {
        TRY(freeze(t));
        b->can_go_on = b->saving != 0;
    }
    b->phase = BARRIER_NONE;
    return S_OK;
}

/* --- what is complete ------------------------------------------------------------------------------------------------------ */
enum status barrier_tell(struct task *t)
{
    struct barrier *b = &t->barrier;
    int64_t completed = (int64_t)sys_atomic_load(&b->completed);

    parts_look(t);

    if (b->phase != BARRIER_NONE || (b->telling == 0 && completed <= b->told)) return S_OK;
    if (b->telling == 0) b->telling = completed;
    for (; b->tell_at < t->chain.count; b->tell_at++) {
        struct node *n = &t->chain.nodes[b->tell_at];
        if (n->cx.type->on_complete == NULL) continue;
        arena_reset(&t->chain.scratch);
        sys_atomic_store(&t->chain.running, b->tell_at);
        enum status st = n->cx.type->on_complete(&n->cx, n->self, b->telling);
        if (st < 0) t->chain.failed_node = b->tell_at;
        if (st != S_OK) return st;
    }
    b->told = b->telling;
    b->telling = 0;
    b->tell_at = 0;
    const struct snapshot_port *port = t->plan->snapshots;
    if (port != NULL && port->committed != NULL) port->committed(port->arg, b->told, t->plan->vertex, t->plan->subtask);
    return S_OK;
}

enum status barrier_await_last(struct task *t)
{
    struct barrier *b = &t->barrier;
    const struct snapshot_port *port = t->plan->snapshots;

    if (b->last != 0 && b->told >= b->last) return S_END;
    if (!b->has_said) port->wants(port->arg, t->plan->vertex, t->plan->subtask);
    b->has_said = true;
    return S_IDLE;
}

void barrier_release(struct task *t)
{
    struct barrier *b = &t->barrier;

    barrier_drop(t);
    buf_release(&b->bytes);
    for (uint32_t i = 0; b->nodes != NULL && i < t->chain.count; i++) buf_release(&b->committables[i]);
    mem_free(&t->mem, b->nodes);
    mem_free(&t->mem, b->saves);
    mem_free(&t->mem, b->parts);
    mem_free(&t->mem, b->committables);
}
