/* plan_file.h - compiled plans as files (docs/formats/compiled-plan.md): JSON that people read, and in it the job graph's bytes, which
 * EXECUTE PLAN runs. A file of another program, of another version, or with a changed graph is refused with the reason. */
#pragma once
#include "control/graph/graph.h"

enum { PLAN_FILE_VERSION = 1, PLAN_FILE_BYTES_MAX = 96 * 1024 * 1024 };

struct plan_file_text {
    struct str statement; /* as it was written */
    struct str plan;      /* as EXPLAIN showed it */
    struct str graph;     /* graph_encode's bytes */
    struct str replaced;  /* JSON: the sinks that replace rows (plan_replaced.h); empty: none */
};
/* g: the same graph, prepared. Appends. */
void plan_file_write(const struct plan_file_text *t, const struct graph *g, struct buf *out);
/* The texts lie in the arena. text needs FORMAT_PADDING bytes of room behind it. E_DATA, E_UNSUPPORTED with the reason. */
enum status plan_file_read(struct str text, struct arena *a, struct plan_file_text *out, struct err *e) CHECKED;
