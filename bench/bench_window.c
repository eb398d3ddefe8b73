/* bench_window.c - windows by key on one core: tumbling counts over uniform keys against a hand-written hash aggregation,
 * sliding against tumbling windows, and ten times the rows at the same keys. Rows come from a source function, and from the
 * same function on the hand-written side. */
#include "keyed_source.h"
#include "window_limit.h"

struct window_case {
    struct keyed_rows rows;
    struct tw_windowing window;
    const char *aggregate;
    int64_t size_ms; /* of the tumbling window by hand */
    uint64_t out_rows;
    uint32_t cores;
};

struct total {
    int64_t key, window_end, n;
};
TW_ROW(total, TW_FIELD(total, key, "BIGINT NOT NULL"), TW_FIELD(total, window_end, "TIMESTAMP(3) NOT NULL"),
       TW_FIELD(total, n, "BIGINT"));

static struct tw_stream *windows(struct tw_env *env, const struct window_case *c)
{
    return tw_window_columns(tw_key_by(keyed_source(env, &c->rows, 0), "key"), c->window, c->aggregate);
}

static double engine(struct bench *b, void *arg)
{
    struct window_case *c = arg;
    struct tw_env *env = BENCH_ENV(b, c->cores, c->cores);

    tw_sink(windows(env, c), "out", "blackhole", TW_NO_OPTIONS);
    return bench_rate(c->rows.rows, bench_job(env, &c->out_rows));
}

static double by_hand(struct bench *b, void *arg)
{
    const struct window_case *c = arg;
    struct window_limit *w = mem_alloc(&b->mem, sizeof *w);

    window_limit_create(w, c->rows.keys, &b->mem);
    int64_t start = sys_mono_ns(b->sys);
    uint64_t emitted = window_limit_count(w, &c->rows, c->size_ms);
    double seconds = (double)(sys_mono_ns(b->sys) - start) / 1e9;
    bench_same("rows of windows", (int64_t)c->out_rows, (int64_t)emitted);
    mem_free(&b->mem, w->slots);
    mem_free(&b->mem, w);
    return bench_rate(c->rows.rows, seconds);
}

/* --- exactness: every count of every window, beside a plain array ---------------------------------------------------------- */
struct check {
    int64_t *counts, windows, slide_ms;
    uint64_t keys;
};

static void take_back(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms)
{
    struct check *c = arg;
    const struct total *t = row;
    int64_t w = t->window_end / c->slide_ms - 1;

    (void)kind, (void)time_ms;
    if (t->key < 0 || (uint64_t)t->key >= c->keys || w < 0 || w >= c->windows) bench_fail("a row of no window came out");
    c->counts[(uint64_t)w * c->keys + (uint64_t)t->key] -= t->n;
}

/* size: a multiple of slide. */
static void verify(struct bench *b, struct tw_windowing window, const char *aggregate, int64_t size_ms, int64_t slide_ms)
{
    struct window_case c = {.rows = {30000, 100, 10}, .window = window, .aggregate = aggregate};
    int64_t span = (int64_t)(c.rows.rows / c.rows.rows_per_ms) + size_ms;
    struct check check = {.windows = span / slide_ms + 1, .slide_ms = slide_ms, .keys = c.rows.keys};
    struct tw_env *env = BENCH_ENV(b, 1, 1);
    struct keyed_cursor cursor;
    struct keyed_row row;

    check.counts = mem_zalloc(&b->mem, sizeof(int64_t) * c.rows.keys * (uint64_t)check.windows);
    keyed_rows_start(&cursor, &c.rows, 0, 1);
    while (keyed_rows_next(&cursor, &c.rows, c.rows.rows_per_ms, &row, 1) > 0)
        for (int64_t end = row.time / slide_ms * slide_ms + slide_ms; end <= row.time + size_ms; end += slide_ms)
            check.counts[(uint64_t)(end / slide_ms - 1) * c.rows.keys + (uint64_t)row.key] +=
                aggregate[0] == 'c' ? 1 : row.value;
    tw_collect_to(windows(env, &c), &total_row, take_back, &check);
    bench_job(env, NULL);
    for (uint64_t i = 0; i < c.rows.keys * (uint64_t)check.windows; i++) bench_same("a count", check.counts[i], 0);
    mem_free(&b->mem, check.counts);
}

/* --- the cases ------------------------------------------------------------------------------------------------------------ */
static void tumbling(struct bench *b, const char *name, uint64_t keys, uint64_t rows, enum bench_goal goal, uint32_t runs)
{
    struct window_case c = {.rows = {bench_size(b, rows, 100000), bench_size(b, keys, 1000), bench_size(b, rows / 30000, 5)},
                            .window = TW_TUMBLE(TW_SECONDS(10)),
                            .aggregate = "count(*) AS n",
                            .size_ms = TW_SECONDS(10),
                            .cores = 1};

    bench_run(b, &(struct bench_case){.name = name,
                                      .unit = "M rows/s",
                                      .engine = engine,
                                      .limit = by_hand,
                                      .arg = &c,
                                      .goal_kind = goal,
                                      .goal = 0.5,
                                      .runs = runs});
}

static double second(struct bench *b, void *arg) { return engine(b, (struct window_case *)arg + 1); }

/* The engine twice, with two jobs: c[0] is judged against c[1]. */
static void against(struct bench *b, const char *name, struct window_case *c, enum bench_goal kind, double goal)
{
    bench_run(b, &(struct bench_case){.name = name,
                                      .unit = "M rows/s",
                                      .engine = engine,
                                      .limit = second,
                                      .arg = c,
                                      .goal_kind = kind,
                                      .goal = goal});
}

static void sliding(struct bench *b)
{
    struct keyed_rows rows = {bench_size(b, 20000000, 50000), bench_size(b, 100000, 100), bench_size(b, 1000, 10)};
    struct window_case c[2] = {
        {.rows = rows, .window = TW_HOP(TW_SECONDS(60), TW_SECONDS(1)), .aggregate = "sum(value) AS n", .cores = 1},
        {.rows = rows, .window = TW_TUMBLE(TW_SECONDS(1)), .aggregate = "sum(value) AS n", .cores = 1}};

    against(b, "sliding 60 s by 1 s over tumbling 1 s", c, GOAL_TIMES_AT_MOST, 1.5);
}

static void growth(struct bench *b)
{
    struct window_case c[2] = {{.rows = {bench_size(b, 60000000, 100000), bench_size(b, 100000, 100), 1000},
                                .window = TW_TUMBLE(TW_SECONDS(2)),
                                .aggregate = "count(*) AS n",
                                .cores = 1}};

    c[1] = c[0];
    c[1].rows.rows /= 10;
    against(b, "ten times the rows, 100 K keys", c, GOAL_SHARE_AT_LEAST, 0.9);
}

static void cores(struct bench *b)
{
    struct window_case c[2] = {{.rows = {bench_size(b, 30000000, 100000), bench_size(b, 1000000, 100), 1000},
                                .window = TW_TUMBLE(TW_SECONDS(10)),
                                .aggregate = "count(*) AS n",
                                .cores = 2}};

    c[1] = c[0];
    c[1].cores = 1;
    against(b, "two cores over one, keyed, 1 M keys", c, GOAL_SHARE_AT_LEAST, 1.6);
}

int main(int argc, char **argv)
{
    struct bench b;

    bench_start(&b, argc, argv, "windows");
    verify(&b, TW_TUMBLE(TW_SECONDS(1)), "count(*) AS n", 1000, 1000);
    verify(&b, TW_HOP(TW_SECONDS(2), 100), "sum(value) AS n", 2000, 100);
    tumbling(&b, "tumbling 10 s count, 1 M keys", 1000000, 30000000, GOAL_SHARE_AT_LEAST, 5);
    tumbling(&b, "tumbling 10 s count, 10 M keys", 10000000, 60000000, GOAL_SHARE_WANTED, 3);
    sliding(&b);
    growth(&b);
    cores(&b);
    return bench_end(&b);
}
