#!/bin/sh
# sqltest_finds.sh SQLTEST - the runner of text tests sees what is wrong: each file below has one mistake and must be refused with
# its line; files without one must pass, by every kind of comparison.
set -u
sqltest=$1
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here" || exit 1
failures=0

# case STATUS PATTERN: the file is on standard input.
try() {
    cat > case.test
    "$sqltest" case.test > out.txt 2>&1
    status=$?
    if [ "$status" != "$1" ] || ! grep -q -- "$2" out.txt; then
        printf 'expected status %s and "%s", got %s:\n' "$1" "$2" "$status"
        cat case.test out.txt
        failures=$((failures + 1))
    fi
}

rows='SELECT * FROM (VALUES (1, 1.5E0), (2, 2.5E0)) AS t (a, b)'
header='(a INT NOT NULL, b DOUBLE NOT NULL)'

printf 'query\n%s\n----\n%s\n2 | 2.5\n1 | 1.5\n' "$rows" "$header" | try 0 '1 cases, 4 runs: 0 differ'
printf 'compare ordered\nquery\n%s\n----\n%s\n2 | 2.5\n1 | 1.5\n' "$rows" "$header" | try 1 'case.test:2: the answer differs'
printf 'compare ordered by a\nquery\n%s\n----\n%s\n2 | 2.5\n1 | 1.5\n' "$rows" "$header" | try 1 'case.test:2: the answer differs'
printf 'compare ordered by a\nonly p1: order\nquery\n%s\n----\n%s\n1 | 1.5\n2 | 2.5\n' "$rows" "$header" | try 0 '2 runs: 0 differ'
printf 'compare exact\nquery\n%s\n----\n%s\n+I 1 | 1.5\n+I 2 | 2.5\n' "$rows" "$header" | try 0 '4 runs: 0 differ'
printf 'compare exact\nquery\n%s\n----\n%s\n+U 1 | 1.5\n+I 2 | 2.5\n' "$rows" "$header" | try 1 '  - +U 1 | 1.5'
printf 'query\n%s\n----\n%s\n1 | 1.5\n2 | 2.6\n' "$rows" "$header" | try 1 '  - 2 | 2.6'
printf 'compare approx 0.1\nquery\n%s\n----\n%s\n1 | 1.5\n2 | 2.6\n' "$rows" "$header" | try 0 '0 differ'
printf 'query\n%s\n----\n(a BIGINT NOT NULL, b DOUBLE NOT NULL)\n1 | 1.5\n2 | 2.5\n' "$rows" | try 1 'case.test:1: the answer differs'
printf 'query\n%s\n----\n%s\n1 | 1.5\n' "$rows" "$header" | try 1 '  + 2 | 2.5'
printf 'query\n%s\n----\n%s\n1 | 1.5\n---- in p4\n%s\n1 | 1.5\n2 | 2.5\n' "$rows" "$header" "$header" | try 1 '(streaming p1 full)'
printf 'skip p1: no\nquery\n%s\n----\n%s\n1 | 1.5\n---- in p4\n%s\n1 | 1.5\n2 | 2.5\n' "$rows" "$header" "$header" | try 0 '2 runs: 0 differ'
printf 'query\nSELECT 1\n' | try 1 'nothing is expected'
printf 'query\nSELECT nope\n----\n' | try 1 'it fails'
printf 'query error\nSELECT 1\n----\nno\n' | try 1 'it does not fail'
printf 'query error\nSELECT 1 / 0\n----\ndivided\n' | try 1 'the answer differs'
printf 'error streaming division by zero\nquery\nSELECT 1 / 0\n----\n' | try 0 '0 differ'
printf 'error streaming overflow\nquery\nSELECT 1 / 0\n----\n' | try 1 'another error'
printf 'statement ok\nCREATE VIEW v AS SELECT nope\n' | try 1 'it fails'
printf 'skip p5: no\nquery\nSELECT 1\n' | try 1 "case.test:1: no mode is called 'p5'"
printf 'skip p4\nquery\nSELECT 1\n' | try 1 'a reason is missing'
printf 'compare roughly\nquery\nSELECT 1\n' | try 1 "no comparison is called 'roughly'"
printf 'qwery\nSELECT 1\n' | try 1 "expected a directive, statement or query, not 'qwery'"
printf '# nothing\n' | try 0 '1 files, 0 cases'
[ "$failures" = 0 ]
