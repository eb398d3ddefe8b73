/* test_infer.c - what files say of their columns, hostile ones too: each case is a file's bytes and the table or error that is made
 * of them. A table reads "name TYPE, ...; option=value". */
#include "language/sql/infer.h"

#include "columns/column/type.h"
#include "ground/base/buf.h"
#include "ground/base/str.h"
#include "support/folder.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

struct world {
    struct sys *sys;
    struct folder folder;
    struct mem mem;
    struct arena arena;
    struct buf out;
    struct err err;
};

static const struct {
    const char *file, *text;
    size_t size; /* 0: up to the NUL */
    const char *expected;
} cases[] = {
#define FILE_CASE(file, text, expected) {file, text, 0, expected},
#define BYTES_CASE(file, text, expected) {file, text, sizeof(text) - 1, expected},
#include "infer_cases.def"
#undef FILE_CASE
#undef BYTES_CASE
};

static int set_up(void **state)
{
    static struct world w;

    memset(&w, 0, sizeof w);
    w.sys = sys_linux_create_quiet();
    mem_init(&w.mem, "test", 0);
    arena_init(&w.arena, &w.mem, 0);
    buf_init(&w.out, &w.mem);
    folder_make(&w.folder);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    folder_remove(&w->folder);
    buf_release(&w->out);
    arena_release(&w->arena);
    mem_release(&w->mem);
    sys_linux_free(w->sys);
    return 0;
}

static void write_bytes(struct world *w, const char *name, const char *bytes, size_t size)
{
    FILE *f = fopen(folder_path(&w->folder, name), "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

static void print_table(const struct table *t, struct buf *out)
{
    for (uint32_t i = 0; i < t->column_count; i++) {
        buf_printf(out, "%s%s ", i > 0 ? ", " : "", t->columns[i].name);
        type_print(t->columns[i].type, out);
    }
    for (uint32_t i = 3; i < t->options.count; i++)
        buf_printf(out, "; %s=%s", t->options.items[i].key, t->options.items[i].value);
}

/* The text below the folder's path; texts that name the file without it stay. */
static const char *without_folder(struct world *w, const char *text)
{
    size_t size = strlen(w->folder.path);

    buf_clear(&w->out);
    for (; *text != '\0'; text++) {
        if (strncmp(text, w->folder.path, size) == 0 && text[size] == '/') text += size + 1;
        buf_append_byte(&w->out, *text);
    }
    return buf_text(&w->out);
}

static const char *inferred(struct world *w, const char *name, struct table *t)
{
    err_clear(&w->err);
    if (infer_table(&w->arena, w->sys, str_of(folder_path(&w->folder, name)), true, t, &w->err) != S_OK) {
        char text[ERR_TEXT_MAX + ERR_HINT_MAX + 3];
        snprintf(text, sizeof text, "%s%s%s", w->err.text, w->err.hint[0] != '\0' ? "; " : "", w->err.hint);
        return without_folder(w, text);
    }
    buf_clear(&w->out);
    print_table(t, &w->out);
    return buf_text(&w->out);
}

static void test_cases(void **state)
{
    struct world *w = *state;
    struct table t;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        write_bytes(w, cases[i].file, cases[i].text, cases[i].size != 0 ? cases[i].size : strlen(cases[i].text));
        const char *got = inferred(w, cases[i].file, &t);
        if (strcmp(got, cases[i].expected) != 0)
            fail_msg("case %zu, %s\n  expected: %s\n  got:      %s", i, cases[i].file, cases[i].expected, got);
    }
}

/* Of a long file the first part counts; a line that does not end in it is an error. */
static void test_bounds(void **state)
{
    struct world *w = *state;
    struct table t;
    struct buf b;

    buf_init(&b, &w->mem);
    for (int i = 0; i < INFER_ROWS; i++) buf_printf(&b, "%d\n", i);
    buf_append_text(&b, "1.5\n");
    write_bytes(w, "rows.csv", b.data, b.size);
    assert_string_equal(inferred(w, "rows.csv", &t), "f0 DOUBLE"); /* without a header the 1,001st record counts too */
    buf_append_text(&b, "x\n");
    write_bytes(w, "rows.csv", b.data, b.size);
    assert_string_equal(inferred(w, "rows.csv", &t), "f0 DOUBLE");
    buf_clear(&b);
    while (b.size <= INFER_BYTES) buf_append_text(&b, "long line, ");
    write_bytes(w, "line.csv", b.data, b.size);
    write_bytes(w, "line.json", b.data, b.size);
    assert_string_equal(inferred(w, "line.csv", &t),
                        "'line.csv': its first record does not end within the first 256 KiB; "
                        "declare the table with CREATE TABLE, connector 'filesystem'");
    assert_string_equal(inferred(w, "line.json", &t),
                        "'line.json': its first line does not end within the first 256 KiB; "
                        "declare the table with CREATE TABLE, connector 'filesystem'");
    buf_clear(&b);
    for (int i = 0; i <= TYPE_FIELDS_MAX; i++) buf_append_text(&b, "x,");
    write_bytes(w, "wide.csv", b.data, b.size);
    assert_string_equal(inferred(w, "wide.csv", &t),
                        "'wide.csv': its first record has 2050 fields, a table has at most 2048; "
                        "declare the table with CREATE TABLE, connector 'filesystem'");
    buf_clear(&b);
    buf_append_byte(&b, '{');
    for (int i = 0; i <= TYPE_FIELDS_MAX; i++) buf_printf(&b, "%s\"k%d\":1", i > 0 ? "," : "", i);
    buf_append_text(&b, "}\n");
    write_bytes(w, "wide.json", b.data, b.size);
    assert_string_equal(inferred(w, "wide.json", &t), "'wide.json': its objects have 2049 keys, a table has at most 2048 columns; "
                                                      "declare the table with CREATE TABLE, connector 'filesystem'");
    buf_clear(&b);
    write_bytes(w, "blank.json", "\n \n", 3);
    assert_string_equal(inferred(w, "blank.json", &t),
                        "'blank.json' is empty: nothing says what its columns are; declare them with CREATE TABLE");
    buf_release(&b);
}

static void test_deep(void **state)
{
    struct world *w = *state;
    struct table t;
    struct buf b;

    buf_init(&b, &w->mem);
    buf_append_text(&b, "{\"a\":");
    for (int i = 0; i < 900; i++) buf_append_byte(&b, '[');
    for (int i = 0; i < 900; i++) buf_append_byte(&b, ']');
    buf_append_text(&b, "}\n");
    write_bytes(w, "deep.json", b.data, b.size);
    const char *got = inferred(w, "deep.json", &t);
    assert_true(str_starts(str_of(got), STR("a ARRAY<ARRAY<")));
    assert_true(str_ends(str_of(got), STR("ARRAY<STRING>>>>>>>>>>>>>>>>>>>>>>>>")));
    buf_release(&b);
}

static void test_paths(void **state)
{
    struct world *w = *state;
    struct table t;

    folder_write(&w->folder, "in/empty.csv", "");
    folder_write(&w->folder, "in/part-1.csv", "a,b\n1,2\n");
    assert_string_equal(inferred(w, "in", &t), "a INT, b INT; csv.header=true");
    assert_string_equal(t.name, "in");
    assert_string_equal(inferred(w, "in/part*.csv", &t), "a INT, b INT; csv.header=true");
    assert_string_equal(t.name, "part");
    assert_string_equal(inferred(w, "in/part-2.csv", &t),
                        "cannot read 'in/part-2.csv': no such file or folder; did you mean 'in/part-1.csv'?");
    folder_write(&w->folder, "in/x.json", "{}");
    folder_write(&w->folder, "deep/er/part-1.csv", "a,b\n1,2\n");
    assert_string_equal(inferred(w, "deep/e*", &t), "a INT, b INT; csv.header=true");
    folder_write(&w->folder, "none/er/x", "");
    assert_int_equal(remove(folder_path(&w->folder, "none/er/x")), 0);
    assert_string_equal(inferred(w, "none", &t), "there is no file in 'none'");
    assert_string_equal(inferred(w, "none/*", &t), "no file matches 'none/*'; check the pattern; * and ? stand for anything but '/'");
    assert_int_equal(mkfifo(folder_path(&w->folder, "pipe.csv"), 0600), 0);
    assert_string_equal(inferred(w, "pipe.csv", &t),
                        "'pipe.csv' is no regular file: it cannot be looked at before it is read; declare its columns with CREATE TABLE");
    assert_string_equal(
        inferred(w, "in", &t),
        "'in' holds files of several formats: 'in/empty.csv', 'in/x.json'; use a pattern such as '*.csv'");
}

static void test_watermark(void **state)
{
    struct world *w = *state;
    struct table t;

    folder_write(&w->folder, "2001 my-log.v1.csv", "a,b`c\n2001-01-01 10:20:30.123456,2001-01-01 10:20\n");
    assert_string_equal(inferred(w, "2001 my-log.v1.csv", &t), "a TIMESTAMP(6), b`c TIMESTAMP(0); csv.header=true");
    assert_string_equal(t.name, "my_log");
    assert_string_equal(t.watermark_column, "b`c");
    assert_string_equal(t.watermark, "`b``c` - INTERVAL '5' SECOND");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases), cmocka_unit_test(test_bounds),
                                       cmocka_unit_test(test_deep), cmocka_unit_test(test_paths),
                                       cmocka_unit_test(test_watermark)};

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
