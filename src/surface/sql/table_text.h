/* table_text.h - tables as text: what SHOW CREATE and DESCRIBE print. */
#pragma once
#include "ground/base/buf.h"
#include "language/catalog/catalog.h"

void table_text_create(const struct table *t, struct buf *out); /* CREATE TABLE or CREATE VIEW, ready to run */

enum { TABLE_DESCRIBE_COLUMNS = 7 };
extern const char *const table_describe_names[TABLE_DESCRIBE_COLUMNS];
/* The cells of one column's row, as Flink's DESCRIBE has them; texts in the arena, NULL for <NULL>. */
void table_describe_column(const struct table *t, uint32_t column, struct arena *a, const char *cells[TABLE_DESCRIBE_COLUMNS]);
bool table_has_comments(const struct table *t); /* else the last column is left out */
