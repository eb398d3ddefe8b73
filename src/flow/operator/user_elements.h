/* user_elements.h - struct tw_elements: the rows of a window, group or partition as a function walks over them.
 *
 * Rows stay where tw_next put them until the callback has returned, so that a function may keep pointers to the best ones;
 * walking again gives the same pointers. They are transposed 64 at a time, when they are asked for. */
#pragma once
#include "flow/operator/user.h"

struct elements_block {
    char *structs;
    int64_t times[ROWCONV_ROWS];
    uint32_t count;
};

/* Gives the next batch of rows (its selection counts), NULL at the end. It must stay unchanged until user_elements_end. */
typedef enum status (*elements_next_fn)(void *arg, const struct batch **out);

struct tw_elements {
    struct tw_context *cx;
    const struct user_row *row;
    struct elements_block **blocks; /* filled ones first; all are kept for the next group */
    uint32_t block_count, block_capacity;
    uint32_t total;            /* rows of the group */
    uint32_t at, read;         /* next row to give; rows in blocks */
    const void *single;        /* instead of batches: the one row of the group */
    int64_t single_time;
    elements_next_fn next;
    void *arg;
    const struct batch *batch; /* being read */
    struct arena items;        /* of nested values in the blocks */
    uint32_t batch_at;
};

void user_elements_init(struct tw_elements *e, struct tw_context *cx, const struct user_row *row);
void user_elements_release(struct tw_elements *e);
/* A group of `total` rows. */
void user_elements_rows(struct tw_elements *e, uint32_t total, elements_next_fn next, void *arg);
/* A group of one struct. */
void user_elements_one(struct tw_elements *e, const void *row, int64_t time_ms);
void user_elements_end(struct tw_elements *e); /* after the callback */
