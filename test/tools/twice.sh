#!/bin/sh
# twice.sh BUILD - a second `make` of an unchanged tree does nothing: no look for packages, no configuring, no compiling. And on
# another distribution deps.sh names the packages and stops.
set -eu
build=$1
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
fail() { echo "$1" >&2; exit 1; }

# Only what deps.sh needs when it has nothing to do, or only to tell: no dpkg, no apt-get, no compiler.
mkdir "$place/bin"
for tool in sh cat awk mkdir dirname; do ln -s "$(command -v $tool)" "$place/bin/$tool"; done
printf 'ID=fedora\n' > "$place/os-release"
deps() { PATH="$place/bin" OS_RELEASE="$place/os-release" sh tools/deps.sh "$@"; }

status=0
deps build "$place/stamp" > "$place/out" 2> "$place/err" || status=$?
[ "$status" = 1 ] || fail "deps.sh on another distribution: exit status $status"
[ ! -s "$place/out" ] && [ ! -e "$place/stamp" ] || fail 'deps.sh on another distribution: it went on'
expected='Thalweg needs these packages (names as in Debian 12), and this machine lacks them:
  gcc                  the C compiler
  libc6-dev            headers of the C library
Install them with the package manager of your distribution, then run make again.'
got=$(sed -n '1,3p;$p' "$place/err")
[ "$got" = "$expected" ] || fail "deps.sh on another distribution said: $(cat "$place/err")"

# The stamp of a machine that has everything: the list itself, which is in the script. Nothing else is asked then.
(eval "$(sed -n "/^build_list=/,/'\$/p" tools/deps.sh)"; printf '%s\n' "$build_list") > "$place/stamp"
deps build "$place/stamp" > "$place/out" 2>&1 || fail "deps.sh with a stamp: $(cat "$place/out")"
[ ! -s "$place/out" ] || fail "deps.sh with a stamp said: $(cat "$place/out")"
echo 'another list' > "$place/stamp"
! deps build "$place/stamp" > "$place/out" 2>&1 || fail 'deps.sh did not notice that the list has changed'

[ -f "$build/.options" ] || exit 0 # configured by hand, not by build.sh
cp -p "$build/configure.log" "$place/configure.log"
unset CC
# shellcheck disable=SC2046 # one word per option
sh tools/build.sh "$build" all $(cat "$build/.options") > "$place/out" 2>&1 < /dev/null || fail "$(cat "$place/out")"
[ ! -s "$place/out" ] || fail "build.sh the second time said: $(cat "$place/out")"
[ ! "$build/configure.log" -nt "$place/configure.log" ] || fail 'build.sh configured again'
[ "$(cat "$build/build.log")" = 'ninja: no work to do.' ] || fail "the second build did something: $(cat "$build/build.log")"
