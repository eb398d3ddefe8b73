/* statement_bodies.h - what each kind of statement says, in the order of the files st_*.c that fill them. Parts that several
 * kinds share come first. All of it lies in the parser's arena. */
#pragma once
#include "language/sql/ast.h"

struct statement;

/* --- options ----------------------------------------------------------------------------------------------------- */
struct ast_option {
    struct str key, value;
    struct ast_place key_place, value_place;
};
struct ast_options {
    uint32_t count;
    struct ast_option *items;
};

struct ast_keys { /* ('a', 'b') */
    uint32_t count;
    struct str *items;
};

/* PARTITION (a = 'x', b = 1) */
struct ast_part {
    struct str column;
    struct ast_place place;
    struct ast_expr *value; /* a literal; NULL: any, in ANALYZE */
};
struct ast_partition {
    uint32_t count;
    struct ast_part *items;
};

/* DISTRIBUTED BY HASH (a) INTO 4 BUCKETS; DISTRIBUTION in ALTER TABLE */
struct ast_distribution {
    bool said;
    enum keyword how; /* KW_HASH, KW_RANGE, KEYWORD_NONE: left to the connector */
    uint32_t column_count;
    struct str *columns;
    struct ast_expr *buckets; /* INTO n BUCKETS; NULL: unsaid */
};

/* --- bodies ------------------------------------------------------------------------------------------------------ */
enum ast_column_kind { COLUMN_PHYSICAL, COLUMN_COMPUTED, COLUMN_METADATA };

struct ast_column {
    struct ast_place place;
    uint8_t kind; /* enum ast_column_kind */
    bool virtual, primary_key, has_metadata_key, has_comment;
    struct str name, metadata_key, comment;
    struct ast_type type;
    struct ast_expr *x; /* COMPUTED */
};

struct ast_primary_key {
    struct ast_place place;
    struct str name; /* of the constraint; empty: none */
    uint32_t count;  /* 0: no key */
    struct str *columns;
    bool unique, enforced; /* refused by the binder: only NOT ENFORCED primary keys exist */
};

enum ast_like { LIKE_INCLUDING, LIKE_EXCLUDING, LIKE_OVERWRITING };
struct ast_like_option {
    uint8_t how; /* enum ast_like */
    enum keyword what; /* ALL, CONSTRAINTS, DISTRIBUTION, PARTITIONS, GENERATED, METADATA, OPTIONS, WATERMARKS */
};

/* st_create_table */
struct create_table {
    bool temporary, if_not_exists, replace, or_replace, has_comment;
    struct ast_name name;
    uint32_t column_count;
    struct ast_column *columns;
    uint32_t name_count;     /* CTAS with a list of names instead of columns */
    struct str *names;
    struct ast_expr *watermark_column, *watermark; /* NULL: none */
    struct ast_primary_key key;
    struct str comment;
    struct ast_distribution distribution;
    uint32_t partition_count;
    struct str *partitions;
    struct ast_options options;
    struct ast_name like; /* LIKE source */
    uint32_t like_option_count;
    struct ast_like_option *like_options;
    struct ast_query *query; /* AS SELECT */
};

/* st_create_view */
struct create_view {
    bool temporary, if_not_exists, has_comment;
    struct ast_name name;
    uint32_t column_count;
    struct str *columns;
    struct str comment;
    struct ast_query *query;
    struct ast_place query_place;
};

/* st_insert */
enum ast_conflict { CONFLICT_UNSAID, CONFLICT_NOTHING, CONFLICT_ERROR, CONFLICT_DEDUPLICATE };
struct insert {
    bool overwrite;
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
struct function {
    bool temporary, system, if_exists; /* if_exists: IF NOT EXISTS in CREATE */
    struct ast_name name;
    struct str class; /* or symbol */
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

/* st_alter_table */
enum ast_alter {
    ALTER_ADD, /* columns, watermark, key, or distribution; MODIFY likewise */
    ALTER_MODIFY,
    ALTER_ADD_PARTITIONS,
    ALTER_DROP_PARTITIONS,
    ALTER_DROP_COLUMNS,
    ALTER_DROP_KEY,
    ALTER_DROP_CONSTRAINT,
    ALTER_DROP_WATERMARK,
    ALTER_DROP_DISTRIBUTION,
    ALTER_RENAME_COLUMN,
    ALTER_RENAME,
    ALTER_SET,
    ALTER_RESET,
};
enum ast_position { POSITION_LAST, POSITION_FIRST, POSITION_AFTER };

struct ast_alter_column {
    struct ast_name path; /* of more parts: a field of a row */
    struct ast_column column;
    uint8_t position; /* enum ast_position */
    struct ast_name after;
};
struct ast_alter_partition {
    struct ast_partition partition;
    struct ast_options options;
};
struct alter_table {
    uint8_t action; /* enum ast_alter */
    bool if_exists, partition_if; /* partition_if: ADD IF NOT EXISTS, DROP IF EXISTS of partitions */
    struct ast_name table;
    uint32_t column_count;
    struct ast_alter_column *columns;
    struct ast_expr *watermark_column, *watermark;
    struct ast_primary_key key;
    struct ast_distribution distribution;
    uint32_t partition_count;
    struct ast_alter_partition *partitions;
    uint32_t dropped_count;
    struct ast_name *dropped;
    struct str constraint;
    struct ast_name from, to; /* RENAME; a table's own name is not in `from` */
    struct ast_options options;
    struct ast_keys keys;
};

/* st_alter_view: RENAME TO, or AS */
struct alter_view {
    struct ast_name name, to;
    struct ast_query *query; /* NULL: renamed */
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
struct show_form;
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
struct use {
    uint8_t start;
    struct ast_name name;
    uint32_t count;
    struct str *modules;
};

/* st_module */
struct module {
    bool unload;
    struct ast_name name;
    struct ast_options options;
};

/* st_analyze */
struct analyze {
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
struct change {
    struct ast_name table;
    struct ast_hints hints;
    struct str alias;
    uint32_t count; /* 0: DELETE */
    struct ast_assignment *items;
    struct ast_expr *where; /* NULL: all rows */
};

/* st_truncate */
struct truncate {
    struct ast_name table;
};

/* st_call */
struct call {
    struct ast_expr *call;
};

/* st_stop_job */
struct stop_job {
    struct str job;
    bool savepoint, drain;
};

/* st_jar */
struct jar {
    bool remove;
    struct str file;
};

/* st_shell: QUIT, EXIT, CLEAR, HELP */
struct shell {
    uint8_t start;
};
