/* test_kept_rows.c - the table that changes make: against a list that does the same slowly, and what it forgets. */
#include "columns/column/batch.h"
#include "ground/base/prng.h"
#include "surface/sql/kept_rows.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { CHANGES = 20000, VALUES = 40, MOST = 4096 };

struct fixture {
    struct mem mem;
    struct arena arena;
    struct sys *sys;
    struct view view;
    struct kept_rows kept;
    struct batch *b;
    struct {
        int64_t value;
        uint32_t number; /* how many were added before it */
    } list[MOST];        /* the same, slowly */
    uint32_t count, vacated, added;
};

static void begin(struct fixture *f)
{
    static const char *const names[] = {"a"};
    static const struct type *const types[] = {&type_bigint};

    *f = (struct fixture){.sys = sys_linux_create_quiet(), .vacated = MOST};
    mem_init(&f->mem, "test", 0);
    arena_init(&f->arena, &f->mem, 0);
    view_init(&f->view, f->sys, NULL, &f->mem);
    f->view.row = type_row(&f->arena, 1, names, types, false);
    f->b = batch_create(f->view.row, 64, &f->mem);
    kept_init(&f->kept, &f->mem);
}

static void end(struct fixture *f)
{
    kept_release(&f->kept);
    batch_free(f->b);
    view_release(&f->view);
    arena_release(&f->arena);
    mem_release(&f->mem);
    sys_linux_free(f->sys);
}

static void put(struct fixture *f, enum row_kind kind, int64_t value)
{
    if (f->b->kinds == NULL) batch_use_kinds(f->b);
    VECTOR_VALUES(&f->b->cols[0], int64_t)[f->b->count] = value;
    f->b->kinds[f->b->count++] = (uint8_t)kind;
}

static void flush(struct fixture *f)
{
    kept_take(&f->kept, &f->view, f->b);
    batch_clear(f->b);
}

/* --- slowly ------------------------------------------------------------------------------------------------------ */
static void list_take_back(struct fixture *f, int64_t value, bool is_update)
{
    uint32_t at = MOST;

    for (uint32_t i = 0; i < f->count; i++)
        if (f->list[i].value == value && (at == MOST || f->list[i].number > f->list[at].number)) at = i;
    assert_true(at < MOST);
    f->vacated = is_update ? at : MOST;
    f->count--;
    memmove(&f->list[at], &f->list[at + 1], sizeof f->list[0] * (f->count - at));
}

static void list_add(struct fixture *f, int64_t value, bool is_update)
{
    uint32_t at = is_update && f->vacated != MOST ? f->vacated : f->count;

    memmove(&f->list[at + 1], &f->list[at], sizeof f->list[0] * (f->count - at));
    f->list[at].value = value;
    f->list[at].number = f->added++;
    f->count++;
    f->vacated = MOST;
}

static void compare(struct fixture *f)
{
    uint32_t i = 0, at;

    assert_int_equal(f->kept.alive, f->count);
    for (const struct kept_row *r = kept_next(&f->kept, NULL); r != NULL; r = kept_next(&f->kept, r), i++) {
        char expected[24];
        at = 0;
        snprintf(expected, sizeof expected, "%lld", (long long)f->list[i].value);
        struct str got = kept_cell(r, &at);
        assert_int_equal(got.size, strlen(expected));
        assert_memory_equal(got.data, expected, got.size);
    }
    assert_int_equal(i, f->count);
}

/* Few values, so that many rows are equal; batches end anywhere, also between -U and +U. */
static void changes_make_the_table(void **state)
{
    struct fixture f;
    struct prng r;

    (void)state;
    begin(&f);
    prng_init(&r, 7);
    for (int i = 0; i < CHANGES; i++) {
        int64_t value = (int64_t)prng_below(&r, VALUES);
        uint32_t what = (uint32_t)prng_below(&r, 8);
        if (f.count == 0 || (what < 3 && f.count < MOST - 1)) {
            put(&f, ROW_INSERT, value);
            list_add(&f, value, false);
        } else {
            int64_t old = f.list[prng_below(&r, f.count)].value;
            put(&f, what == 3 ? ROW_DELETE : ROW_UPDATE_BEFORE, old);
            list_take_back(&f, old, what != 3);
            if (f.b->count == f.b->capacity) flush(&f);
            if (what != 3) {
                put(&f, ROW_UPDATE_AFTER, value);
                list_add(&f, value, true);
            }
        }
        if (f.b->count >= f.b->capacity - 1 || what == 7) flush(&f);
        if (i % 100 == 0) {
            if (f.b->count > 0) flush(&f);
            compare(&f);
        }
    }
    if (f.b->count > 0) flush(&f);
    compare(&f);
    end(&f);
}

static void the_oldest_go_first(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    f.view.rows_max = 3;
    for (int64_t i = 0; i < 50; i++) put(&f, ROW_INSERT, i);
    put(&f, ROW_UPDATE_BEFORE, 47);
    put(&f, ROW_UPDATE_AFTER, 100);
    put(&f, ROW_UPDATE_BEFORE, 5); /* long dropped: the new row is the latest */
    put(&f, ROW_UPDATE_AFTER, 200);
    flush(&f);
    f.list[0].value = 48;
    f.list[1].value = 49;
    f.list[2].value = 200;
    f.count = 3;
    compare(&f);
    assert_int_equal(f.kept.dropped, 48);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(changes_make_the_table), cmocka_unit_test(the_oldest_go_first)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
