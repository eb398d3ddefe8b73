#!/bin/sh
# test_shell.sh - thalweg sql as a shell: its arguments, its commands in scripts, the forms of results, the name sql-client.sh, and a
# person at a terminal: completion, an error, ctrl-c while a statement runs and while one is typed, history.
. "$(dirname "$0")/common.sh"

# ---- arguments
printf "CREATE VIEW v AS SELECT 1 AS a;\n" > init.sql
printf "SELECT a FROM v;\n" > job.sql
one='+----+-------------+
| op |           a |
+----+-------------+
| +I |           1 |
+----+-------------+
Received a total of 1 row'
expect 'init and file' 0 "[INFO] Execute statement succeeded.
$one" '' "$thalweg" sql -i init.sql -f job.sql -s name
same 'standard input' "$one" "$(printf 'SELECT 1 AS a' | "$thalweg" sql)"
same 'standard input as a file' "$one" "$(printf 'SELECT 1 AS a' | "$thalweg" sql -f -)"
expect 'a query in -i' 1 '' "[ERROR] Could not execute SQL statement. Reason:
job.sql:1:1: a file of -i cannot hold queries and INSERT; it prepares the session; write them into the script
SELECT a FROM v;
^^^^^^^^^^^^^^^" "$thalweg" sql -i job.sql -e 'SELECT 1'
expect 'a setting' 0 '+-----------------------+-------+
|                   key | value |
+-----------------------+-------+
| table.local-time-zone |   UTC |
+-----------------------+-------+
1 row in set' '' "$thalweg" sql -Dtable.local-time-zone=UTC -e SET
expect 'no setting' 1 '' "thalweg sql: -D: 'x' is not a setting; write -D key=value, for example -D parallelism.default=4" \
    "$thalweg" sql -D x -e 'SELECT 1'
expect 'no flag' 1 '' "thalweg sql: cannot use '--fil', did you mean --file?; see 'thalweg sql --help'" "$thalweg" sql --fil x
expect 'no file' 1 '' "thalweg sql: cannot open 'nope.sql': no such file; check the path; it starts at the folder in which the program runs" "$thalweg" sql -f nope.sql
expect 'a jar' 1 '' "thalweg sql: JARs cannot be loaded: there is no JVM here ('x.jar'); functions are written in C, connectors and formats are built in" \
    "$thalweg" sql -j x.jar

# ---- a script: places, commands, what ends it
printf '%s\n' "SELECT 1 AS a; -- two; on" ".mode json" "SELECT ';' AS s, 2 AS b; SELECT nope" "FROM v;" "SELECT 3;" > all.sql
expect 'a script' 1 "$one
{\"s\":\";\",\"b\":2}" "[ERROR] Could not execute SQL statement. Reason:
all.sql:4:6: Object 'v' not found
FROM v;
     ^" "$thalweg" sql -f all.sql
expect 'leaving' 0 "$one" '' "$thalweg" sql -e 'SELECT 1 AS a; QUIT; SELECT 2'
expect 'no such command' 1 '' "[ERROR] Could not execute SQL statement. Reason:
there is no command .mod, did you mean .mode?; HELP; lists them" "$thalweg" sql -e '.mod json'
printf '.once out.csv\n.mode csv\nSELECT 1 AS a;\n.mode line\nSELECT 2 AS b;' > once.sql
expect 'once' 0 '-[ 1 ]
b | 2' '' "$thalweg" sql -f once.sql
same 'what went to the file' 'a
1' "$(cat out.csv)"

# ---- forms
changes="SELECT a, COUNT(*) AS c FROM (VALUES ('x'), ('y'), ('x')) AS t (a) GROUP BY a"
form() { expect "as $1" 0 "$2" '' "$thalweg" sql --output "$1" -D thalweg.exec.emit=every -e "$changes"; }
form table '+-----+-----+
|   a |   c |
+-----+-----+
|   x |   2 |
|   y |   1 |
+-----+-----+
2 rows in set'
form csv 'op,a,c
+I,x,1
+I,y,1
-U,x,1
+U,x,2'
form json '{"op":"+I","a":"x","c":1}
{"op":"+I","a":"y","c":1}
{"op":"-U","a":"x","c":1}
{"op":"+U","a":"x","c":2}'
form markdown '| a   | c   |
|-----|-----|
| x   | 2   |
| y   | 1   |'
form box '┌─────┬─────┐
│ a   │ c   │
├─────┼─────┤
│ x   │ 2   │
│ y   │ 1   │
└─────┴─────┘'

# ---- as Flink's client
ln -s "$thalweg" sql-client.sh
printf 'SELECT 1 AS a;\nSELEC 1;\n' > client.sql
expect 'as sql-client.sh' 1 "[INFO] Executing SQL from file.

Flink SQL> SELECT 1 AS a;
$one

Flink SQL> SELEC 1;
[ERROR] Could not execute SQL statement. Reason:
client.sql:2:1: Encountered \"SELEC\": expected a statement; did you mean SELECT?
SELEC 1;
^^^^^

Shutting down the session...
done." '' ./sql-client.sh embedded -f client.sql
expect 'it has no -e' 1 '' "sql-client.sh: cannot use '-e'; see 'sql-client.sh --help'" ./sql-client.sh -e 'SELECT 1'
expect 'nor Python' 1 '' "sql-client.sh: functions in Python cannot be called from SQL: there is no Python here ('x.py'); functions are written in C; leave the flag out where no statement calls one in Python" ./sql-client.sh -pyfs x.py -f client.sql
expect 'nor JARs' 1 '' "sql-client.sh: JARs cannot be loaded: there is no JVM here ('x.jar'); functions are written in C, connectors and formats are built in" ./sql-client.sh -j x.jar
expect 'nor old flags' 1 '' "sql-client.sh: -u is a flag of older clients; write the statement into a file: -f FILE, or -f - for standard input" ./sql-client.sh -u 'SELECT 1'
expect 'nor a version' 1 '' "sql-client.sh: a version is not told here; \`thalweg --version\` says it" ./sql-client.sh -v

# ---- at a terminal
command -v python3 > /dev/null || { echo 'skipped: no python3, which types at the terminal' >&2; finish && exit 77; exit 1; }
HOME=$here TERM=xterm python3 "$source/test/e2e/terminal.py" "$thalweg" sql > terminal.txt <<'STEPS'
wait Flink SQL> 
type SE\t
wait SELECT  SET
type \x03
wait Flink SQL> 
type CREATE TABLE gen (id INT, label STRING) WITH ('connector' = 'datagen', 'rows-per-second' = '1000');\r
wait succeeded
wait Flink SQL> 
type SELECT cou\t
wait nt(
type \x03
wait Flink SQL> 
type SELECT g.i\t
wait d 
type \x03
wait Flink SQL> 
type SELECT * FROM ge\t
wait n 
type \x03
wait Flink SQL> 
type CREATE TABLE c (a INT) WITH ('conn\t
wait ector'
type  = 'fil\t
wait esystem'
type \x03
wait Flink SQL> 
type SELECT lab\t
wait el 
type FROM gen WHERE nope = 1\r
wait > 
type ;\r
wait [ERROR] Could not execute SQL statement. Reason:
wait Column 'nope' not found
wait Flink SQL> 
type SELECT COUNT(*) AS rows_of FROM gen;\r
wait rows/s in, 
wait rows out; q stops it
type \x03
wait was cancelled
wait Flink SQL> 
type SELECT COUNT(*) AS rows_two FROM gen;\r
wait rows out; q stops it
type q
wait was cancelled
wait Flink SQL> 
type SELECT COUNT(*) AS rows_three FROM gen;\r
wait rows out; q stops it
type SELECT 'quit' AS l
wait > SELECT 'quit' AS l
type ater;\r
wait ater;
type \x1b
wait was cancelled
wait Flink SQL> 
wait | later |
wait |  quit |
wait 1 row in set
wait Flink SQL> 
type SELECT '中文' AS wide;\r
wait | wide |
wait | 中文 |
wait Flink SQL> 
type SELECT id, label FROM gen;\r
wait ; rows 
type g
wait ; rows 1-19 of 
type \x1b[B
wait ; rows 2-20 of 
type \x1b[6~
wait ; rows 21-39 of 
size 15 4
wait q stops it; 1
size 80 10
wait ; rows 21-25 of 
type \x1b
wait was cancelled
wait Flink SQL> 
size 80 24
type SELECT 1 AS a
wait AS a
size 20 24
wait \r\x1b[1A\x1b[J
wait AS a
size 80 24
wait \r\x1b[J
wait AS a
type \x03
wait ^C
wait Flink SQL> 
type .mode changelog\r
wait Flink SQL> 
type SELECT id FROM gen;\r
wait rows out; q stops it
type q
wait was cancelled
wait Flink SQL> 
type .mode table\r
wait Flink SQL> 
type help\r
wait this list
wait Flink SQL> 
type SELECT 40 + 2;\r
wait 1 row in set
wait Flink SQL> 
type \x12rows_of\x01
wait COUNT(*)
type \x03
wait Flink SQL> 
type quit\r
STEPS
same 'the terminal: status' 0 $?
grep -q "^SELECT label FROM gen WHERE nope = 1" terminal.txt || fail "label was not completed: $(cat terminal.txt)"
grep -q '^|     42 |$' terminal.txt || fail "there is no 42: $(cat terminal.txt)"
grep -q 'rows_of' .thalweg_history || fail 'the history was not kept'
finish
