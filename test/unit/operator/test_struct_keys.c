/* test_struct_keys.c - described structs as keys of map state, nested fields in them: two keys are one when their fields are,
 * whatever lies in padding, in place of NULL and behind the last null bit, and in whatever order a map lists its entries. */
#include "support/op_driver.h"
#include "support/rows.h"

#include <thalweg/context.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct item {
    int8_t grade; /* padding behind */
    uint64_t nulls;
    struct tw_str name;
    int16_t n; /* and here */
};
TW_ROW(item, TW_FIELD(item, grade, "TINYINT NOT NULL"), TW_NULLS(item, nulls), TW_FIELD(item, name, "STRING"),
       TW_FIELD(item, n, "SMALLINT"));
struct place {
    bool open;
    double x;
    uint64_t nulls;
    float y;
    struct tw_timestamp at;
    struct tw_decimal price;
    struct tw_str street;
    struct item best;
    struct tw_array items;
    struct tw_map props;
    struct tw_array levels;
};
TW_ROW(place, TW_FIELD(place, open, "BOOLEAN"), TW_FIELD(place, x, "DOUBLE"), TW_NULLS(place, nulls), TW_FIELD(place, y, "FLOAT"),
       TW_FIELD(place, at, "TIMESTAMP(9)"), TW_FIELD(place, price, "DECIMAL(38, 2)"), TW_FIELD(place, street, "STRING"),
       TW_FIELD_OF(place, best, "ROW", item), TW_FIELD_OF(place, items, "ARRAY<ROW>", item),
       TW_FIELD(place, props, "MAP<STRING, DOUBLE>"), TW_FIELD(place, levels, "ARRAY<ARRAY<MULTISET<INT>>>"));
enum { OPEN, X, Y, AT, PRICE, STREET, BEST, ITEMS, PROPS, LEVELS };

struct visit {
    struct tw_str user;
    int32_t n, fill;
};
TW_ROW(visit, TW_FIELD(visit, user, "STRING NOT NULL"), TW_FIELD(visit, n, "INT NOT NULL"), TW_FIELD(visit, fill, "INT NOT NULL"));
#define VISITS "ROW<user STRING NOT NULL, n INT NOT NULL, fill INT NOT NULL>"
struct seen {
    int32_t n;
    int64_t count;
};
TW_ROW(seen, TW_FIELD(seen, n, "INT"), TW_FIELD(seen, count, "BIGINT"));

static const struct tw_state places_state = {
    .name = "places", .kind = TW_MAP, .map_key = "ROW", .key_row = &place_row, .value = "BIGINT"};

/* Room for what a key points to. */
struct parts {
    struct item items[3];
    uint64_t item_nulls;
    struct tw_str names[2];
    double numbers[2];
    uint64_t number_nulls;
    struct tw_map counts[2];
    struct tw_array inner[2];
    int32_t elements[2], times[2];
};

static double odd_nan(int32_t fill)
{
    uint64_t bits = UINT64_C(0x7ff8000000000000) | (uint32_t)fill | (uint64_t)(fill & 1) << 63;
    double x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

static void parts_fill(struct parts *p, struct place *k, int32_t fill)
{
    bool turned = fill & 1;

    p->items[0].grade = 1, p->items[0].nulls = ~UINT64_C(0) << 3 | 1u << 1 | 1u << 2; /* bits behind the last field, too */
    p->items[2].grade = 3, p->items[2].nulls = 0, p->items[2].name = TW_STR("a name longer than twelve"), p->items[2].n = -7;
    p->item_nulls = ~UINT64_C(0) << 3 | 1u << 1;
    p->names[turned] = TW_STR("width"), p->numbers[turned] = 0.5;
    p->names[!turned] = TW_STR("a"); /* NULL */
    p->number_nulls = ~UINT64_C(0) << 2 | 1u << !turned;
    p->elements[turned] = 300, p->times[turned] = 1, p->elements[!turned] = 5, p->times[!turned] = 2;
    p->counts[0] = (struct tw_map){p->elements, p->times, NULL, 2};
    p->counts[1] = (struct tw_map){NULL, NULL, NULL, 0};
    p->inner[0] = (struct tw_array){p->counts, NULL, 2};
    p->inner[1] = (struct tw_array){NULL, NULL, 0};
    k->best = p->items[2];
    k->items = (struct tw_array){p->items, &p->item_nulls, 3};
    k->props = (struct tw_map){p->names, p->numbers, &p->number_nulls, 2};
    k->levels = (struct tw_array){p->inner, NULL, 2};
}

/* Key number n. What does not belong to its fields is `fill`. */
static void key_make(int32_t n, int32_t fill, struct place *k, struct parts *p)
{
    memset(p, fill, sizeof *p);
    memset(k, fill, sizeof *k);
    k->open = true, k->x = 1.5, k->y = 2.5F, k->price = tw_decimal_of(-1), k->street = TW_STR("High Street, number 12");
    k->at.ms = 1000, k->at.ns = 5;
    k->nulls = ~UINT64_C(0) << 10;
    parts_fill(p, k, fill);
    switch (n) {
    case 1: k->x = odd_nan(fill), k->y = (float)odd_nan(fill); break;
    case 2: k->x = 0; break;
    case 3: k->x = -0.0; break;
    case 4: k->nulls |= 1u << BEST; break;
    case 5: k->items.count = 0; break;
    case 6: k->nulls |= 1u << ITEMS; break;
    case 7: p->items[2].n++; break;
    case 8: p->number_nulls &= ~UINT64_C(3), p->numbers[0] = p->numbers[1] = 0; break;
    case 9: p->times[0] = p->times[1] = 1; break;
    case 10: k->levels.count = 1; break;
    case 11: memset(k, fill, sizeof *k), k->nulls = (1u << 10) - 1; break;
    case 12: k->props.count = 1, p->names[0] = TW_STR("width"), p->numbers[0] = 0.5, p->number_nulls = 0; break;
    default: break;
    }
}

static enum tw_status visit_place(struct tw_context *cx, const void *in)
{
    const struct visit *v = in;
    struct seen out = {.n = v->n};
    struct parts parts;
    struct place key;

    key_make(v->n, v->fill, &key, &parts);
    if (v->n < 0) return tw_map_remove(cx, &places_state, &key) ? TW_OK : tw_fail(cx, "it was not there");
    tw_map_get(cx, &places_state, &key, &out.count);
    out.count++;
    tw_map_put(cx, &places_state, &key, &out.count);
    tw_collect(cx, &out);
    return TW_OK;
}
static const struct tw_row user_key = {"user", sizeof(struct tw_str), 1,
                                       (const struct tw_field[]){{"user", "STRING NOT NULL", 0, sizeof(struct tw_str), NULL}}};
TW_FUNCTION(counting) = {
    .in = &visit_row, .out = &seen_row, .key = &user_key, .states = {&places_state}, .process = visit_place};

static struct op_driver *driver(const struct tw_function *f, uint32_t batch_rows, const char *backend)
{
    static struct function_config c;

    c = (struct function_config){{.name = "f", .fn = f}};
    return op_driver_create(&(struct op_setup){.type = op_find("process"),
                                               .config = &c,
                                               .in = VISITS,
                                               .keys = "user",
                                               .batch_rows = batch_rows,
                                               .backend = backend});
}

static void equal_keys_are_one(void **state)
{
    static const char *const backends[] = {"hashmap", "pending"};
    static const int32_t fills[] = {0x00, 0xff, 0x41, 0x7e};

    (void)state;
    for (uint32_t b = 0; b < 4; b++) {
        struct op_driver *d = driver(&counting, b & 1, backends[b >> 1]);
        for (uint32_t f = 0; f < COUNT_OF(fills); f++) {
            for (int n = 0; n <= 12; n++) {
                char row[64], expected[64];
                snprintf(row, sizeof row, "ann | %d | %d\n", n, fills[f]);
                snprintf(expected, sizeof expected, "+I[%d, %u]\n", n, f + 1);
                op_push(d, 0, row);
                assert_string_equal(op_driver_error(d), "");
                assert_string_equal(op_output(d), expected);
            }
        }
        op_push(d, 0, "ann | -1 | 9\nann | 0 | 8\n"); /* -1 removes key 0 */
        assert_string_equal(op_output(d), "+I[0, 1]\n");
        assert_string_equal(op_driver_error(d), "");
        op_driver_free(d);
    }
}

/* --- keys come back ----------------------------------------------------------------------------------------------------- */
struct found {
    struct tw_str street;
    struct item best;
    struct tw_array items;
    struct tw_map props;
    struct tw_array levels;
    uint64_t nulls;
    int64_t count;
};
TW_ROW(found, TW_FIELD(found, street, "STRING"), TW_FIELD_OF(found, best, "ROW", item), TW_FIELD_OF(found, items, "ARRAY<ROW>", item),
       TW_FIELD(found, props, "MAP<STRING, DOUBLE>"), TW_FIELD(found, levels, "ARRAY<ARRAY<MULTISET<INT>>>"),
       TW_NULLS(found, nulls), TW_FIELD(found, count, "BIGINT NOT NULL"));

static enum tw_status list_places(struct tw_context *cx, const void *in)
{
    const struct visit *v = in;
    struct parts parts;
    struct place key;
    uint32_t cursor = 0;
    int64_t count = v->fill;

    key_make(v->n, v->fill, &key, &parts);
    tw_map_put(cx, &places_state, &key, &count);
    if (v->n != 11) return TW_OK;
    memset(&key, 0x77, sizeof key);
    while (tw_map_next(cx, &places_state, &cursor, &key, &count)) {
        struct found f = {key.street, key.best, key.items, key.props, key.levels, key.nulls >> STREET & 0x1f, count};
        tw_collect(cx, &f);
    }
    return TW_OK;
}
TW_FUNCTION(listing) = {
    .in = &visit_row, .out = &found_row, .key = &user_key, .states = {&places_state}, .process = list_places};

static void keys_come_back(void **state)
{
    (void)state;
    for (uint32_t size = 0; size < 2; size++) {
        struct op_driver *d = driver(&listing, size, NULL);
        op_push(d, 0, "ann | 0 | 1\nann | 5 | 2\nann | 4 | 3\nann | 0 | 4\nann | 11 | 5\n");
        assert_string_equal(op_driver_error(d), "");
        assert_string_equal(
            op_output(d),
            "+I[High Street, number 12, +I[3, a name longer than twelve, -7], [+I[1, null, null], null, +I[3, a name longer than "
            "twelve, -7]], {a=null, width=0.5}, [[{5=2, 300=1}, {}], []], 4]\n"
            "+I[High Street, number 12, +I[3, a name longer than twelve, -7], [], {a=null, width=0.5}, [[{5=2, 300=1}, {}], []], 2]\n"
            "+I[High Street, number 12, null, [+I[1, null, null], null, +I[3, a name longer than twelve, -7]], {a=null, width=0.5}, "
            "[[{5=2, 300=1}, {}], []], 3]\n"
            "+I[null, null, null, null, null, 5]\n");
        op_driver_free(d);
    }
}

/* --- structs inside keys, and mistakes ------------------------------------------------------------------------------------ */
static const struct tw_state lists_state = {
    .name = "lists", .kind = TW_MAP, .map_key = "MAP<STRING, ROW>", .key_row = &item_row, .value = "BIGINT"};

static enum tw_status visit_list(struct tw_context *cx, const void *in)
{
    const struct visit *v = in;
    bool turned = v->fill & 1;
    struct tw_str names[2];
    struct item items[2];
    uint64_t nulls = 1u << !turned;
    struct tw_map key = {names, items, &nulls, 2};
    struct seen out = {.n = v->n};

    memset(items, v->fill, sizeof items);
    names[turned] = TW_STR("one"), names[!turned] = TW_STR("none");
    items[turned].grade = (int8_t)v->n, items[turned].nulls = 0, items[turned].name = (struct tw_str){NULL, 0}, items[turned].n = 1;
    tw_map_get(cx, &lists_state, &key, &out.count);
    out.count++;
    tw_map_put(cx, &lists_state, &key, &out.count);
    tw_collect(cx, &out);
    return TW_OK;
}
TW_FUNCTION(list_counting) = {
    .in = &visit_row, .out = &seen_row, .key = &user_key, .states = {&lists_state}, .process = visit_list};

static void structs_in_keys_are_compared_by_fields(void **state)
{
    struct op_driver *d = driver(&list_counting, 0, NULL);

    (void)state;
    op_push(d, 0, "ann | 1 | 0\nann | 1 | 1\nann | 2 | 3\nann | 1 | 18\nann | 2 | 4\nbob | 1 | 4\n");
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(op_output(d), "+I[1, 1]\n+I[1, 2]\n+I[2, 1]\n+I[1, 3]\n+I[2, 2]\n+I[1, 1]\n");
    op_driver_free(d);
}

static enum tw_status strict_key(struct tw_context *cx, const void *in)
{
    struct tw_map key = {NULL, NULL, NULL, 1};

    (void)in;
    tw_map_put(cx, &lists_state, &key, &(int64_t){1});
    return TW_OK;
}
TW_FUNCTION(broken_key) = {.in = &visit_row, .out = &seen_row, .key = &user_key, .states = {&lists_state}, .process = strict_key};
static const struct tw_state no_bare_row = {
    .name = "plain", .kind = TW_MAP, .map_key = "BIGINT", .key_row = &item_row, .value = "BIGINT"};
TW_FUNCTION(no_bare) = {.in = &visit_row, .out = &seen_row, .key = &user_key, .states = {&no_bare_row}, .process = strict_key};
static const struct tw_state value_with_key = {.name = "v", .kind = TW_VALUE, .key_row = &item_row, .value = "BIGINT"};
TW_FUNCTION(keyed_value) = {.in = &visit_row, .out = &seen_row, .key = &user_key, .states = {&value_with_key}, .process = strict_key};

static void mistakes_fail_with_a_sentence(void **state)
{
    static const struct {
        const struct tw_function *f;
        const char *error;
    } cases[] = {
        {&broken_key, "state 'lists': a key cannot be kept: an array or map has a count, but no elements: items, keys or values is NULL"},
        {&no_bare, "map state 'plain': row type 'item' is given, but BIGINT has no bare ROW for it"},
        {&keyed_value, "value state 'v' has no keys of its own, but a .key_row"},
    };

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
        struct op_driver *d = driver(cases[i].f, 0, NULL);
        if (op_driver_error(d)[0] == 0) op_push(d, 0, "ann | 1 | 1\n");
        if (strstr(op_driver_error(d), cases[i].error) == NULL) fail_msg("%s", op_driver_error(d));
        op_driver_free(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_keys_are_one),
        cmocka_unit_test(keys_come_back),
        cmocka_unit_test(structs_in_keys_are_compared_by_fields),
        cmocka_unit_test(mistakes_fail_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
