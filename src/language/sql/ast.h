/* ast.h - what a statement's text says, before anybody knows what its names mean. Nodes live in the parser's arena, are
 * never changed after parsing, and know their bytes in the text. sql_print (print.h) writes them back as text.
 *
 * Expressions are one kind of node with arguments, so that walks are loops; an operator is a call whose `op` says how it is
 * written. Queries, tables and statements are structs of their own. */
#pragma once
#include "language/sql/token.h"

enum { AST_DEPTH_MAX = 400, AST_HEIGHT_MAX = 4000, AST_LIST_MAX = 65536, AST_NAME_PARTS_MAX = 16 };

struct ast_place {
    uint32_t at, size; /* bytes in the text */
};

/* catalog.database.table, table.column, row.field: at least one part. */
struct ast_name {
    struct ast_place place;
    uint32_t count;
    struct str *parts;
    struct ast_place *places;
};

enum ast_expr_kind {
    AX_LITERAL,    /* `literal`, `text` */
    AX_NAME,       /* `name`: a column, or fields of one */
    AX_STAR,       /* `name` may be empty: *, t.* */
    AX_CALL,       /* `name` or `op`, args; `flag`: IS NOT TRUE around WHERE of a DELETE */
    AX_CAST,       /* args[0] AS type; `flag` = TRY_CAST */
    AX_CASE,       /* `flag` = args[0] is an operand; then pairs of WHEN and THEN; an odd one at the end is ELSE */
    AX_LIST,       /* (a, b): a row, or what stands right of IN */
    AX_FIELD,      /* args[0].text */
    AX_QUERY,      /* (SELECT ...) as a value; right of IN; argument of EXISTS, ARRAY */
    AX_WORD,       /* a word that is an argument, in capitals: FROM, BOTH, ON; `flag`: a time unit or type, which commas part */
    AX_NAMED,      /* text => args[0] */
    AX_TABLE,      /* TABLE t as an argument: `table` */
    AX_DESCRIPTOR, /* DESCRIPTOR(args) */
    AX_DEFAULT,    /* DEFAULT as an argument or value */
};

enum ast_literal {
    LITERAL_NULL,
    LITERAL_TRUE,
    LITERAL_FALSE,
    LITERAL_UNKNOWN,
    LITERAL_INTEGER,
    LITERAL_DECIMAL,
    LITERAL_DOUBLE,
    LITERAL_STRING,
    LITERAL_BYTES,
    LITERAL_DATE,
    LITERAL_TIME,
    LITERAL_TIMESTAMP,
    LITERAL_INTERVAL, /* `text` and `type` of the interval; `flag` = minus before it */
};

enum ast_nulls { NULLS_DEFAULT, NULLS_FIRST, NULLS_LAST };

struct ast_expr;
struct ast_query;
struct ast_table;

struct ast_order {
    struct ast_expr *x;
    bool descending;
    uint8_t nulls; /* enum ast_nulls */
};
struct ast_orders {
    uint32_t count;
    struct ast_order *items;
};
struct ast_list {
    uint32_t count;
    struct ast_expr **items;
};

enum ast_bound_kind { BOUND_UNBOUNDED_PRECEDING, BOUND_PRECEDING, BOUND_CURRENT_ROW, BOUND_FOLLOWING, BOUND_UNBOUNDED_FOLLOWING };
struct ast_bound {
    enum ast_bound_kind kind;
    struct ast_expr *x; /* of PRECEDING and FOLLOWING */
};

/* OVER (...) and WINDOW w AS (...). */
struct ast_window {
    struct ast_place place;
    struct str name; /* of a WINDOW clause; else empty */
    struct str base; /* OVER w, OVER (w ...): the named window that it builds on; else empty */
    struct ast_list partition;
    struct ast_orders order;
    bool framed, rows; /* rows: ROWS, else RANGE */
    struct ast_bound from, to;
};

/* What may follow or stand inside a call of an aggregate. */
struct ast_aggregate {
    bool distinct, all;
    bool makes_rows; /* of the Table API's flatAggregate: a table aggregate function, whose rows are taken apart above */
    uint16_t nulls; /* 0, or the word: KW_RESPECT, KW_IGNORE */
    struct ast_orders within; /* WITHIN GROUP (ORDER BY ...) */
    struct ast_expr *filter;
    struct ast_window *over;
};

struct ast_type {
    struct ast_place place;
    struct str text; /* as type_parse takes it */
};

struct ast_expr {
    uint8_t kind;    /* enum ast_expr_kind */
    uint8_t literal; /* enum ast_literal */
    bool flag;
    uint16_t height; /* 1 + that of the highest argument */
    struct ast_place place;
    struct str text;
    const struct sql_op *op;             /* CALL that is written as an operator or has syntax of its own; else NULL */
    struct ast_name name;
    struct ast_list args;
    struct ast_aggregate *aggregate;     /* CALL, NULL when nothing of it is there */
    struct ast_query *query;
    struct ast_table *table;
    struct ast_type type;
};

/* --- queries ----------------------------------------------------------------------------------------------------- */
struct ast_hint {
    struct ast_place place;
    struct str name;
    uint32_t count;
    struct ast_expr **args; /* names, literals, or NAMED with a literal */
};
struct ast_hints {
    uint32_t count;
    struct ast_hint *items;
};

enum ast_table_kind { TABLE_NAME, TABLE_FILE, TABLE_QUERY, TABLE_CALL, TABLE_UNNEST, TABLE_JOIN };
enum ast_join { JOIN_INNER, JOIN_LEFT, JOIN_RIGHT, JOIN_FULL, JOIN_CROSS, JOIN_COMMA };

struct ast_table {
    uint8_t kind; /* enum ast_table_kind */
    struct ast_place place;
    struct ast_name name;        /* NAME */
    struct str file;             /* FILE: 'flights.csv' */
    struct ast_query *query;     /* QUERY */
    struct ast_expr *x;          /* CALL: the call; UNNEST: its argument */
    bool lateral, ordinality, argument; /* argument: TABLE t of a table function */
    bool lines;                  /* printed on several lines, as the queries below (view_expand.h) */
    struct ast_hints hints;
    struct ast_expr *as_of;      /* FOR SYSTEM_TIME AS OF */
    struct str alias;
    uint32_t alias_column_count;
    struct str *alias_columns;
    struct ast_list partition;   /* of a table argument: PARTITION BY */
    struct ast_orders order;
    /* JOIN */
    uint8_t join; /* enum ast_join */
    bool natural;
    struct ast_table *left, *right;
    struct ast_expr *on;
    struct ast_name using; /* its parts are columns */
};

struct ast_item {
    struct ast_expr *x;
    struct str alias; /* empty: none */
};

struct ast_select {
    struct ast_place place;
    struct ast_hints hints;
    bool distinct, lines;
    uint32_t item_count;
    struct ast_item *items;
    struct ast_table *from; /* NULL: none */
    struct ast_expr *where;
    bool grouped, group_distinct;
    struct ast_list group;  /* expressions; GROUPING SETS, ROLLUP, CUBE are calls */
    struct ast_expr *having, *qualify;
    uint32_t window_count;
    struct ast_window *windows;
};

enum ast_query_kind { QUERY_SELECT, QUERY_VALUES, QUERY_UNION, QUERY_INTERSECT, QUERY_EXCEPT, QUERY_TABLE };

struct ast_cte {
    struct ast_place place;
    struct str name;
    uint32_t column_count;
    struct str *columns;
    struct ast_query *query;
};

/* With its WITH, ORDER BY and LIMIT: also a query in parentheses. */
struct ast_query {
    uint8_t kind; /* enum ast_query_kind */
    bool all;     /* of a set operation */
    bool lines;
    struct ast_place place;
    uint32_t cte_count;
    struct ast_cte *ctes;
    struct ast_select *select;
    struct ast_list rows;       /* VALUES: LIST nodes or single values */
    struct ast_query *left, *right;
    struct ast_name table;      /* TABLE t */
    struct ast_orders order;
    struct ast_expr *limit, *offset; /* numbers; NULL: none */
    const struct tokens *t; /* of its places, but for those of queries in it that say otherwise; NULL: the statement's */
};
