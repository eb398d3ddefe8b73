/* st_query.c - a query as a statement: its rows are the result. */
#include "language/sql/parse_internal.h"
#include "language/sql/print.h"
#include "language/sql/statement.h"

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    struct ast_query *q;

    (void)start;
    TRY(parse_query(p, &q));
    *body = q;
    return S_OK;
}

static void print(const void *body, struct buf *out) { print_query(body, out); }

const struct st_type st_query = {
    .name = "query",
    .doc = "Runs a query and shows its rows.",
    .example = "SELECT origin, COUNT(*) FROM flights GROUP BY origin",
    .starts = {"SELECT", "VALUES", "WITH"},
    .parse = parse,
    .print = print,
};
