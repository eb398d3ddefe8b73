/* test_op_sink_materialize.c - the last row of a primary key, the one before it when it goes; rows told apart by a key and by all
 * columns; equal rows; NULLs; state that is pending, batches of every size. */
#include "flow/operator/upsert_rows.h"
#include "support/op_driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const uint32_t sizes[] = {0, 1, 3};
static const char *const backends[] = {"hashmap", "pending"};

static void expect(struct upsert_config c, const char *first, const char *then, const char *expected)
{
    for (uint32_t b = 0; b < COUNT_OF(backends); b++)
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("sink_materialize"),
                                                                      .config = &c,
                                                                      .in = "ROW<u INT, s STRING, n BIGINT>",
                                                                      .keys = "s",
                                                                      .batch_rows = sizes[i],
                                                                      .backend = backends[b]});
            op_push(d, 0, first);
            op_push(d, 0, then);
            assert_string_equal(op_driver_error(d), "");
            assert_string_equal(op_output(d), expected);
            if (b == 1) assert_true(op_pending_count(d) > 0);
            op_driver_free(d);
        }
}

static const char *const by_u[] = {"u"};
#define UNIQUE {.unique = {by_u, 1}}

/* SELECT MAX(s), COUNT(*) .. GROUP BY u over (1, a) (2, b) (1, c) (3, c), as Flink 2.3 printed it. */
static void the_last_row_of_a_key_is_the_tables(void **state)
{
    (void)state;
    expect((struct upsert_config)UNIQUE, "1 | a | 1\n2 | b | 1\n-U 1 | a | 1\n+U 1 | c | 2", "3 | c | 1",
           "+I[1, a, 1]\n+I[2, b, 1]\n-D[1, a, 1]\n+I[1, c, 2]\n+U[3, c, 1]\n");
}

static void the_one_before_comes_back(void **state)
{
    (void)state;
    expect((struct upsert_config)UNIQUE, "1 | a | 1\n2 | a | 2\n3 | a | 3\n-D 2 | a | 2", "-D 3 | a | 3\n-D 1 | a | 1",
           "+I[1, a, 1]\n+U[2, a, 2]\n+U[3, a, 3]\n+U[1, a, 1]\n-D[1, a, 1]\n");
    expect((struct upsert_config){0}, "1 | a | 1\n2 | a | 2\n3 | a | 3\n-D 2 | a | 2", "-D 3 | a | 3\n-D 1 | a | 1",
           "+I[1, a, 1]\n+U[2, a, 2]\n+U[3, a, 3]\n+U[1, a, 1]\n-D[1, a, 1]\n");
}

/* Without -U a row takes the place that the one with its key has. */
static void a_row_replaces_the_one_with_its_key(void **state)
{
    (void)state;
    expect((struct upsert_config)UNIQUE, "1 | a | 1\n2 | a | 2\n+U 1 | a | 10", "-D 2 | a | 2\n-D 1 | a | null",
           "+I[1, a, 1]\n+U[2, a, 2]\n+U[1, a, 10]\n+U[1, a, 10]\n-D[1, a, 10]\n");
}

static void equal_rows_are_counted_and_stand_where_they_came_last(void **state)
{
    (void)state;
    expect((struct upsert_config){0}, "1 | a | 1\n2 | a | 2\n1 | a | 1\n-D 1 | a | 1", "-D 1 | a | 1\n-D 2 | a | 2",
           "+I[1, a, 1]\n+U[2, a, 2]\n+U[1, a, 1]\n+U[2, a, 2]\n-D[2, a, 2]\n");
}

/* What was forgotten still goes from the table. */
static void nulls_are_equal_and_what_is_not_there_goes_where_nothing_is(void **state)
{
    (void)state;
    expect((struct upsert_config){0}, "null | null | null\n1 | null | null\n-D 2 | null | null", "-D 1 | null | null\n-D 1 | b | 1",
           "+I[null, null, null]\n+U[1, null, null]\n+U[null, null, null]\n-D[1, b, 1]\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_row_of_a_key_is_the_tables),
        cmocka_unit_test(the_one_before_comes_back),
        cmocka_unit_test(a_row_replaces_the_one_with_its_key),
        cmocka_unit_test(equal_rows_are_counted_and_stand_where_they_came_last),
        cmocka_unit_test(nulls_are_equal_and_what_is_not_there_goes_where_nothing_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
