/* test_checkpoint_coordinator.c - when checkpoints begin and how they end, on a clock that is a number. What the coordinator wants
 * done is a story of words: "trigger 1; store 1; notify 1; ". */
#include "control/jobmanager/checkpoint_coordinator.h"

#include "ground/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct {
    struct mem mem;
    struct buf story;
    struct checkpoint_coordinator *c;
    struct checkpoint_settings settings;
} w;

static int set_up(void **state)
{
    (void)state;
    mem_init(&w.mem, "test", 0);
    buf_init(&w.story, &w.mem);
    w.settings = (struct checkpoint_settings){
        .interval_ms = 1000, .timeout_ms = 5000, .concurrent_max = 1, .tasks = 2, .wall_offset_ms = 1000000};
    w.c = NULL;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    checkpoint_coordinator_free(w.c);
    mem_release(&w.mem);
    return 0;
}

static void run_both(int64_t now)
{
    checkpoint_started(w.c, now);
    checkpoint_task_running(w.c, 0, now);
    checkpoint_task_running(w.c, 1, now);
}

static void begin(void)
{
    w.c = checkpoint_coordinator_create(&w.settings, 1, 65);
    run_both(0);
}

static void acknowledge(int64_t id, uint32_t task)
{
    checkpoint_acknowledged(w.c, id, task,
                            &(struct checkpoint_ack){.bytes = 100, .alignment_ms = 3 + task, .sync_ms = 7});
}

static void expect_at(int line, const char *story)
{
    static const char *const verbs[] = {
        [CHECKPOINT_TRIGGER] = "trigger", [CHECKPOINT_STORE] = "store",     [CHECKPOINT_ABORT] = "abort",
        [CHECKPOINT_NOTIFY] = "notify",   [CHECKPOINT_RESERVE] = "reserve", [CHECKPOINT_FAIL_JOB] = "fail"};
    struct checkpoint_action a;

    buf_clear(&w.story);
    while (checkpoint_coordinator_take(w.c, &a)) {
        buf_printf(&w.story, "%s %lld", verbs[a.verb], (long long)a.id);
        if (a.verb == CHECKPOINT_TRIGGER && a.kind == SNAPSHOT_SAVEPOINT) buf_append_text(&w.story, " savepoint");
        if (a.reason != CHECKPOINT_NO_REASON) buf_printf(&w.story, " %s", checkpoint_reason_name(a.reason));
        buf_append_text(&w.story, "; ");
    }
    _assert_string_equal(buf_text(&w.story), story, __FILE__, line);
}
#define expect(story) expect_at(__LINE__, story)

/* From the trigger to the end. */
static void complete(int64_t id, int64_t now)
{
    acknowledge(id, 0);
    acknowledge(id, 1);
    checkpoint_stored(w.c, id, CHECKPOINT_NO_REASON, 50, now);
}

static void one_is_triggered_stored_and_told_of(void **state)
{
    struct checkpoint_stats s;

    (void)state;
    begin();
    assert_int_equal(checkpoint_due_ms(w.c), 1000);
    checkpoint_tick(w.c, 999);
    expect("");
    checkpoint_tick(w.c, 1000);
    expect("trigger 1; ");
    assert_int_equal(checkpoint_due_ms(w.c), 6000); /* it may expire */
    acknowledge(1, 1);
    expect("");
    acknowledge(1, 1); /* twice is once */
    acknowledge(9, 0); /* of one that there is not */
    expect("");
    acknowledge(1, 0);
    expect("store 1; ");
    assert_true(checkpoint_is_storing(w.c));
    checkpoint_stored(w.c, 1, CHECKPOINT_NO_REASON, 50, 1300);
    expect("notify 1; ");
    assert_false(checkpoint_is_storing(w.c));
    assert_true(checkpoint_history(w.c, 0, &s));
    assert_int_equal(s.state, CHECKPOINT_COMPLETED);
    assert_int_equal(s.triggered_ms, 1001000);
    assert_int_equal(s.ended_ms, 1001300);
    assert_int_equal(s.size, 50);
    assert_int_equal(s.alignment_ms, 4);
    assert_int_equal(s.sync_ms, 7);
    assert_int_equal(s.acknowledged, 2);
    assert_false(checkpoint_history(w.c, 1, &s));
    assert_int_equal(checkpoint_due_ms(w.c), 2000);
}

static void none_begins_before_all_tasks_run(void **state)
{
    (void)state;
    w.c = checkpoint_coordinator_create(&w.settings, 1, 65);
    checkpoint_tick(w.c, 5000);
    checkpoint_started(w.c, 5000);
    checkpoint_task_running(w.c, 1, 5100);
    checkpoint_tick(w.c, 7000);
    expect("");
    assert_int_equal(checkpoint_due_ms(w.c), INT64_MAX);
    checkpoint_task_running(w.c, 0, 7100); /* it is overdue */
    expect("trigger 1; ");
}

static void without_an_interval_there_are_savepoints_only(void **state)
{
    int64_t id;

    (void)state;
    w.settings.interval_ms = 0;
    begin();
    checkpoint_tick(w.c, 1000000);
    expect("");
    assert_int_equal(checkpoint_due_ms(w.c), INT64_MAX);
    assert_int_equal(checkpoint_request(w.c, SNAPSHOT_SAVEPOINT, 1000000, &id), CHECKPOINT_NO_REASON);
    assert_int_equal(id, 1);
    expect("trigger 1 savepoint; ");
}

static void the_interval_counts_from_trigger_to_trigger(void **state)
{
    (void)state;
    begin();
    checkpoint_tick(w.c, 1000);
    complete(1, 1900);
    checkpoint_tick(w.c, 1999);
    expect("trigger 1; store 1; notify 1; ");
    checkpoint_tick(w.c, 2000);
    expect("trigger 2; ");
    acknowledge(2, 0);
    acknowledge(2, 1);
    checkpoint_stored(w.c, 2, CHECKPOINT_NO_REASON, 50, 3500); /* longer than the interval: the next follows at once */
    expect("store 2; notify 2; trigger 3; ");
}

static void between_two_there_is_the_minimum_pause(void **state)
{
    (void)state;
    w.settings.min_pause_ms = 800;
    begin();
    checkpoint_tick(w.c, 1000);
    complete(1, 1900);
    expect("trigger 1; store 1; notify 1; ");
    assert_int_equal(checkpoint_due_ms(w.c), 2700);
    checkpoint_tick(w.c, 2699);
    expect("");
    checkpoint_tick(w.c, 2700);
    expect("trigger 2; ");
}

static void as_many_as_may_be_are_under_way(void **state)
{
    (void)state;
    w.settings.concurrent_max = 2;
    begin();
    checkpoint_tick(w.c, 1000);
    checkpoint_tick(w.c, 2000);
    checkpoint_tick(w.c, 3000);
    expect("trigger 1; trigger 2; ");
    acknowledge(1, 0);
    acknowledge(1, 1);
    expect("store 1; ");
    checkpoint_tick(w.c, 3001); /* storing, it still counts */
    expect("");
    checkpoint_stored(w.c, 1, CHECKPOINT_NO_REASON, 0, 3100);
    expect("notify 1; trigger 3; ");
}

static void one_that_takes_too_long_expires(void **state)
{
    struct checkpoint_stats s;

    (void)state;
    w.settings.tolerable_failures = 5;
    begin();
    checkpoint_tick(w.c, 1000);
    acknowledge(1, 0);
    checkpoint_tick(w.c, 5999);
    expect("trigger 1; ");
    checkpoint_tick(w.c, 6000);
    expect("abort 1 CHECKPOINT_EXPIRED; trigger 2; ");
    acknowledge(1, 1); /* too late */
    expect("");
    assert_true(checkpoint_history(w.c, 1, &s));
    assert_int_equal(s.id, 1);
    assert_int_equal(s.state, CHECKPOINT_FAILED);
    assert_int_equal(s.reason, CHECKPOINT_EXPIRED);
    assert_int_equal(s.acknowledged, 1);
}

static void one_that_is_being_stored_does_not_expire(void **state)
{
    (void)state;
    begin();
    checkpoint_tick(w.c, 1000);
    acknowledge(1, 0);
    acknowledge(1, 1);
    checkpoint_tick(w.c, 1000000);
    checkpoint_failed(w.c, 1, CHECKPOINT_DECLINED, 1000000);
    checkpoint_stopped(w.c, CHECKPOINT_JOB_FAILOVER, 1000000);
    expect("trigger 1; store 1; ");
    checkpoint_stored(w.c, 1, CHECKPOINT_NO_REASON, 0, 1000001);
    expect("notify 1; ");
}

static void failures_in_a_row_fail_the_job(void **state)
{
    (void)state;
    w.settings.tolerable_failures = 1;
    begin();
    checkpoint_tick(w.c, 1000);
    checkpoint_failed(w.c, 1, CHECKPOINT_DECLINED, 1100);
    expect("trigger 1; abort 1 CHECKPOINT_DECLINED; ");
    checkpoint_tick(w.c, 2000);
    complete(2, 2100); /* begins the count anew */
    checkpoint_tick(w.c, 3000);
    checkpoint_failed(w.c, 3, CHECKPOINT_ASYNC_EXCEPTION, 3100);
    expect("trigger 2; store 2; notify 2; trigger 3; abort 3 CHECKPOINT_ASYNC_EXCEPTION; ");
    checkpoint_tick(w.c, 4000);
    acknowledge(4, 0);
    acknowledge(4, 1);
    checkpoint_stored(w.c, 4, CHECKPOINT_FINALIZE_FAILURE, 0, 4100);
    expect("trigger 4; store 4; abort 4 FINALIZE_CHECKPOINT_FAILURE; fail 4 FINALIZE_CHECKPOINT_FAILURE; ");
}

static void by_default_the_first_failure_is_one_too_many(void **state)
{
    (void)state;
    begin();
    checkpoint_tick(w.c, 1000);
    checkpoint_tick(w.c, 6000);
    expect("trigger 1; abort 1 CHECKPOINT_EXPIRED; fail 1 CHECKPOINT_EXPIRED; trigger 2; ");
}

static void what_is_nobodys_fault_does_not_count(void **state)
{
    (void)state;
    begin();
    checkpoint_tick(w.c, 1000);
    checkpoint_stopped(w.c, CHECKPOINT_JOB_FAILOVER, 1500);
    checkpoint_tick(w.c, 9000);
    expect("trigger 1; abort 1 JOB_FAILOVER_REGION; ");
    assert_int_equal(checkpoint_due_ms(w.c), INT64_MAX);
    run_both(10000);
    checkpoint_tick(w.c, 10999);
    expect("");
    checkpoint_tick(w.c, 11000);
    expect("trigger 2; ");
}

static void a_newer_one_subsumes_the_older(void **state)
{
    (void)state;
    w.settings.concurrent_max = 3;
    begin();
    checkpoint_tick(w.c, 1000);
    checkpoint_tick(w.c, 2000);
    checkpoint_tick(w.c, 3000);
    expect("trigger 1; trigger 2; trigger 3; ");
    complete(2, 3100);
    expect("store 2; notify 2; abort 1 CHECKPOINT_SUBSUMED; "); /* not the newer one */
    assert_true(checkpoint_is_pending(w.c, 3));
}

static void a_savepoint_is_not_overtaken(void **state)
{
    int64_t id;

    (void)state;
    w.settings.concurrent_max = 3;
    begin();
    checkpoint_tick(w.c, 1000);
    assert_int_equal(checkpoint_request(w.c, SNAPSHOT_SAVEPOINT, 1100, &id), CHECKPOINT_NO_REASON);
    checkpoint_tick(w.c, 2000);
    expect("trigger 1; trigger 2 savepoint; ");
    complete(1, 2100); /* what was under way may come to its end */
    checkpoint_tick(w.c, 3000);
    expect("store 1; notify 1; ");
    complete(2, 3200);
    expect("store 2; notify 2; trigger 3; ");
}

static void savepoints_heed_no_limits_but_come_one_after_another(void **state)
{
    int64_t id;

    (void)state;
    w.settings.min_pause_ms = 100000;
    begin();
    checkpoint_tick(w.c, 1000);
    complete(1, 1100);
    expect("trigger 1; store 1; notify 1; ");
    assert_int_equal(checkpoint_request(w.c, SNAPSHOT_SAVEPOINT, 1200, &id), CHECKPOINT_NO_REASON);
    assert_int_equal(id, 2);
    assert_int_equal(checkpoint_request(w.c, SNAPSHOT_SAVEPOINT, 1200, &id), CHECKPOINT_TOO_MANY);
    complete(2, 1300);
    assert_int_equal(checkpoint_request(w.c, SNAPSHOT_SAVEPOINT, 1400, &id), CHECKPOINT_NO_REASON);
    assert_int_equal(id, 3);
    expect("trigger 2 savepoint; store 2; notify 2; trigger 3 savepoint; ");
    checkpoint_stopped(w.c, CHECKPOINT_TASK_FAILURE, 1500);
    assert_int_equal(checkpoint_request(w.c, SNAPSHOT_SAVEPOINT, 1600, &id), CHECKPOINT_TASKS_NOT_RUNNING);
}

static void who_has_finished_is_not_waited_for(void **state)
{
    (void)state;
    begin();
    checkpoint_task_finished(w.c, 0, false, 500);
    checkpoint_tick(w.c, 1000);
    expect("trigger 1; ");
    assert_true(checkpoint_task_was_finished(w.c, 1, 0));
    assert_false(checkpoint_task_was_finished(w.c, 1, 1));
    acknowledge(1, 1);
    expect("store 1; ");
    checkpoint_stored(w.c, 1, CHECKPOINT_NO_REASON, 0, 1100);
    checkpoint_tick(w.c, 2000);
    expect("notify 1; trigger 2; ");
    checkpoint_task_finished(w.c, 1, false, 2100); /* without having acknowledged: nothing of it is left to come */
    expect("store 2; ");
    checkpoint_stored(w.c, 2, CHECKPOINT_NO_REASON, 0, 2200);
    checkpoint_tick(w.c, 9000); /* nobody is left to be told */
    expect("notify 2; ");
}

static void who_acknowledged_before_it_finished_had_not_finished(void **state)
{
    (void)state;
    begin();
    checkpoint_tick(w.c, 1000);
    acknowledge(1, 0);
    checkpoint_task_finished(w.c, 0, false, 1050);
    assert_false(checkpoint_task_was_finished(w.c, 1, 0));
    expect("trigger 1; ");
    acknowledge(1, 1);
    expect("store 1; ");
}

static void who_is_missed_ends_the_checkpoints_that_it_did_not_acknowledge(void **state)
{
    (void)state;
    w.settings.concurrent_max = 2;
    begin();
    checkpoint_tick(w.c, 1000);
    acknowledge(1, 0);
    checkpoint_tick(w.c, 2000);
    acknowledge(2, 1);
    checkpoint_task_finished(w.c, 0, true, 2100);
    expect("trigger 1; trigger 2; abort 2 CHECKPOINT_DECLINED_TASK_CLOSING; ");
    acknowledge(1, 1);
    expect("store 1; ");
    checkpoint_tick(w.c, 3000); /* from then on it is known to be through */
    assert_true(checkpoint_task_was_finished(w.c, 3, 0));
}

static void ids_are_not_used_before_they_are_reserved(void **state)
{
    struct checkpoint_stats s;

    (void)state;
    w.settings.tolerable_failures = 9;
    w.c = checkpoint_coordinator_create(&w.settings, 64, 65);
    run_both(0);
    checkpoint_tick(w.c, 1000);
    checkpoint_failed(w.c, 64, CHECKPOINT_DECLINED, 1100);
    checkpoint_tick(w.c, 2000);
    checkpoint_tick(w.c, 2100);
    expect("trigger 64; abort 64 CHECKPOINT_DECLINED; reserve 0; ");
    checkpoint_reserved(w.c, 65); /* the record could not be written: the same is asked for again, not at once */
    checkpoint_not_reserved(w.c, 2110);
    checkpoint_tick(w.c, 3000);
    expect("");
    checkpoint_tick(w.c, 3110);
    expect("reserve 0; ");
    checkpoint_reserved(w.c, 129);
    checkpoint_tick(w.c, 3200);
    expect("trigger 65; ");
    assert_true(checkpoint_history(w.c, 0, &s));
    assert_int_equal(s.state, CHECKPOINT_IN_PROGRESS);
    assert_int_equal(s.id, 65);
}

static void who_waits_for_the_last_one_gets_it_at_once(void **state)
{
    (void)state;
    w.settings.interval_ms = 0;
    w.settings.tolerable_failures = 3;
    w.settings.min_pause_ms = 5000;
    begin();
    checkpoint_wanted(w.c, 300);
    expect("trigger 1; ");
    checkpoint_wanted(w.c, 400); /* another task, which may have acknowledged 1 before it was through */
    expect("");
    complete(1, 500);
    expect("store 1; notify 1; trigger 2; ");
    checkpoint_failed(w.c, 2, CHECKPOINT_DECLINED, 600);
    assert_int_equal(checkpoint_due_ms(w.c), 1500);
    checkpoint_tick(w.c, 1500);
    expect("abort 2 CHECKPOINT_DECLINED; trigger 3; ");
    complete(3, 1600);
    checkpoint_tick(w.c, 100000);
    expect("store 3; notify 3; ");
    assert_int_equal(checkpoint_due_ms(w.c), INT64_MAX);
}

static void the_history_keeps_the_last_ten(void **state)
{
    struct checkpoint_stats s;

    (void)state;
    begin();
    for (int64_t i = 1; i <= 12; i++) {
        checkpoint_tick(w.c, i * 1000);
        complete(i, i * 1000 + 1);
    }
    for (uint32_t i = 0; i < CHECKPOINT_HISTORY; i++) {
        assert_true(checkpoint_history(w.c, i, &s));
        assert_int_equal(s.id, 12 - i);
    }
    assert_false(checkpoint_history(w.c, CHECKPOINT_HISTORY, &s));
    assert_int_equal(checkpoint_counts(w.c).completed, 12);
    assert_int_equal(checkpoint_counts(w.c).failed, 0);
    assert_int_equal(checkpoint_counts(w.c).in_progress, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(one_is_triggered_stored_and_told_of),
        T(none_begins_before_all_tasks_run),
        T(without_an_interval_there_are_savepoints_only),
        T(the_interval_counts_from_trigger_to_trigger),
        T(between_two_there_is_the_minimum_pause),
        T(as_many_as_may_be_are_under_way),
        T(one_that_takes_too_long_expires),
        T(one_that_is_being_stored_does_not_expire),
        T(failures_in_a_row_fail_the_job),
        T(by_default_the_first_failure_is_one_too_many),
        T(what_is_nobodys_fault_does_not_count),
        T(a_newer_one_subsumes_the_older),
        T(a_savepoint_is_not_overtaken),
        T(savepoints_heed_no_limits_but_come_one_after_another),
        T(who_has_finished_is_not_waited_for),
        T(who_acknowledged_before_it_finished_had_not_finished),
        T(who_is_missed_ends_the_checkpoints_that_it_did_not_acknowledge),
        T(ids_are_not_used_before_they_are_reserved),
        T(who_waits_for_the_last_one_gets_it_at_once),
        T(the_history_keeps_the_last_ten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
