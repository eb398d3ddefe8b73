/* test_conn_script.c - rows of a script and its pauses, at a clock that the test owns. */
#include "ground/base/str.h"
#include "support/folder.h"
#include "support/source_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static struct source_probe p;
static struct folder folder;

static int set_up(void **state)
{
    (void)state;
    folder_make(&folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(&folder);
    return 0;
}

static void script_open(const char *text, struct probe_split *s)
{
    folder_write(&folder, "x.csv", text);
    probe_open(&p, "script", "ROW<a INT, b STRING>", 1,
               (const char *const[]){"path", folder_path(&folder, "x.csv"), "format", "csv", NULL});
    p.now_ms = 1000;
    assert_int_equal(probe_next(&p, 0, s), S_OK);
}

static void expect(struct probe_split *s, uint32_t capacity, const char *rows, enum status last)
{
    enum status st;

    assert_string_equal(probe_rows(&p, s, capacity, &st), rows);
    assert_int_equal(st, last);
}

static void test_pauses(void **state)
{
    struct probe_split s;

    (void)state;
    for (uint32_t capacity = 1; capacity < 4; capacity++) {
        script_open("@pause 1 s\n1,a\n2,@pause\n@pause 250\n@pause 5s\n3,c", &s);
        expect(&s, capacity, "", S_IDLE);
        assert_int_equal(p.cx.wake_ms, 2000);
        p.now_ms = 1999;
        expect(&s, capacity, "", S_IDLE);
        p.now_ms = 2000;
        expect(&s, capacity, "+I[1, a]\n+I[2, @pause]\n", S_IDLE);
        assert_int_equal(p.cx.wake_ms, 2250);
        p.now_ms = 2250; /* the next pause begins where the first one has ended */
        expect(&s, capacity, "", S_IDLE);
        assert_int_equal(p.cx.wake_ms, 7250);
        p.now_ms = 7300;
        expect(&s, capacity, "+I[3, c]\n", S_END);
        probe_split_close(&p, &s);
        probe_close(&p);
    }
}

static void expect_error(const char *text, const char *error)
{
    struct probe_split s;
    enum status st;

    script_open(text, &s);
    (void)probe_rows(&p, &s, 4, &st);
    assert_int_equal(st, E_DATA);
    assert_non_null(strstr(p.err.text, error));
    probe_split_close(&p, &s);
    probe_close(&p);
}

static void test_mistakes(void **state)
{
    (void)state;
    expect_error("1,a\n@pause soon\n2,b\n", "x.csv: 'soon' is no duration to pause; write '5 s'");
    expect_error("1,a\n@pause 0\nx,b\n", "x.csv:3:1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pauses), cmocka_unit_test(test_mistakes)};

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
