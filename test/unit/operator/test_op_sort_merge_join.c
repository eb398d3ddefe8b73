/* test_op_sort_merge_join.c - joins by sorting give the rows that the operator `join` gives: every kind, with and without conditions, keys
 * of one and of two columns, keys that many rows have, NULLs that match and that do not, sides without rows, batches of every size, with
 * little memory and with all of it; files are gone at the end, and when it is closed half-way; a disk that is full; what is refused. */
#include "columns/expr/expr.h"
#include "flow/operator/join.h"
#include "flow/operator/sort_merge_join.h"
#include "ground/base/str.h"
#include "support/folder.h"
#include "support/full_disk.h"
#include "support/lines.h"
#include "support/op_driver.h"
#include "support/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define LEFT "ROW<k INT, a STRING>"
#define RIGHT "ROW<k INT, b STRING>"
#define BOTH "ROW<k INT, a STRING, k0 INT, b STRING>"

static const char *const names[] = {"k", "a", "k0", "b"};
static const char *const kinds[] = {"inner", "left", "right", "full", "semi", "anti"};
static const char *const safe[] = {"true", "true"}, *const unsafe[] = {"false", "false"};
static struct sys *real; /* the driver's own has no files */

/* How a join is run. */
struct how {
    const char *kind, *keys, *condition;
    int64_t memory, files;
    uint32_t batch_rows, left, right; /* rows of the sides */
    uint32_t values;                  /* keys that there are */
    bool null_safe;
};

static struct str encoded(const char *condition, struct mem *mem, struct buf *bytes)
{
    struct arena a;
    struct err e = {0};
    struct expr *x;

    buf_init(bytes, mem);
    if (condition == NULL) return (struct str){0};
    arena_init(&a, mem, 0);
    assert_int_equal(expr_parse(&a, rows_type(&a, BOTH), str_of(condition), &x, &e), S_OK);
    expr_encode(x, bytes);
    arena_release(&a);
    return (struct str){bytes->data, bytes->size};
}

static struct op_driver *open(const char *operator, const void * config, const struct how *h)
{
    return op_driver_create(&(struct op_setup){.type = op_find(operator),
                                               .config = config,
                                               .in = LEFT,
                                               .in2 = RIGHT,
                                               .keys = h->keys,
                                               .keys2 = strcmp(h->keys, "k a") == 0 ? "k b" : h->keys,
                                               .batch_rows = h->batch_rows,
                                               .sys = real});
}

static struct op_driver *by_hash(const struct how *h, struct str condition)
{
    static struct join_config c; /* of the one driver that is open */

    c = (struct join_config){.kind = h->kind,
                             .names = {names, COUNT_OF(names)},
                             .condition = condition,
                             .null_safe = {h->null_safe ? safe : unsafe, 2},
                             .at_end = true,
                             .left_appends = true,
                             .right_appends = true};

    return open("join", &c, h);
}

static struct op_driver *by_sorting(const struct how *h, struct str condition, const char *dirs)
{
    static struct sort_merge_join_config c; /* the same */

    c = (struct sort_merge_join_config){
        .kind = h->kind,
        .names = {names, COUNT_OF(names)},
        .condition = condition,
        .null_safe = {h->null_safe ? safe : unsafe, 2},
        .spill = {
            .memory = h->memory, .dirs = dirs, .files = h->files, .packs = h->batch_rows == 66, .key = "the.key"}};

    return open("sort_merge_join", &c, h);
}

/* Every seventh row has one key; some have none; equal ones are among them. */
static void push_side(struct op_driver *d, const struct how *h, uint32_t side, uint32_t first, uint32_t end)
{
    char *text = malloc((size_t)(end - first) * 64 + 1);
    size_t n = 0;

    for (uint32_t i = first; i < end; i++) {
        uint32_t mixed = i * (side == 0 ? 2654435761u : 2246822519u) >> 9;
        char key[16], value[48] = "null";
        snprintf(key, sizeof key, "%u", i % 7 == 0 ? 5 : mixed % h->values);
        if (mixed % 19 != 0)
            snprintf(value, sizeof value, "%s%u", mixed % 3 == 0 ? "a text that is longer than a reference " : "t",
                     mixed % 5);
        n += (size_t)sprintf(text + n, "%s | %s\n", i % 37 == 1 ? "null" : key, value);
    }
    if (n > 0) op_push(d, side, text);
    free(text);
}

static void push_all(struct op_driver *d, const struct how *h)
{
    uint32_t pushes = MAX(h->left, h->right) / 1000 + 6; /* of no more rows than fit a batch */

    for (uint32_t i = 0; i < 2 * pushes && op_driver_error(d)[0] == '\0'; i++) {
        uint32_t count = i % 2 == 0 ? h->left : h->right, at = i / 2;
        push_side(d, h, i % 2, count * at / pushes, count * (at + 1) / pushes);
    }
}

/* What comes out, sorted; to be freed. */
static char *run(struct op_driver *d, const struct how *h)
{
    struct mem mem;
    struct buf text;

    mem_init(&mem, "test", 0);
    buf_init(&text, &mem);
    push_all(d, h);
    buf_append_text(&text, op_output(d));
    op_push_end(d);
    assert_string_equal(op_driver_error(d), "");
    buf_append_text(&text, op_output(d));
    char *out = lines_sorted(buf_text(&text));
    op_driver_free(d);
    buf_release(&text);
    mem_release(&mem);
    return out;
}

static void gives_what_the_hash_join_gives(struct how h)
{
    static const int64_t memories[] = {0, 1, 20000};
    struct folder f;
    struct mem mem;
    struct buf bytes;

    folder_make(&f);
    mem_init(&mem, "test", 0);
    struct str condition = encoded(h.condition, &mem, &bytes);
    for (size_t k = 0; k < COUNT_OF(kinds); k++) {
        h.kind = kinds[k];
        h.batch_rows = 0;
        char *expected = run(by_hash(&h, condition), &h);
        for (uint32_t i = 0; i < 4 * COUNT_OF(memories); i++) {
            static const uint32_t sizes[] = {0, 1, 33, 66};
            h.memory = memories[i % COUNT_OF(memories)];
            h.batch_rows = sizes[i / COUNT_OF(memories)];
            if (h.memory == 1 && h.batch_rows == 1) h.memory = 3000; /* not a file for each row */
            h.files = h.batch_rows == 33 ? 2 : 100;
            char *got = run(by_sorting(&h, condition, f.path), &h);
            assert_string_equal(got, expected);
            assert_int_equal(folder_count(&f, ""), 0);
            free(got);
        }
        free(expected);
    }
    buf_release(&bytes);
    mem_release(&mem);
    folder_remove(&f);
}

static void one_key(void **state)
{
    (void)state;
    gives_what_the_hash_join_gives((struct how){.keys = "k", .left = 500, .right = 300, .values = 200});
    gives_what_the_hash_join_gives((struct how){.keys = "k", .left = 40, .right = 900, .values = 2000});
}

static void two_keys(void **state)
{
    (void)state;
    gives_what_the_hash_join_gives((struct how){.keys = "k a", .left = 600, .right = 500, .values = 90});
}

static void a_condition_besides(void **state)
{
    (void)state;
    gives_what_the_hash_join_gives(
        (struct how){.keys = "k", .condition = "a < b", .left = 400, .right = 300, .values = 60});
    gives_what_the_hash_join_gives(
        (struct how){.keys = "k", .condition = "a = 'x'", .left = 200, .right = 300, .values = 60});
}

static void null_equals_null(void **state)
{
    (void)state;
    gives_what_the_hash_join_gives(
        (struct how){.keys = "k", .null_safe = true, .left = 400, .right = 300, .values = 100});
    gives_what_the_hash_join_gives(
        (struct how){.keys = "k a", .null_safe = true, .condition = "a < b", .left = 400, .right = 300, .values = 100});
}

static void all_rows_have_one_key(void **state)
{
    (void)state;
    gives_what_the_hash_join_gives((struct how){.keys = "k", .left = 60, .right = 150, .values = 1});
    gives_what_the_hash_join_gives(
        (struct how){.keys = "k", .condition = "a < b", .left = 60, .right = 150, .values = 1});
}

/* More rows of one key than a stage holds: they are put aside. */
static void a_key_of_very_many_rows(void **state)
{
    struct how h = {
        .keys = "k", .condition = "a > b", .left = 9, .right = 30000, .values = 1, .memory = 40000, .files = 20};
    struct folder f;
    struct mem mem;
    struct buf bytes;

    (void)state;
    folder_make(&f);
    mem_init(&mem, "test", 0);
    struct str condition = encoded(h.condition, &mem, &bytes);
    for (size_t k = 0; k < COUNT_OF(kinds); k++) {
        h.kind = kinds[k];
        char *expected = run(by_hash(&h, condition), &h), *got = run(by_sorting(&h, condition, f.path), &h);
        assert_string_equal(got, expected);
        assert_int_equal(folder_count(&f, ""), 0);
        free(expected);
        free(got);
    }
    buf_release(&bytes);
    mem_release(&mem);
    folder_remove(&f);
}

static void a_side_without_rows(void **state)
{
    (void)state;
    gives_what_the_hash_join_gives((struct how){.keys = "k", .left = 300, .values = 20});
    gives_what_the_hash_join_gives((struct how){.keys = "k", .right = 300, .values = 20});
    gives_what_the_hash_join_gives((struct how){.keys = "k", .values = 20});
}

static void files_go_when_it_is_closed_half_way(void **state)
{
    struct how h = {.kind = "full", .keys = "k", .memory = 1, .files = 4, .left = 600, .right = 600, .values = 9};
    struct folder f;

    (void)state;
    folder_make(&f);
    struct op_driver *d = by_sorting(&h, (struct str){0}, f.path);
    push_all(d, &h);
    assert_true(folder_count(&f, "") > 0);
    op_driver_free(d);
    assert_int_equal(folder_count(&f, ""), 0);
    folder_remove(&f);
}

/* Whenever the disk fails, the job does, and leaves no file. */
static void a_full_disk_is_told(void **state)
{
    struct how h = {
        .kind = "full", .keys = "k", .memory = 1, .files = 4, .batch_rows = 33, .left = 400, .right = 400, .values = 1};
    struct folder f;
    bool failed = true;

    (void)state;
    folder_make(&f);
    for (uint32_t n = 1; failed; n += 1 + n / 4) {
        full_disk_begin(real, n);
        struct op_driver *d = by_sorting(&h, (struct str){0}, f.path);
        push_all(d, &h);
        if (op_driver_error(d)[0] == '\0') op_push_end(d);
        failed = op_driver_error(d)[0] != '\0';
        assert_int_equal(strstr(op_driver_error(d), "no space left on the disk") != NULL, failed);
        op_driver_free(d);
        assert_int_equal(full_disk_end(real), failed);
        assert_int_equal(folder_count(&f, ""), 0);
    }
    folder_remove(&f);
}

static void what_has_no_order_is_refused(void **state)
{
    static const struct sort_merge_join_config c = {.kind = "inner", .names = {names, COUNT_OF(names)}};
    struct op_setup setup = {.type = op_find("sort_merge_join"),
                             .config = &c,
                             .in = "ROW<k ARRAY<INT>, a STRING>",
                             .in2 = "ROW<k ARRAY<INT>, b STRING>",
                             .keys = "k",
                             .keys2 = "k"};

    (void)state;
    struct op_driver *d = op_driver_create(&setup);
    assert_string_equal(op_driver_error(d), "cannot sort by key 1 of a join: arrays, maps and rows have no order");
    op_driver_free(d);
    setup.keys = setup.keys2 = NULL;
    d = op_driver_create(&setup);
    assert_string_equal(op_driver_error(d), "a join by sorting needs keys");
    op_driver_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_key),
        cmocka_unit_test(two_keys),
        cmocka_unit_test(a_condition_besides),
        cmocka_unit_test(null_equals_null),
        cmocka_unit_test(all_rows_have_one_key),
        cmocka_unit_test(a_key_of_very_many_rows),
        cmocka_unit_test(a_side_without_rows),
        cmocka_unit_test(files_go_when_it_is_closed_half_way),
        cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(what_has_no_order_is_refused),
    };

    real = sys_linux_create_quiet();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sys_linux_free(real);
    return failed;
}
