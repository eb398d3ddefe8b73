/* node_fold.c - Fold: what is there when a changelog has ended. Batch mode puts it behind nodes that change rows they have given. */
#include "flow/operator/fold_config.h"
#include "language/plan/rel.h"

/* Those by which rows without a key are told apart in tasks: no lists, maps and rows. */
struct columns {
    uint32_t count, cols[16];
};

static void derive(struct rel *r, struct arena *a)
{
    const struct rel *in = r->inputs[0];
    struct columns *parts = ARENA_NEW(a, struct columns);

    for (uint32_t i = 0; i < r->row->child_count && parts->count < COUNT_OF(parts->cols); i++)
        if (r->row->children[i]->phys != P_LIST && r->row->children[i]->phys != P_ROW) parts->cols[parts->count++] = i;
    r->body = parts;
    for (uint32_t k = 0; k < in->key_count; k++) rel_add_key(r, a, in->keys[k].cols, in->keys[k].count);
}

static bool wants_before(const struct rel *r, uint32_t input)
{
    (void)r;
    (void)input;
    return true; /* rows are counted whole */
}

/* Versions of a row share the columns of its key; rows without one are as good as their own key. */
static int distribution(const struct rel *r, uint32_t input, const uint32_t **cols)
{
    const struct columns *parts = r->body;

    (void)input;
    *cols = r->key_count > 0 ? r->keys[0].cols : parts->cols;
    return (int)(r->key_count > 0 ? r->keys[0].count : parts->count);
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    (void)e;
    struct fold_config *c = graph_add_node(l->graph, op_find("fold"), r->type->name, (struct graph_here){0})->config;
    c->spill = l->spill_groups;
    *node = l->graph->node_count - 1;
    lower_edge(l, r, inputs[0], *node, 0);
    return S_OK;
}

const struct rel_type rel_fold_type = {.name = "Fold",
                                       .doc = "what is there when a changelog has ended",
                                       .derive = derive,
                                       .wants_before = wants_before,
                                       .distribution = distribution,
                                       .lower = lower};
