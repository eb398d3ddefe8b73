#!/bin/sh
# test_savepoint_table.sh - the state of a job as a table: aggregates and kept rows of SQL, by columns of the state and by those of the table;
# at other parallelisms; what is asked for and is not there is told.
. "$(dirname "$0")/common.sh"

cat > job.sql <<'END'
SET 'execution.checkpointing.interval' = '10ms';
SET 'execution.checkpointing.dir' = 'ck';
SET 'execution.checkpointing.data-inline-threshold' = '0 b';
SET 'parallelism.default' = '3';
SET 'pipeline.name' = 'both';
CREATE TABLE numbers (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '30000', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '30000');
CREATE TABLE counts (k BIGINT, n BIGINT) WITH ('connector' = 'print');
INSERT INTO counts SELECT k, COUNT(*) FROM (SELECT id % 2000 AS k FROM numbers) GROUP BY k;
END
kill_behind_checkpoint ck -f job.sql
for m in ck/*/chk-*/_metadata; do mv "$(dirname "$m")" saved && break; done
"$thalweg" savepoint inspect saved > table.txt || fail "inspect: $(cat table.txt)"
id=$(grep -A1 '^GroupAggregate' table.txt | sed -n 's/.*id \([0-9a-f]\{32\}\).*/\1/p')
keys=$(sed -n 's/^  groups *keyed *MAP *\([0-9]*\) .*/\1/p' table.txt)
with="'connector' = 'savepoint', 'state.path' = 'saved', 'operator.uid.hash' = '$id'"

ask() { # STATEMENTS: rows as csv
    echo "$1" > ask.sql
    "$thalweg" sql -f ask.sql --output csv 2> err.txt | sed 's/\r$//'
}
for parallelism in 1 4; do
    same "keys, with $parallelism tasks" "n,are_keys,are_distinct,same
$keys,true,true,true" "$(ask "SET 'parallelism.default' = '$parallelism';
CREATE TABLE s (k INT, n BIGINT, \`rows\` BIGINT) WITH ($with, 'state.name' = 'groups', 'fields.n.column' = 'count(*)');
SET 'execution.runtime-mode' = 'batch';
SELECT COUNT(*) AS n, MIN(k) >= 0 AND MAX(k) < 2000 AS are_keys, COUNT(DISTINCT k) = COUNT(*) AS are_distinct, MIN(n) >= 1 AND MIN(n - \`rows\`) = 0 AND MAX(n - \`rows\`) = 0 AS same FROM s;" | tail -2)"
    [ "$keys" -gt 100 ] || fail "there should be more keys: $keys"
done
same 'wider types, the only state' "$keys" "$(ask "CREATE TABLE s (k DECIMAL(20, 0), n DECIMAL(30, 0)) WITH ($with, 'fields.n.column' = 'count(*)');
SET 'execution.runtime-mode' = 'batch';
SELECT COUNT(*) FROM s WHERE n > 0 AND k >= 0;" | tail -1)"

wrong() { # COLUMNS OPTIONS TEXT
    ask "CREATE TABLE s ($1) WITH ('connector' = 'savepoint', $2); SELECT * FROM s;" > /dev/null
    grep -qF "$3" err.txt || fail "$3: $(cat err.txt)"
}
at="'state.path' = 'saved', 'operator.uid.hash' = '$id'"
wrong 'k INT' "'state.path' = 'saved'" "one of 'operator.uid' and 'operator.uid.hash' says whose state is read"
wrong 'k INT' "'state.path' = 'nowhere', 'operator.uid' = 'a'" "there is no checkpoint or savepoint in 'nowhere'"
wrong 'k INT' "'state.path' = 'saved', 'operator.uid' = 'a'" "'saved' has no operator with the uid 'a'; it has '"
wrong 'k INT' "$at, 'state.name' = 'group'" "operator 'GroupAggregate' has no state 'group'; it has 'groups'"
wrong 'k INT, v INT' "$at, 'fields.v.column' = 'sum'" "state 'groups' has no column 'sum' (has: "
wrong 'k STRING' "$at" "column 'k' is "
wrong 'a INT, b INT' "$at, 'fields.a.state-name' = 'x', 'fields.b.state-name' = 'y'" "a table has one state, and its columns name 'x' and 'y'"
file=$(ls -S saved | grep -v _metadata | head -1)
printf '\377\377\377' | dd of="saved/$file" bs=1 seek=60 conv=notrunc 2> /dev/null
wrong 'k INT' "$at" "saved/$file' is damaged"

finish
