/* fuzz_canary.c - a target with a planted fault. `make fuzz` runs it first and expects the fault to be found within
 * seconds: a fuzzer that finds nothing here is blind, and what it says about the other targets is worth nothing. */
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size >= 3 && bytes[0] == 'd' && bytes[1] == 'i' && bytes[2] == 'e') {
        abort();
    }
    return 0;
}
