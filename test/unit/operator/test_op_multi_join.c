/* test_op_multi_join.c - joins of three changelogs by a common key: who meets whom, tuples that turn when a row comes or goes, rows of a
 * batch that see each other, keys that are NULL, equal rows, conditions, more rows than a block, mistakes; with every batch size and with
 * state that is pending. */
#include "columns/expr/expr.h"
#include "flow/operator/multi_join.h"
#include "ground/base/str.h"
#include "support/op_driver.h"
#include "support/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const uint32_t sizes[] = {0, 1, 3};
static const char *const backends[] = {"hashmap", "pending"};

#define TEXTS(...)                                                                                                     \
    ((struct text_list){(const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__}))})
#define FIRST "ROW<k INT, a STRING>"
#define SECOND "ROW<k INT, b INT>"
#define THIRD "ROW<k INT, c INT>"
#define ALL "ROW<k INT, a STRING, k0 INT, b INT, k1 INT, c INT>"
#define CONFIG(second, third)                                                                                          \
    {                                                                                                                  \
        .names = TEXTS("k", "a", "k0", "b", "k1", "c"), .kinds = TEXTS("inner", second, third),                        \
        .asks = TEXTS("false", "false", "false"), .required = TEXTS("0", "0", "0"),                                    \
        .appends = TEXTS("false", "false", "false"), .ttl_ms = TEXTS("0", "0", "0"), .emit_before = true               \
    }

struct step {
    uint32_t input;
    const char *rows, *expected;
};

static struct op_driver *driver(const struct multi_join_config *c, uint32_t size, const char *backend)
{
    return op_driver_create(&(struct op_setup){.type = op_find("multi_join"),
                                               .config = c,
                                               .in = FIRST,
                                               .in2 = SECOND,
                                               .in3 = THIRD,
                                               .keys = "k",
                                               .keys2 = "k",
                                               .keys3 = "k",
                                               .batch_rows = size,
                                               .backend = backend});
}

static void expect(const struct multi_join_config *c, const struct step *steps, uint32_t count)
{
    for (uint32_t b = 0; b < COUNT_OF(backends); b++)
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            struct op_driver *d = driver(c, sizes[i], backends[b]);
            for (uint32_t s = 0; s < count; s++) {
                op_push(d, steps[s].input, steps[s].rows);
                assert_string_equal(op_driver_error(d), "");
                assert_string_equal(op_output(d), steps[s].expected);
            }
            if (b == 1) assert_true(op_pending_count(d) > 0);
            op_driver_free(d);
        }
}
#define EXPECT(config, ...)                                                                                            \
    expect(config, (const struct step[]){__VA_ARGS__}, COUNT_OF(((const struct step[]){__VA_ARGS__})))

static void inner_rows_meet_when_all_have_come(void **state)
{
    struct multi_join_config c = CONFIG("inner", "inner");

    (void)state;
    c.appends = TEXTS("true", "true", "true");
    EXPECT(&c, {0, "1 | x\n2 | y", ""}, {2, "1 | 100\n1 | 101", ""},
           {1, "2 | 20\n1 | 10", "+I[1, x, 1, 10, 1, 100]\n+I[1, x, 1, 10, 1, 101]\n"},
           {0, "1 | z", "+I[1, z, 1, 10, 1, 100]\n+I[1, z, 1, 10, 1, 101]\n"},
           {2, "2 | 200", "+I[2, y, 2, 20, 2, 200]\n"});
}

static void inner_joins_hand_on_kinds(void **state)
{
    struct multi_join_config c = CONFIG("inner", "inner"), quiet = c, upserts;

    (void)state;
    quiet.emit_before = false;
    upserts = quiet;
    upserts.drop_before = true;
#define BEGIN {0, "1 | x", ""}, {1, "1 | 10", ""}, {2, "1 | 100", "+I[1, x, 1, 10, 1, 100]\n"}
    EXPECT(&c, BEGIN, {1, "-U 1 | 10\n+U 1 | 11", "-U[1, x, 1, 10, 1, 100]\n+U[1, x, 1, 11, 1, 100]\n"},
           {0, "-D 1 | x", "-D[1, x, 1, 11, 1, 100]\n"});
    EXPECT(&quiet, BEGIN, {1, "-U 1 | 10\n+U 1 | 11", "-D[1, x, 1, 10, 1, 100]\n+U[1, x, 1, 11, 1, 100]\n"});
    EXPECT(&upserts, BEGIN, {1, "-U 1 | 10\n+U 1 | 11", "+U[1, x, 1, 11, 1, 100]\n"},
           {0, "1 | z", "+I[1, z, 1, 11, 1, 100]\n"});
}

static void left_joins_turn_tuples(void **state)
{
    const struct multi_join_config c = CONFIG("left", "left");

    (void)state;
    EXPECT(&c, {0, "1 | x", "+I[1, x, null, null, null, null]\n"},
           {2, "1 | 100", "-D[1, x, null, null, null, null]\n+I[1, x, null, null, 1, 100]\n"},
           {1, "1 | 10", "-D[1, x, null, null, 1, 100]\n+I[1, x, 1, 10, 1, 100]\n"},
           {1, "1 | 11", "+I[1, x, 1, 11, 1, 100]\n"},
           {2, "-D 1 | 100",
            "-D[1, x, 1, 10, 1, 100]\n+I[1, x, 1, 10, null, null]\n-D[1, x, 1, 11, 1, 100]\n+I[1, x, 1, 11, null, "
            "null]\n"},
           {1, "-D 1 | 10", "-D[1, x, 1, 10, null, null]\n"},
           {1, "-D 1 | 11", "-D[1, x, 1, 11, null, null]\n+I[1, x, null, null, null, null]\n"});
}

/* The third input meets the second one's row: it has nothing to meet where that one has none. */
static void a_required_row_may_be_missing(void **state)
{
    struct multi_join_config c = CONFIG("left", "left"), inner = CONFIG("left", "inner");

    (void)state;
    c.required = inner.required = TEXTS("0", "0", "2");
    EXPECT(&c, {0, "1 | x", "+I[1, x, null, null, null, null]\n"}, {2, "1 | 100", ""},
           {1, "1 | 10", "-D[1, x, null, null, null, null]\n+I[1, x, 1, 10, 1, 100]\n"},
           {1, "-D 1 | 10", "-D[1, x, 1, 10, 1, 100]\n+I[1, x, null, null, null, null]\n"});
    EXPECT(&inner, {0, "1 | x", ""}, {2, "1 | 100", ""}, {1, "1 | 10", "+I[1, x, 1, 10, 1, 100]\n"},
           {1, "-D 1 | 10", "-D[1, x, 1, 10, 1, 100]\n"});
}

static void rows_of_a_batch_see_each_other(void **state)
{
    const struct multi_join_config c = CONFIG("left", "inner");

    (void)state;
    EXPECT(&c, {0, "1 | x", ""}, {2, "1 | 100", "+I[1, x, null, null, 1, 100]\n"},
           {1, "1 | 10\n1 | 10\n-D 1 | 10\n-D 1 | 10\n1 | 12",
            "-D[1, x, null, null, 1, 100]\n+I[1, x, 1, 10, 1, 100]\n+I[1, x, 1, 10, 1, 100]\n-D[1, x, 1, 10, 1, 100]\n"
            "-D[1, x, 1, 10, 1, 100]\n+I[1, x, null, null, 1, 100]\n-D[1, x, null, null, 1, 100]\n+I[1, x, 1, 12, 1, "
            "100]\n"});
}

static void null_meets_nothing(void **state)
{
    const struct multi_join_config c = CONFIG("left", "left"), inner = CONFIG("left", "inner");

    (void)state;
    EXPECT(&c, {1, "null | 1", ""}, {0, "null | x", "+I[null, x, null, null, null, null]\n"}, {2, "null | 1", ""},
           {0, "-D null | x", "-D[null, x, null, null, null, null]\n"},
           {0, "1 | y", "+I[1, y, null, null, null, null]\n"});
    EXPECT(&inner, {2, "null | 1", ""}, {0, "null | x", ""}, {1, "1 | 1", ""}, {2, "1 | 1", ""},
           {0, "1 | y", "+I[1, y, 1, 1, 1, 1]\n"});
}

static void equal_rows_count(void **state)
{
    const struct multi_join_config c = CONFIG("inner", "left");

    (void)state;
    EXPECT(&c, {0, "1 | x\n1 | x", ""}, {1, "1 | 10", "+I[1, x, 1, 10, null, null]\n+I[1, x, 1, 10, null, null]\n"},
           {2, "1 | 5",
            "-D[1, x, 1, 10, null, null]\n+I[1, x, 1, 10, 1, 5]\n-D[1, x, 1, 10, null, null]\n+I[1, x, 1, 10, 1, 5]\n"},
           {0, "-D 1 | x", "-D[1, x, 1, 10, 1, 5]\n"}, {1, "-D 1 | 10", "-D[1, x, 1, 10, 1, 5]\n"});
}

/* --- conditions -------------------------------------------------------------------------------------------------- */
static void a_condition_decides_with_the_key(void **state)
{
    struct multi_join_config c = CONFIG("inner", "left");
    struct mem mem;
    struct arena a;
    struct err e = {0};
    const struct type *row;
    struct expr *x;
    struct buf bytes;

    (void)state;
    mem_init(&mem, "test", 0);
    arena_init(&a, &mem, 0);
    assert_int_equal(type_parse(&a, STR(ALL), &row, &e), S_OK);
    assert_int_equal(expr_parse(&a, row, STR("c > b"), &x, &e), S_OK);
    buf_init(&bytes, &mem);
    expr_encode(x, &bytes);
    c.asks = TEXTS("false", "false", "true");
    c.conditions = (struct str){bytes.data, bytes.size};
    EXPECT(
        &c, {0, "1 | x", ""}, {1, "1 | 10\n1 | 20", "+I[1, x, 1, 10, null, null]\n+I[1, x, 1, 20, null, null]\n"},
        {2, "1 | 5\n1 | 15\n1 | 16\n-D 1 | 15",
         "-D[1, x, 1, 10, null, null]\n+I[1, x, 1, 10, 1, 15]\n+I[1, x, 1, 10, 1, 16]\n-D[1, x, 1, 10, 1, 15]\n"},
        {2, "-D 1 | 5\n-D 1 | 16", "-D[1, x, 1, 10, 1, 16]\n+I[1, x, 1, 10, null, null]\n"},
        {2, "1 | 30\n-D 1 | 30",
         "-D[1, x, 1, 10, null, null]\n+I[1, x, 1, 10, 1, 30]\n-D[1, x, 1, 20, null, null]\n+I[1, x, 1, 20, 1, 30]\n"
         "-D[1, x, 1, 10, 1, 30]\n+I[1, x, 1, 10, null, null]\n-D[1, x, 1, 20, 1, 30]\n+I[1, x, 1, 20, null, null]\n"});
    buf_release(&bytes);
    arena_release(&a);
}

/* --- sizes, mistakes --------------------------------------------------------------------------------------------- */
static void many_rows_under_one_key(void **state)
{
    struct multi_join_config c = CONFIG("inner", "left");
    uint32_t lines = 0;

    (void)state;
    c.appends = TEXTS("true", "true", "true");
    struct op_driver *d = driver(&c, 0, "hashmap");
    for (uint32_t i = 0; i < 700; i++) op_push(d, 1, "1 | 1");
    op_push(d, 2, "1 | 1\n1 | 2\n1 | 3");
    assert_string_equal(op_output(d), "");
    op_push(d, 0, "1 | x\n2 | y");
    for (const char *at = op_output(d); *at != '\0'; at++) lines += *at == '\n';
    assert_int_equal(lines, 2100);
    op_driver_free(d);
}

static void mistakes_are_told(void **state)
{
    struct multi_join_config full = CONFIG("inner", "full"), names = CONFIG("inner", "inner"), few = names;
    const struct {
        const struct multi_join_config *c;
        const char *says;
    } cases[] = {{&full, "a multi-join knows inner and left, but not 'full'"},
                 {&names, "a multi-join names each column of all inputs"},
                 {&few, "a multi-join says each thing once per input"}};

    (void)state;
    names.names = few.asks = TEXTS("true");
    for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
        struct op_driver *d = driver(cases[i].c, 0, "hashmap");
        assert_string_equal(op_driver_error(d), cases[i].says);
        op_driver_free(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inner_rows_meet_when_all_have_come),
        cmocka_unit_test(inner_joins_hand_on_kinds),
        cmocka_unit_test(left_joins_turn_tuples),
        cmocka_unit_test(a_required_row_may_be_missing),
        cmocka_unit_test(rows_of_a_batch_see_each_other),
        cmocka_unit_test(null_meets_nothing),
        cmocka_unit_test(equal_rows_count),
        cmocka_unit_test(a_condition_decides_with_the_key),
        cmocka_unit_test(many_rows_under_one_key),
        cmocka_unit_test(mistakes_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
