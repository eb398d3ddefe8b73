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
    FIELD(sort_config, field, CONF_TEXT, "column to sort by"),
    FIELD(sort_config, ascending, CONF_BOOL, "smallest first"),
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

const struct config_field source_config_fields[] = {
    FIELD(source_config, connector, CONF_TEXT, "what is read"),
    FIELD(source_config, options, CONF_OPTIONS, "the connector's options"),
    FIELD(source_config, schema, CONF_TYPE, "row type, where the connector does not fix it"),
    FIELD(source_config, rows, CONF_BYTES, "rows given in the program"),
    FIELD(source_config, rows_per_second, CONF_DOUBLE, "rows per second of all subtasks; 0 = as the options say"),
    WATERMARK_CONFIG_FIELDS(offsetof(struct source_config, watermark)),
    LAST,
};

const struct config_field sink_config_fields[] = {
    FIELD(sink_config, connector, CONF_TEXT, "what is written"),
    FIELD(sink_config, options, CONF_OPTIONS, "the connector's options"),
    FIELD(sink_config, handle, CONF_INT, "collect: number of the caller's receiver"),
    LAST,
};

const struct config_field watermarks_config_fields[] = {
    WATERMARK_CONFIG_FIELDS(offsetof(struct watermarks_config, watermark)),
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
