/* test_sink_commits.c - sinks in two phases through the public API: when commits begin, retries, what is aborted and told
 * when a commit or the job fails, and hooks that do not fit together. */
#include <thalweg/thalweg.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct number {
    int64_t value;
};
TW_ROW(number, TW_FIELD(number, value, "BIGINT NOT NULL"));
/* A transaction: so many rows, and how often its commit was tried. */
struct transaction {
    struct tw_str name;
    int64_t rows;
};
TW_ROW(transaction, TW_FIELD(transaction, name, "STRING NOT NULL"), TW_FIELD(transaction, rows, "BIGINT NOT NULL"));

/* What happened, and what the outside system answers. */
struct book {
    char text[4096];
    const char
        *answers; /* of the commits in order: d done, b before, r retry, R retry after 100 ms, l lost, f failed, ? */
    uint32_t rows_per_transaction;
    atomic_uint prepared, committed, early; /* early: a commit before everybody had prepared */
    uint32_t subtasks;
};
struct writer {
    struct transaction open[8];
    char names[8][16];
    uint32_t count;
    int64_t rows;
};

static struct book *book_of(struct tw_context *cx) { return *(struct book *const *)(const void *)tw_config(cx).data; }

static void note(struct book *b, const char *format, ...)
{
    size_t used = strlen(b->text);
    va_list args;

    va_start(args, format);
    vsnprintf(b->text + used, sizeof b->text - used, format, args);
    va_end(args);
}

static enum tw_status write_row(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    struct writer *w = tw_self(cx);
    struct book *b = book_of(cx);

    (void)in, (void)kind;
    if (w->rows++ % b->rows_per_transaction == 0 && w->count < 8) {
        snprintf(w->names[w->count], sizeof w->names[0], "tx-%u", w->count);
        w->open[w->count] = (struct transaction){tw_str_of(w->names[w->count]), 0};
        w->count++;
    }
    w->open[w->count - 1].rows++;
    return TW_OK;
}

static enum tw_status flush(struct tw_context *cx)
{
    if (tw_input_ended(cx)) note(book_of(cx), "flush ");
    return TW_OK;
}

static enum tw_status prepare(struct tw_context *cx)
{
    struct writer *w = tw_self(cx);

    for (uint32_t i = 0; i < w->count; i++) tw_committable(cx, &w->open[i]);
    memset(w->names, '!', sizeof w->names); /* strings were copied */
    note(book_of(cx), "prepare%u ", w->count);
    atomic_fetch_add(&book_of(cx)->prepared, 1);
    return TW_OK;
}

static enum tw_status commit(struct tw_context *cx, void *committable, struct tw_commit *c)
{
    struct transaction *t = committable;
    struct book *b = book_of(cx);
    char answer = *b->answers != '\0' ? *b->answers++ : 'd';

    note(b, "%.*s:%ld/%u%c ", (int)t->name.size, t->name.data, (long)t->rows, c->retries, answer);
    if (answer == 'f') return tw_fail(cx, "no answer");
    c->retry_after_ms = answer == 'R' ? 100 : 0;
    if (answer == 'r' || answer == 'R') t->rows += 100; /* what a commit changes is kept for the next try */
    c->answer = answer == 'd'   ? TW_COMMITTED
                : answer == 'b' ? TW_COMMITTED_BEFORE
                : answer == 'l' ? TW_LOST
                : answer == '?' ? (enum tw_commit_answer)77
                                : TW_RETRY_LATER;
    return TW_OK;
}

static void give_up(struct tw_context *cx, const void *committable)
{
    const struct transaction *t = committable;

    note(book_of(cx), "abort-%.*s:%ld ", (int)t->name.size, t->name.data, (long)t->rows);
}
static void close_it(struct tw_context *cx) { note(book_of(cx), "close"); }

TW_FUNCTION(ledger) = {.in = &number_row,
                       .committable = &transaction_row,
                       .self_size = sizeof(struct writer),
                       .sink = write_row,
                       .flush = flush,
                       .prepare_commit = prepare,
                       .commit = commit,
                       .abort_commit = give_up,
                       .close = close_it};

static void sink_to(struct tw_stream *s, struct book *b)
{
    tw_with_config(tw_sink_function(s, "ledger", &ledger), &b, sizeof b);
}

static struct tw_env *quiet_env(void)
{
    struct tw_env *env = tw_env_create();

    tw_quiet(env, true);
    return env;
}

/* The sink's own counters say what the text says: its answers stand in front of blanks. */
static void count_committables(struct tw_env *env, const char *text)
{
    static const struct {
        const char *name, *answers;
    } counters[] = {{"successfulCommittables", "d"},
                    {"alreadyCommittedCommittables", "b"},
                    {"failedCommittables", "fl?"},
                    {"retriedCommittables", "rR"}};
    struct tw_metric_value v;

    assert_true(tw_find_metric(env, "Sink: ledger", 0, "totalCommittables", &v));
    assert_int_equal(v.count, 3);
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
        int64_t expected = 0;
        for (const char *at = strchr(text, '/'); at != NULL; at = strchr(at + 1, '/'))
            expected += strchr(counters[i].answers, at[2]) != NULL;
        assert_true(tw_find_metric(env, "Sink: ledger", 0, counters[i].name, &v));
        assert_int_equal(v.count, expected);
    }
}

/* Rows 1 to 6, two to a transaction. */
static void expect(const char *answers, const char *retries, const char *text, const char *error)
{
    struct book b = {.answers = answers, .rows_per_transaction = 2};
    struct tw_env *env = quiet_env();

    if (retries != NULL) tw_set(env, "sink.committer.retries", retries);
    sink_to(tw_from_sequence(env, 1, 6), &b);
    assert_int_equal(tw_execute(env, "commits"), error == NULL ? 0 : 1);
    assert_string_equal(b.text, text);
    assert_string_equal(tw_error(env), error == NULL ? "" : error);
    count_committables(env, text);
    tw_env_free(env);
}

static void commits_at_the_end(void **state)
{
    (void)state;
    expect("", NULL, "flush prepare3 tx-0:2/0d tx-1:2/0d tx-2:2/0d close", NULL);
    expect("dbd", NULL, "flush prepare3 tx-0:2/0d tx-1:2/0b tx-2:2/0d close", NULL);
}

static void retries_come_in_rounds(void **state)
{
    (void)state;
    expect("rdrr", NULL, "flush prepare3 tx-0:2/0r tx-1:2/0d tx-2:2/0r tx-0:102/1r tx-2:102/1d tx-0:202/2d close",
           NULL);
    expect("drdRd", NULL, "flush prepare3 tx-0:2/0d tx-1:2/0r tx-2:2/0d tx-1:102/1R tx-1:202/2d close", NULL);
}

static void retries_are_counted(void **state)
{
    (void)state;
    expect("drdrr", "2", "flush prepare3 tx-0:2/0d tx-1:2/0r tx-2:2/0d tx-1:102/1r tx-1:202/2r abort-tx-1:302 close",
           "job 'commits' failed: operator 'Sink: ledger' (subtask 1/1): commit (2 of 3 are committed): 1 could not be "
           "committed in 2 retries (sink.committer.retries)");
    expect("rrr", "0",
           "flush prepare3 tx-0:2/0r tx-1:2/0r tx-2:2/0r abort-tx-0:102 abort-tx-1:102 abort-tx-2:102 close",
           "job 'commits' failed: operator 'Sink: ledger' (subtask 1/1): commit (0 of 3 are committed): 3 could not be "
           "committed in 0 retries (sink.committer.retries)");
}

static void failed_commits(void **state)
{
    (void)state;
    expect(
        "rf", NULL, "flush prepare3 tx-0:2/0r tx-1:2/0f abort-tx-2:2 abort-tx-0:102 close",
        "job 'commits' failed: operator 'Sink: ledger' (subtask 1/1): commit (0 of 3 are committed): row +I[tx-1, 2]: "
        "no answer");
    expect(
        "ddl", NULL, "flush prepare3 tx-0:2/0d tx-1:2/0d tx-2:2/0l close",
        "job 'commits' failed: operator 'Sink: ledger' (subtask 1/1): commit (2 of 3 are committed): row +I[tx-2, 2]: "
        "it is lost: it cannot be committed any more");
    expect(
        "?", NULL, "flush prepare3 tx-0:2/0? abort-tx-1:2 abort-tx-2:2 close",
        "job 'commits' failed: operator 'Sink: ledger' (subtask 1/1): commit (0 of 3 are committed): row +I[tx-0, 2]: "
        "function 'ledger' answered 77, which is no answer of .commit");
}

/* --- the job fails before ------------------------------------------------------------------------------------------------- */
static enum tw_status fail_when_prepared(struct tw_context *cx, void *rows, uint32_t max, uint32_t *count, bool *end)
{
    (void)rows, (void)max, (void)count, (void)end;
    return atomic_load(&book_of(cx)->prepared) > 0 ? tw_fail(cx, "the other one is prepared") : TW_OK;
}
TW_FUNCTION(fails_late) = {.out = &number_row, .source = fail_when_prepared};

static enum tw_status take_any(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    (void)cx, (void)in, (void)kind;
    return TW_OK;
}
TW_FUNCTION(takes_any) = {.in = &number_row, .sink = take_any};

static void job_failure_aborts(void **state)
{
    struct book b = {.answers = "", .rows_per_transaction = 3}, *at = &b;
    struct tw_env *env = quiet_env();

    (void)state;
    sink_to(tw_from_sequence(env, 1, 5), &b);
    tw_sink_function(tw_with_config(tw_source_function(env, "late", &fails_late), &at, sizeof at), "any", &takes_any);
    assert_int_equal(tw_execute(env, "aborts"), 1);
    assert_string_equal(tw_error(env), "job 'aborts' failed: operator 'Source: late' (subtask 1/1): the other one is "
                                       "prepared");
    assert_string_equal(b.text, "flush prepare2 abort-tx-0:3 abort-tx-1:2 close");
    tw_env_free(env);
}

static enum tw_status prepare_and_fail(struct tw_context *cx)
{
    struct transaction t = {TW_STR("half"), 1};

    tw_committable(cx, &t);
    return tw_fail(cx, "cannot prepare more");
}
TW_FUNCTION(fails_preparing) = {.in = &number_row,
                                .committable = &transaction_row,
                                .sink = take_any,
                                .prepare_commit = prepare_and_fail,
                                .commit = commit,
                                .abort_commit = give_up};

static void failed_preparation_aborts_what_it_gave(void **state)
{
    struct book b = {.answers = ""}, *at = &b;
    struct tw_env *env = quiet_env();

    (void)state;
    tw_with_config(tw_sink_function(tw_from_sequence(env, 1, 5), "half", &fails_preparing), &at, sizeof at);
    assert_int_equal(tw_execute(env, "aborts"), 1);
    assert_string_equal(tw_error(env), "job 'aborts' failed: operator 'Sink: half' (subtask 1/1): cannot prepare more");
    assert_string_equal(b.text, "abort-half:1 ");
    tw_env_free(env);
}

/* --- several subtasks ------------------------------------------------------------------------------------------------------ */
static enum tw_status prepare_counted(struct tw_context *cx)
{
    struct transaction t = {TW_STR("t"), 1};

    tw_committable(cx, &t);
    atomic_fetch_add(&book_of(cx)->prepared, 1);
    return TW_OK;
}
static enum tw_status commit_counted(struct tw_context *cx, void *committable, struct tw_commit *c)
{
    struct book *b = book_of(cx);

    (void)committable, (void)c;
    if (atomic_load(&b->prepared) < b->subtasks) atomic_fetch_add(&b->early, 1);
    atomic_fetch_add(&b->committed, 1);
    return TW_OK;
}
TW_FUNCTION(counted) = {.in = &number_row,
                        .committable = &transaction_row,
                        .sink = take_any,
                        .prepare_commit = prepare_counted,
                        .commit = commit_counted};

/* Two sinks behind one source, chained to it or not: 4 + 4 subtasks, none commits before all have prepared. */
static void nobody_commits_before_all_prepared(void **state)
{
    struct book b = {.subtasks = 8}, *at = &b;
    struct tw_env *env = quiet_env();

    (void)state;
    tw_set_parallelism(env, 4);
    struct tw_stream *s = tw_from_sequence(env, 1, 1000);
    tw_with_config(tw_sink_function(s, "one", &counted), &at, sizeof at);
    tw_with_config(tw_sink_function(tw_rebalance(s), "two", &counted), &at, sizeof at);
    assert_int_equal(tw_execute(env, "counts"), 0);
    assert_int_equal(b.committed, 8);
    assert_int_equal(b.early, 0);
    tw_env_free(env);
}

/* --- in the harness --------------------------------------------------------------------------------------------------------- */
static enum tw_status see_watermark(struct tw_context *cx, int64_t watermark)
{
    if (watermark == TW_MAX_WATERMARK)
        note(book_of(cx), "Wmax ");
    else
        note(book_of(cx), "W%ld ", (long)watermark);
    return TW_OK;
}
TW_FUNCTION(watched_ledger) = {.in = &number_row,
                               .committable = &transaction_row,
                               .self_size = sizeof(struct writer),
                               .sink = write_row,
                               .sink_watermark = see_watermark,
                               .prepare_commit = prepare,
                               .commit = commit};

static struct tw_stream *watched(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    struct book *b = arg;

    (void)in2;
    return tw_with_config(tw_sink_function(in, "ledger", &watched_ledger), &b, sizeof b);
}

static void retry_waits_for_its_time(void **state)
{
    struct book b = {.answers = "Rd", .rows_per_transaction = 2};
    struct tw_harness *h = tw_harness_create(watched, &b, &number_row, NULL);

    (void)state;
    assert_int_equal(tw_push(h, 0, &(struct number){1}, 1000), 0);
    assert_int_equal(tw_push_watermark(h, 0, 999), 0);
    assert_int_equal(tw_push_end(h), 0);
    assert_string_equal(b.text, "W999 Wmax prepare1 tx-0:1/0R ");
    assert_int_equal(tw_set_processing_time(h, 99), 0);
    assert_string_equal(b.text, "W999 Wmax prepare1 tx-0:1/0R ");
    assert_int_equal(tw_set_processing_time(h, 100), 0);
    assert_string_equal(b.text, "W999 Wmax prepare1 tx-0:1/0R tx-0:101/1d ");
    assert_string_equal(tw_harness_error(h), "");
    tw_harness_free(h);
}

/* --- mistakes ---------------------------------------------------------------------------------------------------------------- */
static enum tw_status give_committable(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    (void)in, (void)kind;
    tw_committable(cx, &(struct transaction){TW_STR("x"), 1});
    return TW_OK;
}
static enum tw_status give_state(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    (void)in, (void)kind;
    tw_writer_state(cx, in);
    return TW_OK;
}
static enum tw_status snapshot(struct tw_context *cx, int64_t checkpoint)
{
    (void)cx, (void)checkpoint;
    return TW_OK;
}
TW_FUNCTION(gives_early) = {.in = &number_row, .sink = give_committable};
TW_FUNCTION(gives_state) = {.in = &number_row, .sink = give_state};
TW_FUNCTION(no_commit) = {
    .in = &number_row, .sink = take_any, .committable = &transaction_row, .prepare_commit = prepare_counted};
TW_FUNCTION(no_prepare) = {
    .in = &number_row, .sink = take_any, .committable = &transaction_row, .commit = commit_counted};
TW_FUNCTION(no_committable) = {
    .in = &number_row, .sink = take_any, .prepare_commit = prepare_counted, .commit = commit_counted};
TW_FUNCTION(no_restore) = {.in = &number_row, .sink = take_any, .writer_state = &number_row, .snapshot = snapshot};
static struct tw_stream *as_it_is(struct tw_stream *s, struct tw_str config)
{
    (void)config;
    return s;
}
static const struct tw_sink_topology passes = {.pre_commit = as_it_is};
TW_FUNCTION(has_topology) = {.in = &number_row, .sink = take_any, .topology = &passes};

static void mistakes(void **state)
{
    static const struct {
        const struct tw_function *f;
        const char *error;
    } cases[] = {
        {&gives_early, "tw_committable is for .prepare_commit of a sink"},
        {&gives_state, "tw_writer_state is for .snapshot of a sink"},
        {&no_commit, "function 'no_commit' cannot be used here: it has no .commit;"},
        {&no_prepare, "function 'no_prepare' cannot be used here: it has no .prepare_commit;"},
        {&no_committable, "function 'no_committable' cannot be used here: it has no .committable;"},
        {&no_restore, "function 'no_restore' cannot be used here: it has no .restore;"},
        {&has_topology, "function 'has_topology' cannot be used here: it has no .commit;"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tw_env *env = quiet_env();
        tw_sink_function(tw_from_sequence(env, 1, 1), "sink", cases[i].f);
        assert_int_equal(tw_execute(env, "mistake"), 1);
        if (strstr(tw_error(env), cases[i].error) == NULL) assert_string_equal(tw_error(env), cases[i].error);
        tw_env_free(env);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commits_at_the_end),
        cmocka_unit_test(retries_come_in_rounds),
        cmocka_unit_test(retries_are_counted),
        cmocka_unit_test(failed_commits),
        cmocka_unit_test(job_failure_aborts),
        cmocka_unit_test(failed_preparation_aborts_what_it_gave),
        cmocka_unit_test(nobody_commits_before_all_prepared),
        cmocka_unit_test(retry_waits_for_its_time),
        cmocka_unit_test(mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
