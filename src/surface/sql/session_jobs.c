/* session_jobs.c - see the header. All of a job's record lies in an arena of its own. */
#include "surface/sql/session_jobs.h"

#include "ground/base/str.h"

#include <string.h>

static const char *kind_name(enum metric_kind kind)
{
    static const char *const names[] = {[METRIC_COUNTER] = "counter",
                                        [METRIC_GAUGE] = "gauge",
                                        [METRIC_METER] = "meter",
                                        [METRIC_HISTOGRAM] = "histogram"};

    return names[kind];
}

static void operators_keep(struct session_job *j, const struct graph *g)
{
    struct job_operator *out = ARENA_ARRAY(&j->arena, struct job_operator, MAX(g->node_count, 1u));

    for (uint32_t i = 0; i < g->node_count; i++) {
        const struct graph_node *n = g->nodes[i];
        const struct graph_vertex *v = &g->vertices[n->vertex];
        out[i] = (struct job_operator){arena_strdup(&j->arena, n->id), arena_strdup(&j->arena, n->name),
                                       arena_strdup(&j->arena, v->name), v->parallelism};
    }
    j->operators = out;
    j->operator_count = g->node_count;
}

static void metrics_keep(struct session_job *j, struct metrics *m)
{
    uint32_t count = m != NULL ? MIN(metrics_count(m), SESSION_JOB_METRICS_MAX) : 0;
    struct job_metric *out = ARENA_ARRAY(&j->arena, struct job_metric, MAX(count, 1u));
    struct metric_view v;

    for (uint32_t i = 0; i < count && metrics_view(m, i, &v); i++)
        out[j->metric_count++] = (struct job_metric){.operator_name = arena_strdup(&j->arena, v.operator_name),
                                                     .name = arena_strdup(&j->arena, v.name),
                                                     .subtask = v.subtask,
                                                     .kind = kind_name(v.kind),
                                                     .count = v.count,
                                                     .value = v.kind == METRIC_HISTOGRAM ? v.mean : v.value};
    j->metrics = out;
}

static void job_free(struct mem *mem, struct session_job *j)
{
    arena_release(&j->arena);
    mem_free(mem, j);
}

void session_jobs_add(struct session_jobs *jobs, struct mem *mem, const struct jobmaster *jm, int64_t started_ms)
{
    const struct graph *g = jobmaster_graph(jm);
    struct session_job *j = mem_zalloc(mem, sizeof *j);

    arena_init(&j->arena, mem, 1024);
    j->number = ++jobs->added;
    j->id = arena_strdup(&j->arena, jobmaster_job_id(jm));
    j->name = arena_strdup(&j->arena, g->job_name);
    j->status = job_status_name(jobmaster_status(jm));
    j->started_ms = started_ms;
    j->run_ms = jobmaster_run_ns(jm) / 1000000;
    j->totals = *jobmaster_totals(jm);
    operators_keep(j, g);
    metrics_keep(j, jobmaster_metrics(jm));
    if (jobs->count == SESSION_JOBS_MAX) {
        job_free(mem, jobs->items[jobs->first]);
        jobs->items[jobs->first] = j;
        jobs->first = (jobs->first + 1) % SESSION_JOBS_MAX;
    } else {
        jobs->items[jobs->count++] = j;
    }
}

void session_jobs_release(struct session_jobs *jobs, struct mem *mem)
{
    for (uint32_t i = 0; i < jobs->count; i++) job_free(mem, jobs->items[i]);
    jobs->count = jobs->first = 0;
}

const struct session_job *session_jobs_at(const struct session_jobs *jobs, uint32_t index)
{
    if (index >= jobs->count) return NULL;
    return jobs->items[(jobs->first + jobs->count - 1 - index) % jobs->count];
}

const struct session_job *session_jobs_find(const struct session_jobs *jobs, struct str id)
{
    const struct session_job *j;

    for (uint32_t i = 0; (j = session_jobs_at(jobs, i)) != NULL; i++)
        if (str_equal(str_of(j->id), id)) return j;
    return NULL;
}
