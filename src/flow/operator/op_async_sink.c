/* op_async_sink.c - sends rows in requests that are answered later: Flink's AsyncSinkBase. Rows become entries of a buffer;
 * a request takes entries from its front when there are enough, by number or bytes, or when they waited long enough, as far
 * as the rate allows.
 *
 * The idea: where Flink's writer yields, a hook answers S_PENDING and is called again when an answer rang; what is to be gone
 * on with stands in `self`. Answers are taken between rows, as Flink's mailbox does, so batch size does not reach requests.
 *
 * Invariants: entries that failed are at the front of the buffer before anything else is sent. While the timer's flush is
 * not through (is_draining) nothing else happens, and so no row is taken. When the end of the input is through, nothing is
 * buffered and nothing in flight.
 *
 * Not here: requests and threads (async_request.c), entries (async_entries.c), the rate (async_rate.h). */
#include "flow/operator/async_rate.h"
#include "flow/operator/async_request.h"
#include "flow/operator/op_configs.h"

#include <string.h>

enum {
    BATCH_DEFAULT = 500,
    IN_FLIGHT_DEFAULT = 50,
    BUFFERED_DEFAULT = 10000,
    BATCH_BYTES_DEFAULT = 5 * 1024 * 1024,
    RECORD_BYTES_DEFAULT = 1024 * 1024,
    BUFFER_MS_DEFAULT = 5000,
    TIMEOUT_MS_DEFAULT = 600000,
    INCREASE_DEFAULT = 10,
    COUNT_MAX = 1000000,
};
/* Far from overflow when added to a time, or to another of them. */
#define LONG_MAX_VALUE ((int64_t)1 << 50)

struct tw_waiting {
    struct async_sink *of;
    uint32_t most;
};

struct async_sink {
    struct tw_context cx;
    struct async_sink_config c; /* with defaults in place */
    struct user_out entry;      /* where a converted row is made */
    bool is_open;
    struct entry_buffer buffer;
    struct tw_waiting waiting; /* for .next_batch */
    struct async_requests requests;
    struct async_rate rate;
    int64_t timer_ms; /* when what is buffered goes off; INT64_MAX = no timer */
    bool is_draining; /* it was time, and not all is sent */
    uint32_t answers; /* taken since the end's last request */
    struct tw_metric *send_time, *bytes_out, *records_out;
};

static enum status value_check(const char *name, int64_t value, int64_t least, int64_t most, struct err *e)
{
    if (value >= least && value <= most) return S_OK;
    return err_set(e, E_GRAPH, "%s of an asynchronous sink is %lld; %lld to %lld", name, (long long)value,
                   (long long)least, (long long)most);
}

static int64_t or_default(int64_t value, int64_t other) { return value == 0 ? other : value; }

static struct async_sink_config with_defaults(const struct async_sink_config *given)
{
    struct async_sink_config c = *given;

    c.max_batch_size = or_default(c.max_batch_size, BATCH_DEFAULT);
    c.max_in_flight_requests = or_default(c.max_in_flight_requests, IN_FLIGHT_DEFAULT);
    c.max_buffered_requests = or_default(c.max_buffered_requests, BUFFERED_DEFAULT);
    c.max_batch_size_bytes = or_default(c.max_batch_size_bytes, BATCH_BYTES_DEFAULT);
    c.max_time_in_buffer_ms = or_default(c.max_time_in_buffer_ms, BUFFER_MS_DEFAULT);
    c.max_record_size_bytes = or_default(c.max_record_size_bytes, RECORD_BYTES_DEFAULT);
    c.request_timeout_ms = or_default(c.request_timeout_ms, TIMEOUT_MS_DEFAULT);
    c.initial_in_flight_messages = or_default(c.initial_in_flight_messages, c.max_batch_size);
    c.aimd_increase = or_default(c.aimd_increase, INCREASE_DEFAULT);
    if (c.aimd_decrease == 0) c.aimd_decrease = 0.5;
    return c;
}

/* --- graph time --------------------------------------------------------------------------------------------------------- */
static enum status rate_check(const struct async_sink_config *c, struct err *e)
{
    TRY(value_check("initial_in_flight_messages", c->initial_in_flight_messages, 1, INT32_MAX, e));
    TRY(value_check("aimd_increase", c->aimd_increase, 1, INT32_MAX, e));
    TRY(value_check("aimd_threshold", c->aimd_threshold, 0, INT32_MAX, e));
    if (!(c->aimd_decrease > 0 && c->aimd_decrease < 1))
        return err_set(e, E_GRAPH, "aimd_decrease of an asynchronous sink is %g; between 0 and 1", c->aimd_decrease);
    int64_t most = or_default(c->aimd_threshold, c->max_batch_size * c->max_in_flight_requests);
    if (most >= c->aimd_increase) return S_OK;
    return err_set(e, E_GRAPH, "aimd_threshold of an asynchronous sink is %lld (%s), less than aimd_increase, %lld",
                   (long long)most, c->aimd_threshold ? "given" : "max_batch_size * max_in_flight_requests",
                   (long long)c->aimd_increase);
}

static enum status sizes_check(const struct async_sink_config *c, struct err *e)
{
    TRY(value_check("max_batch_size", c->max_batch_size, 1, COUNT_MAX, e));
    TRY(value_check("max_in_flight_requests", c->max_in_flight_requests, 1, COUNT_MAX, e));
    TRY(value_check("max_buffered_requests", c->max_buffered_requests, 1, INT32_MAX, e));
    TRY(value_check("max_batch_size_bytes", c->max_batch_size_bytes, 1, LONG_MAX_VALUE, e));
    TRY(value_check("max_time_in_buffer_ms", c->max_time_in_buffer_ms, 1, LONG_MAX_VALUE, e));
    TRY(value_check("max_record_size_bytes", c->max_record_size_bytes, 1, LONG_MAX_VALUE, e));
    TRY(value_check("request_timeout_ms", c->request_timeout_ms, 1, LONG_MAX_VALUE, e));
    if (c->max_buffered_requests <= c->max_batch_size)
        return err_set(
            e, E_GRAPH,
            "max_buffered_requests of an asynchronous sink is %lld; it must be more than max_batch_size, %lld",
            (long long)c->max_buffered_requests, (long long)c->max_batch_size);
    if (c->max_batch_size_bytes >= c->max_record_size_bytes) return S_OK;
    return err_set(e, E_GRAPH,
                   "max_batch_size_bytes of an asynchronous sink is %lld, less than max_record_size_bytes, %lld",
                   (long long)c->max_batch_size_bytes, (long long)c->max_record_size_bytes);
}

static enum status async_sink_derive(struct op_plan *plan, const void *config, struct err *e)
{
    struct async_sink_config c = with_defaults(config);
    const struct tw_function *fn = c.function.fn;
    const struct type *type;

    TRY(user_need_hook(&c.function, fn && fn->submit, "submit", e));
    TRY(user_need_hook(&c.function, fn->entry_size != NULL, "entry_size", e));
    TRY(user_derive_in(plan, 0, &c.function, true, e));
    if (fn->map != NULL) TRY(user_need_hook(&c.function, fn->out != NULL, "out", e));
    if (fn->map != NULL) TRY(user_row_type(plan->arena, fn->out, &type, e));
    if (fn->states[0] || fn->on_timer || fn->committable || fn->writer_state || fn->sink)
        return err_set(
            e, E_GRAPH,
            "function '%s': an asynchronous sink has .submit; no .sink, states, timers, commits or writer state",
            c.function.name);
    TRY(sizes_check(&c, e));
    return rate_check(&c, e);
}

static void async_sink_needs(const struct op_plan *plan, const void *config, const uint64_t *const *outputs,
                             uint64_t *const *inputs)
{
    const struct async_sink_config *c = config;

    (void)outputs;
    user_row_needs(c->function.fn->in, plan->inputs[0], inputs[0]);
}

static bool async_sink_blocks(const void *config)
{
    const struct async_sink_config *c = config;

    return c->function.fn && (c->function.fn->flags & TW_BLOCKING) != 0;
}

/* --- opening and closing -------------------------------------------------------------------------------------------------- */
static void rate_init(struct async_sink *a)
{
    const struct async_sink_config *c = &a->c;

    a->rate = (struct async_rate){
        .max_requests = c->max_in_flight_requests,
        .max_messages = c->initial_in_flight_messages,
        .increase = c->aimd_increase,
        .threshold = or_default(c->aimd_threshold, c->max_batch_size * c->max_in_flight_requests),
        .decrease = c->aimd_decrease};
}

static enum status async_sink_open(struct op_cx *op, void *self)
{
    struct async_sink *a = self;
    struct tw_context *cx = &a->cx;

    a->c = with_defaults(op->config);
    a->timer_ms = INT64_MAX;
    a->waiting.of = a;
    rate_init(a);
    TRY(user_start(cx, op, &a->c.function, false));
    TRY(user_out_bind(cx, &a->entry, cx->fn->map ? cx->fn->out : cx->fn->in));
    entries_init(&a->buffer, a->entry.row.schema, &a->entry.row.conv, op->mem);
    requests_init(&a->requests, op, &a->buffer, (uint32_t)a->c.max_batch_size);
    a->is_open = true;
    a->send_time = tw_metric_gauge(cx, NULL, "currentSendTime");
    a->bytes_out = tw_metric_counter(cx, NULL, "numBytesOut");
    a->records_out = tw_metric_counter(cx, NULL, "numRecordsOut");
    return user_check(cx, TW_OK);
}

static void async_sink_close(struct op_cx *op, void *self, bool failed)
{
    struct async_sink *a = self;

    (void)op;
    (void)failed;
    if (a->entry.stage != NULL) user_out_close(&a->entry);
    user_close(&a->cx); /* its .close ends whoever answers */
    if (!a->is_open) return;
    requests_release(&a->requests);
    entries_release(&a->buffer);
}

/* --- sending ---------------------------------------------------------------------------------------------------------------- */
/* Entries of the next request, were bytes no matter. */
static uint32_t batch_limit(const struct async_sink *a)
{
    return (uint32_t)MIN(a->c.max_batch_size, a->rate.max_messages);
}

/* --- what .next_batch sees ------------------------------------------------------------------------------------------------ */
static const struct entry *waiting_at(const struct async_sink *a, uint32_t i)
{
    return &a->buffer.items[(a->buffer.first + i) % a->buffer.capacity];
}

uint32_t tw_waiting_count(const struct tw_waiting *w) { return w->of->buffer.count; }
uint32_t tw_waiting_most(const struct tw_waiting *w) { return w->most; }
int64_t tw_waiting_max_bytes(const struct tw_waiting *w) { return w->of->c.max_batch_size_bytes; }

int64_t tw_waiting_bytes(const struct tw_waiting *w, uint32_t i)
{
    ASSERT(i < w->of->buffer.count);
    return waiting_at(w->of, i)->bytes;
}

/* Nothing is made there meanwhile: a row is in the buffer before a request is sent. */
const void *tw_waiting_entry(const struct tw_waiting *w, uint32_t i)
{
    struct user_out *o = &w->of->entry;

    ASSERT(i < w->of->buffer.count);
    arena_reset(&o->text);
    entries_read(&w->of->buffer, waiting_at(w->of, i), 1, o->stage, &o->text);
    return o->stage;
}

/* --- requests ----------------------------------------------------------------------------------------------------------------- */
static bool is_blocked(const struct async_sink *a)
{
    return async_rate_blocks(&a->rate, MIN(batch_limit(a), a->buffer.count));
}

/* As many of them as max_batch_size_bytes takes. */
static uint32_t batch_count(const struct async_sink *a, uint32_t most, int64_t *bytes)
{
    uint32_t count = 0;

    for (*bytes = 0; count < most; count++) {
        int64_t more = waiting_at(a, count)->bytes;
        if (*bytes + more > a->c.max_batch_size_bytes) break;
        *bytes += more;
    }
    return count;
}

/* As many of them as the function says: one at least, or it would be asked for ever. */
static enum status batch_ask(struct async_sink *a, uint32_t most, uint32_t *count, int64_t *bytes)
{
    struct tw_context *cx = &a->cx;

    a->waiting.most = most;
    *bytes = -1;
    TRY(user_check(cx, cx->fn->next_batch(cx, &a->waiting, count, bytes)));
    if (*count == 0 || *count > most || *bytes < -1) {
        user_misuse(cx, ".next_batch answers %u entries of %lld bytes; 1 to %u entries", *count, (long long)*bytes, most);
        return user_failed(cx, TW_FAILED);
    }
    if (*bytes >= 0) return S_OK;
    *bytes = 0;
    for (uint32_t i = 0; i < *count; i++) *bytes += waiting_at(a, i)->bytes;
    return S_OK;
}

static enum status request_send(struct async_sink *a)
{
    struct tw_context *cx = &a->cx;
    int64_t bytes = 0;
    uint32_t most = MIN(batch_limit(a), a->buffer.count), count = 0;

    if (most == 0) return S_OK;
    if (cx->fn->next_batch != NULL) TRY(batch_ask(a, most, &count, &bytes));
    else count = batch_count(a, most, &bytes);
    if (count == 0) return S_OK;
    struct tw_request *r = request_make(&a->requests, count);
    tw_metric_add(cx, a->records_out, count);
    tw_metric_add(cx, a->bytes_out, bytes);
    async_rate_sent(&a->rate, count);
    request_sent(r, sys_wall_ms(cx->op->sys), a->c.request_timeout_ms);
    return user_check(cx, cx->fn->submit(cx, r));
}

/* S_PENDING: not before an answer. */
static enum status flush_one(struct async_sink *a) { return is_blocked(a) ? S_PENDING : request_send(a); }

/* Full requests, as far as nobody must wait for them. */
static enum status flush_full(struct async_sink *a)
{
    while (a->buffer.count > 0 && !is_blocked(a) &&
           (a->buffer.count >= batch_limit(a) || a->buffer.bytes >= a->c.max_batch_size_bytes))
        TRY(request_send(a));
    return S_OK;
}

/* For the first entry in an empty buffer. */
static void timer_set(struct async_sink *a)
{
    if (a->timer_ms == INT64_MAX) a->timer_ms = sys_wall_ms(a->cx.op->sys) + a->c.max_time_in_buffer_ms;
}

/* --- answers ---------------------------------------------------------------------------------------------------------------- */
static enum status answered(struct async_sink *a, struct tw_request *r)
{
    struct op_cx *op = a->cx.op;

    if (r->answer == REQUEST_FAILED) {
        err_set(op->err, E_USER, "%s", r->text);
        return err_wrap(op->err, "request of %u entries", r->count);
    }
    tw_metric_set(&a->cx, a->send_time, (double)(sys_wall_ms(op->sys) - r->sent_ms));
    async_rate_answered(&a->rate, r->count, r->again_count);
    if (r->again_count > 0 && a->buffer.count == 0) timer_set(a);
    request_settle(r);
    return flush_full(a);
}

static enum status answers_take(struct async_sink *a)
{
    struct tw_request *r, *next;

    for (r = requests_take(&a->requests); r != NULL; r = next) {
        next = r->next;
        a->answers++;
        TRY(answered(a, r));
    }
    return S_OK;
}

static enum status request_late(struct async_sink *a, struct tw_request *r)
{
    struct op_cx *op = a->cx.op;
    bool was_empty = a->buffer.count == 0;

    if (!request_expire(r)) return S_OK; /* answered at the last moment */
    if (a->c.fail_on_timeout) {
        err_set(op->err, E_USER, "request of %u entries: no answer within %lld ms", r->count,
                (long long)a->c.request_timeout_ms);
        err_hint(op->err, "allow more time with request_timeout_ms, or leave fail_on_timeout off to try again");
        return E_USER;
    }
    if (was_empty) timer_set(a);
    a->answers++;
    tw_metric_set(&a->cx, a->send_time, (double)(sys_wall_ms(op->sys) - r->sent_ms));
    async_rate_answered(&a->rate, r->count, r->count);
    return flush_full(a);
}

/* What came and what is due. The clock is asked once. */
static enum status advance(struct async_sink *a)
{
    struct op_cx *op = a->cx.op;

    sys_atomic_store(&op->rung, 0); /* before looking for what it was rung for */
    TRY(answers_take(a));
    int64_t now = sys_wall_ms(op->sys);
    for (struct tw_request *r = a->requests.first_sent, *next; r != NULL && r->deadline_ms <= now; r = next) {
        next = r->next_sent;
        TRY(request_late(a, r));
    }
    if (a->timer_ms > now) return S_OK;
    a->timer_ms = INT64_MAX;
    a->is_draining = true;
    return S_OK;
}

/* All that is buffered goes off. */
static enum status drain(struct async_sink *a)
{
    if (!a->is_draining) return S_OK;
    while (a->buffer.count > 0) TRY(flush_one(a));
    a->is_draining = false;
    return S_OK;
}

static void wake_set(struct async_sink *a)
{
    op_wake_at(a->cx.op, a->timer_ms);
    if (a->requests.first_sent != NULL) op_wake_at(a->cx.op, a->requests.first_sent->deadline_ms);
}

/* Bottom of a hook. One that waits gives a client without threads its chance first. */
static enum status leave(struct async_sink *a, enum status st)
{
    if (st < 0) return st;
    a->cx.batch = NULL;
    a->cx.row = NULL;
    if (st == S_PENDING && a->cx.fn->flush != NULL) TRY(user_check(&a->cx, a->cx.fn->flush(&a->cx)));
    if (st == S_PENDING && requests_have_answers(&a->requests)) return S_MORE;
    wake_set(a);
    return st;
}

/* --- rows -------------------------------------------------------------------------------------------------------------------- */
/* The entry of a row, in a->entry.stage. */
static enum status convert(struct async_sink *a, const char *row, int64_t *bytes)
{
    struct tw_context *cx = &a->cx;
    char *entry = a->entry.stage;
    size_t size = a->entry.row.conv.size;

    if (cx->fn->map == NULL) {
        memcpy(entry, row, size);
    } else {
        memset(entry, 0, size);
        TRY(user_check(cx, cx->fn->map(cx, row, entry)));
    }
    if (user_out_must_hold(&a->entry)) user_out_hold(cx, &a->entry, entry);
    *bytes = 0;
    TRY(user_check(cx, cx->fn->entry_size(cx, entry, bytes)));
    if (*bytes >= 0 && *bytes <= a->c.max_record_size_bytes) return S_OK;
    user_misuse(cx, "an entry of %lld bytes; max_record_size_bytes is %lld", (long long)*bytes,
                (long long)a->c.max_record_size_bytes);
    return user_failed(cx, TW_FAILED);
}

static enum status row_take(struct async_sink *a, const char *row)
{
    int64_t bytes;

    if (requests_have_answers(&a->requests)) TRY(answers_take(a));
    while (a->buffer.count >= a->c.max_buffered_requests) TRY(flush_one(a));
    TRY(convert(a, row, &bytes));
    if (a->buffer.count == 0) timer_set(a);
    if (entries_add(&a->buffer, a->entry.stage, bytes) != S_OK) {
        user_misuse(&a->cx, "entries of function '%s': " CFORM_FULL, a->cx.ref->name);
        return user_failed(&a->cx, TW_FAILED);
    }
    if (a->entry.text.used > 0) arena_reset(&a->entry.text);
    return flush_full(a);
}

/* Rows of a block from cx->done on; cx->done says how many are through. */
static enum status block_take(struct async_sink *a, struct batch *in, uint32_t n)
{
    struct tw_context *cx = &a->cx;
    const char *row = cx->in[0].structs;

    TRY(user_read(cx, 0, in, cx->done, n));
    for (uint32_t i = 0; i < n; i++, row += cx->in[0].row.conv.size) {
        user_at(cx, cx->done, row);
        TRY(row_take(a, row));
        cx->done++;
    }
    return S_OK;
}

static enum status rows_take(struct async_sink *a, struct batch *in)
{
    uint32_t rows = batch_rows(in);

    TRY(advance(a));
    TRY(drain(a));
    while (a->cx.done < rows) {
        TRY(block_take(a, in, MIN(rows - a->cx.done, ROWCONV_ROWS)));
        if (a->cx.done < rows && user_slice_over(&a->cx)) return S_MORE;
    }
    return user_end(&a->cx, true);
}

/* --- hooks ------------------------------------------------------------------------------------------------------------------- */
static enum status async_sink_on_batch(struct op_cx *op, void *self, uint32_t input, struct batch *in)
{
    struct async_sink *a = self;

    (void)op;
    ASSERT(input == 0 && a->cx.done <= batch_rows(in));
    TRY(user_begin(&a->cx, 0, in));
    return leave(a, rows_take(a, in));
}

static enum status async_sink_on_time(struct op_cx *op, void *self, int64_t now_ms)
{
    struct async_sink *a = self;
    enum status st = advance(a);

    (void)op;
    (void)now_ms;
    return leave(a, st == S_OK ? drain(a) : st);
}

static enum status async_sink_on_idle(struct op_cx *op, void *self)
{
    struct async_sink *a = self;

    (void)op;
    return a->cx.fn->flush ? user_check(&a->cx, a->cx.fn->flush(&a->cx)) : S_OK;
}

/* As Flink's flush(true): while something is in flight, an answer before each request. */
static enum status finish(struct async_sink *a)
{
    TRY(advance(a));
    TRY(drain(a));
    while (a->buffer.count > 0 || a->requests.first_sent != NULL) {
        if (a->requests.first_sent != NULL && a->answers == 0) return S_PENDING;
        if (a->buffer.count > 0) TRY(flush_one(a));
        if (a->answers > 0) a->answers--;
    }
    return S_OK;
}

static enum status async_sink_on_barrier(struct op_cx *op, void *self, int64_t checkpoint)
{
    struct async_sink *s = self;

    (void)op, (void)checkpoint;
    return leave(s, finish(s));
}

static enum status async_sink_on_end(struct op_cx *op, void *self, uint32_t input)
{
    struct async_sink *a = self;

    (void)op;
    ASSERT(input == 0);
    if (!a->cx.input_ended) a->answers = 0;
    a->cx.input_ended = true;
    return leave(a, finish(a));
}

const struct op_type op_async_sink = {
    .name = "async_sink",
    .doc = "a sink of the user that sends rows in requests by the function's .submit; answers come later, from any thread",
    .example = "tw_async_sink(events, \"stream\", &stream_sink, .max_batch_size = 500)",
    .flags = OP_SELECTION | OP_FORMS,
    .input_count = 1,
    .config_size = sizeof(struct async_sink_config),
    .config_fields = async_sink_config_fields,
    .instance_size = sizeof(struct async_sink),
    .derive = async_sink_derive,
    .needs = async_sink_needs,
    .blocks = async_sink_blocks,
    .open = async_sink_open,
    .on_batch = async_sink_on_batch,
    .on_time = async_sink_on_time,
    .on_idle = async_sink_on_idle,
    .on_barrier = async_sink_on_barrier,
    .on_end = async_sink_on_end,
    .close = async_sink_close,
};
