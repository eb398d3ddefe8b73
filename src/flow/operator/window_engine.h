/* window_engine.h - windows in general: any assigner, trigger and evictor, lateness, merging sessions; contents per
 * (key, window) are either one accumulator or the rows themselves, of one input or of two (joins and groups of two
 * streams). The operator says what is kept and what happens when a window fires; all else is here, as Flink's
 * WindowOperator, EvictingWindowOperator and MergingWindowSet have it.
 *
 * Hooks of an operator call those of the engine of the same names, between user_begin and user_end when it has a context. */
#pragma once
#include "flow/operator/user.h"
#include "flow/operator/window_assign.h"
#include "flow/operator/window_slices.h"

enum { WINDOW_NO_PORT = UINT32_MAX };

/* Rows of one input in a window that fires, batch by batch; selections leave out what was evicted. */
struct window_rows {
    struct mem *mem;
    const struct type *schema; /* of the input */
    const uint64_t *kept;
    struct batch **batches;
    uint16_t **selections; /* room for BATCH_ROWS each */
    int64_t **arrivals;    /* place in the window's order of arrival, over both inputs; NULL when nobody asks */
    uint32_t count, capacity;
    uint32_t total; /* rows that are selected */
    uint32_t at;    /* of the walk */
    /* Instead of batches, where a row in state looks like the plan's as_struct: the rows as they lie, `total` of them. */
    const void **structs;
    uint32_t struct_capacity;
    bool are_structs;
};
/* elements_next_fn of user_elements_rows; arg is the struct window_rows. Begins anew behind its end. */
enum status window_rows_next(void *arg, const struct batch **out) CHECKED;

/* A window that fires, or that is cleared. */
struct window_firing {
    struct tw_window window;
    const struct batch *keys; /* the key columns first, in order; row `at` */
    uint32_t at;
    uint32_t item;            /* of the chunk, where the fold looks things up for it (window_fold.find) */
    struct state_table *table; /* accumulator: row acc of table in namespace ns */
    int64_t ns;
    void *acc;
    struct window_rows *rows[OP_INPUTS_MAX]; /* rows kept, else NULL */
};

/* Several windows that fire, in order. */
struct window_firings {
    uint32_t count;
    const struct tw_window *windows;
    const struct batch *keys; /* as above */
    const uint16_t *at;       /* their rows */
    void *const *acc;
};

struct window_plan {
    const struct window_config *config;
    struct window_fold *fold;            /* accumulators; NULL: rows are kept */
    const struct window_zone *zone;      /* windows lie on local times of it, as do times of rows; none merge. NULL: on instants */
    const uint64_t *kept[OP_INPUTS_MAX]; /* columns of the rows kept; they live as long as the engine */
    /* As what C structs `fire` reads the rows of the sole input, when it can take window_rows.structs; no evictor but one that
     * counts before the firing. NULL: it cannot. */
    const struct rowconv *as_struct;
    bool no_times;                       /* of rows kept: nobody asks for their event times, and none merge */
    uint32_t late_port[OP_INPUTS_MAX];   /* rows that came too late; WINDOW_NO_PORT = nowhere */
    struct tw_context *cx;               /* states and outputs of the firing function; NULL: rows go to port 0 */
    void *arg;
    /* May emit any number of rows through cx, or without one at most one row to op_out(port 0), which has room. Never
     * S_PENDING. S_MORE: not through; called again with the same rows, nothing having happened in between but the
     * delivery of what was emitted. Not called for a window that holds nothing. */
    enum status (*fire)(void *arg, const struct window_firing *f);
    /* Instead, where nothing but accumulators counts: one row each to op_out(port 0), which has room for them. NULL: there is
     * no such way. */
    enum status (*fire_many)(void *arg, const struct window_firings *f);
    enum status (*clear)(void *arg, const struct window_firing *f); /* the window is gone for good; NULL */
};

struct window_engine;
/* Graph time: what no assigner, trigger or evictor can be. */
enum status window_engine_derive(const struct op_plan *p, const struct window_config *c, struct err *e) CHECKED;
/* Sets the columns of an input that assigner, trigger and evictor functions read, and the key's. */
void window_engine_needs(const struct op_plan *p, const struct window_config *c, uint32_t input, uint64_t *needed);
/* Those that an evictor function reads, which must be kept. */
void window_engine_kept(const struct op_plan *p, const struct window_config *c, uint32_t input, uint64_t *kept);
/* T_ROW of key columns, window start and window end; the key columns alone where all windows are the global one. */
const struct type *window_key_type(const struct op_plan *p, const struct window_config *c);
bool window_engine_blocks(const struct window_config *c);
enum status window_engine_create(struct op_cx *op, const struct window_plan *plan, struct window_engine **out) CHECKED;
void window_engine_free(struct window_engine *e); /* NULL is a no-op */
enum status window_engine_on_batch(struct window_engine *e, uint32_t input, const struct batch *in) CHECKED;
enum status window_engine_on_watermark(struct window_engine *e, int64_t watermark) CHECKED;
enum status window_engine_on_time(struct window_engine *e, int64_t now_ms) CHECKED;
enum status window_engine_on_barrier(struct window_engine *e) CHECKED;
