#!/bin/sh
# test_mistakes.sh - graphs with a mistake are refused before they start, with the line of the call; numbers at their limits, division
# by zero and NULL do what they do in Flink. As a user sees it; every case is in test/unit/api/test_api_mistakes.c and with its operator.
. "$(dirname "$0")/common.sh"

cat > g.c <<'END'
#include <thalweg/thalweg.h>
#include <string.h>
struct item { struct tw_str user; int64_t n; uint64_t nulls; };
TW_ROW(item, TW_FIELD(item, user, "STRING"), TW_FIELD(item, n, "BIGINT"), TW_NULLS(item, nulls));
struct wrong_key { int64_t user; };
TW_ROW(wrong_key, TW_FIELD(wrong_key, user, "BIGINT"));
static enum tw_status pass(struct tw_context *cx, const void *in) { tw_collect(cx, in); return TW_OK; }
TW_FUNCTION(passes) = {.in = &item_row, .out = &item_row, .process = pass};
TW_FUNCTION(keyed) = {.in = &item_row, .key = &wrong_key_row, .out = &item_row, .process = pass};
#define CASE(NAME, STREAM) if (strcmp(argv[1], NAME) == 0) tw_print(STREAM)
TW_JOB(env, argc, argv)
{
    if (argc < 2) return 2;
    struct tw_stream *s = tw_source_rows(env, "items", "filesystem", &item_row, TW_OPTIONS("path", "g.json", "format", "json"));
    if (strcmp(argv[1], "time") == 0) s = tw_with_watermarks(s, .kind = TW_WM_BOUNDED, .time_field = "n");
    CASE("field", tw_where(s, "usr", "=", "a"));
    CASE("key", tw_key_by(s, "usr"));
    CASE("key type", tw_process(tw_key_by(s, "user"), &keyed));
    CASE("unkeyed", tw_window_columns(s, TW_TUMBLE(1000), "count(*) AS c"));
    CASE("uids", tw_uid(tw_process(tw_uid(tw_process(s, &passes), "u"), &passes), "u"));
    CASE("option", tw_source_rows(env, "x", "filesystem", &item_row, TW_OPTIONS("paths", "x", "format", "json")));
    CASE("divide", tw_project(s, "10 / n AS q"));
    CASE("sum", tw_sum(tw_key_by(s, "user"), "n"));
    CASE("time", tw_window_columns(tw_key_by(s, "user"), TW_TUMBLE(1000), "sum(n) AS s"));
    return tw_execute(env, "g");
}
END
$cc -shared -fPIC -I "$source/include" g.c -o g.so || exit 1

refused() { # CASE ERROR
    line=$(grep -n "CASE(\"$1\"" g.c | cut -d: -f1)
    expect "$1" 1 '' "g.c:$line: $2" "$thalweg" run --quiet g.so "$1"
}
refused field "column 'usr' is not in the stream (has: user, n); did you mean 'user'?"
refused key "field 'usr' is not in stream 'items' (has: user, n); did you mean 'user'?"
refused 'key type' "function 'keyed': row type 'wrong_key', field 'user' is BIGINT NOT NULL, but the stream's column 'user' is STRING"
refused unkeyed "window 'Window' needs a keyed stream, but stream 'items' is not keyed; call tw_key_by before it, or set .all for one window over all rows"
refused uids "uid 'u' of 'Process' is that of 'Process' already; uids are unique in a job"
refused option "connector 'filesystem' has no option 'paths'; did you mean 'path'?"

runs() { # CASE ROWS OUTPUT
    printf "$2" > g.json
    expect "$1" 0 "$3" '' "$thalweg" run --quiet g.so "$1"
}
fails() { # CASE ROWS ERROR
    printf "$2" > g.json
    expect "$1" 1 '*' "job 'g' failed: operator $3" "$thalweg" run --quiet g.so "$1"
}
a='{"user":"a","n":1}\n'
great='{"user":"a","n":9223372036854775807}\n'
runs sum "$a$great" '+I[a, 1]
+I[a, -9223372036854775808]'
runs divide '{"n":3}\n{}\n' '+I[3]
+I[null]'
fails divide '{"user":"a","n":0}\n' "'Projection' (subtask 1/1): division by zero in \"(10 / n)\", row +I[n = 0]; leave such rows out before, or divide by NULLIF(x, 0)"
fails sum '{"user":"a"}\n' "'Keyed Aggregation' (subtask 1/1): a row has NULL in the aggregated column 'n'; remove such rows before it, for example with tw_filter"
fails sum '{"n":1}\n' "'Keyed Aggregation' (subtask 1/1): a row has NULL in the key column 'user'; remove such rows before it, for example with tw_filter"
fails time "$great" "'Window' (subtask 1/1): event time 9223372036854775807 is out of range: a window of 1000 ms around it would reach beyond the last time; event times are milliseconds since 1970; correct such rows or remove them before the window"
fails time '{"user":"a"}\n' "'Source: items' (subtask 1/1): event time 'n' is NULL in row +I[a, null]; filter such rows before times are assigned, or give them a time"
runs time '{"n":1}\n{"n":2}\n{"n":1001,"user":"a"}\n' '+I[null, 1970-01-01T00:00, 1970-01-01T00:00:01, 3]
+I[a, 1970-01-01T00:00:01, 1970-01-01T00:00:02, 1001]'
finish
