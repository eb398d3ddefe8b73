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
 * Rules stand in a table by node; a node without one that reads the row around is refused. Not here: RIGHT and FULL joins whose sides
 * read it, windows. */
#include "language/sql/decorrelate.h"

#include "ground/base/str.h"
#include "language/sql/join_tree.h"

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

static struct expr_maker maker_of(const struct decorrelation *d)
{
    return (struct expr_maker){.a = d->b->a, .session = d->b->session};
}

static bool reads_around(const struct decorrelation *d, const struct expr *x) { return expr_has_outer(x, d->scope); }

static bool columns_read_around(const struct decorrelation *d, const struct pulled *p)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (reads_around(d, p->columns[i])) return true;
    return false;
}

static void move_all(struct arena *a, struct pulled *p, struct expr *const *columns, struct expr *const *outers,
                     uint32_t scope)
{
    struct expr **moved = ARENA_ARRAY(a, struct expr *, p->count + 1);

    for (uint32_t i = 0; i < p->count; i++) moved[i] = expr_moved(a, p->columns[i], columns, outers, scope);
    p->columns = moved;
}

/* --- equations with the row around ------------------------------------------------------------------------------- */
struct equation {
    struct expr *within, *around;
    bool null_safe;
};

static bool reads_columns(const struct expr *x)
{
    if (x->kind == EXPR_COLUMN) return true;
    for (uint32_t i = 0; i < x->count; i++)
        if (reads_columns(x->args[i])) return true;
    return false;
}

static bool is_equation(const struct decorrelation *d, const struct expr *x, struct equation *out)
{
    if (x->kind != EXPR_CALL || x->count != 2) return false;
    out->null_safe = strcmp(x->call->def->name, "IS NOT DISTINCT FROM") == 0;
    if (!out->null_safe && strcmp(x->call->def->name, "=") != 0) return false;
    bool turned = reads_around(d, x->args[0]);
    out->within = x->args[turned];
    out->around = x->args[!turned];
    const struct type *t = out->within->type;
    return !reads_around(d, out->within) && !reads_columns(out->around) && t->phys != P_LIST && t->phys != P_ROW;
}

static bool are_equations(const struct decorrelation *d, const struct exprs *list)
{
    struct equation eq;

    for (uint32_t i = 0; i < list->count; i++)
        if (!is_equation(d, list->items[i], &eq)) return false;
    return true;
}

static enum status equal(const struct decorrelation *d, struct expr *x, struct expr *y, bool null_safe,
                         struct expr **out)
{
    struct expr_maker m = maker_of(d);
    struct expr *args[] = {x, y};

    return expr_call(&m, null_safe ? STR("IS NOT DISTINCT FROM") : STR("="), args, 2, out, d->b->e);
}

/* --- the domain -------------------------------------------------------------------------------------------------- */
/* Different values of the columns around that are read. */
struct domain {
    uint32_t count;
    uint32_t *cols;
    struct rel *rel;
};

static void outers_mark(const struct decorrelation *d, const struct expr *x, uint64_t *bits)
{
    if (x->kind == EXPR_OUTER && x->scope == d->scope) bit_set(bits, x->col);
    for (uint32_t i = 0; i < x->count; i++) outers_mark(d, x->args[i], bits);
}

static void domain_make(const struct decorrelation *d, const uint64_t *bits, struct domain *out)
{
    struct arena *a = d->b->a;
    const struct type *row = d->outer->row;
    struct expr_maker m = maker_of(d);
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
    struct expr_maker m = maker_of(d);
    struct expr **out = ARENA_ARRAY(d->b->a, struct expr *, d->outer->row->child_count + 1);

    memset(out, 0, sizeof *out * (d->outer->row->child_count + 1));
    for (uint32_t i = 0; i < dom->count; i++) out[dom->cols[i]] = expr_column(&m, row, i);
    return out;
}

static enum status domain_conditions(const struct decorrelation *d, const struct domain *dom, const struct type *row,
                                     struct exprs *out)
{
    struct expr_maker m = maker_of(d);
    struct expr *x;

    *out = (struct exprs){0};
    for (uint32_t i = 0; i < dom->count; i++) {
        struct expr *around = expr_outer(d->b->a, expr_column(&m, d->outer->row, dom->cols[i]), d->scope);
        TRY(equal(d, expr_column(&m, row, i), around, true, &x));
        exprs_add(d->b->a, out, x);
    }
    return S_OK;
}

static struct bind_source source_of(struct rel *r) { return (struct bind_source){.rel = r, .scope = {.row = r->row}}; }

/* A join by conditions that speak of the columns of both, left before right. */
static enum status join_by(const struct decorrelation *d, enum rel_join_kind kind, struct rel *left, struct rel *right,
                           const struct exprs *on, struct rel **out)
{
    struct expr_maker m = maker_of(d);
    struct bind_source sides[] = {source_of(left), source_of(right)};
    struct expr *nothing = NULL;

    if (left->row->child_count + right->row->child_count > TYPE_FIELDS_MAX)
        return sql_error(d->b->e, d->b->t, d->place.at, d->place.size, "a join has at most %d columns of both sides",
                         TYPE_FIELDS_MAX);
    struct join_tree *t = join_tree_create(d->b->a, kind, &sides[0], &sides[1]);
    for (uint32_t i = 0; i < on->count; i++) join_tree_add(t, d->b->a, on->items[i]);
    return join_tree_plan(&m, t, &nothing, out, d->b->e);
}

/* Beside each row of the domain (left) what belongs to it. `more`: columns around that must be in it, too; NULL: none. */
static enum status domain_join(struct decorrelation *d, struct pulled *p, enum rel_join_kind kind, const uint64_t *more)
{
    struct arena *a = d->b->a;
    uint64_t bits[(TYPE_FIELDS_MAX + 63) / 64] = {0};
    struct exprs on = {0};
    struct domain dom;

    for (uint32_t i = 0; i < p->count; i++) outers_mark(d, p->columns[i], bits);
    for (uint32_t i = 0; i < p->conditions.count; i++) outers_mark(d, p->conditions.items[i], bits);
    for (size_t w = 0; more != NULL && w < COUNT_OF(bits); w++) bits[w] |= more[w];
    domain_make(d, bits, &dom);
    struct bind_source sides[] = {source_of(dom.rel), source_of(p->rel)};
    const struct type *pair = join_tree_create(a, REL_JOIN_INNER, &sides[0], &sides[1])->pair;
    struct expr **columns = expr_columns_of(a, pair, dom.count, p->rel->row->child_count),
                **outers = domain_columns(d, &dom, pair);
    for (uint32_t i = 0; i < p->conditions.count; i++)
        exprs_add(a, &on, expr_moved(a, p->conditions.items[i], columns, outers, d->scope));
    uint32_t count = p->rel->row->child_count;
    TRY(join_by(d, kind, dom.rel, p->rel, &on, &p->rel));
    columns = expr_columns_of(a, p->rel->row, dom.count, count);
    for (uint32_t i = 0; p->is_total && i < count; i++) {
        struct expr_maker m = maker_of(d);
        struct expr *either[] = {columns[i], p->defaults[i]};
        if (p->defaults[i] != NULL) TRY(expr_branch(&m, EXPR_COALESCE, either, 2, &columns[i], d->b->e));
    }
    move_all(a, p, columns, domain_columns(d, &dom, p->rel->row), d->scope);
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
    if (!columns_read_around(d, p) && are_equations(d, &p->conditions)) return S_OK;
    return domain_join(d, p, REL_JOIN_INNER, NULL);
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

/* --- pulling up -------------------------------------------------------------------------------------------------- */
static struct pulled plain(struct decorrelation *d, struct rel *r)
{
    return (struct pulled){
        .rel = r, .count = r->row->child_count, .columns = expr_columns_of(d->b->a, r->row, 0, r->row->child_count)};
}

static enum status filter(struct decorrelation *d, struct pulled *p, const struct exprs *parts)
{
    struct expr_maker m = maker_of(d);
    struct calc_body calc = {.condition = parts->count > 0 ? parts->items[0] : NULL};

    if (parts->count == 0) return S_OK;
    if (parts->count > 1) TRY(expr_branch(&m, EXPR_AND, parts->items, parts->count, &calc.condition, d->b->e));
    calc.count = p->rel->row->child_count;
    calc.columns = expr_columns_of(d->b->a, p->rel->row, 0, calc.count);
    p->rel = rel_calc(d->b->a, p->rel, &calc, p->rel->row->names);
    return S_OK;
}

static enum status pull_calc(struct decorrelation *d, struct rel *r, struct pulled *out)
{
    const struct calc_body *c = r->body;
    struct arena *a = d->b->a;
    struct exprs parts = {0}, own = {0};

    TRY(decorrelate(d, r->inputs[0], out));
    if (c->condition != NULL) TRY(pulled_settle(d, out));
    if (c->condition != NULL) exprs_add_parts(a, &parts, expr_moved(a, c->condition, out->columns, NULL, d->scope));
    for (uint32_t i = 0; i < parts.count; i++)
        exprs_add(a, reads_around(d, parts.items[i]) ? &out->conditions : &own, parts.items[i]);
    TRY(filter(d, out, &own));
    if (c->count == 0) return S_OK;
    struct expr **columns = ARENA_ARRAY(a, struct expr *, c->count);
    for (uint32_t i = 0; i < c->count; i++) columns[i] = expr_moved(a, c->columns[i], out->columns, NULL, d->scope);
    out->columns = columns;
    out->count = c->count;
    return S_OK;
}

/* A Calc of the query's columns, behind them what the equations say of the row within. Equations then speak of those columns. */
static enum status lay_out(struct decorrelation *d, struct pulled *p, uint32_t *keys)
{
    struct arena *a = d->b->a;
    struct equation eq;

    TRY(pulled_detach(d, p));
    uint32_t n = p->count + p->conditions.count;
    struct expr **columns = ARENA_ARRAY(a, struct expr *, n + 1);
    const char **names = ARENA_ARRAY(a, const char *, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        bool own = i < p->count;
        if (!own && !is_equation(d, p->conditions.items[i - p->count], &eq)) return E_GRAPH;
        columns[i] = own ? p->columns[i] : eq.within;
        names[i] = arena_printf(a, own ? "$q%u" : "$k%u", own ? i : i - p->count);
    }
    *keys = p->conditions.count;
    p->rel = rel_calc(a, p->rel, &(struct calc_body){.count = n, .columns = columns}, names);
    return S_OK;
}

/* The equations again, of columns of p->rel: cols[i] is that of condition i. */
static enum status equations_restate(struct decorrelation *d, struct pulled *p, const uint32_t *cols)
{
    struct expr_maker m = maker_of(d);
    struct exprs stated = {0};
    struct equation eq;
    struct expr *x;

    for (uint32_t i = 0; i < p->conditions.count; i++) {
        if (!is_equation(d, p->conditions.items[i], &eq)) return E_GRAPH;
        TRY(equal(d, expr_column(&m, p->rel->row, cols[i]), eq.around, eq.null_safe, &x));
        exprs_add(d->b->a, &stated, x);
    }
    p->conditions = stated;
    return S_OK;
}

enum status pulled_flatten(struct decorrelation *d, struct pulled *p, const char *const *names)
{
    uint32_t more = 0;

    TRY(lay_out(d, p, &more));
    uint32_t n = p->count + more, *cols = ARENA_ARRAY(d->b->a, uint32_t, more + 1);
    const char **all = ARENA_ARRAY(d->b->a, const char *, n + 1);
    for (uint32_t i = 0; i < n; i++) all[i] = i < p->count ? names[i] : p->rel->row->names[i];
    for (uint32_t i = 0; i < more; i++) cols[i] = p->count + i;
    p->rel = rel_renamed(d->b->a, p->rel, all);
    p->columns = expr_columns_of(d->b->a, p->rel->row, 0, p->count);
    return equations_restate(d, p, cols);
}

static enum status defaults_make(struct decorrelation *d, struct pulled *p, const struct aggregate_body *b,
                                 uint32_t first)
{
    struct expr_maker m = maker_of(d);

    p->is_total = true;
    p->defaults = ARENA_ARRAY(d->b->a, struct expr *, p->rel->row->child_count + 1);
    memset(p->defaults, 0, sizeof *p->defaults * (p->rel->row->child_count + 1));
    for (uint32_t i = 0; i < b->call_count; i++)
        if (strcmp(b->calls[i].function, "count") == 0)
            TRY(expr_constant(&m, type_with_null(d->b->a, b->calls[i].result, false), STR("0"), &p->defaults[first + i],
                              d->b->e));
    return S_OK;
}

static enum status pull_aggregate(struct decorrelation *d, struct rel *r, struct pulled *out)
{
    const struct aggregate_body *b = r->body;
    struct arena *a = d->b->a;
    uint32_t more = 0, n = 0;

    TRY(decorrelate(d, r->inputs[0], out));
    TRY(lay_out(d, out, &more));
    uint32_t *keys = ARENA_ARRAY(a, uint32_t, b->key_count + more + 1), *cols = ARENA_ARRAY(a, uint32_t, more + 1);
    for (uint32_t i = 0; i < b->key_count; i++) keys[n++] = b->keys[i];
    for (uint32_t i = 0; i < more; i++) {
        cols[i] = n;
        keys[n++] = out->count + i;
    }
    struct aggregate_body body = {n, b->call_count, keys, b->calls, b->ttl};
    out->rel = rel_aggregate(a, out->rel, &body);
    TRY(equations_restate(d, out, cols));
    if (b->key_count == 0) TRY(defaults_make(d, out, b, n));
    out->count = b->key_count + b->call_count;
    out->columns = expr_columns_of(a, out->rel->row, 0, out->count);
    struct expr **calls = expr_columns_of(a, out->rel->row, n, b->call_count);
    for (uint32_t i = 0; i < b->call_count; i++) out->columns[b->key_count + i] = calls[i];
    return S_OK;
}

static enum status pull_rank(struct decorrelation *d, struct rel *r, struct pulled *out)
{
    struct rank_body b = *(const struct rank_body *)r->body;
    struct arena *a = d->b->a;
    uint32_t more = 0;

    TRY(decorrelate(d, r->inputs[0], out));
    TRY(lay_out(d, out, &more));
    uint32_t *partition = ARENA_ARRAY(a, uint32_t, b.partition_count + more + 1),
             *cols = ARENA_ARRAY(a, uint32_t, more + 1);
    for (uint32_t i = 0; i < b.partition_count; i++) partition[i] = b.partition[i];
    for (uint32_t i = 0; i < more; i++) partition[b.partition_count + i] = cols[i] = out->count + i;
    b.partition = partition;
    b.partition_count += more;
    if (more > 0 && b.is_limit) {
        b.is_limit = false;
        b.function = "ROW_NUMBER";
    }
    out->rel = rel_rank(a, out->rel, &b);
    TRY(equations_restate(d, out, cols));
    uint32_t n = out->count, last = out->rel->row->child_count - 1;
    out->columns = expr_columns_of(a, out->rel->row, 0, n); /* has room for one more */
    if (b.number != NULL) out->columns[out->count++] = expr_columns_of(a, out->rel->row, last, 1)[0];
    return S_OK;
}

/* Windows of the rows that belong to one row around: results stand behind the columns. */
static enum status pull_over(struct decorrelation *d, struct rel *r, struct pulled *out)
{
    struct over_body b = *(const struct over_body *)r->body;
    struct arena *a = d->b->a;
    uint32_t more = 0;

    TRY(decorrelate(d, r->inputs[0], out));
    TRY(lay_out(d, out, &more));
    uint32_t *partition = ARENA_ARRAY(a, uint32_t, b.partition_count + more + 1),
             *cols = ARENA_ARRAY(a, uint32_t, more + 1);
    for (uint32_t i = 0; i < b.partition_count; i++) partition[i] = b.partition[i];
    for (uint32_t i = 0; i < more; i++) partition[b.partition_count + i] = cols[i] = out->count + i;
    b.partition = partition;
    b.partition_count += more;
    out->rel = rel_over(a, out->rel, &b);
    TRY(equations_restate(d, out, cols));
    uint32_t n = out->count;
    struct expr **all = expr_columns_of(a, out->rel->row, 0, out->rel->row->child_count);
    out->columns = ARENA_ARRAY(a, struct expr *, n + b.call_count + 1);
    out->count = n + b.call_count;
    for (uint32_t i = 0; i < out->count; i++) out->columns[i] = all[i < n ? i : i + more];
    return S_OK;
}

/* Columns of a row, behind those of another. */
static struct expr **beside(struct arena *a, const struct pulled *left, const struct pulled *right,
                            const struct type *pair)
{
    struct expr **out = ARENA_ARRAY(a, struct expr *, left->count + right->count + 1);
    struct expr **l = expr_columns_of(a, pair, 0, left->rel->row->child_count);
    struct expr **r = expr_columns_of(a, pair, left->rel->row->child_count, right->rel->row->child_count);

    for (uint32_t i = 0; i < left->count; i++) out[i] = expr_moved(a, left->columns[i], l, NULL, 0);
    for (uint32_t i = 0; i < right->count; i++) out[left->count + i] = expr_moved(a, right->columns[i], r, NULL, 0);
    return out;
}

/* What a join asks of its pairs, over `both`: the columns of its sides. */
static enum status pairs_ask(struct decorrelation *d, const struct join_body *b, uint32_t left,
                             struct expr *const *both, struct exprs *out)
{
    struct expr *x;

    for (uint32_t i = 0; i < b->key_count; i++) {
        TRY(equal(d, both[b->keys[0][i]], both[left + b->keys[1][i]], b->null_safe[i], &x));
        exprs_add(d->b->a, out, x);
    }
    if (b->condition != NULL) exprs_add_parts(d->b->a, out, expr_moved(d->b->a, b->condition, both, NULL, 0));
    return S_OK;
}

static enum status pull_inner(struct decorrelation *d, struct rel *r, struct pulled *left, struct pulled *right,
                              struct pulled *out)
{
    struct arena *a = d->b->a;
    struct bind_source sides[] = {source_of(left->rel), source_of(right->rel)};
    const struct type *pair = join_tree_create(a, REL_JOIN_INNER, &sides[0], &sides[1])->pair;
    struct exprs asked = {0}, on = {0};

    struct expr **right_columns = expr_columns_of(a, pair, left->rel->row->child_count, right->rel->row->child_count);
    *out = (struct pulled){
        .count = left->count + right->count, .columns = beside(a, left, right, pair), .conditions = left->conditions};
    for (uint32_t i = 0; i < right->conditions.count; i++)
        exprs_add(a, &out->conditions, expr_moved(a, right->conditions.items[i], right_columns, NULL, d->scope));
    TRY(pairs_ask(d, r->body, left->count, out->columns, &asked));
    for (uint32_t i = 0; i < asked.count; i++)
        exprs_add(a, reads_around(d, asked.items[i]) ? &out->conditions : &on, asked.items[i]);
    return join_by(d, REL_JOIN_INNER, left->rel, right->rel, &on, &out->rel);
}

/* SEMI, ANTI, LEFT: what the right side and the condition read of the row around is bound in the left side first. */
static enum status pull_one_sided(struct decorrelation *d, struct rel *r, struct pulled *left, struct pulled *out)
{
    const struct join_body *b = r->body;
    struct arena *a = d->b->a;
    uint64_t bits[(TYPE_FIELDS_MAX + 63) / 64] = {0};
    struct exprs on = {0};
    struct pulled right;

    rel_marks_outers(r->inputs[1], d->scope, bits);
    if (b->condition != NULL) outers_mark(d, b->condition, bits);
    bool bound = columns_read_around(d, left);
    for (size_t w = 0; w < COUNT_OF(bits); w++) bound |= bits[w] != 0;
    if (bound) TRY(domain_join(d, left, REL_JOIN_INNER, bits));
    TRY(decorrelate(d, r->inputs[1], &right));
    if (right.is_total) TRY(pulled_settle(d, &right));
    if (b->kind == REL_JOIN_LEFT && columns_read_around(d, &right)) TRY(pulled_detach(d, &right));
    struct bind_source sides[] = {source_of(left->rel), source_of(right.rel)};
    const struct type *pair = join_tree_create(a, REL_JOIN_INNER, &sides[0], &sides[1])->pair;
    struct expr **outers = ARENA_ARRAY(a, struct expr *, d->outer->row->child_count + 1);
    memset(outers, 0, sizeof *outers * (d->outer->row->child_count + 1));
    struct equation eq;
    for (uint32_t i = 0; bound && i < left->conditions.count; i++)
        if (is_equation(d, left->conditions.items[i], &eq) && eq.around->kind == EXPR_OUTER)
            outers[eq.around->col] = expr_moved(a, eq.within, expr_columns_of(a, pair, 0, left->rel->row->child_count),
                                                NULL, 0);
    struct expr **right_columns = expr_columns_of(a, pair, left->rel->row->child_count, right.rel->row->child_count);
    for (uint32_t i = 0; i < right.conditions.count; i++)
        exprs_add(a, &on, expr_moved(a, right.conditions.items[i], right_columns, outers, d->scope));
    struct exprs asked = {0};
    TRY(pairs_ask(d, b, left->count, beside(a, left, &right, pair), &asked));
    for (uint32_t i = 0; i < asked.count; i++) exprs_add(a, &on, expr_moved(a, asked.items[i], NULL, outers, d->scope));
    *out = *left;
    TRY(join_by(d, (enum rel_join_kind)b->kind, left->rel, right.rel, &on, &out->rel));
    out->columns = expr_columns_of(a, out->rel->row, 0, left->rel->row->child_count);
    struct expr **columns = ARENA_ARRAY(a, struct expr *, left->count + right.count + 1);
    for (uint32_t i = 0; i < left->count; i++) columns[i] = expr_moved(a, left->columns[i], out->columns, NULL, 0);
    if (b->kind == REL_JOIN_LEFT) {
        struct expr **r2 = expr_columns_of(a, out->rel->row, left->rel->row->child_count, right.rel->row->child_count);
        for (uint32_t i = 0; i < right.count; i++) {
            if (right.columns[i]->kind != EXPR_COLUMN) return E_UNSUPPORTED;
            columns[left->count + i] = expr_moved(a, right.columns[i], r2, NULL, 0);
        }
        out->count = left->count + right.count;
    }
    out->columns = columns;
    return S_OK;
}

static enum status refuse(const struct decorrelation *d, const struct rel *r)
{
    return sql_error(d->b->e, d->b->t, d->place.at, d->place.size,
                     "a sub-query that reads the query around it below a node %s is not supported yet", r->type->name);
}

static enum status pull_join(struct decorrelation *d, struct rel *r, struct pulled *out)
{
    const struct join_body *b = r->body;
    struct pulled left, right;

    if (b->kind == REL_JOIN_RIGHT || b->kind == REL_JOIN_FULL) return refuse(d, r);
    TRY(decorrelate(d, r->inputs[0], &left));
    TRY(pulled_settle(d, &left));
    if (b->kind == REL_JOIN_INNER) {
        TRY(decorrelate(d, r->inputs[1], &right));
        TRY(pulled_settle(d, &right));
        return pull_inner(d, r, &left, &right, out);
    }
    enum status st = pull_one_sided(d, r, &left, out);
    return st == E_UNSUPPORTED && (d->b->e == NULL || d->b->e->text[0] == '\0') ? refuse(d, r) : st;
}

/* Each input with the values around that any of them reads in front. */
static enum status pull_inputs(struct decorrelation *d, struct rel *r, struct rel **inputs, struct domain *dom,
                               const struct type **row)
{
    struct arena *a = d->b->a;
    uint64_t bits[(TYPE_FIELDS_MAX + 63) / 64] = {0};

    rel_marks_outers(r, d->scope, bits);
    domain_make(d, bits, dom);
    for (uint32_t k = 0; k < r->input_count; k++) {
        struct pulled p;
        TRY(decorrelate(d, r->inputs[k], &p));
        TRY(domain_join(d, &p, p.is_total ? REL_JOIN_LEFT : REL_JOIN_INNER, bits));
        uint32_t n = dom->count + p.count;
        struct expr **columns = expr_columns_of(a, p.rel->row, 0, dom->count);
        struct expr **all = ARENA_ARRAY(a, struct expr *, n + 1);
        const char **names = ARENA_ARRAY(a, const char *, n + 1);
        const struct type **types = ARENA_ARRAY(a, const struct type *, n + 1);
        for (uint32_t i = 0; i < n; i++) {
            all[i] = i < dom->count ? columns[i] : p.columns[i - dom->count];
            types[i] = i < dom->count ? all[i]->type : r->row->children[i - dom->count];
            names[i] = i < dom->count ? dom->rel->row->names[i] : arena_printf(a, "$q%u", i - dom->count);
        }
        inputs[k] = rel_calc(a, p.rel, &(struct calc_body){.count = n, .columns = all}, names);
        *row = type_row(a, n, names, types, false);
        TRY(bind_cast_columns(d->b, &inputs[k], *row));
    }
    return S_OK;
}

static enum status inputs_pulled(struct decorrelation *d, struct rel *made, const struct domain *dom, uint32_t count,
                                 struct pulled *out)
{
    *out = (struct pulled){
        .rel = made, .count = count, .columns = expr_columns_of(d->b->a, made->row, dom->count, count)};
    return domain_conditions(d, dom, made->row, &out->conditions);
}

static enum status pull_union(struct decorrelation *d, struct rel *r, struct pulled *out)
{
    struct rel **inputs = ARENA_ARRAY(d->b->a, struct rel *, r->input_count + 1);
    const struct type *row = NULL;
    struct domain dom;

    TRY(pull_inputs(d, r, inputs, &dom, &row));
    return inputs_pulled(d, rel_union(d->b->a, row, inputs, r->input_count), &dom, r->row->child_count, out);
}

static enum status pull_set(struct decorrelation *d, struct rel *r, struct pulled *out)
{
    struct rel *inputs[2];
    const struct type *row = NULL;
    struct domain dom;

    TRY(pull_inputs(d, r, inputs, &dom, &row));
    return inputs_pulled(d, rel_set(d->b->a, row, inputs, r->body), &dom, r->row->child_count, out);
}

/* Elements of a list that reads the row around: the list is an expression over the domain. */
static enum status pull_list(struct decorrelation *d, struct rel *r, struct pulled *out)
{
    struct correlate_body b = *(const struct correlate_body *)r->body;
    struct arena *a = d->b->a;
    uint64_t bits[(TYPE_FIELDS_MAX + 63) / 64] = {0};
    uint32_t n = r->inputs[0]->row->child_count, added = r->row->child_count - n;

    if (b.condition != NULL) return refuse(d, r);
    TRY(decorrelate(d, r->inputs[0], out));
    TRY(pulled_settle(d, out));
    outers_mark(d, b.list, bits);
    TRY(domain_join(d, out, REL_JOIN_INNER, bits));
    struct expr **outers = ARENA_ARRAY(a, struct expr *, d->outer->row->child_count + 1);
    struct equation eq;
    for (uint32_t i = 0; i < out->conditions.count; i++)
        if (is_equation(d, out->conditions.items[i], &eq)) outers[eq.around->col] = eq.within;
    b.list = expr_moved(a, b.list, out->columns, outers, d->scope);
    uint32_t first = out->rel->row->child_count;
    const char **names = ARENA_ARRAY(a, const char *, first + added + 1);
    for (uint32_t i = 0; i < first + added; i++)
        names[i] = i < first ? out->rel->row->names[i] : arena_printf(a, "$u%u", i - first);
    b.names = names;
    out->rel = rel_correlate(a, out->rel, &b);
    struct expr **columns = ARENA_ARRAY(a, struct expr *, n + added + 1),
                **elements = expr_columns_of(a, out->rel->row, first, added);
    for (uint32_t i = 0; i < n + added; i++) columns[i] = i < n ? out->columns[i] : elements[i - n];
    out->columns = columns;
    out->count = n + added;
    return S_OK;
}

/* --- the rules --------------------------------------------------------------------------------------------------- */
static const struct rule {
    const struct rel_type *type;
    void (*exprs)(const struct rel *r, struct visitor *v); /* shows its own expressions; NULL: it has none */
    enum status (*pull)(struct decorrelation *d, struct rel *r, struct pulled *out); /* NULL: refused */
} rules[] = {
    {&rel_calc_type, calc_visit, pull_calc},      {&rel_aggregate_type, NULL, pull_aggregate},
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
        *out = plain(d, r);
        return S_OK;
    }
    return rule != NULL && rule->pull != NULL ? rule->pull(d, r, out) : refuse(d, r);
}
