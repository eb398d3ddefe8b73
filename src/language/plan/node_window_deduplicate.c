/* node_window_deduplicate.c - WindowDeduplicate: of the rows of each partition and window the first or the last by a time attribute. */
#include "language/plan/narrow_rel.h"
#include "language/plan/rank_rel.h"
#include "language/plan/rel_internal.h"

static void explain(const struct rel *r, struct buf *out)
{
    const struct rank_body *b = r->body;

    buf_append_text(out, "window=[");
    rel_print_window(r->inputs[0]->window, r->inputs[0]->row, NULL, out);
    buf_printf(out, "], keep=[%s], ", b->order[0].descending ? "LastRow" : "FirstRow");
    rank_explain_by(r, "partitionKeys", out);
    buf_printf(out, "orderKey=[%s], order=[ROWTIME]", r->row->names[b->order[0].col]);
}

static enum status check(const struct rel *r, struct err *e)
{
    if (r->inputs[0]->window->processing_time) {
        rel_hint_event_time(e);
        return err_set(e, E_UNSUPPORTED, "Processing time Window Deduplication is not supported yet.");
    }
    return rel_check_appends(r, "StreamPhysicalWindowDeduplicate", rel_hint_appends, e);
}

const struct rel_type rel_window_deduplicate_type = {
    .name = "WindowDeduplicate",
    .doc = "the first or last row of each partition of a window, by its time",
    .derive = window_rank_derive,
    .distribution = window_rank_distribution,
    .check = check,
    .passes = rank_rel_passes,
    .explain = explain,
    .logical = rank_rel_logical,
    .lower = window_rank_lower};
