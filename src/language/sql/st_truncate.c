/* st_truncate.c - TRUNCATE TABLE: removes all rows. */
#include "language/sql/parse_internal.h"
#include "language/sql/print.h"
#include "language/sql/statement.h"

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    struct truncate_table *t = ARENA_NEW(p->a, struct truncate_table);

    (void)start;
    *body = t;
    p->at += 2;
    return parse_name(p, "the table to empty", &t->table);
}

static void print(const void *body, struct buf *out)
{
    const struct truncate_table *t = body;

    buf_append_text(out, "TRUNCATE TABLE ");
    print_name(&t->table, out);
}

const struct st_type st_truncate = {
    .name = "truncate",
    .doc = "Removes all rows of a table, in batch mode.",
    .example = "TRUNCATE TABLE late_flights",
    .starts = {"TRUNCATE TABLE"},
    .parse = parse,
    .print = print,
};
