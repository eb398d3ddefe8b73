/* over_sorted_internal.h - what the files of operator over_sorted share.
 *
 * op_over_sorted.c  configuration, opening, a batch, what goes out
 * over_sorted_walk.c  the rows of a partition around the row in work
 * over_sorted_groups.c  the row in work: groups of rows, their words, and what changes */
#pragma once
#include "flow/operator/over_distinct.h"
#include "flow/operator/over_sorted.h"
#include "flow/operator/over_values.h"
#include "flow/state/shape.h"

enum { OVER_SORTED_WORK = 16 * BATCH_ROWS }; /* rows looked at in one call */
/* What is walked, by the value of the row in work; lesser: all of these, as DISTINCT asks what they have. */
enum over_sorted_where { WALK_LESSER, WALK_BEFORE, WALK_EQUAL, WALK_BEHIND };

struct over_sorted {
    const struct over_sorted_config *config;
    struct group_call *calls;
    uint32_t call_count, first_result, first_value, order, words, word_offset; /* words: bytes of the calls in a row */
    struct state_def def;
    struct state_table *table;
    struct state_probe probe;  /* the values of the batch */
    uint32_t *cols, col_count; /* that are kept: column i of the input is field i */
    struct batch *out, *work;  /* work: rows of the walk from work_first on */
    uint32_t work_first, work_count;
    uint32_t done, used, worked;
    bool is_resolved;
    void *heads[BATCH_ROWS];
    /* the row in work */
    bool is_begun, is_added, is_same; /* is_same: the group at hand has the words that it had */
    bool is_ready, is_summing, is_emitting; /* DISTINCT has seen what is before; where the work on a group stands */
    uint8_t walking;        /* enum over_sorted_where: what is being walked, from `scan` on */
    struct state_scan scan;
    void *before;           /* the last row of a lesser value; NULL: there is none */
    uint32_t peers;         /* rows of its value */
    void *mine;
    uint32_t mine_at; /* of the walk */
    void **walk;      /* rows of its value and behind, in order */
    uint32_t walk_count, walk_capacity;
    uint32_t group, end, step; /* of the walk: the group at hand, the next one to be emitted */
    struct over_values values; /* results at hand that are values */
    struct over_distinct distinct;
    bool *left_out;            /* by call: the row at hand is not for it */
    uint32_t distinct_at;      /* rows of the walk before the first group that DISTINCT has seen */
    char *acc;                 /* words behind the group */
    /* changes */
    char *snapshots;
    const void *from[BATCH_ROWS + 2];
    void *accs[BATCH_ROWS + 2];
    uint16_t numbers[BATCH_ROWS + 2];
};

static inline char *over_sorted_words(const struct over_sorted *s, void *row) { return (char *)row + s->word_offset; }
static inline bool over_sorted_has_room(const struct over_sorted *s)
{
    return s->used + 2 <= s->out->capacity && s->worked < OVER_SORTED_WORK;
}

/* op_over_sorted.c: a change of the row, with the results that it has, or with those at hand. */
void over_sorted_put(struct over_sorted *s, void *row, enum row_kind kind, bool own);

/* over_sorted_walk.c */
/* The rows of its value and those behind are the walk, s->before the last one before. S_MORE: time is up. */
enum status over_sorted_walk(struct op_cx *cx, struct over_sorted *s, const struct batch *in) CHECKED;
void over_sorted_walk_insert(struct op_cx *cx, struct over_sorted *s, void *row, uint32_t at);
/* Loads what is read of the rows of the walk around the i-th one, and of the one before it. */
void over_sorted_load(struct op_cx *cx, struct over_sorted *s, const struct batch *in, uint32_t i);
/* The first of the rows of its value that equals the row in work; -1: none does. */
int64_t over_sorted_find(struct op_cx *cx, struct over_sorted *s, const struct batch *in);

/* over_sorted_groups.c: rows of the batch from s->done on. S_MORE: the output is full, or time is up. */
enum status over_sorted_work(struct op_cx *cx, struct over_sorted *s, const struct batch *in) CHECKED;
