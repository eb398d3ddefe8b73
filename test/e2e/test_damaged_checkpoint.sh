#!/bin/sh
# test_damaged_checkpoint.sh - a job whose newest checkpoint is damaged does not start, and says which file, what may be done, and where
# going back is not right; with thalweg.checkpoint.fallback it goes back to the one before.
. "$(dirname "$0")/common.sh"

job() { # SINK's options
    cat > job.sql << END
SET 'execution.checkpointing.interval' = '10ms';
SET 'execution.checkpointing.dir' = 'ck';
SET 'execution.checkpointing.num-retained' = '3';
SET 'execution.checkpointing.data-inline-threshold' = '0 b';
SET 'pipeline.name' = 'counted';
CREATE TABLE numbers (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '20000', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '20000');
CREATE TABLE counts (k BIGINT, n BIGINT) WITH ($1);
$2
END
}
# The newest checkpoint of the job's record: a later one may be on its way.
newest() {
    record=$(ls ck/*/record-* | tail -1)
    echo "$(dirname "$record")/$(grep -ao 'chk-[0-9]*' "$record" | tail -1)/"
}
flip() { # FILE OFFSET
    byte=$(od -An -tu1 -j "$2" -N 1 "$1")
    printf "$(printf '\\%03o' $((byte ^ 4)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2> /dev/null
}

# --- the metadata of the newest
job "'connector' = 'print'" 'INSERT INTO counts SELECT id % 5, COUNT(*) FROM numbers GROUP BY id % 5;'
kill_behind_checkpoint ck -f job.sql
last=$(newest)
number=$(basename "$last" | sed 's/chk-//')
flip "${last}_metadata" 200
"$thalweg" sql -f job.sql > out.txt 2> err.txt && fail 'it began with a damaged checkpoint'
grep -q "job 'counted' cannot go on from checkpoint $number: .*${last}_metadata': .*damaged" err.txt || fail "damaged: $(cat err.txt)"
grep -q "thalweg.checkpoint.fallback=true goes back to checkpoint $((number - 1)); -s FOLDER begins with another" err.txt || fail "what to do: $(cat err.txt)"
"$thalweg" sql -f job.sql -D thalweg.checkpoint.fallback=true > out.txt 2> err.txt || fail "fallback: $(cat err.txt)"
grep -q "checkpoint $number is damaged and passed over: job 'counted' cannot go on" err.txt || fail "passed over: $(cat err.txt)"
grep -q "job 'counted' resumed from checkpoint $((number - 1)) " err.txt || fail "resumed: $(cat err.txt)"
same 'the counts' '+U[0, 4000]
+U[1, 4000]
+U[2, 4000]
+U[3, 4000]
+U[4, 4000]' "$(sed 's/^[0-9]*> //' out.txt | grep ', 4000\]$' | grep '^+U' | sort)"

# --- a file of state: which, and which block of it
rm -rf ck
kill_behind_checkpoint ck -f job.sql
last=$(newest)
file=$(ls -S "$last" | grep -v _metadata | head -1)
flip "$last$file" 100
"$thalweg" sql -f job.sql > out.txt 2> err.txt && fail 'it began with damaged state'
grep -q "$last$file' is damaged: byte [0-9]*: a block of [0-9]* bytes of state is damaged\|$last$file' is damaged: byte [0-9]*: the header of a block of state is damaged" err.txt ||
    fail "the block: $(cat err.txt)"

# --- a sink that commits may have done so behind the one before
rm -rf ck
job "'connector' = 'filesystem', 'path' = 'files', 'format' = 'csv'" 'INSERT INTO counts SELECT id % 5, id FROM numbers;'
kill_behind_checkpoint ck -f job.sql
last=$(newest)
flip "${last}_metadata" 200
"$thalweg" sql -f job.sql -D thalweg.checkpoint.fallback=true > out.txt 2> err.txt && fail 'it went back behind what was committed'
grep -q "going back to checkpoint [0-9]* is refused: 'Sink: counts' may have committed what came after it, and would write it twice" err.txt ||
    fail "committed: $(cat err.txt)"

finish
