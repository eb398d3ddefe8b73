/* rows_by_time.h - rows of windows in batch mode that did not fit memory: put aside, they come back in the order of their times when the
 * input has ended, and time passes behind them, so that a window is over when its rows have come. What an operator holds meanwhile are
 * the windows that are open at a time. */
#pragma once
#include "flow/operator/row_sort.h"

struct rows_by_time {
    struct op_cx *cx;
    struct spill_config spill;
    struct row_sort sort;
    struct order_column by[1]; /* the column of the time */
    bool is_full;              /* rows are put aside */
    bool is_begun, is_last, is_over, is_given; /* they come back; none behind the stage; all have; the stage went in */
    int64_t passed; /* time, of those that came back */
    struct batch *stage;
};

/* The operator's hooks for a batch and for time; they may answer S_MORE and S_PENDING. */
struct rows_by_time_user {
    void *self;
    enum status (*rows)(void *self, struct batch *in);
    enum status (*time)(void *self, int64_t passed);
};

/* config->memory 0: nothing is ever put aside. col: of the time, or -1 where there is none. config, cx->plan and needed columns stay. */
void rows_by_time_init(struct rows_by_time *r, struct op_cx *cx, const struct spill_config *config, int col);
void rows_by_time_release(struct rows_by_time *r); /* also of a cleared struct */
/* A batch: into the operator, or aside. */
enum status rows_by_time_add(struct rows_by_time *r, const struct rows_by_time_user *u, struct batch *in) CHECKED;
/* A watermark: when it is the last one, rows that were put aside come first. */
enum status rows_by_time_pass(struct rows_by_time *r, const struct rows_by_time_user *u, int64_t watermark) CHECKED;
