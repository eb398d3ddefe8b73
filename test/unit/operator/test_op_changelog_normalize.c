/* test_op_changelog_normalize.c - upserts and repeated changes as a changelog: rows that come again, keys that come back, deletions by
 * key and of keys that are not there, mini-batches, a time to live; state that is pending, batches of every size. */
#include "flow/operator/normalize_config.h"
#include "support/op_driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const uint32_t sizes[] = {0, 1, 3};
static const char *const backends[] = {"hashmap", "pending"};

static void run(struct normalize_config c, uint32_t size, const char *backend, const char *first, const char *then, const char *expected)
{
    struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("changelog_normalize"),
                                                              .config = &c,
                                                              .in = "ROW<k INT, s STRING, n BIGINT>",
                                                              .keys = "k",
                                                              .batch_rows = size,
                                                              .backend = backend});
    op_push(d, 0, first);
    op_push(d, 0, then);
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(op_output(d), expected);
    if (strcmp(backend, "pending") == 0) assert_true(op_pending_count(d) > 0);
    op_driver_free(d);
}

static void expect(struct normalize_config c, const char *first, const char *then, const char *expected)
{
    for (uint32_t b = 0; b < COUNT_OF(backends); b++)
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) run(c, sizes[i], backends[b], first, then, expected);
}

#define EVERY {.emit_every = true, .emit_before = true}
#define LONG "a text that is longer than twelve bytes"

static void upserts_become_updates(void **state)
{
    (void)state;
    expect((struct normalize_config)EVERY, "1 | " LONG " | 1\n2 | b | 2\n+U 1 | " LONG " | 3\n1 | x | null", "+U 2 | b | 4\n+U 3 | c | 5",
           "+I[1, " LONG ", 1]\n+I[2, b, 2]\n-U[1, " LONG ", 1]\n+U[1, " LONG ", 3]\n-U[1, " LONG ", 3]\n+U[1, x, null]\n-U[2, b, 2]\n"
           "+U[2, b, 4]\n+I[3, c, 5]\n");
    expect((struct normalize_config){.emit_every = true}, "1 | a | 1\n2 | b | 2\n+U 1 | a | 3\n1 | x | null", "+U 2 | b | 4",
           "+I[1, a, 1]\n+I[2, b, 2]\n+U[1, a, 3]\n+U[1, x, null]\n+U[2, b, 4]\n");
}

static void what_comes_again_is_left_out(void **state)
{
    (void)state;
    expect((struct normalize_config)EVERY, "1 | a | 1\n1 | a | 1\n+U 1 | a | 1\n-U 1 | a | 1\n-U 1 | a | 1", "+U 1 | b | null\n+U 1 | b | null",
           "+I[1, a, 1]\n-D[1, a, 1]\n+I[1, b, null]\n");
}

/* What is deleted comes whole, whatever the -D had; a key that is not there is not deleted. */
static void a_key_is_enough_to_delete(void **state)
{
    (void)state;
    expect((struct normalize_config)EVERY, "1 | a | 1\n2 | b | 2\n-D 1 | null | null\n-D 9 | x | 1", "1 | c | 3\n-D 2 | null | null\n-D 2 | b | 2",
           "+I[1, a, 1]\n+I[2, b, 2]\n-D[1, a, 1]\n+I[1, c, 3]\n-D[2, b, 2]\n");
}

/* Of a key only the last row of a batch counts; rows before go out first. */
static void batches_are_mini_batches(void **state)
{
    (void)state;
    run((struct normalize_config){.emit_before = true}, 0, "hashmap", "1 | a | 1\n2 | b | 2\n+U 1 | a | 3\n3 | c | 1\n-D 3 | null | null",
        "+U 2 | b | 4\n+U 1 | a | 5\n+U 1 | a | 6\n3 | d | 1", "+I[2, b, 2]\n+I[1, a, 3]\n-U[2, b, 2]\n-U[1, a, 3]\n+U[2, b, 4]\n+U[1, a, 6]\n+I[3, d, 1]\n");
    run((struct normalize_config){.emit_before = true}, 1, "pending", "1 | a | 1\n+U 1 | a | 3", "-D 1 | null | null",
        "+I[1, a, 1]\n-U[1, a, 1]\n+U[1, a, 3]\n-D[1, a, 3]\n");
}

/* With a time to live what changes nothing is an update. */
static void a_time_to_live_is_renewed(void **state)
{
    struct normalize_config c = EVERY;

    (void)state;
    c.ttl_ms = 1000;
    expect(c, "1 | a | 1\n1 | a | 1", "+U 1 | a | 1", "+I[1, a, 1]\n-U[1, a, 1]\n+U[1, a, 1]\n-U[1, a, 1]\n+U[1, a, 1]\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(upserts_become_updates),   cmocka_unit_test(what_comes_again_is_left_out),
        cmocka_unit_test(a_key_is_enough_to_delete), cmocka_unit_test(batches_are_mini_batches),
        cmocka_unit_test(a_time_to_live_is_renewed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
