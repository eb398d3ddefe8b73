/* remote_exchange.c - the channels of one attempt of a job that leave or enter this process, and how they begin and
 * end.
 *
 * Until remote_exchange_open all of it is the thread's that deploys; from then on it is the net's, and what the
 * deploying thread wants is done there by a call that it waits for. The end is always a post of its own: by then
 * nobody is in the middle of a round over the channels that go. */
#include "flow/exchange/remote_pump.h"

#include "ground/base/str.h"

#include <stdio.h>

/* --- before it is open -------------------------------------------------------------------------------------------- */
struct remote_exchange *remote_exchange_create(struct remote_net *n, const struct remote_plan *plan)
{
    struct mem mem;

    ASSERT(plan->self < plan->worker_count && plan->failed != NULL);
    mem_init(&mem, "remote exchange", 0);
    struct remote_exchange *x = mem_zalloc(&mem, sizeof *x);
    mem_init(&x->mem, "remote exchange", 0);
    mem_move(&mem, &x->mem);
    mem_init(&x->channel_mem, "remote channels", 0);
    x->net = n;
    x->plan = *plan;
    x->stopper = sys_parker_create(n->sys);
    map_init(&x->channels, &x->mem);
    x->links = mem_zalloc(&x->mem, sizeof *x->links * plan->worker_count);
    for (uint32_t i = 0; i < plan->worker_count; i++) {
        const struct remote_worker *w = &plan->workers[i];
        x->links[i].exchange = x;
        x->links[i].worker = i;
        snprintf(x->links[i].peer, sizeof x->links[i].peer, "worker %.48s (%.*s:%d)", w->name, SYS_HOST_MAX, w->host,
                 w->port);
    }
    return x;
}

void remote_exchange_free(struct remote_exchange *x)
{
    struct mem mem;

    if (x == NULL) return;
    ASSERT(!x->is_open || sys_atomic_load(&x->is_stopped) != 0);
    sys_parker_free(x->net->sys, x->stopper);
    mem_release(&x->channel_mem);
    mem_init(&mem, "remote exchange", 0);
    mem_move(&x->mem, &mem);
    mem_release(&mem);
}

struct mem *remote_exchange_mem(struct remote_exchange *x) { return &x->channel_mem; }

static void add_channel(struct remote_exchange *x, uint32_t worker, uint64_t id, struct channel *channel, bool is_sent)
{
    struct remote_link *l = &x->links[worker];
    struct remote_channel *c = mem_zalloc(&x->mem, sizeof *c), **last = &l->channels;

    ASSERT(!x->is_open && worker < x->plan.worker_count && worker != x->plan.self);
    *c = (struct remote_channel){.link = l, .channel = channel, .id = id, .is_sent = is_sent};
    while (*last != NULL) last = &(*last)->link_next;
    *last = c;
    l->channel_count++;
    if (is_sent)
        l->sends_open++;
    else
        l->receives_open++;
    const void *before = map_set(&x->channels, (struct str){(const char *)&c->id, sizeof c->id}, c);
    ASSERT(before == NULL);
    channel->wake_far = remote_channel_wake;
    channel->wake_far_arg = c;
}

void remote_exchange_send(struct remote_exchange *x, uint32_t worker, uint64_t id, struct channel *c)
{
    add_channel(x, worker, id, c, true);
}

void remote_exchange_receive(struct remote_exchange *x, uint32_t worker, uint64_t id, struct channel *c)
{
    add_channel(x, worker, id, c, false);
}

void remote_exchange_pack(struct remote_exchange *x)
{
    ASSERT(!x->is_open);
    x->packs = true;
}

/* --- while it runs ------------------------------------------------------------------------------------------------ */
static void open_now(void *arg)
{
    struct remote_exchange *x = arg;

    x->next = x->net->exchanges;
    x->net->exchanges = x;
}

void remote_exchange_open(struct remote_exchange *x)
{
    ASSERT(!x->is_open);
    x->is_open = true;
    remote_net_call(x->net, open_now, x);
}

static void start_now(void *arg)
{
    struct remote_exchange *x = arg;

    for (uint32_t i = x->plan.self + 1; i < x->plan.worker_count && !x->has_failed; i++)
        if (x->links[i].channel_count > 0) remote_link_dial(&x->links[i]);
}

void remote_exchange_start(struct remote_exchange *x)
{
    ASSERT(x->is_open);
    remote_net_call(x->net, start_now, x);
}

static void cut_all(struct remote_exchange *x)
{
    for (uint32_t i = 0; i < x->plan.worker_count; i++) remote_link_cut(&x->links[i]);
}

void remote_exchange_fail(struct remote_exchange *x, uint32_t worker, const struct err *why)
{
    if (x->has_failed) return;
    x->has_failed = true;
    log_write(x->net->log, LOG_WARN, "exchange", "job %s: %s", x->plan.job_id, why->text);
    if (!x->stops) x->plan.failed(x->plan.arg, worker, why);
    cut_all(x);
    remote_exchange_check_stop(x);
}

/* --- the end ------------------------------------------------------------------------------------------------------ */
static void signal_end(void *arg)
{
    struct remote_exchange *x = arg;

    remote_net_signal(x->net, &x->is_stopped, x->stopper); /* from here on it may be gone */
}

/* No round looks at channels of the exchange any more, and who still gives shells back to them (a gate that is freed)
 * wakes nobody. */
static void forget_channels(struct remote_exchange *x)
{
    struct remote_net *n = x->net;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < x->plan.worker_count; i++)
        for (struct remote_channel *c = x->links[i].channels; c != NULL; c = c->link_next)
            sys_atomic_exchange(&c->is_listed, 1);
    for (uint32_t i = 0; i < n->active_count; i++)
        if (n->active[i]->link->exchange != x) n->active[kept++] = n->active[i];
    n->active_count = kept;
    sys_lock_take(n->lock);
    for (struct remote_channel **at = &n->listed; *at != NULL;) {
        if ((*at)->link->exchange == x)
            *at = (*at)->listed_next;
        else
            at = &(*at)->listed_next;
    }
    sys_lock_give(n->lock);
    for (struct remote_link **at = &n->dirty; *at != NULL;) {
        if ((*at)->exchange == x)
            *at = (*at)->dirty_next;
        else
            at = &(*at)->dirty_next;
    }
}

static void end_now(void *arg)
{
    struct remote_exchange *x = arg, **at = &x->net->exchanges;

    x->all_arrived = !x->has_failed;
    for (uint32_t i = 0; i < x->plan.worker_count; i++)
        if (x->links[i].channel_count > 0 && x->links[i].state != LINK_OVER) x->all_arrived = false;
    loop_timer_cancel(x->net->loop, x->cut);
    cut_all(x); /* also ends look-ups of names: what these posted is in front of signal_end */
    forget_channels(x);
    for (uint32_t i = 0; i < x->plan.worker_count; i++)
        for (struct remote_channel *c = x->links[i].channels; c != NULL; c = c->link_next) remote_channel_release(c);
    while (*at != x) at = &(*at)->next;
    *at = x->next;
    enum status st = loop_post(x->net->loop, signal_end, x);
    ASSERT(st == S_OK);
}

static void end_later(struct remote_exchange *x)
{
    if (x->is_ending) return;
    x->is_ending = true;
    enum status st = loop_post(x->net->loop, end_now, x);
    ASSERT(st == S_OK);
}

void remote_exchange_check_stop(struct remote_exchange *x)
{
    if (!x->stops) return;
    for (uint32_t i = 0; i < x->plan.worker_count; i++)
        if (x->links[i].channel_count > 0 && x->links[i].state != LINK_OVER) return;
    end_later(x);
}

static void cut_now(void *arg)
{
    struct remote_exchange *x = arg;

    x->cut = NULL;
    end_later(x);
}

struct stop {
    struct remote_exchange *exchange;
    int64_t wait_ns;
};

static void stop_now(void *arg)
{
    const struct stop *s = arg;
    struct remote_exchange *x = s->exchange;
    struct remote_net *n = x->net;

    x->stops = true;
    remote_exchange_check_stop(x);
    if (x->is_ending) return;
    if (s->wait_ns == 0 || loop_timer(n->loop, sys_mono_ns(n->sys) + s->wait_ns, cut_now, x, &x->cut, NULL) != S_OK)
        end_later(x);
}

bool remote_exchange_stop(struct remote_exchange *x, int64_t wait_ns)
{
    struct stop s = {x, wait_ns};

    if (!x->is_open || sys_atomic_load(&x->is_stopped) != 0) return true;
    remote_net_call(x->net, stop_now, &s);
    remote_net_await(x->net, &x->is_stopped, x->stopper);
    return x->all_arrived;
}

void remote_exchange_totals(const struct remote_exchange *x, struct remote_totals *out)
{
    *out = (struct remote_totals){sys_atomic_load(&x->bytes_sent), sys_atomic_load(&x->bytes_received),
                                  sys_atomic_load(&x->batches_sent), sys_atomic_load(&x->batches_received)};
}
