/* node_incremental_aggregate.c - IncrementalGroupAggregate: between buckets of DISTINCT values and the groups that they belong to
 * (split_distinct.c) with two phases each. It puts the parts of buckets together and makes parts of the groups of what has changed: a
 * GlobalGroupAggregate and a LocalGroupAggregate that are one node, and two operators in a chain. */
#include "language/plan/aggregate_rel.h"
#include "language/plan/rel_internal.h"

static const struct aggregate_body *partial_of(const struct rel *r)
{
    return ((const struct incremental_body *)r->body)->global->body;
}
static const struct aggregate_body *final_of(const struct rel *r)
{
    return ((const struct incremental_body *)r->body)->local->body;
}

static void derive(struct rel *r, struct arena *a)
{
    (void)a;
    r->is_empty = final_of(r)->key_count > 0 && r->inputs[0]->is_empty;
}

static int distribution(const struct rel *r, uint32_t input, const uint32_t **cols)
{
    (void)input;
    *cols = partial_of(r)->keys;
    return (int)partial_of(r)->key_count;
}

static const char *advise(const struct rel *r, const struct plan_settings *s, struct arena *a)
{
    const struct rel *global = ((const struct incremental_body *)r->body)->global;

    return global->type->advise(global, s, a);
}

static void print_keys(const struct aggregate_body *b, const struct type *row, struct buf *out)
{
    for (uint32_t i = 0; i < b->key_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", row->names[i]);
}

static void explain(const struct rel *r, struct buf *out)
{
    const struct aggregate_body *b = partial_of(r), *final = final_of(r);
    const struct rel *global = ((const struct incremental_body *)r->body)->global, *source = r->inputs[0]->inputs[0];
    uint32_t read = 0, made = 0;
    struct arena names;

    arena_init(&names, out->mem, 0);
    buf_append_text(out, "partialAggGrouping=[");
    print_keys(b, global->row, out);
    buf_append_text(out, "], finalAggGrouping=[");
    print_keys(final, global->row, out);
    buf_append_text(out, "], select=[");
    print_keys(final, global->row, out);
    for (uint32_t i = 0; i < b->call_count; i++) {
        if (final->key_count + i > 0) buf_append_text(out, ", ");
        aggregate_print_function(&b->calls[i], source->modifies != MODIFIES_NOTHING, out);
        buf_append_byte(out, '(');
        if (b->calls[i].distinct) buf_printf(out, "distinct$%u ", aggregate_set(b, i));
        buf_printf(out, "%s)", aggregate_parts(&names, &b->calls[i], source->modifies != MODIFIES_NOTHING, &read));
        buf_printf(out, " AS %s", aggregate_parts(&names, &final->calls[i], true, &made));
    }
    buf_append_byte(out, ']');
    arena_release(&names);
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct incremental_body *b = r->body;
    uint32_t buckets;

    TRY(b->global->type->lower(b->global, l, inputs, &buckets, e));
    return b->local->type->lower(b->local, l, &buckets, node, e);
}

const struct rel_type rel_incremental_aggregate_type = {
    .name = "IncrementalGroupAggregate",
    .doc = "groups of buckets put together, and parts of groups of what has changed",
    .derive = derive,
    .distribution = distribution,
    .advise = advise,
    .explain = explain,
    .lower = lower};
