/* op_driver.h - runs one operator in a chain of its own, on a clock set by hand: rows in as text, what comes out as text.
 * Nothing here knows of tasks or threads, so a test sees every batch that an operator emits.
 *
 * Output, one line per row: "+I[a, 1]@1000" (no "@" without event time), side outputs with "name: " in front, watermarks as
 * "W@1000" when asked for. Inputs are cut to batch_rows, so that every test can be run with batches of one row. */
#pragma once
#include "columns/column/batch.h"
#include "flow/operator/op_configs.h"
#include "flow/state/state.h"

struct op_setup {
    const struct op_type *type;
    const void *config;
    const char *in, *in2, *in3;   /* row types as text; NULL = no such input */
    const char *keys, *keys2, *keys3; /* column names, separated by blanks; NULL = not keyed */
    uint32_t batch_rows;          /* 0 = BATCH_ROWS */
    const char *backend;          /* NULL = hashmap */
    size_t state_bytes_max;       /* 0 = as many as there are */
    struct sys *sys;              /* NULL = the driver's clock; else a real one, not freed */
    struct job_shared *job;       /* NULL = none */
    const struct fn_users *users; /* functions of users for expressions; NULL = none */
    bool watermarks;              /* show them */
    const char *unused_port;      /* name of an output that nobody reads; "" = the main one */
    bool leaves_memory;           /* what it makes lives as long as the task: nothing is proved about it */
    bool checkpoints;             /* the job takes some: op_restart may be called */
    /* One of several subtasks; 0 = the only one. Rows and key groups are as of the only one. */
    uint32_t subtask, parallelism;
    struct op_driver *const *before; /* subtasks of the attempt before, after op_save: it goes on from what they saved */
    uint32_t before_count;
};

struct op_driver;

/* Graph time and open; a failure is kept, see op_driver_error. */
struct op_driver *op_driver_create(const struct op_setup *setup);
/* Closes the operator and proves that it left no memory behind. */
void op_driver_free(struct op_driver *d);
/* The failure so far with hint in brackets, "" when there is none. */
const char *op_driver_error(struct op_driver *d);
const struct type *op_driver_output(struct op_driver *d, uint32_t port);
struct op_cx *op_driver_cx(struct op_driver *d);

/* A checkpoint, after which the operator fails; another instance goes on from what was saved. What is put out in front of the barrier
 * counts as output. */
void op_restart(struct op_driver *d);
/* The same in pieces: the checkpoint, which replaces the one before; that it is complete; the failure, also without a checkpoint in
 * front, after which another instance goes on from the last one and recovers what that had prepared. */
void op_checkpoint(struct op_driver *d, int64_t checkpoint);
void op_complete(struct op_driver *d, int64_t checkpoint);
void op_fail_over(struct op_driver *d);
void op_push(struct op_driver *d, uint32_t input, const char *rows);
/* A batch made by the test, as it is (selections, constants); not taken over. */
void op_push_batch(struct op_driver *d, uint32_t input, struct batch *b);
void op_push_watermark(struct op_driver *d, int64_t watermark);
void op_push_end(struct op_driver *d); /* watermark at the maximum, then the end of every input */
/* A clock of the test's own (setup.sys) is the test's to set, before. */
void op_set_time(struct op_driver *d, int64_t now_ms);
void op_poll(struct op_driver *d); /* sources: until idle or ended */
bool op_poll_once(struct op_driver *d); /* one call; false: idle or ended */
bool op_has_ended(const struct op_driver *d); /* a source */
void op_idle(struct op_driver *d); /* the task would wait now */
/* With a real clock: waits for the operator's helper threads until `lines` lines came out. */
void op_await(struct op_driver *d, uint32_t lines);
/* What came out since the last call; valid until the next. */
const char *op_output(struct op_driver *d);
uint32_t op_pending_count(const struct op_driver *d); /* how often state was pending */
int64_t op_next_wake(struct op_driver *d);
