/* test_op_over_partition.c - functions OVER windows when all rows are there: places, frames of rows and of values, partitions that are
 * larger than a batch, than memory, frames that must be taken up anew, texts that are longer than a reference; batches of one row and of
 * many. */
#include "flow/operator/over_partition.h"
#include "support/folder.h"
#include "support/op_driver.h"
#include "support/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const uint32_t sizes[] = {0, 1, 3};

#define TEXTS(...) {(const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__}))}
#define CALL(f, argument, kind, first, last, number, other)                                                            \
    {.calls = {.functions = TEXTS(f), .arguments = TEXTS(argument), .filters = TEXTS(""), .distinct = TEXTS("false"),  \
               .names = TEXTS("x")},                                                                                   \
     .order = TEXTS("v"), .directions = TEXTS("asc"), .nulls = TEXTS("first"), .frames = TEXTS(kind), .from = TEXTS(first), \
     .to = TEXTS(last), .offsets = TEXTS(number), .otherwise = TEXTS(other)}

#define ROWS "1 | 10 | a\n2 | 5 | q\n1 | 20 | b\n1 | 20 | c\n1 | null | a text that is longer\n2 | 6 | r"

/* Of each row, in the order of the partitions, the last column. */
static void expect(struct over_partition_config c, const char *expected)
{
    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct op_driver *d = op_driver_create(&(struct op_setup){
            .type = op_find("over_partition"), .config = &c, .in = "ROW<k INT, v INT, s STRING>", .keys = "k", .batch_rows = sizes[i]});
        char got[512] = "";
        op_push(d, 0, ROWS);
        assert_string_equal(op_output(d), "");
        op_push_end(d);
        assert_string_equal(op_driver_error(d), "");
        for (const char *at = op_output(d), *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
            const char *last = end;
            while (strncmp(last, ", ", 2) != 0) last--;
            snprintf(got + strlen(got), sizeof got - strlen(got), "%.*s;", (int)(end - last - 3), last + 2);
        }
        assert_string_equal(got, expected);
        op_driver_free(d);
    }
}

/* k = 1: NULL 10 20 20, k = 2: 5 6. */
static void places(void **state)
{
    (void)state;
    expect((struct over_partition_config)CALL("row_number", "", "range", "", "0", "0", ""), "1;2;3;4;1;2;");
    expect((struct over_partition_config)CALL("rank", "", "range", "", "0", "0", ""), "1;2;3;3;1;2;");
    expect((struct over_partition_config)CALL("dense_rank", "", "range", "", "0", "0", ""), "1;2;3;3;1;2;");
    expect((struct over_partition_config)CALL("cume_dist", "", "range", "", "0", "0", ""), "0.25;0.5;1.0;1.0;0.5;1.0;");
    expect((struct over_partition_config)CALL("percent_rank", "", "range", "", "0", "0", ""),
           "0.0;0.3333333333333333;0.6666666666666666;0.6666666666666666;0.0;1.0;");
    expect((struct over_partition_config)CALL("ntile", "", "range", "", "0", "3", ""), "1;1;2;3;1;2;");
    expect((struct over_partition_config)CALL("lag", "v", "range", "", "0", "1", ""), "null;null;10;20;null;5;");
    expect((struct over_partition_config)CALL("lead", "v", "range", "", "0", "2", "k"), "20;20;1;1;2;2;");
    expect((struct over_partition_config)CALL("lead", "v", "range", "", "0", "9223372036854775807", "k"), "1;1;1;1;2;2;");
    expect((struct over_partition_config)CALL("lag", "v", "range", "", "0", "9223372036854775807", "k"), "1;1;1;1;2;2;");
    expect((struct over_partition_config)CALL("lag", "v", "range", "", "0", "-9223372036854775808", "k"), "1;1;1;1;2;2;");
}

static void frames_of_rows(void **state)
{
    (void)state;
    expect((struct over_partition_config)CALL("sum", "v", "rows", "", "0", "0", ""), "null;10;30;50;5;11;");
    expect((struct over_partition_config)CALL("sum", "v", "rows", "-1", "1", "0", ""), "10;30;50;40;11;11;");
    expect((struct over_partition_config)CALL("count", "", "rows", "1", "2", "0", ""), "2;2;1;0;1;0;");
    expect((struct over_partition_config)CALL("min", "v", "rows", "-1", "", "0", ""), "10;10;10;20;5;5;");
    expect((struct over_partition_config)CALL("max", "s", "rows", "-1", "0", "0", ""), "a text that is longer;a text that is longer;b;c;q;r;");
    expect((struct over_partition_config)CALL("first_value", "v", "rows", "-1", "1", "0", ""), "10;10;10;20;5;5;");
    expect((struct over_partition_config)CALL("last_value", "s", "rows", "-2", "-1", "0", ""), "null;a text that is longer;a;b;null;q;");
    expect((struct over_partition_config)CALL("listagg", "s", "rows", "0", "1", "0", ""), "a text that is longer,a;a,b;b,c;c;q,r;r;");
    expect((struct over_partition_config)CALL("sum", "v", "rows", "2", "1", "0", ""), "null;null;null;null;null;null;");
}

static void frames_of_values(void **state)
{
    (void)state;
    expect((struct over_partition_config)CALL("count", "", "range", "", "0", "0", ""), "1;2;4;4;1;2;");
    expect((struct over_partition_config)CALL("sum", "v", "range", "-10", "0", "0", ""), "null;10;50;50;5;11;");
    expect((struct over_partition_config)CALL("count", "", "range", "1", "10", "0", ""), "0;2;0;0;1;0;");
    expect((struct over_partition_config)CALL("count", "", "range", "0", "0", "0", ""), "1;1;2;2;1;1;");
    expect((struct over_partition_config)CALL("sum", "v", "range", "0", "", "0", ""), "50;50;40;40;11;6;");
}

/* More rows than fit a batch, and than are looked at in one call. */
static void large_partitions(void **state)
{
    static const char *const bounds[][2] = {{"", "0"}, {"-3000", "0"}, {"0", ""}};
    enum { ROWS_MANY = 10000 };
    size_t size = ROWS_MANY * 16;
    char *text = malloc(size);

    (void)state;
    for (uint32_t b = 0; b < COUNT_OF(bounds); b++) {
        struct over_partition_config c = CALL("sum", "v", "rows", bounds[b][0], bounds[b][1], "0", "");
        struct op_driver *d = op_driver_create(
            &(struct op_setup){.type = op_find("over_partition"), .config = &c, .in = "ROW<k INT, v BIGINT>", .keys = "k"});
        size_t n = 0;
        for (uint32_t i = 0; i < ROWS_MANY; i++) {
            n += (size_t)snprintf(text + n, size - n, "1 | %u\n", (i * 7919) % ROWS_MANY);
            if (i % 1000 < 999) continue;
            op_push(d, 0, text);
            n = 0;
        }
        op_push_end(d);
        const char *at = op_output(d);
        for (int64_t i = 0, sum = 0; i < ROWS_MANY; i++) {
            long long v, x;
            sum += i;
            int64_t before = i - 3001, gone = before < 0 ? 0 : before * (before + 1) / 2;
            int64_t all = (int64_t)ROWS_MANY * (ROWS_MANY - 1) / 2;
            assert_int_equal(sscanf(at, "+I[1, %lld, %lld]", &v, &x), 2);
            assert_int_equal(v, i);
            assert_int_equal(x, b == 0 ? sum : b == 1 ? sum - gone : all - sum + i);
            at = strchr(at, '\n') + 1;
        }
        op_driver_free(d);
    }
    free(text);
}

/* Of many functions, over a partition of 50,000 rows and small ones; to be freed. */
static char *large(int64_t memory, const char *dirs, struct sys *real, uint32_t batch_rows)
{
    enum { ROWS_MANY = 54000, PUSH = 500 };
    const struct over_partition_config c = {
        .calls = {.functions = TEXTS("sum", "lag", "lead", "max", "rank", "first_value", "last_value", "percent_rank", "count"),
                  .arguments = TEXTS("v", "s", "v", "v", "", "s", "s", "", ""),
                  .filters = TEXTS("", "", "", "", "", "", "", "", ""),
                  .distinct = TEXTS("false", "false", "false", "false", "false", "false", "false", "false", "false"),
                  .names = TEXTS("a", "b", "c", "d", "e", "f", "g", "h", "i")},
        .order = TEXTS("v"), .directions = TEXTS("asc"), .nulls = TEXTS("first"),
        .frames = TEXTS("rows", "rows", "rows", "rows", "rows", "range", "rows", "rows", "range"),
        .from = TEXTS("", "", "", "-3", "", "", "-2500", "", "-100"), .to = TEXTS("", "", "", "4", "", "0", "2500", "", "100"),
        .offsets = TEXTS("0", "30000", "25000", "0", "0", "0", "0", "0", "0"),
        .otherwise = TEXTS("", "", "", "", "", "", "", "", ""),
        .spill = {.memory = memory, .dirs = dirs, .files = 10}};
    struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("over_partition"), .config = &c,
                                                              .in = "ROW<k INT, v BIGINT, s STRING>", .keys = "k",
                                                              .batch_rows = batch_rows, .sys = real});
    char text[PUSH * 64];

    for (uint32_t i = 0; i < ROWS_MANY; i += PUSH) {
        size_t n = 0;
        for (uint32_t k = i; k < i + PUSH; k++)
            n += (size_t)snprintf(text + n, sizeof text - n, "%u | %u | a text that is long %u\n", k % 27 < 25 ? 0 : k % 300, k * 7919 % 20000, k);
        op_push(d, 0, text);
    }
    op_push_end(d);
    assert_string_equal(op_driver_error(d), "");
    char *out = strdup(op_output(d));
    op_driver_free(d);
    return out;
}

static void partitions_beyond_memory(void **state)
{
    struct sys *real = sys_linux_create_quiet();
    struct folder f;

    (void)state;
    folder_make(&f);
    char *expected = large(0, "", real, 0);
    for (uint32_t size = 0; size < 2000; size += 999) {
        char *got = large(1, f.path, real, size);
        assert_string_equal(got, expected);
        assert_int_equal(folder_count(&f, ""), 0);
        free(got);
    }
    free(expected);
    folder_remove(&f);
    sys_linux_free(real);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places),
        cmocka_unit_test(frames_of_rows),
        cmocka_unit_test(frames_of_values),
        cmocka_unit_test(large_partitions),
        cmocka_unit_test(partitions_beyond_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
