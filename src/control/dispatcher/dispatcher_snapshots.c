/* dispatcher_snapshots.c - savepoints, checkpoints and stops that somebody asks a job for. The job master answers while it is there; what
 * became of them is kept with the job when it is over, since who asked for a stop asks after it when the job has stopped. */
#include "control/dispatcher/dispatcher.h"

#include "control/dispatcher/dispatcher_internal.h"

#include <stdio.h>
#include <string.h>

static struct dispatched_snapshot *find(const struct dispatched_job *job, const char *trigger)
{
    struct dispatched_snapshot *s = job->snapshots;

    while (s != NULL && strcmp(s->trigger, trigger) != 0) s = s->next;
    return s;
}

static void note(struct dispatched_job *job, const char *trigger)
{
    struct dispatcher *d = job->owner;

    sys_lock_take(d->lock);
    if (find(job, trigger) == NULL && job->snapshot_count < DISPATCHED_SNAPSHOTS_MAX) {
        struct dispatched_snapshot *s = ARENA_NEW(&job->snapshot_arena, struct dispatched_snapshot);
        snprintf(s->trigger, sizeof s->trigger, "%s", trigger);
        s->next = job->snapshots;
        job->snapshots = s;
        job->snapshot_count++;
    }
    sys_lock_give(d->lock);
}

enum status dispatched_ask(struct dispatched_job *job, const struct snapshot_ask *ask,
                           char trigger[static SNAPSHOT_TRIGGER_SIZE], struct err *e)
{
    struct jobmaster *jm = dispatched_master(job);

    if (jm == NULL) return err_set(e, E_CANCELED, "Job %s is not running.", job->id);
    TRY(jobmaster_ask_snapshot(jm, ask, trigger, e));
    note(job, trigger);
    return S_OK;
}

bool dispatched_progress(const struct dispatched_job *job, const char *trigger, struct snapshot_progress *out)
{
    struct jobmaster *jm = dispatched_master(job);

    if (jm != NULL) return jobmaster_snapshot_progress(jm, trigger, out);
    const struct dispatched_snapshot *s = find(job, trigger); /* nothing is added any more */
    if (s == NULL || s->progress == NULL) return false;
    *out = *s->progress;
    return true;
}

void dispatched_snapshots_end(struct dispatched_job *job)
{
    struct snapshot_progress p;

    sys_lock_take(job->owner->lock);
    for (struct dispatched_snapshot *s = job->snapshots; s != NULL; s = s->next) {
        if (!jobmaster_snapshot_progress(job->jm, s->trigger, &p)) continue;
        s->progress = ARENA_NEW(&job->snapshot_arena, struct snapshot_progress);
        *s->progress = p;
    }
    sys_lock_give(job->owner->lock);
}
