/* type.c - logical types: making, comparing and looking into them.
 *
 * A type is a small immutable tree in an arena. What the physical layout is follows from kind and precision in one
 * place (phys_of), so that no other file decides it. Intervals carry no precision here: every YEAR/MONTH form counts
 * months and every DAY..SECOND form counts milliseconds, so all forms of one family are the same type.
 *
 * Equality looks at kind, precision, scale, nullability, field names and children. The time attribute (time_kind) is
 * not part of it: a rowtime column is stored like any other timestamp and may be compared with one.
 *
 * Text is type_parse.c and type_print.c, bytes are type_codec.c. */
#include "columns/column/type.h"
#include "columns/column/type_internal.h"

#include "ground/base/str.h"

#include <string.h>

static const uint8_t kind_phys[T_COUNT] = {
#define X(kind, name, phys) [kind] = phys,
    TYPE_MAP(X)
#undef X
};

const struct type type_null = {.kind = T_NULL, .phys = P_I8, .nullable = true};
const struct type type_boolean = {.kind = T_BOOLEAN, .phys = P_BOOL, .nullable = true};
const struct type type_int = {.kind = T_INT, .phys = P_I32, .nullable = true};
const struct type type_bigint = {.kind = T_BIGINT, .phys = P_I64, .nullable = true};
const struct type type_double = {.kind = T_DOUBLE, .phys = P_F64, .nullable = true};
const struct type type_string = {.kind = T_VARCHAR, .phys = P_STR, .nullable = true, .precision = VARCHAR_MAX};
const struct type type_bytes = {.kind = T_VARBINARY, .phys = P_STR, .nullable = true, .precision = VARCHAR_MAX};
const struct type type_timestamp3 = {.kind = T_TIMESTAMP, .phys = P_I64, .nullable = true, .precision = 3};
const struct type type_date = {.kind = T_DATE, .phys = P_I32, .nullable = true};

size_t phys_width(enum phys p)
{
    static const uint8_t widths[P_COUNT] = {
        [P_BOOL] = 1, [P_I8] = 1,  [P_I16] = 2,  [P_I32] = 4,   [P_I64] = 8,  [P_I128] = 16,
        [P_F32] = 4,  [P_F64] = 8, [P_STR] = 16, [P_TS96] = 16, [P_LIST] = 8, [P_ROW] = 0};
    ASSERT((unsigned)p < P_COUNT);
    return widths[p];
}

static enum phys phys_of(enum type_kind kind, int32_t precision)
{
    if (kind == T_DECIMAL && precision > 18) return P_I128;
    if ((kind == T_TIMESTAMP || kind == T_TIMESTAMP_LTZ) && precision > 6) return P_TS96;
    return (enum phys)kind_phys[kind];
}

bool type_precision_ok(enum type_kind kind, int32_t precision, int32_t scale)
{
    switch (kind) {
    case T_DECIMAL: return precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision;
    case T_CHAR:
    case T_VARCHAR:
    case T_BINARY:
    case T_VARBINARY: return precision >= 1;
    case T_TIME:
    case T_TIMESTAMP:
    case T_TIMESTAMP_LTZ: return precision >= 0 && precision <= 9;
    default: return true;
    }
}

bool type_has_precision(enum type_kind kind)
{
    return kind == T_DECIMAL || (kind >= T_CHAR && kind <= T_VARBINARY) || (kind >= T_TIME && kind <= T_TIMESTAMP_LTZ);
}

static struct type *type_make(struct arena *a, enum type_kind kind, bool nullable)
{
    struct type *t = ARENA_NEW(a, struct type);

    ASSERT(kind < T_STRUCTURED); /* the rest are places kept: the parser refuses them with a message */
    t->kind = (uint8_t)kind;
    t->phys = (uint8_t)phys_of(kind, 0);
    t->nullable = nullable || kind == T_NULL;
    return t;
}

const struct type *type_new(struct arena *a, enum type_kind kind, int32_t precision, int32_t scale, bool nullable)
{
    struct type *t = type_make(a, kind, nullable);

    ASSERT(kind < T_ARRAY);
    ASSERT(type_precision_ok(kind, precision, scale));
    if (type_has_precision(kind)) t->precision = precision;
    if (kind == T_DECIMAL) t->scale = scale;
    t->phys = (uint8_t)phys_of(kind, t->precision);
    return t;
}

const struct type *type_list(struct arena *a, enum type_kind kind, const struct type *element, const struct type *value,
                             bool nullable)
{
    struct type *t = type_make(a, kind, nullable);
    const struct type **children = ARENA_ARRAY(a, const struct type *, 2);

    ASSERT(kind == T_ARRAY || kind == T_MAP || kind == T_MULTISET);
    ASSERT(element && (kind != T_MAP || value));
    children[0] = element;
    if (kind == T_MULTISET) value = type_new(a, T_INT, 0, 0, false);
    if (kind != T_ARRAY) children[1] = value;
    t->child_count = kind == T_ARRAY ? 1 : 2;
    t->children = children;
    return t;
}

const struct type *type_row(struct arena *a, uint32_t count, const char *const *names, const struct type *const *fields,
                            bool nullable)
{
    struct type *t = type_make(a, T_ROW, nullable);
    const char **own_names = ARENA_ARRAY(a, const char *, count + 1);
    const struct type **own_fields = ARENA_ARRAY(a, const struct type *, count + 1);

    ASSERT(count <= TYPE_FIELDS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        own_names[i] = arena_strdup(a, names[i]);
        own_fields[i] = fields[i];
    }
    t->child_count = count;
    t->children = own_fields;
    t->names = own_names;
    return t;
}

const struct type *type_row_of(struct arena *a, const struct type *row, const uint32_t *cols, uint32_t count)
{
    const struct type **types = ARENA_ARRAY(a, const struct type *, count + 1);
    const char **names = ARENA_ARRAY(a, const char *, count + 1);

    for (uint32_t i = 0; i < count; i++) {
        types[i] = row->children[cols[i]];
        names[i] = row->names[cols[i]];
    }
    return type_row(a, count, names, types, false);
}

const struct type *type_with_null(struct arena *a, const struct type *t, bool nullable)
{
    struct type *copy;

    if (t->nullable == nullable || t->kind == T_NULL) return t;
    copy = ARENA_NEW(a, struct type);
    *copy = *t;
    copy->nullable = nullable;
    return copy;
}

const struct type *type_with_time(struct arena *a, const struct type *t, enum time_kind time_kind)
{
    struct type *copy;

    ASSERT(time_kind == TIME_NONE || t->kind == T_TIMESTAMP || t->kind == T_TIMESTAMP_LTZ);
    if (t->time_kind == time_kind) return t;
    copy = ARENA_NEW(a, struct type);
    *copy = *t;
    copy->time_kind = (uint8_t)time_kind;
    return copy;
}

static bool equal_with(const struct type *a, const struct type *b, bool compare_null)
{
    if (a == b) return true;
    if (a->kind != b->kind || a->precision != b->precision || a->scale != b->scale || a->child_count != b->child_count)
        return false;
    if (compare_null && a->nullable != b->nullable) return false;
    for (uint32_t i = 0; i < a->child_count; i++) {
        if (a->names && strcmp(a->names[i], b->names[i]) != 0) return false;
        if (!equal_with(a->children[i], b->children[i], compare_null)) return false;
    }
    return true;
}

bool type_equal(const struct type *a, const struct type *b)
{
    return equal_with(a, b, true);
}

bool type_equal_ignoring_null(const struct type *a, const struct type *b)
{
    return equal_with(a, b, false);
}

int type_field(const struct type *row, struct str name)
{
    ASSERT(row->kind == T_ROW);
    for (uint32_t i = 0; i < row->child_count; i++) {
        if (str_equal(str_of(row->names[i]), name)) return (int)i;
    }
    return -1;
}

void type_names_list(const struct type *row, char out[static TYPE_NAMES_TEXT_MAX])
{
    size_t used = 0;

    out[0] = '\0';
    for (uint32_t i = 0; i < row->child_count; i++) {
        size_t size = strlen(row->names[i]);
        if (used + size + 8 > TYPE_NAMES_TEXT_MAX) {
            memcpy(out + used, ", ...", 6);
            return;
        }
        if (i > 0) {
            memcpy(out + used, ", ", 2);
            used += 2;
        }
        memcpy(out + used, row->names[i], size + 1);
        used += size;
    }
}

enum status type_field_missing(const struct type *row, struct str name, struct err *e)
{
    char names[TYPE_NAMES_TEXT_MAX];
    int near = str_nearest(name, row->names, row->child_count);

    type_names_list(row, names);
    err_set(e, E_GRAPH, "column '%.*s' is not in the stream (has: %s)", (int)name.size, name.data, names);
    if (near >= 0) err_hint(e, "did you mean '%s'?", row->names[near]);
    return E_GRAPH;
}

bool type_is_string(const struct type *t)
{
    return t->kind == T_CHAR || t->kind == T_VARCHAR;
}

bool type_is_numeric(const struct type *t)
{
    return t->kind >= T_TINYINT && t->kind <= T_DECIMAL;
}
