/* test_nested_rows.c - rows with nested values through the public C API: sources and sinks in C, rows of the program, a ROW as
 * key, side outputs, windows, broadcast and operator state, tw_collect_to, the harness, what is refused. */
#include <thalweg/thalweg.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ORDERS = 300 };

struct place {
    struct tw_str town;
    int32_t zip;
};
struct order {
    struct place to;
    int64_t time;
    struct tw_array amounts; /* DECIMAL(38, 2) */
    struct tw_map notes;     /* STRING -> ARRAY<INT> */
    uint64_t nulls;
};
TW_ROW(order, TW_FIELD(order, to, "ROW<town STRING, zip INT> NOT NULL"), TW_FIELD(order, time, "TIMESTAMP(3) NOT NULL"),
       TW_FIELD(order, amounts, "ARRAY<DECIMAL(38, 2)>"), TW_FIELD(order, notes, "MAP<STRING, ARRAY<INT>>"),
       TW_NULLS(order, nulls));
struct key {
    struct place to;
};
TW_ROW(key, TW_FIELD(key, to, "ROW<town STRING, zip INT> NOT NULL"));

static const struct tw_str towns[] = {{"Ulm", 3}, {"a town of more than twelve bytes", 32}};
static const int32_t numbers[] = {1, 2, 3};
static const struct tw_array notes[] = {{numbers, NULL, 3}, {numbers, NULL, 1}};

/* Arrays lie in tw_scratch, maps in static memory. */
static enum tw_status read_orders(struct tw_context *cx, void *rows, uint32_t max, uint32_t *count, bool *end)
{
    struct order *o = rows;
    int64_t *next = tw_self(cx);

    for (; *count < max && *next < ORDERS; ++*next, ++*count, o++) {
        struct tw_decimal *amounts = tw_scratch(cx, sizeof *amounts * 2);
        amounts[0] = tw_decimal_of(*next);
        amounts[1] = tw_decimal_put((tw_int128)INT64_MAX * 1000000);
        *o = (struct order){.to = {towns[*next % 2], 1}, .time = *next * 10, .amounts = {amounts, NULL, 2}};
        o->notes = (struct tw_map){towns, notes, NULL, (uint32_t)(*next % 3)};
        o->nulls = *next == 0 ? 1 << 2 : 0;
    }
    *end = *next == ORDERS;
    return TW_OK;
}
TW_FUNCTION(nested_orders) = {.out = &order_row, .source = read_orders, .self_size = sizeof(int64_t)};

/* Keeps pointers to rows while it walks: the window's row with most notes goes out, the first one to the side. */
static enum tw_status busiest(struct tw_context *cx, const struct tw_window *w, struct tw_elements *e)
{
    const struct order *first = tw_next(e), *best = first, *o;

    (void)w;
    while ((o = tw_next(e)) != NULL)
        if (o->notes.count > best->notes.count) best = o;
    tw_collect(cx, best);
    tw_side_output(cx, 0, first);
    return TW_OK;
}
TW_FUNCTION(nested_busiest) = {.in = &order_row,
                               .out = &order_row,
                               .key = &key_row,
                               .sides = {&order_row},
                               .side_names = {"first"},
                               .window = busiest};

struct seen {
    uint32_t rows, notes;
    tw_int128 sum;
    int32_t numbers;
};

static void look(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms)
{
    const struct order *o = row;
    const struct tw_array *lists = o->notes.values;
    const struct tw_decimal *amounts = o->amounts.items;
    struct seen *s = arg;

    (void)kind;
    (void)time_ms;
    assert_true(tw_str_equal(o->to.town, towns[o->time / 10 % 2]));
    s->rows++;
    s->notes += o->notes.count;
    for (uint32_t i = 0; i < o->amounts.count; i++) s->sum += tw_decimal_get(amounts[i]);
    for (uint32_t i = 0; i < o->notes.count; i++) {
        assert_true(tw_str_equal(((const struct tw_str *)o->notes.keys)[i], towns[i]));
        for (uint32_t k = 0; k < lists[i].count; k++) s->numbers += ((const int32_t *)lists[i].items)[k];
    }
}

static enum tw_status take(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    const struct order *o = in;

    tw_counter_add(cx, "amounts", o->amounts.count);
    return kind == TW_INSERT ? TW_OK : TW_FAILED;
}
TW_FUNCTION(nested_take) = {.in = &order_row, .sink = take};

static void sources_windows_and_sinks(void **state)
{
    struct tw_env *env = tw_env_create();
    struct seen all = {0}, best = {0}, first = {0};

    (void)state;
    tw_quiet(env, true);
    tw_set_parallelism(env, 2);
    struct tw_stream *s = tw_with_watermarks(tw_parallelism(tw_source_function(env, "orders", &nested_orders), 1),
                                             .kind = TW_WM_BOUNDED, .time_field = "time");
    struct tw_stream *w = tw_window_process(tw_key_by(s, "to"), TW_TUMBLE(1000), &nested_busiest, NULL);
    tw_collect_to(s, &order_row, look, &all);
    tw_collect_to(w, &order_row, look, &best);
    tw_collect_to(tw_side(w, "first"), &order_row, look, &first);
    tw_sink_function(s, "take", &nested_take);
    assert_int_equal(tw_execute(env, "nested"), 0);
    assert_true(all.rows == ORDERS && all.notes == ORDERS && all.numbers == 100 * 6 + 100 * 7);
    assert_true(all.sum == (tw_int128)INT64_MAX * 1000000 * (ORDERS - 1) + ORDERS * (ORDERS - 1) / 2);
    assert_true(best.rows == 6 && best.notes == 12);
    assert_true(first.rows == 6);
    tw_env_free(env);
}

/* --- broadcast and operator state ------------------------------------------------------------------------------------ */
static const struct tw_state rules = {
    .name = "rules", .kind = TW_BROADCAST, .map_key = "ROW<town STRING, zip INT>", .value = "MAP<STRING, ARRAY<INT>>"};
static const struct tw_state log_state = {.name = "log", .kind = TW_OPERATOR_LIST, .value = "ROW", .row = &order_row};

static enum tw_status with_rule(struct tw_context *cx, const void *in)
{
    const struct order *o = in;
    struct order out = *o, kept;

    tw_list_add(cx, &log_state, o);
    if (!tw_map_get(cx, &rules, &o->to, &out.notes)) out.nulls |= 1 << 3;
    if (!tw_list_get(cx, &log_state, 0, &kept)) return tw_fail(cx, "nothing was kept");
    out.amounts = kept.amounts; /* of the first row */
    tw_collect(cx, &out);
    return TW_OK;
}

static enum tw_status rule(struct tw_context *cx, const void *in)
{
    const struct order *o = in;

    tw_map_put(cx, &rules, &o->to, &o->notes);
    return TW_OK;
}
TW_FUNCTION(nested_ruled) = {.in = &order_row,
                             .in2 = &order_row,
                             .out = &order_row,
                             .states = {&rules, &log_state},
                             .process = with_rule,
                             .process2 = rule};

static struct tw_stream *ruled_graph(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    (void)arg;
    return tw_broadcast_process(in, in2, &nested_ruled);
}

static void broadcast_and_operator_state(void **state)
{
    struct tw_harness *h = tw_harness_create(ruled_graph, NULL, &order_row, &order_row);
    struct tw_decimal amounts[] = {tw_decimal_of(150), tw_decimal_of(-5)};
    uint64_t second = 2;
    struct order plain = {.to = {towns[0], 7}, .amounts = {amounts, &second, 2}},
                 other = {.to = {towns[1], 7}, .amounts = {amounts, NULL, 2}},
                 ruling = {.to = {towns[0], 7}, .notes = {towns, notes, NULL, 2}};

    (void)state;
    assert_string_equal(tw_harness_error(h), "");
    tw_push(h, 0, &plain, 1);
    tw_push(h, 1, &ruling, 2);
    tw_push(h, 0, &plain, 3);
    tw_push(h, 0, &other, 4);
    assert_string_equal(tw_harness_error(h), "");
    assert_string_equal(tw_output(h, false),
                        "+I[+I[Ulm, 7], 1970-01-01T00:00, [1.50, null], null]@1\n"
                        "+I[+I[Ulm, 7], 1970-01-01T00:00, [1.50, null], {Ulm=[1, 2, 3], a town of more than twelve "
                        "bytes=[1]}]@3\n"
                        "+I[+I[a town of more than twelve bytes, 7], 1970-01-01T00:00, [1.50, null], null]@4\n");
    plain.amounts.items = NULL;
    assert_int_equal(tw_push(h, 0, &plain, 5), 1);
    assert_non_null(
        strstr(tw_harness_error(h), "tw_push: field 'amounts' of row type 'order': an array or map has a count"));
    tw_harness_free(h);
}

/* --- mistakes ----------------------------------------------------------------------------------------------------------- */
struct wrong {
    struct tw_array items;
};
TW_ROW(wrong, TW_FIELD(wrong, items, "MAP<STRING, INT>"));
struct list {
    struct tw_array amounts;
};
TW_ROW(list, TW_FIELD(list, amounts, "ARRAY<BIGINT>"));
static enum tw_status nothing(struct tw_context *cx, const void *in)
{
    (void)cx;
    (void)in;
    return TW_OK;
}
TW_FUNCTION(nested_lists) = {.in = &list_row, .out = &list_row, .process = nothing};

static void mistakes_are_refused(void **state)
{
    struct wrong none = {{NULL, NULL, 0}};
    struct order lost = {.to = {towns[0], 1}, .amounts = {NULL, NULL, 2}}, good = {.to = {towns[0], 1}};
    struct order nulls = {.nulls = 1};
    struct tw_env *env;

    (void)state;
#define REFUSED(text, graph)                                                                                           \
    env = tw_env_create();                                                                                             \
    tw_quiet(env, true);                                                                                                     \
    graph;                                                                                                             \
    assert_int_equal(tw_execute(env, "refused"), 1);                                                                   \
    if (strstr(tw_error(env), text) == NULL) fail_msg("%s", tw_error(env));                                            \
    tw_env_free(env)
    REFUSED("row type 'wrong', field 'items': MAP<STRING, INT> takes 32 bytes in C, but the struct's member has 24",
            tw_print(tw_from_data(env, &wrong_row, &none, 1)));
    REFUSED("tw_from_data: row 0, field 'amounts' of row type 'order': an array or map has a count",
            tw_print(tw_from_data(env, &order_row, &lost, 1)));
    REFUSED("tw_from_data: row 0, field 'to' of row type 'order': it is NULL, but its type says NOT NULL",
            tw_print(tw_from_data(env, &order_row, &nulls, 1)));
    REFUSED("field 'amounts' of stream 'data' is a collection and cannot be a key",
            tw_print(tw_process(tw_key_by(tw_from_data(env, &order_row, &good, 1), "amounts"), &nested_lists)));
    REFUSED("row type 'list', field 'amounts' is ARRAY<BIGINT> NOT NULL, but the stream's column 'amounts' is "
            "ARRAY<DECIMAL(38, 2)>",
            tw_print(tw_process(tw_from_data(env, &order_row, &good, 1), &nested_lists)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_windows_and_sinks),
        cmocka_unit_test(broadcast_and_operator_state),
        cmocka_unit_test(mistakes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
