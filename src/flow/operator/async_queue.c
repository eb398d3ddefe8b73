/* async_queue.c - requests that wait for something outside (async_pool.h), a bounded number at a time, while the task goes on: what op_async
 * and op_async_calc share.
 *
 * A list keeps requests and watermarks in the order in which they came. Ordered: answers leave from its front. Unordered:
 * answers leave as they come, but none passes a watermark, so that no row becomes late by waiting.
 *
 * Rows of one key, where they must not overtake each other: a request waits for the last one of its key before it begins. Keys whose
 * hashes meet in a short table count as one, which costs time alone.
 *
 * An attempt that failed, or that the work does not like, is repeated after a pause that stays or grows; the time limit covers
 * all attempts. What work still does when its time is up is ignored: its job is abandoned and comes back some day. At the end
 * of the input pauses end at once, and what the attempts answer then counts, as in Flink: nobody waits for a long backoff; or
 * attempts go on without pauses (retries_at_end).
 *
 * While the list is full, and at the end until it is empty, hooks answer S_PENDING: a helper that is done wakes the task. */
#include "flow/operator/async_queue.h"

enum { LOOK_AGAIN_MS = 1000, TAILS_PER_REQUEST = 4 };

/* Longer pauses than any job runs; far from overflow when added to a time. */
#define DELAY_MAX_MS ((int64_t)1 << 50)

struct request {
    struct request *previous, *next;
    struct async_job *job; /* NULL: a watermark */
    bool is_done;
    uint32_t slot;            /* in the table of tails */
    struct request *follower; /* begins when this one is gone */
    int64_t watermark;
    int64_t deadline_ms, retry_ms; /* INT64_MAX = none */
    const struct batch *rows;      /* answer that is still to be emitted */
    uint32_t row;
};

/* --- the list ------------------------------------------------------------------------------------------------------------- */
static struct request *request_add(struct async_queue *a)
{
    struct request *r = a->spare;

    if (r)
        a->spare = r->next;
    else
        r = mem_alloc(a->op->mem, sizeof *r);
    *r = (struct request){.previous = a->last, .deadline_ms = INT64_MAX, .retry_ms = INT64_MAX};
    if (a->last)
        a->last->next = r;
    else
        a->first = r;
    a->last = r;
    return r;
}

static enum status job_back(struct async_queue *a, struct async_job *job);

static enum status request_run(struct async_queue *a, struct request *r)
{
    r->is_done = false;
    r->retry_ms = INT64_MAX;
    r->job->owner = r;
    return async_job_run(a->pool, r->job);
}

static enum status request_begin(struct async_queue *a, struct request *r)
{
    r->job->owner = r;
    if (a->work->ready != NULL && a->work->ready(r->job)) return job_back(a, r->job);
    if (a->timeout_ms > 0) r->deadline_ms = sys_wall_ms(a->op->sys) + a->timeout_ms;
    return request_run(a, r);
}

static enum status request_remove(struct async_queue *a, struct request *r)
{
    struct request *follower = r->follower;

    if (r->previous)
        r->previous->next = r->next;
    else
        a->first = r->next;
    if (r->next)
        r->next->previous = r->previous;
    else
        a->last = r->previous;
    if (r->job && a->tails && a->tails[r->slot] == r) a->tails[r->slot] = NULL;
    if (r->job) {
        async_job_give(a->pool, r->job);
        a->in_flight--;
    }
    r->next = a->spare;
    a->spare = r;
    if (follower == NULL) return S_OK;
    a->has_started = true;
    return request_begin(a, follower);
}

/* Behind the last one of its key; false: it has to wait for that. */
static bool request_line_up(struct async_queue *a, struct request *r)
{
    uint64_t hash;

    if (a->tails == NULL) return true;
    batch_hash(r->job->row, a->order_cols, a->order_count, &hash);
    r->slot = (uint32_t)hash & a->tail_mask;
    struct request *before = a->tails[r->slot];
    a->tails[r->slot] = r;
    if (before != NULL) before->follower = r;
    return before == NULL;
}

static enum status request_submit(struct async_queue *a, const struct batch *in, const uint16_t *rows, uint32_t count)
{
    struct async_job *job;
    struct request *r;

    TRY(async_job_take(a->pool, in, rows, count, &job));
    r = request_add(a);
    r->job = job;
    a->in_flight++;
    return request_line_up(a, r) ? request_begin(a, r) : S_OK;
}

/* --- answers ---------------------------------------------------------------------------------------------------------------- */
static int64_t pause_ms(const struct async_queue *a, uint32_t attempt)
{
    int64_t delay = MIN(a->delay_ms, a->delay_max_ms);

    for (uint32_t i = 1; i < attempt && delay > 0 && delay < a->delay_max_ms && a->multiplier != 1; i++)
        delay = (int64_t)MIN((double)delay * a->multiplier, (double)a->delay_max_ms);
    return delay;
}

static void request_done(struct request *r)
{
    r->is_done = true;
    r->deadline_ms = r->retry_ms = INT64_MAX;
    r->rows = r->job->rows;
    r->row = 0;
}

static enum status job_back(struct async_queue *a, struct async_job *job)
{
    struct request *r = job->owner;
    struct op_cx *op = a->op;

    if (job->abandoned) {
        async_job_give(a->pool, job);
        return S_OK;
    }
    if (job->again && job->attempt < a->attempts && (!a->is_ending || a->retries_at_end)) {
        r->retry_ms = sys_wall_ms(op->sys) + (a->is_ending ? 0 : pause_ms(a, job->attempt));
        op_wake_at(op, r->retry_ms);
        return S_OK;
    }
    if (job->status == S_OK) {
        if (a->work->done) a->work->done(job);
        request_done(r);
        return S_OK;
    }
    err_set(op->err, job->status, "%s", job->err.text);
    if (job->err.hint[0]) err_hint(op->err, "%s", job->err.hint);
    if (a->attempts > 1) err_wrap(op->err, "attempt %u of %u", job->attempt, (uint32_t)a->attempts);
    return job->status;
}

/* The time of a request is up: `late` answers in its place, or the task fails. */
static enum status request_late(struct async_queue *a, struct request *r)
{
    struct op_cx *op = a->op;
    struct async_job *stuck = r->job, *job;
    bool is_away = r->retry_ms == INT64_MAX; /* else it waits for its next attempt, and no helper has it */

    TRY(async_job_take(a->pool, stuck->row, NULL, 0, &job));
    if (is_away)
        stuck->abandoned = true;
    else
        async_job_give(a->pool, stuck);
    r->job = job;
    job->owner = r;
    if (a->late == NULL) {
        struct buf row;
        buf_init(&row, op->mem);
        batch_show_row(job->row, 0, &row);
        err_set(op->err, E_USER, "Async function call has timed out: row %s, no answer within %lld ms", buf_text(&row), (long long)a->timeout_ms);
        err_hint(op->err, "%s", a->late_hint);
        buf_release(&row);
        return E_USER;
    }
    a->late(a->late_arg, job);
    if (job->status != S_OK) {
        err_set(op->err, job->status, "%s", job->err.text);
        return job->status;
    }
    request_done(r);
    return S_OK;
}

/* Retries and time limits that are due, of each request the earlier one first; the next ones wake the task. */
static enum status clock_look(struct async_queue *a, bool *has_retried)
{
    int64_t now, next = INT64_MAX;

    if (a->timeout_ms == 0 && a->attempts == 1) return S_OK;
    now = sys_wall_ms(a->op->sys);
    for (struct request *r = a->first; r; r = r->next) {
        if (r->retry_ms <= now && r->retry_ms < r->deadline_ms) {
            TRY(request_run(a, r));
            *has_retried = true;
        } else if (r->deadline_ms <= now)
            TRY(request_late(a, r));
        next = MIN(next, MIN(r->deadline_ms, r->retry_ms));
    }
    if (next != INT64_MAX) op_wake_at(a->op, next);
    return S_OK;
}

/* A retry that was late, and came to no answer at once, may have no time left either. */
static enum status limits_look(struct async_queue *a)
{
    int64_t now = sys_wall_ms(a->op->sys);

    for (struct request *r = a->first; r; r = r->next)
        if (r->deadline_ms <= now) TRY(request_late(a, r));
    return S_OK;
}

static enum status answers_take(struct async_queue *a)
{
    struct async_job *job;
    bool has_retried = false;

    while ((job = async_pool_finished(a->pool))) TRY(job_back(a, job));
    TRY(clock_look(a, &has_retried));
    if (!has_retried) return S_OK;
    while ((job = async_pool_finished(a->pool))) TRY(job_back(a, job)); /* a retry that ran at once */
    return limits_look(a);
}

/* Emits what is left of an answer; false when the port is full. */
static bool answer_emit(struct async_queue *a, struct request *r)
{
    uint16_t list[BATCH_ROWS];

    for (; r->rows; r->rows = r->rows->next, r->row = 0) {
        uint32_t n = MIN(r->rows->count - r->row, op_room(a->op, 0));
        for (uint32_t i = 0; i < n; i++) list[i] = (uint16_t)(r->row + i);
        if (n > 0) batch_append(op_out(a->op, 0), r->rows, list, n);
        a->has_emitted |= n > 0;
        r->row += n;
        if (r->row < r->rows->count) return false;
    }
    return true;
}

/* Emits answers as far as the order allows. S_MORE: the port is full. */
static enum status answers_emit(struct async_queue *a)
{
    for (struct request *r = a->first, *next; r; r = next) {
        next = r->next;
        if (r->job == NULL) {
            if (r != a->first) return S_OK; /* answers before it are missing */
            op_emit_watermark(a->op, r->watermark);
            a->has_emitted = true;
            TRY(request_remove(a, r));
            if (next) return S_MORE; /* what follows must not get in front of it */
            continue;
        } else if (!r->is_done) {
            if (!a->unordered) return S_OK;
            continue;
        } else if (!answer_emit(a, r)) {
            return S_MORE;
        }
        TRY(request_remove(a, r));
    }
    return S_OK;
}

static enum status advance(struct async_queue *a)
{
    do {
        a->has_started = false;
        TRY(answers_take(a));
        TRY(answers_emit(a));
    } while (a->has_started); /* one that begins may have its answer at once */
    return S_OK;
}

/* Nothing can be done until a helper is. */
static enum status wait_for_answers(struct async_queue *a)
{
    if (a->has_emitted) return S_MORE;
    op_wake_at(a->op, sys_wall_ms(a->op->sys) + LOOK_AGAIN_MS);
    return S_PENDING;
}

/* --- hooks ------------------------------------------------------------------------------------------------------------------ */
enum status async_queue_batch(struct async_queue *a, struct batch *in)
{
    uint32_t rows = batch_rows(in), n;
    uint16_t list[BATCH_ROWS];

    ASSERT(a->taken <= rows);
    a->has_emitted = false;
    TRY(advance(a));
    while (a->taken < rows) {
        if (a->in_flight == a->capacity) {
            TRY(advance(a));
            if (a->in_flight == a->capacity) return wait_for_answers(a);
        }
        for (n = 0; n < a->rows && a->taken + n < rows; n++) list[n] = (uint16_t)batch_row(in, a->taken + n);
        TRY(request_submit(a, in, list, n));
        a->taken += n;
    }
    TRY(advance(a));
    a->taken = 0;
    return S_OK;
}

enum status async_queue_watermark(struct async_queue *a, int64_t watermark)
{
    struct request *last = a->last;
    enum status st;

    a->has_emitted = false;
    if (!a->has_watermark) {
        if (last == NULL || last->job != NULL) last = request_add(a);
        last->watermark = watermark;
    }
    st = advance(a);
    a->has_watermark = st == S_MORE; /* called again with the same watermark */
    return st;
}

enum status async_queue_time(struct async_queue *a)
{
    a->has_emitted = false;
    return advance(a);
}

/* Requests that wait for their next attempt make it now. */
static enum status pauses_end(struct async_queue *a)
{
    if (a->is_ending || a->waits_at_end) return S_OK;
    a->is_ending = true;
    for (struct request *r = a->first; r; r = r->next)
        if (r->retry_ms != INT64_MAX) TRY(request_run(a, r));
    return S_OK;
}

/* Nothing is under way behind a barrier: requests are not part of a checkpoint. */
enum status async_queue_barrier(struct async_queue *a)
{
    a->has_emitted = false;
    TRY(advance(a));
    return a->first == NULL ? S_OK : wait_for_answers(a);
}

enum status async_queue_end(struct async_queue *a)
{
    a->has_emitted = false;
    TRY(pauses_end(a));
    TRY(advance(a));
    return a->first == NULL ? S_OK : wait_for_answers(a);
}

void async_queue_open(struct async_queue *a, struct op_cx *op, const struct async_work *work, void *arg,
                      const struct async_settings *c)
{
    a->op = op;
    a->capacity = c->capacity;
    a->rows = c->rows;
    a->unordered = c->unordered;
    a->timeout_ms = c->timeout_ms;
    a->attempts = MAX(1, c->attempts);
    a->delay_ms = c->delay_ms;
    a->delay_max_ms = c->delay_max_ms > 0 ? c->delay_max_ms : DELAY_MAX_MS;
    a->retries_at_end = c->retries_at_end;
    a->waits_at_end = c->waits_at_end;
    a->work = work;
    if (c->order_count > 0) {
        ASSERT(c->unordered && c->rows == 1);
        a->order_cols = c->order_cols;
        a->order_count = c->order_count;
        a->tail_mask = TAILS_PER_REQUEST;
        while (a->tail_mask < TAILS_PER_REQUEST * a->capacity) a->tail_mask *= 2;
        a->tails = mem_zalloc(op->mem, sizeof(struct request *) * a->tail_mask--);
    }
    a->multiplier = c->multiplier > 0 ? c->multiplier : c->delay_max_ms > 0 ? 2 : 1;
    async_pool_create(op, work, arg, (struct async_limits){a->capacity, a->rows}, &a->pool);
}

void async_queue_close(struct async_queue *a, struct mem *mem)
{
    async_pool_free(a->pool);
    mem_free(mem, a->tails);
    for (struct request *r = a->first, *next; r; r = next) {
        next = r->next;
        mem_free(mem, r);
    }
    for (struct request *r = a->spare, *next; r; r = next) {
        next = r->next;
        mem_free(mem, r);
    }
}
