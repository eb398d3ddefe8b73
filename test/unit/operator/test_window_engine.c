/* test_window_engine.c - the general window engine under op_window: sessions and their merging, global and count windows,
 * triggers, evictors, window functions over all rows, windowAll, late rows; every case with batches of one row and of many,
 * on the plain backend and on the one that is always pending. */
#include <thalweg/thalweg.h>

#include "support/window_functions.h"
#include "support/window_steps.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

extern const struct op_type op_window, op_window_columns;

struct listing {
    struct tw_str k, values;
    int64_t start, end;
};
TW_ROW(listing, TW_FIELD(listing, k, "STRING NOT NULL"), TW_FIELD(listing, values, "STRING NOT NULL"),
       TW_FIELD(listing, start, "BIGINT NOT NULL"), TW_FIELD(listing, end, "BIGINT NOT NULL"));
struct key {
    struct tw_str k;
};
TW_ROW(key, TW_FIELD(key, k, "STRING NOT NULL"));

struct memory {
    char text[4096];
};

/* All values of the window, in order. */
static enum tw_status list(struct tw_context *cx, const struct tw_window *w, struct tw_elements *elements)
{
    struct memory *m = tw_self(cx);
    size_t at = 0;
    const struct row *r;

    while ((r = tw_next(elements)) != NULL)
        at += (size_t)snprintf(m->text + at, sizeof m->text - at, "%s%lld", at ? " " : "", (long long)r->v);
    const struct key *k = tw_key(cx);
    struct listing out = {k ? k->k : tw_str_of("all"), {m->text, at}, w->start, w->end};
    tw_collect(cx, &out);
    return TW_OK;
}

static const struct tw_function listed = {
    .in = &row_row, .out = &listing_row, .key = &key_row, .self_size = sizeof(struct memory), .window = list};
static const struct tw_function listed_all = {
    .in = &row_row, .out = &listing_row, .self_size = sizeof(struct memory), .window = list};

/* More rows than a small batch holds: they go out over several calls, and the input is through only once. */
static enum tw_status spread(struct tw_context *cx, const struct tw_window *w, struct tw_elements *elements)
{
    struct sum out = {tw_element_count(elements), 0};

    (void)w;
    for (const struct row *r; (r = tw_next(elements)) != NULL;) out.total += r->v;
    for (int i = 0; i < 5; i++, out.n++) tw_collect(cx, &out);
    return TW_OK;
}
static const struct tw_function spreads = {.in = &row_row, .out = &sum_row, .window = spread};

static enum tw_status gap_of(struct tw_context *cx, const void *in, int64_t *gap)
{
    (void)cx;
    *gap = ((const struct row *)in)->v;
    return TW_OK;
}
static const struct tw_function gaps = {.in = &row_row, .session_gap = gap_of};

static void expect(const struct window_config *config, const struct step *steps, const char *expected)
{
    steps_expect(&op_window, config, "ROW<k STRING NOT NULL, v BIGINT NOT NULL>", steps, expected);
}

static void expect_columns(const struct window_config *config, const struct step *steps, const char *expected)
{
    steps_expect(&op_window_columns, config, "ROW<k STRING NOT NULL, v BIGINT NOT NULL>", steps, expected);
}

static void refused(const struct window_config *config, const char *why)
{
    struct op_setup setup = {
        .type = &op_window, .config = config, .in = "ROW<k STRING NOT NULL, v BIGINT NOT NULL>", .keys = "k"};
    struct op_driver *d = op_driver_create(&setup);

    assert_string_equal(op_driver_error(d), why);
    op_driver_free(d);
}

#define FN(f)                                                                                                          \
    {                                                                                                                  \
        .name = #f, .fn = &f                                                                                           \
    }
static void sessions_grow_and_merge(void **state)
{
    struct window_config c = {.function = FN(sums), .assigner = TW_SESSION, .gap_ms = 10};
    struct window_config l = {.function = FN(listed), .assigner = TW_SESSION, .gap_ms = 10};

    (void)state;
    expect(&c,
           STEPS({.rows = "@0 a | 1\n@30 a | 2\n@5 a | 4\n"}, {.watermark = 14}, {.rows = "@22 a | 8\n@16 a | 16\n"},
                 {.watermark = 100}),
           "+I[2, 5]@14\n+I[3, 26]@39\n");
    expect(&l, STEPS({.rows = "@0 a | 1\n@20 a | 2\n@10 a | 3\n@21 a | 4\n"}, {.watermark = 100}),
           "+I[a, 1 2 3 4, 0, 31]@30\n");
}

static void late_rows_of_sessions(void **state)
{
    struct window_config c = {.function = FN(sums), .assigner = TW_SESSION, .gap_ms = 10, .lateness_ms = 5};

    (void)state;
    expect(&c,
           STEPS({.rows = "@0 a | 1\n"}, {.watermark = 9}, {.rows = "@1 a | 2\n"}, {.watermark = 12},
                 {.rows = "@2 a | 4\n"}, {.watermark = 20}, {.rows = "@3 a | 8\n"}),
           "+I[1, 1]@9\n+I[2, 3]@10\n+I[3, 7]@11\nlate: +I[a, 8]@3\n");
}

static void gaps_come_from_rows(void **state)
{
    struct window_config c = {.function = FN(listed), .assigner = TW_SESSION, .assign = FN(gaps)};

    (void)state;
    expect(&c, STEPS({.rows = "@0 a | 5\n@100 a | 7\n@4 a | 3\n@3 a | 97\n"}), "+I[a, 5 3 7 97, 0, 107]@106\n");
}

static void count_windows(void **state)
{
    struct window_config c = {.function = FN(sums), .assigner = TW_COUNT, .count = 2, .trigger_count = 2};
    struct window_config s = {.function = FN(listed),
                              .assigner = TW_COUNT,
                              .count = 3,
                              .count_slide = 2,
                              .trigger_count = 2,
                              .evictor = TW_EVICT_COUNT,
                              .evictor_count = 3};

    (void)state;
    expect(&c, STEPS({.rows = "a | 1\na | 2\nb | 5\na | 4\na | 8\n"}),
           "+I[2, 3]@9223372036854775807\n+I[2, 12]@9223372036854775807\n");
    expect(&s, STEPS({.rows = "a | 1\na | 2\na | 3\na | 4\na | 5\na | 6\n"}),
           "+I[a, 1 2, -9223372036854775808, 9223372036854775807]@9223372036854775807\n"
           "+I[a, 2 3 4, -9223372036854775808, 9223372036854775807]@9223372036854775807\n"
           "+I[a, 4 5 6, -9223372036854775808, 9223372036854775807]@9223372036854775807\n");
}

static void one_firing_may_put_out_many_rows(void **state)
{
    struct window_config c = {.function = FN(spreads), .assigner = TW_COUNT, .count = 2, .trigger_count = 2};
    struct window_config t = {.function = FN(spreads), .assigner = TW_TUMBLING, .size_ms = 10};

    (void)state;
    expect(&c, STEPS({.rows = "a | 1\na | 2\na | 4\na | 8\n"}),
           "+I[2, 3]@9223372036854775807\n+I[3, 3]@9223372036854775807\n+I[4, 3]@9223372036854775807\n"
           "+I[5, 3]@9223372036854775807\n+I[6, 3]@9223372036854775807\n+I[2, 12]@9223372036854775807\n"
           "+I[3, 12]@9223372036854775807\n+I[4, 12]@9223372036854775807\n+I[5, 12]@9223372036854775807\n"
           "+I[6, 12]@9223372036854775807\n");
    expect(&t, STEPS({.rows = "@1 a | 1\n@2 a | 2\n"}, {.watermark = 9}),
           "+I[2, 3]@9\n+I[3, 3]@9\n+I[4, 3]@9\n+I[5, 3]@9\n+I[6, 3]@9\n");
}

static void window_functions_see_all_rows(void **state)
{
    struct window_config c = {.function = FN(listed), .assigner = TW_TUMBLING, .size_ms = 10, .lateness_ms = 5};
    struct window_config s = {.function = FN(listed), .assigner = TW_SLIDING, .size_ms = 10, .slide_ms = 5};
    struct window_config a = {.function = FN(listed_all), .assigner = TW_TUMBLING, .size_ms = 10, .all = true};

    (void)state;
    expect(&c,
           STEPS({.rows = "@1 a | 1\n@2 a | 2\n@11 a | 3\n"}, {.watermark = 9}, {.rows = "@3 a | 4\n"},
                 {.watermark = 14}, {.rows = "@4 a | 5\n"}),
           "+I[a, 1 2, 0, 10]@9\n+I[a, 1 2 4, 0, 10]@9\nlate: +I[a, 5]@4\n+I[a, 3, 10, 20]@19\n");
    expect(&s, STEPS({.rows = "@1 a | 1\n@6 a | 2\n"}), "+I[a, 1, -5, 5]@4\n+I[a, 1 2, 0, 10]@9\n+I[a, 2, 5, 15]@14\n");
    expect(&a, STEPS({.rows = "@1 a | 1\n@2 b | 2\n@11 c | 3\n"}), "+I[all, 1 2, 0, 10]@9\n+I[all, 3, 10, 20]@19\n");
}

static void triggers_fire(void **state)
{
    struct window_config c = {.function = FN(sums),
                              .assigner = TW_TUMBLING,
                              .size_ms = 100,
                              .trigger = TW_TRIGGER_CONTINUOUS_EVENT_TIME,
                              .trigger_interval_ms = 30};
    struct window_config p = c, d = {.function = FN(listed),
                                     .assigner = TW_GLOBAL,
                                     .trigger = TW_TRIGGER_DELTA,
                                     .trigger_threshold = 5,
                                     .trigger_function = FN(delta),
                                     .trigger_purging = true};
    struct window_config e = {.function = FN(sums), .assigner = TW_GLOBAL, .trigger = TW_TRIGGER_END_OF_STREAM};
    struct window_config n = {.function = FN(sums), .assigner = TW_GLOBAL};
    struct window_config t = {.function = FN(sums),
                              .assigner = TW_GLOBAL,
                              .trigger = TW_TRIGGER_PROCESSING_TIMEOUT,
                              .trigger_interval_ms = 10,
                              .trigger_count = 3,
                              .trigger_purging = true};

    (void)state;
    expect(&c,
           STEPS({.rows = "@40 a | 1\n"}, {.watermark = 59}, {.watermark = 60}, {.rows = "@61 a | 2\n"},
                 {.watermark = 90}),
           "+I[1, 1]@99\n+I[2, 3]@99\n+I[2, 3]@99\n");
    p.trigger_purging = true;
    expect(&p, STEPS({.rows = "@40 a | 1\n"}, {.watermark = 60}, {.rows = "@61 a | 2\n"}),
           "+I[1, 1]@99\n+I[1, 2]@99\n");
    expect(&d, STEPS({.rows = "a | 1\na | 6\na | 7\na | 8\na | 20\n"}),
           "+I[a, 1 6 7, -9223372036854775808, 9223372036854775807]@9223372036854775807\n"
           "+I[a, 8 20, -9223372036854775808, 9223372036854775807]@9223372036854775807\n");
    expect(&e, STEPS({.rows = "a | 1\na | 6\n"}, {.watermark = 1000}), "+I[2, 7]@9223372036854775807\n");
    expect(&n, STEPS({.rows = "a | 1\na | 6\n"}), "");
    expect(&t,
           STEPS({.rows = "a | 1\n"}, {.now = 5}, {.rows = "a | 2\n"}, {.now = 10}, {.rows = "a | 4\na | 8\na | 16\n"},
                 {.now = 50}),
           "+I[2, 3]@9223372036854775807\n+I[3, 28]@9223372036854775807\n");
}

static void evictors_take_rows_from_state(void **state)
{
    struct window_config t = {.function = FN(listed),
                              .assigner = TW_GLOBAL,
                              .trigger = TW_TRIGGER_COUNT,
                              .trigger_count = 2,
                              .evictor = TW_EVICT_TIME,
                              .evictor_ms = 10};
    struct window_config a = {.function = FN(listed),
                              .assigner = TW_GLOBAL,
                              .trigger = TW_TRIGGER_COUNT,
                              .trigger_count = 2,
                              .evictor = TW_EVICT_COUNT,
                              .evictor_count = 1,
                              .evictor_after = true};
    struct window_config d = {.function = FN(sums),
                              .assigner = TW_TUMBLING,
                              .size_ms = 100,
                              .evictor = TW_EVICT_DELTA,
                              .evictor_threshold = 5,
                              .evictor_function = FN(delta)};

    (void)state;
    expect(&t, STEPS({.rows = "@1 a | 1\n@5 a | 2\n@12 a | 3\n@14 a | 4\n"}),
           "+I[a, 1 2, -9223372036854775808, 9223372036854775807]@9223372036854775807\n"
           "+I[a, 2 3 4, -9223372036854775808, 9223372036854775807]@9223372036854775807\n");
    expect(&a, STEPS({.rows = "@1 a | 1\n@5 a | 2\n@12 a | 3\n@14 a | 4\n"}),
           "+I[a, 1 2, -9223372036854775808, 9223372036854775807]@9223372036854775807\n"
           "+I[a, 2 3 4, -9223372036854775808, 9223372036854775807]@9223372036854775807\n");
    expect(&d, STEPS({.rows = "@1 a | 1\n@5 a | 8\n@12 a | 3\n@14 a | 6\n"}), "+I[3, 17]@99\n");
}

static void what_cannot_be_is_refused(void **state)
{
    struct window_config c = {.function = FN(unmerged), .assigner = TW_SESSION, .gap_ms = 10};

    (void)state;
    refused(&c, "session windows merge accumulators, but function 'unmerged' has no .merge");
    c = (struct window_config){.function = FN(sums),
                               .assigner = TW_SESSION,
                               .gap_ms = 10,
                               .trigger = TW_TRIGGER_DELTA,
                               .trigger_function = FN(delta)};
    refused(
        &c,
        "a merging window assigner cannot be used with a trigger that does not support merging (sessions take event "
        "time, processing time, continuous, count and custom triggers with .on_merge)");
}

static void built_in_aggregates_over_any_window(void **state)
{
    static const char *const items[] = {"count(*) AS n", "sum(v) AS total"};
    struct window_config c = {.aggregates = {items, 2}, .assigner = TW_SESSION, .gap_ms = 10};
    struct window_config a = {.aggregates = {items, 2}, .assigner = TW_TUMBLING, .size_ms = 10, .all = true};

    (void)state;
    expect_columns(&c, STEPS({.rows = "@0 a | 1\n@12 a | 2\n@6 a | 4\n@50 b | 3\n"}),
                "+I[a, 1970-01-01T00:00, 1970-01-01T00:00:00.022, 3, 7]@21\n"
                "+I[b, 1970-01-01T00:00:00.050, 1970-01-01T00:00:00.060, 1, 3]@59\n");
    expect_columns(&a, STEPS({.rows = "@0 a | 1\n@2 b | 2\n@16 a | 4\n"}),
                "+I[1970-01-01T00:00, 1970-01-01T00:00:00.010, 2, 3]@9\n"
                "+I[1970-01-01T00:00:00.010, 1970-01-01T00:00:00.020, 1, 4]@19\n");
}

/* --- functions of the user around windows ------------------------------------------------------------------------------- */
static const struct tw_state per_window = {.name = "fired", .kind = TW_VALUE, .value = "BIGINT", .per_window = true};
static const struct tw_state per_key = {.name = "ever", .kind = TW_VALUE, .value = "BIGINT"};
static const struct tw_state rows_seen = {.name = "rows", .kind = TW_VALUE, .value = "BIGINT"};

/* How often this window has fired, and the key's windows together. */
static enum tw_status count_firings(struct tw_context *cx, const struct tw_window *w, struct tw_elements *elements)
{
    struct sum out = {tw_value_long(cx, &per_window, 0) + 1, tw_value_long(cx, &per_key, 0) + 1};

    (void)w, (void)elements;
    tw_value_set_long(cx, &per_window, out.n);
    tw_value_set_long(cx, &per_key, out.total);
    tw_collect(cx, &out);
    return TW_OK;
}
static const struct tw_function firings = {
    .in = &row_row, .out = &sum_row, .window = count_firings, .states = {&per_window, &per_key}};

static void states_of_window_functions(void **state)
{
    struct window_config c = {.function = FN(firings), .assigner = TW_TUMBLING, .size_ms = 10, .lateness_ms = 10};

    (void)state;
    expect(
        &c,
        STEPS({.rows = "@1 a | 1\n@11 a | 1\n"}, {.watermark = 9}, {.rows = "@2 a | 1\n@3 a | 1\n"}, {.watermark = 19}),
        "+I[1, 1]@9\n+I[2, 2]@9\n+I[3, 3]@9\n+I[1, 4]@19\n");
}

/* Two windows for a row: the aligned ten, and one of its own. */
static enum tw_status assign(struct tw_context *cx, const void *in, int64_t time, struct tw_window *windows,
                             uint32_t max, uint32_t *count)
{
    (void)cx, (void)in, (void)max;
    windows[0] = (struct tw_window){time / 10 * 10, time / 10 * 10 + 10};
    windows[1] = (struct tw_window){time, time + 1};
    *count = 2;
    return TW_OK;
}
static const struct tw_function own_windows = {.in = &row_row, .assign = assign};

/* Fires at the second row of a window, and 3 ms after its first by event time. */
static enum tw_status on_element(struct tw_context *cx, const void *in, int64_t time_ms, const struct tw_window *w,
                                 enum tw_trigger_result *r)
{
    int64_t rows = tw_value_long(cx, &rows_seen, 0) + 1;

    (void)in, (void)w;
    tw_value_set_long(cx, &rows_seen, rows);
    if (rows == 1) tw_register_trigger_timer(cx, time_ms + 3, true);
    if (rows == 2) *r = TW_FIRE_AND_PURGE;
    return TW_OK;
}

static enum tw_status on_event_time(struct tw_context *cx, int64_t time_ms, const struct tw_window *w,
                                    enum tw_trigger_result *r)
{
    (void)cx;
    if (time_ms != w->end - 1) *r = TW_FIRE; /* the engine's own timer, for cleaning up, comes here too */
    return TW_OK;
}

static enum tw_status on_merge(struct tw_context *cx, const struct tw_window *w)
{
    (void)cx, (void)w;
    return TW_OK;
}

static enum tw_status clear(struct tw_context *cx, const struct tw_window *w)
{
    (void)w;
    tw_state_clear(cx, &rows_seen);
    return TW_OK;
}
static const struct tw_function second_row = {
    .in = &row_row, .on_element = on_element, .on_event_time = on_event_time, .clear = clear, .states = {&rows_seen}};
static const struct tw_function merging = {.in = &row_row,
                                           .on_element = on_element,
                                           .on_event_time = on_event_time,
                                           .on_merge = on_merge,
                                           .clear = clear,
                                           .states = {&rows_seen}};

static void custom_assigners_and_triggers(void **state)
{
    struct window_config a = {.function = FN(listed), .assigner = TW_CUSTOM_WINDOWS, .assign = FN(own_windows)};
    struct window_config t = {.function = FN(listed),
                              .assigner = TW_TUMBLING,
                              .size_ms = 10,
                              .trigger = TW_TRIGGER_CUSTOM,
                              .trigger_function = FN(second_row)};
    struct window_config m = {.function = FN(listed),
                              .assigner = TW_SESSION,
                              .gap_ms = 10,
                              .trigger = TW_TRIGGER_CUSTOM,
                              .trigger_function = FN(merging)};

    (void)state;
    expect(&a, STEPS({.rows = "@1 a | 1\n@5 a | 2\n"}), "+I[a, 1, 1, 2]@1\n+I[a, 2, 5, 6]@5\n+I[a, 1 2, 0, 10]@9\n");
    expect(
        &t,
        STEPS({.rows = "@1 a | 1\n@5 a | 2\n@6 a | 3\n"}, {.watermark = 4}, {.rows = "@15 a | 4\n"}, {.watermark = 18}),
        "+I[a, 1 2, 0, 10]@9\n+I[a, 3, 0, 10]@9\n+I[a, 4, 10, 20]@19\n");
    expect(&m, STEPS({.rows = "@1 a | 1\n"}, {.watermark = 4}, {.rows = "@30 a | 3\n@31 a | 4\n"}, {.watermark = 33}),
           "+I[a, 1, 1, 11]@10\n+I[a, 3 4, 30, 41]@40\n");
    m.trigger_function = (struct function_ref)FN(second_row);
    refused(
        &m,
        "a merging window assigner cannot be used with a trigger that does not support merging (sessions take event "
        "time, processing time, continuous, count and custom triggers with .on_merge)");
}

static void processing_time_windows(void **state)
{
    struct window_config c = {.function = FN(listed), .assigner = TW_SESSION, .gap_ms = 10, .processing_time = true};

    (void)state;
    expect(&c,
           STEPS({.rows = "a | 1\n"}, {.now = 5}, {.rows = "a | 2\n"}, {.now = 14}, {.rows = "a | 3\n"}, {.now = 50}),
           "+I[a, 1 2, 0, 15]@14\n+I[a, 3, 15, 25]@24\n");
}

static void bad_input_is_told(void **state)
{
    struct window_config c = {.function = FN(sums), .assigner = TW_SESSION, .assign = FN(gaps)};
    struct op_setup setup = {
        .type = &op_window, .config = &c, .in = "ROW<k STRING NOT NULL, v BIGINT NOT NULL>", .keys = "k"};
    struct op_driver *d = op_driver_create(&setup);

    (void)state;
    op_push(d, 0, "@5 a | 0\n");
    assert_string_equal(op_driver_error(d),
                        "key [a], row +I[a, 0]: the session gap of a row must be positive, but .session_gap answered 0 ms");
    op_driver_free(d);
    d = op_driver_create(&setup);
    op_push(d, 0, "a | 1\n");
    assert_string_equal(op_driver_error(d),
                        "a row has no timestamp (Long.MIN_VALUE, the mark of none), but its windows are of "
                        "event time (give the stream a watermark strategy (tw_with_watermarks), or use "
                        "windows of processing time)");
    op_driver_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_grow_and_merge),
        cmocka_unit_test(late_rows_of_sessions),
        cmocka_unit_test(gaps_come_from_rows),
        cmocka_unit_test(count_windows),
        cmocka_unit_test(one_firing_may_put_out_many_rows),
        cmocka_unit_test(window_functions_see_all_rows),
        cmocka_unit_test(triggers_fire),
        cmocka_unit_test(evictors_take_rows_from_state),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(built_in_aggregates_over_any_window),
        cmocka_unit_test(states_of_window_functions),
        cmocka_unit_test(custom_assigners_and_triggers),
        cmocka_unit_test(processing_time_windows),
        cmocka_unit_test(bad_input_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
