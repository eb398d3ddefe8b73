#!/bin/sh
# test_plans.sh - compiled plans: written once, run as they were compiled, explained; what is refused, and that nothing of it crashes.
. "$(dirname "$0")/common.sh"

contains() { case $2 in *"$3"*) ;; *) fail "$1: $2" ;; esac }
sql() { "$thalweg" sql -i tables.sql "$@" 2>&1 | grep -v INFO; }

printf '1,x\n2,y\n1,z\n' > in.csv
cat > tables.sql <<END
SET 'table.dml-sync' = 'true';
CREATE TABLE src (a INT, b STRING) WITH ('connector' = 'filesystem', 'path' = '$PWD/in.csv', 'format' = 'csv');
CREATE TABLE snk (a INT, n BIGINT) WITH ('connector' = 'print');
END
insert='INSERT INTO snk SELECT a, COUNT(*) FROM src GROUP BY a'

same 'COMPILE PLAN says nothing, and runs nothing' '' "$(sql -e "COMPILE PLAN 'p.json' FOR $insert")"
same 'EXECUTE PLAN needs no tables' '+I[1, 2]
+I[2, 1]' "$("$thalweg" sql -D table.dml-sync=true -e "EXECUTE PLAN 'p.json'" 2>&1 | grep -v INFO | sort)"
contains 'statement and version' "$(cat p.json)" '  "thalwegPlan" : 1,
  "thalwegVersion"'
contains 'the text of the statement' "$(cat p.json)" "\"statement\" : \"$insert\""
contains 'nodes with their ids' "$(cat p.json)" '"type" : "group_aggregate", "name" : "GroupAggregate", "parallelism" : 1'
contains 'EXPLAIN shows it' "$(sql -e "EXPLAIN PLAN FOR 'p.json'")" 'GroupAggregate(groupBy=[a], select=[a, COUNT(*) AS $a0])'
cp p.json first.json
contains 'a file that is there' "$(sql -e "COMPILE PLAN 'p.json' FOR INSERT INTO snk VALUES (7, 7)")" "Cannot overwrite the plan file 'p.json'"
same 'IF NOT EXISTS leaves it' '' "$(sql -e "COMPILE PLAN 'p.json' IF NOT EXISTS FOR INSERT INTO snk VALUES (7, 7)"; cmp p.json first.json)"
same 'as does COMPILE AND EXECUTE, which runs it' '+I[1, 2]
+I[2, 1]' "$(sql -e "COMPILE AND EXECUTE PLAN 'p.json' FOR INSERT INTO snk VALUES (7, 7)" | sort)"
same 'unless it is to be written again' '+I[7, 7]' "$(sql -D table.plan.force-recompile=true -e "COMPILE AND EXECUTE PLAN 'p.json' FOR INSERT INTO snk VALUES (7, 7)")"
same 'the same statement, the same bytes' '' "$(sql -e "COMPILE PLAN 'again.json' FOR $insert"; cmp again.json first.json)"
same 'a statement set' '+I[1, 1]
+I[2, 2]' "$(sql -e "COMPILE AND EXECUTE PLAN 'set.json' FOR STATEMENT SET BEGIN INSERT INTO snk VALUES (1, 1); INSERT INTO snk VALUES (2, 2); END" | sort)"
same 'batch mode is compiled in' '+I[1, 2]
+I[2, 1]' "$(sql -D execution.runtime-mode=batch -e "COMPILE PLAN 'batch.json' FOR $insert"; "$thalweg" sql -D table.dml-sync=true -e "EXECUTE PLAN 'batch.json'" 2>&1 | grep -v INFO | sort)"

refused() { contains "$1" "$("$thalweg" sql -D table.dml-sync=true -e "EXECUTE PLAN '$2'" 2>&1)" "$3"; }
refused 'no such file' nothing.json "Cannot read the compiled plan 'nothing.json'"
printf '{"flinkVersion": "2.3", "nodes": []}' > flink.json
refused 'a plan of Flink' flink.json "Flink wrote this plan, whose nodes are Java's"
sed 's/"thalwegPlan" : 1/"thalwegPlan" : 2/' first.json > newer.json
refused 'another version' newer.json 'it is a compiled plan of version 2, this program reads version 1'
head -c 900 first.json > cut.json
refused 'a cut file' cut.json 'is no JSON'
sed 's/VFdK/VFdL/' first.json > changed.json
refused 'a changed graph' changed.json '"graph" is not what was compiled'
sed 's/"graph" : "VF/"graph" : "!!/' first.json > text.json
refused 'no base64' text.json '"graph" is not the base64 of a job graph'
printf '[1, 2]' > list.json
refused 'another JSON' list.json '"thalwegPlan" is missing'
sed 's/"graphDigest"/"graphDigset"/' first.json > keys.json
refused 'no digest' keys.json '"graph" or "graphDigest" is missing'
sed 's/"statement"/"statment"/' first.json > words.json
contains 'no statement to show' "$("$thalweg" sql -e "EXPLAIN PLAN FOR 'words.json'" 2>&1)" '"statement" is missing'
sql -D execution.runtime-mode=batch -e "COMPILE PLAN 'over.json' FOR INSERT OVERWRITE src SELECT 1, 'x'"
contains 'rows that take others places' "$(cat over.json)" '"replaced" : [{ "node" : '
sed 's/"all" : true/"all" : false/' over.json > all.json
refused 'what is replaced, changed' all.json '"graph" is not what was compiled'
sed '/"replaced"/d' over.json > added.json
refused 'what is replaced, left out' added.json '"graph" is not what was compiled'
same 'and nothing was replaced by them' '1,x 2,y 1,z' "$(tr '\n' ' ' < in.csv | sed 's/ $//')"
: > empty.json
refused 'an empty file' empty.json "Cannot read the compiled plan 'empty.json'"
mkdir folder.json
refused 'a folder' folder.json 'it is a folder'
for at in 50 200 800 1500 2000 2500; do
    { head -c $at first.json; printf '}'; tail -c +$((at + 2)) first.json; } > bent.json
    "$thalweg" sql -D table.dml-sync=true -e "EXECUTE PLAN 'bent.json'" > bent.txt 2>&1
    [ $? -le 1 ] || fail "a byte at $at: $(cat bent.txt)"
done
finish
