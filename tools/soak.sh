#!/bin/sh
# soak.sh PROGRAM HOURS - fresh seeds of all jobs of the simulator, with all faults and without, for so many hours (a fraction will do), and at
# the end the row of the scorecard: date, commit, seeds, runs, failures, replay command. Status 1 when a seed failed.
set -u
program=$1 hours=${2:-1}
batch=${SOAK_BATCH:-200}
end=$(awk -v now="$(date +%s)" -v hours="$hours" 'BEGIN { printf "%d", now + hours * 3600 }')
from=$(($(date +%s) * 1000)) # fresh: no two soaks have a seed in common
first=$from
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
: > "$here/all.txt"
stopped=
trap 'stopped=yes' INT TERM

while [ -z "$stopped" ] && [ "$(date +%s)" -lt "$end" ]; do
    for mode in --faults ''; do
        # shellcheck disable=SC2086 # none is no argument
        "$program" sim $mode --spread --seeds "$batch" --from "$from" > "$here/out.txt" 2> "$here/err.txt"
        status=$?
        # it ended without a table: a failure of all that it had to run
        [ $status = 0 ] || [ -n "$stopped" ] || grep -q ' failed with seeds ' "$here/out.txt" || echo "? failed with seeds $from" >> "$here/out.txt"
        grep -q . "$here/err.txt" && cat "$here/err.txt" >&2
        sed "s/^/${mode:-plain} /" "$here/out.txt" >> "$here/all.txt"
        sed -n 's/^  replay: //p' "$here/err.txt" >> "$here/replay.txt"
    done
    from=$((from + batch))
done

awk -v first="$first" -v last="$((from - 1))" -v date="$(date -u +%Y-%m-%dT%H:%MZ)" -v commit="$(git rev-parse --short HEAD 2> /dev/null || echo none)" \
    -v replay="$(head -n 1 "$here/replay.txt" 2> /dev/null)" '
    $2 == "all" { runs[$1] += $3; virtual += $5 }
    / failed with seeds / { failures += NF - 5 }
    /faults that fired: / {
        sub(/^.*fired: /, ""); sub(/; seeds in which.*$/, "")
        count = split($0, parts, ", ")
        for (i = 1; i <= count; i++) { split(parts[i], f, " "); if (!(f[1] in fired)) order[++kinds] = f[1]; fired[f[1]] += f[2] }
    }
    /crash points: / {
        sub(/^.*points: /, "")
        count = split($0, parts, ", ")
        for (i = 1; i <= count; i++) { split(parts[i], f, " "); if (!(f[1] in fired)) order[++kinds] = f[1]; fired[f[1]] += f[2] }
    }
    END {
        print "| fault | fired |"; print "| --- | ---: |"
        for (i = 1; i <= kinds; i++) print "| " order[i] " | " fired[order[i]] " |"
        print ""
        print "| date | commit | seeds | runs with faults | runs without | virtual time | failures | replay |"
        print "| --- | --- | --- | ---: | ---: | ---: | ---: | --- |"
        printf "| %s | %s | %s-%s | %d | %d | %.0f s | %d | %s |\n", date, commit, first, last, runs["--faults"], runs["plain"], virtual, failures, failures ? "`" replay "`" : "-"
        exit failures > 0
    }' "$here/all.txt"
