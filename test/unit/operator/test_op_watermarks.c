/* test_op_watermarks.c - event times and watermarks in mid-stream and at op_source: columns of every unit, selections,
 * functions of the user, cutting at row counts, periodic emission, idleness, mistakes. */
#include "flow/source/watermark.h"
#include "flow/task/chain.h"
#include "ground/base/str.h"
#include "support/op_driver.h"
#include "support/rows.h"

#include <thalweg/context.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

extern const struct op_type op_watermarks, op_source;

static struct op_driver *start_rows(struct watermarks_config *c, const char *in, uint32_t batch_rows)
{
    return op_driver_create(&(struct op_setup){
        .type = &op_watermarks, .config = c, .in = in, .batch_rows = batch_rows, .watermarks = true});
}

static void test_units(void **state)
{
    static const struct {
        const char *type, *value;
        int64_t ms;
    } cases[] = {
        {"BIGINT", "-5", -5},
        {"TIMESTAMP(0)", "1970-01-01 00:00:02", 2000},
        {"TIMESTAMP(3)", "1970-01-01 00:00:00.007", 7},
        {"TIMESTAMP(6)", "1970-01-01 00:00:00.007999", 7},
        {"TIMESTAMP(6)", "1969-12-31 23:59:59.999999", -1},
        {"TIMESTAMP(9)", "1970-01-01 00:00:01.000000999", 1000},
        {"TIMESTAMP_LTZ(3)", "1970-01-01 00:00:00.042", 42},
    };
    char in[64], out[128], row[64];

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
        struct watermarks_config c = {.watermark = {.kind = WATERMARK_MONOTONOUS, .every_rows = 1, .time_field = "ts"}};
        snprintf(in, sizeof in, "ROW<ts %s>", cases[i].type);
        snprintf(row, sizeof row, "@123456 %s\n", cases[i].value);
        snprintf(out, sizeof out, "]@%lld\nW@%lld\n", (long long)cases[i].ms, (long long)cases[i].ms - 1);
        struct op_driver *d = start_rows(&c, in, 0);
        op_push(d, 0, row);
        assert_true(str_ends(str_of(op_output(d)), str_of(out)));
        op_driver_free(d);
    }
}

static void test_cut_where_watermarks_are_due(void **state)
{
    static const uint32_t sizes[] = {1, 2, 3, 4, 2048};

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct watermarks_config c = {
            .watermark = {.kind = WATERMARK_BOUNDED, .out_of_orderness_ms = 5, .every_rows = 3, .time_field = "ts"}};
        struct op_driver *d = start_rows(&c, "ROW<ts BIGINT>", sizes[i]);
        op_push(d, 0, "10\n30\n20\n15\n40\n5\n50\n");
        op_push_watermark(d, 1000); /* upstream's do not count, except the last */
        op_push_end(d);
        assert_string_equal(
            op_output(d),
            "+I[10]@10\n+I[30]@30\n+I[20]@20\nW@24\n+I[15]@15\n+I[40]@40\n+I[5]@5\nW@34\n+I[50]@50\nW@max\n");
        op_driver_free(d);
    }
}

static void test_selection_and_constants(void **state)
{
    struct watermarks_config c = {.watermark = {.kind = WATERMARK_MONOTONOUS, .every_rows = 2, .time_field = "ts"}};
    struct op_driver *d = start_rows(&c, "ROW<a INT, ts BIGINT>", 0);
    uint16_t sel[] = {0, 2, 3};
    struct mem mem;
    struct arena arena;

    (void)state;
    mem_init(&mem, "test", 0);
    arena_init(&arena, &mem, 0);
    struct batch *b = rows_batch(rows_type(&arena, "ROW<a INT, ts BIGINT>"), &mem, "1 | 10\n2 | 999\n3 | 20\n4 | 30\n");
    b->sel = sel;
    b->sel_count = 3;
    op_push_batch(d, 0, b);
    assert_string_equal(op_output(d), "+I[1, 10]@10\n+I[3, 20]@20\nW@19\n+I[4, 30]@30\n");
    b->sel = NULL;
    vector_make_const(&b->cols[1]);
    op_push_batch(d, 0, b);
    assert_string_equal(op_output(d), "+I[1, 10]@10\nW@29\n+I[2, 10]@10\n+I[3, 10]@10\n+I[4, 10]@10\n");
    op_driver_free(d);
    mem_release(&mem);
}

static void test_periodic_and_idle(void **state)
{
    struct watermarks_config c = {
        .watermark = {.kind = WATERMARK_MONOTONOUS, .time_field = "ts", .periodic_ms = 100, .idleness_ms = 250}};
    struct op_driver *d = start_rows(&c, "ROW<ts BIGINT>", 0);

    (void)state;
    op_push(d, 0, "10\n");
    assert_string_equal(op_output(d), "+I[10]@10\n");
    assert_int_equal(op_next_wake(d), 100);
    op_set_time(d, 100);
    assert_string_equal(op_output(d), "W@9\n");
    op_set_time(d, 150);
    op_push(d, 0, "20\n");
    op_set_time(d, 200);
    assert_string_equal(op_output(d), "+I[20]@20\nW@19\n");
    op_set_time(d, 350);
    assert_int_equal(op_next_wake(d), 400); /* 250 after the latest row */
    op_driver_free(d);
}

/* --- functions ---------------------------------------------------------------------------------------------------- */
struct reading {
    int64_t seconds;
    bool marker;
};
TW_ROW(reading, TW_FIELD(reading, seconds, "BIGINT NOT NULL"), TW_FIELD(reading, marker, "BOOLEAN NOT NULL"));

static enum tw_status seconds_time(struct tw_context *cx, const void *in, int64_t *time_ms)
{
    const struct reading *r = in;

    if (r->seconds < 0) return tw_fail(cx, "time before the beginning");
    *time_ms = r->seconds * 1000;
    return TW_OK;
}

static enum tw_status marked(struct tw_context *cx, const void *in, int64_t time_ms, int64_t *watermark)
{
    const struct reading *r = in;

    (void)cx;
    if (r->marker) *watermark = time_ms;
    return TW_OK;
}

static const struct tw_function by_marker = {.in = &reading_row, .timestamp = seconds_time, .watermark = marked};
static const struct tw_function only_time = {.in = &reading_row, .timestamp = seconds_time};

static void test_functions(void **state)
{
    struct watermarks_config c = {.watermark = {.kind = WATERMARK_FUNCTION,
                                                .every_rows = 1,
                                                .function = {.name = "by_marker", .fn = &by_marker}}};
    const char *in = "ROW<other STRING, marker BOOLEAN NOT NULL, seconds BIGINT NOT NULL>";
    struct op_driver *d = start_rows(&c, in, 0);

    (void)state;
    op_push(d, 0, "a | false | 3\nb | true | 5\nc | false | 9\nd | true | 4\n");
    assert_string_equal(
        op_output(d), "+I[a, false, 3]@3000\n+I[b, true, 5]@5000\nW@5000\n+I[c, false, 9]@9000\n+I[d, true, 4]@4000\n");
    op_push(d, 0, "e | false | -1\n");
    assert_string_equal(op_driver_error(d), "row +I[e, false, -1]: time before the beginning");
    op_driver_free(d);

    c.watermark.kind = WATERMARK_BOUNDED;
    c.watermark.out_of_orderness_ms = 500;
    c.watermark.function = (struct function_ref){.name = "only_time", .fn = &only_time};
    d = start_rows(&c, in, 0);
    op_push(d, 0, "a | false | 3\n");
    assert_string_equal(op_output(d), "+I[a, false, 3]@3000\nW@2499\n");
    op_driver_free(d);
    c.watermark.kind = WATERMARK_FUNCTION;
    d = start_rows(&c, in, 0);
    assert_non_null(strstr(op_driver_error(d), "watermark"));
    op_driver_free(d);
}

static void test_mistakes(void **state)
{
    struct watermarks_config c = {.watermark = {.kind = WATERMARK_MONOTONOUS, .every_rows = 1, .time_field = "time"}};
    struct op_driver *d = start_rows(&c, "ROW<times BIGINT>", 0);

    (void)state;
    assert_string_equal(op_driver_error(d),
                        "field 'time' is not in stream 'input' (has: times) (did you mean 'times'?)");
    op_driver_free(d);
    d = start_rows(&c, "ROW<`time` STRING>", 0);
    assert_string_equal(op_driver_error(d), "field 'time' of stream 'input' cannot be the event time (event time is a "
                                            "TIMESTAMP, a TIMESTAMP_LTZ, or a BIGINT of ms since 1970)");
    op_driver_free(d);
    d = start_rows(&c, "ROW<a STRING, `time` BIGINT>", 0);
    op_push(d, 0, "x | 1\ny | null\n");
    assert_string_equal(op_driver_error(d), "event time 'time' is NULL in row +I[y, null] (filter such rows before "
                                            "times are assigned, or give them a time)");
    op_driver_free(d);
}

static void test_alignment_is_for_sources(void **state)
{
    static const struct option items[] = {{"from", "1"}, {"to", "5"}, {"scan.watermark.alignment.group", "g"}};
    struct watermarks_config c = {.watermark = {.kind = WATERMARK_MONOTONOUS, .time_field = "ts", .alignment_group = "g"}};
    struct source_config source = {.connector = "sequence", .options = {items, 3}};
    struct op_driver *d = start_rows(&c, "ROW<ts BIGINT>", 0);

    (void)state;
    assert_string_equal(op_driver_error(d), "watermarks in mid-stream cannot be aligned (group 'g') "
                                            "(only sources can wait for each other: set the watermarks at the source)");
    op_driver_free(d);
    d = op_driver_create(&(struct op_setup){.type = &op_source, .config = &source});
    assert_string_equal(op_driver_error(d), "alignment group 'g': without watermarks there is nothing to align");
    op_driver_free(d);
    source.watermark = (struct watermark_config){.kind = WATERMARK_MONOTONOUS, .time_field = "value"};
    d = op_driver_create(&(struct op_setup){.type = &op_source, .config = &source});
    assert_string_equal(op_driver_error(d), "alignment group 'g' needs a drift that is allowed, longer than nothing");
    op_driver_free(d);
}

/* --- op_source ---------------------------------------------------------------------------------------------------- */
static struct op_driver *start_source(struct source_config *c, uint32_t batch_rows)
{
    return op_driver_create(
        &(struct op_setup){.type = &op_source, .config = c, .batch_rows = batch_rows, .watermarks = true});
}

static void test_source_with_watermarks(void **state)
{
    static const struct option items[] = {{"connector", "sequence"},
                                          {"from", "1"},
                                          {"to", "5"},
                                          {"scan.watermark.emit.strategy", "on-event"},
                                          {"scan.watermark.emit.on-event.gap", "2"}};

    (void)state;
    for (uint32_t size = 1; size < 7; size++) {
        struct source_config c = {.connector = "sequence",
                                  .options = {items, 5},
                                  .watermark = {.kind = WATERMARK_MONOTONOUS, .time_field = "value"}};
        struct op_driver *d = start_source(&c, size);
        op_poll(d);
        assert_string_equal(op_output(d), "+I[1]@1\n+I[2]@2\nW@1\n+I[3]@3\n+I[4]@4\nW@3\n+I[5]@5\nW@max\n");
        op_driver_free(d);
    }
}

/* The times need a column that nobody downstream wants: it is read all the same. */
struct seen {
    uint32_t rows;
    bool has_time_column;
    int64_t first_time;
};

static enum status see_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct seen *seen = (struct seen *)cx->config;

    (void)self;
    (void)input;
    if (seen->rows == 0) seen->first_time = in->times[0];
    seen->rows += in->count;
    seen->has_time_column = in->cols[5].form == VEC_FLAT;
    assert_int_equal(in->cols[0].form, VEC_FLAT);
    assert_int_equal(in->cols[1].form, VEC_ABSENT);
    return S_OK;
}

static const struct op_type op_see = {
    .name = "see", .input_count = 1, .config_size = sizeof(struct seen), .on_batch = see_batch};

static void test_source_reads_the_time_column(void **state)
{
    static const struct option items[] = {
        {"events.num", "30"}, {"nexmark.table", "bid"}, {"nexmark.base-time", "1000"}};
    struct source_config c = {.connector = "nexmark",
                              .options = {items, 3},
                              .watermark = {.kind = WATERMARK_MONOTONOUS, .every_rows = 28, .time_field = "dateTime"}};
    struct seen seen = {0};
    uint64_t auction = 1;
    const uint64_t *needed[] = {&auction};
    struct mem mem;
    struct arena arena;
    struct err err = {0};
    struct chain chain = {0};
    struct sys *sys = sys_linux_create_quiet();

    (void)state;
    mem_init(&mem, "test", 0);
    arena_init(&arena, &mem, 0);
    struct op_plan plan = {.arena = &arena}, see_plan = {.arena = &arena, .input_count = 1};
    assert_int_equal(op_source.derive(&plan, &c, &err), S_OK);
    assert_int_equal(plan.output_count, 1);
    see_plan.inputs[0] = plan.outputs[0];
    struct node_plan nodes[] = {
        {.type = &op_source, .config = &c, .plan = &plan, .name = "source", .uid = "s", .needed_out = needed},
        {.type = &op_see, .config = &seen, .plan = &see_plan, .name = "see", .uid = "e"}};
    struct task_plan task = {
        .name = "test", .parallelism = 1, .max_parallelism = 1, .batch_rows = 2048, .nodes = nodes, .node_count = 2};
    chain_init(&chain, &task, &mem, sys, NULL, &err);
    assert_int_equal(op_source.open(&chain.nodes[0].cx, chain.nodes[0].self), S_OK);
    while (chain.nodes[0].poll_answer != S_END) {
        chain_give(&chain, WORK_POLL, 0, NULL, 0);
        chain.budget = 1000;
        assert_int_equal(chain_drain(&chain), S_OK);
    }
    assert_int_equal(seen.rows, 28);
    assert_true(seen.has_time_column);
    assert_int_equal(seen.first_time, 1000); /* event 2: 300 us after the base */
    op_source.close(&chain.nodes[0].cx, chain.nodes[0].self, false);
    chain_release(&chain, &mem);
    mem_release(&mem);
    sys_linux_free(sys);
}

static void test_source_mistakes(void **state)
{
    static const struct option items[] = {{"from", "1"}, {"to", "5"}};
    struct source_config c = {.connector = "print"};
    struct op_driver *d = start_source(&c, 0);
    struct mem mem;
    struct arena arena;

    (void)state;
    assert_string_equal(op_driver_error(d), "connector 'print' cannot be read (it is a sink)");
    op_driver_free(d);
    mem_init(&mem, "test", 0);
    arena_init(&arena, &mem, 0);
    c = (struct source_config){
        .connector = "sequence", .options = {items, 2}, .schema = rows_type(&arena, "ROW<n BIGINT>")};
    d = start_source(&c, 0);
    assert_string_equal(op_driver_error(d),
                        "the declared columns are not those of connector 'sequence': ROW<`value` BIGINT NOT NULL> (declare columns of these names and types)");
    op_driver_free(d);
    mem_release(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_cut_where_watermarks_are_due),
        cmocka_unit_test(test_selection_and_constants),
        cmocka_unit_test(test_periodic_and_idle),
        cmocka_unit_test(test_functions),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_alignment_is_for_sources),
        cmocka_unit_test(test_source_with_watermarks),
        cmocka_unit_test(test_source_reads_the_time_column),
        cmocka_unit_test(test_source_mistakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
