/* test_api_mistakes_functions.c - functions, windows and two-input operators used wrongly are refused before the start, with
 * the source line of the call: missing functions and hooks, row types that do not fit the stream, states and timers without
 * a key, windows with impossible sizes. Other mistakes are in test_api_mistakes.c. */
#include "support/refused.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct click {
    struct tw_str user;
    int64_t n;
};
TW_ROW(click, TW_FIELD(click, user, "STRING NOT NULL"), TW_FIELD(click, n, "BIGINT NOT NULL"));
struct narrow {
    struct tw_str user;
    int32_t n;
};
TW_ROW(narrow, TW_FIELD(narrow, user, "STRING NOT NULL"), TW_FIELD(narrow, n, "INT NOT NULL"));
struct misfit {
    int32_t n;
};
TW_ROW(misfit, TW_FIELD(misfit, n, "BIGINT NOT NULL"));
struct spelt {
    int64_t n;
};
TW_ROW(spelt, TW_FIELD(spelt, n, "BIGINTEGER NOT NULL"));
struct pair {
    struct tw_str user;
    int64_t n;
};
TW_ROW(pair, TW_FIELD(pair, user, "STRING NOT NULL"), TW_FIELD(pair, n, "BIGINT NOT NULL"));

static const struct click clicks[] = {{TW_STR("ada"), 1}};

static enum tw_status map(struct tw_context *cx, const void *in, void *out)
{
    (void)cx, (void)in, (void)out;
    return TW_OK;
}
static enum tw_status row(struct tw_context *cx, const void *in)
{
    (void)cx, (void)in;
    return TW_OK;
}
static enum tw_status on_timer(struct tw_context *cx, int64_t time_ms)
{
    (void)cx, (void)time_ms;
    return TW_OK;
}
static enum tw_status add(struct tw_context *cx, void *acc, const void *in)
{
    (void)cx, (void)acc, (void)in;
    return TW_OK;
}
static enum tw_status result(struct tw_context *cx, const void *acc, void *out)
{
    (void)cx, (void)acc, (void)out;
    return TW_OK;
}
static enum tw_status on_element(struct tw_context *cx, const void *in, int64_t time_ms, const struct tw_window *w,
                                 enum tw_trigger_result *r)
{
    (void)cx, (void)in, (void)time_ms, (void)w, (void)r;
    return TW_OK;
}

static const struct tw_state counts = {.name = "counts", .kind = TW_VALUE, .value = "BIGINT"};
static const struct tw_state no_value = {.name = "empty", .kind = TW_VALUE};
static const struct tw_state no_map_key = {.name = "pages", .kind = TW_MAP, .value = "BIGINT"};
static const struct tw_state no_reduce = {.name = "sum", .kind = TW_REDUCING, .value = "BIGINT"};
static const struct tw_state bad_type = {.name = "typo", .kind = TW_VALUE, .value = "BIGNIT"};
static const struct tw_state rules = {.name = "rules", .kind = TW_BROADCAST, .map_key = "STRING", .value = "BIGINT"};

TW_FUNCTION(mapper) = {.in = &click_row, .out = &click_row, .map = map};
static enum tw_status at_n(struct tw_context *cx, const void *in, int64_t *time_ms)
{
    (void)cx;
    *time_ms = ((const struct click *)in)->n;
    return TW_OK;
}
TW_FUNCTION(clocked) = {.in = &click_row, .timestamp = at_n};
TW_FUNCTION(no_in) = {.out = &click_row, .map = map};
TW_FUNCTION(no_out) = {.in = &click_row, .map = map};
TW_FUNCTION(narrow_in) = {.in = &narrow_row, .out = &click_row, .map = map};
TW_FUNCTION(misfit_in) = {.in = &misfit_row, .out = &click_row, .map = map};
TW_FUNCTION(spelt_out) = {.in = &click_row, .out = &spelt_row, .map = map};
TW_FUNCTION(timers) = {.in = &click_row, .out = &click_row, .process = row, .on_timer = on_timer};
TW_FUNCTION(stateful) = {.in = &click_row, .out = &click_row, .states = {&counts}, .process = row};
TW_FUNCTION(twice) = {.in = &click_row, .out = &click_row, .states = {&counts, &counts}, .process = row};
TW_FUNCTION(valueless) = {.in = &click_row, .out = &click_row, .states = {&no_value}, .process = row};
TW_FUNCTION(keyless) = {.in = &click_row, .out = &click_row, .states = {&no_map_key}, .process = row};
TW_FUNCTION(reducing) = {.in = &click_row, .out = &click_row, .states = {&no_reduce}, .process = row};
TW_FUNCTION(mistyped) = {.in = &click_row, .out = &click_row, .states = {&bad_type}, .process = row};
TW_FUNCTION(ruled) = {.in = &click_row, .out = &click_row, .states = {&rules}, .process = row};
TW_FUNCTION(two_keys) = {.in = &click_row, .out = &click_row, .key = &pair_row, .process = row};
TW_FUNCTION(unnamed) = {.in = &click_row, .out = &click_row, .sides = {&click_row}, .process = row};
TW_FUNCTION(sums) = {.in = &click_row, .acc = &click_row, .out = &click_row, .add = add, .result = result};
TW_FUNCTION(no_acc) = {.in = &click_row, .out = &click_row, .add = add, .result = result};
TW_FUNCTION(no_result) = {.in = &click_row, .acc = &click_row, .out = &click_row, .add = add};
TW_FUNCTION(unmergeable) = {.in = &click_row, .on_element = on_element};
static const struct tw_function hidden = {.in = &click_row, .out = &click_row, .map = map};

static struct tw_stream *some(struct tw_env *env) { return tw_from_data(env, &click_row, clicks, 1); }
static struct tw_stream *keyed(struct tw_env *env) { return tw_key_by(some(env), "user"); }

static void functions_and_hooks(void **state)
{
    (void)state;
    REFUSED("operation 'map' needs a function", tw_print(tw_map(some(env), NULL)));
    REFUSED("this function is not in the program's table; define it with TW_FUNCTION",
            tw_print(tw_map(some(env), &hidden)));
    REFUSED("function 'mapper' cannot be used here: it has no .filter; set .filter in its TW_FUNCTION",
            tw_print(tw_filter(some(env), &mapper)));
    REFUSED("there is no operation 'mapp'; did you mean 'map'?",
            tw_print(tw_apply_at(some(env), "mapp", &mapper, TW_HERE)));
    REFUSED("there is no operation ''", tw_print(tw_apply_at(some(env), NULL, &mapper, TW_HERE)));
    REFUSED("operation 'window' does not take just a function",
            tw_print(tw_apply_at(some(env), "window", &mapper, TW_HERE)));
    REFUSED("operation 'co_map' has 2 inputs, not 1", tw_print(tw_apply_at(some(env), "co_map", &mapper, TW_HERE)));
    REFUSED("function 'no_in' does not say what it reads: .in is missing", tw_print(tw_map(some(env), &no_in)));
    REFUSED("function 'no_out' does not say what it emits: .out is missing", tw_print(tw_map(some(env), &no_out)));
    REFUSED("operator 'Reduce' needs a keyed stream, but stream 'data' is not keyed; call tw_key_by before it",
            tw_print(tw_reduce(some(env), &mapper)));
    REFUSED("function 'mapper' cannot be used here: it has no .reduce; set .reduce in its TW_FUNCTION",
            tw_print(tw_reduce(keyed(env), &mapper)));
    REFUSED("a source function needs a name and a function", tw_print(tw_source_function(env, "mine", NULL)));
    REFUSED("function 'mapper' cannot be used here: it has no .source; set .source in its TW_FUNCTION",
            tw_print(tw_source_function(env, "mine", &mapper)));
    REFUSED("function 'mapper' cannot be used here: it has no .sink; set .sink in its TW_FUNCTION",
            tw_sink_function(some(env), "mine", &mapper));
    REFUSED("asynchronous I/O needs a function", tw_print(tw_async_wait(some(env), NULL)));
    REFUSED("function 'mapper' cannot be used here: it has no .async; set .async in its TW_FUNCTION",
            tw_print(tw_async_wait(some(env), &mapper)));
    REFUSED("function 'mapper' cannot be used here: it has no .batch; set .batch in its TW_FUNCTION",
            tw_print(tw_map_batches(some(env), &mapper)));
    REFUSED("function 'mapper' cannot be used here: it has no .partition_rows; set .partition_rows in its TW_FUNCTION",
            tw_print(tw_partition_rows(some(env), &mapper)));
    REFUSED("function 'clocked' cannot be used here: it has no .watermark; set .watermark in its TW_FUNCTION",
            tw_print(tw_with_watermarks(some(env), .kind = TW_WM_FUNCTION, .function = &clocked)));
    struct tw_env *bounded = tw_env_create(); /* .timestamp is enough for the other kinds */
    tw_print(tw_with_watermarks(some(bounded), .kind = TW_WM_BOUNDED, .function = &clocked));
    assert_non_null(tw_plan(bounded));
    tw_env_free(bounded);
    REFUSED("watermarks by function: no function is given",
            tw_print(tw_with_watermarks(some(env), .kind = TW_WM_FUNCTION)));
    REFUSED("function 'mapper' cannot be used here: it has no .watermark; set .watermark in its TW_FUNCTION",
            tw_print(tw_with_watermarks(some(env), .kind = TW_WM_FUNCTION, .function = &mapper)));
}

static void row_types(void **state)
{
    (void)state;
    REFUSED("function 'narrow_in': row type 'narrow', field 'n' is INT NOT NULL, but the stream's column 'n' is BIGINT "
            "NOT NULL",
            tw_print(tw_map(some(env), &narrow_in)));
    REFUSED("function 'misfit_in': row type 'misfit', field 'n': BIGINT NOT NULL takes 8 bytes in C, but the struct's "
            "member has 4",
            tw_print(tw_map(some(env), &misfit_in)));
    REFUSED("function 'spelt_out': row type 'spelt', field 'n': unknown type 'BIGINTEGER' at position 1 of the type:\n "
            " BIGINTEGER NOT NULL\n  ^; did you mean INTEGER?",
            tw_print(tw_map(some(env), &spelt_out)));
    REFUSED("row type 'misfit', field 'n': BIGINT NOT NULL takes 8 bytes in C, but the struct's member has 4",
            tw_print(tw_from_data(env, &misfit_row, clicks, 1)));
    REFUSED("the row type is missing", tw_print(tw_from_data(env, NULL, clicks, 1)));
    REFUSED("function 'two_keys': key row type 'pair' has 2 fields, but the stream is keyed by 1 columns",
            tw_print(tw_process(keyed(env), &two_keys)));
    REFUSED("function 'unnamed': side output 0 has no name in .side_names", tw_print(tw_process(some(env), &unnamed)));
}

static void states_and_timers(void **state)
{
    (void)state;
    REFUSED("function 'timers' has .on_timer, but timers need a keyed stream; call tw_key_by before",
            tw_print(tw_process(some(env), &timers)));
    REFUSED("function 'stateful': value state 'counts' needs a keyed stream; call tw_key_by before, or use operator "
            "list state",
            tw_print(tw_process(some(env), &stateful)));
    REFUSED("function 'twice' declares two states named 'counts'", tw_print(tw_process(keyed(env), &twice)));
    REFUSED("function 'valueless': value state 'empty': the type of its value is missing in .value",
            tw_print(tw_process(keyed(env), &valueless)));
    REFUSED("function 'keyless': map state 'pages' needs the type of its map key in .map_key",
            tw_print(tw_process(keyed(env), &keyless)));
    REFUSED("function 'reducing': reducing state 'sum' needs a function with .reduce",
            tw_print(tw_process(keyed(env), &reducing)));
    REFUSED("function 'mistyped': value state 'typo': unknown type 'BIGNIT' at position 1 of the type:\n  BIGNIT\n  ^; "
            "did you mean BIGINT?",
            tw_print(tw_process(keyed(env), &mistyped)));
    REFUSED("function 'ruled': broadcast state 'rules' lives in tw_broadcast_process only",
            tw_print(tw_process(keyed(env), &ruled)));
}

static void windows(void **state)
{
    (void)state;
    REFUSED("window 'Window' needs a keyed stream, but stream 'data' is not keyed; call tw_key_by before it, or set "
            ".all for one window over all rows",
            tw_print(tw_window_aggregate(some(env), TW_TUMBLE(1000), &sums)));
    REFUSED("window 'Window' needs a keyed stream, but stream 'data' is not keyed; call tw_key_by before it, or set "
            ".all for one window over all rows",
            tw_print(tw_window_columns(some(env), TW_TUMBLE(1000), "count(*) AS n")));
    REFUSED("a window's size is 0 ms; it must be positive",
            tw_print(tw_window_aggregate(keyed(env), TW_TUMBLE(0), &sums)));
    REFUSED("a sliding window's slide must be positive",
            tw_print(tw_window_aggregate(keyed(env), TW_HOP(1000, 0), &sums)));
    REFUSED("a session window needs a gap, or a session_gap function",
            tw_print(tw_window_aggregate(keyed(env), TW_SESSIONS(0), &sums)));
    REFUSED("a count window needs a positive number of rows",
            tw_print(tw_window_aggregate(keyed(env), TW_COUNT_WINDOW(0), &sums)));
    REFUSED("session windows merge accumulators, but function 'sums' has no .merge",
            tw_print(tw_window_aggregate(keyed(env), TW_SESSIONS(1000), &sums)));
    REFUSED("sliding windows merge accumulators, but function 'sums' has no .merge",
            tw_print(tw_window_aggregate(keyed(env), TW_HOP(2000, 1000), &sums)));
    REFUSED("a window's offset is 1000 ms; it must be smaller than the window's size of 1000 ms",
            tw_print(tw_window_aggregate(keyed(env), TW_TUMBLE(1000, .offset_ms = 1000), &sums)));
    REFUSED("allowed lateness must not be negative",
            tw_print(tw_window_aggregate(keyed(env), TW_TUMBLE(1000, .allowed_lateness_ms = -1), &sums)));
    REFUSED("a window needs a function", tw_print(tw_window_aggregate(keyed(env), TW_TUMBLE(1000), NULL)));
    REFUSED("function 'mapper' cannot be used here: it has no .add, .reduce or .window; set .add, .reduce or .window "
            "in its TW_FUNCTION",
            tw_print(tw_window_aggregate(keyed(env), TW_TUMBLE(1000), &mapper)));
    REFUSED("function 'no_acc' does not describe its accumulator: .acc is missing",
            tw_print(tw_window_aggregate(keyed(env), TW_TUMBLE(1000), &no_acc)));
    REFUSED("function 'no_result' cannot be used here: it has no .result; set .result in its TW_FUNCTION",
            tw_print(tw_window_aggregate(keyed(env), TW_TUMBLE(1000), &no_result)));
    REFUSED("function 'sums' cannot be used here: it has no .window; set .window in its TW_FUNCTION",
            tw_print(tw_window_process(keyed(env), TW_TUMBLE(1000), &sums, &mapper)));
    REFUSED("unknown aggregate 'median'; there are array_agg, avg, collect, count, first_value, json_arrayagg, json_objectagg, last_value, "
            "listagg, max, min, percentile, stddev, stddev_pop, stddev_samp, sum, var_pop, var_samp, variance",
            tw_print(tw_window_columns(keyed(env), TW_TUMBLE(1000), "median(n) AS m")));
    REFUSED("column 'm' is not in the stream (has: user, n)",
            tw_print(tw_window_columns(keyed(env), TW_TUMBLE(1000), "sum(m) AS m")));
    REFUSED("sum takes a number",
            tw_print(tw_window_columns(keyed(env), TW_TUMBLE(1000), "sum(user) AS m")));
    REFUSED("operator 'Window' runs with parallelism 1 only, not 2",
            tw_parallelism(tw_window_aggregate(some(env), TW_TUMBLE(1000, .all = true), &sums), 2));
    REFUSED("a function with .assign is needed here, but none is given",
            tw_print(tw_window_aggregate(keyed(env), ((struct tw_windowing){.assigner = TW_CUSTOM_WINDOWS}), &sums)));
    REFUSED("a function with .on_element is needed here, but none is given",
            tw_print(tw_window_aggregate(keyed(env), TW_TUMBLE(1000, .trigger = {TW_TRIGGER_CUSTOM}), &sums)));
    REFUSED("a count trigger needs a positive number of rows",
            tw_print(tw_window_aggregate(keyed(env), TW_TUMBLE(1000, .trigger = {TW_TRIGGER_COUNT}), &sums)));
    REFUSED("a merging window assigner cannot be used with a trigger that does not support merging; sessions take "
            "event time, processing time, continuous, count and custom triggers with .on_merge",
            tw_print(tw_window_reduce(
                keyed(env), TW_SESSIONS(5, .trigger = {TW_TRIGGER_CUSTOM, .function = &unmergeable}), &sums)));
    REFUSED("operator 'Window' has no side output 'lte'; it has 'late'; did you mean 'late'?",
            tw_print(tw_side(tw_window_aggregate(keyed(env), TW_TUMBLE(1000), &sums), "lte")));
    REFUSED("aggregates as columns keep no rows that an evictor could take away; use tw_window_aggregate",
            tw_print(tw_window_columns(keyed(env), TW_TUMBLE(1000, .evictor = {TW_EVICT_COUNT, .count = 2}),
                                       "count(*) AS n")));
    REFUSED("between 1 and 256 aggregates are needed, not 0",
            tw_print(tw_window_columns_at(keyed(env), TW_TUMBLE(1000), NULL, 0, TW_HERE)));
    REFUSED(
        "there is no window assigner of kind 99",
        tw_print(tw_window_aggregate(keyed(env), ((struct tw_windowing){.assigner = (enum tw_assigner)99}), &sums)));
}

static void two_inputs(void **state)
{
    (void)state;
    REFUSED("operation 'co_map' needs a function", tw_print(tw_co_map(some(env), some(env), NULL)));
    REFUSED("function 'mapper' cannot be used here: it has no .map2; set .map2 in its TW_FUNCTION",
            tw_print(tw_co_map(some(env), some(env), &mapper)));
    REFUSED("operation 'map' has 1 inputs, not 2",
            tw_print(tw_connect_at(some(env), some(env), "map", &mapper, TW_HERE)));
    REFUSED("window 'Window Join' needs a keyed stream, but stream 'data' is not keyed; call tw_key_by on both streams "
            "before it",
            tw_print(tw_window_join(some(env), some(env), TW_TUMBLE(1000), &mapper)));
    REFUSED("function 'mapper' cannot be used here: it has no .join; set .join in its TW_FUNCTION",
            tw_print(tw_window_join(keyed(env), keyed(env), TW_TUMBLE(1000), &mapper)));
    REFUSED("a co-group needs a function", tw_print(tw_co_group(keyed(env), keyed(env), TW_TUMBLE(1000), NULL)));
    REFUSED("operator 'Interval Join' needs a keyed stream, but stream 'data' is not keyed; call tw_key_by on both "
            "streams before it",
            tw_print(tw_interval_join(some(env), some(env), &mapper, .lower_ms = -1, .upper_ms = 1)));
    REFUSED("an interval join needs a function",
            tw_print(tw_interval_join(keyed(env), keyed(env), NULL, .lower_ms = -1, .upper_ms = 1)));
    REFUSED("the lower bound of an interval join (1 ms) is above the upper one (-1 ms)",
            tw_print(tw_interval_join(keyed(env), keyed(env), &mapper, .lower_ms = 1, .upper_ms = -1)));
    REFUSED("operation 'broadcast_process' needs a function",
            tw_print(tw_broadcast_process(some(env), some(env), NULL)));
    REFUSED("function 'mapper' cannot be used here: it has no .process; set .process in its TW_FUNCTION",
            tw_print(tw_broadcast_process(some(env), some(env), &mapper)));
    REFUSED("function 'ruled' cannot be used here: it has no .process2; set .process2 in its TW_FUNCTION",
            tw_print(tw_broadcast_process(some(env), tw_global(some(env)), &ruled)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_and_hooks), cmocka_unit_test(row_types),
        cmocka_unit_test(states_and_timers),   cmocka_unit_test(windows),
        cmocka_unit_test(two_inputs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
