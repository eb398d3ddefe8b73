/* sink_rel.h - what node_sink.c and sink_conflict.c share. */
#pragma once
#include "language/plan/rel.h"

uint32_t sink_parallelism(const struct table *t);  /* its option; 0: the job's */
bool sink_is_upsert(const struct table *t);        /* rows replace those with their key */
void sink_key(const struct rel *r, uint32_t *cols); /* the table's primary key as columns of the sink */
bool sink_is_materialized(const struct rel *r);    /* rows of one primary key become one */
enum status sink_check(const struct rel *r, struct err *e) CHECKED;
/* What makes one row of those of a primary key, behind a node; answers the last one. is_spread: what follows is still to be spread by
 * the primary key. */
uint32_t sink_lower_conflict(const struct rel *r, struct lowering *l, uint32_t input, bool *is_spread);
void sink_spread(const struct rel *r, struct lowering *l, struct graph_edge *edge); /* by the primary key */
const char *sink_advise(const struct rel *r, const struct plan_settings *settings, struct arena *a);
