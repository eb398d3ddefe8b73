/* cluster_internal.h - the JobManager's side: cluster.c (the control port and its loop), resource_manager.c (TaskManagers and slots),
 * remote_host.c (what a job master asks of its workers), remote_worker.c (what workers say).
 *
 * Connections belong to the loop's thread; everything else is under the cluster's lock, which both sides hold briefly. What a job
 * master's thread wants sent is a command that the loop's thread obeys. */
#pragma once
#include "control/cluster/caller.h"
#include "control/cluster/cluster.h"
#include "control/cluster/messages.h"

#define NS_PER_MS INT64_C(1000000)
enum { UNSENT_MAX = 64 * 1024 * 1024, NAME_TEXT_MAX = 3 * CLUSTER_NAME_MAX };

/* A TaskManager that is registered. */
struct tm_link {
    struct tm_link *next;
    struct mem mem;
    struct cluster *cluster;
    struct frame_conn *conn;
    char resource_id[CLUSTER_NAME_MAX], address[FRAME_PEER_MAX];
    uint32_t slots, slots_used, cores;
    int64_t memory_bytes, heard_ms, heard_ns;
    uint64_t asked; /* the heartbeat that was asked last */
};

enum host_state { HOST_WAITS, HOST_SPAWNS, HOST_READY, HOST_FAILED };

/* The worker of an attempt on one TaskManager. */
struct worker_end {
    struct remote_host *host;
    struct tm_link *tm; /* NULL: it is gone */
    uint32_t number, slots;
    struct frame_conn *conn; /* NULL: it has not come yet, or is gone */
    bool has_come, is_lost, is_deployed;
    const char *data_host;
    uint32_t data_port;
    int64_t heard_ns, drain_heard; /* drain_heard: the checkpoint of a drain of which its tasks know */
    char name[NAME_TEXT_MAX]; /* "of TaskManager tm-1 (127.0.0.1:4711)" */
    struct loop_timer *grace; /* it is gone, and its TaskManager will say why */
    struct err gone;          /* until then */
    struct job_totals counts;
    struct operator_totals *operators; /* [node_count] */
    struct buf accumulators; /* encoded; as the worker said last */
};

struct remote_host {
    struct task_host host;
    struct remote_host *next;
    struct mem mem;
    struct arena arena;
    struct cluster *cluster;
    struct job_demand demand;
    enum host_state state;
    struct err err; /* FAILED */
    int64_t since_ns;
    struct worker_end *workers;
    uint32_t worker_count;
    uint32_t *slot_workers; /* [demand.slots] */
    /* deployed */
    const struct task_deployment *d; /* NULL: nothing is; its parts outlive the host */
    struct task_deployment deployment;
    int64_t draining; /* the checkpoint of a drain that is about to begin; 0: none */
    const char *drain_folder;
    bool wants_start, is_started, is_canceled, is_freed;
    int64_t canceled_ns, cancel_timeout_ns;
    uint32_t task_count, *firsts; /* firsts: [vertex] number of its first task */
    struct remote_task {
        struct task_news news[3];
        struct err err;
        uint32_t worker;
        struct task_figures figures; /* as its worker said last */
        enum remote_step { STEP_NONE, STEP_OPENS, STEP_RUNS, STEP_OVER } step; /* the last that was told */
    } *tasks;
};

struct cluster {
    struct cluster_options o;
    struct mem mem;
    struct loop *loop;
    struct sys_thread *thread;
    struct sys_file *listener;
    struct loop_watch *listening;
    int port;
    struct loop_timer *tick;
    struct sys_mailbox *commands;
    struct sys_atomic_u64 has_commands;
    struct arrival *arrivals;
    struct task_host_provider provider;
    struct sys_lock *lock; /* of what follows */
    struct tm_link *tms;
    struct remote_host *hosts;
};

/* Runs fn(host, number) on the loop's thread, under the lock. Any thread. */
typedef void (*command_fn)(struct remote_host *h, int64_t number, struct str bytes);
void cluster_command(struct cluster *c, command_fn fn, struct remote_host *h, int64_t number, struct str bytes);

/* The loop's thread, under the lock. */
enum status link_send(struct frame_conn *conn, enum message_kind kind, const void *message); /* S_FULL: the other end does not read */
bool token_is(const struct attempt_token *t, const struct remote_host *h);

/* resource_manager.c */
void tm_arrived(struct cluster *c, struct frame_conn *conn, const struct register_message *m);
void resources_tick(struct cluster *c, int64_t now_ns);
void resources_allocate(struct cluster *c);         /* to those that wait, the first first */
void resources_give_back(struct remote_host *h);    /* its workers are told to end */
void resources_close(struct cluster *c);
uint32_t resources_slots(void *cluster, const char *job_id); /* of task_host_provider: any thread, without the lock */

/* remote_host.c */
struct task_host *remote_host_create(void *cluster, const struct job_demand *d);
void remote_host_fail_tasks(struct remote_host *h, uint32_t worker, const struct err *why); /* those of it that have not ended */
void remote_host_drain_all(struct remote_host *h); /* when all workers have heard of it */
void remote_host_start_all(struct remote_host *h); /* when everything is deployed and the job master wants it */
void remote_host_failed(struct remote_host *h, const struct err *why); /* before it was ready */
void remote_host_free_now(struct remote_host *h);
/* False: it cannot have come to that now. */
bool remote_host_news(struct remote_host *h, const struct news_message *m) CHECKED;

/* remote_worker.c */
void worker_arrived(struct cluster *c, struct frame_conn *conn, const struct hello_message *m);
void worker_gone(struct worker_end *w, const struct err *why); /* its tasks fail */
void worker_exited(struct cluster *c, const struct tm_link *tm, const struct exited_message *m);
void worker_close(struct worker_end *w);
void workers_tick(struct remote_host *h, int64_t now_ns);
