/* savepoint_requests.c - what somebody asks for while a job runs: a savepoint, a checkpoint now, that it stops with a savepoint, or with a
 * checkpoint for a rescale (rescale.c).
 *
 * A request has a number, its trigger, by which it is asked after; who asks may also wait. It lies in the job master's list, under the lock
 * `look`, from the moment it was made, and the latest that are answered stay there. Only the job master's thread moves it on:
 *
 *     WAITING  until tasks run and no other savepoint is under way; they are taken in the order in which they came
 *     TAKEN    the checkpoint is under way: it has an id
 *     COMMITS  the checkpoint exists, and its tasks make final what they prepared
 *     MARKED   all have: the word _committed stands beside the metadata of a savepoint, so that whoever restores it commits nothing again
 *     OVER     answered
 *
 * A job that stops ends when its savepoint is complete; its request is answered when the job is over and recorded. Should the savepoint
 * fail when its tasks stand still already, the job fails and is started anew as its restart strategy says. */
#include "control/jobmanager/checkpoints_internal.h"

#include "control/config.h"

#include <stdio.h>
#include <string.h>

enum request_phase { REQUEST_WAITING, REQUEST_TAKEN, REQUEST_COMMITS, REQUEST_MARKED, REQUEST_OVER };
enum { REQUESTS_KEPT = 64 };

struct snapshot_request {
    struct snapshot_request *next;
    char trigger[SNAPSHOT_TRIGGER_SIZE];
    enum snapshot_wish wish;
    const char *folder; /* owned; NULL: a checkpoint, in the job's own */
    int64_t id;         /* 0: its turn has not come */
    char path[SYS_PATH_MAX];
    /* from here on under the lock `look` */
    enum request_phase phase;
    struct sys_parker *waiting; /* of who waits for the answer; NULL: nobody */
    /* the job master's; when it is OVER path and err are anybody's */
    struct err err;
    uint8_t *committed; /* [task]; from COMMITS on */
    uint32_t left;      /* tasks that have not */
    bool is_marked;     /* or could not be */
};

static bool stops(const struct snapshot_request *r)
{
    return r->wish == WISH_STOP || r->wish == WISH_DRAIN || r->wish == WISH_RESCALE;
}

static bool is_of_job(enum snapshot_wish wish) { return wish == WISH_CHECKPOINT || wish == WISH_RESCALE; } /* in its own folder */
static bool is_over(const struct snapshot_request *r) { return r->phase == REQUEST_OVER; }

/* --- the list ----------------------------------------------------------------------------------------------------------------------- */
/* Others put in at its end; only the job master takes out. after == NULL: the first one. */
static struct snapshot_request *next_of(struct jobmaster *jm, const struct snapshot_request *after)
{
    sys_lock_take(jm->look);
    struct snapshot_request *r = after != NULL ? after->next : jm->requests;
    sys_lock_give(jm->look);
    return r;
}

static void free_request(struct jobmaster *jm, struct snapshot_request *r)
{
    mem_free(&jm->request_mem, r->committed);
    mem_free(&jm->request_mem, (void *)(uintptr_t)r->folder);
    mem_free(&jm->request_mem, r);
}

void snapshot_requests_release(struct jobmaster *jm)
{
    while (jm->requests != NULL) {
        struct snapshot_request *r = jm->requests;
        jm->requests = r->next;
        free_request(jm, r);
    }
}

/* The oldest that are answered, so that a job that runs for long does not keep all. */
static void forget_old(struct jobmaster *jm)
{
    uint32_t count = 0;

    sys_lock_take(jm->look);
    for (const struct snapshot_request *r = jm->requests; r != NULL; r = r->next) count += is_over(r);
    for (struct snapshot_request **at = &jm->requests; *at != NULL && count > REQUESTS_KEPT;) {
        struct snapshot_request *r = *at;
        if (!is_over(r) || r->waiting != NULL) {
            at = &r->next;
            continue;
        }
        *at = r->next;
        count--;
        free_request(jm, r);
    }
    sys_lock_give(jm->look);
}

static void move_to(struct jobmaster *jm, struct snapshot_request *r, enum request_phase next)
{
    sys_lock_take(jm->look);
    ASSERT(next > r->phase || (next == REQUEST_WAITING && r->phase == REQUEST_TAKEN));
    r->phase = next;
    if (next == REQUEST_OVER && r->waiting != NULL) sys_unpark(jm->o.sys, r->waiting);
    sys_lock_give(jm->look);
}

static void fail(struct jobmaster *jm, struct snapshot_request *r, const struct err *why)
{
    r->err = *why; /* nobody looks before it is over */
    if (r->wish == WISH_RESCALE && why->status != S_OK) rescale_failed(jm, why);
    move_to(jm, r, REQUEST_OVER);
}

/* --- their turn --------------------------------------------------------------------------------------------------------------------- */
/* A folder of its own below the one given: savepoint-<job>-<random>, as Flink names it. */
static enum status name_folder(struct jobmaster *jm, struct snapshot_request *r, struct err *e)
{
    const struct fs_type *fs;
    const char *path;
    size_t size = strlen(r->folder);

    while (size > 1 && r->folder[size - 1] == '/') size--;
    int length = snprintf(r->path, sizeof r->path, "%.*s/savepoint-%.6s-%012llx", (int)size, r->folder,
                          checkpoints_job_id(jm->checkpoints), (unsigned long long)(sys_random(jm->o.sys) >> 16));
    if (length < 0 || (size_t)length >= sizeof r->path)
        return err_set(e, E_CONFIG, "the path '%.100s...' is too long", r->folder);
    return fs_find(r->path, &fs, &path, e);
}

static struct snapshot_request *first_waiting(struct jobmaster *jm)
{
    struct snapshot_request *r = next_of(jm, NULL);

    while (r != NULL && r->phase != REQUEST_WAITING) r = next_of(jm, r);
    return r;
}

/* The first one begins where nothing is in its way; else it waits: until tasks run, or the one before is over. */
static bool begin(struct job_checkpoints *c, struct snapshot_request *r)
{
    enum snapshot_kind kind = is_of_job(r->wish) ? SNAPSHOT_CHECKPOINT : SNAPSHOT_SAVEPOINT;
    int64_t id;

    if (checkpoint_request(c->coordinator, kind, now_ms(c->jm), &id) != CHECKPOINT_NO_REASON) return false;
    r->id = id;
    move_to(c->jm, r, REQUEST_TAKEN);
    if (stops(r)) checkpoint_suspend(c->coordinator, id, now_ms(c->jm));
    return true;
}

void snapshot_requests_look(struct job_checkpoints *c)
{
    struct jobmaster *jm = c->jm;
    struct snapshot_request *r = first_waiting(jm);

    if (r == NULL) return;
    forget_old(jm);
    struct err e = {0};
    if (r->folder != NULL && r->path[0] == '\0' && name_folder(jm, r, &e) != S_OK)
        fail(jm, r, &e);
    else
        (void)begin(c, r);
}

static struct snapshot_request *find(const struct job_checkpoints *c, int64_t id)
{
    struct snapshot_request *r = next_of(c->jm, NULL);

    while (r != NULL && (r->id != id || is_over(r))) r = next_of(c->jm, r);
    return r;
}

const char *snapshot_requests_folder(const struct job_checkpoints *c, int64_t id)
{
    const struct snapshot_request *r = find(c, id);

    return r != NULL && r->folder != NULL ? r->path : NULL;
}

enum snapshot_wish snapshot_requests_wish(const struct job_checkpoints *c, int64_t id)
{
    const struct snapshot_request *r = find(c, id);

    return r != NULL ? r->wish : WISH_NOTHING;
}

/* --- what becomes of them ----------------------------------------------------------------------------------------------------------- */
void snapshot_requests_failed(struct job_checkpoints *c, int64_t id, enum checkpoint_reason why)
{
    struct snapshot_request *r = find(c, id);
    struct err e = {0};

    if (r == NULL) return;
    ASSERT(r->phase == REQUEST_TAKEN);
    if (why == CHECKPOINT_TASK_CLOSING) { /* a task came to its end in between: the next one does without it */
        r->id = 0;
        move_to(c->jm, r, REQUEST_WAITING);
        return;
    }
    err_set(&e, E_CANCELED, "the %s failed: %s", is_of_job(r->wish) ? "checkpoint" : "savepoint",
            checkpoint_reason_text(why));
    bool has_stopped = stops(r);
    fail(c->jm, r, &e);
    if (!has_stopped) return;
    err_wrap(&e, r->wish == WISH_RESCALE ? "the job was being rescaled" : "the job was being stopped");
    jobmaster_fail(c->jm, &e, true); /* its tasks stand still */
}

/* All that is left to do for it is done, as far as it can be while the job runs. */
static void look_whether_committed(struct job_checkpoints *c, struct snapshot_request *r)
{
    if (r->phase != REQUEST_COMMITS || r->left > 0) return;
    if (r->folder == NULL) {
        move_to(c->jm, r, REQUEST_OVER);
        return;
    }
    snapshot_store_mark(c->store, r->id, r->path);
    move_to(c->jm, r, REQUEST_MARKED);
}

void snapshot_requests_complete(struct job_checkpoints *c, int64_t id)
{
    struct snapshot_request *r = find(c, id);
    uint32_t tasks = executions_count(c->jm->executions);

    if (r == NULL) return;
    if (r->wish == WISH_RESCALE) rescale_stopped(c->jm, id);
    sys_lock_take(c->jm->look);
    r->committed = mem_zalloc(&c->jm->request_mem, tasks);
    sys_lock_give(c->jm->look);
    if (r->folder == NULL) snprintf(r->path, sizeof r->path, "%s/chk-%lld", c->uri, (long long)id);
    for (uint32_t t = 0; t < tasks; t++) {
        r->committed[t] = checkpoint_task_is_through(c->coordinator, t);
        r->left += !r->committed[t];
    }
    move_to(c->jm, r, REQUEST_COMMITS);
    look_whether_committed(c, r);
}

/* Of one that has ended, too: before that it did. */
void snapshot_requests_committed(struct job_checkpoints *c, int64_t id, uint32_t task)
{
    for (struct snapshot_request *r = next_of(c->jm, NULL); r != NULL; r = next_of(c->jm, r)) {
        if (r->phase != REQUEST_COMMITS || r->id > id || r->committed[task]) continue;
        r->committed[task] = true;
        r->left--;
        look_whether_committed(c, r);
    }
}

void snapshot_requests_marked(struct job_checkpoints *c, int64_t id)
{
    struct snapshot_request *r = find(c, id);

    if (r == NULL) return;
    if (!stops(r)) move_to(c->jm, r, REQUEST_OVER);
    else r->is_marked = true;
}

static void say_not_stopped(const struct jobmaster *jm, const struct snapshot_request *r, struct err *e)
{
    if (r->wish == WISH_RESCALE) {
        err_set(e, E_CANCELED, "job '%s' failed while it was being rescaled; it runs as before", jm->graph.job_name);
        return;
    }
    err_set(e, E_CANCELED, "the savepoint '%s' was made, but job '%s' failed while it was being stopped", r->path,
            jm->graph.job_name);
    err_hint(e, "a job that begins with that savepoint commits what the sinks had prepared for it");
}

/* No task of the attempt runs any more. A savepoint that exists is good; that all of it was committed is not known. */
void snapshot_requests_attempt_failed(struct job_checkpoints *c)
{
    for (struct snapshot_request *r = next_of(c->jm, NULL); r != NULL; r = next_of(c->jm, r)) {
        struct err e = {0};
        if (is_over(r) || r->phase < REQUEST_COMMITS) continue;
        if (stops(r)) say_not_stopped(c->jm, r, &e);
        fail(c->jm, r, &e);
    }
}

bool snapshot_requests_are_marking(const struct job_checkpoints *c)
{
    bool any = false;

    for (struct snapshot_request *r = next_of(c->jm, NULL); r != NULL; r = next_of(c->jm, r))
        any |= r->phase == REQUEST_MARKED && !r->is_marked;
    return any;
}

void snapshot_requests_end_all(struct jobmaster *jm)
{
    bool is_finished = jobmaster_status(jm) == JOB_FINISHED;

    for (struct snapshot_request *r = next_of(jm, NULL); r != NULL; r = next_of(jm, r)) {
        struct err e = {0};
        if (is_over(r)) continue;
        if (r->phase < REQUEST_COMMITS)
            err_set(&e, E_CANCELED, "the savepoint failed: %s", checkpoint_reason_text(CHECKPOINT_COORDINATOR_SHUTDOWN));
        else if (stops(r) && !is_finished)
            say_not_stopped(jm, r, &e);
        fail(jm, r, &e);
    }
}

/* --- whoever asks ------------------------------------------------------------------------------------------------------------------ */
static const char *default_folder(const struct jobmaster *jm)
{
    const struct options *o = &jm->base->settings;
    const char *folder = options_get(o, config_defs, "execution.checkpointing.savepoint-dir");

    return folder != NULL ? folder : options_get(o, config_defs, "state.savepoints.dir");
}

static enum status folder_of(const struct jobmaster *jm, const struct snapshot_ask *ask, const char **out, struct err *e)
{
    *out = NULL;
    if (is_of_job(ask->wish)) return S_OK;
    *out = ask->folder != NULL ? ask->folder : default_folder(jm);
    if (*out != NULL && (*out)[0] != '\0') return S_OK;
    err_set(e, E_CONFIG, "there is no folder for the savepoint");
    err_hint(e, "name one, or set execution.checkpointing.savepoint-dir");
    return E_CONFIG;
}

/* Under the lock. */
static struct snapshot_request *find_trigger(struct jobmaster *jm, const char *trigger)
{
    struct snapshot_request *r = jm->requests;

    while (r != NULL && strcmp(r->trigger, trigger) != 0) r = r->next;
    return r;
}

static struct snapshot_request *add(struct jobmaster *jm, const struct snapshot_ask *ask, const char *folder,
                                    const char *trigger)
{
    struct snapshot_request **at = &jm->requests, *r = mem_zalloc(&jm->request_mem, sizeof *r);

    r->wish = ask->wish;
    snprintf(r->trigger, sizeof r->trigger, "%s", trigger);
    if (folder != NULL) {
        char *copy = mem_alloc(&jm->request_mem, strlen(folder) + 1);
        memcpy(copy, folder, strlen(folder) + 1);
        r->folder = copy;
    }
    while (*at != NULL) at = &(*at)->next;
    *at = r;
    return r;
}

static enum status ask_for(struct jobmaster *jm, const struct snapshot_ask *ask, char *trigger,
                           struct sys_parker *waiting, struct snapshot_request **out, struct err *e)
{
    const char *folder;

    TRY(folder_of(jm, ask, &folder, e));
    if (trigger[0] == '\0')
        snprintf(trigger, SNAPSHOT_TRIGGER_SIZE, "%016llx%016llx", (unsigned long long)sys_random(jm->o.sys),
                 (unsigned long long)sys_random(jm->o.sys));
    sys_lock_take(jm->look);
    bool may_ask = jm->checkpoints != NULL && !jm->checkpoints->is_over;
    struct snapshot_request *r = may_ask ? find_trigger(jm, trigger) : NULL;
    if (may_ask && r == NULL) r = add(jm, ask, folder, trigger);
    if (r != NULL) r->waiting = waiting;
    sys_lock_give(jm->look);
    *out = r;
    if (r == NULL)
        return err_set(e, E_UNSUPPORTED,
                       "the job takes no savepoint: it is over, or has no execution.checkpointing.interval");
    sys_mailbox_send(jm->o.sys, jm->mailbox, &jm->notes_are_waiting);
    return S_OK;
}

enum status jobmaster_ask_snapshot(struct jobmaster *jm, const struct snapshot_ask *ask,
                                   char trigger[static SNAPSHOT_TRIGGER_SIZE], struct err *e)
{
    struct snapshot_request *r;

    return ask_for(jm, ask, trigger, NULL, &r, e);
}

static bool show(const struct snapshot_request *r, struct snapshot_progress *out)
{
    *out = (struct snapshot_progress){.state = CHECKPOINT_IN_PROGRESS};
    if (r == NULL || !is_over(r)) return r != NULL;
    out->state = r->err.status == S_OK ? CHECKPOINT_COMPLETED : CHECKPOINT_FAILED;
    out->checkpoint = r->id;
    snprintf(out->folder, sizeof out->folder, "%s", r->path);
    out->err = r->err;
    return true;
}

bool jobmaster_snapshot_progress(struct jobmaster *jm, const char *trigger, struct snapshot_progress *out)
{
    sys_lock_take(jm->look);
    bool is_known = show(find_trigger(jm, trigger), out);
    sys_lock_give(jm->look);
    return is_known;
}

enum status jobmaster_snapshot(struct jobmaster *jm, const struct snapshot_ask *ask, struct snapshot_progress *out,
                               struct err *e)
{
    char trigger[SNAPSHOT_TRIGGER_SIZE] = "";
    struct sys_parker *waiting = sys_parker_create(jm->o.sys);
    struct snapshot_request *r;
    enum status st = ask_for(jm, ask, trigger, waiting, &r, e);

    *out = (struct snapshot_progress){.state = CHECKPOINT_IN_PROGRESS};
    while (st == S_OK && out->state == CHECKPOINT_IN_PROGRESS) {
        sys_park(jm->o.sys, waiting, INT64_MAX);
        sys_lock_take(jm->look);
        (void)show(r, out);
        if (out->state != CHECKPOINT_IN_PROGRESS) r->waiting = NULL;
        sys_lock_give(jm->look);
    }
    sys_parker_free(jm->o.sys, waiting);
    if (st != S_OK) return st;
    return out->state == CHECKPOINT_COMPLETED ? S_OK : err_pass_on(e, &out->err);
}
