/* rows.c - tw_execute_and_collect: rows of a job in the background, pulled by the program.
 *
 * The job's thread copies batches into two of its own and sends them through a mailbox; the program gives each back when its
 * rows were looked at. Without a free one the job's thread waits, the queue of the job behind it fills, and the sink stops: so
 * the job is bounded. It looks at the end of its waiting every LOOK_MS: canceled or closed, rows are dropped.
 *
 * A batch belongs to one thread at a time; the mailboxes hand it over. */
#include "surface/api/api_internal.h"

#include <string.h>

enum { BATCHES = 2 };
#define LOOK_NS INT64_C(20000000)

struct tw_rows {
    struct tw_env *env;
    const struct tw_row *row;
    struct api_receiver to; /* a copy: how rows become structs */
    struct mem mem;         /* of the batches; the job's thread allocates */
    struct mem item_mem;    /* of nested values in the structs; the program's thread allocates */
    struct batch *batches[BATCHES];
    struct sys_mailbox *filled, *empty;
    struct sys_atomic_u64 is_closed; /* 1 = rows are not wanted any more, 2 = nor is the job */
    char end;                        /* its address in `filled`: the job is over */
    /* the program's */
    struct batch *batch;
    uint32_t at, read; /* of batch: next row to give; rows behind it that are structs already */
    uint32_t first;    /* row of structs[0] */
    const void *given;
    bool has_ended, is_released, is_refused;
    int answer;     /* of a job that did not start */
    struct err err; /* a row that does not fit its struct */
};

static void no_callback(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms)
{
    (void)arg, (void)kind, (void)row, (void)time_ms;
    ASSERT(!"pulled rows take another way");
}

struct tw_rows *api_rows_refused(struct tw_env *env)
{
    struct tw_rows *r = ARENA_NEW(&env->arena, struct tw_rows);

    *r = (struct tw_rows){.env = env, .has_ended = true, .is_released = true, .is_refused = true};
    return r;
}

struct tw_rows *tw_execute_and_collect_at(struct tw_stream *s, const struct tw_row *row, const char *job_name,
                                          struct tw_here h)
{
    struct tw_env *env = api_env(s, h);
    if (!api_begin(env, h)) return env->refused_rows;
    struct tw_rows *r = ARENA_NEW(&env->arena, struct tw_rows);
    uint32_t receiver = env->receiver_count;

    if (env->rows != NULL) (void)tw_wait(env);
    *r = (struct tw_rows){.env = env, .row = row};
    mem_init(&r->mem, "rows", 0);
    mem_init(&r->item_mem, "rows", 0);
    struct tw_stream *sink = tw_collect_to_at(s, row, no_callback, NULL, h);
    if (!sink->is_broken) env->receivers[receiver].rows = r;
    api_world_start(env);
    r->filled = sys_mailbox_create(env->sys);
    r->empty = sys_mailbox_create(env->sys);
    env->rows = r;
    r->answer = tw_execute_async(env, job_name);
    r->has_ended = r->answer != 0 || env->background == NULL;
    if (!r->has_ended) {
        r->to = env->receivers[receiver];
        arena_init(&r->to.items, &r->item_mem, 0);
    }
    return r;
}

/* --- the job's thread ----------------------------------------------------------------------------------------------------- */
static struct batch *batch_free_one(struct tw_rows *r, const struct batch *like)
{
    struct batch *b = NULL;

    for (uint32_t i = 0; i < BATCHES; i++)
        if (r->batches[i] == NULL) return r->batches[i] = batch_create(like->schema, BATCH_ROWS, &r->mem);
    while (b == NULL && sys_atomic_load(&r->is_closed) == 0 && sys_atomic_load(&r->env->cancelled) == 0)
        b = sys_mailbox_take(r->env->sys, r->empty, LOOK_NS);
    return b;
}

void api_rows_take(struct tw_rows *r, const struct batch *in)
{
    uint16_t list[BATCH_ROWS];
    uint32_t n = batch_rows(in);
    struct batch *b = sys_atomic_load(&r->is_closed) == 0 ? batch_free_one(r, in) : NULL;

    if (b == NULL) return; /* nobody wants them */
    for (uint32_t i = 0; i < n; i++) list[i] = (uint16_t)batch_row(in, i);
    batch_clear(b);
    batch_append(b, in, list, n);
    sys_mailbox_send(r->env->sys, r->filled, b);
}

void api_rows_end(struct tw_rows *r) { sys_mailbox_send(r->env->sys, r->filled, &r->end); }

bool api_rows_are_canceled(const struct tw_rows *r) { return sys_atomic_load(&r->is_closed) == 2; }

/* --- the program's -------------------------------------------------------------------------------------------------------- */
static bool batch_next(struct tw_rows *r)
{
    if (r->batch != NULL) sys_mailbox_send(r->env->sys, r->empty, r->batch);
    r->batch = NULL;
    if (r->has_ended) return false;
    void *message = sys_mailbox_take(r->env->sys, r->filled, INT64_MAX);
    r->has_ended = message == &r->end;
    r->batch = r->has_ended ? NULL : message;
    r->at = r->read = 0;
    return r->batch != NULL;
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
    if (r->is_released || r->err.status != S_OK) return NULL;
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

void api_rows_close(struct tw_rows *r)
{
    if (sys_atomic_load(&r->is_closed) == 0) sys_atomic_store(&r->is_closed, 1);
}

void api_rows_release(struct tw_rows *r)
{
    r->env->rows = NULL;
    r->has_ended = r->is_released = true;
    r->batch = NULL;
    r->given = NULL;
    for (uint32_t i = 0; i < BATCHES; i++) batch_free(r->batches[i]);
    mem_release(&r->mem);
    mem_release(&r->item_mem);
    sys_mailbox_free(r->env->sys, r->filled);
    sys_mailbox_free(r->env->sys, r->empty);
}

int tw_close_rows(struct tw_rows *r)
{
    struct tw_env *env = r->env;
    bool has_started = env->background != NULL;

    if (r->is_refused) return 1;
    if (r->is_released) return tw_wait(env); /* by tw_wait, which knows */
    if (!r->has_ended) {
        sys_atomic_store(&r->is_closed, 2);
        tw_cancel(env);
    }
    int answer = tw_wait(env);
    sys_atomic_store(&env->cancelled, 0); /* the job may have ended before it saw that */
    if (r->err.status == S_OK) return has_started ? answer : r->answer;
    env->err = r->err;
    env->is_err_old = true;
    return 1;
}
