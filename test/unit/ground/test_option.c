/* test_option.c - what options accept, what they are when not given, and what is said about wrong ones. */
#include "ground/base/option.h"
#include "ground/base/str.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static const struct option_def defs[] = {
    {.key = "path", .kind = OPT_STRING, .doc = "where the files are", .required = true},
    {.key = "rows", .kind = OPT_INT, .fallback = "100", .doc = "rows"},
    {.key = "ratio", .kind = OPT_DOUBLE, .fallback = "0.5", .doc = "ratio"},
    {.key = "header", .kind = OPT_BOOL, .fallback = "false", .doc = "first line names the columns"},
    {.key = "idle-timeout", .kind = OPT_DURATION_MS, .fallback = "10 s", .doc = "idle"},
    {.key = "buffer-size", .kind = OPT_SIZE, .fallback = "64kb", .doc = "size"},
    {.key = "mode", .kind = OPT_ENUM, .fallback = "append", .choices = "append|upsert|none", .doc = "mode"},
    {.key = "fields.#.min", .kind = OPT_INT, .doc = "least value", .is_prefix = true},
    {.key = NULL},
};

static enum status check(const char *key, const char *value, struct err *e)
{
    struct option items[] = {{"path", "/data"}, {key, value}};
    struct options o = {items, 2};

    err_clear(e);
    return options_check(&o, defs, "connector 'files'", e);
}

static void defaults(void **state)
{
    struct options none = {NULL, 0};

    (void)state;
    assert_null(options_get(&none, defs, "path"));
    assert_null(options_get(&none, defs, "unknown"));
    assert_int_equal(options_int(&none, defs, "rows"), 100);
    assert_true(options_double(&none, defs, "ratio") == 0.5);
    assert_false(options_bool(&none, defs, "header"));
    assert_int_equal(options_int(&none, defs, "idle-timeout"), 10000);
    assert_int_equal(options_int(&none, defs, "buffer-size"), 65536);
    assert_int_equal(options_enum(&none, defs, "mode"), 0);
}

static void given_values(void **state)
{
    static const struct option items[] = {{"rows", "1"},
                                          {"ratio", "1e-3"},
                                          {"header", "TRUE"},
                                          {"idle-timeout", "2min"},
                                          {"buffer-size", "1 g"},
                                          {"rows", "-20"},
                                          {"mode", "Upsert"},
                                          {"fields.price.min", "7"},
                                          {"path", "x"}};
    struct options o = {items, COUNT_OF(items)};
    struct err e = {0};

    (void)state;
    assert_int_equal(options_check(&o, defs, "connector 'files'", &e), S_OK);
    assert_int_equal(options_int(&o, defs, "rows"), -20); /* later ones win */
    assert_true(options_double(&o, defs, "ratio") == 1e-3);
    assert_true(options_bool(&o, defs, "header"));
    assert_int_equal(options_int(&o, defs, "idle-timeout"), 120000);
    assert_int_equal(options_int(&o, defs, "buffer-size"), 1 << 30);
    assert_int_equal(options_enum(&o, defs, "mode"), 1);
    assert_int_equal(options_int(&o, defs, "fields.price.min"), 7);
    assert_string_equal(options_get(&o, defs, "path"), "x");
}

static void mistakes_are_explained(void **state)
{
    struct err e = {0};
    struct options none = {NULL, 0};

    (void)state;
    assert_int_equal(options_check(&none, defs, "connector 'files'", &e), E_CONFIG);
    assert_string_equal(e.text, "connector 'files' needs the option 'path': where the files are");
    assert_int_equal(check("row", "1", &e), E_CONFIG);
    assert_string_equal(e.text, "connector 'files' has no option 'row'");
    assert_string_equal(e.hint, "did you mean 'rows'?");
    assert_int_equal(check("something-else", "1", &e), E_CONFIG);
    assert_string_equal(e.hint, "its options are path, rows, ratio, header, idle-timeout, buffer-size, mode, fields.#.min");
    assert_int_equal(check("fields..min", "1", &e), E_CONFIG); /* # stands for one letter at least */
    assert_int_equal(check("rows", "many", &e), E_CONFIG);
    assert_string_equal(e.text, "option 'rows' of connector 'files' is 'many', but must be a whole number");
    assert_int_equal(check("mode", "replace", &e), E_CONFIG);
    assert_string_equal(e.text, "option 'mode' of connector 'files' is 'replace', but must be one of append|upsert|none");
    assert_int_equal(check("mode", "", &e), E_CONFIG);
    assert_int_equal(check("header", "yes", &e), E_CONFIG);
    assert_int_equal(check("ratio", "1,5", &e), E_CONFIG);
    assert_int_equal(check("idle-timeout", "soon", &e), E_CONFIG);
    assert_string_equal(e.text, "option 'idle-timeout' of connector 'files' is 'soon', but must be a duration such as '10 s'");
    assert_int_equal(check("buffer-size", "1 potato", &e), E_CONFIG);
    assert_int_equal(check("rows", NULL, &e), E_CONFIG);
}

/* Both ends belong to the range, which is written as values are. */
static void ranges(void **state)
{
    static const struct option_def bounded[] = {
        {.key = "rows", .kind = OPT_INT, .least = "1", .most = "10"},
        {.key = "ratio", .kind = OPT_DOUBLE, .least = "0", .most = "1"},
        {.key = "wait", .kind = OPT_DURATION_MS, .least = "1 s"},
        {.key = "size", .kind = OPT_SIZE, .most = "1 kb"},
        {.key = NULL},
    };
    static const struct {
        const char *key, *value, *text; /* NULL: it is taken */
    } cases[] = {
        {"rows", "1", NULL},
        {"rows", "10", NULL},
        {"rows", "0", "option 'rows' of SET is '0', but must be a whole number, from 1 to 10"},
        {"rows", "11", "option 'rows' of SET is '11', but must be a whole number, from 1 to 10"},
        {"rows", "x", "option 'rows' of SET is 'x', but must be a whole number, from 1 to 10"},
        {"ratio", "1.0", NULL},
        {"ratio", "1.01", "option 'ratio' of SET is '1.01', but must be a number, from 0 to 1"},
        {"wait", "1000", NULL},
        {"wait", "999 ms", "option 'wait' of SET is '999 ms', but must be a duration such as '10 s', at least 1 s"},
        {"size", "1024 b", NULL},
        {"size", "1025", "option 'size' of SET is '1025', but must be a size such as '64 mb', at most 1 kb"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct option one = {cases[i].key, cases[i].value};
        struct err e = {0};
        enum status st = options_check(&(struct options){&one, 1}, bounded, "SET", &e);
        assert_int_equal(st, cases[i].text == NULL ? S_OK : E_CONFIG);
        assert_string_equal(e.text, cases[i].text == NULL ? "" : cases[i].text);
    }
}

static void durations(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"0", 0},
                {"1500", 1500},
                {"10 s", 10000},
                {"10s", 10000},
                {" 3 Minutes ", 180000},
                {"1 day", 86400000},
                {"2h", 7200000},
                {"5ms", 5},
                {"PT10S", 10000},
                {"pt1m0.5s", 60500},
                {"P1DT2H3M4S", 93784000}};
    static const char *const bad[] = {"", "s", "-1", "1.5 s", "10 lightyears", "999999999999 d", "P", "PT", "PT5", "P5H", "1 s 2 s", "s1"};
    int64_t ms;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(parse_duration_ms(str_of(good[i].text), &ms));
        assert_int_equal(ms, good[i].ms);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (parse_duration_ms(str_of(bad[i]), &ms)) fail_msg("'%s' was taken for a duration", bad[i]);
}

static void sizes(void **state)
{
    int64_t size;

    (void)state;
    assert_true(parse_size(STR("512"), &size) && size == 512);
    assert_true(parse_size(STR("4 KB"), &size) && size == 4096);
    assert_true(parse_size(STR("64mb"), &size) && size == 64 << 20);
    assert_true(parse_size(STR("3 tebibytes"), &size) && size == INT64_C(3) << 40);
    assert_false(parse_size(STR("9000000 t"), &size)); /* above 63 bits */
    assert_false(parse_size(STR("1.5g"), &size));
    assert_false(parse_size(STR("mb"), &size));
    assert_false(parse_size(STR("1 s"), &size));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),  cmocka_unit_test(given_values), cmocka_unit_test(mistakes_are_explained),
        cmocka_unit_test(ranges), cmocka_unit_test(durations), cmocka_unit_test(sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
