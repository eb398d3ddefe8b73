#!/bin/sh
# build.sh FOLDER TARGET [CMAKE OPTION...] - configures FOLDER when that is needed, then builds TARGET with ninja.
#
# Quiet when all is well: CMake's chatter goes to FOLDER/configure.log and is shown only when it fails; ninja's progress is
# shown on a terminal only. CMake runs again when the options change; when a file comes or goes, ninja sees to it.
set -eu
folder=$1 target=$2
shift 2
jobs=${JOBS:-$(nproc)}
options="$* ${CC:-}"

if [ ! -f "$folder/build.ninja" ] || [ "$(cat "$folder/.options" 2>/dev/null)" != "$options" ]; then
    mkdir -p "$folder"
    [ -t 1 ] || echo "Building in $folder/ (what the compiler says goes to $folder/build.log)"
    cmake -S . -B "$folder" -G Ninja "$@" > "$folder/configure.log" 2>&1 || {
        cat "$folder/configure.log" >&2
        echo "build.sh: CMake could not configure $folder; its output is above. 'make clean' starts afresh." >&2
        exit 1
    }
    printf '%s' "$options" > "$folder/.options"
fi
cd "$folder"
if [ -t 1 ]; then
    NINJA_STATUS='[%f/%t] ' exec ninja -j "$jobs" "$target"
fi
ninja --quiet -j "$jobs" "$target" > build.log 2>&1 || {
    cat build.log >&2
    exit 1
}
