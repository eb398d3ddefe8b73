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
    *m = (struct alignment_member){g, (uint32_t)index};
    return S_OK;
}

void alignment_report(struct alignment_member *m, int64_t watermark)
{
    if (m->group != NULL) sys_atomic_store(&m->group->watermarks[m->index], (uint64_t)watermark);
}

int64_t alignment_minimum(const struct alignment_member *m)
{
    int64_t minimum = INT64_MAX;

    ASSERT(m->group != NULL);
    for (uint64_t i = 0, n = sys_atomic_load(&m->group->count); i < n; i++)
        minimum = MIN(minimum, (int64_t)sys_atomic_load(&m->group->watermarks[i]));
    return minimum;
}
