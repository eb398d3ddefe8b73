/* bench_nexmark_gen.c - events per second of the Nexmark generator on one core, against the hand-written loop of
 * nexmark_limit.h: bids as (auction, bidder, price, dateTime), as all seven columns, and the table of all events. Prints
 * minimum, median and maximum of several runs, interleaved so that a noisy machine hits all cases alike. */
#include "flow/connector/connector.h"
#include "nexmark_limit.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 7, BIDS = 4 << 20 };

struct bench_case {
    const char *name, *table;
    uint64_t needed;
    double rates[ROUNDS];
};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double limit_run(struct sys *sys, int64_t *sum)
{
    static struct nexmark_limit l;
    struct limit_bid bid;
    int64_t start = sys_mono_ns(sys);

    nexmark_limit_init(&l, 0, 10000);
    for (uint32_t i = 0; i < BIDS; i++) {
        nexmark_limit_next(&l, &bid);
        *sum += bid.auction + bid.bidder + bid.price + bid.time_ms;
    }
    return BIDS * 1e3 / (double)(sys_mono_ns(sys) - start);
}

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

static double engine_run(struct sys *sys, const struct bench_case *bc, int64_t *sum)
{
    const struct conn_type *conn = NULL;
    struct option items[] = {{"nexmark.table", bc->table}};
    struct options o = {items, 1};
    struct mem mem;
    struct arena arena;
    struct err e = {0};
    const struct type *row = NULL;
    struct split what = {0};

    mem_init(&mem, "bench", 0);
    arena_init(&arena, &mem, 0);
    if (conn_find("nexmark", &conn, &e) != S_OK || conn->source->schema(&arena, &o, conn->options, &row, &e) != S_OK)
        exit(1);
    struct source_cx cx = {.schema = row,
                           .needed = &bc->needed,
                           .options = &o,
                           .option_defs = conn->options,
                           .sys = sys,
                           .mem = &mem,
                           .parallelism = 1,
                           .err = &e};
    void *enumerator = mem_zalloc(&mem, conn->source->enumerator_size),
         *reader = mem_zalloc(&mem, conn->source->reader_size);
    void *split = mem_zalloc(&mem, conn->source->split_size);
    struct batch *b = batch_create_needed(row, &bc->needed, BATCH_ROWS, &mem);
    if (conn->source->enumerator_open(&cx, enumerator) != S_OK || conn->source->reader_open(&cx, reader) != S_OK)
        exit(1);
    if (conn->source->enumerator_next(&cx, enumerator, 0, &arena, &what) != S_OK ||
        conn->source->split_open(&cx, reader, split, &what) != S_OK)
        exit(1);
    int64_t start = sys_mono_ns(sys);
    for (uint32_t rows = 0; rows < BIDS; rows += b->count) {
        batch_clear(b);
        b->capacity = MIN(BATCH_ROWS, BIDS - rows);
        if (conn->source->split_read(&cx, reader, split, b) != S_OK) exit(1);
        *sum += batch_sum(b);
    }
    double rate = BIDS * 1e3 / (double)(sys_mono_ns(sys) - start);
    mem_release(&mem);
    return rate;
}

int main(void)
{
    struct sys *sys = sys_linux_create_quiet();
    double limit[ROUNDS];
    struct bench_case cases[] = {
        {.name = "bids, 4 columns", .table = "bid", .needed = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 5},
        {.name = "bids, 7 columns", .table = "bid", .needed = 127},
        {.name = "all events, 4 nested columns", .table = "all", .needed = 15},
    };

    for (int round = 0; round < ROUNDS; round++) {
        int64_t by_hand = 0, by_engine = 0, ignored = 0;
        limit[round] = limit_run(sys, &by_hand);
        for (uint32_t c = 0; c < COUNT_OF(cases); c++)
            cases[c].rates[round] = engine_run(sys, &cases[c], c == 0 ? &by_engine : &ignored);
        if (by_hand != by_engine) {
            printf("the generator and the hand-written loop disagree: %lld and %lld\n", (long long)by_engine,
                   (long long)by_hand);
            return 1;
        }
    }
    qsort(limit, ROUNDS, sizeof limit[0], by_value);
    printf("%-32s %8s %8s %8s %8s   (M rows/s, one core)\n", "nexmark generator", "min", "median", "max", "ratio");
    printf("%-32s %8.1f %8.1f %8.1f %8.2f\n", "hand-written loop, 4 fields", limit[0], limit[ROUNDS / 2],
           limit[ROUNDS - 1], 1.0);
    for (uint32_t c = 0; c < COUNT_OF(cases); c++) {
        double *r = cases[c].rates;
        qsort(r, ROUNDS, sizeof r[0], by_value);
        printf("%-32s %8.1f %8.1f %8.1f %8.2f\n", cases[c].name, r[0], r[ROUNDS / 2], r[ROUNDS - 1],
               r[ROUNDS / 2] / limit[ROUNDS / 2]);
    }
    sys_linux_free(sys);
    return 0;
}
