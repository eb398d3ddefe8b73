/* bind_subquery.c - queries that stand for values. Each is joined to the rows of the query around (decorrelate.c says how its rows
 * belong to them), and its value is a column behind theirs.
 *
 * A scalar query is an aggregate without keys, or made one: FIRST_VALUE with the number of rows, which must not be above one. EXISTS is
 * COUNT(*) > 0. x IN (query) is told by counts: of rows that equal x, and where NULL leaves it open, of all rows and of those that are
 * NULL. x > ALL (query) asks for rows where that is false, or not known; SOME for rows where it is true. What WHERE asks of whole
 * rows is a semi or anti join instead: bind_semi.c. */
#include "language/sql/bind_subquery.h"

#include "ground/base/str.h"
#include "language/sql/bind_join.h"
#include "language/sql/join_tree.h"
#include "language/sql/sql_op.h"

#include <string.h>

struct place_of_queries {
    struct query_binder *b;
    struct bind_source *from;
    struct rel *base, *joined; /* from->rel before the first of a row of joins, and after the last */
};

bool bind_is_subquery(const struct ast_expr *x)
{
    if (x->kind == AX_QUERY) return true;
    if (x->kind != AX_CALL || x->op == NULL) return false;
    uint8_t form = x->op->form;
    return form == FORM_EXISTS || form == FORM_QUANTIFIED || form == FORM_QUERY ||
           (form == FORM_IN && x->args.items[1]->kind == AX_QUERY);
}

bool bind_has_subquery(const struct ast_expr *x)
{
    if (x == NULL) return false;
    if (bind_is_subquery(x)) return true;
    for (uint32_t i = 0; i < x->args.count; i++)
        if (bind_has_subquery(x->args.items[i])) return true;
    return false;
}

/* --- the query --------------------------------------------------------------------------------------------------- */
enum status bind_query_within(struct query_binder *b, struct binder *around, const struct ast_query *q,
                              struct within *out)
{
    struct query_binder inner = *b;
    struct bind_outer *o = ARENA_NEW(b->a, struct bind_outer);

    *o = (struct bind_outer){.around = b->outer, .binder = around, .scope = b->outer != NULL ? b->outer->scope + 1 : 1};
    inner.outer = o;
    inner.is_nested = true;
    TRY(bind_query(&inner, q, &out->rel));
    out->d = (struct decorrelation){.b = b, .scope = o->scope, .place = q->place};
    return S_OK;
}

/* --- joining ----------------------------------------------------------------------------------------------------- */
struct expr **pulled_pair_columns(struct decorrelation *d, const struct pulled *p, const struct type *from)
{
    struct arena *a = d->b->a;
    struct bind_source sides[] = {{.scope = {.row = from}}, {.rel = p->rel, .scope = {.row = p->rel->row}}};
    const struct type *pair = join_tree_create(a, REL_JOIN_INNER, &sides[0], &sides[1])->pair;
    struct expr **outers = expr_columns_of(a, pair, 0, from->child_count),
                **own = ARENA_ARRAY(a, struct expr *, p->count + 1);
    struct expr **columns = expr_columns_of(a, pair, from->child_count, p->rel->row->child_count);

    for (uint32_t i = 0; i < p->count; i++) own[i] = expr_moved(a, p->columns[i], columns, outers, d->scope);
    return own;
}

/* Nodes of a plan, each as often as it is read; no more than `most` are counted. Queries in queries would grow without end. */
static uint32_t nodes_count(const struct rel *r, uint32_t most)
{
    uint32_t n = 1;

    for (uint32_t i = 0; i < r->input_count && n < most; i++) n += nodes_count(r->inputs[i], most - n);
    return n;
}

enum status pulled_join(struct decorrelation *d, enum rel_join_kind kind, struct pulled *p, const struct exprs *more,
                        struct rel **from)
{
    struct arena *a = d->b->a;
    struct expr_maker m = {.a = a, .session = d->b->session};
    struct bind_source sides[] = {{.rel = *from, .scope = {.row = (*from)->row}},
                                  {.rel = p->rel, .scope = {.row = p->rel->row}}};
    struct expr *nothing = NULL;

    if ((*from)->row->child_count + p->rel->row->child_count > TYPE_FIELDS_MAX)
        return sql_error(d->b->e, d->b->t, d->place.at, d->place.size, "a join has at most %d columns of both sides",
                         TYPE_FIELDS_MAX);
    struct join_tree *t = join_tree_create(a, kind, &sides[0], &sides[1]);
    struct expr **outers = expr_columns_of(a, t->pair, 0, t->left);
    struct expr **columns = expr_columns_of(a, t->pair, t->left, p->rel->row->child_count);
    for (uint32_t i = 0; i < p->conditions.count; i++)
        join_tree_add(t, a, expr_moved(a, p->conditions.items[i], columns, outers, d->scope));
    for (uint32_t i = 0; more != NULL && i < more->count; i++) join_tree_add(t, a, more->items[i]);
    TRY(join_tree_plan(&m, t, &nothing, from, d->b->e));
    if (nodes_count(*from, GRAPH_NODES_MAX + 1) <= GRAPH_NODES_MAX) return S_OK;
    return sql_error(d->b->e, d->b->t, d->place.at, d->place.size, "the statement needs more than %d operators",
                     GRAPH_NODES_MAX);
}

/* --- values ------------------------------------------------------------------------------------------------------ */
/* Is it an aggregate without keys, with projections above? */
static bool is_one_row(const struct rel *r)
{
    while (r->type == &rel_calc_type && ((const struct calc_body *)r->body)->condition == NULL) r = r->inputs[0];
    if (r->type == &rel_values_type) return ((const struct values_body *)r->body)->row_count == 1;
    return r->type == &rel_aggregate_type && ((const struct aggregate_body *)r->body)->key_count == 0;
}

static struct rel *counted(struct query_binder *b, struct rel *r, bool with_value)
{
    struct aggregate_call calls[] = {{.function = "count",
                                      .argument = -1,
                                      .filter = -1,
                                      .result = type_new(b->a, T_BIGINT, 0, 0, false),
                                      .name = "$n"},
                                     {.function = "first_value", .argument = 0, .filter = -1, .name = "$v"}};

    calls[1].result = type_with_null(b->a, r->row->children[0], true);
    if (calls[1].result->time_kind != TIME_NONE) calls[1].result = type_with_time(b->a, calls[1].result, TIME_NONE);
    struct aggregate_call *copy = ARENA_ARRAY(b->a, struct aggregate_call, 2);
    memcpy(copy, calls, sizeof calls);
    return rel_aggregate(b->a, r, &(struct aggregate_body){.call_count = with_value ? 2 : 1, .calls = copy});
}

/* The only column as the value of at most one row. */
static enum status single_value(struct query_binder *b, struct rel **r)
{
    static const char *const names[] = {"$f0"};
    struct expr_maker m = {.a = b->a, .session = b->session};
    struct expr **column = ARENA_ARRAY(b->a, struct expr *, 1);

    if (is_one_row(*r)) return S_OK;
    struct rel *both = counted(b, *r, true);
    struct expr *args[] = {expr_column(&m, both->row, 1), expr_column(&m, both->row, 0)};
    TRY(expr_call(&m, STR("$SINGLE_VALUE"), args, 2, column, b->e));
    *r = rel_calc(b->a, both, &(struct calc_body){.count = 1, .columns = column}, names);
    return S_OK;
}

/* Does a plan read columns of the row around from `count` on? */
static bool reads_beyond(const struct rel *r, uint32_t scope, uint32_t count)
{
    uint64_t bits[(TYPE_FIELDS_MAX + 63) / 64] = {0};

    rel_marks_outers(r, scope, bits);
    for (uint32_t i = count; i < TYPE_FIELDS_MAX; i++)
        if (bit_get(bits, i)) return true;
    return false;
}

/* Joins a plan of one row and column for each row around; its value is *out. */
static enum status value_join(struct place_of_queries *at, struct within *w, struct rel *r, struct expr **out)
{
    struct arena *a = at->b->a;
    struct expr_maker m = {.a = a, .session = at->b->session};
    struct rel **from = &at->from->rel;
    struct pulled p;

    if (at->joined == NULL || at->joined != *from)
        at->base = *from; /* values are joined to values: domains are of what was before */
    w->d.outer = reads_beyond(r, w->d.scope, at->base->row->child_count) ? *from : at->base;
    TRY(decorrelate(&w->d, r, &p));
    uint32_t left = (*from)->row->child_count, count = p.rel->row->child_count;
    TRY(pulled_join(&w->d, REL_JOIN_LEFT, &p, NULL, from));
    at->from->scope.row = (*from)->row;
    at->joined = *from;
    struct expr **columns = expr_columns_of(a, (*from)->row, left, count);
    for (uint32_t i = 0; p.is_total && i < count; i++) {
        struct expr *either[] = {columns[i], p.defaults[i]};
        if (p.defaults[i] != NULL) TRY(expr_branch(&m, EXPR_COALESCE, either, 2, &columns[i], at->b->e));
    }
    *out = expr_moved(a, p.columns[0], columns, expr_columns_of(a, (*from)->row, 0, left), w->d.scope);
    return S_OK;
}

static enum status fail(struct place_of_queries *at, const struct ast_expr *x, const char *text)
{
    return sql_error(at->b->e, at->b->t, x->place.at, x->place.size, "%s", text);
}

static enum status bind_scalar(struct place_of_queries *at, struct binder *x, const struct ast_expr *node,
                               struct expr **out)
{
    struct within w;

    TRY(bind_query_within(at->b, x, node->query, &w));
    if (w.rel->row->child_count != 1)
        return fail(
            at, node,
            arena_printf(
                at->b->a,
                "Cannot apply '$SCALAR_QUERY' to arguments of type '$SCALAR_QUERY(<RecordType of %u columns>)'. "
                "Supported form(s): '$SCALAR_QUERY(<RECORDTYPE(SINGLE FIELD)>)'",
                w.rel->row->child_count));
    TRY(single_value(at->b, &w.rel));
    TRY(value_join(at, &w, w.rel, out));
    if ((*out)->type->nullable) return S_OK;
    struct expr *copy = ARENA_NEW(at->b->a, struct expr); /* as Flink says of every such value */
    *copy = **out;
    copy->type = type_with_null(at->b->a, copy->type, true);
    *out = copy;
    return S_OK;
}

/* --- counts of rows ---------------------------------------------------------------------------------------------- */
static enum status zero(struct place_of_queries *at, struct expr **out)
{
    struct expr_maker m = {.a = at->b->a, .session = at->b->session};

    return expr_constant(&m, type_new(at->b->a, T_BIGINT, 0, 0, false), STR("0"), out, at->b->e);
}

/* Is there a row within for which the condition (NULL: any) is true? It may read the row around as OUTER columns. A count that is
 * not there is none. */
static enum status any_row(struct place_of_queries *at, struct within *w, struct expr *condition, struct expr **out)
{
    struct arena *a = at->b->a;
    struct expr_maker m = {.a = a, .session = at->b->session};
    struct calc_body calc = {.condition = condition, .count = w->rel->row->child_count};
    struct rel *r = w->rel;
    struct expr *sides[2];

    calc.columns = expr_columns_of(a, r->row, 0, calc.count);
    if (condition != NULL) r = rel_calc(a, r, &calc, r->row->names);
    TRY(value_join(at, w, counted(at->b, r, false), &sides[0]));
    TRY(zero(at, &sides[1]));
    if (sides[0]->type->nullable)
        TRY(expr_branch(&m, EXPR_COALESCE, (struct expr *[]){sides[0], sides[1]}, 2, &sides[0], at->b->e));
    return expr_call(&m, STR(">"), sides, 2, out, at->b->e);
}

static enum status test(struct place_of_queries *at, const char *name, struct expr *x, struct expr **out)
{
    struct expr_maker m = {.a = at->b->a, .session = at->b->session};

    return expr_call(&m, str_of(name), &x, 1, out, at->b->e);
}

static enum status truth(struct place_of_queries *at, const char *text, struct expr **out)
{
    struct expr_maker m = {.a = at->b->a, .session = at->b->session};

    if (text == NULL) {
        *out = expr_null(&m, &type_boolean);
        return S_OK;
    }
    return expr_constant(&m, type_new(at->b->a, T_BOOLEAN, 0, 0, false), str_of(text), out, at->b->e);
}

/* `found` where a row makes the comparison `when`; else NULL where one leaves it open; else the other. */
static enum status any_of(struct place_of_queries *at, struct within *w, struct expr *comparison, bool when,
                          struct expr **out)
{
    struct expr_maker m = {.a = at->b->a, .session = at->b->session};
    struct expr *decides = comparison, *parts[5];
    uint32_t n = 0;

    if (!when) TRY(test(at, "IS FALSE", comparison, &decides));
    TRY(any_row(at, w, decides, &parts[n++]));
    TRY(truth(at, when ? "TRUE" : "FALSE", &parts[n++]));
    if (comparison->type->nullable) {
        struct expr *open;
        TRY(test(at, "IS NULL", comparison, &open));
        TRY(any_row(at, w, open, &parts[n++]));
        TRY(truth(at, NULL, &parts[n++]));
    }
    TRY(truth(at, when ? "FALSE" : "TRUE", &parts[n++]));
    return expr_branch(&m, EXPR_CASE, parts, n, out, at->b->e);
}

/* value OP column, for each column of the query within: all must be. */
static enum status comparison(struct place_of_queries *at, struct binder *x, const struct ast_expr *node,
                              struct within *w, struct str op, struct expr **out)
{
    const struct ast_expr *left = node->args.items[0];
    bool list = left->kind == AX_LIST;
    uint32_t n = list ? left->args.count : 1;
    struct expr **parts = ARENA_ARRAY(at->b->a, struct expr *, n + 1), *value;
    struct err inner = {0};

    if (n != w->rel->row->child_count) return fail(at, node, "Values passed to IN operator must have compatible types");
    for (uint32_t i = 0; i < n; i++) {
        TRY(bind_expr(x, list ? left->args.items[i] : left, &value));
        struct expr *sides[] = {expr_outer(at->b->a, value, w->d.scope),
                                expr_columns_of(at->b->a, w->rel->row, i, 1)[0]};
        if (expr_call(&x->m, op, sides, 2, &parts[i], &inner) != S_OK) return bind_fail(x, node->place, &inner);
    }
    *out = parts[0];
    return n > 1 ? expr_branch(&x->m, EXPR_AND, parts, n, out, at->b->e) : S_OK;
}

/* x IN (query) that no row answers is open where x is NULL and there is a row, or where one of them is NULL. */
static enum status in_open(struct place_of_queries *at, struct within *w, struct expr *equal, struct expr *value,
                           struct expr **out)
{
    struct expr_maker m = {.a = at->b->a, .session = at->b->session};
    struct expr *column = expr_columns_of(at->b->a, w->rel->row, 0, 1)[0], *both[2], *either[2], *null;
    uint32_t n = 0;

    if (w->rel->row->child_count > 1) {
        TRY(test(at, "IS NULL", equal, &null));
        return any_row(at, w, null, out);
    }
    if (value->type->nullable) {
        TRY(test(at, "IS NULL", value, &both[0]));
        TRY(any_row(at, w, NULL, &both[1]));
        TRY(expr_branch(&m, EXPR_AND, both, 2, &either[n++], at->b->e));
    }
    if (column->type->nullable) {
        TRY(test(at, "IS NULL", column, &null));
        TRY(any_row(at, w, null, &either[n++]));
    }
    *out = either[0];
    return n > 1 ? expr_branch(&m, EXPR_OR, either, n, out, at->b->e) : S_OK;
}

static enum status bind_in(struct place_of_queries *at, struct binder *x, const struct ast_expr *node,
                           struct expr **out)
{
    bool negated = str_starts(node->text, STR("NOT"));
    const struct ast_expr *left = node->args.items[0];
    struct within w;
    struct expr *equal, *value = NULL, *parts[5];
    uint32_t n = 0;

    TRY(bind_query_within(at->b, x, node->args.items[1]->query, &w));
    TRY(comparison(at, x, node, &w, STR("="), &equal));
    if (left->kind != AX_LIST) TRY(bind_expr(x, left, &value));
    TRY(any_row(at, &w, equal, &parts[n++]));
    TRY(truth(at, "TRUE", &parts[n++]));
    if (equal->type->nullable) {
        TRY(in_open(at, &w, equal, value, &parts[n++]));
        TRY(truth(at, NULL, &parts[n++]));
    }
    TRY(truth(at, "FALSE", &parts[n++]));
    TRY(expr_branch(&x->m, EXPR_CASE, parts, n, out, at->b->e));
    return negated ? test(at, "NOT", *out, out) : S_OK;
}

/* "> ALL", "= SOME" */
static enum status bind_quantified(struct place_of_queries *at, struct binder *x, const struct ast_expr *node,
                                   struct expr **out)
{
    bool all = str_ends(node->text, STR("ALL"));
    struct str op = {node->text.data, node->text.size - (all ? 4 : 5)};
    const struct ast_expr *query = node->args.items[1];
    struct within w;
    struct expr *compared;

    if (query->kind != AX_QUERY) return fail(at, query, "ALL and SOME compare with a sub-query");
    TRY(bind_query_within(at->b, x, query->query, &w));
    TRY(comparison(at, x, node, &w, op, &compared));
    return any_of(at, &w, compared, !all, out);
}

static enum status bind_exists(struct place_of_queries *at, struct binder *x, const struct ast_expr *node,
                               struct expr **out)
{
    struct within w;

    if (!str_equal(node->text, STR("EXISTS"))) return fail(at, node, "UNIQUE of a sub-query is not supported yet");
    TRY(bind_query_within(at->b, x, node->args.items[0]->query, &w));
    return any_row(at, &w, NULL, out);
}

static enum status bind_node(struct binder *x, const struct ast_expr *node, struct expr **out)
{
    struct place_of_queries *at = x->query_arg;
    struct expr *nothing = NULL;

    TRY(bind_join_finish(at->b, at->from, &nothing));
    if (node->kind == AX_QUERY) return bind_scalar(at, x, node, out);
    switch (node->op->form) {
    case FORM_IN: return bind_in(at, x, node, out);
    case FORM_EXISTS: return bind_exists(at, x, node, out);
    case FORM_QUANTIFIED: return bind_quantified(at, x, node, out);
    default: return fail(at, node, "ARRAY, MAP and MULTISET of a sub-query are not supported yet");
    }
}

void subqueries_allow(struct query_binder *b, struct binder *x, struct bind_source *from)
{
    struct place_of_queries *at = ARENA_NEW(b->a, struct place_of_queries);

    *at = (struct place_of_queries){.b = b, .from = from};
    x->query = bind_node;
    x->query_arg = at;
}
