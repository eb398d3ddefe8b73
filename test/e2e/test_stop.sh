#!/bin/sh
# test_stop.sh - STOP JOB ... WITH SAVEPOINT, with and without WITH DRAIN, of windows that are written to files: the stopped job and the one
# that begins with its savepoint have written, together, what an undisturbed run writes. A process that is killed while it stops is gone on
# with as if nothing had happened, or from the savepoint.
. "$(dirname "$0")/common.sh"

rows=60000
id=$(printf 'ck\nwindows' | sha256sum | cut -c1-32)

rate=200000
script() { # MORE_SETTINGS
    cat <<END
SET 'pipeline.name' = 'windows';
SET 'execution.checkpointing.interval' = '50ms';
SET 'execution.checkpointing.dir' = 'ck';
SET 'execution.checkpointing.savepoint-dir' = 'saved';
SET 'parallelism.default' = '2';
$1
CREATE TABLE numbers (id BIGINT, ts AS TO_TIMESTAMP_LTZ(id, 3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'datagen', 'rows-per-second' = '$rate', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '$rows');
CREATE TABLE out_rows (w STRING, low BIGINT, n BIGINT) WITH ('connector' = 'filesystem', 'path' = 'out/', 'format' = 'csv');
INSERT INTO out_rows SELECT CAST(window_start AS STRING), MIN(id), COUNT(*)
FROM TABLE(TUMBLE(TABLE numbers, DESCRIPTOR(ts), INTERVAL '0.010' SECOND)) GROUP BY window_start, window_end;
END
}
visible() { find out -name 'part-*' 2> /dev/null; }
hidden() { find out -name '.*' ! -name . 2> /dev/null; }
lines() { find out -name 'part-*' -exec cat {} + | sort; }
clean() { rm -rf ck out saved; }

# The job, and a statement that comes when it has written something: until then a pipe is read.
write_script() { # STATEMENTS
    rate=12000
    script '' > job.sql
    rate=200000
    rm -f pipe.csv && mkfifo pipe.csv
    cat >> job.sql << END
CREATE TABLE waits (a INT) WITH ('connector' = 'filesystem', 'path' = '$PWD/pipe.csv', 'format' = 'csv');
SELECT * FROM waits;
$1;
END
}
until_written() {
    until visible | grep -q .; do kill -0 "$job" 2> /dev/null || break; sleep 0.01; done
    echo 1 > pipe.csv
}

stop_with() { # STATEMENT: its answer in said.txt
    write_script "$1"
    "$thalweg" sql --output csv -f job.sql > said.txt 2> err.txt < /dev/null &
    job=$!
    until_written
    wait $job || fail "$1: status $?: $(cat err.txt)"
    saved=$(grep '^saved/' said.txt)
    [ -n "$saved" ] || fail "$1: no path: $(cat said.txt err.txt)"
    same "$1: column" '"savepoint path"' "$(grep -B1 '^saved/' said.txt | head -1)"
    same "$1: its name" 0 "$(echo "$saved" | grep -q "^saved/savepoint-$(echo "$id" | cut -c1-6)-[0-9a-f]\{12\}\$"; echo $?)"
    [ -f "$saved/_committed" ] || fail "$1: it is not marked as committed: $(ls "$saved")"
    same "$1: hidden files" '' "$(hidden)"
    lines > stopped.txt
}
go_on() {
    script "SET 'table.dml-sync' = 'true'; SET 'execution.state-recovery.path' = '$saved';" > job.sql
    "$thalweg" sql -f job.sql > said.txt 2> err.txt < /dev/null || fail "going on: status $?: $(cat err.txt)"
    grep -q 'begins from savepoint' err.txt || fail "it did not begin with the savepoint: $(cat err.txt)"
    same 'hidden files' '' "$(hidden)"
}

script "SET 'table.dml-sync' = 'true';" > job.sql
"$thalweg" sql -f job.sql > said.txt 2> err.txt < /dev/null || fail "undisturbed: status $?: $(cat err.txt)"
lines > undisturbed.txt

clean
stop_with "STOP JOB '$id' WITH SAVEPOINT"
grep -vxFf undisturbed.txt stopped.txt > other.txt && fail "a window fired before its end: $(head -3 other.txt)"
cmp -s stopped.txt undisturbed.txt && fail 'the job was not stopped'
go_on
lines > whole.txt
cmp -s whole.txt undisturbed.txt || fail "stopped and gone on with: $(diff whole.txt undisturbed.txt | head -5)"

# All that was read is there, the last windows as far as they were; the rest of them comes later.
clean
stop_with "STOP JOB '$id' WITH SAVEPOINT WITH DRAIN"
sum() { awk -F, '{ n += $3 } END { print n }' "$@"; }
[ "$(sum stopped.txt)" -lt $rows ] || fail 'the drained job was not stopped'
go_on
lines > whole.txt
same 'drained and gone on with: rows' $rows "$(sum whole.txt)"
same 'drained and gone on with: the same windows' "$(cut -d, -f1 undisturbed.txt | sort -u | cksum)" "$(cut -d, -f1 whole.txt | sort -u | cksum)"

# --- killed while it stops: when the savepoint's folder is there, when its metadata are
for moment in folder metadata mark; do
    clean
    write_script "STOP JOB '$id' WITH SAVEPOINT"
    "$thalweg" sql --output csv -f job.sql > said.txt 2> err.txt < /dev/null &
    job=$!
    until_written
    while kill -0 $job 2> /dev/null; do
        case $moment in
        folder) ls -d saved/savepoint-* > /dev/null 2>&1 && break ;;
        metadata) ls saved/*/_metadata > /dev/null 2>&1 && break ;;
        mark) ls saved/*/_committed > /dev/null 2>&1 && break ;;
        esac
    done
    kill -9 $job 2> /dev/null
    wait $job 2> /dev/null
    was=$(ls ck/"$id"/record-* | tail -1)
    [ -n "$was" ] || fail "$moment: there is no record"
    script "SET 'table.dml-sync' = 'true';" > job.sql
    "$thalweg" sql -f job.sql > said.txt 2> err.txt < /dev/null || fail "$moment: status $?: $(cat err.txt)"
    lines > whole.txt
    if grep -q 'resumed from' err.txt; then
        cmp -s whole.txt undisturbed.txt || fail "killed at $moment: $(diff whole.txt undisturbed.txt | head -5)"
    else # it was stopped and recorded before it was killed: the same command begins anew
        grep -vxFf undisturbed.txt whole.txt > other.txt && fail "killed at $moment: $(head -3 other.txt)"
    fi
    same "killed at $moment: hidden files" '' "$(hidden)"
done

# --- what cannot be
clean
write_script "STOP JOB '$id' WITH SAVEPOINT"
sed -i "/savepoint-dir/d; \$ a STOP JOB '$id';" job.sql
"$thalweg" sql --output csv -f job.sql > said.txt 2> err.txt < /dev/null &
job=$!
until_written
wait $job
grep -q "there is no folder for the savepoint" err.txt || fail "without a folder: $(cat err.txt)"
finish
