#!/bin/sh
# test_refused.sh - a change that is JSON but no change (debezium-json, canal-json, maxwell-json, ogg-json): wherever it stands among
# good ones, it fails the job with its line, or is dropped and counted once, or becomes one dead letter. No row is lost with it.
. "$(dirname "$0")/common.sh"
errors=mistakes

cat > changes.c <<'END_OF_C'
#include <thalweg/thalweg.h>
#include <string.h>
struct item { int32_t id; };
TW_ROW(item, TW_FIELD(item, id, "INT NOT NULL"));
TW_JOB(env, argc, argv)
{
    if (argc < 4) return 2;
    struct tw_stream *s = tw_source_rows(env, "items", "filesystem", &item_row,
                                         TW_OPTIONS("path", argv[2], "format", argv[1], "on-error", argv[3]));
    tw_print(s);
    if (strcmp(argv[3], "dead-letter") == 0) tw_print(tw_side(s, "dead-letter"));
    return tw_execute(env, "items");
}
END_OF_C
$cc -shared -fPIC -I "$source/include" changes.c -o changes.so || exit 1

# table FORMAT OPTIONS: reads c.json.
table() { printf "CREATE TABLE s (id INT NOT NULL) WITH ('connector'='filesystem','path'='c.json','format'='%s'%s);\n" "$1" "$2"; }
# What q.sql answers, without what CREATE TABLE does.
answer() {
    "$thalweg" sql -f q.sql --output csv > all.txt
    ended=$?
    grep -vF '[INFO]' all.txt
    return $ended
}
rows() { table "$1" "$2" > q.sql; echo 'SELECT * FROM s;' >> q.sql; answer; }
count() { table "$1" "$2" > q.sql; echo 'SELECT COUNT(*) FROM s;' >> q.sql; answer; }

# good FORMAT ID: an insertion.
good() {
    case $1 in
    debezium-json) echo "{\"before\":null,\"after\":{\"id\":$2},\"op\":\"c\"}" ;;
    canal-json) echo "{\"data\":[{\"id\":\"$2\"}],\"type\":\"INSERT\"}" ;;
    maxwell-json) echo "{\"type\":\"insert\",\"data\":{\"id\":$2}}" ;;
    ogg-json) echo "{\"after\":{\"id\":$2},\"op_type\":\"I\"}" ;;
    esac
}
goods() { for id in $(seq "$2" "$3"); do good "$1" "$id"; done; }

# fails WHAT LINE RECORD REASON FORMAT OPTIONS: the query fails there, and so does one that counts.
fails() {
    shown=$3
    [ ${#3} -le 40 ] || shown="$(printf '%.40s' "$3")..."
    text="[ERROR] Could not execute SQL statement. Reason:
operator 'Source: s' (subtask 1/1): c.json:$2:1: $4; correct the record, or set 'on-error' = 'skip' or 'dead-letter' to go on without it
  $shown
  ^"
    expect "$1: query" 1 '*' "$text" rows "$5" ''
    expect "$1: count" 1 '*' "$text" count "$5" ''
}

# drops WHAT FORMAT N: N of the records are bad, 100 good.
drops() {
    for options in ",'on-error'='skip'" ",'$2.ignore-parse-errors'='true'" ",'on-error'='dead-letter'"; do
        expect "$1: $options" 0 '*' '' count "$2" "$options"
        same "$1: $options: rows" 100 "$(sed -n 's/^+I,//p' out.txt | tail -n 1; sed -n 's/^+U,//p' out.txt | tail -n 1)"
    done
    expect "$1: dead letters" 0 '*' '*' "$thalweg" run ./changes.so "$2" c.json dead-letter
    same "$1: dead letters: rows" "$(seq 1 100)" "$(sed -n 's/^+I\[\([0-9]*\)\]$/\1/p' out.txt | sort -n)"
    same "$1: dead letters: letters" "$3" "$(grep -c "^+I\[c.json:[0-9]*:1, " out.txt)"
    same "$1: dead letters: counted" "rows that could not be read: $3 to the dead-letter output" "$(grep read: err.txt)"
    expect "$1: skipped" 0 "$(seq -f '+I[%g]' 1 100)" '*' "$thalweg" run ./changes.so "$2" c.json skip
    same "$1: skipped: counted" "rows that could not be read: $3 skipped" "$(grep read: err.txt)"
}

# bad FORMAT RECORD REASON
bad() {
    { echo "$2"; goods "$1" 1 100; } > c.json
    fails "$1: first" 1 "$2" "$3" "$1"
    { goods "$1" 1 100; printf '%s' "$2"; } > c.json
    fails "$1: last" 101 "$2" "$3" "$1"
    { goods "$1" 1 50; echo "$2"; goods "$1" 51 100; } > c.json
    fails "$1: middle" 51 "$2" "$3" "$1"
    drops "$1: middle" "$1" 1
    { goods "$1" 1 50; echo "$2"; echo "$2"; goods "$1" 51 100; } > c.json
    fails "$1: two" 51 "$2" "$3" "$1"
    drops "$1: two" "$1" 2
}
null() { echo "the \"$1\" field of $2 message is null, if you are using $3, please check that the database logs whole rows"; }

bad debezium-json '{"op":"zzz","after":{"id":7}}' 'Unknown "op" value "zzz"'
bad debezium-json '{"after":{"id":7}}' 'Unknown "op" value ""'
bad debezium-json '{"before":null,"after":{"id":7},"op":"u"}' "$(null before u Debezium)"
bad canal-json '{"data":[{"id":"7"}],"type":"zzz"}' 'Unknown "type" value "zzz"'
bad canal-json '{"data":[{"id":"7"}],"type":"UPDATE"}' "$(null old UPDATE Canal)"
bad canal-json '{"data":[{"id":"7"},{"id":"8"}],"old":[{}],"type":"UPDATE"}' "$(null data UPDATE Canal)"
bad maxwell-json '{"type":"bootstrap-insert","data":{"id":7}}' 'Unknown "type" value "bootstrap-insert"'
bad maxwell-json '{"data":{"id":7},"type":"update"}' "$(null old update Maxwell)"
bad ogg-json '{"op_type":"T","after":{"id":7}}' 'Unknown "op_type" value "T"'
bad ogg-json '{"before":null,"after":{"id":7},"op_type":"U"}' "$(null before U Ogg)"

# A row before that is no JSON, which ignore-parse-errors drops as well, and counts once.
{ good canal-json 1; echo '{"data":[{"id":"7"}],"old":"x","type":"UPDATE"}'; good canal-json 2; } > c.json
expect 'old is no row: fail' 1 '*' '*' rows canal-json ''
same 'old is no row: text' "operator 'Source: s' (subtask 1/1): c.json:2:28: column 'old' (STRING): a string where an object is expected; correct the value; 'canal-json.ignore-parse-errors' = 'true' reads it as NULL, 'on-error' = 'skip' drops the record" "$(mistakes | sed -n 2p)"
expect 'old is no row: ignored' 0 "op,id
+I,1
+I,2" '*' rows canal-json ",'canal-json.ignore-parse-errors'='true'"
expect 'old is no row: skipped' 0 '+I[1]
+I[2]' '*' "$thalweg" run ./changes.so canal-json c.json skip
same 'old is no row: counted' 'rows that could not be read: 1 skipped' "$(grep read: err.txt)"

# What is advised for a value is an option that this format has, and only where it helps.
advice() { # FORMAT FIELD
    good "$1" '"x"' | sed 's/""x""/"x"/' > c.json
    value="column '$2.id' (INT): 'x' is not a whole number; correct the value;"
    table "$1" '' | sed 's/ NOT NULL//' > q.sql
    echo 'SELECT * FROM s;' >> q.sql
    expect "$1: value" 1 '*' '*' answer
    grep -qF "$value '$1.ignore-parse-errors' = 'true' reads it as NULL, 'on-error' = 'skip' drops the record" err.txt || fail "$1: value: $(cat err.txt)"
    expect "$1: value, NOT NULL" 1 '*' '*' rows "$1" ''
    grep -qF "$value 'on-error' = 'skip' drops the record" err.txt || fail "$1: value, NOT NULL: $(cat err.txt)"
    table "$1" ",'$1.ignore-parse-errors'='true'" | sed 's/ NOT NULL//' > q.sql
    echo 'SELECT * FROM s;' >> q.sql
    expect "$1: as advised" 0 "op,id
+I," '*' answer
}
advice debezium-json after
advice maxwell-json data
advice ogg-json after
advice canal-json 'data[0]'

# Updates that do not end where a batch does: none is lost, each is whole.
{ good maxwell-json 0; seq 1 20000 | sed 's/.*/{"type":"update","data":{"id":&},"old":{"id":0}}/'; } > c.json
expect 'updates' 0 '*' '' rows maxwell-json ''
same 'updates: rows' "$(echo op,id; echo +I,0; seq 1 20000 | sed 's/.*/-U,0\n+U,&/')" "$(cat out.txt)"
finish
