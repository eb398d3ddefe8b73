/* test_window_stagger.c - what moves windows: offset, stagger by the task's world, and the ends of time. */
#include <thalweg/thalweg.h>

#include "support/op_driver.h"

#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

extern const struct op_type op_window_columns;

static const char *const count[] = {"count(*) AS n"};

static void expect(struct window_config c, int64_t now, const char *rows, const char *expected)
{
    c.aggregates = (struct text_list){count, 1};
    struct op_setup setup = {.type = &op_window_columns, .config = &c, .in = "ROW<k STRING NOT NULL>", .keys = "k"};
    struct op_driver *d = op_driver_create(&setup);

    op_set_time(d, now);
    op_push(d, 0, rows);
    op_push_end(d);
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(op_output(d), expected);
    op_driver_free(d);
}

/* The driver's random number is 4: as good as no stagger. */
static void stagger_moves_windows(void **state)
{
    struct window_config c = {.assigner = TW_TUMBLING, .size_ms = 1000, .stagger = TW_NATURAL};

    (void)state;
    expect(c, 12300, "@100 a\n@400 a\n",
           "+I[a, 1969-12-31T23:59:59.300, 1970-01-01T00:00:00.300, 1]@299\n"
           "+I[a, 1970-01-01T00:00:00.300, 1970-01-01T00:00:01.300, 1]@1299\n");
    c.offset_ms = -200;
    expect(c, 12300, "@100 a\n", "+I[a, 1970-01-01T00:00:00.100, 1970-01-01T00:00:01.100, 1]@1099\n");
    c = (struct window_config){.assigner = TW_TUMBLING, .size_ms = 1000, .stagger = TW_RANDOM};
    expect(c, 12300, "@100 a\n", "+I[a, 1970-01-01T00:00, 1970-01-01T00:00:01, 1]@999\n");
}

/* Windows that would reach beyond the ends of time are refused; the others fire, by the last watermark at the latest. */
static void times_far_away(void **state)
{
    struct window_config c = {.assigner = TW_TUMBLING, .size_ms = 1000, .trigger = TW_TRIGGER_EVENT_TIME};
    static const struct window_config sessions = {.assigner = TW_SESSION, .gap_ms = 10};
    struct op_setup setup = {.type = &op_window_columns, .config = &c, .in = "ROW<k STRING NOT NULL>", .keys = "k"};
    int64_t times[] = {INT64_MAX, INT64_MAX - 5, INT64_MIN + 1, INT64_C(1) << 61};
    struct mem mem;

    (void)state;
    mem_init(&mem, "test", 0);
    c.aggregates = (struct text_list){count, 1};
    for (uint32_t i = 0; i < 2 * COUNT_OF(times); i++) {
        if (i == COUNT_OF(times)) {
            c = sessions;
            c.aggregates = (struct text_list){count, 1};
        }
        struct op_driver *d = op_driver_create(&setup);
        struct batch *b = batch_create(op_driver_cx(d)->plan->inputs[0], 1, &mem);
        VECTOR_VALUES(&b->cols[0], struct text)[0] = text_view("a", 1);
        b->count = 1;
        batch_use_times(b);
        b->times[0] = times[i % COUNT_OF(times)];
        op_push_batch(d, 0, b);
        op_push_end(d);
        const char *text = op_output(d), *line = strchr(text, '\n');
        if (i < 3 || i == 4 || i == 5) {
            assert_non_null(strstr(op_driver_error(d), " is out of range: "));
            assert_string_equal(text, "");
        } else {
            assert_string_equal(op_driver_error(d), "");
            assert_true(line != NULL && line[1] == '\0' && strstr(text, ", 1]@") != NULL); /* one result of one row */
        }
        batch_free(b);
        op_driver_free(d);
    }
    mem_release(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stagger_moves_windows),
        cmocka_unit_test(times_far_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
