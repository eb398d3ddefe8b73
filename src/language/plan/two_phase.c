/* two_phase.c - the plan with group aggregations in two phases, where the session asks for mini-batches: each GroupAggregate all of whose
 * calls have parts becomes a local and a global one. By Flink's rule one call that has none (values that are kept) leaves the whole node
 * as it is. It is the last rewrite of a plan: what it makes knows no other.
 *
 * Nodes are immutable: a node whose inputs became others is made anew, and what it derives from them is derived again. */
#include "columns/function/agg.h"
#include "ground/base/str.h"
#include "language/plan/aggregate_rel.h"
#include "language/plan/rel_internal.h"

static bool has_parts(struct arena *a, const struct aggregate_call *c, const struct rel *in)
{
    struct agg bound = {.type = agg_find(str_of(c->function)), .argument = c->argument >= 0 ? in->row->children[c->argument] : NULL};
    uint32_t number = 0;

    if (c->parameter != NULL || bound.type == NULL || aggregate_parts(a, c, false, &number) == NULL) return false;
    if (bound.type->merge == NULL || bound.type->bind(&bound, a, NULL) != S_OK || bound.keep != AGG_KEEP_NOTHING) return false;
    return in->modifies == MODIFIES_NOTHING || bound.type->retract != NULL;
}

static bool fits(struct arena *a, const struct rel *r)
{
    const struct aggregate_body *b = r->body;

    if (r->type != &rel_aggregate_type || r->at_end) return false;
    for (uint32_t i = 0; i < b->call_count; i++)
        if (!has_parts(a, &b->calls[i], r->inputs[0])) return false;
    return true;
}

static struct rel *node_new(struct arena *a, const struct rel *like, const struct rel_type *type, const struct type *row, struct rel *input,
                            const struct aggregate_body *body)
{
    struct rel *r = ARENA_NEW(a, struct rel), **inputs = ARENA_ARRAY(a, struct rel *, 1);

    inputs[0] = input;
    *r = (struct rel){.type = type, .row = row, .input_count = 1, .inputs = inputs, .body = body, .is_bounded = like->is_bounded};
    rel_derive(r, a);
    return r;
}

/* Only the groups' columns are known before the operators are asked. */
static struct rel *split(struct arena *a, const struct rel *r)
{
    const struct aggregate_body *b = r->body;
    struct aggregate_body *global = ARENA_NEW(a, struct aggregate_body);
    uint32_t *keys = ARENA_ARRAY(a, uint32_t, b->key_count + 1);

    for (uint32_t i = 0; i < b->key_count; i++) keys[i] = i;
    *global = *b;
    global->keys = keys;
    const struct type *row = type_row(a, b->key_count, r->row->names, r->row->children, false);
    return node_new(a, r, &rel_global_aggregate_type, r->row, node_new(a, r, &rel_local_aggregate_type, row, r->inputs[0], b), global);
}

/* Behind the parts of buckets: both nodes in between as one. */
static struct rel *joined(struct arena *a, struct rel *final)
{
    struct rel *local = final->inputs[0], *global = local->inputs[0];

    if (((const struct aggregate_body *)final->body)->phase != AGGREGATE_FINAL || global->type != &rel_global_aggregate_type) return final;
    struct incremental_body *body = ARENA_NEW(a, struct incremental_body);
    struct rel *one = ARENA_NEW(a, struct rel), **inputs = ARENA_ARRAY(a, struct rel *, 1);
    global->wants_before = true; /* what is taken back goes into the parts */
    *body = (struct incremental_body){.global = global, .local = local};
    *one = (struct rel){.type = &rel_incremental_aggregate_type, .row = local->row, .input_count = 1, .inputs = global->inputs, .body = body,
                        .is_bounded = local->is_bounded};
    rel_derive(one, a);
    inputs[0] = one;
    return rel_over_inputs(a, final, inputs, false);
}

struct rel *rel_two_phase(struct arena *a, struct rel *r, bool incremental)
{
    struct rel **inputs = ARENA_ARRAY(a, struct rel *, r->input_count + 1), *out = r;
    bool same = true;

    if (r->in_phases != NULL) return r->in_phases;
    for (uint32_t i = 0; i < r->input_count; i++) {
        inputs[i] = rel_two_phase(a, r->inputs[i], incremental);
        same &= inputs[i] == r->inputs[i];
    }
    if (!same) out = rel_over_inputs(a, r, inputs, r->at_end);
    if (fits(a, out)) out = incremental ? joined(a, split(a, out)) : split(a, out);
    r->in_phases = rel_say_as(out, r);
    return out;
}
