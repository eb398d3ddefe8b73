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
