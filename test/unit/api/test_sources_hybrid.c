/* test_sources_hybrid.c - hybrid sources of the user: order of the parts, the end of one as the start of the next, backlog,
 * what goes wrong at the change; and alignment of sources whose splits cannot pause. */
#include <thalweg/thalweg.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct number {
    int64_t value, time;
};
TW_ROW(number, TW_FIELD(number, value, "BIGINT NOT NULL"), TW_FIELD(number, time, "TIMESTAMP(3) NOT NULL"));

/* What both parts tell the test, which gives itself as the function's configuration. */
struct book {
    atomic_int old_finished, new_finished, early;
    char text[400];
    const char *end; /* of the old part; NULL: it does not say */
    size_t end_size;
    bool end_fails, start_fails, says_backlog;
};
static struct book *book_of(struct tw_context *cx) { return *(struct book *const *)(const void *)tw_config(cx).data; }

/* Called under the enumerator's lock. */
static void note(struct book *b, const char *format, ...)
{
    size_t used = strlen(b->text);
    va_list args;

    va_start(args, format);
    vsnprintf(b->text + used, sizeof b->text - used, format, args);
    va_end(args);
}

/* --- the old part: three splits of four numbers ------------------------------------------------------------------------ */
struct list {
    int64_t given, from;
};
struct run {
    int64_t next, end;
};

static enum tw_status old_start(struct tw_context *cx, void *enumerator)
{
    (void)enumerator;
    note(book_of(cx), "old(%zu) ", tw_start_position(cx).size);
    return TW_OK;
}
static enum tw_status give_split(struct tw_context *cx, struct list *l, int64_t splits, struct tw_split *split,
                                 bool *end)
{
    static const char *const names[] = {"a", "b", "c"};
    static const int64_t numbers[] = {0, 1, 2};

    (void)cx;
    *end = l->given == splits;
    if (*end) return TW_OK;
    *split = (struct tw_split){names[l->given], {(const char *)&numbers[l->given], sizeof numbers[0]}};
    l->given++;
    return TW_OK;
}
static enum tw_status old_next(struct tw_context *cx, void *enumerator, uint32_t subtask, struct tw_split *split,
                               bool *end)
{
    (void)subtask;
    return give_split(cx, enumerator, 3, split, end);
}
static void old_finished(struct tw_context *cx, void *enumerator, const char *id)
{
    (void)enumerator;
    if (strlen(id) == 1) atomic_fetch_add(&book_of(cx)->old_finished, 1);
}
static void old_stop(struct tw_context *cx, void *enumerator)
{
    (void)enumerator;
    note(book_of(cx), "stop ");
}
static enum tw_status old_end(struct tw_context *cx, void *enumerator, struct tw_str *position)
{
    struct book *b = book_of(cx);

    (void)enumerator;
    note(b, "end%d ", b->old_finished);
    if (b->end_fails) return tw_fail(cx, "nobody knows where");
    if (b->end != NULL) *position = (struct tw_str){b->end, b->end_size};
    return TW_OK;
}
static enum tw_status open_run(struct tw_context *cx, void *split, const struct tw_split *what)
{
    struct run *r = split;
    int64_t number;

    if (strlen(what->id) != 1 || what->position.size != sizeof number) return tw_fail(cx, "strange split %s", what->id);
    memcpy(&number, what->position.data, sizeof number);
    *r = (struct run){number * 4 + 1, number * 4 + 5};
    return TW_OK;
}
static enum tw_status read_run(struct tw_context *cx, void *split, void *rows, uint32_t max, uint32_t *count, bool *end)
{
    struct run *r = split;

    (void)cx;
    for (; *count < max && *count < 2 && r->next < r->end; ++*count, r->next++)
        ((struct number *)rows)[*count] = (struct number){r->next, r->next * 1000};
    *end = r->next == r->end;
    return TW_OK;
}
static const struct tw_splits old_part = {.enumerator_size = sizeof(struct list),
                                          .start = old_start,
                                          .next = old_next,
                                          .finished = old_finished,
                                          .stop = old_stop,
                                          .end_position = old_end,
                                          .split_size = sizeof(struct run),
                                          .at_once = 2,
                                          .open = open_run,
                                          .read = read_run};

/* --- the new part goes on from there: two splits -------------------------------------------------------------------------- */
static enum tw_status new_start(struct tw_context *cx, void *enumerator)
{
    struct tw_str from = tw_start_position(cx);

    (void)enumerator;
    note(book_of(cx), "new(%.*s) ", (int)from.size, from.data);
    return book_of(cx)->start_fails ? tw_fail(cx, "nothing new") : TW_OK;
}
static enum tw_status new_next(struct tw_context *cx, void *enumerator, uint32_t subtask, struct tw_split *split,
                               bool *end)
{
    (void)subtask;
    if (book_of(cx)->old_finished != 3) atomic_fetch_add(&book_of(cx)->early, 1);
    if (book_of(cx)->says_backlog) tw_backlog(cx, true);
    return give_split(cx, enumerator, 2, split, end);
}
static enum tw_status open_new(struct tw_context *cx, void *split, const struct tw_split *what)
{
    struct run *r = split;
    enum tw_status st = open_run(cx, split, what);

    *r = (struct run){r->next + 100, r->end + 100};
    return st;
}
static void new_finished(struct tw_context *cx, void *enumerator, const char *id)
{
    (void)enumerator, (void)id;
    atomic_fetch_add(&book_of(cx)->new_finished, 1);
}
static const struct tw_splits new_part = {.enumerator_size = sizeof(struct list),
                                          .start = new_start,
                                          .next = new_next,
                                          .finished = new_finished,
                                          .split_size = sizeof(struct run),
                                          .open = open_new,
                                          .read = read_run};
static const struct tw_splits *const both[] = {&old_part, &new_part, NULL};
static const struct tw_splits hybrid = {.parts = both};
TW_FUNCTION(old_then_new) = {.out = &number_row, .splits = &hybrid};

static void add_up(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms)
{
    (void)kind, (void)time_ms;
    *(int64_t *)arg += ((const struct number *)row)->value;
}

static struct tw_env *quiet_env(void)
{
    struct tw_env *env = tw_env_create();

    tw_quiet(env, true);
    return env;
}

/* Runs the hybrid source; answers the sum of its numbers, -1 after a failure. */
static int64_t run(struct book *b, uint32_t parallelism, char *error, struct tw_metric_value *backlog)
{
    struct tw_env *env = quiet_env();
    int64_t sum = 0;

    tw_set_parallelism(env, parallelism);
    struct tw_stream *s = tw_source_function(env, "numbers", &old_then_new);
    tw_collect_to(tw_with_config(s, &b, sizeof b), &number_row, add_up, &sum);
    if (tw_execute(env, "hybrid") != 0) sum = -1;
    snprintf(error, 500, "%s", tw_error(env));
    if (backlog != NULL)
        assert_true(tw_find_metric(env, "Source: numbers", 0, "enumerator.isProcessingBacklog", backlog));
    tw_env_free(env);
    return sum;
}

static void one_after_the_other(void **state)
{
    char error[500];
    struct tw_metric_value backlog;

    (void)state;
    for (uint32_t parallelism = 1; parallelism <= 4; parallelism++) {
        struct book b = {.end = "twelve", .end_size = 6, .says_backlog = parallelism == 4};
        assert_int_equal(run(&b, parallelism, error, &backlog), 12 * 13 / 2 + 8 * 9 / 2 + 800);
        assert_string_equal(error, "");
        assert_string_equal(b.text, "old(0) end3 stop new(twelve) ");
        assert_int_equal(b.new_finished, 2);
        assert_int_equal(b.early, 0);
        assert_int_equal(backlog.kind, TW_GAUGE);
        assert_true(backlog.value ==
                    (parallelism == 4)); /* over after the old part, unless the new one says otherwise */
    }
    struct book silent = {0};
    assert_int_equal(run(&silent, 2, error, NULL), 12 * 13 / 2 + 8 * 9 / 2 + 800);
    assert_string_equal(silent.text, "old(0) end3 stop new() ");
}

static void what_fails_at_the_change(void **state)
{
    static char large[65 * 1024];
    struct book end = {.end_fails = true}, start = {.start_fails = true},
                size = {.end = large, .end_size = sizeof large};
    struct tw_metric_value backlog;
    char error[500];

    (void)state;
    assert_int_equal(run(&end, 1, error, &backlog), -1);
    assert_string_equal(error, "job 'hybrid' failed: operator 'Source: numbers' (subtask 1/1): nobody knows where");
    assert_string_equal(end.text, "old(0) end3 stop ");
    assert_true(backlog.value == 1);
    assert_int_equal(run(&start, 1, error, NULL), -1);
    assert_string_equal(error, "job 'hybrid' failed: operator 'Source: numbers' (subtask 1/1): nothing new");
    assert_string_equal(start.text, "old(0) end3 stop new() ");
    assert_int_equal(run(&size, 1, error, NULL), -1);
    assert_string_equal(error,
                        "job 'hybrid' failed: operator 'Source: numbers' (subtask 1/1): function 'old_then_new': an "
                        "end position of at most 65536 bytes");
}

/* --- hybrid of connectors ------------------------------------------------------------------------------------------------ */
static enum tw_status fail_at_configured(struct tw_context *cx, const void *in, bool *keep)
{
    int64_t at;

    memcpy(&at, tw_config(cx).data, sizeof at);
    *keep = false;
    return ((const struct number *)in)->value == at ? tw_fail(cx, "here") : TW_OK;
}
static const struct tw_field value_only[] = {TW_FIELD(number, value, "BIGINT NOT NULL")};
static const struct tw_row value_row = {"number", sizeof(struct number), 1, value_only};
TW_FUNCTION(fails_at) = {.in = &value_row, .filter = fail_at_configured};

static double connector_backlog(int64_t fail_at)
{
    struct tw_env *env = quiet_env();
    struct tw_metric_value backlog;
    int64_t sum = 0;

    struct tw_stream *s = tw_source(env, "numbers", "hybrid",
                                    TW_OPTIONS("source-identifiers", "old,new", "old.connector", "sequence", "old.from",
                                               "1", "old.to", "10", "new.connector", "sequence", "new.from", "11",
                                               "new.to", "20"));
    tw_collect_to(tw_with_config(tw_filter(s, &fails_at), &fail_at, sizeof fail_at), &value_row, add_up, &sum);
    assert_int_equal(tw_execute(env, "connectors"), fail_at > 20 ? 0 : 1);
    assert_true(tw_find_metric(env, "Source: numbers", 0, "enumerator.isProcessingBacklog", &backlog));
    tw_env_free(env);
    return backlog.value;
}

static void backlog_of_connectors(void **state)
{
    (void)state;
    assert_true(connector_backlog(3) == 1);
    assert_true(connector_backlog(13) == 0);
    assert_true(connector_backlog(99) == 0);
}

/* --- mistakes -------------------------------------------------------------------------------------------------------------- */
static enum tw_status backlog_in_read(struct tw_context *cx, void *split, void *rows, uint32_t max, uint32_t *count,
                                      bool *end)
{
    (void)split, (void)rows, (void)max, (void)count, (void)end;
    tw_backlog(cx, true);
    return TW_OK;
}
static const struct tw_splits *const nothing[] = {NULL}, *const nested[] = {&hybrid, NULL};
static const struct tw_splits no_read = {.next = old_next}, reads_badly = {.enumerator_size = sizeof(struct list),
                                                                           .next = old_next,
                                                                           .read = backlog_in_read};
static const struct tw_splits *const unread[] = {&old_part, &no_read, NULL};
static const struct tw_splits empty = {.parts = nothing}, deep = {.parts = nested}, lacks = {.parts = unread},
                              mixed = {.parts = both, .read = read_run};
TW_FUNCTION(h_empty) = {.out = &number_row, .splits = &empty};
TW_FUNCTION(h_deep) = {.out = &number_row, .splits = &deep};
TW_FUNCTION(h_lacks) = {.out = &number_row, .splits = &lacks};
TW_FUNCTION(h_mixed) = {.out = &number_row, .splits = &mixed};
TW_FUNCTION(h_backlog) = {.out = &number_row, .splits = &reads_badly};

static void mistakes(void **state)
{
    static const struct {
        const struct tw_function *f;
        const char *error;
    } cases[] = {
        {&h_empty, "function 'h_empty': a hybrid source has 1 to 16 parts"},
        {&h_deep, "function 'h_deep': a part of a hybrid source is no hybrid source"},
        {&h_lacks, "function 'h_lacks': a part has no .read"},
        {&h_mixed, "function 'h_mixed': splits with .parts have no hooks of their own"},
        {&h_backlog, "tw_backlog is for the hooks of an enumerator"},
    };
    int64_t sum = 0;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tw_env *env = quiet_env();
        struct book b = {0}, *at = &b;
        struct tw_stream *s = tw_source_function(env, "numbers", cases[i].f);
        tw_collect_to(tw_with_config(s, &at, sizeof at), &number_row, add_up, &sum);
        assert_int_equal(tw_execute(env, "mistake"), 1);
        if (strstr(tw_error(env), cases[i].error) == NULL) assert_string_equal(tw_error(env), cases[i].error);
        tw_env_free(env);
    }
}

/* --- splits that cannot pause ----------------------------------------------------------------------------------------------- */
/* Split "a" races ahead; "b" has nothing before "a" is at its end. So held up one by one, "a" would wait for ever. */
static enum tw_status race_next(struct tw_context *cx, void *enumerator, uint32_t subtask, struct tw_split *split,
                                bool *end)
{
    (void)subtask;
    return give_split(cx, enumerator, 2, split, end);
}
static enum tw_status race_read(struct tw_context *cx, void *split, void *rows, uint32_t max, uint32_t *count,
                                bool *end)
{
    struct run *r = split;
    bool is_second = r->end == 9;

    if (is_second && book_of(cx)->old_finished == 0) {
        tw_ask_again(cx, tw_now_ms(cx) + 1);
        return TW_OK;
    }
    enum tw_status st = read_run(cx, split, rows, max < 1 ? max : 1, count, end);
    if (*end && !is_second) atomic_fetch_add(&book_of(cx)->old_finished, 1);
    return st;
}
static const struct tw_splits race = {.enumerator_size = sizeof(struct list),
                                      .next = race_next,
                                      .split_size = sizeof(struct run),
                                      .at_once = 2,
                                      .open = open_run,
                                      .read = race_read,
                                      .cannot_pause = true};
TW_FUNCTION(races) = {.out = &number_row, .splits = &race};

static int race_run(const char *allowed, bool aligned, int64_t *sum, char *error)
{
    struct tw_env *env = quiet_env();
    struct book b = {0}, *at = &b;

    *sum = 0;
    if (allowed != NULL) tw_set(env, "pipeline.watermark-alignment.allow-unaligned-source-splits", allowed);
    struct tw_stream *s = tw_with_config(tw_source_function(env, "numbers", &races), &at, sizeof at);
    s = tw_with_watermarks(s, .kind = TW_WM_MONOTONOUS, .time_field = "time", .every_rows = 1,
                           .alignment_group = aligned ? "g" : NULL, .alignment_max_drift_ms = aligned ? 1 : 0,
                           .alignment_interval_ms = aligned ? 1 : 0);
    tw_collect_to(s, &number_row, add_up, sum);
    int failed = tw_execute(env, "race");
    snprintf(error, 500, "%s", tw_error(env));
    tw_env_free(env);
    return failed;
}

static void splits_that_cannot_pause(void **state)
{
    static const char refused[] = "job 'race' failed: operator 'Source: numbers' (subtask 1/1): watermark alignment "
                                  "needs splits that can pause one by "
                                  "one, and those of this source cannot; read one split at a time, or set "
                                  "pipeline.watermark-alignment.allow-unaligned-source-splits";
    int64_t sum;
    char error[500];

    (void)state;
    assert_int_equal(race_run(NULL, true, &sum, error), 1);
    assert_string_equal(error, refused);
    assert_int_equal(race_run("false", true, &sum, error), 1);
    assert_string_equal(error, refused);
    assert_int_equal(race_run(NULL, false, &sum, error), 0);
    assert_int_equal(race_run("true", true, &sum, error), 0);
    assert_int_equal(sum, 36);
    assert_string_equal(error, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_after_the_other),      cmocka_unit_test(what_fails_at_the_change),
        cmocka_unit_test(backlog_of_connectors),    cmocka_unit_test(mistakes),
        cmocka_unit_test(splits_that_cannot_pause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
