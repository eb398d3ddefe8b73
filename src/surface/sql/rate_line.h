/* rate_line.h - the line below a result that still grows: rows per second, rows in all, the watermark and how far it lags. */
#pragma once
#include "surface/sql/view.h"

struct rate_sample {
    int64_t ns;
    uint64_t rows;
};
struct rate_line {
    struct rate_sample earlier, latest; /* a second lies between them, and the latest is not older */
};

void rate_line_begin(struct view *v, struct rate_line *r); /* nothing came yet */
/* Appends the line to v->out, cut to the terminal's width, without a line's end. rest: what it ends with; short_rest: where that is too
 * long. */
void rate_line_put(struct view *v, struct rate_line *r, const struct job_totals *t, const char *rest, const char *short_rest);
