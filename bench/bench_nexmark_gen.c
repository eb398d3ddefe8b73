/* bench_nexmark_gen.c - events per second of the Nexmark generator on one core, against the hand-written loop of
 * nexmark_limit.h, which makes bids as (auction, bidder, price, dateTime): the same four columns, then all seven, and the
 * table of all events. */
#include "bench.h"

#include "nexmark_limit.h"

enum { ROUNDS = 7 };

struct gen_case {
    const char *name, *table;
    uint64_t needed;
    bool same; /* the limit makes the same columns */
    int64_t sum;
};

static uint64_t events(const struct bench *b) { return bench_size(b, 4 << 20, BATCH_ROWS * 2); }

/* Sums the first four columns of bids, so that both sides also read what they made. */
static int64_t batch_sum(const struct batch *b)
{
    static const uint32_t cols[] = {0, 1, 2, 5};
    int64_t sum = 0;

    for (uint32_t c = 0; c < 4 && b->col_count == 7; c++) {
        const int64_t *v = VECTOR_VALUES(&b->cols[cols[c]], int64_t);
        for (uint32_t i = 0; i < b->count; i++) sum += v[i];
    }
    return sum;
}

static double engine(struct bench *b, void *arg)
{
    struct gen_case *c = arg;
    struct bench_source s;
    uint64_t rows = 0, all = events(b);

    bench_source_open(&s, b, "nexmark", TW_OPTIONS("nexmark.table", c->table), c->needed);
    c->sum = 0;
    int64_t start = sys_mono_ns(b->sys);
    while (rows < all) {
        s.batch->capacity = (uint32_t)MIN((uint64_t)BATCH_ROWS, all - rows);
        if (!bench_source_read(&s)) bench_fail("the generator ended after %llu events", (unsigned long long)rows);
        rows += s.batch->count;
        c->sum += batch_sum(s.batch);
    }
    double rate = bench_rate(rows, (double)(sys_mono_ns(b->sys) - start) / 1e9);
    bench_source_close(&s);
    return rate;
}

static double by_hand(struct bench *b, void *arg)
{
    static struct nexmark_limit l;
    const struct gen_case *c = arg;
    struct limit_bid bid;
    uint64_t all = events(b);
    int64_t sum = 0, start = sys_mono_ns(b->sys);

    nexmark_limit_init(&l, 0, 10000);
    for (uint64_t i = 0; i < all; i++) {
        nexmark_limit_next(&l, &bid);
        sum += bid.auction + bid.bidder + bid.price + bid.time_ms;
    }
    double rate = bench_rate(all, (double)(sys_mono_ns(b->sys) - start) / 1e9);
    if (c->same) bench_same("sum of all values", c->sum, sum);
    return rate;
}

int main(int argc, char **argv)
{
    struct gen_case cases[] = {
        {.name = "nexmark bids, 4 columns", .table = "bid", .needed = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 5, .same = true},
        {.name = "nexmark bids, 7 columns", .table = "bid", .needed = 127},
        {.name = "nexmark events, 4 nested columns", .table = "all", .needed = 15},
    };
    struct bench b;

    bench_start(&b, argc, argv, "nexmark generator");
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        bench_run(&b, &(struct bench_case){.name = cases[i].name,
                                           .unit = "M rows/s",
                                           .engine = engine,
                                           .limit = by_hand,
                                           .arg = &cases[i],
                                           .goal_kind = cases[i].same ? GOAL_SHARE_WANTED : GOAL_NONE,
                                           .goal = cases[i].same ? 1 : 0,
                                           .runs = ROUNDS});
    return bench_end(&b);
}
