#!/bin/sh
# test_state_evolution.sh - a job begins with a savepoint whose state had other columns: structs of C with fields that come, go, and become
# wider; SQL whose aggregates change places and go. What cannot be is refused before the job starts. EXPLAIN UPGRADE says it all before.
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
struct out {
    int64_t k, n, more;
};
TW_ROW(out, TW_FIELD(out, k, "BIGINT NOT NULL"), TW_FIELD(out, n, "BIGINT NOT NULL"), TW_FIELD(out, more, "BIGINT NOT NULL"));
#if VERSION == 1
struct seen {
    int32_t n;
    int64_t old;
};
TW_ROW(seen, TW_FIELD(seen, n, "INT NOT NULL"), TW_FIELD(seen, old, "BIGINT NOT NULL"));
#define MORE 0
#elif VERSION == 2
struct seen {
    int64_t more, n;
};
TW_ROW(seen, TW_FIELD(seen, more, "BIGINT NOT NULL"), TW_FIELD(seen, n, "BIGINT NOT NULL"));
#define MORE ++seen.more
#else
struct seen {
    struct tw_str n;
};
TW_ROW(seen, TW_FIELD(seen, n, "STRING NOT NULL"));
#endif

static enum tw_status to_key(struct tw_context *cx, const void *in)
{
    struct keyed out = {((const struct number *)in)->value % 4};
    tw_collect(cx, &out);
    return TW_OK;
}
TW_FUNCTION(keys) = {.in = &number_row, .out = &keyed_row, .process = to_key};

static const struct tw_state state = {.name = "seen", .kind = TW_VALUE, .value = "ROW", .row = &seen_row};
static enum tw_status on_row(struct tw_context *cx, const void *in)
{
#if VERSION < 3
    struct seen seen = {0};
    tw_value_get(cx, &state, &seen);
    struct out out = {((const struct keyed *)in)->k, ++seen.n, MORE};
    tw_value_set(cx, &state, &seen);
    tw_collect(cx, &out);
#else
    (void)in;
    (void)cx;
    (void)out_row;
#endif
    return TW_OK;
}
TW_FUNCTION(counting) = {.in = &keyed_row, .out = &out_row, .key = &keyed_row, .states = {&state}, .process = on_row};

TW_JOB(env, argc, argv)
{
    bool saves = argc > 1 && strcmp(argv[1], "save") == 0;
    char text[1024];

    tw_set(env, "execution.checkpointing.interval", "1h");
    tw_set(env, "execution.checkpointing.dir", saves ? "ck1" : "ck2");
    struct tw_stream *s = tw_rate_limit(tw_uid(tw_from_sequence(env, 1, 4000), "numbers"), 4000);
    tw_print(tw_uid(tw_process(tw_key_by(tw_process(s, &keys), "k"), &counting), "counts"));
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
for v in 1 2 3; do $cc -shared -fPIC -DVERSION=$v -I "$source/include" job.c -o job$v.so || exit 1; done
"$thalweg" run job1.so --quiet save > before.txt 2> path.txt || fail "savepoint: status $?: $(cat path.txt)"
saved=$(grep '^savepoints/' path.txt)

# --- the state as a table: what was counted before, by key
cat > state.sql << END
SET 'execution.runtime-mode' = 'batch';
CREATE TABLE seen (k BIGINT, n BIGINT, \`old\` BIGINT) WITH ('connector' = 'savepoint', 'state.path' = '$saved', 'operator.uid' = 'counts', 'state.name' = 'seen');
SELECT COUNT(*), COALESCE(MAX(\`old\`), 0), COALESCE(MIN(k), 0) >= 0, COALESCE(MIN(n), 1) > 0 FROM seen;
END
keys=$("$thalweg" savepoint inspect "$saved" | sed -n 's/^  seen *keyed *MAP *\([0-9]*\) .*/\1/p')
same 'the state as a table' "${keys:-0},0,true,true" "$("$thalweg" sql -f state.sql --output csv 2> err.txt | sed 's/\r$//' | tail -1)"

# --- structs: `n` is wider and goes on, `more` is new and begins with 0, `old` is gone; key groups are split besides
"$thalweg" run job2.so --quiet -s "$saved" -D pipeline.max-parallelism=200 > after.txt 2> err.txt || fail "evolved: $(cat err.txt)"
cat before.txt after.txt | sed -n 's/^\([0-9]*> \)\{0,1\}+I\[\([0-9]*\), \([0-9]*\), .*/\2 \3/p' |
    awk '{ if ($2 > n[$1]) n[$1] = $2 } END { for (k in n) print k, n[k] }' | sort > last.txt
same 'the counts go on' '0 1000
1 1000
2 1000
3 1000' "$(cat last.txt)"
sed -n 's/^\([0-9]*> \)\{0,1\}+I\[[0-9]*, \([0-9]*\), \([0-9]*\)\]$/\2 \3/p' after.txt | awk '$2 > $1 || $2 < 1 { print "more:", $0 }' > odd.txt
same 'what is new begins with zero' '' "$(cat odd.txt)"
grep -q '^\([0-9]*> \)\{0,1\}+I\[[0-9]*, [0-9]*, 1\]$' after.txt || fail 'nothing began with zero'

expect 'refused' 1 '' '*' "$thalweg" run job3.so --quiet -s "$saved"
grep -q "operator 'KeyedProcess': state \`seen\`: value column \`n\` is of type INT NOT NULL in the snapshot and of type STRING NOT NULL now" err.txt ||
    fail "refused: $(cat err.txt)"

# --- SQL: the same aggregates elsewhere, one is gone; then one that was not there
cat > job.sql <<'END'
SET 'execution.checkpointing.interval' = '10ms';
SET 'execution.checkpointing.dir' = 'ck3';
SET 'execution.checkpointing.externalized-checkpoint-retention' = 'RETAIN_ON_CANCELLATION';
SET 'pipeline.name' = 'summed';
CREATE TABLE numbers (id BIGINT, v INT) WITH ('connector' = 'datagen', 'rows-per-second' = '20000', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '20000', 'fields.v.kind' = 'sequence', 'fields.v.start' = '1', 'fields.v.end' = '20000');
CREATE TABLE sums (k BIGINT, a BIGINT, b BIGINT, c INT) WITH ('connector' = 'print');
INSERT INTO sums SELECT id % 5, COUNT(*), SUM(v), MAX(v) FROM numbers GROUP BY id % 5;
END
changed() { sed -e "s/^INSERT.*/$1/" -e "s/'ck3'/'ck4'/" job.sql; }
changed "INSERT INTO sums SELECT id % 5, SUM(v), COUNT(*), CAST(NULL AS INT) FROM numbers GROUP BY id % 5;" > moved.sql
changed "INSERT INTO sums SELECT id % 5, SUM(id), COUNT(*), MAX(v) FROM numbers GROUP BY id % 5;" > other.sql
kill_behind_checkpoint ck3 -f job.sql
for m in ck3/*/chk-*/_metadata; do mv "$(dirname "$m")" saved && break; done
"$thalweg" sql -f moved.sql -D execution.state-recovery.path=saved > sums.txt 2> err.txt || fail "moved: $(cat err.txt)"
same 'sums and counts are the right way round' '+U[0, 40010000, 4000, null]
+U[1, 39994000, 4000, null]
+U[2, 39998000, 4000, null]
+U[3, 40002000, 4000, null]
+U[4, 40006000, 4000, null]' "$(sed 's/^[0-9]*> //' sums.txt | grep ', 4000, null\]$' | grep '^+U' | sort)"
"$thalweg" sql -f other.sql -D execution.state-recovery.path=saved > out.txt 2>&1 && fail 'an aggregate that saw nothing'
grep -q "^operator 'GroupAggregate': state \`groups\`: value column \`sum(id)\` BIGINT NOT NULL is not in the snapshot; It has seen none of the rows so far" out.txt ||
    fail "other: $(cat out.txt)"

# --- EXPLAIN UPGRADE says so before
upgrade() { # STATEMENT: rows as csv, without those of the source
    sed -e "s/^INSERT.*/EXPLAIN UPGRADE FROM 'saved' $1;/" job.sql > upgrade.sql
    "$thalweg" sql -f upgrade.sql --output csv 2> err.txt | sed 's/\r$//' | grep -v '^Source: numbers,,\(splits,list\|open splits,union list\|enumerators,union list\),kept,the operator looks at it when it starts$'
}
same 'nothing changes' 'operator,uid,state,kind,outcome,details
GroupAggregate,,groups,keyed,kept,' "$(upgrade 'INSERT INTO sums SELECT id % 5, COUNT(*), SUM(v), MAX(v) FROM numbers GROUP BY id % 5')"
same 'a result goes, the others change places' 'operator,uid,state,kind,outcome,details
GroupAggregate,,groups,keyed,migrated,`max(v)` dropped; `max(v) #2` dropped' \
    "$(upgrade 'INSERT INTO sums SELECT id % 5, SUM(v), COUNT(*), 0 FROM numbers GROUP BY id % 5')"
same 'a result comes' 'operator,uid,state,kind,outcome,details
GroupAggregate,,,,refused,"operator '"'GroupAggregate': state \`groups\`: value column \`sum(id)\` BIGINT NOT NULL is not in the snapshot; It has seen none of the rows so far: begin without this state, by another uid and -n, or compute it in a query of its own."'"' \
    "$(upgrade 'INSERT INTO sums SELECT id % 5, SUM(id), COUNT(*), MAX(v) FROM numbers GROUP BY id % 5')"
same 'another operator' 'operator,uid,state,kind,outcome,details
Rank,,rows,keyed,new,the savepoint has no such operator
GroupAggregate,,groups,keyed,lost,"the job has no such operator: -n drops it, else the job does not start"' \
    "$(upgrade 'INSERT INTO sums SELECT id, id, n, 0 FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY id % 3 ORDER BY v DESC) AS n FROM numbers) WHERE n < 3')"
same 'no savepoint' '' "$(echo "EXPLAIN UPGRADE FROM 'nowhere' SELECT 1;" | "$thalweg" sql -f - 2> err.txt)"
grep -q "there is no checkpoint or savepoint in 'nowhere'" err.txt || fail "no savepoint: $(cat err.txt)"

finish
