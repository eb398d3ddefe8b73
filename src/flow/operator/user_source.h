/* user_source.h - the user's own sources (.source, or .splits) under the contract that connectors fulfil. */
#pragma once
#include "flow/operator/user.h"
#include "flow/source/source.h"

/* The reader of a subtask; what the operator shares with source_reader_open's reader. */
struct user_reader {
    struct tw_context cx;
};

/* Its hooks want source_cx.op with a struct source_function_config, and a plan whose port 0 is the function's row type. */
extern const struct source_type user_source;

/* Graph time: does the function have what a source needs? */
enum status user_source_check(const struct function_ref *f, struct err *e) CHECKED;
/* Splits that one subtask reads side by side. */
uint32_t user_source_splits(const struct tw_function *fn);
bool user_source_cannot_pause(const struct tw_function *fn);
