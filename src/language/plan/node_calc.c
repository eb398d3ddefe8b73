/* node_calc.c - Calc: filter and projection in one operator. */
#include "flow/operator/calc.h"
#include "ground/base/str.h"
#include "language/plan/rel.h"

static void explain(const struct rel *r, struct buf *out)
{
    const struct calc_body *c = r->body;
    const struct type *in = r->inputs[0]->row;

    buf_append_text(out, "select=[");
    for (uint32_t i = 0; i < r->row->child_count; i++) {
        if (i > 0) buf_append_text(out, ", ");
        bool plain = c->count == 0 || (c->columns[i]->kind == EXPR_COLUMN &&
                                       str_equal(str_of(in->names[c->columns[i]->col]), str_of(r->row->names[i])));
        if (!plain) {
            expr_print(c->columns[i], in, out);
            buf_append_text(out, " AS ");
        }
        buf_append_text(out, r->row->names[i]);
    }
    buf_append_byte(out, ']');
    if (c->condition == NULL) return;
    buf_append_text(out, ", where=[");
    expr_print(c->condition, in, out);
    buf_append_byte(out, ']');
}

static struct str bytes_of(struct arena *a, struct expr *const *list, uint32_t count)
{
    struct buf out;

    buf_init(&out, a->mem);
    for (uint32_t i = 0; i < count; i++) expr_encode(list[i], &out);
    struct str s = {arena_strndup(a, out.size > 0 ? out.data : "", out.size), out.size};
    buf_release(&out);
    return s;
}

uint32_t lower_calc(struct lowering *l, const struct calc_body *c, const char *const *names, uint32_t input)
{
    struct graph_node *n = graph_add_node(l->graph, op_find("calc"), "Calc", (struct graph_here){0});
    struct calc_config *config = n->config;
    uint32_t node = l->graph->node_count - 1;

    if (c->condition != NULL) config->condition = bytes_of(l->a, (struct expr *[]){c->condition}, 1);
    if (c->count > 0) {
        config->columns = bytes_of(l->a, c->columns, c->count);
        config->names = (struct text_list){names, c->count};
    }
    if (l->session != NULL && l->session->zone.size > 0)
        config->zone = arena_strndup(l->a, l->session->zone.data, l->session->zone.size);
    graph_add_edge(l->graph, input, node, 0, (struct graph_here){0});
    return node;
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    (void)e;
    *node = lower_calc(l, r->body, r->row->names, inputs[0]);
    return S_OK;
}

const struct rel_type rel_calc_type = {.name = "Calc",
                                       .doc = "rows for which a condition is true, and columns computed from them",
                                       .explain = explain,
                                       .lower = lower};
