#!/bin/sh
# test_catalogs.sh - catalogs that are remembered in files: as Flink writes them, read by the next session, dropped, refused.
. "$(dirname "$0")/common.sh"

contains() { case $2 in *"$3"*) ;; *) fail "$1: $2" ;; esac }

sql() { "$thalweg" sql -D table.catalog-store.kind=file -D "table.catalog-store.file.path=$PWD/store" --output csv -e "$1" 2>&1 | grep -v INFO; }

sql "CREATE CATALOG c1 COMMENT 'here only' WITH ('type' = 'generic_in_memory', 'default-database' = 'a \"b\" \\ c');
     CREATE CATALOG \`c 2\` WITH ('type' = 'generic_in_memory')" > said.txt
same 'CREATE CATALOG says nothing' '' "$(cat said.txt)"
same 'one file for each' 'c 2.yaml
c1.yaml' "$(ls store)"
same 'its options' 'default-database: "a \"b\" \\ c"
type: "generic_in_memory"' "$(sort store/c1.yaml)"
same 'the next session has them' '"catalog name"
c 2
c1
default_catalog' "$(sql 'SHOW CATALOGS')"
same 'with their options, without comments' '"info name","info value"
name,c1
type,generic_in_memory
comment,
option:default-database,"a ""b"" \ c"' "$(sql 'DESC CATALOG EXTENDED c1')"
same 'ALTER writes the file anew' 'default-database: "x"
type: "generic_in_memory"' "$(sql "ALTER CATALOG c1 SET ('default-database' = 'x')"; sort store/c1.yaml)"
same 'DROP removes it' 'c 2.yaml' "$(sql 'DROP CATALOG c1'; ls store)"
same 'tables are not remembered' '"table name"' "$(sql "CREATE TABLE \`c 2\`.\`default\`.t (a INT) WITH ('connector' = 'datagen')"
                                                  sql 'SHOW TABLES FROM `c 2`.`default`')"
printf "type: generic_in_memory\ndefault-database: plain\n" > store/flink.yaml
echo nothing > store/readme.txt
same 'a file that another wrote' '"current database name"
plain' "$(sql 'USE CATALOG flink; SHOW CURRENT DATABASE')"
printf 'type: hive\n' > store/h.yaml
contains 'what it is not' "$(sql 'SHOW CATALOGS')" "Could not find any factory for identifier 'hive' that makes catalogs"
rm store/h.yaml
contains 'names that are no files' "$(sql "CREATE CATALOG \`a/b\` WITH ('type' = 'generic_in_memory')")" "its name is no file's name"
same 'and are not there' 'c 2
default_catalog
flink' "$(sql "CREATE CATALOG \`../x\` WITH ('type' = 'generic_in_memory'); SHOW CATALOGS" > /dev/null; sql 'SHOW CATALOGS' | sed 1d)"
contains 'a folder is needed' "$("$thalweg" sql -D table.catalog-store.kind=file -e 'SHOW TABLES' 2>&1)" "needs 'table.catalog-store.file.path'"
same 'SET says it, too' 'c 2
default_catalog
flink' "$("$thalweg" sql --output csv -e "SET 'table.catalog-store.kind' = 'file'; SET 'table.catalog-store.file.path' = '$PWD/store'; SHOW CATALOGS" | grep -v INFO | sed 1d)"
for i in $(seq 105); do echo 'SELECT 1;'; done > many.sql
echo 'SELECT COUNT(*) AS n, MIN(job_number) AS a, MAX(job_number) AS z FROM sys.jobs;' >> many.sql
same 'a session remembers its latest 100 jobs' '100,6,105' "$("$thalweg" sql -D execution.runtime-mode=batch --output csv -f many.sql | tail -1)"
# A person goes on behind an error, but not with half of the catalogs.
command -v python3 > /dev/null || { echo 'skipped: no python3, which types at the terminal' >&2; finish && exit 77; exit 1; }
mkdir broken
echo 'type: no_such' > broken/a.yaml
echo 'type: generic_in_memory' > broken/z.yaml
HOME=$here TERM=xterm python3 "$source/test/e2e/terminal.py" "$thalweg" sql -D table.catalog-store.kind=file -D table.catalog-store.file.path=broken \
    > terminal.txt <<'STEPS'
wait Flink SQL> 
type SHOW TABLES;\r
wait identifier 'no_such'
wait Flink SQL> 
type CREATE CATALOG z WITH ('type' = 'generic_in_memory', 'default-database' = 'd');\r
wait identifier 'no_such'
wait Flink SQL> 
type QUIT;\r
STEPS
[ $? = 0 ] || fail "at a terminal: $(cat terminal.txt)"
same 'what could not be read is not written over' 'type: generic_in_memory' "$(cat broken/z.yaml)"
finish
