/* format_cases.h - schemas and options under which formats are fuzzed: every type, every dialect. */
#pragma once
#include "support/format_fuzz.h"

extern const struct fmt_type fmt_csv, fmt_json;

#define CASE_OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define CASE_NUMBERS                                                                                                   \
    "ROW<a TINYINT, b INT, c BIGINT NOT NULL, d FLOAT, e DOUBLE, f DECIMAL(9, 3), g DECIMAL(38, 5), h BOOLEAN>"
#define CASE_TIMES                                                                                                     \
    "ROW<s STRING, d DATE, t TIME(3), t0 TIMESTAMP(0), t3 TIMESTAMP(3), t6 TIMESTAMP_LTZ(6), t9 TIMESTAMP(9), b "      \
    "BYTES>"

static const struct fuzz_case csv_cases[] __attribute__((unused)) = {
    {.format = &fmt_csv,
     .schema = "ROW<a INT, b STRING, c DOUBLE>",
     .options = CASE_OPTIONS("csv.null-literal", "\\N")},
    {.format = &fmt_csv,
     .schema = "ROW<a STRING>",
     .options = CASE_OPTIONS("csv.null-literal", "nil", "csv.max-record-size", "40"),
     .one_way = true},
    {.format = &fmt_csv,
     .schema = CASE_NUMBERS,
     .options = CASE_OPTIONS("csv.null-literal", "", "csv.field-delimiter", ";")},
    {.format = &fmt_csv,
     .schema = CASE_TIMES,
     .options = CASE_OPTIONS("csv.null-literal", "-", "csv.escape-character", "\\", "csv.allow-comments", "true")},
    {.format = &fmt_csv,
     .schema = "ROW<a ARRAY<INT>, b ROW<x INT, y STRING>, c ARRAY<STRING>>",
     .options = CASE_OPTIONS("csv.null-literal", "n")},
    {.format = &fmt_csv,
     .schema = "ROW<a STRING, b INT>",
     .options =
         CASE_OPTIONS("csv.null-literal", "n", "csv.disable-quote-character", "true", "csv.escape-character", "!")},
    {.format = &fmt_csv,
     .schema = "ROW<a STRING, b INT>",
     .options = CASE_OPTIONS("csv.null-literal", "n", "csv.ignore-parse-errors", "true", "csv.quote-character", "'")},
    {.format = &fmt_csv,
     .schema = "ROW<a STRING, b INT>",
     .options = CASE_OPTIONS("csv.null-literal", "1", "csv.header", "true", "csv.allow-comments", "true")},
};

static const struct fuzz_case json_cases[] __attribute__((unused)) = {
    {.format = &fmt_json, .schema = "ROW<a INT, b STRING, c DOUBLE>"},
    {.format = &fmt_json,
     .schema = CASE_NUMBERS,
     .options = CASE_OPTIONS("json.encode.decimal-as-plain-number", "true")},
    {.format = &fmt_json,
     .schema = CASE_TIMES,
     .options = CASE_OPTIONS("json.timestamp-format.standard", "ISO-8601", "json.encode.ignore-null-fields", "true")},
    {.format = &fmt_json,
     .schema = "ROW<a ARRAY<ARRAY<INT>>, b ROW<x INT, y ROW<z STRING NOT NULL>>, c MAP<STRING, ARRAY<STRING>>, d "
               "ARRAY<ROW<k STRING>>, e MULTISET<STRING>>"},
    {.format = &fmt_json,
     .schema = "ROW<a INT, b STRING, c ROW<x INT NOT NULL, y DATE>>",
     .options = CASE_OPTIONS("json.ignore-parse-errors", "true")},
    {.format = &fmt_json,
     .schema = "ROW<a INT, b STRING>",
     .options = CASE_OPTIONS("json.fail-on-missing-field", "true")},
};
