/* test_sink_topology.c - sinks that build operators before their writer, and before and behind their commit: one committer for
 * all, what is committed as a stream, commits of the next stage, retries, failures, and topologies that do not fit. */
#include <thalweg/thalweg.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct number {
    int64_t value;
};
TW_ROW(number, TW_FIELD(number, value, "BIGINT NOT NULL"));
/* What a writer, or all of them, wrote. */
struct part {
    int64_t rows, sum;
};
TW_ROW(part, TW_FIELD(part, rows, "BIGINT NOT NULL"), TW_FIELD(part, sum, "BIGINT NOT NULL"));
struct total {
    struct tw_str name;
    int64_t rows, sum;
};
TW_ROW(total, TW_FIELD(total, name, "STRING NOT NULL"), TW_FIELD(total, rows, "BIGINT NOT NULL"),
       TW_FIELD(total, sum, "BIGINT NOT NULL"));

struct book {
    char text[1024];
    const char *answers; /* of commits in order: d done, b before, r retry, f failed */
    atomic_uint prepared, committed;
    atomic_uint early; /* commits while not all had prepared */
    uint32_t writers;
    int64_t committed_rows, committed_sum; /* as post_commit sees them */
    uint32_t late_prepared;                /* commits made when the sink behind them prepared */
};

static struct book *book_at(struct tw_str config) { return *(struct book *const *)(const void *)config.data; }
static struct book *book_of(struct tw_context *cx) { return book_at(tw_config(cx)); }

static void note(struct book *b, const char *format, ...)
{
    size_t used = strlen(b->text);
    va_list args;

    va_start(args, format);
    vsnprintf(b->text + used, sizeof b->text - used, format, args);
    va_end(args);
}

/* --- the writer ------------------------------------------------------------------------------------------------------------ */
static enum tw_status write_row(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    struct part *p = tw_self(cx);

    (void)kind;
    p->rows++;
    p->sum += ((const struct number *)in)->value;
    return TW_OK;
}
static enum tw_status prepare_part(struct tw_context *cx)
{
    tw_committable(cx, tw_self(cx));
    atomic_fetch_add(&book_of(cx)->prepared, 1);
    return TW_OK;
}
static enum tw_status commit_total(struct tw_context *cx, void *committable, struct tw_commit *c)
{
    struct book *b = book_of(cx);
    struct total *t = committable;
    char answer = *b->answers != '\0' ? *b->answers++ : 'd';

    if (atomic_load(&b->prepared) < b->writers) atomic_fetch_add(&b->early, 1);
    note(b, "%u/%u:%.*s:%ld:%ld/%u%c ", tw_subtask(cx) + 1, tw_subtasks(cx), (int)t->name.size, t->name.data,
         (long)t->rows, (long)t->sum, c->retries, answer);
    if (answer == 'f') return tw_fail(cx, "no answer");
    if (answer == 'r') t->rows += 100;
    c->answer = answer == 'r' ? TW_RETRY_LATER : answer == 'b' ? TW_COMMITTED_BEFORE : TW_COMMITTED;
    if (answer != 'r') atomic_fetch_add(&b->committed, 1);
    return TW_OK;
}
static void give_up(struct tw_context *cx, const void *committable)
{
    const struct total *t = committable;

    note(book_of(cx), "abort:%ld ", (long)t->rows);
}

/* --- what it builds ------------------------------------------------------------------------------------------------------------ */
static enum tw_status is_even(struct tw_context *cx, const void *in, bool *keep)
{
    (void)cx;
    *keep = ((const struct number *)in)->value % 2 == 0;
    return TW_OK;
}
TW_FUNCTION(evens) = {.in = &number_row, .filter = is_even};
static enum tw_status add_part(struct tw_context *cx, void *acc, const void *in)
{
    struct part *to = acc;

    (void)cx;
    to->rows += ((const struct part *)in)->rows;
    to->sum += ((const struct part *)in)->sum;
    return TW_OK;
}
static enum tw_status name_total(struct tw_context *cx, const void *acc, void *out)
{
    const struct part *p = acc;

    (void)cx;
    *(struct total *)out = (struct total){TW_STR("all of the rows together"), p->rows, p->sum};
    return TW_OK;
}
TW_FUNCTION(adds_parts) = {.in = &part_row, .acc = &part_row, .out = &total_row, .add = add_part, .result = name_total};

static struct tw_stream *keep_evens(struct tw_stream *rows, struct tw_str config)
{
    (void)config;
    return tw_filter(rows, &evens);
}
static struct tw_stream *together(struct tw_stream *written, struct tw_str config)
{
    (void)config;
    return tw_global(tw_parallelism(tw_partition_aggregate(tw_global(written), &adds_parts), 1));
}

static enum tw_status see(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    struct book *b = book_of(cx);
    const struct total *t = in;

    (void)kind;
    b->committed_rows += t->rows;
    b->committed_sum += t->sum;
    note(b, "seen:%ld ", (long)t->rows);
    return TW_OK;
}
static enum tw_status prepare_late(struct tw_context *cx)
{
    book_of(cx)->late_prepared = atomic_load(&book_of(cx)->committed);
    tw_committable(cx, &(struct total){TW_STR("late"), 1, 1});
    return TW_OK;
}
static enum tw_status commit_late(struct tw_context *cx, void *committable, struct tw_commit *c)
{
    (void)committable, (void)c;
    note(book_of(cx), "late ");
    return TW_OK;
}
TW_FUNCTION(sees) = {
    .in = &total_row, .committable = &total_row, .sink = see, .prepare_commit = prepare_late, .commit = commit_late};

static void look(struct tw_stream *committed, struct tw_str config)
{
    tw_parallelism(tw_with_config(tw_sink_function(committed, "sees", &sees), config.data, config.size), 1);
}
static const struct tw_sink_topology all_of_it = {
    .pre_write = keep_evens, .pre_commit = together, .post_commit = look, .write_result = &part_row};
TW_FUNCTION(ledger) = {.in = &number_row,
                       .committable = &total_row,
                       .self_size = sizeof(struct part),
                       .sink = write_row,
                       .prepare_commit = prepare_part,
                       .commit = commit_total,
                       .abort_commit = give_up,
                       .topology = &all_of_it};

static struct tw_env *quiet_env(void)
{
    struct tw_env *env = tw_env_create();

    tw_quiet(env, true);
    return env;
}

static struct tw_env *run(struct book *b, const struct tw_function *f, uint32_t parallelism, int expected)
{
    struct tw_env *env = quiet_env();

    b->writers = parallelism;
    if (b->answers == NULL) b->answers = "";
    struct tw_stream *s = tw_sink_function(tw_rebalance(tw_from_sequence(env, 1, 10)), "ledger", f);
    tw_parallelism(tw_with_config(tw_uid(s, "ledger-uid"), &b, sizeof b), parallelism);
    assert_int_equal(tw_execute(env, "topology"), expected);
    return env;
}

/* Evens up to ten are five numbers, thirty together: one committable of all writers, committed once, then seen. */
static void one_committer_for_all(void **state)
{
    (void)state;
    for (uint32_t parallelism = 1; parallelism <= 3; parallelism++) {
        struct book b = {.committed_rows = 0};
        char text[128];
        struct tw_env *env = run(&b, &ledger, parallelism, 0);
        assert_string_equal(tw_error(env), "");
        snprintf(text, sizeof text, "1/%u:all of the rows together:5:30/0d seen:5 late ", parallelism);
        assert_string_equal(b.text, text);
        assert_int_equal(b.early, 0);
        assert_int_equal(b.committed_sum, 30);
        assert_int_equal(b.late_prepared, 1);
        tw_env_free(env);
    }
}

static void what_is_tried_again_is_seen_when_it_is_committed(void **state)
{
    struct book b = {.answers = "rrb"};
    struct tw_env *env = run(&b, &ledger, 1, 0);
    struct tw_metric_value v;

    (void)state;
    assert_string_equal(b.text, "1/1:all of the rows together:5:30/0r 1/1:all of the rows together:105:30/1r "
                                "1/1:all of the rows together:205:30/2b seen:205 late ");
    assert_true(tw_find_metric(env, "Sink: ledger: Committer", 0, "totalCommittables", &v));
    assert_int_equal(v.count, 1);
    assert_true(tw_find_metric(env, "Sink: ledger: Committer", 0, "alreadyCommittedCommittables", &v));
    assert_int_equal(v.count, 1);
    tw_env_free(env);
}

static void a_failed_commit_is_not_seen(void **state)
{
    struct book b = {.answers = "f"};
    struct tw_env *env = run(&b, &ledger, 1, 1);

    (void)state;
    assert_string_equal(b.text, "1/1:all of the rows together:5:30/0f ");
    assert_string_equal(tw_error(env),
                        "job 'topology' failed: operator 'Sink: ledger: Committer' (subtask 1/1): commit (0 of "
                        "1 are committed): row +I[all of the rows together, 5, 30]: no answer");
    tw_env_free(env);
}

/* --- parts of it --------------------------------------------------------------------------------------------------------------- */
static enum tw_status prepare_each(struct tw_context *cx)
{
    const struct part *p = tw_self(cx);

    for (int64_t i = 0; i < p->rows * 1000; i++) tw_committable(cx, &(struct total){TW_STR("x"), i, 1});
    atomic_fetch_add(&book_of(cx)->prepared, 1);
    return TW_OK;
}
static enum tw_status commit_quietly(struct tw_context *cx, void *committable, struct tw_commit *c)
{
    (void)committable;
    if (atomic_load(&book_of(cx)->prepared) < book_of(cx)->writers) atomic_fetch_add(&book_of(cx)->early, 1);
    c->answer = c->retries == 0 && ((const struct total *)committable)->rows % 3 == 0 ? TW_RETRY_LATER : TW_COMMITTED;
    return TW_OK;
}
static void look_quietly(struct tw_stream *committed, struct tw_str config);
static const struct tw_sink_topology only_post = {.post_commit = look_quietly};
TW_FUNCTION(many) = {.in = &number_row,
                     .committable = &total_row,
                     .self_size = sizeof(struct part),
                     .sink = write_row,
                     .prepare_commit = prepare_each,
                     .commit = commit_quietly,
                     .topology = &only_post};
static enum tw_status count(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    (void)kind;
    book_of(cx)->committed_rows++;
    book_of(cx)->committed_sum += ((const struct total *)in)->sum;
    return TW_OK;
}
TW_FUNCTION(counts) = {.in = &total_row, .sink = count};
static void look_quietly(struct tw_stream *committed, struct tw_str config)
{
    tw_parallelism(tw_with_config(tw_sink_function(committed, "counts", &counts), config.data, config.size), 1);
}

/* More committables than batches hold, some committed in the second round. */
static void many_committables(void **state)
{
    struct book b = {.committed_rows = 0};
    struct tw_env *env = run(&b, &many, 2, 0);

    (void)state;
    assert_int_equal(b.committed_rows, 10000);
    assert_int_equal(b.committed_sum, 10000);
    assert_int_equal(b.early, 0);
    tw_env_free(env);
}

/* A sink that only has operators before its writer commits by itself, and is one operator. */
static const struct tw_sink_topology only_pre = {.pre_write = keep_evens};
static enum tw_status prepare_total(struct tw_context *cx)
{
    const struct part *p = tw_self(cx);

    tw_committable(cx, &(struct total){TW_STR("mine"), p->rows, p->sum});
    atomic_fetch_add(&book_of(cx)->prepared, 1);
    return TW_OK;
}
TW_FUNCTION(alone) = {.in = &number_row,
                      .committable = &total_row,
                      .self_size = sizeof(struct part),
                      .sink = write_row,
                      .prepare_commit = prepare_total,
                      .commit = commit_total,
                      .topology = &only_pre};

static void before_the_writer_only(void **state)
{
    struct book b = {.committed_rows = 0};
    struct tw_env *env = run(&b, &alone, 1, 0);
    struct tw_metric_value v;

    (void)state;
    assert_string_equal(b.text, "1/1:mine:5:30/0d ");
    assert_true(tw_find_metric(env, "Sink: ledger", 0, "totalCommittables", &v));
    tw_env_free(env);
}

/* The names, and what the operators of a topology take over. */
static void the_plan_shows_it(void **state)
{
    struct book b = {.answers = ""}, *at = &b;
    struct tw_env *env = quiet_env();
    struct tw_stream *s = tw_sink_function(tw_from_sequence(env, 1, 10), "ledger", &ledger);

    (void)state;
    tw_parallelism(tw_with_config(s, &at, sizeof at), 3);
    const char *plan = tw_plan(env);
    assert_non_null(plan);
    assert_non_null(strstr(plan, "Sink: ledger: Writer"));
    assert_non_null(strstr(plan, "Sink: ledger: Committer"));
    char *once = strdup(plan);
    assert_string_equal(tw_plan(env), once); /* built once */
    free(once);
    tw_env_free(env);
}

/* The harness runs what a sink builds around itself, too. */
static struct tw_stream *ledger_of(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    (void)in2;
    return tw_with_config(tw_sink_function(in, "ledger", &ledger), &arg, sizeof arg);
}
static void in_a_harness(void **state)
{
    struct book b = {.answers = "r", .writers = 1};
    struct tw_harness *h = tw_harness_create(ledger_of, &b, &number_row, NULL);

    (void)state;
    for (int64_t i = 1; i <= 4; i++) assert_int_equal(tw_push(h, 0, &(struct number){i}, TW_NO_TIME), 0);
    assert_string_equal(b.text, "");
    assert_int_equal(tw_push_end(h), 0);
    assert_string_equal(tw_harness_error(h), "");
    assert_string_equal(b.text,
                        "1/1:all of the rows together:2:6/0r 1/1:all of the rows together:102:6/1d seen:102 late ");
    tw_harness_free(h);
}

/* --- mistakes ---------------------------------------------------------------------------------------------------------------- */
static struct tw_stream *nothing(struct tw_stream *s, struct tw_str config)
{
    (void)s, (void)config;
    return NULL;
}
static struct tw_stream *as_it_is(struct tw_stream *s, struct tw_str config)
{
    (void)config;
    return s;
}
static struct tw_stream *badly_built(struct tw_stream *s, struct tw_str config)
{
    (void)config;
    return tw_where(s, "nothing", "=", "1");
}
/* Sinks behind sinks: as many as the configuration says. */
static void another(struct tw_stream *committed, struct tw_str config);
static const struct tw_sink_topology goes_on = {.post_commit = another};
static enum tw_status take_total(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    (void)cx, (void)in, (void)kind;
    return TW_OK;
}
static enum tw_status prepare_one(struct tw_context *cx)
{
    tw_committable(cx, &(struct total){TW_STR("one"), *(const int *)(const void *)tw_config(cx).data, 1});
    return TW_OK;
}
static enum tw_status commit_one(struct tw_context *cx, void *committable, struct tw_commit *c)
{
    (void)committable, (void)c;
    tw_counter_add(cx, "commits", 1);
    return TW_OK;
}
TW_FUNCTION(one_of_many) = {.in = &total_row,
                            .committable = &total_row,
                            .sink = take_total,
                            .prepare_commit = prepare_one,
                            .commit = commit_one,
                            .topology = &goes_on};
static void another(struct tw_stream *committed, struct tw_str config)
{
    int left = *(const int *)(const void *)config.data - 1;

    if (left != 0) tw_with_config(tw_sink_function(committed, "another", &one_of_many), &left, sizeof left);
}

static void sinks_behind_sinks(void **state)
{
    static const struct {
        int depth;
        const char *error;
    } cases[] = {{1, NULL},
                 {5, NULL},
                 {63, NULL},
                 {64, "'Sink: another: Writer' has 63 committers in front of it; at most 62"},
                 {-1, "a job may have at most 4096 operators"}};
    static const struct total seed = {TW_STR("seed"), 1, 1};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tw_env *env = quiet_env();
        int64_t commits = 0;
        struct tw_stream *s = tw_sink_function(tw_from_data(env, &total_row, &seed, 1), "first", &one_of_many);
        tw_with_config(s, &cases[i].depth, sizeof cases[i].depth);
        int failed = tw_execute(env, "depth");
        if (cases[i].error == NULL)
            assert_string_equal(tw_error(env), "");
        else
            assert_non_null(strstr(tw_error(env), cases[i].error));
        assert_int_equal(failed, cases[i].error != NULL);
        assert_int_equal(tw_accumulator_long(env, "commits", &commits), cases[i].error == NULL);
        assert_int_equal(commits, cases[i].error == NULL ? cases[i].depth : 0);
        tw_env_free(env);
    }
}

/* Streams of this job that have nothing to do with the sink. */
static struct tw_stream *another_source(struct tw_stream *rows, struct tw_str config)
{
    (void)rows;
    return **(struct tw_stream *const *const *)(const void *)config.data;
}
static struct tw_stream *with_another_source(struct tw_stream *rows, struct tw_str config)
{
    return tw_union(another_source(rows, config), rows);
}
static const struct tw_sink_topology writes_others = {.pre_write = another_source};
static const struct tw_sink_topology commits_others = {.pre_commit = another_source};
static const struct tw_sink_topology writes_both = {.pre_write = with_another_source};
static const struct tw_sink_topology answers_nothing = {.pre_commit = nothing};
static const struct tw_sink_topology writes_nothing = {.pre_write = nothing};
static const struct tw_sink_topology changes_nothing = {.pre_commit = as_it_is, .write_result = &part_row};
static const struct tw_sink_topology has_no_pre_commit = {.post_commit = look, .write_result = &part_row};
static const struct tw_sink_topology is_badly_built = {.pre_write = badly_built};
#define LEDGER_WITH(name, the_topology)                                                                                \
    TW_FUNCTION(name) = {.in = &number_row,                                                                            \
                         .committable = &total_row,                                                                    \
                         .self_size = sizeof(struct part),                                                             \
                         .sink = write_row,                                                                            \
                         .prepare_commit = prepare_part,                                                               \
                         .commit = commit_total,                                                                       \
                         .topology = &the_topology}
LEDGER_WITH(no_answer, answers_nothing);
LEDGER_WITH(no_rows, writes_nothing);
LEDGER_WITH(wrong_type, changes_nothing);
LEDGER_WITH(no_maker, has_no_pre_commit);
LEDGER_WITH(no_field, is_badly_built);

TW_FUNCTION(other_rows) = {.in = &total_row, .sink = take_total, .topology = &writes_others};
TW_FUNCTION(other_commits) = {.in = &total_row,
                              .committable = &total_row,
                              .sink = take_total,
                              .prepare_commit = prepare_one,
                              .commit = commit_one,
                              .topology = &commits_others};
TW_FUNCTION(both_rows) = {.in = &total_row, .sink = take_total, .topology = &writes_both};

static int run_with_other(const struct tw_function *f, char *error, size_t size)
{
    static const struct total one = {TW_STR("one"), 1, 1};
    struct tw_env *env = quiet_env();
    struct tw_stream *other = tw_from_data(env, &total_row, &one, 1), **at = &other;

    tw_with_config(tw_sink_function(tw_from_data(env, &total_row, &one, 1), "ledger", f), &at, sizeof at);
    tw_sink(other, "others", "blackhole", TW_NO_OPTIONS);
    int answer = tw_execute(env, "others");
    snprintf(error, size, "%s", tw_error(env));
    tw_env_free(env);
    return answer;
}

static void what_is_not_made_of_the_input_is_refused(void **state)
{
    char error[1024];

    (void)state;
    assert_int_equal(run_with_other(&other_rows, error, sizeof error), 1);
    assert_non_null(strstr(error, "topology.pre_write of function 'other_rows' must answer a stream that it built out of the one"));
    assert_int_equal(run_with_other(&other_commits, error, sizeof error), 1);
    assert_non_null(strstr(error, "topology.pre_commit of function 'other_commits' must answer a stream that it built out of"));
    assert_int_equal(run_with_other(&both_rows, error, sizeof error), 0);
}

static void mistakes(void **state)
{
    static const struct {
        const struct tw_function *f;
        const char *error;
    } cases[] = {
        {&no_answer,
         "topology.pre_commit of function 'no_answer' must answer a stream that it built out of the one it was given"},
        {&no_rows, "topology.pre_write of function 'no_rows' must answer a stream"},
        {&wrong_type, "field 'name' is not in stream 'Sink: ledger: Writer'"},
        {&no_maker, "function 'no_maker': .write_result needs a .pre_commit that makes committables out of it"},
        {&no_field, "column 'nothing' is not in the stream (has: value)"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tw_env *env = quiet_env();
        tw_sink_function(tw_from_sequence(env, 1, 1), "ledger", cases[i].f);
        assert_int_equal(tw_execute(env, "mistake"), 1);
        if (strstr(tw_error(env), cases[i].error) == NULL) assert_string_equal(tw_error(env), cases[i].error);
        tw_env_free(env);
    }
}

static void nothing_comes_out_of_a_sink(void **state)
{
    (void)state;
    for (int side = 0; side < 2; side++) {
        struct tw_env *env = quiet_env();
        struct tw_stream *s = tw_sink_function(tw_from_sequence(env, 1, 1), "ledger", &ledger);
        tw_print(side ? tw_side(s, "late") : s);
        assert_int_equal(tw_execute(env, "mistake"), 1);
        assert_non_null(strstr(tw_error(env), "'Sink: ledger' has no output"));
        tw_env_free(env);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_committer_for_all),
        cmocka_unit_test(what_is_tried_again_is_seen_when_it_is_committed),
        cmocka_unit_test(a_failed_commit_is_not_seen),
        cmocka_unit_test(many_committables),
        cmocka_unit_test(before_the_writer_only),
        cmocka_unit_test(the_plan_shows_it),
        cmocka_unit_test(sinks_behind_sinks),
        cmocka_unit_test(in_a_harness),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(what_is_not_made_of_the_input_is_refused),
        cmocka_unit_test(nothing_comes_out_of_a_sink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
