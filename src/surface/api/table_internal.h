/* table_internal.h - what the files of the Table API share. */
#pragma once
#include <thalweg/table.h>

#include "language/sql/statement.h"
#include "surface/api/api_internal.h"
#include "surface/sql/session_plan.h"

enum { TABLE_DEPTH_MAX = 200, STATEMENT_SET_MOST = 256 };

/* Of an environment: made when its first table is. */
struct api_tables {
    struct sql_session *session;
    uint32_t settings_taken;         /* of env->config, by the session */
    uint32_t anonymous;              /* tables without a name so far */
    struct tw_table_result *results; /* that are open */
};

struct tw_table {
    struct tw_env *env;
    struct ast_query *query;
    const struct type *row;
    bool has_changes;
    bool is_broken;    /* a mistake was made before; calls pass it on */
    uint32_t depth;    /* of queries in queries */
    const char *group; /* between tw_table_group_by and tw_table_select; NULL: not grouped */
    struct str alias;  /* empty: none */
};

struct tw_schema {
    struct tw_env *env;
    struct buf pieces; /* of CREATE TABLE, in brackets, a line each */
    uint32_t count, physical;
    const char *time_column; /* by metadata 'rowtime'; NULL: none */
    bool is_broken;
};

/* --- table.c ------------------------------------------------------------------------------------------------------ */
/* The session of the environment, with the settings of today. NULL after a mistake. */
struct api_tables *api_tables(struct tw_env *env, struct tw_here h);
void api_tables_free(struct tw_env *env);
void api_results_free(struct tw_env *env); /* table_result.c: those that the program left open */
/* Keeps it as the environment's mistake, with the source line, unless there is one. */
void api_table_fail(struct tw_env *env, struct tw_here h, const struct err *e);
/* The same of something that ran: told as tw_execute tells it, and no mistake of what is built next. */
int api_table_failed_run(struct tw_env *env, struct tw_here h, const struct err *e);
struct tw_env *api_table_env(const struct tw_table *t, struct tw_here h); /* t NULL ends the process */
struct tw_table *api_table_broken(struct tw_env *env);
/* A table of the query, when that means something; its places are those of t. */
struct tw_table *api_table_new(struct tw_env *env, struct ast_query *q, const struct tokens *t, uint32_t depth,
                               struct tw_here h);
bool api_table_usable(struct tw_table *t, struct tw_here h);     /* and complete: not grouped without a select */
struct str api_table_text(struct tw_env *env, const char *text); /* a copy that lives as long as the environment */
/* SELECT * FROM the table: items, where and so on are added by the caller. */
struct ast_query *api_table_select(struct tw_env *env, const struct tw_table *from);
struct ast_table *api_table_ref(struct tw_env *env, const struct tw_table *t); /* (query) AS alias */

/* --- table_schema.c ------------------------------------------------------------------------------------------------ */
/* The schema as CREATE TABLE; columns of row (NULL: none) stand before when it has no physical ones. */
enum status api_schema_parse(const struct tw_schema *s, const struct tw_table_descriptor *d, const char *name,
                             const struct type *row, struct tokens **t, struct statement *out, struct err *e) CHECKED;

/* --- table_run.c ---------------------------------------------------------------------------------------------------- */
/* A statement to its end; what it answers goes to the listener. */
enum status api_table_run(struct tw_env *env, const struct tokens *t, const struct statement *s,
                          const struct sql_listener *to, struct err *e) CHECKED;
extern const struct sql_listener api_nobody; /* a listener who takes nothing, and waits for jobs */
