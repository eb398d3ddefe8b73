/* nested_key.c - nested C values as bytes that are compared: keys of map state.
 *
 * The idea: the bytes of nested_value.c in one form for equal values. What C lets differ is taken out: padding of structs, what
 * stands in place of NULL, null bits behind the last, every NaN but one, truth other than 1; and entries of maps and multisets,
 * which have no order, are sorted by their bytes. As for Flink's Double, -0 and 0 are two keys.
 *
 * Invariant: as many bytes as nested_value_size says, and nested_value_decode reads them. */
#include "flow/state/nested_value.h"

#include "ground/base/sort.h"

struct encoder {
    struct arena *a;
};

static uint8_t *value_encode(struct encoder *e, const struct cform *f, const void *value, uint8_t *to);

static uint8_t *element_encode(struct encoder *e, const struct cform *f, const char *value, bool is_null, uint8_t *to)
{
    *to++ = is_null;
    return is_null ? to : value_encode(e, f, value, to);
}

/* Where the entries of a map lie: i is bytes + at[i] .. bytes + at[i + 1]. */
struct entries {
    const uint8_t *bytes;
    const size_t *at;
};

static bool entry_less(void *arg, uint32_t a, uint32_t b)
{
    const struct entries *s = arg;
    size_t x = s->at[a + 1] - s->at[a], y = s->at[b + 1] - s->at[b];
    int order = memcmp(s->bytes + s->at[a], s->bytes + s->at[b], MIN(x, y));

    return order != 0 ? order < 0 : x < y;
}

static void entries_sort(struct encoder *e, uint8_t *bytes, const size_t *at, uint32_t count)
{
    uint32_t *order = ARENA_ARRAY(e->a, uint32_t, count), *space = ARENA_ARRAY(e->a, uint32_t, count);
    uint8_t *copy = arena_alloc(e->a, at[count]);
    struct entries entries = {copy, at};

    memcpy(copy, bytes, at[count]);
    for (uint32_t i = 0; i < count; i++) order[i] = i;
    sort_stable(order, space, count, entry_less, &entries);
    for (uint32_t i = 0; i < count; i++) {
        size_t size = at[order[i] + 1] - at[order[i]];
        memcpy(bytes, copy + at[order[i]], size);
        bytes += size;
    }
}

static uint8_t *list_encode(struct encoder *e, const struct cform *f, const void *value, uint8_t *to)
{
    struct cform_runs r = cform_runs_get(f, value);
    bool is_sorted = f->type->kind != T_ARRAY && r.count > 1;
    size_t *at = is_sorted ? arena_alloc(e->a, ((size_t)r.count + 1) * sizeof *at) : NULL;
    uint8_t *first = to = nested_varint_put(to, r.count);

    for (uint32_t i = 0; i < r.count; i++) {
        if (is_sorted) at[i] = (size_t)(to - first);
        for (uint32_t k = 0; k < f->child_count; k++) {
            const struct cform *element = f->children[k].form;
            to = element_encode(e, element, (const char *)r.items[k] + (size_t)i * element->size, cform_null(r.nulls[k], i), to);
        }
    }
    if (!is_sorted) return to;
    at[r.count] = (size_t)(to - first);
    entries_sort(e, first, at, r.count);
    return to;
}

void nested_key_scalar(enum phys phys, void *value)
{
    float narrow;
    double wide;

    switch (phys) {
    case P_BOOL: *(uint8_t *)value = *(const uint8_t *)value != 0; break;
    case P_F32:
        memcpy(&narrow, value, sizeof narrow);
        if (narrow == narrow) break;
        narrow = __builtin_nanf("");
        memcpy(value, &narrow, sizeof narrow);
        break;
    case P_F64:
        memcpy(&wide, value, sizeof wide);
        if (wide == wide) break;
        wide = __builtin_nan("");
        memcpy(value, &wide, sizeof wide);
        break;
    case P_TS96: memset((char *)value + offsetof(struct ts96, zero), 0, sizeof(int32_t)); break;
    default: break;
    }
}

static uint8_t *value_encode(struct encoder *e, const struct cform *f, const void *value, uint8_t *to)
{
    switch ((enum phys)f->type->phys) {
    case P_LIST: return list_encode(e, f, value, to);
    case P_ROW:
        for (uint32_t i = 0; i < f->child_count; i++) {
            const struct cform_child *c = &f->children[i];
            to = element_encode(e, c->form, (const char *)value + c->offset, cform_field_null(f, value, i), to);
        }
        return to;
    case P_STR: return nested_value_encode(f, value, to);
    default:
        memcpy(to, value, f->size);
        nested_key_scalar((enum phys)f->type->phys, to);
        return to + f->size;
    }
}

uint8_t *nested_key_encode(const struct cform *f, const void *value, uint8_t *to, struct arena *a)
{
    struct encoder e = {a};

    return value_encode(&e, f, value, to);
}
