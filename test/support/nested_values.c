/* nested_values.c - see nested_values.h. A struct's fields lie in any order, with gaps, the null mask anywhere: sizes come
 * from the forms of the fields, so what is tested is moving values, not the sizes (test_cform.c has those by hand). */
#include "support/nested_values.h"

#include "ground/base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static uint32_t below(struct prng *p, uint32_t n) { return (uint32_t)prng_below(p, n); }

static const char *const scalars[] = {
    "BOOLEAN", "TINYINT",     "SMALLINT",         "INT",         "BIGINT",       "FLOAT",        "DOUBLE",
    "DATE",    "TIME",        "STRING",           "VARCHAR(40)", "BYTES",        "DECIMAL(9,2)", "DECIMAL(38,10)",
    "CHAR(3)", "DECIMAL(19)", "TIMESTAMP_LTZ(6)", "TIMESTAMP",   "TIMESTAMP(9)", "INTERVAL DAY", "TIMESTAMP(3)"};

/* Text of a type; a ROW in it is `described`, or written out when that is NULL. */
static void text_add(struct prng *p, struct buf *out, const struct tw_row *described, int depth)
{
    uint32_t kind = depth > 0 ? below(p, 10) : 9;

    switch (kind) {
    case 0:
    case 1: buf_printf(out, "ARRAY<"); break;
    case 2: buf_printf(out, "MULTISET<"); break;
    case 3:
    case 4:
        buf_printf(out, "MAP<");
        text_add(p, out, described, below(p, 3) ? 0 : depth - 1);
        buf_printf(out, ", ");
        break;
    case 5:
    case 6:
        buf_printf(out, described ? "ROW" : "ROW<");
        for (uint32_t i = 0, n = 1 + below(p, 4); !described && i < n; i++) {
            buf_printf(out, "%sf%u ", i ? ", " : "", i);
            text_add(p, out, NULL, depth - 1);
        }
        break;
    default: buf_printf(out, "%s", scalars[below(p, COUNT_OF(scalars))]); break;
    }
    if (kind <= 4) text_add(p, out, described, depth - 1);
    if (kind <= 4 || (kind <= 6 && !described)) buf_printf(out, ">");
    if (below(p, 3) == 0) buf_printf(out, " NOT NULL");
}

/* A field's text; *row is set when it has a bare ROW. */
static const char *field_text(struct prng *p, struct arena *a, int depth, const struct tw_row **row)
{
    const struct tw_row *described = depth > 0 && below(p, 2) ? nested_random_row(p, a, depth - 1) : NULL;
    struct buf text;
    char *copy;

    buf_init(&text, a->mem);
    text_add(p, &text, described, depth);
    copy = arena_strdup(a, buf_text(&text));
    *row = strstr(copy, "ROW") && described ? described : NULL;
    buf_release(&text);
    return copy;
}

const struct tw_row *nested_random_row(struct prng *p, struct arena *a, int depth)
{
    uint32_t count = 1 + below(p, 5), mask_at = below(p, 2) ? below(p, count) : UINT32_MAX, n = 0;
    struct tw_field *fields = ARENA_ARRAY(a, struct tw_field, count + 1);
    struct tw_row *row = ARENA_NEW(a, struct tw_row);

    *row = (struct tw_row){.name = "random", .fields = fields};
    for (uint32_t i = 0; i < count; i++) {
        const struct cform *form;
        struct err e = {.status = S_OK};
        struct tw_field *f;
        if (i == mask_at) {
            row->size = (uint32_t)ALIGN_UP(row->size, 8);
            fields[n++] = (struct tw_field){"nulls", "", row->size, 8, NULL};
            row->size += 8;
        }
        f = &fields[n++];
        f->name = arena_printf(a, "c%u", i);
        f->type = field_text(p, a, depth, &f->row);
        if (cform_parse(a, f->type, f->row, &form, &e) != S_OK) fail_msg("%s: %s", f->type, e.text);
        f->offset = row->size = (uint32_t)ALIGN_UP(row->size + below(p, 9), 8);
        f->size = form->size;
        row->size += form->size;
    }
    row->field_count = n;
    row->size = (uint32_t)ALIGN_UP(row->size, 8);
    return row;
}

/* ---- values */

static void random_bytes(struct prng *p, void *to, size_t size)
{
    for (size_t i = 0; i < size; i++) ((unsigned char *)to)[i] = (unsigned char)below(p, 256);
}

static void random_scalar(struct prng *p, struct arena *a, const struct type *t, void *to)
{
    if (t->phys == P_STR) {
        size_t size = below(p, 4) ? below(p, 20) : below(p, 200);
        char *data = arena_alloc(a, size + 1);
        random_bytes(p, data, size);
        memcpy(to, &(struct tw_str){size || below(p, 2) ? data : NULL, size}, sizeof(struct tw_str));
    } else if (t->phys == P_BOOL) {
        *(bool *)to = below(p, 2);
    } else if (t->phys == P_TS96) {
        memcpy(to, &(struct tw_timestamp){(int64_t)below(p, 1u << 30) - (1 << 29), (int32_t)below(p, 1000000), 0},
               sizeof(struct tw_timestamp));
    } else {
        random_bytes(p, to, phys_width((enum phys)t->phys));
    }
}

static const void *random_elements(struct prng *p, struct arena *a, const struct cform *f, uint32_t count,
                                   bool with_nulls, const uint64_t **nulls)
{
    char *items = arena_alloc(a, (size_t)count * f->size + 1);
    uint64_t *bits = ARENA_ARRAY(a, uint64_t, count / 64 + 1);

    *nulls = with_nulls || below(p, 2) ? bits : NULL;
    memset(items, 0xee, (size_t)count * f->size); /* what is NULL must not be looked at */
    for (uint32_t i = 0; i < count; i++) {
        if (with_nulls && below(p, 3) == 0)
            bit_set(bits, i);
        else
            nested_random_value(p, a, f, items + (size_t)i * f->size);
    }
    return items;
}

static void random_list(struct prng *p, struct arena *a, const struct cform *f, void *value)
{
    uint32_t many = below(p, 12) == 0 && !cform_is_nested(f->children[0].form) ? 150 : 4;
    struct cform_runs runs = {.count = below(p, many)};

    for (uint32_t k = 0; k < f->child_count; k++) {
        const struct cform *element = f->children[k].form;
        bool with_nulls = element->type->nullable && below(p, 2);
        runs.items[k] = random_elements(p, a, element, runs.count, with_nulls, &runs.nulls[k]);
        if (runs.count == 0 && below(p, 2)) runs.items[k] = NULL;
    }
    cform_runs_put(f, &runs, value);
}

static void random_row(struct prng *p, struct arena *a, const struct cform *f, void *value)
{
    uint64_t mask = 0;

    memset(value, 0xee, f->size);
    for (uint32_t i = 0; i < f->child_count; i++) {
        const struct cform_child *c = &f->children[i];
        if (c->form->type->nullable && f->null_offset != CFORM_NO_NULLS && below(p, 3) == 0)
            mask |= UINT64_C(1) << i;
        else
            nested_random_value(p, a, c->form, (char *)value + c->offset);
    }
    if (f->null_offset != CFORM_NO_NULLS) memcpy((char *)value + f->null_offset, &mask, sizeof mask);
}

void nested_random_value(struct prng *p, struct arena *a, const struct cform *f, void *value)
{
    if (f->type->phys == P_LIST)
        random_list(p, a, f, value);
    else if (f->type->phys == P_ROW)
        random_row(p, a, f, value);
    else
        random_scalar(p, a, f->type, value);
}

/* ---- comparing */

static bool lists_equal(const struct cform *f, const void *x, const void *y)
{
    struct cform_runs a = cform_runs_get(f, x), b = cform_runs_get(f, y);

    if (a.count != b.count) return false;
    for (uint32_t k = 0; k < f->child_count; k++) {
        const struct cform *e = f->children[k].form;
        for (uint32_t i = 0; i < a.count; i++) {
            bool is_null = cform_null(a.nulls[k], i);
            size_t at = (size_t)i * e->size;
            if (is_null != cform_null(b.nulls[k], i)) return false;
            if (!is_null && !nested_values_equal(e, (const char *)a.items[k] + at, (const char *)b.items[k] + at))
                return false;
        }
    }
    return true;
}

bool nested_values_equal(const struct cform *f, const void *x, const void *y)
{
    if (f->type->phys == P_LIST) return lists_equal(f, x, y);
    if (f->type->phys == P_STR) {
        struct tw_str a, b;
        memcpy(&a, x, sizeof a);
        memcpy(&b, y, sizeof b);
        return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
    }
    if (f->type->phys != P_ROW) return memcmp(x, y, f->size) == 0;
    for (uint32_t i = 0; i < f->child_count; i++) {
        const struct cform_child *c = &f->children[i];
        bool is_null = cform_field_null(f, x, i);
        if (is_null != cform_field_null(f, y, i)) return false;
        if (!is_null && !nested_values_equal(c->form, (const char *)x + c->offset, (const char *)y + c->offset))
            return false;
    }
    return true;
}
