/* window_user.h - what a user's functions do to windows: rows into accumulators, accumulators into results or into a window
 * function. Shared by the slice engine (as a window_fold) and the per-row engine. */
#pragma once
#include "flow/operator/op_configs.h"
#include "flow/operator/user.h"
#include "flow/operator/user_elements.h"
#include "flow/operator/user_value.h"
#include "flow/operator/window_engine.h"
#include "flow/operator/window_slices.h"

enum { WINDOW_NAMED_MAX = 2 + OP_KEYS_MAX };

struct window_user {
    struct window_fold fold;         /* first: the fold's hooks get its address */
    struct tw_context *cx;           /* the operator's: the outermost function, outputs */
    struct tw_context *fold_cx;      /* what the aggregate or reduce function sees: cx, or that of `pre` */
    const struct tw_function *folds; /* aggregate or reduce function; NULL = rows are kept */
    const struct tw_function *apply; /* window function; NULL = results go out as they are */
    struct user_value acc;           /* of the accumulator, or of the row being reduced */
    const struct tw_row *result_row; /* what folds answers */
    uint32_t rows_field;             /* last field of the accumulator row: rows so far */
    size_t acc_size;
    bool is_plain; /* the accumulator has neither strings nor nested values */
    uint32_t ring_count; /* accumulators of a key, see window_ring.c; 0: it has one per window */
    int64_t ring_slide;
    char *a, *b, *out;               /* C values: accumulator, other accumulator, result */
    struct arena bytes;              /* of what is being stored */
    struct tw_elements elements;
    struct user_where where;         /* of the window that fires */
    uint16_t where_row;
    /* Fields of the result that are filled in before `result` runs: window bounds, key columns of the same name. */
    struct {
        uint32_t offset, field; /* field: its bit of the null mask */
        uint32_t key_col;       /* UINT32_MAX - 1 = window_start, UINT32_MAX = window_end */
        const struct cform *form;
    } named[WINDOW_NAMED_MAX];
    uint32_t named_count;
    uint32_t mask_offset; /* of the result's null mask, when it has one */
    bool is_bounded;      /* else window bounds are NULL */
};

/* Checks functions against the plan, answers outputs: port 0, the window function's sides, then "late". */
enum status window_user_derive(struct op_plan *plan, const struct window_config *c, struct err *e) CHECKED;
/* The function that rows meet first: pre when there is one. */
const struct function_ref *window_user_first(const struct window_config *c);
enum status window_user_open(struct window_user *u, struct tw_context *cx, struct tw_context *fold_cx,
                             const struct window_config *c) CHECKED;
void window_user_close(struct window_user *u);
/* One row (index among the selected rows of the batch read by user_read) into the accumulator row `acc` of t. */
enum status window_user_add(struct window_user *u, struct state_table *t, int64_t ns, void *acc,
                            const char *row) CHECKED;
enum status window_user_merge(struct window_user *u, struct state_table *t, int64_t ns, void *acc,
                              struct state_table *from, int64_t from_ns, const void *other) CHECKED;
/* Fires from an accumulator: the result goes to port 0 or through the window function. keys row `at` holds the key columns. */
enum status window_user_fire(struct window_user *u, struct state_table *t, int64_t ns, const void *acc,
                             const struct batch *keys, uint32_t at, const struct tw_window *w) CHECKED;
/* The same from an accumulator of plain words. */
enum status window_user_fire_value(struct window_user *u, const void *acc, const struct batch *keys, uint32_t at,
                                   const struct tw_window *w) CHECKED;
/* The function for each of n rows of the batch, as a struct, and its row of state; callbacks know where they are. */
enum status window_user_each(struct window_user *u, struct state_table *t, int64_t ns, void *const *acc,
                             struct batch *in, const uint16_t *rows, uint32_t n,
                             enum status (*one)(struct window_user *u, struct state_table *t, int64_t ns, void *acc,
                                                const char *row)) CHECKED;
/* Folds the rows of a window that keeps them (an evictor stands in front): 0 rows give nothing for a reduce function. */
enum status window_user_fire_rows(struct window_user *u, struct state_table *scratch, const uint32_t *cols, struct window_rows *rows,
                                  const struct batch *keys, uint32_t at, const struct tw_window *w) CHECKED;
/* The callbacks that follow are for this key and window; both live as long as they run. */
void window_user_stand_at(struct window_user *u, const struct batch *keys, uint32_t at, const struct tw_window *w);
/* Fires from rows: elements were set up with user_elements_rows on u->elements. */
enum status window_user_apply(struct window_user *u, const struct batch *keys, uint32_t at,
                              const struct tw_window *w) CHECKED;

/* --- window_ring.c: sliding count windows. Makes u->fold that of a ring where it can be one. */
void window_ring_open(struct window_user *u, const struct window_config *c);
enum status window_ring_fire(struct window_user *u, void *row, const struct batch *keys, uint32_t at,
                             const struct tw_window *w) CHECKED;
