/* node_values.c - Values: rows of constants, which travel in the job graph as bytes. */
#include "flow/connector/values.h"
#include "flow/operator/op_configs.h"
#include "ground/base/prng.h"
#include "language/plan/logical.h"
#include "language/plan/rel_internal.h"

static void derive(struct rel *r, struct arena *a)
{
    (void)a;
    r->is_empty = ((const struct values_body *)r->body)->row_count == 0;
}

static void explain(const struct rel *r, struct buf *out)
{
    const struct values_body *v = r->body;
    uint32_t cols = r->row->child_count;

    buf_append_text(out, "tuples=[[");
    for (uint32_t i = 0; i < v->row_count; i++) {
        buf_append_text(out, i > 0 ? ", { " : "{ ");
        for (uint32_t c = 0; c < cols; c++) {
            if (c > 0) buf_append_text(out, ", ");
            expr_print(v->items[i * cols + c], NULL, out);
        }
        buf_append_text(out, " }");
    }
    buf_append_text(out, "]]");
    for (uint32_t c = 0; c < cols && v->shows_names; c++) buf_printf(out, "%s%s", c == 0 ? ", values=[" : ", ", r->row->names[c]);
    if (v->shows_names) buf_append_byte(out, ']');
}

/* All rows as batches of one job's arena: constants are evaluated, what cannot be folded is computed once. */
static enum status encode_rows(const struct type *row, const struct values_body *v, struct lowering *l, struct buf *out, struct err *e)
{
    struct batch nothing = {.count = 1, .capacity = 1}, *b = batch_create(row, 1, l->a->mem);
    struct fn_session session = *l->session;
    enum status st = S_OK;

    for (uint32_t i = 0; i < v->row_count && st == S_OK; i++) {
        batch_clear(b);
        for (uint32_t c = 0; c < row->child_count && st == S_OK; c++) {
            const struct vector *value;
            uint32_t cell = i * row->child_count + c;
            session.chance = mix64(l->session->chance + cell); /* RAND() of each is another one */
            struct expr_run *run = expr_run_create(v->items[cell], &session, 1, l->a->mem);
            st = expr_eval(run, &nothing, session.query_ms, &value, e);
            if (st == S_OK) vector_copy(&b->cols[c], 0, value, NULL, 1, &b->heap, l->a->mem);
            expr_run_free(run);
        }
        b->count = 1;
        if (st == S_OK) values_encode(b, out);
    }
    batch_free(b);
    return st;
}

enum status values_lower(const struct type *row, const struct values_body *v, const char *name, struct lowering *l, uint32_t *node,
                         struct err *e)
{
    struct buf bytes;

    TRY(values_check(row, e));
    buf_init(&bytes, l->a->mem);
    enum status st = encode_rows(row, v, l, &bytes, e);
    struct graph_node *n = graph_add_node(l->graph, op_find("source"), name, (struct graph_here){0});
    struct source_config *config = n->config;
    *config = (struct source_config){
        .connector = "values",
        .schema = row,
        .rows = {arena_strndup(l->a, bytes.size > 0 ? bytes.data : "", bytes.size), bytes.size}};
    n->single = true;
    n->parallelism = 1;
    *node = l->graph->node_count - 1;
    buf_release(&bytes);
    return st;
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    (void)inputs;
    return values_lower(r->row, r->body, "Source: Values", l, node, e);
}

static void logical(const struct rel *r, struct logical *l)
{
    const struct values_body *v = r->body;
    struct buf *out = logical_begin(l, "Values");

    buf_append_text(out, "tuples=[[");
    for (uint32_t i = 0; i < v->row_count; i++) {
        buf_append_text(out, i > 0 ? ", { " : "{ ");
        for (uint32_t c = 0; c < r->row->child_count; c++) {
            if (c > 0) buf_append_text(out, ", ");
            expr_print_digest(v->items[i * r->row->child_count + c], out);
        }
        buf_append_text(out, " }");
    }
    buf_append_text(out, "]]");
    logical_end(l);
}

const struct rel_type rel_values_type = {
    .name = "Values", .doc = "rows of constants", .derive = derive, .explain = explain, .logical = logical, .lower = lower};
