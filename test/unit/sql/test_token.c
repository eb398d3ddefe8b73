/* test_token.c - cutting statements into tokens, and what quoted tokens mean. */
#include "language/sql/token.h"

#include "ground/base/str.h"

#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

struct fixture {
    struct mem mem;
    struct arena arena;
    struct tokens tokens;
    struct err e;
};

static void begin(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    mem_init(&f->mem, "test", 0);
    arena_init(&f->arena, &f->mem, 0);
}

static void end(struct fixture *f)
{
    arena_release(&f->arena);
    mem_release(&f->mem);
}

static enum status cut(struct fixture *f, const char *text)
{
    err_clear(&f->e);
    return tokens_cut(&f->tokens, str_of(text), NULL, &f->arena, &f->e);
}

static void test_kinds(void **state)
{
    static const uint8_t kinds[] = {TOKEN_KEYWORD, TOKEN_NAME,   TOKEN_SYMBOL, TOKEN_NAME,   TOKEN_SYMBOL, TOKEN_INTEGER, TOKEN_SYMBOL,
                                    TOKEN_DECIMAL, TOKEN_SYMBOL, TOKEN_DOUBLE, TOKEN_SYMBOL, TOKEN_STRING, TOKEN_SYMBOL,  TOKEN_BYTES,
                                    TOKEN_HINT,    TOKEN_NAME,   TOKEN_SYMBOL, TOKEN_END};
    struct fixture f;

    (void)state;
    begin(&f);
    assert_int_equal(cut(&f, "sElEcT a$1 -- c\n,`b``c` /* x */,1,.5,1.5e-3,U&'a\\0041',x'0f' /*+ h */"), S_OK);
    assert_int_equal(f.tokens.count, COUNT_OF(kinds));
    for (uint32_t i = 0; i < COUNT_OF(kinds); i++) assert_int_equal(f.tokens.items[i].kind, kinds[i]);
    assert_int_equal(f.tokens.items[0].keyword, KW_SELECT);
    assert_true(f.tokens.items[3].quoted);
    end(&f);
}

static void assert_value(struct fixture *f, const char *text, const char *want)
{
    struct str got;

    assert_int_equal(cut(f, text), S_OK);
    assert_int_equal(token_value(&f->tokens, &f->tokens.items[0], &f->arena, &got, &f->e), S_OK);
    assert_int_equal(got.size, strlen(want));
    assert_memory_equal(got.data, want, got.size);
}

static void test_values(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    assert_value(&f, "'it''s'", "it's");
    assert_value(&f, "`a``b`", "a`b");
    assert_value(&f, "e'a\\n\\t\\\\\\'b\\x41\\u00e4\\101'", "a\n\t\\'bA\xC3\xA4" "A");
    assert_value(&f, "U&'\\0041\\\\\\+01F600'", "A\\\xF0\x9F\x98\x80");
    assert_value(&f, "X'4142'", "AB");
    assert_value(&f, "'a\\n'", "a\\n");
    assert_value(&f, "plain", "plain");
    end(&f);
}

static void assert_error(struct fixture *f, const char *text, const char *want, const char *excerpt)
{
    assert_int_equal(cut(f, text), E_DATA);
    assert_string_equal(f->e.text, want);
    if (excerpt != NULL) assert_string_equal(f->e.excerpt, excerpt);
}

static void test_errors(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    assert_error(&f, "SELECT 'a", "string is not closed at line 1, column 8", "SELECT 'a\n       ^");
    assert_error(&f, "SELECT\n  \xC3\xA4, `a", "quoted name is not closed at line 2, column 6", "  \xC3\xA4, `a\n     ^");
    assert_error(&f, "/* a", "comment is not closed at line 1, column 1", "/* a\n^^");
    assert_error(&f, "1a", "a number ends where a name begins at line 1, column 1", NULL);
    assert_error(&f, "\"a\"", "double quotes mean nothing in this dialect at line 1, column 1", NULL);
    assert_string_equal(f.e.hint, "write names in `backticks` and text in 'single quotes'");
    assert_error(&f, "a # b", "'#' cannot stand here at line 1, column 3", NULL);
    assert_error(&f, "a\n  \x01 b", "a byte 1 cannot stand in a statement at line 2, column 3", NULL);
    assert_error(&f, "a \xFF", "the text is not UTF-8: the byte 0xFF cannot stand here at line 1, column 3", NULL);
    assert_error(&f, "SELECT '\xC3\xA4',\n  '\xC3x'", "the text is not UTF-8: the byte 0xC3 cannot stand here at line 2, column 4", NULL);
    end(&f);
}

static void test_too_long(void **state)
{
    struct fixture f;
    struct tokens t;
    struct str text = {NULL, 16 * 1024 * 1024 + 1};

    (void)state;
    begin(&f);
    char *bytes = mem_zalloc(&f.mem, text.size);
    memset(bytes, ' ', text.size);
    text.data = bytes;
    assert_int_equal(tokens_cut(&t, text, NULL, &f.arena, &f.e), E_DATA);
    assert_string_equal(f.e.text, "the text has 16777217 bytes; at most 16777216 are taken at once");
    err_clear(&f.e);
    text.size--;
    assert_int_equal(tokens_cut(&t, text, NULL, &f.arena, &f.e), S_OK);
    mem_free(&f.mem, bytes);
    end(&f);
}

static void test_keywords(void **state)
{
    (void)state;
    assert_int_equal(keyword_find(STR("zone")), KW_ZONE);
    assert_int_equal(keyword_find(STR("A")), KW_A);
    assert_int_equal(keyword_find(STR("selec")), KEYWORD_NONE);
    assert_true(keyword_is_reserved(KW_SELECT));
    assert_false(keyword_is_function(KW_SELECT));
    assert_true(keyword_is_function(KW_ABS));
    assert_true(keyword_is_value(KW_CURRENT_DATE));
    for (uint32_t k = KEYWORD_NONE + 1; k < KEYWORDS; k++) /* sorted: each is found */
        assert_int_equal(keyword_find(str_of(keyword_text((enum keyword)k))), k);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_kinds), cmocka_unit_test(test_values), cmocka_unit_test(test_errors),
                                              cmocka_unit_test(test_too_long), cmocka_unit_test(test_keywords)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
