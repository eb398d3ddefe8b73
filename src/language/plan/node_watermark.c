/* node_watermark.c - WatermarkAssigner: event times and watermarks of a table's rows. Right behind a scan, a watermark of the form
 * `t - INTERVAL ...` is the source's own, one per split; any other is a column of its own for the time of assigning. */
#include "flow/operator/calc.h"
#include "flow/source/source_options.h"
#include "flow/source/watermark.h"
#include "ground/base/str.h"
#include "language/plan/logical.h"
#include "language/plan/narrow_rel.h"
#include "language/plan/rel.h"

static const char hidden[] = "__watermark";

static void explain(const struct rel *r, struct buf *out)
{
    const struct watermark_body *w = r->body;

    buf_printf(out, "rowtime=[%s], watermark=[", r->row->names[w->rowtime]);
    expr_print(w->watermark, r->inputs[0]->row, out);
    buf_append_byte(out, ']');
}

static void derive(struct rel *r, struct arena *a)
{
    const struct rel *in = r->inputs[0];

    r->modifies = in->modifies;
    r->monotone = in->monotone;
    for (uint32_t k = 0; k < in->key_count; k++) rel_add_key(r, a, in->keys[k].cols, in->keys[k].count);
}

static bool takes_keys(const struct rel *r, uint32_t input)
{
    (void)input;
    return !r->wants_rows;
}

static bool is_rowtime(const struct watermark_body *w, const struct expr *x)
{
    return x->kind == EXPR_COLUMN && x->col == w->rowtime;
}

/* t, or t - INTERVAL of seconds: the distance in ms. */
static bool is_simple(const struct watermark_body *w, int64_t *delay)
{
    const struct expr *x = w->watermark;

    *delay = 0;
    if (is_rowtime(w, x)) return true;
    if (x->kind != EXPR_CALL || x->count != 2 || !is_rowtime(w, x->args[0])) return false;
    if (!str_equal_nocase(str_of(x->call->def->name), STR("-"))) return false;
    const struct expr *by = x->args[1];
    if (by->kind != EXPR_CONSTANT || by->type->kind != T_INTERVAL_SECOND || vector_is_null(by->constant, 0)) return false;
    *delay = VECTOR_VALUES(by->constant, int64_t)[0];
    return *delay >= 0;
}

/* The first `count` columns, and `more` behind them unless NULL. */
static uint32_t add_calc(struct lowering *l, const struct type *row, uint32_t count, const struct expr *more, uint32_t input)
{
    struct expr_maker m = {.a = l->a, .session = l->session};
    const char **names = ARENA_ARRAY(l->a, const char *, count + 1);
    struct expr **columns = ARENA_ARRAY(l->a, struct expr *, count + 1);
    struct calc_body c = {.count = count + (more != NULL), .columns = columns};

    for (uint32_t i = 0; i < count; i++) {
        names[i] = row->names[i];
        columns[i] = expr_column(&m, row, i);
    }
    names[count] = hidden;
    columns[count] = (struct expr *)more;
    return lower_calc(l, &c, names, input);
}

static uint32_t add_watermarks(struct lowering *l, const struct watermark_config *w, uint32_t input)
{
    struct graph_node *n = graph_add_node(l->graph, op_find("watermarks"), "WatermarkAssigner", (struct graph_here){0});

    *(struct watermarks_config *)n->config = (struct watermarks_config){.watermark = *w, .marks_time = true};
    graph_add_edge(l->graph, input, l->graph->node_count - 1, 0, (struct graph_here){0});
    return l->graph->node_count - 1;
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct watermark_body *w = r->body;
    const char *rowtime = r->row->names[w->rowtime];
    struct watermark_config config = {.kind = WATERMARK_COLUMN, .time_field = rowtime, .watermark_field = rowtime, .idleness_ms = l->idle_ms};
    /* A scan of some columns is two nodes. */
    struct graph_node *source = l->graph->nodes[inputs[0] - (r->inputs[0]->input_count == 0 && inputs[0] > 0 &&
                                                             l->graph->nodes[inputs[0]]->type == op_find("calc"))];
    bool simple = is_simple(w, &config.out_of_orderness_ms);

    (void)e;
    *node = inputs[0];
    if (l->is_batch) return S_OK; /* nothing is late where all comes */
    if (simple && r->inputs[0]->input_count == 0 && source->type == op_find("source")) {
        ((struct source_config *)source->config)->watermark = config;
        return S_OK;
    }
    if (!simple) {
        config.watermark_field = hidden;
        config.out_of_orderness_ms = 0;
        *node = add_calc(l, r->inputs[0]->row, r->row->child_count, w->watermark, *node);
    }
    const struct rel *below = r->inputs[0]->type == &rel_drop_before_type ? r->inputs[0]->inputs[0] : r->inputs[0];
    const struct table *t = rel_scanned(below);
    if (t != NULL) config = source_watermark_config(&config, &t->options); /* the options are the table's, whoever assigns */
    *node = add_watermarks(l, &config, *node);
    if (!simple) *node = add_calc(l, r->row, r->row->child_count, NULL, *node);
    return S_OK;
}

static void logical(const struct rel *r, struct logical *l)
{
    const struct watermark_body *w = r->body;
    struct buf *out = logical_begin(l, "WatermarkAssigner");

    buf_printf(out, "rowtime=[%s], watermark=[", r->row->names[w->rowtime]);
    expr_print_digest(w->watermark, out);
    buf_append_byte(out, ']');
    logical_end(l);
}

const struct rel_type rel_watermark_type = {.name = "WatermarkAssigner", .passes_changes = true,
                                            .doc = "event times and watermarks of a table's rows",
                                            .derive = derive,
                                            .takes_keys = takes_keys,
                                            .narrow = watermark_narrow,
                                            .explain = explain,
                                            .logical = logical, .lower = lower};
