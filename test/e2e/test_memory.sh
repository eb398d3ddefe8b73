#!/bin/sh
# test_memory.sh - what a process may use is one number: jobs whose state is four times that finish on rocksdb within a control group of
# just as much, and are told on hashmap that it is too little. THALWEG_MEMORY_MB says how much (64); `make memory` takes more.
. "$(dirname "$0")/common.sh"

megabytes=${THALWEG_MEMORY_MB:-64}
keys=$((megabytes * 4 * 1024)) # some KiB each

job() { # BACKEND
    cat <<END
SET 'table.dml-sync' = 'true';
SET 'parallelism.default' = '1';
SET 'state.backend.type' = '$1';
SET 'state.backend.rocksdb.localdir' = '$here/local';
SET 'taskmanager.memory.process.size' = '${megabytes}mb';
CREATE TABLE numbers (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '100000000', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '$keys');
CREATE TABLE counts (keys BIGINT, longest BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO counts SELECT COUNT(*), MAX(CHAR_LENGTH(t)) FROM
  (SELECT id, MAX(CONCAT(REPEAT('a text that is long ', 50), CAST(id AS STRING))) AS t FROM numbers GROUP BY id);
SELECT CAST(SUM(metric_value) AS BIGINT) AS rows_in FROM sys.metrics WHERE metric_name = 'numRecordsIn';
END
}

# A group of the kind that there is, with a limit; "" where none can be made.
group_make() { # NAME BYTES
    for root in /sys/fs/cgroup/memory /sys/fs/cgroup; do
        limit=memory.limit_in_bytes
        [ $root = /sys/fs/cgroup ] && limit=memory.max
        [ -d $root ] && mkdir "$root/$1" 2> /dev/null || continue
        if [ -w "$root/$1/$limit" ] && echo "$2" > "$root/$1/$limit" 2> /dev/null; then
            [ ! -w "$root/$1/memory.swap.max" ] || echo 0 > "$root/$1/memory.swap.max"
            echo "$root/$1"
            return
        fi
        rmdir "$root/$1"
    done
}

expect 'the split' 0 '*' '' "$thalweg" taskmanager --show-memory -D state.backend.type=rocksdb -D taskmanager.memory.process.size=4gb
same 'the split' 'process                              4096.0 MB  taskmanager.memory.process.size
  state (rocksdb)                    1638.4 MB  of all operators of a job; what is more lies on disk
    rows                              819.2 MB  as operators work on them
    changes                           409.6 MB  that are not in files yet
    blocks                            409.6 MB  of files
  everything else                    2457.6 MB  rows under way, programs, libraries
batch mode, before files             2048.0 MB  sorts, joins and aggregations share it, instead of state' "$(cat out.txt)"

job hashmap > job.sql
"$thalweg" sql -f job.sql > out.txt 2>&1 && fail 'state that does not fit on hashmap, and the job ended well'
grep -q "bytes that the process has for state are in use" out.txt || fail "what was short is not told: $(cat out.txt)"
grep -q "set 'state.backend.type' to 'rocksdb'" out.txt || fail "what helps is not told: $(cat out.txt)"

group=$(group_make "thalweg-test-$$" $((megabytes * 1024 * 1024)))
if [ -z "$group" ]; then
    echo 'skipped: no control group with a limit of memory can be made here'
    finish && exit 77
    exit 1
fi
job rocksdb > job.sql
sh -c 'echo $$ > "$1/cgroup.procs" && shift && exec "$@"' sh "$group" "$thalweg" sql -f job.sql > out.txt 2>&1
got=$?
[ $got = 0 ] || fail "within $megabytes MB: status $got: $(cat out.txt)"
peak=$(cat "$group/memory.max_usage_in_bytes" "$group/memory.peak" 2> /dev/null)
echo "$keys keys of some KiB within $megabytes MB: peak $((${peak:-0} / 1048576)) MB with the system's cache of files, not killed"
rmdir "$group"
finish
