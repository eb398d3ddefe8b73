/* rest.h - the REST interface of a cluster: paths and JSON of Flink 2.3 (rest_v1). A function from request to answer, so tests need no
 * sockets; the server is ground/sys/sys_httpd.h. Endpoints are the tables in rest_*.c. */
#pragma once
#include "control/dispatcher/dispatcher.h"
#include "ground/sys/sys_httpd.h"

struct rest;

/* A TaskManager, for those who look on; see struct cluster_taskmanager. */
struct rest_taskmanager {
    const char *id, *address;
    uint32_t slots, slots_free, cores;
    int64_t memory_bytes, heartbeat_ms;
};

struct rest_options {
    struct sys *sys;
    struct log *log;                /* may be NULL */
    const struct options *settings; /* the cluster's, for those who ask */
    const char *folder;             /* a local one, for uploaded artifacts; it is there */
    const char *token; /* with it, calls that change something are allowed to every user; NULL: to none but this one */
    const char
        *program; /* this program, which builds graphs of uploaded artifacts in a child process; NULL: it cannot */
    struct sys_atomic_u64 *ends; /* set when somebody wants the cluster to end */
    /* The index-th TaskManager; texts are copied into the arena. False behind the last. NULL: tasks run in this process, in so many slots. */
    bool (*taskmanager)(void *arg, uint32_t index, struct arena *a, struct rest_taskmanager *out);
    void *taskmanager_arg;
};

struct rest *rest_create(const struct rest_options *o);
void rest_free(struct rest *r); /* no request is under way; NULL is a no-op */
void rest_begin(struct rest *r, struct dispatcher *d,
                const char *address); /* requests before it are put off: 503. address: "http://localhost:8081" */
void rest_answer(void *rest, const struct sys_httpd_request *request,
                 struct sys_httpd_answer *answer); /* a sys_httpd_fn */
/* Of dispatcher_options: what the interface says of a job that is over. Its dispatcher need not have begun. */
void rest_archive(void *rest, struct dispatched_job *job, struct buf *out);
