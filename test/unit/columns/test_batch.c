/* test_batch.c - life of batches: clearing, kinds, times, selections, swapping, densifying, sizes. */
#include "columns/column/batch.h"
#include "support/rows.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

struct world {
    struct mem mem;
    struct arena arena;
    struct buf out;
    const struct type *schema;
};

static int set_up(void **state)
{
    static struct world w;

    memset(&w, 0, sizeof w);
    mem_init(&w.mem, "test", 0);
    arena_init(&w.arena, &w.mem, 0);
    buf_init(&w.out, &w.mem);
    w.schema = rows_type(&w.arena, "ROW<a STRING, b INT, c TIMESTAMP(3)>");
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    buf_release(&w->out);
    arena_release(&w->arena);
    assert_int_equal(w->mem.used, 0);
    mem_release(&w->mem);
    return 0;
}

#define THREE_ROWS                                                                                                     \
    "+I @1 a | 1 | 2001-01-01 00:00\n-D @2 null | 2 | null\n+U @3 \"a long string, yes\" | null | 2001-01-01 "         \
    "00:00:01.5\n"

static void test_rows_print(void **state)
{
    struct world *w = *state;
    struct batch *b = rows_batch(w->schema, &w->mem, THREE_ROWS);

    assert_string_equal(
        rows_text(b, &w->out),
        "+I[a, 1, 2001-01-01T00:00]\n-D[null, 2, null]\n+U[a long string, yes, null, 2001-01-01T00:00:01.500]\n");
    batch_free(b);
    batch_free(NULL);
}

static void test_clear_keeps_buffers(void **state)
{
    struct world *w = *state;
    struct batch *b = rows_batch(w->schema, &w->mem, THREE_ROWS);
    uint64_t calls = w->mem.calls;
    uint16_t sel[] = {1};

    b->sel = sel;
    b->sel_count = 1;
    b->watermark = 5;
    vector_make_const(&b->cols[0]);
    batch_clear(b);
    assert_true(b->count == 0 && !b->sel && !b->kinds && !b->times && b->watermark == TIME_MIN);
    assert_int_equal(b->cols[0].form, VEC_FLAT);
    assert_false(vector_is_null(&b->cols[0], 1));
    rows_add(b, THREE_ROWS);
    assert_int_equal(w->mem.calls, calls);
    assert_int_equal(batch_time(b, 2), 3);
    batch_free(b);
}

static void test_kinds_and_times_begin_late(void **state)
{
    struct world *w = *state;
    struct batch *b = batch_create(w->schema, 10, &w->mem);

    rows_add(b, "a | 1 | null\n");
    assert_int_equal(batch_kind(b, 0), ROW_INSERT);
    assert_int_equal(batch_time(b, 0), TIME_MIN);
    rows_add(b, "-U @7 b | 2 | null\nc | 3 | null\n");
    assert_true(b->kinds && b->times);
    assert_true(batch_kind(b, 0) == ROW_INSERT && batch_kind(b, 1) == ROW_UPDATE_BEFORE &&
                batch_kind(b, 2) == ROW_INSERT);
    assert_true(batch_time(b, 0) == TIME_MIN && batch_time(b, 1) == 7 && batch_time(b, 2) == TIME_MIN);
    batch_free(b);
}

static void test_append_mixes_kinds_and_times(void **state)
{
    struct world *w = *state;
    struct batch *plain = rows_batch(w->schema, &w->mem, "x | 1 | null\ny | 2 | null\n"),
                 *full = rows_batch(w->schema, &w->mem, THREE_ROWS);
    struct batch *dst = batch_create(w->schema, 20, &w->mem);
    static const uint16_t rows[] = {2, 0};

    batch_append(dst, plain, NULL, 0);
    assert_true(!dst->kinds && !dst->times);
    batch_append(dst, full, rows, 2);
    batch_append(dst, plain, rows + 1, 1);
    batch_append(dst, full, NULL, 0);
    static const uint8_t kinds[] = {0, 0, ROW_UPDATE_AFTER, 0, 0, 0, ROW_DELETE, ROW_UPDATE_AFTER};
    static const int64_t times[] = {TIME_MIN, TIME_MIN, 3, 1, TIME_MIN, 1, 2, 3};
    assert_int_equal(dst->count, 8);
    assert_memory_equal(dst->kinds, kinds, sizeof kinds);
    assert_memory_equal(dst->times, times, sizeof times);
    batch_free(plain);
    batch_free(full);
    batch_free(dst);
}

static void test_selection_is_what_counts(void **state)
{
    struct world *w = *state;
    struct batch *b = rows_batch(w->schema, &w->mem, THREE_ROWS), *dst = batch_create(w->schema, 10, &w->mem);
    static const uint16_t sel[] = {0, 2};

    b->sel = sel;
    b->sel_count = 2;
    assert_int_equal(batch_rows(b), 2);
    batch_append(dst, b, NULL, 0);
    assert_string_equal(rows_text(dst, &w->out),
                        "+I[a, 1, 2001-01-01T00:00]\n+U[a long string, yes, null, 2001-01-01T00:00:01.500]\n");
    assert_string_equal(rows_text(b, &w->out),
                        "+I[a, 1, 2001-01-01T00:00]\n+U[a long string, yes, null, 2001-01-01T00:00:01.500]\n");
    batch_free(b);
    batch_free(dst);
}

static void test_swap_exchanges_contents(void **state)
{
    struct world *w = *state;
    struct batch *a = rows_batch(w->schema, &w->mem, THREE_ROWS), *b = rows_batch(w->schema, &w->mem, "z | 9 | null\n");
    struct batch *next = batch_create(w->schema, 1, &w->mem);

    a->next = next;
    a->watermark = 4;
    batch_swap(a, b);
    assert_true(a->next == next && b->next == NULL && b->watermark == 4 && a->watermark == TIME_MIN);
    assert_string_equal(rows_text(a, &w->out), "+I[z, 9, null]\n");
    assert_int_equal(b->count, 3);
    assert_int_equal(batch_kind(b, 1), ROW_DELETE);
    batch_free(a);
    assert_string_equal(
        rows_text(b, &w->out),
        "+I[a, 1, 2001-01-01T00:00]\n-D[null, 2, null]\n+U[a long string, yes, null, 2001-01-01T00:00:01.500]\n");
    batch_free(b);
    batch_free(next);
}

static void test_columns_nobody_needs(void **state)
{
    struct world *w = *state;
    static const uint64_t needed[] = {5};
    struct batch *b = batch_create_needed(w->schema, needed, 10, &w->mem),
                 *full = rows_batch(w->schema, &w->mem, THREE_ROWS);

    assert_int_equal(b->cols[1].form, VEC_ABSENT);
    batch_append(b, full, NULL, 0);
    assert_string_equal(
        rows_text(b, &w->out),
        "+I[a, ?, 2001-01-01T00:00]\n-D[null, ?, null]\n+U[a long string, yes, ?, 2001-01-01T00:00:01.500]\n");
    batch_clear(full);
    batch_append(full, b, NULL, 0);
    assert_int_equal(full->count, 3);
    batch_clear(b);
    assert_int_equal(b->cols[1].form, VEC_ABSENT);
    assert_int_equal(b->cols[2].form, VEC_FLAT);
    batch_free(b);
    batch_free(full);
}

static void test_dense_answers_the_batch_itself_when_it_can(void **state)
{
    struct world *w = *state;
    struct batch *b = rows_batch(w->schema, &w->mem, THREE_ROWS), *space = batch_create(w->schema, 10, &w->mem);
    static const uint16_t sel[] = {2};

    assert_ptr_equal(batch_dense(b, space), b);
    b->watermark = 11;
    b->sel = sel;
    b->sel_count = 1;
    assert_ptr_equal(batch_dense(b, space), space);
    assert_int_equal(space->watermark, 11);
    assert_string_equal(rows_text(space, &w->out), "+U[a long string, yes, null, 2001-01-01T00:00:01.500]\n");
    b->sel = NULL;
    vector_make_const(&b->cols[1]);
    assert_ptr_equal(batch_dense(b, space), space);
    assert_string_equal(
        rows_text(space, &w->out),
        "+I[a, 1, 2001-01-01T00:00]\n-D[null, 1, null]\n+U[a long string, yes, 1, 2001-01-01T00:00:01.500]\n");
    batch_free(b);
    batch_free(space);
}

static void test_bytes_count_long_strings(void **state)
{
    struct world *w = *state;
    struct batch *b = rows_batch(w->schema, &w->mem, "a | 1 | null\n\"a string of 23 bytes ..\" | 2 | null\n");
    size_t fixed = 2 * (16 + 4 + 8) + 1; /* one byte for validity of c */

    assert_int_equal(batch_bytes(b), fixed + 23);
    batch_use_kinds(b);
    batch_use_times(b);
    assert_int_equal(batch_bytes(b), fixed + 23 + 2 + 16);
    static const uint16_t sel[] = {0};
    b->sel = sel;
    b->sel_count = 1;
    assert_int_equal(batch_bytes(b), 16 + 4 + 8 + 1 + 1 + 8);
    batch_free(b);

    b = rows_batch(rows_type(&w->arena, "ROW<a ARRAY<STRING>>"), &w->mem, "[x, \"a string of 23 bytes ..\"]\n[]\n");
    assert_int_equal(batch_bytes(b), 2 * 8 + 2 * 16 + 23);
    batch_free(b);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_rows_print),
        TEST(test_clear_keeps_buffers),
        TEST(test_kinds_and_times_begin_late),
        TEST(test_append_mixes_kinds_and_times),
        TEST(test_selection_is_what_counts),
        TEST(test_swap_exchanges_contents),
        TEST(test_columns_nobody_needs),
        TEST(test_dense_answers_the_batch_itself_when_it_can),
        TEST(test_bytes_count_long_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
