/* test_accumulators.c - sets of accumulators: copies that follow, what instances show of themselves while they run, and what
 * is left of it when they close. */
#include "flow/task/job_shared.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct accumulator *of(struct accumulators *a, const char *name, enum accumulator_kind kind)
{
    struct err e = {0};
    struct accumulator *found = accumulators_get(a, name, kind, &e);

    assert_non_null(found);
    return found;
}

static void a_copy_follows(void **state)
{
    struct mem mem;
    struct accumulators from, copy;

    (void)state;
    mem_init(&mem, "test", 0);
    accumulators_init(&from, &mem);
    accumulators_init(&copy, &mem);
    of(&from, "n", ACC_COUNTER)->count = 5;
    accumulator_long_see(of(&from, "least", ACC_LEAST), -7);
    accumulators_follow(&copy, &from);
    of(&from, "n", ACC_COUNTER)->count = 6;
    of(&from, "mean", ACC_AVERAGE)->count = 2;
    of(&from, "mean", ACC_AVERAGE)->sum = 5;
    assert_int_equal(copy.count, 2);
    assert_int_equal(accumulators_find(&copy, "n")->count, 5);
    accumulators_follow(&copy, &from);
    assert_int_equal(copy.count, 3);
    assert_int_equal(accumulators_find(&copy, "n")->count, 6);
    assert_int_equal(accumulators_find(&copy, "least")->count, -7);
    assert_true(accumulators_find(&copy, "least")->has_value);
    assert_true(accumulator_double(accumulators_find(&copy, "mean")) == 2.5);
    accumulators_release(&from);
    accumulators_release(&copy);
    mem_release(&mem);
}

static void add_values(struct accumulators *a, int32_t from, int32_t to)
{
    for (int32_t i = from; i < to; i++)
        assert_int_equal(accumulator_histogram_add(a, of(a, "h", ACC_HISTOGRAM), i, 1), S_OK);
}

/* Up to HISTOGRAM_COPIED values at once; more after as many additions. */
static void a_large_histogram_follows_in_large_steps(void **state)
{
    struct mem mem;
    struct accumulators from, copy;

    (void)state;
    mem_init(&mem, "test", 0);
    accumulators_init(&from, &mem);
    accumulators_init(&copy, &mem);
    add_values(&from, 0, HISTOGRAM_COPIED);
    accumulators_follow(&copy, &from);
    assert_int_equal(accumulators_find(&copy, "h")->entry_count, HISTOGRAM_COPIED);
    add_values(&from, HISTOGRAM_COPIED, HISTOGRAM_COPIED + 1);
    accumulators_follow(&copy, &from);
    assert_int_equal(accumulators_find(&copy, "h")->entry_count, HISTOGRAM_COPIED);
    add_values(&from, 1, HISTOGRAM_COPIED); /* 256 additions since, of 257 values */
    accumulators_follow(&copy, &from);
    assert_int_equal(accumulators_find(&copy, "h")->entry_count, HISTOGRAM_COPIED);
    assert_int_equal(accumulators_find(&copy, "h")->entries[1].count, 1);
    add_values(&from, 0, 1);
    accumulators_follow(&copy, &from);
    const struct accumulator *h = accumulators_find(&copy, "h");
    assert_int_equal(h->entry_count, HISTOGRAM_COPIED + 1);
    for (int32_t i = 0; i <= HISTOGRAM_COPIED; i++) {
        assert_int_equal(h->entries[i].value, i);
        assert_int_equal(h->entries[i].count, i < HISTOGRAM_COPIED ? 2 : 1);
    }
    accumulators_release(&from);
    accumulators_release(&copy);
    mem_release(&mem);
}

static int64_t now(struct job_shared *j, const char *name)
{
    struct mem mem;
    struct accumulators out;
    struct err e = {0};

    mem_init(&mem, "test", 0);
    accumulators_init(&out, &mem);
    assert_int_equal(job_accumulator_now(j, name, &out, &e), S_OK);
    const struct accumulator *a = accumulators_find(&out, name);
    int64_t value = a != NULL ? a->count : -1;
    mem_release(&mem);
    return value;
}

static void counts_init(struct instance_counts *c, struct mem *mem, struct instance_counts *next, int64_t n)
{
    *c = (struct instance_counts){.next = next, .changed = true};
    accumulators_init(&c->set, mem);
    of(&c->set, "n", ACC_COUNTER)->count = n;
}

static void instances_show_what_they_count(void **state)
{
    struct sys *sys = sys_linux_create_quiet();
    struct job_shared *j = job_shared_create(sys, "job", NULL);
    struct mem mem;
    struct instance_counts a, b, c;
    struct err e = {0};

    (void)state;
    mem_init(&mem, "test", 0);
    counts_init(&a, &mem, NULL, 1);
    counts_init(&b, &mem, &a, 20);
    counts_init(&c, &mem, NULL, 300);
    assert_int_equal(now(j, "n"), -1);
    job_counts_show(j, &b); /* both of one operator */
    assert_int_equal(now(j, "n"), 21);
    assert_false(a.changed || b.changed);
    of(&a.set, "n", ACC_COUNTER)->count = 2; /* not said to have changed: not looked at */
    job_counts_show(j, &b);
    assert_int_equal(now(j, "n"), 21);
    a.changed = true;
    job_counts_show(j, &b);
    job_counts_show(j, &c);
    assert_int_equal(now(j, "n"), 322);
    assert_int_equal(now(j, "m"), -1);
    of(&b.set, "n", ACC_COUNTER)->count = 21; /* added when it closes, shown or not */
    assert_int_equal(job_counts_end(j, &b, true, &e), S_OK);
    assert_int_equal(now(j, "n"), 323);
    assert_int_equal(job_counts_end(j, &c, false, &e), S_OK); /* it failed */
    assert_int_equal(now(j, "n"), 23);
    assert_int_equal(job_counts_end(j, &a, true, &e), S_OK);
    assert_int_equal(now(j, "n"), 23);
    assert_int_equal(accumulators_find(job_accumulators(j), "n")->count, 23);
    accumulators_release(&a.set);
    accumulators_release(&b.set);
    accumulators_release(&c.set);
    mem_release(&mem);
    job_shared_free(j);
    sys_linux_free(sys);
}

/* One name, two kinds in two instances: there is no sum of them. */
static void kinds_that_differ_have_no_sum(void **state)
{
    struct sys *sys = sys_linux_create_quiet();
    struct job_shared *j = job_shared_create(sys, "job", NULL);
    struct mem mem;
    struct instance_counts a, b;
    struct accumulators out;
    struct err e = {0};

    (void)state;
    mem_init(&mem, "test", 0);
    counts_init(&a, &mem, NULL, 1);
    b = (struct instance_counts){.changed = true};
    accumulators_init(&b.set, &mem);
    of(&b.set, "n", ACC_DOUBLE)->sum = 1;
    job_counts_show(j, &a);
    job_counts_show(j, &b);
    accumulators_init(&out, &mem);
    assert_int_equal(job_accumulator_now(j, "n", &out, &e), E_USER);
    assert_string_equal(e.text, "accumulator 'n' is a double and cannot be a counter too");
    assert_int_equal(job_counts_end(j, &a, false, &e), S_OK);
    assert_int_equal(job_counts_end(j, &b, false, &e), S_OK);
    accumulators_release(&out);
    accumulators_release(&a.set);
    accumulators_release(&b.set);
    mem_release(&mem);
    job_shared_free(j);
    sys_linux_free(sys);
}

/* Every kind comes back as it was, whatever bytes are cut off or changed is refused. */
static void they_travel_as_bytes(void **state)
{
    struct accumulators set, out;
    struct mem mem;
    struct buf bytes;
    struct err e = {0};

    (void)state;
    mem_init(&mem, "test", 0);
    buf_init(&bytes, &mem);
    accumulators_init(&set, &mem);
    accumulators_init(&out, &mem);
    of(&set, "c", ACC_COUNTER)->count = -5;
    of(&set, "d", ACC_DOUBLE)->sum = 0.25;
    accumulator_long_see(of(&set, "l", ACC_LEAST), 7);
    of(&set, "never", ACC_GREATEST);
    assert_int_equal(accumulator_histogram_add(&set, of(&set, "h", ACC_HISTOGRAM), -3, 4), S_OK);
    accumulators_encode(&set, &bytes);
    for (size_t size = 0; size < bytes.size; size++) {
        assert_int_equal(accumulators_decode((struct str){bytes.data, size}, &out, &e), E_DATA);
        err_clear(&e);
    }
    assert_int_equal(out.count, 0);
    assert_int_equal(accumulators_decode((struct str){bytes.data, bytes.size}, &out, &e), S_OK);
    assert_int_equal(out.count, 5);
    assert_int_equal(accumulators_find(&out, "c")->count, -5);
    assert_true(accumulators_find(&out, "d")->sum == 0.25);
    assert_true(accumulators_find(&out, "l")->has_value);
    assert_int_equal(accumulators_find(&out, "l")->count, 7);
    assert_false(accumulators_find(&out, "never")->has_value);
    assert_int_equal(accumulators_find(&out, "h")->entries[0].value, -3);
    assert_int_equal(accumulators_find(&out, "h")->entries[0].count, 4);
    assert_int_equal(accumulators_decode((struct str){bytes.data, bytes.size}, &out, &e), S_OK); /* and is added */
    assert_int_equal(accumulators_find(&out, "c")->count, -10);
    accumulators_release(&set);
    accumulators_release(&out);
    buf_release(&bytes);
    mem_release(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_follows),
        cmocka_unit_test(a_large_histogram_follows_in_large_steps),
        cmocka_unit_test(instances_show_what_they_count),
        cmocka_unit_test(kinds_that_differ_have_no_sum),
        cmocka_unit_test(they_travel_as_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
