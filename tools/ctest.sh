#!/bin/sh
# ctest.sh BUILD ARGUMENT... - runs ctest in BUILD and says at the end what was skipped, and why.
#
# A test that cannot run here prints "skipped: WHY" and exits with 77: CTest names it among those that did not run. A test
# that leaves out a part prints the same line and goes on. Both are counted here, from what CTest printed and what the tests
# printed, so that a green run never hides what it did not look at.
set -u
build=$1
shift
printed=$build/ctest.log outputs=$build/Testing/Temporary/LastTest.log
rm -f "$printed" "$outputs"
(cd "$build" && ctest --output-on-failure --no-label-summary -O ctest.log "$@")
status=$?
[ ! -f "$outputs" ] || awk '
    FILENAME != outputs { if (/ Test +#[0-9]+: .*\*\*\*Skipped/) { sub(/.*#[0-9]+: /, ""); mute[$1] = 1 } next }
    /^[0-9]+\/[0-9]+ Testing: / { name = $3 }
    /^skipped: / { line[++count] = name ": " substr($0, 10); delete mute[name] }
    END {
        for (name in mute) line[++count] = name ": it does not say why"
        printf "Skipped: %d%s\n", count, count ? "" : " (everything ran)"
        for (i = 1; i <= count; i++) print "  " line[i]
    }' outputs="$outputs" "$printed" "$outputs"
exit $status
