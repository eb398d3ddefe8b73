/* async_pool.h - callbacks that may wait, run on helper threads: a job is one input row, goes to a helper, and comes back
 * with the rows that the callback collected. A job belongs to one thread at a time, with all its memory.
 *
 * In the simulation a job runs at once, on the caller's thread. */
#pragma once
#include "flow/operator/user_elements.h"

/* THREADS: of one subtask; jobs beyond wait for a helper. */
enum { ASYNC_THREADS_MAX = 1024, ASYNC_RESULT_ROWS = 16 };

struct async_pool;

struct async_job {
    struct mem mem;
    struct op_cx op;           /* what the callback sees: memory and err are the job's */
    struct tw_context cx;
    struct err err;
    enum status status;        /* S_OK or why the callback failed, text in err */
    struct batch *row;         /* one row of the input */
    uint32_t attempt;          /* 1 = the first */
    bool again;                /* the attempt is to be repeated: it failed, or the function's .retry says so */
    struct tw_elements results; /* for .retry */
    char said[USER_TEXT_MAX];  /* why it failed, in the function's words */
    const struct batch *judged; /* of the rows it collected, where .retry reads */
    struct async_job *next;    /* of the pool */
    struct async_helper *helper;
    bool abandoned;            /* its request was answered otherwise; set and read by the operator */
    void *owner;               /* the operator's */
};

/* `task` is the operator's own open context: its function runs, its tw_self is shared by all jobs. */
enum status async_pool_create(struct tw_context *task, uint32_t threads, struct async_pool **out) CHECKED;
/* Waits for callbacks that run; what they counted is added to the job's accumulators. NULL is a no-op. */
void async_pool_free(struct async_pool *p);
/* A job for row `row` of `in`, ready to run. */
enum status async_job_take(struct async_pool *p, const struct batch *in, uint32_t row, struct async_job **out) CHECKED;
/* Hands it to a helper, or lines it up for one. Run again again: what it collected before is forgotten. */
enum status async_job_run(struct async_pool *p, struct async_job *job) CHECKED;
/* Runs another callback of the function (its .timeout) on this thread. */
void async_job_run_here(struct async_job *job, user_row_fn fn);
/* The next job that is back, NULL when there is none now; op_ring is called when one comes. */
struct async_job *async_pool_finished(struct async_pool *p);
void async_job_give(struct async_pool *p, struct async_job *job);
/* First batch of the rows it collected, linked by next. */
static inline struct batch *async_job_rows(const struct async_job *job) { return job->cx.outs[0].waiting; }
