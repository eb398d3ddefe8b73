/* sql_function.h - every name that SQL calls: functions of the families' tables, aggregates, and what only the binder knows: forms with
 * a syntax of their own, functions of windows and tables. For SHOW and DESCRIBE FUNCTION, completion, errors and the reference. */
#pragma once
#include "columns/function/agg.h"
#include "columns/function/fn.h"

enum { SQL_FUNCTION_NAME_SIZE = 64 };

enum sql_function_kind { SQL_SCALAR, SQL_AGGREGATE, SQL_WINDOW, SQL_TABLE, SQL_GROUP, SQL_FORM };
const char *sql_function_kind_name(uint8_t kind);

/* What only the binder knows. An example is a query that stands alone; its answer is its first row, cells parted by " | ". */
struct sql_form {
    const char *name;
    uint8_t kind; /* enum sql_function_kind; FORM: it is no call, such as CASE, and is not listed */
    const char *usage, *doc;
    const char *query, *answer;
};
extern const char *const sql_function_example_table; /* CREATE TABLE of what examples of windows read */
extern const struct sql_form sql_forms[];            /* sorted by name, ends with name == NULL */

/* One name; of `def`, `agg` and `form` one is set. */
struct sql_function {
    const char *name; /* in capitals */
    uint8_t kind;
    const struct fn_def *def;
    const struct agg_type *agg;
    const struct sql_form *form;
};
/* All that can be called, aliases too, in no order. */
void sql_functions_each(void (*take)(void *arg, const struct sql_function *f), void *arg);
bool sql_function_find(struct str name, struct sql_function *out); /* case is ignored */
bool sql_function_nearest(struct str name,
                          char out[static SQL_FUNCTION_NAME_SIZE]); /* "did you mean"; false: none is near */
/* Of a function of Flink's that is not there yet: what to do without it; NULL: it is none of these. */
const char *sql_function_later(struct str name);
/* Of a function of other dialects: how it is written here; NULL: it is none that is known. */
const char *sql_function_elsewhere(struct str name);
const char *sql_function_usage(const struct sql_function *f); /* "LPAD(text, INT, text)"; NULL: its overloads say it */
