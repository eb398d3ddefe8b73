/* test_op_lookup_join.c - SQL's lookup join: rows beside those of a table that is read whole, several per key, none, NULL; conditions on
 * pairs of rows that lie in several outputs; a table of many batches; reading again when its time has come. */
#include "columns/expr/expr.h"
#include "flow/operator/lookup_join.h"
#include "ground/base/str.h"
#include "support/folder.h"
#include "support/op_driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char *const kept[] = {"k", "v"}, *const both_names[] = {"a", "b", "k", "v"}, *const left_keys[] = {"a"};

static struct folder folder;

/* The Linux world with a clock set by hand. */
struct world {
    struct sys *sys;
    const struct sys_ops *real;
    struct sys_ops ops;
};
static int64_t now_ms;
static int64_t hand_wall_ms(struct sys *s)
{
    (void)s;
    return now_ms;
}

struct fixture {
    struct mem mem;
    struct arena arena;
    struct world world;
    struct buf columns, condition;
    const struct type *schema, *both;
    struct option options[4];
    struct lookup_join_config config;
};

static void fixture_init(struct fixture *f, const char *kind)
{
    memset(f, 0, sizeof *f);
    mem_init(&f->mem, "test", 0);
    arena_init(&f->arena, &f->mem, 0);
    buf_init(&f->columns, &f->mem);
    buf_init(&f->condition, &f->mem);
    f->world.sys = sys_linux_create_quiet();
    f->world.real = f->world.sys->ops;
    f->world.ops = *f->world.real;
    f->world.ops.wall_ms = hand_wall_ms;
    f->world.sys->ops = &f->world.ops;
    assert_int_equal(type_parse(&f->arena, STR("ROW<k INT, v STRING>"), &f->schema, NULL), S_OK);
    assert_int_equal(type_parse(&f->arena, STR("ROW<a INT, b INT, k INT, v STRING>"), &f->both, NULL), S_OK);
    struct expr_maker m = {.a = &f->arena};
    for (uint32_t i = 0; i < 2; i++) expr_encode(expr_column(&m, f->schema, i), &f->columns);
    f->options[0] = (struct option){"path", folder_path(&folder, "names.csv")};
    f->options[1] = (struct option){"format", "csv"};
    f->options[2] = (struct option){"lookup.full-cache.periodic-reload.interval", "1 min"};
    f->config = (struct lookup_join_config){.kind = kind,
                                            .connector = "filesystem",
                                            .options = {f->options, 3},
                                            .schema = f->schema,
                                            .columns = {f->columns.data, f->columns.size},
                                            .columns_names = {kept, 2},
                                            .left_keys = {left_keys, 1},
                                            .right_keys = {kept, 1},
                                            .names = {both_names, 4}};
}

static void fixture_condition(struct fixture *f, const char *text)
{
    struct expr *x;

    assert_int_equal(expr_parse(&f->arena, f->both, str_of(text), &x, NULL), S_OK);
    expr_encode(x, &f->condition);
    f->config.condition = (struct str){f->condition.data, f->condition.size};
}

static void fixture_release(struct fixture *f)
{
    f->world.sys->ops = f->world.real;
    sys_linux_free(f->world.sys);
    buf_release(&f->columns);
    buf_release(&f->condition);
    arena_release(&f->arena);
    mem_release(&f->mem);
}

static struct op_driver *driver(struct fixture *f, uint32_t rows)
{
    return op_driver_create(&(struct op_setup){.type = op_find("lookup_join"),
                                               .config = &f->config,
                                               .in = "ROW<a INT, b INT>",
                                               .batch_rows = rows,
                                               .sys = f->world.sys});
}

static void expect(const char *kind, const char *condition, const char *rows, const char *expected)
{
    static const uint32_t sizes[] = {0, 1, 2, 3};

    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct fixture f;
        fixture_init(&f, kind);
        if (condition != NULL) fixture_condition(&f, condition);
        struct op_driver *d = driver(&f, sizes[i]);
        op_push(d, 0, rows);
        assert_string_equal(op_driver_error(d), "");
        assert_string_equal(op_output(d), expected);
        op_driver_free(d);
        fixture_release(&f);
    }
}

static void rows_meet_all_of_their_key(void **state)
{
    (void)state;
    folder_write(&folder, "names.csv", "1,one\n2,two\n1,uno\n3,\n1,eins\n");
    expect("inner", NULL, "1 | 10\n4 | 40\n3 | 30\nnull | 0\n2 | 20",
           "+I[1, 10, 1, one]\n+I[1, 10, 1, uno]\n+I[1, 10, 1, eins]\n+I[3, 30, 3, ]\n+I[2, 20, 2, two]\n");
    expect(
        "left", NULL, "1 | 10\n4 | 40\nnull | 0",
        "+I[1, 10, 1, one]\n+I[1, 10, 1, uno]\n+I[1, 10, 1, eins]\n+I[4, 40, null, null]\n+I[null, 0, null, null]\n");
}

static void kinds_are_those_of_the_row(void **state)
{
    (void)state;
    folder_write(&folder, "names.csv", "1,one\n");
    expect("left", NULL, "1 | 10\n-U 1 | 10\n+U 2 | 11\n-D 2 | 11",
           "+I[1, 10, 1, one]\n-U[1, 10, 1, one]\n+U[2, 11, null, null]\n-D[2, 11, null, null]\n");
}

static void a_condition_decides_over_all_pairs_of_a_row(void **state)
{
    (void)state;
    folder_write(&folder, "names.csv", "1,one\n1,uno\n1,eins\n2,two\n");
    expect("left", "v = 'eins'", "1 | 10\n2 | 20\n1 | 11",
           "+I[1, 10, 1, eins]\n+I[2, 20, null, null]\n+I[1, 11, 1, eins]\n");
    expect("left", "v = 'one'", "1 | 10\n1 | 11", "+I[1, 10, 1, one]\n+I[1, 11, 1, one]\n");
    expect("inner", "b > 10", "1 | 10\n1 | 11\n2 | 12",
           "+I[1, 11, 1, one]\n+I[1, 11, 1, uno]\n+I[1, 11, 1, eins]\n+I[2, 12, 2, two]\n");
}

static void a_table_may_have_many_batches(void **state)
{
    char *text = malloc(200000), *at = text;

    (void)state;
    for (int i = 0; i < 6000; i++) at += sprintf(at, "%d,v%d\n", i % 5000, i);
    folder_write(&folder, "names.csv", text);
    free(text);
    expect("inner", NULL, "4999 | 1\n0 | 2\n2047 | 3\n2048 | 4\n5000 | 5",
           "+I[4999, 1, 4999, v4999]\n+I[0, 2, 0, v0]\n+I[0, 2, 0, v5000]\n+I[2047, 3, 2047, v2047]\n+I[2048, 4, 2048, "
           "v2048]\n");
}

static void it_is_read_again_when_its_time_has_come(void **state)
{
    struct fixture f;

    (void)state;
    now_ms = 1000000;
    folder_write(&folder, "names.csv", "1,one\n");
    fixture_init(&f, "left");
    struct op_driver *d = driver(&f, 0);
    op_push(d, 0, "1 | 10");
    assert_string_equal(op_output(d), "+I[1, 10, 1, one]\n");
    folder_write(&folder, "names.csv", "1,uno\n2,dos\n");
    now_ms += 59999;
    op_push(d, 0, "1 | 11\n2 | 20");
    assert_string_equal(op_output(d), "+I[1, 11, 1, one]\n+I[2, 20, null, null]\n");
    now_ms += 1;
    op_push(d, 0, "1 | 12\n2 | 21");
    assert_string_equal(op_output(d), "+I[1, 12, 1, uno]\n+I[2, 21, 2, dos]\n");
    op_driver_free(d);
    fixture_release(&f);
}

static void mistakes_are_told(void **state)
{
    struct fixture f;

    (void)state;
    folder_write(&folder, "names.csv", "1,one\nx,two\n");
    fixture_init(&f, "left");
    struct op_driver *d = driver(&f, 0);
    op_push(d, 0, "1 | 10");
    assert_non_null(strstr(op_driver_error(d), "names.csv:2:1"));
    op_driver_free(d);
    f.config.kind = "full";
    d = driver(&f, 0);
    assert_string_equal(op_driver_error(d), "a lookup join is inner or left");
    op_driver_free(d);
    fixture_release(&f);
}

static int group_setup(void **state)
{
    (void)state;
    folder_make(&folder);
    return 0;
}
static int group_teardown(void **state)
{
    (void)state;
    folder_remove(&folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_meet_all_of_their_key),
        cmocka_unit_test(kinds_are_those_of_the_row),
        cmocka_unit_test(a_condition_decides_over_all_pairs_of_a_row),
        cmocka_unit_test(a_table_may_have_many_batches),
        cmocka_unit_test(it_is_read_again_when_its_time_has_come),
        cmocka_unit_test(mistakes_are_told),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
