/* saved_rows.h - rows of saved state as batches of its columns, read without the operator that wrote them. */
#pragma once
#include "columns/column/batch.h"
#include "flow/state/snapshot_survey.h"

struct saved_rows;
struct saved_rows *saved_rows_create(struct mem *mem, const char *state); /* of the state of that name */
void saved_rows_free(struct saved_rows *r);                                /* NULL is a no-op */
/* Begins with a chunk, of any bytes, which stay until the next one. E_DATA. */
enum status saved_rows_chunk(struct saved_rows *r, struct str bytes, struct err *e) CHECKED;
/* The next block of the state's rows in the chunk, which holds until the next call; S_END: there are no more. Its schema is a row of the
 * state's columns; roles[i] is the part that the i-th plays ("key", "value", ...). */
enum status saved_rows_next(struct saved_rows *r, const struct batch **out, const char *const **roles, struct err *e) CHECKED;
