/* bench_latency.c - from the moment at which an event is due to its result at the sink: 100,000 rows a second for a while,
 * source -> keyBy -> window(10 ms) -> sink and source -> keyBy -> process -> sink, on two workers.
 *
 * The clock of a row starts when it was due, not when the source came to send it: a source that is held up sends late and
 * is charged for it. The source waits for the next row by looking at the clock, as a driver outside would; a window's
 * result is charged from the window's end. Watermarks follow every row. The first fifth of the time is not counted. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROWS_PER_SECOND = 100000, STEP_NS = 1000000000 / ROWS_PER_SECOND, KEYS = 1000, SAMPLES_MAX = 4000000 };

struct tick {
    int64_t key, time, due_ns;
};
TW_ROW(tick, TW_FIELD(tick, key, "BIGINT NOT NULL"), TW_FIELD(tick, time, "BIGINT NOT NULL"),
       TW_FIELD(tick, due_ns, "BIGINT NOT NULL"));
struct fired {
    int64_t window_end;
};
TW_ROW(fired, TW_FIELD(fired, window_end, "TIMESTAMP(3) NOT NULL"));

/* Of the run under way; sink and source find it by the config bytes of their functions. */
struct run {
    int64_t start_ns; /* wall */
    uint64_t rows, count;
    double *us;
};
struct handle {
    struct run *run;
};

static int64_t wall_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct run *run_of(struct tw_context *cx)
{
    struct handle h;

    memcpy(&h, tw_config(cx).data, sizeof h);
    return h.run;
}

/* All rows that are due, at least one: waits for it 10 us at most. */
static enum tw_status tick_source(struct tw_context *cx, void *rows, uint32_t max, uint32_t *count, bool *end)
{
    uint64_t *at = tw_self(cx);
    struct run *r = run_of(cx);
    struct tick *out = rows;

    if (r->start_ns == 0) r->start_ns = wall_ns() + STEP_NS;
    int64_t due = r->start_ns + (int64_t)*at * STEP_NS, now = wall_ns();
    while (now < due) now = wall_ns();
    for (*count = 0; *count < max && *at < r->rows && due <= now; due += STEP_NS, ++*at)
        out[(*count)++] = (struct tick){(int64_t)(*at % KEYS), due / 1000000, due};
    *end = *at == r->rows;
    return TW_OK;
}
TW_FUNCTION(ticks) = {.out = &tick_row, .source = tick_source, .self_size = sizeof(uint64_t)};

static void sample(struct run *r, int64_t from_ns)
{
    int64_t now = wall_ns(), warm = r->start_ns + (int64_t)(r->rows / 5) * STEP_NS;
    int64_t last = r->start_ns + (int64_t)r->rows * STEP_NS;

    if (from_ns < warm || from_ns >= last || r->count == SAMPLES_MAX) return; /* windows that the end of input closes */
    r->us[r->count++] = (double)(now - from_ns) / 1e3;
}

static enum tw_status on_fired(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    (void)kind;
    sample(run_of(cx), ((const struct fired *)in)->window_end * 1000000);
    return TW_OK;
}
TW_FUNCTION(take_fired) = {.in = &fired_row, .sink = on_fired};

static enum tw_status on_tick(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    (void)kind;
    sample(run_of(cx), ((const struct tick *)in)->due_ns);
    return TW_OK;
}
TW_FUNCTION(take_tick) = {.in = &tick_row, .sink = on_tick};

static const struct tw_state seen = {.name = "seen", .kind = TW_VALUE, .value = "BIGINT"};
static enum tw_status count_tick(struct tw_context *cx, const void *in)
{
    tw_value_set_long(cx, &seen, tw_value_long(cx, &seen, 0) + 1);
    tw_collect(cx, in);
    return TW_OK;
}
TW_FUNCTION(count_ticks) = {.in = &tick_row, .out = &tick_row, .states = {&seen}, .process = count_tick};

static void run_once(struct bench *b, bool is_window, struct run *r)
{
    struct tw_env *env = BENCH_ENV(b, 1, 2);
    struct handle h = {r};
    struct tw_stream *s = tw_source_function(env, "ticks", &ticks);

    tw_with_config(s, &h, sizeof h);
    s = tw_with_watermarks(s, .kind = TW_WM_MONOTONOUS, .time_field = "time", .every_rows = 1);
    s = tw_key_by(s, "key");
    s = is_window ? tw_window_columns(s, TW_TUMBLE(10), "count(*) AS n") : tw_process(s, &count_ticks);
    tw_with_config(tw_sink_function(s, "out", is_window ? &take_fired : &take_tick), &h, sizeof h);
    bench_job(env, NULL);
}

static void latency(struct bench *b, const char *name, bool is_window)
{
    static const struct {
        const char *name;
        double rank, goal;
    } lines[] = {{"p50", 0.5, 100}, {"p99", 0.99, 1000}, {"p99.99", 0.9999, 0}};
    double values[COUNT_OF(lines)][BENCH_RUNS_MAX];
    uint32_t runs = b->is_smoke ? 1 : b->runs > 0 ? b->runs : 3;
    struct run r = {.us = mem_alloc(&b->mem, sizeof(double) * SAMPLES_MAX)};

    if (!bench_wants(b, name)) return;
    for (uint32_t i = 0; i < runs; i++) {
        r = (struct run){.rows = bench_size(b, 500000, 5000), .us = r.us};
        run_once(b, is_window, &r);
        if (!is_window) bench_same("results", (int64_t)r.count, (int64_t)(r.rows - r.rows / 5));
        if (r.count == 0) bench_fail("no result came");
        qsort(r.us, r.count, sizeof *r.us, bench_by_value);
        for (size_t k = 0; k < COUNT_OF(lines); k++) values[k][i] = r.us[(size_t)((double)(r.count - 1) * lines[k].rank)];
    }
    for (size_t k = 0; k < COUNT_OF(lines); k++)
        bench_line(b,
                   &(struct bench_case){.name = arena_printf(&b->arena, "%s, %s", name, lines[k].name),
                                        .unit = "us",
                                        .goal_kind = lines[k].goal > 0 ? GOAL_AT_MOST : GOAL_NONE,
                                        .goal = lines[k].goal},
                   values[k], runs);
    mem_free(&b->mem, r.us);
}

int main(int argc, char **argv)
{
    struct bench b;

    bench_start(&b, argc, argv, "latency, 100 K rows/s");
    latency(&b, "keyBy -> window(10 ms) -> sink", true);
    latency(&b, "keyBy -> process -> sink", false);
    return bench_end(&b);
}
