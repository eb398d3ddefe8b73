/* fn_map.c - maps taken apart, made of arrays and of text, and united; text split into an array.
 *
 * Entries keep their order. Of equal keys the last value counts, but for MAP_FROM_ARRAYS, which keeps what it is given, as Flink
 * does. STR_TO_MAP cuts as Java's String.split: empty parts at the end are dropped. */
#include "columns/function/nested.h"

#include "columns/column/type_rules.h"
#include "columns/function/fn_text.h"
#include "ground/base/str.h"

#include <string.h>

static bool is_map(const struct fn_call *c) { return c->count == 1 && c->args[0]->kind == T_MAP; }

/* --- parts of a map ---------------------------------------------------------------------------------------------- */
static void take_side(const struct fn_run *r, const struct vector *map, uint32_t side, struct vector *out)
{
    FN_EACH_VALID(r, &map, 1, i)
    {
        list_begin(out, i);
        list_add_all(r, out, 0, list_at(map, i, side));
        list_end(out, i);
    }
}

static void map_keys(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    take_side(r, args[0], 0, out);
}
static void map_values(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    take_side(r, args[0], 1, out);
}

static enum status bind_side(struct fn_call *c, struct arena *a, struct err *e, uint32_t side)
{
    if (!is_map(c)) return fn_refuse(c, "a MAP", e);
    c->result = type_list(a, T_ARRAY, c->args[0]->children[side], NULL, c->args[0]->nullable);
    c->run = side == 0 ? map_keys : map_values;
    return S_OK;
}

static enum status bind_keys(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    return bind_side(c, a, e, 0);
}

static enum status bind_values(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    return bind_side(c, a, e, 1);
}

static void map_entries(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct vector *rows = &out->children[0];

    FN_EACH_VALID(r, args, 1, i)
    {
        uint32_t count = list_at(args[0], i, 0).count;
        list_begin(out, i);
        vector_child_reserve(out, rows->used + count, r->mem);
        for (uint32_t side = 0; side < 2 && count > 0; side++) {
            struct list from = list_at(args[0], i, side);
            vector_copy_run(&rows->children[side], rows->used, from.items, from.first, count, r->heap, r->mem);
        }
        rows->used += count;
        list_end(out, i);
    }
}

static enum status bind_entries(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    static const char *const names[] = {"key", "value"};

    (void)session;
    if (!is_map(c)) return fn_refuse(c, "a MAP", e);
    c->result = type_list(a, T_ARRAY, type_row(a, 2, names, c->args[0]->children, true), NULL, c->args[0]->nullable);
    c->run = map_entries;
    return S_OK;
}

/* --- maps of arrays and of maps ---------------------------------------------------------------------------------- */
static void from_arrays(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 2, i)
    {
        struct list keys = list_at(args[0], i, 0), values = list_at(args[1], i, 0);
        list_begin(out, i);
        if (keys.count == values.count) {
            list_add_all(r, out, 0, keys);
            list_add_all(r, out, 1, values);
        } else {
            row_error(r->errors, i, FN_BAD_ARGUMENT, "the arrays of keys and of values have not the same length");
        }
        list_end(out, i);
    }
}

static enum status bind_from_arrays(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    if (c->count != 2 || c->args[0]->kind != T_ARRAY || c->args[1]->kind != T_ARRAY)
        return fn_refuse(c, "an ARRAY of keys and one of values", e);
    c->result = type_list(a, T_MAP, c->args[0]->children[0], c->args[1]->children[0],
                          c->args[0]->nullable || c->args[1]->nullable);
    c->run = from_arrays;
    return S_OK;
}

static void unite(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, r->call->count, i)
    {
        uint64_t most = 0;
        for (uint32_t k = 0; k < r->call->count; k++) most += list_at(args[k], i, 0).count;
        map_begin(r->state, out, i, most);
        for (uint32_t k = 0; k < r->call->count; k++) {
            struct list keys = list_at(args[k], i, 0), values = list_at(args[k], i, 1);
            for (uint32_t j = 0; j < keys.count; j++)
                map_put(r, r->state, out, keys.items, keys.first + j, values.items, values.first + j);
        }
        list_end(out, i);
    }
}

static enum status bind_union(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    const struct type *common = c->count > 0 && c->args[0]->kind == T_MAP ? type_common_of(a, c->args, c->count) : NULL;

    (void)session;
    if (common == NULL) return fn_refuse(c, "maps of one type", e);
    for (uint32_t i = 0; i < c->count; i++)
        if (!type_equal_ignoring_null(c->args[i], common)) c->args[i] = type_with_null(a, common, c->args[i]->nullable);
    c->result = common;
    c->run = unite;
    return S_OK;
}

/* --- text -------------------------------------------------------------------------------------------------------- */
/* The argument outlives the result: its bytes are not copied. */
static void add_text(const struct fn_run *r, struct vector *out, uint32_t child, struct str s)
{
    struct vector *items = &out->children[child];

    if (items->used == items->capacity) vector_child_reserve(out, items->used + 1, r->mem);
    VECTOR_VALUES(items, struct text)[items->used++] = text_view(s.data, s.size);
}

/* The part before the next separator; an empty separator parts single characters. False behind the last one. */
static bool next_part(struct str s, struct str between, size_t *at, struct str *part)
{
    if (*at > s.size) return false;
    struct str rest = str_part(s, *at, s.size);
    if (between.size == 0) {
        if (rest.size == 0) return false;
        size_t next = point_next(s, *at);
        *part = str_part(s, *at, next);
        *at = next;
        return true;
    }
    const char *found = rest.size == 0 ? NULL : memmem(rest.data, rest.size, between.data, between.size);
    size_t end = found != NULL ? (size_t)(found - s.data) : s.size;
    *part = str_part(s, *at, end);
    *at = found != NULL ? end + between.size : s.size + 1;
    return true;
}

static void split(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 2, i)
    {
        struct str s = fn_str(args[0], i), between = fn_str(args[1], i), part;
        list_begin(out, i);
        for (size_t at = 0; s.size > 0 && next_part(s, between, &at, &part);) add_text(r, out, 0, part);
        list_end(out, i);
    }
}

/* Separators of STR_TO_MAP are regular expressions in Flink. Those that stand for one text are taken: no character with a meaning,
 * or a backslash before it. */
static bool separator_of(const struct fn_run *r, uint32_t row, struct str given, struct str *out)
{
    char *bytes = memchr(given.data, '\\', given.size) == NULL ? NULL : text_reserve(r->heap, given.size);
    size_t size = 0;

    *out = given;
    for (size_t i = 0; i < given.size; i++) {
        char c = given.data[i];
        bool escaped = c == '\\' && i + 1 < given.size;
        if (escaped) c = given.data[++i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (escaped ? letter : memchr(".$|()[{^?*+\\", c, 12) != NULL) {
            row_error(
                r->errors, row, FN_BAD_ARGUMENT,
                "the separators of STR_TO_MAP are texts: a character of regular expressions stands behind a backslash");
            return false;
        }
        if (bytes != NULL) bytes[size++] = c;
    }
    if (bytes != NULL) *out = (struct str){bytes, size};
    return true;
}

/* One "key=value" as an entry; without a separator the value is NULL. A key that is there gets the new value. */
static void put_pair(const struct fn_run *r, struct vector *out, struct str pair, struct str between)
{
    struct value_set *set = r->state;
    struct vector *keys = &out->children[0], *values = &out->children[1];
    size_t at = 0;
    struct str key = pair;

    bool cut = pair.size > 0 && next_part(pair, between, &at, &key) &&
               (between.size == 0 ? at < pair.size : at <= pair.size);
    add_text(r, out, 0, cut ? key : pair);
    uint32_t found = value_set_find(set, keys, keys->used - 1);
    if (found != VALUE_NONE) {
        keys->used--;
    } else {
        found = keys->used - 1;
        add_text(r, out, 1, (struct str){NULL, 0});
        value_set_add(set, keys, found);
    }
    vector_set_valid(values, found);
    if (cut)
        VECTOR_VALUES(values, struct text)[found] = text_view(pair.data + at, pair.size - at);
    else
        vector_set_null(values, found);
}

static void read_map(const struct fn_run *r, uint32_t row, struct str s, struct str entries, struct str between,
                     struct vector *out)
{
    struct str part;
    bool empty = false;

    map_begin(r->state, out, row, s.size + 1);
    for (size_t at = 0; s.size > 0 && next_part(s, entries, &at, &part);) {
        if (part.size > 0 && empty) put_pair(r, out, (struct str){s.data, 0}, between);
        empty = part.size == 0; /* empty parts count only before others: Java's split drops those at the end */
        if (!empty) put_pair(r, out, part, between);
    }
    list_end(out, row);
}

static void str_to_map(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct str entries = STR(","), between = STR("=");

    FN_EACH_VALID(r, args, r->call->count, i)
    {
        bool good = r->call->count == 1 || (separator_of(r, i, fn_str(args[1], i), &entries) &&
                                            separator_of(r, i, fn_str(args[2], i), &between));
        if (good) read_map(r, i, fn_str(args[0], i), entries, between, out);
    }
}

static const struct fn_def functions[] = {
    {.name = "MAP_ENTRIES",
     .usage = "MAP_ENTRIES(map)",
     .doc = "the entries of a map as rows of key and value",
     .bind = bind_entries,
     .examples = FN_EXAMPLES({"MAP_ENTRIES(MAP['a', 1])", "[(a, 1)]"})},
    {.name = "MAP_FROM_ARRAYS",
     .usage = "MAP_FROM_ARRAYS(keys, values)",
     .doc = "a map of an array of keys and one of values, of equal length",
     .flags = FN_MAY_FAIL,
     .bind = bind_from_arrays,
     .examples = FN_EXAMPLES({"MAP_FROM_ARRAYS(ARRAY['a', 'b'], ARRAY[1, 2])", "{a=1, b=2}"})},
    {.name = "MAP_KEYS",
     .usage = "MAP_KEYS(map)",
     .doc = "the keys of a map",
     .bind = bind_keys,
     .examples = FN_EXAMPLES({"MAP_KEYS(MAP['a', 1, 'b', 2])", "[a, b]"})},
    {.name = "MAP_UNION",
     .usage = "MAP_UNION(map, ...)",
     .doc = "the entries of all maps; of equal keys the last counts",
     .bind = bind_union,
     .open = value_set_open,
     .close = value_set_close,
     .examples = FN_EXAMPLES({"MAP_UNION(MAP['a', 1], MAP['a', 2, 'b', 3])", "{a=2, b=3}"})},
    {.name = "MAP_VALUES",
     .usage = "MAP_VALUES(map)",
     .doc = "the values of a map",
     .bind = bind_values,
     .examples = FN_EXAMPLES({"MAP_VALUES(MAP['a', 1, 'b', 2])", "[1, 2]"})},
    {.name = "SPLIT",
     .doc = "the parts of a text between separators; its characters when the separator is empty",
     .overloads = FN_OVERLOADS({"STRING, STRING -> ARRAY<STRING>", split}),
     .examples = FN_EXAMPLES({"SPLIT('a,b', ',')", "[a, b]"})},
    {.name = "STR_TO_MAP",
     .doc = "a map of a text such as 'k=v,l=w'; the separators of entries, and of key and value, may follow",
     .flags = FN_MAY_FAIL | FN_MAY_BE_NULL,
     .open = value_set_open,
     .close = value_set_close,
     .overloads = FN_OVERLOADS({"STRING -> MAP<STRING, STRING>", str_to_map},
                               {"STRING, STRING, STRING -> MAP<STRING, STRING>", str_to_map}),
     .examples = FN_EXAMPLES({"STR_TO_MAP('k=v,l=w')", "{k=v, l=w}"},
                             {"STR_TO_MAP('k:v;l:w', ';', ':')", "{k=v, l=w}"})},
    {0},
};

const struct fn_type fn_map = {.name = "map",
                               .doc = "maps of, and as, arrays and text",
                               .example = "MAP_KEYS(MAP['a', 1])",
                               .functions = functions};
