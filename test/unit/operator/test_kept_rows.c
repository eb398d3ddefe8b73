/* test_kept_rows.c - rows kept beyond memory: each is what it was, wherever it is looked for; two at a time; the file is there while it is
 * needed; what cannot be written or read is told. */
#include "flow/operator/kept_rows.h"
#include "flow/operator/kept_pages.h"
#include "ground/base/prng.h"
#include "support/folder.h"
#include "support/full_disk.h"
#include "support/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { BATCHES = 60, ROWS = 1000 };

static struct sys *real;

struct fixture {
    struct mem mem;
    struct arena arena;
    struct err err;
    struct op_cx cx;
    struct spill_config spill;
    struct folder folder;
    struct kept_rows kept;
    struct batch *in;
};

static void fixture_open(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    mem_init(&f->mem, "test", 0);
    arena_init(&f->arena, &f->mem, 0);
    folder_make(&f->folder);
    f->cx = (struct op_cx){.sys = real, .mem = &f->mem, .err = &f->err};
    f->spill = (struct spill_config){.memory = 300000, .dirs = f->folder.path, .files = 4, .packs = true, .key = "the.key"};
    const struct type *row = rows_type(&f->arena, "ROW<n BIGINT, s STRING, l ARRAY<INT>>");
    kept_rows_init(&f->kept, row, NULL, &f->mem);
    kept_rows_page(&f->kept, &f->cx, &f->spill);
    f->in = batch_create(row, ROWS, &f->mem);
}

static void fixture_close(struct fixture *f)
{
    kept_rows_release(&f->kept);
    batch_free(f->in);
    assert_int_equal(folder_count(&f->folder, ""), 0);
    folder_remove(&f->folder);
    arena_release(&f->arena);
    assert_int_equal(f->mem.used, 0);
    mem_release(&f->mem);
}

static enum status fill(struct fixture *f, uint32_t batches)
{
    enum status st = S_OK;

    for (uint32_t b = 0; b < batches && st == S_OK; b++) {
        char text[ROWS * 80];
        size_t n = 0;
        for (uint32_t i = b * ROWS; i < (b + 1) * ROWS; i++)
            n += (size_t)snprintf(text + n, sizeof text - n, "%u | a text longer than a reference %u | [%u, %u]\n", i,
                                  i, i, i + 1);
        batch_clear(f->in);
        rows_add(f->in, text);
        st = kept_rows_add(&f->kept, f->in);
    }
    return st;
}

static void row_check(const struct batch *b, uint32_t row, uint32_t number)
{
    char text[64];

    snprintf(text, sizeof text, "a text longer than a reference %u", number);
    struct str got = text_str(&VECTOR_VALUES(&b->cols[1], struct text)[row]);
    assert_int_equal(VECTOR_VALUES(&b->cols[0], int64_t)[row], number);
    assert_int_equal(got.size, strlen(text));
    assert_memory_equal(got.data, text, got.size);
}

static void rows_are_what_they_were(void **state)
{
    struct fixture f;
    struct prng r;
    uint32_t row, other_row;

    (void)state;
    fixture_open(&f);
    prng_init(&r, 7);
    for (uint32_t round = 0; round < 2; round++) {
        assert_int_equal(fill(&f, BATCHES), S_OK);
        assert_int_equal(folder_count(&f.folder, ""), 1);
        assert_true(f.kept.pages->in_memory < BATCHES * ROWS / BATCH_ROWS);
        for (uint32_t i = 0; i < 3000; i++) {
            uint32_t number = (uint32_t)prng_below(&r, BATCHES * ROWS),
                     other = (uint32_t)prng_below(&r, BATCHES * ROWS);
            const struct batch *b = kept_rows_at(&f.kept, number, &row), *o = kept_rows_at(&f.kept, other, &other_row);
            row_check(b, row, number);
            row_check(o, other_row, other);
        }
        for (uint32_t i = 0; i < BATCHES * ROWS; i++) {
            const struct batch *b = kept_rows_at(&f.kept, i, &row);
            row_check(b, row, i);
        }
        assert_int_equal(kept_rows_failed(&f.kept), S_OK);
        kept_rows_clear(&f.kept);
        assert_int_equal(folder_count(&f.folder, ""), 0);
    }
    fixture_close(&f);
}

static void a_file_that_was_cut_is_told(void **state)
{
    struct fixture f;
    uint32_t row;

    (void)state;
    fixture_open(&f);
    assert_int_equal(fill(&f, BATCHES), S_OK);
    FILE *file = fopen(f.kept.pages->path, "w");
    assert_non_null(file);
    fclose(file);
    const struct batch *b = kept_rows_at(&f.kept, 0, &row);
    assert_int_equal(row, 0);
    assert_true(b->count > 0);
    assert_int_equal(kept_rows_failed(&f.kept), E_DATA);
    assert_non_null(strstr(f.err.text, "was cut off"));
    fixture_close(&f);
}

static void a_folder_that_is_not_there_is_told(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    f.spill.dirs = "/nowhere/at/all";
    assert_true(fill(&f, BATCHES) < 0);
    assert_non_null(
        strstr(f.err.text, "rows that do not fit 'the.key' go to files in '/nowhere/at/all' (io.tmp.dirs)"));
    fixture_close(&f);
}

static void a_full_disk_is_told(void **state)
{
    enum status written = E_IO, read = E_IO;

    (void)state;
    for (uint32_t n = 1; written != S_OK || read != S_OK; n += 1 + n / 4) {
        struct fixture f;
        uint32_t row;
        fixture_open(&f);
        full_disk_begin(real, n);
        written = fill(&f, BATCHES);
        read = S_OK;
        for (uint32_t i = 0; written == S_OK && read == S_OK && i < BATCHES * ROWS; i += 997) {
            const struct batch *b = kept_rows_at(&f.kept, i, &row);
            read = kept_rows_failed(&f.kept);
            assert_true(row < b->count);
            if (read == S_OK) row_check(b, row, i);
        }
        assert_int_equal(full_disk_end(real), written != S_OK || read != S_OK);
        assert_int_equal(strstr(f.err.text, "no space left on the disk") != NULL, written != S_OK || read != S_OK);
        fixture_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_what_they_were),
        cmocka_unit_test(a_file_that_was_cut_is_told),
        cmocka_unit_test(a_folder_that_is_not_there_is_told),
        cmocka_unit_test(a_full_disk_is_told),
    };

    real = sys_linux_create_quiet();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sys_linux_free(real);
    return failed;
}
