/* source_filter.h - rows that nobody wants, told to a source: a condition over its columns, of which the connector says that it can do
 * something with it (source_type's `takes`). It is looked at for one row, whose columns the connector fills as far as it knows them. */
#pragma once
#include "flow/source/source.h"

struct source_filter {
    struct arena arena;
    struct expr_run *run; /* NULL: every row is wanted */
    struct batch *row;    /* of the source's columns; those that the condition reads are there */
};

/* What cx->filter says; nothing when it is empty. A filter that was not opened is cleared memory. */
enum status source_filter_open(struct source_filter *f, const struct source_cx *cx, struct err *e) CHECKED;
/* The row to fill, cleared, with one row in it; only of a filter that has a condition. */
struct batch *source_filter_row(struct source_filter *f);
/* May such a row be wanted? Of one for which the condition fails: then it is for whoever gets it to say so. */
bool source_filter_passes(struct source_filter *f);
void source_filter_close(struct source_filter *f);
