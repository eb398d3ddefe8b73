/* join_interval.h - the configuration of the operator `join_interval`, which plans of SQL fill. Keys are those of its edges. */
#pragma once
#include "flow/operator/op.h"

struct join_interval_config {
    const char *kind;                   /* inner, left, right, full */
    struct text_list names;             /* of the columns of both sides, left before right: each once */
    struct str condition;               /* expr_encode over them; empty: keys and times are enough */
    const char *zone;                   /* the session's */
    struct text_list null_safe;         /* per key: "true" when NULL equals NULL; empty: none */
    const char *left_time, *right_time; /* columns of the event times; empty: times are those of processing */
    int64_t lower_ms, upper_ms;         /* a left row at t meets right rows for which t - time is in lower..upper */
};
