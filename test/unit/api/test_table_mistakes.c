/* test_table_mistakes.c - mistakes in tables: each is told with the source line of its call, once, and nothing that comes of it runs. */
#include <thalweg/thalweg.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct click {
    struct tw_str user;
    int64_t n;
};
TW_ROW(click, TW_FIELD(click, user, "STRING NOT NULL"), TW_FIELD(click, n, "BIGINT NOT NULL"));

static enum tw_status pass(struct tw_context *cx, const void *in)
{
    tw_collect(cx, in);
    return TW_OK;
}
TW_FUNCTION(passed) = {.in = &click_row, .out = &click_row, .process = pass};

static struct tw_table *people(struct tw_env *env)
{
    return tw_from_values(env, "(1, 'ann', 30), (2, 'bob', 20)", "id, name, age");
}

static enum tw_status nothing(struct tw_call *c, const void *args, void *result)
{
    (void)args;
    (void)result;
    return tw_result_null(c);
}
TW_SQL_FUNCTION(table_mistake) = {.kind = TW_SQL_SCALAR, .overloads = {{"INT -> INT", .run_row = nothing}}};

/* Builds something, answers the line of the call that is wrong. */
struct mistake {
    int (*make)(struct tw_env *env);
    const char *says; /* behind "file:line: " */
};

#define MISTAKE(name, call)                                                                                            \
    static int name(struct tw_env *env)                                                                                \
    {                                                                                                                  \
        call;                                                                                                          \
        return __LINE__;                                                                                               \
    }

static struct tw_stream *no_clicks(struct tw_env *env) { return tw_from_data(env, &click_row, NULL, 0); }
static struct tw_schema *schema(struct tw_env *env) { return tw_schema_create(env); }

static void two_rowtimes(struct tw_env *env)
{
    tw_result_close(tw_sql_execute(env, "CREATE TABLE clock (ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen')"));
}

/* A table of a stream whose job has run. */
static struct tw_table *executed(struct tw_env *env)
{
    struct tw_stream *s = no_clicks(env);
    struct tw_table *t = tw_from_stream(s, NULL);

    tw_print(s);
    if (tw_execute(env, "before") != 0) fail_msg("%s", tw_error(env));
    return t;
}

/* A line each: it is the line that is told. */
/* clang-format off */
MISTAKE(no_column, tw_table_where(people(env), "agee > 20"))
MISTAKE(no_condition, tw_table_where(people(env), "age"))
MISTAKE(more_than_an_expression, tw_table_where(people(env), "age > 1) OR (1 = 1"))
MISTAKE(more_than_a_list, tw_table_select(people(env), "id FROM other"))
MISTAKE(no_list, tw_table_select(people(env), ""))
MISTAKE(not_grouped, tw_table_select(tw_table_group_by(people(env), "age"), "name"))
MISTAKE(no_select, tw_table_where(tw_table_group_by(people(env), "age"), "age > 1"))
MISTAKE(bad_group, tw_table_group_by(people(env), "age,"))
MISTAKE(no_function, tw_table_select(people(env), "UPER(name)"))
MISTAKE(bad_sql, tw_sql_query(env, "SELEC 1"))
MISTAKE(no_query, tw_sql_query(env, "SHOW TABLES"))
MISTAKE(no_table, tw_from(env, "flihgts"))
MISTAKE(bad_path, tw_from(env, "a; DROP TABLE b"))
MISTAKE(names_too_few, tw_table_as(people(env), "a, b"))
MISTAKE(no_such_drop, tw_table_drop_columns(people(env), "nme"))
MISTAKE(all_dropped, tw_table_drop_columns(people(env), "id, name, age"))
MISTAKE(no_such_rename, tw_table_rename_columns(people(env), "idd AS x"))
MISTAKE(no_rename, tw_table_rename_columns(people(env), "id"))
MISTAKE(there_already, tw_table_add_columns(people(env), "id + 1 AS id"))
MISTAKE(ambiguous, tw_table_join(people(env), people(env), "id = id"))
MISTAKE(union_of_others, tw_table_union(people(env), tw_from_values(env, "(1)", "a")))
MISTAKE(unknown_operation, tw_table_apply_at(people(env), "selct", "id", TW_HERE))
MISTAKE(negative, tw_table_limit(people(env), -2))
MISTAKE(bad_window, tw_table_window(people(env), "TUMBLE", "DESCRIPTOR(age), INTERVAL '1' MINUTE"))
MISTAKE(bad_type, tw_schema_column(schema(env), "a", "INTT"))
MISTAKE(two_pieces, tw_schema_column(schema(env), "a", "INT, b INT"))
MISTAKE(no_options, tw_create_temporary_table(env, "t", .schema = tw_schema_column(schema(env), "a", "INT"), .options = TW_OPTIONS("k")))
MISTAKE(no_schema, tw_create_temporary_table(env, "t", .options = TW_OPTIONS("connector", "datagen")))
MISTAKE(no_such_field, tw_from_stream(no_clicks(env), tw_schema_column(schema(env), "usr", "STRING")))
MISTAKE(no_such_metadata, tw_from_stream(no_clicks(env), tw_schema_column_by_metadata(schema(env), "offset", "BIGINT", NULL, true)))
MISTAKE(upserts_in, tw_from_changelog_stream(no_clicks(env), NULL, TW_CHANGELOG_UPSERTS))
MISTAKE(updates_as_inserts, tw_to_stream(tw_table_select(tw_table_group_by(people(env), "age"), "age, COUNT(*) AS n")))
MISTAKE(no_name, tw_table_as(people(env), "a, b, 1"))
MISTAKE(no_shell, tw_result_close(tw_sql_execute(env, "QUIT")))
MISTAKE(in_batch, tw_to_stream((tw_set(env, "execution.runtime-mode", "batch"), people(env))))
MISTAKE(two_times, tw_to_stream(tw_sql_query(env, (two_rowtimes(env), "SELECT ts, ts AS again FROM clock"))))
MISTAKE(gone, tw_to_stream(executed(env)))
MISTAKE(function_without_entry, tw_create_temporary_system_function(env, "f", NULL))
MISTAKE(function_without_name, tw_create_temporary_system_function(env, "", &tw_sql_table_mistake))
/* clang-format on */

static const struct mistake mistakes[] = {
    {no_column, "Column 'agee' not found in any table at line 1, column 1; did you mean 'age'?\nagee > 20\n^^^^"},
    {no_condition, "WHERE clause must be a condition at line 1, column 1; compare it with something, or give a BOOLEAN\nage\n^^^"},
    {more_than_an_expression,
     "Encountered \")\": expected the end of the expression at line 1, column 8\nage > 1) OR (1 = 1\n       ^"},
    {more_than_a_list, "Encountered \"FROM\": expected ',' or the end at line 1, column 4\nid FROM other\n   ^^^^"},
    {no_list, "the statement ends too early: expected an expression at line 1, column 1"},
    {not_grouped, "Expression 'name' is not being grouped at line 1, column 1; add it to GROUP BY, or put it into an "
                  "aggregate\nname\n^^^^"},
    {no_select, "a grouped table has no columns yet: say them with tw_table_select"},
    {bad_group, "the statement ends too early: expected an expression at line 1, column 5\nage,\n    ^"},
    {no_function, "No match found for function signature UPER(<CHARACTER>) at line 1, column 1; did you mean 'UPPER'?"},
    {bad_sql, "Encountered \"SELEC\": expected a statement at line 1, column 1; did you mean SELECT?"},
    {no_query, "tw_sql_query takes a query: SELECT, WITH or VALUES at line 1, column 1; run other statements with "
               "tw_sql_execute"},
    {no_table, "Object 'flihgts' not found at line 1, column 1"},
    {bad_path, "Encountered "},
    {names_too_few,
     "List of column aliases must have same degree as table; table has 3 columns, whereas alias list has 2 columns"},
    {no_such_drop, "column 'nme' is not in the stream (has: id, name, age); did you mean 'name'?"},
    {all_dropped, "no column would be left"},
    {no_such_rename, "column 'idd' is not in the stream (has: id, name, age); did you mean 'id'?"},
    {no_rename, "renames are of the form 'old AS new' at line 1, column 1\nid\n^^"},
    {there_already, "column 'id' is there already; tw_table_add_or_replace_columns takes its place"},
    {ambiguous, "join relations with ambiguous names: 'id' is a column of both tables; rename one"},
    {union_of_others, "Column count mismatch in UNION"},
    {unknown_operation, "tables have no operation 'selct'; did you mean 'select'?"},
    {negative, "a number of rows is not negative"},
    {bad_window, "The window function TUMBLE"},
    {bad_type, "unknown type 'INTT'"},
    {two_pieces, "one column, watermark or key is expected, not '`a` INT, b INT'"},
    {no_options, "options come in pairs of key and value; one value is missing"},
    {no_schema, "table 't' has no schema"},
    {no_such_field, "column 'usr' is not in the stream (has: user, n); did you mean 'user'?"},
    {no_such_metadata, "a stream has no metadata 'offset'; it has 'rowtime'"},
    {upserts_in, "Table 'default_catalog.default_database.Unregistered_DataStream_Source_1' produces a changelog stream that contains "
                 "UPDATE_AFTER but no UPDATE_BEFORE. This requires defining a primary key constraint on the table. at line 1, column 1; add PRIMARY KEY"},
    {function_without_entry, "tw_create_temporary_system_function takes a name, and &tw_sql_NAME of a TW_SQL_FUNCTION(NAME)"},
    {function_without_name, "tw_create_temporary_system_function takes a name, and &tw_sql_NAME of a TW_SQL_FUNCTION(NAME)"},
    {updates_as_inserts,
     "Table sink 'Unregistered_DataStream_Sink_1' doesn't support consuming update changes which is produced by node "},
    {no_name, "Encountered \"1\": expected the name of a column at line 1, column 7\na, b, 1\n      ^"},
    {no_shell, "only a shell understands this statement at line 1, column 1\nQUIT\n^^^^"},
    {in_batch, "a table becomes a stream in streaming mode only; tw_table_execute gives the rows of batch mode"},
    {two_times, "Found more than one rowtime attribute field in the query when converting it to a stream; cast all but one of them to "
                "TIMESTAMP(3)"},
    {gone, "table 'Unregistered_DataStream_Source_1' is of a stream that belongs to a job that was executed already at line 1, column 1; make stream and "
           "table anew behind tw_execute"},
};

static void mistakes_have_lines(void **state)
{
    char says[512];

    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct tw_env *env = tw_env_create();
        tw_quiet(env, true);
        int line = mistakes[i].make(env);
        snprintf(says, sizeof says, "%s:%d: %s", __FILE__, line, mistakes[i].says);
        if (strncmp(tw_error(env), says, strlen(says)) != 0) fail_msg("expected %s\n got %s", says, tw_error(env));
        tw_env_free(env);
    }
}

/* The first mistake wins, and what is built on it says nothing more; running it tells it. */
static void what_came_of_a_mistake_does_not_run(void **state)
{
    struct tw_env *env = tw_env_create();
    struct tw_table *t = tw_table_where(people(env), "nope = 1");

    (void)state;
    tw_quiet(env, true);
    t = tw_table_limit(tw_table_select(tw_table_group_by(t, "x"), "y"), 1);
    assert_int_equal(tw_create_temporary_view(env, "v", t), 1);
    assert_int_equal(tw_table_insert_into(t, "sink"), 1);
    assert_non_null(strstr(tw_error(env), "Column 'nope' not found"));
    env = (tw_env_free(env), tw_env_create());
    tw_quiet(env, true);
    struct tw_table_result *r = tw_table_execute(tw_table_where(people(env), "nope = 1"));
    assert_false(tw_result_next(r));
    assert_int_equal(tw_result_columns(r), 0);
    assert_int_equal(tw_result_close(r), 1);
    assert_non_null(strstr(tw_error(env), "Column 'nope' not found"));
    r = tw_table_execute(people(env)); /* told and over: what is built next starts afresh */
    assert_true(tw_result_next(r));
    assert_int_equal(tw_result_close(r), 0);
    tw_env_free(env);
}

static void rows_that_fail_are_told(void **state)
{
    struct tw_env *env = tw_env_create();

    (void)state;
    tw_quiet(env, true);
    struct tw_table_result *r = tw_sql_execute(env, "SELECT 1 / a FROM (VALUES (1), (0)) AS t (a)");
    while (tw_result_next(r)) continue;
    assert_int_equal(tw_result_close(r), 1);
    assert_non_null(strstr(tw_error(env), "division by zero"));
    r = tw_sql_execute(env, "DROP TABLE nope");
    assert_false(tw_result_next(r));
    assert_int_equal(tw_result_close(r), 1);
    assert_non_null(strstr(tw_error(env), "nope"));
    r = tw_sql_execute(env, "SELECT CAST(NULL AS STRING) AS `user`, CAST(1 AS BIGINT) AS n");
    assert_true(tw_result_next(r));
    assert_null(tw_result_row(r, &click_row));
    assert_int_equal(tw_result_close(r), 1);
    assert_non_null(strstr(tw_error(env), "'user' is NULL"));
    struct tw_statement_set *set = tw_statement_set_create(env);
    assert_int_equal(tw_statement_set_add_sql(set, "SELECT 1"), 1);
    assert_int_equal(tw_statement_set_execute(set), 1);
    assert_non_null(strstr(tw_error(env), "only INSERT statements can be added to a statement set"));
    tw_env_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_have_lines),
        cmocka_unit_test(what_came_of_a_mistake_does_not_run),
        cmocka_unit_test(rows_that_fail_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
