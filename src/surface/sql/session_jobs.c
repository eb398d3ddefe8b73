/* session_jobs.c - see the header. All of a job's record lies in an arena of its own; what is shown of the measures of a job that runs
 * lies in another one, which is emptied each time somebody looks.
 *
 * A job's thread touches its background_job alone: it runs the job master, lets staged rows take their place, and sends the record to
 * the session's mailbox. Everything else waits until the session's thread has taken it from there and joined the thread. */
#include "surface/sql/session_jobs.h"

#include "ground/base/str.h"
#include "language/catalog/catalog.h"

#include <string.h>

#define NS_PER_MS INT64_C(1000000)

struct background_job {
    struct sys *sys;
    struct sys_mailbox *ended;
    struct session_job *job;
    struct jobmaster *jobmaster;
    struct sys_thread *thread;
    struct sys_atomic_u64 cancelled;
    struct job_after after;
    int64_t started_ns;
    struct arena shown; /* measures, as they were when somebody looked */
    enum status ran, status; /* of the job; with what was to be done behind it */
    struct err err;
};

/* --- records ----------------------------------------------------------------------------------------------------- */
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
        out[i] = (struct job_operator){.id = arena_strdup(&j->arena, n->id),
                                       .name = arena_strdup(&j->arena, n->name),
                                       .vertex = arena_strdup(&j->arena, v->name),
                                       .parallelism = v->parallelism};
    }
    j->operators = out;
    j->operator_count = g->node_count;
}

static void metrics_keep(struct session_job *j, struct metrics *m, struct arena *a)
{
    uint32_t count = m != NULL ? MIN(metrics_count(m), SESSION_JOB_METRICS_MAX) : 0;
    struct job_metric *out = ARENA_ARRAY(a, struct job_metric, MAX(count, 1u));
    struct metric_view v;

    j->metric_count = 0;
    for (uint32_t i = 0; i < count && metrics_view(m, i, &v); i++)
        out[j->metric_count++] = (struct job_metric){.operator_name = arena_strdup(a, v.operator_name),
                                                     .name = arena_strdup(a, v.name),
                                                     .subtask = v.subtask,
                                                     .kind = kind_name(v.kind),
                                                     .count = v.count,
                                                     .value = v.kind == METRIC_HISTOGRAM ? v.mean : v.value};
    j->metrics = out;
}

static void figures_keep(struct session_job *j, const struct jobmaster *jm, struct arena *a)
{
    struct operator_totals t;

    jobmaster_totals_now(jm, &j->totals);
    for (uint32_t i = 0; i < j->operator_count; i++) {
        jobmaster_operator_now(jm, i, &t);
        j->operators[i].rows_in = t.rows_in;
        j->operators[i].rows_out = t.rows_out;
    }
    metrics_keep(j, jobmaster_metrics(jm), a);
}

static void job_free(struct session_jobs *jobs, struct session_job *j)
{
    arena_release(&j->arena);
    mem_free(jobs->mem, j);
}

static void forget(struct session_jobs *jobs, uint32_t at)
{
    job_free(jobs, jobs->items[at]);
    jobs->count--;
    memmove(&jobs->items[at], &jobs->items[at + 1], sizeof jobs->items[0] * (jobs->count - at));
}

static bool is_untold(const struct session_job *j) { return j->failure != NULL && !j->is_told; }

/* Of those that are over the oldest goes first, but not before its failure was told where others can go. */
static void forget_one(struct session_jobs *jobs)
{
    uint32_t oldest = jobs->count;

    for (uint32_t i = jobs->count; i-- > 0;)
        if (jobs->items[i]->background == NULL && (oldest == jobs->count || !is_untold(jobs->items[i]) || is_untold(jobs->items[oldest])))
            oldest = i;
    if (jobs->count - jobs->running > SESSION_JOBS_MAX) forget(jobs, oldest);
}

static struct session_job *record_new(struct session_jobs *jobs)
{
    struct session_job *j = mem_zalloc(jobs->mem, sizeof *j);

    arena_init(&j->arena, jobs->mem, 1024);
    return j;
}

static void identify(struct session_jobs *jobs, struct session_job *j, const struct jobmaster *jm)
{
    j->number = ++jobs->added;
    j->id = arena_strdup(&j->arena, jobmaster_job_id(jm));
    j->name = arena_strdup(&j->arena, jobmaster_graph(jm)->job_name);
    operators_keep(j, jobmaster_graph(jm));
}

static void add(struct session_jobs *jobs, struct session_job *j)
{
    ASSERT(jobs->count < COUNT_OF(jobs->items));
    jobs->items[jobs->count++] = j;
}

void session_jobs_add(struct session_jobs *jobs, const struct jobmaster *jm, int64_t started_ms)
{
    struct session_job *j = record_new(jobs);

    identify(jobs, j, jm);
    j->status = job_status_name(jobmaster_status(jm));
    j->was_canceled = jobmaster_status(jm) == JOB_CANCELED;
    j->started_ms = started_ms;
    j->run_ms = jobmaster_run_ns(jm) / NS_PER_MS;
    figures_keep(j, jm, &j->arena);
    add(jobs, j);
    forget_one(jobs);
}

/* --- in the background ------------------------------------------------------------------------------------------- */
struct session_job *session_jobs_new(struct session_jobs *jobs, struct job_after **after, const struct sys_atomic_u64 **cancelled)
{
    struct session_job *j = record_new(jobs);
    struct background_job *b = mem_zalloc(jobs->mem, sizeof *b);

    *b = (struct background_job){.sys = jobs->sys, .ended = jobs->ended, .job = j};
    arena_init(&b->shown, jobs->mem, 0);
    j->background = b;
    *after = &b->after;
    *cancelled = &b->cancelled;
    return j;
}

static void background_free(struct session_jobs *jobs, struct session_job *j)
{
    struct background_job *b = j->background;

    jobmaster_free(b->jobmaster);
    arena_release(&b->shown);
    mem_free(jobs->mem, b);
    j->background = NULL;
}

void session_jobs_drop(struct session_jobs *jobs, struct session_job *j)
{
    background_free(jobs, j);
    job_free(jobs, j);
}

static void job_main(void *arg)
{
    struct background_job *b = arg;

    b->ran = jobmaster_run(b->jobmaster, &b->err);
    b->status = job_after_replace(&b->after, b->sys, b->ran, &b->err);
    sys_mailbox_send(b->sys, b->ended, b->job);
}

/* Also where rows go when the job has ended, which are staged elsewhere until then. */
static void places_keep(struct session_jobs *jobs, struct session_job *j, const struct graph *g)
{
    const struct job_after *after = &j->background->after;
    struct job_places p;
    const char *place;

    job_places_of(g, jobs->sys, &j->arena, &p);
    j->places = p;
    j->places.written = ARENA_ARRAY(&j->arena, const char *, p.written_count + after->replacement_count + 1);
    for (uint32_t i = 0; i < p.written_count; i++) j->places.written[i] = p.written[i];
    for (uint32_t i = 0; i < after->replacement_count; i++) {
        const struct table t = {.options = after->replacements[i].table};
        place = job_place(table_option(&t, "connector"), &t.options, jobs->sys, &j->arena);
        if (place != NULL) j->places.written[j->places.written_count++] = place;
    }
}

enum status session_jobs_start(struct session_jobs *jobs, struct session_job *j, struct jobmaster *jm, struct err *e)
{
    struct background_job *b = j->background;

    identify(jobs, j, jm);
    places_keep(jobs, j, jobmaster_graph(jm));
    b->jobmaster = jm;
    j->started_ms = sys_wall_ms(jobs->sys);
    b->started_ns = sys_mono_ns(jobs->sys);
    enum status st = sys_thread_start(jobs->sys, "job", job_main, b, &b->thread, e);
    if (st != S_OK) {
        session_jobs_drop(jobs, j);
        return st;
    }
    jobs->running++;
    add(jobs, j);
    return S_OK;
}

static void stopping_keep(struct session_job *j)
{
    if (j->trigger[0] != '\0') (void)jobmaster_snapshot_progress(j->background->jobmaster, j->trigger, j->stopping);
}

static void take_failure(struct session_job *j, struct background_job *b)
{
    if (b->ran != S_OK) job_after_explain(&b->after, &b->err);
    j->failure = ARENA_NEW(&j->arena, struct err);
    *j->failure = b->err;
}

bool session_jobs_ended(struct session_jobs *jobs, int64_t timeout_ns)
{
    struct session_job *j = jobs->running > 0 ? sys_mailbox_take(jobs->sys, jobs->ended, timeout_ns) : NULL;

    if (j == NULL) return false;
    struct background_job *b = j->background;
    sys_thread_join(jobs->sys, b->thread);
    enum job_status status = jobmaster_status(b->jobmaster);
    if (b->status != S_OK && status == JOB_FINISHED) status = JOB_FAILED; /* its rows could not take their place */
    if (status == JOB_FAILED) take_failure(j, b);
    stopping_keep(j);
    j->was_canceled = status == JOB_CANCELED;
    j->status = job_status_name(status);
    j->run_ms = jobmaster_run_ns(b->jobmaster) / NS_PER_MS;
    figures_keep(j, b->jobmaster, &j->arena);
    background_free(jobs, j);
    jobs->running--;
    forget_one(jobs);
    return true;
}

/* One that was submitted has its thread: it is as good as running. One whose thread is not done yet has not ended. */
static enum job_status status_shown(const struct jobmaster *jm)
{
    enum job_status s = jobmaster_status(jm);

    if (s == JOB_FAILED) return JOB_FAILING;
    if (s == JOB_CANCELED) return JOB_CANCELLING;
    return s == JOB_CREATED || s == JOB_FINISHED ? JOB_RUNNING : s;
}

void session_jobs_look(struct session_jobs *jobs)
{
    while (session_jobs_ended(jobs, 0)) continue;
    for (uint32_t i = 0; i < jobs->count; i++) {
        struct session_job *j = jobs->items[i];
        struct background_job *b = j->background;
        if (b == NULL) continue;
        arena_reset(&b->shown);
        j->status = job_status_name(status_shown(b->jobmaster));
        j->run_ms = (sys_mono_ns(jobs->sys) - b->started_ns) / NS_PER_MS;
        figures_keep(j, b->jobmaster, &b->shown);
        stopping_keep(j);
    }
}

enum status session_job_stop(struct session_job *j, bool drains, struct err *e)
{
    const struct snapshot_ask ask = {.wish = drains ? WISH_DRAIN : WISH_STOP};

    ASSERT(j->background != NULL);
    if (j->stopping == NULL) j->stopping = ARENA_NEW(&j->arena, struct snapshot_progress);
    j->stopping->state = CHECKPOINT_IN_PROGRESS;
    j->trigger[0] = '\0';
    return jobmaster_ask_snapshot(j->background->jobmaster, &ask, j->trigger, e);
}

void session_job_cancel(struct session_job *j)
{
    if (j->background != NULL) sys_atomic_store(&j->background->cancelled, 1);
}

/* --- life -------------------------------------------------------------------------------------------------------- */
void session_jobs_init(struct session_jobs *jobs, struct mem *mem, struct sys *sys)
{
    *jobs = (struct session_jobs){.mem = mem, .sys = sys, .ended = sys_mailbox_create(sys)};
}

void session_jobs_release(struct session_jobs *jobs)
{
    for (uint32_t i = 0; i < jobs->count; i++) session_job_cancel(jobs->items[i]);
    while (jobs->running > 0) (void)session_jobs_ended(jobs, INT64_MAX);
    for (uint32_t i = 0; i < jobs->count; i++) job_free(jobs, jobs->items[i]);
    sys_mailbox_free(jobs->sys, jobs->ended);
    jobs->count = 0;
}

/* --- finding one ------------------------------------------------------------------------------------------------- */
struct session_job *session_jobs_at(const struct session_jobs *jobs, uint32_t index)
{
    return index < jobs->count ? jobs->items[jobs->count - 1 - index] : NULL;
}

struct session_job *session_jobs_find(const struct session_jobs *jobs, struct str id)
{
    for (uint32_t i = jobs->count; i-- > 0;)
        if (str_equal_nocase(str_of(jobs->items[i]->id), id)) return jobs->items[i];
    return NULL;
}

struct session_job *session_jobs_numbered(const struct session_jobs *jobs, int64_t number)
{
    for (uint32_t i = jobs->count; i-- > 0;)
        if (jobs->items[i]->number == number) return jobs->items[i];
    return NULL;
}

struct session_job *session_jobs_untold(const struct session_jobs *jobs, uint32_t *count)
{
    struct session_job *first = NULL;

    *count = 0;
    for (uint32_t i = 0; i < jobs->count; i++) {
        if (!is_untold(jobs->items[i])) continue;
        if (++*count == 1) first = jobs->items[i];
    }
    return first;
}
