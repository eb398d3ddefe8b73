#!/bin/sh
# test_log.sh - log lines of a job: none by default, on standard error or in a file when asked, files put aside.
. "$(dirname "$0")/common.sh"

plain() { sed -E 's/^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}\.[0-9]{3} /TIME /' "$1"; }
head -n 5 "$source/examples/data/flights.csv" > few.csv
run() { "$thalweg" run --input few.csv --quiet "$@"; }
lines="TIME INFO  jobmaster - job 'flights': INITIALIZING -> CREATED
TIME INFO  jobmaster - job 'flights': CREATED -> RUNNING
TIME INFO  jobmaster - job 'flights': RUNNING -> FINISHED"
jobs() { plain "$1" | grep -F ' jobmaster - job '; } # tasks move beside each other, and may be told to be slow: see below

expect 'default' 0 '*' '' run
expect 'info' 0 '*' '*' run -D thalweg.log.level=info
same 'info: lines' "$lines" "$(jobs err.txt)"
expect 'file' 0 '*' '' run -D thalweg.log.level=INFO -D thalweg.log.file=a.log
same 'file: lines' "$lines" "$(jobs a.log)"
expect 'file again' 0 '*' '' run -D thalweg.log.level=info -D thalweg.log.file=a.log
same 'file again: lines' "$lines
$lines" "$(jobs a.log)"

states='CREATED -> SCHEDULED
SCHEDULED -> DEPLOYING
DEPLOYING -> INITIALIZING
INITIALIZING -> RUNNING
RUNNING -> FINISHED'
task=$(plain a.log | sed -n "s/.* jobmaster - task '\(Source[^']*\)' (subtask 1.*: CREATED.*/\1/p" | head -n 1)
[ -n "$task" ] || fail 'tasks: no source'
rm a.log
expect 'tasks' 0 '*' '' run -D thalweg.log.level=info -D thalweg.log.file=a.log
same 'tasks: states of the source' "$states" "$(grep -F "task '$task' (subtask 1/" a.log | sed 's/.*): //')"

printf 'bad\n' > bad.csv
expect 'error' 1 '' '*' "$thalweg" run --input bad.csv --quiet -D thalweg.log.file=e.log
same 'error: line' "TIME ERROR job - $(head -n 1 err.txt)" "$(plain e.log | cut -c 1-$(($(head -n 1 err.txt | wc -c) + 17)))"
expect 'off' 1 '' '*' "$thalweg" run --input bad.csv --quiet -D thalweg.log.file=o.log -D thalweg.log.level=off
[ ! -e o.log ] || fail 'off: a file was made'

i=0
while [ $i -lt 20 ]; do
    run -D thalweg.log.level=info -D thalweg.log.file=r.log -D thalweg.log.max-bytes=1kb -D thalweg.log.files=2 > out.txt || fail 'rotation'
    i=$((i + 1))
done
same 'rotation: files' 'r.log r.log.1 r.log.2' "$(echo r.log*)"
for f in r.log.1 r.log.2; do
    size=$(wc -c < $f)
    [ "$size" -le 1024 ] && [ "$size" -gt 900 ] || fail "rotation: $f has $size bytes"
done

expect 'level' 1 '' "thalweg run: -D: option 'thalweg.log.level' of configuration is 'loud', but must be one of debug|info|warn|error|off" \
    run -D thalweg.log.level=loud
expect 'files' 1 '' "thalweg run: -D: configuration 'thalweg.log.files' is -1; it must be 0 to 1000" run -D thalweg.log.files=-1
expect 'no folder' 1 '' "thalweg.log.file: cannot create 'no/a.log': no such folder; name a file in a folder that is there and may be written, or leave the key out for standard error" \
    run -D thalweg.log.file=no/a.log
finish
