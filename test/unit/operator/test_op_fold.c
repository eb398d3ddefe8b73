/* test_op_fold.c - a changelog folded: what is there at the end comes as often as it is there, in the order of first arrival; what is
 * taken back before it comes; state that is pending. */
#include "flow/operator/op.h"
#include "support/op_driver.h"
#include "support/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const uint32_t sizes[] = {0, 1, 3};
static const char *const backends[] = {"hashmap", "pending"};

static void expect(const char *rows, const char *expected)
{
    for (uint32_t b = 0; b < COUNT_OF(backends); b++)
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("fold"),
                                                                      .in = "ROW<k INT, s STRING>",
                                                                      .keys = "k",
                                                                      .batch_rows = sizes[i],
                                                                      .backend = backends[b]});
            op_push(d, 0, rows);
            assert_string_equal(op_output(d), "");
            op_push_end(d);
            assert_string_equal(op_output(d), expected);
            op_driver_free(d);
        }
}

static void what_is_left_comes_once_for_each_time(void **state)
{
    (void)state;
    expect("1 | a\n2 | b\n-U 1 | a\n+U 1 | c\n2 | b\n3 | a longer text than twelve\n-D 3 | a longer text than twelve\n2 | b\nnull | null",
           "+I[2, b]\n+I[2, b]\n+I[2, b]\n+I[1, c]\n+I[null, null]\n");
}

static void rows_may_be_taken_back_before_they_come(void **state)
{
    (void)state;
    expect("-D 1 | a\n1 | a\n-D 2 | b\n2 | b\n2 | b", "+I[2, b]\n");
}

static void nothing_gives_nothing(void **state)
{
    (void)state;
    expect("", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_comes_once_for_each_time),
        cmocka_unit_test(rows_may_be_taken_back_before_they_come),
        cmocka_unit_test(nothing_gives_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
