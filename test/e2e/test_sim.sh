#!/bin/sh
# test_sim.sh - `thalweg sim`: the same seed takes the same way, mistakes are told, a signal ends it with what it has.
. "$(dirname "$0")/common.sh"

trace() { "$thalweg" sim --job "$1" --seed "$2" --verbose 2> err.txt | sed -n 's/.* trace \([0-9a-f]*\) .*/\1/p'; }
first=$(trace keyed_sum 7)
same 'a seed again' "$first" "$(trace keyed_sum 7)"
same 'a trace has 16 digits' 16 "$(printf %s "$first" | wc -c)"
[ "$first" != "$(trace keyed_sum 8)" ] || same 'another seed' 'another way' 'the same'

crashed() { "$thalweg" sim --job keyed_sum --faults --seeds 10 --verbose 2> err.txt | sed -n 's/^\(keyed_sum .*seed .*trace [0-9a-f]*\) .*/\1/p'; }
first=$(crashed)
same 'seeds with faults again' "$first" "$(crashed)"
same 'their number' 1 "$([ "$(echo "$first" | wc -l)" -ge 10 ] && echo 1)"

# Seeds that found a fault once.
"$thalweg" sim --job event_time_windows --seed 1 > out.txt 2>&1
same 'a late row that waits for state' 0 $?

for seed in 77 123 177; do
    "$thalweg" sim --job async_retries --faults --seed $seed > out.txt 2>&1
    same "a source that had finished, in a chain with what had not, at another parallelism: seed $seed" 0 $?
done
"$thalweg" sim --job async_lookup --faults --seed 604 > out.txt 2>&1
same 'rows of a key in order, whichever subtasks had it' 0 $?

"$thalweg" sim --job nothing > out.txt 2>&1
same 'no such job: status' 1 $?
same 'no such job' "thalweg sim: there is no job 'nothing'; \`thalweg sim --list\` shows them" "$(cat out.txt)"
"$thalweg" sim --seeds many > out.txt 2>&1
same 'no number: status' 1 $?
same 'no number' "thalweg sim: cannot use '--seeds'; \`thalweg sim --help\` lists the arguments" "$(cat out.txt)"

mkfifo lines
"$thalweg" sim --seeds 1000000 --job keyed_sum --verbose > lines 2> err.txt &
pid=$!
exec 3< lines
read -r line <&3
kill -TERM $pid
cat <&3 > rest.txt
wait $pid
same 'interrupted: status' 143 $?
same 'interrupted' 'thalweg sim: interrupted' "$(said)"
same 'interrupted: the table' 1 "$(grep -c '^keyed_sum .* ok$' rest.txt)"
finish
