#!/bin/sh
# tsan.sh COMMAND... - runs the command without address space randomisation where that can be switched off: ThreadSanitizer
# needs its own ranges of addresses free, and kernels with many random bits (vm.mmap_rnd_bits above 28) put programs there.
set -eu
machine=$(uname -m)
if setarch "$machine" -R true 2>/dev/null; then
    exec setarch "$machine" -R "$@"
fi
exec "$@"
