/* job_view.c - what several endpoints say of a job: how its tasks stand, its plan, what went through its vertices.
 *
 * The job is held and its graph prepared; counts are taken while it runs, so two answers may tell of two moments. Rows are counted per
 * operator over all its subtasks: of a single subtask they are not known, and said to be incomplete; so are bytes. */
#include "surface/rest/rest_internal.h"

#include "ground/base/str.h"

#include <string.h>

enum { NOT_FOUND = 404 };

int64_t job_now_ms(const struct rest_call *c) { return sys_wall_ms(c->rest->o.sys); }

/* --- tasks --------------------------------------------------------------------------------------------------------- */
static bool is_final(enum execution_state s)
{
    return s == EXECUTION_FINISHED || s == EXECUTION_CANCELED || s == EXECUTION_FAILED;
}

static void add_task(struct job_tasks *t, const struct execution *x, uint32_t *over)
{
    t->counts[x->state]++;
    t->total++;
    int64_t deployed = x->since_ms[EXECUTION_DEPLOYING], since = x->since_ms[x->state];
    if (deployed > 0 && (t->first_deployed_ms == 0 || deployed < t->first_deployed_ms)) t->first_deployed_ms = deployed;
    t->last_moved_ms = MAX(t->last_moved_ms, since);
    if (!is_final(x->state)) return;
    t->last_ended_ms = MAX(t->last_ended_ms, since);
    ++*over;
}

void job_tasks_of(struct rest_call *c, int vertex, struct job_tasks *out)
{
    struct execution x;
    uint32_t over = 0;

    *out = (struct job_tasks){0};
    if (c->jm == NULL) return;
    for (uint32_t i = 0; executions_view(jobmaster_executions(c->jm), i, &x); i++)
        if (vertex < 0 || x.vertex == (uint32_t)vertex) add_task(out, &x, &over);
    if (over < out->total) out->last_ended_ms = 0;
}

/* As Flink sums them up. */
enum execution_state job_tasks_state(const struct job_tasks *t)
{
    static const enum execution_state strong[] = {EXECUTION_FAILED, EXECUTION_CANCELING, EXECUTION_CANCELED,
                                                  EXECUTION_INITIALIZING, EXECUTION_RUNNING};

    for (size_t i = 0; i < COUNT_OF(strong); i++)
        if (t->counts[strong[i]] > 0) return strong[i];
    if (t->counts[EXECUTION_FINISHED] > 0)
        return t->counts[EXECUTION_FINISHED] == t->total ? EXECUTION_FINISHED : EXECUTION_RUNNING;
    return EXECUTION_CREATED;
}

void job_write_counts(struct rest_call *c, const char *key, const struct job_tasks *t)
{
    json_object(&c->out, key);
    for (int s = 0; s < EXECUTION_STATE_COUNT; s++)
        json_int(&c->out, execution_state_name((enum execution_state)s), t->counts[s]);
    json_object_end(&c->out);
}

bool job_execution(struct rest_call *c, uint32_t vertex, uint32_t subtask, struct execution *out)
{
    for (uint32_t i = 0; executions_view(jobmaster_executions(c->jm), i, out); i++)
        if (out->vertex == vertex && out->subtask == subtask) return true;
    return false;
}

/* --- the job ------------------------------------------------------------------------------------------------------- */
static void write_lower_counts(struct rest_call *c, const struct job_tasks *t)
{
    static const char *const names[EXECUTION_STATE_COUNT] = {
        [EXECUTION_CREATED] = "created",         [EXECUTION_SCHEDULED] = "scheduled",
        [EXECUTION_DEPLOYING] = "deploying",     [EXECUTION_RUNNING] = "running",
        [EXECUTION_FINISHED] = "finished",       [EXECUTION_CANCELING] = "canceling",
        [EXECUTION_CANCELED] = "canceled",       [EXECUTION_FAILED] = "failed",
        [EXECUTION_RECONCILING] = "reconciling", [EXECUTION_INITIALIZING] = "initializing"};

    json_object(&c->out, "tasks");
    for (int s = 0; s < EXECUTION_STATE_COUNT; s++) json_int(&c->out, names[s], t->counts[s]);
    json_int(&c->out, "total", t->total);
    json_object_end(&c->out);
}

static int64_t last_change(const struct rest_call *c, const struct job_tasks *t)
{
    int64_t last = t->last_moved_ms;

    for (int s = 0; s < JOB_STATUS_COUNT; s++) last = MAX(last, dispatched_since_ms(c->job, (enum job_status)s));
    return last;
}

void job_write_overview(struct rest_call *c)
{
    struct str kept = rest_archived(dispatched_archive(c->job), REST_ARCHIVED_OVERVIEW);
    struct json_write *w = &c->out;
    struct job_tasks t;

    if (kept.data != NULL) {
        json_raw(w, NULL, kept);
        return;
    }
    job_tasks_of(c, GRAPH_NONE, &t);
    int64_t start = dispatched_since_ms(c->job, JOB_INITIALIZING), end = dispatched_ended_ms(c->job);
    json_object(w, NULL);
    json_text(w, "jid", dispatched_id(c->job));
    json_text(w, "name", dispatched_name(c->job));
    json_text(w, "jobType", "STREAMING");
    json_text(w, "schedulerType", "Default");
    json_int(w, "start-time", start);
    json_int(w, "end-time", end);
    json_int(w, "duration", (end >= 0 ? end : job_now_ms(c)) - start);
    json_text(w, "state", job_status_name(dispatched_status(c->job)));
    json_int(w, "last-modification", last_change(c, &t));
    write_lower_counts(c, &t);
    json_int(w, "pending-operators", 0);
    json_object_end(w);
}

/* --- the plan ------------------------------------------------------------------------------------------------------ */
static void write_inputs(struct rest_call *c, uint32_t vertex)
{
    const struct graph *g = c->graph;
    uint32_t count = 0;

    for (uint32_t i = 0; i < g->edge_count; i++) {
        const struct graph_edge *edge = g->edges[i];
        if (edge->chained || g->nodes[edge->to]->vertex != vertex) continue;
        if (count == 0) json_array(&c->out, "inputs");
        json_object(&c->out, NULL);
        json_int(&c->out, "num", count++);
        json_text(&c->out, "id", g->nodes[g->vertices[g->nodes[edge->from]->vertex].head]->id);
        json_text(&c->out, "ship_strategy", partitioner_names[edge->partitioner]);
        json_text(&c->out, "exchange", "pipelined_bounded");
        json_object_end(&c->out);
    }
    if (count > 0) json_array_end(&c->out);
}

static const char *describe(struct rest_call *c, const struct graph_vertex *v)
{
    struct buf text;

    buf_init(&text, c->mem);
    for (uint32_t k = 0; k < v->node_count; k++) {
        const struct graph_node *n = c->graph->nodes[v->nodes[k]];
        buf_printf(&text, "%s%s<br/>", k > 0 ? "+- " : "", n->description != NULL ? n->description : n->name);
    }
    const char *out = arena_strdup(&c->arena, buf_text(&text));
    buf_release(&text);
    return out;
}

void job_write_plan(struct rest_call *c, const char *key)
{
    struct json_write *w = &c->out;

    json_object(w, key);
    json_text(w, "jid", c->job != NULL ? dispatched_id(c->job) : "");
    json_text(w, "name", c->job != NULL ? dispatched_name(c->job) : c->graph->job_name);
    json_text(w, "type", "STREAMING");
    json_array(w, "nodes");
    for (uint32_t v = c->graph != NULL ? c->graph->vertex_count : 0; v-- > 0;) {
        const struct graph_vertex *vertex = &c->graph->vertices[v];
        json_object(w, NULL);
        json_text(w, "id", c->graph->nodes[vertex->head]->id);
        json_int(w, "parallelism", vertex->parallelism);
        json_text(w, "operator", "");
        json_text(w, "operator_strategy", "");
        json_text(w, "description", describe(c, vertex));
        write_inputs(c, v);
        json_object(w, "optimizer_properties");
        json_object_end(w);
        json_object_end(w);
    }
    json_array_end(w);
    json_object_end(w);
}

/* --- vertices ------------------------------------------------------------------------------------------------------ */
int job_vertex(struct rest_call *c)
{
    for (uint32_t v = 0; c->graph != NULL && v < c->graph->vertex_count; v++)
        if (str_equal_nocase(str_of(c->graph->nodes[c->graph->vertices[v].head]->id), str_of(c->parameters[1])))
            return (int)v;
    rest_fail(c, NOT_FOUND, "JobVertex %s not found", c->parameters[1]);
    return GRAPH_NONE;
}

struct task_figures job_vertex_figures(struct rest_call *c, uint32_t vertex)
{
    struct task_figures sum = {.watermark = INT64_MAX}, f;

    for (uint32_t s = 0; s < c->graph->vertices[vertex].parallelism; s++) {
        jobmaster_task_now(c->jm, vertex, s, &f);
        sum.rows_in += f.rows_in;
        sum.rows_out += f.rows_out;
        sum.bytes_in += f.bytes_in;
        sum.bytes_out += f.bytes_out;
        sum.idle_ms += f.idle_ms;
        sum.full_ms += f.full_ms;
        sum.busy_ms += f.busy_ms;
        sum.watermark = MIN(sum.watermark, f.watermark);
    }
    return sum;
}

void job_write_io(struct rest_call *c, const char *key, const struct task_figures *f)
{
    struct json_write *w = &c->out;

    json_object(w, key);
    json_int(w, "read-bytes", (int64_t)f->bytes_in);
    json_bool(w, "read-bytes-complete", true);
    json_int(w, "write-bytes", (int64_t)f->bytes_out);
    json_bool(w, "write-bytes-complete", true);
    json_int(w, "read-records", (int64_t)f->rows_in);
    json_bool(w, "read-records-complete", true);
    json_int(w, "write-records", (int64_t)f->rows_out);
    json_bool(w, "write-records-complete", true);
    json_int(w, "accumulated-backpressured-time", (int64_t)f->full_ms);
    json_int(w, "accumulated-idle-time", (int64_t)f->idle_ms);
    json_double(w, "accumulated-busy-time", (double)f->busy_ms);
    json_object_end(w);
}
