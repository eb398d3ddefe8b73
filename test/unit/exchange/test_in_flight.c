/* test_in_flight.c - barriers that overtake what lies in channels: what is kept of it, that it is answered all the same, that a restored
 * gate answers what was kept, also among other receivers, and barriers that only count. */
#include "columns/column/batch_codec.h"
#include "flow/exchange/exchange.h"
#include "ground/base/buf.h"
#include "ground/base/hash.h"
#include "ground/base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { CHANNELS = 3, SHELLS = 2, ROWS = 4 };

struct fixture {
    struct mem mem;
    struct arena arena;
    struct sys *sys;
    const struct type *schema;
    struct channel *channels[CHANNELS];
    struct writer *writers[CHANNELS];
    struct channel_origin origins[CHANNELS];
    struct gate *gate;
};

static void open_fixture(struct fixture *f, uint32_t channels, const uint32_t *key)
{
    struct writer_plan plan = {.partitioner = PART_GLOBAL, .max_parallelism = 128, .parallelism = 1};
    struct gate_input in = {f->channels, channels, f->origins};

    memset(f, 0, sizeof *f);
    mem_init(&f->mem, "test", 0);
    arena_init(&f->arena, &f->mem, 0);
    f->sys = sys_linux_create_quiet();
    assert_int_equal(type_parse(&f->arena, STR("ROW<k BIGINT NOT NULL>"), &f->schema, NULL), S_OK);
    for (uint32_t i = 0; i < channels; i++) {
        f->channels[i] = channel_create(&f->mem, f->schema, NULL, ROWS, SHELLS);
        channel_connect(f->channels[i], f->sys, NULL, NULL);
        f->writers[i] = writer_create(&plan, &f->channels[i], 1, &f->mem);
        f->origins[i] = (struct channel_origin){.edge = 0, .from = i, .may_be_overtaken = true, .keys = key, .key_count = key != NULL};
    }
    f->gate = gate_create(&in, 1, &f->mem, 0);
}

static void close_fixture(struct fixture *f)
{
    gate_free(f->gate);
    for (uint32_t i = 0; i < CHANNELS; i++) {
        writer_free(f->writers[i]);
        channel_free(f->channels[i]);
    }
    arena_release(&f->arena);
    sys_linux_free(f->sys);
    mem_release(&f->mem);
}

/* Keys first.., in one batch; S_FULL: not all of them went. */
static enum status try_rows(struct fixture *f, uint32_t channel, int64_t first, uint32_t count)
{
    struct batch *b = batch_create(f->schema, BATCH_ROWS, &f->mem);

    for (uint32_t i = 0; i < count; i++) VECTOR_VALUES(&b->cols[0], int64_t)[b->count++] = first + i;
    enum status st = writer_batch(f->writers[channel], b, false);
    if (st == S_OK) st = writer_flush(f->writers[channel]);
    batch_free(b);
    return st;
}

static void send_rows(struct fixture *f, uint32_t channel, int64_t first, uint32_t count)
{
    assert_int_equal(try_rows(f, channel, first, count), S_OK);
}

static void send(struct fixture *f, uint32_t channel, enum element_kind kind, int64_t value)
{
    assert_int_equal(writer_control(f->writers[channel], kind, value), S_OK);
}

static void show_event(const struct gate_event *e, struct buf *out)
{
    switch (e->kind) {
    case GATE_BATCH:
        for (uint32_t i = 0; i < e->batch->count; i++) buf_printf(out, "%lld ", (long long)VECTOR_VALUES(&e->batch->cols[0], int64_t)[i]);
        break;
    case GATE_WATERMARK: buf_printf(out, "W%lld ", (long long)e->value); break;
    case GATE_STATUS: buf_printf(out, e->value != 0 ? "idle " : "active "); break;
    case GATE_BARRIER: buf_printf(out, "%s%lld ", e->has_overtaken ? "!" : "#", (long long)e->value); break;
    case GATE_END_INPUT: buf_printf(out, "e%u ", e->input); break;
    case GATE_END: buf_printf(out, "E "); break;
    case GATE_LATENCY: break;
    }
}

/* The next events, `limit` of them at most. */
static void expect_some(struct fixture *f, uint32_t limit, const char *expected)
{
    struct gate_event e;
    struct buf text;

    buf_init(&text, &f->mem);
    for (uint32_t i = 0; i < limit && gate_next(f->gate, &e) == S_OK; i++) show_event(&e, &text);
    assert_string_equal(buf_text(&text), expected);
    buf_release(&text);
}

static void expect(struct fixture *f, const char *expected) { expect_some(f, UINT32_MAX, expected); }

/* "2:A5 r[1 2]9 w7 s1": of the channel from 2, that was active at 5: rows with the watermark 9 behind them, a watermark, a status. */
static void show_items(struct fixture *f, const struct in_flight *all, struct buf *out)
{
    for (uint32_t i = 0; i < all->count; i++) {
        const struct in_flight_item *item = &all->items[i];
        long long value = (long long)item->value;
        struct batch *b = batch_create(f->schema, BATCH_ROWS, &f->mem);
        struct dec d;
        switch (item->kind) {
        case IN_FLIGHT_ACTIVE: buf_printf(out, item->value == TIME_MIN ? "%u:A " : "%u:A%lld ", item->from, value); break;
        case IN_FLIGHT_IDLE: buf_printf(out, "%u:I ", item->from); break;
        case IN_FLIGHT_WATERMARK: buf_printf(out, "w%lld ", value); break;
        case IN_FLIGHT_STATUS: buf_printf(out, "s%lld ", value); break;
        case IN_FLIGHT_ROWS:
            dec_init(&d, item->rows.data, item->rows.size);
            assert_int_equal(batch_decode(&d, b, NULL), S_OK);
            for (uint32_t r = 0; r < b->count; r++) buf_printf(out, "%lld ", (long long)VECTOR_VALUES(&b->cols[0], int64_t)[r]);
            if (item->value != TIME_MIN) buf_printf(out, "w%lld ", value);
            break;
        case IN_FLIGHT_KINDS: fail();
        }
        batch_free(b);
    }
}

static void expect_in_flight(struct fixture *f, const char *expected)
{
    struct in_flight all;
    struct buf text;

    buf_init(&text, &f->mem);
    gate_look(f->gate);
    enum status st = gate_in_flight(f->gate, &all);
    if (st == S_OK) show_items(f, &all, &text);
    else buf_append_text(&text, status_text(st));
    assert_string_equal(buf_text(&text), expected);
    buf_release(&text);
}

/* --- overtaking ---------------------------------------------------------------------------------------------------------- */
static void a_barrier_overtakes_what_lies_before_it(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, 1, NULL);
    send_rows(&f, 0, 1, 4);
    send(&f, 0, ELEMENT_WATERMARK, 30);
    send_rows(&f, 0, 5, 1);
    send(&f, 0, ELEMENT_BARRIER, 2);
    gate_overtake(f.gate, 2);
    assert_true(gate_can_overtake(f.gate));
    expect_some(&f, 1, "!2 ");
    expect_in_flight(&f, "0:A 1 2 3 4 w30 5 ");
    expect(&f, "1 2 3 4 W30 5 "); /* and the barrier says nothing any more */
    gate_in_flight_drop(f.gate);
    send(&f, 0, ELEMENT_BARRIER, 4);
    expect(&f, "#4 ");
    close_fixture(&f);
}

static void rows_behind_the_barrier_are_not_kept(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, 2, NULL);
    send(&f, 0, ELEMENT_WATERMARK, 10);
    send(&f, 1, ELEMENT_WATERMARK, 20);
    expect(&f, "W10 ");
    send_rows(&f, 0, 1, 1);
    send(&f, 0, ELEMENT_BARRIER, 2);
    send_rows(&f, 0, 2, 1);
    gate_overtake(f.gate, 2);
    expect_some(&f, 1, "!2 ");
    expect_in_flight(&f, status_text(S_IDLE)); /* the other has not brought it */
    send_rows(&f, 1, 11, 1);
    expect(&f, "1 11 2 ");
    send_rows(&f, 1, 12, 1);
    send(&f, 1, ELEMENT_BARRIER, 2);
    send_rows(&f, 1, 13, 1);
    expect_in_flight(&f, "0:A10 1 1:A20 11 12 "); /* what was taken meanwhile, and what lies before the barrier */
    expect(&f, "12 13 ");
    close_fixture(&f);
}

static void a_channel_that_ends_brings_no_barrier(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, 3, NULL);
    send_rows(&f, 0, 1, 1);
    send(&f, 0, ELEMENT_END, 0);
    gate_overtake(f.gate, 2);
    assert_false(gate_can_overtake(f.gate)); /* an end is none, either */
    send(&f, 1, ELEMENT_STATUS, 1);
    expect_some(&f, 2, "1 ");
    send_rows(&f, 2, 21, 1);
    send(&f, 2, ELEMENT_BARRIER, 2);
    expect_some(&f, 1, "!2 ");
    expect_in_flight(&f, status_text(S_IDLE));
    send(&f, 1, ELEMENT_END, 0);
    expect_in_flight(&f, "1:I 2:A 21 ");
    close_fixture(&f);
}

static void who_may_not_be_overtaken_brings_it_in_order(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, 2, NULL);
    f.origins[1].may_be_overtaken = false;
    gate_overtake(f.gate, 2);
    send_rows(&f, 0, 1, 4);
    send_rows(&f, 0, 5, 4);
    send(&f, 0, ELEMENT_BARRIER, 2);
    send_rows(&f, 1, 11, 1);
    send(&f, 1, ELEMENT_BARRIER, 2);
    send_rows(&f, 1, 12, 1);
    expect_some(&f, 3, "1 2 3 4 11 5 6 7 8 "); /* it is asked in turn with the other */
    send_rows(&f, 0, 9, 1);
    assert_true(gate_can_overtake(f.gate) == false);
    expect_some(&f, 1, "!2 ");
    expect_in_flight(&f, "0:A ");
    expect(&f, "12 9 ");
    close_fixture(&f);
}

static void an_earlier_barrier_is_given_up(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, 2, NULL);
    send(&f, 0, ELEMENT_BARRIER, 2);
    gate_overtake(f.gate, 2);
    expect_some(&f, 1, "!2 ");
    send_rows(&f, 1, 1, 1);
    send(&f, 1, ELEMENT_BARRIER, 4); /* its sender never took the one before */
    expect_in_flight(&f, status_text(E_CANCELED));
    gate_in_flight_drop(f.gate);
    gate_overtake(f.gate, 4);
    expect_some(&f, 1, "!4 ");
    send(&f, 0, ELEMENT_BARRIER, 4);
    expect_in_flight(&f, "0:A 1:A 1 ");
    expect(&f, "1 ");
    close_fixture(&f);
}

/* --- senders -------------------------------------------------------------------------------------------------------------- */
static void a_full_channel_takes_the_barrier_and_what_is_before_it(void **state)
{
    struct fixture f;
    struct batch *b;

    (void)state;
    open_fixture(&f, 1, NULL);
    b = batch_create(f.schema, BATCH_ROWS, &f.mem);
    for (uint32_t i = 0; i < 5 * ROWS; i++) VECTOR_VALUES(&b->cols[0], int64_t)[b->count++] = i;
    assert_int_equal(writer_batch(f.writers[0], b, false), S_FULL); /* two shells */
    writer_overdraw(f.writers[0], true);
    assert_int_equal(writer_batch(f.writers[0], b, false), S_OK); /* and three more */
    send(&f, 0, ELEMENT_WATERMARK, 7);
    send(&f, 0, ELEMENT_BARRIER, 2);
    writer_overdraw(f.writers[0], false);
    assert_int_equal(try_rows(&f, 0, 100, 1), S_FULL);
    gate_overtake(f.gate, 2);
    expect_some(&f, 1, "!2 ");
    expect_in_flight(&f, "0:A 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 w7 ");
    expect(&f, "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 W7 ");
    batch_free(b);
    close_fixture(&f);
}

static void what_was_lent_goes_back(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, 1, NULL);
    writer_overdraw(f.writers[0], true);
    for (int i = 0; i < SHELLS + CHANNEL_OVERDRAFT; i++) send_rows(&f, 0, i, ROWS);
    writer_overdraw(f.writers[0], false);
    expect(&f, "0 1 2 3 1 2 3 4 2 3 4 5 3 4 5 6 4 5 6 7 5 6 7 8 ");
    for (int i = 0; i < SHELLS; i++) send_rows(&f, 0, 50 + i, ROWS);
    assert_int_equal(try_rows(&f, 0, 60, ROWS), S_FULL);
    close_fixture(&f);
}

/* --- restoring ------------------------------------------------------------------------------------------------------------ */
static struct str rows_bytes(struct fixture *f, int64_t first, uint32_t count)
{
    struct batch *b = batch_create(f->schema, BATCH_ROWS, &f->mem);
    struct buf bytes;

    buf_init(&bytes, &f->mem);
    for (uint32_t i = 0; i < count; i++) VECTOR_VALUES(&b->cols[0], int64_t)[b->count++] = first + i;
    batch_encode(b, &bytes);
    struct str out = {arena_strndup(&f->arena, bytes.data, bytes.size), bytes.size};
    buf_release(&bytes);
    batch_free(b);
    return out;
}

static const struct in_flight_share same = {.parallelism = 1, .parallelism_before = 1, .max_parallelism = 128, .watermark = INT64_MAX};

static void what_was_kept_comes_first_and_watermarks_behind_it(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, 2, NULL);
    const struct in_flight_item items[] = {{IN_FLIGHT_ACTIVE, 0, 0, 0, 10, {0}},
                                           {IN_FLIGHT_ACTIVE, 0, 1, 0, 40, {0}},
                                           {IN_FLIGHT_ROWS, 0, 0, 0, 30, rows_bytes(&f, 1, 2)},
                                           {IN_FLIGHT_ROWS, 0, 1, 0, TIME_MIN, rows_bytes(&f, 11, 1)},
                                           {IN_FLIGHT_WATERMARK, 0, 0, 0, 35, {0}}};
    gate_restore(f.gate, 10);
    assert_int_equal(gate_restore_in_flight(f.gate, &(struct in_flight){items, COUNT_OF(items), 0}, &same, NULL), S_OK);
    send(&f, 0, ELEMENT_WATERMARK, 50);
    send(&f, 1, ELEMENT_WATERMARK, 45);
    send_rows(&f, 1, 21, 1);
    send(&f, 0, ELEMENT_BARRIER, 2);
    gate_overtake(f.gate, 2);
    assert_false(gate_can_overtake(f.gate)); /* what is restored is read first */
    expect(&f, "1 2 W30 11 W35 !2 W45 21 ");
    send(&f, 1, ELEMENT_BARRIER, 2);
    expect_in_flight(&f, "0:A w50 1:A w45 21 ");
    close_fixture(&f);
}

static uint64_t owner_of(int64_t key, uint64_t parallelism)
{
    uint64_t group = ((hash64_u64((uint64_t)key) >> 32) * 128) >> 32;

    return group * parallelism / 128;
}

/* Keys 0..count-1, those of one of two receivers. */
static struct str rows_of_receiver(struct fixture *f, uint32_t count, uint32_t receiver)
{
    struct batch *b = batch_create(f->schema, BATCH_ROWS, &f->mem);
    struct buf bytes;

    buf_init(&bytes, &f->mem);
    for (uint32_t k = 0; k < count; k++)
        if (owner_of(k, 2) == receiver) VECTOR_VALUES(&b->cols[0], int64_t)[b->count++] = k;
    batch_encode(b, &bytes);
    struct str out = {arena_strndup(&f->arena, bytes.data, bytes.size), bytes.size};
    buf_release(&bytes);
    batch_free(b);
    return out;
}

/* Two receivers become three: each gets the rows of its key groups from both, and every row is somewhere once. */
static void other_receivers_take_the_rows_of_their_keys(void **state)
{
    enum { KEYS = 60 };
    static const uint32_t key = 0;
    uint32_t found[KEYS] = {0};

    (void)state;
    for (uint32_t subtask = 0; subtask < 3; subtask++) {
        struct in_flight_share share = {true, subtask, 3, 2, 128, 15};
        struct fixture f;
        struct gate_event e;
        open_fixture(&f, 1, &key);
        const struct in_flight_item items[] = {{IN_FLIGHT_ACTIVE, 0, 0, 0, 10, {0}},
                                               {IN_FLIGHT_ROWS, 0, 0, 0, 30, rows_of_receiver(&f, KEYS, 0)},
                                               {IN_FLIGHT_ACTIVE, 0, 0, 1, 10, {0}},
                                               {IN_FLIGHT_ROWS, 0, 0, 1, 30, rows_of_receiver(&f, KEYS, 1)}};
        assert_int_equal(gate_restore_in_flight(f.gate, &(struct in_flight){items, COUNT_OF(items), 0}, &share, NULL), S_OK);
        while (gate_next(f.gate, &e) == S_OK) {
            if (e.kind == GATE_WATERMARK) assert_true(e.value <= 15); /* of a receiver that had nothing in flight */
            for (uint32_t i = 0; e.kind == GATE_BATCH && i < e.batch->count; i++) {
                int64_t k = VECTOR_VALUES(&e.batch->cols[0], int64_t)[i];
                assert_int_equal(owner_of(k, 3), subtask);
                found[k]++;
            }
        }
        close_fixture(&f);
    }
    for (uint32_t k = 0; k < KEYS; k++) assert_int_equal(found[k], 1);
}

static void dealt_rows_go_where_their_receiver_went(void **state)
{
    struct in_flight_share share = {true, 1, 2, 3, 128, INT64_MAX};
    struct fixture f;

    (void)state;
    open_fixture(&f, 1, NULL);
    const struct in_flight_item items[] = {{IN_FLIGHT_ACTIVE, 0, 0, 0, 1, {0}}, {IN_FLIGHT_ROWS, 0, 0, 0, TIME_MIN, rows_bytes(&f, 1, 1)},
                                           {IN_FLIGHT_ACTIVE, 0, 0, 1, 1, {0}}, {IN_FLIGHT_ROWS, 0, 0, 1, TIME_MIN, rows_bytes(&f, 2, 1)},
                                           {IN_FLIGHT_ACTIVE, 0, 0, 2, 1, {0}}, {IN_FLIGHT_ROWS, 0, 0, 2, TIME_MIN, rows_bytes(&f, 3, 1)}};
    assert_int_equal(gate_restore_in_flight(f.gate, &(struct in_flight){items, COUNT_OF(items), 0}, &share, NULL), S_OK);
    expect(&f, "2 ");
    close_fixture(&f);
}

static void items_of_another_plan_are_refused(void **state)
{
    struct fixture f;
    struct err e = {0};

    (void)state;
    open_fixture(&f, 1, NULL);
    const struct in_flight_item items[] = {{IN_FLIGHT_ACTIVE, 0, 0, 0, 1, {0}}, {IN_FLIGHT_ROWS, 0, 0, 0, TIME_MIN, STR("none")}};
    assert_int_equal(gate_restore_in_flight(f.gate, &(struct in_flight){items, COUNT_OF(items), 0}, &same, &e), E_DATA);
    assert_string_equal(e.text, "in-flight data of input 1, edge 1: these are no rows of 1 columns");
    close_fixture(&f);
    const struct in_flight_item other = {IN_FLIGHT_ACTIVE, 4, 0, 0, 1, {0}};
    e = (struct err){0};
    open_fixture(&f, 1, NULL);
    assert_int_equal(gate_restore_in_flight(f.gate, &(struct in_flight){&other, 1, 0}, &same, &e), E_DATA);
    assert_string_equal(e.text, "in-flight data of edge 5, which the operator does not have");
    close_fixture(&f);
}

/* --- at least once --------------------------------------------------------------------------------------------------------- */
static void barriers_that_count_hold_nothing(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, 2, NULL);
    gate_count_barriers(f.gate);
    gate_overtake(f.gate, 2); /* there is nothing to overtake */
    send(&f, 0, ELEMENT_BARRIER, 2);
    send_rows(&f, 0, 1, 1);
    send(&f, 0, ELEMENT_BARRIER, 4);
    send_rows(&f, 0, 2, 1);
    expect(&f, "1 2 ");
    send(&f, 1, ELEMENT_BARRIER, 2);
    expect(&f, "#2 ");
    send(&f, 1, ELEMENT_END, 0);
    expect(&f, "#4 ");
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_barrier_overtakes_what_lies_before_it),
        cmocka_unit_test(rows_behind_the_barrier_are_not_kept),
        cmocka_unit_test(a_channel_that_ends_brings_no_barrier),
        cmocka_unit_test(who_may_not_be_overtaken_brings_it_in_order),
        cmocka_unit_test(an_earlier_barrier_is_given_up),
        cmocka_unit_test(a_full_channel_takes_the_barrier_and_what_is_before_it),
        cmocka_unit_test(what_was_lent_goes_back),
        cmocka_unit_test(what_was_kept_comes_first_and_watermarks_behind_it),
        cmocka_unit_test(other_receivers_take_the_rows_of_their_keys),
        cmocka_unit_test(dealt_rows_go_where_their_receiver_went),
        cmocka_unit_test(items_of_another_plan_are_refused),
        cmocka_unit_test(barriers_that_count_hold_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
