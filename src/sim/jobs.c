/* jobs.c - the list of the simulated jobs. It and they are part of the binary alone: the libraries do not carry them, nor the
 * functions that they would add to everybody's table. */
#include "sim/sim.h"

#define X(name) extern const struct sim_job job_##name;
#include "job_registry.def"
#undef X

const struct sim_job *const sim_jobs[] = {
#define X(name) &job_##name,
#include "job_registry.def"
#undef X
    NULL,
};
