#!/bin/sh
# test_savepoint_inspect.sh - what a checkpoint holds is shown as a table and as JSON; damaged and foreign files are told with their names.
. "$(dirname "$0")/common.sh"

cat > job.sql <<'END'
SET 'execution.checkpointing.interval' = '10ms';
SET 'execution.checkpointing.dir' = 'ck';
SET 'execution.checkpointing.externalized-checkpoint-retention' = 'RETAIN_ON_CANCELLATION';
SET 'pipeline.name' = 'counted';
SET 'parallelism.default' = '2';
CREATE TABLE numbers (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '60000', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '60000');
CREATE TABLE counts (k BIGINT, n BIGINT) WITH ('connector' = 'print');
INSERT INTO counts SELECT id % 5, COUNT(*) FROM numbers GROUP BY id % 5;
END
kill_behind_checkpoint ck -f job.sql
for m in ck/*/chk-*/_metadata; do mv "$(dirname "$m")" saved && break; done

# --- the table: the folder and the file are the same; nothing depends on a terminal
"$thalweg" savepoint inspect saved > table.txt 2> err.txt || fail "status $?: $(cat err.txt)"
same 'by the file' "$(cat table.txt)" "$("$thalweg" savepoint inspect saved/_metadata)"
same 'the first line' 'checkpoint  saved' "$(head -1 table.txt)"
grep -q '^job         counted ([0-9a-f]\{32\})$' table.txt || fail "no line of the job: $(cat table.txt)"
same 'what is counted' '  groups           keyed       MAP       5     5  BYTES  ($f0 INT) -> (rows BIGINT NOT NULL, count(*) BIGINT NOT NULL)' \
    "$(grep '^  groups ' table.txt | sed 's/ *[0-9]*  (\$/  BYTES  ($/')"
same 'the operator above it' 'GroupAggregate' "$(grep -B3 '^  groups ' table.txt | head -1)"
grep -q '^  uid -, id [0-9a-f]\{32\}, parallelism 2 of 128, [0-9]* bytes of state$' table.txt || fail "no line of an operator: $(cat table.txt)"

# --- JSON
"$thalweg" savepoint inspect saved --json > all.json || fail 'no JSON'
same 'JSON by the other name' "$(cat all.json)" "$("$thalweg" savepoint inspect --output json saved)"
same 'a table by its name' "$(cat table.txt)" "$("$thalweg" savepoint inspect saved --output table)"
python3 - << 'END' || fail "JSON: $(cat all.json)"
import json
o = json.load(open('all.json'))
assert o['path'] == 'saved' and o['kind'] == 'checkpoint' and o['job-name'] == 'counted', o
by_name = {x['name']: x for x in o['operators']}
groups = by_name['GroupAggregate']
assert groups['parallelism'] == 2 and groups['max-parallelism'] == 128 and groups['uid'] is None
state, = groups['states']
assert (state['name'], state['kind'], state['shape'], state['keys'], state['rows']) == ('groups', 'keyed', 'MAP', 5, 5)
assert state['columns'] == [{'role': 'key', 'name': '$f0', 'type': 'INT'}, {'role': 'value', 'name': 'rows', 'type': 'BIGINT NOT NULL'},
                            {'role': 'value', 'name': 'count(*)', 'type': 'BIGINT NOT NULL'}]
assert [s['kind'] for s in by_name['Source: numbers']['states']] == ['list', 'union list', 'union list', 'union list']
assert o['state-bytes'] == sum(x['bytes'] for x in o['operators']) > 0
END

# --- in SQL: Flink's columns
cat > read.sql << 'END'
LOAD MODULE state;
CREATE TEMPORARY VIEW operators AS SELECT * FROM savepoint_metadata('saved');
SELECT `checkpoint-id` >= 1, `operator-uid`, `operator-parallelism`, `operator-max-parallelism`, `operator-subtask-state-count`,
       `operator-coordinator-state-size-in-bytes`, `operator-total-size-in-bytes`, CHAR_LENGTH(`operator-uid-hash`)
FROM operators WHERE `operator-name` = 'GroupAggregate';
END
bytes=$(python3 -c "import json; print([o['bytes'] for o in json.load(open('all.json'))['operators'] if o['name'] == 'GroupAggregate'][0])")
"$thalweg" sql -f read.sql --output csv > rows.txt 2> err.txt || fail "SQL: $(cat err.txt)"
same 'a row of SQL' "true,,2,128,2,0,$bytes,32" "$(tail -1 rows.txt)"
same 'all operators' "$(grep -c '^  uid ' table.txt)" "$(echo "SELECT * FROM savepoint_metadata('saved');" | "$thalweg" sql -f - --output json | grep -c operator-uid-hash)"

# --- what is wrong
cp -r saved damaged
printf '\377' | dd of=damaged/_metadata bs=1 seek=300 conv=notrunc 2> /dev/null
size=$(wc -c < saved/_metadata | tr -d ' ')
expect 'damaged' 1 '' "thalweg savepoint inspect: 'damaged/_metadata': metadata of a snapshot: its $size bytes are damaged (checksum)" \
    "$thalweg" savepoint inspect damaged
mkdir foreign && echo 'no metadata' > foreign/_metadata
expect 'foreign' 1 '' "thalweg savepoint inspect: 'foreign/_metadata': this is no metadata of a snapshot: it does not begin with TWCM; give the folder of a checkpoint or savepoint that this program wrote; those of Flink cannot be read" \
    "$thalweg" savepoint inspect foreign
expect 'nothing there' 1 '' "thalweg savepoint inspect: there is no checkpoint or savepoint in 'nothing': it has no _metadata; give the folder that was printed when it was made, such as .../chk-12" \
    "$thalweg" savepoint inspect nothing
expect 'no path' 1 '' "thalweg savepoint: a path is expected; write \`thalweg savepoint inspect PATH [--output json]\` or \`thalweg savepoint dispose PATH\`" "$thalweg" savepoint inspect
expect 'two paths' 1 '' "thalweg savepoint: one path is taken; 'b' is one more; write \`thalweg savepoint inspect PATH [--output json]\` or \`thalweg savepoint dispose PATH\`" \
    "$thalweg" savepoint inspect a b
expect 'another word' 1 '' "thalweg savepoint: Cannot parse JobID from \"list\". The expected format is [0-9a-fA-F]{32}, e.g. fd72014d4c864993a2e5a9287b4a9c5d.; \`thalweg list\` shows the jobs" "$thalweg" savepoint list

# --- chunks of their own: each is looked at
sed -i.bak "s/^SET 'pipeline.name'.*/&\nSET 'execution.checkpointing.data-inline-threshold' = '0 b';/" job.sql
rm -rf ck
kill_behind_checkpoint ck -f job.sql
for m in ck/*/chk-*/_metadata; do mv "$(dirname "$m")" files && break; done
"$thalweg" savepoint inspect files > table.txt 2> err.txt || fail "status $?: $(cat err.txt)"
chunk=$(ls files | grep -v _metadata | head -1)
[ -n "$chunk" ] || fail "no chunk lies in a file of its own: $(ls files)"
printf '\377\377\377' | dd of="files/$chunk" bs=1 seek=30 conv=notrunc 2> /dev/null
"$thalweg" savepoint inspect files > out.txt 2> err.txt && fail 'a damaged chunk was not noticed'
grep -q "^thalweg savepoint inspect: 'files/$chunk' is damaged" err.txt || fail "a damaged chunk: $(cat err.txt)"
rm "files/$chunk"
"$thalweg" savepoint inspect files > out.txt 2> err.txt && fail 'a lost chunk was not noticed'
grep -q "^thalweg savepoint inspect: 'files/$chunk' is missing" err.txt || fail "a lost chunk: $(cat err.txt)"
finish
