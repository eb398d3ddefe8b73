#!/bin/sh
# test_lines.sh - lines of several writers on one pipe, which takes large pieces in parts: none is torn. Rows that came before a
# failure are out.
. "$(dirname "$0")/common.sh"

cat > lines.c <<'END_C'
#include <thalweg/thalweg.h>
struct number { int64_t value; };
TW_ROW(number, TW_FIELD(number, value, "BIGINT NOT NULL"));
static enum tw_status pass(struct tw_context *cx, const void *in, void *out)
{
    const struct number *row = in;
    if (tw_config(cx).size > 0 && row->value == 30000) return tw_fail(cx, "no more");
    *(struct number *)out = *row;
    return TW_OK;
}
TW_FUNCTION(passing) = {.in = &number_row, .out = &number_row, .map = pass};
TW_JOB(env, argc, argv)
{
    if (argc < 2) return 2;
    struct tw_stream *s = tw_from_sequence(env, 1, 100000);
    if (argv[1][0] == 'f') s = tw_with_config(tw_map(tw_parallelism(s, 1), &passing), "fail", 4);
    if (argv[1][0] == 's') tw_sink(s, "out", "stdout", TW_OPTIONS("format", "json"));
    else tw_print(s);
    return tw_execute(env, "lines");
}
END_C
$cc -shared -fPIC -I "$source/include" lines.c -o lines.so || exit 1

"$thalweg" run ./lines.so --quiet --parallelism 2 print | sed 's/^[12]> //' | LC_ALL=C sort > got.txt
seq -f '+I[%.0f]' 1 100000 | LC_ALL=C sort > want.txt
cmp -s got.txt want.txt || fail "print: torn lines: $(grep -cv '^+I\[[0-9]*\]$' got.txt)"
"$thalweg" run ./lines.so --quiet --parallelism 2 stdout | LC_ALL=C sort > got.txt
grep -v '^{"[a-z]*":[0-9]*}$' got.txt > torn.txt
same 'stdout: torn lines' '' "$(head -n 3 torn.txt)"
same 'stdout: lines' 100000 "$(sort -u got.txt | wc -l)"

"$thalweg" run ./lines.so --quiet -D thalweg.exec.batch-rows=1 fail > got.txt 2> err.txt
same 'failure: status' 1 $?
seq -f '+I[%.0f]' 1 29999 > want.txt
cmp -s got.txt want.txt || fail "failure: $(wc -l < got.txt) of 29999 rows that came before it are out"
finish
