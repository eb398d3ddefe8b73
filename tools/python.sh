#!/bin/sh
# python.sh - a Python of the project's own, .deps/python, with the packages of tools/requirements.txt.
#
# Only tests use it, to compare with other implementations of a format. When it cannot be had (no network), this says so at
# every run and leaves the reason in .deps/python.failed: the tests that need it are then skipped by name, with that reason,
# and counted at the end of `make test`. A stamp keyed by the list makes later runs free.
set -eu
place=.deps/python list=tools/requirements.txt failed=.deps/python.failed
ls test/python/test_*.py > /dev/null 2>&1 || exit 0
if cmp -s "$list" "$place/.packages"; then
    rm -f "$failed"
    exit 0
fi

packages=$(grep -v '^#' "$list" | tr '\n' ' ')
tell() {
    echo "Python packages for tests cannot be had here ($packages): $(cat "$failed")" >&2
    echo "The tests that need them are skipped; CTest names them. The whole story is in .deps/python.log." >&2
    exit 0
}
[ -z "$(find "$failed" -mmin -60 2>/dev/null)" ] || tell # failed within the hour: told again, not tried at every run

mkdir -p .deps
rm -rf "$place" "$failed"
echo "Thalweg installs Python packages for its tests in $place: $packages"
if python3 -m venv --clear "$place" > .deps/python.log 2>&1 &&
    "$place/bin/pip" install -q --disable-pip-version-check --retries 1 --timeout 20 -r "$list" >> .deps/python.log 2>&1; then
    cp "$list" "$place/.packages"
else
    grep -v '^\[notice\]' .deps/python.log | grep . | tail -n 1 > "$failed"
    [ -s "$failed" ] || echo 'python3 -m venv said nothing' > "$failed"
    tell
fi
