/* agent_internal.h - a TaskManager's process: agent.c (JobManager and workers), agent_artifact.c (libraries of jobs). */
#pragma once
#include "control/cluster/caller.h"
#include "control/cluster/messages.h"
#include "ground/sys/sys_process.h"

#define NS_PER_MS INT64_C(1000000)

/* A worker; without a process it waits for its artifact. */
struct agent_worker {
    struct agent_worker *next;
    struct mem mem;
    struct arena arena;
    struct sys_process *process;
    const char *job_id, *output, *library;
    uint64_t epoch, attempt;
    uint32_t number;
    int64_t release_ns; /* it is killed then; 0: it is not released */
    struct str digest;  /* of the artifact that it waits for */
};

struct agent {
    struct taskmanager_options o;
    struct mem mem;
    struct loop *loop;
    struct loop_timer *tick;
    struct caller *caller;
    struct frame_conn *conn; /* NULL: not registered (any more) */
    int64_t heard_ns, retry_ns;
    bool has_complained;
    char resource_id[CLUSTER_NAME_MAX], program[SYS_PATH_MAX];
    struct agent_worker *workers;
    struct artifact_fetch *fetches;
};

void agent_say(struct agent *a, enum message_kind kind, const void *message);
void agent_start_worker(struct agent *a, struct agent_worker *w);
void agent_worker_failed(struct agent *a, struct agent_worker *w, const struct err *why); /* w is gone then */

/* agent_artifact.c: the worker starts when its library is there. */
void agent_want_artifact(struct agent *a, struct agent_worker *w, struct str digest);
void agent_on_artifact(struct agent *a, const struct artifact_message *m);
void agent_drop_artifacts(struct agent *a); /* half ones */
