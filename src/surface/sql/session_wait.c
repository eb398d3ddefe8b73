/* session_wait.c - waiting for jobs in the background: by a statement that reads what one of them writes, by who stops one, by who
 * wants them all to have ended.
 *
 * A statement waits for the jobs of before that write where its tables lie, as long as these come to an end by themselves: so a script
 * whose INSERT fills what the next statement reads gives the same rows whether INSERTs are waited for or not, and others run side by
 * side. A failure of such a job is one of the statement. Signals are looked at LOOK_NS after the last end of a job at the latest. */
#include "surface/sql/session_internal.h"

#include "ground/base/str.h"

#define LOOK_NS INT64_C(20000000)

/* Waits a moment for the end of any job. E_CANCELED: nobody wants to wait. */
static enum status wait_a_moment(struct sql_session *s, struct err *e)
{
    bool is_wanted = s->options.cancelled != NULL && sys_atomic_load(s->options.cancelled) != 0;

    (void)session_jobs_ended(&s->jobs, LOOK_NS);
    if (s->options.takes_signals && s->signal == SYS_SIGNAL_NONE) s->signal = sys_signal_take(s->options.sys);
    return s->signal == SYS_SIGNAL_NONE && !is_wanted ? S_OK : err_set(e, E_CANCELED, "canceled");
}

static bool runs(const struct sql_session *s, int64_t number)
{
    const struct session_job *j = session_jobs_numbered(&s->jobs, number);

    return j != NULL && j->background != NULL;
}

static enum status wait_for(struct sql_session *s, int64_t number, struct err *e)
{
    while (runs(s, number)) TRY(wait_a_moment(s, e));
    return S_OK;
}

static enum status tell_failure(struct session_job *j, struct err *e)
{
    j->is_told = true;
    return err_pass_on(e, j->failure);
}

/* --- statements -------------------------------------------------------------------------------------------------- */
enum status run_wait_for_job(struct run *r, int64_t number)
{
    const struct session_job *j = session_jobs_numbered(&r->s->jobs, number);

    if (j != NULL && j->background != NULL && r->to != NULL && r->to->waiting != NULL)
        r->to->waiting(r->to->arg, j->id);
    return wait_for(r->s, number, r->e);
}

enum status run_wait_for_stop(struct run *r, int64_t number)
{
    const struct session_job *j;

    for (;;) {
        session_jobs_look(&r->s->jobs);
        j = session_jobs_numbered(&r->s->jobs, number);
        if (j == NULL || j->stopping->state == CHECKPOINT_FAILED) return S_OK; /* it runs on, or failed, too */
        if (j->background == NULL) return S_OK;
        TRY(wait_a_moment(r->s, r->e));
    }
}

static bool lies_in(uint32_t count, const char *const *places, const char *place)
{
    bool found = false;

    for (uint32_t i = 0; i < count && !found; i++) found = job_places_touch(places[i], place);
    return found;
}

/* The first job that must have ended, or whose failure must be known, before a statement touches the place. */
static struct session_job *blocking(struct session_jobs *jobs, const char *place, bool replaces)
{
    for (uint32_t i = 0; i < jobs->count; i++) {
        struct session_job *j = jobs->items[i];
        bool counts = j->background != NULL ? j->places.ends : j->failure != NULL && !j->is_told;
        if (counts && lies_in(j->places.written_count, j->places.written, place)) return j;
        if (j->background != NULL && counts && replaces && lies_in(j->places.read_count, j->places.read, place))
            return j;
    }
    return NULL;
}

static enum status wait_for_place(struct run *r, const char *place, bool replaces)
{
    struct session_job *j;

    while (session_jobs_ended(&r->s->jobs, 0)) continue;
    while (place != NULL && (j = blocking(&r->s->jobs, place, replaces)) != NULL) {
        if (j->background != NULL) {
            TRY(run_wait_for_job(r, j->number));
        } else {
            enum status st = tell_failure(j, r->e);
            err_wrap(r->e, "job '%s'", j->name);
            return st;
        }
    }
    return S_OK;
}

enum status run_wait_for_table(struct run *r, const struct table *t, bool replaces)
{
    if (r->s->jobs.count == 0) return S_OK;
    return wait_for_place(r, job_place(table_option(t, "connector"), &t->options, r->s->options.sys, &r->arena),
                          replaces);
}

enum status run_wait_for_file(struct run *r, struct str file)
{
    if (r->s->jobs.count == 0) return S_OK;
    return wait_for_place(r, job_place_of_file(run_text(r, file), r->s->options.sys, &r->arena), false);
}

enum status run_wait_for_graph(struct run *r, const struct graph *g)
{
    struct job_places p;

    if (r->s->jobs.count == 0) return S_OK;
    job_places_of(g, r->s->options.sys, &r->arena, &p);
    for (uint32_t i = 0; i < p.read_count; i++) TRY(wait_for_place(r, p.read[i], false));
    for (uint32_t i = 0; i < p.written_count; i++) TRY(wait_for_place(r, p.written[i], false));
    return S_OK;
}

/* The oldest job that runs and comes to an end. */
static const struct session_job *ending(const struct session_jobs *jobs)
{
    for (uint32_t i = 0; i < jobs->count; i++)
        if (jobs->items[i]->background != NULL && jobs->items[i]->places.ends) return jobs->items[i];
    return NULL;
}

enum status run_wait_for_room(struct run *r)
{
    struct session_jobs *jobs = &r->s->jobs;
    uint32_t failed;

    while (session_jobs_ended(jobs, 0)) continue;
    struct session_job *first = session_jobs_untold(jobs, &failed);
    if (failed > 0 && failed + jobs->running >= SESSION_JOBS_MAX) return tell_failure(first, r->e); /* what is not told would be forgotten */
    while (jobs->running >= SESSION_JOBS_RUNNING_MAX) {
        const struct session_job *j = ending(jobs);
        if (j == NULL) {
            err_hint(r->e, "SHOW JOBS lists them, STOP JOB ends one");
            return run_fail(r, r->statement->place,
                            "a session runs at most %d jobs at a time, and those that run do not end by themselves",
                            SESSION_JOBS_RUNNING_MAX);
        }
        TRY(run_wait_for_job(r, j->number));
    }
    return S_OK;
}

/* --- from outside ------------------------------------------------------------------------------------------------ */
uint32_t sql_session_running(struct sql_session *s)
{
    while (session_jobs_ended(&s->jobs, 0)) continue;
    return s->jobs.running;
}

bool sql_session_failed(struct sql_session *s, struct sql_failed_job *out)
{
    uint32_t count;

    while (session_jobs_ended(&s->jobs, 0)) continue;
    struct session_job *j = session_jobs_untold(&s->jobs, &count);
    if (j == NULL) return false;
    j->is_told = true;
    *out = (struct sql_failed_job){j->id, j->name, j->failure};
    return true;
}

bool sql_session_is_running(struct sql_session *s, int64_t job)
{
    while (session_jobs_ended(&s->jobs, 0)) continue;
    return runs(s, job);
}

const char *sql_session_job_id(const struct sql_session *s, int64_t job)
{
    const struct session_job *j = session_jobs_numbered(&s->jobs, job);

    return j != NULL ? j->id : "";
}

enum status sql_session_await(struct sql_session *s, int64_t job, struct err *e)
{
    s->signal = SYS_SIGNAL_NONE;
    enum status st = wait_for(s, job, e);
    struct session_job *j = session_jobs_numbered(&s->jobs, job);

    if (st != S_OK) {
        if (j != NULL) session_job_cancel(j);
        while (runs(s, job)) (void)session_jobs_ended(&s->jobs, INT64_MAX);
        return st;
    }
    if (j != NULL && j->failure != NULL) return tell_failure(j, e);
    return j != NULL && j->was_canceled ? err_set(e, E_CANCELED, "canceled") : S_OK;
}

static void cancel_jobs(struct sql_session *s, bool all)
{
    for (uint32_t i = 0; i < s->jobs.count; i++)
        if (all || !s->jobs.items[i]->places.ends) session_job_cancel(s->jobs.items[i]);
}

enum status sql_session_finish(struct sql_session *s, enum sql_finish how, struct err *e)
{
    enum status st = S_OK;
    uint32_t failed = 0;

    if (how != SQL_FINISH_WAIT) cancel_jobs(s, how == SQL_FINISH_CANCEL);
    if (how != SQL_FINISH_CANCEL) s->signal = SYS_SIGNAL_NONE; /* that of a statement was told */
    while (s->jobs.running > 0 && how != SQL_FINISH_CANCEL && st == S_OK && failed == 0) {
        st = wait_a_moment(s, e);
        (void)session_jobs_untold(&s->jobs, &failed);
    }
    if (st != S_OK) cancel_jobs(s, true);
    while (s->jobs.running > 0 && (st != S_OK || how == SQL_FINISH_CANCEL)) (void)session_jobs_ended(&s->jobs, INT64_MAX);
    return st;
}
