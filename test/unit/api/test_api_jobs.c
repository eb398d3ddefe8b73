/* test_api_jobs.c - jobs through the public C API: what tw_execute answers, accumulators, failures, cancelling from another
 * thread, several jobs in one environment, rows for the caller, attributes in the plan. */
#include <thalweg/thalweg.h>

#include <setjmp.h>
#include <stdarg.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct number {
    int64_t value;
};
TW_ROW(number, TW_FIELD(number, value, "BIGINT NOT NULL"));
struct person {
    uint64_t nulls;
    struct tw_str name;
    int32_t age;
};
TW_ROW(person, TW_NULLS(person, nulls), TW_FIELD(person, name, "STRING"), TW_FIELD(person, age, "INT"));

/* Fails on the number that the job parameter "unlucky" names. */
static enum tw_status count(struct tw_context *cx, const void *in, bool *keep)
{
    const struct number *n = in;
    const char *unlucky = tw_job_parameter(cx, "unlucky");

    tw_counter_add(cx, "seen", 1);
    tw_double_add(cx, "half", 0.5);
    tw_average_add(cx, "mean", (double)n->value);
    tw_histogram_add(cx, "last digit", (int32_t)(n->value % 10));
    if (unlucky != NULL && n->value == unlucky[0] - '0') return tw_fail(cx, "%ld is unlucky", n->value);
    *keep = n->value % 2 == 1;
    return TW_OK;
}
TW_FUNCTION(odd) = {.in = &number_row, .filter = count};

struct text {
    char all[4096];
    int64_t sum;
    uint32_t rows;
};

static void take_number(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms)
{
    struct text *t = arg;

    assert_int_equal(kind, TW_INSERT);
    assert_true(time_ms == TW_NO_TIME);
    t->sum += ((const struct number *)row)->value;
    t->rows++;
}

static void take_person(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms)
{
    struct text *t = arg;
    const struct person *p = row;
    size_t used = strlen(t->all);

    (void)kind, (void)time_ms;
    snprintf(t->all + used, sizeof t->all - used, "%.*s %d %lu\n", p->nulls & 1 ? 4 : (int)p->name.size,
             p->nulls & 1 ? "NULL" : p->name.data, p->nulls & 2 ? -1 : p->age, p->nulls);
}

static void result_and_accumulators(void **state)
{
    struct tw_env *env = tw_env_create();
    struct text t = {0};
    int64_t n = 0, times = 0;
    int32_t digit = 0;
    double x = 0;

    (void)state;
    tw_set_parallelism(env, 2);
    assert_null(tw_job_result(env));
    assert_false(tw_accumulator_long(env, "seen", &n));
    tw_collect_to(tw_filter(tw_from_sequence(env, 1, 1000), &odd), &number_row, take_number, &t);
    assert_int_equal(tw_execute(env, "odd numbers"), 0);
    assert_string_equal(tw_error(env), "");
    assert_int_equal(t.rows, 500);
    assert_int_equal(t.sum, 250000);

    const struct tw_result *r = tw_job_result(env);
    assert_string_equal(r->job_name, "odd numbers");
    assert_string_equal(r->status, "FINISHED");
    assert_int_equal(r->rows_in, 1000);
    assert_int_equal(r->rows_out, 500);
    assert_int_equal(r->late_dropped, 0);
    assert_int_equal(r->late_refired, 0);
    assert_true(tw_accumulator_long(env, "seen", &n));
    assert_int_equal(n, 1000);
    assert_true(tw_accumulator_double(env, "half", &x));
    assert_true(x == 500.0);
    assert_true(tw_accumulator_double(env, "mean", &x));
    assert_true(x == 500.5);
    for (uint32_t i = 0; i < 10; i++) {
        assert_true(tw_accumulator_histogram(env, "last digit", i, &digit, &times));
        assert_int_equal(digit, i);
        assert_int_equal(times, 100);
    }
    assert_false(tw_accumulator_histogram(env, "last digit", 10, &digit, &times));
    assert_false(tw_accumulator_long(env, "last digit", &n));
    assert_false(tw_accumulator_long(env, "unseen", &n));
    tw_env_free(env);
}

/* Each is handed all rows, whatever the one before it has left out. */
static void filters_beside_each_other(void **state)
{
    struct tw_env *env = tw_env_create();
    struct text few = {0}, many = {0}, all = {0};

    (void)state;
    struct tw_stream *s = tw_from_sequence(env, 1, 10);
    tw_collect_to(tw_where(s, "value", "<=", "3"), &number_row, take_number, &few);
    tw_collect_to(tw_where(s, "value", ">", "3"), &number_row, take_number, &many);
    tw_collect_to(s, &number_row, take_number, &all);
    assert_int_equal(tw_execute(env, "beside"), 0);
    assert_int_equal(few.rows, 3);
    assert_int_equal(few.sum, 6);
    assert_int_equal(many.rows, 7);
    assert_int_equal(many.sum, 49);
    assert_int_equal(all.rows, 10);
    tw_env_free(env);
}

static void failure_then_another_job(void **state)
{
    struct tw_env *env = tw_env_create();
    struct text t = {0};

    (void)state;
    tw_quiet(env, true);
    assert_true(tw_is_quiet(env));
    tw_set_job_parameter(env, "unlucky", "7");
    tw_collect_to(tw_name(tw_filter(tw_from_sequence(env, 7, 7), &odd), "checked"), &number_row, take_number, &t);
    assert_int_equal(tw_execute(env, "unlucky"), 1);
    assert_string_equal(tw_error(env),
                        "job 'unlucky' failed: operator 'checked' (subtask 1/1): row +I[7]: 7 is unlucky");
    assert_string_equal(tw_job_result(env)->status, "FAILED");
    assert_int_equal(t.rows, 0);

    tw_set_job_parameter(env, "unlucky", "8"); /* the environment goes on: settings stay, the graph is a new one */
    tw_collect_to(tw_filter(tw_from_sequence(env, 6, 7), &odd), &number_row, take_number, &t);
    assert_int_equal(tw_execute(env, "lucky"), 0);
    assert_string_equal(tw_error(env), "");
    assert_string_equal(tw_job_result(env)->job_name, "lucky");
    assert_string_equal(tw_job_result(env)->status, "FINISHED");
    assert_int_equal(t.sum, 7);
    assert_int_equal(tw_execute(env, "nothing"), 1);
    assert_string_equal(tw_error(env), "there is nothing to run: this environment's graph was executed already; each tw_execute runs what was "
                        "built since the one before: build the next graph first");
    tw_env_free(env);
}

/* --- cancelling: the source runs for ever; the other thread cancels when the source has been asked --------------------------- */
static pthread_barrier_t running;

static enum tw_status endless(struct tw_context *cx, void *rows, uint32_t max, uint32_t *rows_count, bool *end)
{
    bool *has_met = tw_self(cx);

    (void)rows, (void)max, (void)end;
    if (!*has_met) pthread_barrier_wait(&running);
    *has_met = true;
    *rows_count = 0;
    return TW_OK;
}
TW_FUNCTION(endless_numbers) = {.out = &number_row, .source = endless, .self_size = sizeof(bool)};

static void *cancel_it(void *env)
{
    pthread_barrier_wait(&running);
    tw_cancel(env);
    return NULL;
}

static void cancel_from_another_thread(void **state)
{
    struct tw_env *env = tw_env_create();
    pthread_t other;

    (void)state;
    tw_quiet(env, true);
    assert_int_equal(pthread_barrier_init(&running, NULL, 2), 0);
    tw_sink(tw_source_function(env, "endless", &endless_numbers), "out", "blackhole", TW_NO_OPTIONS);
    assert_int_equal(pthread_create(&other, NULL, cancel_it, env), 0);
    assert_int_equal(tw_execute(env, "endless"), 1);
    assert_int_equal(pthread_join(other, NULL), 0);
    pthread_barrier_destroy(&running);
    assert_string_equal(tw_error(env), "job 'endless' was canceled");
    assert_string_equal(tw_job_result(env)->status, "CANCELED");

    struct text t = {0}; /* the next job is not canceled */
    tw_collect_to(tw_from_sequence(env, 1, 4), &number_row, take_number, &t);
    assert_int_equal(tw_execute(env, "after"), 0);
    assert_int_equal(t.sum, 10);
    tw_env_free(env);
}

/* --- rows in and out --------------------------------------------------------------------------------------------------------- */
static void data_of_the_program_comes_back(void **state)
{
    static const struct person people[] = {
        {0, TW_STR("ada"), 36}, {1, TW_STR("gone"), 7}, {2, TW_STR(""), 1}, {3, {NULL, 0}, 0}};
    struct tw_env *env = tw_env_create();
    struct text t = {0}, none = {0};

    (void)state;
    tw_collect_to(tw_from_data(env, &person_row, people, 4), &person_row, take_person, &t);
    tw_collect_to(tw_from_data(env, &person_row, NULL, 0), &person_row, take_person, &none);
    assert_int_equal(tw_execute(env, "people"), 0);
    assert_string_equal(t.all, "ada 36 0\nNULL 7 1\n -1 2\nNULL -1 3\n");
    assert_string_equal(none.all, "");
    assert_int_equal(tw_job_result(env)->rows_in, 4);
    tw_env_free(env);
}

static void sequences_have_both_ends(void **state)
{
    struct tw_env *env = tw_env_create();
    struct text t = {0}, one = {0};

    (void)state;
    tw_collect_to(tw_from_sequence(env, -3, 5), &number_row, take_number, &t);
    tw_collect_to(tw_from_sequence(env, 42, 42), &number_row, take_number, &one);
    assert_int_equal(tw_execute(env, "sequences"), 0);
    assert_int_equal(t.rows, 9);
    assert_int_equal(t.sum, 9);
    assert_int_equal(one.rows, 1);
    assert_int_equal(one.sum, 42);
    tw_env_free(env);
}

/* --- plan -------------------------------------------------------------------------------------------------------------------- */
static const char plan[] = "{\n"
                           "  \"nodes\" : [ {\n"
                           "    \"id\" : 1,\n"
                           "    \"type\" : \"Source: sequence\",\n"
                           "    \"pact\" : \"Data Source\",\n"
                           "    \"contents\" : \"Source: sequence\",\n"
                           "    \"parallelism\" : 3\n"
                           "  }, {\n"
                           "    \"id\" : 2,\n"
                           "    \"type\" : \"odd\",\n"
                           "    \"pact\" : \"Operator\",\n"
                           "    \"contents\" : \"only \\\"odd\\\" ones\",\n"
                           "    \"parallelism\" : 2,\n"
                           "    \"predecessors\" : [ {\n"
                           "      \"id\" : 1,\n"
                           "      \"ship_strategy\" : \"REBALANCE\",\n"
                           "      \"side\" : \"second\"\n"
                           "    } ]\n"
                           "  }, {\n"
                           "    \"id\" : 3,\n"
                           "    \"type\" : \"Keyed Aggregation\",\n"
                           "    \"pact\" : \"Operator\",\n"
                           "    \"contents\" : \"Keyed Aggregation\",\n"
                           "    \"parallelism\" : 3,\n"
                           "    \"predecessors\" : [ {\n"
                           "      \"id\" : 2,\n"
                           "      \"ship_strategy\" : \"HASH\",\n"
                           "      \"side\" : \"second\"\n"
                           "    } ]\n"
                           "  }, {\n"
                           "    \"id\" : 4,\n"
                           "    \"type\" : \"Sink: out\",\n"
                           "    \"pact\" : \"Data Sink\",\n"
                           "    \"contents\" : \"Sink: out\",\n"
                           "    \"parallelism\" : 1,\n"
                           "    \"predecessors\" : [ {\n"
                           "      \"id\" : 3,\n"
                           "      \"ship_strategy\" : \"REBALANCE\",\n"
                           "      \"side\" : \"second\"\n"
                           "    }, {\n"
                           "      \"id\" : 2,\n"
                           "      \"ship_strategy\" : \"RESCALE\",\n"
                           "      \"side\" : \"second\"\n"
                           "    } ]\n"
                           "  } ]\n"
                           "}\n";

static void plan_is_flinks_json(void **state)
{
    struct tw_env *env = tw_env_create();

    (void)state;
    tw_set_parallelism(env, 3);
    struct tw_stream *numbers = tw_uid(tw_from_sequence(env, 1, 10), "numbers");
    struct tw_stream *kept = tw_parallelism(
        tw_description(tw_name(tw_filter(numbers, &odd), "odd"), "only \"odd\" ones"), 2);
    struct tw_stream *sums = tw_slot_sharing_group(tw_sum(tw_key_by(kept, "value"), "value"), "heavy");
    tw_parallelism(tw_sink(tw_union(sums, tw_rescale(kept)), "out", "blackhole", TW_NO_OPTIONS), 1);
    assert_string_equal(tw_plan(env), plan);
    assert_int_equal(tw_execute(env, "planned"), 0); /* a plan changes nothing */
    assert_int_equal(tw_job_result(env)->rows_in, 10);
    assert_null(tw_plan(env));
    assert_string_equal(tw_error(env), "there is nothing to run: this environment's graph was executed already; each tw_execute runs what was "
                        "built since the one before: build the next graph first");
    tw_env_free(env);
}

/* What operators are called says the failure of one of them, and so do the subtasks. */
static void pipeline_name_and_settings(void **state)
{
    struct tw_env *env = tw_env_create();
    struct text t = {0};

    (void)state;
    tw_set(env, "pipeline.name", "by setting");
    tw_set(env, "parallelism.default", "2");
    tw_set_max_parallelism(env, 4);
    tw_disable_chaining(env);
    struct tw_stream *s = tw_without_chaining(tw_start_new_chain(tw_filter(tw_from_sequence(env, 1, 9), &odd)));
    tw_collect_to(tw_max_parallelism(s, 2), &number_row, take_number, &t);
    assert_int_equal(tw_execute(env, "by call"), 0);
    assert_string_equal(tw_job_result(env)->job_name, "by setting");
    assert_int_equal(t.sum, 25);
    tw_env_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_beside_each_other),
        cmocka_unit_test(result_and_accumulators),    cmocka_unit_test(failure_then_another_job),
        cmocka_unit_test(cancel_from_another_thread), cmocka_unit_test(data_of_the_program_comes_back),
        cmocka_unit_test(sequences_have_both_ends),   cmocka_unit_test(plan_is_flinks_json),
        cmocka_unit_test(pipeline_name_and_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
