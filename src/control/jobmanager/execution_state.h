/* execution_state.h - the states of a task's execution, as Flink names them, and which may follow which. */
#pragma once
#include "ground/base/base.h"

#define EXECUTION_STATE_MAP(X)                                                                                         \
    X(EXECUTION_CREATED, "CREATED", false)                                                                             \
    X(EXECUTION_SCHEDULED, "SCHEDULED", false)                                                                         \
    X(EXECUTION_DEPLOYING, "DEPLOYING", false)                                                                         \
    X(EXECUTION_INITIALIZING, "INITIALIZING", false)                                                                   \
    X(EXECUTION_RUNNING, "RUNNING", false)                                                                             \
    X(EXECUTION_FINISHED, "FINISHED", true)                                                                            \
    X(EXECUTION_CANCELING, "CANCELING", false)                                                                         \
    X(EXECUTION_CANCELED, "CANCELED", true)                                                                            \
    X(EXECUTION_FAILED, "FAILED", true)                                                                                \
    X(EXECUTION_RECONCILING, "RECONCILING", false)

enum execution_state {
#define X(state, name, terminal) state,
    EXECUTION_STATE_MAP(X)
#undef X
        EXECUTION_STATE_COUNT
};

const char *execution_state_name(enum execution_state s);
bool execution_state_is_terminal(enum execution_state s);
bool execution_state_may_follow(enum execution_state from, enum execution_state to);
