/* test_table.c - the Table API: sources, relations, INSERT and statement sets, results by accessors and as structs, EXPLAIN. What a
 * relation gives is compared as text, folded by sorting where no order is asked for. */
#include <thalweg/thalweg.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static enum tw_status keep_all(struct tw_context *cx, const void *in)
{
    tw_collect(cx, in);
    return TW_OK;
}
struct one {
    int32_t n;
};
TW_ROW(one, TW_FIELD(one, n, "INT NOT NULL"));
TW_FUNCTION(keep) = {.in = &one_row, .out = &one_row, .process = keep_all};

static struct tw_env *quiet_env(void)
{
    struct tw_env *env = tw_env_create();

    tw_quiet(env, true);
    return env;
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* "+I 1 x; -D 2 y": all rows of a result, in order or sorted. */
static const char *rows_of(struct tw_table_result *r, bool sorted, char out[static 1024])
{
    static const char *const kinds[] = {"+I", "-U", "+U", "-D"};
    char *lines[64];
    uint32_t count = 0;

    while (tw_result_next(r)) {
        char line[256];
        int n = snprintf(line, sizeof line, "%s", kinds[tw_result_kind(r)]);
        for (uint32_t c = 0; c < tw_result_columns(r); c++)
            n += snprintf(line + n, sizeof line - (size_t)n, " %s", tw_result_text(r, c));
        assert_true(count < 64);
        lines[count++] = strdup(line);
    }
    if (sorted) qsort(lines, count, sizeof *lines, by_text);
    out[0] = '\0';
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) strcat(out, "; ");
        strcat(out, lines[i]);
        free(lines[i]);
    }
    return out;
}

static void expect_rows(struct tw_table *t, bool sorted, const char *expected)
{
    char out[1024];
    struct tw_table_result *r = tw_table_execute(t);

    assert_string_equal(rows_of(r, sorted, out), expected);
    assert_int_equal(tw_result_close(r), 0);
}

static struct tw_table *people(struct tw_env *env)
{
    return tw_from_values(env, "(1, 'ann', 30), (2, 'bob', 20), (3, 'cid', 30)", "id, name, age");
}

static void columns_are_chosen(void **state)
{
    struct tw_env *env = quiet_env();
    struct tw_table *t = people(env);

    (void)state;
    expect_rows(t, false, "+I 1 ann 30; +I 2 bob 20; +I 3 cid 30");
    expect_rows(tw_table_select(t, "name, age * 2 AS twice"), false, "+I ann 60; +I bob 40; +I cid 60");
    expect_rows(tw_table_where(t, "age > 20 AND name <> 'cid'"), false, "+I 1 ann 30");
    expect_rows(tw_table_filter(tw_table_as(t, "a, b, c"), "c < 25"), false, "+I 2 bob 20");
    expect_rows(tw_table_add_columns(t, "id + age AS s, 'x' AS x"), false,
                "+I 1 ann 30 31 x; +I 2 bob 20 22 x; +I 3 cid 30 33 x");
    expect_rows(tw_table_add_or_replace_columns(t, "age + 1 AS age, 0 AS z"), false,
                "+I 1 ann 31 0; +I 2 bob 21 0; +I 3 cid 31 0");
    expect_rows(tw_table_drop_columns(t, "name, id"), false, "+I 30; +I 20; +I 30");
    struct tw_table *renamed = tw_table_rename_columns(t, "id AS `a``b`, age AS years");
    assert_string_equal(tw_table_schema(renamed),
                        "(\n  `a`b` INT NOT NULL,\n  `name` CHAR(3) NOT NULL,\n  `years` INT NOT NULL\n)");
    expect_rows(tw_table_where(renamed, "years = 20"), false, "+I 2 bob 20");
    assert_string_equal(tw_error(env), "");
    tw_env_free(env);
}

static void rows_are_grouped_ordered_and_cut(void **state)
{
    struct tw_env *env = quiet_env();
    struct tw_table *t = people(env);

    (void)state;
    tw_set(env, "execution.runtime-mode", "batch");
    expect_rows(tw_table_select(tw_table_group_by(t, "age"), "age, COUNT(*) AS n"), true, "+I 20 1; +I 30 2");
    expect_rows(tw_table_select(tw_table_group_by(t, ""), "SUM(id) AS s"), true, "+I 6");
    expect_rows(tw_table_select(tw_table_group_by(t, "ROLLUP (age)"), "age, MAX(id)"), true,
                "+I 20 2; +I 30 3; +I <NULL> 3");
    expect_rows(tw_table_distinct(tw_table_select(t, "age")), true, "+I 20; +I 30");
    struct tw_table *ordered = tw_table_order_by(t, "age DESC, id DESC");
    expect_rows(ordered, false, "+I 3 cid 30; +I 1 ann 30; +I 2 bob 20");
    expect_rows(tw_table_limit(ordered, 2), false, "+I 3 cid 30; +I 1 ann 30");
    expect_rows(tw_table_offset_fetch(ordered, 1, 1), false, "+I 1 ann 30");
    expect_rows(tw_table_offset_fetch(ordered, 2, -1), false, "+I 2 bob 20");
    expect_rows(tw_table_limit(tw_table_limit(ordered, 2), 1), true, "+I 3 cid 30");
    assert_string_equal(tw_error(env), "");
    tw_env_free(env);
}

static void tables_are_combined(void **state)
{
    struct tw_env *env = quiet_env();
    struct tw_table *t = people(env),
                    *u = tw_from_values(env, "(1, 'red'), (1, 'blue'), (4, 'grey')", "person, colour");

    (void)state;
    tw_set(env, "execution.runtime-mode", "batch");
    expect_rows(tw_table_select(tw_table_join(t, u, "id = person"), "name, colour"), true, "+I ann blue; +I ann red");
    expect_rows(tw_table_select(tw_table_left_outer_join(t, u, "id = person AND colour = 'red'"), "name, colour"), true,
                "+I ann red; +I bob <NULL>; +I cid <NULL>");
    expect_rows(tw_table_select(tw_table_right_outer_join(t, u, "id = person"), "name, colour"), true,
                "+I <NULL> grey; +I ann blue; +I ann red");
    expect_rows(tw_table_select(tw_table_full_outer_join(tw_table_where(t, "id = 2"), tw_table_where(u, "person = 4"),
                                                         "id = person"),
                                "id, person"),
                true, "+I 2 <NULL>; +I <NULL> 4");
    expect_rows(tw_table_select(tw_table_join(t, u, NULL), "COUNT(*)"), true, "+I 9");
    struct tw_table *self = tw_table_join(tw_table_alias(t, "a"), tw_table_alias(t, "b"),
                                          "a.age = b.age AND a.id < b.id");
    expect_rows(tw_table_select(self, "id"), true, "+I 1");
    struct tw_table *ages = tw_table_select(t, "age"), *more = tw_from_values(env, "(30), (40)", "age");
    expect_rows(tw_table_union_all(ages, more), true, "+I 20; +I 30; +I 30; +I 30; +I 40");
    expect_rows(tw_table_union(ages, more), true, "+I 20; +I 30; +I 40");
    expect_rows(tw_table_intersect(ages, more), true, "+I 30");
    expect_rows(tw_table_intersect_all(ages, more), true, "+I 30");
    expect_rows(tw_table_minus(ages, more), true, "+I 20");
    expect_rows(tw_table_minus_all(ages, more), true, "+I 20; +I 30");
    assert_string_equal(tw_error(env), "");
    tw_env_free(env);
}

static void tables_have_names(void **state)
{
    struct tw_env *env = quiet_env();
    struct tw_schema *schema = tw_schema_create(env);
    char out[1024];

    (void)state;
    tw_schema_column(schema, "id", "BIGINT");
    tw_schema_column(schema, "t s", "TIMESTAMP(3)");
    tw_schema_column_by_expression(schema, "twice", "id * 2");
    tw_schema_watermark(schema, "t s", "`t s` - INTERVAL '5' SECOND");
    tw_schema_primary_key(schema, "id");
    assert_int_equal(
        tw_create_temporary_table(env, "numbers", .schema = schema, .comment = "it's",
                                  .options = TW_OPTIONS("connector", "datagen", "number-of-rows", "3", "fields.id.kind",
                                                        "sequence", "fields.id.start", "7", "fields.id.end", "9")),
        0);
    struct tw_table *t = tw_from(env, "default_catalog.default_database.numbers");
    assert_string_equal(tw_table_schema(t),
                        "(\n  `id` BIGINT NOT NULL,\n  `t s` TIMESTAMP(3) *ROWTIME*,\n  `twice` BIGINT NOT NULL\n)");
    expect_rows(tw_table_select(t, "id, twice"), false, "+I 7 14; +I 8 16; +I 9 18");
    assert_int_equal(tw_create_temporary_view(env, "v", tw_table_where(tw_table_select(t, "id"), "id > 7")), 0);
    expect_rows(tw_sql_query(env, "SELECT id + 1 FROM v"), false, "+I 9; +I 10");
    struct tw_table_result *r = tw_sql_execute(env, "SHOW VIEWS");
    assert_string_equal(rows_of(r, false, out), "+I v");
    assert_int_equal(tw_result_close(r), 0);
    r = tw_sql_execute(env, "CREATE TEMPORARY VIEW w AS SELECT 1 AS a");
    assert_string_equal(rows_of(r, false, out), "+I OK");
    assert_int_equal(tw_result_close(r), 0);
    expect_rows(tw_from(env, "w"), false, "+I 1");
    struct tw_schema *one = tw_schema_column(tw_schema_create(env), "a", "INT NOT NULL");
    expect_rows(tw_from_descriptor(env, .schema = one,
                                   .options = TW_OPTIONS("connector", "datagen", "number-of-rows", "1", "fields.a.kind",
                                                         "sequence", "fields.a.start", "4", "fields.a.end", "4")),
                false, "+I 4");
    assert_string_equal(tw_error(env), "");
    tw_env_free(env);
}

static void windows_count(void **state)
{
    struct tw_env *env = quiet_env();

    (void)state;
    assert_int_equal(tw_result_close(tw_sql_execute(env, "CREATE TABLE clicks (id INT, ts AS TO_TIMESTAMP('2024-01-01 "
                                                         "00:00:0' || CAST(id AS STRING)), WATERMARK FOR ts AS ts) "
                                                         "WITH ('connector' = 'datagen', 'number-of-rows' = '7', "
                                                         "'fields.id.kind' = 'sequence', 'fields.id.start' = '1', "
                                                         "'fields.id.end' = '7')")),
                     0);
    struct tw_table *w = tw_table_window(tw_from(env, "clicks"), "TUMBLE", "DESCRIPTOR(ts), INTERVAL '5' SECOND");
    expect_rows(tw_table_select(tw_table_group_by(w, "window_start, window_end"), "window_end, COUNT(*) AS n"), false,
                "+I 2024-01-01 00:00:05.000 4; +I 2024-01-01 00:00:10.000 3");
    struct tw_table *h = tw_table_window(tw_from(env, "clicks"), "HOP",
                                         "DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '10' SECOND");
    expect_rows(tw_table_select(tw_table_group_by(h, "window_start, window_end"), "COUNT(*)"), false,
                "+I 4; +I 7; +I 3");
    assert_string_equal(tw_error(env), "");
    tw_env_free(env);
}

/* --- results -------------------------------------------------------------------------------------------------------- */
struct person {
    int32_t id;
    struct tw_str name;
    uint64_t nulls;
};
TW_ROW(person, TW_FIELD(person, id, "INT"), TW_FIELD(person, name, "STRING"), TW_NULLS(person, nulls));

static void results_are_read(void **state)
{
    struct tw_env *env = quiet_env();
    struct tw_table_result *r = tw_sql_execute(
        env, "SELECT CAST(1.25 AS DECIMAL(10, 2)) AS d, 7 AS i, TRUE AS b, CAST('x' AS STRING) AS s, CAST(NULL AS INT) "
             "AS n, "
             "DATE '1970-01-03' AS dt, 2.5e0 AS f, CAST(1.5 AS DECIMAL(30, 1)) AS w, ARRAY[1, 2] AS a");

    (void)state;
    assert_int_equal(tw_result_columns(r), 9);
    assert_int_equal(tw_result_column(r, "i"), 1);
    assert_int_equal(tw_result_column(r, "nope"), -1);
    assert_string_equal(tw_result_name(r, 3), "s");
    assert_string_equal(tw_result_type(r, 0), "DECIMAL(10, 2) NOT NULL");
    assert_string_equal(tw_result_type(r, 9), "");
    assert_true(tw_result_is_null(r, 1)); /* there is no row yet */
    assert_true(tw_result_next(r));
    assert_int_equal(tw_result_long(r, 0), 125);
    assert_true(tw_result_double(r, 0) == 1.25 && tw_result_double(r, 6) == 2.5 && tw_result_double(r, 7) == 1.5 &&
                tw_result_double(r, 1) == 7);
    assert_int_equal(tw_result_long(r, 1), 7);
    assert_int_equal(tw_result_long(r, 2), 1);
    assert_true(tw_str_equal(tw_result_str(r, 3), TW_STR("x")));
    assert_true(tw_result_is_null(r, 4) && !tw_result_is_null(r, 3));
    assert_int_equal(tw_result_long(r, 5), 2);
    assert_string_equal(tw_result_text(r, 8), "[1, 2]");
    assert_string_equal(tw_result_text(r, 4), "<NULL>");
    assert_false(tw_result_next(r));
    assert_false(tw_result_next(r));
    assert_int_equal(tw_result_close(r), 0);

    r = tw_table_execute(tw_from_values(env, "(1, CAST('ann' AS STRING)), (2, NULL)", "id, name"));
    int64_t sum = 0;
    while (tw_result_next(r)) {
        const struct person *p = tw_result_row(r, &person_row);
        assert_non_null(p);
        sum = sum * 10 + p->id;
        assert_int_equal(p->nulls, p->id == 2 ? 2 : 0);
        if (p->id == 1) assert_true(tw_str_equal(p->name, TW_STR("ann")));
    }
    assert_int_equal(sum, 12);
    assert_int_equal(tw_result_close(r), 0);
    tw_env_free(env);
}

/* Two results at a time, one of which nobody reads to its end. */
static void results_may_be_left(void **state)
{
    struct tw_env *env = quiet_env();

    (void)state;
    tw_result_close(tw_sql_execute(
        env, "CREATE TABLE endless (a INT) WITH ('connector' = 'datagen', 'rows-per-second' = '100000')"));
    struct tw_table_result *r = tw_sql_execute(env, "SELECT 5 AS five FROM endless");
    for (int i = 0; i < 5000; i++) assert_true(tw_result_next(r) && tw_result_long(r, 0) == 5);
    expect_rows(tw_sql_query(env, "SELECT 1"), false, "+I 1");
    assert_true(tw_result_next(r));
    assert_int_equal(tw_result_close(r), 0);
    r = tw_sql_execute(env, "SELECT 5 AS five FROM endless"); /* left open */
    assert_true(tw_result_next(r));
    assert_string_equal(tw_error(env), "");
    tw_env_free(env);
}

static void changes_have_kinds(void **state)
{
    struct tw_env *env = quiet_env();
    char out[1024];

    (void)state;
    tw_set(env, "thalweg.exec.emit", "every");
    struct tw_table_result *r = tw_table_execute(
        tw_table_select(tw_table_group_by(people(env), "age"), "age, COUNT(*) AS n"));
    assert_string_equal(rows_of(r, false, out), "+I 30 1; +I 20 1; -U 30 1; +U 30 2");
    assert_int_equal(tw_result_close(r), 0);
    tw_env_free(env);
}

/* --- INSERT ----------------------------------------------------------------------------------------------------------- */
static void make_file_table(struct tw_env *env, const char *name, const char *folder)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    struct tw_schema *s = tw_schema_column(tw_schema_column(tw_schema_create(env), "id", "INT"), "name", "STRING");
    assert_int_equal(
        tw_create_temporary_table(env, name, .schema = s,
                                  .options = TW_OPTIONS("connector", "filesystem", "path", path, "format", "csv")),
        0);
}

static void tables_are_filled(void **state)
{
    struct tw_env *env = quiet_env();
    char folder[] = "/tmp/test_table_XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(folder));
    make_file_table(env, "a", folder);
    make_file_table(env, "b", folder);
    assert_int_equal(tw_table_insert_into(tw_table_select(people(env), "id, name"), "a"), 0);
    struct tw_statement_set *set = tw_statement_set_create(env);
    assert_int_equal(tw_statement_set_add(set, tw_table_where(tw_from(env, "a"), "id > 1"), "b"), 0);
    assert_int_equal(tw_statement_set_add_sql(set, "INSERT INTO b SELECT id * 10, 'ten' FROM a WHERE id = 1"), 0);
    const char *plan = tw_statement_set_explain(set, NULL);
    assert_non_null(strstr(plan, "Sink(table=[default_catalog.default_database.b], fields=[id, name])"));
    assert_int_equal(tw_statement_set_execute(set), 0);
    tw_set(env, "execution.runtime-mode", "batch");
    expect_rows(tw_from(env, "b"), true, "+I 10 ten; +I 2 bob; +I 3 cid");
    assert_int_equal(tw_statement_set_execute(set), 1);
    assert_non_null(strstr(tw_error(env), "the statement set is empty"));
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    tw_env_free(env);
}

/* The job of an INSERT goes on; its result says which tables it writes. */
static void inserts_are_awaited(void **state)
{
    struct tw_env *env = quiet_env();
    char folder[] = "/tmp/test_table_XXXXXX", out[1024];

    (void)state;
    assert_non_null(mkdtemp(folder));
    make_file_table(env, "a", folder);
    make_file_table(env, "b", folder);
    struct tw_table_result *r = tw_sql_execute(env, "INSERT INTO a VALUES (1, 'ann'), (2, 'bob')");
    assert_int_equal(strlen(tw_result_job_id(r)), 32);
    assert_int_equal(tw_result_await(r), 0);
    assert_int_equal(tw_result_await(r), 0);
    assert_string_equal(tw_result_name(r, 0), "default_catalog.default_database.a");
    assert_string_equal(tw_result_type(r, 0), "BIGINT");
    assert_string_equal(rows_of(r, false, out), "+I -1");
    assert_int_equal(tw_result_close(r), 0);
    r = tw_sql_execute(env, "EXECUTE STATEMENT SET BEGIN INSERT INTO b SELECT * FROM a; INSERT INTO b VALUES (3, 'cid'); END");
    tw_set(env, "execution.runtime-mode", "batch");
    expect_rows(tw_from(env, "b"), true, "+I 1 ann; +I 2 bob; +I 3 cid"); /* it waits for what it reads */
    assert_int_equal(tw_result_columns(r), 2);
    assert_string_equal(tw_result_name(r, 1), "default_catalog.default_database.b_2");
    assert_int_equal(tw_result_close(r), 0);

    r = tw_sql_execute(env, "SELECT id FROM a WHERE id = 2");
    assert_int_equal(tw_result_await(r), 0);
    assert_string_equal(rows_of(r, false, out), "+I 2"); /* its first row was not passed over */
    assert_int_equal(tw_result_close(r), 0);

    r = tw_sql_execute(env, "INSERT INTO a SELECT CAST(name AS INT), name FROM b");
    assert_int_equal(tw_result_await(r), 1);
    assert_int_equal(tw_result_close(r), 1);
    assert_non_null(strstr(tw_error(env), "the text is no whole number of that size in \"CAST(name AS INT)\""));
    tw_set(env, "table.dml-sync", "true");
    r = tw_sql_execute(env, "INSERT INTO a SELECT CAST(name AS INT), name FROM b");
    assert_false(tw_result_next(r));
    assert_string_equal(tw_result_job_id(r), "");
    assert_int_equal(tw_result_close(r), 1);
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    tw_env_free(env);
}

/* The job of an INSERT whose result is closed goes on; one without an end until the environment goes. */
static void inserts_go_on(void **state)
{
    struct tw_env *env = quiet_env();
    char folder[] = "/tmp/test_table_XXXXXX", out[1024], error[512] = "";

    (void)state;
    assert_non_null(mkdtemp(folder));
    make_file_table(env, "a", folder);
    assert_int_equal(tw_result_close(tw_sql_execute(env, "CREATE TABLE endless (id INT) WITH ('connector' = 'datagen')")), 0);
    assert_int_equal(tw_result_close(tw_sql_execute(env, "CREATE TABLE hole (id INT) WITH ('connector' = 'blackhole')")), 0);
    assert_int_equal(tw_result_close(tw_sql_execute(env, "INSERT INTO hole SELECT id FROM endless")), 0);
    tw_set(env, "execution.runtime-mode", "batch");
    struct tw_table_result *r = tw_sql_execute(env, "SELECT job_name, status FROM sys.jobs");
    assert_string_equal(rows_of(r, false, out), "+I insert-into_default_catalog.default_database.hole RUNNING");
    assert_int_equal(tw_result_close(r), 0);
    assert_int_equal(tw_result_close(tw_sql_execute(env, "INSERT INTO a VALUES (1, 'ann'), (2, 'bob')")), 0);
    tw_env_free(env);

    int before = dup(2);
    FILE *told = tmpfile();
    env = quiet_env();
    make_file_table(env, "a", folder);
    tw_set(env, "execution.runtime-mode", "batch");
    expect_rows(tw_from(env, "a"), true, "+I 1 ann; +I 2 bob"); /* the environment waited for that one */
    tw_quiet(env, false);
    fflush(stderr);
    dup2(fileno(told), 2);
    tw_result_close(tw_sql_execute(env, "INSERT INTO a SELECT CAST(name AS INT), name FROM a"));
    tw_env_free(env);
    dup2(before, 2);
    close(before);
    rewind(told);
    size_t size = fread(error, 1, sizeof error - 1, told);
    error[size] = '\0';
    assert_non_null(strstr(error, "the text is no whole number of that size in \"CAST(name AS INT)\""));
    fclose(told);
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

/* --- functions of the program --------------------------------------------------------------------------------------- */
static enum tw_status half(struct tw_call *c, const void *args, void *result)
{
    (void)c;
    *(int32_t *)result = *(const int32_t *)args / 2;
    return TW_OK;
}
TW_SQL_FUNCTION(table_half) = {.kind = TW_SQL_SCALAR, .overloads = {{"INT -> INT", .run_row = half}}};

struct town {
    int32_t id;
    struct tw_str town;
};

static enum tw_status towns(struct tw_call *c, const void *args)
{
    int32_t id = *(const int32_t *)args;

    if (id == 1) tw_call_emit(c, &(struct town){id, TW_STR("Ulm")});
    if (id == 1 || id == 3) tw_call_emit(c, &(struct town){id, TW_STR("Bonn")});
    return TW_OK;
}
#define TOWN "INT -> ROW<id INT, town STRING>"
TW_SQL_FUNCTION(table_towns) = {.kind = TW_SQL_TABLE, .overloads = {{TOWN, .rows = towns}}};
TW_SQL_FUNCTION(table_towns_later) = {.kind = TW_SQL_TABLE, .flags = TW_SQL_ASYNC, .overloads = {{TOWN, .rows = towns}}};

static void functions_of_the_program_answer_for_tables(void **state)
{
    static const char *const names[] = {"towns", "towns_later"};
    struct tw_env *env = quiet_env();

    (void)state;
    assert_int_equal(tw_create_temporary_system_function(env, "half", &tw_sql_table_half), 0);
    assert_int_equal(tw_create_temporary_system_function(env, "towns_f", &tw_sql_table_towns), 0);
    assert_int_equal(tw_create_temporary_system_function(env, "towns_later_f", &tw_sql_table_towns_later), 0);
    expect_rows(tw_table_select(people(env), "HALF(id)"), true, "+I 0; +I 1; +I 1");
    tw_create_temporary_view(env, "p", tw_table_select(people(env), "id, name, PROCTIME() AS pt"));
    for (uint32_t i = 0; i < 2; i++) {
        struct tw_schema *s = tw_schema_column(tw_schema_column(tw_schema_create(env), "id", "INT"), "town", "STRING");
        char function[32], query[256];
        snprintf(function, sizeof function, "%s_f", names[i]);
        assert_int_equal(tw_create_temporary_table(env, names[i], .schema = s,
                                                   .options = TW_OPTIONS("connector", "function", "function", function, "keys", "id")),
                         0);
        snprintf(query, sizeof query, "SELECT name, town FROM p LEFT JOIN %s FOR SYSTEM_TIME AS OF p.pt AS t ON p.id = t.id", names[i]);
        struct tw_table *t = tw_sql_query(env, query);
        assert_int_equal(strstr(tw_table_explain(t, NULL), "async=[ORDERED, KEY_ORDERED: false, 180000ms, 100]") != NULL, i == 1);
        expect_rows(t, true, "+I ann Bonn; +I ann Ulm; +I bob <NULL>; +I cid Bonn");
    }
    assert_int_equal(tw_create_temporary_system_function(env, "Half", &tw_sql_table_half), 1);
    assert_non_null(strstr(tw_error(env), "A function named 'Half' does already exist."));
    tw_env_free(env);
}

static void plans_are_explained(void **state)
{
    struct tw_env *env = quiet_env();
    struct tw_table *t = tw_table_select(tw_table_group_by(people(env), "age"), "age, COUNT(*) AS n");

    (void)state;
    const char *plan = tw_table_explain(t, "CHANGELOG_MODE");
    assert_non_null(strstr(plan, "== Optimized Physical Plan =="));
    assert_non_null(
        strstr(plan, "GroupAggregate(groupBy=[age], select=[age, COUNT(*) AS $a0], changelogMode=[I,UA])"));
    assert_non_null(strstr(tw_sql_explain(env, "SELECT 1 AS a", "JSON_EXECUTION_PLAN"), "\"nodes\""));
    assert_string_equal(tw_error(env), "");
    assert_string_equal(tw_table_explain(t, "COSTS"), "");
    assert_non_null(strstr(tw_error(env), "there is no detail 'COSTS' of plans"));
    tw_env_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_chosen),  cmocka_unit_test(rows_are_grouped_ordered_and_cut),
        cmocka_unit_test(tables_are_combined), cmocka_unit_test(tables_have_names),
        cmocka_unit_test(windows_count),       cmocka_unit_test(results_are_read),
        cmocka_unit_test(results_may_be_left), cmocka_unit_test(changes_have_kinds),
        cmocka_unit_test(tables_are_filled),   cmocka_unit_test(plans_are_explained),
        cmocka_unit_test(inserts_are_awaited),
        cmocka_unit_test(inserts_go_on),
        cmocka_unit_test(functions_of_the_program_answer_for_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
