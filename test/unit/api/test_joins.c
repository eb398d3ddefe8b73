/* test_joins.c - streams of two inputs as a program builds them, run by the embedded cluster with parallelism 1 and 2:
 * interval join, window join, co-group, joins over united and reinterpreted streams, late rows as a stream, what the graph
 * refuses. Rows come out in any order of keys, so lines are sorted. */
#include <thalweg/thalweg.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ROWS_OF(array) (array), (uint32_t)(sizeof(array) / sizeof *(array))
enum { LINES_MAX = 64, LINE_MAX = 128 };

struct event {
    int64_t key, time;
    struct tw_str text;
};
TW_ROW(event, TW_FIELD(event, key, "BIGINT NOT NULL"), TW_FIELD(event, time, "BIGINT NOT NULL"),
       TW_FIELD(event, text, "STRING NOT NULL"));
struct line {
    struct tw_str text;
};
TW_ROW(line, TW_FIELD(line, text, "STRING NOT NULL"));

static const struct event left_events[] = {{1, 10, {"a", 1}}, {2, 11, {"b", 1}}, {1, 14, {"c", 1}}, {3, 15, {"d", 1}},
                                           {1, 22, {"e", 1}}, {4, 13, {"f", 1}}, {5, 25, {"g", 1}}};
static const struct event right_events[] = {{1, 12, {"u", 1}}, {2, 8, {"v", 1}},  {2, 11, {"w", 1}}, {3, 21, {"x", 1}},
                                            {1, 20, {"y", 1}}, {4, 13, {"z", 1}}, {6, 26, {"q", 1}}};

/* --- functions -------------------------------------------------------------------------------------------------------- */
static enum tw_status join_events(struct tw_context *cx, const void *left, const void *right)
{
    const struct event *l = left, *r = right;
    char text[LINE_MAX];
    int size = snprintf(text, sizeof text, "%lld %.*s%.*s", (long long)l->key, (int)l->text.size, l->text.data,
                        (int)r->text.size, r->text.data);
    struct line out = {{text, (size_t)size}};

    tw_collect(cx, &out);
    return TW_OK;
}
TW_FUNCTION(joined) = {.in = &event_row, .in2 = &event_row, .out = &line_row, .join = join_events};

static enum tw_status group_events(struct tw_context *cx, struct tw_elements *left, struct tw_elements *right)
{
    const struct event *e;
    char text[LINE_MAX];
    int64_t key = 0;
    int size = 0;

    while ((e = tw_next(left))) {
        key = e->key;
        size += snprintf(text + size, sizeof text - (size_t)size, "%.*s", (int)e->text.size, e->text.data);
    }
    size += snprintf(text + size, sizeof text - (size_t)size, "|");
    while ((e = tw_next(right))) {
        key = e->key;
        size += snprintf(text + size, sizeof text - (size_t)size, "%.*s", (int)e->text.size, e->text.data);
    }
    size += snprintf(text + size, sizeof text - (size_t)size, " of %lld", (long long)key);
    struct line out = {{text, (size_t)size}};
    tw_collect(cx, &out);
    return TW_OK;
}
TW_FUNCTION(grouped) = {.in = &event_row, .in2 = &event_row, .out = &line_row, .co_group = group_events};

/* --- collecting -------------------------------------------------------------------------------------------------------- */
struct lines {
    char text[LINES_MAX][LINE_MAX];
    size_t count;
};

static void keep_line(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms)
{
    struct lines *lines = arg;
    const struct line *l = row;

    assert_int_equal(kind, TW_INSERT);
    assert_true(lines->count < LINES_MAX);
    snprintf(lines->text[lines->count++], LINE_MAX, "%.*s@%lld", (int)l->text.size, l->text.data, (long long)time_ms);
}

static int by_text(const void *a, const void *b) { return strcmp(a, b); }

static void expect_lines(struct lines *lines, const char *expected)
{
    char all[LINES_MAX * LINE_MAX] = "";

    qsort(lines->text, lines->count, LINE_MAX, by_text);
    for (size_t i = 0; i < lines->count; i++) {
        strncat(all, lines->text[i], LINE_MAX);
        strncat(all, "\n", 2);
    }
    assert_string_equal(all, expected);
}

static struct tw_stream *events(struct tw_env *env, const struct event *rows, uint32_t count)
{
    return tw_with_watermarks(tw_from_data(env, &event_row, rows, count), .kind = TW_WM_BOUNDED,
                              .out_of_orderness_ms = 20, .time_field = "time");
}

/* Builds the stream of lines out of two keyed streams; run with parallelism 1 and 2. */
typedef struct tw_stream *(*two_streams)(struct tw_stream *left, struct tw_stream *right);

static void expect(two_streams build, const char *expected)
{
    for (uint32_t parallelism = 1; parallelism <= 2; parallelism++) {
        struct lines lines = {0};
        struct tw_env *env = tw_env_create();
        tw_quiet(env, true);
        tw_set_parallelism(env, parallelism);
        struct tw_stream *out = build(events(env, ROWS_OF(left_events)), events(env, ROWS_OF(right_events)));
        tw_collect_to(out, &line_row, keep_line, &lines);
        int exit = tw_execute(env, "joins");
        assert_string_equal(tw_error(env), "");
        assert_int_equal(exit, 0);
        expect_lines(&lines, expected);
        tw_env_free(env);
    }
}

/* --- tests -------------------------------------------------------------------------------------------------------------- */
static struct tw_stream *interval(struct tw_stream *left, struct tw_stream *right)
{
    return tw_interval_join(tw_key_by(left, "key"), tw_key_by(right, "key"), &joined, .lower_ms = -3, .upper_ms = 6,
                            .upper_exclusive = true);
}

static void an_interval_join_runs(void **state)
{
    (void)state;
    expect(interval, "1 au@12\n1 cu@14\n1 ey@22\n2 bv@11\n2 bw@11\n4 fz@13\n");
}

static struct tw_stream *tumbling(struct tw_stream *left, struct tw_stream *right)
{
    return tw_window_join(tw_key_by(left, "key"), tw_key_by(right, "key"), TW_TUMBLE(10), &joined);
}

static void a_window_join_runs(void **state)
{
    (void)state;
    expect(tumbling, "1 au@19\n1 cu@19\n1 ey@29\n2 bw@19\n4 fz@19\n");
}

static struct tw_stream *co_grouped(struct tw_stream *left, struct tw_stream *right)
{
    return tw_co_group(tw_key_by(left, "key"), tw_key_by(right, "key"), TW_TUMBLE(10), &grouped);
}

static void a_co_group_runs(void **state)
{
    (void)state;
    expect(co_grouped,
           "ac|u of 1@19\nb|w of 2@19\nd| of 3@19\ne|y of 1@29\nf|z of 4@19\ng| of 5@29\n|q of 6@29\n|v of 2@9\n"
           "|x of 3@29\n");
}

/* The left stream with itself: every row twice, as two rows. */
static struct tw_stream *united(struct tw_stream *left, struct tw_stream *right)
{
    return tw_interval_join(tw_key_by(tw_union(left, left), "key"), tw_key_by(right, "key"), &joined, .lower_ms = 0,
                            .upper_ms = 0);
}

static void united_streams_join(void **state)
{
    (void)state;
    expect(united, "2 bw@11\n2 bw@11\n4 fz@13\n4 fz@13\n");
}

static enum tw_status same(struct tw_context *cx, const void *in, void *out)
{
    (void)cx;
    *(struct event *)out = *(const struct event *)in;
    return TW_OK;
}
TW_FUNCTION(unchanged) = {.in = &event_row, .out = &event_row, .map = same};

/* Mapped behind the exchange, the rows are where their keys belong. */
static struct tw_stream *reinterpreted(struct tw_stream *left, struct tw_stream *right)
{
    struct tw_stream *again = tw_reinterpret_as_keyed(tw_map(tw_key_by(left, "key"), &unchanged), "key");

    return tw_interval_join(again, tw_key_by(right, "key"), &joined, .lower_ms = 0, .upper_ms = 0);
}

static void reinterpreted_streams_join(void **state)
{
    (void)state;
    expect(reinterpreted, "2 bw@11\n4 fz@13\n");
}

static void mistakes_are_told_with_their_line(void **state)
{
    struct tw_env *env = tw_env_create();
    char expected[512];

    (void)state;
    tw_quiet(env, true);
    struct tw_stream *left = events(env, ROWS_OF(left_events)), *right = events(env, ROWS_OF(right_events));
    snprintf(expected, sizeof expected, "test_joins.c:%d", __LINE__ + 1);
    tw_print(tw_interval_join(left, tw_key_by(right, "key"), &joined, .upper_ms = 1));
    assert_int_equal(tw_execute(env, "mistake"), 1);
    assert_non_null(strstr(tw_error(env), "'Interval Join' needs a keyed stream"));
    if (strstr(tw_error(env), expected) == NULL) fail_msg("no %s in: %s", expected, tw_error(env));
    left = events(env, ROWS_OF(left_events)), right = events(env, ROWS_OF(right_events));
    tw_print(tw_interval_join(tw_key_by(left, "key"), tw_key_by(right, "text"), &joined, .upper_ms = 1));
    assert_int_equal(tw_execute(env, "mistake"), 1);
    assert_non_null(strstr(tw_error(env), "the two inputs of 'Interval Join' have keys of different types"));
    tw_env_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_interval_join_runs),
        cmocka_unit_test(a_window_join_runs),
        cmocka_unit_test(a_co_group_runs),
        cmocka_unit_test(united_streams_join),
        cmocka_unit_test(reinterpreted_streams_join),
        cmocka_unit_test(mistakes_are_told_with_their_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
