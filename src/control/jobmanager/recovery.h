/* recovery.h - what a job did from a failure, or from the barrier of a rescale, until all its tasks ran again: why, with which checkpoint it
 * went on, and how long each phase took. */
#pragma once
#include "control/jobmanager/jobmaster.h"

/* In their order; how they are told. A phase that comes again (a restart that failed) adds up. */
#define RECOVERY_PHASE_MAP(X)                                                                                         \
    X(RECOVERY_SNAPSHOT, "checkpoint") /* of a rescale */                                                              \
    X(RECOVERY_STOP, "tasks ended")                                                                                    \
    X(RECOVERY_RECORD, "record")                                                                                       \
    X(RECOVERY_PAUSE, "pause") /* of the restart strategy */                                                           \
    X(RECOVERY_READ, "state read")                                                                                     \
    X(RECOVERY_DEPLOY, "deployed") /* slots and processes, too */                                                      \
    X(RECOVERY_OPEN, "opened")     /* tasks begin with their state */

enum recovery_phase {
#define X(phase, name) phase,
    RECOVERY_PHASE_MAP(X)
#undef X
        RECOVERY_PHASES
};

enum { RECOVERIES_KEPT = 16 };
struct job_recovery {
    char cause[ERR_TEXT_MAX];
    bool is_rescale;
    uint32_t attempt;   /* that it led to, from 0 */
    int64_t began_ms;   /* wall clock */
    int64_t checkpoint; /* 0: it began anew, there was none */
    bool is_savepoint;
    int64_t age_ms; /* of the checkpoint, when it was read */
    uint64_t bytes;
    char folder[SYS_PATH_MAX];
    int64_t phases_ns[RECOVERY_PHASES], total_ns;
};

/* The index-th that is over, the newest first; false behind the last that is kept. Any thread. */
bool jobmaster_recovery(struct jobmaster *jm, uint32_t index, struct job_recovery *out);
/* For people, several lines. */
void recovery_print(const struct job_recovery *r, const char *job_name, struct buf *out);

/* --- the job master's ---------------------------------------------------------------------------------------------------- */
void recovery_begin(struct jobmaster *jm, const char *cause, bool is_rescale); /* one that is under way goes on, with the newest cause */
/* The time since the mark before was that phase. None under way is a no-op; so is the next one. */
void recovery_mark(struct jobmaster *jm, enum recovery_phase phase);
void recovery_end(struct jobmaster *jm); /* all tasks run */
int64_t recovery_pause_ms(const struct jobmaster *jm); /* so far */
