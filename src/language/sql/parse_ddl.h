/* parse_ddl.h - pieces that CREATE and ALTER statements share: options, columns, watermarks, keys, distribution; and how they
 * are printed. */
#pragma once
#include "language/sql/parse_internal.h"
#include "language/sql/statement.h"

enum status parse_if_not_exists(struct parser *p, bool *out) CHECKED;
enum status parse_options(struct parser *p, struct ast_options *out) CHECKED; /* ('k' = 'v', ...) */
enum status parse_comment(struct parser *p, bool *has, struct str *out) CHECKED; /* COMMENT '..' when it is there */
enum status parse_column(struct parser *p, struct ast_column *out) CHECKED;
/* WATERMARK FOR column AS expression, behind WATERMARK. */
enum status parse_watermark(struct parser *p, struct ast_expr **column, struct ast_expr **x) CHECKED;
/* [CONSTRAINT n] PRIMARY KEY | UNIQUE (a, b) [NOT] ENFORCED; a second one is refused. */
enum status parse_key(struct parser *p, struct ast_primary_key *out) CHECKED;

void print_options(const char *before, const struct ast_options *o, struct buf *out); /* nothing when there are none */
void print_column(const struct ast_column *c, struct buf *out);
void print_key(const struct ast_primary_key *k, struct buf *out);
void print_comment(bool has, struct str comment, struct buf *out);
