/* test_expr_branch.c - CASE, COALESCE, AND and OR over full batches with selections: each row has the value that rules for
 * one row give, and a part that would fail is evaluated only where it is asked for. */
#include "columns/expr/expr.h"

#include "ground/base/str.h"
#include "support/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

enum { NULL_VALUE = -1000000 };

struct world {
    struct mem mem;
    struct arena arena;
    struct err e;
    struct expr_maker m;
    const struct type *row;
    struct batch *b;
    struct expr *x, *y;
};

/* x: 0..4, every eleventh NULL; y: the number of the row, every third NULL. */
static int64_t x_of(uint32_t i) { return i % 11 == 0 ? NULL_VALUE : (int64_t)i % 5; }
static int64_t y_of(uint32_t i) { return i % 3 == 0 ? NULL_VALUE : (int64_t)i; }

static void put(struct vector *v, uint32_t i, int64_t value)
{
    if (value == NULL_VALUE) vector_set_null(v, i);
    else VECTOR_VALUES(v, int64_t)[i] = value;
}

static void world_open(struct world *w)
{
    *w = (struct world){0};
    mem_init(&w->mem, "test", 0);
    arena_init(&w->arena, &w->mem, 0);
    w->m = (struct expr_maker){.a = &w->arena};
    w->row = rows_type(&w->arena, "ROW<x BIGINT, y BIGINT>");
    w->b = batch_create(w->row, BATCH_ROWS, &w->mem);
    for (uint32_t i = 0; i < BATCH_ROWS; i++) {
        put(&w->b->cols[0], i, x_of(i));
        put(&w->b->cols[1], i, y_of(i));
    }
    w->x = expr_column(&w->m, w->row, 0);
    w->y = expr_column(&w->m, w->row, 1);
}

static void world_close(struct world *w)
{
    batch_free(w->b);
    arena_release(&w->arena);
    mem_release(&w->mem);
}

static struct expr *number(struct world *w, const char *text)
{
    struct expr *x;

    assert_int_equal(expr_constant(&w->m, type_new(&w->arena, T_BIGINT, 0, 0, false), str_of(text), &x, &w->e), S_OK);
    return x;
}

static struct expr *call(struct world *w, const char *name, struct expr *a, struct expr *b)
{
    struct expr *x;

    assert_int_equal(expr_call(&w->m, str_of(name), (struct expr *[]){a, b}, 2, &x, &w->e), S_OK);
    return x;
}

static struct expr *branch(struct world *w, enum expr_kind kind, struct expr *a, struct expr *b, struct expr *c)
{
    struct expr *x;

    assert_int_equal(expr_branch(&w->m, kind, (struct expr *[]){a, b, c}, c != NULL ? 3 : 2, &x, &w->e), S_OK);
    return x;
}

static struct expr *quotient(struct world *w) { return call(w, "/", number(w, "100"), w->x); } /* fails for x = 0 */

static int64_t value_at(const struct vector *v, uint32_t row)
{
    if (vector_is_null(v, row)) return NULL_VALUE;
    uint32_t at = vector_at(v, row);
    const struct vector *base = vector_values(v);
    return base->phys == P_BOOL ? VECTOR_VALUES(base, bool)[at] : VECTOR_VALUES(base, int64_t)[at];
}

/* Batches of several sizes; all rows, every step-th from `first` on, none. One evaluator for all. */
static void check(struct world *w, const struct expr *x, int64_t (*wanted)(uint32_t row))
{
    static const uint32_t sizes[] = {BATCH_ROWS, 1, 65, BATCH_ROWS}, steps[] = {0, 1, 2, 3, 7, 64, BATCH_ROWS};
    struct expr_run *run = expr_run_create(x, NULL, BATCH_ROWS, &w->mem);
    uint16_t rows[BATCH_ROWS];
    const struct vector *v;

    for (uint32_t s = 0; s < COUNT_OF(sizes) * COUNT_OF(steps); s++) {
        uint32_t step = steps[s % COUNT_OF(steps)], n = 0;
        w->b->count = sizes[s / COUNT_OF(steps)];
        for (uint32_t i = step / 2; step > 0 && i < w->b->count; i += step) rows[n++] = (uint16_t)i;
        w->b->sel = step > 0 ? rows : NULL;
        w->b->sel_count = n;
        assert_int_equal(expr_eval(run, w->b, 0, &v, &w->e), S_OK);
        BATCH_EACH(w->b, i, row) assert_int_equal(value_at(v, row), wanted(row));
    }
    w->b->sel = NULL;
    w->b->count = BATCH_ROWS;
    expr_run_free(run);
}

static int64_t case_of(uint32_t i) { return x_of(i) == 0 ? -1 : x_of(i) == NULL_VALUE ? NULL_VALUE : 100 / x_of(i); }
static int64_t coalesce_of(uint32_t i)
{
    return y_of(i) != NULL_VALUE ? y_of(i) : case_of(i) != NULL_VALUE ? case_of(i) : -7;
}
static int64_t and_of(uint32_t i) { return x_of(i) == NULL_VALUE ? NULL_VALUE : x_of(i) >= 1 && x_of(i) <= 3; }
static int64_t or_of(uint32_t i) { return x_of(i) == NULL_VALUE ? NULL_VALUE : x_of(i) <= 3; }
/* y = 7 decides where x is NULL, too. */
static int64_t either_of(uint32_t i)
{
    if (y_of(i) == 7 || x_of(i) == 2) return 1;
    return y_of(i) == NULL_VALUE || x_of(i) == NULL_VALUE ? NULL_VALUE : 0;
}

static void each_row_has_the_value_of_its_branch(void **state)
{
    struct world w;

    (void)state;
    world_open(&w);
    struct expr *zero = call(&w, "=", w.x, number(&w, "0")), *other = call(&w, "<>", w.x, number(&w, "0"));
    struct expr *large = call(&w, ">", quotient(&w), number(&w, "30"));
    struct expr *chosen = branch(&w, EXPR_CASE, zero, number(&w, "-1"), quotient(&w));
    check(&w, chosen, case_of);
    check(&w, branch(&w, EXPR_COALESCE, w.y, chosen, number(&w, "-7")), coalesce_of);
    check(&w, branch(&w, EXPR_AND, other, large, NULL), and_of);
    check(&w, branch(&w, EXPR_OR, zero, large, NULL), or_of);
    check(&w, branch(&w, EXPR_OR, call(&w, "=", w.y, number(&w, "7")), call(&w, "=", w.x, number(&w, "2")), NULL),
          either_of);
    world_close(&w);
}

/* Of the rows that are selected: 5 has x = 0, the others have not. */
static void only_selected_rows_fail(void **state)
{
    uint16_t rows[] = {1, 2, 4, 6}, failing[] = {1, 5, 6};
    struct world w;
    const struct vector *v;

    (void)state;
    world_open(&w);
    struct expr_run *run = expr_run_create(quotient(&w), NULL, BATCH_ROWS, &w.mem);
    w.b->count = BATCH_ROWS;
    w.b->sel = rows, w.b->sel_count = 4;
    assert_int_equal(expr_eval(run, w.b, 0, &v, &w.e), S_OK);
    assert_int_equal(value_at(v, 4), 25);
    w.b->sel = failing, w.b->sel_count = 3;
    assert_int_equal(expr_eval(run, w.b, 0, &v, &w.e), E_DATA);
    w.b->sel = NULL;
    expr_run_free(run);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_has_the_value_of_its_branch),
        cmocka_unit_test(only_selected_rows_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
