#!/bin/sh
# test_savepoint_restore.sh - a job in C takes a savepoint of itself and is canceled; `thalweg run -s` goes on from it, with more tasks, also
# when its folder was moved; state that no operator wants is refused, and dropped when that is wanted. A job of SQL begins with a folder.
. "$(dirname "$0")/common.sh"

cat > job.c << 'END'
#include <thalweg/thalweg.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

struct number {
    int64_t value;
};
TW_ROW(number, TW_FIELD(number, value, "BIGINT NOT NULL"));
struct keyed {
    int64_t k;
};
TW_ROW(keyed, TW_FIELD(keyed, k, "BIGINT NOT NULL"));
struct count {
    int64_t k, n;
};
TW_ROW(count, TW_FIELD(count, k, "BIGINT NOT NULL"), TW_FIELD(count, n, "BIGINT NOT NULL"));

static enum tw_status to_key(struct tw_context *cx, const void *in)
{
    struct keyed out = {((const struct number *)in)->value % 4};
    tw_collect(cx, &out);
    return TW_OK;
}
TW_FUNCTION(keys) = {.in = &number_row, .out = &keyed_row, .process = to_key};

static const struct tw_state seen = {.name = "seen", .kind = TW_VALUE, .value = "BIGINT"};
static enum tw_status on_row(struct tw_context *cx, const void *in)
{
    struct count out = {((const struct keyed *)in)->k, tw_value_long(cx, &seen, 0) + 1};
    tw_value_set_long(cx, &seen, out.n);
    tw_collect(cx, &out);
    return TW_OK;
}
TW_FUNCTION(counting) = {.in = &keyed_row, .out = &count_row, .key = &keyed_row, .states = {&seen}, .process = on_row};

TW_JOB(env, argc, argv)
{
    bool saves = argc > 1 && strcmp(argv[1], "save") == 0;
    const char *uid = argc > 1 && strcmp(argv[1], "renamed") == 0 ? "others" : "counts";
    char text[1024];

    tw_set(env, "execution.checkpointing.interval", "1h");
    tw_set(env, "execution.checkpointing.dir", saves ? "ck1" : "ck2");
    struct tw_stream *s = tw_rate_limit(tw_uid(tw_from_sequence(env, 1, 4000), "numbers"), 4000);
    tw_print(tw_uid(tw_process(tw_key_by(tw_process(s, &keys), "k"), &counting), uid));
    if (!saves) return tw_execute(env, "counted");
    if (tw_execute_async(env, "counted") != 0) return 1;
    struct tw_task task;
    while (!tw_job_task(env, 0, &task)) sched_yield(); /* until its tasks are known */
    int failed = tw_savepoint(env, "savepoints", text, sizeof text);
    fprintf(stderr, "%s\n", text);
    tw_cancel(env);
    tw_wait(env);
    return failed;
}
END
$cc -shared -fPIC -I "$source/include" job.c -o job.so || exit 1

"$thalweg" run job.so --quiet save > before.txt 2> path.txt || fail "savepoint: status $?: $(cat path.txt)"
saved=$(grep -v "^==[0-9]*==WARNING: ASan\|^job 'counted' was canceled$" path.txt)
echo "$saved" | grep -q '^savepoints/savepoint-[0-9a-f]\{6\}-[0-9a-f]\{12\}$' || fail "the name of a savepoint: $saved"
"$thalweg" savepoint inspect "$saved" > table.txt 2>&1 || fail "inspect: $(cat table.txt)"
same 'kind' 1 "$(grep -c '^savepoint   savepoints/savepoint-' table.txt)"
same 'job' "$(echo "$saved" | sed 's,.*/savepoint-\(.*\)-.*,\1,')" "$(sed -n 's/^job         counted (\(......\).*/\1/p' table.txt)"
same 'uids' '  uid counts
  uid numbers' "$(sed -n 's/^\(  uid [a-z]*\), .*/\1/p' table.txt | sort)"
mv "$saved" moved

# The last count of each key; none begins anew unless nothing had been counted of it.
last() { sed -n 's/^\([0-9]*> \)\{0,1\}+I\[\([0-9]*\), \([0-9]*\)\]$/\2 \3/p' "$@" | awk '{ if ($2 > n[$1]) n[$1] = $2 } END { for (k in n) print k, n[k] }' | sort; }
rows() { cat "$@" | grep -c '^\([0-9]*> \)\{0,1\}+I\['; }
exact='0 1000
1 1000
2 1000
3 1000'
"$thalweg" run -s moved --parallelism 2 job.so > after.txt 2> err.txt < /dev/null || fail "status $?: $(cat err.txt)"
grep -q "^job 'counted' begins from savepoint [0-9]* (.*) in moved" err.txt || fail "it did not say with what it begins: $(cat err.txt)"
same 'counts' "$exact" "$(last before.txt after.txt)"
same 'the savepoint stays' 0 "$("$thalweg" savepoint inspect moved > /dev/null; echo $?)"

# --- an operator that has another uid
"$thalweg" run -s moved job.so --quiet renamed > out.txt 2> err.txt < /dev/null && fail 'state that nobody wants was passed over'
grep -q 'allowNonRestoredState' err.txt || fail "state that nobody wants: $(cat err.txt)"
"$thalweg" run -s moved -n job.so --quiet renamed > out.txt 2> err.txt < /dev/null || fail "-n: $(cat err.txt)"
last out.txt > dropped.txt
[ "$(rows out.txt)" = "$(rows after.txt)" ] || fail "the source did not go on where it was: $(rows out.txt) rows, $(rows after.txt)"
same 'counts from nothing' "$(rows out.txt)" "$(awk '{ n += $2 } END { print n }' dropped.txt)"

# --- it is deleted, and what is not its own stays
cp -r moved copied && echo mine > copied/mine.txt
expect 'dispose' 0 "Savepoint 'moved' disposed." '' "$thalweg" savepoint dispose moved
[ -e moved ] && fail "something is left: $(ls moved)"
expect 'dispose, not alone' 0 "Savepoint 'copied/_metadata' disposed." '' "$thalweg" savepoint -d copied/_metadata
same 'what is left' 'mine.txt' "$(ls copied)"
expect 'dispose: there is none' 1 '' '*' "$thalweg" savepoint dispose copied
grep -q "there is no checkpoint or savepoint in 'copied'" err.txt || fail "dispose: there is none: $(cat err.txt)"

# --- SQL
cat > job.sql << 'END'
SET 'table.dml-sync' = 'true';
SET 'execution.checkpointing.interval' = '10ms';
CREATE TABLE numbers (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '20000', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '20000');
CREATE TABLE counts (k BIGINT, n BIGINT) WITH ('connector' = 'print');
INSERT INTO counts SELECT id % 4, COUNT(*) FROM numbers GROUP BY id % 4;
END
kill_behind_checkpoint ck3 -D execution.checkpointing.dir=ck3 -f job.sql
for m in ck3/*/chk-*/_metadata; do mv "$(dirname "$m")" kept && break; done
"$thalweg" sql -D execution.checkpointing.dir=ck4 -D execution.state-recovery.path=kept -f job.sql > rest.txt 2> err.txt < /dev/null ||
    fail "SQL: status $?: $(cat err.txt)"
grep -q "begins from checkpoint [0-9]* (.*) in kept" err.txt || fail "SQL did not say with what it begins: $(cat err.txt)"
grep -q '+I\[' rest.txt && fail "a key was counted from the beginning: $(grep '+I\[' rest.txt | head -1)"
same 'counts of SQL' '0 5000
1 5000
2 5000
3 5000' "$(sed -n 's/^\([0-9]*> \)\{0,1\}+U\[\([0-9]*\), \([0-9]*\)\]$/\2 \3/p' rest.txt | awk '{ if ($2 > n[$1]) n[$1] = $2 } END { for (k in n) print k, n[k] }' | sort)"
expect 'SQL: no such folder' 1 '*' '*' "$thalweg" sql -D execution.checkpointing.dir=ck4 -D execution.state-recovery.path=nosuch -f job.sql
grep -q "there is no checkpoint or savepoint in 'nosuch'" err.txt || fail "SQL: no such folder: $(cat err.txt)"
finish
