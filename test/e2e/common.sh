# common.sh - sourced by every test here: a folder that goes away, and comparisons that say what came instead.
set -u
thalweg=$1 cc=$2 source=$3 sanitizers=${4:-}
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here" || exit 1
failures=0
errors=said # how expect reads standard error

# What a program said on standard error, without what the sanitizer says of itself when fibers begin.
said() { sed "/^==[0-9]*==WARNING: ASan doesn't fully support makecontext/d" err.txt; }
# What is said of statements that worked stands on standard error, too, where results are data.
mistakes() { said | sed -e '/^\[INFO\] /d' -e '/^Job ID: /d' -e '/^$/d'; }

# expect WHAT STATUS OUTPUT ERROR COMMAND...: exact exit status and both streams ('*' = whatever).
expect() {
    what=$1 status=$2 out=$3 err=$4
    shift 4
    "$@" > out.txt 2> err.txt < /dev/null
    got=$?
    [ "$got" = "$status" ] || fail "$what: exit status $got, expected $status: $(cat err.txt)"
    same "$what: standard output" "$out" "$(cat out.txt)"
    same "$what: standard error" "$err" "$($errors)"
}

same() {
    [ "$2" = '*' ] || [ "$2" = "$3" ] || fail "$1
  expected: $2
  got:      $3"
}

fail() {
    echo "$1" >&2
    failures=$((failures + 1))
}

finish() { [ "$failures" = 0 ]; }

# Runs a SQL job and kills it when FOLDER has had a checkpoint from the fifth on: when that is there, or a later one is. What another process
# has written can only be looked for; a job that ends first is a failure.
kill_behind_checkpoint() { # FOLDER ARGUMENT...: of thalweg sql
    folder=$1
    shift
    "$thalweg" sql "$@" > killed.txt 2>&1 < /dev/null &
    job=$!
    until ls "$folder"/*/chk-[5-9]*/_metadata "$folder"/*/chk-[1-9][0-9]*/_metadata 2> /dev/null | grep -q .; do
        kill -0 "$job" 2> /dev/null || { fail "the job ended before it could be killed: $(cat killed.txt)"; return; }
        sleep 0.01
    done
    kill -9 "$job"
    wait "$job" 2> /dev/null
}
