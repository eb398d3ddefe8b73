/* values.c - rows as bytes, see values.h. Written once per job and read once, so it is plain rather than fast. */
#include "flow/connector/values.h"

#include <string.h>

static bool has_form(const struct type *t)
{
    return t->phys != P_LIST && t->phys != P_ROW && t->phys != P_I128 && t->kind != T_NULL;
}

enum status values_check(const struct type *row, struct err *e)
{
    ASSERT(row->kind == T_ROW);
    for (uint32_t i = 0; i < row->child_count; i++)
        if (!has_form(row->children[i]))
            return err_set(e, E_UNSUPPORTED, "column '%s' cannot be given as rows in the program", row->names[i]);
    return S_OK;
}

static void encode_value(const struct vector *v, uint32_t row, struct buf *out)
{
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
    default: ASSERT(!"values_check was not asked");
    }
}

void values_encode(const struct batch *b, struct buf *out)
{
    ASSERT(b->sel == NULL);
    for (uint32_t row = 0; row < b->count; row++)
        for (uint32_t i = 0; i < b->col_count; i++) {
            bool is_null = vector_is_null(&b->cols[i], row);
            enc_u8(out, !is_null);
            if (!is_null) encode_value(&b->cols[i], row, out);
        }
}

/* An integer that has to fit its column. */
static int64_t decode_int(struct dec *d, int64_t least, int64_t most)
{
    int64_t value = dec_zigzag(d);

    if (value < least || value > most) d->failed = true;
    return dec_ok(d) ? value : 0;
}

/* Into row `row` of v; v NULL: the column is not wanted. */
static void decode_value(struct dec *d, enum phys phys, struct vector *v, uint32_t row, struct text_heap *heap)
{
    union {
        int64_t i;
        double f64;
        float f32;
        struct str s;
        struct ts96 ts;
    } x = {0};
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
        x.ts.ns = (int32_t)MIN(dec_varint(d), 999999u);
        break;
    default: d->failed = true;
    }
    if (v == NULL || !dec_ok(d)) return;
    if (phys == P_STR) VECTOR_VALUES(v, struct text)[row] = text_put(heap, x.s.size > 0 ? x.s.data : "", x.s.size);
    else
        memcpy((char *)v->data + (size_t)row * phys_width(phys), &x,
               phys_width(phys)); /* little endian: the low bytes */
}

void values_decode_row(struct dec *d, struct batch *b)
{
    uint32_t row = b->count;

    ASSERT(row < b->capacity);
    for (uint32_t i = 0; i < b->col_count && dec_ok(d); i++) {
        struct vector *v = b->cols[i].form == VEC_ABSENT ? NULL : &b->cols[i];
        bool is_value = dec_u8(d) != 0;
        if (is_value) {
            decode_value(d, (enum phys)b->schema->children[i]->phys, v, row, &b->heap);
            if (v != NULL && dec_ok(d)) vector_set_valid(v, row);
        } else if (!b->schema->children[i]->nullable) {
            d->failed = true;
        } else if (v != NULL) {
            vector_set_null(v, row);
        }
    }
    if (dec_ok(d)) b->count++;
}
