# test_explain_analyze.sh - EXPLAIN ANALYZE runs a statement and says what each operator did. How long it took is another number each
# time; rows are not.
. "$(dirname "$0")/common.sh"

table="CREATE TABLE t (a BIGINT, b INT) WITH ('connector' = 'datagen', 'number-of-rows' = '1000', 'fields.a.kind' = 'sequence', 'fields.a.start' = '1', 'fields.a.end' = '1000');"
analyzed() {
    "$thalweg" sql -e "$table EXPLAIN ANALYZE $1" 2> err.txt < /dev/null | sed -n '/^== Analyzed/,/^$/p' |
        sed -e 's/, time = [0-9.]* ms$//' -e 's/, state = [0-9]* bytes/, state/' -e 's/, bytes out = [1-9][0-9]*/, bytes/'
}

same 'a filter' '== Analyzed Execution Plan ==
Calc(select=[a], where=[(a > 990)]): rows in = 1000, rows out = 10, bytes
+- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b]): rows out = 1000, bytes
' "$(analyzed 'SELECT a FROM t WHERE a > 990')
"
same 'a part that runs once' '== Analyzed Execution Plan ==
Join(joinType=[InnerJoin], where=[(a = a0)], select=[a, a0], leftInputSpec=[NoUniqueKey], rightInputSpec=[NoUniqueKey]): rows in = 20, rows out = 10, bytes, state
:- Exchange(distribution=[hash[a]])(reuse_id=[1])
:  +- Calc(select=[a], where=[(a > 990)]): rows in = 1000, rows out = 10, bytes
:     +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b]): rows out = 1000, bytes
+- Reused(reference_id=[1])
' "$(analyzed 'SELECT l.a, r.a FROM (SELECT a FROM t WHERE a > 990) l JOIN (SELECT a FROM t WHERE a > 990) r ON l.a = r.a')
"
"$thalweg" sql -e "CREATE TABLE t (a INT) WITH ('connector' = 'datagen'); EXPLAIN ANALYZE SELECT a FROM t" > out.txt 2>&1 < /dev/null
grep -q 'EXPLAIN ANALYZE runs the statement, which would not end' out.txt || fail "a table without end: $(cat out.txt)"

mkdir t
printf '1\n2\n' > t/t.csv
"$thalweg" sql -e "SET 'execution.runtime-mode' = 'batch'; CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = 't/t.csv', 'format' = 'csv');
    EXPLAIN ANALYZE INSERT OVERWRITE t SELECT a + 10 FROM t" > out.txt 2>&1 < /dev/null || fail "rows that are replaced: $(cat out.txt)"
same 'rows that are replaced' '11
12' "$(cat t/t.csv)"
same 'nothing is left beside them' 't.csv' "$(ls -A t)"
finish
