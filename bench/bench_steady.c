/* bench_steady.c - in steady state a job allocates nothing per row and touches no fresh pages. A sink looks at two moments
 * of a running job, both far behind its start: how many bytes has its thread asked of the allocator since, and how many
 * pages did the process touch for the first time? */
#include "window_limit.h"

#include <stdlib.h>
#include <sys/resource.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static uint64_t allocated(void) { return 0; } /* the sanitizer's allocator does not tell */
#else
#include <jemalloc/jemalloc.h>
static uint64_t allocated(void)
{
    uint64_t bytes = 0;
    size_t size = sizeof bytes;

    if (mallctl("thread.allocated", &bytes, &size, NULL, 0) != 0) bench_fail("the allocator does not count");
    return bytes;
}
#endif

TW_ROW(keyed_row, TW_FIELD_AS(keyed_row, key, "key", "BIGINT NOT NULL"), TW_FIELD_AS(keyed_row, time, "time", "BIGINT NOT NULL"),
       TW_FIELD_AS(keyed_row, value, "value", "BIGINT NOT NULL"));

struct moment {
    uint64_t rows, bytes, faults;
};
struct steady {
    struct keyed_rows rows;
    uint64_t first, last, seen; /* rows at the sink at the two moments */
    struct moment at[2];
};

static enum tw_status rows_source(struct tw_context *cx, void *rows, uint32_t max, uint32_t *count, bool *end)
{
    struct keyed_cursor *c = tw_self(cx);
    struct steady *s;

    memcpy(&s, tw_config(cx).data, sizeof s);
    if (!c->is_open) keyed_rows_start(c, &s->rows, 0, 1);
    *count = keyed_rows_next(c, &s->rows, s->rows.rows_per_ms, rows, max);
    *end = c->at == c->end;
    return TW_OK;
}
TW_FUNCTION(rows_by_key) = {.out = &keyed_row_row, .source = rows_source, .self_size = sizeof(struct keyed_cursor)};

static enum tw_status look(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    struct steady *s;
    struct rusage usage;

    (void)in, (void)kind;
    memcpy(&s, tw_config(cx).data, sizeof s);
    s->seen++;
    if (s->seen != s->first && s->seen != s->last) return TW_OK;
    getrusage(RUSAGE_SELF, &usage);
    s->at[s->seen == s->last] = (struct moment){s->seen, allocated(), (uint64_t)usage.ru_minflt};
    return TW_OK;
}
struct counted {
    int64_t key;
};
TW_ROW(counted, TW_FIELD(counted, key, "BIGINT NOT NULL"));
TW_FUNCTION(looker) = {.in = &counted_row, .sink = look};

static const struct tw_state total = {.name = "total", .kind = TW_VALUE, .value = "BIGINT"};
static enum tw_status add(struct tw_context *cx, const void *in)
{
    const struct keyed_row *row = in;

    tw_value_set_long(cx, &total, tw_value_long(cx, &total, 0) + row->value);
    tw_collect(cx, in);
    return TW_OK;
}
TW_FUNCTION(totals) = {.in = &keyed_row_row, .out = &keyed_row_row, .states = {&total}, .process = add};

static enum tw_status doubled(struct tw_context *cx, const void *in, void *out)
{
    struct keyed_row row = *(const struct keyed_row *)in;

    (void)cx;
    row.value *= 2;
    memcpy(out, &row, sizeof row);
    return TW_OK;
}
TW_FUNCTION(doubler) = {.in = &keyed_row_row, .out = &keyed_row_row, .map = doubled};

enum job { FILTER, CALLBACK, PROCESS, TUMBLING, SLIDING };

static struct tw_stream *steps(struct tw_stream *s, enum job job)
{
    switch (job) {
    case FILTER: return tw_project(tw_where(s, "value", ">=", "0"), "key", "time", "value * 2 AS value");
    case CALLBACK: return tw_map(s, &doubler);
    case PROCESS: return tw_process(tw_key_by(s, "key"), &totals);
    case TUMBLING: return tw_window_columns(tw_key_by(s, "key"), TW_TUMBLE(100), "count(*) AS n");
    case SLIDING: return tw_window_columns(tw_key_by(s, "key"), TW_HOP(1000, 100), "sum(value) AS n");
    }
    return s;
}

static void steady(struct bench *b, const char *name, enum job job)
{
    struct steady s = {.rows = {bench_size(b, 8000000, job == SLIDING ? 5000000 : 2000000), 10000, 1000}}, *self = &s;
    struct tw_env *env = BENCH_ENV(b, 1, 1);
    uint64_t out = job >= TUMBLING ? s.rows.rows / s.rows.rows_per_ms / 100 * 9999 : s.rows.rows;

    if (!bench_wants(b, name)) {
        tw_env_free(env);
        return;
    }
    s.first = out / 2;
    s.last = out - out / 16;
    struct tw_stream *rows = tw_source_function(env, "rows", &rows_by_key);
    tw_with_config(rows, &self, sizeof self);
    rows = tw_with_watermarks(rows, .kind = TW_WM_MONOTONOUS, .time_field = "time", .every_rows = 4096);
    tw_with_config(tw_sink_function(steps(rows, job), "out", &looker), &self, sizeof self);
    bench_job(env, NULL);
    if (s.at[1].rows == 0) bench_fail("%s: only %llu rows came out", name, (unsigned long long)s.seen);
    double bytes = (double)(s.at[1].bytes - s.at[0].bytes), faults = (double)(s.at[1].faults - s.at[0].faults);
    double per_million = 1e6 / (double)(s.at[1].rows - s.at[0].rows);
    struct bench_case line = {.unit = "/M rows", .goal_kind = GOAL_AT_MOST, .goal = 1};
    double figures[2] = {bytes * per_million, faults * per_million};
    if (bytes > 0) bench_fail("%s: %.0f bytes were allocated between row %llu and row %llu", name, bytes,
                              (unsigned long long)s.at[0].rows, (unsigned long long)s.at[1].rows);
    line.name = arena_printf(&b->arena, "%s: bytes allocated", name);
    bench_line(b, &line, &figures[0], 1);
    line.name = arena_printf(&b->arena, "%s: fresh pages", name);
    bench_line(b, &line, &figures[1], 1);
}

int main(int argc, char **argv)
{
    struct bench b;

    bench_start(&b, argc, argv, "steady state");
    (void)allocated(); /* the first question makes the allocator set up its books: 46 pages */
    steady(&b, "filter + map", FILTER);
    steady(&b, "map by a callback per row", CALLBACK);
    steady(&b, "keyed process", PROCESS);
    steady(&b, "tumbling count", TUMBLING);
    steady(&b, "sliding sum", SLIDING);
    return bench_end(&b);
}
