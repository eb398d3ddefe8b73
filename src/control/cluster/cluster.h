/* cluster.h - the processes of a cluster: the JobManager's control port, with all TaskManagers and workers that are connected to it;
 * the TaskManager; and the worker, in which the tasks of one job run.
 *
 * In the JobManager: cluster_open -> a provider for any number of job masters, each on a thread of its own -> cluster_close when
 * they are gone. */
#pragma once
#include "control/jobmanager/jobmaster.h"
#include "ground/base/log.h"

enum { CLUSTER_NAME_MAX = 256, CLUSTER_KEY_BYTES = 32 };

/* The secret that processes of a cluster share; they prove it to each other and never send it. */
struct cluster_key {
    uint8_t bytes[CLUSTER_KEY_BYTES];
};
/* Of a file that only its owner may read, made (from randomness) when it is missing and `makes`. E_CONFIG names what is wrong with it. */
enum status cluster_key_read(struct sys *sys, const char *path, bool makes, struct cluster_key *out, struct err *e) CHECKED;

struct cluster_options {
    struct sys *sys;
    struct log *log; /* may be NULL */
    const char *host; /* to listen at: jobmanager.bind-host */
    int port;         /* jobmanager.rpc.port; 0: the system chooses */
    struct cluster_key key;
    int64_t heartbeat_interval_ms, heartbeat_timeout_ms, slot_timeout_ms; /* heartbeat.interval, .timeout, slot.request.timeout */
    bool spreads; /* cluster.evenly-spread-out-slots: else a TaskManager is filled before the next one is used */
};
struct cluster;
/* Listens, with a thread of its own. E_EXISTS: the port is taken. */
enum status cluster_open(const struct cluster_options *o, struct cluster **out, struct err *e) CHECKED;
void cluster_close(struct cluster *c); /* no job runs; TaskManagers are told to end their workers. NULL is a no-op */
int cluster_port(const struct cluster *c);
const struct task_host_provider *cluster_provider(const struct cluster *c);

/* A TaskManager that is registered, for those who look on; false behind the last. Any thread. */
struct cluster_taskmanager {
    char resource_id[CLUSTER_NAME_MAX], address[CLUSTER_NAME_MAX]; /* address: host:port of its end of the connection */
    uint32_t slots, slots_free, cores;
    int64_t memory_bytes, heartbeat_ms; /* heartbeat_ms: wall clock, of the last sign of life */
};
bool cluster_taskmanager(struct cluster *c, uint32_t index, struct cluster_taskmanager *out);

/* A TaskManager: runs until the JobManager is gone for good, *stop is set (may be NULL, any thread), or SIGTERM. */
struct taskmanager_options {
    struct sys *sys;
    struct log *log;
    const char *host; /* of the JobManager: jobmanager.rpc.address */
    int port;
    struct cluster_key key;
    const char *key_path;    /* its file: handed on to workers */
    const char *program;     /* what workers are made of: `PROGRAM worker ...`; NULL: this program */
    const char *resource_id; /* NULL: one is made */
    const char *own_host;    /* taskmanager.host: where workers listen for each other */
    const char *folder;      /* io.tmp.dirs: artifacts, output of workers */
    uint32_t slots;
    int64_t heartbeat_interval_ms, heartbeat_timeout_ms;
    const struct sys_atomic_u64 *stop;
};
enum status taskmanager_process_run(const struct taskmanager_options *o, struct err *e) CHECKED;

/* A worker; what it needs stands in its arguments, which the TaskManager wrote. Answers the exit status. */
struct worker_options {
    struct sys *sys;
    struct log *log;
    struct artifact_table functions; /* of this program, for jobs without a library */
    const struct fn_users *(*users)(void *arg); /* functions of SQL expressions; NULL: none */
    void *users_arg;
};
int worker_process_run(const struct worker_options *o, int argc, char **argv);
