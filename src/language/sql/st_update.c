/* st_update.c - UPDATE: new values for columns of the rows that a condition picks. */
#include "language/sql/parse_internal.h"
#include "language/sql/print.h"
#include "language/sql/statement.h"

static enum status parse_assignments(struct parser *p, struct change_rows *c)
{
    TRY(expect_word(p, KW_SET));
    do {
        struct ast_assignment *a = PARSE_PUSH(p, c->items, c->count);
        TRY(parse_simple_name(p, "a column", &a->column, &a->place));
        TRY(expect_symbol(p, "="));
        if (is_word(p, 0, KW_DEFAULT)) return parse_expected(p, "a value");
        TRY(parse_expr(p, &a->x));
    } while (take_symbol(p, ","));
    return S_OK;
}

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    struct change_rows *c = ARENA_NEW(p->a, struct change_rows);

    (void)start;
    *body = c;
    p->at++;
    TRY(parse_name(p, "the table to update", &c->table));
    TRY(parse_hints(p, &c->hints));
    if (take_word(p, KW_AS) || is_name(p, 0)) TRY(parse_simple_name(p, "an alias", &c->alias, NULL));
    TRY(parse_assignments(p, c));
    return take_word(p, KW_WHERE) ? parse_expr(p, &c->where) : S_OK;
}

static void print(const void *body, struct buf *out)
{
    const struct change_rows *c = body;

    buf_append_text(out, "UPDATE ");
    print_name(&c->table, out);
    print_hints(&c->hints, out);
    if (c->alias.size > 0) {
        buf_append_text(out, " AS ");
        print_quoted_name(c->alias, out);
    }
    for (uint32_t i = 0; i < c->count; i++) {
        buf_append_text(out, i == 0 ? " SET " : ", ");
        print_quoted_name(c->items[i].column, out);
        buf_append_text(out, " = ");
        print_expr(c->items[i].x, out);
    }
    if (c->where == NULL) return;
    buf_append_text(out, " WHERE ");
    print_expr(c->where, out);
}

const struct st_type st_update = {
    .name = "update",
    .doc = "Changes rows of a table in place, in batch mode.",
    .example = "UPDATE flights SET delay = 0 WHERE delay < 0",
    .starts = {"UPDATE"},
    .parse = parse,
    .print = print,
};
