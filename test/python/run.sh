#!/bin/sh
# run.sh TEST.py LIBRARY [RUNTIME] - runs a test in the project's own Python; 77 (skipped) when there is none.
# THALWEG_LIBRARY names a shared library with every function of the engine, for ctypes. When that is built with a sanitizer,
# RUNTIME is the sanitizer's library: it has to be in the process before the interpreter, which has leaks of its own.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
python=$root/.deps/python/bin/python
if ! cmp -s "$root/tools/requirements.txt" "$root/.deps/python/.packages"; then
    echo "skipped: no Python packages: $(cat "$root/.deps/python.failed" 2> /dev/null || echo 'make test installs them')"
    exit 77
fi
export THALWEG_LIBRARY=$2
[ -n "${3:-}" ] || exec "$python" "$1"
export ASAN_OPTIONS=detect_leaks=0
exec env LD_PRELOAD="$3" "$python" "$1"
