/* test_live_keys.c - keys while a live table is shown: which page, which leave, and what is kept for the prompt. */
#include "surface/sql/live_keys.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

struct hands {
    struct mem mem;
    struct live_keys keys;
    struct buf typed;
    char seen[64]; /* a letter a key */
};

static int set_up(void **state)
{
    static struct hands h;

    memset(&h, 0, sizeof h);
    mem_init(&h.mem, "keys", 0);
    buf_init(&h.typed, &h.mem);
    *state = &h;
    return 0;
}

static int tear_down(void **state)
{
    struct hands *h = *state;

    buf_release(&h->typed);
    mem_release(&h->mem);
    return 0;
}

/* The keys of what comes at once, "": of a look that finds nothing. */
static const char *press(struct hands *h, const char *bytes)
{
    enum live_key key;
    size_t n = 0;

    memcpy(h->keys.bytes + h->keys.size, bytes, strlen(bytes));
    live_keys_came(&h->keys, strlen(bytes), &h->typed);
    while ((key = live_keys_next(&h->keys, &h->typed)) != LIVE_NONE) h->seen[n++] = "-QudUDfl"[key];
    h->seen[n] = '\0';
    return h->seen;
}

static const char *typed(struct hands *h) { return buf_text(&h->typed); }

static void paging(void **state)
{
    struct hands *h = *state;

    assert_string_equal(press(h, "\033[A\033[A\033[B"), "uud");
    assert_string_equal(press(h, "\033OA\033OB"), "ud");
    assert_string_equal(press(h, "\033[5~\033[6~ "), "UDD");
    assert_string_equal(press(h, "gG\033[H\033[F\033[1~\033[4~\033OH\033OF"), "flflflfl");
    assert_string_equal(press(h, "\033[1;5C\033[Cq"), "Q"); /* keys that mean nothing do nothing */
    assert_string_equal(press(h, "\r\r"), "");
    assert_string_equal(press(h, "Q"), "Q");
    assert_string_equal(typed(h), "");
}

static void escape(void **state)
{
    struct hands *h = *state;

    assert_string_equal(press(h, "\033"), ""); /* an arrow may follow */
    assert_string_equal(press(h, ""), "Q");
    assert_string_equal(press(h, "\033"), "");
    assert_string_equal(press(h, "[A"), "u");
    assert_string_equal(press(h, "\033["), "");
    assert_string_equal(press(h, "5"), "");
    assert_string_equal(press(h, "~"), "U");
    assert_string_equal(press(h, "\033O"), "");
    assert_string_equal(press(h, ""), ""); /* it never went on */
    assert_string_equal(press(h, "\033x"), "");
    assert_string_equal(typed(h), "");
}

static void for_the_prompt(void **state)
{
    struct hands *h = *state;

    assert_string_equal(press(h, "quit;\r"), ""); /* a pasted line is none of the table's */
    assert_string_equal(typed(h), "quit;\r");
    assert_string_equal(press(h, "g"), ""); /* nor what follows it */
    assert_string_equal(press(h, "\033[A"), "u");
    assert_string_equal(typed(h), "quit;\rg");
    assert_string_equal(press(h, "\177\177"), "");
    assert_string_equal(typed(h), "quit;");
    assert_string_equal(press(h, "\303\274\177"), ""); /* a letter of two bytes */
    assert_string_equal(typed(h), "quit;");
    assert_string_equal(press(h, "\025"), "");
    assert_string_equal(typed(h), "");
    assert_string_equal(press(h, "q"), "Q");
    assert_string_equal(press(h, "S"), "");
    assert_string_equal(press(h, "q"), "");
    assert_string_equal(typed(h), "Sq");
    assert_string_equal(press(h, "\033"), "");
    assert_string_equal(press(h, ""), "Q");
    assert_string_equal(typed(h), "Sq");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(paging, set_up, tear_down),
                                       cmocka_unit_test_setup_teardown(escape, set_up, tear_down),
                                       cmocka_unit_test_setup_teardown(for_the_prompt, set_up, tear_down)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
