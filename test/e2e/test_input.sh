#!/bin/sh
# test_input.sh - input files as they come: missing, empty, malformed. The place of the mistake is exact, and nothing is printed
# of a job that failed.
. "$(dirname "$0")/common.sh"

head='scheduled,delay,distance,origin,destination'
good='2001-01-01 00:01:00,1,2,AAA,BBB'
failed="job 'flights' failed: operator 'Source: flights' (subtask 1/1):"
record="correct the record, or set 'on-error' = 'skip' or 'dead-letter' to go on without it"
value="correct the value; 'csv.ignore-parse-errors' = 'true' reads it as NULL, 'on-error' = 'skip' drops the record"

reads() { # NAME TEXT
    printf "$2" > "$1.csv"
    expect "$1" 0 'no airport had 10 flights in a week' '' "$thalweg" run --quiet --input "$1.csv"
}
refuses() { # NAME TEXT ERROR LINE COLUMN
    printf "$2" > "$1.csv"
    expect "$1" 1 '' "$failed $3
$(printf '  %s\n  %*s' "$4" "$5" ^)" "$thalweg" run --quiet --input "$1.csv"
}

expect 'real flights' 0 "$(cat "$source/examples/flights.expected")" '' "$thalweg" run --quiet
expect 'missing' 1 '' "$failed cannot read 'none.csv': no such file or folder; check the path; it starts at the folder in which the program runs" "$thalweg" run --quiet --input none.csv
reads empty ''
reads header "$head\n"
reads crlf "$head\r\n$good\r\n"
reads bom "\357\273\277$head\n$good\n"
refuses count "$head\n$good\n2001-01-01 00:02:00,1,2,AAA\n" \
    "count.csv:3:28: expected 5 fields, found 4 in '2001-01-01 00:02:00,1,2,AAA'; $record" '2001-01-01 00:02:00,1,2,AAA' 28
refuses number "$head\n$good\n2001-01-01 00:02:00,x,2,AAA,BBB\n" \
    "number.csv:3:21: column 'delay' (INT): 'x' is not a whole number; $value" '2001-01-01 00:02:00,x,2,AAA,BBB' 21
refuses time "$head\n2001-13-01 00:02:00,1,2,A,BBB\n" \
    "time.csv:2:1: column 'scheduled' (TIMESTAMP(0)): '2001-13-01 00:02:00' is not a timestamp such as 2001-01-31 10:20:30.123; $value" '2001-13-01 00:02:00,1,2,A,BBB' 1
refuses utf8 "$head\n2001-01-01 00:02:00,1,2,A\377A,BBB\n" "utf8.csv:2:26: byte 0xff is not valid UTF-8; $record" \
    '2001-01-01 00:02:00,1,2,A?A,BBB' 26
refuses nul "$head\n2001-01-01 00:02:00,1,2,A\000A,BBB\n" "nul.csv:2:26: a NUL byte stands in the text; $record" \
    '2001-01-01 00:02:00,1,2,A?A,BBB' 26
refuses quote "$head\n$good\n2001-01-01 00:02:00,1,2,\"AAA" \
    "quote.csv:3:25: the quote opened here is not closed before the end of the input; $record" '2001-01-01 00:02:00,1,2,"AAA' 25
refuses cut "$head\n$good\n2001-01-01 00:02" "cut.csv:3:17: expected 5 fields, found 1 in '2001-01-01 00:02'; $record" '2001-01-01 00:02' 17
refuses null "$head\n$good\n2001-01-01 00:02:00,,2,AAA,BBB\n" \
    "null.csv:3:21: column 'delay' (INT): the field is empty, but the column is NOT NULL; correct the record, or let the column be NULL: a type without NOT NULL, which in a struct of TW_ROW needs TW_NULLS too; 'on-error' = 'skip' drops the record" \
    '2001-01-01 00:02:00,,2,AAA,BBB' 21

# ---- --on-error: what the messages advise
printf "$head\n$good\n2001-01-01 00:02:00,x,2,AAA,BBB\n" > bad.csv
few='no airport had 10 flights in a week'
letter="left out: bad.csv:3:21: column 'delay' (INT): 'x' is not a whole number"
expect 'fail' 1 '' '*' "$thalweg" run --quiet --input bad.csv --on-error fail
expect 'skip' 0 "$few" '' "$thalweg" run --quiet --input bad.csv --on-error skip
expect 'dead letter' 0 "$few" "$letter" "$thalweg" run --quiet --input=bad.csv --on-error=dead-letter
expect 'plan of few rows' 0 '*' '' "$thalweg" run --plan --input bad.csv
grep -q "$few" out.txt && fail 'a plan tells of rows'
expect 'wrong choice' 1 '' '*' "$thalweg" run --quiet --input bad.csv --on-error never
grep -q "on-error.*fail|skip|dead-letter\|on-error.*fail, skip" err.txt || fail "wrong choice: $(cat err.txt)"
expect 'no value' 1 '' "thalweg run: '--input' needs a value: --input FILE.csv" "$thalweg" run --input
expect 'no choice' 1 '' "thalweg run: '--on-error' needs a value: --on-error fail|skip|dead-letter" "$thalweg" run --on-error

# ---- files that are not what their name says
gzip -c "$source/examples/data/flights.csv" | head -c 1000 > cut.csv.gz
expect 'cut gzip' 1 '' "$failed 'cut.csv.gz' ends too early, after 1000 bytes: the compressed data goes on; the file was cut; copy it again" \
    "$thalweg" run --quiet --input cut.csv.gz
cp count.csv plain.csv.gz
expect 'no gzip' 1 '' "$failed 'plain.csv.gz': damaged gzip data at byte 2: incorrect header check; copy the file again; the name of one that is not compressed may not end in .gz" \
    "$thalweg" run --quiet --input plain.csv.gz
expect 'pattern' 1 '' "$failed no file matches 'none*.csv'; check the pattern; * and ? stand for anything but '/', and it starts at the folder in which the program runs" \
    "$thalweg" run --quiet --input 'none*.csv'
"$thalweg" run --quiet --input s3://b/x.csv > /dev/null 2> err.txt && fail 'a file system that is none: no error'
grep -q "option 'path': 's3://b/x.csv': there is no file system 's3'; known are file:// and plain paths" err.txt || fail "file system: $(cat err.txt)"
refuses range "$head\n2001-01-01 00:02:00,99999999999,2,AAA,BBB\n" \
    "range.csv:2:21: column 'delay' (INT): '99999999999' is out of range for INT (-2147483648 to 2147483647); $value" \
    '2001-01-01 00:02:00,99999999999,2,AAA,BBB' 21
finish
