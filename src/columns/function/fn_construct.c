/* fn_construct.c - values made of values, and their parts: ARRAY[..], MAP[..], ROW(..), a[i], m[k], r.f, CARDINALITY, ELEMENT.
 *
 * The elements of an array, the keys and the values of a map have one type: the common one, to which all are cast. A map keeps
 * each key once, with the last value. What is not there is NULL: an index beyond the end, a key without entry. */
#include "columns/function/nested.h"

#include "columns/column/type_rules.h"
#include "columns/function/fn_text.h"
#include "ground/base/str.h"

/* --- ARRAY and MAP ----------------------------------------------------------------------------------------------- */
static void make_array(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH(r, i)
    {
        list_begin(out, i);
        for (uint32_t k = 0; k < r->call->count; k++) list_add(r, out, 0, args[k], i);
        list_end(out, i);
    }
}

static void make_map(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH(r, i)
    {
        map_begin(r->state, out, i, r->call->count / 2);
        for (uint32_t k = 0; k < r->call->count; k += 2) map_put(r, r->state, out, args[k], i, args[k + 1], i);
        list_end(out, i);
    }
}

/* The common type of every step-th argument; they are cast to it. NULL: there is none. */
static const struct type *common_of(struct fn_call *c, struct arena *a, uint32_t first, uint32_t step)
{
    const struct type *common = c->args[first];

    for (uint32_t i = first; common != NULL && i < c->count; i += step) common = type_common(a, common, c->args[i]);
    if (common == NULL || common->kind == T_NULL) return NULL;
    for (uint32_t i = first; i < c->count; i += step)
        c->args[i] = type_with_null(a, common, c->args[i]->nullable || c->args[i]->kind == T_NULL);
    return common;
}

static enum status no_common(const char *what, struct err *e)
{
    err_hint(e, "cast them to one type; a NULL alone has none: CAST(NULL AS type)");
    return err_set(e, E_GRAPH, "%s must be of one type", what);
}

static enum status bind_array(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    if (c->count == 0) return err_set(e, E_GRAPH, "ARRAY[...] takes one value at least");
    const struct type *element = common_of(c, a, 0, 1);
    if (element == NULL) return no_common("the elements of ARRAY[...]", e);
    c->result = type_list(a, T_ARRAY, element, NULL, false);
    c->run = make_array;
    return S_OK;
}

static enum status bind_map(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    if (c->count == 0 || c->count % 2 != 0)
        return err_set(e, E_GRAPH, "MAP[...] takes keys and values in turn, one pair at least");
    const struct type *key = common_of(c, a, 0, 2), *value = common_of(c, a, 1, 2);
    if (key == NULL || value == NULL)
        return no_common(key == NULL ? "the keys of MAP[...]" : "the values of MAP[...]", e);
    c->result = type_list(a, T_MAP, key, value, false);
    c->run = make_map;
    return S_OK;
}

/* --- ROW --------------------------------------------------------------------------------------------------------- */
static void make_row(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    for (uint32_t k = 0; k < r->call->count; k++) nested_put_column(r, &out->children[k], args[k]);
}

static enum status bind_row(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    const char **names = ARENA_ARRAY(a, const char *, MAX(c->count, 1u));

    (void)session;
    if (c->count == 0) return fn_wrong_count("ROW", "1 or more", e);
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->args[i]->kind == T_NULL) {
            err_hint(e, "write CAST(NULL AS type)");
            return err_set(e, E_GRAPH, "a NULL in ROW(...) needs a type");
        }
        names[i] = arena_printf(a, "EXPR$%u", i);
    }
    c->result = type_row(a, c->count, names, c->args, false);
    c->run = make_row;
    return S_OK;
}

static void take_field(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    const uint32_t *field = r->call->plan;
    const struct vector *from = &args[0]->children[*field];

    nested_put_column(r, out, from);
}

/* Flat values need no copy. */
static const struct vector *field_stands(const struct fn_call *c, const struct vector *const *args)
{
    const uint32_t *field = c->plan;
    const struct vector *from = args[0]->form == VEC_FLAT ? &args[0]->children[*field] : NULL;

    return from != NULL && from->form == VEC_FLAT && from->child_count == 0 ? from : NULL;
}

static enum status bind_field(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    uint32_t *field = ARENA_NEW(a, uint32_t);

    (void)session;
    if (c->count != 2 || c->args[0]->kind != T_ROW || c->constants[1] == NULL || !type_is_string(c->args[1]))
        return err_set(e, E_GRAPH, "only a ROW has fields");
    struct str name = fn_str(c->constants[1], 0);
    int found = type_field(c->args[0], name);
    if (found < 0) {
        char names[TYPE_NAMES_TEXT_MAX];
        type_names_list(c->args[0], names);
        err_hint(e, "the row has: %s", names);
        return err_set(e, E_GRAPH, "Unknown field '%.*s'", (int)MIN(name.size, (size_t)100), name.data);
    }
    *field = (uint32_t)found;
    const struct type *type = c->args[0]->children[found];
    c->result = type_with_null(a, type, type->nullable || c->args[0]->nullable);
    c->plan = field;
    c->run = take_field;
    c->borrow = field_stands;
    return S_OK;
}

/* --- a[i], m[k] -------------------------------------------------------------------------------------------------- */
static void take_element(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 2, i)
    {
        struct list list = list_at(args[0], i, 0);
        int32_t at = fn_int(args[1], i);
        if (at >= 1 && (uint32_t)at <= list.count)
            nested_put(r, out, i, list.items, list.first + (uint32_t)at - 1);
        else
            vector_set_null(out, i);
    }
}

static void take_entry(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 2, i)
    {
        struct list keys = list_at(args[0], i, 0);
        uint32_t k = 0;
        while (k < keys.count && vector_compare(keys.items, keys.first + k, args[1], i) != 0) k++;
        if (k < keys.count)
            nested_put(r, out, i, list_at(args[0], i, 1).items, keys.first + k);
        else
            vector_set_null(out, i);
    }
}

static enum status bind_element_at(struct fn_call *c, struct arena *a, struct err *e)
{
    bool whole = c->args[1]->kind >= T_TINYINT && c->args[1]->kind <= T_INT;
    const struct vector *known = c->constants[1];

    if (!whole && c->args[1]->kind != T_NULL)
        return err_set(e, E_GRAPH, "an element of an ARRAY is taken by an INT, as in a[1]");
    if (known != NULL && known->phys == P_I32 && !vector_is_null(known, 0) && VECTOR_VALUES(known, int32_t)[0] < 1)
        return err_set(e, E_GRAPH, "Array element access needs an index starting at 1 but was %d.",
                       VECTOR_VALUES(known, int32_t)[0]);
    c->args[1] = type_with_null(a, &type_int, c->args[1]->nullable || !whole);
    c->run = take_element;
    c->result = type_with_null(a, c->args[0]->children[0], true);
    return S_OK;
}

/* The key that is looked up and those of the map meet in one type; texts compare whatever their lengths. */
static enum status bind_entry_at(struct fn_call *c, struct arena *a, struct err *e)
{
    const struct type *map = c->args[0], *key = map->children[0];
    const struct type *common = type_common(a, key, c->args[1]);
    bool null = c->args[1]->nullable || c->args[1]->kind == T_NULL,
         texts = type_is_string(key) && type_is_string(c->args[1]);

    if (common == NULL) return err_set(e, E_GRAPH, "a value of that type is no key of the MAP");
    if (!texts) c->args[1] = type_with_null(a, common, null);
    if (!texts && !type_equal_ignoring_null(key, common))
        c->args[0] = type_list(a, T_MAP, type_with_null(a, common, key->nullable), map->children[1], map->nullable);
    c->run = take_entry;
    c->result = type_with_null(a, map->children[1], true);
    return S_OK;
}

static enum status bind_item(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    if (c->count == 2 && c->args[0]->kind == T_ARRAY) return bind_element_at(c, a, e);
    if (c->count == 2 && c->args[0]->kind == T_MAP) return bind_entry_at(c, a, e);
    return fn_refuse(c, "an ARRAY and a place in it, or a MAP and a key: list[1], map['k']", e);
}

/* --- CARDINALITY and ELEMENT ------------------------------------------------------------------------------------- */
static void count_elements(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 1, i) VECTOR_VALUES(out, int32_t)[i] = (int32_t)list_at(args[0], i, 0).count;
}

static enum status bind_cardinality(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    if (c->count != 1 || c->args[0]->phys != P_LIST)
        return c->count != 1 ? fn_wrong_count("CARDINALITY", "1", e) : fn_refuse(c, "an ARRAY, MAP or MULTISET", e);
    c->result = type_with_null(a, &type_int, c->args[0]->nullable);
    c->run = count_elements;
    return S_OK;
}

static void only_element(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 1, i)
    {
        struct list list = list_at(args[0], i, 0);
        if (list.count > 1)
            row_error(r->errors, i, FN_BAD_ARGUMENT, "Array has more than one element.");
        else if (list.count == 1)
            nested_put(r, out, i, list.items, list.first);
        else
            vector_set_null(out, i);
    }
}

static enum status bind_element(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    if (c->count != 1) return fn_wrong_count("ELEMENT", "1", e);
    if (c->args[0]->kind != T_ARRAY) return fn_refuse(c, "an ARRAY", e);
    c->result = type_with_null(a, c->args[0]->children[0], true);
    c->run = only_element;
    return S_OK;
}

static const struct fn_def functions[] = {
    {.name = "ARRAY",
     .usage = "ARRAY[value, ...]",
     .doc = "written ARRAY[a, b]: the values as an array",
     .nulls = FN_OWN_NULLS,
     .bind = bind_array,
     .examples = FN_EXAMPLES({"ARRAY[1, NULL, 3]", "[1, NULL, 3]"})},
    {.name = "MAP",
     .usage = "MAP[key, value, ...]",
     .doc = "written MAP[k, v, l, w]: keys and their values; of equal keys the last counts",
     .nulls = FN_OWN_NULLS,
     .bind = bind_map,
     .open = value_set_open,
     .close = value_set_close,
     .examples = FN_EXAMPLES({"MAP['a', 1, 'b', 2]", "{a=1, b=2}"})},
    {.name = "ROW",
     .usage = "ROW(value, ...), (value, value, ...)",
     .doc = "written ROW(a, b) or (a, b): the values as fields",
     .nulls = FN_OWN_NULLS,
     .bind = bind_row,
     .examples = FN_EXAMPLES({"ROW(1, 'x')", "(1, x)"})},
    {.name = "FIELD",
     .flags = FN_SYNTAX,
     .doc = "written r.f: a field of a row",
     .bind = bind_field,
     .examples = FN_EXAMPLES({"ROW(1, 'x').EXPR$1", "x"})},
    {.name = "ITEM",
     .doc = "written a[i] or m[k]: an element, from 1 on, or the value of a key; NULL when there is none",
     .flags = FN_MAY_BE_NULL | FN_SYNTAX,
     .bind = bind_item,
     .examples = FN_EXAMPLES({"ARRAY[1, 2, 3][2]", "2"}, {"MAP['a', 1]['a']", "1"})},
    {.name = "CARDINALITY",
     .usage = "CARDINALITY(array), CARDINALITY(map)",
     .doc = "how many elements or entries there are",
     .bind = bind_cardinality,
     .examples = FN_EXAMPLES({"CARDINALITY(ARRAY[1, 2])", "2"})},
    {.name = "ELEMENT",
     .usage = "ELEMENT(array)",
     .doc = "the only element of an array; NULL of an empty one",
     .flags = FN_MAY_FAIL | FN_MAY_BE_NULL,
     .bind = bind_element,
     .examples = FN_EXAMPLES({"ELEMENT(ARRAY[7])", "7"})},
    {0},
};

const struct fn_type fn_construct = {.name = "construct",
                                     .doc = "arrays, maps and rows, and their parts",
                                     .example = "ARRAY[1, 2][1]",
                                     .functions = functions};
