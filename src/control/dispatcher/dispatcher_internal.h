/* dispatcher_internal.h - what the files of the dispatcher share: dispatcher.c (jobs and who holds them), dispatcher_run.c (the
 * thread of one), dispatcher_keep.c (what lies in the folder). */
#pragma once
#include "control/dispatcher/dispatcher.h"

#include "ground/fs/fs.h"

enum { DISPATCHED_SNAPSHOTS_MAX = 256 };

/* A savepoint, checkpoint or stop that was asked for. */
struct dispatched_snapshot {
    struct dispatched_snapshot *next;
    char trigger[SNAPSHOT_TRIGGER_SIZE];
    struct snapshot_progress *progress; /* when the job is over */
};

struct dispatched_job {
    struct dispatched_job *next; /* submitted later */
    struct dispatcher *owner;
    struct mem mem;
    struct arena arena;
    char id[JOB_ID_SIZE];
    const char *name, *artifact; /* artifact: the file; NULL: none */
    struct sha256 digest;        /* of what it holds */
    struct buf graph;
    struct sys_thread *thread;
    struct sys_library *library; /* of the artifact, when its tasks run here */
    struct sys_atomic_u64 cancelled, is_submitted, is_over,
        is_unwanted;      /* is_over: archived; is_unwanted: canceled by somebody */
    uint32_t holders;     /* under the lock */
    struct jobmaster *jm; /* made before the thread; gone under the lock when it is over and nobody holds it */
    struct mem snapshot_mem;
    struct arena snapshot_arena; /* of these, under the lock: other threads than the job's ask */
    struct dispatched_snapshot *snapshots;
    uint32_t snapshot_count;
    struct err refusal;
    /* when it is over */
    enum job_status status;
    int64_t since_ms[JOB_STATUS_COUNT], ended_ms;
    struct buf archive;
};

struct dispatcher {
    struct dispatcher_options o;
    struct mem mem;
    struct sys_lock *lock; /* of the list, of holders and what goes when nobody holds */
    struct dispatched_job *first, **end;
    uint32_t count;
    const struct fs_type *fs;
    const char *folder; /* without a scheme */
    bool is_closing;
    struct sys_atomic_u64 keeps;
};

/* dispatcher.c */
struct dispatched_job *dispatched_new(struct dispatcher *d, const char *id);
void dispatched_free(struct dispatched_job *job);
/* Into the list: E_EXISTS: its id is there; E_BUDGET, E_CANCELED: no more are taken. */
enum status dispatcher_add(struct dispatcher *d, struct dispatched_job *job, struct err *e) CHECKED;
void dispatcher_remove(struct dispatcher *d, struct dispatched_job *job); /* that never ran */
/* What a job leaves when it is over: taken under the lock, dropped without it. */
struct spent_master {
    struct jobmaster *jm;
    struct sys_library *library;
};
struct spent_master dispatcher_take_master(struct dispatched_job *job);
void dispatcher_drop_master(struct spent_master *spent);

/* dispatcher_run.c */
enum status dispatched_start(struct dispatched_job *job, struct err *e) CHECKED;

/* dispatcher_snapshots.c: the job master is about to go */
void dispatched_snapshots_end(struct dispatched_job *job);

/* dispatcher_keep.c */
enum status keep_submission(struct dispatched_job *job, const struct job_submission *s, struct err *e) CHECKED;
enum status keep_archive(struct dispatched_job *job, struct err *e) CHECKED;
enum status keep_load(struct dispatched_job *job, bool *is_over, struct err *e) CHECKED;
enum status keep_list(struct dispatcher *d, struct arena *a, struct fs_list *out, struct err *e) CHECKED;
void keep_forget(struct dispatched_job *job); /* what lies in the folder of it goes */
