/* restore_check.h - what becomes of each state of a snapshot when a job begins with it: looked at before anything runs. */
#pragma once
#include "control/jobmanager/restore_plan.h"
#include "flow/state/snapshot_compare.h"

/* An operator of the job, or one of the snapshot that the job does not have. */
struct upgrade_operator {
    const char *name;
    const char *uid;        /* NULL: it has none */
    bool is_gone;           /* the job does not have it: its state is lost */
    bool is_new;            /* the snapshot does not have it */
    bool is_asked_later;    /* it says what states it has when it runs; those of the snapshot are handed to it */
    struct err *refused;    /* it cannot begin with its state, and why; NULL: it can */
    struct state_outcomes states;
};
/* restore_plan_read has been done. E_CONFIG: the first operator that cannot begin with its state, which and what to do. */
enum status restore_check(const struct restore_plan *p, const struct graph *g, struct sys *sys, struct err *e) CHECKED;
/* Of all operators of the job, in its order, then those that are gone; those without state are left out. In the arena. E_DATA. */
enum status restore_outcomes(const struct restore_plan *p, const struct graph *g, struct sys *sys, struct arena *a,
                             const struct upgrade_operator **out, uint32_t *count, struct err *e) CHECKED;
