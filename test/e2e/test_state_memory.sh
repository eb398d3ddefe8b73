#!/bin/sh
# test_state_memory.sh - 'thalweg.state.memory' bounds what an operator of a stream may hold: a job that needs more fails, naming the
# option to raise; with room enough, or without a bound, it runs.
. "$(dirname "$0")/common.sh"

job() {
    cat <<END
SET 'table.dml-sync' = 'true';
CREATE TABLE numbers (a BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '100000', 'fields.a.kind' = 'sequence',
                                      'fields.a.start' = '1', 'fields.a.end' = '100000');
CREATE TABLE s (a BIGINT, n BIGINT) WITH ('connector' = 'blackhole');
$1
INSERT INTO s SELECT a, COUNT(*) FROM numbers GROUP BY a;
END
}

job "SET 'thalweg.state.memory' = '1mb';" > small.sql
"$thalweg" sql -f small.sql > out.txt 2>&1
[ $? = 1 ] || fail "1 MB is not enough, and the job did not fail"
grep -q "GroupAggregate.*state .groups.: no room for .* of 1048576 bytes are in use" out.txt || fail "what was short is not told: $(cat out.txt)"
grep -q "raise 'thalweg.state.memory'" out.txt || fail "the option is not named: $(cat out.txt)"

for setting in "" "SET 'thalweg.state.memory' = '64mb';"; do
    job "$setting" > large.sql
    "$thalweg" sql -f large.sql > out.txt 2>&1 || fail "with '$setting': $(cat out.txt)"
done
finish
