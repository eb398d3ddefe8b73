/* st_alter_view.c - ALTER VIEW: another name, or another query. */
#include "language/sql/parse_internal.h"
#include "language/sql/print.h"
#include "language/sql/statement.h"

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    struct alter_view *v = ARENA_NEW(p->a, struct alter_view);

    (void)start;
    *body = v;
    p->at += 2;
    TRY(parse_name(p, "the view's name", &v->name));
    if (take_word(p, KW_AS)) return parse_query(p, &v->query);
    if (!take_word(p, KW_RENAME)) return parse_expected(p, "RENAME TO a name, or AS and a query");
    TRY(expect_word(p, KW_TO));
    return parse_name(p, "the view's new name", &v->to);
}

static void print(const void *body, struct buf *out)
{
    const struct alter_view *v = body;

    buf_append_text(out, "ALTER VIEW ");
    print_name(&v->name, out);
    buf_append_text(out, v->query != NULL ? " AS " : " RENAME TO ");
    if (v->query != NULL)
        print_query(v->query, out);
    else
        print_name(&v->to, out);
}

const struct st_type st_alter_view = {
    .name = "alter_view",
    .doc = "Renames a view, or gives it another query.",
    .example = "ALTER VIEW late AS SELECT * FROM flights WHERE delay > 30",
    .starts = {"ALTER VIEW"},
    .parse = parse,
    .print = print,
};
