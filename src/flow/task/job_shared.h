/* job_shared.h - what the tasks of one job in one process have in common: name and parameters, objects that are made once
 * (enumerators, alignment groups), accumulators, and queues of rows for the caller of the job (row_queues.h).
 *
 * Made by the job's task manager before its tasks, freed after them. Everything may be called from any thread; what is
 * marked (lock) wants job_lock held, which is held briefly and never while waiting. */
#pragma once
#include "columns/column/batch.h"
#include "flow/task/accumulators.h"
#include "flow/task/metrics.h"
#include "flow/task/row_queues.h"
#include "ground/base/option.h"
#include "ground/sys/sys.h"

struct job_shared;
struct job_shared *job_shared_create(struct sys *sys, const char *name, const struct options *parameters);
void job_shared_free(struct job_shared *j); /* ends the objects, latest first; NULL is a no-op */

const char *job_shared_name(const struct job_shared *j);
const char *job_shared_id(const struct job_shared *j); /* 32 hexadecimal digits, a hash of the name and the number */
const char *job_cached_file(const struct job_shared *j, const char *name); /* its path; NULL when there is none */
struct metrics *job_metrics(struct job_shared *j);
struct sys *job_sys(const struct job_shared *j);
struct op_cx;
struct metric_owner job_metric_owner(const struct op_cx *op); /* of measures of that operator's subtask */
const char *job_shared_parameter(const struct job_shared *j, const char *key); /* NULL when it was not given */

/* What the job's configuration says to operators. */
struct job_settings {
    int64_t commit_retries;      /* sink.committer.retries */
    bool allow_unaligned_splits; /* pipeline.watermark-alignment.allow-unaligned-source-splits */
    struct options cached_files; /* pipeline.cached-files: name and path */
    int64_t job_number;          /* among the jobs of a session; 0: it is of none */
    const char *host, *resource_id; /* of the task manager, for metrics: taskmanager.host, .resource-id */
    const char *job_id;          /* 32 hexadecimal digits; NULL: made from name and number */
};
void job_shared_configure(struct job_shared *j, const struct job_settings *s); /* before its tasks are made */
struct job_settings job_settings(const struct job_shared *j); /* NULL and without configure: the defaults */

/* Commits begin when every task has handed on all it had. task_create counts; a task that reached its end says so once;
 * who waits for the others is unparked (`waiting` may be NULL) when it is time. Behind a committer begins another stage:
 * its rows come when the commits of the stage before are made, so each stage waits for itself and those before. */
enum { JOB_STAGES_MAX = 64 };
void job_task_made(struct job_shared *j, uint32_t stage);
void job_task_through(struct job_shared *j, uint32_t stage);
bool job_is_through(struct job_shared *j, uint32_t stage, struct sys_parker *waiting);

/* The job starts anew: what its tasks had in common is gone: objects, counts, who waits. Its tasks are
 * freed, the next ones not made yet. Measures stay as they are. */
void job_shared_restart(struct job_shared *j);

void job_lock(struct job_shared *j);
void job_unlock(struct job_shared *j);
struct mem *job_mem(struct job_shared *j); /* (lock) lives as long as the job */
/* (lock) The object of that key, e.g. "enumerator/<uid>"; made cleared by the first who asks, then *made is true. `end`
 * (may be NULL) is called once, by job_shared_free. Every caller gives the same size. */
void *job_object(struct job_shared *j, const char *key, size_t size, void (*end)(void *object), bool *made);
/* (lock) Those whose key begins so, with what follows in it. */
void job_each_object(struct job_shared *j, const char *prefix, void (*fn)(void *arg, const char *name, void *object), void *arg);
void *job_object_find(struct job_shared *j, const char *key); /* (lock) NULL: nobody has asked for it */

/* Accumulators. What an instance counts is its own; copies of it are shown to those who look while the job runs, and it is
 * added to the job's when the instance closes. All three lock. */
void job_counts_show(struct job_shared *j, struct instance_counts *list); /* those of an operator that changed */
/* The instance closes: what was shown of it goes, and what it counted is added, if `add`. */
enum status job_counts_end(struct job_shared *j, struct instance_counts *c, bool add, struct err *e) CHECKED;
/* At any time: the one of that name, merged over all instances into `out`, which is empty before; none = stays empty. */
enum status job_accumulator_now(struct job_shared *j, const char *name, struct accumulators *out, struct err *e) CHECKED;
enum status job_accumulators_now(struct job_shared *j, struct accumulators *out, struct err *e) CHECKED; /* all of them, added to out */
/* What instances elsewhere have counted, when their tasks have ended. */
enum status job_accumulators_add(struct job_shared *j, const struct accumulators *from, struct err *e) CHECKED;
const struct accumulators *job_accumulators(const struct job_shared *j); /* when no task runs any more */

/* Rows for the program that runs the job. Its own, unless the program's were given before tasks run; those outlive the job. */
struct row_queues *job_row_queues(struct job_shared *j);
void job_use_row_queues(struct job_shared *j, struct row_queues *given);
