/* test_op_interval_join.c - pairs within bounds and on them, their times, what is late, what is past, at every size of
 * batches and on a backend that answers S_PENDING first; and random rows against a naive nested loop. */
#include "ground/base/prng.h"
#include "ground/base/str.h"
#include "support/op_driver.h"
#include "support/rows.h"

#include <thalweg/context.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const uint32_t sizes[] = {0, 1, 3};
static const char *const backends[] = {"hashmap", "pending"};

struct order {
    struct tw_str id;
    int64_t n;
};
TW_ROW(order, TW_FIELD(order, id, "STRING NOT NULL"), TW_FIELD(order, n, "BIGINT NOT NULL"));
struct payment {
    struct tw_str text;
    int32_t amount;
};
TW_ROW(payment, TW_FIELD(payment, text, "STRING NOT NULL"), TW_FIELD(payment, amount, "INT NOT NULL"));
struct pair {
    struct tw_str id, text;
    int64_t left_time, right_time;
};
TW_ROW(pair, TW_FIELD(pair, id, "STRING NOT NULL"), TW_FIELD(pair, text, "STRING NOT NULL"),
       TW_FIELD(pair, left_time, "BIGINT NOT NULL"), TW_FIELD(pair, right_time, "BIGINT NOT NULL"));
struct key {
    struct tw_str id;
};
TW_ROW(key, TW_FIELD(key, id, "STRING NOT NULL"));
#define ORDERS "ROW<id STRING, n BIGINT, other INT>"
#define PAYMENTS "ROW<amount INT, text STRING, id2 STRING>"

/* "a1" and the payment's text; the id comes from the key. */
static enum tw_status join_pair(struct tw_context *cx, const void *left, const void *right)
{
    const struct order *o = left;
    const struct payment *p = right;
    const struct key *k = tw_key(cx);
    char id[64];
    int size = snprintf(id, sizeof id, "%.*s%lld", (int)k->id.size, k->id.data, (long long)o->n);
    struct pair out = {{id, (size_t)size}, p->text, tw_left_time(cx), tw_right_time(cx)};

    if (!tw_str_equal(k->id, o->id)) return tw_fail(cx, "key and row differ");
    if (p->amount < 0) return tw_fail(cx, "%d of order %lld", p->amount, (long long)o->n);
    tw_collect(cx, &out);
    if (p->amount == 7) tw_side_output(cx, 0, &out);
    return TW_OK;
}
TW_FUNCTION(pairs) = {.in = &order_row,
                      .in2 = &payment_row,
                      .out = &pair_row,
                      .key = &key_row,
                      .sides = {&pair_row},
                      .side_names = {"sevens"},
                      .join = join_pair};

static struct op_driver *driver(const struct interval_config *c, uint32_t batch_rows, const char *backend,
                                const char *unused)
{
    return op_driver_create(&(struct op_setup){.type = op_find("interval_join"),
                                               .config = c,
                                               .in = ORDERS,
                                               .keys = "id",
                                               .in2 = PAYMENTS,
                                               .keys2 = "id2",
                                               .batch_rows = batch_rows,
                                               .backend = backend,
                                               .unused_port = unused});
}

/* Called for every batch size and backend. */
typedef void (*scenario)(struct op_driver *d);

static void run_all(int64_t lower, int64_t upper, bool lower_exclusive, bool upper_exclusive, scenario s)
{
    struct interval_config c = {{.name = "pairs", .fn = &pairs}, lower, upper, lower_exclusive, upper_exclusive};

    for (uint32_t b = 0; b < COUNT_OF(backends); b++)
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            struct op_driver *d = driver(&c, sizes[i], backends[b], NULL);
            assert_string_equal(op_driver_error(d), "");
            s(d);
            assert_string_equal(op_driver_error(d), "");
            if (b == 1) assert_true(op_pending_count(d) > 0);
            op_driver_free(d);
        }
}

/* --- bounds ------------------------------------------------------------------------------------------------------------- */
static void five_around(struct op_driver *d)
{
    op_push(d, 1,
            "@97 97 | p97 | a\n@98 98 | p98 | a\n@100 100 | p100 | a\n@102 102 | p102 | a\n@103 103 | p103 | a\n"
            "@100 100 | other key | b");
    op_push(d, 0, "@100 a | 1 | 0");
}

static void inclusive_scenario(struct op_driver *d)
{
    five_around(d);
    assert_string_equal(op_output(d),
                        "+I[a1, p98, 100, 98]@100\n+I[a1, p100, 100, 100]@100\n+I[a1, p102, 100, 102]@102\n");
}

static void exclusive_scenario(struct op_driver *d)
{
    five_around(d);
    assert_string_equal(op_output(d), "+I[a1, p100, 100, 100]@100\n");
}

static void lower_exclusive_scenario(struct op_driver *d)
{
    five_around(d);
    assert_string_equal(op_output(d), "+I[a1, p100, 100, 100]@100\n+I[a1, p102, 100, 102]@102\n");
}

static void upper_exclusive_scenario(struct op_driver *d)
{
    five_around(d);
    assert_string_equal(op_output(d), "+I[a1, p98, 100, 98]@100\n+I[a1, p100, 100, 100]@100\n");
}

static void nothing_scenario(struct op_driver *d)
{
    five_around(d);
    assert_string_equal(op_output(d), "");
}

static void bounds_are_inclusive_or_not(void **state)
{
    (void)state;
    run_all(-2, 2, false, false, inclusive_scenario);
    run_all(-2, 2, true, true, exclusive_scenario);
    run_all(-2, 2, true, false, lower_exclusive_scenario);
    run_all(-2, 2, false, true, upper_exclusive_scenario);
    run_all(0, 0, true, false, nothing_scenario);
}

/* --- order -------------------------------------------------------------------------------------------------------------- */
/* Each port has its order; how they interleave follows the batches. So: one port's lines after the other's. */
static char *grouped(const char *text)
{
    static const char *const ports[] = {"+I", "late-left: ", "late-right: ", "sevens: "};
    char *out = calloc(1, strlen(text) + 1), *end = out;

    for (uint32_t p = 0; p < COUNT_OF(ports); p++)
        for (const char *at = text; *at != '\0';) {
            size_t size = (size_t)(strchr(at, '\n') - at) + 1;
            if (strncmp(at, ports[p], strlen(ports[p])) == 0) {
                memcpy(end, at, size);
                end += size;
            }
            at += size;
        }
    return out;
}

static void expect_by_port(struct op_driver *d, const char *expected)
{
    char *got = grouped(op_output(d));

    assert_string_equal(got, expected);
    free(got);
}

static void by_port_scenario(struct op_driver *d)
{
    op_push(d, 0, "@12 a | 1 | 0\n@10 a | 2 | 0\n@10 a | 3 | 0\n@11 b | 4 | 0");
    op_push(d, 1, "@11 7 | a text of some length | a\n@12 1 | y | b\n@10 1 | z | a");
    expect_by_port(
        d, "+I[a2, a text of some length, 10, 11]@11\n+I[a3, a text of some length, 10, 11]@11\n"
           "+I[a1, a text of some length, 12, 11]@12\n+I[b4, y, 11, 12]@12\n+I[a2, z, 10, 10]@10\n"
           "+I[a3, z, 10, 10]@10\n+I[a1, z, 12, 10]@12\n"
           "sevens: +I[a2, a text of some length, 10, 11]@11\nsevens: +I[a3, a text of some length, 10, 11]@11\n"
           "sevens: +I[a1, a text of some length, 12, 11]@12\n");
}

static void pairs_come_by_row_then_time_then_arrival(void **state)
{
    (void)state;
    run_all(-2, 2, false, false, by_port_scenario);
}

/* --- late and past -------------------------------------------------------------------------------------------------------- */
static void late_scenario(struct op_driver *d)
{
    op_push(d, 0, "@10 a | 1 | 5");
    op_push_watermark(d, 11);
    op_push(d, 0, "@10 a | 2 | 6\n@11 a | 3 | 7"); /* a row at the watermark is not late */
    op_push(d, 1, "@10 1 | x | a\n@12 1 | y | a");
    expect_by_port(
        d, "+I[a1, y, 10, 12]@12\n+I[a3, y, 11, 12]@12\nlate-left: +I[a, 2, 6]@10\nlate-right: +I[1, x, a]@10\n");
    assert_int_equal(op_driver_cx(d)->metrics->late_dropped.value, 0);
}

static void late_rows_go_to_their_side_outputs(void **state)
{
    (void)state;
    run_all(-2, 2, false, false, late_scenario);
}

static void late_rows_that_nobody_reads_are_counted(void **state)
{
    struct interval_config c = {{.name = "pairs", .fn = &pairs}, -2, 2, false, false};

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct op_driver *d = driver(&c, sizes[i], NULL, "late-left");
        op_push_watermark(d, 11);
        op_push(d, 0, "@10 a | 2 | 6\n@11 a | 3 | 7\n@9 b | 3 | 7");
        op_push(d, 1, "@12 1 | y | a\n@9 1 | y | a");
        expect_by_port(d, "+I[a3, y, 11, 12]@12\nlate-right: +I[1, y, a]@9\n");
        assert_int_equal(op_driver_cx(d)->metrics->late_dropped.value, 2);
        op_driver_free(d);
    }
}

/* A left row goes when the watermark reaches its time + upper, though a right row of that very time is not late yet. */
static void past_scenario(struct op_driver *d)
{
    op_push(d, 0, "@10 a | 1 | 0\n@11 a | 2 | 0");
    op_push_watermark(d, 15);
    op_push(d, 1, "@15 1 | x | a");
    assert_string_equal(op_output(d), "+I[a2, x, 11, 15]@15\n");
}

/* Without reach the clean-up time is the row's own: there before the watermark or behind it makes the difference. */
static void edge_scenario(struct op_driver *d)
{
    op_push(d, 0, "@15 a | 1 | 0");
    op_push_watermark(d, 15);
    op_push(d, 1, "@15 1 | x | a");
    assert_string_equal(op_output(d), "");
    op_push(d, 0, "@15 a | 2 | 0"); /* the right row is of now, its partner too */
    op_push(d, 1, "@15 1 | y | a");
    assert_string_equal(op_output(d), "+I[a2, x, 15, 15]@15\n+I[a2, y, 15, 15]@15\n");
    op_push_watermark(d, 16);
    op_push(d, 1, "@16 1 | z | a");
    assert_string_equal(op_output(d), "");
}

static void rows_are_seen_until_their_clean_up_time(void **state)
{
    (void)state;
    run_all(-5, 5, false, false, past_scenario);
    run_all(0, 0, false, false, edge_scenario);
}

/* --- large keys, memory ---------------------------------------------------------------------------------------------------- */
static void large_scenario(struct op_driver *d)
{
    struct mem mem;
    struct buf rows;

    mem_init(&mem, "test", 0);
    buf_init(&rows, &mem);
    for (int part = 0; part < 5; part++) {
        buf_clear(&rows);
        for (int i = 0; i < 1000; i++) buf_printf(&rows, "@%d a | %d | 0\n", part * 1000 + i, part * 1000 + i);
        op_push(d, 0, buf_text(&rows));
    }
    op_push(d, 1, "@2500 1 | x | a");
    const char *at = op_output(d);
    for (int i = 0; i < 5000; i++) {
        char line[80];
        size_t size = (size_t)snprintf(line, sizeof line, "+I[a%d, x, %d, 2500]@%d\n", i, i, i > 2500 ? i : 2500);
        assert_memory_equal(at, line, size);
        at += size;
    }
    assert_string_equal(at, "");
    op_push_watermark(d, 20000);
    op_push(d, 1, "@20000 1 | y | a");
    assert_string_equal(op_output(d), "");
    buf_release(&rows);
    mem_release(&mem);
}

static void more_partners_than_a_batch(void **state)
{
    (void)state;
    run_all(-10000, 10000, false, false, large_scenario);
}

/* Rows keep coming and going; what is held does not grow. */
static void what_is_past_leaves_memory(void **state)
{
    struct interval_config c = {{.name = "pairs", .fn = &pairs}, -100, 100, false, false};
    struct op_driver *d = driver(&c, 0, NULL, NULL);
    struct buf rows;
    struct mem mem;
    size_t early = 0;

    (void)state;
    mem_init(&mem, "test", 0);
    buf_init(&rows, &mem);
    for (int round = 0; round < 200; round++) {
        buf_clear(&rows);
        for (int i = 0; i < 500; i++)
            buf_printf(&rows, "@%d 1 | a text that is too long to be inline | key %d\n", round * 500 + i,
                       (round * 31 + i) % 1000);
        op_push(d, 1, buf_text(&rows));
        op_push_watermark(d, round * 500 + 499);
        if (round == 50) early = op_driver_cx(d)->mem->used;
    }
    assert_true(early > 0);
    assert_true(op_driver_cx(d)->mem->used <= early + early / 4);
    assert_string_equal(op_driver_error(d), "");
    op_driver_free(d);
    buf_release(&rows);
    mem_release(&mem);
}

/* --- mistakes ------------------------------------------------------------------------------------------------------------------ */
static void expect_error(uint32_t input, const char *rows, const char *expected)
{
    struct interval_config c = {{.name = "pairs", .fn = &pairs}, -2, 2, false, false};

    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct op_driver *d = driver(&c, sizes[i], NULL, NULL);
        op_push(d, 0, "@10 a | 5 | 0");
        op_push(d, input, rows);
        assert_string_equal(op_driver_error(d), expected);
        op_driver_free(d);
    }
}

static void bad_rows_fail(void **state)
{
    (void)state;
    expect_error(0, "a | 1 | 0",
                 "a row of the first input of an interval join has no event time (give the stream watermarks "
                 "with tw_with_watermarks)");
    expect_error(1, "1 | x | a",
                 "a row of the second input of an interval join has no event time (give the stream watermarks "
                 "with tw_with_watermarks)");
    expect_error(0, "@99 a | null | 0",
                 "NULL in column 'n', but row type 'order' has no place for it (give the struct a null "
                 "mask with TW_NULLS, or remove such rows before)");
    expect_error(0, "@99 null | 1 | 0", "a row has NULL in the key column 'id'; keys must not be NULL (remove such rows before it, for example with tw_filter)");
    expect_error(1, "@10 -3 | x | a", "key [a], row +I[-3, x, a]: -3 of order 5");
}

TW_FUNCTION(no_join) = {.in = &order_row, .in2 = &payment_row, .out = &pair_row};
static enum tw_status never(struct tw_context *cx, int64_t time_ms) { return tw_fail(cx, "%lld", (long long)time_ms); }
TW_FUNCTION(with_timer) = {
    .in = &order_row, .in2 = &payment_row, .out = &pair_row, .join = join_pair, .on_timer = never};
TW_FUNCTION(six_sides) = {.in = &order_row,
                          .in2 = &payment_row,
                          .out = &pair_row,
                          .sides = {&pair_row, &pair_row, &pair_row, &pair_row, &pair_row, &pair_row},
                          .side_names = {"a", "b", "c", "d", "e", "f"},
                          .join = join_pair};
TW_FUNCTION(late_side) = {.in = &order_row,
                          .in2 = &payment_row,
                          .out = &pair_row,
                          .sides = {&pair_row},
                          .side_names = {"late-right"},
                          .join = join_pair};

static void mistakes_are_refused(void **state)
{
    static const struct {
        const struct tw_function *f;
        int64_t lower, upper;
        const char *error;
    } cases[] = {
        {&pairs, 3, 2, "the lower bound of an interval join (3 ms) is above the upper one (2 ms)"},
        {&no_join, 0, 2, "function 'f' cannot be used here: it has no .join (set .join in its TW_FUNCTION)"},
        {&with_timer, 0, 2,
         "function 'f' has .on_timer, but an interval join has no timers for it (use tw_co_process)"},
        {&six_sides, 0, 2,
         "function 'f' leaves no port for late rows (an interval join's function may have at most 5 side outputs)"},
        {&late_side, 0, 2, "function 'f' has a side output 'late-right', which is that of late rows"},
    };

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
        struct interval_config c = {{.name = "f", .fn = cases[i].f}, cases[i].lower, cases[i].upper, false, false};
        struct op_driver *d = driver(&c, 0, NULL, NULL);
        assert_string_equal(op_driver_error(d), cases[i].error);
        op_driver_free(d);
    }
}

/* --- random rows against a nested loop --------------------------------------------------------------------------------------- */
/* Flink's operator, row by row: buffers, clean-up when a watermark comes, late rows away. */
struct model_row {
    char key;
    int64_t time;
    int n;
    bool gone;
};
struct model {
    struct model_row rows[2][2000];
    uint32_t count[2];
    int64_t watermark, lower, upper;
    struct buf out;
};

static void model_add(struct model *m, uint32_t input, struct model_row row)
{
    int64_t lower = input == 0 ? m->lower : -m->upper, upper = input == 0 ? m->upper : -m->lower;
    struct model_row *theirs = m->rows[1 - input];
    bool done[2000] = {false};

    if (row.time < m->watermark) {
        buf_printf(&m->out,
                   input == 0 ? "late-left: +I[%c, %d, 0]@%lld\n" : "late-right: +I[%2$d, t%2$d, %1$c]@%3$lld\n",
                   row.key, row.n, (long long)row.time);
        return;
    }
    m->rows[input][m->count[input]++] = row;
    for (;;) { /* the earliest, of equal ones the first */
        uint32_t best = UINT32_MAX;
        for (uint32_t i = 0; i < m->count[1 - input]; i++)
            if (!done[i] && !theirs[i].gone && theirs[i].key == row.key && theirs[i].time >= row.time + lower &&
                theirs[i].time <= row.time + upper && (best == UINT32_MAX || theirs[i].time < theirs[best].time))
                best = i;
        if (best == UINT32_MAX) return;
        done[best] = true;
        const struct model_row *l = input == 0 ? &row : &theirs[best], *r = input == 0 ? &theirs[best] : &row;
        buf_printf(&m->out, "+I[%c%d, t%d, %lld, %lld]@%lld\n", l->key, l->n, r->n, (long long)l->time,
                   (long long)r->time, (long long)MAX(l->time, r->time));
    }
}

static void model_watermark(struct model *m, int64_t watermark)
{
    m->watermark = watermark;
    for (uint32_t s = 0; s < 2; s++)
        for (uint32_t i = 0; i < m->count[s]; i++) {
            struct model_row *r = &m->rows[s][i];
            if (r->time + MAX(s == 0 ? m->upper : -m->lower, 0) <= watermark) r->gone = true;
        }
}

static void random_run(uint64_t seed, uint32_t batch_rows, const char *backend)
{
    struct prng prng;
    struct mem mem;
    struct buf rows;
    static struct model m;

    prng_init(&prng, seed);
    int64_t lower = (int64_t)prng_below(&prng, 21) - 10, upper = lower + (int64_t)prng_below(&prng, 12), now = 0;
    bool open_low = prng_below(&prng, 4) == 0, open_high = prng_below(&prng, 4) == 0;
    struct interval_config c = {{.name = "pairs", .fn = &pairs}, lower, upper, open_low, open_high};
    mem_init(&mem, "test", 0);
    buf_init(&rows, &mem);
    m = (struct model){.watermark = INT64_MIN, .lower = lower + open_low, .upper = upper - open_high};
    buf_init(&m.out, &mem);
    struct op_driver *d = driver(&c, batch_rows, backend, NULL);
    for (int step = 0, n = 10; step < 60; step++) {
        uint32_t input = (uint32_t)prng_below(&prng, 2), count = (uint32_t)prng_below(&prng, 12);
        buf_clear(&rows);
        for (uint32_t i = 0; i < count; i++, n += n == 99 ? 100 : 1) {
            struct model_row r = {(char)('a' + prng_below(&prng, 4)), now + (int64_t)prng_below(&prng, 16) - 3, n,
                                  false};
            buf_printf(&rows, input == 0 ? "@%lld %c | %d | 0\n" : "@%1$lld %3$d | t%3$d | %2$c\n", (long long)r.time,
                       r.key, n);
            model_add(&m, input, r);
        }
        if (count > 0) op_push(d, input, buf_text(&rows));
        if (prng_below(&prng, 3) == 0) {
            now += (int64_t)prng_below(&prng, 6);
            if (now > m.watermark) {
                model_watermark(&m, now);
                op_push_watermark(d, now);
            }
        }
    }
    assert_string_equal(op_driver_error(d), "");
    char *expected = grouped(buf_text(&m.out)), *got = grouped(op_output(d));
    if (strcmp(expected, got) != 0)
        print_message("seed %llu, bounds %lld..%lld\n", (unsigned long long)seed, (long long)lower, (long long)upper);
    assert_string_equal(got, expected);
    assert_true(strlen(expected) > 100 || m.lower > m.upper - 3);
    free(expected);
    free(got);
    op_driver_free(d);
    buf_release(&m.out);
    buf_release(&rows);
    mem_release(&mem);
}

static void random_rows_join_as_in_a_nested_loop(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++)
        for (uint32_t b = 0; b < COUNT_OF(backends); b++)
            for (uint32_t i = 0; i < COUNT_OF(sizes); i++) random_run(seed, sizes[i], backends[b]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_are_inclusive_or_not),
        cmocka_unit_test(pairs_come_by_row_then_time_then_arrival),
        cmocka_unit_test(late_rows_go_to_their_side_outputs),
        cmocka_unit_test(late_rows_that_nobody_reads_are_counted),
        cmocka_unit_test(rows_are_seen_until_their_clean_up_time),
        cmocka_unit_test(more_partners_than_a_batch),
        cmocka_unit_test(what_is_past_leaves_memory),
        cmocka_unit_test(bad_rows_fail),
        cmocka_unit_test(mistakes_are_refused),
        cmocka_unit_test(random_rows_join_as_in_a_nested_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
