/* type.h - logical types are Flink SQL's; physical layout follows from them. Immutable after creation.
 *
 * Types are made from text ("BIGINT NOT NULL", "ROW<a INT, b STRING>") or by type_new; they live in an arena that
 * outlives every batch of the job. Two types are the same when type_equal says so, pointers do not matter. */
#pragma once
#include "ground/base/arena.h"
#include "ground/base/buf.h"
#include "ground/base/err.h"

/* X(kind, SQL name, physical) */
#define TYPE_MAP(X)                                                                                                    \
    X(T_NULL, "NULL", P_I8)                                                                                            \
    X(T_BOOLEAN, "BOOLEAN", P_BOOL)                                                                                    \
    X(T_TINYINT, "TINYINT", P_I8)                                                                                      \
    X(T_SMALLINT, "SMALLINT", P_I16)                                                                                   \
    X(T_INT, "INT", P_I32)                                                                                             \
    X(T_BIGINT, "BIGINT", P_I64)                                                                                       \
    X(T_FLOAT, "FLOAT", P_F32)                                                                                         \
    X(T_DOUBLE, "DOUBLE", P_F64)                                                                                       \
    X(T_DECIMAL, "DECIMAL", P_I64)           /* P_I128 above precision 18 */                                           \
    X(T_CHAR, "CHAR", P_STR)                                                                                           \
    X(T_VARCHAR, "VARCHAR", P_STR)           /* STRING = VARCHAR(2147483647) */                                        \
    X(T_BINARY, "BINARY", P_STR)                                                                                       \
    X(T_VARBINARY, "VARBINARY", P_STR)       /* BYTES = VARBINARY(2147483647) */                                       \
    X(T_DATE, "DATE", P_I32)                 /* days since 1970-01-01 */                                               \
    X(T_TIME, "TIME", P_I32)                 /* ms of the day */                                                       \
    X(T_TIMESTAMP, "TIMESTAMP", P_I64)       /* precision 0-3: ms, 4-6: us, 7-9: P_TS96; no zone */                    \
    X(T_TIMESTAMP_LTZ, "TIMESTAMP_LTZ", P_I64) /* the same, since the epoch in UTC */                                  \
    X(T_INTERVAL_MONTH, "INTERVAL YEAR TO MONTH", P_I32)  /* months */                                                 \
    X(T_INTERVAL_SECOND, "INTERVAL DAY TO SECOND", P_I64) /* ms */                                                     \
    X(T_ARRAY, "ARRAY", P_LIST)                                                                                        \
    X(T_MAP, "MAP", P_LIST)                  /* children: key, value */                                                \
    X(T_MULTISET, "MULTISET", P_LIST)        /* children: element, INT count */                                        \
    X(T_ROW, "ROW", P_ROW)                                                                                             \
    X(T_STRUCTURED, "STRUCTURED", P_ROW)     /* places kept from here on: refused when a type is made */               \
    X(T_RAW, "RAW", P_STR)                                                                                             \
    X(T_VARIANT, "VARIANT", P_STR)                                                                                     \
    X(T_BITMAP, "BITMAP", P_STR)                                                                                       \
    X(T_DESCRIPTOR, "DESCRIPTOR", P_STR)                                                                               \
    X(T_MODEL, "MODEL", P_STR)

enum type_kind {
#define X(kind, name, phys) kind,
    TYPE_MAP(X)
#undef X
        T_COUNT
};

/* Physical layout: width in bytes in phys_width(). */
enum phys { P_BOOL, P_I8, P_I16, P_I32, P_I64, P_I128, P_F32, P_F64, P_STR, P_TS96, P_LIST, P_ROW, P_COUNT };

enum time_kind { TIME_NONE, TIME_ROWTIME, TIME_PROCTIME };

enum { TYPE_DEPTH_MAX = 64, TYPE_FIELDS_MAX = 2048, VARCHAR_MAX = 2147483647 };

struct type {
    uint8_t kind;      /* enum type_kind */
    uint8_t phys;      /* enum phys */
    bool nullable;
    uint8_t time_kind; /* enum time_kind */
    int32_t precision; /* DECIMAL, CHAR.., TIME, TIMESTAMP..; length for strings */
    int32_t scale;
    uint32_t child_count;
    const struct type *const *children; /* ROW: fields; ARRAY: element; MAP: key, value */
    const char *const *names;           /* ROW: field names, else NULL */
};

/* nanosecond timestamps: {ms since epoch, ns within the ms 0..999999} */
struct ts96 {
    int64_t ms;
    int32_t ns;
    int32_t zero;
};
struct list_ref {
    uint32_t first, count; /* rows of the child vector */
};

extern const struct type type_null, type_boolean, type_int, type_bigint, type_double, type_string, type_bytes, type_timestamp3,
    type_date; /* nullable */

size_t phys_width(enum phys p); /* P_ROW: 0 */
const struct type *type_new(struct arena *a, enum type_kind kind, int32_t precision, int32_t scale, bool nullable);
const struct type *type_list(struct arena *a, enum type_kind kind, const struct type *element, const struct type *value, bool nullable);
const struct type *type_row(struct arena *a, uint32_t count, const char *const *names, const struct type *const *fields, bool nullable);
const struct type *type_with_null(struct arena *a, const struct type *t, bool nullable);
const struct type *type_with_time(struct arena *a, const struct type *t, enum time_kind time_kind); /* timestamps only */
/* Parses Flink's type text, position in errors; depth and field count are bounded. */
enum status type_parse(struct arena *a, struct str text, const struct type **out, struct err *e) CHECKED;
/* The same, where ROW without fields stands for `row`, and ROW with fields is refused; row NULL = type_parse. */
enum status type_parse_row(struct arena *a, struct str text, const struct type *row, const struct type **out, struct err *e) CHECKED;
/* Appends the text as Flink prints it: "BIGINT NOT NULL", "TIMESTAMP(3) *ROWTIME*", "ROW<`a` INT>". */
void type_print(const struct type *t, struct buf *out);
const char *type_text(struct arena *a, const struct type *t); /* the same, in the arena */
bool type_equal(const struct type *a, const struct type *b);
bool type_equal_ignoring_null(const struct type *a, const struct type *b);
/* The row of some columns of a row: count of cols, in their order, under their names. In the arena. */
const struct type *type_row_of(struct arena *a, const struct type *row, const uint32_t *cols, uint32_t count);
int type_field(const struct type *row, struct str name); /* index or -1 */
enum { TYPE_NAMES_TEXT_MAX = 512 };
/* "a, b, c": a row's fields, cut with "..." when there are too many. */
void type_names_list(const struct type *row, char out[static TYPE_NAMES_TEXT_MAX]);
/* The error for a field that is not there, with those that are, and the nearest name. Answers E_GRAPH. */
enum status type_field_missing(const struct type *row, struct str name, struct err *e);
void type_encode(const struct type *t, struct buf *out); /* versioned by the caller */
enum status type_decode(struct arena *a, const uint8_t **at, const uint8_t *end, const struct type **out) CHECKED;
bool type_is_string(const struct type *t); /* CHAR, VARCHAR */
bool type_is_numeric(const struct type *t);
