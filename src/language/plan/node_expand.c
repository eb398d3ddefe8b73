/* node_expand.c - Expand: every row once for each grouping set, keys that are not in the set NULL, the set's number beside them. It
 * becomes a Calc for each set, and a union of them: the rows of one set keep their order, which is all that an update needs. */
#include "language/plan/logical.h"
#include "language/plan/rel.h"

static void explain(const struct rel *r, struct buf *out)
{
    const struct expand_body *b = r->body;

    buf_append_text(out, "projects=[");
    for (uint32_t s = 0; s < b->set_count; s++) {
        buf_append_text(out, s > 0 ? ", {" : "{");
        for (uint32_t i = 0; i < b->count; i++) {
            const struct expr *x = b->columns[s * b->count + i];
            buf_append_text(out, i > 0 ? ", " : "");
            expr_print(x, r->inputs[0]->row, out);
            if (x->kind != EXPR_COLUMN) buf_printf(out, " AS %s", r->row->names[i]);
        }
        buf_append_byte(out, '}');
    }
    buf_append_byte(out, ']');
}

/* The column that is column `col` of the input in every set, or -1. */
static int same_column(const struct expand_body *b, int col)
{
    for (uint32_t i = 0; col >= 0 && i < b->count; i++) {
        uint32_t s = 0;
        while (s < b->set_count && b->columns[s * b->count + i]->kind == EXPR_COLUMN &&
               b->columns[s * b->count + i]->col == (uint32_t)col)
            s++;
        if (s == b->set_count) return (int)i;
    }
    return -1;
}

/* Windows whose bounds are in every set. */
static void keep_window(struct rel *r, struct arena *a)
{
    const struct rel_window *below = r->inputs[0]->window;
    struct rel_window *w = ARENA_NEW(a, struct rel_window);
    int *partition = ARENA_ARRAY(a, int, MAX(below->partition_count, 1u));

    *w = *below;
    w->start = same_column(r->body, below->start);
    w->end = same_column(r->body, below->end);
    w->time = same_column(r->body, below->time);
    for (uint32_t i = 0; i < 3; i++) w->twins[i] = -1;
    for (uint32_t i = 0; i < w->partition_count; i++) partition[i] = same_column(r->body, below->partition[i]);
    w->partition = partition;
    if (w->start >= 0 && w->end >= 0) r->window = w;
}

static void derive(struct rel *r, struct arena *a)
{
    if (r->inputs[0]->window != NULL) keep_window(r, a);
    r->modifies = r->inputs[0]->modifies;
    r->is_empty = r->inputs[0]->is_empty;
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct expand_body *b = r->body;

    for (uint32_t s = 0; s < b->set_count; s++) {
        const struct calc_body calc = {.count = b->count, .columns = b->columns + (size_t)s * b->count};
        if (l->graph->node_count + 2 > GRAPH_NODES_MAX)
            return rel_too_many(e);
        uint32_t one = lower_calc(l, &calc, r->row->names, inputs[0]);
        if (s == 0) {
            *node = one;
            continue;
        }
        graph_add_node(l->graph, op_find("union"), "Union", (struct graph_here){0});
        uint32_t joined = l->graph->node_count - 1;
        graph_add_edge(l->graph, *node, joined, 0, (struct graph_here){0});
        graph_add_edge(l->graph, one, joined, 1, (struct graph_here){0});
        *node = joined;
    }
    return S_OK;
}

static void logical(const struct rel *r, struct logical *l)
{
    explain(r, logical_begin(l, "Expand"));
    logical_end(l);
}

const struct rel_type rel_expand_type = {
    .name = "Expand", .passes_changes = true, .doc = "rows once for each grouping set", .derive = derive, .explain = explain, .logical = logical, .lower = lower};
