#!/bin/sh
# test_changes.sh - a changelog that goes through files: written as changes, it reads back as the table that it is.
. "$(dirname "$0")/common.sh"

cat > users.script <<'ROWS'
+I 1,ann,10
+I 2,bob,20
+U 1,ann,15
-D 2,,
+I 3,cid,30
ROWS
cat > tables.sql <<EOF
SET 'table.dml-sync' = 'true';
SET 'thalweg.exec.emit' = 'every';
CREATE TABLE users (id INT, name STRING, n INT, PRIMARY KEY (id) NOT ENFORCED)
  WITH ('connector' = 'script', 'path' = '$PWD/users.script', 'format' = 'csv', 'changelog-mode' = 'I,UA,PD');
EOF
for format in debezium canal maxwell ogg; do
    echo "CREATE TABLE $format (id INT, name STRING, n INT) WITH ('connector' = 'filesystem', 'path' = '$PWD/$format', 'format' = '$format-json');" >> tables.sql
done
echo "CREATE TABLE plain (id INT, name STRING, n INT) WITH ('connector' = 'filesystem', 'path' = '$PWD/plain', 'format' = 'json');" >> tables.sql
sql() { "$thalweg" sql --output csv -i tables.sql -e "$1" 2>&1 | grep -v INFO; }

for format in debezium canal maxwell ogg; do
    sql "INSERT INTO $format SELECT * FROM users" > said.txt
    same "INSERT into $format says nothing else" '' "$(cat said.txt)"
    same "$format gives the table again" '1,ann,15
3,cid,30' "$(sql "SELECT id, MAX(name), SUM(n) FROM $format GROUP BY id HAVING COUNT(*) > 0" | sed 1d | awk -F, '{ n[$2] = $1 ~ /[+]/ ? $2 "," $3 "," $4 : "" } END { for (i in n) if (n[i] != "") print n[i] }' | sort)"
done
# Rows of one name become one: of two the later, and the one before when it goes.
printf '+I 4,cid,31\n+I 5,dan,1\n+I 6,dan,2\n-D 6,,\n' >> users.script
echo "CREATE TABLE names (name STRING, n INT, PRIMARY KEY (name) NOT ENFORCED) WITH ('connector' = 'filesystem', 'path' = '$PWD/names', 'format' = 'debezium-json');" >> tables.sql
sql 'INSERT INTO names SELECT name, n FROM users ON CONFLICT DO DEDUPLICATE' > said.txt
same 'INSERT says nothing else' '' "$(cat said.txt)"
same 'one row for each name' 'ann 15
cid 31
dan 1' "$(sed 's/.*"name":"\([a-z]*\)","n":\([0-9]*\)}.*"op":"\(.\)".*/\1 \2 \3/' names/part-* | awk '{ n[$1] = $3 == "c" ? $2 : "" } END { for (i in n) if (n[i] != "") print i, n[i] }' | sort)"
same 'what Debezium would write' '{"before":null,"after":{"id":1,"name":"ann","n":10},"op":"c"}
{"before":null,"after":{"id":2,"name":"bob","n":20},"op":"c"}
{"before":{"id":1,"name":"ann","n":10},"after":null,"op":"d"}
{"before":null,"after":{"id":1,"name":"ann","n":15},"op":"c"}
{"before":{"id":2,"name":"bob","n":20},"after":null,"op":"d"}
{"before":null,"after":{"id":3,"name":"cid","n":30},"op":"c"}' "$(cat debezium/part-*)"
same 'json alone takes no changes' "Table sink 'default_catalog.default_database.plain' doesn't support consuming update and delete changes" \
    "$(sql 'INSERT INTO plain SELECT * FROM users' | grep -o 'Table sink.* delete changes')"
finish
