/* sort_merge_join.h - the configuration of the operator `sort_merge_join`, which plans of SQL fill, and what its files share. Keys are
 * those of its edges.
 *
 * op_sort_merge_join.c  rows on their way in
 * sort_merge.c          when both sides have ended: who meets whom, and what comes out
 * sort_merge_times.c    interval joins: rows of a key whose times lie in an interval of each other */
#pragma once
#include "flow/operator/hashed_rows.h"
#include "flow/operator/join_pairs.h"

struct sort_merge_join_config {
    const char *kind;           /* inner, left, right, full, semi, anti */
    struct text_list names;     /* of the columns of both sides, left before right: each once */
    struct str condition;       /* expr_encode over them; empty: equal keys are enough */
    const char *zone;           /* the session's */
    struct text_list null_safe; /* per key: "true" when NULL equals NULL; empty: none */
    const char *left_time, *right_time; /* columns of event times, of an interval join; empty: whatever the times are */
    int64_t lower_ms, upper_ms; /* a left row at t meets right rows for which t - time is in lower..upper */
    struct spill_config spill;  /* of the rows of each side, and of those of one key */
};

struct merge_side {
    struct row_sort *sort;         /* of `rows`, or of `hashed` */
    struct row_sort rows;
    struct hashed_rows hashed;     /* interval joins */
    const struct type *row;        /* of what is sorted: the columns of the input, and perhaps more */
    const uint64_t *needed;        /* of them */
    int time_col;                  /* interval joins; else -1 */
    struct order_column by[OP_KEYS_MAX];
    struct batch *stage, *spare;   /* the next rows in order; the other one is empty */
    uint32_t at;                   /* rows of the stage before it are done with */
    bool is_over, is_filling;      /* nothing comes behind the stage; it is being filled */
    uint64_t met[BATCH_ROWS / 64]; /* rows of the stage that have a partner */
};

/* Rows of the right side that have one key: of its stage, or of `rows` where they go beyond it. */
struct merge_group {
    bool is_open, is_kept, is_gathering;
    bool has_row;        /* the left row at hand has this key */
    uint32_t first, end; /* numbers of its rows */
    uint32_t next;       /* that the left row at hand meets */
    bool is_entered;     /* interval joins: the interval of the left row at hand begins at `first` */
    struct kept_rows rows;
    struct batch *key;       /* the first one, alone */
    uint64_t *met;           /* rows that have a partner */
    uint32_t capacity, lone; /* words of it; rows that were looked at whether they come alone */
};

struct sort_merge_join {
    struct join_plan plan;
    struct merge_side sides[2];
    uint32_t key_count; /* by which sides are compared: in interval joins one, the hash of the keys */
    bool null_safe[OP_KEYS_MAX], is_timed; /* an interval join */
    int64_t lower_ms, upper_ms, from, to; /* of it; times of right rows that the left row at hand may meet */
    bool has_ended[2], is_done;
    struct merge_group group;
    struct expr_run *condition; /* NULL: none */
    struct batch *tested, *out; /* what it reads */
    /* Pairs that are listed: rows of the left stage, and of `right`. */
    uint32_t count, right_first; /* number of its first row in the group */
    const struct batch *right;
    uint16_t rows[2][BATCH_ROWS];
    int wants;       /* the side whose stage must be filled, -1: none */
    bool is_told;    /* its rows that come alone have done so */
    uint32_t ending; /* sides whose last rows alone have come */
};

/* sort_merge_times.c, of interval joins */
enum status merge_times_read(const struct op_plan *p, const struct sort_merge_join_config *c, int cols[2], struct err *e) CHECKED;
enum status merge_times_check(struct op_cx *cx, const struct merge_side *m, const struct batch *in) CHECKED; /* E_DATA: a row has none */
/* Rows of a batch with the hash of their keys. */
enum status merge_times_add(struct op_cx *cx, struct sort_merge_join *s, uint32_t input, const struct batch *in) CHECKED;
/* To the first right row of the group that the left row at hand may meet. *goes_on false: ask again, once what is listed went out. */
enum status merge_times_enter(struct sort_merge_join *s, bool *goes_on) CHECKED;
/* May the left row at hand meet that row, none of which comes too early? */
static inline bool merge_times_meets(const struct sort_merge_join *s, const struct batch *right, uint32_t row)
{
    return VECTOR_VALUES(&right->cols[s->sides[1].time_col], int64_t)[row] <= s->to;
}
/* Of n listed pairs, whose hashes are equal, those whose keys are: how many are left. */
uint32_t merge_times_same(const struct op_cx *cx, struct sort_merge_join *s, uint32_t n);

/* Some of the rows that come out when both sides have ended. S_OK: that was all. */
enum status sort_merge_run(struct op_cx *cx, struct sort_merge_join *s) CHECKED;
