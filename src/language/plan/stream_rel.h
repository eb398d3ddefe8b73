/* stream_rel.h - where plans meet streams of a program. */
#pragma once
#include "language/plan/rel.h"

/* Rows of a stream: an output of a node of the program's graph. */
struct stream_source {
    const struct graph *graph; /* in which it stands; a plan lowered into another graph takes along what it reads */
    uint32_t node;             /* its from_stream */
    const char *name;
    const bool *is_gone; /* the graph was executed */
    const struct type *row;
    uint8_t changes; /* enum changes: what comes besides +I */
    uint32_t key_count; /* primary key of the changes; 0: none */
    const uint32_t *key;
};

/* How a table's rows leave as a stream. */
enum stream_mode { STREAM_INSERTS, STREAM_CHANGES, STREAM_UPSERTS, STREAM_RETRACTS };
struct stream_sink {
    uint8_t mode; /* enum stream_mode */
    const char *name;
    const char *key; /* UPSERTS: "a, b", columns by which rows replace each other; NULL: unsaid */
};

struct rel *rel_stream(struct arena *a, const struct stream_source *s);
struct rel *rel_stream_sink(struct arena *a, struct rel *input, const struct stream_sink *s);
