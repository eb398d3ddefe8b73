/* test_strings_without_bytes.c - a string that has a size but no data is told with row type and field wherever rows of the
 * program enter a job: in the result of a window's aggregate, in a source, in tw_from_data. What stands in place of NULL may be
 * anything. */
#include <thalweg/thalweg.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct word {
    int64_t n;
    struct tw_str text;
    uint64_t nulls;
};
TW_ROW(word, TW_FIELD(word, n, "BIGINT NOT NULL"), TW_FIELD(word, text, "STRING"), TW_NULLS(word, nulls));
struct plain {
    struct tw_str text;
};
TW_ROW(plain, TW_FIELD(plain, text, "STRING NOT NULL"));
struct sum {
    int64_t n;
};
TW_ROW(sum, TW_FIELD(sum, n, "BIGINT NOT NULL"));

#define NOTHING ((struct tw_str){NULL, 3})
#define SENTENCE "row type 'plain', field 'text': a string has a size, but its data is NULL"

static enum tw_status add(struct tw_context *cx, void *acc, const void *in)
{
    (void)cx;
    ((struct sum *)acc)->n += ((const struct word *)in)->n;
    return TW_OK;
}
static enum tw_status no_text(struct tw_context *cx, const void *acc, void *out)
{
    (void)cx, (void)acc;
    ((struct plain *)out)->text = NOTHING;
    return TW_OK;
}
TW_FUNCTION(sums) = {.in = &word_row, .acc = &sum_row, .out = &plain_row, .add = add, .result = no_text};

static enum tw_status one_of_three(struct tw_context *cx, void *rows, uint32_t max, uint32_t *count, bool *end)
{
    struct plain *to = rows;

    (void)cx;
    for (*count = 0; *count < 3 && *count < max; ++*count) to[*count].text = *count == 1 ? NOTHING : TW_STR("abc");
    *end = true;
    return TW_OK;
}
TW_FUNCTION(gives_three) = {.out = &plain_row, .source = one_of_three};

static void fails(struct tw_env *env, const char *sentence)
{
    assert_int_equal(tw_execute(env, "strings"), 1);
    if (strstr(tw_error(env), sentence) == NULL) fail_msg("%s", tw_error(env));
    tw_env_free(env);
}

static struct tw_env *quiet_env(void)
{
    struct tw_env *env = tw_env_create();

    tw_quiet(env, true);
    return env;
}

static void in_the_result_of_a_window(void **state)
{
    static const struct word words[] = {{1, TW_STR("a"), 0}, {2, TW_STR("a"), 0}};
    struct tw_env *env = quiet_env();

    (void)state;
    struct tw_stream *s = tw_key_by(tw_from_data(env, &word_row, words, 2), "text");
    tw_print(tw_window_aggregate(s, TW_COUNT_WINDOW(2), &sums));
    fails(env, SENTENCE);
}

static void in_a_source(void **state)
{
    struct tw_env *env = quiet_env();

    (void)state;
    tw_print(tw_source_function(env, "three", &gives_three));
    fails(env, SENTENCE);
}

static void in_data(void **state)
{
    static const struct word words[] = {{1, TW_STR("a"), 0}, {2, {NULL, 3}, 2}, {3, {NULL, 0}, 0}, {4, {NULL, 1}, 0}};
    static const struct word long_one = {1, {"a", (size_t)INT32_MAX + 1}, 0};
    struct tw_env *env = quiet_env();

    (void)state;
    tw_print(tw_from_data(env, &word_row, words, 4));
    fails(env, "tw_from_data: row 3, field 'text' of row type 'word': a string has a size, but its data is NULL");
    env = quiet_env();
    tw_print(tw_from_data(env, &word_row, &long_one, 1));
    fails(env, "tw_from_data: row 0, field 'text' of row type 'word': a string is longer than 2147483647 bytes");

    env = quiet_env();
    const struct word *w;
    struct tw_rows *rows = tw_execute_and_collect(tw_from_data(env, &word_row, words, 3), &word_row, "three");
    for (int64_t n = 1; n <= 3; n++) {
        w = tw_next_row(rows);
        assert_non_null(w);
        assert_int_equal(w->n, n);
        assert_int_equal(w->nulls, n == 2 ? 2 : 0);
        assert_int_equal(w->text.size, n == 1 ? 1 : 0);
    }
    assert_null(tw_next_row(rows));
    assert_int_equal(tw_close_rows(rows), 0);
    tw_env_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_the_result_of_a_window),
        cmocka_unit_test(in_a_source),
        cmocka_unit_test(in_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
