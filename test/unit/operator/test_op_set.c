/* test_op_set.c - INTERSECT and EXCEPT: rows come once or as often as both sides say, NULLs are equal, what is taken back, state that
 * is pending. */
#include "flow/operator/set_config.h"
#include "support/op_driver.h"
#include "support/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const uint32_t sizes[] = {0, 1, 3};
static const char *const backends[] = {"hashmap", "pending"};

/* The rows of the first input, those of the second, then those of the first again. */
static void expect(struct set_config c, const char *left, const char *right, const char *again, const char *expected)
{
    for (uint32_t b = 0; b < COUNT_OF(backends); b++)
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("set"),
                                                                      .config = &c,
                                                                      .in = "ROW<k INT, s STRING>",
                                                                      .in2 = "ROW<k INT, s STRING>",
                                                                      .keys = "k",
                                                                      .keys2 = "k",
                                                                      .batch_rows = sizes[i],
                                                                      .backend = backends[b]});
            op_push(d, 0, left);
            op_push(d, 1, right);
            op_push(d, 0, again);
            assert_string_equal(op_driver_error(d), "");
            assert_string_equal(op_output(d), expected);
            if (b == 1) assert_true(op_pending_count(d) > 0);
            op_driver_free(d);
        }
}

#define LEFT "1 | a\n1 | a\n1 | b\n2 | null"
#define RIGHT "1 | a\n2 | null\n2 | null\n3 | c"
#define AGAIN "-D 1 | a\n-D 1 | a\n2 | null\n4 | d"

static void intersect_has_each_row_once(void **state)
{
    (void)state;
    expect((struct set_config){0}, LEFT, RIGHT, AGAIN, "+I[1, a]\n+I[2, null]\n-D[1, a]\n");
}

static void intersect_all_has_the_smaller_count(void **state)
{
    (void)state;
    expect((struct set_config){.all = true}, LEFT, RIGHT, AGAIN, "+I[1, a]\n+I[2, null]\n-D[1, a]\n+I[2, null]\n");
}

static void except_has_what_the_second_has_not(void **state)
{
    (void)state;
    expect((struct set_config){.is_except = true}, LEFT, RIGHT, AGAIN,
           "+I[1, a]\n+I[1, b]\n+I[2, null]\n-D[1, a]\n-D[2, null]\n+I[4, d]\n");
}

static void except_all_has_the_difference(void **state)
{
    (void)state;
    expect((struct set_config){.is_except = true, .all = true}, LEFT, RIGHT, AGAIN,
           "+I[1, a]\n+I[1, a]\n+I[1, b]\n+I[2, null]\n-D[1, a]\n-D[2, null]\n-D[1, a]\n+I[4, d]\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intersect_has_each_row_once),
        cmocka_unit_test(intersect_all_has_the_smaller_count),
        cmocka_unit_test(except_has_what_the_second_has_not),
        cmocka_unit_test(except_all_has_the_difference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
