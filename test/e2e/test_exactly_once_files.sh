#!/bin/sh
# test_exactly_once_files.sh - a job that writes files is killed at several moments and goes on by the same command: its files, all together,
# have the rows of a run that nobody disturbed, each once, and nothing hidden is left.
. "$(dirname "$0")/common.sh"

rows=60000

script() { # PARALLELISM FORMAT MORE_OPTIONS PARTITIONED
    cat <<END
SET 'execution.checkpointing.interval' = '100ms';
SET 'execution.checkpointing.dir' = 'ck';
SET 'table.dml-sync' = 'true';
SET 'parallelism.default' = '$1';
CREATE TABLE numbers (id BIGINT, ts AS TO_TIMESTAMP_LTZ(id, 3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'datagen', 'rows-per-second' = '20000', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '$rows');
CREATE TABLE out_rows (id BIGINT, n BIGINT, part STRING) $4 WITH ('connector' = 'filesystem', 'path' = 'out/', 'format' = '$2' $3);
INSERT INTO out_rows $5;
END
}

visible() { find out -name 'part-*' 2> /dev/null | sort; }
hidden() { find out -name '.*' ! -name . 2> /dev/null; }
all_lines() { find out -type f -exec cat {} + | sort; }

# Until something is there that was not: a part (they appear when a checkpoint is complete), a checkpoint, a hidden file.
kill_at() { # MOMENT
    visible > before.txt
    ls ck/*/chk-*/_metadata > checkpoints.txt 2> /dev/null
    "$thalweg" sql -f job.sql > killed.txt 2>&1 < /dev/null &
    job=$!
    while :; do
        case $1 in
        part) visible | grep -vxFf before.txt | grep -q . && break ;;
        parts) [ "$(visible | grep -cvxFf before.txt)" -ge 4 ] && break ;;
        checkpoint) ls ck/*/chk-*/_metadata 2> /dev/null | grep -vxFf checkpoints.txt | grep -q . && break ;;
        hidden) hidden | grep -q . && break ;;
        esac
        kill -0 "$job" 2> /dev/null || { fail "the job ended before it could be killed ($1): $(cat killed.txt)"; return; }
        sleep 0.01
    done
    kill -9 "$job"
    wait "$job" 2> /dev/null
}

check() { # WHAT: of job.sql
    rm -rf ck out
    "$thalweg" sql -f job.sql > said.txt 2> err.txt < /dev/null || fail "$1: status $?: $(cat err.txt)"
    all_lines > undisturbed.txt
    same "$1: hidden files of the undisturbed run" '' "$(hidden)"
    rm -rf ck out
    for moment in hidden part checkpoint parts hidden; do kill_at "$moment"; done
    visible > before.txt
    cksum $(cat before.txt) > sums.txt
    "$thalweg" sql -f job.sql > said.txt 2> err.txt < /dev/null || fail "$1: status $?: $(cat err.txt)"
    grep -q 'resumed from checkpoint' err.txt || fail "$1: it did not go on: $(cat err.txt)"
    same "$1: parts that were there" "$(cat sums.txt)" "$(cksum $(cat before.txt))"
    all_lines > rows.txt
    cmp -s rows.txt undisturbed.txt || fail "$1: $(wc -l < rows.txt) lines, undisturbed $(wc -l < undisturbed.txt): $(diff rows.txt undisturbed.txt | head -5)"
    same "$1: hidden files" '' "$(hidden)"
}

plain="SELECT id, id * id, CAST(id % 3 AS STRING) FROM numbers"
windows="SELECT MIN(id), COUNT(*), CAST(window_start AS STRING) FROM TABLE(TUMBLE(TABLE numbers, DESCRIPTOR(ts), INTERVAL '0.010' SECOND)) GROUP BY window_start, window_end"

script 1 csv '' '' "$plain" > job.sql
check 'csv'
same 'rows' $rows "$(wc -l < rows.txt | tr -d ' ')"
script 2 json ", 'sink.rolling-policy.file-size' = '1kb'" '' "$plain" > job.sql
check 'json, two tasks, small parts'
same 'rows' $rows "$(wc -l < rows.txt | tr -d ' ')"
script 2 csv '' 'PARTITIONED BY (part)' "$plain" > job.sql
check 'partitions'
same 'rows' $rows "$(wc -l < rows.txt | tr -d ' ')"
same 'partitions' 'part=0 part=1 part=2' "$(ls out | tr '\n' ' ' | sed 's/ $//')"
script 2 csv '' '' "$windows" > job.sql
check 'windows'
finish
