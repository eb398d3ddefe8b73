/* test_window_errors.c - a callback of a window that fails: the error names the key, the window, and the row where one is
 * looked at; by slices and in the general engine, for aggregates, reduces, window functions, triggers and groups. */
#include <thalweg/thalweg.h>

#include "support/op_driver.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

extern const struct op_type op_window, op_window_join;

#define SCHEMA "ROW<v BIGINT NOT NULL, k STRING NOT NULL>"

struct row {
    int64_t v;
    struct tw_str k;
};
TW_ROW(row, TW_FIELD(row, v, "BIGINT NOT NULL"), TW_FIELD(row, k, "STRING NOT NULL"));

enum { BAD_ROW = 13, BAD_MERGE = 100, BAD_RESULT = 50 };

static enum tw_status create(struct tw_context *cx, void *acc)
{
    (void)cx, (void)acc;
    return TW_OK;
}

static enum tw_status no_create(struct tw_context *cx, void *acc)
{
    (void)acc;
    return tw_fail(cx, "create");
}

static enum tw_status add(struct tw_context *cx, void *acc, const void *in)
{
    const struct row *r = in;

    if (r->v == BAD_ROW) return tw_fail(cx, "add");
    ((struct row *)acc)->v += r->v;
    ((struct row *)acc)->k = r->k;
    return TW_OK;
}

static enum tw_status merge(struct tw_context *cx, void *acc, const void *other)
{
    struct row *a = acc;

    a->v += ((const struct row *)other)->v;
    a->k = ((const struct row *)other)->k;
    return a->v >= BAD_MERGE ? tw_fail(cx, "merge") : TW_OK;
}

static enum tw_status result(struct tw_context *cx, const void *acc, void *out)
{
    const struct row *a = acc;

    memcpy(out, acc, sizeof *a);
    return a->v == BAD_RESULT ? tw_fail(cx, "result") : TW_OK;
}

static enum tw_status reduce(struct tw_context *cx, const void *a, const void *b, void *out)
{
    memcpy(out, b, sizeof(struct row));
    (void)a;
    return ((const struct row *)b)->v == BAD_ROW ? tw_fail(cx, "reduce") : TW_OK;
}

static enum tw_status window(struct tw_context *cx, const struct tw_window *w, struct tw_elements *elements)
{
    (void)w, (void)elements;
    return tw_fail(cx, "window");
}

static enum tw_status group(struct tw_context *cx, struct tw_elements *left, struct tw_elements *right)
{
    (void)left, (void)right;
    return tw_fail(cx, "group");
}

static enum tw_status on_element(struct tw_context *cx, const void *in, int64_t time, const struct tw_window *w,
                                 enum tw_trigger_result *r)
{
    (void)in, (void)time, (void)w, (void)r;
    return tw_fail(cx, "trigger");
}

static enum tw_status clear(struct tw_context *cx, const struct tw_window *w)
{
    (void)w;
    return tw_fail(cx, "clear");
}

static enum tw_status ignore(struct tw_context *cx, const struct tw_window *w, struct tw_elements *elements)
{
    (void)cx, (void)w, (void)elements;
    return TW_OK;
}

#define AGGREGATE                                                                                                      \
    .in = &row_row, .acc = &row_row, .out = &row_row, .add = add, .merge = merge, .result = result
static const struct tw_function sums = {AGGREGATE, .create = create};
static const struct tw_function uncreated = {AGGREGATE, .create = no_create};
static const struct tw_function reduces = {.in = &row_row, .reduce = reduce};
static const struct tw_function applies = {.in = &row_row, .out = &row_row, .window = window};
static const struct tw_function clears = {.in = &row_row, .out = &row_row, .window = ignore, .clear = clear};
static const struct tw_function ignores = {.in = &row_row, .out = &row_row, .window = ignore};
static const struct tw_function groups = {.in = &row_row, .in2 = &row_row, .out = &row_row, .co_group = group};
static const struct tw_function triggers = {.in = &row_row, .on_element = on_element};

static const struct window_config tumbling = {.assigner = TW_TUMBLING, .size_ms = 100};
static const struct window_config sliding = {.assigner = TW_SLIDING, .size_ms = 100, .slide_ms = 50};
static const struct window_config session = {.assigner = TW_SESSION, .gap_ms = 100};
static const struct window_config counted = {
    .assigner = TW_GLOBAL, .trigger = TW_TRIGGER_COUNT, .trigger_count = 2};

static void expect_of(const struct op_type *type, struct window_config c, const struct tw_function *f,
                      const struct tw_function *pre, const char *rows, const char *expected)
{
    static const uint32_t sizes[] = {1, 0};
    static const char *const backends[] = {"hashmap", "pending"};

    c.function = (struct function_ref){.name = "f", .fn = f};
    c.co_group = type == &op_window_join;
    if (pre != NULL) c.pre = (struct function_ref){.name = "pre", .fn = pre};
    for (uint32_t i = 0; i < 4; i++) {
        struct op_setup setup = {.type = type,
                                 .config = &c,
                                 .in = SCHEMA,
                                 .keys = c.all ? NULL : "k",
                                 .batch_rows = sizes[i % 2],
                                 .backend = backends[i / 2]};
        if (type == &op_window_join) setup.in2 = SCHEMA, setup.keys2 = "k";
        struct op_driver *d = op_driver_create(&setup);
        assert_string_equal(op_driver_error(d), "");
        op_push(d, 0, rows);
        op_push_end(d);
        assert_string_equal(op_driver_error(d), expected);
        op_driver_free(d);
    }
}

static void expect(struct window_config c, const struct tw_function *f, const char *rows, const char *expected)
{
    expect_of(&op_window, c, f, NULL, rows, expected);
}

static void rows_that_cannot_be_added(void **state)
{
    (void)state;
    expect(tumbling, &sums, "@1 1 | a\n@102 2 | b\n@103 13 | b",
           "key [b], window [100, 200), row +I[13, b]: add");
    expect(sliding, &sums, "@1 1 | a\n@103 13 | b", "key [b], row +I[13, b]: add");
    expect(session, &sums, "@1 1 | a\n@40 2 | a\n@60 13 | a", "key [a], window [1, 160), row +I[13, a]: add");
    expect(counted, &sums, "@1 1 | a\n@3 13 | b", "key [b], the global window, row +I[13, b]: add");
    expect(tumbling, &reduces, "@1 1 | a\n@2 13 | a", "key [a], window [0, 100), row +I[13, a]: reduce");
    expect(session, &reduces, "@1 1 | a\n@2 13 | a", "key [a], window [1, 102), row +I[13, a]: reduce");
    expect_of(&op_window, tumbling, &applies, &sums, "@1 1 | a\n@2 13 | a",
              "key [a], window [0, 100), row +I[13, a]: add");
    struct window_config all = tumbling;
    all.all = true;
    expect(all, &sums, "@1 1 | a\n@2 13 | a", "window [0, 100), row +I[13, a]: add");
}

static void accumulators_that_fail(void **state)
{
    (void)state;
    expect(tumbling, &uncreated, "@101 1 | a", "key [a], window [100, 200): create");
    expect(session, &uncreated, "@101 1 | a", "key [a], window [101, 201): create");
    expect(sliding, &sums, "@1 60 | a\n@51 60 | a", "key [a], window [0, 100): merge");
    expect(session, &sums, "@1 60 | a\n@151 60 | a\n@91 0 | a", "key [a], window [1, 251): merge");
    expect(tumbling, &sums, "@1 1 | b\n@2 50 | a", "key [a], window [0, 100): result");
    expect(session, &sums, "@1 1 | b\n@2 50 | a", "key [a], window [2, 102): result");
    expect_of(&op_window, sliding, &applies, &sums, "@1 50 | a", "key [a], window [-50, 50): result");
}

static void windows_that_fail(void **state)
{
    struct window_config custom = tumbling, evicted = tumbling;

    (void)state;
    expect(tumbling, &applies, "@101 1 | a", "key [a], window [100, 200): window");
    expect(session, &applies, "@101 1 | a", "key [a], window [101, 201): window");
    expect(counted, &applies, "@1 1 | a\n@2 1 | a", "key [a], the global window: window");
    expect_of(&op_window, tumbling, &applies, &sums, "@1 1 | a", "key [a], window [0, 100): window");
    expect(tumbling, &clears, "@101 1 | a", "key [a], window [100, 200): clear");
    expect_of(&op_window_join, tumbling, &groups, NULL, "@101 1 | a", "key [a], window [100, 200): group");
    evicted.evictor = TW_EVICT_COUNT;
    evicted.evictor_count = 5;
    expect(evicted, &sums, "@1 1 | a\n@2 13 | a", "key [a], window [0, 100): add");
    custom.trigger = TW_TRIGGER_CUSTOM;
    custom.trigger_function = (struct function_ref){.name = "triggers", .fn = &triggers};
    expect(custom, &applies, "@101 1 | a", "key [a], window [100, 200), row +I[1, a]: trigger");
}

/* --- functions beside the window's own: they are asked about a row, and some about a window --------------------------------- */
static enum tw_status session_gap(struct tw_context *cx, const void *in, int64_t *gap)
{
    const struct row *r = in;

    *gap = r->v;
    return r->v == BAD_ROW ? tw_fail(cx, "gap") : TW_OK;
}

/* As many windows of as many ms as the row says. */
static enum tw_status assign(struct tw_context *cx, const void *in, int64_t time, struct tw_window *windows, uint32_t max,
                             uint32_t *count)
{
    const struct row *r = in;

    *count = r->v < 0 ? 1 : (uint32_t)r->v;
    for (uint32_t i = 0; i < *count && i < max; i++) windows[i] = (struct tw_window){time, time + r->v};
    return r->v == BAD_ROW ? tw_fail(cx, "assign") : TW_OK;
}

static enum tw_status delta(struct tw_context *cx, const void *a, const void *b, double *out)
{
    const struct row *l = a, *r = b;

    *out = (double)(r->v - l->v);
    return l->v == BAD_ROW || r->v == BAD_ROW ? tw_fail(cx, "delta") : TW_OK;
}

static enum tw_status on_time_element(struct tw_context *cx, const void *in, int64_t time, const struct tw_window *w,
                                      enum tw_trigger_result *r)
{
    (void)in, (void)w, (void)r;
    tw_register_trigger_timer(cx, time + 1, true);
    return TW_OK;
}
/* The timers of a process function are not those of a trigger. */
static enum tw_status wrong_timer(struct tw_context *cx, const void *in, int64_t time, const struct tw_window *w,
                                  enum tw_trigger_result *r)
{
    (void)in, (void)w, (void)r;
    tw_register_event_timer(cx, time + 1);
    return TW_OK;
}
static enum tw_status wrong_delete(struct tw_context *cx, const void *in, int64_t time, const struct tw_window *w,
                                   enum tw_trigger_result *r)
{
    (void)in, (void)w, (void)r;
    tw_delete_processing_timer(cx, time + 1);
    return TW_OK;
}
static enum tw_status on_event_time(struct tw_context *cx, int64_t time, const struct tw_window *w,
                                    enum tw_trigger_result *r)
{
    (void)time, (void)w, (void)r;
    return tw_fail(cx, "on time");
}

static const struct tw_function gaps = {.in = &row_row, .session_gap = session_gap};
static const struct tw_function assigns = {.in = &row_row, .assign = assign};
static const struct tw_function deltas = {.in = &row_row, .delta = delta};
static const struct tw_function timed = {
    .in = &row_row, .on_element = on_time_element, .on_event_time = on_event_time};
static const struct tw_function wrongly_timed = {.in = &row_row, .on_element = wrong_timer, .on_event_time = on_event_time};
static const struct tw_function wrongly_deleting = {.in = &row_row, .on_element = wrong_delete};
#define FN(f)                                                                                                          \
    {                                                                                                                  \
        .name = #f, .fn = &f                                                                                           \
    }

static void functions_beside(void **state)
{
    struct window_config gap = {.assigner = TW_SESSION, .assign = FN(gaps)};
    struct window_config custom = {.assigner = TW_CUSTOM_WINDOWS, .assign = FN(assigns)};
    struct window_config trigger = {.assigner = TW_TUMBLING,
                                    .size_ms = 100,
                                    .trigger = TW_TRIGGER_DELTA,
                                    .trigger_threshold = 50,
                                    .trigger_function = FN(deltas)};
    struct window_config evictor = tumbling, timer = tumbling;

    (void)state;
    expect(gap, &sums, "@1 5 | a\n@2 13 | b", "key [b], row +I[13, b]: gap");
    expect(gap, &sums, "@1 5 | a\n@2 0 | b",
           "key [b], row +I[0, b]: the session gap of a row must be positive, but .session_gap answered 0 ms");
    expect(custom, &applies, "@1 13 | b", "key [b], row +I[13, b]: assign");
    expect(custom, &ignores, "@7 -2 | b",
           "key [b], row +I[-2, b]: a window must end behind its start, but .assign answered [7, 5)");
    expect(custom, &ignores, "@7 257 | b",
           "key [b], row +I[257, b]: .assign answered 257 windows for one row; there is room for 256");
    expect(trigger, &ignores, "@1 1 | a\n@101 1 | b\n@102 13 | b",
           "key [b], window [100, 200), row +I[13, b]: delta");
    evictor.evictor = TW_EVICT_DELTA;
    evictor.evictor_threshold = 5;
    evictor.evictor_function = (struct function_ref)FN(deltas);
    expect(evictor, &ignores, "@1 1 | b\n@2 13 | b\n@3 1 | b", "key [b], window [0, 100), row +I[13, b]: delta");
    expect_of(&op_window_join, evictor, &groups, NULL, "@1 1 | b\n@2 13 | b\n@3 1 | b",
              "key [b], window [0, 100), row +I[13, b]: delta");
    timer.trigger = TW_TRIGGER_CUSTOM;
    timer.trigger_function = (struct function_ref)FN(timed);
    expect(timer, &ignores, "@1 1 | b", "key [b], window [0, 100): on time");
    expect_of(&op_window_join, timer, &groups, NULL, "@1 1 | b", "key [b], window [0, 100): on time");
}

#define WRONG_TIMER                                                                                                    \
    "a trigger has no .on_timer: its timers are tw_register_trigger_timer's, and come to .on_event_time or "           \
    ".on_processing_time"
static void timers_of_triggers(void **state)
{
    struct window_config timer = tumbling;

    (void)state;
    timer.trigger = TW_TRIGGER_CUSTOM;
    timer.trigger_function = (struct function_ref)FN(wrongly_timed);
    expect(timer, &ignores, "@1 1 | b", "key [b], window [0, 100), row +I[1, b]: " WRONG_TIMER);
    timer.trigger_function = (struct function_ref)FN(wrongly_deleting);
    expect(timer, &ignores, "@1 1 | b", "key [b], window [0, 100), row +I[1, b]: " WRONG_TIMER);
}

/* Windows over the whole stream have no key to name. */
static void windows_without_keys(void **state)
{
    struct window_config all = tumbling, merging = session, global = counted, evicted = tumbling;

    (void)state;
    all.all = merging.all = global.all = evicted.all = true;
    expect(all, &applies, "@101 1 | a", "window [100, 200): window");
    expect(all, &clears, "@101 1 | a", "window [100, 200): clear");
    expect(all, &uncreated, "@101 1 | a", "window [100, 200): create");
    expect(all, &sums, "@2 50 | a", "window [0, 100): result");
    expect(merging, &sums, "@1 60 | a\n@151 60 | a\n@91 0 | a", "window [1, 251): merge");
    expect(global, &applies, "@1 1 | a\n@2 1 | a", "the global window: window");
    evicted.evictor = TW_EVICT_DELTA;
    evicted.evictor_function = (struct function_ref)FN(deltas);
    expect(evicted, &ignores, "@1 13 | b", "window [0, 100), row +I[13, b]: delta");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows_that_cannot_be_added),
                                       cmocka_unit_test(accumulators_that_fail), cmocka_unit_test(windows_that_fail),
                                       cmocka_unit_test(functions_beside), cmocka_unit_test(timers_of_triggers),
                                       cmocka_unit_test(windows_without_keys)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
