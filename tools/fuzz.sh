#!/bin/sh
# fuzz.sh FOLDER SECONDS [PATTERN] - runs each fuzz target of FOLDER/fuzz for SECONDS, one after the other.
#
# Seeds come from test/fuzz/corpus/<target>/ and are never written; what libFuzzer finds on the way is kept in
# FOLDER/corpus/<target>/ for the next run, findings in FOLDER/findings/. Status 1 when any target found something.
set -eu
folder=$1 seconds=$2 pattern=${3:-}
failed=0 count=0

for program in "$folder"/fuzz/fuzz_*"$pattern"*; do
    [ -x "$program" ] || continue
    name=$(basename "$program" | sed 's/^fuzz_//')
    seeds=test/fuzz/corpus/$name
    mkdir -p "$folder/corpus/$name" "$folder/findings"
    log=$folder/findings/$name.log
    dictionary=
    [ -f "test/fuzz/$name.dict" ] && dictionary=-dict=test/fuzz/$name.dict
    [ -d "$seeds" ] || seeds=
    count=$((count + 1))
    printf '%-24s %s s ' "$name" "$seconds"
    if "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 $dictionary \
        -artifact_prefix="$folder/findings/$name-" "$folder/corpus/$name" $seeds > "$log" 2>&1; then
        awk '/stat::number_of_executed_units/ { runs = $2 } / cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") cov = $(i + 1) }
             END { printf "%d runs, coverage %d: no finding\n", runs, cov }' "$log"
    else
        echo "FOUND SOMETHING: $log"
        tail -n 30 "$log"
        failed=1
    fi
done
[ $count -gt 0 ] || { echo "fuzz.sh: no fuzz target matches '$pattern' in $folder/fuzz" >&2; exit 1; }
exit $failed
