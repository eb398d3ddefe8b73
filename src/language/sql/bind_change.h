/* bind_change.h - UPDATE and DELETE as what they are for a table of files: its rows read, changed or left out, and written anew. */
#pragma once
#include "language/sql/bind_query.h"

/* INSERT OVERWRITE of all rows; checks the columns that UPDATE sets. In b->a. */
enum status bind_change(struct query_binder *b, const struct change_rows *c, struct insert *out) CHECKED;
