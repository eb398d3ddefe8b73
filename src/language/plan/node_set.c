/* node_set.c - INTERSECT and EXCEPT, with and without ALL: each row as often as its counts on both sides say. */
#include "flow/operator/set_config.h"
#include "ground/base/str.h"
#include "language/plan/logical.h"
#include "language/plan/narrow_rel.h"
#include "language/plan/rel.h"

static const char *kind(const struct set_body *b)
{
    if (b->is_except) return b->all ? "EXCEPT ALL" : "EXCEPT";
    return b->all ? "INTERSECT ALL" : "INTERSECT";
}

static void explain(const struct rel *r, struct buf *out)
{
    buf_printf(out, "kind=[%s], select=[", kind(r->body));
    for (uint32_t i = 0; i < r->row->child_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->row->names[i]);
    buf_append_byte(out, ']');
}

/* A row more on one side may take one away. Two sides that are only added to make INTERSECT grow only. */
static void derive(struct rel *r, struct arena *a)
{
    const struct set_body *b = r->body;
    uint32_t n = r->row->child_count, *cols = ARENA_ARRAY(a, uint32_t, n + 1);
    bool appends = r->inputs[0]->modifies == MODIFIES_NOTHING && r->inputs[1]->modifies == MODIFIES_NOTHING;

    for (uint32_t i = 0; i < n; i++) cols[i] = i;
    if (!b->all) rel_add_key(r, a, cols, n);
    r->is_empty = r->inputs[0]->is_empty || (!b->is_except && r->inputs[1]->is_empty);
    r->modifies = r->at_end || (appends && !b->is_except) ? MODIFIES_NOTHING : MODIFIES_DELETES;
}

static bool wants_before(const struct rel *r, uint32_t input)
{
    (void)r;
    (void)input;
    return true; /* what an update takes away must be counted */
}

/* The first columns decide where a row goes; the operator looks at all. */
static int distribution(const struct rel *r, uint32_t input, const uint32_t **cols)
{
    static const uint32_t all[OP_KEYS_MAX] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

    (void)input;
    *cols = all;
    return (int)MIN(r->row->child_count, (uint32_t)COUNT_OF(all));
}

static void lower_at_end(const struct rel *r, struct lowering *l)
{
    const struct set_body *b = r->body;
    struct set_config *c = graph_add_node(l->graph, op_find("hash_set"), kind(b), (struct graph_here){0})->config;

    c->is_except = b->is_except;
    c->all = b->all;
    c->spill = l->spill_groups;
}

static void lower_changes(const struct rel *r, struct lowering *l)
{
    const struct set_body *b = r->body;
    struct set_config *c = graph_add_node(l->graph, op_find("set"), kind(b), (struct graph_here){0})->config;

    c->is_except = b->is_except;
    c->all = b->all;
    c->ttl_ms = l->ttl_ms;
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    (void)e;
    if (r->at_end) lower_at_end(r, l);
    else lower_changes(r, l);
    *node = l->graph->node_count - 1;
    for (uint32_t i = 0; i < 2; i++) lower_edge(l, r, inputs[i], *node, i);
    return S_OK;
}

static void logical(const struct rel *r, struct logical *l)
{
    const struct set_body *b = r->body;

    buf_printf(logical_begin(l, b->is_except ? "Minus" : "Intersect"), "all=[%s]", b->all ? "true" : "false");
    logical_end(l);
}

static const char *advise(const struct rel *r, const struct plan_settings *s, struct arena *a)
{
    if (s->ttl_ms > 0 || (r->inputs[0]->is_bounded && r->inputs[1]->is_bounded)) return NULL;
    return arena_printf(a, "%s keeps all rows for ever: set 'table.exec.state.ttl'", kind(r->body));
}

const struct rel_type rel_set_type = {.name = "SetOperation",
                                      .doc = "rows that are on both sides, or on one side alone",
                                      .ends = true,
                                      .derive = derive,
                                      .wants_before = wants_before,
                                      .distribution = distribution,
                                      .advise = advise,
                                      .passes = union_passes, .is_any = true,
                                      .explain = explain,
                                      .logical = logical, .lower = lower};
