/* async_queue.h - requests that are under way, in order, with retries and time limits. */
#pragma once
#include "flow/operator/async_pool.h"

struct request;

struct async_settings {
    uint32_t capacity, rows; /* requests at once; rows of one */
    bool unordered, retries_at_end;
    bool waits_at_end; /* retries keep their pauses when the input has ended */
    const uint32_t *order_cols; /* unordered: rows that are equal in these columns come one after the other; count 0: none */
    uint32_t order_count;
    int64_t timeout_ms; /* of all attempts together; 0: none */
    int64_t attempts, delay_ms, delay_max_ms;
    double multiplier; /* of the pauses between attempts; 0: 1, or 2 where delay_max_ms is set */
};

struct async_queue {
    struct op_cx *op;
    struct async_pool *pool;
    struct request *first, *last, *spare;
    uint32_t in_flight, capacity, rows;
    uint32_t taken; /* rows of the batch */
    bool unordered, has_emitted, has_watermark;
    bool is_ending; /* no more rows: no more pauses, and no more retries unless retries_at_end */
    bool retries_at_end, waits_at_end;
    bool has_started; /* a request that waited for one before it */
    const struct async_work *work;
    const uint32_t *order_cols;
    uint32_t order_count, tail_mask;
    struct request **tails; /* by the hash of those columns: the last request that is there; NULL: rows have no such order */
    int64_t timeout_ms, attempts, delay_ms, delay_max_ms;
    double multiplier;
    /* Set by the owner: answers in the place of a job whose time is up; NULL: the task fails, with this hint. */
    void (*late)(void *arg, struct async_job *job);
    void *late_arg;
    const char *late_hint;
};

void async_queue_open(struct async_queue *q, struct op_cx *op, const struct async_work *work, void *arg,
                      const struct async_settings *c);
void async_queue_close(struct async_queue *q, struct mem *mem); /* also when it was not opened */
/* The operator's hooks. */
enum status async_queue_batch(struct async_queue *q, struct batch *in) CHECKED;
enum status async_queue_watermark(struct async_queue *q, int64_t watermark) CHECKED;
enum status async_queue_time(struct async_queue *q) CHECKED;
enum status async_queue_barrier(struct async_queue *a) CHECKED; /* S_OK when all rows so far are answered and put out */
enum status async_queue_end(struct async_queue *q) CHECKED;
