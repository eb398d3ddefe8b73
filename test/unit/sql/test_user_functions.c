/* test_user_functions.c - what a library may say that is wrong, one sentence each; calls that are bound and run without a session. */
#include "columns/expr/expr.h"
#include "columns/function/user_function.h"
#include "ground/base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static enum tw_status run(struct tw_call *c, const void *args, void *result)
{
    (void)c;
    *(int32_t *)result = *(const int32_t *)args + 1;
    return TW_OK;
}
static enum tw_status run_all(struct tw_call *c)
{
    (void)c;
    return TW_OK;
}

static struct mem mem;
static struct arena arena;

static void refused(const struct tw_sql_entry *entry, const char *text)
{
    const struct user_function *f;
    struct err e = {0};

    assert_true(user_function_make(&arena, entry, "f", "lib#f", &f, &e) < 0);
    assert_string_equal(e.text, text);
}

#define REFUSED(text, ...)                                                                                             \
    do {                                                                                                               \
        static const struct tw_sql_function f = {__VA_ARGS__};                                                         \
        refused(&(struct tw_sql_entry){TW_SQL_ABI, sizeof f, "f", &f}, text);                                          \
    } while (0)
#define SCALAR(...) .kind = TW_SQL_SCALAR, .overloads = {__VA_ARGS__}

static void what_is_refused(void **state)
{
    static const struct tw_sql_function good = {SCALAR({"INT -> INT", .run_row = run})};

    (void)state;
    refused(&(struct tw_sql_entry){TW_SQL_ABI + 1, sizeof good, "f", &good},
            "it was compiled against other headers of Thalweg (version 2); compile it anew");
    refused(&(struct tw_sql_entry){TW_SQL_ABI, sizeof good - 8, "f", &good},
            "it was compiled against other headers of Thalweg (version 1); compile it anew");
    refused(&(struct tw_sql_entry){TW_SQL_ABI, sizeof good, "f", NULL}, "it is empty");
    REFUSED("its kind is 0, which there is not", .overloads = {{"INT -> INT", .run_row = run}});
    REFUSED("it has no overload", .kind = TW_SQL_SCALAR);
    REFUSED("'INT, INT' is no signature; write it as 'STRING, INT -> STRING'", SCALAR({"INT, INT", .run_row = run}));
    REFUSED("'INT..., STRING -> INT' is no signature; write it as 'STRING, INT -> STRING'",
            SCALAR({"INT..., STRING -> INT", .run_row = run}));
    REFUSED("'INT -> INT' must have one of .run_row and .run_batch", SCALAR({"INT -> INT"}));
    REFUSED("'INT -> INT' must have one of .run_row and .run_batch", SCALAR({"INT -> INT", .run_row = run, .run_batch = run_all}));
    REFUSED("'INT -> INT' must have .rows", .kind = TW_SQL_TABLE, .overloads = {{"INT -> INT", .run_row = run}});
    REFUSED("'ARRAY<INT> -> INT': ARRAY, MAP, MULTISET and ROW are for .run_row", SCALAR({"ARRAY<INT> -> INT", .run_batch = run_all}));
    REFUSED("'INTT -> INT': unknown type 'INTT' at position 1 of the type:\n  INTT\n  ^",
            SCALAR({"INT -> INT", .run_row = run}, {"INTT -> INT", .run_row = run}));
    REFUSED("'INT -> ' is no signature; write it as 'STRING, INT -> STRING'", SCALAR({"INT -> ", .run_row = run}));
}

static enum tw_status on_row(struct tw_call *c, void *acc, const void *args)
{
    (void)c, (void)acc, (void)args;
    return TW_OK;
}
static enum tw_status on_value(struct tw_call *c, const void *acc, void *result)
{
    (void)c, (void)acc, (void)result;
    return TW_OK;
}
static enum tw_status on_emit(struct tw_call *c, const void *acc)
{
    (void)c, (void)acc;
    return TW_OK;
}

#define AGGREGATE(...) .kind = TW_SQL_AGGREGATE, .overloads = {{__VA_ARGS__}}

static void aggregates_that_are_refused(void **state)
{
    (void)state;
    REFUSED("'INT -> INT' must have .accumulate and .value", AGGREGATE("INT -> INT", .accumulator = "INT", .accumulate = on_row));
    REFUSED("'INT -> INT' needs an .accumulator, types like 'BIGINT, DOUBLE'",
            AGGREGATE("INT -> INT", .accumulate = on_row, .value = on_value));
    REFUSED("'INT -> INT' needs an .accumulator, types like 'BIGINT, DOUBLE'",
            AGGREGATE("INT -> INT", .accumulator = "", .accumulate = on_row, .value = on_value));
    REFUSED("the accumulator of 'INT -> INT' holds STRING, but only values of fixed size can be state",
            AGGREGATE("INT -> INT", .accumulator = "INT, STRING", .accumulate = on_row, .value = on_value));
    REFUSED("'INT -> INT' keeps values, so .accumulator_size says how large its accumulator is (1 to 65536 bytes)",
            .flags = TW_SQL_KEEPS_VALUES, AGGREGATE("INT -> INT", .accumulate = on_row, .value = on_value));
    REFUSED("'INT... -> INT': an aggregate has so many arguments as it says",
            AGGREGATE("INT... -> INT", .accumulator = "INT", .accumulate = on_row, .value = on_value));
    REFUSED("'INT -> INT' must have .accumulate and .value",
            AGGREGATE("INT -> INT", .accumulator = "INT", .accumulate = on_row, .value = on_value, .emit = on_emit));
    REFUSED("'INT -> INT' must have .accumulate and .emit, without .value", .kind = TW_SQL_TABLE_AGGREGATE,
            .overloads = {{"INT -> INT", .accumulator = "INT", .accumulate = on_row, .value = on_value}});
    REFUSED("'INT... -> INT': an aggregate has so many arguments as it says", .kind = TW_SQL_TABLE_AGGREGATE,
            .overloads = {{"INT... -> INT", .accumulator = "INT", .accumulate = on_row, .emit = on_emit}});
}

static void bound_and_folded(void **state)
{
    static const struct tw_sql_function plus_one = {SCALAR({"INT -> INT", .run_row = run})};
    const struct tw_sql_entry entry = {TW_SQL_ABI, sizeof plus_one, "plus_one", &plus_one};
    const struct expr_maker m = {.a = &arena};
    const struct user_function *f;
    struct expr *seven, *eight;
    struct err e = {0};

    (void)state;
    assert_int_equal(user_function_make(&arena, &entry, "plus_one", "lib#plus_one", &f, &e), S_OK);
    assert_int_equal(expr_constant(&m, &type_int, STR("7"), &seven, &e), S_OK);
    assert_int_equal(expr_call_of(&m, &f->def, &seven, 1, &eight, &e), S_OK);
    assert_int_equal(eight->kind, EXPR_CONSTANT);
    assert_int_equal(VECTOR_VALUES(eight->constant, int32_t)[0], 8);
    assert_true(eight->type->nullable); /* as its signature says */
    assert_string_equal(f->def.identity, "lib#plus_one");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_refused), cmocka_unit_test(aggregates_that_are_refused), cmocka_unit_test(bound_and_folded)};

    mem_init(&mem, "test", 0);
    arena_init(&arena, &mem, 0);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_release(&arena);
    mem_release(&mem);
    return failed;
}
