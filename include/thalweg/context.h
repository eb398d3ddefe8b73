/* context.h - what a running user function can ask for. A context is valid during the call that hands it in. */
#pragma once
#include <thalweg/batch.h>
#include <thalweg/function.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- output ------------------------------------------------------------------------------------------------------ */
/* Emits a row of the function's `out` type; strings and nested values are copied. The row's event time is that of the
 * input row, of the event-time timer, or the window's max timestamp; rows emitted by a processing-time timer have none. */
TW_API void tw_collect(struct tw_context *cx, const void *row);
TW_API void tw_collect_at(struct tw_context *cx, const void *row, int64_t time_ms);
/* Emits to side output i (row type sides[i]). */
TW_API void tw_side_output(struct tw_context *cx, uint32_t side, const void *row);
/* Cleared memory for what a callback hands back when it returns (elements of arrays in `out` or an accumulator, bytes of
 * strings); aligned to 16 bytes, valid until that was taken. What goes through tw_collect or into state may lie on the
 * stack: it is copied at once. */
TW_API void *tw_scratch(struct tw_context *cx, size_t size);
/* Answers TW_FAILED and keeps the text (printf style): `return tw_fail(cx, "no rate for %s", code);` */
TW_API enum tw_status tw_fail(struct tw_context *cx, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- where am I -------------------------------------------------------------------------------------------------- */
TW_API void *tw_self(struct tw_context *cx);                /* the subtask's memory of self_size bytes */
TW_API struct tw_str tw_config(struct tw_context *cx);      /* bytes given with tw_with_config */
/* The current key as a struct of row type `key`; NULL when unkeyed */
TW_API const void *tw_key(struct tw_context *cx);
/* Event time of the row or timer in ms since 1970, TW_NO_TIME when it has none. */
TW_API int64_t tw_time(struct tw_context *cx);
/* In .join of an interval join: the event times of the two rows; tw_time is the later one. Elsewhere TW_NO_TIME. */
TW_API int64_t tw_left_time(struct tw_context *cx);
TW_API int64_t tw_right_time(struct tw_context *cx);
TW_API enum tw_row_kind tw_kind(struct tw_context *cx);     /* of the current row */
TW_API int64_t tw_watermark(struct tw_context *cx);         /* event time in ms; TW_NO_TIME before the first */
TW_API int64_t tw_now_ms(struct tw_context *cx);            /* processing time, ms since 1970 */
TW_API uint32_t tw_subtask(struct tw_context *cx);          /* from 0 */
TW_API uint32_t tw_subtasks(struct tw_context *cx);         /* parallelism */
TW_API uint32_t tw_max_subtasks(struct tw_context *cx);     /* max parallelism */
TW_API uint32_t tw_attempt(struct tw_context *cx);          /* from 0; a restart is the next one */
TW_API const char *tw_task_name(struct tw_context *cx);     /* of the chain of operators: "Source: bids -> Filter" */
TW_API const char *tw_job_name(struct tw_context *cx);
/* 32 hexadecimal digits; the same for every run of a job of that name; in a SQL session the number of the job counts, too. */
TW_API const char *tw_job_id(struct tw_context *cx);
TW_API const char *tw_job_parameter(struct tw_context *cx, const char *key); /* global job parameter or NULL */
/* Distributed cache: where the file that tw_register_cached_file named lies here. To be read, not changed: without a
 * cluster it is the file itself. A name that was not registered fails the job; the answer is NULL then. */
TW_API const char *tw_cached_file(struct tw_context *cx, const char *name);

/* --- timers (keyed functions) ------------------------------------------------------------------------------------- */
/* Times in ms since 1970. De-duplicated per key and time; fire in order of time. */
TW_API void tw_register_event_timer(struct tw_context *cx, int64_t time_ms);
TW_API void tw_delete_event_timer(struct tw_context *cx, int64_t time_ms);
TW_API void tw_register_processing_timer(struct tw_context *cx, int64_t time_ms);
TW_API void tw_delete_processing_timer(struct tw_context *cx, int64_t time_ms);
TW_API bool tw_timer_is_processing_time(struct tw_context *cx); /* inside on_timer */

/* --- state of the current key; `state` is one of the function's declared states ----------------------------------- */
/* Values are C values as in row.h: int64_t for BIGINT, struct tw_str for STRING, struct tw_array for ARRAY, for ROW<...> a
 * plain C struct with these members in order (no null mask), for a bare ROW the struct that .row (in keys of maps
 * .key_row) describes. `value` and `key` point to one such. What is set is copied; strings and nested values that are read
 * are valid until that state is changed, at most during the call. Answers false when nothing is stored. */
TW_API bool tw_value_get(struct tw_context *cx, const struct tw_state *state, void *value);
TW_API void tw_value_set(struct tw_context *cx, const struct tw_state *state, const void *value);
TW_API void tw_state_clear(struct tw_context *cx, const struct tw_state *state); /* any kind */
TW_API void tw_list_add(struct tw_context *cx, const struct tw_state *state, const void *value);
TW_API uint32_t tw_list_size(struct tw_context *cx, const struct tw_state *state);
TW_API bool tw_list_get(struct tw_context *cx, const struct tw_state *state, uint32_t index, void *value);
TW_API bool tw_map_get(struct tw_context *cx, const struct tw_state *state, const void *key, void *value);
TW_API void tw_map_put(struct tw_context *cx, const struct tw_state *state, const void *key, const void *value);
TW_API bool tw_map_remove(struct tw_context *cx, const struct tw_state *state, const void *key); /* was it there? */
TW_API uint32_t tw_map_size(struct tw_context *cx, const struct tw_state *state);
/* Entries in order of first insertion: start with *cursor = 0; false at the end. key and value may be NULL. Entries may
 * be removed during a walk, not added. */
TW_API bool tw_map_next(struct tw_context *cx, const struct tw_state *state, uint32_t *cursor, void *key, void *value);
TW_API void tw_reducing_add(struct tw_context *cx, const struct tw_state *state, const void *value);
TW_API bool tw_reducing_get(struct tw_context *cx, const struct tw_state *state, void *value);
TW_API void tw_aggregating_add(struct tw_context *cx, const struct tw_state *state, const void *value);
TW_API bool tw_aggregating_get(struct tw_context *cx, const struct tw_state *state, void *result);
/* applyToKeyedState, in .process2 of tw_broadcast_process on a keyed stream: calls fn once for each key of this subtask
 * that has something in `state`, one of the function's keyed states. During the call that key is current: tw_key, all
 * keyed states, tw_collect. Stops with TW_FAILED when fn does not answer TW_OK. */
typedef enum tw_status (*tw_key_fn)(struct tw_context *cx, void *arg);
TW_API enum tw_status tw_each_key(struct tw_context *cx, const struct tw_state *state, tw_key_fn fn, void *arg);
/* Shorthand for BIGINT values. */
TW_API int64_t tw_value_long(struct tw_context *cx, const struct tw_state *state, int64_t fallback);
TW_API void tw_value_set_long(struct tw_context *cx, const struct tw_state *state, int64_t value);

/* --- windows ------------------------------------------------------------------------------------------------------ */
TW_API const void *tw_next(struct tw_elements *e);      /* next row of the group, NULL at the end */
TW_API uint32_t tw_element_count(struct tw_elements *e);
TW_API int64_t tw_element_time(struct tw_elements *e);  /* event time of the row last returned */
TW_API void tw_rewind(struct tw_elements *e);
TW_API void tw_register_trigger_timer(struct tw_context *cx, int64_t time_ms, bool event_time); /* triggers */
TW_API void tw_delete_trigger_timer(struct tw_context *cx, int64_t time_ms, bool event_time);
/* In .on_merge of a trigger: what the windows that became one hold in `state` (list, reducing, aggregating with merge) goes
 * to the window they became, in the order of the windows. All other states go with their windows (.clear). */
TW_API void tw_merge_state(struct tw_context *cx, const struct tw_state *state);

/* --- accumulators: merged over subtasks, readable while and after the job runs (tw_accumulator_long, ...) ---------- */
TW_API void tw_counter_add(struct tw_context *cx, const char *name, int64_t n);      /* IntCounter, LongCounter */
TW_API void tw_double_add(struct tw_context *cx, const char *name, double x);        /* DoubleCounter */
TW_API void tw_average_add(struct tw_context *cx, const char *name, double x);       /* AverageAccumulator */
TW_API void tw_histogram_add(struct tw_context *cx, const char *name, int32_t x);    /* Histogram */
TW_API void tw_min_add(struct tw_context *cx, const char *name, int64_t x);          /* IntMinimum, LongMinimum */
TW_API void tw_max_add(struct tw_context *cx, const char *name, int64_t x);          /* IntMaximum, LongMaximum */
TW_API void tw_double_min_add(struct tw_context *cx, const char *name, double x);    /* DoubleMinimum */
TW_API void tw_double_max_add(struct tw_context *cx, const char *name, double x);    /* DoubleMaximum */

/* --- metrics: of this subtask, readable while and after the job runs (tw_job_metric) ------------------------------ */
/* Groups give names a path: group "kafka" with counter "polls" is "kafka.polls"; with a value, addGroup(key, value),
 * "topic" and "orders" give "topic.orders". parent and group NULL: the operator's own group. */
struct tw_metric_group;
struct tw_metric;
TW_API struct tw_metric_group *tw_metric_group(struct tw_context *cx, struct tw_metric_group *parent, const char *name,
                                               const char *value);
/* A variable of the group's measures, by its key; NULL when there is none. The group's own are the keys of groups with a value
 * in angle brackets: "<topic>" is "orders". Then those of tw_metric_variable, then Flink's: <host>, <tm_id>, <job_id>,
 * <job_name>, <task_id>, <task_name>, <task_attempt_id>, <task_attempt_num>, <subtask_index>, <operator_id>, <operator_name>. */
TW_API const char *tw_metric_group_variable(struct tw_context *cx, struct tw_metric_group *group, const char *key);
/* The measure of that name, made at the first call; keep what it answers (in tw_self, from .open) rather than asking per
 * row. A name is one kind of measure throughout; at most 1,024 per subtask. NULL after a mistake, which fails the job. */
TW_API struct tw_metric *tw_metric_counter(struct tw_context *cx, struct tw_metric_group *group, const char *name);
TW_API struct tw_metric *tw_metric_gauge(struct tw_context *cx, struct tw_metric_group *group, const char *name);
TW_API struct tw_metric *tw_metric_meter(struct tw_context *cx, struct tw_metric_group *group, const char *name);
TW_API struct tw_metric *tw_metric_histogram(struct tw_context *cx, struct tw_metric_group *group, const char *name);
/* Counters: n more (or fewer). Meters: n things happened. Cheap enough for every row; NULL is a no-op in all three. */
TW_API void tw_metric_add(struct tw_context *cx, struct tw_metric *m, int64_t n);
TW_API void tw_metric_set(struct tw_context *cx, struct tw_metric *m, double value);     /* gauges: it is that now */
TW_API void tw_metric_update(struct tw_context *cx, struct tw_metric *m, int64_t value); /* histograms: one value */

#ifdef __cplusplus
}
#endif
