/* test_table_changes.c - streams of changes as tables and back: upserts by a primary key, retractions, and what is refused of them. */
#include <thalweg/thalweg.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

struct click {
    struct tw_str user;
    int64_t n;
};
TW_ROW(click, TW_FIELD(click, user, "STRING NOT NULL"), TW_FIELD(click, n, "BIGINT"));

#define CLICK(u, v) (&(struct click){TW_STR(u), v})

static struct tw_schema *keyed(struct tw_env *env) { return tw_schema_primary_key(tw_schema_create(env), "`user`"); }

static void push(struct tw_harness *h, uint32_t input, enum tw_row_kind kind, const struct click *c)
{
    assert_int_equal(tw_push_kind(h, input, kind, c, TW_NO_TIME), 0);
}

static void expect(struct tw_harness *h, const char *expected)
{
    assert_string_equal(tw_harness_error(h), "");
    assert_string_equal(tw_output(h, false), expected);
}

/* --- upserts -------------------------------------------------------------------------------------------------------- */
static struct tw_stream *changelog_graph(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    struct tw_table *t = tw_from_changelog_stream(in, keyed(tw_env_of(in)), TW_CHANGELOG_UPSERTS);

    (void)in2, (void)arg;
    return tw_to_changelog_stream(tw_table_select(t, "`user`, n + 1 AS n"), TW_CHANGELOG_ALL);
}

static void upserts_become_a_changelog(void **state)
{
    struct tw_harness *h = tw_harness_create(changelog_graph, NULL, &click_row, NULL);

    (void)state;
    push(h, 0, TW_INSERT, CLICK("ann", 1));
    push(h, 0, TW_UPDATE_AFTER, CLICK("bob", 2));
    push(h, 0, TW_INSERT, CLICK("ann", 3));
    push(h, 0, TW_UPDATE_AFTER, CLICK("ann", 3));
    push(h, 0, TW_DELETE, CLICK("bob", 0));
    push(h, 0, TW_DELETE, CLICK("cid", 0));
    expect(h, "+I[ann, 2]\n+I[bob, 3]\n-U[ann, 2]\n+U[ann, 4]\n-D[bob, 3]\n");
    tw_harness_free(h);
}

/* Nobody needs the rows before: they go through as they come. */
static struct tw_stream *through_graph(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    struct tw_table *t = tw_from_changelog_stream(in, keyed(tw_env_of(in)), TW_CHANGELOG_UPSERTS);

    (void)in2, (void)arg;
    return tw_to_upsert_stream(tw_table_where(t, "`user` <> 'bob'"), "user");
}

static void upserts_go_through(void **state)
{
    struct tw_harness *h = tw_harness_create(through_graph, NULL, &click_row, NULL);

    (void)state;
    push(h, 0, TW_INSERT, CLICK("ann", 1));
    push(h, 0, TW_UPDATE_AFTER, CLICK("bob", 2));
    push(h, 0, TW_INSERT, CLICK("ann", 1));
    push(h, 0, TW_DELETE, CLICK("cid", 0));
    expect(h, "+I[ann, 1]\n+I[ann, 1]\n-D[cid, 0]\n");
    tw_harness_free(h);
}

static struct tw_stream *filter_graph(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    struct tw_table *t = tw_from_changelog_stream(in, keyed(tw_env_of(in)), TW_CHANGELOG_UPSERTS);

    (void)in2, (void)arg;
    return tw_to_upsert_stream(tw_table_where(t, "n > 1"), "user");
}

static void a_condition_takes_rows_back(void **state)
{
    struct tw_harness *h = tw_harness_create(filter_graph, NULL, &click_row, NULL);

    (void)state;
    push(h, 0, TW_INSERT, CLICK("ann", 1));
    push(h, 0, TW_UPDATE_AFTER, CLICK("ann", 2));
    push(h, 0, TW_UPDATE_AFTER, CLICK("ann", 3));
    push(h, 0, TW_UPDATE_AFTER, CLICK("ann", 0));
    push(h, 0, TW_DELETE, CLICK("ann", 0));
    expect(h, "+I[ann, 2]\n+U[ann, 3]\n-D[ann, 3]\n");
    tw_harness_free(h);
}

static struct tw_stream *join_graph(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    struct tw_env *env = tw_env_of(in);

    (void)arg;
    tw_create_temporary_view(env, "a", tw_from_changelog_stream(in, keyed(env), TW_CHANGELOG_UPSERTS));
    tw_create_temporary_view(env, "b", tw_from_changelog_stream(in2, keyed(env), TW_CHANGELOG_UPSERTS));
    return tw_to_upsert_stream(tw_sql_query(env, "SELECT a.`user`, a.n, b.n AS m FROM a JOIN b ON a.`user` = b.`user`"), "user");
}

/* The join keeps a row per key and needs no rows before. */
static void upserts_meet(void **state)
{
    struct tw_harness *h = tw_harness_create(join_graph, NULL, &click_row, &click_row);

    (void)state;
    push(h, 0, TW_INSERT, CLICK("ann", 1));
    push(h, 1, TW_UPDATE_AFTER, CLICK("ann", 5));
    push(h, 0, TW_INSERT, CLICK("ann", 2));
    push(h, 1, TW_DELETE, CLICK("bob", 0));
    push(h, 0, TW_DELETE, CLICK("ann", 0));
    push(h, 0, TW_UPDATE_AFTER, CLICK("ann", 3));
    push(h, 1, TW_DELETE, CLICK("ann", 0));
    expect(h, "+I[ann, 1, 5]\n+U[ann, 2, 5]\n-D[ann, 2, 5]\n+I[ann, 3, 5]\n-D[ann, 3, 5]\n");
    tw_harness_free(h);
}

/* --- retractions ---------------------------------------------------------------------------------------------------- */
static struct tw_stream *retract_graph(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    struct tw_env *env = tw_env_of(in);

    (void)in2, (void)arg;
    tw_create_temporary_view(env, "t", tw_from_changelog_stream(in, NULL, TW_CHANGELOG_RETRACTS));
    return tw_to_changelog_stream(tw_sql_query(env, "SELECT DISTINCT n FROM t"), TW_CHANGELOG_RETRACTS);
}

static void retractions_take_rows_back(void **state)
{
    struct tw_harness *h = tw_harness_create(retract_graph, NULL, &click_row, NULL);

    (void)state;
    push(h, 0, TW_INSERT, CLICK("ann", 1));
    push(h, 0, TW_INSERT, CLICK("bob", 1));
    push(h, 0, TW_DELETE, CLICK("ann", 1));
    push(h, 0, TW_DELETE, CLICK("bob", 1));
    expect(h, "+I[1]\n-D[1]\n");
    assert_int_equal(tw_push_kind(h, 0, TW_UPDATE_AFTER, CLICK("ann", 1), TW_NO_TIME), 1);
    assert_non_null(strstr(tw_harness_error(h), "brought a row +U, which its table's changelog mode does not have"));
    tw_harness_free(h);
}

/* --- what is refused ------------------------------------------------------------------------------------------------ */
static struct tw_env *quiet_env(void)
{
    struct tw_env *env = tw_env_create();

    tw_quiet(env, true);
    return env;
}

static struct tw_table *totals(struct tw_env *env)
{
    struct tw_table *t = tw_from_stream(tw_from_data(env, &click_row, CLICK("ann", 1), 1), NULL);
    return tw_table_select(tw_table_group_by(t, "`user`"), "`user`, SUM(n) AS n");
}

static void expect_error(struct tw_env *env, const char *text)
{
    if (strstr(tw_error(env), text) == NULL) assert_string_equal(tw_error(env), text);
    tw_env_free(env);
}

static void what_does_not_fit_is_refused(void **state)
{
    struct tw_env *env = quiet_env();

    (void)state;
    tw_from_changelog_stream(tw_from_data(env, &click_row, CLICK("ann", 1), 1), NULL, TW_CHANGELOG_UPSERTS);
    expect_error(env, "produces a changelog stream that contains UPDATE_AFTER but no UPDATE_BEFORE. This requires defining a primary key "
                      "constraint on the table.");
    env = quiet_env();
    tw_to_upsert_stream(totals(env), "n");
    expect_error(env, "rows of the table that have the same 'n' are not versions of one row: its updates cannot be told by that key; name "
                      "the columns that the table is grouped by, or take all changes with TW_CHANGELOG_ALL");
    env = quiet_env();
    tw_to_upsert_stream(totals(env), "user, m");
    expect_error(env, "the key 'user, m' names a column that the table does not have: 'm'");
    env = quiet_env();
    tw_to_changelog_stream(totals(env), TW_CHANGELOG_RETRACTS);
    expect_error(env, "doesn't support consuming update changes which is produced by node");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(upserts_become_a_changelog), cmocka_unit_test(upserts_go_through),
        cmocka_unit_test(a_condition_takes_rows_back), cmocka_unit_test(upserts_meet),
        cmocka_unit_test(retractions_take_rows_back),  cmocka_unit_test(what_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
