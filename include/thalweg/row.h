/* row.h - describing a C struct as a row: one line per field, the type as SQL text.
 *
 *     struct flight { struct tw_str origin; int64_t scheduled; int32_t delay; };
 *     TW_ROW(flight, TW_FIELD(flight, origin, "STRING"), TW_FIELD(flight, scheduled, "TIMESTAMP(3)"),
 *                    TW_FIELD(flight, delay, "INT"));
 *
 * defines `flight_row`. C types by SQL type: BOOLEAN bool; TINYINT int8_t; SMALLINT int16_t; INT, DATE (days), TIME
 * (ms), INTERVAL YEAR TO MONTH int32_t; BIGINT, INTERVAL DAY TO SECOND (ms) int64_t; FLOAT float; DOUBLE double;
 * DECIMAL(p) int64_t unscaled up to 18 digits, struct tw_decimal above; STRING, CHAR, VARCHAR, BYTES, BINARY, VARBINARY
 * struct tw_str; TIMESTAMP and TIMESTAMP_LTZ of precision 0-3 int64_t ms, 4-6 int64_t us, 7-9 struct tw_timestamp;
 * ARRAY struct tw_array; MAP and MULTISET struct tw_map; ROW a struct. The size of each field is checked against its
 * type when the job is executed.
 *
 * A ROW inside a row is a struct inside the struct. Described by its text alone ("ROW<street STRING, number INT>") it
 * has these members in order and nothing in it is NULL. Described by a row type of its own it has whatever layout that
 * says, a null mask included; a bare ROW in the text stands for it:
 *
 *     struct line { struct tw_str item; int32_t quantity; uint64_t nulls; };
 *     TW_ROW(line, TW_FIELD(line, item, "STRING NOT NULL"), TW_FIELD(line, quantity, "INT"), TW_NULLS(line, nulls));
 *     struct order { int64_t id; struct tw_array lines; };
 *     TW_ROW(order, TW_FIELD(order, id, "BIGINT"), TW_FIELD_OF(order, lines, "ARRAY<ROW>", line));
 *
 * Then the items of `lines` are struct line. Types nest 16 deep.
 *
 * NULL: a struct may have one `uint64_t` member declared with TW_NULLS(S, member): bit i = field i is NULL. A field
 * whose type text lacks NOT NULL is nullable only in such a struct; without a mask a NULL that arrives fails the
 * job. Elements of arrays and values of maps have their null bits beside them; keys of maps are never NULL.
 *
 * What is looked at in structs that a program hands over: strings, arrays and maps that have a size but no memory, or are too
 * long, and NULL where a type says NOT NULL: it fails with the row type and the field. Everything else is taken as it is, for
 * looking at each value would cost more than copying it: an unscaled DECIMAL of more digits than its precision, a CHAR or VARCHAR
 * whose length is not the type's, a TIME outside of a day, a DATE or TIMESTAMP outside of the years 1 to 9999, text that is no
 * UTF-8, a MAP whose keys are not distinct, a MULTISET with a count below 1. What such values become is not
 * defined: programs keep their values within their types. */
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

/* DECIMAL(19..38): the unscaled value in two's complement, in memory what an __int128 is. */
struct tw_decimal {
    uint64_t low;
    int64_t high;
};
TW_API struct tw_decimal tw_decimal_of(int64_t unscaled);
/* "-12.345" as DECIMAL(precision, scale), rounded half up; false when it is no number or has too many digits. */
TW_API bool tw_decimal_parse(const char *text, int precision, int scale, struct tw_decimal *out);
enum { TW_DECIMAL_TEXT_MAX = 48 };
/* The number as text, in `to`, which it answers. */
TW_API const char *tw_decimal_text(struct tw_decimal d, int scale, char to[TW_DECIMAL_TEXT_MAX]);
#ifdef __SIZEOF_INT128__
__extension__ typedef __int128 tw_int128; /* to calculate with */
static inline tw_int128 tw_decimal_get(struct tw_decimal d) { return d.high * ((tw_int128)1 << 64) + d.low; }
static inline struct tw_decimal tw_decimal_put(tw_int128 v)
{
    struct tw_decimal d = {(uint64_t)v, (int64_t)(v >> 64)};
    return d;
}
#endif

/* ARRAY: `count` C values of the element type side by side: `const int64_t *scores = row->scores.items;`. Bit i of
 * nulls: element i is NULL; nulls NULL: none is. Like strings a view: in rows handed to a callback it is valid during
 * that call, in rows handed to the engine everything is copied before the call returns. */
struct tw_array {
    const void *items;
    const uint64_t *nulls;
    uint32_t count;
};
/* MAP: keys[i] goes with values[i]; keys are distinct and not NULL. MULTISET: keys are the elements, values int32_t how
 * often. */
struct tw_map {
    const void *keys, *values;
    const uint64_t *value_nulls;
    uint32_t count;
};
static inline bool tw_is_null(const uint64_t *nulls, uint32_t i) { return nulls && (nulls[i >> 6] >> (i & 63) & 1); }

struct tw_row;
struct tw_field {
    const char *name;
    const char *type; /* SQL text; "" marks the null mask */
    uint32_t offset, size;
    const struct tw_row *row; /* what a bare ROW in the text stands for, or NULL */
};

struct tw_row {
    const char *name;
    uint32_t size; /* of the struct */
    uint32_t field_count;
    const struct tw_field *fields;
};

#define TW_FIELD(S, member, sql_type)                                                                                  \
    {#member, sql_type, offsetof(struct S, member), sizeof(((struct S *)0)->member), NULL}
#define TW_FIELD_AS(S, member, column, sql_type)                                                                       \
    {column, sql_type, offsetof(struct S, member), sizeof(((struct S *)0)->member), NULL}
/* R is the struct that a bare ROW in the text stands for; TW_ROW(R, ..) comes before. */
#define TW_FIELD_OF(S, member, sql_type, R)                                                                            \
    {#member, sql_type, offsetof(struct S, member), sizeof(((struct S *)0)->member), &R##_row}
#define TW_NULLS(S, member) {#member, "", offsetof(struct S, member), sizeof(((struct S *)0)->member), NULL}
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
