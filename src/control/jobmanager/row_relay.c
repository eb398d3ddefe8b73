/* row_relay.c - see the header. One lock; batches lie in a list per receiver, the oldest first. How much lies here is bounded by what
 * workers may send before they hear that it was taken (ROW_RELAY_UNTAKEN_MAX), not here. */
#include "control/jobmanager/row_relay.h"

#include "ground/base/buf.h"

#include <string.h>

struct relayed {
    struct relayed *next;
    uint32_t worker;
    struct buf bytes;
};

/* A batch that has not come whole yet. */
struct partial {
    struct partial *next;
    uint32_t worker;
    struct buf bytes;
};

struct receiver {
    struct receiver *next;
    int64_t number;
    uint64_t first_number; /* of `first` */
    struct relayed *first, **end;
    struct partial *partials;
};

struct row_relay {
    struct sys *sys;
    struct sys_lock *lock;
    struct mem mem;
    uint64_t version;
    struct receiver *receivers;
};

struct row_relay *row_relay_create(struct sys *sys)
{
    struct mem mem;

    mem_init(&mem, "rows on their way", 0);
    struct row_relay *r = mem_zalloc(&mem, sizeof *r);
    mem_init(&r->mem, "rows on their way", 0);
    mem_move(&mem, &r->mem);
    r->sys = sys;
    r->lock = sys_lock_create(sys);
    return r;
}

void row_relay_free(struct row_relay *r)
{
    struct mem mem;

    if (r == NULL) return;
    sys_lock_free(r->sys, r->lock);
    mem_init(&mem, "rows on their way", 0);
    mem_move(&r->mem, &mem);
    mem_release(&mem);
}

static void drop_first(struct row_relay *r, struct receiver *to)
{
    struct relayed *x = to->first;

    to->first = x->next;
    if (to->first == NULL) to->end = &to->first;
    to->first_number++;
    buf_release(&x->bytes);
    mem_free(&r->mem, x);
}

static void forget(struct row_relay *r, struct receiver *to)
{
    while (to->first != NULL) drop_first(r, to);
    while (to->partials != NULL) {
        struct partial *p = to->partials;
        to->partials = p->next;
        buf_release(&p->bytes);
        mem_free(&r->mem, p);
    }
    to->first_number = 0;
}

void row_relay_begin(struct row_relay *r, uint64_t version)
{
    sys_lock_take(r->lock);
    r->version = version;
    for (struct receiver *to = r->receivers; to != NULL; to = to->next) forget(r, to);
    sys_lock_give(r->lock);
}

static struct receiver *receiver_of(struct row_relay *r, int64_t number)
{
    struct receiver *to = r->receivers;

    while (to != NULL && to->number != number) to = to->next;
    if (to != NULL) return to;
    to = mem_zalloc(&r->mem, sizeof *to);
    to->number = number;
    to->end = &to->first;
    to->next = r->receivers;
    return r->receivers = to;
}

/* --- putting ------------------------------------------------------------------------------------------------------- */
static struct partial *partial_of(struct row_relay *r, struct receiver *to, uint32_t worker)
{
    struct partial *p = to->partials;

    while (p != NULL && p->worker != worker) p = p->next;
    if (p != NULL) return p;
    p = mem_zalloc(&r->mem, sizeof *p);
    p->worker = worker;
    buf_init(&p->bytes, &r->mem);
    p->next = to->partials;
    return to->partials = p;
}

static void put_whole(struct row_relay *r, struct receiver *to, struct partial *p)
{
    struct relayed *x = mem_zalloc(&r->mem, sizeof *x);

    x->worker = p->worker;
    x->bytes = p->bytes;
    buf_init(&p->bytes, &r->mem);
    *to->end = x;
    to->end = &x->next;
}

enum status row_relay_put(struct row_relay *r, uint32_t worker, int64_t receiver, struct str piece, bool is_last,
                          struct err *e)
{
    enum status st = S_OK;

    sys_lock_take(r->lock);
    struct receiver *to = receiver_of(r, receiver);
    struct partial *p = partial_of(r, to, worker);
    if (piece.size > ROW_RELAY_BATCH_MAX - p->bytes.size)
        st = err_set(e, E_BUDGET, "rows that are collected come in batches of at most %d MiB", ROW_RELAY_BATCH_MAX >> 20);
    if (st == S_OK) buf_append(&p->bytes, piece.data, piece.size);
    if (st == S_OK && is_last) put_whole(r, to, p);
    sys_lock_give(r->lock);
    return st;
}

/* --- fetching ------------------------------------------------------------------------------------------------------ */
static void acknowledge(struct row_relay *r, struct receiver *to, const struct row_fetch *f)
{
    while (to->first != NULL && to->first_number < f->from) {
        f->taken(f->arg, to->first->worker, to->first->bytes.size);
        drop_first(r, to);
    }
}

void row_relay_fetch(struct row_relay *r, struct row_fetch *f)
{
    size_t given = 0;

    sys_lock_take(r->lock);
    struct receiver *to = receiver_of(r, f->receiver);
    if (f->version == r->version) acknowledge(r, to, f);
    f->version = r->version;
    f->from = to->first_number;
    for (struct relayed *x = to->first; x != NULL && (given == 0 || given + x->bytes.size <= f->bytes_max); x = x->next) {
        f->batch(f->arg, (struct str){x->bytes.data, x->bytes.size});
        given += x->bytes.size;
    }
    sys_lock_give(r->lock);
}
