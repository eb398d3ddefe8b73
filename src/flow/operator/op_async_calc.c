/* op_async_calc.c - columns computed by functions that wait for something outside (TW_SQL_ASYNC): what op_calc does, on helper threads,
 * many at a time, while the task goes on (async_queue.h).
 *
 * A request is one row, with evaluators of its own; or, where all its functions take whole columns, the rows that came together. Rows and
 * watermarks keep their order, so changes may pass through. An attempt that failed is repeated as a whole.
 * Not here: conditions, which stand in a Calc of their own before or behind. */
#include "columns/function/user_function.h"
#include "flow/operator/async_queue.h"
#include "flow/operator/calc.h"
#include "flow/operator/computed.h"

#include "ground/base/str.h"

enum { CAPACITY_MAX = 100000 };

static const struct config_field async_calc_config_fields[] = {
    CONFIG_FIELD(async_calc_config, calc.columns, CONF_BYTES, "encoded expressions, one behind the other"),
    CONFIG_FIELD(async_calc_config, calc.names, CONF_TEXTS, "names of the computed columns"),
    CONFIG_FIELD(async_calc_config, calc.zone, CONF_TEXT, "the session's time zone"),
    CONFIG_FIELD(async_calc_config, capacity, CONF_INT, "calls under way at once"),
    CONFIG_FIELD(async_calc_config, timeout_ms, CONF_INT,
                 "how long all attempts of a call may take together; 0: for ever"),
    CONFIG_FIELD(async_calc_config, attempts, CONF_INT, "how often a call that fails is made at most"),
    CONFIG_FIELD(async_calc_config, retry_delay_ms, CONF_INT, "the pause between two attempts"),
    CONFIG_LAST,
};

struct async_calc {
    struct fn_session session;
    struct expr **columns;
    struct async_queue queue;
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static enum status read_columns(const struct op_plan *p, const struct calc_config *c, struct fn_session *session,
                                struct expr ***out, struct err *e)
{
    const uint8_t *at = (const uint8_t *)c->columns.data, *end = at + c->columns.size;
    struct expr_maker m = {.a = p->arena, .session = session};

    *session = (struct fn_session){.zone = str_of(c->zone), .users = p->users};
    *out = ARENA_ARRAY(p->arena, struct expr *, MAX(c->names.count, 1u));
    for (uint32_t i = 0; i < c->names.count; i++) TRY(expr_decode(&m, p->inputs[0], &at, end, &(*out)[i], e));
    return at == end ? S_OK : err_set(e, E_DATA, "there are more expressions than names");
}

static enum status async_calc_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct async_calc_config *c = config;
    struct fn_session session;
    struct expr **columns;

    if (c->capacity < 1 || c->capacity > CAPACITY_MAX)
        return err_set(e, E_GRAPH, "%lld calls at once; 1 to %d", (long long)c->capacity, CAPACITY_MAX);
    if (c->timeout_ms < 0 || c->attempts < 1 || c->retry_delay_ms < 0)
        return err_set(e, E_GRAPH, "timeout, attempts and pauses of asynchronous functions must not be negative");
    TRY(read_columns(p, &c->calc, &session, &columns, e));
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, MAX(c->calc.names.count, 1u));
    for (uint32_t i = 0; i < c->calc.names.count; i++) types[i] = columns[i]->type;
    p->outputs[0] = type_row(p->arena, c->calc.names.count, c->calc.names.items, types, false);
    p->output_count = 1;
    return S_OK;
}

static void async_calc_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs,
                             uint64_t *const *inputs)
{
    const struct async_calc_config *c = config;
    struct fn_session session;
    struct expr **columns;

    if (read_columns(p, &c->calc, &session, &columns, NULL) != S_OK) return;
    for (uint32_t i = 0; i < c->calc.names.count; i++)
        if (bit_get(outputs[0], i)) expr_columns(columns[i], inputs[0]);
}

static bool async_calc_blocks(const void *config)
{
    (void)config;
    return false; /* helpers do */
}

/* --- a request ---------------------------------------------------------------------------------------------------- */
static enum status job_open(struct async_job *job)
{
    const struct async_calc *a = job->arg;

    computed_open(job->own, &job->op, &a->session, a->columns);
    return S_OK;
}

static void job_close(struct async_job *job) { computed_close(job->own, &job->op); }

static void job_clear(struct async_job *job) { job->rows = NULL; }

static void job_attempt(struct async_job *job)
{
    struct computed *c = job->own;

    err_clear(&job->err);
    job->status = computed_view(c, &job->op, job->row, sys_wall_ms(job->op.sys));
    job->rows = job->status == S_OK ? &c->out : NULL;
    job->again = job->status != S_OK;
}

static const struct async_work calls = {
    .own_size = sizeof(struct computed), .open = job_open, .close = job_close, .attempt = job_attempt, .clear = job_clear};

/* Do all functions that wait take many rows at once? */
static bool takes_columns(const struct expr *x)
{
    bool all = x->kind != EXPR_CALL || (x->call->def->flags & FN_ASYNC) == 0 || user_call_takes_columns(x->call);

    for (uint32_t i = 0; i < x->count && all; i++) all = takes_columns(x->args[i]);
    return all;
}

/* --- hooks -------------------------------------------------------------------------------------------------------- */
static enum status async_calc_open(struct op_cx *cx, void *self)
{
    struct async_calc *a = self;
    const struct async_calc_config *c = cx->config;
    struct async_settings settings = {.capacity = (uint32_t)c->capacity,
                                      .rows = BATCH_ROWS,
                                      .retries_at_end = true, /* a failure there fails the job, as anywhere */
                                      .timeout_ms = c->timeout_ms,
                                      .attempts = c->attempts,
                                      .delay_ms = c->retry_delay_ms};

    TRY(read_columns(cx->plan, &c->calc, &a->session, &a->columns, cx->err));
    for (uint32_t i = 0; i < c->calc.names.count; i++)
        if (!takes_columns(a->columns[i])) settings.rows = 1;
    a->queue.late_hint = "allow more time: table.exec.async-scalar.timeout, table.exec.async-table.timeout";
    async_queue_open(&a->queue, cx, &calls, a, &settings);
    return S_OK;
}

static enum status async_calc_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct async_calc *a = self;

    (void)cx;
    ASSERT(input == 0);
    return async_queue_batch(&a->queue, in);
}

static enum status async_calc_on_watermark(struct op_cx *cx, void *self, int64_t watermark)
{
    struct async_calc *a = self;

    (void)cx;
    return async_queue_watermark(&a->queue, watermark);
}

static enum status async_calc_on_time(struct op_cx *cx, void *self, int64_t now_ms)
{
    struct async_calc *a = self;

    (void)cx;
    (void)now_ms;
    return async_queue_time(&a->queue);
}

static enum status async_calc_on_barrier(struct op_cx *op, void *self, int64_t checkpoint)
{
    struct async_calc *s = self;

    (void)op, (void)checkpoint;
    return async_queue_barrier(&s->queue);
}

static enum status async_calc_on_end(struct op_cx *cx, void *self, uint32_t input)
{
    struct async_calc *a = self;

    (void)cx;
    ASSERT(input == 0);
    return async_queue_end(&a->queue);
}

static void async_calc_close(struct op_cx *cx, void *self, bool failed)
{
    struct async_calc *a = self;

    (void)failed;
    async_queue_close(&a->queue, cx->mem);
}

const struct op_type op_async_calc = {
    .name = "async_calc",
    .doc = "SQL: columns computed by functions that wait for something outside, many calls at a time",
    .example = "SELECT look_up(customer) FROM orders",
    .flags = OP_SELECTION | OP_FORMS,
    .input_count = 1,
    .config_size = sizeof(struct async_calc_config),
    .config_fields = async_calc_config_fields,
    .instance_size = sizeof(struct async_calc),
    .derive = async_calc_derive,
    .needs = async_calc_needs,
    .blocks = async_calc_blocks,
    .open = async_calc_open,
    .on_batch = async_calc_on_batch,
    .on_watermark = async_calc_on_watermark,
    .on_time = async_calc_on_time,
    .on_barrier = async_calc_on_barrier,
    .on_end = async_calc_on_end,
    .close = async_calc_close,
    .makes_watermarks = true,
};
