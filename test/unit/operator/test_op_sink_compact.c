/* test_op_sink_compact.c - one row under a primary key, judged at watermarks: what comes and goes between them is not seen, the first
 * of several stays or the job fails, and what waits for a later watermark waits. */
#include "flow/operator/upsert_rows.h"
#include "support/op_driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const uint32_t sizes[] = {0, 1, 3};
static const char *const backends[] = {"hashmap", "pending"};
static const char *const rows[] = {"ROW<u INT, s STRING, n BIGINT>", "ROW<u INT NOT NULL, s STRING NOT NULL, n BIGINT NOT NULL>"};
static const char *const by_u[] = {"u"};

struct step {
    const char *rows;
    int64_t watermark;
    const char *expected;
};

static void expect(struct upsert_config c, const struct step *steps, const char *error)
{
    for (uint32_t b = 0; b < COUNT_OF(backends); b++)
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("sink_compact"),
                                                                      .config = &c,
                                                                      .in = rows[i % 2],
                                                                      .keys = "s",
                                                                      .batch_rows = sizes[i],
                                                                      .backend = backends[b]});
            for (const struct step *s = steps; s->rows != NULL; s++) {
                op_push(d, 0, s->rows);
                op_push_watermark(d, s->watermark);
                if (s->expected != NULL) assert_string_equal(op_output(d), s->expected);
            }
            assert_string_equal(op_driver_error(d), error);
            if (b == 1) assert_true(op_pending_count(d) > 0);
            op_driver_free(d);
        }
}

#define UNIQUE .unique = {by_u, 1}

static void what_comes_and_goes_between_watermarks_is_not_seen(void **state)
{
    static const struct step steps[] = {
        {"1 | a | 1\n2 | b | 1\n-U 1 | a | 1\n+U 1 | c | 2", 10, "+I[2, b, 1]\n+I[1, c, 2]\n"},
        {"-U 1 | c | 2\n+U 1 | b | 3\n-U 2 | b | 1\n+U 2 | c | 4", 20, "+U[1, b, 3]\n+U[2, c, 4]\n"},
        {"-U 2 | c | 4\n+U 2 | c | 4", 30, ""},
        {"-D 2 | c | 4", 40, "-D[2, c, 4]\n"},
        {NULL, 0, NULL}};

    (void)state;
    expect((struct upsert_config){UNIQUE}, steps, "");
    expect((struct upsert_config){UNIQUE, .fails = true}, steps, "");
    expect((struct upsert_config){.fails = true}, steps, "");
}

static void the_first_of_several_stays(void **state)
{
    static const struct step steps[] = {{"1 | a | 1\n2 | a | 2\n3 | b | 3", 10, "+I[3, b, 3]\n+I[1, a, 1]\n"},
                                        {"-U 1 | a | 1\n+U 1 | a | 5", 20, "+U[1, a, 5]\n"},
                                        {"4 | a | 4", 30, ""},
                                        {"-D 1 | a | 5", 40, "-D[1, a, 5]\n"},
                                        {NULL, 0, NULL}};

    (void)state;
    expect((struct upsert_config){UNIQUE}, steps, "");
}

static void or_the_job_fails_and_names_the_key(void **state)
{
    static const struct step steps[] = {{"1 | a | 1\n3 | b | 3", 10, NULL}, {"2 | a | 2", 20, NULL}, {NULL, 0, NULL}};

    (void)state;
    expect((struct upsert_config){UNIQUE, .fails = true}, steps,
           "Primary key constraint violation: multiple distinct records with the same primary key detected. Conflicting key: [s=a]. Use "
           "ON CONFLICT DO NOTHING to keep the first record.");
}

/* The one that takes its place left its task under a later watermark. */
static void what_waits_for_a_later_watermark_waits(void **state)
{
    static const struct step steps[] = {{"@5 1 | a | 1\n@15 2 | a | 2", 10, "+I[1, a, 1]\n"},
                                        {"-D @15 1 | a | 1", 20, "+U[2, a, 2]\n"},
                                        {NULL, 0, NULL}};

    (void)state;
    expect((struct upsert_config){UNIQUE, .fails = true}, steps, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_and_goes_between_watermarks_is_not_seen),
        cmocka_unit_test(the_first_of_several_stays),
        cmocka_unit_test(or_the_job_fails_and_names_the_key),
        cmocka_unit_test(what_waits_for_a_later_watermark_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
