/* batch.c - the plan of a query for batch mode: the same nodes, but none of them changes rows that it has given. Those that can hold
 * their results back until their input has ended do so (rel_type's `ends`); behind all others that still update or delete stands a
 * Fold. Joins (those of windows, too) and groups are made as batch_join.c and node_hash_aggregate.c choose. What comes by an order and a limit of few rows is put into that order again.
 *
 * Nodes are immutable: a node whose inputs became others is made anew, and what it derives from them is derived again. */
#include "language/plan/aggregate_rel.h"
#include "language/plan/batch_join_rel.h"
#include "language/plan/rank_rel.h"
#include "language/plan/rel_internal.h"

static enum status check_bounded(const struct table *t, struct err *e)
{
    if (scan_is_bounded(t)) return S_OK;
    err_hint(e, "SET 'execution.runtime-mode' = 'streaming', or give the table an end");
    return err_set(e, E_DATA, "Querying an unbounded table '%s.%s.%s' in batch mode is not allowed. The table source is unbounded.",
                   t->catalog, t->database, t->name);
}

static struct rel *ordered_again(struct arena *a, struct rel *r, const struct rel *limit)
{
    const struct rank_body *b = limit->body;

    if (limit->type != &rel_sort_limit_type) return r;
    return rel_sort(a, r, &(struct sort_body){b->order_count, b->order});
}

static bool ends(const struct rel *r)
{
    if (r->type == &rel_sort_limit_type) return sort_limit_ends(r->body);
    if (r->type == &rel_rank_type) return rank_ends(r->body);
    return r->type->ends;
}

/* The node over inputs that were made for batch. */
static enum status remade(struct arena *a, const struct rel *r, struct rel *const *inputs, const struct plan_settings *s, struct rel **out,
                          struct err *e)
{
    if (r->type == &rel_join_type) return batch_join(a, r, inputs, s, out, e);
    if (r->type == &rel_window_join_type && !r->inputs[0]->window->processing_time) return batch_window_join(a, r, inputs, s, out, e);
    if (r->type == &rel_aggregate_type) return batch_aggregate(a, r, inputs, s, out, e);
    struct rel *copy = rel_over_inputs(a, r, inputs, ends(r));
    *out = copy->modifies == MODIFIES_NOTHING ? copy : ordered_again(a, rel_fold(a, copy), copy);
    return S_OK;
}

enum status rel_batch(struct arena *a, struct rel *r, const struct plan_settings *s, struct rel **out, const struct rel_said **said,
                      struct err *e)
{
    struct rel **inputs = ARENA_ARRAY(a, struct rel *, r->input_count + 1);

    if (r->in_batch == NULL) {
        enum status st = rel_scanned(r) != NULL ? check_bounded(rel_scanned(r), e) : S_OK;
        for (uint32_t i = 0; i < r->input_count && st == S_OK; i++) st = rel_batch(a, r->inputs[i], s, &inputs[i], said, e);
        if (st == S_OK) st = remade(a, r, inputs, s, &r->in_batch, e);
        if (st != S_OK && *said == NULL) *said = r->said;
        TRY(st);
        rel_say_as(r->in_batch, r);
    }
    *out = r->in_batch;
    return S_OK;
}
