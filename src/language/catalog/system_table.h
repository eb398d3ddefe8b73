/* system_table.h - tables whose rows a session knows by itself: information_schema.* and sys.* of every catalog. What they are is
 * said by descriptors; their rows are asked for when a statement that reads them is bound. */
#pragma once
#include "ground/base/arena.h"
#include "ground/base/err.h"

struct table;

struct system_column {
    const char *name, *type, *doc; /* "BIGINT NOT NULL" */
};

/* Rows as they are collected: texts of cells, NULL for NULL, one row after another. */
struct system_rows {
    void *arg;           /* the session's */
    const char *catalog; /* whose schema is read */
    struct arena *a;
    uint32_t columns, count, capacity;
    const char **cells;
};
const char **system_row_add(struct system_rows *rows); /* an empty row, to be filled at once */

struct system_table {
    const char *schema, *name, *doc;
    const struct system_column *columns; /* ends with name == NULL */
    void (*rows)(struct system_rows *rows);
};

/* A function whose rows are known when the statement is bound: FROM name('text'). */
struct system_function {
    struct system_table table; /* the name of the function; `rows` NULL */
    enum status (*rows)(struct system_rows *rows, const char *text, struct err *e);
};

/* Where binders find them. */
struct system_tables {
    void *arg;
    const struct system_table *const *items;        /* ends with NULL */
    const struct system_function *const *functions; /* ends with NULL; NULL: none */
};
/* By name, whatever its case. NULL: there is none of that name. */
const struct system_function *system_function_find(const struct system_tables *t, struct str name);
/* NULL: there is none of that name. */
const struct system_table *system_table_find(const struct system_tables *t, const char *schema, const char *name);
/* As a table of that catalog, in the arena. */
const struct table *system_table_open(const struct system_tables *t, const struct system_table *s, const char *catalog,
                                      struct arena *a);
struct system_rows system_table_rows(const struct table *t, struct arena *a);
