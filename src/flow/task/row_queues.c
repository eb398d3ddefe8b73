/* row_queues.c - one lock, and behind it a queue of batches per receiver.
 *
 * Rows are copied under the lock: they are results, not the stream. A queue holds at most ROW_QUEUE_BATCHES_MAX batches; a
 * sender that finds it full is remembered and woken by the batch that comes back. Batches are reused, so a queue in steady
 * state allocates nothing. Order is kept per receiver and sender.
 *
 * A program that reads several receivers in turn waits for one while another is full. If both live on the same sources, the
 * full one keeps the rows from coming that are waited for, and neither would ever move. So a queue may run ahead of its bound
 * while a receiver of its group is waited for since before anybody last took from it: then nobody reads it, whereas a reader
 * with a thread of its own keeps it bounded. Rows beyond the bound fill batches up, and their memory goes when they were read.
 *
 * `clock` counts takes and waits: which of two came first is all that is asked of it. */
#include "flow/task/row_queues.h"

#include <string.h>

enum { SENDERS_MAX = 4096 };

struct row_queue {
    int64_t receiver;
    struct batch *first, *last; /* waiting, oldest first, linked by next */
    struct batch *spare;
    uint32_t made;
    struct sys_parker **senders; /* found it full */
    uint32_t sender_count;
    uint32_t senders_left; /* have not ended; counted from the first that does */
    bool is_ending, is_closed;
    /* pulled: */
    bool is_pulled, is_waited; /* somebody waits for its next batch */
    uint32_t group;
    uint64_t waited_at, taken_at;
    struct sys_parker *reader;
};

struct row_queues {
    struct sys *sys;
    struct sys_lock *lock;
    struct mem mem;
    struct row_queue **list; /* by number of the receiver as they came */
    uint32_t count;
    uint64_t clock;
    bool is_over;
    struct err why;
    void (*wake)(void *arg);
    void *wake_arg;
};

struct row_queues *row_queues_create(struct sys *sys)
{
    struct mem mem;
    mem_init(&mem, "rows for the program", 0);
    struct row_queues *q = mem_zalloc(&mem, sizeof *q);

    mem_init(&q->mem, "rows for the program", 0);
    mem_move(&mem, &q->mem);
    q->sys = sys;
    q->lock = sys_lock_create(sys);
    return q;
}

void row_queues_free(struct row_queues *q)
{
    struct mem mem;

    if (q == NULL) return;
    for (uint32_t i = 0; i < q->count; i++)
        if (q->list[i]->reader != NULL) sys_parker_free(q->sys, q->list[i]->reader);
    sys_lock_free(q->sys, q->lock);
    mem_init(&mem, "rows for the program", 0);
    mem_move(&q->mem, &mem);
    mem_release(&mem);
}

static struct row_queue *queue_of(struct row_queues *q, int64_t receiver)
{
    for (uint32_t i = 0; i < q->count; i++)
        if (q->list[i]->receiver == receiver) return q->list[i];
    struct row_queue *r = mem_zalloc(&q->mem, sizeof *r);
    r->receiver = receiver;
    q->list = mem_realloc(&q->mem, q->list, sizeof(struct row_queue *) * (q->count + 1));
    q->list[q->count++] = r;
    return r;
}

static void senders_wake(struct row_queues *q, struct row_queue *r)
{
    for (uint32_t i = 0; i < r->sender_count; i++) sys_unpark(q->sys, r->senders[i]);
    r->sender_count = 0;
}

static void reader_wake(struct row_queues *q, struct row_queue *r)
{
    if (r->is_waited) sys_unpark(q->sys, r->reader);
}

/* --- a sink ---------------------------------------------------------------------------------------------------------------- */
/* May it run ahead? See above. */
static bool holds_up_another(const struct row_queues *q, const struct row_queue *r)
{
    for (uint32_t i = 0; i < q->count; i++) {
        const struct row_queue *o = q->list[i];
        if (o != r && o->is_waited && o->first == NULL && o->group == r->group && o->waited_at > r->taken_at)
            return true;
    }
    return false;
}

/* A batch of the receiver's pool; NULL when all are under way. */
static struct batch *empty_batch(struct row_queues *q, struct row_queue *r, const struct type *schema)
{
    struct batch *b = r->spare;

    if (b == NULL && r->made >= ROW_QUEUE_BATCHES_MAX && !(r->is_pulled && holds_up_another(q, r))) return NULL;
    if (b == NULL) {
        r->made++;
        return batch_create(schema, BATCH_ROWS, &q->mem);
    }
    r->spare = b->next;
    b->next = NULL;
    if (b->schema == schema || type_equal(b->schema, schema)) return b;
    batch_free(b); /* sides of a union differ in which columns may be NULL */
    return batch_create(schema, BATCH_ROWS, &q->mem);
}

/* Ahead of its bound, a queue fills its last batch up before it asks for one more. */
static bool fits_last(const struct row_queue *r, const struct batch *b)
{
    return r->made > ROW_QUEUE_BATCHES_MAX && r->last != NULL && r->last->count + batch_rows(b) <= r->last->capacity &&
           (r->last->schema == b->schema || type_equal(r->last->schema, b->schema)) &&
           batch_bytes(r->last) < BATCH_BYTES;
}

static void remember_sender(struct row_queues *q, struct row_queue *r, struct sys_parker *sender)
{
    for (uint32_t i = 0; i < r->sender_count; i++)
        if (r->senders[i] == sender) return;
    ASSERT(r->sender_count < SENDERS_MAX);
    r->senders = mem_realloc(&q->mem, r->senders, sizeof(struct sys_parker *) * (r->sender_count + 1));
    r->senders[r->sender_count++] = sender;
}

static enum status too_far_ahead(struct row_queues *q, struct err *e)
{
    if (q->mem.used <= ROW_QUEUE_BYTES_MAX) return S_OK;
    err_set(e, E_BUDGET, "%zu MiB of rows wait for the program, which waits for rows of another stream",
            ROW_QUEUE_BYTES_MAX >> 20);
    err_hint(e, "read both in turn, in threads of their own, or close the one that is not wanted");
    return E_BUDGET;
}

static enum status offer(struct row_queues *q, struct row_queue *r, const struct batch *b, struct sys_parker *sender,
                         struct err *e)
{
    if (r->is_closed) return S_OK;
    if (fits_last(r, b)) {
        batch_append(r->last, b, NULL, 0);
        return S_OK;
    }
    struct batch *copy = empty_batch(q, r, b->schema);
    if (copy == NULL) {
        if (sender != NULL) remember_sender(q, r, sender);
        return S_FULL;
    }
    batch_append(copy, b, NULL, 0);
    if (r->last != NULL)
        r->last->next = copy;
    else
        r->first = copy;
    r->last = copy;
    reader_wake(q, r);
    return r->made > ROW_QUEUE_BATCHES_MAX ? too_far_ahead(q, e) : S_OK;
}

enum status row_queue_offer(struct row_queues *q, int64_t receiver, const struct batch *b, struct sys_parker *sender,
                            struct err *e)
{
    if (batch_rows(b) == 0) return S_OK;
    sys_lock_take(q->lock);
    struct row_queue *r = queue_of(q, receiver);
    bool was_empty = r->first == NULL;
    enum status st = offer(q, r, b, sender, e);
    bool is_first = was_empty && r->first != NULL && !r->is_pulled;
    sys_lock_give(q->lock);
    if (is_first && q->wake != NULL) q->wake(q->wake_arg);
    return st;
}

void row_queue_sent_all(struct row_queues *q, int64_t receiver, uint32_t senders)
{
    sys_lock_take(q->lock);
    struct row_queue *r = queue_of(q, receiver);
    if (!r->is_ending) r->senders_left = senders;
    r->is_ending = true;
    ASSERT(r->senders_left > 0);
    if (--r->senders_left == 0) reader_wake(q, r);
    sys_lock_give(q->lock);
}

void row_queues_restart(struct row_queues *q)
{
    sys_lock_take(q->lock);
    for (uint32_t i = 0; i < q->count; i++) {
        q->list[i]->is_ending = false;
        q->list[i]->senders_left = 0;
        q->list[i]->sender_count = 0;
    }
    sys_lock_give(q->lock);
}

/* --- taking ------------------------------------------------------------------------------------------------------------------ */
static struct batch *pop(struct row_queue *r)
{
    struct batch *b = r->first;

    if (b == NULL) return NULL;
    r->first = b->next;
    if (r->first == NULL) r->last = NULL;
    b->next = NULL;
    return b;
}

static void put_back(struct row_queue *r, struct batch *b)
{
    if (r->made > ROW_QUEUE_BATCHES_MAX) {
        r->made--;
        batch_free(b);
        return;
    }
    batch_clear(b);
    b->next = r->spare;
    r->spare = b;
}

struct batch *row_queues_take(struct row_queues *q, int64_t *receiver)
{
    struct batch *b = NULL;

    sys_lock_take(q->lock);
    for (uint32_t i = 0; i < q->count && b == NULL; i++) {
        struct row_queue *r = q->list[i];
        b = r->is_pulled ? NULL : pop(r);
        if (b == NULL) continue;
        *receiver = r->receiver;
    }
    sys_lock_give(q->lock);
    return b;
}

struct batch *row_queue_take(struct row_queues *q, int64_t receiver)
{
    sys_lock_take(q->lock);
    struct batch *b = pop(queue_of(q, receiver));
    sys_lock_give(q->lock);
    return b;
}

void row_queue_give_back(struct row_queues *q, int64_t receiver, struct batch *b)
{
    sys_lock_take(q->lock);
    struct row_queue *r = queue_of(q, receiver);
    put_back(r, b);
    senders_wake(q, r);
    sys_lock_give(q->lock);
}

void row_queues_on_offer(struct row_queues *q, void (*wake)(void *arg), void *arg)
{
    q->wake = wake;
    q->wake_arg = arg;
}

/* --- the program ---------------------------------------------------------------------------------------------------------------- */
void row_queue_pull(struct row_queues *q, int64_t receiver, uint32_t group)
{
    sys_lock_take(q->lock);
    struct row_queue *r = queue_of(q, receiver);
    ASSERT(!r->is_pulled && r->first == NULL);
    r->is_pulled = true;
    r->group = group;
    r->reader = sys_parker_create(q->sys);
    sys_lock_give(q->lock);
}

/* S_PENDING: it has to be waited for. */
static enum status next_now(struct row_queues *q, struct row_queue *r, bool to_the_end, struct batch **out,
                            struct err *e)
{
    bool have_all_ended = r->is_ending && r->senders_left == 0;

    *out = pop(r);
    if (*out != NULL) {
        r->taken_at = ++q->clock;
        return S_OK;
    }
    if (r->is_closed || (have_all_ended && !to_the_end)) return S_END;
    if (!q->is_over) return S_PENDING;
    if (q->why.status == S_OK) return S_END;
    return err_pass_on(e, &q->why);
}

/* Those that are full may go on for its sake. */
static void wait_begin(struct row_queues *q, struct row_queue *r)
{
    r->is_waited = true;
    r->waited_at = ++q->clock;
    for (uint32_t i = 0; i < q->count; i++)
        if (q->list[i] != r && q->list[i]->group == r->group) senders_wake(q, q->list[i]);
}

enum status row_queue_next(struct row_queues *q, int64_t receiver, bool to_the_end, struct batch **out, struct err *e)
{
    sys_lock_take(q->lock);
    struct row_queue *r = queue_of(q, receiver);
    enum status st;

    ASSERT(r->is_pulled && !r->is_waited);
    while ((st = next_now(q, r, to_the_end, out, e)) == S_PENDING) {
        if (!r->is_waited) wait_begin(q, r);
        sys_lock_give(q->lock);
        sys_park(q->sys, r->reader, INT64_MAX);
        sys_lock_take(q->lock);
    }
    r->is_waited = false;
    sys_lock_give(q->lock);
    return st;
}

void row_queue_close(struct row_queues *q, int64_t receiver)
{
    struct batch *b;

    sys_lock_take(q->lock);
    struct row_queue *r = queue_of(q, receiver);
    r->is_closed = true;
    while ((b = pop(r)) != NULL) put_back(r, b);
    senders_wake(q, r);
    reader_wake(q, r);
    sys_lock_give(q->lock);
}

void row_queues_over(struct row_queues *q, enum status st, const struct err *e)
{
    sys_lock_take(q->lock);
    ASSERT(!q->is_over);
    q->is_over = true;
    if (st != S_OK) q->why = *e;
    for (uint32_t i = 0; i < q->count; i++) {
        q->list[i]->sender_count = 0; /* they are gone */
        reader_wake(q, q->list[i]);
    }
    sys_lock_give(q->lock);
}

void row_queues_why(struct row_queues *q, struct err *e)
{
    sys_lock_take(q->lock);
    if (q->why.status != S_OK) (void)err_pass_on(e, &q->why);
    sys_lock_give(q->lock);
}
