/* parse_ddl.h - pieces that statements share: options, partitions, columns, watermarks, keys, distribution; and how they are
 * printed. */
#pragma once
#include "language/sql/parse_internal.h"
#include "language/sql/statement.h"

enum status parse_if_not_exists(struct parser *p, bool *out) CHECKED;
enum status parse_if_exists(struct parser *p, bool *out) CHECKED;
enum status parse_one_part(struct parser *p, const char *what, struct ast_name *out) CHECKED; /* a name without dots */
enum status parse_options(struct parser *p, struct ast_options *out) CHECKED; /* ('k' = 'v', ...), or none: () */
enum status parse_option_keys(struct parser *p, struct ast_keys *out) CHECKED;       /* ('k', ...), or none: () */
/* PARTITION (a = 'x', ...); `open`: a column may stand without a value. */
enum status parse_partition(struct parser *p, bool open, struct ast_partition *out) CHECKED;
enum status parse_distribution(struct parser *p, struct ast_distribution *out) CHECKED; /* behind DISTRIBUTED */
enum status parse_comment(struct parser *p, bool *has, struct str *out) CHECKED; /* COMMENT '..' when it is there */
enum status parse_column(struct parser *p, struct ast_column *out) CHECKED;
enum status parse_column_tail(struct parser *p, struct ast_column *out) CHECKED; /* what stands behind the name */
bool is_key(const struct parser *p);
/* WATERMARK FOR column AS expression, behind WATERMARK. */
enum status parse_watermark(struct parser *p, struct ast_expr **column, struct ast_expr **x) CHECKED;
/* [CONSTRAINT n] PRIMARY KEY | UNIQUE (a, b) [NOT] ENFORCED; a second one is refused. */
enum status parse_key(struct parser *p, struct ast_primary_key *out) CHECKED;

void print_options(const char *before, const struct ast_options *o, struct buf *out); /* nothing when there are none */
void print_option_list(const struct ast_options *o, struct buf *out); /* () when there are none */
void print_option_keys(const struct ast_keys *k, struct buf *out);
void print_partition(const struct ast_partition *x, struct buf *out); /* " PARTITION (..)", nothing when there is none */
void print_distribution(const char *before, const struct ast_distribution *d, struct buf *out); /* nothing when unsaid */
void print_watermark(const struct ast_expr *column, const struct ast_expr *x, struct buf *out);
void print_column_tail(const struct ast_column *c, struct buf *out);
void print_column(const struct ast_column *c, struct buf *out);
void print_key(const struct ast_primary_key *k, struct buf *out);
void print_comment(bool has, struct str comment, struct buf *out);
