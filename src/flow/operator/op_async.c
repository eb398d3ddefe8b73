/* op_async.c - asynchronous I/O: requests that wait for something outside run on helper threads, a bounded number at a time, while the
 * task goes on (async_queue.h). A row is a request; the function's .async answers it with rows, its .retry judges the attempt
 * (async_user.h). When its time is up .timeout answers in its place; without .timeout an elapsed limit fails the task. */
#include "flow/operator/async_queue.h"
#include "flow/operator/async_user.h"
#include "flow/operator/op_configs.h"

enum { CAPACITY_DEFAULT = 100, CAPACITY_MAX = 100000, MULTIPLIER_MAX = 1000000 };

struct async {
    struct tw_context cx;
    struct async_queue queue;
};

/* --- graph time --------------------------------------------------------------------------------------------------------- */
static enum status async_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct async_config *c = config;
    const struct tw_function *fn = c->function.fn;

    TRY(user_need_hook(&c->function, fn && fn->async, "async", e));
    TRY(user_derive_in(plan, 0, &c->function, true, e));
    TRY(user_derive_out(plan, &c->function, e));
    if (plan->output_count > 1) return err_set(e, E_GRAPH, "function '%s': asynchronous requests have no side outputs", c->function.name);
    if (fn->states[0] || fn->on_timer)
        return err_set(e, E_GRAPH, "function '%s': asynchronous requests have no state and no timers", c->function.name);
    if (c->capacity < 0 || c->capacity > CAPACITY_MAX)
        return err_set(e, E_GRAPH, "capacity %lld of asynchronous requests; 1 to %d", (long long)c->capacity, CAPACITY_MAX);
    if (c->timeout_ms < 0 || c->attempts < 0 || c->retry_delay_ms < 0 || c->retry_delay_max_ms < 0)
        return err_set(e, E_GRAPH, "timeout, attempts and delays of asynchronous requests must not be negative");
    if (!(c->retry_multiplier >= 0 && c->retry_multiplier <= MULTIPLIER_MAX))
        return err_set(e, E_GRAPH, "multiplier %g of the pauses between attempts; 0 to %d", c->retry_multiplier, MULTIPLIER_MAX);
    return S_OK;
}

static void answer_late(void *arg, struct async_job *job)
{
    const struct async *a = arg;

    async_user_run_here(job, a->cx.fn->timeout);
}

static enum status async_open(struct op_cx *op, void *self)
{
    struct async *a = self;
    const struct async_config *c = op->config;
    const struct async_settings settings = {.capacity = c->capacity ? (uint32_t)c->capacity : CAPACITY_DEFAULT,
                                            .rows = 1,
                                            .unordered = c->unordered,
                                            .timeout_ms = c->timeout_ms,
                                            .attempts = c->attempts,
                                            .delay_ms = c->retry_delay_ms,
                                            .delay_max_ms = c->retry_delay_max_ms,
                                            .multiplier = c->retry_multiplier};

    TRY(user_start(&a->cx, op, &c->function, false));
    if (a->cx.fn->timeout != NULL) a->queue.late = answer_late;
    a->queue.late_arg = a;
    a->queue.late_hint = arena_printf(op->plan->arena, "give function '%s' a .timeout to answer such rows, or allow more time", a->cx.ref->name);
    async_queue_open(&a->queue, op, &async_user_work, &a->cx, &settings);
    return S_OK;
}

static void async_close(struct op_cx *op, void *self, bool failed)
{
    struct async *a = self;

    (void)failed;
    async_queue_close(&a->queue, op->mem);
    user_close(&a->cx);
}

/* --- hooks ------------------------------------------------------------------------------------------------------------------ */
static enum status async_on_batch(struct op_cx *op, void *self, uint32_t input, struct batch *in)
{
    struct async *a = self;

    (void)op;
    ASSERT(input == 0);
    return async_queue_batch(&a->queue, in);
}

static enum status async_on_watermark(struct op_cx *op, void *self, int64_t watermark)
{
    struct async *a = self;

    (void)op;
    return async_queue_watermark(&a->queue, watermark);
}

static enum status async_on_time(struct op_cx *op, void *self, int64_t now_ms)
{
    struct async *a = self;

    (void)op;
    (void)now_ms;
    return async_queue_time(&a->queue);
}

static enum status async_on_barrier(struct op_cx *op, void *self, int64_t checkpoint)
{
    struct async *s = self;

    (void)op, (void)checkpoint;
    return async_queue_barrier(&s->queue);
}

static enum status async_on_end(struct op_cx *op, void *self, uint32_t input)
{
    struct async *a = self;

    (void)op;
    ASSERT(input == 0);
    return async_queue_end(&a->queue);
}

static bool async_blocks(const void *config)
{
    (void)config;
    return false; /* helpers do */
}

static void async_needs(const struct op_plan *plan, const void *config, const uint64_t *const *outputs, uint64_t *const *inputs)
{
    const struct async_config *c = config;

    (void)outputs;
    user_row_needs(c->function.fn->in, plan->inputs[0], inputs[0]);
}

const struct op_type op_async = {
    .name = "async",
    .doc = "requests to something outside, many at a time, by the function's .async on helper threads",
    .example = "tw_async_wait(orders, &look_up_customer, .timeout_ms = 1000, .capacity = 50)",
    .flags = OP_SELECTION | OP_FORMS,
    .input_count = 1,
    .config_size = sizeof(struct async_config),
    .config_fields = async_config_fields,
    .instance_size = sizeof(struct async),
    .derive = async_derive,
    .needs = async_needs,
    .blocks = async_blocks,
    .open = async_open,
    .on_batch = async_on_batch,
    .on_watermark = async_on_watermark,
    .on_time = async_on_time,
    .on_barrier = async_on_barrier,
    .on_end = async_on_end,
    .close = async_close,
    .makes_watermarks = true,
};
