/* st_create_database.c - CREATE DATABASE, in the current or a named catalog. TEMPORARY means nothing here, as in
 * Flink. */
#include "language/sql/parse_ddl.h"
#include "language/sql/print.h"

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    struct create_space *d = ARENA_NEW(p->a, struct create_space);

    *body = d;
    p->at += 2 + start;
    TRY(parse_if_not_exists(p, &d->if_not_exists));
    TRY(parse_name(p, "the database's name", &d->name));
    TRY(parse_comment(p, &d->has_comment, &d->comment));
    return take_word(p, KW_WITH) ? parse_options(p, &d->options) : S_OK;
}

static void print(const void *body, struct buf *out)
{
    const struct create_space *d = body;

    buf_append_text(out, d->if_not_exists ? "CREATE DATABASE IF NOT EXISTS " : "CREATE DATABASE ");
    print_name(&d->name, out);
    print_comment(d->has_comment, d->comment, out);
    print_options(" WITH ", &d->options, out);
}

const struct st_type st_create_database = {
    .name = "create_database",
    .doc = "Makes a database in a catalog.",
    .example = "CREATE DATABASE IF NOT EXISTS sales COMMENT 'orders and customers'",
    .starts = {"CREATE DATABASE", "CREATE TEMPORARY DATABASE"},
    .parse = parse,
    .print = print,
};
