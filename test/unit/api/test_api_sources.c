/* test_api_sources.c - sources through the public C API, whole jobs: custom sources with splits, and records that cannot be
 * read on their way to the side output. */
#include <thalweg/thalweg.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/folder.h"

/* --- what comes out: lines, sorted, since subtasks share the work --------------------------------------------------------- */
struct lines {
    char text[64][200];
    int count;
};

static int line_compare(const void *a, const void *b) { return strcmp(a, b); }

static void expect_lines(struct lines *l, const char *expected)
{
    char all[64 * 201] = "";

    qsort(l->text, (size_t)l->count, sizeof l->text[0], line_compare);
    for (int i = 0; i < l->count; i++) {
        strcat(all, l->text[i]);
        strcat(all, "\n");
    }
    assert_string_equal(all, expected);
}

/* --- a source of pages: the third page is found only when the first two were read ------------------------------------------ */
struct item {
    struct tw_str page;
    int64_t number;
};
TW_ROW(item, TW_FIELD(item, page, "STRING NOT NULL"), TW_FIELD(item, number, "BIGINT NOT NULL"));

struct book {
    int next, finished;
};
struct page {
    char name[8];
    int64_t next, last;
};

static enum tw_status next_page(struct tw_context *cx, void *enumerator, uint32_t subtask, struct tw_split *split, bool *end)
{
    static const char *const names[] = {"a", "b", "c"}, *const ranges[] = {"1 3", "10 12", "100 101"};
    struct book *b = enumerator;

    (void)subtask;
    if (b->next == 3) {
        *end = true;
        return TW_OK;
    }
    if (b->next == 2 && b->finished < 2) {
        tw_ask_again(cx, tw_now_ms(cx) + 2);
        return TW_OK;
    }
    *split = (struct tw_split){names[b->next], tw_str_of(ranges[b->next])};
    b->next++;
    return TW_OK;
}

static void page_finished(struct tw_context *cx, void *enumerator, const char *id)
{
    (void)cx;
    ((struct book *)enumerator)->finished += strcmp(id, "c") != 0;
}

static enum tw_status page_open(struct tw_context *cx, void *split, const struct tw_split *what)
{
    struct page *p = split;
    char text[32] = "";

    memcpy(text, what->position.data, what->position.size);
    snprintf(p->name, sizeof p->name, "%s", what->id);
    if (sscanf(text, "%ld %ld", &p->next, &p->last) != 2) return tw_fail(cx, "page '%s': bad range '%s'", what->id, text);
    tw_counter_add(cx, "pages", 1);
    tw_histogram_add(cx, "lengths", (int32_t)(p->last - p->next + 1));
    if (tw_max_subtasks(cx) != 128) return tw_fail(cx, "max parallelism is %u", tw_max_subtasks(cx));
    return TW_OK;
}

static enum tw_status page_read(struct tw_context *cx, void *split, void *rows, uint32_t max, uint32_t *count, bool *end)
{
    struct page *p = split;
    struct item *to = rows;

    (void)cx;
    for (; *count < max && *count < 2 && p->next <= p->last; ++*count)
        to[*count] = (struct item){tw_str_of(p->name), p->next++};
    *end = p->next > p->last;
    return TW_OK;
}

static const struct tw_splits page_splits = {.enumerator_size = sizeof(struct book),
                                             .next = next_page,
                                             .finished = page_finished,
                                             .split_size = sizeof(struct page),
                                             .at_once = 2,
                                             .open = page_open,
                                             .read = page_read};
TW_FUNCTION(pages) = {.out = &item_row, .splits = &page_splits};

static void take_item(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms)
{
    struct lines *l = arg;
    const struct item *i = row;

    assert_int_equal(kind, TW_INSERT);
    snprintf(l->text[l->count++], 200, "%.*s %ld @%ld", (int)i->page.size, i->page.data, i->number, time_ms);
}

static void splits_are_found_shared_and_read(void **state)
{
    (void)state;
    for (uint32_t parallelism = 1; parallelism <= 3; parallelism++) {
        struct tw_env *env = tw_env_create();
        struct lines l = {.count = 0};
        int64_t opened = 0;
        tw_quiet(env, true);
        tw_set_parallelism(env, parallelism);
        struct tw_stream *s = tw_source_function(env, "pages", &pages);
        s = tw_with_watermarks(s, .kind = TW_WM_MONOTONOUS, .time_field = "number", .alignment_group = "g",
                               .alignment_max_drift_ms = 1000);
        tw_collect_to(tw_rate_limit(s, 1e6), &item_row, take_item, &l);
        assert_int_equal(tw_execute(env, "pages"), 0);
        expect_lines(&l, "a 1 @1\na 2 @2\na 3 @3\nb 10 @10\nb 11 @11\nb 12 @12\nc 100 @100\nc 101 @101\n");
        assert_true(tw_accumulator_long(env, "pages", &opened));
        assert_int_equal(opened, 3);
        int32_t value = 0;
        int64_t count = 0;
        assert_true(tw_accumulator_histogram(env, "lengths", 0, &value, &count));
        assert_true(value == 2 && count == 1);
        assert_true(tw_accumulator_histogram(env, "lengths", 1, &value, &count));
        assert_true(value == 3 && count == 2);
        assert_false(tw_accumulator_histogram(env, "lengths", 2, &value, &count));
        assert_false(tw_accumulator_histogram(env, "pages", 0, &value, &count));
        tw_env_free(env);
    }
}

static enum tw_status next_bad(struct tw_context *cx, void *enumerator, uint32_t subtask, struct tw_split *split, bool *end)
{
    (void)cx;
    (void)enumerator;
    (void)subtask;
    (void)end;
    *split = (struct tw_split){"x", TW_STR("nonsense")};
    return TW_OK;
}
static const struct tw_splits bad_splits = {
    .next = next_bad, .split_size = sizeof(struct page), .open = page_open, .read = page_read};
TW_FUNCTION(bad_pages) = {.out = &item_row, .splits = &bad_splits};

static enum tw_status next_counts(struct tw_context *cx, void *enumerator, uint32_t subtask, struct tw_split *split, bool *end)
{
    tw_counter_add(cx, "n", 1);
    return next_bad(cx, enumerator, subtask, split, end);
}
static const struct tw_splits counting_splits = {
    .next = next_counts, .split_size = sizeof(struct page), .open = page_open, .read = page_read};
TW_FUNCTION(counting_pages) = {.out = &item_row, .splits = &counting_splits};

static const struct tw_splits no_read = {.next = next_page};
TW_FUNCTION(unreadable_pages) = {.out = &item_row, .splits = &no_read};

static void expect_failure(const struct tw_function *f, double rate, const char *part)
{
    struct tw_env *env = tw_env_create();
    struct lines l = {.count = 0};

    tw_quiet(env, true);
    tw_collect_to(tw_rate_limit(tw_source_function(env, "pages", f), rate), &item_row, take_item, &l);
    assert_int_equal(tw_execute(env, "pages"), 1);
    if (strstr(tw_error(env), part) == NULL) assert_string_equal(tw_error(env), part);
    tw_env_free(env);
}

static void mistakes_of_splits(void **state)
{
    (void)state;
    expect_failure(&bad_pages, 0, "page 'x': bad range 'nonsense'");
    expect_failure(&counting_pages, 0, "accumulator 'n': an enumerator counts nothing");
    expect_failure(&unreadable_pages, 0, "function 'unreadable_pages' cannot be used here: it has no .splits->read");
    expect_failure(&pages, -1, "a rate of -1 rows per second is not possible");
}

/* --- dead letters ----------------------------------------------------------------------------------------------------------- */
struct number {
    int32_t n;
};
TW_ROW(number, TW_FIELD(number, n, "INT NOT NULL"));
struct letter {
    struct tw_str position, reason, raw;
};
TW_ROW(letter, TW_FIELD(letter, position, "STRING NOT NULL"), TW_FIELD(letter, reason, "STRING NOT NULL"),
       TW_FIELD(letter, raw, "BYTES NOT NULL"));

static void take_number(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms)
{
    struct lines *l = arg;

    (void)kind;
    (void)time_ms;
    snprintf(l->text[l->count++], 200, "row %d", ((const struct number *)row)->n);
}

static void take_letter(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms)
{
    struct lines *l = arg;
    const struct letter *x = row;
    const char *slash = memrchr(x->position.data, '/', x->position.size);
    size_t before = slash == NULL ? 0 : (size_t)(slash + 1 - x->position.data);

    (void)kind;
    (void)time_ms;
    snprintf(l->text[l->count++], 200, "letter %.*s|%.*s|%.*s", (int)(x->position.size - before),
             x->position.data + before, (int)x->reason.size, x->reason.data, (int)x->raw.size, x->raw.data);
}

static void letters_of(const char *format, const char *content, const char *on_error, struct lines *l, int expected, char *error)
{
    struct tw_env *env = tw_env_create();
    struct folder f;

    l->count = 0;
    folder_make(&f);
    folder_write(&f, "in.txt", content);
    tw_quiet(env, true);
    struct tw_stream *s = tw_source_rows(env, "in", "filesystem", &number_row,
                                         TW_OPTIONS("path", folder_path(&f, "in.txt"), "format", format, "on-error", on_error));
    tw_collect_to(s, &number_row, take_number, l);
    tw_collect_to(tw_side(s, "dead-letter"), &letter_row, take_letter, l);
    assert_int_equal(tw_execute(env, "letters"), expected);
    snprintf(error, 600, "%s", tw_error(env));
    tw_env_free(env);
    folder_remove(&f);
}

static void records_that_cannot_be_read(void **state)
{
    struct lines l;
    char error[600];

    (void)state;
    letters_of("csv", "1\nx\n3\n", "dead-letter", &l, 0, error);
    expect_lines(&l, "letter in.txt:2:1|column 'n' (INT): 'x' is not a whole number|x\nrow 1\nrow 3\n");
    letters_of("json", "{\"n\":1}\n{\"n\":\n{\"n\":3}\n", "dead-letter", &l, 0, error);
    expect_lines(&l, "letter in.txt:2:6|expected a value, but the record ends here; it may be cut off|{\"n\":\nrow 1\nrow 3\n");
    letters_of("raw", "abcdabceab", "dead-letter", &l, 0, error);
    expect_lines(&l, "letter in.txt@8:1|column 'n' (INT): expected 4 bytes, found 2|ab\nrow 1633837924\nrow 1633837925\n");
    letters_of("csv", "1\nx\n3\n", "skip", &l, 0, error);
    expect_lines(&l, "row 1\nrow 3\n");
    letters_of("csv", "1\nx\n3\n", "fail", &l, 1, error);
    assert_non_null(strstr(error, "in.txt:2:1"));
}

static enum tw_status subtasks_map(struct tw_context *cx, const void *in, void *out)
{
    (void)in;
    ((struct number *)out)->n = (int32_t)tw_subtasks(cx);
    return TW_OK;
}
TW_FUNCTION(subtasks) = {.in = &number_row, .out = &number_row, .map = subtasks_map};

static void run_parallel(const char *parallelism, struct lines *l, int expected, char *error)
{
    struct tw_env *env = tw_env_create();

    l->count = 0;
    tw_quiet(env, true);
    struct tw_stream *s = tw_source_rows(env, "made", "datagen", &number_row,
                                         TW_OPTIONS("number-of-rows", "2", "scan.parallelism", parallelism));
    tw_collect_to(tw_parallelism(tw_map(s, &subtasks), 3), &number_row, take_number, l);
    tw_sink(s, "gone", "blackhole", TW_OPTIONS("sink.parallelism", "2"));
    const char *plan = tw_plan(env);
    if (plan != NULL) {
        assert_non_null(strstr(plan, "\"parallelism\" : 4"));
        assert_non_null(strstr(plan, "\"parallelism\" : 2"));
    }
    assert_int_equal(tw_execute(env, "parallel"), expected);
    snprintf(error, 600, "%s", tw_error(env));
    tw_env_free(env);
}

static void parallelism_is_an_option(void **state)
{
    struct lines l;
    char error[600];

    (void)state;
    run_parallel("4", &l, 0, error);
    expect_lines(&l, "row 3\nrow 3\n");
    run_parallel("0", &l, 1, error);
    assert_non_null(strstr(error, "option 'scan.parallelism' is 0, but must be 1 to "));
    run_parallel("x", &l, 1, error);
    assert_non_null(strstr(error, "scan.parallelism"));
}

/* --- one source after another: time does not jump to its end between them -------------------------------------------------- */
struct stamp {
    int64_t at;
};
TW_ROW(stamp, TW_FIELD(stamp, at, "BIGINT NOT NULL"));

static enum tw_status show_watermark(struct tw_context *cx, const void *in)
{
    const struct stamp *s = in;
    char text[80];
    int size = snprintf(text, sizeof text, "at %ld, watermark %ld", s->at, tw_watermark(cx));

    tw_collect(cx, &(struct item){{text, (size_t)size}, s->at});
    return TW_OK;
}
TW_FUNCTION(watermarks_seen) = {.in = &stamp_row, .out = &item_row, .process = show_watermark};

static void sources_one_after_another(void **state)
{
    struct tw_env *env = tw_env_create();
    struct lines l = {.count = 0};
    struct lines letters = {.count = 0};
    struct folder f;

    (void)state;
    folder_make(&f);
    folder_write(&f, "old/1.csv", "10\nx\n20\n");
    folder_write(&f, "new/1.csv", "30\n40\n");
    tw_quiet(env, true);
    struct tw_stream *s = tw_source_rows(env, "both", "hybrid", &stamp_row,
                                         TW_OPTIONS("source-identifiers", "old,new", "old.connector", "filesystem", "old.path",
                                                    folder_path(&f, "old"), "old.format", "csv", "old.on-error", "dead-letter",
                                                    "new.connector", "filesystem", "new.path", folder_path(&f, "new"),
                                                    "new.format", "csv"));
    tw_collect_to(tw_side(s, "dead-letter"), &letter_row, take_letter, &letters);
    s = tw_with_watermarks(s, .kind = TW_WM_MONOTONOUS, .time_field = "at", .every_rows = 1);
    tw_collect_to(tw_process(s, &watermarks_seen), &item_row, take_item, &l);
    if (tw_execute(env, "hybrid") != 0) fail_msg("%s", tw_error(env));
    expect_lines(&l, "at 10, watermark -9223372036854775808 10 @10\nat 20, watermark 9 20 @20\n"
                     "at 30, watermark 19 30 @30\nat 40, watermark 29 40 @40\n");
    expect_lines(&letters, "letter 1.csv:2:1|column 'at' (BIGINT): 'x' is not a whole number|x\n");
    tw_env_free(env);
    folder_remove(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_are_found_shared_and_read),
        cmocka_unit_test(mistakes_of_splits),
        cmocka_unit_test(records_that_cannot_be_read),
        cmocka_unit_test(parallelism_is_an_option),
        cmocka_unit_test(sources_one_after_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
