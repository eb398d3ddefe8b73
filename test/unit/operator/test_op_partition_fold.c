/* test_op_partition_fold.c - reduce and aggregate of whole partitions, keyed and not: one row per partition at the end of the
 * input, whatever the batches and the backend. */
#include "support/op_driver.h"
#include "support/rows.h"

#include <thalweg/context.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const uint32_t sizes[] = {0, 1, 3};
static const char *const backends[] = {"hashmap", "pending"};

struct item {
    struct tw_str name;
    int32_t k;
    int64_t v;
};
TW_ROW(item, TW_FIELD(item, name, "STRING NOT NULL"), TW_FIELD(item, k, "INT NOT NULL"),
       TW_FIELD(item, v, "BIGINT NOT NULL"));
struct key {
    int32_t k;
};
TW_ROW(key, TW_FIELD(key, k, "INT NOT NULL"));
struct total {
    struct tw_str longest;
    int64_t rows, sum;
};
TW_ROW(total, TW_FIELD(total, longest, "STRING NOT NULL"), TW_FIELD(total, rows, "BIGINT NOT NULL"),
       TW_FIELD(total, sum, "BIGINT NOT NULL"));
struct answer {
    int32_t k;
    struct tw_str longest;
    int64_t rows;
    double mean;
};
TW_ROW(answer, TW_FIELD(answer, k, "INT NOT NULL"), TW_FIELD(answer, longest, "STRING NOT NULL"),
       TW_FIELD(answer, rows, "BIGINT NOT NULL"), TW_FIELD(answer, mean, "DOUBLE NOT NULL"));

/* Order matters: the name of the first of the longest, the newest k, v by Horner. */
static enum tw_status combine(struct tw_context *cx, const void *a, const void *b, void *out)
{
    const struct item *x = a, *y = b;

    if (y->v < 0) return tw_fail(cx, "%lld", (long long)y->v);
    *(struct item *)out = (struct item){y->name.size > x->name.size ? y->name : x->name, y->k, x->v * 10 + y->v};
    return TW_OK;
}
TW_FUNCTION(combined) = {.in = &item_row, .key = &key_row, .reduce = combine};

static enum tw_status start(struct tw_context *cx, void *acc)
{
    (void)cx;
    ((struct total *)acc)->longest = (struct tw_str)TW_STR("-");
    return TW_OK;
}

static enum tw_status add(struct tw_context *cx, void *acc, const void *in)
{
    const struct item *row = in;
    struct total *t = acc;

    (void)cx;
    if (row->name.size > t->longest.size) t->longest = row->name;
    t->rows++;
    t->sum += row->v;
    return TW_OK;
}

static enum tw_status result(struct tw_context *cx, const void *acc, void *out)
{
    const struct total *t = acc;
    const struct key *key = tw_key(cx);

    *(struct answer *)out = (struct answer){key != NULL ? key->k : -1, t->longest, t->rows,
                                            t->rows > 0 ? (double)t->sum / (double)t->rows : 0};
    return TW_OK;
}
TW_FUNCTION(totals) = {.in = &item_row,
                       .acc = &total_row,
                       .out = &answer_row,
                       .key = &key_row,
                       .create = start,
                       .add = add,
                       .result = result};

#define TYPE "ROW<name STRING, k INT, v BIGINT>"
#define ROWS                                                                                                           \
    "@1 a | 2 | 5\n@2 b | 1 | 3\n@3 cc | 2 | 6\n@4 d | 1 | 4\n@5 a name that is longer than twelve bytes | 2 | 1\n"    \
    "@6 dd | 1 | 2\n@7 x | 3 | 9"

static void expect(const struct op_setup *given, const char *rows, const char *expected)
{
    struct op_setup setup = *given;

    for (uint32_t b = 0; b < COUNT_OF(backends); b++)
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            setup.batch_rows = sizes[i];
            setup.backend = backends[b];
            struct op_driver *d = op_driver_create(&setup);
            assert_string_equal(op_driver_error(d), "");
            if (rows != NULL) op_push(d, 0, rows);
            assert_string_equal(op_output(d), "");
            op_push_end(d);
            assert_string_equal(op_driver_error(d), "");
            assert_string_equal(op_output(d), expected);
            op_driver_free(d);
        }
}

static void a_reduce_makes_one_row_of_a_partition(void **state)
{
    struct function_config c = {{.name = "combined", .fn = &combined}};
    struct op_setup setup = {.type = op_find("partition_reduce"), .config = &c, .in = TYPE};

    (void)state;
    expect(&setup, ROWS, "+I[a name that is longer than twelve bytes, 3, 5364129]\n");
    expect(&setup, "@1 a | 2 | 5", "+I[a, 2, 5]\n"); /* the only row as it is */
    expect(&setup, NULL, "");
    setup.keys = "k";
    expect(&setup, ROWS, "+I[a name that is longer than twelve bytes, 2, 561]\n+I[dd, 1, 342]\n+I[x, 3, 9]\n");
    expect(&setup, NULL, "");
}

static void an_aggregate_answers_for_a_partition(void **state)
{
    struct function_config c = {{.name = "totals", .fn = &totals}};
    struct op_setup setup = {.type = op_find("partition_aggregate"), .config = &c, .in = TYPE};

    (void)state;
    expect(&setup, ROWS, "+I[-1, a name that is longer than twelve bytes, 7, 4.285714285714286]\n");
    expect(&setup, NULL, "+I[-1, -, 0, 0.0]\n"); /* as in Flink: also for a subtask without rows */
    setup.keys = "k";
    expect(&setup, ROWS,
           "+I[2, a name that is longer than twelve bytes, 3, 4.0]\n+I[1, dd, 3, 3.0]\n+I[3, -, 1, 9.0]\n");
    expect(&setup, NULL, "");
}

/* More keys than a batch of keys has, and more rows out than a batch. */
static void many_keys_are_answered_in_the_order_in_which_they_came(void **state)
{
    struct function_config c = {{.name = "totals", .fn = &totals}};
    struct op_driver *d = op_driver_create(
        &(struct op_setup){.type = op_find("partition_aggregate"), .config = &c, .in = TYPE, .keys = "k"});
    struct mem mem;
    struct buf rows;

    (void)state;
    mem_init(&mem, "test", 0);
    buf_init(&rows, &mem);
    for (int round = 0; round < 2; round++)
        for (int part = 0; part < 5; part++) {
            buf_clear(&rows);
            for (int i = 0; i < 1500; i++) buf_printf(&rows, "n | %d | %d\n", 7499 - (part * 1500 + i), round);
            op_push(d, 0, buf_text(&rows));
        }
    op_push_end(d);
    const char *at = op_output(d);
    for (int i = 0; i < 7500; i++) {
        char line[64];
        size_t size = (size_t)snprintf(line, sizeof line, "+I[%d, -, 2, 0.5]\n", 7499 - i);
        assert_memory_equal(at, line, size);
        at += size;
    }
    assert_string_equal(at, "");
    op_driver_free(d);
    buf_release(&rows);
    mem_release(&mem);
}

static void a_failure_names_key_and_row(void **state)
{
    struct function_config c = {{.name = "combined", .fn = &combined}};
    struct op_driver *d = op_driver_create(
        &(struct op_setup){.type = op_find("partition_reduce"), .config = &c, .in = TYPE, .keys = "k"});

    (void)state;
    op_push(d, 0, "@1 a | 2 | 5\n@2 b | 2 | -3");
    assert_string_equal(op_driver_error(d), "key [2], row +I[b, 2, -3]: -3");
    op_driver_free(d);
}

static enum tw_status no_result(struct tw_context *cx, void *acc, const void *in)
{
    (void)cx;
    (void)acc;
    (void)in;
    return TW_OK;
}
TW_FUNCTION(half) = {.in = &item_row, .acc = &total_row, .out = &answer_row, .add = no_result};
TW_FUNCTION(nameless) = {.in = &item_row, .out = &answer_row, .add = no_result, .result = result};

static void what_is_missing_is_told(void **state)
{
    static const struct {
        const char *operation;
        const struct tw_function *fn;
        const char *text;
    } cases[] = {
        {"partition_aggregate", &half,
         "function 'f' cannot be used here: it has no .result (set .result in its TW_FUNCTION)"},
        {"partition_aggregate", &combined,
         "function 'f' cannot be used here: it has no .add (set .add in its TW_FUNCTION)"},
        {"partition_aggregate", &nameless, "function 'f' does not describe its accumulator: .acc is missing"},
        {"partition_reduce", &totals,
         "function 'f' cannot be used here: it has no .reduce (set .reduce in its TW_FUNCTION)"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct function_config c = {{.name = "f", .fn = cases[i].fn}};
        struct op_driver *d = op_driver_create(
            &(struct op_setup){.type = op_find(cases[i].operation), .config = &c, .in = TYPE});
        assert_string_equal(op_driver_error(d), cases[i].text);
        op_driver_free(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reduce_makes_one_row_of_a_partition),
        cmocka_unit_test(an_aggregate_answers_for_a_partition),
        cmocka_unit_test(many_keys_are_answered_in_the_order_in_which_they_came),
        cmocka_unit_test(a_failure_names_key_and_row),
        cmocka_unit_test(what_is_missing_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
