/* test_op_partition.c - whole partitions at the end of input: sorting them, and functions over all their rows. */
#include "support/op_driver.h"
#include "support/rows.h"

#include <thalweg/context.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define TEXTS(text) {(const char *const[]){text}, 1}

static const uint32_t sizes[] = {0, 1, 3};

static void expect_sorted(bool ascending, const char *keys, const char *rows, const char *expected)
{
    struct sort_config c = {TEXTS("v"), TEXTS(ascending ? "asc" : "desc"), TEXTS(ascending ? "first" : "last")};

    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("sort_partition"),
                                                                  .config = &c,
                                                                  .in = "ROW<name STRING, k INT, v DOUBLE>",
                                                                  .keys = keys,
                                                                  .batch_rows = sizes[i]});
        op_push(d, 0, rows);
        assert_string_equal(op_output(d), "");
        op_push_end(d);
        assert_string_equal(op_output(d), expected);
        op_driver_free(d);
    }
}

#define ROWS                                                                                                           \
    "@1 a | 2 | 5.0\n@2 b | 1 | 3.0\n-D c | 2 | null\nd | 1 | 3.0\n@5 the fifth of the rows | 2 | -1.0\nf | 1 | 9.0"

static void sort_is_stable_and_puts_null_first(void **state)
{
    (void)state;
    expect_sorted(true, NULL, ROWS,
                  "-D[c, 2, null]\n+I[the fifth of the rows, 2, -1.0]@5\n+I[b, 1, 3.0]@2\n+I[d, 1, 3.0]\n+I[a, 2, "
                  "5.0]@1\n+I[f, 1, 9.0]\n");
    expect_sorted(false, NULL, ROWS,
                  "+I[f, 1, 9.0]\n+I[a, 2, 5.0]@1\n+I[b, 1, 3.0]@2\n+I[d, 1, 3.0]\n+I[the fifth of the rows, 2, "
                  "-1.0]@5\n-D[c, 2, null]\n");
    expect_sorted(true, NULL, "", "");
}

static void keys_are_partitions_in_order_of_arrival(void **state)
{
    (void)state;
    expect_sorted(true, "k", ROWS,
                  "-D[c, 2, null]\n+I[the fifth of the rows, 2, -1.0]@5\n+I[a, 2, 5.0]@1\n+I[b, 1, 3.0]@2\n+I[d, 1, "
                  "3.0]\n+I[f, 1, 9.0]\n");
}

static void many_rows_sort(void **state)
{
    struct sort_config c = {TEXTS("v"), TEXTS("asc"), TEXTS("first")};
    struct mem mem;
    struct buf rows;

    (void)state;
    mem_init(&mem, "test", 0);
    buf_init(&rows, &mem);
    struct op_driver *d = op_driver_create(
        &(struct op_setup){.type = op_find("sort_partition"), .config = &c, .in = "ROW<v INT>"});
    for (int part = 0; part < 4; part++) {
        buf_clear(&rows);
        for (int i = 0; i < 2000; i++)
            buf_printf(&rows, "%d\n", (part * 2000 + i) * 3701 % 8000); /* every number once */
        op_push(d, 0, buf_text(&rows));
    }
    op_push_end(d);
    const char *at = op_output(d);
    for (int i = 0; i < 8000; i++) {
        char line[32];
        size_t size = (size_t)snprintf(line, sizeof line, "+I[%d]\n", i);
        assert_memory_equal(at, line, size);
        at += size;
    }
    op_driver_free(d);
    buf_release(&rows);
    mem_release(&mem);
}

/* --- partition_rows ---------------------------------------------------------------------------------------------------- */
struct item {
    struct tw_str name;
    double v;
};
TW_ROW(item, TW_FIELD(item, name, "STRING NOT NULL"), TW_FIELD(item, v, "DOUBLE NOT NULL"));
struct key {
    int32_t k;
};
TW_ROW(key, TW_FIELD(key, k, "INT NOT NULL"));
struct summary {
    struct tw_str best;
    int32_t k, rows;
    int64_t latest;
};
TW_ROW(summary, TW_FIELD(summary, best, "STRING NOT NULL"), TW_FIELD(summary, k, "INT NOT NULL"),
       TW_FIELD(summary, rows, "INT NOT NULL"), TW_FIELD(summary, latest, "BIGINT NOT NULL"));

/* The name of the greatest value, kept as a pointer while the walk goes on; a second walk checks that it repeats. */
static enum tw_status summarise(struct tw_context *cx, struct tw_elements *rows)
{
    const struct item *best = NULL, *row;
    const struct key *key = tw_key(cx);
    struct summary s = {.k = key ? key->k : 0, .rows = (int32_t)tw_element_count(rows), .latest = INT64_MIN};
    uint32_t count = 0, again = 0;

    while ((row = tw_next(rows))) {
        if (best == NULL || row->v > best->v) best = row;
        if (tw_element_time(rows) > s.latest) s.latest = tw_element_time(rows);
        count++;
    }
    tw_rewind(rows);
    while ((row = tw_next(rows))) again += row == best;
    if (count != tw_element_count(rows) || again != 1) return tw_fail(cx, "%u rows, %u times the best", count, again);
    s.best = best->name;
    tw_collect(cx, &s);
    return TW_OK;
}
TW_FUNCTION(summary_of) = {.in = &item_row, .out = &summary_row, .key = &key_row, .partition_rows = summarise};

static void a_function_sees_all_rows_of_a_partition(void **state)
{
    struct function_config c = {{.name = "summary_of", .fn = &summary_of}};
    static const char rows[] =
        "@1 a | 2 | 5.0\n@2 b | 1 | 3.0\n@3 c | 2 | 6.0\n@4 d | 1 | 3.0\n@9 a name of some length | 2 | 61.0";

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct op_setup setup = {.type = op_find("partition_rows"),
                                 .config = &c,
                                 .in = "ROW<name STRING, k INT, v DOUBLE>",
                                 .batch_rows = sizes[i]};
        struct op_driver *d = op_driver_create(&setup);
        op_push(d, 0, rows);
        op_push_end(d);
        assert_string_equal(op_driver_error(d), "");
        assert_string_equal(op_output(d), "+I[a name of some length, 0, 5, 9]\n");
        op_driver_free(d);
        setup.keys = "k";
        d = op_driver_create(&setup);
        op_push(d, 0, rows);
        op_push_end(d);
        assert_string_equal(op_output(d), "+I[a name of some length, 2, 3, 9]\n+I[b, 1, 2, 4]\n");
        op_driver_free(d);
    }
}

static enum tw_status copy_all(struct tw_context *cx, struct tw_elements *rows)
{
    const void *row;

    while ((row = tw_next(rows))) tw_collect(cx, row);
    return TW_OK;
}
TW_FUNCTION(copies) = {.in = &key_row, .out = &key_row, .partition_rows = copy_all};

static void a_partition_may_be_larger_than_any_batch(void **state)
{
    struct function_config c = {{.name = "copies", .fn = &copies}};
    struct op_driver *d = op_driver_create(
        &(struct op_setup){.type = op_find("partition_rows"), .config = &c, .in = "ROW<k INT>"});
    struct mem mem;
    struct buf rows;

    (void)state;
    mem_init(&mem, "test", 0);
    buf_init(&rows, &mem);
    for (int part = 0; part < 5; part++) {
        buf_clear(&rows);
        for (int i = 0; i < 1999; i++) buf_printf(&rows, "%d\n", part * 1999 + i);
        op_push(d, 0, buf_text(&rows));
    }
    op_push_end(d);
    const char *at = op_output(d);
    for (int i = 0; i < 5 * 1999; i++) {
        char line[32];
        size_t size = (size_t)snprintf(line, sizeof line, "+I[%d]\n", i);
        assert_memory_equal(at, line, size);
        at += size;
    }
    assert_string_equal(at, "");
    op_driver_free(d);
    buf_release(&rows);
    mem_release(&mem);
}

static void a_null_among_the_rows_is_told(void **state)
{
    struct function_config c = {{.name = "copies", .fn = &copies}};
    struct op_driver *d = op_driver_create(
        &(struct op_setup){.type = op_find("partition_rows"), .config = &c, .in = "ROW<k INT>"});

    (void)state;
    op_push(d, 0, "1\nnull");
    op_push_end(d);
    assert_string_equal(op_driver_error(d), "NULL in column 'k', but row type 'key' has no place for it");
    op_driver_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sort_is_stable_and_puts_null_first),
        cmocka_unit_test(keys_are_partitions_in_order_of_arrival),
        cmocka_unit_test(many_rows_sort),
        cmocka_unit_test(a_function_sees_all_rows_of_a_partition),
        cmocka_unit_test(a_partition_may_be_larger_than_any_batch),
        cmocka_unit_test(a_null_among_the_rows_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
