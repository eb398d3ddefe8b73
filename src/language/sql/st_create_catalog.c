/* st_create_catalog.c - CREATE CATALOG: a name, what it is of, and its options. TEMPORARY means nothing here, as in Flink. */
#include "language/sql/parse_ddl.h"
#include "language/sql/print.h"

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    struct create_space *c = ARENA_NEW(p->a, struct create_space);

    *body = c;
    p->at += 2 + start;
    TRY(parse_if_not_exists(p, &c->if_not_exists));
    TRY(parse_one_part(p, "the catalog's name", &c->name));
    TRY(parse_comment(p, &c->has_comment, &c->comment));
    return take_word(p, KW_WITH) ? parse_options(p, &c->options) : S_OK;
}

static void print(const void *body, struct buf *out)
{
    const struct create_space *c = body;

    buf_append_text(out, c->if_not_exists ? "CREATE CATALOG IF NOT EXISTS " : "CREATE CATALOG ");
    print_name(&c->name, out);
    print_comment(c->has_comment, c->comment, out);
    print_options(" WITH ", &c->options, out);
}

const struct st_type st_create_catalog = {
    .name = "create_catalog",
    .doc = "Makes a catalog: a place where databases and their tables are kept.",
    .example = "CREATE CATALOG c WITH ('type' = 'generic_in_memory')",
    .starts = {"CREATE CATALOG", "CREATE TEMPORARY CATALOG"},
    .parse = parse,
    .print = print,
};
