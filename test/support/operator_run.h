/* operator_run.h - one operator in a real task: a script goes in, text comes out. Script lines are rows as in rows.h
 * ("@1000 1 | a"), "W 5000" for a watermark, "W max"; the input ends with the script. Output: rows as batch_print_row
 * prints them with "@time" behind, those of side outputs behind "<port>: ", watermarks as "W 5000". */
#pragma once
#include "flow/operator/op.h"
#include "flow/state/state.h"

struct operator_run {
    const struct op_type *type;
    const void *config;
    const char *schema;       /* "ROW<k BIGINT NOT NULL, v INT>" */
    const char *keys[4];      /* names of key columns, NULL at the end */
    uint32_t batch_rows;      /* 0 = BATCH_ROWS; rows per input batch too */
    bool sorted;              /* sort the lines between two watermarks: output order is not what is tested */
    const struct sb_type *backend;
    enum status status;       /* answer: S_END, or why the task failed */
    char error[ERR_TEXT_MAX];        /* answer */
};

/* The text is the caller's to free(). Fails the test when the plan does not derive. */
char *operator_run(struct operator_run *r, const char *script);
