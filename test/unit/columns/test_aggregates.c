/* test_aggregates.c - each built-in aggregate by itself: NULLs, nothing at all, overflow, taking back, merging, and rows that
 * are selected, constant or of several groups. Accumulators lie behind eight bytes that must stay as they are. */
#include "columns/function/agg.h"

#include "ground/base/str.h"

#include "support/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { GROUPS = 3, GUARD = 8 };
static const int64_t guard = 0x5a5a5a5a5a5a5a5a;

struct fold {
    struct mem mem;
    struct arena arena;
    struct err e;
    struct agg agg;
    const struct type *row;
    int64_t words[GROUPS][2 + AGG_WORDS_MAX]; /* a guard on each side */
    struct buf text;
};

static void fold_open(struct fold *f, const char *aggregate, const char *type)
{
    const char *alias;
    char row[128] = "ROW<x ";

    *f = (struct fold){0};
    mem_init(&f->mem, "test", 0);
    arena_init(&f->arena, &f->mem, 0);
    buf_init(&f->text, &f->mem);
    strcat(strcat(row, type), ">");
    f->row = rows_type(&f->arena, row);
    assert_int_equal(agg_bind(&f->agg, &f->arena, f->row, str_of(aggregate), &alias, &f->e), S_OK);
    f->agg.offset = GUARD;
    assert_in_range(f->agg.words, 1, AGG_WORDS_MAX);
    for (uint32_t g = 0; g < GROUPS; g++) f->words[g][0] = f->words[g][1 + f->agg.words] = guard;
}

static void fold_close(struct fold *f)
{
    for (uint32_t g = 0; g < GROUPS; g++) {
        assert_true(f->words[g][0] == guard);
        assert_true(f->words[g][1 + f->agg.words] == guard);
    }
    buf_release(&f->text);
    arena_release(&f->arena);
    mem_release(&f->mem);
}

typedef void (*change)(const struct agg *a, void *const *acc, const struct vector *v, const uint16_t *rows, uint32_t n);

/* Row i of the text goes to group groups[i] - '0'. */
static void change_groups(struct fold *f, change hook, const char *groups, const char *rows)
{
    struct batch *b = rows_batch(f->row, &f->mem, rows);
    void *acc[16];

    assert_int_equal(b->count, strlen(groups));
    for (uint32_t i = 0; i < b->count; i++) acc[i] = f->words[groups[i] - '0'];
    hook(&f->agg, acc, &b->cols[0], NULL, b->count);
    batch_free(b);
}

static void add(struct fold *f, const char *groups, const char *rows) { change_groups(f, f->agg.type->add, groups, rows); }
static void retract(struct fold *f, const char *groups, const char *rows)
{
    change_groups(f, f->agg.type->retract, groups, rows);
}

static void merge(struct fold *f, uint32_t into, uint32_t from)
{
    void *acc[1] = {f->words[into]}, *other[1] = {f->words[from]};

    f->agg.type->merge(&f->agg, acc, other, 1);
}

static void unmerge(struct fold *f, uint32_t into, uint32_t from)
{
    void *acc[1] = {f->words[into]}, *other[1] = {f->words[from]};

    f->agg.type->unmerge(&f->agg, acc, other, 1);
}

/* Results of all groups, from the second row of a column on. */
static void expect(struct fold *f, const char *wanted)
{
    struct vector out;
    void *acc[GROUPS];

    for (uint32_t g = 0; g < GROUPS; g++) acc[g] = f->words[g];
    vector_init(&out, f->agg.result, GROUPS + 1, &f->mem);
    f->agg.type->result(&f->agg, acc, GROUPS, &out, 1);
    buf_clear(&f->text);
    for (uint32_t g = 0; g < GROUPS; g++) {
        if (g > 0) buf_append_text(&f->text, " ");
        vector_print(&out, 1 + g, &f->text);
    }
    assert_string_equal(buf_text(&f->text), wanted);
    vector_release(&out, &f->mem);
}

static void counts(void **state)
{
    struct fold f;

    (void)state;
    fold_open(&f, "count(*)", "INT");
    expect(&f, "0 0 0");
    add(&f, "00110", "1\nnull\n2\n3\n4\n");
    expect(&f, "3 2 0");
    retract(&f, "01", "null\n2\n");
    expect(&f, "2 1 0");
    merge(&f, 2, 0);
    merge(&f, 2, 1);
    expect(&f, "2 1 3");
    unmerge(&f, 2, 0);
    expect(&f, "2 1 1");
    fold_close(&f);
    fold_open(&f, "count(x)", "STRING");
    add(&f, "0012", "a\nnull\nb\nnull\n");
    expect(&f, "1 1 0");
    retract(&f, "00", "a\nnull\n");
    expect(&f, "0 1 0");
    fold_close(&f);
}

static void sums_of_integers(void **state)
{
    struct fold f;

    (void)state;
    fold_open(&f, "sum(x)", "BIGINT");
    add(&f, "00012", "5\nnull\n-7\n9223372036854775807\nnull\n");
    expect(&f, "-2 9223372036854775807 <NULL>");
    add(&f, "1", "1\n"); /* wraps, and back */
    expect(&f, "-2 -9223372036854775808 <NULL>");
    retract(&f, "1", "1\n");
    expect(&f, "-2 9223372036854775807 <NULL>");
    merge(&f, 2, 1);
    merge(&f, 2, 1);
    expect(&f, "-2 9223372036854775807 -2");
    unmerge(&f, 2, 1);
    unmerge(&f, 2, 1);
    retract(&f, "000", "5\nnull\n-7\n"); /* no value is left: NULL, not 0 */
    expect(&f, "<NULL> 9223372036854775807 <NULL>");
    fold_close(&f);
    fold_open(&f, "sum(x)", "TINYINT"); /* of its own width */
    add(&f, "001", "127\n1\n-128\n");
    expect(&f, "-128 -128 <NULL>");
    merge(&f, 0, 1);
    expect(&f, "0 -128 <NULL>");
    fold_close(&f);
    fold_open(&f, "sum(x)", "SMALLINT");
    add(&f, "00", "32767\n2\n");
    expect(&f, "-32767 <NULL> <NULL>");
    fold_close(&f);
    fold_open(&f, "sum(x)", "INT");
    add(&f, "00", "2147483647\n1\n");
    expect(&f, "-2147483648 <NULL> <NULL>");
    fold_close(&f);
    fold_open(&f, "sum(x)", "DECIMAL(10, 2)");
    add(&f, "001", "1.25\n-0.50\nnull\n");
    expect(&f, "0.75 <NULL> <NULL>");
    fold_close(&f);
}

static void sums_of_reals(void **state)
{
    struct fold f;

    (void)state;
    fold_open(&f, "sum(x)", "DOUBLE");
    add(&f, "00012", "0.5\nnull\n0.25\n-0.125\nnull\n");
    expect(&f, "0.75 -0.125 <NULL>");
    merge(&f, 0, 1);
    merge(&f, 1, 2);
    expect(&f, "0.625 -0.125 <NULL>");
    fold_close(&f);
    fold_open(&f, "sum(x)", "FLOAT");
    add(&f, "00", "16777216\n1\n"); /* added as doubles, rounded once */
    add(&f, "0", "1\n");
    expect(&f, "1.6777218E7 <NULL> <NULL>");
    fold_close(&f);
}

static void averages(void **state)
{
    struct fold f;

    (void)state;
    fold_open(&f, "avg(x)", "INT");
    add(&f, "0001112", "1\n2\nnull\n-1\n-2\n-2\nnull\n"); /* 3 / 2 and -5 / 3, toward zero */
    expect(&f, "1 -1 <NULL>");
    merge(&f, 0, 1);
    expect(&f, "0 -1 <NULL>");
    unmerge(&f, 0, 1);
    expect(&f, "1 -1 <NULL>");
    unmerge(&f, 0, 0);
    expect(&f, "<NULL> -1 <NULL>");
    fold_close(&f);
    fold_open(&f, "avg(x)", "DOUBLE");
    add(&f, "0001", "1\n2\nnull\n-0.5\n");
    merge(&f, 2, 0);
    merge(&f, 2, 1);
    expect(&f, "1.5 -0.5 0.8333333333333334");
    fold_close(&f);
}

static void decimals(void **state)
{
    struct fold f;

    (void)state;
    fold_open(&f, "sum(x)", "DECIMAL(30, 2)");
    add(&f, "00012", "1234567890123456789012345678.25\nnull\n-0.50\n7\nnull\n");
    expect(&f, "1234567890123456789012345677.75 7.00 <NULL>");
    retract(&f, "0", "1234567890123456789012345678.25\n");
    expect(&f, "-0.50 7.00 <NULL>");
    merge(&f, 2, 0);
    merge(&f, 2, 1);
    expect(&f, "-0.50 7.00 6.50");
    unmerge(&f, 2, 1);
    retract(&f, "1", "7\n");
    expect(&f, "-0.50 <NULL> -0.50");
    fold_close(&f);
    fold_open(&f, "sum(x)", "DECIMAL(38, 0)"); /* what does not fit is lost, and the next value begins anew */
    add(&f, "00", "99999999999999999999999999999999999999\n1\n");
    expect(&f, "<NULL> <NULL> <NULL>");
    add(&f, "0", "5\n");
    expect(&f, "5 <NULL> <NULL>");
    fold_close(&f);
    fold_open(&f, "avg(x)", "DECIMAL(10, 2)");
    add(&f, "0001", "1.25\n7.31\n0.01\n-2\n");
    expect(&f, "2.856667 -2.000000 <NULL>");
    fold_close(&f);
}

static void variances(void **state)
{
    struct fold f;

    (void)state;
    fold_open(&f, "var_pop(x)", "INT");
    add(&f, "000012", "1\n2\n5\nnull\n7\nnull\n");
    expect(&f, "2 0 <NULL>"); /* 2.89 */
    retract(&f, "00", "5\nnull\n");
    expect(&f, "0 0 <NULL>");
    retract(&f, "00", "1\n2\n");
    expect(&f, "<NULL> 0 <NULL>");
    fold_close(&f);
    fold_open(&f, "var_samp(x)", "DOUBLE");
    add(&f, "0001", "1\n2\n6\n7\n");
    expect(&f, "7.0 <NULL> <NULL>");
    merge(&f, 0, 1);
    merge(&f, 2, 1);
    merge(&f, 1, 2);
    expect(&f, "8.666666666666666 0.0 <NULL>");
    fold_close(&f);
    fold_open(&f, "stddev_pop(x)", "DECIMAL(10, 2)");
    add(&f, "0001", "1.25\n7.31\n0.01\n3\n");
    expect(&f, "3.189413 0.000000 <NULL>");
    fold_close(&f);
    fold_open(&f, "stddev_samp(x)", "BIGINT");
    add(&f, "000", "3000000000000000000\n1\n2\n");
    expect(&f, "1732050807568877312 <NULL> <NULL>");
    fold_close(&f);
    fold_open(&f, "variance(x)", "TINYINT"); /* 2100, of which the lower byte stays */
    add(&f, "000", "30\n60\n120\n");
    expect(&f, "52 <NULL> <NULL>");
    fold_close(&f);
    fold_open(&f, "stddev(x)", "FLOAT");
    add(&f, "000", "1\n3\n5\n");
    expect(&f, "2.0 <NULL> <NULL>");
    fold_close(&f);
}

static void extremes(void **state)
{
    struct fold f;

    (void)state;
    fold_open(&f, "min(x)", "BIGINT");
    add(&f, "00011", "5\nnull\n-7\n9223372036854775807\n0\n");
    expect(&f, "-7 0 <NULL>");
    merge(&f, 1, 2); /* nothing came there */
    merge(&f, 2, 1);
    merge(&f, 1, 0);
    expect(&f, "-7 -7 0");
    assert_null(f.agg.type->retract);
    assert_null(f.agg.type->unmerge);
    fold_close(&f);
    fold_open(&f, "max(x)", "BIGINT");
    add(&f, "000112", "-5\nnull\n-7\n-9223372036854775808\nnull\nnull\n");
    expect(&f, "-5 -9223372036854775808 <NULL>"); /* all below what an empty accumulator holds */
    merge(&f, 1, 0);
    expect(&f, "-5 -5 <NULL>");
    fold_close(&f);
    fold_open(&f, "max(x)", "DOUBLE");
    add(&f, "0011", "-0.5\n-2\n1.5\n3\n");
    expect(&f, "-0.5 3.0 <NULL>");
    fold_close(&f);
    fold_open(&f, "min(x)", "DATE");
    add(&f, "001", "2001-03-01\n2000-02-29\nnull\n");
    expect(&f, "2000-02-29 <NULL> <NULL>");
    fold_close(&f);
}

/* What is listed counts, in that order; and a constant column has one value. */
static void selected_and_constant_rows(void **state)
{
    static const uint16_t rows[] = {3, 0, 2};
    struct fold f;

    (void)state;
    fold_open(&f, "sum(x)", "INT");
    struct batch *b = rows_batch(f.row, &f.mem, "1\n10\nnull\n1000\n");
    void *acc[4] = {f.words[0], f.words[1], f.words[2], f.words[2]};
    f.agg.type->add(&f.agg, acc, &b->cols[0], rows, 3);
    expect(&f, "1000 1 <NULL>");
    vector_make_const(&b->cols[0]);
    f.agg.type->add(&f.agg, acc, &b->cols[0], NULL, 4);
    expect(&f, "1001 2 2");
    f.agg.type->retract(&f.agg, acc, &b->cols[0], rows, 2);
    expect(&f, "1000 1 2");
    batch_free(b);
    fold_close(&f);
}

static void refused(const char *aggregate, const char *row, const char *why)
{
    struct mem mem;
    struct arena arena;
    struct err e = {0};
    struct agg a;
    const char *alias;

    mem_init(&mem, "test", 0);
    arena_init(&arena, &mem, 0);
    assert_true(agg_bind(&a, &arena, rows_type(&arena, row), str_of(aggregate), &alias, &e) < 0);
    if (strstr(e.text, why) == NULL) fail_msg("no '%s' in: %s", why, e.text);
    arena_release(&arena);
    mem_release(&mem);
}

static void arguments_that_are_refused(void **state)
{
    (void)state;
    refused("sum(x)", "ROW<x STRING>", "sum takes a number");
    refused("sum(*)", "ROW<x INT>", "sum takes a number");
    refused("avg(x)", "ROW<x DATE>", "sum takes a number");
    refused("min(x)", "ROW<x ARRAY<INT>>", "min takes values that can be ordered");
    refused("max(*)", "ROW<x INT>", "max takes values that can be ordered");
    refused("var_pop(x)", "ROW<x STRING>", "var_pop takes a number");
    refused("listagg(x)", "ROW<x INT>", "listagg takes a text");
    refused("first_value(*)", "ROW<x INT>", "first_value takes a value");
    refused("last_value(*)", "ROW<x INT>", "last_value takes a value");
    refused("collect(*)", "ROW<x INT>", "collect takes a value");
    refused("array_agg(*)", "ROW<x INT>", "array_agg takes a value");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(sums_of_integers),
        cmocka_unit_test(sums_of_reals),
        cmocka_unit_test(averages),
        cmocka_unit_test(decimals),
        cmocka_unit_test(variances),
        cmocka_unit_test(extremes),
        cmocka_unit_test(selected_and_constant_rows),
        cmocka_unit_test(arguments_that_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
