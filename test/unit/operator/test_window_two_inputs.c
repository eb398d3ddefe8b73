/* test_window_two_inputs.c - windows over two inputs with evictors, deltas and triggers of the user's: as in Flink, where the
 * rows of both are one sequence, in the order in which they came. Exact, with batches of one row and of many. And a join
 * of many pairs keeps its memory. */
#include <thalweg/thalweg.h>

#include "ground/base/str.h"
#include "support/op_driver.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

extern const struct op_type op_window_join;

#define SCHEMA "ROW<v BIGINT NOT NULL, k STRING NOT NULL>"

struct row {
    int64_t v;
};
TW_ROW(row, TW_FIELD(row, v, "BIGINT NOT NULL"));
struct other {
    int64_t v;
};
TW_ROW(other, TW_FIELD(other, v, "BIGINT NOT NULL"));
struct listing {
    struct tw_str text;
};
TW_ROW(listing, TW_FIELD(listing, text, "STRING NOT NULL"));

static size_t list(char *text, size_t at, size_t size, struct tw_elements *e)
{
    for (const struct row *r; (r = tw_next(e)) != NULL;)
        at += (size_t)snprintf(text + at, size - at, "%lld ", (long long)r->v);
    return at;
}

static enum tw_status group(struct tw_context *cx, struct tw_elements *left, struct tw_elements *right)
{
    char text[512];
    size_t at = list(text, 0, sizeof text, left);

    at += (size_t)snprintf(text + at, sizeof text - at, "| ");
    at = list(text, at, sizeof text, right);
    struct listing out = {{text, at - 1}};
    tw_collect(cx, &out);
    return TW_OK;
}
static const struct tw_function groups = {.in = &row_row, .in2 = &row_row, .out = &listing_row, .co_group = group};

static enum tw_status difference(struct tw_context *cx, const void *a, const void *b, double *out)
{
    (void)cx;
    *out = (double)(((const struct row *)b)->v - ((const struct row *)a)->v);
    return TW_OK;
}
static const struct tw_function delta = {.in = &row_row, .delta = difference};
static const struct tw_function two_types = {.in = &row_row, .in2 = &other_row, .delta = difference};

/* Fires when rows of value 9 came, from whichever input. */
static const struct tw_state nines = {.name = "nines", .kind = TW_VALUE, .value = "BIGINT"};
static enum tw_status on_element(struct tw_context *cx, const void *in, int64_t time, const struct tw_window *w,
                                 enum tw_trigger_result *r)
{
    int64_t seen = tw_value_long(cx, &nines, 0) + (((const struct row *)in)->v == 9);

    (void)time, (void)w;
    tw_value_set_long(cx, &nines, seen % 2);
    if (seen == 2) *r = TW_FIRE_AND_PURGE;
    return TW_OK;
}
static const struct tw_function two_nines = {.in = &row_row, .on_element = on_element, .states = {&nines}};

#define FN(f)                                                                                                          \
    {                                                                                                                  \
        .name = #f, .fn = &f                                                                                           \
    }
static const struct window_config tumbling = {
    .function = FN(groups), .co_group = true, .assigner = TW_TUMBLING, .size_ms = 100};

struct push {
    uint32_t input;
    const char *rows;
    int64_t watermark; /* instead, when rows is NULL */
};
#define PUSHES(...)                                                                                                    \
    (const struct push[])                                                                                              \
    {                                                                                                                  \
        __VA_ARGS__, { .input = 2 }                                                                                    \
    }

static void expect(struct window_config c, const struct push *pushes, const char *expected)
{
    static const uint32_t sizes[] = {1, 2, 0};
    static const char *const backends[] = {"hashmap", "pending"};

    for (uint32_t i = 0; i < 6; i++) {
        struct op_driver *d = op_driver_create(&(struct op_setup){.type = &op_window_join,
                                                                  .config = &c,
                                                                  .in = SCHEMA,
                                                                  .in2 = SCHEMA,
                                                                  .keys = "k",
                                                                  .keys2 = "k",
                                                                  .batch_rows = sizes[i % 3],
                                                                  .backend = backends[i / 3]});
        for (const struct push *p = pushes; p->input < 2; p++)
            if (p->rows != NULL)
                op_push(d, p->input, p->rows);
            else
                op_push_watermark(d, p->watermark);
        op_push_end(d);
        assert_string_equal(op_driver_error(d), "");
        assert_string_equal(op_output(d), expected);
        op_driver_free(d);
    }
}

/* --- evictors ----------------------------------------------------------------------------------------------------- */
static void evictors_see_one_sequence(void **state)
{
    struct window_config count = tumbling, time = tumbling, far = tumbling;
    const struct push *rows = PUSHES({.input = 0, .rows = "@10 1 | a\n@20 2 | a\n"},
                                     {.input = 1, .rows = "@30 3 | a\n@5 4 | a\n"},
                                     {.input = 0, .rows = "@40 5 | a\n"});

    (void)state;
    count.evictor = TW_EVICT_COUNT;
    count.evictor_count = 3;
    expect(count, rows, "+I[5 | 3 4]@99\n");
    time.evictor = TW_EVICT_TIME;
    time.evictor_ms = 15; /* the greatest time is 40 */
    expect(time, rows, "+I[5 | 3]@99\n");
    far.evictor = TW_EVICT_DELTA;
    far.evictor_threshold = 2;
    far.evictor_function = (struct function_ref)FN(delta);
    expect(far, rows, "+I[5 | 4]@99\n"); /* less than 2 below the last row, 5 */
}

/* What was evicted after the first firing is not there when a late row makes the window fire again. */
static void evicted_rows_stay_away(void **state)
{
    struct window_config after = tumbling, far = tumbling;
    const struct push *rows = PUSHES({.input = 0, .rows = "@10 1 | a\n@20 2 | a\n"},
                                     {.input = 1, .rows = "@30 3 | a\n"}, {.watermark = 99},
                                     {.input = 1, .rows = "@50 4 | a\n"}, {.input = 0, .rows = "@50 9 | a\n"});

    (void)state;
    after.lateness_ms = 1000;
    after.evictor = TW_EVICT_COUNT;
    after.evictor_count = 2;
    after.evictor_after = true;
    expect(after, rows, "+I[1 2 | 3]@99\n+I[2 | 3 4]@99\n+I[9 | 3 4]@99\n");
    far.lateness_ms = 1000;
    far.evictor = TW_EVICT_DELTA;
    far.evictor_threshold = 2;
    far.evictor_function = (struct function_ref)FN(delta);
    expect(far, rows, "+I[2 | 3]@99\n+I[| 3 4]@99\n+I[9 |]@99\n");
}

/* --- triggers ----------------------------------------------------------------------------------------------------- */
static void deltas_run_over_both(void **state)
{
    struct window_config c = tumbling;

    (void)state;
    c.assigner = TW_GLOBAL;
    c.trigger = TW_TRIGGER_DELTA;
    c.trigger_threshold = 3;
    c.trigger_function = (struct function_ref)FN(delta);
    expect(c,
           PUSHES({.input = 0, .rows = "@1 1 | a\n@2 3 | a\n"}, {.input = 1, .rows = "@3 5 | a\n@4 6 | a\n"},
                  {.input = 0, .rows = "@5 9 | a\n@6 10 | a\n"}),
           "+I[1 3 | 5]@9223372036854775807\n+I[1 3 9 | 5 6]@9223372036854775807\n");
    c.trigger_purging = true;
    expect(c,
           PUSHES({.input = 0, .rows = "@1 1 | a\n@2 3 | a\n"}, {.input = 1, .rows = "@3 5 | a\n@4 6 | a\n"},
                  {.input = 0, .rows = "@5 9 | a\n@6 10 | a\n"}),
           "+I[1 3 | 5]@9223372036854775807\n+I[9 | 6]@9223372036854775807\n");
}

static void triggers_of_the_user(void **state)
{
    struct window_config c = tumbling;

    (void)state;
    c.trigger = TW_TRIGGER_CUSTOM;
    c.trigger_function = (struct function_ref)FN(two_nines);
    expect(c,
           PUSHES({.input = 0, .rows = "@1 9 | a\n@2 3 | a\n"},
                  {.input = 1, .rows = "@3 5 | a\n@4 9 | a\n@101 9 | a\n"},
                  {.input = 0, .rows = "@105 9 | a\n@6 9 | a\n"}),
           "+I[9 3 | 5 9]@99\n+I[9 | 9]@199\n");
}

static void deltas_need_one_type(void **state)
{
    struct window_config trigger = tumbling, evictor = tumbling;
    static const char *const expected =
        "function 'two_types' compares rows of both inputs, so it must read them as one type, not as row and other "
        "(leave out .in2 and let .in name columns that both inputs have)";

    (void)state;
    trigger.trigger = TW_TRIGGER_DELTA;
    trigger.trigger_function = (struct function_ref)FN(two_types);
    evictor.evictor = TW_EVICT_DELTA;
    evictor.evictor_function = (struct function_ref)FN(two_types);
    for (uint32_t i = 0; i < 2; i++) {
        struct op_driver *d = op_driver_create(&(struct op_setup){.type = &op_window_join,
                                                                  .config = i == 0 ? &trigger : &evictor,
                                                                  .in = SCHEMA,
                                                                  .in2 = SCHEMA,
                                                                  .keys = "k",
                                                                  .keys2 = "k"});
        assert_string_equal(op_driver_error(d), expected);
        op_driver_free(d);
    }
}

/* --- many pairs --------------------------------------------------------------------------------------------------- */
static uint64_t made;
static enum tw_status join(struct tw_context *cx, const void *a, const void *b)
{
    struct row out = {((const struct row *)a)->v * 1000 + ((const struct row *)b)->v};

    made++;
    tw_collect(cx, &out);
    return TW_OK;
}
static const struct tw_function joins = {.in = &row_row, .in2 = &row_row, .out = &row_row, .join = join};

/* Bytes of the operator at most, with so many rows of one key on both sides. */
static size_t peak_of(int rows)
{
    struct window_config c = tumbling;
    struct mem mem;
    struct buf text;

    c.co_group = false;
    c.function = (struct function_ref)FN(joins);
    mem_init(&mem, "test", 0);
    buf_init(&text, &mem);
    struct op_driver *d = op_driver_create(&(struct op_setup){.type = &op_window_join,
                                                              .config = &c,
                                                              .in = SCHEMA,
                                                              .in2 = SCHEMA,
                                                              .keys = "k",
                                                              .keys2 = "k",
                                                              .unused_port = "x"});
    for (int i = 0; i < rows; i++) buf_printf(&text, "@1 %d | a\n", i);
    op_push(d, 0, buf_text(&text));
    op_push(d, 1, buf_text(&text));
    made = 0;
    op_push_end(d);
    assert_string_equal(op_driver_error(d), "");
    assert_int_equal(made, (uint64_t)rows * (uint64_t)rows);
    size_t peak = op_driver_cx(d)->mem->peak;
    op_driver_free(d);
    buf_release(&text);
    mem_release(&mem);
    return peak;
}

/* 800 x 800 pairs of 8 bytes would be 5 MB. */
static void pairs_do_not_pile_up(void **state)
{
    (void)state;
    size_t few = peak_of(100), many = peak_of(800);
    assert_true(many < few + 400000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evictors_see_one_sequence), cmocka_unit_test(evicted_rows_stay_away),
        cmocka_unit_test(deltas_run_over_both),      cmocka_unit_test(triggers_of_the_user),
        cmocka_unit_test(deltas_need_one_type),      cmocka_unit_test(pairs_do_not_pile_up)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
