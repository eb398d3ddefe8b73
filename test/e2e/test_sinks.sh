#!/bin/sh
# test_sinks.sh - what comes to a table whose primary key is not the query's key: what Flink 2.3's print connector printed for the same
# statements, row by row.
. "$(dirname "$0")/common.sh"

prints() { # NAME EXPECTED CONFLICT
    "$thalweg" sql -e "SET 'parallelism.default' = '1'; SET 'thalweg.exec.emit' = 'every';
CREATE VIEW v AS SELECT * FROM (VALUES (1, 'a', 10), (2, 'b', 20), (1, 'c', 30), (3, 'c', 1)) AS t (k, s, x);
CREATE TABLE p (s STRING NOT NULL, n BIGINT, PRIMARY KEY (s) NOT ENFORCED) WITH ('connector' = 'print');
INSERT INTO p SELECT MAX(s), COUNT(*) FROM v GROUP BY k ON CONFLICT DO $3" > out.txt 2> err.txt
    same "$1" "$2" "$(grep -v INFO out.txt; cat err.txt)"
}

prints 'the last one counts' '+I[a, 1]
+I[b, 1]
-D[a, 1]
+I[c, 2]
+U[c, 1]' DEDUPLICATE

prints 'the first one stays' '+I[b, 1]
+I[c, 2]' NOTHING

prints 'or the job fails' "[ERROR] Could not execute SQL statement. Reason:
operator 'SinkMaterializer' (subtask 1/1): Primary key constraint violation: multiple distinct records with the same primary key \
detected. Conflicting key: [s=c]. Use ON CONFLICT DO NOTHING to keep the first record." ERROR

"$thalweg" sql -e "SET 'parallelism.default' = '4';
CREATE VIEW v AS SELECT * FROM (VALUES (1, 'a', 10), (2, 'b', 20), (1, 'c', 30), (3, 'c', 1)) AS t (k, s, x);
CREATE TABLE p (k BIGINT, s STRING NOT NULL, n BIGINT, PRIMARY KEY (s) NOT ENFORCED) WITH ('connector' = 'print', 'sink.parallelism' = '2');
INSERT INTO p SELECT k, MAX(s), SUM(x) FROM v WHERE x <> 1 GROUP BY k ON CONFLICT DO ERROR" > out.txt 2> err.txt
same 'rows of one key meet in one task' '+I[1, c, 40] +I[2, b, 20] ' "$(grep -v INFO out.txt | sed 's/.*> //' | sort | tr '\n' ' ')"
