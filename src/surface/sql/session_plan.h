/* session_plan.h - plans of syntax trees that a program made, by a session: what the Table API stands on. Whatever they make lives in
 * the mem that is given. */
#pragma once
#include "control/jobmanager/jobmaster.h"
#include "language/plan/stream_rel.h"
#include "surface/sql/session.h"

/* The columns of a query, and whether it takes rows back. */
enum status sql_session_row(struct sql_session *s, const struct ast_query *q, struct mem *mem, const struct type **row,
                            bool *has_changes, struct err *e) CHECKED;
/* A query as a job that was submitted and does not run yet. o: who gets its rows. *jm may be set after a failure too. */
enum status sql_session_submit(struct sql_session *s, const struct ast_query *q, struct mem *mem,
                               struct jobmaster_options o, const struct type **row, struct jobmaster **jm,
                               struct err *e) CHECKED;
/* A query's rows as the output of a node of a graph, which lives as long as mem. */
enum status sql_session_stream(struct sql_session *s, const struct ast_query *q, const struct stream_sink *sink,
                               struct graph *g, struct mem *mem, uint32_t *node, struct err *e) CHECKED;
/* Adds a table whose rows are a stream's; c says columns, watermark and key, its name is that in the catalog. With c NULL or without
 * columns: those of the stream, in order. */
enum status sql_session_add_stream(struct sql_session *s, const struct tokens *t, const struct create_table *c,
                                   const char *name, struct stream_source *source, struct err *e) CHECKED;
