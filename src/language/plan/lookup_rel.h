/* lookup_rel.h - shared by the files that make and lower lookup joins. */
#pragma once
#include "language/plan/rel_internal.h"

struct options lookup_options_of(const struct table *t, struct arena *a); /* without 'connector' */
/* Each column of the table that a condition of AND says to equal a constant. */
void lookup_constants(const struct expr *filter, void (*each)(void *arg, uint32_t col, struct expr *constant), void *arg);
/* Fills what the connector is given for its keys, and how. E_UNSUPPORTED: the join does not say what one of them equals. */
enum status lookup_asks_find(const struct expr_maker *m, struct lookup_join_body *b, struct err *e) CHECKED;
