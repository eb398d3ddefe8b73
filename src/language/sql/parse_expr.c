/* parse_expr.c - operators: precedence climbing. parse_above(p, n) reads a primary and all operators behind it that bind
 * tighter than n; each operator reads its right side the same way with its own number, so equals group from the left.
 *
 * Chains of AND, OR and || become one call with many arguments: a text of ten thousand terms stays flat. Other chains grow
 * the height of the tree, which is bounded. Not here: what stands at the leaves (parse_primary.c, parse_special.c). */
#include "language/sql/parse_internal.h"

#include "ground/base/str.h"

#include <stdio.h>
#include <string.h>

/* --- nodes ------------------------------------------------------------------------------------------------------- */
struct ast_expr *ast_new(struct parser *p, enum ast_expr_kind kind, struct ast_place place)
{
    struct ast_expr *x = ARENA_NEW(p->a, struct ast_expr);
    x->kind = (uint8_t)kind;
    x->place = place;
    x->height = 1;
    return x;
}

enum status ast_add(struct parser *p, struct ast_expr *x, struct ast_expr *arg)
{
    if (arg->height >= AST_HEIGHT_MAX)
        return sql_error(p->e, p->t, arg->place.at, arg->place.size, "an expression has at most %d operators on each other", AST_HEIGHT_MAX);
    if (x->args.count >= AST_LIST_MAX)
        return sql_error(p->e, p->t, arg->place.at, arg->place.size, "a list has at most %d items, one more begins here", AST_LIST_MAX);
    x->height = MAX(x->height, (uint16_t)(arg->height + 1));
    *PARSE_PUSH(p, x->args.items, x->args.count) = arg;
    return S_OK;
}

enum status ast_call(struct parser *p, const struct sql_op *op, struct ast_place place, struct ast_expr *const *args, uint32_t count,
                     struct ast_expr **out)
{
    ASSERT(op != NULL);
    struct ast_expr *x = ast_new(p, AX_CALL, place);
    x->op = op;
    x->text = str_of(op->name);
    for (uint32_t i = 0; i < count; i++) TRY(ast_add(p, x, args[i]));
    *out = x;
    return S_OK;
}

struct ast_expr *ast_word(struct parser *p, struct str text, struct ast_place place)
{
    struct ast_expr *x = ast_new(p, AX_WORD, place);
    x->text = text;
    return x;
}

/* --- which operator stands here ---------------------------------------------------------------------------------- */
struct ahead {
    const struct sql_op *op;
    uint32_t tokens;
};

enum { OPERATOR_NAME_MAX = 64 }; /* "IS NOT JSON OBJECT" and shorter */

/* Puts the next word behind a name that is being made of words. */
static void add_word(char name[static OPERATOR_NAME_MAX], const struct parser *p, struct ahead *a)
{
    size_t used = strlen(name);
    const char *word = keyword_text((enum keyword)parse_peek(p, a->tokens)->keyword);

    snprintf(name + used, OPERATOR_NAME_MAX - used, "%s%s", used > 0 ? " " : "", word);
    a->tokens++;
}

static bool is_one_of(const struct parser *p, uint32_t ahead, const enum keyword *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_word(p, ahead, words[i])) return true;
    return false;
}

/* IS [NOT] NULL | TRUE | .. | JSON [VALUE ..] | DISTINCT FROM | A SET | EMPTY */
static struct ahead find_is(const struct parser *p)
{
    static const enum keyword simple[] = {KW_NULL, KW_TRUE, KW_FALSE, KW_UNKNOWN, KW_JSON, KW_EMPTY, KW_DISTINCT, KW_A};
    static const enum keyword json[] = {KW_VALUE, KW_SCALAR, KW_ARRAY, KW_OBJECT};
    char name[OPERATOR_NAME_MAX] = "";
    struct ahead a = {0};

    add_word(name, p, &a);
    if (is_word(p, a.tokens, KW_NOT)) add_word(name, p, &a);
    if (!is_one_of(p, a.tokens, simple, COUNT_OF(simple))) return (struct ahead){0};
    bool is_json = is_word(p, a.tokens, KW_JSON), pair = is_word(p, a.tokens, KW_DISTINCT) || is_word(p, a.tokens, KW_A);
    bool distinct = is_word(p, a.tokens, KW_DISTINCT);
    add_word(name, p, &a);
    if (pair && !is_word(p, a.tokens, distinct ? KW_FROM : KW_SET)) return (struct ahead){0};
    if (pair || (is_json && is_one_of(p, a.tokens, json, COUNT_OF(json)))) add_word(name, p, &a);
    a.op = sql_op_find(name, distinct ? FORM_INFIX : FORM_POSTFIX);
    return a;
}

/* [NOT] BETWEEN | IN | LIKE | SIMILAR TO; AND, OR; OVERLAPS, CONTAINS, MEMBER OF */
static struct ahead find_word(const struct parser *p)
{
    static const enum keyword infix[] = {KW_AND, KW_OR, KW_OVERLAPS, KW_CONTAINS};
    char name[OPERATOR_NAME_MAX] = "";
    struct ahead a = {0};

    if (is_word(p, 0, KW_IS)) return find_is(p);
    if (is_word(p, 0, KW_NOT)) add_word(name, p, &a);
    else if (is_one_of(p, 0, infix, COUNT_OF(infix)) || is_word(p, 0, KW_MEMBER)) {
        bool member = is_word(p, 0, KW_MEMBER);
        add_word(name, p, &a);
        if (member && !is_word(p, 1, KW_OF)) return (struct ahead){0};
        if (member) add_word(name, p, &a);
        a.op = sql_op_find(name, FORM_INFIX);
        return a;
    }
    bool between = is_word(p, a.tokens, KW_BETWEEN), in = is_word(p, a.tokens, KW_IN), similar = is_word(p, a.tokens, KW_SIMILAR);
    if (!between && !in && !similar && !is_word(p, a.tokens, KW_LIKE)) return (struct ahead){0};
    add_word(name, p, &a);
    if (similar && !is_word(p, a.tokens, KW_TO)) return (struct ahead){0};
    if (similar || (between && is_word(p, a.tokens, KW_SYMMETRIC))) add_word(name, p, &a);
    else if (between && is_word(p, a.tokens, KW_ASYMMETRIC)) a.tokens++;
    a.op = sql_op_find(name, between ? FORM_BETWEEN : in ? FORM_IN : FORM_LIKE);
    return a;
}

static struct ahead find_symbol(const struct parser *p)
{
    static const enum keyword quantifiers[] = {KW_ALL, KW_SOME, KW_ANY};
    struct ahead a = {.op = sql_op_infix(token_text(p->t, parse_peek(p, 0))), .tokens = 1};
    char name[16];

    if (is_symbol(p, 0, "[")) return (struct ahead){sql_op_find("ITEM", FORM_ITEM), 0};
    if (a.op == NULL || a.op->precedence != PRECEDENCE_COMPARE || !is_one_of(p, 1, quantifiers, COUNT_OF(quantifiers))) return a;
    snprintf(name, sizeof name, "%s %s", a.op->name, is_word(p, 1, KW_ALL) ? "ALL" : "SOME");
    return (struct ahead){sql_op_find(name, FORM_QUANTIFIED), 2};
}

static struct ahead find_operator(const struct parser *p)
{
    const struct token *t = parse_peek(p, 0);

    if (t->kind == TOKEN_SYMBOL) return find_symbol(p);
    if (t->kind == TOKEN_KEYWORD) return find_word(p);
    return (struct ahead){0};
}

/* --- what follows an operator ------------------------------------------------------------------------------------ */
static enum status parse_infix(struct parser *p, const struct sql_op *op, struct ast_place from, struct ast_expr **x)
{
    struct ast_expr *args[2] = {*x};

    TRY(parse_above(p, op->precedence, &args[1]));
    if (op->flat && (*x)->kind == AX_CALL && (*x)->op == op && (*x)->place.at == from.at) {
        TRY(ast_add(p, *x, args[1]));
        (*x)->place = parse_since(p, from);
        return S_OK;
    }
    return ast_call(p, op, parse_since(p, from), args, 2, x);
}

static enum status parse_between(struct parser *p, const struct sql_op *op, struct ast_place from, struct ast_expr **x)
{
    struct ast_expr *args[3] = {*x};

    TRY(parse_above(p, PRECEDENCE_BETWEEN, &args[1]));
    TRY(expect_word(p, KW_AND));
    TRY(parse_above(p, PRECEDENCE_BETWEEN, &args[2]));
    return ast_call(p, op, parse_since(p, from), args, 3, x);
}

static enum status parse_like(struct parser *p, const struct sql_op *op, struct ast_place from, struct ast_expr **x)
{
    struct ast_expr *args[3] = {*x};
    uint32_t count = 2;

    TRY(parse_above(p, PRECEDENCE_BETWEEN, &args[1]));
    if (take_word(p, KW_ESCAPE)) TRY(parse_above(p, PRECEDENCE_BETWEEN, &args[count++]));
    return ast_call(p, op, parse_since(p, from), args, count, x);
}

/* (a, b, c) or (SELECT ...), right of IN and of quantifiers. */
static enum status parse_members(struct parser *p, struct ast_expr **out)
{
    struct ast_place from = parse_here(p);

    TRY(expect_symbol(p, "("));
    if (is_query(p, 0)) {
        *out = ast_new(p, AX_QUERY, from);
        TRY(parse_query(p, &(*out)->query));
    } else {
        struct ast_list list;
        TRY(parse_exprs(p, &list));
        *out = ast_new(p, AX_LIST, from);
        for (uint32_t i = 0; i < list.count; i++) TRY(ast_add(p, *out, list.items[i]));
    }
    TRY(expect_symbol(p, ")"));
    (*out)->place = parse_since(p, from);
    return S_OK;
}

static enum status parse_item(struct parser *p, const struct sql_op *op, struct ast_place from, struct ast_expr **x)
{
    struct ast_expr *args[2] = {*x};

    TRY(expect_symbol(p, "["));
    TRY(parse_expr(p, &args[1]));
    TRY(expect_symbol(p, "]"));
    return ast_call(p, op, parse_since(p, from), args, 2, x);
}

static enum status parse_operator(struct parser *p, const struct sql_op *op, struct ast_place from, struct ast_expr **x)
{
    struct ast_expr *args[2] = {*x};

    switch ((enum sql_form)op->form) {
    case FORM_POSTFIX: return ast_call(p, op, parse_since(p, from), args, 1, x);
    case FORM_BETWEEN: return parse_between(p, op, from, x);
    case FORM_LIKE: return parse_like(p, op, from, x);
    case FORM_ITEM: return parse_item(p, op, from, x);
    case FORM_IN:
    case FORM_QUANTIFIED:
        TRY(parse_members(p, &args[1]));
        return ast_call(p, op, parse_since(p, from), args, 2, x);
    default: return parse_infix(p, op, from, x);
    }
}

static enum status parse_prefix(struct parser *p, const struct sql_op *op, struct ast_expr **out)
{
    struct ast_place from = parse_here(p);
    struct ast_expr *arg;

    p->at++;
    TRY(parse_enter(p));
    TRY(parse_above(p, (uint8_t)(op->precedence - 1), &arg));
    parse_leave(p);
    return ast_call(p, op, parse_since(p, from), &arg, 1, out);
}

/* A field behind a value that is not a plain name: f(x).a, x[1].b, (x).b */
static enum status parse_field(struct parser *p, struct ast_place from, struct ast_expr **x)
{
    struct ast_expr *field = ast_new(p, AX_FIELD, from);

    TRY(expect_symbol(p, "."));
    TRY(parse_part(p, "a field's name", &field->text, NULL));
    TRY(ast_add(p, field, *x));
    field->place = parse_since(p, from);
    *x = field;
    return S_OK;
}

/* (a).b: what is in parentheses is a value, and no part of the name. */
static bool is_behind_parenthesis(const struct parser *p)
{
    const struct token *before = &p->t->items[p->at > 0 ? p->at - 1 : 0];

    return before->kind == TOKEN_SYMBOL && str_equal(token_text(p->t, before), STR(")"));
}

enum status parse_above(struct parser *p, uint8_t precedence, struct ast_expr **out)
{
    struct ast_place from = parse_here(p);

    if (is_word(p, 0, KW_NOT)) TRY(parse_prefix(p, sql_op_find("NOT", FORM_PREFIX), out));
    else if (is_symbol(p, 0, "-")) TRY(parse_prefix(p, sql_op_find("NEGATE", FORM_PREFIX), out));
    else if (is_symbol(p, 0, "+")) TRY(parse_prefix(p, sql_op_find("PLUS", FORM_PREFIX), out));
    else TRY(parse_primary(p, out));
    for (;;) {
        if (is_symbol(p, 0, ".") && ((*out)->kind != AX_NAME || is_behind_parenthesis(p))) {
            TRY(parse_field(p, from, out));
            continue;
        }
        struct ahead a = find_operator(p);
        if (a.op == NULL || a.op->precedence <= precedence) return S_OK;
        p->at += a.tokens;
        TRY(parse_operator(p, a.op, from, out));
    }
}

enum status parse_expr(struct parser *p, struct ast_expr **out)
{
    TRY(parse_enter(p));
    TRY(parse_above(p, PRECEDENCE_LOWEST, out));
    parse_leave(p);
    return S_OK;
}

enum status parse_exprs(struct parser *p, struct ast_list *out)
{
    *out = (struct ast_list){0};
    do {
        struct ast_expr *x;
        if (out->count == AST_LIST_MAX) return parse_too_many(p, "a list", AST_LIST_MAX, "items");
        TRY(parse_expr(p, &x));
        *PARSE_PUSH(p, out->items, out->count) = x;
    } while (take_symbol(p, ","));
    return S_OK;
}

enum status parse_order(struct parser *p, struct ast_order *out)
{
    static const char *const behind[] = {"DESC", "ASC", "NULLS"};

    *out = (struct ast_order){0};
    TRY(parse_expr(p, &out->x));
    out->descending = take_word(p, KW_DESC);
    if (!out->descending) take_word(p, KW_ASC);
    if (take_word(p, KW_NULLS)) {
        out->nulls = take_word(p, KW_FIRST) ? NULLS_FIRST : NULLS_LAST;
        if (out->nulls == NULLS_LAST) TRY(expect_word(p, KW_LAST));
    }
    if (is_name(p, 0) && !parse_at_clause(p)) parse_suggest(p, behind, COUNT_OF(behind));
    return parse_no_stray(p, "ASC, DESC, ',' or the end of ORDER BY");
}

static bool order_ends(const struct parser *p) { return parse_at_comma(p) || parse_at_clause(p); }

enum status parse_orders(struct parser *p, struct ast_orders *out)
{
    *out = (struct ast_orders){0};
    do {
        struct parse_mark m = parse_mark(p);
        TRY(parse_resume(p, m, parse_order(p, PARSE_PUSH(p, out->items, out->count)), order_ends));
    } while (take_symbol(p, ","));
    return S_OK;
}
