/* statement_tables.h - what statements say that make, change and drop tables and views, and the parts that they share with
 * others: options, partitions, columns, keys, distribution. All of it lies in the parser's arena. */
#pragma once
#include "language/sql/ast.h"

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
    uint8_t how;       /* enum ast_like */
    enum keyword what; /* ALL, CONSTRAINTS, DISTRIBUTION, PARTITIONS, GENERATED, METADATA, OPTIONS, WATERMARKS */
};

/* st_create_table */
struct create_table {
    bool temporary, if_not_exists, replace, or_replace, has_comment;
    struct ast_name name;
    uint32_t column_count;
    struct ast_column *columns;
    uint32_t name_count; /* CTAS with a list of names instead of columns */
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
    uint8_t action;               /* enum ast_alter */
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
