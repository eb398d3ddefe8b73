/* test_table_rows.c - map and flatMap of tables: functions of the session's, of the user's, of columns of a ROW; what is refused. */
#include <thalweg/thalweg.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static struct tw_env *quiet_env(void)
{
    struct tw_env *env = tw_env_create();

    tw_quiet(env, true);
    return env;
}

static struct tw_table *people(struct tw_env *env) { return tw_from_values(env, "(1, 'ann bo'), (2, 'cid')", "id, name"); }

/* The schema in one line, then rows. */
static void expect(struct tw_table *t, const char *columns, const char *rows)
{
    char out[512] = "", names[256] = "";
    struct tw_table_result *r = tw_table_execute(t);

    for (uint32_t c = 0; c < tw_result_columns(r); c++)
        sprintf(names + strlen(names), "%s%s %s", c > 0 ? ", " : "", tw_result_name(r, c), tw_result_type(r, c));
    while (tw_result_next(r))
        for (uint32_t c = 0; c < tw_result_columns(r); c++)
            sprintf(out + strlen(out), "%s%s", tw_result_text(r, c), c + 1 < tw_result_columns(r) ? " " : "; ");
    assert_int_equal(tw_result_close(r), 0);
    assert_string_equal(names, columns);
    assert_string_equal(out, rows);
}

/* A library of test/functions, which lies beside the tests. */
static void function_create(struct tw_env *env, const char *name)
{
    char own[3000], sql[4096];
    ssize_t size = readlink("/proc/self/exe", own, sizeof own - 1);

    assert_true(size > 0);
    own[size] = '\0';
    *strrchr(own, '/') = '\0';
    snprintf(sql, sizeof sql, "CREATE TEMPORARY FUNCTION %s AS '%s' LANGUAGE C USING ARTIFACT '%s/functions/tables.so'", name, name, own);
    if (tw_result_close(tw_sql_execute(env, sql)) != 0) fail_msg("%s", tw_error(env));
}

static void map_makes_a_row_of_each(void **state)
{
    struct tw_env *env = quiet_env();

    (void)state;
    expect(tw_table_map(people(env), "UPPER(name)"), "EXPR$0 VARCHAR(6) NOT NULL", "ANN BO; CID; ");
    expect(tw_table_map(people(env), "id + 1"), "EXPR$0 INT NOT NULL", "2; 3; ");
    expect(tw_table_map(people(env), "CAST(ROW(id, name) AS ROW<a BIGINT, b STRING>)"), "a BIGINT, b STRING", "1 ann bo; 2 cid; ");
    expect(tw_table_as(tw_table_map(people(env), "CAST(ROW(id, name) AS ROW<a BIGINT, b STRING>)"), "x, y"), "x BIGINT, y STRING",
           "1 ann bo; 2 cid; ");
    assert_string_equal(tw_error(env), "");
    tw_env_free(env);
}

static void flat_map_makes_any_number(void **state)
{
    struct tw_env *env = quiet_env();

    (void)state;
    function_create(env, "cut");
    function_create(env, "words");
    expect(tw_table_flat_map(people(env), "cut(name)"), "EXPR$0 STRING", "ann; bo; cid; ");
    expect(tw_table_as(tw_table_flat_map(tw_table_where(people(env), "id = 1"), "words(name)"), "w, n"), "w STRING, n INT", "ann 3; bo 2; ");
    assert_string_equal(tw_error(env), "");
    tw_env_free(env);
}

static void expect_error(struct tw_env *env, struct tw_table *t, const char *text)
{
    assert_non_null(t);
    if (strstr(tw_error(env), text) == NULL) assert_string_equal(tw_error(env), text);
    tw_env_free(env);
}

static void what_is_no_such_function_is_refused(void **state)
{
    struct tw_env *env = quiet_env();

    (void)state;
    expect_error(env, tw_table_map(people(env), "name"), "Only a scalar function can be used in the map operator. at line 1, column 1\nname\n^^^^");
    env = quiet_env();
    expect_error(env, tw_table_map(people(env), "MAX(id)"), "Only a scalar function can be used in the map operator. at line 1, column 1");
    env = quiet_env();
    expect_error(env, tw_table_map(people(env), "UPER(name)"), "No match found for function signature UPER");
    env = quiet_env();
    expect_error(env, tw_table_flat_map(people(env), "1"), "Only a table function can be used in the flatMap operator. at line 1, column 1");
    env = quiet_env();
    expect_error(env, tw_table_flat_map(people(env), "UPPER(name)"), "No match found for function signature UPPER(...) at line 1, column 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_makes_a_row_of_each),
        cmocka_unit_test(flat_map_makes_any_number),
        cmocka_unit_test(what_is_no_such_function_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
