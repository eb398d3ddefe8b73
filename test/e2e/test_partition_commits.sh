#!/bin/sh
# test_partition_commits.sh - a job that takes checkpoints says of its partitions that they are complete while it runs, never too early, and
# all of them in the end, although it is killed in between; what is not known of policies, zones and times is told.
. "$(dirname "$0")/common.sh"

rows=60000

job() { # OPTIONS of the table
    cat << END
SET 'execution.checkpointing.interval' = '50ms';
SET 'execution.checkpointing.dir' = 'ck';
SET 'table.dml-sync' = 'true';
SET 'table.local-time-zone' = 'UTC';
SET 'parallelism.default' = '2';
CREATE TABLE numbers (id BIGINT, ts AS TO_TIMESTAMP_LTZ(id, 3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'datagen', 'rows-per-second' = '20000', 'fields.id.kind' = 'sequence', 'fields.id.start' = '0', 'fields.id.end' = '$((rows - 1))');
CREATE TABLE out_rows (id BIGINT, dt STRING, sec STRING) PARTITIONED BY (dt, sec) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'csv', $1);
INSERT INTO out_rows SELECT id, '1970-01-01', DATE_FORMAT(CAST(ts AS TIMESTAMP(3)), 'mm:ss') FROM numbers;
END
}
# A partition is a second of event time: rows 1000 * n .. 1000 * n + 999.
job "'sink.partition-commit.policy.kind' = 'success-file', 'sink.partition-commit.trigger' = 'partition-time', 'sink.partition-commit.delay' = '1 s',
 'partition.time-extractor.timestamp-pattern' = '\$dt 00:\$sec'" > job.sql
complete() { find out -name _SUCCESS 2> /dev/null | sed 's|/_SUCCESS||' | sort; }

# Runs until some partition more is said to be complete, then looks at its rows, and kills the job.
: > known.txt
run_until_complete() {
    "$thalweg" sql -f job.sql > killed.txt 2>&1 < /dev/null &
    job=$!
    while :; do
        complete | grep -vxFf known.txt > fresh.txt
        [ -s fresh.txt ] && break
        kill -0 "$job" 2> /dev/null || { fail "the job ended before a partition was complete: $(cat killed.txt)"; return; }
        sleep 0.01
    done
    while read -r partition; do
        same "rows of $partition, which is complete" 1000 "$(cat "$partition"/part-* | sort -u | wc -l | tr -d ' ')"
    done < fresh.txt
    complete > known.txt
    kill -9 "$job"
    wait "$job" 2> /dev/null
}
for _ in 1 2 3; do run_until_complete; done
"$thalweg" sql -f job.sql > out.txt 2> err.txt < /dev/null || fail "status $?: $(cat err.txt)"
grep -q 'resumed from checkpoint' err.txt || fail "it did not go on: $(cat err.txt)"
same 'partitions' 60 "$(ls out/*/ | wc -l | tr -d ' ')"
same 'partitions that are complete' 60 "$(complete | wc -l | tr -d ' ')"
same 'rows' "$rows $rows" "$(cat out/*/*/part-* | wc -l | tr -d ' ') $(cat out/*/*/part-* | sort -u | wc -l | tr -d ' ')"
same 'hidden files' '' "$(find out -name '.*')"

refused() { # WHAT OPTIONS MESSAGE
    rm -rf ck out
    job "$2" > refused.sql
    "$thalweg" sql -D restart-strategy.type=none -f refused.sql > out.txt 2> err.txt < /dev/null && fail "$1: it is taken"
    grep -qF "$3" err.txt out.txt || fail "$1: $(cat out.txt err.txt)"
}
refused 'a policy of a class' "'sink.partition-commit.policy.kind' = 'custom'" "option 'sink.partition-commit.policy.kind' of connector 'filesystem' is 'custom', but must be one of success-file"
refused 'a class' "'sink.partition-commit.policy.class' = 'x.Y'" "'sink.partition-commit.policy.class'"
refused 'a zone' "'sink.partition-commit.watermark-time-zone' = 'Europe/Berlun'" \
    "option 'sink.partition-commit.watermark-time-zone': there is no time zone 'Europe/Berlun'"
refused 'a pattern' "'partition.time-extractor.timestamp-formatter' = 'yyyy-QX{'" \
    "option 'partition.time-extractor.timestamp-formatter': 'yyyy-QX{' is no pattern of times"
refused 'no time' "'sink.partition-commit.policy.kind' = 'success-file', 'sink.partition-commit.trigger' = 'partition-time',
 'partition.time-extractor.timestamp-pattern' = '\$sec'" "has no time: '00:00' is none"
finish
