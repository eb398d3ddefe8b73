/* session_internal.h - what the files share that run statements: one file exec_<subject>.c has the kinds of one subject. */
#pragma once
#include "language/catalog/functions.h"
#include "language/catalog/system_table.h"
#include "control/jobmanager/jobmaster.h"
#include "language/sql/expr_places.h"
#include "surface/sql/catalog_store.h"
#include "language/plan/reuse.h"
#include "surface/sql/session.h"
#include "surface/sql/session_jobs.h"

enum { STATEMENT_SET_MAX = 256 };

struct sql_session {
    struct mem mem;
    struct arena arena; /* of the configuration, and of what lives as long as the session */
    struct sql_session_options options;
    struct catalogs *catalogs;
    struct catalog_store store;
    struct system_tables system;
    bool has_state_module; /* LOAD MODULE state */
    struct session_jobs jobs;
    struct functions *user_functions;
    struct fn_users users;             /* the same, for functions.users */
    struct sys_atomic_u64 loaded;      /* exec_function.c: every one that had a name once; tasks of jobs look there, too */
    struct loaded_library *libraries;
    struct config config;
    struct fn_session functions;
    bool in_set;    /* between BEGIN STATEMENT SET and END */
    struct buf set; /* texts of its INSERTs, each with a semicolon */
    struct zone zone; /* of functions.zone */
    enum sys_signal signal; /* that stopped the last job */
};

/* One statement under way. */
struct run {
    struct sql_session *s;
    const struct tokens *t;
    const struct sql_listener *to;
    struct mem mem;
    struct arena arena;
    struct expr_places places; /* of the statement's expressions */
    const struct statement *statement;
    bool waits_for_jobs; /* its tables are read or written now: what runs before is waited for */
    bool in_background;  /* its job goes on when the statement is over */
    struct err *e;
};

struct executor {
    const char *name; /* of the kind of statement */
    enum status (*run)(struct run *r, const void *body);
};
extern const struct executor query_executors[], explain_executors[], table_executors[], space_executors[], show_executors[],
    set_executors[], function_executors[], catalog_executors[], module_executors[], job_executors[], plan_executors[], rows_executors[], analyze_executors[];

/* Of the columns that a query gives: time attributes are plain times where rows leave. */
const struct type *run_result_row(struct run *r, const struct type *row);
struct query_binder run_binder(struct run *r);
bool run_is_batch(const struct run *r); /* execution.runtime-mode */
/* The plans of a statement as they run: rewritten, and made for batch mode where the session says so. */
enum status run_optimize(struct run *r, const struct query_binder *b, struct rel **plans, uint32_t *count) CHECKED;
/* Runs a plan to its end; its rows go to the listener, which is told of them once the job stands. row NULL: there are none. */
enum status run_plan(struct run *r, struct rel *const *sinks, uint32_t count, const char *name, const struct type *row) CHECKED;
/* What may refuse a plan that could be bound. */
enum status run_plan_check(struct run *r, const struct query_binder *b, struct rel *const *sinks, uint32_t count) CHECKED;
/* Appends the plan to a graph; *node: of the last sink. */
enum status run_plan_into(struct run *r, struct rel *const *sinks, uint32_t count, struct graph *g, struct reuse_map *map,
                          uint32_t *node) CHECKED; /* map: which nodes its parts became; may be NULL */
/* Which parts of the plans run once; *out NULL after a failure, which is none of EXPLAIN's. */
enum status run_plan_reuse(struct run *r, struct rel *const *sinks, uint32_t count, struct rel_reuse **out) CHECKED;
/* The plan as a job that was submitted and does not run yet; o: who is told. *out may be set after a failure too. */
enum status run_plan_submit(struct run *r, struct rel *const *sinks, uint32_t count, const char *name, struct jobmaster_options o,
                            struct jobmaster **out) CHECKED;
/* The same as a graph that is prepared, in the run's arena. */
enum status run_plan_graph(struct run *r, struct rel *const *sinks, uint32_t count, const char *name, struct graph *g) CHECKED;
/* What changes tables: plans of sinks, or a graph that was compiled before. Its job is waited for, or goes on in the background, as the
 * session says; either is told. Staged rows of sinks that replace rows take their place when it has ended well. */
struct update {
    struct rel *const *sinks;
    uint32_t count;
    uint32_t table_count;
    const char *const *tables; /* by whole names, as they are said */
    const char *name;          /* the job's */
    struct str graph;          /* encoded; empty: it is of the plans */
    uint32_t replacement_count; /* of the graph's */
    const struct job_replacement *replacements;
};
enum status run_update_job(struct run *r, const struct update *u) CHECKED;
struct job_after;
void run_after_of(const struct update *u, struct arena *a, struct job_after *out);
/* run_remote.c: the same, and run_plan of a query, where jobs run in a cluster. */
enum status run_update_there(struct run *r, const struct update *u, bool waits) CHECKED;
enum status run_query_there(struct run *r, struct rel *const *sinks, uint32_t count, const char *name, const struct type *row) CHECKED;
/* exec_query.c: INSERTs as they are run together. Says what is to be said of them. */
struct insert;
enum status run_insert_sinks(struct run *r, const struct insert *const *inserts, uint32_t count, struct update *out) CHECKED;
enum status run_query(struct run *r, const void *body) CHECKED; /* struct ast_query; rows go to the listener */
/* INSERTs as one job, and what they replace is replaced. */
enum status run_inserts(struct run *r, const struct insert *const *inserts, uint32_t count) CHECKED;
/* The job graph of a plan as Flink's JSON, appended. */
enum status run_plan_json(struct run *r, struct rel *const *sinks, uint32_t count, struct buf *out) CHECKED;
/* Runs the plans, a query's rows going nowhere, and says what each operator of the job graph did (*totals: by node); *parts: which
 * operators the parts of the plans became. */
enum status run_plan_measured(struct run *r, struct rel *const *sinks, uint32_t count, struct rel_reuse **parts,
                              const struct operator_totals **totals, int64_t *run_ns) CHECKED;
enum status run_said(struct run *r) CHECKED; /* "[INFO] Execute statement succeeded." */
/* What the planner says of a part of a plan, in its place in the statement; said NULL: not known. inner is set. */
enum status run_refuse(struct run *r, const struct rel_said *said, const struct err *inner);
enum status run_fail(struct run *r, struct ast_place place, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* What the catalog said (st, inner), at the name in the statement: text, hint and place; S_OK when it said so. */
enum status run_at_name(struct run *r, const struct ast_name *n, enum status st, const struct err *inner) CHECKED;
/* EXPLAIN UPGRADE: what becomes of the states of a savepoint when these plans begin with it. */
enum status run_explain_upgrade(struct run *r, struct rel *const *sinks, uint32_t count, const char *savepoint) CHECKED;
/* Rows of texts, column after column. types NULL: all STRING; a BOOLEAN's text is TRUE or FALSE, a TIMESTAMP_LTZ's its milliseconds. */
enum status run_give(struct run *r, uint32_t cols, const char *const *names, const struct type *const *types, const char *const *cells,
                     uint32_t rows) CHECKED;
/* DESCRIBE of a table, of the columns that `takes` takes (NULL: all). */
enum status run_describe_table(struct run *r, const struct ast_name *n, bool (*takes)(const void *arg, const char *name),
                               const void *arg) CHECKED;
const char *run_text(struct run *r, struct str s);

/* exec_catalog.c: parts that statements of catalogs and databases share, and those that other kinds of statements begin. */
struct drop;
struct describe;
struct use_space;
struct alter_table;
const char *run_space_options(struct run *r, const struct options *o); /* WITH ('a' = 'b') as SHOW CREATE prints it */
struct options run_options(struct run *r, const struct ast_options *o);
/* The old ones but those that are reset, then those that are set. */
struct options run_options_changed(struct run *r, const struct options *old, const struct ast_options *set, const struct ast_keys *reset);
enum status run_drop_catalog(struct run *r, const struct drop *d) CHECKED;
enum status run_describe_catalog(struct run *r, const struct describe *d) CHECKED;
enum status run_create_catalog_text(struct run *r, const struct ast_name *n, const char **out) CHECKED;
/* Rows of info name and info value: heads (ending with NULL) and, when extended, the options. */
enum status run_describe_space(struct run *r, const char *const *heads, const char *name, const struct space *said, bool extended) CHECKED;
/* exec_space.c */
enum status run_database_name(struct run *r, const struct ast_name *n, struct object_name *out) CHECKED;
enum status run_drop_database(struct run *r, const struct drop *d) CHECKED;
enum status run_describe_database(struct run *r, const struct describe *d) CHECKED;
/* exec_module.c */
enum status run_use_modules(struct run *r, const struct use_space *u) CHECKED;
enum status run_show_modules(struct run *r, bool full) CHECKED;
enum status run_explain_file(struct run *r, struct str file) CHECKED; /* exec_plan.c: EXPLAIN PLAN FOR 'file' */
/* session_wait.c: jobs in the background that must end first. A failure of theirs is one of the statement. */
enum status run_wait_for_table(struct run *r, const struct table *t, bool replaces) CHECKED; /* replaces: its rows make room for others */
enum status run_wait_for_file(struct run *r, struct str file) CHECKED;
enum status run_wait_for_graph(struct run *r, const struct graph *g) CHECKED; /* for what it reads and writes */
enum status run_wait_for_room(struct run *r) CHECKED; /* for one more */
enum status run_wait_for_job(struct run *r, int64_t number) CHECKED;
enum status run_wait_for_stop(struct run *r, int64_t number) CHECKED; /* until a job that was asked to is over, or told why it is not */
/* exec_job.c */
enum status run_show_jobs(struct run *r) CHECKED;
enum status run_describe_job(struct run *r, struct str id) CHECKED;
/* exec_partition.c */
enum status run_alter_partitions(struct run *r, const struct alter_table *x) CHECKED; /* ADD and DROP PARTITION */
enum status run_each_partition(struct run *r, const struct ast_name *n, const struct ast_partition *narrowed, catalog_partition_fn fn,
                               void *arg) CHECKED;

/* exec_function.c */
void functions_of_session(struct sql_session *s); /* it has none yet */
void functions_close_libraries(struct sql_session *s);
void run_forget_functions(struct run *r, const char *catalog, const char *database); /* NULL database: all of the catalog */
enum status run_drop_function(struct run *r, const struct drop *d) CHECKED;
enum status run_describe_function(struct run *r, const struct describe *d) CHECKED;
