/* remote_link.c - the connection to one worker: how it comes about, what comes on it, how it ends.
 *
 * Of two workers the one with the lower number dials. Who says BYE has sent the end of every channel of the link; the
 * answer to it says that all of that has come, and is in the rings. A link is over when both were said and answered:
 * then nothing is under way in either direction, and closing it can lose nothing. A connection that closes earlier is
 * a failure of the exchange. */
#include "flow/exchange/remote_pump.h"

#include "ground/base/codec.h"
#include "ground/base/str.h"

enum { UNSENT_BYTES = 256 * 1024, READ_ROOM = 256 * 1024, GREETING_TEXT_MAX = 256 };

static void link_failed(struct remote_link *l, const struct err *why)
{
    l->state = LINK_OVER;
    remote_exchange_fail(l->exchange, l->worker, why);
}

/* --- frames ------------------------------------------------------------------------------------------------------- */
void remote_link_dirty(struct remote_link *l)
{
    struct remote_net *n = l->exchange->net;

    if (l->is_dirty) return;
    l->is_dirty = true;
    l->dirty_next = n->dirty;
    n->dirty = l;
}

static struct remote_channel *channel_of(const struct remote_link *l, uint64_t id)
{
    struct remote_channel *c = map_get(&l->exchange->channels, (struct str){(const char *)&id, sizeof id});

    return c != NULL && c->link == l ? c : NULL;
}

static enum status hear_bye(struct remote_link *l, const struct remote_message *m, struct err *e)
{
    bool fits = m->is_answer ? l->said_bye && !l->heard_answer : l->receives_open == 0 && !l->heard_bye;

    if (!fits) return err_set(e, E_DATA, "an end before its time");
    if (m->is_answer)
        l->heard_answer = true;
    else
        l->heard_bye = l->owes_answer = true;
    remote_link_check_end(l);
    return S_OK;
}

static enum status take_message(struct remote_link *l, uint8_t kind, struct str payload, struct err *e)
{
    struct remote_message m;
    struct dec d;

    dec_init(&d, payload.data, payload.size);
    TRY(remote_message_decode(kind, &d, &m, e));
    if (kind == REMOTE_BYE) return hear_bye(l, &m, e);
    struct remote_channel *c = channel_of(l, m.channel);
    if (c == NULL)
        return err_set(e, E_DATA, "a frame for channel %llx, which is none between the two",
                       (unsigned long long)m.channel);
    if (kind == REMOTE_BATCH) return remote_channel_batch(c, &m, &d, e);
    return kind == REMOTE_CONTROL ? remote_channel_control(c, &m, e) : remote_channel_credit(c, &m, e);
}

static enum status on_frame(void *arg, uint8_t kind, struct str payload, struct err *e)
{
    struct remote_link *l = arg;
    struct remote_exchange *x = l->exchange;

    if (l->state != LINK_UP) return S_OK; /* it was cut by the frame before */
    sys_atomic_store(&x->bytes_received, sys_atomic_load(&x->bytes_received) + payload.size + FRAME_HEAD);
    enum status st = take_message(l, kind, payload, e);
    if (st != S_OK) err_wrap(e, "%s sent what cannot be", l->peer);
    return st;
}

static void on_room(void *arg)
{
    struct remote_link *l = arg;

    for (struct remote_channel *c = l->channels; c != NULL; c = c->link_next) remote_channel_activate(c);
    remote_link_check_end(l);
}

static void on_over(void *arg, enum status st, const struct err *why)
{
    struct remote_link *l = arg;
    struct err e = {0};
    bool in_order = st == S_END && l->said_bye && l->heard_bye && !l->owes_answer;

    if (l->state != LINK_UP) return;
    frame_close(l->conn);
    l->conn = NULL;
    l->state = LINK_OVER;
    if (in_order) {
        remote_exchange_check_stop(l->exchange);
        return;
    }
    err_pass_on(&e, why);
    if (st == S_END) err_hint(&e, "the process there has ended or gave the job up; its own log says why");
    link_failed(l, &e);
}

void remote_link_up(struct remote_link *l, struct frame_conn *conn)
{
    static const struct frame_limits limits = {.unsent_max = UNSENT_BYTES, .read_bytes = READ_ROOM};
    struct frame_hooks hooks = {.on_frame = on_frame, .on_room = on_room, .on_over = on_over, .arg = l};

    l->state = LINK_UP;
    l->conn = conn;
    frame_rename(conn, l->peer);
    frame_hand_over(conn, &hooks, &limits);
    for (struct remote_channel *c = l->channels; c != NULL; c = c->link_next) {
        if (!c->is_sent) c->fresh.controls = CHANNEL_CONTROL_SLOTS;
        remote_channel_activate(c);
    }
    remote_link_check_end(l);
}

/* --- the end ------------------------------------------------------------------------------------------------------ */
/* False: no room, on_room tries again. */
static bool say_bye(struct remote_link *l, bool is_answer)
{
    struct buf *out;

    if (frame_begin(l->conn, REMOTE_BYE, &out) != S_OK) return false;
    remote_bye_encode(out, is_answer);
    frame_end(l->conn);
    remote_link_dirty(l);
    return true;
}

void remote_link_check_end(struct remote_link *l)
{
    if (l->state != LINK_UP) return;
    if (l->sends_open == 0 && !l->said_bye) l->said_bye = say_bye(l, false);
    if (l->owes_answer && l->queued == 0 && say_bye(l, true)) l->owes_answer = false;
    if (!l->said_bye || !l->heard_bye || !l->heard_answer || l->owes_answer) return;
    frame_flush(l->conn);
    if (frame_unsent(l->conn) > 0) return; /* the loop sends it, and the other end closes */
    frame_close(l->conn);
    l->conn = NULL;
    l->state = LINK_OVER;
    remote_exchange_check_stop(l->exchange);
}

void remote_link_cut(struct remote_link *l)
{
    struct loop *loop = l->exchange->net->loop;

    loop_unwatch(loop, l->watch);
    if (l->file != NULL) sys_file_close(l->exchange->net->sys, l->file);
    handshake_cancel(l->shake);
    frame_close(l->conn);
    if (l->has_dial) dial_end(&l->dial);
    l->watch = NULL;
    l->file = NULL;
    l->shake = NULL;
    l->conn = NULL;
    l->has_dial = false;
    l->state = LINK_OVER;
}

/* --- dialing ------------------------------------------------------------------------------------------------------ */
static void shake_ready(void *arg, struct frame_conn *conn, struct str greeting)
{
    struct remote_link *l = arg;

    (void)greeting;
    l->shake = NULL;
    remote_link_up(l, conn);
}

static void shake_failed(void *arg, const struct err *why)
{
    struct remote_link *l = arg;

    l->shake = NULL;
    link_failed(l, why);
}

static void shake(struct remote_link *l)
{
    struct remote_net *n = l->exchange->net;
    struct handshake_plan plan = {
        .build = n->plan.build, .key = n->plan.key, .ready = shake_ready, .failed = shake_failed, .arg = l};
    struct sys_file *file = l->file;
    struct err e = {0};
    struct buf greeting;

    loop_unwatch(n->loop, l->watch);
    l->watch = NULL;
    l->file = NULL;
    l->state = LINK_SHAKES;
    buf_init(&greeting, &n->mem);
    remote_greeting(l, &greeting);
    plan.greeting = (struct str){greeting.data, greeting.size};
    enum status st = handshake_start(n->loop, n->sys, file, l->peer, true, &plan, &l->shake, &e);
    buf_release(&greeting);
    if (st != S_OK) link_failed(l, &e);
}

static void try_next(void *arg);

static void connected(void *arg, uint32_t ready)
{
    struct remote_link *l = arg;
    struct remote_net *n = l->exchange->net;
    struct err e = {0};
    enum status st = sys_socket_finish(n->sys, l->file, &e);

    (void)ready;
    if (st == S_IDLE) return;
    if (st == S_OK) {
        shake(l);
        return;
    }
    loop_unwatch(n->loop, l->watch);
    sys_file_close(n->sys, l->file);
    l->watch = NULL;
    l->file = NULL;
    err_clear(&l->last);
    err_pass_on(&l->last, &e);
    try_next(l);
}

/* Begins with the next address of the worker, when there is one. */
static void try_next(void *arg)
{
    struct remote_link *l = arg;
    struct remote_net *n = l->exchange->net;
    struct err e = {0};

    if ((l->state != LINK_DIALS && l->state != LINK_CONNECTS) || l->file != NULL) return; /* the name was there before it was awaited */
    enum status st = dial_next(&l->dial, &l->file, &e);
    if (st == S_PENDING) return;
    if (st == S_END) err_pass_on(&e, &l->last);
    l->state = LINK_CONNECTS;
    if (st == S_OK) st = loop_watch(n->loop, l->file, SYS_READY_WRITE, connected, l, &l->watch, &e);
    if (st == S_OK) return;
    err_wrap(&e, "no connection to %s", l->peer);
    link_failed(l, &e);
}

/* On the thread that looked the name up. */
static void found(void *arg)
{
    struct remote_link *l = arg;
    enum status st = loop_post(l->exchange->net->loop, try_next, l);

    ASSERT(st == S_OK); /* one per link and exchange, and one per call: see POSTS in remote_net.c */
}

void remote_link_dial(struct remote_link *l)
{
    struct remote_net *n = l->exchange->net;
    const struct remote_worker *to = &l->exchange->plan.workers[l->worker];
    struct err e = {0};

    ASSERT(l->state == LINK_NONE);
    l->state = LINK_DIALS;
    l->has_dial = true;
    if (dial_start(&l->dial, n->sys, to->host, to->port, found, l, &e) != S_OK) {
        err_wrap(&e, "no connection to %s", l->peer);
        link_failed(l, &e);
        return;
    }
    try_next(l);
}

/* --- greetings ---------------------------------------------------------------------------------------------------- */
void remote_greeting(const struct remote_link *l, struct buf *out)
{
    const struct remote_plan *p = &l->exchange->plan;

    enc_text(out, "exchange");
    enc_text(out, p->job_id);
    enc_u64(out, p->epoch);
    enc_u64(out, p->attempt);
    enc_u32(out, p->self);
    enc_u32(out, l->worker);
}

static enum status find_link(struct remote_exchange *x, uint64_t epoch, uint64_t attempt, uint32_t from, uint32_t to,
                             struct remote_link **out, struct err *e)
{
    const struct remote_plan *p = &x->plan;

    if (epoch != p->epoch || attempt != p->attempt)
        return err_set(e, E_PERMISSION,
                       "attempt %llu of leader %llu does not run here, but attempt %llu of leader %llu",
                       (unsigned long long)attempt, (unsigned long long)epoch, (unsigned long long)p->attempt,
                       (unsigned long long)p->epoch);
    if (x->has_failed || x->stops) return err_set(e, E_CANCELED, "the job's tasks here have ended");
    if (to != p->self || from >= p->worker_count || from >= p->self || x->links[from].channel_count == 0)
        return err_set(e, E_DATA,
                       "worker %u has no business with worker %u, which this is not, or which it does not dial", from,
                       to);
    if (x->links[from].state != LINK_NONE) return err_set(e, E_EXISTS, "worker %u is connected already", from);
    *out = &x->links[from];
    return S_OK;
}

enum status remote_greeting_find(struct remote_net *n, struct str greeting, struct remote_link **out, struct err *e)
{
    struct dec d;

    dec_init(&d, greeting.data, greeting.size);
    struct str what = dec_str(&d, GREETING_TEXT_MAX), job = dec_str(&d, GREETING_TEXT_MAX);
    uint64_t epoch = dec_u64(&d), attempt = dec_u64(&d);
    uint32_t from = dec_u32(&d), to = dec_u32(&d);
    if (!dec_ok(&d) || dec_left(&d) > 0 || !str_equal(what, STR("exchange")))
        return err_set(e, E_DATA, "this is the port for rows between workers, and for nothing else");
    for (struct remote_exchange *x = n->exchanges; x != NULL; x = x->next)
        if (str_equal(job, str_of(x->plan.job_id))) return find_link(x, epoch, attempt, from, to, out, e);
    return err_set(e, E_NOT_FOUND, "job %.*s does not run here", (int)job.size, job.data);
}
