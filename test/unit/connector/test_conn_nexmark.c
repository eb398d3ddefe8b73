/* test_conn_nexmark.c - the generator: the first events by hand, the same events however the sequence is cut, the
 * distributions of the benchmark, throttling, positions, options. */
#include "flow/connector/nexmark/nexmark_rules.h"
#include "ground/base/str.h"
#include "support/source_probe.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static struct source_probe p;

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Sum over the rows of a hash of (event number, text of the row); the order does not count. */
static uint64_t text_sum(const char *rows, uint64_t *count)
{
    struct str rest = str_of(rows), line;
    uint64_t sum = 0;

    *count = 0;
    while (str_cut(&rest, '\n', &line)) {
        for (size_t i = 0; i < line.size; i++)
            sum += mix64((uint64_t)(unsigned char)line.data[i] * 1000003 + i + line.size);
        ++*count;
    }
    return sum;
}

static uint64_t hash_of(const char *text)
{
    uint64_t h = 0;

    for (; *text; text++) h = mix64(h ^ (unsigned char)*text);
    return h;
}

static void test_first_events(void **state)
{
    (void)state;
    probe_open(&p, "nexmark", NULL, 1, OPTIONS("events.num", "50", "nexmark.base-time", "0"));
    const char *rows = probe_all(&p, 2048);
    struct str rest = str_of(rows), line;
    uint32_t kinds[3] = {0}, i = 0;
    /* event ids begin at 2: two auctions of the first epoch, 46 bids, then the second epoch's person and first auction */
    while (str_cut(&rest, '\n', &line)) {
        char kind = line.data[3];
        uint32_t id = 2 + i++;
        assert_int_equal(kind, id % 50 == 0 ? '0' : id % 50 < 4 ? '1' : '2');
        kinds[kind - '0']++;
    }
    assert_int_equal(kinds[0], 1);
    assert_int_equal(kinds[1], 3);
    assert_int_equal(kinds[2], 46);
    /* the first event: auction 1 of the epoch, at event number 1: 100 us, cut to ms */
    assert_true(str_starts(str_of(rows), STR("+I[1, null, +I[1001, ")));
    probe_close(&p);
}

static void test_bid_rows(void **state)
{
    (void)state;
    probe_open(&p, "nexmark", NULL, 1, OPTIONS("events.num", "4", "nexmark.table", "bid", "nexmark.base-time", "0"));
    /* events 2 and 3 have the ids 4 and 5; the time is (n + 1) * 100 us; the fields are what nexmark_rules.h draws */
    struct nexmark_rules g = {.persons = 1,
                              .auctions = 3,
                              .bids = 46,
                              .total = 50,
                              .hot_auction = 2,
                              .hot_bidder = 4,
                              .out_of_order = 1,
                              .delay_us = 100};
    struct probe_split s;
    nexmark_seed(&g, 0);
    assert_int_equal(probe_next(&p, 0, &s), S_OK);
    struct batch *b = probe_batch(&p, 16);
    assert_int_equal(probe_read(&p, &s, b), S_END);
    assert_int_equal(b->count, 2);
    for (uint64_t i = 0; i < 2; i++) {
        struct nexmark_choice auction = nexmark_bid_auction(&g, 4 + i), bidder = nexmark_bid_bidder(&g, 4 + i);
        assert_int_equal(VECTOR_VALUES(&b->cols[0], int64_t)[i],
                         nexmark_choose(&auction, nexmark_hash(&g, DRAW_BID_AUCTION, 4 + i)));
        assert_int_equal(VECTOR_VALUES(&b->cols[1], int64_t)[i],
                         nexmark_choose(&bidder, nexmark_hash(&g, DRAW_BID_BIDDER, 4 + i)));
        assert_int_equal(VECTOR_VALUES(&b->cols[2], int64_t)[i],
                         nexmark_price(nexmark_hash(&g, DRAW_BID_PRICE, 4 + i)));
        assert_int_equal(VECTOR_VALUES(&b->cols[5], int64_t)[i], 0);
    }
    batch_free(b);
    probe_close(&p);
}

/* These are the events of seed 0: programs, results and documents are built on them. */
static void test_events_do_not_change(void **state)
{
    uint64_t count;

    (void)state;
    probe_open(&p, "nexmark", NULL, 1, OPTIONS("events.num", "5000"));
    assert_int_equal(hash_of(probe_all(&p, 2048)), UINT64_C(0x95fec4b4d7979b8d));
    assert_int_equal(text_sum(buf_text(&p.text), &count) != 0, 1);
    assert_int_equal(count, 5000);
    probe_close(&p);
}

static void test_same_events_however_cut(void **state)
{
    static const char *const tables[] = {"all", "bid", "auction", "person"};

    (void)state;
    for (uint32_t t = 0; t < 4; t++) {
        uint64_t sum[3], count[3];
        const uint32_t parallelism[3] = {1, 3, 7}, capacity[3] = {2048, 1, 100};
        for (uint32_t i = 0; i < 3; i++) {
            probe_open(&p, "nexmark", NULL, parallelism[i], OPTIONS("events.num", "20000", "nexmark.table", tables[t]));
            sum[i] = text_sum(probe_all(&p, capacity[i]), &count[i]);
            probe_close(&p);
        }
        assert_int_equal(count[0], t == 0 ? 20000 : t == 1 ? 20000 / 50 * 46 : t == 2 ? 20000 / 50 * 3 : 20000 / 50);
        assert_int_equal(count[1], count[0]);
        assert_int_equal(count[2], count[0]);
        assert_int_equal(sum[1], sum[0]);
        assert_int_equal(sum[2], sum[0]);
    }
}

static void test_only_the_wanted_columns(void **state)
{
    struct probe_split s;
    uint64_t needed = 1 << 2;

    (void)state;
    probe_open_needed(&p, "nexmark", NULL, 1, OPTIONS("events.num", "1000", "nexmark.table", "bid"), &needed);
    assert_int_equal(probe_next(&p, 0, &s), S_OK);
    struct batch *b = probe_batch(&p, 2048);
    assert_int_equal(probe_read(&p, &s, b), S_END);
    for (uint32_t i = 0; i < b->col_count; i++) assert_int_equal(b->cols[i].form, i == 2 ? VEC_FLAT : VEC_ABSENT);
    assert_int_equal(b->count, 920);
    assert_true(p.mem.used < 600000); /* no pool of letters was made */
    batch_free(b);
    probe_close(&p);
}

/* --- distributions ------------------------------------------------------------------------------------------------ */
enum { BIDS = 200000 };

static struct batch *read_bids(struct source_probe *probe, struct probe_split *s)
{
    struct batch *b = probe_batch(probe, BATCH_ROWS);

    assert_int_equal(probe_next(probe, 0, s), S_OK);
    return b;
}

static bool is_near(double value, double wanted, double tolerance) { return fabs(value - wanted) <= tolerance; }

static void test_distribution_of_bids(void **state)
{
    uint64_t hot_auctions = 0, hot_bidders = 0, hot_channels = 0, with_id = 0, rows = 0, letters = 0, below[6] = {0};
    double log_sum = 0;
    struct probe_split s;

    (void)state;
    probe_open(&p, "nexmark", NULL, 1, OPTIONS("nexmark.table", "bid", "nexmark.seed", "42"));
    struct batch *b = read_bids(&p, &s);
    for (; rows < BIDS; rows += b->count) {
        assert_int_equal(probe_read(&p, &s, b), S_OK);
        for (uint32_t i = 0; i < b->count; i++) {
            int64_t auction = VECTOR_VALUES(&b->cols[0], int64_t)[i], bidder = VECTOR_VALUES(&b->cols[1], int64_t)[i];
            int64_t price = VECTOR_VALUES(&b->cols[2], int64_t)[i];
            struct str channel = text_str(&VECTOR_VALUES(&b->cols[3], struct text)[i]),
                       url = text_str(&VECTOR_VALUES(&b->cols[4], struct text)[i]);
            uint32_t extra = VECTOR_VALUES(&b->cols[6], struct text)[i].size;
            hot_auctions += auction % 100 == 0;
            hot_bidders += bidder % 100 == 1;
            assert_true(price >= 100 && price <= 100000000);
            log_sum += log10((double)price);
            for (uint32_t k = 0; k < 6; k++) below[k] += (double)price < pow(10, 3 + k);
            hot_channels += !str_starts(channel, STR("channel-"));
            with_id += memmem(url.data, url.size, "&channel_id=", 12) != NULL;
            assert_true(str_starts(url, STR("https://www.nexmark.com/")));
            assert_true(extra >= 54 && extra <= 81);
            letters += extra;
        }
    }
    double n = (double)rows;
    /* one half is hot; of the uniform half about 1 in 100 falls on a hundred as well */
    assert_true(is_near((double)hot_auctions / n, 0.5 + 0.5 * 0.01, 0.01));
    assert_true(is_near((double)hot_bidders / n, 0.75 + 0.25 * 0.01, 0.01));
    assert_true(is_near((double)hot_channels / n, 0.5, 0.01));
    assert_true(is_near((double)with_id / n, 0.5 * 0.9, 0.02));
    assert_true(is_near((double)letters / n, 67.5, 0.2));
    assert_true(is_near(log_sum / n, 5, 0.02)); /* log-uniform from 2 to 8 */
    for (uint32_t k = 0; k < 6; k++) assert_true(is_near((double)below[k] / n, (k + 1) / 6.0, 0.01));
    batch_free(b);
    probe_close(&p);
}

static void test_price_is_exact_enough(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 100000; i++) {
        uint64_t hash = mix64(i);
        double u = (double)(hash >> 12) * 0x1.0p-52, exact = pow(10, 6 * u) * 100;
        assert_true(fabs((double)nexmark_price(hash) - exact) <= 0.5 + exact * 1e-9);
    }
    assert_int_equal(nexmark_price(0), 100);
    assert_int_equal(nexmark_price(UINT64_MAX), 100000000);
}

/* Bids reach back 100 auctions and 1,000 persons, and a little ahead. */
static void test_range_of_ids(void **state)
{
    struct probe_split s;
    uint64_t first = 0;

    (void)state;
    probe_open(&p, "nexmark", NULL, 1, OPTIONS("nexmark.table", "bid"));
    struct batch *b = read_bids(&p, &s);
    for (uint32_t round = 0; round < 100; round++) {
        assert_int_equal(probe_read(&p, &s, b), S_OK);
        for (uint32_t i = 0; i < b->count; i++, first++) {
            int64_t epoch = (int64_t)(first / 46), last_auction = 1000 + epoch * 3 + 2, last_person = 1000 + epoch;
            int64_t auction = VECTOR_VALUES(&b->cols[0], int64_t)[i],
                    bidder = VECTOR_VALUES(&b->cols[1], int64_t)[i] - 1000;
            assert_true(auction <= last_auction + 10 && auction >= MAX(1000, last_auction - 100));
            assert_true(bidder <= last_person + 10 && bidder >= MAX(1000, last_person - 1000));
        }
    }
    batch_free(b);
    probe_close(&p);
}

static void test_persons_and_auctions(void **state)
{
    struct probe_split s;
    uint64_t sizes = 0, hot = 0, rows = 0;

    (void)state;
    probe_open(&p, "nexmark", NULL, 1, OPTIONS("nexmark.table", "auction", "nexmark.base-time", "0"));
    struct batch *b = read_bids(&p, &s);
    for (uint32_t round = 0; round < 20; round++) {
        assert_int_equal(probe_read(&p, &s, b), S_OK);
        for (uint32_t i = 0; i < b->count; i++, rows++) {
            const struct vector *c = b->cols;
            int64_t time = VECTOR_VALUES(&c[5], int64_t)[i], expires = VECTOR_VALUES(&c[6], int64_t)[i];
            int64_t category = VECTOR_VALUES(&c[8], int64_t)[i];
            uint32_t text = VECTOR_VALUES(&c[1], struct text)[i].size + VECTOR_VALUES(&c[2], struct text)[i].size +
                            VECTOR_VALUES(&c[9], struct text)[i].size;
            assert_int_equal(VECTOR_VALUES(&c[0], int64_t)[i], 1001 + (int64_t)rows);
            assert_true(VECTOR_VALUES(&c[4], int64_t)[i] - VECTOR_VALUES(&c[3], int64_t)[i] >= 100);
            assert_true(expires - time >= 1 && expires - time <= 2 * 168); /* 1,666 events of 100 us */
            assert_true(category >= 10 && category <= 14);
            hot += VECTOR_VALUES(&c[7], int64_t)[i] % 100 == 0;
            sizes += 48 + text;
        }
    }
    assert_true(is_near((double)hot / (double)rows, 0.75 + 0.25 * 0.01, 0.02));
    assert_true(is_near((double)sizes / (double)rows, 500, 5));
    batch_free(b);
    probe_close(&p);

    probe_open(&p, "nexmark", NULL, 1, OPTIONS("events.num", "2000", "nexmark.table", "person"));
    struct str rest = str_of(probe_all(&p, 7)), line;
    for (uint64_t id = 1001; str_cut(&rest, '\n', &line); id++) { /* person 0 stands before the first event */
        char start[32];
        snprintf(start, sizeof start, "+I[%llu, ", (unsigned long long)id);
        assert_true(str_starts(line, str_of(start)));
        assert_non_null(memmem(line.data, line.size, "@", 1));
        assert_non_null(memmem(line.data, line.size, ".com, ", 6));
    }
    probe_close(&p);
}

/* --- order and time ----------------------------------------------------------------------------------------------- */
static void test_out_of_order_groups(void **state)
{
    struct probe_split s;
    bool back = false;

    (void)state;
    probe_open(&p, "nexmark", NULL, 1,
               OPTIONS("events.num", "1000", "nexmark.table", "bid", "nexmark.out-of-order-group-size", "50",
                       "first-event.rate", "1000", "nexmark.base-time", "0"));
    struct batch *b = read_bids(&p, &s);
    assert_int_equal(probe_read(&p, &s, b), S_END);
    const int64_t *times = VECTOR_VALUES(&b->cols[5], int64_t);
    for (uint32_t i = 1; i < b->count; i++) {
        back |= times[i] < times[i - 1];
        assert_true(times[i] > times[i - 1] - 50); /* disorder stays inside a group of 50 ms */
    }
    assert_true(back);
    batch_free(b);
    probe_close(&p);
}

/* Times that the benchmark's own generator (nexmark-flink, GeneratorConfig) made of these options: a second rate, its shape and
 * its period are taken there, and change nothing. */
enum { TIMES = 6 };
static const uint32_t timed_events[TIMES] = {0, 3, 999, 1000, 5000, 99999};
static const struct {
    const char *first, *next, *shape;
    int64_t times[TIMES];
} official[] = {
    {"10000", "10000", "SQUARE", {0, 0, 100, 100, 500, 10000}},
    {"1000", "4000", "SQUARE", {1, 4, 1000, 1001, 5001, 100000}},
    {"7", "3", "SQUARE", {142, 571, 142857, 143000, 714428, 14285714}},
    {"1000", "4000", "SINE", {1, 4, 1000, 1001, 5001, 100000}},
};

static int64_t time_of_row(const struct batch *b, uint32_t row)
{
    static const uint32_t field[] = {6, 5, 5}; /* dateTime of a person, an auction, a bid */
    uint32_t kind = (uint32_t)VECTOR_VALUES(&b->cols[0], int32_t)[row];

    return VECTOR_VALUES(&b->cols[1 + kind].children[field[kind]], int64_t)[row];
}

static void test_times_of_official_options(void **state)
{
    struct probe_split s;

    (void)state;
    for (uint32_t c = 0; c < 4; c++) {
        probe_open(&p, "nexmark", NULL, 1,
                   OPTIONS("first-event.rate", official[c].first, "next-event.rate", official[c].next, "rate.shape",
                           official[c].shape, "rate.period", "2 s", "events.num", "100000", "nexmark.base-time", "0"));
        struct batch *b = read_bids(&p, &s);
        enum status st = S_OK;
        for (uint32_t event = 0, k = 0; event < 100000; event += b->count) {
            assert_int_equal(st, S_OK);
            st = probe_read(&p, &s, b);
            for (; k < TIMES && timed_events[k] < event + b->count; k++)
                assert_int_equal(time_of_row(b, timed_events[k] - event), official[c].times[k]);
        }
        assert_int_equal(st, S_END);
        batch_free(b);
        probe_close(&p);
    }
}

/* Every option of the benchmark's connector, with the values of its own test. */
static void test_official_options(void **state)
{
    (void)state;
    probe_open(&p, "nexmark", NULL, 1,
               OPTIONS("rate.shape", "SQUARE", "rate.period", "11 min", "rate.limited", "false", "first-event.rate", "99",
                       "next-event.rate", "199", "person.avg-size", "1kb", "auction.avg-size", "5kb", "bid.avg-size", "8kb",
                       "person.proportion", "30", "auction.proportion", "15", "bid.proportion", "5",
                       "bid.hot-ratio.auctions", "3", "bid.hot-ratio.bidders", "5", "auction.hot-ratio.sellers", "8",
                       "events.num", "100", "keep-alive", "false", "stop-at", "-1", "max-emit-speed", "true"));
    uint32_t kinds[3] = {0};
    struct str rest = str_of(probe_all(&p, 2048)), line;
    while (str_cut(&rest, '\n', &line)) kinds[line.data[3] - '0']++;
    /* the ids 2 to 101, of 50 in an epoch: 30 persons, 15 auctions, 5 bids */
    assert_int_equal(kinds[NEXMARK_PERSON], 28 + 30 + 2);
    assert_int_equal(kinds[NEXMARK_AUCTION], 30);
    assert_int_equal(kinds[NEXMARK_BID], 10);
    probe_close(&p);
}

static void test_held_back_until_due(void **state)
{
    struct probe_split s;

    (void)state;
    p.now_ms = 5000;
    probe_open(&p, "nexmark", NULL, 1,
               OPTIONS("events.num", "20", "max-emit-speed", "false", "first-event.rate", "100"));
    assert_int_equal(probe_next(&p, 0, &s), S_OK);
    struct batch *b = probe_batch(&p, 100);
    assert_int_equal(probe_read(&p, &s, b), S_OK);
    assert_int_equal(b->count, 1);
    assert_int_equal(probe_read(&p, &s, b), S_IDLE);
    assert_int_equal(b->count, 0);
    assert_int_equal(p.cx.wake_ms, 5010);
    p.now_ms = 5010;
    assert_int_equal(probe_read(&p, &s, b), S_OK);
    assert_int_equal(b->count, 1);
    p.now_ms = 5059;
    assert_int_equal(probe_read(&p, &s, b), S_OK);
    assert_int_equal(b->count, 4);
    assert_int_equal(probe_read(&p, &s, b), S_IDLE);
    assert_int_equal(p.cx.wake_ms, 5060);
    p.now_ms = 6000;
    assert_int_equal(probe_read(&p, &s, b), S_END);
    assert_int_equal(b->count, 14);
    batch_free(b);
    probe_close(&p);
}

static void test_ends(void **state)
{
    struct probe_split s;

    (void)state;
    probe_open(&p, "nexmark", NULL, 1, OPTIONS("events.num", "20", "stop-at", "7", "keep-alive", "true"));
    assert_int_equal(p.conn->source->boundedness(&p.options, p.conn->options), UNBOUNDED);
    assert_int_equal(probe_next(&p, 0, &s), S_OK);
    struct batch *b = probe_batch(&p, 100);
    assert_int_equal(probe_read(&p, &s, b), S_OK);
    assert_int_equal(b->count, 7);
    assert_int_equal(probe_read(&p, &s, b), S_IDLE);
    assert_int_equal(p.cx.wake_ms, INT64_MAX);
    batch_free(b);
    probe_close(&p);
}

static void test_goes_on_from_a_position(void **state)
{
    struct probe_split s, again;
    struct buf at;
    enum status last;
    uint64_t whole, part, ignored;

    (void)state;
    probe_open(&p, "nexmark", NULL, 2, OPTIONS("events.num", "9000", "nexmark.base-time", "now"));
    buf_init(&at, &p.mem);
    assert_int_equal(probe_next(&p, 0, &s), S_OK);
    assert_int_equal(probe_reopen(&p, s.what.id, s.what.bytes, &again), S_OK);
    whole = text_sum(probe_rows(&p, &again, 64, &last), &ignored);
    struct batch *b = probe_batch(&p, 1000);
    assert_int_equal(probe_read(&p, &s, b), S_OK);
    buf_clear(&p.text);
    for (uint32_t i = 0; i < b->count; i++) {
        batch_print_row(b, i, &p.text);
        buf_append_byte(&p.text, '\n');
    }
    part = text_sum(buf_text(&p.text), &ignored);
    p.now_ms += 100000; /* the base time travels with the split */
    p.conn->source->split_position(&p.cx, p.reader, s.self, &at);
    assert_int_equal(probe_reopen(&p, s.what.id, (struct str){at.data, at.size}, &again), S_OK);
    assert_int_equal(part + text_sum(probe_rows(&p, &again, 333, &last), &ignored), whole);
    assert_int_equal(last, S_END);
    assert_int_equal(probe_reopen(&p, s.what.id, STR("\x01\x05\x02"), &again), E_DATA);
    batch_free(b);
    probe_close(&p);
}

static void test_mistakes(void **state)
{
    (void)state;
    assert_int_equal(probe_check(&p, "nexmark", NULL, OPTIONS("auction.proportion", "0")), E_CONFIG);
    assert_string_equal(p.err.text,
                        "option 'auction.proportion' of connector 'nexmark' is 0, but must be between 1 and 1000000");
    probe_close(&p);
    assert_int_equal(probe_check(&p, "nexmark", NULL, OPTIONS("nexmark.base-time", "yesterday")), E_CONFIG);
    probe_close(&p);
    assert_int_equal(probe_check(&p, "nexmark", NULL, OPTIONS("nexmark.base-time", "9223372036854775807")), E_CONFIG);
    probe_close(&p);
    assert_int_equal(probe_check(&p, "nexmark", NULL, OPTIONS("nexmark.table", "bids")), E_CONFIG);
    assert_string_equal(
        p.err.text,
        "option 'nexmark.table' of connector 'nexmark' is 'bids', but must be one of person|auction|bid|all");
    probe_close(&p);
    assert_int_equal(probe_check(&p, "nexmark", NULL, OPTIONS("event.num", "1")), E_CONFIG);
    assert_string_equal(p.err.hint, "did you mean 'events.num'?");
    probe_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_events),          cmocka_unit_test(test_bid_rows),
        cmocka_unit_test(test_events_do_not_change),  cmocka_unit_test(test_same_events_however_cut),
        cmocka_unit_test(test_only_the_wanted_columns), cmocka_unit_test(test_distribution_of_bids),
        cmocka_unit_test(test_price_is_exact_enough), cmocka_unit_test(test_range_of_ids),
        cmocka_unit_test(test_persons_and_auctions),  cmocka_unit_test(test_out_of_order_groups),
        cmocka_unit_test(test_times_of_official_options), cmocka_unit_test(test_official_options),
        cmocka_unit_test(test_held_back_until_due),   cmocka_unit_test(test_ends),
        cmocka_unit_test(test_goes_on_from_a_position), cmocka_unit_test(test_mistakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
