/* execution_state.c - the state machine of an execution as a table: a bit per state that may follow. Flink's, state for state:
 * before its deployment an execution is canceled at once, afterwards it is CANCELING until its task has ended; a task may end
 * by itself, and may fail, at any time before that. */
#include "control/jobmanager/execution_state.h"

static const char *const names[EXECUTION_STATE_COUNT] = {
#define X(state, name, terminal) [state] = name,
    EXECUTION_STATE_MAP(X)
#undef X
};

static const bool terminal_ones[EXECUTION_STATE_COUNT] = {
#define X(state, name, terminal) [state] = terminal,
    EXECUTION_STATE_MAP(X)
#undef X
};

#define BIT(state) (1u << (state))
enum {
    ENDS = BIT(EXECUTION_FINISHED) | BIT(EXECUTION_CANCELED) | BIT(EXECUTION_FAILED), /* by itself */
    DEPLOYED = ENDS | BIT(EXECUTION_CANCELING),
};
/* RECONCILING: a new leader finds the task where the old one left it. */
static const uint32_t followers[EXECUTION_STATE_COUNT] = {
    [EXECUTION_CREATED] =
        BIT(EXECUTION_SCHEDULED) | BIT(EXECUTION_CANCELED) | BIT(EXECUTION_FAILED) | BIT(EXECUTION_RECONCILING),
    [EXECUTION_SCHEDULED] = BIT(EXECUTION_DEPLOYING) | BIT(EXECUTION_CANCELED) | BIT(EXECUTION_FAILED),
    [EXECUTION_DEPLOYING] = DEPLOYED | BIT(EXECUTION_INITIALIZING),
    [EXECUTION_INITIALIZING] = DEPLOYED | BIT(EXECUTION_RUNNING),
    [EXECUTION_RUNNING] = DEPLOYED,
    [EXECUTION_CANCELING] = BIT(EXECUTION_CANCELED) | BIT(EXECUTION_FAILED),
    [EXECUTION_RECONCILING] = ENDS | BIT(EXECUTION_INITIALIZING) | BIT(EXECUTION_RUNNING),
};

const char *execution_state_name(enum execution_state s)
{
    ASSERT(s < EXECUTION_STATE_COUNT);
    return names[s];
}

bool execution_state_is_terminal(enum execution_state s)
{
    ASSERT(s < EXECUTION_STATE_COUNT);
    return terminal_ones[s];
}

bool execution_state_may_follow(enum execution_state from, enum execution_state to)
{
    ASSERT(from < EXECUTION_STATE_COUNT && to < EXECUTION_STATE_COUNT);
    return (followers[from] & BIT(to)) != 0;
}
