/* decorrelate.c - sub-queries that read the row around them, as relations without such references.
 *
 * The idea: what a query within says of the row around is pulled up through its plan as long as it may: columns and conditions over
 * both rows are kept beside a relation that is computed once for all rows around. A filter hands its condition up; a projection
 * is substituted; an inner join joins relations and lists. Where rows are grouped, ranked or cut, only equations may pass: what they
 * equate is one more key. What is no equation is bound before, by joining the different values that the query around has of the
 * columns which are read (the domain): then the equations are those of the domain with the row around, in which NULL equals NULL.
 *
 * An aggregate without keys has a row where nothing is grouped: it is total, and what it answers there is a default (0 of COUNT).
 * Above it only projections may be pulled; else the domain is joined, with NULLs and defaults for rows that are missing.
 *
 * Equations and the domain are in decorrelate_domain.c, nodes with one input in decorrelate_pull.c, those with several in
 * decorrelate_inputs.c. Rules stand in a table by node; a node without one that reads the row around is refused. Not here: RIGHT and FULL joins whose sides
 * read it, windows. */
#include "language/sql/decorrelate.h"

#include "ground/base/str.h"
#include "language/sql/decorrelate_internal.h"

#include <string.h>

/* --- lists and expressions --------------------------------------------------------------------------------------- */
void exprs_add(struct arena *a, struct exprs *list, struct expr *x)
{
    if (list->count == list->capacity) {
        uint32_t more = MAX(list->capacity * 2, 8u);
        struct expr **items = ARENA_ARRAY(a, struct expr *, more);
        if (list->count > 0) memcpy(items, list->items, sizeof *items * list->count);
        list->items = items;
        list->capacity = more;
    }
    list->items[list->count++] = x;
}

void exprs_add_parts(struct arena *a, struct exprs *list, struct expr *x)
{
    if (x == NULL) return;
    if (x->kind != EXPR_AND) exprs_add(a, list, x);
    for (uint32_t i = 0; x->kind == EXPR_AND && i < x->count; i++) exprs_add_parts(a, list, x->args[i]);
}

struct moving {
    struct expr *const *columns, *const *outers;
    uint32_t scope;
};

static struct expr *moved_leaf(void *arg, const struct expr *x)
{
    const struct moving *m = arg;

    if (x->kind == EXPR_COLUMN && m->columns != NULL) return m->columns[x->col];
    if (x->kind == EXPR_OUTER && x->scope == m->scope && m->outers != NULL) return m->outers[x->col];
    return NULL;
}

struct expr *expr_moved(struct arena *a, const struct expr *x, struct expr *const *columns, struct expr *const *outers,
                        uint32_t scope)
{
    struct moving m = {columns, outers, scope};

    return expr_replace(a, x, moved_leaf, &m);
}

struct expr **expr_columns_of(struct arena *a, const struct type *row, uint32_t first, uint32_t count)
{
    struct expr_maker m = {.a = a};
    struct expr **out = ARENA_ARRAY(a, struct expr *, count + 1);

    for (uint32_t i = 0; i < count; i++) out[i] = expr_column(&m, row, first + i);
    return out;
}

struct expr_maker around_maker(const struct decorrelation *d)
{
    return (struct expr_maker){.a = d->b->a, .session = d->b->session};
}

bool around_reads(const struct decorrelation *d, const struct expr *x) { return expr_has_outer(x, d->scope); }

bool pulled_reads_around(const struct decorrelation *d, const struct pulled *p)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (around_reads(d, p->columns[i])) return true;
    return false;
}

void pulled_move(struct arena *a, struct pulled *p, struct expr *const *columns, struct expr *const *outers,
                     uint32_t scope)
{
    struct expr **moved = ARENA_ARRAY(a, struct expr *, p->count + 1);

    for (uint32_t i = 0; i < p->count; i++) moved[i] = expr_moved(a, p->columns[i], columns, outers, scope);
    p->columns = moved;
}

/* --- which nodes read the row around ----------------------------------------------------------------------------- */
/* Somebody who looks at expressions. */
struct visitor {
    void (*visit)(struct visitor *v, const struct expr *x);
    uint32_t scope;
    bool found;
    uint64_t *bits;
};

static void visit(struct visitor *v, const struct expr *x)
{
    if (x != NULL) v->visit(v, x);
}

static void calc_visit(const struct rel *r, struct visitor *v)
{
    const struct calc_body *c = r->body;

    visit(v, c->condition);
    for (uint32_t i = 0; i < c->count; i++) visit(v, c->columns[i]);
}

/* Bodies of interval, temporal and lookup joins begin with a join's. */
static void join_visit(const struct rel *r, struct visitor *v)
{
    visit(v, ((const struct join_body *)r->body)->condition);
}

static void list_visit(const struct rel *r, struct visitor *v)
{
    const struct correlate_body *b = r->body;

    visit(v, b->list);
    visit(v, b->condition);
}

static void values_visit(const struct rel *r, struct visitor *v)
{
    const struct values_body *b = r->body;

    for (uint32_t i = 0; i < b->row_count * r->row->child_count; i++) visit(v, b->items[i]);
}

static void expand_visit(const struct rel *r, struct visitor *v)
{
    const struct expand_body *b = r->body;

    for (uint32_t i = 0; i < b->set_count * b->count; i++) visit(v, b->columns[i]);
}

static void rel_visit(const struct rel *r, struct visitor *v);

static void find_scope(struct visitor *v, const struct expr *x) { v->found |= expr_has_outer(x, v->scope); }

bool rel_mentions(const struct rel *r, uint32_t scope)
{
    struct visitor v = {.visit = find_scope, .scope = scope};

    rel_visit(r, &v);
    return v.found;
}

static void mark_outers(struct visitor *v, const struct expr *x)
{
    if (x->kind == EXPR_OUTER && x->scope == v->scope) bit_set(v->bits, x->col);
    for (uint32_t i = 0; i < x->count; i++) mark_outers(v, x->args[i]);
}

void rel_marks_outers(const struct rel *r, uint32_t scope, uint64_t *bits)
{
    struct visitor v = {.visit = mark_outers, .scope = scope, .bits = bits};

    rel_visit(r, &v);
}

/* --- the rules --------------------------------------------------------------------------------------------------- */
static const struct rule {
    const struct rel_type *type;
    void (*exprs)(const struct rel *r, struct visitor *v); /* shows its own expressions; NULL: it has none */
    enum status (*pull)(struct decorrelation *d, struct rel *r, struct pulled *out); /* NULL: refused */
} rules[] = {
    {&rel_calc_type, calc_visit, pull_calc},      {&rel_async_calc_type, calc_visit, pull_calc},
    {&rel_aggregate_type, NULL, pull_aggregate},
    {&rel_join_type, join_visit, pull_join},      {&rel_rank_type, NULL, pull_rank},
    {&rel_sort_limit_type, NULL, pull_rank},      {&rel_limit_type, NULL, pull_rank},
    {&rel_deduplicate_type, NULL, pull_rank},     {&rel_over_type, NULL, pull_over},
    {&rel_union_type, NULL, pull_union},          {&rel_set_type, NULL, pull_set},
    {&rel_correlate_type, list_visit, pull_list}, {&rel_interval_join_type, join_visit, NULL},
    {&rel_temporal_join_type, join_visit, NULL},  {&rel_lookup_join_type, join_visit, NULL},
    {&rel_values_type, values_visit, NULL},       {&rel_expand_type, expand_visit, NULL},
};

static const struct rule *rule_of(const struct rel *r)
{
    for (size_t i = 0; i < COUNT_OF(rules); i++)
        if (rules[i].type == r->type) return &rules[i];
    return NULL;
}

static void rel_visit(const struct rel *r, struct visitor *v)
{
    const struct rule *rule = rule_of(r);

    if (rule != NULL && rule->exprs != NULL) rule->exprs(r, v);
    for (uint32_t i = 0; i < r->input_count; i++) rel_visit(r->inputs[i], v);
}

enum status decorrelate(struct decorrelation *d, struct rel *r, struct pulled *out)
{
    const struct rule *rule = rule_of(r);

    if (!rel_mentions(r, d->scope)) {
        *out = pulled_plain(d, r);
        return S_OK;
    }
    return rule != NULL && rule->pull != NULL ? rule->pull(d, r, out) : pull_refuse(d, r);
}
