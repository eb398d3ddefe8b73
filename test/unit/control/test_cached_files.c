/* test_cached_files.c - pipeline.cached-files as text. */
#include "control/cached_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void expect(const char *text, const char *all, const char *error)
{
    struct mem mem;
    struct arena a;
    struct options o = {0};
    struct err e = {0};
    char got[512] = "";

    mem_init(&mem, "test", 0);
    arena_init(&a, &mem, 0);
    enum status st = cached_files_parse(&a, text, &o, &e);
    for (uint32_t i = 0; st == S_OK && i < o.count; i++) {
        strcat(strcat(got, o.items[i].key), "=");
        strcat(strcat(got, o.items[i].value), " ");
    }
    assert_int_equal(st, error == NULL ? S_OK : E_CONFIG);
    assert_string_equal(got, all);
    if (error != NULL) assert_string_equal(e.text, error);
    arena_release(&a);
    mem_release(&mem);
}

static void texts(void **state)
{
    (void)state;
    expect(NULL, "", NULL);
    expect("", "", NULL);
    expect("name:a,path:/tmp/a", "a=/tmp/a ", NULL);
    expect(" name:a , path:file:///tmp/a b ; name:b,path:c.csv,executable:true;", "a=/tmp/a b b=c.csv ", NULL);
}

static void mistakes(void **state)
{
    (void)state;
    expect("a", "", "pipeline.cached-files: 'a' is not a file");
    expect("name:a", "", "pipeline.cached-files: 'name:a' is not a file");
    expect("name:,path:/a", "", "pipeline.cached-files: 'name:,path:/a' is not a file");
    expect("name:a,path:", "", "pipeline.cached-files: 'name:a,path:' is not a file");
    expect("path:/a,name:a", "", "pipeline.cached-files: 'path:/a,name:a' is not a file");
    expect("name:a,path:/a,mode:7", "", "pipeline.cached-files: 'name:a,path:/a,mode:7' is not a file");
    expect("name:a,path:/a;name:a,path:/b", "", "pipeline.cached-files: two files are named 'a'");
    expect("name:a,path:hdfs://h/a", "",
           "pipeline.cached-files: 'hdfs://h/a' is not on a local disk; only file:// is known here");
}

static void must_be_there(void **state)
{
    struct sys *sys = sys_linux_create_quiet();
    struct option one = {"a", "/"}, other = {"b", "/there/is/no/such"};
    struct options there = {&one, 1}, missing = {&other, 1};
    struct err e = {0};

    (void)state;
    assert_int_equal(cached_files_check(&there, sys, &e), S_OK);
    assert_int_equal(cached_files_check(&missing, sys, &e), E_NOT_FOUND);
    assert_string_equal(e.text, "cached file 'b': there is no file '/there/is/no/such'");
    sys_linux_free(sys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(must_be_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
