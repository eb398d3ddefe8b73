/* test_cli.c - verbs: the overview, help, what is no verb. Every verb's help is aligned and ends with an example. */
#include "surface/cli/cli.h"

#include "support/fake_terminal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static int run(struct fake_terminal *t, int argc, const char *const *argv)
{
    struct cli cli = {.sys = &t->sys};

    return cli_main(&cli, argc, (char **)(uintptr_t)argv);
}
#define RUN(t, ...) run(t, COUNT_OF(((const char *const[]){__VA_ARGS__})), (const char *const[]){__VA_ARGS__})

static void the_version(void **state)
{
    static const char *const ways[] = {"version", "--version"};
    struct fake_terminal t;

    (void)state;
    fake_terminal_init(&t);
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        assert_int_equal(RUN(&t, ways[i]), 0);
        assert_string_equal(fake_terminal_take(&t, 1), "thalweg " THALWEG_VERSION "\n");
    }
    assert_int_equal(RUN(&t, "version", "--help"), 0);
    assert_string_equal(fake_terminal_take(&t, 1), "thalweg version\nprint the version\n\nExample:\n  thalweg version\n");
    assert_int_equal(RUN(&t, "version", "now"), 1);
    assert_string_equal(fake_terminal_take(&t, 1), "");
    assert_string_equal(fake_terminal_take(&t, 2), "thalweg version: unknown argument 'now'; it takes none\n");
    fake_terminal_release(&t);
}

static void the_overview_names_every_verb_in_its_column(void **state)
{
    struct fake_terminal t;
    char line[256];
    uint32_t count = 0;

    (void)state;
    fake_terminal_init(&t);
    assert_int_equal(RUN(&t, "--help"), 0);
    const char *text = fake_terminal_take(&t, 1);
    for (; cli_verbs[count] != NULL; count++) {
        snprintf(line, sizeof line, "\n  %-14s %s\n", cli_verbs[count]->name, cli_verbs[count]->doc);
        assert_non_null(strstr(text, line));
        assert_true(strlen(cli_verbs[count]->name) <= 14);
        if (count > 0) assert_true(strcmp(cli_verbs[count - 1]->name, cli_verbs[count]->name) < 0);
    }
    assert_true(count >= 2);
    assert_non_null(strstr(text, "Example:\n  thalweg run job.so --parallelism 2\n"));
    assert_string_equal(fake_terminal_take(&t, 2), "");
    fake_terminal_release(&t);
}

static void every_help_begins_with_the_call_and_fits_a_terminal(void **state)
{
    struct fake_terminal t;
    char line[512];

    (void)state;
    fake_terminal_init(&t);
    for (uint32_t i = 0; cli_verbs[i] != NULL; i++) {
        const struct cli_verb *v = cli_verbs[i];
        assert_int_equal(RUN(&t, "help", v->name), 0);
        const char *text = fake_terminal_take(&t, 1);
        snprintf(line, sizeof line, "thalweg %s%s%s\n%s\n\n", v->name, v->arguments[0] != '\0' ? " " : "", v->arguments,
                 v->doc);
        assert_memory_equal(text, line, strlen(line));
        if (!v->own_help) assert_non_null(strstr(text, "Example"));
        for (const char *at = text, *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
            assert_true(end - at <= 120);
            assert_true(end == at || end[-1] != ' ');
        }
    }
    fake_terminal_release(&t);
}

static void what_is_no_verb(void **state)
{
    struct fake_terminal t;

    (void)state;
    fake_terminal_init(&t);
    assert_int_equal(RUN(&t, "versoin"), 1);
    assert_string_equal(fake_terminal_take(&t, 2),
                        "thalweg: there is no verb 'versoin', did you mean 'version'?; `thalweg --help` lists them\n");
    assert_int_equal(RUN(&t, "help", "zzzzzzzzz"), 1);
    assert_string_equal(fake_terminal_take(&t, 2), "thalweg: there is no verb 'zzzzzzzzz'; `thalweg --help` lists them\n");
    assert_int_equal(run(&t, 0, NULL), 1);
    assert_memory_equal(fake_terminal_take(&t, 2), "Thalweg ", 8); /* the overview, as an error */
    assert_string_equal(fake_terminal_take(&t, 1), "");
    fake_terminal_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_version),
        cmocka_unit_test(the_overview_names_every_verb_in_its_column),
        cmocka_unit_test(every_help_begins_with_the_call_and_fits_a_terminal),
        cmocka_unit_test(what_is_no_verb),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
