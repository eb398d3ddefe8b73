#!/bin/sh
# test_partitions.sh - partitioned tables of files: folders as Flink and Hive name them, files that say they are complete, values that
# come back with their types, NULL among them; metadata of files; what is refused.
. "$(dirname "$0")/common.sh"

printf '1,10,2024-01-01 10:00:01\n2,20,2024-01-01 10:00:59\n3,30,2024-01-02 10:05:00\n' > in.csv
cat > tables.sql <<END
CREATE TABLE bids (auction INT, price INT, ts TIMESTAMP(3)) WITH ('connector' = 'filesystem', 'path' = '$PWD/in.csv', 'format' = 'csv');
CREATE TABLE parts (price INT, day_ DATE, hm STRING, auction INT) PARTITIONED BY (day_, hm) WITH ('connector' = 'filesystem',
  'path' = '$PWD/out', 'format' = 'csv', 'sink.partition-commit.policy.kind' = 'success-file', 'sink.partition-commit.trigger' =
  'partition-time', 'sink.partition-commit.delay' = '1 min', 'partition.time-extractor.timestamp-pattern' = '\$dt \$hm:00');
CREATE TABLE meta (auction INT, n STRING METADATA FROM 'file.name' VIRTUAL, price INT, ts STRING, \`file.size\` INT METADATA VIRTUAL)
  WITH ('connector' = 'filesystem', 'path' = '$PWD/in.csv', 'format' = 'csv');
END
sql() { "$thalweg" sql --output csv -i tables.sql -e "$1" 2>&1 | grep -v INFO; }

sql "INSERT INTO parts SELECT price, CAST(ts AS DATE), DATE_FORMAT(ts, 'HH:mm'), auction FROM bids" > said.txt
same 'INSERT says nothing else' '' "$(cat said.txt)"
same 'folders of partitions, each complete' 'out/day_=2024-01-01/hm=10%3A00/_SUCCESS
out/day_=2024-01-01/hm=10%3A00/part-.csv
out/day_=2024-01-02/hm=10%3A05/_SUCCESS
out/day_=2024-01-02/hm=10%3A05/part-.csv' "$(find out -type f | sed 's/part-.*[.]/part-./' | sort)"
same 'partition columns are not in the files' '10,1
20,2' "$(cat out/day_=2024-01-01/*/part-*)"
same 'and come back from the path' 'price,day_,hm,auction
10,2024-01-01,10:00,1
20,2024-01-01,10:00,2
30,2024-01-02,10:05,3' "$(sql 'SELECT * FROM parts' | sort -r | sed '1!d;q' && sql 'SELECT * FROM parts' | sed 1d | sort)"
same 'a column of the path alone' '2024-01-02' "$(sql "SELECT day_ FROM parts WHERE hm = '10:05'" | sed 1d)"

sql "INSERT INTO parts PARTITION (day_ = DATE '2024-03-01') SELECT 7, CAST(NULL AS STRING), 9" > said.txt
same 'a partition that is given, and one of NULL' 'out/day_=2024-03-01/hm=__HIVE_DEFAULT_PARTITION__' "$(find out/day_=2024-03-01 -mindepth 1 -type d)"
same 'NULL comes back' '7,2024-03-01,,9' "$(sql 'SELECT * FROM parts WHERE hm IS NULL' | sed 1d)"

seq 1 600 | sed 's/$/,5,2024-01-01 10:00:00/' > in.csv
sed "s|$PWD/out|$PWD/many|" tables.sql > many.sql
"$thalweg" sql -i many.sql -D parallelism.default=2 -e "INSERT INTO parts SELECT price, DATE '2024-01-01', CAST(auction AS STRING), auction FROM bids" > said.txt 2>&1
same 'more partitions than files that may be open' '600 600' "$(find many -name _SUCCESS | wc -l) $(cat many/*/*/part-* | wc -l)"

same 'what a row is from' 'auction,n,price,ts,file.size
1,in.csv,5,2024-01-01 10:00:00,15492' "$(sql 'SELECT * FROM meta' | head -2)"
same 'metadata that is not there' "[ERROR] Could not execute SQL statement. Reason:
Invalid metadata key 'x' in column 'x' of table 'default_catalog.default_database.t'. Its connector supports the following metadata keys for reading:
file.path
file.name
file.size
file.modification-time" "$(sql "CREATE TABLE t (a INT, x STRING METADATA) WITH ('connector' = 'filesystem', 'path' = 'in.csv', 'format' = 'csv'); SELECT * FROM t" | sed 's/^<[^>]*>:[0-9:]* //; /^SELECT/,$d')"
same 'metadata is not written' "Table 'default_catalog.default_database.t' declares persistable metadata columns, but its connector cannot \
write them. If the column should not be persisted, it can be declared with the VIRTUAL keyword." "$(sql "CREATE TABLE t (a INT, \`file.size\` BIGINT METADATA)
 WITH ('connector' = 'filesystem', 'path' = 'x/', 'format' = 'csv'); INSERT INTO t VALUES (1, 2)" | grep declares | sed 's/^<[^>]*>:[0-9:]* //')"
same 'who cannot write partitions' "Table 'default_catalog.default_database.t' is a partitioned table, but its connector cannot write one" "$(sql "CREATE TABLE t (a INT, b INT)
 PARTITIONED BY (b) WITH ('connector' = 'print'); INSERT INTO t VALUES (1, 2)" | grep partitioned | sed 's/^<[^>]*>:[0-9:]* //' | head -1)"
printf '1\n' > plain.csv
same 'a file outside of the folders' "operator 'Source: t' (subtask 1/1): the path of file '$PWD/plain.csv' says nothing of partition column 'b'; \
files of a partitioned table lie in folders 'b=value'" "$(sql "CREATE TABLE t (a INT, b INT) PARTITIONED BY (b) WITH ('connector' = 'filesystem', 'path' = '$PWD/plain.csv', 'format' = 'csv');
 SELECT * FROM t" | grep says)"
