/* sort_merge_join.h - the configuration of the operator `sort_merge_join`, which plans of SQL fill, and what its files share. Keys are
 * those of its edges.
 *
 * op_sort_merge_join.c  rows on their way in
 * sort_merge.c          when both sides have ended: who meets whom, and what comes out */
#pragma once
#include "flow/operator/join_pairs.h"
#include "flow/operator/row_sort.h"

struct sort_merge_join_config {
    const char *kind;           /* inner, left, right, full, semi, anti */
    struct text_list names;     /* of the columns of both sides, left before right: each once */
    struct str condition;       /* expr_encode over them; empty: equal keys are enough */
    const char *zone;           /* the session's */
    struct text_list null_safe; /* per key: "true" when NULL equals NULL; empty: none */
    struct spill_config spill;  /* of the rows of each side, and of those of one key */
};

struct merge_side {
    struct row_sort sort;
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
    struct kept_rows rows;
    struct batch *key;       /* the first one, alone */
    uint64_t *met;           /* rows that have a partner */
    uint32_t capacity, lone; /* words of it; rows that were looked at whether they come alone */
};

struct sort_merge_join {
    struct join_plan plan;
    struct merge_side sides[2];
    uint32_t key_count;
    bool null_safe[OP_KEYS_MAX];
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

/* Some of the rows that come out when both sides have ended. S_OK: that was all. */
enum status sort_merge_run(struct op_cx *cx, struct sort_merge_join *s) CHECKED;
