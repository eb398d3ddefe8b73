/* parse_query.c - queries: WITH, set operations, SELECT with its clauses, VALUES, TABLE t, ORDER BY and LIMIT.
 *
 * INTERSECT binds tighter than UNION and EXCEPT, which group from the left. ORDER BY, LIMIT, OFFSET and FETCH belong to the
 * whole of the query that they end; in parentheses they belong to what stands there. */
#include "language/sql/parse_internal.h"

bool is_query(const struct parser *p, uint32_t ahead)
{
    static const enum keyword starts[] = {KW_SELECT, KW_WITH, KW_VALUES};

    for (uint32_t n = 0; n < AST_DEPTH_MAX && is_symbol(p, ahead, "("); n++) ahead++;
    for (size_t i = 0; i < COUNT_OF(starts); i++)
        if (is_word(p, ahead, starts[i])) return true;
    return is_word(p, ahead, KW_TABLE) && is_name(p, ahead + 1);
}

static bool row_ends(const struct parser *p) { return parse_at_comma(p) || parse_at_clause(p); }

static bool cte_ends(const struct parser *p) { return parse_at_comma(p) || (!is_symbol(p, 0, "(") && is_query(p, 0)); }

static enum status parse_cte(struct parser *p, struct ast_cte *cte)
{
    TRY(parse_simple_name(p, "the name of a WITH query", &cte->name, &cte->place));
    if (is_symbol(p, 0, "(")) TRY(parse_name_list(p, "a column", &cte->column_count, &cte->columns));
    TRY(expect_word(p, KW_AS));
    TRY(expect_symbol(p, "("));
    TRY(parse_query(p, &cte->query));
    TRY(expect_symbol(p, ")"));
    cte->place = parse_since(p, cte->place);
    return S_OK;
}

/* Behind VALUES, each by itself. */
static enum status parse_rows(struct parser *p, struct ast_list *out)
{
    do {
        struct parse_mark m = parse_mark(p);
        struct ast_expr *x = NULL;
        if (out->count == AST_LIST_MAX) return parse_too_many(p, "VALUES", AST_LIST_MAX, "rows");
        TRY(parse_resume(p, m, parse_expr(p, &x), row_ends));
        *PARSE_PUSH(p, out->items, out->count) = x;
    } while (take_symbol(p, ","));
    return S_OK;
}

/* SELECT ... | VALUES ... | TABLE t | (query) */
static enum status parse_core(struct parser *p, struct ast_query **out)
{
    struct ast_query *q;

    if (take_symbol(p, "(")) {
        TRY(parse_query(p, out));
        return expect_symbol(p, ")");
    }
    *out = q = ARENA_NEW(p->a, struct ast_query);
    q->place = parse_here(p);
    if (take_word(p, KW_VALUES)) {
        q->kind = QUERY_VALUES;
        TRY(parse_rows(p, &q->rows));
    } else if (take_word(p, KW_TABLE)) {
        q->kind = QUERY_TABLE;
        TRY(parse_name(p, "a table", &q->table));
    } else {
        q->kind = QUERY_SELECT;
        TRY(parse_select(p, &q->select));
    }
    q->place = parse_since(p, q->place);
    return S_OK;
}

static enum ast_query_kind set_operation(const struct parser *p)
{
    if (is_word(p, 0, KW_UNION)) return QUERY_UNION;
    if (is_word(p, 0, KW_INTERSECT)) return QUERY_INTERSECT;
    return is_word(p, 0, KW_EXCEPT) || is_word(p, 0, KW_MINUS) ? QUERY_EXCEPT : QUERY_SELECT;
}

static enum status parse_set_operations(struct parser *p, bool intersect_only, struct ast_query **out)
{
    struct ast_place from = parse_here(p);
    uint32_t chain = 0;

    if (intersect_only) TRY(parse_core(p, out));
    else TRY(parse_set_operations(p, true, out));
    for (enum ast_query_kind kind; (kind = set_operation(p)) != QUERY_SELECT && (kind == QUERY_INTERSECT) == intersect_only;) {
        struct ast_query *q = ARENA_NEW(p->a, struct ast_query);
        if (++chain == AST_HEIGHT_MAX) return parse_too_many(p, "a chain of set operations", AST_HEIGHT_MAX, "queries");
        p->at++;
        q->kind = (uint8_t)kind;
        q->all = take_word(p, KW_ALL);
        if (!q->all) take_word(p, KW_DISTINCT);
        q->left = *out;
        if (intersect_only) TRY(parse_core(p, &q->right));
        else TRY(parse_set_operations(p, true, &q->right));
        q->place = parse_since(p, from);
        *out = q;
    }
    return S_OK;
}

static enum status parse_count(struct parser *p, const char *what, struct ast_expr **out)
{
    if (parse_peek(p, 0)->kind != TOKEN_INTEGER) return parse_expected(p, what);
    return parse_literal(p, out);
}

/* LIMIT n | LIMIT start, n | LIMIT ALL | OFFSET n [ROWS] | FETCH {FIRST|NEXT} n {ROW|ROWS} ONLY */
static enum status parse_limits(struct parser *p, struct ast_query *q)
{
    if (take_word(p, KW_LIMIT) && !take_word(p, KW_ALL)) {
        TRY(parse_count(p, "the number of rows of LIMIT", &q->limit));
        if (take_symbol(p, ",")) {
            q->offset = q->limit;
            TRY(parse_count(p, "the number of rows of LIMIT", &q->limit));
        }
    }
    if (take_word(p, KW_OFFSET)) {
        TRY(parse_count(p, "the number of rows of OFFSET", &q->offset));
        if (!take_word(p, KW_ROWS)) take_word(p, KW_ROW);
    }
    if (!take_word(p, KW_FETCH)) return S_OK;
    if (!take_word(p, KW_FIRST)) TRY(expect_word(p, KW_NEXT));
    TRY(parse_count(p, "the number of rows of FETCH", &q->limit));
    if (!take_word(p, KW_ROWS)) TRY(expect_word(p, KW_ROW));
    return expect_word(p, KW_ONLY);
}

/* A query in parentheses that has an end of its own is wrapped before it gets a second one. */
static struct ast_query *own_query(struct parser *p, struct ast_query *q, bool parenthesised)
{
    if (!parenthesised || (q->order.count == 0 && q->limit == NULL && q->offset == NULL && q->cte_count == 0)) return q;
    struct ast_query *outer = ARENA_NEW(p->a, struct ast_query);
    struct ast_select *s = ARENA_NEW(p->a, struct ast_select);
    struct ast_expr *star = ast_new(p, AX_STAR, q->place);

    *outer = (struct ast_query){.kind = QUERY_SELECT, .place = q->place, .select = s};
    s->place = q->place;
    PARSE_PUSH(p, s->items, s->item_count)->x = star;
    s->from = ARENA_NEW(p->a, struct ast_table);
    *s->from = (struct ast_table){.kind = TABLE_QUERY, .place = q->place, .query = q};
    return outer;
}

enum status parse_query(struct parser *p, struct ast_query **out)
{
    struct ast_place from = parse_here(p);
    struct ast_query with = {0};

    TRY(parse_enter(p));
    if (take_word(p, KW_WITH)) {
        do {
            struct parse_mark m = parse_mark(p);
            TRY(parse_resume(p, m, parse_cte(p, PARSE_PUSH(p, with.ctes, with.cte_count)), cte_ends));
        } while (take_symbol(p, ","));
    }
    if (!is_query(p, 0)) return parse_expected(p, "a query: SELECT, VALUES or WITH");
    bool parenthesised = is_symbol(p, 0, "(");
    TRY(parse_set_operations(p, false, out));
    bool ends = is_word(p, 0, KW_ORDER) || is_word(p, 0, KW_LIMIT) || is_word(p, 0, KW_OFFSET) || is_word(p, 0, KW_FETCH);
    if (ends || with.cte_count > 0) *out = own_query(p, *out, parenthesised);
    if (with.cte_count > 0) {
        (*out)->cte_count = with.cte_count;
        (*out)->ctes = with.ctes;
    }
    if (take_words(p, KW_ORDER, KW_BY)) TRY(parse_orders(p, &(*out)->order));
    TRY(parse_limits(p, *out));
    (*out)->place = parse_since(p, from);
    parse_leave(p);
    return S_OK;
}
