/* job_far.h - the other processes in which tasks of the same job run, and what is said to them. Words between two processes arrive in the
 * order in which they were sent, and before what their sender says to the job master afterwards has an effect elsewhere. */
#pragma once
#include "flow/task/job_shared.h"

enum far_verb {
    FAR_ASK,      /* of an enumerator: key, subtask, number = parallelism */
    FAR_ANSWER,   /* subtask, status, wake_ms, text = id and bytes of the split; err */
    FAR_FINISHED, /* text = id of the split */
    FAR_LEFT,     /* a subtask that is through had read the split text; number = the last checkpoint it took part in */
    FAR_THROUGH,  /* a task of stage `number` has handed on all it had */
    FAR_ALIGNED,  /* members of the alignment group `key` there are at wake_ms */
    FAR_VERBS
};

struct far_word {
    enum far_verb verb;
    const char *key, *text;
    uint32_t subtask;
    int64_t number, wake_ms;
    enum status status;
    struct str bytes;
    const struct err *err; /* of a status below 0 */
};

enum { FAR_ALL = UINT32_MAX };

struct job_far {
    uint32_t self, count; /* processes */
    /* To that process, or FAR_ALL others; copied; any thread. */
    void (*send)(void *arg, uint32_t to, const struct far_word *w);
    /* Which process the enumerator of the source with that uid lives in. */
    uint32_t (*owner)(void *arg, const char *uid);
    void *arg;
};

/* Before its tasks are made; outlives the job. */
void job_use_far(struct job_shared *j, const struct job_far *far);
const struct job_far *job_far(const struct job_shared *j); /* NULL: all of the job is in this process */
/* A word of another process about stages; those about sources: enumerator.h, alignment.h. */
void job_far_through(struct job_shared *j, uint32_t stage);
