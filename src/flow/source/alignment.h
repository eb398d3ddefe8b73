/* alignment.h - sources of one group do not run away from each other: each member says how far it is, none reads splits
 * that are more than the allowed drift ahead of the one furthest behind. Of a job in several processes each tells the others now and then
 * how far its own members are. */
#pragma once
#include "flow/task/job_far.h"
#include "flow/task/job_shared.h"

enum { ALIGNMENT_MEMBERS_MAX = 4096, ALIGNMENT_PROCESSES_MAX = 1024 };

struct alignment_group {
    struct sys_atomic_u64 count;
    struct sys_atomic_u64
        watermarks[ALIGNMENT_MEMBERS_MAX]; /* int64_t; INT64_MAX = idle or finished: holds nobody back */
    struct sys_atomic_u64 far_known[ALIGNMENT_PROCESSES_MAX]; /* not 0: that process has told */
    struct sys_atomic_u64 far[ALIGNMENT_PROCESSES_MAX];       /* what */
};

struct alignment_member {
    struct alignment_group *group; /* NULL = not aligned */
    uint32_t index, processes; /* processes: of the job; 0: this one alone */
};

enum status alignment_join(struct alignment_member *m, struct job_shared *job, const char *group,
                           struct err *e) CHECKED;
void alignment_report(struct alignment_member *m, int64_t watermark); /* cheap; also when not aligned */
/* Tells the other processes of the job; called now and then. A word of another one. */
void alignment_tell(struct job_shared *job);
void alignment_hear(struct job_shared *job, uint32_t from, const struct far_word *w);
/* How far the members together have come. */
int64_t alignment_minimum(const struct alignment_member *m);
