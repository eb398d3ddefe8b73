/* fuzz_cdc_json.c - any bytes as changes of a database. The first byte picks the format and its options, the second seeds the windows;
 * what must hold is in support/format_fuzz.h. Updates are written as deletions and insertions, so what is written is not read the same. */
#include "support/format_fuzz.h"

extern const struct fmt_type fmt_debezium_json, fmt_canal_json, fmt_maxwell_json, fmt_ogg_json;

#define SCHEMA "ROW<id INT NOT NULL, s STRING, n DOUBLE, a ARRAY<ROW<x INT, y STRING>>>"
#define CASE_OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct fuzz_case cases[] = {
    {.format = &fmt_debezium_json, .schema = SCHEMA, .one_way = true},
    {.format = &fmt_debezium_json, .schema = SCHEMA, .one_way = true, .options = CASE_OPTIONS("debezium-json.schema-include", "true")},
    {.format = &fmt_canal_json, .schema = SCHEMA, .one_way = true},
    {.format = &fmt_canal_json, .schema = SCHEMA, .one_way = true, .options = CASE_OPTIONS("canal-json.table.include", "t|u")},
    {.format = &fmt_maxwell_json, .schema = SCHEMA, .one_way = true},
    {.format = &fmt_maxwell_json, .schema = SCHEMA, .one_way = true, .options = CASE_OPTIONS("maxwell-json.ignore-parse-errors", "true")},
    {.format = &fmt_ogg_json, .schema = SCHEMA, .one_way = true},
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 2) return 0;
    format_fuzz(&cases[bytes[0] % COUNT_OF(cases)], (const char *)bytes + 2, size - 2, bytes[1], true);
    return 0;
}
