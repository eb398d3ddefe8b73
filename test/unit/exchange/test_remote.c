/* test_remote.c - an edge between two workers over loopback: every partitioner, slow gates, small credit, barriers
 * and watermarks, and what becomes of it when an end goes away or is not who it should be. */
#include "support/remote_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define SECOND_NS INT64_C(1000000000)

static void run(const struct pair_plan *plan)
{
    struct sys *sys = sys_linux_create_quiet();
    struct pair p;

    const char *wrong = remote_pair_open(&p, sys, plan);
    if (wrong == NULL) wrong = remote_pair_run(&p);
    if (wrong != NULL) fail_msg("partitioner %s: %s", partitioner_names[plan->partitioner], wrong);
    assert_true(remote_pair_close(&p, 60 * SECOND_NS));
    for (int i = 0; i < 2; i++) assert_int_equal(sys_atomic_load(&p.sides[i].failures), 0);
    sys_linux_free(sys);
}

static void every_partitioner_delivers(void **state)
{
    static const enum partitioner all[] = {PART_FORWARD, PART_HASH,    PART_REBALANCE, PART_BROADCAST,
                                           PART_GLOBAL,  PART_SHUFFLE, PART_ADAPTIVE};

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        uint32_t receivers = all[i] == PART_GLOBAL ? 1 : 3;
        run(&(struct pair_plan){.partitioner = all[i],
                                .senders = 3,
                                .receivers = receivers,
                                .rows = 3000,
                                .batch_rows = 64,
                                .shells = 4,
                                .barrier_rows = 500,
                                .takes = 4,
                                .has_budget = true});
    }
}

/* One shell of one row, and gates that take one event in a turn: whoever sends waits all the time. */
static void credit_runs_out_and_comes_back(void **state)
{
    (void)state;
    run(&(struct pair_plan){.partitioner = PART_HASH,
                            .senders = 2,
                            .receivers = 2,
                            .rows = 500,
                            .batch_rows = 1,
                            .shells = 1,
                            .barrier_rows = 10,
                            .takes = 1});
    run(&(struct pair_plan){.partitioner = PART_REBALANCE,
                            .senders = 4,
                            .receivers = 1,
                            .rows = 500,
                            .batch_rows = 3,
                            .shells = 2,
                            .barrier_rows = 1,
                            .takes = 1,
                            .has_budget = true});
}

static void one_batch_of_many_rows(void **state)
{
    (void)state;
    run(&(struct pair_plan){.partitioner = PART_FORWARD,
                            .senders = 1,
                            .receivers = 1,
                            .rows = 100000,
                            .batch_rows = 2048,
                            .shells = 8,
                            .takes = 8,
                            .has_budget = true});
}

/* The same with packed rows, which are fewer bytes; of what does not get smaller nothing is packed. */
static void packed_rows_arrive(void **state)
{
    uint64_t bytes[2] = {0};

    (void)state;
    for (int packs = 0; packs < 2; packs++) {
        struct pair_plan plan = {.partitioner = PART_HASH,
                                 .senders = 2,
                                 .receivers = 2,
                                 .rows = 5000,
                                 .batch_rows = 512,
                                 .shells = 4,
                                 .barrier_rows = 500,
                                 .takes = 4,
                                 .packs = packs == 1};
        struct sys *sys = sys_linux_create_quiet();
        struct remote_totals totals[2];
        struct pair p;
        assert_null(remote_pair_open(&p, sys, &plan));
        const char *wrong = remote_pair_run(&p);
        if (wrong != NULL) fail_msg("%s", wrong);
        for (int i = 0; i < 2; i++) remote_exchange_totals(p.sides[i].exchange, &totals[i]);
        bytes[packs] = totals[0].bytes_sent;
        assert_true(totals[0].batches_sent == totals[1].batches_received && totals[0].batches_sent > 0);
        assert_true(remote_pair_close(&p, 60 * SECOND_NS));
        sys_linux_free(sys);
    }
    assert_in_range(bytes[1], 1, bytes[0] / 2);
}

/* --- ends before their time --------------------------------------------------------------------------------------- */
static const struct pair_plan endless = {.partitioner = PART_HASH,
                                         .senders = 2,
                                         .receivers = 2,
                                         .rows = 100000000,
                                         .batch_rows = 64,
                                         .shells = 4,
                                         .takes = 4};

/* Runs until an end says that it failed. */
static void run_until_failure(struct pair *p, int side)
{
    while (sys_atomic_load(&p->sides[side].failures) == 0)
        if (!remote_pair_turn(p)) sys_park(p->sys, p->parker, SECOND_NS / 1000);
}

static void an_end_that_goes_away_is_told_to_the_other(void **state)
{
    (void)state;
    for (int gone = 0; gone < 2; gone++) {
        struct sys *sys = sys_linux_create_quiet();
        struct pair p;
        char wanted[200];
        assert_null(remote_pair_open(&p, sys, &endless));
        for (int i = 0; i < 2; i++) remote_exchange_start(p.sides[i].exchange);
        while (p.rows[0] < 1000) remote_pair_turn(&p);
        assert_false(remote_pair_stop(&p, gone, 0));
        run_until_failure(&p, 1 - gone);
        int size = snprintf(wanted, sizeof wanted, "worker w%d (127.0.0.1:%d)", gone, p.workers[gone].port);
        assert_non_null(strstr(p.sides[1 - gone].why.text, wanted));
        assert_true(size > 0);
        assert_int_equal(sys_atomic_load(&p.sides[gone].failures), 0);
        assert_null(p.wrong);
        assert_false(remote_pair_close(&p, 60 * SECOND_NS));
        assert_int_equal(sys_atomic_load(&p.sides[1 - gone].failures), 1);
        sys_linux_free(sys);
    }
}

static void fails_with(struct pair_plan plan, const char *wanted)
{
    struct sys *sys = sys_linux_create_quiet();
    struct pair p;

    assert_null(remote_pair_open(&p, sys, &plan));
    for (int i = 0; i < 2; i++) remote_exchange_start(p.sides[i].exchange);
    run_until_failure(&p, 0);
    if (strstr(p.sides[0].why.text, wanted) == NULL) fail_msg("'%s' is not in '%s'", wanted, p.sides[0].why.text);
    assert_non_null(strstr(p.sides[0].why.text, "worker w1 (127.0.0.1:"));
    assert_int_equal(p.rows[0] + p.rows[1], 0);
    assert_false(remote_pair_close(&p, 0));
    sys_linux_free(sys);
}

static void another_attempt_is_refused(void **state)
{
    struct pair_plan plan = endless;

    (void)state;
    plan.attempt[0] = 3;
    plan.attempt[1] = 4;
    fails_with(plan, "refused the connection: attempt 3 of leader 1 does not run here, but attempt 4 of leader 1");
}

static void another_key_is_refused(void **state)
{
    struct pair_plan plan = endless;

    (void)state;
    plan.key[1] = "another";
    fails_with(plan, "does not have the cluster's key");
}

static void nobody_listens(void **state)
{
    struct sys *sys = sys_linux_create_quiet();
    struct pair p;

    (void)state;
    assert_null(remote_pair_open(&p, sys, &endless));
    assert_false(remote_pair_stop(&p, 1, 0));
    p.workers[1].port = 1; /* nobody listens at that one */
    remote_exchange_start(p.sides[0].exchange);
    run_until_failure(&p, 0);
    assert_non_null(strstr(p.sides[0].why.text, "no connection to worker w1 (127.0.0.1:"));
    assert_non_null(strstr(p.sides[0].why.text, "refused"));
    assert_int_equal(p.sides[0].why.status, E_IO);
    assert_false(remote_pair_close(&p, 0));
    sys_linux_free(sys);
}

/* Stopped while nothing was sent yet, and before it was started. */
static void stopping_early_is_no_failure(void **state)
{
    (void)state;
    for (int started = 0; started < 2; started++) {
        struct sys *sys = sys_linux_create_quiet();
        struct pair p;
        assert_null(remote_pair_open(&p, sys, &endless));
        for (int i = 0; i < 2 && started; i++) remote_exchange_start(p.sides[i].exchange);
        assert_false(remote_pair_close(&p, 0));
        sys_linux_free(sys);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_partitioner_delivers),
        cmocka_unit_test(credit_runs_out_and_comes_back),
        cmocka_unit_test(one_batch_of_many_rows),
        cmocka_unit_test(packed_rows_arrive),
        cmocka_unit_test(an_end_that_goes_away_is_told_to_the_other),
        cmocka_unit_test(another_attempt_is_refused),
        cmocka_unit_test(another_key_is_refused),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(stopping_early_is_no_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
