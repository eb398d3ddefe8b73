/* worker_internal.h - a worker process: worker.c (its connection to the job master, its lease), worker_job.c (its tasks). */
#pragma once
#include "control/cluster/caller.h"
#include "control/cluster/messages.h"
#include "control/cluster/worker_chunks.h"
#include "control/jobmanager/jobmaster.h"
#include "control/jobmanager/restore_plan.h"
#include "flow/exchange/remote.h"
#include "flow/task/job_far.h"

#define NS_PER_MS INT64_C(1000000)

struct worker_arguments {
    const char *host, *key_path, *job_id, *library, *own_host;
    int64_t port, epoch, attempt, number, interval_ms, timeout_ms;
};

/* What came for the job, in its order. */
struct inbox_item {
    struct inbox_item *next; /* of early ones */
    struct mem mem;
    struct arena arena;
    enum message_kind kind; /* 0: the connection is gone */
    const void *message;
};

struct worker_process {
    struct worker_options o;
    struct mem mem;
    struct worker_arguments args;
    struct cluster_key key;
    struct sys_mailbox *inbox; /* struct inbox_item: of the main thread, which has the job */
    /* the loop's thread */
    struct loop *loop;
    struct sys_thread *thread;
    struct caller *caller;
    struct frame_conn *conn; /* NULL: there is none (any more) */
    struct loop_timer *beat;
    uint64_t beats;
    int64_t answered_ns;
    struct sys_mailbox *outbox; /* struct outbox_item; any thread sends */
    struct sys_atomic_u64 has_out;
    struct outbox_item *held; /* waits for room */
    /* the job: the main thread */
    struct sys_library *library;
    struct arena arena;
    struct graph graph;
    struct taskmanager_settings settings;
    struct job_shared *job;
    struct worker_chunks *chunks;
    struct restore_plan *restore;
    struct taskmanager *tm;
    struct remote_net *net; /* where other workers reach it */
    struct remote_exchange *exchange;
    struct remote_worker *workers; /* [worker_count] of the attempt */
    uint32_t worker_count, *slots, slot_count;
    struct task_placement placement;
    struct job_far far;
    struct inbox_item *early; /* words of other workers that have to be heard again */
    struct sys_atomic_u64 tasks_left, is_deployed;
    bool is_started;
    int64_t drain_heard; /* the checkpoint of a drain that was announced */
    struct worker_receiver *receivers; /* of rows of this job; NULL: it gives none */
    struct inbox_item *ends; /* of tasks whose rows have not all arrived: struct news_message */
    bool drops_rows;
};

/* worker.c: any thread; an item is freed by who took it */
void worker_free_item(struct inbox_item *x);
void worker_say(void *worker, enum message_kind kind, const void *message);
/* For the main thread. news: a copy comes along; NULL: the kind is all. */
void worker_note(struct worker_process *w, enum message_kind kind, const struct news_message *news);

/* worker_job.c: the main thread */
void job_deploy(struct worker_process *w, const struct deploy_message *m); /* and says how it went */
void job_obey(struct worker_process *w, const struct order_message *m);
void job_count(struct worker_process *w); /* says how far it is */
void job_say_end(struct worker_process *w, const struct news_message *m); /* of a task, any thread */
/* worker_rows.c: the main thread. */
void job_rows_begin(struct worker_process *w); /* the graph is prepared, nothing runs */
bool job_gives_rows_of(const struct worker_process *w, uint32_t vertex); /* any thread */
void job_rows_look(struct worker_process *w); /* sends what may be sent */
void job_rows_ended(struct worker_process *w, struct inbox_item *x); /* a task, with news_message; x is kept */
void job_rows_taken(struct worker_process *w, const struct taken_message *m);
void job_rows_drop(struct worker_process *w); /* from now on */
/* worker_far.c: the other workers of the attempt, the main thread. */
enum status job_spread(struct worker_process *w, const struct deploy_message *m, struct err *e) CHECKED; /* prepared, and its restore plan made */
bool job_hear(struct worker_process *w, const struct far_message *m); /* false: again, later */
void job_hear_early(struct worker_process *w);
void job_end(struct worker_process *w);
