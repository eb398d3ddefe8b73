/* test_writer_timeout.c - how long rows wait in a writer for a batch to fill, on a clock set by hand, and which channels the
 * adaptive partitioner compares. */
#include "flow/exchange/exchange.h"

#include "ground/base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { CHANNELS = 4, BATCH = 8, SHELLS = 4 };
#define MS INT64_C(1000000)

/* The world's operations come first: that is how the clock finds its time. */
struct world {
    struct sys_ops ops;
    int64_t mono_ns;
    struct mem mem;
    struct arena arena;
    struct sys *sys;
    const struct type *schema;
    struct channel *channels[CHANNELS];
    struct gate *gates[CHANNELS];
    struct writer *writer;
};

static int64_t mono_ns(struct sys *sys) { return ((const struct world *)(const void *)sys->ops)->mono_ns; }

static void open_world(struct world *w, const struct writer_plan *plan)
{
    memset(w, 0, sizeof *w);
    mem_init(&w->mem, "test", 0);
    arena_init(&w->arena, &w->mem, 0);
    w->sys = sys_linux_create_quiet();
    w->ops = *w->sys->ops;
    w->ops.mono_ns = mono_ns;
    w->sys->ops = &w->ops;
    w->mono_ns = 1000 * MS;
    assert_int_equal(type_parse(&w->arena, STR("ROW<k BIGINT NOT NULL>"), &w->schema, NULL), S_OK);
    for (uint32_t i = 0; i < CHANNELS; i++) {
        w->channels[i] = channel_create(&w->mem, w->schema, NULL, BATCH, SHELLS);
        channel_connect(w->channels[i], w->sys, NULL, NULL);
        struct gate_input in = {&w->channels[i], 1, NULL};
        w->gates[i] = gate_create(&in, 1, &w->mem, 0);
    }
    w->writer = writer_create(plan, w->channels, CHANNELS, &w->mem);
}

static void close_world(struct world *w)
{
    for (uint32_t i = 0; i < CHANNELS; i++) gate_free(w->gates[i]);
    writer_free(w->writer);
    for (uint32_t i = 0; i < CHANNELS; i++) channel_free(w->channels[i]);
    arena_release(&w->arena);
    sys_linux_free(w->sys);
    mem_release(&w->mem);
}

static void write_rows(struct world *w, uint32_t n)
{
    struct batch *b = batch_create(w->schema, BATCH_ROWS, &w->mem);

    for (uint32_t i = 0; i < n; i++) VECTOR_VALUES(&b->cols[0], int64_t)[i] = i;
    b->count = n;
    assert_int_equal(writer_batch(w->writer, b, false), S_OK);
    batch_free(b);
}

/* Rows that have come out of channel c. */
static uint32_t arrived(struct world *w, uint32_t c)
{
    struct gate_event e;
    uint32_t n = 0;

    while (gate_next(w->gates[c], &e) == S_OK)
        if (e.kind == GATE_BATCH) n += batch_rows(e.batch);
    return n;
}

static void expect(struct world *w, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    const uint32_t expected[CHANNELS] = {a, b, c, d};

    for (uint32_t i = 0; i < CHANNELS; i++) assert_int_equal(arrived(w, i), expected[i]);
}

static void zero_sends_with_the_call(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, &(struct writer_plan){.partitioner = PART_REBALANCE, .parallelism = 1, .has_timeout = true});
    write_rows(&w, 6);
    assert_int_equal(writer_wait_ns(w.writer), INT64_MAX);
    expect(&w, 2, 1, 2, 1);
    close_world(&w);
}

static void rows_wait_through_flushes_until_it_has_passed(void **state)
{
    struct writer_plan plan = {.partitioner = PART_GLOBAL, .parallelism = 1, .has_timeout = true, .timeout_ms = 20};
    struct world w;

    (void)state;
    open_world(&w, &plan);
    assert_int_equal(writer_wait_ns(w.writer), INT64_MAX);
    write_rows(&w, 3);
    assert_int_equal(writer_wait_ns(w.writer), 20 * MS);
    assert_int_equal(writer_flush(w.writer), S_OK);
    expect(&w, 0, 0, 0, 0);
    w.mono_ns += 15 * MS;
    write_rows(&w, 2); /* the first row counts */
    assert_int_equal(writer_wait_ns(w.writer), 5 * MS);
    assert_int_equal(writer_flush(w.writer), S_OK);
    expect(&w, 0, 0, 0, 0);
    write_rows(&w, 5); /* a full batch goes at once */
    expect(&w, 8, 0, 0, 0);
    w.mono_ns += 5 * MS;
    assert_int_equal(writer_wait_ns(w.writer), 0);
    assert_int_equal(writer_flush(w.writer), S_OK);
    expect(&w, 2, 0, 0, 0);
    assert_int_equal(writer_wait_ns(w.writer), INT64_MAX);
    close_world(&w);
}

static void full_batches_only(void **state)
{
    struct writer_plan plan = {
        .partitioner = PART_GLOBAL, .parallelism = 1, .has_timeout = true, .timeout_ms = WRITER_FULL_ONLY};
    struct world w;

    (void)state;
    open_world(&w, &plan);
    write_rows(&w, 9);
    assert_int_equal(writer_wait_ns(w.writer), INT64_MAX);
    w.mono_ns += INT64_C(1000000) * MS;
    assert_int_equal(writer_flush(w.writer), S_OK);
    expect(&w, 8, 0, 0, 0);
    assert_int_equal(writer_control(w.writer, ELEMENT_WATERMARK, 5), S_OK); /* takes along what is before it */
    expect(&w, 1, 0, 0, 0);
    write_rows(&w, 2);
    assert_int_equal(writer_control(w.writer, ELEMENT_END, 0), S_OK);
    expect(&w, 2, 0, 0, 0);
    close_world(&w);
}

/* Channels 0 and 1 are behind; who compares two at a time meets them all the same, who compares all does not. */
static void no_more_channels_are_compared_than_allowed(void **state)
{
    struct writer_plan plan = {.partitioner = PART_ADAPTIVE, .parallelism = 1, .traverse_max = 2};
    struct world w;

    (void)state;
    for (; plan.traverse_max <= 4; plan.traverse_max += 2) {
        uint32_t two = plan.traverse_max == 2, got[CHANNELS] = {0};
        open_world(&w, &plan);
        for (uint32_t i = 0; i < 12; i++) {
            write_rows(&w, 1);
            assert_int_equal(writer_flush(w.writer), S_OK);
            got[2] += arrived(&w, 2);
            got[3] += arrived(&w, 3);
        }
        got[0] = arrived(&w, 0);
        got[1] = arrived(&w, 1);
        assert_int_equal(got[0] + got[1] + got[2] + got[3], 12);
        assert_int_equal(got[0], two ? 3 : 1);
        assert_int_equal(got[1], two ? 2 : 1);
        close_world(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zero_sends_with_the_call),
        cmocka_unit_test(rows_wait_through_flushes_until_it_has_passed),
        cmocka_unit_test(full_batches_only),
        cmocka_unit_test(no_more_channels_are_compared_than_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
