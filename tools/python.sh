#!/bin/sh
# python.sh - a Python of the project's own, .deps/python, with the packages of tools/requirements.txt.
#
# Only tests use it, to compare with other implementations of a format. When it cannot be had (no network), this says so and
# succeeds: the tests that need it are then skipped, by name. A stamp keyed by the list makes later runs free.
set -eu
place=.deps/python list=tools/requirements.txt
ls test/python/test_*.py > /dev/null 2>&1 || exit 0
cmp -s "$list" "$place/.packages" && exit 0
[ -z "$(find .deps/python.failed -mmin -60 2>/dev/null)" ] || exit 0 # failed within the hour: do not try at every run

mkdir -p .deps
echo "Thalweg installs Python packages for its tests in $place: $(grep -v '^#' "$list" | tr '\n' ' ')"
if python3 -m venv --clear "$place" > .deps/python.log 2>&1 &&
    "$place/bin/pip" install -q --disable-pip-version-check --retries 1 --timeout 20 -r "$list" >> .deps/python.log 2>&1; then
    cp "$list" "$place/.packages"
else
    tail -n 3 .deps/python.log >&2
    touch .deps/python.failed
    echo "They cannot be had here; the tests that need them are skipped." >&2
fi
