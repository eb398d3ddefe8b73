/* test_exchange.c - writers and gates: where rows go, that none is lost when credit runs out, and what a gate makes of
 * watermarks, idleness and ends. */
#include "flow/exchange/exchange.h"

#include "ground/base/hash.h"
#include "ground/base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { CHANNELS_MAX = 8 };

struct fixture {
    struct mem mem;
    struct arena arena;
    struct sys *sys;
    const struct type *schema;
    struct channel *channels[CHANNELS_MAX];
    uint32_t count;
    struct writer *writer;
    struct gate *gates[CHANNELS_MAX]; /* one per channel */
};

static void open_fixture(struct fixture *f, enum partitioner p, uint32_t channels, uint32_t shells, uint32_t rows)
{
    static const uint32_t key = 0;
    struct writer_plan plan = {.partitioner = p, .keys = &key, .key_count = 1, .max_parallelism = 128, .parallelism = 1, .seed = 5};

    memset(f, 0, sizeof *f);
    mem_init(&f->mem, "test", 0);
    arena_init(&f->arena, &f->mem, 0);
    f->sys = sys_linux_create_quiet();
    assert_int_equal(type_parse(&f->arena, STR("ROW<k BIGINT NOT NULL, v STRING>"), &f->schema, NULL), S_OK);
    f->count = channels;
    for (uint32_t i = 0; i < channels; i++) {
        f->channels[i] = channel_create(&f->mem, f->schema, NULL, rows, shells);
        channel_connect(f->channels[i], f->sys, NULL, NULL);
        struct gate_input in = {&f->channels[i], 1, NULL};
        f->gates[i] = gate_create(&in, 1, &f->mem, 0);
    }
    f->writer = writer_create(&plan, f->channels, channels, &f->mem);
}

static void close_fixture(struct fixture *f)
{
    for (uint32_t i = 0; i < f->count; i++) gate_free(f->gates[i]);
    writer_free(f->writer);
    for (uint32_t i = 0; i < f->count; i++) channel_free(f->channels[i]);
    arena_release(&f->arena);
    sys_linux_free(f->sys);
    mem_release(&f->mem);
}

/* Rows (first.., "value <k> is longer than twelve bytes") with times 1000 + k. */
static struct batch *rows_of(struct fixture *f, int64_t first, uint32_t n)
{
    struct batch *b = batch_create(f->schema, BATCH_ROWS, &f->mem);

    batch_use_times(b);
    for (uint32_t i = 0; i < n; i++) {
        char text[64];
        int64_t k = first + i;
        int size = snprintf(text, sizeof text, "value %lld is longer than twelve bytes", (long long)k);
        VECTOR_VALUES(&b->cols[0], int64_t)[i] = k;
        VECTOR_VALUES(&b->cols[1], struct text)[i] = text_put(&b->heap, text, (size_t)size);
        b->times[i] = 1000 + k;
    }
    b->count = n;
    return b;
}

/* Takes all rows of channel c; checks text and time of each against its key; appends keys to out. */
static uint32_t take_rows(struct fixture *f, uint32_t c, int64_t *out)
{
    struct gate_event e;
    uint32_t n = 0;

    while (gate_next(f->gates[c], &e) == S_OK) {
        if (e.kind != GATE_BATCH) continue;
        for (uint32_t i = 0; i < e.batch->count; i++) {
            char text[64];
            int64_t k = VECTOR_VALUES(&e.batch->cols[0], int64_t)[i];
            int size = snprintf(text, sizeof text, "value %lld is longer than twelve bytes", (long long)k);
            assert_true(batch_time(e.batch, i) == 1000 + k);
            assert_int_equal(VECTOR_VALUES(&e.batch->cols[1], struct text)[i].size, size);
            assert_memory_equal(text_data(&VECTOR_VALUES(&e.batch->cols[1], struct text)[i]), text, (size_t)size);
            out[n++] = k;
        }
    }
    return n;
}

/* Writes rows while draining all channels whenever credit runs out; counts[c] and keys[c] say what arrived where. */
static void pump(struct fixture *f, struct batch *b, int64_t (*keys)[4096], uint32_t *counts)
{
    enum status st;

    do {
        st = writer_batch(f->writer, b, false);
        for (uint32_t c = 0; c < f->count; c++) counts[c] += take_rows(f, c, keys[c] + counts[c]);
    } while (st == S_FULL);
    assert_int_equal(st, S_OK);
    assert_int_equal(writer_flush(f->writer), S_OK);
    for (uint32_t c = 0; c < f->count; c++) counts[c] += take_rows(f, c, keys[c] + counts[c]);
}

static void hash_sends_a_key_to_the_owner_of_its_group(void **state)
{
    static int64_t keys[CHANNELS_MAX][4096];
    uint32_t counts[CHANNELS_MAX] = {0}, total = 0;
    struct fixture f;

    (void)state;
    open_fixture(&f, PART_HASH, 3, 1, 16); /* one shell of 16 rows: credit runs out all the time */
    struct batch *b = rows_of(&f, 0, 1500);
    pump(&f, b, keys, counts);
    for (uint32_t c = 0; c < 3; c++) {
        total += counts[c];
        for (uint32_t i = 0; i < counts[c]; i++) {
            uint64_t group = ((hash64_u64((uint64_t)keys[c][i]) >> 32) * 128) >> 32;
            assert_int_equal(group * 3 / 128, c);
            if (i > 0) assert_true(keys[c][i] > keys[c][i - 1]); /* order is kept */
        }
    }
    assert_int_equal(total, 1500);
    batch_free(b);
    close_fixture(&f);
}

static void few_rows_over_many_channels_arrive(void **state)
{
    static int64_t keys[CHANNELS_MAX][4096];
    uint32_t counts[CHANNELS_MAX] = {0}, total = 0;
    struct fixture f;

    (void)state;
    open_fixture(&f, PART_HASH, 8, 2, 4);
    struct batch *b = rows_of(&f, 0, 40);
    pump(&f, b, keys, counts);
    for (uint32_t c = 0; c < 8; c++) total += counts[c];
    assert_int_equal(total, 40);
    batch_free(b);
    close_fixture(&f);
}

static void rebalance_deals_evenly(void **state)
{
    static int64_t keys[CHANNELS_MAX][4096];
    uint32_t counts[CHANNELS_MAX] = {0};
    struct fixture f;

    (void)state;
    open_fixture(&f, PART_REBALANCE, 4, 2, 64);
    for (int round = 0; round < 6; round++) {
        struct batch *b = rows_of(&f, round * 10, 10);
        pump(&f, b, keys, counts);
        batch_free(b);
    }
    for (uint32_t c = 0; c < 4; c++) assert_in_range(counts[c], 12, 18);
    close_fixture(&f);
}

/* n rows of keys 0.. over the channels; which arrived where, and that each arrived once. */
static void spread(struct fixture *f, uint32_t n, int64_t (*keys)[4096], uint32_t *counts)
{
    static uint8_t seen[4096];

    memset(seen, 0, sizeof seen);
    for (uint32_t at = 0; at < n; at += 10) {
        struct batch *b = rows_of(f, at, MIN(10u, n - at));
        pump(f, b, keys, counts);
        batch_free(b);
    }
    for (uint32_t c = 0; c < f->count; c++)
        for (uint32_t i = 0; i < counts[c]; i++) {
            assert_in_range(keys[c][i], 0, n - 1);
            assert_int_equal(seen[keys[c][i]]++, 0);
            if (i > 0) assert_true(keys[c][i - 1] < keys[c][i]); /* order is kept per channel */
        }
}

static void rescale_deals_in_turn_over_its_own_channels(void **state)
{
    static int64_t keys[CHANNELS_MAX][4096];
    uint32_t counts[CHANNELS_MAX] = {0};
    struct fixture f;

    (void)state;
    open_fixture(&f, PART_RESCALE, 3, 2, 64);
    spread(&f, 300, keys, counts);
    assert_int_equal(counts[0] + counts[1] + counts[2], 300);
    for (uint32_t c = 0; c < 3; c++) assert_in_range(counts[c], 90, 110);
    close_fixture(&f);
}

/* 4,000 rows over 4: a binomial with deviation 27.4, so 850 to 1,150 is more than five of them; the seed is fixed. */
static void shuffle_is_uniform(void **state)
{
    static int64_t keys[CHANNELS_MAX][4096];
    uint32_t counts[CHANNELS_MAX] = {0};
    struct fixture f;

    (void)state;
    open_fixture(&f, PART_SHUFFLE, 4, 2, 64);
    spread(&f, 4000, keys, counts);
    assert_int_equal(counts[0] + counts[1] + counts[2] + counts[3], 4000);
    for (uint32_t c = 0; c < 4; c++) assert_in_range(counts[c], 850, 1150);
    close_fixture(&f);
}

static enum status by_key_modulo(void *arg, const struct batch *in, uint32_t target_count, uint32_t *targets)
{
    uint32_t i = 0;

    assert_int_equal(target_count, 3);
    BATCH_EACH(in, n, row) targets[i++] = (uint32_t)(VECTOR_VALUES(&in->cols[0], int64_t)[row] % 3);
    (*(uint32_t *)arg)++;
    return S_OK;
}

static void custom_sends_where_it_says(void **state)
{
    static int64_t keys[CHANNELS_MAX][4096];
    uint32_t counts[CHANNELS_MAX] = {0}, calls = 0;
    struct fixture f;

    (void)state;
    open_fixture(&f, PART_CUSTOM, 3, 1, 4); /* little room: a batch goes in several calls */
    writer_set_custom(f.writer, by_key_modulo, &calls);
    spread(&f, 300, keys, counts);
    for (uint32_t c = 0; c < 3; c++) {
        assert_int_equal(counts[c], 100);
        for (uint32_t i = 0; i < 100; i++) assert_int_equal(keys[c][i], 3 * i + c);
    }
    assert_int_equal(calls, 30); /* asked once per batch, not again after a lack of credit */
    close_fixture(&f);
}

/* Channel 0 is not read: once it has batches under way, the others are preferred. */
static void adaptive_avoids_who_is_behind(void **state)
{
    static int64_t keys[CHANNELS_MAX][4096];
    struct fixture f;
    uint32_t counts[CHANNELS_MAX] = {0};

    (void)state;
    open_fixture(&f, PART_ADAPTIVE, 3, 4, 64);
    for (uint32_t round = 0; round < 30; round++) {
        struct batch *b = rows_of(&f, 10 * round, 10);
        assert_int_equal(writer_batch(f.writer, b, false), S_OK);
        assert_int_equal(writer_flush(f.writer), S_OK);
        for (uint32_t c = 1; c < 3; c++) counts[c] += take_rows(&f, c, keys[c] + counts[c]);
        batch_free(b);
    }
    counts[0] = take_rows(&f, 0, keys[0]);
    assert_int_equal(counts[0], 10);
    assert_int_equal(counts[1] + counts[2], 290);
    assert_in_range(counts[1], 90, 200);
    close_fixture(&f);
}

static void broadcast_reaches_all(void **state)
{
    static int64_t keys[CHANNELS_MAX][4096];
    uint32_t counts[CHANNELS_MAX] = {0};
    struct fixture f;

    (void)state;
    open_fixture(&f, PART_BROADCAST, 3, 1, 8);
    struct batch *b = rows_of(&f, 100, 50);
    pump(&f, b, keys, counts);
    for (uint32_t c = 0; c < 3; c++) {
        assert_int_equal(counts[c], 50);
        for (uint32_t i = 0; i < 50; i++) assert_int_equal(keys[c][i], 100 + i);
    }
    batch_free(b);
    close_fixture(&f);
}

static void a_whole_batch_changes_hands_without_copying(void **state)
{
    static int64_t keys[CHANNELS_MAX][4096];
    struct fixture f;

    (void)state;
    open_fixture(&f, PART_FORWARD, 1, 2, BATCH_ROWS);
    struct batch *b = rows_of(&f, 0, 2000);
    void *values = b->cols[0].data;
    assert_int_equal(writer_batch(f.writer, b, true), S_OK);
    assert_ptr_not_equal(b->cols[0].data, values);
    assert_int_equal(take_rows(&f, 0, keys[0]), 2000);
    batch_free(b);
    close_fixture(&f);
}

static void a_selection_is_what_is_sent(void **state)
{
    static int64_t keys[CHANNELS_MAX][4096];
    static const uint16_t odd[] = {1, 3, 5};
    struct fixture f;

    (void)state;
    open_fixture(&f, PART_GLOBAL, 2, 2, 64);
    struct batch *b = rows_of(&f, 0, 7);
    b->sel = odd;
    b->sel_count = 3;
    assert_int_equal(writer_batch(f.writer, b, true), S_OK);
    assert_int_equal(writer_flush(f.writer), S_OK);
    assert_int_equal(take_rows(&f, 0, keys[0]), 3);
    assert_int_equal(keys[0][0], 1);
    assert_int_equal(keys[0][2], 5);
    assert_int_equal(take_rows(&f, 1, keys[1]), 0);
    b->sel = NULL;
    batch_free(b);
    close_fixture(&f);
}

/* A watermark rides behind the rows that it follows and in front of those that follow it. */
static void a_watermark_keeps_its_place(void **state)
{
    struct gate_event e;
    struct fixture f;

    (void)state;
    open_fixture(&f, PART_FORWARD, 1, 4, 64);
    struct batch *b = rows_of(&f, 1, 2);
    assert_int_equal(writer_batch(f.writer, b, false), S_OK);
    assert_int_equal(writer_control(f.writer, ELEMENT_WATERMARK, 50), S_OK);
    assert_int_equal(writer_batch(f.writer, b, false), S_OK);
    assert_int_equal(writer_flush(f.writer), S_OK);
    assert_int_equal(writer_control(f.writer, ELEMENT_END, 0), S_OK);
    static const enum gate_event_kind expected[] = {GATE_BATCH, GATE_WATERMARK, GATE_BATCH, GATE_END_INPUT, GATE_END};
    for (uint32_t i = 0; i < COUNT_OF(expected); i++) {
        assert_int_equal(gate_next(f.gates[0], &e), S_OK);
        assert_int_equal(e.kind, expected[i]);
        if (e.kind == GATE_WATERMARK) assert_int_equal(e.value, 50);
    }
    assert_int_equal(gate_next(f.gates[0], &e), S_IDLE);
    batch_free(b);
    close_fixture(&f);
}

/* --- gates over several channels: each has a writer of its own -------------------------------------------------------- */
struct merge {
    struct fixture f;
    struct writer *writers[CHANNELS_MAX];
    struct gate *gate;
};

static void open_merge(struct merge *m, uint32_t first_input, uint32_t second_input)
{
    struct writer_plan plan = {.partitioner = PART_FORWARD, .parallelism = 1};

    open_fixture(&m->f, PART_FORWARD, first_input + second_input, 2, 64);
    for (uint32_t i = 0; i < m->f.count; i++) m->writers[i] = writer_create(&plan, &m->f.channels[i], 1, &m->f.mem);
    struct gate_input inputs[2] = {{m->f.channels, first_input, NULL}, {m->f.channels + first_input, second_input, NULL}};
    m->gate = gate_create(inputs, second_input > 0 ? 2 : 1, &m->f.mem, 0);
}

static void close_merge(struct merge *m)
{
    for (uint32_t i = 0; i < m->f.count; i++) writer_free(m->writers[i]);
    gate_free(m->gate);
    close_fixture(&m->f);
}

/* Events as text: W<value>, I<0|1>, #<checkpoint>, e<input>, E; batches as B. */
static void expect_events(struct merge *m, const char *expected)
{
    struct buf text;
    struct gate_event e;

    buf_init(&text, &m->f.mem);
    while (gate_next(m->gate, &e) == S_OK) {
        switch (e.kind) {
        case GATE_BATCH: buf_append_text(&text, "B "); break;
        case GATE_WATERMARK: buf_printf(&text, "W%lld ", (long long)e.value); break;
        case GATE_STATUS: buf_printf(&text, "I%lld ", (long long)e.value); break;
        case GATE_END_INPUT: buf_printf(&text, "e%u ", e.input); break;
        case GATE_END: buf_append_text(&text, "E "); break;
        case GATE_BARRIER: buf_printf(&text, "#%lld ", (long long)e.value); break;
        case GATE_LATENCY: fail(); break;
        }
    }
    assert_string_equal(buf_text(&text), expected);
    buf_release(&text);
}

static void send(struct merge *m, uint32_t channel, enum element_kind kind, int64_t value)
{
    assert_int_equal(writer_control(m->writers[channel], kind, value), S_OK);
    assert_int_equal(writer_flush(m->writers[channel]), S_OK);
}

static void the_watermark_is_the_minimum_of_active_channels(void **state)
{
    struct merge m;

    (void)state;
    open_merge(&m, 2, 1);
    send(&m, 0, ELEMENT_WATERMARK, 10);
    send(&m, 1, ELEMENT_WATERMARK, 20);
    expect_events(&m, "");
    send(&m, 2, ELEMENT_WATERMARK, 15);
    expect_events(&m, "W10 ");
    send(&m, 0, ELEMENT_STATUS, 1); /* idle: no longer holds back */
    expect_events(&m, "W15 ");
    send(&m, 0, ELEMENT_WATERMARK, 12); /* active again, behind: nothing falls */
    expect_events(&m, "");
    send(&m, 2, ELEMENT_WATERMARK, 30);
    send(&m, 0, ELEMENT_WATERMARK, 18);
    expect_events(&m, "W18 ");
    close_merge(&m);
}

static void idle_only_when_every_open_channel_is(void **state)
{
    struct merge m;

    (void)state;
    open_merge(&m, 2, 0);
    send(&m, 0, ELEMENT_WATERMARK, 5);
    send(&m, 1, ELEMENT_WATERMARK, 7);
    send(&m, 0, ELEMENT_STATUS, 1);
    expect_events(&m, "W5 W7 ");
    send(&m, 1, ELEMENT_STATUS, 1);
    expect_events(&m, "I1 ");
    send(&m, 1, ELEMENT_WATERMARK, 9);
    expect_events(&m, "I0 W9 ");
    close_merge(&m);
}

/* A finished channel's last watermark is the end of time; beside an idle channel it must not become the minimum. */
static void finished_is_not_idle(void **state)
{
    struct merge m;

    (void)state;
    open_merge(&m, 2, 0);
    send(&m, 0, ELEMENT_WATERMARK, 5);
    send(&m, 1, ELEMENT_WATERMARK, 6);
    send(&m, 0, ELEMENT_STATUS, 1);
    expect_events(&m, "W5 W6 ");
    send(&m, 1, ELEMENT_END, 0); /* without a last word: what is left is idle */
    expect_events(&m, "I1 ");
    send(&m, 0, ELEMENT_WATERMARK, 8);
    expect_events(&m, "I0 W8 ");
    send(&m, 0, ELEMENT_WATERMARK, WATERMARK_MAX);
    send(&m, 0, ELEMENT_END, 0);
    expect_events(&m, "W9223372036854775807 e0 E ");
    close_merge(&m);
}

/* Rows of every batch that the gate answers, with its input: "0:3 " is three rows of input 0; other events as above. */
static void expect_batches(struct merge *m, const char *expected)
{
    struct buf text;
    struct gate_event e;

    buf_init(&text, &m->f.mem);
    while (gate_next(m->gate, &e) == S_OK) {
        if (e.kind == GATE_WATERMARK) buf_printf(&text, "W%lld ", (long long)e.value);
        else if (e.kind == GATE_STATUS) buf_printf(&text, "I%lld ", (long long)e.value);
        if (e.kind != GATE_BATCH) continue;
        buf_printf(&text, "%u:", e.input);
        for (uint32_t i = 0; i < e.batch->count; i++) {
            char expected_text[64];
            int64_t k = VECTOR_VALUES(&e.batch->cols[0], int64_t)[i];
            int size = snprintf(expected_text, sizeof expected_text, "value %lld is longer than twelve bytes", (long long)k);
            assert_memory_equal(text_data(&VECTOR_VALUES(&e.batch->cols[1], struct text)[i]), expected_text, (size_t)size);
            assert_true(batch_time(e.batch, i) == 1000 + k);
            buf_printf(&text, "%s%lld", i > 0 ? "," : "", (long long)k);
        }
        buf_append_text(&text, " ");
    }
    assert_string_equal(buf_text(&text), expected);
    buf_release(&text);
}

static void send_rows(struct merge *m, uint32_t channel, int64_t first, uint32_t n)
{
    struct batch *b = rows_of(&m->f, first, n);

    assert_int_equal(writer_batch(m->writers[channel], b, false), S_OK);
    assert_int_equal(writer_flush(m->writers[channel]), S_OK);
    batch_free(b);
}

static void small_batches_come_as_one(void **state)
{
    struct merge m;

    (void)state;
    open_merge(&m, 2, 1);
    send_rows(&m, 0, 1, 1);
    expect_batches(&m, "0:1 "); /* alone: as it is */
    send_rows(&m, 0, 1, 2);
    send_rows(&m, 1, 11, 1);
    send_rows(&m, 0, 3, 1);
    expect_batches(&m, "0:11,1,2,3 ");
    send_rows(&m, 1, 12, 1);
    send_rows(&m, 2, 21, 1); /* another input is another batch */
    send_rows(&m, 0, 4, 1);
    expect_batches(&m, "0:12 1:21 0:4 ");
    send_rows(&m, 0, 100, 40); /* not small beside a capacity of 64 */
    send_rows(&m, 0, 5, 1);
    struct gate_event e;
    assert_int_equal(gate_next(m.gate, &e), S_OK);
    assert_int_equal(e.batch->count, 40);
    expect_batches(&m, "0:5 ");
    close_merge(&m);
}

/* A watermark behind rows ends the merging: rows that follow it in its channel may not come in front of it. */
static void merging_keeps_watermarks_in_their_place(void **state)
{
    struct merge m;

    (void)state;
    open_merge(&m, 2, 0);
    send(&m, 1, ELEMENT_WATERMARK, 100);
    send_rows(&m, 0, 1, 1);
    struct batch *b = rows_of(&m.f, 2, 1);
    assert_int_equal(writer_batch(m.writers[0], b, false), S_OK);
    send(&m, 0, ELEMENT_WATERMARK, 50); /* in the header of row 2 */
    batch_free(b);
    expect_batches(&m, "0:1,2 W50 ");
    send_rows(&m, 0, 3, 1);
    send(&m, 0, ELEMENT_WATERMARK, 60); /* alone */
    expect_batches(&m, "0:3 W60 ");
    send_rows(&m, 0, 4, 1);
    send(&m, 0, ELEMENT_STATUS, 1);
    send_rows(&m, 0, 5, 1);
    send_rows(&m, 1, 11, 1);
    expect_batches(&m, "0:11,4 W100 0:5 ");
    close_merge(&m);
}

/* --- watermarks that travel alone --------------------------------------------------------------------------------------- */
static int64_t fake_ns;
static int64_t fake_mono_ns(struct sys *s)
{
    (void)s;
    return fake_ns;
}

static void a_watermark_travels_alone_once_per_millisecond(void **state)
{
    struct gate_event e;
    struct fixture f;

    (void)state;
    open_fixture(&f, PART_FORWARD, 1, 2, 64);
    struct sys_ops ops = *f.sys->ops;
    ops.mono_ns = fake_mono_ns;
    f.sys->ops = &ops;
    fake_ns = 5000000;
    for (int64_t w = 1; w <= 100; w++) assert_int_equal(writer_control(f.writer, ELEMENT_WATERMARK, w), S_OK);
    assert_int_equal(gate_next(f.gates[0], &e), S_OK);
    assert_int_equal(e.value, 1);
    assert_int_equal(gate_next(f.gates[0], &e), S_IDLE);
    fake_ns += 1000000;
    assert_int_equal(writer_control(f.writer, ELEMENT_WATERMARK, 101), S_OK);
    assert_int_equal(gate_next(f.gates[0], &e), S_OK);
    assert_int_equal(e.value, 101);
    assert_int_equal(writer_control(f.writer, ELEMENT_WATERMARK, 102), S_OK);
    struct batch *b = rows_of(&f, 7, 1);
    assert_int_equal(writer_batch(f.writer, b, false), S_OK); /* what was held goes in front of the row */
    assert_int_equal(gate_next(f.gates[0], &e), S_OK);
    assert_int_equal(e.kind, GATE_WATERMARK);
    assert_int_equal(e.value, 102);
    assert_int_equal(writer_control(f.writer, ELEMENT_WATERMARK, 103), S_OK); /* in the header of the row */
    assert_int_equal(writer_control(f.writer, ELEMENT_WATERMARK, 104), S_OK); /* held */
    assert_int_equal(writer_control(f.writer, ELEMENT_END, 0), S_OK);
    static const enum gate_event_kind kinds[] = {GATE_BATCH, GATE_WATERMARK, GATE_WATERMARK, GATE_END_INPUT, GATE_END};
    for (uint32_t i = 0; i < COUNT_OF(kinds); i++) {
        assert_int_equal(gate_next(f.gates[0], &e), S_OK);
        assert_int_equal(e.kind, kinds[i]);
        if (e.kind == GATE_WATERMARK) assert_int_equal(e.value, 102 + i);
    }
    batch_free(b);
    close_fixture(&f);
}

/* --- the budget of a gate --------------------------------------------------------------------------------------------- */
/* Rows accepted by a channel without a receiver, in batches of `rows`: what it may hold. */
static uint32_t rows_until_full(struct fixture *f, uint32_t channel)
{
    struct writer_plan plan = {.partitioner = PART_FORWARD, .parallelism = 1};
    struct writer *w = writer_create(&plan, &f->channels[channel], 1, &f->mem);
    struct batch *b = rows_of(f, 0, 1);
    uint32_t rows = 0;

    while (writer_batch(w, b, false) == S_OK) rows++;
    batch_free(b);
    writer_free(w);
    return rows;
}

static void a_gate_holds_its_budget_and_no_more(void **state)
{
    struct gate_budget budget = {{0}, {0}};
    struct fixture f;

    (void)state;
    open_fixture(&f, PART_FORWARD, 8, 8, BATCH_ROWS);
    for (uint32_t i = 0; i < 8; i++) channel_share(f.channels[i], &budget, 8);
    /* 4 MiB / 8 channels / 2 shells = 256 KiB; rows of 40 bytes and about 31 of text: what ends a shell is its text or 2,048 rows */
    assert_int_equal(budget.used.value, GATE_BYTES);
    for (uint32_t i = 0; i < 8; i++) rows_until_full(&f, i); /* all have their two, none gets a third */
    assert_int_equal(budget.used.value, GATE_BYTES);
    assert_true(budget.wanted.value != 0);
    close_fixture(&f);

    budget = (struct gate_budget){{0}, {0}};
    open_fixture(&f, PART_FORWARD, 3, 8, 16);
    for (uint32_t i = 0; i < 3; i++) channel_share(f.channels[i], &budget, 1000); /* few bytes are certain: 4 KiB each */
    assert_int_equal(budget.used.value, 3 * 2 * SHELL_BYTES_MIN);
    assert_int_equal(rows_until_full(&f, 0), 8 * 16);
    assert_int_equal(budget.used.value, (3 * 2 + 6) * SHELL_BYTES_MIN);
    budget.used.value = GATE_BYTES; /* others took the rest */
    assert_int_equal(rows_until_full(&f, 1), 2 * 16);
    assert_int_equal(budget.used.value, GATE_BYTES);
    assert_true(budget.wanted.value == (uintptr_t)f.channels[1]);
    static int64_t keys[4096];
    assert_int_equal(take_rows(&f, 0, keys), 8 * 16); /* shells come back to the channel that had six more */
    assert_int_equal(rows_until_full(&f, 0), 7 * 16); /* it gave up one */
    assert_int_equal(budget.used.value, GATE_BYTES - SHELL_BYTES_MIN);
    assert_int_equal(rows_until_full(&f, 1), 16); /* which the other takes */
    assert_int_equal(budget.used.value, GATE_BYTES);
    close_fixture(&f);
}

/* --- barriers ------------------------------------------------------------------------------------------------------------- */
static void send_row(struct merge *m, uint32_t channel, int64_t key)
{
    struct batch *b = rows_of(&m->f, key, 1);

    assert_int_equal(writer_batch(m->writers[channel], b, false), S_OK);
    assert_int_equal(writer_flush(m->writers[channel]), S_OK);
    batch_free(b);
}

static void what_is_behind_a_barrier_waits_for_the_others(void **state)
{
    struct merge m;

    (void)state;
    open_merge(&m, 2, 1);
    send(&m, 0, ELEMENT_BARRIER, 7);
    send_row(&m, 0, 1);
    expect_events(&m, "");
    send(&m, 2, ELEMENT_BARRIER, 7);
    send(&m, 2, ELEMENT_WATERMARK, 5);
    send_row(&m, 1, 2);
    expect_events(&m, "B ");
    send(&m, 1, ELEMENT_WATERMARK, 9);
    expect_events(&m, "");
    send(&m, 1, ELEMENT_BARRIER, 7);
    expect_events(&m, "#7 B ");
    send(&m, 0, ELEMENT_WATERMARK, 6);
    expect_events(&m, "W5 ");
    close_merge(&m);
}

static void finished_channels_bring_no_barriers(void **state)
{
    struct merge m;

    (void)state;
    open_merge(&m, 2, 1);
    send(&m, 0, ELEMENT_END, 0);
    send(&m, 1, ELEMENT_BARRIER, 1);
    expect_events(&m, "");
    send(&m, 2, ELEMENT_END, 0); /* the last one that was waited for has no more to bring */
    expect_events(&m, "e1 #1 ");
    send(&m, 1, ELEMENT_BARRIER, 2);
    send(&m, 1, ELEMENT_END, 0);
    expect_events(&m, "#2 e0 E ");
    close_merge(&m);
}

static void a_later_barrier_ends_the_wait_for_an_earlier_one(void **state)
{
    struct merge m;

    (void)state;
    open_merge(&m, 2, 0);
    send(&m, 0, ELEMENT_BARRIER, 1);
    send_row(&m, 0, 1);
    send(&m, 1, ELEMENT_BARRIER, 2);
    expect_events(&m, "B ");
    send(&m, 0, ELEMENT_BARRIER, 2);
    expect_events(&m, "#2 ");
    send(&m, 0, ELEMENT_BARRIER, 4);
    expect_events(&m, "");
    send(&m, 1, ELEMENT_BARRIER, 3); /* given up already */
    send_row(&m, 1, 2);
    expect_events(&m, "B ");
    send(&m, 1, ELEMENT_BARRIER, 4);
    expect_events(&m, "#4 ");
    close_merge(&m);
}

static void a_restored_gate_does_not_fall_back(void **state)
{
    struct merge m;

    (void)state;
    open_merge(&m, 2, 0);
    gate_restore(m.gate, 20);
    send(&m, 0, ELEMENT_WATERMARK, 20);
    send(&m, 1, ELEMENT_WATERMARK, 19);
    expect_events(&m, "");
    send(&m, 0, ELEMENT_WATERMARK, 30);
    send(&m, 1, ELEMENT_WATERMARK, 25);
    expect_events(&m, "W25 ");
    close_merge(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_sends_a_key_to_the_owner_of_its_group),
        cmocka_unit_test(few_rows_over_many_channels_arrive),
        cmocka_unit_test(rebalance_deals_evenly),
        cmocka_unit_test(rescale_deals_in_turn_over_its_own_channels),
        cmocka_unit_test(shuffle_is_uniform),
        cmocka_unit_test(custom_sends_where_it_says),
        cmocka_unit_test(adaptive_avoids_who_is_behind),
        cmocka_unit_test(broadcast_reaches_all),
        cmocka_unit_test(a_whole_batch_changes_hands_without_copying),
        cmocka_unit_test(a_selection_is_what_is_sent),
        cmocka_unit_test(a_watermark_keeps_its_place),
        cmocka_unit_test(the_watermark_is_the_minimum_of_active_channels),
        cmocka_unit_test(what_is_behind_a_barrier_waits_for_the_others),
        cmocka_unit_test(finished_channels_bring_no_barriers),
        cmocka_unit_test(a_later_barrier_ends_the_wait_for_an_earlier_one),
        cmocka_unit_test(a_restored_gate_does_not_fall_back),
        cmocka_unit_test(idle_only_when_every_open_channel_is),
        cmocka_unit_test(finished_is_not_idle),
        cmocka_unit_test(small_batches_come_as_one),
        cmocka_unit_test(merging_keeps_watermarks_in_their_place),
        cmocka_unit_test(a_watermark_travels_alone_once_per_millisecond),
        cmocka_unit_test(a_gate_holds_its_budget_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
