#!/bin/sh
# test_rewrite.sh - rows of files that are replaced: INSERT OVERWRITE, UPDATE, DELETE, TRUNCATE; in a folder, in partitions, in one
# file; a job that fails changes nothing, and nothing stays behind.
. "$(dirname "$0")/common.sh"

contains() { case $2 in *"$3"*) ;; *) fail "$1: $2" ;; esac }
cat > tables.sql <<END
SET 'execution.runtime-mode' = 'batch';
SET 'table.dml-sync' = 'true';
CREATE TABLE t (a INT, b STRING, c AS a + 1) WITH ('connector' = 'filesystem', 'path' = '$PWD/t', 'format' = 'csv');
CREATE TABLE p (a INT, p STRING, q INT) PARTITIONED BY (p, q) WITH ('connector' = 'filesystem', 'path' = '$PWD/p', 'format' = 'csv',
  'sink.partition-commit.policy.kind' = 'success-file');
CREATE TABLE f (a INT, b STRING) WITH ('connector' = 'filesystem', 'path' = '$PWD/f.csv', 'format' = 'csv');
CREATE TABLE bh (a INT) WITH ('connector' = 'blackhole');
END
sql() { "$thalweg" sql --output csv -i tables.sql "$@" 2>&1 | grep -v INFO; }
rows() { sql -e "SELECT * FROM $1" | sed 1d | sort; }
fill() { sql -e "$1"; }

fill "INSERT INTO t VALUES (1, 'x'), (2, 'y'), (3, 'z'), (4, CAST(NULL AS STRING))"
mkdir -p t/_kept && echo 1,hidden > t/_kept/x.csv && echo 9,9 > t/.hidden.csv
same 'DELETE says nothing' '' "$(sql -e "DELETE FROM t WHERE a = 2 OR b = 'nobody'")"
same 'and leaves those of which it is not true, NULL too' '1,x,2
3,z,4
4,,5' "$(rows t)"
same 'UPDATE sees the old row' '4,,5
11,x1,12
13,z3,14' "$(sql -e "UPDATE t SET b = b || CAST(a AS STRING), a = a + 10 WHERE b <> ''"; rows t | sort -n)"
same 'an alias, and a sub-query' '13,z3,14
4,,5' "$(sql -e "DELETE FROM t AS o WHERE o.a IN (SELECT a FROM t WHERE b LIKE 'x%')"; rows t)"
same 'UPDATE of all rows' '13,all,14
4,all,5' "$(sql -e "UPDATE t SET b = 'all'"; rows t)"
same 'INSERT OVERWRITE reads what it replaces' '14,all,15
5,all,6' "$(sql -e "INSERT OVERWRITE t SELECT a + 1, b FROM t"; rows t)"
contains 'a job that fails' "$(sql -e "INSERT OVERWRITE t SELECT CAST(b AS INT), b FROM t")" "CAST(b AS INT)"
same 'changes nothing' '14,all,15
5,all,6' "$(rows t)"
same 'with four subtasks' '14,u,15
5,u,6' "$(sql -D parallelism.default=4 -e "UPDATE t SET b = 'u'"; rows t)"
same 'nothing is left but hidden files and one part' './.hidden.csv
./_kept/x.csv
./part-.csv' "$(cd t && find . -type f | sed 's/part-.*[.]/part-./' | sort)"
same 'DELETE of all' '' "$(sql -e 'DELETE FROM t'; rows t)"
fill "INSERT INTO t VALUES (1, 'x')"
same 'TRUNCATE' '' "$(sql -e 'TRUNCATE TABLE t'; rows t)"
same 'hidden files stay' './.hidden.csv
./_kept/x.csv' "$(cd t && find . -type f | sort)"

fill "INSERT INTO p VALUES (1, 'x', 1), (2, 'x', 2), (3, 'y', 1), (4, 'a b/c', 1)"
same 'INSERT OVERWRITE replaces partitions that have new rows' '2,x,2
3,y,1
4,a b/c,1
7,x,1
8,n,1' "$(sql -e "INSERT OVERWRITE p VALUES (7, 'x', 1), (8, 'n', 1)"; rows p)"
same 'a partition that is named' '2,x,2
3,y,1
4,a b/c,1
7,x,1
9,n,1' "$(sql -e "INSERT OVERWRITE p PARTITION (p = 'n', q = 1) SELECT 9"; rows p)"
same 'no rows, no partition' '5' "$(sql -e "INSERT OVERWRITE p SELECT * FROM p WHERE a < 0"; rows p | wc -l)"
same 'DELETE empties partitions' '4,a b/c,1
7,x,1' "$(sql -e "DELETE FROM p WHERE q = 2 OR p IN ('y', 'n')"; rows p)"
same 'UPDATE moves rows between partitions' '4,a b/c,1
7,x,5' "$(sql -e "UPDATE p SET q = 5 WHERE p = 'x'"; rows p)"
same 'where they say that they are complete' 'p/p=x/q=5/_SUCCESS' "$(find p/p=x/q=5 -name '_*')"
same 'TRUNCATE of partitions' '' "$(sql -e 'TRUNCATE TABLE p'; rows p)"

printf '1,x\n2,y\n3,z\n' > f.csv
same 'one file' '1,x
3,Z' "$(sql -e "DELETE FROM f WHERE a = 2; UPDATE f SET b = UPPER(b) WHERE a = 3"; cat f.csv)"
same 'INSERT OVERWRITE of one file' '5,five' "$(sql -e "INSERT OVERWRITE f VALUES (5, 'five')"; cat f.csv)"
same 'TRUNCATE of one file' '0' "$(sql -e "TRUNCATE TABLE f"; wc -c < f.csv)"
mkdir -p far && mv f.csv far/real.csv && ln -s far/real.csv f.csv && printf '1,x\n2,y\n' > f.csv && chmod 640 far/real.csv
same 'a link stays one, and what it means is replaced, its mode kept' 'far/real.csv
2,y
640' "$(sql -e "DELETE FROM f WHERE a = 1"; readlink f.csv; cat far/real.csv; stat -c %a far/real.csv)"
same 'TRUNCATE by a link' 'far/real.csv
0
640' "$(sql -e 'TRUNCATE TABLE f'; readlink f.csv; wc -c < far/real.csv; stat -c %a far/real.csv)"
same 'nothing stays beside it' 'real.csv' "$(ls -A far)"
rm -r far f.csv && printf '' > f.csv
same 'nothing stays beside the tables' 'f.csv
p
t
tables.sql' "$(ls -A | grep -v '[.]txt$')"

refused() { contains "$1" "$(sql -e "$2")" "$3"; }
refused 'streaming' "SET 'execution.runtime-mode' = 'streaming'; DELETE FROM t" 'DELETE statement is not supported for streaming mode now.'
refused 'streaming' "SET 'execution.runtime-mode' = 'streaming'; INSERT OVERWRITE t VALUES (1, 'x')" 'Streaming mode not support overwrite.'
refused 'another connector' 'DELETE FROM bh' "Can't perform delete operation of the table default_catalog.default_database.bh, because its connector 'blackhole' cannot replace rows"
refused 'another connector' 'INSERT OVERWRITE bh VALUES (1)' "INSERT OVERWRITE requires that rows of table 'default_catalog.default_database.bh' can be replaced"
refused 'a pattern' "ALTER TABLE t SET ('path' = '$PWD/t/*.csv'); DELETE FROM t" "which files to replace is not known"
refused 'a table that passes over records' "ALTER TABLE t SET ('csv.ignore-parse-errors' = 'true'); UPDATE t SET b = 'x'" 'which would be lost'

fill "DELETE FROM t; INSERT INTO t VALUES (1, 'x'), (2, 'y'); DELETE FROM p; INSERT INTO p VALUES (1, 'x', 1), (2, 'x', 2)"
sql -e "COMPILE PLAN 't.json' FOR INSERT OVERWRITE t SELECT a + 10, b FROM t"
plan() { "$thalweg" sql -D table.dml-sync="$2" -e "EXECUTE PLAN '$1'" 2>&1 | grep -v INFO | grep -v '^Job ID' | grep .; }
same 'a compiled plan says nothing' '' "$(plan t.json true)"
same 'replaces rows' '11,x,12
12,y,13' "$(rows t)"
same 'each time that it runs, in the background, too' '21,x,22
22,y,23' "$(plan t.json false; rows t)"
same 'twice in a session' '41,x,42
42,y,43' "$("$thalweg" sql -e "EXECUTE PLAN 't.json'; EXECUTE PLAN 't.json'" > /dev/null 2>&1; rows t)"
sql -e "COMPILE PLAN 'u.json' FOR INSERT OVERWRITE t SELECT a + 10, b FROM t"
same 'the same statement, the same bytes' '' "$(cmp t.json u.json)"
sql -e "COMPILE PLAN 's.json' FOR STATEMENT SET BEGIN INSERT OVERWRITE p PARTITION (p = 'x', q = 2) SELECT a FROM t; INSERT OVERWRITE f SELECT a, b FROM t; INSERT INTO bh SELECT a FROM t; END"
same 'partitions of one table, and a file' '1,x,1
41,x,2
42,x,2
41,x
42,y' "$(plan s.json true; rows p; rows f)"
sql -e "COMPILE PLAN 'bad.json' FOR INSERT OVERWRITE t SELECT CAST(b AS INT), b FROM t"
contains 'one whose job fails' "$(plan bad.json true)" 'the text is no whole number'
same 'changes nothing, and leaves nothing' '41,x,42
42,y,43
0' "$(rows t; ls -A | grep -c rewrite)"
finish
