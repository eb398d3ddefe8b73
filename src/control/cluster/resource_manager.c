/* resource_manager.c - TaskManagers and their slots. A job's attempt gets all its slots at once or waits for them, the one that came
 * first before others, so that two jobs never hold half of what each of them needs. Where slots are spread the TaskManager with most
 * that are free comes next; else one is filled after the other.
 *
 * A TaskManager is gone when its connection is, or when it is silent for heartbeat.timeout: then its workers are, whatever they say. */
#include "control/cluster/cluster_internal.h"

#include <stdio.h>
#include <string.h>

/* --- TaskManagers ------------------------------------------------------------------------------------------------------------- */
static void tm_free(struct tm_link *tm)
{
    struct mem mem;

    frame_close(tm->conn);
    mem_init(&mem, "task manager", 0);
    mem_move(&tm->mem, &mem);
    mem_release(&mem);
}

static void tm_gone(struct tm_link *tm, const struct err *why)
{
    struct cluster *c = tm->cluster;
    struct tm_link **at = &c->tms;
    struct err e = {0};

    log_write(c->o.log, LOG_WARN, "cluster", "TaskManager %s (%s) is gone: %s", tm->resource_id, tm->address, why->text);
    err_set(&e, E_IO, "TaskManager %s (%s) is gone: %s", tm->resource_id, tm->address, why->text);
    for (struct remote_host *h = c->hosts; h != NULL; h = h->next)
        for (uint32_t i = 0; i < h->worker_count; i++) {
            if (h->workers[i].tm != tm) continue;
            h->workers[i].tm = NULL;
            worker_gone(&h->workers[i], &e);
        }
    while (*at != tm) at = &(*at)->next;
    *at = tm->next;
    tm_free(tm);
}

static void tm_over(void *arg, enum status st, const struct err *why)
{
    struct tm_link *tm = arg;
    struct sys_lock *lock = tm->cluster->lock;

    (void)st;
    sys_lock_take(lock);
    tm_gone(tm, why);
    sys_lock_give(lock);
}

static enum status send_artifact(struct tm_link *tm, const struct artifact_wanted_message *m);

static enum status tm_say(struct tm_link *tm, enum message_kind kind, const void *message, struct err *e)
{
    switch (kind) {
    case MESSAGE_HEARTBEAT: return S_OK; /* that it came is all */
    case MESSAGE_EXITED: worker_exited(tm->cluster, tm, message); return S_OK;
    case MESSAGE_ARTIFACT_WANTED: return send_artifact(tm, message);
    default: return err_set(e, E_DATA, "a TaskManager does not say %s", message_fields_of((uint8_t)kind)->name);
    }
}

static enum status tm_frame(void *arg, uint8_t kind, struct str payload, struct err *e)
{
    struct tm_link *tm = arg;
    struct cluster *c = tm->cluster;
    struct mem mem;
    struct arena a;
    const void *message;

    mem_init(&mem, "message", 0);
    arena_init(&a, &mem, 0);
    sys_lock_take(c->lock);
    tm->heard_ns = sys_mono_ns(c->o.sys);
    tm->heard_ms = sys_wall_ms(c->o.sys);
    enum status st = message_decode((enum message_kind)kind, payload, &a, &message, e);
    if (st == S_OK) st = tm_say(tm, (enum message_kind)kind, message, e);
    sys_lock_give(c->lock);
    mem_release(&mem);
    return st;
}

static struct tm_link *find_tm(struct cluster *c, const char *resource_id)
{
    struct tm_link *tm = c->tms;

    while (tm != NULL && strcmp(tm->resource_id, resource_id) != 0) tm = tm->next;
    return tm;
}

void tm_arrived(struct cluster *c, struct frame_conn *conn, const struct register_message *m)
{
    struct frame_limits limits = {.unsent_max = UNSENT_MAX};
    struct mem mem;
    const char *id = m->resource_id != NULL ? m->resource_id : "";
    struct tm_link *older = find_tm(c, id);

    if (older != NULL) tm_gone(older, &(struct err){.text = "it has registered anew"});
    mem_init(&mem, "task manager", 0);
    struct tm_link *tm = mem_zalloc(&mem, sizeof *tm);
    mem_init(&tm->mem, "task manager", 0);
    mem_move(&mem, &tm->mem);
    tm->cluster = c;
    tm->conn = conn;
    snprintf(tm->resource_id, sizeof tm->resource_id, "%s", id);
    snprintf(tm->address, sizeof tm->address, "%s, process %llu", m->host != NULL ? m->host : "", (unsigned long long)m->process);
    tm->slots = m->slots;
    tm->cores = m->cores;
    tm->memory_bytes = (int64_t)m->memory_bytes;
    tm->heard_ns = sys_mono_ns(c->o.sys);
    tm->heard_ms = sys_wall_ms(c->o.sys);
    struct tm_link **at = &c->tms; /* in the order of their names: what is dealt out does not depend on who came first */
    while (*at != NULL && strcmp((*at)->resource_id, id) < 0) at = &(*at)->next;
    tm->next = *at;
    *at = tm;
    frame_rename(conn, tm->resource_id);
    frame_hand_over(conn, &(struct frame_hooks){.on_frame = tm_frame, .on_over = tm_over, .arg = tm}, &limits);
    log_write(c->o.log, LOG_INFO, "cluster", "TaskManager %s (%s) has registered with %u slots", tm->resource_id, tm->address, tm->slots);
    resources_allocate(c);
}

static void tm_tick(struct tm_link *tm, int64_t now_ns)
{
    const struct cluster_options *o = &tm->cluster->o;
    struct err e = {0};
    uint64_t due = (uint64_t)(now_ns / (o->heartbeat_interval_ms * NS_PER_MS));

    if (now_ns - tm->heard_ns > o->heartbeat_timeout_ms * NS_PER_MS) {
        err_set(&e, E_IO, "it was silent for heartbeat.timeout (%lld ms)", (long long)o->heartbeat_timeout_ms);
        tm_gone(tm, &e);
    } else if (due != tm->asked) {
        tm->asked = due;
        enum status st = link_send(tm->conn, MESSAGE_HEARTBEAT, &(struct heartbeat_message){.number = due});
        (void)st; /* one that does not read will be silent, too */
    }
}

/* --- artifacts ----------------------------------------------------------------------------------------------------------------- */
static const struct job_demand *find_artifact(const struct cluster *c, struct str digest)
{
    for (const struct remote_host *h = c->hosts; h != NULL; h = h->next)
        if (h->demand.artifact_path != NULL && digest.size == sizeof h->demand.artifact &&
            memcmp(digest.data, &h->demand.artifact, digest.size) == 0)
            return &h->demand;
    return NULL;
}

static enum status read_part(struct cluster *c, const char *path, uint64_t offset, char *bytes, size_t *got, uint64_t *size,
                             struct err *e)
{
    struct sys_file *f;
    struct sys_stat stat;

    TRY(sys_file_stat(c->o.sys, path, &stat, e));
    *size = (uint64_t)stat.size;
    TRY(sys_file_open(c->o.sys, path, SYS_READ, &f, e));
    enum status st = sys_file_seek(c->o.sys, f, (int64_t)offset, e);
    if (st == S_OK) st = sys_file_read(c->o.sys, f, bytes, ARTIFACT_CHUNK_BYTES, got, e);
    sys_file_close(c->o.sys, f);
    return st;
}

/* One piece for each that is asked for: what is under way is bounded by who asks. */
static enum status send_artifact(struct tm_link *tm, const struct artifact_wanted_message *m)
{
    struct artifact_message answer = {.digest = m->digest, .offset = m->offset};
    const struct job_demand *d = find_artifact(tm->cluster, m->digest);
    struct err e = {0};
    struct mem mem;
    size_t got = 0;

    mem_init(&mem, "artifact", 0);
    char *bytes = mem_alloc(&mem, ARTIFACT_CHUNK_BYTES);
    if (d == NULL) err_set(&e, E_NOT_FOUND, "no job has that artifact any more");
    else if (read_part(tm->cluster, d->artifact_path, m->offset, bytes, &got, &answer.size, &e) == S_OK)
        answer.bytes = (struct str){bytes, got};
    if (e.status != S_OK) answer.failure = e.text;
    enum status st = link_send(tm->conn, MESSAGE_ARTIFACT, &answer);
    mem_release(&mem);
    return st == S_FULL ? S_OK : st;
}

/* --- slots --------------------------------------------------------------------------------------------------------------------- */
static uint32_t free_slots(const struct cluster *c, uint32_t *all)
{
    uint32_t count = 0;

    *all = 0;
    for (const struct tm_link *tm = c->tms; tm != NULL; tm = tm->next) {
        count += tm->slots - tm->slots_used;
        *all += tm->slots;
    }
    return count;
}

uint32_t resources_slots(void *cluster, const char *job_id)
{
    struct cluster *c = cluster;
    uint32_t all, count;

    sys_lock_take(c->lock);
    count = free_slots(c, &all);
    for (const struct remote_host *h = c->hosts; h != NULL; h = h->next)
        for (uint32_t i = 0; strcmp(h->demand.job_id, job_id) == 0 && i < h->worker_count; i++)
            if (h->workers[i].tm != NULL) count += h->workers[i].slots;
    sys_lock_give(c->lock);
    return count;
}

/* Who gives the next slot. */
static struct tm_link *next_tm(struct cluster *c)
{
    struct tm_link *best = NULL;

    for (struct tm_link *tm = c->tms; tm != NULL; tm = tm->next) {
        uint32_t left = tm->slots - tm->slots_used;
        if (left == 0) continue;
        if (best == NULL || (c->o.spreads && left > best->slots - best->slots_used)) best = tm;
    }
    return best;
}

static struct worker_end *worker_on(struct remote_host *h, struct tm_link *tm)
{
    for (uint32_t i = 0; i < h->worker_count; i++)
        if (h->workers[i].tm == tm) return &h->workers[i];
    struct worker_end *w = &h->workers[h->worker_count];
    *w = (struct worker_end){.host = h, .tm = tm, .number = h->worker_count++};
    snprintf(w->name, sizeof w->name, "TaskManager %s (%s)", tm->resource_id, tm->address);
    return w;
}

static struct attempt_token token_of(const struct remote_host *h)
{
    return (struct attempt_token){h->demand.job_id, h->demand.epoch, h->demand.attempt};
}

static void spawn(struct worker_end *w)
{
    struct remote_host *h = w->host;
    struct spawn_message m = {.token = token_of(h), .job_name = h->demand.job_name, .worker = w->number};
    struct err e = {0};

    if (h->demand.artifact_path != NULL)
        m.artifact = (struct str){(const char *)&h->demand.artifact, sizeof h->demand.artifact};
    if (link_send(w->tm->conn, MESSAGE_SPAWN, &m) == S_OK) return;
    err_set(&e, E_IO, "%s does not take what it is sent", w->name);
    remote_host_failed(h, &e);
}

static void give_slots(struct remote_host *h)
{
    uint32_t tm_count = 0;

    for (struct tm_link *tm = h->cluster->tms; tm != NULL; tm = tm->next) tm_count++;
    h->workers = ARENA_ARRAY(&h->arena, struct worker_end, tm_count);
    h->slot_workers = ARENA_ARRAY(&h->arena, uint32_t, h->demand.slots);
    for (uint32_t i = 0; i < h->demand.slots; i++) {
        struct tm_link *tm = next_tm(h->cluster);
        struct worker_end *w = worker_on(h, tm);
        tm->slots_used++;
        w->slots++;
        h->slot_workers[i] = w->number;
    }
    h->state = HOST_SPAWNS;
    for (uint32_t i = 0; i < h->worker_count && h->state == HOST_SPAWNS; i++) spawn(&h->workers[i]);
}

void resources_allocate(struct cluster *c)
{
    uint32_t all;

    for (struct remote_host *h = c->hosts; h != NULL; h = h->next) {
        if (h->state != HOST_WAITS || h->is_freed) continue;
        if (free_slots(c, &all) < h->demand.slots) return; /* nobody overtakes */
        give_slots(h);
    }
}

void resources_give_back(struct remote_host *h)
{
    struct release_message m = {token_of(h)};

    for (uint32_t i = 0; i < h->worker_count; i++) {
        struct worker_end *w = &h->workers[i];
        worker_close(w);
        if (w->tm == NULL) continue;
        ASSERT(w->tm->slots_used >= w->slots);
        w->tm->slots_used -= w->slots;
        enum status st = link_send(w->tm->conn, MESSAGE_RELEASE, &m);
        (void)st; /* then it is told by the next attempt, or its lease ends */
        w->tm = NULL;
    }
}

/* --- time ---------------------------------------------------------------------------------------------------------------------- */
static void look_at_waiting(struct remote_host *h, int64_t now_ns)
{
    const struct cluster_options *o = &h->cluster->o;
    struct err e = {0};
    uint32_t all, left = free_slots(h->cluster, &all);

    if (now_ns - h->since_ns < o->slot_timeout_ms * NS_PER_MS) return;
    if (h->state == HOST_WAITS) {
        err_set(&e, E_BUDGET, "the job needs %u slots, the cluster has %u, of which %u are free", h->demand.slots, all, left);
        err_hint(&e, "start a TaskManager, or lower the parallelism (-p); slot.request.timeout (%lld ms) says how long a job waits",
                 (long long)o->slot_timeout_ms);
    } else {
        err_set(&e, E_IO, "the workers of the job did not come within slot.request.timeout (%lld ms)", (long long)o->slot_timeout_ms);
    }
    remote_host_failed(h, &e);
}

void resources_tick(struct cluster *c, int64_t now_ns)
{
    for (struct tm_link *tm = c->tms, *next; tm != NULL; tm = next) {
        next = tm->next;
        tm_tick(tm, now_ns);
    }
    for (struct remote_host *h = c->hosts; h != NULL; h = h->next)
        if (h->state == HOST_WAITS || h->state == HOST_SPAWNS) look_at_waiting(h, now_ns);
}

void resources_close(struct cluster *c)
{
    while (c->tms != NULL) {
        struct tm_link *tm = c->tms;
        c->tms = tm->next;
        tm_free(tm);
    }
}

bool cluster_taskmanager(struct cluster *c, uint32_t index, struct cluster_taskmanager *out)
{
    sys_lock_take(c->lock);
    struct tm_link *tm = c->tms;
    while (tm != NULL && index-- > 0) tm = tm->next;
    if (tm != NULL) {
        *out = (struct cluster_taskmanager){.slots = tm->slots,
                                            .slots_free = tm->slots - tm->slots_used,
                                            .cores = tm->cores,
                                            .memory_bytes = tm->memory_bytes,
                                            .heartbeat_ms = tm->heard_ms};
        snprintf(out->resource_id, sizeof out->resource_id, "%s", tm->resource_id);
        snprintf(out->address, sizeof out->address, "%.*s", (int)sizeof out->address - 1, tm->address);
    }
    sys_lock_give(c->lock);
    return tm != NULL;
}
