/* parse_select.c - one SELECT: hints, items, FROM, WHERE, GROUP BY with its grouping sets, HAVING, WINDOW, QUALIFY. */
#include "language/sql/parse_internal.h"

#include "ground/base/str.h"

static const char behind_item[] = "',', FROM or the end of the query", behind_clause[] = "the next clause or the end of the query";

static enum status parse_select_item(struct parser *p, struct ast_item *out)
{
    TRY(parse_expr(p, &out->x));
    if (take_word(p, KW_AS)) TRY(parse_simple_name(p, "a name behind AS", &out->alias, NULL));
    else if (is_name(p, 0)) TRY(parse_simple_name(p, "a name", &out->alias, NULL));
    return parse_no_stray(p, behind_item);
}

static bool item_ends(const struct parser *p) { return parse_at_comma(p) || parse_at_clause(p); }

static enum status parse_group_item(struct parser *p, struct ast_expr **out);

/* (a, b), a, (), ROLLUP (..) inside GROUPING SETS (..) */
static enum status parse_group_list(struct parser *p, struct ast_expr *into)
{
    TRY(expect_symbol(p, "("));
    if (take_symbol(p, ")")) return S_OK;
    do {
        struct ast_expr *x;
        TRY(parse_group_item(p, &x));
        TRY(ast_add(p, into, x));
    } while (take_symbol(p, ","));
    return expect_symbol(p, ")");
}

static enum status parse_group_item(struct parser *p, struct ast_expr **out)
{
    struct ast_place from = parse_here(p);
    bool sets = is_word(p, 0, KW_GROUPING) && is_word(p, 1, KW_SETS);
    bool empty = is_symbol(p, 0, "(") && is_symbol(p, 1, ")");

    if (!sets && !empty && !is_word(p, 0, KW_ROLLUP) && !is_word(p, 0, KW_CUBE)) return parse_expr(p, out);
    TRY(parse_enter(p));
    struct ast_expr *x = *out = ast_new(p, empty ? AX_LIST : AX_CALL, from);
    if (!empty) x->name = ast_name_of(p, sets ? STR("GROUPING SETS") : str_of(keyword_text((enum keyword)parse_peek(p, 0)->keyword)), from);
    p->at += sets ? 2 : empty ? 0 : 1;
    TRY(parse_group_list(p, x));
    x->place = parse_since(p, from);
    parse_leave(p);
    return S_OK;
}

enum status parse_group(struct parser *p, struct ast_select *s)
{
    s->grouped = true;
    s->group_distinct = take_word(p, KW_DISTINCT);
    if (!s->group_distinct) take_word(p, KW_ALL);
    do {
        struct parse_mark m = parse_mark(p);
        struct ast_expr *x = NULL;
        enum status st = parse_group_item(p, &x);
        TRY(parse_resume(p, m, st == S_OK ? parse_no_stray(p, "',', the next clause or the end of the query") : st, item_ends));
        *PARSE_PUSH(p, s->group.items, s->group.count) = x;
    } while (take_symbol(p, ","));
    return S_OK;
}

static enum status parse_named_windows(struct parser *p, struct ast_select *s)
{
    do {
        struct ast_window *w = PARSE_PUSH(p, s->windows, s->window_count);
        TRY(parse_simple_name(p, "the window's name", &w->name, &w->place));
        TRY(expect_word(p, KW_AS));
        TRY(expect_symbol(p, "("));
        TRY(parse_window(p, w));
        TRY(expect_symbol(p, ")"));
        w->place = parse_since(p, w->place);
    } while (take_symbol(p, ","));
    return S_OK;
}

static enum status parse_from(struct parser *p, struct ast_select *s)
{
    struct parse_mark m = parse_mark(p);
    enum status st = parse_tables(p, &s->from);
    return parse_resume(p, m, st == S_OK ? parse_no_stray(p, behind_clause) : st, parse_at_clause);
}

static enum status parse_condition(struct parser *p, struct ast_expr **out)
{
    struct parse_mark m = parse_mark(p);
    enum status st = parse_expr(p, out);
    return parse_resume(p, m, st == S_OK ? parse_no_stray(p, "an operator, the next clause or the end of the query") : st, parse_at_clause);
}

static enum status parse_clauses(struct parser *p, struct ast_select *s)
{
    if (take_word(p, KW_FROM)) TRY(parse_from(p, s));
    if (take_word(p, KW_WHERE)) TRY(parse_condition(p, &s->where));
    if (take_word(p, KW_GROUP)) {
        TRY(expect_word(p, KW_BY));
        TRY(parse_group(p, s));
    }
    if (take_word(p, KW_HAVING)) TRY(parse_condition(p, &s->having));
    if (take_word(p, KW_WINDOW)) TRY(parse_named_windows(p, s));
    return take_word(p, KW_QUALIFY) ? parse_condition(p, &s->qualify) : S_OK;
}

enum status parse_select_items(struct parser *p, struct ast_select *s)
{
    do {
        if (s->item_count == AST_LIST_MAX) return parse_too_many(p, "a SELECT", AST_LIST_MAX, "columns");
        struct parse_mark m = parse_mark(p);
        TRY(parse_resume(p, m, parse_select_item(p, PARSE_PUSH(p, s->items, s->item_count)), item_ends));
    } while (take_symbol(p, ","));
    return S_OK;
}

enum status parse_select(struct parser *p, struct ast_select **out)
{
    struct ast_select *s = *out = ARENA_NEW(p->a, struct ast_select);

    s->place = parse_here(p);
    TRY(expect_word(p, KW_SELECT));
    TRY(parse_hints(p, &s->hints));
    s->distinct = take_word(p, KW_DISTINCT);
    if (!s->distinct) take_word(p, KW_ALL);
    TRY(parse_select_items(p, s));
    TRY(parse_clauses(p, s));
    s->place = parse_since(p, s->place);
    return S_OK;
}
