/* decorrelate_domain.c - what a query within says of the row around as equations; where it says something else, the different values that
 * the query around has of the columns which are read (the domain) are joined first: see decorrelate.c. */
#include "language/sql/decorrelate_internal.h"

#include "ground/base/str.h"

#include <string.h>

static bool reads_columns(const struct expr *x)
{
    if (x->kind == EXPR_COLUMN) return true;
    for (uint32_t i = 0; i < x->count; i++)
        if (reads_columns(x->args[i])) return true;
    return false;
}

bool equation_find(const struct decorrelation *d, const struct expr *x, struct equation *out)
{
    if (x->kind != EXPR_CALL || x->count != 2) return false;
    out->null_safe = strcmp(x->call->def->name, "IS NOT DISTINCT FROM") == 0;
    if (!out->null_safe && strcmp(x->call->def->name, "=") != 0) return false;
    bool turned = around_reads(d, x->args[0]);
    out->within = x->args[turned];
    out->around = x->args[!turned];
    const struct type *t = out->within->type;
    return !around_reads(d, out->within) && !reads_columns(out->around) && t->phys != P_LIST && t->phys != P_ROW;
}

static bool are_equations(const struct decorrelation *d, const struct exprs *list)
{
    struct equation eq;

    for (uint32_t i = 0; i < list->count; i++)
        if (!equation_find(d, list->items[i], &eq)) return false;
    return true;
}

enum status equation_make(const struct decorrelation *d, struct expr *x, struct expr *y, bool null_safe,
                         struct expr **out)
{
    struct expr_maker m = around_maker(d);
    struct expr *args[] = {x, y};

    return expr_call(&m, null_safe ? STR("IS NOT DISTINCT FROM") : STR("="), args, 2, out, d->b->e);
}

/* --- the domain -------------------------------------------------------------------------------------------------- */
void around_mark(const struct decorrelation *d, const struct expr *x, uint64_t *bits)
{
    if (x->kind == EXPR_OUTER && x->scope == d->scope) bit_set(bits, x->col);
    for (uint32_t i = 0; i < x->count; i++) around_mark(d, x->args[i], bits);
}

void domain_make(const struct decorrelation *d, const uint64_t *bits, struct domain *out)
{
    struct arena *a = d->b->a;
    const struct type *row = d->outer->row;
    struct expr_maker m = around_maker(d);
    struct expr **columns = ARENA_ARRAY(a, struct expr *, row->child_count + 1);
    const char **names = ARENA_ARRAY(a, const char *, row->child_count + 1);

    *out = (struct domain){.cols = ARENA_ARRAY(a, uint32_t, row->child_count + 1)};
    for (uint32_t i = 0; i < row->child_count; i++) {
        if (!bit_get(bits, i)) continue;
        columns[out->count] = expr_column(&m, row, i);
        names[out->count] = arena_printf(a, "$cor%u", out->count);
        out->cols[out->count++] = i;
    }
    out->rel = bind_distinct(
        d->b, rel_calc(a, d->outer, &(struct calc_body){.count = out->count, .columns = columns}, names));
}

/* By column of the row around: the domain's, as columns of `row` from 0 on. */
static struct expr **domain_columns(const struct decorrelation *d, const struct domain *dom, const struct type *row)
{
    struct expr_maker m = around_maker(d);
    struct expr **out = ARENA_ARRAY(d->b->a, struct expr *, d->outer->row->child_count + 1);

    for (uint32_t i = 0; i < dom->count; i++) out[dom->cols[i]] = expr_column(&m, row, i);
    return out;
}

enum status domain_conditions(const struct decorrelation *d, const struct domain *dom, const struct type *row,
                                     struct exprs *out)
{
    struct expr_maker m = around_maker(d);
    struct expr *x;

    *out = (struct exprs){0};
    for (uint32_t i = 0; i < dom->count; i++) {
        struct expr *around = expr_outer(d->b->a, expr_column(&m, d->outer->row, dom->cols[i]), d->scope);
        TRY(equation_make(d, expr_column(&m, row, i), around, true, &x));
        exprs_add(d->b->a, out, x);
    }
    return S_OK;
}

struct bind_source pulled_source(struct rel *r) { return (struct bind_source){.rel = r, .scope = {.row = r->row}}; }

/* A join by conditions that speak of the columns of both, left before right. */
enum status around_join(const struct decorrelation *d, enum rel_join_kind kind, struct rel *left, struct rel *right,
                           const struct exprs *on, struct rel **out)
{
    struct expr_maker m = around_maker(d);
    struct bind_source sides[] = {pulled_source(left), pulled_source(right)};
    struct expr *nothing = NULL;

    if (left->row->child_count + right->row->child_count > TYPE_FIELDS_MAX)
        return sql_error(d->b->e, d->b->t, d->place.at, d->place.size, "a join has at most %d columns of both sides",
                         TYPE_FIELDS_MAX);
    struct join_tree *t = join_tree_create(d->b->a, kind, &sides[0], &sides[1]);
    for (uint32_t i = 0; i < on->count; i++) join_tree_add(t, d->b->a, on->items[i]);
    return join_tree_plan(&m, t, &nothing, out, d->b->e);
}

/* Beside each row of the domain (left) what belongs to it. `more`: columns around that must be in it, too; NULL: none. */
enum status domain_join(struct decorrelation *d, struct pulled *p, enum rel_join_kind kind, const uint64_t *more)
{
    struct arena *a = d->b->a;
    uint64_t bits[(TYPE_FIELDS_MAX + 63) / 64] = {0};
    struct exprs on = {0};
    struct domain dom;

    for (uint32_t i = 0; i < p->count; i++) around_mark(d, p->columns[i], bits);
    for (uint32_t i = 0; i < p->conditions.count; i++) around_mark(d, p->conditions.items[i], bits);
    for (size_t w = 0; more != NULL && w < COUNT_OF(bits); w++) bits[w] |= more[w];
    domain_make(d, bits, &dom);
    struct bind_source sides[] = {pulled_source(dom.rel), pulled_source(p->rel)};
    const struct type *pair = join_tree_create(a, REL_JOIN_INNER, &sides[0], &sides[1])->pair;
    struct expr **columns = expr_columns_of(a, pair, dom.count, p->rel->row->child_count),
                **outers = domain_columns(d, &dom, pair);
    for (uint32_t i = 0; i < p->conditions.count; i++)
        exprs_add(a, &on, expr_moved(a, p->conditions.items[i], columns, outers, d->scope));
    uint32_t count = p->rel->row->child_count;
    TRY(around_join(d, kind, dom.rel, p->rel, &on, &p->rel));
    columns = expr_columns_of(a, p->rel->row, dom.count, count);
    for (uint32_t i = 0; p->is_total && i < count; i++) {
        struct expr_maker m = around_maker(d);
        struct expr *either[] = {columns[i], p->defaults[i]};
        if (p->defaults[i] != NULL) TRY(expr_branch(&m, EXPR_COALESCE, either, 2, &columns[i], d->b->e));
    }
    pulled_move(a, p, columns, domain_columns(d, &dom, p->rel->row), d->scope);
    p->is_total = false;
    return domain_conditions(d, &dom, p->rel->row, &p->conditions);
}

enum status pulled_settle(struct decorrelation *d, struct pulled *p)
{
    return p->is_total ? domain_join(d, p, REL_JOIN_LEFT, NULL) : S_OK;
}

enum status pulled_detach(struct decorrelation *d, struct pulled *p)
{
    TRY(pulled_settle(d, p));
    if (!pulled_reads_around(d, p) && are_equations(d, &p->conditions)) return S_OK;
    return domain_join(d, p, REL_JOIN_INNER, NULL);
}
