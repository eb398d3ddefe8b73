/* rest_jobs.c - endpoints of jobs: which there are, one of them as a whole, its end. */
#include "surface/rest/rest_internal.h"

#include "flow/task/accumulators.h"
#include "ground/base/str.h"

#include <stdio.h>
#include <string.h>

enum { BAD_REQUEST = 400, ACCEPTED = 202, NOT_FOUND = 404, CONFLICT = 409 };

/* --- which there are ----------------------------------------------------------------------------------------------- */
static void each_job(struct rest_call *c, void (*write)(struct rest_call *c))
{
    struct dispatched_job *job;

    json_object(&c->out, NULL);
    json_array(&c->out, "jobs");
    for (uint32_t i = 0; (job = dispatcher_hold_next(c->rest->dispatcher, i)) != NULL; i++) {
        c->job = job;
        c->jm = dispatched_master(job);
        c->graph = c->jm != NULL ? jobmaster_graph(c->jm) : NULL;
        write(c);
        dispatcher_let_go(c->rest->dispatcher, job);
        c->job = NULL;
        c->jm = NULL;
    }
    json_array_end(&c->out);
    json_object_end(&c->out);
}

static void write_status(struct rest_call *c)
{
    json_object(&c->out, NULL);
    json_text(&c->out, "id", dispatched_id(c->job));
    json_text(&c->out, "status", job_status_name(dispatched_status(c->job)));
    json_object_end(&c->out);
}

static void answer_jobs(struct rest_call *c) { each_job(c, write_status); }
static void answer_overview(struct rest_call *c) { each_job(c, job_write_overview); }

static void answer_status(struct rest_call *c)
{
    json_object(&c->out, NULL);
    json_text(&c->out, "status", job_status_name(dispatched_status(c->job)));
    json_object_end(&c->out);
}

/* --- one as a whole ------------------------------------------------------------------------------------------------ */
static void write_vertex(struct rest_call *c, uint32_t v)
{
    const struct graph_vertex *vertex = &c->graph->vertices[v];
    struct json_write *w = &c->out;
    struct job_tasks t;

    job_tasks_of(c, (int)v, &t);
    struct task_figures figures = job_vertex_figures(c, v);
    int64_t start = t.first_deployed_ms > 0 ? t.first_deployed_ms : -1,
            end = t.last_ended_ms > 0 ? t.last_ended_ms : -1;
    json_object(w, NULL);
    json_text(w, "id", c->graph->nodes[vertex->head]->id);
    json_text(w, "slotSharingGroupId", c->graph->nodes[c->graph->vertices[0].head]->id);
    json_text(w, "name", vertex->name);
    json_int(w, "maxParallelism", vertex->max_parallelism);
    json_int(w, "parallelism", vertex->parallelism);
    json_text(w, "status", execution_state_name(job_tasks_state(&t)));
    json_int(w, "start-time", start);
    json_int(w, "end-time", end);
    json_int(w, "duration", start < 0 ? -1 : (end >= 0 ? end : job_now_ms(c)) - start);
    job_write_counts(c, "tasks", &t);
    job_write_io(c, "metrics", &figures);
    json_object_end(w);
}

/* Of all vertices the state of each. */
static void write_vertex_states(struct rest_call *c)
{
    struct job_tasks states = {0}, t;

    for (uint32_t v = 0; c->graph != NULL && v < c->graph->vertex_count; v++) {
        job_tasks_of(c, (int)v, &t);
        states.counts[job_tasks_state(&t)]++;
    }
    job_write_counts(c, "status-counts", &states);
}

static void write_timestamps(struct rest_call *c)
{
    json_object(&c->out, "timestamps");
    for (int s = 0; s < JOB_STATUS_COUNT; s++)
        json_int(&c->out, job_status_name((enum job_status)s), dispatched_since_ms(c->job, (enum job_status)s));
    json_object_end(&c->out);
}

static void answer_job(struct rest_call *c)
{
    struct json_write *w = &c->out;
    int64_t start = dispatched_since_ms(c->job, JOB_INITIALIZING), end = dispatched_ended_ms(c->job);

    json_object(w, NULL);
    json_text(w, "jid", dispatched_id(c->job));
    json_text(w, "name", dispatched_name(c->job));
    json_bool(w, "isStoppable", false);
    json_text(w, "state", job_status_name(dispatched_status(c->job)));
    json_text(w, "job-type", "STREAMING");
    json_text(w, "schedulerType", "Default");
    json_int(w, "start-time", start);
    json_int(w, "end-time", end);
    json_int(w, "duration", (end >= 0 ? end : job_now_ms(c)) - start);
    json_int(w, "maxParallelism", -1);
    json_int(w, "now", job_now_ms(c));
    write_timestamps(c);
    json_array(w, "vertices");
    for (uint32_t v = 0; c->graph != NULL && v < c->graph->vertex_count; v++) write_vertex(c, v);
    json_array_end(w);
    write_vertex_states(c);
    job_write_plan(c, "plan");
    json_int(w, "pending-operators", 0);
    json_object_end(w);
}

static void answer_plan(struct rest_call *c)
{
    json_object(&c->out, NULL);
    job_write_plan(c, "plan");
    json_object_end(&c->out);
}

static void answer_config(struct rest_call *c)
{
    struct json_write *w = &c->out;

    json_object(w, NULL);
    json_text(w, "jid", dispatched_id(c->job));
    json_text(w, "name", dispatched_name(c->job));
    json_object(w, "execution-config");
    json_text(w, "restart-strategy", "Cluster level default restart strategy");
    json_int(w, "job-parallelism", c->graph != NULL ? c->graph->default_parallelism : 1);
    json_bool(w, "object-reuse-mode", false);
    json_object(w, "user-config");
    for (uint32_t i = 0; c->graph != NULL && i < c->graph->parameters.count; i++)
        json_text(w, c->graph->parameters.items[i].key, c->graph->parameters.items[i].value);
    json_object_end(w);
    json_object_end(w);
    json_object_end(w);
}

/* --- what went wrong ----------------------------------------------------------------------------------------------- */
/* Those in between of an entry that has more to say. */
static void begin_failure(struct rest_call *c, const char *text, int64_t time_ms, const char *task)
{
    struct json_write *w = &c->out;

    json_object(w, NULL);
    json_text(w, "exceptionName", "org.apache.flink.runtime.JobException");
    json_text(w, "stacktrace", text);
    json_int(w, "timestamp", time_ms);
    json_object(w, "failureLabels");
    json_object_end(w);
    if (task[0] != '\0') json_text(w, "taskName", task);
    else json_null(w, "taskName");
    json_null(w, "endpoint");
    json_null(w, "taskManagerId");
}

static void write_failure(struct rest_call *c, const char *text, int64_t time_ms)
{
    begin_failure(c, text, time_ms, "");
    json_array(&c->out, "concurrentExceptions");
    json_array_end(&c->out);
    json_object_end(&c->out);
}

static void write_job_failure(struct rest_call *c, const struct job_failure *f)
{
    begin_failure(c, f->text, f->time_ms, f->task);
    json_array(&c->out, "concurrentExceptions");
    for (uint32_t i = 0; i < f->concurrent_count; i++) {
        begin_failure(c, f->concurrent[i].text, f->concurrent[i].time_ms, f->concurrent[i].task);
        json_object_end(&c->out);
    }
    json_array_end(&c->out);
    json_object_end(&c->out);
}

static void answer_exceptions(struct rest_call *c)
{
    struct job_failure *f = arena_alloc(&c->arena, sizeof *f);
    const char *most = rest_query(c, "maxExceptions");
    int64_t limit = JOB_FAILURES_KEPT;
    uint32_t i = 0;

    if (most != NULL && (!str_to_int64(str_of(most), &limit) || limit < 0)) {
        rest_fail(c, BAD_REQUEST,
                  "Bad request, could not parse parameters: Cannot resolve query parameter (maxExceptions) from value "
                  "\"%.100s\".",
                  most);
        return;
    }
    json_object(&c->out, NULL);
    json_object(&c->out, "exceptionHistory");
    json_array(&c->out, "entries");
    const struct err *refusal = dispatched_refusal(c->job);
    if (refusal->status != S_OK)
        write_failure(c, arena_printf(&c->arena, "%s%s%s", refusal->text, refusal->hint[0] != '\0' ? "; " : "", refusal->hint),
                      dispatched_since_ms(c->job, JOB_FAILED));
    for (; c->jm != NULL && i < (uint32_t)limit && jobmaster_failure(c->jm, i, f); i++)
        write_job_failure(c, f);
    json_array_end(&c->out);
    json_bool(&c->out, "truncated", c->jm != NULL && jobmaster_failure(c->jm, i, f));
    json_object_end(&c->out);
    json_object_end(&c->out);
}

/* --- results ------------------------------------------------------------------------------------------------------- */
static void print_accumulator(const struct accumulator *a, const char **type, char *out, size_t size)
{
    char digits[32] = "";

    *type = a->kind == ACC_COUNTER     ? "IntCounter"
            : a->kind == ACC_HISTOGRAM ? "Histogram"
            : a->kind == ACC_AVERAGE   ? "AverageAccumulator"
                                       : "Accumulator";
    if (a->kind == ACC_COUNTER || a->kind == ACC_LEAST || a->kind == ACC_GREATEST) {
        snprintf(out, size, "%lld", (long long)a->count);
    } else if (a->kind == ACC_HISTOGRAM) {
        snprintf(out, size, "%u values", a->entry_count);
    } else {
        double sum = a->kind == ACC_AVERAGE && a->count > 0 ? a->sum / (double)a->count : a->sum;
        digits[str_from_double(sum, digits)] = '\0';
        snprintf(out, size, "%s", digits);
    }
}

/* Those of functions: so far, while the job runs. */
static void write_accumulators(struct rest_call *c)
{
    struct accumulators all;
    const char *type;
    char value[64];

    accumulators_init(&all, c->mem);
    if (c->jm != NULL && jobmaster_accumulators_now(c->jm, &all, NULL) != S_OK) accumulators_release(&all); /* kinds differ: the job fails */

    json_array(&c->out, "user-task-accumulators");
    for (uint32_t i = 0; i < all.count; i++) {
        print_accumulator(&all.items[i], &type, value, sizeof value);
        json_object(&c->out, NULL);
        json_text(&c->out, "name", all.items[i].name);
        json_text(&c->out, "type", type);
        json_text(&c->out, "value", value);
        json_object_end(&c->out);
    }
    json_array_end(&c->out);
    accumulators_release(&all);
}

static void answer_accumulators(struct rest_call *c)
{
    json_object(&c->out, NULL);
    json_array(&c->out, "job-accumulators");
    json_array_end(&c->out);
    write_accumulators(c);
    json_object(&c->out, "serialized-user-task-accumulators");
    json_object_end(&c->out);
    json_object_end(&c->out);
}

static void answer_result(struct rest_call *c)
{
    enum job_status s = dispatched_status(c->job);
    struct json_write *w = &c->out;

    json_object(w, NULL);
    json_object(w, "status");
    json_text(w, "id", job_status_is_terminal(s) ? "COMPLETED" : "IN_PROGRESS");
    json_object_end(w);
    if (job_status_is_terminal(s)) {
        json_object(w, "job-execution-result");
        json_text(w, "id", dispatched_id(c->job));
        json_text(w, "application-status", s == JOB_FINISHED ? "SUCCEEDED" : s == JOB_CANCELED ? "CANCELED" : "FAILED");
        json_object(w, "accumulator-results");
        json_object_end(w);
        json_int(w, "net-runtime", dispatched_ended_ms(c->job) - dispatched_since_ms(c->job, JOB_INITIALIZING));
        json_object_end(w);
    }
    json_object_end(w);
}

/* --- its end ------------------------------------------------------------------------------------------------------- */
static void answer_cancel(struct rest_call *c)
{
    const char *mode = rest_query(c, "mode");
    enum job_status s = dispatched_status(c->job);

    if (mode != NULL && strcmp(mode, "cancel") != 0 && strcmp(mode, "stop") != 0) {
        rest_fail(
            c, BAD_REQUEST,
            "Bad request, could not parse parameters: Cannot resolve query parameter (mode) from value \"%.100s\".",
            mode);
    } else if (mode != NULL && strcmp(mode, "stop") == 0) {
        rest_fail(c, NOT_FOUND,
                  "The termination mode \"stop\" has been removed. For an ungraceful shutdown, please use \"cancel\" "
                  "instead. For a "
                  "graceful shutdown, please use \"flink stop\" instead.");
    } else if (s == JOB_CANCELED || !job_status_is_terminal(s)) {
        dispatched_cancel(c->job);
        c->status = ACCEPTED;
        json_object(&c->out, NULL);
        json_object_end(&c->out);
    } else {
        rest_fail(c, CONFLICT,
                  "Job cancellation failed because the job has already reached another terminal state (%s).",
                  job_status_name(s));
    }
}

const struct rest_endpoint rest_jobs[] = {
    {"GET", "/jobs", answer_jobs, false, false},
    {"GET", "/jobs/overview", answer_overview, false, false},
    {"GET", "/jobs/:jobid", answer_job, false, true},
    {"GET", "/jobs/:jobid/status", answer_status, false, false},
    {"GET", "/jobs/:jobid/plan", answer_plan, false, true},
    {"GET", "/jobs/:jobid/config", answer_config, false, true},
    {"GET", "/jobs/:jobid/exceptions", answer_exceptions, false, true},
    {"GET", "/jobs/:jobid/accumulators", answer_accumulators, false, true},
    {"GET", "/jobs/:jobid/execution-result", answer_result, false, false},
    {"PATCH", "/jobs/:jobid", answer_cancel, true, false},
    {NULL, NULL, NULL, false, false},
};
