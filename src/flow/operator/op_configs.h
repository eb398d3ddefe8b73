/* op_configs.h - what operators are configured with: plain structs, filled by the API (or later the planner), described by
 * each operator's config_fields and so encoded, validated and explained without a line of their own. Members left zero mean
 * the default. Times are ms. */
#pragma once
#include "flow/operator/op.h"

/* Is there a function? */
static inline bool function_given(const struct function_ref *f) { return f->name != NULL; }

/* The tables of the structs below, for `.config_fields`; window_config's is in window_fields.h. */
extern const struct config_field function_config_fields[], project_config_fields[],
    rolling_config_fields[], sort_config_fields[], interval_config_fields[], async_config_fields[],
    async_sink_config_fields[],
    source_config_fields[], sink_config_fields[], ledger_config_fields[], watermarks_config_fields[], source_function_config_fields[],
    harness_config_fields[];

/* map, filter, flat_map, process, batch, reduce, partition_*, co_*, broadcast_process, sink_function,
 * key_by (select_key), partition_custom (partition). */
struct function_config {
    struct function_ref function;
};

struct project_config {
    struct text_list columns; /* "a", "a AS b", "price * 908 / 1000 AS p" */
};

struct rolling_config {
    const char *aggregate; /* sum, min, max, min_by, max_by, min_by_last, max_by_last */
    const char *field;
};

/* Parallel lists, see order_columns.h. */
struct sort_config {
    struct text_list order, directions, nulls;
};

struct interval_config {
    struct function_ref function;
    int64_t lower_ms, upper_ms;
    bool lower_exclusive, upper_exclusive;
};

struct async_config {
    struct function_ref function;
    bool unordered;
    int64_t timeout_ms, capacity, attempts, retry_delay_ms, retry_delay_max_ms;
    double retry_multiplier;
};

/* Every member of struct tw_async_sink (include/thalweg/async_sink.h). */
struct async_sink_config {
    struct function_ref function;
    int64_t max_batch_size, max_in_flight_requests, max_buffered_requests, max_batch_size_bytes, max_time_in_buffer_ms,
        max_record_size_bytes, request_timeout_ms;
    bool fail_on_timeout;
    int64_t initial_in_flight_messages, aimd_increase, aimd_threshold;
    double aimd_decrease;
};

/* Every member of struct tw_windowing (include/thalweg/window.h), flattened; enums as their numbers. */
struct window_config {
    struct function_ref function, pre;
    struct text_list aggregates; /* window_columns */
    int64_t assigner, size_ms, slide_ms, offset_ms, gap_ms, count, count_slide, stagger, lateness_ms;
    bool processing_time, all, co_group, merging;
    struct function_ref assign; /* session_gap or assign */
    int64_t trigger, trigger_count, trigger_interval_ms;
    double trigger_threshold;
    bool trigger_purging, trigger_reset, trigger_keep;
    int64_t trigger_nested;
    int64_t trigger_early_ms, trigger_late_ms; /* of WINDOW_TRIGGER_EMIT; 0: every row, -1: not at all */
    struct function_ref trigger_function;
    int64_t evictor, evictor_count, evictor_ms;
    double evictor_threshold;
    bool evictor_after;
    struct function_ref evictor_function;
};

/* enum watermark_kind and its arguments. */
struct watermark_config {
    int64_t kind, out_of_orderness_ms, idleness_ms, every_rows, periodic_ms, alignment_max_drift_ms,
        alignment_interval_ms;
    const char *time_field, *watermark_field, *alignment_group;
    struct function_ref function;
};
/* The rows of a config_fields table for a struct watermark_config that lies at `base`. */
#define WATERMARK_CONFIG_FIELDS(base)                                                                                  \
    {"watermark.kind", CONF_INT, (base) + offsetof(struct watermark_config, kind),                                     \
     "0 none, 1 monotonous, 2 bounded, 3 function, 4 a column"},                                                                   \
        {"watermark.out-of-orderness", CONF_INT, (base) + offsetof(struct watermark_config, out_of_orderness_ms),      \
         "ms behind the greatest timestamp"},                                                                          \
        {"watermark.idleness", CONF_INT, (base) + offsetof(struct watermark_config, idleness_ms),                      \
         "ms without rows until idle; 0 = never"},                                                                     \
        {"watermark.every-rows", CONF_INT, (base) + offsetof(struct watermark_config, every_rows),                     \
         "emit by row count; 0 = periodically"},                                                                       \
        {"watermark.interval", CONF_INT, (base) + offsetof(struct watermark_config, periodic_ms),                      \
         "ms between watermarks"},                                                                                     \
        {"watermark.alignment.max-drift", CONF_INT,                                                                    \
         (base) + offsetof(struct watermark_config, alignment_max_drift_ms), "ms ahead of the group"},                 \
        {"watermark.alignment.interval", CONF_INT, (base) + offsetof(struct watermark_config, alignment_interval_ms),  \
         "ms between updates"},                                                                                        \
        {"watermark.time-field", CONF_TEXT, (base) + offsetof(struct watermark_config, time_field),                    \
         "column with the event time"},                                                                                \
        {"watermark.watermark-field", CONF_TEXT, (base) + offsetof(struct watermark_config, watermark_field),          \
         "column with watermarks"},                                                                                    \
        {"watermark.alignment.group", CONF_TEXT, (base) + offsetof(struct watermark_config, alignment_group),          \
         "alignment group"},                                                                                           \
    {                                                                                                                  \
        "watermark.function", CONF_FUNCTION, (base) + offsetof(struct watermark_config, function),                     \
            "timestamp assigner, generator"                                                                            \
    }

struct source_config {
    const char *connector;
    struct options options;
    const struct type *schema; /* declared row type; NULL = the connector's own */
    struct text_list metadata; /* keys of the connector's metadata, which are the last columns */
    struct str rows;           /* from-data: encoded rows */
    struct str filter;         /* an encoded BOOLEAN expression over its columns, which the connector takes; empty = every row */
    const char *zone;          /* of its functions; NULL = UTC */
    double rows_per_second;    /* of all subtasks; 0 = as the options say */
    struct watermark_config watermark;
};

struct sink_config {
    const char *connector;
    struct options options;
    struct text_list partitions; /* the last columns, STRINGs: each of their values has a place of its own */
    int64_t handle; /* collect: number of the caller's receiver */
};

/* The simulator's sink, see op_ledger.c. */
struct ledger_config {
    const char *folder, *identifier;
};

struct watermarks_config {
    struct watermark_config watermark;
    bool marks_time; /* the time field is a time attribute of SQL in what comes out */
};

struct source_function_config {
    struct function_ref function;
    double rows_per_second; /* of all subtasks; 0 = no limit */
    struct watermark_config watermark;
};

/* harness_input, harness_output: the test's end of a stream, see harness_port.h. */
struct harness_config {
    const struct type *schema; /* of an input */
    const char *name;          /* of the object in the job; of a side output, what its lines start with */
    bool is_main;              /* the output whose watermarks are kept */
};
