#!/bin/sh
# test_pipe.sh - input that is not a file: standard input, named pipes, folders, files that may not be read; a line of 1 GB in
# little memory; json and raw rows that cannot be read.
. "$(dirname "$0")/common.sh"

flights=$source/examples/data/flights.csv
expected=$(cat "$source/examples/flights.expected")
piped() { cat "$flights" | "$thalweg" run --quiet --input "$1"; }
expect 'pipe as -' 0 "$expected" '' piped -
expect 'pipe as /dev/stdin' 0 "$expected" '' piped /dev/stdin
file() { "$thalweg" run --quiet --input - < "$flights"; }
expect 'file as standard input' 0 "$expected" '' file
mkfifo p p.gz
cat "$flights" > p &
expect 'named pipe' 0 "$expected" '' "$thalweg" run --quiet --input p
gzip -c "$flights" > p.gz &
expect 'named pipe, gzip' 0 "$expected" '' "$thalweg" run --quiet --input p.gz
expect 'nothing' 0 'no airport had 10 flights in a week' '' "$thalweg" run --quiet --input /dev/null
bad() { printf 'scheduled,delay,distance,origin,destination\n2001-01-01 00:01:00,x,2,AAA,BBB\n' | "$thalweg" run --quiet --input -; }
expect 'bad row of a pipe' 1 '' "job 'flights' failed: operator 'Source: flights' (subtask 1/1): /dev/stdin:2:21: column 'delay' (INT): 'x' is not a whole number; correct the value; 'csv.ignore-parse-errors' = 'true' reads it as NULL, 'on-error' = 'skip' drops the record
  2001-01-01 00:01:00,x,2,AAA,BBB
                      ^" bad

mkdir folder && head -n 4 "$flights" > folder/a.csv
expect 'folder' 0 "$("$thalweg" run --quiet --input folder/a.csv)" '' "$thalweg" run --quiet --input folder

cat > items.c <<'END'
#include <thalweg/thalweg.h>
#include <string.h>
struct item { struct tw_str user; };
TW_ROW(item, TW_FIELD(item, user, "STRING NOT NULL"));
TW_JOB(env, argc, argv)
{
    if (argc < 4) return 2;
    struct tw_stream *s = tw_source_rows(env, "items", "filesystem", &item_row,
                                         TW_OPTIONS("path", argv[3], "format", argv[1], "on-error", argv[2]));
    tw_print(s);
    if (strcmp(argv[2], "dead-letter") == 0) tw_print(tw_side(s, "dead-letter"));
    return tw_execute(env, "items");
}
END
$cc -shared -fPIC -I "$source/include" items.c -o items.so || exit 1
failed="job 'items' failed: operator 'Source: items' (subtask 1/1):"
record="correct the record, or set 'on-error' = 'skip' or 'dead-letter' to go on without it"
items() { "$thalweg" run ./items.so --quiet "$@"; }

# Peak memory is bounded by the address space that the shell grants; a thread's stack and the program itself count too.
# Sanitizers map terabytes for their own purposes.
bounded() { ulimit -v 204800; }
if [ -n "$sanitizers" ]; then
    bounded() { :; }
    echo "skipped: the memory that a line of 1 GB takes: address space cannot be bounded under $sanitizers"
fi
huge() {
    { echo a; head -c 1000000000 /dev/zero | tr '\0' x; printf '\nb\n'; } | (bounded && items csv "$1" /dev/stdin)
}
expect 'line of 1 GB' 0 '+I[a]
+I[b]' '' huge skip
expect 'line of 1 GB, fail' 1 '*' '*' huge fail
same 'line of 1 GB, fail: text' "$failed /dev/stdin:2:1: the record is longer than 16777216 bytes (csv.max-record-size); $record
  xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...
  ^" "$(cat err.txt)"

json() { # NAME TEXT OUTPUT ERROR
    printf "$2" > "$1.json"
    expect "json $1" "$([ -z "$4" ] && echo 0 || echo 1)" "$3" "$4" items json fail "$1.json"
}
json crlf '{"user":"a"}\r\n{"user":"b"}\r\n' '+I[a]
+I[b]' ''
json bom '\357\273\277{"user":"a"}\n' '+I[a]' ''
json nul '{"user":"a\000b"}\n' '' "$failed nul.json:1:11: control character 0x00 in a string; json wants it escaped; $record
  {\"user\":\"a?b\"}
            ^"
json utf8 '{"user":"a\377b"}\n' '' "$failed utf8.json:1:11: byte 0xff is not valid UTF-8; $record
  {\"user\":\"a?b\"}
            ^"
json cut '{"user":"a"}\n{"user":"b' '' "$failed cut.json:2:11: the record ends inside a string; it may be cut off; $record
  {\"user\":\"b
            ^"

printf '{"user":"a"}\n{"user":\n{"user":"b"}\n' > d.json
expect 'json dead-letter' 0 '*' '' items json dead-letter d.json
same 'json dead-letter: rows' "+I[a]
+I[b]
+I[d.json:2:9, expected a value, but the record ends here; it may be cut off, x'7b2275736572223a']" "$(LC_ALL=C sort out.txt)"
printf 'a\nb\377\nc\n' > d.raw
expect 'raw dead-letter' 0 '*' '' items raw dead-letter d.raw
same 'raw dead-letter: rows' "+I[a]
+I[c]
+I[d.raw:2:2, column 'user' (STRING): byte 0xff is not valid in raw.charset, x'62ff']" "$(LC_ALL=C sort out.txt)"

# As somebody else, when this test may become one.
if [ "$(id -u)" = 0 ] && command -v setpriv > /dev/null; then
    echo a > secret.csv
    chmod 600 secret.csv
    chmod 755 .
    cp "$thalweg" thalweg
    expect 'no permission' 1 '' "job 'items' failed: operator 'Source: items' (subtask 1/1): cannot open 'secret.csv': permission denied; let this user do it (chmod, chown), or run as one who may" \
        setpriv --reuid 65534 --clear-groups ./thalweg run ./items.so --quiet csv fail secret.csv
elif [ "$(id -u)" != 0 ]; then
    echo a > secret.csv
    chmod 000 secret.csv
    expect 'no permission' 1 '' "job 'items' failed: operator 'Source: items' (subtask 1/1): cannot open 'secret.csv': permission denied; let this user do it (chmod, chown), or run as one who may" \
        items csv fail secret.csv
else
    echo 'skipped: a file without permission: root, and no setpriv to become somebody else'
fi
finish
