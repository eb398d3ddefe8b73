/* key.c - encoding keys.
 *
 * The idea: most keys are one integer column, so that case is a plain array of int64 and everything else may cost a
 * little more. Fixed-width columns are laid side by side in 8 or 16 bytes each, with null bits in a last word if a
 * column is nullable; other keys are bytes: per column a null byte (if nullable), then 8 or 16 bytes, or a length and
 * bytes. A sole string column is its own bytes, without copying. No column at all is the empty key: one group.
 *
 * Invariants: equal keys have equal encodings (-0 is 0, one NaN, NULL columns are zero) and different ones differ.
 * Not here: hashes, which come with the batch, and the place of the NULL key. */
#include "flow/state/key.h"
#include "flow/state/rowops.h"

#include "ground/base/codec.h"
#include "ground/base/hash.h"

void state_hash_within(const struct batch *b, const uint32_t *cols, uint32_t group_cols, uint32_t col_count, uint64_t *out)
{
    uint64_t rest[BATCH_ROWS];
    uint32_t n = batch_rows(b);

    ASSERT(group_cols < col_count && n <= BATCH_ROWS);
    batch_hash(b, cols, group_cols, out);
    batch_hash(b, cols + group_cols, col_count - group_cols, rest);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t low = hash64_u64(out[i] * UINT64_C(0x9e3779b97f4a7c15) + rest[i]);
        out[i] = (out[i] & ~(uint64_t)UINT32_MAX) | (low & UINT32_MAX);
    }
}

void state_def_hash(const struct state_def *d, const struct batch *b, const uint32_t *cols, uint64_t *out)
{
    if (d->is_within) state_hash_within(b, cols, d->group_cols, d->key->child_count, out);
    else batch_hash(b, cols, d->key->child_count, out);
}

static bool is_wide(const struct type *t) { return t->phys == P_I128 || t->phys == P_TS96; }
static bool is_real(const struct type *t) { return t->phys == P_F32 || t->phys == P_F64; }
static bool is_varying(const struct type *t) { return t->phys == P_STR || t->phys == P_LIST || t->phys == P_ROW; }

enum status key_codec_init(struct key_codec *c, const struct type *key, struct err *e)
{
    bool varying = false, nullable = false;

    ASSERT(key != NULL && key->kind == T_ROW);
    *c = (struct key_codec){.type = key, .is_single = key->child_count == 1};
    if (key->child_count > 64) {
        return err_set(e, E_UNSUPPORTED, "a key has at most 64 columns, this one has %u", key->child_count);
    }
    for (uint32_t i = 0; i < key->child_count; i++) {
        const struct type *t = key->children[i];
        varying |= is_varying(t);
        nullable |= t->nullable;
        c->bytes += is_wide(t) ? 16 : 8;
    }
    if (varying) {
        c->form = KEY_BYTES;
        c->bytes = 0;
    } else if (c->is_single && c->bytes == 8 && !is_real(key->children[0])) {
        c->form = KEY_WORD;
    } else {
        c->form = KEY_FIXED;
        if (nullable && !c->is_single) {
            c->null_offset = c->bytes;
            c->bytes += 8;
        }
    }
    return S_OK;
}

void key_set_init(struct key_set *s, struct mem *mem)
{
    *s = (struct key_set){.mem = mem};
    s->words = mem_alloc(mem, BATCH_ROWS * sizeof *s->words);
    s->views = mem_alloc(mem, BATCH_ROWS * sizeof *s->views);
    s->nulls = mem_zalloc(mem, BATCH_ROWS);
    buf_init(&s->bytes, mem);
}

void key_set_release(struct key_set *s)
{
    if (s->mem == NULL) return;
    mem_free(s->mem, s->words);
    mem_free(s->mem, s->views);
    mem_free(s->mem, s->nulls);
    buf_release(&s->bytes);
    *s = (struct key_set){0};
}

/* Which rows of a batch. */
struct span {
    const uint16_t *sel;
    uint32_t first, count;
};
static inline uint32_t span_row(const struct span *p, uint32_t i) { return p->sel ? p->sel[i] : p->first + i; }

static int64_t word_at(const struct vector *base, uint32_t at)
{
    switch (base->phys) {
    case P_BOOL: return ((const uint8_t *)base->data)[at];
    case P_I8: return ((const int8_t *)base->data)[at];
    case P_I16: return ((const int16_t *)base->data)[at];
    case P_I32: return ((const int32_t *)base->data)[at];
    default: return ((const int64_t *)base->data)[at];
    }
}

static double real_at(const struct vector *base, uint32_t at)
{
    double v = base->phys == P_F32 ? (double)((const float *)base->data)[at] : ((const double *)base->data)[at];

    return v == 0 ? 0 : v != v ? __builtin_nan("") : v;
}

/* The 8 or 16 bytes of one fixed-width value; zero when NULL. Returns their number. */
static uint32_t fixed_encode(const struct vector *v, uint32_t row, char *to)
{
    const struct vector *base = vector_values(v);
    uint32_t at = vector_at(v, row), width = base->phys == P_I128 || base->phys == P_TS96 ? 16 : 8;

    memset(to, 0, width);
    if (vector_is_null(v, row)) return width;
    if (width == 16) {
        memcpy(to, (const char *)base->data + 16 * (size_t)at, 16);
        if (base->phys == P_TS96) memset(to + 12, 0, 4);
    } else if (base->phys == P_F32 || base->phys == P_F64) {
        double value = real_at(base, at);
        memcpy(to, &value, 8);
    } else {
        int64_t value = word_at(base, at);
        memcpy(to, &value, 8);
    }
    return width;
}

static void gather_nulls(struct key_set *s, const struct vector *v, const struct span *p)
{
    s->has_nulls = false;
    if (vector_values(v)->validity == NULL) return;
    for (uint32_t i = 0; i < p->count; i++) {
        s->nulls[i] = vector_is_null(v, span_row(p, i));
        s->has_nulls |= s->nulls[i] != 0;
    }
}

#define WORD_LOOP(T)                                                                                                   \
    for (uint32_t i = 0; i < p->count; i++) words[i] = ((const T *)base->data)[vector_at(v, span_row(p, i))]

static void gather_words(struct key_set *s, const struct vector *v, const struct span *p)
{
    const struct vector *base = vector_values(v);
    int64_t *restrict words = s->words;

    if (base->phys == P_I64 && v->form == VEC_FLAT && p->sel == NULL) {
        memcpy(words, (const int64_t *)base->data + p->first, p->count * sizeof *words);
        return;
    }
    switch (base->phys) {
    case P_BOOL: WORD_LOOP(uint8_t); break;
    case P_I8: WORD_LOOP(int8_t); break;
    case P_I16: WORD_LOOP(int16_t); break;
    case P_I32: WORD_LOOP(int32_t); break;
    default: WORD_LOOP(int64_t); break;
    }
}

static void gather_fixed(const struct key_codec *c, struct key_set *s, const struct batch *b, const uint32_t *cols,
                         const struct span *p)
{
    char *to;

    buf_clear(&s->bytes);
    buf_reserve(&s->bytes, (size_t)p->count * c->bytes + 1); /* keys of no columns have no bytes, but a place */
    to = s->bytes.data;
    for (uint32_t i = 0; i < p->count; i++, to += c->bytes) {
        uint32_t offset = 0;
        uint64_t nulls = 0;
        for (uint32_t k = 0; k < c->type->child_count; k++) {
            const struct vector *v = &b->cols[cols[k]];
            offset += fixed_encode(v, span_row(p, i), to + offset);
            nulls |= (uint64_t)vector_is_null(v, span_row(p, i)) << k;
        }
        if (c->null_offset) memcpy(to + c->null_offset, &nulls, 8);
        s->views[i] = (struct str){c->bytes ? to : "", c->bytes};
    }
}

static void field_encode(const struct vector *v, uint32_t row, bool is_nullable, struct buf *out)
{
    const struct vector *base = vector_values(v);
    bool is_null = vector_is_null(v, row);
    char fixed[16];

    if (is_nullable) enc_u8(out, is_null);
    if (is_null) return;
    if (base->phys == P_STR) {
        enc_str(out, text_str(&((const struct text *)base->data)[vector_at(v, row)]));
    } else if (base->phys == P_LIST || base->phys == P_ROW) {
        size_t start = out->size;
        uint32_t size;
        enc_u32(out, 0);
        nested_encode_key(v, row, out);
        size = (uint32_t)(out->size - start - sizeof size);
        memcpy(out->data + start, &size, sizeof size);
    } else {
        buf_append(out, fixed, fixed_encode(v, row, fixed));
    }
}

/* The bytes move while they grow: views hold offsets until all are encoded. */
static void gather_bytes(const struct key_codec *c, struct key_set *s, const struct batch *b, const uint32_t *cols,
                         const struct span *p)
{
    buf_clear(&s->bytes);
    for (uint32_t i = 0; i < p->count; i++) {
        size_t start = s->bytes.size;
        if (c->is_single) {
            if (!(s->has_nulls && s->nulls[i])) nested_encode_key(&b->cols[cols[0]], span_row(p, i), &s->bytes);
        } else {
            for (uint32_t k = 0; k < c->type->child_count; k++) {
                field_encode(&b->cols[cols[k]], span_row(p, i), c->type->children[k]->nullable, &s->bytes);
            }
        }
        s->views[i] = (struct str){(const char *)(uintptr_t)start, s->bytes.size - start};
    }
    for (uint32_t i = 0; i < p->count; i++) {
        s->views[i].data = s->views[i].size ? s->bytes.data + (uintptr_t)s->views[i].data : "";
    }
}

static void gather_string(struct key_set *s, const struct vector *v, const struct span *p)
{
    const struct text *values = vector_values(v)->data;

    for (uint32_t i = 0; i < p->count; i++) {
        uint32_t row = span_row(p, i);
        bool is_null = s->has_nulls && s->nulls[i];
        s->views[i] = is_null ? (struct str){"", 0} : text_str(&values[vector_at(v, row)]);
    }
}

void key_gather(const struct key_codec *c, struct key_set *s, const struct batch *b, const uint32_t *cols, const uint16_t *sel,
                uint32_t first, uint32_t count)
{
    struct span p = {sel, first, count};
    const struct vector *sole = c->is_single ? &b->cols[cols[0]] : NULL;

    ASSERT(count <= BATCH_ROWS && !(sole && sole->form == VEC_ABSENT));
    s->has_nulls = false;
    if (sole) gather_nulls(s, sole, &p);
    if (c->form == KEY_WORD) {
        gather_words(s, sole, &p);
    } else if (c->form == KEY_FIXED) {
        gather_fixed(c, s, b, cols, &p);
    } else if (sole && vector_values(sole)->phys == P_STR) {
        gather_string(s, sole, &p);
    } else {
        gather_bytes(c, s, b, cols, &p);
    }
}

/* ---- back to columns */

static void word_put(struct vector *v, uint32_t at, int64_t word)
{
    switch (v->phys) {
    case P_BOOL: ((uint8_t *)v->data)[at] = (uint8_t)word; break;
    case P_I8: ((int8_t *)v->data)[at] = (int8_t)word; break;
    case P_I16: ((int16_t *)v->data)[at] = (int16_t)word; break;
    case P_I32: ((int32_t *)v->data)[at] = (int32_t)word; break;
    default: ((int64_t *)v->data)[at] = word; break;
    }
}

static uint32_t fixed_decode(const char *from, struct vector *v, uint32_t at)
{
    if (v->phys == P_I128 || v->phys == P_TS96) {
        memcpy((char *)v->data + 16 * (size_t)at, from, 16);
        return 16;
    }
    if (v->phys == P_F32 || v->phys == P_F64) {
        double value;
        memcpy(&value, from, 8);
        if (v->phys == P_F32) ((float *)v->data)[at] = (float)value;
        else ((double *)v->data)[at] = value;
    } else {
        int64_t word;
        memcpy(&word, from, 8);
        word_put(v, at, word);
    }
    return 8;
}

static void mark_null(struct vector *v, uint32_t at, bool is_null)
{
    if (is_null) {
        vector_set_null(v, at);
    } else if (v->validity) {
        bit_set(v->validity, at);
    }
}

static void scatter_words(const struct key_set *s, uint32_t count, struct vector *v, uint32_t first)
{
    if (v->phys == P_I64) {
        memcpy((int64_t *)v->data + first, s->words, count * sizeof *s->words);
    } else {
        for (uint32_t i = 0; i < count; i++) word_put(v, first + i, s->words[i]);
    }
    if (!s->has_nulls && !v->validity) return;
    for (uint32_t i = 0; i < count; i++) mark_null(v, first + i, s->has_nulls && s->nulls[i]);
}

static void scatter_fixed(const struct key_codec *c, const struct key_set *s, uint32_t i, struct batch *b,
                          const uint32_t *cols, uint32_t at)
{
    const char *from = s->views[i].data;
    uint64_t nulls = 0;
    uint32_t offset = 0;

    if (c->null_offset) memcpy(&nulls, from + c->null_offset, 8);
    if (c->is_single) nulls = s->has_nulls && s->nulls[i];
    for (uint32_t k = 0; k < c->type->child_count; k++) {
        struct vector *v = &b->cols[cols ? cols[k] : k];
        uint32_t width = is_wide(c->type->children[k]) ? 16 : 8;
        bool is_null = (nulls >> k) & 1;
        if (v->form != VEC_ABSENT) {
            if (!is_null) fixed_decode(from + offset, v, at);
            mark_null(v, at, is_null);
        }
        offset += width;
    }
}

/* One column of a key of bytes. A column that nobody needs is decoded into nothing: its length must be known still. */
static void field_decode(struct dec *d, const struct type *t, struct vector *v, uint32_t at, struct batch *b)
{
    bool is_absent = v->form == VEC_ABSENT;

    if (t->nullable && dec_u8(d)) {
        if (!is_absent) vector_set_null(v, at);
        return;
    }
    if (!is_absent) mark_null(v, at, false);
    if (t->phys == P_STR) {
        struct str text = dec_str(d, UINT32_MAX);
        if (!is_absent) ((struct text *)v->data)[at] = text_put(&b->heap, text.data, text.size);
    } else if (t->phys == P_LIST || t->phys == P_ROW) {
        struct str bytes = {.size = dec_u32(d)};
        ASSERT(dec_left(d) >= bytes.size);
        bytes.data = (const char *)d->at;
        d->at += bytes.size;
        if (!is_absent) nested_decode(bytes, v, at, &b->heap, b->mem);
    } else {
        uint32_t width = is_wide(t) ? 16 : 8;
        ASSERT(dec_left(d) >= width);
        if (!is_absent) fixed_decode((const char *)d->at, v, at);
        d->at += width;
    }
}

static void scatter_single(const struct key_codec *c, const struct key_set *s, uint32_t i, struct vector *v, uint32_t at,
                           struct batch *b)
{
    bool is_null = s->has_nulls && s->nulls[i];

    if (v->form == VEC_ABSENT) return;
    mark_null(v, at, is_null);
    if (is_null) return;
    if (c->type->children[0]->phys == P_STR) {
        ((struct text *)v->data)[at] = text_put(&b->heap, s->views[i].data, s->views[i].size);
    } else {
        nested_decode(s->views[i], v, at, &b->heap, b->mem);
    }
}

static void scatter_bytes(const struct key_codec *c, const struct key_set *s, uint32_t i, struct batch *b,
                          const uint32_t *cols, uint32_t at)
{
    struct dec d;

    if (c->is_single) {
        scatter_single(c, s, i, &b->cols[cols ? cols[0] : 0], at, b);
        return;
    }
    dec_init(&d, s->views[i].data, s->views[i].size);
    for (uint32_t k = 0; k < c->type->child_count; k++) {
        field_decode(&d, c->type->children[k], &b->cols[cols ? cols[k] : k], at, b);
    }
    ASSERT(dec_ok(&d) && dec_left(&d) == 0);
}

void key_scatter(const struct key_codec *c, const struct key_set *s, uint32_t count, struct batch *b, const uint32_t *cols,
                 uint32_t first)
{
    ASSERT(first + count <= b->capacity);
    if (c->form == KEY_WORD) {
        struct vector *v = &b->cols[cols ? cols[0] : 0];
        if (v->form != VEC_ABSENT) scatter_words(s, count, v, first);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (c->form == KEY_FIXED) {
            scatter_fixed(c, s, i, b, cols, first + i);
        } else {
            scatter_bytes(c, s, i, b, cols, first + i);
        }
    }
}
