/* caller.c - see caller.h. One address after another is tried; what the last one said is told. A refused connection means that nobody
 * listens there, which is said with what to do. */
#include "control/cluster/caller.h"

#include "control/cluster/messages.h"

#include <stdio.h>
#include <string.h>

enum { LOOK_UP_NS = 2000000 };

struct caller {
    struct mem mem;
    struct caller_plan plan;
    struct buf greeting;
    struct dial dial;
    struct sys_file *file;
    struct loop_watch *watch;
    struct handshake *handshake;
    struct loop_timer *soon; /* its start, from the loop */
    struct err err;
};

const char *const cluster_build = THALWEG_VERSION;

void greeting_encode(enum message_kind kind, const void *message, struct buf *out)
{
    buf_append_byte(out, (char)kind);
    message_encode(kind, message, out);
}

static void drop(struct caller *c)
{
    struct mem mem;

    loop_timer_cancel(c->plan.loop, c->soon);
    loop_unwatch(c->plan.loop, c->watch);
    sys_file_close(c->plan.sys, c->file);
    dial_end(&c->dial);
    mem_init(&mem, "caller", 0);
    mem_move(&c->mem, &mem);
    mem_release(&mem);
}

void caller_cancel(struct caller *c)
{
    if (c == NULL) return;
    handshake_cancel(c->handshake);
    drop(c);
}

static void fail(struct caller *c, const struct err *why)
{
    struct caller_plan plan = c->plan;
    struct err e = *why;

    err_wrap(&e, "no connection to the %s at %s:%d", c->plan.role, c->plan.host, c->plan.port);
    drop(c);
    plan.failed(plan.arg, &e);
}

static void on_ready(void *arg, struct frame_conn *conn, struct str greeting)
{
    struct caller *c = arg;
    struct caller_plan plan = c->plan;

    (void)greeting;
    drop(c);
    plan.ready(plan.arg, conn);
}

static void on_refused(void *arg, const struct err *why) { fail(arg, why); }

static void greet(struct caller *c)
{
    struct handshake_plan plan = {.build = cluster_build,
                                  .key = {(const char *)c->plan.key->bytes, CLUSTER_KEY_BYTES},
                                  .greeting = {c->greeting.data, c->greeting.size},
                                  .ready = on_ready,
                                  .failed = on_refused,
                                  .arg = c};
    struct sys_file *file = c->file;
    char peer[FRAME_PEER_MAX];

    snprintf(peer, sizeof peer, "%s %s:%d", c->plan.role, c->plan.host, c->plan.port);
    c->file = NULL;
    enum status st =
        handshake_start(c->plan.loop, c->plan.sys, file, peer, true, &plan, &c->handshake, &c->err);
    if (st != S_OK) fail(c, &c->err);
}

static void try_next(struct caller *c);

static void on_writable(void *arg, uint32_t ready)
{
    struct caller *c = arg;

    (void)ready;
    err_clear(&c->err);
    enum status st = sys_socket_finish(c->plan.sys, c->file, &c->err);
    if (st == S_IDLE) return;
    loop_unwatch(c->plan.loop, c->watch);
    c->watch = NULL;
    if (st == S_OK) {
        greet(c);
        return;
    }
    sys_file_close(c->plan.sys, c->file);
    c->file = NULL;
    try_next(c);
}

static void on_soon(void *arg)
{
    struct caller *c = arg;

    c->soon = NULL;
    try_next(c);
}

/* The address is still looked up. */
static void look_again(struct caller *c)
{
    enum status st = loop_timer(c->plan.loop, sys_mono_ns(c->plan.sys) + LOOK_UP_NS, on_soon, c, &c->soon, NULL);

    ASSERT(st == S_OK);
}

static void try_next(struct caller *c)
{
    struct err e = {0};
    enum status st = dial_next(&c->dial, &c->file, &e);

    if (st == S_PENDING) {
        look_again(c);
        return;
    }
    if (st == S_OK) st = loop_watch(c->plan.loop, c->file, SYS_READY_WRITE, on_writable, c, &c->watch, &e);
    if (st == S_OK) return;
    if (st == S_END && c->err.status != S_OK) e = c->err;
    if (e.status == S_OK) err_set(&e, E_IO, "nobody answers");
    err_hint(&e, "is it running there? jobmanager.rpc.address and jobmanager.rpc.port say where it is looked for");
    fail(c, &e);
}

/* The helper's thread; the loop looks by itself, so that nothing is on its way when the caller is gone. */
static void wake(void *arg) { (void)arg; }

static void begin(void *arg)
{
    struct caller *c = arg;
    struct err e = {0};

    c->soon = NULL;
    if (dial_start(&c->dial, c->plan.sys, c->plan.host, c->plan.port, wake, c, &e) == S_OK) try_next(c);
    else fail(c, &e);
}

struct caller *caller_start(const struct caller_plan *plan)
{
    struct mem mem;
    mem_init(&mem, "caller", 0);
    struct caller *c = mem_zalloc(&mem, sizeof *c);
    size_t size = strlen(plan->host) + 1;

    mem_init(&c->mem, "caller", 0);
    mem_move(&mem, &c->mem);
    c->plan = *plan;
    c->plan.host = memcpy(mem_alloc(&c->mem, size), plan->host, size);
    buf_init(&c->greeting, &c->mem);
    buf_append(&c->greeting, plan->greeting.data, plan->greeting.size);
    enum status st = loop_timer(plan->loop, 0, begin, c, &c->soon, NULL);
    ASSERT(st == S_OK);
    return c;
}
