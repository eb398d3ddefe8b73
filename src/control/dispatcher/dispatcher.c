/* dispatcher.c - the list of jobs.
 *
 * Whoever looks at a job holds it: a count under the lock, so that neither the job nor its job master goes while it is looked at. A
 * job master is large, and goes when its job is over and archived and the last holder lets go; the job itself stays in the
 * list until it has been over for long enough or there are too many of that kind.
 *
 * The settings of the cluster are put below those of the job where it is submitted, so the graph that is kept says all. */
#include "control/dispatcher/dispatcher.h"

#include "control/config.h"
#include "control/dispatcher/dispatcher_internal.h"
#include "ground/base/str.h"

#include <stdio.h>
#include <string.h>

/* --- life --------------------------------------------------------------------------------------------------------- */
enum status dispatcher_create(const struct dispatcher_options *o, struct dispatcher **out, struct err *e)
{
    const struct fs_type *fs;
    const char *path;
    struct mem mem;

    TRY(fs_find(o->folder, &fs, &path, e));
    TRY(sys_dir_make(o->sys, path, e));
    mem_init(&mem, "dispatcher", 0);
    struct dispatcher *d = mem_zalloc(&mem, sizeof *d);
    mem_init(&d->mem, "dispatcher", 0);
    mem_move(&mem, &d->mem);
    d->o = *o;
    d->fs = fs;
    d->folder = path;
    d->end = &d->first;
    d->lock = sys_lock_create(o->sys);
    *out = d;
    return S_OK;
}

struct dispatched_job *dispatched_new(struct dispatcher *d, const char *id)
{
    struct mem mem;

    mem_init(&mem, "dispatched job", 0);
    struct dispatched_job *job = mem_zalloc(&mem, sizeof *job);
    mem_init(&job->mem, "dispatched job", 0);
    mem_move(&mem, &job->mem);
    arena_init(&job->arena, &job->mem, 0);
    buf_init(&job->graph, &job->mem);
    buf_init(&job->archive, &job->mem);
    mem_init(&job->snapshot_mem, "dispatched snapshots", 0);
    arena_init(&job->snapshot_arena, &job->snapshot_mem, 0);
    job->owner = d;
    job->ended_ms = -1;
    job->name = "";
    snprintf(job->id, sizeof job->id, "%s", id);
    return job;
}

struct spent_master dispatcher_take_master(struct dispatched_job *job)
{
    struct spent_master spent = {job->jm, job->library};

    job->jm = NULL;
    job->library = NULL;
    return spent;
}

void dispatcher_drop_master(struct spent_master *spent)
{
    jobmaster_free(spent->jm);
    sys_library_close(spent->library);
}

void dispatched_free(struct dispatched_job *job)
{
    struct mem mem;

    sys_thread_join(job->owner->o.sys, job->thread);
    struct spent_master spent = dispatcher_take_master(job);
    dispatcher_drop_master(&spent);
    mem_release(&job->snapshot_mem);
    mem_init(&mem, "dispatched job", 0);
    mem_move(&job->mem, &mem);
    mem_release(&mem);
}

void dispatcher_close(struct dispatcher *d, bool keeps)
{
    struct dispatched_job *job, *next;
    struct mem mem;

    if (d == NULL) return;
    sys_atomic_store(&d->keeps, keeps);
    sys_lock_take(d->lock);
    d->is_closing = true;
    for (job = d->first; job != NULL; job = job->next) sys_atomic_store(&job->cancelled, 1);
    sys_lock_give(d->lock);
    for (job = d->first; job != NULL; job = next) {
        next = job->next;
        ASSERT(job->holders == 0);
        sys_thread_join(d->o.sys, job->thread);
        job->thread = NULL;
        if (!keeps) keep_forget(job);
        dispatched_free(job);
    }
    sys_lock_free(d->o.sys, d->lock);
    mem_init(&mem, "dispatcher", 0);
    mem_move(&d->mem, &mem);
    mem_release(&mem);
}

/* --- the list ----------------------------------------------------------------------------------------------------- */
static struct dispatched_job **find(struct dispatcher *d, const char *id)
{
    struct dispatched_job **at = &d->first;

    while (*at != NULL && strcmp((*at)->id, id) != 0) at = &(*at)->next;
    return at;
}

static bool is_old(const struct dispatcher *d, const struct dispatched_job *job, uint32_t over)
{
    if (sys_atomic_load(&job->is_over) == 0 || job->holders > 0) return false;
    return over > d->o.capacity || sys_wall_ms(d->o.sys) - job->ended_ms > d->o.expiration_ms;
}

/* Under the lock. Those that go, linked by next. */
static struct dispatched_job *take_old(struct dispatcher *d)
{
    struct dispatched_job *old = NULL, *job;
    uint32_t over = 0;

    for (job = d->first; job != NULL; job = job->next) over += sys_atomic_load(&job->is_over) != 0;
    for (struct dispatched_job **at = &d->first; (job = *at) != NULL;) {
        if (!is_old(d, job, over)) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        if (d->end == &job->next) d->end = at;
        job->next = old;
        old = job;
        over--;
        d->count--;
    }
    return old;
}

static void forget_old(struct dispatcher *d)
{
    struct dispatched_job *old, *next;

    sys_lock_take(d->lock);
    old = d->is_closing ? NULL : take_old(d);
    sys_lock_give(d->lock);
    for (; old != NULL; old = next) {
        next = old->next;
        keep_forget(old);
        dispatched_free(old);
    }
}

enum status dispatcher_add(struct dispatcher *d, struct dispatched_job *job, struct err *e)
{
    enum status st = S_OK;

    sys_lock_take(d->lock);
    if (d->is_closing)
        st = err_set(e, E_CANCELED, "the cluster is being shut down");
    else if (*find(d, job->id) != NULL)
        st = err_set(e, E_EXISTS, "Job %s has already been submitted.", job->id);
    else if (d->count == DISPATCHER_JOBS_MAX)
        st = err_set(e, E_BUDGET, "the cluster has %d jobs; more are not taken", DISPATCHER_JOBS_MAX);
    if (st == S_OK) {
        *d->end = job;
        d->end = &job->next;
        d->count++;
    }
    sys_lock_give(d->lock);
    return st;
}

void dispatcher_remove(struct dispatcher *d, struct dispatched_job *job)
{
    sys_lock_take(d->lock);
    struct dispatched_job **at = find(d, job->id);
    ASSERT(*at == job && job->holders == 0);
    *at = job->next;
    if (d->end == &job->next) d->end = at;
    d->count--;
    sys_lock_give(d->lock);
}

struct dispatched_job *dispatcher_hold(struct dispatcher *d, const char *id)
{
    forget_old(d);
    sys_lock_take(d->lock);
    struct dispatched_job *job = *find(d, id);
    if (job != NULL) job->holders++;
    sys_lock_give(d->lock);
    return job;
}

struct dispatched_job *dispatcher_hold_next(struct dispatcher *d, uint32_t index)
{
    if (index == 0) forget_old(d);
    sys_lock_take(d->lock);
    struct dispatched_job *job = d->first;
    while (job != NULL && index-- > 0) job = job->next;
    if (job != NULL) job->holders++;
    sys_lock_give(d->lock);
    return job;
}

void dispatcher_let_go(struct dispatcher *d, struct dispatched_job *job)
{
    struct spent_master spent = {0};

    sys_lock_take(d->lock);
    ASSERT(job->holders > 0);
    if (--job->holders == 0 && sys_atomic_load(&job->is_over) != 0) spent = dispatcher_take_master(job);
    sys_lock_give(d->lock);
    dispatcher_drop_master(&spent);
}

/* --- questions ---------------------------------------------------------------------------------------------------- */
const char *dispatched_id(const struct dispatched_job *job) { return job->id; }
const char *dispatched_name(const struct dispatched_job *job) { return job->name; }

static bool is_over(const struct dispatched_job *job) { return sys_atomic_load(&job->is_over) != 0; }

enum job_status dispatched_status(const struct dispatched_job *job)
{
    return is_over(job) ? job->status : jobmaster_status(job->jm);
}

int64_t dispatched_since_ms(const struct dispatched_job *job, enum job_status s)
{
    return is_over(job) ? job->since_ms[s] : jobmaster_since_ms(job->jm, s);
}

int64_t dispatched_ended_ms(const struct dispatched_job *job)
{
    if (is_over(job)) return job->ended_ms;
    enum job_status now = jobmaster_status(job->jm);
    return job_status_is_terminal(now) ? jobmaster_since_ms(job->jm, now) : -1;
}

struct jobmaster *dispatched_master(const struct dispatched_job *job)
{
    return !is_over(job) && sys_atomic_load(&job->is_submitted) != 0 ? job->jm : NULL;
}

struct str dispatched_archive(const struct dispatched_job *job)
{
    return is_over(job) ? (struct str){job->archive.data, job->archive.size} : (struct str){NULL, 0};
}

const struct err *dispatched_refusal(const struct dispatched_job *job) { return &job->refusal; }

void dispatched_cancel(struct dispatched_job *job)
{
    sys_atomic_store(&job->is_unwanted, 1);
    sys_atomic_store(&job->cancelled, 1);
}

/* --- submission --------------------------------------------------------------------------------------------------- */
static bool says(const struct options *o, const char *key)
{
    for (uint32_t i = 0; i < o->count; i++)
        if (strcmp(o->items[i].key, key) == 0) return true;
    return false;
}

/* Keys of processes are the cluster's own affair. */
static bool is_for_jobs(const char *key)
{
    static const char *const of_processes[] = {"rest.",
                                               "jobmanager.",
                                               "high-availability.",
                                               "thalweg.log.",
                                               "thalweg.security.",
                                               "jobstore.",
                                               "web.",
                                               "io.",
                                               "blob.",
                                               "env.",
                                               "cluster.",
                                               "resourcemanager."};

    for (size_t i = 0; i < COUNT_OF(of_processes); i++)
        if (str_starts(str_of(key), str_of(of_processes[i]))) return false;
    return option_find(config_defs, key) != NULL;
}

static void add_settings(struct arena *a, struct graph *g, const struct options *more)
{
    struct option *all = ARENA_ARRAY(a, struct option, g->settings.count + more->count + 1);
    uint32_t count = 0;

    for (uint32_t i = 0; i < g->settings.count; i++) all[count++] = g->settings.items[i];
    for (uint32_t i = 0; i < more->count; i++)
        if (is_for_jobs(more->items[i].key) && !says(&g->settings, more->items[i].key)) all[count++] = more->items[i];
    g->settings = (struct options){all, count};
}

/* Reads the graph, which says the name, and writes it anew with what the cluster sets. */
static enum status take_graph(struct dispatched_job *job, struct str bytes, struct err *e)
{
    struct arena a;
    struct graph g;

    arena_init(&a, &job->mem, 0);
    graph_init(&g, &a);
    enum status st = graph_decode(&g, bytes, e);
    if (st == S_OK) {
        job->name = arena_strdup(&job->arena, g.job_name);
        if (job->owner->o.settings != NULL) add_settings(&a, &g, job->owner->o.settings);
        graph_encode(&g, &job->graph);
    }
    arena_release(&a);
    return st;
}

static void make_id(struct sys *sys, char id[static JOB_ID_SIZE])
{
    snprintf(id, JOB_ID_SIZE, "%016llx%016llx", (unsigned long long)sys_random(sys),
             (unsigned long long)sys_random(sys));
}

enum status dispatcher_submit(struct dispatcher *d, const struct job_submission *s, char id[static JOB_ID_SIZE],
                              struct err *e)
{
    if (s->job_id != NULL)
        snprintf(id, JOB_ID_SIZE, "%s", s->job_id);
    else
        make_id(d->o.sys, id);
    struct dispatched_job *job = dispatched_new(d, id);
    enum status st = take_graph(job, s->graph, e);
    if (st == S_OK) st = keep_submission(job, s, e);
    if (st == S_OK && (st = dispatched_start(job, e)) != S_OK) keep_forget(job);
    if (st != S_OK) dispatched_free(job);
    return st;
}

/* One of them that cannot be gone on with leaves the others alone. */
static void recover_job(struct dispatcher *d, const char *id)
{
    struct dispatched_job *job = dispatched_new(d, id);
    struct err e = {0};
    bool over = false;

    enum status st = keep_load(job, &over, &e);
    if (st == S_OK && over) {
        sys_atomic_store(&job->is_over, 1);
        st = dispatcher_add(d, job, &e);
    } else if (st == S_OK) {
        st = dispatched_start(job, &e);
        if (st == S_OK)
            log_write(d->o.log, LOG_INFO, "dispatcher", "job '%s' (%s) is gone on with", job->name, job->id);
    }
    if (st == S_OK) return;
    if (st == E_NOT_FOUND) log_write(d->o.log, LOG_INFO, "dispatcher", "job %s had not been taken when the JobManager ended", id);
    else log_write(d->o.log, LOG_ERROR, "dispatcher", "job %s cannot be gone on with: %s", id, e.text);
    dispatched_free(job);
}

enum status dispatcher_recover(struct dispatcher *d, struct err *e)
{
    struct arena a;
    struct fs_list list = {0};

    arena_init(&a, &d->mem, 0);
    enum status st = keep_list(d, &a, &list, e);
    for (uint32_t i = 0; st == S_OK && i < list.count; i++) {
        const char *slash = strrchr(list.entries[i].path, '/'), *id = slash != NULL ? slash + 1 : list.entries[i].path;
        if (strlen(id) == JOB_ID_SIZE - 1 && strspn(id, "0123456789abcdef") == JOB_ID_SIZE - 1) recover_job(d, id);
    }
    arena_release(&a);
    return st;
}
