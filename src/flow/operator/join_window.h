/* join_window.h - the configuration of the operator `join_window`, which plans of SQL fill. Keys are those of its edges. */
#pragma once
#include "flow/operator/op.h"

struct join_window_config {
    const char *kind;                 /* inner, left, right, full, semi, anti */
    struct text_list names;           /* of the columns of both sides, left before right: each once */
    struct str condition;             /* expr_encode over them; empty: equal keys are enough */
    const char *zone;                 /* the session's */
    struct text_list null_safe;       /* per key: "true" when NULL equals NULL; empty: none */
    const char *left_end, *right_end; /* columns with the end of a row's window */
    const char *windows_zone;         /* ends are local times of it; empty: UTC */
};
