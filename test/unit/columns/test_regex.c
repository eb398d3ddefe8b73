/* test_regex.c - patterns of Java's: what they match, against the answers that java.util.regex gave (regex_java.def); limits; the cache
 * of an evaluator. A match is shown as <group 0|group 1|..>, with ~ for a group that took no part. */
#include "columns/function/regex.h"
#include "ground/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct mem mem;
static struct regex_engine *engine;
static struct buf out;

static int begin(void **state)
{
    (void)state;
    mem_init(&mem, "test", 0);
    engine = regex_engine_create(&mem);
    buf_init(&out, &mem);
    return 0;
}

static int end(void **state)
{
    (void)state;
    buf_release(&out);
    regex_engine_free(engine);
    assert_int_equal(mem.used, 0);
    mem_release(&mem);
    return 0;
}

static const char *matches(const char *pattern, const char *text)
{
    const struct regex *re = regex_get(engine, str_of(pattern));
    struct str s = str_of(text), part;
    size_t from = 0;

    if (re->mistake.fault != REGEX_FINE) return re->mistake.fault == REGEX_WRONG ? "WRONG" : "FOREIGN";
    buf_clear(&out);
    for (int n = 0; n < 20 && regex_next(engine, re, s, &from) == REGEX_YES; n++) {
        for (uint32_t g = 0; g <= re->groups; g++) {
            buf_append_byte(&out, g == 0 ? '<' : '|');
            if (!regex_group(re, s, g, &part)) part = STR("~");
            buf_append(&out, part.data, part.size);
        }
        buf_append_byte(&out, '>');
    }
    return buf_text(&out);
}

static void test_as_java(void **state)
{
    static const char *const cases[][3] = {
#define MATCH(pattern, text, answer) {pattern, text, answer},
#include "regex_java.def"
#undef MATCH
    };
    size_t wrong = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *got = matches(cases[i][0], cases[i][1]);
        if (strcmp(got, cases[i][2]) == 0) continue;
        print_error("%s in \"%s\"\n is %s\n not %s\n", cases[i][0], cases[i][1], got, cases[i][2]);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void mistake_is(const char *pattern, enum regex_fault fault, size_t at, const char *what)
{
    struct regex_mistake m;

    assert_int_equal(regex_check(str_of(pattern), &m), fault);
    assert_int_equal(m.at, at);
    assert_string_equal(m.what, what);
}

static void test_mistakes(void **state)
{
    (void)state;
    mistake_is("ab(c", REGEX_WRONG, 2, "a group is not closed");
    mistake_is("ab)c", REGEX_WRONG, 2, "a ')' closes no group");
    mistake_is("a**", REGEX_WRONG, 2, "nothing stands before a repetition");
    mistake_is("a{x}", REGEX_WRONG, 1, "no count of repetitions");
    mistake_is("x[b-a]", REGEX_WRONG, 2, "a range of characters runs backwards");
    mistake_is("a\\y", REGEX_WRONG, 2, "there is no such escape");
    mistake_is("a\\p{InGreek}", REGEX_FOREIGN, 3, "blocks and classes of Java's are not known");
    mistake_is("(?<=a{1,2})b", REGEX_FOREIGN, 0, "a look behind must have a fixed length");
    mistake_is("(?<=a*)b", REGEX_FOREIGN, 5, "a look behind has no greatest length");
    mistake_is("\\1(a)", REGEX_FOREIGN, 1, "a reference to a group that begins later");
    mistake_is("a{70000}", REGEX_FOREIGN, 6, "more than 65535 repetitions");
    mistake_is("(?U)a", REGEX_FOREIGN, 2, "the flag U is not known");
}

/* Exponential for whoever tries all ways; the answer comes after a bounded number of steps. */
static void test_too_hard(void **state)
{
    const struct regex *re = regex_get(engine, STR("(a|aa|a?)*\\1?c(?=x)|(?:(?:a+)+)+b"));

    (void)state;
    assert_int_equal(re->mistake.fault, REGEX_FINE);
    assert_int_equal(regex_find(engine, re, STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac"), 0), REGEX_TOO_HARD);
    assert_int_equal(regex_find(engine, re, STR("aab"), 0), REGEX_YES);
}

static void test_depth_is_bounded(void **state)
{
    struct buf deep;
    struct regex_mistake m;

    (void)state;
    buf_init(&deep, &mem);
    for (int i = 0; i < 10000; i++) buf_append_byte(&deep, '(');
    assert_int_equal(regex_check((struct str){(const char *)deep.data, deep.size}, &m), REGEX_FOREIGN);
    assert_string_equal(m.what, "groups are nested too deep");
    buf_clear(&deep);
    for (int i = 0; i < 10000; i++) buf_append_byte(&deep, '[');
    assert_int_equal(regex_check((struct str){(const char *)deep.data, deep.size}, &m), REGEX_FOREIGN);
    assert_string_equal(m.what, "classes are nested too deep");
    buf_clear(&deep);
    for (int i = 0; i < 70000; i++) buf_append_byte(&deep, 'a');
    assert_int_equal(regex_check((struct str){(const char *)deep.data, deep.size}, &m), REGEX_FOREIGN);
    assert_string_equal(m.what, "the pattern is too large");
    buf_release(&deep);
}

/* A thousand patterns need no more memory than the places of the cache. */
static void test_cache_is_bounded(void **state)
{
    char pattern[32];
    size_t used = 0;

    (void)state;
    for (uint32_t i = 0; i < 2000; i++) {
        snprintf(pattern, sizeof pattern, "x%04u(y)", i);
        assert_string_equal(matches(pattern, "x1234y"), i == 1234 ? "<x1234y|y>" : "");
        if (i == 1000) used = mem.used;
    }
    assert_true(mem.used <= used + 4096);
    uint64_t calls = mem.calls;
    for (uint32_t i = 0; i < 100; i++) assert_string_equal(matches(pattern, "x1999y"), "<x1999y|y>");
    assert_int_equal(mem.calls, calls); /* a pattern that stays costs no memory */
}

/* Bytes that are no UTF-8 match nothing, and nobody reads behind them. */
static void test_bad_utf8(void **state)
{
    (void)state;
    assert_string_equal(matches("b", "a\xff\xc3" "b"), "<b>");
    assert_string_equal(matches("a.b", "a\xff" "b"), "");
    assert_string_equal(matches("c$", "abc\xf0\x9f"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_as_java, begin, end),
        cmocka_unit_test_setup_teardown(test_mistakes, begin, end),
        cmocka_unit_test_setup_teardown(test_too_hard, begin, end),
        cmocka_unit_test_setup_teardown(test_depth_is_bounded, begin, end),
        cmocka_unit_test_setup_teardown(test_cache_is_bounded, begin, end),
        cmocka_unit_test_setup_teardown(test_bad_utf8, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
