/* test_bucket.c - the bucket of a value (fn_bucket): it follows from the value alone, lies within what was asked, of NULL is the first;
 * values spread; mistakes of a plan. */
#include "columns/expr/expr.h"
#include "ground/base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

struct fixture {
    struct mem mem;
    struct arena a;
};

static struct expr *number(struct fixture *f, uint32_t n)
{
    struct expr_maker m = {.a = &f->a};
    struct expr *x;

    assert_int_equal(
        expr_constant(&m, type_new(&f->a, T_INT, 0, 0, false), str_of(arena_printf(&f->a, "%u", n)), &x, NULL), S_OK);
    return x;
}

/* Constants are folded: the call is its answer. */
static int32_t bucket(struct fixture *f, struct expr *value, uint32_t count)
{
    struct expr_maker m = {.a = &f->a};
    struct expr *args[] = {value, number(f, count)}, *x;
    struct err e = {0};

    assert_int_equal(expr_call(&m, STR("$HASH_BUCKET"), args, 2, &x, &e), S_OK);
    assert_int_equal(x->kind, EXPR_CONSTANT);
    assert_false(x->type->nullable);
    return VECTOR_VALUES(x->constant, int32_t)[0];
}

static void buckets_follow_from_values(void **state)
{
    struct fixture f;
    struct expr_maker m = {.a = &f.a};
    uint32_t seen = 0;

    (void)state;
    mem_init(&f.mem, "test", 0);
    arena_init(&f.a, &f.mem, 0);
    for (uint32_t i = 0; i < 100; i++) {
        int32_t b = bucket(&f, number(&f, i), 8);
        assert_in_range(b, 0, 7);
        assert_int_equal(b, bucket(&f, number(&f, i), 8));
        assert_int_equal(bucket(&f, number(&f, i), 1), 0);
        seen |= 1u << b;
    }
    assert_int_equal(seen, 0xff);
    assert_int_equal(bucket(&f, expr_null(&m, type_new(&f.a, T_BIGINT, 0, 0, true)), 8), 0);
    arena_release(&f.a);
    mem_release(&f.mem);
}

static void mistakes_of_a_plan_are_told(void **state)
{
    struct fixture f;
    struct expr_maker m = {.a = &f.a};
    struct expr *x;
    struct err e = {0};

    (void)state;
    mem_init(&f.mem, "test", 0);
    arena_init(&f.a, &f.mem, 0);
    struct expr *args[] = {number(&f, 3), number(&f, 0)};
    assert_int_equal(expr_call(&m, STR("$HASH_BUCKET"), args, 2, &x, &e), E_GRAPH);
    assert_string_equal(e.text, "$HASH_BUCKET takes a value and the number of buckets");
    assert_int_equal(expr_call(&m, STR("$HASH_BUCKET"), args, 1, &x, NULL), E_GRAPH);
    arena_release(&f.a);
    mem_release(&f.mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_follow_from_values),
        cmocka_unit_test(mistakes_of_a_plan_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
