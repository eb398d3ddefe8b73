/* rest_vertices.c - endpoints of one vertex of a job and of its subtasks. */
#include "surface/rest/rest_internal.h"

#include "ground/base/sort.h"
#include "ground/base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BAD_REQUEST = 400, NOT_FOUND = 404, AGGREGATED_MAX = 4096 };

static const char *vertex_id(const struct rest_call *c, int v)
{
    return c->graph->nodes[c->graph->vertices[v].head]->id;
}

static const char *taskmanager_of(const struct rest_call *c)
{
    (void)c;
    return "localhost";
}

static bool is_final(enum execution_state s)
{
    return s == EXECUTION_FINISHED || s == EXECUTION_CANCELED || s == EXECUTION_FAILED;
}

/* --- a subtask ----------------------------------------------------------------------------------------------------- */
/* How long it was in each state, those it has been in; *out per state, -1: it was not. */
static void durations_of(const struct execution *x, int64_t now, int64_t out[static EXECUTION_STATE_COUNT])
{
    for (int s = 0; s < EXECUTION_STATE_COUNT; s++) {
        int64_t from = x->since_ms[s], to = now;
        out[s] = -1;
        if (from == 0 || is_final((enum execution_state)s)) continue;
        for (int other = 0; other < EXECUTION_STATE_COUNT; other++) {
            int64_t next = x->since_ms[other];
            bool is_later = other != s && next > 0 && (next > from || (next == from && other > s));
            if (is_later) to = MIN(to, next);
        }
        out[s] = MAX(0, to - from);
    }
}

static void write_durations(struct rest_call *c, const struct execution *x)
{
    int64_t durations[EXECUTION_STATE_COUNT];

    durations_of(x, job_now_ms(c), durations);
    json_object(&c->out, "status-duration");
    for (int s = 0; s < EXECUTION_STATE_COUNT; s++)
        if (durations[s] >= 0) json_int(&c->out, execution_state_name((enum execution_state)s), durations[s]);
    json_object_end(&c->out);
}

static void write_subtask(struct rest_call *c, const struct execution *x)
{
    struct json_write *w = &c->out;
    struct task_figures figures;
    int64_t deployed = x->since_ms[EXECUTION_DEPLOYING], start = deployed > 0 ? deployed : -1;
    int64_t end = is_final(x->state) ? x->since_ms[x->state] : -1;

    jobmaster_task_now(c->jm, x->vertex, x->subtask, &figures);
    json_object(w, NULL);
    json_int(w, "subtask", x->subtask);
    json_text(w, "status", execution_state_name(x->state));
    json_int(w, "attempt", x->attempt);
    json_text(w, "endpoint", taskmanager_of(c));
    json_int(w, "start-time", start);
    json_int(w, "end-time", end);
    json_int(w, "duration", start < 0 ? -1 : (end >= 0 ? end : job_now_ms(c)) - start);
    job_write_io(c, "metrics", &figures);
    json_text(w, "taskmanager-id", taskmanager_of(c));
    write_durations(c, x);
    json_int(w, "start_time", start);
    json_object_end(w);
}

static bool subtask_of_path(struct rest_call *c, int vertex, struct execution *out)
{
    int64_t subtask;

    if (!str_to_int64(str_of(c->parameters[2]), &subtask)) {
        rest_fail(c, BAD_REQUEST,
                  "Bad request, could not parse parameters: Cannot resolve path parameter (subtaskindex) from value "
                  "\"%.100s\".",
                  c->parameters[2]);
        return false;
    }
    if (subtask >= 0 && subtask < c->graph->vertices[vertex].parallelism &&
        job_execution(c, (uint32_t)vertex, (uint32_t)subtask, out))
        return true;
    rest_fail(c, NOT_FOUND, "Invalid subtask index for vertex %s", vertex_id(c, vertex));
    return false;
}

static void answer_subtask(struct rest_call *c)
{
    struct execution x;
    int v = job_vertex(c);

    if (v >= 0 && subtask_of_path(c, v, &x)) write_subtask(c, &x);
}

static void answer_attempt(struct rest_call *c)
{
    struct execution x;
    int64_t attempt;
    int v = job_vertex(c);

    if (v < 0 || !subtask_of_path(c, v, &x)) return;
    if (str_to_int64(str_of(c->parameters[3]), &attempt) && attempt == x.attempt)
        write_subtask(c, &x);
    else
        rest_fail(c, NOT_FOUND, "Could not find attempt %.100s of subtask %u", c->parameters[3], x.subtask);
}

/* --- numbers over subtasks ----------------------------------------------------------------------------------------- */
static int compare_numbers(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void write_aggregate(struct rest_call *c, const char *key, int64_t *values, uint32_t count)
{
    static const struct {
        const char *name;
        uint32_t percent;
    } parts[] = {{"p25", 25}, {"median", 50}, {"p75", 75}, {"p95", 95}};
    int64_t sum = 0;

    qsort(values, count, sizeof *values, compare_numbers);
    for (uint32_t i = 0; i < count; i++) sum += values[i];
    json_object(&c->out, key);
    json_int(&c->out, "min", values[0]);
    json_int(&c->out, "max", values[count - 1]);
    json_int(&c->out, "avg", sum / count);
    json_int(&c->out, "sum", sum);
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        json_int(&c->out, parts[i].name, values[MIN(count - 1, (uint32_t)((uint64_t)count * parts[i].percent / 100))]);
    json_object_end(&c->out);
}

/* Of the times in each state; of rows only the sums are known. */
static void write_aggregated(struct rest_call *c, int vertex)
{
    uint32_t parallelism = c->graph->vertices[vertex].parallelism;
    int64_t *values = ARENA_ARRAY(&c->arena, int64_t, parallelism), durations[EXECUTION_STATE_COUNT];
    struct execution x;

    json_object(&c->out, "aggregated");
    json_object(&c->out, "metrics");
    json_object_end(&c->out);
    json_object(&c->out, "status-duration");
    for (int s = 0; s < EXECUTION_STATE_COUNT; s++) {
        uint32_t count = 0;
        for (uint32_t i = 0; executions_view(jobmaster_executions(c->jm), i, &x) && count < parallelism; i++) {
            if (x.vertex != (uint32_t)vertex) continue;
            durations_of(&x, job_now_ms(c), durations);
            if (durations[s] >= 0) values[count++] = durations[s];
        }
        if (count > 0) write_aggregate(c, execution_state_name((enum execution_state)s), values, count);
    }
    json_object_end(&c->out);
    json_object_end(&c->out);
}

/* --- a vertex ------------------------------------------------------------------------------------------------------ */
static void each_subtask(struct rest_call *c, int vertex, void (*write)(struct rest_call *c, const struct execution *x))
{
    struct execution x;

    json_array(&c->out, "subtasks");
    for (uint32_t i = 0; executions_view(jobmaster_executions(c->jm), i, &x); i++)
        if (x.vertex == (uint32_t)vertex) write(c, &x);
    json_array_end(&c->out);
}

static void answer_vertex(struct rest_call *c)
{
    int v = job_vertex(c);

    if (v < 0) return;
    json_object(&c->out, NULL);
    json_text(&c->out, "id", vertex_id(c, v));
    json_text(&c->out, "name", c->graph->vertices[v].name);
    json_int(&c->out, "parallelism", c->graph->vertices[v].parallelism);
    json_int(&c->out, "maxParallelism", c->graph->vertices[v].max_parallelism);
    json_int(&c->out, "now", job_now_ms(c));
    each_subtask(c, v, write_subtask);
    write_aggregated(c, v);
    json_object_end(&c->out);
}

static void write_times(struct rest_call *c, const struct execution *x)
{
    int64_t start = x->since_ms[EXECUTION_SCHEDULED], end = is_final(x->state) ? x->since_ms[x->state] : job_now_ms(c);

    json_object(&c->out, NULL);
    json_int(&c->out, "subtask", x->subtask);
    json_text(&c->out, "endpoint", taskmanager_of(c));
    json_int(&c->out, "duration", start > 0 ? end - start : -1);
    json_object(&c->out, "timestamps");
    for (int s = 0; s < EXECUTION_STATE_COUNT; s++)
        json_int(&c->out, execution_state_name((enum execution_state)s), x->since_ms[s]);
    json_object_end(&c->out);
    json_object_end(&c->out);
}

static void answer_times(struct rest_call *c)
{
    int v = job_vertex(c);

    if (v < 0) return;
    json_object(&c->out, NULL);
    json_text(&c->out, "id", vertex_id(c, v));
    json_text(&c->out, "name", c->graph->vertices[v].name);
    json_int(&c->out, "now", job_now_ms(c));
    each_subtask(c, v, write_times);
    json_object_end(&c->out);
}

/* All subtasks as those of one TaskManager. */
static void answer_taskmanagers(struct rest_call *c)
{
    struct json_write *w = &c->out;
    struct job_tasks t;
    int v = job_vertex(c);

    if (v < 0) return;
    job_tasks_of(c, v, &t);
    struct task_figures figures = job_vertex_figures(c, (uint32_t)v);
    int64_t start = t.first_deployed_ms > 0 ? t.first_deployed_ms : -1,
            end = t.last_ended_ms > 0 ? t.last_ended_ms : -1;
    json_object(w, NULL);
    json_text(w, "id", vertex_id(c, v));
    json_text(w, "name", c->graph->vertices[v].name);
    json_int(w, "now", job_now_ms(c));
    json_array(w, "taskmanagers");
    json_object(w, NULL);
    json_text(w, "endpoint", taskmanager_of(c));
    json_text(w, "status", execution_state_name(job_tasks_state(&t)));
    json_int(w, "start-time", start);
    json_int(w, "end-time", end);
    json_int(w, "duration", start < 0 ? -1 : (end >= 0 ? end : job_now_ms(c)) - start);
    job_write_io(c, "metrics", &figures);
    job_write_counts(c, "status-counts", &t);
    json_text(w, "taskmanager-id", taskmanager_of(c));
    write_aggregated(c, v);
    json_object_end(w);
    json_array_end(w);
    json_object_end(w);
}

/* --- accumulators: they are kept for the job as a whole ------------------------------------------------------------ */
static void answer_accumulators(struct rest_call *c)
{
    int v = job_vertex(c);

    if (v < 0) return;
    json_object(&c->out, NULL);
    json_text(&c->out, "id", vertex_id(c, v));
    json_array(&c->out, "user-accumulators");
    json_array_end(&c->out);
    json_object_end(&c->out);
}

static void write_subtask_accumulators(struct rest_call *c, const struct execution *x)
{
    json_object(&c->out, NULL);
    json_int(&c->out, "subtask", x->subtask);
    json_int(&c->out, "attempt", x->attempt);
    json_text(&c->out, "endpoint", taskmanager_of(c));
    json_array(&c->out, "user-accumulators");
    json_array_end(&c->out);
    json_object_end(&c->out);
}

static void answer_subtask_accumulators(struct rest_call *c)
{
    int v = job_vertex(c);

    if (v < 0) return;
    json_object(&c->out, NULL);
    json_text(&c->out, "id", vertex_id(c, v));
    json_int(&c->out, "parallelism", c->graph->vertices[v].parallelism);
    each_subtask(c, v, write_subtask_accumulators);
    json_object_end(&c->out);
}

const struct rest_endpoint rest_vertices[] = {
    {"GET", "/jobs/:jobid/vertices/:vertexid", answer_vertex, false, true},
    {"GET", "/jobs/:jobid/vertices/:vertexid/subtasktimes", answer_times, false, true},
    {"GET", "/jobs/:jobid/vertices/:vertexid/taskmanagers", answer_taskmanagers, false, true},
    {"GET", "/jobs/:jobid/vertices/:vertexid/accumulators", answer_accumulators, false, true},
    {"GET", "/jobs/:jobid/vertices/:vertexid/subtasks/accumulators", answer_subtask_accumulators, false, true},
    {"GET", "/jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex", answer_subtask, false, true},
    {"GET", "/jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex/attempts/:attempt", answer_attempt, false, true},
    {NULL, NULL, NULL, false, false},
};
