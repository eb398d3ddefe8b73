#!/bin/sh
# fuzz.sh FOLDER SECONDS [PATTERN] - runs each fuzz target of FOLDER/fuzz for SECONDS, one after the other.
#
# Seeds come from test/fuzz/corpus/<target>/ and are never written; what libFuzzer finds on the way is kept in
# FOLDER/corpus/<target>/ for the next run, findings in FOLDER/findings/. The canary comes first: its planted fault must be
# found. Status 1 when a target found something, or the canary nothing.
set -eu
folder=$1 seconds=$2 pattern=${3:-}
failed=0 count=0
mkdir -p "$folder/findings"

# fuzz NAME SECONDS FOUND OPTION...: runs one target; what libFuzzer says goes to the log
fuzz() {
    name=$1 limit=$2 found=$3
    mkdir -p "$found"
    seeds=test/fuzz/corpus/$name dictionary=test/fuzz/$name.dict
    set --
    [ ! -f "$dictionary" ] || set -- "-dict=$dictionary"
    set -- "$@" "$found"
    [ ! -d "$seeds" ] || set -- "$@" "$seeds"
    "$folder/fuzz/fuzz_$name" -max_total_time="$limit" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$folder/findings/$name-" "$@" > "$folder/findings/$name.log" 2>&1
}

canary=$(mktemp -d)
fuzz canary 30 "$canary" || true
if ! ls "$folder"/findings/canary-crash-* > /dev/null 2>&1; then
    cat "$folder/findings/canary.log" >&2
    echo "fuzz.sh: the canary's planted fault was not found in 30 s: this fuzzer is blind" >&2
    exit 1
fi
rm -rf "$canary" "$folder"/findings/canary-*
echo "canary                   its planted fault was found"

for program in "$folder"/fuzz/fuzz_*"$pattern"*; do
    name=$(basename "$program" | sed 's/^fuzz_//')
    { [ -f "test/fuzz/fuzz_$name.c" ] && [ "$name" != canary ]; } || continue # programs of files that went stay behind
    count=$((count + 1))
    printf '%-24s %s s: ' "$name" "$seconds"
    if fuzz "$name" "$seconds" "$folder/corpus/$name"; then
        awk '/stat::number_of_executed_units/ { runs = $2 } / cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") cov = $(i + 1) }
             END { printf "%d runs, %d edges covered, no finding\n", runs, cov }' "$folder/findings/$name.log"
    else
        echo "FOUND SOMETHING, see $folder/findings/$name.log"
        tail -n 30 "$folder/findings/$name.log"
        failed=1
    fi
done
[ $count -gt 0 ] || { echo "fuzz.sh: no fuzz target matches '$pattern' in $folder/fuzz" >&2; exit 1; }
exit $failed
