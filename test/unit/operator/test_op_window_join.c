/* test_op_window_join.c - window joins and co-groups: pairs by arrival, windows that hold one side only, sliding windows,
 * lateness and firing again, processing time, what is refused; with batches of one row, of three and whole, on a backend
 * that answers at once and on one that never does. */
#include "ground/base/str.h"
#include "support/op_driver.h"
#include "support/rows.h"

#include <thalweg/context.h>
#include <thalweg/window.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const uint32_t sizes[] = {0, 1, 3};
static const char *const backends[] = {"hashmap", "pending"};

struct left {
    struct tw_str name;
    int32_t n;
};
TW_ROW(left, TW_FIELD(left, name, "STRING NOT NULL"), TW_FIELD(left, n, "INT NOT NULL"));
struct right {
    double price;
    struct tw_str text;
};
TW_ROW(right, TW_FIELD(right, price, "DOUBLE NOT NULL"), TW_FIELD(right, text, "STRING NOT NULL"));
struct out {
    struct tw_str text;
};
TW_ROW(out, TW_FIELD(out, text, "STRING NOT NULL"));
struct key {
    int64_t k;
};
TW_ROW(key, TW_FIELD(key, k, "BIGINT NOT NULL"));
#define LEFT "ROW<k BIGINT, name STRING, n INT>"
#define RIGHT "ROW<text STRING, price DOUBLE, k BIGINT>"

static enum tw_status join_rows(struct tw_context *cx, const void *a, const void *b)
{
    const struct left *l = a;
    const struct right *r = b;
    const struct key *k = tw_key(cx);
    char text[128];
    int size = snprintf(text, sizeof text, "%lld %.*s%d %.*s", (long long)k->k, (int)l->name.size, l->name.data, l->n,
                        (int)r->text.size, r->text.data);
    struct out o = {{text, (size_t)size}};

    if (r->price < 0) return tw_fail(cx, "a price below zero");
    tw_collect(cx, &o);
    return TW_OK;
}
TW_FUNCTION(pairs) = {.in = &left_row, .in2 = &right_row, .out = &out_row, .key = &key_row, .join = join_rows};

/* "key: left left | right right", with times; walks the right side twice. */
static enum tw_status group_rows(struct tw_context *cx, struct tw_elements *left, struct tw_elements *right)
{
    const struct key *k = tw_key(cx);
    char text[512];
    int size = snprintf(text, sizeof text, "%lld:", (long long)k->k);
    const struct left *l;
    const struct right *r;
    uint32_t again = 0;

    while ((l = tw_next(left)))
        size += snprintf(text + size, sizeof text - (size_t)size, " %.*s%d@%lld", (int)l->name.size, l->name.data, l->n,
                         (long long)tw_element_time(left));
    size += snprintf(text + size, sizeof text - (size_t)size, " |");
    while ((r = tw_next(right))) again++;
    if (again != tw_element_count(right)) return tw_fail(cx, "%u of %u", again, tw_element_count(right));
    tw_rewind(right);
    while ((r = tw_next(right)))
        size += snprintf(text + size, sizeof text - (size_t)size, " %.*s@%lld", (int)r->text.size, r->text.data,
                         (long long)tw_element_time(right));
    struct out o = {{text, (size_t)size}};
    tw_collect(cx, &o);
    return TW_OK;
}
TW_FUNCTION(groups) = {.in = &left_row, .in2 = &right_row, .out = &out_row, .key = &key_row, .co_group = group_rows};

static struct window_config tumble(const struct tw_function *f)
{
    return (struct window_config){
        .function = {.name = "f", .fn = f}, .assigner = TW_TUMBLING, .size_ms = 10, .co_group = f->co_group != NULL};
}

static struct op_driver *driver(const struct window_config *c, uint32_t batch_rows, const char *backend)
{
    return op_driver_create(&(struct op_setup){.type = op_find("window_join"),
                                               .config = c,
                                               .in = LEFT,
                                               .keys = "k",
                                               .in2 = RIGHT,
                                               .keys2 = "k",
                                               .batch_rows = batch_rows,
                                               .backend = backend,
                                               .watermarks = true});
}

typedef void (*scenario)(struct op_driver *d);

static void run_all(struct window_config c, scenario s)
{
    for (uint32_t b = 0; b < COUNT_OF(backends); b++)
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            struct op_driver *d = driver(&c, sizes[i], backends[b]);
            assert_string_equal(op_driver_error(d), "");
            s(d);
            assert_string_equal(op_driver_error(d), "");
            if (b == 1) assert_true(op_pending_count(d) > 0);
            op_driver_free(d);
        }
}

/* --- tumbling ----------------------------------------------------------------------------------------------------------- */
/* Keys of one window fire in the order of their timers, which is that of no input: compared as a set of lines. */
static void expect_lines(struct op_driver *d, const char *expected)
{
    const char *out = op_output(d);

    assert_int_equal(strlen(out), strlen(expected));
    for (const char *at = expected; *at != '\0'; at = strchr(at, '\n') + 1) {
        char line[256] = "";
        strncat(line, at, MIN((size_t)(strchr(at, '\n') - at) + 1, sizeof line - 1));
        if (strstr(out, line) == NULL) fail_msg("no %s in %s", line, out);
    }
}

static void push_rows(struct op_driver *d)
{
    op_push(d, 0, "@1 1 | a | 1\n@12 1 | a | 2\n@3 1 | b | 3\n@4 2 | c | 4\n@5 3 | only left with a long name | 5");
    op_push(d, 1,
            "@9 x | 1.0 | 1\n@0 a text of some length | 2.0 | 1\n@11 z | 1.0 | 1\n@7 r | 1.0 | 4\n@6 w | 1.0 | 2");
}

static void join_scenario(struct op_driver *d)
{
    push_rows(d);
    op_push_watermark(d, 8);
    expect_lines(d, "W@8\n");
    op_push_watermark(d, 9);
    expect_lines(d, "+I[1 a1 x]@9\n+I[1 a1 a text of some length]@9\n+I[1 b3 x]@9\n+I[1 b3 a text of some "
                    "length]@9\n+I[2 c4 w]@9\nW@9\n");
    op_push_watermark(d, 15);
    expect_lines(d, "W@15\n");
    op_push_end(d);
    expect_lines(d, "+I[1 a2 z]@19\nW@max\n");
}

static void co_group_scenario(struct op_driver *d)
{
    push_rows(d);
    op_push_end(d);
    expect_lines(d, "+I[1: a1@1 b3@3 | x@9 a text of some length@0]@9\n+I[2: c4@4 | w@6]@9\n"
                    "+I[3: only left with a long name5@5 |]@9\n+I[4: | r@7]@9\n+I[1: a2@12 | z@11]@19\nW@max\n");
}

static void rows_of_one_window_meet(void **state)
{
    (void)state;
    run_all(tumble(&pairs), join_scenario);
    run_all(tumble(&groups), co_group_scenario);
}

/* --- sliding ------------------------------------------------------------------------------------------------------------- */
static void sliding_scenario(struct op_driver *d)
{
    op_push(d, 0, "@-1 1 | a | 1\n@6 1 | b | 2");
    op_push(d, 1, "@4 x | 1.0 | 1\n@10 y | 1.0 | 1");
    op_push_end(d);
    assert_string_equal(op_output(d), "+I[1: a1@-1 |]@-1\n+I[1: a1@-1 | x@4]@4\n+I[1: b2@6 | x@4]@9\n+I[1: b2@6 | "
                                      "y@10]@14\n+I[1: | y@10]@19\nW@max\n");
}

static void sliding_windows_overlap(void **state)
{
    struct window_config c = tumble(&groups);

    (void)state;
    c.assigner = TW_SLIDING;
    c.slide_ms = 5;
    run_all(c, sliding_scenario);
}

static void sliding_late_scenario(struct op_driver *d)
{
    op_push(d, 0, "@6 1 | a | 1");
    op_push_watermark(d, 14);
    assert_string_equal(op_output(d), "+I[1: a1@6 |]@9\n+I[1: a1@6 |]@14\nW@14\n");
    op_push(d, 1, "@7 x | 1.0 | 1\n@2 y | 1.0 | 1"); /* the second one: of its windows only that of 9 is there still */
    assert_string_equal(op_output(d), "+I[1: a1@6 | x@7]@14\n+I[1: a1@6 | x@7]@9\n+I[1: a1@6 | x@7 y@2]@9\n");
    op_push_end(d);
    assert_string_equal(op_output(d), "W@max\n");
}

static void a_late_row_fires_its_windows_from_the_last_on(void **state)
{
    struct window_config c = tumble(&groups);

    (void)state;
    c.assigner = TW_SLIDING;
    c.slide_ms = 5;
    c.lateness_ms = 6;
    run_all(c, sliding_late_scenario);
}

/* --- late ------------------------------------------------------------------------------------------------------------------ */
static void late_scenario(struct op_driver *d)
{
    op_push(d, 0, "@1 1 | a | 1");
    op_push_watermark(d, 9);
    op_push(d, 1, "@2 x | 1.0 | 1\n@3 y | 1.0 | 1\n@14 z | 1.0 | 1");
    op_push(d, 0, "@4 2 | c | 1\n@4 1 | b | 2");
    assert_string_equal(op_output(d),
                        "W@9\n+I[1 a1 x]@9\n+I[1 a1 x]@9\n+I[1 a1 y]@9\n+I[1 a1 x]@9\n+I[1 a1 y]@9\n+I[1 b2 "
                        "x]@9\n+I[1 b2 y]@9\n");
    op_push_watermark(d, 14);
    op_push(d, 0, "@5 1 | too late | 1\n@10 1 | d | 1\n@6 1 | too late | 1");
    assert_int_equal(op_driver_cx(d)->metrics->late_dropped.value, 2);
    op_push_end(d);
    assert_string_equal(op_output(d), "W@14\n+I[1 d1 z]@19\nW@max\n");
}

static void late_rows_fire_again_until_the_lateness_is_over(void **state)
{
    struct window_config c = tumble(&pairs);

    (void)state;
    c.lateness_ms = 5;
    run_all(c, late_scenario);
}

/* --- processing time ---------------------------------------------------------------------------------------------------------- */
static void clock_scenario(struct op_driver *d)
{
    op_set_time(d, 103);
    op_push(d, 0, "1 | a | 1");
    op_push(d, 1, "x | 1.0 | 1");
    assert_int_equal(op_next_wake(d), 109);
    op_set_time(d, 108);
    assert_string_equal(op_output(d), "");
    op_set_time(d, 109);
    assert_string_equal(op_output(d), "+I[1 a1 x]@109\n");
    op_set_time(d, 112);
    op_push(d, 1, "y | 1.0 | 1");
    op_set_time(d, 150);
    assert_string_equal(op_output(d), "");
}

static void processing_time_windows_follow_the_clock(void **state)
{
    struct window_config c = tumble(&pairs);

    (void)state;
    c.processing_time = true;
    run_all(c, clock_scenario);
}

/* --- other windows -------------------------------------------------------------------------------------------------------------- */
static void session_scenario(struct op_driver *d)
{
    op_push(d, 0, "@1 1 | a | 1\n@20 1 | b | 2");
    op_push(d, 1, "@8 x | 1.0 | 1\n@31 y | 1.0 | 1");
    op_push_end(d);
    assert_string_equal(op_output(d), "+I[1: a1@1 | x@8]@17\n+I[1: b2@20 |]@29\n+I[1: | y@31]@40\nW@max\n");
}

static void count_scenario(struct op_driver *d)
{
    op_push(d, 0, "@1 1 | a | 1\n@2 1 | b | 2");
    op_push(d, 1, "@3 x | 1.0 | 1");
    assert_string_equal(op_output(d), "+I[1: a1@1 b2@2 | x@3]@9223372036854775807\n");
}

static void sessions_merge_both_sides_and_triggers_count_both(void **state)
{
    struct window_config c = tumble(&groups);

    (void)state;
    c.assigner = TW_SESSION;
    c.gap_ms = 10;
    run_all(c, session_scenario);
    c.assigner = TW_GLOBAL;
    c.trigger = TW_TRIGGER_COUNT;
    c.trigger_count = 3;
    c.trigger_purging = true;
    run_all(c, count_scenario);
}

/* --- large -------------------------------------------------------------------------------------------------------------------- */
static void large_scenario(struct op_driver *d)
{
    struct mem mem;
    struct buf rows;

    mem_init(&mem, "test", 0);
    buf_init(&rows, &mem);
    for (int i = 0; i < 90; i++) buf_printf(&rows, "@1 1 | a | %d\n", i);
    op_push(d, 0, buf_text(&rows));
    buf_clear(&rows);
    for (int i = 0; i < 100; i++) buf_printf(&rows, "@1 r%d | 1.0 | 1\n", i);
    op_push(d, 1, buf_text(&rows));
    op_push_watermark(d, 9);
    const char *at = op_output(d);
    for (int i = 0; i < 9000; i++) {
        char line[64];
        size_t size = (size_t)snprintf(line, sizeof line, "+I[1 a%d r%d]@9\n", i / 100, i % 100);
        assert_memory_equal(at, line, size);
        at += size;
    }
    assert_string_equal(at, "W@9\n");
    buf_release(&rows);
    mem_release(&mem);
}

static void more_pairs_than_a_batch(void **state)
{
    (void)state;
    run_all(tumble(&pairs), large_scenario);
}

static void very_many_keys(void **state)
{
    struct window_config c = tumble(&groups);
    struct op_driver *d = driver(&c, 0, "pending");
    struct mem mem;
    struct buf rows;
    uint32_t lines = 0;

    (void)state;
    mem_init(&mem, "test", 0);
    buf_init(&rows, &mem);
    for (int part = 0; part < 3; part++) {
        buf_clear(&rows);
        for (int i = 0; i < 2000; i++) buf_printf(&rows, "@1 %d | a | 1\n", part * 2000 + i);
        op_push(d, 0, buf_text(&rows));
        buf_clear(&rows);
        for (int i = 0; i < 2000; i++) buf_printf(&rows, "@1 x | 1.0 | %d\n", 3000 + part * 2000 + i);
        op_push(d, 1, buf_text(&rows));
    }
    op_push_end(d);
    for (const char *at = op_output(d); *at != '\0'; at = strchr(at, '\n') + 1) lines++;
    assert_int_equal(lines, 9001);
    op_driver_free(d);
    buf_release(&rows);
    mem_release(&mem);
}

/* --- mistakes -------------------------------------------------------------------------------------------------------------------- */
static void expect_error(uint32_t input, const char *rows, const char *expected)
{
    struct window_config c = tumble(&pairs);

    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct op_driver *d = driver(&c, sizes[i], NULL);
        op_push(d, 0, "@1 1 | a | 1");
        op_push(d, input, rows);
        op_push_end(d);
        assert_string_equal(op_driver_error(d), expected);
        op_driver_free(d);
    }
}

static void bad_rows_fail(void **state)
{
    (void)state;
    expect_error(0, "1 | a | 1",
                 "a row has no timestamp (Long.MIN_VALUE, the mark of none), but its windows are of event time (give "
                 "the stream a watermark "
                 "strategy (tw_with_watermarks), or use windows of processing time)");
    expect_error(1, "@1 null | 1.0 | 1",
                 "NULL in column 'text', but row type 'right' has no place for it (give the struct a null "
                 "mask with TW_NULLS, or remove such rows before)");
    expect_error(1, "@1 x | 1.0 | null", "a row has NULL in the key column 'k'; keys must not be NULL "
        "(remove such rows before it, for example with tw_filter)");
    expect_error(1, "@1 x | -1.0 | 1", "key [1], window [0, 10): a price below zero");
}

static void mistakes_are_refused(void **state)
{
    struct window_config c[] = {tumble(&pairs), tumble(&groups), tumble(&pairs)};
    static const char *const errors[] = {
        "a window's size is 0 ms; it must be positive",
        "function 'f' cannot be used here: it has no .join (set .join in its TW_FUNCTION)",
        "function 'f' cannot be used here: it has no .co_group (set .co_group in its TW_FUNCTION)",
    };

    (void)state;
    c[0].size_ms = 0;
    c[1].co_group = false;
    c[2].co_group = true;
    for (uint32_t i = 0; i < COUNT_OF(c); i++) {
        struct op_driver *d = driver(&c[i], 0, NULL);
        assert_string_equal(op_driver_error(d), errors[i]);
        op_driver_free(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_one_window_meet),
        cmocka_unit_test(sliding_windows_overlap),
        cmocka_unit_test(a_late_row_fires_its_windows_from_the_last_on),
        cmocka_unit_test(late_rows_fire_again_until_the_lateness_is_over),
        cmocka_unit_test(processing_time_windows_follow_the_clock),
        cmocka_unit_test(sessions_merge_both_sides_and_triggers_count_both),
        cmocka_unit_test(more_pairs_than_a_batch),
        cmocka_unit_test(very_many_keys),
        cmocka_unit_test(bad_rows_fail),
        cmocka_unit_test(mistakes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
