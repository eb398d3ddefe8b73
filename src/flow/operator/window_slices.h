/* window_slices.h - tumbling and sliding windows cut into slices: gcd(size, slide) panes that keep one accumulator per key.
 * A row touches one slice, however many windows overlap it; a window's result is combined from slices. Used by the
 * window operators; what is folded (built-in aggregates, a user's accumulator) is behind struct window_fold. */
#pragma once
#include "flow/operator/op.h"
#include "flow/operator/user.h"
#include "flow/operator/window_zone.h"
#include "flow/state/state.h"

/* A chunk of the window engine's work: row rows[i] of `in` falls on window name_of[i] of `names`. in NULL: timers, the i-th of
 * window i. Lives as long as the chunk. */
struct window_chunk {
    struct state_keys names;
    const struct batch *in;
    const uint16_t *rows, *name_of;
    uint32_t count; /* of rows */
};

/* How rows become accumulators and accumulators results. acc[i] is the row of table t in namespace ns. */
struct window_fold {
    struct user_where where; /* set by the engine before start, add and merge: what the i-th of them is for */
    const struct type *acc;  /* T_ROW of the accumulator; all zero is the empty one unless `start` says otherwise */
    uint8_t upgrade;         /* enum state_upgrade, of it */
    /* Accumulators that were just made: bit i of created. NULL = all zero is right. */
    enum status (*start)(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc,
                         const uint64_t *created, uint32_t n);
    /* The i-th row of rows[0..n) of `in` goes into acc[i], in order; equal keys share one. */
    enum status (*add)(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc, struct batch *in,
                       const uint16_t *rows, uint32_t n);
    /* acc[i] of (t, ns) takes in other[i] of (from, from_ns). */
    enum status (*merge)(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc,
                         struct state_table *from, int64_t from_ns, void *const *other, uint32_t n);
    /* The inverse, where it is exact; NULL = the window is combined anew from its slices. */
    enum status (*unmerge)(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc,
                           struct state_table *from, int64_t from_ns, void *const *other, uint32_t n);
    /* Appends at most n result rows to `out` (which has room): keys rows first..first+n, window [start, end). */
    enum status (*result)(struct window_fold *f, struct state_table *t, int64_t ns, void *const *acc,
                          const struct batch *keys, uint32_t n, int64_t start, int64_t end, struct batch *out);
    /* Namespace ns of t goes: what the fold keeps beside it does, too. NULL = nothing. */
    void (*drop)(struct window_fold *f, struct state_table *t, int64_t ns);
    /* Of the window engine alone; all NULL: there is nothing but accumulators. What lies beside them under the names of windows
     * is looked up for a chunk, before anything changes; may answer S_PENDING. The rows that `add` gets until `done` are those
     * of the chunk, in order. */
    enum status (*find)(struct window_fold *f, const struct window_chunk *c);
    enum status (*forget)(struct window_fold *f, const struct state_keys *names); /* gone for good; may answer S_PENDING */
    void (*done)(struct window_fold *f);
};

enum slices_by {
    SLICES_BY_EVENT, /* the row's event time, or processing time */
    SLICES_BY_TIME,  /* a column, ms */
    SLICES_BY_END,   /* a column with the end of the row's one window, ms; rows without are late */
};

struct slices_plan {
    int64_t size_ms, slide_ms, offset_ms, lateness_ms; /* SLICES_BY_END: size and offset say where windows begin */
    bool processing_time;
    bool cumulates; /* windows begin at multiples of the size and end at each multiple of slide_ms in it */
    enum slices_by by;
    uint32_t col;       /* of the time, or the end */
    const struct window_zone *zone; /* windows lie on local times of it; NULL: on instants. Ends in a column do already */
    uint32_t late_port; /* side output of rows that came too late */
};

struct slices;
/* Which of the engine's tables it is: 0 slices, 1 the running window, 2 windows that were put together. */
enum { SLICES_TABLES = 3 };
uint32_t slices_table_number(const struct slices *s, const struct state_table *t);
enum status slices_create(struct op_cx *cx, const struct slices_plan *plan, struct window_fold *fold,
                          struct slices **out) CHECKED;
void slices_free(struct slices *s); /* NULL is a no-op */
/* Hooks of an operator, to be called from its own of the same names. */
enum status slices_on_batch(struct slices *s, struct batch *in) CHECKED;
enum status slices_on_watermark(struct slices *s, int64_t watermark) CHECKED;
enum status slices_on_time(struct slices *s, int64_t now_ms) CHECKED;
enum status slices_on_barrier(struct slices *s) CHECKED;
