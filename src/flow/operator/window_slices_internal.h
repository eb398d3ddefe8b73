/* window_slices_internal.h - what the files of the slice engine share: its state, and the arithmetic of windows. */
#pragma once
#include "flow/operator/kept_words.h"
#include "flow/operator/window_assign.h"
#include "flow/operator/window_late.h"
#include "flow/operator/window_slices.h"

enum fire_phase { FIRE_NEXT, FIRE_BLOCK, FIRE_CARRY, FIRE_ADD, FIRE_JOIN, FIRE_EMIT, FIRE_TAKE_BACK };

struct walk { /* over the entries of one namespace, a chunk at a time */
    struct state_cursor cursor;
    bool loaded, last;
    uint32_t n;
};

struct slices {
    struct op_cx *cx;
    struct slices_plan plan;
    struct window_fold *fold;
    struct metric *late_dropped; /* NULL without a job */
    int64_t slice_ms;
    bool tumbling;   /* a window is one slice */
    bool takes_back; /* slices leave `running` */
    struct state_def panes_def, running_def, stacks_def;
    struct state_table *panes, *running;
    struct state_table
        *stacks; /* namespace: start of a window; NULL unless sliding windows overlap and cannot take back */
    const struct type *key;
    const uint32_t *key_cols; /* of the input */
    uint32_t key_count;
    uint32_t *plain_cols;   /* 0, 1, 2.. of `keys` */
    uint32_t slices_offset; /* in rows of running: how many slices the key is in */
    /* on_batch */
    int64_t ends[BATCH_ROWS], sort_by[BATCH_ROWS];
    uint32_t order[BATCH_ROWS], order_space[BATCH_ROWS];
    uint64_t hashes[BATCH_ROWS], group_hashes[BATCH_ROWS];
    uint16_t group[BATCH_ROWS];
    bool prepared, pane_done;
    bool emitted;       /* in this call: what waits for state now must first let it go */
    uint32_t at;        /* position in order */
    int64_t refire_end; /* next window to fire again for the row at `at` */
    /* firing */
    enum fire_phase phase;
    int64_t time;                  /* windows with end - 1 <= time have fired */
    int64_t end;                   /* the window being fired */
    int64_t cover_low, cover_high; /* running covers the slices in (low, high] */
    int64_t slice;                 /* being merged or taken back */
    int64_t pivot, stack_low;      /* stacks are built for window starts in [stack_low, pivot) */
    int64_t block;                 /* start of the one being built */
    bool stacks_stale, running_stale;
    struct kept_words kept; /* over checkpoints, of the numbers above */
    struct tw_window window; /* that the fold's errors name */
    struct walk walk;
    struct batch *keys; /* keys of the chunk walked */
    void *acc[BATCH_ROWS], *other[BATCH_ROWS];
    uint64_t bits[BATCH_ROWS / 64];
};

/* --- arithmetic of windows ---------------------------------------------------------------------------------------- */
static inline int64_t slices_local(const struct slices *s, int64_t instant)
{
    return s->plan.zone != NULL ? window_zone_local(s->plan.zone, instant) : instant;
}

/* How far a lies behind the last multiple of b. */
static inline int64_t floor_mod(int128 a, int64_t b)
{
    int64_t r = LIKELY(a == (int64_t)a) ? (int64_t)a % b : (int64_t)(a % b);

    return r < 0 ? r + b : r;
}

static inline int64_t slices_end_of(const struct slices *s, int64_t time)
{
    return time - floor_mod((int128)time - s->plan.offset_ms, s->slice_ms) + s->slice_ms;
}

static inline int64_t slices_start_of(const struct slices *s, int64_t end)
{
    if (!s->plan.cumulates) return end - s->plan.size_ms;
    return end - 1 - floor_mod((int128)end - 1 - s->plan.offset_ms, s->plan.size_ms);
}

/* End of the last and of the first window that hold the slice ending at e. */
static inline int64_t slices_last_end(const struct slices *s, int64_t e)
{
    int64_t first = e - s->slice_ms;

    if (s->tumbling) return e;
    if (s->plan.cumulates) return slices_start_of(s, e) + s->plan.size_ms;
    return first - floor_mod((int128)first - s->plan.offset_ms, s->plan.slide_ms) + s->plan.size_ms;
}

static inline int64_t slices_first_end(const struct slices *s, int64_t e)
{
    if (s->tumbling || s->plan.cumulates) return e;
    int64_t past = floor_mod((int128)e - s->plan.offset_ms - s->plan.size_ms, s->plan.slide_ms);
    return past == 0 ? e : window_add(e - past, s->plan.slide_ms);
}

static inline bool slices_is_cleaned(const struct slices *s, int64_t window_end)
{
    return s->time != TIME_MIN && window_add(window_end - 1, s->plan.lateness_ms) <= s->time;
}

/* Rows of the window that ends there are too late to go in as others do. Processing time is never behind itself: a window of one
 * slice that has fired already fires once more. */
static inline bool slices_is_behind(const struct slices *s, int64_t window_end)
{
    return window_end - 1 <= s->time && !(s->tumbling && s->plan.processing_time);
}
static inline bool slices_has_fired(const struct slices *s, int64_t window_end) { return window_end - 1 <= s->time; }

/* The pivot of the window that ends at `end`: in (end - size, end]. */
static inline int64_t slices_pivot(const struct slices *s, int64_t end)
{
    return end - floor_mod((int128)end - s->plan.offset_ms, s->plan.size_ms);
}

/* The last start of a window before the pivot of the window that ends at `end`. */
static inline int64_t slices_last_block(const struct slices *s, int64_t end)
{
    int64_t low = end - s->plan.size_ms;

    return low + (slices_pivot(s, end) - 1 - low) / s->plan.slide_ms * s->plan.slide_ms;
}

static inline int64_t slices_block_end(const struct slices *s, int64_t block, int64_t pivot)
{
    return MIN(window_add(block, s->plan.slide_ms), pivot);
}

/* In how many slices the key of a row of `running` is. */
static inline int64_t *slices_count_of(const struct slices *s, void *row) { return state_word(row, s->slices_offset); }

/* --- keys --------------------------------------------------------------------------------------------------------- */
/* What the fold does next is for these keys: rows of the input, or those walked. end: of their window, or WINDOW_ANY. */
#define WINDOW_ANY INT64_MIN
void slices_where(struct slices *s, const struct batch *keys, int64_t end);
/* The first n of s->group, rows of the input. */
static inline struct state_keys slices_group_keys(const struct slices *s, const struct batch *in, uint32_t n)
{
    return (struct state_keys){.batch = in,
                               .cols = s->key_cols,
                               .col_count = s->key_count,
                               .count = n,
                               .sel = s->group,
                               .hashes = s->group_hashes};
}
/* Their accumulators, made where there are none. */
enum status slices_resolve_group(struct slices *s, struct state_table *t, int64_t ns, struct batch *in, uint32_t n,
                                 void **acc) CHECKED;

void slices_drop(struct slices *s, struct state_table *t, int64_t ns);

/* --- window_slices_fire.c */
/* The first live slice in (after, upto], or false. */
bool slices_next(struct slices *s, int64_t after, int64_t upto, int64_t *slice);
void slices_wake(struct slices *s); /* processing time: when the next window ends */

/* --- window_slices_late.c: the row at s->at goes in, and each window of it that has fired fires again. */
enum status slices_late_row(struct slices *s, struct batch *in) CHECKED;
