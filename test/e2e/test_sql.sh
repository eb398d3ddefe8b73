#!/bin/sh
# test_sql.sh - thalweg sql: what it prints for statements that run is what Flink 2.3's client printed for them (without times), and
# what it says of statements that do not.
. "$(dirname "$0")/common.sh"

says() { # NAME STATUS EXPECTED STATEMENTS
    "$thalweg" sql -e "$4" > out.txt 2> err.txt
    same "$1: status" "$2" $?
    same "$1" "$3" "$(cat out.txt err.txt)"
}

says 'a constant' 0 '+----+-------------+
| op |      EXPR$0 |
+----+-------------+
| +I |           1 |
+----+-------------+
Received a total of 1 row' 'SELECT 1;'

says 'types' 0 '+----+--------+--------+----------------------+--------+--------------------------------+--------+--------------------------------+--------------------------------+------------+---------------------+-------------+--------------------------------+----------+--------------------------------+
| op |      a |      b |                    c |      d |                              e |      f |                              g |                              h |          i |                   j |           k |                              l |        m |                              n |
+----+--------+--------+----------------------+--------+--------------------------------+--------+--------------------------------+--------------------------------+------------+---------------------+-------------+--------------------------------+----------+--------------------------------+
| +I |      1 |      2 |                    3 |    1.5 |                            1.0 |   TRUE |                            abc |                              x | 2001-01-01 | 2001-01-01 00:00:00 |      <NULL> |                            1.0 | 10:00:00 |                          x'\''41'\'' |
+----+--------+--------+----------------------+--------+--------------------------------+--------+--------------------------------+--------------------------------+------------+---------------------+-------------+--------------------------------+----------+--------------------------------+
Received a total of 1 row' "SELECT CAST(1 AS TINYINT) a, CAST(2 AS SMALLINT) b, CAST(3 AS BIGINT) c, 1.5 d, 1e0 e, TRUE f, 'abc' g, CAST('x' AS STRING) h, \
DATE '2001-01-01' i, TIMESTAMP '2001-01-01 00:00:00' j, CAST(NULL AS INT) k, CAST(1 AS FLOAT) l, TIME '10:00:00' m, X'41' n"

says 'rows' 0 '+----+-------------+--------------------------------+
| op |      EXPR$0 |                         EXPR$1 |
+----+-------------+--------------------------------+
| +I |           1 | a string that is very long,... |
| +I |           2 |                              b |
+----+-------------+--------------------------------+
Received a total of 2 rows' "VALUES (1, 'a string that is very long, longer than thirty'), (2, 'b')"

says 'a view, a filter, a union' 0 '[INFO] Execute statement succeeded.
+----+-------------+-------------+
| op |         ten |           t |
+----+-------------+-------------+
| +I |          20 |           7 |
+----+-------------+-------------+
Received a total of 1 row' 'CREATE VIEW v AS SELECT a, 7 AS t FROM (VALUES (1), (2)) AS x (a) UNION ALL SELECT 3, NULL;
SELECT a * 10 AS ten, t FROM v WHERE a > 1 AND t IS NOT NULL'

says 'columns of another width' 0 '[INFO] Execute statement succeeded.
+----+------------+
| op |     EXPR$0 |
+----+------------+
| +I | a strin... |
+----+------------+
Received a total of 1 row' "SET 'table.display.max-column-width' = '10'; SELECT 'a string that is long'"

says 'functions' 0 '+----+--------------------------------+--------+--------------------------------+--------+
| op |                         EXPR$0 | EXPR$1 |                         EXPR$2 | EXPR$3 |
+----+--------------------------------+--------+--------------------------------+--------+
| +I |                              A |    1.3 | 9dd4e461268c8034f5c8564e155... |  FALSE |
+----+--------------------------------+--------+--------------------------------+--------+
Received a total of 1 row' "SELECT UPPER('a'), ROUND(1.25, 1), MD5('x'), '' = ' '"

says 'every RAND() draws by itself' 0 '+----+--------+--------+
| op |      v |      c |
+----+--------+--------+
| +I |  FALSE |  FALSE |
| +I |  FALSE |  FALSE |
+----+--------+--------+
Received a total of 2 rows' 'SELECT a = b AS v, d = e AS c FROM (SELECT a, b, RAND() AS d, RAND() AS e FROM (VALUES (RAND(), RAND()), (RAND(), RAND())) AS t (a, b)) AS x'

says 'an unknown column' 1 "[ERROR] Could not execute SQL statement. Reason:
Column 'nope' not found in any table at line 2, column 8
SELECT nope FROM (VALUES (1)) AS t (a)
       ^^^^" '
SELECT nope FROM (VALUES (1)) AS t (a)'

cat > several.sql <<'END'
CREATE VIEW t AS SELECT * FROM (VALUES (1, 'x')) AS t (id, s);
SELECT ids,
  sss FROM t;
QUITE; SELECT id,, s FROM t;
SELECT 1;
INSERT INTO u VALUES (1, 2) (3, 4);
\d t
EXIT;
SELECT FROM nothing reads this;
END
"$thalweg" sql -f several.sql > out.txt 2> err.txt
same 'mistakes of a whole script: status' 1 $?
same 'mistakes of a whole script' "[INFO] Execute statement succeeded.
[ERROR] Could not execute SQL statement. Reason:
several.sql:2:8: Column 'ids' not found in any table; did you mean 'id'?
SELECT ids,
       ^^^
several.sql:3:3: Column 'sss' not found in any table
  sss FROM t;
  ^^^
several.sql:4:1: Encountered \"QUITE\": expected a statement; did you mean QUIT?
QUITE;
^^^^^
several.sql:4:18: Encountered \",\": expected an expression
QUITE; SELECT id,, s FROM t;
                 ^
several.sql:6:29: Encountered \"(\": expected ';' or the end of the statement
INSERT INTO u VALUES (1, 2) (3, 4);
                            ^" "$(cat out.txt err.txt)"

cat > options.sql <<'END'
CREATE TABLE a (
  x INT
) WITH (
  'connector' = 'datagen',
  'rows-per-secnd' = '1'
);
CREATE VIEW v AS SELECT 1 AS uno;
SELECT x FROM a;
END
"$thalweg" sql -f options.sql > out.txt 2> err.txt
same 'an option of a script: status' 1 $?
same 'an option is shown where it was written, and nothing of a table is printed' "[INFO] Execute statement succeeded.
[INFO] Execute statement succeeded.
[ERROR] Could not execute SQL statement. Reason:
options.sql:5:3: Unsupported options found for 'datagen': connector 'datagen' has no option 'rows-per-secnd'; did you mean \
'rows-per-second'? see docs/reference/connectors.md
  'rows-per-secnd' = '1'
  ^^^^^^^^^^^^^^^^" "$(cat out.txt err.txt)"

says 'a slip' 1 '[ERROR] Could not execute SQL statement. Reason:
Encountered "SELEC": expected a statement at line 1, column 1; did you mean SELECT?
SELEC 1
^^^^^' 'SELEC 1'

says 'what is to come' 1 '[ERROR] Could not execute SQL statement. Reason:
models are not supported yet at line 1, column 8; a function in C can ask one: CREATE FUNCTION f AS '"'symbol'"' LANGUAGE C USING ARTIFACT '"'lib.so'"'
CREATE MODEL m
       ^^^^^' 'CREATE MODEL m'

says 'a row that fails' 1 "+----+-------------+
| op |      EXPR\$0 |
+----+-------------+
[ERROR] Could not execute SQL statement. Reason:
operator 'Calc' (subtask 1/1): division by zero in \"(1 / 0)\" at line 1, column 8, row +I[...]; leave such rows out before, or divide by NULLIF(x, 0)
SELECT 1 / 0
       ^^^^^" 'SELECT 1 / 0'

# Files with nothing declared.
says 'a file as a table' 0 '+----+--------------------------------+----------------------+
| op |                         origin |                    n |
+----+--------------------------------+----------------------+
| +I |                            MOB |                    1 |
+----+--------------------------------+----------------------+
Received a total of 1 row' "SELECT origin, COUNT(*) AS n FROM (SELECT * FROM '$source/examples/data/flights.csv' \
WHERE flights.origin = 'MOB' AND scheduled < TIMESTAMP '2001-01-05 10:24:00') GROUP BY origin"

printf 'id;id;ts\r\n1;007;2001-01-01 10:20:30.5\r\n;;\r\n' > my-trips.csv
says 'DESCRIBE of a file' 0 "CREATE TABLE \`my_trips\` (
  \`id\` INT,
  \`id_1\` STRING,
  \`ts\` TIMESTAMP(1),
  WATERMARK FOR \`ts\` AS \`ts\` - INTERVAL '5' SECOND
)
WITH (
  'connector' = 'filesystem',
  'csv.field-delimiter' = ';',
  'csv.header' = 'skip',
  'format' = 'csv',
  'path' = 'my-trips.csv'
);" "DESCRIBE 'my-trips.csv'"

"$thalweg" sql -e "DESCRIBE 'my-trips.csv'" > trips.sql
gzip my-trips.csv && sed -i 's/my-trips.csv/my-trips.csv.gz/' trips.sql
says 'what DESCRIBE proposes runs, and the file packed is the same table' 0 '[INFO] Execute statement succeeded.
+----+-------------+--------------------------------+-----------------------+
| op |          id |                           id_1 |                    ts |
+----+-------------+--------------------------------+-----------------------+
| +I |           1 |                            007 | 2001-01-01 10:20:30.5 |
| +I |      <NULL> |                                |                <NULL> |
| +I |           1 |                            007 | 2001-01-01 10:20:30.5 |
| +I |      <NULL> |                                |                <NULL> |
+----+-------------+--------------------------------+-----------------------+
Received a total of 4 rows' "$(sed '/WATERMARK/d; s/`ts` TIMESTAMP(1),/`ts` TIMESTAMP(1)/' trips.sql)
SELECT * FROM my_trips UNION ALL SELECT * FROM 'my-trips.csv.gz'"

printf '{"a":1,"o":{"x":[1.5]}}\n{"b":true}\n' > events.jsonl
says 'JSON lines' 0 '+----+----------------------+--------------------------------+--------+
| op |                    a |                              o |      b |
+----+----------------------+--------------------------------+--------+
| +I |                    1 |                        ([1.5]) | <NULL> |
| +I |               <NULL> |                         <NULL> |   TRUE |
+----+----------------------+--------------------------------+--------+
Received a total of 2 rows' "SELECT * FROM 'events.jsonl'"

{ echo a; seq 1500; echo x; } > late.csv
says 'a row beyond what was looked at' 1 "+----+-------------+
| op |           a |
+----+-------------+
[ERROR] Could not execute SQL statement. Reason:
operator 'Source: late' (subtask 1/1): late.csv:1502:1: column 'a' (INT): 'x' is not a whole number; \
the columns of 'late.csv' were inferred from its first rows: declare them with CREATE TABLE, which DESCRIBE 'late.csv' proposes; \
or correct the value; 'csv.ignore-parse-errors' = 'true' reads it as NULL, 'on-error' = 'skip' drops the record
  x
  ^" "SELECT * FROM 'late.csv' WHERE a < 0"

says 'a slip in the name of a file' 1 "[ERROR] Could not execute SQL statement. Reason:
cannot read 'lat.csv': no such file or folder at line 1, column 15; did you mean 'late.csv'?
SELECT * FROM 'lat.csv'
              ^^^^^^^^^" "SELECT * FROM 'lat.csv'"
# Bounds: rows of many columns, and queries that grow by repetition.
many() { seq -s , "$1" | sed "s/[0-9][0-9]*/$2/g"; }
refused() { # WHAT TEXT STATEMENT
    echo "$3" > wide.sql
    "$thalweg" sql -f wide.sql > out.txt 2> err.txt
    same "$1: status" 1 $?
    grep -q "$2" err.txt || fail "$1: $(head -c 300 err.txt)"
}
refused 'a wide SELECT' 'a row has at most 2040 columns, not 3000' "SELECT $(many 3000 'a+&')  FROM (VALUES (1)) AS t (a)"
refused 'a wide VALUES' 'a row has at most 2040 columns, not 3000' "VALUES ($(many 3000 1))"
refused 'a wide table' 'a row has at most 2040 columns, not 3000' "CREATE TABLE t ($(many 3000 'c& INT')) WITH ('connector' = 'print')"
refused 'a wide GROUP BY' 'rows are told apart by at most 64 columns, not 3000' "SELECT COUNT(*) FROM (VALUES (1)) AS t (a) GROUP BY $(many 3000 'a+&')"
refused 'a wide ORDER BY' 'a row has at most 2040 columns' "SELECT a FROM (VALUES (1)) AS t (a) ORDER BY $(many 3000 'a+&') LIMIT 1"
with='w0 AS (SELECT 1 AS a)'
for i in $(seq 30); do with="$with, w$i AS (SELECT * FROM w$((i - 1)) UNION ALL SELECT * FROM w$((i - 1)))"; done
refused 'a query that doubles' 'the statement reads more than 4096 tables' "WITH $with SELECT * FROM w30"

finish
