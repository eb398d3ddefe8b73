/* rate.h - so many rows per second, evenly: what may be given now, and when to ask again. Time is wall clock ms. */
#pragma once
#include "ground/base/base.h"

#include <math.h>

struct rate {
    double per_ms;    /* 0 = no limit */
    int64_t start_ms;
    uint64_t given;   /* since start_ms */
};

static inline void rate_init(struct rate *r, double rows_per_second, int64_t now_ms)
{
    *r = (struct rate){.per_ms = rows_per_second / 1000, .start_ms = now_ms};
}

/* Rows that are due and not given, at most `most`. What a stall of more than a second left undone is not made up for. */
static inline uint32_t rate_allows(struct rate *r, int64_t now_ms, uint32_t most)
{
    if (r->per_ms == 0) return most;
    double due = floor((double)(now_ms - r->start_ms) * r->per_ms) + 1 - (double)r->given,
           burst = MAX(1.0, r->per_ms * 1000);
    if (due > burst) {
        r->start_ms = now_ms;
        r->given = 0;
        due = 1;
    }
    return due <= 0 ? 0 : due >= most ? most : (uint32_t)due;
}

static inline void rate_give(struct rate *r, uint32_t rows) { r->given += rows; }
/* When the next row is due. */
static inline int64_t rate_next_ms(const struct rate *r)
{
    return r->start_ms + (int64_t)ceil((double)r->given / r->per_ms);
}
