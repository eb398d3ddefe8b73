/* table_bridge.h - what the operators are configured with that stand between streams of a program and tables. */
#pragma once
#include "flow/operator/op.h"

/* from_stream: rows of a stream as rows of a table. */
struct from_stream_config {
    const char *time_column; /* a column more, TIMESTAMP_LTZ(3): the event time of the row; NULL: none */
    const char *stream;      /* its name, for messages */
    int64_t changes;         /* enum changes: a row of another kind fails the job */
};
/* to_stream: rows of a table as rows of a stream. */
struct to_stream_config {
    const char *time_column; /* whose values become the event times; NULL: rows keep what they have */
    bool drops_before;       /* rows -U are left out */
};
