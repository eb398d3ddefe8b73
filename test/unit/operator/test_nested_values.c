/* test_nested_values.c - functions whose rows and states hold arrays, maps, structs and decimals of 38 digits: what is read
 * from state is changed and set again, every kind of state, and what is refused. Each test runs with batches of one row, of
 * three and whole, on a backend that answers at once and on one that never does. */
#include "support/op_driver.h"
#include "support/rows.h"

#include <thalweg/context.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint32_t sizes[] = {0, 1, 3};
static const char *const backends[] = {"hashmap", "pending"};

struct item {
    uint64_t nulls;
    struct tw_str name;
    int32_t n;
};
TW_ROW(item, TW_NULLS(item, nulls), TW_FIELD(item, name, "STRING NOT NULL"), TW_FIELD(item, n, "INT"));
struct order {
    struct tw_str user;
    struct tw_array tags;
    struct tw_decimal price;
    struct item best;
    struct tw_array items;
    struct tw_map props;
    uint64_t nulls;
};
#define ORDER_FIELDS(S)                                                                                                \
    TW_FIELD(S, user, "STRING NOT NULL"), TW_FIELD(S, tags, "ARRAY<STRING>"), TW_FIELD(S, price, "DECIMAL(38, 2)"),    \
        TW_FIELD_OF(S, best, "ROW", item), TW_FIELD_OF(S, items, "ARRAY<ROW>", item),                                  \
        TW_FIELD(S, props, "MAP<STRING, BIGINT>"), TW_NULLS(S, nulls)
TW_ROW(order, ORDER_FIELDS(order));
struct user {
    struct tw_str user;
};
TW_ROW(user, TW_FIELD(user, user, "STRING NOT NULL"));
#define ORDERS                                                                                                         \
    "ROW<user STRING NOT NULL, tags ARRAY<STRING>, price DECIMAL(38, 2), best ROW<name STRING NOT NULL, n INT>, "      \
    "items ARRAY<ROW<name STRING NOT NULL, n INT>>, props MAP<STRING NOT NULL, BIGINT>>"
#define ROW_1                                                                                                          \
    "ann | [a, \"a tag of some length\"] | 999999999999999999999999999999999999.99 | (pen, 1) | [(pen, 1), (ink, "     \
    "null)] | {a=1, b=null}\n"
#define ROW_2 "bob | null | null | null | null | null\n"
#define ROW_3 "ann | [null, c] | -0.01 | (\"a name of some length\", null) | [] | {}\n"
#define ROW_4 "ann | [] | 1.00 | (cup, 3) | [null, (cup, 3)] | {long=123456789012}\n"

typedef void (*scenario)(struct op_driver *d);

static void run_all(const char *operator, const struct tw_function * f, scenario s)
{
    struct function_config c = {{.name = "f", .fn = f}};

    for (uint32_t b = 0; b < COUNT_OF(backends); b++) {
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find(operator),
                                                                      .config = &c,
                                                                      .in = ORDERS,
                                                                      .keys = "user",
                                                                      .batch_rows = sizes[i],
                                                                      .backend = backends[b]});
            assert_string_equal(op_driver_error(d), "");
            s(d);
            op_driver_free(d);
        }
    }
}

/* --- rows through callbacks ---------------------------------------------------------------------------------------- */
static enum tw_status pass(struct tw_context *cx, const void *in)
{
    struct order copy = *(const struct order *)in;

    tw_collect(cx, in);
    memset(&copy.best, 0xee, sizeof copy.best); /* nobody looks at what is NULL */
    copy.nulls |= 1 << 3;
    tw_collect(cx, &copy);
    return TW_OK;
}
TW_FUNCTION(passing) = {.in = &order_row, .out = &order_row, .process = pass};

static void pass_scenario(struct op_driver *d)
{
    op_push(d, 0, ROW_1 ROW_2 ROW_3 ROW_4);
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(op_output(d), "+I[ann, [a, a tag of some length], 999999999999999999999999999999999999.99, "
                                      "+I[pen, 1], [+I[pen, 1], +I[ink, null]], "
                                      "{a=1, b=null}]\n"
                                      "+I[ann, [a, a tag of some length], 999999999999999999999999999999999999.99, "
                                      "null, [+I[pen, 1], +I[ink, null]], "
                                      "{a=1, b=null}]\n"
                                      "+I[bob, null, null, null, null, null]\n"
                                      "+I[bob, null, null, null, null, null]\n"
                                      "+I[ann, [null, c], -0.01, +I[a name of some length, null], [], {}]\n"
                                      "+I[ann, [null, c], -0.01, null, [], {}]\n"
                                      "+I[ann, [], 1.00, +I[cup, 3], [null, +I[cup, 3]], {long=123456789012}]\n"
                                      "+I[ann, [], 1.00, null, [null, +I[cup, 3]], {long=123456789012}]\n");
}

static void rows_pass_through(void **state)
{
    (void)state;
    run_all("process", &passing, pass_scenario);
}

static enum tw_status pass_map(struct tw_context *cx, const void *in, void *out)
{
    (void)cx;
    memcpy(out, in, sizeof(struct order));
    return TW_OK;
}
TW_FUNCTION(mapping) = {.in = &order_row, .out = &order_row, .map = pass_map};

static void map_scenario(struct op_driver *d)
{
    static char many[8000];
    char expected[8000] = "";

    many[0] = 0;
    for (int i = 0; i < 100; i++) { /* more than a block of structs */
        strcat(many, i % 2 ? ROW_2 : "ann | [x] | 1.00 | null | null | null\n");
        strcat(expected, i % 2 ? "+I[bob, null, null, null, null, null]\n" : "+I[ann, [x], 1.00, null, null, null]\n");
    }
    op_push(d, 0, many);
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(op_output(d), expected);
}

static void maps_fill_nested_fields(void **state)
{
    (void)state;
    run_all("map", &mapping, map_scenario);
}

/* --- value, list and map state ------------------------------------------------------------------------------------------ */
static const struct tw_state tags_state = {.name = "tags", .kind = TW_VALUE, .value = "ARRAY<STRING>"};
static const struct tw_state items_state = {.name = "items", .kind = TW_LIST, .value = "ROW", .row = &item_row};
static const struct tw_state best_state = {.name = "best", .kind = TW_VALUE, .value = "ARRAY<ROW>", .row = &item_row};
static const struct tw_state props_state = {
    .name = "props", .kind = TW_MAP, .map_key = "ARRAY<STRING>", .value = "MAP<STRING, BIGINT>"};

/* Puts tags behind those that are kept: strings of state go back into the state that they come from. */
static struct tw_array tags_keep(struct tw_context *cx, const struct order *o, struct tw_str *all, uint64_t *nulls)
{
    struct tw_array kept = {0};
    uint32_t count = 0;

    tw_value_get(cx, &tags_state, &kept);
    *nulls = 0;
    for (uint32_t part = 0; part < 2; part++) {
        struct tw_array from = part == 0 ? o->tags : kept;
        for (uint32_t i = 0; i < from.count && count < 6; i++) {
            if (tw_is_null(from.nulls, i)) *nulls |= UINT64_C(1) << count;
            all[count++] = ((const struct tw_str *)from.items)[i];
        }
    }
    kept = (struct tw_array){all, nulls, count};
    tw_value_set(cx, &tags_state, &kept);
    tw_value_get(cx, &tags_state, &kept);
    return kept;
}

static enum tw_status remember(struct tw_context *cx, const void *in)
{
    const struct order *o = in;
    struct order out = {.user = o->user, .nulls = 1 << 2};
    struct tw_str all[6];
    struct item items[8];
    uint64_t nulls;
    struct tw_array best = {0}, names = {0};

    out.tags = tags_keep(cx, o, all, &nulls);
    for (uint32_t i = 0; i < o->items.count; i++)
        if (!tw_is_null(o->items.nulls, i)) tw_list_add(cx, &items_state, (const struct item *)o->items.items + i);
    for (out.items.count = 0; tw_list_get(cx, &items_state, out.items.count, &items[out.items.count]);)
        out.items.count++;
    out.items.items = items;
    if (!tw_value_get(cx, &best_state, &best) || best.count == 0)
        out.nulls |= 1 << 3;
    else
        out.best = *(const struct item *)best.items; /* of the row before */
    names.items = o->tags.items;
    names.nulls = o->tags.nulls;
    names.count = o->tags.count;
    if (!tw_map_get(cx, &props_state, &names, &out.props)) out.nulls |= 1 << 5;
    if (!(o->nulls >> 5 & 1)) tw_map_put(cx, &props_state, &names, &o->props);
    tw_collect(cx, &out);
    /* Only now: strings that were read hold until their state is changed. */
    best = (struct tw_array){&o->best, NULL, o->nulls >> 3 & 1 ? 0 : 1};
    tw_value_set(cx, &best_state, &best);
    return TW_OK;
}
TW_FUNCTION(memory) = {.in = &order_row,
                       .out = &order_row,
                       .key = &user_row,
                       .states = {&tags_state, &items_state, &best_state, &props_state},
                       .process = remember};

static void remember_scenario(struct op_driver *d)
{
    op_push(d, 0, ROW_1 ROW_2 ROW_3 ROW_4);
    op_push(d, 0, ROW_1 ROW_3);
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(
        op_output(d),
        "+I[ann, [a, a tag of some length], null, null, [+I[pen, 1], +I[ink, null]], null]\n"
        "+I[bob, [], null, null, [], null]\n"
        "+I[ann, [null, c, a, a tag of some length], null, +I[pen, 1], [+I[pen, 1], +I[ink, null]], null]\n"
        "+I[ann, [null, c, a, a tag of some length], null, +I[a name of some length, null], [+I[pen, 1], +I[ink, "
        "null], "
        "+I[cup, 3]], null]\n"
        "+I[ann, [a, a tag of some length, null, c, a, a tag of some length], null, +I[cup, 3], [+I[pen, 1], +I[ink, "
        "null], "
        "+I[cup, 3], +I[pen, 1], +I[ink, null]], {a=1, b=null}]\n"
        "+I[ann, [null, c, a, a tag of some length, null, c], null, +I[pen, 1], [+I[pen, 1], +I[ink, null], +I[cup, "
        "3], "
        "+I[pen, 1], +I[ink, null]], {}]\n");
}

static void states_hold_nested_values(void **state)
{
    (void)state;
    run_all("process", &memory, remember_scenario);
}

/* A string of the old array goes into a field beside the new one, which takes the old one's place. */
struct moved {
    struct tw_array tags;
    struct tw_str last;
};
static const struct tw_state moved_state = {
    .name = "moved", .kind = TW_VALUE, .value = "ROW<tags ARRAY<STRING>, last STRING>"};

static enum tw_status move(struct tw_context *cx, const void *in)
{
    const struct order *o = in;
    struct order out = {.user = o->user, .nulls = 0x3c};
    struct moved m = {.last = TW_STR("none")};

    if (tw_value_get(cx, &moved_state, &m)) m.last = ((const struct tw_str *)m.tags.items)[m.tags.count - 1];
    m.tags = o->tags;
    tw_value_set(cx, &moved_state, &m);
    tw_value_get(cx, &moved_state, &m);
    out.tags = (struct tw_array){&m.last, NULL, 1};
    tw_collect(cx, &out);
    return TW_OK;
}
TW_FUNCTION(moving) = {
    .in = &order_row, .out = &order_row, .key = &user_row, .states = {&moved_state}, .process = move};

static void move_scenario(struct op_driver *d)
{
    op_push(d, 0,
            "ann | [x, the first of the long tags] | 1 | null | null | null\n"
            "ann | [y, the other of the long tags] | 1 | null | null | null\n");
    op_push(d, 0,
            "ann | [z, and the third one, is it no] | 1 | null | null | null\n"
            "ann | [short] | 1 | null | null | null\n");
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(op_output(d), "+I[ann, [none], null, null, null, null]\n"
                                      "+I[ann, [the first of the long tags], null, null, null, null]\n"
                                      "+I[ann, [the other of the long tags], null, null, null, null]\n"
                                      "+I[ann, [is it no], null, null, null, null]\n");
}

static void strings_of_the_old_value_may_be_kept(void **state)
{
    (void)state;
    run_all("process", &moving, move_scenario);
}

/* --- reducing and aggregating ------------------------------------------------------------------------------------------- */
struct tags {
    struct tw_array tags;
};
TW_ROW(tags, TW_FIELD(tags, tags, "ARRAY<STRING>"));
struct memory_of {
    struct tw_str texts[16]; /* what a callback hands back must live until it was taken */
};

static enum tw_status join_tags(struct tw_context *cx, const void *a, const void *b, void *out)
{
    const struct tw_array *x = a, *y = b;
    static struct memory_of m;

    (void)cx;
    assert_true(x->count + y->count <= 16 && x->nulls == NULL && y->nulls == NULL);
    if (x->count) memcpy(m.texts, x->items, x->count * sizeof *m.texts);
    if (y->count) memcpy(m.texts + x->count, y->items, y->count * sizeof *m.texts);
    *(struct tw_array *)out = (struct tw_array){m.texts, NULL, x->count + y->count};
    return TW_OK;
}
TW_FUNCTION(joined) = {.in = &tags_row, .reduce = join_tags};

struct total {
    struct tw_decimal sum;
    struct tw_array parts;
};
TW_ROW(total, TW_FIELD(total, sum, "DECIMAL(38, 2)"), TW_FIELD(total, parts, "ARRAY<DECIMAL(38, 2)>"));

static enum tw_status total_add(struct tw_context *cx, void *acc, const void *in)
{
    static struct tw_decimal parts[16];
    const struct order *o = in;
    struct total *t = acc;
    uint32_t n = t->parts.count;

    (void)cx;
    assert_true(n < 16);
    if (n) memcpy(parts, t->parts.items, n * sizeof *parts);
    parts[n] = o->price;
    t->parts = (struct tw_array){parts, NULL, n + 1};
    t->sum = tw_decimal_put(tw_decimal_get(t->sum) + tw_decimal_get(o->price));
    return TW_OK;
}
static enum tw_status total_result(struct tw_context *cx, const void *acc, void *out)
{
    (void)cx;
    *(struct total *)out = *(const struct total *)acc;
    return TW_OK;
}
TW_FUNCTION(totals) = {
    .in = &order_row, .acc = &total_row, .out = &total_row, .add = total_add, .result = total_result};

static const struct tw_state joined_state = {
    .name = "joined", .kind = TW_REDUCING, .value = "ARRAY<STRING>", .function = &joined};
static const struct tw_state total_state = {.name = "total", .kind = TW_AGGREGATING, .function = &totals};

struct summary {
    struct tw_str user;
    struct total total;
    struct tw_array tags;
};
TW_ROW(summary, TW_FIELD(summary, user, "STRING"), TW_FIELD_OF(summary, total, "ROW", total),
       TW_FIELD(summary, tags, "ARRAY<STRING>"));

static enum tw_status fold(struct tw_context *cx, const void *in)
{
    const struct order *o = in;
    struct summary out = {.user = o->user};

    tw_reducing_add(cx, &joined_state, &o->tags);
    tw_aggregating_add(cx, &total_state, o);
    tw_reducing_get(cx, &joined_state, &out.tags);
    tw_aggregating_get(cx, &total_state, &out.total);
    tw_collect(cx, &out);
    return TW_OK;
}
TW_FUNCTION(folding) = {
    .in = &order_row, .out = &summary_row, .key = &user_row, .states = {&joined_state, &total_state}, .process = fold};

static void fold_scenario(struct op_driver *d)
{
    op_push(d, 0, ROW_1 "bob | [b] | 1.00 | null | null | null\n" ROW_4);
    op_push(d, 0, "ann | [z] | -3.50 | null | null | null\n");
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(
        op_output(d), "+I[ann, +I[999999999999999999999999999999999999.99, [999999999999999999999999999999999999.99]], "
                      "[a, a tag of some length]]\n"
                      "+I[bob, +I[1.00, [1.00]], [b]]\n"
                      "+I[ann, +I[1000000000000000000000000000000000000.99, [999999999999999999999999999999999999.99, "
                      "1.00]], [a, a tag of some length]]\n"
                      "+I[ann, +I[999999999999999999999999999999999997.49, [999999999999999999999999999999999999.99, "
                      "1.00, -3.50]], [a, a tag of some length, z]]\n");
}

static void folds_hold_nested_values(void **state)
{
    (void)state;
    run_all("process", &folding, fold_scenario);
}

/* The rolling reduce keeps whole rows. */
static enum tw_status reduce_orders(struct tw_context *cx, const void *a, const void *b, void *out)
{
    const struct order *x = a, *y = b;
    struct order *o = out;

    (void)cx;
    *o = *x;
    o->tags = y->tags;
    o->nulls = x->nulls | (y->nulls & 1 << 1);
    o->price = tw_decimal_put(tw_decimal_get(x->price) + tw_decimal_get(y->price));
    return TW_OK;
}
TW_FUNCTION(reducing) = {.in = &order_row, .reduce = reduce_orders};

static void reduce_scenario(struct op_driver *d)
{
    op_push(d, 0, ROW_1 ROW_2 ROW_3 ROW_4);
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(
        op_output(d),
        "+I[ann, [a, a tag of some length], 999999999999999999999999999999999999.99, +I[pen, 1], [+I[pen, 1], +I[ink, "
        "null]], "
        "{a=1, b=null}]\n"
        "+I[bob, null, null, null, null, null]\n"
        "+I[ann, [null, c], 999999999999999999999999999999999999.98, +I[pen, 1], [+I[pen, 1], +I[ink, null]], {a=1, "
        "b=null}]\n"
        "+I[ann, [], 1000000000000000000000000000000000000.98, +I[pen, 1], [+I[pen, 1], +I[ink, null]], {a=1, "
        "b=null}]\n");
}

static void a_rolling_reduce_keeps_nested_values(void **state)
{
    (void)state;
    run_all("reduce", &reducing, reduce_scenario);
}

/* --- mistakes ----------------------------------------------------------------------------------------------------------- */
static enum tw_status emit_nothing_there(struct tw_context *cx, const void *in)
{
    struct order o = *(const struct order *)in;

    o.items = (struct tw_array){NULL, NULL, 3};
    tw_collect(cx, &o);
    return TW_OK;
}
TW_FUNCTION(lost_items) = {.in = &order_row, .out = &order_row, .process = emit_nothing_there};

static enum tw_status keep_nothing_there(struct tw_context *cx, const void *in)
{
    (void)in;
    tw_value_set(cx, &tags_state, &(struct tw_array){NULL, NULL, 3});
    return TW_OK;
}
TW_FUNCTION(lost_tags) = {
    .in = &order_row, .out = &order_row, .key = &user_row, .states = {&tags_state}, .process = keep_nothing_there};

struct strict {
    struct tw_str user;
    uint64_t nulls;
};
TW_ROW(strict, TW_FIELD(strict, user, "STRING NOT NULL"), TW_NULLS(strict, nulls));
static enum tw_status emit_null(struct tw_context *cx, const void *in)
{
    (void)in;
    tw_collect(cx, &(struct strict){.nulls = 1});
    return TW_OK;
}
TW_FUNCTION(null_user) = {.in = &order_row, .out = &strict_row, .process = emit_null};

/* Of these the last callback of the job is over when they are looked at. */
static enum tw_status fill_nothing_there(struct tw_context *cx, const void *in, void *out)
{
    (void)cx;
    *(struct order *)out = *(const struct order *)in;
    ((struct order *)out)->items = (struct tw_array){NULL, NULL, 3};
    return TW_OK;
}
static enum tw_status fill_no_text(struct tw_context *cx, const void *in, void *out)
{
    (void)cx;
    *(struct order *)out = *(const struct order *)in;
    ((struct order *)out)->user = (struct tw_str){NULL, 3};
    return TW_OK;
}
static enum tw_status select_no_text(struct tw_context *cx, const void *in, void *key)
{
    (void)cx, (void)in;
    ((struct user *)key)->user = (struct tw_str){NULL, 3};
    return TW_OK;
}
static enum tw_status result_no_text(struct tw_context *cx, const void *acc, void *out)
{
    (void)cx, (void)acc;
    ((struct user *)out)->user = (struct tw_str){NULL, 3};
    return TW_OK;
}
static enum tw_status add_nothing(struct tw_context *cx, void *acc, const void *in)
{
    (void)cx, (void)acc, (void)in;
    return TW_OK;
}
TW_FUNCTION(filled_items) = {.in = &order_row, .out = &order_row, .map = fill_nothing_there};
TW_FUNCTION(filled_user) = {.in = &order_row, .out = &order_row, .map = fill_no_text};
struct chosen {
    struct tw_str chosen;
};
TW_ROW(chosen, TW_FIELD(chosen, chosen, "STRING NOT NULL"));
TW_FUNCTION(no_key) = {.in = &order_row, .key = &chosen_row, .select_key = select_no_text};
TW_FUNCTION(no_answer) = {.in = &order_row,
                          .acc = &user_row,
                          .out = &user_row,
                          .key = &user_row,
                          .add = add_nothing,
                          .result = result_no_text};

static void mistakes_fail_with_a_sentence(void **state)
{
    static const struct {
        const char *operator;
        const struct tw_function *f;
        const char *error;
    } cases[] = {
        {"process", &lost_items,
         "row type 'order', field 'items': an array or map has a count, but no elements: items, keys "
         "or values is NULL"},
        {"process", &lost_tags,
         "state 'tags': a value cannot be kept: an array or map has a count, but no elements: items, "
         "keys or values is NULL"},
        {"process", &null_user, "row type 'strict', field 'user': it is NULL, but its type says NOT NULL"},
        {"map", &filled_items,
         "{a=1, b=null}]: row type 'order', field 'items': an array or map has a count, but no elements"},
        {"map", &filled_user, "row type 'order', field 'user': a string has a size, but its data is NULL"},
        {"key_by", &no_key, "row type 'chosen', field 'chosen': a string has a size, but its data is NULL"},
        {"partition_aggregate", &no_answer, "row type 'user', field 'user': a string has a size, but its data is NULL"},
    };

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
        struct function_config c = {{.name = "f", .fn = cases[i].f}};
        struct op_driver *d = op_driver_create(
            &(struct op_setup){.type = op_find(cases[i].operator), .config = &c, .in = ORDERS, .keys = "user"});
        if (op_driver_error(d)[0] == 0) op_push(d, 0, ROW_1);
        if (op_driver_error(d)[0] == 0) op_push_end(d);
        if (strstr(op_driver_error(d), cases[i].error) == NULL) fail_msg("%s", op_driver_error(d));
        op_driver_free(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_pass_through),
        cmocka_unit_test(maps_fill_nested_fields),
        cmocka_unit_test(states_hold_nested_values),
        cmocka_unit_test(strings_of_the_old_value_may_be_kept),
        cmocka_unit_test(folds_hold_nested_values),
        cmocka_unit_test(a_rolling_reduce_keeps_nested_values),
        cmocka_unit_test(mistakes_fail_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
