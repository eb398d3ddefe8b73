/* test_catalogs.c - how much a session holds at most, said with what to do, and what is dropped when its file stays: nothing. */
#include "language/catalog/catalog.h"

#include "ground/base/str.h"
#include "ground/sys/sys.h"
#include "language/catalog/functions.h"
#include "support/folder.h"
#include "surface/sql/session.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void expect(const struct err *e, enum status st, const char *text, const char *hint)
{
    assert_int_equal(e->status, st);
    assert_string_equal(e->text, text);
    assert_string_equal(e->hint, hint);
}

/* --- limits ------------------------------------------------------------------------------------------------------------- */
static void test_many_objects(void **state)
{
    const char *const names[] = {"a"};
    const struct type *const types[] = {&type_int};
    struct table_column column = {.name = "a", .type = &type_int};
    struct table t = {.column_count = 1, .columns = &column};
    struct mem mem;
    struct arena arena;
    struct err e = {0};
    char name[32];

    (void)state;
    mem_init(&mem, "test", 0);
    arena_init(&arena, &mem, 0);
    t.row = type_row(&arena, 1, names, types, false);
    struct catalogs *c = catalogs_create("default_catalog", "default_database", &mem);
    for (int i = 0; i <= CATALOG_OBJECTS_MAX; i++) {
        snprintf(name, sizeof name, "t%d", i);
        if (catalogs_add(c, (struct object_name){.name = name}, &t, false, false, &e) != S_OK) break;
    }
    assert_string_equal(name, "t100000");
    expect(&e, E_BUDGET, "a session has at most 100000 tables and views", "drop those that are not needed any more");
    err_clear(&e);
    for (int i = 0; i <= CATALOG_OBJECTS_MAX; i++) {
        snprintf(name, sizeof name, "d%d", i);
        if (catalogs_add_database(c, (struct object_name){.name = name}, &(struct space){0}, false, &e) != S_OK) break;
    }
    assert_string_equal(name, "d99999"); /* default_database is one */
    expect(&e, E_BUDGET, "a catalog has at most 100000 databases", "drop those that are not needed any more");
    err_clear(&e);
    for (int i = 0; i <= CATALOGS_MAX; i++) {
        snprintf(name, sizeof name, "c%d", i);
        if (catalogs_add_catalog(c, name, &(struct space){0}, false, &e) != S_OK) break;
    }
    assert_string_equal(name, "c9999");
    expect(&e, E_BUDGET, "a session has at most 10000 catalogs", "drop those that are not needed any more");
    catalogs_free(c);
    arena_release(&arena);
    mem_release(&mem);
}

static void test_many_functions(void **state)
{
    struct named_function n = {.scope = FUNCTION_TEMPORARY_SYSTEM, .symbol = "s", .file = "f"};
    struct mem mem;
    struct err e = {0};
    char name[32];

    (void)state;
    mem_init(&mem, "test", 0);
    struct functions *f = functions_create(&mem);
    for (int i = 0; i <= FUNCTIONS_MAX; i++) {
        snprintf(name, sizeof name, "f%d", i);
        n.name = name;
        if (functions_set(f, &n, &e) != S_OK) break;
    }
    assert_string_equal(name, "f10000");
    expect(&e, E_BUDGET, "a session has at most 10000 functions", "drop those that are not needed any more");
    err_clear(&e);
    n.name = "f7";
    n.symbol = "another";
    assert_int_equal(functions_set(f, &n, &e), S_OK); /* in the place of one that is there */
    assert_string_equal(functions_find(f, FUNCTION_TEMPORARY_SYSTEM, (struct object_name){.name = "F7"})->symbol, "another");
    functions_free(f);
    mem_release(&mem);
}

/* --- a file that cannot be removed ---------------------------------------------------------------------------------------- */
static enum status on_begin(void *arg, const struct type *row, bool is_changelog, struct err *e)
{
    return (void)arg, (void)row, (void)is_changelog, (void)e, S_OK;
}
static enum status on_rows(void *arg, const struct batch *b, struct err *e) { return (void)arg, (void)b, (void)e, S_OK; }
static enum status on_end(void *arg, struct err *e) { return (void)arg, (void)e, S_OK; }
static enum status on_said(void *arg, const char *text, struct err *e) { return (void)arg, (void)text, (void)e, S_OK; }

static enum status run(struct sql_session *s, struct mem *mem, const char *sql, struct err *e)
{
    struct sql_listener to = {.begin = on_begin, .rows = on_rows, .end = on_end, .said = on_said};
    struct arena arena;
    struct tokens t;
    struct statement st;

    err_clear(e);
    arena_init(&arena, mem, 0);
    enum status got = statement_parse_one(str_of(sql), &arena, &t, &st, e);
    if (got == S_OK) got = sql_session_run(s, &t, &st, &to, e);
    arena_release(&arena);
    return got;
}

/* A folder has taken the file's place: it is not removed, and the catalog is still there, with its database. */
static void test_file_stays(void **state)
{
    struct folder folder;
    struct mem mem;
    struct err e = {0};
    char path[FOLDER_PATH_MAX], text[FOLDER_PATH_MAX + 100];

    (void)state;
    folder_make(&folder);
    mem_init(&mem, "test", 0);
    struct sys *sys = sys_linux_create_quiet();
    struct sql_session *s = sql_session_create(&(struct sql_session_options){.sys = sys});
    assert_int_equal(sql_session_set(s, "table.catalog-store.kind", "file", &e), S_OK);
    assert_int_equal(sql_session_set(s, "table.catalog-store.file.path", folder.path, &e), S_OK);
    assert_int_equal(run(s, &mem, "CREATE CATALOG c WITH ('type' = 'generic_in_memory')", &e), S_OK);
    assert_int_equal(run(s, &mem, "CREATE DATABASE c.d", &e), S_OK);
    snprintf(path, sizeof path, "%s", folder_path(&folder, "c.yaml"));
    assert_int_equal(remove(path), 0);
    folder_write(&folder, "c.yaml/in_the_way", "");
    assert_int_not_equal(run(s, &mem, "DROP CATALOG c", &e), S_OK);
    snprintf(text, sizeof text, "cannot delete '%s': it is a folder at line 1, column 14", path);
    assert_string_equal(e.text, text);
    assert_int_equal(run(s, &mem, "USE c.d", &e), S_OK);
    assert_int_equal(run(s, &mem, "USE CATALOG default_catalog", &e), S_OK);
    assert_int_equal(remove(folder_path(&folder, "c.yaml/in_the_way")), 0);
    assert_int_equal(remove(path), 0);
    folder_write(&folder, "c.yaml", "type: generic_in_memory\n");
    assert_int_equal(run(s, &mem, "DROP CATALOG c", &e), S_OK);
    assert_int_equal(folder_count(&folder, "."), 0);
    assert_int_not_equal(run(s, &mem, "DROP CATALOG c", &e), S_OK);
    assert_string_equal(e.text, "Catalog c does not exist. at line 1, column 14");
    sql_session_free(s);
    sys_linux_free(sys);
    mem_release(&mem);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_many_objects), cmocka_unit_test(test_many_functions),
                                       cmocka_unit_test(test_file_stays)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
