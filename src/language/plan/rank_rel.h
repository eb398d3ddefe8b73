/* rank_rel.h - what Rank, Deduplicate, SortLimit and Limit, and those of windows, have in common: their body is struct rank_body. */
#pragma once
#include "language/plan/rel.h"

void rank_print_strategy(const struct rel *r, struct buf *out); /* as EXPLAIN shows it */
void rank_rel_derive(struct rel *r, struct arena *a);
bool rank_rel_wants_before(const struct rel *r, uint32_t input);
const char *rank_rel_advise(const struct rel *r, const struct plan_settings *s, struct arena *a);
void rank_rel_logical(const struct rel *r, struct logical *l); /* of a rank function */
bool rank_ends(const struct rank_body *b); /* in batch mode: are its rows sorted when the input has ended? */
bool sort_limit_ends(const struct rank_body *b); /* the same */
void limit_rel_logical(const struct rel *r, struct logical *l); /* of ORDER BY and LIMIT */
int rank_rel_distribution(const struct rel *r, uint32_t input, const uint32_t **cols);
enum status rank_rel_lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e) CHECKED;
/* Rows of one partition go to one task, the whole partition being the operator's keys. */
void rank_partition_edge(struct lowering *l, const struct rel *r, uint32_t from, uint32_t to);
/* In batch mode, also of windows. */
void lower_deduplicate_at_end(const struct rel *r, struct lowering *l, uint32_t input, uint32_t *node);
void lower_rank_at_end(const struct rel *r, struct lowering *l, uint32_t input, uint32_t *node);
/* Is a ranking of that input one row per key, the first or last by time? It has no column of its place. */
bool rank_is_deduplicate(const struct rel *input, const struct rank_body *b);

/* Of windows: the partition holds start and end, and rows come once. */
bool rank_is_windowed(const struct rel *input, const struct rank_body *b);
void rank_explain_by(const struct rel *r, const char *name, struct buf *out);   /* "partitionBy=[k], ", without the window */
void window_rank_derive(struct rel *r, struct arena *a);
int window_rank_distribution(const struct rel *r, uint32_t input, const uint32_t **cols);
enum status window_rank_lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e) CHECKED;
