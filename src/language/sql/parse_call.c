/* parse_call.c - calls: arguments (values, named ones, tables, sub-queries), what aggregates take besides (DISTINCT, FILTER,
 * WITHIN GROUP, RESPECT NULLS), and OVER with its window. */
#include "language/sql/parse_internal.h"

#include "ground/base/str.h"

static struct ast_aggregate *aggregate_of(struct parser *p, struct ast_expr *call)
{
    if (call->aggregate == NULL) call->aggregate = ARENA_NEW(p->a, struct ast_aggregate);
    return call->aggregate;
}

/* A value; name => value; TABLE t; (SELECT ..) */
static enum status parse_argument(struct parser *p, struct ast_expr **out)
{
    struct ast_place from = parse_here(p);

    if (is_name(p, 0) && is_symbol(p, 1, "=>")) {
        struct ast_expr *named = ast_new(p, AX_NAMED, from), *value;
        TRY(parse_simple_name(p, "the argument's name", &named->text, NULL));
        TRY(expect_symbol(p, "=>"));
        TRY(parse_argument(p, &value));
        TRY(ast_add(p, named, value));
        named->place = parse_since(p, from);
        *out = named;
        return S_OK;
    }
    if (is_word(p, 0, KW_MODEL) && is_name(p, 1)) return parse_not_yet(p, "models");
    if (!is_word(p, 0, KW_TABLE)) return parse_expr(p, out);
    struct ast_expr *table = ast_new(p, AX_TABLE, from);
    TRY(parse_enter(p));
    TRY(parse_table_argument(p, &table->table));
    parse_leave(p);
    table->place = parse_since(p, from);
    *out = table;
    return S_OK;
}

static enum status parse_arguments(struct parser *p, struct ast_expr *call)
{
    if (is_word(p, 0, KW_DISTINCT) || is_word(p, 0, KW_ALL)) {
        aggregate_of(p, call)->distinct = is_word(p, 0, KW_DISTINCT);
        call->aggregate->all = is_word(p, 0, KW_ALL);
        p->at++;
    }
    do {
        struct ast_expr *arg;
        TRY(parse_argument(p, &arg));
        TRY(ast_add(p, call, arg));
    } while (take_symbol(p, ","));
    if (is_word(p, 0, KW_IGNORE) || is_word(p, 0, KW_RESPECT)) { /* ARRAY_AGG(x IGNORE NULLS) */
        aggregate_of(p, call)->nulls = parse_peek(p, 0)->keyword;
        p->at++;
        TRY(expect_word(p, KW_NULLS));
    }
    if (!take_word(p, KW_ORDER)) return S_OK;
    TRY(expect_word(p, KW_BY));
    return parse_orders(p, &aggregate_of(p, call)->within);
}

enum status parse_call(struct parser *p, struct ast_name name, struct ast_expr **out)
{
    struct ast_expr *call = ast_new(p, AX_CALL, name.place);

    call->name = name;
    TRY(expect_symbol(p, "("));
    if (!is_symbol(p, 0, ")")) TRY(parse_arguments(p, call));
    TRY(expect_symbol(p, ")"));
    call->place = parse_since(p, name.place);
    *out = call;
    return parse_call_tail(p, call);
}

static enum status parse_filter(struct parser *p, struct ast_expr *call)
{
    TRY(expect_symbol(p, "("));
    TRY(expect_word(p, KW_WHERE));
    TRY(parse_expr(p, &aggregate_of(p, call)->filter));
    return expect_symbol(p, ")");
}

static enum status parse_within(struct parser *p, struct ast_expr *call)
{
    TRY(expect_symbol(p, "("));
    TRY(expect_word(p, KW_ORDER));
    TRY(expect_word(p, KW_BY));
    TRY(parse_orders(p, &aggregate_of(p, call)->within));
    return expect_symbol(p, ")");
}

static enum status parse_over(struct parser *p, struct ast_expr *call)
{
    struct ast_window *w = aggregate_of(p, call)->over = ARENA_NEW(p->a, struct ast_window);

    w->place = parse_here(p);
    if (is_name(p, 0)) return parse_simple_name(p, "a window", &w->base, NULL);
    TRY(expect_symbol(p, "("));
    TRY(parse_window(p, w));
    TRY(expect_symbol(p, ")"));
    w->place = parse_since(p, w->place);
    return S_OK;
}

enum status parse_call_tail(struct parser *p, struct ast_expr *call)
{
    if (take_words(p, KW_WITHIN, KW_GROUP)) TRY(parse_within(p, call));
    if ((is_word(p, 0, KW_IGNORE) || is_word(p, 0, KW_RESPECT)) && is_word(p, 1, KW_NULLS)) {
        aggregate_of(p, call)->nulls = parse_peek(p, 0)->keyword;
        p->at += 2;
    }
    if (is_word(p, 0, KW_FILTER) && is_symbol(p, 1, "(")) {
        p->at++;
        TRY(parse_filter(p, call));
    }
    if (take_word(p, KW_OVER)) TRY(parse_over(p, call));
    call->place = parse_since(p, call->place);
    return S_OK;
}

/* --- windows ----------------------------------------------------------------------------------------------------- */
static enum status parse_bound(struct parser *p, struct ast_bound *out)
{
    if (take_words(p, KW_CURRENT, KW_ROW)) {
        out->kind = BOUND_CURRENT_ROW;
        return S_OK;
    }
    bool unbounded = take_word(p, KW_UNBOUNDED);
    if (!unbounded) TRY(parse_above(p, PRECEDENCE_BETWEEN, &out->x));
    bool preceding = take_word(p, KW_PRECEDING);
    if (!preceding) TRY(expect_word(p, KW_FOLLOWING));
    out->kind = preceding ? (unbounded ? BOUND_UNBOUNDED_PRECEDING : BOUND_PRECEDING)
                          : (unbounded ? BOUND_UNBOUNDED_FOLLOWING : BOUND_FOLLOWING);
    return S_OK;
}

static enum status parse_frame(struct parser *p, struct ast_window *w)
{
    w->rows = take_word(p, KW_ROWS);
    if (!w->rows && !take_word(p, KW_RANGE)) return S_OK;
    w->framed = true;
    if (!take_word(p, KW_BETWEEN)) {
        w->to.kind = BOUND_CURRENT_ROW;
        return parse_bound(p, &w->from);
    }
    TRY(parse_bound(p, &w->from));
    TRY(expect_word(p, KW_AND));
    return parse_bound(p, &w->to);
}

enum status parse_window(struct parser *p, struct ast_window *w)
{
    if (is_name(p, 0) && !is_word(p, 0, KW_PARTITION)) TRY(parse_simple_name(p, "a window", &w->base, NULL));
    if (take_words(p, KW_PARTITION, KW_BY)) TRY(parse_exprs(p, &w->partition));
    if (take_words(p, KW_ORDER, KW_BY)) TRY(parse_orders(p, &w->order));
    return parse_frame(p, w);
}
