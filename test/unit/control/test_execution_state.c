/* test_execution_state.c - the states of a task's execution: names, which are final, and every pair that may and may not
 * follow. */
#include "control/jobmanager/execution_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void names_and_ends_are_flinks(void **state)
{
    static const struct {
        enum execution_state state;
        const char *name;
        bool is_terminal;
    } all[] = {
        {EXECUTION_CREATED, "CREATED", false},       {EXECUTION_SCHEDULED, "SCHEDULED", false},
        {EXECUTION_DEPLOYING, "DEPLOYING", false},   {EXECUTION_INITIALIZING, "INITIALIZING", false},
        {EXECUTION_RUNNING, "RUNNING", false},       {EXECUTION_FINISHED, "FINISHED", true},
        {EXECUTION_CANCELING, "CANCELING", false},   {EXECUTION_CANCELED, "CANCELED", true},
        {EXECUTION_FAILED, "FAILED", true},          {EXECUTION_RECONCILING, "RECONCILING", false},
    };

    (void)state;
    assert_int_equal(COUNT_OF(all), EXECUTION_STATE_COUNT);
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        assert_string_equal(execution_state_name(all[i].state), all[i].name);
        assert_int_equal(execution_state_is_terminal(all[i].state), all[i].is_terminal);
    }
}

/* A row per state an execution is in, a column per state that may follow, both in the order of the enumeration:
 * Created, Scheduled, Deploying, Initializing, Running, Finished, canceLing, cAnceled, failEd, recOnciling. */
static void every_pair(void **state)
{
    static const char *const allowed[EXECUTION_STATE_COUNT] = {
        /*                          CSDIRFLAEO */
        [EXECUTION_CREATED] = ".x.....xxx", /* nothing runs yet: it is canceled at once */
        [EXECUTION_SCHEDULED] = "..x....xx.",
        [EXECUTION_DEPLOYING] = "...x.xxxx.",
        [EXECUTION_INITIALIZING] = "....xxxxx.",
        [EXECUTION_RUNNING] = ".....xxxx.",
        [EXECUTION_FINISHED] = "..........",
        [EXECUTION_CANCELING] = ".......xx.",
        [EXECUTION_CANCELED] = "..........",
        [EXECUTION_FAILED] = "..........",
        [EXECUTION_RECONCILING] = "...xxx.xx.",
    };

    (void)state;
    for (int from = 0; from < EXECUTION_STATE_COUNT; from++)
        for (int to = 0; to < EXECUTION_STATE_COUNT; to++)
            if (execution_state_may_follow((enum execution_state)from, (enum execution_state)to) !=
                (allowed[from][to] == 'x'))
                fail_msg("%s -> %s", execution_state_name((enum execution_state)from),
                         execution_state_name((enum execution_state)to));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_ends_are_flinks),
        cmocka_unit_test(every_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
