/* test_sys_thread.c - clocks, threads, parkers and mailboxes of the Linux world. A lost wake-up would hang these tests. */
#include "ground/sys/sys.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

static int set_up(void **state)
{
    *state = sys_linux_create_quiet();
    return 0;
}

static int tear_down(void **state)
{
    struct sys *s = *state;

    sys_linux_free(s);
    return 0;
}

static void clocks_and_chance(void **state)
{
    struct sys *s = *state;
    int64_t wall = sys_wall_ms(s), mono = sys_mono_ns(s);

    assert_true(wall > INT64_C(1700000000000)); /* November 2023 */
    assert_true(mono > 0 && sys_mono_ns(s) >= mono);
    assert_int_not_equal(sys_random(s), sys_random(s));
    assert_true(sys_cpu_count(s) >= 1);
    assert_true(sys_resident_bytes(s) > 100000);
    assert_true(sys_memory_bytes(s) > sys_resident_bytes(s));
    assert_int_equal(sys_signal_take(s), SYS_SIGNAL_NONE);
}

struct seen {
    bool ran, blocks_int, blocks_segv;
};

static void look_around(void *arg)
{
    struct seen *seen = arg;
    sigset_t blocked;

    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    *seen = (struct seen){true, sigismember(&blocked, SIGINT) == 1, sigismember(&blocked, SIGSEGV) == 1};
}

static void threads_leave_signals_to_main(void **state)
{
    struct sys *s = *state;
    struct sys_thread *t = NULL;
    struct seen seen = {0};
    struct err e = {0};
    sigset_t blocked;

    assert_int_equal(sys_thread_start(s, "a name longer than the kernel keeps", look_around, &seen, &t, &e), S_OK);
    sys_thread_join(s, t);
    assert_true(seen.ran && seen.blocks_int && !seen.blocks_segv);
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    assert_int_equal(sigismember(&blocked, SIGINT), 0);
    sys_thread_join(s, NULL);
}

static void park_keeps_an_early_unpark(void **state)
{
    struct sys *s = *state;
    struct sys_parker *p = sys_parker_create(s);

    sys_unpark(s, p);
    sys_unpark(s, p);
    sys_park(s, p, INT64_MAX); /* returns at once; two unparks are one */
    int64_t start = sys_mono_ns(s);
    while (sys_mono_ns(s) - start < 2000000) sys_park(s, p, 2000000);
    sys_park(s, p, 0);
    sys_park(s, p, -5);
    sys_parker_free(s, p);
    sys_parker_free(s, NULL);
}

static void park_knows_the_core_of_who_unparked(void **state)
{
    struct sys *s = *state;
    struct sys_parker *p = sys_parker_create(s);
    cpu_set_t here, former;

    assert_int_equal(pthread_getaffinity_np(pthread_self(), sizeof former, &former), 0);
    CPU_ZERO(&here);
    CPU_SET((size_t)sched_getcpu(), &here);
    assert_int_equal(pthread_setaffinity_np(pthread_self(), sizeof here, &here), 0);
    assert_false(sys_park(s, p, 0)); /* nobody did */
    sys_unpark(s, p);
    assert_true(sys_park(s, p, INT64_MAX));
    assert_false(sys_park(s, p, 0)); /* told once */
    assert_int_equal(pthread_setaffinity_np(pthread_self(), sizeof former, &former), 0);
    sys_parker_free(s, p);
}

enum { ROUNDS = 20000 };

struct table { /* ping and pong hit the ball in turn; `ball` says whose turn it is */
    struct sys *sys;
    struct sys_parker *parkers[2];
    struct sys_atomic_u64 ball;
    uint64_t hits; /* no atomic: turns alone order it */
};

static void play(struct table *t, uint64_t who)
{
    for (int i = 0; i < ROUNDS; i++) {
        while (sys_atomic_load(&t->ball) != who) sys_park(t->sys, t->parkers[who], INT64_MAX);
        t->hits++;
        sys_atomic_store(&t->ball, 1 - who);
        sys_unpark(t->sys, t->parkers[1 - who]);
    }
}

static void play_pong(void *arg) { play(arg, 1); }

static void no_wakeup_is_lost(void **state)
{
    struct sys *s = *state;
    struct table t = {.sys = s, .parkers = {sys_parker_create(s), sys_parker_create(s)}};
    struct sys_thread *pong = NULL;

    assert_int_equal(sys_thread_start(s, "pong", play_pong, &t, &pong, NULL), S_OK);
    play(&t, 0);
    sys_thread_join(s, pong);
    assert_int_equal(t.hits, 2 * ROUNDS);
    sys_parker_free(s, t.parkers[0]);
    sys_parker_free(s, t.parkers[1]);
}

enum { SENDERS = 4, LETTERS = 20000 };

struct sender {
    struct sys *sys;
    struct sys_mailbox *box;
    struct letter {
        int sender, number;
    } letters[LETTERS];
};

static void send_all(void *arg)
{
    struct sender *sender = arg;

    for (int i = 0; i < LETTERS; i++) sys_mailbox_send(sender->sys, sender->box, &sender->letters[i]);
}

static void mailbox_keeps_each_senders_order(void **state)
{
    static struct sender senders[SENDERS];
    struct sys *s = *state;
    struct sys_mailbox *box = sys_mailbox_create(s);
    struct sys_thread *threads[SENDERS];
    int next[SENDERS] = {0};

    for (int i = 0; i < SENDERS; i++) {
        senders[i].sys = s;
        senders[i].box = box;
        for (int k = 0; k < LETTERS; k++) senders[i].letters[k] = (struct letter){i, k};
        assert_int_equal(sys_thread_start(s, "sender", send_all, &senders[i], &threads[i], NULL), S_OK);
    }
    for (int i = 0; i < SENDERS * LETTERS; i++) {
        const struct letter *l = sys_mailbox_take(s, box, INT64_MAX);
        assert_non_null(l);
        assert_int_equal(l->number, next[l->sender]++);
    }
    for (int i = 0; i < SENDERS; i++) sys_thread_join(s, threads[i]);
    assert_null(sys_mailbox_take(s, box, 0));
    sys_mailbox_free(s, box);
}

static void mailbox_waits_and_may_be_dropped_full(void **state)
{
    struct sys *s = *state;
    struct sys_mailbox *box = sys_mailbox_create(s);
    static int bodies[3];

    int64_t start = sys_mono_ns(s);
    assert_null(sys_mailbox_take(s, box, 2000000));
    assert_true(sys_mono_ns(s) - start >= 2000000);
    sys_mailbox_send(s, box, &bodies[0]);
    sys_mailbox_send(s, box, &bodies[1]);
    assert_ptr_equal(sys_mailbox_take(s, box, 0), &bodies[0]);
    sys_mailbox_send(s, box, &bodies[2]);
    assert_ptr_equal(sys_mailbox_take(s, box, INT64_MAX), &bodies[1]);
    sys_mailbox_free(s, box); /* one message is left; the leak checker looks on */
    sys_mailbox_free(s, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(clocks_and_chance, set_up, tear_down),
        cmocka_unit_test_setup_teardown(threads_leave_signals_to_main, set_up, tear_down),
        cmocka_unit_test_setup_teardown(park_keeps_an_early_unpark, set_up, tear_down),
        cmocka_unit_test_setup_teardown(park_knows_the_core_of_who_unparked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_wakeup_is_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mailbox_keeps_each_senders_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mailbox_waits_and_may_be_dropped_full, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
