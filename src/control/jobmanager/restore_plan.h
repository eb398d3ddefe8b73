/* restore_plan.h - which subtask of a job begins with what of a snapshot: operators are found by their ids, subtasks take over from
 * those of the same number, or from all where the parallelism is another one. */
#pragma once
#include "control/graph/graph.h"
#include "control/snapshot/snapshot_read.h"
#include "flow/task/snapshot_port.h"

struct restore_plan;
/* Takes the reader over, also when it fails. E_GRAPH: state for which the job has no operator (unless that is allowed), or an
 * operator whose max parallelism is lower than it was: with the operator, and what to do. */
enum status restore_plan_create(struct snapshot_reader *r, const struct graph *g, bool allows_unclaimed,
                                struct restore_plan **out, struct err *e) CHECKED;
void restore_plan_free(struct restore_plan *p); /* NULL is a no-op */
/* Reads all state into memory. */
enum status restore_plan_read(struct restore_plan *p, struct err *e) CHECKED;
/* Instead, for restore_check alone: all chunks are read and checked, one after another, and what they say of states is kept, without rows. */
enum status restore_plan_read_schemas(struct restore_plan *p, struct err *e) CHECKED;
/* The state that a node of the graph begins with, once it was read, and whose it was; NULL: it has none. old may be NULL. */
const struct state_restore *restore_plan_node(const struct restore_plan *p, uint32_t node, const struct snapshot_operator **old);
/* All chunks of an operator of the snapshot, read into mem; out->operator is NULL. */
enum status restore_plan_images(const struct restore_plan *p, const struct snapshot_operator *o, struct mem *mem,
                                struct state_restore *out, struct err *e) CHECKED;
void restore_plan_drop_state(struct restore_plan *p); /* operators are open: nobody needs its bytes any more */
/* For taskmanager_settings.restores; plan is the restore_plan. */
const struct task_restore *restore_plan_task(void *plan, uint32_t vertex, uint32_t subtask);
const struct snapshot_metadata *restore_plan_metadata(const struct restore_plan *p);
const char *restore_plan_uri(const struct restore_plan *p);
uint64_t restore_plan_bytes(const struct restore_plan *p); /* metadata and state */
/* What it costs that a max parallelism was raised, naming the first such operator; NULL: none was. */
const char *restore_plan_split(const struct restore_plan *p, struct arena *a);
uint64_t restore_plan_digest(const struct restore_plan *p);
