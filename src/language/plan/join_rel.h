/* join_rel.h - what nodes that join have in common: their bodies begin with struct join_body. */
#pragma once
#include "language/plan/rel.h"

const char *join_operator_name(enum rel_join_kind kind); /* "left", as operators have it */
const char *join_explain_name(enum rel_join_kind kind);  /* "LeftOuterJoin" */
/* "((a = b) AND (c > d))": keys, and a condition over the columns of both, which may be NULL. */
void join_explain_where(const struct rel *r, const struct join_body *b, const struct expr *condition, struct buf *out);
/* "joinType=[InnerJoin], where=[(a = b)], select=[a, b]" */
void join_explain_rows(const struct rel *r, struct buf *out);
bool join_is_one_row(const struct rel *r, uint32_t input); /* at most one row of the input per key */
void join_derive_rows(struct rel *r, struct arena *a);     /* keys of what comes out, and whether anything does */
bool join_lies_by(const struct rel *r, const uint32_t *cols, uint32_t count); /* by keys */
int join_distribution(const struct rel *r, uint32_t input, const uint32_t **cols); /* by keys */
/* Does the key hold all columns by which rows are spread? Only then do both rows of an update go to one task. */
bool join_key_within(const struct join_body *b, uint32_t input, const struct rel_key *key);
struct text_list join_null_safe(struct lowering *l, const struct join_body *b);
