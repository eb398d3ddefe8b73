/* node_interval_join.c - IntervalJoin: pairs of rows whose times lie in an interval of each other. Its inputs only add rows, and so
 * does it: a row of an outer side comes alone once no partner can come any more. Time attributes of both sides stay ones: watermarks
 * leave late enough for both. In batch mode, where no watermark says what is past, both sides are sorted by keys and time, beyond memory
 * in files; times of processing stay with the operator of streams. */
#include "flow/operator/join_interval.h"
#include "flow/operator/sort_merge_join.h"
#include "ground/base/str.h"
#include "language/plan/logical.h"
#include "language/plan/join_rel.h"
#include "language/plan/narrow_rel.h"

static void explain(const struct rel *r, struct buf *out)
{
    const struct interval_join_body *b = r->body;

    buf_printf(out, "joinType=[%s], windowBounds=[isRowTime=%s, leftLowerBound=%lld, leftUpperBound=%lld, ",
               join_explain_name((enum rel_join_kind)b->join.kind), b->processing_time ? "false" : "true",
               (long long)b->lower_ms, (long long)b->upper_ms);
    buf_printf(out, "leftTimeIndex=%u, rightTimeIndex=%u], where=[", b->times[0], b->times[1]);
    join_explain_where(r, &b->join, b->shown, out);
    buf_append_text(out, "], select=[");
    for (uint32_t i = 0; i < r->row->child_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->row->names[i]);
    buf_append_byte(out, ']');
}

static enum status check(const struct rel *r, struct err *e)
{
    return rel_check_appends(r, "StreamPhysicalIntervalJoin",
                             "join a table whose rows are only added, or cast the time attributes to TIMESTAMP for a join of changes", e);
}

static void lower_sorted(const struct rel *r, struct lowering *l)
{
    const struct interval_join_body *b = r->body;
    struct sort_merge_join_config *c =
        graph_add_node(l->graph, op_find("sort_merge_join"), "IntervalJoin", (struct graph_here){0})->config;

    c->kind = join_operator_name((enum rel_join_kind)b->join.kind);
    c->names = (struct text_list){b->join.names, r->row->child_count};
    c->null_safe = join_null_safe(l, &b->join);
    if (b->join.condition != NULL) c->condition = lower_exprs(l, (struct expr *const[]){b->join.condition}, 1);
    c->zone = lower_zone(l);
    c->left_time = r->inputs[0]->row->names[b->times[0]];
    c->right_time = r->inputs[1]->row->names[b->times[1]];
    c->lower_ms = b->lower_ms;
    c->upper_ms = b->upper_ms;
    c->spill = l->spill;
}

static void lower_stream(const struct rel *r, struct lowering *l)
{
    const struct interval_join_body *b = r->body;
    struct join_interval_config *c =
        graph_add_node(l->graph, op_find("join_interval"), "IntervalJoin", (struct graph_here){0})->config;

    c->kind = join_operator_name((enum rel_join_kind)b->join.kind);
    c->names = (struct text_list){b->join.names, r->row->child_count};
    c->null_safe = join_null_safe(l, &b->join);
    if (b->join.condition != NULL) c->condition = lower_exprs(l, (struct expr *const[]){b->join.condition}, 1);
    c->zone = lower_zone(l);
    if (!b->processing_time) {
        c->left_time = r->inputs[0]->row->names[b->times[0]];
        c->right_time = r->inputs[1]->row->names[b->times[1]];
    }
    c->lower_ms = b->lower_ms;
    c->upper_ms = b->upper_ms;
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct interval_join_body *b = r->body;

    (void)e;
    if (l->is_batch && !b->processing_time) lower_sorted(r, l);
    else lower_stream(r, l);
    *node = l->graph->node_count - 1;
    for (uint32_t i = 0; i < 2; i++) lower_edge(l, r, inputs[i], *node, i);
    return S_OK;
}

static void logical(const struct rel *r, struct logical *l)
{
    const struct interval_join_body *b = r->body;

    logical_join(r, &b->join, b->shown, l);
}

const struct rel_type rel_interval_join_type = {.name = "IntervalJoin",
                                                .doc = "pairs of rows whose times lie in an interval of each other",
                                                .distribution = join_distribution,
                                                .check = check,
                                                .passes = join_side_passes, .narrow = interval_join_narrow,
                                                .explain = explain,
                                                .logical = logical, .lower = lower};
