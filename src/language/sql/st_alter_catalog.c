/* st_alter_catalog.c - ALTER CATALOG: its options and its comment. */
#include "language/sql/parse_ddl.h"
#include "language/sql/print.h"

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    struct alter_space *c = ARENA_NEW(p->a, struct alter_space);

    (void)start;
    *body = c;
    p->at += 2;
    TRY(parse_one_part(p, "the catalog's name", &c->name));
    c->what = (enum keyword)parse_peek(p, 0)->keyword;
    if (take_word(p, KW_SET)) return parse_options(p, &c->options);
    if (take_word(p, KW_RESET)) return parse_option_keys(p, &c->keys);
    if (!take_word(p, KW_COMMENT)) return parse_expected(p, "SET, RESET or COMMENT");
    return parse_string(p, "the comment's text", &c->comment);
}

static void print(const void *body, struct buf *out)
{
    const struct alter_space *c = body;

    buf_append_text(out, "ALTER CATALOG ");
    print_name(&c->name, out);
    buf_printf(out, " %s ", keyword_text(c->what));
    if (c->what == KW_SET)
        print_option_list(&c->options, out);
    else if (c->what == KW_RESET)
        print_option_keys(&c->keys, out);
    else
        print_string(c->comment, out);
}

const struct st_type st_alter_catalog = {
    .name = "alter_catalog",
    .doc = "Sets or clears options of a catalog, or its comment.",
    .example = "ALTER CATALOG c SET ('default-database' = 'sales')",
    .starts = {"ALTER CATALOG"},
    .parse = parse,
    .print = print,
};
