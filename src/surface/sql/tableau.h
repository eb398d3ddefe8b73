/* tableau.h - results as Flink's SQL client prints them: a frame, columns set to the right, `op` for changes, a line at the end.
 *
 * Rows of a stream are printed as they come, in columns whose widths follow from the types; rows of something that is known whole
 * (SHOW, EXPLAIN) in columns as wide as their contents. */
#pragma once
#include "surface/sql/session.h"

struct tableau;
/* Writes go to fd 1. Instants are shown in the zone, which is looked at when rows come. */
struct tableau *tableau_create(struct sys *sys, const struct zone *zone, struct mem *mem);
void tableau_free(struct tableau *t); /* NULL is a no-op */
struct sql_listener tableau_listener(struct tableau *t);
