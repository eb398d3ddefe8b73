/* task.c - one task: takes events from its gate (or polls its source), gives them to the chain, and drains the chain,
 * in steps of about 200 us counted in rows, so that a step's length does not depend on the clock.
 *
 * Invariants: the chain is drained before the next event is taken; builders are flushed when the task would wait and at
 * the latest with the first event that comes 50 us after the last flush, also when a source gives one row at a time;
 * a failure is reported once, with the operator's name. */
#include "flow/task/task.h"

#include "flow/operator/user_partition.h"
#include "flow/state/state.h"
#include "flow/state/timer.h"
#include "flow/task/job_shared.h"
#include "flow/task/task_in_flight.h"

#include <stdio.h>

enum { STEP_ROWS = 32768, FLUSH_NS = 50000 };
enum { LONG_STEP_NS = 10 * 1000 * 1000, TIMED_STEPS = 1024 };
#define REPORT_PAUSE_NS INT64_C(60000000000)
enum { DISK_PATH_MAX = 1024 };

static void create_outputs(struct task *t)
{
    const struct task_plan *plan = t->plan;

    t->writers = mem_zalloc(&t->mem, sizeof *t->writers * MAX(1, plan->output_count));
    t->partitions = mem_zalloc(&t->mem, sizeof *t->partitions * MAX(1, plan->output_count));
    for (uint32_t i = 0; i < plan->output_count; i++) {
        const struct output_plan *o = &plan->outputs[i];
        t->writers[i] = writer_create(&o->writer, o->channels, o->channel_count, &t->mem);
        chain_connect(&t->chain, o->node, o->port, (struct consumer){.writer = t->writers[i]}, &t->mem);
    }
}

/* Of the rows that it puts out: a committer's are those of the next one. */
static uint32_t stage_out(const struct task_plan *plan)
{
    return plan->stage + ((plan->nodes[0].type->flags & OP_COMMITTER) != 0);
}

/* A committer says itself when its input is through, and counts for what follows besides. */
static void tasks_count(const struct task_plan *plan)
{
    job_task_made(plan->job, plan->stage);
    if (stage_out(plan) != plan->stage) job_task_made(plan->job, stage_out(plan));
}

/* The last operator that makes watermarks of its own says how far the task is; else its head, which hands on what comes. */
static uint32_t speaker_of(const struct task_plan *plan)
{
    uint32_t speaker = 0;

    for (uint32_t i = 0; i < plan->node_count; i++)
        if (plan->nodes[i].type->makes_watermarks) speaker = i;
    return speaker;
}

struct task *task_create(const struct task_plan *plan, struct sys *sys, struct log *log)
{
    struct mem mem;
    mem_init(&mem, plan->name, 0);
    struct task *t = mem_zalloc(&mem, sizeof *t);

    ASSERT(plan->node_count > 0);
    ASSERT((plan->input_count == 0) == (plan->nodes[0].type->input_count == 0));
    t->plan = plan;
    t->sys = sys;
    t->log = log;
    sys_atomic_store(&t->watermark, (uint64_t)TIME_MIN);
    t->speaker = speaker_of(plan);
    mem_init(&t->mem, plan->name, 0);
    mem_move(&mem, &t->mem);
    buf_init(&t->barrier.bytes, &t->mem);
    chain_init(&t->chain, plan, &t->mem, sys, log, &t->err);
    if (plan->input_count > 0) t->gate = gate_create(plan->inputs, plan->input_count, &t->mem, plan->seed);
    if (t->gate != NULL && plan->counts_barriers) gate_count_barriers(t->gate);
    create_outputs(t);
    if (plan->job != NULL) tasks_count(plan);
    return t;
}

void task_free(struct task *t)
{
    if (t == NULL) return;
    task_close(t, true);
    barrier_release(t);
    gate_free(t->gate);
    for (uint32_t i = 0; i < t->plan->output_count; i++) writer_free(t->writers[i]);
    chain_release(&t->chain, &t->mem);
    struct mem mem;
    mem_init(&mem, "task", 0);
    mem_move(&t->mem, &mem);
    mem_release(&mem);
}

static enum status failed(struct task *t, uint32_t node, enum status st)
{
    const struct op_cx *cx = &t->chain.nodes[node].cx;

    err_set(&t->err, st, "%s", status_text(st));
    err_wrap(&t->err, "operator '%s' (subtask %u/%u)", cx->name, cx->subtask + 1, cx->parallelism);
    t->state = TASK_FAILED;
    return st;
}

static int64_t state_now_ms(void *sys) { return sys_wall_ms(sys); }

static void state_wake(void *cx)
{
    const struct op_cx *op = cx;

    if (op->parker != NULL) sys_unpark(op->sys, op->parker);
}

/* A state host, and where it may keep what does not fit memory. */
struct host {
    struct state_host base; /* first */
    struct kv_settings kv;
    char path[DISK_PATH_MAX];
};

static void set_disk(struct host *h, const struct task *t, uint32_t node)
{
    const struct task_plan *plan = t->plan;

    h->kv = plan->disk->kv;
    snprintf(h->path, sizeof h->path, "%s/%u-%u-%u.%u", h->kv.path != NULL ? h->kv.path : "/tmp", plan->vertex, plan->subtask, node,
             plan->attempt);
    h->kv.path = h->path;
    h->base.sys = t->sys;
    h->base.behind = &h->kv;
    h->base.cache_bytes = plan->disk->cache_bytes;
}

/* Keyed operators get the key groups that are theirs: those that the writers in front send here. */
static struct state_host *create_state(struct task *t, struct node *n)
{
    const struct task_plan *plan = t->plan;
    struct host *host = mem_zalloc(&t->mem, sizeof *host);
    struct state_host *h = &host->base;
    uint64_t max = plan->max_parallelism, p = plan->parallelism;

    ASSERT(p >= 1 && max >= p);
    h->backend = plan->backend != NULL ? plan->backend : sb_find("hashmap");
    h->mem = &t->mem;
    h->group_first = (uint32_t)((plan->subtask * max + p - 1) / p);
    h->group_count = (uint32_t)(((plan->subtask + 1) * max + p - 1) / p) - h->group_first;
    h->max_parallelism = plan->max_parallelism;
    h->subtask = plan->subtask;
    h->parallelism = plan->parallelism;
    h->now_ms = state_now_ms;
    h->now_arg = t->sys;
    h->wake = state_wake;
    h->wake_arg = &n->cx;
    h->err = &t->err;
    h->bytes_max = plan->state_bytes_max;
    if (plan->disk != NULL) set_disk(host, t, (uint32_t)(n - t->chain.nodes));
    state_host_init(h);
    if (plan->budget != NULL) state_host_budget(h, plan->budget);
    return h;
}

/* A job with too many metrics goes on without this one. */
static struct metric *state_bytes_metric(struct op_cx *cx)
{
    struct metric_owner owner = job_metric_owner(cx);
    struct err e = {0};

    return cx->job != NULL ? metrics_get(job_metrics(cx->job), &owner, "stateBytes", METRIC_GAUGE, &e) : NULL;
}

/* What has ended before is passed by watermarks and ends, and never by a row. */
static enum status no_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    (void)cx, (void)self, (void)input, (void)in;
    ASSERT(!"a row for an operator that had ended before the checkpoint");
    return S_OK;
}
static const struct op_type ended_type = {.name = "ended", .doc = "an operator that had ended before the checkpoint", .on_batch = no_batch};

static bool has_ended(const struct node *n) { return n->cx.type == &ended_type; }

static enum status open_node(struct task *t, struct node *n)
{
    if (barrier_node_ended(t, n)) {
        n->cx.type = &ended_type;
        return S_OK;
    }
    bool is_keeper = (n->cx.type->flags & OP_KEEPS) != 0 && (t->plan->snapshots != NULL || t->plan->restore != NULL);

    if (n->cx.plan->key_count[0] > 0 || (n->cx.type->flags & OP_STATE) != 0 || is_keeper) {
        n->cx.state = create_state(t, n);
        n->state_bytes = state_bytes_metric(&n->cx);
    }
    barrier_restore_node(t, n);
    n->opened = true;
    sys_atomic_store(&t->chain.running, (uint64_t)(n - t->chain.nodes));
    enum status st = n->cx.type->open != NULL ? n->cx.type->open(&n->cx, n->self) : S_OK;
    if (n->cx.state != NULL) n->cx.state->restore = NULL; /* it goes when all operators are open */
    return st;
}

static enum status open_partition(struct task *t, uint32_t output)
{
    const struct output_plan *o = &t->plan->outputs[output];
    const struct op_cx *cx = &t->chain.nodes[o->node].cx;

    if (o->partition == NULL) return S_OK;
    TRY(user_partition_create(cx, o->partition, cx->plan->outputs[o->port], &t->partitions[output]));
    writer_set_custom(t->writers[output], user_partition_run, t->partitions[output]);
    return S_OK;
}

static bool was_finished(const struct task *t) { return t->plan->restore != NULL && t->plan->restore->is_finished; }

enum status task_open(struct task *t)
{
    ASSERT(t->state == TASK_CREATED);
    t->state = TASK_INITIALIZING;
    t->flushed_ns = sys_mono_ns(t->sys);
    if (was_finished(t)) {
        t->state = TASK_RUNNING;
        return S_OK;
    }
    for (uint32_t i = t->chain.count; i-- > 0;) {
        enum status st = open_node(t, &t->chain.nodes[i]);
        if (st != S_OK) return failed(t, i, st);
    }
    for (uint32_t i = 0; i < t->plan->output_count; i++) {
        enum status st = open_partition(t, i);
        if (st != S_OK) return failed(t, t->plan->outputs[i].node, st);
    }
    enum status st = in_flight_restore(t);
    if (st != S_OK) return failed(t, 0, st);
    t->state = TASK_RUNNING;
    return S_OK;
}

void task_close(struct task *t, bool has_failed)
{
    if (t->closed) return;
    t->closed = true;
    if (t->state != TASK_FAILED) t->state = has_failed ? TASK_CANCELED : TASK_FINISHED;
    barrier_drop(t);
    for (uint32_t i = 0; i < t->chain.count; i++) {
        struct node *n = &t->chain.nodes[i];
        sys_atomic_store(&t->chain.running, i);
        if (n->opened && n->cx.type->close != NULL) n->cx.type->close(&n->cx, n->self, has_failed);
        if (n->cx.state != NULL) state_host_release(n->cx.state);
        n->cx.state = NULL;
    }
    for (uint32_t i = 0; i < t->plan->output_count; i++) {
        user_partition_free(t->partitions[i]);
        t->partitions[i] = NULL;
    }
}

/* --- stepping ------------------------------------------------------------------------------------------------------- */
static enum status flush(struct task *t)
{
    t->flushed_ns = sys_mono_ns(t->sys);
    for (uint32_t i = 0; i < t->plan->output_count; i++) TRY(writer_flush(t->writers[i]));
    return S_OK;
}

/* Operators that are not in the midst of something hand out what they hold back. */
static enum status tell_of_waiting(struct task *t)
{
    for (uint32_t i = 0; i < t->chain.count; i++) {
        struct node *n = &t->chain.nodes[i];
        if (n->cx.type->on_idle == NULL || n->work != WORK_NONE || n->delivering) continue;
        enum status st = n->cx.type->on_idle(&n->cx, n->self);
        if (st < 0) {
            t->chain.failed_node = i;
            return st;
        }
    }
    return S_OK;
}

/* Before waiting for input: operators are told, builders go off. */
static enum status become_idle(struct task *t)
{
    if (t->is_flushed) return S_IDLE;
    if (!t->is_idle && !t->barrier.is_frozen) TRY(tell_of_waiting(t));
    t->is_idle = true;
    TRY(flush(t));
    t->is_flushed = true;
    return S_IDLE;
}

static void give_event(struct task *t, const struct gate_event *e)
{
    sys_trace(t->sys, (uint64_t)e->value ^ (e->kind == GATE_BATCH ? batch_rows(e->batch) : 0) ^ (uint64_t)e->kind << 32);
    switch (e->kind) {
    case GATE_BATCH: chain_give(&t->chain, WORK_BATCH, e->input, e->batch, 0); break;
    case GATE_WATERMARK: chain_give(&t->chain, WORK_WATERMARK, 0, NULL, e->value); break;
    case GATE_STATUS: chain_give_idle(&t->chain, e->value != 0); break;
    case GATE_END_INPUT: chain_give(&t->chain, WORK_END, e->input, NULL, 0); break;
    case GATE_END: t->input_ended = true; break;
    case GATE_BARRIER: barrier_begin(t, e->value, e->waited_ns, e->has_overtaken); break;
    case GATE_LATENCY: break;
    }
}

/* Takes the next thing to do from outside. S_OK given; S_IDLE nothing there; S_END nothing will come. */
static enum status take_input(struct task *t)
{
    struct node *head = &t->chain.nodes[0];
    struct gate_event event;

    if (t->input_ended) return S_END;
    if (sys_task_fails(t->sys)) return err_set(&t->err, E_IO, "the simulated world has it fail");
    if (t->gate != NULL) {
        TRY(gate_next(t->gate, &event));
        give_event(t, &event);
        return S_OK;
    }
    if (t->barrier.is_frozen) return S_IDLE;
    if (barrier_drains(t) || has_ended(head)) {
        t->input_ended = true;
        chain_end_source(&t->chain);
        return S_OK;
    }
    if (head->poll_answer == S_END) {
        t->input_ended = true;
        chain_give(&t->chain, WORK_END, 0, NULL, 0);
        return S_OK;
    }
    if (head->poll_answer == S_IDLE) { /* asked in this step already, or not due yet */
        head->poll_answer = S_OK;
        return S_IDLE;
    }
    chain_give(&t->chain, WORK_POLL, 0, NULL, 0);
    return S_OK;
}

static enum status run_timers(struct task *t)
{
    int64_t deadline = chain_deadline_ms(&t->chain);

    if (deadline == INT64_MAX || t->input_ended || t->barrier.is_frozen) return S_OK;
    int64_t now = sys_wall_ms(t->sys);
    if (now < deadline) return S_OK;
    t->is_idle = t->is_flushed = false; /* what a timer emits must not wait for rows to come */
    return chain_time(&t->chain, now);
}

static enum status flush_old(struct task *t)
{
    if (t->plan->output_count == 0 || sys_mono_ns(t->sys) - t->flushed_ns <= FLUSH_NS) return S_OK;
    return flush(t);
}

/* Who commits ends with a checkpoint; a job that stops with a savepoint as a whole with that. */
static enum status finish_with_checkpoint(struct task *t)
{
    bool waits = barrier_is_stopping(t) || chain_ends_committed(&t->chain);

    if (!waits) return S_END;
    chain_forget_times(&t->chain);
    return barrier_is_stopping(t) ? S_IDLE : barrier_await_last(t);
}

/* Everything is read. What leaves the job by a commit waits until that holds for all tasks of its stage: a job that fails
 * before has committed nothing. */
static enum status finish(struct task *t)
{
    struct job_shared *job = t->plan->job;

    if (flush(t) != S_OK) return S_FULL;
    if (t->barrier.saving != 0) return S_IDLE;
    if (!t->is_through && job != NULL) job_task_through(job, stage_out(t->plan));
    t->is_through = true;
    if (t->plan->snapshots != NULL) return finish_with_checkpoint(t);
    if (!chain_commits(&t->chain)) return S_END;
    chain_forget_times(&t->chain);
    if (job != NULL && !job_is_through(job, stage_out(t->plan), t->chain.nodes[0].cx.parker)) return S_IDLE;
    enum status st = chain_commit(&t->chain);
    return st == S_OK ? S_END : st;
}

/* It had ended before the checkpoint: all that is left to do is to say so, with the watermark that it had ended with. */
static enum status end_again(struct task *t)
{
    struct barrier *b = &t->barrier;

    for (; b->restore_output < t->plan->output_count; b->restore_output++) {
        if (b->restore_item == 0) TRY(writer_control(t->writers[b->restore_output], ELEMENT_WATERMARK, INT64_MAX));
        b->restore_item = 1;
        TRY(writer_control(t->writers[b->restore_output], ELEMENT_END, 0));
        b->restore_item = 0;
    }
    t->input_ended = true;
    if (t->plan->job != NULL) job_task_through(t->plan->job, stage_out(t->plan));
    return S_END;
}

static enum status step(struct task *t, bool *moved)
{
    if (was_finished(t)) return end_again(t);
    TRY(barrier_restore(t));
    if (t->plan->is_unaligned) in_flight_look(t);
    barrier_save(t);
    if (barrier_is_behind(t)) return S_PENDING;
    TRY(barrier_go(t));
    TRY(barrier_tell(t));
    if (barrier_has_stopped(t)) return S_END;
    TRY(chain_drain(&t->chain));
    t->is_pending = false;
    TRY(run_timers(t));
    for (;;) {
        if (barrier_is_due(t)) barrier_begin(t, (int64_t)sys_atomic_load(&t->barrier.ordered), 0, false);
        TRY(barrier_go(t));
        enum status st = take_input(t);
        if (st == S_IDLE) return become_idle(t);
        if (st == S_END) return finish(t);
        if (st != S_OK) return st;
        t->is_idle = t->is_flushed = false;
        TRY(chain_drain(&t->chain));
        *moved |= t->gate != NULL || t->chain.nodes[0].poll_answer != S_IDLE; /* asking in vain is no progress */
        st = flush_old(t); /* S_FULL: what waits for credit goes later */
        if (st < 0) return st;
    }
}

static void report_long_step(struct task *t, struct node *n, int64_t now, int64_t took_ns)
{
    if (n->was_reported && now - n->reported_ns < REPORT_PAUSE_NS) return;
    n->was_reported = true;
    n->reported_ns = now;
    log_write(t->log, LOG_INFO, "task",
              "operator '%s' (subtask %u/%u) kept its worker for %lld ms; other tasks wait meanwhile. A function that may "
              "block is marked TW_BLOCKING",
              n->cx.name, n->cx.subtask + 1, n->cx.parallelism, (long long)(took_ns / 1000000));
}

/* A long step of several operators does not say which of them it was: the following ones time every call. A task with a
 * thread of its own may take its time. */
static int64_t watch_length(struct task *t, int64_t began)
{
    struct chain *c = &t->chain;
    int64_t now = sys_mono_ns(t->sys);

    if (now - began > LONG_STEP_NS && !t->plan->blocking) {
        if (c->count == 1) report_long_step(t, &c->nodes[0], now, now - began);
        else if (c->slow_ns > LONG_STEP_NS) report_long_step(t, &c->nodes[c->slow_node], now, c->slow_ns);
        t->timed_steps = TIMED_STEPS;
    }
    c->slow_ns = 0;
    c->is_timed = (t->timed_steps > 0 && t->timed_steps-- > 1) || t->plan->times_hooks;
    return now;
}

/* The worker's thread alone writes them. */
static void add_time(struct task *t, enum status st, int64_t ns)
{
    struct sys_atomic_u64 *to = st == S_IDLE ? &t->idle_ns : st == S_FULL ? &t->full_ns : &t->busy_ns;

    sys_atomic_store(to, to->value + (uint64_t)ns);
}

/* Between two steps it is as the first of them left it; a step in which nothing moved belongs to what it found. */
static void count_time(struct task *t, int64_t began, int64_t now, enum status st)
{
    int64_t looked = (int64_t)t->looked_ns.value;

    if (looked > 0 && began > looked) add_time(t, (enum status)t->last.value, began - looked);
    add_time(t, st, now - began);
    sys_atomic_store(&t->last, (uint64_t)(st > 0 ? st : S_OK));
    sys_atomic_store(&t->looked_ns, (uint64_t)now);
}

struct task_times task_times(const struct task *t, int64_t now_ns)
{
    struct task_times out = {(int64_t)sys_atomic_load(&t->idle_ns), (int64_t)sys_atomic_load(&t->full_ns), (int64_t)sys_atomic_load(&t->busy_ns)};
    int64_t looked = (int64_t)sys_atomic_load(&t->looked_ns), since = looked > 0 && !t->closed ? MAX(0, now_ns - looked) : 0;
    enum status last = (enum status)sys_atomic_load(&t->last);

    if (last == S_IDLE) out.idle_ns += since;
    else if (last == S_FULL) out.full_ns += since;
    else out.busy_ns += since;
    return out;
}

/* State or an answer is on its way, and whoever owes it wakes the worker. When each row waits, the task is never without
 * input, so what was put out so far must not wait for that. */
static enum status become_pending(struct task *t)
{
    bool may_tell = !t->input_ended && t->barrier.phase == BARRIER_NONE; /* at the end of the input they were told already */

    if (!t->is_pending && may_tell) TRY(tell_of_waiting(t));
    t->is_pending = true;
    return flush(t) == S_OK ? S_IDLE : S_FULL;
}

enum status task_step(struct task *t)
{
    bool moved = false;

    ASSERT(t->state == TASK_RUNNING);
    if (sys_atomic_load(&t->cancelled) != 0) {
        err_set(&t->err, E_CANCELED, "canceled");
        return E_CANCELED;
    }
    t->chain.budget = STEP_ROWS;
    int64_t began = sys_mono_ns(t->sys);
    enum status st = step(t, &moved);
    bool is_pending = st == S_PENDING;
    if (is_pending) st = become_pending(t);
    int64_t now = watch_length(t, began);
    sys_atomic_store(&t->watermark, (uint64_t)t->chain.nodes[t->speaker].sent_watermark);
    if (st < 0) return failed(t, t->chain.failed_node, st);
    if (st == S_MORE || (st == S_IDLE && moved && !is_pending)) st = S_OK;
    if (st != S_END && flush_old(t) != S_OK && st == S_IDLE) st = S_FULL;
    count_time(t, began, now, st);
    return (st == S_IDLE || st == S_FULL) && (t->barrier.can_go_on || in_flight_is_known(t)) ? S_OK : st;
}

/* --- questions --------------------------------------------------------------------------------------------------------- */
void task_cancel(struct task *t) { sys_atomic_store(&t->cancelled, 1); }

/* What the operators wait for, and rows that wait for their batch to fill. */
int64_t task_deadline_ms(const struct task *t)
{
    int64_t deadline = chain_deadline_ms(&t->chain), hurry = in_flight_deadline_ms(t);

    deadline = MIN(deadline, hurry);
    for (uint32_t i = 0; i < t->plan->output_count; i++) {
        int64_t wait_ns = writer_wait_ns(t->writers[i]);
        if (wait_ns != INT64_MAX) deadline = MIN(deadline, sys_wall_ms(t->sys) + (wait_ns + 999999) / 1000000);
    }
    return deadline;
}

const struct err *task_err(const struct task *t) { return &t->err; }
enum task_state task_state(const struct task *t) { return t->state; }
const struct task_plan *task_plan_of(const struct task *t) { return t->plan; }
int64_t task_watermark(const struct task *t) { return (int64_t)sys_atomic_load(&t->watermark); }
const char *task_operator(const struct task *t) { return t->chain.nodes[sys_atomic_load(&t->chain.running)].cx.name; }
bool task_is_blocking(const struct task *t) { return t->plan->blocking; }

size_t task_state_bytes(const struct task *t, uint32_t node)
{
    ASSERT(node < t->chain.count);
    return t->chain.nodes[node].state_bytes_shown;
}

struct op_metrics *task_metrics(struct task *t, uint32_t node)
{
    ASSERT(node < t->chain.count);
    return t->chain.nodes[node].cx.metrics;
}

void task_count_state(const struct task *t, uint64_t *entries, uint64_t *event_timers, uint64_t *processing_timers)
{
    for (uint32_t i = 0; i < t->chain.count; i++) {
        const struct state_host *h = t->chain.nodes[i].cx.state;
        if (h == NULL) continue;
        *entries += state_host_count(h);
        timers_count_all(h, event_timers, processing_timers);
    }
}

void task_set_parker(struct task *t, struct sys_parker *parker)
{
    for (uint32_t i = 0; i < t->chain.count; i++) t->chain.nodes[i].cx.parker = parker;
}
