#!/bin/sh
# bench.sh FOLDER [PATTERN] - runs the benchmarks of FOLDER/bench one after the other, alone on the machine as far as we can.
set -eu
folder=$1 pattern=${2:-}
count=0

for program in "$folder"/bench/bench_*"$pattern"*; do
    [ -f "bench/$(basename "$program").c" ] || continue # programs of files that went stay behind
    count=$((count + 1))
    "$program"
done
[ $count -gt 0 ] || { echo "bench.sh: no benchmark matches '$pattern' in $folder/bench" >&2; exit 1; }
