/* kept_words.h - a few numbers that an instance keeps besides its tables, over checkpoints: what has fired, how far something is.
 * Operator state of one row per subtask. */
#pragma once
#include "flow/operator/op.h"

struct opstate;

enum { KEPT_WORDS_MAX = 8 };

struct kept_words {
    struct op_cx *cx;
    struct opstate *state; /* NULL: the job takes no checkpoints */
    uint32_t count;
};

/* In open. words: what a new instance begins with; they become those of the instance that this one goes on for. When there are more or
 * fewer subtasks than there were, that is none, and they are the least of all, each: *is_own says which. */
enum status kept_words_open(struct kept_words *k, struct op_cx *cx, const char *name, int64_t *words, uint32_t count,
                            bool *is_own) CHECKED;
void kept_words_close(struct kept_words *k);
enum status kept_words_save(struct kept_words *k, const int64_t *words) CHECKED; /* on a barrier */
