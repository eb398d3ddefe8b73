# test_flights_sql.sh - examples/flights.sql, what `make run` runs, against its expected result, as a whole and row by row batches.
. "$(dirname "$0")/common.sh"

cd "$source" || exit 1
rows() { "$thalweg" sql -f examples/flights.sql --output table "$@" 2> "$here/err.txt" | grep '^|' ; }
same 'examples/flights.sql' "$(cat examples/flights.sql.expected)" "$(rows)"
same 'in batches of three rows' "$(cat examples/flights.sql.expected)" "$(rows -D thalweg.exec.batch-rows=3)"
same 'two tasks each' "$(sort examples/flights.sql.expected)" "$(rows -D parallelism.default=2 | sort)"
finish
