#!/bin/sh
# expect.sh FILE COMMAND... - run COMMAND and compare what it prints on stdout with FILE, byte for byte; its status must be 0.
set -eu
expected=$1
shift
got=$(mktemp)
trap 'rm -f "$got"' EXIT
"$@" > "$got" || { echo "expect.sh: '$*' ended with status $?" >&2; exit 1; }
diff -u "$expected" "$got"
