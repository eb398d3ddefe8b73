/* nested_value.c - C values of type ARRAY, MAP, MULTISET and ROW as the bytes of nested.c, and back.
 *
 * The idea: the size is counted first, so that the bytes are written in one piece where the caller wants them and
 * nothing grows. Reading lays items out in the caller's arena; strings stay in the bytes. It trusts no byte: what is read may
 * come from a file that is older, or broken.
 *
 * Invariant: nested_encode of the column that cform_write makes gives the same bytes (a test compares them). */
#include "flow/state/nested_value.h"

#include "ground/base/codec.h"

/* ---- writing */

static size_t varint_size(uint64_t v)
{
    size_t size = 1;

    for (; v >= 0x80; v >>= 7) size++;
    return size;
}

uint8_t *nested_varint_put(uint8_t *to, uint64_t v)
{
    for (; v >= 0x80; v >>= 7) *to++ = (uint8_t)(v | 0x80);
    *to++ = (uint8_t)v;
    return to;
}

size_t nested_value_size(const struct cform *f, const void *value)
{
    struct tw_str s;
    size_t size = 0;

    if (f->type->phys == P_STR) {
        memcpy(&s, value, sizeof s);
        return varint_size(s.size) + s.size;
    }
    if (!cform_is_nested(f)) return f->size;
    if (f->type->phys == P_ROW) {
        for (uint32_t i = 0; i < f->child_count; i++) {
            const struct cform_child *c = &f->children[i];
            size += 1;
            if (!cform_field_null(f, value, i)) size += nested_value_size(c->form, (const char *)value + c->offset);
        }
        return size;
    }
    struct cform_runs r = cform_runs_get(f, value);
    size = varint_size(r.count) + (size_t)r.count * f->child_count;
    for (uint32_t k = 0; k < f->child_count; k++) {
        const struct cform *element = f->children[k].form;
        for (uint32_t i = 0; i < r.count; i++)
            if (!cform_null(r.nulls[k], i))
                size += nested_value_size(element, (const char *)r.items[k] + (size_t)i * element->size);
    }
    return size;
}

static uint8_t *element_encode(const struct cform *f, const char *value, bool is_null, uint8_t *to)
{
    *to++ = is_null;
    return is_null ? to : nested_value_encode(f, value, to);
}

static uint8_t *list_encode(const struct cform *f, const void *value, uint8_t *to)
{
    struct cform_runs r = cform_runs_get(f, value);

    to = nested_varint_put(to, r.count);
    for (uint32_t i = 0; i < r.count; i++) {
        for (uint32_t k = 0; k < f->child_count; k++) {
            const struct cform *element = f->children[k].form;
            to = element_encode(element, (const char *)r.items[k] + (size_t)i * element->size,
                                cform_null(r.nulls[k], i), to);
        }
    }
    return to;
}

uint8_t *nested_value_encode(const struct cform *f, const void *value, uint8_t *to)
{
    struct tw_str s;

    switch ((enum phys)f->type->phys) {
    case P_LIST: return list_encode(f, value, to);
    case P_ROW:
        for (uint32_t i = 0; i < f->child_count; i++) {
            const struct cform_child *c = &f->children[i];
            to = element_encode(c->form, (const char *)value + c->offset, cform_field_null(f, value, i), to);
        }
        return to;
    case P_STR:
        memcpy(&s, value, sizeof s);
        to = nested_varint_put(to, s.size);
        if (s.size > 0) memcpy(to, s.data, s.size);
        return to + s.size;
    default: memcpy(to, value, f->size); return to + f->size;
    }
}

/* ---- reading */

struct reader {
    struct dec dec;
    struct arena *a;
};

static enum status value_decode(struct reader *r, const struct cform *f, char *to);

static enum status null_decode(struct reader *r, bool *is_null)
{
    uint8_t flag = dec_u8(&r->dec);

    *is_null = flag == 1;
    return dec_ok(&r->dec) && flag <= 1 ? S_OK : E_DATA;
}

static enum status list_decode(struct reader *r, const struct cform *f, char *to)
{
    uint64_t count = dec_varint(&r->dec);
    struct cform_runs runs = {.count = (uint32_t)count};
    uint64_t *nulls[2] = {NULL, NULL};
    char *items[2] = {NULL, NULL};

    if (!dec_ok(&r->dec) || count > CFORM_ELEMENTS_MAX) return E_DATA;
    if (count * f->child_count > dec_left(&r->dec)) return E_DATA; /* a byte each at least, or memory is asked for in vain */
    for (uint32_t k = 0; k < f->child_count && runs.count > 0; k++)
        runs.items[k] = items[k] = arena_alloc(r->a, (size_t)runs.count * f->children[k].form->size);
    for (uint32_t i = 0; i < runs.count; i++) {
        for (uint32_t k = 0; k < f->child_count; k++) {
            const struct cform *element = f->children[k].form;
            char *at = items[k] + (size_t)i * element->size;
            bool is_null;
            TRY(null_decode(r, &is_null));
            if (!is_null) {
                TRY(value_decode(r, element, at));
                continue;
            }
            memset(at, 0, element->size);
            if (nulls[k] == NULL) runs.nulls[k] = nulls[k] = ARENA_ARRAY(r->a, uint64_t, (runs.count + 63) / 64);
            bit_set(nulls[k], i);
        }
    }
    cform_runs_put(f, &runs, to);
    return f->type->kind != T_ARRAY && nulls[0] ? E_DATA : S_OK;
}

static enum status row_decode(struct reader *r, const struct cform *f, char *to)
{
    uint64_t mask = 0;

    for (uint32_t i = 0; i < f->child_count; i++) {
        const struct cform_child *c = &f->children[i];
        bool is_null;
        TRY(null_decode(r, &is_null));
        if (!is_null) {
            TRY(value_decode(r, c->form, to + c->offset));
            continue;
        }
        if (f->null_offset == CFORM_NO_NULLS) return E_DATA;
        mask |= UINT64_C(1) << i;
        memset(to + c->offset, 0, c->form->size);
    }
    if (f->null_offset != CFORM_NO_NULLS) memcpy(to + f->null_offset, &mask, sizeof mask);
    return S_OK;
}

static enum status value_decode(struct reader *r, const struct cform *f, char *to)
{
    switch ((enum phys)f->type->phys) {
    case P_LIST: return list_decode(r, f, to);
    case P_ROW: return row_decode(r, f, to);
    case P_STR: {
        struct str s = dec_str(&r->dec, INT32_MAX);
        if (!dec_ok(&r->dec)) return E_DATA;
        memcpy(to, &(struct tw_str){s.data, s.size}, sizeof(struct tw_str));
        return S_OK;
    }
    default:
        if (dec_left(&r->dec) < f->size) return E_DATA;
        memcpy(to, r->dec.at, f->size);
        r->dec.at += f->size;
        return S_OK;
    }
}

enum status nested_value_decode(const struct cform *f, struct str bytes, void *value, struct arena *a)
{
    struct reader r = {.a = a};

    dec_init(&r.dec, bytes.data, bytes.size);
    TRY(value_decode(&r, f, value));
    return dec_ok(&r.dec) && dec_left(&r.dec) == 0 ? S_OK : E_DATA;
}
