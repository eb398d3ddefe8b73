/* window_spans.h - sessions with an accumulator each, in event time, without lateness: what the engine does for them instead of
 * its general course. `Span` is a session here, with the accumulator at hand. Internal to the engine.
 *
 * The idea: without lateness a session is either open or gone, so rows only fold and watermarks only fire. Everything of a
 * key lies in its one row of `latest`: the bounds and the accumulator of the session that ends last, and when the key is to be
 * looked at again. Only further sessions of the key lie elsewhere, in `others`, ordered by their end. So the common row
 * costs one look-up and its timer a word: a key has one timer, at or before the end of its first session, that moves with it. */
#pragma once
#include "flow/operator/window_internal.h"

struct window_span {
    struct window_place place;
    void *acc; /* the key's row of `latest`, or a row of `others`; NULL: no place yet */
    uint32_t group;
    uint16_t item;  /* a row of the batch of its key */
    bool in_latest; /* acc is of `latest` */
    bool is_new, is_dead, has_new_end;
};

/* From planned row `at` on, `from` has gone over into `to`. */
struct span_merge {
    uint32_t at, to, from;
};

struct span_due {
    int64_t start, end;
    void *acc;
    uint16_t at; /* timer */
    bool in_latest;
};

struct window_spans {
    struct state_def latest_def, others_def;
    struct state_table *latest; /* key -> accumulator, words */
    struct state_table *others; /* key, end -> accumulator, bounds */
    struct state_probe probe;
    uint32_t word_field;  /* of both: the first word */
    uint32_t word_offset; /* in a row of either: where the words lie, one behind the other */
    bool is_plain;        /* accumulators are words alone: it does not matter in which table they lie */
    uint64_t hashes[BATCH_ROWS];
    void *item_rows[BATCH_ROWS]; /* of latest, per row of the batch or timer */
    /* Groups are the keys of the chunk whose rows do not all go straight; of timers, the timers. */
    uint32_t group_count;
    void *rows[BATCH_ROWS], *heads[BATCH_ROWS];     /* of latest, of others (NULL: not resolved) */
    /* Spans: near the next row, mostly; whose the row of latest was; the one that ends last. */
    uint32_t hint[BATCH_ROWS], owner[BATCH_ROWS], tail[BATCH_ROWS];
    uint16_t item_of[BATCH_ROWS];
    struct window_order order;     /* of spans */
    struct window_reaches reaches; /* of rows that may meet others than the latest */
    uint64_t is_changed[BATCH_ROWS / 64]; /* sessions began or came together */
    uint64_t needs_head[BATCH_ROWS / 64], meets[BATCH_ROWS / 64]; /* meets: because of its reaches */
    /* Rows of the batch; the work goes on with [row_first, row_end). */
    bool is_assigned;
    bool is_dynamic;       /* rows have gaps of their own */
    bool is_cut, is_bare;  /* the chunk's one row does not reach full_end yet; it is in its session already */
    int64_t full_end;
    uint32_t row_first, row_end, chunk_rows;
    uint16_t all_rows[BATCH_ROWS]; /* 0, 1, 2 .. */
    struct tw_window windows[BATCH_ROWS];
    /* Rows that went straight are the engine's run; of these, which begin sessions. */
    bool goes_straight; /* of the chunk at hand any may */
    bool any_begins;
    uint64_t begins[BATCH_ROWS / 64];
    /* Of the others those that have their session: rows of the batch, spans. And those that wait: selected rows, groups. */
    uint32_t planned_count, rest_count;
    uint16_t planned_rows[BATCH_ROWS], rest[BATCH_ROWS], group_of[BATCH_ROWS];
    uint32_t planned_spans[BATCH_ROWS];
    struct window_span *spans;
    uint32_t span_count, span_capacity, loaded; /* loaded: the latest from `others` */
    struct span_merge *merges;
    uint32_t merge_count, merge_capacity;
    /* Timers to be set, as rows of a batch. */
    uint32_t timer_count, straight_timers; /* of rows that went straight: the first so many */
    uint16_t timer_rows[BATCH_ROWS];
    void *timer_latest[BATCH_ROWS]; /* rows of latest, and their handles */
    uint64_t timer_handles[BATCH_ROWS];
    uint64_t timer_hashes[BATCH_ROWS];
    int64_t timer_times[BATCH_ROWS];
    /* What fires, in order. */
    uint64_t ranks[BATCH_ROWS]; /* per timer: order of keys at one time */
    int64_t again[BATCH_ROWS]; /* per timer: when its key's next session ends; INT64_MAX: never */
    struct span_due due[BATCH_ROWS];
    uint32_t due_count, due_at;
};

/* Words behind the accumulator. A row is set when its session is not empty; then the key has a timer. SPAN_COUNTS are two
 * halves: how many others there are, and the key's group while a batch is at hand. */
enum span_word { SPAN_START, SPAN_END, SPAN_LIES, SPAN_DUE, SPAN_COUNTS, SPAN_WORDS };
enum { SPAN_OTHER_WORDS = SPAN_LIES };

static inline int64_t *span_word(const struct window_spans *s, void *row, enum span_word w)
{
    return state_word(row, s->word_offset + w * 8u);
}
static inline uint32_t *span_others(const struct window_spans *s, void *row)
{
    return (uint32_t *)(void *)span_word(s, row, SPAN_COUNTS);
}
static inline uint32_t *span_group(const struct window_spans *s, void *row) { return span_others(s, row) + 1; }
static inline bool span_is_set(const struct window_spans *s, void *row)
{
    return *span_word(s, row, SPAN_END) > *span_word(s, row, SPAN_START);
}

/* Selected row i goes into span n, when its turn comes. */
static inline void window_spans_planned(struct window_engine *e, uint32_t i, uint32_t n)
{
    struct window_spans *s = e->spans;

    s->planned_rows[s->planned_count] = (uint16_t)batch_row(e->in, i);
    s->planned_spans[s->planned_count++] = n;
}
static inline uint32_t span_next(const struct window_span *span) { return span->place.next[0]; }

/* --- window_spans.c */
bool window_spans_fit(const struct op_cx *op, const struct window_plan *plan);
enum status window_spans_open(struct window_engine *e) CHECKED;
void window_spans_close(struct window_engine *e);
/* Rows get their sessions, one chunk of them: those that go straight, and those of groups, but for the ones that wait for sessions
 * in state; these in _load. e->late gets those of none. _resolve: what window_spans_add will need. */
enum status window_spans_plan(struct window_engine *e) CHECKED;
enum status window_spans_load(struct window_engine *e) CHECKED;
enum status window_spans_resolve(struct window_engine *e) CHECKED;
/* The key of selected row i becomes a group, with its latest session. */
uint32_t window_spans_group(struct window_engine *e, uint32_t i, void *row);
/* Selected row i of group g gets its session, or is late. */
void window_spans_row(struct window_engine *e, uint32_t i, uint32_t g);
enum status window_spans_add(struct window_engine *e) CHECKED; /* rows into accumulators */
void window_spans_done(struct window_engine *e);
/* The chunk met so much, or may have met sessions so far apart, that the next one is for the next call. */
static inline bool window_spans_were_far(const struct window_engine *e)
{
    return e->in != NULL && (e->spans->reaches.count == WINDOW_REACHES_AT_ONCE || e->spans->is_bare);
}
/* Heads in `others` of the groups whose bit is set; keys: those of the groups' items. */
enum status window_spans_heads(struct window_engine *e, const struct state_keys *keys, const uint64_t *groups,
                               enum state_intent intent) CHECKED;
/* The key of row `row` of the batch, the i-th of the latest resolve, whose row is given, is to be looked at then. */
void window_spans_timer(struct window_spans *s, uint32_t row, uint64_t hash, uint32_t i, void *latest, int64_t time);
enum status window_spans_timers_set(struct window_engine *e, const struct batch *keys, const uint32_t *cols) CHECKED;

/* --- window_spans_straight.c */
/* Rows of the chunk to the run, or to the rest, in groups. */
void window_spans_straight(struct window_engine *e);
enum status window_spans_straight_add(struct window_engine *e) CHECKED;
void window_spans_straight_timers(struct window_spans *s); /* at their times after all rows */

/* --- window_spans_place.c: accumulators into rows of both tables and from one to the other */
enum status window_spans_place(struct window_engine *e) CHECKED;  /* those of sessions that began */
enum status window_spans_settle(struct window_engine *e) CHECKED; /* bounds into state; what is dead goes */

/* --- window_spans_fire.c */
enum status window_spans_find(struct window_engine *e) CHECKED; /* what is due of the timers' keys */
enum status window_spans_fire(struct window_engine *e) CHECKED;
