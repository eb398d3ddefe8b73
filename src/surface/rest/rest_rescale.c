/* rest_rescale.c - other parallelisms for a job that runs. Flink's own way is PUT /jobs/:jobid/resource-requirements, bounds for every
 * vertex, which answers at once; PATCH /jobs/:jobid/rescaling gives the whole job, or one vertex (?vertex=), one parallelism and
 * answers a number under which what became of it is asked after. */
#include "surface/rest/rest_internal.h"

#include "control/jobmanager/rescale.h"
#include "ground/base/str.h"

enum { BAD_REQUEST = 400, NOT_FOUND = 404, CONFLICT = 409 };

static int status_of(enum status st)
{
    if (st == E_NOT_FOUND) return NOT_FOUND;
    return st == E_EXISTS || st == E_BUDGET || st == E_CANCELED ? CONFLICT : BAD_REQUEST;
}

/* False: it cannot, and that was answered. */
static bool ask(struct rest_call *c, const struct rescale_ask *a, char trigger[static SNAPSHOT_TRIGGER_SIZE])
{
    struct err e = {0};

    if (c->jm == NULL) {
        rest_fail(c, CONFLICT, "Job %s is not running.", dispatched_id(c->job));
        return false;
    }
    enum status st = jobmaster_ask_rescale(c->jm, a, trigger, &e);
    if (st != S_OK) rest_fail_with(c, status_of(st), &e);
    return st == S_OK;
}

/* --- bounds ---------------------------------------------------------------------------------------------------------- */
static void answer_requirements(struct rest_call *c)
{
    json_object(&c->out, NULL);
    for (uint32_t v = 0; c->graph != NULL && v < c->graph->vertex_count; v++) {
        json_object(&c->out, c->graph->nodes[c->graph->vertices[v].head]->id);
        json_object(&c->out, "parallelism");
        json_int(&c->out, "lowerBound", 1);
        json_int(&c->out, "upperBound", c->graph->vertices[v].parallelism);
        json_object_end(&c->out);
        json_object_end(&c->out);
    }
    json_object_end(&c->out);
}

static uint32_t bound_of(struct str vertex, const char *key, int64_t fallback)
{
    int64_t n = answer_int(answer_member(answer_member(vertex, "parallelism"), key), fallback);

    return n < 0 || n > GRAPH_PARALLELISM_MAX ? 0 : (uint32_t)n; /* 0 is refused */
}

static void answer_require(struct rest_call *c)
{
    struct rescale_bounds *bounds = ARENA_ARRAY(&c->arena, struct rescale_bounds, GRAPH_NODES_MAX);
    struct rescale_ask a = {.bounds = bounds};
    char trigger[SNAPSHOT_TRIGGER_SIZE];
    struct str body, key, value;
    size_t at = 0;

    if (!rest_body(c, "JobResourceRequirementsBody", &body)) return;
    while (a.bound_count < GRAPH_NODES_MAX && answer_next_member(body, &at, &key, &value))
        bounds[a.bound_count++] = (struct rescale_bounds){arena_strndup(&c->arena, key.data, key.size), bound_of(value, "lowerBound", 1),
                                                          bound_of(value, "upperBound", -1)};
    if (!ask(c, &a, trigger)) return;
    json_object(&c->out, NULL);
    json_object_end(&c->out);
}

/* --- one parallelism -------------------------------------------------------------------------------------------------- */
static void answer_rescale(struct rest_call *c)
{
    const char *text = rest_query(c, "parallelism");
    struct rescale_ask a = {.vertex = rest_query(c, "vertex")};
    char trigger[SNAPSHOT_TRIGGER_SIZE];
    int64_t parallelism = 0;

    if (text == NULL || !str_to_int64(str_of(text), &parallelism) || parallelism < 1 || parallelism > GRAPH_PARALLELISM_MAX) {
        rest_fail(c, BAD_REQUEST, "The query parameter parallelism is a number from 1 to %d, not \"%.100s\".", GRAPH_PARALLELISM_MAX,
                  text != NULL ? text : "");
        return;
    }
    a.parallelism = (uint32_t)parallelism;
    if (!ask(c, &a, trigger)) return;
    json_object(&c->out, NULL);
    json_text(&c->out, "request-id", trigger);
    json_object_end(&c->out);
}

static void write_outcome(struct rest_call *c, const struct rescale_progress *p)
{
    struct json_write *w = &c->out;

    json_object(w, "operation");
    if (p->state == CHECKPOINT_FAILED) {
        json_object(w, "failure-cause");
        json_text(w, "class", "org.apache.flink.util.FlinkException");
        json_text(w, "stack-trace", p->err.text);
        json_null(w, "serialized-throwable");
        json_object_end(w);
    } else {
        json_int(w, "pause", p->pause_ms);
        json_int(w, "checkpointId", p->checkpoint);
        json_int(w, "bytes", (int64_t)p->bytes);
        json_int(w, "duration", p->ended_ms - p->asked_ms);
    }
    json_object_end(w);
}

static void answer_progress(struct rest_call *c)
{
    struct rescale_progress *p = ARENA_NEW(&c->arena, struct rescale_progress);

    if (c->jm == NULL || !jobmaster_rescale_progress(c->jm, c->parameters[1], p)) {
        rest_fail(c, NOT_FOUND, "There is no rescaling operation with triggerId=%s for job %s.", c->parameters[1], dispatched_id(c->job));
        return;
    }
    json_object(&c->out, NULL);
    json_object(&c->out, "status");
    json_text(&c->out, "id", p->state == CHECKPOINT_IN_PROGRESS ? "IN_PROGRESS" : "COMPLETED");
    json_object_end(&c->out);
    if (p->state != CHECKPOINT_IN_PROGRESS) write_outcome(c, p);
    json_object_end(&c->out);
}

const struct rest_endpoint rest_rescale[] = {
    {"GET", "/jobs/:jobid/resource-requirements", answer_requirements, false, false},
    {"PUT", "/jobs/:jobid/resource-requirements", answer_require, true, false},
    {"PATCH", "/jobs/:jobid/rescaling", answer_rescale, true, false},
    {"GET", "/jobs/:jobid/rescaling/:triggerid", answer_progress, false, false},
    {NULL, NULL, NULL, false, false},
};
