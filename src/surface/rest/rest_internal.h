/* rest_internal.h - what the endpoints share. */
#pragma once
#include "surface/gateway/answer.h"
#include "surface/rest/json_write.h"
#include "surface/rest/rest.h"

enum { REST_PARAMETERS_MAX = 5, HEX_ID_SIZE = 33, REST_DISPOSALS_KEPT = 64 };

/* Of a savepoint: how it ended. */
struct disposal {
    char trigger[HEX_ID_SIZE]; /* "": none */
    struct err err;
};

struct rest {
    struct rest_options o;
    struct mem mem;
    struct arena arena;
    struct dispatcher *dispatcher;
    const char *address;
    struct sys_atomic_u64 is_ready; /* from then on it has a dispatcher */
    int64_t started_ms;
    struct sys_lock *lock; /* of what follows */
    struct disposal disposals[REST_DISPOSALS_KEPT]; /* ring */
    uint32_t disposal_count;
};

/* A request while it is answered. */
struct rest_call {
    struct rest *rest;
    const struct sys_httpd_request *request;
    const struct rest_endpoint *endpoint;
    struct mem *mem;
    struct arena arena;
    const char *parameters[REST_PARAMETERS_MAX]; /* of the path, in their order */
    struct buf *body;
    struct json_write out; /* into it */
    int status;
    struct dispatched_job *job; /* of :jobid, held */
    struct jobmaster *jm;       /* its; NULL: there is nothing to be asked */
    const struct graph *graph;  /* its; NULL with it */
};

/* An endpoint; rest_<group>.c ends in an array `rest_<group>` of them, its end is method NULL. */
struct rest_endpoint {
    const char *method, *path; /* "/jobs/:jobid" */
    void (*answer)(struct rest_call *c);
    bool changes;     /* needs leave */
    bool is_archived; /* what it says stays when the job is over */
};
extern const struct rest_endpoint *const rest_tables[]; /* ends with NULL */

/* --- router.c ------------------------------------------------------------------------------------------------------ */
/* Finds the endpoint and lets it answer; no questions of leave. */
void rest_route(struct rest_call *c);
/* Instead of what was written so far. */
void rest_fail(struct rest_call *c, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));
void rest_fail_with(struct rest_call *c, int status, const struct err *e);
const char *rest_query(const struct rest_call *c, const char *key); /* NULL: it was not given */
/* The body as an object of JSON; false: it is none, and that was answered. An empty body is an empty object; members that nobody knows
 * are passed over, as in Flink. name: as Flink calls it. */
bool rest_body(struct rest_call *c, const char *name, struct str *out);
const char *rest_body_text(struct rest_call *c, struct str object, const char *key); /* NULL: none, or null */
bool rest_body_bool(struct str object, const char *key);
bool rest_is_hex_id(const char *text); /* 32 hexadecimal digits */

/* --- job_view.c: what several endpoints say of a job --------------------------------------------------------------- */
struct job_tasks {
    uint32_t counts[EXECUTION_STATE_COUNT], total;
    int64_t first_deployed_ms, last_ended_ms, last_moved_ms; /* 0: none; last_ended: when all are over */
};
void job_tasks_of(struct rest_call *c, int vertex, struct job_tasks *out); /* vertex -1: of all */
enum execution_state job_tasks_state(const struct job_tasks *t);
void job_write_counts(struct rest_call *c, const char *key, const struct job_tasks *t); /* "RUNNING": 2 */
void job_write_overview(struct rest_call *c); /* as in /jobs/overview; c->job */
void job_write_plan(struct rest_call *c, const char *key);
struct task_figures job_vertex_figures(struct rest_call *c, uint32_t vertex); /* the sums over its tasks; watermark: the lowest */
void job_write_io(struct rest_call *c, const char *key, const struct task_figures *f);
/* The vertex of the second parameter; GRAPH_NONE: there is none, and that was answered. */
int job_vertex(struct rest_call *c);
bool job_execution(struct rest_call *c, uint32_t vertex, uint32_t subtask, struct execution *out);
int64_t job_now_ms(const struct rest_call *c);

/* --- rest.c -------------------------------------------------------------------------------------------------------- */
/* What an archive has for a path; empty: nothing. */
struct str rest_archived(struct str archive, const char *path);
#define REST_ARCHIVED_OVERVIEW "overview"
