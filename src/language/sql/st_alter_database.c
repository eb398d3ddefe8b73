/* st_alter_database.c - ALTER DATABASE: its options. */
#include "language/sql/parse_ddl.h"
#include "language/sql/print.h"

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    struct alter_space *d = ARENA_NEW(p->a, struct alter_space);

    (void)start;
    *body = d;
    d->what = KW_SET;
    p->at += 2;
    TRY(parse_name(p, "the database's name", &d->name));
    TRY(expect_word(p, KW_SET));
    return parse_options(p, &d->options);
}

static void print(const void *body, struct buf *out)
{
    const struct alter_space *d = body;

    buf_append_text(out, "ALTER DATABASE ");
    print_name(&d->name, out);
    buf_append_text(out, " SET ");
    print_option_list(&d->options, out);
}

const struct st_type st_alter_database = {
    .name = "alter_database",
    .doc = "Sets options of a database.",
    .example = "ALTER DATABASE sales SET ('owner' = 'ann')",
    .starts = {"ALTER DATABASE"},
    .parse = parse,
    .print = print,
};
