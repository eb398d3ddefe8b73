#!/bin/sh
# install.sh BUILD CC - what `make install` leaves is enough for a user: a ten-line job compiles with pkg-config alone, against
# the shared library and against the static one, and runs; the shared library exports tw_* and nothing else.
set -eu
build=$1 cc=$2
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

cmake --install "$build" --prefix "$place/usr" > "$place/log" || { cat "$place/log" >&2; exit 1; }
pc=$(find "$place/usr" -name thalweg.pc)
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
lib=$(pkg-config --variable=libdir thalweg)

foreign=$(nm -D --defined-only "$lib/libthalweg.so" | awk '{ print $3 }' | grep -v '^tw_' || true)
[ -z "$foreign" ] || { echo "libthalweg.so exports more than tw_*: $foreign" >&2; exit 1; }

cat > "$place/job.c" <<'JOB'
#include <thalweg/thalweg.h>

TW_JOB(env, argc, argv)
{
    struct tw_stream *numbers = tw_from_sequence(env, 1, 3);

    tw_print(tw_where(numbers, "value", "<>", "2"));
    return tw_execute(env, "ten lines");
}
JOB
printf '+I[1]\n+I[3]\n' > "$place/expected"
cd "$place"
$cc -std=gnu17 -Wall -Wextra -Werror job.c -o job-shared $(pkg-config --cflags --libs thalweg)
LD_LIBRARY_PATH=$lib ./job-shared --quiet > shared.out
diff -u expected shared.out
$cc -std=gnu17 job.c -o job-static $(pkg-config --cflags thalweg) "$lib/libthalweg.a" $(pkg-config --static --libs-only-l thalweg | sed 's/-lthalweg//')
./job-static --quiet > static.out
diff -u expected static.out
