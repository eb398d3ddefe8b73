/* node_async_calc.c - AsyncCalc: a projection whose functions wait for something outside. It has no condition: what does not wait is
 * tested in a Calc below, so that nothing is called for rows that are dropped, and what waits is a column that a Calc above tests. */
#include "flow/operator/calc.h"
#include "language/plan/rel_internal.h"

#include <string.h>

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct calc_body *c = r->body;
    struct graph_node *n = graph_add_node(l->graph, op_find("async_calc"), "AsyncCalc", (struct graph_here){0});
    const struct async_calls *s = c->is_table ? &l->async_table : &l->async_scalar;

    (void)e;
    *(struct async_calc_config *)n->config = (struct async_calc_config){
        .calc = {.columns = lower_exprs(l, c->columns, c->count),
                 .names = {r->row->names, c->count},
                 .zone = lower_zone(l)},
        .capacity = s->capacity,
        .timeout_ms = s->timeout_ms,
        .attempts = s->attempts,
        .retry_delay_ms = s->retry_delay_ms};
    *node = l->graph->node_count - 1;
    graph_add_edge(l->graph, inputs[0], *node, 0, (struct graph_here){0});
    return S_OK;
}

const struct rel_type rel_async_calc_type = {.name = "AsyncCalc",
                                             .passes_changes = true,
                                             .doc = "columns computed by functions that wait for something outside",
                                             .derive = calc_derive,
                                             .wants_before = calc_wants_before,
                                             .lies_by = calc_lies_by,
                                             .advise = calc_advise,
                                             .explain = calc_explain,
                                             .logical = calc_logical,
                                             .lower = lower};

/* --- making them --------------------------------------------------------------------------------------------------------- */
static struct rel *project(struct arena *a, struct rel *input, const struct calc_body *body, const char *const *names)
{
    const struct type **types = ARENA_ARRAY(a, const struct type *, MAX(body->count, 1u));

    for (uint32_t i = 0; i < body->count; i++) types[i] = body->columns[i]->type;
    return rel_of_calc(a, &rel_async_calc_type, type_row(a, body->count, names, types, false), input, body);
}

/* The columns of the input, and one more. */
static struct rel *with_column(struct arena *a, struct rel *input, struct expr *x, bool is_table)
{
    struct expr_maker m = {.a = a};
    uint32_t n = input->row->child_count;
    struct calc_body c = {.count = n + 1, .columns = NULL, .is_table = is_table};
    struct expr **columns = ARENA_ARRAY(a, struct expr *, n + 1);
    const char **names = ARENA_ARRAY(a, const char *, n + 1);

    for (uint32_t i = 0; i < n; i++) {
        columns[i] = expr_column(&m, input->row, i);
        names[i] = input->row->names[i];
    }
    columns[n] = x;
    names[n] = arena_printf(a, "$async%u", n);
    c.columns = columns;
    return project(a, input, &c, names);
}

/* The parts of a condition that wait, or those that do not. */
static struct expr *part_of(struct arena *a, struct expr *condition, bool waits)
{
    struct expr *out = NULL;

    if (condition == NULL || condition->kind != EXPR_AND)
        return condition != NULL && expr_is_async(condition) == waits ? condition : NULL;
    for (uint32_t i = 0; i < condition->count; i++) out = calc_and(a, out, part_of(a, condition->args[i], waits));
    return out;
}

struct rel *calc_async(struct arena *a, struct rel *input, const struct calc_body *body, const char *const *names)
{
    struct expr *first = part_of(a, body->condition, false), *waits = part_of(a, body->condition, true);
    struct calc_body rest = *body;
    struct expr_maker m = {.a = a};

    if (first != NULL) {
        const struct calc_body test = {.condition = first, .alone = body->alone};
        input = rel_calc(a, input, &test, input->row->names);
    }
    rest.condition = NULL;
    if (waits == NULL) return project(a, input, &rest, names);
    if (rest.count == 0) { /* all columns as they are */
        struct expr **columns = ARENA_ARRAY(a, struct expr *, input->row->child_count);
        rest.count = input->row->child_count;
        for (uint32_t i = 0; i < rest.count; i++) columns[i] = expr_column(&m, input->row, i);
        rest.columns = columns;
        names = input->row->names;
    }
    struct rel *tested = with_column(a, input, waits, false);
    rest.condition = expr_column(&m, tested->row, input->row->child_count);
    return rel_calc(a, tested, &rest, names);
}

struct rel *correlate_async(struct arena *a, struct rel *input, const struct correlate_body *body)
{
    struct rel *below = with_column(a, input, body->list, true);
    struct expr_maker m = {.a = a};
    uint32_t n = input->row->child_count, all = rel_correlate_row(a, input->row, body)->child_count;
    const char **names = ARENA_ARRAY(a, const char *, all + 1);
    struct expr **moved = ARENA_ARRAY(a, struct expr *, all);
    struct correlate_body list = *body;

    memcpy(names, body->names, sizeof *names * n);
    names[n] = below->row->names[n];
    memcpy(names + n + 1, body->names + n, sizeof *names * (all - n));
    list.list = expr_column(&m, below->row, n);
    list.names = names;
    list.condition = NULL;
    const struct type *row = rel_correlate_row(a, below->row, &list);
    for (uint32_t i = 0; i < all; i++) moved[i] = expr_column(&m, row, i + (i >= n));
    if (body->condition != NULL) list.condition = expr_substitute(a, body->condition, moved);
    struct calc_body c = {.count = all, .columns = moved};
    return rel_calc(a, rel_correlate(a, below, &list), &c, body->names);
}
