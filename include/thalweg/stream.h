/* stream.h - streams: sources, transformations, partitioning, sinks. What they belong to is env.h.
 *
 * Every call takes streams and answers a stream, never NULL; it belongs to its environment and is gone when its job was
 * executed. Texts and descriptors are copied, functions (struct tw_function) and row types must stay. A mistake is kept
 * with the source line of the call and told by tw_execute; calls on a stream that came of one do nothing. */
#pragma once
#include <thalweg/env.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tw_stream; /* plain or keyed */

/* --- watermarks --------------------------------------------------------------------------------------------------- */
/* TW_WM_FUNCTION needs .watermark, which is called for each row. Event times are those of .timestamp or of time_field,
 * else what the rows have already. */
enum tw_watermark_kind { TW_WM_NONE, TW_WM_MONOTONOUS, TW_WM_BOUNDED, TW_WM_FUNCTION };
struct tw_watermarks {
    enum tw_watermark_kind kind;
    int64_t out_of_orderness_ms;
    const char *time_field;               /* column with the event time (TIMESTAMP, TIMESTAMP_LTZ, or BIGINT ms) */
    const struct tw_function *function;   /* .watermark with TW_WM_FUNCTION; .timestamp with any kind, for time_field */
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
 * "partition_rows" and "partition_reduce", "partition_aggregate" (fullWindowPartition), ... the macros below. */
TW_API struct tw_stream *tw_apply_at(struct tw_stream *s, const char *operation, const struct tw_function *f,
                                     struct tw_here h);
#define tw_map(s, f) tw_apply_at(s, "map", f, TW_HERE)
#define tw_filter(s, f) tw_apply_at(s, "filter", f, TW_HERE)
#define tw_flat_map(s, f) tw_apply_at(s, "flat_map", f, TW_HERE)
#define tw_process(s, f) tw_apply_at(s, "process", f, TW_HERE)
#define tw_map_batches(s, f) tw_apply_at(s, "batch", f, TW_HERE)
#define tw_reduce(s, f) tw_apply_at(s, "reduce", f, TW_HERE)
/* Of a whole partition, the rows of a subtask or on a keyed stream the rows of a key, when the input has ended: .partition_rows
 * sees all of its rows; .reduce, or .create, .add and .result answer one row. Without a key, an aggregate answers for a
 * subtask without rows, too. */
#define tw_partition_rows(s, f) tw_apply_at(s, "partition_rows", f, TW_HERE)
#define tw_partition_reduce(s, f) tw_apply_at(s, "partition_reduce", f, TW_HERE)
#define tw_partition_aggregate(s, f) tw_apply_at(s, "partition_aggregate", f, TW_HERE)
/* Any operator by name, with settings by name, as docs/reference/operators.md lists them; a list is given item by item.
 * For operators that have no call of their own: tw_operator(s, "where", TW_OPTIONS("field", "price", "op", ">", "literal",
 * "1000")) is tw_where. */
TW_API struct tw_stream *tw_operator_at(struct tw_stream *s, const char *operation, struct tw_options settings,
                                        struct tw_here h);
#define tw_operator(s, operation, settings) tw_operator_at(s, operation, settings, TW_HERE)
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
/* keyed: sum, min, max keep the first row's other columns; min_by, max_by the whole row of the extreme: of equal ones
 * the first, with ..._last the latest (Flink's minBy(field, false)). */
TW_API struct tw_stream *tw_rolling_at(struct tw_stream *s, const char *aggregate, const char *field, struct tw_here h);
#define tw_sum(s, field) tw_rolling_at(s, "sum", field, TW_HERE)
#define tw_min(s, field) tw_rolling_at(s, "min", field, TW_HERE)
#define tw_max(s, field) tw_rolling_at(s, "max", field, TW_HERE)
#define tw_min_by(s, field) tw_rolling_at(s, "min_by", field, TW_HERE)
#define tw_max_by(s, field) tw_rolling_at(s, "max_by", field, TW_HERE)
#define tw_min_by_last(s, field) tw_rolling_at(s, "min_by_last", field, TW_HERE)
#define tw_max_by_last(s, field) tw_rolling_at(s, "max_by_last", field, TW_HERE)
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

/* Asynchronous I/O. A failed attempt, or what the function's .retry says, is repeated after a pause: retry_delay_ms,
 * then each time multiplied by retry_multiplier, at most retry_delay_max_ms. When no attempt is left, and at the end of
 * the input, where pauses end at once, the last answer or failure counts. */
struct tw_async {
    bool unordered;
    int64_t timeout_ms; /* for all attempts at a row together; 0 = none */
    uint32_t capacity;  /* in flight per subtask; 0 = 100. Each has a thread while its callback runs; beyond 1,024 they queue */
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
/* how: "forward", "rebalance", "rescale", "shuffle", "broadcast", "global", "adaptive" (rebalance to the least loaded, which
 * rebalance and rescale are with taskmanager.network.adaptive-partitioner.enabled). */
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
/* The rows are where these keys belong already, as behind a tw_key_by of the same fields: nothing is sent about. */
#define tw_reinterpret_as_keyed(s, ...)                                                                                \
    tw_reinterpret_as_keyed_at(s, (const char *const[]){__VA_ARGS__},                                                  \
                               sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), TW_HERE)
/* Rows of a side output, by the name the operator gives it ("late", side_names[i]). A source with a format has "dead-letter":
 * under 'on-error' = 'dead-letter' each record that could not be read is a row of it, of type ROW<`position` STRING NOT NULL,
 * reason STRING NOT NULL, raw BYTES NOT NULL>: where it stands, what is wrong with it, and its bytes as they came. */
TW_API struct tw_stream *tw_side_at(struct tw_stream *s, const char *name, struct tw_here h);
#define tw_side(s, name) tw_side_at(s, name, TW_HERE)
/* Attributes of the operator that made the stream; each answers the stream. A uid, or a uid hash of 32 hex digits (setUidHash),
 * which wins, is what the operator's state is found by. */
TW_API struct tw_stream *tw_uid_at(struct tw_stream *s, const char *uid, struct tw_here h);
TW_API struct tw_stream *tw_uid_hash_at(struct tw_stream *s, const char *hash, struct tw_here h);
TW_API struct tw_stream *tw_name_at(struct tw_stream *s, const char *name, struct tw_here h);
TW_API struct tw_stream *tw_description_at(struct tw_stream *s, const char *text, struct tw_here h);
TW_API struct tw_stream *tw_parallelism_at(struct tw_stream *s, uint32_t parallelism, struct tw_here h);
TW_API struct tw_stream *tw_max_parallelism_at(struct tw_stream *s, uint32_t max_parallelism, struct tw_here h);
TW_API struct tw_stream *tw_slot_sharing_group_at(struct tw_stream *s, const char *group, struct tw_here h);
/* A variable of all metrics of the operator, and of its functions: Flink's addMetricVariable. The key is taken as it is; a key
 * again takes the place of the one before, and one of Flink's own ("<host>") counts instead of it. At most 64. */
TW_API struct tw_stream *tw_metric_variable_at(struct tw_stream *s, const char *key, const char *value, struct tw_here h);
#define tw_metric_variable(s, key, value) tw_metric_variable_at(s, key, value, TW_HERE)
TW_API struct tw_stream *tw_start_new_chain_at(struct tw_stream *s, struct tw_here h);
TW_API struct tw_stream *tw_without_chaining_at(struct tw_stream *s, struct tw_here h);
/* How long rows on their way to another task may wait for a batch to fill: 0 = not at all, -1 = as the job's
 * execution.buffer-timeout.* say. Watermarks and the end of the input take the rows before them along. */
TW_API struct tw_stream *tw_buffer_timeout_at(struct tw_stream *s, int64_t timeout_ms, struct tw_here h);
/* Up to 64 KiB for the function of that operator, which reads them with tw_config; copied. */
TW_API struct tw_stream *tw_with_config_at(struct tw_stream *s, const void *bytes, size_t size, struct tw_here h);
#define tw_uid(s, uid) tw_uid_at(s, uid, TW_HERE)
#define tw_uid_hash(s, hash) tw_uid_hash_at(s, hash, TW_HERE)
#define tw_name(s, name) tw_name_at(s, name, TW_HERE)
#define tw_description(s, text) tw_description_at(s, text, TW_HERE)
#define tw_parallelism(s, parallelism) tw_parallelism_at(s, parallelism, TW_HERE)
#define tw_max_parallelism(s, max_parallelism) tw_max_parallelism_at(s, max_parallelism, TW_HERE)
#define tw_slot_sharing_group(s, group) tw_slot_sharing_group_at(s, group, TW_HERE)
#define tw_start_new_chain(s) tw_start_new_chain_at(s, TW_HERE)
#define tw_without_chaining(s) tw_without_chaining_at(s, TW_HERE)
#define tw_buffer_timeout(s, timeout_ms) tw_buffer_timeout_at(s, timeout_ms, TW_HERE)
#define tw_with_config(s, bytes, size) tw_with_config_at(s, bytes, size, TW_HERE)

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
