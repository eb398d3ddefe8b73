#!/bin/sh
# sqlgen.sh BUILD ARGUMENTS...: test/sqlgen/peers.py in the project's own Python; without it (no network) in the system's, and then
# without DuckDB, which is said.
set -eu
build=$1
shift
python=.deps/python/bin/python
[ -x "$python" ] && cmp -s tools/requirements.txt .deps/python/.packages || python=python3
exec "$python" test/sqlgen/peers.py "$build/test/sqlgen" --folder "$build/sqlgen" "$@"
