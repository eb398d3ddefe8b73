/* bench_pipeline.c - what no key is needed for, on one core unless said: the Nexmark generator -> filter -> map -> blackhole,
 * with built-in column kernels and with C callbacks per row, against the same generator with loops over its columns; two
 * cores over one; the keyed exchange between two workers; and what a batch of one row costs per operator. */
#include "bench.h"

#include <stdio.h>

enum { AUCTION, BIDDER, PRICE, DATE_TIME = 5, PRICE_LEAST = 100000 };
#define BID_COLUMNS (1 << AUCTION | 1 << BIDDER | 1 << PRICE | 1 << DATE_TIME)

struct bid {
    int64_t auction, bidder, price, time;
};
TW_ROW(bid, TW_FIELD(bid, auction, "BIGINT NOT NULL"), TW_FIELD(bid, bidder, "BIGINT NOT NULL"),
       TW_FIELD(bid, price, "BIGINT NOT NULL"), TW_FIELD_AS(bid, time, "dateTime", "TIMESTAMP(3) NOT NULL"));

static enum tw_status is_expensive(struct tw_context *cx, const void *in, bool *keep)
{
    (void)cx;
    *keep = ((const struct bid *)in)->price > PRICE_LEAST;
    return TW_OK;
}
TW_FUNCTION(expensive) = {.in = &bid_row, .filter = is_expensive};

static enum tw_status to_euros(struct tw_context *cx, const void *in, void *out)
{
    (void)cx;
    *(struct bid *)out = *(const struct bid *)in;
    ((struct bid *)out)->price = ((const struct bid *)in)->price * 908 / 1000;
    return TW_OK;
}
TW_FUNCTION(euros) = {.in = &bid_row, .out = &bid_row, .map = to_euros};

static enum tw_status expensive_to_euros(struct tw_context *cx, const void *in)
{
    struct bid bid = *(const struct bid *)in;

    if (bid.price <= PRICE_LEAST) return TW_OK;
    bid.price = bid.price * 908 / 1000;
    tw_collect(cx, &bid);
    return TW_OK;
}
TW_FUNCTION(expensive_euros) = {.in = &bid_row, .out = &bid_row, .flat_map = expensive_to_euros};

/* --- jobs ----------------------------------------------------------------------------------------------------------------- */
enum form { KERNELS, CALLBACKS, ONE_CALLBACK, ALL_BIDS };

struct pipeline {
    enum form form;
    uint64_t events;
    uint32_t cores;
    uint64_t out_rows;
};

/* bids: the table's seven columns; those that nobody reads are not made. */
static struct tw_stream *bids(struct tw_env *env, uint64_t events)
{
    char text[24];

    snprintf(text, sizeof text, "%llu", (unsigned long long)events);
    return tw_source(env, "bids", "nexmark", TW_OPTIONS("nexmark.table", "bid", "events.num", text));
}

static struct tw_stream *steps(struct tw_stream *s, enum form form)
{
    switch (form) {
    case KERNELS:
        return tw_project(tw_where(s, "price", ">", "100000"), "auction", "bidder", "price * 908 / 1000 AS price",
                          "dateTime");
    case CALLBACKS: return tw_map(tw_filter(s, &expensive), &euros);
    case ONE_CALLBACK: return tw_flat_map(s, &expensive_euros);
    case ALL_BIDS: return tw_project(s, "auction", "bidder", "price", "dateTime");
    }
    return s;
}

static double engine(struct bench *b, void *arg)
{
    struct pipeline *p = arg;
    struct tw_env *env = BENCH_ENV(b, p->cores, p->cores);

    tw_sink(steps(bids(env, p->events), p->form), "out", "blackhole", TW_NO_OPTIONS);
    return bench_rate(p->events, bench_job(env, &p->out_rows));
}

/* --- by hand ---------------------------------------------------------------------------------------------------------------- */
struct columns {
    int64_t auction[BATCH_ROWS], bidder[BATCH_ROWS], price[BATCH_ROWS], time[BATCH_ROWS];
};

/* Filter without a branch, then one loop per column over what is left. */
static uint32_t expensive_by_hand(const struct batch *b, struct columns *out)
{
    const int64_t *auction = VECTOR_VALUES(&b->cols[AUCTION], int64_t), *bidder = VECTOR_VALUES(&b->cols[BIDDER], int64_t);
    const int64_t *price = VECTOR_VALUES(&b->cols[PRICE], int64_t), *time = VECTOR_VALUES(&b->cols[DATE_TIME], int64_t);
    uint16_t rows[BATCH_ROWS];
    uint32_t n = 0;

    for (uint32_t i = 0; i < b->count; i++) {
        rows[n] = (uint16_t)i;
        n += price[i] > PRICE_LEAST;
    }
    for (uint32_t i = 0; i < n; i++) out->auction[i] = auction[rows[i]];
    for (uint32_t i = 0; i < n; i++) out->bidder[i] = bidder[rows[i]];
    for (uint32_t i = 0; i < n; i++) out->price[i] = price[rows[i]] * 908 / 1000;
    for (uint32_t i = 0; i < n; i++) out->time[i] = time[rows[i]];
    return n;
}

static uint64_t columns_sum(const struct columns *c, uint32_t n)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < n; i++) sum += (uint64_t)(c->auction[i] + c->bidder[i] + c->price[i] + c->time[i]);
    return sum;
}

static uint64_t by_hand_sum(struct bench *b, uint64_t events, uint64_t *rows, double *seconds)
{
    struct bench_source source;
    struct columns *out = mem_alloc(&b->mem, sizeof *out);
    uint64_t sum = 0;
    char text[24];

    snprintf(text, sizeof text, "%llu", (unsigned long long)events);
    bench_source_open(&source, b, "nexmark", TW_OPTIONS("nexmark.table", "bid", "events.num", text), BID_COLUMNS);
    int64_t start = sys_mono_ns(b->sys);
    for (*rows = 0; bench_source_read(&source);) {
        uint32_t n = expensive_by_hand(source.batch, out);
        sum += columns_sum(out, n);
        *rows += n;
    }
    *seconds = (double)(sys_mono_ns(b->sys) - start) / 1e9;
    bench_source_close(&source);
    mem_free(&b->mem, out);
    return sum;
}

static double by_hand(struct bench *b, void *arg)
{
    const struct pipeline *p = arg;
    uint64_t rows;
    double seconds;

    by_hand_sum(b, p->events, &rows, &seconds);
    bench_same("rows that pass", (int64_t)p->out_rows, (int64_t)rows);
    return bench_rate(p->events, seconds);
}

/* --- exactness -------------------------------------------------------------------------------------------------------------- */
static void add_bid(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms)
{
    const struct bid *bid = row;

    (void)kind, (void)time_ms;
    *(uint64_t *)arg += (uint64_t)(bid->auction + bid->bidder + bid->price + bid->time);
}

static void verify(struct bench *b, enum form form)
{
    struct tw_env *env = BENCH_ENV(b, 1, 1);
    uint64_t sum = 0, rows;
    double seconds;

    tw_collect_to(steps(bids(env, 50000), form), &bid_row, add_bid, &sum);
    bench_job(env, NULL);
    bench_same("sum of all columns", (int64_t)sum, (int64_t)by_hand_sum(b, 50000, &rows, &seconds));
}

/* --- cases ------------------------------------------------------------------------------------------------------------------ */
static void against_hand(struct bench *b, const char *name, enum form form, double goal)
{
    struct pipeline p = {.form = form, .events = bench_size(b, 30000000, 50000), .cores = 1};

    bench_run(b, &(struct bench_case){.name = name,
                                      .unit = "M ev/s",
                                      .engine = engine,
                                      .limit = by_hand,
                                      .arg = &p,
                                      .goal_kind = GOAL_SHARE_AT_LEAST,
                                      .goal = goal,
                                      .runs = 7});
}

static double on_one_core(struct bench *b, void *arg)
{
    struct pipeline one = *(const struct pipeline *)arg;

    one.cores = 1;
    return engine(b, &one);
}

static void two_cores(struct bench *b)
{
    struct pipeline p = {.form = KERNELS, .events = bench_size(b, 60000000, 50000), .cores = 2};

    bench_run(b, &(struct bench_case){.name = "two cores over one, stateless",
                                      .unit = "M ev/s",
                                      .engine = engine,
                                      .limit = on_one_core,
                                      .arg = &p,
                                      .goal_kind = GOAL_SHARE_AT_LEAST,
                                      .goal = 1.8});
}

/* Every worker generates, scatters by key, and takes what is its own. */
static double exchange(struct bench *b, void *arg)
{
    const struct pipeline *p = arg;
    struct tw_env *env = BENCH_ENV(b, 2, 2);
    uint64_t rows;

    tw_sink(tw_key_by(steps(bids(env, p->events), ALL_BIDS), "bidder"), "out", "blackhole", TW_NO_OPTIONS);
    double seconds = bench_job(env, &rows);
    bench_same("rows that were exchanged", (int64_t)rows, (int64_t)(p->events / 50 * 46));
    return bench_rate(rows, seconds);
}

static void exchanges(struct bench *b)
{
    struct pipeline p = {.events = bench_size(b, 50000000, 50000)};

    bench_run(b, &(struct bench_case){.name = "keyed exchange, two workers, 4 integers",
                                      .unit = "M rows/s",
                                      .engine = exchange,
                                      .arg = &p,
                                      .goal_kind = GOAL_AT_LEAST,
                                      .goal = 20,
                                      .scales = true});
}

/* --- batches of one row ------------------------------------------------------------------------------------------------------ */
enum { ONE_ROW_STEPS = 8 };

/* Seconds of a job whose batches hold one row, with so many filters that keep it. */
static double one_row_job(struct bench *b, uint64_t events, uint32_t filters)
{
    struct tw_env *env = BENCH_ENV(b, 1, 1);
    struct tw_stream *s = tw_project(bids(env, events), "price");

    tw_set(env, "thalweg.exec.batch-rows", "1");
    for (uint32_t i = 0; i < filters; i++) s = tw_where(s, "price", ">", "0");
    tw_sink(s, "out", "blackhole", TW_NO_OPTIONS);
    return bench_job(env, NULL);
}

static double one_row(struct bench *b, void *arg)
{
    uint64_t events = bench_size(b, 2000000, 5000), rows = events / 50 * 46;

    (void)arg;
    double few = one_row_job(b, events, 1), many = one_row_job(b, events, 1 + ONE_ROW_STEPS);
    return (many - few) * 1e9 / (double)rows / ONE_ROW_STEPS;
}

int main(int argc, char **argv)
{
    struct bench b;

    bench_start(&b, argc, argv, "pipelines");
    for (enum form form = KERNELS; form <= ONE_CALLBACK; form++) verify(&b, form);
    against_hand(&b, "filter + map, column kernels", KERNELS, 0.6);
    against_hand(&b, "filter + map, one C callback per row", ONE_CALLBACK, 0.35);
    against_hand(&b, "filter + map, two C callbacks per row", CALLBACKS, 0.35);
    two_cores(&b);
    exchanges(&b);
    bench_run(&b, &(struct bench_case){.name = "one-row batch through an operator",
                                       .unit = "ns",
                                       .engine = one_row,
                                       .goal_kind = GOAL_AT_MOST,
                                       .goal = 100,
                                       .scales = true});
    return bench_end(&b);
}
