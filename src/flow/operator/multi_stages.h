/* multi_stages.h - how the rows of a batch of one input of a multi-join find those of the others, by stages over blocks of tuples.
 * A tuple is a row of the batch with a row, or none, of each input that has been met so far. */
#pragma once
#include "columns/expr/expr.h"
#include "flow/operator/join_side.h"

enum { MULTI_TUPLES = 512, MULTI_STAGES_MAX = OP_INPUTS_MAX + 1 };

/* How an input's rows are met. */
struct multi_level {
    bool is_left;
    uint32_t required;          /* bits: inputs that must have a row */
    uint32_t first;             /* its first column, of all */
    struct expr_run *condition; /* NULL: none */
    struct batch *tested;       /* what it reads */
};

/* Rows of an input under the keys of the batch, each as often as it is there: those of batch row i are rows[first[i]..first[i + 1]). Equal
 * keys have theirs at the first of them. */
struct multi_rows {
    void **rows;
    uint32_t count, capacity;
    uint32_t first[BATCH_ROWS + 1];
};

struct multi_block {
    uint32_t count, capacity;
    uint32_t at, next;  /* the tuple in work, the candidate of it */
    uint32_t phase;
    bool matched;       /* the tuple in work has met a row */
    uint16_t *index;    /* which selected row of the batch */
    bool *adds;         /* it comes, else it goes */
    int32_t *matches;
    void **refs;        /* of input i: refs[i * MULTI_TUPLES + tuple]; NULL: none */
};

enum multi_stage_kind { MULTI_EXTEND, MULTI_MATCH, MULTI_TURN };
struct multi_stage {
    enum multi_stage_kind kind;
    uint32_t level;
};

struct multi {
    uint32_t inputs;
    struct multi_level levels[OP_INPUTS_MAX];
    struct join_side *sides;
    struct multi_rows *rows;
    struct batch *out;
    bool has_left, emits_before, drops_before;
    /* The batch in work. */
    uint32_t input;
    const struct batch *in;
    uint16_t slot[BATCH_ROWS];     /* the first row with the same key */
    uint16_t previous[BATCH_ROWS]; /* the row before with the same key; MULTI_NONE */
    int8_t weight[BATCH_ROWS];     /* what it does to the number of its input's rows */
    int64_t others[BATCH_ROWS];    /* rows of its input under its key but itself, when it comes or goes */
    uint32_t seeded;
    uint32_t stage_count, depth;
    struct multi_stage stages[MULTI_STAGES_MAX];
    struct multi_block blocks[MULTI_STAGES_MAX + 1];
};
enum { MULTI_NONE = UINT16_MAX };

void multi_blocks_open(struct multi *m, struct mem *mem);
void multi_blocks_close(struct multi *m, struct mem *mem);
/* A batch whose rows are in `slot`, `previous`, `weight`, `others` and the sides' heads. */
void multi_begin(struct multi *m);
/* Goes on with it: S_OK when there is nothing more; S_MORE: what m->out has is to be handed on, and there may be more. */
enum status multi_run(struct op_cx *cx, struct multi *m) CHECKED;
