/* rest_metrics.c - metrics of tasks and of jobs, by Flink's names, and whether tasks are held up by those behind them. Without `get` the
 * names are listed, with it the values of those that there are; names that nobody knows are passed over, as in Flink. */
#include "surface/rest/rest_internal.h"

#include "ground/base/str.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { NAME_SIZE = 96, NOT_FOUND = 404 };

/* Of Flink's back pressure: up to a tenth of the time is none, more than a half is high. */
#define LEVEL_LOW 0.10
#define LEVEL_HIGH 0.50

/* --- what there is ------------------------------------------------------------------------------------------------- */
struct metric_name {
    const char *name;
    size_t offset;
    bool is_signed;
};
#define U64(n, member) {n, offsetof(struct task_figures, member), false}
static const struct metric_name of_tasks[] = {
    U64("numRecordsIn", rows_in),
    U64("numRecordsOut", rows_out),
    U64("numBytesIn", bytes_in),
    U64("numBytesOut", bytes_out),
    U64("numRecordsInPerSecond", rows_in_rate),
    U64("numRecordsOutPerSecond", rows_out_rate),
    U64("idleTimeMsPerSecond", idle_rate),
    U64("backPressuredTimeMsPerSecond", full_rate),
    U64("busyTimeMsPerSecond", busy_rate),
    U64("accumulateIdleTimeMs", idle_ms),
    U64("accumulateBackPressuredTimeMs", full_ms),
    U64("accumulateBusyTimeMs", busy_ms),
    {"currentOutputWatermark", offsetof(struct task_figures, watermark), true},
};

static int64_t value_of(const struct metric_name *m, const struct task_figures *f)
{
    return *(const int64_t *)((const char *)f + m->offset); /* below 2^63, all of them */
}

/* Is the name among those that `get` lists? */
static bool is_wanted(const char *get, const char *name)
{
    size_t size = strlen(name);

    for (const char *at = get; at != NULL; at = strchr(at, ',')) {
        at += at != get;
        if (strncmp(at, name, size) == 0 && (at[size] == ',' || at[size] == '\0')) return true;
    }
    return false;
}

static void write_metric(struct rest_call *c, const char *get, const char *name, const char *value)
{
    if (get != NULL && !is_wanted(get, name)) return;
    json_object(&c->out, NULL);
    json_text(&c->out, "id", name);
    if (get != NULL) json_text(&c->out, "value", value);
    json_object_end(&c->out);
}

static void write_int(struct rest_call *c, const char *get, const char *name, int64_t value)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)value);
    write_metric(c, get, name, text);
}

/* --- of a vertex --------------------------------------------------------------------------------------------------- */
static void write_task(struct rest_call *c, const char *get, uint32_t vertex, uint32_t subtask, bool has_prefix)
{
    struct task_figures f;
    char name[NAME_SIZE];

    jobmaster_task_now(c->jm, vertex, subtask, &f);
    for (size_t i = 0; i < COUNT_OF(of_tasks); i++) {
        if (has_prefix) snprintf(name, sizeof name, "%u.%s", subtask, of_tasks[i].name);
        else snprintf(name, sizeof name, "%s", of_tasks[i].name);
        write_int(c, get, name, value_of(&of_tasks[i], &f));
    }
}

static void answer_vertex_metrics(struct rest_call *c)
{
    const char *get = rest_query(c, "get");
    int v = job_vertex(c);

    if (v < 0) return;
    json_array(&c->out, NULL);
    for (uint32_t s = 0; s < c->graph->vertices[v].parallelism; s++) write_task(c, get, (uint32_t)v, s, true);
    json_array_end(&c->out);
}

static void answer_subtask_metrics(struct rest_call *c)
{
    const char *get = rest_query(c, "get");
    int64_t subtask;
    int v = job_vertex(c);

    if (v < 0) return;
    if (!str_to_int64(str_of(c->parameters[2]), &subtask) || subtask < 0 || subtask >= c->graph->vertices[v].parallelism) {
        rest_fail(c, NOT_FOUND, "Invalid subtask index for vertex %s", c->parameters[1]);
        return;
    }
    json_array(&c->out, NULL);
    write_task(c, get, (uint32_t)v, (uint32_t)subtask, false);
    json_array_end(&c->out);
}

static void write_aggregates(struct rest_call *c, const struct metric_name *m, uint32_t vertex, const char *agg)
{
    uint32_t count = c->graph->vertices[vertex].parallelism;
    double min = 0, max = 0, sum = 0;

    for (uint32_t s = 0; s < count; s++) {
        struct task_figures f;
        jobmaster_task_now(c->jm, vertex, s, &f);
        double value = (double)value_of(m, &f);
        min = s == 0 ? value : MIN(min, value);
        max = s == 0 ? value : MAX(max, value);
        sum += value;
    }
    json_object(&c->out, NULL);
    json_text(&c->out, "id", m->name);
    if (agg == NULL || is_wanted(agg, "min")) json_double(&c->out, "min", min);
    if (agg == NULL || is_wanted(agg, "max")) json_double(&c->out, "max", max);
    if (agg == NULL || is_wanted(agg, "avg")) json_double(&c->out, "avg", sum / count);
    if (agg == NULL || is_wanted(agg, "sum")) json_double(&c->out, "sum", sum);
    json_object_end(&c->out);
}

static void answer_aggregates(struct rest_call *c)
{
    const char *get = rest_query(c, "get"), *agg = rest_query(c, "agg");
    int v = job_vertex(c);

    if (v < 0) return;
    json_array(&c->out, NULL);
    for (size_t i = 0; i < COUNT_OF(of_tasks); i++) {
        if (get == NULL) write_metric(c, NULL, of_tasks[i].name, NULL);
        else if (is_wanted(get, of_tasks[i].name)) write_aggregates(c, &of_tasks[i], (uint32_t)v, agg);
    }
    json_array_end(&c->out);
}

/* --- back pressure ------------------------------------------------------------------------------------------------- */
static const char *level_of(double ratio) { return ratio <= LEVEL_LOW ? "ok" : ratio <= LEVEL_HIGH ? "low" : "high"; }

static void write_level(struct rest_call *c, double ratio)
{
    json_text(&c->out, "backpressureLevel", level_of(ratio));
    json_text(&c->out, "backpressure-level", level_of(ratio));
}

static void write_pressure(struct rest_call *c, const struct execution *x, const struct task_figures *f)
{
    json_object(&c->out, NULL);
    json_int(&c->out, "subtask", x->subtask);
    json_int(&c->out, "attempt-number", x->attempt);
    write_level(c, (double)f->full_rate / 1000);
    json_double(&c->out, "ratio", (double)f->full_rate / 1000);
    json_double(&c->out, "idleRatio", (double)f->idle_rate / 1000);
    json_double(&c->out, "busyRatio", (double)f->busy_rate / 1000);
    json_object_end(&c->out);
}

static void answer_pressure(struct rest_call *c)
{
    struct task_figures f;
    struct execution x;
    double most = 0;
    int v = job_vertex(c);

    if (v < 0) return;
    for (uint32_t s = 0; s < c->graph->vertices[v].parallelism; s++) {
        jobmaster_task_now(c->jm, (uint32_t)v, s, &f);
        most = MAX(most, (double)f.full_rate / 1000);
    }
    json_object(&c->out, NULL);
    json_text(&c->out, "status", "ok");
    write_level(c, most);
    json_int(&c->out, "end-timestamp", job_now_ms(c));
    json_array(&c->out, "subtasks");
    for (uint32_t i = 0; executions_view(jobmaster_executions(c->jm), i, &x); i++) {
        if (x.vertex != (uint32_t)v) continue;
        jobmaster_task_now(c->jm, x.vertex, x.subtask, &f);
        write_pressure(c, &x, &f);
    }
    json_array_end(&c->out);
    json_object_end(&c->out);
}

/* --- of a job ------------------------------------------------------------------------------------------------------ */
struct checkpoint_sums {
    int64_t in_progress;
    const struct checkpoint_stats *last; /* completed; NULL: none */
};

static void sum_checkpoints(struct rest_call *c, struct checkpoint_sums *out)
{
    struct checkpoint_stats *s = ARENA_NEW(&c->arena, struct checkpoint_stats);

    *out = (struct checkpoint_sums){0};
    for (uint32_t i = 0; c->jm != NULL && jobmaster_checkpoint(c->jm, i, s); i++) {
        out->in_progress += s->state == CHECKPOINT_IN_PROGRESS;
        if (s->state != CHECKPOINT_COMPLETED || out->last != NULL) continue;
        out->last = s;
        s = ARENA_NEW(&c->arena, struct checkpoint_stats);
    }
}

static uint32_t restarts_of(struct rest_call *c)
{
    struct job_failure *f = arena_alloc(&c->arena, sizeof *f);

    return c->jm != NULL && jobmaster_failure(c->jm, 0, f) ? f->attempt + !f->is_final : 0;
}

static void answer_job_metrics(struct rest_call *c)
{
    const char *get = rest_query(c, "get");
    struct checkpoint_sums sums;
    int64_t running = dispatched_since_ms(c->job, JOB_RUNNING);

    sum_checkpoints(c, &sums);
    json_array(&c->out, NULL);
    write_int(c, get, "numRestarts", restarts_of(c));
    write_int(c, get, "fullRestarts", restarts_of(c));
    write_int(c, get, "runningTime", dispatched_status(c->job) == JOB_RUNNING && running > 0 ? job_now_ms(c) - running : 0);
    write_int(c, get, "numberOfInProgressCheckpoints", sums.in_progress);
    if (sums.last != NULL) {
        write_int(c, get, "lastCompletedCheckpointId", sums.last->id);
        write_int(c, get, "lastCheckpointDuration", sums.last->ended_ms - sums.last->triggered_ms);
        write_int(c, get, "lastCheckpointSize", (int64_t)sums.last->size);
    }
    json_array_end(&c->out);
}

const struct rest_endpoint rest_metrics[] = {
    {"GET", "/jobs/:jobid/metrics", answer_job_metrics, false, false},
    {"GET", "/jobs/:jobid/vertices/:vertexid/metrics", answer_vertex_metrics, false, false},
    {"GET", "/jobs/:jobid/vertices/:vertexid/subtasks/metrics", answer_aggregates, false, false},
    {"GET", "/jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex/metrics", answer_subtask_metrics, false, false},
    {"GET", "/jobs/:jobid/vertices/:vertexid/backpressure", answer_pressure, false, false},
    {NULL, NULL, NULL, false, false},
};
