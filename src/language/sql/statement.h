/* statement.h - kinds of statements. One file st_<name>.c ends in one `const struct st_type st_<name>`: the words it begins
 * with, how it is read, how it is printed. What it says is a struct below, which belongs to the parser's arena. */
#pragma once
#include "ground/base/buf.h"
#include "language/sql/ast.h"

struct parser;
struct st_type;

struct statement {
    const struct st_type *type;
    struct ast_place place; /* without the semicolon */
    const void *body;       /* by type */
};

enum { STATEMENT_STARTS_MAX = 12 };

struct st_type {
    const char *name, *doc, *example;
    /* "CREATE TABLE", "CREATE TEMPORARY TABLE": the longest one that stands at the cursor decides; a query begins by is_query. */
    const char *starts[STATEMENT_STARTS_MAX];
    /* The cursor stands before the first word; `start` is the index of the one that fits. */
    enum status (*parse)(struct parser *p, uint32_t start, const void **body);
    void (*print)(const void *body, struct buf *out);
};

extern const struct st_type *const st_types[]; /* sorted by name, ends with NULL */
extern const struct st_type st_query, st_insert, st_create_table, st_create_view, st_set, st_explain;

/* Reads the statement at token *at and moves *at behind its semicolon. S_END: nothing but semicolons was left. After an error
 * *at stands behind the next semicolon, so that a caller may go on and report several. */
enum status statement_parse(const struct tokens *t, uint32_t *at, struct arena *a, struct statement *out, struct err *e) CHECKED;
/* The only statement of a text. */
enum status statement_parse_one(struct str text, struct arena *a, struct tokens *t, struct statement *out, struct err *e) CHECKED;
void statement_print(const struct statement *s, struct buf *out);

/* --- options ----------------------------------------------------------------------------------------------------- */
struct ast_option {
    struct str key, value;
    struct ast_place key_place, value_place;
};
struct ast_options {
    uint32_t count;
    struct ast_option *items;
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
    bool distributed;
    enum keyword distribution; /* KW_HASH, KW_RANGE, KEYWORD_NONE: left to the connector */
    uint32_t bucket_column_count;
    struct str *bucket_columns;
    struct ast_expr *buckets; /* INTO n BUCKETS */
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
    struct ast_options partition; /* PARTITION (a = 'x'); values may be any literal */
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
