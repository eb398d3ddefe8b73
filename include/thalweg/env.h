/* env.h - the environment a job is built in, its settings, running it, and what came of it.
 *
 * A program:
 *
 *     TW_JOB(env, argc, argv)
 *     {
 *         struct tw_stream *bids = tw_source(env, "bids", "nexmark",
 *                                            TW_OPTIONS("events.num", "1000", "nexmark.table", "bid"));
 *         tw_print(tw_filter(bids, &expensive));
 *         return tw_execute(env, "expensive bids");
 *     }
 *
 * compiles to a program that is its own embedded cluster, and as a shared object runs under `thalweg run job.so`. */
#pragma once
#include <thalweg/function.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tw_env;

struct tw_here {
    const char *file;
    int line;
};
#define TW_HERE ((struct tw_here){__FILE__, __LINE__})

/* Pairs of key and value, by the connectors' option names. */
struct tw_options {
    const char *const *items; /* key, value, key, value... */
    uint32_t count;           /* of items */
};
#define TW_OPTIONS(...)                                                                                                \
    ((struct tw_options){(const char *const[]){__VA_ARGS__},                                                           \
                         sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)})
#define TW_NO_OPTIONS ((struct tw_options){NULL, 0})

struct tw_plugin {
    uint32_t abi;
    int (*job)(struct tw_env *env, int argc, char **argv);
    const struct tw_function_entry *first, *end;
};
/* Runs a job as a program: reads `-D key=value`, `--config FILE`, `--parallelism N`, `--quiet`, `--help`; the rest of
 * the arguments goes to the job. Answers the exit status and prints errors. */
TW_API int tw_main(const struct tw_plugin *plugin, int argc, char **argv);
#define TW_JOB(env, argc, argv)                                                                                        \
    static int tw_job_body(struct tw_env *env, int argc, char **argv);                                                 \
    TW_API extern const struct tw_plugin tw_plugin;                                                                    \
    const struct tw_plugin tw_plugin = {TW_ABI, tw_job_body, __start_tw_functions, __stop_tw_functions};               \
    int main(int argc, char **argv);                                                                                   \
    int main(int argc, char **argv) { return tw_main(&tw_plugin, argc, argv); }                                        \
    static int tw_job_body(__attribute__((unused)) struct tw_env *env, __attribute__((unused)) int argc,               \
                           __attribute__((unused)) char **argv)

/* --- environment -------------------------------------------------------------------------------------------------- */
/* Never NULL. It owns all streams, results and texts that come from it, and is used by one thread (tw_cancel by any);
 * several may stand side by side. Functions are found by name in the program's own table, first to end. */
TW_API struct tw_env *tw_env_create_in(const struct tw_function_entry *first, const struct tw_function_entry *end);
#define tw_env_create() tw_env_create_in(__start_tw_functions, __stop_tw_functions)
/* Everything that belongs to it is gone with it; NULL is a no-op. Jobs of INSERTs that go on in the background: those that come to an
 * end by themselves are waited for (tw_cancel, ctrl-c and SIGTERM end that), and their failures told on standard error; others are
 * canceled. */
TW_API void tw_env_free(struct tw_env *env);
/* Configuration by Flink's keys ("parallelism.default"); an unknown key is an error with a suggestion. */
TW_API void tw_set_at(struct tw_env *env, const char *key, const char *value, struct tw_here h);
#define tw_set(env, key, value) tw_set_at(env, key, value, TW_HERE)
/* Of operators that say nothing else by tw_parallelism, tw_max_parallelism: 1 to 4096, 1 to 32768. */
TW_API void tw_set_parallelism_at(struct tw_env *env, uint32_t parallelism, struct tw_here h);
TW_API void tw_set_max_parallelism_at(struct tw_env *env, uint32_t max_parallelism, struct tw_here h);
#define tw_set_parallelism(env, parallelism) tw_set_parallelism_at(env, parallelism, TW_HERE)
#define tw_set_max_parallelism(env, max_parallelism) tw_set_max_parallelism_at(env, max_parallelism, TW_HERE)
/* Every operator becomes a task of its own. */
TW_API void tw_disable_chaining(struct tw_env *env);
/* For the functions, which read it with tw_job_parameter; both texts are copied. */
TW_API void tw_set_job_parameter_at(struct tw_env *env, const char *key, const char *value, struct tw_here h);
#define tw_set_job_parameter(env, key, value) tw_set_job_parameter_at(env, key, value, TW_HERE)

/* Distributed cache: functions find the file by its name with tw_cached_file. It must be there when the job starts. Same
 * as an entry "name:NAME,path:PATH" of pipeline.cached-files; neither holds ',' or ';'. */
TW_API void tw_register_cached_file_at(struct tw_env *env, const char *path, const char *name, struct tw_here h);
#define tw_register_cached_file(env, path, name) tw_register_cached_file_at(env, path, name, TW_HERE)

/* What came of the latest job that ran, however it ended. */
struct tw_result {
    const char *job_name, *status; /* FINISHED, FAILED, CANCELED */
    uint64_t rows_in, rows_out;           /* by all sources; into all sinks */
    uint64_t late_dropped, late_refired;  /* rows too late for every window; firings that late rows caused */
    double seconds;
    const char *job_id; /* see tw_job_id */
};
/* A task of the latest job: one subtask of a chain of operators. Its states are those of Flink's ExecutionState. */
enum tw_task_state {
    TW_TASK_CREATED,      /* the job was submitted */
    TW_TASK_SCHEDULED,    /* it runs, and the task waits for a slot */
    TW_TASK_DEPLOYING,    /* it has one, and is handed to the task manager */
    TW_TASK_INITIALIZING, /* functions are opened */
    TW_TASK_RUNNING,
    TW_TASK_FINISHED,
    TW_TASK_CANCELING, /* it was told to end: the job was canceled, or another task failed */
    TW_TASK_CANCELED,
    TW_TASK_FAILED,
    TW_TASK_RECONCILING, /* never in a job that runs in this process */
    TW_TASK_STATES,
};
TW_API const char *tw_task_state_name(enum tw_task_state state); /* "RUNNING" */
struct tw_task {
    const char *name;      /* of the chain: "Source: bids -> Filter" */
    uint32_t vertex;       /* which chain, from 0, sources first */
    uint32_t subtask, parallelism;
    uint32_t attempt, slot; /* from 0; the slot is known from DEPLOYING on */
    enum tw_task_state state;
    int64_t since_ms[TW_TASK_STATES]; /* when it got to each state, ms since 1970; 0 = never */
};
/* registerJobListener: whom to tell, in the order of registration, on the thread that runs the job. Each may be NULL.
 * No call on `env` is allowed in them but tw_cancel and those that answer accumulators, metrics and tasks. */
struct tw_job_listener {
    /* The job was handed over; or it was refused, then `error` says why, else NULL. A mistake of the graph is told by
     * tw_execute alone: nothing was handed over. */
    void (*submitted)(void *arg, const char *job_id, const char *job_name, const char *error);
    /* The job that tw_execute waited for is over, `result->status` says how; `error` NULL when it FINISHED. As in Flink
     * not called after tw_execute_async. */
    void (*executed)(void *arg, const struct tw_result *result, const char *error);
    void *arg;
    /* A task has got from one state to the next, task->state. Between submitted and executed. */
    void (*task_moved)(void *arg, const struct tw_task *task, enum tw_task_state from);
};
/* Of all jobs of this environment from now on; 16 at most. */
TW_API void tw_register_job_listener_at(struct tw_env *env, struct tw_job_listener l, struct tw_here h);
#define tw_register_job_listener(env, ...)                                                                             \
    tw_register_job_listener_at(env, (struct tw_job_listener){__VA_ARGS__}, TW_HERE)
TW_API void tw_clear_job_listeners(struct tw_env *env);
/* Builds the job, runs it in this process and waits. 0 when it finished; else 1, and tw_error says what and where.
 * Prints the error on stderr unless tw_quiet was set. A job that ends while a callback never returns cannot be taken
 * down: after task.cancellation.timeout (3 min; 0 = never) the error is printed and the process ends with 1. */
TW_API int tw_execute(struct tw_env *env, const char *job_name);
/* executeAsync: starts the job on a thread of its own, where the functions of tw_collect_to are then called. 0 when it
 * runs; else 1, and tw_error says why. While it runs, only tw_job_status, tw_error, tw_cancel, tw_wait
 * and what answers accumulators, metrics and tasks may be called for `env`. To build, set or execute something is a mistake:
 * "job 'x' still runs; call tw_wait or tw_cancel first". tw_execute says so at once; of other calls tw_error tells it, and
 * the next tw_execute after that job. A job that is over, or was canceled, is waited for instead. */
TW_API int tw_execute_async(struct tw_env *env, const char *job_name);
/* Waits until that job is over, then answers as tw_execute does; 1 when there is none. */
TW_API int tw_wait(struct tw_env *env);
/* A savepoint of that job while it runs, from any thread; waits for it. It is made in a folder of its own in `folder` (NULL:
 * execution.checkpointing.savepoint-dir) and stays until somebody deletes it. 0: `text` is its path, with which
 * execution.state-recovery.path begins a job; 1: `text` says why there is none. The job needs execution.checkpointing.interval.
 * A job that does not run yet is waited for. Until this has returned, `env` is neither given another job nor freed. */
TW_API int tw_savepoint(struct tw_env *env, const char *folder, char *text, size_t size);
/* The same, and the job ends with it: nothing is read behind it, sinks commit what came before, and the job is FINISHED when this
 * returns 0. drain: its sources end before, as if there was no more input: the last watermark comes, windows fire, and the savepoint
 * is that of a job which is not to be gone on with. Where the savepoint fails the job fails with it, and is started anew as its restart
 * strategy says. */
TW_API int tw_stop_with_savepoint(struct tw_env *env, const char *folder, bool drain, char *text, size_t size);
/* A checkpoint of that job now, besides those of its interval, in the job's own folder; the same answers. */
TW_API int tw_checkpoint(struct tw_env *env, char *text, size_t size);
/* That job goes on with another parallelism: it takes a checkpoint, stands still, and goes on from that; nothing is lost or done twice.
 * vertex NULL: of all operators that have the job's parallelism and none of their own; else of those of that vertex, by its id or name as
 * plans show them. Waits until all tasks run again. 0: `text` says for how long the job stood still; 1: why it goes on as before. The
 * max parallelism is the limit; the job needs execution.checkpointing.interval. */
TW_API int tw_rescale_job(struct tw_env *env, uint32_t parallelism, const char *vertex, char *text, size_t size);
/* RUNNING, FINISHED, FAILED or CANCELED; "" before the first job. */
TW_API const char *tw_job_status(struct tw_env *env);
/* The index-th task of the latest job, by vertex and subtask, as it stands; false behind the last. While the job runs and when
 * it is over, from any thread. The name is valid until the next job. */
TW_API bool tw_job_task(struct tw_env *env, uint32_t index, struct tw_task *out);
/* NULL before the first job ran, and while one runs; valid until the next one or tw_env_free. */
TW_API const struct tw_result *tw_job_result(struct tw_env *env);
/* Of the latest job, with file and line of the call or with operator, key and row; "" when there is none. Valid until
 * the next call. */
TW_API const char *tw_error(struct tw_env *env);
TW_API void tw_quiet(struct tw_env *env, bool quiet);
/* tw_quiet was set, or the program was started with --quiet. */
TW_API bool tw_is_quiet(const struct tw_env *env);
/* Accumulators of the latest job, merged over subtasks; false when there is none of that name and kind. As a double,
 * also a counter, the mean of an average, and how many values a histogram has.
 * Like metrics they may be asked for while the job runs (tw_execute_async), from any thread: they are as after each
 * operator's latest batch, or the latest slice of one that takes long. A histogram of more than 256 values may be behind
 * by as many additions as it has values; ask for one value after another when the job is over. When the job is over
 * they are exact, however it ended: what subtasks that failed or were canceled had counted is in them.
 * tw_accumulator_long: counters, minima and maxima of whole numbers; tw_accumulator_double answers any kind. */
TW_API bool tw_accumulator_long(struct tw_env *env, const char *name, int64_t *value);
TW_API bool tw_accumulator_double(struct tw_env *env, const char *name, double *value);
/* The index-th value of a histogram, ascending, and how often it was added; false behind the last. */
TW_API bool tw_accumulator_histogram(struct tw_env *env, const char *name, uint32_t index, int32_t *value,
                                     int64_t *count);
/* What functions measured (see metrics in context.h), while the job runs and when it is over, however it ended. Histograms
 * describe their latest values, 1,024 at most. Windows count themselves: numLateRecordsDropped, rows too late that no side
 * output took. Operators with state have a gauge stateBytes: its keys, rows and indexes in memory. */
enum tw_metric_kind { TW_COUNTER, TW_GAUGE, TW_METER, TW_HISTOGRAM };
enum { TW_METRIC_NAME_SIZE = 513 };
struct tw_metric_variable {
    const char *key, *value; /* "<task_name>", "Source: bids -> Filter" */
};
struct tw_metric_value {
    const char *operator_name;
    char name[TW_METRIC_NAME_SIZE]; /* with its groups: "kafka.polls" */
    uint32_t subtask;               /* from 0 */
    enum tw_metric_kind kind;
    int64_t count; /* counter: the sum; meter: how much happened; histogram: how many values there were */
    double value;  /* gauge; counter: the sum; meter: per second over the last minute, or less if it ran shorter */
    uint32_t values; /* histogram: how many the following describe */
    int64_t min, max;
    double mean, stddev, p50, p75, p95, p98, p99, p999;
    const struct tw_metric_variable *variables; /* Flink's scope variables, then those of tw_metric_variable, then of groups */
    uint32_t variable_count;
};
/* The index-th of the latest job, by operator, subtask and name; false behind the last. Texts are valid until the next
 * job. */
TW_API bool tw_job_metric(struct tw_env *env, uint32_t index, struct tw_metric_value *out);
/* The value of a variable of m; NULL when it has none of that key. */
TW_API const char *tw_find_variable(const struct tw_metric_value *m, const char *key);
/* The one of that operator's subtask and name; false when there is none. */
TW_API bool tw_find_metric(struct tw_env *env, const char *operator_name, uint32_t subtask, const char *name,
                           struct tw_metric_value *out);
/* Asks a running job to stop, from a signal handler, another thread, or after tw_execute_async. */
TW_API void tw_cancel(struct tw_env *env);
/* The graph as Flink's JSON plan; freed with the environment. NULL on a mistake, see tw_error. */
TW_API const char *tw_plan(struct tw_env *env);

#ifdef __cplusplus
}
#endif
