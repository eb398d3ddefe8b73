/* st_explain.c - EXPLAIN: how a statement would run, or what a compiled plan is. */
#include "language/sql/parse_internal.h"
#include "language/sql/print.h"
#include "language/sql/statement.h"

static const struct detail {
    enum keyword word;
    size_t at; /* of its bool in struct explain */
} details[] = {
    {KW_ESTIMATED_COST, offsetof(struct explain, estimated_cost)},
    {KW_CHANGELOG_MODE, offsetof(struct explain, changelog_mode)},
    {KW_JSON_EXECUTION_PLAN, offsetof(struct explain, json)},
    {KW_PLAN_ADVICE, offsetof(struct explain, plan_advice)},
    {KW_ANALYZE, offsetof(struct explain, analyze)},
};

static enum status parse_detail(struct parser *p, struct explain *x)
{
    for (size_t i = 0; i < COUNT_OF(details); i++)
        if (take_word(p, details[i].word)) {
            *(bool *)(void *)((char *)x + details[i].at) = true;
            return S_OK;
        }
    return parse_expected(p, "ESTIMATED_COST, CHANGELOG_MODE, PLAN_ADVICE, JSON_EXECUTION_PLAN, or PLAN FOR and a statement");
}

static bool is_detail(const struct parser *p)
{
    for (size_t i = 0; i < COUNT_OF(details); i++)
        if (is_word(p, 0, details[i].word)) return true;
    return false;
}

/* What runs as a job may be explained; of a CREATE TABLE the query. */
static bool is_explained(const struct parser *p)
{
    if (is_word(p, 0, KW_EXECUTE)) return !is_word(p, 1, KW_PLAN);
    return is_query(p, 0) || is_word(p, 0, KW_INSERT) || is_word(p, 0, KW_CREATE) || is_word(p, 0, KW_REPLACE);
}

static enum status not_explained(struct parser *p)
{
    const char *words[COUNT_OF(details)];

    for (size_t i = 0; i < COUNT_OF(details); i++) words[i] = keyword_text(details[i].word);
    enum status st = parse_expected(p, "a query, INSERT, CREATE TABLE AS, EXECUTE or STATEMENT SET");
    parse_suggest(p, words, COUNT_OF(words));
    return st;
}

static bool has_query(const struct statement *s)
{
    return s->type == &st_create_table && ((const struct create_table *)s->body)->query != NULL;
}

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    struct explain *x = ARENA_NEW(p->a, struct explain);

    (void)start;
    *body = x;
    p->at++;
    if (take_word(p, KW_UPGRADE)) {
        TRY(expect_word(p, KW_FROM));
        TRY(parse_string(p, "the folder of a savepoint or checkpoint", &x->upgrade));
    } else if (take_word(p, KW_PLAN)) {
        TRY(expect_word(p, KW_FOR));
        if (parse_peek(p, 0)->kind == TOKEN_STRING) return parse_string(p, "a compiled plan's file", &x->file);
    } else if (is_detail(p)) {
        do TRY(parse_detail(p, x));
        while (take_symbol(p, ","));
    }
    if (is_word(p, 0, KW_STATEMENT)) return parse_statement_set(p, &x->statement);
    if (!is_explained(p)) return not_explained(p);
    bool create = is_word(p, 0, KW_CREATE) || is_word(p, 0, KW_REPLACE);
    struct ast_place from = parse_here(p);
    TRY(parse_inner_statement(p, &x->statement));
    if (!create || has_query(x->statement)) return S_OK;
    return sql_error(p->e, p->t, from.at, from.size, "only CREATE TABLE with AS and a query can be explained");
}

static void print(const void *body, struct buf *out)
{
    const struct explain *x = body;
    const char *before = " ";

    buf_append_text(out, "EXPLAIN");
    if (x->upgrade.size > 0) {
        buf_append_text(out, " UPGRADE FROM ");
        print_string(x->upgrade, out);
        buf_append_byte(out, ' ');
        statement_print(x->statement, out);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(details); i++)
        if (*(const bool *)(const void *)((const char *)x + details[i].at)) {
            buf_printf(out, "%s%s", before, keyword_text(details[i].word));
            before = ", ";
        }
    if (*before == ' ') buf_append_text(out, " PLAN FOR");
    buf_append_byte(out, ' ');
    if (x->statement != NULL) statement_print(x->statement, out);
    else print_string(x->file, out);
}

const struct st_type st_explain = {
    .name = "explain",
    .doc = "Shows how a statement would run: syntax tree, optimised plan, execution plan.",
    .example = "EXPLAIN SELECT COUNT(*) FROM flights",
    .starts = {"EXPLAIN"},
    .parse = parse,
    .print = print,
};
