/* test_functions.c - every function that Flink has is there: each name of function_names.def in a query that runs; what the reference
 * shows of aggregates (agg_json_arrayagg, agg_json_objectagg, agg_percentile, ...) and special forms answers what it says; every
 * function is listed once, with all that the reference needs. */
#include "language/sql/sql_function.h"

#include <thalweg/thalweg.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { ROWS = 16, ROW_SIZE = 256 };

static void statement(struct tw_env *env, const char *text)
{
    struct tw_table_result *r = tw_sql_execute(env, text);

    if (tw_result_close(r) != 0) fail_msg("%s\n fails: %s", text, tw_error(env));
}

/* In batch mode: every answer is complete. */
static struct tw_env *env_open(void)
{
    struct tw_env *env = tw_env_create();

    tw_quiet(env, true);
    statement(env, "SET 'execution.runtime-mode' = 'batch'");
    statement(env, "CREATE TEMPORARY VIEW t AS SELECT x, s, DATE '2001-01-31' AS d, CAST(TIMESTAMP '2001-01-31 "
                   "10:20:30' AS TIMESTAMP(3)) AS ts "
                   "FROM (VALUES (1, 'a'), (2, 'b'), (CAST(NULL AS INT), 'c')) AS u (x, s)");
    statement(env, sql_function_example_table);
    return env;
}

static int by_text(const void *a, const void *b) { return strcmp(a, b); }

static void row_print(struct tw_table_result *r, char out[static ROW_SIZE])
{
    size_t used = 0;

    out[0] = '\0';
    for (uint32_t c = 0; c < tw_result_columns(r); c++)
        used += (size_t)snprintf(out + used, ROW_SIZE - used, "%s%s", c > 0 ? " | " : "",
                                 tw_result_is_null(r, c) ? "NULL" : tw_result_text(r, c));
}

/* "1 | a; 2 | b", sorted; false: it fails. */
static bool answer_of(struct tw_env *env, const char *query, char out[static ROWS * ROW_SIZE])
{
    static const char separator[] = "; ";
    char rows[ROWS][ROW_SIZE];
    struct tw_table_result *r = tw_sql_execute(env, query);
    uint32_t n = 0;

    while (tw_result_next(r)) {
        assert_true(n < ROWS);
        row_print(r, rows[n++]);
    }
    qsort(rows, n, sizeof *rows, by_text);
    out[0] = '\0';
    for (uint32_t i = 0; i < n; i++) {
        strcat(out, i > 0 ? separator : "");
        strcat(out, rows[i]);
    }
    return tw_result_close(r) == 0;
}

static void test_names(void **state)
{
    static const char *const names[][3] = {
#define NAME(name, query) {name, query, "batch"},
#define STREAMING(name, query) {name, query, "streaming"},
#include "function_names.def"
#undef NAME
#undef STREAMING
    };
    char answer[ROWS * ROW_SIZE], set[64];
    struct tw_env *env = env_open();
    uint32_t missing = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        snprintf(set, sizeof set, "SET 'execution.runtime-mode' = '%s'", names[i][2]);
        statement(env, set);
        if (answer_of(env, names[i][1], answer)) continue;
        print_error("%s: %s\n fails: %s\n", names[i][0], names[i][1], tw_error(env));
        missing++;
        tw_env_free(env);
        env = env_open();
    }
    assert_int_equal(missing, 0);
    tw_env_free(env);
}

static void expect_answer(struct tw_env *env, const char *query, const char *expected)
{
    char answer[ROWS * ROW_SIZE];

    if (!answer_of(env, query, answer)) fail_msg("%s\n fails: %s", query, tw_error(env));
    if (strcmp(answer, expected) != 0) fail_msg("%s\n answers %s\n not %s", query, answer, expected);
}

static void test_examples(void **state)
{
    struct tw_env *env = env_open();

    (void)state;
    for (size_t i = 0; agg_types[i] != NULL; i++) {
        if (agg_types[i]->query == NULL || agg_types[i]->usage == NULL)
            fail_msg("aggregate '%s' has no query or usage", agg_types[i]->name);
        expect_answer(env, agg_types[i]->query, agg_types[i]->answer);
    }
    for (const struct sql_form *f = sql_forms; f->name != NULL; f++) {
        assert_non_null(f->usage);
        assert_non_null(f->doc);
        if (f[1].name != NULL && strcmp(f->name, f[1].name) >= 0)
            fail_msg("form '%s' stands before '%s'", f->name, f[1].name);
        if (f->query != NULL) expect_answer(env, f->query, f->answer);
    }
    tw_env_free(env);
}

struct seen {
    uint32_t count, mute;
    char names[512][SQL_FUNCTION_NAME_SIZE];
};

static void see(void *arg, const struct sql_function *f)
{
    struct seen *s = arg;

    for (uint32_t i = 0; i < s->count; i++)
        if (strcmp(s->names[i], f->name) == 0) fail_msg("function '%s' is there twice", f->name);
    assert_true(s->count < COUNT_OF(s->names));
    snprintf(s->names[s->count++], SQL_FUNCTION_NAME_SIZE, "%s", f->name);
    bool has_signature = sql_function_usage(f) != NULL || (f->def != NULL && f->def->overloads != NULL);
    if (has_signature) return;
    print_error("function '%s' has neither .usage nor overloads\n", f->name);
    s->mute++;
}

static void test_list(void **state)
{
    struct seen *s = calloc(1, sizeof *s);

    (void)state;
    assert_non_null(s);
    sql_functions_each(see, s);
    assert_int_equal(s->mute, 0);
    free(s);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
