/* test_op_join.c - joins of changelogs: who meets whom, rows that come alone and go again, keys that are NULL, equal rows, rows that
 * are replaced, conditions, time to live, semi and anti joins; with every batch size and with state that is pending. */
#include "columns/expr/expr.h"
#include "flow/operator/join.h"
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
    {                                                                                                                  \
        (const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__}))                             \
    }
#define LEFT "ROW<k INT, a STRING>"
#define RIGHT "ROW<k INT, b INT>"
#define BOTH "ROW<k INT, a STRING, k0 INT, b INT>"
#define CONFIG(name, ...)                                                                                              \
    {                                                                                                                  \
        .kind = name, .names = TEXTS("k", "a", "k0", "b"), __VA_ARGS__                                                 \
    }
#define BEFORE .emit_before = true

/* Rows for an input, and what comes of them. */
struct step {
    uint32_t input;
    const char *rows, *expected;
};

static void expect_keyed(const struct join_config *c, bool keyed, const struct step *steps, uint32_t count)
{
    for (uint32_t b = 0; b < COUNT_OF(backends); b++)
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("join"),
                                                                      .config = c,
                                                                      .in = LEFT,
                                                                      .in2 = RIGHT,
                                                                      .keys = keyed ? "k" : NULL,
                                                                      .keys2 = keyed ? "k" : NULL,
                                                                      .batch_rows = sizes[i],
                                                                      .backend = backends[b]});
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
    expect_keyed(config, true, (const struct step[]){__VA_ARGS__}, COUNT_OF(((const struct step[]){__VA_ARGS__})))

static void rows_meet_in_the_order_they_came(void **state)
{
    const struct join_config c = CONFIG("inner", BEFORE, .left_appends = true, .right_appends = true);

    (void)state;
    EXPECT(&c, {0, "1 | x\n2 | y\n1 | z", ""},
           {1, "1 | 10\n3 | 30\n2 | 20", "+I[1, x, 1, 10]\n+I[1, z, 1, 10]\n+I[2, y, 2, 20]\n"},
           {0, "3 | w\n1 | v", "+I[3, w, 3, 30]\n+I[1, v, 1, 10]\n"});
}

static void null_meets_nothing(void **state)
{
    const struct join_config c = CONFIG("full", BEFORE);

    (void)state;
    EXPECT(&c, {0, "null | x", "+I[null, x, null, null]\n"}, {1, "null | 1", "+I[null, null, null, 1]\n"},
           {0, "-D null | x", "-D[null, x, null, null]\n"});
}

static void null_meets_null_where_it_is_asked_for(void **state)
{
    const struct join_config c = CONFIG("inner", BEFORE, .null_safe = TEXTS("true"));

    (void)state;
    EXPECT(&c, {0, "null | x", ""}, {1, "null | 1", "+I[null, x, null, 1]\n"});
}

static void kinds_of_an_inner_join_are_those_of_its_input(void **state)
{
    const struct join_config c = CONFIG("inner", BEFORE);

    (void)state;
    EXPECT(&c, {0, "1 | x", ""}, {1, "1 | 5", "+I[1, x, 1, 5]\n"},
           {1, "-U 1 | 5\n+U 1 | 6", "-U[1, x, 1, 5]\n+U[1, x, 1, 6]\n"}, {0, "-D 1 | x", "-D[1, x, 1, 6]\n"});
}

static void equal_rows_are_counted(void **state)
{
    const struct join_config c = CONFIG("left", BEFORE);

    (void)state;
    EXPECT(&c, {0, "1 | x\n1 | x", "+I[1, x, null, null]\n+I[1, x, null, null]\n"},
           {1, "1 | 5", "-D[1, x, null, null]\n+I[1, x, 1, 5]\n-D[1, x, null, null]\n+I[1, x, 1, 5]\n"},
           {1, "1 | 5", "+I[1, x, 1, 5]\n+I[1, x, 1, 5]\n"}, {1, "-D 1 | 5", "-D[1, x, 1, 5]\n-D[1, x, 1, 5]\n"},
           {0, "-D 1 | x", "-D[1, x, 1, 5]\n"}, {1, "-D 1 | 5", "-D[1, x, 1, 5]\n+I[1, x, null, null]\n"});
}

static void an_outer_row_comes_alone_until_it_is_matched(void **state)
{
    const struct join_config c = CONFIG("full", BEFORE),
                             one = CONFIG("full", BEFORE, .left_row = true, .right_row = true);
    const struct join_config *const both[] = {&c, &one};

    (void)state;
    for (uint32_t i = 0; i < 2; i++)
        EXPECT(both[i], {0, "1 | x", "+I[1, x, null, null]\n"},
               {1, "1 | 5\n2 | 6", "-D[1, x, null, null]\n+I[1, x, 1, 5]\n+I[null, null, 2, 6]\n"},
               {1, "-D 1 | 5", "-D[1, x, 1, 5]\n+I[1, x, null, null]\n"},
               {0, "2 | y\n-D 1 | x", "-D[null, null, 2, 6]\n+I[2, y, 2, 6]\n-D[1, x, null, null]\n"},
               {0, "-D 2 | y", "-D[2, y, 2, 6]\n+I[null, null, 2, 6]\n"},
               {1, "-U 2 | 6\n+U 2 | 7", "-D[null, null, 2, 6]\n+I[null, null, 2, 7]\n"});
}

static void a_row_per_key_is_replaced(void **state)
{
    const struct join_config c = CONFIG("inner", .left_row = true, .left_after = true);
    const struct join_config outer = CONFIG("full", .left_row = true, .left_after = true, .right_row = true);

    (void)state;
    EXPECT(&c, {1, "1 | 5", ""}, {0, "1 | x\n+U 1 | y", "+I[1, x, 1, 5]\n+U[1, y, 1, 5]\n"},
           {1, "1 | 6", "+I[1, y, 1, 6]\n"},
           {0, "-D 1 | y\n1 | z", "-D[1, y, 1, 5]\n-D[1, y, 1, 6]\n+I[1, z, 1, 5]\n+I[1, z, 1, 6]\n"});
    EXPECT(&outer, {1, "1 | 5", "+I[null, null, 1, 5]\n"},
           {0, "1 | x\n+U 1 | y", "-D[null, null, 1, 5]\n+I[1, x, 1, 5]\n+U[1, y, 1, 5]\n"},
           {0, "-D 1 | y", "-D[1, y, 1, 5]\n+I[null, null, 1, 5]\n"});
}

static void rows_are_replaced_by_their_unique_key(void **state)
{
    const struct join_config c = CONFIG("right", .right_after = true, .right_unique = TEXTS("k", "b"));

    (void)state;
    EXPECT(&c, {1, "1 | 5\n1 | 6\n+U 1 | 5", "+I[null, null, 1, 5]\n+I[null, null, 1, 6]\n+U[null, null, 1, 5]\n"},
           {0, "1 | x", "-D[null, null, 1, 5]\n+I[1, x, 1, 5]\n-D[null, null, 1, 6]\n+I[1, x, 1, 6]\n"},
           {1, "-D 1 | 5", "-D[1, x, 1, 5]\n"}, {0, "-D 1 | x", "-D[1, x, 1, 6]\n+I[null, null, 1, 6]\n"});
}

static void rows_before_become_deletes_where_nobody_needs_them(void **state)
{
    const struct join_config c = CONFIG("inner", .left_row = false);

    (void)state;
    EXPECT(&c, {0, "1 | x\n2 | y", ""}, {1, "1 | 5", "+I[1, x, 1, 5]\n"},
           {1, "-U 1 | 5\n+U 2 | 5", "-D[1, x, 1, 5]\n+U[2, y, 2, 5]\n"});
}

static void semi_and_anti_joins_give_left_rows(void **state)
{
    const struct join_config semi = CONFIG("semi", BEFORE), anti = CONFIG("anti", BEFORE);

    (void)state;
    EXPECT(&semi, {0, "1 | x\n1 | x\n2 | y", ""}, {1, "1 | 5\n1 | 6", "+I[1, x]\n+I[1, x]\n"},
           {0, "1 | z\n3 | w", "+I[1, z]\n"}, {1, "-D 1 | 5", ""}, {1, "-D 1 | 6", "-D[1, x]\n-D[1, x]\n-D[1, z]\n"},
           {0, "-D 1 | x", ""}, {1, "1 | 7", "+I[1, x]\n+I[1, z]\n"});
    EXPECT(&anti, {0, "1 | x\nnull | n", "+I[1, x]\n+I[null, n]\n"}, {1, "1 | 5\n1 | 6\nnull | 7", "-D[1, x]\n"},
           {0, "1 | y\n2 | z", "+I[2, z]\n"}, {1, "-D 1 | 5\n-D 1 | 6", "+I[1, x]\n+I[1, y]\n"},
           {0, "-D 2 | z", "-D[2, z]\n"});
}

/* --- conditions -------------------------------------------------------------------------------------------------- */
static void with_condition(const char *text, struct join_config *c, bool keyed, const struct step *steps,
                           uint32_t count)
{
    struct mem mem;
    struct arena a;
    struct err e = {0};
    const struct type *row;
    struct expr *x;
    struct buf bytes;

    mem_init(&mem, "test", 0);
    arena_init(&a, &mem, 0);
    assert_int_equal(type_parse(&a, STR(BOTH), &row, &e), S_OK);
    assert_int_equal(expr_parse(&a, row, str_of(text), &x, &e), S_OK);
    buf_init(&bytes, &mem);
    expr_encode(x, &bytes);
    c->condition = (struct str){bytes.data, bytes.size};
    expect_keyed(c, keyed, steps, count);
    buf_release(&bytes);
    arena_release(&a);
}

static void a_condition_decides_with_the_key(void **state)
{
    struct join_config c = CONFIG("left", BEFORE);
    const struct step steps[] = {{0, "1 | x", "+I[1, x, null, null]\n"},
                                 {1, "1 | 5\n1 | 15", "-D[1, x, null, null]\n+I[1, x, 1, 15]\n"},
                                 {1, "-D 1 | 5", ""},
                                 {1, "-D 1 | 15", "-D[1, x, 1, 15]\n+I[1, x, null, null]\n"}};

    (void)state;
    with_condition("b > 10", &c, true, steps, COUNT_OF(steps));
}

static void a_condition_alone_is_enough(void **state)
{
    struct join_config c = CONFIG("inner", BEFORE);
    const struct step steps[] = {{0, "1 | x\n2 | y\n3 | z", ""},
                                 {1, "2 | 5\n3 | 6", "+I[1, x, 2, 5]\n+I[1, x, 3, 6]\n+I[2, y, 3, 6]\n"},
                                 {0, "-D 1 | x", "-D[1, x, 2, 5]\n-D[1, x, 3, 6]\n"}};

    (void)state;
    with_condition("k < k0", &c, false, steps, COUNT_OF(steps));
}

/* --- time to live, mistakes -------------------------------------------------------------------------------------- */
static void untouched_rows_are_forgotten(void **state)
{
    const struct join_config c = CONFIG("inner", BEFORE, .left_appends = true, .right_appends = true, .left_ttl_ms = 100,
                                                     .right_ttl_ms = 100),
                             rows = CONFIG("inner", .left_ttl_ms = 100, .right_ttl_ms = 100),
                             one = CONFIG("inner", .left_row = true, .left_ttl_ms = 100, .right_ttl_ms = 100);
    const struct join_config *const all[] = {&c, &rows, &one};

    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        struct op_driver *d = op_driver_create(&(struct op_setup){
            .type = op_find("join"), .config = all[i], .in = LEFT, .in2 = RIGHT, .keys = "k", .keys2 = "k"});
        op_set_time(d, 1000);
        op_push(d, 0, "1 | x");
        op_set_time(d, 1060);
        op_push(d, 1, "1 | 5");
        assert_string_equal(op_output(d), "+I[1, x, 1, 5]\n");
        op_set_time(d, 1120); /* meeting does not make a row live longer */
        op_push(d, 1, "1 | 6");
        assert_string_equal(op_output(d), "");
        op_driver_free(d);
    }
}

static void each_side_has_its_own_time_to_live(void **state)
{
    const struct join_config c = CONFIG("inner", BEFORE, .left_appends = true, .right_appends = true, .right_ttl_ms = 100);

    (void)state;
    struct op_driver *d = op_driver_create(
        &(struct op_setup){.type = op_find("join"), .config = &c, .in = LEFT, .in2 = RIGHT, .keys = "k", .keys2 = "k"});
    op_set_time(d, 1000);
    op_push(d, 0, "1 | x");
    op_push(d, 1, "1 | 5");
    assert_string_equal(op_output(d), "+I[1, x, 1, 5]\n");
    op_set_time(d, 1120);
    op_push(d, 0, "1 | y");
    assert_string_equal(op_output(d), "");
    op_push(d, 1, "1 | 6");
    assert_string_equal(op_output(d), "+I[1, x, 1, 6]\n+I[1, y, 1, 6]\n");
    op_driver_free(d);
}

static void mistakes_are_told(void **state)
{
    const struct join_config kind = CONFIG("sideways", BEFORE);

    (void)state;
    struct op_driver *d = op_driver_create(&(struct op_setup){
        .type = op_find("join"), .config = &kind, .in = LEFT, .in2 = RIGHT, .keys = "k", .keys2 = "k"});
    assert_string_equal(op_driver_error(d), "unknown kind of join 'sideways'");
    op_driver_free(d);
}

/* In batch mode rows that come alone wait for the end; those without a key know at once that they do. */
static void expect_end(const struct join_config *c, const char *before, const char *expected)
{
    for (uint32_t b = 0; b < COUNT_OF(backends); b++)
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("join"),
                                                                      .config = c,
                                                                      .in = LEFT,
                                                                      .in2 = RIGHT,
                                                                      .keys = "k",
                                                                      .keys2 = "k",
                                                                      .batch_rows = sizes[i],
                                                                      .backend = backends[b]});
            op_push(d, 0, "1 | x\n1 | x\n2 | y\n2 | y\nnull | n");
            op_push(d, 1, "1 | 10\n3 | 30\nnull | 0");
            assert_string_equal(op_output(d), before);
            op_push_end(d);
            assert_string_equal(op_driver_error(d), "");
            assert_string_equal(op_output(d), expected);
            op_driver_free(d);
        }
}

static void in_batch_mode_rows_alone_wait_for_the_end(void **state)
{
    const struct join_config left = CONFIG("left", .at_end = true, .left_appends = true, .right_appends = true);
    const struct join_config full = CONFIG("full", .at_end = true, .left_appends = true, .right_appends = true);
    const struct join_config semi = CONFIG("semi", .at_end = true, .left_appends = true, .right_appends = true);
    const struct join_config anti = CONFIG("anti", .at_end = true, .left_appends = true, .right_appends = true);

    (void)state;
    expect_end(&left, "+I[null, n, null, null]\n+I[1, x, 1, 10]\n+I[1, x, 1, 10]\n", "+I[2, y, null, null]\n+I[2, y, null, null]\n");
    expect_end(&full, "+I[null, n, null, null]\n+I[1, x, 1, 10]\n+I[1, x, 1, 10]\n+I[null, null, null, 0]\n",
               "+I[2, y, null, null]\n+I[2, y, null, null]\n+I[null, null, 3, 30]\n");
    expect_end(&semi, "", "+I[1, x]\n+I[1, x]\n");
    expect_end(&anti, "+I[null, n]\n", "+I[2, y]\n+I[2, y]\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_meet_in_the_order_they_came),
        cmocka_unit_test(in_batch_mode_rows_alone_wait_for_the_end),
        cmocka_unit_test(null_meets_nothing),
        cmocka_unit_test(null_meets_null_where_it_is_asked_for),
        cmocka_unit_test(kinds_of_an_inner_join_are_those_of_its_input),
        cmocka_unit_test(equal_rows_are_counted),
        cmocka_unit_test(an_outer_row_comes_alone_until_it_is_matched),
        cmocka_unit_test(a_row_per_key_is_replaced),
        cmocka_unit_test(rows_are_replaced_by_their_unique_key),
        cmocka_unit_test(rows_before_become_deletes_where_nobody_needs_them),
        cmocka_unit_test(semi_and_anti_joins_give_left_rows),
        cmocka_unit_test(a_condition_decides_with_the_key),
        cmocka_unit_test(a_condition_alone_is_enough),
        cmocka_unit_test(untouched_rows_are_forgotten),
        cmocka_unit_test(each_side_has_its_own_time_to_live),
        cmocka_unit_test(mistakes_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
