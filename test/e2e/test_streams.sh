#!/bin/sh
# test_streams.sh - what becomes of the output when a disk is full, the reader goes away, or a signal comes: a message, a
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

# A disk of 300 KB: what was written ends with a whole line, and a file that is not complete does not appear.
cat > small.sh <<'END'
mkdir small && mount -t tmpfs -o size=300k none small || exit 77
"$1" run ./endless.so --quiet -D thalweg.exec.batch-rows=2048 fast > small/rows.txt 2> err.txt
echo $? > status.txt
tail -c 1 small/rows.txt | od -An -c | tr -d ' ' > last.txt
rm small/rows.txt
"$1" run ./parts.so --quiet small/out/ 2> parts.txt
echo $? > parts_status.txt
ls -A small/out | grep -cv '^part-.*\.csv$' > odd_files.txt
cat small/out/* | grep -vc '^[-0-9][0-9]*$' > odd_lines.txt
ls small/out | wc -l > parts_count.txt
END
cat > parts.c <<'END'
#include <thalweg/thalweg.h>
struct number { int64_t n; };
TW_ROW(number, TW_FIELD(number, n, "BIGINT NOT NULL"));
TW_JOB(env, argc, argv)
{
    if (argc < 2) return 2;
    tw_sink(tw_source_rows(env, "numbers", "datagen", &number_row, TW_OPTIONS("rows-per-second", "0")), "out", "filesystem",
            TW_OPTIONS("path", argv[1], "format", "csv", "sink.rolling-policy.file-size", "100kb"));
    return tw_execute(env, "parts");
}
END
$cc -shared -fPIC -I "$source/include" parts.c -o parts.so || exit 1
if unshare -m sh small.sh "$thalweg" 2> why.txt; then
    same 'small disk: status' 1 "$(cat status.txt)"
    same 'small disk: last byte' '\n' "$(cat last.txt)"
    same 'small disk, parts: status' 1 "$(cat parts_status.txt)"
    same 'small disk, parts' "job 'parts' failed: operator 'Sink: out' (subtask 1/1): cannot write 'small/out/part: no space left on device; make room there, then run again" \
        "$(sed "s|/\.part-.*\.inprogress'|/part|" parts.txt)"
    same 'small disk, parts: hidden files' 0 "$(cat odd_files.txt)"
    same 'small disk, parts: odd lines' 0 "$(cat odd_lines.txt)"
    [ "$(cat parts_count.txt)" -ge 1 ] || fail 'small disk, parts: none was complete'
else
    echo "skipped: a full disk (no mount here: $(head -n 1 why.txt))"
fi

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
