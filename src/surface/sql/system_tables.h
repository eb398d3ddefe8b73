/* system_tables.h - the tables that every catalog has: information_schema.* as the SQL standard names them, sys.* of Thalweg's own.
 * A descriptor each; the reference pages are made of them. */
#pragma once
#include "language/catalog/system_table.h"

extern const struct system_table *const system_tables[]; /* ends with NULL */
extern const struct system_function *const system_functions_of_rows[]; /* system_savepoint.c; ends with NULL */

extern const struct system_table system_schemata, system_information_tables, system_columns,
    system_views; /* system_information.c */
extern const struct system_table system_functions, system_options, system_modules,
    system_statistics;                                                          /* system_engine.c */
extern const struct system_table system_jobs, system_operators, system_metrics; /* exec_job.c */

const char *system_number(struct system_rows *rows, int64_t n);
static inline const char *system_truth(bool is) { return is ? "TRUE" : "FALSE"; }
