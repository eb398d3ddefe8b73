#!/bin/sh
# test_rows.sh - rows that cannot be read under each `on-error`, and a callback that refuses a row: places, counts, status.
. "$(dirname "$0")/common.sh"

cat > items.c <<'END'
#include <thalweg/thalweg.h>
#include <string.h>
#include <unistd.h>
struct item { struct tw_str user; int64_t n; };
TW_ROW(item, TW_FIELD(item, user, "STRING NOT NULL"), TW_FIELD(item, n, "BIGINT NOT NULL"));
struct user_key { struct tw_str user; };
TW_ROW(user_key, TW_FIELD(user_key, user, "STRING NOT NULL"));
static enum tw_status check(struct tw_context *cx, const void *in)
{
    const struct item *i = in;
    if (i->n == 13) return tw_fail(cx, "%lld is an unlucky number", (long long)i->n);
    if (i->n == 14) { write(1, "stuck\n", 6); for (;;) pause(); }
    tw_collect(cx, i);
    return TW_OK;
}
TW_FUNCTION(checked) = {.in = &item_row, .key = &user_key_row, .out = &item_row, .process = check};
TW_JOB(env, argc, argv)
{
    if (argc < 4) return 2;
    struct tw_stream *s = tw_source_rows(env, "items", "filesystem", &item_row,
                                         TW_OPTIONS("path", argv[3], "format", argv[1], "on-error", argv[2]));
    tw_print(tw_process(tw_key_by(s, "user"), &checked));
    if (strcmp(argv[2], "dead-letter") == 0) tw_print(tw_side(s, "dead-letter"));
    return tw_execute(env, "items");
}
END
$cc -shared -fPIC -Wno-unused-result -I "$source/include" items.c -o items.so || exit 1
printf 'a,1\nb,x\nc\na,2\n' > i.csv
printf '{"user":"a","n":1}\n{"user":"b","n":"x"}\n{"user":\n{"user":"c","n":2}\n' > i.json
failed="job 'items' failed: operator"

expect 'csv fail' 1 '' "$failed 'Source: items' (subtask 1/1): i.csv:2:3: column 'n' (BIGINT): 'x' is not a whole number; correct the value; 'csv.ignore-parse-errors' = 'true' reads it as NULL, 'on-error' = 'skip' drops the record
  b,x
    ^" \
    "$thalweg" run ./items.so --quiet csv fail i.csv
expect 'json fail' 1 '' "$failed 'Source: items' (subtask 1/1): i.json:2:17: column 'n' (BIGINT): 'x' is not a whole number; correct the value; 'on-error' = 'skip' drops the record
  {\"user\":\"b\",\"n\":\"x\"}
                  ^" \
    "$thalweg" run ./items.so --quiet json fail i.json
expect 'csv skip' 0 '+I[a, 1]
+I[a, 2]' '*' "$thalweg" run ./items.so csv skip i.csv
same 'csv skip: count' 'rows that could not be read: 2 skipped' "$(tail -n 1 err.txt)"
expect 'json skip' 0 '+I[a, 1]
+I[c, 2]' '*' "$thalweg" run ./items.so json skip i.json
same 'json skip: count' 'rows that could not be read: 2 skipped' "$(tail -n 1 err.txt)"
expect 'csv dead-letter' 0 '*' '*' "$thalweg" run ./items.so csv dead-letter i.csv
same 'csv dead-letter: count' 'rows that could not be read: 2 to the dead-letter output' "$(tail -n 1 err.txt)"
same 'csv dead-letter: rows' "+I[a, 1]
+I[a, 2]
+I[i.csv:2:3, column 'n' (BIGINT): 'x' is not a whole number, x'622c78']
+I[i.csv:3:2, expected 2 fields, found 1 in 'c', x'63']" "$(LC_ALL=C sort out.txt)"
expect 'unknown on-error' 1 '' "items.c:20: option 'on-error' of connector 'filesystem' is 'skpi', but must be one of fail|skip|dead-letter" \
    "$thalweg" run ./items.so --quiet csv skpi i.csv

printf 'a,1\nb,13\n' > unlucky.csv
expect 'callback' 1 '' "$failed 'KeyedProcess' (subtask 1/1): key [b], row +I[b, 13]: 13 is an unlucky number" \
    "$thalweg" run ./items.so --quiet csv fail unlucky.csv

# A callback that never comes back: the second SIGINT ends the process at once.
printf 'b,14\n' > stuck.csv
mkfifo rows
"$thalweg" run ./items.so --quiet csv fail stuck.csv > rows 2> err.txt &
job=$!
exec 3< rows
read -r line <&3
same 'stuck' 'stuck' "$line"
while kill -INT $job 2> kill.txt; do :; done
wait $job
same 'second SIGINT: status' 130 $?

# The header of a second file is wrong: an error, and no row, though rows of the first one are there already.
mkdir headers
printf 'a,b\n1,x\n' > headers/1.csv
printf 'a,c\n2,y\n' > headers/2.csv
cat > headers.sql <<'END_OF_SQL'
CREATE TABLE s (a STRING, b STRING) WITH ('connector' = 'filesystem', 'path' = 'headers', 'format' = 'csv', 'csv.header' = 'true');
SELECT * FROM s;
END_OF_SQL
expect 'wrong second header' 1 '*' '*' "$thalweg" sql -f headers.sql --output csv
grep -qF "headers/2.csv:1:3: the header says 'c' where column 'b' is expected" err.txt || fail "wrong second header: $(cat err.txt)"
grep -qF 'a,c' out.txt && fail "wrong second header: read as a row"

finish
