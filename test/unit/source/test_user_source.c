/* test_user_source.c - custom sources as the source reader drives them: positions to go on from, and when an enumerator's
 * .stop is called. Whole jobs are in test/unit/api/test_api_sources.c. */
#include <thalweg/source.h>

#include "flow/operator/user_source.h"
#include "flow/source/source_reader_internal.h"
#include "ground/base/str.h"
#include "support/op_driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct number {
    int64_t n;
};
TW_ROW(number, TW_FIELD(number, n, "BIGINT NOT NULL"));

/* --- a source of one split: numbers from its position to 5, three at first, then nothing for a while -------------------------- */
static const char *first_position;
static int starts, stops, closes;
static bool start_fails;

struct run {
    int64_t next, given;
    char text[8];
};

static enum tw_status run_start(struct tw_context *cx, void *enumerator)
{
    (void)enumerator;
    starts++;
    return start_fails ? tw_fail(cx, "no list of runs") : TW_OK;
}
static void run_stop(struct tw_context *cx, void *enumerator)
{
    (void)cx;
    (void)enumerator;
    stops++;
}
static enum tw_status run_next(struct tw_context *cx, void *enumerator, uint32_t subtask, struct tw_split *split, bool *end)
{
    bool *given = enumerator;

    (void)cx;
    (void)subtask;
    if (*given) *end = true;
    else *split = (struct tw_split){"run", tw_str_of(first_position)};
    *given = true;
    return TW_OK;
}
static enum tw_status run_open(struct tw_context *cx, void *split, const struct tw_split *what)
{
    struct run *r = split;

    if (what->position.size != 1) return tw_fail(cx, "split '%s': bad position", what->id);
    r->next = what->position.data[0] - '0';
    return TW_OK;
}
static enum tw_status run_read(struct tw_context *cx, void *split, void *rows, uint32_t max, uint32_t *count, bool *end)
{
    struct run *r = split;

    if (r->given == 3 && tw_now_ms(cx) < 1000) {
        tw_ask_again(cx, 1000);
        return TW_OK;
    }
    while (*count < max && r->next <= 5 && (r->given < 3 || tw_now_ms(cx) >= 1000)) {
        ((struct number *)rows)[(*count)++].n = r->next++;
        r->given++;
    }
    *end = r->next > 5;
    return TW_OK;
}
static void run_position(struct tw_context *cx, void *split, struct tw_str *position)
{
    struct run *r = split;

    (void)cx;
    *position = (struct tw_str){r->text, (size_t)snprintf(r->text, sizeof r->text, "%d", (int)r->next)};
}
static void run_close(struct tw_context *cx, void *split)
{
    (void)cx;
    (void)split;
    closes++;
}
static const struct tw_splits run_splits = {.enumerator_size = sizeof(bool), .start = run_start, .next = run_next, .stop = run_stop,
                                            .split_size = sizeof(struct run), .open = run_open, .read = run_read,
                                            .position = run_position, .close = run_close};
TW_FUNCTION(runs) = {.out = &number_row, .splits = &run_splits};

/* --- the operator, with its reader at hand ------------------------------------------------------------------------------------ */
static struct source_reader *reader; /* the operator's instance begins with it */

static enum status spied_open(struct op_cx *op, void *self)
{
    reader = self;
    return op_find("source_function")->open(op, self);
}

static struct op_driver *start(const char *position)
{
    static struct source_function_config c = {.function = {.name = "runs", .fn = &runs}};
    static struct op_type spied;

    spied = *op_find("source_function");
    spied.open = spied_open;
    first_position = position;
    starts = stops = closes = 0;
    return op_driver_create(&(struct op_setup){.type = &spied, .config = &c, .watermarks = true});
}

static void it_goes_on_from_the_position_it_said(void **state)
{
    struct op_driver *d = start("1");
    char position[8] = "";
    struct mem mem;
    struct buf at;

    (void)state;
    op_poll(d);
    assert_string_equal(op_output(d), "+I[1]\n+I[2]\n+I[3]\n");
    assert_int_equal(op_next_wake(d), 1000);
    mem_init(&mem, "test", 0);
    buf_init(&at, &mem);
    reader->plan.type->split_position(&reader->cx, reader->reader, reader->splits->self, &at);
    assert_int_equal(at.size, 1);
    memcpy(position, at.data, at.size);
    assert_string_equal(position, "4");
    buf_release(&at);
    mem_release(&mem);
    op_driver_free(d);
    assert_true(starts == 1 && stops == 1 && closes == 1);

    d = start(position);
    op_poll(d);
    assert_string_equal(op_output(d), "+I[4]\n+I[5]\nW@max\n");
    op_driver_free(d);
    assert_true(starts == 1 && stops == 1 && closes == 1);
}

static void a_start_that_fails_is_not_stopped(void **state)
{
    struct op_driver *d;

    (void)state;
    start_fails = true;
    d = start("1");
    op_poll(d);
    assert_string_equal(op_driver_error(d), "no list of runs");
    op_driver_free(d);
    start_fails = false;
    assert_true(starts == 1 && stops == 0 && closes == 0);
}

static void a_split_that_cannot_be_opened_is_closed(void **state)
{
    struct op_driver *d = start("wrong");

    (void)state;
    op_poll(d);
    assert_string_equal(op_driver_error(d), "split 'run': bad position");
    op_driver_free(d);
    assert_true(starts == 1 && stops == 1 && closes == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_goes_on_from_the_position_it_said),
        cmocka_unit_test(a_start_that_fails_is_not_stopped),
        cmocka_unit_test(a_split_that_cannot_be_opened_is_closed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
