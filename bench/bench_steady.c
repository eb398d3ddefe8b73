/* bench_steady.c - in steady state a job allocates nothing per row and touches no fresh pages. A sink looks at some moments
 * of a running job, all far behind its start: how many bytes has its thread asked of the allocator since the one before, and
 * how many pages did the process touch for the first time? Behind an exchange the sink runs on a thread of its own; the
 * source looks too, at the same shares of its rows.
 *
 * The median of the spans between moments must be nothing: what is made once when it is first needed, such as a further
 * batch for a receiver that fell behind, shows in one of them, what is made for rows or windows in all. */
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

enum { MOMENTS = 6, FIRST_PERCENT = 50, PERCENT_APART = 8, ROWS_IN_TURN = 4 };

/* The n-th moment in rows of so many. */
static uint64_t moment_rows(uint64_t rows, uint32_t n) { return rows * (FIRST_PERCENT + n * PERCENT_APART) / 100; }

struct moment {
    uint64_t rows, bytes, faults;
};
struct steady {
    struct keyed_rows rows;
    bool in_turn;               /* keys come in turn, ROWS_IN_TURN rows of each: windows over rows hold the same number of them */
    uint64_t out, seen;         /* rows that come out, at least, and did */
    uint32_t moments, source_moments; /* so many are past */
    struct moment at[MOMENTS];
    uint64_t source_bytes[MOMENTS];
};

/* The source has given so many rows: is it time to look? */
static void source_look(struct steady *s, uint64_t given)
{
    while (s->source_moments < MOMENTS && given >= moment_rows(s->rows.rows, s->source_moments))
        s->source_bytes[s->source_moments++] = allocated();
}

static enum tw_status rows_source(struct tw_context *cx, void *rows, uint32_t max, uint32_t *count, bool *end)
{
    struct keyed_cursor *c = tw_self(cx);
    struct steady *s;

    memcpy(&s, tw_config(cx).data, sizeof s);
    if (!c->is_open) keyed_rows_start(c, &s->rows, 0, 1);
    *count = keyed_rows_next(c, &s->rows, s->rows.rows_per_ms, rows, max);
    for (uint32_t i = 0; s->in_turn && i < *count; i++)
        ((struct keyed_row *)rows)[i].key = (int64_t)((c->at - *count + i) / ROWS_IN_TURN % s->rows.keys);
    *end = c->at == c->end;
    source_look(s, c->at);
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
    if (s->moments == MOMENTS || s->seen < moment_rows(s->out, s->moments)) return TW_OK;
    getrusage(RUSAGE_SELF, &usage);
    s->at[s->moments++] = (struct moment){s->seen, allocated(), (uint64_t)usage.ru_minflt};
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

struct sum {
    int64_t value;
};
TW_ROW(sum, TW_FIELD(sum, value, "BIGINT NOT NULL"));

static enum tw_status sum_add(struct tw_context *cx, void *acc, const void *in)
{
    (void)cx;
    ((struct sum *)acc)->value += ((const struct keyed_row *)in)->value;
    return TW_OK;
}

static enum tw_status sum_result(struct tw_context *cx, const void *acc, void *out)
{
    (void)cx, (void)acc, (void)out; /* the key is filled in */
    return TW_OK;
}
TW_FUNCTION(sums) = {.in = &keyed_row_row, .acc = &sum_row, .out = &counted_row, .add = sum_add, .result = sum_result};

/* Reads every row of a window. */
static enum tw_status read_all(struct tw_context *cx, const struct tw_window *w, struct tw_elements *elements)
{
    struct counted out = {0};

    (void)w;
    for (const struct keyed_row *row; (row = tw_next(elements)) != NULL;) out.key = row->key;
    tw_collect(cx, &out);
    return TW_OK;
}
TW_FUNCTION(reader) = {.in = &keyed_row_row, .out = &counted_row, .window = read_all};

enum job { FILTER, CALLBACK, PROCESS, EXCHANGE, TUMBLING, SLIDING, AGGREGATE, ROWS, COUNTS, SESSIONS };

static struct tw_stream *steps(struct tw_stream *s, enum job job)
{
    switch (job) {
    case FILTER: return tw_project(tw_where(s, "value", ">=", "0"), "key", "time", "value * 2 AS value");
    case CALLBACK: return tw_map(s, &doubler);
    case PROCESS: return tw_process(tw_key_by(s, "key"), &totals);
    case EXCHANGE: return tw_key_by(s, "key");
    case AGGREGATE: return tw_window_aggregate(tw_key_by(s, "key"), TW_TUMBLE(100), &sums);
    case ROWS: return tw_window_process(tw_key_by(s, "key"), TW_TUMBLE(200), &reader, NULL);
    case COUNTS: return tw_window_process(tw_key_by(s, "key"), TW_COUNT_WINDOW(10), &reader, NULL);
    case SESSIONS: return tw_window_process(tw_key_by(s, "key"), TW_SESSIONS(2), &reader, NULL);
    case TUMBLING: return tw_window_columns(tw_key_by(s, "key"), TW_TUMBLE(100), "count(*) AS n");
    case SLIDING: return tw_window_columns(tw_key_by(s, "key"), TW_HOP(1000, 100), "sum(value) AS n");
    }
    return s;
}

/* How many rows come out, at least. */
static uint64_t rows_out(const struct keyed_rows *k, enum job job)
{
    if (job == COUNTS) return k->rows / 10 - k->keys;
    if (job == SESSIONS) return k->rows / ROWS_IN_TURN - k->keys;
    if (job == ROWS) return k->rows / k->rows_per_ms / 200 * (k->keys - 1);
    return job >= TUMBLING ? k->rows / k->rows_per_ms / 100 * (k->keys - 1) : k->rows;
}

static void report(struct bench *b, const char *name, const struct steady *s, bool two_threads)
{
    struct bench_case line = {.unit = "/M rows", .goal_kind = GOAL_AT_MOST, .goal = 1};
    double bytes[MOMENTS - 1], pages[MOMENTS - 1];

    for (uint32_t i = 0; i + 1 < MOMENTS; i++) {
        double rows = (double)(s->at[i + 1].rows - s->at[i].rows);
        uint64_t asked = s->at[i + 1].bytes - s->at[i].bytes;
        if (two_threads) asked += s->source_bytes[i + 1] - s->source_bytes[i];
        bytes[i] = (double)asked / rows * 1e6;
        pages[i] = (double)(s->at[i + 1].faults - s->at[i].faults) / rows * 1e6;
    }
    line.name = arena_printf(&b->arena, "%s: bytes allocated", name);
    bench_line(b, &line, bytes, MOMENTS - 1); /* sorts them */
    if (bytes[MOMENTS / 2 - 1] > 0) bench_fail("%s: %.0f bytes are allocated per million rows", name, bytes[MOMENTS / 2 - 1]);
    line.name = arena_printf(&b->arena, "%s: fresh pages", name);
    bench_line(b, &line, pages, MOMENTS - 1);
}

static void steady(struct bench *b, const char *name, enum job job)
{
    struct steady s = {.rows = {bench_size(b, 8000000, job == SLIDING ? 5000000 : 2000000), job == SESSIONS ? 1000 : 10000, 1000}}, *self = &s;
    struct tw_env *env = BENCH_ENV(b, 1, job == EXCHANGE ? 2 : 1);
    s.out = rows_out(&s.rows, job);
    s.in_turn = job >= ROWS;

    if (!bench_wants(b, name)) {
        tw_env_free(env);
        return;
    }
    struct tw_stream *rows = tw_source_function(env, "rows", &rows_by_key);
    tw_with_config(rows, &self, sizeof self);
    rows = tw_with_watermarks(rows, .kind = TW_WM_MONOTONOUS, .time_field = "time", .every_rows = 4096);
    tw_with_config(tw_sink_function(steps(rows, job), "out", &looker), &self, sizeof self);
    bench_job(env, NULL);
    if (s.moments < MOMENTS) bench_fail("%s: only %llu rows came out", name, (unsigned long long)s.seen);
    report(b, name, &s, job == EXCHANGE);
}

int main(int argc, char **argv)
{
    struct bench b;

    bench_start(&b, argc, argv, "steady state");
    (void)allocated(); /* the first question makes the allocator set up its books: 46 pages */
    steady(&b, "filter + map", FILTER);
    steady(&b, "map by a callback per row", CALLBACK);
    steady(&b, "keyed process", PROCESS);
    steady(&b, "keyed exchange, both workers", EXCHANGE);
    steady(&b, "tumbling count", TUMBLING);
    steady(&b, "sliding sum", SLIDING);
    steady(&b, "window aggregate by callbacks", AGGREGATE);
    steady(&b, "window over rows, by a callback", ROWS);
    steady(&b, "count windows, by a callback", COUNTS);
    steady(&b, "sessions, by a callback", SESSIONS);
    return bench_end(&b);
}
