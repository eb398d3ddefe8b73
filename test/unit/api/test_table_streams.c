/* test_table_streams.c - streams as tables and back (op_from_stream, op_to_stream), alone, in one job, and in the test harness: changelogs,
 * event times, watermarks, schemas. */
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
struct total {
    struct tw_str user;
    int64_t total;
};
TW_ROW(total, TW_FIELD(total, user, "STRING NOT NULL"), TW_FIELD(total, total, "BIGINT NOT NULL"));

static enum tw_status double_it(struct tw_context *cx, const void *in)
{
    const struct click *c = in;

    tw_collect(cx, &(struct click){c->user, c->n * 2});
    return TW_OK;
}
TW_FUNCTION(doubled) = {.in = &click_row, .out = &click_row, .process = double_it};

static enum tw_status tell_time(struct tw_context *cx, const void *in)
{
    const struct total *t = in;

    tw_collect(cx, &(struct total){t->user, tw_time(cx)});
    return TW_OK;
}
TW_FUNCTION(times) = {.in = &total_row, .out = &total_row, .process = tell_time};

static const struct click clicks[] = {{TW_STR("ann"), 1}, {TW_STR("bob"), 2}, {TW_STR("ann"), 3}};

static struct tw_env *quiet_env(void)
{
    struct tw_env *env = tw_env_create();

    tw_quiet(env, true);
    return env;
}

/* --- one job ---------------------------------------------------------------------------------------------------------- */
static void take(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms)
{
    static const char *const kinds[] = {"+I", "-U", "+U", "-D"};
    const struct total *t = row;
    char *out = arg;

    (void)time_ms;
    sprintf(out + strlen(out), "%s %.*s %lld; ", kinds[kind], (int)t->user.size, t->user.data, (long long)t->total);
}

static void a_table_is_a_part_of_the_job(void **state)
{
    struct tw_env *env = quiet_env();
    char out[512] = "";

    (void)state;
    tw_set(env, "thalweg.exec.emit", "every");
    struct tw_stream *s = tw_process(tw_from_data(env, &click_row, clicks, 3), &doubled);
    assert_int_equal(tw_create_temporary_view(env, "clicks", tw_from_stream(s, NULL)), 0);
    struct tw_table *sums = tw_sql_query(env, "SELECT `user`, SUM(n) AS total FROM clicks GROUP BY `user`");
    tw_collect_to(tw_to_changelog_stream(sums, TW_CHANGELOG_ALL), &total_row, take, out);
    assert_int_equal(tw_execute(env, "sums"), 0);
    assert_string_equal(tw_error(env), "");
    assert_string_equal(out, "+I ann 2; +I bob 4; -U ann 2; +U ann 8; ");
    tw_env_free(env);
}

static void upserts_lack_the_old_row(void **state)
{
    struct tw_env *env = quiet_env();
    char out[512] = "";

    (void)state;
    tw_set(env, "thalweg.exec.emit", "every");
    struct tw_table *t = tw_from_stream(tw_from_data(env, &click_row, clicks, 3), NULL);
    struct tw_table *sums = tw_table_select(tw_table_group_by(t, "`user`"), "`user`, SUM(n) AS total");
    tw_collect_to(tw_to_changelog_stream(sums, TW_CHANGELOG_UPSERTS), &total_row, take, out);
    assert_int_equal(tw_execute(env, "sums"), 0);
    assert_string_equal(out, "+I ann 1; +I bob 2; +U ann 4; ");
    tw_env_free(env);
}

/* A result is asked for while the program is still being built: the stream stays, and is executed later. */
static void results_leave_the_stream(void **state)
{
    struct tw_env *env = quiet_env();
    char out[512] = "";
    int64_t sum = 0;

    (void)state;
    struct tw_stream *s = tw_process(tw_from_data(env, &click_row, clicks, 3), &doubled);
    struct tw_table *t = tw_table_where(tw_from_stream(s, NULL), "n > 2");
    for (int i = 0; i < 2; i++) {
        struct tw_table_result *r = tw_table_execute(t);
        while (tw_result_next(r)) sum += tw_result_long(r, 1);
        assert_int_equal(tw_result_close(r), 0);
    }
    assert_int_equal(sum, 20);
    tw_collect_to(tw_to_stream(tw_table_as(t, "`user`, total")), &total_row, take, out);
    assert_int_equal(tw_execute(env, "all"), 0);
    assert_string_equal(out, "+I bob 4; +I ann 6; ");
    struct tw_table_result *r = tw_table_execute(t); /* its stream was executed */
    assert_false(tw_result_next(r));
    assert_int_equal(tw_result_close(r), 1);
    assert_non_null(strstr(tw_error(env), "is of a stream that belongs to a job that was executed already"));
    tw_env_free(env);
}

/* --- in the harness ----------------------------------------------------------------------------------------------------- */
static void expect_output(struct tw_harness *h, bool watermarks, const char *expected)
{
    assert_string_equal(tw_harness_error(h), "");
    assert_string_equal(tw_output(h, watermarks), expected);
}

static struct tw_stream *changes_graph(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    struct tw_env *env = tw_env_of(in);

    (void)in2, (void)arg;
    struct tw_schema *key = tw_schema_primary_key(tw_schema_create(env), "`user`");
    struct tw_table *t = tw_from_changelog_stream(in, key, TW_CHANGELOG_ALL);
    tw_create_temporary_view(env, "t", t);
    return tw_to_changelog_stream(tw_sql_query(env, "SELECT n, COUNT(*) AS users FROM t GROUP BY n"), TW_CHANGELOG_ALL);
}

static void sql_runs_in_the_harness(void **state)
{
    struct tw_harness *h = tw_harness_create(changes_graph, NULL, &click_row, NULL);

    (void)state;
    assert_int_equal(tw_push(h, 0, &clicks[0], TW_NO_TIME), 0);
    expect_output(h, false, "+I[1, 1]\n");
    assert_int_equal(tw_push_kind(h, 0, TW_UPDATE_BEFORE, &clicks[0], TW_NO_TIME), 0);
    expect_output(h, false, "-D[1, 1]\n");
    assert_int_equal(tw_push_kind(h, 0, TW_UPDATE_AFTER, &clicks[2], TW_NO_TIME), 0);
    assert_int_equal(tw_push(h, 0, &(struct click){TW_STR("cid"), 3}, TW_NO_TIME), 0);
    expect_output(h, false, "+I[3, 1]\n-U[3, 1]\n+U[3, 2]\n");
    tw_harness_free(h);
}

/* Event times become a column, its attribute decides the windows, and watermarks are the stream's. */
static struct tw_stream *window_graph(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    struct tw_env *env = tw_env_of(in);
    struct tw_schema *s = tw_schema_create(env);

    (void)in2, (void)arg;
    tw_schema_column_by_expression(s, "twice", "n * 2");
    tw_schema_column_by_metadata(s, "ts", "TIMESTAMP_LTZ(3)", "rowtime", false);
    tw_schema_watermark(s, "ts", "SOURCE_WATERMARK()");
    struct tw_table *w = tw_table_window(tw_from_stream(in, s), "TUMBLE", "DESCRIPTOR(ts), INTERVAL '10' SECOND");
    struct tw_table *sums = tw_table_select(tw_table_group_by(w, "`user`, window_start, window_end, window_time"),
                                            "`user`, SUM(twice) AS total, window_time");
    return tw_process(
        tw_to_stream(tw_table_drop_columns(tw_table_add_columns(sums, "window_time AS wt"), "window_time")), &times);
}

static void event_times_go_through(void **state)
{
    struct tw_harness *h = tw_harness_create(window_graph, NULL, &click_row, NULL);

    (void)state;
    assert_string_equal(tw_harness_error(h), "");
    for (size_t i = 0; i < 3; i += 2) assert_int_equal(tw_push(h, 0, &clicks[i], 1000 + (int64_t)i), 0);
    expect_output(h, true, "");
    assert_int_equal(tw_push_watermark(h, 0, 9999), 0);
    expect_output(h, true, "+I[ann, 9999]@9999\nW@9999\n");
    assert_int_equal(tw_push(h, 0, &clicks[1], 12000), 0);
    assert_int_equal(tw_push_end(h), 0);
    expect_output(h, false, "+I[bob, 19999]@19999\n");
    tw_harness_free(h);
}

static struct tw_stream *schema_graph(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    struct tw_schema *s = tw_schema_create(tw_env_of(in));

    (void)in2, (void)arg;
    tw_schema_column(s, "n", "INT");
    tw_schema_column_by_expression(s, "half", "n / 2");
    tw_schema_column(s, "user", "STRING");
    return tw_to_stream(tw_from_stream(in, s));
}

static void a_schema_takes_what_it_says(void **state)
{
    struct tw_harness *h = tw_harness_create(schema_graph, NULL, &click_row, NULL);

    (void)state;
    assert_int_equal(tw_push(h, 0, &(struct click){TW_STR("x"), 9}, 5), 0);
    expect_output(h, false, "+I[9, 4, x]@5\n");
    tw_harness_free(h);
}

static struct tw_stream *insert_graph(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    (void)in2, (void)arg;
    return tw_to_stream(tw_from_stream(in, NULL));
}

static void an_update_is_no_insert(void **state)
{
    struct tw_harness *h = tw_harness_create(insert_graph, NULL, &click_row, NULL);

    (void)state;
    assert_int_equal(tw_push_kind(h, 0, TW_UPDATE_AFTER, &clicks[0], TW_NO_TIME), 1);
    assert_non_null(
        strstr(tw_harness_error(h),
               "stream 'Source: input 0' brought a row +U, but its table was said to have inserts only; make a table "
               "of a stream of changes with tw_from_changelog_stream"));
    tw_harness_free(h);
}

static void a_row_without_time_is_refused(void **state)
{
    struct tw_harness *h = tw_harness_create(window_graph, NULL, &click_row, NULL);

    (void)state;
    assert_int_equal(tw_push(h, 0, &clicks[0], TW_NO_TIME), 1);
    assert_non_null(strstr(tw_harness_error(h), "Rowtime timestamp is not defined."));
    tw_harness_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_a_part_of_the_job), cmocka_unit_test(upserts_lack_the_old_row),
        cmocka_unit_test(results_leave_the_stream),     cmocka_unit_test(sql_runs_in_the_harness),
        cmocka_unit_test(event_times_go_through),       cmocka_unit_test(a_schema_takes_what_it_says),
        cmocka_unit_test(an_update_is_no_insert),       cmocka_unit_test(a_row_without_time_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
