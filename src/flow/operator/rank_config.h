/* rank_config.h - configuration of the operators rank, rank_sift, rank_sorted and window_rank. */
#pragma once
#include "flow/operator/row_runs.h"

enum { RANK_NET_LAST_MAX = 128 }; /* up to there places are few: rows are kept place by place (rank_net.c), in batch mode too */

struct rank_config {
    struct text_list order;      /* columns */
    struct text_list directions; /* "asc", "desc" */
    struct text_list nulls;      /* "first", "last" */
    int64_t first, last;         /* places that count */
    const char *number;          /* name of the column of the place; NULL: none */
    bool emit_before;            /* -U rows are needed */
    bool retracts;               /* rows may be taken back */
    bool nets;                   /* changes of a batch may be told as one */
    struct text_list unique;     /* columns by which rows are replaced, and never go or fall back in the order; empty: none */
    bool is_part;                /* first of two phases, rank_part.c: nets, rows are only added */
    int64_t memory;              /* of it; 0: any */
    int64_t ttl_ms;              /* 0: for ever */
};

/* Before rows are spread by their partitions: those of a batch that can have a place. */
struct rank_sift_config {
    struct text_list partition;
    struct text_list order, directions, nulls;
    int64_t last;
};

/* In batch mode: rows that are there when the input has ended. */
struct rank_sorted_config {
    struct text_list order, directions, nulls;
    const char *function; /* "row_number", "rank", "dense_rank" */
    int64_t first, last;
    const char *number;
    struct spill_config spill;
};

enum status rank_places_check(int64_t first, int64_t last, struct err *e) CHECKED;
const struct type *rank_output(const struct op_plan *p, const char *number); /* the input's columns, then the place's where it has a name */

/* The places in the windows that rows say in column `end`. */
struct window_rank_config {
    struct text_list order, directions, nulls;
    int64_t first, last;
    const char *number;
    const char *end;
    const char *zone; /* ends are local times of it; empty: UTC */
    bool from_behind; /* last must be 1: the last row in the order; of equal ones the one that came last */
};
