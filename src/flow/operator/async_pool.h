/* async_pool.h - work that may wait, done on helper threads: a job is one input row or several, goes to a helper, and comes back
 * with the rows that were made of it. A job belongs to one thread at a time, with all its memory. What is done is said by hooks:
 * a user's .async (async_user.h), SQL's functions that wait (op_async_calc.c).
 *
 * In the simulation a job runs at once, on the caller's thread. */
#pragma once
#include "flow/operator/op.h"

/* THREADS: of one subtask; jobs beyond wait for a helper. */
enum { ASYNC_THREADS_MAX = 1024, ASYNC_RESULT_ROWS = 16 };

struct async_pool;

struct async_job {
    struct mem mem;
    struct op_cx op;           /* what the work sees: memory and err are the job's */
    struct err err;
    enum status status;        /* S_OK or why the attempt failed, text in err */
    struct batch *row;         /* rows of the input */
    const struct batch *rows;  /* what was made of them, linked by next; NULL: nothing */
    uint32_t attempt;          /* 1 = the first */
    bool again;                /* the attempt is to be repeated */
    void *arg, *own;           /* of the work: that of the pool, and memory of the job */
    struct async_job *next;    /* of the pool */
    struct async_helper *helper;
    bool abandoned;            /* its request was answered otherwise; set and read by the operator */
    void *owner;               /* the operator's */
};

/* Hooks but `attempt` run on the operator's thread. */
struct async_work {
    size_t own_size;                              /* bytes of a job's own memory, cleared */
    enum status (*open)(struct async_job *job);
    void (*close)(struct async_job *job);         /* also when it was not opened whole */
    void (*attempt)(struct async_job *job);       /* on a helper; sets status, err, rows, again */
    void (*clear)(struct async_job *job);         /* its rows were taken */
    /* Before the first attempt: is nothing to wait for? Then it is answered, as by an attempt that is not repeated. NULL: there always is. */
    bool (*ready)(struct async_job *job);
    void (*done)(struct async_job *job);          /* the answer that counts is back, before its rows are taken; NULL: nothing to do */
};

struct async_limits {
    uint32_t jobs, rows; /* at once; rows of one job */
};
/* `op` is the operator's own context, `arg` is the work's. */
void async_pool_create(struct op_cx *op, const struct async_work *work, void *arg, struct async_limits limits, struct async_pool **out);
/* Waits for work that runs. NULL is a no-op. */
void async_pool_free(struct async_pool *p);
/* A job for rows of `in`, ready to run. */
enum status async_job_take(struct async_pool *p, const struct batch *in, const uint16_t *rows, uint32_t count,
                           struct async_job **out) CHECKED;
/* Hands it to a helper, or lines it up for one. Run again again: what came of it before is forgotten. */
enum status async_job_run(struct async_pool *p, struct async_job *job) CHECKED;
/* The next job that is back, NULL when there is none now; op_ring is called when one comes. */
struct async_job *async_pool_finished(struct async_pool *p);
void async_job_give(struct async_pool *p, struct async_job *job);
