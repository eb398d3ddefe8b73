/* source_state.h - what a source remembers over checkpoints, as operator state of its subtasks. */
#pragma once
#include "flow/state/view.h"

struct source_reader;
struct source_split;

struct source_kept {
    struct opstate *splits;      /* LIST: those that are read, and where they stand */
    struct opstate *open;        /* UNION: their ids */
    struct opstate *finished;    /* UNION: ids of those that were read to the end */
    struct opstate *enumerators; /* UNION: for how many subtasks splits are handed out */
    uint32_t parallelism;        /* that number: of the run in which the job began */
    int64_t checkpoint;          /* the last one that it took part in */
};

/* Without a state host (the job takes no checkpoints) all of these do nothing. */
/* Before the first split is asked for: opens the split that were open, and tells the enumerator what was taken. */
enum status source_state_open(struct source_reader *r) CHECKED;
void source_state_close(struct source_reader *r);
enum status source_state_finished(struct source_reader *r, const struct source_split *s) CHECKED;
/* The subtask is through: it leaves what it knows to the others. */
void source_state_leave(struct source_reader *r);
/* On a barrier. */
enum status source_state_save(struct source_reader *r, int64_t checkpoint) CHECKED;
