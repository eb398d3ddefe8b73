/* test_config.c - configuration from pairs and YAML: defaults, the last one wins, unknown keys with the nearest, ranges. */
#include "control/config.h"

#include "ground/base/str.h"
#include "support/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

struct world {
    struct mem mem;
    struct arena arena;
    struct config c;
    struct err e;
    struct sys *sys;
    struct folder folder;
};

static int set_up(void **state)
{
    static struct world w;

    memset(&w, 0, sizeof w);
    mem_init(&w.mem, "test", 0);
    arena_init(&w.arena, &w.mem, 0);
    config_init(&w.c, &w.arena);
    w.sys = sys_linux_create_quiet();
    folder_make(&w.folder);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    folder_remove(&w->folder);
    sys_linux_free(w->sys);
    arena_release(&w->arena);
    assert_int_equal(w->mem.used, 0);
    mem_release(&w->mem);
    return 0;
}

static void refused(struct world *w, const char *pair, const char *text, const char *hint)
{
    struct config c;
    struct options o;

    err_clear(&w->e);
    config_init(&c, &w->arena);
    enum status st = config_set_pair(&c, pair, &w->e);
    o = config_options(&c);
    if (st == S_OK) st = config_check(&o, &w->e);
    assert_int_equal(st, E_CONFIG);
    assert_string_equal(w->e.text, text);
    assert_string_equal(w->e.hint, hint);
}

static void defaults(void **state)
{
    struct options none = {NULL, 0};

    (void)state;
    assert_int_equal(config_check(&none, NULL), S_OK);
    assert_int_equal(options_int(&none, config_defs, "parallelism.default"), 1);
    assert_int_equal(options_int(&none, config_defs, "pipeline.auto-watermark-interval"), 200);
    assert_true(options_bool(&none, config_defs, "pipeline.operator-chaining.enabled"));
    assert_int_equal(options_int(&none, config_defs, "thalweg.exec.batch-rows"), 2048);
}

static void last_one_wins(void **state)
{
    struct world *w = *state;

    assert_int_equal(config_set_pair(&w->c, "parallelism.default=2", &w->e), S_OK);
    assert_int_equal(config_set_pair(&w->c, " parallelism.default = 4 ", &w->e), S_OK);
    struct options o = config_options(&w->c);
    assert_int_equal(config_check(&o, &w->e), S_OK);
    assert_int_equal(options_int(&o, config_defs, "parallelism.default"), 4);
}

static void mistakes(void **state)
{
    struct world *w = *state;

    refused(w, "paralelism.default=2", "configuration has no option 'paralelism.default'", "did you mean 'parallelism.default'?");
    refused(w, "parallelism.default=many", "option 'parallelism.default' of configuration is 'many', but must be a whole number", "");
    refused(w, "parallelism.default=0", "configuration 'parallelism.default' is 0; it must be 1 to 4096", "");
    refused(w, "thalweg.exec.batch-rows=4096", "configuration 'thalweg.exec.batch-rows' is 4096; it must be 1 to 2048", "");
    refused(w, "parallelism.default", "'parallelism.default' is not a setting", "write key=value, for example parallelism.default=4");
    refused(w, "=4", "'=4' is not a setting", "write key=value, for example parallelism.default=4");
}

static void take_line(void *arg, enum log_level level, const char *line, size_t size)
{
    (void)level;
    strncat(arg, line + strlen("1970-01-01 00:00:00.000 "), size - strlen("1970-01-01 00:00:00.000 "));
    strcat(arg, "\n");
}

static void keys_known_by_name_only(void **state)
{
    struct world *w = *state;
    char lines[1024] = "";
    struct log log = {.level = LOG_WARN, .write = take_line, .arg = lines};

    refused(w, "execution.checkpointing.file-merging.enabled=true",
            "configuration 'execution.checkpointing.file-merging.enabled' is not available: every part of the state is a file, or in "
            "the metadata, in this version",
            "leave it out; the job would run without it");
    refused(w, "restart-strategy.exponential-delay.jitter-factor=2",
            "configuration 'restart-strategy.exponential-delay.jitter-factor' is 2; it must be 0 to 1", "");
    config_set(&w->c, "rest.port", "8081");
    config_set(&w->c, "rest.port", "8082");
    config_set(&w->c, "parallelism.default", "2");
    config_set(&w->c, "table.exec.state.ttl", "1 h");
    struct options o = config_options(&w->c);
    assert_int_equal(config_check(&o, &w->e), S_OK);
    assert_int_equal(config_check_places(&w->c, &w->e), S_OK);
    config_warn_ignored(&o, &log);
    assert_string_equal(lines, "WARN  config - configuration 'rest.port' has no effect: an embedded run has no REST server\n"
                               "WARN  config - configuration 'table.exec.state.ttl' has no effect: streams do not read it\n");
}

static void max_parallelism_of_minus_one_is_unset(void **state)
{
    struct world *w = *state;

    config_set(&w->c, "pipeline.max-parallelism", "-1");
    struct options o = config_options(&w->c);
    assert_int_equal(config_check(&o, &w->e), S_OK);
    refused(w, "pipeline.max-parallelism=-2", "configuration 'pipeline.max-parallelism' is -2; it must be -1 to 32768", "");
}

static void yaml(struct world *w, const char *text, enum status expected)
{
    folder_write(&w->folder, "config.yaml", text);
    err_clear(&w->e);
    config_init(&w->c, &w->arena);
    assert_int_equal(config_read_yaml(&w->c, w->sys, folder_path(&w->folder, "config.yaml"), &w->e), expected);
}

static void yaml_nested_and_dotted_mean_the_same(void **state)
{
    struct world *w = *state;

    yaml(w,
         "# how it runs\n"
         "parallelism.default: 3\n"
         "pipeline:\n"
         "  max-parallelism: 256\n"
         "  operator-chaining.enabled: false\n"
         "taskmanager: {numberOfTaskSlots: \"8\"}\n"
         "list: [a, b]\n",
         S_OK);
    assert_int_equal(w->c.count, 5);
    struct options o = config_options(&w->c);
    assert_string_equal(options_get(&o, config_defs, "list"), "a;b");
    o.count = 4;
    assert_int_equal(config_check(&o, &w->e), S_OK);
    assert_int_equal(options_int(&o, config_defs, "parallelism.default"), 3);
    assert_int_equal(options_int(&o, config_defs, "pipeline.max-parallelism"), 256);
    assert_false(options_bool(&o, config_defs, "pipeline.operator-chaining.enabled"));
    assert_int_equal(options_int(&o, config_defs, "taskmanager.numberOfTaskSlots"), 8);
}

static void yaml_mistakes(void **state)
{
    struct world *w = *state;

    yaml(w, "", S_OK);
    assert_int_equal(w->c.count, 0);
    yaml(w, "just text\n", E_DATA);
    assert_non_null(strstr(w->e.text, "config.yaml: the file must hold keys and values, not one value"));
    yaml(w, "a: [[1]]\n", E_DATA);
    assert_non_null(strstr(w->e.text, "config.yaml: at 'a': a list may hold plain values only"));
    yaml(w, "a: 1\nb: &x 2\nc: *x\n", E_DATA);
    assert_non_null(strstr(w->e.text, "config.yaml: at 'c': aliases are not understood here"));
    yaml(w, "a: 1\n b: \"open\n", E_DATA);
    assert_non_null(strstr(w->e.text, "config.yaml:"));
    assert_int_equal(config_read_yaml(&w->c, w->sys, "/nowhere/config.yaml", NULL), E_NOT_FOUND);
}

static void yaml_depth_is_bounded(void **state)
{
    struct world *w = *state;
    char text[512];
    size_t size = 0;

    for (int i = 0; i < 40; i++) {
        memcpy(text + size, "{a: ", 4);
        size += 4;
    }
    text[size++] = '1';
    for (int i = 0; i < 40; i++) text[size++] = '}';
    text[size] = '\0';
    yaml(w, text, E_DATA);
    assert_non_null(strstr(w->e.text, "nested too deeply"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(defaults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(last_one_wins, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mistakes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keys_known_by_name_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(max_parallelism_of_minus_one_is_unset, set_up, tear_down),
        cmocka_unit_test_setup_teardown(yaml_nested_and_dotted_mean_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(yaml_mistakes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(yaml_depth_is_bounded, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
