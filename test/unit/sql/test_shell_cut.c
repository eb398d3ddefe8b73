/* test_shell_cut.c - where statements and commands of a script end: quotes, comments, sets of statements, what is not whole. */
#include "surface/sql/shell_cut.h"

#include "ground/base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* The pieces of a text, each in brackets; `?` behind one that is not whole, `!` before a command. */
static const char *pieces(const char *text, char out[static 512])
{
    struct shell_piece p = {0};
    size_t n = 0;

    while (shell_cut(str_of(text), p.to, &p)) {
        assert_true(p.from < p.to && p.to <= strlen(text));
        if (p.is_command) out[n++] = '!';
        out[n++] = '[';
        memcpy(out + n, text + p.from, p.to - p.from);
        n += p.to - p.from;
        out[n++] = ']';
        if (!p.is_whole) out[n++] = '?';
    }
    out[n] = '\0';
    return out;
}

static void texts_are_cut(void **state)
{
    static const char *const cases[][2] = {
        {"", ""},
        {" -- only\n /* comments */ ; // here", ""},
        {"SELECT 1;SELECT 2", "[SELECT 1;][SELECT 2]?"},
        {"SELECT ';' , `a;b`, 'it''s;';x;", "[SELECT ';' , `a;b`, 'it''s;';][x;]"},
        {"SELECT e'\\';' , 1;x;", "[SELECT e'\\';' , 1;][x;]"},
        {"SELECT 1 -- ; no\n; /* ; */ x;", "[SELECT 1 -- ; no\n;][x;]"},
        {"SELECT 'open;", "[SELECT 'open;]?"},
        {"SELECT /* open;", "[SELECT /* open;]?"},
        {"x; /* open;", "[x;][/* open;]?"},
        {"x; /*/", "[x;][/*/]?"},
        {"x; /**/ -- open /*\n", "[x;]"},
        {"EXECUTE STATEMENT SET BEGIN a; b; END; c;", "[EXECUTE STATEMENT SET BEGIN a; b; END;][c;]"},
        {"EXECUTE STATEMENT SET BEGIN a;", "[EXECUTE STATEMENT SET BEGIN a;]?"},
        {"BEGIN STATEMENT SET; a; END;", "[BEGIN STATEMENT SET;][a;][END;]"},
        {".mode json\n\\d t\nx;", "![.mode json]![\\d t][x;]"},
        {"\\x", "![\\x]?"},
        {"SELECT\n.5;", "[SELECT\n.5;]"},
    };
    char out[512];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) assert_string_equal(pieces(cases[i][0], out), cases[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(texts_are_cut)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
