/* source_reader_internal.h - what a source_reader keeps about one of its splits. */
#pragma once
#include "flow/source/source_reader.h"
#include "flow/source/split_metrics.h"

struct source_split {
    struct source_split *next;
    void *self;                     /* the connector's */
    char *id;
    struct str bytes;               /* as it was opened, when it cannot say its position */
    bool opened, is_idle;
    struct watermark_generator generator;
    int64_t wake_ms;                /* not asked before */
    int64_t seen_ms;                /* of the activity clock: the last row */
    struct split_metrics metrics;
};

enum status source_split_add(struct source_reader *r, const struct split *what, struct source_split **out) CHECKED;
