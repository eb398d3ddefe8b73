/* print.h - syntax trees as text again: what EXPLAIN, SHOW CREATE VIEW and error messages show. Reading the text gives the
 * same tree. Names are quoted, words are in capitals, parentheses stand where precedence needs them. */
#pragma once
#include "ground/base/buf.h"
#include "language/sql/sql_op.h"

void print_expr(const struct ast_expr *x, struct buf *out);
const char *print_expr_text(struct arena *a, const struct ast_expr *x); /* the same, in the arena */
void print_query(const struct ast_query *q, struct buf *out);
void print_table(const struct ast_table *t, struct buf *out);
void print_orders(const struct ast_orders *o, struct buf *out);
void print_name(const struct ast_name *n, struct buf *out);       /* `a`.`b` */
void print_quoted_name(struct str name, struct buf *out);         /* `a``b` */
void print_string(struct str text, struct buf *out);              /* 'it''s' */
void print_name_list(uint32_t count, const struct str *names, struct buf *out); /* (`a`, `b`) */
void print_hints(const struct ast_hints *h, struct buf *out);       /* with a space before; nothing when there are none */
void print_window(const struct ast_window *w, struct buf *out);   /* what stands inside the parentheses */
