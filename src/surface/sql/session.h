/* session.h - a SQL session: catalogs, configuration, and running statements one after another. One thread. */
#pragma once
#include "columns/column/zone.h"
#include "control/config.h"
#include "control/taskmanager/taskmanager.h"
#include "language/sql/bind_query.h"
#include "language/sql/statement.h"
#include "surface/api/remote_job.h"

struct sql_session;
struct tw_function_entry;

/* What a statement answers, as it comes. Called on the session's thread. */
struct sql_listener {
    void *arg;
    /* The columns of rows to come; also for SHOW and the like. */
    enum status (*begin)(void *arg, const struct type *row, bool is_changelog, struct err *e);
    enum status (*rows)(void *arg, const struct batch *b, struct err *e);
    enum status (*end)(void *arg, struct err *e);                    /* the last row has come */
    enum status (*said)(void *arg, const char *text, struct err *e); /* "[INFO] Execute statement succeeded." */
    /* Before a query begins: does it take rows back? NULL: it is not asked. */
    void (*plan)(void *arg, bool has_changes);
    /* What a job changed, or will change: tables by their whole names (EXECUTE PLAN: none are said). job: its number while it goes on
     * in the background; 0: it has ended. NULL: nobody asks. */
    void (*changed)(void *arg, uint32_t table_count, const char *const *tables, int64_t job);
    /* The statement waits for that job, which must end first. NULL: nobody asks. */
    void (*waiting)(void *arg, const char *job_id);
    bool waits; /* for the jobs of INSERTs, whatever table.dml-sync says */
    /* While a job runs, every tick_ms, also when no row comes. NULL: never. */
    void (*tick)(void *arg, const struct job_totals *totals);
    int64_t tick_ms;
};

struct sql_session_options {
    struct sys *sys;
    struct log *log; /* may be NULL */
    bool takes_signals;
    const struct sys_atomic_u64 *cancelled; /* not 0 = stop the running job; may be NULL */
    void (*say)(void *arg, const char *line); /* what a job begins with, and that it is started anew: for people; NULL: nobody asks */
    void *say_arg;
    const struct tw_function_entry *functions, *functions_end; /* of the program whose streams are tables; NULL: none */
    struct api_remote remote; /* where jobs run that do not run in this process */
};

struct sql_session *sql_session_create(const struct sql_session_options *o);
void sql_session_free(struct sql_session *s); /* NULL is a no-op */
struct config *sql_session_config(struct sql_session *s);
/* Of table.local-time-zone: what instants are shown in. As of the statement that runs or ran last; lives as long as s. */
const struct zone *sql_session_zone(const struct sql_session *s);
struct catalogs *sql_session_catalogs(struct sql_session *s);
/* The names of functions of users that a call may use without saying where they are. */
void sql_session_each_function(const struct sql_session *s, void (*fn)(void *arg, const char *name), void *arg);
/* A temporary system function of the program, which lives as long as the session. */
struct tw_sql_entry;
enum status sql_session_add_function(struct sql_session *s, const char *name, const struct tw_sql_entry *entry, struct err *e) CHECKED;
const struct fn_users *sql_session_users(const struct sql_session *s); /* what functions of users mean; for jobs of its plans */
/* As SET does, with the same words about what is wrong. */
enum status sql_session_set(struct sql_session *s, const char *key, const char *value, struct err *e) CHECKED;
/* Is it a key that nothing reads, or one that changes nothing? The text says so, and which one may have been meant, or what holds. */
enum { SQL_DOUBT_MAX = 512 };
bool sql_session_doubts(const char *key, const char *value, char text[static SQL_DOUBT_MAX]);
/* What stopped the job of the statement that ran last, when that was a signal. */
enum sys_signal sql_session_signal(const struct sql_session *s);
/* --- jobs in the background: INSERTs are not waited for, unless table.dml-sync says so ----------------------------- */
uint32_t sql_session_running(struct sql_session *s); /* how many run */
struct sql_failed_job {
    const char *id, *name;
    const struct err *why;
};
/* The next one that failed without anybody having been told; good until the next call. False: there is none. */
bool sql_session_failed(struct sql_session *s, struct sql_failed_job *out);
const char *sql_session_job_id(const struct sql_session *s, int64_t job); /* "": it is not known any more */
bool sql_session_is_running(struct sql_session *s, int64_t job);
/* Waits for one; its failure is the answer. A signal, and `cancelled`, cancel it. */
enum status sql_session_await(struct sql_session *s, int64_t job, struct err *e) CHECKED;
/* Waits until none runs, or one has failed and is to be told. A signal, and `cancelled`, cancel them all: E_CANCELED. */
enum sql_finish { SQL_FINISH_WAIT, SQL_FINISH_ENDING /* those without an end are canceled */, SQL_FINISH_CANCEL /* all are */ };
enum status sql_session_finish(struct sql_session *s, enum sql_finish how, struct err *e) CHECKED;

/* Runs one statement to its end, but for jobs in the background. E_CANCELED: somebody stopped its job. */
enum status sql_session_run(struct sql_session *s, const struct tokens *t, const struct statement *st,
                            const struct sql_listener *to, struct err *e) CHECKED;
