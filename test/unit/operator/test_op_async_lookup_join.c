/* test_op_async_lookup_join.c - SQL's asynchronous lookup join on the driver's clock, where an attempt runs at once: rows beside those of
 * a table that a function answers for, conditions, the cache, keys that have rows only later, order and time limits. */
#include "columns/expr/expr.h"
#include "columns/function/user_function.h"
#include "flow/operator/async_lookup_join.h"
#include "ground/base/str.h"
#include "support/op_driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { KEYS = 10 };

/* Key k has rows[k] rows from the time on at which it was asked misses[k] times in vain; it fails failures[k] times before. */
static int rows[KEYS], misses[KEYS], failures[KEYS], asked[KEYS];

struct pair {
    int32_t k;
    struct tw_str v;
};

static enum tw_status find(struct tw_call *c, const void *args)
{
    int32_t k = *(const int32_t *)args;
    char text[32];

    asked[k]++;
    if (failures[k] > 0) {
        failures[k]--;
        return tw_call_fail(c, "nobody answers for %d", k);
    }
    if (misses[k] > 0) {
        misses[k]--;
        return TW_OK;
    }
    for (int i = 0; i < rows[k]; i++) {
        int n = snprintf(text, sizeof text, "v%d.%d", k, i);
        tw_call_emit(c, &(struct pair){k, {text, (uint32_t)n}});
    }
    return TW_OK;
}
TW_SQL_FUNCTION(lookup_pair) = {
    .kind = TW_SQL_TABLE, .flags = TW_SQL_ASYNC, .overloads = {{"INT -> ROW<k INT, v STRING>", .rows = find}}};

static const struct user_function *function;
static const struct fn_def *named(void *arg, const struct str *parts, uint32_t count)
{
    (void)arg;
    (void)parts;
    (void)count;
    return &function->def;
}
static const struct fn_def *identified(void *arg, struct str identity)
{
    (void)arg;
    return str_equal(identity, STR("lib#pair")) ? &function->def : NULL;
}
static const struct fn_users users = {.named = named, .identified = identified};

static const char *const kept[] = {"k", "v"}, *const both_names[] = {"a", "b", "k", "v"}, *const left_keys[] = {"a"},
                  *const order_keys[] = {"b"};

struct fixture {
    struct mem mem;
    struct arena arena;
    struct buf columns, condition, asks;
    const struct type *schema, *both;
    struct option options[10];
    struct async_lookup_join_config config;
};

static void fixture_init(struct fixture *f, const char *kind)
{
    memset(f, 0, sizeof *f);
    memset(misses, 0, sizeof misses);
    memset(failures, 0, sizeof failures);
    memset(asked, 0, sizeof asked);
    for (int k = 0; k < KEYS; k++) rows[k] = k == 3 ? 0 : k == 2 ? 2 : 1;
    mem_init(&f->mem, "test", 0);
    arena_init(&f->arena, &f->mem, 0);
    buf_init(&f->columns, &f->mem);
    buf_init(&f->condition, &f->mem);
    buf_init(&f->asks, &f->mem);
    assert_int_equal(user_function_make(&f->arena, &tw_sql_lookup_pair, "pair", "lib#pair", &function, NULL), S_OK);
    assert_int_equal(type_parse(&f->arena, STR("ROW<k INT, v STRING>"), &f->schema, NULL), S_OK);
    assert_int_equal(type_parse(&f->arena, STR("ROW<a INT, b INT, k INT, v STRING>"), &f->both, NULL), S_OK);
    struct expr_maker m = {.a = &f->arena};
    for (uint32_t i = 0; i < 2; i++) expr_encode(expr_column(&m, f->schema, i), &f->columns);
    expr_encode(expr_column(&m, f->schema, 0), &f->asks);
    f->options[0] = (struct option){"function", "lib#pair"};
    f->options[1] = (struct option){"keys", "k"};
    f->config = (struct async_lookup_join_config){.join = {.kind = kind,
                                                           .connector = "function",
                                                           .options = {f->options, 2},
                                                           .schema = f->schema,
                                                           .columns = {f->columns.data, f->columns.size},
                                                           .columns_names = {kept, 2},
                                                           .left_keys = {left_keys, 1},
                                                           .right_keys = {kept, 1},
                                                           .names = {both_names, 4},
                                                           .asks = {f->asks.data, f->asks.size},
                                                           .ask_count = 1},
                                                  .capacity = 5};
}

static void fixture_condition(struct fixture *f, const char *text)
{
    struct expr *x;

    assert_int_equal(expr_parse(&f->arena, f->both, str_of(text), &x, NULL), S_OK);
    expr_encode(x, &f->condition);
    f->config.join.condition = (struct str){f->condition.data, f->condition.size};
}

static void option_add(struct fixture *f, const char *key, const char *value)
{
    f->options[f->config.join.options.count++] = (struct option){key, value};
}

static void fixture_release(struct fixture *f)
{
    buf_release(&f->columns);
    buf_release(&f->condition);
    buf_release(&f->asks);
    arena_release(&f->arena);
    mem_release(&f->mem);
}

static struct op_driver *driver(struct fixture *f, uint32_t batch_rows)
{
    return op_driver_create(&(struct op_setup){.type = op_find("async_lookup_join"),
                                               .config = &f->config,
                                               .in = "ROW<a INT, b INT>",
                                               .batch_rows = batch_rows,
                                               .users = &users,
                                               .watermarks = true});
}

static void answers(struct op_driver *d, const char *in, const char *expected)
{
    op_push(d, 0, in);
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(op_output(d), expected);
}

static void expect(const char *kind, const char *condition, const char *in, const char *expected)
{
    static const uint32_t sizes[] = {0, 1, 2, 3};

    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct fixture f;
        fixture_init(&f, kind);
        if (condition != NULL) fixture_condition(&f, condition);
        struct op_driver *d = driver(&f, sizes[i]);
        answers(d, in, expected);
        op_driver_free(d);
        fixture_release(&f);
    }
}

static void rows_meet_all_of_their_key(void **state)
{
    (void)state;
    expect("inner", NULL, "1 | 10\n3 | 40\n2 | 30\nnull | 0\n4 | 20\n1 | 11\n1 | 12",
           "+I[1, 10, 1, v1.0]\n+I[2, 30, 2, v2.0]\n+I[2, 30, 2, v2.1]\n+I[4, 20, 4, v4.0]\n+I[1, 11, 1, v1.0]\n+I[1, 12, 1, v1.0]\n");
    expect("left", NULL, "@5 1 | 10\n@6 3 | 40\n@7 null | 0", "+I[1, 10, 1, v1.0]@5\n+I[3, 40, null, null]@6\n+I[null, 0, null, null]@7\n");
}

static void kinds_are_those_of_the_row(void **state)
{
    (void)state;
    expect("left", NULL, "2 | 10\n-U 2 | 10\n+U 3 | 11\n-D 3 | 11",
           "+I[2, 10, 2, v2.0]\n+I[2, 10, 2, v2.1]\n-U[2, 10, 2, v2.0]\n-U[2, 10, 2, v2.1]\n+U[3, 11, null, null]\n-D[3, 11, null, null]\n");
}

static void a_condition_decides_over_all_pairs_of_a_row(void **state)
{
    (void)state;
    expect("left", "v = 'v2.1'", "1 | 10\n2 | 20\n2 | 21", "+I[1, 10, null, null]\n+I[2, 20, 2, v2.1]\n+I[2, 21, 2, v2.1]\n");
    expect("inner", "b > 10", "2 | 10\n2 | 11\n4 | 12", "+I[2, 11, 2, v2.0]\n+I[2, 11, 2, v2.1]\n+I[4, 12, 4, v4.0]\n");
}

static void a_key_may_have_many_rows(void **state)
{
    static const uint32_t sizes[] = {0, 1, 7};

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct fixture f;
        fixture_init(&f, "inner");
        fixture_condition(&f, "b > 0");
        rows[5] = 5000;
        struct op_driver *d = driver(&f, sizes[i]);
        op_push(d, 0, "5 | 1\n5 | 0\n1 | 2");
        const char *at = op_output(d);
        char line[64];
        for (int n = 0; n < 5000; n++) {
            size_t size = (size_t)snprintf(line, sizeof line, "+I[5, 1, 5, v5.%d]\n", n);
            assert_memory_equal(at, line, size);
            at += size;
        }
        assert_string_equal(at, "+I[1, 2, 1, v1.0]\n");
        op_driver_free(d);
        fixture_release(&f);
    }
}

/* --- the cache --------------------------------------------------------------------------------------------------- */
static void what_was_found_is_kept(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, "left");
    option_add(&f, "lookup.cache", "PARTIAL");
    option_add(&f, "lookup.partial-cache.expire-after-write", "1 min");
    option_add(&f, "lookup.partial-cache.cache-missing-key", "false");
    struct op_driver *d = driver(&f, 0);
    op_set_time(d, 1000);
    answers(d, "2 | 1\n3 | 2\n2 | 3\n3 | 4",
            "+I[2, 1, 2, v2.0]\n+I[2, 1, 2, v2.1]\n+I[3, 2, null, null]\n+I[2, 3, 2, v2.0]\n+I[2, 3, 2, v2.1]\n+I[3, 4, null, null]\n");
    assert_in_range(asked[2], 1, 2); /* rows of one batch may both be under way */
    assert_int_equal(asked[3], 2);
    int before = asked[2];
    op_set_time(d, 60999);
    rows[2] = 1;
    answers(d, "2 | 5", "+I[2, 5, 2, v2.0]\n+I[2, 5, 2, v2.1]\n");
    assert_int_equal(asked[2], before);
    op_set_time(d, 61000);
    answers(d, "2 | 6", "+I[2, 6, 2, v2.0]\n");
    assert_int_equal(asked[2], before + 1);
    op_driver_free(d);
    fixture_release(&f);
}

static void nothing_is_kept_without_a_cache(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, "inner");
    struct op_driver *d = driver(&f, 1);
    answers(d, "1 | 1\n1 | 2", "+I[1, 1, 1, v1.0]\n+I[1, 2, 1, v1.0]\n");
    assert_int_equal(asked[1], 2);
    op_driver_free(d);
    fixture_release(&f);
}

/* --- again ------------------------------------------------------------------------------------------------------- */
static void keys_without_rows_are_asked_for_again(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, "left");
    f.config.join.retries = 2;
    f.config.join.retry_delay_ms = 100;
    misses[1] = 2;
    misses[4] = 3;
    struct op_driver *d = driver(&f, 0);
    op_set_time(d, 1000);
    answers(d, "1 | 10\n4 | 40\n2 | 20", "");
    op_set_time(d, 1099);
    assert_int_equal(asked[1], 1);
    op_set_time(d, 1100);
    op_set_time(d, 1200);
    assert_string_equal(op_output(d), "+I[1, 10, 1, v1.0]\n+I[4, 40, null, null]\n+I[2, 20, 2, v2.0]\n+I[2, 20, 2, v2.1]\n");
    assert_int_equal(asked[1], 3);
    assert_int_equal(asked[4], 3);
    assert_int_equal(asked[2], 1);
    op_driver_free(d);
    fixture_release(&f);
}

/* Not a miss: the table has the key, and a condition drops its row. */
static void a_row_that_is_dropped_is_no_miss(void **state)
{
    struct fixture f;
    struct expr *x;
    struct buf filter;

    (void)state;
    fixture_init(&f, "left");
    buf_init(&filter, &f.mem);
    assert_int_equal(expr_parse(&f.arena, f.schema, STR("k > 1"), &x, NULL), S_OK);
    expr_encode(x, &filter);
    f.config.join.filter = (struct str){filter.data, filter.size};
    f.config.join.retries = 2;
    f.config.join.retry_delay_ms = 100;
    struct op_driver *d = driver(&f, 0);
    answers(d, "1 | 10\n2 | 20", "+I[1, 10, null, null]\n+I[2, 20, 2, v2.0]\n+I[2, 20, 2, v2.1]\n");
    assert_int_equal(asked[1], 1);
    op_driver_free(d);
    buf_release(&filter);
    fixture_release(&f);
}

static void what_failed_is_repeated_as_often_as_it_may(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, "inner");
    option_add(&f, "lookup.max-retries", "1");
    failures[1] = 1;
    failures[2] = 2;
    struct op_driver *d = driver(&f, 0);
    op_set_time(d, 1000);
    answers(d, "1 | 10", "");
    op_set_time(d, 2000);
    assert_string_equal(op_output(d), "+I[1, 10, 1, v1.0]\n");
    answers(d, "2 | 20", "");
    op_set_time(d, 3000);
    assert_string_equal(op_driver_error(d),
                        "attempt 2 of 2: nobody answers for 2 in \"pair(k)\", row +I[2] (correct the value, or remove such rows before)");
    op_driver_free(d);
    fixture_release(&f);
}

/* --- order and time ---------------------------------------------------------------------------------------------- */
static void rows_overtake_each_other_but_no_watermark(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, "inner");
    f.config.unordered = true;
    f.config.join.retries = 1;
    f.config.join.retry_delay_ms = 100;
    misses[1] = 1;
    struct op_driver *d = driver(&f, 0);
    op_set_time(d, 1000);
    answers(d, "1 | 10\n2 | 20", "+I[2, 20, 2, v2.0]\n+I[2, 20, 2, v2.1]\n");
    op_push_watermark(d, 7);
    answers(d, "4 | 40", "");
    op_set_time(d, 1100);
    assert_string_equal(op_output(d), "+I[1, 10, 1, v1.0]\nW@7\n+I[4, 40, 4, v4.0]\n");
    op_driver_free(d);
    fixture_release(&f);
}

static void rows_of_one_key_do_not(void **state)
{
    static const uint32_t sizes[] = {0, 1, 2};

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct fixture f;
        fixture_init(&f, "left");
        f.config.order_keys = (struct text_list){order_keys, 1};
        f.config.capacity = 10;
        f.config.join.retries = 1;
        f.config.join.retry_delay_ms = 100;
        misses[1] = 1;
        misses[4] = 1;
        struct op_driver *d = driver(&f, sizes[i]);
        op_set_time(d, 1000);
        answers(d, "1 | 10\n-U 2 | 10\n+U 4 | 10\n5 | 20\n-D 6 | 10\n7 | 30", "+I[5, 20, 5, v5.0]\n+I[7, 30, 7, v7.0]\n");
        assert_int_equal(asked[2], 0); /* it waits for its turn */
        op_set_time(d, 1100);
        assert_string_equal(op_output(d), "+I[1, 10, 1, v1.0]\n-U[2, 10, 2, v2.0]\n-U[2, 10, 2, v2.1]\n");
        op_set_time(d, 1200);
        assert_string_equal(op_output(d), "+U[4, 10, 4, v4.0]\n-D[6, 10, 6, v6.0]\n");
        op_push_end(d);
        assert_string_equal(op_output(d), "W@max\n");
        op_driver_free(d);
        fixture_release(&f);
    }
}

static void the_time_limit_covers_all_attempts(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, "inner");
    f.config.timeout_ms = 250;
    f.config.join.retries = 10;
    f.config.join.retry_delay_ms = 100;
    misses[1] = 11;
    struct op_driver *d = driver(&f, 0);
    op_set_time(d, 1000);
    answers(d, "1 | 10", "");
    op_set_time(d, 1100);
    op_set_time(d, 1200);
    assert_string_equal(op_driver_error(d), "");
    op_set_time(d, 1250);
    assert_string_equal(op_driver_error(d),
                        "Async function call has timed out: row +I[1, 10], no answer within 250 ms (allow more time: "
                        "table.exec.async-lookup.timeout, or 'timeout' of the hint LOOKUP)");
    op_driver_free(d);
    fixture_release(&f);
}

static void mistakes_are_told(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, "inner");
    f.config.capacity = 0;
    struct op_driver *d = driver(&f, 0);
    assert_string_equal(op_driver_error(d), "0 rows at once; 1 to 100000");
    op_driver_free(d);
    f.config.capacity = 1;
    f.config.join.connector = "sequence";
    d = driver(&f, 0);
    assert_string_equal(op_driver_error(d), "connector 'sequence' finds no rows by keys");
    op_driver_free(d);
    f.config.join.connector = "function";
    f.options[0].value = "lib#other";
    d = driver(&f, 0);
    op_push(d, 0, "1 | 10");
    assert_string_equal(op_driver_error(d), "connector 'function': there is no function 'lib#other' any more");
    op_driver_free(d);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_meet_all_of_their_key),
        cmocka_unit_test(kinds_are_those_of_the_row),
        cmocka_unit_test(a_condition_decides_over_all_pairs_of_a_row),
        cmocka_unit_test(a_key_may_have_many_rows),
        cmocka_unit_test(what_was_found_is_kept),
        cmocka_unit_test(nothing_is_kept_without_a_cache),
        cmocka_unit_test(keys_without_rows_are_asked_for_again),
        cmocka_unit_test(a_row_that_is_dropped_is_no_miss),
        cmocka_unit_test(what_failed_is_repeated_as_often_as_it_may),
        cmocka_unit_test(rows_overtake_each_other_but_no_watermark),
        cmocka_unit_test(rows_of_one_key_do_not),
        cmocka_unit_test(the_time_limit_covers_all_attempts),
        cmocka_unit_test(mistakes_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
