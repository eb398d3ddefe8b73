/* test_op_lookup_join.c - SQL's lookup join: rows beside those of a table that is read whole, several per key, none, NULL; conditions on
 * pairs of rows that lie in several outputs; a table of many batches; reading again when its time has come. Then tables that are asked
 * for keys: what is kept, how long, how many; keys without rows that are asked for again. */
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
static int64_t now_ms, tick_ms, file_ms;
static const char *file_text; /* names.csv is this from file_ms on */
static int64_t hand_wall_ms(struct sys *s)
{
    (void)s;
    now_ms += tick_ms;
    if (file_text != NULL && now_ms >= file_ms) {
        folder_write(&folder, "names.csv", file_text);
        file_text = NULL;
    }
    return now_ms;
}

/* Nobody sleeps: the clock is further on. */
static bool hand_park(struct sys *s, struct sys_parker *p, int64_t timeout_ns)
{
    (void)s;
    (void)p;
    now_ms += timeout_ns / 1000000;
    return false;
}

struct fixture {
    struct mem mem;
    struct arena arena;
    struct world world;
    struct buf columns, condition;
    const struct type *schema, *both;
    struct option options[10];
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
    f->world.ops.park = hand_park;
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

/* --- asked for keys ---------------------------------------------------------------------------------------------- */
static void asked_init(struct fixture *f, const char *cache)
{
    now_ms = 1000000;
    tick_ms = 0;
    file_text = NULL;
    fixture_init(f, "left");
    f->options[2] = (struct option){"lookup.cache", cache};
}

static void option_add(struct fixture *f, const char *key, const char *value)
{
    f->options[f->config.options.count++] = (struct option){key, value};
}

static void answers(struct op_driver *d, const char *rows, const char *expected)
{
    op_push(d, 0, rows);
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(op_output(d), expected);
}

static void keys_are_asked_once(void **state)
{
    struct fixture f;

    (void)state;
    for (uint32_t rows = 0; rows < 4; rows++) {
        asked_init(&f, "PARTIAL");
        folder_write(&folder, "names.csv", "1,one\n2,two\n1,uno\n3,three\n");
        struct op_driver *d = driver(&f, rows);
        answers(d, "1 | 10\n4 | 40\nnull | 0\n1 | 11",
                "+I[1, 10, 1, one]\n+I[1, 10, 1, uno]\n+I[4, 40, null, null]\n+I[null, 0, null, null]\n+I[1, 11, 1, one]\n"
                "+I[1, 11, 1, uno]\n");
        folder_write(&folder, "names.csv", "1,eins\n2,zwei\n4,vier\n");
        answers(d, "2 | 20\n1 | 12\n4 | 41",
                "+I[2, 20, 2, zwei]\n+I[1, 12, 1, one]\n+I[1, 12, 1, uno]\n+I[4, 41, null, null]\n");
        op_driver_free(d);
        fixture_release(&f);
    }
}

static void nothing_is_kept_without_a_cache(void **state)
{
    struct fixture f;

    (void)state;
    asked_init(&f, "NONE");
    folder_write(&folder, "names.csv", "1,one\n");
    struct op_driver *d = driver(&f, 0);
    answers(d, "1 | 10\n2 | 20", "+I[1, 10, 1, one]\n+I[2, 20, null, null]\n");
    folder_write(&folder, "names.csv", "1,uno\n2,dos\n");
    answers(d, "1 | 11\n2 | 21", "+I[1, 11, 1, uno]\n+I[2, 21, 2, dos]\n");
    op_driver_free(d);
    fixture_release(&f);
}

static void misses_are_kept_only_if_wanted(void **state)
{
    struct fixture f;

    (void)state;
    asked_init(&f, "PARTIAL");
    option_add(&f, "lookup.partial-cache.cache-missing-key", "false");
    folder_write(&folder, "names.csv", "1,one\n");
    struct op_driver *d = driver(&f, 0);
    answers(d, "1 | 10\n2 | 20", "+I[1, 10, 1, one]\n+I[2, 20, null, null]\n");
    folder_write(&folder, "names.csv", "1,uno\n2,dos\n");
    answers(d, "1 | 11\n2 | 21", "+I[1, 11, 1, one]\n+I[2, 21, 2, dos]\n");
    op_driver_free(d);
    fixture_release(&f);
}

static void the_key_used_longest_ago_goes_first(void **state)
{
    struct fixture f;

    (void)state;
    asked_init(&f, "PARTIAL");
    option_add(&f, "lookup.partial-cache.max-rows", "2");
    folder_write(&folder, "names.csv", "1,one\n2,two\n3,three\n");
    struct op_driver *d = driver(&f, 0);
    answers(d, "1 | 10\n2 | 20\n1 | 11\n3 | 30",
            "+I[1, 10, 1, one]\n+I[2, 20, 2, two]\n+I[1, 11, 1, one]\n+I[3, 30, 3, three]\n");
    folder_write(&folder, "names.csv", "1,uno\n2,dos\n3,tres\n");
    answers(d, "3 | 31\n2 | 21\n1 | 12", "+I[3, 31, 3, three]\n+I[2, 21, 2, dos]\n+I[1, 12, 1, one]\n");
    op_driver_free(d);
    fixture_release(&f);
}

static void answers_get_old(void **state)
{
    struct fixture f;

    (void)state;
    asked_init(&f, "PARTIAL");
    option_add(&f, "lookup.partial-cache.expire-after-write", "1 min");
    option_add(&f, "lookup.partial-cache.expire-after-access", "40 s");
    folder_write(&folder, "names.csv", "1,one\n2,two\n");
    struct op_driver *d = driver(&f, 0);
    answers(d, "1 | 10\n2 | 20", "+I[1, 10, 1, one]\n+I[2, 20, 2, two]\n");
    folder_write(&folder, "names.csv", "1,uno\n2,dos\n");
    now_ms += 39999;
    answers(d, "1 | 11", "+I[1, 11, 1, one]\n");
    now_ms += 1;
    answers(d, "2 | 21\n1 | 12", "+I[2, 21, 2, dos]\n+I[1, 12, 1, one]\n");
    now_ms += 19999;
    answers(d, "1 | 13", "+I[1, 13, 1, one]\n");
    now_ms += 1;
    answers(d, "1 | 14\n2 | 22", "+I[1, 14, 1, uno]\n+I[2, 22, 2, dos]\n");
    op_driver_free(d);
    fixture_release(&f);
}

/* The row comes into the table 25 s later; it is asked for at 0, 10, 20 and 30 s. */
static void expect_retries(int64_t retries, const char *expected, int64_t least_ms, int64_t most_ms)
{
    struct fixture f;

    asked_init(&f, "PARTIAL");
    folder_write(&folder, "names.csv", "1,one\n");
    f.config.retries = retries;
    f.config.retry_delay_ms = 10000;
    struct op_driver *d = driver(&f, 0);
    tick_ms = 100;
    file_ms = now_ms + 25000;
    file_text = "1,uno\n2,two\n";
    int64_t begin = now_ms;
    answers(d, "1 | 10\n2 | 20\nnull | 0", expected);
    assert_in_range(now_ms - begin, least_ms, most_ms);
    op_driver_free(d);
    fixture_release(&f);
}

static void keys_without_rows_are_asked_for_again(void **state)
{
    (void)state;
    expect_retries(3, "+I[1, 10, 1, one]\n+I[2, 20, 2, two]\n+I[null, 0, null, null]\n", 30000, 33000);
    expect_retries(2, "+I[1, 10, 1, one]\n+I[2, 20, null, null]\n+I[null, 0, null, null]\n", 20000, 23000);
    expect_retries(0, "+I[1, 10, 1, one]\n+I[2, 20, null, null]\n+I[null, 0, null, null]\n", 0, 3000);
}

/* It waits 1 s, 2 s, ... before it gives up. */
static void expect_failure(const char *retries, int64_t least_ms, int64_t most_ms)
{
    struct fixture f;

    asked_init(&f, "PARTIAL");
    folder_write(&folder, "names.csv", "1,one\n");
    f.options[0].value = folder_path(&folder, "names.csv/no-folder.csv");
    option_add(&f, "lookup.max-retries", retries);
    struct op_driver *d = driver(&f, 0);
    tick_ms = 20;
    int64_t begin = now_ms;
    op_push(d, 0, "1 | 10");
    assert_non_null(strstr(op_driver_error(d), "no-folder.csv"));
    assert_in_range(now_ms - begin, least_ms, most_ms);
    op_driver_free(d);
    fixture_release(&f);
}

static void a_world_that_fails_is_asked_again(void **state)
{
    (void)state;
    expect_failure("0", 0, 900);
    expect_failure("2", 3000, 3900);
}

/* Nearly all of what was kept is forgotten again and again: what lives is copied. */
static void what_lives_outlives_the_dead(void **state)
{
    char *text = malloc(800000), *rows = malloc(400000), *expected = malloc(800000), *at = text;
    struct fixture f;

    (void)state;
    for (int i = 0; i < 12000; i++) at += sprintf(at, "%d,a text that is too long to lie in its row %d\n", i, i);
    folder_write(&folder, "names.csv", text);
    asked_init(&f, "PARTIAL");
    option_add(&f, "lookup.partial-cache.max-rows", "500");
    struct op_driver *d = driver(&f, 0);
    answers(d, "7 | 0", "+I[7, 0, 7, a text that is too long to lie in its row 7]\n");
    for (int from = 0; from < 12000; from += 1000) {
        char *in = rows, *out = expected;
        for (int i = from; i < from + 1000; i++) {
            int key = i == from + 999 ? 7 : i;
            in += sprintf(in, "%d | %d\n", key, i);
            out += sprintf(out, "+I[%d, %d, %d, a text that is too long to lie in its row %d]\n", key, i, key, key);
        }
        answers(d, rows, expected);
    }
    folder_write(&folder, "names.csv", "7,seven\n11998,new\n1,one\n");
    answers(d, "7 | 1\n11998 | 2\n1 | 3",
            "+I[7, 1, 7, a text that is too long to lie in its row 7]\n+I[11998, 2, 11998, a text that is too long to lie in its row "
            "11998]\n+I[1, 3, 1, one]\n");
    op_driver_free(d);
    fixture_release(&f);
    free(text);
    free(rows);
    free(expected);
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
    f.options[2] = (struct option){"lookup.cache", "PARTIAL"};
    d = driver(&f, 0);
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
        cmocka_unit_test(keys_are_asked_once),
        cmocka_unit_test(nothing_is_kept_without_a_cache),
        cmocka_unit_test(misses_are_kept_only_if_wanted),
        cmocka_unit_test(the_key_used_longest_ago_goes_first),
        cmocka_unit_test(answers_get_old),
        cmocka_unit_test(keys_without_rows_are_asked_for_again),
        cmocka_unit_test(a_world_that_fails_is_asked_again),
        cmocka_unit_test(what_lives_outlives_the_dead),
        cmocka_unit_test(mistakes_are_told),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
