/* test_err.c - the first error wins, context goes in front, texts are cut and never overrun; every status has a text. */
#include "ground/base/err.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static void first_error_wins(void **state)
{
    struct err e = {0};

    (void)state;
    assert_int_equal(err_wrap(&e, "context of nothing"), S_OK);
    assert_string_equal(e.text, "");
    assert_int_equal(err_set(&e, E_DATA, "row %d", 7), E_DATA);
    assert_int_equal(err_set(&e, E_IO, "later"), E_DATA);
    assert_string_equal(e.text, "row 7");
    assert_int_equal(err_wrap(&e, "file '%s'", "x.csv"), E_DATA);
    assert_int_equal(err_wrap(&e, "job"), E_DATA);
    assert_string_equal(e.text, "job: file 'x.csv': row 7");
    err_hint(&e, "quote it");
    err_hint(&e, "no, do %s", "this");
    assert_string_equal(e.hint, "quote it");
    err_excerpt(&e, "a,b\n  ^");
    err_excerpt(&e, "later");
    assert_string_equal(e.excerpt, "a,b\n  ^");
    struct err other = {0};
    assert_int_equal(err_pass_on(&other, &e), E_DATA);
    assert_memory_equal(&other, &e, sizeof e);
    assert_int_equal(err_pass_on(NULL, &e), E_DATA);
    struct err full = {0};
    assert_int_equal(err_set(&full, E_IO, "full"), E_IO);
    assert_int_equal(err_pass_on(&full, &e), E_IO);
    assert_string_equal(full.text, "full");
    err_clear(&e);
    assert_string_equal(e.excerpt, "");
    assert_int_equal(e.status, S_OK);
    assert_string_equal(e.text, "");
    assert_string_equal(e.hint, "");
}

static void nobody_wants_the_text(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, E_FULL_DISK, "x"), E_FULL_DISK);
    assert_int_equal(err_wrap(NULL, "x"), S_OK);
    err_hint(NULL, "x");
    err_clear(NULL);
}

static void long_texts_are_cut(void **state)
{
    struct err e = {0};
    char context[3000];

    (void)state;
    memset(context, 'c', sizeof context - 1);
    context[sizeof context - 1] = '\0';
    err_set(&e, E_IO, "%s", context);
    assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
    err_clear(&e);
    err_set(&e, E_IO, "the reason");
    err_wrap(&e, "%s", context);
    assert_int_equal(strlen(e.text), ERR_TEXT_MAX / 2 - 1 + 2 + strlen("the reason"));
    assert_string_equal(e.text + ERR_TEXT_MAX / 2 - 1, ": the reason"); /* the context is cut, the reason stays */
    err_wrap(&e, "%s", context);
    err_wrap(&e, "front");
    assert_int_equal(strncmp(e.text, "front: cccc", 11), 0);
    assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
    err_hint(&e, "%s", context);
    assert_int_equal(strlen(e.hint), ERR_HINT_MAX - 1);
}

static void statuses_have_texts(void **state)
{
    (void)state;
    assert_string_equal(status_text(S_OK), "ok");
    assert_string_equal(status_text(E_PIPE), "reader of the pipe went away");
    assert_string_equal(status_text((enum status)99), "unknown status");
    assert_true(S_OK == 0 && S_PENDING > 0 && E_BUDGET < 0);
}

static enum status tried(enum status st)
{
    TRY(st);
    return S_END;
}

static void try_leaves_on_anything_but_ok(void **state)
{
    (void)state;
    assert_int_equal(tried(S_OK), S_END);
    assert_int_equal(tried(S_MORE), S_MORE);
    assert_int_equal(tried(E_IO), E_IO);
}

static void several_are_gathered_in_the_order_in_which_they_were_said(void **state)
{
    struct err_list list = {0};
    struct err e = {.more = &list};
    enum status failed = S_OK;

    (void)state;
    assert_int_equal(err_go_on(&e, S_OK, &failed), S_OK);
    assert_int_equal(failed, S_OK);
    assert_int_equal(err_gather(&e), S_OK);
    for (int round = 0; round < 3; round++) { /* as when parts of parts are gathered */
        assert_int_equal(err_go_on(&e, err_set(&e, E_DATA, "error %d", 2 * round), &failed), S_OK);
        assert_int_equal(err_go_on(&e, err_set(&e, E_IO, "error %d", 2 * round + 1), &failed), S_OK);
        assert_int_equal(err_gather(&e), E_DATA);
        assert_int_equal(err_go_on(&e, e.status, &failed), S_OK);
    }
    assert_int_equal(failed, E_DATA);
    assert_int_equal(err_gather(&e), E_DATA);
    assert_string_equal(e.text, "error 0");
    assert_int_equal(list.count, 5);
    for (uint32_t i = 0; i < list.count; i++) assert_int_equal(list.items[i].text[6] - '1', i);
}

/* An error that was made elsewhere, with a number of its own, is said when it is passed on. */
static void what_is_passed_on_is_said_in_its_turn(void **state)
{
    struct err_list list = {0}, others = {0};
    struct err e = {.more = &list}, other = {.more = &others}, plain = {0};
    enum status failed = S_OK;

    (void)state;
    assert_int_equal(err_go_on(&e, err_set(&e, E_DATA, "first"), &failed), S_OK);
    assert_int_equal(err_go_on(&e, err_set(&e, E_DATA, "second"), &failed), S_OK);
    err_set(&other, E_DATA, "third");
    assert_int_equal(err_go_on(&e, err_pass_on(&e, &other), &failed), S_OK);
    err_set(&plain, E_DATA, "fourth");
    assert_int_equal(err_pass_on(&e, &plain), E_DATA);
    assert_int_equal(err_gather(&e), E_DATA);
    assert_string_equal(e.text, "first");
    assert_int_equal(list.count, 3);
    assert_string_equal(list.items[0].text, "second");
    assert_string_equal(list.items[1].text, "third");
    assert_string_equal(list.items[2].text, "fourth");
}

static void where_nobody_hears_more_the_first_failure_ends_it(void **state)
{
    struct err_list list = {0};
    struct err e = {0}, full = {.more = &list};
    enum status failed = S_OK;

    (void)state;
    assert_int_equal(err_go_on(&e, err_set(&e, E_DATA, "first"), &failed), E_DATA);
    assert_int_equal(err_gather(&e), E_DATA);
    assert_int_equal(err_go_on(NULL, E_IO, &failed), E_IO);
    for (int i = 0; i < ERR_MORE_MAX; i++) assert_int_equal(err_go_on(&full, err_set(&full, E_DATA, "error %d", i), &failed), S_OK);
    assert_int_equal(err_go_on(&full, err_set(&full, E_IO, "the last"), &failed), E_IO);
    assert_int_equal(err_gather(&full), E_DATA);
    assert_string_equal(full.text, "error 0");
    assert_string_equal(list.items[ERR_MORE_MAX - 1].text, "the last");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_error_wins),    cmocka_unit_test(nobody_wants_the_text),         cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(statuses_have_texts), cmocka_unit_test(try_leaves_on_anything_but_ok),
        cmocka_unit_test(several_are_gathered_in_the_order_in_which_they_were_said),
        cmocka_unit_test(what_is_passed_on_is_said_in_its_turn),
        cmocka_unit_test(where_nobody_hears_more_the_first_failure_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
