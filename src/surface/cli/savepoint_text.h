/* savepoint_text.h - what a checkpoint or savepoint holds, as a table for people and as JSON for programs. */
#pragma once
#include "control/snapshot/snapshot_inspect.h"

/* The operators are those of snapshot_inspect. Names come from a file that anybody may have written: what would steer a terminal is shown
 * as '?'. */
void savepoint_table(struct snapshot_reader *r, const struct inspected_operator *operators, struct buf *out);
/* One object. */
void savepoint_json(struct snapshot_reader *r, const struct inspected_operator *operators, struct buf *out);
