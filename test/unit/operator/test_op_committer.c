/* test_op_committer.c - the committer of a sink with a topology, driven by hand: it commits when its input has ended, hands on
 * what is committed, in the order of the answers, and aborts what is undecided when it closes. */
#include "support/op_driver.h"
#include "support/rows.h"

#include <thalweg/context.h>
#include <thalweg/sink.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

struct file {
    struct tw_str name;
    int32_t n;
};
TW_ROW(file, TW_FIELD(file, name, "STRING NOT NULL"), TW_FIELD(file, n, "INT NOT NULL"));
#define FILES "ROW<name STRING NOT NULL, n INT NOT NULL>"

/* n says what happens: so many retries first; below zero it fails. */
static enum tw_status commit(struct tw_context *cx, void *committable, struct tw_commit *c)
{
    struct file *f = committable;

    if (f->n < 0) return tw_fail(cx, "no place for it");
    c->answer = c->retries < (uint32_t)f->n ? TW_RETRY_LATER : TW_COMMITTED;
    return TW_OK;
}
static enum tw_status prepare(struct tw_context *cx)
{
    (void)cx;
    return TW_OK;
}
static void give_up(struct tw_context *cx, const void *committable)
{
    uint32_t *aborted = *(uint32_t *const *)(const void *)tw_config(cx).data;

    *aborted = *aborted * 10 + (uint32_t)((const struct file *)committable)->n + 1;
}
TW_FUNCTION(publishes) = {
    .committable = &file_row, .prepare_commit = prepare, .commit = commit, .abort_commit = give_up};

static struct op_driver *driver(struct function_config *c, uint32_t **aborted, uint32_t batch_rows)
{
    *c = (struct function_config){
        {.name = "publishes", .fn = &publishes, .config = {(const char *)aborted, sizeof *aborted}}};
    return op_driver_create(
        &(struct op_setup){.type = op_find("committer"), .config = c, .in = FILES, .batch_rows = batch_rows});
}

static void commits_when_the_input_has_ended(void **state)
{
    static const uint32_t sizes[] = {0, 1, 3};
    uint32_t aborted = 0, *at = &aborted;
    struct function_config c;

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct op_driver *d = driver(&c, &at, sizes[i]);
        op_push(d, 0, "a | 0\na long name of a file | 2\nc | 1\nd | 0");
        op_set_time(d, 1000);
        assert_string_equal(op_output(d), "");
        op_push(d, 0, "e | 0");
        op_push_end(d);
        assert_string_equal(op_driver_error(d), "");
        assert_string_equal(op_output(d), "+I[a, 0]\n+I[d, 0]\n+I[e, 0]\n+I[c, 1]\n+I[a long name of a file, 2]\n");
        op_driver_free(d);
        assert_int_equal(aborted, 0);
    }
}

static void what_is_undecided_is_aborted(void **state)
{
    uint32_t aborted = 0, *at = &aborted;
    struct function_config c;
    struct op_driver *d = driver(&c, &at, 0);

    (void)state;
    op_push(d, 0, "a | 0\nb | 1\nc | -1\nd | 3");
    op_push_end(d);
    assert_string_equal(op_driver_error(d), "commit (1 of 4 are committed): row +I[c, -1]: no place for it");
    op_driver_free(d);
    assert_int_equal(aborted, 42); /* d was not asked yet, b was to be asked again */
    d = driver(&c, &at, 0);
    op_push(d, 0, "a | 0\nb | 1");
    op_driver_free(d);
    assert_int_equal(aborted, 4212); /* the input had not ended */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commits_when_the_input_has_ended),
        cmocka_unit_test(what_is_undecided_is_aborted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
