/* fuzz_json.c - any bytes as json text. The first byte picks schema and options, the second seeds the windows; what must hold
 * is in support/format_fuzz.h. */
#include "support/format_cases.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 2) return 0;
    format_fuzz(&json_cases[bytes[0] % COUNT_OF(json_cases)], (const char *)bytes + 2, size - 2, bytes[1], true);
    return 0;
}
