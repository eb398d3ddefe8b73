/* st_create_view.c - CREATE [TEMPORARY] VIEW: a query with a name. */
#include "language/sql/parse_ddl.h"
#include "language/sql/print.h"

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    struct create_view *v = ARENA_NEW(p->a, struct create_view);

    *body = v;
    v->temporary = start == 1;
    p->at += 2 + start;
    TRY(parse_if_not_exists(p, &v->if_not_exists));
    TRY(parse_name(p, "the view's name", &v->name));
    if (is_symbol(p, 0, "(")) TRY(parse_name_list(p, "a column", &v->column_count, &v->columns));
    TRY(parse_comment(p, &v->has_comment, &v->comment));
    TRY(expect_word(p, KW_AS));
    v->query_place = parse_here(p);
    TRY(parse_query(p, &v->query));
    v->query_place = parse_since(p, v->query_place);
    return S_OK;
}

static void print(const void *body, struct buf *out)
{
    const struct create_view *v = body;

    buf_append_text(out, v->temporary ? "CREATE TEMPORARY VIEW " : "CREATE VIEW ");
    if (v->if_not_exists) buf_append_text(out, "IF NOT EXISTS ");
    print_name(&v->name, out);
    if (v->column_count > 0) print_name_list(v->column_count, v->columns, out);
    print_comment(v->has_comment, v->comment, out);
    buf_append_text(out, " AS ");
    print_query(v->query, out);
}

const struct st_type st_create_view = {
    .name = "create_view",
    .doc = "Gives a query a name.",
    .example = "CREATE VIEW late AS SELECT * FROM flights WHERE delay > 60",
    .starts = {"CREATE VIEW", "CREATE TEMPORARY VIEW"},
    .parse = parse,
    .print = print,
};
