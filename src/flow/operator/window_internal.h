/* window_internal.h - what the files of the window engine share. Its work is a list of items: a row and one of its windows,
 * or a timer and its window. Per item three keys may differ: `owner` the key alone, `named` the key and the window as it is
 * now (timers and triggers' states), `slot` the key and the window under which the contents lie (for windows that merge
 * the one with which the session began; else the same). */
#pragma once
#include "flow/operator/kept_words.h"
#include "flow/operator/user_value.h"
#include "flow/operator/window_engine.h"
#include "flow/operator/window_late.h"
#include "flow/operator/window_order.h"
#include "flow/operator/window_reach.h"
#include "flow/state/shape.h"
#include "flow/state/timer.h"

enum {
    WINDOW_NONE = UINT32_MAX,
    WINDOW_LOOK_EVERY = 64, /* items between two looks at the clock */
    WINDOW_AHEAD = 12,      /* items between fetching contents and looking at them */
    WINDOW_WORDS = 6,
    WINDOW_TO_FIRE = -1, /* in WORD_COUNT, until the round ends */
};

/* Words behind the accumulator, or alone: what is kept of a window whatever its contents. A trigger has as many as it needs. */
enum window_word { WORD_ROWS, WORD_COUNT, WORD_TIME, WORD_HAS_TIME, WORD_TIMEOUT, WORD_HAS_TIMEOUT };

struct window_item {
    uint32_t at;                   /* selected row of the batch, or timer */
    uint32_t slot, named;          /* rows of e->slots, e->named */
    uint32_t node;                 /* session; WINDOW_NONE */
    uint32_t merged, merged_count; /* windows that this item's row brings together: e->merged[merged..] */
    int64_t time;                  /* of the row, or of the timer */
    struct tw_window window;
    bool is_changed; /* the window is new, or another than before: its timers are not set */
};

struct window_merged {
    struct tw_window window;
    uint32_t slot, named;
};

/* Names of windows, with hashes. */
struct window_keys {
    struct batch *batch;
    uint64_t hashes[BATCH_ROWS];
    uint16_t source[BATCH_ROWS]; /* while they are collected: which row of another batch has the key */
    struct tw_window window[BATCH_ROWS];
    uint32_t count;
};

/* A session in work: contents lie under `id`. */
struct window_node {
    struct window_place place;
    struct tw_window id;
    uint32_t slot, group;
    void *row; /* in the table of the others; NULL: it is the latest, or new */
    bool is_dirty, is_dead;
};

/* Sessions of the keys of a chunk. Groups are its keys, by first appearance. */
struct window_sessions {
    struct state_def latest_def, others_def;
    struct state_table *latest; /* key -> the session that ends last, and how many others there are */
    struct state_table *others; /* key, end -> start, id */
    struct state_probe probe;
    struct window_node *nodes;
    uint32_t node_count, node_capacity, group_count;
    bool is_dynamic;  /* windows have lengths of their own */
    bool is_cut;      /* the chunk's one item does not reach full_end yet: it only brings sessions together */
    int64_t full_end;
    uint32_t look_at, item_count; /* items whose keys are looked up at once; those of them that the chunk may have */
    void *item_rows[BATCH_ROWS];                      /* of latest, per item */
    void *rows[BATCH_ROWS], *heads[BATCH_ROWS];       /* per group: of latest, of others (NULL: not resolved) */
    int64_t last_end[BATCH_ROWS];                     /* per group: of the session that ends last in state */
    uint32_t hint[BATCH_ROWS];                        /* per group: the node found last */
    struct window_order order;                        /* of nodes */
    struct window_reaches reaches;                    /* of items that may meet others than the latest */
    uint16_t item_of[BATCH_ROWS], group_of[BATCH_ROWS]; /* per group: its first item; per item: its group */
    uint64_t is_changed[BATCH_ROWS / 64];             /* groups */
    uint16_t table_of[2 * BATCH_ROWS];                /* group + 1 by row of latest */
    uint64_t hashes[BATCH_ROWS];                      /* per item, of the key alone */
};

/* One kept log per input. */
struct window_log {
    struct state_def def;
    struct state_table *table;
    struct state_probe probe;
    uint32_t *cols; /* of the input, as in the value row; the time and perhaps the arrival follow */
    uint32_t col_count;
    void *heads[BATCH_ROWS]; /* per slot */
    struct window_rows rows;
    struct state_scan scan;
    struct state_hits hits;
    bool has_times;    /* event times of rows are kept: somebody may ask for them */
    bool has_arrivals; /* places in the order of arrival are kept: there are two inputs */
    bool is_loading, is_loaded;
};

enum window_phase {
    PHASE_IDLE,
    PHASE_ASSIGN,
    PHASE_MERGE,
    PHASE_LATE,
    PHASE_RESOLVE,
    PHASE_APPLY,
    PHASE_FORGET,
    PHASE_DONE
};
enum window_step { STEP_BEGIN, STEP_FIRE, STEP_END };

struct window_spans;

struct window_engine {
    struct op_cx *op;
    struct window_plan plan;
    const struct window_config *config;
    struct metric *late_dropped; /* NULL without a job */
    bool is_merging, is_event_time;
    bool is_lazy; /* timers of merging windows are named after `slot` and may lie before the window's end */
    uint32_t word_count;
    const struct type *key_type;    /* of the names of windows, see window_key_type */
    uint32_t key_count, name_count; /* columns of the key, and of names */
    uint32_t cols[OP_KEYS_MAX + 2];
    struct window_assigner assigner;
    struct window_part trigger, evictor;
    struct state_def contents_def, last_def;
    struct state_table *contents; /* accumulator and words, or words; NULL: rows alone */
    uint32_t word_field;          /* of contents: the first word */
    uint32_t word_offset;         /* in a row: where the words lie, one behind the other */
    uint32_t state_words;         /* of contents, behind the words: the custom trigger's states; 0: they have tables */
    struct state_table *last;     /* DeltaTrigger: the row of the latest firing */
    struct user_value last_value;
    struct window_log logs[OP_INPUTS_MAX];
    struct window_sessions *sessions; /* NULL unless merging */
    struct window_spans *spans;       /* NULL unless these do the work: window_spans.h */
    struct timers *event, *processing;

    /* The work at hand. */
    uint8_t phase, step;    /* enum window_phase, enum window_step */
    bool emitted;           /* in this call of the hook */
    bool any_evicted;       /* by the firing at hand */
    bool fire_goes_on;      /* the plan's fire has begun with the window at hand and is not through */
    int64_t call_ns;        /* when this call was first timed */
    const struct batch *in; /* NULL: timers */
    uint32_t input;
    uint32_t row;             /* next one to be assigned */
    bool row_is_taken;        /* some window holds it */
    struct kept_words kept; /* over checkpoints: fired_ms, and how windows are staggered */
    int64_t now_ms, fired_ms; /* processing time of the work; the latest timer that fired */
    struct timers *due;       /* whose timers are the work */
    int64_t due_upto;
    int64_t due_times[BATCH_ROWS];
    struct window_item items[BATCH_ROWS];
    uint32_t item_count, item_first, item_end, item_at; /* items [item_first, item_end) are the chunk */
    struct window_merged *merged;
    uint32_t merged_count, merged_capacity;
    uint16_t late[BATCH_ROWS];
    uint32_t late_count, late_at;
    struct window_keys owners, more[2]; /* by item; slots, and names of sessions */
    uint32_t shared_skip;               /* batches that are not looked through for rows of one window */
    uint16_t slot_of[2 * BATCH_ROWS];   /* slot + 1 by hash, while that is done */
    struct window_keys *slots, *named;
    void *acc[BATCH_ROWS], *lasts[BATCH_ROWS]; /* per slot */
    int result;                                /* enum tw_trigger_result of the item */
    /* Rounds (is_counting, has_rounds): items whose windows fire when their round ends, and what the trigger said. */
    bool is_counting, has_rounds;
    bool is_lean;       /* rounds of accumulators of the global window: window_lean.c */
    bool is_by_trigger; /* the trigger is a custom one, over windows that never end */
    uint32_t lean_first;      /* the selected row of slot 0 */
    struct batch lean_view, *lean_names; /* names of slots: as they lie in the batch, or copied */
    struct vector lean_cols[OP_KEYS_MAX];
    uint32_t fire_count, fire_at;
    uint16_t fires[BATCH_ROWS]; /* items; slots, when lean */
    uint8_t fire_results[BATCH_ROWS];
    /* Rows that go into contents together. */
    uint32_t run_count;
    uint16_t run_rows[BATCH_ROWS], run_slots[BATCH_ROWS];
    uint16_t chunk_rows[BATCH_ROWS], chunk_slots[BATCH_ROWS]; /* of all items, for window_fold.find */
    int64_t run_times[BATCH_ROWS], run_arrivals[BATCH_ROWS];
    struct tw_window run_windows[BATCH_ROWS];
    uint64_t run_starts[BATCH_ROWS / 64];
    void *run_acc[BATCH_ROWS];
    uint64_t is_purged[BATCH_ROWS / 64]; /* slots whose contents went, in this chunk */
    bool states_begun;
    uint16_t where_row; /* of what merges */
    struct user_where trigger_where;
};

/* --- window_keys.c: names of windows: key columns and bounds, or the key alone where all windows are the global one */
void window_keys_fill(struct window_engine *e, struct window_keys *k, const struct batch *from, const uint32_t *cols);
void window_keys_hash(struct window_engine *e, struct window_keys *k);
/* Names the items, which are rows of e->in. Rows of one key and window share a slot where that pays. */
void window_keys_of_items(struct window_engine *e);
static inline struct tw_window window_of_key(const struct window_engine *e, const struct batch *keys, uint32_t row)
{
    if (e->name_count == e->key_count) return (struct tw_window){INT64_MIN, INT64_MAX};
    return (struct tw_window){VECTOR_VALUES(&keys->cols[e->key_count], int64_t)[row],
                              VECTOR_VALUES(&keys->cols[e->key_count + 1], int64_t)[row]};
}
static inline struct state_keys window_keys_of(const struct window_engine *e, const struct window_keys *k)
{
    return (struct state_keys){
        .batch = k->batch, .cols = e->cols, .col_count = e->name_count, .count = k->count, .hashes = k->hashes};
}

/* --- window_engine.c */
/* A timer of the window in row `named`. */
enum status window_timer(struct window_engine *e, uint32_t named, int64_t time, bool event, bool remove) CHECKED;
bool window_slice_over(struct window_engine *e); /* has this call taken long enough? */
bool window_is_full(const struct window_engine *e); /* there is no room for what a firing may emit */
enum status window_no_time(struct window_engine *e);
/* The item's row meets the trigger, which sets e->result, and joins the run. */
enum status window_row_begin(struct window_engine *e, struct window_item *item) CHECKED;
/* Fires the item's window when e->result says so; S_MORE: no room now. */
enum status window_fire_item(struct window_engine *e, const struct window_item *item) CHECKED;
/* Up to when timers of the domain have fired: there is nothing to delete. */
int64_t window_fired(const struct window_engine *e, const struct window_item *item, bool event);
/* When a local time of the plan's zone has passed for good. */
static inline int64_t window_instant(const struct window_engine *e, int64_t local)
{
    return e->plan.zone != NULL ? window_zone_timer(e->plan.zone, local) : local;
}
/* The instants of window_last and window_cleanup. */
static inline int64_t window_last_at(const struct window_engine *e, const struct tw_window *w)
{
    return window_instant(e, window_last(w));
}
static inline int64_t window_cleanup_at(const struct window_engine *e, const struct tw_window *w)
{
    return window_instant(e, window_cleanup(e->config, w));
}
/* Time as timers know it: very distant times are the ends of time. */
static inline int64_t window_timer_time(int64_t time)
{
    const int64_t far = INT64_C(1) << 61;

    return time >= far - 1 ? INT64_MAX : time <= -far ? INT64_MIN : time;
}

/* --- window_contents.c: tables, runs of rows, firing, purging */
enum status window_contents_open(struct window_engine *e) CHECKED;
void window_contents_close(struct window_engine *e);
const struct type *window_with_words(struct arena *a, const struct type *front, uint32_t words);
/* The first `fields` fields of a row are as in a new one. */
void window_acc_clear(struct state_table *t, void *row, uint32_t fields);
enum status window_contents_resolve(struct window_engine *e) CHECKED;
void window_contents_done(struct window_engine *e);
static inline int64_t *window_word(const struct window_engine *e, uint32_t slot, enum window_word w)
{
    return state_word(e->acc[slot], e->word_offset + w * 8u);
}
/* What a later item of the batch will look at is fetched: entries are cold again when their turn comes. Always inline:
 * gcc takes a function that only fetches for one without effects. */
static inline __attribute__((always_inline)) void window_fetch_ahead(const struct window_engine *e)
{
    uint32_t at = e->item_at + WINDOW_AHEAD;

    if (at >= e->item_end || e->items[at].slot >= e->slots->count) return; /* of a window that is gone */
    uint32_t slot = e->items[at].slot;
    if (e->contents != NULL) __builtin_prefetch(window_word(e, slot, WORD_ROWS), 1);
    if (e->logs[0].table != NULL) __builtin_prefetch(e->logs[0].heads[slot], 1);
}
bool window_is_empty(const struct window_engine *e, uint32_t slot); /* rows of the run not counted */
enum status window_run_add(struct window_engine *e, const struct window_item *item) CHECKED;
enum status window_run_flush(struct window_engine *e) CHECKED;
/* Contents of slot `from` go behind those of slot `to`, which becomes window w. */
enum status window_contents_merge(struct window_engine *e, uint32_t to, uint32_t from,
                                  const struct tw_window *w) CHECKED;
enum status window_contents_fire(struct window_engine *e, const struct window_item *item) CHECKED;
void window_contents_purge(struct window_engine *e, uint32_t slot);
/* Entries of contents and last that hold nothing any more go. */
enum status window_contents_forget(struct window_engine *e) CHECKED;

/* --- window_rows.c: rows of a log to batches and back */
void window_rows_init(struct window_rows *r, const struct type *schema, const uint64_t *kept, struct mem *mem);
void window_rows_release(struct window_rows *r);
/* Rows of the slot into log->rows. S_MORE after each batch of them: call again; S_PENDING: the same. */
enum status window_rows_load(struct window_log *log, uint32_t slot) CHECKED;
/* Is a row of the log, as it lies, the struct? */
bool window_rows_look_alike(const struct window_log *log, const struct rowconv *c);
/* The log holds the selected rows from now on. */
enum status window_rows_store(struct window_engine *e, struct window_log *log, uint32_t slot) CHECKED;
/* Appends rows of a batch to logs. times and arrivals by place in rows. */
enum status window_log_append(struct window_engine *e, struct window_log *log, const struct batch *in,
                              const uint16_t *rows, uint32_t n, void *const *heads, const int64_t *times,
                              const int64_t *arrivals) CHECKED;

/* --- window_rounds.c: rows of windows whose trigger looks at nothing but rows and its own words */
bool window_counts(const struct window_engine *e);     /* they never end and fire by counting */
bool window_has_rounds(const struct window_engine *e); /* these, or a custom trigger over accumulators */
enum status window_rounds_items(struct window_engine *e) CHECKED;
enum status window_round_end(struct window_engine *e) CHECKED;

/* --- window_lean.c: the same without items */
void window_lean_open(struct window_engine *e);
void window_lean_close(struct window_engine *e);
void window_lean_assign(struct window_engine *e); /* rows of the batch become slots */
struct window_item window_lean_item(const struct window_engine *e, uint32_t slot);
enum status window_lean_rows(struct window_engine *e) CHECKED;

/* --- window_evict.c: takes rows out of the logs' selections; answers whether any went. */
enum status window_evict(struct window_engine *e, const struct window_item *item, bool *any) CHECKED;

/* --- window_merge.c */
/* Finds the sessions of the items from item_first on: sets their nodes, slots, names, windows, and item_end. */
enum status window_sessions_plan(struct window_engine *e) CHECKED;
/* The item that was cut comes again, and reaches further. */
void window_sessions_reach_on(struct window_engine *e);
enum status window_sessions_find(struct window_engine *e) CHECKED; /* of timers */
/* Lazy timers of windows that have grown are set anew; those that are due before the rest go first. */
enum status window_sessions_retime(struct window_engine *e) CHECKED;

/* --- window_sessions.c: the sessions of keys as lists of nodes, from state and back */
enum status window_sessions_open(struct window_engine *e) CHECKED;
void window_sessions_close(struct window_engine *e);
uint32_t window_node_add(struct window_engine *e);
/* Those that may matter for the items from item_first on. */
enum status window_sessions_load(struct window_engine *e, enum state_intent intent) CHECKED;
/* What window_sessions_store needs of state; before anything is changed. */
enum status window_sessions_prepare(struct window_engine *e) CHECKED;
enum status window_sessions_store(struct window_engine *e) CHECKED;

/* --- window_trigger.c */
enum tw_trigger_kind window_trigger_kind(const struct window_config *c);
uint32_t window_trigger_words(const struct window_config *c);
bool window_trigger_merges(const struct window_config *c);
bool window_trigger_is_lazy(const struct window_config *c); /* all its timers are at the window's end, if it has any */
/* Sets e->result. is_new: the window has no rows yet, or is another than before. */
enum status window_trigger_on_element(struct window_engine *e, const struct window_item *item, bool is_new) CHECKED;
/* The same for rows of a custom trigger that has .on_element, one after the other and nothing else of the trigger in between;
 * then rows_end. Asks for no timer of the window. */
enum status window_trigger_row(struct window_engine *e, uint32_t at, uint32_t named, int64_t time,
                               const struct tw_window *w) CHECKED;
void window_trigger_rows_end(struct window_engine *e);
enum status window_trigger_on_timer(struct window_engine *e, const struct window_item *item) CHECKED;
enum status window_trigger_on_merge(struct window_engine *e, const struct window_item *item) CHECKED;
/* The trigger's state and timers of a window go. slot WINDOW_NONE: the state has gone over to another window. */
int window_trigger_purged(const struct window_config *c, int result); /* FIRE is FIRE_AND_PURGE where the window begins anew */
enum status window_trigger_clear(struct window_engine *e, const struct window_item *item, const struct tw_window *w,
                                 uint32_t slot, uint32_t named) CHECKED;
