/* agent.c - the TaskManager: registers with the JobManager, starts a worker process for each job that is given slots here, and says how
 * it ended. No code of users runs in it.
 *
 * One thread, one loop; workers are started by it and die with it. When the JobManager is gone the agent asks for it again and again,
 * and leaves its workers alone: their own lease says how long they go on. A worker of an older attempt is killed before one of a newer
 * attempt of the same job starts: only the newest may have effects.
 *
 * Not here: artifacts (agent_artifact.c). */
#include "control/cluster/agent_internal.h"

#include <stdio.h>
#include <string.h>

enum { TICK_MS = 20, RETRY_MS = 250, RELEASE_MS = 1000, SAID_BYTES = 1000 };

/* --- saying ------------------------------------------------------------------------------------------------------------------------------ */
void agent_say(struct agent *a, enum message_kind kind, const void *message)
{
    struct buf *out;

    if (a->conn == NULL || frame_begin(a->conn, (uint8_t)kind, &out) != S_OK) return;
    message_encode(kind, message, out);
    frame_end(a->conn);
    frame_flush(a->conn);
}

static struct attempt_token token_of(const struct agent_worker *w) { return (struct attempt_token){w->job_id, w->epoch, w->attempt}; }

/* The end of what it wrote. */
static void read_said(struct agent *a, const struct agent_worker *w, char *out, size_t size)
{
    struct sys_stat stat;
    struct sys_file *f;
    size_t got = 0, all = 0;

    out[0] = '\0';
    if (sys_file_stat(a->o.sys, w->output, &stat, NULL) != S_OK || stat.size == 0) return;
    if (sys_file_open(a->o.sys, w->output, SYS_READ, &f, NULL) != S_OK) return;
    enum status st = sys_file_seek(a->o.sys, f, MAX(0, stat.size - (int64_t)size + 1), NULL);
    while (st == S_OK && all < size - 1) {
        st = sys_file_read(a->o.sys, f, out + all, size - 1 - all, &got, NULL);
        if (got == 0) break;
        all += got;
    }
    sys_file_close(a->o.sys, f);
    while (all > 0 && (out[all - 1] == '\n' || out[all - 1] == '\0')) all--;
    out[all] = '\0';
}

static void say_exited(struct agent *a, const struct agent_worker *w, const char *how)
{
    char said[SAID_BYTES];

    read_said(a, w, said, sizeof said);
    struct exited_message m = {token_of(w), w->number, how, said[0] != '\0' ? said : NULL};
    agent_say(a, MESSAGE_EXITED, &m);
    log_write(a->o.log, LOG_INFO, "taskmanager", "the worker of job %s, attempt %llu, was %s", w->job_id, (unsigned long long)w->attempt, how);
}

/* --- workers ------------------------------------------------------------------------------------------------------------------------------ */
static void drop_worker(struct agent *a, struct agent_worker *w)
{
    struct agent_worker **at = &a->workers;
    struct mem mem;

    while (*at != w) at = &(*at)->next;
    *at = w->next;
    sys_process_free(a->o.sys, w->process);
    mem_init(&mem, "worker", 0);
    mem_move(&w->mem, &mem);
    mem_release(&mem);
}

static void look_at_worker(struct agent *a, struct agent_worker *w, int64_t now)
{
    char how[128];

    if (w->process == NULL) return;
    if (w->release_ns != 0 && now >= w->release_ns) sys_process_kill(w->process);
    if (!sys_process_is_over(w->process, how, sizeof how)) return;
    say_exited(a, w, how);
    drop_worker(a, w);
}

static const char *number_text(struct agent_worker *w, int64_t n) { return arena_printf(&w->arena, "%lld", (long long)n); }

void agent_start_worker(struct agent *a, struct agent_worker *w)
{
    const struct taskmanager_options *o = &a->o;
    struct err e = {0};
    const char *argv[32] = {a->program,   "worker",    "--host",    o->host,
                            "--port",     number_text(w, o->port),
                            "--key",      o->key_path, "--job",     w->job_id,
                            "--epoch",    number_text(w, (int64_t)w->epoch),
                            "--attempt",  number_text(w, (int64_t)w->attempt),
                            "--number",   number_text(w, w->number),
                            "--interval", number_text(w, o->heartbeat_interval_ms),
                            "--timeout",  number_text(w, o->heartbeat_timeout_ms),
                            "--own-host", o->own_host};
    uint32_t count = 0;

    while (argv[count] != NULL) count++;
    if (w->library != NULL) {
        argv[count++] = "--library";
        argv[count++] = w->library;
    }
    if (sys_process_start(o->sys, argv, w->output, &w->process, &e) == S_OK) return;
    agent_worker_failed(a, w, &e);
}

void agent_worker_failed(struct agent *a, struct agent_worker *w, const struct err *why)
{
    say_exited(a, w, arena_printf(&w->arena, "not started: %s", why->text));
    drop_worker(a, w);
}

/* Does the first come before the second? */
static bool is_lower(uint64_t epoch, uint64_t attempt, const struct spawn_message *m)
{
    return epoch < m->token.epoch || (epoch == m->token.epoch && attempt < m->token.attempt);
}

static bool make_way(struct agent *a, const struct spawn_message *m)
{
    for (struct agent_worker *w = a->workers, *next; w != NULL; w = next) {
        next = w->next;
        if (strcmp(w->job_id, m->token.job_id) != 0) continue;
        if (!is_lower(w->epoch, w->attempt, m)) return false;
        if (w->process == NULL) drop_worker(a, w);
        else sys_process_kill(w->process);
    }
    return true;
}

static void on_spawn(struct agent *a, const struct spawn_message *m)
{
    struct mem mem;

    if (m->token.job_id == NULL || !snapshot_id_is_valid(m->token.job_id)) return;
    if (!make_way(a, m)) {
        log_write(a->o.log, LOG_WARN, "taskmanager", "job %s: attempt %llu of leader %llu is not the newest any more", m->token.job_id,
                  (unsigned long long)m->token.attempt, (unsigned long long)m->token.epoch);
        return;
    }
    mem_init(&mem, "worker", 0);
    struct agent_worker *w = mem_zalloc(&mem, sizeof *w);
    mem_init(&w->mem, "worker", 0);
    mem_move(&mem, &w->mem);
    arena_init(&w->arena, &w->mem, 0);
    w->job_id = arena_strdup(&w->arena, m->token.job_id);
    w->epoch = m->token.epoch;
    w->attempt = m->token.attempt;
    w->number = m->worker;
    w->output = arena_printf(&w->arena, "%s/worker-%s-%llu-%llu.out", a->o.folder, w->job_id, (unsigned long long)w->epoch,
                             (unsigned long long)w->attempt);
    w->next = a->workers;
    a->workers = w;
    if (m->artifact.size == 0) agent_start_worker(a, w);
    else agent_want_artifact(a, w, m->artifact);
}

static void on_release(struct agent *a, const struct release_message *m)
{
    for (struct agent_worker *w = a->workers, *next; w != NULL; w = next) {
        next = w->next;
        if (m->token.job_id == NULL || strcmp(w->job_id, m->token.job_id) != 0 || w->epoch != m->token.epoch || w->attempt != m->token.attempt)
            continue;
        if (w->process == NULL) drop_worker(a, w);
        else w->release_ns = sys_mono_ns(a->o.sys) + RELEASE_MS * NS_PER_MS; /* it ends by itself, mostly */
    }
}

/* --- the JobManager -------------------------------------------------------------------------------------------------------------------------- */
static enum status hear(struct agent *a, enum message_kind kind, const void *m, struct err *e)
{
    switch (kind) {
    case MESSAGE_HEARTBEAT: {
        const struct heartbeat_message *h = m;
        agent_say(a, MESSAGE_HEARTBEAT, &(struct heartbeat_message){h->number, true});
        return S_OK;
    }
    case MESSAGE_SPAWN: on_spawn(a, m); return S_OK;
    case MESSAGE_RELEASE: on_release(a, m); return S_OK;
    case MESSAGE_ARTIFACT: agent_on_artifact(a, m); return S_OK;
    default: return err_set(e, E_DATA, "a JobManager does not say %s", message_fields_of((uint8_t)kind)->name);
    }
}

static enum status on_frame(void *arg, uint8_t kind, struct str payload, struct err *e)
{
    struct agent *a = arg;
    struct mem mem;
    struct arena arena;
    const void *message;

    mem_init(&mem, "message", 0);
    arena_init(&arena, &mem, 0);
    a->heard_ns = sys_mono_ns(a->o.sys);
    enum status st = message_decode((enum message_kind)kind, payload, &arena, &message, e);
    if (st == S_OK) st = hear(a, (enum message_kind)kind, message, e);
    mem_release(&mem);
    return st;
}

static void lose_master(struct agent *a, const char *why)
{
    log_write(a->o.log, LOG_WARN, "taskmanager", "the JobManager is gone: %s; it is asked for again", why);
    frame_close(a->conn);
    a->conn = NULL;
    a->retry_ns = sys_mono_ns(a->o.sys) + RETRY_MS * NS_PER_MS;
    agent_drop_artifacts(a);
}

static void on_over(void *arg, enum status st, const struct err *why)
{
    (void)st;
    lose_master(arg, why->text);
}

static void on_connected(void *arg, struct frame_conn *conn)
{
    struct agent *a = arg;
    struct frame_limits limits = {.unsent_max = 64 * 1024 * 1024};

    a->caller = NULL;
    a->conn = conn;
    a->heard_ns = sys_mono_ns(a->o.sys);
    a->has_complained = false;
    frame_hand_over(conn, &(struct frame_hooks){.on_frame = on_frame, .on_over = on_over, .arg = a}, &limits);
    log_write(a->o.log, LOG_INFO, "taskmanager", "registered with the JobManager at %s:%d as %s", a->o.host, a->o.port, a->resource_id);
}

static void on_unreachable(void *arg, const struct err *why)
{
    struct agent *a = arg;

    a->caller = NULL;
    a->retry_ns = sys_mono_ns(a->o.sys) + RETRY_MS * NS_PER_MS;
    if (!a->has_complained) log_write(a->o.log, LOG_WARN, "taskmanager", "%s; it is asked for again", why->text);
    a->has_complained = true;
}

static void call_master(struct agent *a)
{
    struct register_message m = {.resource_id = a->resource_id,
                                 .host = a->o.own_host,
                                 .slots = a->o.slots,
                                 .cores = (uint32_t)sys_cpu_count(a->o.sys),
                                 .memory_bytes = (uint64_t)sys_memory_bytes(a->o.sys),
                                 .process = (uint64_t)sys_process_own_id()};
    struct buf greeting;

    buf_init(&greeting, &a->mem);
    greeting_encode(MESSAGE_REGISTER, &m, &greeting);
    struct caller_plan plan = {.loop = a->loop,
                               .sys = a->o.sys,
                               .host = a->o.host,
                               .port = a->o.port,
                               .role = "JobManager",
                               .key = &a->o.key,
                               .greeting = {greeting.data, greeting.size},
                               .ready = on_connected,
                               .failed = on_unreachable,
                               .arg = a};
    a->caller = caller_start(&plan);
    buf_release(&greeting);
}

/* --- time -------------------------------------------------------------------------------------------------------------------------------------- */
static bool is_stopped(const struct agent *a)
{
    return (a->o.stop != NULL && sys_atomic_load(a->o.stop) != 0) || sys_signal_take(a->o.sys) != SYS_SIGNAL_NONE;
}

static void on_tick(void *arg)
{
    struct agent *a = arg;
    int64_t now = sys_mono_ns(a->o.sys);

    a->tick = NULL;
    for (struct agent_worker *w = a->workers, *next; w != NULL; w = next) {
        next = w->next;
        look_at_worker(a, w, now);
    }
    if (a->conn != NULL && now - a->heard_ns > a->o.heartbeat_timeout_ms * NS_PER_MS) lose_master(a, "it was silent for heartbeat.timeout");
    if (a->conn == NULL && a->caller == NULL && now >= a->retry_ns) call_master(a);
    if (is_stopped(a)) {
        loop_stop(a->loop);
        return;
    }
    enum status st = loop_timer(a->loop, now + TICK_MS * NS_PER_MS, on_tick, a, &a->tick, NULL);
    ASSERT(st == S_OK);
}

/* --- beginning and end -------------------------------------------------------------------------------------------------------------------------- */
static void end_workers(struct agent *a)
{
    char how[128];

    while (a->workers != NULL) {
        struct agent_worker *w = a->workers;
        if (w->process != NULL) {
            struct sys_parker *p = sys_parker_create(a->o.sys);
            sys_process_kill(w->process);
            while (!sys_process_is_over(w->process, how, sizeof how)) sys_park(a->o.sys, p, NS_PER_MS); /* it was killed: soon */
            sys_parker_free(a->o.sys, p);
        }
        drop_worker(a, w);
    }
}

static void agent_free(struct agent *a)
{
    struct mem mem;

    caller_cancel(a->caller);
    frame_close(a->conn);
    agent_drop_artifacts(a);
    end_workers(a);
    if (a->loop != NULL) loop_timer_cancel(a->loop, a->tick);
    loop_free(a->loop);
    mem_init(&mem, "taskmanager", 0);
    mem_move(&a->mem, &mem);
    mem_release(&mem);
}

static enum status agent_begin(struct agent *a, struct err *e)
{
    TRY(sys_dir_make(a->o.sys, a->o.folder, e));
    if (a->o.program != NULL) snprintf(a->program, sizeof a->program, "%s", a->o.program);
    else if (!sys_program_path(a->program, sizeof a->program)) return err_set(e, E_IO, "where this program lies is not known");
    if (a->o.resource_id != NULL) snprintf(a->resource_id, sizeof a->resource_id, "%s", a->o.resource_id);
    else snprintf(a->resource_id, sizeof a->resource_id, "%s-%06llx", a->o.own_host, (unsigned long long)(sys_random(a->o.sys) & 0xffffff));
    TRY(loop_create(a->o.sys, "taskmanager", NULL, &a->loop, e));
    TRY(loop_timer(a->loop, 0, on_tick, a, &a->tick, e));
    return loop_run(a->loop, e);
}

enum status taskmanager_process_run(const struct taskmanager_options *o, struct err *e)
{
    struct mem mem;
    mem_init(&mem, "taskmanager", 0);
    struct agent *a = mem_zalloc(&mem, sizeof *a);

    ASSERT(o->slots > 0 && o->heartbeat_interval_ms > 0);
    mem_init(&a->mem, "taskmanager", 0);
    mem_move(&mem, &a->mem);
    a->o = *o;
    enum status st = agent_begin(a, e);
    agent_free(a);
    return st;
}
