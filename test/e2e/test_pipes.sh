#!/bin/sh
# test_pipes.sh - rows that come through a pipe on standard input, leave on standard output, and vanish in a blackhole.
. "$(dirname "$0")/common.sh"

cat > pipe.c <<'END'
#include <thalweg/thalweg.h>
#include <stdio.h>
struct item { struct tw_str user; int64_t n; };
TW_ROW(item, TW_FIELD(item, user, "STRING NOT NULL"), TW_FIELD(item, n, "BIGINT NOT NULL"));
TW_JOB(env, argc, argv)
{
    if (argc < 2) return 2;
    struct tw_stream *s = tw_source_rows(env, "items", "stdin", &item_row, TW_OPTIONS("format", argv[1]));
    s = tw_where(s, "n", ">", "1");
    tw_sink(s, "out", "stdout", TW_OPTIONS("format", "json"));
    tw_sink(s, "gone", "blackhole", TW_NO_OPTIONS);
    if (tw_execute(env, "pipe") != 0) return 1;
    fprintf(stderr, "%lu in\n", (unsigned long)tw_job_result(env)->rows_in);
    return 0;
}
END
$cc -shared -fPIC -I "$source/include" pipe.c -o pipe.so || exit 1

piped() { # TEXT FORMAT
    printf "$1" | "$thalweg" run ./pipe.so --quiet --parallelism 2 "$2"
}
# Whichever subtask asks first reads; the rows of two subtasks interleave as they like.
through() { # WHAT STATUS OUTPUT ERROR TEXT FORMAT
    piped "$5" "$6" > got.txt 2> why.txt
    same "$1: exit status" "$2" "$?"
    same "$1: standard output" "$3" "$(sort got.txt)"
    same "$1: standard error" "$4" "$(sed 's|subtask [12]/2|some subtask|' why.txt)"
}

rows='{"user":"b","n":2}
{"user":"c","n":3}'
through 'csv' 0 "$rows" '3 in' 'a,1\nb,2\nc,3\n' csv
through 'no line end' 0 "$rows" '3 in' 'a,1\nb,2\nc,3' csv
through 'json' 0 "$rows" '3 in' '{"user":"c","n":3}\n{"user":"a","n":1}\n{"n":2,"user":"b"}\n' json
through 'nothing' 0 '' '0 in' '' csv
through 'malformed' 1 '' "job 'pipe' failed: operator 'Source: items' (some subtask): standard input:1:3: column 'n' (BIGINT): 'x' is not a whole number; correct the value; 'csv.ignore-parse-errors' = 'true' reads it as NULL, 'on-error' = 'skip' drops the record
  a,x
    ^" \
    'a,x\n' csv
# More than one step of a task: the source finds the pipe empty again and again, and must be woken each time.
expected=$(i=2; while [ $i -le 9 ]; do echo '{"user":"u","n":'$i'}'; i=$((i + 1)); done)
awk 'BEGIN { for (i = 0; i < 2000000; i++) print "u," (i < 1999990 ? 0 : i - 1999990) }' > many.csv
many() { cat many.csv | "$thalweg" run ./pipe.so --quiet csv; }
expect 'many rows' 0 "$expected" '2000000 in' many
finish
