/* query.h - what the files share that make queries. */
#pragma once
#include "sqlgen.h"

/* "t0 AS r0 LEFT JOIN t1 AS r1 ON ...", and the same rows said in another way, when there is one. */
struct from {
    const char *text;
    const char *mirrored;            /* sides changed; NULL: no join, or more than one */
    const char *crossed, *condition; /* of an inner join: the condition in WHERE */
};

void from_make(struct gen *g, struct gscope *s, uint32_t depth, struct from *f);
void put_relation(struct gen *g, struct gscope *s, uint32_t depth, struct buf *out);
void put_where(struct gen *g, const struct gscope *s, uint32_t depth, struct buf *out); /* " WHERE ...", or nothing */
/* A query whose columns c0, c1, .. have those types. */
void put_query(struct gen *g, const uint8_t *types, uint32_t count, uint32_t depth, struct buf *out);
/* is_global: no keys. */
void put_grouped(struct gen *g, const uint8_t *types, uint32_t count, uint32_t depth, bool is_global, struct buf *out);
void put_aggregates(struct gen *g, const struct gscope *s, uint32_t count,
                    struct buf *out); /* ", SUM(c1) AS a0, ..." */
void pair(struct gquery *q, const char *name, const char *left, const char *right);
/* What only the engine has: windows, joins by event time, lists as rows. */
void special_make(struct gen *g, struct gquery *q);
