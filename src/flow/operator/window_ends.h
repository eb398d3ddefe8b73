/* window_ends.h - rows that say in a column when their window ends: what of a batch is not late, one end after the other. For
 * operators whose tables have a namespace per end. */
#pragma once
#include "flow/operator/op.h"
#include "flow/operator/window_zone.h"

struct metric;

struct window_ends {
    struct op_cx *cx;
    struct metric *late_dropped;
    struct window_zone zone; /* ends are local times of it */
    bool is_ready; /* the batch at hand was looked through */
    uint32_t at, count;
    uint32_t order[BATCH_ROWS], space[BATCH_ROWS]; /* selected rows that are in time, by end */
    int64_t ends[BATCH_ROWS];                      /* by selected row */
    uint64_t hashes[BATCH_ROWS];                   /* the same, of the keys */
    /* The group at hand: rows of one end, in order of arrival. */
    int64_t end;
    uint32_t n;
    uint16_t rows[BATCH_ROWS];
    uint64_t row_hashes[BATCH_ROWS];
};

enum status window_ends_init(struct window_ends *w, struct op_cx *cx, const char *zone) CHECKED;
/* The next group of a batch; false: there is none, and the next batch may come. Asked again before window_ends_done: the same.
 * col: of the end, ms. Rows of windows that have ended are counted as dropped. */
bool window_ends_next(struct window_ends *w, const struct batch *in, uint32_t col, const uint32_t *keys,
                      uint32_t key_count);
static inline void window_ends_done(struct window_ends *w) { w->at += w->n; }
