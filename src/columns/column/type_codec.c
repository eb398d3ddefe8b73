/* type_codec.c - types as bytes, for savepoints, plans and state headers. The caller writes the version in front.
 *
 *   type  := kind u8, flags u8 (bit 0 nullable, bits 1-2 time kind), body
 *   body  := precision zigzag, scale zigzag     DECIMAL
 *          | precision zigzag                   strings, bytes, TIME, TIMESTAMP, TIMESTAMP_LTZ
 *          | type                               ARRAY, MULTISET: the element
 *          | type type                          MAP: key, value
 *          | count varint, (name str, type)*    ROW
 *          | nothing                            everything else
 *
 * `kind` is the number of enum type_kind: the order of TYPE_MAP is part of the format. Decoding reads bytes from
 * outside: it is bounded in depth, fields and name length, and answers E_DATA for everything that does not read. */
#include "columns/column/type.h"
#include "columns/column/type_internal.h"

#include "ground/base/codec.h"

#include <string.h>

enum { NAME_SIZE_MAX = 64 * 1024 };

void type_encode(const struct type *t, struct buf *out)
{
    ASSERT(t->kind < T_STRUCTURED);
    enc_u8(out, t->kind);
    enc_u8(out, (uint8_t)(t->nullable | t->time_kind << 1));
    switch ((enum type_kind)t->kind) {
    case T_DECIMAL:
        enc_zigzag(out, t->precision);
        enc_zigzag(out, t->scale);
        break;
    case T_CHAR:
    case T_VARCHAR:
    case T_BINARY:
    case T_VARBINARY:
    case T_TIME:
    case T_TIMESTAMP:
    case T_TIMESTAMP_LTZ: enc_zigzag(out, t->precision); break;
    case T_ARRAY:
    case T_MULTISET: type_encode(t->children[0], out); break;
    case T_MAP:
        type_encode(t->children[0], out);
        type_encode(t->children[1], out);
        break;
    case T_ROW:
        enc_varint(out, t->child_count);
        for (uint32_t i = 0; i < t->child_count; i++) {
            enc_text(out, t->names[i]);
            type_encode(t->children[i], out);
        }
        break;
    default: break;
    }
}

static const struct type *decode_type(struct arena *a, struct dec *d, int depth);

static const struct type *decode_row(struct arena *a, struct dec *d, bool nullable, int depth)
{
    uint64_t count = dec_varint(d);
    const char **names;
    const struct type **fields;

    if (!dec_ok(d) || count > TYPE_FIELDS_MAX || count > dec_left(d)) return NULL;
    names = ARENA_ARRAY(a, const char *, count + 1);
    fields = ARENA_ARRAY(a, const struct type *, count + 1);
    for (uint64_t i = 0; i < count; i++) {
        struct str name = dec_str(d, NAME_SIZE_MAX);
        if (!dec_ok(d) || memchr(name.size ? name.data : "", 0, name.size)) return NULL;
        names[i] = arena_strndup(a, name.data, name.size);
        fields[i] = decode_type(a, d, depth + 1);
        if (!fields[i]) return NULL;
    }
    return type_row(a, (uint32_t)count, names, fields, nullable);
}

static const struct type *decode_list(struct arena *a, struct dec *d, enum type_kind kind, bool nullable, int depth)
{
    const struct type *element = decode_type(a, d, depth + 1), *value = NULL;

    if (!element) return NULL;
    if (kind == T_MAP && !(value = decode_type(a, d, depth + 1))) return NULL;
    return type_list(a, kind, element, value, nullable);
}

static const struct type *decode_scalar(struct arena *a, struct dec *d, enum type_kind kind, bool nullable)
{
    int64_t precision = 0, scale = 0;

    if (type_has_precision(kind)) precision = dec_zigzag(d);
    if (kind == T_DECIMAL) scale = dec_zigzag(d);
    if (!dec_ok(d) || precision < 0 || precision > VARCHAR_MAX || scale < 0 || scale > 38) return NULL;
    if (!type_precision_ok(kind, (int32_t)precision, (int32_t)scale)) return NULL;
    return type_new(a, kind, (int32_t)precision, (int32_t)scale, nullable);
}

/* NULL when the bytes are no type. */
static const struct type *decode_type(struct arena *a, struct dec *d, int depth)
{
    unsigned kind = dec_u8(d), flags = dec_u8(d), time_kind = flags >> 1;
    const struct type *t;

    if (!dec_ok(d) || depth > TYPE_DEPTH_MAX || kind >= T_STRUCTURED || flags > 5) return NULL;
    if (kind == T_ROW) {
        t = decode_row(a, d, flags & 1, depth);
    } else if (kind >= T_ARRAY) {
        t = decode_list(a, d, (enum type_kind)kind, flags & 1, depth);
    } else {
        t = decode_scalar(a, d, (enum type_kind)kind, flags & 1);
    }
    if (!t || time_kind == TIME_NONE) return t;
    if (kind != T_TIMESTAMP && kind != T_TIMESTAMP_LTZ) return NULL;
    return type_with_time(a, t, (enum time_kind)time_kind);
}

enum status type_decode(struct arena *a, const uint8_t **at, const uint8_t *end, const struct type **out)
{
    struct dec d;
    const struct type *t;

    dec_init(&d, *at, (size_t)(end - *at));
    t = decode_type(a, &d, 1);
    if (!t) return E_DATA;
    *out = t;
    *at = d.at;
    return S_OK;
}
