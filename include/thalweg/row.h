/* row.h - describing a C struct as a row: one line per field, the type as SQL text.
 *
 *     struct flight { struct tw_str origin; int64_t scheduled; int32_t delay; };
 *     TW_ROW(flight, TW_FIELD(flight, origin, "STRING"), TW_FIELD(flight, scheduled, "TIMESTAMP(3)"),
 *                    TW_FIELD(flight, delay, "INT"));
 *
 * defines `flight_row`. C types by SQL type: BOOLEAN bool; TINYINT int8_t; SMALLINT int16_t; INT, DATE (days), TIME
 * (ms), INTERVAL YEAR TO MONTH int32_t; BIGINT, INTERVAL DAY TO SECOND (ms) int64_t; FLOAT float; DOUBLE double;
 * DECIMAL(p<=18) int64_t unscaled; STRING, CHAR, VARCHAR, BYTES, BINARY, VARBINARY struct tw_str; TIMESTAMP and
 * TIMESTAMP_LTZ of precision 0-3 int64_t ms, 4-6 int64_t us, 7-9 struct tw_timestamp. The size of each field is checked
 * against its type.
 *
 * NULL: a struct may have one `uint64_t` member declared with TW_NULLS(S, member): bit i = field i is NULL. A field
 * whose type text lacks NOT NULL is nullable only in such a struct; without a mask a NULL that arrives fails the
 * job. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TW_API __attribute__((visibility("default")))
#else
#define TW_API
#endif

/* Text or bytes: a view, not NUL-terminated. In rows handed to a callback it is valid during that call; in rows handed
 * to the engine it is copied before the call returns. */
struct tw_str {
    const char *data;
    size_t size;
};
#define TW_STR(literal) ((struct tw_str){(literal), sizeof(literal) - 1})
TW_API struct tw_str tw_str_of(const char *text);
TW_API bool tw_str_equal(struct tw_str a, struct tw_str b);

/* TIMESTAMP(7..9): ms since the epoch and ns within the ms. */
struct tw_timestamp {
    int64_t ms;
    int32_t ns;
    int32_t zero;
};

struct tw_field {
    const char *name;
    const char *type; /* SQL text; "" marks the null mask */
    uint32_t offset, size;
};

struct tw_row {
    const char *name;
    uint32_t size; /* of the struct */
    uint32_t field_count;
    const struct tw_field *fields;
};

#define TW_FIELD(S, member, sql_type) {#member, sql_type, offsetof(struct S, member), sizeof(((struct S *)0)->member)}
#define TW_FIELD_AS(S, member, column, sql_type)                                                                       \
    {column, sql_type, offsetof(struct S, member), sizeof(((struct S *)0)->member)}
#define TW_NULLS(S, member) {#member, "", offsetof(struct S, member), sizeof(((struct S *)0)->member)}
#define TW_ROW(S, ...)                                                                                                 \
    static const struct tw_field S##_fields[] = {__VA_ARGS__};                                                         \
    static const struct tw_row S##_row = {#S, sizeof(struct S), sizeof S##_fields / sizeof S##_fields[0], S##_fields}

#define TW_SECONDS(n) ((int64_t)(n)*1000)
#define TW_MINUTES(n) ((int64_t)(n)*60000)
#define TW_HOURS(n) ((int64_t)(n)*3600000)
#define TW_DAYS(n) ((int64_t)(n)*86400000)
#define TW_NO_TIME INT64_MIN       /* a row without event time; the watermark before any */
#define TW_MAX_WATERMARK INT64_MAX /* end of input */

/* +I -U +U -D, Flink's bytes. */
enum tw_row_kind { TW_INSERT, TW_UPDATE_BEFORE, TW_UPDATE_AFTER, TW_DELETE };

#ifdef __cplusplus
}
#endif
