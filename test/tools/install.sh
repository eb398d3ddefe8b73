#!/bin/sh
# install.sh BUILD CC - what `make install` leaves is enough for a user. Outside the tree and from an installed prefix alone: a job
# compiles with pkg-config against the shared library and against the static one and runs; the same job as a shared object
# runs under the installed `thalweg run`; a test with the harness compiles; every public header compiles alone, as C and as
# C++; the shared library exports tw_* and nothing else. Outputs are exact.
set -eu
build=$1 cc=$2
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

cmake --install "$build" --prefix "$place/usr" > "$place/log" || { cat "$place/log" >&2; exit 1; }
cd "$place"
pc=$(find "$place/usr" -name thalweg.pc)
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
lib=$(pkg-config --variable=libdir thalweg)
cflags=$(pkg-config --cflags thalweg)
# The private libraries come without -lthalweg: the archive itself stands in front of them.
static="$lib/libthalweg.a $(pkg-config --static --libs-only-l --libs-only-other thalweg | sed 's/-lthalweg//')"

foreign=$(nm -D --defined-only "$lib/libthalweg.so" | awk '{ print $3 }' | grep -v '^tw_' || true)
[ -z "$foreign" ] || { echo "libthalweg.so exports more than tw_*: $foreign" >&2; exit 1; }

# ---- a job with a function, state and an argument
cat > job.c <<'JOB'
#include <thalweg/thalweg.h>

struct number { int64_t value; };
TW_ROW(number, TW_FIELD(number, value, "BIGINT NOT NULL"));

static const struct tw_state seen = {.name = "seen", .kind = TW_VALUE, .value = "BIGINT"};

static enum tw_status process(struct tw_context *cx, const void *in)
{
    struct number out = {((const struct number *)in)->value * 10 + tw_value_long(cx, &seen, 0)};

    tw_value_set_long(cx, &seen, tw_value_long(cx, &seen, 0) + 1);
    tw_collect(cx, &out);
    return TW_OK;
}
TW_FUNCTION(tens) = {.in = &number_row, .out = &number_row, .states = {&seen}, .process = process};

TW_JOB(env, argc, argv)
{
    struct tw_stream *numbers = tw_where(tw_from_sequence(env, 1, 3), "value", "<>", argc > 1 ? argv[1] : "0");

    tw_print(tw_process(tw_key_by(tw_union(numbers, numbers), "value"), &tens));
    return tw_execute(env, "installed");
}
JOB
printf '+I[10]\n+I[11]\n+I[30]\n+I[31]\n' > expected
expect() { # NAME COMMAND...: what it prints, sorted, since the two inputs of a union come in any order
    name=$1
    shift
    "$@" > "$name.out" 2> "$name.err" || { echo "$name: exit status $?" >&2; cat "$name.err" >&2; exit 1; }
    sort "$name.out" | diff -u expected - || { echo "$name: wrong output" >&2; exit 1; }
    [ ! -s "$name.err" ] || { echo "$name: wrote to standard error" >&2; cat "$name.err" >&2; exit 1; }
}
warnings="-Wall -Wextra -Werror"
$cc -std=gnu17 $warnings job.c -o job-shared $cflags $(pkg-config --libs thalweg)
export LD_LIBRARY_PATH="$lib"
expect shared ./job-shared --quiet 2
unset LD_LIBRARY_PATH
$cc -std=gnu17 $warnings job.c -o job-static $cflags $static
expect static ./job-static --quiet 2
$cc -std=gnu17 $warnings -shared -fPIC job.c -o job.so $cflags
expect object usr/bin/thalweg run ./job.so --quiet 2

# ---- the SQL shell under the name of Flink's client
[ "$(echo 'SHOW CURRENT CATALOG;' | usr/bin/sql-client.sh | grep -c default_catalog)" = 1 ] || { echo 'sql-client.sh does not answer' >&2; exit 1; }

# ---- the demo finds its data from anywhere, and says what to do when they are gone
cp "$place/usr/share/thalweg/examples/data/flights.csv" flights.csv
usr/bin/thalweg run --quiet --input flights.csv > demo.expected
[ -s demo.expected ]
(cd / && "$place/usr/bin/thalweg" run --quiet) > demo.out
diff -u demo.expected demo.out || { echo "the installed demo: wrong output" >&2; exit 1; }
mkdir bare && cp usr/bin/thalweg bare/
if (cd / && "$place/bare/thalweg" run) > bare.out 2> bare.err; then echo "a demo without data ran" >&2; exit 1; fi
grep -q 'write --input FILE.csv' bare.err || { cat bare.err >&2; exit 1; }

# ---- a test of that job's function
cat > test.c <<'TEST'
#define main job_main
#include "job.c"
#undef main
#include <stdio.h>

static struct tw_stream *graph(struct tw_stream *in, struct tw_stream *none, void *arg)
{
    (void)none, (void)arg;
    return tw_process(tw_key_by(in, "value"), &tens);
}

int main(void)
{
    struct tw_harness *h = tw_harness_create(graph, NULL, &number_row, NULL);
    static const int64_t numbers[] = {1, 3, 1, 3};

    for (int i = 0; i < 4; i++) tw_push(h, 0, &numbers[i], TW_NO_TIME);
    fputs(tw_output(h, false), stdout);
    fputs(tw_harness_error(h), stderr);
    tw_harness_free(h);
    return 0;
}
TEST
$cc -std=gnu17 $warnings test.c -o test $cflags $static
expect harness ./test

# ---- every public header alone, as C and as C++
for header in usr/include/thalweg/*.h; do
    name=$(basename "$header")
    printf '#include <thalweg/%s>\n' "$name" | $cc -std=gnu17 $warnings -pedantic -fsyntax-only $cflags -x c -
    printf '#include <thalweg/%s>\nint main() { return 0; }\n' "$name" > alone.cc
    if command -v c++ > /dev/null; then c++ -std=c++17 -Wall -Wextra -Werror -fsyntax-only $cflags alone.cc; fi
done
