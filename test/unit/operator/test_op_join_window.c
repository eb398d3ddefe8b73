/* test_op_join_window.c - SQL's join of windows: kinds of joins with and without a condition, keys that are NULL, late rows, windows one
 * after the other; with every batch size and with state that is pending. */
#include "columns/expr/expr.h"
#include "flow/operator/join_window.h"
#include "ground/base/str.h"
#include "support/op_driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const char *const names[] = {"k", "e", "a", "k0", "e0", "b"};

/* a < b, over the columns of both sides. */
static struct str less(struct arena *a, struct buf *out)
{
    static const enum type_kind kinds[] = {T_INT, T_BIGINT, T_INT, T_INT, T_BIGINT, T_INT};
    const struct type *types[COUNT_OF(kinds)];
    struct expr_maker m = {.a = a};
    struct expr *sides[2], *x;
    struct err e = {0};

    for (size_t i = 0; i < COUNT_OF(kinds); i++) types[i] = type_new(a, kinds[i], 0, 0, true);
    const struct type *row = type_row(a, COUNT_OF(types), names, types, false);
    sides[0] = expr_column(&m, row, 2);
    sides[1] = expr_column(&m, row, 5);
    assert_int_equal(expr_call(&m, STR("<"), sides, 2, &x, &e), S_OK);
    expr_encode(x, out);
    return (struct str){out->data, out->size};
}

static const char left_rows[] = "1 | 10 | 5\n1 | 10 | 7\n2 | 10 | 1\nnull | 10 | 0\n3 | 20 | 9";
static const char right_rows[] = "1 | 10 | 6\n1 | 10 | 8\n4 | 10 | 2\nnull | 10 | 3\n3 | 20 | 9";

/* Rows of both sides, the end of the first window, late rows, the end of all. */
static void expect(const char *kind, bool tests, const char *expected)
{
    static const uint32_t sizes[] = {0, 1, 3};
    static const char *const backends[] = {"hashmap", "pending"};
    struct mem mem;
    struct arena a;
    struct buf bytes;

    mem_init(&mem, "test", 0);
    arena_init(&a, &mem, 0);
    buf_init(&bytes, &mem);
    struct join_window_config c = {.kind = kind, .names = {names, COUNT_OF(names)}, .left_end = "e", .right_end = "e"};
    if (tests) c.condition = less(&a, &bytes);
    for (uint32_t b = 0; b < COUNT_OF(backends); b++)
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("join_window"),
                                                                      .config = &c,
                                                                      .in = "ROW<k INT, e BIGINT, a INT>",
                                                                      .in2 = "ROW<k INT, e BIGINT, b INT>",
                                                                      .keys = "k",
                                                                      .keys2 = "k",
                                                                      .batch_rows = sizes[i],
                                                                      .backend = backends[b]});
            op_push(d, 0, left_rows);
            op_push(d, 1, right_rows);
            op_push_watermark(d, 9);
            op_push(d, 0, "1 | 10 | 0\n3 | null | 1");
            op_push(d, 1, "2 | 10 | 9");
            op_push_watermark(d, WATERMARK_MAX);
            assert_string_equal(op_driver_error(d), "");
            assert_string_equal(op_output(d), expected);
            if (b == 1) assert_true(op_pending_count(d) > 0);
            op_driver_free(d);
        }
    buf_release(&bytes);
    arena_release(&a);
}

static void equal_keys_meet(void **state)
{
    (void)state;
    expect("inner", false,
           "+I[1, 10, 5, 1, 10, 6]@9\n+I[1, 10, 5, 1, 10, 8]@9\n+I[1, 10, 7, 1, 10, 6]@9\n+I[1, 10, 7, 1, 10, 8]@9\n"
           "+I[3, 20, 9, 3, 20, 9]@19\n");
    expect("inner", true, "+I[1, 10, 5, 1, 10, 6]@9\n+I[1, 10, 5, 1, 10, 8]@9\n+I[1, 10, 7, 1, 10, 8]@9\n");
}

static void left_rows_come_alone(void **state)
{
    (void)state;
    expect("left", true,
           "+I[1, 10, 5, 1, 10, 6]@9\n+I[1, 10, 5, 1, 10, 8]@9\n+I[1, 10, 7, 1, 10, 8]@9\n+I[2, 10, 1, null, null, "
           "null]@9\n"
           "+I[null, 10, 0, null, null, null]@9\n+I[3, 20, 9, null, null, null]@19\n");
}

static void right_rows_come_alone(void **state)
{
    (void)state;
    expect("right", false,
           "+I[1, 10, 5, 1, 10, 6]@9\n+I[1, 10, 5, 1, 10, 8]@9\n+I[1, 10, 7, 1, 10, 6]@9\n+I[1, 10, 7, 1, 10, 8]@9\n"
           "+I[null, null, null, null, 10, 3]@9\n+I[null, null, null, 4, 10, 2]@9\n+I[3, 20, 9, 3, 20, 9]@19\n");
    expect(
        "right", true,
        "+I[1, 10, 5, 1, 10, 6]@9\n+I[1, 10, 5, 1, 10, 8]@9\n+I[1, 10, 7, 1, 10, 8]@9\n"
        "+I[null, null, null, null, 10, 3]@9\n+I[null, null, null, 4, 10, 2]@9\n+I[null, null, null, 3, 20, 9]@19\n");
}

static void both_come_alone(void **state)
{
    (void)state;
    expect(
        "full", true,
        "+I[1, 10, 5, 1, 10, 6]@9\n+I[1, 10, 5, 1, 10, 8]@9\n+I[1, 10, 7, 1, 10, 8]@9\n+I[2, 10, 1, null, null, "
        "null]@9\n"
        "+I[null, 10, 0, null, null, null]@9\n+I[null, null, null, null, 10, 3]@9\n+I[null, null, null, 4, 10, 2]@9\n"
        "+I[3, 20, 9, null, null, null]@19\n+I[null, null, null, 3, 20, 9]@19\n");
}

static void rows_with_a_partner_and_without(void **state)
{
    (void)state;
    expect("semi", false, "+I[1, 10, 5]@9\n+I[1, 10, 7]@9\n+I[3, 20, 9]@19\n");
    expect("semi", true, "+I[1, 10, 5]@9\n+I[1, 10, 7]@9\n");
    expect("anti", false, "+I[2, 10, 1]@9\n+I[null, 10, 0]@9\n");
    expect("anti", true, "+I[2, 10, 1]@9\n+I[null, 10, 0]@9\n+I[3, 20, 9]@19\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_keys_meet),
        cmocka_unit_test(left_rows_come_alone),
        cmocka_unit_test(right_rows_come_alone),
        cmocka_unit_test(both_come_alone),
        cmocka_unit_test(rows_with_a_partner_and_without),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
