/* narrow_rel.h - hooks of rewrite.h by the nodes that have them: which columns they need, and what passes through them. */
#pragma once
#include "language/plan/rel.h"

/* narrow_rows.c */
struct rel *calc_narrow(struct narrowing *n, const struct rel *r, const uint64_t *needed, uint32_t *at);
struct rel *watermark_narrow(struct narrowing *n, const struct rel *r, const uint64_t *needed, uint32_t *at);
struct rel *union_narrow(struct narrowing *n, const struct rel *r, const uint64_t *needed, uint32_t *at);
struct rel *correlate_narrow(struct narrowing *n, const struct rel *r, const uint64_t *needed, uint32_t *at);
struct rel *window_tvf_narrow(struct narrowing *n, const struct rel *r, const uint64_t *needed, uint32_t *at);
int union_passes(const struct rel *r, uint32_t input, uint32_t col);
int correlate_passes(const struct rel *r, uint32_t input, uint32_t col);
int window_tvf_passes(const struct rel *r, uint32_t input, uint32_t col);
/* The types and names of the columns that the bits name; at[c]: which of them column c is. */
const struct type *narrow_row(struct narrowing *n, const struct type *row, const uint64_t *needed, uint32_t *at);

/* narrow_groups.c */
struct rel *aggregate_narrow(struct narrowing *n, const struct rel *r, const uint64_t *needed, uint32_t *at);
struct rel *over_narrow(struct narrowing *n, const struct rel *r, const uint64_t *needed, uint32_t *at);
struct rel *rank_rel_narrow(struct narrowing *n, const struct rel *r, const uint64_t *needed, uint32_t *at);
int aggregate_passes(const struct rel *r, uint32_t input, uint32_t col);
int window_aggregate_passes(const struct rel *r, uint32_t input, uint32_t col);
int over_passes(const struct rel *r, uint32_t input, uint32_t col);
int rank_rel_passes(const struct rel *r, uint32_t input, uint32_t col);

/* narrow_joins.c */
struct rel *join_narrow(struct narrowing *n, const struct rel *r, const uint64_t *needed, uint32_t *at);
struct rel *interval_join_narrow(struct narrowing *n, const struct rel *r, const uint64_t *needed, uint32_t *at);
struct rel *window_join_narrow(struct narrowing *n, const struct rel *r, const uint64_t *needed, uint32_t *at);
int join_passes(const struct rel *r, uint32_t input, uint32_t col);      /* keys pass to both sides */
int join_side_passes(const struct rel *r, uint32_t input, uint32_t col); /* each side's columns to that side alone */
int left_passes(const struct rel *r, uint32_t input, uint32_t col);
struct rel *join_strengthen(struct arena *a, struct rel *r, struct conditions *c);
