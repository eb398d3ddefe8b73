/* table.h - the Table API: relations of SQL made by calls, and bridges to streams and back.
 *
 *     struct tw_table *late = tw_table_where(tw_from(env, "flights"), "delay > 60");
 *     struct tw_table *worst = tw_table_select(tw_table_group_by(late, "origin"), "origin, COUNT(*) AS n");
 *     return tw_table_insert_into(worst, "report");
 *
 * Expressions are SQL's, as text: no second language for them. An environment of streams is one of tables, too: catalog, views and
 * settings (SET, tw_set) belong to it. Every call checks at once, and answers a table, never NULL; a mistake is kept with the source
 * line of the call and told by what runs something, and by tw_error; calls on a table that came of one do nothing. Tables stay good
 * until their environment is freed, those of streams as long as their streams. All texts are copied. */
#pragma once
#include <thalweg/sql_function.h>
#include <thalweg/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tw_table;
struct tw_schema;
struct tw_statement_set;
struct tw_table_result;

/* --- where tables come from --------------------------------------------------------------------------------------- */
/* A query, as SQL: SELECT, WITH, VALUES. */
TW_API struct tw_table *tw_sql_query_at(struct tw_env *env, const char *sql, struct tw_here h);
/* A table or view of the catalog: "t", "db.t", "catalog.db.t". */
TW_API struct tw_table *tw_from_at(struct tw_env *env, const char *path, struct tw_here h);
/* Rows of constants, "(1, 'a'), (2, 'b')"; names of the columns "id, name", NULL: EXPR$0 and so on. */
TW_API struct tw_table *tw_from_values_at(struct tw_env *env, const char *rows, const char *names, struct tw_here h);
#define tw_sql_query(env, sql) tw_sql_query_at(env, sql, TW_HERE)
#define tw_from(env, path) tw_from_at(env, path, TW_HERE)
#define tw_from_values(env, rows, names) tw_from_values_at(env, rows, names, TW_HERE)

/* Schemas: columns, computed ones, watermark, primary key, in the order in which they are said. Each call answers the schema. */
TW_API struct tw_schema *tw_schema_create_at(struct tw_env *env, struct tw_here h);
TW_API struct tw_schema *tw_schema_column_at(struct tw_schema *s, const char *name, const char *type, struct tw_here h);
TW_API struct tw_schema *tw_schema_column_by_expression_at(struct tw_schema *s, const char *name,
                                                           const char *expression, struct tw_here h);
/* key: name of the metadata, NULL: that of the column. Of a stream there is "rowtime", TIMESTAMP_LTZ(3). */
TW_API struct tw_schema *tw_schema_column_by_metadata_at(struct tw_schema *s, const char *name, const char *type,
                                                         const char *key, bool is_virtual, struct tw_here h);
/* "ts", "ts - INTERVAL '5' SECOND"; of a stream also "SOURCE_WATERMARK()": its own. */
TW_API struct tw_schema *tw_schema_watermark_at(struct tw_schema *s, const char *column, const char *expression,
                                                struct tw_here h);
TW_API struct tw_schema *tw_schema_primary_key_at(struct tw_schema *s, const char *columns,
                                                  struct tw_here h); /* "a, b" */
#define tw_schema_create(env) tw_schema_create_at(env, TW_HERE)
#define tw_schema_column(s, name, type) tw_schema_column_at(s, name, type, TW_HERE)
#define tw_schema_column_by_expression(s, name, expression)                                                            \
    tw_schema_column_by_expression_at(s, name, expression, TW_HERE)
#define tw_schema_column_by_metadata(s, name, type, key, is_virtual)                                                   \
    tw_schema_column_by_metadata_at(s, name, type, key, is_virtual, TW_HERE)
#define tw_schema_watermark(s, column, expression) tw_schema_watermark_at(s, column, expression, TW_HERE)
#define tw_schema_primary_key(s, columns) tw_schema_primary_key_at(s, columns, TW_HERE)

/* What a table of a connector is: as CREATE TABLE says it. */
struct tw_table_descriptor {
    const struct tw_schema *schema;
    struct tw_options options;  /* "connector" among them */
    const char *partitioned_by; /* "a, b"; NULL: not */
    const char *comment;        /* NULL: none */
};
/* 0, or 1 after a mistake. */
TW_API int tw_create_temporary_table_at(struct tw_env *env, const char *path, struct tw_table_descriptor d,
                                        struct tw_here h);
TW_API int tw_create_temporary_view_at(struct tw_env *env, const char *path, struct tw_table *t, struct tw_here h);
/* A table without a name. */
TW_API struct tw_table *tw_from_descriptor_at(struct tw_env *env, struct tw_table_descriptor d, struct tw_here h);
#define tw_create_temporary_table(env, path, ...)                                                                      \
    tw_create_temporary_table_at(env, path, (struct tw_table_descriptor){__VA_ARGS__}, TW_HERE)
#define tw_create_temporary_view(env, path, t) tw_create_temporary_view_at(env, path, t, TW_HERE)
#define tw_from_descriptor(env, ...) tw_from_descriptor_at(env, (struct tw_table_descriptor){__VA_ARGS__}, TW_HERE)

/* A function of the program's own, TW_SQL_FUNCTION(f), by that name in SQL: &tw_sql_f. Libraries: CREATE FUNCTION. A table function may
 * answer for a table that lookup joins ask, by its keys:
 *
 *     tw_create_temporary_system_function(env, "find_customer", &tw_sql_find_customer);
 *     tw_create_temporary_table(env, "customers", .schema = customers,
 *                               .options = TW_OPTIONS("connector", "function", "function", "find_customer", "keys", "id"));
 *     tw_sql_query(env, "SELECT * FROM orders o JOIN customers FOR SYSTEM_TIME AS OF o.proc_time AS c ON o.customer = c.id");
 *
 * 0, or 1 after a mistake. */
TW_API int tw_create_temporary_system_function_at(struct tw_env *env, const char *name, const struct tw_sql_entry *function,
                                                  struct tw_here h);
#define tw_create_temporary_system_function(env, name, function)                                                       \
    tw_create_temporary_system_function_at(env, name, function, TW_HERE)

/* --- relations ---------------------------------------------------------------------------------------------------- */
/* operation: the macros below. text, and for some of them a number. */
TW_API struct tw_table *tw_table_apply_at(struct tw_table *t, const char *operation, const char *text,
                                          struct tw_here h);
TW_API struct tw_table *tw_table_combine_at(struct tw_table *t, struct tw_table *u, const char *operation,
                                            const char *condition, struct tw_here h);
TW_API struct tw_table *tw_table_cut_at(struct tw_table *t, int64_t offset, int64_t fetch, struct tw_here h);
/* "a, b + 1 AS c, *"; behind tw_table_group_by with aggregates. */
#define tw_table_select(t, columns) tw_table_apply_at(t, "select", columns, TW_HERE)
#define tw_table_where(t, condition) tw_table_apply_at(t, "where", condition, TW_HERE)
#define tw_table_filter(t, condition) tw_table_apply_at(t, "where", condition, TW_HERE)
/* Other names for all columns, in order: "a, b, c". */
#define tw_table_as(t, names) tw_table_apply_at(t, "as", names, TW_HERE)
/* A name for the whole table, by which conditions of joins may call its columns: tw_table_alias(t, "o"), then "o.id = i.order_id". */
#define tw_table_alias(t, name) tw_table_apply_at(t, "alias", name, TW_HERE)
/* What GROUP BY lists: "a, b", "ROLLUP (a)"; next comes tw_table_select, tw_table_aggregate or tw_table_flat_aggregate. "" groups all
 * rows. */
#define tw_table_group_by(t, keys) tw_table_apply_at(t, "group_by", keys, TW_HERE)
/* Each row in the windows that it belongs to, with columns window_start, window_end and window_time: group by the first two.
 * function: TUMBLE, HOP or CUMULATE; arguments: "DESCRIPTOR(ts), INTERVAL '10' MINUTE". */
TW_API struct tw_table *tw_table_window_at(struct tw_table *t, const char *function, const char *arguments,
                                           struct tw_here h);
#define tw_table_window(t, function, arguments) tw_table_window_at(t, function, arguments, TW_HERE)
#define tw_table_distinct(t) tw_table_apply_at(t, "distinct", "", TW_HERE)
#define tw_table_order_by(t, keys) tw_table_apply_at(t, "order_by", keys, TW_HERE) /* "a DESC, b" */
#define tw_table_limit(t, rows) tw_table_cut_at(t, 0, rows, TW_HERE)
#define tw_table_offset_fetch(t, offset, rows) tw_table_cut_at(t, offset, rows, TW_HERE)       /* rows -1: all */
#define tw_table_add_columns(t, columns) tw_table_apply_at(t, "add_columns", columns, TW_HERE) /* "a + 1 AS b" */
#define tw_table_add_or_replace_columns(t, columns) tw_table_apply_at(t, "add_or_replace_columns", columns, TW_HERE)
#define tw_table_drop_columns(t, names) tw_table_apply_at(t, "drop_columns", names, TW_HERE)
#define tw_table_rename_columns(t, renames) tw_table_apply_at(t, "rename_columns", renames, TW_HERE) /* "a AS b" */
/* Columns of both, names of both. condition NULL: every pair. */
#define tw_table_join(t, u, condition) tw_table_combine_at(t, u, "join", condition, TW_HERE)
#define tw_table_left_outer_join(t, u, condition) tw_table_combine_at(t, u, "left_outer_join", condition, TW_HERE)
#define tw_table_right_outer_join(t, u, condition) tw_table_combine_at(t, u, "right_outer_join", condition, TW_HERE)
#define tw_table_full_outer_join(t, u, condition) tw_table_combine_at(t, u, "full_outer_join", condition, TW_HERE)
#define tw_table_union(t, u)                                                                                           \
    tw_table_combine_at(t, u, "union", NULL, TW_HERE) /* every row once; union_all: as often as it is there */
#define tw_table_union_all(t, u) tw_table_combine_at(t, u, "union_all", NULL, TW_HERE)
#define tw_table_intersect(t, u) tw_table_combine_at(t, u, "intersect", NULL, TW_HERE)
#define tw_table_intersect_all(t, u) tw_table_combine_at(t, u, "intersect_all", NULL, TW_HERE)
#define tw_table_minus(t, u) tw_table_combine_at(t, u, "minus", NULL, TW_HERE)
#define tw_table_minus_all(t, u) tw_table_combine_at(t, u, "minus_all", NULL, TW_HERE)
/* Row by row, columns of the input are gone: a scalar function, "f(a, b)", makes one row, of the fields of its result where that is a
 * ROW; a table function any number of rows. */
TW_API struct tw_table *tw_table_map_at(struct tw_table *t, const char *function, struct tw_here h);
TW_API struct tw_table *tw_table_flat_map_at(struct tw_table *t, const char *function, struct tw_here h);
/* Behind tw_table_group_by (without it, or with "", of all rows): the group's keys, plain expressions, and what the call of one function
 * makes of each group. Of an aggregate function that is one row, of the fields of its result where that is a ROW; of a table aggregate
 * function (TW_SQL_TABLE_AGGREGATE) any number, which are taken back and made anew when the group changes. names: of the function's
 * columns, "a, b"; NULL: its own.
 *
 *     tw_table_flat_aggregate(tw_table_group_by(bids, "auction"), "top2(price)", "price, place"); */
TW_API struct tw_table *tw_table_aggregate_at(struct tw_table *t, const char *function, const char *names,
                                              struct tw_here h);
TW_API struct tw_table *tw_table_flat_aggregate_at(struct tw_table *t, const char *function, const char *names,
                                                   struct tw_here h);
#define tw_table_aggregate(t, function, names) tw_table_aggregate_at(t, function, names, TW_HERE)
#define tw_table_flat_aggregate(t, function, names) tw_table_flat_aggregate_at(t, function, names, TW_HERE)
#define tw_table_map(t, function) tw_table_map_at(t, function, TW_HERE)
#define tw_table_flat_map(t, function) tw_table_flat_map_at(t, function, TW_HERE)
/* "(\n  `a` INT,\n ...)" as Flink prints resolved schemas; "" after a mistake. Lives as long as the environment. */
TW_API const char *tw_table_schema(struct tw_table *t);

/* --- running ------------------------------------------------------------------------------------------------------ */
/* An INSERT runs to its end before the call returns; 1 after a failure, told as tw_execute does. */
TW_API int tw_table_insert_into_at(struct tw_table *t, const char *path, struct tw_here h);
#define tw_table_insert_into(t, path) tw_table_insert_into_at(t, path, TW_HERE)
/* Many INSERTs as one job. A set is empty again when it was executed. */
TW_API struct tw_statement_set *tw_statement_set_create(struct tw_env *env);
TW_API int tw_statement_set_add_at(struct tw_statement_set *s, struct tw_table *t, const char *path, struct tw_here h);
TW_API int tw_statement_set_add_sql_at(struct tw_statement_set *s, const char *insert, struct tw_here h);
TW_API int tw_statement_set_execute_at(struct tw_statement_set *s, struct tw_here h);
#define tw_statement_set_add(s, t, path) tw_statement_set_add_at(s, t, path, TW_HERE)
#define tw_statement_set_add_sql(s, insert) tw_statement_set_add_sql_at(s, insert, TW_HERE)
#define tw_statement_set_execute(s) tw_statement_set_execute_at(s, TW_HERE)
/* The plan as EXPLAIN prints it, with `details` of it: "CHANGELOG_MODE", "JSON_EXECUTION_PLAN"; NULL: none. "" after a mistake.
 * Lives as long as the environment. */
TW_API const char *tw_table_explain_at(struct tw_table *t, const char *details, struct tw_here h);
TW_API const char *tw_sql_explain_at(struct tw_env *env, const char *statement, const char *details, struct tw_here h);
TW_API const char *tw_statement_set_explain_at(struct tw_statement_set *s, const char *details, struct tw_here h);
#define tw_table_explain(t, details) tw_table_explain_at(t, details, TW_HERE)
#define tw_sql_explain(env, statement, details) tw_sql_explain_at(env, statement, details, TW_HERE)
#define tw_statement_set_explain(s, details) tw_statement_set_explain_at(s, details, TW_HERE)

/* A statement of SQL. The job of a query runs in the background while its rows are read, a few batches ahead; several results may be
 * open. That of an INSERT goes on in the background, unless table.dml-sync says otherwise: its result is a row with a column for each
 * table and -1 in it. What reads the files that it writes waits for it, when it comes to an end. All other statements run to their
 * end. Never NULL: a failure ends the rows, and tw_result_close and tw_error tell it. */
TW_API struct tw_table_result *tw_sql_execute_at(struct tw_env *env, const char *statement, struct tw_here h);
TW_API struct tw_table_result *tw_table_execute_at(struct tw_table *t, struct tw_here h);
#define tw_sql_execute(env, statement) tw_sql_execute_at(env, statement, TW_HERE)
#define tw_table_execute(t) tw_table_execute_at(t, TW_HERE)
/* Waits for the job of an INSERT to end, of a query for its first row: 0, or 1 after a failure, which tw_result_close tells. */
TW_API int tw_result_await(struct tw_table_result *r);
TW_API const char *tw_result_job_id(const struct tw_table_result *r); /* "": it has none; as long as the result */
/* Ends it, without waiting: a query's job that still runs is canceled, that of an INSERT goes on, as in Flink, until the environment
 * goes. 0 when all went well, or nobody wanted to read on; else 1, also of an INSERT whose job has failed until now. The result is
 * gone. */
TW_API int tw_result_close(struct tw_table_result *r);
/* The next row; false: there is none, or the statement failed. Waits for it. */
TW_API bool tw_result_next(struct tw_table_result *r);
TW_API enum tw_row_kind tw_result_kind(const struct tw_table_result *r);
/* The row as a C struct, of the same type until the end: as tw_next_row answers it. NULL: no row, or it does not fit, which ends the
 * result. Valid until the next row. */
TW_API const void *tw_result_row(struct tw_table_result *r, const struct tw_row *row);
/* Columns by number, or by name: -1 when there is none of it. */
TW_API uint32_t tw_result_columns(const struct tw_table_result *r);
TW_API int tw_result_column(const struct tw_table_result *r, const char *name);
TW_API const char *tw_result_name(const struct tw_table_result *r, uint32_t column);
TW_API const char *tw_result_type(const struct tw_table_result *r, uint32_t column); /* "DECIMAL(10, 2)" */
/* Values of the row: NULL is 0 or "". Whole numbers of every type, dates, times and instants as row.h says; BOOLEAN is 0 or 1. */
TW_API bool tw_result_is_null(const struct tw_table_result *r, uint32_t column);
TW_API int64_t tw_result_long(const struct tw_table_result *r, uint32_t column);
TW_API double tw_result_double(const struct tw_table_result *r, uint32_t column); /* DECIMAL too */
TW_API struct tw_str tw_result_str(struct tw_table_result *r, uint32_t column);   /* strings and bytes as they are */
TW_API const char *tw_result_text(struct tw_table_result *r,
                                  uint32_t column); /* any value as the SQL shell shows it; until the next call */
/* Prints the rest as the SQL shell does, in mode tableau, and closes the result. */
TW_API int tw_result_print(struct tw_table_result *r);

/* --- streams ------------------------------------------------------------------------------------------------------ */
/* INSERTS: nothing else comes. ALL: +I -U +U -D. UPSERTS: an update is its new row alone, and of a row that is deleted perhaps the key;
 * a table of such a stream needs a schema with a primary key. RETRACTS: +I and -D. */
enum tw_changelog_mode { TW_CHANGELOG_ALL, TW_CHANGELOG_INSERTS, TW_CHANGELOG_UPSERTS, TW_CHANGELOG_RETRACTS };
/* A stream as a table; schema NULL: its columns as they are. A schema without physical columns adds to them. */
TW_API struct tw_table *tw_from_stream_at(struct tw_stream *s, const struct tw_schema *schema, struct tw_here h);
TW_API struct tw_table *tw_from_changelog_stream_at(struct tw_stream *s, const struct tw_schema *schema,
                                                    enum tw_changelog_mode mode, struct tw_here h);
/* A table as a stream: its time attribute, if it has one, becomes the event time, and its watermarks go with the rows. */
TW_API struct tw_stream *tw_to_stream_at(struct tw_table *t, struct tw_here h);
TW_API struct tw_stream *tw_to_changelog_stream_at(struct tw_table *t, enum tw_changelog_mode mode, struct tw_here h);
/* Upserts by these columns, "a, b": rows that have them in common must be versions of one row. */
TW_API struct tw_stream *tw_to_upsert_stream_at(struct tw_table *t, const char *key, struct tw_here h);
#define tw_to_upsert_stream(t, key) tw_to_upsert_stream_at(t, key, TW_HERE)
#define tw_from_stream(s, schema) tw_from_stream_at(s, schema, TW_HERE)
#define tw_from_changelog_stream(s, schema, mode) tw_from_changelog_stream_at(s, schema, mode, TW_HERE)
#define tw_to_stream(t) tw_to_stream_at(t, TW_HERE)
#define tw_to_changelog_stream(t, mode) tw_to_changelog_stream_at(t, mode, TW_HERE)
TW_API struct tw_env *tw_env_of(struct tw_stream *s); /* where a stream is built: for tw_sql_query in a test harness */

#ifdef __cplusplus
}
#endif
