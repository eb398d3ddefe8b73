/* alignment.c - one word per member, written by its subtask and read by all. There is no lock on the way: a value that is
 * a moment old only delays the pause or its end by that moment. */
#include "flow/source/alignment.h"

#include <stdio.h>

static struct alignment_group *group_of(struct job_shared *job, const char *name)
{
    char key[300];
    bool made;

    snprintf(key, sizeof key, "alignment/%s", name);
    return job_object(job, key, sizeof(struct alignment_group), NULL, &made);
}

enum status alignment_join(struct alignment_member *m, struct job_shared *job, const char *name, struct err *e)
{
    ASSERT(job != NULL && name != NULL);
    job_lock(job);
    struct alignment_group *g = group_of(job, name);
    uint64_t index = sys_atomic_load(&g->count);
    if (index < ALIGNMENT_MEMBERS_MAX) {
        sys_atomic_store(&g->watermarks[index], (uint64_t)TIME_MIN);
        sys_atomic_store(&g->count, index + 1);
    }
    job_unlock(job);
    if (index == ALIGNMENT_MEMBERS_MAX)
        return err_set(e, E_CONFIG, "alignment group '%s' has more than %d source subtasks", name,
                       ALIGNMENT_MEMBERS_MAX);
    *m = (struct alignment_member){g, (uint32_t)index, job_far(job) != NULL ? job_far(job)->count : 0};
    return S_OK;
}

void alignment_report(struct alignment_member *m, int64_t watermark)
{
    if (m->group != NULL) sys_atomic_store(&m->group->watermarks[m->index], (uint64_t)watermark);
}

static int64_t minimum_here(const struct alignment_group *g)
{
    int64_t minimum = INT64_MAX;

    for (uint64_t i = 0, n = sys_atomic_load(&g->count); i < n; i++)
        minimum = MIN(minimum, (int64_t)sys_atomic_load(&g->watermarks[i]));
    return minimum;
}

int64_t alignment_minimum(const struct alignment_member *m)
{
    ASSERT(m->group != NULL);
    int64_t minimum = minimum_here(m->group);
    for (uint32_t i = 0; i < ALIGNMENT_PROCESSES_MAX && i < m->processes; i++)
        if (sys_atomic_load(&m->group->far_known[i]) != 0) minimum = MIN(minimum, (int64_t)sys_atomic_load(&m->group->far[i]));
    return minimum;
}

/* --- other processes ----------------------------------------------------------------------------------------------------------- */
static void tell_one(void *job, const char *name, void *group)
{
    const struct job_far *far = job_far(job);
    const struct alignment_group *g = group;
    struct far_word w = {.verb = FAR_ALIGNED, .key = name, .wake_ms = minimum_here(g)};

    if (sys_atomic_load(&g->count) > 0) far->send(far->arg, FAR_ALL, &w);
}

void alignment_tell(struct job_shared *job)
{
    if (job_far(job) == NULL) return;
    job_lock(job);
    job_each_object(job, "alignment/", tell_one, job);
    job_unlock(job);
}

void alignment_hear(struct job_shared *job, uint32_t from, const struct far_word *w)
{
    if (from >= ALIGNMENT_PROCESSES_MAX) return;
    job_lock(job);
    struct alignment_group *g = group_of(job, w->key);
    job_unlock(job);
    sys_atomic_store(&g->far[from], (uint64_t)w->wake_ms);
    sys_atomic_store(&g->far_known[from], 1);
}
