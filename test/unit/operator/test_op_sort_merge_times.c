/* test_op_sort_merge_times.c - interval joins by sorting give the rows that the operator `join_interval` gives: every kind, with and without
 * conditions, with one key, two, and none; bounds on one side, on both, and none at all between them; keys that many rows have, NULLs
 * that match and that do not, times at the ends of their range, batches of every size, with little memory and with all of it; files are
 * gone at the end, and when it is closed half-way; a disk that is full; hashes that are equal by accident; rows without a time. */
#include "columns/expr/expr.h"
#include "flow/operator/join_interval.h"
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

#define LEFT "ROW<k INT, t BIGINT, a STRING>"
#define RIGHT "ROW<k INT, t BIGINT, b STRING>"
#define BOTH "ROW<k INT, t BIGINT, a STRING, k0 INT, t0 BIGINT, b STRING>"

static const char *const names[] = {"k", "t", "a", "k0", "t0", "b"};
static const char *const kinds[] = {"inner", "left", "right", "full"};
static const char *const safe[] = {"true", "true"}, *const unsafe[] = {"false", "false"};
static struct sys *real; /* the driver's own has no files */

/* How a join is run. */
struct how {
    const char *kind, *keys, *condition;
    int64_t lower, upper, memory, files;
    uint32_t batch_rows, left, right; /* rows of the sides */
    uint32_t values, times;           /* keys and times that there are */
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
    bool two = h->keys != NULL && strcmp(h->keys, "k a") == 0;

    return op_driver_create(&(struct op_setup){.type = op_find(operator),
                                               .config = config,
                                               .in = LEFT,
                                               .in2 = RIGHT,
                                               .keys = h->keys,
                                               .keys2 = two ? "k b" : h->keys,
                                               .batch_rows = h->batch_rows,
                                               .sys = real});
}

static struct op_driver *by_state(const struct how *h, struct str condition)
{
    static struct join_interval_config c; /* of the one driver that is open */

    c = (struct join_interval_config){.kind = h->kind,
                                      .names = {names, COUNT_OF(names)},
                                      .condition = condition,
                                      .null_safe = {h->null_safe ? safe : unsafe, 2},
                                      .left_time = "t",
                                      .right_time = "t",
                                      .lower_ms = h->lower,
                                      .upper_ms = h->upper};
    return open("join_interval", &c, h);
}

static struct op_driver *by_sorting(const struct how *h, struct str condition, const char *dirs)
{
    static struct sort_merge_join_config c; /* the same */

    c = (struct sort_merge_join_config){
        .kind = h->kind,
        .names = {names, COUNT_OF(names)},
        .condition = condition,
        .null_safe = {h->null_safe ? safe : unsafe, 2},
        .left_time = "t",
        .right_time = "t",
        .lower_ms = h->lower,
        .upper_ms = h->upper,
        .spill = {
            .memory = h->memory, .dirs = dirs, .files = h->files, .packs = h->batch_rows == 66, .key = "the.key"}};
    return open("sort_merge_join", &c, h);
}

/* Every seventh row has one key; some have none; equal ones are among them. */
static void push_side(struct op_driver *d, const struct how *h, uint32_t side, uint32_t first, uint32_t end)
{
    char *text = malloc((size_t)(end - first) * 96 + 1);
    size_t n = 0;

    for (uint32_t i = first; i < end; i++) {
        uint32_t mixed = i * (side == 0 ? 2654435761u : 2246822519u) >> 9;
        char key[16], value[48] = "null";
        int64_t time = h->times == 0 ? (mixed % 3 == 0 ? INT64_MAX - 1 - mixed % 5 : INT64_MIN + 1 + mixed % 7) : mixed / 8 % h->times;
        snprintf(key, sizeof key, "%u", i % 7 == 0 ? 5 : mixed % h->values);
        if (mixed % 19 != 0)
            snprintf(value, sizeof value, "%s%u", mixed % 3 == 0 ? "a text that is longer than a reference " : "t",
                     mixed % 5);
        n += (size_t)sprintf(text + n, "%s | %lld | %s\n", i % 37 == 1 ? "null" : key, (long long)time, value);
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

static void gives_the_same_at(struct how h, struct str condition, const char *expected, const struct folder *f)
{
    static const int64_t memories[] = {0, 1, 20000};
    static const uint32_t sizes[] = {0, 1, 33, 66};

    for (uint32_t i = 0; i < COUNT_OF(sizes) * COUNT_OF(memories); i++) {
        h.memory = memories[i % COUNT_OF(memories)];
        h.batch_rows = sizes[i / COUNT_OF(memories)];
        if (h.memory == 1 && h.batch_rows == 1) h.memory = 3000; /* not a file for each row */
        h.files = h.batch_rows == 33 ? 2 : 100;
        char *got = run(by_sorting(&h, condition, f->path), &h);
        assert_string_equal(got, expected);
        assert_int_equal(folder_count(f, ""), 0);
        free(got);
    }
}

static void gives_what_state_gives(struct how h)
{
    struct folder f;
    struct mem mem;
    struct buf bytes;

    folder_make(&f);
    mem_init(&mem, "test", 0);
    struct str condition = encoded(h.condition, &mem, &bytes);
    for (size_t k = 0; k < COUNT_OF(kinds); k++) {
        h.kind = kinds[k];
        h.batch_rows = 0;
        char *expected = run(by_state(&h, condition), &h);
        assert_true((expected[0] != '\0') == (h.lower <= h.upper || k > 0));
        gives_the_same_at(h, condition, expected, &f);
        free(expected);
    }
    buf_release(&bytes);
    mem_release(&mem);
    folder_remove(&f);
}

static void one_key(void **state)
{
    (void)state;
    gives_what_state_gives((struct how){.keys = "k", .lower = -40, .upper = 30, .left = 500, .right = 300, .values = 40, .times = 700});
    gives_what_state_gives((struct how){.keys = "k", .lower = 5, .upper = 60, .left = 60, .right = 900, .values = 30, .times = 99});
}

static void two_keys(void **state)
{
    (void)state;
    gives_what_state_gives((struct how){.keys = "k a", .lower = -9, .upper = 0, .left = 600, .right = 500, .values = 20, .times = 60});
}

static void no_key(void **state)
{
    (void)state;
    gives_what_state_gives((struct how){.lower = -3, .upper = 4, .left = 300, .right = 400, .values = 9, .times = 2000});
    gives_what_state_gives((struct how){.lower = -400, .upper = 400, .left = 50, .right = 250, .values = 9, .times = 900});
}

static void a_condition_besides(void **state)
{
    (void)state;
    gives_what_state_gives((struct how){
        .keys = "k", .condition = "a < b", .lower = -40, .upper = 30, .left = 400, .right = 300, .values = 20, .times = 300});
    gives_what_state_gives((struct how){.condition = "k = k0", .lower = -40, .upper = 3, .left = 300, .right = 300, .values = 9, .times = 900});
}

static void null_equals_null(void **state)
{
    (void)state;
    gives_what_state_gives((struct how){
        .keys = "k a", .null_safe = true, .lower = -90, .upper = 90, .left = 400, .right = 300, .values = 10, .times = 300});
}

static void an_interval_that_holds_nothing(void **state)
{
    (void)state;
    gives_what_state_gives((struct how){.keys = "k", .lower = 5, .upper = 4, .left = 200, .right = 100, .values = 5, .times = 30});
}

static void times_at_the_ends_of_their_range(void **state)
{
    (void)state;
    gives_what_state_gives((struct how){.keys = "k", .lower = -3, .upper = 2, .left = 100, .right = 80, .values = 5});
    gives_what_state_gives((struct how){.keys = "k", .lower = -3, .upper = INT64_MAX, .left = 60, .right = 50, .values = 5});
}

/* More rows of one key than a stage holds, and than lie in memory: they are put aside. */
static void a_key_of_very_many_rows(void **state)
{
    struct how h = {.keys = "k", .lower = -50, .upper = 70, .left = 90, .right = 60000, .values = 1, .times = 90000, .memory = 40000, .files = 20};
    struct folder f;

    (void)state;
    folder_make(&f);
    for (size_t k = 0; k < COUNT_OF(kinds); k++) {
        h.kind = kinds[k];
        char *expected = run(by_state(&h, (struct str){0}), &h), *got = run(by_sorting(&h, (struct str){0}, f.path), &h);
        assert_string_equal(got, expected);
        assert_int_equal(folder_count(&f, ""), 0);
        free(expected);
        free(got);
    }
    folder_remove(&f);
}

static void files_go_when_it_is_closed_half_way(void **state)
{
    struct how h = {.kind = "full", .keys = "k", .memory = 1, .files = 4, .left = 600, .right = 600, .values = 9, .times = 50};
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
    struct how h = {.kind = "full", .keys = "k", .lower = -9, .upper = 9, .memory = 1, .files = 4, .batch_rows = 33, .left = 400, .right = 400, .values = 1, .times = 500};
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

static void what_cannot_be_is_refused(void **state)
{
    struct sort_merge_join_config c = {.kind = "semi", .names = {names, COUNT_OF(names)}, .left_time = "t", .right_time = "t"};
    struct how h = {.keys = "k"};

    (void)state;
    struct op_driver *d = open("sort_merge_join", &c, &h);
    assert_string_equal(op_driver_error(d), "an interval join is inner, left, right or full");
    op_driver_free(d);
    c.kind = "inner";
    c.right_time = NULL;
    d = open("sort_merge_join", &c, &h);
    assert_string_equal(op_driver_error(d), "both sides of an interval join have times, or none has");
    op_driver_free(d);
    c.right_time = "t";
    d = open("sort_merge_join", &c, &h);
    op_push(d, 1, "1 | null | x");
    assert_non_null(strstr(op_driver_error(d), "RowTime field should not be null"));
    op_driver_free(d);
}

/* Pairs whose hashes are equal, and of which some have equal keys. */
static void hashes_that_are_equal_by_accident(void **state)
{
    struct sort_merge_join *s = calloc(1, sizeof *s);
    struct op_plan p = {.keys = {(uint32_t[]){0}, (uint32_t[]){0}}, .key_count = {1, 1}};
    struct op_cx cx = {.plan = &p};
    struct arena a;
    struct mem mem;

    (void)state;
    mem_init(&mem, "test", 0);
    arena_init(&a, &mem, 0);
    struct batch *left = rows_batch(rows_type(&a, LEFT), &mem, "1 | 0 | x\n2 | 0 | y\nnull | 0 | z");
    struct batch *right = rows_batch(rows_type(&a, RIGHT), &mem, "2 | 0 | x\nnull | 0 | y\n1 | 0 | z");
    s->sides[0].stage = left;
    s->right = right;
    for (uint32_t i = 0; i < 9; i++) {
        s->rows[0][i] = (uint16_t)(i / 3);
        s->rows[1][i] = (uint16_t)(i % 3);
    }
    assert_int_equal(merge_times_same(&cx, s, 9), 3);
    assert_memory_equal(s->rows[0], ((uint16_t[]){0, 1, 2}), 6);
    assert_memory_equal(s->rows[1], ((uint16_t[]){2, 0, 1}), 6);
    batch_free(left);
    batch_free(right);
    free(s);
    arena_release(&a);
    mem_release(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_key),
        cmocka_unit_test(two_keys),
        cmocka_unit_test(no_key),
        cmocka_unit_test(a_condition_besides),
        cmocka_unit_test(null_equals_null),
        cmocka_unit_test(an_interval_that_holds_nothing),
        cmocka_unit_test(times_at_the_ends_of_their_range),
        cmocka_unit_test(a_key_of_very_many_rows),
        cmocka_unit_test(files_go_when_it_is_closed_half_way),
        cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(hashes_that_are_equal_by_accident),
    };

    real = sys_linux_create_quiet();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sys_linux_free(real);
    return failed;
}
