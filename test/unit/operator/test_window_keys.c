/* test_window_keys.c - tw_key inside the callbacks of windows is the key of the row or window at hand: when a batch has rows
 * of several slices, when late rows make windows fire again one after the other, with a function in front, when sessions
 * merge, in triggers and joins. Each callback compares the key with what its row or accumulator says. */
#include <thalweg/thalweg.h>

#include "support/window_steps.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

extern const struct op_type op_window, op_window_join;

struct row {
    int64_t k, v;
};
TW_ROW(row, TW_FIELD(row, k, "BIGINT NOT NULL"), TW_FIELD(row, v, "BIGINT NOT NULL"));
struct key {
    int64_t k;
};
TW_ROW(key, TW_FIELD(key, k, "BIGINT NOT NULL"));

static const char *const input = "ROW<v BIGINT NOT NULL, k BIGINT NOT NULL>";

static enum tw_status same(struct tw_context *cx, const char *where, int64_t expected)
{
    const struct key *k = tw_key(cx);

    if (k == NULL) return tw_fail(cx, "no key in %s of %lld", where, (long long)expected);
    if (k->k != expected) return tw_fail(cx, "key %lld in %s of %lld", (long long)k->k, where, (long long)expected);
    return TW_OK;
}

static enum tw_status add(struct tw_context *cx, void *acc, const void *in)
{
    const struct row *r = in;

    ((struct row *)acc)->k = r->k;
    ((struct row *)acc)->v += r->v;
    return same(cx, "add", r->k);
}
static enum tw_status merge(struct tw_context *cx, void *acc, const void *other)
{
    (void)cx;
    ((struct row *)acc)->k = ((const struct row *)other)->k;
    ((struct row *)acc)->v += ((const struct row *)other)->v;
    return TW_OK;
}
static enum tw_status result(struct tw_context *cx, const void *acc, void *out)
{
    memcpy(out, acc, sizeof(struct row));
    return same(cx, "result", ((const struct row *)acc)->k);
}
static const struct tw_function sums = {
    .in = &row_row, .acc = &row_row, .out = &row_row, .key = &key_row, .add = add, .merge = merge, .result = result};

static enum tw_status reduce(struct tw_context *cx, const void *a, const void *b, void *out)
{
    *(struct row *)out = (struct row){((const struct row *)a)->k,
                                      ((const struct row *)a)->v + ((const struct row *)b)->v};
    return same(cx, "reduce", ((const struct row *)b)->k);
}
static const struct tw_function reduces = {.in = &row_row, .key = &key_row, .reduce = reduce};

static enum tw_status window(struct tw_context *cx, const struct tw_window *w, struct tw_elements *elements)
{
    struct row out = {0};

    (void)w;
    for (const struct row *r; (r = tw_next(elements)) != NULL;) out = (struct row){r->k, out.v + r->v};
    tw_collect(cx, &out);
    return same(cx, "window", out.k);
}
static const struct tw_function totals = {.in = &row_row, .out = &row_row, .key = &key_row, .window = window};

static enum tw_status on_element(struct tw_context *cx, const void *in, int64_t time, const struct tw_window *w,
                                 enum tw_trigger_result *r)
{
    const struct row *row = in;

    (void)time, (void)w;
    *r = TW_FIRE_AND_PURGE;
    return same(cx, "on_element", row->k);
}
static const struct tw_function each_row = {.in = &row_row, .key = &key_row, .on_element = on_element};

#define FN(f)                                                                                                          \
    {                                                                                                                  \
        .name = #f, .fn = &f                                                                                           \
    }

/* Rows of three windows, then late ones that make two of them fire again, key by key. */
static const struct step late[] = {
    {.rows = "@1 1 | 7\n@2 1 | 5\n@12 1 | 6\n@13 1 | 7\n@25 1 | 5\n@3 1 | 6\n"},
    {.watermark = 19},
    {.rows = "@4 2 | 5\n@14 2 | 8\n@5 2 | 6\n@26 2 | 8\n@15 2 | 7\n@6 2 | 9\n@16 2 | 8\n"},
    {0}};

/* Which keys come first in a window is not said: sums of what comes out, by its place in time. */
static void run(struct window_config c, uint32_t rows_out, int64_t sum)
{
    static const uint32_t sizes[] = {1, 2, 0};
    static const char *const backends[] = {"hashmap", "pending"};

    for (uint32_t i = 0; i < 6; i++) {
        struct op_driver *d = op_driver_create(&(struct op_setup){.type = &op_window,
                                                                  .config = &c,
                                                                  .in = input,
                                                                  .keys = "k",
                                                                  .batch_rows = sizes[i % 3],
                                                                  .backend = backends[i / 3]});
        uint32_t n = 0;
        int64_t total = 0;
        for (const struct step *s = late; s->rows != NULL || s->watermark != 0; s++)
            if (s->rows != NULL)
                op_push(d, 0, s->rows);
            else
                op_push_watermark(d, s->watermark);
        op_push_end(d);
        assert_string_equal(op_driver_error(d), "");
        for (const char *at = op_output(d); (at = strchr(at, '[')) != NULL; at++) {
            long long k, v;
            if (sscanf(at, "[%lld, %lld", &k, &v) != 2) continue;
            n++;
            total += v;
        }
        assert_int_equal(total, sum);
        assert_int_equal(n, rows_out);
        op_driver_free(d);
    }
}

static void keys_of_late_rows(void **state)
{
    struct window_config c = {.function = FN(sums), .assigner = TW_TUMBLING, .size_ms = 10, .lateness_ms = 100};
    struct window_config s = c;

    (void)state;
    s.assigner = TW_SLIDING, s.slide_ms = 5;
    /* 5 windows of two in time; 6 late rows fire again; two of the third window. */
    const struct tw_function *const functions[] = {&sums, &reduces, &totals};
    for (uint32_t i = 0; i < 3; i++) {
        c.function.fn = s.function.fn = functions[i];
        run(c, 13, 25);
        if (i == 0) run(s, 26, 47);
    }
    c.function.fn = s.function.fn = &totals;
    c.pre = s.pre = (struct function_ref)FN(sums);
    run(c, 13, 25);
    run(s, 26, 47);
    c.trigger = TW_TRIGGER_EVENT_TIME; /* the general engine */
    run(c, 13, 25);
}

static void keys_of_triggers(void **state)
{
    struct window_config c = {.function = FN(totals),
                              .assigner = TW_TUMBLING,
                              .size_ms = 10,
                              .lateness_ms = 100,
                              .trigger = TW_TRIGGER_CUSTOM,
                              .trigger_function = FN(each_row)};

    (void)state;
    run(c, 13, 20);
    c.function.fn = &sums;
    run(c, 13, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(keys_of_late_rows), cmocka_unit_test(keys_of_triggers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
