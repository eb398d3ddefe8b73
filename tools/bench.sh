#!/bin/sh
# bench.sh FOLDER [PATTERN] - runs the benchmarks of FOLDER/bench, and Nexmark with checkpoints, one after the other, alone on the
# machine as far as we can, and ends with one table of every case. What they print is kept in FOLDER/bench.log.
set -eu
folder=$1 pattern=${2:-}
log=$folder/bench.log
count=0
: > "$log"

for program in "$folder"/bench/bench_*"$pattern"*; do
    [ -f "bench/$(basename "$program").c" ] || continue # programs of files that went stay behind
    count=$((count + 1))
    { "$program" || echo "$(basename "$program") FAILED"; } | tee -a "$log"
    echo
done
case nexmark_checkpoints in *"$pattern"*)
    count=$((count + 1))
    { python3 bench/nexmark/checkpoints.py --binary "$folder/thalweg" || echo "checkpoints.py FAILED"; } | tee -a "$log"
    echo ;;
esac
[ $count -gt 0 ] || { echo "bench.sh: no benchmark matches '$pattern' in $folder/bench" >&2; exit 1; }
echo "---- summary: $(grep -c '  met$' "$log" || true) met, $(grep -c '  MISSED$' "$log" || true) missed"
printf '%-46s %-8s %8s %8s  %8s %8s %8s  %8s\n' case unit engine limit min median max goal
grep -E '  (met|MISSED|printed)$' "$log" || true
if grep FAILED "$log"; then exit 1; fi
