/* fn_array_order.c - arrays by the order of their elements, and arrays of text as one text: ARRAY_SORT, ARRAY_MAX, ARRAY_MIN,
 * ARRAY_JOIN. Numbers, text, bytes, dates and timestamps have an order; NaN is the greatest number.
 *
 * What is sorted are places, stably; the lists of places grow to the longest array and stay. */
#include "columns/function/nested.h"

#include "columns/function/fn_text.h"
#include "ground/base/sort.h"

#include <string.h>

static bool has_order(const struct type *t)
{
    bool time = t->kind >= T_DATE && t->kind <= T_TIMESTAMP_LTZ;
    return time || type_is_numeric(t) || type_is_string(t) || t->kind == T_BINARY || t->kind == T_VARBINARY;
}

static bool is_array_in_order(const struct fn_call *c)
{
    return c->count > 0 && c->args[0]->kind == T_ARRAY && has_order(c->args[0]->children[0]);
}

/* --- the greatest and the least ---------------------------------------------------------------------------------- */
static void extreme(const struct fn_run *r, const struct vector *const *args, struct vector *out, int sign)
{
    FN_EACH_VALID(r, args, 1, i)
    {
        struct list list = list_at(args[0], i, 0);
        uint32_t best = VALUE_NONE;
        for (uint32_t k = list.first; k < list.first + list.count; k++) {
            if (vector_is_null(list.items, k)) continue;
            if (best == VALUE_NONE || vector_compare(list.items, k, list.items, best) * sign > 0) best = k;
        }
        if (best == VALUE_NONE)
            vector_set_null(out, i);
        else
            nested_put(r, out, i, list.items, best);
    }
}

static void greatest(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    extreme(r, args, out, 1);
}
static void least(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    extreme(r, args, out, -1);
}

static enum status bind_extreme(struct fn_call *c, struct arena *a, struct err *e, fn_kernel run)
{
    if (c->count != 1 || !is_array_in_order(c)) return fn_refuse(c, "an ARRAY of values that have an order", e);
    c->result = type_with_null(a, c->args[0]->children[0], true);
    c->run = run;
    return S_OK;
}

static enum status bind_max(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    return bind_extreme(c, a, e, greatest);
}

static enum status bind_min(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    return bind_extreme(c, a, e, least);
}

/* --- sorting ----------------------------------------------------------------------------------------------------- */
struct sorter {
    struct mem *mem;
    uint32_t capacity;
    uint32_t *places, *space;
    const struct vector *items;
    bool descending, nulls_first;
};

static bool goes_before(void *sorter, uint32_t x, uint32_t y)
{
    const struct sorter *s = sorter;
    bool null_x = vector_is_null(s->items, x), null_y = vector_is_null(s->items, y);

    if (null_x || null_y) return null_x != null_y && null_x == s->nulls_first;
    int order = vector_compare(s->items, x, s->items, y);
    return s->descending ? order > 0 : order < 0;
}

static void sort_places(struct sorter *s, struct list list)
{
    if (list.count > s->capacity) {
        s->capacity = MAX(list.count, s->capacity * 2);
        s->places = mem_realloc(s->mem, s->places, sizeof *s->places * s->capacity);
        s->space = mem_realloc(s->mem, s->space, sizeof *s->space * s->capacity);
    }
    s->items = list.items;
    for (uint32_t k = 0; k < list.count; k++) s->places[k] = list.first + k;
    sort_stable(s->places, s->space, list.count, goes_before, s);
}

static bool fn_bool(const struct vector *v, uint32_t row) { return VECTOR_VALUES(v, bool)[vector_at(v, row)]; }

static void sort_array(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct sorter *s = r->state;

    FN_EACH_VALID(r, args, r->call->count, i)
    {
        struct list list = list_at(args[0], i, 0);
        s->descending = r->call->count > 1 && !fn_bool(args[1], i);
        s->nulls_first = r->call->count > 2 ? fn_bool(args[2], i) : !s->descending;
        sort_places(s, list);
        list_begin(out, i);
        for (uint32_t k = 0; k < list.count; k++) list_add(r, out, 0, list.items, s->places[k]);
        list_end(out, i);
    }
}

static enum status bind_sort(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    bool fits = is_array_in_order(c) && c->count <= 3, null = fits && c->args[0]->nullable;

    (void)session;
    for (uint32_t i = 1; fits && i < c->count; i++) {
        fits = c->args[i]->kind == T_BOOLEAN || c->args[i]->kind == T_NULL;
        null |= c->args[i]->nullable || c->args[i]->kind == T_NULL;
        c->args[i] = type_with_null(a, &type_boolean, c->args[i]->nullable || c->args[i]->kind == T_NULL);
    }
    if (!fits) return fn_refuse(c, "an ARRAY of values that have an order; ascending, and NULLs first, as BOOLEAN", e);
    c->result = type_with_null(a, c->args[0], null);
    c->run = sort_array;
    return S_OK;
}

static void *sorter_open(const struct fn_call *c, struct mem *mem)
{
    struct sorter *s = mem_zalloc(mem, sizeof *s);

    (void)c;
    s->mem = mem;
    return s;
}

static void sorter_close(void *state, struct mem *mem)
{
    struct sorter *s = state;

    mem_free(mem, s->places);
    mem_free(mem, s->space);
    mem_free(mem, s);
}

/* --- ARRAY_JOIN -------------------------------------------------------------------------------------------------- */
/* The text of element k; NULL ones are left out, unless something stands for them. */
static bool part_text(const struct fn_run *r, const struct vector *const *args, uint32_t row, struct list list,
                      uint32_t k, struct str *out)
{
    bool null = vector_is_null(list.items, list.first + k);

    if (null && r->call->count < 3) return false;
    *out = null ? fn_str(args[2], row) : fn_str(list.items, list.first + k);
    return true;
}

static void join_row(const struct fn_run *r, const struct vector *const *args, uint32_t row, struct vector *out)
{
    struct list list = list_at(args[0], row, 0);
    struct str between = fn_str(args[1], row), part;
    uint64_t size = 0;
    uint32_t parts = 0;

    for (uint32_t k = 0; k < list.count; k++) {
        if (!part_text(r, args, row, list, k, &part)) continue;
        size += part.size + (parts++ > 0 ? between.size : 0);
    }
    char *bytes = fn_room(r, row, size), *to = bytes;
    if (bytes == NULL) return;
    parts = 0;
    for (uint32_t k = 0; k < list.count; k++) {
        if (!part_text(r, args, row, list, k, &part)) continue;
        if (parts++ > 0) to = bytes_add(to, between);
        to = bytes_add(to, part);
    }
    fn_keep(out, row, bytes, size);
}

static void join_texts(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, r->call->count, i) join_row(r, args, i, out);
}

static enum status bind_join(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    bool fits = (c->count == 2 || c->count == 3) && c->args[0]->kind == T_ARRAY &&
                type_is_string(c->args[0]->children[0]);
    bool null = fits && c->args[0]->nullable;

    (void)session;
    for (uint32_t i = 1; fits && i < c->count; i++) {
        fits = type_is_string(c->args[i]) || c->args[i]->kind == T_NULL;
        null |= c->args[i]->nullable || c->args[i]->kind == T_NULL;
        if (c->args[i]->kind == T_NULL) c->args[i] = &type_string;
    }
    if (!fits) return fn_refuse(c, "an ARRAY of text, what stands between the texts, and perhaps what stands for NULL", e);
    c->result = type_with_null(a, &type_string, null);
    c->run = join_texts;
    return S_OK;
}

static const struct fn_def functions[] = {
    {.name = "ARRAY_JOIN",
     .usage = "ARRAY_JOIN(array, separator[, text for NULL])",
     .doc = "the texts as one, with a text between them; a third text stands for NULL",
     .flags = FN_MAY_FAIL,
     .bind = bind_join,
     .examples = FN_EXAMPLES({"ARRAY_JOIN(ARRAY['a', 'b', NULL], '-')", "a-b"},
                             {"ARRAY_JOIN(ARRAY['a', 'b', NULL], '-', '?')", "a-b-?"})},
    {.name = "ARRAY_MAX",
     .usage = "ARRAY_MAX(array)",
     .doc = "the greatest element; NULLs do not count",
     .flags = FN_MAY_BE_NULL,
     .bind = bind_max,
     .examples = FN_EXAMPLES({"ARRAY_MAX(ARRAY[1, 3, 2])", "3"})},
    {.name = "ARRAY_MIN",
     .usage = "ARRAY_MIN(array)",
     .doc = "the least element; NULLs do not count",
     .flags = FN_MAY_BE_NULL,
     .bind = bind_min,
     .examples = FN_EXAMPLES({"ARRAY_MIN(ARRAY[2, 1, 3])", "1"})},
    {.name = "ARRAY_SORT",
     .usage = "ARRAY_SORT(array[, ascending[, nulls first]])",
     .doc = "the elements in order: ascending unless FALSE follows; then NULLs first or not",
     .bind = bind_sort,
     .open = sorter_open,
     .close = sorter_close,
     .examples = FN_EXAMPLES({"ARRAY_SORT(ARRAY[2, NULL, 1])", "[NULL, 1, 2]"},
                             {"ARRAY_SORT(ARRAY[2, 1, 3], FALSE)", "[3, 2, 1]"})},
    {0},
};

const struct fn_type fn_array_order = {.name = "array_order",
                                       .doc = "arrays by the order of their elements",
                                       .example = "ARRAY_SORT(ARRAY[2, 1])",
                                       .functions = functions};
