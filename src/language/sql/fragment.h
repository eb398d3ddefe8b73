/* fragment.h - pieces of SQL that stand by themselves: what a program hands to the Table API. Each text is read as a whole; the nodes
 * have places in *t, which like them lives in the arena. */
#pragma once
#include "language/sql/statement.h"

/* "a, b + 1 AS c" into the items of a select list. */
enum status fragment_items(struct str text, struct arena *a, struct tokens *t, struct ast_select *s,
                           struct err *e) CHECKED;
/* The same, and behind a `;` what GROUP BY lists: "a, COUNT(*) ; a". */
enum status fragment_grouped(struct str text, struct arena *a, struct tokens *t, struct ast_select *s,
                             struct err *e) CHECKED;
/* What GROUP BY lists. */
enum status fragment_group(struct str text, struct arena *a, struct tokens *t, struct ast_select *s,
                           struct err *e) CHECKED;
/* "a DESC, b" */
enum status fragment_orders(struct str text, struct arena *a, struct tokens *t, struct ast_orders *out,
                            struct err *e) CHECKED;
/* "catalog.database.table" */
enum status fragment_name(struct str text, struct arena *a, struct tokens *t, struct ast_name *out,
                          struct err *e) CHECKED;
/* "a, b, c": names alone. */
enum status fragment_names(struct str text, struct arena *a, struct tokens *t, uint32_t *count, struct str **out,
                           struct err *e) CHECKED;
/* "DESCRIPTOR(ts), INTERVAL '10' MINUTE": arguments of a call. */
enum status fragment_arguments(struct str text, struct arena *a, struct tokens *t, const char *function,
                               struct ast_expr **out, struct err *e) CHECKED;
