/* rescale.h - other parallelisms for a job that runs: it takes a checkpoint at whose barrier it stands still, its record says the next
 * generation, and it goes on from that checkpoint with these. A failure before the record leaves the job as it was, one behind it
 * as it will be; there is nothing in between. The job keeps its id, its measures and its history. */
#pragma once
#include "control/jobmanager/jobmaster.h"

/* How a vertex may run. */
struct rescale_bounds {
    const char *vertex; /* its id */
    uint32_t lower, upper;
};

struct rescale_ask {
    uint32_t parallelism; /* 0: bounds say it */
    const char *vertex;   /* id or name of the one that gets it; NULL: all that have the parallelism of the job */
    /* Of every vertex. The upper ones where slots suffice; else what fits and is not below the lower ones. */
    const struct rescale_bounds *bounds;
    uint32_t bound_count;
};

struct rescale_progress {
    char trigger[SNAPSHOT_TRIGGER_SIZE];
    enum checkpoint_state state; /* COMPLETED: every task runs */
    bool is_switched;            /* the record says so: whatever comes, the job runs with the new parallelisms */
    int64_t asked_ms, ended_ms;  /* wall clock; ended 0: not yet */
    /* COMPLETED */
    int64_t pause_ms;   /* from the barrier to the last task that runs again */
    int64_t checkpoint; /* 0: there was nothing to do */
    uint64_t bytes;     /* of it */
    struct err err;     /* FAILED */
};

/* Any thread; does not wait. trigger: room for the number under which it is asked after. E_UNSUPPORTED, E_CANCELED: this job cannot;
 * E_GRAPH: not with these; E_BUDGET: slots do not suffice; E_EXISTS: one is under way; E_NOT_FOUND: there is no such vertex. */
enum status jobmaster_ask_rescale(struct jobmaster *jm, const struct rescale_ask *ask, char trigger[static SNAPSHOT_TRIGGER_SIZE],
                                  struct err *e) CHECKED;
/* The same, and waits for it. Not on the job master's own thread. */
enum status jobmaster_rescale_now(struct jobmaster *jm, const struct rescale_ask *ask, struct rescale_progress *out, struct err *e) CHECKED;
/* Any thread. False: there is none (any more); the latest are kept. */
bool jobmaster_rescale_progress(struct jobmaster *jm, const char *trigger, struct rescale_progress *out);
/* The index-th, the newest first; false behind the last. */
bool jobmaster_rescale(struct jobmaster *jm, uint32_t index, struct rescale_progress *out);
