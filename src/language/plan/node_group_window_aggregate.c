/* node_group_window_aggregate.c - GroupWindowAggregate: aggregates of groups and windows by the window functions of GROUP BY. What comes
 * out has no windows that further nodes know of. */
#include "language/plan/logical.h"
#include "language/plan/narrow_rel.h"
#include "language/plan/window_rel.h"

static void explain_window(const struct rel_window *w, const char *time, struct buf *out)
{
    static const char *const names[] = {
        [WINDOW_TUMBLE] = "Tumbling", [WINDOW_HOP] = "Sliding", [WINDOW_CUMULATE] = "", [WINDOW_SESSION] = "Session"};

    buf_printf(out, "%sGroupWindow('w$, %s, %lld", names[w->kind], time, (long long)w->size_ms);
    if (w->kind == WINDOW_HOP) buf_printf(out, ", %lld", (long long)w->slide_ms);
    buf_append_byte(out, ')');
}

/* "w$start, w$end", or "start('w$) AS w$start, ..."; comma: one before the first, too. */
static void explain_parts(const struct window_aggregate_body *b, bool calls, bool comma, struct buf *out)
{
    static const char *const parts[] = {"start", "end", "rowtime", "proctime"};

    for (uint32_t i = 0; i < COUNT_OF(parts); i++) {
        if (i == 2 && b->window.processing_time) continue;
        if (comma || i > 0) buf_append_text(out, ", ");
        if (calls) buf_printf(out, "%s('w$) AS ", parts[i]);
        buf_printf(out, "w$%s", parts[i]);
    }
}

static void explain_delay(const char *what, int64_t ms, bool comma, struct buf *out)
{
    if (ms < 0) return;
    buf_printf(out, "%s%s ", comma ? ", " : "", what);
    if (ms == 0) buf_append_text(out, "no delay");
    else buf_printf(out, "delay %lld millisecond", (long long)ms);
}

static void explain_emit(const struct window_emit *emit, struct buf *out)
{
    if (emit->early_ms < 0 && emit->late_ms < 0) return;
    buf_append_text(out, ", emit=[");
    explain_delay("early", emit->early_ms, false, out);
    explain_delay("late", emit->late_ms, emit->early_ms >= 0, out);
    buf_append_byte(out, ']');
}

static void explain(const struct rel *r, struct buf *out)
{
    const struct window_aggregate_body *b = r->body;
    const struct aggregate_body *g = &b->groups;
    const struct type *in = r->inputs[0]->row;

    if (g->key_count > 0) buf_append_text(out, "groupBy=[");
    for (uint32_t i = 0; i < g->key_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->row->names[i]);
    buf_append_text(out, g->key_count > 0 ? "], window=[" : "window=[");
    explain_window(&b->window, in->names[b->rowtime], out);
    if (b->shows_window) {
        buf_append_text(out, "], properties=[");
        explain_parts(b, false, false, out);
    }
    buf_append_text(out, "], select=[");
    for (uint32_t i = 0; i < g->key_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->row->names[i]);
    for (uint32_t i = 0; i < g->call_count; i++) {
        if (i + g->key_count > 0) buf_append_text(out, ", ");
        rel_print_aggregate(&g->calls[i], in, out);
    }
    if (b->shows_window) explain_parts(b, true, g->key_count + g->call_count > 0, out);
    buf_append_byte(out, ']');
    explain_emit(&b->emit, out);
}

/* With updates the window has one row too, at a time. */
static void derive(struct rel *r, struct arena *a)
{
    const struct window_aggregate_body *b = r->body;

    window_aggregate_keys(r, a);
    if (!b->emit.updates) return;
    r->modifies = MODIFIES_UPDATES;
    if (r->inputs[0]->modifies != MODIFIES_NOTHING) r->modifies |= MODIFIES_DELETES; /* all rows of a window may go */
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct window_aggregate_body *b = r->body;

    if (!b->emit.updates) return window_aggregate_lower(r, l, inputs, node, e);
    struct graph_node *n = graph_add_node(l->graph, op_find("window_updates"), "GroupWindowAggregate", (struct graph_here){0});
    struct window_updates_config *c = n->config;
    *c = (struct window_updates_config){.windows = window_aggregate_config(r, l),
                                        .early_ms = b->emit.early_ms,
                                        .late_ms = b->emit.late_ms,
                                        .lateness_ms = b->emit.lateness_ms};
    c->windows.calls.emit_before = r->wants_before;
    *node = l->graph->node_count - 1;
    lower_edge(l, r, inputs[0], *node, 0);
    return S_OK;
}

static void logical(const struct rel *r, struct logical *l)
{
    const struct window_aggregate_body *b = r->body;

    logical_aggregate(r, &b->groups, &b->rowtime, 1, l); /* the window stands for its time */
}

const struct rel_type rel_group_window_aggregate_type = {.name = "GroupWindowAggregate",
                                                         .doc = "aggregates of groups and the windows of GROUP BY, when the window ends",
                                                         .derive = derive,
                                                         .wants_before = window_aggregate_wants_before,
                                                         .distribution = window_aggregate_distribution,
                                                         .passes = window_aggregate_passes,
                                                         .explain = explain,
                                                         .logical = logical,
                                                         .lower = lower};
