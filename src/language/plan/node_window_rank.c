/* node_window_rank.c - WindowRank: a ranking by partitions that hold start and end of windows. Its rows come once, when the window ends.
 * In batch mode windows are partitions as others are: rows are sorted.
 * The first or last row by a time attribute is a WindowDeduplicate (node_window_deduplicate.c), on the same operator. */
#include "language/plan/narrow_rel.h"
#include "language/plan/rank_rel.h"
#include "language/plan/rel_internal.h"

#include "flow/operator/rank_config.h"

#include <string.h>

bool rank_is_windowed(const struct rel *input, const struct rank_body *b)
{
    const struct rel_window *w = input->window;
    bool start = false, end = false;

    if (b->is_limit || b->last == RANK_UNBOUNDED || w == NULL || w->start < 0 || w->end < 0) return false;
    for (uint32_t i = 0; i < b->partition_count; i++) {
        start |= b->partition[i] == (uint32_t)w->start;
        end |= b->partition[i] == (uint32_t)w->end;
    }
    return start && end;
}

void rank_explain_by(const struct rel *r, const char *name, struct buf *out)
{
    const struct rank_body *b = r->body;

    buf_printf(out, "%s=[", name);
    for (uint32_t i = 0; i < b->key_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->row->names[b->keys[i]]);
    buf_append_text(out, "], ");
}

static void explain(const struct rel *r, struct buf *out)
{
    const struct rank_body *b = r->body;

    buf_append_text(out, "window=[");
    rel_print_window(r->inputs[0]->window, r->inputs[0]->row, NULL, out);
    buf_printf(out, "], rankType=[%s], rankRange=[rankStart=%lld, rankEnd=%lld], ", b->function, (long long)b->first,
               (long long)b->last);
    rank_explain_by(r, "partitionBy", out);
    buf_append_text(out, "orderBy=[");
    rank_print_order(b->order, b->order_count, r->inputs[0]->row, out);
    buf_append_text(out, "], select=[");
    for (uint32_t i = 0; i < r->row->child_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->row->names[i]);
    buf_append_byte(out, ']');
}

void window_rank_derive(struct rel *r, struct arena *a)
{
    const struct rank_body *b = r->body;
    const struct rel *in = r->inputs[0];
    uint32_t *cols = ARENA_ARRAY(a, uint32_t, b->partition_count + 1), n = b->partition_count;

    r->window = in->window;
    for (uint32_t i = 0; i < n; i++) cols[i] = b->partition[i];
    if (b->number != NULL && b->first != b->last) cols[n++] = in->row->child_count;
    if (b->number != NULL || b->first == b->last) rel_add_key(r, a, cols, n);
    for (uint32_t k = 0; k < in->key_count; k++) rel_add_key(r, a, in->keys[k].cols, in->keys[k].count);
}

int window_rank_distribution(const struct rel *r, uint32_t input, const uint32_t **cols)
{
    const struct rank_body *b = r->body;

    (void)input;
    *cols = b->keys;
    return (int)b->key_count;
}

static enum status check(const struct rel *r, struct err *e)
{
    const struct rank_body *b = r->body;

    if (strcmp(b->function, "ROW_NUMBER") != 0) {
        err_hint(e, "write ROW_NUMBER(): rows that are equal in the order get a place each");
        return err_set(e, E_UNSUPPORTED,
                       "%s() function is not supported on Window TopN currently, only ROW_NUMBER() is supported.",
                       b->function);
    }
    if (r->inputs[0]->window->processing_time) {
        rel_hint_event_time(e);
        return err_set(e, E_UNSUPPORTED, "Processing time Window TopN is not supported yet.");
    }
    return rel_check_appends(r, "StreamPhysicalWindowRank", rel_hint_appends, e);
}

enum status window_rank_lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node,
                              struct err *e)
{
    const struct rank_body *b = r->body;
    const struct type *in = r->inputs[0]->row;
    bool is_first = rank_is_deduplicate(r->inputs[0], b);

    (void)e;
    if (l->is_batch) {
        if (is_first) lower_deduplicate_at_end(r, l, inputs[0], node);
        else lower_rank_at_end(r, l, inputs[0], node);
        return S_OK;
    }
    struct graph_node *n = graph_add_node(l->graph, op_find("window_rank"), r->type->name, (struct graph_here){0});
    struct window_rank_config *c = n->config;
    struct rank_order last = b->order_count > 0 ? b->order[0] : (struct rank_order){0};

    c->from_behind = is_first && last.descending;
    if (c->from_behind) last.descending = last.nulls_last = false;
    lower_order(l, in, c->from_behind ? &last : b->order, b->order_count,
                (struct text_list *const[]){&c->order, &c->directions, &c->nulls});
    c->first = b->first;
    c->last = b->last;
    c->number = b->number;
    c->end = in->names[r->inputs[0]->window->end];
    c->zone = lower_window_zone(l, r->inputs[0]->window);
    *node = l->graph->node_count - 1;
    lower_edge(l, r, inputs[0], *node, 0);
    return S_OK;
}

const struct rel_type rel_window_rank_type = {
    .name = "WindowRank",
    .doc = "rows of each partition of a window by their places in an order, once",
    .derive = window_rank_derive,
    .distribution = window_rank_distribution,
    .check = check,
    .passes = rank_rel_passes,
    .explain = explain,
    .logical = rank_rel_logical,
    .lower = window_rank_lower};
