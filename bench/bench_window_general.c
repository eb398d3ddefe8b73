/* bench_window_general.c - what the general window engine costs on one core: sessions, count windows, and a trigger of the
 * user's, each against a hand-written loop over the same rows in the same run. Keys are uniform; of 100 K keys a batch
 * rarely has two rows of one, of 100 keys it has twenty. */
#include "general_limit.h"
#include "keyed_source.h"

enum shape { SESSIONS, COUNTS, SLIDING_COUNTS };

struct general_case {
    struct keyed_rows rows;
    enum shape shape;
    int64_t size, slide; /* by hand: gap in ms, or rows */
    struct tw_windowing window;
    const char *aggregate;           /* else: */
    const struct tw_function *folds; /* a user's function */
    uint64_t out_rows;
};

/* --- a user's sum, and a user's trigger -------------------------------------------------------------------------------------- */
struct key_total {
    int64_t key, n;
};
TW_ROW(key_total, TW_FIELD(key_total, key, "BIGINT NOT NULL"), TW_FIELD(key_total, n, "BIGINT"));

struct sum {
    int64_t n;
};
TW_ROW(sum, TW_FIELD(sum, n, "BIGINT NOT NULL"));

static enum tw_status value_add(struct tw_context *cx, void *acc, const void *in)
{
    (void)cx;
    ((struct sum *)acc)->n += ((const struct keyed_row *)in)->value;
    return TW_OK;
}
static enum tw_status value_result(struct tw_context *cx, const void *acc, void *out)
{
    (void)cx; /* the key is filled in by its name */
    ((struct key_total *)out)->n = ((const struct sum *)acc)->n;
    return TW_OK;
}
TW_FUNCTION(sum_of_values) = {
    .in = &keyed_row_row, .acc = &sum_row, .out = &key_total_row, .add = value_add, .result = value_result};

enum { TRIGGER_ROWS = 10 };
static const struct tw_state seen = {.name = "seen", .kind = TW_VALUE, .value = "BIGINT"};

static enum tw_status tenth_on_element(struct tw_context *cx, const void *in, int64_t time_ms,
                                       const struct tw_window *w, enum tw_trigger_result *r)
{
    int64_t n = tw_value_long(cx, &seen, 0) + 1;

    (void)in, (void)time_ms, (void)w;
    if (n == TRIGGER_ROWS) *r = TW_FIRE_AND_PURGE;
    tw_value_set_long(cx, &seen, n == TRIGGER_ROWS ? 0 : n);
    return TW_OK;
}
TW_FUNCTION(each_tenth) = {.in = &keyed_row_row, .on_element = tenth_on_element, .states = {&seen}};

/* --- both sides -------------------------------------------------------------------------------------------------------------- */
static struct tw_stream *windows(struct tw_env *env, const struct general_case *c)
{
    /* A ms behind: a session whose end the next row of its key touches must not be gone already. */
    struct tw_stream *rows = tw_key_by(keyed_source(env, &c->rows, 1), "key");

    if (c->folds != NULL) return tw_window_aggregate(rows, c->window, c->folds);
    return tw_project(tw_window_columns(rows, c->window, c->aggregate), "key", "n");
}

static double engine(struct bench *b, void *arg)
{
    struct general_case *c = arg;
    struct tw_env *env = BENCH_ENV(b, 1, 1);

    tw_sink(windows(env, c), "out", "blackhole", TW_NO_OPTIONS);
    return bench_rate(c->rows.rows, bench_job(env, &c->out_rows));
}

static void run_by_hand(struct general_limit *g, const struct general_case *c)
{
    switch (c->shape) {
    case SESSIONS: general_sessions(g, &c->rows, c->size); break;
    case COUNTS: general_counts(g, &c->rows, c->size); break;
    case SLIDING_COUNTS: general_sliding_counts(g, &c->rows, c->size, c->slide); break;
    }
}

static double by_hand(struct bench *b, void *arg)
{
    const struct general_case *c = arg;
    struct general_limit g;

    general_limit_create(&g, c->rows.keys, c->shape == SLIDING_COUNTS ? c->size : 0, &b->mem);
    int64_t start = sys_mono_ns(b->sys);
    run_by_hand(&g, c);
    double seconds = (double)(sys_mono_ns(b->sys) - start) / 1e9;
    bench_same("rows of windows", (int64_t)c->out_rows, (int64_t)g.emitted);
    general_limit_release(&g, &b->mem);
    return bench_rate(c->rows.rows, seconds);
}

static void add_check(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms)
{
    const struct key_total *t = row;

    (void)kind, (void)time_ms;
    *(uint64_t *)arg += general_check(t->key, t->n);
}

/* The rows themselves, on a small input. */
static void verify(struct bench *b, struct general_case c)
{
    struct general_limit g;
    struct tw_env *env = BENCH_ENV(b, 1, 1);
    uint64_t check = 0;

    c.rows = (struct keyed_rows){50000, 100, c.rows.rows_per_ms};
    if (c.shape == SESSIONS) c.rows.rows_per_ms = 1;
    tw_collect_to(windows(env, &c), &key_total_row, add_check, &check);
    bench_job(env, NULL);
    general_limit_create(&g, c.rows.keys, c.shape == SLIDING_COUNTS ? c.size : 0, &b->mem);
    run_by_hand(&g, &c);
    bench_same("what windows say", (int64_t)check, (int64_t)g.check);
    general_limit_release(&g, &b->mem);
}

static void run(struct bench *b, const char *name, struct general_case c)
{
    verify(b, c);
    bench_run(b, &(struct bench_case){.name = name,
                                      .unit = "M rows/s",
                                      .engine = engine,
                                      .limit = by_hand,
                                      .arg = &c,
                                      .goal_kind = GOAL_SHARE_WANTED,
                                      .goal = 0.25,
                                      .runs = 3});
}

/* --- the cases --------------------------------------------------------------------------------------------------------------- */
static struct general_case sessions(struct bench *b, uint64_t keys, uint64_t rows_per_ms)
{
    return (struct general_case){.rows = {bench_size(b, 5000000, 50000), keys, rows_per_ms},
                                 .shape = SESSIONS,
                                 .size = 200,
                                 .window = TW_SESSIONS(200),
                                 .aggregate = "count(*) AS n"};
}

static struct general_case counts(struct bench *b, uint64_t keys)
{
    return (struct general_case){.rows = {bench_size(b, 10000000, 50000), keys, 1000},
                                 .shape = COUNTS,
                                 .size = 20,
                                 .window = TW_COUNT_WINDOW(20),
                                 .aggregate = "sum(value) AS n"};
}

static struct general_case sliding_counts(struct bench *b)
{
    return (struct general_case){.rows = {bench_size(b, 3000000, 50000), bench_size(b, 10000, 100), 1000},
                                 .shape = SLIDING_COUNTS,
                                 .size = 100,
                                 .slide = 10,
                                 .window = TW_COUNT_WINDOW(100, .count_slide = 10),
                                 .folds = &sum_of_values};
}

static struct general_case user_trigger(struct bench *b)
{
    struct general_case c = counts(b, bench_size(b, 100000, 100));

    c.rows.rows = bench_size(b, 5000000, 50000);
    c.size = TRIGGER_ROWS;
    c.window = TW_GLOBAL_WINDOW(.trigger = {.kind = TW_TRIGGER_CUSTOM, .function = &each_tenth});
    return c;
}

int main(int argc, char **argv)
{
    struct bench b;

    bench_start(&b, argc, argv, "windows of the general engine");
    run(&b, "sessions, gap 200 ms, 100 K keys", sessions(&b, bench_size(&b, 100000, 100), bench_size(&b, 1000, 1)));
    run(&b, "sessions, gap 200 ms, 100 keys", sessions(&b, 100, 1));
    run(&b, "count windows of 20, 100 K keys", counts(&b, bench_size(&b, 100000, 100)));
    run(&b, "count windows of 20, 100 keys", counts(&b, 100));
    run(&b, "count windows of 100 by 10, 10 K keys", sliding_counts(&b));
    run(&b, "a user's trigger, each 10th row, 100 K keys", user_trigger(&b));
    return bench_end(&b);
}
