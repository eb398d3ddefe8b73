/* bind_semi.c - sub-queries in WHERE as joins: a IN (query) is a semi join on a = column, EXISTS one without a condition. NOT IN is an
 * anti join on a = column OR a IS NULL OR column IS NULL: where NULL leaves the answer open, the row is dropped.
 *
 * Not here, and refused by the binder of expressions: sub-queries below OR, NOT or a call, and those that read the query around. */
#include "language/sql/bind_semi.h"

#include "ground/base/str.h"
#include "language/sql/bind_join.h"
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

bool bind_has_semi(const struct ast_expr *where)
{
    bool any = false;

    if (!is_and(where)) return is_semi(where);
    for (uint32_t i = 0; i < where->args.count; i++) any |= bind_has_semi(where->args.items[i]);
    return any;
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

/* The values left of IN beside the columns of the query. */
static enum status bind_in(struct query_binder *b, struct binder *x, const struct ast_expr *in, bool negated,
                           struct join_tree *t)
{
    const struct ast_expr *left = in->args.items[0];
    bool list = left->kind == AX_LIST;
    uint32_t count = list ? left->args.count : 1, columns = t->pair->child_count - t->left;
    struct expr *value, *equal;

    if (count != columns)
        return sql_error(b->e, b->t, in->place.at, in->place.size,
                         "Values passed to IN operator must have compatible types");
    if (negated && count > 1) return bind_not_yet(b, in->place, "NOT IN of several columns");
    for (uint32_t i = 0; i < count; i++) {
        TRY(bind_expr(x, list ? left->args.items[i] : left, &value));
        TRY(equation(b, in, value, expr_column(&x->m, t->pair, t->left + i), negated, &equal));
        join_tree_add(t, b->a, equal);
    }
    return S_OK;
}

static enum status bind_part(struct query_binder *b, struct binder *x, const struct ast_expr *part,
                             struct bind_source *from)
{
    bool negated;
    const struct ast_expr *sub = stripped(part, &negated);
    const struct ast_expr *query = sub->args.items[sub->args.count - 1];
    struct bind_source right = {0};
    struct expr *rest = NULL;

    if (is_in(sub) && str_starts(sub->text, STR("NOT"))) negated = !negated;
    TRY(bind_query(b, query->query, &right.rel));
    right.scope = bind_scope_of(b, right.rel->row, (struct str){0});
    struct join_tree *t = join_tree_create(b->a, negated ? REL_JOIN_ANTI : REL_JOIN_SEMI, from, &right);
    if (is_in(sub)) TRY(bind_in(b, x, sub, negated, t));
    struct bind_source made = {.join = t, .scope = from->scope};
    TRY(bind_join_finish(b, &made, &rest));
    from->rel = made.rel;
    from->scope.row = made.rel->row;
    return S_OK;
}

static enum status bind_plain(struct query_binder *b, struct binder *x, const struct ast_expr *where,
                              struct expr **condition)
{
    struct expr *both[2] = {*condition, NULL};

    if (is_and(where)) {
        for (uint32_t i = 0; i < where->args.count; i++) TRY(bind_plain(b, x, where->args.items[i], condition));
        return S_OK;
    }
    if (is_semi(where)) return S_OK;
    TRY(bind_condition(b, x, where, "WHERE", &both[1]));
    *condition = both[1];
    return both[0] != NULL ? expr_branch(&x->m, EXPR_AND, both, 2, condition, b->e) : S_OK;
}

static enum status bind_joins(struct query_binder *b, struct binder *x, const struct ast_expr *where,
                              struct bind_source *from)
{
    if (is_semi(where)) return bind_part(b, x, where, from);
    for (uint32_t i = 0; is_and(where) && i < where->args.count; i++) TRY(bind_joins(b, x, where->args.items[i], from));
    return S_OK;
}

enum status bind_semi(struct query_binder *b, struct binder *x, const struct ast_expr *where, struct bind_source *from,
                      struct expr **condition)
{
    TRY(bind_plain(b, x, where, condition));
    TRY(bind_join_finish(b, from, condition));
    return bind_joins(b, x, where, from);
}
