/* async_user.c - the work of op_async: a user's .async is called for a row, collects rows, and its .retry judges the attempt. */
#include "flow/operator/async_user.h"

#include "flow/operator/user_elements.h"
#include "flow/operator/user_internal.h"

#include <string.h>

struct user_job {
    struct tw_context cx;
    struct tw_elements results; /* for .retry */
    char said[USER_TEXT_MAX];   /* why it failed, in the function's words */
    const struct batch *judged; /* of the rows it collected, where .retry reads */
};

static enum status job_open(struct async_job *job)
{
    const struct tw_context *task = job->arg;
    struct user_job *u = job->own;
    struct tw_context *cx = &u->cx;

    cx->op = &job->op;
    cx->ref = task->ref;
    cx->fn = task->fn;
    cx->self = task->self;
    cx->time = TW_NO_TIME;
    cx->may_collect = true;
    arena_init(&cx->arena, &job->mem, 1024);
    arena_init(&cx->loaded, &job->mem, 0);
    cx->outs[0].detached = true;
    TRY(user_bind_in(cx, 0, cx->fn->in));
    TRY(user_bind_out(cx, 0, cx->fn->out, 0));
    user_elements_init(&u->results, cx, &cx->outs[0].row);
    return S_OK;
}

static void job_close(struct async_job *job)
{
    struct user_job *u = job->own;

    u->cx.self = NULL; /* the operator's */
    user_elements_release(&u->results);
    user_close(&u->cx);
}

static void job_clear(struct async_job *job)
{
    struct user_job *u = job->own;

    user_out_clear(&u->cx.outs[0]);
    job->rows = NULL;
}

static void call(struct async_job *job, user_row_fn fn)
{
    struct user_job *u = job->own;
    struct tw_context *cx = &u->cx;

    job_clear(job);
    cx->batch = job->row;
    cx->at = 0;
    cx->broken = S_OK;
    cx->text[0] = 0;
    cx->row = NULL;
    user_forget_loaded(cx);
    err_clear(&job->err);
    job->status = user_read(cx, 0, job->row, 0, 1);
    if (job->status != S_OK) return;
    cx->row = cx->in[0].structs;
    job->status = user_check(cx, fn(cx, cx->row));
    user_out_flush(cx, &cx->outs[0]);
    job->rows = cx->outs[0].waiting;
}

static enum status judged_next(void *arg, const struct batch **out)
{
    struct user_job *u = arg;

    *out = u->judged;
    if (u->judged) u->judged = u->judged->next;
    return S_OK;
}

/* Is the attempt to be repeated? A .retry that fails itself is not asked again. */
static void judge(struct async_job *job)
{
    struct user_job *u = job->own;
    struct tw_context *cx = &u->cx;
    struct tw_try t = {.number = job->attempt, .error = job->status == S_OK ? NULL : u->said, .results = &u->results};
    uint32_t rows = 0;
    enum tw_status st;

    job->again = job->status != S_OK;
    if (cx->fn->retry == NULL || cx->row == NULL) return;
    memcpy(u->said, cx->text, sizeof u->said);
    u->judged = t.error ? NULL : job->rows;
    for (const struct batch *b = u->judged; b; b = b->next) rows += b->count;
    user_elements_rows(&u->results, rows, judged_next, u);
    cx->may_collect = false;
    cx->broken = S_OK;
    cx->text[0] = 0;
    st = cx->fn->retry(cx, cx->row, &t, &job->again);
    cx->may_collect = true;
    user_elements_end(&u->results);
    if (st == TW_OK && cx->broken == S_OK) return;
    err_clear(&job->err);
    job->status = user_failed(cx, st);
    job->again = false;
}

static void attempt(struct async_job *job)
{
    call(job, ((struct user_job *)job->own)->cx.fn->async);
    judge(job);
}

void async_user_run_here(struct async_job *job, user_row_fn fn) { call(job, fn); }

const struct async_work async_user_work = {
    .own_size = sizeof(struct user_job), .open = job_open, .close = job_close, .attempt = attempt, .clear = job_clear};
