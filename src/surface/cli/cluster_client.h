/* cluster_client.h - a cluster as its clients see it: calls of its REST interface, with errors as sentences. */
#pragma once
#include "ground/sys/sys_http.h"
#include "surface/cli/cluster_arguments.h"
#include "surface/gateway/answer.h"

struct cluster_client {
    struct sys *sys;
    const struct sys_http_ops *http;
    struct sys_http *connection;
    struct mem *mem;
    struct arena *arena;
    const char *authorization; /* NULL: who calls is seen by its process */
    const char *base; /* "http://localhost:8081" */
    int64_t timeout_ms;
    int http_status; /* of the latest call */
    struct buf answer, url; /* of the latest call */
    bool (*stop)(void *arg); /* see sys_http_request; NULL: never */
    void *stop_arg;
};

/* By rest.address and rest.port of the configuration; nothing is asked yet. */
enum status cluster_client_open(struct cluster_client *c, const struct cli *cli, const struct options *o,
                                struct mem *mem, struct arena *a, struct err *e) CHECKED;
void cluster_client_close(struct cluster_client *c); /* one that is all zero is a no-op */
/* body NULL: none; type NULL: JSON. *answer is good until the next call. What the cluster refuses is E_NOT_FOUND (404), E_PERMISSION (401, 403) or E_DATA with
 * its reason; E_IO: it could not be asked. */
enum status cluster_client_call(struct cluster_client *c, const char *method, const char *path, const char *type,
                                struct str body, struct str *answer, struct err *e) CHECKED;
enum status cluster_client_get(struct cluster_client *c, const char *path, struct str *answer, struct err *e) CHECKED;
/* Asks again and again until `path` answers {"status": {"id": "COMPLETED"}, "operation": ...}; *operation is good until the next call. */
enum status cluster_client_await(struct cluster_client *c, const char *path, struct str *operation,
                                 struct err *e) CHECKED;
/* A graph, and the file with its functions (NULL: none): id has room for JOB_ID_SIZE. */
struct cluster_submission {
    struct str graph;
    const char *artifact;
};
enum status cluster_client_submit(struct cluster_client *c, const struct cluster_submission *s, char *id,
                                  struct err *e) CHECKED;
/* Until the job is over, asking now and then. *status: its last, in the client's arena. */
enum status cluster_client_await_job(struct cluster_client *c, const char *id, const char **status,
                                     struct err *e) CHECKED;
/* The same, until it is not INITIALIZING any more. */
enum status cluster_client_await_begin(struct cluster_client *c, const char *id, const char **status,
                                       struct err *e) CHECKED;
bool is_job_id(const char *text);
