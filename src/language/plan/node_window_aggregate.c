/* node_window_aggregate.c - WindowAggregate: aggregates of groups and windows. A window's rows come out once, when it ends, and are
 * never changed. Windows are decided by a time attribute, or by columns that some node below filled (a window of a window). */
#include "flow/operator/sql_window.h"
#include "ground/base/str.h"
#include "language/plan/rel.h"

static void explain(const struct rel *r, struct buf *out)
{
    static const char *const properties[] = {"start", "end", "rowtime"};
    const struct window_aggregate_body *b = r->body;
    const struct aggregate_body *g = &b->groups;
    const struct type *in = r->inputs[0]->row;
    uint32_t results = g->key_count + g->call_count;

    if (g->key_count > 0) buf_append_text(out, "groupBy=[");
    for (uint32_t i = 0; i < g->key_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->row->names[i]);
    buf_append_text(out, g->key_count > 0 ? "], window=[" : "window=[");
    rel_print_window(&b->window, in, b->rowtime >= 0 ? in->names[b->rowtime] : NULL, out);
    buf_append_text(out, "], select=[");
    for (uint32_t i = 0; i < r->row->child_count; i++) {
        if (i > 0) buf_append_text(out, ", ");
        if (i < g->key_count)
            buf_append_text(out, r->row->names[i]);
        else if (i < results)
            rel_print_aggregate(&g->calls[i - g->key_count], in, out);
        else
            buf_printf(out, "%s('w$) AS %s",
                       b->window.processing_time && i == results + 2 ? "proctime" : properties[i - results],
                       r->row->names[i]);
    }
    buf_append_byte(out, ']');
}

static void derive(struct rel *r, struct arena *a)
{
    const struct window_aggregate_body *b = r->body;
    uint32_t keys = b->groups.key_count, *cols = ARENA_ARRAY(a, uint32_t, keys + 2);
    struct rel_window *w = ARENA_NEW(a, struct rel_window);
    int first = (int)(keys + b->groups.call_count);

    *w = b->window;
    w->start = first;
    w->end = first + 1;
    w->time = first + 2;
    r->window = w;
    for (uint32_t i = 0; i < keys; i++) cols[i] = i;
    cols[keys] = (uint32_t)first;
    cols[keys + 1] = (uint32_t)first + 1;
    rel_add_key(r, a, cols, keys + 2);
}

static bool wants_before(const struct rel *r, uint32_t input)
{
    (void)r;
    (void)input;
    return true;
}

static int distribution(const struct rel *r, uint32_t input, const uint32_t **cols)
{
    const struct window_aggregate_body *b = r->body;

    (void)input;
    *cols = b->groups.keys;
    return (int)b->groups.key_count;
}

static enum status check(const struct rel *r, struct err *e)
{
    const struct rel_window *w = &((const struct window_aggregate_body *)r->body)->window;

    if (w->kind != WINDOW_HOP || w->size_ms % w->slide_ms == 0) return S_OK;
    return err_set(
        e, E_UNSUPPORTED,
        "HOP table function based aggregate requires size must be an integral multiple of slide, but got size %lld ms "
        "and slide %lld ms",
        (long long)w->size_ms, (long long)w->slide_ms);
}

/* Windows that overlap share slices, unless a call cannot be put together from them: then rows come once per window. */
static enum status shares_slices(struct lowering *l, const struct window_aggregate_body *b, const struct type *in,
                                 const struct group_config *c, bool *shares, struct err *e)
{
    const struct op_plan p = {.arena = l->a, .inputs = {in}, .input_count = 1};
    struct group_call *calls;

    *shares = true;
    if (b->window.kind == WINDOW_TUMBLE) return S_OK;
    TRY(group_calls_read(l->a, &p, c, &calls, e));
    *shares = window_groups_share(calls, c->functions.count);
    return S_OK;
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct window_aggregate_body *b = r->body;
    const struct type *in = r->inputs[0]->row;
    uint32_t input = inputs[0];
    struct window_groups_config config = {.kind = b->window.kind,
                                          .size_ms = b->window.size_ms,
                                          .slide_ms = b->window.slide_ms,
                                          .offset_ms = b->window.offset_ms,
                                          .processing_time = b->window.processing_time,
                                          .local_time = b->window.time_type->kind == T_TIMESTAMP_LTZ,
                                          .time = "",
                                          .end = ""};
    bool shares = false;

    lower_aggregate_calls(l, &b->groups, in, &config.calls);
    config.calls.retracts = r->inputs[0]->modifies != MODIFIES_NOTHING;
    if (b->rowtime >= 0) TRY(shares_slices(l, b, in, &config.calls, &shares, e));
    if (shares && !config.processing_time) config.time = in->names[b->rowtime];
    if (!shares) config.end = b->rowtime >= 0 ? "window_end" : in->names[b->window.end];
    if (!shares && b->rowtime >= 0) input = lower_window_tvf(l, &b->window, in->names[b->rowtime], input);
    struct graph_node *n = graph_add_node(l->graph, op_find("window_groups"), "WindowAggregate", (struct graph_here){0});
    *(struct window_groups_config *)n->config = config;
    *node = l->graph->node_count - 1;
    lower_edge(l, r, input, *node, 0);
    return S_OK;
}

const struct rel_type rel_window_aggregate_type = {
    .name = "WindowAggregate",
    .doc = "aggregates of groups and windows, once each, when the window ends",
    .derive = derive,
    .wants_before = wants_before,
    .distribution = distribution,
    .check = check,
    .explain = explain,
    .lower = lower};
