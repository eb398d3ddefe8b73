/* parse_table.c - what stands behind FROM: tables, files, sub-queries, table functions, UNNEST, joins; and hints.
 *
 * Joins group from the left; `a, b` binds loosest. Aliases, FOR SYSTEM_TIME AS OF and hints belong to the table before them. */
#include "language/sql/parse_internal.h"

#include "ground/base/str.h"

static const char instead_of_match[] = "LAG OVER (PARTITION BY ... ORDER BY a time) tells a row from the one before; sessions are TABLE(SESSION(...))";

/* --- hints ------------------------------------------------------------------------------------------------------- */
/* 'k' = 'v', k = v, name, literal */
static enum status parse_hint_argument(struct parser *p, struct ast_expr **out)
{
    struct ast_expr *key = NULL, *named;
    struct ast_place from = parse_here(p);

    TRY(parse_literal(p, &key));
    if (key == NULL) {
        key = ast_new(p, AX_NAME, from);
        TRY(parse_name(p, "a hint's argument", &key->name));
    }
    *out = key;
    if (!take_symbol(p, "=")) return S_OK;
    named = ast_new(p, AX_NAMED, from);
    named->text = key->kind == AX_NAME ? token_text(p->t, &p->t->items[p->at - 2]) : key->text;
    TRY(parse_literal(p, &key));
    if (key == NULL) return parse_expected(p, "the value of the hint's option");
    TRY(ast_add(p, named, key));
    named->place = parse_since(p, from);
    *out = named;
    return S_OK;
}

static enum status parse_hint(struct parser *p, struct ast_hint *h)
{
    TRY(parse_simple_name(p, "the hint's name", &h->name, &h->place));
    if (take_symbol(p, "(") && !take_symbol(p, ")")) {
        do TRY(parse_hint_argument(p, PARSE_PUSH(p, h->args, h->count)));
        while (take_symbol(p, ","));
        TRY(expect_symbol(p, ")"));
    }
    h->place = parse_since(p, h->place);
    return S_OK;
}

enum status parse_hints(struct parser *p, struct ast_hints *out)
{
    while (parse_peek(p, 0)->kind == TOKEN_HINT) {
        p->at++;
        do TRY(parse_hint(p, PARSE_PUSH(p, out->items, out->count)));
        while (take_symbol(p, ",") || is_name(p, 0));
        TRY(expect_symbol(p, "*/"));
    }
    return S_OK;
}

/* --- one table --------------------------------------------------------------------------------------------------- */
static struct ast_table *table_new(struct parser *p, enum ast_table_kind kind)
{
    struct ast_table *t = ARENA_NEW(p->a, struct ast_table);
    t->kind = (uint8_t)kind;
    t->place = parse_here(p);
    return t;
}

static enum status parse_alias(struct parser *p, struct ast_table *t)
{
    bool as = take_word(p, KW_AS);

    if (!as && !is_name(p, 0)) return S_OK;
    TRY(parse_simple_name(p, "an alias", &t->alias, NULL));
    return is_symbol(p, 0, "(") ? parse_name_list(p, "a column's alias", &t->alias_column_count, &t->alias_columns) : S_OK;
}

/* FOR SYSTEM_TIME AS OF x */
static enum status parse_as_of(struct parser *p, struct ast_table *t)
{
    if (!is_word(p, 0, KW_FOR)) return S_OK;
    p->at++;
    TRY(expect_word(p, KW_SYSTEM_TIME));
    TRY(expect_word(p, KW_AS));
    TRY(expect_word(p, KW_OF));
    return parse_above(p, PRECEDENCE_BETWEEN, &t->as_of);
}

static enum status parse_named_table(struct parser *p, struct ast_table **out)
{
    struct ast_table *t = *out = table_new(p, TABLE_NAME);
    const struct token *first = parse_peek(p, 0);

    if (first->kind == TOKEN_KEYWORD && !is_name(p, 0) && is_symbol(p, 1, "(") && keyword_is_function((enum keyword)first->keyword)) {
        t->name = ast_name_of(p, token_text(p->t, first), parse_here(p));
        p->at++;
    } else TRY(parse_name(p, "a table", &t->name));
    if (is_symbol(p, 0, "(")) {
        t->kind = TABLE_CALL;
        TRY(parse_call(p, t->name, &t->x));
    }
    TRY(parse_hints(p, &t->hints));
    return parse_as_of(p, t);
}

/* TABLE(f(..)) and TABLE t stand in different places; here a call. */
static enum status parse_table_call(struct parser *p, struct ast_table **out)
{
    struct ast_table *t = *out = table_new(p, TABLE_CALL);

    TRY(expect_word(p, KW_TABLE));
    TRY(expect_symbol(p, "("));
    TRY(parse_primary(p, &t->x));
    if (t->x->kind != AX_CALL || t->x->op != NULL)
        return sql_error(p->e, p->t, t->x->place.at, t->x->place.size, "TABLE(...) takes a call of a table function");
    return expect_symbol(p, ")");
}

static enum status parse_unnest(struct parser *p, struct ast_table **out)
{
    struct ast_table *t = *out = table_new(p, TABLE_UNNEST);

    TRY(expect_word(p, KW_UNNEST));
    TRY(expect_symbol(p, "("));
    TRY(parse_expr(p, &t->x));
    TRY(expect_symbol(p, ")"));
    if (!is_word(p, 0, KW_WITH)) return S_OK;
    p->at++;
    TRY(expect_word(p, KW_ORDINALITY));
    t->ordinality = true;
    return S_OK;
}

static enum status parse_query_table(struct parser *p, struct ast_table **out)
{
    struct ast_table *t = *out = table_new(p, TABLE_QUERY);

    TRY(expect_symbol(p, "("));
    TRY(parse_query(p, &t->query));
    return expect_symbol(p, ")");
}

static enum status parse_file(struct parser *p, struct ast_table **out)
{
    *out = table_new(p, TABLE_FILE);
    return parse_string(p, "a file's name", &(*out)->file);
}

static enum status parse_joins(struct parser *p, struct ast_table **out);

static enum status parse_one_table(struct parser *p, struct ast_table **out)
{
    struct ast_place from = parse_here(p);
    bool lateral = take_word(p, KW_LATERAL);

    if (is_symbol(p, 0, "(") && !is_query(p, 0)) { /* (a JOIN b ON ..) */
        p->at++;
        TRY(parse_enter(p));
        TRY(parse_joins(p, out));
        parse_leave(p);
        return expect_symbol(p, ")");
    }
    if (is_symbol(p, 0, "(")) TRY(parse_query_table(p, out));
    else if (is_word(p, 0, KW_TABLE)) TRY(parse_table_call(p, out));
    else if (is_word(p, 0, KW_UNNEST)) TRY(parse_unnest(p, out));
    else if (parse_peek(p, 0)->kind == TOKEN_STRING) TRY(parse_file(p, out));
    else TRY(parse_named_table(p, out));
    (*out)->lateral = lateral;
    if (is_word(p, 0, KW_MATCH_RECOGNIZE)) err_hint(p->e, "%s", instead_of_match);
    if (is_word(p, 0, KW_MATCH_RECOGNIZE))
        return sql_error(p->e, p->t, parse_peek(p, 0)->at, parse_peek(p, 0)->size, "MATCH_RECOGNIZE is not supported yet");
    TRY(parse_alias(p, *out));
    (*out)->place = parse_since(p, from);
    return S_OK;
}

/* --- joins ------------------------------------------------------------------------------------------------------- */
/* Takes [NATURAL] [INNER | LEFT [OUTER] | RIGHT [OUTER] | FULL [OUTER] | CROSS] JOIN; false when none of it stands here. */
static enum status take_join(struct parser *p, struct ast_table *join, bool *there)
{
    static const struct {
        enum keyword word;
        enum ast_join join;
    } kinds[] = {{KW_INNER, JOIN_INNER}, {KW_LEFT, JOIN_LEFT}, {KW_RIGHT, JOIN_RIGHT}, {KW_FULL, JOIN_FULL}, {KW_CROSS, JOIN_CROSS}};
    bool kind = false;

    join->join = JOIN_INNER;
    join->natural = take_word(p, KW_NATURAL);
    for (size_t i = 0; i < COUNT_OF(kinds) && !kind; i++) {
        kind = take_word(p, kinds[i].word);
        if (kind) join->join = (uint8_t)kinds[i].join;
    }
    if (kind && join->join != JOIN_INNER && join->join != JOIN_CROSS) take_word(p, KW_OUTER);
    *there = kind || join->natural || is_word(p, 0, KW_JOIN);
    return *there ? expect_word(p, KW_JOIN) : S_OK;
}

/* (a, b): each with its place, where errors stand. */
static enum status parse_using(struct parser *p, struct ast_name *out)
{
    TRY(expect_symbol(p, "("));
    do {
        out->places = parse_grow(p, out->places, out->count, sizeof *out->places);
        struct ast_place *place = &out->places[out->count];
        TRY(parse_simple_name(p, "a column of both tables", PARSE_PUSH(p, out->parts, out->count), place));
    } while (take_symbol(p, ","));
    return expect_symbol(p, ")");
}

static enum status parse_join_condition(struct parser *p, struct ast_table *join)
{
    if (take_word(p, KW_ON)) return parse_expr(p, &join->on);
    if (take_word(p, KW_USING)) return parse_using(p, &join->using);
    if (join->natural || join->join == JOIN_CROSS || join->right->kind == TABLE_CALL || join->right->kind == TABLE_UNNEST) return S_OK;
    return parse_expected(p, "ON or USING");
}

/* Makes *out the left side of a join that is read so far. */
static enum status join_add(struct parser *p, struct ast_place from, struct ast_table join, uint32_t *chain, struct ast_table **out)
{
    if (++*chain == AST_DEPTH_MAX) return parse_too_many(p, "FROM", AST_DEPTH_MAX, "tables");
    join.place = parse_since(p, from);
    join.left = *out;
    *out = ARENA_NEW(p->a, struct ast_table);
    **out = join;
    return S_OK;
}

static enum status parse_joins(struct parser *p, struct ast_table **out)
{
    struct ast_place from = parse_here(p);
    uint32_t chain = 0;

    TRY(parse_one_table(p, out));
    for (bool there;;) {
        struct ast_table join = {.kind = TABLE_JOIN};
        TRY(take_join(p, &join, &there));
        if (!there) return S_OK;
        TRY(parse_one_table(p, &join.right));
        TRY(parse_join_condition(p, &join));
        TRY(join_add(p, from, join, &chain, out));
    }
}

enum status parse_tables(struct parser *p, struct ast_table **out)
{
    struct ast_place from = parse_here(p);
    uint32_t chain = 0;

    TRY(parse_joins(p, out));
    while (take_symbol(p, ",")) {
        struct ast_table join = {.kind = TABLE_JOIN, .join = JOIN_COMMA};
        TRY(parse_joins(p, &join.right));
        TRY(join_add(p, from, join, &chain, out));
    }
    return S_OK;
}

/* One key, or several in parentheses: a comma would go on with the arguments of the function. */
static enum status parse_keys(struct parser *p, struct ast_list *out)
{
    if (!take_symbol(p, "(")) {
        struct ast_expr *x;
        TRY(parse_expr(p, &x));
        *PARSE_PUSH(p, out->items, out->count) = x;
        return S_OK;
    }
    TRY(parse_exprs(p, out));
    return expect_symbol(p, ")");
}

/* TABLE t [PARTITION BY (a, b)] [ORDER BY c], TABLE (SELECT ..) */
enum status parse_table_argument(struct parser *p, struct ast_table **out)
{
    struct ast_place from = parse_here(p);

    TRY(expect_word(p, KW_TABLE));
    if (is_symbol(p, 0, "(")) {
        TRY(parse_query_table(p, out));
    } else { /* a name alone: no call, hint or time */
        *out = table_new(p, TABLE_NAME);
        TRY(parse_name(p, "a table", &(*out)->name));
    }
    struct ast_table *t = *out;
    t->argument = true;
    if (take_words(p, KW_PARTITION, KW_BY)) {
        TRY(parse_keys(p, &t->partition));
    }
    if (take_words(p, KW_ORDER, KW_BY)) {
        bool list = take_symbol(p, "(");
        TRY(list ? parse_orders(p, &t->order) : parse_order(p, PARSE_PUSH(p, t->order.items, t->order.count)));
        if (list) TRY(expect_symbol(p, ")"));
    }
    t->place = parse_since(p, from);
    return S_OK;
}
