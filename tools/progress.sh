# progress.sh - sourced by deps.sh and build.sh, which keep the chatter of long work in a log: short progress instead.
#
# `say_progress TEXT` repaints one line on a terminal; elsewhere it prints TEXT when five seconds have passed since
# `begin_progress` or the last line, and otherwise nothing. `end_progress` wipes the line.
begin_progress() {
    progress_seconds=5 progress_at=$(date +%s)
    if [ -t 1 ] && [ "${TERM:-dumb}" != dumb ]; then progress_repaints=yes; else progress_repaints=; fi
}

say_progress() {
    if [ -n "$progress_repaints" ]; then
        printf '\r  %s\033[K' "$1"
        return 0
    fi
    progress_now=$(date +%s)
    [ $((progress_now - progress_at)) -ge "$progress_seconds" ] || return 0
    progress_at=$progress_now
    echo "  $1"
}

end_progress() { [ -z "$progress_repaints" ] || printf '\r\033[K'; }
