/* cluster.c - the JobManager's control port: who connects shows what it is (handshake, greeting) and becomes a TaskManager or a
 * worker; job masters' threads have things sent by commands, which this loop obeys in their order.
 *
 * Not here: what is said (resource_manager.c, remote_worker.c), and jobs, which have threads of their own. */
#include "control/cluster/cluster.h"

#include "control/cluster/cluster_internal.h"

#include <stdio.h>
#include <string.h>

enum { TICK_MS = 20 };

/* A connection before its greeting. */
struct arrival {
    struct arrival *next;
    struct cluster *cluster;
    struct handshake *handshake;
};

/* --- commands --------------------------------------------------------------------------------------------------------------- */
struct command {
    struct mem mem;
    command_fn fn;
    struct remote_host *host;
    int64_t number;
    struct str bytes;
};

static void obey_commands(void *arg)
{
    struct cluster *c = arg;
    struct command *command;
    struct mem mem;

    sys_atomic_exchange(&c->has_commands, 0);
    while ((command = sys_mailbox_take(c->o.sys, c->commands, 0)) != NULL) {
        sys_lock_take(c->lock);
        command->fn(command->host, command->number, command->bytes);
        sys_lock_give(c->lock);
        mem_init(&mem, "command", 0);
        mem_move(&command->mem, &mem);
        mem_release(&mem);
    }
}

void cluster_command(struct cluster *c, command_fn fn, struct remote_host *h, int64_t number, struct str bytes)
{
    struct mem mem;
    mem_init(&mem, "command", 0);
    struct command *command = mem_zalloc(&mem, sizeof *command);

    mem_init(&command->mem, "command", 0);
    mem_move(&mem, &command->mem);
    command->fn = fn;
    command->host = h;
    command->number = number;
    if (bytes.size > 0) {
        char *copy = mem_alloc(&command->mem, bytes.size);
        memcpy(copy, bytes.data, bytes.size);
        command->bytes = (struct str){copy, bytes.size};
    }
    sys_mailbox_send(c->o.sys, c->commands, command);
    if (sys_atomic_exchange(&c->has_commands, 1) != 0) return;
    enum status st = loop_post(c->loop, obey_commands, c);
    ASSERT(st == S_OK); /* at most one waits */
}

enum status link_send(struct frame_conn *conn, enum message_kind kind, const void *message)
{
    struct buf *out;

    TRY(frame_begin(conn, (uint8_t)kind, &out));
    message_encode(kind, message, out);
    frame_end(conn);
    frame_flush(conn);
    return S_OK;
}

bool token_is(const struct attempt_token *t, const struct remote_host *h)
{
    return t->job_id != NULL && strcmp(t->job_id, h->demand.job_id) == 0 && t->epoch == h->demand.epoch &&
           t->attempt == h->demand.attempt;
}

/* --- arrivals --------------------------------------------------------------------------------------------------------------- */
static void arrival_end(struct arrival *a)
{
    struct arrival **at = &a->cluster->arrivals;

    while (*at != a) at = &(*at)->next;
    *at = a->next;
    mem_free(&a->cluster->mem, a);
}

static enum status admit(void *arg, struct str greeting, struct err *e)
{
    uint8_t kind = greeting.size > 0 ? (uint8_t)greeting.data[0] : 0;

    (void)arg;
    if (kind == MESSAGE_REGISTER || kind == MESSAGE_HELLO) return S_OK;
    return err_set(e, E_DATA, "a JobManager's port for TaskManagers and workers, and it is neither");
}

static void welcome(struct cluster *c, struct frame_conn *conn, struct str greeting)
{
    struct mem mem;
    struct arena a;
    struct err e = {0};
    const void *message;
    enum message_kind kind = (enum message_kind)greeting.data[0];

    mem_init(&mem, "greeting", 0);
    arena_init(&a, &mem, 0);
    sys_lock_take(c->lock);
    if (message_decode(kind, (struct str){greeting.data + 1, greeting.size - 1}, &a, &message, &e) != S_OK) {
        log_write(c->o.log, LOG_WARN, "cluster", "%s: %s", frame_peer(conn), e.text);
        frame_close(conn);
    } else if (kind == MESSAGE_REGISTER) {
        tm_arrived(c, conn, message);
    } else {
        worker_arrived(c, conn, message);
    }
    sys_lock_give(c->lock);
    mem_release(&mem);
}

static void arrival_ready(void *arg, struct frame_conn *conn, struct str greeting)
{
    struct arrival *a = arg;

    welcome(a->cluster, conn, greeting);
    arrival_end(a);
}

static void arrival_failed(void *arg, const struct err *why)
{
    struct arrival *a = arg;

    log_write(a->cluster->o.log, LOG_WARN, "cluster", "%s", why->text);
    arrival_end(a);
}

static void on_accept(void *arg, uint32_t ready)
{
    struct cluster *c = arg;
    struct handshake_plan plan = {.build = cluster_build,
                                  .key = {(const char *)c->o.key.bytes, CLUSTER_KEY_BYTES},
                                  .admit = admit,
                                  .ready = arrival_ready,
                                  .failed = arrival_failed};
    struct sys_file *socket;
    struct err e = {0};

    (void)ready;
    while (sys_socket_accept(c->o.sys, c->listener, &socket, &e) == S_OK) {
        struct arrival *a = mem_zalloc(&c->mem, sizeof *a);
        *a = (struct arrival){.next = c->arrivals, .cluster = c};
        c->arrivals = a;
        plan.arg = a;
        enum status st = handshake_start(c->loop, c->o.sys, socket, "who connected", false, &plan, &a->handshake, &e);
        if (st != S_OK) arrival_failed(a, &e);
    }
}

/* --- time --------------------------------------------------------------------------------------------------------------------- */
static void on_tick(void *arg)
{
    struct cluster *c = arg;
    int64_t now = sys_mono_ns(c->o.sys);

    c->tick = NULL;
    sys_lock_take(c->lock);
    resources_tick(c, now);
    for (struct remote_host *h = c->hosts; h != NULL; h = h->next) workers_tick(h, now);
    sys_lock_give(c->lock);
    enum status st = loop_timer(c->loop, now + TICK_MS * NS_PER_MS, on_tick, c, &c->tick, NULL);
    ASSERT(st == S_OK);
}

/* --- opening and closing ------------------------------------------------------------------------------------------------------ */
static enum status listen_at(struct cluster *c, struct err *e)
{
    struct sys_address list[SYS_ADDRESSES_MAX];
    uint32_t count = 0;

    TRY(sys_address_find(c->o.sys, c->o.host, c->o.port, false, list, &count, e));
    enum status st = sys_socket_listen(c->o.sys, &list[0], &c->listener, &c->port, e);
    if (st != S_OK) {
        err_wrap(e, "the JobManager cannot listen at %s:%d", c->o.host, c->o.port);
        err_hint(e, "another process may have the port: -D jobmanager.rpc.port=... takes another one");
        return st;
    }
    return loop_watch(c->loop, c->listener, SYS_READY_READ, on_accept, c, &c->listening, e);
}

static void cluster_main(void *arg)
{
    struct cluster *c = arg;
    enum status st = loop_run(c->loop, NULL);

    ASSERT(st == S_OK); /* waiting for a sound set of files does not fail */
}

static void release(struct cluster *c)
{
    struct mem mem;

    while (c->arrivals != NULL) {
        handshake_cancel(c->arrivals->handshake);
        arrival_end(c->arrivals);
    }
    resources_close(c);
    loop_timer_cancel(c->loop, c->tick);
    loop_unwatch(c->loop, c->listening);
    sys_file_close(c->o.sys, c->listener);
    loop_free(c->loop);
    sys_mailbox_free(c->o.sys, c->commands);
    sys_lock_free(c->o.sys, c->lock);
    mem_init(&mem, "cluster", 0);
    mem_move(&c->mem, &mem);
    mem_release(&mem);
}

enum status cluster_open(const struct cluster_options *o, struct cluster **out, struct err *e)
{
    struct mem mem;
    mem_init(&mem, "cluster", 0);
    struct cluster *c = mem_zalloc(&mem, sizeof *c);

    mem_init(&c->mem, "cluster", 0);
    mem_move(&mem, &c->mem);
    c->o = *o;
    c->provider = (struct task_host_provider){remote_host_create, resources_slots, c};
    c->commands = sys_mailbox_create(o->sys);
    c->lock = sys_lock_create(o->sys);
    enum status st = loop_create(o->sys, "cluster", NULL, &c->loop, e);
    if (st == S_OK) st = listen_at(c, e);
    if (st == S_OK) st = loop_timer(c->loop, 0, on_tick, c, &c->tick, e);
    if (st == S_OK) st = sys_thread_start(o->sys, "cluster", cluster_main, c, &c->thread, e);
    if (st == S_OK) *out = c;
    else release(c);
    return st;
}

void cluster_close(struct cluster *c)
{
    if (c == NULL) return;
    loop_stop(c->loop);
    sys_thread_join(c->o.sys, c->thread);
    obey_commands(c); /* what job masters left behind */
    ASSERT(c->hosts == NULL);
    release(c);
}

int cluster_port(const struct cluster *c) { return c->port; }
const struct task_host_provider *cluster_provider(const struct cluster *c) { return &c->provider; }

/* --- the key ------------------------------------------------------------------------------------------------------------------- */
static enum status key_make(struct sys *sys, const char *path, struct err *e)
{
    struct sys_file *f;
    struct cluster_key key;

    for (size_t i = 0; i < CLUSTER_KEY_BYTES; i += sizeof(uint64_t)) {
        uint64_t word = sys_random(sys);
        memcpy(key.bytes + i, &word, sizeof word);
    }
    TRY(sys_file_open(sys, path, SYS_WRITE | SYS_CREATE | SYS_EXCLUSIVE, &f, e));
    enum status st = sys_file_set_mode(sys, path, 0600, e);
    if (st == S_OK) st = sys_file_write(sys, f, key.bytes, sizeof key.bytes, e);
    sys_file_close(sys, f);
    return st;
}

enum status cluster_key_read(struct sys *sys, const char *path, bool makes, struct cluster_key *out, struct err *e)
{
    struct sys_stat stat;
    struct sys_file *f;
    size_t got = 0, all = 0;
    enum status st = sys_file_stat(sys, path, &stat, NULL);

    if (st == E_NOT_FOUND && makes) TRY(key_make(sys, path, e));
    TRY(sys_file_stat(sys, path, &stat, e));
    if ((stat.mode & 077) != 0) {
        err_set(e, E_CONFIG, "the cluster's key '%s' can be read by others", path);
        err_hint(e, "chmod 600 %s", path);
        return E_CONFIG;
    }
    TRY(sys_file_open(sys, path, SYS_READ, &f, e));
    do {
        st = sys_file_read(sys, f, out->bytes + all, sizeof out->bytes - all, &got, e);
        all += got;
    } while (st == S_OK && got > 0 && all < sizeof out->bytes);
    sys_file_close(sys, f);
    if (st != S_OK) return st;
    if (all == sizeof out->bytes) return S_OK;
    return err_set(e, E_CONFIG, "'%s' is no key of a cluster: it has %zu bytes, not %d", path, all, CLUSTER_KEY_BYTES);
}
