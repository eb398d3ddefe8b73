#!/bin/sh
# test_client.sh - a script of statements of every kind through sql-client.sh, beside what Flink 2.3's prints for it
# (client_flink.txt, by test/oracle/client.py). What differs is kept in client.diff; docs/differences.md says why ("client-text").
. "$(dirname "$0")/common.sh"

# How wide frames are follows from texts that differ.
squeezed() { sed 's/-\{5,\}/-----/g; s/ \{5,\}/     /g' "$1"; }

ln -s "$thalweg" sql-client.sh
cp "$source/test/e2e/client.sql" .
TERM=dumb ./sql-client.sh -f client.sql > all.txt 2> err.txt
same 'the last statement fails' 1 $?
same 'all is said on standard output' '' "$(said)"
same 'how it begins' '[INFO] Executing SQL from file.' "$(head -1 all.txt)"
same 'how it ends' 'Shutting down the session...
done.' "$(tail -2 all.txt)"
sed '1,2d' all.txt | sed '$d' | sed '$d' > ours.txt
squeezed ours.txt > ours_squeezed.txt
squeezed "$source/test/e2e/client_flink.txt" > flink_squeezed.txt
same "statements of the script" 46 "$(grep -c '^Flink SQL> ' ours.txt)"
diff flink_squeezed.txt ours_squeezed.txt > found.diff
[ $? -le 1 ] || fail 'diff failed'
cmp -s found.diff "$source/test/e2e/client.diff" || fail "sql-client.sh -f differs from Flink's otherwise than client.diff says:
$(diff "$source/test/e2e/client.diff" found.diff)"
finish
