/* plan_replaced.h - INSERT OVERWRITE in compiled plans. Where the new rows are staged is another place each time, and none of a file's:
 * the graph that is kept writes into the tables themselves, a list beside it says which sinks replace their rows, and EXECUTE PLAN
 * stages those anew. The list counts in the file's digest, since without it rows would be added. */
#pragma once
#include "surface/sql/session_internal.h"

/* The sinks that stage rows get their tables' options again; appends `[{ "node" : 3, "all" : true }]`, or nothing where there are none. */
void plan_replaced_keep(struct rel *const *sinks, uint32_t count, struct graph *g, struct buf *list);
/* The graph for one run: its sinks of the list are staged. E_DATA, E_UNSUPPORTED with the reason. */
enum status plan_replaced_stage(struct run *r, struct str list, struct str graph, struct update *out, struct err *e) CHECKED;
