/* fn_array.c - arrays searched, changed, and put together as sets. Order and text of arrays are fn_array_order.c.
 *
 * A NULL element is a value like others: it is found, removed and kept once. Elements that are looked for, or added, are cast to
 * the array's; arrays that meet are cast to their common type. Sets keep the order of the first array. */
#include "columns/function/nested.h"

#include "columns/column/type_rules.h"
#include "columns/function/fn_text.h"
#include "ground/base/str.h"

static uint32_t find_from(struct list list, uint32_t from, const struct vector *v, uint32_t row)
{
    while (from < list.count && vector_compare(list.items, list.first + from, v, row) != 0) from++;
    return from;
}

/* Rows whose arrays are all there; the others become NULL. */
#define FN_EACH_ARRAY(r, args, n, out, i)                                                                              \
    FN_EACH(r, i)                                                                                                      \
    if (fn_is_null((args), (n), i))                                                                                    \
        vector_set_null((out), i);                                                                                     \
    else

/* --- searching --------------------------------------------------------------------------------------------------- */
static void contains(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_ARRAY(r, args, 1, out, i)
    {
        struct list list = list_at(args[0], i, 0);
        VECTOR_VALUES(out, bool)[i] = find_from(list, 0, args[1], i) < list.count;
    }
}

static void position(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 2, i)
    {
        struct list list = list_at(args[0], i, 0);
        uint32_t at = find_from(list, 0, args[1], i);
        VECTOR_VALUES(out, int32_t)[i] = at < list.count ? (int32_t)at + 1 : 0;
    }
}

/* --- changing ---------------------------------------------------------------------------------------------------- */
static void remove_equal(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_ARRAY(r, args, 1, out, i)
    {
        struct list list = list_at(args[0], i, 0);
        list_begin(out, i);
        for (uint32_t from = 0, at; from < list.count; from = at + 1) {
            at = find_from(list, from, args[1], i);
            list_add_all(r, out, 0, (struct list){list.items, list.first + from, at - from});
        }
        list_end(out, i);
    }
}

static void append(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_ARRAY(r, args, 1, out, i)
    {
        list_begin(out, i);
        list_add_all(r, out, 0, list_at(args[0], i, 0));
        list_add(r, out, 0, args[1], i);
        list_end(out, i);
    }
}

static void prepend(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_ARRAY(r, args, 1, out, i)
    {
        list_begin(out, i);
        list_add(r, out, 0, args[1], i);
        list_add_all(r, out, 0, list_at(args[0], i, 0));
        list_end(out, i);
    }
}

static void reverse(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 1, i)
    {
        struct list list = list_at(args[0], i, 0);
        list_begin(out, i);
        for (uint32_t k = list.count; k > 0; k--) list_add(r, out, 0, list.items, list.first + k - 1);
        list_end(out, i);
    }
}

/* From 1 on; negative ones count from the end: -1 is the last. What comes out as 0 is 1, as in Flink. */
static int64_t place_of(int32_t given, uint32_t count)
{
    int64_t place = given < 0 ? (int64_t)count + given + 1 : given;
    return place == 0 ? 0 : place - 1;
}

static void slice(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, r->call->count, i)
    {
        struct list list = list_at(args[0], i, 0);
        int64_t from = place_of(fn_int(args[1], i), list.count);
        int64_t to = r->call->count == 2 ? (int64_t)list.count - 1 : place_of(fn_int(args[2], i), list.count);
        bool none = to < from || to < 0 || from >= list.count;
        from = MAX(from, 0);
        to = MIN(to, (int64_t)list.count - 1);
        list_begin(out, i);
        if (!none)
            list_add_all(r, out, 0, (struct list){list.items, list.first + (uint32_t)from, (uint32_t)(to - from + 1)});
        list_end(out, i);
    }
}

static void concat(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, r->call->count, i)
    {
        list_begin(out, i);
        for (uint32_t k = 0; k < r->call->count; k++) list_add_all(r, out, 0, list_at(args[k], i, 0));
        list_end(out, i);
    }
}

/* --- sets -------------------------------------------------------------------------------------------------------- */
static void add_new(const struct fn_run *r, struct vector *out, struct list list)
{
    for (uint32_t k = 0; k < list.count; k++)
        if (value_set_add(r->state, list.items, list.first + k)) list_add(r, out, 0, list.items, list.first + k);
}

/* ARRAY_DISTINCT of one, ARRAY_UNION of two. */
static void unite(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, r->call->count, i)
    {
        uint64_t most = 0;
        for (uint32_t k = 0; k < r->call->count; k++) most += list_at(args[k], i, 0).count;
        value_set_begin(r->state, most);
        list_begin(out, i);
        for (uint32_t k = 0; k < r->call->count; k++) add_new(r, out, list_at(args[k], i, 0));
        list_end(out, i);
    }
}

static void except(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 2, i)
    {
        struct list list = list_at(args[0], i, 0), other = list_at(args[1], i, 0);
        value_set_begin(r->state, (uint64_t)list.count + other.count);
        for (uint32_t k = 0; k < other.count; k++) value_set_add(r->state, other.items, other.first + k);
        list_begin(out, i);
        add_new(r, out, list);
        list_end(out, i);
    }
}

/* Elements of the other array are in the set, each to be taken once. */
static void intersect(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 2, i)
    {
        struct list list = list_at(args[0], i, 0), other = list_at(args[1], i, 0);
        value_set_begin(r->state, other.count);
        for (uint32_t k = 0; k < other.count; k++) value_set_add(r->state, other.items, other.first + k);
        list_begin(out, i);
        for (uint32_t k = 0; k < list.count; k++)
            if (value_set_take(r->state, list.items, list.first + k)) list_add(r, out, 0, list.items, list.first + k);
        list_end(out, i);
    }
}

/* --- binding ----------------------------------------------------------------------------------------------------- */
static bool is_array(const struct fn_call *c, uint32_t i) { return i < c->count && c->args[i]->kind == T_ARRAY; }

/* (array, element): the element is cast to the array's. */
static enum status element_arg(struct fn_call *c, struct arena *a, struct err *e)
{
    if (c->count != 2 || !is_array(c, 0)) return fn_refuse(c, "an ARRAY and an element", e);
    c->args[1] = type_with_null(a, c->args[0]->children[0], c->args[1]->nullable || c->args[1]->kind == T_NULL);
    return S_OK;
}

static enum status bind_contains(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    TRY(element_arg(c, a, e));
    c->result = type_with_null(a, &type_boolean, c->args[0]->nullable);
    c->run = contains;
    return S_OK;
}

static enum status bind_position(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    TRY(element_arg(c, a, e));
    c->result = type_with_null(a, &type_int, c->args[0]->nullable || c->args[1]->nullable);
    c->run = position;
    return S_OK;
}

static enum status bind_remove(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    TRY(element_arg(c, a, e));
    c->result = c->args[0];
    c->run = remove_equal;
    return S_OK;
}

/* ARRAY_APPEND, ARRAY_PREPEND: the elements may be NULL when the new one may. */
static enum status bind_longer(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    TRY(element_arg(c, a, e));
    const struct type *element = c->args[0]->children[0];
    element = type_with_null(a, element, element->nullable || c->args[1]->nullable);
    c->result = type_list(a, T_ARRAY, element, NULL,
                          c->args[0]->nullable || c->args[1]->nullable); /* as Flink's type */
    c->run = str_ends(str_of(c->def->name), STR("PREPEND")) ? prepend : append;
    return S_OK;
}

static enum status bind_same(struct fn_call *c, struct err *e, fn_kernel run)
{
    if (c->count != 1 || !is_array(c, 0)) return fn_refuse(c, "an ARRAY", e);
    c->result = c->args[0];
    c->run = run;
    return S_OK;
}

static enum status bind_distinct(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    (void)a;
    return bind_same(c, e, unite);
}

static enum status bind_reverse(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    (void)a;
    return bind_same(c, e, reverse);
}

static enum status bind_slice(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    bool fits = (c->count == 2 || c->count == 3) && is_array(c, 0), null = fits && c->args[0]->nullable;

    (void)session;
    for (uint32_t i = 1; fits && i < c->count; i++) {
        fits = type_casts_implicitly(c->args[i], &type_int);
        null |= c->args[i]->nullable || c->args[i]->kind == T_NULL;
        c->args[i] = type_with_null(a, &type_int, c->args[i]->nullable || c->args[i]->kind == T_NULL);
    }
    if (!fits) return fn_refuse(c, "an ARRAY, the first place and perhaps the last, as INT", e);
    c->result = type_with_null(a, c->args[0], null);
    c->run = slice;
    return S_OK;
}

static const struct fn_by_name {
    const char *name;
    fn_kernel run;
} of_arrays[] = {
    {"ARRAY_CONCAT", concat}, {"ARRAY_UNION", unite}, {"ARRAY_EXCEPT", except}, {"ARRAY_INTERSECT", intersect}};

/* Arrays of one type: cast to the common one where they differ in more than what may be NULL. */
static enum status bind_arrays(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    const struct type *common = is_array(c, 0) ? type_common_of(a, c->args, c->count) : NULL;

    (void)session;
    for (size_t k = 0; k < COUNT_OF(of_arrays); k++)
        if (str_equal(str_of(c->def->name), str_of(of_arrays[k].name))) c->run = of_arrays[k].run;
    if (common == NULL || (c->count != 2 && c->run != concat)) return fn_refuse(c, "arrays of one type", e);
    for (uint32_t i = 0; i < c->count; i++)
        if (!type_equal_ignoring_null(c->args[i], common)) c->args[i] = type_with_null(a, common, c->args[i]->nullable);
    c->result = common;
    return S_OK;
}

#define SETS .open = value_set_open, .close = value_set_close
static const struct fn_def functions[] = {
    {.name = "ARRAY_APPEND",
     .usage = "ARRAY_APPEND(array, element)",
     .doc = "the array, then the element",
     .nulls = FN_OWN_NULLS,
     .bind = bind_longer,
     .examples = FN_EXAMPLES({"ARRAY_APPEND(ARRAY[1, 2], 3)", "[1, 2, 3]"})},
    {.name = "ARRAY_CONCAT",
     .usage = "ARRAY_CONCAT(array, ...)",
     .doc = "the arrays one after the other",
     .bind = bind_arrays,
     .examples = FN_EXAMPLES({"ARRAY_CONCAT(ARRAY[1], ARRAY[2, 1])", "[1, 2, 1]"})},
    {.name = "ARRAY_CONTAINS",
     .usage = "ARRAY_CONTAINS(array, element)",
     .doc = "is the element in the array? NULL finds NULL",
     .nulls = FN_OWN_NULLS,
     .bind = bind_contains,
     .examples = FN_EXAMPLES({"ARRAY_CONTAINS(ARRAY[1, 2], 2)", "TRUE"})},
    {.name = "ARRAY_DISTINCT",
     .usage = "ARRAY_DISTINCT(array)",
     .doc = "each element once",
     .bind = bind_distinct,
     SETS,
     .examples = FN_EXAMPLES({"ARRAY_DISTINCT(ARRAY[2, 1, 2])", "[2, 1]"})},
    {.name = "ARRAY_EXCEPT",
     .usage = "ARRAY_EXCEPT(array, array)",
     .doc = "each element of the first array that is not in the second, once",
     .bind = bind_arrays,
     SETS,
     .examples = FN_EXAMPLES({"ARRAY_EXCEPT(ARRAY[1, 2, 3], ARRAY[2])", "[1, 3]"})},
    {.name = "ARRAY_INTERSECT",
     .usage = "ARRAY_INTERSECT(array, array)",
     .doc = "each element that is in both arrays, once",
     .bind = bind_arrays,
     SETS,
     .examples = FN_EXAMPLES({"ARRAY_INTERSECT(ARRAY[1, 2, 3], ARRAY[3, 2])", "[2, 3]"})},
    {.name = "ARRAY_POSITION",
     .usage = "ARRAY_POSITION(array, element)",
     .doc = "where the element is first, from 1 on; 0 when it is not there",
     .bind = bind_position,
     .examples = FN_EXAMPLES({"ARRAY_POSITION(ARRAY[5, 6], 6)", "2"})},
    {.name = "ARRAY_PREPEND",
     .usage = "ARRAY_PREPEND(array, element)",
     .doc = "the element, then the array",
     .nulls = FN_OWN_NULLS,
     .bind = bind_longer,
     .examples = FN_EXAMPLES({"ARRAY_PREPEND(ARRAY[1, 2], 3)", "[3, 1, 2]"})},
    {.name = "ARRAY_REMOVE",
     .usage = "ARRAY_REMOVE(array, element)",
     .doc = "the array without the elements that are equal",
     .nulls = FN_OWN_NULLS,
     .bind = bind_remove,
     .examples = FN_EXAMPLES({"ARRAY_REMOVE(ARRAY[1, 2, 1], 1)", "[2]"})},
    {.name = "ARRAY_REVERSE",
     .usage = "ARRAY_REVERSE(array)",
     .doc = "the last element first",
     .bind = bind_reverse,
     .examples = FN_EXAMPLES({"ARRAY_REVERSE(ARRAY[1, 2, 3])", "[3, 2, 1]"})},
    {.name = "ARRAY_SLICE",
     .usage = "ARRAY_SLICE(array, first[, last])",
     .doc = "the elements from one place to another; negative places count from the end",
     .bind = bind_slice,
     .examples = FN_EXAMPLES({"ARRAY_SLICE(ARRAY[1, 2, 3, 4], 2, 3)", "[2, 3]"},
                             {"ARRAY_SLICE(ARRAY[1, 2, 3, 4], -2)", "[3, 4]"})},
    {.name = "ARRAY_UNION",
     .usage = "ARRAY_UNION(array, array)",
     .doc = "each element of both arrays once",
     .bind = bind_arrays,
     SETS,
     .examples = FN_EXAMPLES({"ARRAY_UNION(ARRAY[1, 2], ARRAY[2, 3])", "[1, 2, 3]"})},
    {0},
};

const struct fn_type fn_array = {.name = "array",
                                 .doc = "arrays searched, changed and united",
                                 .example = "ARRAY_CONTAINS(ARRAY[1, 2], 2)",
                                 .functions = functions};
