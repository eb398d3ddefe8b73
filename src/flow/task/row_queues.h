/* row_queues.h - rows of a job for the program that runs it: a bounded queue per receiver, from its sinks to the job master
 * (tw_collect_to) or straight to the program (tw_collect_async). Everything may be called from any thread. */
#pragma once
#include "columns/column/batch.h"
#include "ground/sys/sys.h"

/* What waits of one receiver: so many batches, or this much when one thread reads several and waits for another. */
enum { ROW_QUEUE_BATCHES_MAX = 8 };
#define ROW_QUEUE_BYTES_MAX ((size_t)1 << 30)

struct row_queues;
struct row_queues *row_queues_create(struct sys *sys);
void row_queues_free(struct row_queues *q); /* NULL is a no-op */

/* --- a sink ---------------------------------------------------------------------------------------------------------------- */
/* Copies the selected rows of `b` into the queue of that receiver. S_FULL: nothing was taken; `sender` is unparked when there
 * is room, so a sink answers S_PENDING and is called again. E_BUDGET: the receiver's rows are not read. */
enum status row_queue_offer(struct row_queues *q, int64_t receiver, const struct batch *b, struct sys_parker *sender,
                            struct err *e) CHECKED;
/* One of the receiver's `senders` subtasks has put out all it had; said once. */
void row_queue_sent_all(struct row_queues *q, int64_t receiver, uint32_t senders);

/* --- the job master -------------------------------------------------------------------------------------------------------- */
/* The oldest batch of any receiver that is not pulled, or NULL. Give it back when its rows were looked at. */
struct batch *row_queues_take(struct row_queues *q, int64_t *receiver);
struct batch *row_queue_take(struct row_queues *q, int64_t receiver); /* of that one */
void row_queue_give_back(struct row_queues *q, int64_t receiver, struct batch *b);
/* wake(arg) is called by a sending thread when such rows came and none of that receiver were waiting. Set before tasks run; NULL = nobody. */
void row_queues_on_offer(struct row_queues *q, void (*wake)(void *arg), void *arg);

/* The job starts anew: its senders are gone, others come. Rows that wait stay, since what is restored may not send them again. */
void row_queues_restart(struct row_queues *q);

/* --- the program: receivers that are pulled ----------------------------------------------------------------------------------- */
/* Before the job: its rows wait for row_queue_next. Receivers of one group have rows from the same sources, so that a queue
 * which is full may be what keeps the rows of another from coming. */
void row_queue_pull(struct row_queues *q, int64_t receiver, uint32_t group);
/* The next batch; waits for it. To be given back. S_END: all senders have ended, or with `to_the_end` the job has. Another: how
 * the job ended before them, with its reason in e. One thread at a time for each receiver. */
enum status row_queue_next(struct row_queues *q, int64_t receiver, bool to_the_end, struct batch **out,
                           struct err *e) CHECKED;
void row_queue_close(struct row_queues *q, int64_t receiver); /* nobody reads it any more: its rows are dropped */
/* The job is over: S_OK, or why it did not finish. Whoever waits is woken. */
void row_queues_over(struct row_queues *q, enum status st, const struct err *e);
void row_queues_why(struct row_queues *q, struct err *e); /* the same into e, once it is over; else nothing */
