/* worker.c - the process in which the tasks of one job run: its way to the job master, and its lease.
 *
 * The loop's thread has the connection, the main thread the job: deploying may take long, and a heartbeat must not wait for it. What
 * tasks say is put into the outbox on their threads, and sent in that order.
 *
 * The lease: each answered heartbeat gives heartbeat.timeout to live. Without an answer the process ends at once, whatever its tasks do: by then
 * the job may run elsewhere. So it runs on for so long when the JobManager is killed; what it does then is never committed. When the job
 * master hangs up after all tasks have ended, the work is done. */
#include "control/cluster/worker_internal.h"

#include "ground/base/str.h"
#include "ground/sys/sys_process.h"

#include <stdlib.h>
#include <string.h>

enum { COUNT_MS = 200, EXIT_LEASE = 3 };

struct outbox_item {
    struct mem mem;
    enum message_kind kind;
    struct buf bytes;
};

/* --- outbox ---------------------------------------------------------------------------------------------------------------------------- */
static void free_item(struct outbox_item *x)
{
    struct mem mem;

    mem_init(&mem, "word", 0);
    mem_move(&x->mem, &mem);
    mem_release(&mem);
}

static bool send_one(struct worker_process *w, struct outbox_item *x)
{
    if (w->conn != NULL && frame_send(w->conn, (uint8_t)x->kind, x->bytes.data, x->bytes.size) == S_FULL) return false;
    free_item(x); /* sent, or nobody is there to get it */
    return true;
}

static void send_out(void *arg)
{
    struct worker_process *w = arg;
    struct outbox_item *x;

    sys_atomic_exchange(&w->has_out, 0);
    while ((x = w->held != NULL ? w->held : sys_mailbox_take(w->o.sys, w->outbox, 0)) != NULL) {
        w->held = x;
        if (!send_one(w, x)) return;
        w->held = NULL;
    }
}

void worker_say(void *worker, enum message_kind kind, const void *message)
{
    struct worker_process *w = worker;
    struct mem mem;
    mem_init(&mem, "word", 0);
    struct outbox_item *x = mem_zalloc(&mem, sizeof *x);

    mem_init(&x->mem, "word", 0);
    mem_move(&mem, &x->mem);
    buf_init(&x->bytes, &x->mem);
    x->kind = kind;
    message_encode(kind, message, &x->bytes);
    ASSERT(x->bytes.size <= FRAME_PAYLOAD_MAX);
    sys_mailbox_send(w->o.sys, w->outbox, x);
    if (sys_atomic_exchange(&w->has_out, 1) != 0) return;
    enum status st = loop_post(w->loop, send_out, w);
    ASSERT(st == S_OK); /* at most one waits */
}

/* --- inbox ------------------------------------------------------------------------------------------------------------------------------ */
static struct inbox_item *make_item(enum message_kind kind)
{
    struct mem mem;
    mem_init(&mem, "order", 0);
    struct inbox_item *x = mem_zalloc(&mem, sizeof *x);

    mem_init(&x->mem, "order", 0);
    mem_move(&mem, &x->mem);
    arena_init(&x->arena, &x->mem, 0);
    x->kind = kind;
    return x;
}

void worker_free_item(struct inbox_item *x)
{
    struct mem mem;

    mem_init(&mem, "order", 0);
    mem_move(&x->mem, &mem);
    mem_release(&mem);
}

void worker_note(struct worker_process *w, enum message_kind kind, const struct news_message *news)
{
    struct inbox_item *x = make_item(kind);

    if (news != NULL) {
        struct news_message *copy = ARENA_NEW(&x->arena, struct news_message);
        *copy = *news;
        x->message = copy;
    }
    sys_mailbox_send(w->o.sys, w->inbox, x);
}

static enum status on_frame(void *arg, uint8_t kind, struct str payload, struct err *e)
{
    struct worker_process *w = arg;

    if (kind == MESSAGE_HEARTBEAT) {
        w->answered_ns = sys_mono_ns(w->o.sys);
        return S_OK;
    }
    if (kind != MESSAGE_DEPLOY && kind != MESSAGE_ORDER && kind != MESSAGE_FAR && kind != MESSAGE_TAKEN)
        return err_set(e, E_DATA, "the job master said %u", kind);
    struct inbox_item *x = make_item((enum message_kind)kind);
    enum status st = message_decode(x->kind, payload, &x->arena, &x->message, e);
    if (st == S_OK) sys_mailbox_send(w->o.sys, w->inbox, x);
    else worker_free_item(x);
    return st;
}

static void on_over(void *arg, enum status st, const struct err *why)
{
    struct worker_process *w = arg;

    (void)st;
    log_write(w->o.log, LOG_WARN, "worker", "the job master is gone: %s", why->text);
    frame_close(w->conn);
    w->conn = NULL;
    sys_mailbox_send(w->o.sys, w->inbox, make_item((enum message_kind)0));
}

/* --- lease ------------------------------------------------------------------------------------------------------------------------------- */
static void on_beat(void *arg)
{
    struct worker_process *w = arg;
    int64_t now = sys_mono_ns(w->o.sys), end = w->answered_ns + w->args.timeout_ms * NS_PER_MS;

    if (now >= end) {
        log_write(w->o.log, LOG_ERROR, "worker", "no word of the job master for heartbeat.timeout (%lld ms): the lease is over",
                  (long long)w->args.timeout_ms);
        sys_process_end(EXIT_LEASE);
    }
    if (w->conn != NULL) {
        struct buf *out;
        if (frame_begin(w->conn, MESSAGE_HEARTBEAT, &out) == S_OK) {
            message_encode(MESSAGE_HEARTBEAT, &(struct heartbeat_message){.number = ++w->beats}, out);
            frame_end(w->conn);
            frame_flush(w->conn);
        }
    }
    enum status st = loop_timer(w->loop, MIN(now + w->args.interval_ms * NS_PER_MS, end), on_beat, w, &w->beat, NULL);
    ASSERT(st == S_OK);
}

/* --- the beginning ------------------------------------------------------------------------------------------------------------------------- */
static void on_connected(void *arg, struct frame_conn *conn)
{
    struct worker_process *w = arg;
    struct frame_limits limits = {.unsent_max = 64 * 1024 * 1024};

    w->caller = NULL;
    w->conn = conn;
    w->answered_ns = sys_mono_ns(w->o.sys);
    frame_hand_over(conn, &(struct frame_hooks){.on_frame = on_frame, .on_room = send_out, .on_over = on_over, .arg = w}, &limits);
    on_beat(w);
}

static void on_unreachable(void *arg, const struct err *why)
{
    struct worker_process *w = arg;

    log_write(w->o.log, LOG_ERROR, "worker", "%s", why->text);
    sys_process_end(1);
}

static void call_master(struct worker_process *w)
{
    struct hello_message hello = {.token = {w->args.job_id, (uint64_t)w->args.epoch, (uint64_t)w->args.attempt},
                                  .worker = (uint32_t)w->args.number,
                                  .process = (uint64_t)sys_process_own_id(),
                                  .data_host = w->args.own_host,
                                  .data_port = (uint32_t)remote_net_port(w->net)};
    struct buf greeting;

    buf_init(&greeting, &w->mem);
    greeting_encode(MESSAGE_HELLO, &hello, &greeting);
    struct caller_plan plan = {.loop = w->loop,
                               .sys = w->o.sys,
                               .host = w->args.host,
                               .port = (int)w->args.port,
                               .role = "job master",
                               .key = &w->key,
                               .greeting = {greeting.data, greeting.size},
                               .ready = on_connected,
                               .failed = on_unreachable,
                               .arg = w};
    w->caller = caller_start(&plan);
    buf_release(&greeting);
}

static void loop_main(void *arg)
{
    struct worker_process *w = arg;
    enum status st = loop_run(w->loop, NULL);

    ASSERT(st == S_OK);
}

/* --- the main thread -------------------------------------------------------------------------------------------------------------------------- */
/* False: the work is done. */
static bool obey(struct worker_process *w, const struct inbox_item *x)
{
    if (x->kind == MESSAGE_DEPLOY) job_deploy(w, x->message);
    else if (x->kind == MESSAGE_ORDER) job_obey(w, x->message);
    else if (x->kind == MESSAGE_ROWS) job_rows_look(w);
    else if (x->kind == MESSAGE_TAKEN) job_rows_taken(w, x->message);
    else if (x->kind != 0) return true; /* heard already */
    else return w->is_started && sys_atomic_load(&w->tasks_left) > 0; /* an orphan runs until its lease ends */
    return true;
}

static void keep_early(struct worker_process *w, struct inbox_item *x)
{
    struct inbox_item **at = &w->early;

    while (*at != NULL) at = &(*at)->next;
    *at = x;
}

static void run(struct worker_process *w)
{
    bool goes_on = true, is_orphan = false;
    int64_t counted_ns = sys_mono_ns(w->o.sys);

    while (goes_on) {
        struct inbox_item *x = sys_mailbox_take(w->o.sys, w->inbox, COUNT_MS * NS_PER_MS);
        int64_t now = sys_mono_ns(w->o.sys);
        if (now - counted_ns >= COUNT_MS * NS_PER_MS) { /* also where orders come all the time */
            counted_ns = now;
            job_count(w);
        }
        if (x == NULL) {
            goes_on = !is_orphan || sys_atomic_load(&w->tasks_left) > 0;
            continue;
        }
        if (x->kind == MESSAGE_NEWS) {
            job_rows_ended(w, x);
            continue;
        }
        if (x->kind == 0) {
            is_orphan = true;
            job_rows_drop(w);
        }
        if (x->kind == MESSAGE_FAR && !job_hear(w, x->message)) {
            keep_early(w, x);
            continue;
        }
        goes_on = obey(w, x);
        worker_free_item(x);
    }
}

struct argument {
    const char *name;
    size_t offset;
    bool is_number;
};

static enum status take_argument(struct worker_arguments *out, const char *name, const char *value, struct err *e)
{
    static const struct argument all[] = {
        {"--host", offsetof(struct worker_arguments, host), false},
        {"--port", offsetof(struct worker_arguments, port), true},
        {"--key", offsetof(struct worker_arguments, key_path), false},
        {"--job", offsetof(struct worker_arguments, job_id), false},
        {"--epoch", offsetof(struct worker_arguments, epoch), true},
        {"--attempt", offsetof(struct worker_arguments, attempt), true},
        {"--number", offsetof(struct worker_arguments, number), true},
        {"--interval", offsetof(struct worker_arguments, interval_ms), true},
        {"--timeout", offsetof(struct worker_arguments, timeout_ms), true},
        {"--library", offsetof(struct worker_arguments, library), false},
        {"--own-host", offsetof(struct worker_arguments, own_host), false},
    };

    for (size_t i = 0; i < COUNT_OF(all); i++) {
        char *at = (char *)out + all[i].offset;
        if (strcmp(name, all[i].name) != 0) continue;
        if (all[i].is_number) *(int64_t *)at = strtoll(value, NULL, 10);
        else *(const char **)at = value;
        return S_OK;
    }
    return err_set(e, E_CONFIG, "a worker has no argument '%s': it is started by a TaskManager", name);
}

static enum status take_arguments(struct worker_process *w, int argc, char **argv, struct err *e)
{
    w->args = (struct worker_arguments){.interval_ms = 10000, .timeout_ms = 50000, .own_host = "localhost"};
    if (argc % 2 != 0) return err_set(e, E_CONFIG, "a worker's arguments are names and values");
    for (int i = 0; i < argc; i += 2) TRY(take_argument(&w->args, argv[i], argv[i + 1], e));
    if (w->args.host == NULL || w->args.key_path == NULL || w->args.job_id == NULL || w->args.interval_ms < 1 || w->args.timeout_ms < 1)
        return err_set(e, E_CONFIG, "a worker is started by a TaskManager, with all it needs");
    return cluster_key_read(w->o.sys, w->args.key_path, false, &w->key, e);
}

static enum status begin(struct worker_process *w, struct err *e)
{
    struct remote_net_plan plan = {.host = w->args.own_host, .build = cluster_build, .key = {(const char *)w->key.bytes, CLUSTER_KEY_BYTES}};

    TRY(remote_net_open(w->o.sys, w->o.log, &plan, &w->net, e));
    TRY(loop_create(w->o.sys, "worker", NULL, &w->loop, e));
    call_master(w);
    return sys_thread_start(w->o.sys, "control", loop_main, w, &w->thread, e);
}

static void end(struct worker_process *w)
{
    struct mem mem;
    struct inbox_item *x;
    struct outbox_item *y;

    job_end(w);
    remote_net_close(w->net);
    if (w->thread != NULL) loop_stop(w->loop);
    sys_thread_join(w->o.sys, w->thread);
    if (w->loop != NULL) {
        caller_cancel(w->caller);
        frame_close(w->conn);
        loop_timer_cancel(w->loop, w->beat);
        loop_free(w->loop);
    }
    while ((x = sys_mailbox_take(w->o.sys, w->inbox, 0)) != NULL) worker_free_item(x);
    while (w->ends != NULL) {
        x = w->ends;
        w->ends = x->next;
        worker_free_item(x);
    }
    while (w->early != NULL) {
        x = w->early;
        w->early = x->next;
        worker_free_item(x);
    }
    if (w->held != NULL) free_item(w->held);
    while ((y = sys_mailbox_take(w->o.sys, w->outbox, 0)) != NULL) free_item(y);
    sys_mailbox_free(w->o.sys, w->inbox);
    sys_mailbox_free(w->o.sys, w->outbox);
    mem_init(&mem, "worker", 0);
    mem_move(&w->mem, &mem);
    mem_release(&mem);
}

int worker_process_run(const struct worker_options *o, int argc, char **argv)
{
    struct err e = {0};
    struct mem mem;
    mem_init(&mem, "worker", 0);
    struct worker_process *w = mem_zalloc(&mem, sizeof *w);

    mem_init(&w->mem, "worker", 0);
    mem_move(&mem, &w->mem);
    w->o = *o;
    arena_init(&w->arena, &w->mem, 0);
    graph_init(&w->graph, &w->arena);
    w->inbox = sys_mailbox_create(o->sys);
    w->outbox = sys_mailbox_create(o->sys);
    enum status st = take_arguments(w, argc, argv, &e);
    if (st == S_OK) st = begin(w, &e);
    if (st == S_OK) run(w);
    else log_write(o->log, LOG_ERROR, "worker", "%s", e.text);
    end(w);
    return st == S_OK ? 0 : 1;
}
