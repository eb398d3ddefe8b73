/* over.h - SQL's aggregates OVER a window that ends at the current row: the configuration, and what the files of the operator share.
 *
 * op_over.c  rows that wait for their time, state, timers
 * over_gather.c  which rows a row's window takes up and lets go, as a list of steps
 * over_run.c  the steps: accumulators, results, output
 * over_lag.c  LAG */
#pragma once
#include "flow/operator/group_calls.h"
#include "flow/state/timer.h"

struct metric;

struct over_config {
    struct group_config calls; /* without filters; first: group_calls.h reads it as the operator's configuration */
    const char *time;          /* column of the rows' time; NULL: processing time */
    bool rows;                 /* ROWS: each row by itself; else RANGE: rows of one time together */
    bool bounded;              /* the window has a far end: */
    int64_t preceding;         /* rows before the current one, or ms before its time */
    struct text_list lag_values, lag_offsets, lag_defaults,
        lag_names; /* columns; numbers; columns, "" is NULL; of the results */
};

/* What is done with a row. Steps up to one that ENDS belong together: their results are those behind it. */
enum over_step_kind { OVER_ADD = 1, OVER_TAKE_BACK = 2, OVER_EMIT = 4, OVER_ENDS = 8 };
struct over_step {
    const void *row; /* in the state */
    uint16_t key;    /* row of the batch that the keys are read from */
    uint16_t entry;  /* of accs */
    uint8_t kind;    /* enum over_step_kind, bits */
};

/* Words of a key's row before those of the calls. */
enum over_word { OVER_COUNT, OVER_LAST, OVER_CLEANUP, OVER_FIRST, OVER_WORDS };

/* LAG(value, offset, default): the last offset + 1 values of each key. */
struct over_lag {
    uint32_t value, rows; /* column; offset + 1 */
    int otherwise;        /* column of the default, or -1 */
    struct state_def def;
    struct state_table *table;
    struct state_probe probe;
    void *heads[BATCH_ROWS];
};

struct over {
    const struct over_config *config;
    struct group_call *calls;
    struct over_lag *lags;
    uint32_t call_count, lag_count, first_result; /* column of the output */
    int time_col;                                 /* of the input; -1: processing time */
    bool is_waiting;                              /* rows are worked on when their time has come, not when they come */
    bool is_plain;                                /* the words of the calls are all that there is */
    bool is_resolved;                             /* the heads and accumulators of the batch at hand */
    struct state_def acc_def, rows_def;
    struct state_table *accs, *rows; /* rows NULL: none are kept */
    struct state_probe probe;        /* times of the batch at hand */
    struct timers *timers;
    struct metric *late_dropped;
    uint32_t *cols, *fields; /* that are kept with a row: column, field */
    uint32_t col_count;
    /* rows that come, or keys that are due: the batch that keys are read from */
    const struct batch *source;
    struct batch *due;
    uint32_t due_count, at; /* at: the next one to be gathered */
    struct vector now;      /* times of the rows, as a column */
    uint16_t live[BATCH_ROWS];
    uint64_t hashes[BATCH_ROWS];
    int64_t times[BATCH_ROWS], cleanups[BATCH_ROWS];
    void *heads[BATCH_ROWS], *acc_rows[BATCH_ROWS], *found[BATCH_ROWS];
    bool is_stored; /* the rows of the batch at hand lie in the state */
    /* gathering */
    struct over_step *steps;
    uint32_t step_count, step_capacity, done; /* done: steps that were run */
    uint32_t group;                           /* first step of the group at hand */
    uint32_t aside, filled;                   /* rows that were set aside, and where the next step goes */
    struct state_scan scan;
    uint8_t phase; /* of over_gather.c */
    /* running */
    struct batch *out, view; /* view: columns of a batch that came, beside those of results */
    uint32_t chunk;          /* steps that are loaded into out; 0: none */
    char *snapshots, *empty; /* accumulators behind a group of steps */
    void *acc[BATCH_ROWS + 2], *state[BATCH_ROWS + 2];
    uint16_t numbers[BATCH_ROWS + 2], selection[BATCH_ROWS + 2];
    const void *from[BATCH_ROWS + 2];
    uint64_t chunk_hashes[BATCH_ROWS + 2];
};

extern const struct config_field over_config_fields[];

static inline int64_t *over_word(const struct over *s, void *row, enum over_word w)
{
    return state_word(row, s->accs->value.fields[w].offset);
}

/* over_gather.c: steps of the rows at s->at and on, until there are enough for a batch; may answer S_PENDING, and S_MORE when it has
 * worked for long enough. s->at == due_count: that was all. */
enum status over_gather(struct op_cx *cx, struct over *s) CHECKED;
void over_steps_clear(struct over *s);

/* over_run.c: runs the next steps and hands their results on. S_OK; S_PENDING. */
enum status over_run(struct op_cx *cx, struct over *s) CHECKED;
/* The rows of a batch one by one, when no row is kept: its own columns and the results are handed on. acc_rows: of its selected rows. */
enum status over_run_batch(struct op_cx *cx, struct over *s, const struct batch *in) CHECKED;

enum status over_lags_read(struct arena *a, const struct op_plan *p, const struct over_config *c, struct over_lag **out,
                           struct err *e) CHECKED;
enum status over_lags_open(struct op_cx *cx, struct over *s) CHECKED;
void over_lags_close(struct op_cx *cx, struct over *s);
enum status over_lags_resolve(struct over *s, const struct state_keys *keys) CHECKED; /* may answer S_PENDING */
enum status over_lags_add(struct over *s, const struct batch *b, uint32_t i) CHECKED; /* the i-th key's row */
/* The result behind the i-th row of b, into a row of the output. */
void over_lags_result(struct over *s, const struct batch *b, uint32_t i, uint32_t row);
void over_lags_done(struct over *s);
