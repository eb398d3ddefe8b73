/* chain.c - runs the operators of a task.
 *
 * The idea: an operator holds its input until it answers S_OK. After every call its output is delivered completely, down
 * to the leaves, before it is called again; so at any moment the pending work is a path from the head to one operator,
 * and the deepest one runs. Every cursor of that path (port, consumer, the operator's own) lives in the nodes, which is
 * why a walk can stop anywhere, for lack of credit or at the end of a step, and the next chain_drain resumes it there.
 *
 * Order behind a call's rows: watermark, idleness, end of input. An operator sees a watermark only after all rows before
 * it, and forwards it only after it has answered S_OK to it, so everything a watermark caused travels in front of it. */
#include "flow/task/chain.h"

#include "flow/state/state.h"
#include "flow/task/job_shared.h"

#include <string.h>

/* --- what operators call ---------------------------------------------------------------------------------------------- */
struct batch *op_out(struct op_cx *cx, uint32_t port)
{
    struct op_port *p = &cx->ports[port];

    ASSERT(port < cx->port_count);
    if (p->own == NULL) {
        const uint64_t *needed = cx->needed_out != NULL ? cx->needed_out[port] : NULL;
        p->own = batch_create_needed(cx->plan->outputs[port], needed, cx->batch_rows, cx->mem);
    }
    p->emitted = p->own;
    return p->own;
}

uint32_t op_room(struct op_cx *cx, uint32_t port)
{
    struct batch *b = op_out(cx, port);

    return b->heap.used >= BATCH_BYTES ? 0 : b->capacity - b->count;
}

void op_forward(struct op_cx *cx, uint32_t port, struct batch *b)
{
    struct op_port *p = &cx->ports[port];

    ASSERT(port < cx->port_count);
    ASSERT(p->emitted == NULL || p->emitted->count == 0);
    p->emitted = b;
}

bool op_port_used(const struct op_cx *cx, uint32_t port)
{
    return port < cx->port_count && cx->ports[port].consumer_count > 0;
}

static const struct node *const_node_of(const struct op_cx *cx)
{
    return (const struct node *)(const void *)((const char *)cx - offsetof(struct node, cx));
}

static struct node *node_of(struct op_cx *cx) { return (struct node *)(void *)((char *)cx - offsetof(struct node, cx)); }

void op_emit_watermark(struct op_cx *cx, int64_t watermark)
{
    struct node *n = node_of(cx);

    ASSERT(cx->type->makes_watermarks);
    if (watermark <= n->sent_watermark) return;
    n->has_watermark = true;
    n->out_watermark = watermark;
}

void op_emit_idle(struct op_cx *cx, bool idle)
{
    struct node *n = node_of(cx);

    n->has_idle = idle != n->is_idle;
    n->idle_value = idle;
}

bool op_is_idle(const struct op_cx *cx) { return const_node_of(cx)->is_idle; }

/* --- making and connecting ---------------------------------------------------------------------------------------------- */
static void node_init(struct chain *c, struct node *n, const struct node_plan *p, const struct task_plan *plan, struct mem *mem)
{
    uint32_t ports = MAX(1, p->plan->output_count);

    n->chain = c;
    n->cx.type = p->type;
    n->cx.config = p->config;
    n->plan = *p->plan;
    n->plan.arena = &c->arena;
    n->cx.plan = &n->plan;
    n->cx.needed_in = p->needed_in;
    n->cx.needed_out = p->needed_out;
    n->cx.name = p->name;
    n->cx.uid = p->uid;
    n->cx.task_name = plan->name;
    n->cx.task_variables = &c->variables;
    n->cx.user_variables = p->metric_variables;
    n->cx.subtask = plan->subtask;
    n->cx.parallelism = plan->parallelism;
    n->cx.max_parallelism = plan->max_parallelism;
    n->cx.attempt = plan->attempt;
    n->cx.is_checkpointed = plan->snapshots != NULL;
    n->cx.stage = plan->stage;
    n->cx.batch_rows = plan->batch_rows;
    n->cx.mem = mem;
    n->cx.scratch = &c->scratch;
    n->cx.job = plan->job;
    n->cx.watermark = n->sent_watermark = TIME_MIN;
    n->cx.wake_ms = INT64_MAX;
    n->cx.port_count = ports;
    n->cx.ports = mem_zalloc(mem, sizeof *n->cx.ports * ports);
    n->cx.metrics = mem_zalloc(mem, sizeof *n->cx.metrics);
    n->self = p->type->instance_size > 0 ? mem_zalloc(mem, p->type->instance_size) : NULL;
    n->ends_missing = MAX(1, MAX(p->type->input_count, p->plan->input_count));
}

/* What metrics say of the task, by Flink's names. */
static struct options variables_make(const struct task_plan *plan, struct arena *a)
{
    const char *task_id = plan->nodes[0].uid != NULL ? plan->nodes[0].uid : plan->nodes[0].name;
    struct job_settings settings = job_settings(plan->job);
    const struct option all[] = {
        {"<host>", settings.host},
        {"<tm_id>", settings.resource_id},
        {"<job_id>", job_shared_id(plan->job)},
        {"<job_name>", job_shared_name(plan->job)},
        {"<task_id>", task_id},
        {"<task_name>", plan->name},
        {"<task_attempt_id>", arena_printf(a, "%s_%s_%u_%u", job_shared_id(plan->job), task_id, plan->subtask, plan->attempt)},
        {"<task_attempt_num>", arena_printf(a, "%u", plan->attempt)},
        {"<subtask_index>", arena_printf(a, "%u", plan->subtask)},
    };
    struct option *items = ARENA_ARRAY(a, struct option, COUNT_OF(all));

    memcpy(items, all, sizeof all);
    return (struct options){items, COUNT_OF(all)};
}

void chain_init(struct chain *c, const struct task_plan *plan, struct mem *mem, struct sys *sys, struct log *log, struct err *err)
{
    ASSERT(plan->node_count >= 1);
    ASSERT(plan->batch_rows >= 1 && plan->batch_rows <= BATCH_ROWS);
    c->is_timed = plan->times_hooks;
    c->counts_bytes = plan->times_hooks || plan->counts_bytes;
    arena_init(&c->scratch, mem, 0);
    arena_init(&c->arena, mem, 0);
    if (plan->job != NULL) c->variables = variables_make(plan, &c->arena);
    c->count = plan->node_count;
    c->nodes = mem_zalloc(mem, sizeof *c->nodes * c->count);
    for (uint32_t i = 0; i < c->count; i++) {
        node_init(c, &c->nodes[i], &plan->nodes[i], plan, mem);
        c->nodes[i].cx.sys = sys;
        c->nodes[i].cx.log = log;
        c->nodes[i].cx.err = err;
        if (i > 0) chain_connect(c, plan->nodes[i].parent, plan->nodes[i].parent_port, (struct consumer){.node = &c->nodes[i]}, mem);
    }
}

void chain_connect(struct chain *c, uint32_t node, uint32_t port, struct consumer consumer, struct mem *mem)
{
    struct op_port *p = &c->nodes[node].cx.ports[port];

    ASSERT(node < c->count && port < c->nodes[node].cx.port_count);
    p->consumers = mem_realloc(mem, p->consumers, sizeof *p->consumers * (p->consumer_count + 1));
    p->consumers[p->consumer_count++] = consumer;
}

void chain_release(struct chain *c, struct mem *mem)
{
    for (uint32_t i = 0; i < c->count; i++) {
        struct node *n = &c->nodes[i];
        for (uint32_t p = 0; p < n->cx.port_count; p++) {
            batch_free(n->cx.ports[p].own);
            mem_free(mem, n->cx.ports[p].consumers);
        }
        batch_free(n->dense);
        mem_free(mem, n->cx.ports);
        mem_free(mem, n->cx.metrics);
        mem_free(mem, n->self);
    }
    mem_free(mem, c->nodes);
    arena_release(&c->scratch);
    arena_release(&c->arena);
}

/* --- giving work ---------------------------------------------------------------------------------------------------------- */
static struct batch *acceptable(struct node *n, struct batch *in)
{
    bool plain = true;

    if (in->sel != NULL && !(n->cx.type->flags & OP_SELECTION)) plain = false;
    for (uint32_t i = 0; plain && i < in->col_count; i++)
        if ((in->cols[i].form == VEC_CONST || in->cols[i].form == VEC_DICT) && !(n->cx.type->flags & OP_FORMS)) plain = false;
    if (plain) return in;
    if (n->dense != NULL && n->dense->capacity < batch_rows(in)) { /* an operator may hand on batches of different sizes */
        batch_free(n->dense);
        n->dense = NULL;
    }
    if (n->dense == NULL) {
        const uint64_t *needed = n->cx.needed_in != NULL ? n->cx.needed_in[0] : NULL;
        n->dense = batch_create_needed(in->schema, needed, in->capacity, n->cx.mem);
    }
    batch_clear(n->dense);
    batch_append(n->dense, in, NULL, 0);
    return n->dense;
}

static void node_give(struct node *n, enum work work, uint32_t input, struct batch *in, int64_t value)
{
    ASSERT(n->work == WORK_NONE && !n->delivering);
    n->work = work;
    n->input = input;
    n->in = work == WORK_BATCH ? acceptable(n, in) : NULL;
    n->value = value;
    if (work == WORK_BATCH) sys_atomic_store(&n->cx.metrics->rows_in, n->cx.metrics->rows_in.value + batch_rows(n->in));
}

void chain_give(struct chain *c, enum work work, uint32_t input, struct batch *in, int64_t value)
{
    struct node *n = &c->nodes[0];

    node_give(n, work, input, in, value);
    if (work == WORK_BATCH && c->counts_bytes) sys_atomic_store(&n->cx.metrics->bytes_in, n->cx.metrics->bytes_in.value + batch_bytes(n->in));
}

void chain_end_source(struct chain *c)
{
    struct node *n = &c->nodes[0];

    if (n->sent_watermark < WATERMARK_MAX) {
        n->has_watermark = true;
        n->out_watermark = WATERMARK_MAX;
    }
    node_give(n, WORK_END, 0, NULL, 0);
}

static void node_idle(struct node *n, bool idle)
{
    n->has_idle = idle != n->is_idle;
    n->idle_value = idle;
}

void chain_give_idle(struct chain *c, bool idle) { node_idle(&c->nodes[0], idle); }

/* --- delivering output ------------------------------------------------------------------------------------------------------ */
static enum status node_drain(struct node *n);

static void consumer_give(struct node *n, struct node *to, struct batch *b)
{
    n->given_sel = b->sel;
    n->given_sel_count = b->sel_count;
    n->consumer_given = true;
    node_give(to, WORK_BATCH, 0, b, 0);
}

static enum status deliver_rows(struct node *n)
{
    for (; n->port < n->cx.port_count; n->port++, n->consumer = 0) {
        struct op_port *p = &n->cx.ports[n->port];
        if (p->emitted == NULL || batch_rows(p->emitted) == 0) continue;
        for (; n->consumer < p->consumer_count; n->consumer++, n->consumer_given = false) {
            struct consumer *to = &p->consumers[n->consumer];
            bool last = n->consumer + 1 == p->consumer_count;
            if (to->writer != NULL) {
                TRY(writer_batch(to->writer, p->emitted, last && p->emitted == p->own));
            } else {
                if (!n->consumer_given) consumer_give(n, to->node, p->emitted);
                TRY(node_drain(to->node));
                p->emitted->sel = n->given_sel; /* the next one has all the rows again */
                p->emitted->sel_count = n->given_sel_count;
            }
        }
    }
    return S_OK;
}

/* One control element to every consumer of every port. */
static enum status deliver_control(struct node *n, enum element_kind kind, int64_t value)
{
    for (; n->port < n->cx.port_count; n->port++, n->consumer = 0) {
        struct op_port *p = &n->cx.ports[n->port];
        for (; n->consumer < p->consumer_count; n->consumer++, n->consumer_given = false) {
            struct consumer *to = &p->consumers[n->consumer];
            if (to->writer != NULL) {
                TRY(writer_control(to->writer, kind, value));
                continue;
            }
            if (!n->consumer_given) {
                if (kind == ELEMENT_STATUS) node_idle(to->node, value != 0);
                else node_give(to->node, kind == ELEMENT_END ? WORK_END : WORK_WATERMARK, 0, NULL, value);
            }
            n->consumer_given = true;
            TRY(node_drain(to->node));
        }
    }
    n->port = n->consumer = 0;
    n->consumer_given = false;
    return S_OK;
}

static void count_out(struct node *n)
{
    uint64_t rows = 0, bytes = 0;

    for (uint32_t p = 0; p < n->cx.port_count; p++) {
        const struct batch *b = n->cx.ports[p].emitted;
        if (b == NULL) continue;
        rows += batch_rows(b);
        if (n->chain->counts_bytes) bytes += batch_bytes(b);
    }
    sys_atomic_store(&n->cx.metrics->rows_out, n->cx.metrics->rows_out.value + rows);
    if (bytes > 0) sys_atomic_store(&n->cx.metrics->bytes_out, n->cx.metrics->bytes_out.value + bytes);
}

static enum status node_deliver(struct node *n)
{
    if (n->delivering) {
        TRY(deliver_rows(n));
        n->delivering = false;
        n->port = n->consumer = 0;
        n->consumer_given = false;
    }
    if (n->has_watermark) {
        TRY(deliver_control(n, ELEMENT_WATERMARK, n->out_watermark));
        n->has_watermark = false;
        n->sent_watermark = n->out_watermark;
    }
    if (n->has_idle) {
        TRY(deliver_control(n, ELEMENT_STATUS, n->idle_value));
        n->has_idle = false;
        n->is_idle = n->idle_value;
    }
    if (n->has_end && n->work == WORK_NONE) {
        TRY(deliver_control(n, ELEMENT_END, 0));
        n->has_end = false;
    }
    return S_OK;
}

/* A simulated world may want a source to have nothing for a while. */
static enum status call_poll(struct node *n)
{
    int64_t pause_ms = sys_source_pause_ms(n->cx.sys);

    if (pause_ms <= 0) return n->cx.type->poll(&n->cx, n->self);
    op_wake_at(&n->cx, sys_wall_ms(n->cx.sys) + pause_ms);
    return S_IDLE;
}

/* --- running ------------------------------------------------------------------------------------------------------------------ */
static enum status call_hook(struct node *n)
{
    const struct op_type *t = n->cx.type;

    switch (n->work) {
    case WORK_BATCH: return t->on_batch(&n->cx, n->self, n->input, n->in);
    case WORK_POLL: return call_poll(n);
    case WORK_TIME: return t->on_time != NULL ? t->on_time(&n->cx, n->self, n->value) : S_OK;
    case WORK_BARRIER: return t->on_barrier(&n->cx, n->self, n->value);
    case WORK_END: return t->on_end != NULL ? t->on_end(&n->cx, n->self, n->input) : S_OK;
    case WORK_WATERMARK:
        n->cx.watermark = n->value;
        return t->on_watermark != NULL ? t->on_watermark(&n->cx, n->self, n->value) : S_OK;
    case WORK_NONE: break;
    }
    ASSERT(!"a node without work was run");
    return S_OK;
}

static enum status call_timed(struct node *n)
{
    struct chain *c = n->chain;
    int64_t began = sys_mono_ns(n->cx.sys);
    enum status st = call_hook(n);
    int64_t took = sys_mono_ns(n->cx.sys) - began;

    sys_atomic_store(&n->cx.metrics->busy_ns, n->cx.metrics->busy_ns.value + (uint64_t)MAX(took, 0));
    if (took > c->slow_ns) {
        c->slow_ns = took;
        c->slow_node = (uint32_t)(n - c->nodes);
    }
    return st;
}

/* What its functions counted in this call, to those who look while the job runs. */
static void show_counts(struct node *n)
{
    bool has_news = false;

    for (const struct instance_counts *c = n->cx.counts; c != NULL; c = c->next) has_news |= c->changed;
    if (has_news && n->cx.job != NULL) job_counts_show(n->cx.job, n->cx.counts);
}

void node_show_state(struct node *n)
{
    size_t bytes = state_host_bytes(n->cx.state);

    if (bytes == n->state_bytes_shown) return;
    n->state_bytes_shown = bytes;
    metric_set(n->state_bytes, (double)bytes);
}

static void watermark_pass(struct node *n, int64_t value)
{
    if (n->cx.type->makes_watermarks || value <= n->sent_watermark) return;
    n->has_watermark = true;
    n->out_watermark = value;
}

/* The hook is through with its input: what follows from it for the consumers? */
static void node_finished(struct node *n)
{
    bool holds_last = (n->cx.type->flags & OP_AT_END) != 0;

    if (n->work == WORK_WATERMARK && !(holds_last && n->value == WATERMARK_MAX)) watermark_pass(n, n->value);
    if (n->work == WORK_END && --n->ends_missing == 0) {
        if (holds_last) watermark_pass(n, n->cx.watermark);
        n->has_end = true;
    }
    n->work = WORK_NONE;
    n->in = NULL;
}

static enum status node_run(struct node *n)
{
    for (uint32_t p = 0; p < n->cx.port_count; p++) {
        struct op_port *port = &n->cx.ports[p];
        if (port->own != NULL && (port->own->count > 0 || port->own->sel != NULL)) batch_clear(port->own);
        port->emitted = NULL;
    }
    arena_reset(&n->chain->scratch);
    if (n->work == WORK_POLL || n->was_pending) n->cx.wake_ms = INT64_MAX; /* each call says anew when to come back */
    sys_atomic_store(&n->chain->running, (uint64_t)(n - n->chain->nodes));
    n->chain->budget -= CHAIN_CALL_COST + (n->in != NULL ? (int64_t)batch_rows(n->in) : 0);
    enum status st = n->chain->is_timed ? call_timed(n) : call_hook(n);
    if (n->cx.counts != NULL) show_counts(n);
    if (n->state_bytes != NULL) node_show_state(n);
    if (st < 0) {
        n->chain->failed_node = (uint32_t)(n - n->chain->nodes);
        return st;
    }
    n->was_pending = st == S_PENDING;
    if (n->was_pending) {
        for (uint32_t p = 0; p < n->cx.port_count; p++) /* they would be lost */
            ASSERT(n->cx.ports[p].emitted == NULL || batch_rows(n->cx.ports[p].emitted) == 0);
        return st;
    }
    n->delivering = true;
    count_out(n);
    if (n->work == WORK_POLL) {
        n->poll_answer = st;
        node_finished(n);
    } else if (st == S_OK) {
        node_finished(n);
    }
    return S_OK;
}

static enum status node_drain(struct node *n)
{
    for (;;) {
        TRY(node_deliver(n));
        if (n->work == WORK_NONE) return S_OK;
        if (n->chain->budget <= 0) return S_MORE;
        TRY(node_run(n));
    }
}

/* Deepest first: whatever an earlier walk left pending anywhere in the tree is finished before its parents go on. */
enum status chain_drain(struct chain *c)
{
    for (uint32_t i = c->count; i-- > 0;) TRY(node_drain(&c->nodes[i]));
    return S_OK;
}

/* Parents first: what a parent's timer emits reaches the child before the child's own timer runs. */
enum status chain_time(struct chain *c, int64_t now_ms)
{
    for (uint32_t i = 0; i < c->count; i++) {
        struct node *n = &c->nodes[i];
        bool is_due = n->cx.wake_ms <= now_ms || sys_atomic_load(&n->cx.rung) != 0;
        if (n->work == WORK_NONE && !n->delivering && is_due && n->cx.type->on_time != NULL) {
            n->cx.wake_ms = INT64_MAX;
            sys_atomic_store(&n->cx.rung, 0); /* before the hook looks for what it was rung for */
            node_give(n, WORK_TIME, 0, NULL, now_ms);
        }
        TRY(node_drain(n));
    }
    return S_OK;
}

enum status chain_barrier(struct chain *c, int64_t checkpoint, uint32_t *at)
{
    TRY(chain_drain(c)); /* of the one whose turn it was */
    while (*at < c->count) {
        struct node *n = &c->nodes[(*at)++];
        if (n->cx.type->on_barrier == NULL) continue;
        node_give(n, WORK_BARRIER, 0, NULL, checkpoint);
        TRY(chain_drain(c));
    }
    return S_OK;
}

static bool node_commits(const struct node *n)
{
    return n->cx.type->commits != NULL && n->cx.type->commits(n->cx.config);
}

bool chain_commits(const struct chain *c)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (node_commits(&c->nodes[i])) return true;
    return false;
}

bool chain_ends_committed(const struct chain *c)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (c->nodes[i].cx.ends_committed || node_commits(&c->nodes[i])) return true;
    return false;
}

void chain_forget_times(struct chain *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        c->nodes[i].cx.wake_ms = INT64_MAX;
        sys_atomic_store(&c->nodes[i].cx.rung, 0);
    }
}

enum status chain_commit(struct chain *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        struct node *n = &c->nodes[i];
        if (n->is_committed || !node_commits(n)) continue;
        arena_reset(&c->scratch);
        sys_atomic_store(&c->running, i);
        enum status st = n->cx.type->commit(&n->cx, n->self);
        show_counts(n);
        if (st < 0) c->failed_node = i;
        if (st != S_OK) return st;
        n->is_committed = true;
    }
    return S_OK;
}

int64_t chain_deadline_ms(const struct chain *c)
{
    int64_t deadline = INT64_MAX;

    for (uint32_t i = 0; i < c->count; i++) {
        if (!c->is_frozen && sys_atomic_load(&c->nodes[i].cx.rung) != 0) return 0;
        deadline = MIN(deadline, c->nodes[i].cx.wake_ms);
    }
    return deadline;
}
