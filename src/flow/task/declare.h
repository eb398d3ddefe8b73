/* declare.h - an operator is asked what states it has, and what becomes of saved ones, without running it. */
#pragma once
#include "flow/state/snapshot_compare.h"
#include "flow/task/task.h"

/* Can it be asked? Not those that reach outside when they open (sources, sinks of the user): they say it when the job runs. */
bool operator_declares(const struct node_plan *node);
/* Opens it with the states that were saved, their rows left out, and closes it again; functions of the user are not called. saved NULL: it
 * is new, all its states are. E_CONFIG: it cannot begin with them, and what to do. backend: of the job; which states there are may depend on it. The outcomes are in the arena. */
enum status operator_declare(const struct node_plan *node, const struct sb_type *backend, uint32_t parallelism, uint32_t max_parallelism,
                             const struct state_restore *saved, struct sys *sys, struct arena *a, struct state_outcomes *out, struct err *e) CHECKED;
