/* statement_bodies.h - what each other kind of statement says. All of it lies in the parser's arena. */
#pragma once
#include "language/sql/statement_tables.h"

struct statement;

/* st_insert */
enum ast_conflict { CONFLICT_UNSAID, CONFLICT_NOTHING, CONFLICT_ERROR, CONFLICT_DEDUPLICATE };
struct insert {
    bool overwrite;
    bool replaces_all; /* overwrite: whatever its partitions are; no text says so, UPDATE and DELETE do */
    struct ast_name table;
    struct ast_hints hints;
    struct ast_partition partition;
    uint32_t column_count;
    struct ast_name *columns;
    struct ast_query *query;
    uint8_t conflict; /* enum ast_conflict */
};

/* st_set: SET, SET 'k' = 'v', RESET, RESET 'k' */
struct set {
    bool reset, has_key;
    struct ast_option option;
};

/* st_explain */
struct explain {
    bool estimated_cost, changelog_mode, json, plan_advice, ast, analyze;
    struct statement *statement;
    struct str file; /* of a compiled plan, when there is no statement */
    struct str upgrade; /* UPGRADE FROM: the folder of a savepoint; empty: none */
};

/* st_execute: EXECUTE SELECT .. | INSERT .. */
struct execute {
    struct statement *statement;
};

/* st_statement_set: BEGIN STATEMENT SET; END; and EXECUTE STATEMENT SET BEGIN insert; .. END, which EXPLAIN and COMPILE PLAN
 * take without EXECUTE. */
enum ast_set { SET_BEGIN, SET_END, SET_EXECUTE, SET_INNER };
struct statement_set {
    uint8_t kind; /* enum ast_set */
    uint32_t count;
    struct statement *items;
};

/* st_plan */
struct plan_file {
    bool compile, execute, if_not_exists;
    struct str file;
    struct statement *statement; /* NULL: EXECUTE PLAN */
};

/* st_create_catalog, st_create_database: of a catalog, `name` has one part */
struct create_space {
    bool if_not_exists, has_comment;
    struct ast_name name;
    struct str comment;
    struct ast_options options;
};

/* st_create_function, st_alter_function */
struct ast_artifact {
    bool jar; /* JAR, else ARTIFACT */
    struct str file;
};
struct define_function {
    bool temporary, system, if_exists; /* if_exists: IF NOT EXISTS in CREATE */
    struct ast_name name;
    struct str class;      /* or symbol */
    enum keyword language; /* KW_JAVA, KW_SCALA, KW_PYTHON, KW_SQL, KW_C; KEYWORD_NONE: unsaid */
    uint32_t artifact_count;
    struct ast_artifact *artifacts;
    struct ast_options options;
};

/* st_drop */
struct drop {
    enum keyword what; /* KW_TABLE, KW_VIEW, KW_CATALOG, KW_DATABASE, KW_FUNCTION */
    bool temporary, system, if_exists, cascade;
    struct ast_name name;
};

/* st_alter_catalog, st_alter_database */
struct alter_space {
    enum keyword what; /* KW_SET, KW_RESET, KW_COMMENT */
    struct ast_name name;
    struct ast_options options;
    struct ast_keys keys;
    struct str comment;
};

/* st_describe */
struct describe {
    enum keyword what; /* KEYWORD_NONE: a table; KW_CATALOG, KW_DATABASE, KW_FUNCTION, KW_JOB */
    bool extended;
    struct ast_name name;
    struct str text; /* JOB 'id'; of no kind and without a name: a file */
};

/* st_show */
struct show_form {
    enum keyword words[4]; /* behind SHOW */
    uint8_t takes;
    const char *what;      /* of the name that it takes, or of what is not supported */
};
struct show {
    const struct show_form *form;
    enum keyword preposition; /* KW_FROM, KW_IN, KEYWORD_NONE */
    struct ast_name name;
    struct ast_partition partition;
    bool not, has_pattern;
    enum keyword like; /* KW_LIKE, KW_ILIKE */
    struct str pattern;
};

/* st_use: USE, USE CATALOG: one name; USE MODULES: several */
struct use_space {
    uint8_t start;
    struct ast_name name;
    uint32_t count;
    struct str *modules;
};

/* st_module */
struct load_module {
    bool unload;
    struct ast_name name;
    struct ast_options options;
};

/* st_analyze */
struct analyze_table {
    struct ast_name table;
    struct ast_partition partition;
    bool all_columns;
    uint32_t column_count;
    struct str *columns;
};

/* st_update, st_delete */
struct ast_assignment {
    struct str column;
    struct ast_place place;
    struct ast_expr *x;
};
struct change_rows {
    struct ast_name table;
    struct ast_hints hints;
    struct str alias;
    uint32_t count; /* 0: DELETE */
    struct ast_assignment *items;
    struct ast_expr *where; /* NULL: all rows */
};

/* st_truncate */
struct truncate_table {
    struct ast_name table;
};

/* st_call */
struct call_procedure {
    struct ast_expr *call;
};

/* st_stop_job */
struct stop_job {
    struct str job;
    bool savepoint, drain;
};

/* st_jar */
struct add_jar {
    bool remove;
    struct str file;
};

/* st_shell: QUIT, EXIT, CLEAR, HELP */
struct shell_word {
    uint8_t start;
};
