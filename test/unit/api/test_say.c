/* test_say.c - how a mistake is printed: the same text everywhere, in colours only where they are wanted. */
#include "support/fake_terminal.h"
#include "surface/api/api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void texts(void **state)
{
    static const struct {
        const char *name, *hint, *excerpt, *plain, *colored;
    } cases[] = {
        {NULL, NULL, NULL, "job 'j' failed: x\n", "\033[1mjob 'j' failed\033[0m: x\n"},
        {"thalweg run", NULL, NULL, "thalweg run: job 'j' failed: x\n",
         "\033[1mthalweg run\033[0m: job 'j' failed: x\n"},
        {NULL, "mend it", "  a^b,x\n      ^", "job 'j' failed: x; mend it\n  a^b,x\n      ^\n",
         "\033[1mjob 'j' failed\033[0m: x; \033[2mmend it\033[0m\n  a^b,x\n      \033[31m^\033[0m\n"},
    };
    struct fake_terminal t;

    (void)state;
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    fake_terminal_init(&t);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct err e = {0};
        assert_int_equal(err_set(&e, E_DATA, "job 'j' failed: x"), E_DATA);
        if (cases[i].hint != NULL) err_hint(&e, "%s", cases[i].hint);
        if (cases[i].excerpt != NULL) err_excerpt(&e, cases[i].excerpt);
        t.is_terminal[2] = false;
        api_say_error(&t.sys, cases[i].name, &e);
        assert_string_equal(fake_terminal_take(&t, 2), cases[i].plain);
        t.is_terminal[2] = true;
        api_say_error(&t.sys, cases[i].name, &e);
        assert_string_equal(fake_terminal_take(&t, 2), cases[i].colored);
        setenv("NO_COLOR", "1", 1);
        api_say_error(&t.sys, cases[i].name, &e);
        assert_string_equal(fake_terminal_take(&t, 2), cases[i].plain);
        unsetenv("NO_COLOR");
    }
    fake_terminal_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(texts)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
