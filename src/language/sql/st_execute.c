/* st_execute.c - EXECUTE before a query or an INSERT: runs it, as without the word. */
#include "language/sql/parse_internal.h"
#include "language/sql/statement.h"

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    static const char *const words[] = {"INSERT", "PLAN", "SELECT", "STATEMENT", "VALUES", "WITH"};
    struct execute *x = ARENA_NEW(p->a, struct execute);

    (void)start;
    *body = x;
    p->at++;
    if (!is_query(p, 0) && !is_word(p, 0, KW_INSERT)) {
        parse_suggest(p, words, COUNT_OF(words));
        return parse_expected(p, "a query, INSERT, STATEMENT SET or PLAN");
    }
    return parse_inner_statement(p, &x->statement);
}

static void print(const void *body, struct buf *out)
{
    const struct execute *x = body;

    buf_append_text(out, "EXECUTE ");
    statement_print(x->statement, out);
}

const struct st_type st_execute = {
    .name = "execute",
    .doc = "Runs a query or an INSERT.",
    .example = "EXECUTE INSERT INTO late_flights SELECT * FROM flights WHERE delay > 60",
    .starts = {"EXECUTE"},
    .parse = parse,
    .print = print,
};
