/* bind_semi.c - WHERE with sub-queries. Of its parts that AND connects, those without go first, into the joins below. IN and EXISTS that
 * stand alone are joins: a IN (query) is a semi join on a = column, EXISTS one without a condition. NOT IN is an anti join on
 * a = column OR a IS NULL OR column IS NULL: where NULL leaves the answer open, the row is dropped. What a sub-query reads of the
 * row around is a condition of the join, too (decorrelate.c). All other parts are conditions above, with values of sub-queries in
 * them (bind_subquery.c). */
#include "language/sql/bind_semi.h"

#include "ground/base/str.h"
#include "language/sql/bind_join.h"
#include "language/sql/bind_over.h"
#include "language/sql/bind_subquery.h"
#include "language/sql/join_tree.h"
#include "language/sql/sql_op.h"

static bool is_and(const struct ast_expr *x)
{
    return x->kind == AX_CALL && x->op != NULL && str_equal(x->text, STR("AND"));
}

/* The part without the NOTs around it. */
static const struct ast_expr *stripped(const struct ast_expr *x, bool *negated)
{
    *negated = false;
    for (; x->kind == AX_CALL && x->op != NULL && str_equal(x->text, STR("NOT")); x = x->args.items[0])
        *negated = !*negated;
    return x;
}

static bool is_in(const struct ast_expr *x)
{
    return x->kind == AX_CALL && x->op != NULL && x->op->form == FORM_IN && x->args.items[1]->kind == AX_QUERY;
}

static bool is_exists(const struct ast_expr *x)
{
    return x->kind == AX_CALL && x->op != NULL && x->op->form == FORM_EXISTS && str_equal(x->text, STR("EXISTS"));
}

static bool is_semi(const struct ast_expr *x)
{
    bool negated;
    const struct ast_expr *part = stripped(x, &negated);

    return is_in(part) || is_exists(part);
}

/* value = column; of NOT IN: or nobody knows. */
static enum status equation(struct query_binder *b, const struct ast_expr *x, struct expr *value, struct expr *column,
                            bool negated, struct expr **out)
{
    struct binder at = {.t = b->t, .e = b->e};
    struct expr_maker m = {.a = b->a, .session = b->session};
    struct expr *sides[] = {value, column}, *any[3];
    struct err inner = {0};
    uint32_t n = 1;

    if (expr_call(&m, STR("="), sides, 2, &any[0], &inner) != S_OK) return bind_fail(&at, x->place, &inner);
    for (uint32_t i = 0; negated && i < 2; i++)
        if (sides[i]->type->nullable) TRY(expr_call(&m, STR("IS NULL"), &sides[i], 1, &any[n++], b->e));
    *out = any[0];
    return n > 1 ? expr_branch(&m, EXPR_OR, any, n, out, b->e) : S_OK;
}

/* The values left of IN beside the columns of the query, over the columns of both. */
static enum status bind_in(struct query_binder *b, struct binder *x, const struct ast_expr *in, bool negated, struct expr *const *columns,
                           uint32_t column_count, struct exprs *out)
{
    const struct ast_expr *left = in->args.items[0];
    bool list = left->kind == AX_LIST;
    uint32_t count = list ? left->args.count : 1;
    struct expr *value, *equal;

    if (count != column_count)
        return sql_error(b->e, b->t, in->place.at, in->place.size,
                         "Values passed to IN operator must have compatible types");
    for (uint32_t i = 0; i < count; i++) {
        TRY(bind_expr(x, list ? left->args.items[i] : left, &value));
        TRY(equation(b, in, value, columns[i], negated, &equal));
        exprs_add_parts(b->a, out, equal);
    }
    return S_OK;
}

/* Of an aggregate without keys there always is a row. */
static enum status exists_always(struct query_binder *b, struct binder *x, bool negated, struct expr **condition)
{
    struct expr *both[2] = {*condition, NULL};

    TRY(expr_constant(&x->m, type_new(b->a, T_BOOLEAN, 0, 0, false), negated ? STR("FALSE") : STR("TRUE"), &both[1], b->e));
    *condition = both[1];
    return both[0] != NULL ? expr_branch(&x->m, EXPR_AND, both, 2, condition, b->e) : S_OK;
}

static enum status bind_part(struct query_binder *b, struct binder *x, const struct ast_expr *part,
                             struct bind_source *from, struct expr **condition)
{
    bool negated;
    const struct ast_expr *sub = stripped(part, &negated);
    const struct ast_expr *query = sub->args.items[sub->args.count - 1];
    struct exprs more = {0};
    struct within w;
    struct pulled p;

    if (is_in(sub) && str_starts(sub->text, STR("NOT"))) negated = !negated;
    TRY(bind_query_within(b, x, query->query, &w));
    w.d.outer = from->rel;
    TRY(decorrelate(&w.d, w.rel, &p));
    if (is_exists(sub) && p.is_total) return exists_always(b, x, negated, condition);
    TRY(pulled_settle(&w.d, &p));
    struct expr **columns = pulled_pair_columns(&w.d, &p, from->rel->row);
    if (is_in(sub)) TRY(bind_in(b, x, sub, negated, columns, p.count, &more));
    TRY(pulled_join(&w.d, negated ? REL_JOIN_ANTI : REL_JOIN_SEMI, &p, &more, &from->rel));
    from->scope.row = from->rel->row;
    return S_OK;
}

/* Parts with sub-queries, or those without. */
static enum status bind_parts(struct query_binder *b, struct binder *x, const struct ast_expr *where, bool with,
                              struct expr **condition)
{
    struct expr *both[2] = {*condition, NULL};

    if (is_and(where)) {
        for (uint32_t i = 0; i < where->args.count; i++) TRY(bind_parts(b, x, where->args.items[i], with, condition));
        return S_OK;
    }
    if (is_semi(where) || bind_has_subquery(where) != with) return S_OK;
    TRY(bind_condition(b, x, where, "WHERE", &both[1]));
    *condition = both[1];
    return both[0] != NULL ? expr_branch(&x->m, EXPR_AND, both, 2, condition, b->e) : S_OK;
}

static enum status bind_joins(struct query_binder *b, struct binder *x, const struct ast_expr *where,
                              struct bind_source *from, struct expr **condition)
{
    if (is_semi(where)) return bind_part(b, x, where, from, condition);
    for (uint32_t i = 0; is_and(where) && i < where->args.count; i++)
        TRY(bind_joins(b, x, where->args.items[i], from, condition));
    return S_OK;
}

/* Conditions that are known go below the joins, so that less is kept there. */
static void filter(struct query_binder *b, struct bind_source *from, struct expr **condition)
{
    struct calc_body c = {.condition = *condition, .count = from->rel->row->child_count};

    if (*condition == NULL) return;
    c.columns = expr_columns_of(b->a, from->rel->row, 0, c.count);
    from->rel = rel_calc(b->a, from->rel, &c, from->rel->row->names);
    *condition = NULL;
}

enum status bind_semi(struct query_binder *b, struct binder *x, const struct ast_expr *where, struct bind_source *from,
                      struct expr **condition)
{
    TRY(bind_parts(b, x, where, false, condition));
    TRY(bind_join_finish(b, from, condition));
    TRY(ranking_filter(b, where->place, &from->rel, condition));
    filter(b, from, condition);
    TRY(bind_joins(b, x, where, from, condition));
    return bind_parts(b, x, where, true, condition);
}

enum status bind_later(struct query_binder *b, struct binder *x, struct bind_source *from, struct expr **condition)
{
    struct ast_list later = from->later;

    for (uint32_t i = 0; i < later.count; i++) TRY(bind_semi(b, x, later.items[i], from, condition));
    return S_OK;
}
