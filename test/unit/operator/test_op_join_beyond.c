/* test_op_join_beyond.c - joins in batch mode: with little memory the same rows come out as with all of it: every kind, with and without
 * keys and conditions, keys that many rows have, NULLs, equal rows, sides with one row per key, one side that is read first (and goes to
 * every task), batches of every size and in any order;
 * files are there meanwhile and gone at the end, and when it is closed half-way; a folder that is not there. */
#include "columns/expr/expr.h"
#include "flow/operator/join.h"
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

#define TEXTS(...)                                                                                                     \
    {                                                                                                                  \
        (const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__}))                             \
    }
#define LEFT "ROW<k INT, a STRING>"
#define RIGHT "ROW<k INT, b INT>"
#define BOTH "ROW<k INT, a STRING, k0 INT, b INT>"

static const char *const names[] = {"k", "a", "k0", "b"};
static const char *const kinds[] = {"inner", "left", "right", "full", "semi", "anti"};
static struct sys *real; /* the driver's own has no files */

/* How a join is run. */
struct how {
    const char *kind, *keys, *condition, *backend;
    int64_t memory, files;
    uint32_t batch_rows, left, right; /* rows of the sides */
    bool one_row;                     /* per key, on the right side */
    bool right_first;
    const char *build; /* the side that is read first; NULL: both are kept */
};

/* bytes: what the condition is encoded to. */
static struct join_config config_of(const struct how *h, const char *dirs, struct mem *mem, struct buf *bytes)
{
    struct arena a;
    struct err e = {0};
    struct expr *x;

    arena_init(&a, mem, 0);
    buf_init(bytes, mem);
    if (h->condition != NULL) {
        assert_int_equal(expr_parse(&a, rows_type(&a, BOTH), str_of(h->condition), &x, &e), S_OK);
        expr_encode(x, bytes);
    }
    arena_release(&a);
    return (struct join_config){.kind = h->kind,
                                .names = {names, COUNT_OF(names)},
                                .condition = {bytes->data, bytes->size},
                                .at_end = true,
                                .left_appends = true,
                                .right_appends = true,
                                .right_row = h->one_row,
                                .build = h->build,
                                .everywhere = h->build != NULL && h->batch_rows == 33,
                                .spill = {.memory = h->memory, .dirs = dirs, .files = h->files, .packs = h->batch_rows == 66, .key = "the.key"}};
}

static struct op_driver *open(const struct how *h, const struct join_config *c)
{
    return op_driver_create(&(struct op_setup){.type = op_find("join"),
                                               .config = c,
                                               .in = LEFT,
                                               .in2 = RIGHT,
                                               .keys = h->keys,
                                               .keys2 = h->keys,
                                               .batch_rows = h->batch_rows,
                                               .backend = h->backend,
                                               .sys = real});
}

/* A tenth of the left side's rows has one key; some have none; equal ones are among them. */
static void push_left(struct op_driver *d, uint32_t first, uint32_t end)
{
    char text[1 << 16] = "";
    size_t n = 0;

    for (uint32_t i = first; i < end; i++) {
        uint32_t mixed = i * 2654435761u >> 9;
        if (i % 37 == 0)
            n += (size_t)sprintf(text + n, "null | t%u\n", mixed % 9);
        else
            n += (size_t)sprintf(text + n, "%u | %s%u\n", i % 10 == 0 ? 7 : mixed % 300,
                                 i % 3 == 0 ? "a text that is longer than a reference " : "t", mixed % 9);
    }
    op_push(d, 0, text);
}

static void push_right(struct op_driver *d, const struct how *h, uint32_t first, uint32_t end)
{
    char text[1 << 16] = "";
    size_t n = 0;

    for (uint32_t i = first; i < end; i++) {
        uint32_t mixed = i * 2246822519u >> 9;
        if (i % 41 == 0)
            n += (size_t)sprintf(text + n, "null | %u\n", mixed % 50);
        else
            n += (size_t)sprintf(text + n, "%u | %u\n", h->one_row ? i : i % 15 == 0 ? 7 : mixed % 400, mixed % 50);
    }
    op_push(d, 1, text);
}

static void push_all(struct op_driver *d, const struct how *h)
{
    enum { PUSHES = 6 };

    for (uint32_t i = 0; i < 2 * PUSHES; i++) {
        if (op_driver_error(d)[0] != '\0') return;
        uint32_t side = h->right_first ? i < PUSHES : i % 2, at = h->right_first ? i % PUSHES : i / 2;
        if (side == 0)
            push_left(d, h->left * at / PUSHES, h->left * (at + 1) / PUSHES);
        else
            push_right(d, h, h->right * at / PUSHES, h->right * (at + 1) / PUSHES);
    }
}

/* What comes out, sorted; to be freed. files: there are some before the end. */
static char *joined(const struct how *h, const struct folder *f, bool *files)
{
    struct mem mem;
    struct buf bytes, text;

    mem_init(&mem, "test", 0);
    buf_init(&text, &mem);
    struct join_config c = config_of(h, f->path, &mem, &bytes);
    struct op_driver *d = open(h, &c);
    push_all(d, h);
    assert_string_equal(op_driver_error(d), "");
    *files = folder_count(f, "") > 0;
    buf_append_text(&text, op_output(d));
    op_push_end(d);
    assert_string_equal(op_driver_error(d), "");
    buf_append_text(&text, op_output(d));
    char *out = lines_sorted(buf_text(&text));
    op_driver_free(d);
    assert_int_equal(folder_count(f, ""), 0);
    buf_release(&text);
    buf_release(&bytes);
    mem_release(&mem);
    return out;
}

static void builds_give_what_memory_gives(struct how h)
{
    static const int64_t memories[] = {1, 200000, 400000, 1000000000};
    struct folder f;
    bool files;

    folder_make(&f);
    for (size_t k = 0; k < COUNT_OF(kinds); k++) {
        h.kind = kinds[k];
        struct how plain = h;
        plain.build = plain.backend = NULL;
        plain.memory = 0;
        plain.batch_rows = 0;
        char *expected = joined(&plain, &f, &files);
        assert_false(files);
        for (size_t m = 0; m < COUNT_OF(memories); m++)
            for (uint32_t size = 0; size < 100; size += 33) {
                h.memory = memories[m];
                h.files = size == 0 ? 100 : 2;
                h.batch_rows = size;
                h.backend = size == 33 ? "pending" : NULL;
                char *got = joined(&h, &f, &files);
                assert_string_equal(got, expected);
                if (memories[m] == 1 && h.build == NULL) assert_true(files);
                if (memories[m] == 1000000000) assert_false(files);
                free(got);
            }
        free(expected);
    }
    folder_remove(&f);
}

static void files_give_what_memory_gives(struct how h)
{
    static const char *const builds[] = {NULL, "left", "right"};

    for (size_t i = 0; i < COUNT_OF(builds); i++) {
        h.build = builds[i];
        builds_give_what_memory_gives(h);
    }
}

static void keys_of_many_rows(void **state)
{
    (void)state;
    files_give_what_memory_gives((struct how){.keys = "k", .left = 900, .right = 700});
    files_give_what_memory_gives((struct how){.keys = "k", .left = 300, .right = 900, .right_first = true});
}

static void keys_and_a_condition(void **state)
{
    (void)state;
    files_give_what_memory_gives((struct how){.keys = "k", .condition = "b > 20", .left = 900, .right = 700});
}

static void a_condition_alone(void **state)
{
    (void)state;
    files_give_what_memory_gives((struct how){.condition = "k < k0", .left = 300, .right = 200});
    files_give_what_memory_gives(
        (struct how){.condition = "k <> k0", .left = 300, .right = 200, .right_first = true});
}

static void one_row_per_key(void **state)
{
    (void)state;
    files_give_what_memory_gives((struct how){.keys = "k", .left = 900, .right = 250, .one_row = true});
    files_give_what_memory_gives((struct how){.keys = "k", .left = 200, .right = 900, .one_row = true});
}

static void a_side_without_rows(void **state)
{
    (void)state;
    files_give_what_memory_gives((struct how){.keys = "k", .left = 900});
    files_give_what_memory_gives((struct how){.keys = "k", .right = 900});
}

static void files_go_when_it_is_closed_half_way(void **state)
{
    struct how h = {.kind = "full", .keys = "k", .memory = 1, .files = 4, .left = 600, .right = 600};
    struct folder f;
    struct mem mem;
    struct buf bytes;

    (void)state;
    folder_make(&f);
    mem_init(&mem, "test", 0);
    struct join_config c = config_of(&h, f.path, &mem, &bytes);
    struct op_driver *d = open(&h, &c);
    push_all(d, &h);
    assert_true(folder_count(&f, "") > 0);
    op_driver_free(d);
    assert_int_equal(folder_count(&f, ""), 0);
    buf_release(&bytes);
    mem_release(&mem);
    folder_remove(&f);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
    struct how h = {.kind = "inner", .keys = "k", .memory = 1, .files = 4, .left = 600, .right = 600};
    struct mem mem;
    struct buf bytes;

    (void)state;
    mem_init(&mem, "test", 0);
    struct join_config c = config_of(&h, "/nowhere/at/all", &mem, &bytes);
    struct op_driver *d = open(&h, &c);
    push_all(d, &h);
    assert_non_null(
        strstr(op_driver_error(d), "rows that do not fit 'the.key' go to files in '/nowhere/at/all' (io.tmp.dirs)"));
    op_driver_free(d);
    buf_release(&bytes);
    mem_release(&mem);
}

/* Whenever the disk fails, the job does, and leaves no file. */
static void a_full_disk_is_told(void **state)
{
    struct how h = {.kind = "full", .keys = "k", .memory = 1, .files = 4, .batch_rows = 33, .left = 600, .right = 600};
    struct folder f;
    struct mem mem;
    struct buf bytes;
    bool failed = true;

    (void)state;
    folder_make(&f);
    mem_init(&mem, "test", 0);
    struct join_config c = config_of(&h, f.path, &mem, &bytes);
    for (uint32_t n = 1; failed; n += 1 + n / 4) {
        full_disk_begin(real, n);
        struct op_driver *d = open(&h, &c);
        push_all(d, &h);
        if (op_driver_error(d)[0] == '\0') op_push_end(d);
        assert_int_equal(strstr(op_driver_error(d), "no space left on the disk") != NULL, op_driver_error(d)[0] != '\0');
        failed = op_driver_error(d)[0] != '\0';
        op_driver_free(d);
        assert_int_equal(full_disk_end(real), failed);
        assert_int_equal(folder_count(&f, ""), 0);
    }
    buf_release(&bytes);
    mem_release(&mem);
    folder_remove(&f);
}

static void what_a_join_cannot_keep_is_refused(void **state)
{
    struct how h = {.kind = "inner", .keys = "k", .build = "first"};
    struct mem mem;
    struct buf bytes;

    (void)state;
    mem_init(&mem, "test", 0);
    struct join_config c = config_of(&h, "/tmp", &mem, &bytes);
    struct op_driver *d = open(&h, &c);
    assert_string_equal(op_driver_error(d), "a join keeps its 'left' side, its 'right' one, or both, not 'first'");
    op_driver_free(d);
    c.build = "left";
    c.at_end = false;
    d = open(&h, &c);
    assert_string_equal(op_driver_error(d), "a join whose rows change keeps both sides");
    op_driver_free(d);
    buf_release(&bytes);
    mem_release(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_many_rows),
        cmocka_unit_test(keys_and_a_condition),
        cmocka_unit_test(a_condition_alone),
        cmocka_unit_test(one_row_per_key),
        cmocka_unit_test(a_side_without_rows),
        cmocka_unit_test(files_go_when_it_is_closed_half_way),
        cmocka_unit_test(a_folder_that_is_not_there_is_named),
        cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(what_a_join_cannot_keep_is_refused),
    };

    real = sys_linux_create_quiet();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sys_linux_free(real);
    return failed;
}
