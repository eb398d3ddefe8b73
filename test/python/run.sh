#!/bin/sh
# run.sh TEST.py LIBRARY - runs a test in the project's own Python; 77 (skipped) when there is none.
# THALWEG_LIBRARY names a shared library with every function of the engine, for ctypes.
set -eu
root=$(dirname "$0")/../..
python=$root/.deps/python/bin/python
[ -f "$root/.deps/python/.packages" ] || { echo "skipped: no .deps/python (make test installs it when there is a network)"; exit 77; }
THALWEG_LIBRARY=$2 exec "$python" "$1"
