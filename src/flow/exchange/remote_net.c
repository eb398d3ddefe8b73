/* remote_net.c - the thread that moves rows between this process and others: its loop, its port, and when it sleeps.
 *
 * A turn is a round over the channels that may have something to do, then what the loop has: frames that came,
 * connections that take more. When nothing moved it spins for a while, for the next batch usually follows soon and to
 * be woken costs more, and then lets channels say when they have something, looks at them once more, and waits. As a
 * worker it does not spin on a core that others need. */
#include "flow/exchange/remote_pump.h"

#include "ground/base/str.h"

#include <stdio.h>

enum { SPIN_NS = 50000, OFF_CORE_NS = 100000, CROWDED_NS = 10000000, REST_NS = 100000000, POSTS = 16384, VISITOR_TEXT_MAX = FRAME_PEER_MAX };

/* --- calls from other threads ------------------------------------------------------------------------------------- */
void remote_net_signal(struct remote_net *n, struct sys_atomic_u64 *word, struct sys_parker *sleeper)
{
    sys_lock_take(n->lock);
    sys_atomic_store(word, 1);
    sys_unpark(n->sys, sleeper);
    sys_lock_give(n->lock);
}

void remote_net_await(struct remote_net *n, struct sys_atomic_u64 *word, struct sys_parker *sleeper)
{
    while (sys_atomic_load(word) == 0) sys_park(n->sys, sleeper, INT64_MAX);
    sys_lock_take(n->lock); /* who signalled is through with both */
    sys_lock_give(n->lock);
}

struct call {
    struct remote_net *net;
    loop_fn fn;
    void *arg;
    struct sys_parker *caller;
    struct sys_atomic_u64 is_done;
};

static void run_call(void *arg)
{
    struct call *c = arg;

    c->fn(c->arg);
    remote_net_signal(c->net, &c->is_done, c->caller);
}

void remote_net_call(struct remote_net *n, loop_fn fn, void *arg)
{
    struct call c = {n, fn, arg, sys_parker_create(n->sys), {0}};
    enum status st = loop_post(n->loop, run_call, &c);

    ASSERT(st == S_OK);
    remote_net_await(n, &c.is_done, c.caller);
    sys_parker_free(n->sys, c.caller);
}

/* --- who connects ------------------------------------------------------------------------------------------------- */
static void visitor_free(struct remote_visitor *v)
{
    struct remote_visitor **at = &v->net->visitors;

    while (*at != v) at = &(*at)->next;
    *at = v->next;
    mem_free(&v->net->mem, v);
}

static enum status visitor_admit(void *arg, struct str greeting, struct err *e)
{
    struct remote_visitor *v = arg;

    return remote_greeting_find(v->net, greeting, &v->link, e);
}

static void visitor_ready(void *arg, struct frame_conn *conn, struct str greeting)
{
    struct remote_visitor *v = arg;
    struct remote_link *l = v->link;

    (void)greeting;
    visitor_free(v);
    remote_link_up(l, conn);
}

static void visitor_failed(void *arg, const struct err *why)
{
    struct remote_visitor *v = arg;

    log_write(v->net->log, LOG_WARN, "exchange", "a connection was not accepted: %s", why->text);
    visitor_free(v);
}

static void receive_visitor(struct remote_net *n, struct sys_file *file)
{
    struct remote_visitor *v = mem_zalloc(&n->mem, sizeof *v);
    struct handshake_plan plan = {.build = n->plan.build,
                                  .key = n->plan.key,
                                  .admit = visitor_admit,
                                  .ready = visitor_ready,
                                  .failed = visitor_failed,
                                  .arg = v};
    char peer[VISITOR_TEXT_MAX];
    struct err e = {0};

    *v = (struct remote_visitor){.net = n, .next = n->visitors};
    n->visitors = v;
    snprintf(peer, sizeof peer, "a visitor at port %d", n->port);
    if (handshake_start(n->loop, n->sys, file, peer, false, &plan, &v->shake, &e) == S_OK) return;
    log_write(n->log, LOG_WARN, "exchange", "a connection was not accepted: %s", e.text);
    visitor_free(v);
}

static void listen_again(void *arg)
{
    struct remote_net *n = arg;
    struct err e = {0};

    n->rests = NULL;
    if (loop_watch_set(n->loop, n->watch, SYS_READY_READ, &e) != S_OK) log_write(n->log, LOG_ERROR, "exchange", "%s", e.text);
}

/* Who waits stays ready while there are no numbers for files left: to ask again at once would be to ask all the time. */
static void rest(struct remote_net *n, const struct err *why)
{
    struct err e = {0};

    log_write(n->log, LOG_WARN, "exchange", "%s", why->text);
    if (loop_timer(n->loop, sys_mono_ns(n->sys) + REST_NS, listen_again, n, &n->rests, &e) != S_OK ||
        loop_watch_set(n->loop, n->watch, 0, &e) != S_OK)
        log_write(n->log, LOG_ERROR, "exchange", "%s", e.text);
}

static void listener_ready(void *arg, uint32_t ready)
{
    struct remote_net *n = arg;
    struct sys_file *file;
    struct err e = {0};
    enum status st;

    (void)ready;
    while ((st = sys_socket_accept(n->sys, n->listener, &file, &e)) == S_OK) receive_visitor(n, file);
    if (st < 0) rest(n, &e);
}

/* --- the thread --------------------------------------------------------------------------------------------------- */
static bool may_spin(struct remote_net *n)
{
    int64_t now = sys_mono_ns(n->sys);

    if (n->active_count == 0) return false;
    if (n->idle_ns == 0) n->idle_ns = n->looked_ns = now;
    if (now - n->looked_ns > OFF_CORE_NS) n->crowded_ns = now + CROWDED_NS;
    n->looked_ns = now;
    return now >= n->crowded_ns && now - n->idle_ns < SPIN_NS;
}

static void net_loop(void *arg)
{
    struct remote_net *n = arg;
    struct err e = {0};
    uint32_t did = 0;

    while (sys_atomic_load(&n->is_closing) == 0) {
        bool moved = remote_net_pump(n) || did > 0;
        if (moved) n->idle_ns = 0;
        int64_t wait_ns = moved || may_spin(n) || remote_net_settle(n) ? 0 : INT64_MAX;
        enum status st = loop_turn(n->loop, wait_ns, &did, &e);
        ASSERT(st == S_OK); /* a system that cannot wait for its own set of files is not one to go on with */
    }
}

/* --- life --------------------------------------------------------------------------------------------------------- */
static enum status net_listen(struct remote_net *n, struct err *e)
{
    struct sys_address list[SYS_ADDRESSES_MAX];
    uint32_t count;

    TRY(sys_address_find(n->sys, n->plan.host, n->plan.port, false, list, &count, e));
    TRY(sys_socket_listen(n->sys, &list[0], &n->listener, &n->port, e));
    TRY(loop_watch(n->loop, n->listener, SYS_READY_READ, listener_ready, n, &n->watch, e));
    return sys_thread_start(n->sys, "exchange", net_loop, n, &n->thread, e);
}

static void net_free(struct remote_net *n)
{
    struct mem mem;

    for (struct remote_visitor *v; (v = n->visitors) != NULL;) {
        handshake_cancel(v->shake);
        visitor_free(v);
    }
    loop_timer_cancel(n->loop, n->rests);
    loop_unwatch(n->loop, n->watch);
    sys_file_close(n->sys, n->listener);
    loop_free(n->loop);
    sys_lock_free(n->sys, n->lock);
    mem_init(&mem, "remote net", 0);
    mem_move(&n->mem, &mem);
    mem_release(&mem);
}

enum status remote_net_open(struct sys *sys, struct log *log, const struct remote_net_plan *plan,
                            struct remote_net **out, struct err *e)
{
    static const struct loop_limits limits = {.posts = POSTS};
    struct loop *loop;
    struct mem mem;

    TRY(loop_create(sys, "exchange", &limits, &loop, e));
    mem_init(&mem, "remote net", 0);
    struct remote_net *n = mem_zalloc(&mem, sizeof *n);
    mem_init(&n->mem, "remote net", 0);
    mem_move(&mem, &n->mem);
    buf_init(&n->raw, &n->mem);
    n->sys = sys;
    n->log = log;
    n->plan = *plan;
    n->loop = loop;
    n->lock = sys_lock_create(sys);
    enum status st = net_listen(n, e);
    if (st == S_OK)
        *out = n;
    else
        net_free(n);
    return st;
}

void remote_net_close(struct remote_net *n)
{
    if (n == NULL) return;
    ASSERT(n->exchanges == NULL);
    sys_atomic_store(&n->is_closing, 1);
    loop_wake(n->loop);
    sys_thread_join(n->sys, n->thread);
    net_free(n);
}

int remote_net_port(const struct remote_net *n) { return n->port; }
