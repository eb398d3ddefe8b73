#!/bin/sh
# tidy_finds.sh TIDY CC - tidy finds what it is there to find: a small tree with one fault of each kind, and one without any.
set -eu
tidy=$1 cc=$2
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
tree=$place/tree objects=$place/tree/build/CMakeFiles/thalweg_objects.dir
failed=0

# put PATH: a file of the tree, from stdin; what tidy must not find in this very script is spelled @...@
put() { mkdir -p "$(dirname "$tree/$1")"; sed -e 's|@home@|/ho''me|' -e 's/@note@/TO''DO/' > "$tree/$1"; }
compile() {
    find "$tree/src" -name '*.c' | while read -r c; do
        o=$objects/${c#"$tree"/}.o
        mkdir -p "$(dirname "$o")"
        "$cc" -std=gnu17 -O1 -fPIC -I"$tree/src" -c "$c" -o "$o"
    done
}
run() { (cd "$tree" && "$tidy" --root . --build build --cc "$cc") > "$place/out" 2>&1; }
# finds TEXT: the last run said so
finds() { grep -qF -- "$1" "$place/out" || { echo "tidy does not find: $1" >&2; failed=1; }; }

mkdir -p "$tree/tools/tidy" "$tree/build/gen"
cp tools/tidy/symbols.txt "$tree/tools/tidy/" 2>/dev/null || cp "$(dirname "$0")/../../tools/tidy/symbols.txt" "$tree/tools/tidy/"
sed -i -e '/^library/d' -e '/^call/d' -e '/^mutable/d' "$tree/tools/tidy/symbols.txt"

# ---- a tree without fault
put src/ground/base/str.h <<'END'
/* str.h - strings. */
#pragma once
#include <stddef.h>
size_t str_size(const char *s);
END
put src/ground/base/str.c <<'END'
/* str.c - strings. */
#include "ground/base/str.h"
#include <string.h>
static const char *const names[] = {"a", "b"};
size_t str_size(const char *s) { return s == NULL ? strlen(names[0]) : strlen(s); }
END
put src/ground/sys/sys_linux.c <<'END'
/* sys_linux.c - the door. */
#include "ground/base/str.h"
#include <stdlib.h>
void *door(void);
void *door(void) { return malloc(str_size("x")); }
END
put src/flow/operator/op_map.c <<'END'
/* op_map.c - map. */
#include "ground/base/str.h"
struct op_type { const char *name, *doc; };
extern const struct op_type op_map;
const struct op_type op_map = {.name = "map", .doc = "one row in, one row out"};
END
put test/unit/operator/test_op_map.c <<'END'
const char *tested = "map";
END
put README.md <<'END'
See `src/ground/base/str.c`, `op_*.c`, `str_size` and `str_size()`; then type `make test`.
END
compile
run || { echo "tidy refuses a tree without fault:" >&2; cat "$place/out" >&2; exit 1; }

# ---- one fault of each kind
put src/ground/base/up.c <<'END'
/* up.c - layering, a private header, a mutable static. */
#include "flow/task/chain.h"
#include "flow/task/task_internal.h"
int counter_next(void);
int counter_next(void) { static int counter; return ++counter; }
END
put src/flow/task/chain.h <<'END'
/* chain.h - does not stand alone. */
#pragma once
#ifndef NO_SIZE
#include <stddef.h>
#endif
size_t chain_size(void);
END
put src/flow/task/broken.h <<'END'
/* broken.h - size_t comes from nowhere. */
size_t broken_size(void);
END
put src/flow/task/task_internal.h <<'END'
/* task_internal.h - private. */
#pragma once
END
put src/flow/task/chain.c <<'END'
#include <stdlib.h>
#include <time.h>
#include "flow/task/chain.h"
size_t chain_size(void) { return (size_t)time(NULL) + (size_t)rand(); /* @note@ count */ }
END
put src/flow/operator/op_bare.c <<'END'
/* op_bare.c - neither documented nor tested. */
struct op_type { const char *name, *doc; };
extern const struct op_type op_bare;
const struct op_type op_bare = {.name = "bare"};
END
put src/flow/operator/op_none.c <<'END'
/* op_none.c - registers what it does not define. */
extern const int op_other;
const int op_other = 1;
END
{ echo '/* long.c - one long function. */'; echo 'int long_one(int x);'; echo 'int long_one(int x)'; echo '{'; yes '    x += 2;' | head -n 80; echo '    return x;'; echo '}'; } | put src/flow/task/long.c
{ echo '/* huge.c - too many lines. */'; yes '' | head -n 1600; } | put src/flow/task/huge.c
put ARCHITECTURE.md <<'END'
See `src/flow/task/gone.c`, `chain_gone` and `kept.h`, built in @home@/somebody.
END
head -c 2200000 /dev/zero > "$tree/blob.bin"
put tools/tidy_ratchet.txt <<'END'
function src/ground/base/str.c:str_size 90 was long once
END
compile
run && { echo "tidy passes a tree full of faults" >&2; exit 1; }
finds 'src/ground/base/up.c:2: includes "flow/task/chain.h": ground stands before flow'
finds 'src/ground/base/up.c:3: includes "flow/task/task_internal.h": it is private'
finds 'keeps the mutable static counter'
finds 'src/flow/task/broken.h:1: does not compile alone'
finds 'src/flow/task/broken.h:1: has no #pragma once'
finds 'src/flow/task/broken.h:1: is included by nobody'
finds 'src/flow/task/chain.c:4: calls time:'
finds 'src/flow/task/chain.c:4: calls rand:'
finds 'src/flow/task/chain.c:4: has a TO''DO'
finds 'src/flow/task/chain.c:1: does not open with a comment'
finds 'src/flow/task/chain.c:1: does not include its own header'
finds 'op_bare has no .doc text'
finds 'src/flow/operator/op_none.c:1: defines no op_none'
finds 'op_bare is named by no test'
finds 'src/flow/task/long.c:3: long_one has 84 lines'
finds 'src/flow/task/huge.c:1: has 1601 lines; more than 1500'
finds 'names the file `src/flow/task/gone.c`'
finds 'names the file `kept.h`'
finds 'names `chain_gone`'
finds 'ARCHITECTURE.md:1: names a path of one machine'
finds 'blob.bin:1: has 2200000 bytes'
finds 'tools/tidy_ratchet.txt:1: src/ground/base/str.c:str_size is not above the limit'
[ $failed = 0 ] || cat "$place/out" >&2
exit $failed
