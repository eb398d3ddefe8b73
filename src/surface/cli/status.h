/* status.h - what a person sees of a running job on standard error: a line that is repainted on a terminal and printed once
 * a second elsewhere, and a summary when the job is over. */
#pragma once
#include "surface/api/api.h"

enum {
    STATUS_REPAINT_MS = 200,
    STATUS_LINE_MS = 1000,
    STATUS_ACCUMULATORS_MAX = 32, /* in a summary */
    STATUS_VALUES_MAX = 8,        /* of a histogram there */
};

struct status_view {
    struct sys *sys;
    bool is_terminal, is_painted;
    int64_t painted_ns;
    uint64_t painted_rows;
};

void status_init(struct status_view *v, struct sys *sys);
struct api_watch status_watch(struct status_view *v); /* v outlives the environment that gets it */
/* The texts, for tests: rows_per_second of rows_in. */
void status_print_line(const char *job_name, const struct job_totals *t, double rows_per_second, struct buf *out);
void status_print_summary(const struct api_outcome *o, struct buf *out);
/* "1,234,567" */
void status_print_count(uint64_t n, struct buf *out);
