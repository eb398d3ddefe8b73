/* exec_job.c - SHOW JOBS, DESCRIBE JOB, STOP JOB, and sys.jobs, sys.operators, sys.metrics: the jobs of this session, those that run in
 * the background as they are when they are asked for. STOP JOB comes back when the job has ended. */
#include "surface/sql/session_internal.h"

#include "ground/base/str.h"
#include "surface/sql/system_tables.h"

#include <math.h>

enum { JOB_ID_SIZE = 32 };

/* --- statements -------------------------------------------------------------------------------------------------- */
static enum status find_job(struct run *r, struct str id, struct session_job **out)
{
    struct ast_place place = r->statement->place;
    bool fits = id.size == JOB_ID_SIZE;

    for (size_t i = 0; i < id.size && fits; i++)
        fits = (id.data[i] >= '0' && id.data[i] <= '9') || ((id.data[i] | 32) >= 'a' && (id.data[i] | 32) <= 'f');
    if (!fits)
        return run_fail(r, place,
                        "Cannot parse JobID from \"%.*s\". The expected format is [0-9a-fA-F]{32}, e.g. "
                        "fd72014d4c864993a2e5a9287b4a9c5d.",
                        (int)MIN(id.size, 64u), id.data);
    session_jobs_look(&r->s->jobs);
    *out = session_jobs_find(&r->s->jobs, id);
    if (*out != NULL) return S_OK;
    err_hint(r->e, "SHOW JOBS lists those that this session ran");
    return run_fail(r, place, "Could not find Flink job (%.*s)", (int)id.size, id.data);
}

static enum status give_jobs(struct run *r, const struct session_job *only)
{
    static const char *const names[] = {"job id", "job name", "status", "start time"};
    const struct type *types[] = {&type_string, &type_string, &type_string,
                                  type_new(&r->arena, T_TIMESTAMP_LTZ, 6, 0, true)};
    struct system_rows rows = {.a = &r->arena, .columns = COUNT_OF(names)};
    const struct session_job *j;

    session_jobs_look(&r->s->jobs);
    for (uint32_t i = 0; (j = session_jobs_at(&r->s->jobs, i)) != NULL; i++) {
        if (only != NULL && only != j) continue;
        const char **row = system_row_add(&rows);
        row[0] = j->id;
        row[1] = j->name;
        row[2] = j->status;
        row[3] = system_number(&rows, j->started_ms);
    }
    return run_give(r, rows.columns, names, types, rows.cells, rows.count);
}

enum status run_show_jobs(struct run *r) { return give_jobs(r, NULL); }

enum status run_describe_job(struct run *r, struct str id)
{
    struct session_job *j;

    TRY(find_job(r, id, &j));
    return give_jobs(r, j);
}

/* As in Flink the savepoint lies below execution.checkpointing.savepoint-dir, and its path is the answer. */
static enum status stop_with_savepoint(struct run *r, struct session_job *j, bool drains)
{
    static const char *const names[] = {"savepoint path"};
    const struct type *types[] = {&type_string};
    struct system_rows rows = {.a = &r->arena, .columns = COUNT_OF(names)};

    TRY(session_job_stop(j, drains, r->e));
    TRY(run_wait_for_stop(r, j->number));
    j = session_jobs_numbered(&r->s->jobs, j->number);
    ASSERT(j != NULL && j->stopping != NULL);
    if (j->stopping->state != CHECKPOINT_COMPLETED) {
        err_hint(r->e, "%s", j->stopping->err.hint);
        return run_fail(r, r->statement->place, "the job could not be stopped with a savepoint: %s", j->stopping->err.text);
    }
    const char **row = system_row_add(&rows);
    row[0] = arena_strdup(&r->arena, j->stopping->folder);
    return run_give(r, rows.columns, names, types, rows.cells, rows.count);
}

static enum status run_stop_job(struct run *r, const void *body)
{
    const struct stop_job *s = body;
    struct session_job *j;

    TRY(find_job(r, s->job, &j));
    if (s->savepoint && j->background != NULL) return stop_with_savepoint(r, j, s->drain);
    if (j->background != NULL) {
        session_job_cancel(j);
        TRY(run_wait_for_job(r, j->number));
        return run_said(r);
    }
    if (j->was_canceled) return run_said(r);
    return run_fail(r, r->statement->place, "Job cancellation failed because the job has already reached another terminal state (%s).",
                    j->status);
}

const struct executor job_executors[] = {{"stop_job", run_stop_job}, {0}};

/* --- sys.* ------------------------------------------------------------------------------------------------------- */
/* The latest first; with the first one all are brought up to now. */
static const struct session_job *job_at(const struct system_rows *rows, uint32_t index)
{
    struct session_jobs *jobs = &((struct sql_session *)rows->arg)->jobs;

    if (index == 0) session_jobs_look(jobs);
    return session_jobs_at(jobs, index);
}

/* Of tasks that run: one that has ended holds nothing back. */
static const char *watermark_shown(struct system_rows *rows, const struct session_job *j)
{
    int64_t w = j->totals.watermark;

    return j->background == NULL || w == TIME_MIN || w == INT64_MAX ? NULL : system_number(rows, w);
}

static void jobs_rows(struct system_rows *rows)
{
    const struct session_job *j;

    for (uint32_t i = 0; (j = job_at(rows, i)) != NULL; i++) {
        const char **row = system_row_add(rows);
        row[0] = system_number(rows, j->number);
        row[1] = arena_strdup(rows->a, j->id);
        row[2] = arena_strdup(rows->a, j->name);
        row[3] = j->status;
        row[4] = system_number(rows, j->started_ms);
        row[5] = system_number(rows, j->run_ms);
        row[6] = system_number(rows, (int64_t)j->totals.rows_in);
        row[7] = system_number(rows, (int64_t)j->totals.rows_out);
        row[8] = system_number(rows, (int64_t)j->totals.late_dropped);
        row[9] = system_number(rows, (int64_t)j->totals.errors_skipped);
        row[10] = system_number(rows, j->totals.tasks);
        row[11] = watermark_shown(rows, j);
        row[12] = j->failure != NULL ? arena_strdup(rows->a, j->failure->text) : NULL;
    }
}

static const struct system_column jobs_columns[] = {
    {"job_number", "BIGINT NOT NULL", "which job of the session, from 1"},
    {"job_id", "STRING NOT NULL", "32 hexadecimal digits, made of the job's number and name"},
    {"job_name", "STRING NOT NULL", "of what kind of statement it was"},
    {"status", "STRING NOT NULL", "RUNNING, FAILING, CANCELLING, FINISHED, FAILED, CANCELED"},
    {"start_ms", "BIGINT NOT NULL", "when it began: milliseconds since 1970, TO_TIMESTAMP_LTZ(start_ms, 3)"},
    {"run_ms", "BIGINT NOT NULL", "how long it ran, or runs by now"},
    {"rows_in", "BIGINT NOT NULL", "out of its sources"},
    {"rows_out", "BIGINT NOT NULL", "into its sinks"},
    {"late_dropped", "BIGINT NOT NULL", "rows that came too late for their window"},
    {"errors_skipped", "BIGINT NOT NULL", "records that could not be read"},
    {"tasks", "INT NOT NULL", "subtasks of all its vertices"},
    {"watermark_ms", "BIGINT", "the lowest of its tasks while it runs, as start_ms; NULL: there is none yet"},
    {"error", "STRING", "why it failed in the background; NULL: it did not"},
    {0},
};
const struct system_table system_jobs = {"sys", "jobs", "jobs of this session: those that run, and the latest 100 that are over",
                                         jobs_columns, jobs_rows};

static void operators_rows(struct system_rows *rows)
{
    const struct session_job *j;

    for (uint32_t i = 0; (j = job_at(rows, i)) != NULL; i++)
        for (uint32_t k = 0; k < j->operator_count; k++) {
            const char **row = system_row_add(rows);
            row[0] = system_number(rows, j->number);
            row[1] = arena_strdup(rows->a, j->operators[k].id);
            row[2] = arena_strdup(rows->a, j->operators[k].name);
            row[3] = arena_strdup(rows->a, j->operators[k].vertex);
            row[4] = system_number(rows, j->operators[k].parallelism);
            row[5] = system_number(rows, (int64_t)j->operators[k].rows_in);
            row[6] = system_number(rows, (int64_t)j->operators[k].rows_out);
        }
}

static const struct system_column operators_columns[] = {
    {"job_number", "BIGINT NOT NULL", "of sys.jobs"},
    {"operator_id", "STRING NOT NULL", "stable: from its place in the statement"},
    {"operator_name", "STRING NOT NULL", "what it does"},
    {"vertex_name", "STRING NOT NULL", "the chain of operators that runs it"},
    {"parallelism", "INT NOT NULL", "subtasks"},
    {"rows_in", "BIGINT NOT NULL", "that came to it"},
    {"rows_out", "BIGINT NOT NULL", "that left it"},
    {0},
};
const struct system_table system_operators = {"sys", "operators", "operators of the jobs of sys.jobs",
                                              operators_columns, operators_rows};

static void metrics_rows(struct system_rows *rows)
{
    const struct session_job *j;

    for (uint32_t i = 0; (j = job_at(rows, i)) != NULL; i++)
        for (uint32_t k = 0; k < j->metric_count; k++) {
            const struct job_metric *m = &j->metrics[k];
            const char **row = system_row_add(rows);
            row[0] = system_number(rows, j->number);
            row[1] = arena_strdup(rows->a, m->operator_name);
            row[2] = system_number(rows, m->subtask);
            row[3] = arena_strdup(rows->a, m->name);
            row[4] = m->kind;
            row[5] = system_number(rows, m->count);
            if (isfinite(m->value)) row[6] = arena_printf(rows->a, "%.17g", m->value);
        }
}

static const struct system_column metrics_columns[] = {
    {"job_number", "BIGINT NOT NULL", "of sys.jobs"},
    {"operator_name", "STRING NOT NULL", "of sys.operators"},
    {"subtask", "INT NOT NULL", "from 0"},
    {"metric_name", "STRING NOT NULL", "groups and name, parted by dots"},
    {"kind", "STRING NOT NULL", "counter, gauge, meter, histogram"},
    {"metric_count", "BIGINT NOT NULL", "of counters and meters the sum; of histograms how many values there were"},
    {"metric_value", "DOUBLE", "of gauges; of meters per second; of histograms the mean"},
    {0},
};
const struct system_table system_metrics = {"sys", "metrics", "measures of operators of those jobs: by now, or at their ends",
                                            metrics_columns, metrics_rows};
