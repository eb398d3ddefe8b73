/* node_deduplicate.c - Deduplicate: a Rank of the first place by time over rows that are only added. One row per key: the first one
 * goes out once, the last one is updated; in batch mode both go out once. */
#include "flow/operator/dedup_config.h"
#include "ground/base/str.h"
#include "language/plan/narrow_rel.h"
#include "language/plan/rank_rel.h"

#include <string.h>

bool rank_is_deduplicate(const struct rel *input, const struct rank_body *b)
{
    return !b->is_limit && b->first == 1 && b->last == 1 && b->order_count == 1 &&
           strcmp(b->function, "ROW_NUMBER") == 0 && input->row->children[b->order[0].col]->time_kind != TIME_NONE &&
           input->modifies == MODIFIES_NOTHING;
}

static const struct type *time_of(const struct rel *r)
{
    const struct rank_body *b = r->body;

    return r->inputs[0]->row->children[b->order[0].col];
}

static void explain(const struct rel *r, struct buf *out)
{
    const struct rank_body *b = r->body;

    buf_printf(out, "keep=[%s], key=[", b->order[0].descending ? "LastRow" : "FirstRow");
    for (uint32_t i = 0; i < b->partition_count; i++)
        buf_printf(out, "%s%s", i > 0 ? ", " : "", r->inputs[0]->row->names[b->partition[i]]);
    buf_printf(out, "], order=[%s], outputInsertOnly=[%s]",
               time_of(r)->time_kind == TIME_ROWTIME ? "ROWTIME" : "PROCTIME",
               b->order[0].descending ? "false" : "true");
}

static void derive(struct rel *r, struct arena *a)
{
    const struct rank_body *b = r->body;
    const struct rel *in = r->inputs[0];

    rel_add_key(r, a, b->partition, b->partition_count);
    if (b->order[0].descending && !r->at_end) {
        r->modifies = MODIFIES_UPDATES; /* a row takes the place of one with another key of the input's */
        return;
    }
    for (uint32_t k = 0; k < in->key_count; k++) rel_add_key(r, a, in->keys[k].cols, in->keys[k].count);
    r->window = in->window;
}

void lower_deduplicate_at_end(const struct rel *r, struct lowering *l, uint32_t input, uint32_t *node)
{
    const struct rank_body *b = r->body;
    struct hash_dedup_config *c = graph_add_node(l->graph, op_find("hash_deduplicate"), r->type->name, (struct graph_here){0})->config;

    if (time_of(r)->time_kind == TIME_ROWTIME) c->time = r->inputs[0]->row->names[b->order[0].col];
    c->keep_last = b->order[0].descending;
    c->spill = l->spill_groups;
    *node = l->graph->node_count - 1;
    rank_partition_edge(l, r, input, *node);
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct rank_body *b = r->body;

    (void)e;
    if (r->at_end) {
        lower_deduplicate_at_end(r, l, inputs[0], node);
        return S_OK;
    }
    struct dedup_config *c = graph_add_node(l->graph, op_find("deduplicate"), "Deduplicate", (struct graph_here){0})->config;
    if (time_of(r)->time_kind == TIME_ROWTIME) c->time = r->inputs[0]->row->names[b->order[0].col];
    c->keep_last = b->order[0].descending;
    c->emit_before = r->wants_before;
    c->ttl_ms = l->ttl_ms;
    *node = l->graph->node_count - 1;
    lower_edge(l, r, inputs[0], *node, 0);
    return S_OK;
}

const struct rel_type rel_deduplicate_type = {.name = "Deduplicate", .planned_as = "Rank",
                                              .doc = "the first or the last row of each key, by time",
                                              .ends = true,
                                              .derive = derive,
                                              .distribution = rank_rel_distribution,
                                              .advise = rank_rel_advise,
                                              .passes = rank_rel_passes, .narrow = rank_rel_narrow,
                                              .explain = explain,
                                              .logical = rank_rel_logical,
                                              .lower = lower};
