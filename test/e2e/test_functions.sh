#!/bin/sh
# test_functions.sh - functions for SQL in C, as their author has them: the example is compiled alone, loaded by CREATE FUNCTION, and
# called; what is wrong with a library is said with its path.
. "$(dirname "$0")/common.sh"

$cc -shared -fPIC -I "$source/include" "$source/examples/functions/geo.c" -lm -o geo.so || exit 1
cat > job.sql <<'END'
CREATE FUNCTION distance AS 'geo_distance' LANGUAGE C USING ARTIFACT 'geo.so';
CREATE FUNCTION place AS 'geo_place' LANGUAGE C USING ARTIFACT './geo.so';
CREATE TABLE t (lat DOUBLE, lon DOUBLE) WITH ('connector' = 'filesystem', 'path' = 'places.csv', 'format' = 'csv');
CREATE FUNCTION middle AS 'geo_middle' LANGUAGE C USING ARTIFACT 'geo.so';
SELECT place(lat, lon) AS place, CAST(distance(lat, lon, 48.1, 11.6) AS DECIMAL(9, 1)) AS km_to_munich FROM t;
SELECT place(middle(lat, lon)) AS middle FROM (VALUES (52.5, 13.4), (48.1, 11.6)) AS t (lat, lon);
END
printf '52.5,13.4\n-33.9,151.2\n,5\n' > places.csv
expect 'the example' 0 '[INFO] Execute statement succeeded.
[INFO] Execute statement succeeded.
[INFO] Execute statement succeeded.
[INFO] Execute statement succeeded.
+----+--------------------------------+--------------+
| op |                          place | km_to_munich |
+----+--------------------------------+--------------+
| +I |                  52.5 N 13.4 E |        505.6 |
| +I |                 33.9 S 151.2 E |      16329.2 |
| +I |                         <NULL> |       <NULL> |
+----+--------------------------------+--------------+
Received a total of 3 rows
+----+--------------------------------+
| op |                         middle |
+----+--------------------------------+
| +I |                  50.3 N 12.5 E |
+----+--------------------------------+
Received a total of 1 row' '' "$thalweg" sql -f job.sql

printf '95,0\n' > places.csv
"$thalweg" sql -f job.sql > out.txt 2> err.txt
grep -q "a latitude is beyond a pole in \"distance(lat, lon, .*)\" at job.sql:5:39, row +I\[95.0, 0.0\]" err.txt || fail "a row that fails: $(cat err.txt)"

# ---- functions that wait for something outside
$cc -shared -fPIC -I "$source/include" "$source/examples/functions/files.c" -o files.so || exit 1
printf 'one\ntwo\n' > a.txt
cat > files.sql <<'END'
CREATE FUNCTION first_line AS 'file_first_line' LANGUAGE C USING ARTIFACT 'files.so';
CREATE FUNCTION file_lines AS 'file_lines' LANGUAGE C USING ARTIFACT 'files.so';
SELECT f, first_line(f) AS l FROM (VALUES ('a.txt'), ('nowhere.txt')) AS t (f);
SELECT number, text FROM TABLE(file_lines('a.txt'));
END
expect 'files are read' 0 '[INFO] Execute statement succeeded.
[INFO] Execute statement succeeded.
+----+--------------------------------+--------------------------------+
| op |                              f |                              l |
+----+--------------------------------+--------------------------------+
| +I |                          a.txt |                            one |
| +I |                    nowhere.txt |                         <NULL> |
+----+--------------------------------+--------------------------------+
Received a total of 2 rows
+----+-------------+--------------------------------+
| op |      number |                           text |
+----+-------------+--------------------------------+
| +I |           1 |                            one |
| +I |           2 |                            two |
+----+-------------+--------------------------------+
Received a total of 2 rows' '' "$thalweg" sql -f files.sql
sed 's/a.txt/nowhere.txt/' files.sql > nowhere.sql
"$thalweg" sql -D table.exec.async-table.retry-delay=1ms -f nowhere.sql > out.txt 2> err.txt && fail 'a file that is not there was read'
grep -q "attempt 4 of 4: cannot read 'nowhere.txt' in" err.txt || fail "attempts: $(cat err.txt)"

# ---- libraries that are wrong
expect 'no such symbol' 1 '' "[ERROR] Could not execute SQL statement. Reason:
library 'geo.so' has no function 'geo_distanc' at line 1, column 17; define it there with TW_SQL_FUNCTION(geo_distanc)
CREATE FUNCTION f AS 'geo_distanc' LANGUAGE C USING ARTIFACT 'geo.so'
                ^" "$thalweg" sql -e "CREATE FUNCTION f AS 'geo_distanc' LANGUAGE C USING ARTIFACT 'geo.so'"
cat > wrong.c <<'END'
#include <thalweg/sql_function.h>
static enum tw_status run(struct tw_call *c, const void *args, void *result)
{
    (void)c, (void)args, (void)result;
    return TW_OK;
}
TW_SQL_FUNCTION(f) = {.kind = TW_SQL_SCALAR, .overloads = {{"INTT -> INT", .run_row = run}}};
END
$cc -shared -fPIC -I "$source/include" wrong.c -o wrong.so || exit 1
"$thalweg" sql -e "CREATE FUNCTION f AS 'f' LANGUAGE C USING ARTIFACT 'wrong.so'" > out.txt 2> err.txt
grep -q "function 'f' of library 'wrong.so': 'INTT -> INT': unknown type 'INTT'" err.txt || fail "a signature: $(cat err.txt)"
cat > wrong.c <<'END'
#include <thalweg/sql_function.h>
static enum tw_status add(struct tw_call *c, void *acc, const void *args)
{
    (void)c, (void)args;
    ++*(int64_t *)acc;
    return TW_OK;
}
static enum tw_status value(struct tw_call *c, const void *acc, void *result)
{
    (void)c;
    *(int64_t *)result = *(const int64_t *)acc;
    return TW_OK;
}
TW_SQL_FUNCTION(f) = {.kind = TW_SQL_AGGREGATE, .flags = TW_SQL_ASYNC,
                      .overloads = {{"INT -> BIGINT", .accumulator = "BIGINT", .accumulate = add, .value = value}}};
END
$cc -shared -fPIC -I "$source/include" wrong.c -o wrong2.so || exit 1
"$thalweg" sql -e "CREATE FUNCTION f AS 'f' LANGUAGE C USING ARTIFACT 'wrong2.so'" > out.txt 2> err.txt
grep -q "function 'f' of library 'wrong2.so': an aggregate function cannot be asynchronous" err.txt || fail "an aggregate: $(cat err.txt)"
echo 'no library' > text.so
"$thalweg" sql -e "CREATE FUNCTION f AS 'f' LANGUAGE C USING ARTIFACT 'text.so'" > out.txt 2> err.txt && fail 'a text was loaded'
grep -q "cannot load 'text.so'" err.txt || fail "a text: $(cat err.txt)"
finish
