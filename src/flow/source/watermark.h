/* watermark.h - event times of rows and the watermarks that follow from them: at a source per split, or in mid-stream. The
 * same generators serve op_source, op_watermarks and user sources.
 *
 * A watermark w says: no row with a time <= w will come. Bounded out-of-orderness d: w = greatest time - d - 1. COLUMN, as
 * SQL's WATERMARK FOR t AS w: w = the greatest value of a column - d. */
#pragma once
#include "flow/operator/op_configs.h"

enum watermark_kind { WATERMARK_NONE, WATERMARK_MONOTONOUS, WATERMARK_BOUNDED, WATERMARK_FUNCTION, WATERMARK_COLUMN };

/* User code for times and watermarks, bound to an instance by whoever knows functions; rows are the selected ones
 * first..first+n of b. NULL hooks are not there. */
struct watermark_hooks {
    enum status (*times)(void *arg, struct batch *b, uint32_t first, uint32_t n, int64_t *out);
    /* After each row the watermark may be raised; times[i] belongs to the i-th row. */
    enum status (*watermarks)(void *arg, struct batch *b, uint32_t first, uint32_t n, const int64_t *times,
                              int64_t *watermark);
    void *arg;
};

struct watermark_strategy {
    enum watermark_kind kind;
    int64_t delay_ms, idleness_ms, interval_ms; /* idleness 0 = never idle; interval: between periodic watermarks */
    uint32_t every_rows;                        /* 0 = periodic */
    int time_col;                               /* -1: hooks, or the times that rows bring along */
    int watermark_col;                          /* COLUMN; NULLs raise nothing */
    struct watermark_hooks hooks;
};

/* Checks c against the columns; `stream` stands in errors. E_GRAPH, E_CONFIG. Hooks are the caller's to set. */
enum status watermark_strategy_init(struct watermark_strategy *s, const struct watermark_config *c,
                                    const struct type *row, const char *stream, struct err *e) CHECKED;

/* What one split or one stream has seen. */
struct watermark_generator {
    int64_t watermark;
    uint32_t rows; /* since the latest watermark by row count */
};
static inline void watermark_generator_init(struct watermark_generator *g)
{
    *g = (struct watermark_generator){.watermark = TIME_MIN};
}

/* Rows that may follow before a watermark by row count is due; UINT32_MAX when they are periodic. */
static inline uint32_t watermark_room(const struct watermark_strategy *s, const struct watermark_generator *g)
{
    return s->every_rows == 0 ? UINT32_MAX : s->every_rows - g->rows;
}

/* Times of the selected rows first..first+n into times[row]: what the strategy says, else b's own, else TIME_MIN. A NULL
 * time is E_DATA. */
enum status watermark_times(const struct watermark_strategy *s, struct batch *b, uint32_t first, uint32_t n,
                            int64_t *times, struct err *e) CHECKED;
/* Lets g see these rows; n <= watermark_room. */
enum status watermark_see(const struct watermark_strategy *s, struct watermark_generator *g, struct batch *b,
                          uint32_t first, uint32_t n, const int64_t *times) CHECKED;
/* Is a watermark by row count due? Counts anew when it is. */
bool watermark_is_due(const struct watermark_strategy *s, struct watermark_generator *g);
