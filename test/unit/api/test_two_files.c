/* test_two_files.c - a row type that is declared in a header and used by two C files is two descriptions of one struct:
 * functions of both files work together, and descriptions that really differ are refused. */
#include "support/shared_rows.h"

#include "flow/operator/user_row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const struct shared_sum rows[] = {{7, 1, {1, 2}}, {8, 10, {3, 4}}, {7, 5, {5, 6}}, {7, 20, {7, 8}}};

/* What the fold of the other file answers, its total tenfold. */
static enum tw_status tenfold(struct tw_context *cx, const struct tw_window *w, struct tw_elements *elements)
{
    struct shared_sum sum = *(const struct shared_sum *)tw_next(elements);

    (void)w;
    sum.total *= 10;
    tw_collect(cx, &sum);
    return TW_OK;
}
TW_FUNCTION(tenfold_here) = {.in = &shared_sum_row, .out = &shared_sum_row, .window = tenfold};

static enum tw_status latest(struct tw_context *cx, const void *left, const void *right, void *out)
{
    (void)cx, (void)left;
    *(struct shared_sum *)out = *(const struct shared_sum *)right;
    return TW_OK;
}
TW_FUNCTION(latest_of_both) = {.in = &shared_sum_row, .out = &shared_sum_elsewhere, .reduce = latest};

/* As a second header would describe the struct, by other names. */
static const struct tw_field other_fields[] = {TW_FIELD_AS(shared_sum, key, "id", "BIGINT NOT NULL"),
                                               TW_FIELD(shared_sum, total, "BIGINT NOT NULL"),
                                               TW_FIELD_OF(shared_sum, at, "ROW NOT NULL", shared_place)};
static const struct tw_row other_row = {"shared_sum", sizeof(struct shared_sum), 3, other_fields};
TW_FUNCTION(tenfold_other) = {.in = &other_row, .out = &shared_sum_row, .window = tenfold};
TW_FUNCTION(latest_other) = {.in = &shared_sum_row, .out = &other_row, .reduce = latest};

struct got {
    struct shared_sum rows[8];
    uint32_t count;
};

static void take(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms)
{
    struct got *got = arg;

    (void)kind, (void)time_ms;
    assert_true(got->count < 8);
    memcpy(&got->rows[got->count++], row, sizeof got->rows[0]);
}

static struct tw_stream *keyed(struct tw_env *env)
{
    tw_quiet(env, true);
    tw_set_parallelism(env, 1);
    return tw_key_by(tw_from_data(env, &shared_sum_row, rows, 4), "key");
}

static void expect(struct tw_env *env, struct tw_stream *s, uint32_t count, const struct shared_sum *wanted)
{
    struct got got = {0};

    tw_collect_to(s, &shared_sum_elsewhere, take, &got);
    if (tw_execute(env, "two files") != 0) fail_msg("%s", tw_error(env));
    assert_int_equal(got.count, count);
    assert_memory_equal(got.rows, wanted, count * sizeof *wanted);
    tw_env_free(env);
}

static void functions_of_two_files_work_together(void **state)
{
    static const struct shared_sum in_window[] = {{7, 260, {7, 8}}};
    static const struct shared_sum last[] = {{7, 1, {1, 2}}, {8, 10, {3, 4}}, {7, 5, {5, 6}}, {7, 20, {7, 8}}};
    struct tw_env *env = tw_env_create();

    (void)state;
    expect(env, tw_window_process(keyed(env), TW_COUNT_WINDOW(3), &tenfold_here, shared_fold()), 1, in_window);
    env = tw_env_create();
    expect(env, tw_window_process(keyed(env), TW_COUNT_WINDOW(3), &tenfold_here, shared_sums()), 1, in_window);
    env = tw_env_create();
    expect(env, tw_reduce(keyed(env), &latest_of_both), 4, last);
    env = tw_env_create();
    expect(env, tw_partition_reduce(keyed(env), &latest_of_both), 2,
           (const struct shared_sum[]){{7, 20, {7, 8}}, {8, 10, {3, 4}}});
}

static void refused(struct tw_env *env, struct tw_stream *s, const char *why)
{
    tw_print(s);
    assert_int_equal(tw_execute(env, "two files"), 1);
    if (strstr(tw_error(env), why) == NULL) fail_msg("no '%s' in: %s", why, tw_error(env));
    tw_env_free(env);
}

static void descriptions_that_differ_are_refused(void **state)
{
    struct tw_env *env = tw_env_create();

    (void)state;
    refused(env, tw_window_process(keyed(env), TW_COUNT_WINDOW(3), &tenfold_other, shared_fold()),
            "window function 'tenfold_other' reads rows of type shared_sum, but 'shared_aggregate' answers shared_sum; the "
            "two descriptions of struct shared_sum differ: write its TW_ROW once, in a header that both include");
    env = tw_env_create();
    refused(env, tw_reduce(keyed(env), &latest_other),
            "function 'latest_other': a reduce emits what it reads, so .out must be .in or missing");
}

/* One difference each. */
static void every_part_of_a_description_counts(void **state)
{
    struct tw_field fields[3], inner[2];
    const struct tw_row place = {"shared_place", sizeof(struct shared_place), 2, inner};
    struct tw_row row = {"another name", sizeof(struct shared_sum), 3, fields};

    (void)state;
    memcpy(inner, shared_place_fields, sizeof inner);
    memcpy(fields, shared_sum_fields, sizeof fields);
    fields[2].row = &place;
    assert_true(user_rows_equal(&row, &shared_sum_row));
    assert_true(user_rows_equal(NULL, NULL));
    assert_false(user_rows_equal(&row, NULL));
    assert_false(user_rows_equal(NULL, &row));
    row.size++;
    assert_false(user_rows_equal(&row, &shared_sum_row));
    row.size--, row.field_count--;
    assert_false(user_rows_equal(&row, &shared_sum_row));
    row.field_count++, fields[1].offset++;
    assert_false(user_rows_equal(&row, &shared_sum_row));
    fields[1].offset--, fields[1].size++;
    assert_false(user_rows_equal(&row, &shared_sum_row));
    fields[1].size--, fields[0].name = "id";
    assert_false(user_rows_equal(&row, &shared_sum_row));
    fields[0].name = "key", fields[0].type = "BIGINT";
    assert_false(user_rows_equal(&row, &shared_sum_row));
    fields[0].type = "BIGINT NOT NULL", inner[1].name = "z";
    assert_false(user_rows_equal(&row, &shared_sum_row));
    inner[1].name = "y", fields[2].row = NULL;
    assert_false(user_rows_equal(&row, &shared_sum_row));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_of_two_files_work_together),
        cmocka_unit_test(descriptions_that_differ_are_refused),
        cmocka_unit_test(every_part_of_a_description_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
