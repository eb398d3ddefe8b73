/* test_window_triggers.c - triggers in detail: nested and timed ones, the states of custom ones where windows merge;
 * custom windows that merge; folds that make strings; evictors in front of a fold; keys that are NULL. */
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
    struct tw_str values;
    int64_t start, end;
};
TW_ROW(listing, TW_FIELD(listing, values, "STRING NOT NULL"), TW_FIELD(listing, start, "BIGINT NOT NULL"),
       TW_FIELD(listing, end, "BIGINT NOT NULL"));
struct memory {
    char text[512];
};

static const char *const input = "ROW<k STRING NOT NULL, v BIGINT NOT NULL>";
#define FN(f)                                                                                                          \
    {                                                                                                                  \
        .name = #f, .fn = &f                                                                                           \
    }

static void expect(const struct window_config *config, const struct step *steps, const char *expected)
{
    steps_expect(&op_window, config, input, steps, expected);
}

static enum tw_status list(struct tw_context *cx, const struct tw_window *w, struct tw_elements *elements)
{
    struct memory *m = tw_self(cx);
    size_t at = 0;

    m->text[0] = 0;
    for (const struct row *r; (r = tw_next(elements)) != NULL;)
        at += (size_t)snprintf(m->text + at, sizeof m->text - at, "%s%lld", at ? " " : "", (long long)r->v);
    struct listing out = {{m->text, at}, w->start, w->end};
    tw_collect(cx, &out);
    return TW_OK;
}
static const struct tw_function listed = {
    .in = &row_row, .out = &listing_row, .self_size = sizeof(struct memory), .window = list};

/* --- triggers by the clock ------------------------------------------------------------------------------------------------- */
static void continuous_processing_time(void **state)
{
    struct window_config c = {.function = FN(listed),
                              .assigner = TW_TUMBLING,
                              .size_ms = 20,
                              .processing_time = true,
                              .trigger = TW_TRIGGER_CONTINUOUS_PROCESSING_TIME,
                              .trigger_interval_ms = 8};
    struct window_config e = c, s = c;

    (void)state;
    /* At 8, 16, and once at the end of the window. */
    expect(&c,
           STEPS({.now = 3}, {.rows = "a | 1\n"}, {.now = 8}, {.rows = "a | 2\n"}, {.now = 16}, {.rows = "a | 3\n"},
                 {.now = 40}),
           "+I[1, 0, 20]@19\n+I[1 2, 0, 20]@19\n+I[1 2 3, 0, 20]@19\n");
    /* Windows of event time: the end of the window does not fire, the clock alone does. */
    e.processing_time = false;
    expect(&e, STEPS({.now = 101}, {.rows = "@1 a | 1\n"}, {.now = 104}, {.rows = "@2 a | 2\n"}, {.now = 112}),
           "+I[1, 0, 20]@19\n+I[1 2, 0, 20]@19\n");
    s.assigner = TW_SESSION, s.gap_ms = 10;
    expect(&s, STEPS({.now = 3}, {.rows = "a | 1\n"}, {.now = 9}, {.rows = "a | 2\n"}, {.now = 40}),
           "+I[1, 3, 13]@12\n+I[1 2, 3, 19]@18\n+I[1 2, 3, 19]@18\n");
}

static void timeouts(void **state)
{
    struct window_config c = {.function = FN(listed),
                              .assigner = TW_GLOBAL,
                              .trigger = TW_TRIGGER_PROCESSING_TIMEOUT,
                              .trigger_interval_ms = 10,
                              .trigger_count = 3,
                              .trigger_purging = true};
    struct window_config k = c, r = c, d = c;
    const struct step *two_and_two = STEPS({.rows = "a | 1\na | 2\n"}, {.now = 10}, {.rows = "a | 3\n"}, {.now = 12},
                                           {.rows = "a | 4\na | 5\n"}, {.now = 40});
#define ALWAYS ", -9223372036854775808, 9223372036854775807]@9223372036854775807\n"

    (void)state;
    /* The count begins anew with the timeout; when it is kept, row 3 is the third. */
    expect(&c, two_and_two, "+I[1 2" ALWAYS "+I[3 4 5" ALWAYS);
    k.trigger_keep = true;
    expect(&k, two_and_two, "+I[1 2" ALWAYS "+I[3" ALWAYS "+I[4 5" ALWAYS);
    /* 10 ms after the first row, or after the latest one. */
    const struct step *apart = STEPS({.rows = "a | 1\n"}, {.now = 6}, {.rows = "a | 2\n"}, {.now = 10}, {.now = 13},
                                     {.rows = "a | 3\n"});
    c.trigger_count = r.trigger_count = 9;
    expect(&c, apart, "+I[1 2" ALWAYS);
    r.trigger_reset = true;
    expect(&r, apart, "");
    expect(&r, STEPS({.rows = "a | 1\n"}, {.now = 6}, {.rows = "a | 2\n"}, {.now = 15}, {.now = 16}), "+I[1 2" ALWAYS);
    /* Around a delta trigger. */
    d.trigger_count = 0;
    d.trigger_nested = TW_TRIGGER_DELTA, d.trigger_threshold = 5;
    d.trigger_function = (struct function_ref)FN(delta);
    expect(&d, STEPS({.rows = "a | 1\na | 7\na | 8\n"}, {.now = 10}, {.rows = "a | 20\n"}),
           "+I[1 7" ALWAYS "+I[8" ALWAYS);
}

static void a_timeout_around_event_time(void **state)
{
    struct window_config c = {.function = FN(sums),
                              .assigner = TW_TUMBLING,
                              .size_ms = 10,
                              .trigger = TW_TRIGGER_PROCESSING_TIMEOUT,
                              .trigger_interval_ms = 10,
                              .trigger_nested = TW_TRIGGER_EVENT_TIME};

    (void)state;
    expect(&c,
           STEPS({.rows = "@1 a | 1\n@2 a | 2\n"}, {.now = 10}, {.rows = "@3 a | 4\n"}, {.watermark = 9}, {.now = 40}),
           "+I[2, 3]@9\n+I[3, 7]@9\n");
}

/* --- windows that merge ------------------------------------------------------------------------------------------------------- */
/* A row of value v is in [time, time + v). */
static enum tw_status assign_value(struct tw_context *cx, const void *in, int64_t time, struct tw_window *windows,
                                   uint32_t max, uint32_t *count)
{
    (void)cx, (void)max;
    windows[0] = (struct tw_window){time, time + ((const struct row *)in)->v};
    *count = 1;
    return TW_OK;
}
static const struct tw_function by_value = {.in = &row_row, .assign = assign_value};

static void custom_windows_merge(void **state)
{
    struct window_config c = {
        .function = FN(listed), .assigner = TW_CUSTOM_WINDOWS, .assign = FN(by_value), .merging = true};
    struct window_config apart = c, late = c;

    (void)state;
    expect(&c, STEPS({.rows = "@0 a | 5\n@20 a | 2\n@4 a | 3\n@7 a | 13\n@30 b | 1\n"}),
           "+I[5 3 2 13, 0, 22]@21\n+I[1, 30, 31]@30\n");
    apart.merging = false;
    expect(&apart, STEPS({.rows = "@0 a | 5\n@20 a | 2\n@4 a | 3\n@7 a | 13\n"}),
           "+I[5, 0, 5]@4\n+I[3, 4, 7]@6\n+I[13, 7, 20]@19\n+I[2, 20, 22]@21\n");
    late.lateness_ms = 3;
    expect(&late,
           STEPS({.rows = "@0 a | 5\n"}, {.watermark = 4}, {.rows = "@2 a | 4\n"}, {.watermark = 8},
                 {.rows = "@1 a | 2\n"}),
           "+I[5, 0, 5]@4\n+I[5 4, 0, 6]@5\nlate: +I[a, 2]@1\n");
}

static void counts_of_merged_windows_add_up(void **state)
{
    struct window_config c = {
        .function = FN(sums), .assigner = TW_SESSION, .gap_ms = 10, .trigger = TW_TRIGGER_COUNT, .trigger_count = 4};

    (void)state;
    /* 2 + 1 rows in two sessions, and the row that joins them is the fourth. */
    expect(&c, STEPS({.rows = "@0 a | 1\n@1 a | 2\n@20 a | 4\n@10 a | 8\n@11 a | 16\n"}), "+I[4, 15]@29\n");
}

static enum tw_status sum_of(struct tw_context *cx, const void *left, const void *right, void *out)
{
    (void)cx;
    *(int64_t *)out = *(const int64_t *)left + *(const int64_t *)right;
    return TW_OK;
}
static const struct tw_function total = {.reduce = sum_of};
static const struct tw_state seen = {.name = "seen", .kind = TW_REDUCING, .value = "BIGINT", .function = &total};
static const struct tw_state summed = {.name = "summed", .kind = TW_AGGREGATING, .value = "BIGINT", .function = &sums};
static const struct tw_state words = {.name = "words", .kind = TW_LIST, .value = "STRING"};

/* Fires when the window has seen 9 altogether and each of its states says the same. */
static enum tw_status nine_on_element(struct tw_context *cx, const void *in, int64_t time_ms, const struct tw_window *w,
                                      enum tw_trigger_result *r)
{
    const struct row *row = in;
    struct sum sum = {0};
    struct tw_str word = {0};
    int64_t n = 0, in_words = 0;

    (void)time_ms, (void)w;
    tw_reducing_add(cx, &seen, &row->v);
    tw_aggregating_add(cx, &summed, row);
    word = row->v > 3 ? tw_str_of("a word that is too long to lie in the row itself") : tw_str_of("short");
    tw_list_add(cx, &words, &word);
    tw_reducing_get(cx, &seen, &n);
    tw_aggregating_get(cx, &summed, &sum);
    for (uint32_t i = 0; tw_list_get(cx, &words, i, &word); i++) in_words += (int64_t)word.size;
    if (n == 9 && sum.total == 9 && sum.n == tw_list_size(cx, &words) && in_words == 5 + 5 + 48 + 5) *r = TW_FIRE;
    return TW_OK;
}
static enum tw_status nine_on_merge(struct tw_context *cx, const struct tw_window *w)
{
    (void)w;
    tw_merge_state(cx, &seen);
    tw_merge_state(cx, &summed);
    tw_merge_state(cx, &words);
    return TW_OK;
}
static enum tw_status nine_clear(struct tw_context *cx, const struct tw_window *w)
{
    (void)w;
    tw_state_clear(cx, &seen);
    tw_state_clear(cx, &summed);
    tw_state_clear(cx, &words);
    return TW_OK;
}
static const struct tw_function nine = {.in = &row_row,
                                        .on_element = nine_on_element,
                                        .on_merge = nine_on_merge,
                                        .clear = nine_clear,
                                        .states = {&seen, &summed, &words}};
static enum tw_status nothing_on_merge(struct tw_context *cx, const struct tw_window *w)
{
    (void)cx, (void)w;
    return TW_OK;
}
static const struct tw_function forgetful = {.in = &row_row,
                                             .on_element = nine_on_element,
                                             .on_merge = nothing_on_merge,
                                             .clear = nine_clear,
                                             .states = {&seen, &summed, &words}};

static void states_of_merged_windows(void **state)
{
    struct window_config c = {.function = FN(listed),
                              .assigner = TW_SESSION,
                              .gap_ms = 10,
                              .trigger = TW_TRIGGER_CUSTOM,
                              .trigger_function = FN(nine)};
    const struct step *steps = STEPS({.rows = "@0 a | 1\n@30 a | 2\n"}, {.rows = "@10 a | 5\n@20 b | 9\n"},
                                     {.rows = "@20 a | 1\n"});

    (void)state;
    /* The session of 5 is that of 1; the last row brings 2 to them. */
    expect(&c, steps, "+I[1 5 2 1, 0, 40]@39\n");
    c.trigger_function = (struct function_ref)FN(forgetful);
    expect(&c, steps, "");
}

/* --- strings, evictors, keys ---------------------------------------------------------------------------------------------------- */
struct pair {
    struct tw_str k, v;
};
TW_ROW(pair, TW_FIELD(pair, k, "STRING NOT NULL"), TW_FIELD(pair, v, "STRING NOT NULL"));

static enum tw_status glue(struct tw_context *cx, const void *left, const void *right, void *out)
{
    const struct pair *a = left, *b = right;
    struct memory *m = tw_self(cx);
    int n = snprintf(m->text, sizeof m->text, "%.*s %.*s", (int)a->v.size, a->v.data, (int)b->v.size, b->v.data);

    *(struct pair *)out = (struct pair){a->k, {m->text, (size_t)n}};
    return TW_OK;
}
static const struct tw_function glued = {.in = &pair_row, .self_size = sizeof(struct memory), .reduce = glue};

static void strings_that_grow_in_sessions(void **state)
{
    struct window_config c = {.function = FN(glued), .assigner = TW_SESSION, .gap_ms = 10};

    (void)state;
    steps_expect(
        &op_window, &c, "ROW<k STRING NOT NULL, v STRING NOT NULL>",
        STEPS({.rows = "@0 a | what begins a session\n@15 a | what comes after it and is quite long\n@1 b | other\n"},
              {.rows = "@8 a | and joins the two\n@16 a | end\n@40 a | new\n"}),
        "+I[b, other]@10\n"
        "+I[a, what begins a session what comes after it and is quite long and joins the two end]@25\n"
        "+I[a, new]@49\n");
}

static enum tw_status tell(struct tw_context *cx, const struct tw_window *w, struct tw_elements *elements)
{
    const struct sum *s = tw_next(elements);
    struct sum out = {s->n * 100 + tw_element_count(elements), s->total + w->start};

    tw_collect(cx, &out);
    return TW_OK;
}
static const struct tw_function told = {.in = &sum_row, .out = &sum_row, .window = tell};

static void an_evictor_in_front_of_a_fold(void **state)
{
    struct window_config c = {.function = FN(told),
                              .pre = FN(sums),
                              .assigner = TW_TUMBLING,
                              .size_ms = 10,
                              .evictor = TW_EVICT_COUNT,
                              .evictor_count = 2};

    (void)state;
    expect(&c, STEPS({.rows = "@1 a | 1\n@2 a | 2\n@11 a | 8\n@3 a | 4\n"}), "+I[201, 6]@9\n+I[101, 18]@19\n");
    c.assigner = TW_SESSION, c.gap_ms = 5;
    expect(&c, STEPS({.rows = "@1 a | 1\n@2 a | 2\n@11 a | 8\n@7 a | 4\n"}), "+I[201, 13]@15\n");
}

static void keys_that_are_null(void **state)
{
    static const char *const items[] = {"count(*) AS n"};
    static const char *const in = "ROW<k STRING, v BIGINT NOT NULL>";
    struct window_config t = {.aggregates = {items, 1}, .assigner = TW_TUMBLING, .size_ms = 10};
    struct window_config s = {.aggregates = {items, 1}, .assigner = TW_SESSION, .gap_ms = 10};
    const struct step *steps = STEPS({.rows = "@1 NULL | 1\n@2 a | 2\n@3 NULL | 4\n"});

    (void)state;
    steps_expect(&op_window_columns, &t, in, steps,
                 "+I[NULL, 1970-01-01T00:00, 1970-01-01T00:00:00.010, 2]@9\n"
                 "+I[a, 1970-01-01T00:00, 1970-01-01T00:00:00.010, 1]@9\n");
    steps_expect(&op_window_columns, &s, in, steps,
                 "+I[a, 1970-01-01T00:00:00.002, 1970-01-01T00:00:00.012, 1]@11\n"
                 "+I[NULL, 1970-01-01T00:00:00.001, 1970-01-01T00:00:00.013, 2]@12\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(continuous_processing_time),
        cmocka_unit_test(timeouts),
        cmocka_unit_test(a_timeout_around_event_time),
        cmocka_unit_test(custom_windows_merge),
        cmocka_unit_test(counts_of_merged_windows_add_up),
        cmocka_unit_test(states_of_merged_windows),
        cmocka_unit_test(strings_that_grow_in_sessions),
        cmocka_unit_test(an_evictor_in_front_of_a_fold),
        cmocka_unit_test(keys_that_are_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
