/* savepoint_requests.c - savepoints that somebody asks for while the job runs. Who asks waits on a thread of its own; the request lies on
 * its stack, is handed to the job master as a note, and is answered once: when the savepoint is complete, when it failed, or
 * when the job is over. They are taken one after another, in the order in which they were asked for. */
#include "control/jobmanager/checkpoints_internal.h"

#include "control/config.h"

#include <stdio.h>
#include <string.h>

struct savepoint_request {
    struct savepoint_request *next;
    const char *folder;
    int64_t id; /* 0: its turn has not come */
    char path[SYS_PATH_MAX];
    struct err err;
    struct sys_atomic_u64 is_answered;
    struct sys_parker *waiting;
};

/* --- the job master's ------------------------------------------------------------------------------------------------------------ */
static void answer(struct job_checkpoints *c, struct savepoint_request *r)
{
    sys_lock_take(c->jm->look); /* until it is let go the request is there: see jobmaster_savepoint */
    sys_atomic_store(&r->is_answered, 1);
    sys_unpark(c->jm->o.sys, r->waiting);
    sys_lock_give(c->jm->look);
}

/* A folder of its own below the one given: savepoint-<job>-<random>, as Flink names it. */
static enum status name_folder(struct job_checkpoints *c, struct savepoint_request *r)
{
    const struct fs_type *fs;
    const char *path;
    size_t size = strlen(r->folder);

    while (size > 1 && r->folder[size - 1] == '/') size--;
    int length = snprintf(r->path, sizeof r->path, "%.*s/savepoint-%.6s-%012llx", (int)size, r->folder, c->job_id,
                          (unsigned long long)(sys_random(c->jm->o.sys) >> 16));
    if (length < 0 || (size_t)length >= sizeof r->path)
        return err_set(&r->err, E_CONFIG, "the path '%.100s...' is too long", r->folder);
    return fs_find(r->path, &fs, &path, &r->err);
}

static struct savepoint_request **last_of(struct job_checkpoints *c)
{
    struct savepoint_request **at = &c->requests;

    while (*at != NULL) at = &(*at)->next;
    return at;
}

void requests_add(struct job_checkpoints *c, struct savepoint_request *r)
{
    if (name_folder(c, r) != S_OK) {
        answer(c, r);
        return;
    }
    *last_of(c) = r;
    requests_look(c);
}

/* The first one begins where nothing is in its way; else it waits: until tasks run, or the one before is over. */
void requests_look(struct job_checkpoints *c)
{
    struct savepoint_request *r = c->requests;

    if (r == NULL || r->id != 0) return;
    if (checkpoint_request(c->coordinator, SNAPSHOT_SAVEPOINT, now_ms(c->jm), &r->id) != CHECKPOINT_NO_REASON)
        r->id = 0;
}

static struct savepoint_request **find(struct job_checkpoints *c, int64_t id)
{
    struct savepoint_request **at = &c->requests;

    while (*at != NULL && (*at)->id != id) at = &(*at)->next;
    return at;
}

const char *requests_folder(const struct job_checkpoints *c, int64_t id)
{
    const struct savepoint_request *r = *find((struct job_checkpoints *)(uintptr_t)c, id);

    return r != NULL ? r->path : NULL;
}

void requests_end(struct job_checkpoints *c, int64_t id, const char *failure)
{
    struct savepoint_request **at = find(c, id), *r = *at;

    if (r == NULL) return;
    *at = r->next;
    if (failure != NULL) err_set(&r->err, E_CANCELED, "the savepoint failed: %s", failure);
    answer(c, r);
}

void requests_end_all(struct job_checkpoints *c)
{
    while (c->requests != NULL)
        requests_end(c, c->requests->id, checkpoint_reason_text(CHECKPOINT_COORDINATOR_SHUTDOWN));
}

bool checkpoints_request(struct jobmaster *jm, struct savepoint_request *r)
{
    struct job_checkpoints *c = jm->checkpoints;

    if (c == NULL || c->is_over) return false;
    notes_send_request(c, r);
    return true;
}

/* --- whoever asks ------------------------------------------------------------------------------------------------------------------ */
static const char *default_folder(const struct jobmaster *jm)
{
    const char *folder = options_get(&jm->graph.settings, config_defs, "execution.checkpointing.savepoint-dir");

    return folder != NULL ? folder : options_get(&jm->graph.settings, config_defs, "state.savepoints.dir");
}

enum status jobmaster_savepoint(struct jobmaster *jm, const char *folder, char *out, struct err *e)
{
    struct savepoint_request r = {.folder = folder != NULL ? folder : default_folder(jm)};

    if (r.folder == NULL || r.folder[0] == '\0') {
        err_set(e, E_CONFIG, "there is no folder for the savepoint");
        err_hint(e, "name one, or set execution.checkpointing.savepoint-dir");
        return E_CONFIG;
    }
    r.waiting = sys_parker_create(jm->o.sys);
    sys_lock_take(jm->look);
    bool is_asked = checkpoints_request(jm, &r);
    sys_lock_give(jm->look);
    if (!is_asked)
        err_set(&r.err, E_UNSUPPORTED,
                "the job takes no savepoint: it is over, or has no execution.checkpointing.interval");
    while (is_asked && sys_atomic_load(&r.is_answered) == 0) sys_park(jm->o.sys, r.waiting, INT64_MAX);
    sys_lock_take(jm->look); /* whoever answered is done with it */
    sys_lock_give(jm->look);
    sys_parker_free(jm->o.sys, r.waiting);
    if (r.err.status != S_OK) return err_pass_on(e, &r.err);
    memcpy(out, r.path, sizeof r.path);
    return S_OK;
}
