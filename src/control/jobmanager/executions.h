/* executions.h - one record per task of a job: what state its execution is in, and since when it was in each. The job master
 * alone moves them; anybody may look, also while the job runs. */
#pragma once
#include "control/graph/graph.h"
#include "control/jobmanager/execution_state.h"
#include "ground/sys/sys.h"

struct execution {
    const char *vertex_name;                  /* the graph's */
    uint32_t vertex, subtask, parallelism;    /* of the graph's vertices; subtasks from 0 */
    uint32_t attempt, slot;                   /* from 0; the slot is valid from DEPLOYING on */
    enum execution_state state;
    int64_t since_ms[EXECUTION_STATE_COUNT];  /* wall clock; 0 = it never was in that state */
};

struct executions;
/* CREATED, now. The graph is prepared and outlives them. Called for each move, by who moves; may be NULL. */
typedef void (*execution_moved_fn)(void *arg, const struct execution *x, enum execution_state from);
struct executions *executions_create(struct sys *sys, const struct graph *g, uint32_t attempt, execution_moved_fn moved,
                                     void *arg);
void executions_free(struct executions *x); /* NULL is a no-op */
/* The job starts anew: all are over, and are CREATED again in that attempt. */
void executions_restart(struct executions *x, uint32_t attempt);

uint32_t executions_count(const struct executions *x);
/* The index-th, by vertex and subtask, as it stands; false behind the last. Any thread. */
bool executions_view(struct executions *x, uint32_t index, struct execution *out);

/* --- the job master's ---------------------------------------------------------------------------------------------------- */
enum execution_state executions_state(const struct executions *x, uint32_t vertex, uint32_t subtask);
/* A move that Flink's state machine does not know is a mistake of ours. */
void executions_move(struct executions *x, uint32_t vertex, uint32_t subtask, enum execution_state next);
void executions_move_all(struct executions *x, enum execution_state next);
void executions_set_slot(struct executions *x, uint32_t vertex, uint32_t subtask, uint32_t slot); /* before DEPLOYING */
/* Those that were not deployed are CANCELED, others that are not over CANCELING. */
void executions_cancel(struct executions *x);
void executions_canceled(struct executions *x); /* no task runs any more: who was CANCELING is CANCELED */
