/* test_program.c - which arguments are the engine's, which are the job's, and which are nobody's. */
#include "surface/cli/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct world {
    struct mem mem;
    struct arena arena;
    struct sys *sys;
    struct program_arguments a;
    struct err e;
};

static int set_up(void **state)
{
    static struct world w;

    w = (struct world){0};
    mem_init(&w.mem, "test", 0);
    arena_init(&w.arena, &w.mem, 0);
    w.sys = sys_linux_create_quiet();
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    sys_linux_free(w->sys);
    mem_release(&w->mem);
    return 0;
}

static enum status parse(struct world *w, int argc, const char *const *argv)
{
    return program_parse(&w->a, &w->arena, w->sys, "job", argc, (char **)(uintptr_t)argv, &w->e);
}
#define PARSE(w, ...) parse(w, COUNT_OF(((const char *const[]){__VA_ARGS__})), (const char *const[]){__VA_ARGS__})

static void every_way_to_write_them(void **state)
{
    struct world *w = *state;

    assert_int_equal(PARSE(w, "-D", "parallelism.default=2", "in.csv", "-Dpipeline.name=a b", "--parallelism=3",
                           "--quiet", "--plan=json", "--own", "-x", "--", "--quiet", "--paralelism"),
                     S_OK);
    struct options o = config_options(&w->a.config);
    assert_string_equal(options_get(&o, config_defs, "parallelism.default"), "3");
    assert_string_equal(options_get(&o, config_defs, "pipeline.name"), "a b");
    assert_true(w->a.is_quiet);
    assert_false(w->a.wants_help);
    assert_int_equal(w->a.plan, API_PLAN_JSON);
    const char *const left[] = {"job", "in.csv", "--own", "-x", "--quiet", "--paralelism"};
    assert_int_equal(w->a.argc, COUNT_OF(left));
    for (size_t i = 0; i < COUNT_OF(left); i++) assert_string_equal(w->a.argv[i], left[i]);
    assert_null(w->a.argv[w->a.argc]);
}

static void one_slip_is_a_mistake_and_two_are_the_jobs(void **state)
{
    struct world *w = *state;

    assert_int_equal(PARSE(w, "--conifg=x.yaml"), E_CONFIG);
    assert_string_equal(w->e.text, "there is no argument '--conifg'");
    assert_string_equal(w->e.hint, "did you mean '--config'? What is meant for the job goes behind `--`");
    err_clear(&w->e);
    assert_int_equal(PARSE(w, "--confirm"), S_OK);
    assert_int_equal(w->a.argc, 2);
}

static void a_value_must_follow(void **state)
{
    struct world *w = *state;

    assert_int_equal(PARSE(w, "a", "--parallelism"), E_CONFIG);
    assert_string_equal(w->e.text, "--parallelism needs a value behind it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_way_to_write_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_slip_is_a_mistake_and_two_are_the_jobs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_value_must_follow, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
