#!/bin/sh
# test_full_disk.sh - a disk of 300 KB, mounted for this test alone: what was written to standard output ends with a whole line,
# and a file sink shows no file that is not complete, and says why it stopped.
. "$(dirname "$0")/common.sh"

cat > endless.c <<'END'
#include <thalweg/thalweg.h>
struct number { int64_t n; };
TW_ROW(number, TW_FIELD(number, n, "BIGINT NOT NULL"));
TW_JOB(env, argc, argv)
{
    struct tw_stream *s = tw_source_rows(env, "numbers", "datagen", &number_row, TW_OPTIONS("rows-per-second", "0"));
    if (argc > 1) tw_sink(s, "out", "filesystem", TW_OPTIONS("path", argv[1], "format", "csv",
                                                             "sink.rolling-policy.file-size", "50kb"));
    else tw_print(s);
    return tw_execute(env, "endless");
}
END
$cc -shared -fPIC -I "$source/include" endless.c -o endless.so || exit 1

cat > small.sh <<'END'
mkdir small && mount -t tmpfs -o size=300k none small || exit 77
"$1" run ./endless.so --quiet -D thalweg.exec.batch-rows=2048 > small/rows.txt 2> err.txt
echo $? > status.txt
tail -c 1 small/rows.txt | od -An -c | tr -d ' ' > last.txt
rm small/rows.txt
"$1" run ./endless.so --quiet -D thalweg.exec.batch-rows=512 small/out/ 2> files.err
echo $? > files.status
for file in small/out/*; do
    [ ! -e "$file" ] || [ "$(tail -c 1 "$file" | od -An -c | tr -d ' ')" = '\n' ] || echo "$file"
done > files.odd
ls -A small/out | grep -v '^part-.*\.csv$' > files.hidden
ls small/out | wc -l > files.count
END
if ! unshare -m sh small.sh "$thalweg" 2> why.txt; then
    echo "skipped: no small disk can be mounted here: $(head -n 1 why.txt)"
    exit 77
fi
same 'standard output: status' 1 "$(cat status.txt)"
same 'standard output: last byte' '\n' "$(cat last.txt)"
same 'standard output: message' "job 'endless' failed: operator 'Sink: print' (subtask 1/1): cannot write 'standard output': \
no space left on device; make room there, then run again" "$(cat err.txt)"
same 'files: status' 1 "$(cat files.status)"
same 'files: message' "job 'endless' failed: operator 'Sink: out' (subtask 1/1): cannot write 'small/out/.part.csv.inprogress': \
no space left on device; make room there, then run again" "$(sed 's/part-[-0-9a-f]*/part/' files.err)"
same 'files: that end within a line' '' "$(cat files.odd)"
same 'files: other than whole parts' '' "$(cat files.hidden)"
[ "$(cat files.count)" -ge 1 ] || fail 'files: none was complete'
finish
