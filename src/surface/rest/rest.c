/* rest.c - a request from its arrival to its answer: who may ask for it, which endpoint answers, and what is kept of a job.
 *
 * Calls that change something need leave: the other end is a process of the same user on this machine, or it sends the cluster's token
 * (Authorization: Bearer ...). A page in a browser of that user is such a process, too; so a call that a page of another
 * origin makes, or one that came by a name that is not this machine's, needs the token. */
#include "surface/rest/rest.h"

#include "ground/base/codec.h"
#include "ground/base/str.h"
#include "surface/rest/rest_internal.h"

#include <stdio.h>
#include <string.h>

#define JSON_TYPE "application/json; charset=UTF-8"
enum { FORBIDDEN = 403, UNAVAILABLE = 503, ARCHIVED_PATHS_MAX = 4000, ARCHIVED_MAX = 64 * 1024 * 1024 };

struct rest *rest_create(const struct rest_options *o)
{
    struct mem mem;

    mem_init(&mem, "rest", 0);
    struct rest *r = mem_zalloc(&mem, sizeof *r);
    mem_init(&r->mem, "rest", 0);
    mem_move(&mem, &r->mem);
    arena_init(&r->arena, &r->mem, 0);
    r->o = *o;
    r->started_ms = sys_wall_ms(o->sys);
    r->address = "";
    r->lock = sys_lock_create(o->sys);
    return r;
}

void rest_free(struct rest *r)
{
    struct mem mem;

    if (r == NULL) return;
    sys_lock_free(r->o.sys, r->lock);
    mem_init(&mem, "rest", 0);
    mem_move(&r->mem, &mem);
    mem_release(&mem);
}

void rest_begin(struct rest *r, struct dispatcher *d, const char *address)
{
    r->dispatcher = d;
    r->address = arena_strdup(&r->arena, address);
    sys_atomic_store(&r->is_ready, 1);
}

/* --- leave --------------------------------------------------------------------------------------------------------- */
/* However much of it is right, it takes the same time. */
static bool is_token(const struct rest *r, const char *authorization)
{
    struct str given = str_of(authorization), bearer = STR("Bearer ");
    unsigned char differs = 0;

    if (r->o.token == NULL || !str_starts(given, bearer) || given.size - bearer.size != strlen(r->o.token))
        return false;
    for (size_t i = bearer.size; i < given.size; i++)
        differs |= (unsigned char)(given.data[i] ^ r->o.token[i - bearer.size]);
    return differs == 0;
}

static struct str name_of_host(const char *host)
{
    if (host[0] == '[') return (struct str){host, strcspn(host, "]") + 1};
    return (struct str){host, strcspn(host, ":")};
}

static bool is_this_machine(const char *host)
{
    struct str name = name_of_host(host);

    return str_equal_nocase(name, STR("localhost")) || str_starts(name, STR("127.")) || str_equal(name, STR("[::1]"));
}

static bool is_from_elsewhere(const struct sys_httpd_request *q)
{
    if (q->host != NULL && !is_this_machine(q->host)) return true;
    if (q->origin == NULL) return false;
    const char *host = strstr(q->origin, "://");
    return host == NULL || q->host == NULL || strcmp(host + 3, q->host) != 0;
}

static bool may_change(const struct rest *r, const struct sys_httpd_request *q)
{
    return is_token(r, q->authorization) || (q->is_same_user && !is_from_elsewhere(q));
}

/* --- answers ------------------------------------------------------------------------------------------------------- */
static void call_init(struct rest_call *c, struct rest *r, const struct sys_httpd_request *q, struct mem *mem,
                      struct buf *body)
{
    *c = (struct rest_call){.rest = r, .request = q, .mem = mem, .body = body};
    arena_init(&c->arena, mem, 0);
}

static bool changes_something(const struct sys_httpd_request *q)
{
    return strcmp(q->method, "GET") != 0 && strcmp(q->method, "HEAD") != 0;
}

void rest_answer(void *rest, const struct sys_httpd_request *request, struct sys_httpd_answer *answer)
{
    struct rest *r = rest;
    struct rest_call c;
    struct mem mem;

    mem_init(&mem, "rest call", 0);
    call_init(&c, r, request, &mem, &answer->body);
    if (changes_something(request) && !may_change(r, request)) {
        rest_fail(&c, FORBIDDEN,
                  "Not allowed: calls that change something are taken from processes of the user that runs the "
                  "cluster, on its "
                  "machine, or with its token (Authorization: Bearer ..., see thalweg.security.token-file).");
    } else if (sys_atomic_load(&r->is_ready) == 0) {
        rest_fail(&c, UNAVAILABLE,
                  "Service temporarily unavailable: the jobs of the JobManager before are being gone on with.");
    } else {
        rest_route(&c);
    }
    answer->status = c.status;
    answer->type = JSON_TYPE;
    mem_release(&mem);
}

/* --- archives ------------------------------------------------------------------------------------------------------ */
static void archive_path(struct rest *r, struct dispatched_job *job, const char *below, struct buf *out)
{
    struct rest_call c;
    struct mem mem;
    struct buf body;

    mem_init(&mem, "archive", 0);
    buf_init(&body, &mem);
    struct sys_httpd_request q = {.method = "GET"};
    call_init(&c, r, &q, &mem, &body);
    q.path = arena_printf(&c.arena, "/jobs/%s%s", dispatched_id(job), below);
    c.job = job;
    rest_route(&c);
    if (c.status == 200 && out->size < ARCHIVED_MAX) {
        enc_text(out, below);
        enc_str(out, (struct str){body.data, body.size});
    }
    mem_release(&mem);
}

static void archive_overview(struct rest *r, struct dispatched_job *job, struct buf *out)
{
    struct sys_httpd_request q = {.method = "GET", .path = "/jobs/overview"};
    struct rest_call c;
    struct mem mem;
    struct buf body;

    mem_init(&mem, "archive", 0);
    buf_init(&body, &mem);
    call_init(&c, r, &q, &mem, &body);
    c.out = json_write_to(&body);
    c.job = job;
    c.jm = dispatched_master(job);
    c.graph = c.jm != NULL ? jobmaster_graph(c.jm) : NULL;
    job_write_overview(&c);
    enc_text(out, REST_ARCHIVED_OVERVIEW);
    enc_str(out, (struct str){body.data, body.size});
    mem_release(&mem);
}

static void archive_vertex(struct rest *r, struct dispatched_job *job, const struct graph *g, uint32_t v,
                           uint32_t *left, struct buf *out)
{
    static const char *const parts[] = {"", "/accumulators", "/subtasks/accumulators", "/subtasktimes",
                                        "/taskmanagers"};
    const char *id = g->nodes[g->vertices[v].head]->id;
    struct execution x;
    struct arena a;
    struct mem mem;

    mem_init(&mem, "archive", 0);
    arena_init(&a, &mem, 0);
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        archive_path(r, job, arena_printf(&a, "/vertices/%s%s", id, parts[i]), out);
    for (uint32_t k = 0; executions_view(jobmaster_executions(dispatched_master(job)), k, &x); k++) {
        if (x.vertex != v || *left == 0) continue;
        --*left;
        archive_path(r, job, arena_printf(&a, "/vertices/%s/subtasks/%u", id, x.subtask), out);
        archive_path(r, job, arena_printf(&a, "/vertices/%s/subtasks/%u/attempts/%u", id, x.subtask, x.attempt), out);
    }
    mem_release(&mem);
}

static void archive_checkpoints(struct rest *r, struct dispatched_job *job, struct jobmaster *jm, struct buf *out)
{
    struct checkpoint_stats stats;
    char path[64];

    for (uint32_t i = 0; jobmaster_checkpoint(jm, i, &stats); i++) {
        snprintf(path, sizeof path, "/checkpoints/details/%lld", (long long)stats.id);
        archive_path(r, job, path, out);
    }
}

void rest_archive(void *rest, struct dispatched_job *job, struct buf *out)
{
    static const char *const paths[] = {
        "", "/config", "/exceptions", "/checkpoints", "/checkpoints/config", "/accumulators", "/plan"};
    struct rest *r = rest;
    struct jobmaster *jm = dispatched_master(job);
    uint32_t left = ARCHIVED_PATHS_MAX;

    archive_overview(r, job, out);
    for (size_t i = 0; i < COUNT_OF(paths); i++) archive_path(r, job, paths[i], out);
    if (jm == NULL) return;
    const struct graph *g = jobmaster_graph(jm);
    for (uint32_t v = 0; v < g->vertex_count; v++) archive_vertex(r, job, g, v, &left, out);
    archive_checkpoints(r, job, jm, out);
}

struct str rest_archived(struct str archive, const char *path)
{
    struct dec d;

    dec_init(&d, archive.data, archive.size);
    while (dec_left(&d) > 0 && dec_ok(&d)) {
        struct str name = dec_str(&d, SYS_PATH_MAX), json = dec_str(&d, ARCHIVED_MAX);
        if (dec_ok(&d) && str_equal(name, str_of(path))) return json;
    }
    return (struct str){NULL, 0};
}
