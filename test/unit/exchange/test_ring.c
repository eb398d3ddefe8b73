/* test_ring.c - the SPSC ring: every order of pushes and pops on a small ring against a plain queue, wrap-around of the
 * free-running indices, reserved slots, and both ends at once on two threads (for TSan). */
#include "flow/exchange/ring.h"

#include "ground/sys/sys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* Bit i of `script` says what call i is: push or pop. */
static void run_script(uint32_t script, uint32_t calls, uint32_t first_index)
{
    struct mem mem;
    struct ring r;
    uint32_t pushed = 0, popped = 0;

    mem_init(&mem, "test", 0);
    ring_init(&r, &mem, 4, sizeof(uint32_t));
    atomic_store(&r.head, first_index);
    atomic_store(&r.tail, first_index);
    r.tail_seen = r.head_seen = first_index;
    for (uint32_t i = 0; i < calls; i++) {
        if ((script >> i) & 1) {
            bool fits = pushed - popped < 4;
            assert_int_equal(ring_push(&r, &pushed, 0), fits);
            pushed += fits;
        } else {
            uint32_t item = UINT32_MAX;
            bool there = pushed > popped;
            assert_int_equal(ring_is_empty(&r), !there);
            assert_int_equal(ring_pop(&r, &item), there);
            if (there) assert_int_equal(item, popped++);
        }
    }
    ring_release(&r, &mem);
    mem_release(&mem);
}

static void every_order_of_calls(void **state)
{
    (void)state;
    for (uint32_t script = 0; script < 1u << 12; script++) {
        run_script(script, 12, 0);
        run_script(script, 12, UINT32_MAX - 2); /* indices wrap on the way */
    }
}

static void reserved_slots_stay_free(void **state)
{
    struct mem mem;
    struct ring r;
    uint32_t item = 7;

    (void)state;
    mem_init(&mem, "test", 0);
    ring_init(&r, &mem, 4, sizeof item);
    assert_true(ring_push(&r, &item, 3));
    assert_false(ring_push(&r, &item, 3));
    assert_true(ring_push(&r, &item, 2));
    assert_false(ring_push(&r, &item, 2));
    assert_true(ring_push(&r, &item, 0));
    assert_true(ring_push(&r, &item, 0));
    assert_false(ring_push(&r, &item, 0));
    ring_release(&r, &mem);
    mem_release(&mem);
}

enum { ITEMS = 200000 };

struct pair {
    struct ring ring;
    struct sys *sys;
    struct sys_parker *sender, *receiver;
};

static void send_all(void *arg)
{
    struct pair *p = arg;

    for (uint64_t i = 0; i < ITEMS;) {
        if (ring_push(&p->ring, &i, 0)) {
            i++;
            sys_unpark(p->sys, p->receiver);
        } else {
            sys_park(p->sys, p->sender, INT64_MAX);
        }
    }
}

static void two_threads_keep_order(void **state)
{
    struct pair p = {.sys = sys_linux_create_quiet()};
    struct sys_thread *thread = NULL;
    struct mem mem;

    (void)state;
    mem_init(&mem, "test", 0);
    ring_init(&p.ring, &mem, 8, sizeof(uint64_t));
    p.sender = sys_parker_create(p.sys);
    p.receiver = sys_parker_create(p.sys);
    assert_int_equal(sys_thread_start(p.sys, "sender", send_all, &p, &thread, NULL), S_OK);
    for (uint64_t expected = 0, item; expected < ITEMS;) {
        if (!ring_pop(&p.ring, &item)) {
            sys_park(p.sys, p.receiver, INT64_MAX);
            continue;
        }
        assert_int_equal(item, expected++);
        sys_unpark(p.sys, p.sender);
    }
    sys_thread_join(p.sys, thread);
    sys_parker_free(p.sys, p.sender);
    sys_parker_free(p.sys, p.receiver);
    ring_release(&p.ring, &mem);
    mem_release(&mem);
    sys_linux_free(p.sys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_order_of_calls),
        cmocka_unit_test(reserved_slots_stay_free),
        cmocka_unit_test(two_threads_keep_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
