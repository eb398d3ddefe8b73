/* bind_table.h - tables of the syntax tree as tables of the catalog, and back as plans that read and write them. */
#pragma once
#include "language/sql/bind_query.h"

/* Parts of `out` that CREATE TABLE says; all in b->a. Its row has the watermark's column as time attribute. Not the rows of AS:
 * bind_insert writes those. */
enum status bind_create_table(struct query_binder *b, const struct create_table *c, struct table *out) CHECKED;
/* The table as ALTER TABLE leaves it; not RENAME of the table itself. */
enum status bind_alter_table(struct query_binder *b, const struct table *old, const struct alter_table *x, struct table *out) CHECKED;
/* The columns that a connector reads or writes: physical and metadata ones. */
const struct type *table_stored_row(struct query_binder *b, const struct table *t);
/* The rows of its connector: the columns of table_stored_row. */
enum status bind_stored(struct query_binder *b, const struct table *t, const struct ast_table *where, struct rel **out) CHECKED;
/* Rows of a table: its connector's, with computed columns, event times and watermarks. */
enum status bind_scan(struct query_binder *b, const struct table *t, const struct ast_table *where, struct rel **out) CHECKED;
/* FROM savepoint_metadata('...') and its like: functions whose rows are known now. */
bool bind_is_system_function(const struct query_binder *b, const struct ast_table *call);
enum status bind_system_function(struct query_binder *b, const struct ast_table *call, struct rel **out) CHECKED;
/* INSERT INTO: the query's rows, cast to the columns of the table, into its connector. */
enum status bind_insert(struct query_binder *b, const struct insert *i, struct rel **out) CHECKED;
/* The same into a table that need not be in a catalog. */
enum status bind_insert_into(struct query_binder *b, const struct insert *i, const struct table *t, struct rel **out) CHECKED;
/* The table's partitions, in the sink's body; `row` as it is written. */
enum status bind_parts(struct query_binder *b, const struct table *t, struct ast_place place, const struct type *row,
                       struct sink_body *sink) CHECKED;
/* OPTIONS hints: *t becomes a copy with these options. */
enum status bind_hints(struct query_binder *b, const struct ast_hints *hints, const struct table **t) CHECKED;
/* Remembers where these options were written: in WITH, or in a hint of this statement. */
void bind_option_places(struct query_binder *b, const struct ast_options *o, bool is_hint, struct table *t);
/* What the table's connector says of its options, shown where the option was written, or at `where`. */
enum status bind_option_fail(struct query_binder *b, const struct table *t, struct ast_place where, const struct err *inner);
/* The connector can read, or write, such rows with the table's options; the last `apart` columns are not in its records. */
enum status bind_connector(struct query_binder *b, const struct table *t, const struct type *row, uint32_t apart, bool writes,
                           struct ast_place where) CHECKED;
struct options bind_options(struct arena *a, const struct options *base, const struct ast_options *more);
