/* test_pqueue.c - lowest key first, equal keys in the order they came, against a plain search over everything held. */
#include "ground/base/pqueue.h"
#include "ground/base/prng.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

static void pops_in_order(void **state)
{
    struct mem mem;
    struct pqueue q;
    static char names[] = "abcde";

    (void)state;
    mem_init(&mem, "test", 0);
    pqueue_init(&q, &mem);
    assert_null(pqueue_first(&q));
    assert_null(pqueue_pop(&q));
    pqueue_push(&q, 7, &names[0]);
    pqueue_push(&q, INT64_MIN, &names[1]);
    pqueue_push(&q, 7, &names[2]);
    pqueue_push(&q, INT64_MAX, &names[3]);
    pqueue_push(&q, 7, &names[4]);
    assert_int_equal(pqueue_first(&q)->key, INT64_MIN);
    for (const char *expected = "bace d"; *expected; expected++)
        if (*expected != ' ') assert_int_equal(*(char *)pqueue_pop(&q), *expected);
    assert_null(pqueue_pop(&q));
    pqueue_release(&q);
    assert_int_equal(mem.used, 0);
}

enum { STEPS = 20000, HELD_MAX = 300 };

struct held {
    int64_t key;
    int *value; /* rising: later pushes point behind earlier ones */
};

static int first_of(const struct held *held, int count)
{
    int first = 0;

    for (int i = 1; i < count; i++)
        if (held[i].key < held[first].key || (held[i].key == held[first].key && held[i].value < held[first].value)) first = i;
    return first;
}

static void agrees_with_a_search(void **state)
{
    static int values[STEPS];
    struct held held[HELD_MAX];
    struct mem mem;
    struct pqueue q;
    struct prng prng;
    int count = 0;

    (void)state;
    mem_init(&mem, "test", 0);
    pqueue_init(&q, &mem);
    prng_init(&prng, 1);
    for (int step = 0; step < STEPS; step++) {
        bool push = count == 0 || (count < HELD_MAX && prng_below(&prng, 2) == 0);
        if (push) {
            held[count++] = (struct held){(int64_t)prng_below(&prng, 50) - 25, &values[step]};
            pqueue_push(&q, held[count - 1].key, &values[step]);
            continue;
        }
        int first = first_of(held, count);
        assert_int_equal(pqueue_first(&q)->key, held[first].key);
        assert_ptr_equal(pqueue_pop(&q), held[first].value);
        held[first] = held[--count];
    }
    assert_int_equal(q.count, count);
    pqueue_release(&q);
    assert_int_equal(mem.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pops_in_order), cmocka_unit_test(agrees_with_a_search)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
