/* alignment.h - sources of one group do not run away from each other: each member says how far it is, none reads splits
 * that are more than the allowed drift ahead of the one furthest behind. Members are subtasks of one process. */
#pragma once
#include "flow/task/job_shared.h"

enum { ALIGNMENT_MEMBERS_MAX = 4096 };

struct alignment_group {
    struct sys_atomic_u64 count;
    struct sys_atomic_u64
        watermarks[ALIGNMENT_MEMBERS_MAX]; /* int64_t; INT64_MAX = idle or finished: holds nobody back */
};

struct alignment_member {
    struct alignment_group *group; /* NULL = not aligned */
    uint32_t index;
};

enum status alignment_join(struct alignment_member *m, struct job_shared *job, const char *group,
                           struct err *e) CHECKED;
void alignment_report(struct alignment_member *m, int64_t watermark); /* cheap; also when not aligned */
/* How far the members together have come. */
int64_t alignment_minimum(const struct alignment_member *m);
