/* rows.c - rows of a job in the background, pulled by the program: tw_collect_async of a stream, and tw_execute_and_collect,
 * which is one of them and starts the job.
 *
 * They wait in the job's queues (flow/task/row_queues.h), which belong to the environment and outlive the job: the program
 * takes whole batches from there and gives each back when its rows were looked at. The job's thread has no part in it.
 *
 * env->rows lists those of the present graph, later of its job; tw_wait, or a start that fails, ends them all. A handle stays
 * in the environment's arena, so that whoever uses it too early or too late is told so. */
#include "surface/api/api_internal.h"

#include <stdio.h>

struct tw_rows {
    struct tw_env *env;
    struct tw_rows *next; /* of env->rows */
    const struct tw_row *row;
    struct tw_here here;
    uint32_t receiver, queue;
    struct api_receiver to;    /* a copy: how rows become structs */
    struct mem item_mem;       /* of nested values in the structs */
    struct row_queues *queues; /* NULL before the job starts, and when it was waited for */
    bool owns_job;             /* tw_execute_and_collect: they end with the job, and closing them ends it */
    bool is_refused, has_started, has_ended, is_closed, is_told;
    struct sys_atomic_u64 is_job_unwanted; /* closed before the job's end */
    int answer;                            /* of a job that did not start */
    struct batch *batch;
    uint32_t at, read; /* of batch: next row to give; rows behind it that are structs already */
    uint32_t first;    /* row of structs[0] */
    const void *given;
    struct err err; /* why they ended before the stream did */
    char error_text[ERR_TEXT_MAX + ERR_HINT_MAX + 16];
};

static void no_callback(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms)
{
    (void)arg, (void)kind, (void)row, (void)time_ms;
    ASSERT(!"pulled rows take another way");
}

/* --- building and starting ------------------------------------------------------------------------------------------------ */
struct tw_rows *api_rows_refused(struct tw_env *env)
{
    struct tw_rows *r = ARENA_NEW(&env->arena, struct tw_rows);

    *r = (struct tw_rows){.env = env, .has_ended = true, .is_refused = true};
    return r;
}

static struct tw_rows *rows_new(struct tw_stream *s, const struct tw_row *row, bool owns_job, struct tw_here h)
{
    struct tw_env *env = s->env;
    struct tw_rows *r = ARENA_NEW(&env->arena, struct tw_rows);

    *r = (struct tw_rows){.env = env, .row = row, .owns_job = owns_job, .receiver = env->receiver_count};
    r->here = (struct tw_here){h.file != NULL ? arena_strdup(&env->arena, h.file) : NULL, h.line};
    mem_init(&r->item_mem, "rows", 0);
    if (row == NULL)
        api_mistake(env, h, "%s needs a row type", api_rows_call(r));
    else if (!tw_collect_to_at(s, row, no_callback, NULL, h)->is_broken)
        env->receivers[r->receiver].rows = r;
    r->next = env->rows;
    env->rows = r;
    return r;
}

const char *api_rows_call(const struct tw_rows *r)
{
    return r->owns_job ? "tw_execute_and_collect" : "tw_collect_async";
}

struct tw_rows *tw_collect_async_at(struct tw_stream *s, const struct tw_row *row, struct tw_here h)
{
    struct tw_env *env = api_env(s, h);

    return api_begin(env, h) ? rows_new(s, row, false, h) : env->refused_rows;
}

struct tw_rows *tw_execute_and_collect_at(struct tw_stream *s, const struct tw_row *row, const char *job_name,
                                          struct tw_here h)
{
    struct tw_env *env = api_env(s, h);

    if (!api_begin(env, h)) return env->refused_rows;
    struct tw_rows *r = rows_new(s, row, true, h);
    r->answer = tw_execute_async(env, job_name);
    return r;
}

/* In a simulation all rows become text on their way to the program: such a handle sees its end only. */
static uint32_t queue_of(const struct tw_rows *r)
{
    return r->env->collected != NULL ? r->receiver + API_RECEIVERS_MAX : r->receiver;
}

void api_rows_start(struct tw_env *env)
{
    if (env->rows == NULL) return;
    env->row_queues = row_queues_create(env->sys);
    for (struct tw_rows *r = env->rows; r != NULL; r = r->next) {
        r->to = env->receivers[r->receiver];
        arena_init(&r->to.items, &r->item_mem, 0);
        r->queues = env->row_queues;
        r->queue = queue_of(r);
        r->has_started = true;
        if (!r->is_closed) err_clear(&r->err); /* asked for too early; now is the time */
        row_queue_pull(r->queues, r->queue, r->to.group);
        if (r->is_closed) row_queue_close(r->queues, r->queue);
    }
}

static void rows_release(struct tw_rows *r)
{
    if (r->queues != NULL) row_queues_why(r->queues, &r->err);
    r->queues = NULL;
    r->batch = NULL;
    r->given = NULL;
    mem_release(&r->item_mem);
}

void api_rows_release(struct tw_env *env)
{
    for (struct tw_rows *r = env->rows; r != NULL; r = r->next) rows_release(r);
    env->rows = NULL;
    row_queues_free(env->row_queues);
    env->row_queues = NULL;
}

void api_rows_not_started(struct tw_env *env, enum status st)
{
    for (struct tw_rows *r = env->rows; r != NULL; r = r->next) {
        r->has_ended = true;
        r->has_started = false;
        err_clear(&r->err);
        if (st != S_OK) (void)err_pass_on(&r->err, &env->err);
    }
    api_rows_release(env);
}

void api_rows_refuse(struct tw_env *env)
{
    for (const struct tw_rows *r = env->rows; r != NULL; r = r->next)
        if (!r->is_closed)
            api_mistake(env, r->here,
                        "tw_execute waits for the job, so nobody takes the rows of tw_collect_async; start it with "
                        "tw_execute_async");
}

/* --- the end ---------------------------------------------------------------------------------------------------------------- */
bool api_rows_job_unwanted(const struct tw_env *env)
{
    for (const struct tw_rows *r = env->rows; r != NULL; r = r->next)
        if (sys_atomic_load(&r->is_job_unwanted) != 0) return true;
    return false;
}

enum status api_rows_offer(struct tw_env *env, int64_t receiver, const struct batch *b, struct err *e)
{
    return row_queue_offer(env->row_queues, receiver, b, NULL, e);
}

void api_rows_close(struct tw_env *env)
{
    for (struct tw_rows *r = env->rows; r != NULL; r = r->next)
        if (r->queues != NULL) row_queue_close(r->queues, r->queue);
}

/* --- the program ---------------------------------------------------------------------------------------------------------------- */
/* Told once: a program may ask for every row. */
static void misused(struct tw_rows *r)
{
    struct tw_env *env = r->env;

    err_clear(&r->err);
    if (r->is_closed)
        err_set(&r->err, E_GRAPH, "these rows were closed already");
    else if (r->has_started)
        err_set(&r->err, E_GRAPH,
                "tw_wait has ended these rows before they were read; read them before it, or close them");
    else
        err_set(&r->err, E_GRAPH,
                "the job of these rows was not started; call tw_execute_async before the first tw_next_row");
    graph_at((struct graph_here){r->here.file, r->here.line}, &r->err);
    if (r->is_told) return;
    r->is_told = true;
    api_world_start(env);
    if (!env->is_quiet) api_say_error(env->sys, NULL, &r->err);
}

static bool batch_next(struct tw_rows *r)
{
    if (r->batch != NULL) row_queue_give_back(r->queues, r->queue, r->batch);
    r->batch = NULL;
    r->at = r->read = 0;
    enum status st = row_queue_next(r->queues, r->queue, r->owns_job, &r->batch, &r->err);
    r->has_ended = st != S_OK;
    return st == S_OK;
}

static bool block_read(struct tw_rows *r)
{
    r->first = r->read;
    uint32_t n = MIN(batch_rows(r->batch) - r->first, ROWCONV_ROWS);
    if (api_structs_read(&r->to, r->batch, r->first, n, &r->err) != S_OK) return false;
    r->read = r->first + n;
    return true;
}

const void *tw_next_row(struct tw_rows *r)
{
    r->given = NULL;
    if (r->has_ended) return NULL;
    if (r->has_started && r->err.status != S_OK) return NULL;
    if (r->queues == NULL || r->is_closed) {
        if (!r->owns_job) misused(r);
        return NULL;
    }
    if (r->batch != NULL) r->at++;
    while (r->batch == NULL || r->at >= batch_rows(r->batch))
        if (!batch_next(r)) return NULL;
    if (r->at >= r->read && !block_read(r)) return NULL;
    r->given = r->to.structs + (size_t)(r->at - r->first) * r->to.bound.conv.size;
    return r->given;
}

enum tw_row_kind tw_next_kind(const struct tw_rows *r)
{
    return r->given != NULL ? (enum tw_row_kind)batch_kind(r->batch, batch_row(r->batch, r->at)) : TW_INSERT;
}

int64_t tw_next_time(const struct tw_rows *r)
{
    return r->given != NULL ? batch_time(r->batch, batch_row(r->batch, r->at)) : TW_NO_TIME;
}

const char *tw_rows_error(struct tw_rows *r)
{
    const struct err *e = &r->err;

    snprintf(r->error_text, sizeof r->error_text, "%s%s%s", e->text, e->hint[0] != '\0' ? "; " : "", e->hint);
    return r->error_text;
}

/* A job whose results somebody has stopped to read is ended, as Flink's iterators do. */
static void job_end(struct tw_rows *r)
{
    if (r->has_ended || !api_is_running(r->env)) return;
    sys_atomic_store(&r->is_job_unwanted, 1);
    tw_cancel(r->env);
}

/* Of one of several. */
static int rows_close(struct tw_rows *r)
{
    if (!r->is_closed && r->queues != NULL) {
        if (r->err.status == S_OK) job_end(r);
        if (r->batch != NULL) row_queue_give_back(r->queues, r->queue, r->batch);
        row_queues_why(r->queues, &r->err);
        row_queue_close(r->queues, r->queue);
    }
    r->is_closed = true;
    r->batch = NULL;
    r->given = NULL;
    return r->err.status == S_OK ? 0 : 1;
}

int tw_close_rows(struct tw_rows *r)
{
    struct tw_env *env = r->env;

    if (r->is_refused) return 1;
    if (!r->owns_job) return rows_close(r);
    if (!r->has_started) return r->answer;
    if (r->queues == NULL) return tw_wait(env); /* as tw_wait did, which knows */
    if (!r->has_ended) {
        sys_atomic_store(&r->is_job_unwanted, 1);
        tw_cancel(env);
    }
    int answer = tw_wait(env);
    sys_atomic_store(&env->cancelled, 0); /* the job may have ended before it saw that */
    bool is_wanted = r->err.status == E_CANCELED && sys_atomic_load(&r->is_job_unwanted) != 0;
    if (r->err.status == S_OK || is_wanted) return answer;
    env->err = r->err;
    env->is_err_old = true;
    return 1;
}
