/* test_table_groups.c - aggregate and flatAggregate of tables: functions of the session's and of the program's, with and without keys,
 * over rows that change, in windows; what is refused. */
#include <thalweg/thalweg.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* --- the least and the greatest: an aggregate of a ROW ------------------------------------------------------------- */
struct ends {
    int32_t least, greatest, count;
};
static enum tw_status ends_add(struct tw_call *c, void *acc, const void *args)
{
    struct ends *e = acc;
    int32_t v = *(const int32_t *)args;

    (void)c;
    if (e->count == 0 || v < e->least) e->least = v;
    if (e->count == 0 || v > e->greatest) e->greatest = v;
    e->count++;
    return TW_OK;
}
static enum tw_status ends_value(struct tw_call *c, const void *acc, void *result)
{
    (void)c;
    memcpy(result, acc, 2 * sizeof(int32_t));
    return TW_OK;
}
TW_SQL_FUNCTION(ends) = {.kind = TW_SQL_AGGREGATE,
                         .overloads = {{"INT -> ROW<least INT, greatest INT>", .accumulator = "INT, INT, INT",
                                        .accumulate = ends_add, .value = ends_value}}};

/* --- the two greatest: Flink's example ------------------------------------------------------------------------------- */
struct top2 {
    int32_t value[2];
    int32_t count;
};
struct place {
    int32_t value, place;
};
static void top2_take(struct top2 *t, int32_t v)
{
    if (t->count == 0 || v > t->value[0]) {
        t->value[1] = t->value[0];
        t->value[0] = v;
    } else if (t->count == 1 || v > t->value[1]) {
        t->value[1] = v;
    }
    t->count++;
}
static enum tw_status top2_add(struct tw_call *c, void *acc, const void *args)
{
    int32_t v = *(const int32_t *)args;

    if (v == 99) return tw_call_fail(c, "%d is unlucky", v);
    top2_take(acc, v);
    return TW_OK;
}
static enum tw_status top2_emit(struct tw_call *c, const void *acc)
{
    const struct top2 *t = acc;

    for (int32_t i = 0; i < 2 && i < t->count; i++) tw_call_emit(c, &(struct place){t->value[i], i + 1});
    return TW_OK;
}
#define TOP2 "INT -> ROW<top INT, place INT>", .accumulate = top2_add, .emit = top2_emit
TW_SQL_FUNCTION(top2) = {.kind = TW_SQL_TABLE_AGGREGATE, .overloads = {{TOP2, .accumulator = "INT, INT, INT"}}};
/* Rows may be taken back: the engine keeps them. */
TW_SQL_FUNCTION(top2_kept) = {.kind = TW_SQL_TABLE_AGGREGATE,
                              .flags = TW_SQL_KEEPS_VALUES,
                              .overloads = {{TOP2, .accumulator_size = sizeof(struct top2)}}};

/* --- one column, texts, two arguments: all names so often ------------------------------------------------------------- */
struct repeated {
    struct tw_str name;
    int32_t times;
};
struct names {
    struct tw_str name[8];
    int32_t times[8], count;
};
static enum tw_status names_add(struct tw_call *c, void *acc, const void *args)
{
    struct names *n = acc;
    const struct repeated *r = args;
    char *copy = tw_call_scratch(c, r->name.size + 1);

    memcpy(copy, r->name.data, r->name.size);
    n->name[n->count] = (struct tw_str){copy, r->name.size};
    n->times[n->count++] = r->times;
    return TW_OK;
}
static enum tw_status names_emit(struct tw_call *c, const void *acc)
{
    const struct names *n = acc;

    for (int32_t i = 0; i < n->count; i++)
        for (int32_t k = 0; k < n->times[i]; k++) tw_call_emit(c, &n->name[i]);
    return TW_OK;
}
TW_SQL_FUNCTION(repeat_names) = {.kind = TW_SQL_TABLE_AGGREGATE,
                                 .flags = TW_SQL_KEEPS_VALUES,
                                 .overloads = {{"STRING, INT -> STRING", .accumulator_size = sizeof(struct names),
                                                .accumulate = names_add, .emit = names_emit}}};
static enum tw_status early(struct tw_call *c, void *acc, const void *args)
{
    (void)acc;
    tw_call_emit(c, args);
    return TW_OK;
}
TW_SQL_FUNCTION(too_early) = {
    .kind = TW_SQL_TABLE_AGGREGATE,
    .overloads = {{"INT -> INT", .accumulator = "INT", .accumulate = early, .emit = top2_emit}}};

/* --- helpers ------------------------------------------------------------------------------------------------------------- */
static struct tw_env *quiet_env(const char *mode)
{
    static const struct tw_sql_entry *const functions[] = {&tw_sql_ends, &tw_sql_top2, &tw_sql_top2_kept,
                                                           &tw_sql_repeat_names, &tw_sql_too_early};
    struct tw_env *env = tw_env_create();

    tw_quiet(env, true);
    tw_set(env, "execution.runtime-mode", mode);
    tw_set(env, "parallelism.default", "1");
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        assert_int_equal(tw_create_temporary_system_function(env, functions[i]->name, functions[i]), 0);
    return env;
}

static struct tw_table *bids(struct tw_env *env)
{
    return tw_from_values(env, "('a', 3), ('b', 1), ('a', 5), ('a', 4), ('b', CAST(NULL AS INT)), ('a', 1)", "k, v");
}
static struct tw_table *by_key(struct tw_env *env) { return tw_table_group_by(bids(env), "k"); }

/* The schema in one line, then rows with their kinds. */
static void expect(struct tw_table *t, const char *columns, const char *rows)
{
    static const char *const kinds[] = {"+I", "-U", "+U", "-D"};
    char out[2048] = "", names[256] = "";
    struct tw_table_result *r = tw_table_execute(t);

    for (uint32_t c = 0; c < tw_result_columns(r); c++)
        sprintf(names + strlen(names), "%s%s %s", c > 0 ? ", " : "", tw_result_name(r, c), tw_result_type(r, c));
    while (tw_result_next(r)) {
        sprintf(out + strlen(out), "%s ", kinds[tw_result_kind(r)]);
        for (uint32_t c = 0; c < tw_result_columns(r); c++)
            sprintf(out + strlen(out), "%s%s", tw_result_text(r, c), c + 1 < tw_result_columns(r) ? " " : "; ");
    }
    assert_int_equal(tw_result_close(r), 0);
    assert_string_equal(names, columns);
    assert_string_equal(out, rows);
}

static void done(struct tw_env *env)
{
    assert_string_equal(tw_error(env), "");
    tw_env_free(env);
}

/* --- tests ----------------------------------------------------------------------------------------------------------------- */
static void aggregate_makes_a_row_of_each_group(void **state)
{
    struct tw_env *env = quiet_env("batch");

    (void)state;
    expect(tw_table_aggregate(by_key(env), "ends(v)", NULL), "k CHAR(1) NOT NULL, least INT, greatest INT",
           "+I b 1 1; +I a 1 5; ");
    expect(tw_table_aggregate(by_key(env), "ends(v + 1)", "x, y"), "k CHAR(1) NOT NULL, x INT, y INT",
           "+I b 2 2; +I a 2 6; ");
    expect(tw_table_aggregate(by_key(env), "SUM(v)", "s"), "k CHAR(1) NOT NULL, s INT", "+I b 1; +I a 13; ");
    expect(tw_table_aggregate(bids(env), "ends(v)", NULL), "least INT, greatest INT", "+I 1 5; ");
    expect(tw_table_aggregate(tw_table_group_by(bids(env), ""), "COUNT(*)", NULL), "EXPR$0 BIGINT NOT NULL", "+I 6; ");
    expect(tw_table_select(tw_table_aggregate(by_key(env), "ends(v)", NULL), "UPPER(k) AS k, greatest - least AS d"),
           "k CHAR(1) NOT NULL, d INT", "+I B 0; +I A 4; ");
    done(env);
}

static void flat_aggregate_makes_any_number(void **state)
{
    struct tw_env *env = quiet_env("batch");

    (void)state;
    expect(tw_table_flat_aggregate(by_key(env), "top2(v)", NULL), "k CHAR(1) NOT NULL, top INT, place INT",
           "+I b 1 1; +I a 5 1; +I a 4 2; ");
    expect(tw_table_flat_aggregate(by_key(env), "top2(v * 2)", "x, y"), "k CHAR(1) NOT NULL, x INT, y INT",
           "+I b 2 1; +I a 10 1; +I a 8 2; ");
    expect(tw_table_flat_aggregate(bids(env), "top2(v)", NULL), "top INT, place INT", "+I 5 1; +I 4 2; ");
    expect(tw_table_flat_aggregate(tw_table_group_by(bids(env), "k, v > 3"), "repeat_names(k, v)", "n"),
           "k CHAR(1) NOT NULL, EXPR$1 BOOLEAN, n STRING",
           "+I a FALSE a; +I a FALSE a; +I a FALSE a; +I a FALSE a; +I b FALSE b; +I a TRUE a; +I a TRUE a; +I a TRUE "
           "a; +I a TRUE a; +I a "
           "TRUE a; +I a TRUE a; +I a TRUE a; +I a TRUE a; +I a TRUE a; ");
    expect(tw_table_flat_aggregate(tw_table_group_by(tw_table_where(bids(env), "v > 100"), "k"), "top2(v)", NULL),
           "k CHAR(1) NOT NULL, top INT, place INT", "");
    done(env);
}

static void a_stream_takes_back_what_was_put_out(void **state)
{
    struct tw_env *env = quiet_env("streaming");

    (void)state;
    tw_set(env, "thalweg.exec.emit", "every");
    expect(tw_table_flat_aggregate(by_key(env), "top2(v)", NULL), "k CHAR(1) NOT NULL, top INT, place INT",
           "+I a 3 1; +I b 1 1; -U a 3 1; +U a 5 1; +U a 3 2; -U a 5 1; -U a 3 2; +U a 5 1; +U a 4 2; ");
    done(env);
}

static void rows_that_change_are_counted_anew(void **state)
{
    struct tw_env *env = quiet_env("streaming");

    (void)state;
    struct tw_table *sums = tw_table_select(by_key(env), "k, SUM(v) AS s");
    struct tw_table *tops = tw_table_flat_aggregate(sums, "top2_kept(s)", NULL);
    expect(tops, "top INT, place INT", "+I 13 1; +I 1 2; ");
    tw_set(env, "thalweg.exec.emit", "every");
    expect(tops, "top INT, place INT",
           "+I 3 1; -U 3 1; +U 3 1; +U 1 2; -U 3 1; -U 1 2; +U 1 1; -U 1 1; +U 8 1; +U 1 2; -U 8 1; -U 1 2; +U 1 1; -U "
           "1 1; +U 12 1; +U 1 2; "
           "-U 12 1; -U 1 2; +U 1 1; -U 1 1; +U 13 1; +U 1 2; ");
    tops = tw_table_flat_aggregate(sums, "top2_kept(s)", NULL);
    expect(tw_table_select(tw_table_group_by(tops, "place"), "place, MAX(top) AS v"), "place INT, v INT",
           "+I 1 3; -D 1 3; +I 1 3; +I 2 1; -D 1 3; -D 2 1; +I 1 1; -D 1 1; +I 1 8; +I 2 1; -D 1 8; -D 2 1; +I 1 1; -D "
           "1 1; +I 1 12; +I 2 1; "
           "-D 1 12; -D 2 1; +I 1 1; -D 1 1; +I 1 13; +I 2 1; ");
    done(env);
}

static void expect_error(struct tw_env *env, struct tw_table *t, const char *text)
{
    assert_non_null(t);
    if (strstr(tw_error(env), text) == NULL) assert_string_equal(tw_error(env), text);
    tw_env_free(env);
}

static void what_does_not_fit_is_refused(void **state)
{
    struct tw_env *env = quiet_env("streaming");

    (void)state;
    expect_error(env, tw_table_flat_aggregate(by_key(env), "SUM(v)", NULL),
                 "Only a table aggregate function can be used in the flatAggregate operator. at line 1, column "
                 "1\nSUM(v)\n^^^^^^");
    env = quiet_env("streaming");
    expect_error(env, tw_table_flat_aggregate(by_key(env), "ends(v)", NULL),
                 "Only a table aggregate function can be used in the flatAggregate");
    env = quiet_env("streaming");
    expect_error(env, tw_table_aggregate(by_key(env), "top2(v)", NULL),
                 "Only an aggregate function can be used in the aggregate operator.");
    env = quiet_env("streaming");
    expect_error(env, tw_table_aggregate(by_key(env), "v", NULL),
                 "Only an aggregate function can be used in the aggregate operator.");
    env = quiet_env("streaming");
    expect_error(env, tw_table_select(by_key(env), "k, top2(v)"),
                 "No match found for function signature top2 at line 1, column 4; it is a table aggregate function: "
                 "call it with "
                 "tw_table_flat_aggregate of the Table API");
    env = quiet_env("streaming");
    expect_error(env, tw_table_flat_aggregate(by_key(env), "top2(k, v)", NULL), "top2");
    env = quiet_env("streaming");
    expect_error(env, tw_table_flat_aggregate(by_key(env), "top2(v)", "x"), "1 names for the 2 columns of top2(v)");
    env = quiet_env("streaming");
    expect_error(env, tw_table_flat_aggregate(tw_table_group_by(bids(env), "nope"), "top2(v)", NULL),
                 "Column 'nope' not found in any table");
}

static void expect_failure(const char *keys, const char *function, const char *text)
{
    struct tw_env *env = quiet_env("streaming");
    struct tw_table *sums = tw_table_select(by_key(env), "k, SUM(v) AS v");
    struct tw_table *from = keys[0] != '\0' ? tw_table_group_by(bids(env), keys) : sums;
    struct tw_table_result *r = tw_table_execute(tw_table_flat_aggregate(from, function, NULL));

    while (tw_result_next(r)) continue;
    assert_int_equal(tw_result_close(r), 1);
    if (strstr(tw_error(env), text) == NULL) assert_string_equal(tw_error(env), text);
    tw_env_free(env);
}

static void a_function_that_fails_is_told(void **state)
{
    (void)state;
    expect_failure("k", "top2(v * 33)", "99 is unlucky in \"top2(99)\"");
    expect_failure("k", "too_early(v)", "tw_call_emit is for table functions");
    expect_failure("", "top2(v)", "has no .retract");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aggregate_makes_a_row_of_each_group),  cmocka_unit_test(flat_aggregate_makes_any_number),
        cmocka_unit_test(a_stream_takes_back_what_was_put_out), cmocka_unit_test(rows_that_change_are_counted_anew),
        cmocka_unit_test(what_does_not_fit_is_refused),         cmocka_unit_test(a_function_that_fails_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
