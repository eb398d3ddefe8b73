/* async_request.h - requests of an asynchronous sink: what is sent together, and the answers, which come from any thread. */
#pragma once
#include <thalweg/async_sink.h>

#include "flow/operator/async_entries.h"
#include "flow/operator/user.h"

enum request_answer { REQUEST_OPEN, REQUEST_DONE, REQUEST_RETRY, REQUEST_FAILED };

struct tw_request {
    struct async_requests *of;
    struct tw_request *next; /* answered, or spare */
    struct tw_request *previous_sent, *next_sent;
    struct tw_request *made_before;
    struct entry *entries;
    uint32_t count;
    char *structs;
    struct arena items; /* of nested values */
    int64_t sent_ms, deadline_ms;
    bool is_late; /* its time was up: an answer only gives it back */
    /* Under the lock until it is taken. */
    enum request_answer answer;
    uint32_t *again; /* REQUEST_RETRY: numbers of entries */
    uint32_t again_count;
    bool *is_again;
    char text[USER_TEXT_MAX];
};

struct async_requests {
    struct op_cx *op;
    struct entry_buffer *buffer;
    uint32_t entries_max; /* of a request */
    struct sys_lock *lock;
    struct tw_request *answered, *answered_last; /* (lock) */
    struct sys_atomic_u64 has_answers;
    struct tw_request *first_sent, *last_sent; /* waiting for an answer, oldest first */
    struct tw_request *spare, *made;
};

void requests_init(struct async_requests *q, struct op_cx *op, struct entry_buffer *buffer, uint32_t entries_max);
/* No thread will answer any more. Entries that requests hold are dropped. */
void requests_release(struct async_requests *q);
/* Takes the first `count` entries of the buffer; structs are ready. */
struct tw_request *request_make(struct async_requests *q, uint32_t count);
void request_sent(struct tw_request *r, int64_t now_ms, int64_t timeout_ms);
/* Those that were answered since, oldest answer first, linked by next; late ones are given back here. */
struct tw_request *requests_take(struct async_requests *q);
/* One of these: its entries go, those to be tried again to the front of the buffer. */
void request_settle(struct tw_request *r);
/* The time of one that was sent is up. False: it has been answered meanwhile. True: all of it is in the buffer again; a late
 * answer gives it back. */
bool request_expire(struct tw_request *r);
static inline bool requests_have_answers(const struct async_requests *q)
{
    return sys_atomic_load(&q->has_answers) != 0;
}
