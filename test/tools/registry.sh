#!/bin/sh
# registry.sh - tools/registry.sh lists what is there: sorted, at any depth, of its kind only, and writes only changes.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
fail() { echo "registry.sh: $1" >&2; exit 1; }

mkdir -p "$place/op/deep"
touch "$place/op/op_map.c" "$place/op/deep/op_filter.c" "$place/op/op_map.h" "$place/op/fn_abs.c" "$place/op/op_Zip.c" "$place/op/helper.c"
tools/registry.sh op "$place/op" "$place/gen/op.def"
printf 'X(Zip)\nX(filter)\nX(map)\n' | cmp -s - "$place/gen/op.def" || fail "wrong list: $(cat "$place/gen/op.def")"

touch -d 2001-01-01 "$place/gen/op.def"
tools/registry.sh op "$place/op" "$place/gen/op.def"
[ "$(date -r "$place/gen/op.def" +%Y)" = 2001 ] || fail "an unchanged list was written again"
rm "$place/op/op_map.c"
tools/registry.sh op "$place/op" "$place/gen/op.def"
printf 'X(Zip)\nX(filter)\n' | cmp -s - "$place/gen/op.def" || fail "a file that went is still listed"

tools/registry.sh op "$place/nowhere" "$place/gen/none.def"
[ -f "$place/gen/none.def" ] && [ ! -s "$place/gen/none.def" ] || fail "no folder must give an empty list"
