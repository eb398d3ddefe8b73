/* rel.c - making nodes, printing plans, lowering them to the job graph from the sources on. */
#include "language/plan/rel.h"

#include "ground/base/str.h"

#define X(n) extern const struct rel_type rel_##n##_type;
#include "node_registry.def"
#undef X

const struct rel_type *const rel_types[] = {
#define X(n) &rel_##n##_type,
#include "node_registry.def"
#undef X
    NULL,
};

static struct rel *rel_new(struct arena *a, const struct rel_type *type, const struct type *row,
                           struct rel *const *inputs, uint32_t count)
{
    struct rel *r = ARENA_NEW(a, struct rel);
    struct rel **copy = ARENA_ARRAY(a, struct rel *, MAX(count, 1u));

    *r = (struct rel){.type = type, .row = row, .input_count = count, .inputs = copy, .is_bounded = true};
    for (uint32_t i = 0; i < count; i++) {
        copy[i] = inputs[i];
        r->is_bounded &= inputs[i]->is_bounded;
    }
    return r;
}

#define BODY(r, T, value)                                                                                              \
    do {                                                                                                               \
        T *body_ = ARENA_NEW(a, T);                                                                                    \
        *body_ = (value);                                                                                              \
        (r)->body = body_;                                                                                             \
    } while (0)

struct rel *rel_values(struct arena *a, const struct type *row, const struct values_body *body)
{
    struct rel *r = rel_new(a, &rel_values_type, row, NULL, 0);
    BODY(r, struct values_body, *body);
    return r;
}

struct rel *rel_scan(struct arena *a, const struct table *t, const struct type *row)
{
    struct rel *r = rel_new(a, &rel_scan_type, row, NULL, 0);
    BODY(r, struct scan_body, ((struct scan_body){.table = t}));
    r->is_bounded = false; /* the connector knows better; nothing is planned on it yet */
    return r;
}

struct rel *rel_watermark(struct arena *a, struct rel *input, const struct type *row, const struct watermark_body *body)
{
    struct rel *r = rel_new(a, &rel_watermark_type, row, &input, 1);
    BODY(r, struct watermark_body, *body);
    return r;
}

struct rel *rel_calc(struct arena *a, struct rel *input, const struct calc_body *body, const char *const *names)
{
    const struct type **types = ARENA_ARRAY(a, const struct type *, MAX(body->count, 1u));

    for (uint32_t i = 0; i < body->count; i++) types[i] = body->columns[i]->type;
    struct rel *r = rel_new(a, &rel_calc_type,
                            body->count > 0 ? type_row(a, body->count, names, types, false) : input->row, &input, 1);
    BODY(r, struct calc_body, *body);
    return r;
}

struct rel *rel_union(struct arena *a, struct rel *const *inputs, uint32_t count)
{
    return rel_new(a, &rel_union_type, inputs[0]->row, inputs, count);
}

struct rel *rel_sink(struct arena *a, struct rel *input, const struct table *t)
{
    struct rel *r = rel_new(a, &rel_sink_type, input->row, &input, 1);
    BODY(r, struct sink_body, ((struct sink_body){.table = t}));
    return r;
}

static void explain(const struct rel *r, uint32_t depth, struct buf *out)
{
    for (uint32_t i = 1; i < depth; i++) buf_append_text(out, "   ");
    buf_printf(out, "%s%s(", depth > 0 ? "+- " : "", r->type->name);
    if (r->type->explain != NULL) r->type->explain(r, out);
    buf_append_text(out, ")\n");
    for (uint32_t i = 0; i < r->input_count; i++) explain(r->inputs[i], depth + 1, out);
}

void rel_explain(const struct rel *r, struct buf *out) { explain(r, 0, out); }

enum status rel_lower(const struct rel *r, struct lowering *l, uint32_t *node, struct err *e)
{
    uint32_t *inputs = ARENA_ARRAY(l->a, uint32_t, MAX(r->input_count, 1u));

    for (uint32_t i = 0; i < r->input_count; i++) TRY(rel_lower(r->inputs[i], l, &inputs[i], e));
    if (l->graph->node_count == GRAPH_NODES_MAX)
        return err_set(e, E_GRAPH, "the statement needs more than %d operators", GRAPH_NODES_MAX);
    return r->type->lower(r, l, inputs, node, e);
}
