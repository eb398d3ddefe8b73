/* node_global_aggregate.c - GlobalGroupAggregate: groups put together of the parts that LocalGroupAggregate made. Its rows are those of
 * the GroupAggregate that both stand for. */
#include "flow/operator/group_calls.h"
#include "language/plan/aggregate_rel.h"

/* The rows that are aggregated. */
static const struct rel *source_of(const struct rel *r)
{
    const struct rel *in = r->inputs[0];

    return in->type == &rel_incremental_aggregate_type ? ((const struct incremental_body *)in->body)->global : in->inputs[0];
}

static void derive(struct rel *r, struct arena *a) { aggregate_derive(r, source_of(r), a); }

static int distribution(const struct rel *r, uint32_t input, const uint32_t **cols)
{
    const struct aggregate_body *b = r->body;

    (void)input;
    *cols = b->keys;
    return (int)b->key_count;
}

static const char *advise(const struct rel *r, const struct plan_settings *s, struct arena *a)
{
    return aggregate_advise(r, source_of(r), s, a);
}

static void explain(const struct rel *r, struct buf *out)
{
    const struct aggregate_body *b = r->body;
    bool retracts = source_of(r)->modifies != MODIFIES_NOTHING;
    uint32_t number = 0;
    struct arena names;

    arena_init(&names, out->mem, 0);
    if (b->key_count > 0) buf_append_text(out, "groupBy=[");
    for (uint32_t i = 0; i < b->key_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->row->names[i]);
    if (b->key_count > 0) buf_append_text(out, "], ");
    aggregate_print_phase(b, out);
    buf_append_text(out, "select=[");
    for (uint32_t i = 0; i < b->key_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->row->names[i]);
    for (uint32_t i = 0; i < b->call_count; i++) {
        if (b->key_count + i > 0) buf_append_text(out, ", ");
        aggregate_print_function(&b->calls[i], retracts, out);
        buf_append_byte(out, '(');
        if (b->calls[i].distinct) buf_printf(out, "distinct$%u ", aggregate_set(b, i));
        buf_printf(out, "%s) AS %s", aggregate_parts(&names, &b->calls[i], retracts, &number), b->calls[i].name);
    }
    buf_append_byte(out, ']');
    if (b->ttl.text != NULL) buf_printf(out, ", stateTtlHints=[[[STATE_TTL options:[%s]]]]", b->ttl.text);
    arena_release(&names);
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    struct graph_node *n = graph_add_node(l->graph, op_find("group_aggregate"), "GlobalGroupAggregate", (struct graph_here){0});
    const struct aggregate_body *b = r->body;
    struct group_config *c = n->config;
    const char **types = ARENA_ARRAY(l->a, const char *, b->call_count + 1);

    (void)e;
    for (uint32_t i = 0; i < b->call_count; i++)
        types[i] = b->calls[i].argument >= 0 ? type_text(l->a, source_of(r)->row->children[b->calls[i].argument]) : "";
    aggregate_configure(r, source_of(r), l, c);
    c->merges = true;
    c->types = (struct text_list){types, b->call_count};
    *node = l->graph->node_count - 1;
    lower_edge(l, r, inputs[0], *node, 0);
    return S_OK;
}

const struct rel_type rel_global_aggregate_type = {.name = "GlobalGroupAggregate",
                                                   .doc = "groups put together of the parts that LocalGroupAggregate made",
                                                   .derive = derive,
                                                   .distribution = distribution,
                                                   .advise = advise,
                                                   .explain = explain,
                                                   .lower = lower};
