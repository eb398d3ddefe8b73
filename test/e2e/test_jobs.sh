#!/bin/sh
# test_jobs.sh - INSERTs that are not waited for: what is said, when the process ends and with which status, who waits for whom, ctrl-c,
# and a person at a terminal: a failure told at the next prompt, STOP JOB, leaving while a job runs.
. "$(dirname "$0")/common.sh"

cat > init.sql <<END
CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'filesystem', 'path' = '$PWD/out', 'format' = 'csv');
CREATE TABLE endless (a INT) WITH ('connector' = 'datagen', 'rows-per-second' = '10');
CREATE TABLE sink (a INT) WITH ('connector' = 'blackhole');
CREATE TABLE lines (a INT) WITH ('connector' = 'print');
CREATE VIEW bad AS SELECT CAST(b AS INT) AS a FROM (VALUES ('u')) AS t (b);
END
sql() { "$thalweg" sql -i init.sql --output csv "$@" < /dev/null 2>&1 | sed '/INFO. Execute statement succeeded/d'; }
begun() { echo "[INFO] Submitting SQL update statement to the cluster...
[INFO] SQL update statement has been successfully submitted to the cluster:
Job ID: $1
"; }

# ---- a script
same 'the process ends when the last job has' "$(begun 9161381ddb74d5855f04c3de254c9158)" "$(sql -e "INSERT INTO t VALUES (1, 'x'), (2, 'y')" 2>&1)"
same 'its rows are there' '1,x
2,y' "$(cat out/*)"
same 'what reads them waits' "$(begun 9161381ddb74d5855f04c3de254c9158)

n
3" "$(sql -D execution.runtime-mode=batch -e "INSERT INTO t VALUES (3, 'z'); SELECT COUNT(*) AS n FROM t" 2>&1)"
# The pipe ends when the last statement has long been there, and waits.
mkfifo pipe.csv && rm -r out && rm -f err.txt && touch waits.txt err.txt
"$thalweg" sql -i init.sql --output csv -D execution.runtime-mode=batch -e "CREATE TABLE p (a INT, b STRING) WITH ('connector' = 'filesystem',
    'path' = '$PWD/pipe.csv', 'format' = 'csv'); INSERT INTO t SELECT * FROM p; INSERT INTO sink SELECT a FROM t; SELECT SUM(a) AS s FROM t" \
    >> waits.txt 2>> err.txt < /dev/null &
pid=$!
while ! grep -q 'Job ID' err.txt; do kill -0 $pid 2> /dev/null || break; done
printf '1,x\n2,y\n' > pipe.csv
wait $pid
same 'what reads them waits: status' 0 $?
same 'what reads them waits until they are there' 's
3' "$(tail -2 waits.txt)"
same 'what else is read and written' '' "$(mistakes)"
same 'dml-sync' '[INFO] Complete execution of the SQL update statement.' "$(sql -D table.dml-sync=true -e 'INSERT INTO sink VALUES (1)' 2>&1)"

why='[ERROR] Could not execute SQL statement. Reason:
operator '\''Calc'\'' (subtask 1/1): the text is no whole number of that size in "CAST(b AS INT)" at line 1, column 8, row +I[u]; correct the value, or use TRY_CAST, which is NULL there
SELECT CAST(`t`.`b` AS INT) AS `a`
       ^^^^^^^^^^^^^^^^^^^^'
"$thalweg" sql -i init.sql --output csv -e 'INSERT INTO sink SELECT * FROM bad; SELECT 1 AS a' > out.txt 2> err.txt < /dev/null
same 'a job that fails: status' 1 $?
same 'the statements behind it ran' 'a
1' "$(tail -2 out.txt)"
same 'why it failed' "$why" "$(mistakes)"
"$thalweg" sql -i init.sql -e 'INSERT INTO sink SELECT * FROM bad; SELECT nope' > out.txt 2> err.txt < /dev/null
same 'a statement fails, and a job: status' 1 $?
same 'both are told' "[ERROR] Could not execute SQL statement. Reason:
Column 'nope' not found in any table at line 1, column 44
INSERT INTO sink SELECT * FROM bad; SELECT nope
                                           ^^^^
$why" "$(said)"

# Expressions over groups and windows are shown where they stand, also behind the statement.
"$thalweg" sql -i init.sql --output json -e "SET 'pipeline.name' = 'mine';
INSERT INTO sink SELECT CAST('u' || CAST(COUNT(*) AS STRING) AS INT) FROM (VALUES (1)) AS t (v) GROUP BY v;
SELECT job_name FROM sys.jobs" > out.txt 2> err.txt < /dev/null
same 'a group that fails: status' 1 $?
same 'only rows are data, and jobs have the name that the session says' '{"job_name":"mine"}' "$(cat out.txt)"
same 'a group that fails: its place' "[ERROR] Could not execute SQL statement. Reason:
operator 'Calc' (subtask 1/1): the text is no whole number of that size in \"CAST(('u' || CAST(\$a0 AS STRING)) AS INT)\" at line 2, column 25, row +I[\$a0 = 1]; correct the value, or use TRY_CAST, which is NULL there
INSERT INTO sink SELECT CAST('u' || CAST(COUNT(*) AS STRING) AS INT) FROM (VALUES (1)) AS t (v) GROUP BY v;
                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^" "$(mistakes)"

# Behind a failure jobs without an end are canceled.
"$thalweg" sql -i init.sql --output csv -e 'INSERT INTO sink SELECT a FROM endless; SELECT nope' > out.txt 2> err.txt < /dev/null
same 'a statement fails while a job without end runs: status' 1 $?
same 'it is told once' "[ERROR] Could not execute SQL statement. Reason:
Column 'nope' not found in any table at line 1, column 48
INSERT INTO sink SELECT a FROM endless; SELECT nope
                                               ^^^^" "$(mistakes)"

# ---- ctrl-c. Ready when the job ID is there.
interrupted() { # SIGNAL STATUS STATEMENTS: what it said on standard error is in err.txt
    rm -f out.txt && touch out.txt
    "$thalweg" sql -i init.sql -e "$3" >> out.txt 2> err.txt < /dev/null &
    pid=$!
    while ! grep -q 'Job ID' out.txt; do kill -0 $pid 2> /dev/null || break; done
    kill -s "$1" $pid
    wait $pid
    same "$1 at the end of a script: status" "$2" $?
    same "$1: what is said" '[ERROR] Could not execute SQL statement. Reason:
canceled' "$(said)"
}
interrupted INT 130 'INSERT INTO sink SELECT a FROM endless'
interrupted TERM 143 'INSERT INTO sink SELECT a FROM endless; INSERT INTO sink SELECT a FROM endless'

# ---- a person
on_terminal() { HOME=$here TERM=xterm python3 "$source/test/e2e/terminal.py" "$thalweg" sql -i init.sql > terminal.txt; }
on_terminal <<'STEPS'
wait SQL> 
type INSERT INTO sink SELECT a FROM endless;\r
wait Job ID: c599a1e1effd8a1ccdbc8806476dc057
wait SQL> 
type SELECT status FROM sys.jobs;\r
wait | RUNNING |
wait SQL> 
type STOP JOB 'c599a1e1effd8a1ccdbc8806476dc057';\r
wait succeeded.
wait SQL> 
type SELECT status FROM sys.jobs WHERE job_number = 1;\r
wait | CANCELED |
wait SQL> 
type INSERT INTO sink SELECT a FROM endless;\r
wait Job ID
wait SQL> 
type QUIT;\r
wait [INFO] 1 job is still running: the shell ends with it; ctrl-c cancels it.
type \x03
STEPS
same 'leaving while a job runs, which ctrl-c cancels' 130 $?

# At the next prompt, or when the shell waits for its jobs.
on_terminal <<'STEPS'
wait SQL> 
type INSERT INTO sink SELECT * FROM bad;\r
wait Job ID
type QUIT;\r
wait [ERROR] Job c599a1e1effd8a1ccdbc8806476dc057 failed. Reason:
wait the text is no whole number of that size in "CAST(b AS INT)"
STEPS
same 'a job that failed is told' 0 $?
finish
