#!/bin/sh
# test_rocksdb.sh - jobs whose state is larger than the memory that they may have for it: a process that is killed leaves files that
# nobody needs, the same command goes on from the newest checkpoint with exact counts, also with more tasks, and on another backend.
. "$(dirname "$0")/common.sh"

script() { # PARALLELISM BACKEND
    cat <<END
SET 'execution.checkpointing.interval' = '10ms';
SET 'execution.checkpointing.incremental' = '$parts';
SET 'thalweg.checkpoint.incremental-from' = '1kb';
SET 'execution.checkpointing.dir' = 'ck';
SET 'table.dml-sync' = 'true';
SET 'parallelism.default' = '$1';
SET 'state.backend.type' = '$2';
SET 'state.backend.rocksdb.localdir' = '$here/local';
CREATE TABLE numbers (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '60000', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '120000');
CREATE TABLE counts (k BIGINT, n BIGINT, s STRING) WITH ('connector' = 'print');
INSERT INTO counts SELECT id % 5000, COUNT(*), MAX(CONCAT('a text that is not short ', CAST(id % 5000 AS STRING))) FROM numbers GROUP BY id % 5000;
END
}

# How many keys have come to 24, and how many have not.
totals() {
    sed -n 's/^\([0-9]*> \)\{0,1\}+[IU]\[\([0-9]*\), \([0-9]*\), a text that is not short \([0-9]*\)\]$/\2 \3 \4/p' "$1" |
        awk '$1 != $3 { print "text of another key" } { if ($2 > n[$1]) n[$1] = $2 } END { for (k in n) print n[k] }' | sort | uniq -c | sed 's/^ *//'
}

small="-D thalweg.state.memory=1b"
for turn in '1 rocksdb false' '3 rocksdb true' '2 hashmap true'; do
    rm -rf ck local
    parts=${turn##* }
    script 1 rocksdb > job.sql
    kill_behind_checkpoint ck $small -f job.sql
    ls local/thalweg-state-*/*/CURRENT > /dev/null 2>&1 || fail "there was no map on disk: $(ls -R local)"
    script $turn > job.sql
    case $turn in *hashmap*) small_too= ;; *) small_too=$small ;; esac
    "$thalweg" sql $small_too -f job.sql > rest.txt 2> err.txt < /dev/null || fail "$turn: status $?: $(cat err.txt)"
    grep -q " resumed from checkpoint " err.txt || fail "$turn: it did not say that it goes on: $(cat err.txt)"
    cat killed.txt rest.txt > both.txt
    same "$turn: counts behind a kill" '5000 24' "$(totals both.txt)"
    case $turn in *hashmap*) ;; *) same "$turn: files that are left" "" "$(ls local)" ;; esac
done

# From the first row to the last.
parts=true
rm -rf ck local
script 2 rocksdb > job.sql
"$thalweg" sql $small -f job.sql > all.txt 2> err.txt < /dev/null || fail "status $?: $(cat err.txt)"
same 'counts' '5000 24' "$(totals all.txt)"
same 'files that are left' "" "$(ls local)"

expect 'no such backend' 1 '' "thalweg run: -D: there is no state backend 'rocks' (state.backend.type); it is 'hashmap' or 'rocksdb'" \
    "$thalweg" run -D state.backend.type=rocks --quiet
expect 'its older name' 1 '' "thalweg run: -D: there is no state backend 'rocks' (state.backend); it is 'hashmap' or 'rocksdb'" \
    "$thalweg" run -D state.backend=rocks --quiet
expect 'a factory' 1 '' "thalweg run: -D: configuration 'state.backend.rocksdb.options-factory' is not available: a factory is a class of Java; leave it out; the job would run without it" \
    "$thalweg" run -D state.backend.rocksdb.options-factory=x --quiet
expect 'a ratio' 1 '' "thalweg run: -D: configuration 'state.backend.rocksdb.memory.write-buffer-ratio' is 2; it must be between 0 and 1" \
    "$thalweg" run -D state.backend.rocksdb.memory.write-buffer-ratio=2 --quiet

# A folder that cannot be is said when state has to go there.
script 1 rocksdb | sed "s|$here/local|/proc/none|; /execution.checkpointing/d" > job.sql
"$thalweg" sql $small -f job.sql > out.txt 2> err.txt < /dev/null && fail 'a job whose state cannot be kept ended well'
grep -q "cannot create '/proc/none" out.txt err.txt || fail "a folder that cannot be: $(cat out.txt err.txt)"
finish
