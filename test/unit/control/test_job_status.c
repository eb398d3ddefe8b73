/* test_job_status.c - the states of a job: names, which are final, and every pair that may and may not follow. */
#include "control/jobmanager/job_status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void names_and_ends_are_flinks(void **state)
{
    static const struct {
        enum job_status status;
        const char *name;
        bool is_terminal;
    } all[] = {
        {JOB_INITIALIZING, "INITIALIZING", false}, {JOB_CREATED, "CREATED", false},
        {JOB_RUNNING, "RUNNING", false},           {JOB_FAILING, "FAILING", false},
        {JOB_FAILED, "FAILED", true},              {JOB_CANCELLING, "CANCELLING", false},
        {JOB_CANCELED, "CANCELED", true},          {JOB_FINISHED, "FINISHED", true},
        {JOB_RESTARTING, "RESTARTING", false},     {JOB_SUSPENDED, "SUSPENDED", false},
        {JOB_RECONCILING, "RECONCILING", false},
    };

    (void)state;
    assert_int_equal(COUNT_OF(all), JOB_STATUS_COUNT);
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        assert_string_equal(job_status_name(all[i].status), all[i].name);
        assert_int_equal(job_status_is_terminal(all[i].status), all[i].is_terminal);
    }
}

/* A row per state a job is in, a column per state that may follow, both in the order of the enumeration:
 * Initializing, Created, Running, failinG, Failed, canceLling, Canceled, finisHed, reStarting, sUspended, recOnciling. */
static void every_pair(void **state)
{
    static const char *const allowed[JOB_STATUS_COUNT] = {
        /*                    ICRGFLCHSUO */
        [JOB_INITIALIZING] = ".x..x.x..x.", /* nothing runs yet: it fails and is canceled at once */
        [JOB_CREATED] = "..xx.x...x.",
        [JOB_RUNNING] = "...x.x.xxx.",
        [JOB_FAILING] = "....x....x.",
        [JOB_FAILED] = "...........",
        [JOB_CANCELLING] = "...x..x..x.",
        [JOB_CANCELED] = "...........",
        [JOB_FINISHED] = "...........",
        [JOB_RESTARTING] = ".xxx.x...x.",
        [JOB_SUSPENDED] = ".x........x",
        [JOB_RECONCILING] = "..xx.x..xx.",
    };

    (void)state;
    for (int from = 0; from < JOB_STATUS_COUNT; from++)
        for (int to = 0; to < JOB_STATUS_COUNT; to++)
            if (job_status_may_follow((enum job_status)from, (enum job_status)to) != (allowed[from][to] == 'x'))
                fail_msg("%s -> %s", job_status_name((enum job_status)from), job_status_name((enum job_status)to));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_ends_are_flinks),
        cmocka_unit_test(every_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
