/* config_tables.c - the tables behind op_configs.h: name, kind, place and meaning of every configuration field.
 *
 * Fields travel by name in the encoded job graph, so a name may not change; new ones may come. */
#include "flow/operator/op_configs.h"

#define FIELD CONFIG_FIELD
#define LAST CONFIG_LAST

const struct config_field function_config_fields[] = {
    FIELD(function_config, function, CONF_FUNCTION, "the user's function"),
    LAST,
};

const struct config_field project_config_fields[] = {
    FIELD(project_config, columns, CONF_TEXTS, "output columns: a name, `name AS other`, or arithmetic with AS"),
    LAST,
};

const struct config_field rolling_config_fields[] = {
    FIELD(rolling_config, aggregate, CONF_TEXT, "sum, min, max, min_by, max_by, min_by_last or max_by_last"),
    FIELD(rolling_config, field, CONF_TEXT, "column to aggregate"),
    LAST,
};

const struct config_field sort_config_fields[] = {
    FIELD(sort_config, order, CONF_TEXTS, "columns to sort by"),
    FIELD(sort_config, directions, CONF_TEXTS, "of each: asc or desc"),
    FIELD(sort_config, nulls, CONF_TEXTS, "of each: first or last"),
    LAST,
};

const struct config_field interval_config_fields[] = {
    FIELD(interval_config, function, CONF_FUNCTION, "join of two rows"),
    FIELD(interval_config, lower_ms, CONF_INT, "lower bound of right time - left time"),
    FIELD(interval_config, upper_ms, CONF_INT, "upper bound of right time - left time"),
    FIELD(interval_config, lower_exclusive, CONF_BOOL, "the lower bound itself does not match"),
    FIELD(interval_config, upper_exclusive, CONF_BOOL, "the upper bound itself does not match"),
    LAST,
};

const struct config_field async_config_fields[] = {
    FIELD(async_config, function, CONF_FUNCTION, "the request, and what to do when it times out"),
    FIELD(async_config, unordered, CONF_BOOL, "answers are emitted as they come"),
    FIELD(async_config, timeout_ms, CONF_INT, "time for one row, retries included; 0 = none"),
    FIELD(async_config, capacity, CONF_INT, "requests in flight per subtask; 0 = 100"),
    FIELD(async_config, attempts, CONF_INT, "how often a request is tried; 0 = once"),
    FIELD(async_config, retry_delay_ms, CONF_INT, "pause before the second attempt"),
    FIELD(async_config, retry_delay_max_ms, CONF_INT, "the longest pause; 0 = no bound"),
    FIELD(async_config, retry_multiplier, CONF_DOUBLE, "each further pause is so many times longer; 0 = 2 up to a longest pause, else 1"),
    LAST,
};

const struct config_field async_sink_config_fields[] = {
    FIELD(async_sink_config, function, CONF_FUNCTION, "what sends requests"),
    FIELD(async_sink_config, max_batch_size, CONF_INT, "entries of a request; 0 = 500"),
    FIELD(async_sink_config, max_in_flight_requests, CONF_INT, "requests that wait for answers; 0 = 50"),
    FIELD(async_sink_config, max_buffered_requests, CONF_INT, "entries that wait; 0 = 10,000"),
    FIELD(async_sink_config, max_batch_size_bytes, CONF_INT, "bytes of a request; 0 = 5 MiB"),
    FIELD(async_sink_config, max_time_in_buffer_ms, CONF_INT, "how long an entry waits for others; 0 = 5,000"),
    FIELD(async_sink_config, max_record_size_bytes, CONF_INT, "bytes of an entry; 0 = 1 MiB"),
    FIELD(async_sink_config, request_timeout_ms, CONF_INT, "time for an answer; 0 = 600,000"),
    FIELD(async_sink_config, fail_on_timeout, CONF_BOOL, "a late answer fails the job; else the request is tried again"),
    FIELD(async_sink_config, initial_in_flight_messages, CONF_INT, "entries in flight at first; 0 = max_batch_size"),
    FIELD(async_sink_config, aimd_increase, CONF_INT, "so many more after each success; 0 = 10"),
    FIELD(async_sink_config, aimd_threshold, CONF_INT, "up to so many; 0 = max_batch_size * max_in_flight_requests"),
    FIELD(async_sink_config, aimd_decrease, CONF_DOUBLE, "times so many after each failure; 0 = 0.5"),
    LAST,
};

const struct config_field source_config_fields[] = {
    FIELD(source_config, connector, CONF_TEXT, "what is read"),
    FIELD(source_config, options, CONF_OPTIONS, "the connector's options"),
    FIELD(source_config, schema, CONF_TYPE, "row type, where the connector does not fix it"),
    FIELD(source_config, metadata, CONF_TEXTS, "keys of the connector's metadata, which are the last columns"),
    FIELD(source_config, rows, CONF_BYTES, "rows given in the program"),
    FIELD(source_config, filter, CONF_BYTES, "an encoded BOOLEAN expression: rows that the source need not bring; empty = all"),
    FIELD(source_config, zone, CONF_TEXT, "time zone of its functions"),
    FIELD(source_config, rows_per_second, CONF_DOUBLE, "rows per second of all subtasks; 0 = as the options say"),
    WATERMARK_CONFIG_FIELDS(offsetof(struct source_config, watermark)),
    LAST,
};

const struct config_field sink_config_fields[] = {
    FIELD(sink_config, connector, CONF_TEXT, "what is written"),
    FIELD(sink_config, options, CONF_OPTIONS, "the connector's options"),
    FIELD(sink_config, partitions, CONF_TEXTS, "partition columns, which are the last ones"),
    FIELD(sink_config, handle, CONF_INT, "collect: number of the caller's receiver"),
    LAST,
};

const struct config_field ledger_config_fields[] = {
    FIELD(ledger_config, folder, CONF_TEXT, "where pages go"),
    FIELD(ledger_config, identifier, CONF_TEXT, "stands in front of every line"),
    LAST,
};

const struct config_field watermarks_config_fields[] = {
    WATERMARK_CONFIG_FIELDS(offsetof(struct watermarks_config, watermark)),
    FIELD(watermarks_config, marks_time, CONF_BOOL, "the time field is a time attribute of SQL in what comes out"),
    LAST,
};

const struct config_field source_function_config_fields[] = {
    FIELD(source_function_config, function, CONF_FUNCTION, "the user's source"),
    FIELD(source_function_config, rows_per_second, CONF_DOUBLE, "rows per second of all subtasks; 0 = no limit"),
    WATERMARK_CONFIG_FIELDS(offsetof(struct source_function_config, watermark)),
    LAST,
};

const struct config_field harness_config_fields[] = {
    FIELD(harness_config, schema, CONF_TYPE, "row type of an input"),
    FIELD(harness_config, name, CONF_TEXT, "of the input; of a side output"),
    FIELD(harness_config, is_main, CONF_BOOL, "watermarks of this output are kept"),
    LAST,
};
