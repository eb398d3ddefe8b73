/* harness_port.h - where a test harness (surface/api/harness.c) and the job that it drives meet: objects of the job
 * (task/job_shared.h), by name. Harness and job run on one thread, so nothing here is locked. */
#pragma once
#include "columns/column/batch.h"

struct op_cx;

#define HARNESS_OUTPUT "harness/output"
#define HARNESS_ASYNC "harness/async"
enum { HARNESS_ASYNC_MAX = 64 };

/* Asynchronous requests: held, they are not begun, as if what they ask did not answer. */
struct harness_async {
    bool is_held;
    struct op_cx *waiting[HARNESS_ASYNC_MAX]; /* operators whose requests were held, to be rung */
    uint32_t waiting_count;
};

/* An input, under its name: what the harness has pushed and the operator has not taken yet. Rows come first. */
struct harness_input {
    struct batch *rows; /* the harness's; NULL = none */
    int64_t watermark;
    bool has_watermark, has_ended;
};

/* All outputs, in the order in which rows came: lines of text with and without those of watermarks. */
struct harness_output {
    struct buf all, rows;
};
