/* graph_internal.h - the passes of graph_prepare, in the order in which they run. */
#pragma once
#include "control/graph/graph.h"

/* graph_check.c: nodes in order; checks each and derives its outputs. */
enum status graph_derive(struct graph *g, struct err *e) CHECKED;
/* graph_needs.c: nodes in reverse; which columns are read. */
void graph_find_needs(struct graph *g);
/* graph_chain.c: ids, chains, vertices. */
void graph_make_vertices(struct graph *g);

static inline uint32_t graph_words(const struct type *row) { return (row->child_count + 63) / 64; }
/* The stream's name for messages: that of the operator, a source without its prefix. */
const char *graph_stream_name(const struct graph_node *n);
