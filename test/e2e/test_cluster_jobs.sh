#!/bin/sh
# test_cluster_jobs.sh - a cluster of processes as its users meet it: start-cluster, jobs by sql -m and run -m, list, savepoint, checkpoint,
# stop, cancel, in the words of Flink's client; a JobManager that is killed and started again goes on with the job; what is wrong is told.
. "$(dirname "$0")/common.sh"
export THALWEG_CONF_DIR="$here/none" FLINK_CONF_DIR="$here/none"

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
rest=$(free_port) rpc=$(free_port)
settings="-D rest.port=$rest -D jobmanager.rpc.port=$rpc -D io.tmp.dirs=$here/tmp -D taskmanager.numberOfTaskSlots=2"
at=localhost:$rest
folder=$here/tmp/thalweg-$(id -u)/$rest
trap '"$thalweg" stop-cluster $settings > /dev/null 2>&1; rm -rf "$here"' EXIT

lines() { sed "s/[0-9a-f]\{32\}/JOB/g; s/^[0-9.]* [0-9:]* : /TIME : /; s/savepoint-[0-9a-f]*-[0-9a-f]*/SAVEPOINT/; s/(pid: [0-9]*)/(pid: N)/; s/host .*\./host HOST./; s/Checkpoint [0-9]*/Checkpoint N/; s/Runtime: [0-9]*/Runtime: N/; s|$here|HERE|g; s/$rest/PORT/g"; }
says() { # WHAT STATUS OUTPUT COMMAND...
    what=$1 status=$2 out=$3
    shift 3
    "$@" > out.txt 2> err.txt < /dev/null
    got=$?
    [ "$got" = "$status" ] || fail "$what: exit status $got, expected $status: $(cat out.txt err.txt)"
    same "$what" "$out" "$(cat out.txt err.txt | lines)"
}
id_of() { "$thalweg" list -a -m "$at" | sed -n "s/.* : \([0-9a-f]*\) : $1 .*/\1/p" | tail -1; }
# Waits until `thalweg list -a` says that of a job; a cluster that does not is a failure.
await() { # NAME STATE
    for _ in $(seq 600); do
        "$thalweg" list -a -m "$at" 2> /dev/null | grep -q " : $1 ($2)" && return
        sleep 0.1
    done
    fail "job $1 does not become $2: $("$thalweg" list -a -m "$at" 2>&1; tail -n 5 "$folder"/*.log)"
}

# --- nobody there
"$thalweg" list -m "$at" > out.txt 2> err.txt && fail 'list without a cluster succeeds'
grep -q "no cluster answers at http://localhost:$rest: .*\`thalweg start-cluster\` starts one on this machine" err.txt || fail "no cluster: $(cat err.txt)"
expect 'no address' 1 '' "thalweg list: 'localhost:port' is no address of a JobManager; write HOST:PORT, the port being that of its REST interface: localhost:8081" \
    "$thalweg" list -m localhost:port
expect 'no job' 1 '' "thalweg cancel: Missing JobID. Specify a Job ID to manipulate a job.; \`thalweg list\` shows the jobs" "$thalweg" cancel -m "$at"
expect 'no TaskManager alone' 1 '' '*' "$thalweg" taskmanager $settings
grep -q 'start the JobManager first' err.txt || fail "TaskManager alone: $(cat err.txt)"

# --- begin
says 'start' 0 'Starting cluster.
Starting standalonesession daemon on host HOST.
Starting taskexecutor daemon on host HOST.
The cluster is up: http://localhost:PORT, 1 TaskManager; logs in HERE/tmp/thalweg-0/PORT' sh -c "\"$thalweg\" start-cluster $settings | sed 's|thalweg-$(id -u)/|thalweg-0/|'"
"$thalweg" start-cluster $settings > out.txt 2> err.txt && fail 'a second cluster at the same port starts'
grep -q "something answers at http://localhost:$rest already" err.txt || fail "second cluster: $(cat err.txt)"
"$thalweg" jobmanager $settings > out.txt 2> err.txt && fail 'a second JobManager at the same port starts'
grep -q "the port is taken by another process" err.txt || fail "second JobManager: $(cat err.txt)"
expect 'elsewhere' 1 '' '*' "$thalweg" jobmanager -D rest.bind-address=0.0.0.0 -D "io.tmp.dirs=$here/other" -D rest.port=0
grep -q "listens on this machine only" err.txt || fail "another address: $(cat err.txt)"
says 'nothing yet' 0 'Waiting for response...
No running jobs.
No scheduled jobs.' "$thalweg" list -m "$at"

for bad in 'jobmanager.scheduler=Adaptiv' 'jobmanager.execution.failover-strategy=some' 'scheduler-mode=reactive'; do
    "$thalweg" jobmanager -D "$bad" -D "io.tmp.dirs=$here/other" -D rest.port=0 > out.txt 2> err.txt < /dev/null && fail "$bad is taken"
    grep -q "${bad%%=*}" err.txt || fail "$bad: $(cat err.txt)"
done

# --- a job of SQL
cat > job.sql << END
SET 'pipeline.name' = 'numbers';
SET 'execution.checkpointing.interval' = '50ms';
SET 'execution.checkpointing.dir' = '$here/ck';
CREATE TABLE numbers (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '2000', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '1000000000');
CREATE TABLE lines (id BIGINT) WITH ('connector' = 'filesystem', 'path' = '$here/lines/', 'format' = 'csv');
INSERT INTO lines SELECT id FROM numbers;
END
"$thalweg" sql -m "$at" -f job.sql > out.txt 2>&1 || fail "sql -m: $(cat out.txt)"
await numbers RUNNING
job=$(id_of numbers)
grep -q "^Job ID: $job" out.txt || fail "sql -m says another job than $job: $(cat out.txt)"
says 'a list' 0 'Waiting for response...
------------------ Running/Restarting Jobs -------------------
TIME : JOB : numbers (RUNNING)
--------------------------------------------------------------
No scheduled jobs.' "$thalweg" list -m "$at"
says 'a query' 0 '+----+-------------+----------------------+
| op |           k |                    n |
+----+-------------+----------------------+
| +I |           1 |                    2 |
| +I |           2 |                    1 |
+----+-------------+----------------------+
Received a total of 2 rows' "$thalweg" sql -m "$at" -e "SELECT k, COUNT(*) AS n FROM (VALUES (1, 'a'), (2, NULL), (1, 'c')) AS t (k, v) GROUP BY k"
says 'a query that fails' 1 "+----+-------------+
| op |           x |
+----+-------------+
[ERROR] Could not execute SQL statement. Reason:
operator 'Calc' (subtask 1/1): division by zero in \"(1 / 0)\" at line 1, column 8, row +I[...]; leave such rows out before, or divide by NULLIF(x, 0)
SELECT 1 / 0 AS x FROM (VALUES (1)) AS t (a)
       ^^^^^" "$thalweg" sql -m "$at" -e 'SELECT 1 / 0 AS x FROM (VALUES (1)) AS t (a)'
# more rows than may be under way at a time, in their order
cat > many.sql << END
CREATE TABLE numbers (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '100000000', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '1000000');
SELECT * FROM numbers;
END
"$thalweg" sql -m "$at" --output csv -f many.sql > out.txt 2> err.txt || fail "many rows: $(cat err.txt)"
tail -n +2 out.txt > rows.txt
seq 1000000 | cmp - rows.txt || fail 'the rows of a query are not those from 1 to 1000000, each once'
# ctrl-c cancels it
sed "s/100000000'/1000'/; s/'1000000'/'1000000000'/; 1i SET 'pipeline.name' = 'endless';" many.sql > endless.sql
"$thalweg" sql -m "$at" --output csv -f endless.sql > out.txt 2> err.txt &
query=$!
await endless RUNNING
kill -INT "$query"
wait "$query"
[ $? = 130 ] || fail "a query that was interrupted: $(cat err.txt)"
await endless CANCELED

# --- savepoints and checkpoints
says 'a savepoint' 0 "Triggering savepoint for job JOB.
Waiting for response...
Savepoint completed. Path: HERE/saved/SAVEPOINT
You can resume your program from this savepoint with the run command." "$thalweg" savepoint -m "$at" "$job" "$here/saved"
taken=$(sed -n 's/^Savepoint completed. Path: //p' out.txt)
dispose() { python3 - "http://$at/savepoint-disposal" "$taken" << 'END'
import json, sys, urllib.request
url, path = sys.argv[1:]
ask = urllib.request.Request(url, json.dumps({"savepoint-path": path}).encode(), {"Content-Type": "application/json"})
trigger = json.load(urllib.request.urlopen(ask))["request-id"]
print(urllib.request.urlopen(url + "/" + trigger).read().decode())
END
}
[ -f "$taken/_metadata" ] || fail "no savepoint in '$taken'"
same 'disposal' '{"status":{"id":"COMPLETED"},"operation":{}}' "$(dispose)"
[ -e "$taken/_metadata" ] && fail 'a savepoint that was disposed of is there'
dispose | grep -q '"failure-cause":{"class":"org.apache.flink.util.FlinkException"' || fail 'a savepoint is disposed of twice'
says 'no folder' 1 "Triggering savepoint for job JOB.
Waiting for response...
thalweg savepoint: Failed to trigger a savepoint for the job JOB: Config key [execution.checkpointing.savepoint-dir] is not set. Property [target-directory] must be provided." \
    "$thalweg" savepoint -m "$at" "$job"
says 'a checkpoint' 0 'Triggering checkpoint for job JOB.
Waiting for response...
Checkpoint N for job JOB completed.
You can resume your program from this checkpoint with the run command.' "$thalweg" checkpoint -m "$at" "$job"

# --- state that does not fit is refused before anything runs, as where the job runs in this process
cat > counts.sql << END
SET 'pipeline.name' = 'counts';
SET 'execution.checkpointing.interval' = '50ms';
SET 'execution.checkpointing.dir' = '$here/ck';
CREATE TABLE numbers (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '2000', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '1000000000');
CREATE TABLE counts (k BIGINT, n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO counts SELECT MOD(id, 7), COUNT(*) FROM numbers GROUP BY MOD(id, 7);
END
"$thalweg" sql -m "$at" -f counts.sql > out.txt 2>&1 || fail "sql -m: $(cat out.txt)"
await counts RUNNING
"$thalweg" stop -m "$at" -p "$here/saved" "$(id_of counts)" > out.txt 2>&1 || fail "stop: $(cat out.txt)"
saved=$(sed -n 's/.*Path: //p' out.txt)
sed "1i SET 'execution.state-recovery.path' = '$saved';
s/MOD(id, 7)/CAST(MOD(id, 7) AS STRING)/g; s/(k BIGINT/(k STRING/" counts.sql > other.sql
for where in "-m $at" ''; do
    "$thalweg" sql $where -f other.sql > out.txt 2> err.txt && fail "state that does not fit is taken ($where)"
    same "state that does not fit ($where)" "[ERROR] Could not execute SQL statement. Reason:
operator 'GroupAggregate': state \`groups\`: key column \`\$f0\` is of type INT in the snapshot and of type STRING now; Keys cannot change: give the operator another uid, and run with -n to begin it without its state." \
        "$(cat err.txt)"
done

# --- another parallelism
says 'a rescale' 0 'Rescaling job JOB to a parallelism of 2.
Waiting for response...
Job JOB is rescaled. It paused for N ms, and goes on from checkpoint N (N bytes).' sh -c "'$thalweg' rescale -m '$at' -p 2 '$job' | sed 's/paused for [0-9]*/paused for N/; s/checkpoint [0-9]* ([0-9]* /checkpoint N (N /'"
says 'more than there are slots' 1 "Rescaling job JOB to a parallelism of 3.
thalweg rescale: Could not rescale the job JOB: the job would need 3 slots; there are 2 for it; start a TaskManager, or lower the parallelism (-p)" \
    "$thalweg" rescale -m "$at" -p 3 "$job"
says 'no such vertex' 1 '*' "$thalweg" rescale -m "$at" -p 1 --vertex 'Source' "$job"
grep -q "the job has no vertex 'Source'; it has 'Source: numbers" err.txt || fail "no such vertex: $(cat err.txt)"

# --- the JobManager is killed
kill -9 "$(cat "$folder/jobmanager.pid")"
"$thalweg" jobmanager start $settings > out.txt 2>&1 || fail "the JobManager starts no more: $(cat out.txt)"
await numbers RUNNING
[ "$(id_of numbers)" = "$job" ] || fail "another job runs than $job"
for _ in $(seq 600); do
    grep -q "job 'numbers' resumed from checkpoint" "$folder"/jobmanager-*.log && break
    sleep 0.1
done
grep -q "job 'numbers' resumed from checkpoint" "$folder"/jobmanager-*.log || fail "nothing resumed: $(cat "$folder"/jobmanager-*.log)"
says 'a checkpoint after it' 0 '*' "$thalweg" checkpoint -m "$at" "$job"
python3 -c 'import json, sys, urllib.request; print(*(v["parallelism"] for v in json.load(urllib.request.urlopen(sys.argv[1]))["vertices"]))' \
    "http://$at/jobs/$job" > out.txt
same 'it goes on with the parallelism that it had' 2 "$(cat out.txt)"

# --- stop: every row once, from the first to the last
says 'stop' 0 'Suspending job "JOB" with a CANONICAL savepoint.
Triggering stop-with-savepoint for job JOB.
Waiting for response...
Savepoint completed. Path: HERE/saved/SAVEPOINT' "$thalweg" stop -m "$at" -p "$here/saved" "$job"
await numbers FINISHED
cat lines/part-* | sort -n > all.txt
seq "$(tail -n 1 all.txt)" | cmp - all.txt || fail "the rows are not those from 1 to $(tail -n 1 all.txt), each once"
says 'cancel what is over' 1 "Cancelling job JOB.
thalweg cancel: Could not cancel job JOB: Job cancellation failed because the job has already reached another terminal state (FINISHED)." \
    "$thalweg" cancel -m "$at" "$job"
says 'the list of all' 0 'Waiting for response...
No running jobs.
No scheduled jobs.
---------------------- Terminated Jobs -----------------------
TIME : JOB : collect (FINISHED)
TIME : JOB : collect (FAILED)
TIME : JOB : collect (FINISHED)
TIME : JOB : endless (CANCELED)
TIME : JOB : counts (FINISHED)
TIME : JOB : counts (FAILED)
TIME : JOB : numbers (FINISHED)
--------------------------------------------------------------' "$thalweg" list -a -m "$at"

# --- a job over two TaskManagers stops, and is drained
"$thalweg" taskmanager start $settings > out.txt 2>&1 || fail "another TaskManager: $(cat out.txt)"
# each of the three readers has every third number, up to where it stood when the job stopped
check_thirds() {
    cat "$1"/part-* | sort -n > all.txt
    awk '{ r = $1 % 3; if ($1 != (r in last ? last[r] + 3 : r == 0 ? 3 : r)) { print "after " last[r] ": " $1; exit 1 } last[r] = $1 } END { if (NR < 3) exit 1 }' \
        all.txt > wrong.txt || fail "$1: rows are missing or there twice: $(cat wrong.txt)"
}
sed "s/'numbers'/'spread'/; s|/lines/|/others/|; 1i SET 'parallelism.default' = '3';" job.sql > spread.sql
"$thalweg" sql -m "$at" -f spread.sql > out.txt 2>&1 || fail "sql -m: $(cat out.txt)"
await spread RUNNING
says 'stop of a spread job' 0 '*' "$thalweg" stop -m "$at" -p "$here/saved" "$(id_of spread)"
await spread FINISHED
check_thirds others
# windows that only the end of time closes are put out by a drain, whichever worker they are in
cat > drained.sql << END
SET 'pipeline.name' = 'drained';
SET 'parallelism.default' = '3';
SET 'execution.checkpointing.interval' = '50ms';
SET 'execution.checkpointing.dir' = '$here/ck';
CREATE TABLE numbers (id BIGINT, ts AS TO_TIMESTAMP_LTZ(id, 3), WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen', 'rows-per-second' = '2000', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '1000000000');
CREATE TABLE singles (id BIGINT, n BIGINT) WITH ('connector' = 'filesystem', 'path' = '$here/singles/', 'format' = 'csv');
CREATE TABLE sums (k BIGINT, n BIGINT, s BIGINT) WITH ('connector' = 'filesystem', 'path' = '$here/sums/', 'format' = 'csv');
BEGIN STATEMENT SET;
INSERT INTO singles SELECT id, 1 FROM numbers;
INSERT INTO sums SELECT MOD(id, 5), COUNT(*), SUM(id) FROM TUMBLE(TABLE numbers, DESCRIPTOR(ts), INTERVAL '1' DAY) GROUP BY MOD(id, 5), window_start, window_end;
END;
END
"$thalweg" sql -m "$at" -f drained.sql > out.txt 2>&1 || fail "sql -m: $(cat out.txt)"
await drained RUNNING
for _ in $(seq 600); do
    ls singles/part-* > /dev/null 2>&1 && break
    sleep 0.1
done
ls singles/part-* > /dev/null 2>&1 || fail "nothing was written before the drain: $(tail -n 5 "$folder"/*.log)"
says 'drain of a spread job' 0 'Draining job "JOB" with a CANONICAL savepoint.
Triggering stop-with-savepoint for job JOB.
Waiting for response...
Savepoint completed. Path: HERE/saved/SAVEPOINT' "$thalweg" stop -m "$at" --drain -p "$here/saved" "$(id_of drained)"
await drained FINISHED
cut -d, -f1 singles/part-* > ids.txt
mkdir -p ids && cp ids.txt ids/part-0 && check_thirds ids
same 'what was drained' "$(awk '{ n[$1 % 5]++; s[$1 % 5] += $1 } END { for (k in n) printf "%d,%d,%d\n", k, n[k], s[k] }' ids.txt | sort)" \
    "$(cat sums/part-* | sort)"

# --- a job in C: what its functions counted is there while it runs and afterwards, over all workers; rows come to the program itself
cat > counting.c << 'END'
#include <thalweg/thalweg.h>
#include <stdio.h>
#include <string.h>
struct number { int64_t id; };
TW_ROW(number, TW_FIELD(number, id, "BIGINT"));
static enum tw_status count(struct tw_context *cx, const void *in)
{
    tw_counter_add(cx, "rows", 1);
    tw_counter_add(cx, "sum", ((const struct number *)in)->id);
    tw_collect(cx, in);
    return TW_OK;
}
TW_FUNCTION(counted) = {.in = &number_row, .out = &number_row, .process = count};
TW_JOB(env, argc, argv)
{
    const struct number *n;
    int64_t rows = 0, sum = 0;
    struct tw_stream *s = tw_source_rows(env, "numbers", "datagen", &number_row,
                                         TW_OPTIONS("rows-per-second", "1000000", "fields.id.kind", "sequence", "fields.id.start", "1", "fields.id.end", "50000"));
    s = tw_process(s, &counted);
    if (argc < 2 || strcmp(argv[1], "collects") != 0) {
        tw_sink(s, "out", "blackhole", TW_NO_OPTIONS);
        return tw_execute(env, "counting");
    }
    struct tw_rows *all = tw_execute_and_collect(s, &number_row, "collecting");
    while ((n = tw_next_row(all)) != NULL) rows++, sum += n->id;
    int answer = tw_close_rows(all);
    printf("%d rows, sum %lld\n", (int)rows, (long long)sum);
    return answer;
}
END
$cc -shared -fPIC -I "$source/include" counting.c -o counting.so || exit 1
says "a job in C" 0 'Job has been submitted with JobID JOB
Program execution finished
Job with JobID JOB has finished.
Job Runtime: N ms
Accumulator Results: 
- rows (IntCounter): 50000
- sum (IntCounter): 1250025000' sh -c "\"$thalweg\" run -m \"$at\" -p 4 ./counting.so"
says 'rows for the program' 0 '50000 rows, sum 1250025000' \
    sh -c "\"$thalweg\" run -m \"$at\" -p 4 ./counting.so collects | grep rows,"
says 'rows for nobody' 1 "job 'collecting' gives rows to the program itself, which does not wait for them when it is detached; leave -d out, or end the job with a sink (tw_print, tw_sink)
0 rows, sum 0" sh -c "\"$thalweg\" run -d -m \"$at\" ./counting.so collects 2>&1"

# --- end
says 'stop-cluster' 0 'Stopping standalonesession daemon (pid: N) on host HOST.
Stopping taskexecutor daemon (pid: N) on host HOST.
Stopping taskexecutor daemon (pid: N) on host HOST.' "$thalweg" stop-cluster $settings
# --- a cluster of one job
says 'one job' 0 'JobManager: REST at http://localhost:PORT, jobs in HERE/tmp/thalweg-0/PORT
Job has been submitted with JobID JOB
Job JOB reached terminal state FINISHED' sh -c "\"$thalweg\" standalone-job $settings --local --jars ./counting.so | sed 's|thalweg-$(id -u)/|thalweg-0/|'"
says 'which job' 1 'thalweg standalone-job: which job is to run is not said; write --jars JOB.so; a job is compiled with `cc -shared -fPIC job.c -o job.so`' \
    "$thalweg" standalone-job $settings --local
"$thalweg" standalone-job $settings --local --jars ./counting.so -- collects > out.txt 2> err.txt && fail 'rows for nobody are taken'
grep -q "the job of './counting.so' could not be submitted: job 'collecting' gives rows to the program itself" err.txt || fail "one job, rows: $(cat err.txt)"
says 'once more' 0 'No standalonesession daemon to stop on host HOST.
No taskexecutor daemon to stop on host HOST.' "$thalweg" stop-cluster $settings
finish
