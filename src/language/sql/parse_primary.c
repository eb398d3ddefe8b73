/* parse_primary.c - what stands between operators: names, calls, CASE, CAST, parentheses, constructors, sub-queries.
 *
 * One table says which function reads what begins with a word of its own; a name that is followed by a parenthesis is a call;
 * everything else is a name. Literals are in parse_literal.c, functions with words inside (EXTRACT) in parse_special.c. */
#include "language/sql/parse_internal.h"

#include "ground/base/str.h"

static enum status parse_case(struct parser *p, struct ast_expr **out)
{
    struct ast_expr *x = ast_new(p, AX_CASE, parse_here(p)), *arg;

    TRY(expect_word(p, KW_CASE));
    x->flag = !is_word(p, 0, KW_WHEN);
    if (x->flag) {
        TRY(parse_expr(p, &arg));
        TRY(ast_add(p, x, arg));
    }
    do {
        TRY(expect_word(p, KW_WHEN));
        TRY(parse_expr(p, &arg));
        TRY(ast_add(p, x, arg));
        TRY(expect_word(p, KW_THEN));
        TRY(parse_expr(p, &arg));
        TRY(ast_add(p, x, arg));
    } while (is_word(p, 0, KW_WHEN));
    if (take_word(p, KW_ELSE)) {
        TRY(parse_expr(p, &arg));
        TRY(ast_add(p, x, arg));
    }
    TRY(expect_word(p, KW_END));
    x->place = parse_since(p, x->place);
    *out = x;
    return S_OK;
}

/* CAST(x AS type), TRY_CAST(x AS type) */
static enum status parse_cast(struct parser *p, struct ast_expr **out)
{
    struct ast_expr *x = ast_new(p, AX_CAST, parse_here(p)), *arg;

    x->flag = take_word(p, KW_TRY_CAST);
    if (!x->flag) TRY(expect_word(p, KW_CAST));
    TRY(expect_symbol(p, "("));
    TRY(parse_expr(p, &arg));
    TRY(ast_add(p, x, arg));
    TRY(expect_word(p, KW_AS));
    TRY(parse_type(p, &x->type));
    TRY(expect_symbol(p, ")"));
    x->place = parse_since(p, x->place);
    *out = x;
    return S_OK;
}

static enum status parse_query_value(struct parser *p, struct ast_expr **out)
{
    struct ast_expr *x = ast_new(p, AX_QUERY, parse_here(p));

    TRY(expect_symbol(p, "("));
    TRY(parse_query(p, &x->query));
    TRY(expect_symbol(p, ")"));
    x->place = parse_since(p, x->place);
    *out = x;
    return S_OK;
}

static enum status parse_exists(struct parser *p, struct ast_expr **out)
{
    struct ast_place from = parse_here(p);
    bool exists = take_word(p, KW_EXISTS);
    struct ast_expr *query;

    if (!exists) TRY(expect_word(p, KW_UNIQUE));
    TRY(parse_query_value(p, &query));
    return ast_call(p, sql_op_find(exists ? "EXISTS" : "UNIQUE", FORM_EXISTS), parse_since(p, from), &query, 1, out);
}

/* ARRAY[a, b], MAP[k, v], ARRAY (SELECT ..) */
static enum status parse_constructor(struct parser *p, struct ast_expr **out)
{
    struct ast_place from = parse_here(p);
    const char *name = keyword_text((enum keyword)parse_peek(p, 0)->keyword);
    struct ast_list list = {0};

    p->at++;
    if (is_symbol(p, 0, "(") && is_query(p, 1)) {
        struct ast_expr *query;
        TRY(parse_query_value(p, &query));
        return ast_call(p, sql_op_find(name, FORM_QUERY), parse_since(p, from), &query, 1, out);
    }
    TRY(expect_symbol(p, "["));
    if (!is_symbol(p, 0, "]")) TRY(parse_exprs(p, &list));
    TRY(expect_symbol(p, "]"));
    return ast_call(p, sql_op_find(name, FORM_BRACKETS), parse_since(p, from), list.items, list.count, out);
}

/* (a - b) DAY, DAY TO SECOND, ...: the difference of two times as an interval. The first unit says all: years and months, or days and
 * less. */
static enum status parse_difference(struct parser *p, struct ast_place from, struct ast_expr **x)
{
    static const enum keyword units[] = {KW_YEAR, KW_MONTH, KW_DAY, KW_HOUR, KW_MINUTE, KW_SECOND};
    const struct ast_expr *minus = *x;
    struct ast_expr *args[1] = {*x};
    struct ast_type unit;

    if (minus->kind != AX_CALL || minus->op == NULL || minus->op != sql_op_find("-", FORM_INFIX)) return S_OK;
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (!is_word(p, 0, units[i])) continue;
        const struct sql_op *op = sql_op_find(keyword_text(units[i]), FORM_POSTFIX);
        TRY(parse_interval_unit(p, &unit));
        return ast_call(p, op, parse_since(p, from), args, 1, x);
    }
    return S_OK;
}

/* ((SELECT ..), b) and ((SELECT ..) + 1) begin as a query in parentheses does: what stands behind the inner ones tells. */
static bool is_query_value(const struct parser *p)
{
    static const enum keyword behind[] = {KW_UNION, KW_INTERSECT, KW_EXCEPT, KW_MINUS, KW_ORDER, KW_LIMIT, KW_OFFSET, KW_FETCH};
    uint32_t n = 2, depth = 1;

    if (!is_query(p, 1)) return false;
    if (!is_symbol(p, 1, "(")) return true;
    for (; depth > 0 && parse_peek(p, n)->kind != TOKEN_END; n++) {
        depth += is_symbol(p, n, "(");
        depth -= is_symbol(p, n, ")");
    }
    for (size_t i = 0; i < COUNT_OF(behind); i++)
        if (is_word(p, n, behind[i])) return true;
    return is_symbol(p, n, ")") || parse_peek(p, n)->kind == TOKEN_END;
}

/* (x), (a, b), (SELECT ..), ROW(a, b) */
static enum status parse_parentheses(struct parser *p, struct ast_expr **out)
{
    struct ast_place from = parse_here(p);
    bool row = take_word(p, KW_ROW);
    struct ast_list list = {0};

    if (!row && is_query_value(p)) return parse_query_value(p, out);
    TRY(expect_symbol(p, "("));
    if (!row || !is_symbol(p, 0, ")")) TRY(parse_exprs(p, &list));
    TRY(expect_symbol(p, ")"));
    if (!row && list.count == 1) {
        *out = list.items[0];
        return parse_difference(p, from, out);
    }
    struct ast_expr *x = ast_new(p, AX_LIST, parse_since(p, from));
    x->flag = row;
    for (uint32_t i = 0; i < list.count; i++) TRY(ast_add(p, x, list.items[i]));
    *out = x;
    return S_OK;
}

static enum status parse_descriptor(struct parser *p, struct ast_expr **out)
{
    struct ast_expr *x = ast_new(p, AX_DESCRIPTOR, parse_here(p));

    TRY(expect_word(p, KW_DESCRIPTOR));
    TRY(expect_symbol(p, "("));
    do {
        struct ast_expr *column = ast_new(p, AX_NAME, parse_here(p));
        TRY(parse_name(p, "a column", &column->name));
        column->place = column->name.place;
        TRY(ast_add(p, x, column));
    } while (take_symbol(p, ","));
    TRY(expect_symbol(p, ")"));
    x->place = parse_since(p, x->place);
    *out = x;
    return S_OK;
}

static enum status parse_default(struct parser *p, struct ast_expr **out)
{
    *out = ast_new(p, AX_DEFAULT, parse_here(p));
    return expect_word(p, KW_DEFAULT);
}

/* CURRENT_DATE, LOCALTIME: calls without parentheses; CURRENT_TIMESTAMP(3) takes them. */
static enum status parse_value_word(struct parser *p, struct ast_expr **out)
{
    struct ast_expr *x = ast_new(p, AX_CALL, parse_here(p));
    struct str word = str_of(keyword_text((enum keyword)parse_peek(p, 0)->keyword));

    p->at++;
    if (is_symbol(p, 0, "(")) {
        return parse_call(p, ast_name_of(p, word, x->place), out);
    }
    x->text = word;
    x->flag = true;
    *out = x;
    return S_OK;
}

/* * and t.* */
static bool is_star_behind(const struct parser *p) { return is_symbol(p, 0, ".") && is_symbol(p, 1, "*"); }

static bool is_behind_comma(const struct parser *p)
{
    const struct token *before = p->at > 0 ? &p->t->items[p->at - 1] : NULL;
    return before != NULL && before->kind == TOKEN_SYMBOL && str_equal(token_text(p->t, before), STR(","));
}

static enum status parse_name_or_call(struct parser *p, struct ast_expr **out)
{
    struct ast_name name;
    const struct token *t = parse_peek(p, 0);

    if (t->kind == TOKEN_KEYWORD && keyword_is_reserved((enum keyword)t->keyword)) {
        struct ast_place here = parse_here(p);
        if (!keyword_is_function((enum keyword)t->keyword) || !is_symbol(p, 1, "(")) {
            if (is_behind_comma(p) && !is_symbol(p, 1, ",")) err_hint(p->e, "is the ',' before it one too many?");
            return parse_expected(p, "an expression");
        }
        name = ast_name_of(p, token_text(p->t, t), here);
        p->at++;
    } else {
        TRY(parse_name(p, "an expression", &name));
    }
    if (is_symbol(p, 0, "(")) return parse_call(p, name, out);
    struct ast_expr *x = ast_new(p, is_star_behind(p) ? AX_STAR : AX_NAME, name.place);
    p->at += x->kind == AX_STAR ? 2 : 0;
    x->name = name;
    x->place = parse_since(p, name.place);
    *out = x;
    return S_OK;
}

enum status parse_primary(struct parser *p, struct ast_expr **out)
{
    static const struct {
        enum keyword word;
        enum status (*parse)(struct parser *, struct ast_expr **);
    } words[] = {{KW_CASE, parse_case},          {KW_CAST, parse_cast},          {KW_TRY_CAST, parse_cast},
                 {KW_EXISTS, parse_exists},      {KW_UNIQUE, parse_exists},      {KW_ARRAY, parse_constructor},
                 {KW_MULTISET, parse_constructor}, {KW_ROW, parse_parentheses},  {KW_DESCRIPTOR, parse_descriptor},
                 {KW_DEFAULT, parse_default}};

    TRY(parse_literal(p, out));
    if (*out != NULL) return S_OK;
    TRY(parse_special(p, out));
    if (*out != NULL) return S_OK;
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (is_word(p, 0, words[i].word)) return words[i].parse(p, out);
    if (is_word(p, 0, KW_MAP) && (is_symbol(p, 1, "[") || (is_symbol(p, 1, "(") && is_query(p, 2)))) return parse_constructor(p, out);
    if (is_symbol(p, 0, "(")) return parse_parentheses(p, out);
    if (is_symbol(p, 0, "*")) {
        *out = ast_new(p, AX_STAR, parse_here(p));
        p->at++;
        return S_OK;
    }
    const struct token *t = parse_peek(p, 0);
    if (t->kind == TOKEN_KEYWORD && keyword_is_value((enum keyword)t->keyword)) return parse_value_word(p, out);
    return parse_name_or_call(p, out);
}
