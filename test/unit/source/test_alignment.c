/* test_alignment.c - alignment groups by themselves: who holds whom back, groups that do not know each other, and the bound. */
#include "flow/source/alignment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct world {
    struct sys *sys;
    struct job_shared *job;
    struct err e;
};

static void world_open(struct world *w)
{
    *w = (struct world){.sys = sys_linux_create_quiet()};
    w->job = job_shared_create(w->sys, "job", NULL);
}

static void world_close(struct world *w)
{
    job_shared_free(w->job);
    sys_linux_free(w->sys);
}

static struct alignment_member join(struct world *w, const char *group)
{
    struct alignment_member m = {0};

    assert_int_equal(alignment_join(&m, w->job, group, &w->e), S_OK);
    return m;
}

static void the_one_furthest_behind_counts(void **state)
{
    struct world w;

    (void)state;
    world_open(&w);
    struct alignment_member a = join(&w, "g");
    assert_true(alignment_minimum(&a) == TIME_MIN); /* has said nothing yet */
    alignment_report(&a, 100);
    assert_int_equal(alignment_minimum(&a), 100);
    struct alignment_member b = join(&w, "g"), c = join(&w, "g");
    assert_true(alignment_minimum(&a) == TIME_MIN);
    alignment_report(&b, 50);
    alignment_report(&c, -7);
    assert_int_equal(alignment_minimum(&a), -7);
    assert_int_equal(alignment_minimum(&b), -7);
    alignment_report(&c, INT64_MAX); /* idle, or finished: holds nobody back */
    assert_int_equal(alignment_minimum(&c), 50);
    alignment_report(&c, 20); /* active again, behind */
    assert_int_equal(alignment_minimum(&a), 20);
    alignment_report(&a, INT64_MAX);
    alignment_report(&b, INT64_MAX);
    alignment_report(&c, INT64_MAX);
    assert_true(alignment_minimum(&b) == INT64_MAX);
    world_close(&w);
}

static void groups_go_by_name(void **state)
{
    struct world w;

    (void)state;
    world_open(&w);
    struct alignment_member a = join(&w, "g"), b = join(&w, "h"), c = join(&w, "g");
    alignment_report(&a, 5);
    alignment_report(&b, 1);
    alignment_report(&c, 9);
    assert_int_equal(alignment_minimum(&c), 5);
    assert_int_equal(alignment_minimum(&b), 1);
    assert_ptr_equal(a.group, c.group);
    assert_ptr_not_equal(a.group, b.group);
    world_close(&w);
}

static void who_is_not_aligned_may_report(void **state)
{
    struct alignment_member none = {0};

    (void)state;
    alignment_report(&none, 5);
    assert_null(none.group);
}

static void a_group_has_a_bound(void **state)
{
    struct world w;
    struct alignment_member first, m = {0};

    (void)state;
    world_open(&w);
    first = join(&w, "g");
    alignment_report(&first, 3);
    for (uint32_t i = 1; i < ALIGNMENT_MEMBERS_MAX; i++) {
        m = join(&w, "g");
        assert_int_equal(m.index, i);
        alignment_report(&m, 4);
    }
    struct alignment_member more = {0};
    assert_int_equal(alignment_join(&more, w.job, "g", &w.e), E_CONFIG);
    assert_string_equal(w.e.text, "alignment group 'g' has more than 4096 source subtasks");
    assert_null(more.group);
    assert_int_equal(alignment_minimum(&m), 3); /* those who are in it go on */
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_one_furthest_behind_counts),
        cmocka_unit_test(groups_go_by_name),
        cmocka_unit_test(who_is_not_aligned_may_report),
        cmocka_unit_test(a_group_has_a_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
