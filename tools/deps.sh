#!/bin/sh
# deps.sh GROUP STAMP - makes sure that the packages of GROUP ("build", "test" or "fuzz") are there.
#
# On Debian 12 it installs what is missing with apt-get (through sudo when not root) and names each package. On any other
# distribution it says what is missing and stops. STAMP remembers the list that was last found complete, so that a second
# run costs nothing; it is keyed by the text of the list, so a new line in the list is noticed.
set -eu
group=$1 stamp=$2

# package | how other distributions are probed: a command, a file, or a module of pkg-config | what it is for
build_list='
gcc              | command gcc        | the C compiler
libc6-dev        | command gcc        | headers of the C library
binutils         | command nm         | archives; nm, which tidy asks
cmake            | command cmake      | the build
ninja-build      | command ninja      | the build
pkg-config       | command pkg-config | finds the libraries
libssl-dev       | module libcrypto   | digests
libxxhash-dev    | module libxxhash   | hashing
zlib1g-dev       | module zlib        | gzip files
libzstd-dev      | module libzstd     | zstd files
liblz4-dev       | module liblz4      | compression of blocks
libfyaml-dev     | module libfyaml    | configuration in YAML
libjansson-dev   | module jansson     | JSON of the control plane
libicu-dev       | module icu-uc      | letters of every script
libpcre2-dev     | module libpcre2-8  | regular expressions
tzdata           | file /usr/share/zoneinfo/tzdata.zi | time zones, carried in the program
libedit-dev      | module libedit    | lines of the SQL shell: keys, history, completion
libcurl4-openssl-dev | module libcurl  | HTTP: the client of SQL gateways
libmicrohttpd-dev | module libmicrohttpd | HTTP: the REST server of a cluster
librocksdb-dev   | module rocksdb    | state that is larger than memory
libjemalloc-dev  | module jemalloc    | the allocator of the binary
libcmocka-dev    | module cmocka      | unit tests'
test_list="$build_list
python3          | command python3    | tests that compare with other implementations
python3-venv     | command python3    | their packages, in a folder of the project"
fuzz_list="$build_list
clang            | command clang      | libFuzzer
libclang-rt-14-dev | command clang    | libFuzzer's runtime and the sanitizers"

case $group in
    build) list=$build_list ;;
    test) list=$test_list ;;
    fuzz) list=$fuzz_list ;;
    *) echo "deps.sh: no group '$group' (build, test or fuzz)" >&2; exit 2 ;;
esac

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$list" ]; then exit 0; fi

remember() {
    mkdir -p "$(dirname "$stamp")"
    printf '%s\n' "$list" > "$stamp"
    exit 0
}

release=${OS_RELEASE:-/etc/os-release} # another one in tests
is_debian() { [ -r "$release" ] && (. "$release"; [ "${ID:-}" = debian ]) && command -v dpkg >/dev/null; }

# has PACKAGE KIND NAME
has() {
    if is_debian; then
        case $(dpkg-query -W -f '${Status}' "$1" 2>/dev/null || true) in *' installed') return 0 ;; *) return 1 ;; esac
    fi
    if [ "$2" = file ]; then
        [ -e "$3" ]
        return
    fi
    if [ "$2" = command ]; then command -v "$3" >/dev/null; else pkg-config --exists "$3" 2>/dev/null; fi
}

# The lines of the list that are missing: "package | what for".
missing() {
    printf '%s\n' "$list" | while IFS='|' read -r package probe what; do
        package=${package% *} package=$(echo $package)
        [ -n "$package" ] || continue
        set -- $probe
        has "$package" "$1" "$2" || printf '  %-20s%s\n' "$package" "$what"
    done
}

wanted=$(missing)
[ -n "$wanted" ] || remember
names=$(printf '%s\n' "$wanted" | awk '{ printf "%s ", $1 }')

if ! is_debian; then
    printf 'Thalweg needs these packages (names as in Debian 12), and this machine lacks them:\n%s\n' "$wanted" >&2
    echo 'Install them with the package manager of your distribution, then run make again.' >&2
    exit 1
fi
as_root=
if [ "$(id -u)" != 0 ]; then
    as_root=sudo
    if ! command -v sudo >/dev/null; then
        printf 'Thalweg needs these packages:\n%s\nThere is no sudo here; as root, run: apt-get install %s\n' "$wanted" "$names" >&2
        exit 1
    fi
fi
printf 'Thalweg installs the packages that this machine lacks (apt-get):\n%s\n' "$wanted"
. "$(dirname "$0")/progress.sh"
log=$(mktemp)
trap 'rm -f "$log" "$log.status"' EXIT
install_all() {
    $as_root apt-get update -q &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends -o Dpkg::Use-Pty=0 $names
}
# With what they need themselves there are more packages than names: apt-get says how many. Each is fetched, unpacked, set up.
follow() {
    all=? fetched=0 unpacked=0 ready=0
    begin_progress
    while IFS= read -r line; do
        printf '%s\n' "$line" >> "$log"
        case $line in
            *' newly installed, '*) set -- $line # 2 upgraded, 64 newly installed, ...
                all=$(($1 + $3)) fetched=0 ;;
            'Get:'*) fetched=${line%% *} fetched=${fetched#Get:} ;;
            'Unpacking '*) unpacked=$((unpacked + 1)) ;;
            'Setting up '*) ready=$((ready + 1)) ;;
            *) continue ;;
        esac
        case $all in
            '?') say_progress 'reading the lists of packages' ;;
            *) say_progress "of $all packages: $fetched fetched, $unpacked unpacked, $ready set up" ;;
        esac
    done
    end_progress
}
{ install_all 2>&1 < /dev/null && echo 0 > "$log.status" || echo $? > "$log.status"; } | follow
if [ "$(cat "$log.status")" != 0 ]; then
    tail -n 20 "$log" >&2
    echo "apt-get could not install: $names" >&2
    echo 'The lines above say why. Mend that (network, disk, package sources), then run make again.' >&2
    exit 1
fi
wanted=$(missing)
[ -z "$wanted" ] || { printf 'Still missing after apt-get:\n%s\n' "$wanted" >&2; exit 1; }
remember
