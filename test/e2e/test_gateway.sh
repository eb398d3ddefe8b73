#!/bin/sh
# test_gateway.sh - thalweg sql gateway: what is asked of a gateway, and what is printed of its answers. The gateway is a small one of
# our own (fake_gateway.py), whose answers are those of Flink 2.3's, shortened.
. "$(dirname "$0")/common.sh"

gateway() { python3 "$source/test/e2e/fake_gateway.py" log.txt "$@"; }

says() { # NAME STATUS EXPECTED ARGUMENTS...: of thalweg sql gateway
    what=$1 status=$2 expected=$3
    shift 3
    gateway "$thalweg" sql gateway -e @ "$@" > out.txt 2> err.txt < /dev/null
    same "$what: status" "$status" $?
    same "$what" "$expected" "$(cat out.txt; said)"
}

says 'pages, kinds, what is not ready, columns of one name' 0 '+----+-------------+----------------------+
| op |           a |                    a |
+----+-------------+----------------------+
| +I |           1 |                    1 |
| -U |           1 |                    1 |
| +U |           1 |     9007199254740993 |
| -D |           2 |                    5 |
+----+-------------+----------------------+
Received a total of 4 rows' --execute 'SELECT changes;'

same 'what is asked' 'GET /api_versions
POST /v3/sessions {"properties":{}}
GET ~
POST ~/statements {"statement":"SELECT changes"}
GET ~/operations/0/result/0?rowFormat=JSON
GET ~/operations/0/result/0?rowFormat=JSON
GET ~/operations/0/result/1?rowFormat=JSON
GET ~/operations/0/result/2?rowFormat=JSON
GET ~/operations/0/result/3?rowFormat=JSON
GET ~/operations/0/result/4?rowFormat=JSON
GET ~/operations/0/result/5?rowFormat=JSON
DELETE ~/operations/0/close
DELETE ~' "$(cat log.txt)"

says 'types' 0 '{"op":"+I","bo":true,"d":1234567890123456789012345678901234.5,"dt":"2020-02-29","tm":"10:11:12","ts":"2020-01-01 00:00:00.123456","l":"1970-01-01 00:00:01Z","b":"QUI=","e":"","iv":90061001,"a":[1,null],"m":{"k":1.5},"r":{"x y":7,"z":"uü\"\n"}}
{"op":"+I","bo":null,"d":0,"dt":null,"tm":null,"ts":null,"l":null,"b":"AAA=","e":"","iv":0,"a":[],"m":null,"r":null}' --output json --execute 'SELECT types'

says 'the time zone of the session' 0 '-[ 1 ] +I
l | 1970-01-01 01:00:01.000
-[ 2 ] +I
l | <NULL>' --output line -D table.local-time-zone=Europe/Berlin --execute 'SELECT instants'

says 'what a gateway cannot write as JSON' 0 '+----+--------------------------------+
| op |                              m |
+----+--------------------------------+
| +I |                          {1=x} |
+----+--------------------------------+
Received a total of 1 row
+----+--------------------------------+
| op |                              m |
+----+--------------------------------+
| +I |                        as text |
+----+--------------------------------+
Received a total of 1 row' --execute 'SELECT map; SELECT raw'

says 'SHOW' 0 '+------------+
| table name |
+------------+
|          t |
|            |
+------------+
2 rows in set
Empty set' --execute 'SHOW TABLES; SHOW VIEWS'

says 'INSERT, SET, and what the session is then' 0 "[INFO] Submitting SQL update statement to the cluster...
[INFO] SQL update statement has been successfully submitted to the cluster:
Job ID: abc123

[INFO] Execute statement succeeded.
[INFO] Complete execution of the SQL update statement.
[INFO] Execute statement succeeded.
+---+------------------+
| a |                a |
+---+------------------+
| 1 |                1 |
| 1 |                1 |
| 1 | 9007199254740993 |
| 2 |                5 |
+---+------------------+
4 rows in set" --execute "INSERT INTO s SELECT 1; SET 'table.dml-sync' = 'true'; INSERT INTO s SELECT 1;
SET 'execution.runtime-mode' = 'batch'; SELECT changes"

# --- mistakes ------------------------------------------------------------------------------------------------------------
printf 'SHOW VIEWS;\n SELECT\n  nope FROM t;\nSHOW TABLES;\n' > job.sql
says 'the innermost reason, with the place in the script' 1 "Empty set
[ERROR] Could not execute SQL statement. Reason:
a.b.SqlValidatorException: Column 'nope' not found
in any table; job.sql:3:3
  nope FROM t;
  ^^^^" -f job.sql

says 'a slip' 1 '[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.sql.parser.impl.ParseException: Encountered "SELEC" at line 1, column 1.
SELEC
^' --execute SELEC

says 'ctrl-c cancels' 130 '+----+-------------+
| op |           a |
+----+-------------+
| +I |           1 |
[ERROR] Could not execute SQL statement. Reason:
the statement was cancelled' -s mine --execute 'SELECT endless; SHOW TABLES'
same 'what is asked then' 'GET /api_versions
POST /v3/sessions {"sessionName":"mine","properties":{}}
GET ~
POST ~/statements {"statement":"SELECT endless"}
GET ~/operations/0/result/0?rowFormat=JSON
GET ~/operations/0/result/1?rowFormat=JSON
POST ~/operations/0/cancel {}
DELETE ~/operations/0/close
DELETE ~' "$(sed '7{/result/d;}' log.txt)"

printf "SET 'k\"' = 'v\\\\\n\t';\nCREATE TABLE t (a INT);\n" > init.sql
says 'a file that prepares the session' 0 '[INFO] Execute statement succeeded.
[INFO] Execute statement succeeded.
Empty set' -i init.sql --execute 'SHOW VIEWS'
same 'what is asked for it' 'POST ~/configure-session {"statement":"SET '"'k\\\\\"' = 'v\\\\\\\\\\\\u000a\\\\u0009'"'"}
POST ~/configure-session {"statement":"CREATE TABLE t (a INT)"}' "$(grep configure log.txt | sed 's/\\/\\\\/g')"

printf 'SELECT 1;' > init.sql
says 'no queries in it' 1 '[ERROR] Could not execute SQL statement. Reason:
java.lang.UnsupportedOperationException: Unsupported statement for configuring session: SELECT 1' -i init.sql --execute 'SHOW VIEWS'

# --- gateways that are none --------------------------------------------------------------------------------------------
expect 'nobody there' 1 '' 'thalweg sql: there is no SQL gateway at http://127.0.0.1:1: *' sh -c '"$0" sql gateway -e 127.0.0.1:1/ 2>&1 > /dev/null |
    sed "s/127.0.0.1:1: .*/127.0.0.1:1: */" >&2; exit 1' "$thalweg"
expect 'another server' 1 '' 'thalweg sql: there is no SQL gateway at *: Not found: /elsewhere/api_versions; Flink'"'"'s bin/sql-gateway.sh start starts one, at port 8083 where nothing else is configured' \
    sh -c 'python3 "$1" log.txt "$0" sql gateway -e @/elsewhere 2>&1 | sed "s|http://[^ ]*:|*:|" >&2; exit 1' "$thalweg" "$source/test/e2e/fake_gateway.py"
expect 'no address' 1 '' 'thalweg sql: -e: the address of the gateway is expected; write gateway -e http://HOST:8083' "$thalweg" sql gateway

# --- a person ------------------------------------------------------------------------------------------------------------
HOME=$here TERM=xterm gateway python3 "$source/test/e2e/terminal.py" "$thalweg" sql gateway -e @ > terminal.txt <<'STEPS'
wait Flink SQL> 
type SHOW ta\t
wait BLES 
type ;\r
wait 2 rows in set
wait Flink SQL> 
type QUIT;\r
STEPS
same 'a terminal: status' 0 $?
same 'completion' 'GET ~/complete-statement {"statement":"SHOW ta","position":7}' "$(grep complete log.txt | head -n 1)"
finish
