#!/bin/sh
# test_streams.sh - what becomes of the output when it is full, the reader goes away, or a signal comes: a message, a
# status, and no half line. Nothing sleeps: the test goes on when a line has come through a pipe.
. "$(dirname "$0")/common.sh"

cat > endless.c <<'END'
#include <thalweg/thalweg.h>
struct number { int64_t n; };
TW_ROW(number, TW_FIELD(number, n, "BIGINT NOT NULL"));
TW_JOB(env, argc, argv)
{
    (void)argv;
    tw_print(tw_source_rows(env, "numbers", "datagen", &number_row,
                            TW_OPTIONS("rows-per-second", argc > 1 ? "0" : "1000")));
    return tw_execute(env, "endless");
}
END
$cc -shared -fPIC -I "$source/include" endless.c -o endless.so || exit 1
mkfifo rows

"$thalweg" run --quiet > /dev/full 2> err.txt
same 'full disk: status' 1 $?
same 'full disk' "job 'flights' failed: cannot write 'standard output': no space left on device; make room there, then run again" "$(cat err.txt)"
"$thalweg" run ./endless.so --quiet > /dev/full 2> err.txt
same 'full disk, print: status' 1 $?
same 'full disk, print' "job 'endless' failed: operator 'Sink: print' (subtask 1/1): cannot write 'standard output': no space left on device; make room there, then run again" "$(cat err.txt)"

# SIGNAL EXPECTED-STATUS EXPECTED-STATUS
stops_on() {
    "$thalweg" run ./endless.so --quiet > rows 2> err.txt &
    job=$!
    exec 3< rows
    read -r first <&3
    kill "-$1" $job
    cat <&3 > rest.txt
    exec 3<&-
    wait $job
    same "SIG$1: status" "$2" $?
    case $first in '+I['*']') ;; *) fail "SIG$1: first line '$first'" ;; esac
    grep -v '^+I\[-\{0,1\}[0-9]*\]$' rest.txt | head -n 3 > odd.txt
    same "SIG$1: odd lines" '' "$(cat odd.txt)"
    [ "$(tail -c 1 rest.txt | od -An -c | tr -d ' ')" = '\n' ] || [ ! -s rest.txt ] || fail "SIG$1: half a line at the end"
    same "SIG$1: message" "job 'endless' was canceled" "$(cat err.txt)"
}
stops_on INT 130
stops_on TERM 143

"$thalweg" run ./endless.so --quiet > rows 2> err.txt &
job=$!
exec 3< rows
read -r first <&3
exec 3<&- # the reader goes away
wait $job
same 'closed pipe: status' 1 $?
same 'closed pipe' "job 'endless' failed: operator 'Sink: print' (subtask 1/1): cannot write 'standard output': the reader went away; it must read to the end to get all" "$(cat err.txt)"
finish
