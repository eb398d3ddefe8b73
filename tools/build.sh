#!/bin/sh
# build.sh FOLDER TARGET [CMAKE OPTION...] - configures FOLDER when that is needed, then builds TARGET with ninja.
#
# Quiet when there is nothing to do, short when there is: CMake's chatter goes to FOLDER/configure.log, the compiler's to
# FOLDER/build.log, and each is shown when it fails. CMake runs again when the options change; when a file comes or goes, ninja
# sees to it.
set -eu
folder=$1 target=$2
shift 2
jobs=${JOBS:-$(nproc)}
options="$* ${CC:-}"
. "$(dirname "$0")/progress.sh"

if [ ! -f "$folder/build.ninja" ] || [ "$(cat "$folder/.options" 2>/dev/null)" != "$options" ]; then
    mkdir -p "$folder"
    echo "Configuring in $folder/"
    cmake -S . -B "$folder" -G Ninja "$@" > "$folder/configure.log" 2>&1 || {
        cat "$folder/configure.log" >&2
        echo "build.sh: CMake could not configure $folder; its output is above. 'make clean' starts afresh." >&2
        exit 1
    }
    printf '%s' "$options" > "$folder/.options"
fi

# Ninja's lines "[4/90] Building ..." become progress, all others are what the compiler says.
follow() {
    is_announced=
    begin_progress
    while IFS= read -r line; do
        case $line in
            *'] Re-checking globbed directories...' | *'] Re-running CMake...' | 'ninja: Entering directory '*) ;;
            '['[0-9]*/[0-9]*'] '*)
                steps=${line%%]*} steps=${steps#[}
                [ -n "$is_announced" ] || echo "Building $target in $folder/: ${steps#*/} steps"
                is_announced=yes
                say_progress "${steps%/*} of ${steps#*/} built"
                ;;
            *) printf '%s\n' "$line" >&3 ;;
        esac
    done
    end_progress
}

export NINJA_STATUS='[%f/%t] '
{ ninja -C "$folder" -j "$jobs" "$target" 2>&1 && echo 0 > "$folder/.built" || echo $? > "$folder/.built"; } |
    follow 3> "$folder/build.log"
status=$(cat "$folder/.built")
if [ "$status" != 0 ]; then
    cat "$folder/build.log" >&2
    echo "build.sh: $target could not be built; what the compiler said is above and in $folder/build.log" >&2
fi
exit "$status"
