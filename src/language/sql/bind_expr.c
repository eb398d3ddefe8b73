/* bind_expr.c - expressions: names are looked up in the scope, operators and calls become bound functions, CASE and its kin
 * become branches. Every error is put where its node stands in the text.
 *
 * A name that nobody here knows may be one of a query around. Not here: aggregates and OVER, which whoever binds a query takes
 * out before, and sub-queries, which it binds by a hook. */
#include "language/sql/bind.h"

#include "columns/column/type_rules.h"
#include "columns/function/agg.h"
#include "ground/base/str.h"
#include "language/sql/bind_json.h"
#include "language/sql/bind_unknown.h"
#include "language/sql/sql_op.h"

#include <string.h>

enum status bind_fail(struct binder *b, struct ast_place place, const struct err *inner)
{
    if (inner->hint[0] != '\0') err_hint(b->e, "%s", inner->hint);
    return sql_error(b->e, b->t, place.at, place.size, "%s", inner->text);
}

static enum status fail(struct binder *b, struct ast_place place, const char *what)
{
    return sql_error(b->e, b->t, place.at, place.size, "%s", what);
}

/* --- names ------------------------------------------------------------------------------------------------------- */
static enum status no_column(struct binder *b, const struct ast_name *n, uint32_t part)
{
    const char *names[256];
    struct str name = n->parts[part];
    uint32_t count = 0;

    for (uint32_t i = 0; i < b->scope->count && count < COUNT_OF(names); i++)
        names[count++] = arena_strndup(b->m.a, b->scope->columns[i].name.data, b->scope->columns[i].name.size);
    int near = str_nearest(name, names, count);
    if (near >= 0) err_hint(b->e, "did you mean '%s'?", names[near]);
    else if (n->count == 1 && bind_is_function(name)) err_hint(b->e, "the function is called with parentheses: %.*s(...)", (int)name.size, name.data);
    return sql_error(b->e, b->t, n->places[part].at, n->places[part].size, "Column '%.*s' not found in any table",
                     (int)MIN(name.size, (size_t)100), name.data);
}

/* The tables of the scope and of those around. True: one of them is `table`. */
static bool find_table(const struct binder *b, struct str table, const char **names, uint32_t most, uint32_t *count)
{
    for (uint32_t i = 0; i < b->scope->count; i++) {
        struct str t = b->scope->columns[i].table;
        if (str_equal(t, table)) return true;
        bool seen = t.size == 0 || (i > 0 && str_equal(t, b->scope->columns[i - 1].table));
        if (!seen && *count < most) names[(*count)++] = arena_strndup(b->m.a, t.data, t.size);
    }
    for (const struct bind_outer *o = b->outer; o != NULL; o = o->around) {
        struct binder around = *o->binder;
        around.outer = NULL;
        if (find_table(&around, table, names, most, count)) return true;
    }
    return false;
}

static enum status no_table(struct binder *b, const struct ast_name *n)
{
    const char *names[64];
    struct str table = n->parts[0];
    uint32_t count = 0;

    if (find_table(b, table, names, COUNT_OF(names), &count)) return no_column(b, n, 1);
    int near = count == 1 ? 0 : str_nearest(table, names, count);
    if (near >= 0) err_hint(b->e, "did you mean '%s'?", names[near]);
    return sql_error(b->e, b->t, n->places[0].at, n->places[0].size, "Table '%.*s' not found", (int)MIN(table.size, (size_t)100),
                     table.data);
}

/* Column by [table.]name: index into the scope, or -1; more than one is an error. */
static enum status find_column(struct binder *b, const struct ast_name *n, uint32_t parts, int *out)
{
    *out = -1;
    for (uint32_t i = 0; i < b->scope->count; i++) {
        const struct bind_column *c = &b->scope->columns[i];
        if (!str_equal(c->name, n->parts[parts - 1])) continue;
        if (parts > 1 ? !str_equal(c->table, n->parts[parts - 2]) : c->is_qualified) continue;
        if (*out >= 0) {
            struct str first = b->scope->columns[*out].table, name = n->parts[parts - 1];
            if (first.size > 0 && c->table.size > 0 && parts == 1)
                err_hint(b->e, "write %.*s.%.*s or %.*s.%.*s", (int)first.size, first.data, (int)name.size, name.data, (int)c->table.size,
                         c->table.data, (int)name.size, name.data);
            return sql_error(b->e, b->t, n->places[parts - 1].at, n->places[parts - 1].size, "Column '%.*s' is ambiguous",
                             (int)name.size, name.data);
        }
        *out = (int)i;
    }
    return S_OK;
}

static enum status bind_field(struct binder *b, struct expr *x, struct str field, struct ast_place place, struct expr **out)
{
    struct expr *args[2];
    struct err inner = {0};

    TRY(expr_constant(&b->m, &type_string, field, &args[1], b->e));
    args[0] = x;
    return expr_call(&b->m, STR("FIELD"), args, 2, out, &inner) == S_OK ? S_OK : bind_fail(b, place, &inner);
}

/* Does a query around know the name? Its columns come as OUTER ones. */
static bool find_outer(struct binder *b, const struct ast_expr *x, struct expr **out)
{
    struct err inner = {0};

    for (struct bind_outer *o = b->outer; o != NULL; o = o->around) {
        struct binder quiet = *o->binder;
        quiet.e = &inner;
        quiet.outer = NULL; /* the next round */
        if (bind_expr(&quiet, x, out) != S_OK) continue;
        *out = expr_outer(b->m.a, *out, o->scope);
        o->uses++;
        return true;
    }
    return false;
}

/* The longest meaning first: table.column, then a column whose fields the rest names. PI needs no parentheses. */
static enum status bind_name(struct binder *b, const struct ast_expr *x, struct expr **out)
{
    const struct ast_name *n = &x->name;
    uint32_t used = 0;
    int col = -1;

    for (uint32_t parts = MIN(n->count, 2u); parts > 0 && col < 0; parts--) {
        TRY(find_column(b, n, parts, &col));
        used = parts;
    }
    if (col < 0 && find_outer(b, x, out)) return S_OK;
    if (col < 0 && n->count == 1 && str_equal_nocase(n->parts[0], STR("PI"))) return expr_call(&b->m, STR("PI"), NULL, 0, out, b->e);
    if (col < 0) return n->count == 2 ? no_table(b, n) : no_column(b, n, n->count > 1 ? 1 : 0);
    *out = b->scope->columns[col].x;
    if (*out == NULL) *out = expr_column(&b->m, b->scope->row, b->scope->columns[col].col);
    for (uint32_t i = used; i < n->count; i++) TRY(bind_field(b, *out, n->parts[i], n->places[i], out));
    return S_OK;
}

/* --- calls ------------------------------------------------------------------------------------------------------- */
/* Words that only part arguments. */
static bool only_parts(struct str word)
{
    static const char *const words[] = {"FROM", "FOR", "TO", "PLACING", "IN"};

    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (str_equal(word, str_of(words[i]))) return true;
    return false;
}

static enum status bind_args(struct binder *b, const struct ast_expr *x, struct expr ***out, uint32_t *count)
{
    *out = ARENA_ARRAY(b->m.a, struct expr *, MAX(x->args.count, 1u) + 1);
    enum status failed = S_OK;

    *count = 0;
    for (uint32_t i = 0; i < x->args.count; i++) {
        const struct ast_expr *arg = x->args.items[i];
        if (arg->kind == AX_WORD && !arg->flag && only_parts(arg->text)) continue;
        if (arg->kind == AX_WORD && arg->type.text.size > 0) TRY(bind_type(b, &arg->type, &(const struct type *){NULL})); /* RETURNING */
        if (arg->kind == AX_WORD) TRY(expr_constant(&b->m, &type_string, arg->text, &(*out)[(*count)++], b->e));
        else TRY(err_go_on(b->e, bind_expr(b, arg, &(*out)[(*count)++]), &failed));
    }
    return failed == S_OK ? S_OK : err_gather(b->e);
}

/* Operators and what the planner calls ($NOT_NULL) are functions, too, but not by these names. */
static bool is_callable(struct str name)
{
    for (size_t i = 0; i < name.size; i++)
        if (name.data[i] != '_' && !(name.data[i] >= '0' && name.data[i] <= '9') && !((name.data[i] | 32) >= 'a' && (name.data[i] | 32) <= 'z'))
            return false;
    return !str_equal_nocase(name, STR("IN")) && fn_find(name) != NULL;
}

static enum status call(struct binder *b, const struct ast_expr *x, struct str name, struct expr *const *args, uint32_t count,
                        struct expr **out)
{
    struct err inner = {0};

    if (x->op == NULL && fn_find(name) == NULL) return bind_unanswered(b, x, args, count);
    return expr_call(&b->m, name, args, count, out, &inner) == S_OK ? S_OK : bind_fail(b, x->place, &inner);
}

static enum status branch(struct binder *b, const struct ast_expr *x, enum expr_kind kind, struct expr *const *args, uint32_t count,
                          struct expr **out)
{
    struct err inner = {0};
    return expr_branch(&b->m, kind, args, count, out, &inner) == S_OK ? S_OK : bind_fail(b, x->place, &inner);
}

/* a BETWEEN b AND c is a >= b AND a <= c. */
static enum status bind_between(struct binder *b, const struct ast_expr *x, struct expr *const *args, struct expr **out)
{
    bool negated = str_starts(x->text, STR("NOT")), symmetric = str_ends(x->text, STR("SYMMETRIC"));
    struct expr *both[2], *turned[2];

    TRY(call(b, x, STR(">="), (struct expr *[]){args[0], args[1]}, 2, &both[0]));
    TRY(call(b, x, STR("<="), (struct expr *[]){args[0], args[2]}, 2, &both[1]));
    TRY(branch(b, x, EXPR_AND, both, 2, out));
    if (symmetric) {
        TRY(call(b, x, STR(">="), (struct expr *[]){args[0], args[2]}, 2, &turned[0]));
        TRY(call(b, x, STR("<="), (struct expr *[]){args[0], args[1]}, 2, &turned[1]));
        both[0] = *out;
        TRY(branch(b, x, EXPR_AND, turned, 2, &both[1]));
        TRY(branch(b, x, EXPR_OR, both, 2, out));
    }
    return negated ? call(b, x, STR("NOT"), out, 1, out) : S_OK;
}

/* (a, b) = (c, d) is a = c AND b = d, so that a NULL part leaves it open. *done: it was that. */
static enum status bind_equal_rows(struct binder *b, const struct ast_expr *x, const struct ast_expr *left, const struct ast_expr *right,
                                   struct expr **out, bool *done)
{
    struct expr *pair[2], **equal = ARENA_ARRAY(b->m.a, struct expr *, MAX(left->args.count, 1u));

    *done = left->kind == AX_LIST && right->kind == AX_LIST && left->args.count == right->args.count && left->args.count > 0;
    for (uint32_t i = 0; *done && i < left->args.count; i++) {
        TRY(bind_expr(b, left->args.items[i], &pair[0]));
        TRY(bind_expr(b, right->args.items[i], &pair[1]));
        TRY(call(b, right->args.items[i], STR("="), pair, 2, &equal[i]));
    }
    return *done ? branch(b, x, EXPR_AND, equal, left->args.count, out) : S_OK;
}

/* Can a set stand for the chain of '='? When all are constants, and all comparisons are in one type, to which then all are cast.
 * Texts compare in whatever lengths they have. */
static enum status set_values(struct binder *b, struct expr **value, struct expr **items, uint32_t count, bool *fits)
{
    const struct type *t = (*value)->type, *all = NULL;
    struct err inner = {0};

    *fits = t->phys != P_LIST && t->phys != P_ROW && t->kind != T_NULL;
    for (uint32_t i = 0; *fits && i < count; i++) {
        bool texts = type_is_string(t) && type_is_string(items[i]->type);
        const struct type *common = texts ? t : type_common(b->m.a, t, items[i]->type);
        if (all == NULL) all = common;
        *fits = items[i]->kind == EXPR_CONSTANT && common != NULL && type_equal_ignoring_null(common, all);
        if (!*fits || texts) continue;
        struct expr *cast;
        const struct type *to = type_with_null(b->m.a, all, items[i]->type->nullable);
        *fits = expr_cast(&b->m, items[i], to, false, &cast, &inner) == S_OK && cast->kind == EXPR_CONSTANT;
        if (*fits) items[i] = cast;
    }
    if (!*fits || type_equal_ignoring_null(all, t)) return S_OK;
    return expr_cast(&b->m, *value, type_with_null(b->m.a, all, t->nullable), false, value, b->e);
}

/* The set in pieces that a call can take. */
static enum status bind_in_set(struct binder *b, const struct ast_expr *x, struct expr *value, struct expr *const *items, uint32_t count,
                               struct expr **out)
{
    uint32_t pieces = 0, most = FN_ARGS_MAX - 1;
    struct expr **any = ARENA_ARRAY(b->m.a, struct expr *, count / most + 1), **args = ARENA_ARRAY(b->m.a, struct expr *, FN_ARGS_MAX);

    args[0] = value;
    for (uint32_t at = 0, n; at < count; at += n) {
        n = MIN(count - at, most);
        memcpy(args + 1, items + at, sizeof *args * n);
        TRY(call(b, x, STR("IN"), args, n + 1, &any[pieces++]));
    }
    if (pieces > 1) return branch(b, x, EXPR_OR, any, pieces, out);
    *out = any[0];
    return S_OK;
}

static enum status bind_in_item(struct binder *b, const struct ast_expr *x, struct expr *value, struct expr **item)
{
    struct err inner = {0};

    if (expr_call(&b->m, STR("="), (struct expr *[]){value, *item}, 2, item, &inner) == S_OK) return S_OK;
    err_hint(b->e, "%s is compared with %s: cast one of them to the type of the other", type_text(b->m.a, type_with_null(b->m.a, value->type, true)),
             type_text(b->m.a, type_with_null(b->m.a, (*item)->type, true)));
    return fail(b, x->place, "Values passed to IN operator must have compatible types");
}

/* a IN (b, c) is a = b OR a = c; many constants become a set. */
static enum status bind_in_list(struct binder *b, const struct ast_expr *x, struct expr **out)
{
    enum { SET_FROM = 4 };
    const struct ast_expr *left = x->args.items[0], *list = x->args.items[1];
    uint32_t count = list->args.count;
    struct expr *value, **items = ARENA_ARRAY(b->m.a, struct expr *, count);
    bool set = false, rows = false;
    enum status failed = S_OK;

    TRY(bind_equal_rows(b, x, left, list->args.items[0], &items[0], &rows));
    for (uint32_t i = 1; rows && i < count; i++) {
        TRY(bind_equal_rows(b, x, left, list->args.items[i], &items[i], &rows));
        if (rows) continue;
        err_hint(b->e, "each is a row of %u values, as the first one is", left->args.count);
        return fail(b, list->args.items[i]->place, "Values passed to IN operator must have compatible types");
    }
    if (rows) return branch(b, x, EXPR_OR, items, count, out);
    TRY(err_go_on(b->e, bind_expr(b, left, &value), &failed));
    for (uint32_t i = 0; i < count; i++) TRY(err_go_on(b->e, bind_expr(b, list->args.items[i], &items[i]), &failed));
    if (failed != S_OK) return err_gather(b->e);
    if (count >= SET_FROM) TRY(set_values(b, &value, items, count, &set));
    if (set) return bind_in_set(b, x, value, items, count, out);
    for (uint32_t i = 0; i < count; i++) TRY(bind_in_item(b, list->args.items[i], value, &items[i]));
    return branch(b, x, EXPR_OR, items, count, out);
}

static enum status bind_within(struct binder *b, const struct ast_expr *x, struct expr **out)
{
    if (b->query != NULL) return b->query(b, x, out);
    err_hint(b->e, "it stands in the list of a SELECT, or in its WHERE or HAVING");
    return fail(b, x->place, "a sub-query cannot stand here");
}

static enum status bind_in(struct binder *b, const struct ast_expr *x, struct expr **out)
{
    const struct ast_expr *list = x->args.items[1];

    if (list->kind != AX_LIST) return bind_within(b, x, out);
    TRY(bind_in_list(b, x, out));
    return str_starts(x->text, STR("NOT")) ? call(b, x, STR("NOT"), out, 1, out) : S_OK;
}

/* --- (a, b) OVERLAPS (c, d) --- */
/* The earlier and the later end of a period; the second value may be an interval to be added. */
static enum status bind_period(struct binder *b, const struct ast_expr *x, struct expr *out[2])
{
    struct expr *ends[2], *ordered, *parts[3];

    if (x->kind != AX_LIST || x->args.count != 2) return fail(b, x->place, "a period is two times, or a time and an interval, in parentheses");
    for (uint32_t i = 0; i < 2; i++) TRY(bind_expr(b, x->args.items[i], &ends[i]));
    if (ends[1]->type->kind == T_INTERVAL_MONTH || ends[1]->type->kind == T_INTERVAL_SECOND) TRY(call(b, x, STR("+"), ends, 2, &ends[1]));
    TRY(call(b, x, STR("<="), ends, 2, &ordered));
    for (uint32_t i = 0; i < 2; i++) {
        parts[0] = ordered;
        parts[1] = ends[i];
        parts[2] = ends[1 - i];
        TRY(branch(b, x, EXPR_CASE, parts, 3, &out[i]));
    }
    return S_OK;
}

static enum status bind_overlaps(struct binder *b, const struct ast_expr *x, struct expr **out)
{
    struct expr *one[2], *two[2], *both[2];

    TRY(bind_period(b, x->args.items[0], one));
    TRY(bind_period(b, x->args.items[1], two));
    TRY(call(b, x, STR(">="), (struct expr *[]){one[1], two[0]}, 2, &both[0]));
    TRY(call(b, x, STR(">="), (struct expr *[]){two[1], one[0]}, 2, &both[1]));
    return branch(b, x, EXPR_AND, both, 2, out);
}

/* (a - b) DAY */
static enum status bind_difference(struct binder *b, const struct ast_expr *x, struct expr **out)
{
    const struct ast_expr *minus = x->args.items[0];
    struct expr *args[3];

    for (uint32_t i = 0; i < 2; i++) TRY(bind_expr(b, minus->args.items[i], &args[i]));
    TRY(expr_constant(&b->m, &type_string, x->text, &args[2], b->e));
    return call(b, x, STR("TIME_DIFFERENCE"), args, 3, out);
}

/* NOT LIKE and the like: the function without NOT, then NOT. */
static bool is_condition(const struct expr *x) { return x->type->kind == T_BOOLEAN || x->type->kind == T_NULL; }

/* AND, OR: the error stands at the operand that is no condition. */
static enum status bind_junction(struct binder *b, const struct ast_expr *x, enum expr_kind kind, struct expr *const *args, uint32_t count,
                                 struct expr **out)
{
    for (uint32_t i = 0; i < count; i++) {
        if (is_condition(args[i])) continue;
        err_hint(b->e, "it takes conditions: a comparison, or a BOOLEAN");
        return sql_error(b->e, b->t, x->args.items[i]->place.at, x->args.items[i]->place.size, "Cannot apply '%.*s' to arguments of type '<%s>'",
                         (int)x->text.size, x->text.data, type_text(b->m.a, type_with_null(b->m.a, args[i]->type, true)));
    }
    return branch(b, x, kind, args, count, out);
}

/* +x is x, where it is a number or an interval. */
static enum status bind_plus(struct binder *b, const struct ast_expr *x, struct expr *const *args, struct expr **out)
{
    const struct type *t = args[0]->type;

    *out = args[0];
    if (type_is_numeric(t) || t->kind == T_INTERVAL_SECOND || t->kind == T_INTERVAL_MONTH || t->kind == T_NULL) return S_OK;
    err_hint(b->e, "it takes a number or an interval");
    return sql_error(b->e, b->t, x->place.at, x->place.size, "Cannot apply '+' to arguments of type '+<%s>'",
                     type_text(b->m.a, type_with_null(b->m.a, t, true)));
}

static enum status bind_operator(struct binder *b, const struct ast_expr *x, struct expr **out)
{
    struct expr **args;
    uint32_t count;
    struct str name = x->text;
    bool negated = x->op->form == FORM_LIKE && str_starts(name, STR("NOT ")), rows;

    if (x->op->form == FORM_IN) return bind_in(b, x, out);
    if (x->op->form == FORM_QUANTIFIED || x->op->form == FORM_EXISTS || x->op->form == FORM_QUERY)
        return bind_within(b, x, out);
    if (str_equal(name, STR("OVERLAPS"))) return bind_overlaps(b, x, out);
    if (x->op->form == FORM_POSTFIX && x->op->precedence == PRECEDENCE_ITEM) return bind_difference(b, x, out);
    if (str_equal(name, STR("="))) {
        TRY(bind_equal_rows(b, x, x->args.items[0], x->args.items[1], out, &rows));
        if (rows) return S_OK;
    }
    if (str_equal(name, STR("NEGATE")) && x->args.items[0]->kind == AX_LITERAL && x->args.items[0]->literal == LITERAL_INTEGER)
        return bind_negative(b, x->args.items[0], out);
    TRY(bind_args(b, x, &args, &count));
    if (x->op->form == FORM_BETWEEN) return bind_between(b, x, args, out);
    if (str_equal(name, STR("AND"))) return bind_junction(b, x, EXPR_AND, args, count, out);
    if (str_equal(name, STR("OR"))) return bind_junction(b, x, EXPR_OR, args, count, out);
    if (str_equal(name, STR("PLUS"))) return bind_plus(b, x, args, out);
    if (x->flag && !is_condition(args[0])) return fail(b, x->args.items[0]->place, "WHERE clause must be a condition"); /* of DELETE */
    if (negated) name = (struct str){name.data + 4, name.size - 4};
    TRY(call(b, x, name, args, count, out));
    return negated ? call(b, x, STR("NOT"), out, 1, out) : S_OK;
}

static bool have_common(struct binder *b, struct expr *const *args, uint32_t count)
{
    const struct type *t = args[0]->type;

    for (uint32_t i = 1; i < count && t != NULL; i++) t = type_common(b->m.a, t, args[i]->type);
    return t != NULL;
}

/* IF(a, b, c), IFNULL(a, b), NULLIF(a, b) are branches too. The type of IF is nullable when its condition is, as Flink's. */
static enum status bind_if(struct binder *b, const struct ast_expr *x, struct expr *const *args, struct expr **out)
{
    if (!is_condition(args[0]) || !have_common(b, args + 1, 2))
        return bind_cannot_apply(b, x, args, 3, "a condition, and two values that have a common type");
    TRY(branch(b, x, EXPR_CASE, args, 3, out));
    if (args[0]->type->nullable) (*out)->type = type_with_null(b->m.a, (*out)->type, true);
    return S_OK;
}

static enum status bind_nullif(struct binder *b, const struct ast_expr *x, struct expr *const *args, struct expr **out)
{
    struct expr *parts[3] = {NULL, expr_null(&b->m, args[0]->type), args[0]};

    TRY(call(b, x, STR("="), args, 2, &parts[0]));
    return branch(b, x, EXPR_CASE, parts, 3, out);
}

/* The functions that evaluate only what they need. *done: it was one of them. */
static enum status bind_branch(struct binder *b, const struct ast_expr *x, struct str name, struct expr *const *args, uint32_t count,
                               struct expr **out, bool *done)
{
    bool coalesce = str_equal_nocase(name, STR("COALESCE")), ifnull = str_equal_nocase(name, STR("IFNULL"));
    bool nullif = str_equal_nocase(name, STR("NULLIF")), is_if = str_equal_nocase(name, STR("IF"));

    *done = coalesce || ifnull || nullif || is_if;
    if (!*done) return S_OK;
    if ((coalesce && count == 0) || (ifnull && count != 2)) return bind_no_match(b, x, args, count);
    if (is_if) return count == 3 ? bind_if(b, x, args, out) : bind_wrong_count(b, x, "3");
    if (nullif) return count == 2 ? bind_nullif(b, x, args, out) : bind_wrong_count(b, x, "2");
    return have_common(b, args, count) ? branch(b, x, EXPR_COALESCE, args, count, out)
                                       : bind_cannot_apply(b, x, args, count, "values that have a common type");
}

static enum status call_user(struct binder *b, const struct ast_expr *x, const struct fn_def *def, struct expr **out)
{
    struct err inner = {0};
    struct expr **args;
    uint32_t count;

    TRY(bind_args(b, x, &args, &count));
    return expr_call_of(&b->m, def, args, count, out, &inner) == S_OK ? S_OK : bind_fail(b, x->place, &inner);
}

static const struct fn_def *user_named(const struct binder *b, const struct ast_expr *x)
{
    const struct fn_users *users = b->m.session != NULL ? b->m.session->users : NULL;

    return users != NULL && x->kind == AX_CALL ? users->named(users->arg, x->name.parts, x->name.count) : NULL;
}

enum status bind_table_call(struct binder *b, const struct ast_expr *x, struct expr **out)
{
    const struct fn_def *def = user_named(b, x);

    *out = NULL;
    return def != NULL && def->is_table ? call_user(b, x, def, out) : S_OK;
}

/* Of a user's. *done: it was one. */
static enum status bind_user_call(struct binder *b, const struct ast_expr *x, struct expr **out, bool *done)
{
    const struct fn_def *def = user_named(b, x);
    struct err inner = {0};

    *done = def != NULL;
    if (def == NULL) return S_OK;
    if (def->is_aggregate) return fail(b, x->place, "Aggregate expression is illegal here");
    if (!def->is_table) return call_user(b, x, def, out);
    err_hint(b->e, "it stands behind FROM: LATERAL TABLE(%s(...))", def->name);
    err_set(&inner, E_GRAPH, "Cannot call table function here: '%s'", def->name);
    return bind_fail(b, x->place, &inner);
}

/* Functions of SQL's own are those of module core. */
static enum status no_core(struct binder *b, const struct ast_expr *x, struct str name)
{
    struct err inner = {0};

    err_hint(b->e, "LOAD MODULE core brings the functions back");
    err_set(&inner, E_GRAPH, "unknown function '%.*s': module 'core' is not loaded", (int)name.size, name.data);
    return bind_fail(b, x->name.place, &inner);
}

/* With what only calls of aggregates have: there is none of that name, or none may stand here. */
static enum status no_aggregate(struct binder *b, const struct ast_expr *x)
{
    struct str name = x->name.parts[x->name.count - 1];

    if (x->aggregate->over != NULL) {
        err_hint(b->e, "give it a name in the list of a SELECT, and use the name");
        return fail(b, x->place, "Windowed aggregate expression is illegal here");
    }
    if (x->name.count > 1 || agg_find(name) != NULL) return fail(b, x->place, "Aggregate expression is illegal here");
    if (x->aggregate->filter != NULL) return fail(b, x->place, "FILTER must be applied to aggregate function");
    return sql_error(b->e, b->t, x->place.at, x->place.size, "DISTINCT/ALL not allowed with %.*s function", (int)name.size, name.data);
}

static enum status bind_call(struct binder *b, const struct ast_expr *x, struct expr **out)
{
    struct expr **args;
    uint32_t count;
    bool done;

    if (x->op != NULL) return bind_operator(b, x, out);
    if (bind_is_unknown(b, x)) {
        if (x->args.count == 1 && x->args.items[0]->kind == AX_STAR) return bind_unanswered(b, x, NULL, 0); /* COUTN(*) */
        TRY(bind_args(b, x, &args, &count));
        return bind_unanswered(b, x, args, count);
    }
    if (x->aggregate != NULL) return no_aggregate(b, x);
    TRY(bind_user_call(b, x, out, &done));
    if (done) return S_OK;
    struct str name = x->name.count > 0 ? x->name.parts[x->name.count - 1] : x->text;
    if (x->name.count > 0 && b->m.session != NULL && b->m.session->has_no_core) return no_core(b, x, name);
    if (str_equal_nocase(name, STR("JSON")))
        return fail(b, x->place, "The JSON() function is currently only supported inside JSON_ARRAY() or as the VALUE param of JSON_OBJECT()");
    TRY(bind_is_json(x) ? bind_json(b, x, &args, &count) : bind_args(b, x, &args, &count));
    TRY(bind_branch(b, x, name, args, count, out, &done));
    if (done) return S_OK;
    return is_callable(name) ? call(b, x, name, args, count, out) : bind_unanswered(b, x, args, count);
}

/* The CASE that an UPDATE with WHERE becomes: the new value, else the column as it is. Its text says what is wrong with a value
 * that the column cannot take; the types are added here. */
static enum status fit_assigned(struct binder *b, const struct ast_expr *x, struct expr **args)
{
    const struct ast_expr *value = x->args.items[1];
    const struct type *to = args[2]->type;

    if (!type_casts_implicitly(args[1]->type, to))
        return sql_error(b->e, b->t, value->place.at, value->place.size, "%.*s\nType of the value:  %s\nType of the column: %s",
                         (int)x->text.size, x->text.data, type_text(b->m.a, args[1]->type), type_text(b->m.a, to));
    if (type_common(b->m.a, args[1]->type, to) != NULL) return S_OK;
    return expr_cast(&b->m, args[1], type_with_null(b->m.a, to, args[1]->type->nullable), false, &args[1], b->e);
}

/* CASE a WHEN b THEN c is CASE WHEN a = b THEN c. */
static enum status bind_case(struct binder *b, const struct ast_expr *x, struct expr **out)
{
    uint32_t first = x->flag ? 1 : 0, n = x->args.count - first, count = 0;
    struct expr *operand = NULL, **args = ARENA_ARRAY(b->m.a, struct expr *, n + 1);
    enum status failed = S_OK;

    if (x->flag) TRY(bind_expr(b, x->args.items[0], &operand));
    for (uint32_t i = 0; i < n; i++) {
        const struct ast_expr *part = x->args.items[first + i];
        bool condition = i % 2 == 0 && i + 1 < n;
        TRY(err_go_on(b->e, bind_expr(b, part, &args[count]), &failed));
        if (failed == S_OK && condition && operand == NULL && !is_condition(args[count]))
            return fail(b, part->place, x->text.size > 0 ? "WHERE clause must be a condition" : "Expected a boolean type"); /* of UPDATE */
        if (failed == S_OK && condition && operand != NULL) TRY(call(b, part, STR("="), (struct expr *[]){operand, args[count]}, 2, &args[count]));
        count++;
    }
    if (failed != S_OK) return err_gather(b->e);
    if (count % 2 == 0) args[count++] = expr_null(&b->m, &type_null);
    if (x->text.size > 0) TRY(fit_assigned(b, x, args));
    return branch(b, x, EXPR_CASE, args, count, out);
}

enum status bind_type(struct binder *b, const struct ast_type *t, const struct type **out)
{
    struct err inner = {0};

    if (type_parse(b->m.a, t->text, out, &inner) == S_OK) return S_OK;
    char *place = strstr(inner.text, " at position "); /* the place in the statement is shown instead */
    if (place != NULL) *place = '\0';
    return bind_fail(b, t->place, &inner);
}

static enum status bind_cast(struct binder *b, const struct ast_expr *x, struct expr **out)
{
    struct err inner = {0};
    const struct type *to;
    struct expr *value;

    TRY(bind_expr(b, x->args.items[0], &value));
    TRY(bind_type(b, &x->type, &to));
    if (expr_cast(&b->m, value, to, x->flag, out, &inner) != S_OK || expr_materialize(&b->m, *out, out, &inner) != S_OK)
        return bind_fail(b, x->place, &inner);
    return S_OK;
}

static enum status bind_node(struct binder *b, const struct ast_expr *x, struct expr **out)
{
    struct expr **args;
    uint32_t count;

    switch ((enum ast_expr_kind)x->kind) {
    case AX_LITERAL: return bind_literal(b, x, out);
    case AX_NAME: return bind_name(b, x, out);
    case AX_CALL: return bind_call(b, x, out);
    case AX_CAST: return bind_cast(b, x, out);
    case AX_CASE: return bind_case(b, x, out);
    case AX_LIST:
        TRY(bind_args(b, x, &args, &count));
        return call(b, x, STR("ROW"), args, count, out);
    case AX_FIELD:
        TRY(bind_expr(b, x->args.items[0], out));
        return bind_field(b, *out, x->text, x->place, out);
    case AX_QUERY: return bind_within(b, x, out);
    case AX_STAR: return fail(b, x->place, "Unknown identifier '*'");
    default: return fail(b, x->place, "this cannot stand in an expression");
    }
}

enum status bind_expr(struct binder *b, const struct ast_expr *x, struct expr **out)
{
    bool done = false;

    if (b->special != NULL) TRY(b->special(b, x, out, &done));
    if (!done) TRY(bind_node(b, x, out));
    expr_places_add(b->places, *out, b->row == NULL && b->scope != NULL ? b->scope->row : b->row, b->t, x->place);
    return S_OK;
}
