/* values.c - rows as bytes, see values.h. Written once per job and read once, so it is plain rather than fast. */
#include "flow/connector/values.h"

#include <string.h>

static bool has_form(const struct type *t)
{
    for (uint32_t i = 0; i < t->child_count; i++)
        if (!has_form(t->children[i])) return false;
    return t->kind != T_NULL;
}

enum status values_check(const struct type *row, struct err *e)
{
    ASSERT(row->kind == T_ROW);
    for (uint32_t i = 0; i < row->child_count; i++)
        if (!has_form(row->children[i]))
            return err_set(e, E_UNSUPPORTED, "column '%s' cannot be given as rows in the program", row->names[i]);
    return S_OK;
}

static void encode_value(const struct vector *v, uint32_t row, struct buf *out);

static void encode_element(const struct vector *v, uint32_t row, struct buf *out)
{
    bool is_null = vector_is_null(v, row);

    enc_u8(out, !is_null);
    if (!is_null) encode_value(v, row, out);
}

static void encode_list(const struct vector *v, uint32_t row, struct buf *out)
{
    struct list_ref list = VECTOR_VALUES(v, struct list_ref)[row];

    enc_varint(out, list.count);
    for (uint32_t i = 0; i < list.count; i++)
        for (uint32_t k = 0; k < v->child_count; k++) encode_element(&v->children[k], list.first + i, out);
}

static void encode_value(const struct vector *v, uint32_t row, struct buf *out)
{
    uint64_t words[2];
    uint32_t bits;

    switch ((enum phys)v->phys) {
    case P_BOOL: enc_u8(out, VECTOR_VALUES(v, uint8_t)[row]); break;
    case P_I8: enc_zigzag(out, VECTOR_VALUES(v, int8_t)[row]); break;
    case P_I16: enc_zigzag(out, VECTOR_VALUES(v, int16_t)[row]); break;
    case P_I32: enc_zigzag(out, VECTOR_VALUES(v, int32_t)[row]); break;
    case P_I64: enc_zigzag(out, VECTOR_VALUES(v, int64_t)[row]); break;
    case P_F64: enc_f64(out, VECTOR_VALUES(v, double)[row]); break;
    case P_F32:
        memcpy(&bits, &VECTOR_VALUES(v, float)[row], sizeof bits);
        enc_u32(out, bits);
        break;
    case P_STR: enc_str(out, text_str(&VECTOR_VALUES(v, struct text)[row])); break;
    case P_TS96:
        enc_zigzag(out, VECTOR_VALUES(v, struct ts96)[row].ms);
        enc_varint(out, (uint64_t)VECTOR_VALUES(v, struct ts96)[row].ns);
        break;
    case P_I128:
        memcpy(words, (const char *)v->data + (size_t)row * sizeof words, sizeof words);
        enc_u64(out, words[0]);
        enc_u64(out, words[1]);
        break;
    case P_LIST: encode_list(v, row, out); break;
    case P_ROW:
        for (uint32_t k = 0; k < v->child_count; k++) encode_element(&v->children[k], row, out);
        break;
    case P_COUNT: ASSERT(!"no physical type");
    }
}

void values_encode(const struct batch *b, struct buf *out)
{
    ASSERT(b->sel == NULL);
    for (uint32_t row = 0; row < b->count; row++)
        for (uint32_t i = 0; i < b->col_count; i++) encode_element(&b->cols[i], row, out);
}

/* An integer that has to fit its column. */
static int64_t decode_int(struct dec *d, int64_t least, int64_t most)
{
    int64_t value = dec_zigzag(d);

    if (value < least || value > most) d->failed = true;
    return dec_ok(d) ? value : 0;
}

static void decode_value(struct dec *d, const struct type *t, struct vector *v, uint32_t row, struct batch *b);

/* A byte and a value, into row `row` of v; v NULL: the column is not wanted. */
static void decode_element(struct dec *d, const struct type *t, struct vector *v, uint32_t row, struct batch *b)
{
    if (dec_u8(d) != 0) {
        decode_value(d, t, v, row, b);
        if (v != NULL && dec_ok(d)) vector_set_valid(v, row);
    } else if (!t->nullable) {
        d->failed = true;
    } else if (v != NULL) {
        vector_set_null(v, row);
    }
}

/* Every element takes at least a byte, so a count that is a lie is found before room is made for it. */
static void decode_list(struct dec *d, const struct type *t, struct vector *v, uint32_t row, struct batch *b)
{
    uint64_t count = dec_varint(d);
    uint32_t first = v ? v->children[0].used : 0;

    if (count > dec_left(d) || first + count > UINT32_MAX / 2) d->failed = true;
    if (!dec_ok(d)) return;
    if (v != NULL) {
        vector_child_reserve(v, first + (uint32_t)count, b->mem);
        for (uint32_t k = 0; k < v->child_count; k++) v->children[k].used = first + (uint32_t)count;
        VECTOR_VALUES(v, struct list_ref)[row] = (struct list_ref){first, (uint32_t)count};
    }
    for (uint32_t i = 0; i < count && dec_ok(d); i++)
        for (uint32_t k = 0; k < t->child_count; k++)
            decode_element(d, t->children[k], v ? &v->children[k] : NULL, first + i, b);
}

static void decode_nested(struct dec *d, const struct type *t, struct vector *v, uint32_t row, struct batch *b)
{
    if (t->phys == P_LIST) {
        decode_list(d, t, v, row, b);
        return;
    }
    for (uint32_t k = 0; k < t->child_count && dec_ok(d); k++)
        decode_element(d, t->children[k], v ? &v->children[k] : NULL, row, b);
}

static void decode_value(struct dec *d, const struct type *t, struct vector *v, uint32_t row, struct batch *b)
{
    enum phys phys = (enum phys)t->phys;
    union {
        uint64_t words[2];
        int64_t i;
        double f64;
        float f32;
        struct str s;
        struct ts96 ts;
    } x = {0};
    uint64_t ns;
    uint32_t bits;

    switch (phys) {
    case P_BOOL: x.i = dec_u8(d) != 0; break;
    case P_I8: x.i = decode_int(d, INT8_MIN, INT8_MAX); break;
    case P_I16: x.i = decode_int(d, INT16_MIN, INT16_MAX); break;
    case P_I32: x.i = decode_int(d, INT32_MIN, INT32_MAX); break;
    case P_I64: x.i = dec_zigzag(d); break;
    case P_F64: x.f64 = dec_f64(d); break;
    case P_F32:
        bits = dec_u32(d);
        memcpy(&x.f32, &bits, sizeof bits);
        break;
    case P_STR: x.s = dec_str(d, UINT32_MAX); break;
    case P_TS96:
        x.ts.ms = dec_zigzag(d);
        ns = dec_varint(d);
        x.ts.ns = (int32_t)MIN(ns, 999999u);
        break;
    case P_I128:
        x.words[0] = dec_u64(d);
        x.words[1] = dec_u64(d);
        break;
    case P_LIST:
    case P_ROW: decode_nested(d, t, v, row, b); return;
    default: d->failed = true;
    }
    if (v == NULL || !dec_ok(d)) return;
    if (phys == P_STR) VECTOR_VALUES(v, struct text)[row] = text_put(&b->heap, x.s.size > 0 ? x.s.data : "", x.s.size);
    else
        memcpy((char *)v->data + (size_t)row * phys_width(phys), &x,
               phys_width(phys)); /* little endian: the low bytes */
}

void values_decode_row(struct dec *d, struct batch *b)
{
    uint32_t row = b->count;

    ASSERT(row < b->capacity);
    for (uint32_t i = 0; i < b->col_count && dec_ok(d); i++) {
        decode_element(d, b->schema->children[i], b->cols[i].form == VEC_ABSENT ? NULL : &b->cols[i], row, b);
    }
    if (dec_ok(d)) b->count++;
}
