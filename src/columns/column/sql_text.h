/* sql_text.h - values as SQL shows them: what CAST(x AS STRING) makes and what a client prints. (Java's forms, of Row.toString,
 * are vector_print's.) */
#pragma once
#include "columns/column/vector.h"
#include "columns/column/zone.h"

/* TRUE, 1.5, 2001-01-01 10:00:00.000, [1, 2], {a=1}, (1, x); NULL inside of others, nothing at the top. Instants (TIMESTAMP_LTZ)
 * are shown in the zone; NULL is UTC. */
void sql_text_print(const struct vector *v, uint32_t row, const struct zone *zone, struct buf *out);
/* The same with bytes as x'0a', as a client shows them. */
void sql_text_show(const struct vector *v, uint32_t row, const struct zone *zone, struct buf *out);
