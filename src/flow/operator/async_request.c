/* async_request.c - requests and their answers.
 *
 * The idea: a request is the task's until it is handed to .submit, then the client's until it is answered, then the task's
 * again. An answer puts it into a list under a lock and rings the task, within the lock, so that a thread which answered
 * touches nothing of the sink afterwards.
 *
 * Invariants: only the first answer counts. A request whose time is up keeps a hold of its chunks until its answer comes or
 * the sink closes, since its client may still read the structs; its entries are in the buffer again as well.
 *
 * Not here: what an answer means for the rate and the buffer's flow (op_async_sink.c). */
#include "flow/operator/async_request.h"

#include <stdarg.h>
#include <stdio.h>

void requests_init(struct async_requests *q, struct op_cx *op, struct entry_buffer *buffer, uint32_t entries_max)
{
    *q = (struct async_requests){.op = op, .buffer = buffer, .entries_max = entries_max};
    q->lock = sys_lock_create(op->sys);
}

/* --- making ---------------------------------------------------------------------------------------------------------------- */
static struct tw_request *request_new(struct async_requests *q)
{
    struct mem *mem = q->buffer->mem;
    struct tw_request *r = mem_zalloc(mem, sizeof *r);

    r->of = q;
    r->entries = mem_alloc(mem, sizeof *r->entries * q->entries_max);
    r->structs = mem_zalloc(mem, (size_t)q->buffer->conv->size * q->entries_max);
    r->again = mem_alloc(mem, sizeof *r->again * q->entries_max);
    r->is_again = mem_zalloc(mem, sizeof *r->is_again * q->entries_max);
    arena_init(&r->items, mem, 0);
    r->made_before = q->made;
    q->made = r;
    return r;
}

struct tw_request *request_make(struct async_requests *q, uint32_t count)
{
    struct tw_request *r = q->spare;

    ASSERT(count > 0 && count <= q->entries_max);
    if (r != NULL)
        q->spare = r->next;
    else
        r = request_new(q);
    r->next = NULL;
    r->answer = REQUEST_OPEN;
    r->is_late = false;
    r->again_count = 0;
    r->count = count;
    for (uint32_t i = 0; i < count; i++) r->entries[i] = entries_take(q->buffer);
    arena_reset(&r->items);
    entries_read(q->buffer, r->entries, count, r->structs, &r->items);
    return r;
}

void request_sent(struct tw_request *r, int64_t now_ms, int64_t timeout_ms)
{
    struct async_requests *q = r->of;

    r->sent_ms = now_ms;
    r->deadline_ms = now_ms + timeout_ms;
    r->next_sent = NULL;
    r->previous_sent = q->last_sent;
    if (q->last_sent != NULL)
        q->last_sent->next_sent = r;
    else
        q->first_sent = r;
    q->last_sent = r;
}

static void sent_remove(struct tw_request *r)
{
    struct async_requests *q = r->of;

    if (r->previous_sent != NULL)
        r->previous_sent->next_sent = r->next_sent;
    else
        q->first_sent = r->next_sent;
    if (r->next_sent != NULL)
        r->next_sent->previous_sent = r->previous_sent;
    else
        q->last_sent = r->previous_sent;
}

static void give_back(struct tw_request *r)
{
    for (uint32_t i = 0; i < r->count; i++) entry_drop(r->of->buffer, r->entries[i]);
    for (uint32_t i = 0; i < r->again_count; i++) r->is_again[r->again[i]] = false;
    r->count = r->again_count = 0;
    r->next = r->of->spare;
    r->of->spare = r;
}

/* --- answers that came ------------------------------------------------------------------------------------------------------ */
struct tw_request *requests_take(struct async_requests *q)
{
    struct tw_request *r, *next, *first = NULL, **end = &first;

    sys_lock_take(q->lock);
    r = q->answered;
    q->answered = q->answered_last = NULL;
    sys_atomic_store(&q->has_answers, 0);
    sys_lock_give(q->lock);
    for (; r != NULL; r = next) {
        next = r->next;
        if (r->is_late) {
            give_back(r);
            continue;
        }
        sent_remove(r);
        *end = r;
        end = &r->next;
        *end = NULL;
    }
    return first;
}

static void put_back(struct tw_request *r, uint32_t number)
{
    entry_hold(r->entries[number]);
    entries_put_front(r->of->buffer, r->entries[number]);
}

/* The last goes first, so that they stand in order. */
void request_settle(struct tw_request *r)
{
    for (uint32_t i = r->again_count; i-- > 0;) put_back(r, r->again[i]);
    give_back(r);
}

bool request_expire(struct tw_request *r)
{
    struct async_requests *q = r->of;

    sys_lock_take(q->lock);
    r->is_late = r->answer == REQUEST_OPEN;
    sys_lock_give(q->lock);
    if (!r->is_late) return false;
    sent_remove(r);
    for (uint32_t i = r->count; i-- > 0;) put_back(r, i);
    return true;
}

void requests_release(struct async_requests *q)
{
    if (q->lock == NULL) return;
    sys_lock_take(q->lock); /* whoever answered last has let go of it */
    sys_lock_give(q->lock);
    sys_lock_free(q->op->sys, q->lock);
    while (q->made != NULL) {
        struct tw_request *r = q->made;
        q->made = r->made_before;
        for (uint32_t i = 0; i < r->count; i++) entry_drop(q->buffer, r->entries[i]);
        mem_free(q->buffer->mem, r->entries);
        mem_free(q->buffer->mem, r->structs);
        mem_free(q->buffer->mem, r->again);
        mem_free(q->buffer->mem, r->is_again);
        arena_release(&r->items);
        mem_free(q->buffer->mem, r);
    }
    q->lock = NULL;
}

/* --- what clients call ------------------------------------------------------------------------------------------------------- */
uint32_t tw_request_count(const struct tw_request *r) { return r->count; }

const void *tw_request_entry(const struct tw_request *r, uint32_t i)
{
    ASSERT(i < r->count);
    return r->structs + (size_t)r->of->buffer->conv->size * i;
}

/* (lock) The first answer puts it into the list. */
static void answer_put(struct tw_request *r, enum request_answer answer)
{
    struct async_requests *q = r->of;

    r->answer = answer;
    r->next = NULL;
    if (q->answered_last != NULL)
        q->answered_last->next = r;
    else
        q->answered = r;
    q->answered_last = r;
    sys_atomic_store(&q->has_answers, 1);
    op_ring(q->op);
}

void tw_request_done(struct tw_request *r)
{
    sys_lock_take(r->of->lock);
    if (r->answer == REQUEST_OPEN) answer_put(r, REQUEST_DONE);
    sys_lock_give(r->of->lock);
}

void tw_request_fail(struct tw_request *r, const char *format, ...)
{
    struct sys_lock *lock = r->of->lock;
    va_list args;

    va_start(args, format);
    sys_lock_take(lock);
    if (r->answer == REQUEST_OPEN) {
        vsnprintf(r->text, sizeof r->text, format, args);
        answer_put(r, REQUEST_FAILED);
    }
    sys_lock_give(lock);
    va_end(args);
}

/* (lock) Numbers that are none of its entries, or told twice, fail the job. */
static void retry_put(struct tw_request *r, const uint32_t *entries, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = entries != NULL ? entries[i] : i;
        if (number < r->count && !r->is_again[number]) {
            r->again[r->again_count++] = number;
            r->is_again[number] = true;
            continue;
        }
        snprintf(r->text, sizeof r->text, "tw_request_retry: entry %u of %u %s", number, r->count,
                 number < r->count ? "is there twice" : "does not exist");
        answer_put(r, REQUEST_FAILED);
        return;
    }
    answer_put(r, REQUEST_RETRY);
}

void tw_request_retry(struct tw_request *r, const uint32_t *entries, uint32_t count)
{
    struct sys_lock *lock = r->of->lock;

    ASSERT(entries != NULL || count == 0);
    sys_lock_take(lock);
    if (r->answer == REQUEST_OPEN) retry_put(r, entries, count);
    sys_lock_give(lock);
}

void tw_request_retry_all(struct tw_request *r)
{
    struct sys_lock *lock = r->of->lock;

    sys_lock_take(lock);
    if (r->answer == REQUEST_OPEN) retry_put(r, NULL, r->count);
    sys_lock_give(lock);
}
