/* test_window.c - op_window: a user's aggregate and reduce function, a window function behind an aggregate, late rows, and
 * what is refused; every case with batches of one row and of many. */
#include <thalweg/thalweg.h>

#include "flow/operator/op_configs.h"
#include "support/operator_run.h"
#include "support/rows.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

extern const struct op_type op_window;

struct row {
    struct tw_str k;
    int64_t v;
};
TW_ROW(row, TW_FIELD(row, k, "STRING NOT NULL"), TW_FIELD(row, v, "BIGINT NOT NULL"));

/* The accumulator holds text, so that state with strings is exercised: all values, in order of arrival. */
struct joined {
    struct tw_str values;
    int64_t n;
};
TW_ROW(joined, TW_FIELD(joined, values, "STRING NOT NULL"), TW_FIELD(joined, n, "BIGINT NOT NULL"));

struct answer {
    struct tw_str k, values;
    int64_t window_end, n;
};
TW_ROW(answer, TW_FIELD(answer, k, "STRING NOT NULL"), TW_FIELD(answer, values, "STRING NOT NULL"),
       TW_FIELD(answer, window_end, "TIMESTAMP(3) NOT NULL"), TW_FIELD(answer, n, "BIGINT NOT NULL"));

struct memory {
    char text[4096];
};

static enum tw_status join_text(struct tw_context *cx, struct joined *acc, struct tw_str more, int64_t n)
{
    struct memory *m = tw_self(cx);

    if (acc->values.size + more.size + 1 > sizeof m->text) return tw_fail(cx, "too long");
    memcpy(m->text, acc->values.data, acc->values.size);
    memcpy(m->text + acc->values.size, more.data, more.size);
    acc->values = (struct tw_str){m->text, acc->values.size + more.size};
    acc->n += n;
    return TW_OK;
}

static enum tw_status add(struct tw_context *cx, void *acc, const void *in)
{
    char text[32];
    int size = snprintf(text, sizeof text, "%lld;", (long long)((const struct row *)in)->v);

    return join_text(cx, acc, (struct tw_str){text, (size_t)size}, 1);
}

static enum tw_status merge(struct tw_context *cx, void *acc, const void *other)
{
    const struct joined *o = other;

    return join_text(cx, acc, o->values, o->n);
}

static enum tw_status result(struct tw_context *cx, const void *acc, void *out)
{
    const struct joined *a = acc;
    struct answer *o = out;

    (void)cx;
    o->values = a->values;
    o->n = a->n;
    return TW_OK;
}

static const struct tw_function join_all = {.in = &row_row,
                                            .acc = &joined_row,
                                            .out = &answer_row,
                                            .self_size = sizeof(struct memory),
                                            .add = add,
                                            .merge = merge,
                                            .result = result};

static enum tw_status larger(struct tw_context *cx, const void *a, const void *b, void *out)
{
    (void)cx;
    *(struct row *)out = ((const struct row *)a)->v >= ((const struct row *)b)->v ? *(const struct row *)a
                                                                                  : *(const struct row *)b;
    return TW_OK;
}

static const struct tw_function largest = {.in = &row_row, .reduce = larger};

/* Behind a reduce: emits its one row twice. */
static enum tw_status twice(struct tw_context *cx, const struct tw_window *w, struct tw_elements *elements)
{
    const struct row *r;

    while ((r = tw_next(elements)) != NULL) {
        struct row more = {r->k, r->v + w->start};
        tw_collect(cx, r);
        tw_collect(cx, &more);
    }
    return TW_OK;
}

static const struct tw_function emit_twice = {.in = &row_row, .out = &row_row, .window = twice};

static void expect(const struct window_config *config, const char *script, const char *expected)
{
    static const uint32_t sizes[] = {1, 2, 0};

    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct operator_run r = {.type = &op_window,
                                 .config = config,
                                 .schema = "ROW<k STRING NOT NULL, v BIGINT NOT NULL>",
                                 .keys = {"k"},
                                 .batch_rows = sizes[i],
                                 .sorted = true};
        char *text = operator_run(&r, script);
        assert_string_equal(r.error, "");
        assert_string_equal(text, expected);
        free(text);
    }
}

static void aggregates_fire_and_late_rows_fire_again(void **state)
{
    struct window_config c = {.function = {.name = "join_all", .fn = &join_all},
                              .assigner = TW_TUMBLING,
                              .size_ms = 1000,
                              .lateness_ms = 500};

    (void)state;
    expect(&c, "@1 a | 11111111\n@2 a | 2222222\n@3 b | 3\nW 999\n@4 a | 4\nW 1499\n@5 b | 5\n",
           "+I[a, 11111111;2222222;, 1970-01-01T00:00:01, 2]@999\n+I[b, 3;, 1970-01-01T00:00:01, 1]@999\nW 999\n"
           "+I[a, 11111111;2222222;4;, 1970-01-01T00:00:01, 3]@999\nW 1499\n"
           "1: +I[b, 5]@5\nW max\n");
}

static void sliding_windows_merge_accumulators(void **state)
{
    struct window_config c = {
        .function = {.name = "join_all", .fn = &join_all}, .assigner = TW_SLIDING, .size_ms = 2000, .slide_ms = 1000};

    (void)state;
    expect(&c, "@1 a | 1\n@1001 a | 2\n@1002 a | 3\n",
           "+I[a, 1;, 1970-01-01T00:00:01, 1]@999\n+I[a, 1;2;3;, 1970-01-01T00:00:02, 3]@1999\n+I[a, 2;3;, "
           "1970-01-01T00:00:03, 2]@2999\nW max\n");
}

static void reduce_keeps_the_row(void **state)
{
    struct window_config c = {
        .function = {.name = "largest", .fn = &largest}, .assigner = TW_TUMBLING, .size_ms = 1000};

    (void)state;
    expect(&c, "@1 a | 5\n@2 a | 9\n@3 a | 7\n@4 a long key of many letters | 1\n",
           "+I[a long key of many letters, 1]@999\n+I[a, 9]@999\nW max\n");
}

static void a_window_function_sees_the_one_result(void **state)
{
    struct window_config c = {.function = {.name = "emit_twice", .fn = &emit_twice},
                              .pre = {.name = "largest", .fn = &largest},
                              .assigner = TW_TUMBLING,
                              .size_ms = 1000};

    (void)state;
    expect(&c, "@1001 a | 5\n@1002 a | 9\n@1003 b | 2\n",
           "+I[a, 1009]@1999\n+I[a, 9]@1999\n+I[b, 1002]@1999\n+I[b, 2]@1999\nW max\n");
}

static void what_cannot_run_is_refused(void **state)
{
    static const uint32_t key = 0;
    struct mem mem;
    struct arena arena;
    struct err e = {0};

    (void)state;
    mem_init(&mem, "test", 0);
    arena_init(&arena, &mem, 0);
    struct op_plan plan = {.arena = &arena,
                           .inputs = {rows_type(&arena, "ROW<k STRING NOT NULL, v BIGINT NOT NULL>")},
                           .input_count = 1,
                           .keys = {&key},
                           .key_count = {1}};
    struct window_config c = {.function = {.name = "largest", .fn = &largest}, .assigner = TW_TUMBLING};
    assert_int_equal(op_window.derive(&plan, &c, &e), E_GRAPH);
    assert_string_equal(e.text, "a window's size is 0 ms; it must be positive");
    err_clear(&e);
    plan.key_count[0] = 0;
    c = (struct window_config){.function = {.name = "largest", .fn = &largest}, .assigner = TW_TUMBLING, .size_ms = 5};
    assert_int_equal(op_window.derive(&plan, &c, &e), E_GRAPH);
    assert_string_equal(e.text, "a window needs a keyed stream");
    arena_release(&arena);
    mem_release(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aggregates_fire_and_late_rows_fire_again),
        cmocka_unit_test(sliding_windows_merge_accumulators),
        cmocka_unit_test(reduce_keeps_the_row),
        cmocka_unit_test(a_window_function_sees_the_one_result),
        cmocka_unit_test(what_cannot_run_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
