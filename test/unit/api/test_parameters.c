/* test_parameters.c - parameters of a program: arguments, properties files with all their escapes, pairs, merging, kinds and
 * mistakes, what nobody asked for, and as global job parameters. */
#include <thalweg/thalweg.h>

#include "support/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct number {
    int64_t value;
};
TW_ROW(number, TW_FIELD(number, value, "BIGINT NOT NULL"));

#define FROM_ARGS(env, ...)                                                                                            \
    tw_parameters_from_args(env, (int)(sizeof((char *[]){"job", __VA_ARGS__}) / sizeof(char *)),                       \
                            ((char *[]){"job", __VA_ARGS__}))
#define HERE ((struct tw_here){"job.c", 7})
/* The call is a mistake, and tw_execute tells it. */
#define MISTAKE(expected, call)                                                                                        \
    do {                                                                                                               \
        struct tw_env *env = tw_env_create();                                                                          \
        tw_quiet(env, true);                                                                                           \
        (void)(call);                                                                                                  \
        tw_print(tw_from_sequence(env, 1, 1));                                                                         \
        assert_int_equal(tw_execute(env, "x"), 1);                                                                     \
        assert_string_equal(tw_error(env), expected);                                                                  \
        tw_env_free(env);                                                                                              \
    } while (0)

static void arguments(void **state)
{
    struct tw_env *env = tw_env_create();

    (void)state;
    struct tw_parameters *p = FROM_ARGS(env, "--input", "bids.csv", "-limit", "-5", "--verbose", "--rate", "-.5e1",
                                        "--name", "", "--input", "b", "--last");
    assert_int_equal(tw_parameter_count(p), 6);
    assert_string_equal(tw_required(p, "input"), "b"); /* the last one counts */
    assert_int_equal(tw_parameter_int(p, "limit", 1), -5);
    assert_true(tw_has_parameter(p, "verbose"));
    assert_string_equal(tw_parameter(p, "verbose", "x"), TW_NO_VALUE);
    assert_true(tw_parameter_bool(p, "verbose", false));
    assert_true(tw_parameter_double(p, "rate", 0) == -5.0);
    assert_true(tw_parameter_float(p, "rate", 0) == -5.0F);
    assert_string_equal(tw_parameter(p, "name", "x"), "");
    assert_false(tw_has_parameter(p, "absent"));
    assert_null(tw_parameter(p, "absent", NULL));
    assert_string_equal(tw_parameter(p, "absent", "x"), "x");
    assert_int_equal(tw_parameter_long(p, "absent", INT64_MIN), INT64_MIN);
    assert_true(tw_parameter_bool(p, "absent", true));
    assert_string_equal(tw_unrequested_parameter(p, 0), "last");
    assert_null(tw_unrequested_parameter(p, 1));
    assert_int_equal(tw_parameter_count(tw_parameters_from_args(env, 0, NULL)), 0);
    tw_env_free(env);
}

static void kinds(void **state)
{
    struct tw_env *env = tw_env_create();

    (void)state;
    struct tw_parameters *p = tw_parameters_from_map(env,
                                                     TW_OPTIONS("int", "2147483647", "low", "-2147483648", "long",
                                                                "-9223372036854775808", "yes", "TRUE", "no", "False"));
    assert_int_equal(tw_required_int(p, "int"), INT32_MAX);
    assert_int_equal(tw_required_int(p, "low"), INT32_MIN);
    assert_int_equal(tw_required_long(p, "long"), INT64_MIN);
    assert_true(tw_required_double(p, "int") == 2147483647.0);
    assert_true(tw_required_bool(p, "yes"));
    assert_false(tw_required_bool(p, "no"));
    assert_null(tw_unrequested_parameter(p, 0));
    tw_env_free(env);
}

static void mistakes(void **state)
{
    (void)state;
#define MAP(...) tw_parameters_from_map(env, TW_OPTIONS(__VA_ARGS__))
    MISTAKE("job.c:7: the required parameter 'inptu' was not given (given: input, host); did you mean 'input'?",
            tw_required_at(MAP("input", "a", "host", "b"), "inptu", HERE));
    MISTAKE("job.c:7: the required parameter 'port' was not given (given: nothing)",
            tw_required_int_at(tw_parameters_from_args(env, 1, NULL), "port", HERE));
    MISTAKE("job.c:7: parameter 'n': '2147483648' is not a whole number of 32 bits",
            tw_parameter_int_at(MAP("n", "2147483648"), "n", 1, HERE));
    MISTAKE("job.c:7: parameter 'n': '1.5' is not a whole number of 64 bits",
            tw_required_long_at(MAP("n", "1.5"), "n", HERE));
    MISTAKE("job.c:7: parameter 'n': 'x' is not a number", tw_parameter_double_at(MAP("n", "x"), "n", 1, HERE));
    MISTAKE("job.c:7: parameter 'n': '1e39' is not a number that a float holds",
            tw_parameter_float_at(MAP("n", "1e39"), "n", 1, HERE));
    MISTAKE("job.c:7: parameter 'n': 'yes' is not true or false",
            tw_parameter_bool_at(MAP("n", "yes"), "n", true, HERE));
    MISTAKE("job.c:7: parameter 'n' has no value; it must be a whole number of 32 bits",
            tw_parameter_int_at(FROM_ARGS(env, "--n"), "n", 1, HERE));
    MISTAKE("job.c:7: a parameter's key is NULL", tw_parameter_at(MAP("n", "1"), NULL, NULL, HERE));
#undef MAP
#define ARGS(count, ...) tw_parameters_from_args_at(env, count, ((char *[]){"job", __VA_ARGS__}), HERE)
    MISTAKE("job.c:7: argument 3, 'c', is no key and follows none; a key begins with -- or -",
            ARGS(4, "--a", "b", "c"));
    MISTAKE("job.c:7: argument 1, '--', has no name behind it", ARGS(2, "--"));
    MISTAKE("job.c:7: argument 2, '--b=1': key and value are two arguments: --key value", ARGS(3, "--a", "--b=1"));
#undef ARGS
    MISTAKE("job.c:7: tw_parameters_from_map: 1 texts, but they must be pairs",
            tw_parameters_from_map_at(env, TW_OPTIONS("a"), HERE));
    MISTAKE("job.c:7: tw_parameters_from_file needs a path", tw_parameters_from_file_at(env, NULL, HERE));
}

static void merging(void **state)
{
    struct tw_env *env = tw_env_create();
    struct tw_parameters *a = tw_parameters_from_map(env, TW_OPTIONS("x", "1", "y", "2", "w", "0"));
    struct tw_parameters *b = tw_parameters_from_map(env, TW_OPTIONS("y", "3", "z", "4"));

    (void)state;
    (void)tw_required(a, "x");
    struct tw_parameters *both = tw_parameters_merge(a, b);
    assert_int_equal(tw_parameter_count(both), 4);
    assert_string_equal(tw_unrequested_parameter(both, 0), "y");
    assert_string_equal(tw_unrequested_parameter(both, 1), "w");
    assert_string_equal(tw_unrequested_parameter(both, 2), "z");
    assert_null(tw_unrequested_parameter(both, 3));
    assert_string_equal(tw_required(both, "x"), "1");
    assert_string_equal(tw_required(both, "y"), "3");
    assert_string_equal(tw_required(a, "y"), "2");
    tw_env_free(env);
}

static struct tw_parameters *file(struct tw_env *env, struct folder *f, const char *text)
{
    folder_write(f, "job.properties", text);
    return tw_parameters_from_file_at(env, folder_path(f, "job.properties"), HERE);
}

static void properties(void **state)
{
    struct tw_env *env = tw_env_create();
    struct folder f;

    (void)state;
    folder_make(&f);
    struct tw_parameters *p = file(env, &f,
                                   "# a comment \\\n"
                                   "! another\r\n"
                                   "\n"
                                   "  plain=value with blanks \n"
                                   "colon : b:c=d\r"
                                   "blank \t text\n"
                                   "long = one, \\\n"
                                   "    two, \\\r\n"
                                   "  \tthree\n"
                                   "esc\\=aped\\ key\\:=t\\tn\\nq\\qb\\\\\n"
                                   "e=\\u00e9\\u20AC\\ud83d\\ude00\xc3\xa9\n"
                                   "empty\n"
                                   "even=a\\\\\n"
                                   "plain=again\n"
                                   "last=x\\");
    assert_string_equal(tw_required(p, "plain"), "again");
    assert_string_equal(tw_required(p, "colon"), "b:c=d");
    assert_string_equal(tw_required(p, "blank"), "text");
    assert_string_equal(tw_required(p, "long"), "one, two, three");
    assert_string_equal(tw_required(p, "esc=aped key:"), "t\tn\nqqb\\");
    assert_string_equal(tw_required(p, "e"), "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xc3\xa9");
    assert_string_equal(tw_required(p, "empty"), "");
    assert_string_equal(tw_required(p, "even"), "a\\");
    assert_string_equal(tw_required(p, "last"), "x");
    assert_int_equal(tw_parameter_count(p), 9);
    assert_null(tw_unrequested_parameter(p, 0));
    p = file(env, &f, "plain=value with blanks ");
    assert_string_equal(tw_required(p, "plain"), "value with blanks ");
    assert_int_equal(tw_parameter_count(file(env, &f, "")), 0);
    folder_remove(&f);
    tw_env_free(env);
}

static void wrong_files(void **state)
{
    struct folder f;
    char expected[512];

    (void)state;
    folder_make(&f);
    const char *path = folder_path(&f, "job.properties");
#define WRONG(line, what, text)                                                                                        \
    do {                                                                                                               \
        snprintf(expected, sizeof expected, "job.c:7: %s:%d: %s", path, line, what);                                   \
        MISTAKE(expected, file(env, &f, text));                                                                        \
    } while (0)
    WRONG(2, "\\u needs four hexadecimal digits behind it", "a=1\nb=\\u12g4\n");
    WRONG(1, "\\u needs four hexadecimal digits behind it", "a=\\u12");
    WRONG(1, "\\u with half of a surrogate pair is no character", "a=\\ud83dx");
    WRONG(1, "the character 0 cannot be part of a text", "a=\\u0000");
    WRONG(3, "the text is not UTF-8", "a=1\\\n 2\nb=\xff\n");
    folder_remove(&f);
}

static enum tw_status is_wanted(struct tw_context *cx, const void *in, bool *keep)
{
    const char *wanted = tw_job_parameter(cx, "wanted"), *flag = tw_job_parameter(cx, "flag");

    if (wanted == NULL || flag == NULL || strcmp(flag, TW_NO_VALUE) != 0) return tw_fail(cx, "parameters are missing");
    *keep = ((const struct number *)in)->value == wanted[0] - '0';
    return TW_OK;
}
TW_FUNCTION(wanted_only) = {.in = &number_row, .filter = is_wanted};

/* Functions see them; while the job runs no set is made. */
static void job_parameters(void **state)
{
    struct tw_env *env = tw_env_create();

    (void)state;
    tw_quiet(env, true);
    struct tw_parameters *p = FROM_ARGS(env, "--wanted", "4", "--flag");
    tw_set_job_parameters(p);
    assert_string_equal(tw_unrequested_parameter(p, 0), "wanted");
    struct tw_rows *rows = tw_execute_and_collect(tw_filter(tw_from_sequence(env, 1, 9), &wanted_only), &number_row,
                                                  "four");
    const struct number *r = tw_next_row(rows);
    assert_non_null(r);
    assert_int_equal(r->value, 4);
    assert_null(tw_next_row(rows));
    assert_int_equal(tw_close_rows(rows), 0);

    rows = tw_execute_and_collect(tw_from_sequence(env, 1, INT64_MAX - 1), &number_row, "endless");
    assert_int_equal(tw_parameter_count(FROM_ARGS(env, "--a", "1")), 0);
    assert_int_equal(tw_close_rows(rows), 0);
    tw_env_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments),      cmocka_unit_test(kinds),      cmocka_unit_test(mistakes),
        cmocka_unit_test(merging),        cmocka_unit_test(properties), cmocka_unit_test(wrong_files),
        cmocka_unit_test(job_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
