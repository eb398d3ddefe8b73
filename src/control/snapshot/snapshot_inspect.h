/* snapshot_inspect.h - what is in a checkpoint or savepoint, told state by state; nothing of it is restored. */
#pragma once
#include "control/snapshot/snapshot_read.h"
#include "flow/state/snapshot_survey.h"

struct inspected_operator {
    const struct snapshot_operator *saved;
    struct state_survey states;
    uint64_t bytes;            /* of its chunks */
    uint64_t committables;     /* bytes of what its subtasks had prepared and not yet made final */
    uint32_t chunks, finished; /* finished: subtasks that had come to their end */
};

/* One for each operator of the metadata, in the reader's arena. Reads every chunk; E_DATA names the object and the place in it. */
enum status snapshot_inspect(struct snapshot_reader *r, const struct inspected_operator **out, struct err *e) CHECKED;
