/* stateful.h - every operator that keeps state, in every kind it has: the cases of test_stateful_table.c. A case says which
 * operator with which configuration; the test gives all of them the same rows. Columns are k STRING and v BIGINT. */
#pragma once
#include <thalweg/thalweg.h>

#include "flow/operator/op_configs.h"

struct stateful_case {
    const char *op, *kind; /* which operator, and what of it */
    const void *config;
    const struct tw_function *functions[3]; /* that the configuration names: their states count as covered */
    bool unkeyed;       /* the first input */
    bool second_keyed;  /* of an operator with two inputs */
    bool nothing_asked; /* it keeps rows in memory of its own, or state without a key: nothing can be pending */
    bool is_swept;      /* results show when state was swept, which is done between batches: only equal batches compare */
    bool is_ahead;      /* v is a time to come, not a number */
    bool silent;        /* by its nature nothing comes out */
};

struct stateful_list {
    const struct stateful_case *cases;
    uint32_t count;
};

struct stateful_row {
    struct tw_str k;
    int64_t v;
};
struct stateful_key {
    struct tw_str k;
};
/* What most functions emit. */
struct stateful_sum {
    int64_t n, total;
};
TW_ROW(stateful_row, TW_FIELD(stateful_row, k, "STRING NOT NULL"), TW_FIELD(stateful_row, v, "BIGINT NOT NULL"));
TW_ROW(stateful_key, TW_FIELD(stateful_key, k, "STRING NOT NULL"));
TW_ROW(stateful_sum, TW_FIELD(stateful_sum, n, "BIGINT NOT NULL"), TW_FIELD(stateful_sum, total, "BIGINT NOT NULL"));
#define STATEFUL_INPUT "ROW<k STRING NOT NULL, v BIGINT NOT NULL>"
#define STATEFUL_FN(f)                                                                                                 \
    {                                                                                                                  \
        .name = #f, .fn = &f                                                                                           \
    }

struct stateful_list stateful_functions(void); /* process and its kin, reduce, rolling, joins by interval, partitions */
struct stateful_list stateful_windows(void);
