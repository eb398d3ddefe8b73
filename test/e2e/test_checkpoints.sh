#!/bin/sh
# test_checkpoints.sh - the process of a SQL job is killed in the middle, with everything that it has in memory; the same command goes on
# from the newest checkpoint, also with more tasks, and its counts are exact.
. "$(dirname "$0")/common.sh"

parts=false # do checkpoints say what has changed?

script() { # PARALLELISM
    cat <<END
SET 'execution.checkpointing.interval' = '10ms';
SET 'execution.checkpointing.incremental' = '$parts';
SET 'thalweg.checkpoint.incremental-from' = '1kb';
SET 'execution.checkpointing.dir' = 'ck';
SET 'table.dml-sync' = 'true';
SET 'parallelism.default' = '$1';
CREATE TABLE numbers (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '60000', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '60000');
CREATE TABLE counts (k BIGINT, n BIGINT) WITH ('connector' = 'print');
INSERT INTO counts SELECT id % 5, COUNT(*) FROM numbers GROUP BY id % 5;
END
}

# Until the record names checkpoint 5 or a later one: until chk-5 is there, or was.
kill_in_the_middle() { # PARALLELISM
    script "$1" > job.sql
    kill_behind_checkpoint ck -f job.sql
}

# The last row of every key.
totals() { sed -n 's/^\([0-9]*> \)\{0,1\}+[IU]\[\([0-9]*\), \([0-9]*\)\]$/\2 \3/p' "$1" | awk '{ if ($2 > n[$1]) n[$1] = $2 } END { for (k in n) print k, n[k] }' | sort; }

exact='0 12000
1 12000
2 12000
3 12000
4 12000'

for run in '1 false' '3 false' '1 true' '3 true'; do
    parallelism=${run% *} parts=${run#* }
    rm -rf ck
    kill_in_the_middle 1
    script $parallelism > job.sql
    "$thalweg" sql -f job.sql > rest.txt 2> err.txt < /dev/null || fail "status $?: $(cat err.txt)"
    grep -q "^job 'insert-into_default_catalog.default_database.counts' resumed from checkpoint [0-9]* ([0-9.]* s old, [0-9.]* [a-zA-Z]*) in ck/" err.txt ||
        fail "it did not say that it goes on: $(cat err.txt)"
    same "counts at parallelism $parallelism" "$exact" "$(totals rest.txt)"
    grep -q '+I\[' rest.txt && fail "a key was counted from the beginning: $(grep '+I\[' rest.txt | head -1)"
    same 'what is left of checkpoints' '' "$(ls -d ck/*/chk-* ck/*/shared 2> /dev/null)"
done
parts=false

# What a checkpoint holds, and what is said of one that is damaged.
rm -rf ck
kill_in_the_middle 2
folder=$(ls ck/*/chk-*/_metadata | tail -n 1) # others may be half written, or half deleted
folder=${folder%/_metadata}
"$thalweg" savepoint inspect "$folder" > inspected.txt 2> err.txt || fail "inspect: $(cat err.txt)"
grep -q "^job         insert-into_default_catalog.default_database.counts ([0-9a-f]*)$" inspected.txt || fail "inspect: $(cat inspected.txt)"
same 'operators' "$(grep -c '^  uid -, id [0-9a-f]*, parallelism 2 of 128, ' inspected.txt)" "$(sed -n 's/^operators   //p' inspected.txt)"
printf 'x' | dd of="$folder/_metadata" bs=1 seek=300 conv=notrunc 2> /dev/null
expect 'damage' 1 '' '*' "$thalweg" savepoint inspect "$folder"
same 'damage' "thalweg savepoint inspect: '$folder/_metadata': metadata of a snapshot: its $(wc -c < "$folder/_metadata") bytes are damaged (checksum)" "$(cat err.txt)"
expect 'no savepoint' 1 '' "thalweg savepoint inspect: there is no checkpoint or savepoint in 'ck': it has no _metadata; give the folder that was printed when it was made, such as .../chk-12" \
    "$thalweg" savepoint inspect ck
expect 'what of savepoints' 1 '' "thalweg savepoint: what to do is not said; write \`thalweg savepoint inspect PATH [--output json]\` or \`thalweg savepoint dispose PATH\`" "$thalweg" savepoint
rm -rf ck

# What has finished begins anew.
script 1 > job.sql
"$thalweg" sql -f job.sql > again.txt 2> err.txt < /dev/null || fail "status $?: $(cat err.txt)"
grep -q resumed err.txt && fail "a job that had finished was gone on with"
same 'counts of a new run' "$exact" "$(totals again.txt)"

# From the command line.
expect 'no such savepoint' 1 '' "there is no checkpoint or savepoint in 'nosuch': it has no _metadata; give the folder that was printed when it was made, such as .../chk-12" \
    "$thalweg" run -s nosuch --quiet
expect 'no folder' 1 '' "checkpoints are wanted (execution.checkpointing.interval), but there is no folder for them; set execution.checkpointing.dir, for example to file:///var/lib/thalweg/checkpoints" \
    "$thalweg" run -D execution.checkpointing.interval=1s --quiet
expect 'claim mode' 1 '' "thalweg run: --claimMode: option 'execution.state-recovery.claim-mode' of configuration is 'SOME', but must be one of NO_CLAIM|CLAIM" \
    "$thalweg" run -rm SOME --quiet
expect 'a folder that cannot be' 1 '' "cannot create '/proc/none': no such folder; check the path" \
    "$thalweg" run -D execution.checkpointing.interval=1s -D execution.checkpointing.dir=/proc/none --quiet
finish
