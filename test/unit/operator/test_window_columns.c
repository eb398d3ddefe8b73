/* test_window_columns.c - built-in aggregates over tumbling and sliding windows: values, lateness, re-firing, side output,
 * gaps and offsets; and random input against a direct computation, for every batch size. */
#include "flow/operator/op_configs.h"

#include <thalweg/window.h>

#include "ground/base/prng.h"
#include "support/operator_run.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

extern const struct op_type op_window_columns;

static const char *const sums[] = {"count(*) AS n", "sum(v) AS total"};
static const char *const all[] = {"count(v) AS n", "sum(v) AS s", "min(v) AS lo", "max(v) AS hi", "avg(v) AS mean"};

static void expect(struct window_config config, const char *script, const char *expected)
{
    static const uint32_t sizes[] = {1, 2, 3, 0};

    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct operator_run r = {.type = &op_window_columns,
                                 .config = &config,
                                 .schema = "ROW<k STRING NOT NULL, v INT>",
                                 .keys = {"k"},
                                 .batch_rows = sizes[i],
                                 .sorted = true};
        char *text = operator_run(&r, script);
        assert_string_equal(r.error, "");
        assert_string_equal(text, expected);
        free(text);
    }
}

static struct window_config tumbling(int64_t size, int64_t lateness)
{
    return (struct window_config){
        .assigner = TW_TUMBLING, .size_ms = size, .lateness_ms = lateness, .aggregates = {sums, 2}};
}

static struct window_config sliding(int64_t size, int64_t slide, int64_t lateness)
{
    return (struct window_config){
        .assigner = TW_SLIDING, .size_ms = size, .slide_ms = slide, .lateness_ms = lateness, .aggregates = {sums, 2}};
}

static void tumbling_windows_fire_in_order(void **state)
{
    (void)state;
    expect(tumbling(1000, 0), "@100 a | 1\n@2500 b | 10\n@999 a | 2\n@1000 a | 5\nW 998\nW 999\nW 5000\n",
           "W 998\n"
           "+I[a, 1970-01-01T00:00, 1970-01-01T00:00:01, 2, 3]@999\nW 999\n"
           "+I[a, 1970-01-01T00:00:01, 1970-01-01T00:00:02, 1, 5]@1999\n"
           "+I[b, 1970-01-01T00:00:02, 1970-01-01T00:00:03, 1, 10]@2999\nW 5000\n"
           "W max\n");
}

static void times_before_the_epoch_and_offsets(void **state)
{
    struct window_config config = tumbling(1000, 0);

    (void)state;
    config.offset_ms = 250;
    expect(config, "@-1 a | 1\n@249 a | 2\n@250 a | 4\n",
           "+I[a, 1969-12-31T23:59:59.250, 1970-01-01T00:00:00.250, 2, 3]@249\n"
           "+I[a, 1970-01-01T00:00:00.250, 1970-01-01T00:00:01.250, 1, 4]@1249\n"
           "W max\n");
}

static void all_aggregates_pass_nulls_over(void **state)
{
    struct window_config config = tumbling(1000, 0);

    (void)state;
    config.aggregates = (struct text_list){all, 5};
    expect(config, "@1 a | 5\n@2 a | null\n@3 a | -2\n@4 b | null\n@5 a | 4\n",
           "+I[a, 1970-01-01T00:00, 1970-01-01T00:00:01, 3, 7, -2, 5, 2]@999\n"
           "+I[b, 1970-01-01T00:00, 1970-01-01T00:00:01, 0, null, null, null, null]@999\n"
           "W max\n");
}

/* Lateness 500: up to watermark 1498 a row for [0, 1000) fires again at once; from 1499 on it is too late. */
static void late_rows_fire_again_and_then_leave_by_the_side(void **state)
{
    (void)state;
    expect(tumbling(1000, 500),
           "@1 a | 1\nW 1000\n@2 a | 2\n@3 b | 3\nW 1498\n@4 a | 4\nW 1499\n@5 a | 5\n@1001 a | 6\n",
           "+I[a, 1970-01-01T00:00, 1970-01-01T00:00:01, 1, 1]@999\nW 1000\n"
           "+I[a, 1970-01-01T00:00, 1970-01-01T00:00:01, 2, 3]@999\n+I[b, 1970-01-01T00:00, 1970-01-01T00:00:01, 1, "
           "3]@999\nW 1498\n"
           "+I[a, 1970-01-01T00:00, 1970-01-01T00:00:01, 3, 7]@999\nW 1499\n"
           "+I[a, 1970-01-01T00:00:01, 1970-01-01T00:00:02, 1, 6]@1999\n1: +I[a, 5]@5\nW max\n");
}

static void sliding_windows_overlap(void **state)
{
    (void)state;
    expect(sliding(2000, 1000, 0), "@500 a | 1\n@1500 a | 10\n@1600 b | 5\nW 999\nW 1999\n",
           "+I[a, 1969-12-31T23:59:59, 1970-01-01T00:00:01, 1, 1]@999\nW 999\n"
           "+I[a, 1970-01-01T00:00, 1970-01-01T00:00:02, 2, 11]@1999\n+I[b, 1970-01-01T00:00, 1970-01-01T00:00:02, 1, "
           "5]@1999\nW 1999\n"
           "+I[a, 1970-01-01T00:00:01, 1970-01-01T00:00:03, 1, 10]@2999\n+I[b, 1970-01-01T00:00:01, "
           "1970-01-01T00:00:03, 1, 5]@2999\nW max\n");
}

/* Slide above size: rows in between belong to no window and are not late. */
static void gaps_between_windows(void **state)
{
    (void)state;
    expect(sliding(1000, 3000, 0), "@500 a | 1\n@1500 a | 2\n@3100 a | 4\n",
           "+I[a, 1970-01-01T00:00, 1970-01-01T00:00:01, 1, 1]@999\n+I[a, 1970-01-01T00:00:03, 1970-01-01T00:00:04, 1, "
           "4]@3999\nW max\n");
}

/* --- random input against a direct computation ----------------------------------------------------------------------------- */
enum { ROWS = 300, KEYS = 5 };
struct row {
    int64_t time, key, value;
    int64_t watermark; /* in force when it arrives */
};

static int compare_lines(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static char *sorted_lines(char *text)
{
    char *lines[8192], *out = calloc(1, strlen(text) + 2);
    size_t count = 0, used = 0;

    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
        if (line[0] != 'W') lines[count++] = line;
    qsort(lines, count, sizeof *lines, compare_lines);
    for (size_t i = 0; i < count; i++) used += (size_t)sprintf(out + used, "%s\n", lines[i]);
    return out;
}

/* Appends the result of one window and key over rows 0..upto. */
static size_t put_window(char *out, const struct row *rows, int upto, int64_t key, int64_t end,
                         const struct window_config *c)
{
    int64_t n = 0, sum = 0, start = end - c->size_ms;

    for (int i = 0; i <= upto; i++) {
        int64_t first = rows[i].time - ((rows[i].time % c->slide_ms) + c->slide_ms) % c->slide_ms;
        bool late = first + c->size_ms - 1 + c->lateness_ms <= rows[i].watermark && rows[i].watermark != TIME_MIN;
        if (late || rows[i].key != key || rows[i].time < start || rows[i].time >= end) continue;
        n++;
        sum += rows[i].value;
    }
    if (n == 0) return 0;
    return (size_t)sprintf(out, "+I[%lld, %lld, %lld, %lld, %lld]@%lld\n", (long long)key, (long long)start,
                           (long long)end, (long long)n, (long long)sum, (long long)end - 1);
}

/* Every firing: at the watermark that passes a window's end, and again for each late row that is still allowed. */
static char *direct(const struct row *rows, int count, const struct window_config *c)
{
    char *out = calloc(1, 4 << 20);
    size_t used = 0;

    for (int64_t end = -40; end < 400; end++) {
        if ((((end - c->size_ms) % c->slide_ms) + c->slide_ms) % c->slide_ms != 0) continue;
        int fired = 0; /* rows that came before the firing watermark */
        while (fired < count && (rows[fired].watermark == TIME_MIN || rows[fired].watermark < end - 1)) fired++;
        for (int64_t key = 0; key < KEYS; key++) used += put_window(out + used, rows, fired - 1, key, end, c);
        for (int i = fired; i < count; i++) {
            bool inside = rows[i].time >= end - c->size_ms && rows[i].time < end;
            if (inside && end - 1 + c->lateness_ms > rows[i].watermark)
                used += put_window(out + used, rows, i, rows[i].key, end, c);
        }
    }
    char *sorted = sorted_lines(out);
    free(out);
    return sorted;
}

/* The operator's output without side outputs, window bounds back to ms. */
static char *by_operator(const char *script, const struct window_config *c, uint32_t batch_rows)
{
    struct operator_run r = {.type = &op_window_columns,
                             .config = c,
                             .schema = "ROW<k BIGINT NOT NULL, v INT>",
                             .keys = {"k"},
                             .batch_rows = batch_rows};
    char *text = operator_run(&r, script), *plain = calloc(1, strlen(text) * 2 + 1);
    size_t used = 0;

    assert_string_equal(r.error, "");
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        long long key, n, sum, time;
        char start[64], end[64];
        if (sscanf(line, "+I[%lld, %63[^,], %63[^,], %lld, %lld]@%lld", &key, start, end, &n, &sum, &time) != 6)
            continue;
        used += (size_t)sprintf(plain + used, "+I[%lld, %lld, %lld, %lld, %lld]@%lld\n", key,
                                time + 1 - (long long)c->size_ms, time + 1, n, sum, time);
    }
    free(text);
    char *sorted = sorted_lines(plain);
    free(plain);
    return sorted;
}

static void random_input_as_computed_directly(void **state)
{
    static const int64_t shapes[][3] = {{10, 10, 0}, {10, 10, 7}, {20, 5, 0}, {20, 5, 30}, {12, 8, 6}, {6, 9, 4}};

    (void)state;
    for (uint32_t seed = 1; seed <= 40; seed++) {
        struct prng p;
        struct row rows[ROWS];
        char *script = calloc(1, ROWS * 64);
        size_t used = 0;
        int64_t watermark = TIME_MIN;
        prng_init(&p, seed);
        for (int i = 0; i < ROWS; i++) {
            rows[i] = (struct row){i + (int64_t)prng_below(&p, 30) - 15, (int64_t)prng_below(&p, KEYS),
                                   (int64_t)prng_below(&p, 100), watermark};
            used += (size_t)sprintf(script + used, "@%lld %lld | %lld\n", (long long)rows[i].time,
                                    (long long)rows[i].key, (long long)rows[i].value);
            if (prng_below(&p, 10) == 0)
                used += (size_t)sprintf(script + used, "W %lld\n", (long long)(watermark = MAX(watermark, i - 12)));
        }
        const int64_t *shape = shapes[seed % COUNT_OF(shapes)];
        struct window_config c = sliding(shape[0], shape[1], shape[2]);
        char *expected = direct(rows, ROWS, &c);
        for (uint32_t size = 1; size <= 64; size *= 4) {
            char *got = by_operator(script, &c, size);
            assert_string_equal(got, expected);
            free(got);
        }
        free(expected);
        free(script);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tumbling_windows_fire_in_order),
        cmocka_unit_test(times_before_the_epoch_and_offsets),
        cmocka_unit_test(all_aggregates_pass_nulls_over),
        cmocka_unit_test(late_rows_fire_again_and_then_leave_by_the_side),
        cmocka_unit_test(sliding_windows_overlap),
        cmocka_unit_test(gaps_between_windows),
        cmocka_unit_test(random_input_as_computed_directly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
