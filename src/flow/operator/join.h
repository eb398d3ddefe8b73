/* join.h - the configuration of the operator `join`, which plans of SQL fill. Keys are those of its edges. */
#pragma once
#include "flow/operator/row_runs.h"

struct join_config {
    const char *kind;                           /* inner, left, right, full, semi, anti */
    struct text_list names;                     /* of the columns of both sides, left before right: each once */
    struct str condition;                       /* expr_encode over them; empty: equal keys are enough */
    const char *zone;                           /* the session's */
    struct text_list null_safe;                 /* per key: "true" when NULL equals NULL; empty: none */
    struct text_list left_unique, right_unique; /* columns by which a side's rows are replaced; empty: none */
    bool left_row, right_row;                   /* at most one row per key */
    bool left_after, right_after;               /* rows before updates do not come */
    bool left_appends, right_appends;           /* nothing but +I comes */
    bool emit_before;                           /* -U rows are needed; else they are -D */
    bool at_end;                                /* rows alone come once, when both inputs have ended: batch mode. Rows are only added then */
    const char *build;                          /* at_end: "left" or "right", the one side that is kept and read first; empty: both */
    bool everywhere;                            /* with build: all rows of that side go to each task */
    int64_t left_ttl_ms, right_ttl_ms;          /* 0: for ever */
    struct spill_config spill;                  /* at_end: of the rows of both sides */
};
