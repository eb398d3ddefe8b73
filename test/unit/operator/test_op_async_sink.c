/* test_op_async_sink.c - asynchronous sinks on the driver's clock: what makes a request, where entries go that are to be tried
 * again, the rate, time limits, what fails, and what is refused. A client of the test's own notes requests and answers. */
#include "flow/operator/async_rate.h"
#include "support/op_driver.h"
#include "support/rows.h"

#include <thalweg/async_sink.h>
#include <thalweg/context.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct item {
    struct tw_str word;
    int32_t n;
};
TW_ROW(item, TW_FIELD(item, word, "STRING NOT NULL"), TW_FIELD(item, n, "INT NOT NULL"));
#define ITEMS "ROW<word STRING NOT NULL, n INT NOT NULL>"

enum { HELD_MAX = 16 };
/* Answers of requests in the order in which they were sent: d done, r the third and the first again, a all again, f failed, x a
 * number that is none, t one twice, - never. Nothing more: done. */
struct client {
    char text[4096];
    const char *answers;
    bool at_once;  /* in .submit; else in .flush, one per call */
    bool is_quiet; /* no answers, for now */
    uint32_t skip; /* nor in so many calls */
    struct tw_request *held[HELD_MAX];
    uint32_t first, count, closed;
};

static struct client *client_of(struct tw_context *cx)
{
    return *(struct client *const *)(const void *)tw_config(cx).data;
}

static void note(struct client *c, const char *format, ...)
{
    size_t used = strlen(c->text);
    va_list args;

    va_start(args, format);
    vsnprintf(c->text + used, sizeof c->text - used, format, args);
    va_end(args);
}

static void answer(struct client *c, struct tw_request *r)
{
    char with = *c->answers != '\0' ? *c->answers++ : 'd';

    if (with == '-') return;
    if (!c->at_once) note(c, "%c ", with);
    if (with == 'd') tw_request_done(r);
    if (with == 'a') tw_request_retry_all(r);
    if (with == 'r') tw_request_retry(r, (const uint32_t[]){2, 0}, 2);
    if (with == 'x') tw_request_retry(r, (const uint32_t[]){3}, 1);
    if (with == 't') tw_request_retry(r, (const uint32_t[]){1, 1}, 2);
    if (with == 'f') tw_request_fail(r, "no table '%s'", "t");
}

static enum tw_status submit(struct tw_context *cx, struct tw_request *r)
{
    struct client *c = client_of(cx);

    for (uint32_t i = 0; i < tw_request_count(r); i++) {
        const struct item *e = tw_request_entry(r, i);
        note(c, "%s%.*s", i == 0 ? "[" : " ", (int)e->word.size, e->word.data);
    }
    note(c, "] ");
    if (c->at_once)
        answer(c, r);
    else
        c->held[c->count++ % HELD_MAX] = r;
    return TW_OK;
}

static enum tw_status flush(struct tw_context *cx)
{
    struct client *c = client_of(cx);

    if (c->skip > 0)
        c->skip--;
    else if (!c->is_quiet && c->first < c->count)
        answer(c, c->held[c->first++ % HELD_MAX]);
    return TW_OK;
}

static enum tw_status size_of(struct tw_context *cx, const void *entry, int64_t *bytes)
{
    (void)cx;
    *bytes = ((const struct item *)entry)->n;
    return TW_OK;
}
static void close_it(struct tw_context *cx) { client_of(cx)->closed++; }

static enum tw_status convert(struct tw_context *cx, const void *in, void *out)
{
    const struct item *from = in;
    struct item *to = out;
    char *text = tw_scratch(cx, from->word.size + 32);
    int size = snprintf(text, from->word.size + 32, "%.*s, made an entry", (int)from->word.size, from->word.data);

    *to = (struct item){.word = {text, (size_t)size}, .n = from->n};
    return TW_OK;
}
TW_FUNCTION(sends) = {.in = &item_row, .submit = submit, .flush = flush, .entry_size = size_of, .close = close_it};
TW_FUNCTION(converts) = {
    .in = &item_row, .out = &item_row, .map = convert, .submit = submit, .flush = flush, .entry_size = size_of};

/* Entries whose words begin with the same letter go together; their bytes count twice. */
static enum tw_status by_letter(struct tw_context *cx, const struct tw_waiting *w, uint32_t *count, int64_t *bytes)
{
    char letter = ((const struct item *)tw_waiting_entry(w, 0))->word.data[0];

    (void)cx;
    for (*bytes = 0; *count < tw_waiting_most(w); ++*count) {
        if (((const struct item *)tw_waiting_entry(w, *count))->word.data[0] != letter) break;
        *bytes += 2 * tw_waiting_bytes(w, *count);
    }
    return TW_OK;
}
/* As many as configured by the size of the first entry: also what it must not. */
static enum tw_status first_says(struct tw_context *cx, const struct tw_waiting *w, uint32_t *count, int64_t *bytes)
{
    int64_t n = tw_waiting_bytes(w, 0);

    if (n == 99) return tw_fail(cx, "none of %u, %lld", tw_waiting_count(w), (long long)tw_waiting_max_bytes(w));
    if (n == 98) *bytes = -2;
    *count = (uint32_t)n;
    return TW_OK;
}
TW_FUNCTION(sends_letters) = {
    .in = &item_row, .submit = submit, .flush = flush, .entry_size = size_of, .next_batch = by_letter, .close = close_it};
TW_FUNCTION(sends_so_many) = {
    .in = &item_row, .submit = submit, .flush = flush, .entry_size = size_of, .next_batch = first_says, .close = close_it};

static struct op_driver *sink_on(struct client *c, struct async_sink_config config, const struct tw_function *f,
                                 uint32_t batch_rows)
{
    static struct async_sink_config kept;
    static struct client *at;

    kept = config;
    at = c;
    kept.function = (struct function_ref){.name = "sends", .fn = f, .config = {(const char *)&at, sizeof at}};
    if (c->answers == NULL) c->answers = "";
    return op_driver_create(
        &(struct op_setup){.type = op_find("async_sink"), .config = &kept, .in = ITEMS, .batch_rows = batch_rows});
}

/* Rows pushed, then the end: what the client saw, whatever the batches. */
static void expect_of(const struct tw_function *f, struct async_sink_config config, const char *answers, bool at_once,
                      const char *rows, const char *text, const char *error)
{
    static const uint32_t sizes[] = {0, 1, 3};

    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct client c = {.answers = answers, .at_once = at_once};
        struct op_driver *d = sink_on(&c, config, f, sizes[i]);
        op_push(d, 0, rows);
        op_push_end(d);
        assert_string_equal(op_driver_error(d), error);
        assert_string_equal(c.text, text);
        op_driver_free(d);
        assert_int_equal(c.closed, 1);
    }
}

static void expect(struct async_sink_config config, const char *answers, bool at_once, const char *rows,
                   const char *text, const char *error)
{
    expect_of(&sends, config, answers, at_once, rows, text, error);
}

#define SEVEN "a | 1\nb | 1\nc | 1\nd | 1\ne | 1\nf | 1\ng | 1"

/* --- what makes a request ------------------------------------------------------------------------------------------------- */
static void so_many_entries_make_a_request(void **state)
{
    struct async_sink_config c = {.max_batch_size = 3, .max_in_flight_requests = 4, .max_buffered_requests = 9};

    (void)state;
    expect(c, "", true, SEVEN, "[a b c] [d e f] [g] ", "");
    expect((struct async_sink_config){0}, "", true, SEVEN, "[a b c d e f g] ", "");
}

static void so_many_bytes_make_a_request(void **state)
{
    struct async_sink_config c = {.max_batch_size_bytes = 10, .max_record_size_bytes = 10};

    (void)state;
    expect(c, "", true, "a | 4\nb | 4\nc | 4\nd | 6\ne | 10\nf | 0", "[a b] [c d] [e] [f] ", "");
    /* 4 + 4 + 4 is more than 10, so c waits for others */
    expect(c, "", true, "a | 4\nb | 4\nc | 4", "[a b] [c] ", "");
}

static void the_function_says_what_makes_a_request(void **state)
{
    struct async_sink_config c = {.max_batch_size = 4, .max_in_flight_requests = 9, .max_buffered_requests = 9};

    (void)state;
    /* the fourth entry fills a batch, of which one letter goes; so does each that makes four again; the rest at the end */
    expect_of(&sends_letters, c, "", true, "aa | 1\nab | 2\nb | 3\nc | 4\nca | 5\ncb | 6\nd | 7\na longer word than twelve | 8",
              "[aa ab] [b] [c ca cb] [d] [a longer word than twelve] ", "");
    /* never more than a request holds; entries tried again are asked for again, one letter at a time */
    expect_of(&sends_letters, c, "", true, "a | 1\na | 1\na | 1\na | 1\na | 1", "[a a a a] [a] ", "");
    expect_of(&sends_so_many, c, "", true, "a | 1\nb | 1\nc | 2\nd | 1\ne | 1\nf | 1", "[a] [b] [c d] [e] [f] ", "");
    expect_of(&sends_so_many, c, "", true, "a | 0", "", ".next_batch answers 0 entries of -1 bytes; 1 to 1 entries");
    expect_of(&sends_so_many, c, "", true, "a | 2", "", ".next_batch answers 2 entries of -1 bytes; 1 to 1 entries");
    expect_of(&sends_so_many, c, "", true, "a | 98", "", ".next_batch answers 98 entries of -2 bytes; 1 to 1 entries");
    expect_of(&sends_so_many, c, "", true, "a | 99\nb | 1", "", "none of 2, 5242880");
}

static void what_waits_long_enough_goes_off(void **state)
{
    struct async_sink_config config = {.max_time_in_buffer_ms = 100};
    struct client c = {.at_once = true};
    struct op_driver *d = sink_on(&c, config, &sends, 0);

    (void)state;
    op_set_time(d, 1000);
    op_push(d, 0, "a | 1");
    op_set_time(d, 1099);
    op_push(d, 0, "b | 1");
    assert_string_equal(c.text, "");
    assert_int_equal(op_next_wake(d), 1100);
    op_set_time(d, 1100);
    assert_string_equal(c.text, "[a b] ");
    op_set_time(d, 5000);
    op_push(d, 0, "c | 1");
    op_set_time(d, 5099);
    assert_string_equal(c.text, "[a b] ");
    op_set_time(d, 5100);
    assert_string_equal(c.text, "[a b] [c] ");
    op_driver_free(d);
}

static void rows_are_converted(void **state)
{
    struct client c = {.at_once = true};
    struct op_driver *d = sink_on(&c, (struct async_sink_config){.max_batch_size = 2, .max_in_flight_requests = 5},
                                  &converts, 0);

    (void)state;
    op_push(d, 0, "a | 1\na word that is long enough | 1");
    assert_string_equal(c.text, "[a, made an entry a word that is long enough, made an entry] ");
    op_driver_free(d);
}

/* --- answers ----------------------------------------------------------------------------------------------------------------- */
/* One request at a time, three entries at first; the rate grows by one and is halved. */
static const struct async_sink_config narrow = {
    .max_batch_size = 3, .max_in_flight_requests = 1, .max_buffered_requests = 4, .aimd_increase = 1};

static void what_is_tried_again_goes_to_the_front(void **state)
{
    (void)state;
    /* c and a, in that order, before d; the rate is 2 then, and 3 after the next success */
    expect(narrow, "r", false, SEVEN, "[a b c] r [c a] d [d e f] d [g] d ", "");
    expect(narrow, "a", false, SEVEN, "[a b c] a [a b] d [c d e] d [f g] d ", "");
    /* 3 -> 2 -> 1 -> 1: never less than one */
    expect(narrow, "aaaaa", false, "a | 1\nb | 1\nc | 1", "[a b c] a [a b] a [a] a [a] a [a] a [a] d [b c] d ", "");
}

/* The answers within .submit are taken between rows, so it is the same as far as the rate goes. */
static void answers_may_come_at_once(void **state)
{
    (void)state;
    expect(narrow, "r", true, SEVEN, "[a b c] [c a] [d e f] [g] ", "");
}

static void no_more_in_flight_than_the_rate_allows(void **state)
{
    struct async_sink_config config = {.max_batch_size = 2,
                                       .max_in_flight_requests = 3,
                                       .max_buffered_requests = 3,
                                       .initial_in_flight_messages = 4,
                                       .aimd_increase = 2};
    struct client c = {.is_quiet = true};
    struct op_driver *d = sink_on(&c, config, &sends, 0);

    (void)state;
    op_push(d, 0, "a | 1\nb | 1\nc | 1\nd | 1\ne | 1\nf | 1");
    assert_string_equal(c.text, "[a b] [c d] "); /* two requests of three, but four entries of four */
    assert_int_equal(op_pending_count(d), 0);
    c.is_quiet = false;
    op_idle(d);
    op_set_time(d, 1); /* six may be in flight now */
    assert_string_equal(c.text, "[a b] [c d] d [e f] ");
    op_push_end(d);
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(c.text, "[a b] [c d] d [e f] d d ");
    op_driver_free(d);
}

static void a_full_buffer_takes_no_more(void **state)
{
    struct client c = {.skip = 3};
    struct op_driver *d = sink_on(&c, narrow, &sends, 0);

    (void)state;
    op_push(d, 0, SEVEN "\nh | 1"); /* three in flight, four wait: h does not fit */
    assert_string_equal(c.text, "[a b c] d [d e f] ");
    assert_int_equal(op_pending_count(d), 3);
    op_push_end(d);
    assert_string_equal(c.text, "[a b c] d [d e f] d [g h] d ");
    op_driver_free(d);
}

/* What a client holds stays as it was, and where it was, while more rows come, however long their lists. */
struct list {
    struct tw_array numbers;
};
TW_ROW(list, TW_FIELD(list, numbers, "ARRAY<BIGINT NOT NULL> NOT NULL"));
static enum tw_status make_list(struct tw_context *cx, const void *in, void *out)
{
    int64_t *numbers = tw_scratch(cx, sizeof *numbers * 100);

    for (int64_t i = 0; i < 100; i++) numbers[i] = ((const struct item *)in)->n + i;
    *(struct list *)out = (struct list){{.items = numbers, .count = 100}};
    return TW_OK;
}
static enum tw_status hold_list(struct tw_context *cx, struct tw_request *r)
{
    struct client *c = client_of(cx);

    c->held[c->count++ % HELD_MAX] = r;
    return TW_OK;
}
static enum tw_status one_byte(struct tw_context *cx, const void *entry, int64_t *bytes)
{
    (void)cx, (void)entry;
    *bytes = 1;
    return TW_OK;
}
TW_FUNCTION(makes_lists) = {
    .in = &item_row, .out = &list_row, .map = make_list, .submit = hold_list, .flush = flush, .entry_size = one_byte};

static void a_request_keeps_its_entries(void **state)
{
    struct async_sink_config config = {.max_batch_size = 1, .max_in_flight_requests = 1, .aimd_increase = 1};
    struct client c = {.is_quiet = true};
    struct op_driver *d = sink_on(&c, config, &makes_lists, 0);
    const int64_t *held = NULL;

    (void)state;
    for (int i = 0; i < 200; i++) {
        op_push(d, 0, "a | 7");
        if (i == 0) held = ((const struct list *)tw_request_entry(c.held[0], 0))->numbers.items;
    }
    assert_int_equal(c.count, 1);
    const struct list *l = tw_request_entry(c.held[0], 0);
    assert_ptr_equal(l->numbers.items, held);
    assert_int_equal(l->numbers.count, 100);
    for (int i = 0; i < 100; i++) assert_int_equal(held[i], 7 + i);
    c.is_quiet = false;
    op_push_end(d);
    assert_string_equal(op_driver_error(d), "");
    assert_int_equal(c.count, 200);
    op_driver_free(d);
}

static void no_answer_in_time(void **state)
{
    struct async_sink_config config = narrow;
    struct client c = {.is_quiet = true, .answers = "d"};

    (void)state;
    config.request_timeout_ms = 50;
    struct op_driver *d = sink_on(&c, config, &sends, 0);
    op_push(d, 0, "a | 1\nb | 1\nc | 1\nd | 1");
    op_set_time(d, 49);
    assert_string_equal(c.text, "[a b c] ");
    op_set_time(d, 50);
    assert_string_equal(c.text, "[a b c] [a b] "); /* all again, at half the rate */
    assert_string_equal(((const struct item *)tw_request_entry(c.held[0], 2))->word.data, "c");
    tw_request_retry_all(c.held[0]); /* late: changes nothing */
    op_set_time(d, 100);             /* the second is late, too; the first is there to be used again */
    assert_string_equal(c.text, "[a b c] [a b] [a] ");
    assert_ptr_equal(c.held[2], c.held[0]);
    c.first = 2;
    c.is_quiet = false;
    op_push_end(d);
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(c.text, "[a b c] [a b] [a] d [b c] d [d] d ");
    op_driver_free(d);
}

static void no_answer_in_time_may_fail(void **state)
{
    struct async_sink_config config = narrow;
    struct client c = {.is_quiet = true};

    (void)state;
    config.request_timeout_ms = 50;
    config.fail_on_timeout = true;
    struct op_driver *d = sink_on(&c, config, &sends, 0);
    op_push(d, 0, "a | 1\nb | 1\nc | 1");
    op_set_time(d, 50);
    assert_string_equal(op_driver_error(d), "request of 3 entries: no answer within 50 ms (allow more time with "
                                            "request_timeout_ms, or leave fail_on_timeout off to try again)");
    op_driver_free(d);
}

static void mistakes_and_failures(void **state)
{
    struct async_sink_config small = {.max_record_size_bytes = 9};

    (void)state;
    expect(narrow, "f", false, SEVEN, "[a b c] f ", "request of 3 entries: no table 't'");
    expect(narrow, "x", false, SEVEN, "[a b c] x ",
           "request of 3 entries: tw_request_retry: entry 3 of 3 does not exist");
    expect(narrow, "t", false, SEVEN, "[a b c] t ",
           "request of 3 entries: tw_request_retry: entry 1 of 3 is there twice");
    expect(small, "", true, "a | 9\nb | 10", "", "row +I[b, 10]: an entry of 10 bytes; max_record_size_bytes is 9");
    expect(small, "", true, "a | -1", "", "row +I[a, -1]: an entry of -1 bytes; max_record_size_bytes is 9");
}

static void refused(struct async_sink_config config, const struct tw_function *f, const char *error)
{
    struct client c = {.at_once = true};
    struct op_driver *d = sink_on(&c, config, f, 0);

    assert_string_equal(op_driver_error(d), error);
    op_driver_free(d);
}
TW_FUNCTION(submits_nothing) = {.in = &item_row, .entry_size = size_of};
TW_FUNCTION(has_no_size) = {.in = &item_row, .submit = submit};
TW_FUNCTION(converts_to_what) = {.in = &item_row, .map = convert, .submit = submit, .entry_size = size_of};

static void wrong_settings_are_refused(void **state)
{
    (void)state;
    refused((struct async_sink_config){.max_batch_size = 5, .max_buffered_requests = 5}, &sends,
            "max_buffered_requests of an asynchronous sink is 5; it must be more than max_batch_size, 5");
    refused((struct async_sink_config){.max_batch_size_bytes = 5, .max_record_size_bytes = 6}, &sends,
            "max_batch_size_bytes of an asynchronous sink is 5, less than max_record_size_bytes, 6");
    refused((struct async_sink_config){.max_time_in_buffer_ms = -1}, &sends,
            "max_time_in_buffer_ms of an asynchronous sink is -1; 1 to 1125899906842624");
    refused((struct async_sink_config){.aimd_decrease = 1}, &sends,
            "aimd_decrease of an asynchronous sink is 1; between 0 and 1");
    refused((struct async_sink_config){.max_batch_size = 3, .max_in_flight_requests = 1}, &sends,
            "aimd_threshold of an asynchronous sink is 3 (max_batch_size * max_in_flight_requests), less than "
            "aimd_increase, 10");
    refused((struct async_sink_config){0}, &submits_nothing,
            "function 'sends' cannot be used here: it has no .submit (set .submit in its TW_FUNCTION)");
    refused((struct async_sink_config){0}, &has_no_size,
            "function 'sends' cannot be used here: it has no .entry_size (set .entry_size in its TW_FUNCTION)");
    refused((struct async_sink_config){0}, &converts_to_what,
            "function 'sends' cannot be used here: it has no .out (set .out in its TW_FUNCTION)");
}

/* Additive increase up to the threshold, multiplicative decrease down to one, a half rounded up. */
static void the_rate(void **state)
{
    struct async_rate r = {.max_requests = 2, .max_messages = 5, .increase = 10, .threshold = 12, .decrease = 0.5};

    (void)state;
    assert_false(async_rate_blocks(&r, 5));
    assert_true(async_rate_blocks(&r, 6));
    async_rate_sent(&r, 2);
    assert_true(async_rate_blocks(&r, 4));
    async_rate_sent(&r, 1);
    assert_true(async_rate_blocks(&r, 0)); /* two requests */
    async_rate_answered(&r, 2, 0);
    assert_int_equal(r.max_messages, 12);
    async_rate_answered(&r, 1, 1);
    assert_int_equal(r.max_messages, 6);
    static const int64_t rates[] = {3, 2, 1, 1};
    for (uint32_t i = 0; i < COUNT_OF(rates); i++) {
        async_rate_sent(&r, 1);
        async_rate_answered(&r, 1, 1);
        assert_int_equal(r.max_messages, rates[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_many_entries_make_a_request),
        cmocka_unit_test(so_many_bytes_make_a_request),
        cmocka_unit_test(the_function_says_what_makes_a_request),
        cmocka_unit_test(what_waits_long_enough_goes_off),
        cmocka_unit_test(rows_are_converted),
        cmocka_unit_test(what_is_tried_again_goes_to_the_front),
        cmocka_unit_test(answers_may_come_at_once),
        cmocka_unit_test(no_more_in_flight_than_the_rate_allows),
        cmocka_unit_test(a_full_buffer_takes_no_more),
        cmocka_unit_test(a_request_keeps_its_entries),
        cmocka_unit_test(no_answer_in_time),
        cmocka_unit_test(no_answer_in_time_may_fail),
        cmocka_unit_test(mistakes_and_failures),
        cmocka_unit_test(wrong_settings_are_refused),
        cmocka_unit_test(the_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
