/* window_assign.h - which windows a row belongs to: Flink's assigners, and the arithmetic of windows that the engine, the
 * triggers and the operators share. The global window is [INT64_MIN, INT64_MAX). */
#pragma once
#include "flow/operator/op_configs.h"
#include "flow/operator/user.h"

#include <thalweg/window.h>

/* SQL's trigger, behind those of enum tw_trigger_kind: at the window's end, and before and after it. */
enum { WINDOW_TRIGGER_EMIT = TW_TRIGGER_CUSTOM + 1 };

enum { WINDOW_CUSTOM_MAX = 256 }; /* windows that a custom assigner may give one row */

/* A user function beside the operator's own (assigner, trigger, delta), with a context of its own. */
struct window_part {
    struct tw_context cx; /* cx.op NULL: there is none */
    struct user_where where; /* of the row at hand, for errors */
    uint16_t where_row;
    bool reads_blocks;             /* rows are asked for in order: the next ones are read with the first */
    uint32_t read_first, read_count; /* selected rows of the batch that are structs already */
};
/* Nothing when the function is not given. windows: the keys of its states, key columns and window; NULL = no states. */
enum status window_part_open(struct window_part *p, struct op_cx *op, const struct function_ref *f,
                             const struct type *windows) CHECKED;
void window_part_close(struct window_part *p);
/* A new batch of input: rows of it come next. */
void window_part_begin(struct window_part *p, uint32_t input, const struct batch *in);
/* The i-th selected row of the batch as the function's struct; errors name its key and itself. */
enum status window_part_row(struct window_part *p, uint32_t i, const char **row) CHECKED;
/* And that: the window, and the key where the batch does not have it. keys: key columns first; NULL = those of the row. */
void window_part_at(struct window_part *p, const struct batch *keys, uint32_t at, const struct tw_window *w);
/* The row type with which the function reads an input: in2 for the second when it has one. */
const struct tw_row *window_part_in(const struct tw_function *fn, uint32_t input);

static inline bool window_is_merging(const struct window_config *c)
{
    return c->assigner == TW_SESSION || (c->assigner == TW_CUSTOM_WINDOWS && c->merging);
}
/* Windows of event time: late rows and the watermark have a meaning. Global windows never end. */
static inline bool window_is_event_time(const struct window_config *c)
{
    return !c->processing_time && c->assigner != TW_GLOBAL && c->assigner != TW_COUNT;
}
/* Global and count windows have no bounds that mean anything: window_start and window_end are NULL. */
static inline bool window_is_bounded(const struct window_config *c)
{
    return c->assigner != TW_GLOBAL && c->assigner != TW_COUNT;
}
static inline int64_t window_add(int64_t a, int64_t b)
{
    int64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? (b > 0 ? INT64_MAX : INT64_MIN) : sum;
}
/* E_DATA: windows of `size` around the time have bounds that are no times. INT64_MAX as an end means "never". */
enum status window_out_of_range(struct op_cx *op, int64_t time, int64_t size) CHECKED;
/* E_DATA unless all windows that hold the time lie in (INT64_MIN, INT64_MAX); tumbling windows slide by their size. */
enum status window_range_check(struct op_cx *op, int64_t time, int64_t offset, int64_t size, int64_t slide) CHECKED;
/* maxTimestamp of the window. */
static inline int64_t window_last(const struct tw_window *w) { return w->end == INT64_MAX ? INT64_MAX : w->end - 1; }
/* When its state goes; INT64_MAX = never. */
static inline int64_t window_cleanup(const struct window_config *c, const struct tw_window *w)
{
    return window_is_event_time(c) ? window_add(window_last(w), c->lateness_ms) : window_last(w);
}
static inline bool window_equal(const struct tw_window *a, const struct tw_window *b)
{
    return a->start == b->start && a->end == b->end;
}

struct window_assigner {
    struct op_cx *op;
    const struct window_config *config;
    struct window_part part; /* session gap or custom assigner */
    int64_t stagger;         /* decided with the first row */
    bool is_staggered;
    bool is_within; /* sliding windows: next_start comes next for the row at hand */
    int64_t next_start;
};
enum status window_assigner_open(struct window_assigner *a, struct op_cx *op, const struct window_config *c) CHECKED;
void window_assigner_close(struct window_assigner *a);
/* Appends windows of the i-th selected row to out[0..max), max >= WINDOW_CUSTOM_MAX; S_MORE: the row has further ones. */
enum status window_assign(struct window_assigner *a, uint32_t i, int64_t time, int64_t now_ms, struct tw_window *out,
                          uint32_t max, uint32_t *n) CHECKED;
