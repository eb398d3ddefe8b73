/* test_window_stacks.c - sliding windows whose folds cannot take back, against the general engine, which keeps an
 * accumulator per window: random rows, watermarks and lateness, the same lines in the end, late ones and repeated firings
 * included. What is added is whole numbers, so that sums of DOUBLE are exact in any order. */
#include <thalweg/thalweg.h>

#include "ground/base/prng.h"
#include "support/op_driver.h"
#include "support/window_functions.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

extern const struct op_type op_window, op_window_columns;


enum { STEPS = 60, TEXT_MAX = 1 << 20, LINES_MAX = 1 << 16 };

static int line_compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Sorts the lines of the text in place, into `out`. */
static void sort_lines(char *text, char *out)
{
    static char *lines[LINES_MAX];
    size_t n = 0;

    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        assert_true(n < LINES_MAX);
        lines[n++] = line;
    }
    qsort(lines, n, sizeof *lines, line_compare);
    for (size_t i = 0; i < n; i++) out += sprintf(out, "%s\n", lines[i]);
    *out = 0;
}

/* Rows wander around a time that grows; some are late, some come after a long silence. */
static void play(struct op_driver *d, uint64_t seed, char *text)
{
    struct prng r;
    int64_t time = 100, watermark = 0;
    size_t size = 0;

    prng_init(&r, seed);
    for (int step = 0; step < STEPS; step++) {
        char rows[1024] = "";
        size_t at = 0;
        for (uint32_t i = 0; i <= prng_below(&r, 8); i++)
            at += (size_t)snprintf(rows + at, sizeof rows - at, "@%lld %c | %lld | %lld.0\n",
                                   (long long)(time + (int64_t)prng_below(&r, 30) - 18),
                                   (char)('a' + prng_below(&r, 4)), (long long)prng_below(&r, 100),
                                   (long long)prng_below(&r, 50));
        op_push(d, 0, rows);
        int64_t next = time - (int64_t)prng_below(&r, 6);
        if (prng_below(&r, 3) == 0 && next > watermark) op_push_watermark(d, watermark = next);
        time += prng_below(&r, 20) == 0 ? 90 : (int64_t)prng_below(&r, 9);
        size += (size_t)snprintf(text + size, TEXT_MAX - size, "%s", op_output(d));
    }
    op_push_end(d);
    size += (size_t)snprintf(text + size, TEXT_MAX - size, "%s", op_output(d));
    assert_true(size < TEXT_MAX - 1);
    assert_string_equal(op_driver_error(d), "");
}

static void run(const struct op_type *type, const struct window_config *c, uint32_t batch_rows, const char *backend,
                uint64_t seed, char *out)
{
    static char text[TEXT_MAX];
    struct op_setup setup = {.type = type,
                             .config = c,
                             .in = "ROW<k STRING NOT NULL, v BIGINT NOT NULL, x DOUBLE NOT NULL>",
                             .keys = "k",
                             .batch_rows = batch_rows,
                             .backend = backend};
    struct op_driver *d = op_driver_create(&setup);

    assert_string_equal(op_driver_error(d), "");
    text[0] = 0;
    play(d, seed, text);
    op_driver_free(d);
    sort_lines(text, out);
}

/* The first line that differs is told. */
static void expect_same(const char *fast, const char *plain, size_t shape, uint64_t seed)
{
    size_t at = 0;

    if (strcmp(fast, plain) == 0) return;
    for (size_t i = 0; fast[i] == plain[i]; i++)
        if (fast[i] == '\n') at = i + 1;
    fail_msg("shape %zu, seed %u: '%.80s' where the engine has '%.80s'", shape, (unsigned)seed, fast + at, plain + at);
}

static void compare(const struct op_type *type, struct window_config c)
{
    static const int64_t shapes[][4] = {/* size, slide, offset, lateness */
                                        {12, 3, 0, 0}, {12, 5, 0, 0},  {12, 5, 2, 9}, {20, 1, 0, 15},
                                        {7, 6, 1, 30}, {30, 10, 0, 4}, {4, 9, 0, 5}};
    static char fast[TEXT_MAX], plain[TEXT_MAX];

    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        for (uint64_t seed = 1; seed <= 8; seed++) {
            struct window_config engine;
            c.size_ms = shapes[i][0], c.slide_ms = shapes[i][1];
            c.offset_ms = shapes[i][2], c.lateness_ms = shapes[i][3];
            engine = c;
            engine.trigger = TW_TRIGGER_EVENT_TIME; /* named, it is the same trigger, but not the fast path */
            run(type, &engine, 0, "hashmap", seed, plain);
            run(type, &c, seed % 2 ? 1 : 0, seed % 4 < 2 ? "hashmap" : "pending", seed, fast);
            expect_same(fast, plain, i, seed);
            assert_true(strlen(plain) > 1000);
        }
    }
}

static void columns_like_the_engine(void **state)
{
    static const char *const items[] = {"max(v) AS high", "min(v) AS low", "sum(x) AS total", "count(*) AS n"};
    struct window_config c = {.aggregates = {items, 4}, .assigner = TW_SLIDING};

    (void)state;
    compare(&op_window_columns, c);
}

static void users_aggregates_like_the_engine(void **state)
{
    struct window_config c = {.function = {.name = "sums", .fn = &sums}, .assigner = TW_SLIDING};

    (void)state;
    compare(&op_window, c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(columns_like_the_engine),
                                       cmocka_unit_test(users_aggregates_like_the_engine)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
