/* test_api_mistakes.c - graphs with a mistake are refused before they start, with the source line of the call that made it and
 * a text that says what to do. One case per line of the tables below; texts are exact. Mistakes with windows and functions are
 * in test_api_mistakes_functions.c. */
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
struct number {
    int64_t value;
};
TW_ROW(number, TW_FIELD(number, value, "BIGINT NOT NULL"));

static const struct click clicks[] = {{TW_STR("ada"), 1}};

static enum tw_status same(struct tw_context *cx, const void *in, void *out)
{
    (void)cx;
    *(struct click *)out = *(const struct click *)in;
    return TW_OK;
}
TW_FUNCTION(same_map) = {.in = &click_row, .out = &click_row, .map = same};
TW_FUNCTION(both) = {.in = &click_row, .in2 = &click_row, .out = &click_row, .map = same, .map2 = same};

static struct tw_stream *some_clicks(struct tw_env *env) { return tw_from_data(env, &click_row, clicks, 1); }
/* As if made by that line of another file. */
#define HERE(line) ((struct tw_here){"src/job.c", line})
static const struct number one = {1};
static struct tw_stream *clicks_of(struct tw_env *env, int line) { return tw_from_data_at(env, &click_row, clicks, 1, HERE(line)); }
static struct tw_stream *numbers(struct tw_env *env) { return tw_from_sequence(env, 1, 3); }

static void sinks(void **state)
{
    (void)state;
#define TO(path) tw_sink(some_clicks(env), "out", "filesystem", TW_OPTIONS("path", path, "format", "csv"))
    REFUSED("'out.csv.gz' is the name of a compressed file, but a sink writes plain text; "
            "choose a name without '.gz', and compress the file when the job is done",
            TO("out.csv.gz"));
    REFUSED("'out.zst' is the name of a compressed file, but a sink writes plain text; "
            "choose a name without '.zst', and compress the file when the job is done",
            TO("out.zst"));
#undef TO
}

static void unknown_fields(void **state)
{
    (void)state;
    REFUSED("field 'usr' is not in stream 'data' (has: user, n); did you mean 'user'?",
            tw_print(tw_sum(tw_key_by(some_clicks(env), "usr"), "n")));
    REFUSED("field 'm' is not in stream 'data' (has: user, n)",
            tw_print(tw_sum(tw_key_by(some_clicks(env), "user"), "m")));
    REFUSED("column 'number' is not in the stream (has: user, n)",
            tw_print(tw_where(some_clicks(env), "number", "=", "1")));
    REFUSED("column 'nn' is not in the stream (has: user, n); did you mean 'n'?",
            tw_print(tw_project(some_clicks(env), "user", "nn")));
    REFUSED("field 'x' is not in stream 'data' (has: user, n)",
            tw_print(tw_sort_partition(some_clicks(env), "x", true)));
    REFUSED("field 'time' is not in stream 'data' (has: user, n)",
            tw_print(tw_with_watermarks(some_clicks(env), .kind = TW_WM_MONOTONOUS, .time_field = "time")));
    REFUSED("operator 'Map' has no side output 'late': it has none",
            tw_print(tw_side(tw_map(some_clicks(env), &same_map), "late")));
    REFUSED("function 'same_map': row type 'click': field 'user' is not in stream 'sequence' (has: value)",
            tw_print(tw_map(numbers(env), &same_map)));
}

static void wrong_literals_operators_and_types(void **state)
{
    (void)state;
    REFUSED("'one' is not a value of type BIGINT", tw_print(tw_where(some_clicks(env), "n", "=", "one")));
    REFUSED("'==' is not a comparison; there are =, <>, <, <=, > and >=",
            tw_print(tw_where(some_clicks(env), "n", "==", "1")));
    REFUSED("tw_where needs a field, an operator and a literal", tw_print(tw_where(some_clicks(env), "n", "=", NULL)));
    REFUSED("operation 'where' has no setting 'filed'; did you mean 'field'?",
            tw_print(tw_operator(some_clicks(env), "where", TW_OPTIONS("filed", "n"))));
    REFUSED("operation 'where' has a setting that is NULL",
            tw_print(tw_operator(some_clicks(env), "where", TW_OPTIONS("field", NULL))));
    REFUSED("a column, an operator and a value are needed",
            tw_print(tw_operator(some_clicks(env), "where", TW_OPTIONS("field", "n"))));
    REFUSED("setting 'retracts' of operation 'group_aggregate' is 'yes', but must be true or false",
            tw_print(tw_operator(some_clicks(env), "group_aggregate", TW_OPTIONS("retracts", "yes"))));
    REFUSED("setting 'size_ms' of operation 'window_columns' is '1 s', but must be a whole number",
            tw_print(tw_operator(some_clicks(env), "window_columns", TW_OPTIONS("size_ms", "1 s"))));
    REFUSED("setting 'function' of operation 'map' cannot be given as text",
            tw_print(tw_operator(some_clicks(env), "map", TW_OPTIONS("function", "f"))));
    REFUSED("there is no operation 'were'; did you mean 'where'?",
            tw_print(tw_operator(some_clicks(env), "were", TW_NO_OPTIONS)));
    REFUSED("sum of column 'user', which is STRING NOT NULL; sums are of TINYINT to BIGINT, FLOAT and DOUBLE",
            tw_print(tw_sum(tw_key_by(some_clicks(env), "user"), "user")));
    REFUSED("unknown rolling aggregate 'average'; there are sum, min, max, min_by, max_by, min_by_last, "
            "max_by_last",
            tw_print(tw_rolling_at(tw_key_by(some_clicks(env), "user"), "average", "n", TW_HERE)));
    REFUSED("a rolling aggregate needs its name and a field",
            tw_print(tw_rolling_at(tw_key_by(some_clicks(env), "user"), NULL, "n", TW_HERE)));
    REFUSED("the expression ends too early at position 4 of \"n /\"",
            tw_print(tw_project(some_clicks(env), "n / AS x")));
    REFUSED("two columns are named 'x'", tw_print(tw_project(some_clicks(env), "n AS x", "n AS x")));
    REFUSED("tw_sort_partition needs a field", tw_print(tw_sort_partition(some_clicks(env), NULL, true)));
    REFUSED("field 'user' of stream 'data' cannot be the event time; event time is a TIMESTAMP, a TIMESTAMP_LTZ, or a "
            "BIGINT of ms since 1970",
            tw_print(tw_with_watermarks(some_clicks(env), .kind = TW_WM_MONOTONOUS, .time_field = "user")));
    REFUSED("out-of-orderness is -1 ms, but must not be negative",
            tw_print(tw_with_watermarks(some_clicks(env), .kind = TW_WM_BOUNDED, .out_of_orderness_ms = -1,
                                        .time_field = "n")));
}

static void keys(void **state)
{
    (void)state;
    REFUSED(
        "operator 'Keyed Aggregation' needs a keyed stream, but stream 'data' is not keyed; call tw_key_by before it",
        tw_print(tw_sum(some_clicks(env), "n")));
    REFUSED("a key has between 1 and 64 fields, not 0", tw_print(tw_key_by_at(some_clicks(env), NULL, 0, TW_HERE)));
    REFUSED("the two inputs of 'Co-Map' have keys of different types: STRING NOT NULL in 'data' (made at job.c:10), BIGINT "
            "NOT NULL in 'data' (made at job.c:20)",
            tw_print(tw_co_map(tw_key_by(clicks_of(env, 10), "user"), tw_key_by(clicks_of(env, 20), "n"), &both)));
    REFUSED("the two inputs of 'Co-Map' have keys of different types: STRING NOT NULL in 'left', BIGINT NOT NULL in 'right'",
            tw_print(tw_co_map(tw_key_by(tw_name(some_clicks(env), "left"), "user"),
                               tw_key_by(tw_name(some_clicks(env), "right"), "n"), &both)));
    REFUSED("the two inputs of 'Co-Map' have keys of different length: 1 fields and 2",
            tw_print(tw_co_map(tw_key_by(some_clicks(env), "user"), tw_key_by(some_clicks(env), "user", "n"), &both)));
    REFUSED("the two streams are keyed differently: by 1 and by 0 columns; key both streams alike, or neither",
            tw_print(tw_co_map(tw_key_by(some_clicks(env), "user"), some_clicks(env), &both)));
    REFUSED("one of the united streams is keyed, the other is not",
            tw_print(tw_sum(tw_union(tw_key_by(some_clicks(env), "user"), some_clicks(env)), "n")));
    REFUSED("union of streams with different keys in front of 'Keyed Aggregation'",
            tw_print(tw_sum(tw_union(tw_key_by(some_clicks(env), "user"), tw_key_by(some_clicks(env), "n")), "n")));
    REFUSED("union of streams of different types: 'data' is ROW<`user` STRING NOT NULL, `n` BIGINT NOT NULL> NOT NULL, "
            "'sequence' is ROW<`value` BIGINT NOT NULL>",
            tw_print(tw_union(some_clicks(env), numbers(env))));
    REFUSED("union of streams of different types: 'data' (made at job.c:10) is ROW<`user` STRING NOT NULL, `n` BIGINT NOT NULL> "
            "NOT NULL, 'data' (made at job.c:20) is ROW<`value` BIGINT NOT NULL> NOT NULL",
            tw_print(tw_union(clicks_of(env, 10), tw_from_data_at(env, &number_row, &one, 1, HERE(20)))));
    REFUSED("a key function needs .key, the row type of its keys",
            tw_print(tw_key_by_function(some_clicks(env), &same_map)));
    REFUSED("a key function needs .key, the row type of its keys",
            tw_print(tw_key_by_function(some_clicks(env), NULL)));
    REFUSED(
        "operator 'Keyed Aggregation' needs a keyed stream, but stream 'data' is not keyed; call tw_key_by before it",
        tw_print(tw_sum(tw_rebalance(tw_key_by(some_clicks(env), "user")), "n")));
    REFUSED("field '' is not in stream 'data' (has: user, n)",
            tw_print(tw_key_by(some_clicks(env), (const char *)NULL)));
}

static void partitioners_and_parallelism(void **state)
{
    (void)state;
    REFUSED("there is no partitioner 'hash'; there are forward, rebalance, rescale, shuffle, broadcast, global and adaptive, and "
            "tw_key_by and tw_partition_custom",
            tw_print(tw_partition_at(some_clicks(env), "hash", TW_HERE)));
    REFUSED("there is no partitioner 'rebalanced'; there are forward, rebalance, rescale, shuffle, broadcast, "
            "global and adaptive, and tw_key_by and tw_partition_custom",
            tw_print(tw_partition_at(some_clicks(env), "rebalanced", TW_HERE)));
    REFUSED("there is no partitioner ''; there are forward, rebalance, rescale, shuffle, broadcast, global and adaptive, and "
            "tw_key_by and tw_partition_custom",
            tw_print(tw_partition_at(some_clicks(env), NULL, TW_HERE)));
    REFUSED("custom partitioning needs a function", tw_print(tw_partition_custom(some_clicks(env), NULL)));
    REFUSED("function 'same_map' cannot be used here: it has no .partition; set .partition in its TW_FUNCTION",
            tw_print(tw_partition_custom(some_clicks(env), &same_map)));
    REFUSED("forward from 'Source: data' to 'Map' needs one parallelism for both, but they have 1 and 2; use "
            "tw_rebalance or tw_rescale, or set the same parallelism",
            tw_parallelism(tw_map(tw_forward(some_clicks(env)), &same_map), 2));
    REFUSED("operator 'Source: data' runs with parallelism 1 only, not 2",
            tw_print(tw_parallelism(tw_from_data(env, &click_row, clicks, 1), 2)));
    REFUSED("tw_parallelism must be at least 1", tw_parallelism(tw_print(some_clicks(env)), 0));
    REFUSED("tw_max_parallelism must be at least 1", tw_max_parallelism(tw_print(some_clicks(env)), 0));
    REFUSED("parallelism 3 of 'Sink: print' is more than its max parallelism 2",
            tw_max_parallelism(tw_parallelism(tw_print(some_clicks(env)), 3), 2));
    REFUSED("parallelism 100000 of 'Sink: print' is more than 4096",
            tw_parallelism(tw_print(some_clicks(env)), 100000));
    REFUSED("max parallelism 100000 of 'Sink: print' is more than 32768",
            tw_max_parallelism(tw_print(some_clicks(env)), 100000));
    REFUSED("tw_rate_limit: 'Map' is not a source", tw_print(tw_rate_limit(tw_map(some_clicks(env), &same_map), 10)));
    REFUSED("a rate of -1 rows per second is not possible; 0 = no limit",
            tw_print(tw_rate_limit(some_clicks(env), -1)));
}

static void sixty_five_variables(struct tw_stream *s, struct tw_here h)
{
    for (int i = 0; i < 65; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        tw_metric_variable_at(tw_metric_variable_at(s, key, "x", h), "k0", "y", h); /* the second is no new one */
    }
}

static void attributes(void **state)
{
    (void)state;
    REFUSED("uid 'one' of 'Sink: print' is that of 'Source: data' already; uids are unique in a job",
            tw_uid(tw_print(tw_uid(some_clicks(env), "one")), "one"));
    REFUSED("tw_uid needs a text of 1 to 1024 bytes", tw_uid(tw_print(some_clicks(env)), ""));
    REFUSED("tw_uid_hash needs 32 hex digits, not '0123456789abcdef0123456789abcde'",
            tw_uid_hash(tw_print(some_clicks(env)), "0123456789abcdef0123456789abcde"));
    REFUSED("tw_uid_hash needs 32 hex digits, not '0123456789abcdef0123456789abcdeg'",
            tw_uid_hash(tw_print(some_clicks(env)), "0123456789abcdef0123456789abcdeg"));
    REFUSED("tw_uid_hash needs 32 hex digits, not ''", tw_uid_hash(tw_print(some_clicks(env)), NULL));
    REFUSED("uid hash '0123456789abcdef0123456789abcdef' of 'Sink: print' is that of 'Source: data' already; they are "
            "unique in a job",
            tw_uid_hash(tw_print(tw_uid_hash(some_clicks(env), "0123456789abcdef0123456789abcdef")),
                        "0123456789ABCDEF0123456789abcdef"));
    REFUSED("tw_buffer_timeout is -2 ms; it must be -1 (the job's) to 86400000",
            tw_buffer_timeout(tw_print(some_clicks(env)), -2));
    REFUSED("tw_buffer_timeout is 86400001 ms; it must be -1 (the job's) to 86400000",
            tw_buffer_timeout(tw_print(some_clicks(env)), 86400001));
    REFUSED("the key of tw_metric_variable needs a text of 1 to 1024 bytes",
            tw_metric_variable(tw_print(some_clicks(env)), "", "x"));
    REFUSED("the value of tw_metric_variable needs a text of 1 to 1024 bytes",
            tw_metric_variable(tw_print(some_clicks(env)), "team", NULL));
    REFUSED("tw_metric_variable: an operator has at most 64", sixty_five_variables(tw_print(some_clicks(env)), TW_HERE));
    REFUSED("tw_name needs a text of 1 to 1024 bytes", tw_name(tw_print(some_clicks(env)), NULL));
    REFUSED("tw_uid: a union is no operator; set it on its streams",
            tw_print(tw_uid(tw_union(tw_from_data(env, &click_row, clicks, 1), some_clicks(env)), "united")));
    REFUSED("tw_with_config: operator 'Sink: print' has no function",
            tw_with_config(tw_print(some_clicks(env)), "x", 1));
    REFUSED("a union has no side outputs: take those of its streams",
            tw_print(tw_side(tw_union(some_clicks(env), some_clicks(env)), "late")));
    REFUSED("tw_slot_sharing_group needs a text of 1 to 1024 bytes",
            tw_slot_sharing_group(tw_print(some_clicks(env)), ""));
    REFUSED("'Sink: print' has no output", tw_print(tw_map(tw_print(some_clicks(env)), &same_map)));
}

static void options_and_connectors(void **state)
{
    (void)state;
    REFUSED("unknown connector 'nexmrk'; the connectors are blackhole, collect, datagen, filesystem, function, hybrid, nexmark, print, savepoint, script, "
            "sequence, socket, stdin, stdout, values; did you mean 'nexmark'?",
            tw_print(tw_source(env, "events", "nexmrk", TW_NO_OPTIONS)));
    REFUSED("connector 'nexmark' has no option 'event.num'; did you mean 'events.num'?",
            tw_print(tw_source(env, "events", "nexmark", TW_OPTIONS("event.num", "10"))));
    REFUSED("option 'events.num' of connector 'nexmark' is 'ten', but must be a whole number",
            tw_print(tw_source(env, "events", "nexmark", TW_OPTIONS("events.num", "ten"))));
    REFUSED("options of source 'events' come in pairs of key and value; one value is missing",
            tw_print(tw_source(env, "events", "nexmark", TW_OPTIONS("events.num"))));
    REFUSED("a source needs a name and a connector", tw_print(tw_source(env, NULL, "nexmark", TW_NO_OPTIONS)));
    REFUSED("unknown connector 'prnt'; the connectors are blackhole, collect, datagen, filesystem, function, hybrid, nexmark, print, savepoint, script, "
            "sequence, socket, stdin, stdout, values; did you mean 'print'?",
            tw_sink(some_clicks(env), "out", "prnt", TW_NO_OPTIONS));
    REFUSED("connector 'print' has no option 'print-identifer'; did you mean 'print-identifier'?",
            tw_sink(some_clicks(env), "out", "print", TW_OPTIONS("print-identifer", "x")));
    REFUSED("a sink needs a name and a connector", tw_sink(some_clicks(env), NULL, "print", TW_NO_OPTIONS));
    REFUSED("option 'sink.parallelism' is 0, but must be 1 to 4096",
            tw_sink(some_clicks(env), "out", "print", TW_OPTIONS("sink.parallelism", "0")));
    REFUSED("connector 'filesystem': the option 'format' is missing; say how rows are written as bytes: 'format' = "
            "'csv', 'json' or 'raw'",
            tw_print(tw_source(env, "files", "filesystem", TW_NO_OPTIONS)));
    REFUSED("the row type is missing", tw_print(tw_source_rows(env, "files", "filesystem", NULL, TW_NO_OPTIONS)));
    REFUSED("connector 'filesystem': the option 'format' is missing; say how rows are written as bytes: 'format' = "
            "'csv', 'json' or 'raw'",
            tw_print(tw_source_rows(env, "files", "filesystem", &click_row, TW_NO_OPTIONS)));
    REFUSED("connector 'filesystem' has no option 'formt'; did you mean 'format'?", /* before what is missing */
            tw_print(tw_source_rows(env, "files", "filesystem", &click_row, TW_OPTIONS("path", "x", "formt", "csv"))));
    REFUSED("connector 'filesystem' has no option 'csv.headr'; did you mean 'csv.header'?",
            tw_print(tw_source_rows(env, "files", "filesystem", &click_row, TW_OPTIONS("path", "x", "csv.headr", "true"))));
    REFUSED("connector 'filesystem': the option 'format' is missing; say how rows are written as bytes: 'format' = "
            "'csv', 'json' or 'raw'", /* an option of some format is no mistake */
            tw_print(tw_source_rows(env, "files", "filesystem", &click_row, TW_OPTIONS("path", "x", "csv.header", "true"))));
    REFUSED("connector 'datagen' cannot be written; it is a source",
            tw_sink(some_clicks(env), "out", "datagen", TW_NO_OPTIONS));
    REFUSED("connector 'print' cannot be read; it is a sink", tw_print(tw_source(env, "in", "print", TW_NO_OPTIONS)));
    REFUSED("tw_from_data: 2 rows, but no pointer to them", tw_print(tw_from_data(env, &click_row, NULL, 2)));
    REFUSED("connector 'sequence': 'from' = 3 is greater than 'to' = 1", tw_print(tw_from_sequence(env, 3, 1)));
    REFUSED("tw_collect_to needs a row type and a function", tw_collect_to(some_clicks(env), &number_row, NULL, NULL));
}

static void foreign_and_stale_streams(void **state)
{
    struct tw_env *other = tw_env_create();
    struct tw_stream *foreign = some_clicks(other);

    (void)state;
    REFUSED("the streams belong to different environments", tw_print(tw_union(some_clicks(env), foreign)));
    REFUSED("the streams belong to different environments", tw_print(tw_co_map(some_clicks(env), foreign, &both)));
    REFUSED("the streams belong to different environments",
            tw_print(tw_union(foreign, some_clicks(env)))); /* this one is told, too */
    tw_env_free(other);

    struct tw_env *env = tw_env_create();
    struct tw_stream *old = some_clicks(env);
    tw_sink(old, "out", "blackhole", TW_NO_OPTIONS);
    assert_int_equal(tw_execute(env, "first"), 0);
    tw_print(old);
    int line = __LINE__ - 1;
    char expected[512];
    tw_quiet(env, true);
    assert_int_equal(tw_execute(env, "second"), 1);
    snprintf(expected, sizeof expected, "%s:%d: %s", __FILE__, line,
             "this stream belongs to a job that was executed already");
    assert_string_equal(tw_error(env), expected);
    tw_env_free(env);
}

static void settings(void **state)
{
    (void)state;
    REFUSED("configuration has no option 'paralelism.default'; did you mean 'parallelism.default'?",
                       tw_set(env, "paralelism.default", "2");
                       tw_print(some_clicks(env)));
    REFUSED("option 'parallelism.default' of configuration is 'two', but must be a whole number",
                       tw_set(env, "parallelism.default", "two");
                       tw_print(some_clicks(env)));
    REFUSED("configuration has no option 'no.such.thing.at.all'; `thalweg config` lists all keys", tw_set(env, "no.such.thing.at.all", "2");
                       tw_print(some_clicks(env)));
    REFUSED("tw_set needs a key and a value", tw_set(env, NULL, "2"); tw_print(some_clicks(env)));
    REFUSED("configuration 'parallelism.default' is 0; it must be 1 to 4096", tw_set_parallelism(env, 0);
                       tw_print(some_clicks(env)));
    REFUSED("configuration 'pipeline.max-parallelism' is 1000000; it must be -1 to 32768",
                       tw_set_max_parallelism(env, 1000000);
                       tw_print(some_clicks(env)));
    REFUSED("tw_set_job_parameter needs a key and a value", tw_set_job_parameter(env, "a", NULL);
                       tw_print(some_clicks(env)));
    REFUSED("option 'execution.runtime-mode' of configuration is 'BATCH', but must be one of STREAMING",
            tw_set(env, "execution.runtime-mode", "BATCH"); tw_print(some_clicks(env)));
    REFUSED("there is no state backend 'heap' (state.backend.type); it is 'hashmap' or 'rocksdb'", tw_set(env, "state.backend.type", "heap");
            tw_print(some_clicks(env)));
    REFUSED("configuration 'taskmanager.network.adaptive-partitioner.max-traverse-size' is 1; it must be 2 to 4096",
            tw_set(env, "taskmanager.network.adaptive-partitioner.max-traverse-size", "1"); tw_print(some_clicks(env)));
    REFUSED_EVERYWHERE("the job has no operators: nothing to run", (void)env);
    REFUSED("nothing reads 'Source: sequence': the job has sources only; end it with a sink, for example tw_print",
            tw_from_sequence(env, 1, 3));
}

/* The first mistake counts; calls on a broken stream do nothing, whatever they are. */
static void first_mistake_is_told(void **state)
{
    (void)state;
    struct tw_env *env = tw_env_create();
    tw_quiet(env, true);
    struct tw_stream *s = tw_partition_at(some_clicks(env), "nowhere", TW_HERE);
    int line = __LINE__ - 1;
    s = tw_global(tw_key_by(tw_map(tw_with_watermarks(tw_rate_limit(s, 1), .kind = TW_WM_NONE), &same_map), "x"));
    s = tw_union(tw_side(tw_partition_custom(s, NULL), "y"), tw_sum(tw_co_map(s, s, NULL), "z"));
    s = tw_uid(tw_name(tw_description(tw_parallelism(tw_max_parallelism(s, 0), 0), ""), ""), "");
    s = tw_with_config(tw_start_new_chain(tw_without_chaining(tw_slot_sharing_group(s, NULL))), "", 0);
    tw_print(s);
    tw_sink_function(s, "sink", NULL);
    tw_collect_to(s, NULL, NULL, NULL);
    assert_null(tw_plan(env));
    assert_int_equal(tw_execute(env, "wrong"), 1);
    char expected[512];
    snprintf(expected, sizeof expected,
             "%s:%d: there is no partitioner 'nowhere'; there are forward, rebalance, rescale, shuffle, broadcast, "
             "global and adaptive, "
             "and tw_key_by and tw_partition_custom",
             __FILE__, line);
    assert_string_equal(tw_error(env), expected);
    tw_env_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sinks),
        cmocka_unit_test(unknown_fields),
        cmocka_unit_test(wrong_literals_operators_and_types),
        cmocka_unit_test(keys),
        cmocka_unit_test(partitioners_and_parallelism),
        cmocka_unit_test(attributes),
        cmocka_unit_test(options_and_connectors),
        cmocka_unit_test(foreign_and_stale_streams),
        cmocka_unit_test(settings),
        cmocka_unit_test(first_mistake_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
