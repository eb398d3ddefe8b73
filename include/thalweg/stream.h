/* stream.h - environments and streams: sources, transformations, partitioning, sinks, execution.
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
struct tw_stream; /* plain or keyed */

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
TW_API struct tw_env *tw_env_create_in(const struct tw_function_entry *first, const struct tw_function_entry *end);
#define tw_env_create() tw_env_create_in(__start_tw_functions, __stop_tw_functions)
TW_API void tw_env_free(struct tw_env *env);
/* Configuration by Flink's keys ("parallelism.default"); an unknown key is an error with a suggestion. */
TW_API void tw_set(struct tw_env *env, const char *key, const char *value);
TW_API void tw_set_parallelism(struct tw_env *env, uint32_t parallelism);
TW_API void tw_set_max_parallelism(struct tw_env *env, uint32_t max_parallelism);
TW_API void tw_disable_chaining(struct tw_env *env);
TW_API void tw_set_job_parameter(struct tw_env *env, const char *key, const char *value);

/* Result of a finished job: accumulators and counters. Valid until tw_env_free. */
struct tw_result {
    const char *job_name, *status; /* FINISHED, FAILED, CANCELED */
    uint64_t rows_in, rows_out, late_dropped, late_refired;
    double seconds;
};
/* Builds the job, runs it in this process and waits. 0 when it finished; else 1, and tw_error says what and where.
 * Prints the error on stderr unless tw_quiet was set. A job that ends while a callback never returns cannot be taken down:
 * after task.cancellation.timeout (3 min; 0 = never) the error is printed and the process ends with 1. */
TW_API int tw_execute(struct tw_env *env, const char *job_name);
/* executeAsync: starts the job on a thread of its own, where the functions of tw_collect_to are then called. 0 when it runs;
 * else 1, and tw_error says why. Until tw_wait only tw_job_status, tw_cancel and tw_wait may be called for `env`. */
TW_API int tw_execute_async(struct tw_env *env, const char *job_name);
TW_API int tw_wait(struct tw_env *env); /* until that job is over: then as tw_execute. 1 when there is none */
TW_API const char *tw_job_status(struct tw_env *env); /* RUNNING, FINISHED, FAILED, CANCELED; "" before the first job */
TW_API const struct tw_result *tw_job_result(struct tw_env *env);
TW_API const char *tw_error(struct tw_env *env); /* "" when there is none */
TW_API void tw_quiet(struct tw_env *env, bool quiet);
TW_API bool tw_is_quiet(const struct tw_env *env); /* tw_quiet was set, or the program was started with --quiet */
TW_API bool tw_accumulator_long(struct tw_env *env, const char *name, int64_t *value);
TW_API bool tw_accumulator_double(struct tw_env *env, const char *name, double *value);
/* The index-th value of a histogram, ascending, and how often it was added; false behind the last. */
TW_API bool tw_accumulator_histogram(struct tw_env *env, const char *name, uint32_t index, int32_t *value,
                                     int64_t *count);
/* Asks a running job to stop, from a signal handler, another thread, or after tw_execute_async. */
TW_API void tw_cancel(struct tw_env *env);
/* The graph as Flink's JSON plan; freed with the environment. NULL on a mistake, see tw_error. */
TW_API const char *tw_plan(struct tw_env *env);

/* --- watermarks --------------------------------------------------------------------------------------------------- */
enum tw_watermark_kind { TW_WM_NONE, TW_WM_MONOTONOUS, TW_WM_BOUNDED, TW_WM_FUNCTION };
struct tw_watermarks {
    enum tw_watermark_kind kind;
    int64_t out_of_orderness_ms;
    const char *time_field;               /* column with the event time (TIMESTAMP, TIMESTAMP_LTZ, or BIGINT ms) */
    const struct tw_function *function;   /* timestamp and/or watermark hooks; instead of time_field */
    int64_t idleness_ms;                  /* 0 = never idle */
    uint32_t every_rows;                  /* emit by row count: results do not depend on timing; 0 = periodically */
    const char *alignment_group;
    int64_t alignment_max_drift_ms, alignment_interval_ms;
};

/* --- sources ------------------------------------------------------------------------------------------------------ */
/* `name` is shown and identifies; `connector` by its SQL name (filesystem, nexmark, datagen, socket, ...). The row type
 * of connectors without a fixed schema is given by tw_source_rows. Connector "hybrid" reads several, one after another. */
TW_API struct tw_stream *tw_source_at(struct tw_env *env, const char *name, const char *connector, struct tw_options o,
                                      struct tw_here h);
TW_API struct tw_stream *tw_source_rows_at(struct tw_env *env, const char *name, const char *connector,
                                           const struct tw_row *row, struct tw_options o, struct tw_here h);
TW_API struct tw_stream *tw_source_function_at(struct tw_env *env, const char *name, const struct tw_function *f,
                                               struct tw_here h);
TW_API struct tw_stream *tw_from_data_at(struct tw_env *env, const struct tw_row *row, const void *rows,
                                         uint32_t count, struct tw_here h);
/* One column `value` BIGINT NOT NULL, from `from` to `to`, both included. */
TW_API struct tw_stream *tw_from_sequence_at(struct tw_env *env, int64_t from, int64_t to, struct tw_here h);
/* At a source: per split; elsewhere assignTimestampsAndWatermarks.
 *     tw_with_watermarks(bids, .kind = TW_WM_BOUNDED, .out_of_orderness_ms = TW_SECONDS(5), .time_field = "time") */
TW_API struct tw_stream *tw_with_watermarks_at(struct tw_stream *s, struct tw_watermarks w, struct tw_here h);
/* At a source: so many rows per second, all subtasks together, evenly. */
TW_API struct tw_stream *tw_rate_limit_at(struct tw_stream *s, double rows_per_second, struct tw_here h);
#define tw_rate_limit(s, rows_per_second) tw_rate_limit_at(s, rows_per_second, TW_HERE)
#define tw_source(env, name, connector, options) tw_source_at(env, name, connector, options, TW_HERE)
#define tw_source_rows(env, name, connector, row, options)                                                             \
    tw_source_rows_at(env, name, connector, row, options, TW_HERE)
#define tw_source_function(env, name, f) tw_source_function_at(env, name, f, TW_HERE)
#define tw_from_data(env, row, rows, count) tw_from_data_at(env, row, rows, count, TW_HERE)
#define tw_from_sequence(env, from, to) tw_from_sequence_at(env, from, to, TW_HERE)
#define tw_with_watermarks(s, ...) tw_with_watermarks_at(s, (struct tw_watermarks){__VA_ARGS__}, TW_HERE)

/* --- transformations: one function, one stream -------------------------------------------------------------------- */
/* operation: "map", "filter", "flat_map", "process" (keyed or not), "batch" (batch callbacks), "reduce" (keyed),
 * "partition_rows" (fullWindowPartition), ... the macros below. */
TW_API struct tw_stream *tw_apply_at(struct tw_stream *s, const char *operation, const struct tw_function *f,
                                     struct tw_here h);
#define tw_map(s, f) tw_apply_at(s, "map", f, TW_HERE)
#define tw_filter(s, f) tw_apply_at(s, "filter", f, TW_HERE)
#define tw_flat_map(s, f) tw_apply_at(s, "flat_map", f, TW_HERE)
#define tw_process(s, f) tw_apply_at(s, "process", f, TW_HERE)
#define tw_map_batches(s, f) tw_apply_at(s, "batch", f, TW_HERE)
#define tw_reduce(s, f) tw_apply_at(s, "reduce", f, TW_HERE)
#define tw_partition_rows(s, f) tw_apply_at(s, "partition_rows", f, TW_HERE)
/* Built-in column kernels: keep rows where `field op literal`, op one of = <> < <= > >=; text literals for every
 * type. */
TW_API struct tw_stream *tw_where_at(struct tw_stream *s, const char *field, const char *op, const char *literal,
                                     struct tw_here h);
#define tw_where(s, field, op, literal) tw_where_at(s, field, op, literal, TW_HERE)
/* Columns by name; "a AS b" renames; "price * 908 / 1000 AS p" computes with + - * / % and integer or decimal
 * literals. */
TW_API struct tw_stream *tw_project_at(struct tw_stream *s, const char *const *columns, uint32_t count,
                                       struct tw_here h);
#define tw_project(s, ...)                                                                                             \
    tw_project_at(s, (const char *const[]){__VA_ARGS__},                                                               \
                  sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), TW_HERE)
/* keyed: sum, min, max keep the first row's other columns; min_by, max_by the whole row of the extreme. */
TW_API struct tw_stream *tw_rolling_at(struct tw_stream *s, const char *aggregate, const char *field, struct tw_here h);
#define tw_sum(s, field) tw_rolling_at(s, "sum", field, TW_HERE)
#define tw_min(s, field) tw_rolling_at(s, "min", field, TW_HERE)
#define tw_max(s, field) tw_rolling_at(s, "max", field, TW_HERE)
#define tw_min_by(s, field) tw_rolling_at(s, "min_by", field, TW_HERE)
#define tw_max_by(s, field) tw_rolling_at(s, "max_by", field, TW_HERE)
/* Sorts all rows of each partition at the end of input: fullWindowPartition().sortPartition. */
TW_API struct tw_stream *tw_sort_partition_at(struct tw_stream *s, const char *field, bool ascending, struct tw_here h);
#define tw_sort_partition(s, field, ascending) tw_sort_partition_at(s, field, ascending, TW_HERE)

/* --- two streams -------------------------------------------------------------------------------------------------- */
TW_API struct tw_stream *tw_union_at(struct tw_stream *a, struct tw_stream *b, struct tw_here h); /* equal row types */
/* operation: "co_map", "co_flat_map", "co_process", "broadcast_process" (second = broadcast side). */
TW_API struct tw_stream *tw_connect_at(struct tw_stream *a, struct tw_stream *b, const char *operation,
                                       const struct tw_function *f, struct tw_here h);
#define tw_union(a, b) tw_union_at(a, b, TW_HERE)
#define tw_co_map(a, b, f) tw_connect_at(a, b, "co_map", f, TW_HERE)
#define tw_co_flat_map(a, b, f) tw_connect_at(a, b, "co_flat_map", f, TW_HERE)
#define tw_co_process(a, b, f) tw_connect_at(a, b, "co_process", f, TW_HERE)
#define tw_broadcast_process(a, rules, f) tw_connect_at(a, rules, "broadcast_process", f, TW_HERE)
struct tw_interval {
    int64_t lower_ms, upper_ms; /* right.time in [left.time + lower, left.time + upper] */
    bool lower_exclusive, upper_exclusive;
};
/* Both streams keyed alike. Late rows go to sides "late-left" and "late-right" when these are asked for. */
TW_API struct tw_stream *tw_interval_join_at(struct tw_stream *a, struct tw_stream *b, struct tw_interval i,
                                             const struct tw_function *f, struct tw_here h);
#define tw_interval_join(a, b, f, ...) tw_interval_join_at(a, b, (struct tw_interval){__VA_ARGS__}, f, TW_HERE)

/* Asynchronous I/O. A failed attempt, or what the function's .retry says, is repeated after a pause: retry_delay_ms, then each
 * time multiplied by retry_multiplier, at most retry_delay_max_ms. When no attempt is left, and at the end of the input, where
 * pauses end at once, the last answer or failure counts. */
struct tw_async {
    bool unordered;
    int64_t timeout_ms; /* for all attempts at a row together; 0 = none */
    uint32_t capacity;  /* in flight per subtask; 0 = 100 */
    uint32_t attempts;  /* the first included (Flink's maxAttempts + 1); 0 or 1 = no retry */
    int64_t retry_delay_ms, retry_delay_max_ms; /* max 0 = no bound */
    double retry_multiplier;                    /* 0 = 2 when there is a retry_delay_max_ms, else 1: a fixed delay */
};
TW_API struct tw_stream *tw_async_at(struct tw_stream *s, const struct tw_function *f, struct tw_async a,
                                     struct tw_here h);
#define tw_async_wait(s, f, ...) tw_async_at(s, f, (struct tw_async){__VA_ARGS__}, TW_HERE)

/* --- keys, partitioning, attributes ------------------------------------------------------------------------------- */
TW_API struct tw_stream *tw_key_by_at(struct tw_stream *s, const char *const *fields, uint32_t count, struct tw_here h);
#define tw_key_by(s, ...)                                                                                              \
    tw_key_by_at(s, (const char *const[]){__VA_ARGS__},                                                                \
                 sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), TW_HERE)
/* Key computed by f->select_key: its fields are appended to the rows as columns of the key's names. */
TW_API struct tw_stream *tw_key_by_function_at(struct tw_stream *s, const struct tw_function *f, struct tw_here h);
#define tw_key_by_function(s, f) tw_key_by_function_at(s, f, TW_HERE)
/* how: "forward", "rebalance", "rescale", "shuffle", "broadcast", "global". */
TW_API struct tw_stream *tw_partition_at(struct tw_stream *s, const char *how, struct tw_here h);
#define tw_forward(s) tw_partition_at(s, "forward", TW_HERE)
#define tw_rebalance(s) tw_partition_at(s, "rebalance", TW_HERE)
#define tw_rescale(s) tw_partition_at(s, "rescale", TW_HERE)
#define tw_shuffle(s) tw_partition_at(s, "shuffle", TW_HERE)
#define tw_broadcast(s) tw_partition_at(s, "broadcast", TW_HERE)
#define tw_global(s) tw_partition_at(s, "global", TW_HERE)
TW_API struct tw_stream *tw_partition_custom_at(struct tw_stream *s, const struct tw_function *f, struct tw_here h);
#define tw_partition_custom(s, f) tw_partition_custom_at(s, f, TW_HERE)
TW_API struct tw_stream *tw_reinterpret_as_keyed_at(struct tw_stream *s, const char *const *fields, uint32_t count,
                                                    struct tw_here h);
/* Rows of a side output, by the name the operator gives it ("late", side_names[i]). */
TW_API struct tw_stream *tw_side_at(struct tw_stream *s, const char *name, struct tw_here h);
#define tw_side(s, name) tw_side_at(s, name, TW_HERE)
/* Attributes of the operator that made the stream; each answers the stream. */
TW_API struct tw_stream *tw_uid(struct tw_stream *s, const char *uid);
TW_API struct tw_stream *tw_name(struct tw_stream *s, const char *name);
TW_API struct tw_stream *tw_description(struct tw_stream *s, const char *text);
TW_API struct tw_stream *tw_parallelism(struct tw_stream *s, uint32_t parallelism);
TW_API struct tw_stream *tw_max_parallelism(struct tw_stream *s, uint32_t max_parallelism);
TW_API struct tw_stream *tw_slot_sharing_group(struct tw_stream *s, const char *group);
TW_API struct tw_stream *tw_start_new_chain(struct tw_stream *s);
TW_API struct tw_stream *tw_without_chaining(struct tw_stream *s);
/* Up to 64 KiB for the function of that operator, which reads them with tw_config; copied. */
TW_API struct tw_stream *tw_with_config(struct tw_stream *s, const void *bytes, size_t size);

/* --- sinks -------------------------------------------------------------------------------------------------------- */
TW_API struct tw_stream *tw_sink_at(struct tw_stream *s, const char *name, const char *connector, struct tw_options o,
                                    struct tw_here h);
TW_API struct tw_stream *tw_sink_function_at(struct tw_stream *s, const char *name, const struct tw_function *f,
                                             struct tw_here h);
#define tw_sink(s, name, connector, options) tw_sink_at(s, name, connector, options, TW_HERE)
#define tw_sink_function(s, name, f) tw_sink_function_at(s, name, f, TW_HERE)
#define tw_print(s) tw_sink_at(s, "print", "print", TW_NO_OPTIONS, TW_HERE)
/* Hands every row to `fn` on the calling thread during tw_execute: executeAndCollect. row is of row type `row`. */
typedef void (*tw_collect_fn)(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms);
TW_API struct tw_stream *tw_collect_to_at(struct tw_stream *s, const struct tw_row *row, tw_collect_fn fn, void *arg,
                                          struct tw_here h);
#define tw_collect_to(s, row, fn, arg) tw_collect_to_at(s, row, fn, arg, TW_HERE)

#ifdef __cplusplus
}
#endif
