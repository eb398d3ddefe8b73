#!/bin/sh
# registry.sh KIND FOLDER [OUT] - list the descriptors of one kind: the file name is the registration.
#
# Every FOLDER/**/KIND_name.c ends in a const descriptor `KIND_name`; this prints one line X(name) for each,
# sorted by bytes, so that the list is the same on every machine. With OUT the list goes to that file, which is
# touched only when it changes, so nothing is rebuilt without need. No files, or no folder, gives an empty list.
set -eu
kind=$1 folder=$2 out=${3:-}

list() {
    [ -d "$folder" ] || return 0
    find "$folder" -name "${kind}_*.c" | sed -e 's|.*/||' -e "s|^${kind}_||" -e 's|\.c$||' -e 's|.*|X(&)|' | LC_ALL=C sort
}

if [ -z "$out" ]; then
    list
    exit 0
fi
mkdir -p "$(dirname "$out")"
list > "$out.new"
if cmp -s "$out.new" "$out"; then rm -f "$out.new"; else mv -f "$out.new" "$out"; fi
